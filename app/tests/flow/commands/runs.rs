//! Checklists worked through by the demo agent, to their honest end.

use std::path::Path;

use serde_json::Value;

use super::support::{Stage, eventually};

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Runs a document with `--jsonl` and gives the exit code and the events.
fn run(stage: &Stage, document: &Path, directory: &Path) -> (i32, Vec<Value>) {
    let args = ["run", text(document), "--provider", "demo", "--dir", text(directory), "--jsonl"];
    let came = stage.run(&args);
    let events = came.out.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{came:?}"))
    });
    let events: Vec<Value> = events.collect();
    assert!(!events.is_empty(), "{came:?}\n{}", stage.log());
    (came.code, events)
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

#[test]
fn every_task_is_done_in_its_own_session_and_ticked_with_evidence() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let document = stage.write(
        "tasks.md",
        "# Tasks\n\nSome words.\n\n\
         - [ ] Write one.txt [[write one.txt 1]]\n  - verify: `grep -q 1 one.txt`\n\
         - [x] Was done before\n\
         - [ ] Write two.txt [[write two.txt 2]]\n  - verify: `test -f two.txt`\n",
    );
    let (code, events) = run(&stage, &document, &repository);
    assert_eq!(code, 0, "{events:#?}\n{}", stage.log());
    assert_eq!(kinds(&events).first(), Some(&"start"));
    assert_eq!(kinds(&events).last(), Some(&"complete"));
    let done: Vec<&Value> =
        events.iter().filter(|event| event["type"] == "task_complete").collect();
    assert_eq!(done.len(), 2, "{events:#?}");
    for task in &done {
        assert_eq!(task["success"], true);
        assert_eq!(task["verify"]["exit_code"], 0);
        assert!(task["tree_before"].is_string() && task["tree_after"].is_string(), "{task}");
        assert_ne!(task["tree_before"], task["tree_after"]);
    }
    assert!(done[0]["session"].is_string(), "{}", done[0]);
    assert_ne!(done[0]["session"], done[1]["session"], "a session was used twice");
    assert_eq!(std::fs::read_to_string(repository.join("two.txt")).expect("made").trim(), "2");
    let after = std::fs::read_to_string(&document).expect("there");
    assert_eq!(after.matches("- [x] ").count(), 3, "{after}");
    assert!(after.contains("Some words.\n\n- [x] Write one.txt"), "only boxes change: {after}");
    let run = events[0]["run"].as_str().expect("an id").to_owned();
    let shown = stage.json(&["run", "show", &run]);
    assert_eq!(shown["tasks"].as_array().map(Vec::len), Some(2));
    assert_eq!(stage.json(&["run", "list"])[0]["id"], run.as_str());
    assert!(stage.ok(&["run", "show", &run]).contains("exit code 0"));
    assert!(eventually(|| stage.marked().is_empty()), "left behind: {:?}", stage.marked());
}

#[test]
fn a_task_whose_verify_fails_is_tried_again_and_never_ticked() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let document = stage.write(
        "tasks.md",
        "- [ ] Cannot work [[bash echo try >> tries.txt]]\n  - verify: `test -f never.txt`\n\
         - [ ] Works [[write good.txt 1]]\n  - verify: `test -f good.txt`\n",
    );
    let (code, events) = run(&stage, &document, &repository);
    assert_eq!(code, 1, "{events:#?}");
    let complete = events.last().expect("an end");
    assert_eq!(complete["type"], "complete");
    assert_eq!(complete["success"], false);
    let failed = events
        .iter()
        .find(|event| event["type"] == "task_complete" && event["success"] == false)
        .unwrap_or_else(|| panic!("no failure in {events:#?}"));
    assert_eq!(failed["attempts"], 3);
    assert_ne!(failed["verify"]["exit_code"], 0);
    assert!(failed["because"].is_string());
    let after = std::fs::read_to_string(&document).expect("there");
    assert!(after.contains("- [ ] Cannot work"), "{after}");
    let tries = std::fs::read_to_string(repository.join("tries.txt")).expect("tried");
    assert_eq!(tries.lines().count(), 3);
}

#[test]
fn an_agent_that_ticks_its_own_box_without_the_work_does_not_get_away_with_it() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let document = stage.write(
        "tasks.md",
        "- [ ] Cheat [[bash sh ../cheat.sh]]\n  - verify: `false`\n- [ ] Other [[text x]]\n",
    );
    let script = "sed -i 's/\\[ \\]/[x]/' tasks.md\n".replace("tasks.md", text(&document));
    let _ = stage.write("cheat.sh", &script);
    let (code, events) = run(&stage, &document, &repository);
    assert_eq!(code, 1, "{events:#?}");
    let after = std::fs::read_to_string(&document).expect("there");
    assert!(after.starts_with("- [ ] Cheat"), "a box is ticked without evidence: {after}");
    let other = events.iter().find(|event| {
        event["type"] == "task_complete"
            && event["task"].as_str().is_some_and(|t| t.starts_with("Other"))
    });
    let other = other.unwrap_or_else(|| panic!("the other task was taken as done: {events:#?}"));
    assert_eq!(other["success"], true);
}

