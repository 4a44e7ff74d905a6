//! One terminal's screen as the window last heard of it.
//!
//! A reader thread applies frames as they come off the connection; the window's thread reads the rows
//! when it draws. Frames never become messages: applying one asks the [`Clock`] for a redraw.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use maestro_core::link::{self, Link};
use maestro_core::screen::{ColorOverride, Cursor, Frame, Modes, Pointer, Row, Scroll, Size};

use crate::clock::{Clock, Moment, URGENCY, Urgency};
use crate::counters::SurfaceCounters;

/// The size of a screen that no frame has described yet.
const UNKNOWN: Size = Size { cols: 80, rows: 24, cell_width: 0, cell_height: 0 };

/// A terminal's latest rows. Cheap to clone; every clone is the same surface. Any thread may call any
/// method; each holds a lock for a few microseconds at most and calls nothing foreign while it does.
#[derive(Clone)]
pub struct Surface {
    shared: Arc<Shared>,
}

struct Shared {
    id: u64,
    clock: Clock,
    /// Tells the host that the next frame may come.
    credit: Box<dyn Fn() + Send + Sync>,
    screen: Mutex<Screen>,
    counters: SurfaceCounters,
}

/// The rows and what goes with them, while locked.
#[derive(Debug)]
pub struct Screen {
    /// Counts what was applied; a row remembers when it changed.
    pub(crate) generation: u64,
    pub(crate) size: Size,
    pub(crate) lines: Vec<Line>,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) modes: Modes,
    pub(crate) scroll: Scroll,
    pub(crate) colors: Vec<ColorOverride>,
    pointer: Pointer,
    /// The generation in which `colors` changed last; every row must be encoded again then.
    pub(crate) recolored: u64,
    input_seq: u64,
    flooding: bool,
    /// Whether the host still waits to hear that its last frame was drawn.
    owes_credit: bool,
    /// How often everything was forgotten.
    resets: u64,
    last_key: Option<Instant>,
}

/// A row and when it changed.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) row: Row,
    pub(crate) changed: u64,
}

/// What applying a frame meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Whether it came within the time after a key press in which it counts as the answer to it.
    pub urgent: bool,
    /// The input sequence number in the frame; a measure of echo.
    pub input_seq: u64,
}

