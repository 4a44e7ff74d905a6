//! The demo agent inside our own program: `sessions/UUID.jsonl`.

use serde_json::Value;

use super::sheet::Sheet;
use super::{text, tools};

pub(super) fn record(value: &Value, sheet: &mut Sheet) {
    let words = text(value, "/text").unwrap_or_default();
    match text(value, "/type") {
        Some("session") => {
            sheet.at(value.get("created_ms").and_then(Value::as_u64));
            let facts = sheet.facts();
            facts.called(text(value, "/id"));
            facts.in_directory(text(value, "/directory"));
            facts.by_model(text(value, "/model"));
        }
        Some("user") => sheet.prompt(words),
        Some("assistant") => sheet.text(words, None),
        Some("tool") => {
            let name = text(value, "/name").unwrap_or_default();
            sheet.tool("", None, || {
                let mut tool = tools::call("", name, &Value::Null);
                tool.title = text(value, "/summary").unwrap_or_default().to_owned();
                tool.output = text(value, "/output").unwrap_or_default().to_owned();
                tool.state =
                    tools::state(value.get("is_error").and_then(Value::as_bool) == Some(true));
                tool
            });
        }
        _ => {}
    }
}
