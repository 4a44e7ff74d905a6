//! What the child printed: through the tap into the emulator, and what follows from it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use maestro_core::text::clean;

use super::{Terminal, color_scheme};
use crate::emulator::Emulator;
use crate::event::{Event, Outbox};
use crate::options::Options;
use crate::tap::{self, Found, Tap};

/// The first bytes of a character whose others have not come yet. The parser (vte 0.15) may lose the
/// character after one that was cut in two, so it is never given such a piece.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: [u8; 4],
    len: usize,
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
        if let Some(event) = self.reader.read(self.tap.osc(), self.options.hostname.as_deref()) {
            self.emulator.event(event);
        }
    }

    /// Ends whatever sequence is open and brings the modes back.
    pub(super) fn reset_all_modes(&mut self) {
        self.parse(b"\x18");
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
            let shed = self.emulator.base() + u64::from(size.rows);
            self.restarts += 1;
            self.emulator = Emulator::new(size, scrollback, palette);
            self.emulator.state.shed = shed;
            self.tap = Tap::default();
            self.held = Held::default();
            self.cold.clear();
            self.top = None;
            self.clear_selection();
        }
    }

    /// Draws the conclusions from whatever the emulator did.
    pub(super) fn settle(&mut self) {
        self.version += 1;
        let state = &mut self.emulator.state;
        let dropped = std::mem::take(&mut state.dropped);
        let wiped = std::mem::take(&mut state.wiped);
        let swapped = std::mem::take(&mut state.swapped);
        if dropped || wiped {
            self.cold.clear();
        }
        if wiped || swapped {
            self.top = None;
            self.clear_selection();
        }
        if !self.emulator.is_alt() {
            let native = self.emulator.native_history();
            self.cold.shorten(self.options.scrollback.saturating_sub(native));
        }
        if self.top.is_some() && self.offset() == 0 {
            self.top = None;
        }
        self.check_selection();
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
