//! A typeface at one size, with the atlas of its glyphs, and the rows of the panes drawn with it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use iced::Size;
use iced::advanced::graphics::text::font_system;
use maestro_core::screen::{Cell, CursorShape, Row, flags};
use maestro_glyph::{Atlas, Faces, Fonts, Metrics, Pieces, Style};

use crate::clock::thread_time;
use crate::encode::{Encoder, Glyphs, MARK_SHIFT, Word4};
use crate::look::{Colors, Look};
use crate::over;
use crate::pane::{CursorLook, Over, Pane, Preedit};
use crate::surface::Screen;

/// How many frames a glyph that is not shown is kept.
const GLYPH_AGE: u64 = 600;

/// The most characters of a cluster that are drawn; emoji of families have ten.
const LONGEST_CLUSTER: usize = 32;

/// What decides the pixels of glyphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    faces: Faces,
    /// Size in physical pixels and line height, as bits: equal is what was computed equally.
    size: u32,
    line_height: u32,
}

impl Key {
    pub(crate) fn of(look: &Look, scale: f32) -> Self {
        Self {
            faces: look.faces,
            size: (look.size * scale).to_bits(),
            line_height: look.line_height.to_bits(),
        }
    }

    fn fonts(&self) -> Option<Fonts> {
        let (size, line_height) = (f32::from_bits(self.size), f32::from_bits(self.line_height));
        Fonts::new(&self.faces, size, line_height).ok()
    }
}

impl Look {
    /// The size of a cell in logical pixels, on a screen with so many physical pixels per logical one.
    #[must_use]
    pub fn cell(&self, scale: f32) -> Size {
        let Metrics { width, height, .. } = metrics(self, scale);
        Size::new(width as f32 / scale, height as f32 / scale)
    }
}

/// The size of a cell. Layout asks for it all the time, so it is remembered.
pub(crate) fn metrics(look: &Look, scale: f32) -> Metrics {
    /// More sizes than anybody zooms through; then the oldest may be computed again.
    const MOST: usize = 64;
    static KNOWN: OnceLock<Mutex<HashMap<Key, Metrics>>> = OnceLock::new();
    let key = Key::of(look, scale);
    let mut known =
        KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(metrics) = known.get(&key) {
        return *metrics;
    }
    let metrics = key.fonts().map_or(NO_FONT, |fonts| fonts.metrics());
    if known.len() >= MOST {
        known.clear();
    }
    let _ = known.insert(key, metrics);
    metrics
}

/// The cell where the font cannot be read: text is missing then, the window is not.
const NO_FONT: Metrics =
    Metrics { width: 8, height: 16, baseline: 12, stroke: 1, underline: 14, strike: 8 };

/// A typeface at one size.
#[derive(Debug)]
pub(crate) struct Sheet {
    fonts: Option<Fonts>,
    pub(crate) atlas: Atlas,
    /// ASCII in four styles, beside the atlas's own table: nearly every cell.
    ascii: Box<[[Option<Pieces>; 128]; 4]>,
    drawn: u64,
}

impl Sheet {
    /// `tallest` bounds the atlas, in pixels.
    pub(crate) fn new(key: &Key, tallest: u32) -> Self {
        let fonts = key.fonts();
        let metrics = fonts.as_ref().map_or(NO_FONT, Fonts::metrics);
        let atlas = Atlas::new(metrics, tallest, |line| {
            fonts.as_ref().map_or_else(Default::default, |fonts| fonts.line(line))
        });
        Self { fonts, atlas, ascii: Box::new([[None; 128]; 4]), drawn: 0 }
    }

    /// How many glyphs were drawn since the last call.
    pub(crate) fn take_drawn(&mut self) -> u64 {
        std::mem::take(&mut self.drawn)
    }

    /// A frame is over: frees glyphs where they are many. Returns whether something that had found no room
    /// finds it now, so that what shows it must be encoded again.
    pub(crate) fn frame_over<'a>(&mut self, cells: impl Iterator<Item = &'a [Word4]>) -> bool {
        self.atlas.next_frame();
        if !self.atlas.is_crowded() {
            return false;
        }
        // What found no room is worth more than what was shown a moment ago.
        let age = if self.atlas.is_full() { 0 } else { GLYPH_AGE };
        let mut shown = vec![false; usize::from(u16::MAX) + 1];
        for word in cells.flatten() {
            shown[(word.0[0] & 0xffff) as usize] = true;
            shown[(word.0[0] >> 16) as usize] = true;
        }
        *self.ascii = [[None; 128]; 4];
        self.atlas.evict(age, |slot| shown[usize::from(slot)])
    }

    fn draw(&mut self, text: &str, style: Style, columns: u8) -> Pieces {
        // Drawing what finds no room anyway would cost more than everything else.
        if self.atlas.is_full() {
            return Atlas::no_room();
        }
        self.drawn += 1;
        let Some(fonts) = &mut self.fonts else { return Pieces::default() };
        let wide = u32::from(columns);
        let raster = fonts.raster(text, style, wide).unwrap_or_else(|| {
            let mut system = font_system().write().unwrap_or_else(PoisonError::into_inner);
            fonts.raster_from(system.raw(), text, style, wide)
        });
        self.atlas.insert(text, style, columns, &raster)
    }
}

