//! The rows in the emulator, as the rows behind them need them: taken away in chunks, and found again
//! after lines were wrapped anew.

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use maestro_core::screen::Row;

use crate::cold::{CHUNK, LINE};
use crate::pack::pack;

/// The most rows of history that stay in the emulator whatever the scrollback: 29 MB at 120 columns. Beyond
/// it, rows become cold while output runs.
pub(crate) const MOST: usize = 10_000;

/// Packs the oldest rows of the history, a chunk of them, leaving `keep`. A line that wraps is not cut unless
/// it is longer than [`LINE`].
pub(crate) fn oldest_chunk(grid: &Grid<Cell>, keep: usize) -> Vec<Row> {
    let native = grid.history_size();
    let most = native.saturating_sub(keep);
    let mut rows: Vec<Row> = Vec::with_capacity(CHUNK.min(most));
    while rows.len() < CHUNK.min(most)
        || rows.len() < most.min(CHUNK + LINE) && rows.last().is_some_and(|row| row.wrapped)
    {
        let mut row = Row::default();
        pack(&grid[Line(rows.len() as i32 - native as i32)], &mut row);
        rows.push(row);
    }
    // Whether the last line ends at all is not known yet: it stays, with what follows.
    if rows.len() < CHUNK + LINE && rows.last().is_some_and(|row| row.wrapped) {
        let end = rows.iter().rposition(|row| !row.wrapped).map_or(0, |last| last + 1);
        rows.truncate(end);
    }
    rows
}

/// Whether a line of the emulator goes on in the next one.
pub(crate) fn wraps(grid: &Grid<Cell>, line: i32) -> bool {
    grid[Line(line)][Column(grid.columns() - 1)].flags.contains(Flags::WRAPLINE)
}

/// Takes from cells what they say about the end of their row where they do not stand there any more: that it
/// goes on in the next one, and that it does so because a wide character did not fit.
pub(crate) fn forget_lost_wraps(grid: &mut Grid<Cell>) {
    let last = grid.columns() - 1;
    let marks = Flags::WRAPLINE | Flags::LEADING_WIDE_CHAR_SPACER;
    for line in grid.topmost_line().0..=grid.bottommost_line().0 {
        let row = &grid[Line(line)];
        let is_lost = |(col, cell): &(usize, &Cell)| {
            cell.flags.intersects(marks) && (*col < last || !cell.flags.contains(Flags::WRAPLINE))
        };
        let lost = row.into_iter().enumerate().filter(is_lost).map(|(col, _)| col);
        for col in lost.collect::<Vec<usize>>() {
            grid[Line(line)][Column(col)].flags.remove(marks);
        }
    }
}

/// Moves the screen's highest rows into the history, and what remembers cells with them.
pub(crate) fn scroll_up(grid: &mut Grid<Cell>, rows: usize) {
    let end = Line(grid.screen_lines() as i32);
    grid.scroll_up(&(Line(0)..end), rows);
    for cursor in [&mut grid.cursor, &mut grid.saved_cursor] {
        cursor.point.line = Line((cursor.point.line.0 - rows as i32).max(0));
    }
}

/// A cell as it is found again after lines were wrapped anew: so many lines above the cursor's or below it,
/// so many cells into its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    lines: i32,
    cells: usize,
}

/// Anchors for cells, given as line and column in ascending order.
pub(crate) fn anchors(grid: &Grid<Cell>, cells: &[(i32, u16)]) -> Vec<Anchor> {
    let (first, last) = (grid.topmost_line().0, grid.bottommost_line().0);
    let Some(&(begin, _)) = cells.first() else { return Vec::new() };
    let mut line = begin.clamp(first, last);
    let mut before = (first..line).rev().take_while(|line| wraps(grid, *line)).count();
    let cursor = grid.cursor.point.line.0;
    let ends = |from: i32, to: i32| (from..to).filter(|line| !wraps(grid, *line)).count() as i32;
    let mut lines = if line <= cursor { ends(line, cursor) } else { -ends(cursor, line) };
    let mut anchors = Vec::with_capacity(cells.len());
    for &(wanted, col) in cells {
        while line < wanted.min(last) {
            if wraps(grid, line) {
                before += 1;
            } else {
                before = 0;
                lines -= 1;
            }
            line += 1;
        }
        anchors.push(Anchor { lines, cells: before * grid.columns() + usize::from(col) });
    }
    anchors
}

/// Where anchors are now, in the order in which they were made.
pub(crate) fn find(grid: &Grid<Cell>, anchors: &[Anchor]) -> Vec<(i32, u16)> {
    let (first, last) = (grid.topmost_line().0, grid.bottommost_line().0);
    // The line that the first anchor is in.
    let Some(wanted) = anchors.first().map(|anchor| anchor.lines) else { return Vec::new() };
    let mut line = grid.cursor.point.line.0;
    while line > first && wraps(grid, line - 1) {
        line -= 1;
    }
    let mut lines = 0;
    while lines < wanted && line > first {
        line -= 1;
        while line > first && wraps(grid, line - 1) {
            line -= 1;
        }
        lines += 1;
    }
    let mut found = Vec::with_capacity(anchors.len());
    for anchor in anchors {
        while lines > anchor.lines && line < last {
            lines -= i32::from(!wraps(grid, line));
            line += 1;
        }
        let cols = grid.columns();
        let (mut at, mut cells) = (line, anchor.cells);
        while cells >= cols && at < last && wraps(grid, at) {
            at += 1;
            cells -= cols;
        }
        found.push((at, cells.min(cols - 1) as u16));
    }
    found
}