#[test]
fn one_run_at_a_time_has_a_directory() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let document = stage.write("tasks.md", "- [ ] Long [[bash sleep 60]]\n- [ ] Next [[text x]]\n");
    let args = ["run", text(&document), "-p", "demo", "-d", text(&repository)];
    let first = stage.ok(&[&args[..], &["--detach"]].concat());
    let sentence = stage.refused(1, &args);
    assert!(sentence.contains(&first), "it does not say who holds it: {sentence}");
    let _ = stage.ok(&["run", "kill", &first]);
    let ended = || stage.json(&["run", "show", &first])["state"]["ended"] == "killed";
    assert!(eventually(ended), "{}", stage.json(&["run", "show", &first]));
    assert!(eventually(|| stage.marked().is_empty()), "left behind: {:?}", stage.marked());
    let after = std::fs::read_to_string(&document).expect("there");
    assert!(!after.contains("[x]"), "{after}");
}

#[test]
fn a_stopped_run_ends_after_its_task() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let document = stage.write(
        "tasks.md",
        "- [ ] First [[bash touch started; while ! test -f go; do sleep 0.05; done]]\n\
         - [ ] Second [[text x]]\n",
    );
    let args = ["run", text(&document), "-p", "demo", "-d", text(&repository), "--detach"];
    let id = stage.ok(&args);
    assert!(eventually(|| repository.join("started").exists()), "{}", stage.log());
    let _ = stage.ok(&["run", "stop", &id]);
    std::fs::write(repository.join("go"), "").expect("written");
    let ended = || stage.json(&["run", "show", &id])["state"]["ended"] == "stopped";
    assert!(eventually(ended), "{}", stage.json(&["run", "show", &id]));
    let after = std::fs::read_to_string(&document).expect("there");
    assert!(after.contains("[x] First") && after.contains("[ ] Second"), "{after}");
}

#[test]
fn documents_that_cannot_be_run_are_refused_before_anything_happens() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let missing = stage.path("missing.md");
    let args = |document| ["run", document, "-p", "demo", "-d", text(&repository)];
    let sentence = stage.refused(1, &args(text(&missing)));
    assert!(sentence.contains("missing.md"), "{sentence}");
    let latin = stage.path("latin.md");
    std::fs::write(&latin, b"- [ ] caf\xe9\n").expect("written");
    let came = stage.run(&args(text(&latin)));
    assert_ne!(came.code, 0);
    assert!(came.err.contains("UTF-8"), "{came:?}");
    let sentence = stage.refused(1, &["run", text(&latin), "--agent", "nobody"]);
    assert!(sentence.contains("nobody"), "{sentence}");
}

#[test]
fn an_agent_s_run_works_in_the_agent_s_worktree() {
    let stage = Stage::new();
    let repository = stage.repository("shop");
    let _ = stage.ok(&["agent", "new", "api", "-p", "demo", "-d", text(&repository), "-B", "api"]);
    let document = stage
        .write("tasks.md", "- [ ] Write [[write here.txt 1]]\n  - verify: `test -f here.txt`\n");
    let _ = stage.ok(&["run", text(&document), "--agent", "api"]);
    assert!(!repository.join("here.txt").exists(), "the main checkout was changed");
    let directory = stage.json(&["agent", "show", "api"])["directory"].clone();
    assert!(Path::new(directory.as_str().expect("text")).join("here.txt").exists());
}

#[test]
fn the_demo_comes_out() {
    let stage = Stage::new();
    let folder = stage.path("demo");
    let came = stage.run(&["demo", "--headless", "--json", "--dir", text(&folder)]);
    let outcome: Value = serde_json::from_str(&came.out)
        .unwrap_or_else(|error| panic!("{error}: {came:?}\n{}", stage.log()));
    assert_eq!(outcome["ok"], true, "{outcome:#}\n{}", came.err);
    let agents = outcome["agents"].as_array().expect("agents");
    assert_eq!(agents.len(), 3);
    for agent in agents {
        assert_eq!(agent["tasks"], agent["done"], "{agent:#}");
        assert_eq!(agent["commits"], 3, "{agent:#}");
        assert!(agent["flaw"].is_null(), "{agent:#}");
    }
    // Two of the documents have their agents write the same line, so that there is something to see.
    assert_eq!(agents[0]["conflicts"][0]["files"][0], "README.md");
    assert_eq!(agents[2]["conflicts"].as_array().map(Vec::len), Some(0));
    assert_eq!(came.code, 0, "{}", came.err);
    let picture = outcome["picture"].as_str().expect("a picture");
    let png = std::fs::read(picture).expect("the picture");
    assert!(png.starts_with(b"\x89PNG"), "no PNG");
}
