//! Snapshots, taken beside the owner thread.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{ErrorCode, InterruptHandle};

use crate::error::Error;
use crate::{Result, open};

/// At most one snapshot at a time, and none once the store is closed.
#[derive(Default)]
pub(crate) struct Snapshots {
    /// Held while a snapshot is taken: two at once would write the same file.
    alone: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// What cuts the snapshot short that is being taken.
    running: Option<InterruptHandle>,
}

impl Snapshots {
    pub(crate) fn take(&self, path: &Path, target: &Path) -> Result<()> {
        let _alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = open::beside(path).map_err(|error| error.explained(path))?;
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.closed {
                return Err(Error::Closed);
            }
            state.running = Some(connection.get_interrupt_handle());
        }
        let taken = open::snapshot(&connection, path, target);
        self.state.lock().unwrap_or_else(PoisonError::into_inner).running = None;
        taken.map_err(|error| match error {
            Error::Sqlite(error)
                if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
            {
                Error::Closed
            }
            error => error.explained(path),
        })
    }

    /// Lets no more snapshots begin, and waits for the end of the one that is being taken: whoever has
    /// a connection when the owner closes its own would fold the log into the database later.
    pub(crate) fn end(&self) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.closed = true;
            if let Some(running) = &state.running {
                running.interrupt();
            }
        }
        drop(self.alone.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl std::fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshots").finish_non_exhaustive()
    }
}
