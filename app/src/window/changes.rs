//! What is different in an agent's directory: files as a tree, their lines in one column or two, what is
//! staged and discarded, and comments that are sent to the agent all at once.
//!
//! It never has all lines of a file, only those around what is shown, so that a change of a million lines
//! costs as much as one of a hundred.

mod comments;
mod left;
mod open;
pub mod tree;
mod view;

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use maestro_core::changes::{
    Answer, Ask, Body, Deed, Discard, File, FileLines, Listing, Look, MAX_CONTEXT, Name, Origin,
    Pick, Source, Status,
};
use maestro_core::command::Id;
use maestro_core::conversation::Prompt;
use maestro_core::race::{Piece, Take};
use maestro_core::{AgentId, TabId, text};
use maestro_protocol::message::{Command, Reply};

use self::comments::Comment;
use self::left::Left;
use self::open::{CHUNK, Opened};
use self::tree::Row;
use super::conversation::Shown;
use super::model::Model;
use super::review::{self, Action, Place};

/// The id of the input for a comment or the name of a branch.
pub const INPUT: &str = "changes-input";

/// Rows of lines and of the tree that have a place, before they were drawn once.
const PAGE: usize = 30;

/// Characters by which text is moved to the side.
const SHIFT: u32 = 8;

/// The most files whose being viewed is remembered.
const SEEN: usize = 20_000;

/// Looked at files are looked at again after this time at the earliest: milliseconds.
const PAUSE_MS: u64 = 2000;

/// Directories in which comments may wait.
const PARKED: usize = 100;

/// Endings of files that are shown as pictures.
const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "gif", "webp", "bmp"];

/// What the host was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The files.
    List(u64),
    /// Lines of the file that is looked at: the number of the question, and which.
    Lines(u64, u32),
    /// Both sides of a picture.
    Blobs(u64),
    /// To stage, unstage or discard.
    Deed(Deed),
    /// To put back what was discarded.
    Undo,
    /// Where a line comes from.
    Blame(u64),
    /// For a tab to say something in.
    Tab(u64),
    /// To say it.
    Said,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// A row of the tree was pressed.
    File(usize),
    /// A row on the screen was pressed; whether in the right half.
    Line(usize, bool),
    /// The wheel was turned over lines.
    Lines(f32),
    /// The wheel was turned over the tree.
    Files(f32),
    /// Another view was picked.
    Source(Source),
    /// Both sides of a picture are read.
    Pictures(u64, [Option<Shown>; 2]),
}

/// A race whose runner is looked at, so that parts of it can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// The repository.
    pub repository: PathBuf,
    /// The race.
    pub race: String,
    /// The runner's branch.
    pub branch: String,
    /// Where what is taken goes to.
    pub target: String,
}

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Typing {
    /// About these rows.
    Comment(String),
    /// What is compared with.
    Base(String),
}

/// What is asked before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Confirm {
    picks: Vec<Pick>,
    words: String,
}

/// What tells a file from another one of its name.
type Print = (Option<u32>, Option<u32>, Option<u64>, Option<String>);

/// The state.
#[derive(Debug)]
pub struct Changes {
    directory: PathBuf,
    /// Whose.
    pub agent: Option<AgentId>,
    source: Source,
    /// What was compared with last, by its name.
    base: Option<String>,
    listing: Option<Result<Listing, String>>,
    /// The number of the last question.
    number: u64,
    listed: Option<u64>,
    /// Whether it is to be asked again when the answer is there.
    again: bool,
    rows: Vec<Row>,
    folded: HashSet<String>,
    at: usize,
    /// The first row of the tree that is shown.
    tree_top: usize,
    /// Parts of a row by which the wheel was turned over the tree.
    turned: f32,
    open: Option<Opened>,
    /// Whether the keyboard is in the lines.
    deep: bool,
    /// Whether a press was in the right half, where there are two.
    split: bool,
    look: Look,
    /// Which files were viewed, and what was said and not sent.
    left: Left,
    /// The same in other directories.
    parked: HashMap<PathBuf, Left>,
    /// Directories of which the host does not have it as it is.
    unkept: HashSet<PathBuf>,
    typing: Option<Typing>,
    confirm: Option<Confirm>,
    doing: bool,
    /// The runner of a race whose changes are shown.
    runner: Option<Runner>,
    /// When the files were last asked for, and how long the answer took: milliseconds.
    asked_ms: u64,
    took_ms: u64,
    /// The token under which the comments are sent, until they were.
    token: Option<String>,
    /// The row and where its line comes from.
    blame: Option<(usize, Origin)>,
    /// Rows of lines that have a place.
    page: Cell<usize>,
    /// Rows of the tree that have a place.
    tree_page: Cell<usize>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            directory: PathBuf::new(),
            agent: None,
            source: Source::WorkingTree,
            base: None,
            listing: None,
            number: 0,
            listed: None,
            again: false,
            rows: Vec::new(),
            folded: HashSet::new(),
            at: 0,
            tree_top: 0,
            turned: 0.0,
            open: None,
            deep: false,
            split: false,
            look: Look::default(),
            left: Left::default(),
            parked: HashMap::new(),
            unkept: HashSet::new(),
            typing: None,
            confirm: None,
            doing: false,
            runner: None,
            asked_ms: 0,
            took_ms: 0,
            token: None,
            blame: None,
            page: Cell::new(PAGE),
            tree_page: Cell::new(PAGE),
        }
    }
}

