//! What a frame of sixteen terminals costs us, by the program itself: `maestro bench grid`.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Measure, Setup, median};
use crate::cargo;

/// Runs, and frames that count in each.
const RUNS: usize = 5;
const FRAMES: &str = "120";

/// Milliseconds of processor time, all but one frame in a hundred.
const BAR: f64 = 4.0;

/// What is read of one run.
struct Run {
    adapter: String,
    p50: f64,
    p99: f64,
    gpu: Option<f64>,
    bytes: f64,
    slots: f64,
}

/// Sixteen terminals of 120×40 in which every cell changes in every frame, off the screen.
pub fn frame_cost(setup: &Setup) -> Result<Vec<Measure>> {
    let maestro = setup.maestro()?;
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let mut command = Command::new(&maestro);
        let _ = command.args(["bench", "grid", "--headless", "--panes", "16", "--size", "120x40"]);
        let _ = command.args(["--frames", FRAMES, "--json"]);
        let output = command.output().context("the program")?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.lines().last().unwrap_or("it said nothing").to_owned();
            if why.contains("no graphics adapter") {
                return Ok(vec![Measure::skipped("frame_cost_p99", BAR, "ms", why)]);
            }
            bail!("`{}` failed: {why}", cargo::shown(&command));
        }
        runs.push(read(&String::from_utf8_lossy(&output.stdout))?);
    }
    let Some(first) = runs.first() else { bail!("nothing was measured") };
    let middle = |of: fn(&Run) -> f64| median(&mut runs.iter().map(of).collect::<Vec<_>>());
    let mut gpu: Vec<f64> = runs.iter().filter_map(|run| run.gpu).collect();
    let adapter_time = if gpu.is_empty() {
        "unknown".to_owned()
    } else {
        format!("{:.2} ms p50", median(&mut gpu))
    };
    let note = format!(
        "16 terminals of 120×40, every cell changes; on {}, its own time {adapter_time}; {:.0} bytes a \
         frame, {:.0} slots of the atlas",
        first.adapter,
        middle(|run| run.bytes),
        middle(|run| run.slots),
    );
    Ok(vec![
        Measure::told("frame_cost_p50", middle(|run| run.p50), "ms", RUNS).note(&note),
        Measure::at_most("frame_cost_p99", middle(|run| run.p99), "ms", BAR, RUNS)
            .note(format!("{note}; aim 1.5 ms")),
    ])
}

fn read(line: &str) -> Result<Run> {
    let value: Value = serde_json::from_str(line).context("its JSON")?;
    let number = |pointer: &str| {
        let number = value.pointer(pointer).and_then(Value::as_f64);
        number.with_context(|| format!("its JSON has no {pointer}"))
    };
    let word = |name: &str| value[name].as_str().unwrap_or("?").to_owned();
    Ok(Run {
        adapter: format!("{} ({})", word("adapter"), word("backend")),
        p50: number("/cpu_ms/ours/p50")?,
        p99: number("/cpu_ms/ours/p99")?,
        gpu: number("/gpu_ms/p50").ok(),
        bytes: number("/uploaded_bytes/p50")?,
        slots: number("/atlas/text/taken")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_an_adapters_own_time_is_whole() {
        let line = r#"{"adapter":"Some card","backend":"gl","cpu_ms":{"ours":{"p50":0.5,"p99":0.9}},
            "gpu_ms":null,"uploaded_bytes":{"p50":12},"atlas":{"text":{"taken":3,"most":9}}}"#;
        let run = read(line).expect("whole");
        assert_eq!((run.adapter.as_str(), run.p50, run.gpu), ("Some card (gl)", 0.5, None));
        assert!(read("{}").is_err());
    }
}
