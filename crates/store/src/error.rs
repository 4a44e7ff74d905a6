//! What can go wrong, in sentences for the person in front of the screen.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use maestro_core::{AgentId, ItemId, TabId};

use crate::leases::Lease;

/// Why the store refused or failed. Cheap to clone, so that it travels in messages.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database was written by a newer Maestro. Nothing was changed.
    #[error(
        "the database {} has format {found}, but this Maestro knows formats up to {known}: it was \
         used with a newer Maestro. Install that version again, or set MAESTRO_HOME to another \
         folder. Nothing was changed.", path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this program knows.
        known: u32,
    },
    /// The file is no SQLite database, or SQLite found it damaged. Nothing was overwritten.
    #[error(
        "the database {} is damaged ({detail}). Nothing was overwritten. {}", path.display(),
        way_out(path, snapshot.as_ref())
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found.
        detail: String,
        /// The last good snapshot, if there is one.
        snapshot: Option<PathBuf>,
    },
    /// The file is a healthy SQLite database, but of another program.
    #[error(
        "{} is a database of another program. Nothing was changed; set MAESTRO_HOME to another \
         folder, or move that file away.", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full. What was written before is safe, and later writes work once there is room.
    #[error(
        "the disk with {} is full; this change was not saved. Free some space and try again.",
        path.display()
    )]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Another process kept the database locked.
    #[error(
        "another process keeps the database {} locked; end it and try again.", path.display()
    )]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// The file or its folder cannot be used.
    #[error("the database {} cannot be opened: {source}", path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// Another agent has the name.
    #[error("there is already an agent called `{name}`; choose another name.")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// No such agent.
    #[error("there is no agent {0}.")]
    NoAgent(AgentId),
    /// No such tab, or one of another agent.
    #[error("there is no tab {0}.")]
    NoTab(TabId),
    /// No such item.
    #[error("there is nothing {0} in a queue.")]
    NoItem(ItemId),
    /// A token that was used for another tab before.
    #[error(
        "the token of this prompt was used before, for {0} in another tab; send it with a new one."
    )]
    TokenTaken(ItemId),
    /// A queue has as many items as it may.
    #[error(
        "{waiting} prompts wait for this agent already, and no more are kept; wait, or remove some. \
         A long list of work is better a document for `maestro run`."
    )]
    QueueFull {
        /// How many.
        waiting: usize,
    },
    /// Somebody holds the directory.
    #[error("{} is in use by run {} (process {}); stop that run first.", .0.directory.display(), .0.run, .0.pid)]
    Leased(Box<Lease>),
    /// A preference's key or value is too large.
    #[error("the preference `{key}` is too large: {size} bytes, and at most {limit} are kept.")]
    TooLarge {
        /// The key, shortened.
        key: String,
        /// What was handed in.
        size: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A value cannot be written as JSON (a path that is not Unicode), or a stored one cannot be read.
    #[error("{what} cannot be {verb}: {source}")]
    Json {
        /// What it is about.
        what: String,
        /// "saved" or "read".
        verb: &'static str,
        /// Why.
        source: Arc<serde_json::Error>,
    },
    /// The store was closed.
    #[error("the database is closed because the host is stopping.")]
    Closed,
    /// Anything else SQLite says.
    #[error("the database failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
}

impl Error {
    /// A failed conversion of `what` to JSON.
    pub(crate) fn unsaved(what: impl Into<String>, source: serde_json::Error) -> Self {
        Self::Json { what: what.into(), verb: "saved", source: Arc::new(source) }
    }

    /// A failed conversion of `what` from JSON.
    pub(crate) fn unread(what: impl Into<String>, source: serde_json::Error) -> Self {
        Self::Json { what: what.into(), verb: "read", source: Arc::new(source) }
    }

    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        if source.kind() == io::ErrorKind::StorageFull {
            return Self::Full { path };
        }
        Self::Io { path, source: Arc::new(source) }
    }

    /// Gives SQLite's errors that a person can act on their own sentence.
    #[must_use]
    pub(crate) fn explained(self, path: &std::path::Path) -> Self {
        use rusqlite::ErrorCode;
        let Self::Sqlite(source) = &self else { return self };
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                let snapshot = crate::open::with_suffix(&path, ".bak");
                let snapshot = snapshot.exists().then_some(snapshot);
                Self::Damaged { path, detail: source.to_string(), snapshot }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::Io { path, source: Arc::new(io::Error::other(source.to_string())) }
            }
            _ => self,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(source))
    }
}

fn way_out(path: &std::path::Path, snapshot: Option<&PathBuf>) -> String {
    match snapshot {
        Some(snapshot) => format!(
            "The state of the last good start is in {}; to go back to it, move the damaged file away \
             and rename the copy to {}.",
            snapshot.display(),
            path.display()
        ),
        None => "Move it away to begin with an empty one; keep it if you want it looked at.".into(),
    }
}