impl Surface {
    /// An empty screen that asks this clock for redraws.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        Self::with_credit(clock, || {})
    }

    /// An empty screen. `credit` is called whenever the host may send this terminal's next frame: when
    /// the last one was drawn, or at once where it answers a key press. It runs on the reader thread
    /// or the window's and must not block.
    #[must_use]
    pub fn with_credit(clock: &Clock, credit: impl Fn() + Send + Sync + 'static) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            shared: Arc::new(Shared {
                id: NEXT.fetch_add(1, Ordering::Relaxed),
                clock: clock.clone(),
                credit: Box::new(credit),
                screen: Mutex::new(Screen::empty()),
                counters: SurfaceCounters::default(),
            }),
        }
    }

    /// Takes in a frame and asks for a redraw.
    pub fn apply(&self, frame: Frame) -> Applied {
        let rows = frame.rows.len();
        let (urgent, flooding, input_seq) = {
            let mut screen = self.lock();
            screen.apply(frame);
            let urgent = screen.is_urgent(Instant::now());
            screen.owes_credit = !urgent;
            (urgent, screen.flooding, screen.input_seq)
        };
        self.shared.clock.counters().applied(rows);
        self.shared.counters.applied(rows);
        self.shared.clock.passed(Moment::Applied { rows, input_seq });
        if urgent {
            (self.shared.credit)();
        }
        if flooding {
            self.shared.clock.flooding();
        }
        self.shared.clock.request(if urgent { Urgency::Urgent } else { Urgency::Paced });
        Applied { urgent, input_seq }
    }

    /// A key was pressed in this terminal: for a moment whatever changes in it is urgent, and a host
    /// that waits to hear of a drawn frame waits no longer.
    pub fn key_pressed(&self) {
        let now = Instant::now();
        self.shared.clock.typed(now);
        let owed = {
            let mut screen = self.lock();
            screen.last_key = Some(now);
            std::mem::take(&mut screen.owes_credit)
        };
        if owed {
            (self.shared.credit)();
        }
    }

    /// Forgets everything, as before the first frame: the connection was lost and the next frame will
    /// be a full one.
    pub fn reset(&self) {
        {
            let mut screen = self.lock();
            let generation = screen.generation + 1;
            let resets = screen.resets + 1;
            *screen = Screen { generation, recolored: generation, resets, ..Screen::empty() };
        }
        self.shared.clock.request(Urgency::Paced);
    }

    /// The size in the last frame.
    #[must_use]
    pub fn size(&self) -> Size {
        self.lock().size
    }

    /// The modes in the last frame.
    #[must_use]
    pub fn modes(&self) -> Modes {
        self.lock().modes
    }

    /// Where the viewport is.
    #[must_use]
    pub fn scroll(&self) -> Scroll {
        self.lock().scroll
    }

    /// The cursor.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.lock().cursor
    }

    /// Whether any frame was applied yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().lines.is_empty()
    }

    /// The visible text, row by row, without trailing blanks.
    #[must_use]
    pub fn text(&self) -> Vec<String> {
        self.lock().lines.iter().map(|line| line.row.text().trim_end().to_owned()).collect()
    }

    /// The target of the link in a cell.
    #[must_use]
    pub fn link(&self, row: u16, col: u16) -> Option<String> {
        let screen = self.lock();
        let row = &screen.lines.get(usize::from(row))?.row;
        let cell = row.cells.get(usize::from(col))?;
        let extra = row.extras.get(usize::from(cell.extra.checked_sub(1)?))?;
        extra.link.clone()
    }

    /// What leads somewhere in a cell: a link that the program made, an address, a place in a file.
    #[must_use]
    pub fn link_at(&self, row: u16, col: u16) -> Option<Link> {
        let screen = self.lock();
        link::link_at(&screen.rows(), screen.size.cols, row, col)
    }

    /// Everything on the screen that leads somewhere, in reading order.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        let screen = self.lock();
        link::links(&screen.rows(), screen.size.cols)
    }

    /// The mouse pointer that the child asked for.
    #[must_use]
    pub fn pointer(&self) -> Pointer {
        self.lock().pointer
    }

    /// What this terminal has cost.
    #[must_use]
    pub fn counters(&self) -> &SurfaceCounters {
        &self.shared.counters
    }

    /// The clock this surface asks for redraws.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// How often everything was forgotten.
    pub(crate) fn resets(&self) -> u64 {
        self.lock().resets
    }

    /// The input sequence number in the last frame.
    pub(crate) fn input_seq(&self) -> u64 {
        self.lock().input_seq
    }

    /// Tells surfaces apart.
    pub(crate) fn id(&self) -> u64 {
        self.shared.id
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Screen> {
        self.shared.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows were drawn.
    pub(crate) fn drawn(&self) {
        self.shared.counters.drawn();
        let owed = std::mem::take(&mut self.lock().owes_credit);
        if owed {
            (self.shared.credit)();
        }
    }
}

impl PartialEq for Surface {
    fn eq(&self, other: &Self) -> bool {
        self.shared.id == other.shared.id
    }
}

impl fmt::Debug for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surface").field("id", &self.shared.id).finish_non_exhaustive()
    }
}

impl Screen {
    fn empty() -> Self {
        Self {
            generation: 0,
            size: UNKNOWN,
            lines: Vec::new(),
            cursor: None,
            modes: Modes::default(),
            scroll: Scroll::default(),
            colors: Vec::new(),
            pointer: Pointer::Default,
            recolored: 0,
            input_seq: 0,
            flooding: false,
            owes_credit: false,
            resets: 0,
            last_key: None,
        }
    }

