//! From the parse threads to the world: which terminals have news. The threads only leave a mark; a
//! task collects the news, at most four times a second for one terminal.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_core::agent::Clipboard;
use maestro_core::{AgentId, TerminalId};
use maestro_protocol::message::Event;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Shared, attention, now_ms};
use crate::session::{self, Session};

/// Between two events about one terminal.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two bells of one terminal.
const BELL: Duration = Duration::from_secs(1);
/// Problems that may wait to be told.
const PROBLEMS: usize = 64;
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
    problems: VecDeque<(Option<AgentId>, String)>,
}

impl session::Notices for Notices {
    fn changed(&self, terminal: TerminalId) {
        if self.lock().terminals.insert(terminal) {
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
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects news for as long as the host lives.
pub(crate) async fn publish(shared: Arc<Shared>) {
    let mut last: HashMap<TerminalId, Instant> = HashMap::new();
    let mut bells: HashMap<TerminalId, Instant> = HashMap::new();
    let mut told: HashMap<String, Instant> = HashMap::new();
    let mut waiting: BTreeSet<TerminalId> = BTreeSet::new();
    let stopped = shared.stopped();
    tokio::pin!(stopped);
    loop {
        let next = waiting.iter().filter_map(|id| last.get(id)).min().map(|at| *at + PAUSE);
        tokio::select! {
            () = shared.notices.added.notified() => {}
            () = &mut stopped => return,
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
        let (terminals, problems) = {
            let mut state = shared.notices.lock();
            (std::mem::take(&mut state.terminals), std::mem::take(&mut state.problems))
        };
        waiting.extend(terminals);
        let now = Instant::now();
        let (due, later) = waiting
            .iter()
            .partition(|id| last.get(id).is_none_or(|at| now.duration_since(*at) >= PAUSE));
        waiting = later;
        let due: BTreeSet<TerminalId> = due;
        for id in due {
            let Some(session) = shared.world.terminal(id) else {
                let _ = (last.remove(&id), bells.remove(&id));
                continue;
            };
            let _ = last.insert(id, now);
            tell_news(&shared, &session, &mut bells, now);
        }
        told.retain(|_, at| now.duration_since(*at) < SAME_PROBLEM);
        for (agent, text) in problems {
            if told.insert(text.clone(), now).is_none() {
                tracing::warn!(?agent, text, "a problem");
                shared.world.tell(Event::Problem { agent, text });
            }
        }
    }
}

fn tell_news(
    shared: &Arc<Shared>,
    session: &Arc<Session>,
    bells: &mut HashMap<TerminalId, Instant>,
    now: Instant,
) {
    let terminal = session.id;
    let agent = session.agent.filter(|_| session.ai).and_then(|id| shared.world.agent(id));
    if agent.as_ref().is_some_and(|agent| agent.ai_terminal.is_none_or(|known| known < terminal)) {
        // It was started a moment ago and the agent does not have it yet: kept until it has.
        return;
    }
    let mut news = session.take_news();
    if let Some(agent) = agent.filter(|agent| agent.ai_terminal == Some(terminal)) {
        if let Some(verdict) = attention::from_terminal(&agent, &news, now_ms()) {
            shared.world.attend(agent.id, verdict);
        }
        if news.exit.is_some() {
            shared.look_for_session_later(agent.id);
        }
    }
    if news.info {
        shared.world.tell(Event::Terminal(session.info()));
    }
    for (title, body) in news.notifications.drain(..) {
        shared.world.tell(Event::Notification { terminal, title, body });
    }
    if let Some(text) = news.clipboard {
        shared.world.tell(Event::Clipboard { terminal, text, policy: Clipboard::Focused });
    }
    let may_ring = bells.get(&terminal).is_none_or(|at| now.duration_since(*at) >= BELL);
    if news.bell && may_ring {
        let _ = bells.insert(terminal, now);
        shared.world.tell(Event::Bell(terminal));
    }
}
