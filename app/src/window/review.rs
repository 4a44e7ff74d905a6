//! Changes and branches, in the whole window: what an agent changed, the log, how branches fit together,
//! and how they come home.
//!
//! It asks the host nothing itself: what is to be done comes back as an [`Action`].

use std::path::{Path, PathBuf};

use iced::widget::{Space, button, column, container, row};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::agent::Agent;
use maestro_core::changes::Source;
use maestro_core::command::{Context, Id};
use maestro_core::conflict::Live;
use maestro_core::keymap::Keymap;
use maestro_core::text;
use maestro_core::{AgentId, TerminalId};
use maestro_protocol::message::{Command, Reply};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::changes::{self, Changes};
use super::files::{self, Files};
use super::history::{self, History};
use super::matrix::{self, Matrix};
use super::model::Model;
use super::page;
use super::race::Track;
use super::train::Yard;
use super::worktrees::{self, Trees};

/// Below this width and height there is place for the main things only.
const LOW: f32 = 520.0;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// What is different in an agent's directory.
    Changes,
    /// The commits and branches of its repository.
    Log,
    /// Every live branch against every other.
    #[default]
    Conflicts,
    /// Branches that come home one after the other.
    Train,
    /// Branches of one task.
    Race,
    /// The files of an agent's directory.
    Files,
    /// Worktrees, snapshots and the trash.
    Worktrees,
}

/// The pages with the keys they are under, in their order.
const PAGES: [(Page, u8, &str); 7] = [
    (Page::Changes, 1, "Changes"),
    (Page::Log, 2, "Log"),
    (Page::Conflicts, 3, "Conflicts"),
    (Page::Train, 4, "Merge train"),
    (Page::Race, 5, "Race"),
    (Page::Files, 6, "Files"),
    (Page::Worktrees, 7, "Worktrees"),
];

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The agent it was opened for.
    pub agent: Option<AgentId>,
    /// Its directory.
    pub directory: PathBuf,
    /// The repository's main checkout, where that is known.
    pub repository: Option<PathBuf>,
}

impl Place {
    /// Where an agent works.
    #[must_use]
    pub fn of(agent: &Agent) -> Self {
        Self {
            agent: Some(agent.id),
            directory: agent.directory.clone(),
            repository: agent.repository.clone(),
        }
    }

    /// A directory of the repository: its main checkout, or what is known.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.repository.as_deref().unwrap_or(&self.directory)
    }
}

/// The state.
#[derive(Debug, Default)]
pub struct Review {
    /// Whether it has the window.
    pub shown: bool,
    /// What of it.
    pub page: Page,
    /// What it is about.
    pub place: Option<Place>,
    /// What an agent changed.
    pub changes: Changes,
    /// The commits and branches.
    pub history: History,
    /// Where changes were opened from, which is gone back to.
    back: Option<(Page, Place)>,
    /// How branches fit together.
    pub matrix: Matrix,
    /// The merge train.
    pub yard: Yard,
    /// The race.
    pub track: Track,
    /// The files.
    pub files: Files,
    /// Worktrees, snapshots and the trash.
    pub trees: Trees,
    /// The repository whose conflicts the host tells.
    pub following: Option<PathBuf>,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// A page was picked.
    Page(Page),
    /// A command's button.
    Command(Id),
    /// Something is typed where it was asked for.
    Typed(String),
    /// The host answered.
    Answered(Question, Result<Reply, String>),
    /// Something with changes.
    Changes(changes::Message),
    /// Some time went by.
    Tick(u64),
    /// Something with commits and branches.
    History(history::Message),
    /// A pair was pressed.
    Matrix(matrix::Message),
    /// A branch of a train was pressed.
    Train(usize),
    /// A runner was pressed.
    Race(usize),
    /// Something with files.
    Files(files::Message),
    /// A worktree, or something kept, was pressed.
    Worktree(usize),
}

