//! The command line: every command, its refusals and its exit codes.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::time::Duration;

use maestro_protocol::codec::Hello;
use serde_json::{Value, json};

use crate::place::{DEADLINE, Place, collect, end, lives, until, wait};

// Terminals.

#[test]
fn a_terminal_is_started_read_typed_into_resized_and_closed() {
    let place = Place::new();
    let id = place.ok(&["terminal", "new", "--size", "60x10", "--", "sh"]);
    assert_eq!(id, "t1");
    let _ = place.ok(&["terminal", "send", &id, "stty size; echo $((40+2))", "--enter"]);
    let _ = place.shows(&id, "\n42");
    let screen = place.shows(&id, "\n10 60");
    assert!(screen.lines().count() <= 10, "{screen}");

    let _ = place.ok(&["terminal", "resize", &id, "100x30"]);
    let _ = place.ok(&["terminal", "send", &id, "-e", "stty size\\r"]);
    let _ = place.shows(&id, "\n30 100");

    let list = place.json(&["terminal", "list"]);
    assert_eq!(list[0]["id"], "t1");
    assert_eq!(list[0]["agent"], Value::Null);
    assert_eq!((&list[0]["size"]["cols"], &list[0]["size"]["rows"]), (&json!(100), &json!(30)));
    let pid = list[0]["pid"].as_i64().expect("a process") as i32;
    assert!(lives(pid));
    let table = place.ok(&["terminal", "list"]);
    assert!(table.contains(&format!("process {pid}")), "{table}");

    let _ = place.ok(&["terminal", "close", &id]);
    let _ = until("the shell is gone", || (!lives(pid)).then_some(()));
    let _ = place.fails(1, &["t1"], &["terminal", "show", &id]);
    assert_eq!(place.json(&["terminal", "list"]), json!([]));
}

#[test]
fn a_screen_is_shown_as_text_with_colours_and_as_json() {
    let place = Place::new();
    let print = r"printf 'a \033[1;31mred\033[0m b\033]2;Title\007'; sleep 600";
    let id = place.ok(&["terminal", "new", "--size", "40x5", "--", "sh", "-c", print]);
    let _ = place.shows(&id, "a red b");
    assert!(place.ok(&["terminal", "show", &id]).starts_with("a red b\n"));
    let coloured = place.ok(&["terminal", "show", &id, "--ansi"]);
    assert!(coloured.starts_with("a \x1b[1;38;5;1mred\x1b[0m b"), "{coloured:?}");
    let shown = place.json(&["terminal", "show", &id]);
    assert_eq!(shown["title"], "Title");
    assert_eq!(shown["rows"].as_array().map(Vec::len), Some(5));
    assert_eq!(shown["rows"][0]["text"], "a red b");
    let run = json!({ "col": 2, "cells": 3, "fg": 1, "bold": true });
    assert_eq!(shown["rows"][0]["runs"], json!([run]));
    assert_eq!((&shown["cursor"]["row"], &shown["cursor"]["col"]), (&json!(0), &json!(7)));
    assert!(shown["modes"].is_object());
    let _ = place.fails(2, &["not both"], &["--json", "terminal", "show", &id, "--ansi"]);
}

#[test]
fn rows_that_scrolled_away_are_kept_and_an_end_is_told() {
    let place = Place::new();
    let count = "seq 1 200; exit 7";
    let id = place.ok(&["terminal", "new", "--size", "20x10", "--", "sh", "-c", count]);
    let _ = place.shows(&id, "200");
    let _ = until("the end is told", || {
        (place.json(&["terminal", "list"])[0]["exit"] == 7).then_some(())
    });
    assert!(place.ok(&["terminal", "list"]).contains("ended with 7"));
    assert!(!place.screen(&id).contains("\n150\n"));
    let all = place.ok(&["terminal", "show", &id, "--history"]);
    let numbers: Vec<u32> = all.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
}

