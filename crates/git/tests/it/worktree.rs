//! Worktrees: made where they should be, refused where they must be.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use maestro_git::{Branch, Error, Git, Limits, NewWorktree, Place, Worktree};

use crate::{Sandbox, script};

fn new(repository: &Path, name: &str) -> NewWorktree {
    let branch = Branch::New { name: name.into(), base: None };
    NewWorktree { repository: repository.into(), branch, path: None, place: Place::Beside }
}

fn existing(repository: &Path, name: &str) -> NewWorktree {
    NewWorktree { branch: Branch::Existing(name.into()), ..new(repository, name) }
}

fn at(wanted: NewWorktree, path: impl Into<PathBuf>) -> NewWorktree {
    NewWorktree { path: Some(path.into()), ..wanted }
}

fn add(git: &Git, wanted: &NewWorktree) -> Worktree {
    let added = git.add_worktree(wanted).expect("a worktree");
    assert_eq!(added.notice, None);
    added.worktree
}

#[test]
fn a_new_branch_gets_a_worktree_beside_the_repository() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    fs::write(app.join("draft"), "mine").expect("uncommitted work");
    let made = add(&git, &new(&app, "feature/größe"));
    let path = sandbox.root().join("app-worktrees/feature-größe");
    assert_eq!((&made.path, made.branch.as_deref()), (&path, Some("feature/größe")));
    assert_eq!(fs::read_to_string(path.join("file")).expect("a checkout"), "one\n");
    assert_eq!(sandbox.git(&app, &["status", "--porcelain"]), "?? draft");
    assert_eq!(sandbox.git(&app, &["branch", "--show-current"]), "main");

    // From inside a worktree it is still beside the main checkout, and starts from that worktree.
    sandbox.commit(&path, "more", "", "More");
    let second = add(&git, &new(&path, "feature-größe"));
    assert_eq!(second.path, sandbox.root().join("app-worktrees/feature-größe-2"));
    assert_eq!(second.head, Some(sandbox.git(&path, &["rev-parse", "HEAD"])));

    let listed = git.worktrees(&second.path).expect("worktrees");
    assert!(listed[0].main && listed[0].branch.as_deref() == Some("main"));
    let mut others: Vec<_> = listed[1..].iter().map(|w| (w.main, w.branch.as_deref())).collect();
    others.sort();
    assert_eq!(others, [(false, Some("feature-größe")), (false, Some("feature/größe"))]);
    assert_eq!(listed[0].path, app);
}

#[test]
fn a_base_and_a_place_can_be_given() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let first = sandbox.git(&app, &["rev-parse", "HEAD"]);
    let _ = sandbox.git(&app, &["tag", "v1"]);
    sandbox.commit(&app, "file", "two\n", "Second");
    let branch = Branch::New { name: "hotfix".into(), base: Some("v1".into()) };
    let place = Place::Under(sandbox.root().join("other place"));
    let made = add(&git, &NewWorktree { branch, place, ..new(&app, "hotfix") });
    assert_eq!(made.head, Some(first));
    assert_eq!(made.path, sandbox.root().join("other place/hotfix"));
    for name in ["-dash", "line\nbreak", "$(touch pwned)", "ünïcode"] {
        let path = sandbox.root().join(name);
        let branch = format!("b{}", name.len());
        assert_eq!(add(&git, &at(new(&app, &branch), &path)).path, path);
    }
    let empty = sandbox.root().join("empty");
    fs::create_dir(&empty).expect("an empty folder");
    assert_eq!(add(&git, &at(new(&app, "into-empty"), &empty)).path, empty);
    assert!(!sandbox.root().join("pwned").exists() && !app.join("pwned").exists());
}

#[test]
fn existing_branches_are_opened_from_here_or_a_remote() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let _ = sandbox.git(&app, &["branch", "topic"]);
    assert_eq!(add(&git, &existing(&app, "topic")).branch.as_deref(), Some("topic"));

    let clone = sandbox.root().join("clone");
    let _ = sandbox.git(&app, &["branch", "team/theirs"]);
    let _ = sandbox.git(&app, &["branch", "both"]);
    let _ = sandbox.git(&sandbox.root(), &["clone", "-q", "app", "clone"]);
    let _ = sandbox.git(&clone, &["remote", "add", "fork", "../app"]);
    let _ = sandbox.git(&clone, &["fetch", "-q", "fork", "both"]);
    let made = add(&git, &existing(&clone, "team/theirs"));
    assert_eq!(made.branch.as_deref(), Some("team/theirs"));
    let upstream = sandbox.git(&made.path, &["rev-parse", "--abbrev-ref", "@{upstream}"]);
    assert_eq!(upstream, "origin/team/theirs");
    assert_eq!(add(&git, &existing(&clone, "origin/topic")).branch.as_deref(), Some("topic"));

    let error = git.add_worktree(&existing(&clone, "both")).expect_err("two remotes have it");
    let Error::BranchAmbiguous { mut candidates, .. } = error else { panic!("{error:?}") };
    candidates.sort();
    assert_eq!(candidates, ["fork/both", "origin/both"]);
    assert_eq!(add(&git, &existing(&clone, "fork/both")).branch.as_deref(), Some("both"));
}

