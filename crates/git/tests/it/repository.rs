//! Finding repositories, branches, and what changed.

use std::fs;
use std::path::Path;

use maestro_git::{Error, Lines, Status};

use crate::Sandbox;

#[test]
fn a_repository_is_found_from_anywhere_in_it() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    fs::create_dir_all(app.join("src/deep")).expect("folders");
    let _ = sandbox.git(&app, &["worktree", "add", "-q", "-b", "topic", "../wt"]);
    let wt = sandbox.root().join("wt");
    let head = sandbox.git(&app, &["rev-parse", "HEAD"]);

    for (directory, checkout, branch) in [
        (app.clone(), &app, "main"),
        (app.join("src/deep"), &app, "main"),
        (wt.clone(), &wt, "topic"),
    ] {
        let found = git.repository(&directory).expect("a repository");
        assert_eq!(found.root, app, "{}", directory.display());
        assert_eq!(found.checkout.as_ref(), Some(checkout));
        assert_eq!(found.common_dir, app.join(".git"));
        assert_eq!(found.branch.as_deref(), Some(branch));
        assert_eq!(found.head.as_ref(), Some(&head));
        assert!(found.has_commits && !found.bare);
    }

    let _ = sandbox.git(&wt, &["checkout", "-q", "--detach"]);
    let detached = git.repository(&wt).expect("a repository");
    assert_eq!((detached.branch, detached.head), (None, Some(head)));
}

#[test]
fn a_file_is_read_as_it_was_committed() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    fs::create_dir(app.join("sub")).expect("a folder");
    sandbox.commit(&app, "sub/note", "before", "note");
    fs::write(app.join("sub/note"), "after").expect("written");
    let read = |directory: &Path, name, most| {
        git.committed(directory, name, most).expect("git runs").map(|bytes| bytes.len())
    };
    assert_eq!(git.committed(&app, "sub/note", 100).expect("read"), Some(b"before".to_vec()));
    assert_eq!(read(&app.join("sub"), "sub/note", 100), Some(6));
    assert_eq!(read(&app, "sub/note", 3), Some(4));
    assert_eq!(read(&app, "other", 100), None);
    assert_eq!(read(&app, "sub", 100), None);
    assert_eq!(read(&sandbox.init("empty"), "sub/note", 100), None);
}

#[test]
fn what_is_no_usable_repository_is_told_apart() {
    let sandbox = Sandbox::new();
    let git = sandbox.handle();
    let empty = git.repository(&sandbox.init("empty")).expect("a repository");
    assert_eq!((empty.branch.as_deref(), empty.head.as_ref()), (Some("main"), None));
    assert!(!empty.has_commits);

    let _ = sandbox.git(&sandbox.root(), &["init", "--bare", "-q", "b.git"]);
    let bare = sandbox.root().join("b.git");
    let found = git.repository(&bare).expect("a repository");
    assert_eq!((found.bare, &found.root, &found.checkout), (true, &bare, &None));
    assert!(matches!(git.tree_of(&bare), Err(Error::Bare { .. })));
    assert!(matches!(git.status(&bare), Err(Error::Bare { .. })));

    let home = sandbox.root().join("home");
    assert!(matches!(git.repository(&home), Err(Error::NotARepository { .. })));
    assert!(matches!(git.branches(&home), Err(Error::NotARepository { .. })));
    for path in [home.join("gone"), home.join("gitconfig")] {
        assert!(matches!(git.repository(&path), Err(Error::NoDirectory { .. })));
    }
}

