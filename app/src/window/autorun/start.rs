//! How a run is to be started: what, where, how often, how much; and what it would do, before it does it.

use std::path::{Path, PathBuf};

use maestro_core::AgentId;
use maestro_core::agent::{Agent, Provider};
use maestro_core::command::Id;
use maestro_core::playbook::{Found, Plan};
use maestro_core::run::options::Then;
use maestro_core::run::{
    Branching, Budgets, Dirty, Loops, Mode, OnFailure, Options, PullRequest, Spec,
};
use maestro_ui::part;

/// The most documents of a run that is started here.
const MOST: usize = 200;

/// The most commands that one can be asked to agree to: they are all shown.
pub const COMMANDS: usize = 500;

/// The open dialog.
#[derive(Debug, Clone)]
pub struct Start {
    /// Who can do it: agents with their directories.
    pub agents: Vec<Who>,
    /// Which of them does.
    pub agent: usize,
    /// The documents in order, and whether each is worked on as a fresh copy.
    pub documents: Vec<(PathBuf, bool)>,
    /// What is typed into the text fields.
    pub texts: Texts,
    /// The rules; texts are read into them at the end.
    pub options: Options,
    /// Attempts for each task.
    pub attempts: u32,
    /// Which field has the keyboard.
    pub field: Field,
    /// How far it is.
    pub stage: Stage,
    /// What is wrong.
    pub error: Option<String>,
    /// The document the mouse holds.
    pub held: Option<usize>,
    question: u64,
}

/// Somebody who can do the tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The agent; none where there is none yet.
    pub agent: Option<AgentId>,
    /// What it is called.
    pub name: String,
    /// Its program.
    pub provider: Provider,
    /// Where it works.
    pub directory: PathBuf,
}

/// What is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    pub add: String,
    pub model: String,
    pub verify: String,
    pub branch: String,
    pub prompt: String,
    pub cost: String,
    pub tokens: String,
    pub minutes: String,
    pub turns: String,
    pub tasks: String,
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Agent,
    Document(usize),
    Add,
    Loops,
    Mode,
    OnFailure,
    Attempts,
    Branch,
    PullRequest,
    Commit,
    Dirty,
    Verify,
    Model,
    Cost,
    Tokens,
    Minutes,
    Turns,
    Tasks,
    Then,
    KeepAwake,
    Prompt,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// It is being filled in.
    Form,
    /// The host works out what it would do.
    Planning,
    /// What it would do; which of its tasks is marked.
    Plan(Box<Plan>, usize),
    /// It is being started.
    Starting(Box<Plan>),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// Close it.
    Close,
    /// Ask what would be done: the question's number, and what it is about.
    Plan(u64, Box<Spec>),
    /// Start it.
    Start {
        /// What is to be run.
        spec: Box<Spec>,
        /// It waits until its directory is free.
        waits: bool,
        /// What the user has agreed to just now, by its hash.
        agreed: Option<String>,
    },
}

impl Start {
    /// A dialog for documents.
    #[must_use]
    pub fn new(agents: Vec<Who>, agent: usize, documents: Vec<PathBuf>) -> Self {
        let field = if documents.is_empty() { Field::Add } else { Field::Document(0) };
        Self {
            agents,
            agent,
            documents: documents.into_iter().take(MOST).map(|path| (path, false)).collect(),
            texts: Texts::default(),
            options: Options::default(),
            attempts: 3,
            field,
            stage: Stage::Form,
            error: None,
            held: None,
            question: 0,
        }
    }

    /// A dialog for a playbook, filled in as its file says.
    #[must_use]
    pub fn playbook(agents: Vec<Who>, agent: usize, found: &Found) -> Self {
        let options = found.options();
        let mut start = Self::new(agents, agent, found.documents());
        for (path, reset) in &mut start.documents {
            *reset = options.reset.contains(path);
        }
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let budgets = options.budgets;
        start.texts = Texts {
            add: String::new(),
            model: found.playbook.model.clone().unwrap_or_default(),
            verify: options.verify.clone().unwrap_or_default(),
            branch: options.worktree.as_ref().map(|w| w.branch.clone()).unwrap_or_default(),
            prompt: options.prompt.clone().unwrap_or_default(),
            cost: budgets.cost_usd.map(|usd| format!("{usd:.2}")).unwrap_or_default(),
            tokens: number(budgets.tokens),
            minutes: number(budgets.time_s.map(|s| s.div_ceil(60))),
            turns: number(budgets.turns.map(u64::from)),
            tasks: number(budgets.tasks.map(u64::from)),
        };
        start.options = options;
        start
    }

