//! From text to pixels: the typeface's own faces first, the system's fonts for the rest.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cosmic_text::{Attrs, Buffer, Family, FontSystem, LayoutGlyph, Shaping};
use swash::scale::{Render, ScaleContext, Source, StrikeWith, image::Content};
use swash::shape::ShapeContext;
use swash::zeno::{Angle, Format, Transform};
use swash::{FontRef, GlyphId};

use crate::builtin;
use crate::color;
use crate::faces::Faces;
use crate::metrics::{FontMetrics, Metrics};
use crate::raster::Raster;

/// How far a made-up italic leans.
const LEAN: f32 = 14.0;

/// How much a made-up bold grows, as a share of the size.
const GROWTH: f32 = 0.035;

/// How much wider than its cells a fallback glyph may be before it is made smaller. Fonts that do not
/// know our cell rarely fit to the pixel.
const TOLERANCE: f32 = 1.08;

/// How much wider than its cells a letter with marks may be: other fonts' letters are wider than ours.
const MOST_BESIDE: f32 = 1.5;

/// The most glyphs one cell's text is made of; a hostile pile of combining marks ends here.
const MOST_GLYPHS: usize = 16;

/// Heavy, slanted, both or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Style {
    /// Heavier strokes.
    pub bold: bool,
    /// Slanted.
    pub italic: bool,
}

impl Style {
    /// The four styles, in the order of [`Style::index`].
    pub const ALL: [Self; 4] = [
        Self { bold: false, italic: false },
        Self { bold: true, italic: false },
        Self { bold: false, italic: true },
        Self { bold: true, italic: true },
    ];

    /// 0 to 3.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.bold) + 2 * usize::from(self.italic)
    }
}

/// What is wrong with a typeface.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The regular face cannot be read.
    #[error("the terminal's font is not a font file that can be read; choose another one")]
    Unreadable,
}

/// A typeface at one size, ready to draw.
pub struct Fonts {
    faces: [Option<FontRef<'static>>; 4],
    size: f32,
    metrics: Metrics,
    scaling: ScaleContext,
    shaping: ShapeContext,
}

/// What has to be made up because a face is missing.
#[derive(Debug, Clone, Copy, Default)]
struct MadeUp {
    bold: bool,
    italic: bool,
}

/// A glyph of a font, placed.
struct Placed {
    id: GlyphId,
    x: f32,
    y: f32,
}

impl Fonts {
    /// Reads the faces. `size` is in physical pixels, `line_height` a multiple of the font's own.
    ///
    /// # Errors
    ///
    /// Where the regular face is no font. Other faces that cannot be read count as missing.
    pub fn new(faces: &Faces, size: f32, line_height: f32) -> Result<Self, Error> {
        let size = if size.is_finite() { size.clamp(4.0, 256.0) } else { 13.0 };
        let files = faces.all().map(|file| file.and_then(|file| FontRef::from_index(file, 0)));
        let regular = files[0].ok_or(Error::Unreadable)?;
        Ok(Self {
            faces: files,
            size,
            metrics: Metrics::new(&font_metrics(&regular, size), line_height),
            scaling: ScaleContext::new(),
            shaping: ShapeContext::new(),
        })
    }

    /// The cell of this typeface at this size.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics
    }

    /// Draws the text of one cell, or of two, from the built-in glyphs and the typeface's own faces;
    /// `None` where they do not have it all and [`Fonts::raster_from`] has to be asked.
    pub fn raster(&mut self, text: &str, style: Style, columns: u32) -> Option<Raster> {
        let mut chars = text.chars();
        let first = chars.next()?;
        if chars.next().is_none()
            && let Some(raster) = builtin::draw(first, &self.metrics)
        {
            return Some(raster);
        }
        if wants_color(text) {
            return None;
        }
        let (font, made_up) = self.face(style)?;
        let charmap = font.charmap();
        if charmap.map(first) == 0 {
            return builtin::symbol(first, &self.metrics).filter(|_| columns == 1);
        }
        if text.chars().any(|c| !is_invisible(c) && charmap.map(c) == 0) {
            // A mark from another font would not fit our letter: the letter comes with it, from there.
            return None;
        }
        let known: String = text.chars().filter(|c| !is_invisible(*c)).collect();
        Some(self.own(font, made_up, &known, columns))
    }

    /// Draws text that a face has all glyphs for.
    fn own(&mut self, font: FontRef<'static>, made_up: MadeUp, text: &str, columns: u32) -> Raster {
        let glyphs = self.shape(font, text);
        let Some(first) = glyphs.first() else { return Raster::default() };
        let advance = font.glyph_metrics(&[]).scale(self.size).advance_width(first.id);
        let mut raster = draw(&mut self.scaling, font, &glyphs, self.size, made_up);
        raster.top += self.metrics.baseline as i32;
        if columns > 1 {
            let room = (self.metrics.width * columns) as f32 - advance;
            raster.left += (room / 2.0).round() as i32;
        }
        raster
    }

