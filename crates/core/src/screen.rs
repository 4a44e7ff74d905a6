//! A terminal's screen as data: packed cells, rows, frames. This is what leaves the emulator, crosses
//! the socket and is drawn; no byte of a child's output goes further than this.

use serde::{Deserialize, Serialize};

use crate::id::TerminalId;

/// Size of a terminal in cells, with the cell's size in pixels where a client told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns, at least 2.
    pub cols: u16,
    /// Rows, at least 1.
    pub rows: u16,
    /// Width of one cell in physical pixels; 0 when nobody draws the terminal.
    pub cell_width: u16,
    /// Height of one cell in physical pixels; 0 when nobody draws the terminal.
    pub cell_height: u16,
}

impl Size {
    /// The most columns and the most rows a terminal may have. Beyond it a row no longer fits into a
    /// message of reasonable size, and no screen shows it.
    pub const MAX: u16 = 1000;

    /// A size in cells, brought into the allowed range; pixels unknown.
    #[must_use]
    pub fn new(cols: u16, rows: u16) -> Self {
        Self { cols, rows, cell_width: 0, cell_height: 0 }.clamped()
    }

    /// The same size brought into the allowed range.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self { cols: self.cols.clamp(2, Self::MAX), rows: self.rows.clamp(1, Self::MAX), ..self }
    }
}

/// A colour as the child named it. Resolved to a real colour only where it is drawn, so that a theme
/// can change without the child noticing.
///
/// Packed into 32 bits: the top byte is the kind (0 default, 1 indexed, 2 direct), the rest the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Color(pub u32);

/// A [`Color`] taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorKind {
    /// The terminal's own foreground or background.
    Default,
    /// An entry of the 256-colour palette.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

impl Color {
    /// The terminal's own foreground or background.
    pub const DEFAULT: Self = Self(0);

    /// An entry of the 256-colour palette.
    #[must_use]
    pub const fn indexed(index: u8) -> Self {
        Self(1 << 24 | index as u32)
    }

    /// A direct colour.
    #[must_use]
    pub const fn rgb(r: u8, g: u8, b: u8) -> Self {
        Self(2 << 24 | (r as u32) << 16 | (g as u32) << 8 | b as u32)
    }

    /// The colour taken apart. An unknown kind (a hostile peer) reads as the default.
    #[must_use]
    pub const fn kind(self) -> ColorKind {
        match self.0 >> 24 {
            1 => ColorKind::Indexed(self.0 as u8),
            2 => ColorKind::Rgb((self.0 >> 16) as u8, (self.0 >> 8) as u8, self.0 as u8),
            _ => ColorKind::Default,
        }
    }
}

/// A colour of the 256-colour palette in which every terminal agrees: a cube of 6×6×6 colours, then 24
/// greys. `None` for the first sixteen, which are the theme's.
#[must_use]
pub const fn fixed_color(index: u8) -> Option<[u8; 3]> {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..16 => None,
        16..232 => {
            let cube = index as usize - 16;
            Some([STEPS[cube / 36], STEPS[cube / 6 % 6], STEPS[cube % 6]])
        }
        232.. => Some([8 + 10 * (index - 232); 3]),
    }
}

/// One cell, 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(C)]
pub struct Cell {
    /// The character as a Unicode scalar value; 0 for a blank cell. Where [`flags::CLUSTER`] is set, an
    /// index into [`Row::clusters`] instead.
    pub glyph: u32,
    /// Foreground.
    pub fg: Color,
    /// Background.
    pub bg: Color,
    /// A union of [`flags`].
    pub flags: u16,
    /// 0, or one more than an index into [`Row::extras`].
    pub extra: u16,
}

impl Cell {
    /// A cell with nothing in it.
    pub const BLANK: Self =
        Self { glyph: 0, fg: Color::DEFAULT, bg: Color::DEFAULT, flags: 0, extra: 0 };

