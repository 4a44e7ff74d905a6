//! Benchmarks that live beside the code they measure, as examples that print our lines.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cargo;

pub fn run(package: &str, example: &str) -> Result<Vec<Value>> {
    let mut command = cargo::cargo();
    let _ = command.args(["run", "--quiet", "--release", "--package", package]);
    let _ = command.args(["--example", example, "--", "--json"]);
    eprintln!("+ {}", cargo::shown(&command));
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cargo")?;
    if !output.status.success() {
        bail!("`{}` ended with {}", cargo::shown(&command), output.status);
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<Value> =
        lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if lines.is_empty() {
        bail!("`{}` printed no measurement", cargo::shown(&command));
    }
    Ok(lines)
}
