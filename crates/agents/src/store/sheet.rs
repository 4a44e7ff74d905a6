//! What the records of a session come to: facts, and entries with numbers. Whoever wants only the words
//! gets them without the rest being made, with the same numbers.

use std::collections::HashMap;

use maestro_core::conversation::{Body, Ended, Entry, Prompt, Todo, Tool, ToolState, bounds};
use maestro_core::turn::{Failure, Usage};
use serde::{Deserialize, Serialize};

use super::facts::Facts;

/// The most tool calls of which the number is remembered until their result comes; of more, the older half is
/// forgotten.
const CALLS: usize = 4096;
/// The most records that may come again with more in them whose entries are remembered.
const AGAIN: usize = 16;
/// The most bytes of tools' inputs, outputs and changes of one session in memory …
const ROOM: usize = 48 << 20;
/// … and the most of each after that.
const SHORT: usize = 1 << 10;
/// The most entries of a session.
const ENTRIES: u64 = 1 << 22;

/// What is wanted of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Prompts and answers, piece by piece.
    Words,
    /// Everything that can be read, piece by piece.
    Everything,
    /// Entries of this range.
    Entries {
        /// From this number on.
        from: u64,
        /// Up to before this number.
        to: u64,
    },
}

/// Something that was said in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The number of its entry.
    pub entry: u64,
    /// What it is.
    pub what: What,
    /// The words.
    pub text: String,
    /// Whether this entry was given before, with less in it.
    pub again: bool,
}

/// What a [`Piece`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum What {
    Prompt,
    Answer,
    Thinking,
    /// A tool's input.
    Input,
    /// A tool's output.
    Output,
}

/// Entries of a session, and how many it has.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entries {
    /// The entries asked for, in order.
    pub entries: Vec<Entry>,
    /// How many there are in all.
    pub total: u64,
    /// What is known about the session.
    pub facts: Facts,
}

/// What has to be remembered to go on with a file later.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    pub facts: Facts,
    /// The number of the next entry.
    pub next: u64,
    pub turn: u64,
    /// Entries of records that may come again, by the record's id: the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    again: Vec<(String, Vec<(String, u64)>)>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Sheet {
    pub memory: Memory,
    want: Want,
    /// The time of the record.
    now: u64,
    pub pieces: Vec<Piece>,
    pub entries: Vec<Entry>,
    calls: HashMap<String, u64>,
    /// Bytes that entries may still take before tools' inputs and outputs are cut short.
    room: usize,
    /// How many entries are kept, and how many bytes of texts: of more, the older half is dropped.
    keep: (usize, usize),
    /// Bytes of the entries' texts.
    held: usize,
}

impl Sheet {
    pub fn new(memory: Memory, want: Want) -> Self {
        Self {
            memory,
            want,
            now: 0,
            pieces: Vec::new(),
            entries: Vec::new(),
            calls: HashMap::new(),
            room: ROOM,
            keep: (usize::MAX, usize::MAX),
            held: 0,
        }
    }

    /// Makes entries, and keeps the last: at least half as many as said, or half of the bytes.
    pub fn of_the_last(entries: usize, bytes: usize) -> Self {
        let all = Want::Entries { from: 0, to: u64::MAX };
        Self { keep: (entries, bytes), ..Self::new(Memory::default(), all) }
    }

    pub fn facts(&mut self) -> &mut Facts {
        &mut self.memory.facts
    }

    /// Whether anything but words is wanted.
    pub fn whole(&self) -> bool {
        self.want != Want::Words
    }

    /// The following happened at a time.
    pub fn at(&mut self, ms: Option<u64>) {
        let ms = ms.unwrap_or_default();
        if ms > 0 {
            self.now = ms;
        }
        self.memory.facts.at(ms);
    }

    fn number(&mut self) -> Option<u64> {
        let n = self.memory.next;
        // A file with more than that is no session; its beginning is.
        (n < ENTRIES).then(|| self.memory.next += 1)?;
        Some(n)
    }

    /// Whether an entry with this number is to be made.
    fn made(&self, n: u64) -> bool {
        matches!(self.want, Want::Entries { from, to } if (from..to).contains(&n))
    }

    fn put(&mut self, n: u64, body: Body) {
        let entry = Entry {
            n,
            turn: self.memory.turn,
            at_ms: if self.now == 0 { self.memory.facts.started_ms } else { self.now },
            open: false,
            body: self.fitted(body),
        };
        self.held += size(&entry.body);
        match self.entries.binary_search_by_key(&n, |entry| entry.n) {
            Ok(at) => self.entries[at].body = entry.body,
            Err(at) => self.entries.insert(at, entry),
        }
        while self.entries.len() > self.keep.0.max(1)
            || (self.held > self.keep.1 && self.entries.len() > 1)
        {
            self.drop_older();
        }
    }

