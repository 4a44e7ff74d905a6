//! The palette's order and reasons, the theme that is looked at in it, and the chords it shows.

use std::path::PathBuf;

use iced::Task;
use maestro_core::agent::State;
use maestro_core::command::Place;
use maestro_core::keymap::Platform;
use maestro_engine::keymap as keymap_file;
use maestro_ui::theme;

use super::{Message, Overlay, Shell};
use crate::window::model;
use crate::window::palette::{About, Kind, Palette};
use crate::window::toast::{self, Kind as Matter};

impl Shell {
    pub(super) fn open_palette(&mut self, kind: Kind) {
        let about = About {
            place: self.place(),
            recent: &self.kept.recent,
            now_ms: self.now_ms,
            keymap: &self.keymap,
        };
        let palette = Palette::new(kind, &self.model.agents, &self.model.tabs, about);
        self.overlay = Some(Overlay::Palette(palette.at_theme(self.tokens)));
    }

    /// Does what the row of the palette offers that is shown at this place.
    pub(super) fn palette_row(&mut self, number: u8) -> Task<Message> {
        let Some(Overlay::Palette(palette)) = &mut self.overlay else { return Task::none() };
        let action = palette.accept_shown(usize::from(number));
        self.palette_action(action)
    }

    /// What there is for commands to work on.
    fn place(&self) -> Place {
        let waits = |state| state == State::NeedsYou;
        Place {
            agent: self.chosen_agent().is_some(),
            pane: self.focused().is_some(),
            terminal: self.focused_terminal().is_some(),
            conversation: self.focused_tab().is_some(),
            waiting: self.model.agents.iter().any(|agent| waits(agent.attention.state)),
            run: self.model.runs.iter().any(model::is_active),
            clipboard: !self.wanted.is_empty(),
        }
    }

    /// The theme that is marked in the palette is looked at; without it the chosen one holds again.
    pub(super) fn settle_theme(&mut self) {
        let marked = match &self.overlay {
            Some(Overlay::Palette(palette)) => palette.preview(),
            _ => None,
        };
        let chosen = theme::named(&self.kept.theme);
        let Some(tokens) = marked.or(chosen) else { return };
        if tokens.name != self.tokens.name {
            self.tokens = tokens;
            self.relook();
            self.tell_theme();
        }
    }

    /// The keymap file, where there is a home folder.
    pub(super) fn keymap_path(&self) -> Option<PathBuf> {
        Some(self.settings_path.as_ref()?.with_file_name(keymap_file::FILE))
    }

    /// The keymap file was read, or is wrong: then the chords that held before hold on.
    pub(super) fn keymap_read(
        &mut self,
        read: Result<keymap_file::Content, keymap_file::Problem>,
    ) -> Task<Message> {
        match read {
            Ok(content) => {
                self.keymap = content.keymap(Platform::HERE);
                // A complaint about it is out of date.
                let _ = self.toasts.end_source(toast::Source::Keymap);
                let Some(first) = content.unknown.first() else { return Task::none() };
                let title = Some("A command is not known".to_owned());
                let words = maestro_ui::part::sentence(&first.to_string());
                self.toast(toast::Source::Keymap, Matter::Attention, title, words)
            }
            Err(problem) => {
                let title = Some("The keymap is not read".to_owned());
                let words = format!(
                    "{} The chords of before hold on.",
                    maestro_ui::part::sentence(&problem.to_string())
                );
                self.toast(toast::Source::Keymap, Matter::Problem, title, words)
            }
        }
    }
}
