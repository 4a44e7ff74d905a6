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
mod opening;
mod requests;
mod told;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use maestro_core::agent::Provider;
use maestro_core::conversation::{Event, Part, Policy, Prompt};
use maestro_core::turn::{Failure, FailureKind, Outcome, Usage};
use serde_json::{Value, json};

use self::asking::{Pending, What};
use self::calls::Calls;
use self::menu::Choices;
use super::{Dialect, Launch, Order, Out, Taken, image};
use crate::stream::{Exit, array, fail, number, string};

pub(super) use launch::command;
pub(crate) use launch::{configured as opencode_configured, opencode_config};

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
            turn.usage = maestro_core::usage::sum(&turn.usage, &usage);
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
}

impl Dialect for Acp {
    /// OpenCode opens its database before it sets how long it waits for locks, and makes its tables in many
    /// steps without keeping others out: of several that start at once, above all for the first time, some may
    /// end at once (seen with 1.18.33). What had been made by then is found by the next start.
    fn was_kept_out(&self, stderr: &str) -> bool {
        self.provider == Provider::OpenCode
            && ["database is locked", "Failed query:"].iter().any(|words| stderr.contains(words))
    }

    fn begin(&mut self, _now_ms: u64, out: &mut Out) {
        // A program that never started answers nothing any more: what it was asked must hold up no prompt.
        self.waiting.clear();
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
