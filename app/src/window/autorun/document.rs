//! A checklist that is open: as it reads, and as it is written.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::widget::text_editor::{Action as Act, Content, Cursor, Edit, Motion, Position};
use maestro_core::checklist;
use maestro_core::markdown::{self, Block};

use super::{files, merge};
use crate::window::composer::undo::Undo;

/// The most lines that are shown as they read; the rest is there to be edited.
pub const SHOWN: usize = 2_000;

/// The most steps back outside the editor.
const STEPS: usize = 50;

const BOM: char = '\u{feff}';

/// An open document.
#[derive(Debug)]
pub struct Open {
    /// Where it is.
    pub path: PathBuf,
    /// What it is now, with everything that is not saved.
    text: String,
    /// What it was when it was last read or saved.
    base: Vec<u8>,
    parts: Vec<Part>,
    tasks: Vec<checklist::Task>,
    /// The marked task, as an index into its tasks.
    pub marked: usize,
    /// The editor, while it is written in.
    pub editor: Option<Editor>,
    /// Texts before ticks and the like.
    past: Vec<String>,
    /// What is looked for.
    pub find: Option<String>,
    /// Whether it is being written.
    saving: Option<String>,
    /// What somebody else wrote into the same lines.
    pub theirs: Option<Vec<u8>>,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// What is left out at the end, in lines.
    pub cut: usize,
}

/// A document that is written in.
#[derive(Debug)]
pub struct Editor {
    /// The text.
    pub content: Content,
    undo: Undo,
    /// Whether a last line end is there that the toolkit's editor leaves out.
    tail: &'static str,
    /// Whether all lines end as on Windows.
    crlf: bool,
}

/// A piece of a document as it reads.
#[derive(Debug, Clone)]
pub enum Part {
    /// Prose.
    Prose(Arc<[Arc<Block>]>),
    /// A task, by its number in the document, and what stands under it.
    Task(usize, Vec<String>),
}

/// What followed from a change on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing is new.
    Same,
    /// It was taken over.
    Taken,
    /// It was put together with what is not saved.
    Merged,
    /// Both sides changed the same lines.
    Conflict,
}

impl Open {
    /// A document that was read.
    #[must_use]
    pub fn new(path: PathBuf, bytes: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut open = Self {
            path,
            text,
            base: bytes,
            parts: Vec::new(),
            tasks: Vec::new(),
            marked: 0,
            editor: None,
            past: Vec::new(),
            find: None,
            saving: None,
            theirs: None,
            problem: None,
            cut: 0,
        };
        open.parse();
        open.marked = open.tasks.iter().position(|task| !task.checked).unwrap_or(0);
        open
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its tasks.
    #[must_use]
    pub fn tasks(&self) -> &[checklist::Task] {
        &self.tasks
    }

    /// Its pieces.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What it is now.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether something is not saved.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.text.as_bytes() != self.base.as_slice()
    }

    fn parse(&mut self) {
        self.tasks = match checklist::Document::parse(self.text.clone().into_bytes()) {
            Ok(document) => document.tasks().to_vec(),
            Err(error) => {
                self.problem = Some(format!("{}: {error}", self.name()));
                Vec::new()
            }
        };
        (self.parts, self.cut) = parts(&self.text, &self.tasks);
        self.marked = self.marked.min(self.tasks.len().saturating_sub(1));
    }

    /// Takes another text, as a step that can be taken back.
    fn put(&mut self, text: String) {
        if text == self.text {
            return;
        }
        if self.past.len() == STEPS {
            let _ = self.past.remove(0);
        }
        self.past.push(std::mem::replace(&mut self.text, text));
        self.parse();
        if self.editor.is_some() {
            self.reopen();
        }
    }

    /// Ticks a box, or opens it again: nothing but the character between its brackets changes.
    pub fn tick(&mut self, index: usize) {
        let Ok(document) = checklist::Document::parse(self.text.clone().into_bytes()) else {
            return;
        };
        let Some(task) = document.tasks().get(index) else { return };
        let text = document.with_mark(index, !task.checked);
        self.marked = index;
        self.put(text);
    }

    /// Takes back the last change that was made outside the editor.
    pub fn undo(&mut self) -> bool {
        let Some(text) = self.past.pop() else { return false };
        self.text = text;
        self.parse();
        true
    }

    /// Marks another task.
    pub fn step(&mut self, by: isize) {
        let last = self.tasks.len().saturating_sub(1);
        self.marked = self.marked.saturating_add_signed(by).min(last);
    }

