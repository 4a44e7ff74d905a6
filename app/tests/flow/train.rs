//! Merge trains from the command line, with the demo agent, hosts that die, and targets in the way.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::{Place, until};

/// How long a train may take; far more than it needs.
const DEADLINE: Duration = Duration::from_secs(120);

/// A repository with the worktrees `a`, `b` and `c`, in which `a` and `b` change the same line, with a demo
/// agent of the same name in each. Nothing is committed.
fn yard(place: &Place) -> (PathBuf, String) {
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    for (name, file) in [("a", "README.md"), ("b", "README.md"), ("c", "other")] {
        let made = place.ok(&["worktree", "new", name, "-r", &dir]);
        let _ = place.ok(&["agent", "new", name, "-p", "demo", "-d", &made, "--no-start"]);
        fs::write(format!("{made}/{file}"), format!("# From {name}\n")).expect("saved");
    }
    (repository, dir)
}

/// What the agent that loses is to do. Commands that check stand in its prompt, so this one tells it.
const KEEP_BOTH: &str = "test -e README.md # [[bash git merge -q main; \
    printf '# From a\\n# From b\\n' > README.md; git add -A; git commit -qm Both]]";

/// Lets an agent do what it asks for until a train is over.
fn approve(place: &Place, mut train: Child, agent: &str) -> Option<i32> {
    let limit = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = train.try_wait().expect("ours") {
            return status.code();
        }
        assert!(Instant::now() < limit, "the train does not end: {}", place.ok(&["train", "list"]));
        let tabs = place.json(&["agent", "tabs", agent]);
        if !tabs[0]["requests"][0].is_null() {
            // It may have been answered a moment ago.
            let _ = place.run(&["agent", "approve", agent]);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn states(train: &Value) -> Vec<String> {
    let cars = train["cars"].as_array().cloned().unwrap_or_default();
    let state = |car: &Value| match &car["state"] {
        Value::String(word) => word.clone(),
        state => state.as_object().and_then(|s| s.keys().next().cloned()).unwrap_or_default(),
    };
    cars.iter()
        .map(|car| format!("{} {}", car["branch"].as_str().unwrap_or(""), state(car)))
        .collect()
}

#[test]
fn three_come_home_and_the_loser_resolves_its_conflict() {
    let place = Place::new();
    let (repository, dir) = yard(&place);
    let plan = place.json(&["train", "plan", "-r", &dir, "--commit", "--in-order"]);
    assert_eq!(plan["spec"]["cars"], serde_json::json!(["a", "b", "c"]));
    assert_eq!(plan["cars"][1]["collides"], serde_json::json!(["a"]));
    let before = place.git(&repository, &["rev-parse", "main"]);
    let mut train = place.command(["train", "run", "-r", &dir, "--commit", "--in-order"]);
    let train = train.args(["--verify", KEEP_BOTH, "--jsonl"]).stdout(Stdio::null());
    let train = train.spawn().expect("it starts");
    assert_eq!(approve(&place, train, "b"), Some(0), "{}", place.ok(&["train", "show", "m1"]));
    let shown = place.json(&["train", "show", "m1"]);
    assert_eq!(states(&shown), ["a aboard", "b aboard", "c aboard"], "{shown:#}");
    assert_eq!(place.read(repository.join("README.md")), "# From a\n# From b\n");
    assert_eq!(place.read(repository.join("other")), "# From c\n");
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
    // Told once, and what it was about.
    let tabs = place.json(&["agent", "tabs", "b"]);
    assert_eq!(tabs[0]["turns"], 1, "{tabs:#}");
    let list = place.ok(&["train", "list"]);
    assert!(list.contains("m1") && list.contains("3 of 3"), "{list}");
    // Taken back only while nobody built on it.
    fs::write(repository.join("mine"), "x\n").expect("saved");
    let _ = place.git(&repository, &["add", "mine"]);
    let _ = place.git(&repository, &["commit", "-qm", "On top"]);
    let refused = place.run(&["train", "undo", "m1"]);
    assert!(refused.code == Some(8) && refused.stderr.contains("On top (Test)"), "{refused}");
    let _ = place.git(&repository, &["reset", "-q", "--hard", "HEAD^"]);
    let _ = place.ok(&["train", "undo", "m1"]);
    assert_eq!(place.git(&repository, &["rev-parse", "main"]), before);
    assert_eq!(place.read(repository.join("README.md")), "# A project\n");
}

#[test]
fn a_train_goes_on_in_the_next_host() {
    let place = Place::new();
    let (repository, dir) = yard(&place);
    let (go, there) = (place.path("go"), place.path("there"));
    let verify = format!(
        "touch '{}'; until test -e '{}'; do sleep 0.05; done",
        there.display(),
        go.display()
    );
    let args = ["train", "run", "a", "c", "-r", &dir, "--commit", "--verify", &verify, "--detach"];
    assert_eq!(place.ok(&args), "m1");
    until("it checks", || there.exists().then_some(()));
    assert_eq!(place.git(&repository, &["rev-list", "--count", "main"]), "1", "nothing moved yet");
    place.kill_host();
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
    fs::write(&go, "").expect("written");
    let _ = place.ok(&["train", "list"]);
    let done = until("it is done", || {
        let train = place.json(&["train", "show", "m1"]);
        (train["state"]["ended"] == "done").then_some(train)
    });
    let mut states = states(&done);
    states.sort();
    assert_eq!(states, ["a aboard", "c aboard"]);
    assert_eq!(place.read(repository.join("README.md")), "# From a\n");
    assert_eq!(place.git(&repository, &["worktree", "list"]).lines().count(), 4);
}

#[test]
fn a_target_in_the_way_and_what_cannot_be_are_refused() {
    let place = Place::new();
    let (repository, dir) = yard(&place);
    fs::write(repository.join("README.md"), "# Mine\n").expect("saved");
    let said = ["checked out", "not committed"];
    let _ = place.run(&["train", "plan", "-r", &dir]).fails(8, &said);
    let _ = place.run(&["train", "run", "-r", &dir]).fails(8, &said);
    assert_eq!(place.read(repository.join("README.md")), "# Mine\n");
    let _ = place.git(&repository, &["checkout", "-q", "README.md"]);
    let _ = place.fails(1, &["nonesuch"], &["train", "plan", "nonesuch", "-r", &dir]);
    let _ = place.fails(1, &["no train m9"], &["train", "show", "m9"]);
    // Nobody is told, and what is not committed stays where it is.
    let ended = place.run(&["train", "run", "c", "-r", &dir, "--returns", "0"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains("not committed: other"), "{ended}");
    // Stopped by somebody else it ends with the code of a paused run.
    let go = place.path("go");
    let verify = format!("until test -e '{}'; do sleep 0.05; done", go.display());
    let mut train =
        place.command(["train", "run", "c", "-r", &dir, "--commit", "--verify", &verify]);
    let mut train = train.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    until("it is under way", || {
        let trains = place.json(&["train", "list"]);
        (trains[0]["state"] == "running").then_some(())
    });
    let _ = place.fails(8, &["under way"], &["train", "run", "c", "-r", &dir, "--commit"]);
    let _ = place.ok(&["train", "stop", "m2"]);
    assert_eq!(train.wait().expect("ours").code(), Some(6));
    fs::write(&go, "").expect("written");
    let snapshots = || {
        let all = place.json(&["worktree", "snapshots", &dir]);
        let all = all.as_array().cloned().unwrap_or_default();
        all.iter().filter(|one| one["message"] == "Before merge train m2").count()
    };
    let before = snapshots();
    // What is written meanwhile is kept before the train commits it.
    let tree = place.json(&["agent", "show", "c"])["directory"].clone();
    let tree = PathBuf::from(tree.as_str().expect("a path"));
    fs::write(tree.join("later"), "meanwhile\n").expect("saved");
    let _ = place.ok(&["train", "resume", "m2"]);
    assert_eq!(place.read(repository.join("other")), "# From c\n");
    assert!(snapshots() > before, "nothing was kept before it went on");
    // And what nobody asked it to look at, before it is taken back.
    fs::write(tree.join("draft"), "not committed\n").expect("saved");
    let before = snapshots();
    let _ = place.ok(&["train", "undo", "m2"]);
    assert!(snapshots() > before && tree.join("draft").exists());
}

#[test]
fn the_branches_of_a_race_stand_side_by_side() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    for number in ["1", "2"] {
        let name = format!("fix-{number}");
        let made = place.ok(&["worktree", "new", &name, "-r", &dir]);
        fs::write(format!("{made}/made"), "x\n".repeat(number.parse().expect("a number")))
            .expect("saved");
    }
    let race =
        place.json(&["race", "show", "fix", "-r", &dir, "--verify", "test $(wc -l < made) = 2"]);
    let runner = |at: usize| {
        let runner = &race["runners"][at];
        (runner["branch"].clone(), runner["added"].clone(), runner["check"]["code"].clone())
    };
    assert_eq!(runner(0), ("fix-1".into(), 1.into(), 1.into()), "{race:#}");
    assert_eq!(runner(1), ("fix-2".into(), 2.into(), 0.into()), "{race:#}");
    let _ = place.fails(1, &["no race `other`"], &["race", "show", "other", "-r", &dir]);
}
