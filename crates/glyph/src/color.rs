//! Coloured glyphs that are drawn by a program of fills, gradients and layers: version 1 of the COLR table
//! (<https://learn.microsoft.com/typography/opentype/spec/colr>). Other kinds are drawn by the rasteriser
//! itself.
//!
//! Pixels are computed one by one in floating point. That is slow, a millisecond for an emoji, and each is
//! drawn once for each size of type.

use skrifa::color::{
    Brush, ColorGlyphFormat, ColorPainter, ColorPalettes, ColorStop, CompositeMode, Extend,
    Transform,
};
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::BoundingBox;
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::raw::TableProvider;
use skrifa::{FontRef, GlyphId, MetadataProvider};
use swash::zeno::{Command, Mask, Point};

use crate::raster::Raster;

/// The largest side of a glyph in pixels; one that claims more is not drawn.
const LARGEST: f32 = 1024.0;

/// The most steps of one glyph. Flags of many countries have some fifty.
const MOST_STEPS: u32 = 2000;

/// The most layers at once; what goes deeper is drawn into the last.
const MOST_LAYERS: usize = 8;

/// Red, green, blue, alpha from 0 to 1, multiplied with alpha.
type Paint = [f32; 4];

/// Draws a glyph on a baseline at height 0; `None` where the font has no such glyph.
pub(crate) fn draw(file: &[u8], face: u32, glyph: u16, size: f32) -> Option<Raster> {
    let font = FontRef::from_index(file, face).ok()?;
    let id = GlyphId::from(glyph);
    let program = font.color_glyphs().get_with_format(id, ColorGlyphFormat::ColrV1)?;
    let units = f32::from(font.head().ok()?.units_per_em());
    let all = BoundingBox {
        x_min: -0.5 * size,
        y_min: -0.5 * size,
        x_max: 2.0 * size,
        y_max: 1.5 * size,
    };
    let bounds = program.bounding_box(LocationRef::default(), Size::new(size)).unwrap_or(all);
    let (left, right) = (bounds.x_min.floor() - 1.0, bounds.x_max.ceil() + 1.0);
    let (bottom, top) = (bounds.y_min.floor() - 1.0, bounds.y_max.ceil() + 1.0);
    let (width, height) = (right - left, top - bottom);
    let possible = (1.0..=LARGEST).contains(&width) && (1.0..=LARGEST).contains(&height);
    if !possible || units <= 0.0 {
        return None;
    }
    let scale = size / units;
    let root = Transform { xx: scale, yx: 0.0, xy: 0.0, yy: -scale, dx: -left, dy: top };
    let mut canvas = Canvas::new(font, (width as usize, height as usize), root);
    program.paint(LocationRef::default(), &mut canvas).ok()?;
    let pixels = canvas.layers.first()?.iter().flat_map(|paint| straight(*paint)).collect();
    let (width, height) = (width as u32, height as u32);
    Some(Raster { color: true, left: left as i32, top: -top as i32, width, height, pixels })
}

/// What a glyph's program draws on.
struct Canvas<'a> {
    font: FontRef<'a>,
    palette: Vec<Paint>,
    width: usize,
    height: usize,
    transforms: Vec<Transform>,
    /// Coverage of everything that may be painted; the last counts, and holds those before it.
    clips: Vec<Vec<u8>>,
    layers: Vec<Vec<Paint>>,
    /// Layers that were asked for beyond the most.
    flattened: usize,
    steps: u32,
}

impl<'a> Canvas<'a> {
    fn new(font: FontRef<'a>, (width, height): (usize, usize), root: Transform) -> Self {
        let palettes = ColorPalettes::new(&font);
        let palette = palettes.get(0);
        let palette = palette.map_or_else(Vec::new, |palette| {
            let channel = |value: u8| f32::from(value) / 255.0;
            let paint = |color: &skrifa::color::Color| {
                [color.red(), color.green(), color.blue(), color.alpha()].map(channel)
            };
            palette.colors().iter().map(paint).collect()
        });
        Self {
            font,
            palette,
            width,
            height,
            transforms: vec![root],
            clips: Vec::new(),
            layers: vec![vec![[0.0; 4]; width * height]],
            flattened: 0,
            steps: 0,
        }
    }

