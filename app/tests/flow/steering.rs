//! Runs that somebody else started: followed, paused, passed over, tried again and taken back from other
//! clients, over Ctrl+C and the death of their host; and what is refused before anything begins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::place::{DEADLINE, Ended, PROGRAM, Place, collect, end, interrupt, until, wait};
use crate::schema;

/// A command that goes on beside the test.
struct Beside {
    child: Child,
    out: Receiver<Vec<u8>>,
    error: Receiver<Vec<u8>>,
}

impl Beside {
    fn start(place: &Place, args: &[&str]) -> Self {
        let mut command = place.command(args);
        let _ = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let out = collect(child.stdout.take().expect("piped"));
        let error = collect(child.stderr.take().expect("piped"));
        Self { child, out, error }
    }

    fn end(mut self) -> Ended {
        let code = wait(&mut self.child, DEADLINE);
        let text = |from: Receiver<Vec<u8>>| {
            String::from_utf8_lossy(&from.recv_timeout(DEADLINE).unwrap_or_default()).into_owned()
        };
        let ended =
            Ended { line: String::new(), code, stdout: text(self.out), stderr: text(self.error) };
        assert!(ended.code.is_some(), "it did not end: {ended}");
        ended
    }
}

/// The events that were printed; each is as it is described.
#[track_caller]
fn events(ended: &Ended) -> Vec<Value> {
    let events = ended.events();
    for event in &events {
        assert_eq!(schema::flaw(event), None, "{event:#}");
    }
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

/// A task whose turn waits for a file in the run's directory.
fn held(name: &str, rest: &str) -> String {
    format!(
        "- [ ] {name} [[bash touch {name}-began; while [ ! -e {name}-go \\]; do sleep 0.05; done]] {rest}\n"
    )
}

fn begun(directory: &Path, name: &str) {
    let file = directory.join(format!("{name}-began"));
    until("the task has begun", || file.exists().then_some(()));
}

fn go(directory: &Path, name: &str) {
    fs::write(directory.join(format!("{name}-go")), "").expect("written");
}

fn state(place: &Place, run: &str) -> Value {
    place.json(&["run", "show", run])["state"].clone()
}

fn ends(place: &Place, run: &str) -> Value {
    until("it ends", || {
        let run = place.json(&["run", "show", run]);
        (!run["state"]["ended"].is_null()).then_some(run)
    })
}

fn shop(place: &Place) -> (PathBuf, String) {
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    (repository, dir)
}

#[test]
fn a_run_is_paused_and_resumed_by_another_client_than_the_one_that_started_it() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let text = held("one", "[[write one.txt 1]]") + "- [ ] Two [[write two.txt 2]]\n";
    let tasks = place.document("tasks.md", &text);
    let id = place.ok(&["run", &tasks, "-p", "demo", "-d", &dir, "--detach"]);
    assert_eq!(id, "r1");
    begun(&repository, "one");
    let stays = Beside::start(&place, &["run", "watch", "r1", "--jsonl", "--stay", "--hear"]);
    let leaves = Beside::start(&place, &["run", "watch", "r1"]);
    let _ = place.ok(&["run", "pause", "r1"]);
    assert_eq!(state(&place, "r1"), "running", "its turn goes on");
    assert_eq!(place.json(&["run", "show", "r1"])["pausing"], true);
    assert!(place.ok(&["run", "list"]).contains("pausing after this task"));
    go(&repository, "one");
    until("it is paused", || (!state(&place, "r1")["paused"].is_null()).then_some(()));
    // A script that watches is not left hanging.
    let left = leaves.end();
    let _ = left.fails(6, &["r1 is paused", "maestro run resume r1"]);
    assert!(place.ok(&["run", "list", "--state", "paused"]).contains("r1"));
    let _ = place.fails(6, &["paused"], &["run", "watch", "r1"]);
    assert!(!repository.join("two.txt").exists(), "it does nothing meanwhile");

    let _ = place.ok(&["run", "resume", "r1"]);
    let ended = stays.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    let events = events(&ended);
    let kinds = kinds(&events);
    let at = |kind: &str| {
        kinds.iter().position(|k| *k == kind).unwrap_or_else(|| panic!("no {kind}: {ended}"))
    };
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("start", "complete"));
    assert!(at("pausing") < at("paused") && at("paused") < at("resumed"), "{kinds:?}");
    assert!(kinds.contains(&"heard"), "what its turns say: {kinds:?}");
    let complete = events.last().expect("some");
    assert_eq!((&complete["success"], &complete["unverified"]), (&json!(true), &json!(2)));
    assert_eq!(place.read(&tasks), text.replace("- [ ]", "- [x]"));

    // Whoever comes later is told the whole story, and the exit code.
    let late = place.run(&["run", "watch", "r1", "--jsonl"]);
    assert_eq!(late.code, Some(0), "{late}");
    let story = self::events(&late);
    assert_eq!(self::kinds(&story).iter().filter(|kind| **kind == "task_complete").count(), 2);
}