    /// Begins to write in it, at the marked task.
    pub fn edit(&mut self) -> Result<(), String> {
        let line = self.tasks.get(self.marked).map_or(0, |task| task.line as usize - 1);
        self.editor = Some(Editor::new(&self.text)?);
        self.go(line, usize::MAX);
        Ok(())
    }

    /// Puts the editor's cursor at the beginning of a line, counted from 0.
    pub fn go_to(&mut self, line: usize) {
        self.go(line, 0);
    }

    fn reopen(&mut self) {
        let cursor = self.editor.as_ref().map(|editor| editor.content.cursor());
        self.editor = Editor::new(&self.text).ok();
        if let (Some(editor), Some(cursor)) = (&mut self.editor, cursor) {
            let last = editor.content.line_count().saturating_sub(1);
            let line = cursor.position.line.min(last);
            editor.content.move_to(Cursor {
                position: Position { line, ..cursor.position },
                selection: None,
            });
        }
    }

    /// Ends the writing.
    pub fn leave(&mut self) {
        let line = self.editor.take().map(|editor| editor.content.cursor().position.line);
        if let Some(line) = line {
            let above = |task: &checklist::Task| task.line as usize <= line + 1;
            self.marked = self.tasks.iter().rposition(above).unwrap_or(0);
        }
    }

    /// Moves the cursor to a place in the text.
    fn go(&mut self, line: usize, column: usize) {
        if let Some(editor) = &mut self.editor {
            let length = editor.content.line(line).map_or(0, |line| line.text.len());
            let position = Position { line, column: column.min(length) };
            editor.content.move_to(Cursor { position, selection: None });
        }
    }

    /// What a key does to the text.
    pub fn act(&mut self, act: Act) {
        let Some(editor) = &mut self.editor else { return };
        let Act::Edit(edit) = &act else {
            editor.content.perform(act);
            return;
        };
        editor.undo.before(editor.content.text(), editor.content.cursor(), edit);
        editor.content.perform(act);
        self.written();
    }

    /// The editor's text is the document's.
    fn written(&mut self) {
        let Some(editor) = &self.editor else { return };
        self.text = editor.text();
        self.parse();
    }

    /// Takes back the editor's last step, or makes it again.
    pub fn again(&mut self, back: bool) {
        let Some(editor) = &mut self.editor else { return };
        let now = (editor.content.text(), editor.content.cursor());
        let step = if back { editor.undo.undo(now) } else { editor.undo.redo(now) };
        if let Some((text, cursor)) = step {
            editor.content = Content::with_text(&text);
            editor.content.move_to(cursor);
            self.written();
        }
    }

    /// Inserts something at the cursor.
    pub fn insert(&mut self, text: &str) {
        self.act(Act::Edit(Edit::Paste(Arc::new(text.to_owned()))));
    }

    /// Begins a task below the line of the cursor, as far in as it.
    pub fn insert_task(&mut self) {
        let Some(editor) = &mut self.editor else { return };
        let line = editor.content.cursor().position.line;
        let text = editor.content.line(line).map(|line| line.text.into_owned()).unwrap_or_default();
        let indent: String = text.chars().take_while(|c| *c == ' ' || *c == '\t').collect();
        let bullet = text.trim_start().chars().next().filter(|c| "-*+".contains(*c)).unwrap_or('-');
        editor.content.perform(Act::Move(Motion::End));
        let task = if text.trim().is_empty() {
            format!("{bullet} [ ] ")
        } else {
            format!("\n{indent}{bullet} [ ] ")
        };
        self.insert(&task);
    }

    /// Ticks the box in the line of the cursor.
    pub fn tick_here(&mut self) {
        let Some(editor) = &self.editor else { return };
        let cursor = editor.content.cursor();
        let line = cursor.position.line + 1;
        let at = self.tasks.iter().position(|task| task.line as usize == line);
        let Some(task) = at.and_then(|at| self.tasks.get(at)) else { return };
        let mark = if task.checked { " " } else { "x" };
        let start = line_start(&self.text, line);
        let (from, to) = (task.mark.start - start, task.mark.end - start);
        if let Some(editor) = &mut self.editor {
            let at = |column| Position { line: line - 1, column };
            editor.content.move_to(Cursor { position: at(to), selection: Some(at(from)) });
        }
        self.insert(mark);
        if let Some(editor) = &mut self.editor {
            editor.content.move_to(cursor);
        }
    }

