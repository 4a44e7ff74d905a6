//! A terminal with a long history.

use std::fmt::Write as _;

use maestro_core::screen::Size;
use maestro_terminal::{Options, Outbox, Terminal};

pub const COLS: u16 = 120;
pub const ROWS: u16 = 40;
pub const LINES: usize = 1_000_000;

/// Lines between two that hold what the rare queries look for.
pub const RARE: usize = 20_000;

/// A terminal with a million lines behind it, compressed but for the few that never are.
pub fn filled() -> Terminal {
    let options = Options { scrollback: LINES + 1000, ..Options::new(Size::new(COLS, ROWS)) };
    let mut terminal = Terminal::new(options);
    let mut out = Outbox::new();
    let mut text = String::new();
    for number in 0..LINES {
        line(&mut text, number);
        if text.len() > 256 * 1024 || number + 1 == LINES {
            terminal.advance(text.as_bytes(), &mut out);
            out.clear();
            text.clear();
            while terminal.compact(usize::MAX) {}
        }
    }
    terminal
}

/// What builds, agents and diffs print.
fn line(text: &mut String, number: usize) {
    let _ = match number % 4 {
        _ if number % RARE == RARE / 2 => {
            write!(text, "here is the needle in line {number} of a long session\r\n")
        }
        0 => write!(
            text,
            "   \x1b[1;32mCompiling\x1b[m part_{} v0.{}.{} (crates/part_{}), {} warnings\r\n",
            number % 977,
            number % 31,
            number % 7,
            number % 977,
            number % 3
        ),
        1 => write!(
            text,
            "\x1b[31m-    let value_{number} = compute(input, {});  // as it was before\x1b[m\r\n",
            number * 7 % 1009
        ),
        2 => write!(
            text,
            "\x1b[38;5;245m● Read\x1b[m src/module_{}/file_{}.rs ({} lines), then looked at what calls it\r\n",
            number % 53,
            number % 769,
            number % 1500
        ),
        _ => write!(
            text,
            "[{:>8}.{:03}] worker {} finished request {:016x} in {} ms, {} bytes sent to the other side\r\n",
            number / 3,
            number % 1000,
            number % 16,
            number as u64 * 0x9e37_79b9_7f4a_7c15,
            number % 250,
            number * 13 % 65_536
        ),
    };
}
