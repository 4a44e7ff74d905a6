//! What host and window cost: the start of each, and memory for terminals with their history.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::display::Display;
use super::{Measure, median};
use crate::cargo;

/// How long anything here may take before it counts as broken.
const LIMIT: Duration = Duration::from_secs(60);

/// A host with a home of its own, ended with the value.
struct Bench {
    program: PathBuf,
    home: PathBuf,
    host: Child,
}

impl Bench {
    fn start() -> Result<Self> {
        let program = cargo::build_maestro()?;
        let home = std::env::temp_dir().join(format!("maestro-bench-{}", std::process::id()));
        std::fs::create_dir_all(home.join("user")).context("a home folder")?;
        let host = Command::new(&program)
            .arg("host")
            .env("MAESTRO_HOME", &home)
            // A user without settings of their own, so that every machine measures the same.
            .env("HOME", home.join("user"))
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("the host")?;
        let mut bench = Self { program, home, host };
        let deadline = Instant::now() + LIMIT;
        while !bench.maestro(&["list"]).output()?.status.success() {
            if Instant::now() > deadline || bench.host.try_wait()?.is_some() {
                bail!("the host does not come up; its log is in {}", bench.home.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(bench)
    }

    fn maestro(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let _ = command.args(args).env("MAESTRO_HOME", &self.home);
        command
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

/// Host and window with 1 and with 20 agents' terminals, each with 10 000 lines behind it, beside an
/// empty window of the toolkit.
pub fn memory() -> Result<Vec<Measure>> {
    if !Path::new("/proc/self/smaps_rollup").exists() {
        return Ok(vec![Measure::skipped("memory_20", MEMORY, "no /proc here")]);
    }
    let bench = Bench::start()?;
    let display = if Display::missing().is_none() { Some(Display::start()?) } else { None };
    let empty = match &display {
        Some(display) => Some(empty_window(display)?),
        None => None,
    };
    let mut measures = Vec::new();
    let mut started = 0;
    for count in [1, 20] {
        while started < count {
            started += 1;
            new_agent(&bench, started)?;
        }
        (1..=count).try_for_each(|number| wait_until_filled(&bench, number))?;
        // Quiet terminals are packed a moment later; that is part of what is promised.
        std::thread::sleep(Duration::from_secs(5));
        let window = match (&display, empty) {
            (Some(display), Some(empty)) => Some(our_window(&bench, display)? - empty),
            _ => None,
        };
        let host = proportional(bench.host.id())?;
        let name = format!("memory_{count}");
        measures.push(match window {
            Some(window) => {
                let mut measure = Measure::at_most(&name, host + window, "MB", 100.0, 1)
                    .peer("an empty window of the toolkit")
                    .note(format!(
                        "host {host:.1} MB, window {window:.1} MB beyond an empty one; proportional \
                         set size"
                    ));
                measure.bar = MEMORY.to_owned();
                measure
            }
            None => {
                let missing = Display::missing().unwrap_or_default();
                Measure::skipped(&name, MEMORY, format!("host {host:.1} MB; {missing}"))
            }
        });
    }
    Ok(measures)
}

const MEMORY: &str = "≤ 100 MB beyond an empty window, host and window together";

/// From the start of the process to a window with something in it, the host running, in alternating
/// pairs with an empty window of the toolkit.
pub fn start_window() -> Result<Vec<Measure>> {
    const BAR: &str = "≤ 1.5× an empty window of the toolkit";
    const PAIRS: usize = 5;
    if let Some(missing) = Display::missing() {
        return Ok(vec![Measure::skipped("start_window", BAR, missing)]);
    }
    let bench = Bench::start()?;
    new_agent(&bench, 1)?;
    wait_until_filled(&bench, 1)?;
    let display = Display::start()?;
    let empty = cargo::build_empty_window()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        ours.push(display.time_to_show(&mut bench.maestro(&[]), "Maestro", |_| Ok(()))?.0);
        theirs.push(display.time_to_show(&mut Command::new(&empty), "Empty", |_| Ok(()))?.0);
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    let mut measure = Measure::at_most("start_window", ours / theirs, "×", 1.5, PAIRS)
        .peer("an empty window of the toolkit")
        .note(format!("{ours:.0} ms against {theirs:.0} ms until the window shows something"));
    measure.bar = BAR.to_owned();
    Ok(vec![measure])
}

/// How long a window is left alone before it is weighed.
const SETTLE: Duration = Duration::from_secs(4);

fn weigh(child: &mut Child) -> Result<f64> {
    std::thread::sleep(SETTLE);
    proportional(child.id())
}

fn empty_window(display: &Display) -> Result<f64> {
    let mut command = Command::new(cargo::build_empty_window()?);
    Ok(display.time_to_show(&mut command, "Empty", weigh)?.1)
}

fn our_window(bench: &Bench, display: &Display) -> Result<f64> {
    Ok(display.time_to_show(&mut bench.maestro(&[]), "Maestro", weigh)?.1)
}

/// A shell agent with a full scrollback.
fn new_agent(bench: &Bench, number: usize) -> Result<()> {
    // Lines as an agent prints them: some colour, some text, not all the same.
    let script = "i=0; while [ $i -lt 10000 ]; do i=$((i+1)); \
        printf '\\033[3%dm%6d\\033[0m the quick brown fox jumps over line %d of the log\\n' \
        $((i % 8)) $i $i; done; printf 'FIL''LED\\n'";
    let name = format!("pane{number}");
    let home = bench.home.to_string_lossy().into_owned();
    let new = ["agent", "new", &name, "--provider", "shell", "--dir", &home, "--size", "120x40"];
    for args in [&new[..], &["terminal", "send", &name, script, "--enter"]] {
        let status = bench.maestro(args).stdout(Stdio::null()).status()?;
        if !status.success() {
            bail!("`maestro {}` failed", args.join(" "));
        }
    }
    Ok(())
}

fn wait_until_filled(bench: &Bench, number: usize) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    let name = format!("pane{number}");
    loop {
        let shown = bench.maestro(&["terminal", "show", &name]).output()?;
        if shown.stdout.windows(7).any(|window| window == b"FILLED\n") {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("{name} is not filled: {}", String::from_utf8_lossy(&shown.stdout));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Memory of a process in megabytes, shared pages counted by share.
fn proportional(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find(|line| line.starts_with("Pss:")).context("no Pss line")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kilobytes / 1024.0)
}
