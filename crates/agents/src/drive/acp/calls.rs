//! Tool calls: what is told of one, piece by piece, put together.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use maestro_core::conversation::{
    Body, Change, ChangeKind, Event, Part, Tool, ToolKind, ToolState,
};
use serde_json::Value;

use crate::drive::{diff, parts};
use crate::stream::{array, string, text};

/// Calls of a turn that are remembered. Of older ones that are done nothing more is expected.
const REMEMBERED: usize = 256;

/// Changes of files that one call shows.
const CHANGES: usize = 200;

/// The calls of a turn.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: HashMap<String, Tool>,
    order: VecDeque<String>,
    /// Output that came by itself, before or without any content.
    streamed: HashMap<String, String>,
}

impl Calls {
    /// Reads a `tool_call` or a `tool_call_update`, or the call in a request for permission; gives back
    /// what to report, under `key`.
    pub fn read(
        &mut self,
        value: &Value,
        directory: &Path,
        key: impl FnOnce(&str) -> String,
        now_ms: u64,
    ) -> Option<Event> {
        let id =
            Some(string(value, "/toolCallId")).filter(|id| !id.is_empty() && id.len() < 1000)?;
        let key = key(id);
        let before = self.calls.get(id).cloned();
        let mut tool = match &before {
            Some(tool) => tool.clone(),
            None => self.begin(id, value, now_ms),
        };
        merge(&mut tool, value, directory, now_ms);
        if let Some(more) = value.pointer("/_meta/terminal_output/data").and_then(Value::as_str) {
            let output = self.streamed.entry(id.to_owned()).or_default();
            if output.len() < maestro_core::conversation::OUTPUT_LIMIT {
                output.push_str(more);
            }
            tool.output = parts::output(output);
        }
        let event = report(key, before.as_ref(), &tool);
        let _ = self.calls.insert(id.to_owned(), tool);
        event
    }

    fn begin(&mut self, id: &str, value: &Value, now_ms: u64) -> Tool {
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED {
            let done = |id: &String| {
                self.calls.get(id).is_none_or(|tool| tool.state != ToolState::Running)
            };
            if let Some(at) = self.order.iter().position(done)
                && let Some(old) = self.order.remove(at)
            {
                let _ = (self.calls.remove(&old), self.streamed.remove(&old));
            }
        }
        let name = name(id, value);
        let kind = kind(&name, string(value, "/kind"));
        let mut tool = parts::tool(id, &name, kind, &Value::Null, now_ms);
        tool.title.clone_from(&tool.name);
        tool
    }

    /// The call was refused.
    pub fn deny(&mut self, id: &str, key: String, now_ms: u64) -> Option<Event> {
        let tool = self.calls.get_mut(id)?;
        tool.state = ToolState::Denied;
        tool.ended_ms = Some(now_ms);
        Some(Event::Item { key, open: false, body: Body::Tool(tool.clone()) })
    }

    /// What a call is known to change.
    pub fn changes(&self, id: &str) -> Vec<Change> {
        self.calls.get(id).map(|tool| tool.changes.clone()).unwrap_or_default()
    }

    pub fn get(&self, id: &str) -> Option<&Tool> {
        self.calls.get(id)
    }

    /// The turn is over: what has not ended yet never will.
    pub fn finish(&mut self, key: impl Fn(&str) -> String, now_ms: u64) -> Vec<Event> {
        let order = std::mem::take(&mut self.order);
        self.streamed.clear();
        let mut calls = std::mem::take(&mut self.calls);
        order
            .iter()
            .filter_map(|id| {
                let mut tool = calls.remove(id)?;
                if tool.state != ToolState::Running {
                    return None;
                }
                tool.state = ToolState::Cut;
                tool.ended_ms = Some(now_ms);
                Some(Event::Item { key: key(id), open: false, body: Body::Tool(tool) })
            })
            .collect()
    }
}

/// The shortest report of what is new.
fn report(key: String, before: Option<&Tool>, tool: &Tool) -> Option<Event> {
    if let Some(before) = before {
        if before == tool {
            return None;
        }
        let more = tool.output.strip_prefix(before.output.as_str());
        let same = Tool { output: String::new(), ..before.clone() }
            == Tool { output: String::new(), ..tool.clone() };
        if let Some(more) = more.filter(|_| same && !before.output.is_empty()) {
            return Some(Event::Delta { key, part: Part::ToolOutput, text: more.to_owned() });
        }
    }
    let open = tool.state == ToolState::Running;
    Some(Event::Item { key, open, body: Body::Tool(tool.clone()) })
}