    fn apply(&mut self, frame: Frame) {
        self.generation += 1;
        let generation = self.generation;
        let size = frame.size.clamped();
        if frame.full || size != self.size || self.lines.is_empty() {
            self.lines.clear();
            self.lines.resize_with(usize::from(size.rows), || Line {
                row: Row::default(),
                changed: generation,
            });
        }
        self.size = size;
        for (place, mut row) in frame.rows {
            // A peer may say anything; what lies beyond the screen is not kept.
            if let Some(line) = self.lines.get_mut(usize::from(place)) {
                row.cells.truncate(usize::from(size.cols));
                *line = Line { row, changed: generation };
            }
        }
        if self.colors != frame.colors {
            self.colors = frame.colors;
            self.recolored = generation;
        }
        self.cursor =
            frame.cursor.filter(|cursor| cursor.row < size.rows && cursor.col < size.cols);
        self.modes = frame.modes;
        self.pointer = frame.pointer;
        self.scroll = frame.scroll;
        self.input_seq = frame.input_seq;
        self.flooding = frame.flooding;
    }

    fn rows(&self) -> Vec<&Row> {
        self.lines.iter().map(|line| &line.row).collect()
    }

    fn is_urgent(&self, now: Instant) -> bool {
        self.last_key.is_some_and(|at| now.saturating_duration_since(at) < URGENCY)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use maestro_core::id::TerminalId;
    use maestro_core::screen::{Cell, CursorShape};

    use super::*;

    fn frame(full: bool, rows: &[(u16, &str)]) -> Frame {
        Frame {
            terminal: TerminalId(1),
            generation: 1,
            size: Size::new(10, 3),
            full,
            rows: rows.iter().map(|(place, text)| (*place, row(text))).collect(),
            cursor: Some(Cursor { row: 2, col: 0, shape: CursorShape::Block, blinking: false }),
            modes: Modes::default(),
            scroll: Scroll::default(),
            colors: Vec::new(),
            pointer: maestro_core::screen::Pointer::Default,
            flooding: false,
            input_seq: 7,
        }
    }

    fn row(text: &str) -> Row {
        let cells = text.chars().map(|c| Cell { glyph: c as u32, ..Cell::BLANK }).collect();
        Row { cells, ..Row::default() }
    }

    #[test]
    fn only_rows_in_the_frame_change() {
        let surface = Surface::new(&Clock::new());
        let _ = surface.apply(frame(true, &[(0, "one"), (1, "two")]));
        let _ = surface.apply(frame(false, &[(1, "other")]));
        assert_eq!(surface.text(), ["one", "other", ""]);
        let changed: Vec<_> = surface.lock().lines.iter().map(|line| line.changed).collect();
        assert_eq!(changed, [1, 2, 1]);
    }

    #[test]
    fn what_lies_outside_the_screen_is_dropped() {
        let surface = Surface::new(&Clock::new());
        let mut hostile = frame(false, &[(0, "far too long a row"), (9, "nowhere")]);
        hostile.cursor = Some(Cursor { row: 3, col: 0, ..hostile.cursor.expect("a cursor") });
        let _ = surface.apply(hostile);
        assert_eq!(surface.text(), ["far too lo", "", ""]);
        assert_eq!(surface.cursor(), None);
    }

    #[test]
    fn credit_comes_when_drawn_and_at_once_after_a_key() {
        static CREDITS: AtomicUsize = AtomicUsize::new(0);
        let credits = || CREDITS.load(Ordering::SeqCst);
        let surface = Surface::with_credit(&Clock::new(), || {
            let _ = CREDITS.fetch_add(1, Ordering::SeqCst);
        });
        assert!(!surface.apply(frame(true, &[])).urgent);
        assert_eq!(credits(), 0);
        surface.drawn();
        surface.drawn();
        assert_eq!(credits(), 1);

        assert!(!surface.apply(frame(false, &[])).urgent);
        surface.key_pressed();
        assert_eq!(credits(), 2);
        surface.lock().last_key = Some(Instant::now() + URGENCY);
        assert!(surface.apply(frame(false, &[])).urgent);
        assert_eq!(credits(), 3);
        surface.drawn();
        assert_eq!(credits(), 3);
    }
}
