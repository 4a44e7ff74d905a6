//! What a client sends to a terminal: events, never bytes. The host encodes them, because only it
//! knows the terminal's modes at that instant.

use serde::{Deserialize, Serialize};

use crate::screen::Size;

/// One thing a user did to a terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// A key went down, repeated or went up.
    Key(Key),
    /// Text from an input method.
    Text(String),
    /// Text from the clipboard.
    Paste(String),
    /// The mouse did something over the cells.
    Mouse(Mouse),
    /// The terminal got or lost the keyboard.
    Focus(bool),
    /// The terminal has another size.
    Resize(Size),
    /// The viewport moves in the scrollback.
    Scroll(ScrollTo),
    /// The selection changes.
    Select(Select),
    /// Vi mode: a cursor of the user's own, moved by keys, over screen and history.
    Vi(Vi),
}

/// One key event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key without modifiers, as the layout has it.
    pub code: Code,
    /// Modifiers held.
    pub mods: Mods,
    /// What the key would type with its modifiers; empty for none.
    pub text: String,
    /// Down, repeated or up.
    pub action: Action,
    /// The same physical key on a US layout, where known and different: kitty's "base layout key".
    pub base: Option<char>,
    /// The character with Shift held, where known: kitty's "shifted key".
    pub shifted: Option<char>,
    /// Whether it is on the keypad.
    pub keypad: bool,
}

/// What a key event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the keys")]
pub enum Code {
    Char(char),
    Enter,
    Tab,
    Backspace,
    Escape,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
    Insert,
    Delete,
    /// F1 is 1; up to 35.
    F(u8),
    CapsLock,
    ScrollLock,
    NumLock,
    PrintScreen,
    Pause,
    Menu,
    /// The left one, and wherever the side is not known.
    Shift,
    Control,
    Alt,
    Super,
    ShiftRight,
    ControlRight,
    AltRight,
    SuperRight,
    /// AltGr.
    AltGraph,
    /// A key this table has no name for.
    Unknown,
}

impl Code {
    /// Whether the key types nothing by itself and changes what others do.
    #[must_use]
    pub const fn is_modifier(self) -> bool {
        matches!(
            self,
            Self::Shift
                | Self::Control
                | Self::Alt
                | Self::Super
                | Self::ShiftRight
                | Self::ControlRight
                | Self::AltRight
                | Self::SuperRight
                | Self::AltGraph
                | Self::CapsLock
        )
    }
}

/// Modifiers held during an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct Mods {
    pub shift: bool,
    pub alt: bool,
    pub control: bool,
    pub logo: bool,
}

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Action {
    /// It went down.
    #[default]
    Press,
    /// It is held.
    Repeat,
    /// It went up.
    Release,
}

/// A mouse event over the cells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mouse {
    /// What happened.
    pub kind: MouseKind,
    /// Row from the top of the viewport.
    pub row: u16,
    /// Column.
    pub col: u16,
    /// Physical pixels from the left edge of the first column, for programs that ask for pixels.
    pub x: u32,
    /// Physical pixels from the top edge of the first row.
    pub y: u32,
    /// Modifiers held.
    pub mods: Mods,
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MouseKind {
    Press(Button),
    Release(Button),
    /// Motion, with the button that is held.
    Move(Option<Button>),
    /// Wheel steps: positive `lines` scroll up (towards older rows), positive `columns` scroll left.
    Wheel {
        lines: i16,
        columns: i16,
    },
}

/// A mouse button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Button {
    Left,
    Middle,
    Right,
}

/// Where the viewport goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScrollTo {
    /// By rows; positive is towards older rows.
    Lines(i32),
    /// By pages; positive is towards older rows.
    Pages(i32),
    /// To the oldest row.
    Top,
    /// To the newest row, following the output.
    Bottom,
    /// To an offset from the bottom, as in [`crate::screen::Scroll::offset`].
    Offset(u32),
    /// By prompts (OSC 133), which come to the viewport's top; positive is towards older rows.
    Prompts(i32),
}

