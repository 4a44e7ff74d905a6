//! Auto Run: checklists, the run that works through them, what its ticks rest on, and every run there was.
//!
//! The same state is shown in the panel at the right and, with everything, in the whole window. It asks
//! the host nothing and reads no file itself: what is to be done comes back as an [`Action`].

pub mod document;
pub mod files;
pub mod start;
mod view;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::widget::text_editor;
use maestro_core::RunId;
use maestro_core::command::{Context, Id};
use maestro_core::playbook::{Found, Heard, HeardKind, Leaf};
use maestro_core::run::{Evidence, Run, State, Task, TaskState};
use maestro_protocol::message::{Command, Reply};
use maestro_ui::code;

use self::document::{Open, Seen};
use self::files::Unsaved;
use self::start::{Field, Stage, Start};
use super::model::{self, Model};

pub use view::{DETAIL, EDITOR, FIND, FORM, LIST, Look, NAME, PREVIEW, WIDTH, panel};

/// The most lines of what a run says that are kept.
const LINES: usize = 600;

/// The most bytes of one such line.
const LONGEST: usize = 8_000;

/// The most lines of changes that are shown of a task.
const CHANGES: usize = 4_000;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// Checklists of the project.
    #[default]
    Documents,
    /// A run with its tasks.
    Live,
    /// Every run.
    History,
}

/// Which half of the page has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// The list.
    #[default]
    List,
    /// What it shows.
    Detail,
}

/// What is shown of the marked task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// What its turn says.
    #[default]
    Said,
    /// What its tick rests on.
    Evidence,
    /// What it changed.
    Changes,
    /// The report of the run.
    Report,
}

/// A text that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// The name of a new document.
    Name,
    /// What is looked for in the document.
    Find,
    /// Words of runs.
    Filter,
}

/// Something that is done only when the user says so once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirm {
    /// Restore the files to what they were before a task; tasks that build on it.
    Undo { run: RunId, task: u32, text: String, later: Vec<String> },
    /// End a run at once.
    EndNow(RunId),
    /// Two sides changed the same lines: keep mine, or take theirs.
    Conflict { theirs: bool },
}

/// What was found out about a task.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its evidence.
    pub evidence: Box<Evidence>,
    /// What it changed, file by file.
    pub changes: Vec<Change>,
}

/// What happened to a file.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its path.
    pub path: String,
    /// Lines added and removed.
    pub counts: (usize, usize),
    /// The lines.
    pub lines: Arc<[code::Line]>,
}

