//! A conversation as a file to keep or to send: Markdown, or one HTML page that needs nothing else and
//! runs nothing. Everything said in it is foreign: nothing of it becomes markup.

mod page;

use std::fmt::Write as _;

use super::{
    Answer, Ask, Body, Change, ChangeKind, Ended, Entry, Todo, TodoState, Tool, ToolState,
};
use crate::text;
use crate::turn::Usage;

pub use page::html;

/// No more lines of one output are exported; the last ones are.
const LINES: usize = 10_000;

/// What stands at the top.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// What the conversation is called.
    pub title: String,
    /// What else is known about it: `("Agent", "api")`.
    pub facts: Vec<(String, String)>,
}

/// A conversation as Markdown.
#[must_use]
pub fn markdown<'a>(head: &Head, entries: impl IntoIterator<Item = &'a Entry>) -> String {
    let mut out = format!("# {}\n", text::clean(&head.title, 300));
    for (name, value) in &head.facts {
        let _ = write!(out, "\n- {}: {}", text::clean(name, 80), text::clean(value, 500));
    }
    if !head.facts.is_empty() {
        out.push('\n');
    }
    for entry in entries {
        let words = entry_markdown(entry);
        if words.is_empty() {
            continue;
        }
        if matches!(entry.body, Body::Prompt(_)) {
            out.push_str("\n---\n");
        }
        let _ = write!(out, "\n{words}\n");
    }
    out
}

/// An entry as Markdown; empty when there is nothing to say about it.
#[must_use]
pub fn entry_markdown(entry: &Entry) -> String {
    match &entry.body {
        Body::Prompt(prompt) => {
            let mut out = quoted(&prompt.text);
            for image in &prompt.images {
                let name = image.path.file_name().unwrap_or_default().to_string_lossy();
                let _ = write!(out, "\n>\n> *image: {}*", text::clean(&name, 200));
            }
            out
        }
        Body::Text(words) => words.trim().to_owned(),
        Body::Thinking(words) => format!("*Thinking*\n\n{}", quoted(words)),
        Body::Tool(tool) => tool_markdown(tool),
        Body::Todo(todos) => todos.iter().map(todo_markdown).collect::<Vec<_>>().join("\n"),
        Body::Request { request, answer } => {
            let about = asked(&request.ask);
            format!("*{}* {}", answered(answer.as_ref()), inline_code(&about))
        }
        Body::Notice(words) => format!("*{}*", text::clean(words, 2000)),
        Body::Failed(failure) => format!("**Failed:** {}", text::clean(&failure.message, 2000)),
        Body::Ended(ended) => format!("*{}*", end(ended)),
        Body::Raw(line) => fenced("json", line),
    }
}

/// The words of an entry without Markdown.
#[must_use]
pub fn entry_text(entry: &Entry) -> String {
    match &entry.body {
        Body::Prompt(prompt) => prompt.text.clone(),
        Body::Text(words) | Body::Thinking(words) => plain(words),
        Body::Tool(tool) if tool.changes.is_empty() => {
            let (lines, _) = text::printed(&tool.output, LINES);
            format!("{}\n{}", tool.title, lines.join("\n")).trim_end().to_owned()
        }
        Body::Tool(tool) => {
            let change = |change: &Change| format!("{}\n{}", change.path, change.diff);
            tool.changes.iter().map(change).collect::<Vec<_>>().join("\n")
        }
        _ => entry_markdown(entry).replace(['*', '`'], ""),
    }
}

/// Markdown without its signs.
fn plain(words: &str) -> String {
    use crate::markdown::{Body, Document, Marker};
    let mut out = String::new();
    for block in Document::new(words).blocks() {
        if !out.is_empty() {
            out.push_str(if block.apart { "\n\n" } else { "\n" });
        }
        out.push_str(&"  ".repeat(block.inside.len().saturating_sub(1)));
        match block.marker {
            Some(Marker::Bullet) => out.push_str("- "),
            Some(Marker::Number(number)) => {
                let _ = write!(out, "{number}. ");
            }
            Some(Marker::Task(done)) => out.push_str(if done { "[x] " } else { "[ ] " }),
            None => {}
        }
        match &block.body {
            Body::Paragraph(spans) | Body::Heading(_, spans) => {
                out.push_str(&crate::markdown::plain(spans));
            }
            Body::Code { text, .. } => out.push_str(text),
            Body::Table(table) => {
                let row = |row: &Vec<Vec<crate::markdown::Span>>| {
                    let cells = row.iter().map(|cell| crate::markdown::plain(cell));
                    cells.collect::<Vec<_>>().join("\t")
                };
                let rows = std::iter::once(&table.head).chain(&table.rows).map(row);
                out.push_str(&rows.collect::<Vec<_>>().join("\n"));
            }
            Body::Rule => out.push_str("---"),
        }
    }
    out
}

fn quoted(words: &str) -> String {
    let line = |line: &str| if line.is_empty() { ">".to_owned() } else { format!("> {line}") };
    words.trim().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Code between fences that are longer than any in it.
fn fenced(language: &str, code: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in code.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}", code.trim_end_matches('\n'))
}

fn inline_code(words: &str) -> String {
    let words = text::clean(words, 2000);
    if words.is_empty() { words } else { format!("`{}`", words.replace('`', "'")) }
}

