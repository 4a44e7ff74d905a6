//! Drawing without a graphics card: every row is composed to pixels and handed over as an image.
//!
//! An image a row and not one a terminal: the software renderer compares images by identity, so a row
//! that did not change is not damaged and costs nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use iced::advanced::image::{self, FilterMethod, Handle, Image};
use iced::advanced::renderer::Quad;
use iced::{Color, Rectangle};

use maestro_glyph::atlas::TALLEST;

use crate::compose;
use crate::counters::AtlasCounts;
use crate::look::Rgb;
use crate::pane::Pane;
use crate::sheet::{Cells, Cursor, Key, Sheet};

/// The most sizes of type kept. Beyond it the one that was not used for longest goes.
const MOST_SHEETS: usize = 32;

/// What a widget keeps of its rows between frames.
#[derive(Default)]
pub(crate) struct Cache {
    cells: Cells,
    key: Option<(Key, u64)>,
    cursor: Cursor,
    rows: Vec<Option<Handle>>,
    /// The ticks beside prompts, one a colour; made when the first one is drawn.
    ticks: [Option<Handle>; 3],
}

/// Glyphs are shared by all terminals of the process; they are copied into rows at once, so nobody
/// depends on them afterwards.
#[derive(Default)]
struct Sheets {
    sheets: HashMap<Key, (Sheet, u64)>,
    /// When each was used last, by the count of uses.
    used: HashMap<Key, u64>,
    uses: u64,
    /// Counts the sheets ever made, so that a cache notices when its own was replaced.
    made: u64,
}

fn sheets() -> MutexGuard<'static, Sheets> {
    static SHEETS: OnceLock<Mutex<Sheets>> = OnceLock::new();
    SHEETS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sheets {
    fn of(&mut self, key: Key) -> &mut (Sheet, u64) {
        if self.sheets.get(&key).is_some_and(|(sheet, _)| sheet.atlas.is_crowded()) {
            let _ = self.sheets.remove(&key);
        }
        if self.sheets.len() >= MOST_SHEETS && !self.sheets.contains_key(&key) {
            let least = self.used.iter().min_by_key(|(_, used)| **used).map(|(key, _)| *key);
            if let Some(least) = least {
                let _ = self.sheets.remove(&least);
                let _ = self.used.remove(&least);
            }
        }
        self.uses += 1;
        let _ = self.used.insert(key, self.uses);
        let made = &mut self.made;
        self.sheets.entry(key).or_insert_with(|| {
            *made += 1;
            (Sheet::new(&key, TALLEST), *made)
        })
    }

    fn counts(&self) -> AtlasCounts {
        let mut counts = AtlasCounts { sizes: self.sheets.len() as u64, ..AtlasCounts::default() };
        for (sheet, _) in self.sheets.values() {
            let (masks, pictures) = (sheet.atlas.masks.fill(), sheet.atlas.colors.fill());
            counts.masks.0 += masks.0 as u64;
            counts.masks.1 += masks.1 as u64;
            counts.pictures.0 += pictures.0 as u64;
            counts.pictures.1 += pictures.1 as u64;
            counts.bytes += sheet.atlas.bytes() as u64;
        }
        counts
    }
}

/// Draws a terminal.
pub(crate) fn draw<R>(renderer: &mut R, bounds: Rectangle, pane: &Pane, cache: &mut Cache)
where
    R: image::Renderer<Handle = Handle>,
{
    cache.update(pane);
    let scale = pane.geometry.scale;
    let background = cache.cells.colors().map_or([0; 3], |colors| colors.background);
    renderer.fill_quad(Quad { bounds, ..Quad::default() }, color(background));
    let metrics = pane.geometry.metrics;
    let width = u32::from(cache.cells.cols) * metrics.width;
    for (row, handle) in cache.rows.iter().enumerate() {
        let Some(handle) = handle else { continue };
        let top = pane.geometry.top as f32 + row as f32 * metrics.height as f32;
        let place = Rectangle {
            // The renderer cuts fractions off. A quarter of a pixel keeps it from cutting off a whole
            // one where a product came out a little small.
            x: (pane.geometry.left as f32 + 0.25) / scale,
            y: (top + 0.25) / scale,
            width: width as f32 / scale,
            height: metrics.height as f32 / scale,
        };
        let image = Image::new(handle.clone()).filter_method(FilterMethod::Nearest);
        renderer.draw_image(image, place, bounds);
    }
    cache.ticks(renderer, bounds, pane);
    pane.surface.drawn();
}