#[test]
fn text_is_sent_exactly_with_escapes_and_from_the_standard_input() {
    let place = Place::new();
    let dir = place.root().display().to_string();
    let script = "stty raw -echo; echo ready; head -c 12 | od -An -tx1; sleep 600";
    let new = ["terminal", "new", "-d", &dir, "--size", "60x5", "-e", "GREETING=hello there"];
    let id = place.ok(&[&new[..], &["--", "sh", "-c", script]].concat());
    let _ = place.shows(&id, "ready");
    let _ = place.ok(&["terminal", "send", &id, "-e", r"\x03\e[A\\"]);
    let _ = place.ok(&["terminal", "send", &id, "ä", "b", "--enter"]);
    let _ = end(place.command(["terminal", "send", &id, "-"]), b"\n\x04z").ok();
    // Ctrl+C, Escape [ A, a backslash; ä, a blank, b, Enter; the three bytes.
    let _ = place.shows(&id, "03 1b 5b 41 5c c3 a4 20 62 0d 0a 04");
    let _ = place.fails(2, &["no escape"], &["terminal", "send", &id, "-e", r"\q"]);

    let id =
        place.ok(&[&new[..], &["--", "sh", "-c", "echo $GREETING from $PWD; sleep 600"]].concat());
    let shown = place.shows(&id, "from");
    assert!(shown.replace('\n', "").contains(&format!("hello there from {dir}")), "{shown}");
}

// Agents.

#[test]
fn an_agent_lives_in_its_own_worktree_until_it_is_removed() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let id = place.ok(&["agent", "new", "-p", "demo", "-d", &dir, "-B", "feat/cart"]);
    assert_eq!(id, "a1");
    let agent = place.json(&["agent", "show", "cart"]);
    assert_eq!(agent["id"], "a1");
    assert_eq!(agent["branch"], "feat/cart");
    assert_eq!(agent["worktree"], true);
    assert_eq!(agent["provider"], "demo");
    let directory = agent["directory"].as_str().expect("a path").to_owned();
    assert!(directory != dir && fs::exists(format!("{directory}/README.md")).expect("looked"));
    let terminal = agent["ai_terminal"].as_str().expect("a terminal").to_owned();
    let _ = place.shows(&terminal, "emo");

    let shown = place.ok(&["agent", "show", "a1"]);
    assert!(shown.contains("made by Maestro") && shown.contains("feat/cart"), "{shown}");
    let list = place.ok(&["agent", "list"]);
    assert!(list.contains("cart") && list.contains(&directory), "{list}");
    assert_eq!(place.json(&["agent", "list"])[0]["name"], "cart");
    let everything = place.json(&["list"]);
    assert_eq!(everything["agents"][0]["id"], "a1");
    assert_eq!(everything["terminals"][0]["agent"], "a1");

    let _ =
        place.fails(1, &["already", "cart"], &["agent", "new", "cart", "-p", "demo", "-d", &dir]);
    let _ = place.fails(
        1,
        &["feat/cart"],
        &["agent", "new", "-p", "demo", "-d", &dir, "-B", "feat/cart"],
    );
    let _ = place.fails(1, &["no agent", "agent list"], &["agent", "show", "nobody"]);

    let _ = place.ok(&["agent", "stop", "cart"]);
    let agent = place.json(&["agent", "show", "cart"]);
    assert_eq!(
        (&agent["ai_terminal"], &agent["attention"]["state"]),
        (&Value::Null, &json!("resumable"))
    );
    let _ = until("its processes are gone", || place.children().is_empty().then_some(()));
    let _ = place.fails(1, &["agent open cart"], &["terminal", "show", "cart"]);

    assert_eq!(place.ok(&["agent", "open", "cart"]), "a1");
    let _ = place.shows("cart", "emo");

    let _ = place.ok(&["agent", "remove", "cart"]);
    assert_eq!(place.json(&["agent", "list"]), json!([]));
    assert!(fs::exists(&directory).expect("looked"), "its folder stays");
    assert!(place.git(&repository, &["branch"]).contains("feat/cart"), "its branch stays");
    let _ = until("its processes are gone", || place.children().is_empty().then_some(()));
    assert!(place.ok(&["agent", "list"]).contains("no agents yet"));
}