    /// Draws what our own face has of a text whose first letter it has: without a mark it lacks the letter
    /// can still be read.
    fn without_marks(&mut self, text: &str, style: Style, columns: u32) -> Option<Raster> {
        let (font, made_up) = self.face(style)?;
        let charmap = font.charmap();
        let known: String =
            text.chars().filter(|c| !is_invisible(*c) && charmap.map(*c) != 0).collect();
        let first = text.chars().next()?;
        known.starts_with(first).then(|| self.own(font, made_up, &known, columns))
    }

    /// Draws the text of one cell, or of two, from the system's fonts. What does not fit is made
    /// smaller; what no font has becomes a box.
    pub fn raster_from(
        &mut self,
        system: &mut FontSystem,
        text: &str,
        style: Style,
        columns: u32,
    ) -> Raster {
        // Without any font the shaper would end the process.
        if system.db().is_empty() {
            return self.nowhere(text, style, columns);
        }
        let color = wants_color(text);
        let mut drawn = self.fallback(system, text, style, columns, color);
        if drawn.is_none() && color {
            // A font whose colours cannot be read draws nothing; plain outlines are better than that.
            drawn = self.fallback(system, text, style, columns, false);
        }
        if drawn.is_none() && style != Style::default() {
            // Many scripts have no slanted fonts, and only such are found when one is asked for.
            drawn = self.upright(system, text, style, columns);
        }
        drawn.unwrap_or_else(|| self.nowhere(text, style, columns))
    }

    /// Whether our own face has the letter of a text.
    fn has_letter(&self, text: &str) -> bool {
        let first = text.chars().next().unwrap_or_default();
        self.faces[0].is_some_and(|font| font.charmap().map(first) != 0)
    }

    /// What is drawn where no font has it all: the letter without its marks, or a box.
    fn nowhere(&mut self, text: &str, style: Style, columns: u32) -> Raster {
        let letter =
            if wants_color(text) { None } else { self.without_marks(text, style, columns) };
        letter.unwrap_or_else(|| builtin::missing(&self.metrics, columns))
    }

    /// The mask of a line along the text.
    #[must_use]
    pub fn line(&self, line: builtin::Line) -> Raster {
        builtin::line(line, &self.metrics)
    }

    fn face(&self, style: Style) -> Option<(FontRef<'static>, MadeUp)> {
        let Style { bold, italic } = style;
        let candidates = [
            (style, MadeUp::default()),
            (Style { bold: false, italic }, MadeUp { bold, italic: false }),
            (Style { bold, italic: false }, MadeUp { bold: false, italic }),
            (Style::default(), MadeUp { bold, italic }),
        ];
        candidates
            .into_iter()
            .find_map(|(style, made_up)| Some((self.faces[style.index()]?, made_up)))
    }

    fn shape(&mut self, font: FontRef<'static>, text: &str) -> Vec<Placed> {
        let charmap = font.charmap();
        let mut chars = text.chars();
        if let (Some(only), None) = (chars.next(), chars.next()) {
            return vec![Placed { id: charmap.map(only), x: 0.0, y: 0.0 }];
        }
        let mut shaper = self.shaping.builder(font).size(self.size).build();
        shaper.add_str(text);
        let mut placed = Vec::new();
        let mut pen = 0.0;
        shaper.shape_with(|cluster| {
            for glyph in cluster.glyphs {
                if placed.len() < MOST_GLYPHS {
                    placed.push(Placed { id: glyph.id, x: pen + glyph.x, y: glyph.y });
                }
                pen += glyph.advance;
            }
        });
        placed
    }

    fn fallback(
        &mut self,
        system: &mut FontSystem,
        text: &str,
        style: Style,
        columns: u32,
        color: bool,
    ) -> Option<Raster> {
        self.lay_out(system, text, style, style, columns, color)
    }

    /// The same from upright fonts, with the style made up.
    fn upright(
        &mut self,
        system: &mut FontSystem,
        text: &str,
        style: Style,
        columns: u32,
    ) -> Option<Raster> {
        self.lay_out(system, text, Style::default(), style, columns, false)
    }

