//! From characters to pixels, for terminals: cell metrics, shaping, rasterising, built-in glyphs, the
//! atlas they are kept in.
//!
//! Knows nothing of windows, toolkits or graphics devices. Fonts come in as bytes; the system's own are
//! the fallback. Everything is deterministic: the same fonts, size and text give the same pixels.
//!
//! The way through: [`Fonts`] are loaded once, [`Fonts::metrics`] gives the size of a cell, an [`Atlas`]
//! of that size keeps what [`Fonts::raster`] draws, cut into pieces of one cell each.

mod faces;
mod metrics;

pub use cosmic_text::FontSystem;

pub use faces::Faces;
pub use metrics::Metrics;
