//! Two chords one after the other, help, and the page on which commands get other chords.

use std::path::Path;
use std::time::Duration;

use iced::widget::{column, container, row};
use iced::{Alignment, Element, Length, Padding, Task, clipboard};
use maestro_core::command::{Context, Id};
use maestro_core::input::{Action, Code, Key, Mods};
use maestro_core::keymap::{Platform, Pressed, Step};
use maestro_core::mastery::By;
use maestro_engine::keymap as keymap_file;
use maestro_ui::keys::Press;
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::{Message, Overlay, Shell};
use crate::window::chords::{self, Purpose};
use crate::window::toast::{self, Kind};

/// After so long it is shown what can follow the first of two chords: who knows it is quicker.
const HINT: Duration = Duration::from_millis(500);

/// After so long the first of two chords is forgotten.
const PATIENCE: Duration = Duration::from_secs(6);

/// Rows of what can follow in one column.
const ROWS: usize = 8;

/// The first of two chords was pressed.
#[derive(Debug, Clone)]
pub(super) struct Prefix {
    first: Pressed,
    /// Where the keyboard was.
    context: Context,
    /// Tells it from those before.
    number: u64,
    /// Whether it is shown what can follow.
    shown: bool,
}

impl Shell {
    /// What a key does behind the first of two chords.
    pub(super) fn followed(&self, prefix: &Prefix, key: &Key) -> Press<Message> {
        if key.action != Action::Press {
            return Press::Dropped;
        }
        if key.code == Code::Escape && key.mods == Mods::default() {
            return Press::Taken(Message::PrefixOver(prefix.number));
        }
        let id = match self.keymap.press(prefix.context, Some(prefix.first), key) {
            Some(Step::Run(id)) => Some(id),
            Some(Step::Wait(_)) | None => None,
        };
        Press::Taken(Message::Followed(id))
    }

    /// The first of two chords was pressed.
    pub(super) fn prefixed(&mut self, first: Pressed) -> Task<Message> {
        self.prefixes += 1;
        let number = self.prefixes;
        self.prefix = Some(Prefix { first, context: self.context(), number, shown: false });
        let after = |time, message: Message| {
            Task::perform(async move { tokio::time::sleep(time).await }, move |()| message)
        };
        Task::batch([
            after(HINT, Message::PrefixDue(number)),
            after(PATIENCE, Message::PrefixOver(number)),
        ])
    }

    /// What can follow is to be shown, if nothing has followed yet.
    pub(super) fn show_prefix(&mut self, number: u64) {
        if let Some(prefix) = self.prefix.as_mut().filter(|prefix| prefix.number == number) {
            prefix.shown = true;
        }
    }

    /// The first of two chords is forgotten.
    pub(super) fn end_prefix(&mut self, number: u64) {
        if self.prefix.as_ref().is_some_and(|prefix| prefix.number == number) {
            self.prefix = None;
        }
    }

    /// Another key was pressed behind the first of two chords.
    pub(super) fn run_followed(&mut self, id: Option<Id>) -> Task<Message> {
        let Some(prefix) = self.prefix.take() else { return Task::none() };
        if let Some(id) = id {
            let done = self.command(id);
            return Task::batch([done, self.played(id, By::Keyboard)]);
        }
        let first = title(prefix.first);
        let after = self.keymap.after(prefix.context, prefix.first);
        let after: Vec<String> = after.into_iter().take(3 * ROWS).map(|(chord, _)| chord).collect();
        let words = format!("Nothing has that key behind {first}. There are {}.", after.join(", "));
        self.toast(toast::Source::Window, Kind::Hint, None, words)
    }

