//! `alacritty_terminal` with what a child must not be able to do kept away from it, and with what it
//! leaves to its user answered. Nothing of its types goes beyond this crate.
//!
//! The [`Guard`] sits between the parser and the emulator, handler call by handler call. It bounds what
//! upstream leaves unbounded (marks on a cell, links, the keyboard mode and title stacks), has the modes
//! upstream lacks, answers the queries upstream hands out as events, and counts the rows that leave the
//! emulator's history, so that every row has a number that never changes while it can be seen.

mod extras;
mod guard;
mod modes;
mod reports;
mod shapes;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use alacritty_terminal::event::{Event as TermEvent, EventListener};
use alacritty_terminal::grid::{Cursor, Dimensions, Grid};
use alacritty_terminal::index::Line;
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::{ClipboardType, Config, Term, TermMode};
use alacritty_terminal::vte::ansi::Processor;
use maestro_core::screen::{Pointer, Size};

use self::extras::Extras;
use self::guard::Guard;
pub(crate) use self::modes::{Encoding, Habits, Own, Protocol};
use self::shapes::Shapes;
use crate::budget::Budget;
use crate::cold::Cold;
use crate::event::{Event, Outbox};
use crate::hot;
use crate::options::Palette;

/// How many rows history may exceed its limit before the surplus goes. Exactly upstream's spare rows
/// (`MAX_CACHE_SIZE`), so that rows are reused and none is allocated while output floods.
const SLACK: usize = 1000;

/// History is limited by the guard, which counts what it removes; upstream must never do it.
const UNLIMITED: usize = usize::MAX / 4;

/// How many characters may come between two looks at the history's length.
const LOOK_EVERY: u32 = 1 << 14;

/// How much narrower a screen becomes in one step.
const NARROWING: u16 = 8;

/// The number of the first row. Far from zero: lines wrapped anew may be more rows above it.
const FIRST_ROW: u64 = 1 << 40;

/// Where events and replies gather while the parser runs, in the order in which they came up.
type Mailbox = Arc<Mutex<Outbox>>;

fn open(mailbox: &Mailbox) -> MutexGuard<'_, Outbox> {
    mailbox.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ear upstream speaks into.
#[derive(Clone)]
pub(crate) struct Listener(Mailbox);

impl EventListener for Listener {
    fn send_event(&self, event: TermEvent) {
        let mut outbox = open(&self.0);
        match event {
            TermEvent::PtyWrite(text) => outbox.reply(text.as_bytes()),
            TermEvent::Title(title) => {
                outbox.event(Event::Title(Some(title).filter(|title| !title.is_empty())));
            }
            TermEvent::ResetTitle => outbox.event(Event::Title(None)),
            TermEvent::Bell => outbox.event(Event::Bell),
            TermEvent::ClipboardStore(ClipboardType::Clipboard, mut text) => {
                // It will be pasted somewhere, perhaps where nobody looks for what presses keys.
                text.retain(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
                outbox.event(Event::Clipboard(text));
            }
            _ => {}
        }
    }
}

/// The emulator and its parser.
pub(crate) struct Emulator {
    pub(crate) term: Term<Listener>,
    parser: Processor,
    pub(crate) state: State,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("state", &self.state).finish_non_exhaustive()
    }
}

/// What the guard knows.
#[derive(Debug)]
pub(crate) struct State {
    mailbox: Mailbox,
    pub(crate) palette: Palette,
    size: Size,
    /// The most rows of history.
    pub(crate) scrollback: usize,
    /// The rows behind the main screen's history.
    pub(crate) cold: Cold,
    /// Rows that have left the emulator's history since the beginning, to wherever.
    pub(crate) shed: u64,
    /// The cursor that was saved on the main screen while modes 47 or 1047 show the alternate one.
    main_saved: Option<Box<Cursor<Cell>>>,
    /// The number of the alternate screen's first row while it is shown.
    alt_base: u64,
    /// Rows of the main screen's history while the alternate screen is shown.
    behind: usize,
    /// The main screen's history was wiped by the child.
    pub(crate) wiped: bool,
    /// The number before which rows were wiped since it was last looked at; 0 for none.
    pub(crate) gone: u64,
    /// Another screen is shown than before.
    pub(crate) swapped: bool,
    /// The modes upstream does not have.
    own: Own,
    shapes: Shapes,
    title: Option<String>,
    titles: VecDeque<Option<String>>,
    keyboard_depth: [usize; 2],
    extras: Extras,
    until_look: u32,
}

/// The main screen, shown in place of the alternate one for a moment.
pub(crate) struct Hidden {
    alt: Grid<Cell>,
    flags: u8,
}

/// A size as upstream wants it.
struct Cells(Size);

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.0.cols)
    }
}

