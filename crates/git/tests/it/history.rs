//! The history, where lines come from, branches, and what goes between here and a remote.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use maestro_core::changes::{FailureKind, LogQuery, Name, Pull, Sync, Synced};
use maestro_git::{Error, Git};

use super::{Sandbox, script};

fn titles(git: &Git, directory: &Path, query: &LogQuery) -> Vec<String> {
    git.log(directory, query).expect("a log").commits.into_iter().map(|one| one.title).collect()
}

fn query(count: u32) -> LogQuery {
    LogQuery { count, ..LogQuery::default() }
}

#[test]
fn the_history_is_told_searched_and_drawn() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let _ = sandbox.git(&app, &["checkout", "-qb", "side"]);
    sandbox.commit(&app, "side file", "a\n", "On the side");
    let _ = sandbox.git(&app, &["checkout", "-q", "main"]);
    sandbox.commit(&app, "file", "one\ntwo\n", "Second, by MAIN");
    let _ = sandbox.git(&app, &["merge", "-q", "--no-ff", "-m", "Both", "side"]);
    let _ = sandbox.git(&app, &["checkout", "-qb", "other", "main~1"]);
    sandbox.commit(&app, "elsewhere", "x\n", "Elsewhere");
    let _ = sandbox.git(&app, &["checkout", "-q", "main"]);
    let head = sandbox.git(&app, &["rev-parse", "HEAD"]);
    git.keep(&app, &[("runs/r1/t0-before".into(), head)]).expect("kept");
    let private = sandbox.git(&app, &["commit-tree", "-m", "Private", "HEAD^{tree}"]);
    git.keep(&app, &[("runs/r1/start".into(), private)]).expect("kept");

    let all = git.log(&app, &query(10)).expect("a log");
    assert_eq!(all.commits[0].title, "Both");
    assert_eq!((all.commits.len(), all.graph.len(), all.more), (4, 4, false));
    assert_eq!(all.commits[0].parents.len(), 2);
    assert_eq!(all.commits[0].names, ["HEAD", "main"]);
    assert_eq!(all.graph[0].lines.len(), 2);
    let two = git.log(&app, &query(2)).expect("a log");
    assert!(two.more && two.commits.len() == 2);
    let rest = titles(&git, &app, &LogQuery { skip: 2, ..query(2) });
    assert_eq!(rest, all.commits[2..].iter().map(|one| one.title.clone()).collect::<Vec<_>>());
    let search = |words: &str| titles(&git, &app, &LogQuery { words: words.into(), ..query(9) });
    assert_eq!(search("second main"), ["Second, by MAIN"]);
    assert_eq!(search(&all.commits[0].id[..9]), ["Both"]);
    assert_eq!(search("test first").len(), 1, "the writer is searched, too");
    assert!(search("--output=x").is_empty());
    let of = |path: &str| titles(&git, &app, &LogQuery { paths: vec![path.into()], ..query(9) });
    assert_eq!(of("side file"), ["On the side"]);
    let every = titles(&git, &app, &LogQuery { all: true, ..query(9) });
    assert!(every.contains(&"Elsewhere".to_owned()) && every.len() == 5, "{every:?}");
    let from = |name: &str| git.log(&app, &LogQuery { from: vec![name.into()], ..query(9) });
    assert_eq!(from("other").expect("a log").commits[0].title, "Elsewhere");
    assert!(matches!(from("--all"), Err(Error::BaseUnknown { .. })));
    let empty = sandbox.init("empty");
    assert!(git.log(&empty, &query(9)).expect("a log").commits.is_empty());

    fs::write(app.join("file"), "one\ntwo\nmine\n").expect("a file");
    let lines = git.blame(&app, &Name::from("file"), None, 1..9).expect("origins");
    let shown: Vec<_> = lines.iter().map(|one| (one.line, one.count, &*one.title)).collect();
    assert_eq!(shown[..2], [(1, 1, "First"), (2, 1, "Second, by MAIN")]);
    assert_eq!((lines[2].commit.clone(), lines.len()), (None, 3));
    let old = git.blame(&app, &Name::from("file"), Some("main~1"), 1..2).expect("origins");
    assert_eq!((old.len(), &*old[0].title), (1, "First"));
    for (name, line) in [("none", 1), ("file", 99), ("../x", 1)] {
        let found = git.blame(&app, &Name::from(name), None, line..line + 1);
        assert!(matches!(found, Err(Error::NoSuchFile { .. })), "{found:?}");
    }
}

