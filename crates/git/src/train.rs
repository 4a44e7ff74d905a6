//! Bringing branches home: merges made in a scratch worktree of our own, and the one step after that which
//! moves the target.
//!
//! Merges are made by the user's git, with hooks and signature. The target moves from one commit to
//! another or not at all: by a reference update that names both, or, where it is checked out, by a
//! fast-forward of that checkout, which git refuses when anything there would be lost.

use std::fs;
use std::path::{Path, PathBuf};

use maestro_core::conflict::{Clash, MAX_FILES, hunks};
use maestro_core::train::How;

use crate::commit::refuse_half_done;
use crate::error::Error;
use crate::process::Output;
use crate::repository;
use crate::{Git, Result, Worktree};

/// A file with conflicts is looked at up to here, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Places of a conflict that are shown, and bytes of each side of one.
const MAX_HUNKS: usize = 50;
const MAX_HUNK: usize = 4 << 10;
/// Files that are named where a checkout is in the way.
const NAMED: usize = 20;

/// What is brought home.
#[derive(Debug, Clone, Copy)]
pub struct Bring<'a> {
    /// How.
    pub how: How,
    /// The commit that the target is at.
    pub onto: &'a str,
    /// The commit that the branch is at.
    pub tip: &'a str,
    /// The message of the commit that is made; a rebase makes none.
    pub message: &'a str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brought {
    /// This commit has both.
    Commit(String),
    /// The target had all of it.
    Empty,
    /// These files conflict. Of a hunk *ours* is what the branch has.
    Conflicts(Vec<Clash>),
    /// Git or a hook refused, in their words.
    Refused(String),
}

/// What came of moving a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// It is there now, or was already.
    Yes,
    /// It is at another commit than it was to be moved from: this one.
    Elsewhere(String),
    /// It is checked out, and something there is in the way.
    InTheWay {
        /// Where.
        path: PathBuf,
        /// What, in a sentence.
        because: String,
    },
}

/// How much differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Files.
    pub files: u32,
    /// Lines that were added; binary files have none.
    pub added: u32,
    /// Lines that were removed.
    pub removed: u32,
}

/// A branch that things are brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The commit it is at, in full.
    pub commit: String,
    /// The worktree that has it checked out.
    pub checked_out: Option<Worktree>,
}

impl Git {
    /// A local branch that things are to be brought to.
    ///
    /// # Errors
    ///
    /// [`Error::BranchUnknown`].
    pub fn target(&self, directory: &Path, branch: &str) -> Result<Target> {
        let unknown = || Error::BranchUnknown { name: branch.to_owned(), near: Vec::new() };
        let commit =
            self.commit(directory, &format!("refs/heads/{branch}")).map_err(|_| unknown())?;
        let checked_out = self.worktrees(directory)?.into_iter().find(|worktree| {
            !worktree.bare && !worktree.missing && worktree.branch.as_deref() == Some(branch)
        });
        Ok(Target { commit, checked_out })
    }

    /// Makes a worktree of our own at a place that is not there yet, with nothing but this commit in it.
    ///
    /// # Errors
    ///
    /// When git cannot make it.
    pub fn scratch(&self, repository: &Path, place: &Path, commit: &str) -> Result<()> {
        let made = self
            .writing(repository, "worktree")
            .args(["add", "--quiet", "--detach", "--"])
            .arg(place)
            .arg(commit)
            .run()?;
        // A hook that fails after the checkout leaves a worktree that is complete.
        if made.code != Some(0) && self.head(place).ok().flatten().as_deref() != Some(commit) {
            return Err(made.failed());
        }
        // So that nobody prunes or removes it by mistake; without it the train works as well.
        let _ = self
            .owning(repository, "worktree")
            .args(["lock", "--reason", "Maestro brings branches home here", "--"])
            .arg(place)
            .run();
        Ok(())
    }

    /// Removes a worktree that [`Git::scratch`] made, or what is left of one.
    pub fn remove_scratch(&self, repository: &Path, place: &Path) {
        let removed = self
            .owning(repository, "worktree")
            .args(["remove", "--force", "--force", "--"])
            .arg(place)
            .run();
        if let Err(error) = removed {
            tracing::debug!(%error, place = %place.display(), "a scratch worktree stays known");
        }
        let _ = fs::remove_dir_all(place);
    }

