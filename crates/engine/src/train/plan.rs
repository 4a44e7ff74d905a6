//! What a train would do: which branches, in which order, and what stands in the way.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use maestro_core::conflict::{Fit, Matrix};
use maestro_core::train::{Plan, Prospect, Spec, order};
use maestro_git::{Git, Worktree};
use maestro_protocol::message::{Error, ErrorKind};

use super::{Deps, check};
use crate::host::{blocking, check_path, failed, git_error, refuse};

/// Files that are named of a worktree that is not committed.
const NAMED: usize = 20;

/// Looks at everything, and changes nothing.
pub(super) async fn make(deps: &Deps, spec: Spec) -> Result<Plan, Error> {
    check_path(&spec.repository)?;
    check(&spec)?;
    let rehearsal = deps.agents.rehearsal(&spec.repository).await?;
    let deps = deps.clone();
    let plan = move || {
        let here = deps.git.repository(&spec.repository).map_err(git_error)?;
        let mut spec = Spec { repository: here.root.clone(), ..spec };
        if spec.target.is_empty() {
            spec.target =
                deps.git.repository(&here.root).map_err(git_error)?.branch.ok_or_else(|| {
                    refuse(ErrorKind::Invalid, "say which branch everything goes to")
                })?;
        }
        let target = deps.git.target(&here.root, &spec.target).map_err(git_error)?;
        let matrix = rehearsal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .matrix(Some(&spec.target))
            .map_err(git_error)?;
        let worktrees = deps.git.worktrees(&here.root).map_err(git_error)?;
        let mut named = std::mem::take(&mut spec.cars);
        if named.is_empty() {
            named = bringing(&deps.git, &matrix, &spec);
        }
        let mut seen = std::collections::HashSet::new();
        named.retain(|branch| seen.insert(branch.clone()));
        spec.cars = if spec.sorted { order(&matrix, &named) } else { named };
        let mut obstacles = Vec::new();
        let checked_out = target.checked_out.as_ref().map(|worktree| worktree.path.clone());
        if let Some(path) = &checked_out {
            obstacles.extend(deps.git.in_the_way(path, &spec.target).map_err(git_error)?);
            obstacles.extend(deps.agents.writer_in(path));
        }
        let mut cars = Vec::new();
        for (at, branch) in spec.cars.iter().enumerate() {
            let before = &spec.cars[..at];
            let car = prospect(&deps, &spec, &matrix, &worktrees, branch, before)?;
            if branch == &spec.target {
                obstacles.push(format!("{branch} is the target itself."));
            }
            if spec.commit
                && car.uncommitted > 0
                && let Some(because) =
                    car.directory.as_deref().and_then(|path| deps.agents.writer_in(path))
            {
                obstacles.push(because);
            }
            cars.push(car);
        }
        Ok(Plan { spec, target_at: target.commit, checked_out, cars, obstacles })
    };
    blocking(plan).await.map_err(failed)?
}

/// The branches that have something to bring: committed, or to be committed.
fn bringing(git: &Git, matrix: &Matrix, spec: &Spec) -> Vec<String> {
    let sides = matrix.sides.iter().filter_map(|side| {
        let branch = side.branch.clone()?;
        let is_ahead = || {
            git.ahead_behind(&spec.repository, &spec.target, &branch)
                .is_ok_and(|(ahead, _)| ahead > 0)
        };
        (branch != spec.target && (side.is_dirty || is_ahead())).then_some(branch)
    });
    sides.collect()
}

fn prospect(
    deps: &Deps,
    spec: &Spec,
    matrix: &Matrix,
    worktrees: &[Worktree],
    branch: &str,
    before: &[String],
) -> Result<Prospect, Error> {
    // The name of a local branch, and nothing that git would take for another kind of revision.
    let _ = deps.git.target(&spec.repository, branch).map_err(git_error)?;
    let full = format!("refs/heads/{branch}");
    let (ahead, _) =
        deps.git.ahead_behind(&spec.repository, &spec.target, &full).map_err(git_error)?;
    let directory = worktrees
        .iter()
        .find(|worktree| !worktree.missing && worktree.branch.as_deref() == Some(branch))
        .map(|worktree| worktree.path.clone());
    let uncommitted = match &directory {
        Some(directory) => uncommitted(&deps.git, directory).map_err(git_error)?.len(),
        None => 0,
    };
    let side = |name: &str| {
        let at = matrix.sides.iter().position(|side| side.branch.as_deref() == Some(name));
        at.and_then(|at| u32::try_from(at).ok())
    };
    let own = side(branch);
    let fit = match own.and_then(|own| matrix.cell(own, None)) {
        Some(cell) => cell.fit.clone(),
        // It is checked out nowhere.
        None => match deps.git.conflicts_between(&spec.repository, &spec.target, &full) {
            Ok(files) if files.is_empty() => Fit::Apart,
            Ok(files) => Fit::Conflicts(files),
            Err(error) => Fit::Unknown(error.to_string()),
        },
    };
    let meets = |other: &&String| {
        let (Some(own), Some(other)) = (own, side(other)) else { return false };
        matrix.cell(own, Some(other)).is_some_and(|cell| matches!(cell.fit, Fit::Conflicts(_)))
    };
    Ok(Prospect {
        branch: branch.to_owned(),
        agent: directory.as_deref().and_then(|directory| deps.agents.in_worktree(directory)),
        directory,
        ahead,
        uncommitted: u32::try_from(uncommitted).unwrap_or(u32::MAX),
        fit,
        collides: before.iter().filter(meets).cloned().collect(),
    })
}

/// The files in a worktree that are not committed, the first of them.
pub(super) fn uncommitted(git: &Git, directory: &Path) -> maestro_git::Result<Vec<PathBuf>> {
    if git.status(directory)?.is_clean() {
        return Ok(Vec::new());
    }
    let Some(head) = git.head(directory)? else { return Ok(Vec::new()) };
    let tree = git.tree_of(directory)?;
    let mut files = git.differing(directory, &head, &tree)?;
    files.truncate(NAMED);
    Ok(files)
}
