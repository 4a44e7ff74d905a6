//! Conversations: one actor for each tab that somebody uses. It owns the tab's driver, folds what that
//! reports, keeps the transcript's file, and tells those who follow.
//!
//! ```text
//! command ──> actor ──order──> driver ──> provider's program
//!               │ <──events──────┘
//!               ├──> file (every update)        conversations/cN.jsonl
//!               ├──> followers (≤ 30 a second)
//!               └──> world, store, attention, queue, usage
//! ```
//!
//! A turn is written down before its program hears of it: first the queue's own note, then the tab in the
//! store, then the prompt in the file. After a crash a prompt in the file without an end is a turn that was
//! cut; one that is not in the file was never said.

mod actor;
pub(crate) mod claims;
pub mod drivers;
mod files;
mod log;
mod search;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use maestro_core::agent::Agent;
use maestro_core::conversation::{
    Answer, Body, Conversation, Entry, Menu, Place, Policy, Prompt, Tab, TabState,
};
use maestro_core::turn::{Failure, FailureKind};
use maestro_core::{AgentId, ItemId, RunId, TabId};
use maestro_protocol::message::{Error, ErrorKind, Page, TabChange};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::client::Client;
use crate::host::queues;
use crate::host::{Shared, blocking, failed, now_ms, refuse};
use crate::queue::{Over, Said};
use drivers::{Drivers, Programs};

pub(crate) use files::{Files, find as find_files, list as list_files};
pub(crate) use search::search;

/// Orders that may wait for one actor.
const WAITING: usize = 64;
/// How long the drivers may take to go when the host stops.
const STOP: Duration = Duration::from_secs(7);

/// Called with the number of a turn before anything of it happens; what it refuses does not happen. Blocks.
pub(crate) type Journal = Box<dyn FnOnce(u64) -> Result<(), Error> + Send>;

/// The conversations of a host.
#[derive(Debug)]
pub(crate) struct Tabs {
    drivers: Arc<dyn Drivers>,
    /// Sessions that are being opened, here or in a terminal.
    pub(crate) claims: Arc<claims::Claims>,
    actors: Mutex<HashMap<TabId, mpsc::Sender<Ask>>>,
    /// What could be chosen when it was last told, by tab.
    menus: Mutex<HashMap<TabId, Menu>>,
    pub(crate) files: Files,
    /// Tabs whose driver lives.
    alive: Mutex<std::collections::HashSet<TabId>>,
}

/// What an actor is asked for.
pub(crate) enum Ask {
    /// A turn begins.
    Say {
        prompt: Prompt,
        journal: Option<Journal>,
        done: oneshot::Sender<Result<u64, Error>>,
    },
    /// What waited for a time goes on.
    Again(oneshot::Sender<Result<(), Error>>),
    Interrupt(oneshot::Sender<Result<Tab, Error>>),
    Answer {
        request: String,
        answer: Answer,
        done: oneshot::Sender<Result<Tab, Error>>,
    },
    Change {
        change: TabChange,
        done: oneshot::Sender<Result<Tab, Error>>,
    },
    Open {
        client: Arc<Client>,
        id: u64,
        last: u32,
        follow: bool,
        permit: OwnedSemaphorePermit,
    },
    Read {
        before: u64,
        most: u32,
        page: oneshot::Sender<Result<Page, Error>>,
    },
    Menu(oneshot::Sender<Result<Menu, Error>>),
    Retry(oneshot::Sender<Result<Tab, Error>>),
    Rebuild(oneshot::Sender<Result<Tab, Error>>),
    /// The driver ends, and the session is somewhere else from then on.
    Release {
        place: Place,
        /// It is about to be somewhere else: nothing is said here until that is told, or did not happen.
        moving: bool,
        done: oneshot::Sender<Result<Tab, Error>>,
    },
    /// The session is nobody's any more; what was said elsewhere (all that the provider has) is put in.
    Back {
        session: Option<String>,
        stored: Vec<Entry>,
        done: oneshot::Sender<Result<Tab, Error>>,
    },
    Said(u64, oneshot::Sender<Said>),
    Stop(oneshot::Sender<()>),
}

