//! Codex: `exec --json`.

use maestro_core::turn::{Event, Failure, FailureKind, Usage};
use serde_json::Value;

use super::{Exit, Seen, array, fail, number, string, text};

#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Only these two end a turn; `error` lines before them are retries.
    ending: Option<Result<(), String>>,
    changed_files: bool,
}

impl Stream {
    pub fn line(&mut self, value: &Value, seen: &mut Seen) -> Option<Vec<Event>> {
        match string(value, "/type") {
            "thread.started" => {
                Some(seen.session(string(value, "/thread_id"), None).into_iter().collect())
            }
            "turn.started" => {
                self.ending = None;
                Some(Vec::new())
            }
            "item.started" => self.started(value.get("item")?),
            "item.updated" => Some(Vec::new()),
            "item.completed" => self.completed(value.get("item")?, seen),
            "turn.completed" => {
                self.ending = Some(Ok(()));
                // On a resumed thread this is the thread's total, not the turn's.
                let total = |field| number(value, field);
                let before = seen.before;
                Some(vec![seen.usage(Usage {
                    input_tokens: total("/usage/input_tokens").saturating_sub(before.input),
                    cached_tokens:
                        total("/usage/cached_input_tokens").saturating_sub(before.cached),
                    output_tokens: total("/usage/output_tokens").saturating_sub(before.output),
                    cost_usd: None,
                })])
            }
            "turn.failed" => {
                self.ending = Some(Err(string(value, "/error/message").to_owned()));
                Some(Vec::new())
            }
            "error" => {
                let message = text::sentence(string(value, "/message"));
                Some(vec![match message.strip_prefix("Reconnecting... ") {
                    Some(reason) => Event::Retrying(reason.to_owned()),
                    None => Event::Notice(message),
                }])
            }
            _ => None,
        }
    }

    fn started(&mut self, item: &Value) -> Option<Vec<Event>> {
        let (name, summary) = match string(item, "/type") {
            "command_execution" => ("shell".to_owned(), text::sentence(string(item, "/command"))),
            "mcp_tool_call" => (mcp_name(item), text::summary(&item["arguments"])),
            "web_search" => ("web_search".to_owned(), text::sentence(string(item, "/query"))),
            // Reported when done.
            "file_change" | "agent_message" | "reasoning" | "todo_list" | "error" => {
                return Some(Vec::new());
            }
            _ => return None,
        };
        Some(vec![Event::ToolCall { id: string(item, "/id").to_owned(), name, summary }])
    }

    fn completed(&mut self, item: &Value, seen: &mut Seen) -> Option<Vec<Event>> {
        let id = string(item, "/id").to_owned();
        let failed = string(item, "/status") == "failed";
        let event = match string(item, "/type") {
            "agent_message" => seen.text(string(item, "/text")),
            "reasoning" => Event::Thinking(text::bounded(string(item, "/text"), text::ANSWER)),
            "error" => Event::Notice(text::sentence(string(item, "/message"))),
            "command_execution" => Event::ToolResult {
                id,
                is_error: failed,
                output: text::output(string(item, "/aggregated_output")),
            },
            "mcp_tool_call" => Event::ToolResult {
                id,
                is_error: failed || item.get("error").is_some_and(|error| !error.is_null()),
                output: text::output(&mcp_output(item)),
            },
            "file_change" if failed => Event::Notice("A patch could not be applied.".to_owned()),
            "file_change" => {
                self.changed_files = true;
                let paths = array(item, "/changes").iter().map(|change| string(change, "/path"));
                Event::FileChange(paths.map(str::to_owned).collect())
            }
            "web_search" => Event::ToolResult { id, is_error: failed, output: String::new() },
            "todo_list" => return Some(Vec::new()),
            _ => return None,
        };
        Some(vec![event])
    }

    pub fn verdict(&self, exit: &Exit) -> Option<Result<(), Failure>> {
        Some(match self.ending.as_ref()? {
            // A refused write shows nowhere on standard output.
            Ok(()) if !self.changed_files && exit.stderr.contains("patch rejected:") => Err(fail(
                FailureKind::Permission,
                "Codex was not allowed to write: its sandbox is read-only; let it work unattended, or set \
                 another sandbox_mode in its configuration.",
            )),
            Ok(()) => Ok(()),
            Err(message) => {
                let kind = match text::kind_of_error(message).unwrap_or(FailureKind::Other) {
                    FailureKind::Limit { resets_ms: None } => {
                        FailureKind::Limit { resets_ms: text::resets_from_now(message) }
                    }
                    kind => kind,
                };
                Err(fail(kind, message.as_str()))
            }
        })
    }
}

fn mcp_name(item: &Value) -> String {
    format!("{}.{}", string(item, "/server"), string(item, "/tool"))
}

fn mcp_output(item: &Value) -> String {
    match item.get("error") {
        Some(Value::Object(error)) => {
            error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        Some(Value::String(error)) => error.clone(),
        _ => array(item, "/result/content")
            .iter()
            .map(|block| string(block, "/text"))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}
