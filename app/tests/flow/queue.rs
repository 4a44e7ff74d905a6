//! What waits to be said: the commands about it, and hosts that are killed while it waits and while it is
//! said.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use maestro_core::conversation::Prompt;
use maestro_core::{ItemId, TabId};
use maestro_protocol::client::{Blocking, Start};
use maestro_protocol::message::{Command, Reply};
use serde_json::{Value, json};

use crate::place::{Place, end, kill, until};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hosts that are killed at moments that nobody chose.
const KILLS: usize = 20;

/// An agent called `api` with one conversation that has answered once.
fn api(place: &Place) -> TabId {
    let directory = place.repository("shop").display().to_string();
    let _ = place.ok(&["agent", "new", "api", "-p", "demo", "-d", &directory, "--no-start"]);
    let _ = place.ok(&["agent", "send", "api", "[[text hello]]", "--wait"]);
    TabId(1)
}

/// What reached the demo agent, in order, by its own account.
fn heard(place: &Place) -> Vec<String> {
    let sessions = place.user().join(".local/share/maestro/demo-agent/sessions");
    let mut heard = Vec::new();
    for file in fs::read_dir(sessions).into_iter().flatten() {
        let text = fs::read_to_string(file.expect("an entry").path()).expect("readable");
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).expect("a record");
            if record["type"] == "user" {
                heard.push(record["text"].as_str().expect("words").to_owned());
            }
        }
    }
    heard
}

/// What waits, as `id state prompt`.
fn waiting(place: &Place) -> Vec<String> {
    let queues = place.json(&["queue", "list"]);
    let queues = queues.as_array().expect("queues");
    queues
        .iter()
        .flat_map(|queue| queue["items"].as_array().expect("items"))
        .map(|item| {
            let state = match (item["unsure"] == true, item["held"] == true) {
                (true, _) => "unsure",
                (false, true) => "held",
                (false, false) => "waits",
            };
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            format!("{} {state} {}", text(&item["id"]), text(&item["prompt"]["text"]))
        })
        .collect()
}

fn held(place: &Place) -> Value {
    place.json(&["queue", "list", "api"])[0]["held"].clone()
}

#[track_caller]
fn nothing_waits(place: &Place) {
    until("nothing waits any more", || waiting(place).is_empty().then_some(()));
}

#[test]
fn what_waits_is_changed_from_the_command_line() {
    let place = Place::new();
    let _ = api(&place);
    assert!(place.ok(&["queue", "list"]).starts_with("nothing waits"));
    let _ = place.ok(&["queue", "hold", "api"]);
    for text in ["one", "two", "three", "four"] {
        let _ = place.ok(&["agent", "send", "api", &format!("[[text {text}]]")]);
    }
    assert_eq!(held(&place), "by_user");
    let listed = place.ok(&["queue", "list"]);
    assert!(
        listed.starts_with("api is held: you held it; `maestro queue release api`"),
        "{listed}"
    );
    assert_eq!(listed.lines().count(), 6, "{listed}");

    let _ = place.ok(&["queue", "move", "q5", "--first"]);
    let _ = place.ok(&["queue", "move", "q2", "--last"]);
    let _ = place.ok(&["queue", "move", "q4", "--before", "q3"]);
    let _ = place.ok(&["queue", "remove", "q4", "q3"]);
    let _ = place.ok(&["queue", "restore", "q3"]);
    let _ = place.ok(&["queue", "edit", "q2", "[[text", "first", "again]]"]);
    let file = place.document("words.txt", "[[text from a file]]\n");
    let _ = place.ok(&["queue", "edit", "q5", "-f", &file]);
    let _ = end(place.command(["queue", "edit", "q3", "-"]), b"[[text from stdin]]\n").ok();
    let _ = place.ok(&["queue", "hold", "q3"]);
    assert_eq!(
        waiting(&place),
        [
            "q5 waits [[text from a file]]",
            "q3 held [[text from stdin]]",
            "q2 waits [[text first again]]"
        ]
    );
    let changed = place.json(&["queue", "hold", "q2"]);
    assert_eq!((&changed[0]["agent"], &changed[0]["held"]), (&json!("a1"), &json!("by_user")));
    assert_eq!(changed[0]["items"][2]["held"], true);
    let _ = place.ok(&["queue", "release", "q2"]);

    // Now, although the queue is held; then all but what is held itself.
    let _ = place.ok(&["queue", "send", "q2"]);
    until("it is said", || (heard(&place).len() == 2).then_some(()));
    let _ = place.ok(&["queue", "release", "--all"]);
    until("only what is held waits", || (waiting(&place).len() == 1).then_some(()));
    let _ = place.ok(&["queue", "release", "q3"]);
    nothing_waits(&place);
    until("all was said", || (heard(&place).len() == 4).then_some(()));
    assert_eq!(
        heard(&place)[1..],
        ["[[text first again]]", "[[text from a file]]", "[[text from stdin]]"]
    );
}