#[test]
fn tasks_are_passed_over_tried_again_and_taken_back() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let text = held("one", "")
        + "- [ ] Two [[write two.txt 2]]\n\
           - [ ] Three [[append notes.txt three]]\n  - verify: test -e allowed\n\
           - [ ] Four [[write four.txt 4]]\n"
        + &held("five", "");
    let tasks = place.document("tasks.md", &text);
    let start = ["run", &tasks, "-p", "demo", "-d", &dir, "--attempts", "1", "--yes", "--detach"];
    let _ = place.ok(&start);
    begun(&repository, "one");
    // The one it is at.
    let _ = place.ok(&["run", "skip", "r1"]);
    begun(&repository, "five");
    let run = place.json(&["run", "show", "r1"]);
    let states: Vec<&str> = run["tasks"]
        .as_array()
        .map(|tasks| tasks.iter().filter_map(|task| task["state"].as_str()).collect())
        .unwrap_or_default();
    assert_eq!(states, ["skipped", "done", "failed", "done", "working"], "{run:#}");
    // Only while it has not been passed.
    go(&repository, "five");
    let run = ends(&place, "r1");
    assert_eq!(run["state"], json!({ "ended": "with_failures" }), "{run:#}");
    assert_eq!(place.run(&["run", "watch", "r1"]).code, Some(1));

    // Several could be meant.
    let _ = place.fails(2, &["1, 3"], &["run", "retry", "r1"]);
    fs::write(repository.join("allowed"), "").expect("written");
    let again = place.ok(&["run", "retry", "r1", "3"]);
    assert_eq!(again, "r2", "of a run that has ended, it is a run of its own");
    let run = ends(&place, "r2");
    assert_eq!(run["state"], json!({ "ended": "completed" }), "{run:#}");
    let after = place.read(&tasks);
    assert!(after.contains("[x] Three") && after.contains("[ ] one"), "{after}");

    let evidence = place.json(&["run", "evidence", "r1", "4"]);
    assert_eq!((&evidence["run"], &evidence["number"]), (&json!("r1"), &json!(4)));
    assert!(
        evidence["diff"].as_str().is_some_and(|diff| diff.contains("four.txt")),
        "{evidence:#}"
    );
    let shown = place.ok(&["run", "evidence", "r1", "3"]);
    assert!(shown.contains("$ test -e allowed: exit code 1"), "{shown}");
    let _ = place.ok(&["run", "undo", "r1", "4"]);
    assert!(!repository.join("four.txt").exists(), "it is as it was before");
    assert!(repository.join("two.txt").exists() && repository.join("notes.txt").exists());
    let after = place.read(&tasks);
    assert!(after.contains("[ ] Four"), "its box is open again: {after}");
    assert_eq!(place.json(&["run", "show", "r1"])["tasks"][3]["state"], "undone");
    let _ = place.fails(2, &["no task 9"], &["run", "evidence", "r1", "9"]);
}

