//! What the window costs its thread, by the program itself: `maestro bench conversation` for a long answer
//! and a long conversation, `maestro bench window` for keys.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Measure, Setup, median};
use crate::cargo;

const RUNS: usize = 3;

/// Lines of the answer, and turns of the conversation.
const LINES: &str = "2000";
const TURNS: &str = "10000";

/// Milliseconds, all but one update in a hundred, and all but one step of scrolling.
const BAR: f64 = 8.0;

/// What `maestro bench` says, some times.
fn runs(setup: &Setup, arguments: &[&str]) -> Result<Vec<Value>> {
    let maestro = setup.maestro()?;
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let mut command = Command::new(&maestro);
        let _ = command.arg("bench").args(arguments).arg("--json");
        let output = command.output().context("the program")?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.lines().last().unwrap_or("it said nothing").to_owned();
            bail!("`{}` failed: {why}", cargo::shown(&command));
        }
        let value: Value = serde_json::from_slice(&output.stdout).context("its JSON")?;
        runs.push(value);
    }
    Ok(runs)
}

/// The middle of what the runs have at a place.
fn middle(runs: &[Value], pointer: &str) -> Result<f64> {
    let number = |run: &Value| {
        let number = run.pointer(pointer).and_then(Value::as_f64);
        number.with_context(|| format!("its JSON has no {pointer}"))
    };
    Ok(median(&mut runs.iter().map(number).collect::<Result<Vec<_>>>()?))
}

/// A key's way to the frame's record in the palette and in lists, and the view of a full window.
pub fn lists(setup: &Setup) -> Result<Vec<Measure>> {
    const STEPS: [(&str, &str, &str); 5] = [
        ("view", "view_rebuild", "the whole window with 30 agents, nothing changed"),
        ("agents", "key_to_frame/agents", "the next agent of 30"),
        ("palette", "key_to_frame/palette", "a letter typed or taken back, 20 000 entries"),
        ("palette_rows", "key_to_frame/palette_rows", "the next row of 20 000"),
        ("sessions", "key_to_frame/sessions", "the next conversation of 20 000"),
    ];
    let runs = runs(setup, &["window"])?;
    let mut measures = Vec::with_capacity(STEPS.len());
    for (name, told, note) in STEPS {
        let [half, most, bar] =
            ["p50", "p99", "bar"].map(|what| middle(&runs, &format!("/{name}/{what}")));
        let note = format!("{note}; {:.2} ms p50", half?);
        let measure = Measure::at_most(&format!("{told}_p99"), most?, "ms", bar?, RUNS);
        measures.push(measure.note(note));
    }
    Ok(measures)
}

/// An answer that is written while it is looked at, and a conversation that is scrolled.
pub fn turns(setup: &Setup) -> Result<Vec<Measure>> {
    let runs = runs(setup, &["conversation", "--lines", LINES, "--turns", TURNS])?;
    let middle = |pointer: &str| middle(&runs, pointer);
    let answer = format!("an answer of {LINES} lines, from the update to the frame's record");
    let scroll = format!(
        "a conversation of {TURNS} turns, one turn of the wheel; opening it took {:.1} ms, a jump {:.2} ms p99",
        middle("/opened_ms")?,
        middle("/jump_ms/p99")?,
    );
    Ok(vec![
        Measure::told("conversation_update_p50", middle("/update_ms/p50")?, "ms", RUNS)
            .note(&answer),
        Measure::at_most("conversation_update_p99", middle("/update_ms/p99")?, "ms", BAR, RUNS)
            .note(&answer),
        Measure::at_most("conversation_scroll_p99", middle("/scroll_ms/p99")?, "ms", BAR, RUNS)
            .note(scroll),
    ])
}
