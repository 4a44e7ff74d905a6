//! The terminal as its owner sees it.

mod bare;
mod ceiling;
mod corpus;
mod emu_clusters;
mod emu_keys;
mod emu_modes;
mod emu_pointer;
mod emu_reports;
mod emu_safe;
mod esc;
mod events;
mod frames;
mod hist_marks;
mod hist_rows;
mod hist_search;
mod hist_select;
mod hist_vi;
mod history;
mod hostile;
mod keys;
mod pointer;
mod replay;
mod selection;
mod vttest;

use maestro_core::TerminalId;
use maestro_core::input::{Input, Select, SelectBy};
use maestro_core::screen::{Frame, Row, Size};
use maestro_terminal::{Options, Outbox, Terminal, View};

/// A small deterministic generator (xorshift), so that a failing case can be run again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn terminal(cols: u16, rows: u16) -> Terminal {
    Terminal::new(Options::new(Size::new(cols, rows)))
}

/// A terminal that was given some output.
fn with(cols: u16, rows: u16, output: &str) -> Terminal {
    let mut terminal = terminal(cols, rows);
    let _ = print(&mut terminal, output);
    terminal
}

/// Gives output, returns what came of it.
fn print(terminal: &mut Terminal, output: &str) -> Outbox {
    let mut out = Outbox::new();
    terminal.advance(output.as_bytes(), &mut out);
    out
}

fn give(terminal: &mut Terminal, input: Input) -> String {
    let mut out = Outbox::new();
    terminal.input(&input, &mut out);
    String::from_utf8(out.replies).expect("text")
}

fn select(terminal: &mut Terminal, by: SelectBy, from: (u16, u16), to: (i32, u16)) {
    let start = Select::Start { row: from.0, col: from.1, right_half: false, by };
    let update = Select::Update { row: to.0, col: to.1, right_half: true };
    let _ = give(terminal, Input::Select(start));
    let _ = give(terminal, Input::Select(update));
}

fn lines(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.text().trim_end().to_owned()).collect()
}

fn screen(terminal: &mut Terminal) -> Vec<String> {
    lines(&terminal.screen(false).rows)
}

fn view() -> View {
    View::new(TerminalId(1))
}

/// What a client sees that starts now.
fn shown(terminal: &mut Terminal) -> Frame {
    terminal.frame(&mut view()).expect("a first frame is full")
}

fn shown_lines(terminal: &mut Terminal) -> Vec<String> {
    shown(terminal).rows.iter().map(|(_, row)| row.text().trim_end().to_owned()).collect()
}

fn numbers(range: std::ops::Range<u32>) -> String {
    range.map(|n| format!("{n}\r\n")).collect()
}
