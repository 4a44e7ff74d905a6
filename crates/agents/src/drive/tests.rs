//! Every recorded stream through its dialect: nothing lost, every turn ended once and as it did, and
//! nothing that a program could print breaks anything.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use maestro_core::conversation::{Answer, Ask, Body, Event, Policy, Prompt, Tool, ToolState};
use maestro_core::turn::{FailureKind, Outcome};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::claude::Claude;
use super::codex::Codex;
use super::*;
use crate::stream::{array, string};

mod hostile;

const NOW: u64 = 1_795_330_000_000;

fn launch(provider: Provider, policy: Policy) -> Launch {
    Launch {
        detected: Detected {
            provider,
            program: Some(PathBuf::from("/bin/true")),
            version: None,
            unusable: None,
        },
        environment: Environment::from_vars([("HOME", "/home/user")]),
        directory: PathBuf::from("/home/user/project"),
        resume: None,
        new_session: None,
        policy,
        model: None,
        effort: None,
    }
}

fn dialect(provider: Provider) -> Box<dyn Dialect> {
    let launch = launch(provider, Policy::Ask);
    match provider {
        Provider::Codex => Box::new(Codex::new(&launch)),
        _ => Box::new(Claude::new(&launch)),
    }
}

/// A dialect with what came of it.
struct Play {
    dialect: Box<dyn Dialect>,
    out: Out,
    open: bool,
    said: u64,
}

impl Play {
    fn new(provider: Provider) -> Self {
        Self::with(dialect(provider))
    }

    fn with(dialect: Box<dyn Dialect>) -> Self {
        let mut play = Self { dialect, out: Out::default(), open: false, said: 0 };
        play.dialect.begin(NOW, &mut play.out);
        play
    }

    fn order(&mut self, order: Order) -> Result<Taken, Failure> {
        let says = matches!(order, Order::Say(_));
        let before = self.out.events.len();
        let taken = self.dialect.order(order, NOW, &mut self.out);
        if says && taken == Ok(Taken::Now) {
            self.said += 1;
            self.open = true;
        }
        self.look(before);
        taken
    }

    fn say(&mut self, prompt: Prompt) {
        assert_eq!(self.order(Order::Say(prompt)), Ok(Taken::Now));
    }

    fn line(&mut self, line: &str) {
        let before = self.out.events.len();
        self.dialect.line(line, NOW, &mut self.out);
        self.look(before);
    }

    fn look(&mut self, before: usize) {
        if self.out.events[before..].iter().any(|event| matches!(event, Event::Ended(_))) {
            self.open = false;
        }
    }

    fn gone(&mut self, exit: &Exit) {
        self.dialect.gone(exit, NOW, &mut self.out);
        self.open = false;
    }

    fn outcomes(&self) -> Vec<&Outcome> {
        let mut outcomes = Vec::new();
        for event in &self.out.events {
            if let Event::Ended(outcome) = event {
                outcomes.push(outcome);
            }
        }
        outcomes
    }

    /// What the entries are in the end, by key in the order of their beginnings.
    fn entries(&self) -> Vec<(String, bool, Body)> {
        let mut entries: Vec<(String, bool, Body)> = Vec::new();
        for event in &self.out.events {
            match event {
                Event::Item { key, open, body } => {
                    match entries.iter_mut().find(|entry| entry.0 == *key) {
                        Some(entry) => *entry = (key.clone(), *open, body.clone()),
                        None => entries.push((key.clone(), *open, body.clone())),
                    }
                }
                Event::Delta { key, part, text } => {
                    let at =
                        entries.iter().position(|entry| entry.0 == *key).unwrap_or_else(|| {
                            let body = match part {
                                maestro_core::conversation::Part::Thinking => {
                                    Body::Thinking(String::new())
                                }
                                _ => Body::Text(String::new()),
                            };
                            entries.push((key.clone(), true, body));
                            entries.len() - 1
                        });
                    match &mut entries[at].2 {
                        Body::Text(so_far) | Body::Thinking(so_far) => so_far.push_str(text),
                        Body::Tool(tool) => tool.output.push_str(text),
                        other => panic!("{other:?} does not grow"),
                    }
                }
                _ => {}
            }
        }
        entries
    }

    fn tools(&self) -> HashMap<String, Tool> {
        let tools = self.entries().into_iter().filter_map(|(_, _, body)| match body {
            Body::Tool(tool) => Some((tool.call.clone(), tool)),
            _ => None,
        });
        tools.collect()
    }

    fn sent(&self) -> Vec<Value> {
        self.out.lines.iter().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
    }
}

fn prompt(text: &str) -> Prompt {
    Prompt { text: text.to_owned(), ..Prompt::default() }
}

fn folder(provider: Provider) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(provider.name())
        .join("stream")
}

