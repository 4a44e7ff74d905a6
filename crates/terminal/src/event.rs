//! What a child says besides drawing: titles, directories, notifications, progress, prompt marks, the
//! clipboard, its own status. Everything textual was stripped and length-limited before it got here.

use std::path::PathBuf;

/// The most bytes of replies one [`Outbox`] collects; a child that asks for more without reading gets
/// no further answers until the owner has taken these.
pub const REPLIES_LIMIT: usize = 256 * 1024;

/// The most events one [`Outbox`] holds before new ones of the kinds that do not replace each other are
/// dropped.
pub const EVENTS_LIMIT: usize = 128;

/// The most notifications one [`Outbox`] holds; further ones are dropped until the owner has taken these.
/// How often a person is disturbed is the owner's to limit: it has a clock.
pub const NOTIFICATIONS_LIMIT: usize = 16;

/// What a terminal wants from its owner: bytes for the child and events for the world. The owner takes
/// both after every call and hands the box in again, so that its memory is reused.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outbox {
    /// Bytes to write to the child, in this order.
    pub replies: Vec<u8>,
    /// What happened. Of a kind that replaces itself (title, directory, progress, status, clipboard,
    /// bell) there is at most one, the latest.
    pub events: Vec<Event>,
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.replies.clear();
        self.events.clear();
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replies.is_empty() && self.events.is_empty()
    }

    /// Adds bytes for the child unless that exceeds [`REPLIES_LIMIT`].
    pub(crate) fn reply(&mut self, bytes: &[u8]) {
        if self.replies.len() + bytes.len() <= REPLIES_LIMIT {
            self.replies.extend_from_slice(bytes);
        }
    }

    /// Adds an event; one that replaces its kind takes the older one's place away.
    pub(crate) fn event(&mut self, event: Event) {
        let replaces = event.replaces_its_kind();
        if replaces {
            let kind = std::mem::discriminant(&event);
            self.events.retain(|old| std::mem::discriminant(old) != kind);
        }
        let is_note = |event: &Event| matches!(event, Event::Notification { .. });
        if is_note(&event)
            && self.events.iter().filter(|old| is_note(old)).count() >= NOTIFICATIONS_LIMIT
        {
            return;
        }
        // There are few kinds that replace themselves: they always fit, however many others came before.
        if replaces || self.events.len() < EVENTS_LIMIT {
            self.events.push(event);
        }
    }
}

/// Something a child said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Its title; `None` when it took it back (OSC 0, OSC 2).
    Title(Option<String>),
    /// The directory it works in: an absolute path (OSC 7, OSC 1337 `CurrentDir`, OSC 9;9).
    Directory(PathBuf),
    /// It wants the user's attention (OSC 9, 99, 777).
    Notification {
        /// Title, may be empty.
        title: String,
        /// Body, may be empty.
        body: String,
    },
    /// How far it is (OSC 9;4).
    Progress(Progress),
    /// A shell's prompt mark (OSC 133).
    Prompt(Prompt),
    /// The bell.
    Bell,
    /// It wrote to the clipboard (OSC 52). Reading the clipboard is refused.
    Clipboard(String),
    /// It told its status; `None` when it took it back (OSC 7501).
    Status(Option<Status>),
}

impl Event {
    fn replaces_its_kind(&self) -> bool {
        !matches!(self, Self::Notification { .. } | Self::Prompt(_))
    }
}

/// Progress a child reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// None, or no longer.
    None,
    /// Percent, 0 to 100.
    Normal(u8),
    /// Something failed at this percentage.
    Error(u8),
    /// Busy, no number known.
    Busy,
    /// Paused at this percentage.
    Paused(u8),
}

impl Progress {
    /// The percentage, where there is one.
    #[must_use]
    pub fn percent(self) -> Option<u8> {
        match self {
            Self::None | Self::Busy => None,
            Self::Normal(percent) | Self::Error(percent) | Self::Paused(percent) => Some(percent),
        }
    }
}

/// A shell's prompt mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// A prompt begins (`A`, `P`).
    Start,
    /// The prompt ends, the command line begins (`B`, `I`).
    Command,
    /// The command was started (`C`).
    Output,
    /// The command ended (`D`), with its exit code where told.
    Done(Option<i32>),
}

/// A child's own status, OSC 7501:
///
/// ```text
/// ESC ] 7501 ; KEY=VALUE [: KEY=VALUE …] BEL        (or ESC \ at the end)
/// ```
///
/// `state` is one of `idle`, `working`, `waiting` (for its user), `done`, `failed`; `app` is a program's
/// name; `text` says in a few words what it is about. A semicolon separates as well as a colon does, so
/// values hold neither. Other keys are ignored, and so is the whole sequence without a known `state`.
/// `state=clear` takes the status back. Codex speaks it on its own: `idle`, `working` and `done` while it
/// runs, `clear` when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it is doing.
    pub state: StatusState,
    /// The program, at most 64 characters.
    pub app: Option<String>,
    /// A few words, at most 256 characters.
    pub text: Option<String>,
}

/// The states of a [`Status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusState {
    /// It waits for a prompt.
    Idle,
    /// It is busy.
    Working,
    /// It asked its user for something.
    Waiting,
    /// Its work is done.
    Done,
    /// Its work failed.
    Failed,
}
