//! Made-up changes of an agent.

use maestro_core::changes::{
    Body, Branch, Branches, Commit, Entry, EntryKind, Failure, FailureKind, File, FileLines, Hunk,
    Line, LineEnd, Listing, Log, Pull, Status, Sync, Synced, Way,
};
use maestro_core::diff::{self, Kind};
use maestro_core::log::Graph;

/// Every scene of changes and of the log.
pub const CHANGES: [&str; 14] = [
    "changes",
    "changes-split",
    "changes-comment",
    "changes-discard",
    "changes-folder",
    "changes-none",
    "changes-error",
    "changes-large",
    "changes-many",
    "log",
    "log-branches",
    "log-push",
    "log-search",
    "log-none",
];

fn entry(kind: EntryKind, size: u64) -> Entry {
    Entry { kind, size: Some(size), id: None }
}

fn file(name: &str, status: Status, added: Option<u32>, removed: Option<u32>) -> File {
    let nothing = || Entry { kind: EntryKind::Nothing, size: None, id: None };
    let is_new = matches!(status, Status::Added | Status::Untracked);
    File {
        name: name.into(),
        old_name: (status == Status::Renamed).then(|| "src/api/prefs.rs".into()),
        status,
        before: if is_new { nothing() } else { entry(EntryKind::File, 4210) },
        after: if status == Status::Deleted { nothing() } else { entry(EntryKind::File, 4680) },
        added,
        removed,
    }
}

/// What differs.
#[must_use]
pub fn listing(scene: &str) -> Listing {
    let mut files = vec![
        file("Cargo.lock", Status::Modified, Some(12), Some(2)),
        file("Cargo.toml", Status::Modified, Some(1), Some(0)),
        file("assets/preferences.png", Status::Modified, None, None),
        file("migrations/0042_preferences.sql", Status::Untracked, Some(18), Some(0)),
        file("src/api/preferences.rs", Status::Renamed, Some(64), Some(9)),
        file("src/api/routes.rs", Status::Modified, Some(9), Some(4)),
        file("src/api/session.rs", Status::Deleted, Some(0), Some(58)),
        file("src/lib.rs", Status::Modified, Some(2), Some(1)),
        file("tests/preferences.rs", Status::Conflicted, Some(31), Some(6)),
    ];
    match scene {
        "changes-none" => files.clear(),
        "changes-large" => {
            files = vec![file("dist/bundle.js", Status::Modified, Some(50_000), Some(0))];
        }
        "changes-many" => {
            files = (0..4000)
                .map(|at| {
                    let name = format!("src/generated/part{:02}/table{:03}.rs", at / 100, at % 100);
                    file(&name, Status::Added, Some(10), None)
                })
                .collect();
        }
        _ => {}
    }
    Listing {
        checkout: super::ROOT.into(),
        branch: Some("feat/preferences".to_owned()),
        head: Some("4be07d1c0ffee4be07d1c0ffee4be07d1c0ffee1".to_owned()),
        from: "index".to_owned(),
        to: "files".to_owned(),
        total: files.len() as u32,
        files,
        under_way: (scene == "changes-split").then(|| "rebase".to_owned()),
    }
}

/// A change with several hunks, of which words differ.
const ROUTES: [(u32, &str, &str); 2] = [
    (
        12,
        "impl Router",
        " use axum::{Json, Router, routing::get};\n\
         -use crate::prefs::{Prefs, read};\n\
         +use crate::prefs::{Preferences, read, write};\n \n \
         /// All routes of the interface.\n \
         pub fn routes(state: App) -> Router {\n     Router::new()\n\
         -        .route(\"/prefs\", get(show))\n\
         +        .route(\"/preferences\", get(show).put(store))\n\
         +        .route(\"/preferences/{key}\", get(one).delete(remove))\n         \
         .route(\"/health\", get(|| async { \"ok\" }))\n         .with_state(state)\n }",
    ),
    (
        41,
        "async fn show(State(app): State<App>) -> Result<Json<Preferences>>",
        " async fn show(State(app): State<App>) -> Result<Json<Preferences>> {\n\
         -    let prefs = read(&app.db).await.unwrap();\n\
         -    Ok(Json(prefs))\n\
         +    // A missing row is an empty set of preferences, not an error.\n\
         +    let preferences = read(&app.db).await?.unwrap_or_default();\n\
         +    Ok(Json(preferences))\n }\n \n\
         +async fn store(State(app): State<App>, Json(new): Json<Preferences>) -> Result<StatusCode> {\n\
         +    write(&app.db, &new).await?;\n\
         +    Ok(StatusCode::NO_CONTENT)\n\
         +}",
    ),
];

