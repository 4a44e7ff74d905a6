//! New worktrees whose files come behind: the worktree is registered at once, its files are written
//! while somebody is in it already.
//!
//! ```text
//! register   git worktree add --no-checkout, then index.lock with our mark: nobody commits "all is gone"
//! fill       read-tree and checkout-index into index.maestro: what is there already is never overwritten
//! end        index.maestro -> index.lock -> index, as git itself does it; then the post-checkout hook
//! ```
//!
//! After a crash the mark says that the lock is ours, and filling begins again. Files that were cut off
//! are written anew only where they are the beginning of what the commit has: nothing is lost by that.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::process::Version;
use crate::repository::{Opened, Repository, open};
use crate::worktree::{NewWorktree, Worktree};
use crate::{Git, Result};

/// Since when git runs a hook when it is told to, and `checkout-index` works in parallel.
const CAN_FILL: Version = Version { major: 2, minor: 36 };

/// What our lock has in it. Git's own is empty, or an index.
const MARK: &[u8] = b"maestro writes the files of this worktree\n";

/// Our index until it is whole, beside git's own.
const INDEX: &str = "index.maestro";

/// The variable that the processes which write files have, with the worktree's git directory.
pub const FILLS: &str = "MAESTRO_FILLS";

/// How long files may take to be written.
const LONGEST: Duration = Duration::from_secs(4 * 60 * 60);

/// How often files are counted at most, and by how much longer than a count takes is waited.
const COUNT: Duration = Duration::from_millis(400);
const COUNT_REST: u32 = 20;

/// Files that are compared after a crash.
const CUT_OFF: usize = 10_000;

/// A worktree that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The worktree.
    pub worktree: Worktree,
    /// Its git directory, where its files are still to come: [`Git::fill`].
    pub to_fill: Option<PathBuf>,
    /// What went wrong although the worktree is complete: a sentence for the user.
    pub notice: Option<String>,
}

impl Git {
    /// Makes a worktree whose files come behind. Where that cannot be done well (a sparse checkout, a
    /// partial clone, an older git) it has them at once.
    ///
    /// # Errors
    ///
    /// As [`Git::add_worktree`].
    pub fn register_worktree(&self, wanted: &NewWorktree) -> Result<Registered> {
        let added = self.added(wanted, true)?;
        let git_dir = self.repository(&added.worktree.path)?.git_dir;
        let to_fill = (!git_dir.join("index").exists()).then_some(git_dir);
        if let Some(git_dir) = &to_fill {
            lock(git_dir)?;
        }
        Ok(Registered { worktree: added.worktree, to_fill, notice: added.notice })
    }

    /// Whether the files of a worktree are still to come.
    ///
    /// # Errors
    ///
    /// When the directory is in no repository.
    pub fn is_filling(&self, directory: &Path) -> Result<bool> {
        Ok(state(&self.repository(directory)?.git_dir) != State::Done)
    }