    fn transform(&self) -> Transform {
        self.transforms.last().copied().unwrap_or_default()
    }

    /// Takes a step; false when there were too many.
    fn step(&mut self) -> bool {
        self.steps += 1;
        self.steps <= MOST_STEPS
    }

    fn clip(&mut self, path: &[Command]) {
        let mut mask = vec![0; self.width * self.height];
        if self.step() {
            let (width, height) = (self.width as u32, self.height as u32);
            let _ = Mask::new(path).size(width, height).render_into(&mut mask, None);
            if let Some(outer) = self.clips.last() {
                for (ink, outer) in mask.iter_mut().zip(outer) {
                    *ink = ((u32::from(*ink) * u32::from(*outer) + 127) / 255) as u8;
                }
            }
        }
        self.clips.push(mask);
    }

    /// A colour of the palette; the text's own, which is not known here, is a grey that shows on every
    /// background.
    fn color(&self, index: u16, alpha: f32) -> Paint {
        let [r, g, b, a] =
            self.palette.get(usize::from(index)).copied().unwrap_or([0.5, 0.5, 0.5, 1.0]);
        let a = a * alpha.clamp(0.0, 1.0);
        [r * a, g * a, b * a, a]
    }

    /// The colour at a place of a gradient.
    fn along(&self, stops: &[ColorStop], extend: Extend, at: f32) -> Paint {
        let at = match extend {
            Extend::Repeat => at.rem_euclid(1.0),
            Extend::Reflect => 1.0 - (at.rem_euclid(2.0) - 1.0).abs(),
            _ => at.clamp(0.0, 1.0),
        };
        let paint = |stop: &ColorStop| self.color(stop.palette_index, stop.alpha);
        let next = stops.iter().position(|stop| stop.offset > at).unwrap_or(stops.len());
        match (next.checked_sub(1).and_then(|before| stops.get(before)), stops.get(next)) {
            (Some(before), Some(after)) => {
                let share = (at - before.offset) / (after.offset - before.offset).max(1e-6);
                let (from, to) = (paint(before), paint(after));
                std::array::from_fn(|channel| from[channel] + (to[channel] - from[channel]) * share)
            }
            (Some(only), None) | (None, Some(only)) => paint(only),
            (None, None) => [0.0; 4],
        }
    }

    /// What a brush has at a place, in the font's units.
    fn brush(&self, brush: &Brush<'_>, x: f32, y: f32) -> Paint {
        match brush {
            Brush::Solid { palette_index, alpha } => self.color(*palette_index, *alpha),
            Brush::LinearGradient { p0, p1, color_stops, extend } => {
                let (dx, dy) = (p1.x - p0.x, p1.y - p0.y);
                let length = dx * dx + dy * dy;
                let at = ((x - p0.x) * dx + (y - p0.y) * dy) / length.max(1e-6);
                self.along(color_stops, *extend, at)
            }
            Brush::RadialGradient { c0, r0, c1, r1, color_stops, extend } => {
                let circles = ((c0.x, c0.y, *r0), (c1.x, c1.y, *r1));
                between_circles(circles, x, y)
                    .map_or([0.0; 4], |at| self.along(color_stops, *extend, at))
            }
            Brush::SweepGradient { c0, start_angle, end_angle, color_stops, extend } => {
                let angle = (y - c0.y).atan2(x - c0.x).to_degrees().rem_euclid(360.0);
                let range = end_angle - start_angle;
                let range = if range.abs() < 1e-6 { 1e-6 } else { range };
                self.along(color_stops, *extend, (angle - start_angle) / range)
            }
        }
    }
}

