//! What the user wants while a run works: stop, kill, pause, go on, pass over, try again, take back.

use super::{Back, Effect, Effects, Fate, Machine, Phase};
use crate::checklist::{Applied, Change};
use crate::run::journal::{Entry, Then};
use crate::run::{Pause, State};
use crate::text::quoted;

impl Machine {
    pub(super) fn stop(&mut self, effects: &mut Effects) {
        if self.stop || self.kill || self.is_over() {
            return;
        }
        self.record(Entry::StopAsked, effects);
        if self.is_idle() {
            self.end_from_idle(effects);
        }
    }

    pub(super) fn kill(&mut self, effects: &mut Effects) {
        if self.kill || self.is_over() {
            return;
        }
        self.record(Entry::KillAsked, effects);
        match self.phase {
            Phase::Turning | Phase::Verifying => effects.push(Effect::Cancel),
            _ if self.is_idle() => self.end_from_idle(effects),
            _ => {}
        }
    }

    /// Ends a run that waits. Boxes that wait to be looked over or set are seen to once more before.
    pub(super) fn end_from_idle(&mut self, effects: &mut Effects) {
        let (Phase::Waiting { then, .. } | Phase::Paused { then }) = self.phase else { return };
        match then {
            Then::Audit | Then::Tick | Then::Untick => {
                self.phase = self.phase_of(then);
                self.then(then, effects);
            }
            Then::Pick | Then::Copy | Then::Commit => self.end_as_asked(effects),
        }
    }

