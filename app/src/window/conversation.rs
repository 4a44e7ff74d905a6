//! What was said in a tab, turn by turn: prompts, answers, thinking, tool calls, ends.
//!
//! A [`View`] is the state of one shown tab: where it is scrolled to, what is unfolded, what is marked,
//! what is looked for. What was said itself is in a [`Transcript`], which its owner keeps and hands in; the
//! owner also tells the view what has changed in it. Tabs, what is asked, and what is said next are
//! screens of their own.

use iced::widget::Space;
use iced::{Element, Length, Task};
use maestro_core::command::Id;
use maestro_core::conversation::{Applied, Tab, Transcript};
use maestro_core::keymap::Keymap;
use maestro_ui::theme::Tokens;

/// What is shown beside the transcript.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// The tab.
    pub tab: &'a Tab,
    /// What was said in it.
    pub transcript: &'a Transcript,
    /// Whether the entries have the keyboard: then the marked one shows it.
    pub focused: bool,
    /// Now: milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Whether what works turns.
    pub turning: bool,
}

/// The state of a tab that is shown.
#[derive(Debug, Default)]
pub struct View {
    _private: (),
}

/// What happens in it.
#[derive(Debug, Clone)]
pub enum Message {
    /// A button was pressed that does the same as a command.
    Pressed(Id),
}

/// What its owner is to do.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// Put this into the clipboard, and say so in a few words ("Code copied").
    Copy(String, &'static str),
    /// Ask whether to open this address, as for a link in a terminal.
    Open(String),
    /// Read older entries: those before this number.
    Older(u64),
    /// Give the keyboard to somebody.
    Keyboard(Keyboard),
    /// Write the whole conversation into a file of this kind.
    Export(Format),
    /// Go on with this.
    Run(Task<Message>),
}

/// Who may have the keyboard in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyboard {
    /// What is said next.
    Composer,
    /// The entries.
    Entries,
    /// The input with this id: the search bar's, or the filter's.
    Input(&'static str),
}

/// What a conversation is exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One HTML file that needs nothing else.
    Html,
    /// Markdown.
    Markdown,
}

impl View {
    /// A view that follows the end.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what came of an update of the transcript. [`Applied::Gap`] and [`Applied::Stale`] are the
    /// owner's to mend.
    pub fn heard(&mut self, _applied: Applied, _transcript: &Transcript) -> Action {
        Action::None
    }

    /// The transcript is another one: it was opened anew. What is unfolded and marked stays.
    pub fn replaced(&mut self, _transcript: &Transcript) -> Action {
        Action::None
    }

    /// Older entries were put before the others.
    pub fn prepended(&mut self, _transcript: &Transcript) -> Action {
        Action::None
    }

    /// Whether the search bar or the filter is open and has the keyboard: then chords are looked up in
    /// [`maestro_core::command::Context::Search`].
    #[must_use]
    pub fn is_finding(&self) -> bool {
        false
    }

    /// Whether something in sight changes with the time: then it is to be drawn once a second.
    #[must_use]
    pub fn is_ticking(&self, _transcript: &Transcript) -> bool {
        false
    }

    /// Shows an entry and marks it.
    pub fn go_to(&mut self, _entry: u64) {}

    /// Does a command; `None` when it is not one of a conversation's.
    pub fn command(&mut self, _id: Id, _transcript: &Transcript) -> Option<Action> {
        None
    }

    /// Takes in what happened in it.
    pub fn update(&mut self, message: Message, transcript: &Transcript) -> Action {
        match message {
            Message::Pressed(id) => self.command(id, transcript).unwrap_or(Action::None),
        }
    }

    /// The turns, as large as there is place.
    pub fn view<'a>(&'a self, _context: Context<'a>) -> Element<'a, Message> {
        Space::new().width(Length::Fill).height(Length::Fill).into()
    }
}
