//! From the parse threads to the world: which terminals have news. The threads only leave a mark; a
//! task collects the news, at most four times a second for one terminal.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_agents::store::tells_ends;
use maestro_core::agent::{Clipboard, Provider, State as Attention};
use maestro_core::{AgentId, TerminalId};
use maestro_protocol::message::Event;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Shared;
use crate::session::{self, Session};

/// Between two events about one terminal.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two bells of one terminal.
const BELL: Duration = Duration::from_secs(1);
/// Notifications of one terminal: at once, and then a second.
const NOTES: (u32, f64) = (4, 1.0);
/// Notifications, bells and texts for the clipboard of all terminals together, of each: at once, and
/// then a second. Fifty programs that ring at the same time are heard as well by these.
const ALL: (u32, f64) = (30, 10.0);
/// Problems that may wait to be told.
const PROBLEMS: usize = 64;
/// For so long a problem is kept for somebody who hears it: what went wrong at the host's start happened
/// before any client was there.
const UNHEARD: Duration = Duration::from_secs(600);
/// For so long the same problem is not told again.
const SAME_PROBLEM: Duration = Duration::from_secs(5);

/// What the parse threads leave behind.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    state: Mutex<State>,
    added: Notify,
}

#[derive(Debug, Default)]
struct State {
    terminals: BTreeSet<TerminalId>,
    searches: BTreeSet<TerminalId>,
    problems: VecDeque<(Option<AgentId>, String)>,
}

impl session::Notices for Notices {
    fn changed(&self, terminal: TerminalId) {
        if self.lock().terminals.insert(terminal) {
            self.added.notify_one();
        }
    }

    fn searched(&self, terminal: TerminalId) {
        if self.lock().searches.insert(terminal) {
            self.added.notify_one();
        }
    }

    fn problem(&self, agent: Option<AgentId>, text: String) {
        let mut state = self.lock();
        if state.problems.len() < PROBLEMS
            && !state.problems.iter().any(|(_, known)| *known == text)
        {
            state.problems.push_back((agent, text));
            drop(state);
            self.added.notify_one();
        }
    }
}

