//! One turn behind the Agent Client Protocol: what the player tells, in the protocol's words.
//!
//! Without standard words, and said by notifications of ours: `_maestro/retrying` (`because`, `untilMs`,
//! `attempt`) and `_maestro/limit` (`percent`, `resetsMs`, `name`).

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maestro_core::conversation::{Policy, TodoState};
use maestro_core::turn::{Failure, Usage};
use serde_json::{Value, json};

use super::super::play::{Asked, Edit, End, Player, Progress, Verdict};
use super::super::script::{self, Step, WINDOW};
use super::super::store::Record;
use super::{Memory, Wire, lock};

/// How often it is looked whether a turn was ended while it waits for an answer.
const LOOK: Duration = Duration::from_millis(20);

const HELP: &str = "I am a demonstration: I need no account and no network. Tell me to write, extend or \
                    remove a file named in backticks, or say what I am to do in directives between \
                    double square brackets: `text`, `think`, `write`, `bash`, `ask`, `todo`, `error` …";

/// A turn to be run.
pub struct Turn {
    pub session: String,
    /// Absolute and real.
    pub directory: PathBuf,
    pub home: PathBuf,
    pub interrupt: Arc<AtomicBool>,
    pub memory: Arc<Mutex<Memory>>,
    /// Whether the client can ask its user questions.
    pub questions: bool,
    pub wire: Wire,
}