impl Tabs {
    pub(crate) fn new(drivers: Option<Arc<dyn Drivers>>) -> Self {
        Self {
            drivers: drivers.unwrap_or_else(|| Arc::new(Programs)),
            claims: Arc::default(),
            actors: Mutex::default(),
            menus: Mutex::default(),
            files: Files::default(),
            alive: Mutex::default(),
        }
    }

    /// How many conversations have a program that runs a turn: while there are any, the host is not idle.
    pub(crate) fn alive(&self) -> usize {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Says something in a tab: begins a turn, and gives back its number. Comes back when the turn is
    /// written down; what becomes of it is told by the tab.
    ///
    /// # Errors
    ///
    /// Nothing was written. [`ErrorKind::Busy`] while something is in the way that goes away: a turn, a
    /// session that is open elsewhere, a run that has the directory.
    pub(crate) async fn say(
        &self,
        shared: &Arc<Shared>,
        tab: TabId,
        prompt: Prompt,
        item: Option<ItemId>,
        journal: impl FnOnce(u64) -> Result<(), Error> + Send + 'static,
    ) -> Result<u64, Error> {
        tracing::debug!(%tab, ?item, "a prompt");
        let journal: Option<Journal> = Some(Box::new(journal));
        self.ask(shared, tab, |done| Ask::Say { prompt, journal, done }).await?
    }

    /// A tab as it is now, without waiting.
    pub(crate) fn tab(&self, shared: &Shared, tab: TabId) -> Option<Tab> {
        shared.world.tab(tab)
    }

    /// All tabs of an agent, without waiting.
    pub(crate) fn tabs_of(&self, shared: &Shared, agent: AgentId) -> Vec<Tab> {
        let mut tabs = shared.world.tabs();
        tabs.retain(|tab| tab.agent == agent);
        tabs
    }

    /// What waited for a time goes on: says the last prompt again if nothing of its turn was done, and
    /// otherwise lets the tab be idle. Does nothing for a tab that does not wait.
    pub(crate) async fn retry(&self, shared: &Arc<Shared>, tab: TabId) -> Result<(), Error> {
        self.ask(shared, tab, Ask::Again).await?
    }

    /// How far a turn came that a host before this one was about to begin.
    pub(crate) async fn has_turn(
        &self,
        shared: &Arc<Shared>,
        tab: TabId,
        turn: u64,
    ) -> Result<Said, Error> {
        self.ask(shared, tab, |done| Ask::Said(turn, done)).await
    }

    /// Asks the actor of a tab, which is started where there is none yet.
    pub(crate) async fn ask<T>(
        &self,
        shared: &Arc<Shared>,
        tab: TabId,
        ask: impl FnOnce(oneshot::Sender<T>) -> Ask,
    ) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        self.send(shared, tab, ask(sender)).await?;
        answer.await.map_err(|_| gone(tab))
    }

    /// The same without an answer.
    pub(crate) async fn send(
        &self,
        shared: &Arc<Shared>,
        tab: TabId,
        ask: Ask,
    ) -> Result<(), Error> {
        let actor = self.actor(shared, tab).await?;
        actor.send(ask).await.map_err(|_| gone(tab))
    }

    async fn actor(&self, shared: &Arc<Shared>, id: TabId) -> Result<mpsc::Sender<Ask>, Error> {
        if let Some(actor) = self.actors().get(&id).filter(|actor| !actor.is_closed()) {
            return Ok(actor.clone());
        }
        // What a dead host left is known only then.
        shared.until_recovered().await;
        let missing = || refuse(ErrorKind::NotFound, format!("there is no tab {id}"));
        let _ = shared.world.tab(id).ok_or_else(missing)?;
        let mut actors = self.actors();
        if let Some(actor) = actors.get(&id).filter(|actor| !actor.is_closed()) {
            return Ok(actor.clone());
        }
        let (sender, asked) = mpsc::channel(WAITING);
        let _ = actors.insert(id, sender.clone());
        drop(actors);
        let (shared, worker) = (Arc::clone(shared), Arc::clone(shared));
        let task = tokio::spawn(actor::run(worker, id, asked));
        crate::host::detach(async move {
            let Err(error) = task.await else { return };
            let error = failed(error);
            let _ = shared.tabs.actors().remove(&id);
            shared.tabs.set_alive(id, false);
            let Some(mut tab) = shared.world.tab(id) else { return };
            shared.problem(Some(tab.agent), format!("The conversation {id} failed: {error}"));
            // Its driver went with it; the next actor ends the turn in the transcript.
            tab.place = Place::Nowhere;
            tab.requests.clear();
            if tab.state.is_busy() {
                let failure = Failure { kind: FailureKind::Crashed, message: error.message };
                tab.state = TabState::Failed(failure.clone());
                tab.since_ms = now_ms();
                queues::turn_ended(&shared, &tab, Over::Failed(failure));
            }
            shared.world.set_tab(&tab);
            shared.watch_tab(&tab);
            queues::freed(&shared, tab.agent);
        });
        Ok(sender)
    }

