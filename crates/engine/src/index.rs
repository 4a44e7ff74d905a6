//! The index of stored sessions, kept up by a thread of its own behind everybody else: it looks through the
//! providers' stores, follows what is written to them, and tells how far it is. The stores are only read,
//! and the index ([`maestro_store::index`]) can be made again from them at any time.

pub(crate) mod excerpt;
pub(crate) mod follow;
pub(crate) mod trash;
mod watch;
mod worker;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use maestro_agents::Environment;
use maestro_agents::store::{self, Cell, Found, Tables};
use maestro_core::agent::{Agent, Provider};
use maestro_core::conversation::Entry;
use maestro_core::session::{Indexing, SessionKey};
use maestro_store::index::Reader;
use maestro_store::{Marks, foreign};

use crate::host::Shared;

/// Readers that are kept for the next question.
const READERS: usize = 2;
/// The longest file of which the entries are kept for the next page, in bytes.
const KEPT_READ: u64 = 16 << 20;
/// How long they are.
pub(crate) const READ_AGAIN: Duration = Duration::from_secs(20);

/// Reads the databases of other programs for [`maestro_agents::store`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sqlite;

impl Tables for Sqlite {
    fn rows(
        &self,
        database: &Path,
        query: &str,
        values: &[Cell],
        each: &mut dyn FnMut(&[Cell]) -> bool,
    ) -> io::Result<()> {
        let values: Vec<foreign::Cell> = values
            .iter()
            .map(|value| match value {
                Cell::Null => foreign::Cell::Null,
                Cell::Number(number) => foreign::Cell::Number(*number),
                Cell::Text(text) => foreign::Cell::Text(text.clone()),
            })
            .collect();
        let mut cells = Vec::new();
        foreign::rows(database, query, &values, &mut |row| {
            cells.clear();
            cells.extend(row.iter().map(|value| match value {
                foreign::Cell::Null => Cell::Null,
                foreign::Cell::Number(number) => Cell::Number(*number),
                foreign::Cell::Text(text) => Cell::Text(text.clone()),
            }));
            each(&cells)
        })
    }
}

/// What a provider has stored of a session, as entries. Blocks.
///
/// # Errors
///
/// When the session is not in its provider's store, or cannot be read.
pub(crate) fn transcript(
    provider: Provider,
    session: &str,
    environment: &Environment,
) -> Result<Vec<Entry>, store::Error> {
    store::transcript(provider, session, environment, &Sqlite)
}

/// The session of OpenCode that was written to last in an agent's directory, after a time; `None` where its
/// database is not known to be. Blocks.
pub(crate) fn newest_opencode(
    agent: &Agent,
    since_ms: u64,
    environment: &Environment,
) -> Option<Option<String>> {
    let places = store::stores(environment);
    let place = places.iter().find(|place| place.provider == Provider::OpenCode)?;
    let there = place.path.is_file();
    there.then(|| newest_opencode_in(&place.path, agent, since_ms).map(|found| found.id))
}

fn newest_opencode_in(database: &Path, agent: &Agent, since_ms: u64) -> Option<Found> {
    // Programs call their working directory by its real name, users by the one they typed.
    let real = agent.directory.canonicalize().unwrap_or_else(|_| agent.directory.clone());
    let mut directories = vec![real, agent.directory.clone()];
    directories.dedup();
    store::newest_opencode(database, &directories, since_ms, &Sqlite)
        .inspect_err(|error| tracing::info!(%error, "the sessions of OpenCode cannot be read"))
        .ok()
        .flatten()
}

/// What the thread is asked for.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Look through all stores.
    Look,
    /// Something was written here.
    Changed(PathBuf),
    /// The host stops.
    End,
}

