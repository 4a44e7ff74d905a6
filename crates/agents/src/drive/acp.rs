//! The Agent Client Protocol, version 1: JSON-RPC, one object a line, as OpenCode 1.18, Copilot CLI 1.0,
//! Gemini CLI 0.61 and the demo agent speak it (<https://agentclientprotocol.com>).
//!
//! Messages are read field by field out of JSON and not through the protocol's own types: every agent
//! bends or extends the protocol, and one unknown word must cost a line and not the conversation.
//!
//! What an agent may do is decided twice: by the agent, which is started so that it asks, and here, where
//! a request is answered by the policy before anybody is bothered with it.

mod asking;
mod calls;
mod failure;
mod launch;
mod menu;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use maestro_core::agent::Provider;
use maestro_core::conversation::{
    Answer, Ask, Body, Context, Event, Part, Policy, Prompt, Request, TEXT_LIMIT, Todo, TodoState,
};
use maestro_core::turn::{Failure, FailureKind, Outcome, Usage};
use serde_json::{Value, json};

use self::asking::{Need, Options, Pending, What};
use self::calls::Calls;
use self::menu::{By, Choices};
use super::{Dialect, Launch, Order, Out, Taken, image, parts};
use crate::stream::{Exit, array, fail, number, string, text};

pub(super) use launch::command;
pub(crate) use launch::opencode_config;

/// Lines that are not understood and reported; the rest of a flood is left out.
const RAW_LINES: u32 = 500;

/// Bytes of an image: the protocol has no limit, the services behind it have about this one.
const IMAGE: usize = 3750 << 10;

/// Requests of an agent that wait at the same time; more are refused.
const ASKED: usize = 100;

/// One conversation.
#[derive(Debug)]
pub(super) struct Acp {
    provider: Provider,
    directory: PathBuf,
    resume: Option<String>,
    /// What holds between turns.
    policy: Policy,
    /// What it was started with.
    launched: Policy,
    /// What is to be chosen when the session is open.
    model: Option<String>,
    effort: Option<String>,
    phase: Phase,
    able: Able,
    choices: Choices,
    session: Option<String>,
    /// Requests of ours, numbered, and what those were about that are not answered.
    requests: u64,
    waiting: HashMap<u64, Ours>,
    /// Requests of the agent, by our names for them.
    asked: BTreeMap<String, Pending>,
    asks: u64,
    /// Why something that was chosen does not hold: no turn may begin over that.
    problem: Option<Failure>,
    turn: Option<Turn>,
    turns: u64,
    /// The part of an answer that is being told.
    block: Option<Block>,
    blocks: u64,
    calls: Calls,
    doing: String,
    /// What the session has cost so far, where that is known.
    cost: Option<f64>,
    /// What the session has consumed, for an agent that tells that and not the turn's.
    counted: Usage,
    raw_lines: u32,
    /// Whether the last line broke off.
    broken: bool,
}

/// How far a conversation is.
#[derive(Debug)]
enum Phase {
    /// Its session is being opened. What an agent tells of its past then is left out: the transcript has it.
    Opening,
    Open,
    /// There is no session to talk in.
    Failed(Failure),
}

/// What an agent can do.
#[derive(Debug, Default)]
struct Able {
    images: bool,
    load: bool,
    resume: bool,
    /// Whether it reads why something was refused.
    reasons: bool,
    /// How its user logs in.
    login: Option<String>,
}

/// A request of ours.
#[derive(Debug, Clone, PartialEq)]
enum Ours {
    Initialize,
    Open,
    /// Its answer comes after everything that the opening made an agent tell.
    Barrier(Policy),
    Prompt,
    Mode(Policy),
    Model,
    Effort,
}

/// A turn that has not ended.
#[derive(Debug)]
struct Turn {
    /// What is to be said as soon as it can be; what is said is not kept.
    prompt: Option<Value>,
    /// Whether the agent works on it.
    sent: bool,
    /// Only this turn is held to reading.
    read_only: bool,
    interrupted: bool,
    /// Why things were refused, for an agent that cannot be told with the refusal.
    reasons: Vec<String>,
    usage: Usage,
    cost_before: Option<f64>,
    /// The last text of the answer.
    text: String,
}

/// A text that grows.
#[derive(Debug)]
struct Block {
    part: Part,
    key: String,
    message: Option<String>,
    text: String,
    /// The last piece of it.
    last: String,
}

impl Acp {
    pub fn new(launch: &Launch) -> Self {
        Self {
            provider: launch.detected.provider,
            directory: launch.directory.clone(),
            resume: launch.resume.clone(),
            policy: launch.policy,
            launched: launch.policy,
            model: launch.model.clone(),
            effort: launch.effort.clone(),
            phase: Phase::Opening,
            able: Able::default(),
            choices: Choices::default(),
            session: launch.resume.clone(),
            requests: 0,
            waiting: HashMap::new(),
            asked: BTreeMap::new(),
            asks: 0,
            problem: None,
            turn: None,
            turns: 0,
            block: None,
            blocks: 0,
            calls: Calls::default(),
            doing: String::new(),
            // A session that goes on has cost something before.
            cost: launch.resume.is_none().then_some(0.0),
            counted: Usage::default(),
            raw_lines: 0,
            broken: false,
        }
    }