fn ask(question: Question, what: Ask) -> Action {
    review::ask(review::Question::Changes(question), Command::Changes(what))
}

fn print(file: &File) -> Print {
    (file.added, file.removed, file.after.size, file.after.id.clone())
}

/// What the status of a file is called.
#[must_use]
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Added => "new",
        Status::Untracked => "new, not known to git",
        Status::Deleted => "deleted",
        Status::Modified => "changed",
        Status::Renamed => "renamed",
        Status::Copied => "copied",
        Status::TypeChanged => "another kind of file",
        Status::Conflicted => "conflicts",
    }
}

impl Changes {
    /// It is looked at: what one works on, not a commit that was looked at before.
    pub fn opened(&mut self, place: &Place) -> Action {
        self.enter(place);
        let is_past = matches!(self.source, Source::Commit(_) | Source::Task { .. });
        if is_past || self.runner.is_some() {
            self.set_source(Source::WorkingTree)
        } else {
            self.refresh()
        }
    }

    fn enter(&mut self, place: &Place) {
        if self.directory != place.directory {
            let page = (self.page.get(), self.tree_page.get());
            // What was said about another agent's lines is kept until one is back.
            let mut parked = std::mem::take(&mut self.parked);
            let said = std::mem::take(&mut self.left);
            if !said.is_empty() && parked.len() < PARKED {
                let _ = parked.insert(std::mem::take(&mut self.directory), said);
            }
            let left = parked.remove(&place.directory).unwrap_or_default();
            let (directory, split) = (place.directory.clone(), self.split);
            let unkept = std::mem::take(&mut self.unkept);
            *self = Self { directory, split, left, parked, unkept, ..Self::default() };
            self.page.set(page.0);
            self.tree_page.set(page.1);
        }
        self.agent = place.agent;
    }

    /// It is looked at as a commit, a task or a base has it.
    pub fn opened_at(&mut self, place: &Place, source: Source) -> Action {
        self.enter(place);
        if self.source == source { self.refresh() } else { self.set_source(source) }
    }

    /// It is looked at as the runner of a race, of which parts can be taken.
    pub fn opened_runner(&mut self, place: &Place, runner: Runner) -> Action {
        let action = self.opened_at(place, Source::Base(Some(runner.target.clone())));
        self.base = Some(runner.target.clone());
        self.runner = Some(runner);
        action
    }

    /// Some time went by while it is looked at.
    pub fn tick(&mut self, now_ms: u64) -> Action {
        // A repository in which looking takes long is not looked at all the time.
        let pause = PAUSE_MS.max(self.took_ms.saturating_mul(8));
        let is_due = now_ms.saturating_sub(self.asked_ms) >= pause;
        if self.listed.is_some() || !is_due || self.doing { Action::None } else { self.refresh() }
    }

    fn set_source(&mut self, source: Source) -> Action {
        self.source = source;
        self.runner = None;
        (self.listing, self.listed, self.again) = (None, None, false);
        (self.rows, self.at, self.tree_top) = (Vec::new(), 0, 0);
        (self.open, self.deep, self.blame) = (None, false, None);
        self.refresh()
    }

    /// Looks at the disk again.
    pub fn refresh(&mut self) -> Action {
        if self.listed.is_some() {
            self.again = true;
            return Action::None;
        }
        self.number += 1;
        self.listed = Some(self.number);
        self.asked_ms = super::now_ms();
        let (directory, source) = (self.directory.clone(), self.source.clone());
        ask(Question::List(self.number), Ask::List { directory, source, paths: Vec::new() })
    }

    fn files(&self) -> &[File] {
        match &self.listing {
            Some(Ok(listing)) => &listing.files,
            _ => &[],
        }
    }

    /// Takes in what the host kept; gives the keys of what is too much.
    pub fn restore(&mut self, preferences: &[(String, String)]) -> Vec<String> {
        let (mut parked, old) = left::read(preferences, PARKED);
        self.left = parked.remove(&self.directory).unwrap_or_default();
        self.parked = parked;
        old
    }

    /// What the host is to keep that it does not have: the keys, the texts, and whether all that was said is in
    /// them.
    pub fn take_unkept(&mut self, now_ms: u64) -> Vec<(String, Option<String>, bool)> {
        let unkept = std::mem::take(&mut self.unkept);
        let text = |directory: PathBuf| {
            let other = self.parked.get(&directory);
            let left = if directory == self.directory { Some(&self.left) } else { other };
            let (text, whole) = left.map_or((None, true), |left| left.text(&directory, now_ms));
            (left::key(&directory), text, whole)
        };
        unkept.into_iter().map(text).collect()
    }

    fn is_seen(&self, file: &File) -> bool {
        if self.left.seen.is_empty() {
            return false;
        }
        let known = self.left.seen.get(&(self.source.clone(), file.name.clone()));
        known.is_some_and(|known| *known == print(file))
    }

