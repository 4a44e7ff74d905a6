//! Codex's app-server: JSON-RPC on standard input and output, without the version field. Established
//! with 0.169.0, whose own schema (`codex app-server generate-ts`) names the fields.

mod ask;
mod ending;
mod fence;
mod items;

use std::collections::HashMap;
use std::path::PathBuf;

use maestro_core::agent::Provider;
use maestro_core::conversation::{Context, Event, Menu, Model, Policy, Prompt};
use maestro_core::turn::{Failure, FailureKind, Outcome, Usage};
use serde_json::{Value, json};

use self::ask::Asked;
use self::ending::Limits;
use self::fence::Fence;
use self::items::Items;
use super::{Dialect, Launch, Order, Out, Taken};
use crate::command::{Args, CommandLine, checked, child_environment, program};
use crate::stream::{Exit, array, broken_off, fail, number, string, text};

/// Lines in a turn that are not understood and reported; the rest of a flood is left out.
const RAW_LINES: u32 = 500;

/// How a conversation is started: everything else is said over the protocol.
pub(super) fn command(launch: &Launch) -> Result<CommandLine, Failure> {
    // They go into the protocol, not on a command line; what is nonsense here is nonsense there.
    for word in [&launch.resume, &launch.model, &launch.effort] {
        let _ = checked(word.as_deref())?;
    }
    let mut env = child_environment(&launch.detected, &launch.environment)?;
    env.set("TERM", "dumb");
    env.set("NO_COLOR", "1");
    let mut args = Args::default();
    args.word("app-server");
    Ok(CommandLine {
        provider: Provider::Codex,
        program: program(&launch.detected)?,
        args: args.0,
        directory: launch.directory.clone(),
        env: env.to_vec(),
        stdin: None,
        before: None,
    })
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Codex {
    directory: PathBuf,
    resume: Option<String>,
    policy: Policy,
    model: Option<String>,
    effort: Option<String>,
    /// The settings that hold in the program, to be told others only when they change.
    told: Settings,
    /// The program's own sandbox for work in the directory: it knows the user's configuration.
    workspace: Option<Value>,
    thread: Thread,
    fence: Fence,
    /// What can be chosen, while the configuration is not known.
    menu: Option<Menu>,
    calls: u64,
    /// What our calls were about that are not answered.
    waiting: HashMap<u64, Call>,
    asked: HashMap<String, Asked>,
    items: Items,
    limits: Limits,
    turn: Option<Turn>,
    turns: u64,
    /// The thread's tokens when they were last told.
    total: u64,
    raw_lines: u32,
}

/// How far the thread is.
#[derive(Debug, Clone, PartialEq)]
enum Thread {
    /// Not there yet.
    Starting,
    /// Its id.
    Ready(String),
    /// It will not be there.
    Failed(Failure),
}

/// What a thread was told of how it works.
#[derive(Debug, Clone, PartialEq, Default)]
struct Settings {
    policy: Policy,
    model: Option<String>,
    effort: Option<String>,
}

/// A call of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Initialize,
    Config,
    Thread,
    Turn,
    Models,
    Other,
}

/// A turn that has not ended.
#[derive(Debug)]
struct Turn {
    prompt: Prompt,
    id: Option<String>,
    /// It is to be stopped as soon as it has an id.
    stop: bool,
    usage: Usage,
}

impl Codex {
    pub fn new(launch: &Launch) -> Self {
        Self {
            directory: launch.directory.clone(),
            resume: launch.resume.clone(),
            policy: launch.policy,
            model: launch.model.clone(),
            effort: launch.effort.clone(),
            told: Settings::default(),
            workspace: None,
            thread: Thread::Starting,
            fence: Fence::default(),
            menu: None,
            calls: 0,
            waiting: HashMap::new(),
            asked: HashMap::new(),
            items: Items::new(launch.directory.clone()),
            limits: Limits::default(),
            turn: None,
            turns: 0,
            total: 0,
            raw_lines: 0,
        }
    }

    fn call(&mut self, about: Call, method: &str, params: &Value, out: &mut Out) {
        self.calls += 1;
        let _ = self.waiting.insert(self.calls, about);
        let line = json!({ "id": self.calls, "method": method, "params": params });
        out.lines.push(line.to_string());
    }

