//! The index of stored sessions: a database of its own that holds nothing but what the providers' stores
//! say, and can be made again from them at any time. One [`Index`] writes it; [`Reader`]s look into it at
//! the same time.
//!
//! # How it is small
//!
//! The words of prompts and answers are in a full-text index without their texts, and without where in a
//! text a word is. What it gives is the number of something that was said; a table knows for each of them
//! its session, its entry, and the place of its record in the provider's file, from which whoever asks
//! reads what to show. These numbers lie close together, because the index stores the steps between them,
//! and the newest are the highest: what is found first is the newest. What was there before the first
//! index gets numbers below `TOP`, a block of sessions at a time, the newest block first; everything
//! later gets the ones from there on. A word of something that is gone leads to a number that is not in the
//! table any more; when there are many of these, the index is made anew.

mod query;

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use maestro_core::text::beginning_of;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::error::Error;
use crate::open::{self, with_suffix};
use crate::{Result, schema};

pub use query::{Match, Matches, Reader, Sought};

/// The version of the tables; an index with another is made anew.
const VERSION: i64 = 2;
/// The first number of what is said from now on.
const TOP: i64 = 1 << 27;
/// Numbers of a block of what was said before.
const BLOCK: i64 = 1 << 18;
/// The most bytes of one text that are indexed.
const TEXT: usize = 256 << 10;
/// How long a statement waits for a lock.
const BUSY: Duration = Duration::from_secs(5);

const TABLES: &str = "
    CREATE TABLE session (
        no INTEGER PRIMARY KEY,
        provider TEXT NOT NULL,
        id TEXT NOT NULL,
        path TEXT NOT NULL,
        bytes INTEGER NOT NULL DEFAULT 0,
        modified_ms INTEGER NOT NULL DEFAULT -1,
        title TEXT NOT NULL DEFAULT '',
        directory TEXT,
        branch TEXT,
        model TEXT,
        started_ms INTEGER NOT NULL DEFAULT 0,
        used_ms INTEGER NOT NULL DEFAULT 0,
        prompts INTEGER NOT NULL DEFAULT 0,
        entries INTEGER NOT NULL DEFAULT 0,
        first INTEGER NOT NULL DEFAULT 0,
        last INTEGER NOT NULL DEFAULT -1,
        cursor TEXT NOT NULL DEFAULT '',
        UNIQUE (provider, id)
    ) STRICT;
    CREATE TABLE said (
        at INTEGER PRIMARY KEY,
        no INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        start INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE gone (count INTEGER NOT NULL) STRICT;
    INSERT INTO gone VALUES (0);
    CREATE VIRTUAL TABLE words USING fts5(
        text, content='', columnsize=0, detail=none, tokenize='unicode61 remove_diacritics 2'
    );
";

/// A session as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its number in the index.
    pub no: u32,
    /// Whose: the provider's name.
    pub provider: String,
    /// The provider's id.
    pub id: String,
    /// Its file.
    pub path: PathBuf,
    /// When that was changed last, as it was when it was read; `None` when it was not read yet.
    pub modified_ms: Option<u64>,
    /// How many bytes it had then.
    pub bytes: u64,
}

/// What is known about a session that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Its title.
    pub title: String,
    /// Where it worked.
    pub directory: Option<String>,
    /// The branch it began on.
    pub branch: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// When it began: milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When something was said last: milliseconds since the Unix epoch.
    pub used_ms: u64,
    /// Prompts.
    pub prompts: u32,
    /// Entries.
    pub entries: u64,
    /// Its file.
    pub path: PathBuf,
    /// When that was changed last; `None` when it was not read to its end.
    pub modified_ms: Option<u64>,
    /// Bytes of it.
    pub bytes: u64,
    /// What is needed to read on: opaque.
    pub cursor: String,
}

/// The one who writes the index.
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    path: PathBuf,
    /// The number of the next session.
    next: u32,
    /// The number of what is said next.
    top: Cell<i64>,
    /// The next number in the block, and the first after it.
    block: Cell<(i64, i64)>,
    /// The session that is being written, and the first and the last of its numbers since.
    span: Cell<Option<(u32, i64, i64)>>,
}

