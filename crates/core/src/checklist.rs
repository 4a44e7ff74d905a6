//! Checklists: markdown documents whose checkboxes are tasks.
//!
//! A document stays plain markdown that any tool can read and write. This module finds its tasks,
//! finds one of them again after somebody else has edited the document, and changes nothing but the
//! bytes between a task's brackets. Reading and writing files is left to the caller.
//!
//! What counts as a task: any indent, a bullet (`-`, `*` or `+`), blanks, `[`, blanks or one of
//! `x X ✓ ✔`, `]`, and text on the same line. Boxes inside fenced code do not count. Nested boxes
//! are tasks of their own.

mod anchor;
mod check;
mod fields;
mod markers;
mod needs;

use std::ops::Range;

pub use self::anchor::{Anchor, Found};
pub use self::check::check;
pub use self::fields::{Fields, seconds};
pub use self::markers::{Marker, MarkerKind};
pub use self::needs::{Needs, Unresolved};

/// Largest document that is read: 16 MiB, which is more than 50 000 lines of tasks that somebody wrote.
/// Beyond it a checklist is a mistake, and it is read anew around every turn.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why bytes are no checklist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not UTF-8.
    #[error("it is not UTF-8 text (byte {offset}, line {line}); save it as UTF-8 and start again")]
    NotUtf8 {
        /// Where the first wrong byte is.
        offset: usize,
        /// The line of that byte, from 1.
        line: usize,
    },
    /// Larger than [`MAX_BYTES`].
    #[error("it has {bytes} bytes, more than the {MAX_BYTES} a checklist may have; split it")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// A checklist document with its tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    text: String,
    tasks: Vec<Task>,
    markers: Vec<Marker>,
    /// The tasks by their text, those with the same text in the order of the document.
    by_text: Vec<u32>,
}

/// One checkbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its line, from 1.
    pub line: u32,
    /// The bytes between the brackets.
    pub mark: Range<usize>,
    /// The text behind the box, without blanks around it.
    pub text: String,
    /// The name at its end, `{#name}`, by which other tasks can need it.
    pub id: Option<String>,
    /// The width of its indent in columns; a tab goes to the next multiple of four.
    pub indent: usize,
    /// Whether the box is ticked.
    pub checked: bool,
    /// The nearest heading above it.
    pub section: Option<String>,
    /// The task it is nested in, as an index into [`Document::tasks`].
    pub parent: Option<usize>,
    /// What the indented lines under it say about how to do it.
    pub fields: Fields,
    /// The indented lines under it, without fields and nested tasks, as a person wrote them.
    pub details: String,
}

impl Task {
    /// Its text without its id.
    #[must_use]
    pub fn title(&self) -> &str {
        title(&self.text)
    }
}

/// The text of a task without its id.
#[must_use]
pub fn title(text: &str) -> &str {
    split_id(text).0
}

/// A text and the id at its end.
fn split_id(text: &str) -> (&str, Option<&str>) {
    let split = || {
        let (title, id) = text.strip_suffix('}')?.rsplit_once("{#")?;
        let is_id =
            !id.is_empty() && !id.contains(|c: char| c.is_whitespace() || "{},".contains(c));
        (is_id && !title.trim().is_empty()).then(|| (title.trim_end(), Some(id)))
    };
    split().unwrap_or((text, None))
}

/// A box to be set.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// The task.
    pub anchor: Anchor,
    /// Whether it is to be ticked or unticked.
    pub checked: bool,
}

