//! How far a session is, by the end of what its provider has stored: for programs whose own interface tells
//! nothing of that. Only the end is read, and only what the provider itself calls an end is one.

use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use maestro_core::agent::Provider;
use maestro_core::conversation::{Body, Entry, ToolKind, ToolState};
use serde_json::Value;

use super::lines::{self, Line};
use super::list::{self, Found};
use super::opencode::{self, Cell, Tables};
use super::sheet::{Memory, Sheet, Want};
use super::{Error, items, record, text};

/// How much of a session's file is read, from its end.
const TAIL: u64 = 512 << 10;
/// Parts of a message that are looked at, the newest first.
const PARTS: i64 = 40;

/// How far a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Latest {
    /// Nothing was said in it.
    Nothing,
    /// A turn has begun, and what comes next is the model's.
    Works,
    /// A tool was called and has no result: it runs, or its user is asked about it.
    Called {
        /// What it is to do.
        what: String,
        /// The kind of tool.
        kind: ToolKind,
        /// When: milliseconds since the Unix epoch; 0 where that is not stored.
        at_ms: u64,
    },
    /// The last turn ended with an answer.
    Answered,
    /// The last turn was stopped.
    Stopped,
    /// The last turn failed, with these words.
    Failed(String),
}

/// Whether a session's store says when a turn is over, so that [`latest`] can be relied on.
#[must_use]
pub fn tells_ends(provider: Provider) -> bool {
    matches!(provider, Provider::OpenCode | Provider::Droid | Provider::Copilot)
}

/// How far a session of a provider that [`tells_ends`] is. Blocks.
///
/// # Errors
///
/// When the session is gone or cannot be read, and for other providers.
pub fn latest(found: &Found, tables: &dyn Tables) -> Result<Latest, Error> {
    match found.provider {
        Provider::OpenCode => of_database(found, tables),
        Provider::Droid | Provider::Copilot => of_file(found),
        provider => Err(Error::Unsupported(provider)),
    }
}

/// The session of OpenCode that was written to last in one of these directories, after a time. Blocks, and
/// starts no program.
///
/// # Errors
///
/// When the database is there and cannot be read.
pub fn newest_opencode(
    database: &Path,
    directories: &[PathBuf],
    since_ms: u64,
    tables: &dyn Tables,
) -> Result<Option<Found>, Error> {
    if !lets_others_write(database) {
        return Ok(None);
    }
    let query = "SELECT id, time_updated FROM session WHERE parent_id IS NULL AND directory = ?1 \
                 AND time_updated >= ?2 ORDER BY time_updated DESC LIMIT 1";
    let mut newest: Option<Found> = None;
    for directory in directories {
        let values = [
            Cell::Text(directory.to_string_lossy().into_owned()),
            Cell::Number(i64::try_from(since_ms).unwrap_or(i64::MAX)),
        ];
        let mut take = |row: &[Cell]| {
            if let [Cell::Text(id), Cell::Number(updated)] = row {
                let modified_ms = u64::try_from(*updated).unwrap_or_default();
                if newest.as_ref().is_none_or(|known| known.modified_ms < modified_ms) {
                    newest = Some(Found {
                        provider: Provider::OpenCode,
                        id: id.clone(),
                        path: database.to_owned(),
                        bytes: 0,
                        modified_ms,
                    });
                }
            }
            true
        };
        tables
            .rows(database, query, &values, &mut take)
            .map_err(|error| Error::file(database, error))?;
    }
    Ok(newest)
}

/// Whether who reads a database keeps nobody from writing: it has a write-ahead log, by the format's own words
/// (<https://www.sqlite.org/fileformat2.html>, 1.3.3). OpenCode makes its database without one first and does not
/// wait for locks then, so that a reader could keep it from starting.
fn lets_others_write(database: &Path) -> bool {
    let mut header = [0; 20];
    let read = list::open(database).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.starts_with(b"SQLite format 3\0") && header[18..] == [2, 2]
}

fn of_database(found: &Found, tables: &dyn Tables) -> Result<Latest, Error> {
    let failed = |error| Error::file(&found.path, error);
    let id = [Cell::Text(found.id.clone())];
    let query = "SELECT id, json_extract(data, '$.role'), json_extract(data, '$.finish'), \
                 json_extract(data, '$.error.name'), json_extract(data, '$.error.data.message'), \
                 json_extract(data, '$.time.completed') \
                 FROM message WHERE session_id = ?1 ORDER BY time_created DESC, id DESC LIMIT 1";
    let mut last: Option<Vec<Cell>> = None;
    tables
        .rows(&found.path, query, &id, &mut |row| {
            last = Some(row.to_vec());
            false
        })
        .map_err(failed)?;
    let Some([id, role, finish, error, why, completed]) = last.as_deref() else {
        return Ok(Latest::Nothing);
    };
    if role.text() != Some("assistant") {
        return Ok(Latest::Works);
    }
    if let Some(name) = error.text() {
        return Ok(match name {
            "MessageAbortedError" => Latest::Stopped,
            name => Latest::Failed(why.text().unwrap_or(name).to_owned()),
        });
    }
    // With a finish of `tool-calls` the next message is about to begin.
    if completed.number().is_some() && finish.text().is_some_and(|why| why != "tool-calls") {
        return Ok(Latest::Answered);
    }
    let query = "SELECT data FROM part WHERE message_id = ?1 ORDER BY id DESC LIMIT ?2";
    let mut called = None;
    tables
        .rows(&found.path, query, &[id.clone(), Cell::Number(PARTS)], &mut |row| {
            let part = row.first().and_then(Cell::text).map(serde_json::from_str::<Value>);
            if let Some(Ok(part)) = part {
                called = open_call(&part);
            }
            called.is_none()
        })
        .map_err(failed)?;
    Ok(called.unwrap_or(Latest::Works))
}