    /// Draws in fonts of the style `found`, making up what they lack of the style `wanted`.
    fn lay_out(
        &mut self,
        system: &mut FontSystem,
        text: &str,
        found: Style,
        wanted: Style,
        columns: u32,
        color: bool,
    ) -> Option<Raster> {
        let family = if color {
            emoji_family(system).unwrap_or(Family::Monospace)
        } else {
            Family::Monospace
        };
        let weight =
            if found.bold { cosmic_text::Weight::BOLD } else { cosmic_text::Weight::NORMAL };
        let slant =
            if found.italic { cosmic_text::Style::Italic } else { cosmic_text::Style::Normal };
        let attrs = Attrs::new().family(family).weight(weight).style(slant);
        let layout = shaped(system, text, &attrs, self.size)?;
        // Half of it is worse than the letter from our own face.
        if layout.is_empty() || layout.iter().any(|glyph| glyph.glyph_id == 0) {
            return None;
        }
        let right = layout.iter().map(|glyph| glyph.x + glyph.w).fold(0.0, f32::max);
        // Where a font puts a mark beside its letter, and not over it, our own letter without it is better.
        let room = (self.metrics.width * columns) as f32;
        let marked = !color && self.has_letter(text);
        if marked && right > room * MOST_BESIDE {
            return None;
        }
        let at_size = |fonts: &mut Self, system: &mut FontSystem, factor: f32| {
            let mut raster = Raster::default();
            for glyph in &layout {
                let Some(font) = system.get_font(glyph.font_id, glyph.font_weight) else {
                    continue;
                };
                let made_up =
                    system.db().face(glyph.font_id).map_or(MadeUp::default(), |face| MadeUp {
                        bold: wanted.bold && face.weight.0 < 600,
                        italic: wanted.italic && face.style == cosmic_text::Style::Normal,
                    });
                let placed = Placed {
                    id: glyph.glyph_id,
                    x: (glyph.x + glyph.x_offset * glyph.font_size) * factor,
                    y: (glyph.y + glyph.y_offset * glyph.font_size) * factor,
                };
                let size = fonts.size * factor;
                let face = system.db().face(glyph.font_id).map_or(0, |face| face.index);
                let painted = if color { painted(font.data(), face, &placed, size) } else { None };
                raster.add(&painted.unwrap_or_else(|| {
                    draw(&mut fonts.scaling, font.as_swash(), &[placed], size, made_up)
                }));
            }
            raster
        };
        let raster = at_size(self, system, 1.0);
        if raster.is_blank() {
            return None;
        }
        let factor = self.shrink(&raster, right, columns, marked);
        let raster = if factor < 1.0 { at_size(self, system, factor) } else { raster };
        Some(self.place(raster, right * factor, columns, marked))
    }

    /// By how much a fallback glyph must be made smaller to fit its cells. A letter under a pile of marks
    /// stays as large as its neighbours; the pile is cut.
    fn shrink(&self, raster: &Raster, advance: f32, columns: u32, marked: bool) -> f32 {
        let room = (self.metrics.width * columns) as f32;
        let width = advance.min(raster.width as f32).max(raster.width as f32 * 0.9);
        let wide = if width > room * TOLERANCE { room / width } else { 1.0 };
        let height = self.metrics.height as f32;
        let too_tall = !marked && raster.height as f32 > height;
        let tall = if too_tall { height / raster.height as f32 } else { 1.0 };
        wide.min(tall)
    }

    /// Puts a fallback glyph into the middle of its cells, and inside their height.
    fn place(&self, mut raster: Raster, advance: f32, columns: u32, marked: bool) -> Raster {
        let room = (self.metrics.width * columns) as f32;
        let height = self.metrics.height as i32;
        if raster.color {
            // Pictures have no baseline to keep.
            raster.left = ((room - raster.width as f32) / 2.0).round() as i32;
            raster.top = (height - raster.height as i32) / 2;
            return raster;
        }
        raster.left += ((room - advance) / 2.0).round() as i32;
        raster.top += self.metrics.baseline as i32;
        if marked {
            return raster;
        }
        let lowest = (height - raster.height as i32).max(0);
        raster.top = raster.top.clamp(0, lowest);
        raster
    }
}

impl std::fmt::Debug for Fonts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fonts")
            .field("size", &self.size)
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

/// The glyphs of a text in whatever fonts have them. Fonts are files of other people, and neither the
/// shaper nor its tables are ours: what panics in there is a glyph that is missing, not the end.
fn shaped(
    system: &mut FontSystem,
    text: &str,
    attrs: &Attrs<'_>,
    size: f32,
) -> Option<Vec<LayoutGlyph>> {
    let shape = AssertUnwindSafe(|| {
        let mut buffer = Buffer::new_empty(cosmic_text::Metrics::new(size, size * 1.2));
        buffer.set_text(system, text, attrs, Shaping::Advanced, None);
        buffer.shape_until_scroll(system, false);
        let runs = buffer.layout_runs();
        runs.flat_map(|run| run.glyphs.iter().cloned()).take(MOST_GLYPHS).collect()
    });
    catch_unwind(shape).ok()
}