impl Turn {
    /// Runs it; gives back what the prompt is answered with.
    pub fn run(&self, prompt: &Value) -> Result<Value, Failure> {
        let (text, images) = words(prompt);
        let mut script = script::read(&text);
        let _ = script.steps.splice(0..0, images.into_iter().map(Step::Say));
        lock(&self.memory).store.add(&Record::User { text });

        let usage = Cell::new(Usage::default());
        let mut call: Option<(&'static str, String)> = None;
        let mut context = None;
        let ask = |asked: Asked<'_>| self.ask(asked);
        let player = Player {
            directory: &self.directory,
            home: &self.home,
            interrupt: &self.interrupt,
            pace: Duration::ZERO,
            ask: Some(&ask),
            pieces: true,
        };
        let end = player.play(&script, |progress| {
            match &progress {
                Progress::Text(text) => {
                    lock(&self.memory).store.add(&Record::Assistant { text: text.clone() });
                }
                Progress::Call { name, summary, .. } => call = Some((*name, summary.clone())),
                Progress::Result { is_error, output, .. } => {
                    let (name, summary) = call.take().unwrap_or_default();
                    lock(&self.memory).store.add(&Record::Tool {
                        name: name.to_owned(),
                        summary,
                        output: output.clone(),
                        is_error: *is_error,
                    });
                }
                Progress::Usage(told) => usage.set(*told),
                Progress::Context { used, window } => context = Some((*used, *window)),
                _ => {}
            }
            self.tell(progress);
        });
        let usage = usage.get();
        self.consumed(usage, context);
        let ended = |reason: &str| json!({ "stopReason": reason, "usage": tokens(usage) });
        match end {
            End::Done => Ok(ended("end_turn")),
            End::Interrupted => Ok(ended("cancelled")),
            End::Failed(failure) if failure.message == script::REFUSAL => Ok(ended("refusal")),
            End::Failed(failure) => Err(failure),
            End::Exit(code) => std::process::exit(code),
            End::Crash => super::super::crash(),
            End::Torn => {
                self.wire.print(br#"{"jsonrpc":"2.0","method":"session/upd"#);
                std::process::exit(1);
            }
        }
    }

    fn tell(&self, progress: Progress) {
        let update = match progress {
            Progress::Piece(text) => chunk("agent_message_chunk", text),
            // It was told in pieces.
            Progress::Text(_) | Progress::Changed(_) | Progress::Usage(_) => return,
            Progress::Thinking(text) => chunk("agent_thought_chunk", text),
            Progress::Garbage(line) => return self.wire.print(format!("{line}\n").as_bytes()),
            Progress::Call { id, name, summary } => json!({
                "sessionUpdate": "tool_call",
                "toolCallId": id,
                "title": summary,
                "kind": kind_of(name),
                "status": "in_progress",
                "rawInput": input(name, &summary),
                "locations": locations(name, &summary),
                "_meta": { "toolName": name },
            }),
            Progress::Edited { id, edit } => json!({
                "sessionUpdate": "tool_call_update",
                "toolCallId": id,
                "content": [difference(&edit)],
            }),
            Progress::Result { id, is_error, output, .. } => json!({
                "sessionUpdate": "tool_call_update",
                "toolCallId": id,
                "status": if is_error { "failed" } else { "completed" },
                "rawOutput": { "output": output },
            }),
            Progress::Todo(list) => {
                let entries: Vec<Value> = list
                    .into_iter()
                    .map(|item| {
                        let status = match item.state {
                            TodoState::Open => "pending",
                            TodoState::Doing => "in_progress",
                            TodoState::Done => "completed",
                        };
                        json!({ "content": item.text, "priority": "medium", "status": status })
                    })
                    .collect();
                json!({ "sessionUpdate": "plan", "entries": entries })
            }
            Progress::Title(title) => {
                json!({ "sessionUpdate": "session_info_update", "title": title })
            }
            Progress::Context { used, window } => {
                json!({ "sessionUpdate": "usage_update", "used": used, "size": window })
            }
            Progress::Limit { percent, resets_ms } => {
                let params = json!({
                    "sessionId": self.session,
                    "percent": percent,
                    "resetsMs": resets_ms,
                    "name": "plan",
                });
                return self.wire.notify("_maestro/limit", params);
            }
            Progress::Retrying { because, until_ms } => {
                let params = json!({
                    "sessionId": self.session,
                    "because": because,
                    "untilMs": until_ms,
                    "attempt": 1,
                });
                return self.wire.notify("_maestro/retrying", params);
            }
        };
        self.wire.update(&self.session, update);
    }

    /// Adds to what the session consumed, and says that and how full its context is: as the script has
    /// it, where it does.
    fn consumed(&self, usage: Usage, context: Option<(u64, u64)>) {
        let mut memory = lock(&self.memory);
        memory.tokens += usage.input_tokens + usage.output_tokens;
        memory.cost_usd += usage.cost_usd.unwrap_or(0.0);
        let (used, size) = context.unwrap_or((memory.tokens.min(WINDOW), WINDOW));
        let update = json!({
            "sessionUpdate": "usage_update",
            "used": used,
            "size": size,
            "cost": { "amount": memory.cost_usd, "currency": "USD" },
        });
        self.wire.update(&self.session, update);
    }

    fn ask(&self, asked: Asked<'_>) -> Verdict {
        match asked {
            Asked::Question { question, answers } => self.question(question, answers),
            Asked::Edit { id, name, edit } => {
                let memory = lock(&self.memory);
                let (policy, always) = (memory.policy, memory.edits);
                drop(memory);
                match policy {
                    Policy::ReadOnly => read_only(),
                    Policy::AcceptEdits | Policy::Bypass => Verdict::Allowed,
                    Policy::Ask if always => Verdict::Allowed,
                    Policy::Ask => self.permission(&json!({
                        "toolCallId": id,
                        "title": edit.path,
                        "kind": kind_of(name),
                        "status": "pending",
                        "rawInput": input(name, &edit.path),
                        "locations": [{ "path": edit.path }],
                        "content": [difference(edit)],
                    })),
                }
            }
            Asked::Command { id, command } => {
                let memory = lock(&self.memory);
                let (policy, always) = (memory.policy, memory.commands);
                drop(memory);
                match policy {
                    Policy::ReadOnly => read_only(),
                    Policy::Bypass => Verdict::Allowed,
                    Policy::Ask | Policy::AcceptEdits if always => Verdict::Allowed,
                    Policy::Ask | Policy::AcceptEdits => self.permission(&json!({
                        "toolCallId": id,
                        "title": command,
                        "kind": "execute",
                        "status": "pending",
                        "rawInput": { "command": command },
                    })),
                }
            }
        }
    }

    fn permission(&self, call: &Value) -> Verdict {
        let params = json!({
            "sessionId": self.session,
            "toolCall": call,
            "options": [
                { "optionId": "once", "kind": "allow_once", "name": "Allow once" },
                { "optionId": "always", "kind": "allow_always", "name": "Always allow" },
                { "optionId": "reject", "kind": "reject_once", "name": "Reject" },
            ],
        });
        let answer = self.wire.ask("session/request_permission", &params);
        let Some(answer) = self.wait(&answer) else { return Verdict::Stopped };
        match answer.pointer("/outcome/optionId").and_then(Value::as_str) {
            Some("once") => Verdict::Allowed,
            Some("always") => {
                let mut memory = lock(&self.memory);
                if call["kind"] == "execute" {
                    memory.commands = true;
                } else {
                    memory.edits = true;
                }
                Verdict::Allowed
            }
            Some(_) => {
                let why = answer.pointer("/_meta/maestro/reason").and_then(Value::as_str);
                Verdict::Denied(why.unwrap_or_default().to_owned())
            }
            None => Verdict::Stopped,
        }
    }

    fn question(&self, question: &str, answers: &[String]) -> Verdict {
        if !self.questions {
            return Verdict::Denied(String::new());
        }
        let choices: Vec<Value> =
            answers.iter().map(|answer| json!({ "const": answer, "title": answer })).collect();
        let mut property = json!({ "type": "string", "title": "Answer" });
        if !choices.is_empty() {
            property["oneOf"] = Value::Array(choices);
        }
        let params = json!({
            "sessionId": self.session,
            "mode": "form",
            "message": question,
            "requestedSchema": {
                "type": "object",
                "properties": { "answer": property },
                "required": ["answer"],
            },
        });
        let answer = self.wire.ask("elicitation/create", &params);
        let Some(answer) = self.wait(&answer) else { return Verdict::Stopped };
        match answer.pointer("/content/answer").and_then(Value::as_str) {
            Some(chosen) if answer["action"] == "accept" => Verdict::Chosen(chosen.to_owned()),
            _ => Verdict::Denied(String::new()),
        }
    }

    /// Waits for an answer; `None` when the turn is over before.
    fn wait(&self, answer: &Receiver<Value>) -> Option<Value> {
        loop {
            if self.interrupt.load(Ordering::Relaxed) {
                return None;
            }
            match answer.recv_timeout(LOOK) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

fn read_only() -> Verdict {
    Verdict::Denied("this session may only read.".to_owned())
}

/// The protocol's word for a kind of tool.
pub fn kind_of(name: &str) -> &'static str {
    match name {
        "Bash" => "execute",
        "Write" | "Edit" => "edit",
        "Delete" => "delete",
        "Read" => "read",
        _ => "other",
    }
}

/// The text of a prompt, and what is to be said about each of its images.
fn words(prompt: &Value) -> (String, Vec<String>) {
    let (mut text, mut images) = (String::new(), Vec::new());
    for block in prompt.as_array().map_or(&[][..], Vec::as_slice) {
        match block["type"].as_str() {
            Some("text") => text.push_str(block["text"].as_str().unwrap_or_default()),
            Some("image") => {
                let media = block["mimeType"].as_str().unwrap_or("unknown");
                let length = block["data"]
                    .as_str()
                    .map_or(0, |data| data.trim_end_matches('=').len() * 3 / 4);
                images.push(format!("I see an image: {media}, {length} bytes.\n\n"));
            }
            _ => {}
        }
    }
    let command = text.trim();
    if command == "/help" {
        text = format!("[[text {HELP}]]");
    } else if let Some(note) = command.strip_prefix("/note ") {
        text = note.to_owned();
    }
    (text, images)
}

fn chunk(kind: &str, text: String) -> Value {
    json!({ "sessionUpdate": kind, "content": { "type": "text", "text": text } })
}

fn input(name: &str, summary: &str) -> Value {
    if name == "Bash" { json!({ "command": summary }) } else { json!({ "path": summary }) }
}

fn locations(name: &str, summary: &str) -> Value {
    if name == "Bash" { json!([]) } else { json!([{ "path": summary }]) }
}

fn difference(edit: &Edit) -> Value {
    json!({
        "type": "diff",
        "path": edit.path,
        "oldText": edit.old,
        "newText": edit.new.as_deref().unwrap_or_default(),
        "_meta": { "kind": match (&edit.old, &edit.new) {
            (None, _) => "add",
            (Some(_), None) => "delete",
            (Some(_), Some(_)) => "modify",
        } },
    })
}

fn tokens(usage: Usage) -> Value {
    json!({
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.input_tokens + usage.output_tokens,
        "cachedReadTokens": usage.cached_tokens,
    })
}