    /// What can follow the first of two chords.
    pub(super) fn prefix_hint(&self) -> Option<Element<'_, Message>> {
        let prefix = self.prefix.as_ref().filter(|prefix| prefix.shown)?;
        let tokens = self.tokens;
        let after = self.keymap.after(prefix.context, prefix.first);
        let columns = after.chunks(ROWS).map(|chunk| {
            let rows = chunk.iter().map(|(chord, id)| following(tokens, chord, *id));
            column(rows).spacing(space::XS).into()
        });
        let first = part::chord(tokens, &title(prefix.first));
        let words = "and then · Esc for nothing";
        let heading = row![first, line(words, type_scale::SMALL, font::REGULAR, tokens.faint)]
            .spacing(space::S)
            .align_y(Alignment::Center);
        let panel = column![heading, row(columns).spacing(space::XL)].spacing(space::M);
        let panel = container(panel)
            .padding(space::L)
            .style(move |_| style::floating(tokens, radius::CARD));
        Some(
            container(panel)
                .center_x(Length::Fill)
                .align_bottom(Length::Fill)
                .padding(Padding::new(space::L).bottom(extent::STATUS_BAR + space::L))
                .into(),
        )
    }

    /// Opens help, or the page on which commands get other chords.
    pub(super) fn open_chords(&mut self, purpose: Purpose) {
        let here = (self.context(), self.place());
        let (keymap, own) = (self.keymap.clone(), self.own_chords.clone());
        let page = chords::View::new(purpose, keymap, own, here);
        self.overlay = Some(Overlay::Chords(Box::new(page)));
    }

    pub(super) fn chords_page(
        &mut self,
        change: impl FnOnce(&mut chords::View) -> chords::Action,
    ) -> Task<Message> {
        let Some(Overlay::Chords(page)) = &mut self.overlay else { return Task::none() };
        match change(page) {
            chords::Action::None => Task::none(),
            chords::Action::Close => {
                self.overlay = None;
                Task::none()
            }
            chords::Action::Run(id) => {
                self.overlay = None;
                let done = self.command(id);
                Task::batch([done, self.played(id, By::Palette)])
            }
            chords::Action::Write(changes) => self.write_chords(changes),
            chords::Action::Export => {
                let text = keymap_file::own_text(&self.own_chords);
                let words = match self.own_chords.len() {
                    0 => "There are no chords of your own: nothing was copied.".to_owned(),
                    _ => "Your own chords are in the clipboard, as a file.".to_owned(),
                };
                let told = self.toast(toast::Source::Window, Kind::Note, None, words);
                let copied = (!text.is_empty()).then(|| clipboard::write(text));
                Task::batch(copied.into_iter().chain([told]))
            }
            chords::Action::Import => clipboard::read().map(Message::ChordsPasted),
            chords::Action::Open => {
                self.overlay = None;
                let Some(path) = self.keymap_path() else { return Task::none() };
                let made = move || keymap_file::create(&path, Platform::HERE).map(|()| path);
                self.open_own_file(made)
            }
        }
    }

    /// Takes over the chords that a text has.
    pub(super) fn import_chords(&mut self, text: Option<String>) -> Task<Message> {
        let Some(Overlay::Chords(page)) = &mut self.overlay else { return Task::none() };
        let text = text.unwrap_or_default();
        let own = match keymap_file::parse(Path::new("the clipboard"), &text, Platform::HERE) {
            Ok(content) if content.own.is_empty() => {
                page.failed(
                    "the clipboard has no chords: copy the text of a keymap.toml".to_owned(),
                );
                return Task::none();
            }
            Ok(content) => content.own,
            Err(problem) => {
                page.failed(problem.to_string());
                return Task::none();
            }
        };
        self.write_chords(own.into_iter().map(|(id, chords)| (id, Some(chords))).collect())
    }

    /// A made-up window about chords.
    pub(super) fn prepare_chords(&mut self, name: &str) {
        let key = |mods: Mods, code: Code| Key {
            code,
            mods,
            text: String::new(),
            action: Action::Press,
            base: None,
            shifted: None,
            keypad: false,
        };
        let (alt, control) = (true, true);
        let held = Mods { alt, control, ..Mods::default() };
        match name {
            "prefix" => {
                let first = key(held, Code::Char('x'));
                if let Some(Step::Wait(first)) = self.keymap.press(self.context(), None, &first) {
                    let _ = self.prefixed(first);
                    self.show_prefix(self.prefixes);
                }
            }
            "help" | "help-found" => {
                self.open_chords(Purpose::Help);
                if name == "help-found" {
                    let words = chords::Message::Queried("ctrl+alt+".to_owned());
                    let _ = self.chords_page(|page| page.update(words));
                }
            }
            _ => {
                let own = vec![(Id::AgentRename, vec!["Mod+F2".parse(), "Alt+Mod+X R".parse()])];
                let own = own
                    .into_iter()
                    .map(|(id, chords)| (id, chords.into_iter().flatten().collect()));
                let own: chords::Own = own.collect();
                let _ = self.keymap_read(Ok(keymap_file::Content { own, ..Default::default() }));
                self.open_chords(Purpose::Edit);
                let _ = self.chords_page(|page| page.command(Id::OverlayDown));
                if name == "chords-taken" {
                    let _ = self.chords_page(|page| page.command(Id::OverlayAccept));
                    for key in [key(held, Code::Char('k')), key(Mods::default(), Code::Enter)] {
                        let pressed = chords::Message::Pressed(Box::new(key));
                        let _ = self.chords_page(|page| page.update(pressed));
                    }
                }
            }
        }
    }

    fn write_chords(&mut self, changes: Vec<chords::Change>) -> Task<Message> {
        let Some(path) = self.keymap_path() else {
            // A made-up window has no file.
            let mut own = self.own_chords.clone();
            for (id, chords) in changes {
                own.retain(|(other, _)| *other != id);
                own.extend(chords.map(|chords| (id, chords)));
            }
            return self.keymap_read(Ok(keymap_file::Content { own, ..Default::default() }));
        };
        let written = tokio::task::spawn_blocking(move || {
            for (id, chords) in changes {
                keymap_file::set(&path, id, chords.as_deref(), Platform::HERE)?;
            }
            keymap_file::read(&path, Platform::HERE)
        });
        Task::perform(written, |read| match read {
            Ok(read) => Message::KeymapRead(read),
            Err(error) => Message::Done(Err(error.to_string())),
        })
    }
}

fn title((mods, code): Pressed) -> String {
    maestro_core::keymap::Chord { primary: false, mods, code }.title(Platform::HERE)
}

fn following<'a>(tokens: &'static Tokens, chord: &str, id: Id) -> Element<'a, Message> {
    let words = id.command().title.trim_end_matches('…');
    let words = line(words, type_scale::BASE, font::REGULAR, tokens.text);
    row![container(part::chord(tokens, chord)).width(72.0), words]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .into()
}
