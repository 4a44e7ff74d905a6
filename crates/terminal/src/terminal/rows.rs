//! Rows by their number, hot and cold, and where the viewport is among them.

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell as TermCell, Flags};
use maestro_core::input::ScrollTo;
use maestro_core::screen::{Row, Size};

use super::{HOT, Terminal};
use crate::cold::CHUNK;
use crate::pack::pack;

impl Terminal {
    /// Rows of history that can be read.
    pub(super) fn history(&self) -> usize {
        if self.emulator.is_alt() {
            return 0;
        }
        (self.emulator.native_history() + self.cold.len()).min(self.options.scrollback)
    }

    /// The number of the oldest row that can be read.
    pub(super) fn oldest(&self) -> u64 {
        self.emulator.base() - self.history() as u64
    }

    /// Rows between the viewport's bottom and the screen's.
    pub(super) fn offset(&self) -> usize {
        let base = self.emulator.base();
        self.top.map_or(0, |top| base.saturating_sub(top.max(self.oldest())) as usize)
    }

    /// Reads a row by its number; `false`, and an empty row, when it is not there.
    pub(super) fn fetch(&mut self, number: u64, out: &mut Row) -> bool {
        let base = self.emulator.base();
        let native = self.emulator.native_history() as u64;
        let line = number as i64 - base as i64;
        if line >= i64::from(self.options.size.rows) || number < self.oldest() {
            *out = Row::default();
            return false;
        }
        if number >= base - native {
            pack(&self.emulator.grid()[Line(line as i32)], out);
            return true;
        }
        self.wrap_cold();
        match self.cold.row((base - native - 1 - number) as usize) {
            Some(row) => out.clone_from(row),
            None => *out = Row::default(),
        }
        true
    }

    /// Brings the cold rows to the terminal's width, which is put off until somebody reads them.
    pub(super) fn wrap_cold(&mut self) {
        let cols = self.options.size.cols;
        if self.cold.cols().is_some_and(|old| old != cols) {
            let _ = self.cold.rewrap(cols, 0);
        }
    }

    pub(super) fn scroll_to(&mut self, to: ScrollTo) {
        self.wrap_cold();
        let (offset, history) = (self.offset() as i64, self.history() as i64);
        let rows = i64::from(self.options.size.rows);
        let wanted = match to {
            ScrollTo::Lines(lines) => offset + i64::from(lines),
            ScrollTo::Pages(pages) => offset + i64::from(pages) * rows,
            ScrollTo::Top => history,
            ScrollTo::Bottom => 0,
            ScrollTo::Offset(offset) => i64::from(offset),
            ScrollTo::Prompts(_) => offset,
        };
        self.set_offset(wanted.clamp(0, history));
    }

    pub(super) fn set_offset(&mut self, offset: i64) {
        let top = self.emulator.base() - offset as u64;
        let top = (offset > 0).then_some(top);
        if self.top != top {
            self.top = top;
            self.version += 1;
        }
        if top.is_none() {
            self.cold.forget_cache();
        }
    }

    /// Resizes with another width while the viewport is up in the history, and finds its text again.
    pub(super) fn reflow_at(&mut self, size: Size, offset: usize) {
        let native = self.emulator.native_history();
        if offset <= native {
            // Upstream would keep the viewport's last row in place; a reader's eye is at its first.
            let place = ReadingPlace::of(self.emulator.grid(), offset);
            self.emulator.resize(size);
            self.set_offset(place.find(self.emulator.grid()));
        } else {
            self.emulator.resize(size);
            let above = self.cold.rewrap(size.cols, offset - native - 1);
            let offset = (self.emulator.native_history() + above + 1).min(self.history());
            self.set_offset(offset as i64);
        }
    }

    pub(super) fn compact_chunk(&mut self) -> usize {
        self.wrap_cold();
        let native = self.emulator.native_history();
        let most = (native - HOT).min(2 * CHUNK);
        let grid = self.emulator.grid();
        let mut rows: Vec<Row> = Vec::with_capacity(CHUNK);
        // A line that wraps is not cut unless it is longer than a chunk, so that it can be wrapped anew.
        while rows.len() < CHUNK.min(most)
            || rows.len() < most && rows.last().is_some_and(|row| row.wrapped)
        {
            let mut row = Row::default();
            pack(&grid[Line(rows.len() as i32 - native as i32)], &mut row);
            rows.push(row);
        }
        self.cold.push(&rows, self.options.size.cols);
        self.emulator.shed(rows.len());
        rows.len()
    }
}

/// A row as people find it again after lines were wrapped anew: so many lines above the cursor's, so many
/// cells into its line.
#[derive(Debug, Clone, Copy)]
struct ReadingPlace {
    lines: usize,
    cells: usize,
}

impl ReadingPlace {
    fn of(grid: &Grid<TermCell>, offset: usize) -> Self {
        let top = -(offset as i32);
        let cursor = grid.cursor.point.line.0;
        let lines = (top..cursor).filter(|line| !wraps(grid, *line)).count();
        let first = grid.topmost_line().0;
        let before = (first..top).rev().take_while(|line| wraps(grid, *line)).count();
        Self { lines, cells: before * grid.columns() }
    }

    /// The offset at which the row is the viewport's first.
    fn find(self, grid: &Grid<TermCell>) -> i64 {
        let first = grid.topmost_line().0;
        let mut line = grid.cursor.point.line.0;
        let mut lines = 0;
        while line > first {
            if !wraps(grid, line - 1) {
                if lines == self.lines {
                    break;
                }
                lines += 1;
            }
            line -= 1;
        }
        for _ in 0..self.cells / grid.columns() {
            if line >= 0 || !wraps(grid, line) {
                break;
            }
            line += 1;
        }
        i64::from(-line).max(0)
    }
}

/// Whether a line of the emulator goes on in the next one.
fn wraps(grid: &Grid<TermCell>, line: i32) -> bool {
    grid[Line(line)][Column(grid.columns() - 1)].flags.contains(Flags::WRAPLINE)
}