    /// The one who does it.
    #[must_use]
    pub fn who(&self) -> Option<&Who> {
        self.agents.get(self.agent)
    }

    /// The fields, in order.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::Agent];
        fields.extend((0..self.documents.len()).map(Field::Document));
        fields.extend([Field::Add, Field::Branch]);
        if !self.texts.branch.trim().is_empty() {
            fields.push(Field::PullRequest);
        }
        fields.extend([Field::Loops, Field::Mode, Field::Attempts, Field::OnFailure]);
        fields.extend([Field::Commit, Field::Dirty, Field::Verify, Field::Model]);
        fields.extend([Field::Cost, Field::Tokens, Field::Minutes, Field::Turns, Field::Tasks]);
        fields.extend([Field::Then, Field::KeepAwake, Field::Prompt]);
        fields
    }

    /// The text of a field that is typed into.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&str> {
        let texts = &self.texts;
        Some(match field {
            Field::Add => &texts.add,
            Field::Model => &texts.model,
            Field::Verify => &texts.verify,
            Field::Branch => &texts.branch,
            Field::Prompt => &texts.prompt,
            Field::Cost => &texts.cost,
            Field::Tokens => &texts.tokens,
            Field::Minutes => &texts.minutes,
            Field::Turns => &texts.turns,
            Field::Tasks => &texts.tasks,
            _ => return None,
        })
    }

    /// Something is typed.
    pub fn type_into(&mut self, field: Field, text: String) {
        self.error = None;
        self.field = field;
        let texts = &mut self.texts;
        let place = match field {
            Field::Add => &mut texts.add,
            Field::Model => &mut texts.model,
            Field::Verify => &mut texts.verify,
            Field::Branch => &mut texts.branch,
            Field::Prompt => &mut texts.prompt,
            Field::Cost => &mut texts.cost,
            Field::Tokens => &mut texts.tokens,
            Field::Minutes => &mut texts.minutes,
            Field::Turns => &mut texts.turns,
            Field::Tasks => &mut texts.tasks,
            _ => return,
        };
        *place = text;
    }

    /// Whether the keyboard types text.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.stage == Stage::Form && self.text(self.field).is_some()
    }

    /// What stands in a field that is chosen from, in words.
    #[must_use]
    pub fn choice(&self, field: Field) -> Option<String> {
        let options = &self.options;
        let words = match field {
            Field::Agent => {
                return self.who().map(|who| format!("{} · {}", who.name, who.provider.title()));
            }
            Field::Loops => match options.loops {
                Loops::Once => return Some("once".to_owned()),
                Loops::Times(times) => return Some(format!("at most {times} times")),
                Loops::Forever => "until nothing is left",
            },
            Field::Mode => match options.mode {
                Mode::Task => "a fresh one for each task",
                Mode::Document => "one for each document",
            },
            Field::OnFailure => match options.on_failure {
                OnFailure::GoOn => "go on with the next",
                OnFailure::Stop => "end the run",
                OnFailure::Pause => "pause the run",
            },
            Field::Attempts => return Some(self.attempts.to_string()),
            Field::Commit => match options.commit {
                None => "in worktrees",
                Some(true) => "yes",
                Some(false) => "no",
            },
            Field::Dirty => match options.dirty {
                Dirty::Refuse => "do not start",
                Dirty::Snapshot => "keep a snapshot, then start",
                Dirty::Accept => "start all the same",
            },
            Field::PullRequest => match &options.pull_request {
                None => "no",
                Some(PullRequest { draft: true, .. }) => "yes, as a draft",
                Some(_) => "yes",
            },
            Field::Then => match options.budgets.then {
                Then::Pause => "pause the run",
                Then::End => "end the run",
            },
            Field::KeepAwake => {
                if options.keep_awake {
                    "yes"
                } else {
                    "no"
                }
            }
            _ => return None,
        };
        Some(words.to_owned())
    }

    /// Another choice in a field.
    pub fn choose(&mut self, field: Field, forward: bool) {
        self.field = field;
        self.error = None;
        let options = &mut self.options;
        match field {
            Field::Agent => {
                let by = if forward { 1 } else { -1 };
                let count = self.agents.len().max(1) as isize;
                self.agent = (self.agent as isize + by).rem_euclid(count) as usize;
            }
            Field::Loops => {
                options.loops = match (options.loops, forward) {
                    (Loops::Once, true) => Loops::Times(2),
                    (Loops::Times(n), true) if n < 10 => Loops::Times(n + 1),
                    (Loops::Times(_), true) | (Loops::Once, false) => Loops::Forever,
                    (Loops::Times(n), false) if n > 2 => Loops::Times(n - 1),
                    (Loops::Forever, false) => Loops::Times(10),
                    (Loops::Forever, true) | (Loops::Times(_), false) => Loops::Once,
                }
            }
            Field::Mode => {
                options.mode = if options.mode == Mode::Task { Mode::Document } else { Mode::Task };
            }
            Field::OnFailure => {
                let all = [OnFailure::GoOn, OnFailure::Stop, OnFailure::Pause];
                options.on_failure = next(&all, &options.on_failure, forward);
            }
            Field::Attempts => {
                let by = if forward { self.attempts + 1 } else { self.attempts - 1 };
                self.attempts = by.clamp(1, 10);
            }
            Field::Commit => {
                options.commit = next(&[None, Some(true), Some(false)], &options.commit, forward);
            }
            Field::Dirty => {
                let all = [Dirty::Refuse, Dirty::Snapshot, Dirty::Accept];
                options.dirty = next(&all, &options.dirty, forward);
            }
            Field::PullRequest => {
                let with = |draft| Some(PullRequest { target: None, draft });
                let all = [None, with(false), with(true)];
                let at = options
                    .pull_request
                    .as_ref()
                    .map(|request| PullRequest { target: None, draft: request.draft });
                options.pull_request = next(&all, &at, forward);
            }
            Field::Then => {
                let then = &mut options.budgets.then;
                *then = if *then == Then::Pause { Then::End } else { Then::Pause };
            }
            Field::KeepAwake => options.keep_awake = !options.keep_awake,
            _ => {}
        }
    }

    /// Does a command.
    pub fn command(&mut self, id: Id) -> Action {
        match (&mut self.stage, id) {
            (Stage::Starting(_), Id::OverlayCancel) => Action::Close,
            (Stage::Starting(_), _) => Action::None,
            (Stage::Form, Id::OverlayCancel) => Action::Close,
            (Stage::Planning | Stage::Plan(..), Id::OverlayCancel) => {
                self.stage = Stage::Form;
                Action::None
            }
            (Stage::Planning, _) => Action::None,
            (Stage::Plan(plan, marked), Id::OverlayUp | Id::OverlayPrevious) => {
                *marked = marked.saturating_sub(1).min(plan.tasks.len());
                Action::None
            }
            (Stage::Plan(plan, marked), Id::OverlayDown | Id::OverlayNext) => {
                *marked = (*marked + 1).min(plan.tasks.len().saturating_sub(1));
                Action::None
            }
            (Stage::Plan(..), Id::OverlayAccept) => self.start(),
            (Stage::Plan(..), _) => Action::None,
            (Stage::Form, id) => self.form(id),
        }
    }

    fn form(&mut self, id: Id) -> Action {
        match (id, self.field) {
            (Id::OverlayUp | Id::OverlayPrevious, _) => self.step(-1),
            (Id::OverlayDown | Id::OverlayNext, _) => self.step(1),
            (Id::OverlayAccept, Field::Add) if !self.texts.add.trim().is_empty() => self.add(),
            (Id::OverlayAccept, _) => return self.plan(),
            (Id::StartUp, Field::Document(at)) => self.shift(at, at.saturating_sub(1)),
            (Id::StartDown, Field::Document(at)) => self.shift(at, at + 1),
            (Id::StartToggle, Field::Document(at)) => self.toggle(at),
            (Id::StartRemove, Field::Document(at)) => self.remove(at),
            (Id::StartLess, field) => self.choose(field, false),
            (Id::StartMore | Id::StartToggle, field) => self.choose(field, true),
            _ => {}
        }
        Action::None
    }

    /// How far down the marked row is, in points.
    #[must_use]
    pub fn depth(&self) -> f32 {
        match &self.stage {
            Stage::Plan(_, 0) => 0.0,
            Stage::Plan(plan, marked) => {
                let notes = plan.obstacles.len()
                    + plan.in_use.len()
                    + usize::from(plan.dirty > 0)
                    + plan.findings.len();
                let lines: usize = plan.commands.iter().map(|words| words.lines().count()).sum();
                let commands = if lines > 0 { 58.0 + lines as f32 * 18.0 } else { 0.0 };
                notes as f32 * 26.0 + commands + 30.0 + *marked as f32 * 32.0
            }
            _ => {
                let fields = self.fields();
                let at = fields.iter().position(|field| *field == self.field).unwrap_or(0);
                at as f32 * 36.0
            }
        }
    }

    /// Goes to another field.
    fn step(&mut self, by: isize) {
        let fields = self.fields();
        let at = fields.iter().position(|field| *field == self.field).unwrap_or(0);
        let next = (at as isize + by).rem_euclid(fields.len() as isize) as usize;
        self.field = fields[next];
    }

    /// Puts a document to another place.
    pub fn shift(&mut self, from: usize, to: usize) {
        if from < self.documents.len() && to < self.documents.len() {
            let document = self.documents.remove(from);
            self.documents.insert(to, document);
            self.field = Field::Document(to);
        }
    }

    /// Works on a copy, or not.
    pub fn toggle(&mut self, at: usize) {
        if let Some((_, reset)) = self.documents.get_mut(at) {
            *reset = !*reset;
            self.field = Field::Document(at);
        }
    }

    /// Leaves a document out.
    pub fn remove(&mut self, at: usize) {
        if at < self.documents.len() {
            let _ = self.documents.remove(at);
            self.field = match self.documents.len() {
                0 => Field::Add,
                count => Field::Document(at.min(count - 1)),
            };
        }
    }

    /// Takes the typed path into the list.
    fn add(&mut self) {
        let Some(directory) = self.who().map(|who| who.directory.clone()) else { return };
        let typed = self.texts.add.trim();
        let path = match typed.strip_prefix("~/").zip(std::env::home_dir()) {
            Some((rest, home)) => home.join(rest),
            None => directory.join(typed),
        };
        if self.documents.iter().any(|(other, _)| *other == path) {
            self.error = Some("It is in the list already.".to_owned());
        } else if self.documents.len() >= MOST {
            self.error = Some(format!("A run has {MOST} documents at most."));
        } else {
            self.documents.push((path, false));
            self.texts.add.clear();
            self.error = None;
        }
    }

    fn plan(&mut self) -> Action {
        match self.spec() {
            Ok(spec) => {
                self.error = None;
                self.stage = Stage::Planning;
                self.question += 1;
                Action::Plan(self.question, Box::new(spec))
            }
            Err((field, why)) => {
                self.field = field;
                self.error = Some(why);
                Action::None
            }
        }
    }

    /// What it would do is known, or not.
    pub fn planned(&mut self, question: u64, plan: Result<Plan, String>) {
        if question != self.question || self.stage != Stage::Planning {
            return;
        }
        match plan {
            Ok(plan) => self.stage = Stage::Plan(Box::new(plan), 0),
            Err(why) => {
                self.stage = Stage::Form;
                self.error = Some(part::sentence(&why));
            }
        }
    }

    fn start(&mut self) -> Action {
        let Stage::Plan(plan, _) = &self.stage else { return Action::None };
        if !plan.obstacles.is_empty() {
            self.error = Some("Something stands in the way: see above.".to_owned());
            return Action::None;
        }
        if plan.commands.len() > COMMANDS && !plan.is_trusted {
            self.error = Some(format!(
                "These are {} different commands, too many to look through: start fewer documents.",
                plan.commands.len()
            ));
            return Action::None;
        }
        if plan.tasks.is_empty() {
            self.error = Some("No task is open: there is nothing to do.".to_owned());
            return Action::None;
        }
        let plan = plan.clone();
        let Ok(mut spec) = self.spec() else { return Action::None };
        // The commands were shown, and Enter agrees to exactly them.
        spec.options.trusted = Some(plan.hash.clone()).filter(|hash| !hash.is_empty());
        let waits = !plan.in_use.is_empty();
        let agreed = spec.options.trusted.clone().filter(|_| !plan.is_trusted);
        self.stage = Stage::Starting(plan);
        self.error = None;
        Action::Start { spec: Box::new(spec), waits, agreed }
    }

    /// The host would not start it.
    pub fn refused(&mut self, why: &str) {
        if let Stage::Starting(plan) = &self.stage {
            self.stage = Stage::Plan(plan.clone(), 0);
        }
        self.error = Some(part::sentence(why));
    }

    /// What was filled in; or the field that is wrong, and why.
    fn spec(&self) -> Result<Spec, (Field, String)> {
        let Some(who) = self.who() else {
            return Err((Field::Agent, "There is no agent yet: make one first.".to_owned()));
        };
        if self.documents.is_empty() {
            let why = "Say which checklist: a markdown file, then Enter.".to_owned();
            return Err((Field::Add, why));
        }
        let texts = &self.texts;
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let budgets = Budgets {
            cost_usd: money(&texts.cost).map_err(|why| (Field::Cost, why))?,
            tokens: whole(&texts.tokens).map_err(|why| (Field::Tokens, why))?,
            time_s: whole(&texts.minutes)
                .map_err(|why| (Field::Minutes, why))?
                .map(|minutes| minutes.saturating_mul(60)),
            turns: whole(&texts.turns).map_err(|why| (Field::Turns, why))?.map(small),
            tasks: whole(&texts.tasks).map_err(|why| (Field::Tasks, why))?.map(small),
            then: self.options.budgets.then,
        };
        let base = self.options.worktree.as_ref().and_then(|worktree| worktree.base.clone());
        let worktree = some(&texts.branch).map(|branch| Branching { branch, base });
        let options = Options {
            reset: self
                .documents
                .iter()
                .filter(|(_, reset)| *reset)
                .map(|(p, _)| p.clone())
                .collect(),
            prompt: some(&texts.prompt),
            verify: some(&texts.verify),
            pull_request: self.options.pull_request.clone().filter(|_| worktree.is_some()),
            worktree,
            budgets,
            ..self.options.clone()
        };
        Ok(Spec {
            documents: self.documents.iter().map(|(path, _)| path.clone()).collect(),
            directory: who.directory.clone(),
            provider: who.provider,
            agent: who.agent,
            model: some(&texts.model),
            turn_timeout_s: 3600,
            silence_timeout_s: 600,
            verify_timeout_s: 600,
            attempts: self.attempts,
            unattended: true,
            options,
        })
    }
}