#[test]
fn an_agent_types_and_edits_in_its_worktree_only() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "one", "-p", "demo", "-d", &dir, "-B", "one"]);
    let _ = place.ok(&["agent", "new", "two", "-p", "demo", "-d", &dir, "-B", "two"]);
    for name in ["one", "two"] {
        let _ = place.shows(name, "emo");
        let prompt = format!("[[write {name}.txt by {name}]] [[text Written by {name}.]]");
        let _ = place.ok(&["terminal", "send", name, &prompt]);
        let _ = place.shows(name, "[[write");
        let _ = place.ok(&["terminal", "send", name, "-e", r"\r"]);
    }
    for name in ["one", "two"] {
        let agent = place.json(&["agent", "show", name]);
        let file = format!("{}/{name}.txt", agent["directory"].as_str().expect("a path"));
        let text = until("the file is written", || {
            fs::read_to_string(&file).ok().filter(|text| !text.is_empty())
        });
        assert_eq!(text.trim_end(), format!("by {name}"));
    }
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
}

#[test]
fn a_shell_agent_and_one_that_is_not_started() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let _ = place.ok(&["agent", "new", "sh", "-p", "shell", "-d", &dir]);
    let _ = place.ok(&["terminal", "send", "sh", "pwd; echo $((6*7))", "--enter"]);
    let shown = place.shows("sh", "\n42");
    assert!(shown.replace('\n', "").contains(&dir), "{shown}");
    let _ = place.ok(&["agent", "new", "later", "-p", "demo", "-d", &dir, "--no-start"]);
    assert_eq!(place.json(&["agent", "show", "later"])["ai_terminal"], Value::Null);
}

// Worktrees.

#[test]
fn worktrees_are_made_listed_and_refused_with_the_reason() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let made = place.ok(&["worktree", "new", "feat/a", "-r", &dir]);
    assert!(fs::exists(format!("{made}/README.md")).expect("looked"), "{made}");
    assert!(!made.starts_with(&format!("{dir}/")), "beside the repository, not in it: {made}");
    let list = place.json(&["worktree", "list", &made]);
    assert_eq!((&list[0]["main"], &list[0]["path"]), (&json!(true), &json!(dir)));
    assert_eq!((&list[1]["branch"], &list[1]["path"]), (&json!("feat/a"), &json!(made)));
    assert!(place.ok(&["worktree", "list", &dir]).contains("feat/a"));

    let _ = place.git(&repository, &["branch", "free"]);
    let chosen = place.path("elsewhere").display().to_string();
    assert_eq!(place.ok(&["worktree", "new", "free", "-e", "-r", &dir, "-p", &chosen]), chosen);
    let tag = ["worktree", "new", "from-tag", "-r", &dir, "--from", "start"];
    let _ = place.git(&repository, &["tag", "start"]);
    let _ = place.ok(&tag);

    let refused = |code: i32, words: &[&str], args: &[&str]| {
        let before = place.git(&repository, &["worktree", "list"]);
        let _ = place.fails(code, words, &[&["worktree", "new"], args].concat());
        assert_eq!(place.git(&repository, &["worktree", "list"]), before);
    };
    refused(1, &["feat/a", "already"], &["feat/a", "-r", &dir]);
    refused(1, &["feat/a", "checked out", &made], &["feat/a", "-e", "-r", &dir]);
    refused(1, &["main", "checked out", &dir], &["main", "-e", "-r", &dir]);
    refused(1, &["no branch `nowhere`"], &["nowhere", "-e", "-r", &dir]);
    refused(1, &["Did you mean", "free"], &["fre", "-e", "-r", &dir]);
    for bad in ["a..b", "sp ace", "end.lock", "HEAD", "@{x}", "/a", ""] {
        refused(2, &["cannot be a branch's name"], &["-r", &dir, "--", bad]);
    }
    refused(2, &["`feat` cannot exist beside the branch `feat/a`"], &["feat", "-r", &dir]);
    refused(1, &["nonesuch"], &["x", "-r", &dir, "--from", "nonesuch"]);
    let full = place.path("full");
    fs::create_dir(&full).expect("made");
    fs::write(full.join("precious"), "kept").expect("written");
    let full_path = full.display().to_string();
    refused(
        1,
        &["not an empty folder", "nothing there was changed"],
        &["x", "-r", &dir, "-p", &full_path],
    );
    assert_eq!(fs::read_to_string(full.join("precious")).expect("there"), "kept");

    // Whether what was asked for is wrong in itself or only here is not always clear.
    let refuses = |words: &[&str], args: &[&str]| {
        let ended = place.run(args);
        assert!(matches!(ended.code, Some(1 | 2)), "{ended}");
        ended.fails(ended.code.unwrap_or_default(), words)
    };
    let plain = place.path("plain");
    fs::create_dir(&plain).expect("made");
    let plain = plain.display().to_string();
    let _ = refuses(&["not in a git repository"], &["worktree", "new", "x", "-r", &plain]);
    let _ = refuses(&["not in a git repository"], &["worktree", "list", &plain]);
    let empty = place.path("empty");
    fs::create_dir(&empty).expect("made");
    let _ = place.git(&empty, &["init", "-q"]);
    let empty = empty.display().to_string();
    let _ = refuses(&["no commits yet"], &["worktree", "new", "x", "-r", &empty]);
    let _ = refuses(&["cannot be opened"], &["worktree", "new", "x", "-r", "/nonesuch/at/all"]);
}