    fn actors(&self) -> std::sync::MutexGuard<'_, HashMap<TabId, mpsc::Sender<Ask>>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the drivers of these tabs, and their actors: they are gone when this returns, or in time.
    pub(crate) async fn end(&self, tabs: Option<&[TabId]>) -> bool {
        let actors: Vec<_> = {
            let mut actors = self.actors();
            match tabs {
                None => actors.drain().collect(),
                Some(tabs) => {
                    tabs.iter().filter_map(|id| Some((*id, actors.remove(id)?))).collect()
                }
            }
        };
        for (tab, _) in &actors {
            let _ = self.menus.lock().unwrap_or_else(PoisonError::into_inner).remove(tab);
        }
        let stops = actors.into_iter().map(|(_, actor)| async move {
            let (done, stopped) = oneshot::channel();
            if actor.send(Ask::Stop(done)).await.is_ok() {
                let _ = stopped.await;
            }
        });
        let mut all = tokio::task::JoinSet::new();
        for stop in stops {
            let _ = all.spawn(stop);
        }
        tokio::time::timeout(STOP, async { while all.join_next().await.is_some() {} }).await.is_ok()
    }

    fn set_alive(&self, tab: TabId, alive: bool) {
        let mut all = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = if alive { all.insert(tab) } else { all.remove(&tab) };
    }

    fn menu(&self, tab: TabId) -> Option<Menu> {
        self.menus.lock().unwrap_or_else(PoisonError::into_inner).get(&tab).cloned()
    }

    fn set_menu(&self, tab: TabId, menu: Menu) {
        let _ = self.menus.lock().unwrap_or_else(PoisonError::into_inner).insert(tab, menu);
    }
}

fn gone(tab: TabId) -> Error {
    refuse(ErrorKind::Stopping, format!("{tab} is being ended; try again"))
}

/// What a provider has stored of a session, in order. Blocks.
pub(crate) fn stored(
    provider: maestro_core::agent::Provider,
    session: &str,
    environment: &maestro_agents::Environment,
) -> Result<Vec<Entry>, String> {
    match crate::index::transcript(provider, session, environment) {
        // Nothing was said in it yet, as far as its provider knows.
        Err(maestro_agents::store::Error::Missing { .. }) => Ok(Vec::new()),
        read => read.map_err(|error| error.to_string()),
    }
}

/// Where the transcript of a tab is.
pub(crate) fn path(shared: &Shared, tab: TabId) -> PathBuf {
    shared.options.home.root().join("conversations").join(format!("{tab}.jsonl"))
}

/// A new tab.
pub(crate) fn new_tab(
    id: TabId,
    agent: AgentId,
    session: Option<String>,
    title: Option<String>,
) -> Tab {
    let now = now_ms();
    Tab {
        id,
        agent,
        named: title.is_some(),
        title: title.unwrap_or_default(),
        session,
        place: Place::Nowhere,
        policy: Policy::Ask,
        model: None,
        effort: None,
        starred: false,
        unread: false,
        closed: false,
        state: TabState::Idle,
        since_ms: now,
        requests: Vec::new(),
        context: None,
        usage: maestro_core::turn::Usage::default(),
        entries: 0,
        turns: 0,
        created_ms: now,
        used_ms: now,
    }
}

/// A tab as the next host shows it: nothing runs, and a turn that did has been cut. Blocks, for a tab whose
/// turn was open as long as reading its transcript takes.
pub(crate) fn offered_back(mut tab: Tab, path: &std::path::Path) -> Tab {
    tab.place = Place::Nowhere;
    tab.requests.clear();
    if !tab.state.is_busy() {
        return tab;
    }
    let now = now_ms();
    tab.state = TabState::Idle;
    match log::Log::open(path) {
        Ok(found) => {
            let _ = mend(found, &mut tab, now);
        }
        Err(error) => tracing::warn!(tab = %tab.id, %error, "a transcript cannot be read"),
    }
    tab
}

