//! The size of a cell and where lines go in it.

/// A cell in whole physical pixels. Everything in a terminal is placed by these, so that nothing is ever
/// blurred and neighbouring cells meet exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Metrics {
    /// Width of a cell.
    pub width: u32,
    /// Height of a cell.
    pub height: u32,
    /// From the top of a cell to the line letters stand on.
    pub baseline: u32,
    /// Thickness of thin lines: underlines, box drawing, the beam cursor.
    pub stroke: u32,
    /// From the top of a cell to the top of an underline.
    pub underline: u32,
    /// From the top of a cell to the top of the line through struck text.
    pub strike: u32,
}

impl Metrics {
    /// The smallest and the largest side of a cell. Below nothing can be read, above it nothing fits an
    /// atlas.
    const SIDE: std::ops::RangeInclusive<f32> = 2.0..=512.0;

    /// Rounds what a font says, in pixels, to a cell.
    #[must_use]
    pub fn new(font: &FontMetrics, line_height: f32) -> Self {
        let font = &font.sane();
        let line_height = if line_height.is_finite() { line_height } else { 1.0 };
        let whole = |length: f32| length.round().clamp(*Self::SIDE.start(), *Self::SIDE.end());
        let natural = font.ascent + font.descent + font.leading;
        let width = whole(font.advance);
        let height = whole(natural * line_height.clamp(0.5, 3.0));
        // What is added to the line's height goes above and below alike.
        let baseline = ((height - (font.ascent + font.descent)) / 2.0 + font.ascent).round();
        let baseline = baseline.clamp(1.0, height);
        let stroke = font.stroke.round().clamp(1.0, (height / 8.0).max(1.0));
        let lowest = (height - stroke).max(0.0);
        let underline = (baseline - font.underline - stroke / 2.0).round().clamp(0.0, lowest);
        // An underline that touches the letters' feet is hard to see.
        let underline = underline.max((baseline + 1.0).min(lowest));
        let strike = (baseline - font.strike - stroke / 2.0).round().clamp(0.0, lowest);
        Self {
            width: width as u32,
            height: height as u32,
            baseline: baseline as u32,
            stroke: stroke as u32,
            underline: underline as u32,
            strike: strike as u32,
        }
    }
}

/// What a font says about itself at one size, in pixels; heights are above the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FontMetrics {
    /// Width of a character.
    pub advance: f32,
    /// Height above the baseline.
    pub ascent: f32,
    /// Depth below the baseline, positive.
    pub descent: f32,
    /// Extra space between lines.
    pub leading: f32,
    /// Thickness of lines.
    pub stroke: f32,
    /// Middle of the underline.
    pub underline: f32,
    /// Middle of the line through struck text.
    pub strike: f32,
}

impl FontMetrics {
    /// What is not a number counts as nothing.
    fn sane(&self) -> Self {
        let number =
            |value: f32| if value.is_finite() { value.clamp(-4096.0, 4096.0) } else { 0.0 };
        Self {
            advance: number(self.advance),
            ascent: number(self.ascent),
            descent: number(self.descent).abs(),
            leading: number(self.leading),
            stroke: number(self.stroke),
            underline: number(self.underline),
            strike: number(self.strike),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn font(size: f32) -> FontMetrics {
        FontMetrics {
            advance: 0.6 * size,
            ascent: 1.02 * size,
            descent: 0.3 * size,
            leading: 0.0,
            stroke: 0.05 * size,
            underline: -0.155 * size,
            strike: 0.32 * size,
        }
    }

    #[test]
    fn lines_lie_inside_the_cell_at_every_size() {
        for tenth in 10..1000 {
            let metrics = Metrics::new(&font(tenth as f32 / 10.0), 1.0);
            assert!(metrics.underline + metrics.stroke <= metrics.height, "{metrics:?}");
            assert!(metrics.strike + metrics.stroke <= metrics.height, "{metrics:?}");
            assert!(metrics.baseline <= metrics.height && metrics.stroke >= 1, "{metrics:?}");
        }
    }

    #[test]
    fn a_taller_line_keeps_the_letters_in_its_middle() {
        let (plain, tall) = (Metrics::new(&font(15.0), 1.0), Metrics::new(&font(15.0), 1.4));
        let more = tall.height - plain.height;
        assert_eq!(plain.width, tall.width);
        assert!(tall.baseline.abs_diff(plain.baseline + more / 2) <= 1);
    }

    #[test]
    fn nonsense_from_a_font_gives_a_cell_all_the_same() {
        let mad = FontMetrics { advance: f32::NAN, ascent: -9.0, stroke: 1e9, ..font(10.0) };
        let metrics = Metrics::new(&mad, f32::INFINITY);
        assert!(metrics.height >= 2 && metrics.stroke <= metrics.height, "{metrics:?}");
    }
}
