//! `cargo xtask demo`: from a checkout to the main job at work.

use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{cargo, packages};

#[derive(Debug, Args)]
pub struct Options {
    /// The agent to show: claude, codex, opencode, droid or demo.
    #[arg(long)]
    agent: Option<String>,
    /// The model to ask for, where the agent takes one.
    #[arg(long)]
    model: Option<String>,
    /// Open no window, also where there is a display.
    #[arg(long)]
    headless: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(options: Options) -> Result<()> {
    packages::ensure(packages::BASE)?;
    let display = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if display && !options.headless {
        packages::ensure(packages::DISPLAY)?;
    }
    let program = cargo::build_maestro()?;
    let mut demo = Command::new(program);
    let _ = demo.arg("demo");
    for (option, value) in [("--agent", &options.agent), ("--model", &options.model)] {
        if let Some(value) = value {
            let _ = demo.args([option, value]);
        }
    }
    for (flag, wanted) in [("--headless", options.headless), ("--json", options.json)] {
        if wanted {
            let _ = demo.arg(flag);
        }
    }
    let status = demo.status().context("the demo cannot be run")?;
    // The demo has said what is wrong, and its exit code is part of what it says.
    if !status.success() {
        std::process::exit(status.code().unwrap_or(1));
    }
    Ok(())
}
