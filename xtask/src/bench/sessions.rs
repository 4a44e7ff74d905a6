//! Finding stored sessions: a store of every provider's is made, and a host looks through it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::cargo;

/// What is made for the benchmark.
const SESSIONS: u64 = 5_000;
const BYTES: u64 = 1_000_000_000;

#[derive(Debug, Args)]
pub struct Options {
    /// Where: a home folder that is made, or filled up.
    folder: PathBuf,
    /// How many sessions.
    #[arg(long, default_value_t = SESSIONS)]
    sessions: u64,
    /// How many bytes in all, about.
    #[arg(long, default_value_t = BYTES)]
    bytes: u64,
    /// The same number makes the same words.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// `cargo xtask sessions`.
pub fn make(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.folder).context("the folder")?;
    let made = generate(&options.folder, options.sessions, options.bytes, options.seed)?;
    println!("{made}");
    Ok(())
}

fn generate(folder: &Path, sessions: u64, bytes: u64, seed: u64) -> Result<Value> {
    let numbers = [sessions, bytes, seed].map(|number| number.to_string());
    let folder = folder.to_string_lossy().into_owned();
    let args = [&[folder][..], &numbers[..]].concat();
    let lines = example("maestro-store", "make_sessions", &args)?;
    lines.into_iter().last().context("it made nothing")
}

/// The bars of finding stored sessions.
pub fn run() -> Result<Vec<Value>> {
    let folder = std::env::temp_dir().join(format!("maestro-sessions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).context("a folder")?;
    let measured = generate(&folder, SESSIONS, BYTES, 1).and_then(|made| {
        let number = |name: &str| made[name].as_u64().unwrap_or_default().to_string();
        let folder = folder.to_string_lossy().into_owned();
        example(
            "maestro-engine",
            "sessions_cost",
            &[folder, number("sessions"), number("conversation_bytes")],
        )
    });
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

fn example(package: &str, name: &str, args: &[String]) -> Result<Vec<Value>> {
    let mut command = cargo::cargo();
    let _ = command.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        package,
        "--example",
        name,
        "--",
    ]);
    let _ = command.args(args);
    eprintln!("+ {}", cargo::shown(&command));
    let output = command.stderr(Stdio::inherit()).output().context("cargo")?;
    if !output.status.success() {
        bail!("`{}` ended with {}", cargo::shown(&command), output.status);
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}
