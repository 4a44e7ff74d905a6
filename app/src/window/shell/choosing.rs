//! The palette's order and reasons, the theme that is looked at in it, and the chords it shows.

use std::path::PathBuf;

use iced::Task;
use maestro_core::agent::State;
use maestro_core::command::Place;
use maestro_core::keymap::Platform;
use maestro_core::settings::Value;
use maestro_engine::keymap as keymap_file;
use maestro_engine::settings as settings_file;
use maestro_ui::theme::{self, Tokens};

use super::{Message, Overlay, Shell};
use crate::window::model;
use crate::window::themes;
use crate::window::toast::{self, Kind as Matter};

impl Shell {
    /// Does what the row of the palette offers that is shown at this place.
    pub(super) fn palette_row(&mut self, number: u8) -> Task<Message> {
        let Some(Overlay::Palette(palette)) = &mut self.overlay else { return Task::none() };
        let action = palette.accept_shown(usize::from(number));
        self.palette_action(action)
    }

    /// What there is for commands to work on.
    pub(super) fn place(&self) -> Place {
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
        let Some(tokens) = marked.or_else(|| self.wished_theme()) else { return };
        if tokens != self.tokens {
            self.tokens = tokens;
            self.relook();
            self.tell_theme();
        }
    }

    /// What the user calls the theme that is wished for: what is set goes before what was chosen here.
    fn wished(&self) -> &str {
        self.settings.theme.as_deref().unwrap_or(&self.kept.theme)
    }

    /// Whether the theme follows the desktop.
    pub(super) fn follows_desktop(&self) -> bool {
        self.wished().eq_ignore_ascii_case(themes::SYSTEM)
    }

    /// The theme that is wished for, where there is one with its name.
    pub(super) fn wished_theme(&self) -> Option<&'static Tokens> {
        if !self.follows_desktop() {
            return self.themes.named(self.wished());
        }
        let dark = self.desktop_dark.unwrap_or(true);
        Some(self.theme_of_kind(dark))
    }

    /// The dark theme, or the light one.
    fn theme_of_kind(&self, dark: bool) -> &'static Tokens {
        let (name, usual): (_, &'static Tokens) = match dark {
            true => (&self.settings.dark_theme, &theme::NOCTURNE),
            false => (&self.settings.light_theme, &theme::MATINEE),
        };
        self.themes.named(name).unwrap_or(usual)
    }

    /// Shows the window in the theme of the other kind.
    pub(super) fn toggle_theme(&mut self) -> Task<Message> {
        self.choose_theme(self.theme_of_kind(!self.tokens.dark).name)
    }

    /// Shows the window in a theme from now on, or lets it follow the desktop. What the settings say is
    /// said anew there.
    pub(super) fn choose_theme(&mut self, name: &str) -> Task<Message> {
        name.clone_into(&mut self.kept.theme);
        if self.settings.theme.as_deref().is_none_or(|set| set == name) {
            return Task::none();
        }
        self.settings.theme = Some(name.to_owned());
        let setting = maestro_core::settings::find("appearance.theme");
        let (Some(setting), Some(path)) = (setting, self.settings_path.clone()) else {
            return Task::none();
        };
        let value = Value::Text(name.to_owned());
        let written = tokio::task::spawn_blocking(move || {
            let _ = settings_file::set(&path, setting, None, Some(&value))?;
            settings_file::read(&path)
        });
        Task::perform(written, |read| match read {
            Ok(read) => Message::SettingsRead(read),
            Err(error) => Message::Done(Err(error.to_string())),
        })
    }

    /// The folder of the user's own themes, where there is a home folder.
    pub(super) fn themes_folder(&self) -> Option<PathBuf> {
        Some(self.settings_path.as_ref()?.with_file_name(themes::FOLDER))
    }

    /// The files of themes were read; those that are wrong stay as they were.
    pub(super) fn themes_read(&mut self, files: Vec<themes::Read>) -> Task<Message> {
        let problems = self.themes.take(files);
        // A complaint about them is out of date.
        let _ = self.toasts.end_source(toast::Source::Themes);
        let Some(first) = problems.first() else { return Task::none() };
        let title = Some("A theme is not read".to_owned());
        let words = maestro_ui::part::sentence(&first.to_string());
        self.toast(toast::Source::Themes, Matter::Problem, title, words)
    }

    /// Says that the settings name a theme that is not there.
    pub(super) fn tell_unknown_theme(&mut self) -> Task<Message> {
        let unknown = |name: &&String| {
            self.themes.named(name).is_none() && !name.eq_ignore_ascii_case(themes::SYSTEM)
        };
        let Some(name) = self.settings.theme.as_ref().filter(unknown) else { return Task::none() };
        let name = maestro_core::text::clean(name, 40);
        let words = format!("There is no theme called {name}: the one of before stays.");
        self.toast(toast::Source::Themes, Matter::Attention, None, words)
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
                self.own_chords.clone_from(&content.own);
                if let Some(Overlay::Chords(page)) = &mut self.overlay {
                    page.heard(self.keymap.clone(), content.own.clone());
                }
                // A complaint about it is out of date.
                let _ = self.toasts.end_source(toast::Source::Keymap);
                let Some(first) = content.unknown.first() else { return Task::none() };
                let title = Some("A command is not known".to_owned());
                let words = maestro_ui::part::sentence(&first.to_string());
                self.toast(toast::Source::Keymap, Matter::Attention, title, words)
            }
            Err(problem) => {
                if let Some(Overlay::Chords(page)) = &mut self.overlay {
                    page.failed(problem.to_string());
                    return Task::none();
                }
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
