//! Playbooks: made, looked over, packed, unpacked, agreed to, and run from start to end.

use std::fs;

use serde_json::{Value, json};

use crate::place::Place;

#[test]
fn a_playbook_is_made_looked_over_packed_and_unpacked() {
    let place = Place::new();
    let dir = place.repository("shop");
    let dir_text = dir.display().to_string();
    let made = place.ok(&["playbook", "new", "nightly", "--dir", &dir_text]);
    let folder = dir.join(".maestro/playbooks/nightly");
    assert_eq!(made.trim(), folder.display().to_string());
    let again = ["playbook", "new", "nightly", "--dir", &dir_text];
    let _ = place.fails(1, &["is there already"], &again);
    let checked = place.ok(&["playbook", "check", "nightly", "--dir", &dir_text]);
    assert!(checked.contains("nothing was found"), "{checked}");

    fs::write(
        folder.join("1-first.md"),
        "# Bad\r\n\r\n- [ ] One {#one}\r\n  - needs: two\r\n- [ ] Two {#two}\r\n  - needs: one, gone\r\n\
         - [ ] Three\r\n  - verify: no-such-program --x\r\n  - timeout: soon\r\n",
    )
    .expect("a document");
    let ended = place.run(&["playbook", "check", "--dir", &dir_text, "--json"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let kinds: Vec<&str> = told["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding["kind"].as_str())
        .collect();
    for kind in ["unknown_need", "cycle", "missing_command", "field"] {
        assert!(kinds.contains(&kind), "{kind}: {told:#}");
    }

    fs::write(
        folder.join("1-first.md"),
        "- [ ] Say it [[write said.txt {{git_branch}}]]\r\n  - verify: test -f said.txt\r\n",
    )
    .expect("a document");
    let archive = place.path("out.zip").display().to_string();
    let export = ["playbook", "export", "nightly", "--dir", &dir_text, "-o", &archive];
    let _ = place.ok(&export);
    let _ = place.fails(1, &["is there already"], &export);
    let other = place.repository("other").display().to_string();
    let import = ["playbook", "import", &archive, "--dir", &other];
    let _ = place.ok(&import);
    let _ = place.fails(1, &["1-first.md", "Nothing was written"], &import);
    let listed = place.json(&["playbook", "list", &other]);
    assert_eq!((&listed[0]["called"], &listed[0]["shipped"]), (&json!("nightly"), &json!(false)));
    assert!(listed.as_array().is_some_and(|all| all.iter().any(|one| one["shipped"] == true)));
    let shown = place.ok(&["playbook", "show", "nightly", "--dir", &other]);
    assert!(shown.contains("command\n  test -f said.txt"), "{shown}");

    // From a stranger: nothing runs until its commands were agreed to.
    let run = ["run", "nightly", "--provider", "demo", "--dir", &other, "--dirty", "accept"];
    let refused = place.run(&run);
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(
        refused.stderr.contains("test -f said.txt") || refused.stdout.contains("test -f said.txt"),
        "{refused}"
    );
    assert!(!place.path("other/said.txt").exists(), "something ran");
    let agreed: Vec<&str> = run.into_iter().chain(["--trust"]).collect();
    let ended = place.run(&agreed);
    let _ = ended.ok();
    let branch = place.git(&place.path("other"), &["branch", "--show-current"]);
    assert_eq!(place.read(place.path("other/said.txt")).trim(), branch.trim());
    let document = place.read(place.path("other/.maestro/playbooks/nightly/1-first.md"));
    assert!(document.contains("- [x] Say it [[write said.txt {{git_branch}}]]\r\n"), "{document}");
}

/// Every playbook that comes with Maestro is run by the demo agent in a small repository: every task is
/// done, by its own command or the project's tests, and the shipped documents stay as they are.
fn run_shipped(name: &str) {
    let place = Place::new();
    let dir = place.repository("shop");
    fs::write(dir.join("Makefile"), "test:\n\t@echo tested >> ../tested.log\n").expect("a file");
    fs::write(dir.join("FEATURE.md"), "# Greeting\n\nSay hello.\n").expect("a file");
    let _ = place.git(&dir, &["add", "--all"]);
    let _ = place.git(&dir, &["commit", "--quiet", "--message", "Begin"]);
    let dir_text = dir.display().to_string();
    let ended = place.run(&["run", name, "--provider", "demo", "--dir", &dir_text]);
    let _ = ended.ok();
    let runs = place.json(&["run", "list"]);
    assert_eq!(runs[0]["state"], json!({ "ended": "completed" }), "{ended}");
    let run = place.json(&["run", "show", "r1"]);
    let tasks = run["tasks"].as_array().expect("tasks");
    assert!(tasks.len() >= 6, "{name}: {}", tasks.len());
    for task in tasks {
        assert_eq!(task["state"], "done", "{task:#}");
        assert_eq!(task["verify"]["exit_code"], 0, "{task:#}");
    }
    assert!(place.read(place.path("tested.log")).contains("tested"), "the project's tests decide");
    let shipped = place.home().root().join("playbooks").join(name);
    for entry in fs::read_dir(shipped).expect("its folder").flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "md") {
            let text = place.read(entry.path());
            assert!(text.contains("- [ ] ") && !text.contains("- [x] "), "{text}");
        }
    }
}

#[test]
fn bug_hunt_runs_from_start_to_end() {
    run_shipped("bug-hunt");
}

#[test]
fn dependency_update_runs_from_start_to_end() {
    run_shipped("dependency-update");
}

#[test]
fn documentation_runs_from_start_to_end() {
    run_shipped("documentation");
}

#[test]
fn feature_runs_from_start_to_end() {
    run_shipped("feature");
}

#[test]
fn refactoring_runs_from_start_to_end() {
    run_shipped("refactoring");
}

#[test]
fn security_review_runs_from_start_to_end() {
    run_shipped("security-review");
}

#[test]
fn test_coverage_runs_from_start_to_end() {
    run_shipped("test-coverage");
}
