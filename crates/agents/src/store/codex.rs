//! Codex: `sessions/YYYY/MM/DD/rollout-TIME-UUID.jsonl`. What the model was given and gave back are
//! `response_item`s in every version; newer ones have the same again as items of `event_msg`, which tell
//! more about commands and changed files. Established with 0.169.0.

use maestro_core::conversation::{ChangeKind, Tool, ToolState};
use serde_json::Value;

use super::sheet::Sheet;
use super::{items, text, time, tools};

/// What a user's text begins with that no user typed.
const INJECTED: [&str; 8] = [
    "<environment_context>",
    "<user_instructions>",
    "<skills_instructions>",
    "<permissions instructions>",
    "<turn_aborted>",
    "<user_shell_command>",
    "<subagent_notification>",
    "# AGENTS.md instructions",
];

pub(super) fn record(value: &Value, sheet: &mut Sheet) {
    let at = text(value, "/timestamp").and_then(time::of);
    let payload = &value["payload"];
    match text(value, "/type") {
        Some("session_meta") => {
            sheet.at(at);
            let facts = sheet.facts();
            facts.called(text(payload, "/id"));
            facts.in_directory(text(payload, "/cwd"));
            facts.on_branch(text(payload, "/git/branch"));
        }
        Some("turn_context") => {
            sheet.facts().by_model(text(payload, "/model"));
            sheet.facts().in_directory(text(payload, "/cwd"));
        }
        Some("response_item") => {
            sheet.at(at);
            item(payload, sheet);
        }
        Some("event_msg") => event(payload, at, sheet),
        Some("compacted") => {
            sheet.at(at);
            sheet.notice("The conversation was compacted.");
        }
        // The first line of very old files.
        None if value.get("instructions").is_some() || value.get("git").is_some() => {
            sheet.at(at);
            sheet.facts().called(text(value, "/id"));
            sheet.facts().on_branch(text(value, "/git/branch"));
        }
        _ => {}
    }
}

fn item(item: &Value, sheet: &mut Sheet) {
    let call = text(item, "/call_id").or_else(|| text(item, "/id")).unwrap_or_default();
    match text(item, "/type") {
        Some("message") => message(item, sheet),
        Some("reasoning") => {
            for part in items(item, "/summary") {
                sheet.thinking(text(part, "/text").unwrap_or_default(), None);
            }
        }
        Some("function_call") => {
            let name = text(item, "/name").unwrap_or_default();
            let arguments = text(item, "/arguments").unwrap_or_default();
            if name == "update_plan" {
                sheet.todo(|| tools::todo(items(&parsed(arguments), "/plan")));
            } else {
                sheet.tool(call, None, || tools::call(call, name, &parsed(arguments)));
            }
        }
        Some("custom_tool_call") => {
            let name = text(item, "/name").unwrap_or_default();
            sheet.tool(call, None, || tools::call(call, name, &item["input"]));
        }
        Some("local_shell_call") => {
            sheet.tool(call, None, || tools::call(call, "local_shell_call", &item["action"]));
        }
        Some("web_search_call") => {
            sheet.tool(call, None, || Tool {
                state: ToolState::Done,
                ..tools::call(call, "web_search", &item["action"])
            });
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            sheet.amend(call, |tool| output(&item["output"], tool));
        }
        _ => {}
    }
}

/// The arguments of a call: JSON in a text.
fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|_| Value::String(arguments.to_owned()))
}

fn message(item: &Value, sheet: &mut Sheet) {
    let role = text(item, "/role");
    let mut words = String::new();
    for part in items(item, "/content") {
        let part = match text(part, "/type") {
            Some("input_image") => "[image]",
            _ => text(part, "/text").unwrap_or_default(),
        };
        let injected =
            role == Some("user") && INJECTED.iter().any(|lead| part.trim_start().starts_with(lead));
        if !injected && !part.is_empty() {
            if !words.is_empty() {
                words.push('\n');
            }
            words.push_str(part);
        }
    }
    match role {
        Some("user") => sheet.prompt(&words),
        Some("assistant") => sheet.text(&words, None),
        // The developer's are instructions.
        _ => {}
    }
}

