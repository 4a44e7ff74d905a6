//! Branches: their names and which there are.

use std::cmp::Reverse;
use std::path::Path;

use git2::BranchType;

use maestro_core::worktree::Base;

use crate::error::Error;
use crate::repository::{Opened, canonical, open};
use crate::{Git, Result};

/// Longest part of a branch's name between slashes, in bytes. File systems end at 255, and git appends
/// `.lock`.
const LONGEST_PART: usize = 240;

/// How many similar names are offered for a branch that does not exist.
const NEAR: usize = 3;

/// The branches of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Branches {
    /// Local branches, the most recent commit first.
    pub local: Vec<String>,
    /// Remote-tracking branches (`origin/main`), the most recent commit first.
    pub remote: Vec<String>,
}

impl Branches {
    /// Names similar to one that does not exist, the nearest first.
    #[must_use]
    pub fn near(&self, name: &str) -> Vec<String> {
        let wanted = name.to_lowercase();
        let mut near: Vec<(usize, &String)> = self
            .local
            .iter()
            .chain(&self.remote)
            .filter_map(|branch| Some((likeness(&wanted, &branch.to_lowercase())?, branch)))
            .collect();
        near.sort();
        near.into_iter().take(NEAR).map(|(_, branch)| branch.clone()).collect()
    }
}

impl Git {
    /// The branches of the repository that a directory is in.
    ///
    /// # Errors
    ///
    /// When the directory is in no repository.
    pub fn branches(&self, directory: &Path) -> Result<Branches> {
        let directory = canonical(directory)?;
        match open(&directory) {
            Opened::Yes(repository) => Ok(Branches {
                local: read(&repository, BranchType::Local),
                remote: read(&repository, BranchType::Remote),
            }),
            Opened::Not => Err(Error::NotARepository { path: directory }),
            Opened::Unreadable => Ok(Branches {
                local: self.ask_branches(&directory, "refs/heads/")?,
                remote: self.ask_branches(&directory, "refs/remotes/")?,
            }),
        }
    }

    /// What a new branch could start from: the branches, the current one first, then the most recent. `like`
    /// chooses, and of the first `most` it is counted how far they are from the current commit.
    ///
    /// # Errors
    ///
    /// When the directory is in no repository, or in one that libgit2 cannot read and git neither.
    pub fn bases(
        &self,
        directory: &Path,
        like: &dyn Fn(&str) -> bool,
        most: usize,
    ) -> Result<Vec<Base>> {
        let directory = canonical(directory)?;
        let base =
            |name: String, remote| Base { name, remote, current: false, at_ms: 0, distance: None };
        let repository = match open(&directory) {
            Opened::Yes(repository) => repository,
            Opened::Not => return Err(Error::NotARepository { path: directory }),
            Opened::Unreadable => {
                let branches = self.branches(&directory)?;
                let local = branches.local.into_iter().map(|name| base(name, false));
                let all = local.chain(branches.remote.into_iter().map(|name| base(name, true)));
                return Ok(all.filter(|base| like(&base.name)).take(most).collect());
            }
        };
        let head = repository.head().ok();
        let here = head.as_ref().and_then(|head| Some(head.peel_to_commit().ok()?.id()));
        let current = head.as_ref().filter(|head| head.is_branch());
        let current = current.and_then(|head| head.shorthand().ok().map(str::to_owned));
        let mut found: Vec<(Base, git2::Oid)> = Vec::new();
        for (kind, remote) in [(BranchType::Local, false), (BranchType::Remote, true)] {
            for (name, seconds, tip) in dated(&repository, kind) {
                if like(&name) {
                    let current = !remote && current.as_deref() == Some(name.as_str());
                    let at_ms = u64::try_from(seconds).unwrap_or(0) * 1000;
                    found.push((Base { current, at_ms, ..base(name, remote) }, tip));
                }
            }
        }
        found.sort_by_key(|(base, _)| (!base.current, Reverse(base.at_ms), base.remote));
        found.truncate(most);
        Ok(found
            .into_iter()
            .map(|(mut base, tip)| {
                let distance = here.and_then(|here| repository.graph_ahead_behind(tip, here).ok());
                let small = |count| u32::try_from(count).unwrap_or(u32::MAX);
                base.distance = distance.map(|(more, less)| (small(more), small(less)));
                base
            })
            .collect())
    }

    /// Refuses a name that git does not allow for a branch, with the reason where it can be told.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`].
    pub fn check_branch_name(&self, name: &str) -> Result<()> {
        let invalid = |reason| Error::InvalidName { name: printable(name), reason };
        // A NUL cannot even be handed to git, and it would accept a name that no disk takes.
        if name.contains('\0') || name.split('/').any(|part| part.len() > LONGEST_PART) {
            return Err(invalid(reason(name)));
        }
        let output = self
            .reading(&std::env::temp_dir(), "check-ref-format")
            .args(["--branch", name])
            .run()?;
        // Git expands `@{-1}` and prints the branch it stands for: valid, but not a name.
        let same = output.stdout.strip_suffix(b"\n") == Some(name.as_bytes());
        if output.code == Some(0) && same { Ok(()) } else { Err(invalid(reason(name))) }
    }

