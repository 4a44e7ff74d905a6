//! Control sequences that check themselves: what is printed, and what the screen, the cursor and the
//! answers must be then. Every case names its source: a clause of ECMA-48 (fifth edition), the VT510
//! manual or DEC STD 070 by the sequence's name there, or xterm's "ctlseqs".
//!
//! The screen has 10 columns and 6 rows. In the tables `⎋` stands for ESC; rows and columns count from 1.

mod editing;
mod limits;
mod modes;
mod movement;
mod reports;
mod screens;
mod style;

use maestro_core::screen::Size;
use maestro_terminal::{Options, Outbox, Terminal};

pub(super) const COLS: u16 = 10;
pub(super) const ROWS: u16 = 6;

/// One case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// What is shown by it.
    pub what: &'static str,
    /// Where that is written down.
    pub source: &'static str,
    /// What a program prints.
    pub output: &'static str,
    /// The screen afterwards, without blank rows at its end; `None` where it is of no interest.
    pub rows: Option<&'static [&'static str]>,
    /// The cursor afterwards, row and column; `None` where it is of no interest.
    pub cursor: Option<(u16, u16)>,
    /// What the program is answered.
    pub reply: &'static str,
}

/// A case about the screen and the cursor.
pub(super) const fn case(
    what: &'static str,
    source: &'static str,
    output: &'static str,
    rows: &'static [&'static str],
    cursor: (u16, u16),
) -> Case {
    Case { what, source, output, rows: Some(rows), cursor: Some(cursor), reply: "" }
}

/// A case about the cursor alone.
pub(super) const fn moves(
    what: &'static str,
    source: &'static str,
    output: &'static str,
    cursor: (u16, u16),
) -> Case {
    Case { what, source, output, rows: None, cursor: Some(cursor), reply: "" }
}

/// A case about an answer.
pub(super) const fn asks(
    what: &'static str,
    source: &'static str,
    output: &'static str,
    reply: &'static str,
) -> Case {
    Case { what, source, output, rows: None, cursor: None, reply }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('⎋', "\x1b")
}

/// A terminal of the tests' size that was given some output, and what it answered.
pub(super) fn printed(output: &str, step: usize) -> (Terminal, Outbox) {
    let mut terminal = Terminal::new(Options::new(Size::new(COLS, ROWS)));
    let mut out = Outbox::new();
    for piece in escaped(output).as_bytes().chunks(step) {
        terminal.advance(piece, &mut out);
    }
    (terminal, out)
}

/// What is wrong in a case, if anything is.
pub(super) fn failure(case: &Case, step: usize) -> Option<String> {
    let (mut terminal, out) = printed(case.output, step);
    let screen = terminal.screen(false);
    let mut rows = super::lines(&screen.rows);
    rows.truncate(rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
    let cursor = screen.cursor.map(|cursor| (cursor.row + 1, cursor.col + 1));
    let reply = String::from_utf8_lossy(&out.replies).replace('\x1b', "⎋");
    let fine = case.rows.is_none_or(|wanted| wanted == rows)
        && case.cursor.is_none_or(|wanted| Some(wanted) == cursor)
        && case.reply == reply;
    (!fine).then(|| {
        format!(
            "{} ({})\n  printed {}\n  rows   {rows:?}\n  wanted {:?}\n  cursor {cursor:?}, wanted {:?}\n  \
             answer {reply:?}, wanted {:?}\n",
            case.what, case.source, case.output, case.rows, case.cursor, case.reply
        )
    })
}

#[track_caller]
pub(super) fn check(cases: &[Case]) {
    let wrong: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            // Whole, and byte by byte.
            failure(case, usize::MAX).or_else(|| failure(case, 1))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases are wrong:\n\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
