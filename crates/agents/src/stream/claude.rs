//! Claude Code: `-p --verbose --output-format stream-json`.

use std::collections::HashMap;

use maestro_core::turn::{Event, Failure, FailureKind, Usage};
use serde_json::Value;

use super::{Exit, Seen, array, fail, number, string, text};

#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The last `assistant.error`: the reliable word on what went wrong.
    error: String,
    /// When the plan's limit resets, from a rejected `rate_limit_event`.
    resets_ms: Option<u64>,
    /// Files that tool calls will change, by the call's id.
    files: HashMap<String, String>,
    /// Usage per model message: each is repeated on every line that message is split over.
    messages: HashMap<String, Usage>,
    /// Whether a model message began that has not ended.
    open_message: bool,
    /// Whether the last tool that ran gave back an error.
    last_tool_failed: bool,
    /// The tool that was refused, if nothing succeeded after that.
    refused: Option<String>,
    interrupted: bool,
    result: Option<Ending>,
}

/// What a `result` line says.
#[derive(Debug)]
enum Ending {
    Fine { torn: bool },
    Failed(Failure),
}

impl Stream {
    pub fn line(&mut self, value: &Value, seen: &mut Seen) -> Option<Vec<Event>> {
        match string(value, "/type") {
            "system" => self.system(value, seen),
            "assistant" => self.assistant(value, seen),
            "user" => Some(self.user(value)),
            "stream_event" => {
                match string(value, "/event/type") {
                    "message_start" => self.open_message = true,
                    "message_stop" => self.open_message = false,
                    _ => {}
                }
                Some(Vec::new())
            }
            "rate_limit_event" => Some(self.rate_limit(value)),
            "result" => Some(self.result(value, seen)),
            "control_request" | "control_response" => Some(Vec::new()),
            _ => None,
        }
    }

    fn system(&mut self, value: &Value, seen: &mut Seen) -> Option<Vec<Event>> {
        match string(value, "/subtype") {
            "init" => {
                let model = value.get("model").and_then(Value::as_str);
                Some(seen.session(string(value, "/session_id"), model).into_iter().collect())
            }
            "api_retry" => {
                // The next try is a new message; the broken one will never end.
                self.open_message = false;
                Some(vec![Event::Retrying(format!(
                    "{} (try {} of {})",
                    retry_reason(value),
                    number(value, "/attempt"),
                    number(value, "/max_retries")
                ))])
            }
            "status" | "thinking_tokens" => Some(Vec::new()),
            _ => None,
        }
    }

    fn assistant(&mut self, value: &Value, seen: &mut Seen) -> Option<Vec<Event>> {
        let message = value.get("message")?;
        let synthetic = string(message, "/model") == "<synthetic>";
        if let Some(error) = value.get("error").and_then(Value::as_str) {
            error.clone_into(&mut self.error);
        }
        // What a subagent says is not the answer.
        let main = value.get("parent_tool_use_id").is_none_or(Value::is_null);
        let mut events = Vec::new();
        for block in array(message, "/content") {
            match string(block, "/type") {
                "text" if main && !synthetic => events.push(seen.text(string(block, "/text"))),
                "text" => events.push(Event::Notice(text::sentence(string(block, "/text")))),
                "thinking" => {
                    events.push(Event::Thinking(text::bounded(
                        string(block, "/thinking"),
                        text::ANSWER,
                    )));
                }
                "tool_use" => events.push(self.tool_use(block)),
                _ => events.push(Event::Raw(text::bounded(&block.to_string(), text::RAW))),
            }
        }
        if !synthetic && message.get("usage").is_some() {
            let id = string(message, "/id").to_owned();
            let _ = self.messages.insert(id, usage(message));
            let so_far = self.messages.values().fold(Usage::default(), add);
            events.push(seen.usage(so_far));
        }
        Some(events)
    }

