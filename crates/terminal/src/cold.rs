//! Old rows, kept small. A chunk of some 256 rows becomes text and attribute runs, compressed: 9 to 17
//! bytes a row instead of 2.9 KB in the emulator. Reading unpacks one chunk at a time.
//!
//! Rows have the numbers they had in the emulator. Another width wraps the chunks anew, newest first and
//! no further than somebody reads; until then, older rows are counted as they were wrapped before.
//!
//! Somebody may read far up, or have something selected there. What is in sight is wrapped by itself then
//! ([`Cold::freshen`]), and all cells that are remembered move with their text whenever rows are wrapped,
//! so that the long way from the newest row up to them can be gone in slices.

mod chunk;

use std::collections::VecDeque;
use std::sync::Arc;

use maestro_core::screen::Row;

use self::chunk::Chunk;
pub(crate) use self::chunk::{Found, Packed, Unpacker};
use crate::marks::{Kind, NEAR};

/// Rows in one chunk, about: smaller ones compress worse, larger ones are slower to read.
pub(crate) const CHUNK: usize = 256;

/// The most rows of one line that are kept in one chunk, and looked through in one piece: 120 KiB of
/// text at 120 columns. Longer lines are cut for a search and for the next width, nowhere else.
pub(crate) const LINE: usize = 1024;

/// The most rows that are wrapped anew because somebody goes there: more are wrapped in slices.
const FAR: usize = 4096;

/// The store. Its last row lies directly above the oldest one still in the emulator.
#[derive(Debug, Default)]
pub(crate) struct Cold {
    chunks: VecDeque<Chunk>,
    /// Rows in all chunks.
    rows: usize,
    /// Bytes in all chunks.
    bytes: usize,
    /// Columns rows are wanted at.
    cols: u16,
    /// How many of the newest chunks are known to be wrapped at them.
    fresh: usize,
    /// Somebody remembers cells of older rows than those: nothing is wrapped without moving them, and
    /// nothing because a row is read.
    parked: bool,
    /// Rows that were wrapped anew since the beginning.
    wrapped: u64,
    /// The chunk read last, by its serial number.
    cache: Option<(u64, Vec<Row>)>,
    serial: u64,
}

impl Cold {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn clear(&mut self) {
        let Self { serial, cols, wrapped, .. } = *self;
        *self = Self { serial, cols, wrapped, ..Self::default() };
    }

