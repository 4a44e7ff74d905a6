//! Leases: which run has which directory.

use std::path::{Path, PathBuf};

use maestro_core::RunId;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};

use crate::error::Error;
use crate::{Result, Store};

/// A directory held by a run, with the process behind it: enough to tell a living holder from a dead
/// one whose process id was given to somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The directory, canonical.
    pub directory: PathBuf,
    /// The run that holds it.
    pub run: RunId,
    /// The host's instance id.
    pub host: String,
    /// The host's process id.
    pub pid: u32,
    /// When that process started, in the platform's own unit.
    pub process_start: u64,
    /// Since when: milliseconds since the Unix epoch.
    pub since_ms: u64,
}

/// A lease that is asked for.
pub type NewLease = Lease;

impl Store {
    /// Takes a directory. The same run may take it again, which renews the holder: that is how a new
    /// host goes on with a run of a dead one.
    ///
    /// # Errors
    ///
    /// [`Error::Leased`] with its holder when another run has it.
    pub fn take_lease(&self, lease: NewLease) -> Result<()> {
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            take(&transaction, &lease)?;
            Ok(transaction.commit()?)
        })
    }

    /// Gives back the directories a run holds. `false` when it held none.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn release_leases(&self, run: RunId) -> Result<bool> {
        self.call(move |connection| {
            let released = connection
                .prepare_cached("DELETE FROM leases WHERE run = ?1")?
                .execute([run.0.cast_signed()])?;
            Ok(released > 0)
        })
    }

    /// Who holds a directory.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn lease(&self, directory: &Path) -> Result<Option<Lease>> {
        let directory = text(directory)?;
        self.call(move |connection| holder(connection, &directory))
    }

    /// Every lease.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn leases(&self) -> Result<Vec<Lease>> {
        self.call(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT directory, run, host, pid, process_start, since_ms FROM leases
                 ORDER BY directory",
            )?;
            let leases = statement.query_map([], read)?;
            Ok(leases.collect::<rusqlite::Result<_>>()?)
        })
    }
}

pub(crate) fn take(connection: &Connection, lease: &NewLease) -> Result<()> {
    let directory = text(&lease.directory)?;
    if let Some(holder) = holder(connection, &directory)?
        && holder.run != lease.run
    {
        return Err(Error::Leased(Box::new(holder)));
    }
    let _ = connection
        .prepare_cached(
            "INSERT OR REPLACE INTO leases (directory, run, host, pid, process_start, since_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            directory,
            lease.run.0.cast_signed(),
            &lease.host,
            lease.pid,
            lease.process_start.cast_signed(),
            lease.since_ms.cast_signed(),
        ))?;
    Ok(())
}

fn holder(connection: &Connection, directory: &str) -> Result<Option<Lease>> {
    let lease = connection
        .prepare_cached(
            "SELECT directory, run, host, pid, process_start, since_ms FROM leases
             WHERE directory = ?1",
        )?
        .query_row([directory], read)
        .optional()?;
    Ok(lease)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Lease> {
    Ok(Lease {
        directory: PathBuf::from(row.get::<_, String>(0)?),
        run: RunId(row.get::<_, i64>(1)?.cast_unsigned()),
        host: row.get(2)?,
        pid: row.get(3)?,
        process_start: row.get::<_, i64>(4)?.cast_unsigned(),
        since_ms: row.get::<_, i64>(5)?.cast_unsigned(),
    })
}

/// The path as text. The rest of Maestro refuses other paths before it comes this far.
fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::io(path, std::io::Error::other("a directory whose name is not Unicode"))
    })
}
