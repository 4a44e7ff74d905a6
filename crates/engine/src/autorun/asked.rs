//! What users ask of runs beyond starting and ending them.

use std::sync::Arc;

use maestro_core::RunId;
use maestro_core::playbook::Heard;
use maestro_core::run::journal::Entry;
use maestro_core::run::machine::{Input, Machine};
use maestro_core::run::{Evidence, Loops, Run, Spec, State, TaskState};
use maestro_protocol::message::{Error, ErrorKind};
use tokio::sync::broadcast;

use super::repository::Repository;
use super::{Runs, blocking, error, evidence, report, scratch, stored};

impl Runs {
    /// A run begins nothing more until it is resumed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run; [`ErrorKind::Invalid`] when it has ended.
    pub async fn pause(&self, run: RunId) -> Result<Run, Error> {
        self.tell(run, Input::Pause).await
    }

    /// A paused run goes on; one that waits for a time does not wait any longer.
    ///
    /// # Errors
    ///
    /// As for [`Self::pause`].
    pub async fn resume(&self, run: RunId) -> Result<Run, Error> {
        self.tell(run, Input::Resume).await
    }

    /// A run passes over a task: by its index, or the one it works on.
    ///
    /// # Errors
    ///
    /// As for [`Self::pause`]; [`ErrorKind::Invalid`] also when it has no such task.
    pub async fn skip(&self, run: RunId, task: Option<u32>) -> Result<Run, Error> {
        if let Some(task) = task {
            let _ = self.task(run, task).await?;
        }
        self.tell(run, Input::Skip(task.map(|task| task as usize))).await
    }

    /// A run passes over the rest of its document.
    ///
    /// # Errors
    ///
    /// As for [`Self::pause`].
    pub async fn skip_document(&self, run: RunId) -> Result<Run, Error> {
        self.tell(run, Input::SkipDocument).await
    }

    /// Tries a task again that failed, was skipped or undone. Of a run that has ended that is a new run,
    /// which this gives.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] when there is no such task, or it is none of these; and as for
    /// [`Self::start`].
    pub async fn retry(&self, run: RunId, task: u32) -> Result<Run, Error> {
        let known = self.task(run, task).await?;
        let state = known.tasks[task as usize].state;
        if !matches!(state, TaskState::Failed | TaskState::Skipped | TaskState::Undone) {
            let text =
                "Only a task that failed, was skipped or undone can be tried again.".to_owned();
            return Err(error(ErrorKind::Invalid, text));
        }
        if self.is_active(run) {
            return self.tell(run, Input::Retry(task as usize)).await;
        }
        let journal = self.journal(run).await?;
        let number = task as usize;
        let anchor = journal.iter().rev().find_map(|(_, entry)| match entry {
            Entry::Picked { task, anchor, .. } | Entry::Refused { task, anchor, .. }
                if *task == number =>
            {
                Some(anchor.clone())
            }
            _ => None,
        });
        let Some(anchor) = anchor else {
            let text =
                "Its line disappeared from the document, so it cannot be tried again.".to_owned();
            return Err(error(ErrorKind::Invalid, text));
        };
        let document = known.tasks[number].document.clone();
        let mut spec: Spec = known.spec.clone();
        spec.documents = vec![document.clone()];
        spec.options.only = vec![(document, anchor)];
        spec.options.loops = Loops::Once;
        spec.options.reset.clear();
        // It goes on where the run was.
        spec.options.worktree = None;
        self.start(spec).await
    }

    /// Takes back what a task did. The run may have ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with why nothing was done: later tasks build on it and `force` is not
    /// given, it was not done, what it was like before is not known; [`ErrorKind::Busy`] when somebody
    /// has the directory.
    pub async fn undo(&self, run: RunId, task: u32, force: bool) -> Result<Run, Error> {
        let known = self.task(run, task).await?;
        if !matches!(known.tasks[task as usize].state, TaskState::Done | TaskState::Failed) {
            let text = "Only a task that was done or failed can be undone.".to_owned();
            return Err(error(ErrorKind::Invalid, text));
        }
        let input = Input::Undo { task: task as usize, force };
        if self.is_active(run) {
            return self.tell(run, input).await;
        }
        let inner = Arc::clone(&self.inner);
        let (machine, lock) = blocking(move || inner.reopen_ended(known)).await?;
        self.spawn(machine, lock, None, Some(input));
        self.until_idle(run).await;
        let after = self.get(run).await?;
        if after.tasks.get(task as usize).map(|task| task.state) == Some(TaskState::Undone) {
            return Ok(after);
        }
        // Who asked wants to hear why.
        let refused =
            self.journal(run).await?.into_iter().rev().find_map(|(_, entry)| match entry {
                Entry::UndoRefused { because, .. } => Some(because),
                _ => None,
            });
        let text = refused.unwrap_or_else(|| "Nothing was taken back.".to_owned());
        Err(error(ErrorKind::Invalid, text))
    }