/// What the host has of the index. The thread is started by the first who asks for anything.
#[derive(Debug)]
pub(crate) struct Sessions {
    path: PathBuf,
    progress: Mutex<Indexing>,
    marks: Mutex<HashMap<SessionKey, Marks>>,
    readers: Mutex<Vec<Reader>>,
    asks: Sender<Ask>,
    /// Until the thread has it.
    inbox: Mutex<Option<Receiver<Ask>>>,
    /// Scans begun so far: a new one ends the one before.
    scans: AtomicU64,
    /// The transcript that was read last: whoever reads one asks for page after page.
    last_read: Mutex<Option<Transcript>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Sessions {
    /// The sessions of a host with this home folder.
    pub(crate) fn new(home: &Path, marks: Vec<(SessionKey, Marks)>) -> Self {
        let (asks, inbox) = std::sync::mpsc::channel();
        Self {
            path: home.join("sessions.db"),
            progress: Mutex::default(),
            marks: Mutex::new(marks.into_iter().collect()),
            readers: Mutex::default(),
            asks,
            inbox: Mutex::new(Some(inbox)),
            scans: AtomicU64::new(0),
            last_read: Mutex::default(),
            thread: Mutex::default(),
        }
    }

    /// Begins to index, unless that was begun.
    pub(crate) fn begin(&self, shared: &Arc<Shared>) {
        let Some(inbox) = lock(&self.inbox).take() else { return };
        if shared.is_stopping() {
            return;
        }
        let (weak, asks) = (Arc::downgrade(shared), self.asks.clone());
        let started = std::thread::Builder::new()
            .name("sessions".to_owned())
            .spawn(move || worker::run(&weak, &inbox, &asks));
        match started {
            Ok(thread) => *lock(&self.thread) = Some(thread),
            Err(error) => shared.problem(
                None,
                format!("Stored sessions cannot be looked through: {error}. Restart the host."),
            ),
        }
    }

    /// Ends the thread. Blocks until it has, at most as long as it needs for one piece of work.
    pub(crate) fn end(&self) {
        let _ = self.asks.send(Ask::End);
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        lock(&self.readers).clear();
    }

    /// Looks through the stores again.
    pub(crate) fn look(&self) {
        let _ = self.asks.send(Ask::Look);
    }

    /// How far the index is.
    pub(crate) fn progress(&self) -> Indexing {
        *lock(&self.progress)
    }

    fn set_progress(&self, progress: Indexing) {
        *lock(&self.progress) = progress;
    }

    /// What is kept of sessions.
    pub(crate) fn marks(&self) -> MutexGuard<'_, HashMap<SessionKey, Marks>> {
        lock(&self.marks)
    }

