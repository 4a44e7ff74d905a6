//! What an agent tells.

use maestro_core::agent::Provider;
use maestro_core::conversation::{Body, Context, Event, Part, TEXT_LIMIT, Todo, TodoState};
use serde_json::Value;

use super::{Acp, Block, Phase, RAW_LINES, failure, menu};
use crate::drive::{Out, parts};
use crate::stream::{array, number, string, text};

impl Acp {
    pub(super) fn told(
        &mut self,
        method: &str,
        params: &Value,
        line: &str,
        now_ms: u64,
        out: &mut Out,
    ) {
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
    pub(super) fn update(&mut self, update: &Value, now_ms: u64, out: &mut Out) -> bool {
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
    pub(super) fn entered(&mut self, mode: &str, out: &mut Out) {
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

    pub(super) fn used(&mut self, update: &Value, out: &mut Out) {
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

    pub(super) fn chunk(&mut self, part: Part, update: &Value, out: &mut Out) {
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

    pub(super) fn close_block(&mut self, out: &mut Out) {
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

    pub(super) fn does(&mut self, what: &str, out: &mut Out) {
        if !what.is_empty() && self.doing != what && self.turn.is_some() {
            self.doing = what.to_owned();
            out.events.push(Event::Doing(what.to_owned()));
        }
    }

    pub(super) fn raw(&mut self, line: &str, out: &mut Out) {
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
