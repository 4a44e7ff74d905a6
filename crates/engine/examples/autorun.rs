//! What a run costs without its agent: `cargo run --release -p maestro-engine --example autorun -- [TASKS]`.
//!
//! A repository of 10 000 files, a checklist in it, and an agent that only writes a line. Prints the median of
//! what a task takes over what its turn takes, the first and the last hundred tasks beside each other, and
//! what the journal and the memory grew by.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use maestro_agents::{CommandLine, TurnOptions};
use maestro_core::agent::Provider;
use maestro_core::run::journal::Entry;
use maestro_core::run::{Options, Spec, State};
use maestro_core::turn::Failure;
use maestro_engine::autorun::{Deps, Providers, Runs};
use maestro_git::Git;
use maestro_store::Store;

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
        &["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x"],
    ] {
        let _ = Command::new("git").args(arguments).current_dir(work).status()?;
    }
    Ok(document)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tasks = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(200);
    let folder = std::env::temp_dir().join(format!("maestro-autorun-{}", std::process::id()));
    let work = folder.join("work");
    fs::create_dir_all(folder.join("home"))?;
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
    let before_kb = memory_kb();
    let run = runs.start(spec).await.map_err(|error| error.message)?;
    while runs.active() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let after = runs.get(run.id).await.map_err(|error| error.message)?;
    let journal = store.journal::<Entry>(run.id)?;
    let mut costs = Vec::new();
    let (mut picked, mut turn) = (0, 0);
    for entry in &journal {
        match &entry.entry {
            Entry::Picked { .. } => {
                if picked > 0 {
                    costs.push((entry.at_ms - picked).saturating_sub(turn));
                }
                picked = entry.at_ms;
            }
            Entry::TurnEnded { duration_ms, .. } => turn = *duration_ms,
            _ => {}
        }
    }
    let median = |part: &[u64]| {
        let mut sorted = part.to_vec();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    };
    let end = costs.len().saturating_sub(100);
    let (entries, bytes) = store.journal_size(run.id)?;
    println!(
        "{:?}: {} tasks in 10 000 files",
        matches!(after.state, State::Ended(_)),
        costs.len() + 1
    );
    println!("overhead per task: median {} ms", median(&costs));
    println!(
        "first 100: {} ms, last 100: {} ms",
        median(&costs[..costs.len().min(100)]),
        median(&costs[end..])
    );
    println!("journal: {entries} entries, {bytes} bytes, {} a task", bytes / tasks.max(1) as u64);
    println!("memory: {before_kb} kB before, {} kB after", memory_kb());
    drop(runs);
    store.close();
    fs::remove_dir_all(folder)?;
    Ok(())
}