fn todo_markdown(todo: &Todo) -> String {
    let mark = if todo.state == TodoState::Done { 'x' } else { ' ' };
    let doing = if todo.state == TodoState::Doing { " *(doing)*" } else { "" };
    format!("- [{mark}] {}{doing}", text::clean(&todo.text, 500))
}

fn tool_markdown(tool: &Tool) -> String {
    let mut out = format!("**{}** {}", text::clean(&tool.name, 100), inline_code(&tool.title));
    let facts = tool_facts(tool);
    if !facts.is_empty() {
        let _ = write!(out, " ({})", facts.join(", "));
    }
    for change in &tool.changes {
        let _ = write!(out, "\n\n{} {}", change_word(change.kind), inline_code(&change.path));
        if !change.diff.is_empty() {
            let _ = write!(out, "\n\n{}", fenced("diff", &change.diff));
        }
    }
    let (lines, skipped) = text::printed(&tool.output, LINES);
    if !lines.is_empty() {
        let before =
            if skipped > 0 { format!("… {skipped} lines before\n") } else { String::new() };
        let _ = write!(out, "\n\n{}", fenced("", &format!("{before}{}", lines.join("\n"))));
    }
    out
}

/// What is to be said about a call beside what it is: its state, its exit code, how long it took.
#[must_use]
pub fn tool_facts(tool: &Tool) -> Vec<String> {
    let state = match tool.state {
        ToolState::Done => None,
        ToolState::Running => Some("running"),
        ToolState::Failed => Some("failed"),
        ToolState::Denied => Some("denied"),
        ToolState::Cut => Some("cut off"),
    };
    let exit = tool.exit.map(|exit| format!("exit {exit}"));
    let (added, removed) = lines_changed(tool);
    let changed = (added + removed > 0).then(|| format!("+{added} −{removed}"));
    let took = tool.ended_ms.filter(|_| tool.started_ms > 0);
    let took = took.map(|ended| duration(ended.saturating_sub(tool.started_ms)));
    state.map(str::to_owned).into_iter().chain(changed).chain(exit).chain(took).collect()
}

/// Lines added and removed by a call.
#[must_use]
pub fn lines_changed(tool: &Tool) -> (u64, u64) {
    let sum =
        |of: fn(&Change) -> u32| tool.changes.iter().map(|change| u64::from(of(change))).sum();
    (sum(|change| change.added), sum(|change| change.removed))
}

fn change_word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Add => "Added",
        ChangeKind::Update => "Updated",
        ChangeKind::Delete => "Deleted",
    }
}

/// What a request was about, in a few words.
#[must_use]
pub fn asked(ask: &Ask) -> String {
    match ask {
        Ask::Command { command, .. } => text::clean(command, 2000),
        Ask::Edit(changes) => {
            changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>().join(", ")
        }
        Ask::Tool { name, .. } => text::clean(name, 200),
        Ask::Plan(_) => "the plan".to_owned(),
        Ask::Questions(questions) => {
            let texts = questions.iter().map(|question| text::clean(&question.text, 300));
            texts.collect::<Vec<_>>().join(" ")
        }
    }
}

/// How a request was answered, in a few words.
#[must_use]
pub fn answered(answer: Option<&Answer>) -> String {
    match answer {
        None => "Not answered:".to_owned(),
        Some(Answer::Once) => "Allowed once:".to_owned(),
        Some(Answer::Always) => "Always allowed:".to_owned(),
        Some(Answer::Deny(why)) if why.trim().is_empty() => "Denied:".to_owned(),
        Some(Answer::Deny(why)) => format!("Denied ({}):", text::clean(why, 500)),
        Some(Answer::Choices(choices)) => {
            let chosen = choices.iter().map(|chosen| chosen.join(", "));
            format!("Answered {}:", text::clean(&chosen.collect::<Vec<_>>().join("; "), 500))
        }
    }
}

/// How a turn ended, in a line.
#[must_use]
pub fn end(ended: &Ended) -> String {
    let after = duration(ended.duration_ms);
    let first = if ended.interrupted { format!("Interrupted after {after}") } else { after };
    std::iter::once(first).chain(consumed(&ended.usage)).collect::<Vec<_>>().join(" · ")
}

/// What was consumed: tokens and money, as far as they are known.
#[must_use]
pub fn consumed(usage: &Usage) -> Vec<String> {
    let mut parts = Vec::new();
    if usage.input_tokens + usage.output_tokens > 0 {
        parts.push(format!("{} in", tokens(usage.input_tokens)));
        parts.push(format!("{} out", tokens(usage.output_tokens)));
    }
    parts.extend(usage.cost_usd.map(|cost| format!("${cost:.2}")));
    parts
}

/// A number of tokens as people read it: `850`, `38.2k`, `1.2M`.
#[must_use]
pub fn tokens(count: u64) -> String {
    match count {
        0..1000 => count.to_string(),
        1000..999_950 => format!("{:.1}k", count as f64 / 1e3),
        _ => format!("{:.1}M", count as f64 / 1e6),
    }
}

/// How long something took: `0.4 s`, `31 s`, `2 min 10 s`.
#[must_use]
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..10 => format!("{:.1} s", ms as f64 / 1e3),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests;