    /// Whether every chunk is wrapped at the width that is wanted.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh == self.chunks.len()
    }

    /// Adds rows at the newer end, as one chunk. `first` is the number of the first.
    pub(crate) fn push(&mut self, rows: &[Row], cols: u16, first: u64) {
        if rows.is_empty() {
            return;
        }
        self.set_cols(cols);
        self.serial += 1;
        let chunk = Chunk::new(self.serial, first, rows, cols);
        self.rows += chunk.rows;
        self.bytes += chunk.bytes();
        self.chunks.push_back(chunk);
        self.fresh += 1;
    }

    /// Forgets whole chunks at the older end while at least `keep` rows remain. While rows are counted as
    /// they were wrapped before, nobody knows how many that will be, and nothing is forgotten but a
    /// great surplus.
    pub(crate) fn shorten(&mut self, keep: usize) {
        let keep = if self.is_fresh() { keep } else { keep.saturating_mul(8) };
        while let Some(first) = self.chunks.front() {
            if self.rows - first.rows < keep {
                break;
            }
            self.rows -= first.rows;
            self.bytes -= first.bytes();
            let _ = self.chunks.pop_front();
            self.fresh = self.fresh.min(self.chunks.len());
        }
    }

    /// The row after the newest that was not looked at since the width changed; 0 without any.
    pub(crate) fn stale_end(&self) -> u64 {
        let stale = self.chunks.len() - self.fresh;
        stale.checked_sub(1).map_or(0, |last| self.chunks[last].end())
    }

    /// Whether cells of rows are remembered that have to be wrapped yet.
    pub(crate) fn is_parked(&self) -> bool {
        self.parked
    }

    /// Says whether they are.
    pub(crate) fn park(&mut self, parked: bool) {
        self.parked = parked;
    }

    /// Rows that were wrapped anew since the beginning.
    pub(crate) fn wrapped(&self) -> u64 {
        self.wrapped
    }

    /// A row by its number, if it is here. While cells are remembered in rows that have to be wrapped yet,
    /// only rows that are wrapped are here.
    pub(crate) fn row(&mut self, number: u64) -> Option<&Row> {
        if !self.parked {
            self.wrap(number, &mut []);
        }
        let chunk = &self.chunks[self.index(number)?];
        if self.parked && !chunk.fits(self.cols) {
            return None;
        }
        if self.cache.as_ref().is_none_or(|(serial, _)| *serial != chunk.serial) {
            self.cache = Some((chunk.serial, chunk.read()));
        }
        self.cache.as_ref()?.1.get((number - chunk.first) as usize)
    }

    /// Forgets the unpacked chunk.
    pub(crate) fn forget_cache(&mut self) {
        self.cache = None;
    }

    /// Rows are wanted at this width from now on.
    pub(crate) fn set_cols(&mut self, cols: u16) {
        if self.cols != cols {
            self.cols = cols;
            self.fresh = 0;
        }
    }

    /// Wraps what is needed for the row of a number, and for all `points`, which move with their text. They
    /// are given by the numbers rows had before.
    pub(crate) fn wrap(&mut self, number: u64, points: &mut [&mut Point]) {
        let oldest = points.iter().map(|point| point.row).min().unwrap_or(u64::MAX);
        self.rewrap(points, |new, old, _| new <= number && old <= oldest);
    }

    /// Wraps about `rows` rows; `true` when there are more. `points` move with their text.
    pub(crate) fn wrap_some(&mut self, rows: usize, points: &mut [&mut Point]) -> bool {
        self.rewrap(points, |_, _, done| done >= rows);
        !self.is_fresh()
    }

    /// Wraps the rows between two, both included, and at least so many above and below them, whatever
    /// lies between them and the newest. Numbers of rows above change by that, and `points` with them.
    pub(crate) fn freshen(
        &mut self,
        (from, to): (u64, u64),
        (up, down): (usize, usize),
        points: &mut [&mut Point],
    ) {
        let (Some(front), Some(back)) = (self.chunks.front(), self.chunks.back()) else { return };
        let inside = |number: u64| number.clamp(front.first, back.end() - 1);
        let (from, to) = (inside(from), inside(to));
        let (Some(first), Some(last)) = (self.index(from), self.index(to)) else { return };
        (first..=last).for_each(|index| self.freshen_chunk(index, points));
        let mut enough = 0;
        for index in last + 1..self.chunks.len() {
            if enough >= down {
                break;
            }
            self.freshen_chunk(index, points);
            enough += self.chunks[index].rows;
        }
        let mut enough = 0;
        for index in (0..first).rev() {
            if enough >= up {
                break;
            }
            self.freshen_chunk(index, points);
            enough += self.chunks[index].rows;
        }
    }

    fn freshen_chunk(&mut self, index: usize, points: &mut [&mut Point]) {
        let (old, end) = (self.chunks[index].first, self.chunks[index].end());
        let _ = self.wrap_chunk(index, end, points);
        let new = self.chunks[index].first;
        self.shift(index, (old, new), points);
    }

    /// Whether so many rows would have to be wrapped to make the number of a row right that it takes
    /// several milliseconds.
    pub(crate) fn is_far(&self, number: u64) -> bool {
        let stale = self.chunks.len() - self.fresh;
        let chunks = self.chunks.iter().take(stale).rev();
        let mut rows = 0;
        for chunk in chunks.take_while(|chunk| chunk.end() > number) {
            rows += if chunk.fits(self.cols) { 0 } else { chunk.rows };
            if rows > FAR {
                return true;
            }
        }
        false
    }

    /// Wraps every row.
    #[cfg(test)]
    pub(crate) fn wrap_all(&mut self) {
        self.rewrap(&mut [], |_, _, _| false);
    }

    /// Wraps chunks, newest first, until it is enough: by the number the last one's first row has now, by the
    /// one it had, by the rows that were wrapped.
    fn rewrap(&mut self, points: &mut [&mut Point], enough: impl Fn(u64, u64, usize) -> bool) {
        let mut index = self.chunks.len() - self.fresh;
        if index == 0 {
            return;
        }
        let behind = self.chunks.get(index).map(|chunk| chunk.first);
        let Some(behind) = behind.or_else(|| self.chunks.back().map(Chunk::end)) else { return };
        let (mut new, mut old, mut done) = (behind, behind, 0);
        if enough(new, old, done) {
            return;
        }
        while index > 0 && !enough(new, old, done) {
            index -= 1;
            old = self.chunks[index].first;
            done += self.wrap_chunk(index, new, points);
            new = self.chunks[index].first;
        }
        self.shift(index, (old, new), points);
        self.fresh = self.chunks.len() - index;
    }

    /// Wraps a chunk, whose rows end before a number then; returns how many rows had to be. Points in it
    /// move, and are marked as moved.
    fn wrap_chunk(&mut self, index: usize, end: u64, points: &mut [&mut Point]) -> usize {
        debug_assert!(!self.parked || !points.is_empty(), "what is remembered must move");
        let chunk = &mut self.chunks[index];
        let range = chunk.first..chunk.end();
        let mut moved: Vec<&mut &mut Point> =
            points.iter_mut().filter(|point| range.contains(&point.row)).collect();
        let mut inside: Vec<(usize, u16)> =
            moved.iter().map(|point| ((point.row - range.start) as usize, point.col)).collect();
        self.rows -= chunk.rows;
        self.bytes -= chunk.bytes();
        let done = if chunk.fits(self.cols) { 0 } else { chunk.rows };
        if chunk.cols != self.cols
            && self.cache.as_ref().is_some_and(|(serial, _)| *serial == chunk.serial)
        {
            self.cache = None;
        }
        chunk.rewrap(self.cols, &mut inside);
        self.rows += chunk.rows;
        self.bytes += chunk.bytes();
        chunk.first = end - chunk.rows as u64;
        for (point, (row, col)) in moved.iter_mut().zip(inside) {
            // A number that is in no chunk that is still to come.
            (point.row, point.col) = (MOVED | (chunk.first + row as u64), col);
        }
        self.wrapped += done as u64;
        done
    }

    /// The rows before a chunk, whose first row has another number now, follow it; and points do that have
    /// not moved.
    fn shift(&mut self, index: usize, (old, new): (u64, u64), points: &mut [&mut Point]) {
        for point in points {
            if point.row & MOVED != 0 {
                point.row &= !MOVED;
            } else if point.row < old {
                point.row = point.row + new - old;
            }
        }
        for chunk in self.chunks.iter_mut().take(index) {
            chunk.first = chunk.first + new - old;
        }
    }

    /// Where the chunk with a row is.
    fn index(&self, number: u64) -> Option<usize> {
        let index = self.chunks.partition_point(|chunk| chunk.end() <= number);
        (self.chunks.get(index)?.first <= number).then_some(index)
    }

    // Prompt marks.

    /// Keeps the mark of a row that is here.
    pub(crate) fn mark(&mut self, point: Point, kind: Kind) {
        if let Some(index) = self.index(point.row) {
            let chunk = &mut self.chunks[index];
            self.bytes -= chunk.bytes();
            chunk.mark((point.row - chunk.first) as u32, point.col, kind);
            self.bytes += chunk.bytes();
        }
    }

    /// The newest prompt mark, to be changed, where it is not [`NEAR`] marks away.
    pub(crate) fn last_prompt(&mut self) -> Option<&mut Kind> {
        let chunks = self.chunks.iter_mut().rev();
        let marks = chunks.flat_map(|chunk| {
            let serial = chunk.serial;
            chunk.marks.iter_mut().rev().map(move |(.., kind)| (serial, kind))
        });
        let (serial, prompt) = marks.take(NEAR).find(|(_, kind)| kind.is_prompt())?;
        if self.cache.as_ref().is_some_and(|(cached, _)| *cached == serial) {
            self.cache = None;
        }
        Some(prompt)
    }

    /// The nearest mark that is wanted: from a cell on (`forward`), or before it.
    pub(crate) fn find_mark(
        &mut self,
        from: Point,
        forward: bool,
        wanted: impl Fn(Kind) -> bool,
    ) -> Option<(Point, Kind)> {
        loop {
            // Numbers are right only where the rows are wrapped.
            self.wrap(from.row, &mut []);
            let stale = self.chunks.len() - self.fresh;
            let of = |chunk: &Chunk, entry: &(u32, u16, Kind)| Point {
                row: chunk.first + u64::from(entry.0),
                col: entry.1,
            };
            let found = if forward {
                let begin = self.chunks.partition_point(|chunk| chunk.end() <= from.row);
                self.chunks.iter().enumerate().skip(begin).find_map(|(index, chunk)| {
                    let mut marks = chunk.marks.iter().map(|entry| (of(chunk, entry), entry.2));
                    let found = marks.find(|(point, kind)| *point >= from && wanted(*kind));
                    found.map(|found| (index, found))
                })
            } else {
                let end = self.chunks.partition_point(|chunk| chunk.first <= from.row);
                self.chunks.iter().enumerate().take(end).rev().find_map(|(index, chunk)| {
                    let marks = chunk.marks.iter().rev();
                    let mut marks = marks.map(|entry| (of(chunk, entry), entry.2));
                    let found = marks.find(|(point, kind)| *point < from && wanted(*kind));
                    found.map(|found| (index, found))
                })
            };
            let (index, found) = found?;
            if index >= stale {
                return Some(found);
            }
            let first = self.chunks[index].first;
            self.rewrap(&mut [], |_, old, _| old <= first);
        }
    }

    // Searching.

    /// The chunks, newest first: serial number, first row, the row after the last, what was found.
    pub(crate) fn found(&self, search: u64) -> impl Iterator<Item = (u64, u64, u64, Found)> + '_ {
        self.chunks.iter().rev().map(move |chunk| {
            let found = if chunk.found.0 == search { chunk.found.1 } else { Found::Unknown };
            (chunk.serial, chunk.first, chunk.end(), found)
        })
    }

    /// Notes what was found in a chunk, if it is still there.
    pub(crate) fn set_found(&mut self, serial: u64, search: u64, found: Found) {
        let at = self.chunks.partition_point(|chunk| chunk.serial < serial);
        if let Some(chunk) = self.chunks.get_mut(at).filter(|chunk| chunk.serial == serial) {
            chunk.found = (search, found);
        }
    }

    /// A chunk's text, by its serial number.
    pub(crate) fn text(&self, serial: u64) -> Option<Arc<Packed>> {
        let at = self.chunks.partition_point(|chunk| chunk.serial < serial);
        let chunk = self.chunks.get(at).filter(|chunk| chunk.serial == serial)?;
        Some(Arc::clone(&chunk.text))
    }

    /// The number of a chunk's first row, by its serial number.
    pub(crate) fn first(&mut self, serial: u64) -> Option<u64> {
        let at = self.chunks.partition_point(|chunk| chunk.serial < serial);
        let stale = self.chunks.len() - self.fresh;
        if at < stale {
            let first = self.chunks.get(at)?.first;
            self.rewrap(&mut [], |_, old, _| old <= first);
        }
        self.chunks.get(at).filter(|chunk| chunk.serial == serial).map(|chunk| chunk.first)
    }

    /// A chunk's rows, by its serial number.
    pub(crate) fn rows(&mut self, serial: u64) -> Option<&[Row]> {
        let first = self.first(serial)?;
        let _ = self.row(first)?;
        self.cache.as_ref().map(|(_, rows)| rows.as_slice())
    }
}

