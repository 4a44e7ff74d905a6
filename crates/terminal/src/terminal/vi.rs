//! Vi mode: a cursor of the user's own over screen and history. The child sees nothing of it.
//!
//! Motions are vim's, on rows that were wrapped as if they were one line. Words end where those of a double
//! click do; a run of separators is a word, too. Rows without text are passed over by words.

use maestro_core::input::{Motion, ScrollTo, SelectBy, Vi as Do};
use maestro_core::screen::{Cell, Cursor, CursorShape, Row, flags};

use super::Terminal;
use crate::cold::Point;
use crate::select::{self, Class, Place, Selection};

/// How many rows a motion that looks for something passes.
const FAR: u64 = 10_000;

/// How many rows lie between brackets that belong together, at most.
const BRACKET_ROWS: u64 = 1000;

/// What vi mode remembers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vi {
    cursor: Point,
    /// Where the selection began, and by what it grows.
    anchor: Option<(Point, SelectBy)>,
}

impl Vi {
    /// The cells it remembers.
    pub(super) fn points(&mut self) -> Vec<&mut Point> {
        let anchor = self.anchor.as_mut().map(|(anchor, _)| anchor);
        std::iter::once(&mut self.cursor).chain(anchor).collect()
    }
}

impl Terminal {
    pub(super) fn vi(&mut self, what: Do) {
        match what {
            Do::Enter => self.enter_vi(),
            Do::Leave => {
                if self.vi.take().is_some() {
                    self.version += 1;
                    self.set_offset(0);
                }
            }
            Do::Move(motion) => {
                if self.vi.is_some() {
                    self.vi_move(motion);
                }
            }
            Do::Select(by) => {
                let Some(vi) = &mut self.vi else { return };
                vi.anchor = match vi.anchor {
                    Some((_, old)) if old == by => None,
                    Some((anchor, _)) => Some((anchor, by)),
                    None => Some((vi.cursor, by)),
                };
                self.select_by_vi(true);
            }
            Do::Swap => {
                self.land();
                let Some(vi) = &mut self.vi else { return };
                if let Some((anchor, _)) = &mut vi.anchor {
                    std::mem::swap(anchor, &mut vi.cursor);
                    let row = vi.cursor.row;
                    self.show(row);
                    self.select_by_vi(false);
                }
            }
        }
    }

    fn enter_vi(&mut self) {
        if self.vi.is_some() {
            return;
        }
        let top = self.first_shown();
        let bottom = top + u64::from(self.options.size.rows) - 1;
        let cursor = self.cursor_point();
        let cursor = if cursor.row <= bottom { cursor } else { Point { row: bottom, col: 0 } };
        let cursor = self.on_character(cursor);
        self.vi = Some(Vi { cursor, anchor: None });
        let offset = self.offset() as i64;
        self.set_offset(offset);
        self.clear_selection();
        self.version += 1;
    }

    pub(super) fn vi_cursor(&self) -> Option<Point> {
        self.vi.map(|vi| vi.cursor)
    }

    /// The cursor to show: vi mode's, or the child's.
    pub(super) fn shown_cursor(&self, offset: usize) -> Option<Cursor> {
        let Some(vi) = self.vi else { return self.cursor(offset) };
        let row = vi.cursor.row.checked_sub(self.first_shown())?;
        let row = u16::try_from(row).ok().filter(|row| *row < self.options.size.rows)?;
        Some(Cursor { row, col: vi.cursor.col, shape: CursorShape::Block, blinking: false })
    }

    /// The cursor goes somewhere, and the selection's end with it.
    pub(super) fn move_vi_to(&mut self, point: Point) {
        let Some(vi) = &mut self.vi else { return };
        if vi.cursor != point {
            vi.cursor = point;
            self.version += 1;
            self.select_by_vi(false);
        }
    }

    /// The mouse selects: its cell is the cursor's.
    pub(super) fn vi_clicked(&mut self, place: Place) {
        if let Some(vi) = &mut self.vi {
            *vi = Vi { cursor: Point { row: place.row, col: place.col }, anchor: None };
            self.version += 1;
        }
    }

    /// The selection ends; motions select nothing from here on.
    pub(super) fn vi_selects_nothing(&mut self) {
        if let Some(vi) = &mut self.vi {
            vi.anchor = None;
        }
    }

