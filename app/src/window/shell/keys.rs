//! What a key means to the window, before any widget sees it.

use iced::keyboard;
use maestro_core::command::{Context, Id};
use maestro_core::input::{Code, Mods};

use super::{Connection, Message, Shell};

impl Shell {
    pub(super) fn context(&self) -> Context {
        if self.overlay.is_some() {
            Context::Overlay
        } else if self.marked.is_some() {
            Context::Agents
        } else if self.focused_terminal().is_some() && self.connection != Connection::Stopped {
            Context::Terminal
        } else {
            Context::Main
        }
    }

    /// What a key means to the window, before any widget sees it.
    pub(super) fn key(&self, event: &keyboard::Event) -> Option<Message> {
        let key = maestro_grid::translate(event)?;
        if let Some(id) = self.keymap.lookup(self.context(), &key) {
            return Some(Message::Command(id));
        }
        let plain = |code| {
            key.code == code
                && key.mods == Mods::default()
                && key.action == maestro_core::input::Action::Press
        };
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