// Runs.

#[test]
fn a_checklist_is_worked_through_and_ticked_with_evidence() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let tasks = place.document(
        "tasks.md",
        "# Plan\n\nSome words.\n\n- [ ] First [[write a.txt one]]\n  - verify: grep -q one a.txt\n\
         * [x] Done before\n- [ ] Second [[bash echo two > b.txt]]\r\n\nThe end.",
    );
    let ended = place.run(&["run", &tasks, "--provider", "demo", "--dir", &dir]);
    assert!(ended.ok().contains("3 done, 0 open"), "{ended}");
    assert_eq!(
        place.read(&tasks),
        "# Plan\n\nSome words.\n\n- [x] First [[write a.txt one]]\n  - verify: grep -q one a.txt\n\
         * [x] Done before\n- [x] Second [[bash echo two > b.txt]]\r\n\nThe end.",
    );
    assert_eq!(place.read(repository.join("b.txt")), "two\n");

    let runs = place.json(&["run", "list"]);
    assert_eq!(
        (&runs[0]["id"], &runs[0]["state"]),
        (&json!("r1"), &json!({ "ended": "completed" }))
    );
    let run = place.json(&["run", "show", "r1"]);
    let first = &run["tasks"][0];
    assert_eq!((&first["state"], &first["attempts"]), (&json!("done"), &json!(1)));
    assert_eq!(first["verify"]["exit_code"], 0);
    assert!(first["tree_before"].is_string() && first["tree_before"] != first["tree_after"]);
    let second = &run["tasks"][1];
    assert_ne!(first["session"], second["session"], "a fresh session for each task");
    assert_eq!(first["tree_after"], second["tree_before"]);
    let shown = place.ok(&["run", "show", "r1"]);
    assert!(shown.contains("✓ First") && shown.contains("exit code 0"), "{shown}");
    assert!(place.ok(&["run", "list"]).contains("completed"));
    let _ = place.fails(1, &["r9"], &["run", "show", "r9"]);
}

