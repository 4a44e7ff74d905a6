//! Running cargo and what it built.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Cargo itself, the one that runs us where there are several.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let _ = command.current_dir(root());
    command
}

/// Runs a command, shows what it is, and fails when it does.
pub fn run(command: &mut Command) -> Result<()> {
    eprintln!("+ {}", shown(command));
    let status = command.status().with_context(|| format!("{} cannot be run", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// A command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}

/// Whether a program is in the PATH.
pub fn has(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// Builds the program as it is shipped and says where it is. One profile for every chore: building twice
/// takes longer than anything that is measured.
pub fn build_maestro() -> Result<PathBuf> {
    run(cargo().args(["build", "--release", "--package", "maestro"]))?;
    Ok(target().join("release").join("maestro"))
}

/// Builds the window that ours is compared with.
pub fn build_empty_window() -> Result<PathBuf> {
    run(cargo().args(["build", "--release", "--package", "maestro", "--example", "empty"]))?;
    Ok(target().join("release").join("examples").join("empty"))
}
