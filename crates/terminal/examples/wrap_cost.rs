//! How long a terminal is kept from keys and output while a million compressed lines are wrapped at another
//! width, as the host does it for whoever goes to the top, selects all or exports: in slices. One JSON
//! object a line. Run by `cargo xtask bench`.

use std::time::{Duration, Instant};

use maestro_core::input::{Input, ScrollTo, Select};
use maestro_core::screen::Size;
use maestro_terminal::Outbox;

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
        // A reading position there would be taken along by the next resize, which is another thing.
        terminal.input(&Input::Select(Select::Clear), &mut out);
        terminal.input(&Input::Scroll(ScrollTo::Bottom), &mut out);
    }
    let note = format!("{LINES} compressed lines");
    report("wrapping/resize", resizing, BAR, &note);
    report("wrapping/longest", longest, BAR, &note);
    report("wrapping/all", all, 4000.0, &note);
    report("wrapping/go", going, BAR, "to the top, and everything selected, once rows are wrapped");
    report("wrapping/export", exporting, BAR, &format!("the first {EXPORTED} rows"));
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
