//! What a run needs before its first task: a directory that nobody else writes in, a worktree if it wants
//! one, and a tree whose changes are known.

use std::path::{Path, PathBuf};

use maestro_core::RunId;
use maestro_core::run::{Dirty, Spec};
use maestro_git::{Branch, NewWorktree, Place};
use maestro_protocol::message::{Error, ErrorKind, Event};

use super::{Inner, directory, error, in_use, repository};
use crate::playbooks::variables;

/// Names of files in a sentence.
const NAMED: usize = 5;

/// Refuses rules that contradict each other or that nobody means.
pub(super) fn check_options(spec: &Spec) -> Result<(), Error> {
    let invalid = |text: &str| Err(error(ErrorKind::Invalid, text.to_owned()));
    let budgets = &spec.options.budgets;
    if budgets.cost_usd.is_some_and(|cost| !cost.is_finite() || cost <= 0.0) {
        return invalid("A budget for costs has to be more than 0 dollars.");
    }
    if let Some(path) = spec.options.reset.iter().find(|path| !spec.documents.contains(path)) {
        let text = format!("{} is to be reset, but is no document of the run.", path.display());
        return Err(error(ErrorKind::Invalid, text));
    }
    if spec.options.worktree.as_ref().is_some_and(|worktree| worktree.branch.trim().is_empty()) {
        return invalid("A worktree needs the name of a branch.");
    }
    Ok(())
}

impl Inner {
    /// Finds the place for a run: makes its worktree, or makes sure that the directory is as the user
    /// thinks. Gives the worktree. Blocks.
    pub(super) fn place(&self, spec: &mut Spec, run: RunId) -> Result<Option<PathBuf>, Error> {
        let git = &self.deps.git;
        let Some(wanted) = spec.options.worktree.clone() else {
            if let Some(writer) = self.deps.providers.writer_in(&spec.directory) {
                return Err(error(ErrorKind::Busy, in_use(&spec.directory, &writer)));
            }
            self.look_at_changes(spec, run)?;
            let in_worktree = repository::is_worktree(git, &spec.directory);
            let commit = spec.options.commit.unwrap_or(in_worktree);
            spec.options.commit = Some(commit);
            return Ok(None);
        };
        let refusal = |source: maestro_git::Error| {
            let text = format!("No worktree could be made for the run: {source}");
            error(ErrorKind::Invalid, text)
        };
        let checkout = git.repository(&spec.directory).map_err(refusal)?.checkout;
        let below = checkout
            .and_then(|root| root.canonicalize().ok())
            .and_then(|root| spec.directory.strip_prefix(root).ok().map(Path::to_owned))
            .unwrap_or_default();
        let agents = self.deps.providers.agents();
        let agent = agents.iter().find(|(_, id, _)| Some(*id) == spec.agent);
        let name = agent.map_or("", |(name, _, _)| name.as_str());
        let names = variables(spec, Some(run), name, git, self.clock.now_ms());
        let branch = names.expand_branch(&wanted.branch);
        let added = git
            .add_worktree(&NewWorktree {
                repository: spec.directory.clone(),
                branch: Branch::New { name: branch.clone(), base: wanted.base },
                path: None,
                place: Place::default(),
            })
            .map_err(refusal)?;
        if let Some(text) = added.notice {
            (self.deps.events)(Event::Problem { agent: spec.agent, text });
        }
        let root = added.worktree.path;
        let inside = root.join(below);
        spec.directory = directory(if inside.is_dir() { &inside } else { &root })?;
        if let Some(worktree) = &mut spec.options.worktree {
            worktree.branch = branch;
        }
        let _ = spec.options.commit.get_or_insert(true);
        Ok(Some(root))
    }

    /// Uncommitted changes are the user's: the run begins with them only when the user has said so.
    fn look_at_changes(&self, spec: &Spec, run: RunId) -> Result<(), Error> {
        let git = &self.deps.git;
        // Where there is no repository or no commit there is nothing to have changed.
        let Ok(mut changed) = git.changed_files(&spec.directory) else { return Ok(()) };
        let checkout = git.repository(&spec.directory).ok().and_then(|found| found.checkout);
        let checkout = checkout.unwrap_or_default();
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let documents: Vec<PathBuf> = spec.documents.iter().map(|path| real(path)).collect();
        changed.retain(|path| {
            let path = checkout.join(path);
            path.starts_with(&spec.directory) && !documents.contains(&real(&path))
        });
        if changed.is_empty() {
            return Ok(());
        }
        if spec.options.dirty == Dirty::Refuse {
            let names: Vec<String> =
                changed.iter().take(NAMED).map(|path| path.display().to_string()).collect();
            let text = format!(
                "{} in {} {} uncommitted changes ({}{}). Commit them, keep a snapshot of them, let the \
                 run work in a worktree, or let it go on with them.",
                if changed.len() == 1 {
                    "A file".to_owned()
                } else {
                    format!("{} files", changed.len())
                },
                spec.directory.display(),
                if changed.len() == 1 { "has" } else { "have" },
                names.join(", "),
                if changed.len() > NAMED { ", …" } else { "" },
            );
            return Err(error(ErrorKind::Invalid, text));
        }
        if spec.options.dirty == Dirty::Snapshot {
            let kept = git
                .tree_of(&spec.directory)
                .and_then(|tree| git.keep(&spec.directory, &[(format!("runs/{run}/start"), tree)]));
            kept.map_err(|source| {
                let text = format!("No snapshot of the changes could be kept: {source}");
                error(ErrorKind::Failed, text)
            })?;
        }
        Ok(())
    }
}
