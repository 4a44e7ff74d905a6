//! The files of an agent's directory: found by their letters, read with their colours, and written.

mod load;
mod view;

use std::cell::Cell;
use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use iced::widget::text_editor;
use maestro_core::command::Id;
use maestro_core::{AgentId, fuzzy};
use maestro_protocol::message::{Command, Reply};
use maestro_ui::code::Line;

use super::autorun::document::{self, Seen};
use super::autorun::files::Unsaved;
use super::changes::tree;
use super::review::{self, Action, Place};

pub use load::{Body, Loaded, Stamp, made_up, read};

/// The input for letters and words.
pub const INPUT: &str = "files-input";
/// The editor.
pub const EDITOR: &str = "files-editor";
/// Markdown as it reads.
pub const WORDS: &str = "files-words";

/// Rows that have a place, before they were drawn once.
const PAGE: usize = 24;
/// Files that are asked for by letters.
const FOUND: u32 = 200;
/// How far a key moves what is read, in points.
const STEP: f32 = 60.0;

/// What the host was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// All files.
    All(u64),
    /// Those with these letters.
    Found(u64),
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// A row was pressed.
    Row(usize),
    /// The wheel was turned over the list, or over the file.
    Wheel(Part, f32),
    /// A file was read, or is as it was.
    Read(String, Box<Result<Option<Loaded>, String>>),
    /// It was written, or not.
    Saved(PathBuf, Result<(), Unsaved>),
    /// Something was done in the editor.
    Acted(text_editor::Action),
    /// This is to be pasted.
    Pasted(Option<String>),
    /// The file was pressed.
    Pressed,
}

/// Which half has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// The list.
    #[default]
    List,
    /// The file.
    File,
}

/// What is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typing {
    /// Letters of a file's path.
    Letters,
    /// Words in the file.
    Words,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Row {
    /// A folder, as the tree has it.
    Folder { path: String, name: String, depth: usize, files: usize, is_folded: bool },
    /// A file: its path, what of it is shown, how deep it lies, and which characters of that were typed.
    File { path: String, name: String, depth: usize, hits: Vec<usize> },
}

impl Row {
    fn path(&self) -> &str {
        match self {
            Self::Folder { path, .. } | Self::File { path, .. } => path,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Folder { depth, .. } | Self::File { depth, .. } => *depth,
        }
    }
}

/// The open file.
#[derive(Debug)]
struct Open {
    path: String,
    /// What was read, or why nothing was.
    loaded: Option<Result<Loaded, String>>,
    /// It is read as text, though it reads as words.
    is_plain: bool,
    top: usize,
    /// While it is written in, and until that is saved.
    writing: Option<document::Open>,
    words: String,
    /// Where these are: lines, and parts of them.
    hits: Vec<(usize, Vec<Range<usize>>)>,
    hit: usize,
}

/// The state.
#[derive(Debug)]
pub struct Files {
    agent: Option<AgentId>,
    directory: PathBuf,
    number: u64,
    waits: Option<Question>,
    all: Option<Vec<String>>,
    problem: Option<String>,
    unfolded: HashSet<String>,
    letters: String,
    found: Option<Vec<String>>,
    typing: Option<Typing>,
    typed: String,
    rows: Vec<Row>,
    at: usize,
    top: usize,
    turned: f32,
    part: Part,
    open: Option<Open>,
    page: Cell<usize>,
    lines: Cell<usize>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            agent: None,
            directory: PathBuf::new(),
            number: 0,
            waits: None,
            all: None,
            problem: None,
            unfolded: HashSet::new(),
            letters: String::new(),
            found: None,
            typing: None,
            typed: String::new(),
            rows: Vec::new(),
            at: 0,
            top: 0,
            turned: 0.0,
            part: Part::List,
            open: None,
            page: Cell::new(PAGE),
            lines: Cell::new(PAGE),
        }
    }
}

fn ask(question: Question, command: Command) -> Action {
    review::ask(review::Question::Files(question), command)
}

impl Files {
    /// It is looked at.
    pub fn opened(&mut self, place: &Place) -> Action {
        let mut before = Action::None;
        if self.directory != place.directory {
            before = self.save();
            *self = Self { directory: place.directory.clone(), ..Self::default() };
        }
        self.agent = place.agent;
        Action::All(vec![before, self.refresh()])
    }