    /// Whether nothing is done before something from outside happens.
    fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. } | Phase::Paused { .. })
    }

    pub(super) fn pause(&mut self, effects: &mut Effects) {
        if self.pause || self.stop || self.kill || self.is_over() || self.is_paused() {
            return;
        }
        match self.phase {
            Phase::Waiting { then, .. } => self.hold(Pause::User, then, effects),
            _ => self.record(Entry::PauseAsked, effects),
        }
    }

    pub(super) fn go_on_by_order(&mut self, effects: &mut Effects) {
        match self.phase {
            Phase::Paused { then } => {
                self.record(Entry::Resumed, effects);
                self.then(then, effects);
            }
            Phase::Waiting { .. } => self.woken(effects),
            _ if self.pause => self.record(Entry::Resumed, effects),
            _ => {}
        }
    }

    pub(super) fn skip(&mut self, task: Option<usize>, effects: &mut Effects) {
        if self.is_over() {
            return;
        }
        let task = task.unwrap_or(self.current);
        let Some(known) = self.known.get(task) else { return };
        match known.fate {
            Fate::Ticked => {
                let name = self.name(task);
                self.flag(&format!("{name} is done, so it was not passed over."), effects);
            }
            Fate::Skipped | Fate::Undone => {}
            Fate::Open if task == self.current => match self.phase {
                Phase::Turning | Phase::Verifying => {
                    self.record(Entry::SkipAsked { task }, effects);
                    effects.push(Effect::Cancel);
                }
                Phase::Picked | Phase::Turned | Phase::Auditing | Phase::SettingBack(_) => {
                    self.record(Entry::SkipAsked { task }, effects);
                }
                Phase::Waiting { then: Then::Pick, .. } => {
                    self.record(Entry::Skipped { task }, effects);
                    self.woken(effects);
                }
                Phase::Paused { then: Then::Pick } | Phase::Choosing => {
                    self.record(Entry::Skipped { task }, effects);
                }
                Phase::Waiting { .. } | Phase::Paused { .. } => {
                    self.record(Entry::SkipAsked { task }, effects);
                }
                // It is verified already.
                _ => {}
            },
            Fate::Open | Fate::Failed => self.record(Entry::Skipped { task }, effects),
        }
    }

    /// Whether the user wants the task that is worked on passed over.
    pub(super) fn is_skipped(&self) -> bool {
        self.skip == Some(self.current)
    }

    pub(super) fn pass_over(&mut self, effects: &mut Effects) {
        self.record(Entry::Skipped { task: self.current }, effects);
        self.choose(effects);
    }

    pub(super) fn skip_document(&mut self, effects: &mut Effects) {
        if self.is_over() {
            return;
        }
        let gate = match &self.run.state {
            State::Paused(Pause::Gate { document, .. }) => Some(document.clone()),
            _ => None,
        };
        let at_gate = gate
            .and_then(|path| self.pass.iter().copied().find(|slot| self.slots[*slot].path == path));
        let worked_on = self.known.get(self.current).map(|known| known.document);
        let first = self.pass.get(self.cursor).copied();
        let Some(document) = at_gate.or(worked_on).or(first) else { return };
        self.record(Entry::DocumentSkipped { document }, effects);
        if at_gate.is_some() {
            self.go_on_by_order(effects);
        }
    }

    pub(super) fn retry(&mut self, task: usize, effects: &mut Effects) {
        if self.is_over() {
            return;
        }
        let Some(known) = self.known.get(task) else { return };
        match known.fate {
            Fate::Open => {}
            Fate::Ticked => {
                let name = self.name(task);
                self.flag(&format!("{name} is done; undo it to have it done again."), effects);
            }
            Fate::Failed | Fate::Skipped | Fate::Undone => {
                self.record(Entry::RetryAsked { task }, effects);
                if matches!(self.run.state, State::Paused(Pause::Needed(_))) {
                    self.go_on_by_order(effects);
                }
            }
        }
    }

    pub(super) fn undo(&mut self, task: usize, force: bool, effects: &mut Effects) {
        let can = self
            .run
            .tasks
            .get(task)
            .is_some_and(|task| task.tree_before.is_some() && task.tree_after.is_some());
        let Some(known) = self.known.get(task) else { return };
        let refused = match known.fate {
            Fate::Undone => return,
            _ if self.undo.iter().any(|(waiting, _)| *waiting == task) => return,
            Fate::Open => Some("is not done yet"),
            _ if !can => Some("cannot be undone: nothing is known about the directory before it"),
            Fate::Ticked | Fate::Failed | Fate::Skipped => None,
        };
        if let Some(refused) = refused {
            let text = format!("{} {refused}.", self.name(task));
            return self.flag(&text, effects);
        }
        self.record(Entry::UndoAsked { task, force }, effects);
        match self.phase {
            Phase::Over => self.take_back(Back::Over, effects),
            Phase::Paused { then: Then::Pick } => self.take_back(Back::Pause(Then::Pick), effects),
            _ => {}
        }
    }

    /// Has the first task taken back that the user wants taken back.
    pub(super) fn take_back(&mut self, back: Back, effects: &mut Effects) {
        let Some((task, force)) = self.undo.front().copied() else { return };
        self.phase = Phase::Undoing { task, force, back };
        effects.push(Effect::Restore { task, force });
    }

    pub(super) fn restored(&mut self, result: Result<Vec<usize>, String>, effects: &mut Effects) {
        let Phase::Undoing { task, .. } = self.phase else { return };
        match result {
            Ok(mut also) => {
                also.retain(|other| *other < self.known.len() && *other != task);
                self.record(Entry::Undone { task, also }, effects);
                self.reopen(effects);
            }
            Err(because) => {
                let Phase::Undoing { back, .. } = self.phase else { return };
                let text = format!("{} was not undone. {because}", self.name(task));
                self.flag(&text, effects);
                self.record(Entry::UndoRefused { task, because }, effects);
                self.back(back, effects);
            }
        }
    }

    /// Opens the box of the last undone task.
    pub(super) fn reopen(&mut self, effects: &mut Effects) {
        let Phase::Reopening { tasks, back } = &self.phase else { return };
        match tasks.last() {
            Some(task) => {
                let known = &self.known[*task];
                effects.push(Effect::Rewrite {
                    document: self.path(known.document),
                    changes: vec![Change { anchor: known.anchor.clone(), checked: false }],
                });
            }
            None => {
                let back = *back;
                self.back(back, effects);
            }
        }
    }

    pub(super) fn reopened(
        &mut self,
        result: Result<Vec<Applied>, super::Fault>,
        effects: &mut Effects,
    ) {
        let because = match result {
            Ok(applied) => match applied.first() {
                Some(Applied::Changed | Applied::Already) => None,
                _ => Some("its line is no longer found".to_owned()),
            },
            Err(fault) => Some(fault.because),
        };
        if let (Some(because), Phase::Reopening { tasks, .. }) = (because, &self.phase)
            && let Some(task) = tasks.last()
        {
            let text =
                format!("The box of {} could not be opened again: {because}", self.name(*task));
            self.flag(&super::sentence(&text), effects);
        }
        self.record(Entry::Reopened, effects);
        self.reopen(effects);
    }

    fn back(&mut self, back: Back, effects: &mut Effects) {
        match back {
            Back::Choose => self.choose(effects),
            _ if !self.undo.is_empty() => self.take_back(back, effects),
            Back::Pause(then) => {
                self.phase = Phase::Paused { then };
                if self.stop || self.kill {
                    self.end_as_asked(effects);
                }
            }
            Back::Over => self.phase = Phase::Over,
        }
    }

    /// A task's text in quotation marks.
    pub(super) fn name(&self, task: usize) -> String {
        quoted(self.run.tasks.get(task).map(|task| task.text.as_str()).into_iter())
    }
}
