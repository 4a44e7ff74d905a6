//! `maestro term -- vtebench` against Alacritty on the same display, in alternating pairs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::display::Display;
use super::{Measure, median};
use crate::cargo;

const BAR: &str = "≤ 1.0× the time of Alacritty, geometric mean";
const PAIRS: usize = 3;
/// One run over all of vtebench's scenarios on a slow machine.
const LIMIT: Duration = Duration::from_secs(600);

pub fn run() -> Result<Vec<Measure>> {
    let skip = |note: &str| Ok(vec![Measure::skipped("vtebench", BAR, note)]);
    for program in ["alacritty", "vtebench"] {
        if !cargo::has(program) {
            return skip(&format!("{program} is not installed"));
        }
    }
    if let Some(missing) = Display::missing() {
        return skip(&missing);
    }
    let Some(scenarios) = scenarios() else {
        return skip("vtebench's benchmarks are not here: set VTEBENCH_BENCHMARKS to their folder");
    };
    let maestro = cargo::build_maestro()?;
    let display = Display::start()?;
    let folder = std::env::temp_dir().join(format!("maestro-vtebench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let ours = |number: usize| {
        let mut command = Command::new(&maestro);
        let _ = command.args(["term", "--size", "120x40", "--"]);
        let _ = command.env("MAESTRO_HOME", folder.join("home"));
        once(command, &display, &scenarios, &folder.join(format!("ours-{number}")))
    };
    let theirs = |number: usize| {
        let mut command = Command::new("alacritty");
        let _ = command.args(["-o", "window.dimensions.columns=120"]);
        let _ = command.args(["-o", "window.dimensions.lines=40", "-e"]);
        once(command, &display, &scenarios, &folder.join(format!("theirs-{number}")))
    };
    let mut ratios = Vec::with_capacity(PAIRS);
    for pair in 0..PAIRS {
        let (ours, theirs) = (ours(pair)?, theirs(pair)?);
        ratios.push(ratio(&ours, &theirs)?);
    }
    let _ = std::fs::remove_dir_all(&folder);
    let spread = format!("pairs: {ratios:.3?}");
    let mut measure = Measure::at_most("vtebench", median(&mut ratios), "×", 1.0, PAIRS)
        .peer("alacritty")
        .note(spread);
    measure.bar = BAR.to_owned();
    Ok(vec![measure])
}

fn scenarios() -> Option<PathBuf> {
    std::env::var_os("VTEBENCH_BENCHMARKS").map(PathBuf::from).filter(|folder| folder.is_dir())
}

/// Runs vtebench in a terminal and reads the mean time of each scenario.
fn once(
    mut terminal: Command,
    display: &Display,
    scenarios: &Path,
    results: &Path,
) -> Result<Vec<(String, f64)>> {
    let _ = terminal.args(["vtebench", "--benchmarks"]).arg(scenarios);
    let _ = display.show(terminal.args(["--silent", "--dat"]).arg(results));
    let shown = cargo::shown(&terminal);
    let mut child = terminal.spawn().with_context(|| shown.clone())?;
    let deadline = Instant::now() + LIMIT;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            bail!("`{shown}` did not end");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    read(results).with_context(|| format!("`{shown}` left no results"))
}

/// vtebench's table: one column for each scenario, one line for each sample.
fn read(results: &Path) -> Result<Vec<(String, f64)>> {
    let text = std::fs::read_to_string(results)?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().context("an empty table")?.split_whitespace().collect();
    let rows: Vec<Vec<f64>> = lines
        .map(|line| line.split_whitespace().map(|cell| cell.parse().unwrap_or(f64::NAN)).collect())
        .collect();
    let column = |index: usize| {
        let samples = rows.iter().filter_map(|row| row.get(index)).filter(|time| time.is_finite());
        let (count, sum) = samples.fold((0.0, 0.0), |(count, sum), time| (count + 1.0, sum + time));
        sum / count
    };
    Ok(names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), column(index))).collect())
}

/// How many times as long ours take, over the scenarios that both ran.
fn ratio(ours: &[(String, f64)], theirs: &[(String, f64)]) -> Result<f64> {
    let logarithms: Vec<f64> = ours
        .iter()
        .filter_map(|(name, time)| {
            let (_, other) = theirs.iter().find(|(theirs, _)| theirs == name)?;
            let logarithm = (time / other).ln();
            logarithm.is_finite().then_some(logarithm)
        })
        .collect();
    if logarithms.is_empty() {
        bail!("the two runs have no scenario in common");
    }
    Ok((logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_a_geometric_mean_over_common_scenarios() {
        let table = |times: &[(&str, f64)]| {
            times.iter().map(|(name, time)| ((*name).to_owned(), *time)).collect::<Vec<_>>()
        };
        let ours = table(&[("a", 2.0), ("b", 1.0), ("only ours", 9.0)]);
        let theirs = table(&[("a", 1.0), ("b", 2.0)]);
        let ratio = ratio(&ours, &theirs).expect("two in common");
        assert!((ratio - 1.0).abs() < 1e-9, "{ratio}");
    }
}