fn recorded(provider: Provider, name: &str) -> (String, Exit) {
    let read = |ending: &str| {
        std::fs::read(folder(provider).join(format!("{name}{ending}")))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .ok()
    };
    let meta: Value = serde_json::from_str(&read(".meta.json").expect("the capture exists"))
        .expect("its facts are JSON");
    let code = meta["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
    let exit = Exit { code, stderr: read(".stderr").unwrap_or_default(), ..Exit::default() };
    (read(".jsonl").or_else(|| read(".txt")).unwrap_or_default(), exit)
}

fn captures(provider: Provider) -> BTreeSet<String> {
    let names = std::fs::read_dir(folder(provider)).expect("the captures exist").flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter_map(|name| name.strip_suffix(".meta.json").map(str::to_owned)).collect()
}

/// Plays a capture; what was sent then is said now where it begins a turn.
fn replay(provider: Provider, name: &str) -> Play {
    let (lines, exit) = recorded(provider, name);
    let mut play = Play::new(provider);
    if !lines.contains("{\"__sent\"") {
        play.say(prompt("hi"));
    }
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or(Value::Null);
        if let Some(sent) = value.get("__sent") {
            let begins = sent["type"] == "user" || sent["method"] == "turn/start";
            if begins && !play.open {
                play.say(prompt("hi"));
            }
        } else if value.get("__exit").is_none() {
            // What was said through its input is not in these captures, only that it begins.
            if value["subtype"] == "init" && !play.open {
                play.say(prompt("more"));
            }
            play.line(line);
        }
    }
    play.gone(&exit);
    play
}

fn raw(play: &Play) -> Vec<String> {
    let raw = play.entries().into_iter().filter_map(|(_, _, body)| match body {
        Body::Raw(line) => Some(line),
        _ => None,
    });
    raw.collect()
}

/// Every string under a name, anywhere in a value.
fn strings<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == name
                    && let Some(text) = value.as_str()
                {
                    found.push(text);
                }
                strings(value, name, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| strings(value, name, found)),
        _ => {}
    }
}

#[test]
fn nothing_of_a_claude_code_capture_is_lost() {
    for name in captures(Provider::Claude) {
        let (lines, _) = recorded(Provider::Claude, &name);
        let play = replay(Provider::Claude, &name);
        assert_eq!(play.outcomes().len() as u64, play.said, "{name}: one end for each turn");
        let left: Vec<_> = play.entries().into_iter().filter(|(_, open, _)| *open).collect();
        assert!(left.is_empty(), "{name}: still open: {left:#?}");
        let not_json =
            lines.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('{'));
        // Our calls have other numbers than those that were recorded: answers to those may remain.
        let mut raw = raw(&play);
        raw.retain(|line| !line.starts_with("{\"type\":\"control_response\""));
        assert_eq!(raw, not_json.collect::<Vec<_>>(), "{name}");

        let told = format!("{:?}", play.out.events);
        for value in lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if value.get("__sent").is_some() || value["message"]["model"] == "<synthetic>" {
                continue;
            }
            for block in array(&value, "/message/content") {
                let text = match string(block, "/type") {
                    "text" => string(block, "/text"),
                    "thinking" => string(block, "/thinking"),
                    "tool_use" => string(block, "/id"),
                    "tool_result" => string(block, "/tool_use_id"),
                    // Only what the user said has pictures.
                    "image" => continue,
                    other => panic!("{name}: {other}"),
                };
                let interrupted = text.starts_with("[Request interrupted");
                // What the user said is the caller's.
                let ours = value["isReplay"] == true;
                let words = format!("{text:?}");
                let words = words.trim_matches('"');
                assert!(interrupted || ours || told.contains(words), "{name}: {text} is lost");
            }
        }
    }
}

#[test]
fn nothing_of_a_codex_capture_is_lost() {
    for name in ["app-server", "app-server-commands"] {
        let (lines, _) = recorded(Provider::Codex, name);
        let play = replay(Provider::Codex, name);
        assert_eq!(play.outcomes().len() as u64, play.said, "{name}: one end for each turn");
        let left: Vec<_> = play.entries().into_iter().filter(|(_, open, _)| *open).collect();
        assert!(left.is_empty(), "{name}: still open: {left:#?}");
        // Our calls have other numbers than those that were recorded: only answers to those may remain.
        let raw = raw(&play);
        assert!(raw.iter().all(|line| line.starts_with("{\"id\":")), "{name}: {raw:#?}");

        let told = format!("{:?}", play.out.events);
        for value in lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if value["method"] != "item/completed"
                || value["params"]["item"]["type"] == "userMessage"
            {
                continue;
            }
            let mut texts = Vec::new();
            strings(&value["params"]["item"], "text", &mut texts);
            strings(&value["params"]["item"], "aggregatedOutput", &mut texts);
            for text in texts {
                let words = format!("{text:?}");
                assert!(told.contains(words.trim_matches('"')), "{name}: {text} is lost");
            }
        }
    }
}