    fn start_thread(&mut self, out: &mut Out) {
        let mut params = json!({
            "cwd": self.directory,
            "approvalPolicy": approval(self.policy),
            "sandbox": match self.policy {
                Policy::Ask | Policy::AcceptEdits => "workspace-write",
                Policy::ReadOnly => "read-only",
                Policy::Bypass => "danger-full-access",
            },
        });
        if let Some(model) = &self.model {
            params["model"] = model.as_str().into();
        }
        if let Some(config) = self.fence.put_up(self.policy == Policy::ReadOnly) {
            params["config"] = config;
        }
        // The effort is a turn's.
        self.told = Settings { policy: self.policy, model: self.model.clone(), effort: None };
        if let Some(thread) = &self.resume {
            params["threadId"] = thread.as_str().into();
            // What was said before is read from the store.
            params["excludeTurns"] = true.into();
            self.call(Call::Thread, "thread/resume", &params, out);
        } else {
            self.call(Call::Thread, "thread/start", &params, out);
        }
        self.call(Call::Models, "model/list", &json!({ "limit": 100 }), out);
    }

    /// Which servers of tools it would start is known, or not to be had.
    fn configured(&mut self, config: Option<&Value>, now_ms: u64, out: &mut Out) {
        if let Some(config) = config {
            self.fence.configured(config);
        }
        out.events.extend(self.menu.take().map(Event::Menu));
        if self.fence.is_decided() || self.thread != Thread::Starting {
            return;
        }
        if config.is_none() && self.policy == Policy::ReadOnly {
            let failure = fail(
                FailureKind::Unusable,
                "Codex does not tell which MCP servers it would start, so it cannot be held to \
                 reading; update Codex, or choose another policy.",
            );
            self.thread = Thread::Failed(failure.clone());
            self.end(Err(failure), now_ms, out);
            return;
        }
        self.start_thread(out);
    }

    /// Whether the turn that runs keeps more rights than this policy gives: its sandbox is its own until it
    /// ends.
    fn outlasts(&self, policy: Policy) -> bool {
        let rights = |policy| match policy {
            Policy::ReadOnly => 0,
            Policy::Ask | Policy::AcceptEdits => 1,
            Policy::Bypass => 2,
        };
        self.turn.is_some()
            && matches!(self.thread, Thread::Ready(_))
            && rights(policy) < rights(self.told.policy)
    }

    /// Begins the turn that waits for its thread.
    fn start_turn(&mut self, out: &mut Out) {
        let (Thread::Ready(thread), Some(turn)) = (&self.thread, &self.turn) else { return };
        let mut input = Vec::new();
        if !turn.prompt.text.trim().is_empty() {
            input.push(json!({ "type": "text", "text": turn.prompt.text, "text_elements": [] }));
        }
        for image in &turn.prompt.images {
            input.push(json!({ "type": "localImage", "path": image.path }));
        }
        let wanted = Settings {
            policy: self.policy_now(),
            model: self.model.clone(),
            effort: self.effort.clone(),
        };
        let mut params = json!({ "threadId": thread, "input": input });
        if wanted.policy != self.told.policy {
            params["approvalPolicy"] = approval(wanted.policy).into();
            params["sandboxPolicy"] = self.sandbox(wanted.policy);
        }
        if wanted.model != self.told.model {
            params["model"] = wanted.model.as_deref().into();
        }
        if wanted.effort != self.told.effort {
            params["effort"] = wanted.effort.as_deref().into();
        }
        self.told = wanted;
        self.call(Call::Turn, "turn/start", &params, out);
    }

    /// What the turn that runs may do, or the next one.
    fn policy_now(&self) -> Policy {
        if self.turn.as_ref().is_some_and(|turn| turn.prompt.read_only) {
            Policy::ReadOnly
        } else {
            self.policy
        }
    }

    fn sandbox(&self, policy: Policy) -> Value {
        match policy {
            Policy::ReadOnly => json!({ "type": "readOnly", "networkAccess": false }),
            Policy::Bypass => json!({ "type": "dangerFullAccess" }),
            Policy::Ask | Policy::AcceptEdits => self.workspace.clone().unwrap_or_else(|| {
                json!({
                    "type": "workspaceWrite", "writableRoots": [], "networkAccess": false,
                    "excludeTmpdirEnvVar": false, "excludeSlashTmp": false,
                })
            }),
        }
    }

