//! Terminals without any window.

use super::support::{Stage, eventually};

#[test]
fn a_command_runs_in_a_terminal_and_is_typed_into() {
    let stage = Stage::new();
    let terminal = stage.ok(&["terminal", "new", "--size", "40x10", "--", "cat"]);
    let _ = stage.ok(&["terminal", "send", &terminal, "hello there", "--enter"]);
    stage.shows(&terminal, "hello there\nhello there");
    let screen = stage.json(&["terminal", "show", &terminal]);
    assert_eq!(screen["terminal"]["size"]["cols"], 40);
    assert_eq!(screen["rows"][0]["text"], "hello there");
    assert_eq!(screen["cursor"]["row"], 2);
    let _ = stage.ok(&["terminal", "close", &terminal]);
    let sentence = stage.refused(1, &["terminal", "show", &terminal]);
    assert!(sentence.contains(&terminal), "{sentence}");
    assert_eq!(stage.json(&["terminal", "list"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn the_screen_comes_with_colours_history_and_modes() {
    let stage = Stage::new();
    let script = r"printf '\033[1;31mred\033[0m plain\n'; seq 1 30; printf '\033[?2004h'; exec cat";
    let size = ["terminal", "new", "--size", "20x5", "--", "sh", "-c", script];
    let terminal = stage.ok(&size);
    stage.shows(&terminal, "30");
    assert!(!stage.screen(&terminal).contains("red"));
    let history = stage.ok(&["terminal", "show", &terminal, "--history", "--ansi"]);
    assert!(history.starts_with("\u{1b}[1;38;5;1mred\u{1b}[0m plain\n1\n2\n"), "{history:?}");
    let screen = stage.json(&["terminal", "show", &terminal, "--history"]);
    assert_eq!(screen["history"][0]["text"], "red plain");
    assert_eq!(screen["history"][0]["runs"][0]["fg"], 1);
    assert_eq!(screen["history"][0]["runs"][0]["cells"], 3);
    let bracketed =
        || stage.json(&["terminal", "show", &terminal])["modes"]["bracketed_paste"] == true;
    assert!(eventually(bracketed), "the mode is not reported");
}

#[test]
fn it_starts_where_and_with_what_it_is_told() {
    let stage = Stage::new();
    let directory = stage.path("here");
    std::fs::create_dir(&directory).expect("created");
    let directory = directory.to_str().expect("text");
    let terminal = stage.ok(&[
        "terminal",
        "new",
        "--dir",
        directory,
        "--env",
        "COLOUR=deep blue",
        "--size",
        "200x5",
        "--",
        "sh",
        "-c",
        "pwd; echo $COLOUR; stty size; exec cat",
    ]);
    stage.shows(&terminal, directory);
    stage.shows(&terminal, "deep blue\n5 200");
    let _ = stage.ok(&["terminal", "resize", &terminal, "100x20"]);
    let resized = || stage.json(&["terminal", "show", &terminal])["terminal"]["size"]["rows"] == 20;
    assert!(eventually(resized));
}

#[test]
fn escapes_control_the_command_and_its_end_is_told() {
    let stage = Stage::new();
    let script = "trap 'echo interrupted; exit 7' INT; echo ready; while :; do sleep 0.1; done";
    let terminal = stage.ok(&["terminal", "new", "--", "sh", "-c", script]);
    stage.shows(&terminal, "ready");
    let _ = stage.ok(&["terminal", "send", &terminal, "-e", r"\x03"]);
    stage.shows(&terminal, "interrupted");
    let ended = || stage.json(&["terminal", "list"])[0]["exit"] == 7;
    assert!(eventually(ended), "{}", stage.json(&["terminal", "list"]));
}

#[test]
fn what_cannot_be_started_is_refused() {
    let stage = Stage::new();
    let sentence = stage.refused(1, &["terminal", "new", "--", "/no/such/program"]);
    assert!(sentence.contains("/no/such/program"), "{sentence}");
    let missing = stage.path("missing");
    let args = ["terminal", "new", "--dir", missing.to_str().expect("text"), "--", "true"];
    let came = stage.run(&args);
    assert!(came.code == 1 || came.code == 2, "{came:?}");
    assert!(came.err.contains("missing"), "{came:?}");
}
