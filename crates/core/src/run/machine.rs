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

use serde::{Deserialize, Serialize};

use super::audit;
use super::journal::{Entry, Mark, Then};
use super::prompt;
use super::{Ending, Run, State, Task, TaskState, Verify};
use crate::agent::Provider;
use crate::checklist::{Anchor, Applied, Change, Document, Found};
use crate::turn::{Failure, FailureKind, Outcome, Usage};

/// Longest answer that is kept in the journal, in bytes: its end.
const MAX_ANSWER: usize = 4 * 1024;

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
        /// An id for a new session of the provider asked for, where it takes one.
        new_session: Option<String>,
    },
    /// The turn's session is known.
    Session(String),
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
    /// Answers [`Effect::Sleep`].
    Woken,
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

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write an entry to the journal, before anything that comes after it.
    Journal(Entry),
    /// Read every document.
    Read,
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
        /// The document, by its number in the run.
        document: usize,
        /// The boxes.
        changes: Vec<Change>,
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

/// A turn to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who does it.
    pub provider: Provider,
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
    known: Vec<Known>,
    phase: Phase,
    /// The task it is at, by its number in the run.
    current: usize,
    attempt: Attempt,
    stop: bool,
    kill: bool,
    /// Refusals by the provider or the disk in a row.
    refusals: usize,
    /// Tasks in a row that were given up without having changed anything.
    fruitless_tasks: u32,
    /// The documents as last read. Never relied on after something else was done.
    documents: Vec<Document>,
}

/// What the machine waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// The documents, to choose a task.
    Choosing,
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
    /// A time.
    Waiting { until_ms: u64, then: Then },
    /// Nothing any more.
    Over,
}

/// What is known about a task beside what the world sees.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    document: usize,
    anchor: Anchor,
    fate: Fate,
    /// Attempts used up.
    used: u32,
    /// Attempts in a row that left the directory as it was.
    fruitless: u32,
    /// How often it was cut short.
    interrupted: u32,
    /// Why the last attempt failed, for the next one.
    previous: Option<String>,
    /// The session to go on with when the attempt is made again.
    resume: Option<String>,
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
}

/// The attempt that is made.
#[derive(Debug, Clone, PartialEq)]
struct Attempt {
    number: u32,
    of: u32,
    provider: Provider,
    verify: Option<String>,
    timeout_s: u64,
    marks: Vec<Vec<Mark>>,
    tree: Option<String>,
    tree_after: Option<String>,
    end: End,
    audited: bool,
}

/// How the turn ended.
#[derive(Debug, Clone, PartialEq)]
enum End {
    /// Not yet, or nobody knows: the host died.
    CutShort,
    Ok,
    Failed(Failure),
}