    /// Looks for text, from the marked task or the cursor on; goes there.
    pub fn find_next(&mut self) -> bool {
        let Some(needle) = self.find.as_ref().map(|find| find.to_lowercase()) else { return false };
        if needle.is_empty() {
            return false;
        }
        if self.editor.is_none() {
            let count = self.tasks.len();
            let after =
                (self.marked + 1..count).chain(0..=self.marked.min(count.saturating_sub(1)));
            let found = after.into_iter().find(|at| {
                let Some(task) = self.tasks.get(*at) else { return false };
                task.text.to_lowercase().contains(&needle)
                    || task.details.to_lowercase().contains(&needle)
            });
            if let Some(found) = found {
                self.marked = found;
            }
            return found.is_some();
        }
        let Some(editor) = &mut self.editor else { return false };
        let cursor = editor.content.cursor().position;
        let count = editor.content.line_count();
        for step in 0..=count {
            let line = (cursor.line + step) % count.max(1);
            let Some(text) = editor.content.line(line).map(|line| line.text.into_owned()) else {
                continue;
            };
            let from = if step == 0 { cursor.column.min(text.len()) } else { 0 };
            let Some(rest) = text.get(from..) else { continue };
            if let Some((start, end)) = found(rest, &needle) {
                let at = |column| Position { line, column: from + column };
                editor.content.move_to(Cursor { position: at(end), selection: Some(at(start)) });
                return true;
            }
        }
        false
    }

    /// What is to be written where, if anything is: the new bytes, and those that must be there.
    pub fn save(&mut self) -> Option<(PathBuf, Vec<u8>, Vec<u8>)> {
        if !self.is_dirty() || self.saving.is_some() || self.theirs.is_some() {
            return None;
        }
        self.saving = Some(self.text.clone());
        Some((self.path.clone(), self.text.clone().into_bytes(), self.base.clone()))
    }

    /// It was written, or not.
    pub fn saved(&mut self, result: Result<(), files::Unsaved>) -> Seen {
        let written = self.saving.take();
        match (result, written) {
            (Ok(()), Some(written)) => {
                self.base = written.into_bytes();
                self.problem = None;
                Seen::Same
            }
            (Ok(()), None) => Seen::Same,
            (Err(files::Unsaved::Changed(theirs)), _) => self.seen(theirs),
            (Err(files::Unsaved::Failed(why)), _) => {
                self.problem = Some(why);
                Seen::Same
            }
        }
    }

    /// What is on the disk now.
    pub fn seen(&mut self, bytes: Vec<u8>) -> Seen {
        // What is being written may be there already or not: its answer tells.
        if bytes == self.base || self.saving.is_some() || self.theirs.as_ref() == Some(&bytes) {
            return Seen::Same;
        }
        let Ok(theirs) = String::from_utf8(bytes) else {
            self.problem = Some(format!("{} is no text any more.", self.name()));
            return Seen::Same;
        };
        self.problem = None;
        if !self.is_dirty() {
            self.base = theirs.clone().into_bytes();
            self.take(theirs);
            return Seen::Taken;
        }
        let base = String::from_utf8_lossy(&self.base).into_owned();
        match merge::merge(&base, &self.text, &theirs) {
            Some(merged) => {
                self.base = theirs.into_bytes();
                self.put(merged);
                Seen::Merged
            }
            None => {
                self.theirs = Some(theirs.into_bytes());
                Seen::Conflict
            }
        }
    }

    fn take(&mut self, text: String) {
        let at = self.tasks.get(self.marked).map(|task| task.text.clone());
        self.text = text;
        self.parse();
        let same = |task: &checklist::Task| Some(&task.text) == at.as_ref();
        self.marked = self.tasks.iter().position(same).unwrap_or(self.marked);
        if self.editor.is_some() {
            self.reopen();
        }
    }

    /// Ends a conflict: what is here goes over what is there, or the other way round. What gives way can
    /// be had back by undoing.
    pub fn resolve(&mut self, keep_mine: bool) {
        let Some(theirs) = self.theirs.take() else { return };
        self.base.clone_from(&theirs);
        if !keep_mine {
            self.put(String::from_utf8_lossy(&theirs).into_owned());
        }
    }
}