fn merge(tool: &mut Tool, value: &Value, directory: &Path, now_ms: u64) {
    let said = string(value, "/kind");
    if !said.is_empty() && tool.kind == ToolKind::Other {
        tool.kind = kind(&tool.name, said);
    }
    let input = parts::input(value.get("rawInput").unwrap_or(&Value::Null));
    if !input.is_empty() {
        tool.input = input;
    }
    if let Some(title) = title(value, tool, directory) {
        tool.title = title;
    }
    let changes = unified(value, tool).unwrap_or_else(|| changes(value, directory));
    if !changes.is_empty() {
        tool.changes = changes;
    }
    if let Some(output) = output(value) {
        tool.output = parts::output(&output);
    }
    tool.exit = exit(value).or(tool.exit);
    let state = match string(value, "/status") {
        // A command that failed is done for some, and the tool did what it had to.
        "completed" if tool.kind == ToolKind::Shell && tool.exit.is_some_and(|code| code != 0) => {
            ToolState::Failed
        }
        "completed" => ToolState::Done,
        // Who refused it knows better than the program's word for its end.
        "failed" if tool.state == ToolState::Denied => ToolState::Denied,
        "failed" if was_refused(value) => ToolState::Denied,
        "failed" => ToolState::Failed,
        _ => return,
    };
    if tool.kind == ToolKind::Edit && state == ToolState::Done && tool.changes.is_empty() {
        tool.changes = written(value, tool, directory);
    }
    tool.state = state;
    tool.ended_ms = tool.ended_ms.or(Some(now_ms));
}

/// Copilot has a field for it.
fn was_refused(value: &Value) -> bool {
    matches!(string(value, "/rawOutput/code"), "rejected" | "denied")
}

/// The tool's name. The protocol has none: some say it beside, OpenCode has it as the first title, and
/// Gemini begins its ids with it.
fn name(id: &str, value: &Value) -> String {
    for pointer in ["/_meta/toolName", "/_meta/claudeCode/toolName", "/_meta/tool_name"] {
        let name = string(value, pointer);
        if !name.is_empty() {
            return name.to_owned();
        }
    }
    let title = string(value, "/title");
    if !title.is_empty() && !title.contains([' ', '/', '.']) {
        return title.to_owned();
    }
    if let Some((name, _)) = id.split_once("__").filter(|(name, _)| !name.is_empty()) {
        return name.to_owned();
    }
    match string(value, "/kind") {
        "" => "tool".to_owned(),
        kind => kind.to_owned(),
    }
}

fn kind(name: &str, said: &str) -> ToolKind {
    let by_name = parts::kind_of(name);
    match said {
        "execute" => ToolKind::Shell,
        "edit" | "delete" | "move" => ToolKind::Edit,
        "read" => ToolKind::Read,
        "search" => ToolKind::Search,
        "fetch" => ToolKind::Fetch,
        _ => by_name,
    }
}

/// What it works on, in one line, if this says it better than what is known.
fn title(value: &Value, tool: &Tool, directory: &Path) -> Option<String> {
    let input = value.get("rawInput").unwrap_or(&Value::Null);
    let path = array(value, "/locations").first().map(|place| string(place, "/path"));
    let telling = match tool.kind {
        ToolKind::Shell => string(input, "/command").to_owned(),
        ToolKind::Edit | ToolKind::Read => path
            .filter(|path| !path.is_empty())
            .map(|path| within(path, directory))
            .unwrap_or_default(),
        _ => String::new(),
    };
    // The working directory alone tells nothing.
    let summary = if tool.kind == ToolKind::Shell { String::new() } else { text::summary(input) };
    let is_vague = tool.title.is_empty() || tool.title == tool.name;
    let said = Some(string(value, "/title")).filter(|_| is_vague).unwrap_or_default();
    let summary = within(&summary, directory);
    let said = within(said, directory);
    // A whole patch as the only input tells less than what is said about it.
    let found = if input.is_string() { [telling, said, summary] } else { [telling, summary, said] };
    found.into_iter().map(|title| text::sentence(&title)).find(|title| !title.is_empty())
}

/// A path as people say it: without the directory that everything is in.
pub(super) fn within(path: &str, directory: &Path) -> String {
    let inside = Path::new(path).strip_prefix(directory).ok().and_then(Path::to_str);
    inside.filter(|inside| !inside.is_empty()).unwrap_or(path).to_owned()
}

