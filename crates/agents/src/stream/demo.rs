//! The demo agent's own stream: our events, one JSON object a line.

use maestro_core::turn::{Event, Failure, FailureKind, Usage};
use serde_json::Value;

use super::{Seen, array, fail, number, string, text};

#[derive(Debug, Default)]
pub(super) struct Stream {
    ending: Option<Result<(), Failure>>,
}

impl Stream {
    pub fn line(&mut self, value: &Value, seen: &mut Seen) -> Option<Vec<Event>> {
        let owned = |field| string(value, field).to_owned();
        let event = match string(value, "/type") {
            "session" => {
                let model = value.get("model").and_then(Value::as_str);
                return Some(seen.session(string(value, "/id"), model).into_iter().collect());
            }
            "text" => seen.text(string(value, "/text")),
            "thinking" => Event::Thinking(text::bounded(string(value, "/text"), text::ANSWER)),
            "tool_call" => Event::ToolCall {
                id: owned("/id"),
                name: owned("/name"),
                summary: text::sentence(string(value, "/summary")),
            },
            "tool_result" => Event::ToolResult {
                id: owned("/id"),
                is_error: value.get("is_error").and_then(Value::as_bool).unwrap_or(false),
                output: text::output(string(value, "/output")),
            },
            "file_change" => Event::FileChange(
                array(value, "/paths")
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            ),
            "retrying" => Event::Retrying(text::sentence(string(value, "/message"))),
            "notice" => Event::Notice(text::sentence(string(value, "/message"))),
            "usage" => seen.usage(Usage {
                input_tokens: number(value, "/input_tokens"),
                cached_tokens: number(value, "/cached_tokens"),
                output_tokens: number(value, "/output_tokens"),
                cost_usd: value.get("cost_usd").and_then(Value::as_f64),
            }),
            "done" => {
                self.ending = Some(Ok(()));
                return Some(Vec::new());
            }
            "failed" => {
                let kind = value
                    .get("kind")
                    .and_then(|kind| serde_json::from_value::<FailureKind>(kind.clone()).ok())
                    .unwrap_or(FailureKind::Other);
                self.ending = Some(Err(fail(kind, string(value, "/message"))));
                return Some(Vec::new());
            }
            _ => return None,
        };
        Some(vec![event])
    }

    pub fn verdict(&self) -> Option<Result<(), Failure>> {
        self.ending.clone()
    }
}
