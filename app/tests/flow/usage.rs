//! What every command keeps to: exit codes and one sentence.

mod verbs;

use serde_json::Value;

use crate::place::Place;

#[test]
fn exit_codes_are_what_is_promised() {
    let place = Place::new();
    // 2: said by the reader of the command line.
    for args in [&["nonsense"][..], &["run"], &["agent", "new"], &["terminal", "close", "x"]] {
        assert_eq!(place.run(args).code, Some(2), "{args:?}");
    }
    // 3: nobody is asked to start a host for a question about what runs.
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
        let _ = place.fails(3, &["no host runs"], args);
    }
    assert!(!place.home().root().exists(), "asking leaves nothing behind");
    // 2: said by the host.
    let dir = place.repository("shop").display().to_string();
    let _ = place.fails(2, &["id"], &["agent", "new", "a3", "-p", "demo", "-d", &dir]);
    // 4: cannot be done on this machine.
    place.profile("/usr/bin:/bin", &[]);
    let _ = place.fails(4, &["codex"], &["agent", "new", "-p", "codex", "-d", &dir]);
    // 1: refused or failed.
    let _ = place.fails(1, &["/nonesuch"], &["agent", "new", "-p", "demo", "-d", "/nonesuch"]);
    let _ = place.fails(1, &["gone.md"], &["run", "gone.md", "-p", "demo", "-d", &dir]);
    let _ = place.fails(1, &["r9"], &["run", "show", "r9"]);
}

#[test]
fn a_home_that_cannot_be_used_is_said_in_a_sentence() {
    let mut place = Place::new();
    let file = place.document("file", "");
    place.set("MAESTRO_HOME", "somewhere");
    let new = ["terminal", "new", "--", "true"];
    for args in [&["list"][..], &new] {
        let _ = place.fails(1, &["MAESTRO_HOME", "absolute"], args);
    }
    place.set("MAESTRO_HOME", file);
    let _ = place.fails(1, &["cannot be"], &new);
}

#[test]
fn help_completions_and_the_doctor_need_no_host() {
    let place = Place::new();
    assert!(place.ok(&["--help"]).contains("Exit codes"));
    assert_eq!(place.ok(&["--version"]), format!("maestro {}", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        let script = place.ok(&["completions", shell]);
        assert!(script.contains("maestro") && script.contains("worktree"), "{shell}");
    }
    let findings = place.json(&["doctor"]);
    let findings = findings.as_array().expect("a list");
    let names: Vec<&str> = findings.iter().filter_map(|f: &Value| f["name"].as_str()).collect();
    for name in ["Home", "Host", "git", "Claude Code", "Codex", "Demo agent"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert_eq!(place.host(), None, "the doctor started a host");
}
