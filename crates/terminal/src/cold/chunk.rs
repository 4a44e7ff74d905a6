//! One chunk of cold rows: its text and its looks, compressed apart, so that a search reads the text only.
//!
//! The text is what a search looks through: a line for each logical line, its rows one after another;
//! rows that go on are filled up with blanks, the last one has none at its end. The looks say how many cells
//! a row has and how runs of them look; the characters are taken from the text.

use std::fmt;
use std::sync::Arc;

use maestro_core::screen::{Cell, Color, Extra, Row, flags};

use crate::marks::Kind;

/// The zstd level: higher ones gain nothing here.
const LEVEL: i32 = 1;

/// Flags that belong to what is shown, not to the row.
const TRANSIENT: u16 = flags::SELECTED | flags::MATCH | flags::CURRENT;

/// The most marks kept in a chunk: more than one a row is no shell.
const MARKS_LIMIT: usize = 512;

/// Rows that were compressed together.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Newer chunks have higher ones; rows wrapped anew keep it.
    pub(super) serial: u64,
    /// The number of its first row.
    pub(super) first: u64,
    pub(super) rows: usize,
    /// Columns its rows were wrapped at.
    pub(super) cols: u16,
    /// Cells of the longest row.
    longest: u16,
    /// Whether any row goes on in the next one.
    wraps: bool,
    pub(super) text: Arc<Packed>,
    look: Packed,
    /// Prompt marks, by row within the chunk.
    pub(super) marks: Vec<(u32, u16, Kind)>,
    /// What a search, told by its number, found here.
    pub(super) found: (u64, Found),
}

/// How far a search is with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Found {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// Somebody is looking.
    Out,
    /// So many matches.
    Count(u32),
}

/// Compressed bytes.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    len: usize,
    data: Box<[u8]>,
}

impl Packed {
    fn new(raw: &[u8]) -> Self {
        // Compressing into memory cannot fail; if it does, the bytes are kept as they are.
        let data = zstd::bulk::compress(raw, LEVEL).unwrap_or_else(|_| raw.to_vec());
        Self { len: raw.len(), data: data.into_boxed_slice() }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Unpacks into `out`, whatever it held.
    pub(crate) fn read(&self, out: &mut Vec<u8>, unpacker: &mut Unpacker) {
        out.clear();
        out.reserve(self.len);
        let unpacked =
            unpacker.0.as_mut().map(|unpacker| unpacker.decompress_to_buffer(&self.data[..], out));
        if !matches!(unpacked, Some(Ok(_))) {
            out.clear();
            out.extend_from_slice(&self.data);
        }
    }
}

/// What unpacking needs; making it costs as much as a chunk does.
pub(crate) struct Unpacker(Option<zstd::bulk::Decompressor<'static>>);

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}

impl Default for Unpacker {
    fn default() -> Self {
        Self(zstd::bulk::Decompressor::new().ok())
    }
}

impl Chunk {
    pub(super) fn new(serial: u64, first: u64, rows: &[Row], cols: u16) -> Self {
        let mut text = Vec::new();
        let mut look = Vec::new();
        for row in rows {
            encode(row, cols, &mut text, &mut look);
        }
        Self {
            serial,
            first,
            rows: rows.len(),
            cols,
            longest: rows.iter().map(|row| row.cells.len()).max().unwrap_or(0) as u16,
            wraps: rows.iter().any(|row| row.wrapped),
            text: Arc::new(Packed::new(&text)),
            look: Packed::new(&look),
            marks: Vec::new(),
            found: (0, Found::Unknown),
        }
    }

    pub(super) fn end(&self) -> u64 {
        self.first + self.rows as u64
    }

    pub(super) fn bytes(&self) -> usize {
        let marks = self.marks.len() * size_of::<(u32, u16, Kind)>();
        self.text.bytes() + self.look.bytes() + marks + size_of::<Self>()
    }

    pub(super) fn mark(&mut self, row: u32, col: u16, kind: Kind) {
        if self.marks.len() < MARKS_LIMIT {
            self.marks.push((row, col, kind));
        }
    }

