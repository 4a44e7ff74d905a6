//! How a conversation comes to its session, and what is chosen in it.

use maestro_core::agent::Provider;
use maestro_core::conversation::{Event, Policy};
use maestro_core::turn::{Failure, FailureKind};
use serde_json::{Value, json};

use super::calls::Calls;
use super::menu::{self, By};
use super::{Able, Acp, Ours, Phase, failure};
use crate::drive::{Out, Taken};
use crate::stream::{array, fail, string, text};

impl Acp {
    pub(super) fn answered(
        &mut self,
        id: &Value,
        message: &Value,
        now_ms: u64,
        out: &mut Out,
    ) -> bool {
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

    pub(super) fn introduced(&mut self, result: &Value, now_ms: u64, out: &mut Out) {
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

    pub(super) fn opened(&mut self, result: &Value, out: &mut Out) {
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
    pub(super) fn begin_session(&mut self, out: &mut Out) {
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

    pub(super) fn tell_session(&self, out: &mut Out) {
        if let Some(id) = &self.session {
            let model = self.choices.model.clone();
            out.events.push(Event::Session { id: id.clone(), model });
        }
    }

    pub(super) fn cannot_open(&mut self, failure: Failure, now_ms: u64, out: &mut Out) {
        self.phase = Phase::Failed(failure.clone());
        if self.turn.is_some() {
            self.end(Err(failure), now_ms, out);
        }
    }

    /// Makes the agent's own mode fit a policy, where it has modes for that.
    pub(super) fn set_mode(&mut self, policy: Policy, out: &mut Out) {
        let Some(mode) = menu::mode_of(self.provider, policy) else { return };
        if self.choices.mode.as_deref() == Some(mode) {
            return;
        }
        if !self.choices.has_mode(mode) && policy != Policy::ReadOnly {
            return;
        }
        self.choices.mode = Some(mode.to_owned());
        let params = json!({ "modeId": mode });
        self.request_in(Ours::Mode(policy), "session/set_mode", params, out);
    }

    pub(super) fn set_model(&mut self, model: &str, out: &mut Out) -> Taken {
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

    pub(super) fn set_effort(&mut self, effort: &str, out: &mut Out) -> Taken {
        let Some(By::Option(id)) = self.choices.effort_by.clone() else { return Taken::Restart };
        self.choices.effort = Some(effort.to_owned());
        let params = json!({ "configId": id, "value": effort });
        self.request_in(Ours::Effort, "session/set_config_option", params, out);
        Taken::Now
    }
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
