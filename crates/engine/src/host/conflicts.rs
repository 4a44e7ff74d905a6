//! How the worktrees of a repository fit together, asked for by clients.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use maestro_git::{Git, Other, Rehearsal};
use maestro_protocol::message::{Against, Command, Error, ErrorKind, Reply};

use super::commands::git_error;
use super::tools::failed;
use super::{Shared, blocking, check_path, refuse};

/// Repositories that are remembered. Whoever has more asks anew.
const REPOSITORIES: usize = 16;

/// What is known about how worktrees fit together, by repository.
#[derive(Debug, Default)]
pub(crate) struct Conflicts {
    /// By the git directory that the worktrees of a repository share. One question at a time each.
    known: Mutex<HashMap<PathBuf, Arc<Mutex<Rehearsal>>>>,
}

/// Answers a question about conflicts.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    match command {
        Command::ReadConflicts { repository, target } => {
            let rehearsal = shared.rehearsal(repository).await?;
            let found = blocking(move || lock(&rehearsal).matrix(target.as_deref()));
            let matrix = found.await.map_err(failed)?.map_err(git_error)?;
            Ok(Reply::Conflicts(Box::new(matrix)))
        }
        Command::ReadClashes { one, other } => {
            check_path(&one)?;
            let rehearsal = shared.rehearsal(one.clone()).await?;
            let other = match other {
                Against::Worktree(directory) => Other::Worktree(directory),
                Against::Revision(name) => Other::Revision(name),
            };
            let found = blocking(move || lock(&rehearsal).clashes(&one, &other));
            Ok(Reply::Clashes(found.await.map_err(failed)?.map_err(git_error)?))
        }
        _ => Err(refuse(ErrorKind::Invalid, "this is no question about conflicts")),
    }
}

impl Shared {
    /// The rehearsal for the repository that a directory is in.
    async fn rehearsal(
        self: &Arc<Self>,
        directory: PathBuf,
    ) -> Result<Arc<Mutex<Rehearsal>>, Error> {
        check_path(&directory)?;
        let git = self.tools().await?.git.clone();
        let shared = Arc::clone(self);
        let home = self.options.home.root().join("conflicts");
        blocking(move || shared.conflicts.of(&git, &directory, &home))
            .await
            .map_err(failed)?
            .map_err(git_error)
    }
}

impl Conflicts {
    fn of(
        &self,
        git: &Git,
        directory: &Path,
        home: &Path,
    ) -> maestro_git::Result<Arc<Mutex<Rehearsal>>> {
        let common_dir = git.repository(directory)?.common_dir;
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rehearsal) = known().get(&common_dir) {
            // Its objects may have been thrown away from outside.
            if home.join(name(&common_dir)).join("objects").is_dir() {
                return Ok(Arc::clone(rehearsal));
            }
        }
        let rehearsal = git.rehearsal(directory, &home.join(name(&common_dir)))?;
        let rehearsal = Arc::new(Mutex::new(rehearsal));
        let mut known = known();
        if known.len() >= REPOSITORIES {
            known.clear();
        }
        let _ = known.insert(common_dir, Arc::clone(&rehearsal));
        Ok(rehearsal)
    }
}

/// A folder's name for a repository. Two with the same name would only find out more often.
fn name(common_dir: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    common_dir.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn lock(rehearsal: &Mutex<Rehearsal>) -> std::sync::MutexGuard<'_, Rehearsal> {
    rehearsal.lock().unwrap_or_else(PoisonError::into_inner)
}
