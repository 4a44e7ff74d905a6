//! Git through the crate's public API, on real repositories with a configuration of their own.
#![cfg(unix)]

mod changes;
mod copy;
mod fill;
mod history;
mod keep;
mod odd;
mod process;
mod programs;
mod rehearsal;
mod repository;
mod seen;
mod take;
mod train;
mod trash;
mod tree;
mod worktree;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use maestro_git::{Git, Limits};
use tempfile::TempDir;

/// A folder with a home of its own, where neither the user's nor the system's configuration matters.
struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        Self::at(&std::env::temp_dir())
    }

    /// A sandbox with a repository `app` that has one commit, in memory where the system has a folder for that.
    fn in_memory() -> (Self, PathBuf) {
        let memory = Path::new("/dev/shm");
        let is_there = memory.is_dir();
        let sandbox =
            Self::at(if is_there { memory.to_owned() } else { std::env::temp_dir() }.as_path());
        let app = sandbox.init("app");
        sandbox.commit(&app, "file", "one\n", "First");
        (sandbox, app)
    }

    fn at(place: &Path) -> Self {
        let made = tempfile::Builder::new().prefix("maestro git ").tempdir_in(place);
        let sandbox = Self { folder: made.expect("a folder") };
        fs::create_dir(sandbox.root().join("home")).expect("a home");
        let config =
            "[user]\nname = Test\nemail = test@example.org\n[init]\ndefaultBranch = main\n";
        fs::write(sandbox.root().join("home/gitconfig"), config).expect("a configuration");
        sandbox
    }

    /// A sandbox with a repository `app` that has one commit.
    fn with_app() -> (Self, PathBuf) {
        let sandbox = Self::new();
        let app = sandbox.init("app");
        sandbox.commit(&app, "file", "one\n", "First");
        (sandbox, app)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("the folder")
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let home = self.root().join("home");
        vec![
            ("PATH".into(), std::env::var_os("PATH").expect("a PATH")),
            ("HOME".into(), home.clone().into()),
            ("GIT_CONFIG_GLOBAL".into(), home.join("gitconfig").into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ]
    }

    fn handle(&self) -> Git {
        Git::new(self.environment())
    }

    fn handle_within(&self, limits: Limits) -> Git {
        Git::with_limits(self.environment(), limits)
    }

    fn init(&self, name: &str) -> PathBuf {
        let path = self.root().join(name);
        fs::create_dir(&path).expect("a folder");
        let _ = self.git(&path, &["init", "--quiet"]);
        path
    }

    /// Runs git as a user would and gives its output.
    fn git(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .envs(self.environment())
            .output()
            .expect("git runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(&self, directory: &Path, file: &str, text: &str, message: &str) {
        fs::write(directory.join(file), text).expect("a file");
        let _ = self.git(directory, &["add", "--all"]);
        let _ = self.git(directory, &["commit", "--quiet", "-m", message]);
    }

    /// Everything under the sandbox except git's own changing files, and every reference.
    fn everything(&self, repository: &Path) -> (Vec<String>, String, String) {
        let mut names = Vec::new();
        walk(&self.root(), &mut names);
        names.sort();
        let references = self.git(repository, &["for-each-ref"]);
        (names, references, self.git(repository, &["worktree", "list", "--porcelain"]))
    }
}

fn walk(folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.ends_with(".git") && path.is_dir() {
            continue;
        }
        names.push(path.to_string_lossy().into_owned());
        if path.is_dir() {
            walk(&path, names);
        }
    }
}

fn script(path: &Path, text: &str) {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).expect("a folder");
    }
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}
