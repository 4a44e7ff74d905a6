//! Opening, checking, copying and closing the file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::Error;
use crate::{Result, schema};

/// How long a statement waits for a lock of another process (a snapshot, `sqlite3` in a shell).
const BUSY: Duration = Duration::from_secs(5);

/// Up to this size the whole file is checked when it is opened: some tens of milliseconds. A larger
/// one is checked when a snapshot is taken, off everybody's path.
const CHECKED_AT_ONCE: u64 = 32 << 20;

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

pub(crate) fn open(path: &Path) -> Result<Connection> {
    prepare(path)?;
    let connection = inspect(path);
    connection.map_err(|error| error.explained(path))
}

/// Makes an empty file that only its owner may read, unless there is one.
pub(crate) fn make(path: &Path) -> Result<()> {
    let io = |error| Error::io(path, error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    create(path).map_err(io)?;
    restrict(path).map_err(io)
}

/// `path` with text appended to its file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// A second connection to a database that is open already, for taking a snapshot.
pub(crate) fn beside(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// Checks the database and puts a compact copy of it at `target` in one step.
pub(crate) fn snapshot(connection: &Connection, path: &Path, target: &Path) -> Result<()> {
    check(connection, path)?;
    copy(connection, target)
}

/// Closes in good order. What fails here costs nothing but a little time at the next start.
pub(crate) fn close(connection: Connection) {
    if let Err(error) = connection.execute_batch("PRAGMA optimize") {
        tracing::debug!(%error, "the database could not be optimised");
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database was not closed in good order");
    }
}

/// Looks at the file without SQLite, and makes it when there is none: with SQLite's own default mode
/// everybody could read it.
fn prepare(path: &Path) -> Result<()> {
    let io = |error| Error::io(path, error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let mut header = Vec::with_capacity(100);
    match File::open(path) {
        Ok(file) => {
            if !file.metadata().map_err(io)?.is_file() {
                return Err(io(io::Error::other("it is not a file")));
            }
            let _ = file.take(100).read_to_end(&mut header).map_err(io)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(path).map_err(io),
        Err(error) => return Err(io(error)),
    }
    // SQLite takes an empty file for a new database; so does a crash right after `create`.
    if header.is_empty() {
        return restrict(path).map_err(io);
    }
    if !header.starts_with(MAGIC) {
        return Err(damaged(path, "it does not begin like a SQLite database"));
    }
    // Bytes 60 to 63 are `user_version`. Refusing from them alone leaves even the files beside the
    // database untouched.
    if let Some(bytes) = header.get(60..64).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()) {
        let application = header.get(68..72).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        let ours = application == Some(schema::APPLICATION_ID.to_be_bytes());
        let found = u32::from_be_bytes(bytes);
        if ours && found > schema::VERSION {
            return Err(newer(path, found));
        }
    }
    restrict(path).map_err(io)
}

fn inspect(path: &Path) -> Result<Connection> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    // Until the file is known to be ours and sound, closing it must not fold its write-ahead log in.
    // Without a log there is nothing to fold, and closing cleans up as always.
    let logged = fs::metadata(with_suffix(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, logged)?;
    identify(&connection, path)?;
    if fs::metadata(path).map_err(|error| Error::io(path, error))?.len() <= CHECKED_AT_ONCE {
        check(&connection, path)?;
    }
    let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;

    let _: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);

    let version = schema::version(&connection)?;
    if version != 0 && version < schema::VERSION {
        copy(&connection, &with_suffix(path, &format!(".v{version}.bak")))?;
    }
    schema::migrate(&mut connection, schema::MIGRATIONS)?;
    Ok(connection)
}

/// Refuses what is newer or not ours. Reads through SQLite, because the newest header may still be in
/// the write-ahead log.
fn identify(connection: &Connection, path: &Path) -> Result<()> {
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let version = schema::version(connection)?;
    if application != schema::APPLICATION_ID && (application != 0 || tables != 0) {
        return Err(Error::Foreign { path: path.to_owned() });
    }
    if version > schema::VERSION {
        return Err(newer(path, version));
    }
    Ok(())
}

fn check(connection: &Connection, path: &Path) -> Result<()> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(damaged(path, &verdict));
    }
    Ok(())
}

fn copy(connection: &Connection, target: &Path) -> Result<()> {
    let io = |error| Error::io(target, error);
    let fresh = with_suffix(target, ".new");
    // A copy that a crash cut short.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    create(&fresh).map_err(io)?;
    let written = write_copy(connection, &fresh)
        .and_then(|()| File::open(&fresh).and_then(|file| file.sync_all()).map_err(io))
        .and_then(|()| fs::rename(&fresh, target).map_err(io));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written?;
    sync_folder(target);
    Ok(())
}

fn write_copy(connection: &Connection, target: &Path) -> Result<()> {
    // `VACUUM INTO` takes an existing file only when it is empty, which is how it gets our mode.
    let name = target.to_str().ok_or_else(|| {
        Error::io(target, io::Error::other("its path is not Unicode, which SQLite needs"))
    })?;
    let _ = connection.execute("VACUUM INTO ?1", [name])?;
    Ok(())
}

fn newer(path: &Path, found: u32) -> Error {
    Error::Newer { path: path.to_owned(), found, known: schema::VERSION }
}

fn damaged(path: &Path, detail: &str) -> Error {
    let snapshot = with_suffix(path, ".bak");
    let snapshot = snapshot.exists().then_some(snapshot);
    Error::Damaged { path: path.to_owned(), detail: detail.to_owned(), snapshot }
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path).map(drop)
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes a rename survive a power cut, where the platform can.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
}