/// A call of OpenCode's that has no result.
fn open_call(part: &Value) -> Option<Latest> {
    let status = text(part, "/state/status")?;
    let is_open = text(part, "/type") == Some("tool") && matches!(status, "pending" | "running");
    if !is_open {
        return None;
    }
    let name = text(part, "/tool").unwrap_or_default();
    let tool = opencode::tool("", name, &part["state"]);
    Some(Latest::Called { what: tool.title, kind: tool.kind, at_ms: tool.started_ms })
}

fn of_file(found: &Found) -> Result<Latest, Error> {
    let failed = |error| Error::file(&found.path, error);
    let mut file = list::open(&found.path).map_err(failed)?;
    let from = file.metadata().map_err(failed)?.len().saturating_sub(TAIL);
    let _ = file.seek(SeekFrom::Start(from)).map_err(failed)?;
    let mut reader = BufReader::new(file.take(TAIL));
    let mut line = Vec::new();
    if from > 0 {
        let _ = lines::next(&mut reader, &mut line).map_err(failed)?;
    }
    let mut sheet = Sheet::new(Memory::default(), Want::Entries { from: 0, to: u64::MAX });
    let mut turn = Turn::default();
    loop {
        match lines::next(&mut reader, &mut line).map_err(failed)? {
            Line::Whole(_) | Line::Open(_) => {
                if let Ok(value) = serde_json::from_slice::<Value>(&line) {
                    record(found.provider, &value, &mut sheet);
                    turn.heard(found.provider, &value);
                }
            }
            Line::Long(_) => {}
            Line::End => return Ok(standing(&sheet.entries, turn)),
        }
    }
}

/// What the records say of the last turn that the entries made of them do not.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    begun: bool,
    over: bool,
    /// Whether the last message of the model asks for tools.
    calls: bool,
}

impl Turn {
    fn heard(&mut self, provider: Provider, record: &Value) {
        let kind = text(record, "/type").unwrap_or_default();
        let mut begins = || (self.begun, self.over) = (true, false);
        match (provider, kind) {
            (Provider::Droid, "message") | (Provider::Copilot, "user.message") => begins(),
            (Provider::Copilot, "assistant.turn_start") => {
                begins();
                self.calls = false;
            }
            (Provider::Copilot, "assistant.message") => {
                self.calls = !items(record, "/data/toolRequests").is_empty();
            }
            // One for each answer of the model; the last one has asked for nothing.
            (Provider::Copilot, "assistant.turn_end") => self.over = !self.calls,
            (Provider::Droid, "agent_turn_outcome")
            | (Provider::Copilot, "abort" | "session.error" | "session.shutdown") => {
                self.over = true;
            }
            _ => {}
        }
    }
}

