//! The demo agent behind the Agent Client Protocol (version 1): JSON-RPC, one object a line, on standard
//! input and output. One process holds any number of sessions; each session has one turn at a time, on a
//! thread of its own.
//!
//! Modes are the policies of conversations by their names: `ask`, `accept_edits`, `read_only`, `bypass`.
//! Beyond the protocol it says, in notifications whose names begin with `_maestro/`, what no agent has
//! standard words for (see [`turn`]), and puts the kind of a failure into the `data` of an error.

mod turn;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use maestro_core::conversation::Policy;
use maestro_core::turn::{Failure, FailureKind};
use serde_json::{Value, json};

use super::store::{Record, Session};
use super::{MODEL, Options};
use turn::Turn;

/// Models it lets one choose from: they do the same.
const MODELS: [(&str, &str); 2] = [(MODEL, "Demo 1"), ("demo-2", "Demo 2")];

/// How hard it can be told to think.
const EFFORTS: [(&str, &str); 3] = [("low", "Low"), ("medium", "Medium"), ("high", "High")];

/// Speaks until standard input is closed.
pub fn run(options: &Options, directory: &Path, home: &Path) -> i32 {
    let wire = Wire::new(std::io::stdout());
    let mut server = Server::new(options, directory, home, wire);
    for line in std::io::stdin().lock().split(b'\n') {
        let Ok(line) = line else { break };
        server.line(&String::from_utf8_lossy(&line));
    }
    server.close();
    0
}

/// The way to the client, shared by all turns.
#[derive(Clone)]
struct Wire {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    asked: Arc<Mutex<HashMap<u64, SyncSender<Value>>>>,
    next: Arc<AtomicU64>,
}

impl Wire {
    fn new(out: impl Write + Send + 'static) -> Self {
        Self {
            out: Arc::new(Mutex::new(Box::new(out))),
            asked: Arc::default(),
            next: Arc::default(),
        }
    }

    /// Prints bytes as they are. Whoever reads us may be gone; the work goes on.
    fn print(&self, bytes: &[u8]) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_all(bytes);
        let _ = out.flush();
    }

    fn send(&self, message: &Value) {
        self.print(format!("{message}\n").as_bytes());
    }

    fn notify(&self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn update(&self, session: &str, update: Value) {
        self.notify("session/update", json!({ "sessionId": session, "update": update }));
    }

    fn reply(&self, id: &Value, result: Result<Value, Failure>) {
        let message = match result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(failure) => {
                let code = match failure.kind {
                    FailureKind::Auth => -32000,
                    FailureKind::SessionMissing => -32002,
                    _ => -32603,
                };
                let error = json!({
                    "code": code,
                    "message": failure.message,
                    "data": { "failure": failure.kind },
                });
                json!({ "jsonrpc": "2.0", "id": id, "error": error })
            }
        };
        self.send(&message);
    }

    /// Asks the client; its answer comes from the receiver.
    fn ask(&self, method: &str, params: &Value) -> Receiver<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = sync_channel(1);
        let _ = self.lock_asked().insert(id, sender);
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        receiver
    }

    fn answered(&self, id: &Value, answer: Value) {
        if let Some(sender) = id.as_u64().and_then(|id| self.lock_asked().remove(&id)) {
            let _ = sender.try_send(answer);
        }
    }

    fn lock_asked(&self) -> std::sync::MutexGuard<'_, HashMap<u64, SyncSender<Value>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a session remembers between its turns.
#[derive(Debug)]
struct Memory {
    store: Session,
    policy: Policy,
    model: String,
    effort: String,
    /// What its user allowed for good.
    edits: bool,
    commands: bool,
    /// What it consumed so far.
    tokens: u64,
    cost_usd: f64,
}

/// A session that is open.
struct Open {
    directory: PathBuf,
    memory: Arc<Mutex<Memory>>,
    /// Ends its turn.
    interrupt: Arc<AtomicBool>,
    busy: Arc<AtomicBool>,
}

struct Server {
    directory: PathBuf,
    home: PathBuf,
    model: String,
    /// The id for the first new session.
    chosen: Option<String>,
    /// Whether the client can ask its user questions.
    questions: bool,
    sessions: HashMap<String, Open>,
    wire: Wire,
}

impl Server {
    fn new(options: &Options, directory: &Path, home: &Path, wire: Wire) -> Self {
        Self {
            directory: directory.to_owned(),
            home: home.to_owned(),
            model: options.model.clone().unwrap_or_else(|| MODEL.to_owned()),
            chosen: options.session.clone(),
            questions: false,
            sessions: HashMap::new(),
            wire,
        }
    }