/// Set in the number of a point that has moved.
const MOVED: u64 = 1 << 63;

/// A cell, by the number of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) row: u64,
    pub(crate) col: u16,
}

#[cfg(test)]
mod tests {
    use maestro_core::screen::{Cell, Color, Extra, flags};

    use super::*;

    /// The number of the row after the newest.
    const END: u64 = 1000;

    impl Cold {
        fn all(&mut self) -> Vec<Row> {
            self.wrap_all();
            self.chunks.iter().flat_map(Chunk::read).collect()
        }

        fn add(&mut self, rows: &[Row], cols: u16) {
            let first = self.chunks.back().map_or(END, Chunk::end);
            self.push(rows, cols, first);
        }

        fn texts(&mut self) -> Vec<String> {
            self.all().iter().map(Row::text).collect()
        }
    }

    fn cell(c: char) -> Cell {
        Cell { glyph: c as u32, ..Cell::BLANK }
    }

    fn line(text: &str) -> Row {
        let cells = text.chars().map(|c| if c == ' ' { Cell::BLANK } else { cell(c) }).collect();
        Row { cells, ..Row::default() }
    }

    fn wrapped(text: &str) -> Row {
        Row { wrapped: true, ..line(text) }
    }

    fn colourful() -> Row {
        let red = Cell { fg: Color::rgb(255, 0, 0), flags: flags::BOLD, ..cell('r') };
        let wide = Cell { flags: flags::WIDE, ..cell('好') };
        let spacer = Cell { flags: flags::SPACER, ..Cell::BLANK };
        let cluster = Cell { glyph: 0, flags: flags::CLUSTER, ..Cell::BLANK };
        let wide_cluster = Cell { glyph: 1, flags: flags::CLUSTER | flags::WIDE, ..Cell::BLANK };
        let link = Cell { extra: 1, ..cell('l') };
        let blue = Cell { bg: Color::indexed(4), ..Cell::BLANK };
        let mut cells = vec![red, red, wide, spacer, wide, spacer, cluster, wide_cluster, spacer];
        cells.extend([link, cell('x'), blue, spacer]);
        Row {
            cells,
            clusters: vec!["e\u{301}".to_owned(), "⌨\u{fe0f}".to_owned()],
            extras: vec![Extra {
                underline: Some(Color(u32::MAX - 1)),
                link: Some("https://a".to_owned()),
            }],
            wrapped: true,
            ..Row::default()
        }
    }