impl Cache {
    /// What the shell said about rows, beside them. The shader has the same measures.
    fn ticks<R>(&mut self, renderer: &mut R, bounds: Rectangle, pane: &Pane)
    where
        R: image::Renderer<Handle = Handle>,
    {
        let metrics = pane.geometry.metrics;
        let (width, inset) = (metrics.width / 4, metrics.height / 4);
        let height = metrics.height - 2 * inset;
        if width == 0 || height == 0 {
            return;
        }
        for row in 0..self.cells.rows {
            let Some(kind) = (self.cells.mark(row) as usize).checked_sub(1) else { continue };
            let Some([r, g, b]) = self.cells.colors().map(|colors| colors.marks[kind]) else {
                return;
            };
            let handle = self.ticks[kind].get_or_insert_with(|| {
                let pixels = [r, g, b, 255].repeat((width * height) as usize);
                Handle::from_rgba(width, height, pixels)
            });
            let scale = pane.geometry.scale;
            let left = pane.geometry.left - 2 * width as i32;
            let top = pane.geometry.top + (u32::from(row) * metrics.height + inset) as i32;
            let place = Rectangle {
                x: (left as f32 + 0.25) / scale,
                y: (top as f32 + 0.25) / scale,
                width: width as f32 / scale,
                height: height as f32 / scale,
            };
            let image = Image::new(handle.clone()).filter_method(FilterMethod::Nearest);
            renderer.draw_image(image, place, bounds);
        }
    }

    fn update(&mut self, pane: &Pane) {
        let mut sheets = sheets();
        let key = Key::of(&pane.look, pane.geometry.scale);
        let mut before = self.cells.colors().map(|colors| colors.marks);
        let (sheet, made) = sheets.of(key);
        if self.key != Some((key, *made)) {
            self.key = Some((key, *made));
            self.cells.invalidate();
            // Their size is the cell's.
            before = None;
        }
        let (mut changed, cursor) = self.cells.update(pane, sheet);
        let (sheet, made) = if sheet.atlas.is_full() {
            // Nobody else depends on the glyphs: rows that were drawn have copies of them.
            let _ = sheets.sheets.remove(&key);
            let (sheet, made) = sheets.of(key);
            self.key = Some((key, *made));
            self.cells.invalidate();
            changed = self.cells.update(pane, sheet).0;
            (sheet, made)
        } else {
            (sheet, made)
        };
        debug_assert_eq!(self.key, Some((key, *made)));
        if before != self.cells.colors().map(|colors| colors.marks) {
            self.ticks = [const { None }; 3];
        }
        self.rows.resize(usize::from(self.cells.rows), None);
        let moved = cursor != self.cursor;
        for row in changed.into_iter().flatten() {
            self.forget(row);
        }
        if moved {
            self.forget(self.cursor.row);
            self.forget(cursor.row);
            self.cursor = cursor;
        }
        let Some(colors) = self.cells.colors() else { return };
        let metrics = sheet.atlas.metrics();
        let width = u32::from(self.cells.cols) * metrics.width;
        for (row, handle) in (0..self.cells.rows).zip(&mut self.rows) {
            if handle.is_none() {
                let mut pixels = vec![0; width as usize * metrics.height as usize * 4];
                let words = self.cells.row(row);
                compose::row(words, row, &self.cursor, colors, &sheet.atlas, &mut pixels);
                *handle = Some(Handle::from_rgba(width, metrics.height, pixels));
            }
        }
        pane.surface.clock().counters().atlas(sheets.counts());
    }

    fn forget(&mut self, row: u16) {
        if let Some(handle) = self.rows.get_mut(usize::from(row)) {
            *handle = None;
        }
    }
}

fn color([r, g, b]: Rgb) -> Color {
    Color::from_rgb8(r, g, b)
}
