//! What an agent asks for, and how it is answered: by the policy where that can tell, by the user elsewhere.

use maestro_core::conversation::{Answer, Ask, Event, Policy, Request};
use maestro_core::turn::{Failure, FailureKind};
use serde_json::{Value, json};

use super::asking::{self, Need, Options, Pending, What};
use super::{ASKED, Acp, Phase, launch, reply};
use crate::drive::{Out, Taken};
use crate::stream::{fail, string};

impl Acp {
    pub(super) fn asked_for(
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

    pub(super) fn permission(&mut self, id: &Value, params: &Value, now_ms: u64, out: &mut Out) {
        let call = &params["toolCall"];
        let name = string(call, "/toolCallId").to_owned();
        self.close_block(out);
        let (turns, directory) = (self.turns, self.directory.clone());
        let key = |id: &str| format!("{turns}.call.{id}");
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
                let always = options.always();
                let what = What::Permission { call: name.clone(), options, need };
                let pending = Pending { id: id.clone(), what };
                let call = Some(name.as_str()).filter(|name| !name.is_empty());
                self.wait_for(pending, call, ask, why, always, now_ms, out);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the request's fields")]
    pub(super) fn wait_for(
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

    pub(super) fn answer(
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

    pub(super) fn set_policy(&mut self, policy: Policy, now_ms: u64, out: &mut Out) -> Taken {
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
    pub(super) fn decide_again(&mut self, now_ms: u64, out: &mut Out) {
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
