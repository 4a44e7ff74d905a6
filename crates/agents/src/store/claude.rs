//! Claude Code: `projects/ENCODED/UUID.jsonl`, a record a line. Every block of an answer is a line of its
//! own; a tool's result is a line of the user's. Established with 2.1.197.

use maestro_core::conversation::{Change, ChangeKind, ToolState};
use serde_json::Value;

use super::sheet::Sheet;
use super::{items, text, time, tools};

/// What a user's text begins with that no user typed.
const INJECTED: [&str; 9] = [
    "<system-reminder>",
    "<local-command-",
    "<command-message>",
    "<bash-stdout>",
    "<bash-stderr>",
    "<user-memory-input>",
    "<task-notification>",
    "Caveat: The messages below",
    "This session is being continued from a previous conversation",
];

pub(super) fn record(value: &Value, sheet: &mut Sheet) {
    sheet.facts().called(text(value, "/sessionId"));
    match text(value, "/type") {
        Some("custom-title") => sheet.facts().name(text(value, "/customTitle")),
        Some("ai-title") => {
            let title = ["/aiTitle", "/title"].iter().find_map(|field| text(value, field));
            sheet.facts().make(title);
        }
        Some("summary") => sheet.facts().make(text(value, "/summary")),
        Some("user") => said(value, sheet, user),
        Some("assistant") => said(value, sheet, assistant),
        Some("system") if text(value, "/subtype") == Some("compact_boundary") => {
            sheet.at(text(value, "/timestamp").and_then(time::of));
            sheet.notice("The conversation was compacted.");
        }
        _ => {}
    }
}

fn said(value: &Value, sheet: &mut Sheet, take: fn(&Value, &mut Sheet)) {
    // What subagents said is theirs; what came of it is the result of the call that started them.
    if value.get("isSidechain").and_then(Value::as_bool) == Some(true) {
        return;
    }
    sheet.at(text(value, "/timestamp").and_then(time::of));
    sheet.facts().in_directory(text(value, "/cwd"));
    sheet.facts().on_branch(text(value, "/gitBranch"));
    take(value, sheet);
}

fn user(value: &Value, sheet: &mut Sheet) {
    let meta = value.get("isMeta").and_then(Value::as_bool) == Some(true)
        || value.get("isCompactSummary").and_then(Value::as_bool) == Some(true);
    let content = &value["message"]["content"];
    let blocks = items(content, "");
    for block in blocks.iter().filter(|block| text(block, "/type") == Some("tool_result")) {
        result(block, &value["toolUseResult"], sheet);
    }
    let words = match content {
        Value::String(text) => text.clone(),
        _ => {
            let parts: Vec<&str> = blocks
                .iter()
                .filter_map(|block| match text(block, "/type") {
                    Some("text") => text(block, "/text"),
                    Some("image") => Some("[image]"),
                    _ => None,
                })
                .collect();
            parts.join("\n")
        }
    };
    let words = words.trim();
    if meta || words.is_empty() {
    } else if words.starts_with("[Request interrupted by user") {
        sheet.interrupted();
    } else if let Some(command) = command(words) {
        sheet.facts().typed(&command);
        sheet.notice(&command);
    } else if !INJECTED.iter().any(|lead| words.starts_with(lead)) {
        sheet.prompt(words);
    }
}

/// The slash command that a user typed into its interface.
fn command(words: &str) -> Option<String> {
    let between = |name: &str| {
        let (_, rest) = words.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim())
    };
    let name = between("command-name")?;
    let arguments = between("command-args").unwrap_or_default();
    Some(format!("{name} {arguments}").trim().to_owned())
}

fn assistant(value: &Value, sheet: &mut Sheet) {
    let message = &value["message"];
    sheet.facts().by_model(text(message, "/model"));
    let failed = value.get("isApiErrorMessage").and_then(Value::as_bool) == Some(true);
    if let Some(words) = message["content"].as_str() {
        sheet.text(words, None);
    }
    for block in items(message, "/content") {
        match text(block, "/type") {
            Some("text") if failed => {
                let words = text(block, "/text").unwrap_or_default();
                sheet.failed(|| tools::failure(words));
            }
            Some("text") => sheet.text(text(block, "/text").unwrap_or_default(), None),
            Some("thinking") => sheet.thinking(text(block, "/thinking").unwrap_or_default(), None),
            Some("tool_use") => {
                let name = text(block, "/name").unwrap_or_default();
                let input = &block["input"];
                if name == "TodoWrite" {
                    sheet.todo(|| tools::todo(items(input, "/todos")));
                } else {
                    let call = text(block, "/id").unwrap_or_default();
                    sheet.tool(call, None, || tools::call(call, name, input));
                }
            }
            _ => {}
        }
    }
}

fn result(block: &Value, told: &Value, sheet: &mut Sheet) {
    let call = text(block, "/tool_use_id").unwrap_or_default();
    sheet.amend(call, |tool| {
        let is_error = block.get("is_error").and_then(Value::as_bool) == Some(true);
        tool.output = tools::output(&block["content"]);
        tool.state = tools::state(is_error);
        if is_error {
            // Nothing was changed then.
            tool.changes.clear();
            if tool.output.starts_with("The user doesn't want to proceed")
                || tool.output.contains("haven't granted it yet")
            {
                tool.state = ToolState::Denied;
            }
            let code = tool
                .output
                .strip_prefix("Exit code ")
                .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
            tool.exit = code;
        }
        if let Some(path) = text(told, "/filePath") {
            changes(path, told, &mut tool.changes);
        }
    });
}

/// What a result says about the file that was changed.
fn changes(path: &str, told: &Value, changes: &mut Vec<Change>) {
    let kind =
        if text(told, "/type") == Some("create") { ChangeKind::Add } else { ChangeKind::Update };
    let hunks = items(told, "/structuredPatch");
    if hunks.is_empty() {
        if kind == ChangeKind::Add
            && let Some(content) = text(told, "/content")
        {
            *changes = vec![tools::added(path, content)];
        }
        return;
    }
    let number = |hunk: &Value, name: &str| hunk.get(name).and_then(Value::as_u64).unwrap_or(0);
    let mut diff = String::new();
    for hunk in hunks {
        diff.push_str(&format!(
            "@@ -{},{} +{},{} @@\n",
            number(hunk, "oldStart"),
            number(hunk, "oldLines"),
            number(hunk, "newStart"),
            number(hunk, "newLines"),
        ));
        for line in items(hunk, "/lines").iter().filter_map(Value::as_str) {
            diff.push_str(line);
            diff.push('\n');
        }
    }
    *changes = vec![tools::of_diff(path, kind, &diff)];
}
