//! Terminals on the screen: the widget, its drawing on the graphics card and on the processor, and the
//! clock that paces it.
//!
//! A [`Surface`] holds one terminal's latest rows and is fed frames by a reader thread. The
//! [`terminal()`] widget shows it: layout in whole cells, the keyboard, the mouse, input methods. All
//! terminals of a window are drawn by one pipeline inside the toolkit's own pass, one rectangle each,
//! whose every pixel looks up its cell; only changed rows are encoded and uploaded. On the software
//! renderer the same encoded rows are composed by the processor, so both show the same pixels.
//! The [`Clock`] decides when. No frame, no key and no redraw ever becomes a message.
//!
//! Encoding input, selecting and scrolling are the host's; this crate only tells it what was done.

pub mod clock;
mod compose;
mod contrast;
mod counters;
pub mod device;
mod encode;
mod gpu;
mod keyboard;
mod look;
pub mod offscreen;
mod over;
mod pane;
mod sheet;
mod software;
mod surface;
mod terminal;

pub use maestro_glyph::Faces;

pub use clock::{Clock, Moment};
pub use counters::{AtlasCounts, Counters, Counts, SurfaceCounters, SurfaceCounts};
pub use keyboard::translate;
pub use look::{Look, Palette, Rgb};
pub use pane::Hint;
pub use surface::{Applied, Surface};
pub use terminal::{Terminal, terminal};
