//! The texts of what is shown, piece by piece: what can be found in them, and what of them is selected
//! with the mouse and copied.

use maestro_core::conversation::bounds::{ceil, floor};
use maestro_core::conversation::{Body, Entry, Transcript};
use maestro_core::markdown::{self, Inside, Marker, plain};
use maestro_core::text as foreign;
use maestro_ui::code::Line;
use maestro_ui::part;
use maestro_ui::select::{Key, Seat, Spot};

use super::View;
use super::item::{Lines, Piece};

/// No more is copied at once: bytes.
const MOST: usize = 16 << 20;

/// A text of a piece. Its number among the piece's is the index of its [`Key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What it says.
    pub text: String,
    /// What separates it from the text before.
    apart: &'static str,
    /// What stands before its first line without being a part of it: a bullet, a number.
    marker: String,
}

fn text(text: impl Into<String>, apart: &'static str) -> Text {
    Text { text: text.into(), apart, marker: String::new() }
}

fn joined(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// Rows of a table, cell by cell.
fn cells<'a>(rows: impl Iterator<Item = &'a Vec<Vec<markdown::Span>>>) -> Vec<Text> {
    let cells = rows.flat_map(|row| {
        let cell = |(at, cell)| text(plain(cell), if at == 0 { "\n" } else { "\t" });
        row.iter().map(Vec::as_slice).enumerate().map(cell)
    });
    cells.collect()
}

/// What a block says, and what stands before it.
fn block(block: &markdown::Block) -> Vec<Text> {
    let mut texts = match &block.body {
        markdown::Body::Paragraph(spans) | markdown::Body::Heading(_, spans) => {
            vec![text(plain(spans), "\n")]
        }
        markdown::Body::Table(table) => cells(std::iter::once(&table.head).chain(&table.rows)),
        markdown::Body::Rule | markdown::Body::Code { .. } => Vec::new(),
    };
    if let Some(first) = texts.first_mut() {
        let heading = matches!(block.body, markdown::Body::Heading(..));
        first.apart = if block.apart || heading { "\n\n" } else { "\n" };
        let depth = block.inside.iter().filter(|place| matches!(place, Inside::Item(_))).count();
        let marker = match block.marker {
            Some(Marker::Bullet) => "- ".to_owned(),
            Some(Marker::Number(number)) => format!("{number}. "),
            Some(Marker::Task(done)) => if done { "[x] " } else { "[ ] " }.to_owned(),
            None => String::new(),
        };
        if !marker.is_empty() {
            first.marker = "  ".repeat(depth.saturating_sub(1)) + &marker;
        }
    }
    texts
}

fn lines(lines: &Lines) -> Vec<Text> {
    vec![text(joined(&lines.lines), "\n")]
}

/// What a notice says, as it is shown.
pub fn notice(words: &str) -> String {
    foreign::clean(words, 2000)
}

/// What a failure says, as it is shown.
pub fn failure(words: &str) -> String {
    part::sentence(&foreign::clean(words, 2000))
}

/// The texts of a piece.
pub fn texts(piece: &Piece, entry: &Entry) -> Vec<Text> {
    match (piece, &entry.body) {
        (Piece::Prompt(words, _), _) => vec![text(words.as_str(), "\n")],
        (Piece::Block(shown), _) => block(shown),
        (Piece::Rows(shown, rows), _) => match &shown.body {
            markdown::Body::Table(table) => {
                let head = (rows.start == 0).then_some(&table.head);
                let rows = table.rows.get(rows.clone()).into_iter().flatten();
                cells(head.into_iter().chain(rows))
            }
            _ => Vec::new(),
        },
        (Piece::Code(code), _) => {
            vec![text(joined(&code.lines), if code.ends.0 { "\n\n" } else { "\n" })]
        }
        (Piece::Lines(shown) | Piece::Filtered(shown), _) => lines(shown),
        (Piece::Head(_), Body::Tool(tool)) => {
            vec![text(tool.name.as_str(), "\n"), text(tool.title.as_str(), " ")]
        }
        (Piece::Path(at), Body::Tool(tool)) => {
            let path = tool.changes.get(*at).map(|change| text(change.path.as_str(), "\n"));
            path.into_iter().collect()
        }
        (Piece::Whole, Body::Notice(words)) => vec![text(notice(words), "\n")],
        (Piece::Whole, Body::Failed(failed)) => vec![text(failure(&failed.message), "\n")],
        (Piece::Whole, _) => vec![text(super::find::words(entry), "\n")],
        (Piece::Thought(_) | Piece::More(_) | Piece::Head(_) | Piece::Path(_), _) => Vec::new(),
    }
}

impl View {
    /// The place of a text among all that can be selected.
    pub(super) fn seat(&self, section: u64, part: usize, index: usize) -> Seat {
        Seat { selection: self.selection.clone(), key: Key { section, part, index } }
    }

    /// Whether text is selected with the mouse.
    #[must_use]
    pub fn has_selected(&self) -> bool {
        self.selection.read(|selection| selection.range().is_some())
    }

    /// Nothing is selected with the mouse any more.
    pub fn unselect(&self) {
        self.selection.change(maestro_ui::select::Selection::clear);
    }

    /// Selects all that is here.
    pub fn select_all(&self) {
        let spot = |section| Spot { key: Key { section, ..Key::default() }, offset: 0 };
        self.selection.change(|selection| {
            selection.begin(spot(0), spot(0));
            selection.extend(spot(u64::MAX), spot(u64::MAX));
        });
    }

    /// What is selected with the mouse, as it is read.
    #[must_use]
    pub fn selected(&self, transcript: &Transcript) -> Option<String> {
        let (from, to) = self.selection.read(maestro_ui::select::Selection::range)?;
        let several = from.key != to.key;
        let mut words = String::new();
        for entry in transcript.iter() {
            let section = entry.n;
            if section < from.key.section || section > to.key.section {
                continue;
            }
            let mut first = true;
            for (part, piece) in self.item(entry).pieces.iter().enumerate() {
                for (index, text) in texts(piece, entry).into_iter().enumerate() {
                    let key = Key { section, part, index };
                    let within = |selection: &maestro_ui::select::Selection| {
                        selection.within(key, text.text.len())
                    };
                    let Some(range) = self.selection.read(within) else { continue };
                    // The edge of a selection, or an entry that says nothing: the end of a turn.
                    if range.is_empty() && (first || !text.text.is_empty()) {
                        continue;
                    }
                    // An entry may be another one than when it was selected.
                    let range = floor(&text.text, range.start)..ceil(&text.text, range.end);
                    if !words.is_empty() {
                        words.push_str(if first { "\n\n" } else { text.apart });
                    }
                    first = false;
                    if range.start == 0 && several {
                        words.push_str(&text.marker);
                    }
                    words.push_str(text.text.get(range).unwrap_or_default());
                }
            }
            if words.len() > MOST {
                words.truncate(floor(&words, MOST));
                break;
            }
        }
        (!words.is_empty()).then_some(words)
    }
}