/// Ends in the file what was open when it was last written, and brings the tab to what the file says.
fn mend(mut found: log::Found, tab: &mut Tab, now_ms: u64) -> (log::Log, Conversation) {
    use maestro_core::conversation::{Update, fold};

    tab.entries = found.log.len();
    tab.turns = found.turns;
    let mut updates: Vec<Update> =
        found.open.into_iter().map(fold::cut_entry).map(Update::Entry).collect();
    if found.cut {
        let failure = Failure {
            kind: FailureKind::Crashed,
            message:
                "The host ended in the middle of this turn. What had come is kept; the session \
                      can go on."
                    .to_owned(),
        };
        let entry = Entry {
            n: tab.entries,
            turn: tab.turns,
            at_ms: now_ms,
            open: false,
            body: Body::Failed(failure.clone()),
        };
        updates.push(Update::Entry(entry));
        tab.entries += 1;
        tab.state = TabState::Failed(failure);
        tab.since_ms = now_ms;
        tab.unread = true;
    }
    if !updates.is_empty()
        && let Err(error) = found.log.write(&updates, true)
    {
        tracing::warn!(tab = %tab.id, %error, "a transcript cannot be written");
    }
    let fold = Conversation::new(tab);
    (found.log, fold)
}

/// Who else has the session of a tab, in a sentence; `None` when nobody has.
pub(crate) fn elsewhere(shared: &Shared, tab: &Tab) -> Option<String> {
    let session = tab.session.as_deref()?;
    let agents = shared.world.agents();
    let provider = agents.iter().find(|agent| agent.id == tab.agent)?.provider;
    let lives = |id| shared.world.terminal(id).is_some_and(|session| session.is_live());
    let shown = agents.iter().find_map(|agent| {
        let terminal = agent.ai_terminal.filter(|id| lives(*id))?;
        let same = agent.provider == provider && agent.session.as_deref() == Some(session);
        same.then(|| {
            format!(
                "this session is open in the terminal {terminal} of {}; take it back into the \
                 conversation first, or end it there",
                agent.name
            )
        })
    });
    shown.or_else(|| {
        let tabs = shared.world.tabs();
        let other = tabs.iter().find(|other| {
            other.id != tab.id
                && other.session.as_deref() == Some(session)
                && other.place == Place::Conversation
                && agents.iter().any(|agent| agent.id == other.agent && agent.provider == provider)
        })?;
        Some(format!("this session is open in the tab {} ({})", other.id, other.title))
    })
}

/// The tab in whose conversation a session is open: no terminal may open it then.
pub(crate) fn holder(
    shared: &Shared,
    provider: maestro_core::agent::Provider,
    session: &str,
) -> Option<Tab> {
    let agents = shared.world.agents();
    shared.world.tabs().into_iter().find(|tab| {
        tab.session.as_deref() == Some(session)
            && tab.place == Place::Conversation
            && agents.iter().any(|agent| agent.id == tab.agent && agent.provider == provider)
    })
}

/// The run that has an agent's directory, while one has.
pub(crate) fn run_in(shared: &Shared, agent: &Agent) -> Option<RunId> {
    let own = checkout(&agent.directory);
    shared.world.open_runs_near(&agent.directory).into_iter().find_map(|(run, directory)| {
        // A worktree or repository inside is a place of its own.
        (checkout(&directory) == own).then_some(run)
    })
}

/// The root of the checkout that a directory is in.
pub(crate) fn checkout(directory: &std::path::Path) -> Option<PathBuf> {
    directory.ancestors().find(|parent| parent.join(".git").exists()).map(PathBuf::from)
}

/// Runs what blocks and gives back its refusal or that it panicked.
async fn block<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    blocking(work).await.map_err(failed)?
}