    /// Looks at the disk again.
    pub fn refresh(&mut self) -> Action {
        let Some(agent) = self.agent else {
            self.problem = Some("no agent works here: open the files of one that does".to_owned());
            return Action::None;
        };
        let list = self.asks_for(Question::All, Command::ListFiles { agent });
        Action::All(vec![list, self.look()])
    }

    fn asks_for(&mut self, question: fn(u64) -> Question, command: Command) -> Action {
        self.number += 1;
        let question = question(self.number);
        self.waits = Some(question.clone());
        ask(question, command)
    }

    /// Reads the open file, if it is another one than before.
    fn look(&self) -> Action {
        let Some(open) = &self.open else { return Action::None };
        let known = match &open.loaded {
            Some(Ok(loaded)) => Some(loaded.stamp),
            _ => None,
        };
        Action::ReadFile(self.directory.clone(), open.path.clone(), known)
    }

    /// Time goes by while it is looked at.
    pub fn tick(&mut self) -> Action {
        Action::All(vec![self.save(), self.look()])
    }

    /// Writes what is not written yet.
    pub fn save(&mut self) -> Action {
        let writing = self.open.as_mut().and_then(|open| open.writing.as_mut());
        let saved = writing.and_then(document::Open::save);
        saved.map_or(Action::None, |(path, bytes, before)| Action::SaveFile(path, bytes, before))
    }

    // The list.

    fn list(&mut self) {
        let marked = self.rows.get(self.at).map(|row| row.path().to_owned());
        self.rows = match &self.found {
            Some(found) => found.iter().map(|path| self.found_row(path)).collect(),
            None => {
                let all = self.all.as_deref().unwrap_or_default();
                let folded = |path: &str| !self.unfolded.contains(path);
                tree::of_names(all, &folded).into_iter().map(|row| tree_row(all, row)).collect()
            }
        };
        let same = |row: &Row| Some(row.path()) == marked.as_deref();
        self.at = match self.rows.iter().position(same) {
            Some(at) if self.found.is_none() => at,
            _ if self.found.is_some() => 0,
            _ => self.at.min(self.rows.len().saturating_sub(1)),
        };
        self.reveal();
    }

    fn found_row(&self, path: &str) -> Row {
        let hits = fuzzy::find(&self.letters, path).map(|found| found.positions);
        Row::File {
            path: path.to_owned(),
            name: path.to_owned(),
            depth: 0,
            hits: hits.unwrap_or_default(),
        }
    }

