//! The emulator behind the tap and the guard ends in the same grid as one that is fed directly.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::Processor;
use maestro_core::screen::{Row, Size};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::pack::pack;
use crate::{Options, Outbox, Terminal};

struct Cells(usize, usize);

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        self.1
    }

    fn screen_lines(&self) -> usize {
        self.1
    }

    fn columns(&self) -> usize {
        self.0
    }
}

/// The screen of a bare emulator.
fn bare(bytes: &[u8], cols: usize, rows: usize) -> (Vec<Row>, (i32, usize)) {
    let config = Config { kitty_keyboard: true, ..Config::default() };
    let mut term = Term::new(config, &Cells(cols, rows), VoidListener);
    let mut parser: Processor = Processor::new();
    parser.advance(&mut term, bytes);
    let mut packed = Vec::new();
    for line in term.grid().topmost_line().0..rows as i32 {
        let mut row = Row::default();
        pack(&term.grid()[Line(line)], &mut row);
        // Ours keeps eight marks on a character.
        for cluster in &mut row.clusters {
            *cluster = cluster.chars().take(9).collect();
        }
        packed.push(row);
    }
    let point = term.grid().cursor.point;
    (packed, (point.line.0, point.column.0))
}

fn ours(bytes: &[u8], cols: u16, rows: u16) -> (Vec<Row>, (i32, usize)) {
    let mut terminal = Terminal::new(Options::new(Size::new(cols, rows)));
    terminal.advance(bytes, &mut Outbox::new());
    let point = terminal.cursor_cell();
    let contents = terminal.screen(true);
    (contents.history.into_iter().chain(contents.rows).collect(), point)
}

#[test]
fn recordings_end_the_same() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    let mut count = 0;
    for name in ["claude", "codex", "copilot", "droid", "gemini", "opencode"] {
        for entry in std::fs::read_dir(format!("{root}/{name}/tui")).expect("fixtures") {
            let path = entry.expect("entry").path();
            if path.extension().is_some_and(|extension| extension == "raw") {
                let bytes = std::fs::read(&path).expect("recording");
                // Half of it, too: most programs clear up at their end.
                for end in [bytes.len() / 2, bytes.len()] {
                    assert_eq!(
                        ours(&bytes[..end], 120, 40),
                        bare(&bytes[..end], 120, 40),
                        "{}",
                        path.display()
                    );
                }
                count += 1;
            }
        }
    }
    assert!(count >= 8);
}

/// Pieces that the tap looks at, and such that it must not mistake.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"text",
        b"\r\n",
        "好".as_bytes(),
        b"\xe5\xa5",
        b"\x1b",
        b"[",
        b"]",
        b"P",
        b"\x1b\\",
        b"\x07",
        b"\x18",
        b"\x1a",
        b"\x9c",
        b";",
        b"\x1b]9;note",
        b"\x1b]0;t\x07",
        b"\x1b[?2026h",
        b"\x1b[?2026l",
        b"\x1b[>q",
        b"\x1b[=c",
        b"\x1bP1;2|",
        b"\x1bP1<<q",
        b"\x1bP q",
        b"\x1b_G",
        b"\x1b^",
        b"\x1bX",
        b"\x1b(0",
        b"\x1b([",
        b"x\x1b[999b",
        b"\x1b[1;31m",
        b"\x1b[3;5r",
        b"\x1b[2J",
        b"\n\n\n",
        b"\x1b[?1049h",
        b"\x1b[>1u",
        b"\x1b]8;;http://a\x07",
    ];
    prop_oneof![
        5 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..5),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tap_changes_nothing(pieces in vec(piece(), 0..50)) {
        let mut stream: Vec<u8> = pieces.concat();
        // What is held back until it is whole shows up here: half a character, a synchronized update.
        stream.extend_from_slice(b"\x18\x1b[?2026l.");
        prop_assert_eq!(ours(&stream, 20, 6), bare(&stream, 20, 6));
    }
}
