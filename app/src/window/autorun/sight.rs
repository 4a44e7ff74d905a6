//! What of all there is to be looked at: the run, its marked task, the listed checklists; and what has to
//! be asked for so that it can be seen.

use std::path::{Path, PathBuf};

use maestro_core::RunId;
use maestro_core::playbook::{Found, Heard, HeardKind, Leaf};
use maestro_core::run::{Run, State, Task};
use maestro_protocol::message::Command;

use super::{Action, Autorun, Detail, Known, LINES, LONGEST, Page, Question, Row, ask, deed, view};
use crate::window::model::{self, Model};

impl Autorun {
    /// The run that is looked at.
    #[must_use]
    pub fn run<'a>(&'a self, model: &'a Model) -> Option<&'a Run> {
        let known = |id: RunId| {
            let past = self.runs.as_ref().and_then(|runs| runs.as_ref().ok());
            let past = past.and_then(|runs| runs.iter().find(|run| run.id == id));
            model.runs.iter().find(|run| run.id == id).or(past)
        };
        let active = || model.runs.iter().find(|run| model::is_active(run));
        self.run.and_then(known).or_else(active).or_else(|| model.runs.first())
    }

    /// Every run, newest first, as fresh as it is known.
    #[must_use]
    pub fn all_runs<'a>(&'a self, model: &'a Model) -> Vec<&'a Run> {
        let mut runs: Vec<&Run> = model.runs.iter().collect();
        if let Some(Ok(past)) = &self.runs {
            runs.extend(past.iter().filter(|run| !model.runs.iter().any(|r| r.id == run.id)));
        }
        runs.sort_by_key(|run| std::cmp::Reverse((run.started_ms, run.id)));
        runs
    }

    /// Those in which the filter's words are.
    #[must_use]
    pub fn past<'a>(&'a self, model: &'a Model) -> Vec<&'a Run> {
        let words: Vec<_> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let mut runs = self.all_runs(model);
        runs.retain(|run| {
            let all = view::words_of(model, run);
            words.iter().all(|word| all.contains(word))
        });
        runs
    }

    /// How many rows the list of a run's tasks has.
    pub(super) fn rows(run: &Run) -> usize {
        run.tasks.len() + run.ahead.len()
    }