    fn drop_older(&mut self) {
        let _ = self.entries.drain(..self.entries.len() / 2);
        if let (Want::Entries { from, .. }, Some(first)) = (&mut self.want, self.entries.first()) {
            *from = first.n;
        }
        self.held = self.entries.iter().map(|entry| size(&entry.body)).sum();
        let tools = self.entries.iter().filter(|entry| matches!(entry.body, Body::Tool(_)));
        self.room = ROOM.saturating_sub(tools.map(|entry| size(&entry.body)).sum());
    }

    /// A body within its own bounds and those of all together.
    fn fitted(&mut self, body: Body) -> Body {
        let mut body = bounds::body(body);
        if let Body::Tool(tool) = &mut body {
            if self.room == 0 {
                tool.input = bounds::beginning(std::mem::take(&mut tool.input), SHORT);
                tool.output = bounds::both_ends(std::mem::take(&mut tool.output), SHORT);
                for change in &mut tool.changes {
                    change.diff = bounds::beginning(std::mem::take(&mut change.diff), SHORT);
                }
            }
            self.room = self.room.saturating_sub(size(&body));
        }
        body
    }

    fn said(&mut self, n: u64, what: What, text: &str, again: bool) {
        let wanted = match self.want {
            Want::Words => matches!(what, What::Prompt | What::Answer),
            Want::Everything => true,
            Want::Entries { .. } => false,
        };
        if wanted && !text.trim().is_empty() {
            self.pieces.push(Piece { entry: n, what, text: text.to_owned(), again });
        }
    }

    /// The user said something.
    pub fn prompt(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.memory.turn += 1;
        self.memory.facts.prompted(text);
        let Some(n) = self.number() else { return };
        self.said(n, What::Prompt, text, false);
        if self.made(n) {
            let prompt = Prompt { text: text.to_owned(), ..Prompt::default() };
            self.put(n, Body::Prompt(prompt));
        }
    }

    /// A part of an answer. What comes again under the same key of the same record replaces it.
    pub fn text(&mut self, text: &str, key: Option<(&str, &str)>) {
        self.spoken(What::Answer, text, key);
    }

    /// Thinking; as [`Self::text`].
    pub fn thinking(&mut self, text: &str, key: Option<(&str, &str)>) {
        self.spoken(What::Thinking, text, key);
    }

    fn spoken(&mut self, what: What, text: &str, key: Option<(&str, &str)>) {
        if text.trim().is_empty() {
            return;
        }
        let known = key.and_then(|(record, part)| self.before(record, part));
        let Some(n) = known.or_else(|| self.number()) else { return };
        if let Some((record, part)) = key {
            self.remember(record, part, n);
        }
        self.said(n, what, text, known.is_some());
        if self.made(n) {
            let text = text.trim().to_owned();
            self.put(n, if what == What::Answer { Body::Text(text) } else { Body::Thinking(text) });
        }
    }

    /// A tool call; its parts are made only where they are wanted. The same call again replaces it.
    pub fn tool(&mut self, call: &str, key: Option<&str>, make: impl FnOnce() -> Tool) {
        let known = key.and_then(|record| self.before(record, call));
        let Some(n) = known.or_else(|| self.number()) else { return };
        if let Some(record) = key {
            self.remember(record, call, n);
        }
        if !self.whole() {
            return;
        }
        if self.calls.len() >= CALLS {
            let mut numbers: Vec<u64> = self.calls.values().copied().collect();
            let (_, middle, _) = numbers.select_nth_unstable(CALLS / 2);
            let middle = *middle;
            self.calls.retain(|_, n| *n >= middle);
        }
        let _ = self.calls.insert(call.to_owned(), n);
        if self.want == Want::Everything {
            let tool = make();
            self.said(n, What::Input, &tool.title, false);
            self.said(n, What::Input, &tool.input, false);
            self.said(n, What::Output, &tool.output, known.is_some());
        } else if self.made(n) {
            let mut tool = make();
            if tool.started_ms == 0 {
                tool.started_ms = self.now;
            }
            self.put(n, Body::Tool(tool));
        }
    }

    /// More is known about a tool call.
    pub fn amend(&mut self, call: &str, change: impl FnOnce(&mut Tool)) {
        if !self.whole() {
            return;
        }
        let Some(n) = self.calls.get(call).copied() else { return };
        if self.want == Want::Everything {
            let mut tool = super::tools::empty(call);
            change(&mut tool);
            self.said(n, What::Output, &tool.output, true);
            return;
        }
        let now = self.now;
        if let Ok(at) = self.entries.binary_search_by_key(&n, |entry| entry.n)
            && let Body::Tool(tool) = &mut self.entries[at].body
        {
            change(tool);
            if tool.state != ToolState::Running && tool.ended_ms.is_none() && now > 0 {
                tool.ended_ms = Some(now);
            }
            let whole = std::mem::replace(&mut self.entries[at].body, Body::Notice(String::new()));
            self.entries[at].body = self.fitted(whole);
        }
    }

