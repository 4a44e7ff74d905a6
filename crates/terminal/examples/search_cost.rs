//! How long a search through a million compressed lines takes, as the host does it: compressed rows in
//! pieces beside the terminal, here one after the other on one thread. One JSON object a line. Run by
//! `cargo xtask bench`.

use std::time::Instant;

use maestro_core::search::{Case, Query, Search};
use maestro_terminal::Terminal;

#[path = "history/filled.rs"]
mod filled;

use filled::{LINES, RARE, filled};

/// The host's pieces, in rows.
const PIECE: usize = 16_384;
const STEP: usize = 512;
const RUNS: usize = 5;
/// Milliseconds.
const FIRST: f64 = 50.0;
const ALL: f64 = 1000.0;

fn main() {
    let mut terminal = filled();
    let plain = |text: &str, case| Query { text: text.to_owned(), regex: false, case };
    let regex = |text: &str| Query { text: text.to_owned(), regex: true, case: Case::Sensitive };
    let rare = LINES.div_ceil(RARE) as u64;
    let queries = [
        ("plain", plain("needle in line", Case::Sensitive), Some(rare), true),
        ("any_case", plain("NEEDLE in Line", Case::Insensitive), Some(rare), true),
        ("regex", regex(r"needle in line \d+0000\b"), Some(rare), true),
        ("common", plain("warnings", Case::Smart), None, true),
        ("absent", plain("nowhere to be seen", Case::Smart), Some(0), false),
    ];
    for (name, query, matches, hits) in queries {
        let mut first = Vec::with_capacity(RUNS);
        let mut all = Vec::with_capacity(RUNS);
        let mut found = 0;
        for _ in 0..RUNS {
            let times = search(&mut terminal, &query);
            first.extend(times.first);
            all.push(times.all);
            found = times.state.matches;
            assert!(times.state.error.is_none(), "{:?}", times.state.error);
        }
        assert!(matches.is_none_or(|matches| matches == found), "{name}: {found} matches");
        assert_eq!(first.len(), if hits { RUNS } else { 0 }, "{name} has a first match or none");
        let note = format!("`{}`, {found} matches in {LINES} compressed lines", query.text);
        if hits {
            report(&format!("search/{name}/first"), median(first), FIRST, &note);
        }
        report(&format!("search/{name}/all"), median(all), ALL, &note);
    }
}

/// What one search took, in milliseconds, and what came of it.
struct Times {
    first: Option<f64>,
    all: f64,
    state: Search,
}

fn search(terminal: &mut Terminal, query: &Query) -> Times {
    let begun = Instant::now();
    let took = || begun.elapsed().as_secs_f64() * 1e3;
    terminal.search(Some(query.clone()));
    let mut first = None;
    loop {
        let state = terminal.search_state().unwrap_or_default();
        if first.is_none() && state.current.is_some() {
            first = Some(took());
        }
        if state.done {
            let all = took();
            terminal.search(None);
            return Times { first, all, state };
        }
        let found = terminal.search_work(PIECE).map(maestro_terminal::SearchWork::run);
        if let Some(found) = found {
            terminal.search_found(found);
        }
        let _ = terminal.search_step(STEP);
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn report(name: &str, value: f64, bar: f64, note: &str) {
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
