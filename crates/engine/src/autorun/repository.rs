//! What a run does with the repository it works in: looks at its tree, keeps it, commits a task's work, takes
//! it back. Everything here blocks.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use maestro_core::run::machine::{Commit, Input, Uncommitted};
use maestro_core::run::{Run, TaskState, Verify};
use maestro_git::{Error, Git, Seen};

/// Bytes that are kept of what a hook printed: the end, where the failure is.
const PRINTED: usize = 8 * 1024;
/// Names of files in a sentence.
const NAMED: usize = 5;

/// The repository of a run.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    pub(super) git: Git,
    pub(super) directory: PathBuf,
    /// An index that lasts as long as the run: see [`Git::tree_with`].
    pub(super) index: PathBuf,
    /// What is known since the last look: see [`Git::tree_again`].
    pub(super) seen: Arc<Mutex<Seen>>,
}

impl Repository {
    /// What the directory is like, or why nothing more can be done there. `written`: the only files that were
    /// written since the last look, where that is known.
    pub(super) fn look(
        &self,
        new_session: Option<String>,
        in_repository: bool,
        written: Option<&[PathBuf]>,
    ) -> Input {
        if !self.directory.is_dir() {
            return Input::Broken(super::actor::gone(&self.directory));
        }
        if let Some(folder) = self.index.parent() {
            // A tree without a lasting index is as good, and slower.
            let _ = std::fs::create_dir_all(folder);
        }
        let tree = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            match written {
                Some(written) => {
                    self.git.tree_after_writing(&self.directory, &self.index, &mut seen, written)
                }
                None => self.git.tree_again(&self.directory, &self.index, &mut seen),
            }
        };
        let tree = tree.or_else(|_| self.git.tree_of(&self.directory));
        let tree = match tree {
            Ok(tree) => Some(tree),
            Err(Error::NotARepository { .. }) if in_repository => {
                return Input::Broken(format!(
                    "The git repository of {} is not there any more; bring it back and start the run \
                     again.",
                    self.directory.display()
                ));
            }
            Err(error) => {
                // A tree is evidence where it can be had; a task is not worth less without one.
                tracing::debug!(directory = %self.directory.display(), %error, "no tree");
                None
            }
        };
        let head = tree.is_some().then(|| self.git.head(&self.directory).ok().flatten()).flatten();
        Input::Looked { tree, head, new_session }
    }

    /// Commits what a task did, or finds its commits.
    pub(super) fn commit(&self, run: &Run, commit: &Commit) -> Result<Vec<String>, Uncommitted> {
        if let Some(message) = &commit.message {
            let since = run.tasks.get(commit.task).and_then(|task| task.tree_before.as_deref());
            match self.git.commit_since(&self.directory, since, message, &self.index) {
                Ok(_) => {}
                Err(error) => return Err(uncommitted(&error)),
            }
        }
        self.git.commits_since(&self.directory, commit.since.as_deref()).map_err(|error| {
            Uncommitted::Passing(format!("The commits could not be listed: {error}"))
        })
    }

    /// Takes back what a task did; gives the later tasks whose work went with it, or why nothing was done.
    pub(super) fn restore(
        &self,
        run: &Run,
        number: usize,
        force: bool,
        now_ms: u64,
    ) -> Result<Vec<usize>, String> {
        let task = run.tasks.get(number).ok_or("The run has no such task.")?;
        let (Some(before), Some(after)) = (&task.tree_before, &task.tree_after) else {
            return Err(
                "What it was like before is not known: the directory is in no git repository, \
                        or the task was not begun."
                    .to_owned(),
            );
        };
        let told = |error: Error| format!("Nothing was taken back: {error}");
        let changed = self.changed(run, before, after).map_err(told)?;
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let also = self.built_on_by(run, number, &changed);
        let now = self.git.tree_of(&self.directory).map_err(told)?;
        if !force {
            if !also.is_empty() {
                let names: Vec<String> = also
                    .iter()
                    .filter_map(|number| run.tasks.get(*number))
                    .take(NAMED)
                    .map(|task| format!("“{}”", task.text))
                    .collect();
                return Err(format!(
                    "Later tasks changed the same files and would lose their work: {}{}. Undo them \
                     first, or undo it by force.",
                    names.join(", "),
                    if also.len() > NAMED { " and others" } else { "" }
                ));
            }
            let since: Vec<PathBuf> = self.changed(run, after, &now).map_err(told)?;
            // What is as it was before the task already is lost to nobody: a host may have died here.
            let left: Vec<PathBuf> = self.changed(run, before, &now).map_err(told)?;
            let left: HashSet<PathBuf> = left.into_iter().collect();
            let theirs: HashSet<&PathBuf> =
                since.iter().filter(|path| left.contains(*path)).collect();
            let lost: Vec<String> = changed
                .iter()
                .filter(|path| theirs.contains(path))
                .take(NAMED)
                .map(|path| path.display().to_string())
                .collect();
            if !lost.is_empty() {
                return Err(format!(
                    "Somebody else changed the same files since: {}. Undo it by force to put them \
                     back all the same.",
                    lost.join(", ")
                ));
            }
        }
        let keep_as = format!("runs/{}/undo-t{number}-{now_ms}", run.id);
        let restored = self
            .git
            .restore(&self.directory, before, Some(&changed), &keep_as)
            .map_err(|error| format!("It was taken back only in part: {error}"))?;
        if !restored.left.is_empty() {
            tracing::info!(run = %run.id, left = restored.left.len(), "submodules were left alone");
        }
        if run.options().commit == Some(true) && !task.commits.is_empty() {
            // The files are what was asked for; a commit that cannot be made takes nothing from that.
            let message = format!("Take back: {}", task.text);
            let since = Some(restored.before.as_str());
            if let Err(error) = self.git.commit_since(&self.directory, since, &message, &self.index)
            {
                tracing::warn!(run = %run.id, %error, "what was taken back is not committed");
            }
        }
        Ok(also)
    }

    /// The files that differ between two trees, without the documents of the run.
    fn changed(&self, run: &Run, from: &str, to: &str) -> maestro_git::Result<Vec<PathBuf>> {
        let checkout = self.git.repository(&self.directory)?.checkout.unwrap_or_default();
        let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        let documents: HashSet<PathBuf> = run
            .spec
            .documents
            .iter()
            .chain(run.tasks.iter().map(|task| &task.document))
            .map(real)
            .collect();
        let mut changed = self.git.differing(&self.directory, from, to)?;
        changed.retain(|path| !documents.contains(&real(&checkout.join(path))));
        Ok(changed)
    }

    /// Tasks done after one that changed the same files.
    pub(super) fn built_on_by(&self, run: &Run, number: usize, changed: &[PathBuf]) -> Vec<usize> {
        let Some(task) = run.tasks.get(number) else { return Vec::new() };
        let changed: HashSet<&PathBuf> = changed.iter().collect();
        let later = |(other, candidate): &(usize, &maestro_core::run::Task)| {
            *other != number
                && (candidate.started_ms, *other) > (task.started_ms, number)
                && candidate.state != TaskState::Undone
        };
        run.tasks
            .iter()
            .enumerate()
            .filter(later)
            .filter(|(_, candidate)| {
                let (Some(before), Some(after)) = (&candidate.tree_before, &candidate.tree_after)
                else {
                    return false;
                };
                before != after
                    && self
                        .changed(run, before, after)
                        .is_ok_and(|theirs| theirs.iter().any(|path| changed.contains(path)))
            })
            .map(|(other, _)| other)
            .collect()
    }

    /// What a task changed, for people, and the later tasks that build on it.
    pub(super) fn evidence(&self, evidence: &mut maestro_core::run::Evidence, run: &Run) {
        /// Bytes of a difference that are shown.
        const SHOWN: usize = 1 << 20;
        let task = &evidence.task;
        let (Some(before), Some(after)) = (&task.tree_before, &task.tree_after) else { return };
        match self.git.difference(&self.directory, before, after, SHOWN) {
            Ok(difference) => {
                evidence.diff_cut = difference.cut;
                evidence.diff = Some(difference.text);
            }
            Err(error) => {
                tracing::debug!(run = %run.id, %error, "the trees of a task are not there any more");
                return;
            }
        }
        if let Ok(changed) = self.changed(run, before, after) {
            let also = self.built_on_by(run, evidence.index as usize, &changed);
            evidence.built_on_by =
                also.into_iter().filter_map(|number| u32::try_from(number).ok()).collect();
        }
    }
}