    #[test]
    fn rows_read_back_as_written() {
        let coloured_end = Row { wrapped: false, ..colourful() };
        let rows = [line("plain text"), colourful(), coloured_end, Row::default(), line("  x")];
        let mut cold = Cold::default();
        cold.add(&rows, 20);
        cold.add(&rows[..1], 20);
        assert_eq!(cold.len(), 6);
        for (number, row) in [(1005, 0), (1004, 4), (1001, 1), (1002, 2), (1000, 0)] {
            assert_eq!(cold.row(number), Some(&rows[row]), "{number}");
        }
        assert_eq!(cold.row(999), None);
        assert_eq!(cold.row(1006), None);
        assert_eq!(cold.all()[..5], rows);
    }

    #[test]
    fn a_log_takes_few_bytes() {
        let rows: Vec<Row> = (0..2560)
            .map(|n| {
                line(&format!("2026-01-01 12:00:{:02} INFO worker {n}: compiled unit", n % 60))
            })
            .collect();
        let mut cold = Cold::default();
        rows.chunks(CHUNK).for_each(|chunk| cold.add(chunk, 120));
        assert!(cold.bytes() < rows.len() * 20, "{} bytes", cold.bytes());
    }

    #[test]
    fn whole_chunks_are_forgotten() {
        let mut cold = Cold::default();
        for _ in 0..4 {
            cold.add(&[line("a"), line("b")], 20);
        }
        cold.shorten(5);
        assert_eq!(cold.len(), 6);
        cold.shorten(0);
        assert_eq!((cold.len(), cold.bytes()), (0, 0));
    }