    /// Looks something up. Blocks.
    pub(crate) fn with_reader<T>(
        &self,
        look: impl FnOnce(&Reader) -> maestro_store::Result<T>,
    ) -> maestro_store::Result<T> {
        let kept = lock(&self.readers).pop();
        let reader = match kept {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        let result = look(&reader);
        let mut readers = lock(&self.readers);
        // One that failed may be of an index that was made anew meanwhile.
        if result.is_ok() && readers.len() < READERS {
            readers.push(reader);
        }
        result
    }

    /// Entries of a session from a number on, and how many there are. The whole of a small file is kept for
    /// the next page, until [`Self::forget_read`] or another one is read. Blocks.
    pub(crate) fn page(
        &self,
        found: &Found,
        from: u64,
        most: u64,
    ) -> Result<(Vec<Entry>, u64), store::Error> {
        let Some(version) = Version::of(found) else {
            let read = store::page(found, from, most, &Sqlite)?;
            return Ok((read.entries, read.total));
        };
        let mut kept = lock(&self.last_read).take().filter(|kept| kept.version == version);
        if kept.is_none() {
            let read = store::page(found, 0, u64::MAX, &Sqlite)?;
            let at = Instant::now();
            kept = Some(Transcript { version, entries: read.entries, total: read.total, at });
        }
        let Some(mut kept) = kept else { return Ok((Vec::new(), 0)) };
        let begin = kept.entries.partition_point(|entry| entry.n < from);
        let end = kept.entries.partition_point(|entry| entry.n < from.saturating_add(most));
        let page = kept.entries[begin..end].to_vec();
        let total = kept.total;
        kept.at = Instant::now();
        *lock(&self.last_read) = Some(kept);
        Ok((page, total))
    }

    /// Lets the transcript that was read last go when nobody asked for it for a while.
    pub(crate) fn forget_read(&self) {
        let mut kept = lock(&self.last_read);
        if kept.as_ref().is_some_and(|kept| kept.at.elapsed() >= READ_AGAIN) {
            *kept = None;
        }
    }

    /// Readers of an index that is not there any more are not used again.
    fn forget_readers(&self) {
        lock(&self.readers).clear();
    }

    /// A scan begins; the one before is to end. The returned number is asked for by [`Self::is_last`].
    pub(crate) fn next_scan(&self) -> u64 {
        self.scans.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether no scan was begun after this one.
    pub(crate) fn is_last(&self, scan: u64) -> bool {
        self.scans.load(Ordering::SeqCst) == scan
    }
}

/// A session's entries as its file had them.
#[derive(Debug)]
struct Transcript {
    version: Version,
    entries: Vec<Entry>,
    total: u64,
    /// When it was asked for last.
    at: Instant,
}

/// Which file, and which state of it.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

impl Version {
    /// `None` for what is not kept: large files, and rows of a database.
    fn of(found: &Found) -> Option<Self> {
        if found.provider == Provider::OpenCode {
            return None;
        }
        let about = std::fs::symlink_metadata(&found.path).ok()?;
        let modified = about.modified().ok()?;
        let version = Self { path: found.path.clone(), bytes: about.len(), modified };
        (about.len() <= KEPT_READ).then_some(version)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a session of ours in the trash lies: a folder of its own.
pub(crate) fn trash_of(home: &Path, key: &SessionKey) -> PathBuf {
    home.join("trash").join("sessions").join(format!("{}-{}", key.provider, safe(&key.id)))
}

/// An id as a file name: ids have letters, digits, `-` and `_` only, but come from files of others.
fn safe(id: &str) -> String {
    id.chars()
        .take(100)
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .collect()
}

/// A weak reference that is worth something only while the host runs.
fn running(shared: &Weak<Shared>) -> Option<Arc<Shared>> {
    shared.upgrade().filter(|shared| !shared.is_stopping())
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};

    use maestro_core::conversation::Body;

    use super::*;

    const ID: &str = "11111111-1111-4111-8111-111111111111";

    fn write(path: &Path, words: &str, modified: SystemTime) {
        let line = |role: &str, words: &str| {
            format!(
                "{{\"type\":\"message\",\"message\":{{\"role\":\"{role}\",\"content\":\"{words}\"}}}}\n"
            )
        };
        std::fs::write(path, line("user", words) + &line("assistant", words)).expect("written");
        let file = File::options().write(true).open(path).expect("it is there");
        file.set_times(FileTimes::new().set_modified(modified)).expect("set");
    }

    fn words(sessions: &Sessions, found: &Found, from: u64) -> Vec<String> {
        let (entries, total) = sessions.page(found, from, 1).expect("read");
        assert_eq!(total, 2);
        let text = |entry: &Entry| match &entry.body {
            Body::Prompt(prompt) => format!("> {}", prompt.text),
            Body::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        entries.iter().map(text).collect()
    }

    #[test]
    fn pages_of_a_transcript_are_of_one_reading_until_its_file_is_another() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let path = home.path().join(format!("{ID}.jsonl"));
        let sessions = Sessions::new(home.path(), Vec::new());
        let early = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        write(&path, "one", early);
        let found = store::found_at(Provider::Droid, ID, &path).expect("it is there");
        assert_eq!(words(&sessions, &found, 0), ["> one"]);
        // As long and as old: nobody looks into the file again.
        write(&path, "two", early);
        assert_eq!(words(&sessions, &found, 1), ["one"]);
        assert_eq!(words(&sessions, &found, 0), ["> one"]);
        write(&path, "two", early + Duration::from_secs(1));
        assert_eq!(words(&sessions, &found, 1), ["two"], "it was written to");
        // What was asked for a moment ago stays; what was not goes.
        sessions.forget_read();
        assert!(lock(&sessions.last_read).is_some());
        let long_ago = Instant::now().checked_sub(READ_AGAIN);
        if let (Some(kept), Some(at)) = (lock(&sessions.last_read).as_mut(), long_ago) {
            kept.at = at;
        }
        sessions.forget_read();
        assert!(lock(&sessions.last_read).is_none());
    }

    #[test]
    fn only_small_transcripts_are_kept() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let path = home.path().join(format!("{ID}.jsonl"));
        write(&path, "one", SystemTime::now());
        let found = store::found_at(Provider::Droid, ID, &path).expect("it is there");
        assert!(Version::of(&found).is_some());
        let file = File::options().write(true).open(&path).expect("it is there");
        file.set_len(KEPT_READ + 1).expect("it is sparse");
        assert!(Version::of(&found).is_none());
        let row = Found { provider: Provider::OpenCode, ..found };
        assert!(Version::of(&row).is_none(), "a database changes without its file");
    }
}
