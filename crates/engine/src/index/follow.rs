//! Following the sessions of programs that run in a terminal and tell there nothing of what they do: their
//! providers' stores are watched while such a program runs, and the end of what was stored is read when
//! something was written. While there is none, nothing is watched.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use maestro_agents::store::{self, Found, Latest, Place};
use maestro_core::agent::{Agent, Provider};
use maestro_core::conversation::ToolKind;
use maestro_core::{AgentId, TerminalId};

use super::watch::Watch;
use super::{Ask, Sqlite, lock, newest_opencode_in, running};
use crate::host::{Shared, now_ms};

/// How long writes are gathered before anything is read.
const GATHER: Duration = Duration::from_millis(150);
/// A call that has no result and no process after this long waits for its user.
const ASKS: Duration = Duration::from_secs(2);
/// Between two looks where something cannot be watched.
const POLL: Duration = Duration::from_secs(5);
/// Processes below a program that are looked at.
const PROCESSES: usize = 500;

/// Who asks for sessions to be followed. The thread is started by the first.
#[derive(Debug)]
pub(crate) struct Follow {
    asks: Sender<Ask>,
    inbox: Mutex<Option<Receiver<Ask>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Follow {
    pub(crate) fn new() -> Self {
        let (asks, inbox) = std::sync::mpsc::channel();
        Self { asks, inbox: Mutex::new(Some(inbox)), thread: Mutex::default() }
    }

    /// A program was started whose session is to be followed, or its user did something there.
    pub(crate) fn look(&self, shared: &Arc<Shared>) {
        if let Some(inbox) = lock(&self.inbox).take()
            && !shared.is_stopping()
        {
            let (weak, asks) = (Arc::downgrade(shared), self.asks.clone());
            let started = std::thread::Builder::new()
                .name("transcripts".to_owned())
                .spawn(move || run(&weak, &inbox, &asks));
            match started {
                Ok(thread) => *lock(&self.thread) = Some(thread),
                Err(error) => tracing::warn!(%error, "sessions in terminals are not followed"),
            }
        }
        let _ = self.asks.send(Ask::Look);
    }

    /// Ends the thread. Blocks until it has.
    pub(crate) fn end(&self) {
        let _ = self.asks.send(Ask::End);
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// How far a session in a terminal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its last turn ended before the program was started: nothing was said since.
    Rests,
    /// The model or a tool works; on what, where that is known.
    Works(String),
    /// A call waits for its user.
    Asks(String),
    /// The last turn ended with an answer.
    Answered,
    /// The last turn was stopped.
    Stopped,
    /// The last turn failed.
    Failed(String),
}

/// A program that is followed.
#[derive(Debug)]
struct Followed {
    terminal: TerminalId,
    since_ms: u64,
    /// What was found last: the session, when it was written to, how far it was.
    seen: Option<(String, u64, Latest)>,
    /// When a call that has no result is looked at again.
    again: Option<Instant>,
}

fn run(weak: &Weak<Shared>, inbox: &Receiver<Ask>, asks: &Sender<Ask>) {
    crate::nice::behind_everybody();
    let mut followed: HashMap<AgentId, Followed> = HashMap::new();
    let mut watch: Option<Watch> = None;
    let mut due: Option<Instant> = None;
    // Whether somebody asked, or only something was written that may be of others.
    let mut asked = true;
    loop {
        let again = followed.values().filter_map(|one| one.again).min();
        let whole = watch.as_ref().is_none_or(Watch::is_whole);
        let poll = (!whole).then(|| Instant::now() + POLL);
        let next = [due, again, poll].into_iter().flatten().min();
        let ask = match next {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match ask {
            Ok(Ask::Look) => {
                asked = true;
                due = due.or_else(|| Some(Instant::now() + GATHER));
                continue;
            }
            Ok(Ask::Changed(path)) => {
                if is_of_session(&path) {
                    due = due.or_else(|| Some(Instant::now() + GATHER));
                }
                continue;
            }
            Ok(Ask::End) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        due = None;
        let Some(shared) = running(weak) else { return };
        let agents = programs(&shared);
        followed.retain(|id, one| {
            agents.iter().any(|(agent, terminal)| agent.id == *id && *terminal == one.terminal)
        });
        if agents.is_empty() {
            watch = None;
            continue;
        }
        let mut places = store::stores(&shared.environment());
        places.retain(|place| agents.iter().any(|(agent, _)| agent.provider == place.provider));
        watch.get_or_insert_with(|| Watch::new(asks.clone())).add(&places);
        for (agent, terminal) in agents {
            let one = followed.entry(agent.id).or_insert_with(|| Followed {
                terminal,
                since_ms: now_ms(),
                seen: None,
                again: None,
            });
            look(&shared, &agent, one, &places, asked);
        }
        asked = false;
    }
}

/// A database has its log beside it, and much else.
fn is_of_session(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_none_or(|name| !name.ends_with(".log") && !name.ends_with("-shm"))
}

/// Programs in terminals whose stores tell what their terminals do not.
fn programs(shared: &Shared) -> Vec<(Agent, TerminalId)> {
    let runs = |agent: Agent| {
        let terminal = agent.ai_terminal.filter(|_| store::tells_ends(agent.provider))?;
        shared.world.terminal(terminal).is_some_and(|it| it.is_live()).then_some((agent, terminal))
    };
    shared.world.agents().into_iter().filter_map(runs).collect()
}

fn look(shared: &Arc<Shared>, agent: &Agent, one: &mut Followed, places: &[Place], asked: bool) {
    let session = || {
        let found = session_of(shared, agent, one.since_ms, places)?;
        let latest = store::latest(&found, &Sqlite).ok()?;
        Some((found, latest))
    };
    let Some((found, latest)) = session() else { return };
    let seen = (found.id.clone(), found.modified_ms, latest.clone());
    let is_call = matches!(latest, Latest::Called { .. });
    let due = one.again.is_some_and(|again| again <= Instant::now());
    if one.seen.as_ref() == Some(&seen) && !(is_call && (due || asked)) {
        return;
    }
    let fresh = one.seen.as_ref() != Some(&seen);
    let rests = one.seen.is_none() && found.modified_ms < one.since_ms;
    one.seen = Some(seen);
    one.again = None;
    let standing = match latest {
        Latest::Nothing => return,
        Latest::Works => Standing::Works(String::new()),
        Latest::Called { what, kind, at_ms } => {
            // Nobody but a program that was started for it can be at work on these.
            let told = matches!(kind, ToolKind::Shell | ToolKind::Edit);
            let runs = || {
                let pid = shared.world.terminal(one.terminal).and_then(|it| it.info().pid);
                pid.is_none_or(|pid| started_something(pid, at_ms))
            };
            // What was just answered begins in a moment.
            if fresh || (asked && !due) {
                one.again = Some(Instant::now() + ASKS);
                Standing::Works(what)
            } else if told && !runs() {
                Standing::Asks(what)
            } else {
                Standing::Works(what)
            }
        }
        _ if rests => Standing::Rests,
        Latest::Answered => Standing::Answered,
        Latest::Stopped => Standing::Stopped,
        Latest::Failed(why) => Standing::Failed(why),
    };
    shared.watch_session(agent.id, standing);
}

/// The session that a program in a terminal has: the newest of its directory since it runs, where nobody else
/// of its kind is there; otherwise the one that it was started with.
fn session_of(shared: &Shared, agent: &Agent, since_ms: u64, places: &[Place]) -> Option<Found> {
    let environment = shared.environment();
    let find = |id: &str| store::find(agent.provider, id, &environment, &Sqlite).ok().flatten();
    if shared.is_alone(agent) {
        let place = places.iter().find(|place| place.provider == agent.provider)?;
        let newest = if agent.provider == Provider::OpenCode {
            newest_opencode_in(&place.path, agent, since_ms)
        } else {
            shared.session_of(agent, since_ms).and_then(|id| find(&id))
        };
        if newest.is_some() {
            return newest;
        }
    }
    find(agent.session.as_deref()?)
}

/// Whether a program has a process below it that was started after a time. Where the system does not tell,
/// it has.
#[cfg(target_os = "linux")]
fn started_something(pid: u32, since_ms: u64) -> bool {
    // What the kernel counts in, on every system that Linux runs on.
    const TICK_MS: u64 = 10;
    let uptime = std::fs::read_to_string("/proc/uptime").ok();
    let uptime = uptime.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let Some(uptime) = uptime else { return true };
    let booted_ms = now_ms().saturating_sub((uptime * 1000.0) as u64);
    let mut left = vec![pid];
    let mut seen = 0;
    while let Some(parent) = left.pop() {
        for child in children(parent) {
            seen += 1;
            let started = maestro_pty::process::Process::find(child).map(|child| child.started);
            // Both clocks are coarse.
            if started.is_some_and(|at| booted_ms + at * TICK_MS + 1000 >= since_ms)
                || seen > PROCESSES
            {
                return true;
            }
            left.push(child);
        }
    }
    false
}

#[cfg(target_os = "linux")]
fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn started_something(_pid: u32, _since_ms: u64) -> bool {
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_started_since_is_seen() {
        let before = now_ms();
        let own = std::process::id();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("it runs");
        assert!(children(own).contains(&child.id()));
        assert!(started_something(own, before));
        assert!(!started_something(child.id(), 0), "it has started nothing");
        assert!(!started_something(own, now_ms() + 3_600_000), "not since then");
        let _ = child.kill();
        let _ = child.wait();
    }

    #[test]
    fn only_what_holds_sessions_is_read() {
        for (path, of_session) in [
            ("/x/opencode/opencode.db-wal", true),
            ("/x/opencode/opencode.db-shm", false),
            ("/x/opencode/log/opencode.log", false),
            ("/x/sessions/-p/1.jsonl", true),
        ] {
            assert_eq!(is_of_session(Path::new(path)), of_session, "{path}");
        }
    }
}
