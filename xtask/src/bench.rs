//! `cargo xtask bench`: the budgets, measured. Each line is one number beside its bar; where a peer
//! exists it is measured in the same run on the same machine.

mod conversation;
mod display;
mod examples;
mod grid;
mod host;
mod payload;
mod sessions;
mod vtebench;
mod window;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::cargo;

pub use payload::{Options as Payload, run as payload};
pub use sessions::{Options as Sessions, make as make_sessions};

#[derive(Debug, Args)]
pub struct Options {
    /// Only these; all when none is given. `--list` shows them.
    names: Vec<String>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// End with a table for the benchmarks' document.
    #[arg(long)]
    table: bool,
    /// Show what there is.
    #[arg(long)]
    list: bool,
    /// Measure this program instead of building it first.
    #[arg(long, value_name = "FILE")]
    maestro: Option<PathBuf>,
    /// Beside this empty window instead of building one.
    #[arg(long, value_name = "FILE")]
    empty: Option<PathBuf>,
}

/// What is measured.
#[derive(Debug)]
pub struct Setup {
    maestro: Option<PathBuf>,
    empty: Option<PathBuf>,
}

impl Setup {
    /// The program.
    fn maestro(&self) -> Result<PathBuf> {
        self.maestro.clone().map_or_else(cargo::build_maestro, Ok)
    }

    /// The window that ours is compared with.
    fn empty_window(&self) -> Result<PathBuf> {
        self.empty.clone().map_or_else(cargo::build_empty_window, Ok)
    }
}

/// One measured number.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub name: String,
    pub value: Option<f64>,
    pub unit: &'static str,
    /// What it must not be above, or not below; a number beside others has none.
    pub bar: Option<f64>,
    /// Whether the bar holds; nothing where there is none, or the machine lacks what it needs.
    pub holds: Option<bool>,
    /// What it was measured against.
    pub peer: Option<String>,
    pub runs: usize,
    pub note: String,
}

impl Measure {
    /// A number that must not be above its bar.
    pub fn at_most(name: &str, value: f64, unit: &'static str, bar: f64, runs: usize) -> Self {
        Self { bar: Some(bar), holds: Some(value <= bar), ..Self::told(name, value, unit, runs) }
    }

    /// A number that must not be below its bar.
    pub fn at_least(name: &str, value: f64, unit: &'static str, bar: f64, runs: usize) -> Self {
        Self { holds: Some(value >= bar), ..Self::at_most(name, value, unit, bar, runs) }
    }

    /// A number that has no bar of its own.
    pub fn told(name: &str, value: f64, unit: &'static str, runs: usize) -> Self {
        Self {
            name: name.to_owned(),
            value: Some(value),
            unit,
            bar: None,
            holds: None,
            peer: None,
            runs,
            note: String::new(),
        }
    }

    /// Nothing could be measured here.
    pub fn skipped(name: &str, bar: f64, unit: &'static str, note: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: None,
            unit,
            bar: Some(bar),
            holds: None,
            peer: None,
            runs: 0,
            note: note.into(),
        }
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub fn peer(mut self, peer: impl Into<String>) -> Self {
        self.peer = Some(peer.into());
        self
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "value": self.value.map(|value| (value * 1e3).round() / 1e3),
            "unit": self.unit,
            "bar": self.bar,
            "holds": self.holds,
            "peer": self.peer,
            "runs": self.runs,
            "note": self.note,
        })
    }
}

