//! The truth about agents, tabs, queues, runs, usage and settings: SQLite behind one owner thread.
//!
//! A [`Store`] is a cheap handle; clone it and use it from any thread. Its methods block until the
//! owner thread has committed: what a method acknowledged survives a `kill -9` of this process. The
//! queue to the owner is bounded, so a flood of writers waits instead of growing memory. Async code
//! calls these methods where blocking is allowed.
//!
//! The store knows no clock and hands in no policy: times come from the caller, journal entries are
//! whatever the caller can serialise.
//!
//! # Recovery
//!
//! [`Store::open`] never replaces the last good snapshot. The host restores what it can and then
//! *declares success* by calling [`Store::snapshot`], which replaces the snapshot atomically. A
//! database that is damaged, newer than this program or somebody else's is refused with a sentence
//! and left exactly as it was.

mod agents;
mod agreed;
mod checkouts;
mod drafts;
mod error;
pub mod foreign;
mod hosts;
pub mod index;
mod items;
pub mod keymap;
mod leases;
mod marks;
mod notices;
mod open;
mod owner;
mod preferences;
mod runs;
mod schema;
pub mod settings;
mod snapshots;
mod tabs;
mod trains;
mod trusted;
mod usage;
mod worktrees;

pub use error::Error;
pub use hosts::{Host, Terminal};
pub use items::{Added, ItemState, NewItem, StoredItem};
pub use leases::{Lease, NewLease};
pub use marks::Marks;
pub use preferences::{MAX_KEY_BYTES, MAX_VALUE_BYTES};
pub use runs::Journaled;
pub use usage::{Subject, Used, UsedSum};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use maestro_core::{AgentId, RunId, TabId, TerminalId};
use rusqlite::{Connection, TransactionBehavior};

/// Result of every method of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A handle to the one thread that owns the database.
///
/// The thread ends when [`Store::close`] was called or the last handle is gone.
#[derive(Debug, Clone)]
pub struct Store {
    path: Arc<Path>,
    owner: owner::Owner,
    snapshots: Arc<snapshots::Snapshots>,
    unread: Unread,
}

/// What of the database could not be read, each thing once, with the reason.
type Unread = Arc<Mutex<BTreeMap<String, String>>>;

