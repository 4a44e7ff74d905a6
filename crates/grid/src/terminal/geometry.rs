//! Where the cells are, in physical pixels of the window.

use iced::{Point, Rectangle};
use maestro_core::screen;
use maestro_glyph::Metrics;

/// The cells of a terminal in physical pixels of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Geometry {
    pub(crate) scale: f32,
    /// The top left corner of the first cell.
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) metrics: Metrics,
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

impl Geometry {
    pub(super) fn new(bounds: Rectangle, padding: f32, scale: f32, metrics: Metrics) -> Self {
        // Bounds are fractional at fractional scales. Cells are not: the origin is snapped here, and
        // what is left over at the right and the bottom stays background.
        let left = ((bounds.x + padding) * scale).round();
        let top = ((bounds.y + padding) * scale).round();
        let right = ((bounds.x + bounds.width - padding) * scale + 0.5).floor();
        let bottom = ((bounds.y + bounds.height - padding) * scale + 0.5).floor();
        let fits = |length: f32, cell: u32| {
            (length.max(0.0) as u32 / cell.max(1)).min(u32::from(u16::MAX)) as u16
        };
        let size = screen::Size::new(
            fits(right - left, metrics.width),
            fits(bottom - top, metrics.height),
        );
        Self {
            scale,
            left: left as i32,
            top: top as i32,
            metrics,
            cols: size.cols,
            rows: size.rows,
        }
    }

    pub(super) fn size(&self) -> screen::Size {
        screen::Size {
            cols: self.cols,
            rows: self.rows,
            cell_width: u16::try_from(self.metrics.width).unwrap_or(u16::MAX),
            cell_height: u16::try_from(self.metrics.height).unwrap_or(u16::MAX),
        }
    }

    /// The cell under a point; rows beyond the edges are told as such.
    pub(super) fn spot(&self, point: Point) -> Spot {
        let x = point.x * self.scale - self.left as f32;
        let y = point.y * self.scale - self.top as f32;
        let (width, height) = (self.metrics.width as f32, self.metrics.height as f32);
        let col = (x / width).floor().clamp(0.0, f32::from(self.cols - 1));
        let inside = |length: f32, cells: u16, cell: f32| {
            length.floor().clamp(0.0, f32::from(cells) * cell - 1.0) as u32
        };
        Spot {
            row: (y / height).floor().clamp(-1000.0, 2000.0) as i32,
            col: col as u16,
            right_half: x - col * width >= width / 2.0,
            x: inside(x, self.cols, width),
            y: inside(y, self.rows, height),
        }
    }

    /// A cell in logical pixels.
    pub(super) fn cell(&self, row: u16, col: u16) -> Rectangle {
        let (width, height) = (self.metrics.width as f32, self.metrics.height as f32);
        Rectangle {
            x: (self.left as f32 + f32::from(col) * width) / self.scale,
            y: (self.top as f32 + f32::from(row) * height) / self.scale,
            width: width / self.scale,
            height: height / self.scale,
        }
    }
}

/// A place the mouse can be at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) row: i32,
    pub(super) col: u16,
    pub(super) right_half: bool,
    /// Physical pixels from the first cell's corner, within the cells.
    pub(super) x: u32,
    pub(super) y: u32,
}

impl Spot {
    /// Whether both are in the same cell.
    pub(super) fn is_in_cell_of(self, other: Self) -> bool {
        (self.row, self.col) == (other.row, other.col)
    }

    /// Whether both are in the same half of the same cell.
    pub(super) fn is_in_half_of(self, other: Self) -> bool {
        self.is_in_cell_of(other) && self.right_half == other.right_half
    }

    /// The row within a screen.
    pub(super) fn row(self, rows: u16) -> u16 {
        self.row.clamp(0, i32::from(rows) - 1) as u16
    }
}
