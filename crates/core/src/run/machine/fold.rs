//! Folding journal entries into the state: the same while a run works as when another host reads them.

use super::{Attempt, Effect, Effects, End, Fate, Known, Machine, Phase};
use crate::checklist::Anchor;
use crate::run::journal::{Entry, Mark, Then};
use crate::run::{State, Task, TaskState};
use crate::text::{clean, quoted};
use crate::turn::{Failure, Usage};

/// Longest text of a task that the world is shown, in characters. The document has the rest.
const MAX_TEXT: usize = 500;

/// What is said of a task that was ticked on the agent's word alone.
const UNFOUNDED: &str =
    "Its turn changed nothing in the directory, and no command says that it is done.";

impl Machine {
    /// Takes an entry into the state and has it written.
    pub(super) fn record(&mut self, entry: Entry, effects: &mut Effects) {
        self.apply(&entry);
        if let Entry::Ended { ending: _ } = entry {
            self.run.ended_ms = Some(effects.now_ms);
        }
        effects.push(Effect::Journal(entry));
    }

    pub(super) fn apply(&mut self, entry: &Entry) {
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
                if self.is_unfounded() {
                    self.note(UNFOUNDED.to_owned());
                }
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
                quoted(unticked.iter().map(String::as_str))
            ));
        }
        let worked_on = quoted(
            self.known.get(self.current).map(|known| known.anchor.text.as_str()).into_iter(),
        );
        for (document, dropped) in dropped {
            let number = self.known.len();
            let anchor = Anchor {
                text: dropped.clone(),
                line: 0,
                occurrence: 0,
                // Nothing can stand in its place: where that was is not known any more.
                total: 0,
                section: None,
                parent: None,
                before: None,
                after: None,
            };
            self.touch(number, *document, &anchor);
            let because =
                format!("It disappeared from the document while {worked_on} was worked on.");
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
            self.run.tasks.push(Task::new(
                self.run.spec.documents.get(document).cloned().unwrap_or_default(),
                clean(&anchor.text, MAX_TEXT),
                anchor.line,
                0,
            ));
        }
        if let Some(known) = self.known.get_mut(number) {
            known.anchor = anchor.clone();
        }
        if let Some(task) = self.run.tasks.get_mut(number) {
            task.text = clean(&anchor.text, MAX_TEXT);
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

    /// Whether nothing but the agent's word says that the task is done: no command, no change.
    fn is_unfounded(&self) -> bool {
        let unchanged =
            self.run.tasks.get(self.current).is_some_and(|task| {
                task.tree_before.is_some() && task.tree_before == task.tree_after
            });
        self.attempt.verify.is_none() && unchanged
    }

    /// Something about the task that stays with it when it is done.
    fn note(&mut self, note: String) {
        let Some(known) = self.known.get_mut(self.current) else { return };
        match &mut known.note {
            Some(notes) if notes.contains(&note) => {}
            Some(notes) => *notes = format!("{notes} {note}"),
            None => known.note = Some(note),
        }
    }

    fn with_task(&mut self, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.run.tasks.get_mut(self.current) {
            change(task);
        }
    }

    /// Puts what the current turn has consumed into the task and the run.
    pub(super) fn consume(&mut self, usage: Usage) {
        let before = self.known.get(self.current).map(|known| known.consumed).unwrap_or_default();
        self.with_task(|task| task.usage = sum(before, usage));
        self.run.usage =
            self.run.tasks.iter().fold(Usage::default(), |all, task| sum(all, task.usage));
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
