//! What the shader does, on the processor: a row of encoded cells becomes pixels.
//!
//! The software renderer draws with it, and tests hold the graphics card's pixels against it.

use maestro_glyph::{Atlas, Line};

use crate::encode::{
    FAINT, FAINT_SHARE, NEIGHBOUR_FAINT, NEIGHBOUR_INK, STRUCK, UNDERLINE_SHIFT, Word4, unpack,
};
use crate::look::{Colors, Rgb};
use crate::sheet::{Cursor, Figure};

/// Composes a row into pixels of four bytes: red, green, blue, alpha. `pixels` holds exactly the row.
pub(crate) fn row(
    words: &[Word4],
    row: u16,
    cursor: &Cursor,
    colors: &Colors,
    atlas: &Atlas,
    pixels: &mut [u8],
) {
    let metrics = atlas.metrics();
    let (width, height) = (metrics.width as usize, metrics.height as usize);
    let stride = words.len() * width * 4;
    for (col, word) in words.iter().enumerate() {
        let part = cursor.covers(row, u16::try_from(col).unwrap_or(u16::MAX));
        let cell = Cell::new(word, part.is_some_and(|_| cursor.figure == Figure::Block), colors);
        for y in 0..height {
            let start = y * stride + col * width * 4;
            let Some(line) = pixels.get_mut(start..start + width * 4) else { return };
            cell.line(atlas, y as u32, line);
            if let Some(part) = part {
                cursor_line(
                    cursor,
                    part,
                    (width, height),
                    metrics.stroke as usize,
                    y,
                    colors,
                    line,
                );
            }
        }
    }
}

/// A cell's word taken apart.
struct Cell {
    own: u16,
    neighbour: u16,
    ink: Rgb,
    behind: Rgb,
    line: Rgb,
    neighbour_ink: Rgb,
    underline: u16,
    struck: bool,
    faint: bool,
    neighbour_faint: bool,
}

impl Cell {
    fn new(word: &Word4, under_block: bool, colors: &Colors) -> Self {
        let [slots, ink, behind, second] = word.0;
        let (fg, bg) = if under_block {
            (colors.cursor_text, colors.cursor)
        } else {
            (unpack(ink), unpack(behind))
        };
        Self {
            own: slots as u16,
            neighbour: (slots >> 16) as u16,
            ink: fg,
            behind: bg,
            line: unpack(second),
            neighbour_ink: if ink & NEIGHBOUR_INK != 0 { unpack(second) } else { fg },
            underline: (ink >> UNDERLINE_SHIFT & 0b111) as u16,
            struck: ink & STRUCK != 0,
            faint: ink & FAINT != 0,
            neighbour_faint: ink & NEIGHBOUR_FAINT != 0,
        }
    }

    fn line(&self, atlas: &Atlas, y: u32, pixels: &mut [u8]) {
        for pixel in pixels.chunks_exact_mut(4) {
            let [r, g, b] = self.behind;
            pixel.copy_from_slice(&[r, g, b, 255]);
        }
        glyph(atlas, self.neighbour, y, self.neighbour_ink, self.neighbour_faint, pixels);
        glyph(atlas, self.underline, y, self.line, false, pixels);
        glyph(atlas, self.own, y, self.ink, self.faint, pixels);
        if self.struck {
            glyph(atlas, Atlas::line(Line::Strike), y, self.ink, false, pixels);
        }
    }
}

/// Masks are as faint as their ink; pictures have no ink.
fn glyph(atlas: &Atlas, slot: u16, y: u32, ink: Rgb, faint: bool, pixels: &mut [u8]) {
    if slot == maestro_glyph::atlas::BLANK {
        return;
    }
    let (plane, number) = atlas.plane(slot);
    let source = plane.row(number, y);
    if slot & maestro_glyph::atlas::COLOR == 0 {
        for (pixel, coverage) in pixels.chunks_exact_mut(4).zip(source) {
            blend(pixel, ink, *coverage);
        }
    } else {
        for (pixel, color) in pixels.chunks_exact_mut(4).zip(source.chunks_exact(4)) {
            let left = u32::from(color[3]) * if faint { FAINT_SHARE } else { 255 };
            blend(pixel, [color[0], color[1], color[2]], ((left + 127) / 255) as u8);
        }
    }
}

/// Mixes as the shader does, in the colours' own space, rounded once.
fn blend(pixel: &mut [u8], ink: Rgb, coverage: u8) {
    match coverage {
        0 => {}
        255 => pixel[..3].copy_from_slice(&ink),
        _ => {
            let share = u32::from(coverage);
            for (channel, ink) in pixel.iter_mut().zip(ink) {
                let mixed = u32::from(*channel) * (255 - share) + u32::from(ink) * share;
                *channel = ((mixed + 127) / 255) as u8;
            }
        }
    }
}

fn cursor_line(
    cursor: &Cursor,
    part: u16,
    (width, height): (usize, usize),
    stroke: usize,
    y: usize,
    colors: &Colors,
    pixels: &mut [u8],
) {
    let thick = stroke.max(2);
    let last = part + 1 == cursor.cells;
    for (x, pixel) in pixels.chunks_exact_mut(4).enumerate() {
        let inked = match cursor.figure {
            Figure::None | Figure::Block => false,
            Figure::Underline => y + thick >= height,
            Figure::Beam => part == 0 && x < thick,
            Figure::Hollow => {
                part == 0 && x < stroke
                    || last && x + stroke >= width
                    || y < stroke
                    || y + stroke >= height
            }
        };
        if inked {
            pixel[..3].copy_from_slice(&colors.cursor);
        }
    }
}
