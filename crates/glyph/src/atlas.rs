//! Where glyphs are kept: two planes of slots, each slot as large as one cell.
//!
//! A glyph is cut into pieces of one cell each: its cells, and what reaches over to the left and to
//! the right of them. So looking up a pixel needs no geometry at all, neither on the graphics card nor
//! on the processor, packing cannot fragment, and a slot that is freed fits any other glyph.
//!
//! The atlas only grows while a frame is prepared. Slots are freed between frames, by whoever knows
//! which are still shown: an earlier terminal's cells must not change under it.

use std::collections::HashMap;

use crate::builtin::{self, Line};
use crate::fonts::Style;
use crate::metrics::Metrics;
use crate::raster::Raster;

/// A slot that holds nothing.
pub const BLANK: u16 = 0;

/// Set in a slot's number where it lies in the plane of colours.
pub const COLOR: u16 = 0x8000;

/// The most slots of a plane. The number of a slot has 15 bits; the last stands for "none left".
const MOST: usize = 0x7fff;

/// The longest side of a plane in pixels: every graphics card takes it.
const SIDE: u32 = 2048;

/// The tallest a plane may be where nobody sets a lower limit, in pixels.
pub const TALLEST: u32 = 8192;

/// A box, for what finds no room.
pub const NO_ROOM: u16 = 1 + Line::ALL.len() as u16;

/// Slots of the plane of masks that are taken from the start: the blank one, the lines, the box.
#[cfg(test)]
const RESERVED: u16 = NO_ROOM + 1;

/// Below this coverage ink that reaches into a neighbour is not worth a slot.
const FAINT: u8 = 24;

/// The pieces of a glyph as slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pieces {
    /// Its own cells; the second is blank for a narrow one.
    pub cells: [u16; 2],
    /// What reaches into the cell to the left.
    pub left: u16,
    /// What reaches into the cell to the right.
    pub right: u16,
    /// How much ink those two have, for choosing between neighbours.
    pub overhang: [u16; 2],
}

/// A glyph's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    text: Box<str>,
    style: Style,
    columns: u8,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    pieces: Pieces,
    /// The frame that asked for it last.
    used: u64,
}

/// Glyphs of one size of cell.
#[derive(Debug)]
pub struct Atlas {
    metrics: Metrics,
    /// Single characters: nearly everything.
    chars: HashMap<(u32, u8), Entry>,
    /// Characters with marks.
    clusters: HashMap<Key, Entry>,
    /// Coverage, one byte a pixel.
    pub masks: Plane,
    /// Colours, four bytes a pixel.
    pub colors: Plane,
    frame: u64,
    /// Whether something found no room since the last [`Atlas::evict`].
    full: bool,
}

impl Atlas {
    /// An empty atlas for cells of this size, its planes no taller than `tallest` pixels; `lines`
    /// draws the lines along text.
    pub fn new(metrics: Metrics, tallest: u32, lines: impl Fn(Line) -> Raster) -> Self {
        let mut atlas = Self {
            metrics,
            chars: HashMap::new(),
            clusters: HashMap::new(),
            masks: Plane::new(&metrics, 1, tallest),
            colors: Plane::new(&metrics, 4, tallest),
            frame: 0,
            full: false,
        };
        let blank = atlas.masks.take();
        debug_assert_eq!(blank, Some(BLANK));
        for line in Line::ALL {
            let raster = lines(line);
            let slot = atlas.masks.take().unwrap_or(BLANK);
            atlas.masks.copy(slot, &raster, 0);
            debug_assert_eq!(slot, Self::line(line));
        }
        let slot = atlas.masks.take().unwrap_or(BLANK);
        atlas.masks.copy(slot, &builtin::missing(&metrics, 1), 0);
        debug_assert_eq!(slot, NO_ROOM);
        atlas
    }

    /// The slot of a line along text.
    #[must_use]
    pub const fn line(line: Line) -> u16 {
        1 + line as u16
    }

