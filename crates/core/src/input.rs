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
    Shift,
    Control,
    Alt,
    Super,
    /// A key this table has no name for.
    Unknown,
}

impl Code {
    /// Whether the key types nothing by itself and changes what others do.
    #[must_use]
    pub const fn is_modifier(self) -> bool {
        matches!(self, Self::Shift | Self::Control | Self::Alt | Self::Super | Self::CapsLock)
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