    fn select_by_vi(&mut self, ends: bool) {
        let Some(vi) = self.vi else { return };
        let Some((anchor, by)) = vi.anchor else {
            if ends {
                self.clear_selection();
            }
            return;
        };
        let place = |point: Point, right| Place { row: point.row, col: point.col, right };
        // Both ends are selected, whichever comes first.
        let behind =
            if by == SelectBy::Block { vi.cursor.col >= anchor.col } else { vi.cursor >= anchor };
        let (anchor, head) = (place(anchor, !behind), place(vi.cursor, behind));
        self.set_selection(Some(Selection { anchor, head, by }));
    }

    /// The viewport stays at the cursor.
    pub(super) fn show_vi(&mut self) {
        let Some(vi) = self.vi else { return };
        if self.is_parked() {
            // All between the two, so that they can be compared.
            let around = 2 * usize::from(self.options.size.rows);
            let span =
                (self.first_shown().min(vi.cursor.row), self.first_shown().max(vi.cursor.row));
            self.with_points(|cold, points| cold.freshen(span, (around, around), points));
        }
        if let Some(vi) = self.vi {
            self.show(vi.cursor.row);
        }
    }

    /// The cursor stays in what can be seen.
    pub(super) fn keep_vi_shown(&mut self) {
        let Some(vi) = self.vi else { return };
        let top = self.first_shown();
        let bottom = top + u64::from(self.options.size.rows) - 1;
        self.move_vi_to(Point { row: vi.cursor.row.clamp(top, bottom), ..vi.cursor });
    }

    /// Its rows may be gone.
    pub(super) fn settle_vi(&mut self) {
        let (oldest, newest) = (self.oldest(), self.newest());
        // A column of a row that has to be wrapped yet is one of its old width.
        let cols = if self.is_parked() { u16::MAX } else { self.options.size.cols };
        if let Some(vi) = &mut self.vi {
            for point in vi.points() {
                point.row = point.row.clamp(oldest, newest);
                point.col = point.col.min(cols - 1);
            }
        }
    }

    fn vi_move(&mut self, motion: Motion) {
        self.land();
        let Some(vi) = self.vi else { return };
        let at = vi.cursor;
        let rows = i64::from(self.options.size.rows);
        let top = self.first_shown();
        let to = match motion {
            Motion::Left => self.beside(at, false),
            Motion::Right => self.beside(at, true),
            Motion::Up => Point { row: self.upwards(at.row, 1), ..at },
            Motion::Down => Point { row: (at.row + 1).min(self.newest()), ..at },
            Motion::First => self.first_column(at),
            Motion::Last => self.last_filled(at),
            Motion::FirstFilled => self.first_filled_of_line(at),
            Motion::High => self.first_filled(top),
            Motion::Middle => self.first_filled(top + ((rows - 1) / 2) as u64),
            Motion::Low => self.first_filled(top + (rows - 1) as u64),
            Motion::WordLeft => self.word_left(at, false),
            Motion::WordRight => self.word_right(at, false),
            Motion::WordLeftEnd => self.word_left_end(at),
            Motion::WordRightEnd => self.word_right_end(at, false),
            Motion::SpaceLeft => self.word_left(at, true),
            Motion::SpaceRight => self.word_right(at, true),
            Motion::SpaceRightEnd => self.word_right_end(at, true),
            Motion::Bracket => self.bracket(at).unwrap_or(at),
            Motion::ParagraphUp => self.paragraph(at.row, false),
            Motion::ParagraphDown => self.paragraph(at.row, true),
            Motion::HalfPageUp => self.page(at, (rows / 2).max(1)),
            Motion::HalfPageDown => self.page(at, -(rows / 2).max(1)),
            Motion::PageUp => self.page(at, rows),
            Motion::PageDown => self.page(at, -rows),
            Motion::Top => {
                self.wrap_cold(0);
                let oldest = self.oldest();
                self.first_filled(oldest)
            }
            Motion::Bottom => {
                let last = self.last_row();
                self.first_filled(last)
            }
            Motion::PromptUp | Motion::PromptDown => {
                let count = if motion == Motion::PromptUp { 1 } else { -1 };
                match self.prompt_from(at.row, count) {
                    Some(row) => Point { row, col: 0 },
                    None => at,
                }
            }
            Motion::MatchUp => return self.search_move(false),
            Motion::MatchDown => return self.search_move(true),
        };
        let to = self.on_character(to);
        self.show(to.row);
        self.move_vi_to(to);
    }

    /// The row so many rows above, as far as there are any.
    fn upwards(&mut self, row: u64, count: u64) -> u64 {
        let wanted = row.saturating_sub(count);
        self.wrap_cold(wanted);
        wanted.max(self.oldest())
    }

