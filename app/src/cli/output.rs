//! What is printed: tables for people, JSON for programs, and ids as a person types them in both.

use std::io::{self, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maestro_core::agent::Agent;
use maestro_core::run::Run;
use maestro_protocol::message::TerminalInfo;
use serde::Serialize;
use serde_json::{Value, json};

use super::failure::{Failure, Result};

/// The standard output.
#[derive(Debug)]
pub struct Out {
    /// Whether programs read it.
    pub json: bool,
    stdout: io::BufWriter<io::Stdout>,
}

impl Out {
    pub fn new(json: bool) -> Self {
        Self { json, stdout: io::BufWriter::new(io::stdout()) }
    }

    pub fn line(&mut self, text: &str) -> Result<()> {
        writeln!(self.stdout, "{text}")?;
        Ok(self.stdout.flush()?)
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.stdout.write_all(bytes)?;
        Ok(self.stdout.flush()?)
    }

    /// A value, indented for eyes that debug a script.
    pub fn value(&mut self, value: &Value) -> Result<()> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::failed(format!("the answer is no JSON: {error}")))?;
        self.line(&text)
    }

    /// A value on one line, written at once: somebody follows.
    pub fn json_line(&mut self, value: &Value) -> Result<()> {
        self.line(&value.to_string())
    }

    /// Rows in aligned columns under a heading, or a sentence when there is none.
    pub fn table(&mut self, heading: &[&str], rows: &[Vec<String>], empty: &str) -> Result<()> {
        if rows.is_empty() {
            return self.line(empty);
        }
        for line in table(heading, rows) {
            writeln!(self.stdout, "{line}")?;
        }
        Ok(self.stdout.flush()?)
    }

    /// Names and values below each other.
    pub fn facts(&mut self, facts: &[(&str, String)]) -> Result<()> {
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(self.stdout, "{name:width$}  {}", plain(value))?;
        }
        Ok(self.stdout.flush()?)
    }
}

fn table(heading: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let heading: Vec<String> = heading.iter().map(|&name| name.to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(&heading)
        .chain(rows)
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let width = |column: usize| {
        lines.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..heading.len()).map(|column| width(column).unwrap_or(0)).collect();
    lines
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// Text from elsewhere on its way to the user's terminal: nothing in it may move the cursor, break a
/// row or turn the direction of writing.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '·',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '·',
            c => c,
        })
        .collect()
}

/// Text of several lines on its way to the user's terminal: lines stay, nothing moves the cursor.
pub fn printable(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => plain(line) + "\n",
            None => plain(line),
        })
        .collect()
}

/// The name of a unit variant as it is written in JSON.
pub fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word.replace('_', " "),
        Ok(Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
        Ok(_) | Err(_) => String::new(),
    }
}

pub fn agent(agent: &Agent) -> Value {
    let ids = [
        ("id", Some(agent.id.to_string())),
        ("ai_terminal", agent.ai_terminal.map(|id| id.to_string())),
        ("shell_terminal", agent.shell_terminal.map(|id| id.to_string())),
    ];
    with(value(agent), ids)
}

pub fn terminal(terminal: &TerminalInfo) -> Value {
    let ids =
        [("id", Some(terminal.id.to_string())), ("agent", terminal.agent.map(|id| id.to_string()))];
    with(value(terminal), ids)
}

pub fn run(run: &Run) -> Value {
    let mut object = with(value(run), [("id", Some(run.id.to_string()))]);
    object["spec"]["agent"] = json!(run.spec.agent.map(|id| id.to_string()));
    object
}

fn value<T: Serialize>(of: &T) -> Value {
    // Only a path that is not UTF-8 cannot be written, and the host refuses those.
    serde_json::to_value(of).unwrap_or(Value::Null)
}

fn with<const N: usize>(mut object: Value, ids: [(&str, Option<String>); N]) -> Value {
    for (name, id) in ids {
        object[name] = json!(id);
    }
    object
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// How long ago something was, in one or two units.
pub fn ago(then_ms: u64) -> String {
    format!("{} ago", duration(Duration::from_millis(now_ms().saturating_sub(then_ms))))
}

/// A duration in one or two units.
pub fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds @ 3600..86400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        seconds => format!("{} d {} h", seconds / 86400, seconds % 86400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_without_blanks() {
        let rows = [vec!["a1".to_owned(), "api".to_owned()], vec!["a12".to_owned(), String::new()]];
        assert_eq!(table(&["ID", "NAME"], &rows), ["ID   NAME", "a1   api", "a12"]);
    }

    #[test]
    fn nothing_from_elsewhere_moves_the_cursor() {
        assert_eq!(plain("a\x1b[2Jb\nc\u{202e}d\u{9b}"), "a·[2Jb c·d·");
    }

    #[test]
    fn texts_keep_their_lines_and_move_no_cursor() {
        assert_eq!(printable("a\nb\x1b[2J\n\nc"), "a\nb·[2J\n\nc");
    }

    #[test]
    fn durations_are_told_in_two_units_at_most() {
        for (seconds, expected) in
            [(5, "5 s"), (65, "1 min 5 s"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(duration(Duration::from_millis(70)), "70 ms");
    }
}