#[test]
fn what_is_not_known_comes_through_as_it_came() {
    for (provider, lines) in [
        (
            Provider::Claude,
            [
                r#"{"type":"brand_new","x":[1,{"y":"ü"}]}"#,
                r#"{"type":"system","subtype":"brand_new"}"#,
                r#"{"type":"assistant"}"#,
                "no JSON at all",
            ],
        ),
        (
            Provider::Codex,
            [
                r#"{"method":"item/started","params":{"item":{"type":"brandNew","id":"1"}}}"#,
                r#"{"method":"brand/new","params":{}}"#,
                r#"{"method":"brand/request","id":77,"params":{}}"#,
                "[1, 2]",
            ],
        ),
    ] {
        let mut play = Play::new(provider);
        play.say(prompt("hi"));
        lines.iter().for_each(|line| play.line(line));
        assert_eq!(raw(&play), lines, "{provider}");
        // Somebody who asks has to be answered, or waits for ever.
        let refused =
            play.sent().into_iter().any(|sent| sent["id"] == 77 && sent["error"].is_object());
        assert_eq!(refused, provider == Provider::Codex);
    }
}

#[test]
fn a_flood_of_nonsense_is_cut_off() {
    for provider in [Provider::Claude, Provider::Codex] {
        let mut play = Play::new(provider);
        play.say(prompt("hi"));
        for _ in 0..10_000 {
            play.line("nonsense");
        }
        assert_eq!(raw(&play).len(), 499, "{provider}");
        assert!(format!("{:?}", play.out.events).contains("further ones are left out"));
    }
}

#[test]
fn every_claude_code_capture_ends_as_it_did() {
    use FailureKind::{
        Auth, Billing, Context, Crashed, Interrupted, ModelUnknown, Network, Other, Overload,
        SessionMissing, Torn, Unusable,
    };
    let limit = |resets_ms| FailureKind::Limit { resets_ms };
    let table: &[(&str, Option<FailureKind>)] = &[
        ("as-root", Some(Unusable)),
        ("bad-flag", Some(Unusable)),
        ("default-denied", None),
        ("error-401", Some(Auth)),
        ("error-403", Some(Auth)),
        ("error-404-model", Some(ModelUnknown)),
        ("error-429", Some(limit(None))),
        ("error-429-then-ok", None),
        ("error-500", Some(Overload)),
        ("error-529", Some(Overload)),
        ("error-context", Some(Context)),
        ("error-credit", Some(Billing)),
        ("error-drop", Some(Torn)),
        ("error-midstream", Some(Overload)),
        ("error-no-dns", Some(Network)),
        ("error-no-server", Some(Network)),
        ("error-not-logged-in", Some(Auth)),
        ("hello", None),
        ("killed-sigint", Some(Interrupted)),
        ("killed-sigterm", Some(Interrupted)),
        ("input-stream-json-file-stdin", Some(Crashed)),
        ("max-turns", Some(Other)),
        ("partial", None),
        ("plan-limit", Some(limit(Some(1_795_336_135_000)))),
        ("plan-mode", None),
        ("resume-bad", Some(SessionMissing)),
        ("resume-notuuid", Some(SessionMissing)),
        ("tools", None),
    ];
    for (name, expected) in table {
        let play = replay(Provider::Claude, name);
        let kind = play.outcomes()[0].result.as_ref().err().map(|failure| failure.kind);
        assert_eq!(kind, *expected, "{name}");
    }
}

#[test]
fn claude_code_counts_a_turn_by_what_it_added() {
    let play = replay(Provider::Claude, "control-protocol");
    let costs: Vec<Option<f64>> =
        play.outcomes().iter().map(|outcome| outcome.usage.cost_usd).collect();
    let close = |told: Option<f64>, cost: f64| told.is_some_and(|told| (told - cost).abs() < 1e-9);
    assert!(close(costs[0], 0.028_005), "{costs:?}");
    assert!(close(costs[1], 0.0), "it was stopped: {costs:?}");
    assert!(close(costs[2], 0.010_389), "{costs:?}");
    let tokens: Vec<u64> =
        play.outcomes().iter().map(|outcome| outcome.usage.input_tokens).collect();
    // Of the one that was stopped only its message tells.
    assert_eq!(tokens, [5323, 3301, 3353]);
    let kinds: Vec<Option<FailureKind>> = play
        .outcomes()
        .iter()
        .map(|outcome| outcome.result.as_ref().err().map(|failure| failure.kind))
        .collect();
    assert_eq!(kinds, [None, Some(FailureKind::Interrupted), None]);
    let windows = play.out.events.iter().filter_map(|event| match event {
        Event::Context(context) => context.window,
        _ => None,
    });
    assert!(windows.count() > 0, "the window is known after the first turn");
}

