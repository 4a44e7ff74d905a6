use maestro_core::conversation::{
    Answer, Ask, Body, Change, ChangeKind, Context, Request, Todo, TodoState, Tool, ToolKind,
    ToolState,
};
use proptest::prelude::*;

use super::*;
use crate::detect::Detected;
use crate::environment::Environment;
use crate::stream::Ended;

/// A conversation with nobody behind it: what goes out is kept, what comes in is given.
struct Talk {
    acp: Acp,
    sent: Vec<Value>,
    events: Vec<Event>,
}

fn launch(provider: Provider, policy: Policy) -> Launch {
    Launch {
        detected: Detected { provider, ..Detected::demo("/usr/bin/agent") },
        environment: Environment::from_vars(std::iter::empty::<(String, String)>()),
        directory: "/home/user/project".into(),
        resume: None,
        new_session: None,
        policy,
        model: None,
        effort: None,
    }
}

fn say(words: &str) -> Order {
    Order::Say(Prompt { text: words.to_owned(), ..Prompt::default() })
}

impl Talk {
    fn new(launch: &Launch) -> Self {
        let mut talk = Self { acp: Acp::new(launch), sent: Vec::new(), events: Vec::new() };
        talk.with(|acp, out| acp.begin(0, out));
        talk
    }

    /// With a session that is open.
    fn open(provider: Provider, policy: Policy) -> Self {
        let mut talk = Self::new(&launch(provider, policy));
        talk.introduce(json!({ "loadSession": true }));
        talk.result("session/new", json!({ "sessionId": "s" }));
        talk
    }

    fn introduce(&mut self, capabilities: Value) {
        self.result("initialize", json!({ "agentCapabilities": capabilities }));
    }

    fn with<T>(&mut self, what: impl FnOnce(&mut Acp, &mut Out) -> T) -> T {
        let mut out = Out::default();
        let given = what(&mut self.acp, &mut out);
        let parse = |line: &String| serde_json::from_str(line).expect("it sends JSON");
        self.sent.extend(out.lines.iter().map(parse));
        self.events.extend(out.events);
        given
    }

    fn order(&mut self, order: Order) -> Result<Taken, Failure> {
        self.with(|acp, out| acp.order(order, 1, out))
    }

    fn say(&mut self, words: &str) {
        assert_eq!(self.order(say(words)), Ok(Taken::Now));
    }

    fn line(&mut self, line: &str) {
        self.with(|acp, out| acp.line(line, 2, out));
    }

    fn message(&mut self, message: Value) {
        self.line(&message.to_string());
    }

    fn update(&mut self, update: Value) {
        let params = json!({ "sessionId": "s", "update": update });
        self.message(json!({ "jsonrpc": "2.0", "method": "session/update", "params": params }));
    }

    /// The last request it sent of this method.
    fn request(&self, method: &str) -> &Value {
        let of = |message: &&Value| message["method"] == method;
        self.sent.iter().rev().find(of).unwrap_or_else(|| panic!("no {method}: {:?}", self.sent))
    }

