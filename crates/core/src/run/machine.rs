//! What a run does next: a pure state machine over its journal.
//!
//! [`Machine::step`] takes what happened and gives what is to be done, in order. Whatever acts on the
//! world comes after the journal entry that announces it, and every entry is folded into the state in
//! the same breath, so that [`Machine::resume`], which folds the entries a dead host left, arrives at
//! the same state. What cannot be in the journal (did the turn finish? was the box ticked?) is looked
//! up in the world again:
//!
//! - Before the turn: nothing happened; the task is chosen anew.
//! - During a turn: its effects may have happened. A task with a `verify:` command in a directory that
//!   changed is verified first and ticked when it holds. Otherwise the same attempt is made again, in
//!   the provider's own session where its id is known, and told that it was cut short.
//! - After the turn: its result is in the journal; the run goes on with comparing, verifying, ticking.
//!   No turn is repeated.
//! - Between ticking and its entry: the document is read; a box that is ticked is ticked.
//! - During a commit: it is asked for again; what is committed is found, what is not is committed.
//! - While working copies are made: nothing was done in them yet; they are made again.

mod boxes;
mod budget;
mod choose;
mod compare;
mod decide;
mod fold;
mod judge;
mod pass;
mod tick;
mod turn;
mod user;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::journal::{Asks, Budget, Claim, Entry, Mark, Then};
use super::prompt;
use super::{Ending, Pause, Run, Verify};
use crate::agent::Provider;
use crate::checklist::{Anchor, Applied, Change, Document};
use crate::id::AgentId;
use crate::playbook::variables::Variables;
use crate::text::clean;
use crate::turn::{Failure, Outcome, Usage};

/// The numbers a run goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How long to wait after one failure, two in a row, and so on, when the provider or the disk
    /// refuses without saying until when: seconds. One more failure ends the run.
    pub waits_s: Vec<u64>,
    /// Seconds added to a limit's reset time: clocks differ.
    pub reset_margin_s: u64,
    /// Attempts at one task that may leave the directory as it was, in a row.
    pub fruitless_attempts: u32,
    /// Tasks given up that way, in a row, before the whole run has stalled.
    pub fruitless_tasks: u32,
    /// How often an attempt may be cut short by the death of a host before that counts as failing.
    pub interruptions: u32,
    /// What sessions are told.
    pub template: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            // About seven hours in all: a night.
            waits_s: vec![
                15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 3600, 3600, 3600, 3600, 3600,
            ],
            reset_margin_s: 5,
            fruitless_attempts: 3,
            fruitless_tasks: 3,
            interruptions: 5,
            template: prompt::TEMPLATE.to_owned(),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The machine was made; the first input.
    Begin,
    /// Every document of the run, read: answers [`Effect::Read`].
    Documents(Vec<Result<Document, String>>),
    /// What the directory is like: answers [`Effect::Look`].
    Looked {
        /// Its git tree; `None` outside a repository.
        tree: Option<String>,
        /// The commit that is checked out, if there is one.
        head: Option<String>,
        /// An id for a new session of the provider asked for, where it takes one.
        new_session: Option<String>,
    },
    /// The turn's session is known.
    Session {
        /// Its id.
        id: String,
        /// The model that does it, where the provider tells.
        model: Option<String>,
    },
    /// What the turn has consumed so far.
    Progress(Usage),
    /// Answers [`Effect::Turn`].
    TurnEnded {
        /// How it ended.
        outcome: Outcome,
        /// How long it took.
        duration_ms: u64,
    },
    /// Answers [`Effect::Verify`].
    Verified {
        /// How it ended.
        verify: Verify,
        /// How long it took.
        duration_ms: u64,
    },
    /// Answers [`Effect::Rewrite`].
    Rewritten(Result<Vec<Applied>, Fault>),
    /// Answers [`Effect::Copy`].
    Copied(Result<(), Fault>),
    /// Answers [`Effect::Commit`].
    Committed {
        /// The commits since [`Commit::since`], oldest first, full names; or why there is none.
        result: Result<Vec<String>, Uncommitted>,
        /// How long it took.
        duration_ms: u64,
    },
    /// Answers [`Effect::Restore`]: the later tasks whose work went with it, or why nothing was done, in a
    /// sentence.
    Restored(Result<Vec<usize>, String>),
    /// Answers [`Effect::Sleep`].
    Woken,
    /// The user wants nothing more to be begun. What runs comes to its end.
    Pause,
    /// The user wants it to go on: out of a pause, or without waiting any longer.
    Resume,
    /// The user wants a task to be passed over: by its number in the run, or the one it is at.
    Skip(Option<usize>),
    /// The user wants the rest of the document to be passed over.
    SkipDocument,
    /// The user wants a task tried again that failed, was skipped or undone.
    Retry(usize),
    /// The user wants what a task did taken back. Waits until the current task is through. Also taken by
    /// a run that has ended.
    Undo {
        /// Its number in the run.
        task: usize,
        /// Also when later tasks build on it.
        force: bool,
    },
    /// The user wants the run to end after the current task.
    Stop,
    /// The user wants it to end now.
    Kill,
    /// The run cannot go on: the directory or the repository is gone. In a sentence.
    Broken(String),
}