    fn tool_use(&mut self, block: &Value) -> Event {
        let (id, name) = (string(block, "/id"), string(block, "/name"));
        if matches!(name, "Write" | "Edit" | "MultiEdit" | "NotebookEdit") {
            let path = ["/input/file_path", "/input/notebook_path"]
                .map(|field| string(block, field))
                .into_iter()
                .find(|path| !path.is_empty());
            if let Some(path) = path {
                let _ = self.files.insert(id.to_owned(), path.to_owned());
            }
        }
        let input = block.get("input").unwrap_or(&Value::Null);
        Event::ToolCall { id: id.to_owned(), name: name.to_owned(), summary: text::summary(input) }
    }

    fn user(&mut self, value: &Value) -> Vec<Event> {
        let mut events = Vec::new();
        for block in array(value, "/message/content") {
            match string(block, "/type") {
                "tool_result" => {
                    let id = string(block, "/tool_use_id").to_owned();
                    let is_error = block.get("is_error").and_then(Value::as_bool).unwrap_or(false);
                    let output =
                        text::output(&content(block.get("content").unwrap_or(&Value::Null)));
                    self.last_tool_failed = is_error;
                    if !is_error {
                        events.extend(
                            self.files.remove(&id).map(|path| Event::FileChange(vec![path])),
                        );
                    }
                    events.insert(0, Event::ToolResult { id, is_error, output });
                }
                "text" if string(block, "/text").starts_with("[Request interrupted by user") => {
                    self.interrupted = true;
                }
                _ => {}
            }
        }
        events
    }

    fn rate_limit(&mut self, value: &Value) -> Vec<Event> {
        let resets_ms = value
            .pointer("/rate_limit_info/resetsAt")
            .and_then(Value::as_u64)
            .map(|seconds| seconds.saturating_mul(1000));
        if string(value, "/rate_limit_info/status") != "rejected" {
            return Vec::new();
        }
        self.resets_ms = resets_ms;
        vec![Event::Notice("The plan's limit is reached.".to_owned())]
    }

    fn result(&mut self, value: &Value, seen: &mut Seen) -> Vec<Event> {
        let mut events = Vec::new();
        // A cut stream reports no usage at all; what the messages told is better than nothing.
        let told =
            Usage { cost_usd: value.get("total_cost_usd").and_then(Value::as_f64), ..usage(value) };
        let nothing = told.input_tokens == 0 && told.output_tokens == 0;
        let total = if nothing { Usage { cost_usd: told.cost_usd, ..seen.usage } } else { told };
        events.push(seen.usage(total));

        // Refusals after which some tool succeeded do not count: the agent found an allowed way.
        if self.last_tool_failed
            && let Some(denial) = array(value, "/permission_denials").last()
        {
            self.refused = Some(string(denial, "/tool_name").to_owned());
        }
        let failed = value.get("is_error").and_then(Value::as_bool).unwrap_or(true)
            || string(value, "/subtype").starts_with("error");
        self.result = Some(if failed {
            Ending::Failed(failure(value, &self.error, self.resets_ms, self.interrupted))
        } else {
            let answer = string(value, "/result");
            if !answer.is_empty() && answer != seen.text {
                events.push(seen.text(answer));
            }
            Ending::Fine { torn: self.open_message || nothing && !self.messages.is_empty() }
        });
        events
    }

    pub fn verdict(&self, _exit: &Exit) -> Option<Result<(), Failure>> {
        Some(match self.result.as_ref()? {
            Ending::Failed(failure) => Err(failure.clone()),
            Ending::Fine { torn: true } => Err(torn()),
            Ending::Fine { torn: false } => match &self.refused {
                Some(tool) => Err(fail(
                    FailureKind::Permission,
                    format!(
                        "Claude Code was not allowed to use {tool}; let it work unattended, or allow the \
                         tool in its settings."
                    ),
                )),
                None => Ok(()),
            },
        })
    }
}