    fn result(&mut self, method: &str, result: Value) {
        let id = self.request(method)["id"].clone();
        self.message(json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    }

    fn error(&mut self, method: &str, error: Value) {
        let id = self.request(method)["id"].clone();
        self.message(json!({ "jsonrpc": "2.0", "id": id, "error": error }));
    }

    fn end(&mut self, reason: &str) {
        self.result("session/prompt", json!({ "stopReason": reason }));
    }

    fn permission(&mut self, id: u64, call: Value) {
        let options = json!([
            { "optionId": "once", "kind": "allow_once", "name": "Allow once" },
            { "optionId": "always", "kind": "allow_always", "name": "Always allow" },
            { "optionId": "no", "kind": "reject_once", "name": "Reject" },
        ]);
        let params = json!({ "sessionId": "s", "toolCall": call, "options": options });
        let method = "session/request_permission";
        self.message(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    }

    /// What a request of the agent was answered with.
    fn reply(&self, id: u64) -> &Value {
        let of = |message: &&Value| message["id"] == id && message.get("method").is_none();
        &self.sent.iter().find(of).unwrap_or_else(|| panic!("no answer: {:?}", self.sent))["result"]
    }

    fn asked(&self) -> Vec<&Request> {
        let requests = self.events.iter().filter_map(|event| match event {
            Event::Request(request) => Some(request),
            _ => None,
        });
        requests.collect()
    }

    fn outcomes(&self) -> Vec<&Outcome> {
        let outcomes = self.events.iter().filter_map(|event| match event {
            Event::Ended(outcome) => Some(outcome),
            _ => None,
        });
        outcomes.collect()
    }

    /// Each entry as it was at last, in the order in which they began.
    fn entries(&self) -> Vec<(String, Body)> {
        let mut entries: Vec<(String, Body)> = Vec::new();
        for event in &self.events {
            if let Event::Item { key, body, .. } = event {
                match entries.iter_mut().find(|(known, _)| known == key) {
                    Some((_, old)) => *old = body.clone(),
                    None => entries.push((key.clone(), body.clone())),
                }
            }
        }
        entries
    }

    fn tools(&self) -> Vec<Tool> {
        let tools = self.entries().into_iter().filter_map(|(_, body)| match body {
            Body::Tool(tool) => Some(tool),
            _ => None,
        });
        tools.collect()
    }

    fn texts(&self) -> Vec<String> {
        let texts = self.entries().into_iter().filter_map(|(_, body)| match body {
            Body::Text(text) | Body::Thinking(text) => Some(text),
            _ => None,
        });
        texts.collect()
    }

    fn raw(&self) -> usize {
        let raw = |event: &&Event| matches!(event, Event::Item { body: Body::Raw(_), .. });
        self.events.iter().filter(raw).count()
    }
}

/// Plays a recorded conversation: what the client sent then is what we are told to do.
fn replay(provider: Provider, recording: &str) -> Talk {
    let mut talk = Talk::new(&launch(provider, Policy::Ask));
    let mut ids: HashMap<u64, Value> = HashMap::new();
    for line in recording.lines().filter(|line| !line.is_empty()) {
        let mut message: Value = serde_json::from_str(line).expect("the recording is JSON");
        if let Some(sent) = message.get("__sent") {
            let option = sent.pointer("/result/outcome/optionId").and_then(Value::as_str);
            match (sent["method"].as_str(), option) {
                (Some("session/prompt"), _) => {
                    talk.say(sent["params"]["prompt"][0]["text"].as_str().expect("a text"));
                }
                (Some("session/cancel"), _) => {
                    assert_eq!(talk.order(Order::Interrupt), Ok(Taken::Now));
                    assert_eq!(talk.request("session/cancel")["params"], sent["params"]);
                }
                (None, Some(option)) => {
                    let refuses = option.contains("reject") || option == "cancel";
                    let answer = if refuses { Answer::Deny(String::new()) } else { Answer::Once };
                    let request = talk.asked().last().expect("it asked").id.clone();
                    assert_eq!(talk.order(Order::Answer { request, answer }), Ok(Taken::Now));
                    let ours = talk.sent.last().expect("it was answered");
                    assert_eq!(ours["result"], sent["result"], "said as it was said then");
                }
                _ => {}
            }
            if let (Some(id), Some(method)) = (sent["id"].as_u64(), sent["method"].as_str()) {
                let _ = ids.insert(id, talk.request(method)["id"].clone());
            }
        } else if message.get("__exit").is_none() {
            if message.get("method").is_none()
                && let Some(ours) = message["id"].as_u64().and_then(|id| ids.get(&id))
            {
                message["id"] = ours.clone();
            }
            talk.message(message);
        }
    }
    talk
}

macro_rules! recording {
    ($provider:literal) => {
        include_str!(concat!("../../../../../tests/fixtures/", $provider, "/stream/acp.jsonl"))
    };
}

#[test]
fn recorded_conversations_are_read_and_nothing_is_lost() {
    for (provider, recording) in [
        (Provider::OpenCode, recording!("opencode")),
        (Provider::Copilot, recording!("copilot")),
        (Provider::Gemini, recording!("gemini")),
        (Provider::Droid, recording!("droid")),
    ] {
        let talk = replay(provider, recording);
        assert_eq!(talk.raw(), 0, "{provider}: {:?}", talk.entries());
        let chunks: String = recording
            .lines()
            .filter(|line| line.contains("_chunk\"") && !line.contains("__sent"))
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|line| {
                let text = line.pointer("/params/update/content/text")?;
                Some(text.as_str()?.to_owned())
            })
            .collect();
        assert_eq!(talk.texts().concat(), chunks, "{provider}");
        let menu = talk.events.iter().rev().find_map(|event| match event {
            Event::Menu(menu) => Some(menu),
            _ => None,
        });
        let menu = menu.expect("there is something to choose");
        assert!(!menu.commands.is_empty(), "{provider}");
        assert!(provider == Provider::Copilot || menu.models.len() > 3, "{provider}");
        assert_eq!(talk.outcomes().len(), 2, "{provider}");
        let last = talk.outcomes()[1].result.as_ref().expect_err("it was stopped");
        assert_eq!(last.kind, FailureKind::Interrupted);
    }
}

#[test]
fn recorded_approvals_show_what_was_asked_and_what_came_of_it() {
    for (provider, recording, name, used) in [
        (Provider::OpenCode, recording!("opencode"), "write", true),
        (Provider::Copilot, recording!("copilot"), "edit", true),
        (Provider::Gemini, recording!("gemini"), "write_file", false),
    ] {
        let talk = replay(provider, recording);
        let change = |path: &str, line: &str| Change {
            path: path.to_owned(),
            kind: ChangeKind::Add,
            diff: format!("@@ -0,0 +1 @@\n+{line}\n\\ No newline at end of file\n"),
            added: 1,
            removed: 0,
        };
        let asked = talk.asked();
        let ask = |path: &str, line: &str| Ask::Edit(vec![change(path, line)]);
        assert_eq!(asked[0].ask, ask("acp-asked.txt", "yes"), "{provider}");
        assert_eq!(asked[1].ask, ask("acp-refused.txt", "no"), "{provider}");
        assert!(asked.iter().all(|request| request.always.is_some() && request.call.is_some()));
        let tools = talk.tools();
        let states: Vec<ToolState> = tools.iter().map(|tool| tool.state).collect();
        assert_eq!(states, [ToolState::Done, ToolState::Denied], "{provider}");
        assert!(tools.iter().all(|tool| tool.kind == ToolKind::Edit && tool.name == name));
        assert_eq!(tools[0].title, "acp-asked.txt", "{provider}");
        assert_eq!(tools[0].changes, [change("acp-asked.txt", "yes")], "{provider}");
        let first = talk.outcomes()[0];
        assert_eq!(first.result, Ok(()), "{provider}");
        assert!(first.usage.input_tokens > 0 && first.usage.output_tokens > 0, "{provider}");
        let context = talk.events.iter().any(|event| matches!(event, Event::Context(_)));
        assert_eq!(context, used, "{provider}");
    }
    let cost = replay(Provider::OpenCode, recording!("opencode")).outcomes()[0].usage.cost_usd;
    assert!(cost.is_some_and(|cost| (0.015..0.016).contains(&cost)), "{cost:?}");
}

#[test]
fn what_is_said_waits_for_the_session_and_its_choices() {
    let mut launch = launch(Provider::Demo, Policy::ReadOnly);
    launch.model = Some("demo-2".to_owned());
    launch.effort = Some("high".to_owned());
    let mut talk = Talk::new(&launch);
    talk.say("hello");
    talk.introduce(json!({}));
    let option = |id: &str, category: &str, values: [&str; 2]| {
        let options = values.map(|value| json!({ "value": value }));
        json!({ "id": id, "category": category, "currentValue": values[0], "options": options })
    };
    talk.result(
        "session/new",
        json!({
            "sessionId": "s",
            "modes": { "availableModes": [{ "id": "ask" }, { "id": "read_only" }], "currentModeId": "ask" },
            "configOptions": [
                option("m", "model", ["demo-1", "demo-2"]),
                option("e", "thought_level", ["low", "high"]),
            ],
        }),
    );
    let prompts =
        |talk: &Talk| talk.sent.iter().filter(|sent| sent["method"] == "session/prompt").count();
    assert_eq!(talk.request("session/set_mode")["params"]["modeId"], "read_only");
    let options: Vec<_> = talk
        .sent
        .iter()
        .filter(|sent| sent["method"] == "session/set_config_option")
        .map(|sent| (sent["id"].clone(), sent["params"]["value"].clone()))
        .collect();
    assert_eq!(options.iter().map(|(_, value)| value).collect::<Vec<_>>(), ["demo-2", "high"]);
    talk.result("session/set_mode", json!({}));
    talk.message(json!({ "id": options[0].0, "result": {} }));
    assert_eq!(prompts(&talk), 0);
    talk.message(json!({ "id": options[1].0, "result": {} }));
    assert_eq!(prompts(&talk), 1);
    talk.end("end_turn");
    assert_eq!(talk.outcomes()[0].result, Ok(()));
}

#[test]
fn no_turn_begins_over_a_choice_that_does_not_hold() {
    let mut talk = Talk::open(Provider::Gemini, Policy::Ask);
    assert_eq!(talk.order(Order::Policy(Policy::ReadOnly)), Ok(Taken::Now));
    talk.say("careful");
    talk.error("session/set_mode", json!({ "code": -32602, "message": "Not in this folder" }));
    let failure = talk.outcomes()[0].result.as_ref().expect_err("it may not begin");
    assert!(failure.message.contains("Not in this folder"), "{failure}");
    assert!(!talk.sent.iter().any(|sent| sent["method"] == "session/prompt"));
}

#[test]
fn a_turn_may_be_held_to_reading_alone() {
    let mut talk = Talk::new(&launch(Provider::Demo, Policy::Bypass));
    talk.introduce(json!({}));
    let modes = Policy::ALL.map(|policy| json!({ "id": policy.name() }));
    let modes = json!({ "availableModes": modes, "currentModeId": "bypass" });
    talk.result("session/new", json!({ "sessionId": "s", "modes": modes }));
    let prompt = Prompt { text: "look".to_owned(), read_only: true, ..Prompt::default() };
    assert_eq!(talk.order(Order::Say(prompt.clone())), Ok(Taken::Now));
    assert_eq!(talk.request("session/set_mode")["params"]["modeId"], "read_only");
    talk.result("session/set_mode", json!({}));
    talk.permission(7, json!({ "toolCallId": "c", "kind": "execute" }));
    assert_eq!(talk.reply(7)["outcome"]["optionId"], "no");
    talk.end("end_turn");
    assert_eq!(talk.request("session/set_mode")["params"]["modeId"], "bypass");
    // Nobody is told of another policy: the tab's is the same all the time.
    assert!(!talk.events.iter().any(|event| matches!(event, Event::Policy(Policy::ReadOnly))));

    let mut talk = Talk::open(Provider::OpenCode, Policy::Ask);
    assert_eq!(talk.order(Order::Say(prompt.clone())), Ok(Taken::Restart));
    assert!(talk.acp.turn.is_none());
    let mut talk = Talk::open(Provider::OpenCode, Policy::ReadOnly);
    assert_eq!(talk.order(Order::Say(prompt)), Ok(Taken::Now));
}

#[test]
fn policies_answer_what_they_can() {
    let edit = |id: &str| {
        let path = "/home/user/project/a.txt";
        json!({ "toolCallId": id, "kind": "edit", "locations": [{ "path": path }] })
    };
    let command = json!({ "toolCallId": "r", "kind": "execute", "rawInput": { "command": "ls" } });
    for (policy, edits, commands) in [
        (Policy::AcceptEdits, Some("once"), None),
        (Policy::ReadOnly, Some("no"), Some("no")),
        (Policy::Bypass, Some("once"), Some("once")),
        (Policy::Ask, None, None),
    ] {
        let mut talk = Talk::open(Provider::OpenCode, policy);
        talk.say("go");
        talk.permission(7, edit("e"));
        talk.permission(8, command.clone());
        for (id, expected) in [(7, edits), (8, commands)] {
            let answered =
                talk.sent.iter().find(|sent| sent["id"] == id && sent.get("method").is_none());
            let option = answered.map(|sent| sent["result"]["outcome"]["optionId"].as_str());
            assert_eq!(option.flatten(), expected, "{policy:?} {id}");
        }
        let asked = [edits, commands].iter().filter(|option| option.is_none()).count();
        assert_eq!(talk.asked().len(), asked, "{policy:?}");
        let denied = talk.tools().iter().filter(|tool| tool.state == ToolState::Denied).count();
        assert_eq!(denied, if policy == Policy::ReadOnly { 2 } else { 0 });
    }
}

#[test]
fn another_policy_answers_what_waits() {
    let mut talk = Talk::open(Provider::OpenCode, Policy::Ask);
    talk.say("go");
    talk.permission(7, json!({ "toolCallId": "c", "kind": "execute" }));
    assert_eq!(talk.order(Order::Policy(Policy::Bypass)), Ok(Taken::Now));
    assert_eq!(talk.reply(7)["outcome"]["optionId"], "once");
    assert!(talk.events.iter().any(|event| matches!(event, Event::RequestGone { .. })));
    assert_eq!(talk.order(Order::Policy(Policy::ReadOnly)), Ok(Taken::Restart));
}

#[test]
fn modes_that_an_agent_enters_by_itself_are_told() {
    let mut talk = Talk::open(Provider::Gemini, Policy::AcceptEdits);
    let enter =
        |mode: &str| json!({ "sessionUpdate": "current_mode_update", "currentModeId": mode });
    talk.update(enter("default"));
    assert!(!talk.events.iter().any(|event| matches!(event, Event::Policy(_))));
    talk.update(enter("yolo"));
    assert!(talk.events.contains(&Event::Policy(Policy::Bypass)));
    talk.say("go");
    let words = json!({ "type": "text", "text": "[MODE_UPDATE] plan" });
    talk.update(json!({ "sessionUpdate": "agent_message_chunk", "content": words }));
    talk.end("end_turn");
    assert!(talk.events.contains(&Event::Policy(Policy::ReadOnly)));
    assert!(talk.texts().is_empty());
}

#[test]
fn why_something_was_refused_reaches_the_agent() {
    let mut talk = Talk::open(Provider::OpenCode, Policy::Ask);
    talk.say("go");
    talk.permission(7, json!({ "toolCallId": "c", "kind": "execute" }));
    let (request, answer) = ("r2.1".to_owned(), Answer::Deny("use make instead".to_owned()));
    assert_eq!(talk.order(Order::Answer { request: request.clone(), answer }), Ok(Taken::Now));
    assert_eq!(talk.reply(7)["outcome"]["optionId"], "no");
    talk.end("end_turn");
    assert!(talk.outcomes().is_empty(), "the turn goes on with the reason");
    assert_eq!(talk.request("session/prompt")["params"]["prompt"][0]["text"], "use make instead");
    talk.end("end_turn");
    assert_eq!(talk.outcomes().len(), 1);
    let again = talk.order(Order::Answer { request, answer: Answer::Once });
    assert!(again.is_err(), "it was answered");

    let mut talk = Talk::new(&launch(Provider::Demo, Policy::Ask));
    talk.introduce(json!({ "_meta": { "maestro": { "reason": true } } }));
    talk.result("session/new", json!({ "sessionId": "s" }));
    talk.say("go");
    talk.permission(7, json!({ "toolCallId": "c", "kind": "execute" }));
    let answer = Answer::Deny("no".to_owned());
    let _ = talk.order(Order::Answer { request: "r2.1".to_owned(), answer });
    assert_eq!(talk.reply(7)["_meta"]["maestro"]["reason"], "no");
    talk.end("end_turn");
    assert_eq!(talk.outcomes().len(), 1);
}

#[test]
fn a_session_goes_on_without_its_past_being_told_again() {
    for (able, method) in [
        (json!({ "loadSession": true, "sessionCapabilities": { "resume": {} } }), "session/resume"),
        (json!({ "loadSession": true }), "session/load"),
    ] {
        let mut launch = launch(Provider::OpenCode, Policy::Ask);
        launch.resume = Some("s".to_owned());
        let mut talk = Talk::new(&launch);
        talk.introduce(able);
        assert_eq!(talk.request(method)["params"]["sessionId"], "s");
        talk.update(json!({ "sessionUpdate": "user_message_chunk", "content": { "text": "old" } }));
        talk.update(json!({ "sessionUpdate": "agent_message_chunk",
            "content": { "type": "text", "text": "old" } }));
        talk.update(json!({ "sessionUpdate": "tool_call", "toolCallId": "c", "title": "old" }));
        talk.update(json!({ "sessionUpdate": "usage_update", "used": 5, "size": 10,
            "cost": { "amount": 2.0, "currency": "USD" } }));
        talk.result(method, json!({}));
        assert!(talk.entries().is_empty(), "{:?}", talk.events);
        let named = Event::Session { id: "s".to_owned(), model: None };
        assert!(talk.events.contains(&named));
        assert!(talk.events.contains(&Event::Context(Context { used: 5, window: Some(10) })));
        talk.say("and now");
        talk.update(json!({ "sessionUpdate": "agent_message_chunk",
            "content": { "type": "text", "text": "new" } }));
        talk.update(json!({ "sessionUpdate": "usage_update", "used": 6, "size": 10,
            "cost": { "amount": 2.5, "currency": "USD" } }));
        talk.end("end_turn");
        assert_eq!(talk.outcomes()[0].text, "new");
        assert_eq!(talk.outcomes()[0].usage.cost_usd, Some(0.5));
    }
}

#[test]
fn a_past_that_is_told_late_is_left_out_too() {
    let mut launch = launch(Provider::Gemini, Policy::Ask);
    launch.resume = Some("s".to_owned());
    let mut talk = Talk::new(&launch);
    talk.say("and now");
    talk.introduce(json!({ "loadSession": true }));
    let modes = json!({ "availableModes": [{ "id": "default" }], "currentModeId": "default" });
    talk.result("session/load", json!({ "modes": modes }));
    let chunk = |text: &str| json!({ "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": text } });
    talk.update(chunk("old"));
    assert!(!talk.sent.iter().any(|sent| sent["method"] == "session/prompt"));
    talk.result("session/set_mode", json!({}));
    talk.update(chunk("new"));
    talk.end("end_turn");
    assert_eq!(talk.texts(), ["new"]);
}

