//! What Claude Code says and does, as entries: the parts of an answer as they are streamed and their
//! whole afterwards under one key, tools with their results, lists of tasks.

use std::collections::{HashMap, HashSet};

use maestro_core::conversation::{
    Body, Change, ChangeKind, Event, Part, Todo, TodoState, Tool, ToolKind, ToolState,
};
use serde_json::Value;

use super::super::{Out, parts};
use super::ask;
use crate::stream::claude as one_shot;
use crate::stream::{array, number, string, text};

/// Things remembered of one turn at most: a program that never ends a turn must not fill the memory.
const REMEMBERED: usize = 20_000;

/// The entries of one conversation.
#[derive(Debug, Default)]
pub(super) struct Items {
    turn: u64,
    count: u64,
    /// The message that is being streamed, by the subagent's call; the conversation's own by "".
    streamed: HashMap<String, String>,
    /// How many blocks of a message came whole.
    blocks: HashMap<String, u64>,
    /// Texts and thinking of which more may come, by their keys.
    open: HashMap<String, Body>,
    tools: HashMap<String, Tool>,
    denied: HashSet<String>,
    /// The tasks by their ids, in their order.
    tasks: Vec<(String, Todo)>,
    /// Tasks that are being made or changed, by the call.
    task_calls: HashMap<String, Value>,
    /// The last text that was reported whole.
    said: String,
}

impl Items {
    pub fn begin_turn(&mut self) {
        self.turn += 1;
        self.said.clear();
    }

    /// Closes what is open.
    pub fn end_turn(&mut self, now_ms: u64, out: &mut Out) {
        let mut cut: Vec<Tool> =
            self.tools.drain().map(|(_, tool)| tool).filter(is_running).collect();
        cut.sort_by(|a, b| (a.started_ms, &a.call).cmp(&(b.started_ms, &b.call)));
        for mut tool in cut {
            tool.state = ToolState::Cut;
            tool.ended_ms = Some(now_ms);
            item(&key_of(&tool.call), false, Body::Tool(tool), out);
        }
        for (key, body) in self.open.drain() {
            item(&key, false, body, out);
        }
        self.streamed.clear();
        self.blocks.clear();
        self.denied.clear();
        self.task_calls.clear();
    }

    pub fn notice(&mut self, text: &str, out: &mut Out) {
        self.own(Body::Notice(text::sentence(text)), out);
    }

    pub fn text(&mut self, text: &str, out: &mut Out) {
        text.clone_into(&mut self.said);
        self.own(Body::Text(parts::whole(text)), out);
    }

    pub fn raw(&mut self, line: &str, out: &mut Out) {
        self.own(Body::Raw(parts::whole(line)), out);
    }

    pub fn has_said(&self, text: &str) -> bool {
        self.said == text
    }

    fn own(&mut self, body: Body, out: &mut Out) {
        self.count += 1;
        item(&format!("own/{}", self.count), false, body, out);
    }

    /// A call was refused; its result will say so.
    pub fn denied(&mut self, call: &str) {
        if self.denied.len() < REMEMBERED {
            let _ = self.denied.insert(call.to_owned());
        }
    }

    /// The message that a line's stream is about.
    pub fn message(&self, value: &Value) -> Option<&str> {
        self.streamed.get(parent(value)).map(String::as_str)
    }

    /// A part of a message.
    pub fn stream_event(&mut self, value: &Value, event: &Value, out: &mut Out) -> Option<()> {
        let index = number(event, "/index");
        match string(event, "/type") {
            "message_start" => {
                if self.streamed.len() < REMEMBERED {
                    let id = string(event, "/message/id").to_owned();
                    let _ = self.streamed.insert(parent(value).to_owned(), id);
                }
            }
            "content_block_start" => {
                let block = event.get("content_block")?;
                if string(block, "/type") == "tool_use" {
                    let doing = format!("{}…", string(block, "/name"));
                    out.events.push(Event::Doing(text::sentence(&doing)));
                }
            }
            "content_block_delta" => {
                let message = self.message(value)?;
                let (part, text) = match string(event, "/delta/type") {
                    "text_delta" => (Part::Text, string(event, "/delta/text")),
                    "thinking_delta" => (Part::Thinking, string(event, "/delta/thinking")),
                    "input_json_delta" | "signature_delta" | "citations_delta" => return Some(()),
                    _ => return None,
                };
                let key = block_key(message, index);
                self.grow(parent(value), &key, part, text, out);
            }
            "content_block_stop" | "message_delta" | "message_stop" | "ping" | "error" => {}
            _ => return None,
        }
        Some(())
    }