/// What the host was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Something about changes.
    Changes(changes::Question),
    /// Something about commits, branches and remotes.
    History(history::Question),
    /// How the branches of a repository fit together.
    Conflicts(PathBuf),
    /// Where a pair conflicts.
    Clashes(matrix::Pair),
    /// What a train would do.
    Plan(u64),
    /// To let it go.
    Start,
    /// Something with a train that goes, or went.
    Deed,
    /// How a race stands.
    Race(u64),
    /// Something about files.
    Files(files::Question),
    /// Worktrees and what is kept of them.
    Worktrees(worktrees::Question),
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
    /// Say what went wrong.
    Problem(String),
    /// Say something.
    Tell(String),
    /// Bring something into sight: the id of what scrolls, and how far to the right and down it is, in
    /// points.
    Scroll(&'static str, f32, f32),
    /// Move what is shown by so many points.
    Move(&'static str, f32),
    /// Read both sides of a picture: the number of the question, and their bytes.
    Picture(u64, [Option<Vec<u8>>; 2]),
    /// Read a file below a directory, unless it is as it was.
    ReadFile(PathBuf, String, Option<files::Stamp>),
    /// Write a file, if its bytes are still these.
    SaveFile(PathBuf, Vec<u8>, Vec<u8>),
    /// Open a file in the user's own program.
    OpenElsewhere(PathBuf),
    /// Paste into the file that is written in.
    PasteInFile,
    /// Put this into the clipboard.
    Copy(String),
    /// Put text into a terminal's prompt.
    Paste(TerminalId, String),
    /// Go to an agent.
    Go(AgentId),
    /// Do something with worktrees.
    Worktree(worktrees::Deed),
    /// Give the window back to the panes.
    Close,
}

/// A directory, with the agent that works there.
#[must_use]
pub fn place_at(directory: &Path, model: &Model) -> Place {
    let agent = model.agents.iter().find(|agent| agent.directory == directory);
    agent.map_or_else(
        || Place { agent: None, directory: directory.to_owned(), repository: None },
        Place::of,
    )
}

/// Asks the host.
#[must_use]
pub fn ask(question: Question, command: Command) -> Action {
    Action::Ask(question, Box::new(command))
}

/// What it is seen with.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// The time.
    pub now_ms: u64,
    /// Whether arcs turn.
    pub turning: bool,
    /// Width of the place.
    pub width: f32,
    /// Height of the window.
    pub height: f32,
}

impl Look<'_> {
    /// Whether the window is so low that only the main things have a place.
    #[must_use]
    pub fn is_low(&self) -> bool {
        self.height < LOW
    }
}

impl Review {
    /// Shows a page about a place.
    pub fn open(&mut self, page: Page, place: Option<Place>, model: &Model) -> Action {
        if place.as_ref().map(Place::root) != self.place.as_ref().map(Place::root) {
            self.matrix = Matrix::default();
            self.yard = Yard::default();
            self.track = Track::default();
            self.trees = Trees::default();
        }
        self.place = place;
        self.shown = true;
        self.go(page, model)
    }

    /// Shows what is different in a directory, as a view has it.
    pub fn open_changes(&mut self, place: Place, source: Source) -> Action {
        let action = self.changes.opened_at(&place, source);
        self.show_changes(place);
        action
    }

    /// Where the repository is.
    fn root(&self) -> PathBuf {
        self.place.as_ref().map(|place| place.root().to_owned()).unwrap_or_default()
    }

    fn show_changes(&mut self, place: Place) {
        let before = self.place.take();
        let repository = before.as_ref().map(|own| own.root().to_owned()).or(place.repository);
        self.back = before.filter(|_| self.shown).map(|before| (self.page, before));
        self.place = Some(Place { repository, ..place });
        (self.shown, self.page) = (true, Page::Changes);
    }

    /// Another page about the same place.
    pub fn go(&mut self, page: Page, model: &Model) -> Action {
        self.page = page;
        self.back = None;
        let Some(place) = self.place.clone() else { return Action::None };
        match page {
            Page::Changes => self.changes.opened(&place),
            Page::Log => self.history.opened(&place),
            Page::Conflicts => {
                self.matrix.opened(&place);
                Action::None
            }
            Page::Train => self.yard.opened(place.root(), model),
            Page::Race => self.track.opened(place.root(), self.matrix.known()),
            Page::Files => self.files.opened(&place),
            Page::Worktrees => self.trees.read(place.root()),
        }
    }

    /// Whether files are looked at, which are looked at again from time to time.
    #[must_use]
    pub fn ticks(&self) -> bool {
        self.shown && matches!(self.page, Page::Changes | Page::Files) && self.place.is_some()
    }

    /// An agent's checkout is another one than before.
    pub fn checkout_changed(&mut self, agent: AgentId) -> Action {
        let is_here =
            self.ticks() && self.page == Page::Changes && self.changes.agent == Some(agent);
        if is_here { self.changes.refresh() } else { Action::None }
    }

    /// The repository whose conflicts are to be told, if any.
    #[must_use]
    pub fn wants(&self) -> Option<&Path> {
        self.place.as_ref().filter(|_| self.shown).map(Place::root)
    }