#[test]
fn a_session_that_cannot_be_opened_ends_the_turn_that_waits_for_it() {
    let mut launch = launch(Provider::OpenCode, Policy::Ask);
    launch.resume = Some("gone".to_owned());
    let check = |error: Value, kind: FailureKind| {
        let mut talk = Talk::new(&launch);
        talk.say("hello");
        talk.introduce(json!({ "loadSession": true }));
        talk.error("session/load", error);
        let failure = talk.outcomes()[0].result.as_ref().expect_err("it cannot begin");
        assert_eq!(failure.kind, kind);
        assert_eq!(talk.order(say("again")).expect_err("there is no session").kind, kind);
    };
    check(json!({ "code": -32602, "message": "Session not found" }), FailureKind::SessionMissing);
    check(json!({ "code": -32000, "message": "Authentication required" }), FailureKind::Auth);
}

#[test]
fn ends_have_their_meaning() {
    let check = |reason: &str, kind: Option<FailureKind>| {
        let mut talk = Talk::open(Provider::OpenCode, Policy::Ask);
        talk.say("go");
        talk.end(reason);
        let ended = talk.outcomes()[0].result.as_ref().err().map(|failure| failure.kind);
        assert_eq!(ended, kind, "{reason}");
    };
    check("end_turn", None);
    check("something new", None);
    check("cancelled", Some(FailureKind::Interrupted));
    check("max_tokens", Some(FailureKind::Other));
    check("refusal", Some(FailureKind::Other));

    let mut talk = Talk::open(Provider::Gemini, Policy::Ask);
    talk.say("go");
    talk.error("session/prompt", json!({ "code": 429, "message": "Quota" }));
    let failure = talk.outcomes()[0].result.as_ref().expect_err("it failed");
    assert_eq!(failure.kind, FailureKind::Limit { resets_ms: None });
}

