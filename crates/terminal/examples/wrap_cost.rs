//! How long a terminal is kept from keys and output while a million compressed lines are wrapped at another
//! width, as the host does it for whoever goes to the top, selects all or exports: in slices; and while
//! somebody reads and has something selected at the top. One JSON object a line. Run by `cargo xtask bench`.

use std::time::{Duration, Instant};

use maestro_core::TerminalId;
use maestro_core::input::{Input, ScrollTo, Select, SelectBy};
use maestro_core::screen::Size;
use maestro_terminal::{Outbox, Terminal, View};

#[path = "history/filled.rs"]
mod filled;

use filled::{COLS, LINES, ROWS, filled};

/// The host's slices, in rows, and how long it adds them up before others have their turn.
const SLICE: usize = 256;
const WRAPPING: Duration = Duration::from_millis(1);
const RUNS: usize = 5;
/// Rows of one slice of an export.
const EXPORTED: usize = 512;
/// Milliseconds: a key's share of a frame.
const BAR: f64 = 16.0;

fn main() {
    let mut terminal = filled();
    let mut out = Outbox::new();
    let (mut resizing, mut longest, mut all, mut going) = (vec![], vec![], vec![], vec![]);
    let mut exporting = Vec::new();
    // By turns narrower, where nearly every line is cut in two, and as it was.
    for run in 0..RUNS {
        let cols = if run % 2 == 0 { COLS / 2 } else { COLS };
        resizing.push(timed(|| terminal.resize(Size::new(cols, ROWS))));
        assert!(terminal.is_far_to_the_top());
        let begun = Instant::now();
        let mut most: f64 = 0.0;
        let mut more = true;
        while more {
            let quantum = Instant::now();
            while more && quantum.elapsed() < WRAPPING {
                more = terminal.wrap_slice(SLICE);
            }
            most = most.max(quantum.elapsed().as_secs_f64() * 1e3);
        }
        longest.push(most);
        all.push(begun.elapsed().as_secs_f64() * 1e3);
        going.push(timed(|| terminal.input(&Input::Scroll(ScrollTo::Top), &mut out)));
        going.push(timed(|| terminal.input(&Input::Select(Select::All), &mut out)));
        exporting.push(timed(|| {
            let _ = terminal.export(false, None, EXPORTED, &mut String::new());
        }));
        terminal.input(&Input::Select(Select::Clear), &mut out);
        terminal.input(&Input::Scroll(ScrollTo::Bottom), &mut out);
    }
    let (reading, wrapped) = reading(&mut terminal);
    let note = format!("{LINES} compressed lines");
    report("wrapping/resize", resizing, BAR, &note);
    report("wrapping/longest", longest, BAR, &note);
    report("wrapping/all", all, 4000.0, &note);
    report("wrapping/go", going, BAR, "to the top, and everything selected, once rows are wrapped");
    let note = format!("while the oldest rows are read and selected, with a frame; {wrapped} rows");
    report("wrapping/reading", reading, BAR, &note);
    report("wrapping/export", exporting, BAR, &format!("the first {EXPORTED} rows"));
}

/// Resizes while somebody is at the top; also the most rows that one of them has wrapped.
fn reading(terminal: &mut Terminal) -> (Vec<f64>, u64) {
    let mut out = Outbox::new();
    let mut view = View::new(TerminalId(1));
    while terminal.wrap_slice(SLICE) {}
    terminal.input(&Input::Scroll(ScrollTo::Top), &mut out);
    let start = Select::Start { row: 2, col: 3, right_half: false, by: SelectBy::Word };
    terminal.input(&Input::Select(start), &mut out);
    terminal.input(&Input::Select(Select::Update { row: 9, col: 9, right_half: true }), &mut out);
    let (mut times, mut most) = (Vec::new(), 0);
    for cols in [COLS / 3, COLS / 2, COLS / 4, COLS / 2, COLS] {
        let before = terminal.wrapped_rows();
        times.push(timed(|| {
            terminal.resize(Size::new(cols, ROWS));
            let _ = terminal.frame(&mut view);
        }));
        most = most.max(terminal.wrapped_rows() - before);
    }
    (times, most)
}

fn timed(run: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    run();
    begun.elapsed().as_secs_f64() * 1e3
}

/// The worst of all runs.
fn report(name: &str, times: Vec<f64>, bar: f64, note: &str) {
    let value = times.into_iter().fold(0.0, f64::max);
    let line = serde_json::json!({
        "name": name,
        "value": (value * 1000.0).round() / 1000.0,
        "unit": "ms",
        "bar": bar,
        "holds": value <= bar,
        "peer": null,
        "runs": RUNS,
        "note": note,
    });
    println!("{line}");
}