fn font_metrics(font: &FontRef<'_>, size: f32) -> FontMetrics {
    let metrics = font.metrics(&[]).scale(size);
    let zero = font.charmap().map('0');
    let advance = font.glyph_metrics(&[]).scale(size).advance_width(zero);
    FontMetrics {
        advance: if advance > 0.0 { advance } else { metrics.average_width },
        ascent: metrics.ascent,
        descent: metrics.descent,
        leading: metrics.leading,
        stroke: metrics.stroke_size,
        underline: metrics.underline_offset,
        strike: metrics.strikeout_offset,
    }
}

/// Draws a glyph that is a program of paints, where it is one. Its reader is as foreign as the shaper.
fn painted(file: &[u8], face: u32, placed: &Placed, size: f32) -> Option<Raster> {
    let draw = AssertUnwindSafe(|| color::draw(file, face, placed.id, size));
    let mut raster = catch_unwind(draw).ok()?.filter(|raster| !raster.is_blank())?;
    raster.left += placed.x.round() as i32;
    raster.top -= placed.y.round() as i32;
    Some(raster)
}

/// Draws glyphs on a baseline at height 0.
fn draw(
    scaling: &mut ScaleContext,
    font: FontRef<'_>,
    glyphs: &[Placed],
    size: f32,
    made_up: MadeUp,
) -> Raster {
    const SOURCES: [Source; 3] =
        [Source::ColorOutline(0), Source::ColorBitmap(StrikeWith::BestFit), Source::Outline];
    let mut scaler = scaling.builder(font).size(size).hint(true).build();
    let mut raster = Raster::default();
    for glyph in glyphs {
        let mut render = Render::new(&SOURCES);
        let _ = render.format(Format::Alpha);
        if made_up.bold {
            let _ = render.embolden(size * GROWTH);
        }
        if made_up.italic {
            let lean = Transform::skew(Angle::from_degrees(LEAN), Angle::from_degrees(0.0));
            let _ = render.transform(Some(lean));
        }
        let Some(image) = render.render(&mut scaler, glyph.id) else { continue };
        let color = match image.content {
            Content::Color => true,
            Content::Mask => false,
            // Not asked for, and not drawable here.
            Content::SubpixelMask => continue,
        };
        raster.add(&Raster {
            color,
            left: image.placement.left + glyph.x.round() as i32,
            top: -image.placement.top - glyph.y.round() as i32,
            width: image.placement.width,
            height: image.placement.height,
            pixels: image.data,
        });
    }
    raster
}

/// Whether text asks to be shown as a picture: by the variation selector, or by what it is.
fn wants_color(text: &str) -> bool {
    if text.contains('\u{fe0e}') {
        return false;
    }
    text.contains('\u{fe0f}')
        || text.chars().next().is_some_and(|c| {
            matches!(u32::from(c),
                0x1f1e6..=0x1f1ff | 0x1f300..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f7e0..=0x1f7eb
                | 0x1f90c..=0x1f9ff | 0x1fa70..=0x1faff
                | 0x231a..=0x231b | 0x23e9..=0x23ec | 0x23f0 | 0x23f3 | 0x25fd..=0x25fe
                | 0x2614..=0x2615 | 0x2648..=0x2653 | 0x267f | 0x2693 | 0x26a1
                | 0x26aa..=0x26ab | 0x26bd..=0x26be | 0x26c4..=0x26c5 | 0x26ce | 0x26d4
                | 0x26ea | 0x26f2..=0x26f3 | 0x26f5 | 0x26fa | 0x26fd | 0x2705
                | 0x270a..=0x270b | 0x2728 | 0x274c | 0x274e | 0x2753..=0x2755 | 0x2757
                | 0x2795..=0x2797 | 0x27b0 | 0x27bf | 0x2b1b..=0x2b1c | 0x2b50 | 0x2b55)
        })
}

/// Characters that shape others and have no picture of their own.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{200c}' | '\u{200d}')
}

fn emoji_family(system: &FontSystem) -> Option<Family<'static>> {
    const FAMILIES: [&str; 4] =
        ["Noto Color Emoji", "Apple Color Emoji", "Segoe UI Emoji", "Twemoji Mozilla"];
    FAMILIES
        .into_iter()
        .find(|name| {
            system.db().faces().any(|face| face.families.iter().any(|(family, _)| family == name))
        })
        .map(Family::Name)
}
