//! What keys do with a run: the one that is looked at, or the marked one of the history.

use maestro_core::RunId;
use maestro_core::command::Id;
use maestro_core::run::{Run, State, TaskState};
use maestro_protocol::message::Command;

use super::{Action, Autorun, Confirm, Detail, Page, Question, ask, deed};
use crate::window::model::{self, Model};

impl Autorun {
    pub(super) fn show(&mut self, detail: Detail, model: &Model) -> Action {
        self.detail = detail;
        if detail != Detail::Report {
            return self.settle(model);
        }
        let Some(run) = self.run(model).map(|run| run.id) else { return Action::None };
        self.report = None;
        ask(Question::Report(run), Command::ReadReport { run })
    }

    pub(super) fn other_run(&mut self, newer: bool, model: &Model) -> Action {
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
    pub(super) fn run_command(&mut self, id: Id, model: &Model) -> Action {
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
            Id::RunPause => {
                let resting = matches!(run.state, State::Paused(_) | State::Waiting { .. });
                let resumes = resting || self.is_pausing(&run);
                self.pausing = (!resumes).then_some(run_id);
                deed(match resumes {
                    true => Command::ResumeRun { run: run_id },
                    false => Command::PauseRun { run: run_id },
                })
            }
            Id::RunEndTask | Id::RunEndNow | Id::RunSkip | Id::RunSkipDocument if !active => {
                Action::Tell("The run has ended.".to_owned())
            }
            Id::RunEndTask => deed(Command::StopRun { run: run_id }),
            Id::RunEndNow => {
                self.confirm = Some(Confirm::EndNow(run_id));
                Action::None
            }
            Id::RunSkip if self.away && self.marked_in(&run) >= run.tasks.len() => {
                Action::Tell("The run has not come to this task yet.".to_owned())
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
                    ask(Question::Retry, Command::RetryTask { run: run_id, task })
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

    /// Whether the run pauses when its task is settled.
    pub(super) fn is_pausing(&self, run: &Run) -> bool {
        run.state == State::Running && (run.pausing || self.pausing == Some(run.id))
    }

    /// Shows a run in the whole window; whether it was not shown before.
    pub(super) fn open_live(&mut self, run: RunId) -> bool {
        let before = self.full && self.page == Page::Live;
        self.look_at_run(run);
        (self.full, self.panel, self.page) = (true, false, Page::Live);
        !before
    }

    /// Asks once more before files are restored.
    pub(super) fn ask_undo(&mut self) -> Action {
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
}