    /// Whether a [`flags`] bit is set.
    #[must_use]
    pub const fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

impl Default for Cell {
    fn default() -> Self {
        Self::BLANK
    }
}

/// The bits of [`Cell::flags`].
pub mod flags {
    /// Heavier strokes.
    pub const BOLD: u16 = 1;
    /// Slanted.
    pub const ITALIC: u16 = 1 << 1;
    /// Fainter ink.
    pub const DIM: u16 = 1 << 2;
    /// Foreground and background change places.
    pub const INVERSE: u16 = 1 << 3;
    /// The glyph is not shown.
    pub const HIDDEN: u16 = 1 << 4;
    /// A line through the middle.
    pub const STRIKE: u16 = 1 << 5;
    /// The first half of a two-cell character.
    pub const WIDE: u16 = 1 << 6;
    /// The second half of a two-cell character; its glyph is not drawn.
    pub const SPACER: u16 = 1 << 7;
    /// Part of the selection.
    pub const SELECTED: u16 = 1 << 8;
    /// [`super::Cell::glyph`] is an index into [`super::Row::clusters`].
    pub const CLUSTER: u16 = 1 << 9;
    /// Where the underline style begins: three bits holding an [`super::Underline`].
    pub const UNDERLINE_SHIFT: u16 = 10;
    /// The three bits of the underline style.
    pub const UNDERLINE_MASK: u16 = 0b111 << UNDERLINE_SHIFT;
    /// Part of a search match.
    pub const MATCH: u16 = 1 << 13;
    /// Part of the match that the search stands at; [`MATCH`] is set, too.
    pub const CURRENT: u16 = 1 << 14;
}

/// How a cell is underlined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Underline {
    /// Not at all.
    #[default]
    None,
    /// One line.
    Single,
    /// Two lines.
    Double,
    /// A wave.
    Curl,
    /// Dots.
    Dotted,
    /// Dashes.
    Dashed,
}

impl Underline {
    /// The style in a cell's flags.
    #[must_use]
    pub const fn of(flags: u16) -> Self {
        match (flags & flags::UNDERLINE_MASK) >> flags::UNDERLINE_SHIFT {
            1 => Self::Single,
            2 => Self::Double,
            3 => Self::Curl,
            4 => Self::Dotted,
            5 => Self::Dashed,
            _ => Self::None,
        }
    }

    /// The style as bits of a cell's flags.
    #[must_use]
    pub const fn bits(self) -> u16 {
        (self as u16) << flags::UNDERLINE_SHIFT
    }
}

/// What few cells have: a colour for the underline, a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Extra {
    /// Colour of the underline; the foreground's when absent.
    pub underline: Option<Color>,
    /// Target of an OSC 8 link, already length-limited.
    pub link: Option<String>,
}

/// One row of a screen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Row {
    /// The cells; trailing blank cells may be missing.
    #[serde(with = "packed")]
    pub cells: Vec<Cell>,
    /// Characters with combining marks, for cells with [`flags::CLUSTER`].
    pub clusters: Vec<String>,
    /// Rare attributes, for cells with a non-zero [`Cell::extra`].
    pub extras: Vec<Extra>,
    /// Whether the line goes on in the next row without a line break.
    pub wrapped: bool,
    /// What a shell said about the row.
    pub mark: Mark,
}

/// What a shell said about a row (OSC 133).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Mark {
    /// Nothing.
    #[default]
    None,
    /// A prompt begins here.
    Prompt,
    /// A prompt begins here, and the command given at it ended well.
    Done,
    /// A prompt begins here, and the command given at it failed.
    Failed,
}

impl Row {
    /// The row's text: wide characters once, trailing blanks kept.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.cells.len());
        for cell in self.cells.iter().filter(|cell| !cell.has(flags::SPACER)) {
            self.write_cell(cell, &mut text);
        }
        text
    }

    /// Adds what one of the row's cells shows; a blank one is a space.
    pub fn write_cell(&self, cell: &Cell, text: &mut String) {
        if cell.has(flags::CLUSTER) {
            text.push_str(self.clusters.get(cell.glyph as usize).map_or(" ", String::as_str));
        } else {
            text.push(match cell.glyph {
                0 => ' ',
                glyph => char::from_u32(glyph).unwrap_or(char::REPLACEMENT_CHARACTER),
            });
        }
    }
}

