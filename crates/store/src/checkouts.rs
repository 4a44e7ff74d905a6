//! Snapshots of checkouts, and worktrees in the trash.

use maestro_core::SnapshotId;
use maestro_core::trash::Snapshot;
use rusqlite::OptionalExtension as _;

use crate::error::Error;
use crate::{Counter, Result, Store};

impl Store {
    /// The next snapshot's id.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn next_snapshot_id(&self) -> Result<SnapshotId> {
        self.next_id(Counter::Snapshot).map(SnapshotId)
    }

    /// Keeps what is known of a snapshot.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn put_checkout(&self, snapshot: &Snapshot) -> Result<()> {
        let json = serde_json::to_string(snapshot)
            .map_err(|source| Error::unsaved(format!("snapshot {}", snapshot.id), source))?;
        let id = snapshot.id.0.cast_signed();
        self.call(move |connection| {
            let _ = connection
                .prepare_cached(
                    "INSERT INTO checkouts (id, snapshot) VALUES (?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET snapshot = ?2",
                )?
                .execute((id, json))?;
            Ok(())
        })
    }

    /// One snapshot.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn checkout(&self, snapshot: SnapshotId) -> Result<Option<Snapshot>> {
        self.call(move |connection| {
            let json: Option<String> = connection
                .prepare_cached("SELECT snapshot FROM checkouts WHERE id = ?1")?
                .query_row([snapshot.0.cast_signed()], |row| row.get(0))
                .optional()?;
            Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
        })
    }

    /// All snapshots, the newest first. Those that cannot be read are left out.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn checkouts(&self) -> Result<Vec<Snapshot>> {
        self.call(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT snapshot FROM checkouts ORDER BY id DESC")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            let mut found = Vec::new();
            for json in rows {
                found.extend(serde_json::from_str(&json?).ok());
            }
            Ok(found)
        })
    }

    /// Forgets a snapshot.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn forget_checkout(&self, snapshot: SnapshotId) -> Result<()> {
        self.call(move |connection| {
            let _ = connection
                .prepare_cached("DELETE FROM checkouts WHERE id = ?1")?
                .execute([snapshot.0.cast_signed()])?;
            Ok(())
        })
    }
}
