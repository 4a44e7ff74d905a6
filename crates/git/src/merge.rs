//! Commits, and how two lines of work fit together.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::process::Version;
use crate::repository;
use crate::{Git, Result};

/// Since when git can merge without a checkout.
const MERGES_IN_MEMORY: Version = Version { major: 2, minor: 38 };

/// Most commits that are listed.
const COMMITS: &str = "--max-count=1000";

/// A commit, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id, in full.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// When it was written: seconds since the Unix epoch.
    pub at_s: i64,
    /// The first line of its message.
    pub subject: String,
}

impl Git {
    /// The commit that a branch, tag or other revision names, in full.
    ///
    /// # Errors
    ///
    /// [`Error::BaseUnknown`] when it names none.
    pub fn commit(&self, directory: &Path, revision: &str) -> Result<String> {
        let unknown = || Error::BaseUnknown { base: revision.to_owned() };
        // Neither can be part of a revision, and neither could be handed over in one line.
        if revision.is_empty() || revision.contains(['\0', '\n']) {
            return Err(unknown());
        }
        let output = self
            .reading(directory, "rev-parse")
            .args(["--verify", "--quiet", "--end-of-options"])
            .arg(format!("{revision}^{{commit}}"))
            .run()?;
        let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.code != Some(0) || id.is_empty() {
            return Err(unknown());
        }
        Ok(id)
    }

    /// The commits that `to` has and `from` lacks, newest first, at most a thousand.
    ///
    /// # Errors
    ///
    /// [`Error::BaseUnknown`] when one of them does not exist.
    pub fn commits_between(&self, directory: &Path, from: &str, to: &str) -> Result<Vec<Commit>> {
        let (from, to) = (self.commit(directory, from)?, self.commit(directory, to)?);
        let output = self
            .reading(directory, "log")
            .args(["-z", COMMITS, "--no-show-signature", "--format=%H%x1f%an%x1f%at%x1f%s"])
            .arg(format!("{from}..{to}"))
            .arg("--")
            .output()?;
        Ok(output.split(|byte| *byte == 0).filter_map(parse).collect())
    }

    /// How many commits `branch` has that `base` lacks, and the other way round.
    ///
    /// # Errors
    ///
    /// [`Error::BaseUnknown`] when one of them does not exist.
    pub fn ahead_behind(&self, directory: &Path, base: &str, branch: &str) -> Result<(u32, u32)> {
        let (base, branch) = (self.commit(directory, base)?, self.commit(directory, branch)?);
        let output = self
            .reading(directory, "rev-list")
            .args(["--left-right", "--count"])
            .arg(format!("{branch}...{base}"))
            .arg("--")
            .output()?;
        let text = String::from_utf8_lossy(&output);
        let mut counts = text.split_whitespace().map(|count| count.parse().unwrap_or(0));
        Ok((counts.next().unwrap_or(0), counts.next().unwrap_or(0)))
    }

    /// Whether merging `branch` into `base` would change nothing: it was squashed, picked or rebased into it.
    /// `false` before git 2.38, which cannot tell.
    ///
    /// # Errors
    ///
    /// [`Error::BaseUnknown`] when one of them does not exist.
    pub fn adds_nothing(&self, directory: &Path, base: &str, branch: &str) -> Result<bool> {
        if self.needs(MERGES_IN_MEMORY, "looking for what a branch adds").is_err() {
            return Ok(false);
        }
        let (base, branch) = (self.commit(directory, base)?, self.commit(directory, branch)?);
        let tree = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let merged = self
            .reading(directory, "merge-tree")
            .args(["--write-tree", "--no-messages"])
            .args([base.as_str(), branch.as_str()])
            .run()?;
        let own = self
            .reading(directory, "rev-parse")
            .args(["--verify", "--quiet"])
            .arg(format!("{base}^{{tree}}"))
            .output()?;
        Ok(merged.code == Some(0) && tree(&merged.stdout) == tree(&own))
    }

    /// The files that would conflict if two branches (or other revisions) were merged: empty when they
    /// fit together. Merged in memory by git's own strategy; no checkout is touched.
    ///
    /// # Errors
    ///
    /// [`Error::BaseUnknown`] when one of them does not exist, [`Error::GitTooOld`] before git 2.38.
    pub fn conflicts_between(&self, directory: &Path, a: &str, b: &str) -> Result<Vec<PathBuf>> {
        self.needs(MERGES_IN_MEMORY, "looking for conflicts")?;
        let (a, b) = (self.commit(directory, a)?, self.commit(directory, b)?);
        let output = self
            .reading(directory, "merge-tree")
            .args(["--write-tree", "-z", "--name-only", "--no-messages"])
            .arg(a)
            .arg(b)
            .run()?;
        match output.code {
            Some(0) => Ok(Vec::new()),
            // The merged tree comes first, then each file once.
            Some(1) => output
                .stdout
                .split(|byte| *byte == 0)
                .skip(1)
                .filter(|name| !name.is_empty())
                .map(repository::path)
                .collect(),
            _ => Err(output.failed()),
        }
    }
}

fn parse(record: &[u8]) -> Option<Commit> {
    let text = String::from_utf8_lossy(record);
    let mut fields = text.splitn(4, '\x1f').map(str::to_owned);
    let (id, author) = (fields.next()?, fields.next()?);
    Some(Commit { id, author, at_s: fields.next()?.parse().ok()?, subject: fields.next()? })
}