#[test]
fn what_libgit2_cannot_read_is_read_by_git() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let _ = sandbox.git(&app, &["worktree", "add", "-q", "-b", "topic", "../wt"]);
    let wt = sandbox.root().join("wt");
    let _ = sandbox.git(&app, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let _ = sandbox
        .git(&app, &["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    let facts = |directory: &Path| git.repository(directory).expect("a repository");
    let before = (facts(&app), facts(&wt), git.branches(&app).expect("branches"));

    // A partial clone, as far as the repository's format is concerned.
    let _ = sandbox.git(&app, &["config", "core.repositoryformatversion", "1"]);
    let _ = sandbox.git(&app, &["config", "extensions.partialClone", "origin"]);
    assert_eq!(before, (facts(&app), facts(&wt), git.branches(&app).expect("branches")));
}

#[test]
fn branches_come_most_recent_first() {
    let (sandbox, app) = Sandbox::with_app();
    for (branch, date) in [("old", "2001-01-01T00:00:00Z"), ("größe/b", "2033-01-01T00:00:00Z")] {
        let _ = sandbox.git(&app, &["checkout", "-q", "-b", branch, "main"]);
        fs::write(app.join("file"), branch).expect("a file");
        let _ = sandbox.git(&app, &["commit", "-qam", "x", "--date", date]);
        // Only the committer's date counts.
        let tree = sandbox.git(&app, &["rev-parse", "HEAD^{tree}"]);
        let raw = format!(
            "tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> {} +0000\n\nx\n",
            if branch == "old" { 978_307_200_u64 } else { 1_988_150_400 }
        );
        fs::write(sandbox.root().join("raw"), raw).expect("a commit");
        let id = sandbox.git(&app, &["hash-object", "-t", "commit", "-w", "../raw"]);
        let _ = sandbox.git(&app, &["reset", "-q", "--hard", &id]);
    }
    let branches = sandbox.handle().branches(&app).expect("branches");
    assert_eq!(branches.local, ["größe/b", "main", "old"]);
    assert_eq!(branches.remote, [""; 0]);
}

#[test]
fn names_are_judged_by_git_and_explained() {
    let sandbox = Sandbox::new();
    let git = sandbox.handle();
    for name in ["main", "feature/x", "größe", "日本/語", "a'b\"c", "$(touch pwned)", "x;y", "a%b"]
    {
        let checked = git.check_branch_name(name);
        // A space is the only thing git minds in these.
        assert_eq!(checked.is_ok(), !name.contains(' '), "{name}: {checked:?}");
    }
    let check = |name: &str, reason: &str| {
        let text = git.check_branch_name(name).expect_err(name).to_string();
        assert!(text.contains(reason), "{name:?}: {text}");
        assert!(!text.contains(['\n', '\0']), "{text:?}");
    };
    check("", "it is empty");
    check("-x", "dash");
    check("--help", "dash");
    check("a b", "space");
    check("a\nb", "control character");
    check("a\0b", "control character");
    check("a..b", "`..`");
    check("@{-1}", "`@{`");
    check("a~b", "~ ^ :");
    check("a//b", "slashes");
    check("/a", "slashes");
    check(".a", "dot");
    check("a.lock", ".lock");
    check("HEAD", "itself");
    check(&"x".repeat(300), "too long");
}

#[test]
fn status_counts_files_and_lines() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    sandbox.commit(&app, "gone", "1\n2\n", "Second");
    let _ = sandbox.git(&app, &["update-ref", "refs/remotes/origin/main", "HEAD~1"]);
    let _ = sandbox.git(&app, &["config", "branch.main.remote", "origin"]);
    let _ = sandbox.git(&app, &["config", "branch.main.merge", "refs/heads/main"]);
    let _ = sandbox.git(&app, &["config", "remote.origin.url", "../nowhere"]);
    let _ = sandbox
        .git(&app, &["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]);
    let head = sandbox.git(&app, &["rev-parse", "HEAD"]);
    let clean = Status {
        branch: Some("main".into()),
        head: Some(head),
        upstream: Some("origin/main".into()),
        ahead_behind: Some((1, 0)),
        ..Status::default()
    };
    assert_eq!(git.status(&app).expect("a status"), clean);
    assert!(clean.is_clean());
    assert_eq!(git.changed_lines(&app).expect("lines"), Lines::default());

    fs::write(app.join("file"), "one\ntwo\n").expect("a change");
    fs::remove_file(app.join("gone")).expect("a loss");
    fs::write(app.join("new\nline"), "").expect("a file");
    fs::write(app.join("-dash ü"), "").expect("a file");
    fs::write(app.join("staged"), "s\n").expect("a file");
    let _ = sandbox.git(&app, &["add", "staged"]);
    let status = git.status(&app).expect("a status");
    assert_eq!(status, Status { modified: 1, added: 1, deleted: 1, untracked: 2, ..clean });
    assert_eq!(status.changed(), 3);
    let lines = git.changed_lines(&app.join(".")).expect("lines");
    assert_eq!(lines, Lines { added: 2, deleted: 2 });
}

#[test]
fn commits_and_conflicts_between_branches() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    for (branch, file, text) in
        [("a", "file", "A\n"), ("b", "file", "B\n"), ("c", "other ü\n", "C\n"), ("-d", "d", "")]
    {
        let _ = sandbox.git(&app, &["checkout", "-q", "--detach", "main"]);
        sandbox.commit(&app, file, text, &format!("Work on {branch}\n\nBody."));
        let _ = sandbox.git(&app, &["update-ref", &format!("refs/heads/{branch}"), "HEAD"]);
    }
    let conflicts = |a, b| git.conflicts_between(&app, a, b).expect("an answer");
    assert_eq!(conflicts("a", "b"), [Path::new("file")]);
    assert!(conflicts("a", "c").is_empty());
    assert!(conflicts("refs/heads/-d", "c").is_empty());
    assert!(matches!(
        git.conflicts_between(&app, "a", "--help"),
        Err(Error::BaseUnknown { base }) if base == "--help"
    ));

    let commits = git.commits_between(&app, "main", "a").expect("commits");
    let [commit] = commits.as_slice() else { panic!("{commits:?}") };
    assert_eq!((commit.subject.as_str(), commit.author.as_str()), ("Work on a", "Test"));
    assert_eq!(commit.id, sandbox.git(&app, &["rev-parse", "a"]));
    assert_eq!(git.commits_between(&app, "a", "main").expect("commits"), []);
    assert_eq!(git.ahead_behind(&app, "main", "a").expect("counts"), (1, 0));
    assert_eq!(git.ahead_behind(&app, "b", "a").expect("counts"), (1, 1));
}
