//! Databases of other programs: read, and left exactly as they are.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags};

use crate::open::with_suffix;

/// How long a lock of the program whose database it is is waited for.
const BUSY: Duration = Duration::from_millis(250);

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

/// Runs a query on a database of another program and gives each row to `each`, until that says no. The
/// database is opened for reading only; where its program does not have it open, without so much as a
/// file beside it.
///
/// # Errors
///
/// When the database is not there, is none, or has other tables than the query asks for.
pub fn rows(
    database: &Path,
    query: &str,
    values: &[Cell],
    each: &mut dyn FnMut(&[Cell]) -> bool,
) -> io::Result<()> {
    run(database, query, values, each).map_err(|error| match error {
        Failed::Io(error) => error,
        Failed::Sqlite(error) => io::Error::other(error.to_string()),
    })
}

enum Failed {
    Io(io::Error),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn run(
    database: &Path,
    query: &str,
    values: &[Cell],
    each: &mut dyn FnMut(&[Cell]) -> bool,
) -> Result<(), Failed> {
    let about = fs::symlink_metadata(database).map_err(Failed::Io)?;
    if !about.is_file() {
        return Err(Failed::Io(io::Error::other("it is not a file")));
    }
    let name = database.to_str().ok_or_else(|| {
        Failed::Io(io::Error::other("its path is not Unicode, which SQLite needs"))
    })?;
    // With a log beside it somebody may be writing, and the newest is in the log. Without one nothing is
    // missed by reading the file as it is, and no files for locks are made in somebody else's folder.
    let logged = fs::metadata(with_suffix(database, "-wal")).is_ok_and(|log| log.len() > 0);
    let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let ending = if logged { "mode=ro" } else { "mode=ro&immutable=1" };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{escaped}?{ending}"), flags)?;
    connection.busy_timeout(BUSY)?;
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
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut cells = Vec::with_capacity(columns);
    while let Some(row) = rows.next()? {
        cells.clear();
        for column in 0..columns {
            cells.push(match row.get_ref(column)? {
                ValueRef::Integer(number) => Cell::Number(number),
                ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
                _ => Cell::Null,
            });
        }
        if !each(&cells) {
            break;
        }
    }
    Ok(())
}