    fn interrupt(&mut self, out: &mut Out) {
        let Some(turn) = &mut self.turn else { return };
        turn.stop = true;
        let (Some(id), Thread::Ready(thread)) = (&turn.id, &self.thread) else {
            if self.thread == Thread::Starting {
                // It has not even begun.
                let stopped = fail(FailureKind::Interrupted, "The turn was stopped.");
                self.end(Err(stopped), 0, out);
            }
            return;
        };
        let params = json!({ "threadId": thread, "turnId": id });
        self.call(Call::Other, "turn/interrupt", &params, out);
    }

    /// A turn has an id: from the answer to our call or from the first notice, whichever comes first.
    fn turn_began(&mut self, id: &str, out: &mut Out) {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.id.is_none()) else { return };
        if !id.is_empty() {
            turn.id = Some(id.to_owned());
            if turn.stop {
                self.interrupt(out);
            }
        }
    }

    /// Ends the turn: nothing of it stays open.
    fn end(&mut self, result: Result<(), Failure>, now_ms: u64, out: &mut Out) {
        for (id, _) in self.asked.drain() {
            out.events.push(Event::RequestGone { id });
        }
        let text = self.items.end_turn(now_ms, out);
        let Some(turn) = self.turn.take() else { return };
        let result = result
            .map_err(|failure| Failure { message: text::sentence(&failure.message), ..failure });
        let session = match &self.thread {
            Thread::Ready(id) => Some(id.clone()),
            _ => self.resume.clone(),
        };
        out.events.push(Event::Ended(Outcome { session, text, usage: turn.usage, result }));
    }

    /// One message; `None` when it is not understood.
    fn message(&mut self, value: &Value, now_ms: u64, out: &mut Out) -> Option<()> {
        let params = value.get("params").unwrap_or(&Value::Null);
        match (value.get("method").and_then(Value::as_str), value.get("id")) {
            (Some(method), Some(id)) => self.request(method, id, params, now_ms, out),
            (Some(method), None) => self.notice(method, params, now_ms, out),
            (None, Some(id)) => self.answer(id.as_u64()?, value, now_ms, out),
            (None, None) => None,
        }
    }

    /// The answer to a call of ours.
    fn answer(&mut self, id: u64, value: &Value, now_ms: u64, out: &mut Out) -> Option<()> {
        let about = self.waiting.remove(&id)?;
        let error = value.get("error").filter(|error| !error.is_null());
        match (about, error) {
            (Call::Initialize, None) => {
                out.lines.push(json!({ "method": "initialized" }).to_string());
                let _ = self.waiting.insert(fence::CALL, Call::Config);
                out.lines.push(fence::question(&self.directory));
                if self.policy != Policy::ReadOnly {
                    self.start_thread(out);
                }
            }
            (Call::Config, error) => {
                let config = value.pointer("/result/config").filter(|_| error.is_none());
                self.configured(config, now_ms, out);
            }
            (Call::Thread, None) => {
                let result = value.get("result")?;
                let id = string(result, "/thread/id").to_owned();
                let model = result.get("model").and_then(Value::as_str).map(str::to_owned);
                if string(result, "/sandbox/type") == "workspaceWrite" {
                    self.workspace = result.get("sandbox").cloned();
                }
                out.events.push(Event::Session { id: id.clone(), model });
                let name = string(result, "/thread/name");
                if !name.is_empty() {
                    out.events.push(Event::Title(text::sentence(name)));
                }
                self.thread = Thread::Ready(id);
                self.start_turn(out);
            }
            (Call::Initialize | Call::Thread, Some(error)) => {
                let message = string(error, "/message");
                let kind = text::kind_of_stderr(message).unwrap_or(FailureKind::Other);
                let failure = fail(kind, text::sentence(message));
                self.thread = Thread::Failed(failure.clone());
                self.end(Err(failure), now_ms, out);
            }
            (Call::Turn, None) => self.turn_began(string(value, "/result/turn/id"), out),
            (Call::Turn, Some(error)) => {
                let failure = ending::failure(string(error, "/message"), &Value::Null, None);
                self.end(Err(failure), now_ms, out);
            }
            (Call::Models, None) => {
                let models = array(value, "/result/data").iter().map(model);
                let menu = Menu {
                    models: models.collect(),
                    commands: Vec::new(),
                    policies: Policy::ALL.to_vec(),
                };
                // Whoever has it may choose a policy, and what that needs is known with the configuration.
                if self.waiting.contains_key(&fence::CALL) {
                    self.menu = Some(menu);
                } else {
                    out.events.push(Event::Menu(menu));
                }
            }
            // Nothing depends on it.
            (Call::Models | Call::Other, Some(error)) => {
                tracing::debug!(%error, "Codex refused a call");
            }
            (Call::Other, None) => {}
        }
        Some(())
    }

    fn notice(&mut self, method: &str, params: &Value, now_ms: u64, out: &mut Out) -> Option<()> {
        let thread = string(params, "/threadId");
        if let Thread::Ready(ours) = &self.thread
            && !thread.is_empty()
            && thread != ours
        {
            // A subagent's own thread: what it does is told by the item that began it.
            return Some(());
        }
        if method == "item/started" && self.policy_now() == Policy::ReadOnly {
            self.hold_back(params, out);
        }
        if let Some(understood) = self.items.notice(method, params, now_ms, out) {
            return understood.then_some(());
        }
        match method {
            "turn/started" => self.turn_began(string(params, "/turn/id"), out),
            "turn/completed" => {
                let turn = params.get("turn")?;
                let ours = self.turn.as_ref().and_then(|turn| turn.id.as_deref());
                if ours.is_some_and(|ours| ours != string(turn, "/id")) {
                    return Some(());
                }
                let result = self.verdict(turn, now_ms);
                self.end(result, now_ms, out);
            }
            "thread/tokenUsage/updated" => self.tokens(params.get("tokenUsage")?, out),
            "account/rateLimits/updated" => {
                out.events.extend(self.limits.update(params.get("rateLimits")?));
            }
            "thread/name/updated" => {
                let name = text::sentence(string(params, "/threadName"));
                if !name.is_empty() {
                    out.events.push(Event::Title(name));
                }
            }
            "error" => {
                let message = string(params, "/error/message");
                if params.get("willRetry").and_then(Value::as_bool) == Some(true) {
                    self.items.retried();
                    let details = string(params, "/error/additionalDetails");
                    out.events.push(ending::retrying(message, details));
                }
                // Otherwise the end of the turn says it again.
            }
            "serverRequest/resolved" => {
                let id = params.get("requestId")?.to_string();
                if self.asked.remove(&id).is_some() {
                    out.events.push(Event::RequestGone { id });
                }
            }
            "model/rerouted" => {
                let to = string(params, "/toModel");
                self.items.tell(&format!("Codex goes on with {to}."), out);
            }
            "warning" | "guardianWarning" => self.items.tell(string(params, "/message"), out),
            "configWarning" | "deprecationNotice" => {
                let summary = string(params, "/summary");
                // It helps itself; told with every conversation it would only be in the way.
                if !summary.contains("will use the bundled") {
                    self.items.tell(summary, out);
                }
            }
            "mcpServer/startupStatus/updated" => {
                if string(params, "/status") == "failed" {
                    let (name, error) = (string(params, "/name"), string(params, "/error"));
                    self.items.tell(&format!("The MCP server {name} failed: {error}"), out);
                }
            }
            // Of other features of the program, or told by something else, too.
            "thread/started"
            | "thread/status/changed"
            | "thread/closed"
            | "thread/archived"
            | "thread/unarchived"
            | "thread/deleted"
            | "thread/reverted"
            | "thread/settings/updated"
            | "thread/readState/changed"
            | "thread/section/changed"
            | "thread/attachment/updated"
            | "thread/goal/updated"
            | "thread/goal/cleared"
            | "thread/prediction/updated"
            | "thread/queue/changed"
            | "thread/project/updated"
            | "thread/environment/connected"
            | "thread/environment/disconnected"
            | "project/changed"
            | "turn/diff/updated"
            | "turn/moderationMetadata"
            | "hook/started"
            | "hook/completed"
            | "skills/changed"
            | "app/list/updated"
            | "remoteControl/status/changed"
            | "account/updated"
            | "account/gatewayOAuth/changed"
            | "rawResponseItem/completed"
            | "rawResponse/completed"
            | "model/verification"
            | "model/safetyBuffering/updated"
            | "modelProvider/authRecoveryStarted"
            | "modelProvider/authRecoveryCompleted"
            | "mcpServer/oauthLogin/completed"
            | "fs/changed" => {}
            _ => return None,
        }
        Some(())
    }

    /// A tool of a server is used although the turn may only read: the fence has a hole that nobody knew of.
    fn hold_back(&mut self, params: &Value, out: &mut Out) {
        let server = string(params, "/item/server");
        // Its own, which lists what there is.
        if string(params, "/item/type") != "mcpToolCall" || server == "codex" {
            return;
        }
        let told = format!(
            "The turn was stopped: it may only read, and used a tool of the MCP server {server}, of which \
             nobody knows whether it writes."
        );
        self.items.tell(&told, out);
        self.interrupt(out);
    }

    fn verdict(&self, turn: &Value, now_ms: u64) -> Result<(), Failure> {
        match string(turn, "/status") {
            "completed" => Ok(()),
            "interrupted" => Err(fail(FailureKind::Interrupted, "The turn was stopped.")),
            _ => {
                let info = turn.pointer("/error/codexErrorInfo").unwrap_or(&Value::Null);
                let message = string(turn, "/error/message");
                Err(ending::failure(message, info, Some((&self.limits, now_ms))))
            }
        }
    }

    fn tokens(&mut self, told: &Value, out: &mut Out) {
        let total = number(told, "/total/totalTokens");
        // A turn that was stopped, or an attempt that failed, repeats what was told before.
        let is_new = total != std::mem::replace(&mut self.total, total);
        if is_new {
            self.items.answered_whole();
        }
        if let Some(turn) = self.turn.as_mut().filter(|_| is_new) {
            let last = |field: &str| number(told, &format!("/last/{field}"));
            let told = Usage {
                input_tokens: last("inputTokens"),
                cached_tokens: last("cachedInputTokens"),
                output_tokens: last("outputTokens"),
                cost_usd: None,
            };
            turn.usage = maestro_core::usage::sum(&turn.usage, &told);
            out.events.push(Event::Usage(turn.usage));
        }
        out.events.push(Event::Context(Context {
            used: number(told, "/last/totalTokens"),
            window: told.get("modelContextWindow").and_then(Value::as_u64),
        }));
    }

    /// The program asks us.
    fn request(
        &mut self,
        method: &str,
        id: &Value,
        params: &Value,
        now_ms: u64,
        out: &mut Out,
    ) -> Option<()> {
        let item = string(params, "/itemId");
        let asked = Asked::new(method, id, params, self.items.changes(item));
        let Some(asked) = asked else {
            let error = json!({ "code": -32601, "message": "not supported" });
            out.lines.push(json!({ "id": id, "error": error }).to_string());
            return None;
        };
        let changes_only_here = asked.changes_only_within(&self.directory);
        match self.policy_now() {
            // Its sandbox asks nobody; whatever asks all the same wants more than to read.
            Policy::ReadOnly if !asked.is_question() => out.lines.push(asked.decline()),
            Policy::AcceptEdits if changes_only_here => out.lines.push(asked.accept()),
            _ => {
                out.events.push(Event::Request(asked.request(params, &self.directory, now_ms)));
                let _ = self.asked.insert(id.to_string(), asked);
            }
        }
        Some(())
    }
}

