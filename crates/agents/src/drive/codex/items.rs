//! Codex's items as entries: what it says, thinks, runs and changes.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use maestro_core::conversation::{
    Answer, Body, Change, ChangeKind, Event, Part, TEXT_LIMIT, Todo, TodoState, Tool, ToolKind,
    ToolState,
};
use serde_json::{Value, json};

use super::super::{Out, parts};
use crate::stream::{array, number, string, text};

/// Things remembered of one turn at most: a program that never ends a turn must not fill the memory.
const REMEMBERED: usize = 20_000;

/// The entries of one conversation.
#[derive(Debug)]
pub(super) struct Items {
    directory: PathBuf,
    turn: u64,
    count: u64,
    /// Texts and thinking of which more may come, by their keys.
    open: HashMap<String, Body>,
    tools: HashMap<String, Tool>,
    denied: HashSet<String>,
    /// Texts and thinking of the answer that is being received, by their keys.
    received: Vec<(String, Part)>,
    /// Of these, what was broken off and is now received again, under other ids.
    again: Vec<(String, Part)>,
    /// The keys of what is received again, by those ids.
    keys: HashMap<String, String>,
    /// The last text of the answer.
    answer: String,
}

impl Items {
    pub fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            turn: 0,
            count: 0,
            open: HashMap::new(),
            tools: HashMap::new(),
            denied: HashSet::new(),
            received: Vec::new(),
            again: Vec::new(),
            keys: HashMap::new(),
            answer: String::new(),
        }
    }

    pub fn begin_turn(&mut self, turn: u64) {
        self.turn = turn;
        self.answer.clear();
    }

    /// Closes what is open, and gives back the last text of the answer.
    pub fn end_turn(&mut self, now_ms: u64, out: &mut Out) -> String {
        let mut cut: Vec<Tool> =
            self.tools.drain().map(|(_, tool)| tool).filter(is_running).collect();
        cut.sort_by(|a, b| (a.started_ms, &a.call).cmp(&(b.started_ms, &b.call)));
        for mut tool in cut {
            tool.state = ToolState::Cut;
            tool.ended_ms = Some(now_ms);
            item(&tool.call.clone(), false, Body::Tool(tool), out);
        }
        for (key, body) in self.open.drain() {
            if let Body::Text(text) = &body {
                self.answer.clone_from(text);
            }
            item(&key, false, body, out);
        }
        self.denied.clear();
        self.answered_whole();
        self.keys.clear();
        std::mem::take(&mut self.answer)
    }

    /// The connection broke: what was received of this answer comes again, under other ids.
    pub fn retried(&mut self) {
        self.again = std::mem::take(&mut self.received);
    }

    /// The answer is complete: nothing of it comes again.
    pub fn answered_whole(&mut self) {
        self.received.clear();
        self.again.clear();
    }

    /// The key of a text or thinking: that of what it comes again for, or its own id.
    fn key(&mut self, id: &str, part: Part, out: &mut Out) -> String {
        if let Some(key) = self.keys.get(id) {
            return key.clone();
        }
        let before = self.again.iter().position(|(_, other)| *other == part);
        let key = before.map_or_else(|| id.to_owned(), |at| self.again.remove(at).0);
        if before.is_some() {
            // It grows from nothing again.
            let body = empty(part);
            let _ = self.open.remove(&key);
            item(&key, true, body, out);
        }
        if self.keys.len() < REMEMBERED {
            let _ = self.keys.insert(id.to_owned(), key.clone());
            self.received.push((key.clone(), part));
        }
        key
    }

    pub fn tell(&mut self, text: &str, out: &mut Out) {
        let text = text::sentence(text);
        if !text.is_empty() {
            self.own(Body::Notice(text), out);
        }
    }

    pub fn raw(&mut self, line: &str, out: &mut Out) {
        self.own(Body::Raw(parts::whole(line)), out);
    }

    fn own(&mut self, body: Body, out: &mut Out) {
        self.count += 1;
        item(&format!("own/{}", self.count), false, body, out);
    }

    /// A question about a call was answered.
    pub fn answered(&mut self, call: &str, answer: &Answer) {
        if matches!(answer, Answer::Deny(_)) && self.denied.len() < REMEMBERED {
            let _ = self.denied.insert(call.to_owned());
        }
    }

    /// What an item changes.
    pub fn changes(&self, call: &str) -> &[Change] {
        self.tools.get(call).map_or(&[], |tool| &tool.changes)
    }

    /// A notice about an item or the plan; whether it was understood. `None` when it is about neither.
    pub fn notice(
        &mut self,
        method: &str,
        params: &Value,
        now_ms: u64,
        out: &mut Out,
    ) -> Option<bool> {
        let id = string(params, "/itemId");
        let delta = string(params, "/delta");
        match method {
            "item/started" => return Some(self.item(params, false, now_ms, out).is_some()),
            "item/completed" => return Some(self.item(params, true, now_ms, out).is_some()),
            "item/agentMessage/delta" | "item/plan/delta" => self.grow(id, Part::Text, delta, out),
            "item/reasoning/summaryTextDelta" | "item/reasoning/textDelta" => {
                self.grow(id, Part::Thinking, delta, out);
            }
            "item/reasoning/summaryPartAdded" => {
                if self.keys.get(id).is_some_and(|key| self.open.contains_key(key)) {
                    self.grow(id, Part::Thinking, "\n\n", out);
                }
            }
            "item/commandExecution/outputDelta" | "item/fileChange/outputDelta" => {
                self.output(id, delta, out);
            }
            "item/mcpToolCall/progress" => {
                let message = text::sentence(string(params, "/message"));
                out.events.push(Event::Doing(message));
            }
            "item/fileChange/patchUpdated" => {
                if let Some(mut tool) = self.tools.get(id).cloned() {
                    tool.changes = changes(array(params, "/changes"));
                    self.report(tool, out);
                }
            }
            "item/commandExecution/terminalInteraction"
            | "item/autoApprovalReview/started"
            | "item/autoApprovalReview/completed" => {}
            "turn/plan/updated" => {
                let list = array(params, "/plan").iter().take(1000).map(step).collect();
                item(&format!("todo/{}", self.turn), false, Body::Todo(list), out);
            }
            "thread/compacted" => self.tell("The conversation was compacted.", out),
            _ => return None,
        }
        Some(true)
    }

    fn grow(&mut self, id: &str, part: Part, text: &str, out: &mut Out) {
        let key = self.key(id, part, out);
        if self.open.len() < REMEMBERED || self.open.contains_key(&key) {
            let body = self.open.entry(key.clone()).or_insert_with(|| empty(part));
            if let Body::Text(so_far) | Body::Thinking(so_far) = body
                && so_far.len() < TEXT_LIMIT
            {
                so_far.push_str(text);
            }
        }
        out.events.push(Event::Delta { key, part, text: text.to_owned() });
    }

    fn output(&mut self, id: &str, text: &str, out: &mut Out) {
        let Some(tool) = self.tools.get_mut(id) else { return };
        // Cut properly when it is whole: until then it only must not grow without end.
        if tool.output.len() < 2 * TEXT_LIMIT {
            tool.output.push_str(text);
        }
        let (key, text) = (id.to_owned(), text.to_owned());
        out.events.push(Event::Delta { key, part: Part::ToolOutput, text });
    }

    fn report(&mut self, tool: Tool, out: &mut Out) {
        let shown = Tool { output: parts::output(&tool.output), ..tool.clone() };
        if self.tools.len() < REMEMBERED || self.tools.contains_key(&tool.call) {
            let _ = self.tools.insert(tool.call.clone(), tool);
        }
        item(&shown.call.clone(), is_running(&shown), Body::Tool(shown), out);
    }

    fn item(&mut self, params: &Value, done: bool, now_ms: u64, out: &mut Out) -> Option<()> {
        let told = params.get("item")?;
        let id = string(told, "/id");
        match string(told, "/type") {
            "userMessage" | "hookPrompt" | "sleep" | "functionCallOutput" => {}
            // Begins with its first delta, and is whole at its end.
            "agentMessage" | "plan" | "reasoning" if !done => {}
            "agentMessage" | "plan" => {
                let said = string(told, "/text");
                let key = self.key(id, Part::Text, out);
                let _ = self.open.remove(&key);
                self.answer = parts::whole(said);
                item(&key, false, Body::Text(self.answer.clone()), out);
            }
            "reasoning" => {
                let key = self.key(id, Part::Thinking, out);
                let _ = self.open.remove(&key);
                let parts_of = |field| {
                    let parts = array(told, field).iter().filter_map(Value::as_str);
                    parts.collect::<Vec<_>>().join("\n\n")
                };
                let thought = [parts_of("/summary"), parts_of("/content")]
                    .into_iter()
                    .find(|thought| !thought.is_empty());
                if let Some(thought) = thought {
                    item(&key, false, Body::Thinking(parts::whole(&thought)), out);
                }
            }
            "contextCompaction" if done => self.tell("The conversation was compacted.", out),
            "contextCompaction" => {}
            "enteredReviewMode" | "exitedReviewMode" => {
                if done {
                    self.own(Body::Text(parts::whole(string(told, "/review"))), out);
                }
            }
            _ => {
                let tool = self.tool(told, done, now_ms)?;
                self.report(tool, out);
            }
        }
        Some(())
    }

    /// A tool call as it is now.
    fn tool(&self, told: &Value, done: bool, now_ms: u64) -> Option<Tool> {
        let id = string(told, "/id");
        let before = self.tools.get(id);
        let mut tool = match string(told, "/type") {
            "commandExecution" => self.command(told, now_ms),
            "fileChange" => {
                let mut tool = parts::tool(id, "apply_patch", ToolKind::Edit, &Value::Null, now_ms);
                tool.changes = changes(array(told, "/changes"));
                let paths = tool.changes.iter().map(|change| self.shown(&change.path));
                tool.title = text::sentence(&paths.collect::<Vec<_>>().join(", "));
                tool
            }
            "mcpToolCall" => {
                let name = format!("{}.{}", string(told, "/server"), string(told, "/tool"));
                let arguments = told.get("arguments").unwrap_or(&Value::Null);
                let mut tool = parts::tool(id, &name, ToolKind::Mcp, arguments, now_ms);
                tool.output = mcp_output(told);
                tool
            }
            "dynamicToolCall" => {
                let arguments = told.get("arguments").unwrap_or(&Value::Null);
                let name = string(told, "/tool");
                let mut tool = parts::tool(id, name, ToolKind::Other, arguments, now_ms);
                let texts = array(told, "/contentItems").iter().map(|item| string(item, "/text"));
                tool.output = texts.collect::<Vec<_>>().join("\n");
                tool
            }
            "webSearch" => {
                let query = json!({ "query": string(told, "/query") });
                parts::tool(id, "web_search", ToolKind::Fetch, &query, now_ms)
            }
            "imageView" => {
                let path = json!({ "path": string(told, "/path") });
                parts::tool(id, "view_image", ToolKind::Read, &path, now_ms)
            }
            "collabAgentToolCall" => {
                let prompt = json!({ "prompt": string(told, "/prompt") });
                parts::tool(id, string(told, "/tool"), ToolKind::Agent, &prompt, now_ms)
            }
            "subAgentActivity" => {
                let path = json!({ "name": string(told, "/agentPath") });
                parts::tool(id, "agent", ToolKind::Agent, &path, now_ms)
            }
            "imageGeneration" => {
                parts::tool(id, "image_generation", ToolKind::Other, &Value::Null, now_ms)
            }
            _ => return None,
        };
        let time = |field: &str| Some(number(told, field)).filter(|time| *time > 0);
        tool.started_ms = time("/startedAtMs").unwrap_or(tool.started_ms);
        tool.state = match string(told, "/status") {
            "declined" => ToolState::Denied,
            _ if done && self.denied.contains(id) => ToolState::Denied,
            "failed" => ToolState::Failed,
            "completed" => ToolState::Done,
            _ if done => ToolState::Done,
            _ => ToolState::Running,
        };
        if tool.state != ToolState::Running {
            tool.ended_ms = time("/completedAtMs").or(Some(now_ms));
        }
        if tool.output.is_empty()
            && let Some(before) = before
        {
            tool.output.clone_from(&before.output);
        }
        Some(tool)
    }

    fn command(&self, told: &Value, now_ms: u64) -> Tool {
        let command = bare_command(told);
        let mut input = json!({ "command": command });
        let cwd = string(told, "/cwd");
        if !cwd.is_empty() && self.directory != std::path::Path::new(cwd) {
            input["cwd"] = cwd.into();
        }
        let actions = array(told, "/commandActions");
        let all = |wanted: &[&str]| {
            !actions.is_empty()
                && actions.iter().all(|action| wanted.contains(&string(action, "/type")))
        };
        let kind = if all(&["read"]) {
            ToolKind::Read
        } else if all(&["search", "listFiles"]) {
            ToolKind::Search
        } else {
            ToolKind::Shell
        };
        let mut tool = parts::tool(string(told, "/id"), "shell", kind, &input, now_ms);
        string(told, "/aggregatedOutput").clone_into(&mut tool.output);
        tool.exit =
            told.get("exitCode").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
        tool
    }

    /// A path as it reads best: within the directory without it.
    fn shown(&self, path: &str) -> String {
        std::path::Path::new(path)
            .strip_prefix(&self.directory)
            .map_or_else(|_| path.to_owned(), |path| path.display().to_string())
    }
}

