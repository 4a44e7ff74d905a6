//! Terminals without any window.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::place::{Place, collect, end, lives, until, wait};

#[test]
fn a_terminal_is_started_read_typed_into_resized_and_closed() {
    let place = Place::new();
    let id = place.ok(&["terminal", "new", "--size", "60x10", "--", "sh"]);
    assert_eq!(id, "t1");
    let _ = place.ok(&["terminal", "send", &id, "stty size; echo $((40+2))", "--enter"]);
    let _ = place.shows(&id, "\n42");
    let screen = place.shows(&id, "\n10 60");
    assert!(screen.lines().count() <= 10, "{screen}");

    let size = |info: &Value| (info["size"]["cols"].clone(), info["size"]["rows"].clone());
    let _ = place.ok(&["terminal", "resize", &id, "100x30"]);
    let _ = place.ok(&["terminal", "send", &id, "-e", "stty size\\r"]);
    let _ = place.shows(&id, "\n30 100");
    let shown = place.json(&["terminal", "show", &id]);
    assert_eq!(size(&shown["terminal"]), (json!(100), json!(30)));

    let list = place.json(&["terminal", "list"]);
    assert_eq!(list[0]["id"], "t1");
    assert_eq!(list[0]["agent"], Value::Null);
    assert_eq!(size(&list[0]), (json!(100), json!(30)));
    let pid = list[0]["pid"].as_i64().expect("a process") as i32;
    assert!(lives(pid));
    let table = place.ok(&["terminal", "list"]);
    assert!(table.contains(&format!("process {pid}")), "{table}");

    let _ = place.ok(&["terminal", "close", &id]);
    until("the shell is gone", || (!lives(pid)).then_some(()));
    let _ = place.fails(1, &["t1"], &["terminal", "show", &id]);
    assert_eq!(place.json(&["terminal", "list"]), json!([]));
}

#[test]
fn a_screen_is_shown_as_text_with_colours_and_as_json() {
    let place = Place::new();
    let print =
        r"stty -echo; printf 'a \033[1;31mred\033[0m b\033]2;Title\007\033[?2004h\n'; exec cat";
    let id = place.ok(&["terminal", "new", "--size", "40x5", "--", "sh", "-c", print]);
    let _ = place.shows(&id, "a red b");
    let _ = place.ok(&["terminal", "send", &id, "hello there", "--enter"]);
    let _ = place.shows(&id, "hello there\n");
    assert!(place.ok(&["terminal", "show", &id]).starts_with("a red b\n"));
    let coloured = place.ok(&["terminal", "show", &id, "--ansi"]);
    assert!(coloured.starts_with("a \x1b[1;38;5;1mred\x1b[0m b"), "{coloured:?}");
    let shown = place.json(&["terminal", "show", &id]);
    assert_eq!(shown["title"], "Title");
    let size = &shown["terminal"]["size"];
    assert_eq!((&size["cols"], &size["rows"]), (&json!(40), &json!(5)));
    assert_eq!(shown["rows"].as_array().map(Vec::len), Some(5));
    assert_eq!(shown["rows"][0]["text"], "a red b");
    let run = json!({ "col": 2, "cells": 3, "fg": 1, "bold": true });
    assert_eq!(shown["rows"][0]["runs"], json!([run]));
    assert_eq!((&shown["cursor"]["row"], &shown["cursor"]["col"]), (&json!(2), &json!(0)));
    assert_eq!(shown["modes"]["bracketed_paste"], true);
    let _ = place.fails(2, &["not both"], &["--json", "terminal", "show", &id, "--ansi"]);
}

