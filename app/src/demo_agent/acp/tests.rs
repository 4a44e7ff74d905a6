use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::*;

/// A client: what the server prints comes line by line.
struct Client {
    server: Server,
    lines: Receiver<String>,
    session: String,
    directory: tempfile::TempDir,
    next: u64,
}

struct Pipe(std::sync::mpsc::Sender<String>, Vec<u8>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for &byte in bytes {
            if byte == b'\n' {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.1)).into_owned();
                let _ = self.0.send(line);
            } else {
                self.1.push(byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Client {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a folder for the test");
        Self::within(directory)
    }

    fn within(directory: tempfile::TempDir) -> Self {
        let real = directory.path().canonicalize().expect("the folder exists");
        let (sender, lines) = std::sync::mpsc::channel();
        let wire = Wire::new(Pipe(sender, Vec::new()));
        let server = Server::new(&Options::default(), &real, &real.join(".home"), wire);
        let mut client = Self { server, lines, session: String::new(), directory, next: 100 };
        let form = json!({ "elicitation": { "form": {} } });
        let params = json!({ "protocolVersion": 1, "clientCapabilities": form });
        assert_eq!(client.request("initialize", params)["protocolVersion"], 1);
        client
    }

    fn opened() -> Self {
        let mut client = Self::new();
        let opened = client.request("session/new", json!({ "mcpServers": [] }));
        client.session = opened["sessionId"].as_str().expect("it has an id").to_owned();
        assert_eq!(client.update()["sessionUpdate"], "available_commands_update");
        client
    }

    fn send(&mut self, message: &Value) {
        self.server.line(&message.to_string());
    }

    fn message(&self) -> Value {
        let line = self.lines.recv_timeout(Duration::from_secs(30)).expect("a line comes");
        serde_json::from_str(&line).unwrap_or(Value::String(line))
    }

    fn update(&self) -> Value {
        self.message()["params"]["update"].clone()
    }

    /// Sends a request and gives back what it is answered with at once.
    fn request(&mut self, method: &str, mut params: Value) -> Value {
        if !self.session.is_empty() {
            params["sessionId"] = self.session.clone().into();
        }
        self.next += 1;
        self.send(&json!({ "id": self.next, "method": method, "params": params }));
        loop {
            let mut message = self.message();
            if message["id"] == self.next && message.get("method").is_none() {
                return message["result"].take();
            }
        }
    }

    /// Runs a turn, with an answer to each thing it asks; gives back all it told, and the end last.
    fn turn(&mut self, prompt: &str, answers: &[Value]) -> Vec<Value> {
        self.next += 1;
        let blocks = json!([{ "type": "text", "text": prompt }]);
        let params = json!({ "sessionId": self.session, "prompt": blocks });
        let id = self.next;
        self.send(&json!({ "id": id, "method": "session/prompt", "params": params }));
        let (mut told, mut answers) = (Vec::new(), answers.iter());
        loop {
            let message = self.message();
            if message["id"] == id && message.get("method").is_none() {
                told.push(message);
                return told;
            }
            if message.get("method").is_some() && message.get("id").is_some() {
                let answer = answers.next().expect("there is an answer to it").clone();
                let id = message["id"].clone();
                told.push(message);
                self.send(&json!({ "id": id, "result": answer }));
                continue;
            }
            told.push(message);
        }
    }

    fn there(&self, name: &str) -> bool {
        self.directory.path().join(name).exists()
    }
}

fn select(option: &str) -> Value {
    json!({ "outcome": { "outcome": "selected", "optionId": option } })
}

fn updates<'a>(told: &'a [Value], kind: &str) -> Vec<&'a Value> {
    told.iter()
        .map(|message| &message["params"]["update"])
        .filter(|update| update["sessionUpdate"] == kind)
        .collect()
}

