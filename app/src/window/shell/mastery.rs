//! What is counted of the user's keys: noted as commands are fired, kept by the host, shown on a page.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::Duration;

use iced::{Rectangle, Task, window};
use maestro_core::command::Id;
use maestro_core::mastery::{By, Level, Mastery, News};
use maestro_core::run::{Run, TaskState};
use maestro_protocol::message::Command;

use super::{Connection, Message, Overlay, Shell};
use crate::window::mastery as page;
use crate::window::toast::{self, Kind};

/// The key under which the host keeps what was counted.
const PREFERENCE: &str = "mastery";

/// What was counted is kept after so long: a chord more or less is no loss.
const REST: Duration = Duration::from_secs(5);

impl Shell {
    /// A command was fired in some way: counts it, and says what came of it.
    pub(super) fn played(&mut self, id: Id, by: By) -> Task<Message> {
        let day = crate::window::local::day(self.now_ms);
        let news = self.mastery.note(id, by, day, &self.keymap);
        // The chord that opened the page counts on it.
        if let Some(Overlay::Mastery(shown)) = &mut self.overlay {
            **shown = page::View::new(&self.mastery, &self.keymap, day);
        }
        let kept = Task::batch([self.keep_mastery(), self.tour_played(id, by)]);
        if !self.settings.teach {
            return kept;
        }
        let told: Vec<Task<Message>> = news.into_iter().map(|news| self.tell_news(news)).collect();
        Task::batch(told.into_iter().chain([kept]))
    }

    fn tell_news(&mut self, news: News) -> Task<Message> {
        let page = self.keymap.title(Id::MasteryOpen);
        let page = page.map(|chord| format!(" {chord} shows how it went.")).unwrap_or_default();
        let (kind, title, words) = match news {
            News::Teach(id) => {
                let title = id.command().title.trim_end_matches('…');
                let chord = self.keymap.title(id).unwrap_or_default();
                (Kind::Hint, None, format!("“{title}” is {chord}."))
            }
            News::Level(level) => {
                let words = match level {
                    Level::KeyboardMaestro => "Every chord there is.".to_owned(),
                    level => format!("{} % of all chords.", level.from_percent()),
                };
                (Kind::Note, Some(level.title().to_owned()), words + &page)
            }
            News::Achieved(one) => {
                (Kind::Note, Some(one.title.to_owned()), format!("{}.{page}", one.about))
            }
        };
        self.toast(toast::Source::Mastery, kind, title, words)
    }

    /// Sees to it that what was counted reaches the host.
    fn keep_mastery(&mut self) -> Task<Message> {
        if std::mem::replace(&mut self.keeping_mastery, true) {
            return Task::none();
        }
        Task::perform(async { tokio::time::sleep(REST).await }, |()| Message::MasteryDue)
    }

    pub(super) fn mastery_due(&mut self) {
        self.keeping_mastery = false;
        if self.connection == Connection::Up
            && let Some(command) = self.mastery_to_keep()
        {
            self.link.tell(command);
        }
    }

    /// What the host is to keep, if it has not got it yet.
    pub(super) fn mastery_to_keep(&mut self) -> Option<Command> {
        let text = serde_json::to_string(&self.mastery).ok()?;
        if self.kept_mastery.as_ref() == Some(&text) {
            return None;
        }
        self.kept_mastery = Some(text.clone());
        Some(Command::SetPreference { key: PREFERENCE.to_owned(), value: Some(text) })
    }

    /// Takes in what the host kept.
    pub(super) fn restore_mastery(&mut self, preferences: &[(String, String)]) {
        let kept = preferences.iter().find(|(key, _)| key == PREFERENCE);
        let Some((_, text)) = kept else { return };
        // What cannot be read is from another version, and stays with the host until something is counted.
        self.mastery = serde_json::from_str(text).unwrap_or_default();
        self.kept_mastery = Some(text.clone());
    }

    pub(super) fn open_mastery(&mut self) -> Task<Message> {
        for run in &self.model.runs {
            let _ = self.mastery.verified(run.id.0, verified(run));
        }
        let day = crate::window::local::day(self.now_ms);
        let page = page::View::new(&self.mastery, &self.keymap, day);
        self.overlay = Some(Overlay::Mastery(Box::new(page)));
        self.keep_mastery()
    }