#[test]
fn claude_code_asks_and_is_answered() {
    let mut play = replay(Provider::Claude, "control-protocol");
    let requests: Vec<_> = play
        .out
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Request(request) => Some(request.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(requests.len(), 2);
    let Ask::Edit(changes) = &requests[0].ask else { panic!("{:?}", requests[0]) };
    assert_eq!(changes[0].diff, "@@ -0,0 +1,1 @@\n+yes\n");
    assert!(requests[0].always.is_some());
    // Nobody answered them here, and the turn is over.
    let gone = |event: &Event| matches!(event, Event::RequestGone { id } if *id == requests[0].id);
    assert!(play.out.events.iter().any(gone));
    let late = Order::Answer { request: requests[0].id.clone(), answer: Answer::Once };
    assert!(play.order(late).is_err(), "nobody waits for it any more");
    let menu = play.out.events.iter().find_map(|event| match event {
        Event::Menu(menu) => Some(menu),
        _ => None,
    });
    // The answer to another one's number is not ours.
    assert!(menu.is_none());
}

#[test]
fn claude_codes_parts_and_whole_are_one_entry() {
    let play = replay(Provider::Claude, "partial");
    let texts: Vec<String> = play
        .entries()
        .into_iter()
        .filter_map(|(_, _, body)| match body {
            Body::Text(text) => Some(text),
            Body::Thinking(text) => Some(format!("thinking: {text}")),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["thinking: Hmm.", "Finished."]);
    let deltas =
        play.out.events.iter().filter(|event| matches!(event, Event::Delta { .. })).count();
    assert!(deltas > 3, "they came in parts");
}

#[test]
fn claude_codes_tools_have_results() {
    let tools = replay(Provider::Claude, "tools").tools();
    let of = |name: &str| tools.values().find(|tool| tool.name == name).expect(name);
    assert_eq!(of("Edit").changes[0].diff, "@@ -1,2 +1,2 @@\n one\n-two\n+three\n");
    assert_eq!((of("Edit").changes[0].added, of("Edit").changes[0].removed), (1, 1));
    assert_eq!(of("Bash").exit, Some(3));
    assert_eq!(of("Bash").state, ToolState::Failed);
    assert_eq!(of("Bash").output, "one\nthree\noops");
    assert_eq!(of("Read").state, ToolState::Done);
}

#[test]
fn codex_tells_tokens_of_each_turn() {
    let play = replay(Provider::Codex, "app-server");
    let usage: Vec<(u64, u64)> = play
        .outcomes()
        .iter()
        .map(|outcome| (outcome.usage.input_tokens, outcome.usage.output_tokens))
        .collect();
    // The second was stopped before the model had told anything new.
    assert_eq!(usage, [(24_087, 32), (0, 0)]);
    let context = play.out.events.iter().rev().find_map(|event| match event {
        Event::Context(context) => Some(*context),
        _ => None,
    });
    assert_eq!(context.and_then(|context| context.window), Some(258_400));
    let tools = play.tools();
    let states: BTreeSet<String> =
        tools.values().map(|tool| format!("{} {:?}", tool.title, tool.state)).collect();
    assert_eq!(states.into_iter().collect::<Vec<_>>(), ["asked.txt Done", "refused.txt Denied"]);
}

/// A Codex whose thread is there, without anything that is no part of its sandbox.
fn codex(policy: Policy) -> Play {
    codex_with(policy, &json!({ "features": { "apps": false } }))
}

/// The same with something configured.
fn codex_with(policy: Policy, config: &Value) -> Play {
    let mut play = Play::with(Box::new(Codex::new(&launch(Provider::Codex, policy))));
    play.line(r#"{"id":1,"result":{}}"#);
    play.line(&json!({ "id": 0, "result": { "config": config } }).to_string());
    play.line(r#"{"id":2,"result":{"thread":{"id":"t"},"model":"m","sandbox":{"type":"workspaceWrite","networkAccess":true}}}"#);
    play
}

#[test]
fn codex_that_may_only_read_has_no_servers_of_tools() {
    let config = json!({ "mcp_servers": { "pen": { "command": "x", "enabled": true } } });
    let mut play = codex_with(Policy::ReadOnly, &config);
    let sent = play.sent();
    let start = sent.iter().find(|sent| sent["method"] == "thread/start").expect("it begins");
    assert_eq!(start["params"]["config"]["mcp_servers"]["pen"]["enabled"], false);
    assert_eq!(start["params"]["config"]["features"]["apps"], false);
    // With them it cannot go on as the same thread, nor without them.
    assert_eq!(play.order(Order::Policy(Policy::Ask)), Ok(Taken::Restart));
    let mut free = codex_with(Policy::Ask, &config);
    assert_eq!(free.order(Order::Policy(Policy::Bypass)), Ok(Taken::Now));
    assert_eq!(free.order(Order::Policy(Policy::ReadOnly)), Ok(Taken::Restart));
    let look = Order::Say(Prompt { read_only: true, ..prompt("look") });
    assert_eq!(free.order(look), Ok(Taken::Restart));
    assert_eq!(codex(Policy::Ask).order(Order::Policy(Policy::ReadOnly)), Ok(Taken::Now));

    // One that is used all the same ends the turn.
    play.say(prompt("hi"));
    play.line(r#"{"method":"turn/started","params":{"threadId":"t","turn":{"id":"a"}}}"#);
    play.line(r#"{"method":"item/started","params":{"threadId":"t","item":{"type":"mcpToolCall","id":"i","server":"odd","tool":"pen","status":"inProgress"}}}"#);
    let last = play.sent().pop().expect("it is stopped");
    assert_eq!(
        (&last["method"], &last["params"]["turnId"]),
        (&json!("turn/interrupt"), &json!("a"))
    );

    // Where it does not tell them, nothing is begun.
    let mut silent = Play::with(Box::new(Codex::new(&launch(Provider::Codex, Policy::ReadOnly))));
    silent.line(r#"{"id":1,"result":{}}"#);
    silent.line(r#"{"id":0,"error":{"code":-32601,"message":"unknown method"}}"#);
    assert!(silent.sent().iter().all(|sent| sent["method"] != "thread/start"));
    let refused = silent.order(Order::Say(prompt("hi"))).expect_err("it cannot be held to reading");
    assert_eq!(refused.kind, FailureKind::Unusable);
}

#[test]
fn codex_cannot_be_held_back_in_the_middle_of_a_turn() {
    for (from, to, taken) in [
        (Policy::Bypass, Policy::Ask, Taken::Restart),
        (Policy::Bypass, Policy::ReadOnly, Taken::Restart),
        (Policy::AcceptEdits, Policy::ReadOnly, Taken::Restart),
        (Policy::AcceptEdits, Policy::Ask, Taken::Now),
        (Policy::ReadOnly, Policy::Ask, Taken::Now),
        (Policy::Ask, Policy::Bypass, Taken::Now),
    ] {
        let mut play = codex(from);
        play.say(prompt("hi"));
        assert_eq!(play.order(Order::Policy(to)), Ok(taken), "{from:?} {to:?}");
        if taken == Taken::Restart {
            // What it asks until it is stopped is answered by what holds now.
            play.line(r#"{"method":"item/commandExecution/requestApproval","id":9,"params":{"command":"touch a"}}"#);
            let declined = json!({ "id": 9, "result": { "decision": "decline" } });
            assert_eq!(play.sent().last() == Some(&declined), to == Policy::ReadOnly);
        }
        // Between turns there is nothing to hold back.
        let mut play = codex(from);
        assert_eq!(play.order(Order::Policy(to)), Ok(Taken::Now), "{from:?} {to:?}");
    }
}

#[test]
fn codex_is_never_told_to_bypass_what_it_may_only_read() {
    let mut play = codex(Policy::ReadOnly);
    play.say(prompt("hi"));
    let sent = play.sent();
    let start = sent.iter().find(|sent| sent["method"] == "thread/start").expect("it begins");
    let start = &start["params"];
    assert_eq!(
        (&start["sandbox"], &start["approvalPolicy"]),
        (&json!("read-only"), &json!("never"))
    );

    // One turn that only reads, and what holds between turns after it.
    let mut play = codex(Policy::Bypass);
    play.say(Prompt { read_only: true, ..prompt("look") });
    play.line(r#"{"method":"turn/completed","params":{"threadId":"t","turn":{"id":"a","status":"completed"}}}"#);
    play.say(prompt("go on"));
    let sent = play.sent();
    let turns: Vec<&Value> = sent
        .iter()
        .filter(|sent| sent["method"] == "turn/start")
        .map(|sent| &sent["params"])
        .collect();
    assert_eq!(turns[0]["sandboxPolicy"]["type"], "readOnly");
    assert_eq!(turns[0]["approvalPolicy"], "never");
    assert_eq!(turns[1]["sandboxPolicy"]["type"], "dangerFullAccess");

    // Whatever it asks while it may only read is declined.
    let mut play = codex(Policy::ReadOnly);
    play.say(prompt("hi"));
    play.line(r#"{"method":"item/commandExecution/requestApproval","id":9,"params":{"command":"touch a"}}"#);
    let last = play.sent().pop().expect("it is answered");
    assert_eq!(last, json!({ "id": 9, "result": { "decision": "decline" } }));
}

#[test]
fn codex_accepts_changes_here_and_asks_about_those_elsewhere() {
    let item = |path: &str| {
        json!({ "method": "item/started", "params": { "threadId": "t", "item": {
            "type": "fileChange", "id": path, "status": "inProgress",
            "changes": [{ "path": path, "kind": { "type": "add" }, "diff": "x\n" }],
        } } })
    };
    let ask = |path: &str, id: u64| {
        json!({ "method": "item/fileChange/requestApproval", "id": id,
            "params": { "threadId": "t", "itemId": path } })
    };
    let mut play = codex(Policy::AcceptEdits);
    play.say(prompt("hi"));
    for (id, path) in [(5, "/home/user/project/a"), (6, "/etc/a")] {
        play.line(&item(path).to_string());
        play.line(&ask(path, id).to_string());
    }
    let answered: Vec<Value> =
        play.sent().into_iter().filter(|sent| sent.get("result").is_some()).collect();
    assert_eq!(answered, [json!({ "id": 5, "result": { "decision": "accept" } })]);
    let asked = play.out.events.iter().filter(|event| matches!(event, Event::Request(_))).count();
    assert_eq!(asked, 1);
}

#[test]
fn codex_restores_the_sandbox_that_its_user_configured() {
    let mut play = codex(Policy::Ask);
    play.say(Prompt { read_only: true, ..prompt("look") });
    play.line(r#"{"method":"turn/completed","params":{"threadId":"t","turn":{"id":"a","status":"completed"}}}"#);
    play.say(prompt("go on"));
    let last = play.sent().pop().expect("it was said");
    assert_eq!(last["params"]["sandboxPolicy"]["networkAccess"], true);
    assert_eq!(last["params"]["approvalPolicy"], "untrusted");
}

#[test]
fn what_codex_receives_again_takes_the_place_of_what_was_there() {
    let mut play = codex(Policy::Ask);
    play.say(prompt("hi"));
    let delta = |id: &str, text: &str| {
        json!({ "method": "item/agentMessage/delta",
            "params": { "threadId": "t", "itemId": id, "delta": text } })
        .to_string()
    };
    play.line(&delta("one", "Some te"));
    play.line(r#"{"method":"error","params":{"threadId":"t","willRetry":true,"error":{"message":"Reconnecting... 1/5"}}}"#);
    play.line(&delta("two", "Some "));
    play.line(&delta("two", "text."));
    play.line(r#"{"method":"turn/completed","params":{"threadId":"t","turn":{"id":"a","status":"completed"}}}"#);
    let entries = play.entries();
    assert_eq!(entries, [("one".to_owned(), false, Body::Text("Some text.".to_owned()))]);
    assert_eq!(play.outcomes()[0].text, "Some text.");
}

#[test]
fn a_codex_thread_that_is_not_there_ends_the_turn_that_waits_for_it() {
    let mut play = Play::new(Provider::Codex);
    play.say(prompt("hi"));
    play.line(r#"{"id":1,"result":{}}"#);
    play.line(r#"{"id":2,"error":{"code":-32600,"message":"no rollout found for thread id x"}}"#);
    let kind = |outcome: &Outcome| outcome.result.as_ref().err().map(|failure| failure.kind);
    assert_eq!(kind(play.outcomes()[0]), Some(FailureKind::SessionMissing));
    let refused = play.order(Order::Say(prompt("again"))).expect_err("there is no thread");
    assert_eq!(refused.kind, FailureKind::SessionMissing);

    // One that is stopped before it began never begins.
    let mut play = Play::new(Provider::Codex);
    play.say(prompt("hi"));
    assert_eq!(play.order(Order::Interrupt), Ok(Taken::Now));
    play.line(r#"{"id":1,"result":{}}"#);
    play.line(r#"{"id":2,"result":{"thread":{"id":"t"}}}"#);
    assert_eq!(kind(play.outcomes()[0]), Some(FailureKind::Interrupted));
    assert!(play.sent().iter().all(|sent| sent["method"] != "turn/start"));
}

fn hook(tool: &str, input: &Value) -> String {
    json!({ "type": "control_request", "request_id": "h", "request": {
        "subtype": "hook_callback", "callback_id": "maestro", "tool_use_id": "x",
        "input": { "tool_name": tool, "tool_input": input },
    } })
    .to_string()
}

#[test]
fn claude_codes_hook_holds_it_to_reading_in_every_mode() {
    let write = json!({ "file_path": "/home/user/project/a" });
    let decision = |play: &mut Play| {
        play.line(&hook("Write", &write));
        let answer = play.sent().pop().expect("a hook is always answered");
        answer["response"]["response"]["hookSpecificOutput"]["permissionDecision"] == "deny"
    };
    for policy in Policy::ALL {
        let mut play = Play::with(Box::new(Claude::new(&launch(Provider::Claude, policy))));
        play.say(prompt("hi"));
        assert_eq!(decision(&mut play), policy == Policy::ReadOnly, "{policy:?}");
        play.line(r#"{"type":"result","subtype":"success","is_error":false,"result":"ok"}"#);
        play.say(Prompt { read_only: true, ..prompt("hi") });
        assert!(decision(&mut play), "{policy:?}: this turn only reads");
        play.line(r#"{"type":"result","subtype":"success","is_error":false,"result":"ok"}"#);
        assert_eq!(play.order(Order::Policy(Policy::ReadOnly)), Ok(Taken::Now));
        // Answers to what was asked before come late, and the program may say what it likes.
        for late in ["default", "bypassPermissions", "acceptEdits"] {
            let status = json!({ "type": "system", "subtype": "status", "permissionMode": late });
            play.line(&status.to_string());
            for number in 1..5 {
                let answer = json!({ "type": "control_response", "response": {
                    "subtype": "success", "request_id": format!("maestro-{number}"),
                    "response": { "mode": late } } });
                play.line(&answer.to_string());
                play.line(&status.to_string());
            }
        }
        assert!(decision(&mut play), "{policy:?}: from now on it only reads");
    }
}

#[test]
fn claude_code_may_leave_planning_when_its_user_says_so() {
    let mut play = Play::with(Box::new(Claude::new(&launch(Provider::Claude, Policy::ReadOnly))));
    play.say(prompt("plan"));
    play.line(
        &json!({ "type": "control_request", "request_id": "p", "request": {
        "subtype": "can_use_tool", "tool_name": "ExitPlanMode", "input": { "plan": "# Do it" },
        "tool_use_id": "x" } })
        .to_string(),
    );
    let asked = play.out.events.iter().any(|event| {
        matches!(event, Event::Request(request) if request.ask == Ask::Plan("# Do it".to_owned()))
    });
    assert!(asked);
    let answer = Order::Answer { request: "p".to_owned(), answer: Answer::Once };
    assert_eq!(play.order(answer), Ok(Taken::Now));
    play.line(r#"{"type":"control_response","response":{"subtype":"success","request_id":"maestro-1","response":{}}}"#);
    play.line(r#"{"type":"system","subtype":"status","permissionMode":"default"}"#);
    assert!(play.out.events.contains(&Event::Policy(Policy::Ask)));
    play.line(&hook("Write", &json!({})));
    let answer = play.sent().pop().expect("a hook is always answered");
    assert_eq!(answer["response"]["response"]["continue"], true);
}

#[test]
fn claude_codes_images_go_along() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = dir.path().join("dot.png");
    std::fs::write(&path, b"png").expect("written");
    let image = |path: &Path| maestro_core::conversation::Image {
        path: path.to_owned(),
        media: "image/png".to_owned(),
    };
    let mut play = Play::new(Provider::Claude);
    play.say(Prompt { images: vec![image(&path)], ..prompt("What is this?") });
    let said = play.sent().pop().expect("it was said");
    assert_eq!(said["message"]["content"][0]["source"]["data"], "cG5n");
    assert_eq!(said["message"]["content"][1]["text"], "What is this?");
    let mut play = Play::new(Provider::Claude);
    let gone = Prompt { images: vec![image(&dir.path().join("gone.png"))], ..prompt("x") };
    assert!(play.order(Order::Say(gone)).is_err());
    assert!(play.sent().iter().all(|sent| sent["type"] != "user"), "nothing was said");
}

#[test]
fn a_subagent_shows_in_its_call() {
    let mut play = Play::new(Provider::Claude);
    play.say(prompt("hi"));
    let line = |parent: Value, content: Value| {
        json!({ "type": "assistant", "parent_tool_use_id": parent, "message": {
            "id": format!("m{}", content["id"]), "content": [content] } })
        .to_string()
    };
    let task = json!({ "type": "tool_use", "id": "task", "name": "Task", "input": { "description": "look" } });
    play.line(&line(Value::Null, task));
    let read =
        json!({ "type": "tool_use", "id": "read", "name": "Read", "input": { "file_path": "a" } });
    play.line(&line(json!("task"), read));
    let tools = play.tools();
    assert_eq!(tools["read"].parent.as_deref(), Some("task"));
    assert_eq!(tools["task"].parent, None);
}

/// Lines that were really printed, of both dialects.
fn real_lines() -> Vec<String> {
    let mut lines = Vec::new();
    for (provider, name) in [
        (Provider::Claude, "control-protocol"),
        (Provider::Claude, "partial"),
        (Provider::Claude, "tools"),
        (Provider::Claude, "plan-limit"),
        (Provider::Claude, "error-429-then-ok"),
        (Provider::Codex, "app-server"),
        (Provider::Codex, "app-server-commands"),
    ] {
        let (text, _) = recorded(provider, name);
        lines.extend(text.lines().filter(|line| line.len() < 20_000).map(str::to_owned));
    }
    lines
}

/// A value with something else in the place of one of its parts.
fn mutate(value: &mut Value, path: &[u8], with: &Value) {
    let Some((step, rest)) = path.split_first() else {
        *value = with.clone();
        return;
    };
    let next = match value {
        Value::Object(fields) if !fields.is_empty() => {
            let at = usize::from(*step) % fields.len();
            fields.values_mut().nth(at)
        }
        Value::Array(values) if !values.is_empty() => {
            let at = usize::from(*step) % values.len();
            values.get_mut(at)
        }
        _ => None,
    };
    match next {
        Some(next) => mutate(next, rest, with),
        None => *value = with.clone(),
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(u64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!(1e308)),
        Just(json!([])),
        Just(json!({})),
        Just(json!("\u{1b}[31m\u{0}")),
        any::<bool>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_printed_breaks_anything(
        steps in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..8), odd_value(), 0_u8..8),
            1..60,
        ),
        noise in prop::collection::vec("\\PC{0,60}", 0..5),
    ) {
        let lines = real_lines();
        for provider in [Provider::Claude, Provider::Codex] {
            let mut play = Play::new(provider);
            for (index, path, with, order) in &steps {
                let line = index.get(&lines);
                match order {
                    0 if !play.open => drop(play.order(Order::Say(prompt("hi")))),
                    1 => drop(play.order(Order::Interrupt)),
                    2 => {
                        let request = play.out.events.iter().rev().find_map(|event| match event {
                            Event::Request(request) => Some(request.id.clone()),
                            _ => None,
                        });
                        let request = request.unwrap_or_default();
                        drop(play.order(Order::Answer { request, answer: Answer::Always }));
                    }
                    3 => play.line(line),
                    4 => drop(play.order(Order::Policy(Policy::ReadOnly))),
                    5 => {
                        let cut = line.char_indices().nth(path.len() * 20).map_or(line.len(), |(at, _)| at);
                        play.line(&line[..cut]);
                    }
                    _ => {
                        if let Ok(mut value) = serde_json::from_str::<Value>(line) {
                            mutate(&mut value, path, with);
                            play.line(&value.to_string());
                        }
                    }
                }
            }
            noise.iter().for_each(|line| play.line(line));
            let was_open = play.open;
            play.gone(&Exit::default());
            if was_open {
                prop_assert!(matches!(play.out.events.last(), Some(Event::Ended(_))));
            }
            for line in &play.out.lines {
                prop_assert!(!line.contains('\n'));
            }
        }
    }
}

/// As 2.1.197 tells it: a command in the background is done, and its notice and a prompt come together.
#[test]
fn claude_codes_own_turns_end_no_prompt() {
    let said = |text: &str| {
        json!({ "type": "assistant", "message": { "id": format!("m-{text}"), "role": "assistant",
            "model": "m", "content": [{ "type": "text", "text": text }],
            "usage": { "input_tokens": 10, "output_tokens": 1 } } })
    };
    let result = |text: &str, cost: f64| {
        json!({ "type": "result", "subtype": "success", "is_error": false, "result": text,
            "total_cost_usd": cost, "usage": { "input_tokens": 10, "output_tokens": 1 } })
    };
    let init = json!({ "type": "system", "subtype": "init", "session_id": "s", "model": "m" });
    let notice = json!({ "type": "system", "subtype": "task_notification", "task_id": "b", "status": "completed" });
    let mark = |play: &Play| {
        let said = play.sent().into_iter().rfind(|sent| sent["type"] == "user");
        said.expect("it was said")["uuid"].clone()
    };
    let heard = |id: Value| {
        json!({ "type": "user", "isReplay": true, "uuid": id, "parent_tool_use_id": null,
            "message": { "role": "user", "content": "<local-command-stdout>no</local-command-stdout>" } })
    };
    let interrupts = |play: &Play| {
        let sent = play.sent();
        sent.iter().filter(|sent| sent["request"]["subtype"] == "interrupt").count()
    };
    for stopped in [false, true] {
        let mut play = Play::new(Provider::Claude);
        play.say(prompt("first"));
        let id = mark(&play);
        for line in [&init, &heard(id), &said("First."), &result("First.", 1.0), &notice] {
            play.line(&line.to_string());
        }
        play.say(prompt("second"));
        let id = mark(&play);
        assert!(id.as_str().is_some_and(|id| id.len() == 36), "{id}");
        if stopped {
            let _ = play.order(Order::Interrupt).expect("it is taken");
        }
        for line in [&init, &said("It is done."), &result("It is done.", 3.0)] {
            play.line(&line.to_string());
        }
        assert_eq!(play.outcomes().len(), 1, "the second is not even begun");
        for line in [&init, &heard(id)] {
            play.line(&line.to_string());
        }
        // What was to stop stopped something else: it is said again.
        assert_eq!(interrupts(&play), if stopped { 2 } else { 0 });
        for line in [&said("Second."), &result("Second.", 3.5)] {
            play.line(&line.to_string());
        }
        let outcomes = play.outcomes();
        assert_eq!(outcomes.len(), 2);
        assert_eq!(outcomes[1].text, "Second.");
        assert_eq!(outcomes[1].usage.cost_usd, Some(0.5), "without what it did by itself");
        let notes =
            play.entries().into_iter().filter(|(_, _, body)| matches!(body, Body::Notice(_)));
        assert_eq!(notes.count(), 0);
    }
    // Our own answers come back, too, and are nothing new.
    let mut play = Play::new(Provider::Claude);
    play.line(r#"{"type":"control_response","response":{"subtype":"success","request_id":"c7a55dac","response":{"continue":true}}}"#);
    assert_eq!(play.entries(), []);
    // A prompt that is answered without being taken up, as commands may be, ends all the same.
    let mut play = Play::new(Provider::Claude);
    play.say(prompt("/cost"));
    play.line(&result("Little.", 0.0).to_string());
    assert_eq!(play.outcomes().len(), 1);
}
