//! What a run costs without its agent: `cargo run --release -p maestro-engine --example autorun -- [TASKS]`.
//!
//! A repository of 10 000 files, a checklist of so many tasks in it (1 000 unless told), and an agent that only
//! writes a line. Prints one JSON object a line: what a task takes over what its turn takes, and whether
//! the last hundred tasks take more time, journal or memory than the first.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use maestro_agents::{CommandLine, TurnOptions};
use maestro_core::agent::Provider;
use maestro_core::run::journal::Entry;
use maestro_core::run::{Ending, Options, Spec, State, TaskState};
use maestro_core::turn::Failure;
use maestro_engine::autorun::{Deps, Providers, Runs};
use maestro_git::Git;
use maestro_store::{Journaled, Store};

struct Agent;

impl Providers for Agent {
    fn check(&self, _: Provider) -> Result<(), String> {
        Ok(())
    }

    fn turn(&self, provider: Provider, options: &TurnOptions) -> Result<CommandLine, Failure> {
        let script = "cat >/dev/null; echo line >>d1/f1; echo '{\"type\":\"done\"}'";
        Ok(CommandLine {
            provider,
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            directory: options.directory.clone(),
            env: self.environment(),
            stdin: Some(options.prompt.clone().into_bytes()),
            before: None,
        })
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        ["PATH", "HOME"]
            .into_iter()
            .filter_map(|name| Some((name.into(), std::env::var_os(name)?)))
            .collect()
    }
}

fn memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn repository(work: &Path, tasks: usize) -> std::io::Result<PathBuf> {
    for folder in 0..100 {
        fs::create_dir_all(work.join(format!("d{folder}")))?;
        for file in 0..100 {
            fs::write(
                work.join(format!("d{folder}/f{file}")),
                format!("{folder} {file}\n").repeat(20),
            )?;
        }
    }
    let mut list = String::new();
    for task in 0..tasks {
        let _ = writeln!(list, "- [ ] task {task}");
    }
    let document = work.join("tasks.md");
    fs::write(&document, list)?;
    for arguments in [
        &["init", "-q"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.org",
            "-c",
            "gc.auto=0",
            "commit",
            "-qm",
            "x",
        ],
        // Now, and not in the background while it is measured: git would tidy up so many new objects.
        &["repack", "-adq"],
        &["prune-packed", "-q"],
    ] {
        let _ = Command::new("git").args(arguments).current_dir(work).status()?;
    }
    Ok(document)
}

/// Bars: milliseconds; how many times the first hundred; kilobytes.
const OVERHEAD_MS: f64 = 50.0;
const GROWTH: f64 = 1.2;
const MEMORY_KB: f64 = 16_384.0;
/// Tasks at the beginning and at the end that are compared.
const PART: usize = 100;

/// What one task cost.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// From its choice to the next one's, without the turn.
    overhead_ms: u64,
    turn_ms: u64,
    /// Of the journal.
    bytes: u64,
}

fn report(name: &str, value: f64, unit: &str, bar: Option<f64>, runs: usize, note: &str) {
    let holds = bar.map(|bar| value <= bar);
    println!(
        "{}",
        serde_json::json!({
            "name": name, "value": (value * 1e3).round() / 1e3, "unit": unit, "bar": bar,
            "holds": holds, "peer": null, "runs": runs, "note": note,
        })
    );
}

fn median(numbers: impl Iterator<Item = u64>) -> f64 {
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).map_or(f64::NAN, |number| *number as f64)
}