#[test]
fn what_later_tasks_build_on_is_taken_back_only_by_force() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let tasks = place.document(
        "tasks.md",
        "- [ ] Begin [[write list.txt one\\n]]\n- [ ] Go on [[append list.txt two]]\n- [ ] Other [[write o.txt o]]\n",
    );
    let _ = place.ok(&["run", &tasks, "-p", "demo", "-d", &dir]);
    let refused = place.run(&["run", "undo", "r1", "1"]);
    assert_eq!(refused.code, Some(8), "{refused}");
    assert!(refused.stderr.contains("Go on") && refused.stderr.contains("force"), "{refused}");
    assert!(place.read(repository.join("list.txt")).contains("two"), "nothing was done");
    assert_eq!(place.json(&["run", "evidence", "r1", "1"])["built_on_by"], json!([2]));
    let _ = place.ok(&["run", "undo", "r1", "1", "--force"]);
    assert!(!repository.join("list.txt").exists());
    assert!(repository.join("o.txt").exists(), "what does not build on it stays");
}

#[test]
fn ctrl_c_stops_after_the_task_and_twice_stops_now() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let text = held("one", "[[write one.txt 1]]") + "- [ ] Two [[write two.txt 2]]\n";
    let tasks = place.document("tasks.md", &text);
    let run = ["run", &tasks, "-p", "demo", "-d", &dir, "--jsonl"];
    let follower = Beside::start(&place, &run);
    begun(&repository, "one");
    let pressed = Instant::now();
    interrupt(follower.child.id());
    until("it is told", || (state(&place, "r1") == "stopping").then_some(()));
    // Not when the client would have given up waiting for the host.
    assert!(pressed.elapsed() < Duration::from_secs(15), "after {:?}", pressed.elapsed());
    go(&repository, "one");
    let ended = follower.end();
    assert_eq!(ended.code, Some(7), "{ended}");
    assert!(ended.stderr.contains("after this task"), "{ended}");
    let told = events(&ended);
    assert!(kinds(&told).contains(&"stopping"), "{ended}");
    let after = place.read(&tasks);
    assert!(after.contains("[x] one") && after.contains("[ ] Two"), "{after}");

    for file in ["one-began", "one-go"] {
        fs::remove_file(repository.join(file)).expect("removed");
    }
    fs::write(&tasks, &text).expect("written");
    let follower = Beside::start(&place, &run);
    begun(&repository, "one");
    interrupt(follower.child.id());
    until("it is told", || (state(&place, "r2") == "stopping").then_some(()));
    interrupt(follower.child.id());
    let ended = follower.end();
    assert_eq!(ended.code, Some(7), "{ended}");
    assert_eq!(state(&place, "r2"), json!({ "ended": "killed" }));
    until("its processes are gone", || place.children().is_empty().then_some(()));
    assert!(place.read(&tasks).contains("[ ] one"));

    // Watching is only looking.
    fs::remove_file(repository.join("one-began")).expect("removed");
    let _ = place.ok(&["run", &tasks, "-p", "demo", "-d", &dir, "--detach"]);
    begun(&repository, "one");
    let watcher = Beside::start(&place, &["run", "watch", "r3", "--jsonl"]);
    // It hears signals from before it asks, and asks before it tells.
    let _ = place.fails(1, &["r4"], &["run", "watch", "r4"]);
    until("it watches", || {
        let status = place.json(&["host", "status"]);
        status["clients"].as_u64().is_some_and(|clients| clients >= 2).then_some(())
    });
    std::thread::sleep(Duration::from_millis(500));
    interrupt(watcher.child.id());
    let ended = watcher.end();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert!(ended.stderr.contains("r3 goes on"), "{ended}");
    assert_eq!(state(&place, "r3"), "running");
    go(&repository, "one");
    assert_eq!(ends(&place, "r3")["state"], json!({ "ended": "completed" }));
}