/// What is measured: a name, and the function that does it.
type Bench = (&'static str, fn(&Setup) -> Result<Vec<Value>>);

const BENCHES: &[Bench] = &[
    ("emulator", |_| examples::run("maestro-terminal", "throughput")),
    ("search", |_| examples::run("maestro-terminal", "search_cost")),
    ("wrapping", |_| examples::run("maestro-terminal", "wrap_cost")),
    ("sessions", |_| sessions::run()),
    ("autorun", |_| examples::run("maestro-engine", "autorun")),
    ("matrix", |_| examples::run("maestro-git", "matrix")),
    ("diff", |_| examples::run("maestro-git", "diff")),
    ("worktrees", |_| examples::run("maestro-engine", "worktrees")),
    ("codec_cost", |_| examples::run("maestro-protocol", "codec_cost")),
    ("frame_cost", |setup| grid::frame_cost(setup).map(lines)),
    ("lists", |setup| conversation::lists(setup).map(lines)),
    ("conversation", |setup| conversation::turns(setup).map(lines)),
    ("list", |setup| host::list(setup).map(lines)),
    ("startup", |setup| window::startup(setup).map(lines)),
    ("key_latency", |setup| window::key_latency(setup).map(lines)),
    ("floods", |setup| window::floods(setup).map(lines)),
    ("idle", |setup| window::idle(setup).map(lines)),
    ("memory", |setup| window::memory(setup).map(lines)),
    ("vtebench", |setup| vtebench::run(setup).map(lines)),
];

fn lines(measures: Vec<Measure>) -> Vec<Value> {
    measures.iter().map(Measure::to_json).collect()
}

pub fn run(options: &Options) -> Result<()> {
    if options.list {
        for (name, _) in BENCHES {
            println!("{name}");
        }
        return Ok(());
    }
    if let Some(unknown) =
        options.names.iter().find(|name| BENCHES.iter().all(|(known, _)| known != name))
    {
        bail!("there is no benchmark `{unknown}`: `cargo xtask bench --list` shows them");
    }
    let whole = |path: &Option<PathBuf>| -> Result<Option<PathBuf>> {
        let whole =
            path.as_ref().map(|path| path.canonicalize().context(path.display().to_string()));
        whole.transpose()
    };
    let setup = Setup { maestro: whole(&options.maestro)?, empty: whole(&options.empty)? };
    let mut all = Vec::new();
    for (name, measure) in BENCHES {
        if !options.names.is_empty() && !options.names.iter().any(|wanted| wanted == name) {
            continue;
        }
        // One that fails must not hide the others.
        let results = measure(&setup).unwrap_or_else(|error| {
            let note = format!("it failed: {error:#}");
            vec![Measure { bar: None, ..Measure::skipped(name, 0.0, "", note) }.to_json()]
        });
        for result in results {
            println!("{}", if options.json { result.to_string() } else { text(&result) });
            all.push(result);
        }
    }
    if options.table {
        print!("{}", table(&all));
    }
    eprint!("{}", summary(&all));
    Ok(())
}

/// What has a bar, as markdown.
fn table(results: &[Value]) -> String {
    let mut table = String::from("| name | value | bar | holds |\n| --- | --- | --- | --- |\n");
    for result in results {
        let (Some(value), Some(bar), Some(holds)) =
            (result["value"].as_f64(), result["bar"].as_f64(), result["holds"].as_bool())
        else {
            continue;
        };
        let sign = if (value <= bar) == holds { '≤' } else { '≥' };
        let name = result["name"].as_str().unwrap_or_default();
        let unit = result["unit"].as_str().unwrap_or_default();
        let holds = if holds { "yes" } else { "**no**" };
        let shown = if value < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") };
        table.push_str(&format!("| {name} | {shown} {unit} | {sign} {bar} | {holds} |\n"));
    }
    table
}

/// How many bars hold, and which do not.
fn summary(results: &[Value]) -> String {
    let with = |holds: bool| results.iter().filter(move |result| result["holds"] == holds);
    let failed = results.iter().filter(|result| result["value"].is_null());
    let (held, missed) = (with(true).count(), with(false).count());
    let mut summary = format!("xtask: {held} bars hold, {missed} bars missed\n");
    for result in with(false).chain(failed) {
        summary.push_str(&format!("  {}\n", text(result)));
    }
    summary
}

fn text(result: &Value) -> String {
    let mark = match result["holds"].as_bool() {
        Some(true) => '✓',
        Some(false) => '✗',
        None => '–',
    };
    let word = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| result[name].as_f64();
    let value = number("value").map(|value| format!("{value:.3} {}", word("unit")));
    let against = word("peer");
    let parts = [
        format!("{mark} {:34}", word("name")),
        value.unwrap_or_else(|| "not measured".to_owned()),
        number("bar").map_or_else(String::new, |bar| format!("bar {bar}")),
        if against.is_empty() { against } else { format!("against {against}") },
        word("note"),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ·  ")
}

/// The middle of some numbers.
pub fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    match numbers.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => numbers[len / 2],
        len => f64::midpoint(numbers[len / 2 - 1], numbers[len / 2]),
    }
}

/// Runs ours and theirs by turns, after one run of each that fills caches and does not count.
fn pairs<T>(
    count: usize,
    ours: &mut dyn FnMut() -> Result<T>,
    theirs: &mut dyn FnMut() -> Result<T>,
) -> Result<Vec<(T, T)>> {
    let _ = (ours()?, theirs()?);
    let mut pairs = Vec::with_capacity(count);
    for pair in 0..count {
        pairs.push(if pair % 2 == 0 {
            let ours = ours()?;
            (ours, theirs()?)
        } else {
            let theirs = theirs()?;
            (ours()?, theirs)
        });
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_between_the_two_in_the_middle() {
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&mut [4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&mut []).is_nan());
    }

    #[test]
    fn a_summary_names_what_was_missed() {
        let results = [
            Measure::at_least("fast", 2.0, "×", 1.0, 1).to_json(),
            Measure::at_least("slow", 0.5, "×", 1.0, 1).to_json(),
            Measure::skipped("absent", 1.0, "", "no display").to_json(),
        ];
        let summary = summary(&results);
        assert!(summary.starts_with("xtask: 1 bars hold, 1 bars missed\n"), "{summary}");
        assert!(summary.contains("slow") && summary.contains("no display"), "{summary}");
        assert!(!summary.contains("fast"), "{summary}");
    }

    #[test]
    fn a_table_says_on_which_side_of_the_bar_it_is_good() {
        let results = [
            Measure::at_least("fast", 2.0, "×", 1.0, 1).to_json(),
            Measure::at_least("slow", 0.5, "×", 1.0, 1).to_json(),
            Measure::at_most("late", 70.0, "ms", 50.0, 1).to_json(),
            Measure::told("aside", 1.0, "", 1).to_json(),
        ];
        let table = table(&results);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        let wanted = [
            "| fast | 2.00 × | ≥ 1 | yes |",
            "| slow | 0.50 × | ≥ 1 | **no** |",
            "| late | 70 ms | ≤ 50 | **no** |",
        ];
        assert_eq!(rows, wanted);
    }

    #[test]
    fn a_line_has_every_field_of_the_format() {
        let line = Measure::at_most("list", 3.0, "ms", 30.0, 9).to_json();
        for field in ["name", "value", "unit", "bar", "holds", "peer", "runs", "note"] {
            assert!(line.get(field).is_some(), "{field}");
        }
        assert_eq!(line["holds"], true);
        assert_eq!(Measure::skipped("x", 1.0, "", "no display").to_json()["holds"], Value::Null);
    }
}