/// A row of the list of checklists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Row<'a> {
    /// A folder or document of the project.
    Leaf(&'a Leaf),
    /// A playbook that is not below the folder.
    Playbook(&'a Found),
}

/// The state.
#[derive(Debug, Default)]
pub struct Autorun {
    /// Whether it fills the window.
    pub full: bool,
    /// Whether the panel has the keyboard.
    pub panel: bool,
    /// What is shown.
    pub page: Page,
    /// Which half has the keyboard.
    pub part: Part,
    /// The run that is looked at; without one, the newest.
    run: Option<RunId>,
    /// The marked task: those touched come first, those ahead after them.
    marked: usize,
    /// Whether the mark stays with what the run works on.
    away: bool,
    /// What is shown of it.
    pub detail: Detail,
    heard: VecDeque<Heard>,
    hearing: Option<RunId>,
    known: Option<Result<Known, String>>,
    /// The task whose evidence was asked for last.
    asked: Option<(RunId, u32)>,
    /// Whether undoing waits for that.
    undoing: bool,
    report: Option<(RunId, Result<String, String>)>,
    /// The folder of checklists.
    folder: Option<PathBuf>,
    leaves: Option<Result<Vec<Leaf>, String>>,
    playbooks: Vec<Found>,
    row: usize,
    /// Documents chosen for a run, in order.
    chosen: Vec<PathBuf>,
    /// The open document.
    pub open: Option<Open>,
    /// The document that is being read.
    wanted: Option<PathBuf>,
    /// The text when the clock last looked: what has rested is saved.
    rested: Option<String>,
    /// What is being typed.
    pub typing: Option<Typing>,
    text: String,
    filter: String,
    marked_run: usize,
    /// Every run the host knows, when the history was opened.
    runs: Option<Result<Vec<Run>, String>>,
    /// How a run is to be started.
    pub start: Option<Box<Start>>,
    /// What is asked once more.
    pub confirm: Option<Confirm>,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// A page was picked.
    Page(Page),
    /// A command's button.
    Command(Id),
    /// A row of the list of checklists was pressed.
    Row(usize),
    /// A box was pressed.
    Ticked(usize),
    /// A task of the run was pressed.
    Task(usize),
    /// A run was pressed.
    Run(RunId),
    /// A run of the history was pressed.
    Past(usize),
    /// What the marked task shows was picked.
    Detail(Detail),
    /// In the editor.
    Acted(text_editor::Action),
    /// What is asked for is typed.
    Typed(String),
    /// A field of the dialog is typed into.
    Field(Field, String),
    /// A field of the dialog was pressed.
    Chosen(Field, bool),
    /// A document of the dialog: its copy was switched.
    Reset(usize),
    /// It was left out.
    Removed(usize),
    /// The mouse took it.
    Grabbed(usize),
    /// The mouse is over it, with another one in its hand.
    Over(usize),
    /// The mouse let go.
    Dropped,
    /// The main button of a dialog, or its other one.
    Accepted(bool),
    /// A task of the plan was pressed.
    Planned(usize),
    /// The host answered.
    Answered(Question, Result<Reply, String>),
    /// A document was read.
    Read(PathBuf, Result<Vec<u8>, String>),
    /// It was written.
    Saved(PathBuf, Result<(), Unsaved>),
    /// It was made.
    Created(PathBuf, Result<(), String>),
    /// What is in the clipboard: text, or a link to an image that was kept.
    Pasted(PathBuf, Result<Option<String>, String>),
    /// A second went by; it is now.
    Second(u64),
}

/// What the host was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The checklists below a folder.
    Documents(PathBuf),
    /// The playbooks.
    Playbooks,
    /// What a task's tick rests on.
    Evidence(RunId, u32),
    /// The report of a run.
    Report(RunId),
    /// What a run would do.
    Plan(u64),
    /// To start it.
    Start,
    /// Every run.
    Runs,
    /// To do something with a run.
    Deed,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// All of these.
    All(Vec<Action>),
    /// Ask the host.
    Ask(Question, Box<Command>),
    /// Read a document.
    Read(PathBuf),
    /// Write one: the new bytes, and those that must be there.
    Save(PathBuf, Vec<u8>, Vec<u8>),
    /// Make one.
    Create(PathBuf, String),
    /// Look what is in the clipboard for a document.
    Paste(PathBuf),
    /// Say something.
    Tell(String),
    /// Say what went wrong.
    Problem(String),
    /// Bring the marked row into sight: the list's id, and how far down it is, in points.
    Scroll(&'static str, f32),
    /// Bring a part of the document into sight, from 0 to 1.
    Snap(f32),
    /// Move what is shown by so many points.
    Move(&'static str, f32),
    /// Give the keyboard back to the panes.
    Close,
}

impl Autorun {
    /// Shows a page in the whole window, for a project's directory.
    pub fn open(&mut self, page: Page, directory: Option<&Path>, model: &Model) -> Action {
        self.full = true;
        self.panel = false;
        let folder = directory.map(|directory| directory.join(".maestro/playbooks"));
        let mut actions = vec![self.go(page)];
        if folder != self.folder {
            self.folder.clone_from(&folder);
            (self.leaves, self.row) = (None, 0);
            self.chosen.clear();
            self.playbooks.clear();
        }
        if let (Some(folder), Some(directory)) = (folder, directory) {
            actions.push(ask(
                Question::Documents(folder.clone()),
                Command::ListDocuments { folder, follow: true },
            ));
            let directory = directory.to_owned();
            actions.push(ask(Question::Playbooks, Command::ListPlaybooks { directory }));
        }
        actions.push(self.settle(model));
        Action::All(actions)
    }

    /// Gives the keyboard to the panel.
    pub fn focus_panel(&mut self, model: &Model) -> Action {
        self.panel = true;
        self.settle(model)
    }

    /// Closes it; what is not saved is.
    pub fn close(&mut self) -> Action {
        let save = self.leave_editor();
        self.full = false;
        self.panel = false;
        self.typing = None;
        save
    }

    fn go(&mut self, page: Page) -> Action {
        let save = self.leave_editor();
        self.page = page;
        self.part = Part::List;
        self.typing = None;
        if page == Page::History {
            return Action::All(vec![save, ask(Question::Runs, Command::ListRuns)]);
        }
        save
    }

    /// Whether it has the keyboard.
    #[must_use]
    pub fn has_keyboard(&self) -> bool {
        self.full || self.panel || self.start.is_some() || self.confirm.is_some()
    }

    /// Where chords hold now.
    #[must_use]
    pub fn context(&self) -> Option<Context> {
        if self.confirm.is_some() {
            return Some(Context::Overlay);
        }
        if let Some(start) = &self.start {
            let typing = start.is_typing() || start.stage != Stage::Form;
            return Some(if typing { Context::Overlay } else { Context::RunDialog });
        }
        if self.full && self.typing.is_some() {
            return Some(Context::Overlay);
        }
        if self.full {
            return Some(match self.page {
                Page::Documents if self.is_editing() => Context::Editor,
                Page::Documents => Context::Documents,
                Page::Live => Context::Run,
                Page::History => Context::History,
            });
        }
        self.panel.then_some(Context::Run)
    }

    /// The widget that should have the keyboard, if it is one.
    #[must_use]
    pub fn input(&self) -> Option<String> {
        if self.confirm.is_some() {
            return None;
        }
        if let Some(start) = &self.start {
            return start.is_typing().then(|| view::field_id(start.field));
        }
        match self.typing.filter(|_| self.full) {
            Some(Typing::Name) => Some(NAME.to_owned()),
            Some(Typing::Find | Typing::Filter) => Some(FIND.to_owned()),
            None if self.full && self.page == Page::Documents && self.is_editing() => {
                Some(EDITOR.to_owned())
            }
            None => None,
        }
    }

    fn is_editing(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.editor.is_some())
    }

    /// Whether seconds matter: a document is open, or a task is timed.
    #[must_use]
    pub fn ticks(&self) -> bool {
        self.full && (self.open.is_some() || self.page == Page::Live)
    }

    // What is looked at.

    /// The run that is looked at.
    #[must_use]
    pub fn run<'a>(&'a self, model: &'a Model) -> Option<&'a Run> {
        let known = |id: RunId| {
            let past = self.runs.as_ref().and_then(|runs| runs.as_ref().ok());
            let past = past.and_then(|runs| runs.iter().find(|run| run.id == id));
            model.runs.iter().find(|run| run.id == id).or(past)
        };
        let active = || model.runs.iter().find(|run| model::is_active(run));
        self.run.and_then(known).or_else(active).or_else(|| model.runs.first())
    }

    /// Every run, newest first, as fresh as it is known.
    #[must_use]
    pub fn all_runs<'a>(&'a self, model: &'a Model) -> Vec<&'a Run> {
        let mut runs: Vec<&Run> = model.runs.iter().collect();
        if let Some(Ok(past)) = &self.runs {
            runs.extend(past.iter().filter(|run| !model.runs.iter().any(|r| r.id == run.id)));
        }
        runs.sort_by_key(|run| std::cmp::Reverse((run.started_ms, run.id)));
        runs
    }

    /// Those in which the filter's words are.
    #[must_use]
    pub fn past<'a>(&'a self, model: &'a Model) -> Vec<&'a Run> {
        let words: Vec<_> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let mut runs = self.all_runs(model);
        runs.retain(|run| {
            let all = view::words_of(model, run);
            words.iter().all(|word| all.contains(word))
        });
        runs
    }

    /// How many rows the list of a run's tasks has.
    fn rows(run: &Run) -> usize {
        run.tasks.len() + run.ahead.len()
    }

    /// The marked task of the run, if it was touched: its number.
    fn task<'a>(&self, run: &'a Run) -> Option<(u32, &'a Task)> {
        let at = self.marked_in(run);
        Some((u32::try_from(at).ok()?, run.tasks.get(at)?))
    }

    /// Which row is marked.
    #[must_use]
    pub fn marked_in(&self, run: &Run) -> usize {
        let last = Self::rows(run).saturating_sub(1);
        if self.away {
            return self.marked.min(last);
        }
        let under_way = run.tasks.iter().position(|task| task.state.is_under_way());
        under_way.unwrap_or_else(|| run.tasks.len().saturating_sub(1)).min(last)
    }

    /// The folders, documents and playbooks that are listed.
    #[must_use]
    pub fn list(&self) -> Vec<Row<'_>> {
        let leaves = self.leaves.as_ref().and_then(|leaves| leaves.as_ref().ok());
        let mut rows: Vec<_> = leaves.into_iter().flatten().map(Row::Leaf).collect();
        let folder = self.folder.as_deref();
        let elsewhere =
            |found: &&Found| folder.is_none_or(|folder| !found.folder.starts_with(folder));
        rows.extend(self.playbooks.iter().filter(elsewhere).map(Row::Playbook));
        rows
    }

    fn path_of(&self, leaf: &Leaf) -> Option<PathBuf> {
        let folder = self.folder.clone()?;
        Some(leaf.path.split('/').fold(folder, |path, part| path.join(part)))
    }

    /// The run that works on a document: while it does, nobody else writes it.
    #[must_use]
    pub fn locked_by<'a>(&self, model: &'a Model, path: &Path) -> Option<&'a Run> {
        let works = |run: &&Run| {
            model::is_active(run) && run.spec.documents.iter().any(|other| other == path)
        };
        model.runs.iter().find(works)
    }

    /// Asks for what should be known now: the stream of the run in sight, and its evidence.
    pub fn settle(&mut self, model: &Model) -> Action {
        let mut actions = Vec::new();
        let wanted = (self.full && self.page == Page::Live)
            .then(|| self.run(model).filter(|run| model::is_active(run)).map(|run| run.id))
            .flatten();
        if wanted != self.hearing {
            if let Some(run) = self.hearing {
                actions.push(deed(Command::HearRun { run, follow: false }));
            }
            if let Some(run) = wanted {
                self.heard.clear();
                actions.push(deed(Command::HearRun { run, follow: true }));
            }
            self.hearing = wanted;
        }
        let shows = self.full
            && self.page == Page::Live
            && matches!(self.detail, Detail::Evidence | Detail::Changes);
        if let Some(run) = self.run(model)
            && shows
            && let Some((task, _)) = self.task(run)
            && self.asked != Some((run.id, task))
        {
            let id = run.id;
            actions.push(self.look_at(id, task));
        }
        Action::All(actions)
    }

    fn look_at(&mut self, run: RunId, task: u32) -> Action {
        self.asked = Some((run, task));
        self.known = None;
        ask(Question::Evidence(run, task), Command::ReadEvidence { run, task })
    }

    /// The host is another one: what was followed is not any more.
    pub fn forget_following(&mut self) {
        self.hearing = None;
        self.asked = None;
    }

    /// A run changed.
    pub fn run_changed(&mut self, run: &Run, model: &Model) -> Action {
        let mut actions = Vec::new();
        if let Some((of, task)) = self.asked
            && of == run.id
            && self.full
            && run.tasks.get(task as usize).is_some_and(|task| !task.state.is_under_way())
            && self
                .known_of(run.id, task)
                .is_none_or(|known| Some(&known.evidence.task) != run.tasks.get(task as usize))
        {
            // What was known of a task that went on is old.
            actions
                .push(ask(Question::Evidence(of, task), Command::ReadEvidence { run: of, task }));
        }
        if let Some(open) = self.open.as_ref().filter(|_| self.full)
            && run.spec.documents.contains(&open.path)
        {
            actions.push(Action::Read(open.path.clone()));
        }
        actions.push(self.settle(model));
        Action::All(actions)
    }

    /// Something below a folder changed.
    pub fn documents_changed(&self, folder: &Path) -> Action {
        let Some(own) = self
            .folder
            .as_ref()
            .filter(|own| self.full && (own.starts_with(folder) || folder.starts_with(own)))
        else {
            return Action::None;
        };
        let again = Command::ListDocuments { folder: own.clone(), follow: true };
        let mut actions = vec![ask(Question::Documents(own.clone()), again)];
        actions.extend(self.open.as_ref().map(|open| Action::Read(open.path.clone())));
        Action::All(actions)
    }

    /// A run's turn says something.
    pub fn hear(&mut self, run: RunId, lines: Vec<Heard>) {
        if self.hearing != Some(run) {
            return;
        }
        for line in lines {
            let goes_on = matches!(line.kind, HeardKind::Text | HeardKind::Thinking);
            match self.heard.back_mut() {
                Some(last)
                    if goes_on
                        && last.task == line.task
                        && last.kind == line.kind
                        && last.text.len() + line.text.len() < LONGEST =>
                {
                    last.text.push('\n');
                    last.text.push_str(&line.text);
                }
                _ => self.heard.push_back(line),
            }
            if self.heard.len() > LINES {
                let _ = self.heard.pop_front();
            }
        }
    }

    fn known_of(&self, run: RunId, task: u32) -> Option<&Known> {
        let known = self.known.as_ref()?.as_ref().ok()?;
        (known.evidence.run == run && known.evidence.index == task).then_some(known)
    }

    // What happens.

    /// Takes in what happened.
    pub fn update(&mut self, message: Message, model: &Model) -> Action {
        match message {
            Message::Page(page) => {
                let went = self.go(page);
                Action::All(vec![went, self.settle(model)])
            }
            Message::Command(id) => self.command(id, model),
            Message::Row(row) => {
                let again = self.row == row && self.part == Part::List;
                (self.row, self.part) = (row, Part::List);
                let leaf = matches!(self.list().get(row), Some(Row::Leaf(leaf)) if !leaf.is_folder);
                if leaf || again { self.accept(model) } else { Action::None }
            }
            Message::Ticked(index) => self.tick(index, model),
            Message::Task(row) => {
                (self.marked, self.away) = (row, true);
                self.part = Part::List;
                self.settle(model)
            }
            Message::Run(run) => {
                self.look_at_run(run);
                self.settle(model)
            }
            Message::Past(row) => {
                let again = self.marked_run == row;
                self.marked_run = row;
                if again { self.accept(model) } else { Action::None }
            }
            Message::Detail(detail) => self.show(detail, model),
            Message::Acted(act) => {
                if let Some(open) = &mut self.open {
                    open.act(act);
                }
                Action::None
            }
            Message::Typed(text) => self.typed(text),
            Message::Field(field, text) => self.in_start(|start| {
                start.type_into(field, text);
                start::Action::None
            }),
            Message::Chosen(field, forward) => self.in_start(|start| {
                if start.text(field).is_some() {
                    start.field = field;
                } else {
                    start.choose(field, forward);
                }
                start::Action::None
            }),
            Message::Reset(at) => self.in_start(|start| {
                start.toggle(at);
                start::Action::None
            }),
            Message::Removed(at) => self.in_start(|start| {
                start.remove(at);
                start::Action::None
            }),
            Message::Grabbed(at) => self.in_start(|start| {
                (start.held, start.field) = (Some(at), Field::Document(at));
                start::Action::None
            }),
            Message::Over(at) => self.in_start(|start| {
                if let Some(held) = start.held.filter(|held| *held != at) {
                    start.shift(held, at);
                    start.held = Some(at);
                }
                start::Action::None
            }),
            Message::Dropped => self.in_start(|start| {
                start.held = None;
                start::Action::None
            }),
            Message::Accepted(yes) => {
                self.command(if yes { Id::OverlayAccept } else { Id::OverlayCancel }, model)
            }
            Message::Planned(at) => self.in_start(|start| {
                if let Stage::Plan(_, marked) = &mut start.stage {
                    *marked = at;
                }
                start::Action::None
            }),
            Message::Answered(question, reply) => self.answered(question, reply, model),
            Message::Read(path, read) => self.read(path, read),
            Message::Saved(path, result) => match &mut self.open {
                Some(open) if open.path == path => {
                    let seen = open.saved(result);
                    self.told(seen)
                }
                _ => match result {
                    Err(Unsaved::Failed(why)) => Action::Problem(why),
                    Err(Unsaved::Changed(_)) => Action::Problem(format!(
                        "{} was changed elsewhere and not saved",
                        path.display()
                    )),
                    Ok(()) => Action::None,
                },
            },
            Message::Created(path, result) => match result {
                Ok(()) => {
                    self.typing = None;
                    self.wanted = Some(path.clone());
                    self.part = Part::Detail;
                    Action::All(vec![Action::Read(path), self.list_again()])
                }
                Err(why) => Action::Problem(why),
            },
            Message::Pasted(path, pasted) => match (pasted, &mut self.open) {
                (Ok(Some(text)), Some(open)) if open.path == path => {
                    open.insert(&text);
                    Action::None
                }
                (Err(why), _) => Action::Problem(why),
                _ => Action::None,
            },
            Message::Second(_) => self.second(),
        }
    }

    fn list_again(&self) -> Action {
        self.folder.clone().map_or(Action::None, |folder| {
            ask(
                Question::Documents(folder.clone()),
                Command::ListDocuments { folder, follow: true },
            )
        })
    }

    /// A second went by: what was written and rested is saved, what others wrote is looked for.
    fn second(&mut self) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        let rested = self.rested.as_deref() == Some(open.text());
        self.rested = Some(open.text().to_owned());
        let save = if rested { save(open) } else { Action::None };
        Action::All(vec![save, Action::Read(open.path.clone())])
    }

    fn leave_editor(&mut self) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        open.leave();
        save(open)
    }

    fn read(&mut self, path: PathBuf, read: Result<Vec<u8>, String>) -> Action {
        if let Some(open) = self.open.as_mut().filter(|open| open.path == path) {
            let wanted = self.wanted.take_if(|wanted| *wanted == path).is_some();
            return match read {
                Ok(bytes) => {
                    let seen = open.seen(bytes);
                    if wanted { Action::None } else { self.told(seen) }
                }
                Err(why) => {
                    open.problem = Some(format!("{why}; what you see is kept until it is back"));
                    Action::None
                }
            };
        }
        if self.wanted.as_ref() != Some(&path) {
            return Action::None;
        }
        self.wanted = None;
        match read {
            Ok(bytes) => {
                let save = self.leave_editor();
                let fresh = bytes.is_empty() || bytes.ends_with(b"- [ ] \n");
                let mut open = Open::new(path, bytes);
                if fresh {
                    let _ = open.edit();
                    open.act(text_editor::Action::Move(text_editor::Motion::DocumentEnd));
                    open.act(text_editor::Action::Move(text_editor::Motion::End));
                }
                self.open = Some(open);
                self.part = Part::Detail;
                Action::All(vec![save, Action::Snap(0.0)])
            }
            Err(why) => Action::Problem(why),
        }
    }

    fn told(&mut self, seen: Seen) -> Action {
        match seen {
            Seen::Same | Seen::Taken => Action::None,
            Seen::Merged => {
                Action::Tell("Changes made elsewhere were put together with yours.".to_owned())
            }
            Seen::Conflict => {
                self.confirm = Some(Confirm::Conflict { theirs: false });
                Action::None
            }
        }
    }

    fn typed(&mut self, text: String) -> Action {
        match self.typing {
            Some(Typing::Filter) => {
                (self.filter, self.marked_run) = (text, 0);
                Action::None
            }
            Some(Typing::Find) => {
                self.text.clone_from(&text);
                if let Some(open) = &mut self.open {
                    open.find = Some(text);
                }
                Action::None
            }
            _ => {
                self.text = text;
                Action::None
            }
        }
    }

    fn in_start(&mut self, change: impl FnOnce(&mut Start) -> start::Action) -> Action {
        let Some(start) = &mut self.start else { return Action::None };
        match change(start) {
            start::Action::None => Action::None,
            start::Action::Close => {
                self.start = None;
                Action::None
            }
            start::Action::Plan(question, spec) => {
                // What is run is what is on the disk.
                let save = self.open.as_mut().map_or(Action::None, save);
                Action::All(vec![save, ask(Question::Plan(question), Command::PlanRun(*spec))])
            }
            start::Action::Start(spec) => ask(Question::Start, Command::StartRun(*spec)),
        }
    }

    fn answered(
        &mut self,
        question: Question,
        reply: Result<Reply, String>,
        model: &Model,
    ) -> Action {
        let odd = || "the host answered with something else than was asked for".to_owned();
        match question {
            Question::Documents(folder) => {
                if self.folder.as_ref() == Some(&folder) {
                    self.leaves = Some(match reply {
                        Ok(Reply::Documents(leaves)) => Ok(leaves),
                        Ok(_) => Err(odd()),
                        Err(why) => Err(why),
                    });
                    self.row = self.row.min(self.list().len().saturating_sub(1));
                }
                Action::None
            }
            Question::Playbooks => {
                if let Ok(Reply::Playbooks(playbooks)) = reply {
                    self.playbooks = playbooks;
                }
                Action::None
            }
            Question::Evidence(run, task) => {
                if self.asked != Some((run, task)) {
                    return Action::None;
                }
                self.known = Some(match reply {
                    Ok(Reply::TaskEvidence(evidence)) => Ok(Known {
                        changes: changes(evidence.diff.as_deref().unwrap_or_default()),
                        evidence,
                    }),
                    Ok(_) => Err(odd()),
                    Err(why) => Err(why),
                });
                if std::mem::take(&mut self.undoing) { self.ask_undo() } else { Action::None }
            }
            Question::Report(run) => {
                let report = match reply {
                    Ok(Reply::Text(text)) => {
                        text.ok_or_else(|| "there is no report yet".to_owned())
                    }
                    Ok(_) => Err(odd()),
                    Err(why) => Err(why),
                };
                self.report = Some((run, report));
                Action::None
            }
            Question::Plan(question) => {
                let plan = match reply {
                    Ok(Reply::Plan(plan)) => Ok(*plan),
                    Ok(_) => Err(odd()),
                    Err(why) => Err(why),
                };
                if let Some(start) = &mut self.start {
                    start.planned(question, plan);
                }
                Action::None
            }
            Question::Start => match reply {
                Ok(reply) => {
                    self.start = None;
                    self.chosen.clear();
                    if let Reply::Run(run) = reply {
                        self.look_at_run(run.id);
                    }
                    self.detail = Detail::Said;
                    if self.full {
                        self.page = Page::Live;
                    }
                    let told = if self.full {
                        Action::None
                    } else {
                        Action::Tell("The run has begun.".to_owned())
                    };
                    Action::All(vec![told, self.settle(model)])
                }
                Err(why) => match &mut self.start {
                    Some(start) => {
                        start.refused(&why);
                        Action::None
                    }
                    None => Action::Problem(why),
                },
            },
            Question::Runs => {
                self.runs = Some(match reply {
                    Ok(Reply::Runs(runs)) => Ok(runs),
                    Ok(_) => Err(odd()),
                    Err(why) => Err(why),
                });
                Action::None
            }
            Question::Deed => reply.map_or_else(Action::Problem, |_| Action::None),
        }
    }

    fn look_at_run(&mut self, run: RunId) {
        if self.run != Some(run) {
            (self.run, self.away, self.asked, self.known) = (Some(run), false, None, None);
            if self.detail == Detail::Report {
                self.detail = Detail::Said;
            }
        }
    }

    /// A document is to be opened when it was read.
    pub fn want(&mut self, path: PathBuf) {
        self.wanted = Some(path);
    }

    // Commands.

    /// Does a command.
    pub fn command(&mut self, id: Id, model: &Model) -> Action {
        if self.confirm.is_some() {
            return self.confirmed(id);
        }
        if self.start.is_some() {
            let done = self.in_start(|start| start.command(id));
            let sight = self
                .start
                .as_ref()
                .map_or(Action::None, |start| Action::Scroll(FORM, start.depth()));
            return Action::All(vec![done, sight]);
        }
        if self.typing.is_some()
            && matches!(
                id,
                Id::OverlayAccept
                    | Id::OverlayCancel
                    | Id::OverlayUp
                    | Id::OverlayDown
                    | Id::OverlayNext
                    | Id::OverlayPrevious
            )
        {
            return self.typing_command(id, model);
        }
        match id {
            Id::RunsPage(number) => {
                let pages = [Page::Documents, Page::Live, Page::History];
                let page = pages[usize::from(number.clamp(1, 3)) - 1];
                self.update(Message::Page(page), model)
            }
            Id::RunsUp => self.step(-1, model),
            Id::RunsDown => self.step(1, model),
            Id::RunsFirst => self.step(isize::MIN / 2, model),
            Id::RunsLast => self.step(isize::MAX / 2, model),
            Id::RunsPageUp => self.page_by(-1, model),
            Id::RunsPageDown => self.page_by(1, model),
            Id::RunsPart => {
                self.part = if self.part == Part::List { Part::Detail } else { Part::List };
                if self.page == Page::Documents && self.open.is_none() {
                    self.part = Part::List;
                }
                Action::None
            }
            Id::RunsAccept => self.accept(model),
            Id::RunsLeave => self.leave(),
            Id::DocumentMark
            | Id::DocumentNew
            | Id::DocumentEdit
            | Id::DocumentFind
            | Id::DocumentNext
            | Id::DocumentUndo => self.document_command(id, model),
            Id::EditorSave
            | Id::EditorLeave
            | Id::EditorTask
            | Id::EditorTick
            | Id::EditorFind
            | Id::EditorUndo
            | Id::EditorRedo
            | Id::EditorPaste => self.editor_command(id),
            Id::HistoryFilter => {
                self.typing = Some(Typing::Filter);
                Action::None
            }
            Id::RunPrevious | Id::RunNext => self.other_run(id == Id::RunNext, model),
            id => self.run_command(id, model),
        }
    }

    fn confirmed(&mut self, id: Id) -> Action {
        let Some(confirm) = &mut self.confirm else { return Action::None };
        match (id, confirm) {
            (Id::OverlayCancel, _) => {
                self.confirm = None;
                Action::None
            }
            (
                Id::OverlayUp | Id::OverlayDown | Id::OverlayNext | Id::OverlayPrevious,
                Confirm::Conflict { theirs },
            ) => {
                *theirs = !*theirs;
                Action::None
            }
            (Id::OverlayAccept, _) => match self.confirm.take() {
                Some(Confirm::Undo { run, task, later, .. }) => {
                    // Those that build on it were named.
                    deed(Command::UndoTask { run, task, force: !later.is_empty() })
                }
                Some(Confirm::EndNow(run)) => deed(Command::KillRun { run }),
                Some(Confirm::Conflict { theirs }) => match &mut self.open {
                    Some(open) => {
                        open.resolve(!theirs);
                        save(open)
                    }
                    None => Action::None,
                },
                None => Action::None,
            },
            _ => Action::None,
        }
    }

    fn typing_command(&mut self, id: Id, model: &Model) -> Action {
        match (self.typing, id) {
            (Some(Typing::Filter), Id::OverlayUp) => self.step(-1, model),
            (Some(Typing::Filter), Id::OverlayDown) => self.step(1, model),
            (Some(Typing::Filter), Id::OverlayCancel) => {
                self.typing = None;
                self.filter.clear();
                Action::None
            }
            (Some(Typing::Filter), Id::OverlayAccept) => {
                self.typing = None;
                Action::None
            }
            (Some(Typing::Find), Id::OverlayAccept) => self.find(),
            (Some(Typing::Name), Id::OverlayAccept) => self.create(),
            (_, Id::OverlayCancel) => {
                self.typing = None;
                Action::None
            }
            _ => Action::None,
        }
    }

    fn find(&mut self) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        if !open.find_next() {
            return Action::Tell("It is nowhere in the document.".to_owned());
        }
        self.sight()
    }

    /// Makes a document in the folder of the marked row.
    fn create(&mut self) -> Action {
        let name = self.text.trim();
        let Some(folder) = self.folder.clone() else { return Action::None };
        let parts: Vec<_> = name.split('/').filter(|part| !part.is_empty()).collect();
        let wrong = |part: &&str| part.starts_with('.') || part.contains(['\\', ':', '\0']);
        if parts.is_empty() || parts.iter().any(wrong) {
            return Action::Problem(
                "a document needs a name such as release or api/tests".to_owned(),
            );
        }
        let mut path = parts.iter().fold(folder, |path, part| path.join(part));
        if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("md")) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            path.set_file_name(format!("{name}.md"));
        }
        let text = document::template(&path);
        Action::Create(path, text)
    }

    fn step(&mut self, by: isize, model: &Model) -> Action {
        let to =
            |at: usize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
        match (self.page, self.part) {
            _ if self.panel && !self.full => self.step_task(by, model),
            (Page::Documents, Part::List) => {
                self.row = to(self.row, self.list().len());
                Action::Scroll(LIST, view::ROW * self.row as f32)
            }
            (Page::Documents, Part::Detail) => {
                if let Some(open) = &mut self.open {
                    open.step(by);
                }
                self.sight()
            }
            (Page::Live, Part::List) => self.step_task(by, model),
            (Page::Live, Part::Detail) => Action::Move(DETAIL, by.clamp(-1000, 1000) as f32 * 40.0),
            (Page::History, _) => {
                self.marked_run = to(self.marked_run, self.past(model).len());
                Action::Scroll(LIST, view::TALL * self.marked_run as f32)
            }
        }
    }

    fn step_task(&mut self, by: isize, model: &Model) -> Action {
        let Some(run) = self.run(model) else { return Action::None };
        let last = Self::rows(run).saturating_sub(1);
        let at = self.marked_in(run).saturating_add_signed(by).min(last);
        (self.marked, self.away) = (at, true);
        Action::All(vec![Action::Scroll(LIST, view::TALL * at as f32), self.settle(model)])
    }

    /// Brings the marked task of the document into sight.
    fn sight(&self) -> Action {
        let Some(open) = &self.open else { return Action::None };
        let is_marked = |part: &document::Part| matches!(part, document::Part::Task(at, _) if *at == open.marked);
        let at = open.parts().iter().position(is_marked).unwrap_or(0);
        let last = open.parts().len().saturating_sub(1).max(1);
        Action::Snap(at as f32 / last as f32)
    }

    fn page_by(&mut self, by: isize, model: &Model) -> Action {
        match (self.page, self.part) {
            (Page::Live, _) => Action::Move(DETAIL, by as f32 * 320.0),
            (Page::Documents, Part::Detail) if self.open.is_some() => {
                Action::Move(PREVIEW, by as f32 * 320.0)
            }
            _ => self.step(by * 10, model),
        }
    }

    fn accept(&mut self, model: &Model) -> Action {
        if self.panel && !self.full {
            self.full = true;
            self.panel = false;
            self.page = Page::Live;
            self.detail = Detail::Evidence;
            return self.settle(model);
        }
        match self.page {
            Page::Documents if self.part == Part::Detail => {
                let at = self.open.as_ref().map_or(0, |open| open.marked);
                self.tick(at, model)
            }
            Page::Documents => match self.list().get(self.row) {
                Some(Row::Leaf(leaf)) if leaf.is_playbook => {
                    let folder = self.path_of(leaf);
                    let found = self.playbooks.iter().find(|f| Some(&f.folder) == folder.as_ref());
                    match found.cloned() {
                        Some(found) => self.start_playbook(&found, model),
                        None => Action::Tell("The playbook is not read yet.".to_owned()),
                    }
                }
                Some(Row::Playbook(found)) => {
                    let found = (*found).clone();
                    self.start_playbook(&found, model)
                }
                Some(Row::Leaf(leaf)) if !leaf.is_folder => {
                    let Some(path) = self.path_of(leaf) else { return Action::None };
                    let save = self.leave_editor();
                    if self.open.as_ref().is_some_and(|open| open.path == path) {
                        self.part = Part::Detail;
                        return save;
                    }
                    self.wanted = Some(path.clone());
                    Action::All(vec![save, Action::Read(path)])
                }
                _ => Action::None,
            },
            Page::Live => {
                let next =
                    if self.detail == Detail::Evidence { Detail::Said } else { Detail::Evidence };
                self.show(next, model)
            }
            Page::History => {
                let Some(run) = self.past(model).get(self.marked_run).map(|run| run.id) else {
                    return Action::None;
                };
                self.look_at_run(run);
                self.page = Page::Live;
                self.part = Part::List;
                self.detail = Detail::Evidence;
                self.settle(model)
            }
        }
    }

    fn start_playbook(&mut self, found: &Found, model: &Model) -> Action {
        if let Some(problem) = &found.problem {
            return Action::Problem(problem.clone());
        }
        let agents = start::everybody(&model.agents);
        let at = self.agent_at(&agents);
        self.start = Some(Box::new(Start::playbook(agents, at, found)));
        Action::None
    }

    /// The agent that works where the folder of checklists is.
    fn agent_at(&self, agents: &[start::Who]) -> usize {
        let folder = self.folder.as_deref();
        let here =
            |who: &start::Who| folder.is_some_and(|folder| folder.starts_with(&who.directory));
        agents.iter().position(here).unwrap_or(0)
    }

    /// Asks how to run what is chosen.
    pub fn start(&mut self, model: &Model, agent: Option<maestro_core::AgentId>) -> Action {
        let agents = start::everybody(&model.agents);
        let at = agents
            .iter()
            .position(|who| agent.is_some() && who.agent == agent)
            .unwrap_or_else(|| self.agent_at(&agents));
        let mut documents = self.chosen.clone();
        if documents.is_empty() && self.full && self.page == Page::Documents {
            let marked = match self.list().get(self.row) {
                Some(Row::Leaf(leaf)) if !leaf.is_folder => self.path_of(leaf),
                _ => None,
            };
            let open = self.open.as_ref().map(|open| open.path.clone());
            let here = if self.part == Part::Detail { open.or(marked) } else { marked.or(open) };
            documents.extend(here);
        }
        self.start = Some(Box::new(Start::new(agents, at, documents)));
        Action::None
    }

    fn leave(&mut self) -> Action {
        match (self.page, self.part) {
            _ if !self.full => Action::Close,
            (Page::Documents | Page::Live, Part::Detail) => {
                self.part = Part::List;
                Action::None
            }
            (Page::History, _) if !self.filter.is_empty() => {
                self.filter.clear();
                Action::None
            }
            _ => Action::Close,
        }
    }

    fn document_command(&mut self, id: Id, model: &Model) -> Action {
        let in_document = self.part == Part::Detail && self.open.is_some();
        match id {
            Id::DocumentMark if in_document => {
                let at = self.open.as_ref().map_or(0, |open| open.marked);
                self.tick(at, model)
            }
            Id::DocumentMark => {
                if let Some(Row::Leaf(leaf)) = self.list().get(self.row)
                    && !leaf.is_folder
                    && leaf.problem.is_none()
                    && let Some(path) = self.path_of(leaf)
                {
                    match self.chosen.iter().position(|chosen| *chosen == path) {
                        Some(at) => drop(self.chosen.remove(at)),
                        None => self.chosen.push(path),
                    }
                }
                Action::None
            }
            Id::DocumentNew if in_document => {
                let edit = self.edit(model);
                if let Some(open) = self.open.as_mut().filter(|open| open.editor.is_some()) {
                    open.insert_task();
                }
                edit
            }
            Id::DocumentNew => {
                self.text.clear();
                self.typing = Some(Typing::Name);
                Action::None
            }
            Id::DocumentEdit => {
                if self.open.is_none() {
                    return self.accept(model);
                }
                self.edit(model)
            }
            Id::DocumentFind if self.open.is_some() => {
                self.text.clear();
                self.typing = Some(Typing::Find);
                self.part = Part::Detail;
                Action::None
            }
            Id::DocumentNext => self.find(),
            Id::DocumentUndo => {
                let Some(open) = &mut self.open else { return Action::None };
                if open.undo() { save(open) } else { Action::None }
            }
            _ => Action::None,
        }
    }

    fn edit(&mut self, model: &Model) -> Action {
        let locked = self.open.as_ref().and_then(|open| self.locked_by(model, &open.path));
        if let Some(run) = locked {
            return Action::Tell(locked_words(run));
        }
        self.part = Part::Detail;
        match self.open.as_mut().map(Open::edit) {
            Some(Err(why)) => Action::Problem(why),
            _ => Action::None,
        }
    }

    fn tick(&mut self, index: usize, model: &Model) -> Action {
        let Some(open) = &self.open else { return Action::None };
        if let Some(run) = self.locked_by(model, &open.path) {
            return Action::Tell(locked_words(run));
        }
        self.part = Part::Detail;
        let Some(open) = &mut self.open else { return Action::None };
        open.tick(index);
        save(open)
    }

    fn editor_command(&mut self, id: Id) -> Action {
        let Some(open) = &mut self.open else { return Action::None };
        match id {
            Id::EditorSave => return save(open),
            Id::EditorLeave => {
                open.leave();
                let save = save(open);
                return Action::All(vec![save, self.sight(), self.list_again()]);
            }
            Id::EditorTask => open.insert_task(),
            Id::EditorTick => open.tick_here(),
            Id::EditorFind => {
                self.text.clear();
                self.typing = Some(Typing::Find);
            }
            Id::EditorUndo => open.again(true),
            Id::EditorRedo => open.again(false),
            Id::EditorPaste => return Action::Paste(open.path.clone()),
            _ => {}
        }
        Action::None
    }

    fn show(&mut self, detail: Detail, model: &Model) -> Action {
        self.detail = detail;
        if detail != Detail::Report {
            return self.settle(model);
        }
        let Some(run) = self.run(model).map(|run| run.id) else { return Action::None };
        self.report = None;
        ask(Question::Report(run), Command::ReadReport { run })
    }

    fn other_run(&mut self, newer: bool, model: &Model) -> Action {
        let runs: Vec<RunId> = self.all_runs(model).iter().map(|run| run.id).collect();
        let here = self.run(model).map(|run| run.id);
        let at = runs.iter().position(|run| Some(*run) == here).unwrap_or(0);
        let next = if newer { at.checked_sub(1) } else { Some(at + 1) };
        if let Some(run) = next.and_then(|next| runs.get(next)) {
            self.look_at_run(*run);
        }
        self.settle(model)
    }

    /// A command about the run that is looked at, or about the marked one of the history.
    fn run_command(&mut self, id: Id, model: &Model) -> Action {
        let here = if self.full && self.page == Page::History {
            self.past(model).get(self.marked_run).copied()
        } else {
            self.run(model)
        };
        let Some(run) = here.cloned() else {
            return Action::Tell("There is no run yet: press g to start one.".to_owned());
        };
        let task = self.task(&run).map(|(number, task)| (number, task.clone()));
        let active = model::is_active(&run);
        let run_id = run.id;
        match id {
            Id::RunPause if !active => Action::Tell("The run has ended.".to_owned()),
            Id::RunPause => deed(match run.state {
                State::Paused(_) | State::Waiting { .. } => Command::ResumeRun { run: run_id },
                _ => Command::PauseRun { run: run_id },
            }),
            Id::RunEndTask | Id::RunEndNow | Id::RunSkip | Id::RunSkipDocument if !active => {
                Action::Tell("The run has ended.".to_owned())
            }
            Id::RunEndTask => deed(Command::StopRun { run: run_id }),
            Id::RunEndNow => {
                self.confirm = Some(Confirm::EndNow(run_id));
                Action::None
            }
            Id::RunSkip => {
                let task = task.filter(|(_, task)| !task.state.is_under_way());
                match task {
                    Some((_, task)) if task.state == TaskState::Done => {
                        Action::Tell("It is done already; u takes it back.".to_owned())
                    }
                    task => {
                        let task = task.map(|(number, _)| number);
                        deed(Command::SkipTask { run: run_id, task })
                    }
                }
            }
            Id::RunSkipDocument => deed(Command::SkipDocument { run: run_id }),
            Id::RunRetry => match task {
                Some((task, at))
                    if matches!(
                        at.state,
                        TaskState::Failed | TaskState::Skipped | TaskState::Undone
                    ) =>
                {
                    deed(Command::RetryTask { run: run_id, task })
                }
                _ => Action::Tell(
                    "Only what failed, was skipped or undone can be tried again.".to_owned(),
                ),
            },
            Id::RunUndo => match task {
                Some((task, at)) if matches!(at.state, TaskState::Done | TaskState::Failed) => {
                    if self.known_of(run_id, task).is_some() {
                        return self.ask_undo();
                    }
                    self.undoing = true;
                    self.look_at(run_id, task)
                }
                _ => Action::Tell("Only what is done can be undone.".to_owned()),
            },
            Id::RunEvidence => {
                let opened = self.open_live(run_id);
                let said = opened || self.detail != Detail::Evidence;
                self.show(if said { Detail::Evidence } else { Detail::Said }, model)
            }
            Id::RunDiff => {
                let opened = self.open_live(run_id);
                let diff = opened || self.detail != Detail::Changes;
                self.show(if diff { Detail::Changes } else { Detail::Evidence }, model)
            }
            Id::RunReport => {
                let _ = self.open_live(run_id);
                self.show(Detail::Report, model)
            }
            Id::RunFollow => {
                self.away = false;
                self.detail = Detail::Said;
                self.settle(model)
            }
            _ => Action::None,
        }
    }

    /// Shows a run in the whole window; whether it was not shown before.
    fn open_live(&mut self, run: RunId) -> bool {
        let before = self.full && self.page == Page::Live;
        self.look_at_run(run);
        (self.full, self.panel, self.page) = (true, false, Page::Live);
        !before
    }

    /// Asks once more before files are restored.
    fn ask_undo(&mut self) -> Action {
        match &self.known {
            Some(Ok(known)) => {
                let evidence = &known.evidence;
                let later = known.evidence.built_on_by.iter().map(|at| format!("{}", at + 1));
                self.confirm = Some(Confirm::Undo {
                    run: evidence.run,
                    task: evidence.index,
                    text: evidence.task.text.clone(),
                    later: later.collect(),
                });
                Action::None
            }
            Some(Err(why)) => Action::Problem(why.clone()),
            None => Action::None,
        }
    }

    /// Everything is written before the window goes.
    pub fn last_words(&mut self) -> Action {
        self.leave_editor()
    }
}