#[test]
fn a_follower_goes_on_over_the_death_of_its_host() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let text = "- [ ] Zero [[write zero.txt 0]]\n".to_owned()
        + &held("one", "[[write one.txt 1]]")
        + "- [ ] Two [[write two.txt 2]]\n";
    let tasks = place.document("tasks.md", &text);
    let follower = Beside::start(&place, &["run", &tasks, "-p", "demo", "-d", &dir, "--jsonl"]);
    begun(&repository, "one");
    let host = place.host();
    place.kill_host();
    let _ = until("another host runs", || place.host().filter(|now| Some(*now) != host));
    go(&repository, "one");
    let ended = follower.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("ended unexpectedly"), "{ended}");
    let told = events(&ended);
    let starts = kinds(&told).iter().filter(|kind| **kind == "start").count();
    assert_eq!(starts, 1, "the story is told once: {ended}");
    let done: Vec<&Value> = told.iter().filter(|event| event["type"] == "task_complete").collect();
    assert_eq!(done.len(), 3, "{ended}");
    assert!(done.iter().all(|event| event["success"] == true), "{ended}");
    assert_eq!(place.read(&tasks), text.replace("- [ ]", "- [x]"));
    assert_eq!(place.json(&["run", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_strangers_playbook_without_commands_starts_nothing() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let folder = repository.join(".maestro/playbooks/theirs");
    fs::create_dir_all(&folder).expect("a folder");
    let tasks = folder.join("1-first.md");
    fs::write(&tasks, "- [ ] Take it [[write taken.txt x]]\n").expect("a document");
    let _ = place.git(&repository, &["add", "--all"]);
    let _ = place.git(&repository, &["commit", "--quiet", "--message", "A playbook"]);
    let run = ["run", "theirs", "-p", "demo", "-d", &dir, "--dirty", "accept"];
    let with = |more: &'static [&'static str]| [&run[..], more].concat();
    let _ = place.fails(8, &["1-first.md", "--trust", "--yes"], &run);
    let plan = place.run(&with(&["--dry-run", "--jsonl"]));
    assert_eq!(plan.code, Some(8), "{plan}");
    let told = events(&plan);
    assert_eq!(told[0]["unknown"], json!([tasks.canonicalize().expect("a path")]));
    assert_eq!((&told[0]["trusted"], &told[0]["commands"]), (&json!(false), &json!([])));
    let shown = place.run(&with(&["--dry-run"]));
    assert!(shown.stdout.contains("not agreed to yet"), "{shown}");
    assert!(!repository.join("taken.txt").exists());
    assert_eq!(place.json(&["run", "list"]), json!([]));

    // Ticks are no change; another word is.
    let _ = place.ok(&with(&["--trust"]));
    assert!(repository.join("taken.txt").exists());
    fs::write(&tasks, place.read(&tasks).replace("[x]", "[ ]")).expect("written");
    let _ = place.ok(&run);
    fs::write(&tasks, "- [ ] Take more [[write taken.txt y]]\n").expect("written");
    let _ = place.fails(8, &["1-first.md"], &run);
    // A document that is named has been read.
    let path = tasks.display().to_string();
    let _ = place.ok(&["run", &path, "-p", "demo", "-d", &dir, "--dirty", "accept"]);
}

#[test]
fn commands_that_nobody_agreed_to_run_nothing() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let tasks = place.document(
        "tasks.md",
        "- [ ] One [[write one.txt 1]]\n  - verify: touch evil; test -e one.txt\n",
    );
    let run = ["run", &tasks, "-p", "demo", "-d", &dir];
    let with = |more: &'static [&'static str]| [&run[..], more].concat();
    let _ = place.fails(8, &["`touch evil; test -e one.txt`", "--trust", "--yes"], &run);
    let refused = place.run(&with(&["--jsonl"]));
    assert_eq!(refused.code, Some(8), "{refused}");
    let told = events(&refused);
    assert_eq!(kinds(&told), ["refused"]);
    assert!(!repository.join("evil").exists() && !repository.join("one.txt").exists());
    assert_eq!(place.json(&["run", "list"]), json!([]));

    // A dry run says so, and agreeing there starts nothing either.
    let plan = place.run(&with(&["--dry-run", "--jsonl"]));
    assert_eq!(plan.code, Some(8), "{plan}");
    let told = events(&plan);
    assert_eq!((&told[0]["type"], &told[0]["trusted"]), (&json!("plan"), &json!(false)));
    assert_eq!(told[0]["commands"], json!(["touch evil; test -e one.txt"]));
    assert_eq!(place.run(&with(&["--dry-run", "--yes"])).code, Some(0));
    assert!(!repository.join("evil").exists());

    // This time only.
    let _ = place.ok(&with(&["--yes"]));
    assert!(repository.join("evil").exists());
    fs::write(&tasks, place.read(&tasks).replace("[x]", "[ ]")).expect("written");
    let _ = place.fails(8, &["--trust"], &run);
    // From now on, until they change.
    let _ = place.ok(&with(&["--trust"]));
    fs::write(&tasks, place.read(&tasks).replace("[x]", "[ ]")).expect("written");
    let _ = place.ok(&run);
    fs::write(&tasks, place.read(&tasks).replace("[x]", "[ ]").replace("evil", "worse"))
        .expect("written");
    let _ = place.fails(8, &["worse"], &run);
    assert!(!repository.join("worse").exists());
}

