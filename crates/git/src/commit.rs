//! Commits of what a task changed, made as the user would make them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::difference::{Entry, Kind};
use crate::error::Error;
use crate::process::Output;
use crate::repository::Repository;
use crate::tree::{checkout, copy_index};
use crate::{Git, Result};

/// How often a commit is tried when hooks change what is committed.
const TRIES: u32 = 2;

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its id, in full.
    pub id: String,
    /// How many files it changes.
    pub files: usize,
}

impl Git {
    /// Commits the files of the checkout that a directory is in which differ from what they were in the
    /// tree `since` (everything, when that is absent) and from the last commit, as the user's git does it:
    /// with hooks, signature and the user's name. What else is changed or staged stays as it is. `None` when
    /// there is nothing to commit. When a hook refuses and has changed files, as formatters do, it is
    /// asked once more.
    ///
    /// `index`: see [`Git::tree_with`].
    ///
    /// # Errors
    ///
    /// [`Error::CommitRefused`] with what was printed when a hook refuses; [`Error::NoIdentity`],
    /// [`Error::UnderWay`].
    pub fn commit_since(
        &self,
        directory: &Path,
        since: Option<&str>,
        message: &str,
        index: &Path,
    ) -> Result<Option<Made>> {
        if message.trim().is_empty() {
            return Err(Error::EmptyMessage);
        }
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        refuse_half_done(&repository, checkout)?;
        // What is committed comes from trees that were only looked at.
        self.needs_filters(checkout)?;
        let last = match &repository.head {
            Some(head) => head.clone(),
            None => self.empty_tree(checkout)?,
        };
        let mut tried = 0;
        loop {
            tried += 1;
            let now = self.tree_with(directory, index)?;
            let entries = self.meant(checkout, &last, since, &now)?;
            if entries.is_empty() {
                return Ok(None);
            }
            let output = self.commit_entries(&repository, checkout, &entries, message)?;
            if output.code == Some(0) {
                let id = self.head(checkout)?.unwrap_or_default();
                // What was committed is in the user's own index, too, or it would look taken back there.
                let made = self.entries(checkout, &last, &id)?;
                let _ = self
                    .owning(checkout, "update-index")
                    .args(["--replace", "-z", "--index-info"])
                    .stdin(index_info(&made))
                    .output()?;
                let _ = self.owning(checkout, "update-index").args(["-q", "--refresh"]).run()?;
                return Ok(Some(Made { id, files: made.len() }));
            }
            if self.head(checkout)? != repository.head {
                // The hook made a commit of its own, and then said no. What it did is told as it is.
                return Err(refused(&output));
            }
            if tried >= TRIES || self.tree_with(directory, index)? == now {
                return Err(refused(&output));
            }
        }
    }

    /// Files of the last commit that are not as they were committed, staged or not, relative to the checkout;
    /// none where there is no commit.
    ///
    /// # Errors
    ///
    /// When the directory is in no checkout.
    pub fn changed_files(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let Some(head) = &repository.head else { return Ok(Vec::new()) };
        let now = self.tree_of(directory)?;
        let mut entries = self.entries(checkout, head, &now)?;
        entries.retain(|entry| entry.was != Kind::Nothing);
        Ok(entries.into_iter().map(|entry| entry.path).collect())
    }

    /// The commits that were made since another one, oldest first, at most a thousand: full ids.
    ///
    /// # Errors
    ///
    /// When one of them is not there.
    pub fn commits_since(&self, directory: &Path, from: Option<&str>) -> Result<Vec<String>> {
        let Some(head) = self.head(directory)? else { return Ok(Vec::new()) };
        let range = match from {
            Some(from) if from == head => return Ok(Vec::new()),
            Some(from) => format!("{from}..{head}"),
            None => head,
        };
        let output = self
            .reading(directory, "rev-list")
            .args(["--reverse", "--max-count=1000", "--end-of-options"])
            .arg(range)
            .arg("--")
            .output()?;
        Ok(String::from_utf8_lossy(&output).lines().map(str::to_owned).collect())
    }

    /// The files to be committed.
    fn meant(
        &self,
        checkout: &Path,
        last: &str,
        since: Option<&str>,
        now: &str,
    ) -> Result<Vec<Entry>> {
        let mut entries = self.entries(checkout, last, now)?;
        if let Some(since) = since {
            let ours: HashSet<PathBuf> =
                self.differing(checkout, since, now)?.into_iter().collect();
            entries.retain(|entry| ours.contains(&entry.path));
        }
        Ok(entries)
    }

    pub(crate) fn empty_tree(&self, checkout: &Path) -> Result<String> {
        // SHA-1 or SHA-256, as the repository has it.
        let output = self.reading(checkout, "mktree").output()?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// Commits them through an index of their own, as `git commit --only` does: that one fails where a
    /// folder took a file's place.
    fn commit_entries(
        &self,
        repository: &Repository,
        checkout: &Path,
        entries: &[Entry],
        message: &str,
    ) -> Result<Output> {
        let own = |source| Error::Process { command: "commit".into(), source: Arc::new(source) };
        let scratch = tempfile::Builder::new().prefix("maestro-index-").tempdir().map_err(own)?;
        let index = scratch.path().join("index");
        // The user's own, for what it knows about the files, with what is committed in it.
        copy_index(&repository.git_dir.join("index"), &index).map_err(own)?;
        if let Some(head) = &repository.head {
            let _ = self
                .owning(checkout, "read-tree")
                .config("core.splitIndex=false")
                .env("GIT_INDEX_FILE", &index)
                .args(["--reset"])
                .arg(head)
                .output()?;
        } else {
            let _ = fs::remove_file(&index);
        }
        let _ = self
            .owning(checkout, "update-index")
            .config("core.splitIndex=false")
            .env("GIT_INDEX_FILE", &index)
            .args(["--replace", "-z", "--index-info"])
            .stdin(index_info(entries))
            .output()?;
        self.writing(checkout, "commit")
            .env("GIT_INDEX_FILE", &index)
            .args(["--quiet", "--file=-", "--cleanup=whitespace"])
            .stdin(message)
            .run()
    }
}

/// What `git update-index --index-info` reads. What goes comes first: a file may be where a folder has to
/// be.
fn index_info(entries: &[Entry]) -> Vec<u8> {
    let mut lines = Vec::new();
    let (gone, there): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| entry.is == Kind::Nothing);
    for entry in gone.into_iter().chain(there) {
        lines.extend_from_slice(entry.now.as_bytes());
        lines.push(b'\t');
        lines.extend_from_slice(&entry.name);
        lines.push(0);
    }
    lines
}

/// A merge or rebase that somebody has begun is not ours to end.
pub(crate) fn refuse_half_done(repository: &Repository, checkout: &Path) -> Result<()> {
    for (name, what) in [
        ("MERGE_HEAD", "merge"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
    ] {
        if fs::symlink_metadata(repository.git_dir.join(name)).is_ok() {
            return Err(Error::UnderWay { path: checkout.to_owned(), what });
        }
    }
    Ok(())
}

fn refused(output: &Output) -> Error {
    let words = output.words();
    // Its exit code is that of every other failure.
    let unknown = ["tell me who you are", "empty ident name", "unable to auto-detect email"];
    if unknown.iter().any(|phrase| words.contains(phrase)) {
        return Error::NoIdentity;
    }
    let words = if words.is_empty() {
        let code = output.code.map_or("a signal".to_owned(), |code| format!("code {code}"));
        format!("A hook ended with {code} and said nothing.")
    } else {
        words
    };
    Error::CommitRefused { words }
}
