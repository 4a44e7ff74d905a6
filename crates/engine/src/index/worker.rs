//! The thread that makes the index. It works in small pieces and looks after each at what was written
//! meanwhile: that comes first.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use maestro_agents::store::{self, Cursor, Found, Place, Progress};
use maestro_core::agent::Provider;
use maestro_core::session::{Indexing, SessionKey};
use maestro_store::Error;
use maestro_store::index::{About, Index, Known};

use super::watch::Watch;
use super::{Ask, Sqlite, running, trash};
use crate::host::Shared;

/// One piece of work: so many bytes of files, or as long as this.
const PIECE: u64 = 4 << 20;
const SLICE: Duration = Duration::from_millis(200);
/// How long writes to one file are gathered before it is read.
const GATHER: Duration = Duration::from_millis(80);
/// Between two looks through everything, where everything is watched …
const CALM: Duration = Duration::from_secs(60);
/// … and the shortest where something is not.
const POLL: Duration = Duration::from_secs(1);
/// Between two reports of how far it is.
const REPORT: Duration = Duration::from_millis(500);
/// How long after an attempt that failed the next one is made.
const AGAIN: Duration = Duration::from_secs(30);
/// Sessions of a block.
const BLOCK: usize = 400;
/// Up to so many sessions that were not read yet are taken for new ones.
const FEW: usize = 50;
/// The most paths that are remembered one by one; with more of them everything is looked through.
const PATHS: usize = 2_000;

/// Runs until the host stops.
pub(super) fn run(shared: &Weak<Shared>, inbox: &Receiver<Ask>, asks: &Sender<Ask>) {
    crate::nice::behind_everybody();
    while let Some(host) = running(shared) {
        let made = Worker::new(&host, asks);
        drop(host);
        let failed = match made {
            Ok(worker) => match worker.work(shared, inbox) {
                Ok(()) => return,
                Err(error) => error,
            },
            Err(error) => error,
        };
        let Some(host) = running(shared) else { return };
        tracing::warn!(error = %failed, "the index of stored sessions failed");
        if let Error::Damaged { path, .. } = &failed {
            // Opening it will find what is wrong with it, or this does.
            remove(path);
            host.sessions.forget_readers();
            host.problem(None, REBUILT);
        } else {
            host.problem(None, format!("Stored sessions cannot be indexed now: {failed}"));
            drop(host);
            if matches!(inbox.recv_timeout(AGAIN), Ok(Ask::End)) {
                return;
            }
        }
    }
}

const REBUILT: &str = "The index of stored sessions was damaged and is made again; the sessions themselves are not touched.";

/// Removes an index, which can be made again.
fn remove(path: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.to_owned().into_os_string();
        name.push(ending);
        let _ = std::fs::remove_file(name);
    }
}

struct Worker {
    index: Index,
    places: Vec<Place>,
    known: HashMap<(Provider, String), Known>,
    watch: Watch,
    /// What is to be read. Of what is there at the first look, the newest block of sessions comes first, and
    /// within a block the oldest: the index takes numbers that grow far better than others.
    queue: VecDeque<Found>,
    /// Sessions of the queue that are in such blocks, and how many the one has that is being read.
    old: usize,
    block: usize,
    changed: HashSet<PathBuf>,
    since: Option<Instant>,
    looked: Option<Instant>,
    look_took: Duration,
    progress: Indexing,
    reported: Option<Instant>,
    home: PathBuf,
}

impl Worker {
    fn new(host: &Arc<Shared>, asks: &Sender<Ask>) -> Result<Self, Error> {
        let home = host.options.home.root().to_owned();
        let (index, rebuilt) = Index::open(&host.sessions.path)?;
        if let Some(reason) = rebuilt {
            tracing::warn!(reason, "the index of stored sessions was damaged");
            host.sessions.forget_readers();
            host.problem(None, REBUILT);
        }
        let index = if index.is_stale()? {
            let path = index.path().to_owned();
            index.close();
            remove(&path);
            host.sessions.forget_readers();
            Index::open(&path)?.0
        } else {
            index
        };
        let places = store::stores(&host.environment());
        let known = index
            .sessions()?
            .into_iter()
            .filter_map(|known| Some(((known.provider.parse().ok()?, known.id.clone()), known)))
            .collect();
        Ok(Self {
            index,
            places,
            known,
            watch: Watch::new(asks.clone()),
            queue: VecDeque::new(),
            old: 0,
            block: 0,
            changed: HashSet::new(),
            since: None,
            looked: None,
            look_took: Duration::ZERO,
            progress: Indexing::default(),
            reported: None,
            home,
        })
    }

