//! Checklists worked through by the demo agent, to their honest end.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::place::{DEADLINE, Place, collect, until, wait};

#[test]
fn a_checklist_is_worked_through_and_ticked_with_evidence() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let text = "# Plan\n\nSome words.\n\n- [ ] First [[write a.txt one]]\n  - verify: `grep -q one a.txt`\n\
         * [x] Done before\n- [ ] Second [[bash echo two > b.txt]]\r\n\nThe end.";
    let tasks = place.document("tasks.md", text);
    let ended = place.run(&["run", &tasks, "--provider", "demo", "--dir", &dir, "--yes"]);
    assert!(ended.ok().contains("3 done, 0 open"), "{ended}");
    assert_eq!(place.read(&tasks), text.replace("[ ]", "[x]"), "only boxes change");
    assert_eq!(place.read(repository.join("b.txt")), "two\n");

    let runs = place.json(&["run", "list"]);
    assert_eq!(
        (&runs[0]["id"], &runs[0]["state"]),
        (&json!("r1"), &json!({ "ended": "completed" }))
    );
    let run = place.json(&["run", "show", "r1"]);
    assert_eq!(run["tasks"].as_array().map(Vec::len), Some(2));
    let first = &run["tasks"][0];
    assert_eq!((&first["state"], &first["attempts"]), (&json!("done"), &json!(1)));
    assert_eq!(first["verify"]["exit_code"], 0);
    assert!(first["tree_before"].is_string() && first["tree_before"] != first["tree_after"]);
    let second = &run["tasks"][1];
    assert!(first["session"].is_string(), "{first:#}");
    assert_ne!(first["session"], second["session"], "a fresh session for each task");
    assert_eq!(first["tree_after"], second["tree_before"]);
    let shown = place.ok(&["run", "show", "r1"]);
    assert!(shown.contains("✓ First") && shown.contains("exit code 0"), "{shown}");
    assert!(place.ok(&["run", "list"]).contains("completed"));
    until("its processes are gone", || place.children().is_empty().then_some(()));
}

#[test]
fn a_task_whose_command_fails_stays_open_and_the_next_is_done() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let tasks = place.document(
        "tasks.md",
        "- [ ] Bad [[append a.txt x]]\n  - verify: echo broken >&2; exit 3\n\
         - [ ] Good [[write b.txt y]]\n  - verify: test -f b.txt\n",
    );
    let run = ["run", &tasks, "-a", "demo", "-d", &dir, "--attempts", "2", "--yes", "--jsonl"];
    let ended = place.run(&run);
    assert_eq!(ended.code, Some(1), "{ended}");
    let text = place.read(&tasks);
    assert!(text.contains("- [ ] Bad") && text.contains("- [x] Good"), "{text}");
    let steps = ended.events();
    assert!(steps.iter().all(|step| step["run"] == "r1" && step["timestamp"].is_u64()));
    let kinds: Vec<&str> = steps.iter().filter_map(|step| step["type"].as_str()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"start"), Some(&"complete")));
    let complete: Vec<&Value> =
        steps.iter().filter(|step| step["type"] == "task_complete").collect();
    let [bad, good] = complete[..] else { panic!("{ended}") };
    assert_eq!((&bad["success"], &good["success"]), (&json!(false), &json!(true)));
    // Sent back to its session once: two turns, one attempt.
    assert_eq!((&bad["attempts"], &bad["repairs"]), (&json!(1), &json!(1)));
    assert_eq!(bad["verify"]["exit_code"], 3);
    assert!(bad["verify"]["output"].as_str().is_some_and(|text| text.contains("broken")));
    assert!(bad["because"].is_string(), "{bad:#}");
    assert_eq!((&good["attempts"], &good["verify"]["exit_code"]), (&json!(1), &json!(0)));
    assert!(good["tree_before"].is_string() && good["tree_after"].is_string(), "{good:#}");
    assert_ne!(good["tree_before"], good["tree_after"]);
    assert!(good["session"].is_string(), "{good:#}");
    assert_ne!(good["session"], bad["session"], "a session was used twice");
    let last = steps.last().expect("some");
    assert_eq!(
        (&last["success"], &last["done"], &last["open"]),
        (&json!(false), &json!(1), &json!(1))
    );
}