#[test]
fn an_interrupted_turn_withdraws_what_was_asked() {
    let mut talk = Talk::open(Provider::OpenCode, Policy::Ask);
    talk.say("go");
    talk.update(json!({ "sessionUpdate": "tool_call", "toolCallId": "c", "title": "bash",
        "kind": "execute", "status": "in_progress", "rawInput": { "command": "make" } }));
    talk.permission(7, json!({ "toolCallId": "c", "kind": "execute" }));
    assert_eq!(talk.order(Order::Interrupt), Ok(Taken::Now));
    assert_eq!(talk.reply(7)["outcome"]["outcome"], "cancelled");
    assert!(talk.request("session/cancel").get("id").is_none());
    // What it asks while it ends is not put before anybody.
    talk.permission(8, json!({ "toolCallId": "d", "kind": "execute" }));
    assert_eq!(talk.reply(8)["outcome"]["outcome"], "cancelled");
    talk.end("end_turn");
    assert_eq!(talk.outcomes().len(), 1);
    assert_eq!(talk.tools()[0].state, ToolState::Cut);

    let mut talk = Talk::new(&launch(Provider::OpenCode, Policy::Ask));
    talk.say("before the session is there");
    assert_eq!(talk.order(Order::Interrupt), Ok(Taken::Now));
    assert_eq!(talk.outcomes().len(), 1);
}