/// What follows from a commit that was not made.
fn uncommitted(error: &Error) -> Uncommitted {
    let passes = |words: &str| {
        [
            "index.lock",
            "cannot lock ref",
            "No space left",
            "Disk quota exceeded",
            "Read-only file system",
            "Input/output error",
            "Resource temporarily",
        ]
        .iter()
        .any(|sign| words.contains(sign))
    };
    let hook = |output: &str| {
        let begin = output.len().saturating_sub(PRINTED);
        let begin = (begin..=output.len()).find(|at| output.is_char_boundary(*at)).unwrap_or(0);
        Uncommitted::Refused(Verify {
            command: "git commit".to_owned(),
            exit_code: Some(1),
            output: output[begin..].to_owned(),
        })
    };
    match error {
        Error::CommitRefused { words } if passes(words) => Uncommitted::Passing(error.to_string()),
        Error::CommitRefused { words } => hook(words),
        Error::TimedOut { .. } => hook(&error.to_string()),
        Error::NoIdentity
        | Error::UnderWay { .. }
        | Error::Untrusted { .. }
        | Error::NotARepository { .. }
        | Error::NotOwned { .. }
        | Error::GitMissing
        | Error::Bare { .. } => {
            Uncommitted::Impossible(format!("It could not be committed: {error}"))
        }
        _ => Uncommitted::Passing(format!("It could not be committed: {error}")),
    }
}

/// Names under which the trees of a task are kept.
pub(super) fn kept(run: &Run, number: usize, is_after: bool) -> String {
    format!("runs/{}/t{number}-{}", run.id, if is_after { "after" } else { "before" })
}

/// Whether a folder is a worktree that is not the repository's main checkout.
pub(super) fn is_worktree(git: &Git, directory: &Path) -> bool {
    git.repository(directory).is_ok_and(|repository| repository.git_dir != repository.common_dir)
}