    /// The size of a slot.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics
    }

    /// How many glyphs it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chars.len() + self.clusters.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces of a single character, where it is kept already.
    pub fn char(&mut self, c: char, style: Style, columns: u8) -> Option<Pieces> {
        let entry = self.chars.get_mut(&char_key(c, style, columns))?;
        entry.used = self.frame;
        Some(entry.pieces)
    }

    /// The pieces of a character with marks, where it is kept already.
    pub fn cluster(&mut self, text: &str, style: Style, columns: u8) -> Option<Pieces> {
        let key = Key { text: text.into(), style, columns };
        let entry = self.clusters.get_mut(&key)?;
        entry.used = self.frame;
        Some(entry.pieces)
    }

    /// The pieces that stand for a glyph which found no room: a box.
    #[must_use]
    pub fn no_room() -> Pieces {
        Pieces { cells: [NO_ROOM, BLANK], ..Pieces::default() }
    }

    /// Keeps a glyph and returns its pieces. Where no room is left it is a box until the next
    /// [`Atlas::evict`].
    pub fn insert(&mut self, text: &str, style: Style, columns: u8, raster: &Raster) -> Pieces {
        let Some(pieces) = self.cut(raster, columns) else {
            self.full = true;
            return Self::no_room();
        };
        let entry = Entry { pieces, used: self.frame };
        let mut chars = text.chars();
        let _ = match (chars.next(), chars.next()) {
            (Some(only), None) => self.chars.insert(char_key(only, style, columns), entry),
            _ => {
                let key = Key { text: text.into(), style, columns };
                self.clusters.insert(key, entry)
            }
        };
        pieces
    }

    /// Whether slots should be freed: half of what there can be is taken, or something found no room.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.full || self.masks.is_crowded() || self.colors.is_crowded()
    }

    /// Whether something found no room since slots were freed last.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Memory of both planes in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.masks.pixels.len() + self.colors.pixels.len()
    }

    /// A frame has ended.
    pub fn next_frame(&mut self) {
        self.frame += 1;
    }

    /// Frees glyphs that nobody has asked for in the last `age` frames and that `shown` does not know.
    /// Only between frames. Returns whether something that had found no room may find it now, so that its
    /// box must be encoded again.
    pub fn evict(&mut self, age: u64, shown: impl Fn(u16) -> bool) -> bool {
        let oldest = self.frame.saturating_sub(age);
        let before = self.chars.len() + self.clusters.len();
        let (masks, colors) = (&mut self.masks, &mut self.colors);
        let mut keep = |entry: &Entry| {
            let pieces = entry.pieces;
            let slots = [pieces.cells[0], pieces.cells[1], pieces.left, pieces.right];
            if entry.used >= oldest || slots.into_iter().any(|slot| slot != BLANK && shown(slot)) {
                return true;
            }
            for slot in slots.into_iter().filter(|slot| *slot != BLANK) {
                if slot & COLOR == 0 {
                    masks.free(slot);
                } else {
                    colors.free(slot & !COLOR);
                }
            }
            false
        };
        self.chars.retain(|_, entry| keep(entry));
        self.clusters.retain(|_, entry| keep(entry));
        let freed = self.chars.len() + self.clusters.len() < before;
        freed && std::mem::take(&mut self.full)
    }

    /// The plane and the plain number of a slot.
    #[must_use]
    pub fn plane(&self, slot: u16) -> (&Plane, u16) {
        if slot & COLOR == 0 { (&self.masks, slot) } else { (&self.colors, slot & !COLOR) }
    }

    fn cut(&mut self, raster: &Raster, columns: u8) -> Option<Pieces> {
        let plane = if raster.color { &mut self.colors } else { &mut self.masks };
        let mark = if raster.color { COLOR } else { 0 };
        let width = self.metrics.width as i32;
        let mut taken = Vec::new();
        let mut piece = |column: i32, faint: u8| -> Option<(u16, u16)> {
            let ink = ink(raster, column * width, width, self.metrics.height as i32);
            if ink.most <= faint {
                return Some((BLANK, 0));
            }
            let slot = plane.take()?;
            taken.push(slot);
            plane.copy(slot, raster, column * width);
            Some((slot | mark, ink.sum))
        };
        let columns = i32::from(columns.clamp(1, 2));
        let pieces = (|| {
            let first = piece(0, 0)?.0;
            let second = if columns == 2 { piece(1, 0)?.0 } else { BLANK };
            let left = piece(-1, FAINT)?;
            let right = piece(columns, FAINT)?;
            Some(Pieces {
                cells: [first, second],
                left: left.0,
                right: right.0,
                overhang: [left.1, right.1],
            })
        })();
        if pieces.is_none() {
            taken.into_iter().for_each(|slot| plane.free(slot));
        }
        pieces
    }
}

fn char_key(c: char, style: Style, columns: u8) -> (u32, u8) {
    (c as u32, style.index() as u8 | columns << 2)
}

struct Ink {
    most: u8,
    sum: u16,
}

/// How much ink an image has in a column of cells that begins at `left`.
fn ink(raster: &Raster, left: i32, width: i32, height: i32) -> Ink {
    let depth = raster.depth();
    let mut ink = Ink { most: 0, sum: 0 };
    let rows = (-raster.top).max(0)..(height - raster.top).min(raster.height as i32);
    let columns =
        (left - raster.left).max(0)..(left + width - raster.left).min(raster.width as i32);
    for y in rows {
        for x in columns.clone() {
            let at = (y as usize * raster.width as usize + x as usize) * depth + depth - 1;
            let alpha = raster.pixels.get(at).copied().unwrap_or(0);
            ink.most = ink.most.max(alpha);
            ink.sum = ink.sum.saturating_add(u16::from(alpha >> 4));
        }
    }
    ink
}