    fn title(&self) -> &'static str {
        self.provider.title()
    }

    fn request(&mut self, ours: Ours, method: &str, params: &Value, out: &mut Out) {
        self.requests += 1;
        let _ = self.waiting.insert(self.requests, ours);
        let id = self.requests;
        out.lines.push(
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string(),
        );
    }

    /// A request about the session that is open.
    fn request_in(&mut self, ours: Ours, method: &str, mut params: Value, out: &mut Out) {
        params["sessionId"] = self.session.clone().into();
        self.request(ours, method, &params, out);
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.turns)
    }

    // What we ask for, and what comes of it.

    fn answered(&mut self, id: &Value, message: &Value, now_ms: u64, out: &mut Out) -> bool {
        let Some(ours) = id.as_u64().and_then(|id| self.waiting.remove(&id)) else { return false };
        let opening = ours == Ours::Open && self.resume.is_some();
        let result = match message.get("error").filter(|error| !error.is_null()) {
            Some(error) => {
                let login = self.able.login.as_deref();
                Err(failure::of(self.provider, error, opening, login))
            }
            None => Ok(message.get("result").unwrap_or(&Value::Null)),
        };
        match (ours, result) {
            (Ours::Initialize, Ok(result)) => self.introduced(result, now_ms, out),
            (Ours::Open, Ok(result)) => self.opened(result, out),
            (Ours::Initialize | Ours::Open, Err(failure)) => self.cannot_open(failure, now_ms, out),
            (Ours::Prompt, result) => self.prompt_ended(result, now_ms, out),
            (Ours::Mode(policy), Ok(_)) => {
                if self.turn.as_ref().is_none_or(|turn| !turn.read_only) {
                    out.events.push(Event::Policy(policy));
                }
            }
            (Ours::Model | Ours::Effort, Ok(result)) => {
                if result.get("configOptions").is_some() {
                    self.choices.read(result);
                    out.events.push(Event::Menu(self.choices.menu()));
                }
            }
            (Ours::Barrier(policy), Ok(_)) => {
                self.choices.mode = menu::mode_of(self.provider, policy).map(str::to_owned);
                self.begin_session(out);
            }
            (Ours::Barrier(_), Err(failure)) => {
                self.problem = Some(failure);
                self.begin_session(out);
            }
            (Ours::Mode(_), Err(failure)) => {
                // Whatever it is in now, it has to be told again before a turn.
                self.choices.mode = None;
                let _ = self.problem.get_or_insert(failure);
            }
            (Ours::Model | Ours::Effort, Err(failure)) => {
                let _ = self.problem.get_or_insert(failure);
            }
        }
        self.proceed(now_ms, out);
        true
    }

    fn introduced(&mut self, result: &Value, now_ms: u64, out: &mut Out) {
        let is = |pointer: &str| {
            let value = result.pointer(pointer);
            value.is_some_and(|value| !value.is_null() && value != &Value::Bool(false))
        };
        self.able = Able {
            images: is("/agentCapabilities/promptCapabilities/image"),
            load: is("/agentCapabilities/loadSession"),
            resume: is("/agentCapabilities/sessionCapabilities/resume"),
            reasons: is("/agentCapabilities/_meta/maestro/reason"),
            login: login(array(result, "/authMethods")),
        };
        let mut params = json!({ "cwd": self.directory.to_string_lossy(), "mcpServers": [] });
        let method = match &self.resume {
            None => "session/new",
            Some(session) => {
                params["sessionId"] = session.clone().into();
                // Resuming tells nothing of the past, which is what we want of loading, too.
                match (self.able.resume, self.able.load) {
                    (true, _) => "session/resume",
                    (false, true) => "session/load",
                    (false, false) => {
                        let message = format!("{} cannot go on with a session here.", self.title());
                        let failure = fail(FailureKind::Unusable, message);
                        return self.cannot_open(failure, now_ms, out);
                    }
                }
            }
        };
        self.request(Ours::Open, method, &params, out);
    }

    fn opened(&mut self, result: &Value, out: &mut Out) {
        let id = string(result, "/sessionId");
        if !id.is_empty() {
            self.session = Some(id.to_owned());
        }
        self.choices.read(result);
        // Gemini CLI answers first and tells the past then; what it is asked meanwhile waits for that.
        if self.resume.is_some() && self.provider == Provider::Gemini {
            let policy = self.policy_now();
            let params = json!({ "modeId": menu::mode_of(self.provider, policy) });
            return self.request_in(Ours::Barrier(policy), "session/set_mode", params, out);
        }
        self.begin_session(out);
    }

    /// From here on everything that is told belongs to what is said here.
    fn begin_session(&mut self, out: &mut Out) {
        self.phase = Phase::Open;
        self.block = None;
        self.calls = Calls::default();
        self.tell_session(out);
        out.events.push(Event::Menu(self.choices.menu()));
        let policy = self.policy_now();
        self.set_mode(policy, out);
        if let Some(model) = self.model.clone()
            && self.choices.model.as_ref() != Some(&model)
        {
            let _ = self.set_model(&model, out);
        }
        if let Some(effort) = self.effort.clone()
            && self.choices.effort.as_ref() != Some(&effort)
        {
            let _ = self.set_effort(&effort, out);
        }
    }

    fn tell_session(&self, out: &mut Out) {
        if let Some(id) = &self.session {
            let model = self.choices.model.clone();
            out.events.push(Event::Session { id: id.clone(), model });
        }
    }

    fn cannot_open(&mut self, failure: Failure, now_ms: u64, out: &mut Out) {
        self.phase = Phase::Failed(failure.clone());
        if self.turn.is_some() {
            self.end(Err(failure), now_ms, out);
        }
    }

    /// Makes the agent's own mode fit a policy, where it has modes for that.
    fn set_mode(&mut self, policy: Policy, out: &mut Out) {
        let Some(mode) = menu::mode_of(self.provider, policy) else { return };
        if self.choices.mode.as_deref() == Some(mode) {
            return;
        }
        if !self.choices.has_mode(mode) && policy != Policy::ReadOnly {
            // What it has then is more careful, and asks.
            return;
        }
        self.choices.mode = Some(mode.to_owned());
        let params = json!({ "modeId": mode });
        self.request_in(Ours::Mode(policy), "session/set_mode", params, out);
    }

    fn set_model(&mut self, model: &str, out: &mut Out) -> Taken {
        let (method, params) = match self.choices.model_by.clone() {
            Some(By::Option(id)) => {
                ("session/set_config_option", json!({ "configId": id, "value": model }))
            }
            Some(By::Model) => ("session/set_model", json!({ "modelId": model })),
            None => return Taken::Restart,
        };
        self.choices.model = Some(model.to_owned());
        self.request_in(Ours::Model, method, params, out);
        self.tell_session(out);
        Taken::Now
    }

    fn set_effort(&mut self, effort: &str, out: &mut Out) -> Taken {
        let Some(By::Option(id)) = self.choices.effort_by.clone() else { return Taken::Restart };
        self.choices.effort = Some(effort.to_owned());
        let params = json!({ "configId": id, "value": effort });
        self.request_in(Ours::Effort, "session/set_config_option", params, out);
        Taken::Now
    }

    /// Says what is to be said, once everything is as it was chosen.
    fn proceed(&mut self, now_ms: u64, out: &mut Out) {
        let settled = matches!(self.phase, Phase::Open) && self.waiting.is_empty();
        let Some(turn) = self.turn.as_mut().filter(|turn| settled && turn.prompt.is_some()) else {
            return;
        };
        if let Some(problem) = self.problem.take() {
            return self.end(Err(problem), now_ms, out);
        }
        let Some(prompt) = turn.prompt.take() else { return };
        turn.sent = true;
        if !self.able.images && array(&prompt, "").iter().any(|block| block["type"] == "image") {
            let message = format!("{} takes no images; name their files instead.", self.title());
            return self.end(Err(fail(FailureKind::Unusable, message)), now_ms, out);
        }
        self.request_in(Ours::Prompt, "session/prompt", json!({ "prompt": prompt }), out);
    }

    fn say(&mut self, prompt: &Prompt, out: &mut Out, now_ms: u64) -> Result<Taken, Failure> {
        if let Phase::Failed(failure) = &self.phase {
            return Err(failure.clone());
        }
        if self.turn.is_some() {
            return Err(fail(FailureKind::Other, "A turn is still running in this conversation."));
        }
        if prompt.read_only
            && launch::is_decided_at_start(self.provider, self.launched, Policy::ReadOnly)
        {
            return Ok(Taken::Restart);
        }
        let blocks = blocks(prompt)?;
        self.turns += 1;
        self.blocks = 0;
        self.turn = Some(Turn {
            prompt: Some(blocks),
            sent: false,
            read_only: prompt.read_only,
            interrupted: false,
            reasons: Vec::new(),
            usage: Usage::default(),
            cost_before: self.cost,
            text: String::new(),
        });
        if matches!(self.phase, Phase::Open) {
            let policy = self.policy_now();
            self.set_mode(policy, out);
        }
        self.proceed(now_ms, out);
        Ok(Taken::Now)
    }

    /// What holds in the turn that is open, or between turns.
    fn policy_now(&self) -> Policy {
        match &self.turn {
            Some(turn) if turn.read_only => Policy::ReadOnly,
            _ => self.policy,
        }
    }

    fn interrupt(&mut self, now_ms: u64, out: &mut Out) {
        let Some(turn) = &mut self.turn else { return };
        turn.interrupted = true;
        let sent = turn.sent;
        self.withdraw(out);
        if sent {
            let params = json!({ "sessionId": self.session });
            let line = json!({ "jsonrpc": "2.0", "method": "session/cancel", "params": params });
            out.lines.push(line.to_string());
        } else {
            self.end(Err(stopped()), now_ms, out);
        }
    }

    /// Nobody answers any more what is asked.
    fn withdraw(&mut self, out: &mut Out) {
        for (name, pending) in std::mem::take(&mut self.asked) {
            let nothing = match pending.what {
                What::Permission { .. } => json!({ "outcome": { "outcome": "cancelled" } }),
                What::Form(_) => json!({ "action": "cancel" }),
            };
            reply(&pending.id, nothing, out);
            out.events.push(Event::RequestGone { id: name });
        }
    }

    fn prompt_ended(&mut self, result: Result<&Value, Failure>, now_ms: u64, out: &mut Out) {
        let Some(turn) = &mut self.turn else { return };
        if let Ok(result) = &result {
            let mut usage = usage(result);
            if self.provider == Provider::Copilot {
                // It counts the whole session.
                let before = std::mem::replace(&mut self.counted, usage);
                usage.input_tokens = usage.input_tokens.saturating_sub(before.input_tokens);
                usage.cached_tokens = usage.cached_tokens.saturating_sub(before.cached_tokens);
                usage.output_tokens = usage.output_tokens.saturating_sub(before.output_tokens);
            }
            turn.usage.input_tokens += usage.input_tokens;
            turn.usage.cached_tokens += usage.cached_tokens;
            turn.usage.output_tokens += usage.output_tokens;
        }
        let told = self.block.as_ref().map_or("", |block| block.last.as_str());
        let own = failure::own_words(self.provider, told).filter(|_| turn.usage.output_tokens == 0);
        let reason = result.as_ref().map_or("", |result| string(result, "/stopReason")).to_owned();
        // Why something was refused is said in the same turn: the agent that was refused reads it next.
        if !turn.interrupted
            && !turn.reasons.is_empty()
            && matches!(reason.as_str(), "end_turn" | "cancelled" | "refusal")
        {
            let why = std::mem::take(&mut turn.reasons).join("\n");
            let prompt = json!([{ "type": "text", "text": why }]);
            self.close_block(out);
            return self.request_in(
                Ours::Prompt,
                "session/prompt",
                json!({ "prompt": prompt }),
                out,
            );
        }
        let interrupted = turn.interrupted;
        let result = match (result.map(|_| ()), reason.as_str()) {
            // Some say that a turn ended by itself which was stopped before it had begun in earnest.
            _ if interrupted => Err(stopped()),
            (Err(failure), _) => Err(failure),
            (Ok(()), "cancelled") => Err(stopped()),
            (Ok(()), "max_tokens") => Err(fail(
                FailureKind::Other,
                "The answer is as long as the model may make one; ask it to go on.",
            )),
            (Ok(()), "max_turn_requests") => Err(fail(
                FailureKind::Other,
                "The agent asked its model as often as one turn allows; tell it to go on.",
            )),
            (Ok(()), "refusal") => {
                Err(fail(FailureKind::Other, "The model refused to answer; say it in another way."))
            }
            (Ok(()), _) => own.map_or(Ok(()), Err),
        };
        self.end(result, now_ms, out);
    }

    /// The turn is over.
    fn end(&mut self, result: Result<(), Failure>, now_ms: u64, out: &mut Out) {
        self.close_block(out);
        let turns = self.turns;
        let cut = self.calls.finish(|id| format!("{turns}.call.{id}"), now_ms);
        out.events.extend(cut);
        self.withdraw(out);
        let Some(mut turn) = self.turn.take() else { return };
        turn.usage.cost_usd = match (turn.cost_before, self.cost) {
            (Some(before), Some(now)) if now > before => Some(now - before),
            _ => None,
        };
        self.doing.clear();
        if turn.usage != Usage::default() {
            out.events.push(Event::Usage(turn.usage));
        }
        out.events.push(Event::Ended(Outcome {
            session: self.session.clone(),
            text: turn.text,
            usage: turn.usage,
            result,
        }));
        if turn.read_only && matches!(self.phase, Phase::Open) {
            let policy = self.policy;
            self.set_mode(policy, out);
        }
    }

    // What it asks for.

    fn asked_for(
        &mut self,
        method: &str,
        id: &Value,
        params: &Value,
        line: &str,
        now_ms: u64,
        out: &mut Out,
    ) {
        match method {
            "session/request_permission" => self.permission(id, params, now_ms, out),
            "elicitation/create" => match asking::form(params) {
                Some((fields, questions)) if self.asked.len() < ASKED => {
                    let call = Some(string(params, "/toolCallId")).filter(|call| !call.is_empty());
                    let pending = Pending { id: id.clone(), what: What::Form(fields) };
                    let ask = Ask::Questions(questions);
                    self.wait_for(pending, call, ask, String::new(), None, now_ms, out);
                }
                _ => reply(id, json!({ "action": "decline" }), out),
            },
            // We said that we have no files and no terminals for it. OpenCode asks all the same, and does
            // well without.
            "fs/write_text_file" | "fs/read_text_file" => refuse(id, out),
            _ => {
                refuse(id, out);
                if !method.starts_with("terminal/") {
                    self.raw(line, out);
                }
            }
        }
    }

    fn permission(&mut self, id: &Value, params: &Value, now_ms: u64, out: &mut Out) {
        let call = &params["toolCall"];
        let name = string(call, "/toolCallId").to_owned();
        self.close_block(out);
        let (turns, directory) = (self.turns, self.directory.clone());
        let key = |id: &str| format!("{turns}.call.{id}");
        // What is asked about may be said in other words than the call itself, which is known better.
        let mut known = call.clone();
        if self.calls.get(&name).is_some_and(|tool| !tool.input.is_empty())
            && let Some(known) = known.as_object_mut()
        {
            let _ = (known.remove("rawInput"), known.remove("title"));
        }
        // Words beside a request are about the request, and no output.
        if let Some(content) = known.get_mut("content").and_then(Value::as_array_mut) {
            content.retain(|part| string(part, "/type") == "diff");
        }
        out.events.extend(self.calls.read(&known, &directory, key, now_ms));
        let options = Options::read(params);
        let need = Need::of(call, &directory);
        let refused = self.asked.len() >= ASKED;
        if self.turn.as_ref().is_none_or(|turn| turn.interrupted) {
            return reply(id, json!({ "outcome": { "outcome": "cancelled" } }), out);
        }
        match asking::decided(self.policy_now(), need) {
            Some(true) => reply(id, selected(&options, &Answer::Once), out),
            decided if decided == Some(false) || refused => {
                reply(id, selected(&options, &Answer::Deny(String::new())), out);
                out.events.extend(self.calls.deny(&name, key(&name), now_ms));
            }
            _ => {
                let tool = self.calls.get(&name).map_or("", |tool| tool.name.as_str()).to_owned();
                let (ask, why) = asking::ask(call, self.calls.changes(&name), &tool, &directory);
                let always = options.always().map(str::to_owned);
                let what = What::Permission { call: name.clone(), options, need };
                let pending = Pending { id: id.clone(), what };
                let call = Some(name.as_str()).filter(|name| !name.is_empty());
                self.wait_for(pending, call, ask, why, always, now_ms, out);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the request's fields")]
    fn wait_for(
        &mut self,
        pending: Pending,
        call: Option<&str>,
        ask: Ask,
        why: String,
        always: Option<String>,
        asked_ms: u64,
        out: &mut Out,
    ) {
        self.asks += 1;
        // Of another process of the same tab's, too, there may be one with this number.
        let id = format!("r{asked_ms}.{}", self.asks);
        let _ = self.asked.insert(id.clone(), pending);
        let call = call.map(str::to_owned);
        out.events.push(Event::Request(Request { id, call, ask, why, always, asked_ms }));
    }

    fn answer(
        &mut self,
        request: &str,
        answer: &Answer,
        now_ms: u64,
        out: &mut Out,
    ) -> Result<Taken, Failure> {
        let Some(pending) = self.asked.remove(request) else {
            return Err(fail(FailureKind::Other, "This is not asked any more."));
        };
        match &pending.what {
            What::Form(fields) => reply(&pending.id, asking::filled_in(fields, answer), out),
            What::Permission { call, options, .. } => {
                let mut result = selected(options, answer);
                if !matches!(answer, Answer::Once | Answer::Always) {
                    let why = if let Answer::Deny(why) = answer { why.as_str() } else { "" };
                    let key = self.key(&format!("call.{call}"));
                    out.events.extend(self.calls.deny(call, key, now_ms));
                    let why = why.trim();
                    if self.able.reasons {
                        result["_meta"] = json!({ "maestro": { "reason": why } });
                    } else if !why.is_empty()
                        && let Some(turn) = &mut self.turn
                    {
                        turn.reasons.push(why.to_owned());
                    }
                }
                reply(&pending.id, result, out);
            }
        }
        Ok(Taken::Now)
    }

    fn set_policy(&mut self, policy: Policy, now_ms: u64, out: &mut Out) -> Taken {
        if launch::is_decided_at_start(self.provider, self.launched, policy) {
            return Taken::Restart;
        }
        self.policy = policy;
        if matches!(self.phase, Phase::Open) {
            let now = self.policy_now();
            self.set_mode(now, out);
        }
        out.events.push(Event::Policy(policy));
        self.decide_again(now_ms, out);
        Taken::Now
    }

    /// What waits for an answer that the policy now gives has it.
    fn decide_again(&mut self, now_ms: u64, out: &mut Out) {
        let policy = self.policy_now();
        let decided: Vec<(String, bool)> = self
            .asked
            .iter()
            .filter_map(|(name, pending)| match &pending.what {
                What::Permission { need, .. } => {
                    Some((name.clone(), asking::decided(policy, *need)?))
                }
                What::Form(_) => None,
            })
            .collect();
        for (name, allowed) in decided {
            let answer = if allowed { Answer::Once } else { Answer::Deny(String::new()) };
            if self.answer(&name, &answer, now_ms, out).is_ok() {
                out.events.push(Event::RequestGone { id: name });
            }
        }
    }

    // What it tells.

    fn told(&mut self, method: &str, params: &Value, line: &str, now_ms: u64, out: &mut Out) {
        match method {
            "session/update" => {
                let ours = string(params, "/sessionId");
                let is_ours = self.session.as_deref().is_none_or(|session| session == ours);
                let update = &params["update"];
                if !is_ours || !self.update(update, now_ms, out) {
                    self.raw(line, out);
                }
            }
            "$/cancel_request" => {
                let id = params.get("requestId").or_else(|| params.get("id"));
                let gone = self.asked.iter().find(|(_, pending)| Some(&pending.id) == id);
                if let Some(name) = gone.map(|(name, _)| name.clone()) {
                    let _ = self.asked.remove(&name);
                    out.events.push(Event::RequestGone { id: name });
                }
            }
            "_maestro/retrying" => out.events.push(Event::Retrying {
                because: text::sentence(string(params, "/because")),
                until_ms: params.get("untilMs").and_then(Value::as_u64),
                attempt: params
                    .get("attempt")
                    .and_then(Value::as_u64)
                    .and_then(|attempt| u32::try_from(attempt).ok()),
            }),
            "_maestro/limit" => out.events.push(Event::Limit {
                resets_ms: params.get("resetsMs").and_then(Value::as_u64),
                percent: u8::try_from(number(params, "/percent")).ok(),
                name: text::sentence(string(params, "/name")),
            }),
            // Over, and told by the answer to the request.
            "elicitation/complete" => {}
            _ => self.raw(line, out),
        }
    }

    /// Reads an update; `false` when it is none that is known.
    fn update(&mut self, update: &Value, now_ms: u64, out: &mut Out) -> bool {
        let kind = string(update, "/sessionUpdate");
        if matches!(self.phase, Phase::Opening)
            && matches!(
                kind,
                "user_message_chunk"
                    | "agent_message_chunk"
                    | "agent_thought_chunk"
                    | "tool_call"
                    | "tool_call_update"
                    | "plan"
            )
        {
            return true;
        }
        match kind {
            // What we said ourselves.
            "user_message_chunk" => {}
            "agent_message_chunk" => self.chunk(Part::Text, update, out),
            "agent_thought_chunk" => self.chunk(Part::Thinking, update, out),
            "tool_call" | "tool_call_update" => {
                self.close_block(out);
                let (turns, directory) = (self.turns, self.directory.clone());
                let key = |id: &str| format!("{turns}.call.{id}");
                out.events.extend(self.calls.read(update, &directory, key, now_ms));
                let id = string(update, "/toolCallId");
                let title = self.calls.get(id).map(|tool| tool.title.clone());
                if let Some(title) = title.filter(|_| !id.is_empty()) {
                    self.does(&title, out);
                }
            }
            "plan" => {
                self.close_block(out);
                let list = array(update, "/entries").iter().filter_map(todo).take(1000).collect();
                let key = self.key("plan");
                out.events.push(Event::Item { key, open: false, body: Body::Todo(list) });
            }
            "available_commands_update" => {
                self.choices.read_commands(update);
                out.events.push(Event::Menu(self.choices.menu()));
            }
            "current_mode_update" => {
                self.entered(string(update, "/currentModeId"), out);
            }
            "config_option_update" => {
                let model = self.choices.model.clone();
                self.choices.read(update);
                if self.choices.model != model {
                    self.tell_session(out);
                }
                out.events.push(Event::Menu(self.choices.menu()));
            }
            "session_info_update" => {
                let title = text::sentence(string(update, "/title"));
                if !title.is_empty() {
                    out.events.push(Event::Title(title));
                }
            }
            "usage_update" => self.used(update, out),
            _ => return false,
        }
        true
    }

    /// The agent is in this mode now.
    fn entered(&mut self, mode: &str, out: &mut Out) {
        self.choices.mode = Some(mode.to_owned());
        // Several policies may share a mode: then it is the one that was asked for.
        let expected = menu::mode_of(self.provider, self.policy_now());
        if expected != Some(mode)
            && self.turn.as_ref().is_none_or(|turn| !turn.read_only)
            && let Some(policy) = menu::policy_of(self.provider, mode)
        {
            self.policy = policy;
            out.events.push(Event::Policy(policy));
        }
    }

    fn used(&mut self, update: &Value, out: &mut Out) {
        if let Some(cost) = update.pointer("/cost/amount").and_then(Value::as_f64)
            && string(update, "/cost/currency") == "USD"
            && cost.is_finite()
        {
            self.cost = Some(cost);
        }
        // After a turn that was stopped some say that nothing is in it, which is not so.
        let used = number(update, "/used");
        if used > 0 {
            let window = Some(number(update, "/size")).filter(|window| *window > 0);
            out.events.push(Event::Context(Context { used, window }));
        }
    }

    fn chunk(&mut self, part: Part, update: &Value, out: &mut Out) {
        let content = &update["content"];
        let words = match string(content, "/type") {
            "text" => string(content, "/text").to_owned(),
            "resource_link" => {
                format!("[{}]({})", string(content, "/name"), string(content, "/uri"))
            }
            "resource" => string(content, "/resource/text").to_owned(),
            kind => format!("*({kind}: {})*", string(content, "/mimeType")),
        };
        if words.is_empty() {
            return;
        }
        // Gemini CLI says it among its answers.
        if self.provider == Provider::Gemini
            && let Some(mode) = words.strip_prefix("[MODE_UPDATE] ")
        {
            return self.entered(mode.trim(), out);
        }
        if part == Part::Text && failure::is_retry(self.provider, &words) {
            let because = "the model's service failed".to_owned();
            return out.events.push(Event::Retrying { because, until_ms: None, attempt: None });
        }
        let message = Some(string(update, "/messageId")).filter(|id| !id.is_empty());
        let goes_on = self
            .block
            .as_ref()
            .is_some_and(|block| block.part == part && block.message.as_deref() == message);
        if !goes_on {
            self.close_block(out);
            self.blocks += 1;
            let key = self.key(&self.blocks.to_string());
            let message = message.map(str::to_owned);
            self.block =
                Some(Block { part, key, message, text: String::new(), last: String::new() });
            self.does(if part == Part::Thinking { "thinking" } else { "answering" }, out);
        }
        if let Some(block) = &mut self.block {
            if block.text.len() <= TEXT_LIMIT {
                block.text.push_str(&words);
            }
            block.last.clear();
            block.last.push_str(&words);
            out.events.push(Event::Delta { key: block.key.clone(), part, text: words });
        }
    }

    fn close_block(&mut self, out: &mut Out) {
        let Some(block) = self.block.take() else { return };
        let words = parts::whole(&block.text);
        let body = if block.part == Part::Thinking {
            Body::Thinking(words)
        } else {
            if let Some(turn) = &mut self.turn {
                turn.text = text::bounded(&words, text::ANSWER);
            }
            Body::Text(words)
        };
        out.events.push(Event::Item { key: block.key, open: false, body });
    }

    fn does(&mut self, what: &str, out: &mut Out) {
        if !what.is_empty() && self.doing != what && self.turn.is_some() {
            self.doing = what.to_owned();
            out.events.push(Event::Doing(what.to_owned()));
        }
    }

    fn raw(&mut self, line: &str, out: &mut Out) {
        self.raw_lines = self.raw_lines.saturating_add(1);
        let body = match self.raw_lines {
            ..RAW_LINES => Body::Raw(parts::whole(line)),
            RAW_LINES => Body::Notice(format!(
                "{} prints lines that Maestro does not understand; further ones are left out.",
                self.title()
            )),
            _ => return,
        };
        let key = format!("raw.{}", self.raw_lines);
        out.events.push(Event::Item { key, open: false, body });
    }
}

impl Dialect for Acp {
    fn begin(&mut self, _now_ms: u64, out: &mut Out) {
        let params = json!({
            "protocolVersion": 1,
            "clientInfo": {
                "name": "maestro", "title": "Maestro", "version": env!("CARGO_PKG_VERSION"),
            },
            "clientCapabilities": {
                "fs": { "readTextFile": false, "writeTextFile": false },
                "terminal": false,
                "elicitation": { "form": {} },
            },
        });
        self.request(Ours::Initialize, "initialize", &params, out);
    }

    fn order(&mut self, order: Order, now_ms: u64, out: &mut Out) -> Result<Taken, Failure> {
        match order {
            Order::Say(prompt) => {
                if let Some(problem) = self.problem.take() {
                    return Err(problem);
                }
                self.say(&prompt, out, now_ms)
            }
            Order::Interrupt => {
                self.interrupt(now_ms, out);
                Ok(Taken::Now)
            }
            Order::Answer { request, answer } => self.answer(&request, &answer, now_ms, out),
            Order::Policy(policy) => Ok(self.set_policy(policy, now_ms, out)),
            Order::Model(model) => {
                if !matches!(self.phase, Phase::Open) {
                    self.model = model;
                    return Ok(Taken::Now);
                }
                match model.or_else(|| self.choices.first_model.clone()) {
                    Some(model) => Ok(self.set_model(&model, out)),
                    None => Ok(Taken::Restart),
                }
            }
            Order::Effort(effort) => {
                if !matches!(self.phase, Phase::Open) {
                    self.effort = effort;
                    return Ok(Taken::Now);
                }
                match effort.or_else(|| self.choices.first_effort.clone()) {
                    Some(effort) => Ok(self.set_effort(&effort, out)),
                    None => Ok(Taken::Now),
                }
            }
        }
    }

    fn line(&mut self, line: &str, now_ms: u64, out: &mut Out) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let message = serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
        self.broken = message.is_none() && line.starts_with("{\"");
        let Some(message) = message else { return self.raw(line, out) };
        let params = message.get("params").unwrap_or(&Value::Null);
        let method = message.get("method").and_then(Value::as_str);
        let id = message.get("id").filter(|id| !id.is_null());
        match (method, id) {
            (Some(method), Some(id)) => {
                self.asked_for(method, id, params, line, now_ms, out);
            }
            (Some(method), None) => self.told(method, params, line, now_ms, out),
            (None, Some(id)) => {
                if !self.answered(id, &message, now_ms, out) {
                    self.raw(line, out);
                }
            }
            (None, None) => self.raw(line, out),
        }
    }

    fn gone(&mut self, exit: &Exit, now_ms: u64, out: &mut Out) {
        let why = match &self.turn {
            Some(turn) if turn.interrupted => stopped(),
            _ => failure::gone(self.provider, exit, self.broken),
        };
        self.phase = Phase::Failed(why.clone());
        // There is nobody left to whom anything could be said.
        let mut end = Out::default();
        self.end(Err(why), now_ms, &mut end);
        out.events.append(&mut end.events);
    }
}

fn stopped() -> Failure {
    fail(FailureKind::Interrupted, "The turn was stopped.")
}

fn reply(id: &Value, result: Value, out: &mut Out) {
    out.lines.push(json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string());
}

fn refuse(id: &Value, out: &mut Out) {
    let error = json!({ "code": -32601, "message": "Maestro does not do this." });
    out.lines.push(json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string());
}

/// An answer in the agent's own options; without one that says it, none at all.
fn selected(options: &Options, answer: &Answer) -> Value {
    match options.of(answer) {
        Some(id) => json!({ "outcome": { "outcome": "selected", "optionId": id } }),
        None => json!({ "outcome": { "outcome": "cancelled" } }),
    }
}

/// The blocks of a prompt.
fn blocks(prompt: &Prompt) -> Result<Value, Failure> {
    let mut blocks = Vec::new();
    if !prompt.text.is_empty() || prompt.images.is_empty() {
        blocks.push(json!({ "type": "text", "text": prompt.text }));
    }
    for image in &prompt.images {
        let data = image::base64(image, IMAGE)?;
        blocks.push(json!({ "type": "image", "mimeType": image.media, "data": data }));
    }
    Ok(Value::Array(blocks))
}

/// How its user logs in, in words: the first way that says something.
fn login(methods: &[Value]) -> Option<String> {
    let words = |method: &Value| {
        let words = [string(method, "/description"), string(method, "/name")];
        let words = words.into_iter().find(|words| !words.is_empty())?;
        let words = text::sentence(words);
        Some(words.trim_end_matches('.').to_owned())
    };
    methods.iter().find_map(words)
}

/// An item of a plan.
fn todo(entry: &Value) -> Option<Todo> {
    let text = text::sentence(string(entry, "/content"));
    let state = match string(entry, "/status") {
        "completed" => TodoState::Done,
        "in_progress" => TodoState::Doing,
        _ => TodoState::Open,
    };
    (!text.is_empty()).then_some(Todo { text, state })
}

/// What a prompt consumed. Some count what came from the cache among the input and some beside it; the
/// total tells which.
fn usage(result: &Value) -> Usage {
    let told = result.get("usage").filter(|usage| usage.is_object());
    if let Some(usage) = told {
        let (input, output) = (number(usage, "/inputTokens"), number(usage, "/outputTokens"));
        let (cached, written) =
            (number(usage, "/cachedReadTokens"), number(usage, "/cachedWriteTokens"));
        let beside = number(usage, "/totalTokens") >= input + output + cached + written;
        return Usage {
            input_tokens: if beside { input + cached + written } else { input },
            cached_tokens: cached,
            output_tokens: output,
            cost_usd: None,
        };
    }
    let count = result.pointer("/_meta/quota/token_count").unwrap_or(&Value::Null);
    Usage {
        input_tokens: number(count, "/input_tokens"),
        output_tokens: number(count, "/output_tokens"),
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests;