    /// The viewport and the cursor move together; positive is towards older rows.
    fn page(&mut self, at: Point, count: i64) -> Point {
        let row = if count > 0 {
            self.upwards(at.row, count as u64)
        } else {
            (at.row + count.unsigned_abs()).min(self.newest())
        };
        self.scroll_to(ScrollTo::Lines(count as i32));
        self.first_filled(row)
    }

    /// The last row with text, or the child's cursor's if that is lower.
    fn last_row(&mut self) -> u64 {
        let cursor = self.cursor_point().row;
        let mut row = self.newest();
        while row > cursor && self.is_blank(row) {
            row -= 1;
        }
        row
    }

    // Cells.

    fn read(&mut self, number: u64) -> Row {
        let mut row = Row::default();
        let _ = self.fetch(number, &mut row);
        row
    }

    fn is_blank(&mut self, number: u64) -> bool {
        let row = self.read(number);
        (0..row.cells.len() as u16).all(|col| select::class(&row, col) == Class::Blank)
    }

    /// The second half of a wide character belongs to the first.
    fn on_character(&mut self, point: Point) -> Point {
        let row = self.read(point.row);
        Point { col: self.whole(&row, point.col), ..point }
    }

    fn first_filled(&mut self, number: u64) -> Point {
        let row = self.read(number);
        let filled =
            (0..row.cells.len() as u16).find(|col| select::class(&row, *col) != Class::Blank);
        Point { row: number, col: filled.unwrap_or(0) }
    }

    fn first_column(&mut self, at: Point) -> Point {
        let mut row = at.row;
        if at.col == 0 {
            while at.row - row < FAR && row > self.oldest() && self.wraps(row - 1) {
                row -= 1;
            }
        }
        Point { row, col: 0 }
    }

    fn first_filled_of_line(&mut self, at: Point) -> Point {
        let here = self.first_filled(at.row);
        if here != at {
            return here;
        }
        let begin = self.first_column(Point { col: 0, ..at });
        self.first_filled(begin.row)
    }

    /// Beyond the last character of a row that goes on is that of its line.
    fn last_filled(&mut self, at: Point) -> Point {
        let last = |row: &Row| {
            let mut cols = (0..row.cells.len() as u16).rev();
            cols.find(|col| select::class(row, *col) != Class::Blank).unwrap_or(0)
        };
        let row = self.read(at.row);
        let col = self.whole(&row, last(&row));
        if at.col < col || !row.wrapped {
            return Point { col, ..at };
        }
        let mut number = at.row;
        while number - at.row < FAR && self.wraps(number) && number < self.newest() {
            number += 1;
        }
        let row = self.read(number);
        Point { row: number, col: last(&row) }
    }

    /// The next cell within the line.
    fn beside(&mut self, at: Point, forward: bool) -> Point {
        let row = self.read(at.row);
        let mut walk = Walk { terminal: self, number: at.row, row };
        match walk.step(at, forward) {
            Some((next, false)) => next,
            _ => at,
        }
    }

