//! Branches brought home: merges in a scratch worktree, and the move of the target.

use std::fs;
use std::path::{Path, PathBuf};

use maestro_core::train::How;
use maestro_git::{Bring, Brought, Git, Moved};

use crate::{Sandbox, script};

struct Yard {
    sandbox: Sandbox,
    app: PathBuf,
    scratch: PathBuf,
    git: Git,
}

impl Yard {
    /// A repository on `main` with a branch `topic` that changes `file` in two commits.
    fn new() -> Self {
        let (sandbox, app) = Sandbox::with_app();
        let _ = sandbox.git(&app, &["checkout", "--quiet", "-b", "topic"]);
        sandbox.commit(&app, "file", "topic\n", "Topic one");
        sandbox.commit(&app, "more", "more\n", "Topic two");
        let _ = sandbox.git(&app, &["checkout", "--quiet", "main"]);
        let (scratch, git) = (sandbox.root().join("scratch"), sandbox.handle());
        git.scratch(&app, &scratch, &sandbox.git(&app, &["rev-parse", "main"])).expect("a scratch");
        Self { sandbox, app, scratch, git }
    }

    fn at(&self, revision: &str) -> String {
        self.sandbox.git(&self.app, &["rev-parse", revision])
    }

    fn bring(&self, how: How) -> Brought {
        let (onto, tip) = (self.at("main"), self.at("topic"));
        let bring = Bring { how, onto: &onto, tip: &tip, message: "Bring topic home" };
        self.git.bring(&self.scratch, bring).expect("git runs")
    }

    fn subjects(&self, of: &str) -> String {
        let range = format!("main..{of}");
        self.sandbox.git(&self.app, &["log", "--format=%s", "--first-parent", &range])
    }

    fn advance(&self, from: &str, to: &str) -> Moved {
        self.git.advance(&self.app, "main", from, to, "maestro: m1").expect("git runs")
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.app.join(file)).unwrap_or_default()
    }
}

