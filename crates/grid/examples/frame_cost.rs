//! What a frame of sixteen terminals costs us: 120×40 cells each, every cell another one in every frame.
//!
//! Counts the processor time of our own work on the window's thread: encoding, uploading, recording. The
//! toolkit's and the renderer's are theirs. Prints one JSON object a line.

use std::time::{Duration, Instant};

use iced::advanced::clipboard;
use iced::advanced::renderer::{Headless, Style};
use iced::widget::{column, row};
use iced::{Color, Element, Event, Font, Pixels, Renderer, Size, mouse, window};
use iced_runtime::user_interface::{Cache, UserInterface};
use maestro_core::id::TerminalId;
use maestro_core::screen::{Cell, Color as Ink, Frame, Modes, Row, Scroll, Size as Cells, flags};
use maestro_grid::{Clock, Faces, Look, Palette, Surface, terminal};

const COLS: u16 = 120;
const ROWS: u16 = 40;
const PANES: usize = 16;

/// Frames before counting begins: the first ones draw glyphs and make pipelines.
const WARM_UP: usize = 10;
const FRAMES: usize = 200;

/// Milliseconds.
const BAR: f64 = 4.0;

const REGULAR: &[u8] = include_bytes!("../../../resources/fonts/JetBrainsMono-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../../resources/fonts/JetBrainsMono-Bold.ttf");

fn main() {
    let renderer = futures::executor::block_on(<Renderer as Headless>::new(
        Font::DEFAULT,
        Pixels(12.0),
        Some("wgpu"),
    ));
    match renderer {
        Some(renderer) => report(&mut measure(renderer)),
        None => {
            for name in ["frame_cost_p50", "frame_cost_p99"] {
                print(name, None, "no graphics adapter, not even a software one; not measured");
            }
        }
    }
}

/// What one frame took.
#[derive(Clone, Copy)]
struct Sample {
    encoding: Duration,
    uploading: Duration,
    recording: Duration,
}

impl Sample {
    fn total(&self) -> Duration {
        self.encoding + self.uploading + self.recording
    }
}

fn report(samples: &mut [Sample]) {
    samples.sort_unstable_by_key(Sample::total);
    for (name, share) in [("frame_cost_p50", 0.5), ("frame_cost_p99", 0.99)] {
        let sample = samples[((samples.len() - 1) as f64 * share).round() as usize];
        let Sample { encoding, uploading, recording } = sample;
        let note = format!(
            "16 panes of 120x40, processor time: encoding {encoding:.2?}, uploading {uploading:.2?}, \
             recording {recording:.2?}"
        );
        print(name, Some(sample.total()), &note);
    }
}

fn print(name: &str, value: Option<Duration>, note: &str) {
    let value = value.map(|value| value.as_secs_f64() * 1000.0);
    let line = serde_json::json!({
        "name": name,
        "value": value,
        "unit": "ms",
        "bar": BAR,
        "holds": value.map(|value| value <= BAR),
        "peer": null,
        "runs": FRAMES,
        "note": note,
    });
    println!("{line}");
}

fn measure(mut renderer: Renderer) -> Vec<Sample> {
    let faces = Faces { bold: Some(BOLD), ..Faces::regular(REGULAR) };
    let look = Look::new(faces, 6.0, Palette::NOCTURNE);
    let clock = Clock::new();
    let surfaces: Vec<_> = (0..PANES).map(|_| Surface::new(&clock)).collect();
    let mut cache = Cache::new();
    let mut random = Random(1);
    let mut samples = Vec::new();
    let size = Size::new(1920.0, 1280.0);
    for frame in 0..WARM_UP + FRAMES {
        for surface in &surfaces {
            let _ = surface.apply(noise(&mut random));
        }
        let panes = |from: usize| {
            let pane =
                |n: usize| Element::from(terminal::<()>(&surfaces[from + n], &look).padding(0.0));
            row([pane(0), pane(1), pane(2), pane(3)])
        };
        let view = column![panes(0), panes(4), panes(8), panes(12)];
        let mut interface: UserInterface<'_, (), iced::Theme, Renderer> =
            UserInterface::build(view, size, cache, &mut renderer);
        let redraw = Event::Window(window::Event::RedrawRequested(Instant::now()));
        let pointer = mouse::Cursor::Unavailable;
        let before = clock.counters().read();
        let _ = interface.update(
            &[redraw],
            pointer,
            &mut renderer,
            &mut clipboard::Null,
            &mut Vec::new(),
        );
        let style = Style { text_color: Color::WHITE };
        interface.draw(&mut renderer, &iced::Theme::Dark, &style, pointer);
        cache = interface.into_cache();
        let _ = renderer.screenshot(Size::new(1920, 1280), 1.0, Color::BLACK);
        let after = clock.counters().read();
        assert_eq!(
            after.encoded_rows - before.encoded_rows,
            PANES as u64 * u64::from(ROWS),
            "every row of every pane changes in every frame"
        );
        if frame >= WARM_UP {
            samples.push(Sample {
                encoding: after.encoding - before.encoding,
                uploading: after.uploading - before.uploading,
                recording: after.recording - before.recording,
            });
        }
    }
    samples
}

/// A screen of random letters in random colours; one cell in eight has a background.
fn noise(random: &mut Random) -> Frame {
    let mut cell = || {
        let bits = random.next();
        let bg = if bits >> 40 & 7 == 0 { Ink::indexed((bits >> 16) as u8) } else { Ink::DEFAULT };
        Cell {
            glyph: 33 + (bits >> 32 & 0xff) as u32 % 94,
            fg: Ink::rgb(bits as u8 | 64, (bits >> 8) as u8 | 64, 200),
            bg,
            flags: if bits >> 50 & 7 == 0 { flags::BOLD } else { 0 },
            extra: 0,
        }
    };
    let rows = (0..ROWS)
        .map(|place| {
            let cells = (0..COLS).map(|_| cell()).collect();
            (place, Row { cells, ..Row::default() })
        })
        .collect();
    Frame {
        terminal: TerminalId(1),
        generation: 1,
        size: Cells::new(COLS, ROWS),
        full: true,
        rows,
        cursor: None,
        modes: Modes::default(),
        scroll: Scroll::default(),
        colors: Vec::new(),
        pointer: maestro_core::screen::Pointer::Default,
        flooding: true,
        input_seq: 0,
    }
}

/// Enough chance for pictures, and the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