fn output(output: &Value, tool: &mut Tool) {
    // Older versions have an object in the text: {"output": …, "metadata": {"exit_code": …}}.
    let inner = output.as_str().filter(|text| text.starts_with('{')).map(parsed);
    let told = inner.as_ref().filter(|inner| inner.get("output").is_some()).unwrap_or(output);
    let exit = told.pointer("/metadata/exit_code").and_then(Value::as_i64);
    let whole = match told.get("output").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => match output.get("content") {
            Some(content) => tools::output(content),
            None => tools::output(output),
        },
    };
    let stated = ["Process exited with code ", "Exit code: "].iter().find_map(|lead| {
        let (head, rest) = whole.split_once(lead)?;
        // Only where the program puts it, at the beginning.
        (head.len() < 200).then(|| rest.lines().next()?.trim().parse::<i64>().ok())?
    });
    if let Some(exit) = exit.or(stated).and_then(|exit| i32::try_from(exit).ok()) {
        tool.exit = Some(exit);
    }
    if tool.state == ToolState::Cut {
        tool.state = tools::state(tool.exit.is_some_and(|exit| exit != 0));
    }
    if tool.output.is_empty() {
        tool.output = match whole.split_once("\nOutput:\n") {
            Some((head, rest)) if head.len() < 400 => rest.to_owned(),
            _ => whole,
        };
    }
}

fn event(event: &Value, at: Option<u64>, sheet: &mut Sheet) {
    match text(event, "/type") {
        Some("item_completed") => completed(&event["item"], sheet),
        Some("thread_name_updated") => {
            let name = ["/thread_name", "/name"].iter().find_map(|field| text(event, field));
            sheet.facts().name(name);
        }
        Some("task_complete") => {
            if let Some(message) = text(event, "/error/message") {
                sheet.at(at);
                sheet.failed(|| tools::failure(message));
            }
        }
        Some("turn_aborted") => {
            sheet.at(at);
            sheet.interrupted();
        }
        Some("error") => {
            sheet.at(at);
            let message = text(event, "/message").unwrap_or_default();
            sheet.failed(|| tools::failure(message));
        }
        Some("patch_apply_end") => {
            let call = text(event, "/call_id").unwrap_or_default();
            sheet.amend(call, |tool| changed(event, tool));
        }
        Some("exec_command_end") => {
            let call = text(event, "/call_id").unwrap_or_default();
            sheet.amend(call, |tool| ran(event, tool));
        }
        _ => {}
    }
}

fn completed(item: &Value, sheet: &mut Sheet) {
    let call = text(item, "/id").unwrap_or_default();
    match text(item, "/type") {
        Some("CommandExecution") => sheet.amend(call, |tool| ran(item, tool)),
        Some("FileChange") => sheet.amend(call, |tool| changed(item, tool)),
        _ => {}
    }
}

fn ran(item: &Value, tool: &mut Tool) {
    if let Some(output) = text(item, "/aggregated_output") {
        output.clone_into(&mut tool.output);
    }
    let exit = item.get("exit_code").and_then(Value::as_i64);
    tool.exit = exit.and_then(|exit| i32::try_from(exit).ok()).or(tool.exit);
    tool.state = match text(item, "/status") {
        Some("declined") => ToolState::Denied,
        Some("failed") => ToolState::Failed,
        _ => tools::state(tool.exit.is_some_and(|exit| exit != 0)),
    };
}

fn changed(item: &Value, tool: &mut Tool) {
    let Some(changes) = item.get("changes").and_then(Value::as_object) else { return };
    tool.changes = changes
        .iter()
        .take(200)
        .map(|(path, change)| {
            let content = text(change, "/content").unwrap_or_default();
            match text(change, "/type") {
                Some("add") => tools::added(path, content),
                Some("delete") => {
                    let mut change = tools::added(path, content);
                    change.kind = ChangeKind::Delete;
                    (change.added, change.removed) = (0, change.added);
                    change.diff = change.diff.replacen("-0,0 +1,", "-1,", 1);
                    change.diff = change.diff.replace("\n+", "\n-").replacen(" @@", " +0,0 @@", 1);
                    change
                }
                _ => {
                    let diff = text(change, "/unified_diff").unwrap_or_default();
                    tools::of_diff(path, ChangeKind::Update, diff)
                }
            }
        })
        .collect();
    tool.state = match text(item, "/status") {
        Some("declined") => ToolState::Denied,
        Some("failed") => ToolState::Failed,
        _ => ToolState::Done,
    };
}