/// Cells as one run of bytes, little-endian, 16 a cell: a frame is thousands of cells, and visiting
/// five fields of each costs more than everything else on the way to the client together.
mod packed {
    use std::fmt;

    use serde::de::{Deserializer, Error, SeqAccess, Visitor};
    use serde::ser::Serializer;

    use super::{Cell, Color};

    const SIZE: usize = size_of::<Cell>();

    pub(super) fn serialize<S: Serializer>(cells: &[Cell], to: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(cells.len() * SIZE);
        for cell in cells {
            let mut packed = [0; SIZE];
            packed[..4].copy_from_slice(&cell.glyph.to_le_bytes());
            packed[4..8].copy_from_slice(&cell.fg.0.to_le_bytes());
            packed[8..12].copy_from_slice(&cell.bg.0.to_le_bytes());
            packed[12..14].copy_from_slice(&cell.flags.to_le_bytes());
            packed[14..].copy_from_slice(&cell.extra.to_le_bytes());
            bytes.extend_from_slice(&packed);
        }
        to.serialize_bytes(&bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Cell>, D::Error> {
        from.deserialize_bytes(Bytes)
    }

    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<Cell>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "cells of {SIZE} bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            let (cells, rest) = bytes.as_chunks::<SIZE>();
            if !rest.is_empty() {
                return Err(E::invalid_length(bytes.len(), &self));
            }
            let word = |cell: &[u8; SIZE], at: usize| {
                u32::from_le_bytes([cell[at], cell[at + 1], cell[at + 2], cell[at + 3]])
            };
            let half = |cell: &[u8; SIZE], at: usize| u16::from_le_bytes([cell[at], cell[at + 1]]);
            let unpack = |cell| Cell {
                glyph: word(cell, 0),
                fg: Color(word(cell, 4)),
                bg: Color(word(cell, 8)),
                flags: half(cell, 12),
                extra: half(cell, 14),
            };
            Ok(cells.iter().map(unpack).collect())
        }

        // Formats without byte strings (JSON in a test) write a list of numbers.
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = seq.next_element::<u8>()? {
                bytes.push(byte);
            }
            self.visit_bytes(&bytes)
        }
    }
}

/// How the cursor is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorShape {
    /// A filled cell.
    #[default]
    Block,
    /// A line at the bottom of the cell.
    Underline,
    /// A line at the left of the cell.
    Beam,
}

/// The cursor, where it is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Row from the top of the viewport.
    pub row: u16,
    /// Column.
    pub col: u16,
    /// Shape.
    pub shape: CursorShape,
    /// Whether it blinks.
    pub blinking: bool,
}

/// The modes of a terminal that a client needs to know. Encoding input is the host's work; these only
/// decide what a client does itself (whether the mouse selects or reports, for one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Modes {
    /// The alternate screen is shown.
    pub alt_screen: bool,
    /// The child wants mouse events.
    pub mouse: bool,
    /// The child wants mouse motion without a button, too.
    pub mouse_motion: bool,
    /// The child wants bracketed paste.
    pub bracketed_paste: bool,
    /// The child turned on any flag of the kitty keyboard protocol.
    pub kitty_keyboard: bool,
    /// The child wants mouse positions in pixels: motion within a cell is news.
    pub mouse_pixels: bool,
    /// The child wants key releases (kitty flag 2).
    pub key_releases: bool,
    /// The child wants focus events.
    pub focus_events: bool,
    /// Vi mode is on: [`Frame::cursor`] is its cursor, and keys belong to it.
    pub vi: bool,
}

/// Where the viewport is in the scrollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scroll {
    /// Rows between the bottom of the viewport and the bottom of the screen; 0 follows the output.
    pub offset: u32,
    /// Rows of history above the screen.
    pub history: u32,
    /// Rows that came since the viewport left the bottom; 0 while it follows.
    pub unseen: u32,
}

