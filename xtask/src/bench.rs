//! `cargo xtask bench`: the budgets, measured. Each line is one number beside its bar; where a peer
//! exists it is measured in the same run on the same machine.

mod display;
mod examples;
mod host;
mod vtebench;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub struct Options {
    /// Only these; all when none is given. `--list` shows them.
    names: Vec<String>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Show what there is.
    #[arg(long)]
    list: bool,
}

/// One measured number.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub name: String,
    pub value: Option<f64>,
    pub unit: &'static str,
    /// The bar as a person reads it.
    pub bar: String,
    /// Whether the bar holds; nothing where the machine lacks what it needs.
    pub holds: Option<bool>,
    /// What it was measured against.
    pub peer: Option<String>,
    pub runs: usize,
    pub note: String,
}

impl Measure {
    /// A number that must not be above its bar.
    pub fn at_most(name: &str, value: f64, unit: &'static str, bar: f64, runs: usize) -> Self {
        Self {
            name: name.to_owned(),
            value: Some(value),
            unit,
            bar: format!("≤ {bar} {unit}"),
            holds: Some(value <= bar),
            peer: None,
            runs,
            note: String::new(),
        }
    }

    /// Nothing could be measured here.
    pub fn skipped(name: &str, bar: &str, note: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: None,
            unit: "",
            bar: bar.to_owned(),
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
            "value": self.value,
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
type Bench = (&'static str, fn() -> Result<Vec<Value>>);

const BENCHES: &[Bench] = &[
    ("throughput", || examples::run("maestro-terminal", "throughput")),
    ("codec_cost", || examples::run("maestro-protocol", "codec_cost")),
    ("frame_cost", || examples::run("maestro-grid", "frame_cost")),
    ("start_list", || host::start_list().map(lines)),
    ("start_window", || host::start_window().map(lines)),
    ("memory", || host::memory().map(lines)),
    ("vtebench", || vtebench::run().map(lines)),
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
    let mut missed = 0;
    for (name, measure) in BENCHES {
        if !options.names.is_empty() && !options.names.iter().any(|wanted| wanted == name) {
            continue;
        }
        // One that fails must not hide the others.
        let results = measure().unwrap_or_else(|error| {
            vec![Measure::skipped(name, "", format!("it failed: {error:#}")).to_json()]
        });
        for result in results {
            missed += usize::from(result["holds"] == false);
            if options.json { println!("{result}") } else { println!("{}", text(&result)) }
        }
    }
    eprintln!("xtask: {missed} bars missed");
    Ok(())
}

fn text(result: &Value) -> String {
    let mark = match result["holds"].as_bool() {
        Some(true) => '✓',
        Some(false) => '✗',
        None => '–',
    };
    let word = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
    let value = result["value"].as_f64().map(|value| format!("{value:.3} {}", word("unit")));
    let parts = [
        format!("{mark} {:24}", word("name")),
        value.unwrap_or_else(|| "not measured".to_owned()),
        word("bar"),
        word("peer"),
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
    fn a_line_has_every_field_of_the_format() {
        let line = Measure::at_most("start_list", 3.0, "ms", 30.0, 9).to_json();
        for field in ["name", "value", "unit", "bar", "holds", "peer", "runs", "note"] {
            assert!(line.get(field).is_some(), "{field}");
        }
        assert_eq!(line["holds"], true);
        assert_eq!(Measure::skipped("x", "", "no display").to_json()["holds"], Value::Null);
    }
}