    /// What a task's tick rests on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] and [`ErrorKind::Invalid`] when there is no such run or task.
    pub async fn evidence(&self, run: RunId, task: u32) -> Result<Evidence, Error> {
        let known = self.task(run, task).await?;
        let journal = self.journal(run).await?;
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let mut evidence = evidence::of(&known, task, &journal)
                .ok_or_else(|| error(ErrorKind::Invalid, "There is no such task.".to_owned()))?;
            let repository = Repository {
                git: inner.deps.git.clone(),
                directory: known.spec.directory.clone(),
                index: scratch(&inner.deps, run).join("index"),
                seen: Arc::default(),
            };
            repository.evidence(&mut evidence, &known);
            Ok(evidence)
        })
        .await
    }

    /// The report of a run as it is now, as markdown.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run.
    pub async fn report(&self, run: RunId) -> Result<String, Error> {
        Ok(report::render(&self.get(run).await?))
    }

    /// What a run's turns said last, and what they will say. The receiver ends with the run; it is `None`
    /// when the run is not at work.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run.
    pub async fn hear(
        &self,
        run: RunId,
    ) -> Result<(Vec<Heard>, Option<broadcast::Receiver<Heard>>), Error> {
        if self.is_active(run) {
            let (lines, receiver) = self.inner.hub.listen(run);
            // It may have ended in this instant, and would be listened to for ever.
            if self.is_active(run) {
                return Ok((lines, Some(receiver)));
            }
            self.inner.hub.end(run);
        }
        let _ = self.get(run).await?;
        Ok((Vec::new(), None))
    }

    /// Throws away runs that are old: see the setting `autorun.history_days`. The newest 200 stay.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    pub async fn prune(&self) -> Result<Vec<RunId>, Error> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.prune()).await
    }

    /// The run, if it has such a task.
    async fn task(&self, run: RunId, task: u32) -> Result<Run, Error> {
        let known = self.get(run).await?;
        if known.tasks.get(task as usize).is_none() {
            let text = format!("Run {run} has no task {}; see `maestro run show {run}`.", task + 1);
            return Err(error(ErrorKind::Invalid, text));
        }
        Ok(known)
    }

    /// Tells the run something; refused when it is not at work.
    async fn tell(&self, run: RunId, input: Input) -> Result<Run, Error> {
        if !self.is_active(run) {
            let known = self.get(run).await?;
            let text = match known.state {
                State::Ended(_) => format!("Run {run} has ended."),
                State::Queued { .. } => {
                    format!("Run {run} has not begun: it waits for its directory.")
                }
                _ => format!("Run {run} goes on shortly; try again in a moment."),
            };
            return Err(error(ErrorKind::Invalid, text));
        }
        self.order(run, input).await
    }

    fn is_active(&self, run: RunId) -> bool {
        self.inner.active().contains_key(&run)
    }

    async fn until_idle(&self, run: RunId) {
        loop {
            let finished = self.inner.finished.notified();
            tokio::pin!(finished);
            let _ = finished.as_mut().enable();
            if !self.is_active(run) {
                return;
            }
            finished.await;
        }
    }

    async fn journal(&self, run: RunId) -> Result<Vec<(u64, Entry)>, Error> {
        let store = self.inner.deps.store.clone();
        let entries = blocking(move || store.journal::<Entry>(run).map_err(stored)).await?;
        Ok(entries.into_iter().map(|entry| (entry.at_ms, entry.entry)).collect())
    }
}

impl super::Inner {
    /// A run that has ended, with its directory, so that something of it can be taken back. Blocks.
    fn reopen_ended(&self, run: Run) -> Result<(Machine, super::lock::DirectoryLock), Error> {
        let lock = self.take(&run.spec.directory, run.id)?;
        let journal = self.deps.store.journal::<Entry>(run.id).map_err(stored)?;
        let entries: Vec<(u64, Entry)> =
            journal.into_iter().map(|entry| (entry.at_ms, entry.entry)).collect();
        Ok((Machine::resume(run, self.policy.clone(), &entries), lock))
    }
}