    #[test]
    fn lines_are_wrapped_anew() {
        let mut cold = Cold::default();
        cold.add(&[line("one"), wrapped("abcd"), line("ef"), line("two")], 4);
        cold.set_cols(3);
        assert_eq!(cold.texts(), ["one", "abc", "def", "two"]);
        cold.set_cols(10);
        assert_eq!(cold.texts(), ["one", "abcdef", "two"]);
        assert!(cold.all().iter().all(|row| !row.wrapped));
        // The newest row keeps its number.
        assert_eq!(cold.row(END + 3).map(Row::text).as_deref(), Some("two"));
        assert_eq!(cold.row(END + 1).map(Row::text).as_deref(), Some("one"));
    }

    #[test]
    fn chunks_are_wrapped_no_further_than_they_are_read() {
        let mut cold = Cold::default();
        for n in 0..10 {
            cold.add(&[line(&format!("{n}{n}{n}{n}")), line("x")], 4);
        }
        cold.set_cols(2);
        assert_eq!(cold.row(END + 19).map(Row::text).as_deref(), Some("x"));
        assert_eq!((cold.fresh, cold.len()), (1, 21));
        let mut point = Point { row: END + 13, col: 3 };
        cold.wrap(END + 19, &mut [&mut point]);
        assert_eq!(cold.fresh, 3);
        assert_eq!(point, Point { row: END + 12, col: 1 });
        assert_eq!(cold.row(point.row).map(Row::text).as_deref(), Some("77"));
        let mut older = Point { row: END - 3, col: 0 };
        cold.wrap(END, &mut [&mut older]);
        assert_eq!(cold.row(older.row).map(Row::text).as_deref(), Some("00"));
        assert!(cold.is_fresh());
        assert_eq!(cold.len(), 30);
    }

