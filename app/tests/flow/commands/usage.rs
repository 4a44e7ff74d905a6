//! What every command keeps to: exit codes, one sentence, output that may be cut off.

use std::process::Stdio;

use super::support::{LONG, Stage, finish, wait};

#[test]
fn wrong_usage_is_2() {
    let stage = Stage::new();
    for args in [&["nonsense"][..], &["run"], &["agent", "new"], &["terminal", "close", "x"]] {
        assert_eq!(stage.run(args).code, 2, "{args:?}");
    }
    assert!(!stage.home().exists(), "wrong usage must not create anything");
}

#[test]
fn asking_a_host_that_does_not_run_is_3() {
    let stage = Stage::new();
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["agent", "list"],
        &["agent", "show", "x"],
        &["terminal", "list"],
        &["run", "list"],
        &["run", "stop", "r1"],
        &["host", "status"],
        &["host", "stop"],
    ] {
        let sentence = stage.refused(3, args);
        assert!(sentence.contains("no host runs"), "{args:?}: {sentence}");
    }
    assert!(!stage.home().exists(), "asking must not start or create anything");
}

#[test]
fn help_and_completions_need_no_host() {
    let stage = Stage::new();
    assert!(stage.ok(&["--help"]).contains("Exit codes"));
    assert!(stage.ok(&["--version"]).starts_with("maestro "));
    for shell in ["bash", "zsh", "fish"] {
        assert!(stage.ok(&["completions", shell]).contains("worktree"), "{shell}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let stage = Stage::new();
    let mut child = stage
        .maestro(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    assert_eq!(wait(&mut child, LONG), Some(0));
}

#[test]
fn a_home_that_cannot_be_used_is_said_in_a_sentence() {
    let stage = Stage::new();
    let file = stage.write("file", "");
    for (home, part) in [("relative", "absolute"), (file.to_str().expect("text"), "cannot be")] {
        let mut command = stage.maestro(&["terminal", "new", "--", "true"]);
        let _ = command.env("MAESTRO_HOME", home);
        let came = finish(command);
        assert_eq!(came.code, 1, "{came:?}");
        assert!(came.err.contains(part), "{came:?}");
    }
}

#[test]
fn the_doctor_looks_at_everything_and_starts_nothing() {
    let stage = Stage::new();
    let findings = stage.json(&["doctor"]);
    let names: Vec<&str> =
        findings.as_array().expect("a list").iter().filter_map(|f| f["name"].as_str()).collect();
    for name in ["Home", "Host", "git", "Claude Code", "Codex", "Demo agent"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert_eq!(stage.run(&["list"]).code, 3, "the doctor started a host");
}