    /// The files are heard.
    fn heard(&mut self, number: u64, listing: Result<Listing, String>) -> Action {
        if self.listed != Some(number) {
            return Action::None;
        }
        self.listed = None;
        self.took_ms = super::now_ms().saturating_sub(self.asked_ms);
        let first = self.listing.is_none();
        let known = self.open.as_ref().map(|open| open.file.name.clone());
        let marked = self.marked().map(|file| file.name.clone());
        let folder = match self.rows.get(self.at) {
            Some(Row::Folder { path, .. }) => Some(path.clone()),
            _ => None,
        };
        self.listing = Some(listing);
        self.rebuild();
        let mut actions = Vec::new();
        if first {
            self.at = self.rows.iter().position(|row| matches!(row, Row::File { .. })).unwrap_or(0);
        }
        // The mark stays with its file or folder.
        let row = match (&marked, &folder) {
            (Some(name), _) => self.row_of_file(name),
            (None, Some(path)) => self
                .rows
                .iter()
                .position(|row| matches!(row, Row::Folder { path: other, .. } if other == path)),
            (None, None) => None,
        };
        if !first {
            self.at = row.unwrap_or(self.at).min(self.rows.len().saturating_sub(1));
        }
        let is_there =
            known.is_some_and(|known| self.files().iter().any(|file| file.name == known));
        match &mut self.open {
            Some(open) if is_there => open.stale = true,
            _ => self.open = None,
        }
        actions.push(self.show());
        self.deep &= self.open.is_some();
        if std::mem::take(&mut self.again) {
            actions.push(self.refresh());
        }
        Action::All(actions)
    }

    fn rebuild(&mut self) {
        self.rows = match &self.listing {
            Some(Ok(listing)) => tree::rows(&listing.files, &self.folded),
            _ => Vec::new(),
        };
        self.at = self.at.min(self.rows.len().saturating_sub(1));
        self.reveal_row();
    }

    fn row_of_file(&self, name: &Name) -> Option<usize> {
        let files = self.files();
        self.rows.iter().position(|row| match row {
            Row::File { at, .. } => files.get(*at).is_some_and(|file| file.name == *name),
            Row::Folder { .. } => false,
        })
    }

    fn marked(&self) -> Option<&File> {
        match self.rows.get(self.at)? {
            Row::File { at, .. } => self.files().get(*at),
            Row::Folder { .. } => None,
        }
    }

    fn reveal_row(&mut self) {
        let page = self.tree_page.get().max(2);
        self.tree_top = self.tree_top.min(self.at).max((self.at + 1).saturating_sub(page));
        self.tree_top = self.tree_top.min(self.rows.len().saturating_sub(1));
    }

    /// Shows the marked file's lines, and asks for those that are not known.
    fn show(&mut self) -> Action {
        self.reveal_row();
        let Some(file) = self.marked().cloned() else { return self.fetch() };
        let is_open = self.open.as_ref().is_some_and(|open| open.file.name == file.name);
        if !is_open {
            self.open = Some(Opened::new(file));
            self.blame = None;
        }
        self.fetch()
    }

    /// Asks for lines that are shown and not known.
    fn fetch(&mut self) -> Action {
        let page = self.page.get();
        let Some(open) = &mut self.open else { return Action::None };
        let Some(chunk) = open.wants(page) else { return Action::None };
        self.number += 1;
        open.asked = Some((self.number, chunk));
        let ask_for = Ask::Lines {
            directory: self.directory.clone(),
            source: self.source.clone(),
            file: open.file.name.clone(),
            look: self.look,
            lines: chunk * CHUNK..(chunk + 1) * CHUNK,
        };
        ask(Question::Lines(self.number, chunk), ask_for)
    }

