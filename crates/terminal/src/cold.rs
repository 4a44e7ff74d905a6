//! Old rows, kept small. A chunk of some 256 rows becomes text and attribute runs, compressed: 9 to 17
//! bytes a row instead of 2.9 KB in the emulator. Reading unpacks one chunk at a time.

use std::collections::VecDeque;

use maestro_core::screen::{Cell, Color, Extra, Row, flags};

/// Rows in one chunk, about: smaller ones compress worse, larger ones are slower to read.
pub(crate) const CHUNK: usize = 256;

/// The zstd level: higher ones gain nothing here.
const LEVEL: i32 = 1;

/// Flags that belong to what is shown, not to the row.
const TRANSIENT: u16 = flags::SELECTED | flags::MATCH;

/// The store. Its last row lies directly above the oldest one still in the emulator.
#[derive(Debug, Default)]
pub(crate) struct Cold {
    chunks: VecDeque<Chunk>,
    /// Rows in all chunks.
    rows: usize,
    /// Columns the rows were wrapped at.
    cols: u16,
    /// The chunk read last, by its serial number.
    cache: Option<(u64, Vec<Row>)>,
    serial: u64,
}

#[derive(Debug)]
struct Chunk {
    serial: u64,
    rows: usize,
    raw_len: usize,
    data: Box<[u8]>,
}

impl Cold {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Compressed bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.data.len()).sum()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { serial: self.serial, ..Self::default() };
    }

    /// The columns the rows were wrapped at, if there are rows.
    pub(crate) fn cols(&self) -> Option<u16> {
        (self.rows > 0).then_some(self.cols)
    }

    /// Adds rows at the newer end, as one chunk.
    pub(crate) fn push(&mut self, rows: &[Row], cols: u16) {
        if rows.is_empty() {
            return;
        }
        let mut raw = Vec::new();
        for row in rows {
            encode(row, &mut raw);
        }
        // Compressing into memory cannot fail; if it does, the rows are kept as they are.
        let data = zstd::bulk::compress(&raw, LEVEL).unwrap_or_else(|_| raw.clone());
        self.cols = cols;
        self.serial += 1;
        self.rows += rows.len();
        self.chunks.push_back(Chunk {
            serial: self.serial,
            rows: rows.len(),
            raw_len: raw.len(),
            data: data.into_boxed_slice(),
        });
    }

    /// Forgets whole chunks at the older end while at least `keep` rows remain.
    pub(crate) fn shorten(&mut self, keep: usize) {
        while let Some(first) = self.chunks.front() {
            if self.rows - first.rows < keep {
                break;
            }
            self.rows -= first.rows;
            let _ = self.chunks.pop_front();
        }
    }

    /// A row by its distance from the newer end: 0 is the newest.
    pub(crate) fn row(&mut self, from_newest: usize) -> Option<&Row> {
        let mut below = 0;
        let chunk = self.chunks.iter().rev().find(|chunk| {
            below += chunk.rows;
            from_newest < below
        })?;
        let index = below - 1 - from_newest;
        if self.cache.as_ref().is_none_or(|(serial, _)| *serial != chunk.serial) {
            self.cache = Some((chunk.serial, chunk.read()));
        }
        self.cache.as_ref()?.1.get(index)
    }

    /// Every row, oldest first.
    pub(crate) fn all(&self) -> Vec<Row> {
        self.chunks.iter().flat_map(Chunk::read).collect()
    }

    /// Forgets the unpacked chunk.
    pub(crate) fn forget_cache(&mut self) {
        self.cache = None;
    }

    /// Wraps every row anew. Returns where the row at distance `from_newest` went.
    pub(crate) fn rewrap(&mut self, cols: u16, from_newest: usize) -> usize {
        let rows = self.all();
        let wanted = rows.len().checked_sub(from_newest + 1);
        self.clear();
        let mut fresh: Vec<Row> = Vec::new();
        let mut line = Vec::new();
        let mut found = None;
        let mut first_of_line = 0;
        for (index, row) in rows.into_iter().enumerate() {
            if wanted == Some(index) {
                found = Some(fresh.len() + (index - first_of_line).min(1));
            }
            let wrapped = row.wrapped;
            line.push(row);
            if !wrapped {
                wrap(&line, usize::from(cols), &mut fresh);
                line.clear();
                first_of_line = index + 1;
            }
        }
        wrap(&line, usize::from(cols), &mut fresh);
        for chunk in fresh.chunks(CHUNK) {
            self.push(chunk, cols);
        }
        found.map_or(0, |index| self.rows.saturating_sub(index + 1))
    }
}

