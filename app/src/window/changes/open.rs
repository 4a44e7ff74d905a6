//! One file that is looked at: its hunks, as many of its lines as were seen, where the keyboard is.
//!
//! Every line has a row of its own, and every hunk one above its lines, whether they are shown in one
//! column or in two. In two columns a line that went and the one that came in its place are on one row on
//! the screen: the row of the first of them.

use std::collections::BTreeMap;
use std::ops::Range;

use maestro_core::changes::{Body, File, FileLines, Hunk, Line};
use maestro_core::diff::Kind;
use maestro_core::highlight::{self, Language};
use maestro_ui::code::{self, Sign};
use maestro_ui::diff::Half;

use crate::window::conversation::{Shown, blanks, inks};

/// Lines that are asked for at once.
pub const CHUNK: u32 = 500;

/// Chunks that are kept.
const KEPT: usize = 24;

/// How far back the beginning of a change is looked for.
const BACK: usize = 3000;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// The words over a hunk.
    Head(usize),
    /// A line of a hunk, counted through all hunks.
    Line(u32),
}

/// A row on the screen in two columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The words over a hunk.
    pub head: Option<usize>,
    /// The row of what was.
    pub left: Option<usize>,
    /// The row of what is.
    pub right: Option<usize>,
}

impl Pair {
    /// The row that stands for it.
    #[must_use]
    pub fn row(self) -> usize {
        self.left.or(self.right).unwrap_or(0)
    }

    /// Whether a row is on it.
    #[must_use]
    pub fn has(self, row: usize) -> bool {
        self.left == Some(row) || self.right == Some(row)
    }
}

/// Lines that were heard, as they are and as they are drawn.
#[derive(Debug)]
struct Chunk {
    lines: Vec<Line>,
    drawn: Vec<Half>,
}

/// What a file consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// How it is shown.
    pub body: Body,
    /// Its hunks.
    pub hunks: Vec<Hunk>,
    /// Lines in all.
    pub total: u32,
    /// Whether the end is missing.
    pub is_cut: bool,
}

/// The file.
#[derive(Debug)]
pub struct Opened {
    /// Which.
    pub file: File,
    /// What it consists of, once that is known.
    pub info: Option<Result<Info, String>>,
    chunks: BTreeMap<u32, Chunk>,
    /// The number of the question that is under way, and the chunk it is about.
    pub asked: Option<(u64, u32)>,
    /// Whether what is known has to be asked for again.
    pub stale: bool,
    /// The row the keyboard is at.
    pub cursor: usize,
    /// The other end of what is chosen.
    pub anchor: Option<usize>,
    /// The row that is shown first.
    pub top: usize,
    /// Characters by which text is moved to the left.
    pub shift: u32,
    /// What was and what is, where it is a picture.
    pub pictures: [Option<Shown>; 2],
}

