//! The commits of a repository with their graph, its branches, and how they are fetched and pushed.

mod view;

use std::cell::Cell;
use std::collections::VecDeque;
use std::path::PathBuf;

use maestro_core::changes::{
    Answer, Ask, Branch, Branches, Commit, Failure, Heard, Log, LogQuery, Pull, Sync, Synced,
};
use maestro_core::command::Id;
use maestro_core::log::Row;
use maestro_protocol::message::{Command, Reply};

use super::review::{self, Action, Place};

/// The id of the input for words that are looked for.
pub const INPUT: &str = "log-input";

/// Commits that are asked for at once, and the most that are kept.
const COUNT: u32 = 200;
const MOST: usize = 100_000;

/// Lines of git's output that are kept.
const LINES: usize = 500;

/// Rows that have a place, before they were drawn once.
const PAGE: usize = 24;

/// What the host was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Commits: the number of the question, and how many were passed over.
    Log(u64, u32),
    /// The branches.
    Branches(u64),
    /// To check a branch out.
    Switch,
    /// To fetch, pull or push: under this token.
    Sync(u64),
    /// To end that.
    Cancel,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// A row was pressed.
    Row(usize),
    /// The wheel was turned.
    Wheel(f32),
}

/// Something that goes on with a remote.
#[derive(Debug)]
struct Going {
    token: u64,
    title: String,
    lines: VecDeque<String>,
    /// How it ended.
    end: Option<Option<Failure>>,
    /// The way out that the key takes.
    way: usize,
}

/// The state.
#[derive(Debug)]
pub struct History {
    directory: PathBuf,
    number: u64,
    waits: Option<(u64, u32)>,
    commits: Vec<Commit>,
    graph: Vec<Row>,
    more: bool,
    problem: Option<String>,
    is_known: bool,
    words: String,
    all: bool,
    at: usize,
    top: usize,
    /// Branches have the place of the commits.
    branches: Option<Option<Result<Branches, String>>>,
    branch: usize,
    branch_top: usize,
    /// Parts of a row by which the wheel was turned.
    turned: f32,
    typing: Option<String>,
    going: Option<Going>,
    page: Cell<usize>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            directory: PathBuf::new(),
            number: 0,
            waits: None,
            commits: Vec::new(),
            graph: Vec::new(),
            more: false,
            problem: None,
            is_known: false,
            words: String::new(),
            all: false,
            at: 0,
            top: 0,
            branches: None,
            branch: 0,
            branch_top: 0,
            turned: 0.0,
            typing: None,
            going: None,
            page: Cell::new(PAGE),
        }
    }
}

fn ask(question: Question, what: Ask) -> Action {
    review::ask(review::Question::History(question), Command::Changes(what))
}

/// What is done with a remote, in words.
fn title(sync: &Sync) -> &'static str {
    match sync {
        Sync::Fetch { .. } => "Fetch",
        Sync::Pull { how: Pull::FastForward } => "Pull",
        Sync::Pull { how: Pull::Merge } => "Pull with a merge",
        Sync::Pull { how: Pull::Rebase } => "Pull with a rebase",
        Sync::Push { force: true, .. } => "Push over what is there",
        Sync::Push { .. } => "Push",
    }
}

impl History {
    /// It is looked at.
    pub fn opened(&mut self, place: &Place) -> Action {
        if self.directory != place.directory {
            let page = self.page.get();
            *self = Self { directory: place.directory.clone(), ..Self::default() };
            self.page.set(page);
        }
        self.refresh()
    }

    /// Looks again, from the newest commit on.
    pub fn refresh(&mut self) -> Action {
        let branches = if self.branches.is_some() { self.ask_branches() } else { Action::None };
        self.waits = None;
        let log = self.ask_log(0);
        Action::All(vec![log, branches])
    }

    fn ask_log(&mut self, skip: u32) -> Action {
        if self.waits.is_some() {
            return Action::None;
        }
        self.number += 1;
        self.waits = Some((self.number, skip));
        let query = LogQuery {
            all: self.all,
            words: self.words.trim().to_owned(),
            skip,
            // What was seen stays there when it is looked at again.
            count: if skip == 0 { COUNT.max(self.at as u32 + 50).min(1000) } else { COUNT },
            ..LogQuery::default()
        };
        ask(Question::Log(self.number, skip), Ask::Log { directory: self.directory.clone(), query })
    }

