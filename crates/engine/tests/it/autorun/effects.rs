//! What a run does to its repository and for its user: commits, taking back, worktrees, evidence, reports.

use maestro_core::run::{Branching, Dirty, PullRequest};

use super::*;

pub(super) fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("git runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A world whose repository has a commit with its documents.
pub(super) fn committed(documents: &[(&str, &str)]) -> World {
    let world = World::new(documents).with_repository();
    let work = world.path("work");
    for (name, value) in [("user.name", "Test"), ("user.email", "t@example.org")] {
        let _ = git(&work, &["config", name, value]);
    }
    fs::write(work.join(".gitignore"), "turns.log\nhanging\nreports\n").expect("a file");
    let _ = git(&work, &["add", "--all"]);
    let _ = git(&work, &["commit", "-qm", "First"]);
    world
}

fn hook(world: &World, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = world.path("work/.git/hooks").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a hook");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_task_becomes_a_commit_that_the_hooks_agree_to() {
    let world = committed(&[("tasks.md", "- [ ] write a\n- [ ] write bad\n- [ ] write c\n")]);
    let work = world.path("work");
    hook(
        &world,
        "pre-commit",
        "echo asked >>../asked; ! git diff --cached --name-only | grep -q bad",
    );
    let runs = world.host(world.store("home/maestro.db"), None);
    let mut spec = world.spec(&["tasks.md"]);
    spec.options.commit = Some(true);
    spec.attempts = 1;
    let run = runs.start(spec).await.expect("it starts");
    let run = ended(&runs, &run).await;
    assert_eq!(run.state, State::Ended(Ending::WithFailures), "{run:#?}");
    let done: Vec<_> = run.tasks.iter().map(|task| (task.state, task.commits.len())).collect();
    assert_eq!(
        done,
        [(TaskState::Done, 1), (TaskState::Failed, 0), (TaskState::Done, 1)],
        "{run:#?}"
    );
    assert_eq!(world.text("tasks.md"), "- [x] write a\n- [ ] write bad\n- [x] write c\n");
    let log = git(&work, &["log", "--format=%H", "--reverse"]);
    let log: Vec<&str> = log.lines().skip(1).collect();
    assert_eq!(log, [run.tasks[0].commits[0].as_str(), run.tasks[2].commits[0].as_str()]);
    let files = |commit: &str| git(&work, &["show", "--format=", "--name-only", commit]);
    assert_eq!(files(log[0]), "a\ntasks.md", "the tick belongs to the task's commit");
    assert_eq!(files(log[1]), "c\ntasks.md", "what a failed task left is in no other's commit");
    assert_eq!(git(&work, &["status", "--porcelain"]), "?? bad");
    assert!(fs::read_to_string(world.path("asked")).expect("the hook ran").lines().count() >= 3);
    let evidence = runs.evidence(run.id, 1).await.expect("evidence");
    let refused: Vec<_> = evidence.verified.iter().map(|verify| verify.command.as_str()).collect();
    assert_eq!(refused, ["git commit"], "{evidence:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_taken_back_unless_others_build_on_it() {
    let world = committed(&[("tasks.md", "- [ ] write a\n- [ ] write b\n- [ ] write a\n")]);
    let store = world.store("home/maestro.db");
    let runs = world.host(store, None);
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    let run = ended(&runs, &run).await;
    assert_eq!(run.state, State::Ended(Ending::Completed), "{run:#?}");
    assert_eq!(world.text("a").lines().count(), 2);

    let evidence = runs.evidence(run.id, 0).await.expect("evidence");
    assert_eq!(evidence.turns.len(), 1);
    assert!(evidence.turns[0].prompt.contains("write a"), "{evidence:#?}");
    assert!(evidence.diff.as_deref().is_some_and(|diff| diff.contains("+++ b/a")), "{evidence:#?}");
    assert_eq!(evidence.built_on_by, [2]);
    // The trees it speaks of stay, whatever git tidies up.
    let _ = git(&world.path("work"), &["gc", "-q", "--prune=now"]);
    assert_eq!(runs.evidence(run.id, 0).await.expect("evidence").diff, evidence.diff);

    let refused = runs.undo(run.id, 0, false).await.expect_err("another task builds on it");
    assert!(refused.message.contains("write a"), "{}", refused.message);
    assert_eq!(world.text("a").lines().count(), 2);
    // The last one first.
    let undone = runs.undo(run.id, 2, false).await.expect("it is taken back");
    assert_eq!(undone.tasks[2].state, TaskState::Undone);
    assert_eq!((undone.done, undone.open), (2, 1), "its box is counted as open");
    let report = fs::read_to_string(undone.report.as_ref().expect("a report")).expect("written");
    assert!(report.contains("2 done, 1 undone; 1 box is open"), "{report}");
    assert_eq!(world.text("a").lines().count(), 1);
    assert_eq!(world.text("tasks.md"), "- [x] write a\n- [x] write b\n- [ ] write a\n");
    // Somebody else's work is not lost without a word.
    fs::write(world.path("work/a"), "by hand\n").expect("a file");
    let refused = runs.undo(run.id, 0, false).await.expect_err("somebody else changed it");
    assert!(refused.message.contains("Somebody else"), "{}", refused.message);
    let undone = runs.undo(run.id, 0, true).await.expect("by force");
    assert_eq!(undone.tasks[0].state, TaskState::Undone);
    assert!(!world.path("work/a").exists());
    assert!(world.path("work/b").exists(), "what other tasks did stays");
    assert_eq!(world.text("tasks.md"), "- [ ] write a\n- [x] write b\n- [ ] write a\n");

    // Trying it again is a run of that one task.
    let again = runs.retry(run.id, 0).await.expect("a new run");
    assert_ne!(again.id, run.id);
    let again = ended(&runs, &again).await;
    assert_eq!(states(&again), [("write a", TaskState::Done, 1)], "{again:#?}");
    assert_eq!(world.text("tasks.md"), "- [x] write a\n- [x] write b\n- [ ] write a\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_paused_resumed_and_passes_over_tasks() {
    let world = World::new(&[("tasks.md", "- [ ] wait\n- [ ] write b\n- [ ] write c\n")]);
    let runs = world.host(world.store("home/maestro.db"), None);
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    until("the turn hangs", async || !world.text("hanging").is_empty()).await;
    assert!(runs.pause(run.id).await.is_ok());
    let _ = runs.skip(run.id, Some(0)).await.expect("it is passed over");
    until("it is paused", async || {
        runs.get(run.id).await.expect("known").state == State::Paused(Pause::User)
    })
    .await;
    assert_eq!(world.text("b"), "", "nothing is begun in a pause");
    let refused = runs.skip(run.id, Some(9)).await.expect_err("there is no such task");
    assert_eq!(refused.kind, ErrorKind::Invalid);
    let _ = runs.resume(run.id).await.expect("it goes on");
    let run = ended(&runs, &run).await;
    let found: Vec<_> = run.tasks.iter().map(|task| task.state).collect();
    assert_eq!(found, [TaskState::Skipped, TaskState::Done, TaskState::Done], "{run:#?}");
    assert_eq!(world.text("tasks.md"), "- [ ] wait\n- [x] write b\n- [x] write c\n");
    assert_eq!(runs.pause(run.id).await.expect_err("it has ended").kind, ErrorKind::Invalid);
    // A report is beside the documents, and is what one can ask for.
    let report = run.report.clone().expect("a report");
    assert!(report.starts_with(world.path("work/reports")), "{}", report.display());
    let text = fs::read_to_string(&report).expect("a report");
    assert!(text.contains("2 done, 1 skipped"), "{text}");
    assert_eq!(runs.report(run.id).await.expect("a report"), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_works_in_a_worktree_of_its_own() {
    let world = committed(&[("tasks.md", "- [ ] write a\n")]);
    let work = world.path("work");
    // The user's own changes are no concern of a worktree.
    fs::write(work.join(".gitignore"), "changed\nturns.log\nreports\n").expect("a file");
    let runs = world.host(world.store("home/maestro.db"), None);
    let mut spec = world.spec(&["tasks.md"]);
    spec.options.worktree = Some(Branching { branch: "auto/{{run_id}}".to_owned(), base: None });
    let run = runs.start(spec).await.expect("it starts");
    let run = ended(&runs, &run).await;
    assert_eq!(run.state, State::Ended(Ending::Completed), "{run:#?}");
    let place = run.worktree.clone().expect("a worktree");
    assert!(place.join("a").exists() && !work.join("a").exists());
    assert_eq!(git(&place, &["rev-parse", "--abbrev-ref", "HEAD"]), "auto/r1");
    assert_eq!(run.tasks[0].commits.len(), 1, "commits are the rule there");
    assert_eq!(world.text("tasks.md"), "- [x] write a\n", "the documents stay where they are");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_is_the_users() {
    let world = committed(&[("tasks.md", "- [ ] write a\n"), ("mine", "1\n")]);
    fs::write(world.path("work/mine"), "2\n").expect("a file");
    fs::write(world.path("work/tasks.md"), "- [ ] write a\n\nMore.\n").expect("a file");
    let runs = world.host(world.store("home/maestro.db"), None);
    let refused = runs.start(world.spec(&["tasks.md"])).await.expect_err("it is dirty");
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(refused.message.contains("(mine)"), "{}", refused.message);
    let mut spec = world.spec(&["tasks.md"]);
    spec.options.dirty = Dirty::Snapshot;
    spec.options.commit = Some(true);
    let run = runs.start(spec).await.expect("it starts");
    let run = ended(&runs, &run).await;
    assert_eq!(run.state, State::Ended(Ending::Completed), "{run:#?}");
    let work = world.path("work");
    let kept = format!("refs/maestro/runs/{}/start", run.id);
    assert_eq!(git(&work, &["cat-file", "-p", &format!("{kept}:mine")]), "2");
    assert_eq!(git(&work, &["show", "--format=", "--name-only", "HEAD"]), "a\ntasks.md");
    assert_eq!(git(&work, &["status", "--porcelain"]), "M mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_with_a_pull_request() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = committed(&[("tasks.md", "- [ ] write a\n")]);
    let work = world.path("work");
    let _ = git(world.folder.path(), &["init", "-q", "--bare", "remote.git"]);
    let _ =
        git(&work, &["remote", "add", "origin", &world.path("remote.git").display().to_string()]);
    let gh = world.path("bin/gh");
    fs::create_dir(world.path("bin")).expect("a folder");
    fs::write(
        &gh,
        "#!/bin/sh\necho \"$@\" >../gh.log; cat >>../gh.log\necho https://example.org/a/b/pull/7\n",
    )
    .expect("a program");
    fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).expect("a mode");
    let runs = world.host(world.store("home/maestro.db"), None);
    let mut spec = world.spec(&["tasks.md"]);
    spec.options.commit = Some(true);
    spec.options.pull_request = Some(PullRequest { target: Some("main".into()), draft: true });
    let run = runs.start(spec).await.expect("it starts");
    let run = ended(&runs, &run).await;
    assert_eq!(run.pull_request.as_deref(), Some("https://example.org/a/b/pull/7"), "{run:#?}");
    let branch = git(&work, &["rev-parse", "--abbrev-ref", "HEAD"]);
    let pushed = git(&world.path("remote.git"), &["rev-parse", &branch]);
    assert_eq!(pushed, git(&work, &["rev-parse", "HEAD"]));
    let asked = fs::read_to_string(world.path("gh.log")).expect("gh was asked");
    assert!(asked.contains("--draft") && asked.contains("--base main"), "{asked}");
    assert!(asked.contains("Every task is done"), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_turns_say_is_heard() {
    let world = World::new(&[("tasks.md", "- [ ] wait\n")]);
    let runs = world.host(world.store("home/maestro.db"), None);
    let run = runs.start(world.spec(&["tasks.md"])).await.expect("it starts");
    until("the turn hangs", async || !world.text("hanging").is_empty()).await;
    let (_, receiver) = runs.hear(run.id).await.expect("known");
    let mut receiver = receiver.expect("it is at work");
    let _ = runs.kill(run.id).await.expect("known");
    let _ = ended(&runs, &run).await;
    while receiver.recv().await.is_ok() {}
    let (lines, receiver) = runs.hear(run.id).await.expect("known");
    assert!(lines.is_empty() && receiver.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_dies_around_commits_and_taking_back_is_followed() {
    for dies_at in 0.. {
        let world = committed(&[("tasks.md", "- [ ] write a\n- [ ] write a\n")]);
        let store = world.store("home/maestro.db");
        let steps = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&steps);
        let dies: Hook =
            Arc::new(move |_: &Effect| seen.fetch_add(1, Ordering::Relaxed) == dies_at);
        let runs = world.host(store.clone(), Some(dies));
        let mut spec = world.spec(&["tasks.md"]);
        spec.options.commit = Some(true);
        let run = runs.start(spec).await.expect("it starts");
        until("the host dies or is through", async || runs.active() == 0).await;
        let through = steps.load(Ordering::Relaxed) <= dies_at;
        let runs = world.host(store, None);
        let _ = runs.recover().await.expect("it recovers");
        let run = ended(&runs, &run).await;
        let at = format!("died before step {dies_at}: {run:#?}");
        assert_eq!(run.state, State::Ended(Ending::Completed), "{at}");
        assert_eq!(world.text("tasks.md"), "- [x] write a\n- [x] write a\n", "{at}");
        let work = world.path("work");
        let commits: Vec<String> = run.tasks.iter().flat_map(|task| task.commits.clone()).collect();
        assert_eq!(commits.len(), 2, "{at}");
        assert_eq!(git(&work, &["rev-list", "--count", "HEAD"]), "3", "{at}");
        assert_eq!(git(&work, &["status", "--porcelain"]), "", "{at}");
        let undone = runs.undo(run.id, 1, false).await;
        assert_eq!(undone.expect("taken back").tasks[1].state, TaskState::Undone, "{at}");
        if through {
            assert!(dies_at > 20, "there are more steps than {dies_at}");
            return;
        }
    }
}
