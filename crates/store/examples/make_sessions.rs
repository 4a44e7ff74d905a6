//! Makes a home folder full of stored sessions of every provider, for measuring how they are found: the
//! same seed makes the same words. `cargo xtask sessions DIR` calls it.
//!
//! The mix of records is that of real stores: long tool outputs between short prompts and answers, thinking,
//! images, records that nobody needs, a few very long sessions and many short ones.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::{Value, json};

/// Now, as far as the made sessions are concerned: 2026-11-22 12:00 UTC.
const NOW_MS: u64 = 1_795_348_800_000;
/// How far back they go: 400 days.
const SPAN_MS: u64 = 400 * 86_400_000;
/// Words that are there besides the most common ones.
const VOCABULARY: usize = 30_000;
/// The most common words of the language, and of programs.
const COMMON: &[&str] = &[
    "the", "to", "a", "of", "and", "in", "is", "that", "it", "for", "this", "with", "on", "not",
    "be", "file", "function", "test", "error", "value", "line", "code", "type", "return", "when",
    "which", "should", "can", "change", "from", "has", "are", "was", "string", "path", "name",
    "call", "new", "config", "server", "client", "request", "response", "parser", "module",
    "struct", "build",
];

struct Options {
    root: PathBuf,
    sessions: u64,
    bytes: u64,
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = options()?;
    let begun = std::time::Instant::now();
    let mut maker = Maker::new(&options)?;
    let mut made = Made::default();
    for number in 0..options.sessions {
        maker.session(number, &mut made)?;
    }
    maker.finish()?;
    println!(
        "{}",
        json!({
            "sessions": options.sessions,
            "bytes": made.bytes,
            "conversation_bytes": made.words,
            "seed": options.seed,
            "seconds": begun.elapsed().as_secs_f64(),
        })
    );
    Ok(())
}

fn options() -> Result<Options, String> {
    let mut args = std::env::args().skip(1);
    let root = args.next().ok_or("make_sessions DIR [SESSIONS [BYTES [SEED]]]")?;
    let mut number = |default: u64| match args.next() {
        Some(text) => text.replace('_', "").parse().map_err(|_| format!("{text} is no number")),
        None => Ok(default),
    };
    let (sessions, bytes, seed) = (number(5_000)?, number(1_000_000_000)?, number(1)?);
    Ok(Options { root: root.into(), sessions: sessions.max(1), bytes, seed })
}

#[derive(Default)]
struct Made {
    /// Bytes of files and of rows.
    bytes: u64,
    /// Bytes of prompts and answers.
    words: u64,
}

/// xorshift: the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: u64) -> u64 {
        (self.next() >> 11) % most.max(1)
    }

    /// Small numbers far more often than large ones, as words are used.
    fn rare(&mut self, most: usize) -> usize {
        let unit = self.below(1 << 24) as f64 / f64::from(1u32 << 24);
        ((most as f64).powf(unit) - 1.0) as usize
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Claude,
    Codex,
    OpenCode,
    Droid,
    Copilot,
    Gemini,
    Demo,
}

struct Maker {
    root: PathBuf,
    dice: Dice,
    words: Vec<String>,
    sessions: u64,
    /// Bytes of an average session.
    average: u64,
    opencode: Connection,
    projects: serde_json::Map<String, Value>,
}

/// One session while it is made.
struct Session {
    kind: Kind,
    id: String,
    directory: String,
    project: u64,
    at_ms: u64,
    file: Option<BufWriter<File>>,
    path: PathBuf,
    bytes: u64,
    messages: u64,
}

