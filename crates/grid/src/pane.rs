//! One terminal as it is to be drawn in this frame.

use std::ops::Range;
use std::sync::Arc;

use crate::look::Look;
use crate::surface::Surface;
use crate::terminal::Geometry;

/// What a renderer needs to know of a terminal. A few words, made anew for every frame.
#[derive(Debug, Clone)]
pub(crate) struct Pane {
    /// Tells views apart: the same surface may be shown twice, in two sizes.
    pub(crate) view: u64,
    pub(crate) surface: Surface,
    pub(crate) look: Arc<Look>,
    pub(crate) geometry: Geometry,
    /// From the widget's snapped corner to the first cell's, in physical pixels.
    pub(crate) inset: (i32, i32),
    pub(crate) cursor: CursorLook,
    pub(crate) preedit: Option<Preedit>,
}

/// How the cursor looks at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CursorLook {
    /// In its own shape.
    Shown,
    /// In the dark half of its blinking.
    Hidden,
    /// An empty box: the keyboard is elsewhere.
    Hollow,
}

/// Text an input method is composing, drawn over the cells from the cursor on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Preedit {
    pub(crate) text: String,
    /// The part being worked on, in bytes.
    pub(crate) selection: Option<Range<usize>>,
}