impl Store {
    /// Opens the database at `path`, makes it when there is none, and brings an older one up to date.
    /// Before an older one is changed, a copy of it is kept beside it (`<name>.v<version>.bak`).
    ///
    /// # Errors
    ///
    /// Refuses a database that is newer, damaged or not Maestro's, without changing it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let connection = open::open(&path)?;
        let owner = owner::Owner::start(&path, connection)?;
        let (snapshots, unread) = (Arc::default(), Arc::default());
        Ok(Self { path: path.into(), owner, snapshots, unread })
    }

    /// Where the database is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Agents, tabs, items and runs that were left out of what [`Self::agents`], [`Self::tabs`],
    /// [`Self::items`], [`Self::notices`], [`Self::runs`] and [`Self::open_runs`] gave, because their rows cannot be read: a sentence for each. The rows stay as they are.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Where [`Self::snapshot`] puts the snapshot: the database's name with `.bak` appended.
    #[must_use]
    pub fn snapshot_path(&self) -> PathBuf {
        open::with_suffix(&self.path, ".bak")
    }

    /// Declares that what the database says was restored successfully: checks it and replaces the last
    /// good snapshot by a compact copy of it, atomically. Works on a connection of its own, so other
    /// callers are not held up; takes as long as copying the file.
    ///
    /// # Errors
    ///
    /// A damaged database, a full disk, or [`Error::Closed`] when the store is closed meanwhile; the
    /// snapshot before stays then.
    pub fn snapshot(&self) -> Result<()> {
        self.snapshots.take(&self.path, &self.snapshot_path())
    }

    /// Finishes what is queued, cuts short a snapshot that is being taken, and closes the database: when
    /// this returns, nothing of this store touches its files any more. Later calls on any handle fail
    /// with [`Error::Closed`].
    pub fn close(self) {
        self.snapshots.end();
        self.owner.close();
    }

    /// A new agent's id. Never handed out again, whatever becomes of the agent.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn next_agent_id(&self) -> Result<AgentId> {
        self.next_id(Counter::Agent).map(AgentId)
    }

    /// A new terminal's id. Never handed out again.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn next_terminal_id(&self) -> Result<TerminalId> {
        self.next_id(Counter::Terminal).map(TerminalId)
    }

    /// A new run's id. Never handed out again.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn next_run_id(&self) -> Result<RunId> {
        self.next_id(Counter::Run).map(RunId)
    }

    /// A new tab's id. Never handed out again.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn next_tab_id(&self) -> Result<TabId> {
        self.next_id(Counter::Tab).map(TabId)
    }

    fn next_id(&self, counter: Counter) -> Result<u64> {
        self.call(move |connection| {
            // In a transaction of its own: a statement that returns a row commits when it is dropped,
            // where nobody hears that the disk is full.
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let id = counter.next(&transaction)?;
            transaction.commit()?;
            Ok(id)
        })
    }

    /// Leaves out what cannot be read: one such row must not cost its user all the others.
    fn readable<T>(&self, rows: Vec<Row>, kind: &str) -> Vec<T>
    where
        T: serde::de::DeserializeOwned,
    {
        self.readable_by_id(rows, kind).into_iter().map(|(_, value)| value).collect()
    }

    /// The same, each with its id.
    fn readable_by_id<T>(&self, rows: Vec<Row>, kind: &str) -> Vec<(i64, T)>
    where
        T: serde::de::DeserializeOwned,
    {
        let read = |(id, json): Row| match json.map(|json| serde_json::from_str(&json)) {
            Some(Ok(value)) => Some((id, value)),
            other => {
                let why = match other {
                    Some(Err(error)) => error.to_string(),
                    _ => "it is no text".to_owned(),
                };
                let sentence = format!("{kind}{id} cannot be read and is left out: {why}");
                tracing::warn!(sentence, "a row of the database");
                let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = unread.insert(format!("{kind}{id}"), sentence);
                None
            }
        };
        rows.into_iter().filter_map(read).collect()
    }

    /// Runs `work` on the owner thread and waits for its result.
    fn call<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        self.owner.call(work)
    }
}

/// An id and its value as JSON; `None` where it is not even text.
type Row = (i64, Option<String>);

/// Rows of a statement that selects an id and a value.
fn rows(
    statement: &mut rusqlite::Statement<'_>,
    values: impl rusqlite::Params,
) -> Result<Vec<Row>> {
    let rows = statement.query_map(values, |row| {
        let text = row.get_ref(1)?.as_str().ok().map(str::to_owned);
        Ok((row.get::<_, i64>(0)?, text))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The kinds of ids that are counted.
#[derive(Debug, Clone, Copy)]
enum Counter {
    Agent,
    Terminal,
    Run,
    Tab,
    Item,
    Train,
    Snapshot,
}

impl Counter {
    fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Terminal => "terminal",
            Self::Run => "run",
            Self::Tab => "tab",
            Self::Item => "item",
            Self::Train => "train",
            Self::Snapshot => "snapshot",
        }
    }

    /// The next id; handed out when the transaction is committed.
    fn next(self, transaction: &rusqlite::Transaction<'_>) -> Result<u64> {
        let id: i64 = transaction
            .prepare_cached(
                "UPDATE counters SET next = next + 1 WHERE name = ?1 RETURNING next - 1",
            )?
            .query_row([self.name()], |row| row.get(0))?;
        Ok(id.cast_unsigned())
    }

    /// Makes sure that `id` is not handed out again: ids that came from elsewhere (an import, a copied
    /// database) count, too.
    fn used(self, connection: &Connection, id: u64) -> Result<()> {
        let _ = connection
            .prepare_cached("UPDATE counters SET next = max(next, ?2 + 1) WHERE name = ?1")?
            .execute((self.name(), id.cast_signed()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
