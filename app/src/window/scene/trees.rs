//! Made-up worktrees, and what is kept of some.

use std::path::PathBuf;

use maestro_core::trash::{Prospect, Snapshot};
use maestro_core::worktree::{Base, Entry, Origin, Stage};
use maestro_core::{AgentId, SnapshotId};

use super::{NOW_MS, ROOT};

fn place(name: &str) -> PathBuf {
    PathBuf::from(format!("{ROOT}-worktrees/{name}"))
}

fn entry(name: &str, branch: &str, origin: Origin, agent: Option<u64>) -> Entry {
    Entry {
        path: if name.is_empty() { ROOT.into() } else { place(name) },
        branch: Some(branch.to_owned()),
        head: Some("4be07d1".to_owned()),
        main: origin == Origin::Main,
        locked: None,
        missing: false,
        prunable: None,
        origin,
        stage: Stage::Ready,
        agents: agent.map(AgentId).into_iter().collect(),
        ports: None,
    }
}

/// The worktrees of the repository.
#[must_use]
pub fn worktrees() -> Vec<Entry> {
    let filling = Stage::Filling { done: 41_200, total: 100_000 };
    vec![
        entry("", "main", Origin::Main, Some(1)),
        entry("web", "feat/settings-page", Origin::Made, Some(2)),
        entry("db", "feat/migration", Origin::Made, Some(3)),
        Entry { stage: filling, ..entry("search", "feat/search", Origin::Made, None) },
        Entry {
            locked: Some("on a stick".to_owned()),
            missing: true,
            ..entry("old", "release/2.4", Origin::Foreign, None)
        },
    ]
}

fn snapshot(id: u64, name: &str, branch: &str, message: &str, minutes: u64) -> Snapshot {
    Snapshot {
        id: SnapshotId(id),
        repository: ROOT.into(),
        path: place(name),
        branch: Some(branch.to_owned()),
        head: "4be07d1c0ffee".to_owned(),
        commit: "c0ffee".to_owned(),
        tree: "7ee".to_owned(),
        message: message.to_owned(),
        removed: false,
        made_ms: NOW_MS - minutes * 60_000,
        files: 812,
        bytes: 4 << 20,
        left: Vec::new(),
        left_count: 0,
        agents: Vec::new(),
        worktree: None,
        lodgers: Vec::new(),
        talks: Vec::new(),
        by_itself: message.starts_with("Before"),
        is_leaving: false,
    }
}

/// What is kept of worktrees, the newest first.
#[must_use]
pub fn kept() -> Vec<Snapshot> {
    let removed = |one: Snapshot, agent: &str| Snapshot {
        removed: true,
        agents: vec![agent.to_owned()],
        ..one
    };
    vec![
        snapshot(9, "web", "feat/settings-page", "Before run r12", 4),
        snapshot(8, "web", "feat/settings-page", "The form works, the tests do not", 75),
        removed(snapshot(7, "fonts", "fix/fonts", "Removed fix/fonts", 190), "fonts"),
        snapshot(6, "db", "feat/migration", "Before merge train t3", 1600),
        removed(snapshot(4, "tax", "feat/tax-table", "Removed feat/tax-table", 20_000), "tax"),
    ]
}

/// What a new branch could start from.
#[must_use]
pub fn bases() -> Vec<Base> {
    let base = |name: &str, minutes: u64, distance| Base {
        name: name.to_owned(),
        remote: name.starts_with("origin/"),
        current: name == "main",
        at_ms: NOW_MS - minutes * 60_000,
        distance,
    };
    vec![
        base("main", 26, Some((0, 0))),
        base("feat/preferences", 4, Some((7, 2))),
        base("origin/main", 41, Some((3, 0))),
        base("feat/migration", 300, Some((2, 11))),
        base("fix/flaky-checkout", 2900, Some((0, 4))),
        base("release/2.4", 60_000, None),
    ]
}

/// What removing one would do.
#[must_use]
pub fn prospect(busy: bool) -> Prospect {
    let runs = vec!["terminal t2 of agent web is open there".to_owned()];
    let obstacles = ["run r12 is not over; stop it first", "it is locked: on a stick"];
    Prospect {
        path: place("web"),
        branch: Some("feat/settings-page".to_owned()),
        changed: 3,
        untracked: 1,
        left: vec!["node_modules/".to_owned(), "dist/".to_owned()],
        left_count: 2,
        agents: vec!["web".to_owned()],
        obstacles: obstacles.iter().filter(|_| busy).map(|one| (*one).to_owned()).collect(),
        runs,
    }
}
