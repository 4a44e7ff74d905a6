//! What a long answer and a long conversation cost the window's thread, without a window: everything
//! between an update's arrival and the frame being handed to the renderer.

use std::time::{Duration, Instant};

use iced::advanced::clipboard;
use iced::advanced::renderer::Style;
use iced::{Event, Point, Size, mouse, window};
use iced_runtime::UserInterface;
use iced_runtime::user_interface::Cache;
use maestro_core::conversation::{Body, Entry, Tab, TabState, Transcript, Update};
use maestro_core::keymap::{Keymap, Platform};
use maestro_ui::font;
use maestro_ui::theme::NOCTURNE;

use super::{Context, Message, View, scene};
use crate::window::bench::{renderer, timed};

/// Bytes that come at once: what a quick model writes in a thirtieth of a second.
const DELTA: usize = 96;

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Lines of the answer.
    pub lines: usize,
    /// Turns of the conversation.
    pub turns: usize,
    /// Steps of scrolling.
    pub steps: usize,
}

/// What it cost.
#[derive(Debug)]
pub struct Report {
    /// Each piece of the answer.
    pub updates: Vec<Duration>,
    /// Each turn of the wheel.
    pub scrolls: Vec<Duration>,
    /// Each jump to another place.
    pub jumps: Vec<Duration>,
    /// Opening the conversation.
    pub opened: Duration,
    /// Its entries.
    pub entries: usize,
}

/// The part of a window that shows a conversation.
struct Stage {
    view: View,
    transcript: Transcript,
    tab: Tab,
    keymap: Keymap,
    cache: Cache,
    renderer: iced::Renderer,
}

const SIZE: Size = Size::new(1000.0, 860.0);

impl Stage {
    fn new(transcript: Transcript) -> Option<Self> {
        Some(Self {
            view: View::new(),
            tab: scene::tab(&transcript, TabState::Working("writing".to_owned())),
            transcript,
            keymap: Keymap::new(Platform::Other),
            cache: Cache::default(),
            renderer: renderer()?,
        })
    }

    /// What a message or an event costs: from the view to what the renderer is handed.
    fn frame(&mut self, events: &[Event]) {
        let context = Context {
            tokens: &NOCTURNE,
            keymap: &self.keymap,
            tab: &self.tab,
            transcript: &self.transcript,
            focused: false,
            now_ms: crate::window::scene::NOW_MS,
            turning: true,
        };
        let cache = std::mem::take(&mut self.cache);
        let element = self.view.view(context);
        let mut ui = UserInterface::build(element, SIZE, cache, &mut self.renderer);
        let cursor = mouse::Cursor::Available(Point::new(500.0, 400.0));
        let mut messages: Vec<Message> = Vec::new();
        let redraw = Event::Window(window::Event::RedrawRequested(Instant::now()));
        let all: Vec<Event> = events.iter().cloned().chain([redraw]).collect();
        let mut clipboard = clipboard::Null;
        let _ = ui.update(&all, cursor, &mut self.renderer, &mut clipboard, &mut messages);
        let style = Style { text_color: NOCTURNE.text };
        ui.draw(&mut self.renderer, &NOCTURNE.iced(), &style, cursor);
        self.cache = ui.into_cache();
    }
}

/// Measures; `None` where nothing can be drawn.
#[must_use]
pub fn measure(options: Options) -> Option<Report> {
    font::load();
    let updates = streaming(options)?;
    let mut stage = Stage::new(scene::turns(options.turns))?;
    let opened = timed(|| stage.frame(&[]));
    let wheel = Event::Mouse(mouse::Event::WheelScrolled {
        delta: mouse::ScrollDelta::Lines { x: 0.0, y: 1.0 },
    });
    let scrolls =
        (0..options.steps).map(|_| timed(|| stage.frame(std::slice::from_ref(&wheel)))).collect();
    let jump = |at: usize| {
        timed(|| {
            let share = (at * 37 % 100) as f32 / 100.0;
            stage.view.place.change(|place| place.jump(share));
            stage.frame(&[]);
        })
    };
    let jumps = (0..options.steps.div_ceil(10)).map(jump).collect();
    let entries = stage.transcript.len();
    Some(Report { updates, scrolls, jumps, opened, entries })
}

/// An answer that is written while it is looked at.
fn streaming(options: Options) -> Option<Vec<Duration>> {
    let text = scene::long_answer(options.lines);
    let mut stage = Stage::new(scene::transcript_of(vec![scene::prompt("explain it in full")]))?;
    let entry = Entry {
        n: 1,
        turn: 1,
        at_ms: crate::window::scene::NOW_MS,
        open: true,
        body: Body::Text(String::new()),
    };
    let _ = stage.transcript.apply(Update::Entry(entry));
    stage.frame(&[]);
    let mut at = 0;
    let mut times = Vec::with_capacity(text.len() / DELTA + 1);
    while at < text.len() {
        let end = (at + DELTA..=text.len()).find(|end| text.is_char_boundary(*end));
        let end = end.unwrap_or(text.len());
        let update = Update::Append { n: 1, at: at as u64, text: text[at..end].to_owned() };
        times.push(timed(|| {
            let applied = stage.transcript.apply(update);
            let _ = stage.view.heard(applied, &stage.transcript);
            stage.frame(&[]);
        }));
        at = end;
    }
    Some(times)
}