impl Opened {
    /// A file of which nothing is known yet.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self {
            file,
            info: None,
            chunks: BTreeMap::new(),
            asked: None,
            stale: true,
            cursor: 0,
            anchor: None,
            top: 0,
            shift: 0,
            pictures: [None, None],
        }
    }

    /// How many chunks of lines are kept.
    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.chunks.len()
    }

    fn known(&self) -> Option<&Info> {
        self.info.as_ref().and_then(|info| info.as_ref().ok())
    }

    /// Its hunks, as far as they are known.
    #[must_use]
    pub fn hunks(&self) -> &[Hunk] {
        self.known().map_or(&[], |info| &info.hunks)
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.known().map_or(0, |info| info.total as usize + info.hunks.len())
    }

    /// The hunk of a row.
    #[must_use]
    pub fn hunk_of(&self, row: usize) -> Option<usize> {
        let hunks = self.hunks();
        let (mut low, mut high) = (0, hunks.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if hunks[middle].at as usize + middle <= row {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1)
    }

    /// What a row is.
    #[must_use]
    pub fn item(&self, row: usize) -> Option<Item> {
        if row >= self.rows() {
            return None;
        }
        let hunk = self.hunk_of(row)?;
        let head = self.row_of(hunk);
        Some(if row == head { Item::Head(hunk) } else { Item::Line((row - hunk - 1) as u32) })
    }

    /// The row of the words over a hunk.
    #[must_use]
    pub fn row_of(&self, hunk: usize) -> usize {
        self.hunks().get(hunk).map_or(0, |known| known.at as usize + hunk)
    }

    /// A line, where it is known.
    #[must_use]
    pub fn line(&self, row: usize) -> Option<&Line> {
        let (chunk, at) = self.place(row)?;
        self.chunks.get(&chunk)?.lines.get(at)
    }

    /// A line as it is drawn.
    #[must_use]
    pub fn drawn(&self, row: usize) -> Option<&Half> {
        let (chunk, at) = self.place(row)?;
        self.chunks.get(&chunk)?.drawn.get(at)
    }

    fn place(&self, row: usize) -> Option<(u32, usize)> {
        match self.item(row)? {
            Item::Line(line) => Some((line / CHUNK, (line % CHUNK) as usize)),
            Item::Head(_) => None,
        }
    }

    /// The chunk that is wanted next, for so many rows from the first one.
    #[must_use]
    pub fn wants(&self, page: usize) -> Option<u32> {
        if self.asked.is_some() || matches!(self.info, Some(Err(_))) && !self.stale {
            return None;
        }
        let Some(info) = self.known() else { return self.stale.then_some(0) };
        let line = |row: usize| {
            let row = row.min(self.rows().saturating_sub(1));
            let before = self.hunk_of(row).map_or(0, |hunk| hunk + 1);
            (row.saturating_sub(before)) as u32
        };
        let first = line(self.top.saturating_sub(page)) / CHUNK;
        let here = line(self.top) / CHUNK;
        let last = line(self.top + 2 * page) / CHUNK;
        if self.stale {
            return Some(here);
        }
        if info.total == 0 {
            return None;
        }
        (here..=last).chain(first..here).find(|chunk| !self.chunks.contains_key(chunk))
    }

    /// Lines are heard.
    pub fn heard(&mut self, chunk: u32, heard: FileLines) {
        let FileLines { file, body, hunks, lines, first, total, is_cut } = heard;
        let info = Info { body, hunks, total, is_cut };
        let at = self.number_at(self.cursor);
        let is_same = self.known() == Some(&info);
        if !is_same {
            self.chunks.clear();
            self.anchor = None;
        } else if self.chunks.get(&chunk).is_some_and(|known| known.lines != lines) {
            // As many lines as before, but others: the chunks around it may be, too.
            self.chunks.clear();
        }
        let is_new = self.info.is_none();
        self.file = file;
        self.info = Some(Ok(info));
        self.stale = false;
        if first == chunk * CHUNK {
            let drawn = self.draw(first, &lines);
            let _ = self.chunks.insert(chunk, Chunk { lines, drawn });
        }
        if self.chunks.len() > KEPT {
            let far = |known: &u32| known.abs_diff(chunk);
            let first = self.chunks.keys().next().copied();
            let last = self.chunks.keys().next_back().copied();
            let farthest = [first, last].into_iter().flatten().max_by_key(far);
            let _ = farthest.and_then(|farthest| self.chunks.remove(&farthest));
        }
        if is_new {
            // The first line of the first hunk.
            self.cursor = self.first_change(0).unwrap_or(0);
        } else if !is_same {
            self.cursor = at.and_then(|number| self.row_at(number)).unwrap_or(self.cursor);
        }
        let last = self.rows().saturating_sub(1);
        (self.cursor, self.top) = (self.cursor.min(last), self.top.min(last));
    }

    /// The number of a row's line in the file as it is.
    fn number_at(&self, row: usize) -> Option<u32> {
        self.line(row)?.new.or(self.line(row)?.old)
    }

    /// The row where a line of the file is, or is nearly.
    fn row_at(&self, number: u32) -> Option<usize> {
        let hunks = self.hunks();
        let is_here = |hunk: &Hunk| (hunk.new..hunk.new + hunk.new_lines.max(1)).contains(&number);
        let hunk = hunks.iter().position(is_here)?;
        let within = (number - hunks[hunk].new).min(hunks[hunk].len.saturating_sub(1));
        Some(self.row_of(hunk) + 1 + within as usize)
    }

    /// The first row of a hunk that is different.
    #[must_use]
    pub fn first_change(&self, hunk: usize) -> Option<usize> {
        let known = self.hunks().get(hunk)?;
        let rows = self.row_of(hunk) + 1..self.row_of(hunk) + 1 + known.len as usize;
        let first = rows.start;
        let is_other = |row: &usize| self.line(*row).is_some_and(|line| line.kind != Kind::Same);
        Some(rows.take(CHUNK as usize).find(is_other).unwrap_or(first))
    }

    /// Lines as they are drawn.
    fn draw(&self, first: u32, lines: &[Line]) -> Vec<Half> {
        let language = Language::of_path(&self.file.name.shown());
        // What a line leaves open is told apart for what was and for what is.
        let mut states = [highlight::State::default(); 2];
        let mut heads: Vec<u32> = self.hunks().iter().map(|hunk| hunk.at).collect();
        heads.retain(|at| (first..first + CHUNK).contains(at));
        lines
            .iter()
            .enumerate()
            .map(|(at, line)| {
                if heads.binary_search(&(first + at as u32)).is_ok() {
                    states = Default::default();
                }
                let marks = line.marks.iter().map(|mark| mark.start as usize..mark.end as usize);
                let (text, marks) = blanks(&line.text, marks.collect());
                let (sign, which) = match line.kind {
                    Kind::Added => (Sign::Added, 0),
                    Kind::Removed => (Sign::Removed, 1),
                    Kind::Same | Kind::Gap => (Sign::None, 0),
                };
                let pieces = language.map_or_else(Vec::new, |language| {
                    inks(highlight::line(language, &mut states[which], &text))
                });
                if sign == Sign::None {
                    states[1] = states[0];
                }
                let line =
                    code::Line { text, number: line.new, sign, pieces, marks, found: Vec::new() };
                Half {
                    key: u64::from(first) + at as u64,
                    old: lines[at].old,
                    line,
                    is_noted: false,
                }
            })
            .collect()
    }

    fn kind(&self, row: usize) -> Option<Kind> {
        self.line(row).map(|line| line.kind)
    }

    /// Rows on the screen in two columns, from the one that a row is on, and as many as are asked for.
    #[must_use]
    pub fn pairs(&self, from: usize, count: usize) -> Vec<Pair> {
        let is_change =
            |row: usize| self.kind(row).is_some_and(|kind| !matches!(kind, Kind::Same | Kind::Gap));
        let mut start = from;
        while start > 0 && from - start < BACK && is_change(start) && is_change(start - 1) {
            start -= 1;
        }
        let mut pairs = Vec::new();
        let mut row = start;
        // Where the row itself is found, only what comes from there on counts.
        let mut begin = None;
        while row < self.rows() && begin.is_none_or(|begin| pairs.len() < begin + count) {
            let known = pairs.len();
            match self.item(row) {
                Some(Item::Head(hunk)) => {
                    let head = Pair { head: Some(hunk), left: Some(row), right: Some(row) };
                    pairs.push(head);
                    row += 1;
                }
                _ if !is_change(row) => {
                    pairs.push(Pair { head: None, left: Some(row), right: Some(row) });
                    row += 1;
                }
                _ => {
                    let run = |from: usize, kind: Kind| {
                        (from..self.rows()).take_while(|row| self.kind(*row) == Some(kind)).count()
                    };
                    let (gone, middle) = (row, row + run(row, Kind::Removed));
                    let end = middle + run(middle, Kind::Added);
                    let rows = (middle - gone).max(end - middle);
                    let at = |range: Range<usize>, number: usize| {
                        let row = range.start + number;
                        (row < range.end).then_some(row)
                    };
                    pairs.extend((0..rows).map(|number| Pair {
                        head: None,
                        left: at(gone..middle, number),
                        right: at(middle..end, number),
                    }));
                    row = end.max(row + 1);
                }
            }
            if begin.is_none() {
                begin = pairs[known..].iter().position(|pair| pair.has(from)).map(|at| known + at);
            }
        }
        let mut pairs = pairs.split_off(begin.unwrap_or(0).min(pairs.len()));
        pairs.truncate(count);
        pairs
    }

    /// The row before the one on the screen that a row is on, in two columns.
    fn before(&self, row: usize) -> usize {
        let is_change =
            |row: usize| self.kind(row).is_some_and(|kind| !matches!(kind, Kind::Same | Kind::Gap));
        let mut start = row.saturating_sub(1);
        while start > 0 && row - start < BACK && is_change(start) && is_change(start - 1) {
            start -= 1;
        }
        let pairs = self.pairs(start, row - start + 2);
        let here = pairs.iter().position(|pair| pair.has(row)).unwrap_or(0);
        here.checked_sub(1).map_or(row, |above| pairs[above].row())
    }

    /// Moves the keyboard by so many rows, in one column or in two.
    #[must_use]
    pub fn stepped(&self, from: usize, by: isize, split: bool) -> usize {
        let last = self.rows().saturating_sub(1);
        if !split {
            return from.saturating_add_signed(by).min(last);
        }
        if by >= 0 {
            let pairs = self.pairs(from, by.unsigned_abs().min(last) + 1);
            return pairs.last().map_or(from, |pair| pair.row());
        }
        let mut row = from;
        for _ in 0..by.unsigned_abs().min(last) {
            let before = self.before(row);
            if before == row {
                break;
            }
            row = before;
        }
        row
    }

    /// Puts the keyboard to a row, and that into sight.
    pub fn put(&mut self, row: usize, page: usize, split: bool) {
        self.cursor = row.min(self.rows().saturating_sub(1));
        self.reveal(page, split);
    }

    /// Puts the keyboard's row into sight.
    pub fn reveal(&mut self, page: usize, split: bool) {
        let page = page.max(3);
        if self.cursor < self.top {
            self.top = self.cursor;
        }
        if split {
            let shown = self.pairs(self.top, page);
            let here = shown.iter().position(|pair| pair.has(self.cursor));
            if here.is_none() && self.cursor >= self.top {
                let back = -((page - 2) as isize);
                self.top = self.stepped(self.cursor, back, true);
            }
        } else if self.cursor >= self.top + page {
            self.top = self.cursor + 1 - page;
        }
    }

    /// What is chosen: the keyboard's row, or all to the other end.
    #[must_use]
    pub fn chosen(&self) -> Range<usize> {
        let other = self.anchor.unwrap_or(self.cursor);
        self.cursor.min(other)..self.cursor.max(other) + 1
    }
}
