//! The end of a run: its pull request, its report, and throwing it away when it is old.

use std::fs;
use std::path::Path;

use maestro_core::RunId;
use maestro_core::run::{Ending, Flag, MAX_FLAGS, Run, State, TaskState};
use maestro_protocol::message::{Error, Event};

use super::{Inner, home, pull_request, report, scratch, stored};

/// Runs that are kept however old they are.
const NEWEST: u32 = 200;

impl Inner {
    /// What is done once a run is over, while it still has its directory. Blocks.
    pub(super) fn conclude(&self, mut run: Run) -> Run {
        let done = run.tasks.iter().filter(|task| task.state == TaskState::Done).count();
        let is_through =
            matches!(run.state, State::Ended(Ending::Completed | Ending::WithFailures));
        if run.options().pull_request.is_some()
            && run.pull_request.is_none()
            && is_through
            && done > 0
        {
            let environment = self.deps.providers.environment();
            let body = report::render(&run);
            match pull_request::open(&self.deps.git, &environment, &run, &body) {
                Ok(opened) => {
                    run.pull_request = opened.address;
                    if let Some(notice) = opened.notice {
                        self.flag(&mut run, notice);
                    }
                }
                Err(because) => self.flag(&mut run, because),
            }
        }
        match report::write(&run, &home(&self.deps)) {
            Ok(path) => run.report = Some(path),
            Err(because) => self.flag(&mut run, because),
        }
        let _ = fs::remove_dir_all(scratch(&self.deps, run.id));
        run
    }

    /// Something the user should know about a run that is over.
    fn flag(&self, run: &mut Run, text: String) {
        (self.deps.events)(Event::Problem { agent: run.spec.agent, text: text.clone() });
        if run.flags.len() >= MAX_FLAGS {
            let _ = run.flags.remove(0);
        }
        run.flags.push(Flag { at_ms: self.clock.now_ms(), task: None, text });
    }

    /// Throws old runs away: their journals, the trees that were kept for them, their working copies.
    /// Reports stay. Gives which. Blocks.
    pub(super) fn prune(&self) -> Result<Vec<RunId>, Error> {
        let store = &self.deps.store;
        let days = self.deps.providers.days_kept();
        let before = self.clock.now_ms().saturating_sub(days.saturating_mul(24 * 3_600_000));
        let mut gone = Vec::new();
        for run in store.old_runs(before, NEWEST).map_err(stored)? {
            if store.throw_away_run(run.id).map_err(stored)? {
                self.forget(&run);
                gone.push(run.id);
            }
        }
        if !gone.is_empty() {
            tracing::info!(runs = gone.len(), "old runs were thrown away");
        }
        Ok(gone)
    }

    fn forget(&self, run: &Run) {
        let directory = &run.spec.directory;
        if directory.is_dir()
            && let Err(error) = self.deps.git.forget(directory, &format!("runs/{}", run.id))
        {
            tracing::debug!(run = %run.id, %error, "the trees of an old run are still kept");
        }
        let _ = fs::remove_dir_all(scratch(&self.deps, run.id));
        for task in &run.tasks {
            remove_copy(run, &task.document);
        }
    }
}

/// Removes a working copy: a document that the run made itself.
fn remove_copy(run: &Run, document: &Path) {
    if run.spec.documents.iter().any(|own| own == document) {
        return;
    }
    let _ = fs::remove_file(document);
    // The folder of the pass, if that was its last one.
    if let Some(folder) = document.parent() {
        let _ = fs::remove_dir(folder);
    }
}