#[test]
fn a_task_whose_command_fails_stays_open_and_the_next_is_done() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let tasks = place.document(
        "tasks.md",
        "- [ ] Bad [[append a.txt x]]\n  - verify: echo broken >&2; exit 3\n- [ ] Good [[write b.txt y]]\n",
    );
    let ended = place.run(&["run", &tasks, "-a", "demo", "-d", &dir, "--attempts", "2", "--jsonl"]);
    assert_eq!(ended.code, Some(1), "{ended}");
    let text = place.read(&tasks);
    assert!(text.contains("- [ ] Bad") && text.contains("- [x] Good"), "{text}");
    let steps: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(steps.iter().all(|step| step["run"] == "r1" && step["timestamp"].is_u64()));
    let kinds: Vec<&str> = steps.iter().filter_map(|step| step["type"].as_str()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"start"), Some(&"complete")));
    let bad = steps.iter().find(|step| step["type"] == "task_complete" && step["success"] == false);
    let bad = bad.unwrap_or_else(|| panic!("{ended}"));
    assert_eq!((&bad["attempts"], &bad["verify"]["exit_code"]), (&json!(2), &json!(3)));
    assert!(bad["verify"]["output"].as_str().is_some_and(|text| text.contains("broken")));
    let last = steps.last().expect("some");
    assert_eq!(
        (&last["success"], &last["done"], &last["open"]),
        (&json!(false), &json!(1), &json!(1))
    );
}

#[test]
fn a_run_of_an_agent_works_in_its_worktree() {
    let place = Place::new();
    let repository = place.repository("shop");
    let dir = repository.display().to_string();
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "-B", "api", "--no-start"]);
    let tasks = place.document("tasks.md", "- [ ] It [[write here.txt yes]]\n");
    let _ = place.ok(&["run", &tasks, "--agent", "api"]);
    let directory = place.json(&["agent", "show", "api"])["directory"].clone();
    assert_eq!(
        place.read(format!("{}/here.txt", directory.as_str().expect("a path"))).trim(),
        "yes"
    );
    assert_eq!(place.git(&repository, &["status", "--porcelain"]), "");
    assert_eq!(place.json(&["run", "show", "r1"])["spec"]["agent"], "a1");
}

#[test]
fn a_second_run_in_a_directory_is_refused_with_who_holds_it() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let slow = place.document("slow.md", "- [ ] Slow [[hang]]\n");
    let other = place.document("other.md", "- [ ] Other [[write b.txt b]]\n");
    let id = place.ok(&["run", &slow, "-p", "demo", "-d", &dir, "--detach"]);
    assert_eq!(id, "r1");
    let refused = place.fails(1, &["r1"], &["run", &other, "-p", "demo", "-d", &dir]);
    assert!(refused.contains(&dir) || refused.contains("shop"), "{refused}");
    // The same document from elsewhere would be ticked by two.
    let elsewhere = place.repository("elsewhere").display().to_string();
    let _ = place.fails(1, &["r1"], &["run", &slow, "-p", "demo", "-d", &elsewhere]);

    let _ = place.ok(&["run", "kill", "r1"]);
    let _ = until("it is killed", || {
        (place.json(&["run", "show", "r1"])["state"] == json!({ "ended": "killed" })).then_some(())
    });
    let _ = until("its processes are gone", || place.children().is_empty().then_some(()));
    assert!(place.read(&slow).contains("[ ] Slow"));
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
    let _ = until("the task runs", || repository.join("started").exists().then_some(()));
    let _ = place.ok(&["run", "stop", "r1"]);
    fs::write(repository.join("go"), "").expect("written");
    assert_eq!(wait(&mut follower, DEADLINE), Some(1));
    let told = String::from_utf8_lossy(&told.recv().expect("read")).into_owned();
    let failed = String::from_utf8_lossy(&failed.recv().expect("read")).into_owned();
    assert!(failed.contains("stopped"), "{failed}");
    assert!(told.lines().any(|line| line.contains("\"stopping\"")), "{told}");
    let text = place.read(&tasks);
    assert!(text.contains("[x] One") && text.contains("[ ] Two"), "{text}");
    assert_eq!(place.json(&["run", "show", "r1"])["state"], json!({ "ended": "stopped" }));
}

