//! Sessions that providers have stored: found by the index, read from the providers' files, and marked in
//! our own database.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use maestro_agents::store::{self, Found, What};
use maestro_core::agent::Provider;
use maestro_core::conversation::Place;
use maestro_core::session::{Filter, Hit, Session, SessionKey};
use maestro_core::text::clean;
use maestro_core::{AgentId, TabId};
use maestro_protocol::message::{Command, Error, ErrorKind, Page, Reply, SessionMark};
use maestro_store::Marks;
use maestro_store::index::{Match, Matches, Sought};

use super::commands::store_error;
use super::tools::failed;
use super::{Shared, blocking, now_ms, refuse};
use crate::index::{READ_AGAIN, Sqlite, excerpt, trash};

/// The most sessions in one answer.
const MOST: u32 = 200;
/// The most entries in one answer.
const ENTRIES: u32 = 1_000;
/// The most bytes of text in one answer, about.
const BYTES: usize = 16 << 20;
/// How long an answer may take with all its excerpts; hits after that have none, and are shown with their
/// entry all the same.
const ANSWER: Duration = Duration::from_millis(32);
/// How long excerpts may take in any case: those of the first hits are the ones that are looked at.
const EXCERPTS: Duration = Duration::from_millis(6);
/// How long a scan may take.
const SCAN: Duration = Duration::from_secs(60);
/// The longest text to look for, in bytes.
const WORDS: usize = 1_000;
/// The longest title, in characters.
const TITLE: usize = 120;
/// The most tags of a session, and the longest, in characters.
const TAGS: (usize, usize) = (32, 40);
/// A file that was written to within this time is one somebody is at.
const RECENT: u64 = 10_000;
/// How long the first question waits for the index to be there at all.
const FIRST: Duration = Duration::from_secs(2);

/// Does what is asked for; `command` is one of those that [`super::commands`] hands to this module.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    shared.sessions.begin(shared);
    let shared = Arc::clone(shared);
    if matches!(command, Command::ReadSession { .. }) {
        // A second after it may be let go, so that it is when nothing else is asked for.
        let host = Arc::downgrade(&shared);
        super::detach(async move {
            tokio::time::sleep(READ_AGAIN + Duration::from_secs(1)).await;
            if let Some(shared) = host.upgrade() {
                shared.sessions.forget_read();
            }
        });
    }
    let work = move || match command {
        Command::FindSessions { filter, most, skip } => shared.find_sessions(&filter, most, skip),
        Command::ReadSession { session, from, most } => shared.read_session(&session, from, most),
        Command::ScanSessions { filter, most } => shared.scan_sessions(&filter, most),
        Command::MarkSession { session, mark } => shared.mark_session(session, mark),
        Command::IndexSessions => {
            shared.sessions.look();
            Ok(Reply::Indexing(shared.sessions.progress()))
        }
        _ => Err(refuse(ErrorKind::Unsupported, "this host cannot do that yet")),
    };
    blocking(work).await.map_err(failed)?
}

impl Shared {
    fn find_sessions(&self, filter: &Filter, most: u32, skip: u32) -> Result<Reply, Error> {
        check(filter)?;
        let most = most.min(MOST) as usize;
        let asked = Instant::now();
        let found = self.look_up(filter, most, skip as usize)?;
        let sought = Sought::new(&filter.words);
        let open = self.open_sessions();
        let begun = Instant::now();
        let hits = found
            .matches
            .into_iter()
            .map(|found| {
                let late = asked.elapsed() > ANSWER && begun.elapsed() > EXCERPTS;
                let (excerpt, marks) = match found.entry {
                    Some((_, start, bytes)) if !late => {
                        excerpt::of(&texts(&found, start, bytes), &sought)
                    }
                    _ => Default::default(),
                };
                let entry = found.entry.map(|(entry, ..)| entry);
                Hit { session: known_open(found.session, &open), excerpt, marks, entry }
            })
            .collect();
        Ok(Reply::Sessions { hits, total: found.total, indexing: self.sessions.progress() })
    }

