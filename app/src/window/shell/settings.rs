//! What the user has set, as the window reads and writes it.

use std::io;
use std::path::PathBuf;

use iced::Task;
use maestro_core::command::Id;
use maestro_core::settings::{Settings, Value};
use maestro_engine::settings;

use super::terminal::open;
use super::{Message, Overlay, Shell};
use crate::window::settings as page;
use crate::window::target;
use crate::window::toast::{self, Kind};

impl Shell {
    pub(super) fn open_settings_page(&mut self) -> Task<Message> {
        let agent = self.chosen_agent().map(|agent| (agent.id, agent.name.clone()));
        let page = page::View::new(self.values.clone(), agent);
        self.overlay = Some(Overlay::Settings(Box::new(page)));
        // What is wrong with the file is said here, where it is in the way.
        let Some(path) = self.settings_path.clone() else { return Task::none() };
        let read = tokio::task::spawn_blocking(move || settings::read(&path));
        Task::perform(read, |read| read.map_or(Message::Done(Ok(())), Message::SettingsRead))
    }

    pub(super) fn settings_command(&mut self, id: Id) -> Task<Message> {
        self.settings_page(|page| page.command(id))
    }

    pub(super) fn settings_page(
        &mut self,
        change: impl FnOnce(&mut page::View) -> page::Action,
    ) -> Task<Message> {
        let Some(Overlay::Settings(page)) = &mut self.overlay else { return Task::none() };
        match change(page) {
            page::Action::None => Task::none(),
            page::Action::Close => {
                self.overlay = None;
                Task::none()
            }
            page::Action::Open => {
                self.overlay = None;
                self.open_settings()
            }
            page::Action::Write(agent, changes) => {
                let Some(path) = self.settings_path.clone() else {
                    // A made-up window has no file.
                    for (setting, value) in changes {
                        self.values.replace(setting, agent, value);
                    }
                    let values = self.values.clone();
                    return self
                        .settings_read(Ok(settings::Content { values, unknown: Vec::new() }));
                };
                let written = tokio::task::spawn_blocking(move || {
                    for (setting, value) in changes {
                        let value: Option<&Value> = value.as_ref();
                        let _ = settings::set(&path, setting, agent, value)?;
                    }
                    settings::read(&path)
                });
                Task::perform(written, |read| match read {
                    Ok(read) => Message::SettingsRead(read),
                    Err(error) => Message::Done(Err(error.to_string())),
                })
            }
        }
    }

    /// The page of a made-up window, in which something is set; or a value is being written.
    pub(super) fn prepare_settings(&mut self, found: bool) {
        for (key, text) in
            [("terminal.scrollback", "50000"), ("links.editor", "code --goto {file}:{line}")]
        {
            let setting = maestro_core::settings::find(key);
            if let Some((setting, Ok(value))) = setting.map(|it| (it, it.parse(text))) {
                self.values.set(setting, None, value);
            }
        }
        let _ = self.open_settings_page();
        if found {
            let _ = self.settings_page(|page| page.update(page::Message::Queried("rows".into())));
            let _ = self.settings_command(Id::OverlayAccept);
            let _ = self.settings_page(|page| page.update(page::Message::Written("many".into())));
        }
    }

    pub(super) fn open_settings(&self) -> Task<Message> {
        let Some(path) = self.settings_path.clone() else { return Task::none() };
        self.open_own_file(move || settings::create(&path).map(|()| path))
    }

    /// Opens a file of the user's own in the editor, once it is there.
    pub(super) fn open_own_file(
        &self,
        create: impl FnOnce() -> io::Result<PathBuf> + Send + 'static,
    ) -> Task<Message> {
        let editor = self.settings.editor.clone();
        let made = async move { tokio::task::spawn_blocking(create).await };
        Task::perform(made, move |made| {
            let path = made.map_err(|error| error.to_string());
            let path = path.and_then(|made| made.map_err(|error| error.to_string()))?;
            let file = target::File { path, line: None, column: None, is: target::Is::Document };
            Ok(match &editor {
                Some(template) => target::editor(template, &file),
                None => target::desktop(&file.path.to_string_lossy()),
            })
        })
        .then(|command: Result<Vec<String>, String>| match command {
            Ok(command) => open(command),
            Err(why) => Task::done(Message::Done(Err(why))),
        })
    }

    /// The settings file was read, or is wrong: then what held before holds on.
    pub(super) fn settings_read(
        &mut self,
        read: Result<settings::Content, settings::Problem>,
    ) -> Task<Message> {
        match read {
            Ok(content) => {
                if let Some(Overlay::Settings(page)) = &mut self.overlay {
                    page.heard(content.values.clone());
                }
                let settings = Settings::of(&content.values, None);
                self.values = content.values;
                let changed = settings != self.settings;
                let grown = settings.scale / self.settings.scale;
                self.settings = settings;
                if changed {
                    self.relook();
                }
                if (grown - 1.0).abs() > f32::EPSILON {
                    // The window keeps its place on the screen: there is more room inside, or less.
                    self.window.size = self.window.size * (1.0 / grown);
                    self.kept.measured(self.window.size, self.kept.fills());
                }
                // A complaint about it is out of date.
                let _ = self.toasts.end_source(toast::Source::Settings);
                let theme = if changed { self.tell_unknown_theme() } else { Task::none() };
                let Some(first) = content.unknown.first() else { return theme };
                let title = Some("A setting is not known".to_owned());
                let more = match content.unknown.len() {
                    1 => String::new(),
                    many => format!(" And {} more.", many - 1),
                };
                let words = format!("{}{more}", maestro_ui::part::sentence(&first.to_string()));
                Task::batch([
                    theme,
                    self.toast(toast::Source::Settings, Kind::Attention, title, words),
                ])
            }
            Err(problem) => {
                if let Some(Overlay::Settings(page)) = &mut self.overlay {
                    page.failed(problem.to_string());
                    return Task::none();
                }
                let title = Some("Settings are not read".to_owned());
                let words = format!(
                    "{} What held before holds on.",
                    maestro_ui::part::sentence(&problem.to_string())
                );
                self.toast(toast::Source::Settings, Kind::Problem, title, words)
            }
        }
    }
}
