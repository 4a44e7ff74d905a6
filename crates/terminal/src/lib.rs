//! The terminal: emulation, the OSC tap, frames, input encoding, selection and scrollback.
//!
//! A [`Terminal`] is fed the bytes a child printed and the [`Input`](maestro_core::input::Input) a user
//! gave; it answers with bytes for the child, with [`Event`]s, and with [`Frame`](maestro_core::screen::Frame)s
//! for every [`View`] of it. It reads no file, starts no thread and waits for nothing: whoever owns it
//! decides when it runs. The emulator behind it (`alacritty_terminal`) never shows in a signature.

mod budget;
mod cold;
mod emulator;
mod event;
mod hot;
mod keys;
mod marks;
mod options;
mod osc;
mod pack;
mod pointer;
mod search;
mod select;
mod tap;
mod terminal;
#[cfg(test)]
mod tests;
mod view;

pub mod paste;
pub mod text;

pub use budget::{BUDGET, Budget};
pub use event::{
    EVENTS_LIMIT, Event, NOTIFICATIONS_LIMIT, Outbox, Progress, Prompt, REPLIES_LIMIT, Status,
    StatusState,
};
pub use options::{Identity, Options, Palette, SCROLLBACK, ShiftEnter};
pub use search::{SearchFound, SearchWork};
pub use terminal::{Contents, Info, Memory, Terminal};
pub use view::View;