#[test]
fn every_refusal_is_precise_and_leaves_nothing_behind() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let root = sandbox.root();
    let empty = sandbox.init("empty");
    let taken = add(&git, &new(&app, "feat/taken")).path;
    let _ = sandbox.git(&app, &["branch", "Release"]);
    fs::create_dir(root.join("full")).expect("a folder");
    fs::write(root.join("full/precious"), "data").expect("a file");
    fs::write(root.join("a file"), "data").expect("a file");
    std::os::unix::fs::symlink("nowhere", root.join("link")).expect("a link");
    let before = sandbox.everything(&app);
    let refusal = |wanted: &NewWorktree, words: &str| {
        let error = git.add_worktree(wanted).expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(sandbox.everything(&app), before, "{error}");
        error
    };

    let error = refusal(&new(&root.join("home"), "x"), "is not in a git repository");
    assert!(matches!(error, Error::NotARepository { .. }));
    let error = refusal(&new(&root.join("nowhere"), "x"), "cannot be opened");
    assert!(matches!(error, Error::NoDirectory { .. }));
    let error = refusal(&new(&empty, "x"), "no commits yet");
    assert!(matches!(error, Error::NoCommits { path } if path == empty));
    let error = refusal(&new(&app, "bad..name"), "cannot be a branch's name");
    assert!(matches!(error, Error::InvalidName { .. }));
    let error = refusal(&new(&app, "feat/taken"), &taken.display().to_string());
    assert!(matches!(error, Error::BranchExists { .. }));
    let error = refusal(&new(&app, "feat"), "`feat/taken`");
    assert!(matches!(error, Error::BranchClash { .. }));
    let error = refusal(&new(&app, "main/x"), "beside the branch `main`");
    assert!(matches!(error, Error::BranchClash { .. }));
    let error = refusal(&existing(&app, "release"), "Did you mean `Release`?");
    assert!(matches!(error, Error::BranchUnknown { .. }));
    let error = refusal(&existing(&app, "--force"), "no branch `--force`");
    assert!(matches!(error, Error::BranchUnknown { .. }));
    let error = refusal(&existing(&app, "main"), &app.display().to_string());
    assert!(matches!(error, Error::BranchInUse { missing: false, .. }));
    let error = refusal(&existing(&app, "feat/taken"), &taken.display().to_string());
    assert!(matches!(error, Error::BranchInUse { path, .. } if path == taken));
    for target in ["full", "a file", "link"] {
        let error = refusal(&at(new(&app, "x"), root.join(target)), "not an empty folder");
        assert!(matches!(error, Error::TargetNotEmpty { .. }), "{target}");
    }
    for target in [app.join("sub/wt"), taken.join("wt"), root.join("home/../app/wt")] {
        let error = refusal(&at(new(&app, "x"), target), "is inside the checkout");
        assert!(matches!(error, Error::InsideWorktree { .. }));
    }
    let error = refusal(&at(new(&app, "x"), "relative/path"), "not an absolute path");
    assert!(matches!(error, Error::PathNotAbsolute { .. }));
    let error = refusal(&at(new(&app, "x"), root.join("a file/below")), "");
    assert!(matches!(error, Error::Folder { .. } | Error::TargetNotEmpty { .. }), "{error:?}");
    let branch = Branch::New { name: "x".into(), base: Some("-nope".into()) };
    let error = refusal(&NewWorktree { branch, ..new(&app, "x") }, "`-nope` is no branch");
    assert!(matches!(error, Error::BaseUnknown { .. }));
}