// Exit codes and the host.

#[test]
fn exit_codes_are_what_is_promised() {
    let place = Place::new();
    // 3: nobody is asked to start a host for a question about what runs.
    for args in [
        &["list"][..],
        &["agent", "list"],
        &["host", "status"],
        &["host", "stop"],
        &["run", "list"],
    ] {
        let _ = place.fails(3, &["no host runs"], args);
    }
    assert!(!place.home().root().exists(), "asking leaves nothing behind");
    // 2: said by the reader of the command line, and by the host.
    assert_eq!(place.run(&["agent", "new"]).code, Some(2));
    assert_eq!(place.run(&["nonsense"]).code, Some(2));
    assert_eq!(place.run(&["--help"]).code, Some(0));
    assert_eq!(place.run(&["--version"]).ok(), format!("maestro {}", env!("CARGO_PKG_VERSION")));
    let dir = place.repository("shop").display().to_string();
    let _ = place.fails(2, &["id"], &["agent", "new", "a3", "-p", "demo", "-d", &dir]);
    // 4: cannot be done on this machine.
    place.profile("/usr/bin:/bin", &[]);
    let _ = place.fails(4, &["codex"], &["agent", "new", "-p", "codex", "-d", &dir]);
    // 1: refused or failed.
    let _ = place.fails(1, &["/nonesuch"], &["agent", "new", "-p", "demo", "-d", "/nonesuch"]);
    let _ = place.fails(1, &["gone.md"], &["run", "gone.md", "-p", "demo", "-d", &dir]);
    // 0.
    let status = place.json(&["host", "status"]);
    assert_eq!(status["pid"].as_i64().map(|pid| pid as i32), place.host());
    assert!(place.ok(&["host", "status"]).contains("socket"));
    let stopped = place.json(&["host", "stop"]);
    assert_eq!(stopped["stopped"], true);
    assert_eq!(place.host(), None);
    let _ = place.fails(3, &["no host runs"], &["list"]);
    // 1: a home folder that is none.
    let mut relative = Place::new();
    relative.set("MAESTRO_HOME", "somewhere");
    let _ = relative.fails(1, &["MAESTRO_HOME", "absolute"], &["list"]);
}

#[test]
fn the_shells_completions_and_the_doctor_need_no_host() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(place.ok(&["completions", shell]).contains("maestro"));
    }
    let doctor = place.run(&["doctor", "--json"]);
    let report: Value =
        serde_json::from_str(&doctor.stdout).unwrap_or_else(|error| panic!("{error}: {doctor}"));
    assert!(report.to_string().contains("demo") || report.to_string().contains("git"), "{report}");
}

/// Something that listens where the host would.
fn impostor(place: &Place, serve: impl Fn(UnixStream) + Send + 'static) {
    place.home().create().expect("made");
    let listener = UnixListener::bind(place.home().socket()).expect("bound");
    let _ = std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream);
        }
    });
}

#[test]
fn another_version_is_refused_with_both_versions() {
    let place = Place::new();
    impostor(&place, |mut stream| {
        let hello = Hello { protocol: 999, program: "9.9.9".to_owned(), verdict: String::new() };
        let _ = stream.write_all(&hello.to_bytes());
        let _ = stream.read(&mut [0; 256]);
    });
    let _ = place.fails(1, &["9.9.9", "protocol 999", env!("CARGO_PKG_VERSION")], &["list"]);
    let _ = place.fails(1, &["9.9.9"], &["terminal", "new", "--", "true"]);
}

