//! What finding stored sessions costs: a host over a home folder full of them, as `make_sessions` of
//! `maestro-store` makes it. One JSON object a line. Run by `cargo xtask bench sessions`.
//!
//! `sessions_cost HOME SESSIONS CONVERSATION_BYTES`

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use maestro_agents::Environment;
use maestro_core::TerminalId;
use maestro_core::screen::Size;
use maestro_core::session::{Filter, Indexing};
use maestro_engine::host::{Host, HostOptions};
use maestro_protocol::message::{Command, NewTerminal, Reply};
use maestro_protocol::{Client, Home, Incoming};
use tokio::sync::mpsc;

/// Milliseconds until the first results.
const FIRST: f64 = 50.0;
/// Milliseconds from the moment at which a turn was written until it is found.
const FOUND: f64 = 1000.0;
/// Milliseconds of work for it.
const WORK: f64 = 50.0;
/// Size of the index, in percent of the words.
const SIZE: f64 = 30.0;
/// Growth of the host, in MB.
const GROWTH: f64 = 50.0;
/// The echo of a key while the index is made, p99, in milliseconds: that of a terminal under flood.
const ECHO: f64 = 16.0;
/// Turns that are appended.
const APPENDED: usize = 11;
/// Words as they are typed.
const TYPED: &[&str] = &[
    "par",
    "parser",
    "error in",
    "the",
    "of the file",
    "number4711",
    "number12",
    "config server",
    "qui",
    "absent-word",
    "\"the file\"",
    "struct request response",
    "ing",
];

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--json");
    let home = PathBuf::from(args.next().expect("the home folder"));
    let mut number = || -> f64 { args.next().and_then(|arg| arg.parse().ok()).expect("a number") };
    let (sessions, words) = (number(), number());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure(&home, sessions, words));
}

struct Bench {
    client: Client,
    incoming: mpsc::Receiver<Incoming>,
    terminal: TerminalId,
}