/// A command in a terminal, as a person has it.
fn in_a_terminal(place: &Place, dir: &str, args: &[&str]) -> String {
    let home = format!("MAESTRO_HOME={}", place.home().root().display());
    let command = ["terminal", "new", "-d", dir, "--size", "100x30", "-e", &home, "--", PROGRAM];
    place.ok(&[&command[..], args].concat())
}

#[test]
fn a_person_is_shown_the_commands_and_asked() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let tasks =
        place.document("tasks.md", "- [ ] One [[write one.txt 1]]\n  - verify: test -e one.txt\n");
    let elsewhere = place.user().display().to_string();
    let run = ["run", &tasks, "-p", "demo", "-d", &dir];
    let terminal = in_a_terminal(&place, &elsewhere, &run);
    let screen = place.shows(&terminal, "[y/N]");
    assert!(screen.contains("test -e one.txt"), "{screen}");
    let _ = place.ok(&["terminal", "send", &terminal, "-e", r"n\r"]);
    let _ = place.shows(&terminal, "nothing was started");
    assert_eq!(place.json(&["run", "list"]), json!([]));

    let terminal = in_a_terminal(&place, &elsewhere, &run);
    let _ = place.shows(&terminal, "[y/N]");
    let _ = place.ok(&["terminal", "send", &terminal, "-e", r"y\r"]);
    let screen = place.shows(&terminal, "1 done, 0 open");
    assert!(screen.contains("✓  One"), "{screen}");
    assert!(repository.join("one.txt").exists());
    // They have been agreed to.
    fs::write(&tasks, place.read(&tasks).replace("[x]", "[ ]")).expect("written");
    let _ = place.ok(&run);
}

#[test]
fn a_terminal_has_a_line_that_lives_and_is_gone_in_the_end() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let text = held("one", "[[usage 41000 200 0.25]] [[write one.txt 1]]")
        + &held("two", "[[write two.txt \\x1b]]")
        + "- [ ] Three\n";
    let tasks = place.document("tasks.md", &text);
    let elsewhere = place.user().display().to_string();
    let terminal = in_a_terminal(&place, &elsewhere, &["run", &tasks, "-p", "demo", "-d", &dir]);
    begun(&repository, "one");
    let _ = place.shows(&terminal, "r1 0/3 · one");
    go(&repository, "one");
    begun(&repository, "two");
    let screen = place.shows(&terminal, "r1 1/3 · two");
    assert!(screen.contains("✓  one"), "{screen}");
    let _ = place.shows(&terminal, "$0.25 · 41.2k tokens");
    let _ = place.ok(&["terminal", "send", &terminal, "-e", r"\x03"]);
    let screen = place.shows(&terminal, "Ctrl+C once more");
    assert!(!screen.contains("r1 0/3"), "old lines are gone: {screen}");
    go(&repository, "two");
    let screen = place.shows(&terminal, "stopped before its end");
    assert!(!screen.contains("/3 ·"), "the line is gone: {screen}");
    assert_eq!(state(&place, "r1"), json!({ "ended": "stopped" }));
}