impl Glyphs for Sheet {
    fn char(&mut self, c: char, style: Style, columns: u8) -> Pieces {
        let ascii = c.is_ascii() && columns == 1;
        if ascii && let Some(pieces) = self.ascii[style.index()][c as usize] {
            return pieces;
        }
        let pieces = self
            .atlas
            .char(c, style, columns)
            .unwrap_or_else(|| self.draw(c.encode_utf8(&mut [0; 4]), style, columns));
        if ascii && pieces != Atlas::no_room() {
            self.ascii[style.index()][c as usize] = Some(pieces);
        }
        pieces
    }

    fn cluster(&mut self, text: &str, style: Style, columns: u8) -> Pieces {
        // What a host sends may be a book. Nothing beyond this can be seen.
        let end = text.char_indices().nth(LONGEST_CLUSTER).map_or(text.len(), |(end, _)| end);
        let text = &text[..end];
        self.atlas.cluster(text, style, columns).unwrap_or_else(|| self.draw(text, style, columns))
    }
}

/// What is drawn of one view: its cells encoded, and how far they are up to date.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
    pub(crate) words: Vec<Word4>,
    colors: Option<Colors>,
    look: Option<Arc<Look>>,
    surface: u64,
    /// How many rows the surface had.
    lines: usize,
    /// The surface's generation the words show.
    seen: u64,
    preedit: Option<(u16, Preedit)>,
    over: Over,
    encoder: Encoder,
    stale: bool,
}

impl Cells {
    /// One encoded row.
    pub(crate) fn row(&self, row: u16) -> &[Word4] {
        let cols = usize::from(self.cols);
        self.words.get(usize::from(row) * cols..(usize::from(row) + 1) * cols).unwrap_or_default()
    }

    /// What the shell said about a row, as a number; 0 is nothing.
    pub(crate) fn mark(&self, row: u16) -> u32 {
        self.row(row).first().map_or(0, |word| word.0[2] >> MARK_SHIFT & 3)
    }

    /// Whether the shell said something about any row.
    pub(crate) fn is_marked(&self) -> bool {
        (0..self.rows).any(|row| self.mark(row) != 0)
    }

    /// The colours of the terminal shown.
    pub(crate) fn colors(&self) -> Option<&Colors> {
        self.colors.as_ref()
    }

    /// Everything must be encoded again.
    pub(crate) fn invalidate(&mut self) {
        self.stale = true;
    }

    /// Encodes what changed. Returns the changed rows, as few ranges as may be, and the cursor.
    pub(crate) fn update(&mut self, pane: &Pane, sheet: &mut Sheet) -> (Vec<Range<u16>>, Cursor) {
        let start = thread_time();
        let screen = pane.surface.lock();
        let (cols, rows) = (pane.geometry.cols, pane.geometry.rows);
        let mut all = std::mem::take(&mut self.stale)
            || self.surface != pane.surface.id()
            || self.lines != screen.lines.len()
            || screen.recolored > self.seen;
        if (self.cols, self.rows) != (cols, rows) {
            (self.cols, self.rows) = (cols, rows);
            self.words.clear();
            self.words.resize(usize::from(cols) * usize::from(rows), Word4::default());
            all = true;
        }
        let same_look = self.look.as_ref().is_some_and(|look| Arc::ptr_eq(look, &pane.look));
        if all || !same_look {
            let colors = Colors::of(&pane.look, &screen.colors);
            if self.colors.as_ref() != Some(&colors) {
                self.colors = Some(colors);
                all = true;
            }
            self.look = Some(Arc::clone(&pane.look));
        }
        let preedit = pane.preedit.clone().zip(screen.cursor).map(|(text, at)| (at.row, text));
        let composed = self.preedit != preedit;
        let covered = self.over != pane.over;
        let touched = |row: u16| {
            let is_at = |preedit: &Option<(u16, Preedit)>| {
                preedit.as_ref().is_some_and(|(at, _)| *at == row)
            };
            composed && (is_at(&self.preedit) || is_at(&preedit))
                || covered && (self.over.touches(row) || pane.over.touches(row))
        };
        let changed = |row: u16| {
            let line = screen.lines.get(usize::from(row));
            all || touched(row) || line.is_some_and(|line| line.changed > self.seen)
        };
        let ranges = ranges((0..rows).filter(|row| changed(*row)));
        self.preedit = preedit;
        if covered {
            self.over.clone_from(&pane.over);
        }
        self.surface = pane.surface.id();
        self.lines = screen.lines.len();
        self.seen = screen.generation;
        let Some(colors) = &self.colors else { return (Vec::new(), Cursor::default()) };
        let mut count = 0;
        let empty = Row::default();
        for row in ranges.iter().cloned().flatten() {
            let content = screen.lines.get(usize::from(row)).map_or(&empty, |line| &line.row);
            let place = usize::from(row) * usize::from(cols);
            let covered = self.lay_over(content, row, &screen, colors);
            let out = &mut self.words[place..place + usize::from(cols)];
            self.encoder.row(covered.as_ref().unwrap_or(content), colors, sheet, out);
            count += 1;
        }
        let cursor = Cursor::new(pane, &screen, self.preedit.as_ref());
        drop(screen);
        let glyphs = sheet.take_drawn();
        let took = thread_time().saturating_sub(start);
        pane.surface.clock().counters().encoded(count, took, glyphs);
        pane.surface.counters().encoded(count, took);
        (ranges, cursor)
    }

