//! Commands of vi mode.

use crate::command::{Command, Id, command};
use crate::input::Motion;

const fn vi(
    motion: Motion,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    description: &'static str,
) -> Command {
    command(Id::Vi(motion), name, title, chords, description).vi()
}

const fn count(n: u8, name: &'static str, chords: &'static [&'static str]) -> Command {
    command(Id::ViCount(n), name, "Count", chords, "A digit of how often the next motion is made.")
        .vi()
}

pub(super) const COMMANDS: &[Command] = &[
    vi(Motion::Left, "vi.left", "Left", &["h", "Left", "Backspace"], "One cell left."),
    vi(Motion::Down, "vi.down", "Down", &["j", "Down"], "One row down."),
    vi(Motion::Up, "vi.up", "Up", &["k", "Up"], "One row up."),
    vi(Motion::Right, "vi.right", "Right", &["l", "Right", "Space"], "One cell right."),
    vi(Motion::First, "vi.first", "First column", &["0", "Home"], "To the first column."),
    vi(
        Motion::Last,
        "vi.last",
        "Last character",
        &["$", "End"],
        "To the last cell that is not blank.",
    ),
    vi(
        Motion::FirstFilled,
        "vi.first-filled",
        "First character",
        &["^"],
        "To the first cell that is not blank.",
    ),
    vi(Motion::High, "vi.high", "Top of the screen", &["Shift+H"], "To the top row in sight."),
    vi(
        Motion::Middle,
        "vi.middle",
        "Middle of the screen",
        &["Shift+M"],
        "To the middle row in sight.",
    ),
    vi(Motion::Low, "vi.low", "Bottom of the screen", &["Shift+L"], "To the bottom row in sight."),
    vi(
        Motion::WordLeft,
        "vi.word-left",
        "Word back",
        &["b"],
        "To the beginning of the word before.",
    ),
    vi(
        Motion::WordRight,
        "vi.word-right",
        "Word forward",
        &["w"],
        "To the beginning of the next word.",
    ),
    vi(
        Motion::WordLeftEnd,
        "vi.word-left-end",
        "End of the word before",
        &[],
        "To the end of the word before: g, then e.",
    ),
    vi(
        Motion::WordRightEnd,
        "vi.word-right-end",
        "End of the word",
        &["e"],
        "To the end of the next word.",
    ),
    vi(
        Motion::SpaceLeft,
        "vi.space-left",
        "Back over blanks",
        &["Shift+B"],
        "To the beginning of what stands before, blanks alone separating.",
    ),
    vi(
        Motion::SpaceRight,
        "vi.space-right",
        "Forward over blanks",
        &["Shift+W"],
        "To the beginning of what stands next, blanks alone separating.",
    ),
    vi(
        Motion::SpaceRightEnd,
        "vi.space-right-end",
        "End, up to a blank",
        &["Shift+E"],
        "To the end of what stands next, blanks alone separating.",
    ),
    vi(
        Motion::Bracket,
        "vi.bracket",
        "Other bracket",
        &["%"],
        "To the bracket that belongs to the one here.",
    ),
    vi(Motion::ParagraphUp, "vi.paragraph-up", "Paragraph up", &["{"], "To the blank row above."),
    vi(
        Motion::ParagraphDown,
        "vi.paragraph-down",
        "Paragraph down",
        &["}"],
        "To the blank row below.",
    ),
    vi(Motion::HalfPageUp, "vi.half-page-up", "Half a page up", &["Ctrl+U"], "Half a page up."),
    vi(
        Motion::HalfPageDown,
        "vi.half-page-down",
        "Half a page down",
        &["Ctrl+D"],
        "Half a page down.",
    ),
    vi(Motion::PageUp, "vi.page-up", "Page up", &["Ctrl+B", "PageUp"], "A page up."),
    vi(Motion::PageDown, "vi.page-down", "Page down", &["Ctrl+F", "PageDown"], "A page down."),
    vi(Motion::Top, "vi.top", "Oldest row", &[], "To the oldest row: g twice."),
    vi(Motion::Bottom, "vi.bottom", "Newest row", &["Shift+G"], "To the newest row."),
    vi(Motion::PromptUp, "vi.prompt-up", "Previous prompt", &["["], "To the prompt before."),
    vi(Motion::PromptDown, "vi.prompt-down", "Next prompt", &["]"], "To the next prompt."),
    vi(
        Motion::MatchUp,
        "vi.match-up",
        "Next match, upwards",
        &["n"],
        "To the match of the search before this one.",
    ),
    vi(
        Motion::MatchDown,
        "vi.match-down",
        "Next match, downwards",
        &["Shift+N"],
        "To the match of the search after this one.",
    ),
    command(
        Id::ViSelectCells,
        "vi.select",
        "Select",
        &["v"],
        "Begins a selection at the cursor, or ends it.",
    )
    .vi(),
    command(
        Id::ViSelectLines,
        "vi.select-lines",
        "Select lines",
        &["Shift+V"],
        "Begins a selection of whole lines, or ends it.",
    )
    .vi(),
    command(
        Id::ViSelectBlock,
        "vi.select-block",
        "Select a block",
        &["Ctrl+V"],
        "Begins a selection of a rectangle, or ends it.",
    )
    .vi(),
    command(Id::ViSwap, "vi.swap", "Other end", &["o"], "Goes to the other end of the selection.")
        .vi(),
    command(
        Id::ViCopy,
        "vi.copy",
        "Copy and leave",
        &["y", "Enter"],
        "Copies the selection and leaves vi mode.",
    )
    .vi(),
    command(
        Id::ViSearch,
        "vi.search",
        "Search",
        &["/"],
        "Looks for text in the screen and its whole history.",
    )
    .vi(),
    command(
        Id::ViCancel,
        "vi.cancel",
        "Back",
        &["Escape"],
        "Ends the selection; without one, vi mode.",
    )
    .vi(),
    command(
        Id::ViLeave,
        "vi.leave",
        "Leave vi mode",
        &["q", "i"],
        "Gives the keyboard back to the program.",
    )
    .vi(),
    command(
        Id::ViPrefix,
        "vi.g",
        "g",
        &["g"],
        "Twice to the oldest row; with e to the end of the word before.",
    )
    .vi(),
    count(1, "vi.1", &["1"]),
    count(2, "vi.2", &["2"]),
    count(3, "vi.3", &["3"]),
    count(4, "vi.4", &["4"]),
    count(5, "vi.5", &["5"]),
    count(6, "vi.6", &["6"]),
    count(7, "vi.7", &["7"]),
    count(8, "vi.8", &["8"]),
    count(9, "vi.9", &["9"]),
];