/// Why a turn failed: what its `result` says, with the last `assistant.error` before it, when the
/// plan's limit resets, and whether the words of an interruption were seen.
pub(crate) fn failure(
    value: &Value,
    error: &str,
    resets_ms: Option<u64>,
    interrupted: bool,
) -> Failure {
    let errors: Vec<&str> = array(value, "/errors").iter().filter_map(Value::as_str).collect();
    let answer = string(value, "/result");
    let message = if answer.is_empty() { errors.join("; ") } else { answer.to_owned() };
    let status = number(value, "/api_error_status");
    let reason = string(value, "/terminal_reason");

    if interrupted || reason.starts_with("aborted") {
        return fail(FailureKind::Interrupted, "Claude Code was interrupted.");
    }
    if reason == "prompt_too_long" || message.starts_with("Prompt is too long") {
        return fail(FailureKind::Context, message);
    }
    if errors.iter().any(|error| {
        error.starts_with("No conversation found") || error.contains("requires a valid session ID")
    }) {
        return fail(FailureKind::SessionMissing, message);
    }
    let kind = match error {
        "authentication_failed" | "oauth_org_not_allowed" => Some(FailureKind::Auth),
        "billing_error" => Some(FailureKind::Billing),
        "rate_limit" => Some(FailureKind::Limit {
            resets_ms: resets_ms.or_else(|| text::resets_from_now(&message)),
        }),
        "overloaded" => Some(FailureKind::Overload),
        "model_not_found" => Some(FailureKind::ModelUnknown),
        // It had begun to answer.
        "server_error" | "unknown" if message.contains("Connection closed mid-response") => {
            Some(FailureKind::Torn)
        }
        // Also what it calls a connection that could not be made or was cut.
        "server_error" if is_about_the_connection(&message) => Some(FailureKind::Network),
        "server_error" => Some(FailureKind::Overload),
        "unknown" => text::kind_of_error(&message),
        _ => None,
    };
    let kind = kind.or_else(|| text::kind_of_status(status)).unwrap_or(FailureKind::Other);
    fail(kind, if message.is_empty() { format!("Claude Code failed ({reason}).") } else { message })
}

/// A stream that was cut and that the program calls a success.
pub(crate) fn torn() -> Failure {
    fail(FailureKind::Torn, "The connection to the model broke in the middle of the answer.")
}

fn is_about_the_connection(message: &str) -> bool {
    ["Unable to connect", "Connection closed", "Connection error"]
        .iter()
        .any(|words| message.contains(words))
}

/// Why the program tries again, from an `api_retry`.
pub(crate) fn retry_reason(value: &Value) -> String {
    let status = number(value, "/error_status");
    match string(value, "/error") {
        "rate_limit" => "The model's service limits requests".to_owned(),
        "overloaded" => "The model's service is overloaded".to_owned(),
        "authentication_failed" => "The model's service refuses the key".to_owned(),
        _ if status > 0 => format!("The model's service answers with error {status}"),
        // What a connection that cannot be made is reported as.
        _ => "Unable to connect to the model's service".to_owned(),
    }
}

/// The tokens in a `usage` field.
pub(crate) fn usage(value: &Value) -> Usage {
    let cached = number(value, "/usage/cache_read_input_tokens");
    Usage {
        input_tokens: number(value, "/usage/input_tokens")
            + number(value, "/usage/cache_creation_input_tokens")
            + cached,
        cached_tokens: cached,
        output_tokens: number(value, "/usage/output_tokens"),
        cost_usd: None,
    }
}

/// Both together.
pub(crate) fn add(sum: Usage, usage: &Usage) -> Usage {
    Usage {
        input_tokens: sum.input_tokens.saturating_add(usage.input_tokens),
        cached_tokens: sum.cached_tokens.saturating_add(usage.cached_tokens),
        output_tokens: sum.output_tokens.saturating_add(usage.output_tokens),
        cost_usd: None,
    }
}

/// A tool result's content: text, or blocks of which some are text.
pub(crate) fn content(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks
            .iter()
            .map(|block| match string(block, "/type") {
                "text" => string(block, "/text").to_owned(),
                other => format!("[{other}]"),
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