    fn line(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            let error = json!({ "code": -32700, "message": "This line is not JSON." });
            return self.wire.send(&json!({ "jsonrpc": "2.0", "id": null, "error": error }));
        };
        let params = &message["params"];
        match (message["method"].as_str(), message.get("id")) {
            (Some("session/prompt"), Some(id)) => {
                if let Err(failure) = self.prompt(id.clone(), params) {
                    self.wire.reply(id, Err(failure));
                }
            }
            (Some("session/cancel"), _) => {
                if let Ok(open) = self.session(params) {
                    open.interrupt.store(true, Ordering::Relaxed);
                }
            }
            (Some(method), Some(id)) => {
                let result = self.request(method, params);
                let opened = result.is_ok() && matches!(method, "session/new" | "session/load");
                let session = match &result {
                    Ok(result) => result["sessionId"].as_str().or(params["sessionId"].as_str()),
                    Err(_) => None,
                };
                let session = session.map(str::to_owned);
                self.wire.reply(id, result);
                if let Some(session) = session.filter(|_| opened) {
                    self.wire.update(&session, commands());
                }
            }
            (None, Some(id)) => {
                let answer = message.get("result").cloned().unwrap_or(Value::Null);
                self.wire.answered(id, answer);
            }
            _ => {}
        }
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value, Failure> {
        match method {
            "initialize" => {
                let form = params.pointer("/clientCapabilities/elicitation/form");
                self.questions = form.is_some_and(|form| !form.is_null());
                Ok(introduction())
            }
            "authenticate" => Ok(json!({})),
            "session/new" => self.open_new(params),
            "session/load" | "session/resume" => self.open_again(params, method == "session/load"),
            "session/set_mode" => {
                let policy = policy(&params["modeId"])?;
                let open = self.session(params)?;
                lock(&open.memory).policy = policy;
                let id = params["sessionId"].as_str().unwrap_or_default();
                let update = json!({
                    "sessionUpdate": "current_mode_update",
                    "currentModeId": policy.name(),
                });
                self.wire.update(id, update);
                Ok(json!({}))
            }
            "session/set_model" => {
                let model = one_of(&MODELS, &params["modelId"])?;
                lock(&self.session(params)?.memory).model = model;
                Ok(json!({}))
            }
            "session/set_config_option" => {
                let open = self.session(params)?;
                let mut memory = lock(&open.memory);
                match params["configId"].as_str() {
                    Some("model") => memory.model = one_of(&MODELS, &params["value"])?,
                    Some("effort") => memory.effort = one_of(&EFFORTS, &params["value"])?,
                    _ => return Err(failure(FailureKind::Other, "There is no such option.")),
                }
                Ok(json!({ "configOptions": options(&memory) }))
            }
            "session/close" => {
                if let Some(open) = self.sessions.remove(params["sessionId"].as_str().unwrap_or(""))
                {
                    open.interrupt.store(true, Ordering::Relaxed);
                }
                Ok(json!({}))
            }
            _ => Err(failure(FailureKind::Other, "There is no such method.")),
        }
    }

    fn open_new(&mut self, params: &Value) -> Result<Value, Failure> {
        let directory = self.directory_of(params)?;
        let (store, _) =
            Session::open(&self.home, &directory, self.chosen.take().as_deref(), &self.model)
                .map_err(|error| {
                    let home = self.home.display();
                    let text = format!("The session cannot be kept in {home}: {error}.");
                    failure(FailureKind::Other, text)
                })?;
        Ok(self.open(store, directory))
    }

    fn open_again(&mut self, params: &Value, replay: bool) -> Result<Value, Failure> {
        let id = params["sessionId"].as_str().unwrap_or_default();
        let known = Some(id).filter(|id| super::store::is_id(id));
        let (store, records) =
            known.and_then(|id| Session::resume(&self.home, id)).ok_or_else(|| {
                failure(FailureKind::SessionMissing, format!("There is no session {id}."))
            })?;
        let directory = self.directory_of(params)?;
        if replay {
            for (number, record) in records.into_iter().enumerate() {
                if let Some(update) = replayed(number, record) {
                    self.wire.update(id, update);
                }
            }
        }
        Ok(self.open(store, directory))
    }

    fn open(&mut self, store: Session, directory: PathBuf) -> Value {
        let id = store.id.clone();
        let memory = Memory {
            store,
            policy: Policy::default(),
            model: self.model.clone(),
            effort: "medium".to_owned(),
            edits: false,
            commands: false,
            tokens: 0,
            cost_usd: 0.0,
        };
        let modes: Vec<Value> = Policy::ALL
            .iter()
            .map(|policy| json!({ "id": policy.name(), "name": policy.title() }))
            .collect();
        let opened = json!({
            "sessionId": id,
            "modes": { "availableModes": modes, "currentModeId": memory.policy.name() },
            "configOptions": options(&memory),
        });
        let open = Open {
            directory,
            memory: Arc::new(Mutex::new(memory)),
            interrupt: Arc::default(),
            busy: Arc::default(),
        };
        let _ = self.sessions.insert(id, open);
        opened
    }

