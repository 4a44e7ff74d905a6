//! GitHub Copilot CLI: a folder a session, `session-state/UUID/` with `workspace.yaml` and
//! `events.jsonl`. Established with 1.0.102.

use maestro_core::conversation::{Change, ChangeKind, ToolState};
use serde_json::Value;

use super::facts::Facts;
use super::sheet::Sheet;
use super::{items, text, time, tools};

pub(super) fn record(value: &Value, sheet: &mut Sheet) {
    sheet.at(text(value, "/timestamp").and_then(time::of));
    let data = &value["data"];
    match text(value, "/type") {
        Some("session.start" | "session.resume") => {
            let facts = sheet.facts();
            facts.called(text(data, "/sessionId"));
            facts.in_directory(text(data, "/context/cwd"));
            facts.on_branch(text(data, "/context/branch"));
            facts.by_model(text(data, "/selectedModel"));
        }
        Some("session.model_change") => sheet.facts().by_model(text(data, "/newModel")),
        Some("session.title_changed") => sheet.facts().make(text(data, "/title")),
        // What the program sends by itself says who sent it.
        Some("user.message") if text(data, "/source").is_none_or(|source| source == "user") => {
            sheet.prompt(text(data, "/content").unwrap_or_default());
        }
        Some("assistant.message") => {
            // A subagent's.
            if text(data, "/parentToolCallId").is_some() {
                return;
            }
            sheet.facts().by_model(text(data, "/model"));
            sheet.thinking(text(data, "/reasoningText").unwrap_or_default(), None);
            sheet.text(text(data, "/content").unwrap_or_default(), None);
            for request in items(data, "/toolRequests") {
                let call = text(request, "/toolCallId").unwrap_or_default();
                let name = text(request, "/name").unwrap_or_default();
                sheet.tool(call, None, || tools::call(call, name, &request["arguments"]));
            }
        }
        Some("tool.execution_complete") => result(data, sheet),
        Some("session.error") => {
            let message = text(data, "/message").unwrap_or_default();
            sheet.failed(|| tools::failure(message));
        }
        Some("abort") => sheet.interrupted(),
        Some("session.compaction_complete") => sheet.notice("The conversation was compacted."),
        _ => {}
    }
}

fn result(data: &Value, sheet: &mut Sheet) {
    let call = text(data, "/toolCallId").unwrap_or_default();
    sheet.amend(call, |tool| {
        let done = data.get("success").and_then(Value::as_bool) == Some(true);
        let exit = data.pointer("/shellExecution/exitCode").and_then(Value::as_i64);
        tool.exit = exit.and_then(|exit| i32::try_from(exit).ok());
        tool.state = tools::state(!done || tool.exit.is_some_and(|exit| exit != 0));
        let words = text(data, "/result/content").or_else(|| text(data, "/error/message"));
        tool.output = words.unwrap_or_default().to_owned();
        if !done {
            tool.changes.clear();
            if text(data, "/error/code").is_some_and(|code| matches!(code, "denied" | "rejected")) {
                tool.state = ToolState::Denied;
            }
        }
        let edits = items(data, "/fileEdits");
        if done && !edits.is_empty() {
            let diff = text(data, "/result/detailedContent").unwrap_or_default();
            tool.changes = edits.iter().take(200).filter_map(|edit| change(edit, diff)).collect();
        }
    });
}

/// One of the files that a call changed; `diff` is git's, of all of them.
fn change(edit: &Value, diff: &str) -> Option<Change> {
    let path = text(edit, "/path")?;
    let kind = match text(edit, "/kind") {
        Some("create") => ChangeKind::Add,
        Some("delete") => ChangeKind::Delete,
        _ => ChangeKind::Update,
    };
    let name = path.trim_start_matches('/');
    let part = diff
        .split("diff --git ")
        .find(|part| part.lines().next().is_some_and(|line| line.contains(name)))
        .unwrap_or_default();
    Some(tools::of_diff(path, kind, part))
}

/// What `workspace.yaml` says: `key: value` a line, a value with quotes where it needs them.
pub(super) fn workspace(yaml: &str, facts: &mut Facts) {
    let mut named = false;
    for line in yaml.lines().take(200) {
        let Some((key, value)) = line.split_once(": ") else { continue };
        let value = value.trim();
        let value = match value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(inner) => inner.replace("''", "'"),
            None => value
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .unwrap_or(value)
                .to_owned(),
        };
        match key {
            "id" => facts.called(Some(&value)),
            "cwd" => facts.in_directory(Some(&value)),
            "branch" => facts.on_branch(Some(&value)),
            "name" => facts.make(Some(&value)),
            "user_named" => named = value == "true",
            "created_at" | "updated_at" => facts.at(time::of(&value).unwrap_or_default()),
            _ => {}
        }
    }
    if named {
        facts.named = facts.made.clone();
    }
}
