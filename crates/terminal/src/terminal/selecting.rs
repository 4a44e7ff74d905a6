//! The selection: what of the history and the screen it holds, and when a child takes it away.

use std::hash::{DefaultHasher, Hash, Hasher};

use maestro_core::input::{ScrollTo, Select, SelectBy};
use maestro_core::link;
use maestro_core::screen::{Row, flags};

use super::Terminal;
use crate::select::{self, Class, Place, Range, Selection};

/// How far a word goes on over wrapped rows.
const WORD_ROWS: u64 = 64;

/// How far a line does: a megabyte at 120 columns.
const LINE_ROWS: u64 = 8192;

/// A look at the selected rows that a child could still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selected {
    from: u64,
    to: u64,
    hash: u64,
}

impl Terminal {
    pub(super) fn select(&mut self, select: Select) {
        let size = self.options.size;
        match select {
            Select::Start { row, col, right_half, by } => {
                let place = self.place(i32::from(row), col, right_half);
                self.vi_clicked(place);
                self.set_selection(Some(Selection { anchor: place, head: place, by }));
            }
            Select::Update { row, col, right_half } => {
                let last = i32::from(size.rows) - 1;
                if row < 0 {
                    self.scroll_to(ScrollTo::Lines(row.saturating_neg()));
                } else if row > last {
                    self.scroll_to(ScrollTo::Lines(last - row));
                }
                if let Some(selection) = self.selection {
                    let head = self.place(row, col, right_half);
                    self.set_selection(Some(Selection { head, ..selection }));
                }
            }
            Select::All => {
                self.wrap_cold(0);
                let last = self.newest();
                self.set_selection(Some(Selection {
                    anchor: Place { row: self.oldest(), col: 0, right: false },
                    head: Place { row: last, col: size.cols - 1, right: true },
                    by: SelectBy::Cell,
                }));
            }
            Select::Output(of) => {
                self.land();
                let Some(range) = self.output_range(of) else { return };
                let place = |(row, col), right| Place { row, col, right };
                self.set_selection(Some(Selection {
                    anchor: place(range.first, false),
                    head: place(range.last, true),
                    by: SelectBy::Cell,
                }));
            }
            Select::Clear => {
                self.vi_selects_nothing();
                self.clear_selection();
            }
        }
    }

    /// A place in the viewport, brought into it.
    fn place(&self, row: i32, col: u16, right: bool) -> Place {
        let size = self.options.size;
        let row = row.clamp(0, i32::from(size.rows) - 1) as u64;
        let top = self.first_shown();
        let beyond = col >= size.cols;
        Place { row: top + row, col: col.min(size.cols - 1), right: right || beyond }
    }

    pub(super) fn clear_selection(&mut self) {
        self.set_selection(None);
    }

    pub(super) fn set_selection(&mut self, selection: Option<Selection>) {
        if self.selection != selection {
            self.selection = selection;
            self.version += 1;
        }
        self.selected = self.selected_range().and_then(|range| self.look_at_selected(range));
    }

    /// A child that changes selected text takes the selection away: what is copied is what was seen.
    pub(super) fn check_selection(&mut self) {
        if self.selection.is_none() {
            return;
        }
        // Once only: a line may be long, and this follows all output.
        let range = self.selected_range();
        let gone = range.is_some_and(|range| range.last.0 < self.oldest());
        let seen = self.selected;
        let mut is_same = |seen: Selected| {
            range.is_some_and(|range| self.hash_selected(range, seen) == seen.hash)
        };
        if gone || !seen.is_none_or(&mut is_same) {
            self.clear_selection();
        } else {
            self.selected = range.and_then(|range| self.look_at_selected(range));
        }
    }

    /// The part of the selection that is on the screen, where a child can change it.
    fn look_at_selected(&mut self, range: Range) -> Option<Selected> {
        let from = range.first.0.max(self.emulator.base());
        let rows = Selected { from, to: range.last.0, hash: 0 };
        (from <= rows.to).then(|| Selected { hash: self.hash_selected(range, rows), ..rows })
    }