/// A remote with a branch, a repository that follows it, and another one that does, too.
fn remote() -> (Sandbox, Git, PathBuf, PathBuf) {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let root = sandbox.root();
    let (bare, other) = (root.join("remote.git"), root.join("other"));
    let path = |path: &Path| path.display().to_string();
    let _ = sandbox.git(&root, &["clone", "-q", "--bare", &path(&app), &path(&bare)]);
    let _ = sandbox.git(&app, &["remote", "add", "origin", &path(&bare)]);
    let _ = sandbox.git(&root, &["clone", "-q", &path(&bare), &path(&other)]);
    (sandbox, git, app, other)
}

fn sync(git: &Git, directory: &Path, sync: &Sync) -> Synced {
    let mut heard = Vec::new();
    let synced = git
        .sync(directory, sync, &mut |line, _| heard.push(line.to_owned()), &Arc::default())
        .expect("git runs");
    assert!(synced.output.lines().all(|line| heard.contains(&line.to_owned())));
    synced
}

fn kind(synced: &Synced) -> Option<FailureKind> {
    synced.failure.as_ref().map(|failure| failure.kind)
}

#[test]
fn each_failure_of_a_remote_has_its_way_out() {
    let (sandbox, git, app, other) = remote();
    let push = |set_upstream, force| Sync::Push { set_upstream, force };
    let pull = |how| Sync::Pull { how };
    // Nothing is followed yet: the way that is told works.
    let told = sync(&git, &app, &push(false, false));
    assert_eq!(kind(&told), Some(FailureKind::NoUpstream));
    let way = told.failure.expect("told").ways[0].sync.clone();
    sandbox.commit(&app, "mine", "x\n", "Mine");
    assert_eq!(kind(&sync(&git, &app, &way)), None);
    let branches = git.all_branches(&app).expect("branches");
    let main = &branches.branches[0];
    assert_eq!((&*main.name, main.upstream.as_deref()), ("main", Some("origin/main")));
    assert_eq!((main.ahead_behind, branches.current.as_deref()), (Some((0, 0)), Some("main")));
    assert!(branches.branches.iter().any(|one| one.is_remote && one.name == "origin/main"));

    // Both sides go on: refused, with a way, and the way works.
    sandbox.commit(&other, "theirs", "x\n", "Theirs");
    let refused = sync(&git, &other, &push(false, false));
    assert_eq!(kind(&refused), Some(FailureKind::NotFastForward), "{refused:?}");
    assert_eq!(kind(&sync(&git, &other, &pull(Pull::FastForward))), Some(FailureKind::Diverged));
    let rebase = refused.failure.expect("told").ways[0].sync.clone();
    assert_eq!(rebase, pull(Pull::Rebase));
    assert_eq!(kind(&sync(&git, &other, &rebase)), None);
    assert_eq!(kind(&sync(&git, &other, &push(false, false))), None);
    assert_eq!(kind(&sync(&git, &app, &Sync::Fetch { all: false })), None);
    let branches = git.all_branches(&app).expect("branches");
    assert_eq!(branches.branches[0].ahead_behind, Some((0, 1)));
    // A file in the way, then a conflict, then what is under way.
    fs::write(app.join("theirs"), "mine\n").expect("a file");
    let way = sync(&git, &app, &pull(Pull::FastForward));
    assert_eq!(kind(&way), Some(FailureKind::InTheWay));
    assert!(way.failure.is_some_and(|failure| failure.text.contains("theirs")));
    let _ = sandbox.git(&app, &["add", "theirs"]);
    let _ = sandbox.git(&app, &["commit", "-qm", "Mine, too"]);
    assert_eq!(kind(&sync(&git, &app, &pull(Pull::Merge))), Some(FailureKind::Conflicts));
    assert_eq!(kind(&sync(&git, &app, &pull(Pull::Merge))), Some(FailureKind::UnderWay));
    let _ = sandbox.git(&app, &["merge", "--abort"]);
    // Over what was not seen nothing is pushed, whatever is asked.
    sandbox.commit(&other, "theirs", "more\n", "More");
    assert_eq!(kind(&sync(&git, &other, &push(false, false))), None);
    let stale = sync(&git, &app, &push(false, true));
    assert_eq!(kind(&stale), Some(FailureKind::Stale), "{stale:?}");
    // Hooks on both sides.
    script(&other.join(".git/hooks/pre-push"), "echo 'lint says no' >&2; exit 1");
    sandbox.commit(&other, "again", "x\n", "Again");
    let hook = sync(&git, &other, &push(false, false));
    assert_eq!(kind(&hook), Some(FailureKind::Hook), "{hook:?}");
    assert!(hook.failure.is_some_and(|failure| failure.text.contains("lint says no")));
    fs::remove_file(other.join(".git/hooks/pre-push")).expect("removed");
    let hook = sandbox.root().join("remote.git/hooks/pre-receive");
    script(&hook, "echo 'not on a Monday'; exit 1");
    let refused = sync(&git, &other, &push(false, false));
    assert_eq!(kind(&refused), Some(FailureKind::Refused), "{refused:?}");
    assert!(refused.failure.is_some_and(|failure| failure.text.contains("not on a Monday")));
    // Gone, detached, nowhere.
    let _ = sandbox.git(&other, &["checkout", "-q", "--detach"]);
    assert_eq!(kind(&sync(&git, &other, &push(false, false))), Some(FailureKind::Detached));
    let _ = sandbox.git(&app, &["remote", "set-url", "origin", "/nowhere/at/all"]);
    let nowhere = sync(&git, &app, &Sync::Fetch { all: false });
    assert_eq!(kind(&nowhere), Some(FailureKind::NoRepository), "{nowhere:?}");
    let _ = sandbox.git(&app, &["remote", "remove", "origin"]);
    assert_eq!(kind(&sync(&git, &app, &Sync::Fetch { all: true })), Some(FailureKind::NoRemote));
}

