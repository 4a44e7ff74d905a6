//! What a user does, encoded for a child in any mode: no event makes more than it should, a release makes
//! nothing unless asked for, and no paste breaks out of its brackets.

use maestro_core::input::{Action, Button, Code, Input, Key, Mods, Mouse, MouseKind};
use maestro_core::screen::Size;
use maestro_terminal::{Options, Outbox, ShiftEnter, Terminal};

/// Takes what it needs from the data; zeros when there is no more.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bit(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    fn number(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn char(&mut self) -> char {
        let value = u32::from(self.number()) | u32::from(self.byte() % 17) << 16;
        char::from_u32(value).unwrap_or('x')
    }

    fn text(&mut self) -> String {
        let len = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(len);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn mods(&mut self) -> Mods {
        let bits = self.byte();
        Mods {
            shift: bits & 1 != 0,
            alt: bits & 2 != 0,
            control: bits & 4 != 0,
            logo: bits & 8 != 0,
        }
    }

    fn code(&mut self) -> Code {
        const NAMED: [Code; 31] = [
            Code::Enter,
            Code::Tab,
            Code::Backspace,
            Code::Escape,
            Code::Left,
            Code::Right,
            Code::Up,
            Code::Down,
            Code::Home,
            Code::End,
            Code::PageUp,
            Code::PageDown,
            Code::Insert,
            Code::Delete,
            Code::CapsLock,
            Code::ScrollLock,
            Code::NumLock,
            Code::PrintScreen,
            Code::Pause,
            Code::Menu,
            Code::Shift,
            Code::Control,
            Code::Alt,
            Code::Super,
            Code::ShiftRight,
            Code::ControlRight,
            Code::AltRight,
            Code::SuperRight,
            Code::AltGraph,
            Code::Unknown,
            Code::F(255),
        ];
        match self.byte() {
            kind @ 0..=99 => NAMED[usize::from(kind) % NAMED.len()],
            100..=120 => Code::F(self.byte()),
            _ => Code::Char(self.char()),
        }
    }

    fn key(&mut self) -> Key {
        Key {
            code: self.code(),
            mods: self.mods(),
            text: self.text(),
            action: [Action::Press, Action::Repeat, Action::Release][usize::from(self.byte()) % 3],
            base: self.bit().then(|| self.char()),
            shifted: self.bit().then(|| self.char()),
            keypad: self.bit(),
        }
    }

    fn mouse(&mut self) -> Mouse {
        const BUTTONS: [Button; 3] = [Button::Left, Button::Middle, Button::Right];
        let button = BUTTONS[usize::from(self.byte()) % 3];
        let kind = match self.byte() % 5 {
            0 => MouseKind::Press(button),
            1 => MouseKind::Release(button),
            2 => MouseKind::Move(Some(button)),
            3 => MouseKind::Move(None),
            _ => MouseKind::Wheel { lines: self.number() as i16, columns: self.number() as i16 },
        };
        let (row, col) = (self.number(), self.number());
        let (x, y) = (u32::from(self.number()) << 16, u32::from(self.number()) << 16);
        Mouse { kind, row, col, x, y, mods: self.mods() }
    }
}

/// The modes that change how input is encoded.
const MODES: [&str; 16] = [
    "\x1b[?1h",
    "\x1b[?1l",
    "\x1b=",
    "\x1b>",
    "\x1b[20h",
    "\x1b[?1000h",
    "\x1b[?1002h",
    "\x1b[?1003h",
    "\x1b[?1005h",
    "\x1b[?1006h",
    "\x1b[?1016h",
    "\x1b[?1004h",
    "\x1b[?2004h",
    "\x1b[?1049h",
    "\x1b[?9h",
    "\x1b[?1007l",
];

pub fn run(data: &[u8]) {
    let mut source = Source(data);
    let shift_enter =
        [ShiftEnter::EscapeReturn, ShiftEnter::LineFeed, ShiftEnter::Return, ShiftEnter::Kitty];
    let shift_enter = shift_enter[usize::from(source.byte()) % 4];
    let mut terminal = Terminal::new(Options { shift_enter, ..Options::new(Size::new(80, 24)) });
    let mut out = Outbox::new();
    for _ in 0..source.byte() % 8 {
        let mode = MODES[usize::from(source.byte()) % MODES.len()];
        terminal.advance(mode.as_bytes(), &mut out);
    }
    let flags = source.byte() % 64;
    if flags < 32 {
        terminal.advance(format!("\x1b[>{flags}u").as_bytes(), &mut out);
    }
    for _ in 0..200 {
        if source.0.is_empty() {
            break;
        }
        out.clear();
        match source.byte() % 5 {
            0 | 1 => key(&mut terminal, &source.key(), &mut out),
            2 => {
                let mouse = source.mouse();
                terminal.input(&Input::Mouse(mouse), &mut out);
                let MouseKind::Wheel { lines, columns } = mouse.kind else {
                    assert!(out.replies.len() <= 64, "{mouse:?} makes {} bytes", out.replies.len());
                    continue;
                };
                // At most a report for each step.
                let steps = usize::from(lines.unsigned_abs()) + usize::from(columns.unsigned_abs());
                assert!(out.replies.len() <= steps * 64, "{mouse:?}");
            }
            3 => paste(&mut terminal, source.text(), &mut out),
            _ => {
                let text = source.text();
                let limit = 16 + text.chars().count() * 40;
                terminal.input(&Input::Text(text.clone()), &mut out);
                assert!(out.replies.len() <= limit, "{text:?}");
            }
        }
    }
}

fn key(terminal: &mut Terminal, key: &Key, out: &mut Outbox) {
    let modes = terminal.modes();
    terminal.input(&Input::Key(key.clone()), out);
    let limit = 64 + key.text.chars().count() * 12;
    assert!(out.replies.len() <= limit, "{key:?} makes {} bytes", out.replies.len());
    if key.action == Action::Release && !modes.key_releases {
        assert!(out.replies.is_empty(), "{key:?} makes {:?}", out.replies);
    }
}

fn paste(terminal: &mut Terminal, text: String, out: &mut Outbox) {
    let bracketed = terminal.modes().bracketed_paste;
    terminal.input(&Input::Paste(text.clone()), out);
    let mut pasted = out.replies.as_slice();
    if bracketed && !pasted.is_empty() {
        pasted = pasted.strip_prefix(b"\x1b[200~").expect("it begins with the bracket");
        pasted = pasted.strip_suffix(b"\x1b[201~").expect("it ends with the bracket");
    }
    let pasted = std::str::from_utf8(pasted).expect("text stays text");
    let harmful = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
    assert!(!pasted.contains(harmful), "{text:?} becomes {pasted:?}");
    assert!(pasted.len() <= text.len() + 8);
}