#[test]
fn an_agent_that_ticks_its_own_box_without_the_work_does_not_get_away_with_it() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let document = place.document(
        "tasks.md",
        "- [ ] Cheat [[bash sh ../cheat.sh]]\n  - verify: `false`\n- [ ] Other [[text x]]\n",
    );
    let cheat = format!("echo try >> tries.txt; sed -i 's/\\[ \\]/[x]/' {document}\n");
    let _ = place.document("cheat.sh", &cheat);
    let ended = place.run(&["run", &document, "-p", "demo", "-d", &dir, "--yes", "--jsonl"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let after = place.read(&document);
    assert!(after.starts_with("- [ ] Cheat"), "a box is ticked without evidence: {after}");
    let events = ended.events();
    let of = |name: &str| {
        let event = events.iter().find(|event| {
            event["type"] == "task_complete"
                && event["task"].as_str().is_some_and(|task| task.starts_with(name))
        });
        event.unwrap_or_else(|| panic!("{name} was taken as done: {ended}")).clone()
    };
    assert_eq!((&of("Cheat")["success"], &of("Cheat")["repairs"]), (&json!(false), &json!(2)));
    assert_eq!(of("Other")["success"], true);
    assert_eq!(place.read(repository.join("tries.txt")), "try\n".repeat(3), "each has a turn");
}

#[test]
fn a_run_of_an_agent_works_in_its_worktree() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let new = |name: &str, rest: &[&str]| {
        let args = ["agent", "new", name, "-p", "demo", "-d", &dir, "-B", name];
        place.ok(&[&args[..], rest].concat())
    };
    // One that works meanwhile, and one that was never started.
    let agents = [("api", new("api", &[])), ("idle", new("idle", &["--no-start"]))];
    for (number, (name, id)) in agents.iter().enumerate() {
        let tasks = place.document("tasks.md", "- [ ] It [[write here.txt yes]]\n");
        let _ = place.ok(&["run", &tasks, "--agent", name]);
        let directory = place.json(&["agent", "show", name])["directory"].clone();
        let here = format!("{}/here.txt", directory.as_str().expect("a path"));
        assert_eq!(place.read(here).trim(), "yes");
        assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
        let run = place.json(&["run", "show", &format!("r{}", number + 1)]);
        assert_eq!(run["spec"]["agent"], json!(id));
    }
    let tasks = place.document("tasks.md", "- [ ] It\n");
    let _ = place.fails(1, &["nobody"], &["run", &tasks, "--agent", "nobody"]);
}

#[test]
fn a_second_run_in_a_directory_is_refused_with_who_holds_it() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let slow = place.document("slow.md", "- [ ] Slow [[hang]]\n- [ ] Next [[text x]]\n");
    let other = place.document("other.md", "- [ ] Other [[write b.txt b]]\n");
    let id = place.ok(&["run", &slow, "-p", "demo", "-d", &dir, "--detach"]);
    assert_eq!(id, "r1");
    let refused = place.fails(8, &["r1"], &["run", &other, "-p", "demo", "-d", &dir]);
    assert!(refused.contains(&dir) || refused.contains("shop"), "{refused}");
    // The same document from elsewhere would be ticked by two.
    let elsewhere = place.repository("elsewhere").display().to_string();
    let _ = place.fails(8, &["r1"], &["run", &slow, "-p", "demo", "-d", &elsewhere]);

    let _ = place.ok(&["run", "kill", "r1"]);
    until("it is killed", || {
        (place.json(&["run", "show", "r1"])["state"] == json!({ "ended": "killed" })).then_some(())
    });
    until("its processes are gone", || place.children().is_empty().then_some(()));
    assert!(!place.read(&slow).contains("[x]"));
    let _ = place.ok(&["run", &other, "-p", "demo", "-d", &dir]);
}

#[test]
fn a_run_is_stopped_after_its_task_and_its_follower_says_so() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let tasks = place.document(
        "tasks.md",
        "- [ ] One [[bash touch started; while [ ! -e go \\]; do sleep 0.05; done]] [[write a.txt a]]\n\
         - [ ] Two [[write b.txt b]]\n",
    );
    let mut follower = place.command(["run", &tasks, "-p", "demo", "-d", &dir, "--jsonl"]);
    let mut follower =
        follower.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let told = collect(follower.stdout.take().expect("piped"));
    let failed = collect(follower.stderr.take().expect("piped"));
    until("the task runs", || repository.join("started").exists().then_some(()));
    let _ = place.ok(&["run", "stop", "r1"]);
    fs::write(repository.join("go"), "").expect("written");
    assert_eq!(wait(&mut follower, DEADLINE), Some(7));
    let told = String::from_utf8_lossy(&told.recv().expect("read")).into_owned();
    let failed = String::from_utf8_lossy(&failed.recv().expect("read")).into_owned();
    assert!(failed.contains("stopped"), "{failed}");
    assert!(told.lines().any(|line| line.contains("\"stopping\"")), "{told}");
    let text = place.read(&tasks);
    assert!(text.contains("[x] One") && text.contains("[ ] Two"), "{text}");
    assert_eq!(place.json(&["run", "show", "r1"])["state"], json!({ "ended": "stopped" }));
}

#[test]
fn the_demo_comes_out() {
    let place = Place::new();
    let folder = place.path("demo").display().to_string();
    let ended = place.run(&["demo", "--headless", "--json", "--dir", &folder]);
    let outcome: Value = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {ended}\n{}", place.log()));
    assert_eq!(outcome["ok"], true, "{outcome:#}\n{ended}");
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
    assert_eq!(ended.code, Some(0), "{ended}");
    let picture = outcome["picture"].as_str().expect("a picture");
    let png = fs::read(picture).expect("the picture");
    assert!(png.starts_with(b"\x89PNG"), "no PNG");
}
