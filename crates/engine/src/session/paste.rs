//! Large pastes: written as the child reads them, so that neither the terminal nor anybody else waits.
//!
//! One large paste is on its way to a terminal at a time. Its text is encoded piece by piece, whenever
//! the PTY has room; what is typed meanwhile keeps its place behind it, and so do the terminal's replies
//! to the child, which would end up in the middle of the text otherwise.

use std::sync::atomic::Ordering;

use maestro_core::input::Input;
use maestro_protocol::message::{PASTE_LIMIT, Pasting};
use maestro_pty::{Pty, Refused};
use maestro_terminal::paste::Encoder;

use super::orders::NotTaken;
use super::{Core, Session};

/// Bytes of text from which on a paste is written piece by piece.
pub(super) const LARGE: usize = 64 << 10;
/// Bytes of text encoded at once.
const PIECE: usize = 16 << 10;
/// Pieces written in one quantum, however fast the child reads.
const PIECES: usize = 16;
/// Bytes of replies kept behind a paste; a child that asks for more gets no answer.
const REPLIES: usize = 256 << 10;

/// A large paste that is being written.
pub(super) struct Paste {
    text: String,
    /// Bytes of it that were encoded.
    at: usize,
    encoder: Encoder,
    /// Replies to the child that came meanwhile.
    replies: Vec<u8>,
}

impl Paste {
    /// Bytes of text that were not encoded yet.
    pub(super) fn left(&self) -> usize {
        self.text.len() - self.at
    }

    /// The next bytes for the child; `None` when all were given out.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.at == self.text.len() {
            return None;
        }
        let rest = &self.text[self.at..];
        let end = (0..=rest.len().min(PIECE)).rev().find(|end| rest.is_char_boundary(*end));
        let end = end.unwrap_or(rest.len());
        let mut bytes = Vec::with_capacity(end + 16);
        self.encoder.push(&rest[..end], &mut bytes);
        self.at += end;
        if self.at == self.text.len() {
            self.encoder.finish(&mut bytes);
        }
        Some(bytes)
    }

    /// Keeps a reply to the child for later.
    pub(super) fn hold(&mut self, reply: &[u8]) {
        if self.replies.len() + reply.len() <= REPLIES {
            self.replies.extend_from_slice(reply);
        }
    }
}

impl Session {
    /// A large paste comes: there is one of them at a time, and all terminals together have a limit.
    pub(super) fn admit_paste(&self, bytes: usize) -> Result<(), NotTaken> {
        if bytes > PASTE_LIMIT {
            return Err(NotTaken::TooLarge);
        }
        let first =
            self.pasting.compare_exchange(0, bytes, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if !first {
            return Err(NotTaken::Pasting);
        }
        if !self.heap.take_paste(bytes) {
            self.pasting.store(0, Ordering::Release);
            return Err(NotTaken::Memory);
        }
        self.tell_pasting(Some(Pasting { written: 0, total: bytes as u64 }));
        Ok(())
    }

    /// It is no longer on its way.
    pub(super) fn dismiss_paste(&self) {
        self.heap.free_paste(self.pasting.swap(0, Ordering::AcqRel));
        self.tell_pasting(None);
    }

    pub(super) fn begin_paste(&self, core: &mut Core, text: String) {
        if text.len() <= LARGE {
            core.terminal.input(&Input::Paste(text), &mut core.outbox);
            core.version += 1;
            self.empty_outbox(core);
            return;
        }
        let encoder = core.terminal.begin_paste();
        core.version += 1;
        core.paste = Some(Paste { text, at: 0, encoder, replies: Vec::new() });
        let _ = self.go_on_pasting(core);
    }

    /// Writes what there is room for. Says whether there is room for more: a child may read as fast as
    /// we write, and others are to have their turn.
    pub(super) fn go_on_pasting(&self, core: &mut Core) -> bool {
        let Some(paste) = &mut core.paste else { return false };
        for _ in 0..PIECES {
            let unwritten = self.pty.unwritten();
            if unwritten >= Pty::ROOM {
                let written = paste.at.saturating_sub(unwritten) as u64;
                let total = paste.text.len() as u64;
                self.tell_pasting(Some(Pasting { written, total }));
                return false;
            }
            let written = match paste.next() {
                Some(bytes) => self.pty.write(&bytes),
                None => {
                    self.end_paste(core);
                    return false;
                }
            };
            match written {
                Ok(()) => {}
                // There was room; whoever filled it wrote past us, and this paste is torn.
                Err(Refused::Full { .. }) | Err(Refused::Closed) => {
                    self.end_paste(core);
                    return false;
                }
            }
        }
        true
    }

    /// Leaves out the rest, and ends it properly where the child was told that it begins.
    pub(super) fn cut_paste(&self, core: &mut Core) {
        let Some(paste) = &mut core.paste else { return };
        let mut bytes = Vec::new();
        paste.encoder.finish(&mut bytes);
        self.write(&bytes);
        self.end_paste(core);
    }

    /// Everything is written, or nobody reads it any more: what came behind it is next.
    pub(super) fn end_paste(&self, core: &mut Core) {
        let Some(paste) = core.paste.take() else { return };
        self.dismiss_paste();
        self.write(&paste.replies);
        core.behind_bytes = 0;
        let later = std::mem::replace(&mut core.orders, std::mem::take(&mut core.behind));
        core.orders.extend(later);
    }

    fn tell_pasting(&self, pasting: Option<Pasting>) {
        self.tell(|facts| {
            facts.news.info |= facts.info.pasting != pasting;
            facts.info.pasting = pasting;
        });
    }
}
