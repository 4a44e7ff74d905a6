//! Shapes from the bundled icon font: text to the renderer, so they cost one glyph and no extra pass.

use iced::widget::{Text, text};
use iced::{Color, Element, Renderer, Theme};

use crate::font;

/// One shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the shapes")]
pub enum Icon {
    Ring,
    Diamond,
    Clock,
    Failed,
    Check,
    DashedRing,
    Resume,
    Dot,
    Plus,
    Cross,
    Search,
    Chevron,
    Maximise,
    Warning,
    Shell,
    /// The faint ring under a working arc.
    Track,
    /// The drawing of an empty window: what is to come.
    Panes,
    /// What lies over [`Self::Panes`] in the accent colour.
    Baton,
    /// Something rang.
    Bell,
    /// The working arc in one of [`ARC_STEPS`] positions.
    Arc(u8),
}

/// Positions of the working arc.
pub const ARC_STEPS: u8 = 12;

impl Icon {
    /// The character of the shape in [`font::ICONS`], as `resources/icons/build.py` assigns them.
    #[must_use]
    pub fn character(self) -> char {
        let offset = match self {
            Self::Ring => 0,
            Self::Diamond => 1,
            Self::Clock => 2,
            Self::Failed => 3,
            Self::Check => 4,
            Self::DashedRing => 5,
            Self::Resume => 6,
            Self::Dot => 7,
            Self::Plus => 8,
            Self::Cross => 9,
            Self::Search => 10,
            Self::Chevron => 11,
            Self::Maximise => 12,
            Self::Warning => 13,
            Self::Shell => 14,
            Self::Track => 15,
            Self::Panes => 16,
            Self::Baton => 17,
            Self::Arc(step) => 18 + u32::from(step % ARC_STEPS),
            Self::Bell => 18 + u32::from(ARC_STEPS),
        };
        char::from_u32(0xe000 + offset).unwrap_or(' ')
    }
}

/// A shape in a square of `side` logical pixels.
pub fn icon<'a, Message: 'a>(icon: Icon, side: f32, color: Color) -> Element<'a, Message> {
    glyph(icon, side, color).into()
}

fn glyph<'a>(icon: Icon, side: f32, color: Color) -> Text<'a, Theme, Renderer> {
    text(icon.character().to_string())
        .font(font::ICONS)
        .size(side)
        .line_height(text::LineHeight::Relative(1.0))
        .width(side)
        .height(side)
        .wrapping(text::Wrapping::None)
        .color(color)
}
