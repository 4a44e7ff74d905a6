//! What a long answer and a long conversation cost the window's thread, by the program itself:
//! `maestro bench conversation`.

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

/// An answer that is written while it is looked at, and a conversation that is scrolled.
pub fn turns(setup: &Setup) -> Result<Vec<Measure>> {
    let maestro = setup.maestro()?;
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let mut command = Command::new(&maestro);
        let _ = command.args(["bench", "conversation", "--json"]);
        let _ = command.args(["--lines", LINES, "--turns", TURNS]);
        let output = command.output().context("the program")?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.lines().last().unwrap_or("it said nothing").to_owned();
            bail!("`{}` failed: {why}", cargo::shown(&command));
        }
        let value: Value = serde_json::from_slice(&output.stdout).context("its JSON")?;
        runs.push(value);
    }
    let middle = |pointer: &str| -> Result<f64> {
        let number = |run: &Value| {
            let number = run.pointer(pointer).and_then(Value::as_f64);
            number.with_context(|| format!("its JSON has no {pointer}"))
        };
        Ok(median(&mut runs.iter().map(number).collect::<Result<Vec<_>>>()?))
    };
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