impl Editor {
    fn new(text: &str) -> Result<Self, String> {
        let body = text.strip_prefix(BOM).unwrap_or(text);
        let content = Content::with_text(body);
        let shown = content.text();
        let tail = ["", "\n", "\r\n"]
            .into_iter()
            .find(|tail| body.strip_suffix(tail).is_some_and(|rest| rest == shown));
        let Some(tail) = tail else {
            return Err(
                "its line ends are of several kinds, which the editor would change; boxes can \
                        be ticked, for the rest use another editor"
                    .to_owned(),
            );
        };
        let crlf =
            body.contains("\r\n") && body.matches('\n').count() == body.matches("\r\n").count();
        Ok(Self {
            content,
            undo: Undo::default(),
            tail: if text.starts_with(BOM) { bom(tail) } else { tail },
            crlf,
        })
    }

    /// The text as it is to be written.
    fn text(&self) -> String {
        let (bom, tail) = match self.tail.strip_prefix(BOM) {
            Some(tail) => ("\u{feff}", tail),
            None => ("", self.tail),
        };
        let mut text = format!("{bom}{}{tail}", self.content.text());
        if self.crlf {
            text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        text
    }
}

/// A tail of a text that begins with a byte order mark.
fn bom(tail: &str) -> &'static str {
    match tail {
        "\r\n" => "\u{feff}\r\n",
        "\n" => "\u{feff}\n",
        _ => "\u{feff}",
    }
}

/// Where something is found, in any case: byte range.
fn found(text: &str, needle: &str) -> Option<(usize, usize)> {
    text.char_indices().map(|(at, _)| at).find_map(|at| {
        let mut taken = String::new();
        for (offset, c) in text[at..].char_indices() {
            taken.extend(c.to_lowercase());
            if !needle.starts_with(&taken) {
                return None;
            }
            if taken == needle {
                return Some((at, at + offset + c.len_utf8()));
            }
        }
        None
    })
}

/// Everywhere it is found in a line: byte ranges, at most a hundred. The needle is in small letters.
#[must_use]
pub fn all_found(line: &str, needle: &str) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut from = 0;
    while !needle.is_empty()
        && all.len() < 100
        && let Some((start, end)) = line.get(from..).and_then(|rest| found(rest, needle))
    {
        all.push(from + start..from + end);
        from += end;
    }
    all
}

/// The offset of a line's first byte, as the checklist's rules count lines.
fn line_start(text: &str, line: usize) -> usize {
    let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    // Marks are counted from the file's first byte, columns from behind the byte order mark.
    if start == 0 && text.starts_with(BOM) { BOM.len_utf8() } else { start }
}

/// The pieces of a document, and how many lines are left out at its end.
fn parts(text: &str, tasks: &[checklist::Task]) -> (Vec<Part>, usize) {
    let mut parts: Vec<Part> = Vec::new();
    let mut prose = String::new();
    let mut next = tasks.iter().enumerate().peekable();
    let mut indent = None;
    let mut count = 0;
    let flush = |prose: &mut String, parts: &mut Vec<Part>| {
        if !prose.trim().is_empty() {
            let blocks = markdown::Document::new(prose).blocks().to_vec();
            parts.push(Part::Prose(blocks.into()));
        }
        prose.clear();
    };
    for (number, line) in text.strip_prefix(BOM).unwrap_or(text).lines().enumerate() {
        if number >= SHOWN {
            count += 1;
            continue;
        }
        if let Some((index, task)) = next.next_if(|(_, task)| task.line as usize == number + 1) {
            flush(&mut prose, &mut parts);
            parts.push(Part::Task(index, Vec::new()));
            indent = Some(task.indent);
            continue;
        }
        let inside = line.chars().take_while(|c| c.is_whitespace()).count();
        let belongs = indent.is_some_and(|indent| line.trim().is_empty() || inside > indent);
        match (parts.last_mut(), belongs) {
            (Some(Part::Task(_, below)), true) if prose.is_empty() => {
                if !line.trim().is_empty() {
                    below.push(line.trim().to_owned());
                }
            }
            _ => {
                indent = None;
                prose.push_str(line);
                prose.push('\n');
            }
        }
    }
    flush(&mut prose, &mut parts);
    (parts, count)
}

