//! What single scenes put into their terminals: matches, selections, links, a viewport that holds.

use maestro_core::TerminalId;
use maestro_core::screen::{Cursor, CursorShape, Frame, Mark, Row, Scroll, flags};

use super::{folded, paint};

/// What is looked for in the scene with a search.
pub const NEEDLE: &str = "preferences";

/// A compiler's words: places in files and an address.
const LINKS: &[&str] = &[
    "§g~/shop§0 §bfeat/preferences§0",
    "§d$§0 cargo check -p api",
    "   §gChecking§0 api v0.3.1",
    "§rerror[E0425]§0§w: cannot find value `scope` in this scope",
    "  §b-->§0 src/api/preferences.rs:42:17",
    "   §b|",
    "§b42 |§0     let saved = scope.load(user);",
    "   §b|§0                 §r^^^^^ not found in this scope",
    "",
    "§ywarning§0§w: unused import: `Scope`",
    "  §b-->§0 src/api/routes.rs:7:5",
    "",
    "   For more, see https://doc.rust-lang.org/error_codes/E0425.html",
    "   or ask at https://users.rust-lang.org",
    "",
    "§d$§0 §_",
];

/// Changes the frame of a terminal for a scene.
pub fn dress(scene: &str, frame: &mut Frame) {
    match (scene, frame.terminal) {
        ("search", TerminalId(1)) => matches(frame),
        ("vi", TerminalId(1)) => vi(frame),
        ("hints" | "hover", TerminalId(1)) => links(frame),
        ("output", TerminalId(1)) => {
            frame.scroll = Scroll { offset: 260, history: 4100, unseen: 128 };
            frame.cursor = None;
        }
        ("output", TerminalId(2)) => {
            frame.scroll = Scroll { offset: 12, history: 300, unseen: 0 };
        }
        _ => {}
    }
}

fn matches(frame: &mut Frame) {
    let letters = NEEDLE.chars().count();
    let mut last = None;
    for (place, (_, row)) in frame.rows.iter_mut().enumerate() {
        let text: Vec<char> = row.text().chars().collect();
        let found = (0..text.len())
            .filter(|at| text[*at..].iter().take(letters).copied().eq(NEEDLE.chars()));
        for at in found.collect::<Vec<_>>() {
            flag(row, at, at + letters, flags::MATCH);
            last = Some((place, at));
        }
    }
    if let Some((place, at)) = last {
        flag(&mut frame.rows[place].1, at, at + letters, flags::CURRENT);
    }
}

fn vi(frame: &mut Frame) {
    frame.modes.vi = true;
    let (first, last, col) = (7, 11, 9);
    for (place, row) in &mut frame.rows {
        let length = row.cells.len();
        let (from, to) = match *place {
            at if at == first => (2, length),
            at if at > first && at < last => (0, length),
            at if at == last => (0, col + 1),
            _ => continue,
        };
        flag(row, from, to, flags::SELECTED);
    }
    frame.cursor =
        Some(Cursor { row: last, col: col as u16, shape: CursorShape::Block, blinking: false });
}

fn links(frame: &mut Frame) {
    let lines = LINKS.iter().flat_map(|line| folded(line, usize::from(frame.size.cols)));
    let lines = lines.take(usize::from(frame.size.rows)).collect::<Vec<_>>();
    frame.cursor = None;
    frame.rows = lines.iter().enumerate().map(|(at, line)| (at as u16, paint(line))).collect();
    for (place, (_, row)) in frame.rows.iter_mut().enumerate() {
        if LINKS.get(place).is_some_and(|line| line.starts_with("§g~") || line.starts_with("§d$"))
        {
            row.mark = Mark::Prompt;
        }
    }
}

fn flag(row: &mut Row, from: usize, to: usize, flag: u16) {
    let end = to.min(row.cells.len());
    for cell in row.cells.get_mut(from..end).unwrap_or_default() {
        cell.flags |= flag;
    }
}
