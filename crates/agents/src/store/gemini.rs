//! Gemini CLI: `tmp/SLUG/chats/session-TIME-ID.jsonl`. A message with the same id comes again with more in
//! it; `$set` changes the header, and messages in it are what the program put before the first prompt.
//! Older versions wrote one JSON document instead. Established with 0.61.0.

use maestro_core::conversation::{ChangeKind, Tool, ToolState};
use serde_json::Value;

use super::sheet::Sheet;
use super::{items, text, time, tools};

pub(super) fn record(value: &Value, sheet: &mut Sheet) {
    if let Some(id) = text(value, "/sessionId") {
        sheet.facts().called(Some(id));
        sheet.facts().make(text(value, "/summary"));
        sheet.at(text(value, "/startTime").and_then(time::of));
        sheet.at(text(value, "/lastUpdated").and_then(time::of));
        for message in items(value, "/messages") {
            self::message(message, sheet);
        }
        return;
    }
    if let Some(set) = value.get("$set") {
        sheet.facts().make(text(set, "/summary"));
        // Messages that are set anew are the ones that were there, and what was injected.
        return;
    }
    message(value, sheet);
}

fn message(value: &Value, sheet: &mut Sheet) {
    let Some(id) = text(value, "/id") else { return };
    sheet.at(text(value, "/timestamp").and_then(time::of));
    match text(value, "/type") {
        Some("user") => {
            if sheet.knows(id) {
                return;
            }
            sheet.remember(id, "", 0);
            let words = words(&value["content"]);
            if !words.trim_start().starts_with("<session_context>") {
                sheet.prompt(&words);
            }
        }
        Some("gemini") => answer(id, value, sheet),
        Some(kind @ ("info" | "warning" | "error")) => {
            if sheet.knows(id) {
                return;
            }
            sheet.remember(id, "", 0);
            let words = words(&value["content"]);
            if kind == "error" {
                sheet.failed(|| tools::failure(&words));
            } else if words.starts_with("Request cancelled") {
                sheet.interrupted();
            } else {
                sheet.notice(&words);
            }
        }
        _ => {}
    }
}

/// Text, or parts with text; what a tool gave back is not somebody's words.
fn words(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        _ => {
            let parts: Vec<&str> = items(content, "")
                .iter()
                .filter_map(|part| match part.get("inlineData") {
                    Some(_) => Some("[image]"),
                    None => text(part, "/text"),
                })
                .collect();
            parts.join("\n")
        }
    }
}

fn answer(id: &str, value: &Value, sheet: &mut Sheet) {
    sheet.facts().by_model(text(value, "/model"));
    for (at, thought) in items(value, "/thoughts").iter().enumerate() {
        let subject = text(thought, "/subject").unwrap_or_default();
        let description = text(thought, "/description").unwrap_or_default();
        let whole = if subject.is_empty() {
            description.to_owned()
        } else {
            format!("**{subject}**\n\n{description}")
        };
        sheet.thinking(&whole, Some((id, &format!("thought {at}"))));
    }
    sheet.text(&words(&value["content"]), Some((id, "text")));
    for request in items(value, "/toolCalls") {
        let call = text(request, "/id").unwrap_or_default();
        sheet.tool(call, Some(id), || tool(call, request));
    }
}

fn tool(call: &str, request: &Value) -> Tool {
    let name = text(request, "/name").unwrap_or_default();
    let mut tool = tools::call(call, name, &request["args"]);
    if let Some(at) = text(request, "/timestamp").and_then(time::of) {
        tool.ended_ms = Some(at);
    }
    tool.state = match text(request, "/status") {
        Some("success") => ToolState::Done,
        Some("cancelled") => ToolState::Denied,
        Some("error") => ToolState::Failed,
        _ => ToolState::Cut,
    };
    let given: Vec<&str> = items(request, "/result")
        .iter()
        .filter_map(|part| {
            let response = part.pointer("/functionResponse/response")?;
            text(response, "/output").or_else(|| text(response, "/error"))
        })
        .collect();
    let display = &request["resultDisplay"];
    tool.output = match display.as_str().filter(|text| !text.is_empty()) {
        Some(text) => text.to_owned(),
        None => given.join("\n"),
    };
    tool.exit = given.iter().find_map(|text| {
        let (_, rest) = text.rsplit_once("\nExit Code: ")?;
        rest.lines().next()?.trim().parse().ok()
    });
    if tool.exit.is_some_and(|exit| exit != 0) {
        tool.state = ToolState::Failed;
    }
    if let Some(diff) = text(display, "/fileDiff") {
        let path = text(display, "/filePath").or_else(|| text(display, "/fileName"));
        let new = display.get("isNewFile").and_then(Value::as_bool) == Some(true);
        let kind = if new { ChangeKind::Add } else { ChangeKind::Update };
        tool.changes = vec![tools::of_diff(path.unwrap_or_default(), kind, diff)];
    } else if tool.state != ToolState::Done {
        tool.changes.clear();
    }
    tool
}
