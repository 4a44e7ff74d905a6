//! Tool calls as the providers store them: their kind, their title, and the changes they made.

use maestro_core::conversation::{
    Change, ChangeKind, INPUT_LIMIT, OUTPUT_LIMIT, Todo, TodoState, Tool, ToolKind, ToolState,
};
use maestro_core::text::beginning_of;
use maestro_core::turn::{Failure, FailureKind};
use serde_json::Value;

use super::{items, text};
use crate::stream::text::{kind_of_error, sentence};

/// A call of which nothing is known but its id.
pub(super) fn empty(call: &str) -> Tool {
    Tool {
        call: call.to_owned(),
        name: String::new(),
        kind: ToolKind::Other,
        title: String::new(),
        input: String::new(),
        output: String::new(),
        // A call of which no result was stored is one whose turn ended before.
        state: ToolState::Cut,
        exit: None,
        changes: Vec::new(),
        started_ms: 0,
        ended_ms: None,
        parent: None,
    }
}

/// A call with its input.
pub(super) fn call(call: &str, name: &str, input: &Value) -> Tool {
    let kind = kind(name);
    let changes = change_of_input(name, input);
    Tool {
        name: name.to_owned(),
        kind,
        title: title(input).unwrap_or_else(|| name.to_owned()),
        input: shown(input),
        changes,
        ..empty(call)
    }
}