impl Maker {
    fn new(options: &Options) -> Result<Self, Box<dyn std::error::Error>> {
        let mut dice = Dice(options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut words: Vec<String> = COMMON.iter().map(|word| (*word).to_owned()).collect();
        let syllables = [
            "ba", "con", "der", "el", "fin", "gra", "hi", "in", "jo", "ka", "lo", "men", "no",
            "or", "pre", "qui", "re", "sta", "ti", "un", "ver", "wo", "xi", "ya", "zo", "s", "er",
            "ing", "ed", "tion",
        ];
        while words.len() < VOCABULARY {
            let mut word = String::new();
            for _ in 0..2 + dice.below(3) {
                word += syllables[dice.below(syllables.len() as u64) as usize];
            }
            words.push(word);
        }
        let database = options.root.join(".local/share/opencode/opencode.db");
        fs::create_dir_all(database.parent().unwrap_or(&options.root))?;
        let opencode = Connection::open(database)?;
        opencode.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN;
             CREATE TABLE session (id text PRIMARY KEY, project_id text NOT NULL, parent_id text,
                directory text NOT NULL, title text NOT NULL, model text,
                time_created integer NOT NULL, time_updated integer NOT NULL);
             CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL,
                time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);
             CREATE TABLE part (id text PRIMARY KEY, message_id text NOT NULL,
                session_id text NOT NULL, time_created integer NOT NULL,
                time_updated integer NOT NULL, data text NOT NULL);
             CREATE INDEX message_by_session ON message (session_id, time_created, id);
             CREATE INDEX part_by_message ON part (message_id, id);
             CREATE INDEX part_by_session ON part (session_id);",
        )?;
        Ok(Self {
            root: options.root.clone(),
            dice,
            words,
            sessions: options.sessions,
            average: (options.bytes / options.sessions).max(2_000),
            opencode,
            projects: serde_json::Map::new(),
        })
    }

    fn finish(self) -> Result<(), Box<dyn std::error::Error>> {
        self.opencode.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")?;
        let projects = json!({ "projects": self.projects });
        write(&self.root.join(".gemini/projects.json"), projects.to_string().as_bytes())?;
        Ok(())
    }

    /// Prose of about so many bytes.
    fn prose(&mut self, bytes: u64) -> String {
        let mut text = String::new();
        while (text.len() as u64) < bytes {
            let word = &self.words[self.dice.rare(VOCABULARY)];
            text.push_str(word);
            text.push_str(match self.dice.below(14) {
                0 => ". ",
                1 => ", ",
                2 if self.dice.below(4) == 0 => "\n\n",
                _ => " ",
            });
        }
        text.trim().to_owned()
    }

    /// What a tool printed.
    fn output(&mut self, bytes: u64) -> String {
        let mut text = String::new();
        while (text.len() as u64) < bytes {
            let (line, word) = (self.dice.below(2000), self.dice.rare(VOCABULARY));
            let _ = writeln!(
                text,
                "src/{}.rs:{line}:    let {} = {};",
                self.words[word],
                self.words[word / 2],
                line * 7
            );
        }
        text
    }

    fn session(&mut self, number: u64, made: &mut Made) -> Result<(), Box<dyn std::error::Error>> {
        let kind = match self.dice.below(100) {
            0..45 => Kind::Claude,
            45..70 => Kind::Codex,
            70..80 => Kind::OpenCode,
            80..88 => Kind::Droid,
            88..94 => Kind::Copilot,
            94..98 => Kind::Gemini,
            _ => Kind::Demo,
        };
        // Many short ones and a few very long ones, about the average altogether.
        let share = [8, 15, 25, 40, 60, 80, 120, 160, 240, 252][self.dice.below(10) as usize];
        let target = self.average * share / 100;
        let at_ms =
            NOW_MS - SPAN_MS + number * (SPAN_MS / self.sessions) + self.dice.below(3_600_000);
        let project = self.dice.below(40);
        let directory = format!("/home/user/projects/{}", self.words[60 + project as usize]);
        let mut session = self.begin(kind, project, directory, at_ms)?;
        let mut first = true;
        while session.bytes < target || first {
            self.turn(&mut session, made, first, number)?;
            first = false;
        }
        self.end(session, made)
    }

    fn begin(
        &mut self,
        kind: Kind,
        project: u64,
        directory: String,
        at_ms: u64,
    ) -> Result<Session, Box<dyn std::error::Error>> {
        let id = match kind {
            Kind::OpenCode => format!("ses_{}", &self.dice.uuid().replace('-', "")[..26]),
            _ => self.dice.uuid(),
        };
        let (year, month, day) = date(at_ms);
        let encoded = directory.replace('/', "-");
        let below = match kind {
            Kind::Claude => format!(".claude/projects/{encoded}/{id}.jsonl"),
            Kind::Codex => format!(
                ".codex/sessions/{year:04}/{month:02}/{day:02}/rollout-{year:04}-{month:02}-{day:02}T10-00-00-{id}.jsonl"
            ),
            Kind::OpenCode => String::new(),
            Kind::Droid => format!(".factory/sessions/{encoded}/{id}.jsonl"),
            Kind::Copilot => format!(".copilot/session-state/{id}/events.jsonl"),
            Kind::Gemini => format!(
                ".gemini/tmp/p{project}/chats/session-{year:04}-{month:02}-{day:02}T10-00-{}.jsonl",
                &id[..8]
            ),
            Kind::Demo => format!(".local/share/maestro/demo-agent/sessions/{id}.jsonl"),
        };
        let path = self.root.join(below);
        let file = if kind == Kind::OpenCode {
            None
        } else {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            Some(BufWriter::new(File::create(&path)?))
        };
        let mut session =
            Session { kind, id, directory, project, at_ms, file, path, bytes: 0, messages: 0 };
        let (id, cwd, at) = (session.id.clone(), session.directory.clone(), time(at_ms));
        match kind {
            Kind::Claude => session.line(&json!({
                "type": "queue-operation", "operation": "enqueue", "timestamp": at, "sessionId": id,
            }))?,
            Kind::Codex => {
                let instructions = self.prose(12_000);
                session.line(&json!({ "timestamp": at, "type": "session_meta", "payload": {
                    "id": id, "timestamp": at, "cwd": cwd, "originator": "codex_exec",
                    "cli_version": "0.169.0", "source": "exec", "git": { "branch": "main" },
                    "base_instructions": { "text": instructions },
                }}))?;
                session.line(&json!({ "timestamp": at, "type": "turn_context", "payload": {
                    "cwd": cwd, "model": "gpt-5.5", "approval_policy": "never",
                }}))?;
                session.line(&json!({ "timestamp": at, "type": "response_item", "payload": {
                    "type": "message", "role": "user", "content": [{ "type": "input_text",
                    "text": format!("<environment_context>\n  <cwd>{cwd}</cwd>\n</environment_context>") }],
                }}))?;
            }
            Kind::OpenCode => {
                let _ = self.opencode.execute(
                    "INSERT INTO session VALUES (?1, 'global', NULL, ?2, '', ?3, ?4, ?4)",
                    (&id, &cwd, json!({ "id": "big-model" }).to_string(), at_ms as i64),
                )?;
            }
            Kind::Droid => session.line(&json!({
                "type": "session_start", "id": id, "title": "", "owner": "user", "version": 2, "cwd": cwd,
            }))?,
            Kind::Copilot => {
                let workspace = format!("id: {id}\ncwd: {cwd}\nbranch: main\nname: ''\nuser_named: false\n");
                write(&session.path.with_file_name("workspace.yaml"), workspace.as_bytes())?;
                session.line(&json!({ "type": "session.start", "timestamp": at, "data": {
                    "sessionId": id, "selectedModel": "gpt-5.2-codex",
                    "context": { "cwd": cwd, "branch": "main" },
                }}))?;
            }
            Kind::Gemini => {
                let slug = format!("p{project}");
                let _ = self.projects.insert(cwd.clone(), json!(slug));
                let root = self.root.join(format!(".gemini/tmp/{slug}/.project_root"));
                write(&root, cwd.as_bytes())?;
                session.line(&json!({
                    "sessionId": id, "projectHash": "0", "startTime": at, "lastUpdated": at, "kind": "main",
                }))?;
            }
            Kind::Demo => session.line(&json!({
                "type": "session", "id": id, "directory": cwd, "model": "demo-1", "created_ms": at_ms,
            }))?,
        }
        Ok(session)
    }

    /// A prompt, some tools, an answer.
    fn turn(
        &mut self,
        session: &mut Session,
        made: &mut Made,
        first: bool,
        number: u64,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let mut length = 30 + self.dice.below(300);
        if self.dice.below(40) == 0 {
            length += 8_000;
        }
        let mut prompt = self.prose(length);
        if first {
            let _ = write!(prompt, " (session number{number})");
        }
        made.words += prompt.len() as u64;
        self.say(session, true, &prompt)?;
        for _ in 0..self.dice.below(6) {
            let mut size = 200 + self.dice.below(6_000);
            if self.dice.below(25) == 0 {
                size *= 12;
            }
            let output = self.output(size);
            let word = self.dice.rare(VOCABULARY);
            let command = format!("rg {} src", self.words[word]);
            self.tool(session, &command, &output)?;
            if self.dice.below(3) == 0 {
                let length = 40 + self.dice.below(200);
                let words = self.prose(length);
                made.words += words.len() as u64;
                self.say(session, false, &words)?;
            }
        }
        let length = 200 + self.dice.below(1_800);
        let answer = self.prose(length);
        made.words += answer.len() as u64;
        self.say(session, false, &answer)?;
        // What providers store besides: usage, attachments, images.
        if session.kind == Kind::Claude && self.dice.below(3) == 0 {
            let listing = self.prose(1_500);
            let at = time(session.at_ms);
            session.line(&json!({ "type": "attachment", "timestamp": at, "attachment": {
                "type": "skill_listing", "content": listing }, "cwd": session.directory }))?;
        }
        if session.kind == Kind::Codex {
            let at = time(session.at_ms);
            session.line(&json!({ "timestamp": at, "type": "event_msg", "payload": {
                "type": "token_count", "info": { "total_token_usage": { "input_tokens": session.bytes } } } }))?;
        }
        Ok(())
    }

    fn say(
        &mut self,
        session: &mut Session,
        user: bool,
        words: &str,
    ) -> Result<(), Box<dyn std::error::Error>> {
        session.at_ms += 1_000 + self.dice.below(30_000);
        session.messages += 1;
        let (at, role) = (time(session.at_ms), if user { "user" } else { "assistant" });
        let uuid = self.dice.uuid();
        let record = match session.kind {
            Kind::Claude => {
                let content =
                    if user { json!(words) } else { json!([{ "type": "text", "text": words }]) };
                json!({ "parentUuid": uuid, "isSidechain": false, "type": role, "uuid": uuid,
                    "message": { "role": role, "model": if user { Value::Null } else { json!("claude-opus-4-8") },
                        "content": content, "usage": { "input_tokens": 1000, "output_tokens": 100 } },
                    "timestamp": at, "userType": "external", "entrypoint": "cli", "cwd": session.directory,
                    "sessionId": session.id, "version": "2.1.197", "gitBranch": "main" })
            }
            Kind::Codex => {
                let kind = if user { "input_text" } else { "output_text" };
                let item = if user { "UserMessage" } else { "AgentMessage" };
                // Everything is stored twice.
                session.line(&json!({ "timestamp": at, "type": "event_msg", "payload": {
                    "type": "item_completed", "item": { "type": item, "id": uuid,
                    "content": [{ "type": "text", "text": words }] } } }))?;
                json!({ "timestamp": at, "type": "response_item", "payload": { "type": "message",
                    "id": uuid, "role": role, "content": [{ "type": kind, "text": words }] } })
            }
            Kind::OpenCode => {
                let part = json!({ "type": "text", "text": words });
                return self.row(session, role, &part);
            }
            Kind::Droid => {
                json!({ "type": "message", "id": uuid, "timestamp": at, "modelId": "droid-1",
                "message": { "role": role, "content": [{ "type": "text", "text": words }] } })
            }
            Kind::Copilot if user => json!({ "type": "user.message", "timestamp": at, "id": uuid,
                "data": { "content": words, "transformedContent": words } }),
            Kind::Copilot => json!({ "type": "assistant.message", "timestamp": at, "id": uuid,
                "data": { "content": words, "model": "gpt-5.2-codex", "toolRequests": [] } }),
            Kind::Gemini if user => json!({ "id": uuid, "timestamp": at, "type": "user",
                "content": [{ "text": words }] }),
            Kind::Gemini => {
                json!({ "id": uuid, "timestamp": at, "type": "gemini", "content": words,
                "thoughts": [], "model": "gemini-2.5-pro" })
            }
            Kind::Demo => json!({ "type": role, "text": words }),
        };
        session.line(&record)
    }

    fn tool(
        &mut self,
        session: &mut Session,
        command: &str,
        output: &str,
    ) -> Result<(), Box<dyn std::error::Error>> {
        session.at_ms += 200 + self.dice.below(5_000);
        let (at, uuid, call) = (time(session.at_ms), self.dice.uuid(), self.dice.uuid());
        match session.kind {
            Kind::Claude => {
                let about = json!({ "cwd": session.directory, "sessionId": session.id, "gitBranch": "main",
                    "version": "2.1.197", "isSidechain": false, "timestamp": at, "uuid": uuid });
                session.merged(&about, json!({ "type": "assistant", "message": { "role": "assistant",
                    "model": "claude-opus-4-8", "content": [{ "type": "tool_use", "id": call,
                    "name": "Bash", "input": { "command": command } }] } }))?;
                session.merged(&about, json!({ "type": "user", "message": { "role": "user", "content": [{
                    "type": "tool_result", "tool_use_id": call, "content": output }] },
                    "toolUseResult": { "stdout": output, "stderr": "" } }))
            }
            Kind::Codex => {
                let arguments = json!({ "cmd": command }).to_string();
                session.line(&json!({ "timestamp": at, "type": "response_item", "payload": {
                    "type": "function_call", "name": "exec_command", "arguments": arguments, "call_id": call } }))?;
                session.line(&json!({ "timestamp": at, "type": "event_msg", "payload": { "type": "item_completed",
                    "item": { "type": "CommandExecution", "id": call, "aggregated_output": output, "exit_code": 0 } } }))?;
                session.line(&json!({ "timestamp": at, "type": "response_item", "payload": {
                    "type": "function_call_output", "call_id": call, "output": output } }))
            }
            Kind::OpenCode => {
                let part = json!({ "type": "tool", "tool": "bash", "callID": call, "state": {
                    "status": "completed", "input": { "command": command }, "output": output } });
                self.row(session, "assistant", &part)
            }
            Kind::Droid => {
                session.line(&json!({ "type": "message", "id": uuid, "timestamp": at, "message": {
                    "role": "assistant", "content": [{ "type": "tool_use", "id": call, "name": "Execute",
                    "input": { "command": command } }] } }))?;
                session.line(&json!({ "type": "message", "id": call, "timestamp": at, "message": {
                    "role": "user", "content": [{ "type": "tool_result", "tool_use_id": call,
                    "is_error": false, "content": output }] } }))
            }
            Kind::Copilot => {
                session.line(&json!({ "type": "assistant.message", "timestamp": at, "data": { "content": "",
                    "toolRequests": [{ "toolCallId": call, "name": "bash", "arguments": { "command": command } }] } }))?;
                session.line(&json!({ "type": "tool.execution_complete", "timestamp": at, "data": {
                    "toolCallId": call, "success": true, "result": { "content": output } } }))
            }
            Kind::Gemini => session.line(&json!({ "id": uuid, "timestamp": at, "type": "gemini", "content": "",
                "toolCalls": [{ "id": call, "name": "run_shell_command", "args": { "command": command },
                "status": "success", "resultDisplay": output }] })),
            Kind::Demo => session.line(&json!({ "type": "tool", "name": "Bash", "summary": command,
                "output": output, "is_error": false })),
        }
    }

    /// A message with one part in OpenCode's database.
    fn row(
        &mut self,
        session: &mut Session,
        role: &str,
        part: &Value,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let at = session.at_ms as i64;
        let number = session.at_ms * 1000 + session.messages;
        let (message, row) =
            (format!("msg_{number:020}{}", session.id), format!("prt_{number:020}{}", session.id));
        let data =
            json!({ "role": role, "modelID": "big-model", "providerID": "some" }).to_string();
        let part = part.to_string();
        session.bytes += (data.len() + part.len()) as u64;
        session.messages += 1;
        let _ = self
            .opencode
            .prepare_cached("INSERT INTO message VALUES (?1, ?2, ?3, ?3, ?4)")?
            .execute((&message, &session.id, at, data))?;
        let _ = self
            .opencode
            .prepare_cached("INSERT INTO part VALUES (?1, ?2, ?3, ?4, ?4, ?5)")?
            .execute((row, message, &session.id, at, part))?;
        Ok(())
    }

    fn end(
        &mut self,
        mut session: Session,
        made: &mut Made,
    ) -> Result<(), Box<dyn std::error::Error>> {
        made.bytes += session.bytes;
        if let Some(file) = session.file.take() {
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.set_modified(UNIX_EPOCH + Duration::from_millis(session.at_ms))
                .or_else(|_| file.set_modified(SystemTime::now()))?;
        } else {
            let _ = self.opencode.execute(
                "UPDATE session SET time_updated = ?2, title = ?3 WHERE id = ?1",
                (&session.id, session.at_ms as i64, format!("Session in {}", session.project)),
            )?;
        }
        Ok(())
    }
}

impl Session {
    fn line(&mut self, record: &Value) -> Result<(), Box<dyn std::error::Error>> {
        let mut text = record.to_string();
        text.push('\n');
        self.bytes += text.len() as u64;
        if let Some(file) = &mut self.file {
            file.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn merged(
        &mut self,
        about: &Value,
        mut record: Value,
    ) -> Result<(), Box<dyn std::error::Error>> {
        if let (Some(record), Some(about)) = (record.as_object_mut(), about.as_object()) {
            record.extend(about.clone());
        }
        self.line(&record)
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}

/// The date of a time.
fn date(ms: u64) -> (u64, u64, u64) {
    let days = (ms / 86_400_000) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u64, month as u64, day as u64)
}

/// A time as the providers write it.
fn time(ms: u64) -> String {
    let (year, month, day) = date(ms);
    let of_day = ms % 86_400_000;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        of_day / 3_600_000,
        of_day / 60_000 % 60,
        of_day / 1000 % 60,
        of_day % 1000
    )
}
