//! Worktrees that were removed, and snapshots of checkouts: how they are asked for and what is known of one.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::SnapshotId;
use crate::worktree;

/// How long what was removed is kept: 30 days, in milliseconds.
pub const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The longest message of a snapshot, in characters.
pub const MAX_MESSAGE: usize = 200;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Keep a checkout as it is now: [`Answer::One`].
    Snapshot {
        /// Any directory in it.
        directory: PathBuf,
        /// What it is for.
        message: String,
    },
    /// Remove a worktree that Maestro made, into the trash: [`Answer::One`].
    Remove {
        /// Any directory in it.
        directory: PathBuf,
        /// Whether agents that work there and do nothing are removed with it.
        agents: bool,
    },
    /// Everything that is kept, the newest first: [`Answer::List`].
    List {
        /// Only of this repository: any directory in it.
        repository: Option<PathBuf>,
    },
    /// Put a removed worktree back, or bring a checkout's files back to a snapshot: [`Answer::Back`].
    Restore {
        /// Which.
        snapshot: SnapshotId,
        /// Where to, for a removed worktree; where it was when absent.
        to: Option<PathBuf>,
    },
    /// Forget for good: [`Answer::Purged`].
    Purge {
        /// Which.
        snapshots: Vec<SnapshotId>,
    },
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// One as it is now.
    One(Box<Snapshot>),
    /// Several.
    List(Vec<Snapshot>),
    /// What was put back.
    Back(Box<Back>),
    /// How many were forgotten.
    Purged(u32),
}

/// A checkout that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its identity.
    pub id: SnapshotId,
    /// The repository's main checkout.
    pub repository: PathBuf,
    /// The checkout.
    pub path: PathBuf,
    /// Its branch; `None` when the head was detached.
    pub branch: Option<String>,
    /// The commit it was at.
    pub head: String,
    /// The commit that keeps it.
    pub commit: String,
    /// The tree of that: the same when nothing is different.
    pub tree: String,
    /// What it is for.
    pub message: String,
    /// Whether the worktree was removed; otherwise it is a snapshot of one that stayed.
    pub removed: bool,
    /// When it was made: milliseconds since the Unix epoch.
    pub made_ms: u64,
    /// Files and links.
    pub files: u64,
    /// What they have in all: bytes.
    pub bytes: u64,
    /// Ignored files and folders that are not kept: the first few.
    pub left: Vec<String>,
    /// How many there are.
    pub left_count: u64,
    /// The names of agents that were removed with it.
    pub agents: Vec<String>,
    /// What was kept about the worktree.
    pub worktree: Option<Box<worktree::Kept>>,
}

impl Snapshot {
    /// The name below `refs/maestro/` that keeps it.
    #[must_use]
    pub fn reference(&self) -> String {
        reference(self.id, self.removed)
    }

    /// Whether it is old enough to be forgotten by itself. A clock that was set back keeps it longer.
    #[must_use]
    pub fn is_over(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.made_ms) > KEPT_MS
    }
}

/// The name below `refs/maestro/` for a snapshot.
#[must_use]
pub fn reference(id: SnapshotId, removed: bool) -> String {
    format!("{}/{}", if removed { "trash" } else { "snapshots" }, id.0)
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// Where.
    pub path: PathBuf,
    /// Files that were written.
    pub written: u64,
    /// Files that were taken away because they were not there then.
    pub removed: u64,
    /// What is not as it was, in a sentence.
    pub notice: Option<String>,
    /// A snapshot of what was there before, by which this is undone.
    pub before: Option<SnapshotId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_days_are_counted_by_a_clock_that_may_jump_back() {
        let snapshot = |made_ms| Snapshot {
            id: SnapshotId(3),
            repository: "/r".into(),
            path: "/w".into(),
            branch: None,
            head: String::new(),
            commit: String::new(),
            tree: String::new(),
            message: String::new(),
            removed: true,
            made_ms,
            files: 0,
            bytes: 0,
            left: Vec::new(),
            left_count: 0,
            agents: Vec::new(),
            worktree: None,
        };
        for (made, now, expected) in
            [(5, 5 + KEPT_MS, false), (5, 6 + KEPT_MS, true), (KEPT_MS * 3, 5, false)]
        {
            assert_eq!(snapshot(made).is_over(now), expected, "{made} {now}");
        }
        assert_eq!(snapshot(0).reference(), "trash/3");
        assert_eq!(reference(SnapshotId(4), false), "snapshots/4");
    }
}
