//! With the tap and the guard, and without: the same screen as a bare emulator's, cut anywhere. What ours
//! mends on purpose is not among the pieces; `esc` has it.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::Processor;
use maestro_core::screen::{Row, Size, flags};
use maestro_terminal::{Options, Outbox, Terminal};
use proptest::collection::vec;
use proptest::prelude::*;

const COLS: u16 = 20;
const ROWS: u16 = 6;

struct Cells;

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        usize::from(ROWS)
    }

    fn screen_lines(&self) -> usize {
        usize::from(ROWS)
    }

    fn columns(&self) -> usize {
        usize::from(COLS)
    }
}

/// A cell as both tell it: its text, and bold, reverse, wide.
type Seen = (String, bool, bool, bool);

fn bare(bytes: &[u8]) -> (Vec<Vec<Seen>>, (u16, u16)) {
    let config = Config { kitty_keyboard: true, ..Config::default() };
    let mut term = Term::new(config, &Cells, VoidListener);
    let mut parser: Processor = Processor::new();
    parser.advance(&mut term, bytes);
    let rows = (0..i32::from(ROWS)).map(|line| {
        let row = (0..usize::from(COLS)).map(|col| {
            let cell = &term.grid()[Line(line)][Column(col)];
            let mut text = String::new();
            if !cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
                text.push(if cell.c == '\t' { ' ' } else { cell.c });
                text.extend(cell.zerowidth().into_iter().flatten().take(8));
            }
            let has = |flag| cell.flags.contains(flag);
            (text, has(Flags::BOLD), has(Flags::INVERSE), has(Flags::WIDE_CHAR))
        });
        row.collect()
    });
    let rows = rows.collect();
    let point = term.grid().cursor.point;
    (rows, (point.line.0 as u16, point.column.0 as u16))
}

fn ours(bytes: &[u8], cuts: &[usize]) -> (Vec<Vec<Seen>>, (u16, u16)) {
    let mut terminal = Terminal::new(Options::new(Size::new(COLS, ROWS)));
    let mut rest = bytes;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, after) = rest.split_at((*cut).min(rest.len()));
        terminal.advance(now, &mut Outbox::new());
        rest = after;
    }
    terminal.advance(b"\x1b[?25h", &mut Outbox::new());
    let screen = terminal.screen(false);
    let cells = |row: &Row| -> Vec<Seen> {
        (0..usize::from(COLS))
            .map(|col| {
                let cell = row.cells.get(col).copied().unwrap_or_default();
                let mut text = String::new();
                if !cell.has(flags::SPACER) {
                    row.write_cell(&cell, &mut text);
                }
                (text, cell.has(flags::BOLD), cell.has(flags::INVERSE), cell.has(flags::WIDE))
            })
            .collect()
    };
    let cursor = screen.cursor.map(|cursor| (cursor.row, cursor.col));
    (screen.rows.iter().map(cells).collect(), cursor.expect("it is shown"))
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"text ",
        b"\r\n",
        b"\n\n\n",
        b"\t",
        "好".as_bytes(),
        "ä".as_bytes(),
        b"\xe5\xa5",
        b"\xbd",
        b"\xff",
        b"\x1b",
        b"[",
        b"]",
        b"P",
        b"\\",
        b"\x1b\\",
        b"\x07",
        b"\x18",
        b"\x1a",
        b";",
        b"1",
        b"m",
        b"\x1b]9;note",
        b"\x1b]0;title\x07",
        b"\x1b]133;C\x07",
        b"\x1b]8;;http://a\x07",
        b"\x1b]8;;\x07",
        b"\x1b]7501;state=idle\x1b\\",
        b"\x1bPq#0;2;0;0;0",
        b"\x1bP1<q",
        b"\x1b_Gf=1;",
        b"\x1b^",
        b"\x1bX",
        b"\x1b(0",
        b"\x1b(B",
        b"\x1b[1m",
        b"\x1b[7m",
        b"\x1b[m",
        b"\x1b[38:2::1:2:3m",
        b"\x1b[2J",
        b"\x1b[H",
        b"\x1b[3;5H",
        b"\x1b[K",
        b"\x1b[1K",
        b"\x1b[2L",
        b"\x1b[M",
        b"\x1b[@",
        b"\x1b[2S",
        b"\x1b[T",
        b"\x1bM",
        b"\x1b7",
        b"\x1b[?7l",
        b"\x1b[?7h",
        b"\x1b[?2026h",
        b"\x1b[?2026l",
        b"\x1b[?1049h",
        b"\x1b[?1049l",
        b"\x1b[>1u",
        b"\x1b[>q",
        b"\x1b[c",
        b"\x1b[6n",
        b"\x1b[?996n",
    ];
    prop_oneof![
        6 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => vec(0_u8..0x80, 0..4),
    ]
}

/// What is held back until it is whole shows up at the end: half a character, half a sequence, a
/// synchronized update.
const END: &[u8] = b"\x18\x1b[?2026l.";

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_as_a_bare_emulator(
        pieces in vec(piece(), 0..60),
        cuts in vec(1_usize..30, 1..20),
    ) {
        let mut stream: Vec<u8> = pieces.concat();
        stream.extend_from_slice(END);
        let (wanted, (row, col)) = bare(&stream);
        let (seen, cursor) = ours(&stream, &cuts);
        prop_assert_eq!(seen, wanted);
        // On the second half of a wide character ours tells the first.
        prop_assert!(cursor == (row, col) || cursor == (row, col.saturating_sub(1)));
    }
}