    fn lines_heard(&mut self, number: u64, chunk: u32, heard: Result<FileLines, String>) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        if open.asked != Some((number, chunk)) {
            return Action::None;
        }
        open.asked = None;
        let was_known = open.info.is_some();
        match heard {
            Ok(lines) => {
                let is_picture = lines.body == Body::Binary && is_picture(&open.file.name);
                open.heard(chunk, lines);
                if is_picture {
                    self.number += 1;
                    let what = Ask::Blobs {
                        directory: self.directory.clone(),
                        source: self.source.clone(),
                        file: open.file.name.clone(),
                    };
                    return ask(Question::Blobs(self.number), what);
                }
                if !was_known {
                    let cursor = open.cursor;
                    open.put(cursor, self.page.get(), self.split);
                }
                self.fetch()
            }
            Err(why) => {
                (open.info, open.stale) = (Some(Err(why)), false);
                Action::None
            }
        }
    }

    /// Files whose lines, or hunks, a deed is about.
    fn picks(&self) -> Result<Vec<Pick>, &'static str> {
        if self.deep {
            let Some(open) = &self.open else { return Err("There is no file here.") };
            if open.hunks().is_empty() {
                return Ok(vec![Pick { file: open.file.name.clone(), hunks: None }]);
            }
            if self.look.ignore_blanks {
                return Err("Hunks are taken as they are: show white space first.");
            }
            let chosen = open.chosen();
            let first = open.hunk_of(chosen.start).unwrap_or(0);
            let last = open.hunk_of(chosen.end - 1).unwrap_or(first);
            let hunks = open.hunks()[first..=last].iter().map(|hunk| hunk.id).collect();
            return Ok(vec![Pick { file: open.file.name.clone(), hunks: Some(hunks) }]);
        }
        let whole = |file: &File| Pick { file: file.name.clone(), hunks: None };
        match self.rows.get(self.at) {
            Some(Row::File { at, .. }) => {
                Ok(self.files().get(*at).map(whole).into_iter().collect())
            }
            Some(Row::Folder { path, .. }) => {
                let is_below = |file: &&File| file.name.shown().starts_with(path.as_str());
                Ok(self.files().iter().filter(is_below).map(whole).collect())
            }
            None => Err("There is no file here."),
        }
    }

    fn deed(&mut self, deed: Deed) -> Action {
        if let Some(runner) = self.runner.clone().filter(|_| deed == Deed::Stage) {
            return self.take(runner);
        }
        let (wanted, key) = match deed {
            Deed::Stage | Deed::Discard => (Source::WorkingTree, "w"),
            Deed::Unstage => (Source::Staged, "i"),
        };
        if self.source != wanted {
            let does = match deed {
                Deed::Stage => "staged",
                Deed::Unstage => "unstaged",
                Deed::Discard => "discarded",
            };
            let words = format!("This is shown to be read. {key} shows what can be {does}.");
            return Action::Tell(words);
        }
        match self.picks() {
            Ok(picks) if picks.is_empty() => Action::None,
            Ok(picks) if deed == Deed::Discard => {
                let words = match picks.as_slice() {
                    [Pick { file, hunks: None }] => {
                        format!("Discard every change of {}?", file.shown())
                    }
                    [Pick { file, hunks: Some(hunks) }] if hunks.len() == 1 => {
                        format!("Discard this hunk of {}?", file.shown())
                    }
                    [Pick { file, hunks: Some(hunks) }] => {
                        format!("Discard {} hunks of {}?", hunks.len(), file.shown())
                    }
                    files => format!("Discard every change of {} files?", files.len()),
                };
                self.confirm = Some(Confirm { picks, words });
                Action::None
            }
            Ok(picks) => self.carry_out(deed, picks),
            Err(why) => Action::Tell(why.to_owned()),
        }
    }

    /// Takes what is marked into the checkout of the race's target.
    fn take(&mut self, runner: Runner) -> Action {
        let picks = match self.picks() {
            Ok(picks) => picks,
            Err(why) => return Action::Tell(why.to_owned()),
        };
        if self.doing || picks.is_empty() {
            return Action::None;
        }
        self.doing = true;
        let Runner { repository, race: name, branch, target } = runner;
        let piece = |pick| Piece { branch: branch.clone(), pick };
        let pieces = picks.into_iter().map(piece).collect();
        let take = Take { repository, name, target: Some(target), pieces, look: self.look };
        review::ask(review::Question::Changes(Question::Deed(Deed::Stage)), Command::TakeRace(take))
    }

    fn carry_out(&mut self, deed: Deed, picks: Vec<Pick>) -> Action {
        if self.doing {
            return Action::None;
        }
        self.doing = true;
        let (directory, look) = (self.directory.clone(), self.look);
        ask(Question::Deed(deed), Ask::Change { directory, deed, picks, look })
    }

    fn done(&mut self, answer: Result<Answer, String>) -> Action {
        self.doing = false;
        if let Some(open) = &mut self.open {
            open.anchor = None;
        }
        let told = match answer {
            Ok(Answer::Discarded(Discard { files, .. })) => {
                let what = match files.as_slice() {
                    [file] => file.shown().into_owned(),
                    files => format!("{} files", files.len()),
                };
                match &self.runner {
                    Some(runner) => {
                        let target = text::clean(&runner.target, 60);
                        Action::Tell(format!("Taken into {target}: {what}. z takes it back."))
                    }
                    None => Action::Tell(format!("Discarded in {what}. z puts it back.")),
                }
            }
            Ok(_) => Action::None,
            Err(why) => Action::Problem(why),
        };
        Action::All(vec![told, self.refresh()])
    }

    // Comments.

    fn begin_comment(&mut self) -> Action {
        let Some(open) = self.open.as_ref().filter(|_| self.deep) else {
            return Action::Tell("Comments are about lines: ↵ goes to them.".to_owned());
        };
        let mut chosen = open.chosen();
        if chosen.all(|row| open.line(row).is_none()) {
            return Action::Tell("There is no line here.".to_owned());
        }
        if self.left.comments.len() >= comments::MOST {
            return Action::Tell("Send what was said first: there are many comments.".to_owned());
        }
        let known = self.comment_at(open.cursor).map(|at| self.left.comments[at].text.clone());
        self.typing = Some(Typing::Comment(known.unwrap_or_default()));
        Action::None
    }

    /// The comment on a row's line.
    fn comment_at(&self, row: usize) -> Option<usize> {
        let open = self.open.as_ref()?;
        let line = open.line(row)?;
        let is_it = |said: &Comment| said.is_about(&self.source, &open.file.name, line);
        self.left.comments.iter().position(is_it)
    }

    fn end_comment(&mut self, said: &str) {
        let Some(open) = &mut self.open else { return };
        let said: String = said.trim().chars().take(comments::LONGEST).collect();
        let lines: Vec<_> = open.chosen().filter_map(|row| open.line(row).cloned()).collect();
        open.anchor = None;
        let (source, file, at) = (self.source.clone(), open.file.name.clone(), open.cursor);
        match (self.comment_at(at), said.is_empty()) {
            (Some(known), true) => drop(self.left.comments.remove(known)),
            (Some(known), false) => self.left.comments[known].text = said,
            (None, true) => {}
            (None, false) => self.left.comments.push(Comment { source, file, lines, text: said }),
        }
        self.said_otherwise();
    }

    /// Other words are another message, and are to be kept.
    fn said_otherwise(&mut self) {
        self.token = None;
        let _ = self.unkept.insert(self.directory.clone());
    }

    fn send(&mut self, model: &Model) -> Action {
        if self.left.comments.is_empty() {
            return Action::Tell(
                "There is no comment yet: c says something about a line.".to_owned(),
            );
        }
        let Some(agent) = self.agent.and_then(|agent| model.agent(agent)) else {
            return Action::Tell("No agent works here that could be told.".to_owned());
        };
        let words = comments::message(&self.left.comments);
        let tabs = model.tabs.iter().filter(|tab| tab.agent == agent.id && !tab.closed);
        if let Some(tab) = tabs.max_by_key(|tab| tab.used_ms) {
            return self.say(tab.id, words);
        }
        match agent.ai_terminal {
            // The program in the terminal has the conversation: its prompt gets the words.
            Some(terminal) => {
                self.left.comments.clear();
                self.said_otherwise();
                Action::All(vec![
                    Action::Close,
                    Action::Go(agent.id),
                    Action::Paste(terminal, words),
                ])
            }
            None => {
                self.number += 1;
                let command = Command::NewTab { agent: agent.id, session: None, title: None };
                review::ask(review::Question::Changes(Question::Tab(self.number)), command)
            }
        }
    }

    fn say(&mut self, tab: TabId, text: String) -> Action {
        let now_ms = super::now_ms();
        let number = self.number;
        let token = self.token.get_or_insert_with(|| {
            format!("changes-{}-{tab}-{now_ms:x}-{number}", std::process::id())
        });
        let prompt = Prompt { text, ..Prompt::default() };
        let command = Command::Send { tab, prompt, token: token.clone(), typed: false };
        review::ask(review::Question::Changes(Question::Said), command)
    }

    // The keyboard.

    /// The input that is open.
    #[must_use]
    pub fn input(&self) -> Option<&'static str> {
        self.typing.as_ref().map(|_| INPUT)
    }

    /// Whether something is asked that Enter and Escape answer.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.typing.is_some() || self.confirm.is_some()
    }

    /// Something is typed.
    pub fn typed(&mut self, text: String) {
        match &mut self.typing {
            Some(Typing::Comment(typed) | Typing::Base(typed)) => *typed = text,
            None => {}
        }
    }

    fn accept(&mut self) -> Action {
        if let Some(confirm) = self.confirm.take() {
            return self.carry_out(Deed::Discard, confirm.picks);
        }
        match self.typing.take() {
            Some(Typing::Comment(said)) => {
                self.end_comment(&said);
                Action::None
            }
            Some(Typing::Base(name)) => {
                self.base = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
                self.set_source(Source::Base(self.base.clone()))
            }
            None => Action::None,
        }
    }

    fn cycle(&mut self, by: isize) -> Action {
        let all = self.sources();
        let at = all.iter().position(|source| *source == self.source).unwrap_or(0);
        let next = (at as isize + by).rem_euclid(all.len() as isize) as usize;
        self.set_source(all[next].clone())
    }

    /// The views that keys go through.
    fn sources(&self) -> Vec<Source> {
        let mut all = vec![Source::WorkingTree, Source::Staged, Source::Base(self.base.clone())];
        if matches!(self.source, Source::Commit(_) | Source::Task { .. }) {
            all.push(self.source.clone());
        }
        all
    }

    /// Moves within the tree.
    fn tree_step(&mut self, by: isize) -> Action {
        let last = self.rows.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
        self.show()
    }

    fn fold(&mut self, fold: bool) -> Action {
        match self.rows.get(self.at).cloned() {
            Some(Row::Folder { path, is_folded, .. }) if is_folded != fold => {
                if fold {
                    let _ = self.folded.insert(path);
                } else {
                    let _ = self.folded.remove(&path);
                }
                self.rebuild();
                Action::None
            }
            Some(Row::Folder { .. }) if !fold => self.tree_step(1),
            Some(Row::Folder { depth, .. } | Row::File { depth, .. }) if fold => {
                // The folder it lies in.
                let above = self.rows[..self.at].iter().rposition(
                    |row| matches!(row, Row::Folder { depth: other, .. } if *other < depth),
                );
                self.at = above.unwrap_or(self.at);
                self.reveal_row();
                Action::None
            }
            Some(Row::File { .. }) => {
                self.deep = self.open.is_some();
                Action::None
            }
            _ => Action::None,
        }
    }

    /// The next or previous file of the tree.
    fn file_step(&mut self, forward: bool) -> Option<Action> {
        let is_file = |row: &Row| matches!(row, Row::File { .. });
        let next = if forward {
            let found = self.rows.iter().skip(self.at + 1).position(is_file);
            found.map(|found| self.at + 1 + found)
        } else {
            self.rows[..self.at.min(self.rows.len())].iter().rposition(is_file)
        };
        self.at = next?;
        Some(self.show())
    }

    /// Moves within the lines.
    fn line_step(&mut self, by: isize, keep: bool) -> Action {
        let (page, split) = (self.page.get(), self.split);
        if let Some(open) = &mut self.open {
            if keep {
                let _ = open.anchor.get_or_insert(open.cursor);
            } else {
                open.anchor = None;
            }
            let row = open.stepped(open.cursor, by, split && !keep);
            open.put(row, page, split);
        }
        self.fetch()
    }

    /// The next or previous hunk, and the next file after the last.
    fn hunk_step(&mut self, forward: bool) -> Action {
        let (page, split) = (self.page.get(), self.split);
        let Some(open) = self.open.as_mut().filter(|open| !open.hunks().is_empty()) else {
            return self.file_step(forward).unwrap_or(Action::None);
        };
        let here = open.hunk_of(open.cursor).unwrap_or(0);
        let next = if !self.deep {
            Some(here)
        } else if forward {
            (here + 1 < open.hunks().len()).then_some(here + 1)
        } else {
            here.checked_sub(1)
        };
        self.deep = true;
        let Some(next) = next else {
            return self.file_step(forward).unwrap_or_else(|| {
                Action::Tell(
                    if forward { "This is the last hunk." } else { "This is the first hunk." }
                        .to_owned(),
                )
            });
        };
        open.anchor = None;
        let row = open.first_change(next).unwrap_or(0);
        open.put(row, page, split);
        // The words over it are in sight, too.
        let head = open.row_of(next);
        open.top = open.top.min(head);
        self.fetch()
    }

    fn see(&mut self) -> Action {
        let Some(file) = self.marked().cloned() else { return Action::None };
        let key = (self.source.clone(), file.name.clone());
        if self.is_seen(&file) {
            let _ = self.left.seen.remove(&key);
            let _ = self.unkept.insert(self.directory.clone());
            return Action::None;
        }
        if self.left.seen.len() < SEEN {
            let _ = self.left.seen.insert(key, print(&file));
            let _ = self.unkept.insert(self.directory.clone());
        }
        self.file_step(true).unwrap_or(Action::None)
    }

    fn blame(&mut self) -> Action {
        let Some(open) = self.open.as_ref().filter(|_| self.deep) else {
            return Action::Tell("Lines have an origin: ↵ goes to them.".to_owned());
        };
        let Some(line) = open.line(open.cursor) else { return Action::None };
        let (at, number) = match (&self.source, line.new) {
            (Source::WorkingTree, Some(number)) => (None, number),
            (Source::Commit(id), Some(number)) => (Some(id.clone()), number),
            (Source::Base(_) | Source::Task { .. } | Source::Staged, Some(number)) => {
                (None, number)
            }
            (_, None) => {
                return Action::Tell("This line is gone: ask for the one it became.".to_owned());
            }
        };
        self.number += 1;
        let (directory, file) = (self.directory.clone(), open.file.name.clone());
        let what = Ask::Blame { directory, file, at, lines: number..number + 1 };
        ask(Question::Blame(self.number), what)
    }

    fn relook(&mut self) -> Action {
        if let Some(open) = &mut self.open {
            let file = open.file.clone();
            *open = Opened::new(file);
        }
        self.fetch()
    }

    /// Does a command.
    pub fn command(&mut self, id: Id, model: &Model) -> Action {
        if self.asks() {
            return match id {
                Id::OverlayAccept => self.accept(),
                Id::OverlayCancel => {
                    (self.typing, self.confirm) = (None, None);
                    Action::None
                }
                _ => Action::None,
            };
        }
        let page = (if self.deep { &self.page } else { &self.tree_page }).get();
        let page = page.saturating_sub(2).max(1) as isize;
        match id {
            Id::ReviewUp => self.step(-1),
            Id::ReviewDown => self.step(1),
            Id::ReviewPageUp => self.step(-page),
            Id::ReviewPageDown => self.step(page),
            Id::ReviewFirst => self.step(isize::MIN / 2),
            Id::ReviewLast if self.deep => {
                let (page, split) = (self.page.get(), self.split);
                if let Some(open) = &mut self.open {
                    open.anchor = None;
                    open.put(open.rows().saturating_sub(1), page, split);
                }
                self.fetch()
            }
            Id::ReviewLast => self.step(isize::MAX / 2),
            Id::ReviewLeft | Id::ReviewRight if self.deep => {
                let Some(open) = &mut self.open else { return Action::None };
                open.shift = if id == Id::ReviewLeft {
                    open.shift.saturating_sub(SHIFT)
                } else {
                    (open.shift + SHIFT).min(2000)
                };
                Action::None
            }
            Id::ReviewLeft => self.fold(true),
            Id::ReviewRight => self.fold(false),
            Id::ReviewAccept if self.deep => self.begin_comment(),
            Id::ReviewAccept => self.fold_or_enter(),
            Id::ReviewPart => {
                self.deep = !self.deep && self.open.is_some();
                Action::None
            }
            Id::ReviewRefresh => self.refresh(),
            Id::ReviewAgent => self
                .agent
                .map_or_else(|| Action::Tell("No agent works here.".to_owned()), Action::Go),
            Id::ReviewLeave if self.deep => {
                if let Some(open) = self.open.as_mut().filter(|open| open.anchor.is_some()) {
                    open.anchor = None;
                } else {
                    self.deep = false;
                }
                Action::None
            }
            Id::ReviewLeave => Action::Close,
            Id::ChangesWorking => self.set_source(Source::WorkingTree),
            Id::ChangesStaged => self.set_source(Source::Staged),
            Id::ChangesBase if matches!(self.source, Source::Base(_)) => {
                self.typing = Some(Typing::Base(self.base.clone().unwrap_or_default()));
                Action::None
            }
            Id::ChangesBase => self.set_source(Source::Base(self.base.clone())),
            Id::ChangesNextSource => self.cycle(1),
            Id::ChangesPreviousSource => self.cycle(-1),
            Id::ChangesStage => self.deed(Deed::Stage),
            Id::ChangesUnstage => self.deed(Deed::Unstage),
            Id::ChangesDiscard => self.deed(Deed::Discard),
            Id::ChangesUndo => {
                // What was taken of a race is undone where it went to.
                let target = self.runner.as_ref().map(|runner| runner.repository.clone());
                let directory = target.unwrap_or_else(|| self.directory.clone());
                ask(Question::Undo, Ask::Undo { directory, discard: None })
            }
            Id::ChangesSeen => self.see(),
            Id::ChangesComment => self.begin_comment(),
            Id::ChangesUncomment => {
                let at = self.open.as_ref().and_then(|open| self.comment_at(open.cursor));
                if let Some(at) = at {
                    drop(self.left.comments.remove(at));
                    self.said_otherwise();
                }
                Action::None
            }
            Id::ChangesSend => self.send(model),
            Id::ChangesSplit => {
                self.split = !self.split;
                let (page, split) = (self.page.get(), self.split);
                if let Some(open) = &mut self.open {
                    open.reveal(page, split);
                }
                Action::None
            }
            Id::ChangesNext => self.hunk_step(true),
            Id::ChangesPrevious => self.hunk_step(false),
            Id::ChangesNextFile => self.file_step(true).unwrap_or(Action::None),
            Id::ChangesPreviousFile => self.file_step(false).unwrap_or(Action::None),
            Id::ChangesContext => {
                self.look.context = match self.look.context {
                    0..=3 => 15,
                    4..=15 => MAX_CONTEXT,
                    _ => 3,
                };
                self.relook()
            }
            Id::ChangesBlanks => {
                self.look.ignore_blanks = !self.look.ignore_blanks;
                self.relook()
            }
            Id::ChangesChooseUp if self.deep => self.line_step(-1, true),
            Id::ChangesChooseDown if self.deep => self.line_step(1, true),
            Id::ChangesBlame => self.blame(),
            _ => Action::None,
        }
    }

    fn step(&mut self, by: isize) -> Action {
        if self.deep { self.line_step(by, false) } else { self.tree_step(by) }
    }

    fn fold_or_enter(&mut self) -> Action {
        match self.rows.get(self.at) {
            Some(Row::Folder { is_folded, .. }) => {
                let fold = !*is_folded;
                self.fold(fold)
            }
            Some(Row::File { .. }) => {
                self.deep = self.open.is_some();
                Action::None
            }
            None => Action::None,
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::File(at) => {
                let again = self.at == at && !self.deep;
                (self.at, self.deep) = (at, false);
                if again { self.fold_or_enter() } else { self.show() }
            }
            Message::Line(at, is_right) => {
                let (page, split) = (self.page.get(), self.split);
                let Some(open) = &mut self.open else { return Action::None };
                let row = if split {
                    let pairs = open.pairs(open.top, at + 1);
                    let pair = pairs.get(at).copied();
                    pair.and_then(|pair| {
                        if is_right { pair.right.or(pair.left) } else { pair.left.or(pair.right) }
                    })
                } else {
                    Some(open.top + at)
                };
                if let Some(row) = row {
                    open.anchor = None;
                    open.put(row, page, split);
                    self.deep = true;
                }
                self.fetch()
            }
            Message::Lines(by) => {
                let (page, split) = (self.page.get(), self.split);
                let Some(open) = &mut self.open else { return Action::None };
                let last = open.rows().saturating_sub(page.min(open.rows()));
                let top = open.stepped(open.top, by as isize, split);
                open.top = top.min(last.max(if by < 0.0 { top } else { 0 }));
                self.fetch()
            }
            Message::Files(by) => {
                let last = self.rows.len().saturating_sub(self.tree_page.get());
                // A touchpad moves by less than a row.
                self.turned += by;
                let whole = self.turned.trunc();
                self.turned -= whole;
                self.tree_top = self.tree_top.saturating_add_signed(whole as isize).min(last);
                Action::None
            }
            Message::Source(source) => self.set_source(source),
            Message::Pictures(number, pictures) => {
                if let Some(open) = self.open.as_mut().filter(|_| number == self.number) {
                    open.pictures = pictures;
                }
                Action::None
            }
        }
    }

    /// The host answered.
    pub fn answered(&mut self, question: Question, reply: Result<Reply, String>) -> Action {
        match (question, reply) {
            (Question::Tab(number), Ok(Reply::Tab(tab))) if number == self.number => {
                let words = comments::message(&self.left.comments);
                self.say(tab.id, words)
            }
            (Question::Tab(_) | Question::Said, Err(why)) => Action::Problem(why),
            (Question::Tab(_), Ok(_)) => Action::None,
            (Question::Said, Ok(_)) => {
                let count = self.left.comments.len();
                self.left.comments.clear();
                self.said_otherwise();
                let what =
                    if count == 1 { "1 comment".to_owned() } else { format!("{count} comments") };
                Action::Tell(format!("Sent {what} to the agent. a goes there."))
            }
            (question, reply) => {
                let answer = match reply {
                    Ok(Reply::Changes(answer)) => Ok(answer),
                    Ok(_) => Err("the host answered something else".to_owned()),
                    Err(why) => Err(why),
                };
                self.heard_answer(question, answer)
            }
        }
    }

    fn heard_answer(&mut self, question: Question, answer: Result<Answer, String>) -> Action {
        let other = || "the host answered something else".to_owned();
        match question {
            Question::List(number) => self.heard(
                number,
                answer.and_then(|answer| match answer {
                    Answer::List(listing) => Ok(*listing),
                    _ => Err(other()),
                }),
            ),
            Question::Lines(number, chunk) => self.lines_heard(
                number,
                chunk,
                answer.and_then(|answer| match answer {
                    Answer::Lines(lines) => Ok(*lines),
                    _ => Err(other()),
                }),
            ),
            Question::Blobs(number) => match answer {
                Ok(Answer::Blobs(blobs)) if number == self.number => {
                    Action::Picture(number, [blobs.before, blobs.after])
                }
                _ => Action::None,
            },
            Question::Deed(_) => self.done(answer),
            Question::Undo => match answer {
                Ok(_) => {
                    let told = Action::Tell("It is back.".to_owned());
                    Action::All(vec![told, self.refresh()])
                }
                Err(why) => Action::Problem(why),
            },
            Question::Blame(number) => match answer {
                Ok(Answer::Blame(origins)) if number == self.number => {
                    let row = self.open.as_ref().map(|open| open.cursor);
                    self.blame = row.zip(origins.into_iter().next());
                    Action::None
                }
                Ok(_) => Action::None,
                Err(why) => Action::Problem(why),
            },
            Question::Tab(_) | Question::Said => Action::None,
        }
    }

    /// What it waits for, for made-up windows: the question, and the file and its first line.
    pub fn waits_for(&self) -> Option<(Question, Option<(File, u32)>)> {
        if let Some(number) = self.listed {
            return Some((Question::List(number), None));
        }
        let open = self.open.as_ref()?;
        let (number, chunk) = open.asked?;
        Some((Question::Lines(number, chunk), Some((open.file.clone(), chunk * CHUNK))))
    }

    /// The keys that mean something.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &'static str)> {
        if self.confirm.is_some() {
            return vec![("↵", "discard"), ("Esc", "leave it")];
        }
        if self.typing.is_some() {
            return vec![("↵", "done"), ("Esc", "leave it")];
        }
        let mut keys = if self.deep {
            vec![("↑↓", "line"), ("n p", "hunk"), ("c", "comment"), ("⇧↑↓", "choose lines")]
        } else {
            vec![("↑↓", "file"), ("↵", "lines"), ("n", "hunk"), ("v", "viewed")]
        };
        match self.source {
            Source::WorkingTree => keys.extend([("s", "stage"), ("x", "discard"), ("z", "undo")]),
            Source::Staged => keys.push(("u", "unstage")),
            _ if self.runner.is_some() => {
                keys.extend([("s", "take into the target"), ("z", "undo")]);
            }
            _ => {}
        }
        if !self.left.comments.is_empty() {
            keys.push(("g", "send comments"));
        }
        keys.extend([("t", "side by side"), ("o", "more around"), ("[ ]", "view")]);
        if self.deep {
            keys.push(("b", "origin"));
        }
        keys.push(("Esc", "back"));
        keys
    }
}

/// Whether a file is shown as a picture.
fn is_picture(name: &Name) -> bool {
    let name = name.shown().to_lowercase();
    name.rsplit_once('.').is_some_and(|(_, ending)| PICTURES.contains(&ending))
}

/// What a view is called.
#[must_use]
fn name_of(source: &Source) -> String {
    match source {
        Source::WorkingTree => "Not staged".to_owned(),
        Source::Staged => "Staged".to_owned(),
        Source::Base(None) => "Since main".to_owned(),
        Source::Base(Some(name)) => format!("Since {}", text::clean(name, 40)),
        Source::Commit(id) => format!("Commit {}", text::beginning_of(id, 8)),
        Source::Task { run, task } => format!("Task {} of {run}", task + 1),
    }
}

#[cfg(test)]
mod tests;
