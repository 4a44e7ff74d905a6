//! Claude Code's control protocol: `-p` with stream-json both ways, permission questions on standard
//! output. Established with 2.1.197.

mod ask;
mod guard;
mod items;

use std::collections::HashMap;
use std::path::PathBuf;

use maestro_core::agent::Provider;
use maestro_core::conversation::{
    Answer, Context, Event, Menu, Model, Policy, Prompt, SlashCommand,
};
use maestro_core::turn::{Failure, FailureKind, Outcome, Usage};
use serde_json::{Value, json};

use self::ask::Asked;
use self::items::Items;
use super::{Dialect, Launch, Order, Out, Taken, image, parts};
use crate::command::{Args, CommandLine, checked, child_environment, program, refuse_root};
use crate::stream::claude as one_shot;
use crate::stream::{Exit, array, fail, number, string, text};

/// Bytes of an image. The service refuses more than 5 MiB of base64, and a refused image stays in the
/// session's history and spoils every later turn.
const IMAGE: usize = 3750 << 10;

/// Lines in a turn that are not understood and reported; the rest of a flood is left out.
const RAW_LINES: u32 = 500;

/// Seconds that the hook may take. When it passes, the tool is used without us, so that it must not,
/// however slow the receiver of our events is.
const HOOK_SECONDS: u32 = 7 * 24 * 3600;

/// How a conversation is started.
pub(super) fn command(launch: &Launch) -> Result<CommandLine, Failure> {
    let resume = checked(launch.resume.as_deref())?;
    let new = checked(launch.new_session.as_deref())?.filter(|_| resume.is_none());
    let mut env = child_environment(&launch.detected, &launch.environment)?;
    env.set("TERM", "dumb");
    env.set("NO_COLOR", "1");
    let mut args = Args::default();
    args.words(&["-p", "--verbose", "--output-format", "stream-json"]);
    args.words(&["--input-format", "stream-json", "--include-partial-messages"]);
    // It says when it takes a prompt up: until then it may be at a turn that it began by itself.
    args.word("--replay-user-messages");
    // Undocumented: makes it ask on its output instead of refusing.
    args.words(&["--permission-prompt-tool", "stdio"]);
    if launch.policy == Policy::Bypass {
        refuse_root(&env)?;
        args.word("--dangerously-skip-permissions");
    } else {
        args.option("--permission-mode", Some(mode(launch.policy)));
    }
    let resume = resume.map(|session| {
        crate::session::claude_resume(session, &launch.directory, &launch.environment)
    });
    args.option("--resume", resume);
    args.option("--session-id", new);
    args.option("--model", checked(launch.model.as_deref())?);
    args.option("--effort", checked(launch.effort.as_deref())?);
    Ok(CommandLine {
        provider: Provider::Claude,
        program: program(&launch.detected)?,
        args: args.0,
        directory: launch.directory.clone(),
        env: env.to_vec(),
        stdin: None,
        before: None,
    })
}

/// What Claude Code calls a policy.
fn mode(policy: Policy) -> &'static str {
    match policy {
        Policy::Ask => "default",
        Policy::AcceptEdits => "acceptEdits",
        Policy::ReadOnly => "plan",
        Policy::Bypass => "bypassPermissions",
    }
}

fn policy_of(mode: &str) -> Option<Policy> {
    Policy::ALL.into_iter().find(|policy| self::mode(*policy) == mode)
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Claude {
    /// What holds between turns.
    policy: Policy,
    /// Whether it was started so that it may be told to do everything.
    may_bypass: bool,
    /// Why it could not be started that way, if so.
    bypass_refused: Option<Failure>,
    plans: Option<PathBuf>,
    session: Option<String>,
    model: Option<String>,
    /// Control requests of ours, numbered.
    controls: u64,
    /// What those were about that are not answered.
    waiting: HashMap<String, Control>,
    asked: HashMap<String, Asked>,
    items: Items,
    turn: Option<Turn>,
    /// Something in the background is done, about which it may begin a turn by itself.
    notified: bool,
    /// The turn that it is at was begun by itself, as far as is known: the end of it is not that of a prompt.
    by_itself: bool,
    menu: Menu,
    /// What the process has cost so far: `result` tells that and not the turn's.
    cost: f64,
    /// Tokens that fit into the model's context, by model.
    windows: HashMap<String, u64>,
    /// How full the context of this model is, while nothing else is known of it.
    used: Option<(u64, String)>,
    raw_lines: u32,
}

/// A control request of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    Initialize,
    Interrupt,
    Mode(Policy),
    Other,
}

