//! What is typed into one pane and heard by several.

use iced::Task;
use maestro_core::TerminalId;
use maestro_core::command::Id;
use maestro_core::input::Input;

use super::{Message, Shell};
use crate::window::panes::{self, Pane};

impl Shell {
    pub(super) fn broadcast_command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::BroadcastPane => {
                let Some(pane) = self.focused() else { return Task::none() };
                if self.terminal_in(pane).is_none() {
                    return self.said("Only a terminal can hear what is typed.".to_owned());
                }
                if !self.broadcast.remove(&pane) {
                    let _ = self.broadcast.insert(pane);
                }
            }
            Id::BroadcastAll => {
                let shown = self.visible_panes().into_iter().map(|(pane, _)| pane);
                self.broadcast = shown.filter(|pane| self.terminal_in(*pane).is_some()).collect();
            }
            _ => self.broadcast.clear(),
        }
        let words = match self.broadcast.len() {
            0 => "What you type goes to one pane again.".to_owned(),
            1 => {
                let chord = self.keymap.title(Id::BroadcastPane).unwrap_or_default();
                format!("One pane is chosen: {chord} in another one lets both hear you.")
            }
            count => format!("What you type into one of them goes to {count} panes."),
        };
        self.said(words)
    }

    fn terminal_in(&self, pane: Pane) -> Option<TerminalId> {
        panes::terminal_of(&self.model, pane, self.side(pane))
    }

    /// The terminals that hear what is typed into the pane with the keyboard, itself among them, where there
    /// are several. Only what is on the screen, under its mark, hears anything.
    pub(super) fn hearing(&self) -> Vec<TerminalId> {
        let focused = self.focused().filter(|pane| self.broadcast.contains(pane));
        if focused.is_none_or(|pane| self.terminal_in(pane).is_none()) {
            return Vec::new();
        }
        let shown = self.visible_panes().into_iter().map(|(pane, _)| pane);
        let hearing = shown.filter(|pane| self.broadcast.contains(pane));
        let hearing: Vec<TerminalId> = hearing.filter_map(|pane| self.terminal_in(pane)).collect();
        if hearing.len() > 1 { hearing } else { Vec::new() }
    }

    /// Those that hear what goes to a terminal: it alone, unless it has the keyboard in a broadcast.
    pub(super) fn hearers(&self, terminal: TerminalId) -> Vec<TerminalId> {
        let hearing = self.hearing();
        let spoken = self.focused_terminal() == Some(terminal) && hearing.contains(&terminal);
        if spoken { hearing } else { vec![terminal] }
    }

    /// Pastes a text into a terminal and into those that hear what goes to it.
    pub(super) fn paste_into(&self, terminal: TerminalId, text: &str) {
        for hearer in self.hearers(terminal) {
            self.link.input(hearer, Input::Paste(text.to_owned()));
        }
    }

    /// What is gone, or shows no terminal any more, hears nothing.
    pub(super) fn settle_broadcast(&mut self) {
        let gone: Vec<Pane> = self
            .broadcast
            .iter()
            .copied()
            .filter(|pane| self.terminal_in(*pane).is_none())
            .collect();
        for pane in gone {
            let _ = self.broadcast.remove(&pane);
        }
        let hearing = self.hearing();
        if *hearing != *self.hearing {
            self.hearing = hearing.into();
        }
    }
}