    pub(super) fn read(&self) -> Vec<Row> {
        let (mut text, mut look) = (Vec::new(), Vec::new());
        let mut unpacker = Unpacker::default();
        self.text.read(&mut text, &mut unpacker);
        self.look.read(&mut look, &mut unpacker);
        let (mut text, mut look) = (Input(&text), Input(&look));
        let mut rows = Vec::with_capacity(self.rows);
        while rows.len() < self.rows {
            // What cannot be read stays an empty row, so that no other row moves.
            rows.push(decode(&mut text, &mut look, self.cols).unwrap_or_default());
        }
        for &(row, _, kind) in &self.marks {
            // What was said about a row that was emptied since is no longer true.
            let row = rows.get_mut(row as usize).filter(|row| !row.cells.is_empty());
            if let (Some(row), Some(mark)) = (row, kind.mark()) {
                row.mark = mark;
            }
        }
        rows
    }

    /// Whether its rows are what they are at another width, too.
    pub(super) fn fits(&self, cols: u16) -> bool {
        self.cols == cols || (!self.wraps && self.longest <= cols)
    }

    /// Wraps the rows at another width, and moves places (row and column within the chunk) with them.
    pub(super) fn rewrap(&mut self, cols: u16, places: &mut [(usize, u16)]) {
        if self.fits(cols) {
            self.cols = cols;
            return;
        }
        let rows = self.read();
        let mut wrapper = Wrapper::new(usize::from(self.cols), usize::from(cols));
        // For each old row: the fresh row its line begins at, and how many rows of the line are before it.
        let mut lines = Vec::with_capacity(rows.len());
        let mut begin = (0, 0);
        for row in &rows {
            lines.push((begin, 0));
            wrapper.push(row);
            begin = if row.wrapped { (begin.0, begin.1 + 1) } else { (wrapper.rows.len(), 0) };
        }
        let fresh = wrapper.finish();
        let mut last = fresh.len();
        for (line, next) in lines.iter_mut().rev() {
            *next = last;
            if line.1 == 0 {
                last = line.0;
            }
        }
        let old = usize::from(self.cols);
        let moved = |row: usize, col: u16| {
            let Some(&((first, before), end)) = lines.get(row) else { return (row, col) };
            let cells = before * old + usize::from(col);
            let at = first + cells / usize::from(cols);
            if at < end { (at, (cells % usize::from(cols)) as u16) } else { (end - 1, cols - 1) }
        };
        for (row, col) in places {
            (*row, *col) = moved(*row, *col);
        }
        let mut marks = std::mem::take(&mut self.marks);
        for (row, col, _) in &mut marks {
            let (at, column) = moved(*row as usize, *col);
            (*row, *col) = (at as u32, column);
        }
        let found = self.found;
        *self = Self { marks, found, ..Self::new(self.serial, self.first, &fresh, cols) };
    }
}

/// Wraps rows at another width, one after another.
struct Wrapper {
    old: usize,
    cols: usize,
    rows: Vec<Row>,
    fresh: Row,
    /// A line has begun that has not ended.
    open: bool,
}

impl Wrapper {
    fn new(old: usize, cols: usize) -> Self {
        Self { old, cols, rows: Vec::new(), fresh: Row::default(), open: false }
    }

    fn push(&mut self, row: &Row) {
        if !self.open && !row.wrapped && row.cells.len() <= self.cols {
            self.rows.push(row.clone());
            return;
        }
        self.open = row.wrapped;
        // A row that goes on was full; what is missing at its end are blanks.
        let blanks = if row.wrapped { self.old.saturating_sub(row.cells.len()) } else { 0 };
        let cells = row.cells.iter().copied().chain(std::iter::repeat_n(Cell::BLANK, blanks));
        let mut after_wide = false;
        for cell in cells {
            // The filler in front of a wide character that did not fit.
            if cell.has(flags::SPACER) && !after_wide {
                continue;
            }
            after_wide = cell.has(flags::WIDE);
            let needs = if after_wide { 2 } else { 1 };
            if !cell.has(flags::SPACER) && self.fresh.cells.len() + needs > self.cols {
                self.break_row();
            }
            self.add(cell, row);
        }
        if !self.open {
            self.rows.push(std::mem::take(&mut self.fresh));
        }
    }

