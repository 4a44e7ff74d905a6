//! What a key means to the window, before any widget sees it.

use iced::keyboard;
use maestro_core::command::{Context, Id};
use maestro_core::input::{Action, Code, Key, Mods};
use maestro_ui::keys::Press;

use super::{Connection, Message, Shell};
use crate::window::find::Find;

impl Shell {
    pub(super) fn context(&self) -> Context {
        if self.overlay.is_some() {
            Context::Overlay
        } else if self.marked.is_some() {
            Context::Agents
        } else if self.hints.is_some() {
            Context::Hints
        } else if self.is_finding() {
            Context::Search
        } else if self.in_vi() && self.connection != Connection::Stopped {
            Context::Vi
        } else if self.focused_terminal().is_some() && self.connection != Connection::Stopped {
            Context::Terminal
        } else {
            Context::Main
        }
    }

    /// What a key means to the window, before any widget sees it.
    pub(super) fn key(&self, event: &keyboard::Event) -> Press<Message> {
        let opening = self.find.as_ref().is_some_and(Find::is_opening) && self.is_finding();
        if self.reading || opening {
            return Press::Later;
        }
        let Some(key) = maestro_grid::translate(event) else { return Press::Left };
        let context = self.context();
        if let Some(id) = self.keymap.lookup(context, &key) {
            return Press::Taken(Message::Command(id));
        }
        match context {
            Context::Hints => label(&key),
            // Here every key has a meaning or none: the program under it is not typed into.
            Context::Vi if key.action != Action::Release => Press::Dropped,
            _ => self.offered(&key).into(),
        }
    }

    /// Whether what an input method makes of keys would land in a program that is not typed into.
    pub(super) fn is_deaf(&self) -> bool {
        matches!(self.context(), Context::Hints | Context::Vi)
    }

    /// What the one thing that a window or a pane offers makes of a key.
    fn offered(&self, key: &Key) -> Option<Message> {
        let plain =
            |code| key.code == code && key.mods == Mods::default() && key.action == Action::Press;
        if self.context() == Context::Main && self.kept.maximised && plain(Code::Escape) {
            return Some(Message::Command(Id::PaneMaximise));
        }
        // A window or a pane that offers one thing has its button under Enter.
        let enter = plain(Code::Enter);
        if !enter || self.context() != Context::Main {
            return None;
        }
        match self.connection {
            Connection::Stopped => Some(Message::HostWanted),
            _ if self.model.agents.is_empty() => Some(Message::Command(Id::AgentNew)),
            _ => self.focused_agent().map(|_| Message::Command(Id::AgentResume)),
        }
    }
}

/// What a key means while links have labels: a letter, or nothing.
fn label(key: &Key) -> Press<Message> {
    if key.action == Action::Release {
        return Press::Left;
    }
    let latin = |c: char| c.is_ascii_alphabetic();
    let letter = match key.code {
        Code::Char(c) if latin(c) => Some(c),
        _ => key.base.filter(|c| latin(*c)),
    };
    match letter {
        Some(letter) if !key.mods.control && !key.mods.logo => {
            Press::Taken(Message::HintTyped(letter, key.mods))
        }
        _ => Press::Dropped,
    }
}