    fn work(mut self, shared: &Weak<Shared>, inbox: &Receiver<Ask>) -> Result<(), Error> {
        let (mut tidy, mut made) = (false, false);
        let mut look = true;
        loop {
            let Some(host) = running(shared) else { break };
            if look {
                self.look(&host)?;
                look = false;
            }
            if self.since.is_some_and(|since| since.elapsed() >= GATHER) {
                self.take_changed(&host)?;
            }
            if let Some(found) = self.queue.pop_front() {
                let old = self.old > 0;
                if old && self.block == 0 {
                    self.index.begin_block()?;
                    self.block = self.old.min(BLOCK);
                }
                let rest = self.piece(&host, found, old)?;
                if let Some(rest) = rest {
                    self.queue.push_front(rest);
                } else if old {
                    self.old -= 1;
                    self.block -= 1;
                }
                tidy = true;
                made |= old;
                self.report(&host, false);
            } else {
                if !self.progress.complete {
                    self.progress.complete = true;
                    self.progress.done_bytes = self.progress.total_bytes;
                    self.report(&host, true);
                }
                if tidy && self.since.is_none() {
                    tidy = self.index.tidy()?;
                    if !tidy {
                        self.index.shrink(std::mem::take(&mut made))?;
                    }
                }
            }
            drop(host);
            let busy = !self.queue.is_empty() || tidy;
            let wait = match self.since {
                _ if busy => Duration::ZERO,
                Some(since) => GATHER.saturating_sub(since.elapsed()),
                None => self.next_look(),
            };
            match inbox.recv_timeout(wait) {
                Ok(ask) => {
                    if !self.take(ask, &mut look) {
                        break;
                    }
                    // What else is there: writes come in great numbers.
                    while let Ok(ask) = inbox.try_recv() {
                        if !self.take(ask, &mut look) {
                            self.index.close();
                            return Ok(());
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    look |= !busy && self.since.is_none() && self.next_look().is_zero();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.index.close();
        Ok(())
    }

    /// When everything is to be looked through again.
    fn next_look(&self) -> Duration {
        let every = if self.watch.is_whole() { CALM } else { POLL.max(self.look_took * 50) };
        self.looked.map_or(Duration::ZERO, |looked| every.saturating_sub(looked.elapsed()))
    }

    /// Takes a wish; says no when it is the last one.
    fn take(&mut self, ask: Ask, look: &mut bool) -> bool {
        match ask {
            Ask::Look => *look = true,
            Ask::Changed(path) => {
                if self.changed.len() < PATHS {
                    let _ = self.changed.insert(path);
                } else {
                    *look = true;
                }
                let _ = self.since.get_or_insert_with(Instant::now);
            }
            Ask::End => return false,
        }
        true
    }

    /// Looks through all stores for what is new, different or gone.
    fn look(&mut self, host: &Arc<Shared>) -> Result<(), Error> {
        let begun = Instant::now();
        self.watch.add(&self.places);
        let mut found: HashMap<(Provider, String), Found> = HashMap::new();
        let mut unread = HashSet::new();
        for place in &self.places {
            let listed = store::list(place, &Sqlite, &mut |session| keep(&mut found, session));
            if let Err(error) = listed {
                tracing::info!(%error, "a store cannot be looked through now");
                let _ = unread.insert(place.provider);
            }
        }
        let trashed: Vec<SessionKey> = host
            .sessions
            .marks()
            .iter()
            .filter(|(_, marks)| marks.trashed_ms.is_some())
            .map(|(key, _)| key.clone())
            .collect();
        for key in &trashed {
            // Whatever a provider has under this id now is the same session.
            if let Some(session) = trash::find(&self.home, key) {
                let _ = found.entry((key.provider, key.id.clone())).or_insert(session);
            }
        }
        let gone: Vec<_> = self
            .known
            .keys()
            .filter(|key| !found.contains_key(key) && !unread.contains(&key.0))
            .cloned()
            .collect();
        let mut news: Vec<Found> =
            found.into_values().filter(|session| self.is_news(session)).collect();
        news.sort_by_key(|session| session.modified_ms);
        self.index.begin()?;
        for key in gone {
            if let Some(known) = self.known.remove(&key) {
                self.index.remove(known.no)?;
            }
        }
        // In the order of their age, so that newer ones have higher numbers.
        for session in &news {
            let _ = self.number(session)?;
        }
        self.index.commit()?;
        let size = |session: &Found| session.bytes.saturating_sub(self.read_before(session));
        let total = news.iter().map(size).sum();
        let unread = news.iter().filter(|session| self.is_unread(session)).count();
        (self.old, self.block) = (0, 0);
        if unread > FEW {
            // The blocks from the back, and the rest of them, the oldest, at last.
            self.old = news.len();
            let mut blocks: Vec<&[Found]> = news.rchunks(BLOCK).collect();
            self.queue = blocks.drain(..).flatten().cloned().collect();
        } else {
            self.queue = news.into();
        }
        self.progress = Indexing {
            sessions: self.known.len() as u64,
            done_bytes: 0,
            total_bytes: total,
            complete: self.queue.is_empty(),
        };
        self.looked = Some(Instant::now());
        self.look_took = begun.elapsed();
        self.report(host, true);
        Ok(())
    }

    /// Whether a session is another one than it was when it was read.
    fn is_news(&self, session: &Found) -> bool {
        let known = self.known.get(&(session.provider, session.id.clone()));
        known.is_none_or(|known| {
            known.modified_ms != Some(session.modified_ms)
                || known.bytes != session.bytes
                || known.path != session.path
        })
    }

    /// Whether nothing of a session was read yet.
    fn is_unread(&self, session: &Found) -> bool {
        let known = self.known.get(&(session.provider, session.id.clone()));
        known.is_none_or(|known| known.modified_ms.is_none())
    }

    fn read_before(&self, session: &Found) -> u64 {
        let known = self.known.get(&(session.provider, session.id.clone()));
        known.filter(|known| known.bytes <= session.bytes).map_or(0, |known| known.bytes)
    }

    /// The number of a session in the index.
    fn number(&mut self, session: &Found) -> Result<u32, Error> {
        let key = (session.provider, session.id.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.no);
        }
        let no = self.index.add(session.provider.name(), &session.id, &session.path)?;
        let _ = self.known.insert(
            key,
            Known {
                no,
                provider: session.provider.name().to_owned(),
                id: session.id.clone(),
                path: session.path.clone(),
                modified_ms: None,
                bytes: 0,
            },
        );
        Ok(no)
    }

    /// What was written to files that are watched.
    fn take_changed(&mut self, host: &Arc<Shared>) -> Result<(), Error> {
        self.since = None;
        let mut news: Vec<Found> = Vec::new();
        let mut databases = false;
        for path in std::mem::take(&mut self.changed) {
            let session = self.places.iter().find_map(|place| place.session_of(&path));
            match session {
                Some(session) => news.push(session),
                // A file that is gone is found at the next look; so is one that was moved here.
                None => {
                    databases |= self.places.iter().any(|place| {
                        place.provider == Provider::OpenCode
                            && path.to_string_lossy().starts_with(&*place.path.to_string_lossy())
                    });
                    // A folder on the way to a place that was not there before.
                    let comes = self.places.iter().any(|place| place.is_below(&path));
                    if comes && path.is_dir() {
                        self.looked = None;
                    }
                    if !path.exists() && self.known.values().any(|known| known.path == path) {
                        self.looked = None;
                    }
                }
            }
        }
        let mut again = Vec::new();
        if databases {
            for place in self.places.iter().filter(|place| place.provider == Provider::OpenCode) {
                let listed = store::list(place, &Sqlite, &mut |session| news.push(session));
                if let Err(error) = listed {
                    tracing::debug!(%error, "a database cannot be read now");
                    if error.is_passing() {
                        again.push(place.path.clone());
                    }
                }
            }
        }
        self.come_back_to(again);
        news.retain(|session| self.is_news(session));
        news.sort_by_key(|session| session.modified_ms);
        for session in news {
            // A workspace of our trash is not what the provider has.
            self.queue
                .retain(|queued| (queued.provider, &queued.id) != (session.provider, &session.id));
            let mut rest = Some(session);
            while let Some(session) = rest {
                rest = self.piece(host, session, false)?;
                if host.is_stopping() {
                    return Ok(());
                }
            }
            let sessions = self.known.len() as u64;
            if sessions != self.progress.sessions {
                self.progress.sessions = sessions;
                self.report(host, self.queue.is_empty());
            }
        }
        Ok(())
    }

    /// These were written to while they were read, and are read again soon.
    fn come_back_to(&mut self, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            self.changed.extend(paths);
            let _ = self.since.get_or_insert_with(Instant::now);
        }
    }

    /// Reads a piece of a session; gives it back when there is more of it.
    fn piece(
        &mut self,
        host: &Arc<Shared>,
        session: Found,
        old: bool,
    ) -> Result<Option<Found>, Error> {
        self.index.begin()?;
        let done = self.read(&session, old);
        // Also after an error: what was read is read.
        self.index.commit()?;
        let (rest, read) = done?;
        self.progress.done_bytes = (self.progress.done_bytes + read).min(self.progress.total_bytes);
        let _ = host;
        Ok(rest.then_some(session))
    }

    /// Reads a piece of a session; says whether there is more, and how many bytes were read.
    fn read(&mut self, session: &Found, old: bool) -> Result<(bool, u64), Error> {
        let no = self.number(session)?;
        let cursor: Option<Cursor> =
            self.index.cursor(no)?.and_then(|cursor| serde_json::from_str(&cursor).ok());
        let (mut read, mut broke, mut failed) = (0, false, None);
        let (begun, index) = (Instant::now(), &self.index);
        // What has no place to go on from is read in one go.
        let whole = session.provider == Provider::OpenCode || session.is_document();
        let told = store::read(session, cursor, &Sqlite, &mut |progress| {
            let done = match progress {
                Progress::Anew => index.clear(no),
                Progress::Piece { piece, offset, bytes } => {
                    index.put(no, piece.entry, (offset, bytes), &piece.text, (old, piece.again))
                }
                Progress::Bytes(bytes) => {
                    read += bytes;
                    broke = !whole && (read >= PIECE || begun.elapsed() >= SLICE);
                    Ok(())
                }
            };
            if let Err(error) = done {
                failed = Some(error);
            }
            if failed.is_some() || broke {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let cursor = match told {
            Ok(cursor) => cursor,
            Err(error) => {
                // Gone, or not to be read: the next look finds out.
                tracing::debug!(%error, "a session cannot be read");
                if error.is_passing() {
                    self.come_back_to(vec![session.path.clone()]);
                }
                return Ok((false, session.bytes));
            }
        };
        let facts = cursor.facts();
        let about = About {
            title: facts.title().to_owned(),
            directory: facts.directory.as_ref().map(|path| path.display().to_string()),
            branch: facts.branch.clone(),
            model: facts.model.clone(),
            started_ms: facts.started_ms,
            // Where the records tell no times, the file does.
            used_ms: match (session.provider, facts.used_ms) {
                (Provider::Demo, _) | (_, 0) => facts.used_ms.max(session.modified_ms),
                (_, told) => told,
            },
            prompts: facts.prompts,
            entries: cursor.entries(),
            path: session.path.clone(),
            modified_ms: (!broke).then_some(session.modified_ms),
            bytes: session.bytes,
            cursor: serde_json::to_string(&cursor).unwrap_or_default(),
        };
        self.index.set(no, &about)?;
        if let Some(known) = self.known.get_mut(&(session.provider, session.id.clone())) {
            known.path = about.path;
            known.modified_ms = about.modified_ms;
            known.bytes = about.bytes;
        }
        Ok((broke, read))
    }

    /// Tells how far it is, unless that was told just now.
    fn report(&mut self, host: &Arc<Shared>, now: bool) {
        let recent = self.reported.is_some_and(|told| told.elapsed() < REPORT);
        if host.sessions.progress() == self.progress {
            return;
        }
        host.sessions.set_progress(self.progress);
        // The end is always told: nothing comes after it.
        if recent && !(now && self.progress.complete) {
            return;
        }
        self.reported = Some(Instant::now());
        host.world.set_indexing(self.progress);
    }
}

/// Of two files with one id, the one that was written to last.
fn keep(found: &mut HashMap<(Provider, String), Found>, session: Found) {
    let key = (session.provider, session.id.clone());
    let newer = found.get(&key).is_none_or(|known| known.modified_ms < session.modified_ms);
    if newer {
        let _ = found.insert(key, session);
    }
}