/// The mouse pointer a child asked for (OSC 22), as far as desktops have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Pointer {
    /// The terminal's own choice.
    #[default]
    Default,
    /// An arrow.
    Arrow,
    /// A bar between letters.
    Text,
    /// A pointing hand.
    Hand,
    /// A cross.
    Crosshair,
    /// Something can be moved.
    Grab,
    /// Something is being moved.
    Grabbing,
    /// It is not allowed.
    NotAllowed,
    /// Wait.
    Wait,
    /// It works, and may still be used.
    Progress,
    /// Help is there.
    Help,
    /// A border between columns can be moved.
    ResizeColumns,
    /// A border between rows can be moved.
    ResizeRows,
}

/// Colours a child changed by OSC 4, 10, 11 or 12. Index 0 to 255 is the palette, then foreground,
/// background and cursor.
pub type ColorOverride = (u16, [u8; 3]);

/// [`ColorOverride`] index of the default foreground.
pub const OVERRIDE_FOREGROUND: u16 = 256;
/// [`ColorOverride`] index of the default background.
pub const OVERRIDE_BACKGROUND: u16 = 257;
/// [`ColorOverride`] index of the cursor.
pub const OVERRIDE_CURSOR: u16 = 258;

/// What changed on a terminal's screen since the frame before, or everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Whose screen.
    pub terminal: TerminalId,
    /// Counts the frames of this terminal for this client, from 1.
    pub generation: u64,
    /// Columns and rows of the screen.
    pub size: Size,
    /// Whether `rows` is the whole screen. A frame with another size than the one before is always
    /// full.
    pub full: bool,
    /// The changed rows with their place from the top of the viewport, ascending.
    pub rows: Vec<(u16, Row)>,
    /// The cursor; `None` when it is hidden or scrolled out of view.
    pub cursor: Option<Cursor>,
    /// The modes a client needs.
    pub modes: Modes,
    /// Where the viewport is.
    pub scroll: Scroll,
    /// Colours the child changed; the whole list each time.
    pub colors: Vec<ColorOverride>,
    /// The mouse pointer the child asked for.
    pub pointer: Pointer,
    /// Whether the child is printing faster than frames are taken; the frame clock slows down then.
    pub flooding: bool,
    /// The sequence number of the last input event the child's terminal had been given before this
    /// frame, 0 when none. A client measures echo with it.
    pub input_seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_16_bytes() {
        assert_eq!(size_of::<Cell>(), 16);
    }

    #[test]
    fn colors_read_back() {
        assert_eq!(Color::DEFAULT.kind(), ColorKind::Default);
        assert_eq!(Color::indexed(255).kind(), ColorKind::Indexed(255));
        assert_eq!(Color::rgb(1, 2, 255).kind(), ColorKind::Rgb(1, 2, 255));
        assert_eq!(Color(0xff00_0000).kind(), ColorKind::Default);
    }

    #[test]
    fn the_fixed_colors_are_those_of_every_terminal() {
        for (index, expected) in [
            (15, None),
            (16, Some([0, 0, 0])),
            (21, Some([0, 0, 255])),
            (110, Some([135, 175, 215])),
            (231, Some([255, 255, 255])),
            (232, Some([8, 8, 8])),
            (255, Some([238, 238, 238])),
        ] {
            assert_eq!(fixed_color(index), expected, "{index}");
        }
    }

    #[test]
    fn underlines_read_back() {
        for style in [Underline::None, Underline::Single, Underline::Curl, Underline::Dashed] {
            assert_eq!(Underline::of(style.bits() | flags::BOLD), style);
        }
    }

    #[test]
    fn text_shows_wide_characters_once_and_clusters_whole() {
        let wide = Cell { glyph: '好' as u32, flags: flags::WIDE, ..Cell::BLANK };
        let spacer = Cell { flags: flags::SPACER, ..Cell::BLANK };
        let cluster = Cell { glyph: 0, flags: flags::CLUSTER, ..Cell::BLANK };
        let row = Row {
            cells: vec![wide, spacer, Cell::BLANK, cluster],
            clusters: vec!["e\u{301}".to_owned()],
            ..Row::default()
        };
        assert_eq!(row.text(), "好 e\u{301}");
    }
}
