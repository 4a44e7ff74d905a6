//! Factory Droid: `sessions/ENCODED/UUID.jsonl`, and `UUID.settings.json` beside it. Established with
//! 0.225.2.

use maestro_core::conversation::ToolState;
use serde_json::Value;

use super::sheet::Sheet;
use super::{items, text, time, tools};

pub(super) fn record(value: &Value, sheet: &mut Sheet) {
    match text(value, "/type") {
        Some("session_start") => {
            let facts = sheet.facts();
            facts.called(text(value, "/id"));
            facts.in_directory(text(value, "/cwd"));
            let title = text(value, "/sessionTitle").or_else(|| text(value, "/title"));
            let set = value.get("isSessionTitleManuallySet").and_then(Value::as_bool);
            if set == Some(true) { facts.name(title) } else { facts.make(title) }
        }
        Some("message") => {
            sheet.at(text(value, "/timestamp").and_then(time::of));
            message(value, sheet);
        }
        Some("agent_turn_outcome")
            if matches!(text(value, "/reason"), Some("cancelled" | "interrupted" | "aborted")) =>
        {
            sheet.interrupted();
        }
        _ => {}
    }
}

fn message(value: &Value, sheet: &mut Sheet) {
    let message = &value["message"];
    let visibility = text(message, "/visibility").or_else(|| text(value, "/visibility"));
    if text(value, "/id").is_some_and(|id| id.starts_with("context-"))
        || visibility == Some("llm_only")
    {
        return;
    }
    sheet.facts().by_model(text(value, "/modelId"));
    let of_user = text(message, "/role") == Some("user");
    if let Some(words) = message["content"].as_str() {
        if of_user {
            sheet.prompt(words);
        } else {
            sheet.text(words, None);
        }
        return;
    }
    let mut prompt = Vec::new();
    for block in items(message, "/content") {
        let words = text(block, "/text").unwrap_or_default();
        match text(block, "/type") {
            Some("text") if !of_user => sheet.text(words, None),
            // What it told its user and not the model: its errors.
            Some("text") if visibility == Some("user_only") => {
                sheet.failed(|| tools::failure(words));
            }
            Some("text") if !words.trim_start().starts_with("<system-reminder>") => {
                prompt.push(words);
            }
            Some("image") if of_user => prompt.push("[image]"),
            Some("thinking") => sheet.thinking(text(block, "/thinking").unwrap_or_default(), None),
            Some("tool_use") => {
                let call = text(block, "/id").unwrap_or_default();
                let name = text(block, "/name").unwrap_or_default();
                let input = &block["input"];
                if name == "TodoWrite" {
                    sheet.todo(|| tools::todo(items(input, "/todos")));
                } else {
                    sheet.tool(call, None, || tools::call(call, name, input));
                }
            }
            Some("tool_result") => result(block, sheet),
            _ => {}
        }
    }
    sheet.prompt(&prompt.join("\n"));
}

fn result(block: &Value, sheet: &mut Sheet) {
    let call = text(block, "/tool_use_id").unwrap_or_default();
    sheet.amend(call, |tool| {
        let is_error = block.get("is_error").and_then(Value::as_bool) == Some(true);
        tool.output = tools::output(&block["content"]);
        tool.state = tools::state(is_error);
        if is_error {
            tool.changes.clear();
            if tool.output.contains("rejected by the user")
                || tool.output.contains("cancelled by user")
            {
                tool.state = ToolState::Denied;
            }
        }
        let exit = tool
            .output
            .rsplit_once("[Process exited with code ")
            .and_then(|(_, rest)| rest.trim_end().strip_suffix(']')?.parse().ok());
        tool.exit = exit;
    });
}
