//! Auto Run: checklists, the run that works through them, what its ticks rest on, and every run there was.
//!
//! The same state is shown in the panel at the right and, with everything, in the whole window. It asks
//! the host nothing and reads no file itself: what is to be done comes back as an [`Action`].

mod answers;
mod changes;
mod commands;
mod deeds;
pub mod document;
mod editing;
pub mod files;
mod merge;
mod sight;
pub mod start;
mod view;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::widget::text_editor;
use maestro_core::RunId;
use maestro_core::command::{Context, Id};
use maestro_core::markdown;
use maestro_core::playbook::{Found, Heard, Leaf};
use maestro_core::run::{Evidence, Run};
use maestro_protocol::message::{Command, Reply};
use maestro_ui::code;

use self::document::Open;
use self::files::Unsaved;
use self::start::{Field, Stage, Start};
use super::model::Model;

pub use view::{EDITOR, FIND, Look, NAME, PREVIEW, WIDTH, panel};

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

/// What is known of runs that are older than those that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Older {
    /// There may be some.
    #[default]
    Unknown,
    /// They were asked for.
    Asked,
    /// There are none.
    None,
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
    report: Option<(RunId, Result<markdown::Document, String>)>,
    /// The run that pauses when its task is settled.
    pausing: Option<RunId>,
    /// The project's directory.
    directory: Option<PathBuf>,
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
    /// The runs the host knows, when the history was opened: the newest first, older ones by and by.
    runs: Option<Result<Vec<Run>, String>>,
    /// Whether there may be older ones.
    older: Older,
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
    /// Which folder a project's checklists are in.
    Folder(PathBuf),
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
    /// The newest runs.
    Runs,
    /// Those before one.
    Older(RunId),
    /// To try a task again: of a run that has ended, in a run of its own.
    Retry,
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
        let mut actions = vec![self.go(page)];
        if self.folder.is_none() || directory != self.directory.as_deref() {
            self.directory = directory.map(Path::to_owned);
            // Where most have them; the host tells when they are elsewhere.
            self.show_folder(directory.map(|directory| directory.join(".maestro/playbooks")));
            self.playbooks.clear();
        }
        if let (Some(directory), Some(folder)) = (directory, self.folder.clone()) {
            let directory = directory.to_owned();
            let find = Command::FindPlaybooks { directory: directory.clone() };
            actions.push(ask(Question::Folder(directory.clone()), find));
            let list = Command::ListDocuments { folder: folder.clone(), follow: true };
            actions.push(ask(Question::Documents(folder), list));
            actions.push(ask(Question::Playbooks, Command::ListPlaybooks { directory }));
        }
        actions.push(self.settle(model));
        Action::All(actions)
    }

    /// Lists the checklists of another folder.
    fn show_folder(&mut self, folder: Option<PathBuf>) {
        (self.folder, self.leaves, self.row) = (folder, None, 0);
        self.chosen.clear();
        drop(self.open.take_if(|open| !open.is_dirty()));
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
            self.older = Older::Asked;
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

    /// A document is to be opened when it was read.
    pub fn want(&mut self, path: PathBuf) {
        self.wanted = Some(path);
    }

    /// Everything is written before the window goes.
    pub fn last_words(&mut self) -> Action {
        self.leave_editor()
    }
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

#[cfg(test)]
mod tests;
