//! Repositories and worktrees: what is asked often is read by git2, what is written is written by the
//! user's own git, so that hooks, filters, signing and credential helpers work as the user expects.
//!
//! [`Git`] is a cheap handle; every method blocks, within a time limit, and none looks at the
//! process's own environment: it is handed in. Nothing here ever removes what it did not make in the
//! same call.

mod branch;
mod changes;
mod commit;
mod copy;
mod difference;
mod error;
mod fill;
mod folders;
mod history;
mod keep;
mod merge;
mod process;
mod programs;
mod push;
mod rehearsal;
mod repository;
mod restore;
#[cfg(target_os = "linux")]
mod seen;
#[cfg(not(target_os = "linux"))]
#[path = "seen/elsewhere.rs"]
mod seen;
mod status;
mod stream;
mod sync;
mod take;
mod train;
mod trash;
mod tree;
mod usage;
mod worktree;

pub use branch::Branches;
pub use changes::{Side, Sides};
pub use commit::Made;
pub use copy::{Copied, INCLUDE};
pub use difference::Difference;
pub use error::Error;
pub use fill::{FILLS, Registered};
pub use folders::Folders;
pub use merge::Commit;
pub use process::{Limits, Version};
pub use push::Pushed;
pub use rehearsal::{Other, Rehearsal};
pub use repository::Repository;
pub use restore::Restored;
pub use seen::Seen;
pub use status::{Lines, Status};
pub use take::Piece;
pub use train::{Bring, Brought, Moved, Size, Target};
pub use trash::{Kept, PutBack};
pub use worktree::{Added, Branch, NewWorktree, Place, Worktree};

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

/// Result of every method of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// The user's git, with the environment it runs in.
#[derive(Clone)]
pub struct Git {
    shared: Arc<Shared>,
}

struct Shared {
    environment: Vec<(OsString, OsString)>,
    limits: Limits,
    version: OnceLock<Version>,
    readers: process::Gate,
    /// What repositories name, and what the user agreed to.
    programs: Arc<programs::Known>,
    /// By repository, held while a worktree is added to it: two at once must not choose the same
    /// place. One that takes minutes to check out holds up no other repository.
    adding: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
}

impl Git {
    /// The git that `PATH` of `environment` leads to, run with that environment. Variables that point
    /// git at another repository, index or configuration are left out.
    #[must_use]
    pub fn new(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self::with_limits(environment, Limits::default())
    }

    /// The same with limits other than the default ones.
    #[must_use]
    pub fn with_limits(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        limits: Limits,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                environment: process::cleaned(environment),
                limits,
                version: OnceLock::new(),
                readers: process::Gate::new(),
                programs: Arc::default(),
                adding: Mutex::default(),
            }),
        }
    }

    /// Git's version. Asked once.
    ///
    /// # Errors
    ///
    /// [`Error::GitMissing`] and [`Error::GitTooOld`].
    pub fn version(&self) -> Result<Version> {
        if let Some(version) = self.shared.version.get() {
            return Ok(*version);
        }
        let version = process::version(self)?;
        Ok(*self.shared.version.get_or_init(|| version))
    }
}

impl fmt::Debug for Git {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment may hold secrets.
        f.debug_struct("Git").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}