/// Lines of a file, from one on.
#[must_use]
pub fn lines(of: &File, first: u32) -> FileLines {
    let mut hunks = Vec::new();
    let mut lines = Vec::new();
    if of.name.shown().starts_with("dist/") {
        let total = 50_000;
        hunks.push(Hunk {
            id: 1,
            old: 0,
            old_lines: 0,
            new: 1,
            new_lines: total,
            about: String::new(),
            at: 0,
            len: total,
        });
        let until = (first + 500).min(total);
        lines.extend((first..until).map(|at| Line {
            kind: Kind::Added,
            old: None,
            new: Some(at + 1),
            text: format!("export const item{at} = {{ id: {at}, name: \"item {at}\" }};"),
            marks: Vec::new(),
            end: LineEnd::Lf,
        }));
        return told(of, hunks, lines, first, total);
    }
    for (id, (start, about, text)) in ROUTES.into_iter().enumerate() {
        let at = lines.len() as u32;
        let count =
            |sign: [char; 2]| text.lines().filter(|line| line.starts_with(sign)).count() as u32;
        let (old_lines, new_lines) = (count([' ', '-']), count([' ', '+']));
        let header = format!("@@ -{start},{old_lines} +{start},{new_lines} @@\n{text}\n");
        let (mut old, mut new) = (start, start);
        for line in diff::lines(&header) {
            let numbers = match line.kind {
                Kind::Gap => continue,
                Kind::Same => (Some(old), Some(new)),
                Kind::Added => (None, Some(new)),
                Kind::Removed => (Some(old), None),
            };
            old += u32::from(numbers.0.is_some());
            new += u32::from(numbers.1.is_some());
            let marks = line.marks.iter().map(|mark| mark.start as u32..mark.end as u32).collect();
            lines.push(Line {
                kind: line.kind,
                old: numbers.0,
                new: numbers.1,
                text: line.text,
                marks,
                end: LineEnd::Lf,
            });
        }
        hunks.push(Hunk {
            id: id as u64 + 1,
            old: start,
            old_lines,
            new: start,
            new_lines,
            about: about.to_owned(),
            at,
            len: lines.len() as u32 - at,
        });
    }
    let total = lines.len() as u32;
    told(of, hunks, lines, 0, total)
}

fn told(of: &File, hunks: Vec<Hunk>, lines: Vec<Line>, first: u32, total: u32) -> FileLines {
    let body = if of.is_text() { Body::Text } else { Body::Binary };
    FileLines { file: of.clone(), body, hunks, lines, first, total, is_cut: false }
}

