//! Runs and their journals.

use maestro_core::RunId;
use maestro_core::run::{Run, State};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::leases::{self, NewLease};
use crate::{Counter, Result, Store, rows};

/// One entry of a run's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journaled<E> {
    /// Its number in this run, from 1 without gaps.
    pub n: u64,
    /// When it was written: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What the engine wrote.
    pub entry: E,
}

impl Store {
    /// Takes the lease on a run's directory, saves the run and writes the first entries of its journal,
    /// all or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Leased`] with its holder when somebody has the directory.
    pub fn start_run<E: Serialize>(
        &self,
        run: &Run,
        lease: NewLease,
        at_ms: u64,
        entries: &[E],
    ) -> Result<()> {
        let row = Row::of(run)?;
        let entries = encode(run.id, entries)?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            leases::take(&transaction, &lease)?;
            row.put(&transaction)?;
            let _ = append(&transaction, row.id, at_ms, &entries)?;
            Ok(transaction.commit()?)
        })
    }

    /// Saves a run as it is now.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn put_run(&self, run: &Run) -> Result<()> {
        let row = Row::of(run)?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            row.put(&transaction)?;
            Ok(transaction.commit()?)
        })
    }

    /// Saves a run and appends to its journal, all or nothing. Gives the number of the last entry.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn record<E: Serialize>(&self, run: &Run, at_ms: u64, entries: &[E]) -> Result<u64> {
        let row = Row::of(run)?;
        let entries = encode(run.id, entries)?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            row.put(&transaction)?;
            let last = append(&transaction, row.id, at_ms, &entries)?;
            transaction.commit()?;
            Ok(last)
        })
    }

    /// One run.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn run(&self, run: RunId) -> Result<Option<Run>> {
        self.call(move |connection| {
            let json: Option<String> = connection
                .prepare_cached("SELECT run FROM runs WHERE id = ?1")?
                .query_row([run.0.cast_signed()], |row| row.get(0))
                .optional()?;
            json.map(|json| read(run.0.cast_signed(), &json)).transpose()
        })
    }

    /// The newest runs, newest first. Those that cannot be read are left out; [`Store::unread`] names them.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn runs(&self, limit: u32) -> Result<Vec<Run>> {
        self.select("SELECT id, run FROM runs ORDER BY id DESC LIMIT ?1", limit)
    }

    /// The newest runs that began before another one, newest first. Those that cannot be read are left out.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn runs_before(&self, before: RunId, limit: u32) -> Result<Vec<Run>> {
        let before = i64::try_from(before.0).unwrap_or(i64::MAX);
        let found = self.call(move |connection| {
            let older = "SELECT id, run FROM runs WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
            rows(&mut *connection.prepare_cached(older)?, (before, i64::from(limit)))
        })?;
        Ok(self.readable(found, "run r"))
    }

    /// The runs that have not ended, oldest first: what a host finds after a crash. Those that cannot be
    /// read are left out; [`Store::unread`] names them.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn open_runs(&self) -> Result<Vec<Run>> {
        let open = "SELECT id, run FROM runs WHERE state != 'ended' ORDER BY id LIMIT ?1";
        self.select(open, u32::MAX)
    }

    fn select(&self, sql: &'static str, limit: u32) -> Result<Vec<Run>> {
        let found =
            self.call(move |connection| rows(&mut *connection.prepare_cached(sql)?, [limit]))?;
        Ok(self.readable(found, "run r"))
    }

    /// Appends one entry to a run's journal and gives its number. Once this returns, the entry
    /// survives the death of the process.
    ///
    /// # Errors
    ///
    /// When the run does not exist or the database cannot be written.
    pub fn append<E: Serialize>(&self, run: RunId, at_ms: u64, entry: &E) -> Result<u64> {
        let entries = encode(run, std::slice::from_ref(entry))?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let n = append(&transaction, run, at_ms, &entries)?;
            transaction.commit()?;
            Ok(n)
        })
    }

    /// Appends to a run's journal without saving the run, all or nothing. Gives the number of the last
    /// entry.
    ///
    /// # Errors
    ///
    /// When the run does not exist or the database cannot be written.
    pub fn extend<E: Serialize>(&self, run: RunId, at_ms: u64, entries: &[E]) -> Result<u64> {
        let entries = encode(run, entries)?;
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let n = append(&transaction, run, at_ms, &entries)?;
            transaction.commit()?;
            Ok(n)
        })
    }

    /// Runs that have ended, were started before a time (milliseconds since the Unix epoch), and are not
    /// among the newest so many: what may be thrown away, oldest first. Those that cannot be read are
    /// left out, and kept.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn old_runs(&self, before_ms: u64, newest: u32) -> Result<Vec<Run>> {
        let found = self.call(move |connection| {
            rows(
                &mut *connection.prepare_cached(
                    "SELECT id, run FROM runs WHERE state = 'ended' AND started_ms < ?1
                     AND id NOT IN (SELECT id FROM runs ORDER BY id DESC LIMIT ?2)
                     ORDER BY id LIMIT 1000",
                )?,
                (before_ms.cast_signed(), newest),
            )
        })?;
        Ok(self.readable(found, "run r"))
    }

    /// Throws a run away that has ended, with its journal. `false` when there is none that has.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn throw_away_run(&self, run: RunId) -> Result<bool> {
        let id = run.0.cast_signed();
        self.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // The journal lets itself be removed only then.
            let found = transaction
                .prepare_cached(
                    "UPDATE runs SET state = 'thrown away' WHERE id = ?1 AND state = 'ended'",
                )?
                .execute([id])?;
            if found == 0 {
                return Ok(false);
            }
            for sql in ["DELETE FROM run_journal WHERE run = ?1", "DELETE FROM runs WHERE id = ?1"]
            {
                let _ = transaction.prepare_cached(sql)?.execute([id])?;
            }
            transaction.commit()?;
            Ok(true)
        })
    }

    /// How many entries and bytes the journal of a run has.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn journal_size(&self, run: RunId) -> Result<(u64, u64)> {
        self.call(move |connection| {
            let (entries, bytes): (i64, i64) = connection
                .prepare_cached(
                    "SELECT count(*), coalesce(sum(length(CAST(entry AS BLOB))), 0)
                     FROM run_journal WHERE run = ?1",
                )?
                .query_row([run.0.cast_signed()], |row| row.try_into())?;
            Ok((entries.cast_unsigned(), bytes.cast_unsigned()))
        })
    }

    /// A run's journal from its beginning.
    ///
    /// # Errors
    ///
    /// When an entry cannot be read as an `E`, or the database cannot be read.
    pub fn journal<E: DeserializeOwned>(&self, run: RunId) -> Result<Vec<Journaled<E>>> {
        self.journal_after(run, 0)
    }

    /// A run's journal after entry number `after`.
    ///
    /// # Errors
    ///
    /// When an entry cannot be read as an `E`, or the database cannot be read.
    pub fn journal_after<E: DeserializeOwned>(
        &self,
        run: RunId,
        after: u64,
    ) -> Result<Vec<Journaled<E>>> {
        let rows: Vec<(i64, i64, String)> = self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT n, at_ms, entry FROM run_journal WHERE run = ?1 AND n > ?2 ORDER BY n",
            )?;
            let rows = statement
                .query_map((run.0.cast_signed(), after.cast_signed()), |row| row.try_into())?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        rows.into_iter()
            .map(|(n, at_ms, json)| {
                let entry = serde_json::from_str(&json).map_err(|error| {
                    Error::unread(format!("entry {n} of the journal of {run}"), error)
                })?;
                Ok(Journaled { n: n.cast_unsigned(), at_ms: at_ms.cast_unsigned(), entry })
            })
            .collect()
    }
}