    /// Brings a branch onto another commit, in a worktree that [`Git::scratch`] made. No branch moves.
    ///
    /// # Errors
    ///
    /// When git cannot be run, or the worktree is of no use.
    pub fn bring(&self, scratch: &Path, bring: Bring<'_>) -> Result<Brought> {
        if self.contains(scratch, bring.tip, bring.onto)? {
            return Ok(Brought::Empty);
        }
        let start = if bring.how == How::Rebase { bring.tip } else { bring.onto };
        self.clear(scratch, start)?;
        let output = match bring.how {
            How::Merge => self
                .bringing(scratch, "merge")
                .args(["--no-ff", "--no-edit", "-m", bring.message, bring.tip])
                .run()?,
            How::Squash => {
                let merged = self.bringing(scratch, "merge").args(["--squash", bring.tip]).run()?;
                if merged.code == Some(0) {
                    if self.is_staged_empty(scratch)? {
                        return Ok(Brought::Empty);
                    }
                    self.bringing(scratch, "commit")
                        .args(["--quiet", "--file=-", "--cleanup=whitespace"])
                        .stdin(bring.message)
                        .run()?
                } else {
                    merged
                }
            }
            How::Rebase => self.bringing(scratch, "rebase").arg(bring.onto).run()?,
        };
        if output.code == Some(0) {
            let made = self.head(scratch)?.unwrap_or_default();
            return Ok(if made == bring.onto { Brought::Empty } else { Brought::Commit(made) });
        }
        let clashes = self.unmerged(scratch)?;
        if clashes.is_empty() {
            return Ok(Brought::Refused(said(&output)));
        }
        Ok(Brought::Conflicts(clashes))
    }

    /// Puts a worktree that [`Git::scratch`] made to a commit, whatever was left there. What is ignored
    /// stays: building anew for every car would take longer than all else.
    ///
    /// # Errors
    ///
    /// When git cannot do that.
    pub fn clear(&self, scratch: &Path, commit: &str) -> Result<()> {
        for (name, word) in [("merge", "--abort"), ("rebase", "--quit")] {
            let _ = self.owning(scratch, name).arg(word).run()?;
        }
        let _ = self.owning(scratch, "reset").args(["--hard", "--quiet"]).output()?;
        let _ = self.owning(scratch, "clean").args(["-ffdq"]).output()?;
        let _ = self
            .owning(scratch, "checkout")
            .args(["--quiet", "--force", "--detach", commit])
            .output()?;
        Ok(())
    }

    /// Moves a branch from one commit to a later one.
    ///
    /// # Errors
    ///
    /// When git fails for a reason of its own; the branch is where it was then.
    pub fn advance(
        &self,
        repository: &Path,
        branch: &str,
        from: &str,
        to: &str,
        log: &str,
    ) -> Result<Moved> {
        self.shift(repository, branch, from, to, log, |git, checkout| {
            git.writing(checkout, "merge")
                .args(["--ff-only", "--quiet", "--no-autostash", to])
                .env("GIT_REFLOG_ACTION", log)
                .run()
        })
    }

    /// Moves a branch back from one commit to an earlier one. Where it is checked out, nothing that is not
    /// committed there is lost.
    ///
    /// # Errors
    ///
    /// As for [`Git::advance`].
    pub fn retreat(
        &self,
        repository: &Path,
        branch: &str,
        from: &str,
        to: &str,
        log: &str,
    ) -> Result<Moved> {
        self.shift(repository, branch, from, to, log, |git, checkout| {
            git.writing(checkout, "reset")
                .args(["--keep", "--quiet", to])
                .env("GIT_REFLOG_ACTION", log)
                .run()
        })
    }

    fn shift(
        &self,
        repository: &Path,
        branch: &str,
        from: &str,
        to: &str,
        log: &str,
        in_checkout: impl FnOnce(&Self, &Path) -> Result<Output>,
    ) -> Result<Moved> {
        let target = self.target(repository, branch)?;
        if target.commit == to {
            return Ok(Moved::Yes);
        }
        if target.commit != from {
            return Ok(Moved::Elsewhere(target.commit));
        }
        let (output, path) = match &target.checked_out {
            Some(worktree) => {
                let path = worktree.path.clone();
                if let Some(because) = self.in_the_way(&path, branch)? {
                    return Ok(Moved::InTheWay { path, because });
                }
                (in_checkout(self, &path)?, Some(path))
            }
            None => {
                let output = self
                    .writing(repository, "update-ref")
                    .args(["-m", log])
                    .arg(format!("refs/heads/{branch}"))
                    .args([to, from])
                    .run()?;
                (output, None)
            }
        };
        // What counts is where it is, not what git said: another one may have been faster.
        let now = self.target(repository, branch)?.commit;
        if now == to {
            return Ok(Moved::Yes);
        }
        if now != from {
            return Ok(Moved::Elsewhere(now));
        }
        match path {
            Some(path) => Ok(Moved::InTheWay { path, because: said(&output) }),
            None => Err(output.failed()),
        }
    }