    fn look_up(&self, filter: &Filter, most: usize, skip: usize) -> Result<Matches, Error> {
        let marks = self.sessions.marks().clone();
        let begun = Instant::now();
        loop {
            let found = self.sessions.with_reader(|reader| {
                reader.find(filter, &marks, (most, skip), &mut |found, sought| {
                    found.entry.is_some_and(|(_, start, bytes)| {
                        texts(found, start, bytes).iter().any(|text| sought.is_in(text))
                    })
                })
            });
            match found {
                Ok(found) => return Ok(found),
                // It is being made, for the first time or anew.
                Err(_) if begun.elapsed() < FIRST => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(store_error(error)),
            }
        }
    }

    /// A session that the index knows.
    fn stored_session(&self, key: &SessionKey) -> Result<Match, Error> {
        self.session_known(key, false)
    }

    /// A session that the index knows. One that `is_there` is waited for: whoever looked through the stores
    /// while its file was moved has seen it nowhere, and looks again.
    fn session_known(&self, key: &SessionKey, is_there: bool) -> Result<Match, Error> {
        let marks = self.sessions.marks().clone();
        let begun = Instant::now();
        loop {
            match self.sessions.with_reader(|reader| reader.get(key, &marks)) {
                Ok(Some(found)) => return Ok(found),
                Ok(None)
                    if (self.sessions.progress().complete && !is_there)
                        || begun.elapsed() > FIRST =>
                {
                    let text = format!("{} has no stored session {}", key.provider.title(), key.id);
                    return Err(refuse(ErrorKind::NotFound, text));
                }
                Err(error) if begun.elapsed() > FIRST => return Err(store_error(error)),
                Ok(None) | Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Where a session lies now: in its provider's store, or in our trash.
    fn file_of(&self, key: &SessionKey, session: &Session) -> Found {
        let home = self.options.home.root();
        let trashed = session.trashed_ms.and_then(|_| trash::find(home, key));
        trashed.unwrap_or_else(|| Found {
            provider: key.provider,
            id: key.id.clone(),
            path: session.path.clone(),
            bytes: session.bytes,
            modified_ms: session.used_ms,
        })
    }

    fn read_session(&self, key: &SessionKey, from: u64, most: u32) -> Result<Reply, Error> {
        let stored = self.stored_session(key)?;
        let found = self.file_of(key, &stored.session);
        let most = u64::from(most.min(ENTRIES));
        let (entries, total) = self
            .sessions
            .page(&found, from, most)
            .map_err(|error| refuse(ErrorKind::NotFound, error.to_string()))?;
        let mut room = BYTES;
        let entries = entries
            .into_iter()
            .take_while(|entry| {
                let fits = room > 0;
                room = room.saturating_sub(excerpt::weight(&entry.body));
                fits
            })
            .collect();
        Ok(Reply::Entries(Box::new(Page { entries, total, draft: None })))
    }

    fn scan_sessions(&self, filter: &Filter, most: u32) -> Result<Reply, Error> {
        check(filter)?;
        let sought = Sought::new(&filter.words);
        if sought.is_empty() {
            return Err(refuse(ErrorKind::Invalid, "say which words to look for"));
        }
        let scan = self.sessions.next_scan();
        let begun = Instant::now();
        let most = most.min(MOST) as usize;
        let everything = Filter { words: String::new(), ..filter.clone() };
        let (mut hits, mut skip, mut whole) = (Vec::new(), 0, true);
        let open = self.open_sessions();
        let over = || !self.sessions.is_last(scan) || begun.elapsed() > SCAN || self.is_stopping();
        'sessions: loop {
            let page = self.look_up(&everything, MOST as usize, skip)?.matches;
            if page.is_empty() {
                break;
            }
            skip += page.len();
            for found in page {
                if hits.len() >= most || over() {
                    whole = false;
                    break 'sessions;
                }
                let key = key_of(&found.session);
                let file = self.file_of(&key, &found.session);
                if let Some((entry, text)) = scan_one(&file, &sought, &over) {
                    let (excerpt, marks) = excerpt::of(&[text], &sought);
                    let session = known_open(found.session, &open);
                    hits.push(Hit { session, excerpt, marks, entry: Some(entry) });
                }
            }
        }
        if !self.sessions.is_last(scan) {
            return Err(refuse(ErrorKind::Busy, "another search through the tools' output began"));
        }
        let total = whole.then_some(hits.len() as u64);
        Ok(Reply::Sessions { hits, total, indexing: self.sessions.progress() })
    }

    fn mark_session(&self, key: SessionKey, mark: SessionMark) -> Result<Reply, Error> {
        let stored = self.stored_session(&key)?;
        let open = self.open_sessions();
        if let SessionMark::Trashed(trashed) = mark {
            self.trash_session(&key, &stored.session, trashed, &open)?;
        }
        let mut kept = self.sessions.marks().get(&key).cloned().unwrap_or_default();
        match mark {
            SessionMark::Title(title) => {
                kept.title =
                    title.map(|title| one_line(&title, TITLE)).filter(|title| !title.is_empty());
            }
            SessionMark::Starred(starred) => kept.starred = starred,
            SessionMark::Tags(tags) => kept.tags = checked_tags(tags)?,
            SessionMark::Trashed(trashed) => kept.trashed_ms = trashed.then(now_ms),
        }
        self.keep_marks(&key, kept)?;
        self.sessions.look();
        let found = self.session_known(&key, true)?;
        Ok(Reply::Session(Box::new(known_open(found.session, &open))))
    }

    fn keep_marks(&self, key: &SessionKey, kept: Marks) -> Result<(), Error> {
        // The lock is held over the write, so that two changes come in one order to both places.
        let mut marks = self.sessions.marks();
        self.store.set_marks(key, &kept).map_err(store_error)?;
        if kept.is_empty() {
            let _ = marks.remove(key);
        } else {
            let _ = marks.insert(key.clone(), kept);
        }
        Ok(())
    }

    /// Moves a session's files into the trash or back. Those in a database are only left out of what is
    /// shown: taking rows out of another program's database is not ours to do.
    fn trash_session(
        &self,
        key: &SessionKey,
        session: &Session,
        trashed: bool,
        open: &Open,
    ) -> Result<(), Error> {
        if session.trashed_ms.is_some() == trashed {
            return Ok(());
        }
        let home = self.options.home.root();
        if !trashed {
            if !trash::moves(key.provider) {
                return Ok(());
            }
            return match trash::restore(home, key) {
                // Somebody put it back by hand: then only the mark is to go.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                other => other.map_err(|error| moved(&error)),
            };
        }
        if let Some((agent, tab)) = open.get(key) {
            let whose = self.world.agent(*agent).map_or_else(|| agent.to_string(), |a| a.name);
            let busy = match tab.and_then(|tab| self.world.tab(tab)) {
                Some(tab) => tab.place != Place::Nowhere || tab.state.is_busy() || !tab.closed,
                None => true,
            };
            if busy {
                let text = format!("it is open in {whose}; close it there first");
                return Err(refuse(ErrorKind::Busy, text));
            }
        }
        if in_use(&session.path, key.provider) {
            let text = "a program is at it: it was written to within the last seconds";
            return Err(refuse(ErrorKind::Busy, text));
        }
        if trash::moves(key.provider) {
            trash::put(home, key, &session.path).map_err(|error| moved(&error))?;
        }
        Ok(())
    }

    /// Sessions that are open in agents and tabs of ours.
    fn open_sessions(&self) -> Open {
        let agents = self.world.agents();
        let mut open = Open::new();
        let whose: HashMap<AgentId, Provider> =
            agents.iter().map(|agent| (agent.id, agent.provider)).collect();
        for agent in agents {
            if let Some(id) = agent.session.filter(|_| agent.ai_terminal.is_some()) {
                let key = SessionKey { provider: agent.provider, id };
                let _ = open.insert(key, (agent.id, None));
            }
        }
        for tab in self.world.tabs() {
            if let (Some(id), Some(provider)) = (tab.session, whose.get(&tab.agent)) {
                let key = SessionKey { provider: *provider, id };
                let _ = open.insert(key, (tab.agent, Some(tab.id)));
            }
        }
        open
    }
}

type Open = HashMap<SessionKey, (AgentId, Option<TabId>)>;

fn known_open(session: Session, open: &Open) -> Session {
    let open_in = open.get(&key_of(&session)).copied();
    Session { open_in, ..session }
}

fn key_of(session: &Session) -> SessionKey {
    SessionKey { provider: session.provider, id: session.id.clone() }
}

/// The texts of the record in which something was found.
fn texts(found: &Match, start: u64, bytes: u64) -> Vec<String> {
    let session = &found.session;
    store::text_at(session.provider, &session.path, start, bytes, &Sqlite)
}

/// The last entry of a session with everything that is sought, tools' inputs and outputs included.
fn scan_one(file: &Found, sought: &Sought, over: &dyn Fn() -> bool) -> Option<(u64, String)> {
    let mut hit = None;
    let mut lines = 0u32;
    // What JSON writes as it is can be looked for in the line as it is stored.
    let plain = sought.words.first().filter(|word| word.is_ascii()).cloned();
    let worth = &mut |line: &[u8]| {
        lines = lines.wrapping_add(1);
        if lines.is_multiple_of(64) && over() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(
            plain.as_ref().is_none_or(|word| excerpt::has_ascii(line, word.as_bytes())),
        )
    };
    let mut pieces = 0u32;
    let scanned = store::scan(file, &Sqlite, worth, &mut |piece| {
        pieces = pieces.wrapping_add(1);
        if pieces.is_multiple_of(64) && over() {
            return ControlFlow::Break(());
        }
        // Prompts and answers are found by the index; here they count as well, for one view of both.
        let better = piece.what == What::Output || hit.is_none();
        if better && sought.is_in(&piece.text) {
            hit = Some((piece.entry, piece.text));
        }
        ControlFlow::Continue(())
    });
    if let Err(error) = scanned {
        tracing::debug!(%error, "a session cannot be looked through");
    }
    hit
}

/// Whether a program works on a session's file at this moment, as far as can be seen from outside.
fn in_use(file: &Path, provider: Provider) -> bool {
    if provider == Provider::OpenCode {
        return false;
    }
    let modified = file.metadata().and_then(|about| about.modified());
    let recent = modified
        .is_ok_and(|at| at.elapsed().is_ok_and(|since| since < Duration::from_millis(RECENT)));
    // Copilot says it by a file.
    let locked = provider == Provider::Copilot
        && file.parent().and_then(|folder| folder.read_dir().ok()).is_some_and(|entries| {
            entries.flatten().any(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let pid = name.strip_prefix("inuse.").and_then(|rest| rest.strip_suffix(".lock"));
                pid.and_then(|pid| pid.parse().ok()).is_some_and(is_alive)
            })
        });
    recent || locked
}

fn is_alive(pid: u32) -> bool {
    maestro_pty::process::Process::find(pid).is_some()
}

fn moved(error: &std::io::Error) -> Error {
    refuse(ErrorKind::Failed, format!("its files cannot be moved: {error}"))
}

fn check(filter: &Filter) -> Result<(), Error> {
    if filter.words.len() > WORDS {
        let text = format!("the words to look for are too long: at most {WORDS} bytes");
        return Err(refuse(ErrorKind::Invalid, text));
    }
    Ok(())
}

/// A text with one blank between two words.
fn one_line(text: &str, most: usize) -> String {
    let text = clean(text, most);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn checked_tags(tags: Vec<String>) -> Result<Vec<String>, Error> {
    let mut kept: Vec<String> = Vec::new();
    for tag in tags {
        let tag = one_line(&tag, TAGS.1);
        if !tag.is_empty() && !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    if kept.len() > TAGS.0 {
        let text = format!("a session has at most {} tags", TAGS.0);
        return Err(refuse(ErrorKind::Invalid, text));
    }
    Ok(kept)
}
