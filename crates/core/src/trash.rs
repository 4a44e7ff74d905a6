//! Worktrees that were removed, and snapshots of checkouts: how they are asked for and what is known of one.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::conversation::{Policy, Prompt, Tab};
use crate::id::{AgentId, SnapshotId};
use crate::worktree;

/// How long what was removed is kept: 30 days, in milliseconds.
pub const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// How many snapshots of one checkout are kept that were made by themselves.
pub const BY_ITSELF: usize = 20;

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
    /// What removing a worktree would do, and what is in the way: [`Answer::Prospect`].
    Look {
        /// Any directory in it.
        directory: PathBuf,
    },
    /// Remove a worktree that Maestro made, into the trash: [`Answer::One`].
    Remove {
        /// Any directory in it.
        directory: PathBuf,
        /// Whether agents that work there and do nothing are removed with it.
        agents: bool,
        /// Whether the programs of these agents are ended before. What is at work stays at work, and keeps the
        /// worktree.
        stop: bool,
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
    /// What a removal would do.
    Prospect(Box<Prospect>),
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
    /// These agents, as they were: they come back with it.
    #[serde(default)]
    pub lodgers: Vec<Agent>,
    /// Their conversations: these come back, too.
    #[serde(default)]
    pub talks: Vec<Talk>,
    /// What was kept about the worktree.
    pub worktree: Option<Box<worktree::Kept>>,
    /// Whether Maestro made it by itself, before something that changes files.
    #[serde(default)]
    pub by_itself: bool,
    /// Whether its removal is not through yet.
    #[serde(default)]
    pub is_leaving: bool,
}

/// A conversation of an agent that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// Whose it was.
    pub agent: AgentId,
    /// The session of its provider; `None` before anything was said.
    pub session: Option<String>,
    /// Its title, where its user gave it one.
    pub title: Option<String>,
    /// What its agent may do without asking.
    pub policy: Policy,
    /// Its model; `None` for the provider's own choice.
    pub model: Option<String>,
    /// Its effort; `None` for the provider's own choice.
    pub effort: Option<String>,
    /// Whether it was marked.
    pub starred: bool,
    /// Whether it was closed.
    pub closed: bool,
    /// What was being written in it.
    #[serde(default)]
    pub draft: Option<Prompt>,
    /// What waited to be said in it, in order.
    #[serde(default)]
    pub waiting: Vec<Prompt>,
}

impl Talk {
    /// A tab as it is now, without what was not said yet.
    #[must_use]
    pub fn of(tab: Tab) -> Self {
        Self {
            agent: tab.agent,
            session: tab.session,
            title: tab.named.then_some(tab.title),
            policy: tab.policy,
            model: tab.model,
            effort: tab.effort,
            starred: tab.starred,
            closed: tab.closed,
            draft: None,
            waiting: Vec::new(),
        }
    }

    /// Whether nothing was said, written or waiting in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.session.is_none() && self.draft.is_none() && self.waiting.is_empty()
    }

    /// What was not said yet.
    pub fn unsaid(&self) -> impl Iterator<Item = &Prompt> {
        self.draft.iter().chain(&self.waiting)
    }
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

/// The snapshots of a checkout that were made by themselves and are more than are kept; `all` has the newest
/// first.
#[must_use]
pub fn surplus(all: &[Snapshot], path: &Path) -> Vec<SnapshotId> {
    let own = all.iter().filter(|one| one.by_itself && !one.removed && one.path == path);
    own.skip(BY_ITSELF).map(|one| one.id).collect()
}

/// What removing a worktree would do, and what is in the way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prospect {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch, which stays.
    pub branch: Option<String>,
    /// Tracked files that differ from the commit.
    pub changed: u32,
    /// Untracked files and folders.
    pub untracked: u32,
    /// Ignored files and folders that would not be kept: the first few.
    pub left: Vec<String>,
    /// How many there are.
    pub left_count: u64,
    /// The names of agents that would go with it.
    pub agents: Vec<String>,
    /// What is in the way, in sentences.
    pub obstacles: Vec<String>,
    /// What runs there and could be ended with it, in sentences.
    pub runs: Vec<String>,
}

impl Prospect {
    /// What becomes of it, in a few sentences.
    #[must_use]
    pub fn words(&self) -> String {
        let mut kept: Vec<String> = Vec::new();
        match self.changed {
            0 => {}
            1 => kept.push("1 changed file".to_owned()),
            count => kept.push(format!("{count} changed files")),
        }
        match self.untracked {
            0 => {}
            1 => kept.push("1 new one".to_owned()),
            count => kept.push(format!("{count} new ones")),
        }
        let mut words = "Everything in it is kept for 30 days".to_owned();
        if !kept.is_empty() {
            words += &format!(", {} that are not committed included", kept.join(" and "));
        }
        words += match &self.branch {
            Some(_) => "; its branch stays.",
            None => ".",
        };
        if self.left_count > 0 {
            let more = self.left_count.saturating_sub(self.left.len() as u64);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            words += &format!(" Not kept, because git ignores it: {}{more}.", self.left.join(", "));
        }
        match self.agents.as_slice() {
            [] => {}
            [one] => {
                words += &format!(" Agent {one} goes with it, and comes back with it.");
            }
            all => {
                let all = all.join(", ");
                words += &format!(" Agents {all} go with it, and come back with it.");
            }
        }
        words
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
    /// The names of agents that came back with it.
    #[serde(default)]
    pub agents: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(made_ms: u64) -> Snapshot {
        Snapshot {
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
            lodgers: Vec::new(),
            talks: Vec::new(),
            worktree: None,
            by_itself: false,
            is_leaving: false,
        }
    }

    #[test]
    fn only_the_newest_of_those_made_by_themselves_are_kept() {
        let one = |id, path: &str, by_itself, removed| Snapshot {
            id: SnapshotId(id),
            path: path.into(),
            by_itself,
            removed,
            ..snapshot(0)
        };
        let mut all = vec![
            one(99, "/w", false, false),
            one(98, "/other", true, false),
            one(97, "/w", true, true),
        ];
        all.extend((1..=22).rev().map(|id| one(id, "/w", true, false)));
        let path = Path::new("/w");
        assert_eq!(surplus(&all, path), [SnapshotId(2), SnapshotId(1)]);
        assert!(surplus(&all[..BY_ITSELF], path).is_empty());
    }

    #[test]
    fn a_removal_is_told_before() {
        let mut prospect = Prospect::default();
        assert_eq!(prospect.words(), "Everything in it is kept for 30 days.");
        prospect.branch = Some("fix".to_owned());
        prospect.changed = 1;
        prospect.untracked = 2;
        prospect.left = vec!["target/".to_owned()];
        prospect.left_count = 3;
        prospect.agents = vec!["api".to_owned()];
        assert_eq!(
            prospect.words(),
            "Everything in it is kept for 30 days, 1 changed file and 2 new ones that are not \
             committed included; its branch stays. Not kept, because git ignores it: target/ and 2 \
             more. Agent api goes with it, and comes back with it."
        );
    }

    #[test]
    fn thirty_days_are_counted_by_a_clock_that_may_jump_back() {
        for (made, now, expected) in
            [(5, 5 + KEPT_MS, false), (5, 6 + KEPT_MS, true), (KEPT_MS * 3, 5, false)]
        {
            assert_eq!(snapshot(made).is_over(now), expected, "{made} {now}");
        }
        assert_eq!(snapshot(0).reference(), "trash/3");
        assert_eq!(reference(SnapshotId(4), false), "snapshots/4");
    }
}