async fn measure(home: &Path, sessions: f64, words: f64) {
    let root = home.join(format!("maestro-{}", std::process::id()));
    let environment = Environment::from_vars([
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("HOME", home.as_os_str().to_owned()),
        ("SHELL", "/bin/sh".into()),
    ]);
    let options = HostOptions {
        listen: false,
        idle: None,
        environment: Some(environment),
        ..HostOptions::new(Home::at(&root).expect("absolute"))
    };
    let host = Host::start(options).await.expect("a host");
    let (client, incoming) = host.connect().await.expect("a connection");
    let new = NewTerminal {
        command: vec!["cat".into()],
        directory: None,
        env: Vec::new(),
        size: Size::new(80, 24),
    };
    let terminal = match client.request(Command::NewTerminal(new)).await {
        Ok(Reply::Terminal(info)) => info.id,
        other => panic!("no terminal: {other:?}"),
    };
    let mut bench = Bench { client, incoming, terminal };
    let _ = bench.client.request(Command::Subscribe { terminal, focused: true }).await;
    let mut quiet: Vec<f64> = Vec::new();
    for _ in 0..200 {
        quiet.push(bench.echo().await);
    }
    let before = memory("VmRSS");
    let _ = fs::write("/proc/self/clear_refs", "5");

    // The first index, with keys and questions all the while.
    let begun = Instant::now();
    let (mut echoes, mut during, mut slowest) = (Vec::new(), Vec::new(), (0.0, ""));
    let mut known = 0;
    while let (mut took, Some(indexing)) = bench.find("").await {
        if indexing.complete {
            break;
        }
        // Before there is anything there is nothing to be found.
        if indexing.sessions > 0 {
            for typed in [TYPED[known % TYPED.len()], TYPED[(known + 5) % TYPED.len()]] {
                let (spent, _) = bench.find(typed).await;
                if spent > slowest.0 {
                    slowest = (spent, typed);
                }
                took = took.max(spent);
                during.push(spent);
            }
            known += 1;
        }
        for _ in 0..5 {
            echoes.push(bench.echo().await);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let note = format!("{sessions} sessions, {:.0} MB of words", words / 1e6);
    told("sessions/first_index", seconds, "s", &note);
    report(
        "sessions/indexing/results_p99",
        part(&mut during, 0.99),
        "ms",
        FIRST,
        &format!(
            "{} questions; p50 {:.1} ms; the slowest was `{}`",
            during.len(),
            part(&mut during, 0.5),
            slowest.1
        ),
    );
    report(
        "sessions/indexing/echo_p99",
        part(&mut echoes, 0.99),
        "ms",
        ECHO,
        &format!(
            "{} keys; p50 {:.2} ms; without indexing p50 {:.2} and p99 {:.2} ms",
            echoes.len(),
            part(&mut echoes, 0.5),
            part(&mut quiet, 0.5),
            part(&mut quiet, 0.99)
        ),
    );
    // What is tidied up after it belongs to it.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let grown = (memory("VmHWM") - before).max(0.0);
    report("sessions/memory", grown, "MB", GROWTH, &format!("from {before:.0} MB"));

    let mut after = Vec::new();
    let mut slowest = (0.0, "");
    for typed in TYPED.iter().cycle().take(TYPED.len() * 12) {
        let (spent, _) = bench.find(typed).await;
        if spent > slowest.0 {
            slowest = (spent, typed);
        }
        after.push(spent);
    }
    report(
        "sessions/results_p99",
        part(&mut after, 0.99),
        "ms",
        FIRST,
        &format!(
            "{} questions; p50 {:.1} ms; the slowest was `{}`",
            after.len(),
            part(&mut after, 0.5),
            slowest.1
        ),
    );
    let (all, _) = bench.find("").await;
    report("sessions/all", all, "ms", FIRST, "the first hundred of all sessions");
    let size = maestro_store_size(&root);
    report(
        "sessions/index_size",
        size / words * 100.0,
        "%",
        SIZE,
        &format!("{:.1} MB", size / 1e6),
    );

    // Turns that are appended to files of some size.
    let files = largest(&home.join(".claude/projects"));
    let (mut found, mut work) = (Vec::new(), Vec::new());
    for turn in 0..APPENDED {
        let word = format!("zyx{turn}w{}", std::process::id());
        let file = &files[turn % files.len()];
        let record = format!(
            "{{\"type\":\"user\",\"timestamp\":\"2026-11-22T12:00:00Z\",\"message\":{{\"role\":\"user\",\
             \"content\":\"appended {word} now\"}}}}\n"
        );
        let spent = cpu_of_index();
        let begun = Instant::now();
        fs::File::options()
            .append(true)
            .open(file)
            .and_then(|mut file| file.write_all(record.as_bytes()))
            .expect("written");
        loop {
            if bench.count(&word).await > 0 {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{word} is not found");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        found.push(begun.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_millis(300)).await;
        work.push((cpu_of_index() - spent) * 1e3);
    }
    let note = format!("{APPENDED} turns; p50 {:.0} ms", part(&mut found.clone(), 0.5));
    report("sessions/appended/found", part(&mut found, 1.0), "ms", FOUND, &note);
    let note =
        format!("p50 {:.0} ms of processor time of the thread", part(&mut work.clone(), 0.5));
    report("sessions/appended/work", part(&mut work, 1.0), "ms", WORK, &note);
    host.stop();
    host.stopped().await;
    let _ = fs::remove_dir_all(&root);
}

impl Bench {
    /// A key to the terminal and its echo in a frame, in milliseconds.
    async fn echo(&mut self) -> f64 {
        while self.incoming.try_recv().is_ok() {}
        let _ = self.client.credit(self.terminal);
        let begun = Instant::now();
        let keys = Command::SendBytes { terminal: self.terminal, bytes: b"x\x7f\n".to_vec() };
        let _ = self.client.request(keys).await;
        while let Ok(Some(message)) =
            tokio::time::timeout(Duration::from_secs(10), self.incoming.recv()).await
        {
            if matches!(message, Incoming::Frame(_)) {
                break;
            }
        }
        let took = begun.elapsed().as_secs_f64() * 1e3;
        let _ = self.client.credit(self.terminal);
        tokio::time::sleep(Duration::from_millis(5)).await;
        took
    }

    async fn find(&self, words: &str) -> (f64, Option<Indexing>) {
        let filter = Filter { words: words.to_owned(), ..Filter::default() };
        let begun = Instant::now();
        let reply = self.client.request(Command::FindSessions { filter, most: 100, skip: 0 }).await;
        let took = begun.elapsed().as_secs_f64() * 1e3;
        match reply {
            Ok(Reply::Sessions { indexing, .. }) => (took, Some(indexing)),
            other => panic!("no sessions: {other:?}"),
        }
    }

    async fn count(&self, words: &str) -> usize {
        let filter = Filter { words: words.to_owned(), ..Filter::default() };
        match self.client.request(Command::FindSessions { filter, most: 10, skip: 0 }).await {
            Ok(Reply::Sessions { hits, .. }) => hits.len(),
            other => panic!("no sessions: {other:?}"),
        }
    }
}

fn maestro_store_size(root: &Path) -> f64 {
    maestro_store::index::size(&root.join("sessions.db")) as f64
}

/// The largest session files below a folder; old, so that nothing else is at them.
fn largest(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<(u64, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|project| fs::read_dir(project.path()).into_iter().flatten().flatten())
        .filter_map(|file| Some((file.metadata().ok()?.len(), file.path())))
        .collect();
    files.sort();
    let _ = SystemTime::now();
    files.into_iter().rev().take(5).map(|(_, path)| path).collect()
}

/// A line of `/proc/self/status`, in MB.
fn memory(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}

/// Seconds of processor time of the thread that makes the index.
fn cpu_of_index() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    for task in tasks {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim() == "sessions" {
            let time = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let nanoseconds =
                time.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
            return nanoseconds.unwrap_or_default() / 1e9;
        }
    }
    0.0
}

/// So much of the numbers lies below it.
fn part(numbers: &mut [f64], part: f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let at = (numbers.len().max(1) - 1) as f64 * part;
    numbers.get(at.round() as usize).copied().unwrap_or(f64::NAN)
}

fn report(name: &str, value: f64, unit: &str, bar: f64, note: &str) {
    println!(
        "{}",
        serde_json::json!({
            "name": name, "value": (value * 1e3).round() / 1e3, "unit": unit, "bar": bar,
            "holds": value <= bar, "peer": null, "runs": 1, "note": note,
        })
    );
}

fn told(name: &str, value: f64, unit: &str, note: &str) {
    println!(
        "{}",
        serde_json::json!({
            "name": name, "value": (value * 1e3).round() / 1e3, "unit": unit, "bar": null,
            "holds": null, "peer": null, "runs": 1, "note": note,
        })
    );
}