/// Everybody who can do tasks.
#[must_use]
pub fn everybody(agents: &[Agent]) -> Vec<Who> {
    let who = |agent: &Agent| Who {
        agent: Some(agent.id),
        name: agent.name.clone(),
        provider: agent.provider,
        directory: agent.directory.clone(),
    };
    agents.iter().map(who).collect()
}

/// A path as it is shown: without the directory it is below.
#[must_use]
pub fn shown(path: &Path, directory: &Path) -> String {
    path.strip_prefix(directory).unwrap_or(path).display().to_string()
}

fn next<T: Clone + PartialEq>(all: &[T], now: &T, forward: bool) -> T {
    let at = all.iter().position(|one| one == now).unwrap_or(0) as isize;
    let by = if forward { 1 } else { -1 };
    all[(at + by).rem_euclid(all.len() as isize) as usize].clone()
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn whole(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err("A whole number from 1 on, or nothing for no limit.".to_owned()),
        Ok(number) => Ok(Some(number)),
    }
}

fn money(text: &str) -> Result<Option<f64>, String> {
    let text = text.trim().trim_start_matches('$');
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(usd) if usd.is_finite() && usd > 0.0 => Ok(Some(usd)),
        _ => Err("An amount in US dollars such as 2.50, or nothing for no limit.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Start {
        let who = Who {
            agent: Some(AgentId(1)),
            name: "api".to_owned(),
            provider: Provider::Claude,
            directory: PathBuf::from("/p"),
        };
        Start::new(vec![who], 0, vec!["/p/a.md".into(), "/p/b.md".into()])
    }

    fn plan() -> Plan {
        let task = maestro_core::playbook::Planned {
            document: "/p/a.md".into(),
            line: 1,
            text: "one".to_owned(),
            provider: Provider::Claude,
            model: None,
            verify: Some("make".to_owned()),
            needs: Vec::new(),
            prompt: "Do it.".to_owned(),
        };
        Plan { tasks: vec![task], hash: "abc".to_owned(), ..Plan::default() }
    }

    fn paths(start: &Start) -> Vec<String> {
        start.documents.iter().map(|(path, _)| path.display().to_string()).collect()
    }

    #[test]
    fn documents_are_ordered_reset_added_and_left_out_by_keys() {
        let mut start = start();
        assert_eq!(start.command(Id::StartDown), Action::None);
        assert_eq!(paths(&start), ["/p/b.md", "/p/a.md"]);
        let _ = start.command(Id::StartToggle);
        assert!(start.documents[1].1);
        let _ = start.command(Id::OverlayDown);
        assert_eq!(start.field, Field::Add);
        start.type_into(Field::Add, "c.md".to_owned());
        assert_eq!(start.command(Id::OverlayAccept), Action::None);
        assert_eq!(paths(&start), ["/p/b.md", "/p/a.md", "/p/c.md"]);
        start.field = Field::Document(0);
        let _ = start.command(Id::StartRemove);
        assert_eq!(paths(&start), ["/p/a.md", "/p/c.md"]);
    }

    #[test]
    fn nothing_starts_before_what_it_does_was_shown() {
        let mut start = start();
        start.type_into(Field::Cost, "2.5".to_owned());
        start.type_into(Field::Branch, "night".to_owned());
        let Action::Plan(question, spec) = start.command(Id::OverlayAccept) else { panic!() };
        assert_eq!(spec.options.trusted, None);
        assert_eq!(spec.options.budgets.cost_usd, Some(2.5));
        start.planned(question + 1, Ok(Plan::default()));
        assert_eq!(start.stage, Stage::Planning, "the answer to another question");
        start.planned(question, Ok(plan()));
        let Action::Start { spec, waits: false, agreed } = start.command(Id::OverlayAccept) else {
            panic!()
        };
        assert_eq!(agreed.as_deref(), Some("abc").filter(|_| !plan().is_trusted));
        assert_eq!(spec.options.trusted.as_deref(), Some("abc"));
        assert_eq!(spec.options.worktree.map(|w| w.branch).as_deref(), Some("night"));
        start.refused("somebody works there");
        assert_eq!(start.error.as_deref(), Some("Somebody works there."));
        assert!(matches!(start.stage, Stage::Plan(..)));
    }

    #[test]
    fn what_stands_in_the_way_is_said_and_nothing_starts() {
        for plan in [
            Plan { obstacles: vec!["api works there".to_owned()], ..plan() },
            Plan { tasks: Vec::new(), ..plan() },
        ] {
            let mut start = start();
            let Action::Plan(question, _) = start.command(Id::OverlayAccept) else { panic!() };
            start.planned(question, Ok(plan));
            assert_eq!(start.command(Id::OverlayAccept), Action::None);
            assert!(start.error.is_some());
        }
    }

    #[test]
    fn a_directory_in_use_is_waited_for() {
        let mut start = start();
        let Action::Plan(question, _) = start.command(Id::OverlayAccept) else { panic!() };
        start.planned(question, Ok(Plan { in_use: vec!["api works there".to_owned()], ..plan() }));
        assert!(matches!(start.command(Id::OverlayAccept), Action::Start { waits: true, .. }));
    }

    #[test]
    fn a_field_that_is_wrong_gets_the_keyboard() {
        for (field, text) in [
            (Field::Cost, "much"),
            (Field::Turns, "0"),
            (Field::Minutes, "-1"),
            (Field::Tokens, "1.5"),
        ] {
            let mut start = start();
            start.type_into(field, text.to_owned());
            start.field = Field::Mode;
            assert_eq!(start.command(Id::OverlayAccept), Action::None);
            assert_eq!(start.field, field);
            assert!(start.error.is_some());
        }
    }

    #[test]
    fn choices_go_round() {
        for field in start().fields() {
            let mut start = start();
            let Some(first) = start.choice(field) else { continue };
            for _ in 0..20 {
                start.choose(field, true);
            }
            for _ in 0..20 {
                start.choose(field, false);
            }
            if field != Field::Attempts {
                assert_eq!(start.choice(field), Some(first), "{field:?}");
            }
        }
    }
}