/// What each task cost but the first, in whose time the run begins, and the last, in which it ends.
fn costs(journal: &[Journaled<Entry>]) -> serde_json::Result<Vec<Cost>> {
    let (mut costs, mut cost, mut picked) = (Vec::new(), Cost::default(), 0);
    for entry in journal {
        if let Entry::Picked { .. } = &entry.entry {
            if picked > 0 {
                cost.overhead_ms = (entry.at_ms - picked).saturating_sub(cost.turn_ms);
                costs.push(cost);
            }
            (cost, picked) = (Cost::default(), entry.at_ms);
        }
        if let Entry::TurnEnded { duration_ms, .. } = &entry.entry {
            cost.turn_ms += duration_ms;
        }
        cost.bytes += serde_json::to_vec(&entry.entry)?.len() as u64;
    }
    Ok(costs.split_off(costs.len().min(1)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--json");
    let tasks = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let folder = std::env::temp_dir().join(format!("maestro-autorun-{}", std::process::id()));
    fs::create_dir_all(folder.join("home"))?;
    let measured = measure(&folder, tasks).await;
    fs::remove_dir_all(folder)?;
    measured
}

async fn measure(folder: &Path, tasks: usize) -> Result<(), Box<dyn std::error::Error>> {
    let work = folder.join("work");
    let document = repository(&work, tasks)?;
    let store = Store::open(folder.join("home/maestro.db"))?;
    let runs = Runs::new(Deps {
        store: store.clone(),
        git: Git::new(Agent.environment()),
        providers: Arc::new(Agent),
        events: Arc::new(|_| {}),
        instance: "bench".into(),
        locks: folder.join("locks"),
    });
    let spec = Spec {
        documents: vec![document],
        directory: work,
        provider: Provider::Demo,
        agent: None,
        model: None,
        turn_timeout_s: 60,
        silence_timeout_s: 0,
        verify_timeout_s: 60,
        attempts: 1,
        unattended: true,
        options: Options::default(),
    };
    let run = runs.start(spec).await.map_err(|error| error.message)?;
    let (mut early_kb, mut late_kb) = (0, 0);
    while runs.active() > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = runs.get(run.id).await.map_err(|error| error.message)?.tasks.len();
        late_kb = memory_kb();
        if begun <= PART {
            early_kb = late_kb;
        }
    }
    let after = runs.get(run.id).await.map_err(|error| error.message)?;
    let done = after.tasks.iter().filter(|task| task.state == TaskState::Done).count();
    if after.state != State::Ended(Ending::Completed) || done != tasks {
        return Err(format!("{done} of {tasks} tasks are done: {:?}", after.state).into());
    }
    let costs = costs(&store.journal::<Entry>(run.id)?)?;
    let first = &costs[..costs.len().min(PART)];
    let last = &costs[costs.len().saturating_sub(PART)..];
    let overhead = |part: &[Cost]| median(part.iter().map(|cost| cost.overhead_ms));
    let bytes = |part: &[Cost]| {
        part.iter().map(|cost| cost.bytes).sum::<u64>() as f64 / part.len().max(1) as f64
    };
    let mut all: Vec<u64> = costs.iter().map(|cost| cost.overhead_ms).collect();
    all.sort_unstable();
    let p95 = all.get(all.len() * 95 / 100).copied().unwrap_or_default();
    let (entries, size) = store.journal_size(run.id)?;
    let turn = median(costs.iter().map(|cost| cost.turn_ms));
    let note = format!(
        "median of {tasks} tasks in a repository of 10 000 files; 95 % ≤ {p95} ms; the turn itself, not \
         counted: {turn} ms"
    );
    report("autorun/overhead", overhead(&costs), "ms", Some(OVERHEAD_MS), tasks, &note);
    let note = format!("last {PART} tasks {} ms, first {} ms", overhead(last), overhead(first));
    report(
        "autorun/time_growth",
        overhead(last) / overhead(first),
        "×",
        Some(GROWTH),
        tasks,
        &note,
    );
    let note = format!(
        "last {PART} tasks {:.0} bytes each, first {:.0}; {entries} entries, {size} bytes in all",
        bytes(last),
        bytes(first)
    );
    report("autorun/journal_growth", bytes(last) / bytes(first), "×", Some(GROWTH), tasks, &note);
    let grown = late_kb.saturating_sub(early_kb) as f64;
    let note = format!("{early_kb} kB after {PART} tasks, {late_kb} kB after all");
    report("autorun/memory_growth", grown, "kB", Some(MEMORY_KB), tasks, &note);
    drop(runs);
    store.close();
    Ok(())
}