/// Commits with a merge among them.
#[must_use]
pub fn log(scene: &str) -> Log {
    /// Id, parents, author, title, names.
    type Told = (
        &'static str,
        &'static [&'static str],
        &'static str,
        &'static str,
        &'static [&'static str],
    );
    const COMMITS: [Told; 12] = [
        (
            "e5",
            &["d4"],
            "ada",
            "Store preferences as they are typed",
            &["HEAD -> feat/preferences"],
        ),
        ("d4", &["c3", "w2"], "ada", "Merge branch 'feat/settings-page'", &[]),
        ("w2", &["w1"], "grace", "Settings have a page of their own", &["feat/settings-page"]),
        ("c3", &["b2"], "ada", "A missing row is an empty set of preferences", &[]),
        ("w1", &["b2"], "grace", "Draw the list of settings", &[]),
        (
            "b2",
            &["a1"],
            "ada",
            "Preferences have a type of their own",
            &["origin/feat/preferences"],
        ),
        ("m3", &["a1"], "linus", "Say which currency an amount is in", &["main", "origin/main"]),
        ("a1", &["a0"], "linus", "Read the configuration once", &["tag: v1.4.0"]),
        ("a0", &["z9"], "grace", "Answer health checks without the database", &[]),
        ("z9", &["z8"], "grace", "Let tests run beside each other", &[]),
        ("z8", &["z7"], "ada", "Name routes after what they do", &[]),
        ("z7", &[], "ada", "First commit", &[]),
    ];
    let id = |short: &str| short.repeat(20);
    if scene == "log-none" {
        return Log::default();
    }
    let commits: Vec<Commit> = COMMITS
        .iter()
        .enumerate()
        .map(|(at, (short, parents, author, title, names))| Commit {
            id: id(short),
            parents: parents.iter().map(|parent| id(parent)).collect(),
            author: (*author).to_owned(),
            email: format!("{author}@example.org"),
            at_ms: super::NOW_MS as i64 - (at as i64 * at as i64 * 47 + 9) * 60_000,
            title: (*title).to_owned(),
            body: if at == 0 {
                "Every change is written at once, so that nothing is lost when the window is closed.\n\n\
                 Co-authored-by: Claude <noreply@anthropic.com>"
                    .to_owned()
            } else {
                String::new()
            },
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        })
        .filter(|commit| scene != "log-search" || commit.title.contains("references"))
        .collect();
    let graph = if scene == "log-search" {
        Vec::new()
    } else {
        Graph::rows(commits.iter().map(|commit| (commit.id.as_str(), commit.parents.as_slice())))
    };
    Log { commits, more: false, graph }
}

/// Branches.
#[must_use]
pub fn branches() -> Branches {
    let branch = |name: &str, title: &str, hours: i64, apart: Option<(u32, u32)>| Branch {
        name: name.to_owned(),
        is_remote: name.starts_with("origin/"),
        commit: "4be07d1c0ffee".to_owned(),
        title: title.to_owned(),
        at_ms: super::NOW_MS as i64 - hours * 3_600_000,
        upstream: apart.map(|_| format!("origin/{name}")),
        is_upstream_gone: name == "fix/old",
        ahead_behind: apart,
        worktree: (name == "feat/settings-page").then(|| "/home/ada/shop-worktrees/web".into()),
    };
    Branches {
        current: Some("feat/preferences".to_owned()),
        branches: vec![
            branch("feat/preferences", "Store preferences as they are typed", 0, Some((4, 2))),
            branch("feat/settings-page", "Settings have a page of their own", 2, Some((1, 0))),
            branch("main", "Say which currency an amount is in", 30, Some((0, 3))),
            branch("fix/old", "Round half to even", 700, None),
            branch("origin/main", "Say which currency an amount is in", 20, None),
            branch("origin/release/1", "Release 1.4.0", 400, None),
        ],
        more: false,
    }
}

/// What git says to a push that came late.
#[must_use]
pub fn pushed() -> Synced {
    let way = |title: &str, sync: Sync| Way { title: title.to_owned(), sync };
    Synced {
        output:
            "To github.com:ada/shop.git\n ! [rejected]        feat/preferences -> feat/preferences \
                 (non-fast-forward)\nerror: failed to push some refs to 'github.com:ada/shop.git'\n"
                .to_owned(),
        failure: Some(Failure {
            kind: FailureKind::NotFastForward,
            text: "the remote has 2 commits that this branch lacks; bring them in and push again"
                .to_owned(),
            ways: vec![
                way("Pull with a rebase", Sync::Pull { how: Pull::Rebase }),
                way("Pull with a merge", Sync::Pull { how: Pull::Merge }),
            ],
        }),
    }
}
