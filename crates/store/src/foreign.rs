//! Databases of other programs: read, and left exactly as they are.
//!
//! Its program must never notice us: with a lock of ours on its database, or on the memory that it shares
//! its log's index in, it would be told that the database is locked, and not every program tries again. So
//! nothing is locked here, and nothing shared. The log is read into an index of our own, and whether what was
//! read belongs together is found out afterwards: a writer only appends to the log until it is copied into
//! the database, which changes that, or begun anew, which changes its head.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::config::DbConfig;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags};

use crate::open::with_suffix;

/// How often it is read when its program writes meanwhile.
const ATTEMPTS: u32 = 4;
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(40);
/// Up to so many bytes of rows are kept until it is known that they belong together. Of more, the rest is
/// given away at once.
const KEPT: usize = 4 << 20;
/// The head of a log: it is another one when the log begins anew.
const HEAD: usize = 32;

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing, or something that is neither a whole number nor a text.
    Null,
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// Runs a query on a database of another program and gives each row to `each`, until that says no. Nothing of
/// it is locked, and no file made beside it, so that its program notices nothing.
///
/// # Errors
///
/// When the database is not there, is none, or has other tables than the query asks for;
/// [`io::ErrorKind::Interrupted`] when its program wrote so much meanwhile that what was read may not belong
/// together. Then some rows may have been given already.
pub fn rows(
    database: &Path,
    query: &str,
    values: &[Cell],
    each: &mut dyn FnMut(&[Cell]) -> bool,
) -> io::Result<()> {
    let mut attempt = 1;
    loop {
        let mut rows = Rows { kept: Vec::new(), bytes: 0, given: false, each: &mut *each };
        let before = Stamp::of(database)?;
        let result = run(database, query, values, before.head.is_some(), &mut rows);
        if Stamp::of(database)? == before {
            return match result {
                Ok(()) => {
                    let _ = rows.give();
                    Ok(())
                }
                Err(error) => Err(io::Error::other(error.to_string())),
            };
        }
        if rows.given || attempt == ATTEMPTS {
            let text = "it was written to while it was read";
            return Err(io::Error::new(io::ErrorKind::Interrupted, text));
        }
        attempt += 1;
        std::thread::sleep(PAUSE);
    }
}

/// What is different after a database was changed in a way that matters to somebody who reads it.
#[derive(PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    /// Of its log, where that has anything.
    head: Option<[u8; HEAD]>,
}

impl Stamp {
    fn of(database: &Path) -> io::Result<Self> {
        let about = fs::symlink_metadata(database)?;
        if !about.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        if about.len() == 0 {
            // Its log, if there is one, belongs to another one: SQLite would remove it.
            return Err(io::Error::other("there is nothing in it"));
        }
        let mut head = [0; HEAD];
        let log = File::open(with_suffix(database, "-wal"));
        let head = log.and_then(|mut log| log.read_exact(&mut head)).is_ok().then_some(head);
        Ok(Self { modified: about.modified().ok(), bytes: about.len(), head })
    }
}

/// Rows on their way.
struct Rows<'a> {
    kept: Vec<Vec<Cell>>,
    bytes: usize,
    /// Whether some were given away.
    given: bool,
    each: &'a mut dyn FnMut(&[Cell]) -> bool,
}

impl Rows<'_> {
    /// Takes a row; says no when no other is wanted.
    fn take(&mut self, row: Vec<Cell>) -> bool {
        if self.bytes > KEPT {
            return (self.each)(&row);
        }
        let size = |cell: &Cell| match cell {
            Cell::Text(text) => text.len() + size_of::<Cell>(),
            _ => size_of::<Cell>(),
        };
        self.bytes += row.iter().map(size).sum::<usize>();
        self.kept.push(row);
        self.bytes <= KEPT || self.give()
    }

    /// Gives away what was kept; says no when no other is wanted.
    fn give(&mut self) -> bool {
        self.given |= !self.kept.is_empty();
        self.kept.drain(..).all(|row| (self.each)(&row))
    }
}

fn run(
    database: &Path,
    query: &str,
    values: &[Cell],
    logged: bool,
    rows: &mut Rows<'_>,
) -> rusqlite::Result<()> {
    let name =
        database.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(database.to_owned()))?;
    let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    // With a log the newest is in that. Without one nothing is missed by reading the file as it is.
    let ending = if logged { "mode=ro&vfs=unix-none" } else { "mode=ro&immutable=1" };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{escaped}?{ending}"), flags)?;
    // The log is its program's to copy and to remove.
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Nothing is locked by that file system; with this the log's index is in memory of our own.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "query_only", true)?;
    // It is read through once; a large cache would only be memory.
    connection.pragma_update(None, "cache_size", -1024)?;
    let mut statement = connection.prepare(query)?;
    let values = values.iter().map(|value| match value {
        Cell::Null => Value::Null,
        Cell::Number(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.clone()),
    });
    let columns = statement.column_count();
    let mut found = statement.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = found.next()? {
        let mut cells = Vec::with_capacity(columns);
        for column in 0..columns {
            cells.push(match row.get_ref(column)? {
                ValueRef::Integer(number) => Cell::Number(number),
                ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
                _ => Cell::Null,
            });
        }
        if !rows.take(cells) {
            break;
        }
    }
    Ok(())
}
