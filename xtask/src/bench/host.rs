//! A host of our own with agents in it, and how fast it answers a command line.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::{Measure, Setup, display, median};
use crate::cargo;

/// How long anything here may take before it counts as broken.
const LIMIT: Duration = Duration::from_secs(120);

/// The size of every terminal until a window says another.
const SIZE: &str = "120x40";

/// A host with a home of its own, ended with the value.
pub struct Host {
    program: PathBuf,
    pub home: PathBuf,
    child: Child,
}

impl Host {
    pub fn start(setup: &Setup) -> Result<Self> {
        let program = setup.maestro()?;
        let home = std::env::temp_dir().join(format!("maestro-bench-{}", std::process::id()));
        std::fs::create_dir_all(home.join("user")).context("a home folder")?;
        let mut command = Command::new(&program);
        let _ = command.arg("host").stdin(Stdio::null());
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = own(&mut command, &home).spawn().context("the host")?;
        let mut host = Self { program, home, child };
        let deadline = Instant::now() + LIMIT;
        while !host.maestro(&["list"]).output()?.status.success() {
            if Instant::now() > deadline || host.child.try_wait()?.is_some() {
                bail!("the host does not come up");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(host)
    }

    /// The host's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The program as a client of this host.
    pub fn maestro(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let _ = own(command.args(args), &self.home);
        command
    }

    fn done(&self, args: &[&str]) -> Result<()> {
        let output = self.maestro(args).output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            bail!("`maestro {}` failed: {why}", args.join(" "));
        }
        Ok(())
    }

    /// Agents that are shells, by number.
    pub fn new_agents(&self, numbers: impl IntoIterator<Item = usize>) -> Result<()> {
        let home = self.home.to_string_lossy().into_owned();
        for number in numbers {
            let name = name(number);
            let args = ["--provider", "shell", "--dir", &home, "--size", SIZE];
            self.done(&[&["agent", "new", &name], &args[..]].concat())?;
        }
        Ok(())
    }

    /// Types a command line into an agent's terminal.
    pub fn type_into(&self, number: usize, line: &str) -> Result<()> {
        self.done(&["terminal", "send", &name(number), line, "--enter"])
    }

    /// What an agent's terminal shows.
    pub fn screen(&self, number: usize) -> Result<String> {
        let shown = self.maestro(&["terminal", "show", &name(number)]).output()?;
        Ok(String::from_utf8_lossy(&shown.stdout).into_owned())
    }

    /// Waits until a line on an agent's screen is this.
    pub fn wait_for_line(&self, number: usize, line: &str) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let screen = self.screen(number)?;
            if screen.lines().any(|shown| shown.trim() == line) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{} does not show `{line}` but:\n{screen}", name(number));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn name(number: usize) -> String {
    format!("pane{number}")
}

/// A user without settings of their own, so that every machine measures the same.
fn own<'a>(command: &'a mut Command, home: &std::path::Path) -> &'a mut Command {
    command.env("MAESTRO_HOME", home).env("HOME", home.join("user")).env("SHELL", "/bin/sh")
}

impl Drop for Host {
    fn drop(&mut self) {
        let stopped = self.maestro(&["host", "stop"]).output();
        if !stopped.is_ok_and(|output| output.status.success()) {
            eprintln!("xtask: the measured host did not stop and is killed");
        }
        display::end(&mut self.child);
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// `maestro list` against a running host, from the start of the process to its end.
pub fn list(setup: &Setup) -> Result<Vec<Measure>> {
    const RUNS: usize = 51;
    let host = Host::start(setup)?;
    host.new_agents(1..=3)?;
    let (mut ours, mut theirs) = (Vec::with_capacity(RUNS), Vec::with_capacity(RUNS));
    for _ in 0..RUNS {
        ours.push(time(&mut host.maestro(&["list"]))?);
        theirs.push(time(&mut host.maestro(&["--version"]))?);
    }
    let least = median(&mut theirs);
    Ok(vec![
        Measure::at_most("list", median(&mut ours), "ms", 30.0, RUNS)
            .peer("maestro --version")
            .note(format!("3 agents; the program that only says its version takes {least:.1} ms")),
    ])
}

/// From the start of a process to its end, in milliseconds.
fn time(command: &mut Command) -> Result<f64> {
    let begun = Instant::now();
    let output = command.output()?;
    let took = begun.elapsed().as_secs_f64() * 1e3;
    if !output.status.success() {
        bail!("`{}` failed", cargo::shown(command));
    }
    Ok(took)
}