fn commit(brought: Brought) -> String {
    match brought {
        Brought::Commit(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_branch_is_brought_in_three_ways_and_no_branch_moves() {
    let yard = Yard::new();
    let _ = yard.sandbox.git(&yard.app, &["config", "rebase.updateRefs", "true"]);
    let _ = yard.sandbox.git(&yard.app, &["config", "merge.ff", "only"]);
    yard.sandbox.commit(&yard.app, "other", "x\n", "Main went on");
    let before = yard.sandbox.git(&yard.app, &["for-each-ref"]);
    for (how, subjects) in [
        (How::Merge, "Bring topic home"),
        (How::Squash, "Bring topic home"),
        (How::Rebase, "Topic two\nTopic one"),
    ] {
        let made = commit(yard.bring(how));
        assert_eq!(yard.subjects(&made), subjects, "{how:?}");
        let files = yard.sandbox.git(&yard.app, &["ls-tree", "--name-only", &made]);
        assert_eq!(files, "file\nmore\nother", "{how:?}");
    }
    assert_eq!(yard.sandbox.git(&yard.app, &["for-each-ref"]), before);
    assert_eq!(yard.text("file"), "one\n", "the user's checkout is as it was");
    // What the target has already is nothing to bring.
    let made = commit(yard.bring(How::Merge));
    assert_eq!(yard.advance(&yard.at("main"), &made), Moved::Yes);
    for how in [How::Merge, How::Squash, How::Rebase] {
        assert_eq!(yard.bring(how), Brought::Empty);
    }
    yard.git.remove_scratch(&yard.app, &yard.scratch);
    let listed = yard.sandbox.git(&yard.app, &["worktree", "list"]);
    assert!(!yard.scratch.exists() && !listed.contains("scratch"), "{listed}");
}

#[test]
fn conflicts_are_described_from_the_branch_and_leave_nothing_behind() {
    for how in [How::Merge, How::Squash, How::Rebase] {
        let yard = Yard::new();
        yard.sandbox.commit(&yard.app, "file", "main\n", "Main went on");
        let Brought::Conflicts(clashes) = yard.bring(how) else { panic!("{how:?} fits") };
        let [clash] = &clashes[..] else { panic!("{clashes:?}") };
        assert_eq!((clash.path.as_path(), clash.kind.as_str()), (Path::new("file"), "contents"));
        let hunk = &clash.hunks[0];
        assert_eq!((&*hunk.ours, &*hunk.theirs), ("topic\n", "main\n"), "{how:?}");
        // The next one is not in its way.
        let _ = yard.sandbox.git(&yard.app, &["checkout", "--quiet", "topic"]);
        yard.sandbox.commit(&yard.app, "file", "one\n", "Topic takes it back");
        let _ = yard.sandbox.git(&yard.app, &["checkout", "--quiet", "main"]);
        if how != How::Rebase {
            let _ = commit(yard.bring(how));
        }
        assert!(!yard.text("file").contains("<<<"));
    }
}

#[test]
fn hooks_have_their_say() {
    let yard = Yard::new();
    let hook = yard.app.join(".git/hooks/commit-msg");
    script(&hook, "grep -q Ticket \"$1\" || { echo 'no ticket' >&2; exit 1; }");
    let Brought::Refused(words) = yard.bring(How::Merge) else { panic!("it was not refused") };
    assert!(words.contains("no ticket"), "{words}");
    fs::remove_file(hook).expect("a hook");
    let _ = commit(yard.bring(How::Merge));
}

#[test]
fn the_target_moves_from_where_it_was_or_not_at_all() {
    let yard = Yard::new();
    let (from, made) = (yard.at("main"), commit(yard.bring(How::Merge)));
    // Checked out and dirty: it is said, and nothing is touched.
    fs::write(yard.app.join("file"), "not saved anywhere\n").expect("a file");
    let Moved::InTheWay { path, because } = yard.advance(&from, &made) else { panic!("it moved") };
    assert_eq!(path, yard.app);
    assert!(because.contains("1 file that is not committed"), "{because}");
    assert_eq!((yard.at("main"), yard.text("file")), (from.clone(), "not saved anywhere\n".into()));
    fs::write(yard.app.join("file"), "one\n").expect("a file");
    // An untracked file that would be written over.
    fs::write(yard.app.join("more"), "mine\n").expect("a file");
    assert!(matches!(yard.advance(&from, &made), Moved::InTheWay { .. }));
    assert_eq!((yard.at("main"), yard.text("more")), (from.clone(), "mine\n".into()));
    fs::remove_file(yard.app.join("more")).expect("a file");
    // Clean: the checkout goes along.
    assert_eq!(yard.advance(&from, &made), Moved::Yes);
    assert_eq!((yard.at("main"), yard.text("file")), (made.clone(), "topic\n".into()));
    assert_eq!(yard.sandbox.git(&yard.app, &["status", "--porcelain"]), "");
    assert_eq!(yard.advance(&from, &made), Moved::Yes, "twice is once");

    // Back, while something else is being worked on.
    fs::write(yard.app.join("new"), "mine\n").expect("a file");
    let moved = yard.git.retreat(&yard.app, "main", &made, &from, "maestro: undo").expect("runs");
    assert_eq!(moved, Moved::Yes);
    assert_eq!((yard.at("main"), yard.text("new")), (from.clone(), "mine\n".into()));
    assert_eq!(yard.text("file"), "one\n");

    // Not checked out anywhere, and somebody else was faster.
    let _ = yard.sandbox.git(&yard.app, &["checkout", "--quiet", "--detach"]);
    let other = yard.at("topic");
    let _ = yard.sandbox.git(&yard.app, &["update-ref", "refs/heads/main", &other]);
    assert_eq!(yard.advance(&from, &made), Moved::Elsewhere(other.clone()));
    assert_eq!(yard.at("main"), other);
    let _ = yard.sandbox.git(&yard.app, &["update-ref", "refs/heads/main", &from]);
    assert_eq!(yard.advance(&from, &made), Moved::Yes);
    assert_eq!(yard.at("main"), made);
}

#[test]
fn a_merge_that_an_agent_began_is_concluded_only_without_marks() {
    let yard = Yard::new();
    yard.sandbox.commit(&yard.app, "file", "main\n", "Main went on");
    let work = yard.sandbox.root().join("work");
    let path = work.to_str().expect("text");
    let _ = yard.sandbox.git(&yard.app, &["worktree", "add", "--quiet", path, "topic"]);
    assert_eq!(yard.git.commit_work(&work, "Work").expect("nothing to do"), None);
    fs::write(work.join("mine"), "x\n").expect("a file");
    assert!(yard.git.commit_work(&work, "Work").expect("committed").is_some());
    let merged = std::process::Command::new("git")
        .args(["merge", "--quiet", "main"])
        .current_dir(&work)
        .env_clear()
        .envs(yard.sandbox.environment())
        .output()
        .expect("git runs");
    assert!(!merged.status.success());
    let refused = yard.git.commit_work(&work, "Work").expect_err("marks are left");
    assert!(refused.to_string().contains("leftover conflict marker"), "{refused}");
    fs::write(work.join("file"), "both\n").expect("a file");
    assert!(yard.git.commit_work(&work, "Work").expect("concluded").is_some());
    assert!(yard.git.contains(&work, "main", "topic").expect("asked"));
}

#[test]
fn folders_that_are_ignored_are_not_worth_watching() {
    let yard = Yard::new();
    fs::write(yard.app.join(".gitignore"), "target/\n").expect("a file");
    for folder in ["target/debug", "src/inner", "empty"] {
        fs::create_dir_all(yard.app.join(folder)).expect("a folder");
    }
    let _ = yard.sandbox.init("app/nested");
    let found = yard.git.folders(&yard.app, 100).expect("looked");
    let mut names: Vec<_> = found
        .folders
        .iter()
        .map(|folder| {
            folder.strip_prefix(&yard.app).expect("inside").to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names, ["", "empty", "src", "src/inner"]);
    assert!(found.is_whole);
    assert!(!yard.git.folders(&yard.app, 2).expect("looked").is_whole);
    assert!(yard.git.folders(&yard.app.join("target"), 9).expect("looked").folders.is_empty());
}
