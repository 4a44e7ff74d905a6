//! What the host costs: the start of a small command, and memory per terminal.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Measure, median};
use crate::cargo;

/// How long anything here may take before it counts as broken.
const LIMIT: Duration = Duration::from_secs(60);

/// A host with a home of its own, ended with the value.
pub struct Bench {
    pub program: PathBuf,
    pub home: PathBuf,
    host: Child,
}

impl Bench {
    pub fn start() -> Result<Self> {
        let program = cargo::build_maestro("bench")?;
        let home = std::env::temp_dir().join(format!("maestro-bench-{}", std::process::id()));
        std::fs::create_dir_all(&home).context("a home folder")?;
        let host = Command::new(&program)
            .arg("host")
            .env("MAESTRO_HOME", &home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("the host")?;
        let bench = Self { program, home, host };
        let deadline = Instant::now() + LIMIT;
        while !bench.maestro(&["list"]).output()?.status.success() {
            if Instant::now() > deadline {
                bail!("the host does not answer");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(bench)
    }

    pub fn maestro(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let _ = command.args(args).env("MAESTRO_HOME", &self.home);
        command
    }

    fn pid(&self) -> u32 {
        self.host.id()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let stopped = self.maestro(&["host", "stop"]).status();
        if !stopped.is_ok_and(|status| status.success()) {
            let _ = self.host.kill();
        }
        let _ = self.host.wait();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// `maestro list` against a running host, from the start of the process to its end.
pub fn start_list() -> Result<Vec<Measure>> {
    const RUNS: usize = 50;
    let bench = Bench::start()?;
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let begun = Instant::now();
        let output = bench.maestro(&["list"]).output()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        if !output.status.success() {
            bail!("`maestro list` failed");
        }
    }
    Ok(vec![Measure::at_most("start_list", median(&mut times), "ms", 30.0, RUNS)])
}

/// The host with 1 and with 20 terminals, each with 10 000 lines behind it. The window's part of the
/// budget is measured beside it, where there is a display.
pub fn memory() -> Result<Vec<Measure>> {
    const BAR: &str = "≤ 100 MB beyond an empty window, host and window together";
    if !Path::new("/proc/self/smaps_rollup").exists() {
        return Ok(vec![Measure::skipped("memory_host_20", BAR, "no /proc here")]);
    }
    let bench = Bench::start()?;
    let empty = proportional(bench.pid())?;
    let mut measures = Vec::new();
    let mut started = 0;
    for (name, count) in [("memory_host_1", 1), ("memory_host_20", 20)] {
        while started < count {
            new_terminal(&bench)?;
            started += 1;
        }
        wait_until_filled(&bench, count)?;
        let held = proportional(bench.pid())?;
        measures.push(
            Measure::at_most(name, held, "MB", 100.0, 1)
                .note(format!("proportional set size; {empty:.1} MB with no terminal")),
        );
    }
    Ok(measures)
}

fn new_terminal(bench: &Bench) -> Result<()> {
    // Lines as an agent prints them: some colour, some text, not all the same.
    let script = "i=0; while [ $i -lt 10000 ]; do i=$((i+1)); \
        printf '\\033[3%dm%6d\\033[0m the quick brown fox jumps over line %d of the lazy log\\n' \
        $((i % 8)) $i $i; done; printf 'FILLED\\n'; exec sleep 600";
    let args = ["terminal", "new", "--size", "120x40", "--", "sh", "-c", script];
    let status = bench.maestro(&args).stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { bail!("a terminal could not be started") }
}

fn wait_until_filled(bench: &Bench, count: usize) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let listed = bench.maestro(&["terminal", "list", "--json"]).output()?;
        let listed: Value = serde_json::from_slice(&listed.stdout).context("a list")?;
        let ids: Vec<&str> =
            listed.as_array().into_iter().flatten().filter_map(|t| t["id"].as_str()).collect();
        let filled = |id: &&&str| {
            bench
                .maestro(&["terminal", "show", id])
                .output()
                .is_ok_and(|output| output.stdout.windows(7).any(|window| window == b"FILLED\n"))
        };
        if ids.iter().filter(filled).count() >= count {
            // Quiet terminals are packed a moment later; that is part of what is promised.
            std::thread::sleep(Duration::from_secs(3));
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("the terminals are not filled");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Memory of a process in megabytes, shared pages counted by share.
pub fn proportional(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find(|line| line.starts_with("Pss:")).context("no Pss line")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kilobytes / 1024.0)
}