    #[test]
    fn places_stay_in_their_line() {
        let mut cold = Cold::default();
        cold.add(&[line("one"), wrapped("abcd"), wrapped("efgh"), line("ij"), line("two")], 4);
        let (mut a, mut b, mut c) = (
            Point { row: END + 1, col: 1 },
            Point { row: END + 3, col: 1 },
            Point { row: END + 4, col: 2 },
        );
        cold.set_cols(6);
        cold.wrap(0, &mut [&mut a, &mut b, &mut c]);
        assert_eq!(cold.texts(), ["one", "abcdef", "ghij", "two"]);
        let at = |row, col| Point { row: END + row, col };
        assert_eq!((a, b, c), (at(2, 1), at(3, 3), at(4, 2)));
    }

    #[test]
    fn a_line_longer_than_a_chunk_keeps_its_text() {
        let mut cold = Cold::default();
        cold.add(&[wrapped("abcd"), wrapped("efgh")], 4);
        cold.add(&[wrapped("ijkl"), line("mn")], 4);
        cold.set_cols(5);
        assert_eq!(cold.texts().concat(), "abcdefghijklmn");
        assert!(cold.all()[..3].iter().all(|row| row.wrapped && row.cells.len() == 5));
        cold.set_cols(4);
        assert_eq!(cold.texts().concat(), "abcdefghijklmn");
    }

    #[test]
    fn wide_characters_are_never_cut() {
        let wide = Cell { flags: flags::WIDE, ..cell('好') };
        let spacer = Cell { flags: flags::SPACER, ..Cell::BLANK };
        let row = Row { cells: [wide, spacer].repeat(3), ..Row::default() };
        let mut cold = Cold::default();
        cold.add(std::slice::from_ref(&row), 6);
        cold.set_cols(5);
        let rows = cold.all();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].text(), "好好");
        assert!(rows[0].cells[4].has(flags::SPACER));
        cold.set_cols(6);
        assert_eq!(cold.all(), [row]);
    }
}
