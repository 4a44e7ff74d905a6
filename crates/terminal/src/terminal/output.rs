//! What the child printed: through the tap into the emulator, and what follows from it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use maestro_core::screen::Size;
use maestro_core::text::clean;

use super::{Terminal, color_scheme};
use crate::emulator::{Emulator, Habits};
use crate::event::{Event, Outbox, Prompt};
use crate::options::Options;
use crate::osc;
use crate::tap::{self, Found, Tap};

/// The first bytes of a character whose others have not come yet. The parser (vte 0.15) may lose the
/// character after one that was cut in two, so it is never given such a piece.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: [u8; 4],
    len: usize,
}

/// What a shell's marks have told of its modes.
#[derive(Debug, Default)]
pub(super) struct Shell {
    /// The modes when the command that runs began.
    at_command: Option<Habits>,
    /// The modes when the last prompt began.
    at_prompt: Option<Habits>,
    /// The end of a command was told, and no prompt since.
    ended: bool,
    /// The end of a command was told at some time.
    tells_ends: bool,
}

impl Terminal {
    pub(super) fn parse(&mut self, bytes: &[u8]) {
        let mut rest = self.complete_held(bytes);
        while !rest.is_empty() {
            let (used, found) = self.tap.scan(rest);
            let (mut now, after) = rest.split_at(used);
            rest = after;
            if found.is_none() && self.tap.in_ground() {
                now = self.held.take_tail(now);
            }
            self.emulator.feed(now);
            if found.is_some_and(Found::is_about_the_screen) {
                self.emulator.catch_up(self.tap.in_ground());
            }
            match found {
                None | Some(Found::SyncEnd) => {}
                Some(Found::Osc) => self.osc(),
                Some(Found::Version) => {
                    let identity = &self.options.identity;
                    let name = clean(&format!("{} {}", identity.name, identity.version), 64);
                    self.emulator.reply(format!("\x1bP>|{name}\x1b\\").as_bytes());
                }
                Some(Found::UnitId) => self.emulator.reply(b"\x1bP!|00000000\x1b\\"),
                Some(Found::ColorScheme) => {
                    self.emulator.reply(color_scheme(self.options.palette).as_bytes());
                }
                Some(Found::Place) => {
                    let (row, column) = self.emulator.place();
                    self.emulator.reply(format!("\x1b[?{row};{column};1R").as_bytes());
                }
                Some(Found::CellSize) => {
                    let Size { cell_width, cell_height, .. } = self.options.size;
                    self.emulator.reply(format!("\x1b[6;{cell_height};{cell_width}t").as_bytes());
                }
                // What the child called itself goes nowhere as input: the answers are empty.
                Some(Found::IconTitle) => self.emulator.reply(b"\x1b]L\x1b\\"),
                Some(Found::WindowTitle) => self.emulator.reply(b"\x1b]l\x1b\\"),
                Some(Found::SoftReset) => self.emulator.soft_reset(),
                Some(Found::Setting) => {
                    self.emulator.reply(self.emulator.setting(self.tap.osc()).as_bytes());
                }
                Some(Found::Capabilities) => {
                    self.emulator.reply(self.emulator.capabilities(self.tap.osc()).as_bytes());
                }
                Some(Found::TooLong) => self.emulator.feed(b"\x18"),
                Some(Found::Repeat) => {
                    self.emulator.feed(b"\x18");
                    self.emulator.feed(tap::REPEAT);
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
        }
    }

    /// An OSC that the emulator does not know has ended.
    fn osc(&mut self) {
        if let Some(reply) = self.query() {
            self.emulator.reply(reply.as_bytes());
            return;
        }
        if let Some(event) = self.reader.read(self.tap.osc(), self.options.hostname.as_deref()) {
            if let Event::Prompt(prompt) = event {
                // It marks the place of the cursor.
                self.emulator.catch_up(self.tap.in_ground());
                self.tidy(prompt);
                self.prompted(prompt);
            }
            self.emulator.event(event);
        }
    }

    /// Answers an OSC that asks about the mouse pointer (22) or about notifications (99), or sets the pointer.
    fn query(&mut self) -> Option<String> {
        let text = str::from_utf8(self.tap.osc()).ok()?;
        if let Some(payload) = text.strip_prefix("22;") {
            let answer = self.emulator.pointer_command(payload)?;
            return Some(format!("\x1b]22;{answer}\x1b\\"));
        }
        osc::notification_query(text)
    }

    /// A shell's marks tell when a command begins and when it is over. Modes that it changed and left are
    /// changed back, so that what comes next is a usable prompt whatever died there.
    ///
    /// What holds when a command begins is what its shell wants while others run, and is put back when it
    /// says that the command ended, before it sets up its own prompt again. A shell that tells of prompts
    /// only gets back, at each, what held at the one before. Compared is with what was there and never
    /// with what a prompt ought to want: a program that prints marks of its own is left alone, and so are
    /// a shell's own keyboard modes. Colours of the palette stay, which shells set for good.
    fn tidy(&mut self, prompt: Prompt) {
        let shell = &mut self.shell;
        let before = match prompt {
            Prompt::Output => {
                shell.at_command = Some(self.emulator.habits());
                return;
            }
            Prompt::Command => return,
            Prompt::Done(_) => shell.at_command.take().or(shell.at_prompt),
            // A prompt while a command runs, of a shell that tells when they end: that command's own.
            Prompt::Start if shell.at_command.is_some() && shell.tells_ends => return,
            Prompt::Start => shell.at_prompt.filter(|_| !shell.ended),
        };
        shell.ended = matches!(prompt, Prompt::Done(_));
        shell.tells_ends |= shell.ended;
        if let Some(habits) = before {
            self.emulator.restore(habits);
        }
        if prompt == Prompt::Start {
            shell.at_command = None;
            shell.at_prompt = Some(self.emulator.habits());
        }
    }

    /// Ends whatever sequence is open and brings the modes back.
    pub(super) fn reset_all_modes(&mut self) {
        // Always: within many a plain CSI the tap says that text comes next while the parser is in it.
        self.parse(b"\x18");
        self.emulator.reset_modes();
        self.shell = Shell::default();
    }

    /// Adds what is missing to a character that was cut by the end of the last call.
    fn complete_held<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while self.held.len > 0 {
            let Some((&byte, rest)) = bytes.split_first() else { break };
            let goes_on = byte & 0xc0 == 0x80;
            if goes_on {
                self.held.bytes[self.held.len] = byte;
                self.held.len += 1;
                bytes = rest;
            }
            if !goes_on || !is_cut(&self.held.bytes[..self.held.len]) {
                self.emulator.feed(&self.held.bytes[..self.held.len]);
                self.held.len = 0;
            }
        }
        bytes
    }

    /// Runs something that goes through the emulator. Should the emulator ever panic on what a child
    /// printed, this terminal starts anew with an empty screen, and nothing else notices.
    pub(super) fn guarded(&mut self, run: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| run(&mut *self))).is_err() {
            let Options { size, scrollback, palette, .. } = self.options;
            let budget = self.options.budget.clone();
            let shed = self.emulator.base() + u64::from(size.rows);
            self.restarts += 1;
            self.emulator = Emulator::new(size, scrollback, palette, budget);
            self.emulator.state.shed = shed;
            self.tap = Tap::default();
            self.held = Held::default();
            self.forget_rows();
        }
    }

    /// Draws the conclusions from whatever the emulator did.
    pub(super) fn settle(&mut self) {
        self.version += 1;
        self.changes += 1;
        let state = &mut self.emulator.state;
        let wiped = std::mem::take(&mut state.wiped);
        let swapped = std::mem::take(&mut state.swapped);
        self.settle_rows(wiped, swapped);
        self.check_selection();
        self.update_parked();
    }

    pub(super) fn deliver(&mut self, out: &mut Outbox) {
        let Self { emulator, title, directory, progress, status, .. } = self;
        emulator.deliver(out, |event| match event {
            Event::Title(new) => title.clone_from(new),
            Event::Directory(new) => *directory = Some(new.clone()),
            Event::Progress(new) => *progress = *new,
            Event::Status(new) => status.clone_from(new),
            Event::Notification { .. } | Event::Prompt(_) | Event::Bell | Event::Clipboard(_) => {}
        });
    }
}

impl Held {
    /// Keeps a character that is cut by the end, returns what is before it.
    fn take_tail<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        for len in 1..=bytes.len().min(3) {
            let (before, tail) = bytes.split_at(bytes.len() - len);
            match tail[0] {
                0x80..=0xbf => {}
                0xc2..=0xf4 if is_cut(tail) => {
                    self.bytes[..len].copy_from_slice(tail);
                    self.len = len;
                    return before;
                }
                _ => break,
            }
        }
        bytes
    }
}

/// Whether these bytes begin a character and do not end it.
fn is_cut(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}
