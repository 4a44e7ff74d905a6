//! What the window costs its thread, without a window: everything between a key and the frame that is
//! handed to the renderer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use iced::advanced::renderer::{Headless as _, Style};
use iced::advanced::{clipboard, widget};
use iced::keyboard::{self, Key, Location, Modifiers, key};
use iced::{Event, Size, mouse, window};
use iced_runtime::UserInterface;
use iced_runtime::user_interface::Cache;
use maestro_core::command::Id;
use maestro_ui::font;
use maestro_ui::theme::{NOCTURNE, type_scale};

use super::palette;
use super::shell::{Message, Shell};

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Agents in the window.
    pub agents: u32,
    /// What the palette lists, and the session browser.
    pub entries: usize,
    /// How often each.
    pub steps: usize,
}

/// How long each of several things took, by its name.
pub type Report = BTreeMap<&'static str, Vec<Duration>>;

const SIZE: Size = Size::new(1440.0, 900.0);

/// What is typed into the palette: letters that find thousands, some, and nothing.
const WORDS: [&str; 5] = ["src", "part/view", "m12 rs", "crate store 7", "qzqx"];

/// A renderer that draws into memory.
pub fn renderer() -> Option<iced::Renderer> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    let renderer = iced::Renderer::new(font::REGULAR, type_scale::BASE.0.into(), Some("tiny-skia"));
    runtime.block_on(renderer)
}

/// What something costs this thread in processor time: what others do on the machine meanwhile is not
/// counted.
pub fn timed(work: impl FnOnce()) -> Duration {
    let begin = processor_time();
    work();
    processor_time().saturating_sub(begin)
}

#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(not(unix))]
fn processor_time() -> Duration {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed()
}

/// A whole window.
struct Stage {
    shell: Shell,
    cache: Cache,
    renderer: iced::Renderer,
}

impl Stage {
    fn new(shell: Shell) -> Option<Self> {
        let mut stage = Self { shell, cache: Cache::default(), renderer: renderer()? };
        stage.frame(&[]);
        Some(stage)
    }

    /// The window meets events, takes in what they mean, and is drawn.
    fn frame(&mut self, events: &[Event]) {
        let cursor = mouse::Cursor::Unavailable;
        let mut clipboard = clipboard::Null;
        let mut messages: Vec<Message> = Vec::new();
        if !events.is_empty() {
            let cache = std::mem::take(&mut self.cache);
            let mut ui = UserInterface::build(self.shell.screen(), SIZE, cache, &mut self.renderer);
            let _ = ui.update(events, cursor, &mut self.renderer, &mut clipboard, &mut messages);
            self.cache = ui.into_cache();
        }
        for message in messages.drain(..) {
            let _ = self.shell.update(message);
        }
        let cache = std::mem::take(&mut self.cache);
        let mut ui = UserInterface::build(self.shell.screen(), SIZE, cache, &mut self.renderer);
        let redraw = Event::Window(window::Event::RedrawRequested(Instant::now()));
        let _ = ui.update(&[redraw], cursor, &mut self.renderer, &mut clipboard, &mut messages);
        let style = Style { text_color: NOCTURNE.text };
        ui.draw(&mut self.renderer, &NOCTURNE.iced(), &style, cursor);
        self.cache = ui.into_cache();
    }

    /// Gives a widget the keyboard, as the runtime does when it is told to.
    fn focus(&mut self, id: &'static str) {
        let cache = std::mem::take(&mut self.cache);
        let mut ui = UserInterface::build(self.shell.screen(), SIZE, cache, &mut self.renderer);
        let mut focus = widget::operation::focusable::focus::<()>(widget::Id::new(id));
        ui.operate(&self.renderer, &mut focus);
        self.cache = ui.into_cache();
    }

    fn presses(&mut self, key: Key) -> Duration {
        let text = match &key {
            Key::Character(text) => Some(text.clone()),
            Key::Named(key::Named::Space) => Some(" ".into()),
            _ => None,
        };
        let event = Event::Keyboard(keyboard::Event::KeyPressed {
            modified_key: key.clone(),
            physical_key: key::Physical::Unidentified(key::NativeCode::Unidentified),
            location: Location::Standard,
            modifiers: Modifiers::empty(),
            text,
            repeat: false,
            key,
        });
        timed(|| self.frame(&[event]))
    }

    fn down(&mut self, steps: usize) -> Vec<Duration> {
        (0..steps).map(|_| self.presses(Key::Named(key::Named::ArrowDown))).collect()
    }
}

/// Measures; `None` where nothing can be drawn.
#[must_use]
pub fn measure(options: Options) -> Option<Report> {
    font::load();
    let mut report = Report::new();
    let fleet = || Shell::fleet(options.agents.into(), SIZE, &NOCTURNE);

    let mut stage = Stage::new(fleet())?;
    let views = (0..options.steps).map(|_| timed(|| stage.frame(&[]))).collect();
    let _ = report.insert("view", views);
    let next = (0..options.steps).map(|_| {
        timed(|| {
            let _ = stage.shell.update(Message::Command(Id::FocusNext));
            stage.frame(&[]);
        })
    });
    let _ = report.insert("agents", next.collect());

    let mut stage = Stage::new(fleet())?;
    stage.shell.list_files(options.entries);
    stage.focus(palette::INPUT);
    let mut typed = Vec::with_capacity(options.steps);
    for word in WORDS.iter().cycle() {
        if typed.len() >= options.steps {
            break;
        }
        let letters = word.chars().map(|letter| match letter {
            ' ' => Key::Named(key::Named::Space),
            letter => Key::Character(letter.to_string().into()),
        });
        let back = std::iter::repeat_n(Key::Named(key::Named::Backspace), word.chars().count());
        for key in letters.chain(back) {
            typed.push(stage.presses(key));
        }
    }
    let _ = report.insert("palette", typed);
    let _ = report.insert("palette_rows", stage.down(options.steps));

    let mut stage = Stage::new(fleet())?;
    stage.shell.list_sessions(options.entries);
    let _ = report.insert("sessions", stage.down(options.steps));
    Some(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pressed_arrives() {
        font::load();
        let shell = Shell::fleet(30, SIZE, &NOCTURNE);
        let mut stage = Stage::new(shell).expect("a renderer");
        stage.shell.list_files(300);
        stage.focus(palette::INPUT);
        for letter in ["p", "a"] {
            let _ = stage.presses(Key::Character(letter.into()));
        }
        let _ = stage.down(2);
        assert_eq!(stage.shell.palette_for_tests(), Some(("pa".to_owned(), 2)));

        stage.shell.list_sessions(300);
        stage.frame(&[]);
        let _ = stage.down(3);
        assert_eq!(stage.shell.marked_session_for_tests(), Some(3));
    }
}