/// A turn that has not ended.
#[derive(Debug, Default)]
struct Turn {
    /// The mark of its prompt, by which the program says that it takes it up.
    id: String,
    /// Whether it has.
    heard: bool,
    /// Whether its user wants it to stop.
    stop: bool,
    /// Only this turn is held to reading; after it comes what holds between turns.
    read_only: bool,
    /// The last `assistant.error`.
    error: String,
    resets_ms: Option<u64>,
    interrupted: bool,
    /// Whether its user let it leave planning.
    released: bool,
    /// Usage per model message: each is repeated on every line that message is split over.
    messages: HashMap<String, Usage>,
    /// Whether a message of the model itself began that has not ended.
    open_message: bool,
    /// The last text of the answer.
    text: String,
}

impl Claude {
    pub fn new(launch: &Launch) -> Self {
        Self {
            policy: launch.policy,
            may_bypass: launch.policy == Policy::Bypass,
            bypass_refused: refuse_root(&launch.environment).err(),
            plans: guard::plans(&launch.environment),
            session: launch.resume.clone(),
            model: None,
            controls: 0,
            waiting: HashMap::new(),
            asked: HashMap::new(),
            items: Items::default(),
            turn: None,
            notified: false,
            by_itself: false,
            menu: Menu::default(),
            cost: 0.0,
            windows: HashMap::new(),
            used: None,
            raw_lines: 0,
        }
    }

    fn reads_only(&self) -> bool {
        self.policy == Policy::ReadOnly || self.turn.as_ref().is_some_and(|turn| turn.read_only)
    }

    fn control(&mut self, about: Control, request: &Value, out: &mut Out) {
        self.controls += 1;
        let id = format!("maestro-{}", self.controls);
        let line = json!({ "type": "control_request", "request_id": id, "request": request });
        let _ = self.waiting.insert(id, about);
        out.lines.push(line.to_string());
    }

    fn set_mode(&mut self, policy: Policy, out: &mut Out) {
        let request = json!({ "subtype": "set_permission_mode", "mode": mode(policy) });
        self.control(Control::Mode(policy), &request, out);
    }

    fn say(&mut self, prompt: &Prompt, out: &mut Out) -> Result<(), Failure> {
        let mut content = Vec::new();
        for image in &prompt.images {
            let data = image::base64(image, IMAGE)?;
            content.push(json!({
                "type": "image",
                "source": { "type": "base64", "media_type": image.media, "data": data },
            }));
        }
        let content = if content.is_empty() {
            Value::String(prompt.text.clone())
        } else {
            // An empty text is an error for the service.
            if !prompt.text.trim().is_empty() {
                content.push(json!({ "type": "text", "text": prompt.text }));
            }
            Value::Array(content)
        };
        let read_only = prompt.read_only && self.policy != Policy::ReadOnly;
        let id = crate::session::new_session_id(Provider::Claude).unwrap_or_default();
        self.turn = Some(Turn { id: id.clone(), read_only, ..Turn::default() });
        self.raw_lines = 0;
        self.items.begin_turn();
        if read_only {
            self.set_mode(Policy::ReadOnly, out);
        }
        let message = json!({ "role": "user", "content": content });
        let line = json!({ "type": "user", "uuid": id, "message": message });
        out.lines.push(line.to_string());
        Ok(())
    }

    fn change_policy(&mut self, policy: Policy, out: &mut Out) -> Result<Taken, Failure> {
        if policy == Policy::Bypass && !self.may_bypass {
            return match &self.bypass_refused {
                Some(failure) => Err(failure.clone()),
                None => Ok(Taken::Restart),
            };
        }
        self.policy = policy;
        // A turn that may only read ends as it began.
        if !self.turn.as_ref().is_some_and(|turn| turn.read_only) {
            self.set_mode(policy, out);
        }
        Ok(Taken::Now)
    }