    fn ask_branches(&mut self) -> Action {
        self.number += 1;
        let directory = self.directory.clone();
        ask(Question::Branches(self.number), Ask::Branches { directory })
    }

    fn heard(&mut self, number: u64, skip: u32, log: Result<Log, String>) -> Action {
        if self.waits != Some((number, skip)) {
            return Action::None;
        }
        self.waits = None;
        self.is_known = true;
        match log {
            Ok(log) => {
                self.problem = None;
                let marked = self.commits.get(self.at).map(|commit| commit.id.clone());
                if skip == 0 {
                    (self.commits, self.graph) = (Vec::new(), Vec::new());
                }
                self.commits.extend(log.commits);
                self.graph.extend(log.graph);
                self.more = log.more && self.commits.len() < MOST;
                let found = marked.and_then(|id| self.commits.iter().position(|one| one.id == id));
                self.at = found.unwrap_or(self.at.min(self.commits.len().saturating_sub(1)));
                self.reveal();
            }
            Err(why) => self.problem = Some(why),
        }
        Action::None
    }

    fn reveal(&mut self) {
        let page = self.page.get().max(2);
        let fit = |top: usize, at: usize| top.min(at).max((at + 1).saturating_sub(page));
        self.top = fit(self.top, self.at);
        self.branch_top = fit(self.branch_top, self.branch);
    }

    fn step(&mut self, by: isize) -> Action {
        if self.branches.is_some() {
            let last = self.branches().len().saturating_sub(1);
            self.branch = self.branch.saturating_add_signed(by).min(last);
            self.reveal();
            return Action::None;
        }
        let last = self.commits.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
        self.reveal();
        self.fetch_more()
    }

    fn fetch_more(&mut self) -> Action {
        let is_near = self.top.max(self.at) + 2 * self.page.get() >= self.commits.len();
        if self.more && is_near { self.ask_log(self.commits.len() as u32) } else { Action::None }
    }

    fn branches(&self) -> &[Branch] {
        match &self.branches {
            Some(Some(Ok(branches))) => &branches.branches,
            _ => &[],
        }
    }

    /// The marked commit.
    #[must_use]
    pub fn marked(&self) -> Option<&Commit> {
        self.commits.get(self.at).filter(|_| self.branches.is_none())
    }