impl Notices {
    /// Somebody begins to listen.
    pub(crate) fn heard(&self) {
        self.added.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bound on how often something is told: so many at once, and then so many a second.
#[derive(Debug)]
struct Bucket {
    most: f64,
    a_second: f64,
    left: f64,
    since: Instant,
}

impl Bucket {
    fn new((most, a_second): (u32, f64), now: Instant) -> Self {
        let most = f64::from(most);
        Self { most, a_second, left: most, since: now }
    }

    /// Whether one more may be told now.
    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
        self.left = (self.left + passed * self.a_second).min(self.most);
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

/// What bounds how much terminals may tell.
struct Limits {
    notes: HashMap<TerminalId, Bucket>,
    bells: HashMap<TerminalId, Instant>,
    all_notes: Bucket,
    all_bells: Bucket,
    all_texts: Bucket,
}

impl Limits {
    fn new(now: Instant) -> Self {
        let all = || Bucket::new(ALL, now);
        Self {
            notes: HashMap::new(),
            bells: HashMap::new(),
            all_notes: all(),
            all_bells: all(),
            all_texts: all(),
        }
    }

    fn may_note(&mut self, terminal: TerminalId, now: Instant) -> bool {
        let own = self.notes.entry(terminal).or_insert_with(|| Bucket::new(NOTES, now));
        own.take(now) && self.all_notes.take(now)
    }

    fn may_ring(&mut self, terminal: TerminalId, now: Instant) -> bool {
        let rested = self.bells.get(&terminal).is_none_or(|at| now.duration_since(*at) >= BELL);
        let may = rested && self.all_bells.take(now);
        if may {
            let _ = self.bells.insert(terminal, now);
        }
        may
    }

    fn forget(&mut self, terminal: TerminalId) {
        let _ = (self.notes.remove(&terminal), self.bells.remove(&terminal));
    }
}

/// Collects news for as long as the host lives.
pub(crate) async fn publish(shared: Arc<Shared>) {
    let mut last: HashMap<TerminalId, Instant> = HashMap::new();
    let mut limits = Limits::new(Instant::now());
    let mut told: HashMap<String, Instant> = HashMap::new();
    let mut waiting: BTreeSet<TerminalId> = BTreeSet::new();
    let mut unheard: VecDeque<(Instant, Option<AgentId>, String)> = VecDeque::new();
    let stopped = shared.stopped();
    tokio::pin!(stopped);
    loop {
        let next = waiting.iter().filter_map(|id| last.get(id)).min().map(|at| *at + PAUSE);
        tokio::select! {
            () = shared.notices.added.notified() => {}
            () = &mut stopped => return,
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
        let State { terminals, searches, problems } = std::mem::take(&mut *shared.notices.lock());
        waiting.extend(terminals);
        let now = Instant::now();
        for terminal in searches {
            if let Some(session) = shared.world.terminal(terminal) {
                let search = session.search_state();
                shared.world.tell(Event::Search { terminal, search });
            }
        }
        let (due, later) = waiting
            .iter()
            .partition(|id| last.get(id).is_none_or(|at| now.duration_since(*at) >= PAUSE));
        waiting = later;
        let due: BTreeSet<TerminalId> = due;
        for id in due {
            let Some(session) = shared.world.terminal(id) else {
                let _ = last.remove(&id);
                limits.forget(id);
                continue;
            };
            let _ = last.insert(id, now);
            tell_news(&shared, &session, &mut limits, now);
        }
        told.retain(|_, at| now.duration_since(*at) < SAME_PROBLEM);
        for (agent, text) in problems {
            if told.insert(text.clone(), now).is_none() {
                tracing::warn!(?agent, text, "a problem");
                if unheard.len() >= PROBLEMS {
                    let _ = unheard.pop_front();
                }
                unheard.push_back((now, agent, text));
            }
        }
        unheard.retain(|(at, _, _)| now.duration_since(*at) < UNHEARD);
        if shared.world.is_followed() {
            for (_, agent, text) in unheard.drain(..) {
                shared.world.tell(Event::Problem { agent, text });
            }
        }
    }
}

fn tell_news(shared: &Arc<Shared>, session: &Arc<Session>, limits: &mut Limits, now: Instant) {
    let terminal = session.id;
    let owner = session.agent.and_then(|id| shared.world.agent(id));
    let policy = owner.as_ref().map(|agent| agent.clipboard).unwrap_or_default();
    let agent = owner.filter(|_| session.ai);
    if agent.as_ref().is_some_and(|agent| agent.ai_terminal.is_none_or(|known| known < terminal)) {
        // It was started a moment ago and the agent does not have it yet: kept until it has.
        return;
    }
    let mut news = session.take_news();
    if let Some(agent) = agent.filter(|agent| agent.ai_terminal == Some(terminal)) {
        let id = agent.id;
        let told = news.title.is_some() && agent.provider == Provider::Claude;
        let answers = news.typed
            && tells_ends(agent.provider)
            && agent.attention.state == Attention::NeedsYou;
        shared.watch_terminal(agent, &news);
        if answers {
            shared.follow.look(shared);
        }
        if told {
            shared.look_at_transcript(id);
        }
        if news.exit.is_some() {
            shared.look_for_session_later(id);
            shared.terminal_ended(terminal);
        }
    }
    if news.info {
        shared.world.tell(Event::Terminal(session.info()));
    }
    for (title, body) in news.notifications.drain(..) {
        if limits.may_note(terminal, now) {
            shared.world.tell(Event::Notification { terminal, title, body });
        }
    }
    if let Some(text) = news.clipboard
        && policy != Clipboard::Deny
        && limits.all_texts.take(now)
    {
        shared.world.tell(Event::Clipboard { terminal, text, policy });
    }
    if news.bell && limits.may_ring(terminal, now) {
        shared.world.tell(Event::Bell(terminal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_what_it_has_and_fills_with_time() {
        let begin = Instant::now();
        let mut bucket = Bucket::new((3, 2.0), begin);
        let taken = (0..10).filter(|_| bucket.take(begin)).count();
        assert_eq!(taken, 3);
        assert!(!bucket.take(begin + Duration::from_millis(400)));
        assert!(bucket.take(begin + Duration::from_millis(500)));
        let later = begin + Duration::from_secs(3600);
        let taken = (0..10).filter(|_| bucket.take(later)).count();
        assert_eq!(taken, 3, "it holds no more than at the beginning");
    }

    #[test]
    fn one_terminal_cannot_use_up_what_all_may_tell() {
        let now = Instant::now();
        let mut limits = Limits::new(now);
        let loud = (0..100).filter(|_| limits.may_note(TerminalId(1), now)).count();
        assert_eq!(loud, 4);
        assert!(limits.may_note(TerminalId(2), now));
        let all = (3..200).filter(|id| limits.may_note(TerminalId(*id), now)).count();
        assert_eq!(all, 25);
        assert!(limits.may_ring(TerminalId(1), now) && !limits.may_ring(TerminalId(1), now));
        let rung = (2..200).filter(|id| limits.may_ring(TerminalId(*id), now)).count();
        assert_eq!(rung, 29);
        limits.forget(TerminalId(1));
        assert!(limits.notes.len() < 200 && !limits.bells.contains_key(&TerminalId(1)));
    }
}