    /// Writes the files of a worktree that was registered. What is there already stays as it is. `tell`
    /// hears from time to time how many files are there, of how many. Gives what a hook had to complain of.
    ///
    /// # Errors
    ///
    /// [`Error::NotFilling`], [`Error::Stopped`] when `stop` was set, [`Error::Unfilled`]; after the latter
    /// two it can be tried again.
    pub fn fill(
        &self,
        directory: &Path,
        stop: &Arc<AtomicBool>,
        tell: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Option<String>> {
        let repository = self.repository(directory)?;
        let Some(root) = repository.checkout.clone() else {
            return Err(Error::NotFilling { path: directory.to_owned() });
        };
        let git_dir = &repository.git_dir;
        match state(git_dir) {
            State::Filling => {}
            State::Finishing => {
                finish(git_dir)?;
                return Ok(self.after_checkout(&root, repository.head.as_deref()));
            }
            State::Done => return Err(Error::NotFilling { path: root }),
        }
        let index = git_dir.join(INDEX);
        let again = index.exists();
        for left in [&index, &git_dir.join(format!("{INDEX}.lock"))] {
            let _ = fs::remove_file(left);
        }
        let call = |name| {
            self.owning(&root, name)
                .unguarded()
                .env("GIT_INDEX_FILE", &index)
                .env(FILLS, git_dir)
                .within(LONGEST)
                .until(stop)
        };
        let _ = call("read-tree").arg("HEAD").output()?;
        let total = entries(&index);
        tell(0, total);
        let written = {
            let workers = self.workers(&root);
            let write = call("checkout-index").config(&format!("checkout.workers={workers}"));
            counting(&root, total, tell, || write.args(["--all", "--index", "--quiet"]).run())?
        };
        if again {
            self.mend_cut_off(&root, &index, &call)?;
        }
        if written.code != Some(0) {
            // Most likely something was there already, which is well: then nothing is missing.
            let _ = call("update-index").args(["-q", "--refresh"]).run()?;
            let missing = call("ls-files").args(["--deleted", "-z"]).output()?;
            let missing = missing.iter().filter(|byte| **byte == 0).count() as u64;
            if missing > 0 {
                let message = written.message();
                return Err(Error::Unfilled { path: root, missing, total, message });
            }
        }
        finish(git_dir)?;
        tell(total, total);
        Ok(self.after_checkout(&root, repository.head.as_deref()))
    }

    /// Gives up a worktree whose files are still to come, and its directory, if nothing but the commit's own
    /// files is in it. Gives whether it is gone.
    ///
    /// # Errors
    ///
    /// [`Error::NotFilling`], or git's.
    pub fn abandon_filling(&self, directory: &Path) -> Result<bool> {
        let repository = self.repository(directory)?;
        let Some(root) = repository.checkout.clone() else {
            return Err(Error::NotFilling { path: directory.to_owned() });
        };
        if state(&repository.git_dir) != State::Filling {
            return Err(Error::NotFilling { path: root });
        }
        let index = repository.git_dir.join(INDEX);
        let call = |name| self.owning(&root, name).unguarded().env("GIT_INDEX_FILE", &index);
        if !index.exists() {
            let _ = call("read-tree").arg("HEAD").output()?;
        }
        let _ = call("update-index").args(["-q", "--refresh"]).run()?;
        let differs = call("diff-files")
            .args(["--name-only", "--diff-filter=d", "-z", "--ignore-submodules=all"])
            .output()?;
        // Ignored files count: nobody but the commit has written anything yet.
        let others = call("ls-files").args(["--others", "-z"]).output()?;
        if !differs.is_empty() || !others.is_empty() {
            return Ok(false);
        }
        let _ = self
            .writing(&repository.root, "worktree")
            .args(["remove", "--force", "--force", "--"])
            .arg(&root)
            .output()?;
        Ok(true)
    }

    /// Whether the files of a new worktree can come behind.
    pub(crate) fn can_fill(&self, repository: &Repository) -> Result<bool> {
        if self.version()? < CAN_FILL {
            return Ok(false);
        }
        let Opened::Yes(opened) = open(&repository.common_dir) else { return Ok(false) };
        let Ok(mut config) = opened.config() else { return Ok(false) };
        let Ok(config) = config.snapshot() else { return Ok(false) };
        let is_on = |key: &str| config.get_bool(key).unwrap_or(false);
        let is_partial = config.get_str("extensions.partialClone").is_ok();
        // The pattern may be the one of the worktree that it is made from only.
        let is_sparse = is_on("core.sparseCheckout")
            || repository.git_dir.join("info/sparse-checkout").exists()
            || repository.common_dir.join("info/sparse-checkout").exists();
        Ok(!is_partial && !is_sparse)
    }

    /// How many processes write files: as the user has set it, or one for each core.
    fn workers(&self, root: &Path) -> i64 {
        let Opened::Yes(repository) = open(root) else { return 0 };
        repository.config().and_then(|config| config.get_i64("checkout.workers")).unwrap_or(0)
    }

    /// Writes files anew that were cut off when a process or the machine died.
    fn mend_cut_off<'a>(
        &self,
        root: &Path,
        index: &Path,
        call: &dyn Fn(&'static str) -> crate::process::Call<'a>,
    ) -> Result<()> {
        let _ = call("update-index").args(["-q", "--refresh"]).run()?;
        let names = call("diff-files")
            .args(["--name-only", "--diff-filter=M", "-z", "--ignore-submodules=all"])
            .output()?;
        for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()).take(CUT_OFF) {
            let Ok(name) = crate::repository::path(name) else { continue };
            let path = root.join(&name);
            let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
            let Ok(there) = fs::read(&path) else { continue };
            if !is_file {
                continue;
            }
            // As it would be written: line ends and filters included.
            let mut spec = std::ffi::OsString::from("HEAD:");
            spec.push(&name);
            let wanted = self
                .owning(root, "cat-file")
                .unguarded()
                .env("GIT_INDEX_FILE", index)
                .arg("--filters")
                .arg(spec)
                .output();
            if wanted.is_ok_and(|wanted| wanted.starts_with(&there)) {
                let _ = call("checkout-index")
                    .args(["--force", "--index", "--quiet", "--"])
                    .arg(&name)
                    .run()?;
            }
        }
        Ok(())
    }

