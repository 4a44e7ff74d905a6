//! OpenCode: `run --format json`.

use maestro_core::turn::{Event, Failure, FailureKind, Usage};
use serde_json::Value;

use super::{Exit, Seen, fail, number, string, text};

#[derive(Debug, Default)]
pub(super) struct Stream {
    /// There is no final event: what came last counts.
    last: Option<Step>,
    /// The last tool call that a permission rule refused, if nothing succeeded after it.
    refused: Option<String>,
}

#[derive(Debug)]
enum Step {
    /// The model said that it is finished.
    Stopped,
    /// A model call ended for another reason (to run tools, at its length limit), or began.
    Between(String),
    Failed(Failure),
}

impl Stream {
    pub fn line(&mut self, value: &Value, seen: &mut Seen) -> Option<Vec<Event>> {
        let mut events: Vec<Event> =
            seen.session(string(value, "/sessionID"), None).into_iter().collect();
        match string(value, "/type") {
            "step_start" => self.last = Some(Step::Between("tool-calls".to_owned())),
            "text" => events.push(seen.text(string(value, "/part/text"))),
            "reasoning" => {
                events.push(Event::Thinking(text::bounded(
                    string(value, "/part/text"),
                    text::ANSWER,
                )));
            }
            "tool_use" => events.extend(self.tool_use(value.get("part")?)),
            "step_finish" => {
                let reason = string(value, "/part/reason");
                self.last = Some(match reason {
                    "stop" => Step::Stopped,
                    other => Step::Between(other.to_owned()),
                });
                events.push(seen.usage(sum(seen.usage, value)));
            }
            "error" => {
                let failure = failure(value);
                events.push(Event::Notice(text::sentence(&failure.message)));
                self.last = Some(Step::Failed(failure));
            }
            _ => return None,
        }
        Some(events)
    }

    fn tool_use(&mut self, part: &Value) -> Vec<Event> {
        let (id, name) = (string(part, "/callID").to_owned(), string(part, "/tool").to_owned());
        let is_error = string(part, "/state/status") == "error";
        let output = string(part, if is_error { "/state/error" } else { "/state/output" });
        let refusals = ["rejected permission", "prevents you from using"];
        let refused = is_error && refusals.iter().any(|words| output.contains(words));
        self.refused = refused.then(|| name.clone());
        let input = part.pointer("/state/input").unwrap_or(&Value::Null);
        let mut events = vec![
            Event::ToolCall { id: id.clone(), name: name.clone(), summary: text::summary(input) },
            Event::ToolResult { id, is_error, output: text::output(output) },
        ];
        if !is_error
            && matches!(name.as_str(), "write" | "edit" | "multiedit" | "patch" | "apply_patch")
        {
            let path = ["/state/metadata/filepath", "/state/input/filePath", "/state/title"]
                .map(|field| string(part, field))
                .into_iter()
                .find(|path| !path.is_empty());
            events.extend(path.map(|path| Event::FileChange(vec![path.to_owned()])));
        }
        events
    }

    pub fn verdict(&self, exit: &Exit) -> Option<Result<(), Failure>> {
        match self.last.as_ref()? {
            Step::Stopped if exit.code == Some(0) => Some(match &self.refused {
                Some(tool) => Err(refusal(tool)),
                None => Ok(()),
            }),
            Step::Failed(failure) => Some(Err(failure.clone())),
            Step::Between(reason) if exit.code == Some(0) => {
                Some(Err(match (&self.refused, reason.as_str()) {
                    // A question that nobody could answer ends the turn, with exit code 0.
                    (Some(tool), _) => refusal(tool),
                    (None, _) if exit.stderr.contains("auto-rejecting") => refusal("a tool"),
                    (None, "length") => fail(
                        FailureKind::Context,
                        "The answer was cut at the model's length limit.",
                    ),
                    (None, "content-filter") => {
                        fail(FailureKind::Other, "The model's service filtered the answer.")
                    }
                    (None, _) => return None,
                }))
            }
            Step::Stopped | Step::Between(_) => None,
        }
    }
}

fn refusal(tool: &str) -> Failure {
    fail(
        FailureKind::Permission,
        format!(
            "OpenCode was not allowed to use {tool}; let it work unattended, or allow the tool in its \
             configuration."
        ),
    )
}

fn failure(value: &Value) -> Failure {
    let name = string(value, "/error/name");
    let message = match string(value, "/error/data/message") {
        "" => name,
        message => message,
    };
    let kind = match name {
        "ContextOverflowError" => Some(FailureKind::Context),
        "ProviderAuthError" => Some(FailureKind::Auth),
        "ProviderModelNotFoundError" | "ModelNotFoundError" => Some(FailureKind::ModelUnknown),
        "MessageAbortedError" => Some(FailureKind::Interrupted),
        "MessageOutputLengthError" => Some(FailureKind::Context),
        _ => None,
    };
    let status = number(value, "/error/data/statusCode");
    let kind = kind
        .or_else(|| match text::kind_of_status(status) {
            Some(FailureKind::Limit { .. }) => {
                Some(FailureKind::Limit { resets_ms: resets(value) })
            }
            other => other,
        })
        .or_else(|| text::kind_of_error(message))
        .unwrap_or(FailureKind::Other);
    fail(kind, message)
}

/// When a limit ends: `retry-after` counts seconds from the event.
fn resets(value: &Value) -> Option<u64> {
    let seconds: u64 = string(value, "/error/data/responseHeaders/retry-after").parse().ok()?;
    number(value, "/timestamp").checked_add(seconds.checked_mul(1000)?)
}

/// Each finished step reports one model call: the turn is their sum.
fn sum(so_far: Usage, value: &Value) -> Usage {
    let tokens = |field: &str| number(value, &format!("/part/tokens/{field}"));
    let cached = tokens("cache/read");
    let cost = value.pointer("/part/cost").and_then(Value::as_f64);
    Usage {
        input_tokens: [tokens("input"), cached, tokens("cache/write")]
            .into_iter()
            .fold(so_far.input_tokens, u64::saturating_add),
        cached_tokens: so_far.cached_tokens.saturating_add(cached),
        output_tokens: so_far
            .output_tokens
            .saturating_add(tokens("output"))
            .saturating_add(tokens("reasoning")),
        cost_usd: match (so_far.cost_usd, cost) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or_default() + b.unwrap_or_default()),
        },
    }
}