    /// The marked task of the run, if it was touched: its number.
    pub(super) fn task<'a>(&self, run: &'a Run) -> Option<(u32, &'a Task)> {
        let at = self.marked_in(run);
        Some((u32::try_from(at).ok()?, run.tasks.get(at)?))
    }

    /// Which row is marked.
    #[must_use]
    pub fn marked_in(&self, run: &Run) -> usize {
        let last = Self::rows(run).saturating_sub(1);
        if self.away {
            return self.marked.min(last);
        }
        let under_way = run.tasks.iter().position(|task| task.state.is_under_way());
        under_way.unwrap_or_else(|| run.tasks.len().saturating_sub(1)).min(last)
    }

    /// The folders, documents and playbooks that are listed.
    #[must_use]
    pub fn list(&self) -> Vec<Row<'_>> {
        let leaves = self.leaves.as_ref().and_then(|leaves| leaves.as_ref().ok());
        let mut rows: Vec<_> = leaves.into_iter().flatten().map(Row::Leaf).collect();
        let folder = self.folder.as_deref();
        let elsewhere =
            |found: &&Found| folder.is_none_or(|folder| !found.folder.starts_with(folder));
        rows.extend(self.playbooks.iter().filter(elsewhere).map(Row::Playbook));
        rows
    }

    pub(super) fn path_of(&self, leaf: &Leaf) -> Option<PathBuf> {
        let folder = self.folder.clone()?;
        Some(leaf.path.split('/').fold(folder, |path, part| path.join(part)))
    }

    /// The run that works on a document: while it does, nobody else writes it.
    #[must_use]
    pub fn locked_by<'a>(&self, model: &'a Model, path: &Path) -> Option<&'a Run> {
        let works = |run: &&Run| {
            model::is_active(run) && run.spec.documents.iter().any(|other| other == path)
        };
        model.runs.iter().find(works)
    }

    /// Asks for what should be known now: the stream of the run in sight, and its evidence.
    pub fn settle(&mut self, model: &Model) -> Action {
        let mut actions = Vec::new();
        let wanted = (self.full && self.page == Page::Live)
            .then(|| self.run(model).filter(|run| model::is_active(run)).map(|run| run.id))
            .flatten();
        if wanted != self.hearing {
            if let Some(run) = self.hearing {
                actions.push(deed(Command::HearRun { run, follow: false }));
            }
            if let Some(run) = wanted {
                self.heard.clear();
                actions.push(deed(Command::HearRun { run, follow: true }));
            }
            self.hearing = wanted;
        }
        let shows = self.full
            && self.page == Page::Live
            && matches!(self.detail, Detail::Evidence | Detail::Changes);
        if let Some(run) = self.run(model)
            && shows
            && let Some((task, _)) = self.task(run)
            && self.asked != Some((run.id, task))
        {
            let id = run.id;
            actions.push(self.look_at(id, task));
        }
        Action::All(actions)
    }

    pub(super) fn look_at(&mut self, run: RunId, task: u32) -> Action {
        self.asked = Some((run, task));
        self.known = None;
        ask(Question::Evidence(run, task), Command::ReadEvidence { run, task })
    }

    /// The host is another one: what was followed is not any more.
    pub fn forget_following(&mut self) {
        self.hearing = None;
        self.asked = None;
    }

    /// A run changed.
    pub fn run_changed(&mut self, run: &Run, model: &Model) -> Action {
        if run.state != State::Running {
            let _ = self.pausing.take_if(|pausing| *pausing == run.id);
        }
        let mut actions = Vec::new();
        if let Some((of, task)) = self.asked
            && of == run.id
            && self.full
            && run.tasks.get(task as usize).is_some_and(|task| !task.state.is_under_way())
            && self
                .known_of(run.id, task)
                .is_none_or(|known| Some(&known.evidence.task) != run.tasks.get(task as usize))
        {
            // What was known of a task that went on is old.
            actions
                .push(ask(Question::Evidence(of, task), Command::ReadEvidence { run: of, task }));
        }
        if let Some(open) = self.open.as_ref().filter(|_| self.full)
            && run.spec.documents.contains(&open.path)
        {
            actions.push(Action::Read(open.path.clone()));
        }
        actions.push(self.settle(model));
        Action::All(actions)
    }

    /// Something below a folder changed.
    pub fn documents_changed(&self, folder: &Path) -> Action {
        let Some(own) = self
            .folder
            .as_ref()
            .filter(|own| self.full && (own.starts_with(folder) || folder.starts_with(own)))
        else {
            return Action::None;
        };
        let again = Command::ListDocuments { folder: own.clone(), follow: true };
        let mut actions = vec![ask(Question::Documents(own.clone()), again)];
        actions.extend(self.open.as_ref().map(|open| Action::Read(open.path.clone())));
        Action::All(actions)
    }

    /// A run's turn says something.
    pub fn hear(&mut self, run: RunId, lines: Vec<Heard>) {
        if self.hearing != Some(run) {
            return;
        }
        for line in lines {
            let goes_on = matches!(line.kind, HeardKind::Text | HeardKind::Thinking);
            match self.heard.back_mut() {
                Some(last)
                    if goes_on
                        && last.task == line.task
                        && last.kind == line.kind
                        && last.text.len() + line.text.len() < LONGEST =>
                {
                    last.text.push('\n');
                    last.text.push_str(&line.text);
                }
                _ => self.heard.push_back(line),
            }
            if self.heard.len() > LINES {
                let _ = self.heard.pop_front();
            }
        }
    }

    pub(super) fn known_of(&self, run: RunId, task: u32) -> Option<&Known> {
        let known = self.known.as_ref()?.as_ref().ok()?;
        (known.evidence.run == run && known.evidence.index == task).then_some(known)
    }

    pub(super) fn look_at_run(&mut self, run: RunId) {
        if self.run != Some(run) {
            (self.run, self.away, self.asked, self.known) = (Some(run), false, None, None);
            if self.detail == Detail::Report {
                self.detail = Detail::Said;
            }
        }
    }
}