/// Why a document could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In a sentence.
    pub because: String,
    /// Whether it may pass by itself, as a full disk does.
    pub passing: bool,
}

/// Why there is no commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uncommitted {
    /// A hook refused it: the command, its exit code, what it printed. Counts like a `verify:` that failed.
    Refused(Verify),
    /// It may pass by itself, as a full disk or another git's lock does. In a sentence.
    Passing(String),
    /// Only the user can do something about it, as about a missing identity. In a sentence.
    Impossible(String),
}

/// What is to be done. At most one that is answered is under way; another one takes its place.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write an entry to the journal, before anything that comes after it.
    Journal(Entry),
    /// Read these documents.
    Read(Vec<PathBuf>),
    /// Look at the directory, for a turn of this provider.
    Look(Provider),
    /// Run a turn.
    Turn(Turn),
    /// Run a command.
    Verify {
        /// It, for `sh -c`.
        command: String,
    },
    /// Set boxes in a document, leaving every other byte as it is.
    Rewrite {
        /// The document.
        document: PathBuf,
        /// The boxes.
        changes: Vec<Change>,
    },
    /// Make working copies, (document, copy): [`Document::reset`] of the one becomes the other, folders
    /// included. What is there under that name was made by a host that died: it is replaced.
    Copy(Vec<(PathBuf, PathBuf)>),
    /// Commit what a task did, or only find its commits.
    Commit(Commit),
    /// Take back what a task did: the files that differ between its trees, without the documents of the
    /// run.
    Restore {
        /// Its number in the run.
        task: usize,
        /// Also when later tasks changed the same files.
        force: bool,
    },
    /// Wait until a time: milliseconds since the Unix epoch.
    Sleep {
        /// When.
        until_ms: u64,
    },
    /// End the turn or the command that runs; its answer still comes.
    Cancel,
    /// Tell the user something worth knowing, in a sentence.
    Tell(String),
}

/// A commit to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The task it is for, by its number in the run.
    pub task: usize,
    /// Its message. Without, nothing is committed: the task's commits are only found.
    pub message: Option<String>,
    /// The commit that was checked out before the task.
    pub since: Option<String>,
}

/// A turn to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who does it.
    pub provider: Provider,
    /// The agent that was named for it, if one was.
    pub agent: Option<AgentId>,
    /// The model to ask for.
    pub model: Option<String>,
    /// What it is told.
    pub prompt: String,
    /// The session it goes on with.
    pub resume: Option<String>,
    /// The id of its new session.
    pub new_session: Option<String>,
    /// Seconds it may take; 0 for ever.
    pub timeout_s: u64,
}

