//! What Maestro looks like: tokens, fonts, status shapes, and the small parts every screen is made of.
//!
//! A part is a function that takes the tokens and returns an [`iced::Element`]; it becomes a widget
//! only where it has a state of its own. No colour, size or distance is named outside [`theme`].

pub mod aside;
pub mod backend;
pub mod code;
mod content;
pub mod diff;
pub mod font;
pub mod graph;
pub mod icon;
pub mod keys;
pub mod line;
pub mod list;
pub mod live;
pub mod part;
pub mod pile;
pub mod pseudo;
pub mod select;
pub mod slice;
pub mod status;
pub mod still;
pub mod style;
pub mod theme;
pub mod tiles;
pub mod words;

pub use aside::aside;
pub use code::code;
pub use diff::diff;
pub use graph::graph;
pub use line::line;
pub use list::list;
pub use live::live;
pub use pile::pile;
pub use slice::slice;
pub use still::still;
pub use theme::Tokens;
pub use words::words;