#[test]
fn a_run_needs_no_terminal_no_display_and_hardly_an_environment() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let tasks =
        place.document("tasks.md", "- [ ] One [[write one.txt 1]]\n  - verify: test -e one.txt\n");
    // As cron starts things: a session without a terminal, a home folder, a path and a shell.
    let mut cron = place.program("setsid");
    let _ = cron
        .args(["--wait", PROGRAM, "run", &tasks, "-p", "demo", "-d", &dir, "--yes"])
        .env_clear()
        .env("HOME", place.user())
        .env("LOGNAME", "user")
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .current_dir("/");
    let ended = end(cron, b"");
    let said = ended.ok();
    assert!(said.contains("1 done, 0 open"), "{ended}");
    assert!(!said.contains('\x1b') && !ended.stderr.contains('\x1b'), "{ended}");
    assert!(repository.join("one.txt").exists());
    // Its host is another one: it lives where a home folder has it by default.
    let mut stop = place.program(PROGRAM);
    let _ = stop
        .args(["host", "stop"])
        .env_clear()
        .env("HOME", place.user())
        .env("PATH", "/usr/bin:/bin");
    let _ = end(stop, b"").ok();
}

#[test]
fn a_dry_run_says_everything_and_does_nothing() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let text = "# Plan\n\n- [ ] One [[write one.txt 1]] {#one}\n  - verify: test -e one.txt\n\
                - [x] Done\n- [ ] Two\n  - needs: one\n";
    let tasks = place.document("tasks.md", text);
    let run = ["run", &tasks, "-p", "demo", "-d", &dir, "--dry-run"];
    let shown = place.run(&[&run[..], &["--yes"]].concat());
    let said = shown.ok();
    assert!(said.contains("One") && said.contains("verified by test -e one.txt"), "{said}");
    assert!(said.contains("no command decides") && !said.contains("Done"), "{said}");
    assert!(said.contains("2 tasks; nothing was started"), "{said}");
    let prompts = place.ok(&[&run[..], &["--yes", "--hear"]].concat());
    assert!(prompts.contains("[[write one.txt 1]]"), "{prompts}");
    let plan = place.json(&[&run[..], &["--trust"]].concat());
    assert_eq!(schema::flaw(&plan), None, "{plan:#}");
    assert_eq!(plan["tasks"].as_array().map(Vec::len), Some(2), "{plan:#}");
    assert_eq!(plan["tasks"][1]["needs"][0]["line"], 3, "{plan:#}");
    assert_eq!(place.read(&tasks), text);
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
    assert_eq!(place.json(&["run", "list"]), json!([]));

    // Somebody at work there would be in its way.
    let _ = place.ok(&["agent", "new", "it", "-p", "demo", "-d", &dir, "--no-start"]);
    let _ =
        place.ok(&["agent", "send", "it", "[[slow 2000]] [[text A long answer, word by word.]]"]);
    let busy =
        |place: &Place| !place.json(&["agent", "tabs", "it"])[0]["state"]["working"].is_null();
    until("it works", || busy(&place).then_some(()));
    let in_the_way = place.run(&[&run[..], &["--yes"]].concat());
    let _ = in_the_way.fails(8, &["agent it is at work there", "a worktree of its own"]);
    let _ = place.ok(&[&run[..], &["--yes", "--new-worktree", "side"]].concat());
    let _ = place.ok(&["agent", "interrupt", "it"]);
    until("it is over", || (!busy(&place)).then_some(()));

    // What would not work is said, and the exit code tells.
    let broken = place.document("broken.md", "- [ ] One\n  - needs: nobody\n");
    let refused = place.run(&["run", &broken, "-p", "demo", "-d", &dir, "--dry-run"]);
    assert_eq!(refused.code, Some(8), "{refused}");
    assert!(refused.stderr.contains("nobody"), "{refused}");
    // Documents with tasks that nothing decides about, where everything has to be verified.
    let strict = ["run", &tasks, "-p", "demo", "-d", &dir, "--yes", "--require-verify"];
    let _ = place.fails(8, &["Two", "verify"], &strict);
    let all = [&strict[..], &["--verify", "true"]].concat();
    let _ = place.ok(&all);
}

