//! Private references, which keep trees from being thrown away: everything below `refs/maestro/`.

use std::path::Path;

use crate::error::Error;
use crate::repository::{Opened, canonical, open};
use crate::{Git, Result};

/// Where everything of ours is. Git shows and pushes none of it unless asked.
const OURS: &str = "refs/maestro/";

/// What the log of a reference says, where there is one.
const LOG: &str = "kept by Maestro";

impl Git {
    /// Names objects (trees or commits, by their full ids) below `refs/maestro/`, so that they stay. A name
    /// that is taken names the new object from now on.
    ///
    /// # Errors
    ///
    /// When there is no such object, or the repository cannot be written.
    pub fn keep(&self, directory: &Path, kept: &[(String, String)]) -> Result<()> {
        let directory = canonical(directory)?;
        for (name, id) in kept {
            check(name)?;
            // In process: it is done for every task of a run, and a process takes longer than the work.
            if let Opened::Yes(repository) = open(&directory)
                && let Ok(id) = git2::Oid::from_str(id)
                && repository.reference(&format!("{OURS}{name}"), id, true, LOG).is_ok()
            {
                continue;
            }
            let _ = self
                .owning(&directory, "update-ref")
                .args(["-m", LOG])
                .arg(format!("{OURS}{name}"))
                .arg(id)
                .output()?;
        }
        Ok(())
    }

    /// What is kept below a name, without `refs/maestro/`: names and full ids.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn kept(&self, directory: &Path, below: &str) -> Result<Vec<(String, String)>> {
        check(below)?;
        let output = self
            .reading(directory, "for-each-ref")
            .arg("--format=%(refname) %(objectname)")
            .arg(format!("{OURS}{below}"))
            .output()?;
        let text = String::from_utf8_lossy(&output);
        let kept = text.lines().filter_map(|line| {
            let (name, id) = line.split_once(' ')?;
            Some((name.strip_prefix(OURS)?.to_owned(), id.to_owned()))
        });
        Ok(kept.collect())
    }

    /// Whether something is kept under a name, by whomever.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn is_kept(&self, directory: &Path, name: &str) -> Result<bool> {
        check(name)?;
        if let Opened::Yes(repository) = open(&canonical(directory)?)
            && let Ok(_) = repository.find_reference(&format!("{OURS}{name}"))
        {
            return Ok(true);
        }
        Ok(!self.kept(directory, name)?.is_empty())
    }

    /// The names below a name whose commit was made before a time (seconds since the Unix epoch), without
    /// `refs/maestro/`. Names of trees have no time and are not among them.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn kept_before(&self, directory: &Path, below: &str, at_s: u64) -> Result<Vec<String>> {
        check(below)?;
        let output = self
            .reading(directory, "for-each-ref")
            .arg("--format=%(committerdate:unix) %(refname)")
            .arg(format!("{OURS}{below}"))
            .output()?;
        let text = String::from_utf8_lossy(&output);
        let old = text.lines().filter_map(|line| {
            let (made_s, name) = line.split_once(' ')?;
            let is_old = made_s.parse::<u64>().is_ok_and(|made_s| made_s < at_s);
            is_old.then(|| name.strip_prefix(OURS).map(str::to_owned))?
        });
        Ok(old.collect())
    }

    /// Forgets everything that is kept below a name; git throws the objects away when it tidies up. Gives
    /// how many names there were.
    ///
    /// # Errors
    ///
    /// When the repository cannot be written.
    pub fn forget(&self, directory: &Path, below: &str) -> Result<usize> {
        let kept = self.kept(directory, below)?;
        if kept.is_empty() {
            return Ok(0);
        }
        let mut orders = Vec::new();
        for (name, _) in &kept {
            orders.extend_from_slice(format!("delete {OURS}{name}\0\0").as_bytes());
        }
        let _ =
            self.owning(directory, "update-ref").args(["--stdin", "-z"]).stdin(orders).output()?;
        Ok(kept.len())
    }
}

/// Names are ours, and plain: a slip must not reach a reference of the user's.
fn check(name: &str) -> Result<()> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.split('/').all(is_plain) {
        return Ok(());
    }
    Err(Error::InvalidName { name: name.to_owned(), reason: "it is no name of a kept tree" })
}
