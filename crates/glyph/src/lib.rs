//! From characters to pixels, for terminals: cell metrics, shaping, rasterising, built-in glyphs, the
//! atlas they are kept in.
//!
//! Knows nothing of windows, toolkits or graphics devices. Fonts come in as bytes; the system's own are
//! the fallback. Everything is deterministic: the same fonts, size and text give the same pixels.
//!
//! The way through: [`Fonts::new`] reads a typeface at one size, [`Fonts::metrics`] is the size of its
//! cell, [`Fonts::raster`] draws the text of a cell, and an [`Atlas`] keeps the result, cut into pieces
//! of one cell each.

pub mod atlas;
mod builtin;
mod color;
mod faces;
mod fonts;
mod metrics;
mod raster;

pub use cosmic_text::FontSystem;

pub use atlas::{Atlas, Pieces, Plane};
pub use builtin::Line;
pub use faces::Faces;
pub use fonts::{Error, Fonts, Style};
pub use metrics::Metrics;
pub use raster::Raster;