#[test]
fn a_program_that_goes_ends_its_turn_once() {
    let check = |code, signal, half: bool, kind| {
        let mut talk = Talk::open(Provider::Demo, Policy::Ask);
        talk.say("go");
        talk.update(json!({ "sessionUpdate": "agent_message_chunk",
            "content": { "type": "text", "text": "half an ans" } }));
        if half {
            talk.line(r#"{"jsonrpc":"2.0","method":"session/upd"#);
        }
        let exit = Exit { code, signal, ..Exit::default() };
        talk.with(|acp, out| acp.gone(&exit, 3, out));
        let outcomes = talk.outcomes();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].text, "half an ans");
        assert_eq!(outcomes[0].result.as_ref().expect_err("it is gone").kind, kind);
        assert!(talk.order(say("more")).is_err());
    };
    check(Some(1), None, true, FailureKind::Torn);
    check(Some(0), None, false, FailureKind::Torn);
    check(Some(3), None, false, FailureKind::Crashed);
    check(None, Some(9), false, FailureKind::Crashed);
    let mut idle = Talk::open(Provider::Demo, Policy::Ask);
    let exit = Exit { ended: Ended::Cancelled, ..Exit::default() };
    idle.with(|acp, out| acp.gone(&exit, 3, out));
    assert!(idle.outcomes().is_empty());
}