impl ColorPainter for Canvas<'_> {
    fn push_transform(&mut self, inner: Transform) {
        let outer = self.transform();
        self.transforms.push(Transform {
            xx: outer.xx * inner.xx + outer.xy * inner.yx,
            yx: outer.yx * inner.xx + outer.yy * inner.yx,
            xy: outer.xx * inner.xy + outer.xy * inner.yy,
            yy: outer.yx * inner.xy + outer.yy * inner.yy,
            dx: outer.xx * inner.dx + outer.xy * inner.dy + outer.dx,
            dy: outer.yx * inner.dx + outer.yy * inner.dy + outer.dy,
        });
    }

    fn pop_transform(&mut self) {
        let _ = self.transforms.pop();
    }

    fn push_clip_glyph(&mut self, glyph: GlyphId) {
        let mut path = Path { transform: self.transform(), commands: Vec::new() };
        let settings = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        if let Some(outline) = self.font.outline_glyphs().get(glyph) {
            let _ = outline.draw(settings, &mut path);
        }
        self.clip(&path.commands);
    }

    fn push_clip_box(&mut self, rect: BoundingBox) {
        let mut path = Path { transform: self.transform(), commands: Vec::new() };
        path.move_to(rect.x_min, rect.y_min);
        path.line_to(rect.x_max, rect.y_min);
        path.line_to(rect.x_max, rect.y_max);
        path.line_to(rect.x_min, rect.y_max);
        path.close();
        self.clip(&path.commands);
    }

    fn pop_clip(&mut self) {
        let _ = self.clips.pop();
    }

    fn fill(&mut self, brush: Brush<'_>) {
        let Some(back) = inverse(&self.transform()) else { return };
        if !self.step() {
            return;
        }
        let Some(mut layer) = self.layers.pop() else { return };
        for (index, under) in layer.iter_mut().enumerate() {
            let covered = self.clips.last().map_or(255, |clip| clip[index]);
            if covered == 0 {
                continue;
            }
            let (x, y) = (index % self.width, index / self.width);
            let (x, y) = apply(&back, x as f32 + 0.5, y as f32 + 0.5);
            let paint = self.brush(&brush, x, y).map(|c| c * f32::from(covered) / 255.0);
            *under = composite(CompositeMode::SrcOver, paint, *under);
        }
        self.layers.push(layer);
    }

    fn push_layer(&mut self, _mode: CompositeMode) {
        if self.layers.len() >= MOST_LAYERS || !self.step() {
            self.flattened += 1;
        } else {
            self.layers.push(vec![[0.0; 4]; self.width * self.height]);
        }
    }

    fn pop_layer_with_mode(&mut self, mode: CompositeMode) {
        if self.flattened > 0 {
            self.flattened -= 1;
            return;
        }
        if self.layers.len() < 2 {
            return;
        }
        let Some(layer) = self.layers.pop() else { return };
        let Some(below) = self.layers.last_mut() else { return };
        for (index, (paint, under)) in layer.into_iter().zip(below).enumerate() {
            let share = self.clips.last().map_or(1.0, |clip| f32::from(clip[index]) / 255.0);
            let mixed = composite(mode, paint, *under);
            for (under, mixed) in under.iter_mut().zip(mixed) {
                *under += (mixed - *under) * share;
            }
        }
    }
}

/// An outline in pixels.
struct Path {
    transform: Transform,
    commands: Vec<Command>,
}

impl Path {
    fn point(&self, x: f32, y: f32) -> Point {
        let (x, y) = apply(&self.transform, x, y);
        // A hostile transform leads anywhere; the rasteriser need not follow.
        let sane = |length: f32| if length.is_finite() { length.clamp(-1e5, 1e5) } else { 0.0 };
        Point::new(sane(x), sane(y))
    }
}

