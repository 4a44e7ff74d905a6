//! A glyph as pixels.

/// A drawn glyph, placed relative to the top left of its first cell. It may reach beyond its cells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Raster {
    /// Whether the pixels are colours (four bytes each: red, green, blue, alpha, not premultiplied)
    /// and not coverage (one byte each).
    pub color: bool,
    /// Pixels from the cell's left to the image's.
    pub left: i32,
    /// Pixels from the cell's top to the image's.
    pub top: i32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Row after row.
    pub pixels: Vec<u8>,
}

impl Raster {
    /// Bytes of one pixel.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.color { 4 } else { 1 }
    }

    /// Whether nothing is to be seen.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let depth = self.depth();
        self.pixels.chunks_exact(depth).all(|pixel| pixel[depth - 1] == 0)
    }

    /// Puts another image over this one, growing where needed. Colour wins over coverage.
    pub(crate) fn add(&mut self, other: &Self) {
        if other.width == 0 || other.height == 0 {
            return;
        }
        if self.width == 0 || self.height == 0 {
            *self = other.clone();
            return;
        }
        if self.color != other.color {
            if other.color {
                *self = other.clone();
            }
            return;
        }
        let left = self.left.min(other.left);
        let top = self.top.min(other.top);
        let right = (self.left + self.width as i32).max(other.left + other.width as i32);
        let bottom = (self.top + self.height as i32).max(other.top + other.height as i32);
        let (width, height) = ((right - left) as u32, (bottom - top) as u32);
        let depth = self.depth();
        let mut pixels = vec![0; width as usize * height as usize * depth];
        for image in [&*self, other] {
            for y in 0..image.height as usize {
                for x in 0..image.width as usize {
                    let from = (y * image.width as usize + x) * depth;
                    let to_x = (image.left - left) as usize + x;
                    let to_y = (image.top - top) as usize + y;
                    let to = (to_y * width as usize + to_x) * depth;
                    let ink = &image.pixels[from..from + depth];
                    let place = &mut pixels[to..to + depth];
                    if ink[depth - 1] > place[depth - 1] {
                        place.copy_from_slice(ink);
                    }
                }
            }
        }
        *self = Self { color: self.color, left, top, width, height, pixels };
    }
}
