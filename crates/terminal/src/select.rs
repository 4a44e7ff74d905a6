//! What is selected, in rows that keep their number however far they scroll.

use maestro_core::input::SelectBy;
use maestro_core::screen::{Cell, Row, flags};

/// Characters that end a word besides blanks.
const SEPARATORS: &str = ",│`|:\"'()[]{}<>";

/// A place between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The row's number.
    pub(crate) row: u64,
    pub(crate) col: u16,
    /// Behind the cell, not before it.
    pub(crate) right: bool,
}

/// From where to where, and by what it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) anchor: Place,
    pub(crate) head: Place,
    pub(crate) by: SelectBy,
}

/// The selected cells: both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: (u64, u16),
    pub(crate) last: (u64, u16),
    pub(crate) block: bool,
}

impl Range {
    /// The columns selected in a row, both included.
    pub(crate) fn columns(&self, row: u64, cols: u16) -> Option<(u16, u16)> {
        if row < self.first.0 || row > self.last.0 {
            return None;
        }
        if self.block {
            return Some((self.first.1, self.last.1));
        }
        let from = if row == self.first.0 { self.first.1 } else { 0 };
        let to = if row == self.last.0 { self.last.1 } else { cols - 1 };
        (from <= to).then_some((from, to))
    }
}

impl Selection {
    /// The selected cells as the mouse drew them, before words and lines are made whole.
    pub(crate) fn raw(&self, cols: u16) -> Option<Range> {
        if self.by == SelectBy::Block {
            return self.block();
        }
        let (from, to) = (self.anchor.min(self.head), self.anchor.max(self.head));
        if self.by != SelectBy::Cell {
            return Some(Range {
                first: (from.row, from.col),
                last: (to.row, to.col),
                block: false,
            });
        }
        if from == to {
            return None;
        }
        let first = match (from.right, from.col + 1 < cols) {
            (false, _) => (from.row, from.col),
            (true, true) => (from.row, from.col + 1),
            (true, false) => (from.row + 1, 0),
        };
        let last = match (to.right, to.col.checked_sub(1)) {
            (true, _) => (to.row, to.col),
            (false, Some(col)) => (to.row, col),
            (false, None) => (to.row.checked_sub(1)?, cols - 1),
        };
        (first <= last).then_some(Range { first, last, block: false })
    }

    fn block(&self) -> Option<Range> {
        let edge = |place: Place| place.col + u16::from(place.right);
        let (left, right) =
            (edge(self.anchor).min(edge(self.head)), edge(self.anchor).max(edge(self.head)));
        let rows = (self.anchor.row.min(self.head.row), self.anchor.row.max(self.head.row));
        (left < right).then(|| Range {
            first: (rows.0, left),
            last: (rows.1, right - 1),
            block: true,
        })
    }
}

/// What a cell is to a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Blank,
    Separator,
    Word,
}

/// What the cell at a column is to a word; the other half of a wide character is what that is.
pub(crate) fn class(row: &Row, col: u16) -> Class {
    let at = |col: u16| row.cells.get(usize::from(col)).copied().unwrap_or(Cell::BLANK);
    let mut cell = at(col);
    if cell.has(flags::SPACER) && col > 0 && at(col - 1).has(flags::WIDE) {
        cell = at(col - 1);
    }
    match char::from_u32(cell.glyph) {
        _ if cell.has(flags::CLUSTER) => Class::Word,
        None | Some('\0') => Class::Blank,
        Some(c) if c.is_whitespace() => Class::Blank,
        Some(c) if SEPARATORS.contains(c) => Class::Separator,
        Some(_) => Class::Word,
    }
}

/// The text of some columns of a row, both included. Blanks that the row leaves out are added where the
/// text goes on in the next row.
pub(crate) fn text(row: &Row, from: u16, to: u16, cols: u16) -> String {
    let goes_on = row.wrapped && to + 1 >= cols;
    let mut from = usize::from(from);
    // Half a wide character is the whole of it.
    if from > 0 && row.cells.get(from).is_some_and(|cell| cell.has(flags::SPACER)) {
        from -= usize::from(row.cells[from - 1].has(flags::WIDE));
    }
    let end = (usize::from(to) + 1).min(row.cells.len());
    let cells = row.cells.get(from..end).unwrap_or_default().to_vec();
    let part = Row { cells, clusters: row.clusters.clone(), ..Row::default() };
    let mut text = part.text();
    if goes_on {
        let missing = usize::from(cols).saturating_sub(row.cells.len().max(from));
        text.extend(std::iter::repeat_n(' ', missing));
    } else {
        text.truncate(text.trim_end_matches(' ').len());
    }
    text
}

/// Flags columns of a packed row, blank ones too, and wide characters whole.
pub(crate) fn mark(row: &mut Row, from: u16, to: u16, cols: u16, flag: u16) {
    let mut from = usize::from(from);
    let mut end = usize::from(to) + 1;
    let cells = &row.cells;
    if from > 0
        && cells.get(from).is_some_and(|cell| cell.has(flags::SPACER))
        && cells[from - 1].has(flags::WIDE)
    {
        from -= 1;
    }
    if cells.get(end - 1).is_some_and(|cell| cell.has(flags::WIDE)) {
        end += 1;
    }
    let end = end.min(usize::from(cols));
    if row.cells.len() < end {
        row.cells.resize(end, Cell::BLANK);
    }
    for cell in row.cells.get_mut(from..end).unwrap_or_default() {
        cell.flags |= flag;
    }
}