impl OutlinePen for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.commands.push(Command::MoveTo(self.point(x, y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.commands.push(Command::LineTo(self.point(x, y)));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.commands.push(Command::QuadTo(self.point(cx, cy), self.point(x, y)));
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let (a, b) = (self.point(ax, ay), self.point(bx, by));
        self.commands.push(Command::CurveTo(a, b, self.point(x, y)));
    }

    fn close(&mut self) {
        self.commands.push(Command::Close);
    }
}

fn apply(transform: &Transform, x: f32, y: f32) -> (f32, f32) {
    let Transform { xx, yx, xy, yy, dx, dy } = *transform;
    (xx * x + xy * y + dx, yx * x + yy * y + dy)
}

fn inverse(transform: &Transform) -> Option<Transform> {
    let Transform { xx, yx, xy, yy, dx, dy } = *transform;
    let size = xx * yy - xy * yx;
    if !size.is_normal() {
        return None;
    }
    let (xx, yx, xy, yy) = (yy / size, -yx / size, -xy / size, xx / size);
    Some(Transform { xx, yx, xy, yy, dx: -(xx * dx + xy * dy), dy: -(yx * dx + yy * dy) })
}

/// Which of the circles between two goes through a place: the last one with a radius.
fn between_circles(
    ((x0, y0, r0), (x1, y1, r1)): ((f32, f32, f32), (f32, f32, f32)),
    x: f32,
    y: f32,
) -> Option<f32> {
    let (dx, dy, dr) = (x1 - x0, y1 - y0, r1 - r0);
    let (px, py) = (x - x0, y - y0);
    let a = dx * dx + dy * dy - dr * dr;
    let b = px * dx + py * dy + r0 * dr;
    let c = px * px + py * py - r0 * r0;
    let has_radius = |at: &f32| at.is_finite() && r0 + at * dr >= 0.0;
    if a.abs() < 1e-3 {
        return Some(c / (2.0 * b)).filter(has_radius);
    }
    let root = (b * b - a * c).sqrt();
    let (one, other) = ((b + root) / a, (b - root) / a);
    let (first, second) = if one > other { (one, other) } else { (other, one) };
    Some(first).filter(has_radius).or(Some(second).filter(has_radius))
}

/// What comes of paint over paint (<https://www.w3.org/TR/compositing-1/>). Modes that split colours into
/// hue and brightness, which no emoji is known to use, are plain covering.
fn composite(mode: CompositeMode, over: Paint, under: Paint) -> Paint {
    let (sa, da) = (over[3], under[3]);
    let weigh = |s: f32, d: f32| -> Paint {
        std::array::from_fn(|channel| (over[channel] * s + under[channel] * d).clamp(0.0, 1.0))
    };
    // Colours not multiplied with alpha, mixed by a function of both where both are.
    let blend = |mix: fn(f32, f32) -> f32| -> Paint {
        std::array::from_fn(|channel| {
            let (s, d) = (over[channel], under[channel]);
            if channel == 3 {
                return sa + da - sa * da;
            }
            let both = mix(s / sa.max(1e-6), d / da.max(1e-6));
            (s * (1.0 - da) + d * (1.0 - sa) + sa * da * both).clamp(0.0, 1.0)
        })
    };
    let hard =
        |s: f32, d: f32| if s <= 0.5 { 2.0 * s * d } else { 1.0 - 2.0 * (1.0 - s) * (1.0 - d) };
    match mode {
        CompositeMode::Clear => [0.0; 4],
        CompositeMode::Src => over,
        CompositeMode::Dest => under,
        CompositeMode::DestOver => weigh(1.0 - da, 1.0),
        CompositeMode::SrcIn => weigh(da, 0.0),
        CompositeMode::DestIn => weigh(0.0, sa),
        CompositeMode::SrcOut => weigh(1.0 - da, 0.0),
        CompositeMode::DestOut => weigh(0.0, 1.0 - sa),
        CompositeMode::SrcAtop => weigh(da, 1.0 - sa),
        CompositeMode::DestAtop => weigh(1.0 - da, sa),
        CompositeMode::Xor => weigh(1.0 - da, 1.0 - sa),
        CompositeMode::Plus => weigh(1.0, 1.0),
        CompositeMode::Screen => blend(|s, d| s + d - s * d),
        CompositeMode::Multiply => blend(|s, d| s * d),
        CompositeMode::Darken => blend(f32::min),
        CompositeMode::Lighten => blend(f32::max),
        CompositeMode::Difference => blend(|s, d| (s - d).abs()),
        CompositeMode::Exclusion => blend(|s, d| s + d - 2.0 * s * d),
        CompositeMode::HardLight => blend(hard),
        CompositeMode::Overlay => {
            blend(|s, d| if d <= 0.5 { 2.0 * s * d } else { 1.0 - 2.0 * (1.0 - s) * (1.0 - d) })
        }
        CompositeMode::ColorDodge => {
            blend(|s, d| if d == 0.0 { 0.0 } else { d / (1.0 - s).max(1e-6) })
        }
        CompositeMode::ColorBurn => {
            blend(|s, d| if d >= 1.0 { 1.0 } else { 1.0 - ((1.0 - d) / s.max(1e-6)).min(1.0) })
        }
        CompositeMode::SoftLight => blend(|s, d| (1.0 - 2.0 * s) * d * d + 2.0 * s * d),
        _ => weigh(1.0, 1.0 - sa),
    }
}

/// A colour as images hold it: not multiplied with alpha, in bytes.
fn straight([r, g, b, a]: Paint) -> [u8; 4] {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let plain = |value: f32| byte(value / a.max(1e-6));
    [plain(r), plain(g), plain(b), byte(a)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flags of Noto's emoji, and glyphs made for testing every kind of paint.
    const FLAGS: &[u8] = font_test_data::NOTO_COLOR_EMOJI_FLAGS;
    const EVERYTHING: &[u8] = font_test_data::COLRV0V1;

    fn all(file: &'static [u8], size: f32) -> Vec<Raster> {
        (0..2000).filter_map(|glyph| draw(file, 0, glyph, size)).collect()
    }

    #[test]
    fn real_emoji_are_colored_and_inside_what_they_say() {
        let flags = all(FLAGS, 32.0);
        assert!(flags.len() > 1, "{}", flags.len());
        let mut colorful = 0;
        for flag in &flags {
            assert!(flag.color && !flag.is_blank());
            let colors: std::collections::HashSet<_> =
                flag.pixels.chunks_exact(4).filter(|p| p[3] > 200).map(|p| &p[..3]).collect();
            colorful += usize::from(colors.len() > 20);
            // One pixel around it stays free.
            let (width, height) = (flag.width as usize, flag.height as usize);
            let alpha = |x: usize, y: usize| flag.pixels[(y * width + x) * 4 + 3];
            assert!((0..width).all(|x| alpha(x, 0) == 0 && alpha(x, height - 1) == 0));
        }
        assert!(colorful >= 10, "{colorful} of {}", flags.len());
    }

    #[test]
    fn every_kind_of_paint_is_drawn() {
        for size in [8.0, 40.0] {
            let glyphs = all(EVERYTHING, size);
            let blank = glyphs.iter().filter(|glyph| glyph.is_blank()).count();
            // Some test what must not be drawn.
            assert!(glyphs.len() > 100 && blank * 10 < glyphs.len(), "{blank} of {}", glyphs.len());
        }
    }

    #[test]
    fn files_cut_anywhere_and_bytes_turned_draw_something_or_nothing() {
        for cut in (0..EVERYTHING.len()).step_by(997) {
            let _ = draw(&EVERYTHING[..cut], 0, 20, 16.0);
        }
        for place in (0..EVERYTHING.len()).step_by(211) {
            let mut file = EVERYTHING.to_vec();
            file[place] ^= 0xff;
            for glyph in [5, 20, 90] {
                let _ = draw(&file, 0, glyph, 12.0);
            }
        }
        assert_eq!(draw(FLAGS, 9, 1, 16.0), None);
        assert_eq!(draw(FLAGS, 0, u16::MAX, 16.0), None);
        assert_eq!(draw(EVERYTHING, 0, 20, 1e6), None);
    }

    #[test]
    fn paint_over_paint() {
        let (red, half_blue) = ([1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.5, 0.5]);
        for (mode, expected) in [
            (CompositeMode::SrcOver, [0.5, 0.0, 0.5, 1.0]),
            (CompositeMode::DestOver, red),
            (CompositeMode::SrcIn, half_blue),
            (CompositeMode::DestOut, [0.5, 0.0, 0.0, 0.5]),
            (CompositeMode::Multiply, [0.5, 0.0, 0.0, 1.0]),
            (CompositeMode::Plus, [1.0, 0.0, 0.5, 1.0]),
        ] {
            assert_eq!(composite(mode, half_blue, red), expected, "{mode:?}");
        }
    }
}
