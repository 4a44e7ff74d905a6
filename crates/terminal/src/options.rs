//! What a terminal is made from.

use maestro_core::screen::{Size, fixed_color};

use crate::budget::Budget;

/// How many rows of history a terminal keeps unless told otherwise.
pub const SCROLLBACK: usize = 10_000;

/// What a terminal is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Its size; brought into the allowed range.
    pub size: Size,
    /// Rows of history kept, at most.
    pub scrollback: usize,
    /// Colours told to a child that asks.
    pub palette: Palette,
    /// What it answers when asked who it is.
    pub identity: Identity,
    /// What Shift+Enter sends outside the kitty keyboard protocol.
    pub shift_enter: ShiftEnter,
    /// Whether the Alt key is Meta: an escape before what the key types without it. Where it is not, as
    /// macOS's Option is not, what the layout types with it is text, and it is Meta where that is nothing.
    pub alt_is_meta: bool,
    /// The budget of what cells hold besides their characters, with all terminals of the process unless
    /// told otherwise.
    pub budget: Budget,
    /// This machine's name, where known: directories a child reports on other machines (through SSH)
    /// are then left out.
    pub hostname: Option<String>,
}

impl Options {
    /// The usual options at a size.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            size,
            scrollback: SCROLLBACK,
            palette: Palette::default(),
            identity: Identity::default(),
            shift_enter: ShiftEnter::default(),
            alt_is_meta: !cfg!(target_os = "macos"),
            budget: Budget::shared(),
            hostname: None,
        }
    }
}

/// Who the terminal says it is (XTVERSION). Some programs choose their protocols by it, so it is data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self { name: "maestro".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What Shift+Enter sends to a child that did not turn on the kitty keyboard protocol. Terminals
/// without it cannot tell Shift+Enter from Enter; agents take one of these for a new line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ShiftEnter {
    /// Escape, carriage return: what the agents' own set-up commands write into other terminals.
    #[default]
    EscapeReturn,
    /// A line feed, as Ctrl+J sends it.
    LineFeed,
    /// The same as Enter.
    Return,
    /// `CSI 13;2u` whether or not it was asked for.
    Kitty,
}

/// The theme's colours, so that a child that asks is told the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Default foreground.
    pub foreground: [u8; 3],
    /// Default background.
    pub background: [u8; 3],
    /// Cursor.
    pub cursor: [u8; 3],
    /// The first 16 colours; the other 240 are fixed.
    pub ansi: [[u8; 3]; 16],
    /// Whether it is a dark theme.
    pub dark: bool,
}

impl Palette {
    /// The colour of an index of the 256-colour palette.
    #[must_use]
    pub fn indexed(&self, index: u8) -> [u8; 3] {
        fixed_color(index).unwrap_or_else(|| self.ansi[usize::from(index)])
    }
}

impl Default for Palette {
    /// A plain dark one, for terminals that nobody draws.
    fn default() -> Self {
        Self {
            foreground: [0xd8, 0xd8, 0xd8],
            background: [0x18, 0x18, 0x18],
            cursor: [0xd8, 0xd8, 0xd8],
            ansi: [
                [0x18, 0x18, 0x18],
                [0xcc, 0x44, 0x44],
                [0x55, 0xaa, 0x55],
                [0xc8, 0xa0, 0x40],
                [0x55, 0x88, 0xcc],
                [0xaa, 0x66, 0xbb],
                [0x44, 0xaa, 0xaa],
                [0xd8, 0xd8, 0xd8],
                [0x60, 0x60, 0x60],
                [0xee, 0x66, 0x66],
                [0x77, 0xcc, 0x77],
                [0xe8, 0xc0, 0x60],
                [0x77, 0xaa, 0xee],
                [0xcc, 0x88, 0xdd],
                [0x66, 0xcc, 0xcc],
                [0xf8, 0xf8, 0xf8],
            ],
            dark: true,
        }
    }
}