    /// Why a checkout cannot be moved on, in a sentence; `None` when it can. Untracked files are left to
    /// git, which refuses where it would write over one.
    ///
    /// # Errors
    ///
    /// When the directory is in no checkout.
    pub fn in_the_way(&self, checkout: &Path, branch: &str) -> Result<Option<String>> {
        let here = self.repository(checkout)?;
        if let Err(error) = refuse_half_done(&here, checkout) {
            return Ok(Some(error.to_string()));
        }
        let changed = self.status(checkout)?.changed();
        if changed > 0 {
            let files = if changed == 1 { "file that is" } else { "files that are" };
            return Ok(Some(format!(
                "{branch} is checked out in {} with {changed} {files} not committed; commit or put \
                 them aside, then go on.",
                checkout.display()
            )));
        }
        Ok(None)
    }

    /// Commits everything in a worktree, as its user would, and concludes a merge that was begun there.
    /// `None`: there was nothing to commit.
    ///
    /// # Errors
    ///
    /// [`Error::CommitRefused`] with the words of git or a hook, or with the files that still have marks
    /// of a conflict; [`Error::UnderWay`] for a rebase.
    pub fn commit_work(&self, directory: &Path, message: &str) -> Result<Option<String>> {
        let here = self.repository(directory)?;
        let is_there = |name: &str| fs::symlink_metadata(here.git_dir.join(name)).is_ok();
        if !is_there("MERGE_HEAD") {
            refuse_half_done(&here, directory)?;
            return match self.commit_all(directory, message) {
                Err(Error::Git { message, .. }) => Err(Error::CommitRefused { words: message }),
                result => result,
            };
        }
        let checkout = here.checkout.clone().ok_or(Error::Bare { path: here.root.clone() })?;
        let _ = self.writing(&checkout, "add").arg("--all").output()?;
        let marks = self.reading(&checkout, "diff").args(["--cached", "--check"]).run()?;
        let text = String::from_utf8_lossy(&marks.stdout).into_owned();
        let left: Vec<&str> =
            text.lines().filter(|line| line.ends_with("leftover conflict marker")).collect();
        if !left.is_empty() {
            let words = left.iter().take(NAMED).copied().collect::<Vec<_>>().join("\n");
            return Err(Error::CommitRefused { words });
        }
        let output = self.writing(&checkout, "commit").args(["--quiet", "--no-edit"]).run()?;
        if output.code != Some(0) {
            return Err(Error::CommitRefused { words: said(&output) });
        }
        self.head(&checkout)
    }