/// What came of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// The box was changed.
    Changed,
    /// It was as wanted.
    Already,
    /// The task is no longer in the document as it was: another text stands in its place.
    Reworded,
    /// The task is no longer in the document.
    Gone,
    /// Several tasks could be meant, so none was touched.
    Ambiguous,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// When the bytes are not UTF-8, or too many.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge { bytes: bytes.len() });
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..offset];
            Error::NotUtf8 { offset, line: 1 + before.iter().filter(|b| **b == b'\n').count() }
        })?;
        let (tasks, markers) = tasks(&text);
        let mut by_text: Vec<u32> = (0..u32::try_from(tasks.len()).unwrap_or(u32::MAX)).collect();
        by_text.sort_by(|a, b| {
            tasks[*a as usize].text.cmp(&tasks[*b as usize].text).then_with(|| a.cmp(b))
        });
        Ok(Self { text, tasks, markers, by_text })
    }

    /// The text exactly as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every task, in the order of the document.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// What is said to the run in comments, in the order of the document.
    #[must_use]
    pub fn markers(&self) -> &[Marker] {
        &self.markers
    }

    /// How many boxes are unticked.
    #[must_use]
    pub fn open(&self) -> usize {
        self.tasks.iter().filter(|task| !task.checked).count()
    }

    /// How many boxes are ticked.
    #[must_use]
    pub fn done(&self) -> usize {
        self.tasks.len() - self.open()
    }

    /// The document with one box set. Only the bytes between its brackets differ; none do when it is
    /// as wanted already.
    #[must_use]
    pub fn with_mark(&self, index: usize, checked: bool) -> String {
        let mut text = self.text.clone();
        if let Some(task) = self.tasks.get(index)
            && task.checked != checked
        {
            text.replace_range(task.mark.clone(), if checked { "x" } else { " " });
        }
        text
    }

    /// The document with several boxes set, and what came of each.
    #[must_use]
    pub fn with_changes(&self, changes: &[Change]) -> (String, Vec<Applied>) {
        let mut edits = Vec::new();
        let applied = changes
            .iter()
            .map(|change| match self.find(&change.anchor) {
                Found::At(index) if self.tasks[index].checked == change.checked => Applied::Already,
                Found::At(index) => {
                    edits.push((self.tasks[index].mark.clone(), change.checked));
                    Applied::Changed
                }
                Found::Reworded(_) => Applied::Reworded,
                Found::Gone => Applied::Gone,
                Found::Ambiguous => Applied::Ambiguous,
            })
            .collect();
        // The same box twice is edited once.
        edits.sort_by_key(|(mark, _)| mark.start);
        edits.dedup_by_key(|(mark, _)| mark.start);
        (self.with_edits(edits.into_iter()), applied)
    }

    /// The document with every box open. Only bytes between brackets differ; boxes in fenced code, which
    /// are none, stay as they are.
    #[must_use]
    pub fn reset(&self) -> String {
        self.with_edits(
            self.tasks.iter().filter(|task| task.checked).map(|task| (task.mark.clone(), false)),
        )
    }

    /// The text with marks set; they come in the order of the document.
    fn with_edits(&self, edits: impl Iterator<Item = (Range<usize>, bool)>) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for (mark, checked) in edits {
            text.push_str(&self.text[at..mark.start]);
            text.push(if checked { 'x' } else { ' ' });
            at = mark.end;
        }
        text.push_str(&self.text[at..]);
        text
    }

    /// The document without its tasks and what belongs to them: headings and prose, which is what a
    /// session that does one task needs to know about it.
    #[must_use]
    pub fn prose(&self) -> String {
        let mut prose = String::new();
        let mut blank = true;
        for line in Lines::new(&self.text) {
            if line.owner.is_some() {
                continue;
            }
            let is_blank = line.text.trim().is_empty();
            if !(is_blank && blank) {
                prose.push_str(line.text.trim_end());
                prose.push('\n');
            }
            blank = is_blank;
        }
        prose.trim_end().to_owned()
    }
}

/// A line as the rules see it.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    /// Its number, from 1.
    number: u32,
    /// The offset of its first byte.
    start: usize,
    /// Its text without the line end.
    text: &'a str,
    /// Whether it is part of fenced code, the fences included.
    fenced: bool,
    /// The box in it, if it is a task.
    boxed: Option<Boxed<'a>>,
    /// The task it is or belongs to, by its number in the document.
    owner: Option<usize>,
}

/// The box in a line.
#[derive(Debug, Clone, Copy)]
struct Boxed<'a> {
    /// The offset of the mark in the line.
    mark: usize,
    /// The mark's length in bytes.
    len: usize,
    checked: bool,
    text: &'a str,
}

/// The lines of a document with what the rules say about each. A line ends at `\n`, `\r\n` or a
/// lone `\r`.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    number: u32,
    fence: Option<(char, usize)>,
    /// Tasks whose block is open: (number, indent), outermost first.
    open: Vec<(usize, usize)>,
    tasks: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, number: 0, fence: None, open: Vec::new(), tasks: 0 }
    }

    /// Follows the fences; true when the line is part of fenced code.
    fn is_fenced(&mut self, line: &str) -> bool {
        let trimmed = line.trim();
        if let Some((mark, length)) = self.fence {
            let run = trimmed.chars().take_while(|c| *c == mark).count();
            if run >= length && run == trimmed.chars().count() {
                self.fence = None;
            }
            return true;
        }
        // A fence may open right behind a bullet, too.
        let body = trimmed
            .strip_prefix(['-', '*', '+'])
            .filter(|rest| rest.starts_with([' ', '\t']))
            .map_or(trimmed, str::trim_start);
        let Some(mark) = body.chars().next().filter(|c| matches!(c, '`' | '~')) else {
            return false;
        };
        let run = body.chars().take_while(|c| *c == mark).count();
        let info = &body[run..];
        if run < 3 || (mark == '`' && info.contains('`')) {
            return false;
        }
        self.fence = Some((mark, run));
        true
    }

    /// The task a line is or belongs to: blank lines and lines indented deeper than a task belong to
    /// it, and the first one that is not ends its block.
    fn owner(&mut self, line: &str, boxed: bool) -> Option<usize> {
        if line.trim().is_empty() {
            return self.open.last().map(|(task, _)| *task);
        }
        let indent = indent(line);
        while self.open.last().is_some_and(|(_, of)| *of >= indent) {
            let _ = self.open.pop();
        }
        if boxed {
            self.open.push((self.tasks, indent));
            self.tasks += 1;
        }
        self.open.last().map(|(task, _)| *task)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (line, end) = match rest.find(['\n', '\r']) {
            Some(at) if rest[at..].starts_with("\r\n") => (&rest[..at], at + 2),
            Some(at) => (&rest[..at], at + 1),
            None => (rest, rest.len()),
        };
        let start = self.at;
        self.at += end;
        self.number += 1;
        // A byte order mark is not part of the first line.
        let (start, line) = match line.strip_prefix('\u{feff}') {
            Some(line) if start == 0 => (start + '\u{feff}'.len_utf8(), line),
            _ => (start, line),
        };
        let fenced = self.is_fenced(line);
        let boxed = if fenced { None } else { boxed(line) };
        let owner = self.owner(line, boxed.is_some());
        Some(Line { number: self.number, start, text: line, fenced, boxed, owner })
    }
}