    /// Runs the hook that `git worktree add` runs at its end.
    fn after_checkout(&self, root: &Path, head: Option<&str>) -> Option<String> {
        let head = head?;
        let none = "0".repeat(head.len());
        let hook = self
            .writing(root, "hook")
            .args(["run", "--ignore-missing", "post-checkout", "--", &none, head, "1"])
            .output();
        hook.err().map(|error| format!("the worktree is ready, but a hook failed: {error}"))
    }
}

/// How far a worktree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its files are to be written.
    Filling,
    /// They are, and its index has to be put in its place.
    Finishing,
    /// It is as any other.
    Done,
}

fn state(git_dir: &Path) -> State {
    if git_dir.join("index").exists() {
        return State::Done;
    }
    let mut start = Vec::new();
    let Ok(file) = fs::File::open(git_dir.join("index.lock")) else { return State::Done };
    let _ = file.take(MARK.len() as u64).read_to_end(&mut start);
    if start == MARK {
        State::Filling
    } else if start.starts_with(b"DIRC") && !git_dir.join(INDEX).exists() {
        State::Finishing
    } else {
        State::Done
    }
}

/// Takes the lock of the index. Nobody else knows of the worktree yet.
fn lock(git_dir: &Path) -> Result<()> {
    let path = git_dir.join("index.lock");
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .and_then(|mut file| file.write_all(MARK));
    written.map_err(|source| Error::Folder { path, source: Arc::new(source) })
}

/// Puts the index in its place.
fn finish(git_dir: &Path) -> Result<()> {
    let (ours, lock, index) =
        (git_dir.join(INDEX), git_dir.join("index.lock"), git_dir.join("index"));
    let broken = |source| Error::Folder { path: index.clone(), source: Arc::new(source) };
    match fs::rename(&ours, &lock) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(broken(error)),
    }
    fs::rename(&lock, &index).map_err(broken)
}

/// How many entries an index has, from its head.
fn entries(index: &Path) -> u64 {
    let mut head = [0; 12];
    let read = fs::File::open(index).and_then(|mut file| file.read_exact(&mut head));
    match (read, head) {
        (Ok(()), [b'D', b'I', b'R', b'C', _, _, _, _, a, b, c, d]) => {
            u64::from(u32::from_be_bytes([a, b, c, d]))
        }
        _ => 0,
    }
}

/// Counts files while something writes them.
fn counting<T>(
    root: &Path,
    total: u64,
    tell: &(dyn Fn(u64, u64) + Sync),
    write: impl FnOnce() -> T,
) -> T {
    let (done, ended) = channel::<()>();
    thread::scope(|scope| {
        let counter =
            thread::Builder::new().name("count-files".to_owned()).spawn_scoped(scope, move || {
                let mut rest = COUNT;
                while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(rest) {
                    let began = Instant::now();
                    tell(files_below(root, total).min(total), total);
                    rest = COUNT.max(began.elapsed() * COUNT_REST);
                }
            });
        if let Err(error) = counter {
            tracing::debug!(%error, "files are not counted");
        }
        let written = write();
        drop(done);
        written
    })
}

/// Files below a folder, as far as `most`, by the names alone.
fn files_below(root: &Path, most: u64) -> u64 {
    let mut found = 0;
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => found += 1,
            }
        }
        if found >= most {
            break;
        }
    }
    found
}