    /// The agent's list.
    pub fn todo(&mut self, make: impl FnOnce() -> Vec<Todo>) {
        self.other(|| Body::Todo(make()));
    }

    /// Something worth knowing.
    pub fn notice(&mut self, text: &str) {
        self.other(|| Body::Notice(text.to_owned()));
    }

    /// The turn failed.
    pub fn failed(&mut self, make: impl FnOnce() -> Failure) {
        self.other(|| Body::Failed(make()));
    }

    /// The user stopped the turn.
    pub fn interrupted(&mut self) {
        self.other(|| {
            Body::Ended(Ended { interrupted: true, usage: Usage::default(), duration_ms: 0 })
        });
    }

    fn other(&mut self, make: impl FnOnce() -> Body) {
        let Some(n) = self.number() else { return };
        if self.made(n) {
            self.put(n, make());
        }
    }

    /// Whether a record with this id was there before.
    pub fn knows(&self, record: &str) -> bool {
        self.memory.again.iter().any(|(id, _)| id == record)
    }

    fn before(&self, record: &str, part: &str) -> Option<u64> {
        let (_, parts) = self.memory.again.iter().find(|(id, _)| id == record)?;
        parts.iter().find(|(name, _)| name == part).map(|(_, n)| *n)
    }

    /// The record with this id was there, as far as its entries are to be replaced by it coming again.
    pub fn remember(&mut self, record: &str, part: &str, n: u64) {
        if record.len() > 200 || part.len() > 200 {
            return;
        }
        let again = &mut self.memory.again;
        let at = again.iter().position(|(id, _)| id == record).unwrap_or_else(|| {
            if again.len() >= AGAIN {
                let _ = again.remove(0);
            }
            again.push((record.to_owned(), Vec::new()));
            again.len() - 1
        });
        let parts = &mut again[at].1;
        if parts.len() < 256 && !parts.iter().any(|(name, _)| name == part) {
            parts.push((part.to_owned(), n));
        }
    }
}

/// Bytes of a body's texts.
fn size(body: &Body) -> usize {
    match body {
        Body::Prompt(prompt) => prompt.text.len(),
        Body::Text(text) | Body::Thinking(text) | Body::Raw(text) => text.len(),
        Body::Tool(tool) => {
            let diffs: usize = tool.changes.iter().map(|change| change.diff.len()).sum();
            tool.input.len() + tool.output.len() + diffs
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tools;

    fn called(sheet: &mut Sheet, call: usize) {
        let call = call.to_string();
        sheet.tool(&call, None, || tools::empty(&call));
    }

    #[test]
    fn the_last_entries_are_kept_with_their_numbers() {
        let mut sheet = Sheet::of_the_last(100, 1_000_000);
        for n in 0..1000 {
            sheet.text(&format!("words {n}"), None);
            assert!(sheet.entries.len() <= 100, "{n}");
        }
        let numbers: Vec<u64> = sheet.entries.iter().map(|entry| entry.n).collect();
        let first = 1000 - numbers.len() as u64;
        assert!(numbers.len() >= 50 && numbers.iter().copied().eq(first..1000), "{numbers:?}");
        // What comes too late for one that was dropped changes nothing.
        assert!(!sheet.made(first - 1) && sheet.made(first));

        let mut sheet = Sheet::of_the_last(100, 1_000);
        for _ in 0..20 {
            sheet.text(&"x".repeat(400), None);
            assert!(sheet.held <= 1_000 && !sheet.entries.is_empty());
        }
        sheet.text(&"y".repeat(4_000), None);
        assert!(
            matches!(&sheet.entries[..], [one] if matches!(&one.body, Body::Text(text) if text.len() == 4_000))
        );
    }

    #[test]
    fn the_latest_calls_find_their_results() {
        let mut sheet = Sheet::new(Memory::default(), Want::Entries { from: 0, to: u64::MAX });
        for call in 0..3 * CALLS {
            called(&mut sheet, call);
            sheet.amend(&call.to_string(), |tool| tool.output = "done".into());
        }
        let has_output =
            |entry: &Entry| matches!(&entry.body, Body::Tool(tool) if tool.output == "done");
        assert!(sheet.entries.iter().all(has_output));
        assert!(sheet.calls.len() <= CALLS);
    }
}
