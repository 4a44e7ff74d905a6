//! Whole trees, and commits of everything.

use std::fs;

use maestro_git::Error;

use crate::{Sandbox, script};

#[test]
fn a_clean_checkout_has_its_commits_tree() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let committed = sandbox.git(&app, &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(git.tree_of(&app).expect("a tree"), committed);
    let _ = sandbox.git(&app, &["worktree", "add", "-q", "-b", "topic", "../wt"]);
    assert_eq!(git.tree_of(&sandbox.root().join("wt")).expect("a tree"), committed);
}

#[test]
fn every_change_that_is_not_ignored_shows() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    fs::write(app.join(".gitignore"), "ignored\n").expect("a file");
    fs::create_dir(app.join("sub")).expect("a folder");
    let index = app.join(".git/index");
    let before = (fs::read(&index).expect("an index"), fs::metadata(&index).expect("an index"));
    let mut last = git.tree_of(&app).expect("a tree");
    let mut differs = |what: &str, expected: bool| {
        // From a folder below it is the whole tree all the same.
        let tree = git.tree_of(&app.join("sub")).expect("a tree");
        assert_eq!(tree != last, expected, "{what}");
        last = tree;
    };
    differs("nothing", false);
    fs::write(app.join("file"), "two\n").expect("a change");
    differs("the same size, a moment after the commit", true);
    fs::write(app.join("new ü\nline"), "").expect("a file");
    differs("an untracked file", true);
    fs::write(app.join("-x"), "").expect("a file");
    differs("a file like an option", true);
    fs::write(app.join("ignored"), "noise").expect("a file");
    differs("an ignored file", false);
    fs::remove_file(app.join("file")).expect("a loss");
    differs("a deleted file", true);
    fs::create_dir(app.join("empty")).expect("a folder");
    differs("an empty folder", false);
    let after = (fs::read(&index).expect("an index"), fs::metadata(&index).expect("an index"));
    assert_eq!(before.0, after.0, "the user's index is untouched");
    assert_eq!(before.1.modified().expect("a time"), after.1.modified().expect("a time"));

    let _ = sandbox.git(&app, &["add", "--all"]);
    differs("staging", false);
}

#[test]
fn odd_repositories_have_trees_too() {
    let sandbox = Sandbox::new();
    let git = sandbox.handle();
    let app = sandbox.init("app");
    let empty = git.tree_of(&app).expect("the tree of nothing");
    fs::write(app.join("first"), "").expect("a file");
    let first = git.tree_of(&app).expect("a tree before the first commit");
    assert_ne!(empty, first);
    // A repository in the repository that has no commit yet: git cannot add it.
    let _ = sandbox.git(&app, &["init", "-q", "nested"]);
    fs::write(app.join("second"), "").expect("a file");
    assert_ne!(git.tree_of(&app).expect("a tree around it"), first);
    assert!(!app.join(".git/index").exists());
}

#[test]
fn looking_runs_none_of_the_repositorys_code() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let seen = sandbox.root().join("ran");
    for hook in ["post-index-change", "pre-commit", "fsmonitor"] {
        script(&app.join(".git/hooks").join(hook), &format!("touch '{}'", seen.display()));
    }
    let monitor = app.join(".git/hooks/fsmonitor").display().to_string();
    let _ = sandbox.git(&app, &["config", "core.fsmonitor", &monitor]);
    fs::write(app.join("new"), "").expect("a file");
    let _ = git.tree_of(&app).expect("a tree");
    let _ = git.status(&app).expect("a status");
    let _ = git.changed_lines(&app).expect("lines");
    assert!(!seen.exists());
}

#[test]
fn everything_is_committed_with_the_users_hooks() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    assert_eq!(git.commit_all(&app, "Nothing").expect("nothing to do"), None);
    assert!(matches!(git.commit_all(&app, " \n"), Err(Error::EmptyMessage)));

    script(&app.join(".git/hooks/pre-commit"), "echo checked > ../checked");
    fs::create_dir(app.join("sub")).expect("a folder");
    fs::write(app.join("-new ü\nline"), "").expect("a file");
    fs::remove_file(app.join("file")).expect("a loss");
    let message = "-m \"quoted\"\n\n# not a comment\nBody ü";
    let commit = git.commit_all(&app.join("sub"), message).expect("a commit").expect("changes");
    assert_eq!(commit, sandbox.git(&app, &["rev-parse", "HEAD"]));
    assert_eq!(sandbox.git(&app, &["log", "-1", "--format=%B"]), message);
    assert!(sandbox.root().join("checked").exists(), "the hook ran");
    assert!(git.status(&app).expect("a status").is_clean());

    script(&app.join(".git/hooks/pre-commit"), "echo not like this >&2; exit 1");
    fs::write(app.join("more"), "").expect("a file");
    let error = git.commit_all(&app, "More").expect_err("the hook refuses");
    assert!(error.to_string().contains("not like this"), "{error}");
}