#[test]
fn tools_grow_and_end() {
    let mut talk = Talk::open(Provider::OpenCode, Policy::Ask);
    talk.say("go");
    let update = |fields: Value| {
        let mut update = json!({ "sessionUpdate": "tool_call_update", "toolCallId": "c" });
        let fields = fields.as_object().expect("fields").clone();
        fields.into_iter().for_each(|(name, value)| update[name] = value);
        update
    };
    let output =
        |text: &str| json!([{ "type": "content", "content": { "type": "text", "text": text } }]);
    talk.update(update(json!({ "sessionUpdate": "tool_call", "title": "bash", "kind": "execute",
        "status": "pending", "rawInput": {} })));
    talk.update(update(json!({ "status": "in_progress", "rawInput": { "command": "make all" } })));
    talk.update(update(json!({ "content": output("one\n") })));
    talk.update(update(json!({ "content": output("one\ntwo\n") })));
    let grown = talk.events.iter().any(|event| {
        matches!(event, Event::Delta { part: Part::ToolOutput, text, .. } if text == "two\n")
    });
    assert!(grown, "{:?}", talk.events);
    talk.update(update(json!({ "status": "completed",
        "rawOutput": { "output": "one\ntwo\n", "metadata": { "exit": 2 } } })));
    let tool = &talk.tools()[0];
    assert_eq!((tool.name.as_str(), tool.title.as_str(), tool.exit), ("bash", "make all", Some(2)));
    assert_eq!((tool.state, tool.kind), (ToolState::Failed, ToolKind::Shell));
    assert_eq!(tool.output, "one\ntwo\n");
    assert!(talk.events.contains(&Event::Doing("make all".to_owned())));
}