    fn grow(&mut self, parent: &str, key: &str, part: Part, text: &str, out: &mut Out) {
        let (key, part) = if parent.is_empty() {
            (key.to_owned(), part)
        } else if part == Part::Text && self.tools.contains_key(parent) {
            // What a subagent says is not the answer, but what its call has to show until it is done.
            (key_of(parent), Part::ToolOutput)
        } else {
            return;
        };
        match part {
            Part::ToolOutput => {
                if let Some(tool) = self.tools.get_mut(parent) {
                    tool.output = parts::output(&format!("{}{text}", tool.output));
                }
            }
            Part::Text | Part::Thinking if self.open.len() < REMEMBERED => {
                let body = self.open.entry(key.clone()).or_insert_with(|| match part {
                    Part::Thinking => Body::Thinking(String::new()),
                    _ => Body::Text(String::new()),
                });
                if let Body::Text(so_far) | Body::Thinking(so_far) = body
                    && so_far.len() < maestro_core::conversation::TEXT_LIMIT
                {
                    so_far.push_str(text);
                }
            }
            _ => {}
        }
        out.events.push(Event::Delta { key, part, text: text.to_owned() });
    }

    /// A message, or one block of it. Gives back the last text of the answer in it.
    pub fn assistant(
        &mut self,
        value: &Value,
        message: &Value,
        synthetic: bool,
        now_ms: u64,
        out: &mut Out,
    ) -> Option<String> {
        let id = string(message, "/id").to_owned();
        let parent = parent(value).to_owned();
        let mut answer = None;
        for block in array(message, "/content") {
            let index = self.next_block(&id);
            let key = block_key(&id, index);
            match string(block, "/type") {
                // An error is told by the end of the turn.
                "text" if synthetic && value.get("error").is_some() => {}
                "text" if synthetic => self.notice(string(block, "/text"), out),
                "text" if parent.is_empty() => {
                    let said = string(block, "/text");
                    let _ = self.open.remove(&key);
                    said.clone_into(&mut self.said);
                    item(&key, false, Body::Text(parts::whole(said)), out);
                    answer = Some(parts::whole(said));
                }
                // Streamed into its call already, or about to come as the call's result.
                "text" => {}
                "thinking" if parent.is_empty() => {
                    let _ = self.open.remove(&key);
                    let thought = string(block, "/thinking");
                    // Some models keep their thoughts to themselves.
                    if !thought.is_empty() {
                        item(&key, false, Body::Thinking(parts::whole(thought)), out);
                    }
                }
                "thinking" | "redacted_thinking" => {}
                "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                    self.tool_use(block, &parent, now_ms, out);
                }
                _ => self.raw(&block.to_string(), out),
            }
        }
        answer
    }

    fn next_block(&mut self, message: &str) -> u64 {
        if self.blocks.len() >= REMEMBERED {
            self.blocks.clear();
        }
        let next = self.blocks.entry(message.to_owned()).or_default();
        *next += 1;
        *next - 1
    }

    fn tool_use(&mut self, block: &Value, parent: &str, now_ms: u64, out: &mut Out) {
        let (call, name) = (string(block, "/id"), string(block, "/name"));
        let input = block.get("input").unwrap_or(&Value::Null);
        match name {
            "TodoWrite" => {
                self.tasks = array(input, "/todos").iter().map(written).collect();
                return self.todo(call, out);
            }
            "TaskCreate" | "TaskUpdate" if self.task_calls.len() < REMEMBERED => {
                let _ = self.task_calls.insert(call.to_owned(), block.clone());
                return;
            }
            _ => {}
        }
        let mut tool = parts::tool(call, name, kind_of(name), input, now_ms);
        match name {
            "AskUserQuestion" => {
                let asked = array(input, "/questions").iter().map(|one| string(one, "/question"));
                tool.title = text::sentence(&asked.collect::<Vec<_>>().join(" "));
            }
            "ExitPlanMode" => {
                let line = string(input, "/plan").lines().next().unwrap_or_default();
                tool.title = text::sentence(line.trim_start_matches('#'));
            }
            _ => {}
        }
        tool.parent = Some(parent.to_owned()).filter(|parent| !parent.is_empty());
        tool.changes = ask::changes(name, input);
        self.report(tool, out);
    }

    fn report(&mut self, tool: Tool, out: &mut Out) {
        if self.tools.len() < REMEMBERED || self.tools.contains_key(&tool.call) {
            let _ = self.tools.insert(tool.call.clone(), tool.clone());
        }
        item(&key_of(&tool.call), is_running(&tool), Body::Tool(tool), out);
    }

    /// What a tool gave back.
    pub fn result(&mut self, value: &Value, block: &Value, now_ms: u64, out: &mut Out) {
        let call = string(block, "/tool_use_id");
        let failed = block.get("is_error").and_then(Value::as_bool).unwrap_or(false);
        let told = value.get("tool_use_result").unwrap_or(&Value::Null);
        if let Some(made) = self.task_calls.remove(call) {
            if !failed {
                self.task(&made, told);
                self.todo(call, out);
            }
            return;
        }
        let Some(mut tool) = self.tools.get(call).cloned() else { return };
        let content = one_shot::content(block.get("content").unwrap_or(&Value::Null));
        tool.ended_ms = Some(now_ms);
        tool.state = match (self.denied.contains(call), failed) {
            (true, true) => ToolState::Denied,
            (_, true) => ToolState::Failed,
            (_, false) => ToolState::Done,
        };
        if tool.kind == ToolKind::Shell {
            tool.exit = exit_code(&content, failed).filter(|_| tool.state != ToolState::Denied);
        }
        // The code has a place of its own.
        let said = match (tool.exit, content.split_once('\n')) {
            (Some(code), Some((_, rest))) if code != 0 => rest.to_owned(),
            _ => content,
        };
        tool.output = parts::output(&streams(told).unwrap_or(said));
        match patched(told) {
            Some(change) if tool.state == ToolState::Done => tool.changes = vec![change],
            _ if tool.state != ToolState::Done => tool.changes.clear(),
            _ => {}
        }
        self.report(tool, out);
    }

    fn task(&mut self, made: &Value, told: &Value) {
        let input = made.get("input").unwrap_or(&Value::Null);
        if string(made, "/name") == "TaskCreate" {
            let id = string(told, "/task/id").to_owned();
            let text = text::sentence(string(input, "/subject"));
            if !id.is_empty() && self.tasks.len() < REMEMBERED {
                self.tasks.push((id, Todo { text, state: TodoState::Open }));
            }
            return;
        }
        let id = string(input, "/taskId");
        let status = string(input, "/status");
        if status == "deleted" {
            self.tasks.retain(|(known, _)| known != id);
        }
        for (_, todo) in self.tasks.iter_mut().filter(|(known, _)| known == id) {
            if !status.is_empty() {
                todo.state = todo_state(status);
            }
            let subject = text::sentence(string(input, "/subject"));
            if !subject.is_empty() {
                todo.text = subject;
            }
        }
    }

    /// The list as it is now: one entry in each turn.
    fn todo(&mut self, call: &str, out: &mut Out) {
        let _ = self.tools.remove(call);
        let list = self.tasks.iter().map(|(_, todo)| todo.clone()).collect();
        item(&format!("todo/{}", self.turn), false, Body::Todo(list), out);
    }
}