    /// The host tells how branches fit together.
    pub fn told(&mut self, live: Live, now_ms: u64) -> Action {
        let here = self.place.as_ref().is_some_and(|place| {
            place.root() == live.repository
                || live.matrix.sides.iter().any(|side| side.directory == place.directory)
        });
        if !here {
            return Action::None;
        }
        self.heard(Ok(live.matrix), now_ms)
    }

    fn heard(
        &mut self,
        matrix: Result<maestro_core::conflict::Matrix, String>,
        now_ms: u64,
    ) -> Action {
        let after = self.matrix.heard(matrix, now_ms);
        let Some(root) = self.place.as_ref().map(|place| place.root().to_owned()) else {
            return after;
        };
        let plan = match self.page {
            Page::Train => self.yard.branches_changed(&root, self.matrix.known()),
            Page::Race => self.track.opened(&root, self.matrix.known()),
            Page::Worktrees => self.trees.read(&root),
            // Whoever saved a file changed how branches fit, and what differs.
            Page::Changes => self.changes.refresh(),
            Page::Log | Page::Conflicts | Page::Files => Action::None,
        };
        Action::All(vec![after, plan])
    }

    /// What is asked for is typed, where it is an input.
    #[must_use]
    pub fn input(&self) -> Option<&'static str> {
        match self.page {
            Page::Train => self.yard.input(),
            Page::Race => self.track.input(),
            Page::Worktrees => self.trees.input(),
            Page::Changes => self.changes.input(),
            Page::Log => self.history.input(),
            Page::Files => self.files.input(),
            Page::Conflicts => None,
        }
    }

    /// Whether something is asked that Enter and Escape answer.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.shown
            && (self.input().is_some() && self.page != Page::Files
                || self.page == Page::Train && self.yard.confirm.is_some()
                || self.page == Page::Changes && self.changes.asks()
                || self.page == Page::Files && self.files.asks())
    }

    /// Where chords hold now.
    #[must_use]
    pub fn context(&self) -> Option<Context> {
        if !self.shown {
            return None;
        }
        Some(match self.page {
            _ if self.asks() => Context::Overlay,
            Page::Changes => Context::Changes,
            Page::Log => Context::Log,
            Page::Conflicts => Context::Matrix,
            Page::Train => Context::Train,
            Page::Race => Context::Race,
            Page::Files if self.files.input().is_some() => Context::Editor,
            Page::Files => Context::Files,
            Page::Worktrees => Context::Worktrees,
        })
    }

    /// Does a command.
    pub fn command(&mut self, id: Id, model: &Model) -> Action {
        match id {
            Id::ReviewPage(number) => {
                let page = PAGES.iter().find(|(_, key, _)| *key == number);
                return page.map_or(Action::None, |(page, ..)| self.go(*page, model));
            }
            Id::ReviewRefresh => {
                let again = self.place.clone().map_or(Action::None, |place| {
                    let repository = place.root().to_owned();
                    let watch = Command::WatchConflicts { repository, follow: true };
                    ask(Question::Conflicts(place.root().to_owned()), watch)
                });
                return Action::All(vec![again, self.in_page(id, model)]);
            }
            _ => {}
        }
        self.in_page(id, model)
    }

    fn in_page(&mut self, id: Id, model: &Model) -> Action {
        match self.page {
            Page::Changes => match self.changes.command(id, model) {
                Action::Close => match self.back.take() {
                    Some((page, place)) => {
                        (self.page, self.place) = (page, Some(place));
                        Action::None
                    }
                    None => Action::Close,
                },
                action => action,
            },
            Page::Log if id == Id::ReviewAccept && self.history.marked().is_some() => {
                let commit = self.history.marked().map(|commit| commit.id.clone());
                match (commit, self.place.clone()) {
                    (Some(commit), Some(place)) => self.open_changes(place, Source::Commit(commit)),
                    _ => Action::None,
                }
            }
            Page::Log if id == Id::ReviewAgent => {
                let agent = self.place.as_ref().and_then(|place| place.agent);
                let none = || Action::Tell("No agent works here.".to_owned());
                agent.map_or_else(none, Action::Go)
            }
            Page::Log => self.history.command(id),
            Page::Files if id == Id::ReviewAgent => {
                let agent = self.place.as_ref().and_then(|place| place.agent);
                let none = || Action::Tell("No agent works here.".to_owned());
                agent.map_or_else(none, Action::Go)
            }
            Page::Files => self.files.command(id),
            Page::Conflicts if id == Id::MatrixDiff => match self.matrix.row_place(model) {
                Some(place) => self.open_changes(place, Source::Base(None)),
                None => Action::None,
            },
            Page::Conflicts => self.matrix.command(id, model),
            Page::Train => match &self.place {
                Some(place) => self.yard.command(id, place.root(), model),
                None if id == Id::ReviewLeave => Action::Close,
                None => Action::None,
            },
            Page::Race if id == Id::RaceDiff => {
                let repository = self.root();
                let marked = self.track.marked().zip(self.track.known());
                let Some((runner, (race, target))) = marked else { return Action::None };
                let place = place_at(&runner.directory, model);
                let runner = changes::Runner {
                    repository,
                    race: race.to_owned(),
                    branch: runner.branch.clone(),
                    target: target.to_owned(),
                };
                let action = self.changes.opened_runner(&place, runner);
                self.show_changes(place);
                action
            }
            Page::Race if id == Id::RaceTake => {
                let root = self.root();
                let marked = self.track.marked().zip(self.track.known());
                let Some((runner, (_, target))) = marked else { return Action::None };
                let (branch, target) = (runner.branch.clone(), target.to_owned());
                self.page = Page::Train;
                self.yard.only(&branch, &target, &root)
            }
            Page::Race if id == Id::RaceOthers => self.track.others(),
            Page::Worktrees => match &self.place {
                Some(place) => self.trees.command(id, place.root()),
                None if id == Id::ReviewLeave => Action::Close,
                None => Action::None,
            },
            Page::Race => match &self.place {
                Some(place) => self.track.command(id, place.root(), self.matrix.known()),
                None if id == Id::ReviewLeave => Action::Close,
                None => Action::None,
            },
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message, model: &Model, now_ms: u64) -> Action {
        match message {
            Message::Page(page) => self.go(page, model),
            Message::Command(id) => self.command(id, model),
            Message::Typed(text) => {
                match self.page {
                    Page::Files => return self.files.typed(text),
                    Page::Train => self.yard.typed(text),
                    Page::Race => self.track.typed(text),
                    Page::Worktrees => self.trees.typed(text),
                    Page::Changes => self.changes.typed(text),
                    Page::Log => self.history.typed(text),
                    Page::Conflicts => {}
                }
                Action::None
            }
            Message::Changes(message) => self.changes.update(message),
            Message::Tick(_) if self.page == Page::Files => self.files.tick(),
            Message::Tick(now_ms) => self.changes.tick(now_ms),
            Message::Files(message) => self.files.update(message),
            Message::History(message) => self.history.update(message),
            Message::Matrix(message) => self.matrix.update(message),
            Message::Train(at) => self.yard.pressed(at, model),
            Message::Race(at) => self.track.pressed(at),
            Message::Worktree(at) => self.trees.pressed(at),
            Message::Answered(question, reply) => self.answered(question, reply, model, now_ms),
        }
    }

    fn answered(
        &mut self,
        question: Question,
        reply: Result<Reply, String>,
        model: &Model,
        now_ms: u64,
    ) -> Action {
        match question {
            Question::Changes(question) => self.changes.answered(question, reply),
            Question::History(question) => self.history.answered(question, reply),
            Question::Files(question) => self.files.answered(&question, reply),
            Question::Conflicts(root) => {
                let here = self.place.as_ref().is_some_and(|place| place.root() == root);
                let matrix = match reply {
                    Ok(Reply::Conflicts(matrix)) => Ok(*matrix),
                    Ok(_) => Err("the host did not say how the branches fit together".to_owned()),
                    Err(why) => Err(why),
                };
                if here { self.heard(matrix, now_ms) } else { Action::None }
            }
            Question::Clashes(pair) => self.matrix.answered(
                pair,
                match reply {
                    Ok(Reply::Clashes(clashes)) => Ok(clashes),
                    Ok(_) => Err("the host did not say where they conflict".to_owned()),
                    Err(why) => Err(why),
                },
            ),
            Question::Plan(number) => {
                let plan = match reply {
                    Ok(Reply::TrainPlan(plan)) => Ok(*plan),
                    Ok(_) => Err("the host did not say what the train would do".to_owned()),
                    Err(why) => Err(why),
                };
                let root = self.place.as_ref().map(|place| place.root().to_owned());
                self.yard.planned(number, plan, root.as_deref(), self.matrix.known())
            }
            Question::Start => match reply {
                Ok(Reply::Train(train)) => {
                    self.yard.started(train.id);
                    Action::None
                }
                Ok(_) => Action::None,
                Err(why) => self.yard.refused(why),
            },
            Question::Deed => match reply {
                Ok(_) => Action::None,
                Err(why) => Action::Problem(why),
            },
            Question::Worktrees(question) => self.trees.answered(question, reply),
            Question::Race(number) => {
                let race = match reply {
                    Ok(Reply::Race(race)) => Ok(*race),
                    Ok(_) => Err("the host did not say how the race stands".to_owned()),
                    Err(why) => Err(why),
                };
                let _ = model;
                self.track.heard(number, race);
                Action::None
            }
        }
    }

    /// The page, in the whole window.
    pub fn view<'a>(&'a self, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let body = match (&self.place, self.page) {
            (None, _) => page::empty(
                tokens,
                maestro_ui::icon::Icon::Ring,
                "No repository",
                "There is no agent yet whose repository could be looked at.",
                &[("Esc", "back to the panes")],
            ),
            (Some(_), Page::Changes) => self.changes.view(look),
            (Some(_), Page::Log) => self.history.view(look),
            (Some(_), Page::Conflicts) => self.matrix.view(model, look),
            (Some(place), Page::Train) => self.yard.view(place.root(), model, look),
            (Some(_), Page::Race) => self.track.view(model, look),
            (Some(_), Page::Files) => self.files.view(look),
            (Some(_), Page::Worktrees) => self.trees.view(model, look),
        };
        let body = container(body).width(Length::Fill).height(Length::Fill);
        let keys = match self.page {
            Page::Changes => self.changes.keys(),
            Page::Log => self.history.keys(),
            Page::Conflicts => self.matrix.keys(),
            Page::Train => self.yard.keys(model),
            Page::Race => self.track.keys(),
            Page::Files => self.files.keys(),
            Page::Worktrees => self.trees.keys(),
        };
        let keys = keys.into_iter().map(|(key, words)| (key.to_owned(), words));
        let content = column![
            self.head(look),
            part::rule(tokens),
            body,
            part::rule(tokens),
            page::foot(tokens, look.is_low(), keys),
        ];
        container(content).style(move |_| style::surface(tokens.base)).height(Length::Fill).into()
    }

    fn head<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let tab = |(page, key, name): (Page, u8, &'static str)| {
            let on = self.page == page;
            let ink = if on { tokens.text } else { tokens.dim };
            let under = if on { tokens.accent } else { Color::TRANSPARENT };
            let face = if on { font::MEDIUM } else { font::REGULAR };
            let words = row![
                line(name, type_scale::BASE, face, ink),
                line(key.to_string(), type_scale::TINY, font::MONO, tokens.faint)
            ]
            .spacing(6.0)
            .align_y(Alignment::Center);
            let words = container(words).center_y(Length::Fill).padding([0.0, space::M]);
            let under = part::filled(under, Length::Fill, Length::Fixed(2.0));
            button(column![words, under].width(Length::Shrink))
                .padding(0)
                .style(style::row(tokens, false))
                .on_press(Message::Page(page))
                .into()
        };
        let name = self.place.as_ref().and_then(|place| place.root().file_name());
        let name = name.map(|name| text::clean(&name.to_string_lossy(), 60));
        let title = line(
            name.unwrap_or_else(|| "Branches".to_owned()),
            type_scale::BASE,
            font::SEMIBOLD,
            tokens.text,
        );
        let opens = match self.page {
            Page::Changes => Id::ChangesOpen,
            Page::Log => Id::LogOpen,
            Page::Conflicts => Id::ConflictsOpen,
            Page::Train => Id::TrainOpen,
            Page::Race => Id::RaceOpen,
            Page::Files => Id::FilesOpen,
            Page::Worktrees => Id::WorktreesOpen,
        };
        let wide = look.width >= 760.0;
        let back = part::word(tokens, "Back to the panes", Message::Command(Id::ReviewLeave));
        row![
            container(title).padding([0.0, space::M]),
            row(PAGES.map(tab)).height(Length::Fill),
            Space::new().width(Length::Fill)
        ]
        .push(wide.then_some(back))
        .push(look.keymap.title(opens).filter(|_| wide).map(|chord| part::chord(tokens, &chord)))
        .spacing(space::S)
        .align_y(Alignment::Center)
        .height(extent::TABS)
        .padding(Padding::ZERO.left(space::XS).right(space::M))
        .into()
    }
}