/// A run as its row.
struct Row {
    id: RunId,
    state: &'static str,
    started_ms: u64,
    json: String,
}

impl Row {
    fn of(run: &Run) -> Result<Self> {
        let json = serde_json::to_string(run)
            .map_err(|error| Error::unsaved(format!("run {}", run.id), error))?;
        Ok(Self { id: run.id, state: name(&run.state), started_ms: run.started_ms, json })
    }

    fn put(&self, connection: &Connection) -> Result<()> {
        let _ = connection
            .prepare_cached(
                "INSERT INTO runs (id, state, started_ms, run) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (id) DO UPDATE
                 SET state = excluded.state, started_ms = excluded.started_ms, run = excluded.run",
            )?
            .execute((
                self.id.0.cast_signed(),
                self.state,
                self.started_ms.cast_signed(),
                &self.json,
            ))?;
        Counter::Run.used(connection, self.id.0)
    }
}

fn name(state: &State) -> &'static str {
    match state {
        State::Queued { .. } => "queued",
        State::Running => "running",
        State::Stopping => "stopping",
        State::Waiting { .. } => "waiting",
        State::Paused(_) => "paused",
        State::Interrupted => "interrupted",
        State::Ended(_) => "ended",
    }
}

fn encode<E: Serialize>(run: RunId, entries: &[E]) -> Result<Vec<String>> {
    entries
        .iter()
        .map(|entry| {
            serde_json::to_string(entry)
                .map_err(|error| Error::unsaved(format!("an entry of the journal of {run}"), error))
        })
        .collect()
}

/// Appends and gives the number of the last entry, which is the number before when there is none.
fn append(connection: &Connection, run: RunId, at_ms: u64, entries: &[String]) -> Result<u64> {
    let last: i64 = connection
        .prepare_cached("SELECT coalesce(max(n), 0) FROM run_journal WHERE run = ?1")?
        .query_row([run.0.cast_signed()], |row| row.get(0))?;
    let mut insert = connection
        .prepare_cached("INSERT INTO run_journal (run, n, at_ms, entry) VALUES (?1, ?2, ?3, ?4)")?;
    let mut n = last;
    for entry in entries {
        n += 1;
        let _ = insert.execute((run.0.cast_signed(), n, at_ms.cast_signed(), entry))?;
    }
    Ok(n.cast_unsigned())
}

fn read(id: i64, json: &str) -> Result<Run> {
    serde_json::from_str(json)
        .map_err(|error| Error::unread(RunId(id.cast_unsigned()).to_string(), error))
}
