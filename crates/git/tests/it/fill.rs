//! Worktrees whose files come behind: usable at once, never overwritten, gone on with after a crash.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use maestro_git::{Branch, Error, Git, NewWorktree, Place};

use crate::{Sandbox, script};

fn wanted(repository: &Path, name: &str) -> NewWorktree {
    let branch = Branch::New { name: name.into(), base: None };
    NewWorktree { repository: repository.into(), branch, path: None, place: Place::Beside }
}

fn never() -> Arc<AtomicBool> {
    Arc::default()
}

/// A repository with some files, a folder, a link and an executable.
fn app() -> (Sandbox, PathBuf, Git) {
    let (sandbox, app) = Sandbox::with_app();
    fs::create_dir(app.join("deep")).expect("a folder");
    for number in 0..40 {
        let text = format!("{number}\n").repeat(2_000);
        fs::write(app.join(format!("deep/{number}")), text).expect("a file");
    }
    std::os::unix::fs::symlink("file", app.join("link")).expect("a link");
    fs::write(app.join("run"), "#!/bin/sh\n").expect("a program");
    fs::set_permissions(app.join("run"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let _ = sandbox.git(&app, &["add", "--all"]);
    let _ = sandbox.git(&app, &["commit", "--quiet", "--message", "More"]);
    let git = sandbox.handle();
    (sandbox, app, git)
}

#[test]
fn files_come_behind_and_the_index_is_nobodys_until_then() {
    let (sandbox, app, git) = app();
    let hook = app.join(".git/hooks/post-checkout");
    script(&hook, "echo \"$PWD $1 $3\" > \"$(git rev-parse --git-dir)/told\"\n");
    let made = git.register_worktree(&wanted(&app, "topic")).expect("a worktree");
    let path = made.worktree.path.clone();
    let git_dir = made.to_fill.expect("files to come");
    assert_eq!((made.notice, made.worktree.branch.as_deref()), (None, Some("topic")));
    assert!(git.is_filling(&path).expect("looked") && !path.join("file").exists());
    assert!(!git_dir.join("told").exists());
    // Who comes first writes nothing down that everything is gone.
    let refused = std::process::Command::new("git")
        .args(["commit", "--all", "--message", "oops"])
        .current_dir(&path)
        .env_clear()
        .envs(sandbox.environment())
        .output()
        .expect("git runs");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("index.lock"), "{refused:?}");

    let told = Mutex::new(Vec::new());
    let notice =
        git.fill(&path, &never(), &|done, all| told.lock().expect("free").push((done, all)));
    assert_eq!(notice.expect("filled"), None);
    assert_eq!(told.lock().expect("free").last(), Some(&(43, 43)));
    assert_eq!(sandbox.git(&path, &["status", "--porcelain"]), "");
    assert_eq!(fs::read_link(path.join("link")).expect("a link"), Path::new("file"));
    let mode = fs::metadata(path.join("run")).expect("a program").permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
    let zeros = "0".repeat(40);
    let heard = fs::read_to_string(git_dir.join("told")).expect("the hook ran");
    assert_eq!(heard.trim_end(), format!("{} {zeros} 1", path.display()));
    assert!(!git.is_filling(&path).expect("looked"));
    assert!(matches!(git.fill(&path, &never(), &|_, _| {}), Err(Error::NotFilling { .. })));
    sandbox.commit(&path, "file", "two\n", "Second");
}

#[test]
fn what_somebody_wrote_meanwhile_stays() {
    let (sandbox, app, git) = app();
    let made = git.register_worktree(&wanted(&app, "topic")).expect("a worktree");
    let path = made.worktree.path;
    fs::write(path.join("file"), "mine").expect("written");
    fs::create_dir(path.join("deep")).expect("made");
    fs::write(path.join("deep/7"), "mine, too").expect("written");
    fs::write(path.join("new"), "new").expect("written");
    assert_eq!(git.fill(&path, &never(), &|_, _| {}).expect("filled"), None);
    assert_eq!(fs::read(path.join("file")).expect("there"), b"mine");
    assert_eq!(fs::read(path.join("deep/7")).expect("there"), b"mine, too");
    let status = sandbox.git(&path, &["status", "--porcelain"]);
    assert_eq!(status.trim(), "M deep/7\n M file\n?? new");
}

#[test]
fn after_a_crash_it_goes_on() {
    let (sandbox, app, git) = app();
    let made = git.register_worktree(&wanted(&app, "topic")).expect("a worktree");
    let (path, git_dir) = (made.worktree.path, made.to_fill.expect("files to come"));
    // As if it had died in the middle: some files are there, one is cut off, one is somebody's.
    fs::write(git_dir.join("index.maestro"), "half").expect("written");
    fs::write(git_dir.join("index.maestro.lock"), "").expect("written");
    fs::create_dir(path.join("deep")).expect("made");
    let whole = fs::read(app.join("deep/3")).expect("there");
    fs::write(path.join("deep/3"), &whole[..100]).expect("written");
    fs::write(path.join("deep/4"), "another text").expect("written");
    assert!(git.is_filling(&path).expect("looked"));
    assert_eq!(git.fill(&path, &never(), &|_, _| {}).expect("filled"), None);
    assert_eq!(sandbox.git(&path, &["status", "--porcelain"]).trim(), "M deep/4");

    // Between its last two steps.
    let made = git.register_worktree(&wanted(&app, "other")).expect("a worktree");
    let (path, git_dir) = (made.worktree.path, made.to_fill.expect("files to come"));
    assert_eq!(git.fill(&path, &never(), &|_, _| {}).expect("filled"), None);
    fs::rename(git_dir.join("index"), git_dir.join("index.lock")).expect("renamed");
    assert!(git.is_filling(&path).expect("looked"));
    assert_eq!(git.fill(&path, &never(), &|_, _| {}).expect("filled"), None);
    assert_eq!(sandbox.git(&path, &["status", "--porcelain"]), "");
    // A lock that is git's own is none of ours.
    fs::write(git_dir.join("index.lock"), "").expect("written");
    assert!(!git.is_filling(&path).expect("looked"));
}

#[test]
fn it_can_be_stopped_and_given_up_or_gone_on_with() {
    let (sandbox, app, git) = app();
    let made = git.register_worktree(&wanted(&app, "topic")).expect("a worktree");
    let path = made.worktree.path;
    let stop: Arc<AtomicBool> = Arc::default();
    stop.store(true, Ordering::Relaxed);
    let _slow = sandbox.git(&app, &["config", "filter.slow.smudge", "sleep 60; cat"]);
    fs::write(app.join(".git/info/attributes"), "file filter=slow\n").expect("attributes");
    let stopped = git.fill(&path, &stop, &|_, _| {});
    assert!(matches!(stopped, Err(Error::Stopped { .. })), "{stopped:?}");
    fs::remove_file(app.join(".git/info/attributes")).expect("removed");
    fs::write(path.join("mine"), "mine").expect("written");
    assert!(!git.abandon_filling(&path).expect("looked"), "somebody's work is in it");
    assert!(path.join("mine").exists());
    fs::remove_file(path.join("mine")).expect("removed");
    assert!(git.abandon_filling(&path).expect("looked"));
    assert!(!path.exists() && git.worktrees(&app).expect("listed").len() == 1);

    let made = git.register_worktree(&wanted(&app, "second")).expect("a worktree");
    let path = made.worktree.path;
    // A file that cannot be written is missing, and that is said.
    fs::write(path.join("deep"), "in the way").expect("written");
    let failed = git.fill(&path, &never(), &|_, _| {}).expect_err("unfilled");
    assert!(matches!(failed, Error::Unfilled { missing: 40.., total: 43, .. }), "{failed}");
    fs::remove_file(path.join("deep")).expect("removed");
    assert_eq!(git.fill(&path, &never(), &|_, _| {}).expect("filled"), None);
    assert_eq!(sandbox.git(&path, &["status", "--porcelain"]), "");
}

#[test]
fn where_files_cannot_come_behind_they_come_at_once() {
    let (sandbox, app, git) = app();
    let _ = sandbox.git(&app, &["sparse-checkout", "set", "--no-cone", "/file", "/run"]);
    let made = git.register_worktree(&wanted(&app, "topic")).expect("a worktree");
    assert_eq!(made.to_fill, None);
    let path = made.worktree.path;
    assert!(path.join("file").exists() && !path.join("deep").exists(), "as sparse as that");
    assert_eq!(sandbox.git(&path, &["status", "--porcelain"]), "");
}