    /// How much of a checkout, what is not committed included, differs from where it parted from a commit.
    ///
    /// # Errors
    ///
    /// When they have nothing in common.
    pub fn size_since(&self, directory: &Path, commit: &str) -> Result<Size> {
        let base = self.reading(directory, "merge-base").args(["HEAD", commit]).output()?;
        let base = String::from_utf8_lossy(&base).lines().next().unwrap_or_default().to_owned();
        let tree = self.tree_of(directory)?;
        let output = self
            .reading(directory, "diff-tree")
            .args(["-r", "-z", "--numstat", "--no-ext-diff", "--no-textconv", "--no-renames"])
            .args([base.as_str(), tree.as_str()])
            .output()?;
        let mut size = Size::default();
        for record in output.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
            let text = String::from_utf8_lossy(record);
            let mut words = text.split('\t').map(|word| word.parse::<u32>().unwrap_or(0));
            size.files = size.files.saturating_add(1);
            size.added = size.added.saturating_add(words.next().unwrap_or(0));
            size.removed = size.removed.saturating_add(words.next().unwrap_or(0));
        }
        Ok(size)
    }

    /// Whether the history of a commit has another one in it.
    ///
    /// # Errors
    ///
    /// When one of them is not there.
    pub fn contains(&self, directory: &Path, older: &str, newer: &str) -> Result<bool> {
        let output =
            self.reading(directory, "merge-base").args(["--is-ancestor", older, newer]).run()?;
        match output.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(output.failed()),
        }
    }

    /// A call that makes commits in a scratch worktree. What the user has set for rebasing by hand must not
    /// move other branches, or set work aside.
    fn bringing(&self, scratch: &Path, name: &'static str) -> crate::process::Call<'_> {
        self.writing(scratch, name)
            .config("merge.conflictStyle=merge")
            .config("rebase.updateRefs=false")
            .config("rebase.autoStash=false")
            .config("rebase.autoSquash=false")
            .config("merge.autoStash=false")
            // Whether it can be one without a merge is no question here.
            .config("merge.ff=true")
    }

    fn is_staged_empty(&self, scratch: &Path) -> Result<bool> {
        let staged = self.reading(scratch, "diff").args(["--cached", "--quiet"]).run()?;
        match staged.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(staged.failed()),
        }
    }

    /// The files that a merge has left open, with the places that it has marked.
    fn unmerged(&self, scratch: &Path) -> Result<Vec<Clash>> {
        let output = self
            .reading(scratch, "status")
            .args(["--porcelain=v2", "-z", "--untracked-files=no"])
            .output()?;
        let mut clashes = Vec::new();
        for record in output.split(|byte| *byte == 0) {
            let Some((kind, name)) = open_file(record) else { continue };
            if clashes.len() == MAX_FILES {
                break;
            }
            let path = repository::path(name)?;
            let (hunks, is_cut) = marked(&scratch.join(&path));
            clashes.push(Clash { path: shown(path), kind: kind.to_owned(), hunks, is_cut });
        }
        Ok(clashes)
    }
}

/// An unmerged file in `git status --porcelain=v2` (`git-status(1)`, *Unmerged files*): what git calls the
/// conflict, and the path. For a merge onto the target *us* is the target.
fn open_file(record: &[u8]) -> Option<(&'static str, &[u8])> {
    let rest = record.strip_prefix(b"u ")?;
    let kind = match rest.get(..2)? {
        b"UU" => "contents",
        b"AA" => "both added",
        b"DD" => "both deleted",
        b"AU" => "added in the target",
        b"UA" => "added here",
        b"DU" => "deleted in the target",
        b"UD" => "deleted here",
        _ => "",
    };
    // XY sub m1 m2 m3 mW h1 h2 h3 path
    Some((kind, rest.splitn(10, |byte| *byte == b' ').nth(9)?))
}

/// What stands between git's marks. The target's side comes first there; to whoever brings the branch
/// theirs is the target's.
fn marked(file: &Path) -> (Vec<maestro_core::conflict::Hunk>, bool) {
    let small =
        fs::symlink_metadata(file).is_ok_and(|found| found.is_file() && found.len() <= MAX_FILE);
    let Some(bytes) = small.then(|| fs::read(file).ok()).flatten() else {
        return (Vec::new(), false);
    };
    if bytes.contains(&0) {
        return (Vec::new(), false);
    }
    let (mut found, is_cut) = hunks(&String::from_utf8_lossy(&bytes), MAX_HUNKS, MAX_HUNK);
    for hunk in &mut found {
        std::mem::swap(&mut hunk.ours, &mut hunk.theirs);
    }
    (found, is_cut)
}

/// What it printed where refusals are printed, or else where results are.
fn said(output: &Output) -> String {
    let words = output.words();
    if !words.is_empty() {
        return words;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let text: String =
        text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).take(4_000).collect();
    if text.trim().is_empty() { output.message() } else { text.trim().to_owned() }
}

/// A path that can travel in messages, which are text.
pub(crate) fn shown(path: PathBuf) -> PathBuf {
    match path.to_str() {
        Some(_) => path,
        None => path.to_string_lossy().into_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_a_merge_left_open_are_read() {
        let record = b"u UU N... 100644 100644 100644 100644 aa bb cc a b";
        assert_eq!(open_file(record), Some(("contents", &b"a b"[..])));
        let record = b"u DU N... 100644 000000 100644 100644 aa bb cc f";
        assert_eq!(open_file(record), Some(("deleted in the target", &b"f"[..])));
        assert_eq!(open_file(b"1 .M N... 100644 100644 100644 aa bb f"), None);
        assert_eq!(open_file(b"u UU"), None);
        assert_eq!(open_file(b""), None);
    }
}