impl Emulator {
    pub(crate) fn new(size: Size, scrollback: usize, palette: Palette, budget: Budget) -> Self {
        let mailbox = Mailbox::default();
        let config =
            Config { kitty_keyboard: true, scrolling_history: UNLIMITED, ..Config::default() };
        Self {
            term: Term::new(config, &Cells(size), Listener(Arc::clone(&mailbox))),
            parser: Processor::new(),
            state: State {
                mailbox,
                palette,
                size,
                scrollback,
                shed: FIRST_ROW,
                main_saved: None,
                alt_base: 0,
                behind: 0,
                cold: Cold::default(),
                wiped: false,
                gone: 0,
                swapped: false,
                own: Own::default(),
                shapes: Shapes::default(),
                title: None,
                titles: VecDeque::new(),
                keyboard_depth: [0; 2],
                extras: Extras::new(budget),
                until_look: LOOK_EVERY,
            },
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut Guard { term: &mut self.term, state: &mut self.state }, bytes);
    }

    pub(crate) fn end_sync(&mut self) {
        self.parser.stop_sync(&mut Guard { term: &mut self.term, state: &mut self.state });
    }

    /// Takes in what a synchronized update has held back: what comes next is about it. The update goes on
    /// (`again`), unless the stream stands in the middle of a sequence.
    pub(crate) fn catch_up(&mut self, again: bool) {
        if self.sync_deadline().is_some() {
            self.end_sync();
            if again {
                self.feed(b"\x1b[?2026h");
            }
        }
    }

    pub(crate) fn sync_deadline(&self) -> Option<Instant> {
        self.parser.sync_timeout().sync_timeout()
    }

    pub(crate) fn resize(&mut self, size: Size) {
        let mut cols = self.state.size.cols;
        self.state.size = size;
        self.state.own.margins = None;
        // Upstream (0.26) cuts a long row by leaving each piece the memory of all that follow it: of a row
        // of 1 000 cells that becomes 500 rows it makes 6 MB. Cut by steps it is 0.3 MB.
        while cols / NARROWING > size.cols {
            cols /= NARROWING;
            self.rewrap(Size { cols, ..size });
        }
        self.rewrap(size);
        let hidden = self.show_main();
        self.guard().shorten(0);
        self.hide_main(hidden);
        if self.state.own.size_reports {
            self.guard().report_size();
        }
    }

    /// Has upstream (0.26) wrap the main screen's lines anew, kept from what it makes of them otherwise.
    ///
    /// It takes a cell's word for it that its row goes on, wherever in the row it stands: characters that were
    /// deleted from a row (`CSI P`) pull its last cell to the left, and where that becomes the last one at
    /// another width, two lines were joined. Where a wider screen takes cells from the cursor's row to the one
    /// above, it follows the cursor no further than to the screen's first row, and cut a line that reaches
    /// into the history in two there; or it drops the lowest row whatever it holds. So there is a row more
    /// above and one below meanwhile.
    fn rewrap(&mut self, size: Size) {
        let (cols, rows) = (self.term.columns(), self.term.screen_lines());
        if usize::from(size.cols) == cols {
            return self.term.resize(Cells(size));
        }
        let (goes_on, line, history) = self.on_main_mut(|grid| {
            hot::forget_lost_wraps(grid);
            let line = grid.cursor.point.line;
            (line > grid.topmost_line() && hot::wraps(grid, line.0 - 1), line, grid.history_size())
        });
        if usize::from(size.cols) < cols || !goes_on {
            return self.term.resize(Cells(size));
        }
        let of = |rows: usize, cols| Cells(Size { cols, rows: rows as u16, ..size });
        self.term.resize(of(rows + 2, cols as u16));
        let above = usize::from(line == 0);
        self.on_main_mut(|grid| hot::scroll_up(grid, history.min(2) - above));
        self.term.resize(of(rows + 2, size.cols));
        for rows in [rows + 1, rows] {
            self.on_main_mut(|grid| {
                let cursor = grid.cursor.point.line;
                let free =
                    grid[grid.bottommost_line()].is_clear() && cursor < grid.bottommost_line();
                hot::scroll_up(grid, usize::from(!free && cursor > 0));
            });
            self.term.resize(of(rows, size.cols));
        }
        self.term.resize(Cells(size));
    }

    pub(crate) fn reply(&self, bytes: &[u8]) {
        open(&self.state.mailbox).reply(bytes);
    }

    pub(crate) fn event(&self, event: Event) {
        open(&self.state.mailbox).event(event);
    }

    /// Moves everything that gathered to `out`; `each` sees the events.
    pub(crate) fn deliver(&mut self, out: &mut Outbox, mut each: impl FnMut(&Event)) {
        let mut mail = open(&self.state.mailbox);
        out.reply(&mail.replies);
        mail.replies.clear();
        for event in mail.events.drain(..) {
            each(&event);
            out.event(event);
        }
    }

    pub(crate) fn mode(&self) -> TermMode {
        *self.term.mode()
    }

    pub(crate) fn own(&self) -> Own {
        self.state.own
    }

    pub(crate) fn is_alt(&self) -> bool {
        self.mode().contains(TermMode::ALT_SCREEN)
    }

    pub(crate) fn pointer(&self) -> Pointer {
        self.state.shapes.current(self.is_alt())
    }