#[test]
fn plans_questions_and_titles_are_understood() {
    let mut talk = Talk::open(Provider::Demo, Policy::Bypass);
    talk.say("go");
    talk.update(json!({ "sessionUpdate": "plan", "entries": [
        { "content": "Read", "status": "completed" }, { "content": "Write", "status": "in_progress" } ] }));
    talk.update(json!({ "sessionUpdate": "session_info_update", "title": "A title" }));
    let list = |text: &str, state| Todo { text: text.to_owned(), state };
    let entries = talk.entries();
    let expected = Body::Todo(vec![list("Read", TodoState::Done), list("Write", TodoState::Doing)]);
    assert_eq!(entries[0].1, expected);
    assert!(talk.events.contains(&Event::Title("A title".to_owned())));
    let schema = json!({ "type": "object", "properties": { "a": { "enum": ["x", "y"] } } });
    let params =
        json!({ "sessionId": "s", "mode": "form", "message": "Which?", "requestedSchema": schema });
    talk.message(json!({ "id": 9, "method": "elicitation/create", "params": params }));
    assert!(
        matches!(&talk.asked()[0].ask, Ask::Questions(questions) if questions[0].text == "Which?")
    );
    let answer = Answer::Choices(vec![vec!["y".to_owned()]]);
    assert_eq!(talk.order(Order::Answer { request: "r2.1".to_owned(), answer }), Ok(Taken::Now));
    assert_eq!(talk.reply(9), &json!({ "action": "accept", "content": { "a": "y" } }));
}