#[test]
fn a_playbook_is_run_by_its_folder_or_its_name() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let folder = repository.join(".maestro/playbooks/nightly");
    fs::create_dir_all(&folder).expect("a folder");
    let tasks = folder.join("tasks.md");
    fs::write(
        folder.join("playbook.toml"),
        "name = \"Every night\"\nagent = \"demo\"\nverify = \"test -e made.txt\"\n\
         documents = [\"tasks.md\"]\n",
    )
    .expect("written");
    fs::write(&tasks, "- [ ] Make [[write made.txt x]]\n").expect("written");
    let _ = place.git(&repository, &["add", "."]);
    let _ = place.git(&repository, &["commit", "-qm", "A playbook"]);
    // Its command is agreed to as those of documents are.
    let _ = place.fails(8, &["test -e made.txt"], &["run", "nightly", "-d", &dir]);
    for (named, more) in [
        ("nightly", &["--yes"][..]),
        ("every night", &["--yes"]),
        (&*folder.display().to_string(), &["--trust"]),
    ] {
        fs::write(&tasks, "- [ ] Make [[write made.txt x]]\n").expect("written");
        let run = [&["run", named, "-d", &dir, "--dirty", "accept", "--jsonl"][..], more].concat();
        let ended = place.run(&run);
        assert_eq!(ended.code, Some(0), "{ended}");
        let told = events(&ended);
        assert_eq!(told[0]["playbook"], json!(folder), "{ended}");
        assert_eq!(told.last().expect("some")["unverified"], 0, "{ended}");
    }
    let _ = place.fails(1, &["nonesuch", "Every night"], &["run", "nonesuch", "-d", &dir]);
    let _ = place.fails(2, &["by itself"], &["run", &dir, &dir, "-p", "demo"]);
}

#[test]
fn budgets_pause_or_end_a_run() {
    let place = Place::new();
    let (_, dir) = shop(&place);
    let text: String = (0..4).map(|n| format!("- [ ] {n} [[write {n}.txt x]]\n")).collect();
    let tasks = place.document("tasks.md", &text);
    let run = ["run", &tasks, "-p", "demo", "-d", &dir, "--budget-tasks", "1"];
    let paused = place.run(&[&run[..], &["--jsonl"]].concat());
    assert_eq!(paused.code, Some(6), "{paused}");
    let told = events(&paused);
    let last = told.last().expect("some");
    assert_eq!((&last["type"], &last["kind"]), (&json!("paused"), &json!("budget")), "{paused}");
    assert_eq!(place.read(&tasks).matches("[x]").count(), 1);
    // The same budget once more.
    let _ = place.ok(&["run", "resume", "r1"]);
    until("it is paused again", || (place.read(&tasks).matches("[x]").count() == 2).then_some(()));
    until("it is paused again", || (!state(&place, "r1")["paused"].is_null()).then_some(()));
    let _ = place.ok(&["run", "stop", "r1"]);
    let _ = ends(&place, "r1");
    let ended = place.run(&[&run[..], &["--on-budget", "end"]].concat());
    assert!(matches!(ended.code, Some(1 | 7)), "not everything is done: {ended}");
    assert_eq!(place.read(&tasks).matches("[x]").count(), 3);
    assert!(!ended.stderr.is_empty(), "and why is said: {ended}");
}

#[test]
fn a_run_can_wait_for_its_directory() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let first = place.document("first.md", &held("one", ""));
    let second = place.document("second.md", "- [ ] Two [[write two.txt 2]]\n");
    let _ = place.ok(&["run", &first, "-p", "demo", "-d", &dir, "--detach"]);
    begun(&repository, "one");
    let _ = place.fails(8, &["r1"], &["run", &second, "-p", "demo", "-d", &dir]);
    let run = ["run", &second, "-p", "demo", "-d", &dir, "--queue", "--dirty", "accept"];
    let waits = Beside::start(&place, &run);
    until("it waits", || {
        let runs = place.json(&["run", "list"]);
        let waits = |run: &Value| run["state"]["queued"]["because"].as_str().map(str::to_owned);
        let because = runs.as_array()?.iter().find_map(waits)?;
        because.contains("r1").then_some(())
    });
    go(&repository, "one");
    let ended = waits.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("queued: ") || ended.stdout.contains("queued: "), "{ended}");
    assert!(repository.join("two.txt").exists());
}