    /// A row with what the window lays over it, where that is anything.
    fn lay_over(&self, row: &Row, at: u16, screen: &Screen, colors: &Colors) -> Option<Row> {
        let cursor = screen.cursor.filter(|cursor| cursor.row == at);
        let preedit = self.preedit.as_ref().filter(|(place, _)| *place == at).zip(cursor);
        if preedit.is_none() && !self.over.touches(at) {
            return None;
        }
        let mut covered = row.clone();
        covered.cells.resize(usize::from(screen.size.cols), Cell::BLANK);
        for span in self.over.underlined.iter().filter(|span| span.row == at) {
            over::underline(&mut covered, span.from, span.to);
        }
        if let Some(((_, preedit), cursor)) = preedit {
            over::preedit(&mut covered, preedit, cursor.col);
        }
        for hint in self.over.hints.iter().filter(|hint| hint.row == at) {
            over::hint(&mut covered, hint, colors);
        }
        Some(covered)
    }
}

/// Rows as ranges without gaps.
fn ranges(rows: impl Iterator<Item = u16>) -> Vec<Range<u16>> {
    let mut ranges: Vec<Range<u16>> = Vec::new();
    for row in rows {
        match ranges.last_mut() {
            Some(last) if last.end == row => last.end = row + 1,
            _ => ranges.push(row..row + 1),
        }
    }
    ranges
}

/// The cursor as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cursor {
    pub(crate) row: u16,
    pub(crate) col: u16,
    /// Cells it covers.
    pub(crate) cells: u16,
    pub(crate) figure: Figure,
}

/// What a cursor looks like. The numbers are the shader's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Figure {
    #[default]
    None = 0,
    Block = 1,
    Underline = 2,
    Beam = 3,
    Hollow = 4,
}

impl Cursor {
    fn new(pane: &Pane, screen: &Screen, preedit: Option<&(u16, Preedit)>) -> Self {
        let Some(cursor) = screen.cursor else { return Self::default() };
        // While text is composed its own marks show where one is.
        if pane.cursor == CursorLook::Hidden || preedit.is_some() {
            return Self::default();
        }
        let line = screen.lines.get(usize::from(cursor.row));
        let cell = |col: u16| line.and_then(|line| line.row.cells.get(usize::from(col)));
        let is = |col: u16, flag: u16| cell(col).is_some_and(|cell| cell.has(flag));
        let on_second_half = is(cursor.col, flags::SPACER) && cursor.col > 0;
        let col = if on_second_half { cursor.col - 1 } else { cursor.col };
        let figure = match (pane.cursor, cursor.shape) {
            (CursorLook::Hollow, _) => Figure::Hollow,
            // The user's own cursor looks the same whatever the child made of its one.
            _ if screen.modes.vi => Figure::Block,
            (_, CursorShape::Block) => Figure::Block,
            (_, CursorShape::Underline) => Figure::Underline,
            (_, CursorShape::Beam) => Figure::Beam,
        };
        Self { row: cursor.row, col, cells: if is(col, flags::WIDE) { 2 } else { 1 }, figure }
    }

    /// Whether a cell is part of it, and which.
    pub(crate) fn covers(&self, row: u16, col: u16) -> Option<u16> {
        let inside = self.figure != Figure::None
            && row == self.row
            && (self.col..self.col.saturating_add(self.cells)).contains(&col);
        inside.then(|| col - self.col)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_gather_into_ranges() {
        assert_eq!(ranges([0, 1, 2, 5, 7, 8].into_iter()), [0..3, 5..6, 7..9]);
        assert_eq!(ranges(std::iter::empty()), []);
    }
}