/// Of what the provider has stored, what we do not have: what comes after the last of our prompts that is
/// there, too.
fn missing(ours: &[Entry], stored: Vec<Entry>, entries: u64) -> Vec<Entry> {
    let words = |entry: &Entry| match &entry.body {
        Body::Prompt(prompt) => Some(prompt.text.trim().to_owned()),
        _ => None,
    };
    let begins: Vec<usize> =
        (0..stored.len()).filter(|at| matches!(stored[*at].body, Body::Prompt(_))).collect();
    if entries == 0 {
        return stored;
    }
    let mut known = ours.iter().rev().filter_map(words).peekable();
    if known.peek().is_none() {
        return stored;
    }
    let last = ours.iter().map(|entry| entry.at_ms).max().unwrap_or(0);
    let from = known
        .find_map(|text| begins.iter().rposition(|at| words(&stored[*at]).as_ref() == Some(&text)))
        .map(|found| found + 1)
        // None of ours is there: what is newer than everything here.
        .or_else(|| begins.iter().position(|at| stored[*at].at_ms > last));
    let Some(from) = from.and_then(|from| begins.get(from)).copied() else { return Vec::new() };
    stored.into_iter().skip(from).collect()
}

/// Bytes of what was said before that a new session is told.
const RETOLD: usize = 160 << 10;

/// A prompt for a new session that knows what was said in the one before.
fn rebuild(said: &[Entry], prompt: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut bytes = 0;
    let mut left_out = false;
    // The last prompt is the one that is said now.
    let end = said.iter().rposition(|entry| matches!(entry.body, Body::Prompt(_))).unwrap_or(0);
    for entry in said[..end].iter().rev() {
        let part = match &entry.body {
            Body::Prompt(prompt) => format!("User:\n{}\n", prompt.text),
            Body::Text(text) => format!("Assistant:\n{text}\n"),
            Body::Tool(tool) => format!("[Assistant used {}: {}]\n", tool.name, tool.title),
            _ => continue,
        };
        if bytes + part.len() > RETOLD {
            left_out = true;
            break;
        }
        bytes += part.len();
        parts.push(part);
    }
    if parts.is_empty() {
        return prompt.to_owned();
    }
    parts.reverse();
    let cut = if left_out { "(Its beginning is left out.)\n" } else { "" };
    format!(
        "This session goes on from an earlier one that is lost. What was said in it:\n{cut}\n{}\n\
         That is the end of the earlier session; files may have changed since. Now:\n\n{prompt}",
        parts.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(words: &[&str]) -> Vec<Entry> {
        let body = |word: &str| match word.strip_prefix('>') {
            Some(text) => Body::Prompt(Prompt { text: text.into(), ..Prompt::default() }),
            None => Body::Text(word.into()),
        };
        let entry = |(n, word): (usize, &&str)| Entry {
            n: n as u64,
            turn: 0,
            at_ms: 10 + n as u64,
            open: false,
            body: body(word),
        };
        words.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn only_what_was_said_elsewhere_is_merged() {
        for (ours, stored, expected) in [
            (&[][..], &[">a", "1"][..], &[">a", "1"][..]),
            (&[">a", "1"], &[">a", "1", ">b", "2"], &[">b", "2"]),
            (&[">a", "1", ">b", "2"], &[">a", "1", ">b", "2"], &[]),
            // Twice the same words: the last of them counts.
            (&[">go", "1", ">go", "2"], &[">go", "1", ">go", "2", ">on", "3"], &[">on", "3"]),
            // A prompt that never arrived there.
            (&[">a", "1", ">lost"], &[">a", "1", ">b", "2"], &[">b", "2"]),
            (&["no prompt"], &[">a", "1"], &[">a", "1"]),
        ] {
            let new = missing(&entries(ours), entries(stored), ours.len() as u64);
            let bodies = |entries: Vec<Entry>| -> Vec<Body> {
                entries.into_iter().map(|entry| entry.body).collect()
            };
            assert_eq!(bodies(new), bodies(entries(expected)), "{ours:?} {stored:?}");
        }
    }

    #[test]
    fn a_session_is_told_again_within_bounds() {
        let told = rebuild(&entries(&[">a", "1", ">b"]), "b");
        assert!(told.contains("User:\na") && told.contains("Assistant:\n1") && told.ends_with("b"));
        assert!(!told.contains("User:\nb"));
        assert_eq!(rebuild(&entries(&[">b"]), "b"), "b");
        let long = "x".repeat(RETOLD);
        let told = rebuild(&entries(&[&long, "short", ">b"]), "b");
        assert!(told.len() < 1000 && told.contains("left out"));
    }
}