impl Index {
    /// Opens the index at `path`, and makes it when there is none. One that is damaged, or of another
    /// version, is made anew: then the reason is given, too.
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    pub fn open(path: &Path) -> Result<(Self, Option<String>)> {
        let fresh = !path.exists();
        match Self::try_open(path) {
            Ok(index) => Ok((index, None)),
            Err(error) if fresh => Err(error.explained(path)),
            Err(error) => {
                let error = error.explained(path);
                if matches!(error, Error::Locked { .. } | Error::Full { .. }) {
                    return Err(error);
                }
                for ending in ["", "-wal", "-shm"] {
                    match fs::remove_file(with_suffix(path, ending)) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => {
                            return Err(Error::io(path, error));
                        }
                        _ => {}
                    }
                }
                let index = Self::try_open(path).map_err(|error| error.explained(path))?;
                let reason = match &error {
                    Error::Damaged { detail, .. } => detail.clone(),
                    other => other.to_string(),
                };
                Ok((index, Some(reason)))
            }
        }
    }

    fn try_open(path: &Path) -> Result<Self> {
        open::make(path)?;
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY)?;
        let _: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        // It can be made again: a power cut may cost its newest, but no write waits for the disk.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -4096)?;
        connection.set_prepared_statement_cache_capacity(32);
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if version == 0 && tables == 0 {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; \
                 PRAGMA application_id = {}; COMMIT;",
                schema::APPLICATION_ID
            ))?;
        } else if version != VERSION {
            let detail = format!("it has version {version}, and this Maestro makes {VERSION}");
            return Err(Error::Damaged { path: path.to_owned(), detail, snapshot: None });
        } else {
            // Cheap, and finds what would otherwise fail at some later moment: every page of the tables
            // of sessions, and the root of the words.
            let _: i64 =
                connection.query_row("SELECT count(*) FROM session", [], |row| row.get(0))?;
            let _: Option<i64> = connection
                .query_row("SELECT rowid FROM words WHERE words MATCH 'a' LIMIT 1", [], |row| {
                    row.get(0)
                })
                .optional()?;
        }
        let next: i64 =
            connection
                .query_row("SELECT coalesce(max(no), 0) + 1 FROM session", [], |row| row.get(0))?;
        let next = u32::try_from(next).unwrap_or(u32::MAX);
        let top = connection.query_row("SELECT coalesce(max(at), 0) + 1 FROM said", [], |row| {
            row.get::<_, i64>(0)
        })?;
        let top = Cell::new(top.max(TOP));
        let (block, span) = (Cell::new((0, 0)), Cell::new(None));
        Ok(Self { connection, path: path.to_owned(), next, top, block, span })
    }

    /// Begins a block of sessions that are older than everything that is in the index. What is put into it
    /// with [`Self::put`] may have any order with regard to other blocks.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn begin_block(&self) -> Result<()> {
        let lowest: i64 =
            self.connection
                .query_row("SELECT coalesce(min(at), ?1) FROM said", [TOP], |row| row.get(0))?;
        let end = lowest.min(TOP).div_euclid(BLOCK) * BLOCK;
        self.block.set((end - BLOCK, end));
        Ok(())
    }

    /// Whether so much in it is of no use any more that it is better made anew.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn is_stale(&self) -> Result<bool> {
        let query = "SELECT (SELECT count FROM gone), (SELECT count(*) FROM said)";
        let (gone, said): (i64, i64) =
            self.connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(gone > 20_000 && gone > said / 2)
    }

    /// A number for something that was said: in the block, or the highest.
    fn number(&self, old: bool) -> i64 {
        let (next, end) = self.block.get();
        if old && next < end {
            self.block.set((next + 1, end));
            return next;
        }
        self.top.replace(self.top.get() + 1)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every session that it knows.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn sessions(&self) -> Result<Vec<Known>> {
        let query = "SELECT no, provider, id, path, modified_ms, bytes FROM session";
        let mut statement = self.connection.prepare_cached(query)?;
        let rows = statement.query_map([], |row| {
            Ok(Known {
                no: row.get(0)?,
                provider: row.get(1)?,
                id: row.get(2)?,
                path: row.get::<_, String>(3)?.into(),
                modified_ms: u64::try_from(row.get::<_, i64>(4)?).ok(),
                bytes: row.get::<_, i64>(5)?.cast_unsigned(),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What follows is kept together, up to [`Self::commit`].
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn begin(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    /// Keeps what was done since [`Self::begin`].
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn commit(&self) -> Result<()> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT").map_err(|error| {
                let _ = self.connection.execute_batch("ROLLBACK");
                Error::from(error).explained(&self.path)
            })?;
        }
        Ok(())
    }

    /// Gives a session a number. Higher ones are thought of as newer.
    ///
    /// # Errors
    ///
    /// When the index cannot be written, or holds as many sessions as it can.
    pub fn add(&mut self, provider: &str, id: &str, path: &Path) -> Result<u32> {
        let no = self.next;
        let next = no.checked_add(1).ok_or(Error::TooLarge {
            key: "sessions".into(),
            size: no as usize,
            limit: u32::MAX as usize,
        })?;
        let insert = "INSERT INTO session (no, provider, id, path) VALUES (?1, ?2, ?3, ?4)";
        let path = path.to_string_lossy();
        let _ = self.connection.prepare_cached(insert)?.execute((no, provider, id, path))?;
        self.next = next;
        Ok(no)
    }

    /// What is needed to read on in a session.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn cursor(&self, no: u32) -> Result<Option<String>> {
        let query = "SELECT cursor FROM session WHERE no = ?1 AND cursor != ''";
        Ok(self.connection.prepare_cached(query)?.query_row([no], |row| row.get(0)).optional()?)
    }

    /// Keeps something that was said: in the block when it is `old`. What was kept of this entry before is
    /// replaced with `again`.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn put(
        &self,
        no: u32,
        entry: u64,
        (start, bytes): (u64, u64),
        text: &str,
        (old, again): (bool, bool),
    ) -> Result<()> {
        if again {
            self.forget(no, Some(entry))?;
        }
        let at = self.number(old);
        let text = query::spaced(beginning_of(text, TEXT));
        let _ = self
            .connection
            .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
            .execute((at, text))?;
        let _ = self
            .connection
            .prepare_cached(
                "INSERT INTO said (at, no, entry, start, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((at, no, entry.cast_signed(), start.cast_signed(), bytes.cast_signed()))?;
        let span = match self.span.get() {
            Some((of, first, last)) if of == no => (no, first.min(at), last.max(at)),
            _ => (no, at, at),
        };
        self.span.set(Some(span));
        Ok(())
    }

    /// Keeps what is known about a session.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn set(&self, no: u32, about: &About) -> Result<()> {
        let update = "UPDATE session SET path = ?2, bytes = ?3, modified_ms = ?4, title = ?5, \
                      directory = ?6, branch = ?7, model = ?8, started_ms = ?9, used_ms = ?10, \
                      prompts = ?11, entries = ?12, cursor = ?13 WHERE no = ?1";
        let _ = self.connection.prepare_cached(update)?.execute(rusqlite::params![
            no,
            about.path.to_string_lossy(),
            about.bytes.cast_signed(),
            about.modified_ms.map_or(-1, u64::cast_signed),
            about.title,
            about.directory,
            about.branch,
            about.model,
            about.started_ms.cast_signed(),
            about.used_ms.cast_signed(),
            about.prompts,
            about.entries.cast_signed(),
            about.cursor,
        ])?;
        if let Some((of, first, last)) = self.span.take()
            && of == no
        {
            let widen = "UPDATE session SET last = max(last, ?3), \
                         first = CASE WHEN last < first THEN ?2 ELSE min(first, ?2) END \
                         WHERE no = ?1";
            let _ = self.connection.prepare_cached(widen)?.execute((no, first, last))?;
        }
        Ok(())
    }

    /// Forgets the words of a session.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn clear(&self, no: u32) -> Result<()> {
        self.forget(no, None)
    }

    fn forget(&self, no: u32, entry: Option<u64>) -> Result<()> {
        let query = "SELECT first, last FROM session WHERE no = ?1";
        let kept: Option<(i64, i64)> = self
            .connection
            .prepare_cached(query)?
            .query_row([no], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let now =
            self.span.get().filter(|(of, ..)| *of == no).map(|(_, first, last)| (first, last));
        for (first, last) in [kept, now].into_iter().flatten() {
            let delete = "DELETE FROM said WHERE at BETWEEN ?2 AND ?3 AND no = ?1 \
                          AND (?4 IS NULL OR entry = ?4)";
            let count = self.connection.prepare_cached(delete)?.execute((
                no,
                first,
                last,
                entry.map(u64::cast_signed),
            ))?;
            if count > 0 {
                let _ = self
                    .connection
                    .prepare_cached("UPDATE gone SET count = count + ?1")?
                    .execute([count as i64])?;
            }
        }
        Ok(())
    }

    /// Forgets a session.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn remove(&self, no: u32) -> Result<()> {
        self.clear(no)?;
        let _ =
            self.connection.prepare_cached("DELETE FROM session WHERE no = ?1")?.execute([no])?;
        Ok(())
    }

    /// Makes the parts of the index fewer and larger, a little at a time: looking things up is faster then.
    /// Says whether there is more of it to do.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn tidy(&self) -> Result<bool> {
        let before = self.connection.total_changes();
        let _ = self
            .connection
            .prepare_cached("INSERT INTO words (words, rank) VALUES ('merge', -64)")?
            .execute([])?;
        // What the documentation of SQLite says tells that nothing was merged.
        Ok(self.connection.total_changes() - before >= 2)
    }

    /// Takes no more room than it needs: with `all`, what the making of it has left free is given back, too,
    /// which writes all of it once.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn shrink(&self, all: bool) -> Result<()> {
        if all {
            self.connection.execute_batch("VACUUM")?;
        }
        let _: i64 =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(())
    }

    /// Closes it in good order.
    pub fn close(self) {
        open::close(self.connection);
    }
}

/// Bytes that an index at this path takes on the disk.
#[must_use]
pub fn size(path: &Path) -> u64 {
    ["", "-wal"]
        .iter()
        .filter_map(|ending| fs::metadata(with_suffix(path, ending)).ok())
        .map(|about| about.len())
        .sum()
}