/// A run and what it is at.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    run: Run,
    policy: Policy,
    /// Every document and working copy so far.
    slots: Vec<Slot>,
    /// Those of this pass, in order.
    pass: Vec<usize>,
    /// The documents of this pass as last read. Never relied on after something else was done.
    documents: Vec<Document>,
    known: Vec<Known>,
    phase: Phase,
    /// The task it is at, by its number in the run.
    current: usize,
    attempt: Attempt,
    /// Where in the pass it is.
    cursor: usize,
    /// Tasks done in this pass.
    done_in_pass: u32,
    stop: bool,
    kill: bool,
    pause: bool,
    /// The task that the user wants passed over while something runs for it.
    skip: Option<usize>,
    /// What the user wants taken back, and whether by force.
    undo: VecDeque<(usize, bool)>,
    /// Why the agent wrote that the run is to end.
    halt: Option<String>,
    /// Boxes that the agent ticked beside its own and that have a command, to be verified.
    claims: VecDeque<Claim>,
    /// The commands that the user has agreed to.
    agreed: Option<Agreed>,
    /// The session that goes on with the next task of its document.
    session: Option<Shared>,
    /// What is granted again when a pause ends.
    granted: (Option<Budget>, Option<Asks>),
    /// Consumption at the time from which each budget counts.
    spent: Spent,
    /// Refusals by the provider or the disk in a row.
    refusals: usize,
    /// Tasks in a row that were given up without having changed anything.
    fruitless_tasks: u32,
    /// The user's agents.
    agents: Vec<(String, AgentId, Provider)>,
    /// What the names in prompts stand for.
    variables: Variables,
    /// Whether its journal was folded: something may have happened.
    is_resumed: bool,
}

/// A document of the run, or a working copy of one.
#[derive(Debug, Clone, PartialEq)]
struct Slot {
    /// Its number among the documents that are listed.
    listed: usize,
    path: PathBuf,
    /// Whether the rest of it is passed over.
    skipped: bool,
    /// Its boxes before the last turn.
    marks: Vec<Mark>,
}

/// What the machine waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// The documents, to choose a task.
    Choosing,
    /// Working copies; (document, copy).
    Copying(Vec<(PathBuf, PathBuf)>),
    /// What the directory is like before the turn.
    Picked,
    /// The turn's end.
    Turning,
    /// What the directory is like after the turn.
    Turned,
    /// The documents, to compare them.
    Auditing,
    /// Boxes to be set back; those still to do.
    SettingBack(Vec<(usize, Vec<Change>)>),
    /// The command's end.
    Verifying,
    /// The box to be ticked.
    Ticking,
    /// A commit.
    Committing,
    /// The box to be opened, because its commit was refused.
    Unticking,
    /// A time.
    Waiting { until_ms: u64, then: Then },
    /// The user.
    Paused { then: Then },
    /// The directory to be as it was before a task.
    Undoing { task: usize, force: bool, back: Back },
    /// Boxes of undone tasks to be opened, the last first.
    Reopening { tasks: Vec<usize>, back: Back },
    /// Nothing any more.
    Over,
}

/// Where it goes on after something was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    Choose,
    Pause(Then),
    Over,
}

/// What is known about a task beside what the world sees.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    document: usize,
    anchor: Anchor,
    fate: Fate,
    /// Attempts and repairs used up.
    used: u32,
    /// Of these, repairs.
    repaired: u32,
    /// Attempts in a row that left the directory as it was.
    fruitless: u32,
    /// How often it was cut short.
    interrupted: u32,
    /// Why the last attempt failed, for the next one.
    previous: Option<String>,
    /// Whether the session is to set it right.
    repair: bool,
    /// The session to go on with when the attempt is made again.
    resume: Option<String>,
    /// The command that decided when it was last picked; `None` before that.
    verify: Option<Option<String>>,
    /// The commit that was checked out before it.
    head: Option<String>,
    /// What the turns before the current one consumed.
    consumed: Usage,
    /// What is worth knowing about it though it is done.
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Ticked,
    Failed,
    Skipped,
    Undone,
}

/// The attempt that is made.
#[derive(Debug, Clone, PartialEq)]
struct Attempt {
    number: u32,
    of: u32,
    provider: Provider,
    agent: Option<AgentId>,
    model: Option<String>,
    verify: Option<String>,
    timeout_s: u64,
    /// Whether its session did the task before.
    follows: bool,
    /// Whether it is another task that an agent says it has done.
    is_claim: bool,
    /// Whether it was ended because a budget is used up.
    over_budget: bool,
    markers: Vec<(u32, u32)>,
    tree: Option<String>,
    tree_after: Option<String>,
    head_after: Option<String>,
    end: End,
    audited: bool,
    /// Whether its box was looked at again, because it counts no longer.
    is_void: bool,
    /// A document in which a gate disappeared during the turn.
    lost_gate: Option<PathBuf>,
    /// Why its commit was refused.
    refused: Option<Verify>,
}