    fn prompt(&self, id: Value, params: &Value) -> Result<(), Failure> {
        let open = self.session(params)?;
        if open.busy.swap(true, Ordering::AcqRel) {
            return Err(failure(FailureKind::Other, "A turn of this session is still running."));
        }
        open.interrupt.store(false, Ordering::Relaxed);
        let turn = Turn {
            session: params["sessionId"].as_str().unwrap_or_default().to_owned(),
            directory: open.directory.clone(),
            home: self.home.clone(),
            interrupt: Arc::clone(&open.interrupt),
            memory: Arc::clone(&open.memory),
            questions: self.questions,
            wire: self.wire.clone(),
        };
        let (busy, prompt) = (Arc::clone(&open.busy), params["prompt"].clone());
        let _ = std::thread::Builder::new()
            .name("demo-turn".into())
            .spawn(move || {
                let result = turn.run(&prompt);
                // The client may send the next prompt as soon as it has read the end of this one.
                busy.store(false, Ordering::Release);
                turn.wire.reply(&id, result);
            })
            .map_err(|error| {
                open.busy.store(false, Ordering::Release);
                failure(FailureKind::Other, format!("No turn can be started: {error}."))
            })?;
        Ok(())
    }

    fn session(&self, params: &Value) -> Result<&Open, Failure> {
        let id = params["sessionId"].as_str().unwrap_or_default();
        self.sessions.get(id).ok_or_else(|| {
            failure(FailureKind::SessionMissing, format!("There is no session {id}."))
        })
    }

    fn directory_of(&self, params: &Value) -> Result<PathBuf, Failure> {
        let Some(directory) = params["cwd"].as_str() else { return Ok(self.directory.clone()) };
        Path::new(directory).canonicalize().map_err(|error| {
            failure(FailureKind::Other, format!("{directory} cannot be worked in: {error}."))
        })
    }

    fn close(&self) {
        for open in self.sessions.values() {
            open.interrupt.store(true, Ordering::Relaxed);
        }
    }
}

fn lock(memory: &Mutex<Memory>) -> std::sync::MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failure(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { kind, message: message.into() }
}

fn policy(mode: &Value) -> Result<Policy, Failure> {
    Policy::ALL
        .into_iter()
        .find(|policy| mode.as_str() == Some(policy.name()))
        .ok_or_else(|| failure(FailureKind::Other, "There is no such mode."))
}

fn one_of(choices: &[(&str, &str)], value: &Value) -> Result<String, Failure> {
    choices
        .iter()
        .find(|(id, _)| value.as_str() == Some(id))
        .map(|(id, _)| (*id).to_owned())
        .ok_or_else(|| failure(FailureKind::ModelUnknown, format!("There is no choice {value}.")))
}

fn introduction() -> Value {
    json!({
        "protocolVersion": 1,
        "agentInfo": {
            "name": "maestro-demo", "title": "Demo agent", "version": env!("CARGO_PKG_VERSION"),
        },
        "agentCapabilities": {
            "loadSession": true,
            "promptCapabilities": { "image": true, "embeddedContext": true },
            "sessionCapabilities": { "resume": {}, "close": {} },
            "_meta": { "maestro": { "reason": true } },
        },
        "authMethods": [],
    })
}

fn options(memory: &Memory) -> Value {
    let choices = |choices: &[(&str, &str)]| {
        choices
            .iter()
            .map(|(value, name)| json!({ "value": value, "name": name }))
            .collect::<Vec<_>>()
    };
    json!([
        {
            "id": "model", "name": "Model", "category": "model", "type": "select",
            "currentValue": memory.model, "options": choices(&MODELS),
        },
        {
            "id": "effort", "name": "Effort", "category": "thought_level", "type": "select",
            "currentValue": memory.effort, "options": choices(&EFFORTS),
        },
    ])
}

fn commands() -> Value {
    json!({
        "sessionUpdate": "available_commands_update",
        "availableCommands": [
            { "name": "help", "description": "What the demo agent can be told" },
            {
                "name": "note",
                "description": "Add a line to NOTES.md",
                "input": { "hint": "words" },
            },
        ],
    })
}

/// A record as the client would have seen it.
fn replayed(number: usize, record: Record) -> Option<Value> {
    let chunk = |kind: &str, text: String| {
        Some(json!({ "sessionUpdate": kind, "content": { "type": "text", "text": text } }))
    };
    match record {
        Record::User { text } => chunk("user_message_chunk", text),
        Record::Assistant { text } => chunk("agent_message_chunk", text),
        Record::Tool { name, summary, output, is_error } => Some(json!({
            "sessionUpdate": "tool_call",
            "toolCallId": format!("before_{number}"),
            "title": summary,
            "kind": turn::kind_of(&name),
            "status": if is_error { "failed" } else { "completed" },
            "content": [{ "type": "content", "content": { "type": "text", "text": output } }],
            "_meta": { "toolName": name },
        })),
        Record::Session { .. } => None,
    }
}

#[cfg(test)]
mod tests;
