//! Factory Droid: `exec -o stream-json`.

use std::collections::HashMap;

use maestro_core::turn::{Event, Failure, FailureKind, Usage};
use serde_json::Value;

use super::{Seen, fail, number, string, text};

#[derive(Debug, Default)]
pub(super) struct Stream {
    files: HashMap<String, String>,
    /// The first error since the last good sign; the last one only says "Exec failed".
    error: Option<String>,
    completed: bool,
}

impl Stream {
    pub fn line(&mut self, value: &Value, seen: &mut Seen) -> Option<Vec<Event>> {
        match string(value, "/type") {
            "system" => {
                let model = value.get("model").and_then(Value::as_str);
                Some(seen.session(string(value, "/session_id"), model).into_iter().collect())
            }
            "message" if string(value, "/role") == "assistant" => {
                Some(vec![seen.text(string(value, "/text"))])
            }
            "message" => Some(Vec::new()),
            "reasoning" => {
                Some(vec![Event::Thinking(text::bounded(string(value, "/text"), text::ANSWER))])
            }
            "tool_call" => Some(vec![self.tool_call(value)]),
            "tool_result" => Some(self.tool_result(value)),
            "completion" => {
                self.completed = true;
                let cached = number(value, "/usage/cache_read_input_tokens");
                let mut events = vec![seen.usage(Usage {
                    input_tokens: number(value, "/usage/input_tokens")
                        + number(value, "/usage/cache_creation_input_tokens")
                        + cached,
                    cached_tokens: cached,
                    output_tokens: number(value, "/usage/output_tokens"),
                    cost_usd: None,
                })];
                let answer = string(value, "/finalText");
                if !answer.is_empty() && answer != seen.text {
                    events.push(seen.text(answer));
                }
                Some(events)
            }
            "error" => {
                let message = string(value, "/message");
                if self.error.is_none() || string(value, "/source") != "cli" {
                    self.error = Some(text::bounded(message, text::RAW));
                }
                Some(vec![Event::Notice(text::sentence(&readable(message)))])
            }
            _ => None,
        }
    }

    fn tool_call(&mut self, value: &Value) -> Event {
        let (id, name) = (string(value, "/id").to_owned(), string(value, "/toolName").to_owned());
        let path = string(value, "/parameters/file_path");
        if matches!(name.as_str(), "Create" | "Edit" | "ApplyPatch") && !path.is_empty() {
            let _ = self.files.insert(id.clone(), path.to_owned());
        }
        let input = value.get("parameters").unwrap_or(&Value::Null);
        Event::ToolCall { id, name, summary: text::summary(input) }
    }

    fn tool_result(&mut self, value: &Value) -> Vec<Event> {
        let id = string(value, "/id").to_owned();
        let is_error = value.get("isError").and_then(Value::as_bool).unwrap_or(false);
        let output =
            text::output(string(value, if is_error { "/error/message" } else { "/value" }));
        let changed = self.files.remove(&id).filter(|_| !is_error);
        let result = Event::ToolResult { id, is_error, output };
        std::iter::once(result).chain(changed.map(|path| Event::FileChange(vec![path]))).collect()
    }

    /// Only `completion` says that a turn went well: the program exits with 0 on signals, too.
    pub fn verdict(&self) -> Option<Result<(), Failure>> {
        if self.completed {
            return Some(Ok(()));
        }
        let error = self.error.as_ref()?;
        let kind = text::kind_of_error(error).unwrap_or(FailureKind::Other);
        Some(Err(fail(kind, readable(error))))
    }
}

/// The service's own sentence out of "401 {json}".
fn readable(message: &str) -> String {
    message
        .find('{')
        .and_then(|begin| {
            let body: Value = serde_json::from_str(&message[begin..]).ok()?;
            let sentence = string(&body, "/error/message");
            (!sentence.is_empty()).then(|| format!("{}: {sentence}", message[..begin].trim()))
        })
        .unwrap_or_else(|| message.to_owned())
}
