//! OpenCode: a SQLite database. Its tables are known here; who calls can read them. Established with
//! 1.18.33.

use std::io;
use std::path::Path;

use maestro_core::agent::Provider;
use maestro_core::conversation::{ChangeKind, Tool, ToolState};
use serde_json::Value;

use super::list::Found;
use super::sheet::Sheet;
use super::{Error, items, text, tools};

/// A value of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing, or something of another kind.
    Null,
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl Cell {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Reads databases of other programs, and never writes them.
pub trait Tables {
    /// Runs a query and gives each row to `each`, until that says no.
    ///
    /// # Errors
    ///
    /// When the database is not there, or not one, or has no such tables.
    fn rows(
        &self,
        database: &Path,
        query: &str,
        values: &[Cell],
        each: &mut dyn FnMut(&[Cell]) -> bool,
    ) -> io::Result<()>;
}

/// What a session that its provider has not named yet is called.
const UNNAMED: [&str; 2] = ["New session - ", "Child session - "];

/// The sessions of a database, but for those of subagents.
pub(super) fn list(
    database: &Path,
    tables: &dyn Tables,
    each: &mut dyn FnMut(Found),
) -> Result<(), Error> {
    if !std::fs::symlink_metadata(database).is_ok_and(|about| about.is_file()) {
        return Ok(());
    }
    let query = "SELECT id, time_updated FROM session WHERE parent_id IS NULL";
    tables
        .rows(database, query, &[], &mut |row| {
            if let [Cell::Text(id), Cell::Number(updated)] = row {
                each(Found {
                    provider: Provider::OpenCode,
                    id: id.clone(),
                    path: database.to_owned(),
                    bytes: 0,
                    modified_ms: u64::try_from(*updated).unwrap_or_default(),
                });
            }
            true
        })
        .map_err(|error| Error::file(database, error))
}

/// Reads a session whole. `each` is called after each part with the part's row, until it says no.
pub(super) fn read(
    found: &Found,
    tables: &dyn Tables,
    sheet: &mut Sheet,
    each: &mut dyn FnMut(&mut Sheet, i64) -> bool,
) -> Result<(), Error> {
    let failed = |error| Error::file(&found.path, error);
    let id = [Cell::Text(found.id.clone())];
    let query = "SELECT title, directory, model, time_created, time_updated FROM session \
                 WHERE id = ?1";
    let mut there = false;
    tables
        .rows(&found.path, query, &id, &mut |row| {
            there = true;
            about(row, sheet);
            true
        })
        .map_err(failed)?;
    if !there {
        return Err(Error::Missing { provider: found.provider, id: found.id.clone() });
    }
    let query = "SELECT p.rowid, p.data, m.id, m.time_created, json_extract(m.data, '$.role'), \
                 json_extract(m.data, '$.modelID'), json_extract(m.data, '$.error.name'), \
                 json_extract(m.data, '$.error.data.message') \
                 FROM message m LEFT JOIN part p ON p.message_id = m.id \
                 WHERE m.session_id = ?1 ORDER BY m.time_created, m.id, p.id";
    let mut message = Message::default();
    tables
        .rows(&found.path, query, &id, &mut |row| {
            let [part, data, id, at, role, model, error, why] = row else { return true };
            if id.text() != Some(message.id.as_str()) {
                message.close(sheet);
                sheet.at(at.number().and_then(|at| u64::try_from(at).ok()));
                message = Message {
                    id: id.text().unwrap_or_default().to_owned(),
                    of_user: role.text() == Some("user"),
                    prompt: Vec::new(),
                    error: error
                        .text()
                        .map(|name| (name.to_owned(), why.text().unwrap_or(name).to_owned())),
                };
                if !message.of_user {
                    sheet.facts().by_model(model.text());
                }
            }
            if let (Some(row), Some(Ok(data))) =
                (part.number(), data.text().map(serde_json::from_str::<Value>))
            {
                message.part(&data, sheet);
                // A prompt is put down with its last part; what was found leads to one of them.
                if message.of_user {
                    message.close(sheet);
                }
                return each(sheet, row);
            }
            true
        })
        .map_err(failed)?;
    message.close(sheet);
    let _ = each(sheet, 0);
    Ok(())
}

fn about(row: &[Cell], sheet: &mut Sheet) {
    let [title, directory, model, created, updated] = row else { return };
    let facts = sheet.facts();
    let title = title.text().filter(|title| !UNNAMED.iter().any(|lead| title.starts_with(lead)));
    facts.make(title);
    facts.in_directory(directory.text());
    if let Some(Ok(model)) = model.text().map(serde_json::from_str::<Value>) {
        facts.by_model(text(&model, "/id"));
    }
    for at in [created, updated] {
        facts.at(at.number().and_then(|at| u64::try_from(at).ok()).unwrap_or_default());
    }
}

#[derive(Debug, Default)]
struct Message {
    id: String,
    of_user: bool,
    prompt: Vec<String>,
    error: Option<(String, String)>,
}

impl Message {
    fn part(&mut self, part: &Value, sheet: &mut Sheet) {
        let words = text(part, "/text").unwrap_or_default();
        let made = ["/synthetic", "/ignored"]
            .iter()
            .any(|field| part.pointer(field).and_then(Value::as_bool) == Some(true));
        match text(part, "/type") {
            Some("text") if made => {}
            Some("text") if self.of_user => self.prompt.push(words.to_owned()),
            Some("text") => sheet.text(words, None),
            Some("reasoning") => sheet.thinking(words, None),
            Some("tool") => {
                let name = text(part, "/tool").unwrap_or_default();
                let state = &part["state"];
                if name == "todowrite" {
                    sheet.todo(|| tools::todo(items(state, "/input/todos")));
                } else {
                    let call = text(part, "/callID").unwrap_or_default();
                    sheet.tool(call, None, || tool(call, name, state));
                }
            }
            Some("compaction") => sheet.notice("The conversation was compacted."),
            _ => {}
        }
    }

    /// What is put down at the end of a message.
    fn close(&mut self, sheet: &mut Sheet) {
        if !self.prompt.is_empty() {
            sheet.prompt(&std::mem::take(&mut self.prompt).join("\n"));
        }
        match self.error.take() {
            Some((name, _)) if name == "MessageAbortedError" => sheet.interrupted(),
            Some((_, why)) => sheet.failed(|| tools::failure(&why)),
            None => {}
        }
    }
}

pub(super) fn tool(call: &str, name: &str, state: &Value) -> Tool {
    let mut tool = tools::call(call, name, &state["input"]);
    let time = |field: &str| state.pointer(field).and_then(Value::as_u64);
    tool.started_ms = time("/time/start").unwrap_or_default();
    tool.ended_ms = time("/time/end");
    tool.state = match text(state, "/status") {
        Some("completed") => ToolState::Done,
        Some("error") => ToolState::Failed,
        _ => ToolState::Cut,
    };
    let output = text(state, "/output").or_else(|| text(state, "/error"));
    tool.output = output.unwrap_or_default().to_owned();
    let exit = state.pointer("/metadata/exit").and_then(Value::as_i64);
    tool.exit = exit.and_then(|exit| i32::try_from(exit).ok());
    if tool.exit.is_some_and(|exit| exit != 0) {
        tool.state = ToolState::Failed;
    }
    if tool.state == ToolState::Failed && tool.exit.is_none() {
        tool.changes.clear();
        if tool.output.contains("rejected permission") || tool.output.contains("rejected by") {
            tool.state = ToolState::Denied;
        }
    }
    if let Some(diff) = text(state, "/metadata/diff") {
        let path = text(state, "/metadata/filediff/file")
            .or_else(|| text(state, "/input/filePath"))
            .unwrap_or_default();
        tool.changes = vec![tools::of_diff(path, ChangeKind::Update, diff)];
    } else if name == "write"
        && state.pointer("/metadata/exists").and_then(Value::as_bool) == Some(true)
    {
        for change in &mut tool.changes {
            change.kind = ChangeKind::Update;
        }
    }
    tool
}

/// The words of one part, by its row.
pub(super) fn part(
    database: &Path,
    row: i64,
    tables: &dyn Tables,
    sheet: &mut Sheet,
) -> Result<(), Error> {
    let query = "SELECT p.data, json_extract(m.data, '$.role') FROM part p \
                 JOIN message m ON m.id = p.message_id WHERE p.rowid = ?1";
    tables
        .rows(database, query, &[Cell::Number(row)], &mut |row| {
            if let [Cell::Text(data), role] = row
                && let Ok(data) = serde_json::from_str(data)
            {
                let of_user = role.text() == Some("user");
                let mut message = Message { of_user, ..Message::default() };
                message.part(&data, sheet);
                message.close(sheet);
            }
            false
        })
        .map_err(|error| Error::file(database, error))
}