#[test]
fn a_turn_streams_its_answer_and_ends() {
    let mut client = Client::opened();
    let told = client.turn(
        "[[think Hm.]] [[todo x Look | > Say]] [[title A title]] [[text One two three four five six \
         seven eight nine]] [[usage 10 20 0.5]] [[context 50 100]]",
        &[],
    );
    let pieces = updates(&told, "agent_message_chunk");
    let text: String =
        pieces.iter().filter_map(|piece| piece["content"]["text"].as_str()).collect();
    assert!(pieces.len() > 1 && text == "One two three four five six seven eight nine", "{told:?}");
    assert_eq!(updates(&told, "agent_thought_chunk")[0]["content"]["text"], "Hm.");
    assert_eq!(updates(&told, "plan")[0]["entries"][1]["status"], "in_progress");
    assert_eq!(updates(&told, "session_info_update")[0]["title"], "A title");
    let used = updates(&told, "usage_update");
    assert!(used.len() == 2 && used.iter().all(|used| used["size"] == 100), "{used:?}");
    assert_eq!(used[1]["cost"]["amount"], 0.5);
    let end = &told[told.len() - 1]["result"];
    assert_eq!(
        (&end["stopReason"], &end["usage"]["inputTokens"]),
        (&json!("end_turn"), &json!(10))
    );
}