#[test]
fn rows_that_scrolled_away_are_kept_with_their_colours() {
    let place = Place::new();
    let count = r"printf '\033[1;31mred\033[0m plain\n'; seq 1 200; exit 7";
    let id = place.ok(&["terminal", "new", "--size", "20x10", "--", "sh", "-c", count]);
    let _ = place.shows(&id, "200");
    until("the end is told", || (place.json(&["terminal", "list"])[0]["exit"] == 7).then_some(()));
    assert!(place.ok(&["terminal", "list"]).contains("ended with 7"));
    let screen = place.screen(&id);
    assert!(!screen.contains("\n150\n") && !screen.contains("red"), "{screen}");
    let all = place.ok(&["terminal", "show", &id, "--history"]);
    let numbers: Vec<u32> = all.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    let coloured = place.ok(&["terminal", "show", &id, "--history", "--ansi"]);
    assert!(coloured.starts_with("\x1b[1;38;5;1mred\x1b[0m plain\n1\n2\n"), "{coloured:?}");
    let shown = place.json(&["terminal", "show", &id, "--history"]);
    assert_eq!(shown["history"][0]["text"], "red plain");
    assert_eq!(shown["history"][0]["runs"][0]["fg"], 1);
    assert_eq!(shown["history"][0]["runs"][0]["cells"], 3);
}

#[test]
fn text_is_sent_exactly_with_escapes_and_from_the_standard_input() {
    let place = Place::new();
    let script = "stty raw -echo; echo ready; head -c 12 | od -An -tx1; sleep 600";
    let id = place.ok(&["terminal", "new", "--size", "60x5", "--", "sh", "-c", script]);
    let _ = place.shows(&id, "ready");
    let _ = place.ok(&["terminal", "send", &id, "-e", r"\x03\e[A\\"]);
    let _ = place.ok(&["terminal", "send", &id, "ä", "b", "--enter"]);
    let _ = end(place.command(["terminal", "send", &id, "-"]), b"\n\x04z").ok();
    // Ctrl+C, Escape [ A, a backslash; ä, a blank, b, Enter; the three bytes.
    let _ = place.shows(&id, "03 1b 5b 41 5c c3 a4 20 62 0d 0a 04");
    let _ = place.fails(2, &["no escape"], &["terminal", "send", &id, "-e", r"\q"]);
}

#[test]
fn control_characters_control_the_command() {
    let place = Place::new();
    let script = "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.1; done";
    let id = place.ok(&["terminal", "new", "--", "sh", "-c", script]);
    let _ = place.shows(&id, "ready");
    let _ = place.ok(&["terminal", "send", &id, "-e", r"\x03"]);
    let _ = place.shows(&id, "interrupted");
    until("the end is told", || (place.json(&["terminal", "list"])[0]["exit"] == 9).then_some(()));
}

#[test]
fn a_command_starts_where_and_with_what_it_is_told() {
    let place = Place::new();
    let here = place.path("here");
    fs::create_dir(&here).expect("made");
    let here = here.display().to_string();
    let new = ["terminal", "new", "-d", &here, "-e", "GREETING=hello there", "--size", "200x5"];
    let script = "echo $GREETING from $PWD; exec cat";
    let id = place.ok(&[&new[..], &["--", "sh", "-c", script]].concat());
    let _ = place.shows(&id, &format!("hello there from {here}\n"));

    let _ = place.fails(1, &["/no/such/program"], &["terminal", "new", "--", "/no/such/program"]);
    let missing = place.path("missing").display().to_string();
    let ended = place.run(&["terminal", "new", "--dir", &missing, "--", "true"]);
    assert!(matches!(ended.code, Some(1 | 2)), "{ended}");
    let _ = ended.fails(ended.code.unwrap_or_default(), &["missing"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let script = "seq 1 5000; sleep 600";
    let id = place.ok(&["terminal", "new", "--size", "200x50", "--", "sh", "-c", script]);
    let _ = place.shows(&id, "5000");
    for args in [&["terminal", "show", &id, "--history"][..], &["completions", "bash"]] {
        let mut command = place.command(args);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        drop(child.stdout.take());
        let error = collect(child.stderr.take().expect("piped"));
        assert_eq!(wait(&mut child, Duration::from_secs(60)), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&error.recv().expect("read")), "", "{args:?}");
    }
}
