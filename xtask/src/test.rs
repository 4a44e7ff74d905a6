//! `cargo xtask test`: every check there is. Green means all of it.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};

use crate::{agents, cargo, fuzz, packages};

/// How long each fuzz target runs among the checks. What it finds in that time is what a change has
/// just broken; `cargo xtask fuzz` looks longer.
const FUZZ_SECONDS: u32 = 15;

/// Where random inputs begin: the same checks of the same code give the same answer.
const SEED: u32 = 1;

/// Where property tests look for a seed.
const SEED_VARIABLE: &str = "PROPTEST_RNG_SEED";

#[derive(Debug, Args)]
pub struct Options {
    /// Only these steps; all when none is given.
    #[arg(value_enum)]
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// The code is formatted.
    Format,
    /// No lint complains.
    Lint,
    /// The documentation builds, and its links lead somewhere.
    Document,
    /// The examples in the documentation.
    Examples,
    /// Every fuzz target for a little while.
    Fuzz,
    /// Unit tests, integration tests, flows, the real window, the rules about dependencies. Last, so
    /// that its summary is what a reader of the log sees.
    Test,
}

pub fn run(options: &Options) -> Result<()> {
    let wanted = |step: &Step| options.steps.is_empty() || options.steps.contains(step);
    let steps: Vec<Step> = Step::value_variants().iter().copied().filter(wanted).collect();
    if steps.contains(&Step::Test) {
        prepare()?;
    }
    let mut failed = Vec::new();
    for step in steps {
        let name = step.to_possible_value().map(|value| value.get_name().to_owned());
        let name = name.unwrap_or_default();
        let begun = Instant::now();
        let result = step.run();
        let took = begun.elapsed().as_secs();
        match result {
            Ok(()) => eprintln!("xtask: {name} passed in {took} s"),
            Err(error) => {
                eprintln!("xtask: {name} failed in {took} s: {error:#}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

/// What tests use when it is there. Without it they skip, and say so; nothing here is fatal but what
/// every test needs.
fn prepare() -> Result<()> {
    packages::ensure(packages::BASE)?;
    for optional in [packages::DISPLAY, packages::TESTS] {
        if let Err(error) = packages::ensure(optional) {
            loud(&format!("tests with a real window are skipped: {error:#}"));
        }
    }
    let agents = if cargo::has("npm") {
        agents::install(&[])
    } else {
        Err(anyhow!("npm is missing: apt-get install nodejs npm"))
    };
    if let Err(error) = agents {
        loud(&format!("tests with the real agents are skipped: {error:#}"));
    }
    Ok(())
}

impl Step {
    fn run(self) -> Result<()> {
        match self {
            Self::Format => cargo::run(cargo::cargo().args(["fmt", "--all", "--check"])),
            Self::Lint => cargo::run(cargo::cargo().args([
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "--deny=warnings",
            ])),
            Self::Document => cargo::run(
                cargo::cargo()
                    .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
                    .env("RUSTDOCFLAGS", "--deny=warnings"),
            ),
            Self::Fuzz => match fuzz::prepare() {
                Ok(()) => fuzz::smoke_all(FUZZ_SECONDS, SEED),
                Err(error) => {
                    loud(&format!("the fuzzer is skipped, its corpus is not: {error:#}"));
                    Ok(())
                }
            },
            Self::Test => test(),
            Self::Examples => cargo::run(cargo::cargo().args(["test", "--doc", "--workspace"])),
        }
    }
}

fn test() -> Result<()> {
    // Who sets the variable chooses other inputs; so do `PROPTEST_CASES` and `cargo xtask fuzz`.
    let seed = std::env::var(SEED_VARIABLE).unwrap_or_else(|_| SEED.to_string());
    if has_nextest() {
        return cargo::run(
            cargo::cargo()
                .args(["nextest", "run", "--workspace", "--no-fail-fast"])
                .env(SEED_VARIABLE, seed),
        );
    }
    loud(
        "cargo-nextest is missing, so nothing stops a test that hangs: \
         `cargo install --locked cargo-nextest` brings it",
    );
    // One at a time: tests with a real window share a display, and a flow uses both cores.
    cargo::run(
        cargo::cargo()
            .args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast", "--"])
            .arg("--test-threads=1")
            .env(SEED_VARIABLE, seed),
    )
}

fn has_nextest() -> bool {
    Command::new("cargo")
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Something that a person must not miss among a thousand lines.
fn loud(sentence: &str) {
    eprintln!("\n******** {sentence}\n");
}