    fn add(&mut self, mut cell: Cell, row: &Row) {
        let fresh = &mut self.fresh;
        if cell.has(flags::CLUSTER) {
            let text = row.clusters.get(cell.glyph as usize).cloned().unwrap_or_default();
            cell.glyph = fresh.clusters.len() as u32;
            fresh.clusters.push(text);
        }
        if let Some(extra) =
            cell.extra.checked_sub(1).and_then(|at| row.extras.get(usize::from(at)))
        {
            let known = fresh.extras.iter().position(|known| known == extra);
            let at = known.unwrap_or_else(|| {
                fresh.extras.push(extra.clone());
                fresh.extras.len() - 1
            });
            cell.extra = at as u16 + 1;
        }
        fresh.cells.push(cell);
    }

    /// The row is full, or the next character does not fit: fillers are no text.
    fn break_row(&mut self) {
        let mut done = std::mem::take(&mut self.fresh);
        done.wrapped = true;
        done.cells.resize(self.cols, Cell { flags: flags::SPACER, ..Cell::BLANK });
        self.rows.push(done);
    }

    fn finish(mut self) -> Vec<Row> {
        // A line so long that it goes on in the next chunk.
        if self.open {
            self.break_row();
        }
        self.rows
    }
}

/// One row: its length and whether it wraps, its rare attributes, then runs of cells that look the same.
fn encode(row: &Row, cols: u16, text: &mut Vec<u8>, look: &mut Vec<u8>) {
    let begin = text.len();
    number(look, (row.cells.len() as u32) << 1 | u32::from(row.wrapped));
    number(look, row.extras.len() as u32);
    for extra in &row.extras {
        number(look, extra.underline.map_or(0, |color| color.0.wrapping_add(1)));
        string(look, extra.link.as_deref().unwrap_or(""));
    }
    let mut rest = row.cells.as_slice();
    while let Some(first) = rest.first() {
        let wide = is_pair(rest);
        let step = if wide { 2 } else { 1 };
        let mut run = step;
        while rest.len() > run && same_look(first, &rest[run]) && is_pair(&rest[run..]) == wide {
            run += step;
        }
        let (cells, after) = rest.split_at(run.min(rest.len()));
        number(look, ((run / step) as u32) << 1 | u32::from(wide));
        number(look, first.fg.0);
        number(look, first.bg.0);
        number(look, u32::from(first.flags & !TRANSIENT));
        number(look, u32::from(first.extra));
        if !first.has(flags::SPACER) {
            cells.iter().step_by(step).for_each(|cell| write(cell, row, text, look));
        }
        rest = after;
    }
    if row.wrapped {
        let blanks = usize::from(cols).saturating_sub(row.cells.len());
        text.extend(std::iter::repeat_n(b' ', blanks));
    } else {
        while text.len() > begin && text.last() == Some(&b' ') {
            let _ = text.pop();
        }
        text.push(b'\n');
    }
}

/// What a cell shows; the length of more than one character is among the looks.
fn write(cell: &Cell, row: &Row, text: &mut Vec<u8>, look: &mut Vec<u8>) {
    if cell.has(flags::CLUSTER) {
        let cluster = row.clusters.get(cell.glyph as usize).map_or("", String::as_str);
        let cluster = if cluster.contains('\n') { "" } else { cluster };
        number(look, cluster.len() as u32);
        text.extend_from_slice(cluster.as_bytes());
        return;
    }
    match cell.glyph {
        0..0x20 => text.push(b' '),
        0x20..0x80 => text.push(cell.glyph as u8),
        glyph => {
            let c = char::from_u32(glyph).unwrap_or(' ');
            text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Whether a wide character with its other half comes next, looking the same but for being halves.
fn is_pair(cells: &[Cell]) -> bool {
    let [first, second, ..] = cells else { return false };
    let half = flags::WIDE | flags::SPACER | flags::CLUSTER | TRANSIENT;
    first.has(flags::WIDE)
        && second.has(flags::SPACER)
        && second.glyph == 0
        && (first.fg, first.bg, first.extra) == (second.fg, second.bg, second.extra)
        && first.flags & !half == second.flags & !half
}

fn same_look(a: &Cell, b: &Cell) -> bool {
    (a.fg, a.bg, a.extra, a.flags & !TRANSIENT) == (b.fg, b.bg, b.extra, b.flags & !TRANSIENT)
}

fn decode(text: &mut Input<'_>, look: &mut Input<'_>, cols: u16) -> Option<Row> {
    let head = look.number()?;
    let mut row = Row { wrapped: head & 1 != 0, ..Row::default() };
    let len = (head >> 1) as usize;
    for _ in 0..look.number()? {
        let underline = look.number()?.checked_sub(1).map(Color);
        let link = Some(look.string()?).filter(|link| !link.is_empty());
        row.extras.push(Extra { underline, link });
    }
    row.cells.reserve_exact(len.min(usize::from(cols)));
    while row.cells.len() < len {
        let run = look.number()?;
        let (fg, bg) = (Color(look.number()?), Color(look.number()?));
        let flags = look.number()? as u16;
        let extra = look.number()? as u16;
        for _ in 0..run >> 1 {
            let glyph = if flags & flags::SPACER != 0 {
                0
            } else if flags & flags::CLUSTER != 0 {
                let len = look.number()? as usize;
                row.clusters.push(text.take(len)?.to_owned());
                row.clusters.len() as u32 - 1
            } else {
                text.glyph()?
            };
            row.cells.push(Cell { glyph, fg, bg, flags, extra });
            if run & 1 != 0 {
                let flags = flags & !(flags::WIDE | flags::CLUSTER) | flags::SPACER;
                row.cells.push(Cell { glyph: 0, fg, bg, flags, extra });
            }
        }
    }
    let blanks = if row.wrapped { usize::from(cols).saturating_sub(row.cells.len()) } else { 1 };
    text.0 = text.0.get(blanks..).unwrap_or_default();
    Some(row)
}

fn number(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn string(out: &mut Vec<u8>, text: &str) {
    number(out, text.len() as u32);
    out.extend_from_slice(text.as_bytes());
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&str> {
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn string(&mut self) -> Option<String> {
        let len = self.number()? as usize;
        self.take(len).map(str::to_owned)
    }

    /// The next cell's character, 0 for a blank; a line that has ended has blanks.
    fn glyph(&mut self) -> Option<u32> {
        let len = match self.0.first() {
            None | Some(b'\n') => return Some(0),
            Some(0..=0x7f) => {
                let byte = self.byte()?;
                return Some(if byte == b' ' { 0 } else { u32::from(byte) });
            }
            Some(0x80..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(_) => 4,
        };
        self.take(len)?.chars().next().map(u32::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_reads_as_empty_rows() {
        for raw in [
            &b""[..],
            b"\xff\xff\xff\xff\xff\xff",
            b"\x08\x00\x7f",
            b"\x04\x00\x02\x00\x00\x00\x00\xff\xff",
        ] {
            let blank = Chunk::new(1, 0, &[Row::default(), Row::default(), Row::default()], 20);
            for chunk in [
                Chunk { look: Packed::new(raw), ..Chunk::new(1, 0, &[], 20) },
                Chunk { text: Arc::new(Packed::new(raw)), ..blank },
            ] {
                assert_eq!(Chunk { rows: 3, ..chunk }.read().len(), 3);
            }
        }
    }

    #[test]
    fn the_text_is_lines_as_a_search_wants_them() {
        let row = |text: &str, wrapped| Row {
            cells: text
                .chars()
                .map(|c| Cell { glyph: if c == ' ' { 0 } else { c as u32 }, ..Cell::BLANK })
                .collect(),
            wrapped,
            ..Row::default()
        };
        let rows = [row("ab", true), row("c ", false), row("", false), row("d", false)];
        let chunk = Chunk::new(1, 0, &rows, 4);
        let mut text = Vec::new();
        chunk.text.read(&mut text, &mut Unpacker::default());
        assert_eq!(String::from_utf8_lossy(&text), "ab  c\n\nd\n");
        assert_eq!(chunk.read(), rows);
    }
}