fn item(key: &str, open: bool, body: Body, out: &mut Out) {
    out.events.push(Event::Item { key: key.to_owned(), open, body });
}

fn empty(part: Part) -> Body {
    match part {
        Part::Thinking => Body::Thinking(String::new()),
        Part::Text | Part::ToolOutput => Body::Text(String::new()),
    }
}

fn is_running(tool: &Tool) -> bool {
    tool.state == ToolState::Running
}

/// A command without the shell that Codex wraps it in.
pub(super) fn bare_command(told: &Value) -> String {
    let command = string(told, "/command");
    let inner = ["/bin/bash -lc ", "/bin/zsh -lc ", "/bin/sh -lc ", "bash -lc ", "zsh -lc "]
        .iter()
        .find_map(|shell| command.strip_prefix(shell));
    let Some(inner) = inner else { return command.to_owned() };
    match inner.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) {
        // The way a quote is written within quotes.
        Some(quoted) if !quoted.replace("'\\''", "").contains('\'') => quoted.replace("'\\''", "'"),
        Some(_) => command.to_owned(),
        None if inner.contains(['"', '\'', '\\', ' ']) => command.to_owned(),
        None => inner.to_owned(),
    }
}

fn changes(told: &[Value]) -> Vec<Change> {
    let change = |told: &Value| {
        let diff = string(told, "/diff");
        let (kind, hunks) = match string(told, "/kind/type") {
            // Of these it tells the content of the file.
            "add" => (ChangeKind::Add, parts::added(diff)),
            "delete" => (ChangeKind::Delete, parts::removed(diff)),
            _ => (ChangeKind::Update, diff.to_owned()),
        };
        parts::change(string(told, "/path"), kind, &hunks)
    };
    told.iter().take(1000).map(change).collect()
}

fn step(told: &Value) -> Todo {
    let state = match string(told, "/status") {
        "completed" => TodoState::Done,
        "inProgress" => TodoState::Doing,
        _ => TodoState::Open,
    };
    Todo { text: text::sentence(string(told, "/step")), state }
}

fn mcp_output(told: &Value) -> String {
    let error = string(told, "/error/message");
    if !error.is_empty() {
        return error.to_owned();
    }
    let texts = array(told, "/result/content").iter().map(|block| match string(block, "/type") {
        "text" => string(block, "/text").to_owned(),
        other => format!("[{other}]"),
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_they_were_meant() {
        let check = |command: &str, bare: &str| {
            assert_eq!(bare_command(&json!({ "command": command })), bare);
        };
        check("/bin/bash -lc 'touch a b'", "touch a b");
        check("/bin/bash -lc ls", "ls");
        check(r"/bin/bash -lc 'echo '\''hi'\'''", "echo 'hi'");
        check("/bin/bash -lc 'a' 'b'", "/bin/bash -lc 'a' 'b'");
        check("/bin/bash -lc \"echo 'x'\"", "/bin/bash -lc \"echo 'x'\"");
        check("make", "make");
        check("", "");
    }
}