    fn hash_selected(&mut self, range: Range, rows: Selected) -> u64 {
        let mut hasher = DefaultHasher::new();
        let cols = self.options.size.cols;
        let mut row = std::mem::take(&mut self.scratch);
        for number in rows.from..=rows.to {
            let found = self.fetch(number, &mut row);
            if let Some((from, to)) = range.columns(number, cols).filter(|_| found) {
                select::text(&row, from, to, cols).hash(&mut hasher);
            }
        }
        self.scratch = row;
        hasher.finish()
    }

    /// The selected cells, words and lines whole.
    pub(super) fn selected_range(&mut self) -> Option<Range> {
        let selection = self.selection?;
        let range = selection.raw(self.options.size.cols)?;
        Some(match selection.by {
            SelectBy::Cell | SelectBy::Block => range,
            SelectBy::Word => Range {
                first: self
                    .address_at(range.first)
                    .map_or_else(|| self.word_end(range.first, true), |address| address.0),
                last: self
                    .address_at(range.last)
                    .map_or_else(|| self.word_end(range.last, false), |address| address.1),
                ..range
            },
            SelectBy::Line => Range {
                first: (self.line_end(range.first.0, true), 0),
                last: (self.line_end(range.last.0, false), self.options.size.cols - 1),
                ..range
            },
        })
    }

    /// The first or last row of the line a row belongs to.
    fn line_end(&mut self, mut row: u64, backwards: bool) -> u64 {
        for _ in 0..LINE_ROWS {
            let wraps = if backwards {
                row.checked_sub(1).is_some_and(|above| self.wraps(above))
            } else {
                self.wraps(row)
            };
            if !wraps {
                break;
            }
            row = if backwards { row - 1 } else { row + 1 };
        }
        row
    }

    /// The first and the last cell of the address a cell belongs to.
    fn address_at(&mut self, (number, col): (u64, u16)) -> Option<((u64, u16), (u64, u16))> {
        let mut first = number;
        while first > self.oldest() && number - first < WORD_ROWS && self.wraps(first - 1) {
            first -= 1;
        }
        let mut rows = Vec::new();
        let mut row = Row { wrapped: true, ..Row::default() };
        let mut next = first;
        while next <= number + WORD_ROWS && row.wrapped {
            if !self.fetch(next, &mut row) {
                break;
            }
            rows.push(row.clone());
            next += 1;
        }
        let rows: Vec<&Row> = rows.iter().collect();
        let at = (number - first) as u16;
        let link = link::link_at(&rows, self.options.size.cols, at, col)?;
        let (begin, end) = (link.spans.first()?, link.spans.last()?);
        let of = |row: u16, col: u16| (first + u64::from(row), col);
        (link.kind == link::Kind::Url)
            .then(|| (of(begin.row, begin.from), of(end.row, end.to.saturating_sub(1))))
    }

    /// The first or last cell of the word a cell belongs to.
    fn word_end(&mut self, from: (u64, u16), backwards: bool) -> (u64, u16) {
        let cols = self.options.size.cols;
        // Lines wrapped anew may leave the place behind the last column.
        let from = (from.0, from.1.min(cols - 1));
        let mut row = Row::default();
        if !self.fetch(from.0, &mut row) {
            return from;
        }
        let class = select::class(&row, from.1);
        if class == Class::Separator {
            return from;
        }
        let (mut number, mut col) = from;
        loop {
            let edge = if backwards { col == 0 } else { col + 1 == cols };
            let (next_number, next_col) = match (edge, backwards) {
                (false, true) => (number, col - 1),
                (false, false) => (number, col + 1),
                (true, true) => match number.checked_sub(1) {
                    Some(above) if self.wraps(above) => (above, cols - 1),
                    _ => break,
                },
                (true, false) if row.wrapped => (number + 1, 0),
                (true, false) => break,
            };
            if next_number.abs_diff(from.0) > WORD_ROWS {
                break;
            }
            if next_number != number && !self.fetch(next_number, &mut row) {
                break;
            }
            if select::class(&row, next_col) != class {
                break;
            }
            (number, col) = (next_number, next_col);
        }
        (number, col)
    }

    /// A column brought to the first half of a wide character.
    pub(super) fn whole(&self, row: &Row, col: u16) -> u16 {
        let at = usize::from(col);
        let has = |at: usize, flag| row.cells.get(at).is_some_and(|cell| cell.has(flag));
        let half = at > 0 && has(at, flags::SPACER) && has(at - 1, flags::WIDE);
        col - u16::from(half)
    }
}