/// How the turn ended.
#[derive(Debug, Clone, PartialEq)]
enum End {
    /// Not yet, or nobody knows: the host died.
    CutShort,
    Ok,
    Failed(Failure),
}

/// A session that did a task and can do the next one.
#[derive(Debug, Clone, PartialEq)]
struct Shared {
    document: usize,
    id: String,
    provider: Provider,
    agent: Option<AgentId>,
    model: Option<String>,
}

/// The commands of a run when it began.
#[derive(Debug, Clone, PartialEq, Default)]
struct Agreed {
    /// By document as listed and text of the task.
    by_task: HashMap<(usize, String), Vec<Option<String>>>,
    /// All of them.
    commands: HashSet<String>,
}

/// Consumption at some time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Spent {
    cost_usd: f64,
    tokens: u64,
    time_ms: u64,
    turns: u32,
    tasks: u32,
}

impl Attempt {
    fn none() -> Self {
        Self {
            number: 0,
            of: 0,
            provider: Provider::Demo,
            agent: None,
            model: None,
            verify: None,
            timeout_s: 0,
            follows: false,
            is_claim: false,
            over_budget: false,
            markers: Vec::new(),
            tree: None,
            tree_after: None,
            head_after: None,
            end: End::CutShort,
            audited: false,
            is_void: false,
            lost_gate: None,
            refused: None,
        }
    }

    /// Whether the directory is as it was. Unknown outside a repository.
    fn is_fruitless(&self) -> bool {
        self.tree.is_some() && self.tree == self.tree_after
    }
}

impl Machine {
    /// A run that begins.
    #[must_use]
    pub fn new(run: Run, policy: Policy) -> Self {
        let mut machine = Self {
            run,
            policy,
            slots: Vec::new(),
            pass: Vec::new(),
            documents: Vec::new(),
            known: Vec::new(),
            phase: Phase::Choosing,
            current: 0,
            attempt: Attempt::none(),
            cursor: 0,
            done_in_pass: 0,
            stop: false,
            kill: false,
            pause: false,
            skip: None,
            undo: VecDeque::new(),
            halt: None,
            claims: VecDeque::new(),
            agreed: None,
            session: None,
            granted: (None, None),
            spent: Spent::default(),
            refusals: 0,
            fruitless_tasks: 0,
            agents: Vec::new(),
            variables: Variables::default(),
            is_resumed: false,
        };
        if !machine.copies_documents() {
            machine.apply_pass(1, &[]);
        }
        machine
    }

    /// A run that goes on from what its journal says: entries with when they were written, in
    /// milliseconds since the Unix epoch. Of `run` only what does not change is used.
    #[must_use]
    pub fn resume(run: Run, policy: Policy, journal: &[(u64, Entry)]) -> Self {
        let mut begun = Run::new(run.id, run.spec, run.started_ms, run.open, run.done);
        begun.worktree = run.worktree;
        begun.pull_request = run.pull_request;
        begun.report = run.report;
        let mut machine = Self::new(begun, policy);
        machine.is_resumed = true;
        let mut last_ms = machine.run.started_ms;
        for (at_ms, entry) in journal {
            machine.apply(entry, *at_ms);
            last_ms = *at_ms;
        }
        machine.apply(&Entry::Recovered, last_ms);
        machine
    }