#[test]
fn what_is_no_host_is_recognised() {
    let place = Place::new();
    impostor(&place, |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = stream.read(&mut [0; 256]);
    });
    let _ = place.fails(1, &["not Maestro"], &["list"]);
}

#[test]
fn a_host_that_never_answers_is_given_up() {
    let place = Place::new();
    impostor(&place, |mut stream| {
        let _ = stream.write_all(&Hello::ours().to_bytes());
        let _ = stream.read(&mut [0; 256]);
        // Held open, and silent.
        std::mem::forget(stream);
    });
    let _ = place.fails(5, &["did not answer"], &["list"]);
}

#[test]
fn a_socket_that_nobody_serves_is_replaced() {
    let place = Place::new();
    let _ = place.ok(&["terminal", "new", "--", "sleep", "600"]);
    place.kill_host();
    assert!(place.home().socket().exists(), "the socket of the dead host is still there");
    let _ = place.fails(3, &["ended unexpectedly"], &["list"]);
    let id = place.ok(&["terminal", "new", "--", "sleep", "600"]);
    assert_ne!(id, "t1", "ids are never used again");
    let _ =
        until("the dead host's terminal is ended", || (place.children().len() == 1).then_some(()));
    // Something that is no socket at all.
    let _ = place.ok(&["host", "stop"]);
    let _ = fs::remove_file(place.home().socket());
    fs::write(place.home().socket(), "not a socket").expect("written");
    let _ = place.run(&["terminal", "new", "--", "true"]).ok();
}

#[test]
fn of_many_hosts_that_start_at_once_one_runs() {
    let place = Place::new();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut command = place.command(["terminal", "new", "--", "sleep", "600"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
        })
        .collect();
    let mut ids: Vec<String> = clients
        .into_iter()
        .map(|mut client| {
            let (out, error) = (client.stdout.take(), client.stderr.take());
            let (out, error) = (collect(out.expect("piped")), collect(error.expect("piped")));
            let code = wait(&mut client, DEADLINE);
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
            let error = text(error.recv().expect("read"));
            assert_eq!((code, error.as_str()), (Some(0), ""));
            text(out.recv().expect("read"))
        })
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8, "{ids:?}");
    let hosts = || {
        let all = place.processes();
        all.into_iter().filter(|(_, line)| line.contains("host --detached")).collect::<Vec<_>>()
    };
    let _ = until("the others have ended", || (hosts().len() == 1).then_some(()));
    assert_eq!(place.json(&["terminal", "list"]).as_array().map(Vec::len), Some(8));
    let _ = place.fails(1, &["already runs", "host stop"], &["host"]);
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let place = Place::new();
    let dir = place.repository("shop").display().to_string();
    let _ = place.ok(&["agent", "new", "kept", "-p", "demo", "-d", &dir, "--no-start"]);
    let _ = place.ok(&["host", "stop"]);
    let database = place.home().database();
    let original = fs::read(&database).expect("there");
    // The format's own field for the version of what is in it.
    let mut newer = original.clone();
    newer[60..64].copy_from_slice(&900_u32.to_be_bytes());
    fs::write(&database, &newer).expect("written");
    let _ = place.fails(1, &["newer"], &["terminal", "new", "--", "true"]);
    assert_eq!(fs::read(&database).expect("there"), newer);
    fs::write(&database, &original).expect("written");
    assert_eq!(place.ok(&["agent", "open", "kept"]), "a1");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let id = place.ok(&[
        "terminal",
        "new",
        "--size",
        "200x50",
        "--",
        "sh",
        "-c",
        "seq 1 5000; sleep 600",
    ]);
    let _ = place.shows(&id, "5000");
    let mut command = place.command(["terminal", "show", &id, "--history"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    drop(child.stdout.take());
    let error = collect(child.stderr.take().expect("piped"));
    assert_eq!(wait(&mut child, Duration::from_secs(60)), Some(0));
    assert_eq!(String::from_utf8_lossy(&error.recv().expect("read")), "");
}