#[test]
fn it_asks_and_does_as_it_is_told() {
    let mut client = Client::opened();
    let told = client.turn(
        "[[write yes.txt 1]] [[write no.txt 2]] [[bash touch ran.txt]] [[bash touch again.txt]]",
        &[
            select("once"),
            json!({
                "outcome": { "outcome": "selected", "optionId": "reject" },
                "_meta": { "maestro": { "reason": "too early" } },
            }),
            select("always"),
        ],
    );
    assert!(client.there("yes.txt") && !client.there("no.txt"));
    assert!(client.there("ran.txt") && client.there("again.txt"), "always is remembered");
    let failed: Vec<_> = updates(&told, "tool_call_update")
        .into_iter()
        .filter(|update| update["status"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["rawOutput"]["output"], "The user refused this: too early");
    let asked = told.iter().find(|message| message["method"] == "session/request_permission");
    let asked = &asked.expect("it asked")["params"]["toolCall"];
    assert_eq!(asked["content"][0]["newText"], "1");
}

#[test]
fn modes_are_obeyed() {
    let mut client = Client::opened();
    let mode = |client: &mut Client, mode: &str| {
        let _ = client.request("session/set_mode", json!({ "modeId": mode }));
    };
    mode(&mut client, "read_only");
    let _ = client.turn("[[write a.txt 1]] [[bash echo hi > b.txt]] [[read a.txt]]", &[]);
    assert!(!client.there("a.txt") && !client.there("b.txt"));
    mode(&mut client, "accept_edits");
    let _ = client.turn("[[write a.txt 1]] [[bash echo hi > b.txt]]", &[select("reject")]);
    assert!(client.there("a.txt") && !client.there("b.txt"));
    mode(&mut client, "bypass");
    let _ = client.turn("[[delete a.txt]] [[bash echo hi > b.txt]]", &[]);
    assert!(!client.there("a.txt") && client.there("b.txt"));
}

#[test]
fn questions_are_asked_and_answers_used() {
    let mut client = Client::opened();
    let answer = json!({ "action": "accept", "content": { "answer": "Left" } });
    let told = client.turn("[[ask Which? | Left | Right]]", &[answer]);
    let asked = told.iter().find(|message| message["method"] == "elicitation/create");
    assert_eq!(asked.expect("it asked")["params"]["message"], "Which?");
    let said: String = updates(&told, "agent_message_chunk")
        .iter()
        .filter_map(|piece| piece["content"]["text"].as_str())
        .collect();
    assert_eq!(said, "You chose: Left.");
    let _ = client.turn("[[ask Which? | Left | Right]]", &[json!({ "action": "decline" })]);
}

#[test]
fn a_turn_is_cancelled_whatever_it_waits_for() {
    for prompt in
        ["[[hang]]", "[[write a.txt 1]]", "[[slow 600]] [[lines 100]]", "[[bash sleep 600]]"]
    {
        let mut client = Client::opened();
        let _ = client.request("session/set_mode", json!({ "modeId": "ask" }));
        let blocks = json!([{ "type": "text", "text": format!("[[think x]] {prompt}") }]);
        let params = json!({ "sessionId": client.session, "prompt": blocks });
        client.send(&json!({ "id": 1, "method": "session/prompt", "params": params }));
        if !prompt.contains("slow") {
            assert_eq!(client.update()["sessionUpdate"], "agent_thought_chunk");
        }
        let params = json!({ "sessionId": client.session });
        client.send(&json!({ "method": "session/cancel", "params": params }));
        let end = loop {
            let message = client.message();
            if message["id"] == 1 && message.get("method").is_none() {
                break message;
            }
        };
        assert_eq!(end["result"]["stopReason"], "cancelled", "{prompt}");
    }
}

#[test]
fn failures_have_their_kind() {
    let mut client = Client::opened();
    let mut check = |code: &str, number: i64, kind: Value| {
        let told = client.turn(&format!("[[text Before.]] [[error {code}]]"), &[]);
        let error = &told[told.len() - 1]["error"];
        assert_eq!((&error["code"], &error["data"]["failure"]), (&json!(number), &kind), "{code}");
    };
    check("401", -32000, json!("auth"));
    check("429", -32603, json!({ "limit": { "resets_ms": null } }));
    check("context", -32603, json!("context"));
    check("human", -32603, json!("human_needed"));
    let told = client.turn("[[error plan 90]]", &[]);
    let resets = &told[told.len() - 1]["error"]["data"]["failure"]["limit"]["resets_ms"];
    let left = resets.as_u64().expect("a time").saturating_sub(super::super::store::now_ms());
    assert!((30_000..=90_000).contains(&left), "{left}");
    let told = client.turn("[[error refusal]]", &[]);
    assert_eq!(told[told.len() - 1]["result"]["stopReason"], "refusal");
}

#[test]
fn sessions_are_loaded_with_their_history_and_resumed_without() {
    let mut first = Client::opened();
    let _ = first.request("session/set_mode", json!({ "modeId": "bypass" }));
    let _ = first.turn("[[write a.txt 1]] [[text Done it.]]", &[]);
    let Client { session, directory, server, .. } = first;
    drop(server);
    let mut second = Client::within(directory);
    let load = json!({ "id": 7, "method": "session/load", "params": { "sessionId": session } });
    second.send(&load);
    let kinds: Vec<String> = (0..3)
        .map(|_| second.update()["sessionUpdate"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(kinds, ["user_message_chunk", "tool_call", "agent_message_chunk"]);
    assert_eq!(second.message()["id"], 7);
    assert_eq!(second.update()["sessionUpdate"], "available_commands_update");
    second.session = session;
    assert!(second.request("session/resume", json!({}))["modes"].is_object());
    let missing = json!({ "sessionId": "00000000-0000-4000-8000-000000000000" });
    second.send(&json!({ "id": 8, "method": "session/load", "params": missing }));
    assert_eq!(second.message()["error"]["code"], -32002);
    second.send(&json!({ "id": 9, "method": "session/load", "params": { "sessionId": "../x" } }));
    assert_eq!(second.message()["error"]["code"], -32002);
}

#[test]
fn garbage_is_printed_and_read_without_harm() {
    let mut client = Client::opened();
    let told = client.turn("[[garbage 3]] [[text ok]]", &[]);
    assert_eq!(told.iter().filter(|message| message.is_string()).count(), 3);
    for line in
        ["{", "[]", "null", "7", r#"{"id":1}"#, r#"{"method":"x"}"#, r#"{"id":{},"result":1}"#]
    {
        client.server.line(line);
    }
    assert_eq!(client.message()["error"]["code"], -32700);
    let told = client.turn("[[text still here]]", &[]);
    assert_eq!(told[told.len() - 1]["result"]["stopReason"], "end_turn");
}

#[test]
fn images_are_seen() {
    let mut client = Client::opened();
    let image = json!({ "type": "image", "mimeType": "image/png", "data": "aGVsbG8=" });
    let blocks = json!([{ "type": "text", "text": "[[text Fine.]]" }, image]);
    let params = json!({ "sessionId": client.session, "prompt": blocks });
    client.send(&json!({ "id": 1, "method": "session/prompt", "params": params }));
    let mut said = String::new();
    loop {
        let message = client.message();
        if message["id"] == 1 {
            break;
        }
        said.push_str(
            message.pointer("/params/update/content/text").and_then(Value::as_str).unwrap_or(""),
        );
    }
    assert_eq!(said, "I see an image: image/png, 5 bytes.\n\nFine.");
}
