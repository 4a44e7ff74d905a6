//! One terminal as it is to be drawn in this frame.

use std::ops::Range;
use std::sync::Arc;

use maestro_core::link::Span;

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
    pub(crate) over: Over,
}

/// What the window lays over the rows: the link under the pointer, labels to choose links by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Over {
    /// Cells that are underlined.
    pub(crate) underlined: Vec<Span>,
    pub(crate) hints: Arc<[Hint]>,
}

impl Over {
    /// Whether it lies over a row.
    pub(crate) fn touches(&self, row: u16) -> bool {
        self.underlined.iter().any(|span| span.row == row)
            || self.hints.iter().any(|hint| hint.row == row)
    }
}

/// A label over a cell, by which the user chooses what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Row from the top of the viewport.
    pub row: u16,
    /// Column of the label's first character.
    pub col: u16,
    /// What to type. At most eight characters of it are drawn.
    pub label: String,
    /// How many of its characters the user has typed already; they are drawn fainter.
    pub typed: usize,
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