/// An image made of slots, side by side and row under row.
#[derive(Debug)]
pub struct Plane {
    cell: (u32, u32),
    depth: u32,
    per_row: u32,
    rows: u32,
    most: usize,
    pixels: Vec<u8>,
    /// How many slots were ever handed out.
    handed: usize,
    freed: Vec<u16>,
    /// Slots drawn since [`Plane::drain`].
    changed: Vec<u16>,
    /// Counts how often it grew: a copy of another height is no copy any more.
    generation: u32,
}

impl Plane {
    fn new(metrics: &Metrics, depth: u32, tallest: u32) -> Self {
        let cell = (metrics.width, metrics.height);
        let per_row = (SIDE / cell.0).max(1);
        let most = (per_row * (tallest.min(TALLEST) / cell.1).max(1)) as usize;
        let mut plane = Self {
            cell,
            depth,
            per_row,
            rows: 0,
            most: most.min(MOST),
            pixels: Vec::new(),
            handed: 0,
            freed: Vec::new(),
            changed: Vec::new(),
            generation: 0,
        };
        plane.grow();
        plane
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.per_row * self.cell.0, self.rows * self.cell.1)
    }

    /// Slots side by side.
    #[must_use]
    pub fn per_row(&self) -> u32 {
        self.per_row
    }

    /// Counts how often the plane grew.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// All pixels, row after row.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Bytes of one row of pixels.
    #[must_use]
    pub fn stride(&self) -> usize {
        (self.size().0 * self.depth) as usize
    }

    /// How many slots are taken, and how many there can be.
    #[must_use]
    pub fn fill(&self) -> (usize, usize) {
        (self.handed - self.freed.len(), self.most)
    }

    /// The top left pixel of a slot.
    #[must_use]
    pub fn origin(&self, slot: u16) -> (u32, u32) {
        let slot = u32::from(slot);
        (slot % self.per_row * self.cell.0, slot / self.per_row * self.cell.1)
    }

    /// The slots drawn since the last call.
    pub fn drain(&mut self) -> std::vec::Drain<'_, u16> {
        self.changed.drain(..)
    }

    /// One row of a slot's pixels.
    #[must_use]
    pub fn row(&self, slot: u16, y: u32) -> &[u8] {
        let (left, top) = self.origin(slot);
        let start = (top + y) as usize * self.stride() + (left * self.depth) as usize;
        self.pixels.get(start..start + (self.cell.0 * self.depth) as usize).unwrap_or_default()
    }

    fn is_crowded(&self) -> bool {
        (self.handed - self.freed.len()) * 2 > self.most
    }

    fn take(&mut self) -> Option<u16> {
        if let Some(slot) = self.freed.pop() {
            return Some(slot);
        }
        if self.handed >= self.most {
            return None;
        }
        if self.handed >= (self.per_row * self.rows) as usize {
            self.grow();
        }
        let slot = u16::try_from(self.handed).ok()?;
        self.handed += 1;
        Some(slot)
    }

    fn free(&mut self, slot: u16) {
        self.freed.push(slot);
    }

    /// Doubles, from what a screen of plain text needs.
    fn grow(&mut self) {
        let most_rows = (self.most as u32).div_ceil(self.per_row);
        let first = (256 / self.cell.1).max(2);
        self.rows = (self.rows * 2).max(first).min(most_rows.max(1));
        let size = self.stride() * (self.rows * self.cell.1) as usize;
        self.pixels.resize(size, 0);
        self.generation += 1;
    }

    /// Copies the part of an image that lies in the column of cells beginning at `left`.
    fn copy(&mut self, slot: u16, raster: &Raster, left: i32) {
        let depth = self.depth as usize;
        let (slot_x, slot_y) = self.origin(slot);
        let stride = self.stride();
        for y in 0..self.cell.1 as i32 {
            for x in 0..self.cell.0 as i32 {
                let (from_x, from_y) = (x + left - raster.left, y - raster.top);
                let inside = (0..raster.width as i32).contains(&from_x)
                    && (0..raster.height as i32).contains(&from_y);
                let to = (slot_y as usize + y as usize) * stride
                    + (slot_x as usize + x as usize) * depth;
                let pixel = inside.then(|| {
                    let from = (from_y as usize * raster.width as usize + from_x as usize) * depth;
                    raster.pixels.get(from..from + depth)
                });
                match pixel.flatten() {
                    Some(pixel) => self.pixels[to..to + depth].copy_from_slice(pixel),
                    None => self.pixels[to..to + depth].fill(0),
                }
            }
        }
        self.changed.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: Metrics =
        Metrics { width: 4, height: 6, baseline: 5, stroke: 1, underline: 5, strike: 3 };

    fn atlas() -> Atlas {
        Atlas::new(METRICS, TALLEST, |line| crate::builtin::line(line, &METRICS))
    }

    fn solid(left: i32, width: u32) -> Raster {
        Raster {
            color: false,
            left,
            top: 0,
            width,
            height: 6,
            pixels: vec![255; width as usize * 6],
        }
    }

    #[test]
    fn a_glyph_is_cut_at_the_borders_of_cells() {
        let mut atlas = atlas();
        let pieces = atlas.insert("f", Style::default(), 1, &solid(-1, 6));
        let rows = [pieces.left, pieces.cells[0], pieces.right].map(|slot| {
            assert_ne!(slot, BLANK);
            atlas.masks.row(slot, 2).to_vec()
        });
        assert_eq!(rows, [vec![0, 0, 0, 255], vec![255; 4], vec![255, 0, 0, 0]]);
        assert_eq!(pieces.cells[1], BLANK);
        assert_eq!(atlas.char('f', Style::default(), 1), Some(pieces));
        assert_eq!(atlas.char('f', Style { bold: true, italic: false }, 1), None);
    }

    #[test]
    fn a_wide_glyph_has_two_cells() {
        let mut atlas = atlas();
        let pieces = atlas.insert("好", Style::default(), 2, &solid(0, 8));
        assert!(pieces.cells.iter().all(|slot| *slot >= RESERVED));
        assert_eq!((pieces.left, pieces.right), (BLANK, BLANK));
    }

    #[test]
    fn blank_glyphs_take_no_slot() {
        let mut atlas = atlas();
        let before = atlas.masks.handed;
        assert_eq!(atlas.insert(" ", Style::default(), 1, &Raster::default()), Pieces::default());
        assert_eq!(atlas.masks.handed, before);
    }

    #[test]
    fn only_what_is_old_and_not_shown_is_freed() {
        let mut atlas = atlas();
        let old = atlas.insert("a", Style::default(), 1, &solid(0, 4));
        let shown = atlas.insert("b", Style::default(), 1, &solid(0, 4));
        for _ in 0..10 {
            atlas.next_frame();
        }
        let new = atlas.insert("c", Style::default(), 1, &solid(0, 4));
        let full = atlas.evict(5, |slot| slot == shown.cells[0]);
        assert!(!full);
        assert_eq!(atlas.char('a', Style::default(), 1), None);
        assert_eq!(atlas.char('b', Style::default(), 1), Some(shown));
        assert_eq!(atlas.char('c', Style::default(), 1), Some(new));
        let next = atlas.insert("d", Style::default(), 1, &solid(0, 4));
        assert_eq!(next.cells[0], old.cells[0]);
    }

    #[test]
    fn a_full_atlas_shows_boxes_and_says_so() {
        let metrics = Metrics { width: 512, height: 512, ..METRICS };
        let mut atlas = Atlas::new(metrics, TALLEST, |line| crate::builtin::line(line, &metrics));
        let big =
            Raster { width: 512, height: 512, pixels: vec![255; 512 * 512], ..Raster::default() };
        let room = atlas.masks.most - usize::from(RESERVED);
        for n in 0..room as u32 {
            let c = char::from_u32(0x4e00 + n).expect("a character");
            let pieces = atlas.insert(&c.to_string(), Style::default(), 1, &big);
            assert_ne!(pieces.cells[0], BLANK, "{n} of {room}");
        }
        assert!(atlas.is_crowded() && !atlas.is_full());
        assert_eq!(atlas.insert("a", Style::default(), 1, &big), Atlas::no_room());
        assert!(atlas.is_full());
        // Nothing can be freed while everything is shown.
        assert!(!atlas.evict(0, |_| true));
        assert!(atlas.is_full());
        for _ in 0..10 {
            atlas.next_frame();
        }
        assert!(atlas.evict(5, |_| false));
        assert_ne!(atlas.insert("a", Style::default(), 1, &big).cells[0], BLANK);
    }

    #[test]
    fn growing_keeps_what_is_there() {
        let mut atlas = atlas();
        let first = atlas.insert("a", Style::default(), 1, &solid(0, 4));
        let before = atlas.masks.generation();
        let mut n = 0x4e00;
        while atlas.masks.generation() == before {
            let c = char::from_u32(n).expect("a character");
            let _ = atlas.insert(&c.to_string(), Style::default(), 1, &solid(0, 4));
            n += 1;
        }
        assert_eq!(atlas.masks.row(first.cells[0], 0), [255; 4]);
    }
}