impl Attempt {
    fn none() -> Self {
        Self {
            number: 0,
            of: 0,
            provider: Provider::Demo,
            verify: None,
            timeout_s: 0,
            marks: Vec::new(),
            tree: None,
            tree_after: None,
            end: End::CutShort,
            audited: false,
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
        Self {
            run,
            policy,
            known: Vec::new(),
            phase: Phase::Choosing,
            current: 0,
            attempt: Attempt::none(),
            stop: false,
            kill: false,
            refusals: 0,
            fruitless_tasks: 0,
            documents: Vec::new(),
        }
    }

    /// A run that goes on from what its journal says. Of `run` only what does not change is used.
    #[must_use]
    pub fn resume(mut run: Run, policy: Policy, journal: &[Entry]) -> Self {
        run.tasks.clear();
        run.usage = Usage::default();
        run.state = State::Running;
        let mut machine = Self::new(run, policy);
        for entry in journal {
            machine.apply(entry);
        }
        machine.apply(&Entry::Recovered);
        machine
    }

    /// The run as the world sees it.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// What is to be done now that something happened. `now_ms`: milliseconds since the Unix epoch.
    /// What was not waited for changes nothing.
    pub fn step(&mut self, input: Input, now_ms: u64) -> Vec<Effect> {
        let mut effects = Effects::new(now_ms);
        match input {
            Input::Begin => self.begin(&mut effects),
            Input::Documents(documents) => self.read(documents, &mut effects),
            Input::Looked { tree, new_session } => self.looked(tree, new_session, &mut effects),
            Input::Session(id) => self.session(id, &mut effects),
            Input::Progress(usage) => self.progress(usage),
            Input::TurnEnded { outcome, duration_ms } => {
                self.turn_ended(outcome, duration_ms, &mut effects);
            }
            Input::Verified { verify, duration_ms } => {
                self.verified(verify, duration_ms, &mut effects);
            }
            Input::Rewritten(result) => self.rewritten(result, &mut effects),
            Input::Woken => self.woken(&mut effects),
            Input::Stop => self.stop(&mut effects),
            Input::Kill => self.kill(&mut effects),
            Input::Broken(because) => self.broken(because, &mut effects),
        }
        effects.list
    }

    fn begin(&mut self, effects: &mut Effects) {
        match self.phase.clone() {
            Phase::Over => {}
            Phase::Choosing if self.known.is_empty() && !self.kill => effects.push(Effect::Read),
            phase => {
                self.record(Entry::Recovered, effects);
                self.go_on(phase, effects);
            }
        }
    }

    /// What a phase waits for is asked for again.
    fn go_on(&mut self, phase: Phase, effects: &mut Effects) {
        match phase {
            Phase::Choosing | Phase::Picked => self.choose(effects),
            Phase::Turning | Phase::Turned => {
                self.phase = Phase::Turned;
                effects.push(Effect::Look(self.attempt.provider));
            }
            Phase::Auditing | Phase::SettingBack(_) => {
                self.phase = Phase::Auditing;
                effects.push(Effect::Read);
            }
            Phase::Verifying => self.verify(effects),
            Phase::Ticking => self.tick(effects),
            Phase::Waiting { .. } if self.stop || self.kill => self.end_as_asked(effects),
            Phase::Waiting { until_ms, .. } => effects.push(Effect::Sleep { until_ms }),
            Phase::Over => {}
        }
    }

    // Choosing.

    /// The next task, unless the run is to end.
    fn choose(&mut self, effects: &mut Effects) {
        self.phase = Phase::Choosing;
        if self.kill {
            self.end_as_asked(effects);
        } else {
            effects.push(Effect::Read);
        }
    }

    fn read(&mut self, documents: Vec<Result<Document, String>>, effects: &mut Effects) {
        if !matches!(self.phase, Phase::Choosing | Phase::Auditing) {
            return;
        }
        let documents = match documents.into_iter().collect::<Result<Vec<_>, _>>() {
            Ok(documents) if documents.len() == self.run.spec.documents.len() => documents,
            Ok(_) => return,
            Err(because) => return self.broken(because, effects),
        };
        self.documents = documents;
        self.count();
        if self.phase == Phase::Choosing { self.pick(effects) } else { self.audit(effects) }
    }

    fn count(&mut self) {
        let sum = |count: fn(&Document) -> usize| {
            u32::try_from(self.documents.iter().map(count).sum::<usize>()).unwrap_or(u32::MAX)
        };
        (self.run.open, self.run.done) = (sum(Document::open), sum(Document::done));
    }

    fn pick(&mut self, effects: &mut Effects) {
        if self.kill {
            return self.end_as_asked(effects);
        }
        let mut blocked = Vec::new();
        for document in 0..self.documents.len() {
            let numbers = self.numbers(document);
            for (place, number) in numbers.into_iter().enumerate() {
                match self.consider(document, place, number) {
                    Verdict::Skip => {}
                    Verdict::Blocked(because) => blocked.push((document, place, number, because)),
                    Verdict::Refuse(because) => {
                        self.refuse(document, place, number, because, effects);
                    }
                    Verdict::Do(_) if self.stop => return self.end_as_asked(effects),
                    Verdict::Do(provider) => {
                        return self.take(document, place, number, provider, effects);
                    }
                }
            }
        }
        for (document, place, number, because) in blocked {
            self.refuse(document, place, number, because, effects);
        }
        let failed = self.known.iter().any(|known| known.fate == Fate::Failed);
        let ending =
            if failed || self.run.open > 0 { Ending::WithFailures } else { Ending::Completed };
        self.record(Entry::Ended { ending }, effects);
    }

    /// For every task of a document its number in the run, if it is known to it.
    fn numbers(&self, document: usize) -> Vec<Option<usize>> {
        let here = &self.documents[document];
        let mut numbers = vec![None; here.tasks().len()];
        for (number, known) in self.known.iter().enumerate() {
            if known.document != document {
                continue;
            }
            match here.find(&known.anchor) {
                // A reworded task goes on with the attempts it has left, or attempts would be endless.
                Found::At(place) => numbers[place] = Some(number),
                Found::Reworded(place) if numbers[place].is_none() => numbers[place] = Some(number),
                Found::Reworded(_) | Found::Gone => {}
                // It is one of these. Rather none of them is done than one twice.
                Found::Ambiguous if known.fate != Fate::Open => {
                    for (place, task) in here.tasks().iter().enumerate() {
                        if task.text == known.anchor.text && numbers[place].is_none() {
                            numbers[place] = Some(number);
                        }
                    }
                }
                Found::Ambiguous => {}
            }
        }
        numbers
    }

    fn consider(&self, document: usize, place: usize, number: Option<usize>) -> Verdict {
        let task = &self.documents[document].tasks()[place];
        if task.checked {
            return Verdict::Skip;
        }
        match number.map(|number| self.known[number].fate) {
            Some(Fate::Failed) => return Verdict::Skip,
            Some(Fate::Ticked) => {
                return Verdict::Refuse(
                    "Its box was opened again after it had been done; start another run to have it \
                     done again."
                        .to_owned(),
                );
            }
            Some(Fate::Open) | None => {}
        }
        // A host may have died between the last attempt's failure and what follows from it.
        if let Some(because) = number.and_then(|number| self.is_used_up(number, document, place)) {
            return Verdict::Refuse(because);
        }
        if let Some(problem) = task.fields.problems.first() {
            return Verdict::Refuse(format!("A line under it cannot be read: {problem}."));
        }
        if let Err(because) = self.needs(document, place) {
            return Verdict::Blocked(because);
        }
        match task.fields.agent.as_deref().map(str::parse) {
            None => Verdict::Do(self.run.spec.provider),
            Some(Ok(Provider::Shell)) => {
                Verdict::Refuse("`agent: shell` cannot do a task; name an agent.".to_owned())
            }
            Some(Ok(provider)) => Verdict::Do(provider),
            Some(Err(unknown)) => Verdict::Refuse(format!("Its `agent:` is unknown: {unknown}.")),
        }
    }

    /// Why a task has no attempt left.
    fn is_used_up(&self, number: usize, document: usize, place: usize) -> Option<String> {
        let known = &self.known[number];
        let used_up = known.used >= self.attempts(document, place)
            || known.fruitless >= self.policy.fruitless_attempts;
        let because = self.run.tasks.get(number).and_then(|task| task.because.clone());
        used_up.then(|| because.unwrap_or_default())
    }

    /// How many attempts a task has.
    fn attempts(&self, document: usize, place: usize) -> u32 {
        let retries = self.documents[document].tasks()[place].fields.retries;
        retries.map_or(self.run.spec.attempts, |retries| retries.saturating_add(1)).max(1)
    }

    /// Whether what a task needs is done: other tasks of its document, by their number or the
    /// beginning of their text.
    fn needs(&self, document: usize, place: usize) -> Result<(), String> {
        let tasks = self.documents[document].tasks();
        for need in &tasks[place].fields.needs {
            let number = need.trim_start_matches('#').parse::<usize>().ok();
            let by_number =
                number.and_then(|number| number.checked_sub(1)).filter(|at| *at < tasks.len());
            let wanted = need.to_lowercase();
            let by_text = || {
                let mut matching = (0..tasks.len()).filter(|at| {
                    *at != place && tasks[*at].text.to_lowercase().starts_with(&wanted)
                });
                matching.next().filter(|_| matching.next().is_none())
            };
            match by_number.or_else(by_text) {
                Some(at) if tasks[at].checked => {}
                Some(at) => {
                    return Err(format!("It needs “{}”, which is not done.", tasks[at].text));
                }
                None => {
                    return Err(format!("It needs “{need}”, which names no task of its document."));
                }
            }
        }
        Ok(())
    }

    fn refuse(
        &mut self,
        document: usize,
        place: usize,
        number: Option<usize>,
        because: String,
        effects: &mut Effects,
    ) {
        let task = number.unwrap_or(self.known.len());
        let anchor = self.documents[document].anchor(place);
        self.record(Entry::Refused { task, document, anchor, because }, effects);
    }

    fn take(
        &mut self,
        document: usize,
        place: usize,
        number: Option<usize>,
        provider: Provider,
        effects: &mut Effects,
    ) {
        let task = &self.documents[document].tasks()[place];
        let used = number.map_or(0, |number| self.known[number].used);
        let entry = Entry::Picked {
            task: number.unwrap_or(self.known.len()),
            document,
            anchor: self.documents[document].anchor(place),
            attempt: used + 1,
            attempts: self.attempts(document, place),
            provider,
            verify: task.fields.verify_command(),
            timeout_s: task.fields.timeout_s.unwrap_or(self.run.spec.turn_timeout_s),
        };
        self.record(entry, effects);
        effects.push(Effect::Look(provider));
    }

    // The turn.

    fn looked(&mut self, tree: Option<String>, new_session: Option<String>, effects: &mut Effects) {
        match self.phase {
            Phase::Picked if self.kill => self.end_as_asked(effects),
            Phase::Picked => self.turn(tree, new_session, effects),
            Phase::Turned => {
                self.record(Entry::Settled { tree }, effects);
                effects.push(Effect::Read);
            }
            _ => {}
        }
    }

    fn turn(&mut self, tree: Option<String>, new_session: Option<String>, effects: &mut Effects) {
        let resume = self.known[self.current].resume.clone();
        let new_session = new_session.filter(|_| resume.is_none());
        let turn = Turn {
            provider: self.attempt.provider,
            prompt: self.prompt(),
            resume,
            new_session,
            timeout_s: self.attempt.timeout_s,
        };
        let entry = Entry::Turn {
            prompt: turn.prompt.clone(),
            resume: turn.resume.clone(),
            new_session: turn.new_session.clone(),
            tree,
            marks: self.documents.iter().map(audit::marks).collect(),
        };
        self.record(entry, effects);
        effects.push(Effect::Turn(turn));
    }

    fn prompt(&self) -> String {
        let known = &self.known[self.current];
        let document = &self.documents[known.document];
        let task = match document.find(&known.anchor) {
            Found::At(place) => Some(&document.tasks()[place]),
            _ => None,
        };
        let facts = prompt::Facts {
            task: &known.anchor.text,
            details: task.map_or("", |task| &task.details),
            document: &self.run.spec.documents[known.document].to_string_lossy(),
            line: known.anchor.line,
            section: known.anchor.section.as_deref(),
            prose: &document.prose(),
            verify: self.attempt.verify.as_deref(),
            interrupted: known.interrupted > 0,
            previous: known.previous.as_deref(),
        };
        prompt::render(&self.policy.template, &facts)
    }

    fn session(&mut self, id: String, effects: &mut Effects) {
        let known = self.run.tasks.get(self.current).and_then(|task| task.session.as_deref());
        if self.phase == Phase::Turning && known != Some(id.as_str()) {
            self.record(Entry::Session { id }, effects);
        }
    }

    fn progress(&mut self, usage: Usage) {
        if self.phase == Phase::Turning {
            self.consume(usage);
        }
    }

    fn turn_ended(&mut self, outcome: Outcome, duration_ms: u64, effects: &mut Effects) {
        if self.phase != Phase::Turning {
            return;
        }
        let entry = Entry::TurnEnded {
            result: outcome.result,
            session: outcome.session,
            text: end_of(&outcome.text, MAX_ANSWER),
            usage: outcome.usage,
            duration_ms,
        };
        self.record(entry, effects);
        effects.push(Effect::Look(self.attempt.provider));
    }

    // Comparing.

    fn audit(&mut self, effects: &mut Effects) {
        let mut changes: Vec<(usize, Vec<Change>)> = Vec::new();
        let (mut unticked, mut reticked, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        let current = self.known[self.current].clone();
        for (at, document) in self.documents.iter().enumerate() {
            let Some(before) = self.attempt.marks.get(at) else { continue };
            let found = audit::compare(before, document);
            let numbers = self.numbers(at);
            let mut here = Vec::new();
            for place in found.ticked {
                let is_current = at == current.document && numbers[place] == Some(self.current);
                let has_evidence = document.find(&current.anchor) == Found::At(place)
                    && is_current
                    && self.attempt.end == End::Ok
                    && self.attempt.verify.is_none();
                if !has_evidence {
                    here.push(Change { anchor: document.anchor(place), checked: false });
                }
                if !is_current {
                    unticked.push(document.tasks()[place].text.clone());
                }
            }
            for place in found.unticked {
                let number = numbers[place];
                if number.is_some_and(|number| self.known[number].fate == Fate::Ticked) {
                    here.push(Change { anchor: document.anchor(place), checked: true });
                    reticked.push(document.tasks()[place].text.clone());
                }
            }
            let is_current = |text: &String| at == current.document && *text == current.anchor.text;
            dropped.extend(
                found.dropped.into_iter().filter(|text| !is_current(text)).map(|text| (at, text)),
            );
            if !here.is_empty() {
                changes.push((at, here));
            }
        }
        let anchor = match self.documents[current.document].find(&current.anchor) {
            Found::At(place) => Some(self.documents[current.document].anchor(place)),
            Found::Reworded(_) | Found::Gone | Found::Ambiguous => None,
        };
        if !changes.is_empty() {
            self.record(Entry::SettingBack { changes: changes.clone() }, effects);
        }
        // Told once: after boxes were set back the comparison is made again, and finds nothing.
        if self.attempt.audited {
            dropped.clear();
        }
        if !self.attempt.audited || !changes.is_empty() {
            let entry = Entry::Audited { anchor, unticked, reticked, dropped };
            self.tell(&entry, effects);
            self.record(entry, effects);
        }
        match changes.first() {
            Some((document, first)) => {
                effects.push(Effect::Rewrite { document: *document, changes: first.clone() });
                self.phase = Phase::SettingBack(changes);
            }
            None => self.judge(effects),
        }
    }

    fn tell(&self, entry: &Entry, effects: &mut Effects) {
        let Entry::Audited { unticked, reticked, dropped, .. } = entry else { return };
        let task = &self.known[self.current].anchor.text;
        let quoted = |texts: &[String]| {
            texts.iter().map(|text| format!("“{text}”")).collect::<Vec<_>>().join(", ")
        };
        if !unticked.is_empty() {
            effects.push(Effect::Tell(format!(
                "While “{task}” was worked on, {} ticked without evidence; Maestro opened {} again.",
                quoted(unticked) + if unticked.len() == 1 { " was" } else { " were" },
                if unticked.len() == 1 { "it" } else { "them" },
            )));
        }
        if !reticked.is_empty() {
            effects.push(Effect::Tell(format!(
                "While “{task}” was worked on, boxes were opened that this run had done: {}. Maestro \
                 ticked them again.",
                quoted(reticked),
            )));
        }
        if !dropped.is_empty() {
            let texts: Vec<String> = dropped.iter().map(|(_, text)| text.clone()).collect();
            effects.push(Effect::Tell(format!(
                "While “{task}” was worked on, open tasks disappeared from the checklist: {}.",
                quoted(&texts),
            )));
        }
    }

    /// What follows from how the turn ended.
    fn judge(&mut self, effects: &mut Effects) {
        if self.kill {
            return self.end_as_asked(effects);
        }
        match self.attempt.end.clone() {
            End::Ok if self.attempt.verify.is_some() => self.verify(effects),
            End::Ok => self.tick(effects),
            End::CutShort => {
                // Something happened, and there is a way to ask whether it was enough.
                if self.attempt.verify.is_some() && !self.attempt.is_fruitless() {
                    self.verify(effects);
                } else {
                    self.again(effects);
                }
            }
            End::Failed(failure) => self.failed(&failure, effects),
        }
    }

    fn again(&mut self, effects: &mut Effects) {
        if self.known[self.current].interrupted < self.policy.interruptions {
            self.record(Entry::CutShort, effects);
            self.choose(effects);
        } else {
            let because = "Maestro was ended during the attempt.".to_owned();
            self.attempt_failed(because, effects);
        }
    }

    fn failed(&mut self, failure: &Failure, effects: &mut Effects) {
        let message = failure.message.trim();
        match failure.kind {
            FailureKind::Auth
            | FailureKind::Billing
            | FailureKind::ModelUnknown
            | FailureKind::Unusable => {
                let advice = match failure.kind {
                    FailureKind::Auth => {
                        "Log in with the agent's own program, then start the run again."
                    }
                    FailureKind::Billing => "Add credit, then start the run again.",
                    FailureKind::ModelUnknown => "Name another model, then start the run again.",
                    _ => "Start the run again when that is settled.",
                };
                self.record(
                    Entry::AttemptFailed {
                        because: message.to_owned(),
                        counts: false,
                        fruitless: self.attempt.is_fruitless(),
                    },
                    effects,
                );
                let sentence = format!("{} {advice}", sentence(message));
                self.record(Entry::Ended { ending: Ending::Failed(sentence) }, effects);
            }
            FailureKind::Limit { resets_ms: Some(resets_ms) } if resets_ms > effects.now_ms => {
                // Not sooner than after any other refusal, so that a provider that always says "in a
                // second" is not asked every second.
                let least = self.policy.waits_s.get(self.refusals).or(self.policy.waits_s.last());
                let least = effects.now_ms + least.copied().unwrap_or_default() * 1000;
                let until_ms =
                    resets_ms.saturating_add(self.policy.reset_margin_s * 1000).max(least);
                self.postpone(message, effects);
                self.wait(until_ms, sentence(message), Then::Pick, effects);
            }
            FailureKind::Limit { .. } | FailureKind::Overload | FailureKind::Network => {
                self.postpone(message, effects);
                self.back_off(message, Then::Pick, effects);
            }
            FailureKind::SessionMissing if self.known[self.current].resume.is_some() => {
                self.postpone(message, effects);
                self.choose(effects);
            }
            FailureKind::Context
            | FailureKind::SessionMissing
            | FailureKind::Permission
            | FailureKind::Interrupted
            | FailureKind::Crashed
            | FailureKind::Silent
            | FailureKind::Other => self.attempt_failed(sentence(message), effects),
        }
    }

    /// The attempt is made again later; it was not the task's fault.
    fn postpone(&mut self, because: &str, effects: &mut Effects) {
        let entry = Entry::AttemptFailed {
            because: sentence(because),
            counts: false,
            fruitless: self.attempt.is_fruitless(),
        };
        self.record(entry, effects);
    }

    fn attempt_failed(&mut self, because: String, effects: &mut Effects) {
        let fruitless = self.attempt.is_fruitless();
        let entry = Entry::AttemptFailed { because: because.clone(), counts: true, fruitless };
        self.record(entry, effects);
        let known = &self.known[self.current];
        let given_up =
            known.used >= self.attempt.of || known.fruitless >= self.policy.fruitless_attempts;
        if given_up {
            self.record(Entry::TaskFailed { because: because.clone() }, effects);
        }
        if self.fruitless_tasks >= self.policy.fruitless_tasks && !(self.stop || self.kill) {
            let sentence = format!(
                "It stalled: {} tasks in a row failed without a change to any file. The last one: \
                 {because}",
                self.fruitless_tasks
            );
            self.record(Entry::Ended { ending: Ending::Failed(sentence) }, effects);
        } else {
            self.choose(effects);
        }
    }

    // Verifying and ticking.

    fn verify(&mut self, effects: &mut Effects) {
        let command = self.attempt.verify.clone().unwrap_or_default();
        self.record(Entry::Verifying { command: command.clone() }, effects);
        effects.push(Effect::Verify { command });
    }

    fn verified(&mut self, verify: Verify, duration_ms: u64, effects: &mut Effects) {
        if self.phase != Phase::Verifying {
            return;
        }
        let passed = verify.exit_code == Some(0);
        let because = unverified(&verify);
        self.record(Entry::Verified { verify, duration_ms }, effects);
        if passed {
            self.tick(effects);
        } else if self.kill {
            self.end_as_asked(effects);
        } else if self.attempt.end == End::CutShort {
            self.again(effects);
        } else {
            self.attempt_failed(because, effects);
        }
    }

    fn tick(&mut self, effects: &mut Effects) {
        self.record(Entry::Ticking, effects);
        let known = &self.known[self.current];
        effects.push(Effect::Rewrite {
            document: known.document,
            changes: vec![Change { anchor: known.anchor.clone(), checked: true }],
        });
    }

    fn rewritten(&mut self, result: Result<Vec<Applied>, Fault>, effects: &mut Effects) {
        let then = match self.phase {
            Phase::Ticking => Then::Tick,
            Phase::SettingBack(_) => Then::Audit,
            _ => return,
        };
        match (result, &mut self.phase) {
            (Err(fault), _) if !fault.passing => self.broken(fault.because, effects),
            (Err(_), _) if self.kill => self.end_as_asked(effects),
            (Err(fault), _) => self.back_off(&fault.because, then, effects),
            (Ok(_), Phase::SettingBack(changes)) => {
                let _ = changes.remove(0);
                match changes.first() {
                    Some((document, changes)) => {
                        let (document, changes) = (*document, changes.clone());
                        effects.push(Effect::Rewrite { document, changes });
                    }
                    None => self.judge(effects),
                }
            }
            (Ok(applied), _) => self.ticked(applied.first().copied(), effects),
        }
    }

    fn ticked(&mut self, applied: Option<Applied>, effects: &mut Effects) {
        match applied {
            Some(Applied::Changed | Applied::Already) => self.record(Entry::Ticked, effects),
            Some(Applied::Reworded) => {
                let because =
                    "Its line was reworded while it was worked on, so it was not ticked; it \
                               is taken up again as it reads now."
                        .to_owned();
                return self.attempt_failed(because, effects);
            }
            Some(Applied::Ambiguous) => {
                let because =
                    "It was done, but several tasks of the document now read alike, so none \
                               was ticked."
                        .to_owned();
                self.record(Entry::TaskFailed { because }, effects);
            }
            Some(Applied::Gone) | None => {
                let because =
                    "It was done, but its line is no longer in the document, so nothing was \
                               ticked."
                        .to_owned();
                self.record(Entry::TaskFailed { because }, effects);
            }
        }
        self.choose(effects);
    }

    // Waiting and ending.

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
                self.record(Entry::Ended { ending: Ending::Failed(sentence) }, effects);
            }
        }
    }

    fn wait(&mut self, until_ms: u64, because: String, then: Then, effects: &mut Effects) {
        if self.stop || self.kill {
            return self.end_as_asked(effects);
        }
        self.record(Entry::Waiting { until_ms, because, then }, effects);
        effects.push(Effect::Sleep { until_ms });
    }

    fn woken(&mut self, effects: &mut Effects) {
        let Phase::Waiting { then, .. } = self.phase else { return };
        self.record(Entry::Woken, effects);
        match then {
            Then::Pick => self.choose(effects),
            Then::Audit => {
                self.phase = Phase::Auditing;
                effects.push(Effect::Read);
            }
            Then::Tick => self.tick(effects),
        }
    }

    fn stop(&mut self, effects: &mut Effects) {
        if self.stop || self.kill || self.is_over() {
            return;
        }
        self.record(Entry::StopAsked, effects);
        if matches!(self.phase, Phase::Waiting { .. }) {
            self.end_as_asked(effects);
        }
    }

    fn kill(&mut self, effects: &mut Effects) {
        if self.kill || self.is_over() {
            return;
        }
        self.record(Entry::KillAsked, effects);
        match self.phase {
            Phase::Turning | Phase::Verifying => effects.push(Effect::Cancel),
            Phase::Waiting { .. } => self.end_as_asked(effects),
            _ => {}
        }
    }

    fn broken(&mut self, because: String, effects: &mut Effects) {
        if !self.is_over() {
            if matches!(self.phase, Phase::Turning | Phase::Verifying) {
                effects.push(Effect::Cancel);
            }
            self.record(Entry::Ended { ending: Ending::Failed(sentence(&because)) }, effects);
        }
    }

    fn end_as_asked(&mut self, effects: &mut Effects) {
        let ending = if self.kill { Ending::Killed } else { Ending::Stopped };
        self.record(Entry::Ended { ending }, effects);
    }

    // The journal.

    /// Takes an entry into the state and has it written.
    fn record(&mut self, entry: Entry, effects: &mut Effects) {
        self.apply(&entry);
        if let Entry::Ended { ending: _ } = entry {
            self.run.ended_ms = Some(effects.now_ms);
        }
        effects.push(Effect::Journal(entry));
    }

    fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Started => {}
            Entry::Recovered => self.apply_recovered(),
            Entry::Picked {
                task,
                document,
                anchor,
                attempt,
                attempts,
                provider,
                verify,
                timeout_s,
            } => {
                self.touch(*task, *document, anchor);
                self.current = *task;
                self.attempt = Attempt {
                    number: *attempt,
                    of: *attempts,
                    provider: *provider,
                    verify: verify.clone(),
                    timeout_s: *timeout_s,
                    ..Attempt::none()
                };
                self.phase = Phase::Picked;
            }
            Entry::Refused { task, document, anchor, because } => {
                self.touch(*task, *document, anchor);
                self.give_up(*task, because);
            }
            Entry::Turn { resume, new_session, tree, marks, .. } => {
                self.apply_turn(resume.as_ref().or(new_session.as_ref()), tree.as_ref(), marks);
            }
            Entry::Session { id } => self.with_task(|task| task.session = Some(id.clone())),
            Entry::TurnEnded { result, session, usage, duration_ms, .. } => {
                self.apply_turn_ended(result, session.as_ref(), *usage, *duration_ms);
            }
            Entry::Settled { tree } => {
                self.attempt.tree_after.clone_from(tree);
                self.with_task(|task| task.tree_after.clone_from(tree));
                self.phase = Phase::Auditing;
            }
            Entry::SettingBack { changes } => self.phase = Phase::SettingBack(changes.clone()),
            Entry::Audited { anchor, unticked, dropped, .. } => {
                self.apply_audited(anchor.as_ref(), unticked, dropped);
            }
            Entry::Verifying { .. } => {
                self.with_task(|task| task.state = TaskState::Verifying);
                self.phase = Phase::Verifying;
            }
            Entry::Verified { verify, duration_ms } => {
                self.with_task(|task| {
                    task.duration_ms = task.duration_ms.saturating_add(*duration_ms);
                    task.verify = Some(verify.clone());
                });
                if verify.exit_code == Some(0) && self.attempt.end == End::CutShort {
                    self.note("Its turn was cut short; its command held afterwards.".to_owned());
                }
                // Not verified is decided again from the journal's next entry, or by verifying again.
                if verify.exit_code == Some(0) {
                    self.phase = Phase::Ticking;
                }
            }
            Entry::Ticking => self.phase = Phase::Ticking,
            Entry::Ticked => {
                if let Some(known) = self.known.get_mut(self.current) {
                    known.fate = Fate::Ticked;
                }
                let note = self.known.get(self.current).and_then(|known| known.note.clone());
                self.with_task(|task| {
                    task.state = TaskState::Done;
                    task.because = note;
                });
                (self.refusals, self.fruitless_tasks) = (0, 0);
                self.phase = Phase::Choosing;
            }
            Entry::AttemptFailed { because, counts, fruitless } => {
                self.apply_attempt_failed(because, *counts, *fruitless);
            }
            Entry::CutShort => {
                let session =
                    self.run.tasks.get(self.current).and_then(|task| task.session.clone());
                if let Some(known) = self.known.get_mut(self.current) {
                    known.interrupted += 1;
                    known.resume = session;
                }
                self.phase = Phase::Choosing;
            }
            Entry::TaskFailed { because } => {
                let fruitless = self
                    .known
                    .get(self.current)
                    .is_some_and(|known| known.used > 0 && known.fruitless >= known.used);
                self.fruitless_tasks = if fruitless { self.fruitless_tasks + 1 } else { 0 };
                self.give_up(self.current, because);
                self.phase = Phase::Choosing;
            }
            Entry::Waiting { until_ms, because, then } => {
                self.refusals += 1;
                self.run.state = State::Waiting { until_ms: *until_ms, because: because.clone() };
                self.phase = Phase::Waiting { until_ms: *until_ms, then: *then };
            }
            Entry::Woken => {
                self.run.state = if self.stop { State::Stopping } else { State::Running };
                self.phase = match self.phase {
                    Phase::Waiting { then: Then::Audit, .. } => Phase::Auditing,
                    Phase::Waiting { then: Then::Tick, .. } => Phase::Ticking,
                    _ => Phase::Choosing,
                };
            }
            Entry::StopAsked => {
                self.stop = true;
                self.run.state = State::Stopping;
            }
            Entry::KillAsked => {
                self.kill = true;
                self.run.state = State::Stopping;
            }
            Entry::Ended { ending } => {
                for number in 0..self.known.len() {
                    if self.known[number].fate == Fate::Open {
                        let because = self.run.tasks[number].because.clone();
                        let because = because
                            .unwrap_or_else(|| "The run ended before it was done.".to_owned());
                        self.give_up(number, &because);
                    }
                }
                self.run.state = State::Ended(ending.clone());
                self.phase = Phase::Over;
            }
        }
    }

    /// Nothing that ran runs any more.
    fn apply_recovered(&mut self) {
        match self.phase {
            Phase::Picked => self.phase = Phase::Choosing,
            Phase::Turning => {
                self.attempt.end = End::CutShort;
                self.phase = Phase::Turned;
            }
            _ => {}
        }
    }

    fn apply_turn(&mut self, session: Option<&String>, tree: Option<&String>, marks: &[Vec<Mark>]) {
        self.attempt.tree = tree.cloned();
        self.attempt.marks = marks.to_vec();
        let number = self.attempt.number;
        self.with_task(|task| {
            if task.attempts == 0 {
                task.tree_before = tree.cloned();
            }
            task.attempts = number;
            task.session = session.cloned();
            task.state = TaskState::Working;
        });
        self.phase = Phase::Turning;
    }

    fn apply_turn_ended(
        &mut self,
        result: &Result<(), Failure>,
        session: Option<&String>,
        usage: Usage,
        duration_ms: u64,
    ) {
        self.consume(usage);
        if let Some(known) = self.known.get_mut(self.current) {
            known.consumed = self.run.tasks[self.current].usage;
        }
        self.with_task(|task| {
            task.duration_ms = task.duration_ms.saturating_add(duration_ms);
            if let Some(session) = session {
                task.session = Some(session.clone());
            }
        });
        self.attempt.end = match result {
            Ok(()) => End::Ok,
            Err(failure) => End::Failed(failure.clone()),
        };
        if result.is_ok() {
            self.refusals = 0;
        }
        self.phase = Phase::Turned;
    }

    fn apply_audited(
        &mut self,
        anchor: Option<&Anchor>,
        unticked: &[String],
        dropped: &[(usize, String)],
    ) {
        self.attempt.audited = true;
        if let (Some(known), Some(anchor)) = (self.known.get_mut(self.current), anchor) {
            known.anchor = anchor.clone();
        }
        if let Some(anchor) = anchor {
            self.with_task(|task| task.line = anchor.line);
        }
        if !unticked.is_empty() {
            self.note(format!(
                "Other boxes were ticked without evidence and opened again: {}.",
                unticked.join(", ")
            ));
        }
        let text = self.known.get(self.current).map(|known| known.anchor.text.clone());
        for (document, dropped) in dropped {
            let number = self.known.len();
            let anchor = Anchor {
                text: dropped.clone(),
                line: 0,
                occurrence: 0,
                total: 1,
                section: None,
                parent: None,
                before: None,
                after: None,
            };
            self.touch(number, *document, &anchor);
            let because = format!(
                "It disappeared from the document while “{}” was worked on.",
                text.as_deref().unwrap_or_default()
            );
            self.give_up(number, &because);
        }
    }

    fn apply_attempt_failed(&mut self, because: &str, counts: bool, fruitless: bool) {
        if let Some(known) = self.known.get_mut(self.current) {
            known.resume = None;
            if counts {
                known.used += 1;
                known.interrupted = 0;
                known.fruitless = if fruitless { known.fruitless + 1 } else { 0 };
                let verify = self.run.tasks.get(self.current).and_then(|task| task.verify.as_ref());
                known.previous = Some(match verify {
                    Some(verify) if verify.exit_code != Some(0) && !verify.output.is_empty() => {
                        format!("{because}\nIt printed:\n{}", verify.output)
                    }
                    _ => because.to_owned(),
                });
            }
        }
        self.with_task(|task| task.because = Some(because.to_owned()));
        self.phase = Phase::Choosing;
    }

    /// A task of the run, made when it is new.
    fn touch(&mut self, number: usize, document: usize, anchor: &Anchor) {
        if number >= self.known.len() {
            self.known.push(Known {
                document,
                anchor: anchor.clone(),
                fate: Fate::Open,
                used: 0,
                fruitless: 0,
                interrupted: 0,
                previous: None,
                resume: None,
                consumed: Usage::default(),
                note: None,
            });
            self.run.tasks.push(Task {
                document: self.run.spec.documents.get(document).cloned().unwrap_or_default(),
                text: anchor.text.clone(),
                line: anchor.line,
                state: TaskState::Working,
                attempts: 0,
                session: None,
                tree_before: None,
                tree_after: None,
                verify: None,
                usage: Usage::default(),
                duration_ms: 0,
                because: None,
            });
        }
        if let Some(known) = self.known.get_mut(number) {
            known.anchor = anchor.clone();
        }
        if let Some(task) = self.run.tasks.get_mut(number) {
            task.text.clone_from(&anchor.text);
            task.line = anchor.line;
            task.state = TaskState::Working;
        }
    }

    fn give_up(&mut self, number: usize, because: &str) {
        if let Some(known) = self.known.get_mut(number) {
            known.fate = Fate::Failed;
        }
        if let Some(task) = self.run.tasks.get_mut(number) {
            task.state = TaskState::Failed;
            task.because = Some(because.to_owned());
        }
    }

    /// Something about the task that stays with it when it is done.
    fn note(&mut self, note: String) {
        if let Some(known) = self.known.get_mut(self.current) {
            known.note = Some(note);
        }
    }

    fn with_task(&mut self, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.run.tasks.get_mut(self.current) {
            change(task);
        }
    }

    /// Puts what the current turn has consumed into the task and the run.
    fn consume(&mut self, usage: Usage) {
        let before = self.known.get(self.current).map(|known| known.consumed).unwrap_or_default();
        self.with_task(|task| task.usage = sum(before, usage));
        self.run.usage =
            self.run.tasks.iter().fold(Usage::default(), |all, task| sum(all, task.usage));
    }
}

/// What a look at an open task says.
enum Verdict {
    Skip,
    /// Not now, and never when nothing else is left to do.
    Blocked(String),
    Refuse(String),
    Do(Provider),
}

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

fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        input_tokens: a.input_tokens.saturating_add(b.input_tokens),
        cached_tokens: a.cached_tokens.saturating_add(b.cached_tokens),
        output_tokens: a.output_tokens.saturating_add(b.output_tokens),
        cost_usd: match (a.cost_usd, b.cost_usd) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        },
    }
}

fn unverified(verify: &Verify) -> String {
    match verify.exit_code {
        Some(code) => format!("`{}` exited with {code}.", verify.command),
        None => format!("`{}` was ended before it was through.", verify.command),
    }
}

/// Text with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// The end of a text, cut between characters.
fn end_of(text: &str, bytes: usize) -> String {
    let start = text.len().saturating_sub(bytes);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[start..].to_owned()
}

#[cfg(test)]
mod tests;