#[test]
fn what_waits_outlives_its_client_and_its_host_and_begins_in_order() {
    let place = Place::new();
    let (repository, dir) = shop(&place);
    let first = place.document("first.md", &held("one", ""));
    let second = place.document("second.md", "- [ ] Two [[write order.txt second]]\n");
    let third = place.document("third.md", "- [ ] Three [[write third.txt 3]]\n");
    let never = place.document("never.md", "- [ ] Never [[write never.txt 4]]\n");
    let options = ["-p", "demo", "-d", &dir, "--dirty", "accept"];
    let queue = |document: &str| {
        place.ok(&[&["run", document][..], &options, &["--queue", "--detach"]].concat())
    };
    let _ = place.ok(&[&["run", &first][..], &options, &["--detach"]].concat());
    begun(&repository, "one");
    for document in [&second, &third, &never] {
        let _ = queue(document);
    }
    // What waits keeps nobody out, can be ended, and can be told nothing else.
    let because = state(&place, "r3")["queued"]["because"].as_str().map(str::to_owned);
    assert!(because.is_some_and(|because| because.contains("r2")), "r3 comes after r2");
    let _ = place.fails(2, &["has not begun"], &["run", "pause", "r4"]);
    let _ = place.ok(&["run", "stop", "r4"]);
    assert_eq!(state(&place, "r4")["ended"], "stopped");
    let ids = place.json(&["run", "list", "--state", "waiting"]);
    assert_eq!(ids.as_array().map(Vec::len), Some(2), "{ids:#}");

    place.kill_host();
    let _ = place.json(&["worktree", "list", &dir]);
    assert!(!state(&place, "r2")["queued"].is_null(), "it waits in the new host, too");
    go(&repository, "one");
    for run in ["r1", "r2", "r3"] {
        let _ = ends(&place, run);
        assert_eq!(state(&place, run)["ended"], "completed", "{run}");
    }
    assert!(repository.join("third.txt").exists() && !repository.join("never.txt").exists());
    let runs = place.json(&["run", "list"]);
    let ended = |id: &str| {
        let run = runs.as_array()?.iter().find(|run| run["id"] == id)?;
        run["ended_ms"].as_u64()
    };
    assert!(ended("r1") <= ended("r2") && ended("r2") <= ended("r3"), "{runs:#}");
}

#[test]
fn runs_are_found_and_their_reports_are_kept() {
    let place = Place::new();
    let (_, dir) = shop(&place);
    let good = place.document("good.md", "- [ ] Apples [[text x]]\n");
    let bad = place.document("bad.md", "- [ ] Pears [[error 404]]\n");
    let _ = place.ok(&["run", &good, "-p", "demo", "-d", &dir]);
    let failed = place.run(&["run", &bad, "-p", "demo", "-d", &dir, "--attempts", "1"]);
    assert!(matches!(failed.code, Some(1 | 6)), "{failed}");
    let ids = |args: &[&str]| -> Vec<String> {
        let runs = place.json(&[&["run", "list"], args].concat());
        let runs = runs.as_array().expect("a list").clone();
        runs.iter().filter_map(|run| run["id"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(ids(&[]), ["r2", "r1"], "the newest first");
    assert_eq!(ids(&["--filter", "apples"]), ["r1"]);
    assert_eq!(ids(&["--state", "completed"]), ["r1"]);
    assert_eq!(ids(&["--agent", "demo", "--since", "1h"]), ["r2", "r1"]);
    assert_eq!(ids(&["--agent", "codex"]), [""; 0]);
    let report = place.ok(&["run", "report", "r1"]);
    assert!(report.contains("Apples"), "{report}");
    let file = place.path("report.md").display().to_string();
    let _ = place.ok(&["run", "report", "r1", "--out", &file]);
    assert!(place.read("report.md").contains("Apples"));
    let _ = place.fails(1, &["report.md"], &["run", "report", "r1", "--out", &file]);
}
