//! `cargo xtask gallery`: every scene of the window as pictures, for eyes.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::cargo;

/// A laptop, a large screen, and the smallest window that has to work.
const SIZES: [&str; 3] = ["1440x900", "2560x1440", "900x600"];
const THEMES: [&str; 2] = ["dark", "light"];

#[derive(Debug, Args)]
pub struct Options {
    /// Only these scenes; all when none is given.
    scenes: Vec<String>,
    /// Where the pictures go.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Which renderer.
    #[arg(long, default_value = "software")]
    renderer: String,
}

pub fn run(options: &Options) -> Result<()> {
    let program = cargo::build_maestro()?;
    let folder = options.out.clone().unwrap_or_else(|| cargo::target().join("gallery"));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let scenes = if options.scenes.is_empty() { scenes(&program)? } else { options.scenes.clone() };
    for scene in &scenes {
        for size in SIZES {
            for theme in THEMES {
                let picture = folder.join(format!("{scene}-{size}-{theme}.png"));
                let mut shot = Command::new(&program);
                let _ = shot
                    .args(["screenshot", "--scene", scene, "--size", size, "--theme", theme])
                    .args(["--renderer", &options.renderer, "--out"])
                    .arg(&picture);
                cargo::run(&mut shot)?;
            }
        }
    }
    println!("{}", folder.display());
    Ok(())
}

fn scenes(program: &std::path::Path) -> Result<Vec<String>> {
    let output = Command::new(program)
        .args(["screenshot", "--scene", "all"])
        .output()
        .context("the scenes cannot be listed")?;
    if !output.status.success() {
        bail!("the scenes cannot be listed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    // What a host happens to have is no scene to look at side by side.
    let all = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(all.lines().filter(|scene| *scene != "live").map(str::to_owned).collect())
}
