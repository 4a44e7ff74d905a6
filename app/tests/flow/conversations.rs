//! Conversations from the command line, with the demo agent over the Agent Client Protocol.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::json;

use crate::place::{Place, interrupt, until};

/// An agent that is only talked to.
fn agent(place: &Place) -> std::path::PathBuf {
    let directory = place.repository("shop");
    let dir = directory.display().to_string();
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &dir, "--no-start"]);
    directory
}

#[test]
fn an_answer_is_waited_for_and_tells_how_it_ended() {
    let place = Place::new();
    let _ = agent(&place);
    let send = ["agent", "send", "api", "--wait"];
    let said = place.ok(&[&send[..], &["[[text Hello there.]] [[usage 100 20]]"]].concat());
    assert!(said.contains("Hello there."), "{said}");
    let failed = [&send[..], &["[[error 401]]"]].concat();
    let _ = place.fails(1, &[], &failed);
    let tabs = place.json(&["agent", "tabs", "api"]);
    assert_eq!((&tabs[0]["id"], &tabs[0]["turns"]), (&json!("c1"), &json!(2)), "{tabs}");
    let shown = place.ok(&["agent", "show", "api"]);
    assert!(shown.contains("c1") && shown.contains("failed"), "{shown}");
    let why = place.ok(&["agent", "why", "api"]);
    assert!(why.contains("→") && why.contains("the conversation c1"), "{why}");

    // In another one, as one object.
    let said = place.json(&[&send[..], &["--new-tab", "[[text Again.]]"]].concat());
    assert_eq!((&said["tab"], &said["turn"]), (&json!("c2"), &json!(1)), "{said}");
    assert!(said["text"].as_str().is_some_and(|text| text.contains("Again.")), "{said}");
    assert!(said["end"]["ended"].is_object(), "{said}");
    let lines = place.ok(&[&send[..], &["--tab", "c2", "--jsonl", "[[text More.]]"]].concat());
    let entries: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(entries.len() >= 3 && entries[0]["body"]["prompt"].is_object(), "{lines}");

    let _ = place.fails(2, &["nothing to say"], &["agent", "send", "api", "  "]);
    let _ = place.fails(1, &["agent tabs"], &["agent", "send", "api", "-t", "c99", "x"]);
    let _ = place.fails(1, &["asks for anything"], &["agent", "approve", "api"]);
}

#[test]
fn what_it_asks_is_approved_or_denied_and_read_only_holds() {
    let place = Place::new();
    let directory = agent(&place);
    let begin = |words: &str, more: &[&str]| {
        let args = [&["agent", "send", "api", "--wait", words][..], more].concat();
        let mut command = place.command(args);
        let _ = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("it starts")
    };
    let asks = || {
        until("it asks", || {
            let tabs = place.json(&["agent", "tabs", "api"]);
            tabs[0]["requests"].as_array().is_some_and(|asked| !asked.is_empty()).then_some(())
        });
    };
    let mut one = begin("[[write one.txt first]] [[text Done.]]", &[]);
    asks();
    let state = place.json(&["agent", "show", "api"]);
    assert_eq!(state["attention"]["state"], "needs_you", "{state}");
    let _ = place.ok(&["agent", "approve", "api"]);
    assert!(one.wait().expect("it ends").success());
    assert_eq!(place.read(directory.join("one.txt")).trim(), "first");

    let mut two = begin("[[write two.txt second]] [[text Done.]]", &[]);
    asks();
    let _ = place.ok(&["agent", "deny", "api", "--reason", "not that file"]);
    let _ = two.wait().expect("it ends");
    assert!(!directory.join("two.txt").exists());

    let mut three = begin("[[bash echo x > three.txt]]", &["--read-only"]);
    let _ = three.wait().expect("it ends");
    assert!(!directory.join("three.txt").exists(), "read-only holds against its shell, too");
}

#[test]
fn an_interrupt_ends_the_turn_and_not_the_conversation() {
    let place = Place::new();
    let _ = agent(&place);
    let waits = |words: &str| {
        let mut command = place.command(["agent", "send", "api", "--wait", words]);
        let _ = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("it starts")
    };
    let works = || {
        until("it works", || {
            let tabs = place.json(&["agent", "tabs", "api"]);
            tabs[0]["state"]
                .as_object()
                .is_some_and(|state| state.contains_key("working"))
                .then_some(())
        });
    };
    let mut one = waits("[[text Beginning.]] [[hang]]");
    works();
    let _ = place.ok(&["agent", "interrupt", "api"]);
    assert_eq!(one.wait().expect("it ends").code(), Some(1));

    // The same by Ctrl+C of whoever waits.
    let _ = place.run(&["queue", "release", "api"]);
    let mut two = waits("[[text Beginning.]] [[hang]]");
    works();
    interrupt(two.id());
    assert_eq!(two.wait().expect("it ends").code(), Some(1));
    let mut told = String::new();
    let _ = two.stderr.take().expect("piped").read_to_string(&mut told);
    assert!(told.contains("interrupted"), "{told}");
}

#[test]
fn a_host_that_is_killed_in_the_middle_keeps_what_came() {
    let place = Place::new();
    let _ = agent(&place);
    let tab = place.ok(&["agent", "send", "api", "[[text Half of it.]] [[hang]]"]);
    assert_eq!(tab, "c1");
    until("it works", || {
        let tabs = place.json(&["agent", "tabs", "api"]);
        (tabs[0]["session"].is_string() && tabs[0]["entries"].as_u64() > Some(1)).then_some(())
    });
    place.kill_host();
    // The next host ends what the dead one left, shows the turn as cut, and goes on with the session.
    let _ = place.ok(&["agent", "open", "api", "--fresh"]);
    let _ = place.ok(&["agent", "stop", "api"]);
    until("its program is gone", || place.children().is_empty().then_some(()));
    let tabs = place.json(&["agent", "tabs", "api"]);
    assert!(tabs[0]["state"]["failed"].is_object(), "{tabs}");
    let session = tabs[0]["session"].clone();
    let _ = place.run(&["queue", "release", "api"]);
    let said = place.ok(&["agent", "send", "api", "--wait", "[[text And the rest.]]"]);
    assert!(said.contains("And the rest."), "{said}");
    let tabs = place.json(&["agent", "tabs", "api"]);
    assert_eq!((&tabs[0]["session"], &tabs[0]["turns"]), (&session, &json!(2)), "{tabs}");
}