/// How the selection changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Select {
    /// A new one begins at a cell of the viewport.
    Start {
        /// Row from the top of the viewport.
        row: u16,
        /// Column.
        col: u16,
        /// Whether the right half of the cell was hit.
        right_half: bool,
        /// What it grows by.
        by: SelectBy,
    },
    /// Its end moves. Rows above 0 or below the last scroll the viewport.
    Update {
        /// Row relative to the top of the viewport.
        row: i32,
        /// Column.
        col: u16,
        /// Whether the right half of the cell was hit.
        right_half: bool,
    },
    /// The whole screen and history.
    All,
    /// What a command printed, by the prompt marks (OSC 133).
    Output(OutputOf),
    /// Nothing.
    Clear,
}

/// What a selection grows by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelectBy {
    /// Cells.
    Cell,
    /// Words.
    Word,
    /// Whole lines.
    Line,
    /// A rectangle of cells.
    Block,
}

/// Which command's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputOf {
    /// The last command that has any.
    Last,
    /// The command at a row from the top of the viewport.
    At(u16),
}

/// What is done in vi mode. It lies over a terminal: its program sees nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Vi {
    /// It begins, at the cursor or at the bottom of the viewport.
    Enter,
    /// It ends; the viewport follows the output again.
    Leave,
    /// Its cursor moves, and the selection's end with it.
    Move(Motion),
    /// A selection begins at its cursor; one of the same kind ends, another becomes this kind.
    Select(SelectBy),
    /// Its cursor and the other end of the selection change places.
    Swap,
}

/// How the cursor of vi mode moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Motion {
    /// One cell left.
    Left,
    /// One cell right.
    Right,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// To the first column.
    First,
    /// To the last cell that is not blank.
    Last,
    /// To the first cell that is not blank.
    FirstFilled,
    /// To the top row of the viewport.
    High,
    /// To its middle row.
    Middle,
    /// To its bottom row.
    Low,
    /// To the beginning of the word before; separators count as words.
    WordLeft,
    /// To the beginning of the next word.
    WordRight,
    /// To the end of the word before.
    WordLeftEnd,
    /// To the end of the next word.
    WordRightEnd,
    /// To the beginning of what stands before, blanks alone separating.
    SpaceLeft,
    /// To the beginning of what stands next, blanks alone separating.
    SpaceRight,
    /// To the end of what stands next, blanks alone separating.
    SpaceRightEnd,
    /// To the bracket that belongs to the one here.
    Bracket,
    /// To the blank row above.
    ParagraphUp,
    /// To the blank row below.
    ParagraphDown,
    /// Half a page up.
    HalfPageUp,
    /// Half a page down.
    HalfPageDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the oldest row.
    Top,
    /// To the newest row.
    Bottom,
    /// To the prompt before (OSC 133).
    PromptUp,
    /// To the next prompt.
    PromptDown,
    /// To the match of the search before.
    MatchUp,
    /// To the next match of the search.
    MatchDown,
}

impl Motion {
    /// Every motion.
    pub const ALL: [Self; 30] = [
        Self::Left,
        Self::Right,
        Self::Up,
        Self::Down,
        Self::First,
        Self::Last,
        Self::FirstFilled,
        Self::High,
        Self::Middle,
        Self::Low,
        Self::WordLeft,
        Self::WordRight,
        Self::WordLeftEnd,
        Self::WordRightEnd,
        Self::SpaceLeft,
        Self::SpaceRight,
        Self::SpaceRightEnd,
        Self::Bracket,
        Self::ParagraphUp,
        Self::ParagraphDown,
        Self::HalfPageUp,
        Self::HalfPageDown,
        Self::PageUp,
        Self::PageDown,
        Self::Top,
        Self::Bottom,
        Self::PromptUp,
        Self::PromptDown,
        Self::MatchUp,
        Self::MatchDown,
    ];
}
