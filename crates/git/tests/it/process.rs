//! Git that is missing, old, endless or led astray.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use maestro_git::{Error, Git, Limits};

use crate::{Sandbox, script};

/// A handle whose git is a script; everything else is found as always.
fn fake(sandbox: &Sandbox, text: &str, limits: Limits) -> Git {
    let bin = sandbox.root().join("bin");
    script(&bin.join("git"), text);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    let environment = sandbox.environment().into_iter().filter(|(name, _)| name != "PATH");
    Git::with_limits(environment.chain([("PATH".into(), path.into())]), limits)
}

#[test]
fn a_missing_or_old_git_is_named() {
    let (sandbox, app) = Sandbox::with_app();
    for path in [None, Some("/nowhere"), Some("")] {
        let environment = path.map(|path| ("PATH".into(), path.into()));
        let error = Git::new(environment).worktrees(&app).expect_err("there is no git");
        assert!(matches!(error, Error::GitMissing), "{error:?}");
    }
    let old = fake(&sandbox, "echo git version 2.20.1", Limits::default());
    let error = old.worktrees(&app).expect_err("it is too old");
    assert!(error.to_string().starts_with("git 2.20 is too old"), "{error}");
    let middle = fake(&sandbox, "echo git version 2.34.1", Limits::default());
    let error = middle.conflicts_between(&app, "main", "main").expect_err("too old for that");
    assert!(error.to_string().contains("needs git 2.38"), "{error}");
    let odd = fake(&sandbox, "echo hello", Limits::default());
    assert!(matches!(odd.version(), Err(Error::Git { .. })));
}

#[test]
fn endless_output_is_cut() {
    let sandbox = Sandbox::new();
    let limits = Limits { output: 1 << 20, ..Limits::default() };
    let git = fake(&sandbox, "yes; exit 0", limits);
    let error = git.version().expect_err("it never stops");
    assert!(matches!(error, Error::TooMuch { limit, .. } if limit == 1 << 20), "{error:?}");
}

#[test]
fn a_hook_that_ignores_everything_is_ended_with_its_children() {
    let (sandbox, app) = Sandbox::with_app();
    let hook = "trap '' TERM HUP\nsleep 600 &\necho $! > ../pid\necho ready > ../ready\nwait; wait; sleep 600";
    script(&app.join(".git/hooks/pre-commit"), hook);
    fs::write(app.join("new"), "").expect("a file");
    let git = sandbox.handle_within(Limits { write: Duration::from_secs(2), ..Limits::default() });
    let error = git.commit_all(&app, "Never").expect_err("the hook hangs");
    assert!(matches!(&error, Error::TimedOut { command, .. } if command == "commit"), "{error:?}");
    assert!(sandbox.root().join("ready").exists(), "the hook had begun");
    let pid = fs::read_to_string(sandbox.root().join("pid")).expect("its child");
    let deadline = Instant::now() + Duration::from_secs(20);
    while alive(pid.trim()) {
        assert!(Instant::now() < deadline, "process {pid} is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process runs; a zombie that nobody has awaited does not.
fn alive(pid: &str) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid).join("stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'))
}

#[test]
fn what_a_hook_leaves_running_is_not_waited_for() {
    let (sandbox, app) = Sandbox::with_app();
    script(&app.join(".git/hooks/post-commit"), "sleep 600 &\necho $! > ../pid");
    fs::write(app.join("new"), "").expect("a file");
    let begun = Instant::now();
    let commit = sandbox.handle().commit_all(&app, "Done").expect("a commit");
    assert!(commit.is_some());
    assert!(begun.elapsed() < Duration::from_secs(300), "the sleeper holds the pipe for longer");
    let pid = fs::read_to_string(sandbox.root().join("pid")).expect("the sleeper");
    let ended = std::process::Command::new("kill").arg(pid.trim()).status().expect("kill runs");
    assert!(ended.success(), "what the user's hook started was left alone");
}

#[test]
fn variables_that_point_elsewhere_are_not_followed() {
    let (sandbox, app) = Sandbox::with_app();
    let other = sandbox.init("other");
    let expected = sandbox.git(&app, &["rev-parse", "HEAD^{tree}"]);
    let mut environment = sandbox.environment();
    for (name, value) in [
        ("GIT_DIR", other.join(".git")),
        ("GIT_WORK_TREE", other.clone()),
        ("GIT_INDEX_FILE", other.join("index")),
        ("GIT_OBJECT_DIRECTORY", other.join("objects")),
    ] {
        environment.push((name.into(), value.into()));
    }
    let git = Git::new(environment);
    assert_eq!(git.tree_of(&app).expect("a tree"), expected);
    assert_eq!(git.status(&app).expect("a status").branch.as_deref(), Some("main"));
    fs::write(app.join("new"), "").expect("a file");
    assert!(git.commit_all(&app, "Here").expect("a commit").is_some());
    assert!(!other.join("index").exists() && !other.join("objects").exists());
}