    /// One line that is a JSON object; `None` when it is not understood.
    fn value(&mut self, value: &Value, now_ms: u64, out: &mut Out) -> Option<()> {
        match string(value, "/type") {
            "stream_event" => self.stream_event(value, out)?,
            "assistant" => self.assistant(value, now_ms, out)?,
            "user" => self.user(value, now_ms, out)?,
            "system" => self.system(value, now_ms, out)?,
            "result" => self.result(value, now_ms, out),
            "rate_limit_event" => self.rate_limit(value, out),
            "control_request" => self.control_request(value, now_ms, out)?,
            "control_response" => self.control_response(value, out)?,
            "control_cancel_request" => {
                let id = string(value, "/request_id");
                if self.asked.remove(id).is_some() {
                    out.events.push(Event::RequestGone { id: id.to_owned() });
                }
            }
            "keep_alive" => {}
            _ => return None,
        }
        Some(())
    }

    fn stream_event(&mut self, value: &Value, out: &mut Out) -> Option<()> {
        let event = value.get("event")?;
        let main = is_main(value);
        if let Some(turn) = &mut self.turn {
            match string(event, "/type") {
                "message_start" if main => turn.open_message = true,
                "message_stop" if main => turn.open_message = false,
                "message_delta" if event.get("usage").is_some() => {
                    if let Some(id) = self.items.message(value) {
                        let _ = turn.messages.insert(id.to_owned(), one_shot::usage(event));
                        out.events.push(Event::Usage(turn.so_far()));
                    }
                }
                _ => {}
            }
        }
        self.items.stream_event(value, event, out)
    }

    fn assistant(&mut self, value: &Value, now_ms: u64, out: &mut Out) -> Option<()> {
        let message = value.get("message")?;
        let synthetic = string(message, "/model") == "<synthetic>";
        if let (Some(turn), Some(error)) =
            (&mut self.turn, value.get("error").and_then(Value::as_str))
        {
            error.clone_into(&mut turn.error);
        }
        let said = self.items.assistant(value, message, synthetic, now_ms, out);
        if synthetic || message.get("usage").is_none() {
            return Some(());
        }
        if let Some(turn) = &mut self.turn {
            if let Some(text) = said.filter(|_| is_main(value)) {
                turn.text = text;
            }
            // What a stream event told of this message is newer.
            let told = one_shot::usage(message);
            let id = string(message, "/id").to_owned();
            let known = turn.messages.entry(id).or_insert(told);
            known.output_tokens = known.output_tokens.max(told.output_tokens);
            out.events.push(Event::Usage(turn.so_far()));
        }
        if is_main(value) {
            let told = one_shot::usage(message);
            let used = told.input_tokens.saturating_add(told.output_tokens);
            let model = string(message, "/model");
            let window = self.window(model);
            self.used = Some((used, model.to_owned())).filter(|_| window.is_none());
            out.events.push(Event::Context(Context { used, window }));
        }
        Some(())
    }

    /// The window of a model, once a `result` has told it. A session's own model may have `[1m]` after
    /// its name, which a message's has not.
    fn window(&self, model: &str) -> Option<u64> {
        let of = |name: &str| self.windows.get(name).copied();
        let own = self.model.as_deref().filter(|own| own.split('[').next() == Some(model));
        own.and_then(of).or_else(|| of(model))
    }