/// When Codex asks. Files and commands are asked about with `untrusted` only; with `on-request` it
/// changes what its sandbox lets it change. Which changes are accepted unseen is decided here.
fn approval(policy: Policy) -> &'static str {
    match policy {
        Policy::Ask | Policy::AcceptEdits => "untrusted",
        Policy::ReadOnly | Policy::Bypass => "never",
    }
}

fn model(told: &Value) -> Model {
    let efforts = array(told, "/supportedReasoningEfforts").iter();
    Model {
        id: text::sentence(string(told, "/model")),
        name: text::sentence(string(told, "/displayName")),
        efforts: efforts.map(|effort| text::sentence(string(effort, "/reasoningEffort"))).collect(),
    }
}

impl Dialect for Codex {
    fn begin(&mut self, _now_ms: u64, out: &mut Out) {
        let params = json!({
            "clientInfo": {
                "name": "maestro", "title": "Maestro", "version": env!("CARGO_PKG_VERSION"),
            },
            "capabilities": {
                "experimentalApi": false,
                "requestAttestation": false,
                // The whole change of the whole turn, again with every step of it.
                "optOutNotificationMethods": ["turn/diff/updated"],
            },
        });
        self.call(Call::Initialize, "initialize", &params, out);
    }

    fn order(&mut self, order: Order, _now_ms: u64, out: &mut Out) -> Result<Taken, Failure> {
        match order {
            Order::Say(prompt) => {
                if let Thread::Failed(failure) = &self.thread {
                    return Err(failure.clone());
                }
                for image in &prompt.images {
                    if !image.path.is_file() {
                        return Err(fail(
                            FailureKind::Unusable,
                            format!("{} is no file; attach it again.", image.path.display()),
                        ));
                    }
                }
                if prompt.read_only && self.fence.is_crossed(true) {
                    return Ok(Taken::Restart);
                }
                self.turns += 1;
                self.raw_lines = 0;
                self.items.begin_turn(self.turns);
                let usage = Usage::default();
                self.turn = Some(Turn { prompt, id: None, stop: false, usage });
                self.start_turn(out);
            }
            Order::Interrupt => self.interrupt(out),
            Order::Answer { request, answer } => {
                let asked = self.asked.get(&request).ok_or_else(|| {
                    fail(FailureKind::Other, "That question needs no answer any more.")
                })?;
                let (line, said) = asked.answer(&answer)?;
                let call = asked.call().to_owned();
                let _ = self.asked.remove(&request);
                out.lines.push(line);
                self.items.answered(&call, &answer);
                // A refusal has no place for its reason: it is said to the turn.
                let id = self.turn.as_ref().and_then(|turn| turn.id.clone());
                if let (Some(said), Some(turn), Thread::Ready(thread)) = (said, id, &self.thread) {
                    let input = json!([{ "type": "text", "text": said, "text_elements": [] }]);
                    let params =
                        json!({ "threadId": thread, "expectedTurnId": turn, "input": input });
                    self.call(Call::Other, "turn/steer", &params, out);
                }
            }
            Order::Policy(policy) => {
                if self.outlasts(policy) || self.fence.is_crossed(policy == Policy::ReadOnly) {
                    if self.outlasts(policy) {
                        // Until it is stopped it gets nothing that it asks for.
                        self.policy = policy;
                    }
                    return Ok(Taken::Restart);
                }
                self.policy = policy;
                out.events.push(Event::Policy(policy));
            }
            Order::Model(None) if self.model.is_some() => return Ok(Taken::Restart),
            Order::Effort(None) if self.effort.is_some() => return Ok(Taken::Restart),
            Order::Model(model) => self.model = checked(model.as_deref())?.map(str::to_owned),
            Order::Effort(effort) => self.effort = checked(effort.as_deref())?.map(str::to_owned),
        }
        Ok(Taken::Now)
    }

    fn line(&mut self, line: &str, now_ms: u64, out: &mut Out) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let value = serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
        if value.and_then(|value| self.message(&value, now_ms, out)).is_some() {
            return;
        }
        self.raw_lines = self.raw_lines.saturating_add(1);
        match self.raw_lines {
            ..RAW_LINES => self.items.raw(line, out),
            RAW_LINES => self.items.tell(
                "Codex prints lines that Maestro does not understand; further ones are left out.",
                out,
            ),
            _ => {}
        }
    }

    fn gone(&mut self, exit: &Exit, now_ms: u64, out: &mut Out) {
        let failure = broken_off(Provider::Codex, exit, matches!(self.thread, Thread::Ready(_)));
        self.end(Err(failure), now_ms, out);
    }
}
