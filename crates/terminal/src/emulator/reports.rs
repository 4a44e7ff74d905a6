//! Answers to requests that come as device control strings or that upstream does not know. Every answer is
//! made of fixed words, of numbers and of the words of a table here; nothing of what the child sent is in it.

use std::fmt::Write as _;

use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::{Color, CursorShape, NamedColor};

use super::Emulator;

/// What is told of the terminfo entry we call ourselves by (`xterm-256color`), and what newer programs ask
/// for besides: Neovim and tmux look for these before they use direct colours, styled underlines, cursor
/// shapes and the clipboard.
const CAPABILITIES: [(&str, &str); 22] = [
    ("TN", "xterm-256color"),
    ("Co", "256"),
    ("colors", "256"),
    ("RGB", "8/8/8"),
    ("Tc", ""),
    ("Su", ""),
    ("setrgbf", "\x1b[38;2;%p1%d;%p2%d;%p3%dm"),
    ("setrgbb", "\x1b[48;2;%p1%d;%p2%d;%p3%dm"),
    ("Smulx", "\x1b[4:%p1%dm"),
    ("Setulc", "\x1b[58:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%dm"),
    ("smxx", "\x1b[9m"),
    ("rmxx", "\x1b[29m"),
    ("Ss", "\x1b[%p1%d q"),
    ("Se", "\x1b[2 q"),
    ("Ms", "\x1b]52;%p1%s;%p2%s\x07"),
    ("Sync", "\x1b[?2026%?%p1%{1}%-%tl%eh%;"),
    ("BE", "\x1b[?2004h"),
    ("BD", "\x1b[?2004l"),
    ("PS", "\x1b[200~"),
    ("PE", "\x1b[201~"),
    ("fe", "\x1b[?1004h"),
    ("fd", "\x1b[?1004l"),
];

/// The most capabilities answered in one request.
const CAPABILITIES_LIMIT: usize = 64;

impl Emulator {
    /// XTGETTCAP: names in hexadecimal, separated by semicolons. One answer each, the unknown without a name.
    pub(crate) fn capabilities(&self, names: &[u8]) -> String {
        let mut out = String::new();
        for name in names.split(|byte| *byte == b';').take(CAPABILITIES_LIMIT) {
            let known = CAPABILITIES.iter().find(|(known, _)| is_hex_of(name, known));
            match known {
                Some((name, "")) => {
                    let _ = write!(out, "\x1bP1+r{}\x1b\\", hex(name));
                }
                Some((name, value)) => {
                    let _ = write!(out, "\x1bP1+r{}={}\x1b\\", hex(name), hex(value));
                }
                None => out.push_str("\x1bP0+r\x1b\\"),
            }
        }
        out
    }

    /// DECRQSS: the setting that a control function with this end has made.
    pub(crate) fn setting(&self, function: &[u8]) -> String {
        let setting = match function {
            b"m" => format!("{}m", self.attributes()),
            b"r" => {
                let rows = usize::from(self.state.size.rows);
                let (top, bottom) = self.state.own.margins.unwrap_or((0, rows));
                format!("{};{bottom}r", top + 1)
            }
            b" q" => {
                let style = self.term.cursor_style();
                let shape = match style.shape {
                    CursorShape::Underline => 4,
                    CursorShape::Beam => 6,
                    _ => 2,
                };
                format!("{} q", shape - u8::from(style.blinking))
            }
            b"t" => format!("{}t", self.state.size.rows),
            // The level: a VT102, as the primary device attributes say, and so without protection.
            b"\"p" => "61\"p".to_owned(),
            b"\"q" => "0\"q".to_owned(),
            _ => return "\x1bP0$r\x1b\\".to_owned(),
        };
        format!("\x1bP1$r{setting}\x1b\\")
    }

    /// The attributes of text to come, as the parameters that set them.
    fn attributes(&self) -> String {
        let template = &self.grid().cursor.template;
        let mut out = "0".to_owned();
        for (flag, number) in [
            (Flags::BOLD, "1"),
            (Flags::DIM, "2"),
            (Flags::ITALIC, "3"),
            (Flags::UNDERLINE, "4"),
            (Flags::DOUBLE_UNDERLINE, "4:2"),
            (Flags::UNDERCURL, "4:3"),
            (Flags::DOTTED_UNDERLINE, "4:4"),
            (Flags::DASHED_UNDERLINE, "4:5"),
            (Flags::INVERSE, "7"),
            (Flags::HIDDEN, "8"),
            (Flags::STRIKEOUT, "9"),
        ] {
            if template.flags.contains(flag) {
                let _ = write!(out, ";{number}");
            }
        }
        color(&mut out, template.fg, 30);
        color(&mut out, template.bg, 40);
        if let Some(underline) = template.underline_color() {
            color(&mut out, underline, 50);
        }
        out
    }
}

/// A colour's parameters; `first` is 30 for the foreground, 40 for the background, 50 for the underline.
fn color(out: &mut String, color: Color, first: usize) {
    let index = match color {
        Color::Spec(rgb) => {
            let _ = write!(out, ";{}:2::{}:{}:{}", first + 8, rgb.r, rgb.g, rgb.b);
            return;
        }
        Color::Indexed(index) => usize::from(index),
        Color::Named(NamedColor::Foreground | NamedColor::Background) => return,
        Color::Named(name) => name as usize,
    };
    let _ = match index {
        0..=7 if first < 50 => write!(out, ";{}", first + index),
        8..=15 if first < 50 => write!(out, ";{}", first + 52 + index),
        0..=255 => write!(out, ";{}:5:{index}", first + 8),
        _ => Ok(()),
    };
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02X}");
        out
    })
}

/// Whether these hexadecimal digits, of either case, spell a name.
fn is_hex_of(digits: &[u8], name: &str) -> bool {
    digits.len() == 2 * name.len() && digits.eq_ignore_ascii_case(hex(name).as_bytes())
}