fn locked_words(run: &Run) -> String {
    format!("The run of {} works on it: it can be changed when that has ended.", view::title(run))
}

fn save(open: &mut Open) -> Action {
    open.save().map_or(Action::None, |(path, bytes, before)| Action::Save(path, bytes, before))
}

fn ask(question: Question, command: Command) -> Action {
    Action::Ask(question, Box::new(command))
}

fn deed(command: Command) -> Action {
    ask(Question::Deed, command)
}

/// A diff, file by file.
fn changes(diff: &str) -> Vec<Change> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in diff.lines().take(CHANGES) {
        if let Some(names) = line.strip_prefix("diff --git ") {
            let name = names.rsplit_once(" b/").map_or(names, |(_, name)| name);
            files.push((name.to_owned(), String::new()));
        }
        if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    files
        .into_iter()
        .map(|(path, text)| {
            use maestro_core::diff::Kind;
            let lines = maestro_core::diff::lines(&text);
            let count = |kind| lines.iter().filter(|line| line.kind == kind).count();
            let counts = (count(Kind::Added), count(Kind::Removed));
            let sign = |kind| match kind {
                Kind::Same => code::Sign::None,
                Kind::Added => code::Sign::Added,
                Kind::Removed => code::Sign::Removed,
                Kind::Gap => code::Sign::Gap,
            };
            let lines = lines
                .into_iter()
                .map(|line| code::Line {
                    sign: sign(line.kind),
                    number: line.number,
                    text: line.text,
                    marks: line.marks,
                    ..code::Line::default()
                })
                .collect();
            Change { path, counts, lines }
        })
        .collect()
}

#[cfg(test)]
mod tests;