    fn walk(&mut self, at: Point) -> Walk<'_> {
        let row = self.read(at.row);
        Walk { terminal: self, number: at.row, row }
    }

    fn word_right(&mut self, at: Point, big: bool) -> Point {
        let mut walk = self.walk(at);
        let class = walk.class(at, big);
        let mut to = at;
        if class != Class::Blank {
            loop {
                let Some((next, breaks)) = walk.step(to, true) else { return to };
                to = next;
                if breaks || walk.class(to, big) != class || to.row.abs_diff(at.row) > FAR {
                    break;
                }
            }
        }
        walk.skip_blanks(at, to, true)
    }

    fn word_right_end(&mut self, at: Point, big: bool) -> Point {
        let mut walk = self.walk(at);
        let Some((next, _)) = walk.step(at, true) else { return at };
        let to = walk.skip_blanks(at, next, true);
        walk.end_of_word(to, big, true)
    }

    fn word_left(&mut self, at: Point, big: bool) -> Point {
        let mut walk = self.walk(at);
        let Some((next, _)) = walk.step(at, false) else { return at };
        let to = walk.skip_blanks(at, next, false);
        walk.end_of_word(to, big, false)
    }

    fn word_left_end(&mut self, at: Point) -> Point {
        let mut walk = self.walk(at);
        let class = walk.class(at, false);
        let mut to = at;
        loop {
            let Some((next, breaks)) = walk.step(to, false) else { return to };
            to = next;
            let far = to.row.abs_diff(at.row) > FAR;
            if class == Class::Blank || breaks || far || walk.class(to, false) != class {
                break;
            }
        }
        walk.skip_blanks(at, to, false)
    }

    fn paragraph(&mut self, from: u64, forward: bool) -> Point {
        let mut row = from;
        let mut text = false;
        loop {
            let next = if forward { row + 1 } else { row.saturating_sub(1) };
            let end = next > self.newest() || next < self.oldest();
            if end || row.abs_diff(from) > FAR {
                return Point { row, col: 0 };
            }
            text |= !self.is_blank(row);
            row = next;
            if text && self.is_blank(row) {
                return Point { row, col: 0 };
            }
        }
    }

    /// The bracket that belongs to the first one at the cursor or behind it in its row.
    fn bracket(&mut self, at: Point) -> Option<Point> {
        const PAIRS: [(char, char); 4] = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')];
        let cols = self.options.size.cols;
        let mut walk = self.walk(at);
        let (begin, (open, close), forward) = (at.col..cols).find_map(|col| {
            let point = Point { col, ..at };
            let c = walk.char(point)?;
            let pair = PAIRS.into_iter().find(|(open, close)| c == *open || c == *close)?;
            Some((point, pair, c == pair.0))
        })?;
        let (deeper, shallower) = if forward { (open, close) } else { (close, open) };
        let (mut point, mut depth) = (begin, 1);
        while point.row.abs_diff(at.row) < BRACKET_ROWS {
            point = walk.step(point, forward)?.0;
            match walk.char(point) {
                Some(c) if c == deeper => depth += 1,
                Some(c) if c == shallower => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(point);
            }
        }
        None
    }
}

/// Steps over cells, with the row at hand.
struct Walk<'a> {
    terminal: &'a mut Terminal,
    number: u64,
    row: Row,
}

impl Walk<'_> {
    fn at(&mut self, number: u64) -> &Row {
        if self.number != number {
            let _ = self.terminal.fetch(number, &mut self.row);
            self.number = number;
        }
        &self.row
    }

    fn cell(&mut self, point: Point) -> Cell {
        self.at(point.row).cells.get(usize::from(point.col)).copied().unwrap_or(Cell::BLANK)
    }

    fn char(&mut self, point: Point) -> Option<char> {
        let cell = self.cell(point);
        char::from_u32(cell.glyph).filter(|_| !cell.has(flags::CLUSTER))
    }

    fn class(&mut self, point: Point, big: bool) -> Class {
        match select::class(self.at(point.row), point.col) {
            Class::Separator if big => Class::Word,
            class => class,
        }
    }

    /// The next character's cell, and whether a line break lies between.
    fn step(&mut self, from: Point, forward: bool) -> Option<(Point, bool)> {
        let cols = self.terminal.options.size.cols;
        let mut point = from;
        let mut breaks = false;
        loop {
            point = if forward && point.col + 1 < cols {
                Point { col: point.col + 1, ..point }
            } else if forward {
                breaks |= !self.at(point.row).wrapped;
                let next = Point { row: point.row + 1, col: 0 };
                (next.row <= self.terminal.newest()).then_some(next)?
            } else if point.col > 0 {
                Point { col: point.col - 1, ..point }
            } else {
                let above = Point { row: point.row.checked_sub(1)?, col: cols - 1 };
                if above.row < self.terminal.oldest() {
                    return None;
                }
                breaks |= !self.at(above.row).wrapped;
                above
            };
            if !self.cell(point).has(flags::SPACER) {
                return Some((point, breaks));
            }
        }
    }

    /// The next cell that is not blank, this one included; `from` if there is none.
    fn skip_blanks(&mut self, from: Point, mut to: Point, forward: bool) -> Point {
        while self.class(to, false) == Class::Blank {
            // Rows are mostly blank at their ends.
            let filled = self.at(to.row).cells.len() as u16;
            let cols = self.terminal.options.size.cols;
            if forward && to.col >= filled {
                to.col = cols - 1;
            } else if !forward && to.col > filled {
                to.col = filled;
            }
            if to.row.abs_diff(from.row) > FAR {
                return from;
            }
            let Some((next, _)) = self.step(to, forward) else { return from };
            to = next;
        }
        to
    }

    /// The last cell of a word in a direction.
    fn end_of_word(&mut self, at: Point, big: bool, forward: bool) -> Point {
        let class = self.class(at, big);
        let mut to = at;
        while let Some((next, false)) = self.step(to, forward) {
            if self.class(next, big) != class || next.row.abs_diff(at.row) > FAR {
                break;
            }
            to = next;
        }
        to
    }
}