#[test]
fn another_conversation_can_be_given_what_waits() {
    let place = Place::new();
    let _ = api(&place);
    let _ = place.ok(&["agent", "send", "api", "--new-tab", "--wait", "[[text other]]"]);
    let _ = place.ok(&["queue", "hold", "--all"]);
    let _ = place.ok(&["agent", "send", "api", "--tab", "c1", "[[text moved]]"]);
    let _ = place.ok(&["queue", "move", "q3", "--tab", "c2"]);
    let _ = place.ok(&["queue", "release", "api"]);
    nothing_waits(&place);
    until("it is said there", || {
        let tabs = place.json(&["agent", "tabs", "api"]);
        let turns = |at: usize| tabs[at]["turns"].as_u64().expect("a number");
        ((turns(0), turns(1)) == (1, 2)).then_some(())
    });
}

#[test]
fn what_cannot_be_is_said_in_a_sentence_with_its_exit_code() {
    let place = Place::new();
    let tab = api(&place);
    for (code, words, args) in [
        (1, "q99", &["queue", "remove", "q99"][..]),
        (1, "queue list", &["queue", "edit", "q1", "x"]),
        (1, "was sent already", &["queue", "send", "q1"]),
        (1, "nobody", &["queue", "hold", "nobody"]),
        (1, "nobody", &["queue", "list", "nobody"]),
        (1, "/nonesuch", &["queue", "edit", "q1", "-f", "/nonesuch"]),
    ] {
        let _ = place.fails(code, &[words], args);
    }
    for args in [
        &["queue"][..],
        &["queue", "hold"],
        &["queue", "hold", "api", "--all"],
        &["queue", "remove"],
        &["queue", "remove", "7"],
        &["queue", "move", "q1"],
        &["queue", "move", "q1", "--first", "--last"],
        &["usage", "--by", "moon"],
        &["usage", "--since", "yesterday"],
    ] {
        assert_eq!(place.run(args).code, Some(2), "{args:?}");
    }
    let _ = place.ok(&["queue", "hold", "api"]);
    let _ = place.ok(&["agent", "send", "api", "x"]);
    let _ = place.fails(2, &["empty"], &["queue", "edit", "q2", " "]);
    let long = place.document("long.txt", &"x".repeat((1 << 20) + 1));
    let _ = place.fails(2, &["1048576", "file"], &["queue", "edit", "q2", "-f", &long]);
    let _ = place.fails(1, &["c9"], &["queue", "move", "q2", "--tab", "c9"]);
    let _ = place.fails(1, &["q99"], &["queue", "move", "q2", "--before", "q99"]);
    // Tokens that are none, and tabs that are not there, from a program of its own.
    let mut client = Blocking::connect(&place.home(), &Start::Never).expect("connected");
    let mut send = |tab: TabId, token: &str| {
        let prompt = Prompt { text: "x".into(), ..Prompt::default() };
        let command = Command::Send { tab, prompt, token: token.into(), typed: false };
        client.request(command, PATIENCE).expect_err("refused").to_string()
    };
    assert!(send(tab, "").contains("token"));
    assert!(send(tab, &"t".repeat(500)).contains("128 bytes"));
    assert!(send(TabId(77), "t").contains("no tab c77"));
    // With its agent goes what waits.
    let _ = place.ok(&["agent", "remove", "api"]);
    assert!(place.ok(&["queue", "list"]).starts_with("nothing waits"));
    let _ = place.fails(1, &["q2"], &["queue", "restore", "q2"]);
}

#[test]
fn help_says_what_the_commands_do() {
    let place = Place::new();
    let help = place.ok(&["queue", "--help"]);
    for word in ["list", "edit", "hold", "release", "remove", "restore", "send", "move"] {
        let line = help.lines().find(|line| line.trim_start().starts_with(word));
        assert!(line.is_some_and(|line| line.len() > 20), "{word}: {help}");
    }
    let help = place.ok(&["usage", "--help"]);
    assert!(help.contains("2026-11-22") && help.contains("provider"), "{help}");
    assert_eq!(place.host(), None, "help needs no host");
}

#[test]
fn usage_is_added_up() {
    let place = Place::new();
    let _ = api(&place);
    let _ = place.ok(&["agent", "send", "api", "--wait", "[[usage 1000 200 0.25]] [[text x]]"]);
    for (by, of) in [("agent", "api"), ("provider", "demo")] {
        let sums = place.json(&["usage", "--by", by]);
        assert_eq!(sums.as_array().map(Vec::len), Some(1), "{sums}");
        assert_eq!((&sums[0]["of"], &sums[0]["turns"]), (&json!(of), &json!(2)), "{sums}");
        assert_eq!(sums[0]["usage"]["cost_usd"], 0.25, "{sums}");
    }
    for by in ["day", "tab", "model"] {
        assert_eq!(place.json(&["usage", "--by", by])[0]["turns"], 2, "{by}");
    }
    let text = place.ok(&["usage", "--since", "1d"]);
    assert!(text.contains("$0.25") && text.starts_with("DAY"), "{text}");
    // A run's tasks count, too.
    let task = "- [ ] x [[usage 500 50]] [[text done]]\n";
    let document = place.document("shop/tasks.md", task);
    let _ = place.ok(&["run", &document, "--agent", "api"]);
    until("its task is counted", || {
        let sums = place.json(&["usage", "--by", "agent"]);
        (sums[0]["turns"] == 3).then_some(())
    });
    let none = place.ok(&["usage", "--since", "2999-01-01"]);
    assert!(none.starts_with("no turn has ended"), "{none}");
    // It is there without a host, and another one counts on.
    place.kill_host();
    assert_eq!(place.json(&["usage"])[0]["turns"], 3);
}