    /// The run as the world sees it.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Whether it waits for nothing but the user: no effect is under way, and that is as it should be.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        matches!(self.phase, Phase::Paused { .. })
    }

    /// The task it is at, by its number in the run.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        (self.current < self.known.len()).then_some(self.current)
    }

    /// The user's agents, so that a task can name one: (name, id, provider). To be told before the first
    /// input and when they change.
    pub fn know_agents(&mut self, agents: Vec<(String, AgentId, Provider)>) {
        self.agents = agents;
    }

    /// What the names in prompts stand for from now on. The document and the pass are filled in here.
    pub fn set_variables(&mut self, variables: Variables) {
        self.variables = variables;
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// The documents of the pass it is in, where they lie: for who counts their boxes after it is over.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.pass.iter().map(|slot| self.path(*slot)).collect()
    }

    /// What is to be done now that something happened. `now_ms`: milliseconds since the Unix epoch.
    /// What was not waited for changes nothing.
    pub fn step(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        let mut effects = Effects::new(now_ms);
        match input {
            Input::Begin => self.begin(&mut effects),
            Input::Documents(documents) => self.read(documents, &mut effects),
            Input::Looked { tree, head, new_session } => {
                self.looked(tree, head, new_session, &mut effects);
            }
            Input::Session { id, model } => self.session(id, model, &mut effects),
            Input::Progress(usage) => self.progress(usage, &mut effects),
            Input::TurnEnded { outcome, duration_ms } => {
                self.turn_ended(outcome, duration_ms, &mut effects);
            }
            Input::Verified { verify, duration_ms } => {
                self.verified(verify, duration_ms, &mut effects);
            }
            Input::Rewritten(result) => self.rewritten(result, &mut effects),
            Input::Copied(result) => self.copied(result, &mut effects),
            Input::Committed { result, duration_ms } => {
                self.committed(result, duration_ms, &mut effects);
            }
            Input::Restored(result) => self.restored(result, &mut effects),
            Input::Woken => self.woken(&mut effects),
            Input::Pause => self.pause(&mut effects),
            Input::Resume => self.go_on_by_order(&mut effects),
            Input::Skip(task) => self.skip(task, &mut effects),
            Input::SkipDocument => self.skip_document(&mut effects),
            Input::Retry(task) => self.retry(task, &mut effects),
            Input::Undo { task, force } => self.undo(task, force, &mut effects),
            Input::Stop => self.stop(&mut effects),
            Input::Kill => self.kill(&mut effects),
            Input::Broken(because) => self.broken(because, &mut effects),
        }
        effects.list
    }

    fn begin(&mut self, effects: &mut Effects) {
        if !self.is_resumed {
            self.is_resumed = true;
            return self.choose(effects);
        }
        if self.is_over() {
            // What a host that died was asked to take back is asked for again, or not.
            self.undo.clear();
            return;
        }
        self.record(Entry::Recovered, effects);
        self.go_on(self.phase.clone(), effects);
    }

    /// What a phase waits for is asked for again.
    fn go_on(&mut self, phase: Phase, effects: &mut Effects) {
        match phase {
            Phase::Choosing | Phase::Picked => self.choose(effects),
            Phase::Copying(copies) => effects.push(Effect::Copy(copies)),
            Phase::Turning | Phase::Turned => {
                self.phase = Phase::Turned;
                effects.push(Effect::Look(self.attempt.provider));
            }
            Phase::Auditing | Phase::SettingBack(_) => self.reread(effects),
            Phase::Verifying if self.kill => self.end_as_asked(effects),
            Phase::Verifying => self.verify(effects),
            Phase::Ticking => self.tick(effects),
            Phase::Committing => self.commit(effects),
            Phase::Unticking => self.untick(effects),
            Phase::Waiting { .. } | Phase::Paused { .. } if self.stop || self.kill => {
                self.end_from_idle(effects);
            }
            Phase::Waiting { until_ms, .. } => effects.push(Effect::Sleep { until_ms }),
            Phase::Undoing { task, force, .. } => effects.push(Effect::Restore { task, force }),
            Phase::Reopening { .. } => self.reopen(effects),
            Phase::Paused { then: Then::Pick } if !self.undo.is_empty() => {
                self.take_back(Back::Pause(Then::Pick), effects);
            }
            Phase::Paused { .. } | Phase::Over => {}
        }
    }

    /// What comes after a wait or a pause.
    fn then(&mut self, then: Then, effects: &mut Effects) {
        match then {
            Then::Pick => self.choose(effects),
            Then::Copy => effects.push(Effect::Copy(self.copies_of_pass())),
            Then::Audit => self.reread(effects),
            Then::Tick => self.tick(effects),
            Then::Commit => self.commit(effects),
            Then::Untick => self.untick(effects),
        }
    }

    /// Reads the documents to compare them.
    fn reread(&mut self, effects: &mut Effects) {
        self.phase = Phase::Auditing;
        effects.push(self.reading());
    }

    fn reading(&self) -> Effect {
        Effect::Read(self.pass.iter().map(|slot| self.slots[*slot].path.clone()).collect())
    }

    fn back_off(&mut self, because: &str, then: Then, effects: &mut Effects) {
        match self.policy.waits_s.get(self.refusals) {
            Some(wait_s) => {
                let until_ms = effects.now_ms.saturating_add(wait_s.saturating_mul(1000));
                self.wait(until_ms, sentence(because), then, effects);
            }
            None => {
                let sentence = format!(
                    "{} That was so {} times in a row; start the run again later.",
                    sentence(because),
                    self.refusals + 1
                );
                self.end(Ending::Failed(sentence), effects);
            }
        }
    }

    fn wait(&mut self, until_ms: u64, because: String, then: Then, effects: &mut Effects) {
        if self.stop || self.kill {
            return self.end_before(then, &because, effects);
        }
        if self.pause {
            return self.hold(Pause::User, then, effects);
        }
        self.record(Entry::Waiting { until_ms, because, then }, effects);
        effects.push(Effect::Sleep { until_ms });
    }

    fn woken(&mut self, effects: &mut Effects) {
        let Phase::Waiting { then, .. } = self.phase else { return };
        self.record(Entry::Woken, effects);
        self.then(then, effects);
    }

    /// Does nothing until the user says so.
    fn hold(&mut self, why: Pause, then: Then, effects: &mut Effects) {
        self.hold_for(why, then, None, None, effects);
    }

    fn hold_for(
        &mut self,
        why: Pause,
        then: Then,
        budget: Option<Budget>,
        asks: Option<Asks>,
        effects: &mut Effects,
    ) {
        if self.stop || self.kill {
            return self.end_before(then, &why.sentence(), effects);
        }
        if why != Pause::User {
            self.flag(&format!("The run is paused. {}", why.sentence()), effects);
        }
        self.record(Entry::Paused { why, then, budget, asks }, effects);
    }

    /// The user has to do something about it before it goes on.
    fn need(&mut self, because: &str, then: Then, effects: &mut Effects) {
        self.hold(Pause::Needed(sentence(because)), then, effects);
    }

    fn broken(&mut self, because: String, effects: &mut Effects) {
        if !self.is_over() {
            if matches!(self.phase, Phase::Turning | Phase::Verifying) {
                effects.push(Effect::Cancel);
            }
            self.end(Ending::Failed(sentence(&because)), effects);
        }
    }

    fn end_as_asked(&mut self, effects: &mut Effects) {
        let ending = if self.kill { Ending::Killed } else { Ending::Stopped };
        self.end(ending, effects);
    }

    /// The user does not want to wait for what could not be done.
    fn end_before(&mut self, then: Then, because: &str, effects: &mut Effects) {
        if matches!(then, Then::Audit | Then::Tick | Then::Untick) {
            let text =
                format!("The run ended before its boxes were set as they should be. {because}");
            self.flag(&text, effects);
        }
        self.end_as_asked(effects);
    }

    fn end(&mut self, ending: Ending, effects: &mut Effects) {
        // What is verified and ticked is done, committed or not.
        let is_ticked = matches!(
            self.phase,
            Phase::Committing
                | Phase::Waiting { then: Then::Commit, .. }
                | Phase::Paused { then: Then::Commit }
        );
        if is_ticked {
            self.flag("It is done, but its work was not committed.", effects);
            self.record(Entry::Ticked, effects);
        }
        self.record(Entry::Ended { ending }, effects);
    }

    /// Something the user should know, in a sentence.
    fn flag(&mut self, text: &str, effects: &mut Effects) {
        let text = clean(text, MAX_FLAG);
        self.record(Entry::Flagged { text: text.clone() }, effects);
        effects.push(Effect::Tell(text));
    }

    /// The path of a document or working copy.
    fn path(&self, slot: usize) -> PathBuf {
        self.slots.get(slot).map(|slot| slot.path.clone()).unwrap_or_default()
    }

    /// A document of this pass as last read, by its number in the run.
    fn document(&self, slot: usize) -> Option<&Document> {
        let at = self.pass.iter().position(|here| *here == slot)?;
        self.documents.get(at)
    }
}

/// Longest sentence about something the user should know, in characters.
const MAX_FLAG: usize = 1000;

struct Effects {
    now_ms: u64,
    list: Vec<Effect>,
}

impl Effects {
    fn new(now_ms: u64) -> Self {
        Self { now_ms, list: Vec::new() }
    }

    fn push(&mut self, effect: Effect) {
        self.list.push(effect);
    }
}

/// Text with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