    /// The input that is open.
    #[must_use]
    pub fn input(&self) -> Option<&'static str> {
        self.typing.as_ref().map(|_| INPUT)
    }

    /// Something is typed.
    pub fn typed(&mut self, text: String) {
        if let Some(typed) = &mut self.typing {
            *typed = text;
        }
    }

    fn search(&mut self, words: String) -> Action {
        self.words = words;
        (self.at, self.top, self.is_known) = (0, 0, false);
        (self.commits, self.graph, self.waits) = (Vec::new(), Vec::new(), None);
        self.ask_log(0)
    }

    fn switch(&self) -> Action {
        let Some(branch) = self.branches().get(self.branch) else { return Action::None };
        let here = match &self.branches {
            Some(Some(Ok(branches))) => branches.current.as_ref(),
            _ => None,
        };
        if here == Some(&branch.name) {
            return Action::Tell(format!("{} is checked out here.", branch.name));
        }
        let directory = self.directory.clone();
        // A remote's branch gets a local one of its name.
        let local = branch.name.split_once('/').map(|(_, name)| name).filter(|_| branch.is_remote);
        let (name, from) = match local {
            Some(local)
                if self.branches().iter().any(|one| !one.is_remote && one.name == local) =>
            {
                (local.to_owned(), None)
            }
            Some(local) => (local.to_owned(), Some(branch.name.clone())),
            None => (branch.name.clone(), None),
        };
        ask(Question::Switch, Ask::Switch { directory, branch: name, from })
    }

    // Remotes.

    fn sync(&mut self, sync: Sync) -> Action {
        if self.going.as_ref().is_some_and(|going| going.end.is_none()) {
            return Action::Tell(
                "Something goes on with the remote already: Esc ends it.".to_owned(),
            );
        }
        // Every window has tokens of its own.
        let token = (u64::from(std::process::id()) << 32) | (super::now_ms() & 0xffff_ffff);
        self.going = Some(Going {
            token,
            title: title(&sync).to_owned(),
            lines: VecDeque::new(),
            end: None,
            way: 0,
        });
        ask(Question::Sync(token), Ask::Sync { directory: self.directory.clone(), sync, token })
    }

    /// Git printed something.
    pub fn told(&mut self, heard: Heard) {
        let Some(going) = self.going.as_mut().filter(|going| going.token == heard.token) else {
            return;
        };
        if heard.replaces {
            let _ = going.lines.pop_back();
        }
        if going.lines.len() >= LINES {
            let _ = going.lines.pop_front();
        }
        going.lines.push_back(maestro_core::text::clean(&heard.line, 400));
    }

    fn synced(&mut self, token: u64, answer: Result<Synced, String>) -> Action {
        let Some(going) = self.going.as_mut().filter(|going| going.token == token) else {
            return Action::None;
        };
        match answer {
            Ok(synced) => {
                if going.lines.is_empty() {
                    let (lines, _) = maestro_core::text::printed(&synced.output, LINES);
                    going.lines.extend(lines);
                }
                going.end = Some(synced.failure);
                self.refresh()
            }
            Err(why) => {
                going.lines.push_back(why.clone());
                self.going = None;
                Action::Problem(why)
            }
        }
    }

    fn way(&mut self) -> Action {
        let going = self.going.as_ref();
        let failure = going.and_then(|going| Some((going.way, going.end.as_ref()?.as_ref()?)));
        let way = failure.and_then(|(at, failure)| failure.ways.get(at)).cloned();
        match way {
            Some(way) => self.sync(way.sync),
            None => Action::None,
        }
    }

    /// Does a command.
    pub fn command(&mut self, id: Id) -> Action {
        if self.typing.is_some() {
            return match id {
                Id::OverlayAccept => {
                    let words = self.typing.take().unwrap_or_default();
                    self.search(words)
                }
                Id::OverlayCancel => {
                    self.typing = None;
                    Action::None
                }
                _ => Action::None,
            };
        }
        let page = self.page.get().saturating_sub(2).max(1) as isize;
        match id {
            Id::ReviewUp => self.step(-1),
            Id::ReviewDown => self.step(1),
            Id::ReviewPageUp => self.step(-page),
            Id::ReviewPageDown => self.step(page),
            Id::ReviewFirst => self.step(isize::MIN / 2),
            Id::ReviewLast => self.step(isize::MAX / 2),
            Id::ReviewAccept if self.branches.is_some() => self.switch(),
            Id::ReviewPart => {
                if let Some(going) = &mut self.going
                    && let Some(Some(failure)) = &going.end
                    && !failure.ways.is_empty()
                {
                    going.way = (going.way + 1) % failure.ways.len();
                }
                Action::None
            }
            Id::ReviewRefresh => self.refresh(),
            Id::ReviewLeave => self.leave(),
            Id::LogFind => {
                self.branches = None;
                self.typing = Some(self.words.clone());
                Action::None
            }
            Id::LogAll => {
                self.all = !self.all;
                let words = self.words.clone();
                self.search(words)
            }
            Id::LogBranches => {
                if self.branches.take().is_some() {
                    return Action::None;
                }
                self.branches = Some(None);
                (self.branch, self.branch_top) = (0, 0);
                self.ask_branches()
            }
            Id::LogFetch => self.sync(Sync::Fetch { all: false }),
            Id::LogPull => self.sync(Sync::Pull { how: Pull::FastForward }),
            Id::LogPush => self.sync(Sync::Push { set_upstream: false, force: false }),
            Id::LogWay => self.way(),
            _ => Action::None,
        }
    }

    /// Goes back by one step.
    fn leave(&mut self) -> Action {
        match &self.going {
            Some(going) if going.end.is_none() => {
                return ask(Question::Cancel, Ask::Cancel { token: going.token });
            }
            Some(_) => {
                self.going = None;
                return Action::None;
            }
            None => {}
        }
        if self.branches.take().is_some() {
            return Action::None;
        }
        if !self.words.is_empty() {
            return self.search(String::new());
        }
        Action::Close
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Row(at) if self.branches.is_some() => {
                let again = self.branch == at;
                self.branch = at;
                if again { self.switch() } else { Action::None }
            }
            Message::Row(at) => {
                self.at = at.min(self.commits.len().saturating_sub(1));
                self.fetch_more()
            }
            Message::Wheel(by) => {
                let page = self.page.get();
                // A touchpad moves by less than a row.
                self.turned += by;
                let by = self.turned.trunc();
                self.turned -= by;
                let scrolled = |top: usize, rows: usize| {
                    top.saturating_add_signed(by as isize).min(rows.saturating_sub(page))
                };
                if self.branches.is_some() {
                    self.branch_top = scrolled(self.branch_top, self.branches().len());
                    return Action::None;
                }
                self.top = scrolled(self.top, self.commits.len());
                self.fetch_more()
            }
        }
    }

    /// The host answered.
    pub fn answered(&mut self, question: Question, reply: Result<Reply, String>) -> Action {
        let answer = match reply {
            Ok(Reply::Changes(answer)) => Ok(answer),
            Ok(_) => Err("the host answered something else".to_owned()),
            Err(why) => Err(why),
        };
        match (question, answer) {
            (Question::Log(number, skip), Ok(Answer::Log(log))) => {
                self.heard(number, skip, Ok(*log))
            }
            (Question::Log(number, skip), Err(why)) => self.heard(number, skip, Err(why)),
            (Question::Branches(number), answer) if number == self.number => {
                if self.branches.is_some() {
                    let branches = match answer {
                        Ok(Answer::Branches(branches)) => Ok(*branches),
                        Ok(_) => Err("the host answered something else".to_owned()),
                        Err(why) => Err(why),
                    };
                    if let Ok(known) = &branches {
                        let here = |one: &Branch| known.current.as_ref() == Some(&one.name);
                        self.branch = known.branches.iter().position(here).unwrap_or(0);
                    }
                    self.branches = Some(Some(branches));
                    self.reveal();
                }
                Action::None
            }
            (Question::Switch, Ok(Answer::Synced(synced))) => match synced.failure {
                Some(failure) => Action::Problem(failure.text),
                None => {
                    self.branches = None;
                    self.refresh()
                }
            },
            (Question::Switch, Ok(_)) => {
                self.branches = None;
                self.refresh()
            }
            (Question::Sync(token), Ok(Answer::Synced(synced))) => self.synced(token, Ok(synced)),
            (Question::Sync(token), Err(why)) => self.synced(token, Err(why)),
            (Question::Switch | Question::Cancel, Err(why)) => Action::Problem(why),
            _ => Action::None,
        }
    }

    /// What it waits for, for made-up windows.
    #[must_use]
    pub fn waits_for(&self) -> Option<Question> {
        if let Some((number, skip)) = self.waits {
            return Some(Question::Log(number, skip));
        }
        match (&self.branches, &self.going) {
            (Some(None), _) => Some(Question::Branches(self.number)),
            (_, Some(going)) if going.end.is_none() => Some(Question::Sync(going.token)),
            _ => None,
        }
    }

    /// The keys that mean something.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &'static str)> {
        if self.typing.is_some() {
            return vec![("↵", "search"), ("Esc", "leave it")];
        }
        let mut keys = Vec::new();
        match &self.going {
            Some(going) if going.end.is_none() => keys.push(("Esc", "end it")),
            Some(Going { end: Some(Some(failure)), .. }) if !failure.ways.is_empty() => {
                keys.push(("y", "the way out"));
                if failure.ways.len() > 1 {
                    keys.push(("Tab", "another"));
                }
            }
            _ => {}
        }
        if self.branches.is_some() {
            keys.extend([("↑↓", "branch"), ("↵", "switch to it"), ("b", "commits")]);
        } else {
            keys.extend([("↑↓", "commit"), ("↵", "its changes"), ("/", "search")]);
            keys.push(("o", if self.all { "this branch only" } else { "every branch" }));
            keys.push(("b", "branches"));
        }
        keys.extend([("f", "fetch"), ("p", "pull"), ("⇧P", "push"), ("Esc", "back")]);
        keys
    }
}

#[cfg(test)]
mod tests;
