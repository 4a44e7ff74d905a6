//! The index of stored sessions: a database of its own that holds nothing but what the providers' stores
//! say, and can be made again from them at any time. One [`Index`] writes it; [`Reader`]s look into it at
//! the same time.
//!
//! # How it is small
//!
//! The words of prompts and answers are in a full-text index without their texts, and without where in a
//! text a word is. What it gives is an entry of a session and the place of its record in the provider's
//! file, from which whoever asks reads what to show. A session's number is in the number of each of its
//! entries: `session << 24 | entry`.

mod query;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::error::Error;
use crate::open::{self, with_suffix};
use crate::{Result, schema};

pub use query::{Match, Matches, Reader, Sought};

/// The version of the tables; an index with another is made anew.
const VERSION: i64 = 1;
/// Bits of an entry's number within a session.
const ENTRY_BITS: u32 = 24;
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
        UNIQUE (provider, id)
    ) STRICT;
    CREATE INDEX session_by_use ON session (used_ms);
    CREATE TABLE cursor (no INTEGER PRIMARY KEY, cursor TEXT NOT NULL) STRICT;
    CREATE TABLE place (
        at INTEGER PRIMARY KEY,
        start INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(
        text, content='', contentless_delete=1, detail=none, prefix='3',
        tokenize='unicode61 remove_diacritics 2'
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
        Ok(Self { connection, path: path.to_owned(), next })
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
        let query = "SELECT cursor FROM cursor WHERE no = ?1";
        Ok(self.connection.prepare_cached(query)?.query_row([no], |row| row.get(0)).optional()?)
    }

    /// Keeps something that was said. With `again` it replaces what was kept of this entry.
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
        again: bool,
    ) -> Result<()> {
        if entry >> ENTRY_BITS != 0 {
            return Ok(());
        }
        let at = i64::from(no) << ENTRY_BITS | entry.cast_signed();
        if again {
            let _ = self
                .connection
                .prepare_cached("DELETE FROM words WHERE rowid = ?1")?
                .execute([at])?;
        }
        let text = query::spaced(&text[..text.floor_char_boundary(TEXT)]);
        let _ = self
            .connection
            .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
            .execute((at, text))?;
        let _ = self
            .connection
            .prepare_cached("INSERT OR REPLACE INTO place (at, start, bytes) VALUES (?1, ?2, ?3)")?
            .execute((at, start.cast_signed(), bytes.cast_signed()))?;
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
                      prompts = ?11, entries = ?12 WHERE no = ?1";
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
        ])?;
        let keep = "INSERT OR REPLACE INTO cursor (no, cursor) VALUES (?1, ?2)";
        let _ = self.connection.prepare_cached(keep)?.execute((no, &about.cursor))?;
        Ok(())
    }

    /// Forgets the words of a session.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn clear(&self, no: u32) -> Result<()> {
        let range = (i64::from(no) << ENTRY_BITS, i64::from(no + 1) << ENTRY_BITS);
        let ats: Vec<i64> = self
            .connection
            .prepare_cached("SELECT at FROM place WHERE at >= ?1 AND at < ?2")?
            .query_map(range, |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut delete = self.connection.prepare_cached("DELETE FROM words WHERE rowid = ?1")?;
        for at in ats {
            let _ = delete.execute([at])?;
        }
        let _ = self
            .connection
            .prepare_cached("DELETE FROM place WHERE at >= ?1 AND at < ?2")?
            .execute(range)?;
        Ok(())
    }

    /// Forgets a session.
    ///
    /// # Errors
    ///
    /// When the index cannot be written.
    pub fn remove(&self, no: u32) -> Result<()> {
        self.clear(no)?;
        for table in ["session", "cursor"] {
            let delete = format!("DELETE FROM {table} WHERE no = ?1");
            let _ = self.connection.prepare_cached(&delete)?.execute([no])?;
        }
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