    /// Writes the page as a picture.
    pub(super) fn export_mastery(&mut self) -> Task<Message> {
        if !matches!(self.overlay, Some(Overlay::Mastery(_))) {
            return Task::none();
        }
        let scale = self.scale();
        let (width, height) = (page::WIDTH, page::HEIGHT);
        let x = ((self.window.size.width - width) / 2.0).max(0.0);
        let region = Rectangle { x, y: self.overlay_top(), width, height } * scale;
        window::latest().and_then(window::screenshot).then(move |shot| {
            let written = tokio::task::spawn_blocking(move || write(&shot, region));
            Task::perform(written, |written| match written {
                Ok(written) => Message::Exported(written),
                Err(error) => Message::Exported(Err(error.to_string())),
            })
        })
    }

    /// A made-up window with something counted in it.
    pub(super) fn prepare_mastery(&mut self) {
        self.mastery = made_up(self);
        let _ = self.open_mastery();
    }
}

/// When a run worked on tasks whose check succeeded.
fn verified(run: &Run) -> Vec<(u64, u64)> {
    let tasks = run.tasks.iter().filter(|task| {
        let succeeded = task.verify.as_ref().is_some_and(|verify| verify.exit_code == Some(0));
        succeeded && task.state == TaskState::Done
    });
    tasks
        .filter_map(|task| Some((task.ended_ms?, task.duration_ms)))
        .map(|(ended, took)| (ended.saturating_sub(took), ended))
        .collect()
}

/// Writes a part of a picture into the user's folder of pictures, or the home directory.
fn write(shot: &window::Screenshot, region: Rectangle) -> Result<PathBuf, String> {
    let whole = Rectangle {
        x: 0.0,
        y: 0.0,
        width: shot.size.width as f32,
        height: shot.size.height as f32,
    };
    let region = region.intersection(&whole).ok_or("the page is not in the window")?;
    let region = Rectangle {
        x: region.x as u32,
        y: region.y as u32,
        width: region.width as u32,
        height: region.height as u32,
    };
    let shot = shot.crop(region).map_err(|error| error.to_string())?;
    let home = std::env::var_os("HOME").map(PathBuf::from).ok_or("there is no home directory")?;
    let pictures = home.join("Pictures");
    let folder = if pictures.is_dir() { pictures } else { home };
    let path = (1..1000)
        .map(|number| folder.join(format!("maestro-keys-{number}.png")))
        .find(|path| !path.exists())
        .ok_or("there are a thousand such pictures")?;
    let written = File::create_new(&path).map_err(|error| error.to_string()).and_then(|file| {
        let mut encoder =
            png::Encoder::new(BufWriter::new(file), shot.size.width, shot.size.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
        writer.write_image_data(&shot.rgba).map_err(|error| error.to_string())?;
        writer.finish().map_err(|error| error.to_string())
    });
    if written.is_err() {
        // Half a picture is none; the error that is told is the first one.
        let _ = fs::remove_file(&path);
    }
    written.map(|()| path)
}

/// Weeks of somebody who learns.
fn made_up(shell: &Shell) -> Mastery {
    let mut mastery = Mastery::default();
    let today = crate::window::local::day(shell.now_ms);
    let listed: Vec<Id> = maestro_core::command::ALL
        .iter()
        .filter(|it| it.listed && !shell.keymap.chords(it.id).is_empty())
        .map(|it| it.id)
        .collect();
    for back in (0..40_u64).rev().filter(|back| !matches!(back, 9 | 10 | 23)) {
        let known = (40 - back) as usize * listed.len() * 2 / 3 / 40;
        for (at, id) in listed.iter().take(known).enumerate() {
            if (at as u64 + back).is_multiple_of(3) {
                let _ = mastery.note(*id, By::Keyboard, today - back, &shell.keymap);
            }
        }
        for id in listed.iter().skip(known).take(4 + back as usize / 8) {
            let _ = mastery.note(*id, By::Mouse, today - back, &shell.keymap);
        }
    }
    let minute = 60_000;
    let _ = mastery.verified(u64::MAX, vec![(0, 5 * 60 * minute)]);
    mastery
}

#[cfg(test)]
mod tests {
    use iced::Size;
    use maestro_ui::font;
    use maestro_ui::theme::NOCTURNE;

    use super::*;

    #[test]
    fn the_chord_that_opens_the_page_counts_on_it() {
        font::load();
        let size = Size::new(1440.0, 900.0);
        let mut shell = Shell::scene("grid", size, 1.0, &NOCTURNE).expect("a scene");
        let known = |shell: &Shell| match &shell.overlay {
            Some(Overlay::Mastery(page)) => Some(page.known()),
            _ => None,
        };
        let _ = shell.open_mastery();
        assert_eq!(known(&shell), Some(0));
        let _ = shell.played(Id::MasteryOpen, By::Keyboard);
        assert_eq!(known(&shell), Some(1));
    }
}