/// The box of a line, if it is a task.
fn boxed(line: &str) -> Option<Boxed<'_>> {
    let body = line.trim_start().strip_prefix(['-', '*', '+'])?;
    let inner = body.trim_start();
    if inner.len() == body.len() {
        return None;
    }
    let inner = inner.strip_prefix('[')?;
    let (mark, rest) = inner.split_once(']')?;
    let checked = match mark.trim() {
        "" if !mark.is_empty() => false,
        "x" | "X" | "✓" | "✔" if mark.trim().len() == mark.len() => true,
        _ => return None,
    };
    // `[x](target)` is a link whose text is an x, and `[x]: target` defines one.
    if rest.starts_with(['(', ':', '[']) {
        return None;
    }
    let text = rest.trim();
    if text.is_empty() {
        return None;
    }
    Some(Boxed { mark: line.len() - inner.len(), len: mark.len(), checked, text })
}

/// The width of a line's indent in columns.
fn indent(line: &str) -> usize {
    line.chars()
        .take_while(|c| c.is_whitespace())
        .fold(0, |column, c| if c == '\t' { (column / 4 + 1) * 4 } else { column + 1 })
}

/// The text of an ATX heading.
fn heading(line: &str) -> Option<&str> {
    let line = line.trim();
    let level = line.bytes().take_while(|b| *b == b'#').count();
    let rest = &line[level..];
    ((1..=6).contains(&level) && rest.starts_with([' ', '\t']))
        .then(|| rest.trim().trim_end_matches('#').trim_end())
        .filter(|text| !text.is_empty())
}

fn tasks(text: &str) -> (Vec<Task>, Vec<Marker>) {
    let mut tasks: Vec<Task> = Vec::new();
    let mut markers = Vec::new();
    let mut section = None;
    // Indents of the tasks that the current line may be nested in.
    let mut open: Vec<usize> = Vec::new();
    for line in Lines::new(text) {
        if !line.fenced {
            markers.extend(markers::read(line.text, line.number, tasks.len()));
        }
        if let Some(boxed) = line.boxed {
            let indent = indent(line.text);
            while open.last().is_some_and(|task| tasks[*task].indent >= indent) {
                let _ = open.pop();
            }
            let mark = line.start + boxed.mark;
            open.push(tasks.len());
            tasks.push(Task {
                line: line.number,
                mark: mark..mark + boxed.len,
                text: boxed.text.to_owned(),
                id: split_id(boxed.text).1.map(str::to_owned),
                indent,
                checked: boxed.checked,
                section: section.clone(),
                parent: open.len().checked_sub(2).map(|at| open[at]),
                fields: Fields::default(),
                details: String::new(),
            });
        } else if let Some(owner) = line.owner {
            let task = &mut tasks[owner];
            let is_field = !line.fenced && task.fields.read(line.text);
            if !is_field {
                task.details.push_str(line.text);
                task.details.push('\n');
            }
        } else {
            open.clear();
            if let Some(text) = heading(line.text).filter(|_| !line.fenced) {
                section = Some(text.to_owned());
            }
        }
    }
    for task in &mut tasks {
        task.details = dedent(&task.details);
    }
    (tasks, markers)
}

/// Lines without their common indent, without blank lines around them.
fn dedent(lines: &str) -> String {
    let depth = lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let mut text = String::new();
    for line in lines.lines() {
        text.push_str(line.get(depth..).unwrap_or("").trim_end());
        text.push('\n');
    }
    text.trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests;