/// Input for people: JSON, indented; a text as it is.
fn shown(input: &Value) -> String {
    match input {
        Value::Null => String::new(),
        Value::String(text) => beginning_of(text, INPUT_LIMIT + 1).to_owned(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// What kind of tool it is, by the names that the providers use.
pub(super) fn kind(name: &str) -> ToolKind {
    if name.starts_with("mcp__") || name.contains("___") {
        return ToolKind::Mcp;
    }
    match name.to_ascii_lowercase().as_str() {
        "bash" | "shell" | "execute" | "exec_command" | "local_shell_call"
        | "run_shell_command" | "bashoutput" | "killshell" | "write_stdin" | "powershell"
        | "read_bash" | "unified_exec" => ToolKind::Shell,
        "edit" | "write" | "multiedit" | "notebookedit" | "create" | "applypatch"
        | "apply_patch" | "patch" | "write_file" | "replace" | "str_replace_editor" => {
            ToolKind::Edit
        }
        "read" | "view" | "read_file" | "read_many_files" | "notebookread" | "view_image"
        | "ls" | "list" | "list_directory" => ToolKind::Read,
        "grep"
        | "glob"
        | "search"
        | "search_file_content"
        | "rg"
        | "codesearch"
        | "tool_search"
        | "toolsearch" => ToolKind::Search,
        "webfetch" | "websearch" | "web_fetch" | "web_search" | "fetchurl" | "fetch"
        | "google_web_search" => ToolKind::Fetch,
        "task" | "agent" | "spawn_agent" | "delegate" => ToolKind::Agent,
        _ => ToolKind::Other,
    }
}

/// What a call works on, in one line.
fn title(input: &Value) -> Option<String> {
    if let Some(text) = input.as_str() {
        return text
            .lines()
            .find_map(|line| {
                ["*** Add File: ", "*** Update File: ", "*** Delete File: "]
                    .iter()
                    .find_map(|lead| line.strip_prefix(lead))
            })
            .or_else(|| text.lines().next())
            .map(str::to_owned);
    }
    let words = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(words) => {
            Some(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    };
    [
        "command",
        "cmd",
        "file_path",
        "filePath",
        "path",
        "notebook_path",
        "pattern",
        "query",
        "url",
        "description",
        "prompt",
        "input",
    ]
    .iter()
    .find_map(|name| input.get(name).and_then(words))
    .filter(|title| !title.trim().is_empty())
}

/// The change that a call asks for, where its input says it: for providers that store no diff.
fn change_of_input(name: &str, input: &Value) -> Vec<Change> {
    if kind(name) != ToolKind::Edit {
        return Vec::new();
    }
    if let Some(patch) = input.as_str().or_else(|| text(input, "/input")) {
        return of_patch(patch);
    }
    let one_of = |names: &[&str]| names.iter().find_map(|name| input.get(name)?.as_str());
    let Some(path) = one_of(&["file_path", "filePath", "path", "notebook_path"]) else {
        return Vec::new();
    };
    if let (Some(old), Some(new)) = (
        one_of(&["old_string", "old_str", "oldString"]),
        one_of(&["new_string", "new_str", "newString"]),
    ) {
        return vec![replaced(path, old, new)];
    }
    if let Some(content) = one_of(&["content", "file_text"]) {
        return vec![added(path, content)];
    }
    Vec::new()
}

/// A file that is new.
pub(super) fn added(path: &str, content: &str) -> Change {
    let (diff, lines) = marked('+', content);
    let count = if lines == 0 { String::new() } else { format!("@@ -0,0 +1,{lines} @@\n{diff}") };
    Change { path: path.to_owned(), kind: ChangeKind::Add, diff: count, added: lines, removed: 0 }
}

/// Text in a file that was replaced by another; where in the file is not known.
fn replaced(path: &str, old: &str, new: &str) -> Change {
    let (minus, removed) = marked('-', old);
    let (plus, added) = marked('+', new);
    let diff = format!("@@ -1,{removed} +1,{added} @@\n{minus}{plus}");
    Change { path: path.to_owned(), kind: ChangeKind::Update, diff, added, removed }
}

fn marked(mark: char, content: &str) -> (String, u32) {
    let mut lines = 0;
    let mut marked = String::with_capacity(content.len().min(OUTPUT_LIMIT) + 64);
    for line in content.lines() {
        lines += 1;
        if marked.len() < OUTPUT_LIMIT {
            marked.push(mark);
            marked.push_str(line);
            marked.push('\n');
        }
    }
    (marked, lines)
}

/// A unified diff of one file, with or without the headers before its hunks.
pub(super) fn of_diff(path: &str, kind: ChangeKind, diff: &str) -> Change {
    let from = if diff.starts_with("@@") { Some(0) } else { diff.find("\n@@").map(|at| at + 1) };
    let hunks = from.map_or("", |from| &diff[from..]);
    let count = |mark: char| {
        u32::try_from(hunks.lines().filter(|line| line.starts_with(mark)).count())
            .unwrap_or(u32::MAX)
    };
    Change {
        path: path.to_owned(),
        kind,
        diff: beginning_of(hunks, OUTPUT_LIMIT).to_owned(),
        added: count('+'),
        removed: count('-'),
    }
}

/// The changes of a patch in the form that `apply_patch` takes.
pub(super) fn of_patch(patch: &str) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for line in patch.lines() {
        let heads = [
            ("*** Add File: ", ChangeKind::Add),
            ("*** Update File: ", ChangeKind::Update),
            ("*** Delete File: ", ChangeKind::Delete),
        ];
        if let Some((path, kind)) =
            heads.iter().find_map(|(lead, kind)| Some((line.strip_prefix(lead)?, *kind)))
        {
            if changes.len() >= 200 {
                break;
            }
            let path = path.trim().to_owned();
            changes.push(Change { path, kind, diff: String::new(), added: 0, removed: 0 });
            continue;
        }
        if line.starts_with("*** ") {
            continue;
        }
        let Some(change) = changes.last_mut() else { continue };
        if change.diff.is_empty() && !line.starts_with("@@") {
            change.diff.push_str("@@\n");
        }
        match line.as_bytes().first() {
            Some(b'+') => change.added = change.added.saturating_add(1),
            Some(b'-') => change.removed = change.removed.saturating_add(1),
            _ => {}
        }
        if change.diff.len() < OUTPUT_LIMIT {
            change.diff.push_str(line);
            change.diff.push('\n');
        }
    }
    changes
}

/// A list of what is to do, by the names that the providers use for its parts.
pub(super) fn todo(list: &[Value]) -> Vec<Todo> {
    list.iter()
        .filter_map(|item| {
            let what = ["content", "step", "text", "description", "title"]
                .iter()
                .find_map(|name| item.get(name)?.as_str())?;
            let state = match item.get("status").and_then(Value::as_str) {
                Some("completed" | "done") => TodoState::Done,
                Some("in_progress" | "active") => TodoState::Doing,
                _ => TodoState::Open,
            };
            Some(Todo { text: what.to_owned(), state })
        })
        .collect()
}

/// A failure of which only the words were stored.
pub(super) fn failure(message: &str) -> Failure {
    Failure {
        kind: kind_of_error(message).unwrap_or(FailureKind::Other),
        message: sentence(message),
    }
}

/// The text of a result: a text, or a list of blocks with texts; images are named.
pub(super) fn output(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(_) => {
            let blocks: Vec<&str> = items(content, "")
                .iter()
                .filter_map(|block| match text(block, "/type") {
                    Some("image" | "input_image") => Some("[image]"),
                    _ => text(block, "/text"),
                })
                .collect();
            blocks.join("\n")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// How a call ended.
pub(super) fn state(is_error: bool) -> ToolState {
    if is_error { ToolState::Failed } else { ToolState::Done }
}