/// What a new document says.
#[must_use]
pub fn template(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let title = stem.replace(['-', '_'], " ");
    let mut letters = title.chars();
    let title: String = letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
    format!("# {title}\n\n- [ ] \n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\u{feff}# Title\r\n\r\nWords.\r\n\r\n- [ ] one\r\n  verify: make\r\n\t- [x] two\r\n\r\n```\r\n- [ ] code\r\n```\r\n";

    fn open(text: &str) -> Open {
        Open::new(PathBuf::from("/p/tasks.md"), text.as_bytes().to_vec())
    }

    #[test]
    fn a_tick_changes_one_character() {
        let mut open = open(TEXT);
        assert_eq!(open.tasks().len(), 2);
        open.tick(0);
        assert_eq!(open.text(), TEXT.replace("- [ ] one", "- [x] one"));
        open.tick(0);
        assert_eq!(open.text(), TEXT);
        assert!(open.undo());
        assert_eq!(open.text(), TEXT.replace("- [ ] one", "- [x] one"));
    }

    #[test]
    fn editing_leaves_every_other_byte_as_it_was() {
        for text in [TEXT, "- [ ] a", "- [ ] a\n", "", "\n", "a\r\n\r\n", "- [ ] a\n\n\n"] {
            let mut open = open(text);
            open.edit().unwrap_or_else(|why| panic!("{text:?}: {why}"));
            open.insert("é");
            assert!(open.is_dirty(), "{text:?}");
            assert_eq!(open.text().replacen('é', "", 1), text);
            open.again(true);
            assert_eq!(open.text(), text);
            open.again(false);
            assert!(open.text().contains('é'));
        }
    }

    #[test]
    fn a_task_is_inserted_below_as_far_in() {
        let mut open = open("# T\n\n  * [x] one\nmore\n");
        open.edit().expect("an editor");
        open.insert_task();
        open.insert("two");
        assert_eq!(open.text(), "# T\n\n  * [x] one\n  * [ ] two\nmore\n");
        open.tick_here();
        assert_eq!(open.text(), "# T\n\n  * [x] one\n  * [x] two\nmore\n");
    }

    #[test]
    fn a_box_is_ticked_where_the_cursor_is() {
        let mut open = open(TEXT);
        open.edit().expect("an editor");
        open.tick_here();
        assert_eq!(open.text(), TEXT.replace("- [ ] one", "- [x] one"));
    }

    #[test]
    fn changes_of_others_are_taken_merged_or_asked_about() {
        let mut open = open("- [ ] a\n- [ ] b\n- [ ] c\n");
        assert_eq!(open.seen(b"- [x] a\n- [ ] b\n- [ ] c\n".to_vec()), Seen::Taken);
        assert!(!open.is_dirty());
        open.tick(2);
        assert_eq!(open.seen(b"- [x] A\n- [ ] b\n- [ ] c\n".to_vec()), Seen::Merged);
        assert_eq!(open.text(), "- [x] A\n- [ ] b\n- [x] c\n");
        let theirs = b"- [x] A\n- [ ] b\n- [ ] C\n".to_vec();
        assert_eq!(open.seen(theirs.clone()), Seen::Conflict);
        assert!(open.save().is_none(), "nothing is written before it is decided");
        assert_eq!(open.seen(theirs), Seen::Same, "it is asked once");
        open.resolve(false);
        assert_eq!(open.text(), "- [x] A\n- [ ] b\n- [ ] C\n");
        assert!(!open.is_dirty() && open.undo() && open.is_dirty());
        let (_, bytes, before) = open.save().expect("something to write");
        assert_eq!(bytes, b"- [x] A\n- [ ] b\n- [x] c\n");
        assert_eq!(before, b"- [x] A\n- [ ] b\n- [ ] C\n");
        assert_eq!(open.saved(Ok(())), Seen::Same);
        assert!(!open.is_dirty());
    }

    #[test]
    fn what_is_looked_for_is_found_in_any_case_and_round_the_end() {
        let mut open = open("- [ ] Straße\n- [ ] two\n");
        open.find = Some("STRASSE".to_owned());
        assert!(!open.find_next());
        open.find = Some("straße".to_owned());
        open.step(1);
        assert!(open.find_next());
        assert_eq!(open.marked, 0);
        open.edit().expect("an editor");
        assert!(open.find_next());
        let editor = open.editor.as_ref().expect("an editor");
        assert_eq!(editor.content.selection().as_deref(), Some("Straße"));
        assert_eq!(all_found("- Straße, STRASSE, straße", "straße"), [2..9, 20..27]);
        assert!(all_found("words", "").is_empty());
    }

    #[test]
    fn a_document_reads_as_prose_and_tasks() {
        let open = open(TEXT);
        let kinds: Vec<_> = open
            .parts()
            .iter()
            .map(|part| match part {
                Part::Prose(blocks) => format!("prose {}", blocks.len()),
                Part::Task(index, below) => format!("task {index} {below:?}"),
            })
            .collect();
        assert_eq!(kinds, ["prose 2", "task 0 [\"verify: make\"]", "task 1 []", "prose 1"]);
    }
}