    /// The cursor's row and column, as they are told.
    pub(crate) fn place(&mut self) -> (i32, usize) {
        self.guard().place()
    }

    /// What follows `OSC 22 ;`.
    pub(crate) fn pointer_command(&mut self, payload: &str) -> Option<String> {
        let alt = self.is_alt();
        self.state.shapes.command(payload, alt)
    }

    pub(crate) fn grid(&self) -> &Grid<Cell> {
        self.term.grid()
    }

    /// Rows of history in the emulator: none on the alternate screen.
    pub(crate) fn native_history(&self) -> usize {
        self.grid().history_size()
    }

    /// Rows of the main screen's history in the emulator, wherever the main screen is.
    pub(crate) fn main_history(&self) -> usize {
        if self.is_alt() { self.state.behind } else { self.native_history() }
    }

    /// Bytes the cells hold besides themselves, on both screens.
    pub(crate) fn extra_bytes(&self) -> usize {
        self.state.extras.bytes()
    }

    /// The number of the screen's first row.
    pub(crate) fn base(&self) -> u64 {
        if self.is_alt() {
            self.state.alt_base
        } else {
            self.state.shed + self.native_history() as u64
        }
    }

    /// Moves a chunk of the oldest rows into the cold store, unless fewer than `keep` rows would stay.
    /// Returns how many; on the alternate screen none.
    pub(crate) fn compact_chunk(&mut self, keep: usize) -> usize {
        if self.is_alt() { 0 } else { self.guard().compact_chunk(keep) }
    }

    /// Scrolls the main screen up so that a line of it becomes the first, and empties what is below the
    /// cursor's line; with `history`, everything above is forgotten.
    pub(crate) fn clear(&mut self, first: i32, history: bool) {
        let rows = usize::from(self.state.size.rows);
        let mut guard = self.guard();
        let grid = guard.term.grid_mut();
        grid.scroll_up(&(Line(0)..Line(rows as i32)), first as usize);
        grid.cursor.point.line -= first;
        grid.saved_cursor.point.line = (grid.saved_cursor.point.line - first).max(Line(0));
        let mut below = grid.cursor.point.line.0;
        while below + 1 < rows as i32 && hot::wraps(grid, below) {
            below += 1;
        }
        if below + 1 < rows as i32 {
            grid.reset_region(Line(below + 1)..);
        }
        if history {
            guard.shed(guard.term.grid().history_size());
            guard.state.cold.clear();
        } else {
            guard.shorten(0);
        }
    }

    /// Looks at the main screen, whichever is shown.
    pub(crate) fn on_main<T>(&mut self, look: impl FnOnce(&Grid<Cell>) -> T) -> T {
        let hidden = self.show_main();
        let seen = look(self.term.grid());
        self.hide_main(hidden);
        seen
    }

    /// Changes the main screen, whichever is shown.
    fn on_main_mut<T>(&mut self, change: impl FnOnce(&mut Grid<Cell>) -> T) -> T {
        let hidden = self.show_main();
        let result = change(self.term.grid_mut());
        self.hide_main(hidden);
        result
    }

    /// Gives spare rows back.
    pub(crate) fn release_spare(&mut self) {
        self.term.grid_mut().truncate();
        self.state.extras.recount_main(self.term.grid());
    }

    /// Shows the main screen while the alternate one is shown, so that its history can be worked on;
    /// [`Self::hide_main`] must follow before anything else. Nothing for the main screen itself.
    ///
    /// Upstream keeps the other screen to itself and empties the alternate one whenever it comes up, so
    /// the alternate one is taken out, and an empty one stands in for it.
    pub(crate) fn show_main(&mut self) -> Option<Hidden> {
        if !self.is_alt() {
            return None;
        }
        let flags = kitty_flags(self.mode());
        let grid = self.term.grid_mut();
        let stand_in = Grid::new(grid.screen_lines(), grid.columns(), 0);
        let alt = std::mem::replace(grid, stand_in);
        self.term.swap_alt();
        Some(Hidden { alt, flags })
    }

    pub(crate) fn hide_main(&mut self, hidden: Option<Hidden>) {
        let Some(Hidden { alt, flags }) = hidden else { return };
        self.state.behind = self.native_history();
        self.term.swap_alt();
        *self.term.grid_mut() = alt;
        self.guard().set_kitty_flags(flags);
    }

    fn guard(&mut self) -> Guard<'_> {
        Guard { term: &mut self.term, state: &mut self.state }
    }
}

/// The kitty keyboard flags among a terminal's modes, as their protocol numbers them.
pub(crate) fn kitty_flags(mode: TermMode) -> u8 {
    [
        TermMode::DISAMBIGUATE_ESC_CODES,
        TermMode::REPORT_EVENT_TYPES,
        TermMode::REPORT_ALTERNATE_KEYS,
        TermMode::REPORT_ALL_KEYS_AS_ESC,
        TermMode::REPORT_ASSOCIATED_TEXT,
    ]
    .into_iter()
    .enumerate()
    .map(|(bit, flag)| u8::from(mode.contains(flag)) << bit)
    .sum()
}