#[test]
fn branches_that_differ_by_case_are_two() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    assert_eq!(add(&git, &new(&app, "topic")).branch.as_deref(), Some("topic"));
    if fs::metadata(sandbox.root().join("APP")).is_ok() {
        // A file system without case: git cannot keep both, and must refuse.
        assert!(git.add_worktree(&new(&app, "Topic")).is_err());
        return;
    }
    assert_eq!(add(&git, &new(&app, "Topic")).branch.as_deref(), Some("Topic"));
}

#[test]
fn a_failed_checkout_takes_everything_back() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    sandbox.commit(&app, ".gitattributes", "file filter=broken\n", "Filter");
    let _ = sandbox.git(&app, &["config", "filter.broken.smudge", "false"]);
    let _ = sandbox.git(&app, &["config", "filter.broken.required", "true"]);
    let empty = sandbox.root().join("empty");
    fs::create_dir(&empty).expect("an empty folder");
    let before = sandbox.everything(&app);
    for wanted in [
        new(&app, "x"),
        at(new(&app, "x"), sandbox.root().join("a/b/c")),
        at(new(&app, "x"), &empty),
    ] {
        let error = git.add_worktree(&wanted).expect_err("the filter fails");
        assert!(matches!(error, Error::Git { .. }), "{error:?}");
        assert_eq!(sandbox.everything(&app), before, "{error}");
    }
}

#[test]
fn an_endless_checkout_is_ended_and_taken_back() {
    let (sandbox, app) = Sandbox::with_app();
    sandbox.commit(&app, ".gitattributes", "file filter=slow\n", "Filter");
    // Deaf to the polite signal, too: git is killed in the middle of it.
    let slow = "trap '' TERM; sleep 600";
    let _ = sandbox.git(&app, &["config", "filter.slow.smudge", slow]);
    let limits = Limits { write: Duration::from_secs(1), ..Limits::default() };
    let git = sandbox.handle_within(limits);
    let before = sandbox.everything(&app);
    let error = git.add_worktree(&new(&app, "x")).expect_err("it never ends");
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert_eq!(sandbox.everything(&app), before, "{error}");
}

#[test]
fn a_failing_hook_does_not_cost_the_worktree() {
    let (sandbox, app) = Sandbox::with_app();
    script(&app.join(".git/hooks/post-checkout"), "echo the hook is sad >&2; exit 3");
    let added = sandbox.handle().add_worktree(&new(&app, "topic")).expect("a worktree");
    assert!(added.worktree.path.join("file").exists());
    let notice = added.notice.expect("a notice");
    assert!(notice.contains("the hook is sad"), "{notice}");
}

#[test]
fn lost_and_locked_worktrees_are_known() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let lost = add(&git, &new(&app, "lost")).path;
    let locked = add(&git, &new(&app, "locked")).path;
    fs::remove_dir_all(&lost).expect("removed by hand");
    let _ = sandbox
        .git(&app, &["worktree", "lock", "--reason", "on a disk", &locked.display().to_string()]);
    let listed = git.worktrees(&app).expect("worktrees");
    let facts = |branch: &str| {
        let found = listed.iter().find(|w| w.branch.as_deref() == Some(branch)).expect(branch);
        (found.missing, found.locked.as_deref())
    };
    assert_eq!(facts("main"), (false, None));
    assert_eq!(facts("lost"), (true, None));
    assert_eq!(facts("locked"), (false, Some("on a disk")));

    let error = git.add_worktree(&existing(&app, "lost")).expect_err("git still holds the branch");
    assert!(matches!(error, Error::BranchInUse { missing: true, .. }), "{error:?}");
    assert!(error.to_string().contains("git worktree prune"), "{error}");
    let error =
        git.add_worktree(&at(new(&app, "x"), &lost)).expect_err("git still holds the place");
    assert!(matches!(error, Error::TargetRegistered { .. }), "{error:?}");
    assert_eq!(git.worktrees(&app).expect("worktrees"), listed, "nothing was pruned");
}

#[test]
fn a_bare_repository_has_worktrees_too() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    let bare = sandbox.root().join("app.git");
    let _ = sandbox.git(&sandbox.root(), &["clone", "-q", "--bare", "app", "app.git"]);
    let made = add(&git, &existing(&bare, "main"));
    assert_eq!(made.path, sandbox.root().join("app-worktrees/main"));
    let found = git.repository(&made.path).expect("a repository");
    assert_eq!((found.root, found.bare), (bare.clone(), true));
    assert!(git.worktrees(&made.path).expect("worktrees")[0].bare);
    assert_eq!(add(&git, &at(new(&bare, "x"), bare.join("x"))).path, bare.join("x"));
    drop(app);
}