#[test]
fn what_is_not_known_is_kept_and_harms_nothing() {
    let mut talk = Talk::open(Provider::OpenCode, Policy::Ask);
    talk.say("go");
    let unknown = r#"{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":"hologram","x":[1,2]}}}"#;
    talk.line(unknown);
    let kept = talk.entries().into_iter().any(|(_, body)| body == Body::Raw(unknown.to_owned()));
    assert!(kept, "{:?}", talk.events);
    talk.line("}garbage {");
    talk.message(json!({ "id": 11, "method": "terminal/create", "params": {} }));
    talk.message(json!({ "id": 12, "method": "future/thing", "params": {} }));
    for id in [11, 12] {
        let refused =
            talk.sent.iter().any(|sent| sent["id"] == id && sent["error"]["code"] == -32601);
        assert!(refused, "{id}");
    }
    assert_eq!(talk.raw(), 3);
    for _ in 0..1000 {
        talk.line("more garbage");
    }
    assert!(talk.raw() < 500);
    talk.end("end_turn");
    assert_eq!(talk.outcomes()[0].result, Ok(()));
}

proptest! {
    #[test]
    fn nothing_an_agent_prints_can_hurt(
        lines in prop::collection::vec((0..12_usize, any::<u64>(), ".{0,40}"), 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut talk = Talk::new(&launch(Provider::OpenCode, Policy::Ask));
        let recording: Vec<&str> = recording!("opencode").lines().collect();
        let _ = talk.order(say("x"));
        for (what, number, words) in lines {
            let line = recording[usize::try_from(number).unwrap_or(0) % recording.len()];
            match what {
                0 => talk.line(&words),
                1 => talk.line(line),
                2 => {
                    let at = cut.index(line.len());
                    let at = (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
                    talk.line(&line[..at]);
                }
                3 => talk.message(json!({ "id": number % 8, "result": { "sessionId": words, "configOptions": words } })),
                4 => talk.message(json!({ "id": number % 8, "error": { "code": number, "data": [words] } })),
                5 => talk.message(json!({ "id": words, "method": "session/request_permission", "params": { "toolCall": number } })),
                6 => talk.update(json!({ "sessionUpdate": "tool_call_update", "toolCallId": words, "content": [{ "type": "diff", "path": words, "newText": words }], "status": "completed" })),
                7 => talk.update(json!({ "sessionUpdate": words, "content": number })),
                8 => talk.update(json!({ "sessionUpdate": "agent_message_chunk", "content": { "type": words } })),
                9 => { let _ = talk.order(say(&words)); }
                10 => { let _ = talk.order(Order::Interrupt); }
                _ => { let _ = talk.order(Order::Answer { request: format!("r2.{}", number % 4), answer: Answer::Deny(words) }); }
            }
        }
        let begun = usize::try_from(talk.acp.turns).unwrap_or(usize::MAX);
        talk.with(|acp, out| acp.gone(&Exit::default(), 9, out));
        prop_assert_eq!(talk.outcomes().len(), begun, "each turn ends once");
    }
}

#[test]
fn an_opencode_that_others_kept_from_starting_is_started_again() {
    // The second is what one of two first starts at once printed under load (1.18.33).
    for (stderr, kept_out) in [
        ("Error: Unexpected error\n\ndatabase is locked\n", true),
        (
            "Error: Unexpected error\n\nFailed query: \n  CREATE TABLE `workspace` (\n `id` text",
            true,
        ),
        ("Error: Cannot find module", false),
    ] {
        let opencode = Acp::new(&launch(Provider::OpenCode, Policy::Ask));
        assert_eq!(opencode.was_kept_out(stderr), kept_out, "{stderr}");
        let copilot = Acp::new(&launch(Provider::Copilot, Policy::Ask));
        assert!(!copilot.was_kept_out(stderr));
    }
}

/// What the first program was asked is not answered by the second: the prompt waited for that for ever.
#[test]
fn a_prompt_is_said_to_a_program_that_was_started_again() {
    let mut talk = Talk::new(&launch(Provider::OpenCode, Policy::Ask));
    talk.say("fix it");
    talk.with(|acp, out| acp.begin(1, out));
    talk.introduce(json!({ "loadSession": true }));
    talk.result("session/new", json!({ "sessionId": "s" }));
    assert_eq!(talk.request("session/prompt")["params"]["prompt"][0]["text"], "fix it");
}