#[test]
fn what_goes_on_can_be_ended() {
    let (sandbox, git, app, _) = remote();
    let pack = sandbox.root().join("home/slow");
    script(&pack, "sleep 600");
    let pack = format!("'{}'", pack.display());
    let _ = sandbox.git(&app, &["config", "remote.origin.uploadpack", &pack]);
    let stop = Arc::new(AtomicBool::new(true));
    let synced =
        git.sync(&app, &Sync::Fetch { all: false }, &mut |_, _| {}, &stop).expect("it ends");
    assert_eq!(kind(&synced), Some(FailureKind::Cancelled));
}

#[test]
fn branches_are_switched_without_losing_anything() {
    let (sandbox, git, app, other) = remote();
    let _ = sandbox.git(&other, &["push", "-q", "origin", "main:feature"]);
    let _ = sandbox.git(&app, &["fetch", "-q"]);
    assert_eq!(kind(&git.switch(&app, "origin/feature", None).expect("switched")), None);
    assert_eq!(sandbox.git(&app, &["rev-parse", "--abbrev-ref", "@{upstream}"]), "origin/feature");
    sandbox.commit(&app, "file", "feature\n", "Feature");
    fs::write(app.join("file"), "not committed\n").expect("a file");
    let refused = git.switch(&app, "main", None).expect("told");
    assert_eq!(kind(&refused), Some(FailureKind::InTheWay));
    assert!(refused.failure.is_some_and(|failure| failure.text.contains("file")));
    assert_eq!(fs::read_to_string(app.join("file")).ok().as_deref(), Some("not committed\n"));
    let _ = sandbox.git(&app, &["checkout", "-q", "file"]);
    assert_eq!(kind(&git.switch(&app, "new", Some("main")).expect("made")), None);
    assert_eq!(git.repository(&app).expect("read").branch.as_deref(), Some("new"));
    let tree = sandbox.root().join("tree");
    let _ = sandbox.git(&app, &["worktree", "add", "-q", &tree.display().to_string(), "main"]);
    let taken = git.switch(&app, "main", None).expect("told");
    assert_eq!(kind(&taken), Some(FailureKind::InTheWay), "{taken:?}");
    assert!(matches!(git.switch(&app, "gone", None), Err(Error::BranchUnknown { .. })));
    for name in ["-f", "a b", "@", "x..y"] {
        assert!(
            matches!(git.switch(&app, name, Some("")), Err(Error::InvalidName { .. })),
            "{name}"
        );
    }
}