fn item(key: &str, open: bool, body: Body, out: &mut Out) {
    out.events.push(Event::Item { key: key.to_owned(), open, body });
}

fn is_running(tool: &Tool) -> bool {
    tool.state == ToolState::Running
}

/// The call of the subagent that a line is about; empty for the conversation itself.
fn parent(value: &Value) -> &str {
    string(value, "/parent_tool_use_id")
}

fn block_key(message: &str, index: u64) -> String {
    format!("{message}/{index}")
}

fn key_of(call: &str) -> String {
    format!("tool/{call}")
}

fn kind_of(name: &str) -> ToolKind {
    match name {
        name if name.starts_with("mcp__") => ToolKind::Mcp,
        name => parts::kind_of(name),
    }
}

fn written(todo: &Value) -> (String, Todo) {
    let text = text::sentence(string(todo, "/content"));
    (String::new(), Todo { text, state: todo_state(string(todo, "/status")) })
}

fn todo_state(status: &str) -> TodoState {
    match status {
        "completed" => TodoState::Done,
        "in_progress" => TodoState::Doing,
        _ => TodoState::Open,
    }
}

/// The exit code of a command: the program writes it before the output of one that failed.
fn exit_code(content: &str, failed: bool) -> Option<i32> {
    if !failed {
        return Some(0);
    }
    content.strip_prefix("Exit code ")?.lines().next()?.trim().parse().ok()
}

/// What a command printed, where it is told apart.
fn streams(told: &Value) -> Option<String> {
    let (stdout, stderr) = (told.get("stdout")?.as_str()?, string(told, "/stderr"));
    let gap =
        if stdout.is_empty() || stderr.is_empty() || stdout.ends_with('\n') { "" } else { "\n" };
    Some(format!("{stdout}{gap}{stderr}"))
}

/// The change that a tool made, where its result tells it.
fn patched(told: &Value) -> Option<Change> {
    let path = told.get("filePath")?.as_str()?;
    let patch = told.get("structuredPatch")?.as_array()?;
    if patch.is_empty() && string(told, "/type") == "create" {
        let hunks = parts::added(string(told, "/content"));
        return Some(parts::change(path, ChangeKind::Add, &hunks));
    }
    let mut hunks = String::new();
    for hunk in patch {
        let at = |field: &str| number(hunk, field);
        hunks.push_str(&format!(
            "@@ -{},{} +{},{} @@\n",
            at("/oldStart"),
            at("/oldLines"),
            at("/newStart"),
            at("/newLines")
        ));
        for line in array(hunk, "/lines").iter().filter_map(Value::as_str) {
            hunks.push_str(line);
            hunks.push('\n');
        }
    }
    Some(parts::change(path, ChangeKind::Update, &hunks))
}

/// What a local command printed, out of the tags that the program puts round it.
pub(super) fn local_output(said: &str) -> Option<String> {
    let inner = said.strip_prefix("<local-command-stdout>")?;
    let inner = inner.strip_suffix("</local-command-stdout>").unwrap_or(inner);
    Some(inner.to_owned()).filter(|inner| !inner.trim().is_empty())
}
