//! `cargo xtask fuzz`: runs the fuzz targets of `tests/fuzz` for a while, each.
//!
//! The stable compiler does it: the instrumentation is a pass of LLVM that `-C passes` adds, and libFuzzer
//! is built from source by `libfuzzer-sys` (for which a C++ compiler is needed). `cargo-fuzz` is not.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{cargo, packages};

/// What can be fuzzed: the binaries of `tests/fuzz`.
const TARGETS: [&str; 5] = ["terminal", "input", "links", "osc", "codec"];

/// What `cargo fuzz -s none` passes, too: counters at every edge, and comparisons told to the fuzzer.
const INSTRUMENTATION: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// What libFuzzer says at its end about how much it has done.
const EXECUTED: &str = "stat::number_of_executed_units:";

#[derive(Debug, Args)]
pub struct Options {
    /// Only these targets; all when none is given: terminal, input, links, osc, codec.
    #[arg(value_parser = TARGETS)]
    targets: Vec<String>,
    /// How long each runs.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Where random inputs begin; 0 begins anywhere.
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Afterwards put what reached something new into the corpus in the repository.
    #[arg(long)]
    keep: bool,
    /// Run one input, a file that an earlier run left behind, and nothing else.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "keep"])]
    input: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<()> {
    let targets: Vec<&str> = TARGETS
        .into_iter()
        .filter(|name| options.targets.is_empty() || options.targets.iter().any(|t| t == name))
        .collect();
    if let Some(input) = &options.input {
        let [target] = targets[..] else { bail!("--input needs the one target it is for") };
        let program = build(&[target])?.join(target);
        return cargo::run(Command::new(program).arg(input));
    }
    smoke(&targets, options.seconds, options.seed)?;
    if options.keep {
        for target in targets {
            keep(target)?;
        }
    }
    Ok(())
}

/// Runs every target for some seconds. What makes one fail is left in `tests/fuzz/target/found`.
pub fn smoke_all(seconds: u32, seed: u32) -> Result<()> {
    smoke(&TARGETS, seconds, seed)
}

fn smoke(targets: &[&str], seconds: u32, seed: u32) -> Result<()> {
    let programs = build(targets)?;
    let mut failed = Vec::new();
    for target in targets {
        let (work, found) = (folder("work", target)?, folder("found", target)?);
        let log = found.join("log");
        let mut command = Command::new(programs.join(target));
        let _ = command
            .arg(&work)
            .arg(corpus(target))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-seed={seed}"))
            .args(["-max_len=4096", "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1"])
            .args(dictionary(target))
            .stderr(File::create(&log).with_context(|| format!("{}", log.display()))?);
        let result = cargo::run(&mut command);
        let told = std::fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = told.lines().filter(|line| !line.contains("NEW_FUNC")).collect();
        match result {
            Ok(()) => {
                let ran = lines.iter().find_map(|line| line.strip_prefix(EXECUTED)).unwrap_or("no");
                eprintln!("xtask: {target} ran{ran} inputs");
            }
            Err(error) => {
                eprintln!("{}", lines[lines.len().saturating_sub(40)..].join("\n"));
                eprintln!("xtask: {error:#}; what it failed on is in {}", found.display());
                failed.push(*target);
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("fuzzing found something in {}", failed.join(", "))
    }
}

/// Adds what reached something new to the corpus, the smallest inputs that do.
fn keep(target: &str) -> Result<()> {
    let program = programs()?.join(target);
    let work = folder("work", target)?;
    cargo::run(
        Command::new(program)
            .args(["-set_cover_merge=1", "-max_len=512", "-verbosity=0"])
            .args([corpus(target), work]),
    )
}

/// Makes sure that there is a C++ compiler.
pub fn prepare() -> Result<()> {
    if cargo::has("c++") { Ok(()) } else { packages::ensure(packages::FUZZ) }
}

fn build(targets: &[&str]) -> Result<PathBuf> {
    prepare()?;
    let mut command = cargo::cargo();
    let _ = command
        .args(["build", "--release", "--locked", "--target", &host()?])
        .arg("--manifest-path")
        .arg(home().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(home().join("target"))
        .args(targets.iter().flat_map(|target| ["--bin", *target]))
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\x1f"));
    cargo::run(&mut command)?;
    programs()
}

fn home() -> PathBuf {
    cargo::root().join("tests/fuzz")
}

fn programs() -> Result<PathBuf> {
    Ok(home().join("target").join(host()?).join("release"))
}

/// Words of a target's language, where somebody wrote them down.
fn dictionary(target: &str) -> Option<String> {
    let words = home().join(target).with_extension("dict");
    words.is_file().then(|| format!("-dict={}", words.display()))
}

fn corpus(target: &str) -> PathBuf {
    home().join("corpus").join(target)
}

/// A folder beside what is built, for what only this machine has.
fn folder(kind: &str, target: &str) -> Result<PathBuf> {
    let folder: PathBuf =
        [home().as_path(), Path::new("target"), Path::new(kind), Path::new(target)]
            .iter()
            .collect();
    std::fs::create_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    Ok(folder)
}

/// The machine's own triple. With it named, the instrumentation does not go into build scripts.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc cannot be run")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("rustc does not say which machine this is")
}