#[test]
fn what_was_acknowledged_survives_a_killed_host_and_is_not_sent_by_itself() {
    let place = Place::new();
    let tab = api(&place);
    let _ = place.ok(&["agent", "send", "api", "[[slow 60]] [[text long]]"]);
    let _ = place.ok(&["agent", "send", "api", "[[text waits]]"]);
    let mut client = Blocking::connect(&place.home(), &Start::Never).expect("connected");
    let draft = Prompt { text: "half a sen".into(), ..Prompt::default() };
    let kept = client.request(Command::SetDraft { tab, draft: draft.clone() }, PATIENCE);
    // At once: what was acknowledged is written.
    kill(place.running_host());
    let _ = kept.expect("it is kept");
    place.kill_host();

    assert_eq!(waiting(&place), ["q3 waits [[text waits]]"]);
    until("it is held", || (held(&place) == "after_restart").then_some(()));
    let mut client = Blocking::connect(&place.home(), &Start::Never).expect("connected");
    let open = Command::OpenTab { tab, last: 10, follow: false };
    match client.request(open, PATIENCE).expect("it opens") {
        Reply::Entries(page) => assert_eq!(page.draft, Some(draft)),
        other => panic!("{other:?}"),
    }
    // The next host has all it needs to send it, and does not: also not after another one.
    place.kill_host();
    until("it is held", || (held(&place) == "after_restart").then_some(()));
    let _ = place.ok(&["agent", "why", "api"]);
    let said = |text: &str| heard(&place).iter().filter(|heard| heard.contains(text)).count();
    assert_eq!(said("waits"), 0);
    let _ = place.ok(&["queue", "release", "api"]);
    nothing_waits(&place);
    until("it is said", || (said("waits") == 1).then_some(()));
    assert_eq!(said("long"), 1);
}

/// A client that sends a prompt until it hears that it is kept, as a window does that lost its host.
fn send(place: &Place, tab: TabId, number: usize) -> ItemId {
    let start = || {
        let _ = place.run(&["agent", "list"]);
        let _ = place.run(&["queue", "list"]);
        Blocking::connect(&place.home(), &Start::Never).ok()
    };
    until("it is kept", || {
        let mut client = start()?;
        let prompt = Prompt { text: format!("[[text number {number}.]]"), ..Prompt::default() };
        let command = Command::Send { tab, prompt, token: format!("token {number}"), typed: false };
        match client.request(command, PATIENCE) {
            Ok(Reply::Sent(item)) => Some(item),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        }
    })
}

#[test]
fn nothing_is_said_twice_and_nothing_is_lost_over_twenty_killed_hosts() {
    let place = Place::new();
    let tab = api(&place);
    // xorshift: the same everywhere; what it meets is never the same.
    let mut chance = 0x2545_f491_u64;
    let mut items: BTreeMap<usize, ItemId> = BTreeMap::new();
    for round in 0..KILLS {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let pid = until("a host", || {
            let _ = place.run(&["queue", "list"]);
            place.host()
        });
        let after = Duration::from_millis(chance % 400);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(after);
            kill(pid);
        });
        for number in [round * 2, round * 2 + 1] {
            let _ = items.insert(number, send(&place, tab, number));
            let _ = place.run(&["queue", "release", "api"]);
        }
        killer.join().expect("it killed");
        until("it is gone", || (place.host() != Some(pid)).then_some(()));
        // The same again: it is known.
        for number in [round * 2, round * 2 + 1] {
            assert_eq!(send(&place, tab, number), items[&number], "round {round}");
        }
    }
    let _ = place.run(&["queue", "release", "api"]);
    let left = until("what is left is what nobody knows of", || {
        let _ = place.run(&["queue", "release", "api"]);
        let left = waiting(&place);
        left.iter().all(|item| item.contains(" unsure ")).then_some(left)
    });
    let heard = until("the last one is heard", || {
        let heard = heard(&place);
        let tab = place.json(&["agent", "tabs", "api"]);
        let state = &tab[0]["state"];
        let over = state == "idle" || state["failed"].is_object();
        over.then_some(heard)
    });
    let mut sure = 0;
    for (number, item) in &items {
        let text = format!("[[text number {number}.]]");
        let said = heard.iter().filter(|heard| heard.contains(&text)).count();
        let shown = left.iter().any(|left| *left == format!("{item} unsure {text}"));
        assert!(said <= 1, "{text} was said {said} times");
        assert!(said == 1 || shown, "{text} was not said and is not shown: {left:?}");
        sure += usize::from(said == 1 && !shown);
    }
    assert_eq!(items.len(), KILLS * 2);
    assert!(sure > KILLS, "most are known to have been said: {sure}, unsure {left:?}");
}