    /// A prompt of ours is taken up.
    fn heard(&mut self, id: &str, out: &mut Out) {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.id == id && !turn.heard) else {
            return;
        };
        turn.heard = true;
        self.by_itself = false;
        if turn.stop {
            // What was to stop it stopped only what was there before it.
            self.control(Control::Interrupt, &json!({ "subtype": "interrupt" }), out);
        }
    }

    fn user(&mut self, value: &Value, now_ms: u64, out: &mut Out) -> Option<()> {
        if value.get("isReplay").and_then(Value::as_bool) == Some(true) {
            let id = string(value, "/uuid");
            if self.turn.as_ref().is_some_and(|turn| turn.id == id) {
                self.heard(id, out);
                return Some(());
            }
        }
        let content = value.pointer("/message/content")?;
        if let Some(said) = content.as_str() {
            if let Some(notice) = items::local_output(said) {
                self.items.notice(&notice, out);
            }
            return Some(());
        }
        for block in content.as_array()? {
            match string(block, "/type") {
                "tool_result" => self.items.result(value, block, now_ms, out),
                "text" if string(block, "/text").starts_with("[Request interrupted by user") => {
                    if let Some(turn) = &mut self.turn {
                        turn.interrupted = true;
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    fn system(&mut self, value: &Value, now_ms: u64, out: &mut Out) -> Option<()> {
        match string(value, "/subtype") {
            "init" => {
                let heard = self.turn.as_ref().is_some_and(|turn| turn.heard);
                self.by_itself = std::mem::take(&mut self.notified) && !heard;
                let id = string(value, "/session_id");
                let model = value.get("model").and_then(Value::as_str).map(str::to_owned);
                if model.is_some() {
                    self.model.clone_from(&model);
                }
                if !id.is_empty() {
                    self.session = Some(id.to_owned());
                    out.events.push(Event::Session { id: id.to_owned(), model });
                }
            }
            "status" => {
                if let Some(policy) = policy_of(string(value, "/permissionMode")) {
                    self.told_mode(policy, out);
                }
                match string(value, "/status") {
                    "" => {}
                    "requesting" => {
                        out.events.push(Event::Doing("waiting for the model".to_owned()));
                    }
                    doing => out.events.push(Event::Doing(text::sentence(doing))),
                }
            }
            "api_retry" => {
                if let Some(turn) = &mut self.turn {
                    // The next try is a new message; the broken one will never end.
                    turn.open_message = false;
                }
                let delay = number(value, "/retry_delay_ms");
                out.events.push(Event::Retrying {
                    because: one_shot::retry_reason(value),
                    until_ms: Some(now_ms.saturating_add(delay)),
                    attempt: u32::try_from(number(value, "/attempt")).ok(),
                });
            }
            "permission_denied" => self.items.denied(string(value, "/tool_use_id")),
            "compact_boundary" => self.items.notice("The conversation was compacted.", out),
            "informational" | "notification" | "model_fallback" | "model_refusal_fallback" => {
                let said = ["/content", "/text"].map(|field| string(value, field)).concat();
                if !said.is_empty() && string(value, "/level") != "info" {
                    self.items.notice(&said, out);
                }
            }
            "local_command_output" => self.items.text(string(value, "/content"), out),
            "commands_changed" => {
                self.menu.commands = commands(value.get("commands")?);
                out.events.push(Event::Menu(self.menu.clone()));
            }
            "task_notification" => self.notified = true,
            "task_started" | "task_progress" => {
                out.events.push(Event::Doing(text::sentence(string(value, "/description"))));
            }
            "thinking_tokens"
            | "task_updated"
            | "session_state_changed"
            | "hook_started"
            | "hook_progress"
            | "hook_response"
            | "turn_duration"
            | "files_persisted" => {}
            _ => return None,
        }
        Some(())
    }

    /// The program says which mode it is in now.
    fn told_mode(&mut self, policy: Policy, out: &mut Out) {
        // What we asked for is on its way, or this turn's mode is our own doing.
        let ours = self.waiting.values().any(|about| matches!(about, Control::Mode(_)));
        if ours || policy == self.policy || self.turn.as_ref().is_some_and(|turn| turn.read_only) {
            return;
        }
        let released = self.turn.as_ref().is_some_and(|turn| turn.released);
        if self.policy == Policy::ReadOnly && !released {
            // Nobody allowed that.
            return self.set_mode(Policy::ReadOnly, out);
        }
        self.policy = policy;
        out.events.push(Event::Policy(policy));
    }

    fn rate_limit(&mut self, value: &Value, out: &mut Out) {
        let resets_ms = value
            .pointer("/rate_limit_info/resetsAt")
            .and_then(Value::as_u64)
            .map(|seconds| seconds.saturating_mul(1000));
        let rejected = string(value, "/rate_limit_info/status") == "rejected";
        if let Some(turn) = self.turn.as_mut().filter(|_| rejected) {
            turn.resets_ms = resets_ms;
        }
        let used = value.pointer("/rate_limit_info/utilization").and_then(Value::as_f64);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to what a percentage can be"
        )]
        let percent = used.map(|used| (used * 100.0).clamp(0.0, 100.0).round() as u8);
        out.events.push(Event::Limit {
            resets_ms,
            percent: if rejected { Some(100) } else { percent },
            name: text::sentence(string(value, "/rate_limit_info/rateLimitType")),
        });
    }

    fn result(&mut self, value: &Value, now_ms: u64, out: &mut Out) {
        for (model, told) in
            value.get("modelUsage").and_then(Value::as_object).into_iter().flatten()
        {
            let window = number(told, "/contextWindow");
            if window > 0 && (self.windows.len() < 64 || self.windows.contains_key(model)) {
                let _ = self.windows.insert(model.clone(), window);
            }
        }
        // The first turn with a model learns only now how much fits into it.
        if let Some((used, model)) = self.used.take()
            && let Some(window) = self.window(&model)
        {
            out.events.push(Event::Context(Context { used, window: Some(window) }));
        }
        let total = value.get("total_cost_usd").and_then(Value::as_f64);
        let cost = total.map(|total| (total - self.cost).max(0.0));
        self.cost = total.unwrap_or(self.cost);
        // A turn that the program began by itself, when something in the background was done. It is no end
        // for a prompt that was said meanwhile and waits behind it.
        if std::mem::take(&mut self.by_itself)
            && let Some(turn) = self.turn.as_mut().filter(|turn| !turn.heard)
        {
            let Turn { id, read_only, stop, .. } = std::mem::take(turn);
            *turn = Turn { id, read_only, stop, ..Turn::default() };
            return;
        }
        let turn = self.turn.take().unwrap_or_default();
        let told = one_shot::usage(value);
        // An interrupted turn and a cut stream report no usage; what the messages told is better.
        let nothing = told.input_tokens == 0 && told.output_tokens == 0;
        let tokens = if nothing { turn.so_far() } else { told };
        let usage = Usage { cost_usd: cost, ..tokens };
        out.events.push(Event::Usage(usage));

        let failed = value.get("is_error").and_then(Value::as_bool).unwrap_or(true)
            || string(value, "/subtype").starts_with("error");
        let answer = string(value, "/result");
        let mut text = turn.text.clone();
        if !failed && !answer.is_empty() && text.is_empty() {
            // A command that the program answers without the model.
            if !self.items.has_said(answer) {
                self.items.text(answer, out);
            }
            text = parts::whole(answer);
        }
        let result = if failed {
            Err(one_shot::failure(value, &turn.error, turn.resets_ms, turn.interrupted))
        } else if turn.open_message || nothing && !turn.messages.is_empty() {
            Err(one_shot::torn())
        } else {
            Ok(())
        };
        self.end(
            &turn,
            Outcome { session: self.session.clone(), text, usage, result },
            now_ms,
            out,
        );
    }

    /// Ends the turn: nothing of it stays open.
    fn end(&mut self, turn: &Turn, outcome: Outcome, now_ms: u64, out: &mut Out) {
        for (id, _) in self.asked.drain() {
            out.events.push(Event::RequestGone { id });
        }
        self.items.end_turn(now_ms, out);
        if turn.read_only {
            self.set_mode(self.policy, out);
        }
        let result = outcome
            .result
            .map_err(|failure| Failure { message: text::sentence(&failure.message), ..failure });
        out.events.push(Event::Ended(Outcome { result, ..outcome }));
    }

    fn control_request(&mut self, value: &Value, now_ms: u64, out: &mut Out) -> Option<()> {
        let id = string(value, "/request_id").to_owned();
        let request = value.get("request")?;
        match string(request, "/subtype") {
            "hook_callback" => {
                let tool = string(request, "/input/tool_name");
                let input = request.pointer("/input/tool_input").unwrap_or(&Value::Null);
                let answer = match self.refusal(tool, input) {
                    Some(reason) => {
                        self.items.denied(string(request, "/tool_use_id"));
                        json!({ "hookSpecificOutput": {
                            "hookEventName": "PreToolUse",
                            "permissionDecision": "deny",
                            "permissionDecisionReason": reason,
                        } })
                    }
                    None => json!({ "continue": true }),
                };
                out.lines.push(response(&id, &answer));
            }
            "can_use_tool" => {
                let tool = string(request, "/tool_name");
                let input = request.get("input").unwrap_or(&Value::Null);
                let plan_only =
                    tool == "ExitPlanMode" && self.turn.as_ref().is_some_and(|turn| turn.read_only);
                if plan_only {
                    // Nobody is asked to let a turn write that was promised not to.
                    self.items.text(string(input, "/plan"), out);
                }
                let refused = self.refusal(tool, input).or_else(|| {
                    plan_only.then(|| {
                        "This turn is read-only: the plan was shown. End your turn here.".to_owned()
                    })
                });
                if let Some(reason) = refused {
                    self.items.denied(string(request, "/tool_use_id"));
                    let answer = json!({ "behavior": "deny", "message": reason });
                    out.lines.push(response(&id, &answer));
                } else {
                    let asked = Asked::new(tool, input, request);
                    out.events.push(Event::Request(asked.request(&id, request, now_ms)));
                    let _ = self.asked.insert(id, asked);
                }
            }
            // A dialog or a form of a server's, which a conversation cannot show yet.
            "request_user_dialog" => {
                out.lines.push(response(&id, &json!({ "behavior": "cancelled" })));
            }
            "elicitation" => {
                self.items.notice(&format!("Declined: {}", string(request, "/message")), out);
                out.lines.push(response(&id, &json!({ "action": "decline" })));
            }
            _ => {
                let error = json!({ "type": "control_response", "response": {
                    "subtype": "error", "request_id": id, "error": "not supported",
                } });
                out.lines.push(error.to_string());
                return None;
            }
        }
        Some(())
    }

    fn refusal(&self, tool: &str, input: &Value) -> Option<String> {
        if !self.reads_only() {
            return None;
        }
        guard::refusal(tool, input, self.plans.as_deref())
    }

    fn control_response(&mut self, value: &Value, out: &mut Out) -> Option<()> {
        let response = value.get("response")?;
        let id = string(response, "/request_id");
        let Some(about) = self.waiting.remove(id) else {
            // With the prompts it repeats our own answers to what it asked, by its own numbers.
            return (!id.is_empty() && !id.starts_with("maestro-")).then_some(());
        };
        let error = string(response, "/error");
        let worked = string(response, "/subtype") == "success";
        match about {
            Control::Initialize if worked => {
                let told = response.get("response").unwrap_or(&Value::Null);
                self.menu = self.read_menu(told);
                out.events.push(Event::Menu(self.menu.clone()));
            }
            // Of several only the last one holds.
            Control::Mode(policy) if worked && policy == self.policy => {
                out.events.push(Event::Policy(policy));
            }
            Control::Mode(_)
                if !worked && self.turn.as_ref().is_some_and(|turn| turn.read_only) =>
            {
                // The hook holds it to reading all the same.
                tracing::warn!(error, "plan mode was refused");
            }
            Control::Initialize | Control::Mode(_) | Control::Other if !worked => {
                self.items.notice(&format!("Claude Code refused: {error}"), out);
            }
            _ => {}
        }
        Some(())
    }

    fn read_menu(&self, told: &Value) -> Menu {
        let models = array(told, "/models").iter().take(200).map(|model| Model {
            id: text::sentence(string(model, "/value")),
            name: text::sentence(string(model, "/displayName")),
            efforts: array(model, "/supportedEffortLevels")
                .iter()
                .filter_map(Value::as_str)
                .map(text::sentence)
                .collect(),
        });
        let mut policies = Policy::ALL.to_vec();
        if self.bypass_refused.is_some() {
            policies.retain(|policy| *policy != Policy::Bypass);
        }
        Menu {
            models: models.collect(),
            commands: commands(told.get("commands").unwrap_or(&Value::Null)),
            policies,
        }
    }
}

impl Turn {
    fn so_far(&self) -> Usage {
        self.messages.values().fold(Usage::default(), one_shot::add)
    }
}

impl Dialect for Claude {
    fn begin(&mut self, _now_ms: u64, out: &mut Out) {
        let hooks = json!({ "PreToolUse": [{
            "hookCallbackIds": ["maestro"], "timeout": HOOK_SECONDS,
        }] });
        let request = json!({ "subtype": "initialize", "hooks": hooks });
        self.control(Control::Initialize, &request, out);
    }

    fn order(&mut self, order: Order, _now_ms: u64, out: &mut Out) -> Result<Taken, Failure> {
        match order {
            Order::Say(prompt) => self.say(&prompt, out)?,
            Order::Interrupt => {
                if let Some(turn) = &mut self.turn {
                    turn.stop = true;
                }
                self.control(Control::Interrupt, &json!({ "subtype": "interrupt" }), out);
            }
            Order::Answer { request, answer } => {
                let asked = self.asked.get(&request).ok_or_else(|| {
                    fail(FailureKind::Other, "That question needs no answer any more.")
                })?;
                let told = asked.answer(&answer)?;
                if matches!(answer, Answer::Deny(_)) {
                    self.items.denied(&asked.call);
                } else if let Some(turn) = &mut self.turn {
                    turn.released |= asked.is_plan();
                }
                let _ = self.asked.remove(&request);
                out.lines.push(response(&request, &told));
            }
            Order::Policy(policy) => return self.change_policy(policy, out),
            Order::Model(model) => {
                let model = checked(model.as_deref())?.unwrap_or("default");
                let request = json!({ "subtype": "set_model", "model": model });
                self.control(Control::Other, &request, out);
            }
            Order::Effort(Some(effort)) => {
                let effort = checked(Some(&effort))?;
                let settings = json!({ "effortLevel": effort });
                let request = json!({ "subtype": "apply_flag_settings", "settings": settings });
                self.control(Control::Other, &request, out);
            }
            Order::Effort(None) => return Ok(Taken::Restart),
        }
        Ok(Taken::Now)
    }

    fn line(&mut self, line: &str, now_ms: u64, out: &mut Out) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let value = serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
        if value.and_then(|value| self.value(&value, now_ms, out)).is_some() {
            return;
        }
        self.raw_lines = self.raw_lines.saturating_add(1);
        match self.raw_lines {
            ..RAW_LINES => self.items.raw(line, out),
            RAW_LINES => self.items.notice(
                "Claude Code prints lines that Maestro does not understand; further ones are left out.",
                out,
            ),
            _ => {}
        }
    }

    fn gone(&mut self, exit: &Exit, now_ms: u64, out: &mut Out) {
        let Some(turn) = self.turn.take() else {
            self.items.end_turn(now_ms, out);
            return;
        };
        let failure = crate::stream::broken_off(Provider::Claude, exit, self.session.is_some());
        let outcome = Outcome {
            session: self.session.clone(),
            text: turn.text.clone(),
            usage: turn.so_far(),
            result: Err(failure),
        };
        // Nobody is there to be told another mode.
        self.end(&Turn { read_only: false, ..turn }, outcome, now_ms, out);
    }
}

/// Whether a line is about the conversation itself and not about a subagent.
fn is_main(value: &Value) -> bool {
    value.get("parent_tool_use_id").is_none_or(Value::is_null)
}

fn response(id: &str, answer: &Value) -> String {
    json!({ "type": "control_response", "response": {
        "subtype": "success", "request_id": id, "response": answer,
    } })
    .to_string()
}

fn commands(told: &Value) -> Vec<SlashCommand> {
    let command = |command: &Value| SlashCommand {
        name: text::sentence(string(command, "/name")),
        description: text::sentence(string(command, "/description")),
        hint: text::sentence(string(command, "/argumentHint")),
    };
    told.as_array().into_iter().flatten().take(1000).map(command).collect()
}
