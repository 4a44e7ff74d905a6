//! Folding journal entries into the state: the same while a run works as when another host reads them.

use super::{Agreed, Attempt, Back, Effect, Effects, End, Fate, Known, Machine, Phase, Shared};
use crate::checklist::Anchor;
use crate::run::journal::{Asks, Claim, Entry, Then};
use crate::run::{Flag, MAX_FLAGS, Mode, State, Task, TaskState};
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
        self.apply(&entry, effects.now_ms);
        effects.push(Effect::Journal(entry));
    }

    pub(super) fn apply(&mut self, entry: &Entry, at_ms: u64) {
        match entry {
            Entry::Started => {}
            Entry::Recovered => self.apply_recovered(),
            Entry::Pass { pass, copies } => {
                self.apply_pass(*pass, copies);
                self.phase =
                    if copies.is_empty() { Phase::Choosing } else { self.phase_of(Then::Copy) };
            }
            Entry::Copied => self.phase = Phase::Choosing,
            Entry::Agreed { commands } => self.agreed = Some(agreed(commands)),
            Entry::Picked { .. } => self.apply_picked(entry, at_ms),
            Entry::Refused { task, document, anchor, because } => {
                self.touch(*task, *document, anchor, at_ms);
                self.give_up(*task, because, at_ms);
            }
            Entry::Boxes { document, start, removed, added, flipped } => {
                self.apply_boxes(*document, *start, *removed, added, flipped);
            }
            Entry::Turn { resume, new_session, tree, head, markers, .. } => {
                self.attempt.markers.clone_from(markers);
                let session = resume.as_ref().or(new_session.as_ref());
                self.apply_turn(session, tree.as_ref(), head.as_ref());
            }
            Entry::Session { id, model } => self.with_task(|task| {
                task.session = Some(id.clone());
                task.model = model.clone().or_else(|| task.model.take());
            }),
            Entry::TurnEnded { result, session, usage, duration_ms, .. } => {
                self.apply_turn_ended(result, session.as_ref(), *usage, *duration_ms);
            }
            Entry::Settled { tree, head } => {
                self.attempt.tree_after.clone_from(tree);
                self.attempt.head_after.clone_from(head);
                self.with_task(|task| task.tree_after.clone_from(tree));
                self.phase = Phase::Auditing;
            }
            Entry::SettingBack { changes } => self.phase = Phase::SettingBack(changes.clone()),
            Entry::Audited { anchor, unticked, dropped, claims, halt, .. } => {
                self.apply_audited(anchor.as_ref(), unticked, dropped, at_ms);
                self.apply_claims(claims);
                if halt.is_some() {
                    self.halt.clone_from(halt);
                }
            }
            Entry::Claimed { task, claim } => self.apply_claimed(*task, claim, at_ms),
            Entry::Unclaimed { because } => {
                if let Some(known) = self.known.get_mut(self.current) {
                    known.previous = Some(because.clone());
                }
                self.with_task(|task| task.because = Some(because.clone()));
                self.phase = Phase::Choosing;
            }
            Entry::Verifying { .. } => {
                self.with_task(|task| task.state = TaskState::Verifying);
                self.phase = Phase::Verifying;
            }
            Entry::Verified { verify, duration_ms } => {
                self.worked(*duration_ms);
                self.with_task(|task| task.verify = Some(verify.clone()));
                if verify.exit_code == Some(0) && self.attempt.end == End::CutShort {
                    self.note("Its turn was cut short; its command held afterwards.".to_owned());
                }
                // Not verified is decided again from the journal's next entry, or by verifying again.
                if verify.exit_code == Some(0) {
                    self.phase = Phase::Ticking;
                }
            }
            Entry::Ticking => self.phase = Phase::Ticking,
            Entry::Committing { .. } => {
                self.with_task(|task| task.state = TaskState::Committing);
                self.phase = Phase::Committing;
            }
            Entry::Committed { commits, duration_ms } => {
                self.worked(*duration_ms);
                if let Some(last) = commits.last() {
                    self.attempt.head_after = Some(last.clone());
                }
                self.with_task(|task| task.commits.clone_from(commits));
            }
            Entry::CommitRefused { verify, duration_ms } => {
                self.worked(*duration_ms);
                self.attempt.refused = Some(verify.clone());
                self.phase = Phase::Unticking;
            }
            Entry::Ticked => self.apply_ticked(at_ms),
            Entry::AttemptFailed { because, counts, fruitless, repair } => {
                self.apply_attempt_failed(because, *counts, *fruitless, *repair);
            }
            Entry::CutShort { counts } => {
                let session =
                    self.run.tasks.get(self.current).and_then(|task| task.session.clone());
                if let Some(known) = self.known.get_mut(self.current) {
                    known.interrupted += u32::from(*counts);
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
                self.give_up(self.current, because, at_ms);
                self.phase = Phase::Choosing;
            }
            Entry::Ended { ending } => {
                for number in 0..self.known.len() {
                    if self.known[number].fate == Fate::Open {
                        let because = self.run.tasks[number].because.clone();
                        let because = because
                            .unwrap_or_else(|| "The run ended before it was done.".to_owned());
                        self.give_up(number, &because, at_ms);
                    }
                }
                // Nothing is left that could pause.
                self.pause = false;
                self.run.state = State::Ended(ending.clone());
                self.run.ended_ms = Some(at_ms);
                self.run.ahead.clear();
                self.phase = Phase::Over;
            }
            waiting_or_user => self.apply_order(waiting_or_user, at_ms),
        }
        self.run.pausing = self.pause && !self.is_over();
    }

    /// Waiting, and what the user wants.
    fn apply_order(&mut self, entry: &Entry, at_ms: u64) {
        match entry {
            Entry::Waiting { until_ms, because, then } => {
                self.refusals += 1;
                self.run.state = State::Waiting { until_ms: *until_ms, because: because.clone() };
                self.phase = Phase::Waiting { until_ms: *until_ms, then: *then };
            }
            Entry::Woken => {
                self.run.state = if self.stop { State::Stopping } else { State::Running };
                if let Phase::Waiting { then, .. } = self.phase {
                    self.phase = self.phase_of(then);
                }
            }
            Entry::PauseAsked => self.pause = true,
            Entry::Paused { why, then, budget, asks } => {
                self.pause = false;
                self.granted = (*budget, asks.clone());
                self.run.state = State::Paused(why.clone());
                self.phase = Phase::Paused { then: *then };
            }
            Entry::Resumed => self.apply_resumed(),
            Entry::SkipAsked { task } => self.skip = Some(*task),
            Entry::Skipped { task } => {
                self.skip = None;
                if let Some(known) = self.known.get_mut(*task) {
                    known.fate = Fate::Skipped;
                    (known.resume, known.repair) = (None, false);
                }
                self.settle(*task, TaskState::Skipped, Some("You passed it over."), at_ms);
                if !matches!(self.phase, Phase::Waiting { .. } | Phase::Paused { .. })
                    && *task == self.current
                {
                    self.phase = Phase::Choosing;
                }
            }
            Entry::DocumentSkipped { document } => {
                if let Some(slot) = self.slots.get_mut(*document) {
                    slot.skipped = true;
                }
            }
            Entry::RetryAsked { task } => self.apply_retry(*task),
            Entry::UndoAsked { task, force } => self.undo.push_back((*task, *force)),
            Entry::Undone { task, also } => self.apply_undone(*task, also, at_ms),
            Entry::Reopened => {
                if let Phase::Reopening { tasks, .. } = &mut self.phase {
                    let _ = tasks.pop();
                }
            }
            Entry::UndoRefused { task, .. } => self.undo.retain(|(waiting, _)| waiting != task),
            Entry::Flagged { text } => {
                let task = self.current().and_then(|task| u32::try_from(task).ok());
                if self.run.flags.last().is_none_or(|last| last.text != *text || last.task != task)
                {
                    self.run.flags.push(Flag { at_ms, task, text: text.clone() });
                }
                let extra = self.run.flags.len().saturating_sub(MAX_FLAGS);
                drop(self.run.flags.drain(..extra));
            }
            Entry::StopAsked => {
                self.stop = true;
                self.run.state = State::Stopping;
            }
            Entry::KillAsked => {
                self.kill = true;
                self.run.state = State::Stopping;
            }
            _ => {}
        }
    }

    /// What a wait or a pause was before.
    pub(super) fn phase_of(&self, then: Then) -> Phase {
        match then {
            Then::Pick => Phase::Choosing,
            Then::Copy => Phase::Copying(self.copies_of_pass()),
            Then::Audit => Phase::Auditing,
            Then::Tick => Phase::Ticking,
            Then::Commit => Phase::Committing,
            Then::Untick => Phase::Unticking,
        }
    }

    fn worked(&mut self, duration_ms: u64) {
        self.run.worked_ms = self.run.worked_ms.saturating_add(duration_ms);
        self.with_task(|task| task.duration_ms = task.duration_ms.saturating_add(duration_ms));
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

    fn apply_picked(&mut self, entry: &Entry, at_ms: u64) {
        let Entry::Picked {
            task,
            document,
            anchor,
            attempt,
            attempts,
            provider,
            agent,
            model,
            verify,
            timeout_s,
            session,
        } = entry
        else {
            return;
        };
        self.touch(*task, *document, anchor, at_ms);
        self.current = *task;
        self.skip = self.skip.filter(|skip| skip == task);
        self.attempt = Attempt {
            number: *attempt,
            of: *attempts,
            provider: *provider,
            agent: *agent,
            model: model.clone(),
            verify: verify.clone(),
            timeout_s: *timeout_s,
            follows: session.is_some(),
            ..Attempt::none()
        };
        if let Some(known) = self.known.get_mut(*task) {
            known.verify = Some(verify.clone());
            if session.is_some() {
                known.resume.clone_from(session);
            }
        }
        self.cursor = self.pass.iter().position(|slot| slot == document).unwrap_or(self.cursor);
        self.run.state = if self.stop { State::Stopping } else { State::Running };
        self.phase = Phase::Picked;
    }

    fn apply_turn(
        &mut self,
        session: Option<&String>,
        tree: Option<&String>,
        head: Option<&String>,
    ) {
        self.attempt.tree = tree.cloned();
        let number = self.attempt.number;
        let is_first = self.run.tasks.get(self.current).is_some_and(|task| task.attempts == 0);
        if let Some(known) = self.known.get_mut(self.current)
            && is_first
        {
            known.head = head.cloned();
        }
        let repairs = self.known.get(self.current).map_or(0, |known| known.repaired);
        self.with_task(|task| {
            if is_first {
                task.tree_before = tree.cloned();
            }
            task.attempts = number;
            task.repairs = repairs;
            task.session = session.cloned();
            task.state = TaskState::Working;
        });
        self.run.turns = self.run.turns.saturating_add(1);
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
        self.worked(duration_ms);
        self.with_task(|task| {
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
        at_ms: u64,
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
            self.touch(number, *document, &anchor, at_ms);
            let because =
                format!("It disappeared from the document while {worked_on} was worked on.");
            self.give_up(number, &because, at_ms);
        }
    }

    fn apply_claims(&mut self, claims: &[Claim]) {
        for claim in claims {
            let same = |other: &Claim| {
                (other.document, &other.anchor.text, other.anchor.occurrence)
                    == (claim.document, &claim.anchor.text, claim.anchor.occurrence)
            };
            if !self.claims.iter().any(same) {
                self.claims.push_back(claim.clone());
            }
        }
    }

    /// The task that is verified now was done in the session of the one before it.
    fn apply_claimed(&mut self, task: usize, claim: &Claim, at_ms: u64) {
        let _ = self.claims.pop_front();
        let by = self.run.tasks.get(self.current).cloned();
        self.touch(task, claim.document, &claim.anchor, at_ms);
        self.current = task;
        let before = &self.attempt;
        self.attempt = Attempt {
            provider: before.provider,
            agent: before.agent,
            model: before.model.clone(),
            verify: Some(claim.verify.clone()),
            is_claim: true,
            tree: before.tree.clone(),
            tree_after: before.tree_after.clone(),
            head_after: before.head_after.clone(),
            end: End::Ok,
            audited: true,
            ..Attempt::none()
        };
        if let Some(known) = self.known.get_mut(task) {
            known.head.clone_from(&self.attempt.head_after);
        }
        if let Some(by) = by {
            self.with_task(|task| {
                task.session = by.session;
                task.model = by.model;
                (task.tree_before, task.tree_after) = (by.tree_before, by.tree_after);
            });
        }
        self.phase = Phase::Verifying;
    }

    fn apply_ticked(&mut self, at_ms: u64) {
        if self.is_unfounded() {
            self.note(UNFOUNDED.to_owned());
        }
        if let Some(known) = self.known.get_mut(self.current) {
            known.fate = Fate::Ticked;
            (known.resume, known.repair) = (None, false);
        }
        let note = self.known.get(self.current).and_then(|known| known.note.clone());
        self.settle(self.current, TaskState::Done, None, at_ms);
        self.with_task(|task| task.because = note);
        self.share_session();
        (self.refusals, self.fruitless_tasks, self.skip) = (0, 0, None);
        self.done_in_pass = self.done_in_pass.saturating_add(1);
        self.phase = Phase::Choosing;
    }

    /// The session that did a task goes on with the next one of its document, where that is wanted.
    fn share_session(&mut self) {
        if self.run.options().mode != Mode::Document || self.attempt.is_claim {
            return;
        }
        let document = self.known.get(self.current).map(|known| known.document);
        let session = self.run.tasks.get(self.current).and_then(|task| task.session.clone());
        self.session = match (&self.attempt.end, document, session) {
            (End::Ok, Some(document), Some(id)) => Some(Shared {
                document,
                id,
                provider: self.attempt.provider,
                agent: self.attempt.agent,
                model: self.attempt.model.clone(),
            }),
            _ => None,
        };
    }

    fn apply_attempt_failed(&mut self, because: &str, counts: bool, fruitless: bool, repair: bool) {
        let task = self.run.tasks.get(self.current);
        let session = task.and_then(|task| task.session.clone());
        let refused = self.attempt.refused.as_ref();
        let verify = refused.or_else(|| task.and_then(|task| task.verify.as_ref()));
        let previous = match verify {
            Some(verify) if verify.exit_code != Some(0) && !verify.output.is_empty() => {
                format!("{because}\nIt printed:\n{}", verify.output)
            }
            _ => because.to_owned(),
        };
        if let Some(known) = self.known.get_mut(self.current) {
            known.resume = session.filter(|_| repair);
            known.repair = repair;
            if counts {
                known.used += 1;
                known.repaired += u32::from(repair);
                known.interrupted = 0;
                known.fruitless = if fruitless { known.fruitless + 1 } else { 0 };
                known.previous = Some(previous);
            }
        }
        self.session = None;
        self.with_task(|task| task.because = Some(because.to_owned()));
        self.phase = Phase::Choosing;
    }

    fn apply_resumed(&mut self) {
        self.pause = false;
        let Phase::Paused { then } = self.phase else { return };
        let (budget, asks) = std::mem::take(&mut self.granted);
        if let Some(budget) = budget {
            self.grant(budget);
        }
        if let (Some(Asks { listed, text, command }), Some(agreed)) = (asks, &mut self.agreed) {
            agreed.commands.extend(command.clone());
            agreed.by_task.entry((listed, text)).or_default().push(command);
        }
        if then == Then::Audit {
            // It goes on without the gate that is missing.
            self.attempt.markers.iter_mut().for_each(|(gates, _)| *gates = 0);
        }
        self.refusals = 0;
        self.run.state = State::Running;
        self.phase = self.phase_of(then);
    }

    fn apply_retry(&mut self, task: usize) {
        if let Some(known) = self.known.get_mut(task) {
            *known = Known {
                previous: known.previous.take(),
                ..self::known(known.document, &known.anchor)
            };
            known.consumed = self.run.tasks[task].usage;
        }
        if let Some(task) = self.run.tasks.get_mut(task) {
            task.attempts = 0;
            task.repairs = 0;
            task.commits.clear();
            task.because = Some("It is to be tried again.".to_owned());
        }
        self.fruitless_tasks = 0;
    }

    fn apply_undone(&mut self, task: usize, also: &[usize], at_ms: u64) {
        self.undo.retain(|(waiting, _)| *waiting != task);
        let name = self.name(task);
        for (number, because) in also
            .iter()
            .map(|other| (*other, format!("It was taken back together with {name}.")))
            .chain([(task, "You took it back.".to_owned())])
        {
            if let Some(known) = self.known.get_mut(number) {
                known.fate = Fate::Undone;
                (known.resume, known.repair) = (None, false);
            }
            self.settle(number, TaskState::Undone, Some(&because), at_ms);
        }
        let back = match self.phase {
            Phase::Undoing { back, .. } => back,
            Phase::Paused { then } => Back::Pause(then),
            Phase::Over => Back::Over,
            _ => Back::Choose,
        };
        self.session = None;
        self.phase = Phase::Reopening { tasks: also.iter().copied().chain([task]).collect(), back };
    }

    /// A task of the run, made when it is new.
    fn touch(&mut self, number: usize, document: usize, anchor: &Anchor, at_ms: u64) {
        if number >= self.known.len() {
            self.known.push(known(document, anchor));
            let mut task =
                Task::new(self.path(document), clean(&anchor.text, MAX_TEXT), anchor.line, at_ms);
            task.pass = self.run.pass;
            self.run.tasks.push(task);
        }
        if let Some(known) = self.known.get_mut(number) {
            known.anchor = anchor.clone();
        }
        if let Some(task) = self.run.tasks.get_mut(number) {
            task.text = clean(&anchor.text, MAX_TEXT);
            task.line = anchor.line;
            task.state = TaskState::Working;
            task.ended_ms = None;
        }
    }

    fn give_up(&mut self, number: usize, because: &str, at_ms: u64) {
        if let Some(known) = self.known.get_mut(number) {
            known.fate = Fate::Failed;
            (known.resume, known.repair) = (None, false);
        }
        self.settle(number, TaskState::Failed, Some(because), at_ms);
    }

    fn settle(&mut self, number: usize, state: TaskState, because: Option<&str>, at_ms: u64) {
        if let Some(task) = self.run.tasks.get_mut(number) {
            task.state = state;
            task.ended_ms = Some(at_ms);
            if let Some(because) = because {
                task.because = Some(because.to_owned());
            }
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

/// A task of which nothing is known but where it is.
fn known(document: usize, anchor: &Anchor) -> Known {
    Known {
        document,
        anchor: anchor.clone(),
        fate: Fate::Open,
        used: 0,
        repaired: 0,
        fruitless: 0,
        interrupted: 0,
        previous: None,
        repair: false,
        resume: None,
        verify: None,
        head: None,
        consumed: Usage::default(),
        note: None,
    }
}

fn agreed(commands: &[Vec<(String, Option<String>)>]) -> Agreed {
    let mut agreed = Agreed::default();
    for (listed, tasks) in commands.iter().enumerate() {
        for (text, command) in tasks {
            agreed.commands.extend(command.clone());
            agreed.by_task.entry((listed, text.clone())).or_default().push(command.clone());
        }
    }
    agreed
}
