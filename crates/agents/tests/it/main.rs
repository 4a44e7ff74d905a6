//! Behaviour of the adapters: against recorded streams, against shell scripts that misbehave on
//! purpose, and against the real programs where they are installed.

#![cfg(unix)]

mod detection;
mod drives;
mod environment;
mod real;
mod sessions;
mod stores;
mod streams;
mod turns;

use std::path::{Path, PathBuf};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the repository exists")
}

/// An executable file with this shell script.
fn script(dir: &Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("the script can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
        .expect("it can be made executable");
    path
}