    fn reveal(&mut self) {
        let page = self.page.get().max(2);
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(page));
    }

    fn step(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
        self.reveal();
    }

    /// Opens the marked file, folds or unfolds the marked folder.
    fn accept(&mut self) -> Action {
        match self.rows.get(self.at).cloned() {
            Some(Row::Folder { path, is_folded, .. }) => {
                self.fold(&path, !is_folded);
                Action::None
            }
            Some(Row::File { path, .. }) => self.show(path),
            None => Action::None,
        }
    }

    fn fold(&mut self, path: &str, fold: bool) {
        if fold {
            let _ = self.unfolded.remove(path);
        } else {
            let _ = self.unfolded.insert(path.to_owned());
        }
        self.list();
    }

    /// To the right: into a folder, or into the file. To the left: out of it.
    fn sideways(&mut self, right: bool) -> Action {
        match (self.rows.get(self.at).cloned(), right) {
            (Some(Row::Folder { path, is_folded, .. }), true) => {
                if is_folded {
                    self.fold(&path, false);
                } else {
                    self.step(1);
                }
                Action::None
            }
            (Some(Row::File { path, .. }), true) => self.show(path),
            (Some(Row::Folder { path, is_folded: false, .. }), false) => {
                self.fold(&path, true);
                Action::None
            }
            (Some(row), false) => {
                let above = self.rows[..self.at].iter();
                if let Some(at) = above.clone().rposition(|above| above.depth() < row.depth()) {
                    self.at = at;
                    self.reveal();
                }
                Action::None
            }
            (None, _) => Action::None,
        }
    }

    /// Shows a file.
    pub fn show(&mut self, path: String) -> Action {
        self.part = Part::File;
        if self.open.as_ref().is_some_and(|open| open.path == path) {
            return self.look();
        }
        let save = self.save();
        self.open = Some(Open {
            path,
            loaded: None,
            is_plain: false,
            top: 0,
            writing: None,
            words: String::new(),
            hits: Vec::new(),
            hit: 0,
        });
        Action::All(vec![save, self.look()])
    }

    // Typing.

    /// The input or the editor that has the keyboard.
    #[must_use]
    pub fn input(&self) -> Option<&'static str> {
        match (self.typing, self.is_writing()) {
            (Some(_), _) => Some(INPUT),
            (None, true) if self.part == Part::File && !self.is_torn() => Some(EDITOR),
            _ => None,
        }
    }

    /// Whether something is asked that Enter and Escape answer.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.typing.is_some() || (self.is_torn() && self.part == Part::File)
    }

    /// Whether a file is written in.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        let writing = self.open.as_ref().and_then(|open| open.writing.as_ref());
        writing.is_some_and(|writing| writing.editor.is_some())
    }

    /// Whether two sides wrote into the same lines.
    fn is_torn(&self) -> bool {
        let writing = self.open.as_ref().and_then(|open| open.writing.as_ref());
        writing.is_some_and(|writing| writing.theirs.is_some())
    }

    /// Something is typed.
    pub fn typed(&mut self, text: String) -> Action {
        self.typed = text;
        match self.typing {
            Some(Typing::Letters) => {
                self.letters = self.typed.trim().to_owned();
                self.find()
            }
            Some(Typing::Words) => {
                self.search();
                Action::None
            }
            None => Action::None,
        }
    }

    fn find(&mut self) -> Action {
        let Some(agent) = self.agent else { return Action::None };
        if self.letters.is_empty() {
            self.found = None;
            self.list();
            return Action::None;
        }
        let letters = self.letters.clone();
        self.asks_for(Question::Found, Command::FindFiles { agent, letters, most: FOUND })
    }

    fn begin(&mut self, typing: Typing) {
        self.typed = match typing {
            Typing::Letters => self.letters.clone(),
            Typing::Words => self.open.as_ref().map(|open| open.words.clone()).unwrap_or_default(),
        };
        self.typing = Some(typing);
    }

    fn typing_command(&mut self, typing: Typing, id: Id) -> Action {
        match (typing, id) {
            (Typing::Letters, Id::OverlayUp) => self.step(-1),
            (Typing::Letters, Id::OverlayDown) => self.step(1),
            (Typing::Letters, Id::OverlayAccept) => {
                self.typing = None;
                return self.accept();
            }
            (Typing::Letters, Id::OverlayCancel) => {
                self.typing = None;
                return self.forget_letters();
            }
            (Typing::Words, Id::OverlayAccept) => {
                if self.is_writing() {
                    self.find_in_editor();
                } else {
                    self.typing = None;
                }
            }
            (Typing::Words, Id::OverlayDown) => self.next(true),
            (Typing::Words, Id::OverlayUp) => self.next(false),
            (Typing::Words, Id::OverlayCancel) => {
                self.typing = None;
                self.forget_words();
            }
            _ => {}
        }
        Action::None
    }

    fn forget_letters(&mut self) -> Action {
        self.letters.clear();
        self.found = None;
        self.list();
        self.mark_open();
        Action::None
    }

    /// Marks the open file in the tree, in folders that are unfolded for it.
    fn mark_open(&mut self) {
        let Some(path) = self.open.as_ref().map(|open| open.path.clone()) else { return };
        let folders = path.match_indices('/').map(|(at, _)| path[..=at].to_owned());
        self.unfolded.extend(folders);
        self.list();
        self.at = self.rows.iter().position(|row| row.path() == path).unwrap_or(self.at);
        self.reveal();
    }

    // The file.

    fn text(&self) -> Option<&Arc<[Line]>> {
        match &self.open.as_ref()?.loaded.as_ref()?.as_ref().ok()?.body {
            Body::Code(lines, _) | Body::Words(_, lines) => Some(lines),
            _ => None,
        }
    }

    /// Whether markdown is shown as it reads.
    fn shows_words(&self) -> bool {
        let Some(open) = &self.open else { return false };
        let is_words = matches!(&open.loaded, Some(Ok(Loaded { body: Body::Words(..), .. })));
        is_words && !open.is_plain && open.hits.is_empty()
    }

    fn scroll(&mut self, by: isize) -> Action {
        if self.shows_words() {
            return Action::Move(WORDS, STEP * by as f32);
        }
        let count = self.text().map_or(0, |lines| lines.len());
        let last = count.saturating_sub(self.lines.get());
        if let Some(open) = &mut self.open {
            open.top = open.top.saturating_add_signed(by).min(last);
        }
        Action::None
    }

    fn search(&mut self) {
        let needle = self.typed.to_lowercase();
        let lines = self.text().cloned();
        let Some(open) = &mut self.open else { return };
        open.words.clone_from(&self.typed);
        open.hits = lines
            .iter()
            .flat_map(|lines| lines.iter().enumerate())
            .map(|(at, line)| (at, document::all_found(&line.text, &needle)))
            .filter(|(_, found)| !found.is_empty())
            .collect();
        let below = open.hits.iter().position(|(line, _)| *line >= open.top);
        open.hit = below.unwrap_or(0);
        self.reveal_hit();
    }

    fn reveal_hit(&mut self) {
        let page = self.lines.get();
        let Some(open) = &mut self.open else { return };
        if let Some((line, _)) = open.hits.get(open.hit)
            && !(open.top..open.top + page.saturating_sub(1)).contains(line)
        {
            open.top = line.saturating_sub(page / 3);
        }
    }

    fn next(&mut self, forward: bool) {
        let Some(open) = &mut self.open else { return };
        let count = open.hits.len();
        if count > 0 {
            open.hit = (open.hit + if forward { 1 } else { count - 1 }) % count;
            self.reveal_hit();
        }
    }

    fn forget_words(&mut self) {
        if let Some(open) = &mut self.open {
            open.words.clear();
            open.hits.clear();
        }
    }

    fn find_in_editor(&mut self) {
        let words = self.typed.clone();
        if let Some(writing) = self.open.as_mut().and_then(|open| open.writing.as_mut()) {
            writing.find = Some(words);
            let _ = writing.find_next();
        }
    }

    fn edit(&mut self) -> Action {
        let directory = self.directory.clone();
        let Some(open) = &mut self.open else { return Action::None };
        let Some(Ok(loaded)) = &open.loaded else { return Action::None };
        if let Some(leads) = &loaded.leads {
            let place = leads.display();
            return Action::Tell(format!(
                "It leads out of the directory, to {place}: write it there."
            ));
        }
        let Some(bytes) = &loaded.bytes else {
            return Action::Tell(
                "It is no text, or too long, to be written in here: o opens it elsewhere."
                    .to_owned(),
            );
        };
        let mut writing = match open.writing.take() {
            // What is not saved yet is gone on with.
            Some(writing) if writing.is_dirty() => writing,
            _ => document::Open::new(directory.join(&open.path), bytes.clone()),
        };
        let edit = writing.edit();
        writing.go_to(open.top);
        open.writing = Some(writing);
        self.part = Part::File;
        match edit {
            Ok(()) => Action::None,
            Err(why) => Action::Problem(why),
        }
    }

    /// A command of what is written.
    fn write(&mut self, id: Id) -> Action {
        if id == Id::EditorFind {
            self.begin(Typing::Words);
            return Action::None;
        }
        let Some(open) = &mut self.open else { return Action::None };
        let Some(writing) = &mut open.writing else { return Action::None };
        match id {
            Id::EditorSave => return self.save(),
            Id::EditorLeave => {
                writing.leave();
                return self.save();
            }
            Id::EditorTask if load::is_markdown(&open.path) => writing.insert_task(),
            Id::EditorTick if load::is_markdown(&open.path) => writing.tick_here(),
            Id::EditorUndo => writing.again(true),
            Id::EditorRedo => writing.again(false),
            Id::EditorPaste => return Action::PasteInFile,
            _ => {}
        }
        Action::None
    }

    fn torn(&mut self, id: Id) -> Action {
        let keep_mine = match id {
            Id::OverlayAccept => true,
            Id::OverlayCancel => false,
            _ => return Action::None,
        };
        if let Some(writing) = self.open.as_mut().and_then(|open| open.writing.as_mut()) {
            writing.resolve(keep_mine);
        }
        self.save()
    }

    /// Does a command.
    pub fn command(&mut self, id: Id) -> Action {
        if let Some(typing) = self.typing {
            return self.typing_command(typing, id);
        }
        if self.is_torn() && self.part == Part::File {
            return self.torn(id);
        }
        let is_file = self.part == Part::File;
        let of = if is_file { self.lines.get() } else { self.page.get() };
        let page = of.saturating_sub(2).max(1) as isize;
        match id {
            Id::ReviewUp if is_file => return self.scroll(-1),
            Id::ReviewDown if is_file => return self.scroll(1),
            Id::ReviewPageUp if is_file => return self.scroll(-page),
            Id::ReviewPageDown if is_file => return self.scroll(page),
            Id::ReviewFirst if is_file => return self.scroll(isize::MIN / 1_000_000),
            Id::ReviewLast if is_file => return self.scroll(isize::MAX / 1_000_000),
            Id::ReviewUp => self.step(-1),
            Id::ReviewDown => self.step(1),
            Id::ReviewPageUp => self.step(-page),
            Id::ReviewPageDown => self.step(page),
            Id::ReviewFirst => self.step(isize::MIN / 2),
            Id::ReviewLast => self.step(isize::MAX / 2),
            Id::ReviewRight if !is_file => return self.sideways(true),
            Id::ReviewLeft if !is_file => return self.sideways(false),
            Id::ReviewLeft => self.part = Part::List,
            Id::ReviewAccept if !is_file => return self.accept(),
            Id::ReviewPart => {
                self.part = match self.part {
                    Part::List if self.open.is_some() => Part::File,
                    _ => Part::List,
                };
            }
            Id::ReviewRefresh => return self.refresh(),
            Id::ReviewLeave => return self.leave(),
            Id::FilesFind => self.begin(Typing::Letters),
            Id::FilesSearch if self.open.is_some() => {
                self.part = Part::File;
                self.begin(Typing::Words);
            }
            Id::FilesSearch => self.begin(Typing::Letters),
            Id::FilesNext => self.next(true),
            Id::FilesPrevious => self.next(false),
            Id::FilesEdit => return self.edit(),
            Id::FilesPlain => {
                if let Some(open) = &mut self.open {
                    open.is_plain = !open.is_plain;
                }
            }
            Id::FilesOpenElsewhere => {
                return self.path().map_or(Action::None, Action::OpenElsewhere);
            }
            Id::FilesCopyPath => {
                return self.path().map_or(Action::None, |path| {
                    Action::Copy(path.to_string_lossy().into_owned())
                });
            }
            Id::EditorSave
            | Id::EditorLeave
            | Id::EditorTask
            | Id::EditorTick
            | Id::EditorFind
            | Id::EditorUndo
            | Id::EditorRedo
            | Id::EditorPaste => return self.write(id),
            _ => {}
        }
        Action::None
    }

    /// The file that a command is about.
    fn path(&self) -> Option<PathBuf> {
        let marked = match self.rows.get(self.at) {
            Some(Row::File { path, .. }) if self.part == Part::List => Some(path),
            _ => None,
        };
        let open = self.open.as_ref().map(|open| &open.path);
        marked.or(open).map(|path| self.directory.join(path))
    }

    /// Goes back by one step.
    fn leave(&mut self) -> Action {
        match self.part {
            Part::File if self.open.as_ref().is_some_and(|open| !open.hits.is_empty()) => {
                self.forget_words();
                Action::None
            }
            Part::File => {
                self.part = Part::List;
                Action::None
            }
            Part::List if !self.letters.is_empty() => self.forget_letters(),
            Part::List => Action::Close,
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Row(at) => {
                self.part = Part::List;
                self.typing = None;
                self.at = at.min(self.rows.len().saturating_sub(1));
                return self.accept();
            }
            Message::Wheel(part, by) => {
                // A touchpad moves by less than a row.
                self.turned += by;
                let by = self.turned.trunc();
                self.turned -= by;
                if part == Part::File {
                    return self.scroll(by as isize);
                }
                let last = self.rows.len().saturating_sub(self.page.get());
                self.top = self.top.saturating_add_signed(by as isize).min(last);
            }
            Message::Read(path, read) => return self.read(&path, *read),
            Message::Saved(path, result) => return self.saved(&path, result),
            Message::Acted(act) => {
                self.part = Part::File;
                if let Some(writing) = self.open.as_mut().and_then(|open| open.writing.as_mut()) {
                    writing.act(act);
                }
            }
            Message::Pasted(text) => {
                let writing = self.open.as_mut().and_then(|open| open.writing.as_mut());
                match (writing, text) {
                    (Some(writing), Some(text)) if writing.editor.is_some() => {
                        writing.insert(&text);
                    }
                    _ => return Action::Tell("There is no text in the clipboard.".to_owned()),
                }
            }
            Message::Pressed => self.part = Part::File,
        }
        Action::None
    }

    fn read(&mut self, path: &str, read: Result<Option<Loaded>, String>) -> Action {
        let Some(open) = self.open.as_mut().filter(|open| open.path == path) else {
            return Action::None;
        };
        let mut seen = Seen::Same;
        match read {
            Ok(None) => return Action::None,
            Ok(Some(loaded)) => {
                if let (Some(writing), Some(bytes)) = (&mut open.writing, &loaded.bytes) {
                    seen = writing.seen(bytes.clone());
                }
                open.loaded = Some(Ok(loaded));
            }
            Err(why) => {
                // What is written in it is not lost with it.
                match &mut open.writing {
                    Some(writing) if writing.is_dirty() => writing.problem = Some(why),
                    _ => {
                        open.writing = None;
                        open.loaded = Some(Err(why));
                    }
                }
            }
        }
        if !open.words.is_empty() {
            let top = open.top;
            self.typed.clone_from(&open.words);
            self.search();
            if let Some(open) = &mut self.open {
                open.top = top;
            }
        }
        self.told(seen)
    }

    fn saved(&mut self, path: &PathBuf, result: Result<(), Unsaved>) -> Action {
        let writing = self.open.as_mut().and_then(|open| open.writing.as_mut());
        match (writing, result) {
            (Some(writing), result) if writing.path == *path => {
                let seen = writing.saved(result);
                Action::All(vec![self.told(seen), self.look()])
            }
            (_, Ok(())) => Action::None,
            (_, Err(Unsaved::Failed(why))) => Action::Problem(why),
            (_, Err(Unsaved::Changed(_))) => {
                Action::Problem(format!("{} was changed elsewhere and not saved", path.display()))
            }
        }
    }

    fn told(&self, seen: Seen) -> Action {
        match seen {
            Seen::Merged => Action::Tell(
                "It was changed elsewhere, too: both changes are in it now.".to_owned(),
            ),
            Seen::Taken if self.is_writing() => {
                Action::Tell("It was changed elsewhere, and is read again.".to_owned())
            }
            _ => Action::None,
        }
    }

    /// The host answered.
    pub fn answered(&mut self, question: &Question, reply: Result<Reply, String>) -> Action {
        if self.waits.as_ref() != Some(question) {
            return Action::None;
        }
        self.waits = None;
        match (question, reply) {
            (Question::All(_), Ok(Reply::Files(files))) => {
                self.problem = None;
                self.all = Some(files);
            }
            (Question::Found(_), Ok(Reply::Files(files))) => self.found = Some(files),
            (_, Ok(_)) => self.problem = Some("the host answered something else".to_owned()),
            (_, Err(why)) => self.problem = Some(why),
        }
        self.list();
        Action::None
    }

    /// What it waits for, for made-up windows.
    #[must_use]
    pub fn waits_for(&self) -> Option<Question> {
        self.waits.clone()
    }

    /// The keys that mean something.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &'static str)> {
        match self.typing {
            Some(Typing::Letters) => {
                return vec![("↑↓", "file"), ("↵", "open"), ("Esc", "all files")];
            }
            Some(Typing::Words) => {
                return vec![("↑↓", "place"), ("↵", "go on"), ("Esc", "leave it")];
            }
            None => {}
        }
        if self.part == Part::File && self.is_torn() {
            return vec![("↵", "keep yours"), ("Esc", "take the other")];
        }
        if self.part == Part::File && self.is_writing() {
            return vec![("Esc", "done; it is saved by itself")];
        }
        let mut keys = vec![("↑↓", if self.part == Part::File { "scroll" } else { "file" })];
        if self.part == Part::List {
            keys.push(("↵", "open"));
        }
        keys.extend([("f", "find a file"), ("/", "search in it"), ("e", "edit")]);
        let name = self.open.as_ref().map(|open| open.path.as_str());
        if name.is_some_and(load::is_markdown) {
            keys.push(("t", "as text"));
        }
        keys.extend([("o", "open elsewhere"), ("c", "copy path"), ("Esc", "back")]);
        keys
    }
}

fn tree_row(all: &[String], row: tree::Row) -> Row {
    match row {
        tree::Row::Folder { path, name, depth, files, is_folded } => {
            Row::Folder { path, name, depth, files, is_folded }
        }
        tree::Row::File { at, name, depth } => {
            Row::File { path: all[at].clone(), name, depth, hits: Vec::new() }
        }
    }
}

#[cfg(test)]
mod tests;