    fn ask_branches(&self, directory: &Path, under: &'static str) -> Result<Vec<String>> {
        let output = self
            .reading(directory, "for-each-ref")
            .args(["--sort=-committerdate", "--format=%(symref)%00%(refname)", "--", under])
            .output()?;
        Ok(String::from_utf8_lossy(&output)
            .lines()
            .filter_map(|line| line.strip_prefix('\0')?.strip_prefix(under))
            .map(str::to_owned)
            .collect())
    }
}

/// Reads what can be read: one broken reference must not hide the others.
fn read(repository: &git2::Repository, kind: BranchType) -> Vec<String> {
    let mut dated: Vec<(Reverse<i64>, String)> = dated(repository, kind)
        .into_iter()
        .map(|(name, seconds, _)| (Reverse(seconds), name))
        .collect();
    dated.sort();
    dated.into_iter().map(|(_, name)| name).collect()
}

/// Branches with the time and the id of their last commit.
fn dated(repository: &git2::Repository, kind: BranchType) -> Vec<(String, i64, git2::Oid)> {
    let Ok(branches) = repository.branches(Some(kind)) else { return Vec::new() };
    branches
        .filter_map(|branch| {
            let (branch, _) = branch.ok()?;
            let reference = branch.get();
            // `origin/HEAD` only points to another branch.
            let points = matches!(reference.symbolic_target(), Ok(Some(_)));
            let name = branch.name().ok()??.to_owned();
            let commit = reference.peel_to_commit().ok()?;
            (!points).then(|| (name, commit.time().seconds(), commit.id()))
        })
        .collect()
}

/// Why git does not allow a name. Git decides; this only finds words for it.
fn reason(name: &str) -> &'static str {
    let part = |wrong: fn(&str) -> bool| name.split('/').any(wrong);
    if name.is_empty() {
        "it is empty"
    } else if name.starts_with('-') {
        "it begins with a dash"
    } else if name.chars().any(char::is_control) {
        "it contains a control character"
    } else if name.contains(' ') {
        "it contains a space"
    } else if name.contains(['~', '^', ':', '?', '*', '[', '\\']) {
        "none of ~ ^ : ? * [ \\ is allowed"
    } else if name.contains("..") || name.contains("@{") {
        "neither `..` nor `@{` is allowed"
    } else if name.starts_with('/') || name.ends_with('/') || name.contains("//") {
        "slashes may only stand between two words"
    } else if part(|part| part.starts_with('.')) || name.ends_with('.') {
        "no part of it may begin with a dot, and it may not end with one"
    } else if part(|part| part.ends_with(".lock")) {
        "no part of it may end with `.lock`"
    } else if part(|part| part.len() > LONGEST_PART) {
        "it is too long for a file system"
    } else if name == "@" || name == "HEAD" {
        "git uses that word itself"
    } else {
        "git does not allow it"
    }
}

/// A name as it can be shown.
fn printable(name: &str) -> String {
    let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    // Only what is invisible is worth escaping.
    if name.chars().count() <= 80 && !name.chars().any(char::is_control) {
        return name.to_owned();
    }
    shown
}

/// How much two names differ; `None` when they are not alike. The last part counts alone, too: people
/// leave out `origin/` and `feature/`.
fn likeness(wanted: &str, branch: &str) -> Option<usize> {
    let last = branch.rsplit('/').next().unwrap_or(branch);
    let (whole, part) = (edits(wanted, branch), edits(wanted, last));
    let allowed = (wanted.chars().count() / 3).clamp(1, 4);
    // A whole name goes before one of which only the last part is alike.
    (whole.min(part) <= allowed).then_some(whole.min(part + 1))
}

/// Insertions, deletions and replacements between two words.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            // `cell` is still the row above; `diagonal` the cell above to the left.
            let cost = (diagonal + usize::from(from != *to)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, cost);
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        let check = |a, b, n| assert_eq!(edits(a, b), n, "{a} {b}");
        check("", "", 0);
        check("main", "main", 0);
        check("", "abc", 3);
        check("abc", "", 3);
        check("mian", "main", 2);
        check("kitten", "sitting", 3);
    }

    #[test]
    fn similar_names_are_offered_the_nearest_first() {
        let branches = Branches {
            local: ["main", "feature/login", "Fix-Typo"].map(str::to_owned).to_vec(),
            remote: vec!["origin/maine".into()],
        };
        assert_eq!(branches.near("mainn"), ["main", "origin/maine"]);
        assert_eq!(branches.near("fix-typo"), ["Fix-Typo"]);
        assert_eq!(branches.near("login"), ["feature/login"]);
        assert_eq!(branches.near("unrelated"), [""; 0]);
    }
}