fn standing(entries: &[Entry], turn: Turn) -> Latest {
    let tells = |body: &Body| {
        matches!(
            body,
            Body::Prompt(_) | Body::Text(_) | Body::Tool(_) | Body::Failed(_) | Body::Ended(_)
        )
    };
    let last = entries.iter().rev().map(|entry| &entry.body).find(|body| tells(body));
    match last {
        Some(Body::Failed(failure)) => Latest::Failed(failure.message.clone()),
        Some(Body::Ended(ended)) if ended.interrupted => Latest::Stopped,
        Some(Body::Prompt(_)) if turn.over => Latest::Stopped,
        Some(_) if turn.over => Latest::Answered,
        Some(_) => {
            let after = entries
                .iter()
                .rev()
                .take_while(|entry| !matches!(entry.body, Body::Prompt(_) | Body::Text(_)));
            let called = after.filter_map(|entry| match &entry.body {
                Body::Tool(tool) if matches!(tool.state, ToolState::Cut | ToolState::Running) => {
                    let what = if tool.title.is_empty() { &tool.name } else { &tool.title };
                    Some(Latest::Called {
                        what: what.clone(),
                        kind: tool.kind,
                        at_ms: tool.started_ms,
                    })
                }
                _ => None,
            });
            called.last().unwrap_or(Latest::Works)
        }
        None if turn.begun && !turn.over => Latest::Works,
        None => Latest::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROID: &str = "11111111-1111-4111-8111-111111111111";

    fn of(provider: Provider, records: &[&str]) -> Latest {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join(format!("{DROID}.jsonl"));
        std::fs::write(&path, records.join("\n") + "\n").expect("written");
        let found = list::found_at(provider, DROID, &path).expect("it is there");
        latest(&found, &Nothing).expect("read")
    }

    struct Nothing;

    impl Tables for Nothing {
        fn rows(
            &self,
            _: &Path,
            _: &str,
            _: &[Cell],
            _: &mut dyn FnMut(&[Cell]) -> bool,
        ) -> std::io::Result<()> {
            panic!("no database here")
        }
    }

    const START: &str = r#"{"type":"session_start","id":"x","cwd":"/p"}"#;
    const INJECTED: &str = r#"{"type":"message","id":"context-1","message":{"role":"user","visibility":"llm_only","content":[{"type":"text","text":"rules"}]}}"#;
    const ASK: &str = r#"{"type":"message","message":{"role":"user","content":[{"type":"text","text":"fix it"}]}}"#;
    const CALL: &str = r#"{"type":"message","timestamp":"2026-11-22T07:37:26.447Z","message":{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"Execute","input":{"command":"make"}}]}}"#;
    const RESULT: &str = r#"{"type":"message","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}}"#;
    const SAID: &str = r#"{"type":"message","message":{"role":"assistant","content":[{"type":"text","text":"Done."}]}}"#;
    const OVER: &str = r#"{"type":"agent_turn_outcome","reason":"completed"}"#;
    const STOPPED: &str = r#"{"type":"agent_turn_outcome","reason":"cancelled"}"#;
    const WRONG: &str = r#"{"type":"message","message":{"role":"assistant","visibility":"user_only","content":[{"type":"text","text":"401 no key"}]}}"#;

    #[test]
    fn a_droid_is_as_far_as_its_file_says() {
        let droid = |records: &[&str]| of(Provider::Droid, records);
        assert_eq!(droid(&[START]), Latest::Nothing);
        assert_eq!(droid(&[START, INJECTED, ASK]), Latest::Works);
        let Latest::Called { what, kind, at_ms } = droid(&[START, ASK, CALL]) else { panic!() };
        assert_eq!((what.as_str(), kind), ("make", ToolKind::Shell));
        assert_eq!(at_ms, 1_795_333_046_447);
        assert_eq!(droid(&[START, ASK, CALL, RESULT]), Latest::Works);
        // A text in the middle of a turn is no end.
        assert_eq!(droid(&[START, ASK, SAID]), Latest::Works);
        assert_eq!(droid(&[START, ASK, SAID, OVER]), Latest::Answered);
        assert_eq!(droid(&[START, ASK, SAID, OVER, ASK]), Latest::Works);
        assert_eq!(droid(&[START, ASK, CALL, STOPPED]), Latest::Stopped);
        // A line that is being written.
        assert_eq!(droid(&[START, ASK, SAID, OVER, r#"{"type":"mess"#]), Latest::Answered);
        assert!(matches!(droid(&[START, ASK, WRONG]), Latest::Failed(_) | Latest::Works));
    }

    #[test]
    fn a_database_that_is_being_made_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("opencode.db");
        let mut header = *b"SQLite format 3\0\x10\0\x01\x01";
        for (modes, expected) in [([1, 1], false), ([2, 2], true)] {
            header[18..].copy_from_slice(&modes);
            std::fs::write(&path, header).expect("written");
            assert_eq!(lets_others_write(&path), expected, "{modes:?}");
        }
        std::fs::write(&path, b"SQLite").expect("written");
        assert!(!lets_others_write(&path), "not even begun");
        assert!(!lets_others_write(&folder.path().join("nothing.db")));
    }

    #[test]
    fn recorded_sessions_have_ended() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
        let mut seen = 0;
        for (provider, folder) in [
            (Provider::Droid, "droid/store/.factory/sessions"),
            (Provider::Copilot, "copilot/store/.copilot/session-state"),
        ] {
            let place = list::Place { provider, path: root.join(folder) };
            list::list(&place, &Nothing, &mut |found| {
                seen += 1;
                let latest = latest(&found, &Nothing).expect("read");
                let ended = matches!(
                    latest,
                    Latest::Answered | Latest::Stopped | Latest::Failed(_) | Latest::Nothing
                );
                assert!(ended, "{}: {latest:?}", found.path.display());
            })
            .expect("listed");
        }
        assert!(seen >= 6, "{seen}");
    }

    #[test]
    fn a_copilot_between_two_answers_works() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures/copilot/store/.copilot/session-state")
            .join("5367661f-b036-4252-b37c-a54774c68bcc/events.jsonl");
        let text = std::fs::read_to_string(path).expect("the fixture");
        let lines: Vec<&str> = text.lines().collect();
        let mut all = Vec::new();
        for end in 1..=lines.len() {
            let now = match of(Provider::Copilot, &lines[..end]) {
                Latest::Called { .. } => "called",
                Latest::Works => "works",
                Latest::Answered => "answered",
                Latest::Nothing => "nothing",
                Latest::Stopped | Latest::Failed(_) => "other",
            };
            if all.last() != Some(&now) {
                all.push(now);
            }
        }
        let calls = ["called", "works"].repeat(4);
        let expected = [&["nothing", "works"], calls.as_slice(), &["answered"]].concat();
        assert_eq!(all, expected);
    }
}