/// The differences in a call's content.
pub(super) fn changes(value: &Value, directory: &Path) -> Vec<Change> {
    array(value, "/content")
        .iter()
        .filter(|part| string(part, "/type") == "diff")
        .take(CHANGES)
        .map(|part| {
            let path = within(string(part, "/path"), directory);
            let kind = string(part, "/_meta/kind");
            // An empty old text is how most say that there was no file.
            let old = part
                .get("oldText")
                .and_then(Value::as_str)
                .filter(|old| kind != "add" && (!old.is_empty() || kind == "modify"));
            let new = part.get("newText").and_then(Value::as_str).filter(|_| kind != "delete");
            diff::change(&path, old, new)
        })
        .collect()
}

/// The whole difference that OpenCode gives with its output: its content has only the words replaced.
fn unified(value: &Value, tool: &Tool) -> Option<Vec<Change>> {
    let unified = string(value, "/rawOutput/metadata/diff");
    if !unified.contains("@@ ") {
        return None;
    }
    // One of several files would have to be taken apart; their contents are told apart already.
    let is_one = unified.lines().filter(|line| line.starts_with("+++ ")).count() == 1;
    let path = match tool.changes.as_slice() {
        [change] => change.path.clone(),
        _ => tool.title.clone(),
    };
    is_one.then(|| vec![from_unified(&path, unified)])
}

/// What a call changed that shows no difference: what was written where that is told, or at least the
/// name of the file.
fn written(value: &Value, tool: &Tool, directory: &Path) -> Vec<Change> {
    let input: Value = serde_json::from_str(&tool.input).unwrap_or(Value::Null);
    let path = ["/rawOutput/metadata/filepath", "/locations/0/path"]
        .into_iter()
        .map(|pointer| string(value, pointer))
        .chain(["/filePath", "/file_path", "/path"].into_iter().map(|at| string(&input, at)))
        .find(|path| !path.is_empty());
    let Some(path) = path.map(|path| within(path, directory)) else { return Vec::new() };
    let is_new =
        value.pointer("/rawOutput/metadata/exists").and_then(Value::as_bool) == Some(false);
    let unified = ["/rawOutput/detailedContent", "/rawOutput/diff"].map(|at| string(value, at));
    if let Some(unified) = unified.into_iter().find(|unified| unified.contains("@@ ")) {
        return vec![from_unified(&path, unified)];
    }
    match input.get("content").and_then(Value::as_str) {
        Some(content) if is_new => vec![diff::change(&path, None, Some(content))],
        _ => vec![parts::change(&path, ChangeKind::Update, "")],
    }
}

/// A unified diff of one file, with or without its headers.
pub(super) fn from_unified(path: &str, unified: &str) -> Change {
    let from = unified.find("\n@@ ").map(|at| at + 1).or(unified.starts_with("@@ ").then_some(0));
    let hunks = from.map_or("", |from| &unified[from..]);
    let head = &unified[..from.unwrap_or(0)];
    let kind = if head.contains("new file")
        || head.contains("create file")
        || hunks.starts_with("@@ -0,0")
    {
        ChangeKind::Add
    } else if head.contains("deleted file") {
        ChangeKind::Delete
    } else {
        ChangeKind::Update
    };
    parts::change(path, kind, hunks)
}

/// What a call gave back, if this says anything about it.
fn output(value: &Value) -> Option<String> {
    let texts: Vec<&str> = array(value, "/content")
        .iter()
        .filter(|part| string(part, "/type") == "content")
        .map(|part| string(part, "/content/text"))
        .filter(|text| !text.is_empty())
        .collect();
    if !texts.is_empty() {
        return Some(texts.join("\n"));
    }
    let raw = value.get("rawOutput")?;
    if let Some(text) = raw.as_str() {
        return Some(text.to_owned());
    }
    ["/output", "/error", "/error/message", "/content", "/formatted_output", "/stdout", "/message"]
        .into_iter()
        .map(|pointer| string(raw, pointer))
        .find(|text| !text.is_empty())
        .map(str::to_owned)
}

fn exit(value: &Value) -> Option<i32> {
    const AT: [&str; 6] = [
        "/rawOutput/contents/0/exitCode",
        "/rawOutput/metadata/exit",
        "/rawOutput/exit_code",
        "/rawOutput/exitCode",
        "/_meta/terminal_exit/exit_code",
        "/_meta/terminal_exit/exitCode",
    ];
    AT.iter().find_map(|at| value.pointer(at)?.as_i64()).and_then(|code| i32::try_from(code).ok())
}