/// Wraps one logical line, given as rows, at another width.
fn wrap(line: &[Row], cols: usize, out: &mut Vec<Row>) {
    let Some(last) = line.last() else { return };
    if line.len() == 1 && last.cells.len() <= cols {
        out.push(last.clone());
        return;
    }
    let mut fresh = Row::default();
    // Every row but the last was full; what is missing at its end are blanks.
    let full = line.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    for (index, row) in line.iter().enumerate() {
        let blanks = if index + 1 < line.len() { full - row.cells.len() } else { 0 };
        let cells = row.cells.iter().copied().chain(std::iter::repeat_n(Cell::BLANK, blanks));
        let mut after_wide = false;
        for mut cell in cells {
            // The filler in front of a wide character that did not fit, or the half of one.
            if cell.has(flags::SPACER) && !after_wide {
                continue;
            }
            after_wide = cell.has(flags::WIDE);
            let needs = if after_wide { 2 } else { 1 };
            if !cell.has(flags::SPACER) && fresh.cells.len() + needs > cols {
                let mut done = std::mem::take(&mut fresh);
                done.wrapped = true;
                if done.cells.len() < cols {
                    done.cells.push(Cell { flags: flags::SPACER, ..Cell::BLANK });
                }
                out.push(done);
            }
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
    }
    fresh.wrapped = last.wrapped;
    out.push(fresh);
}

impl Chunk {
    fn read(&self) -> Vec<Row> {
        let raw = match zstd::bulk::decompress(&self.data, self.raw_len) {
            Ok(raw) => raw,
            Err(_) => self.data.to_vec(),
        };
        let mut input = Input(&raw);
        let mut rows = Vec::with_capacity(self.rows);
        while rows.len() < self.rows {
            // What cannot be read stays an empty row, so that no other row moves.
            rows.push(decode(&mut input).unwrap_or_default());
        }
        rows
    }
}

/// One row: its length and whether it wraps, its rare attributes, then runs of cells that look the same.
fn encode(row: &Row, out: &mut Vec<u8>) {
    number(out, (row.cells.len() as u32) << 1 | u32::from(row.wrapped));
    number(out, row.extras.len() as u32);
    for extra in &row.extras {
        number(out, extra.underline.map_or(0, |color| color.0.wrapping_add(1)));
        string(out, extra.link.as_deref().unwrap_or(""));
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
        number(out, ((run / step) as u32) << 1 | u32::from(wide));
        number(out, first.fg.0);
        number(out, first.bg.0);
        number(out, u32::from(first.flags & !TRANSIENT));
        number(out, u32::from(first.extra));
        for cell in cells.iter().step_by(step) {
            if cell.has(flags::CLUSTER) {
                string(out, row.clusters.get(cell.glyph as usize).map_or("", String::as_str));
            } else {
                let c =
                    if cell.glyph == 0 { ' ' } else { char::from_u32(cell.glyph).unwrap_or(' ') };
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = after;
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

fn decode(input: &mut Input<'_>) -> Option<Row> {
    let head = input.number()?;
    let mut row = Row { wrapped: head & 1 != 0, ..Row::default() };
    let len = (head >> 1) as usize;
    for _ in 0..input.number()? {
        let underline = input.number()?.checked_sub(1).map(Color);
        let link = Some(input.string()?).filter(|link| !link.is_empty());
        row.extras.push(Extra { underline, link });
    }
    while row.cells.len() < len {
        let run = input.number()?;
        let (fg, bg) = (Color(input.number()?), Color(input.number()?));
        let look = input.number()? as u16;
        let extra = input.number()? as u16;
        for _ in 0..run >> 1 {
            let glyph = if look & flags::CLUSTER != 0 {
                row.clusters.push(input.string()?);
                row.clusters.len() as u32 - 1
            } else {
                match input.char()? {
                    ' ' => 0,
                    c => c as u32,
                }
            };
            row.cells.push(Cell { glyph, fg, bg, flags: look, extra });
            if run & 1 != 0 {
                let look = look & !(flags::WIDE | flags::CLUSTER) | flags::SPACER;
                row.cells.push(Cell { glyph: 0, fg, bg, flags: look, extra });
            }
        }
    }
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

    fn char(&mut self) -> Option<char> {
        let len = match self.0.first()? {
            0..=0x7f => 1,
            0x80..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        self.take(len)?.chars().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(c: char) -> Cell {
        Cell { glyph: c as u32, ..Cell::BLANK }
    }

    fn line(text: &str) -> Row {
        let cells = text.chars().map(|c| if c == ' ' { Cell::BLANK } else { cell(c) }).collect();
        Row { cells, ..Row::default() }
    }

    fn colourful() -> Row {
        let red = Cell { fg: Color::rgb(255, 0, 0), flags: flags::BOLD, ..cell('r') };
        let wide = Cell { flags: flags::WIDE, ..cell('好') };
        let spacer = Cell { flags: flags::SPACER, ..Cell::BLANK };
        let cluster = Cell { glyph: 0, flags: flags::CLUSTER, ..Cell::BLANK };
        let wide_cluster = Cell { glyph: 1, flags: flags::CLUSTER | flags::WIDE, ..Cell::BLANK };
        let link = Cell { extra: 1, ..cell('l') };
        Row {
            cells: vec![
                red,
                red,
                wide,
                spacer,
                wide,
                spacer,
                cluster,
                wide_cluster,
                spacer,
                link,
                cell('x'),
                Cell { bg: Color::indexed(4), ..Cell::BLANK },
                spacer,
            ],
            clusters: vec!["e\u{301}".to_owned(), "⌨\u{fe0f}".to_owned()],
            extras: vec![Extra {
                underline: Some(Color(u32::MAX - 1)),
                link: Some("https://a".to_owned()),
            }],
            wrapped: true,
            mark: maestro_core::screen::Mark::None,
        }
    }

    #[test]
    fn rows_read_back_as_written() {
        let rows = [line("plain text"), colourful(), Row::default(), line("  x")];
        let mut cold = Cold::default();
        cold.push(&rows, 20);
        cold.push(&rows[..1], 20);
        assert_eq!(cold.len(), 5);
        assert_eq!(cold.row(0), Some(&rows[0]));
        assert_eq!(cold.row(1), Some(&rows[3]));
        assert_eq!(cold.row(3), Some(&rows[1]));
        assert_eq!(cold.row(4), Some(&rows[0]));
        assert_eq!(cold.row(5), None);
        assert_eq!(cold.all()[..4], rows);
    }

    #[test]
    fn a_log_takes_few_bytes() {
        let rows: Vec<Row> = (0..2560)
            .map(|n| {
                line(&format!("2026-01-01 12:00:{:02} INFO worker {n}: compiled unit", n % 60))
            })
            .collect();
        let mut cold = Cold::default();
        rows.chunks(CHUNK).for_each(|chunk| cold.push(chunk, 120));
        assert!(cold.bytes() < rows.len() * 20, "{} bytes", cold.bytes());
    }

    #[test]
    fn whole_chunks_are_forgotten() {
        let mut cold = Cold::default();
        for _ in 0..4 {
            cold.push(&[line("a"), line("b")], 20);
        }
        cold.shorten(5);
        assert_eq!(cold.len(), 6);
        cold.shorten(0);
        assert_eq!(cold.len(), 0);
    }

    #[test]
    fn lines_are_wrapped_anew() {
        let mut cold = Cold::default();
        let first = Row { wrapped: true, ..line("abcd") };
        cold.push(&[line("one"), first, line("ef"), line("two")], 4);
        assert_eq!(cold.rewrap(3, 0), 0);
        let texts: Vec<String> = cold.all().iter().map(Row::text).collect();
        assert_eq!(texts, ["one", "abc", "def", "two"]);
        let _ = cold.rewrap(10, 0);
        let texts: Vec<String> = cold.all().iter().map(Row::text).collect();
        assert_eq!(texts, ["one", "abcdef", "two"]);
        assert!(cold.all().iter().all(|row| !row.wrapped));
    }

    #[test]
    fn wide_characters_are_never_cut() {
        let wide = Cell { flags: flags::WIDE, ..cell('好') };
        let spacer = Cell { flags: flags::SPACER, ..Cell::BLANK };
        let row = Row { cells: [wide, spacer].repeat(3), ..Row::default() };
        let mut cold = Cold::default();
        cold.push(std::slice::from_ref(&row), 6);
        let _ = cold.rewrap(5, 0);
        let rows = cold.all();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].text(), "好好");
        assert!(rows[0].cells[4].has(flags::SPACER));
        let _ = cold.rewrap(6, 0);
        assert_eq!(cold.all(), [row]);
    }

    #[test]
    fn garbage_reads_as_empty_rows() {
        for raw in [
            &b""[..],
            b"\xff\xff\xff\xff\xff\xff",
            b"\x08\x00\x7f",
            b"\x04\x00\x02\x00\x00\x00\x00\xff\xff",
        ] {
            let data = zstd::bulk::compress(raw, 1).expect("memory");
            let chunk =
                Chunk { serial: 0, rows: 3, raw_len: raw.len(), data: data.into_boxed_slice() };
            assert_eq!(chunk.read().len(), 3);
        }
    }
}
