//! The world: what every client shows, and the events that keep it up to date.
//!
//! One lock, held for a change and the queueing of its event and never across anything that waits, so
//! that a snapshot and its sequence number always fit. Whoever changes something that must survive a
//! crash has written it to the store before.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use maestro_core::agent::{Agent, Attention, Provider};
use maestro_core::conflict::Collisions;
use maestro_core::conversation::Tab;
use maestro_core::notice::{History, Notice};
use maestro_core::queue::Queue;
use maestro_core::run::{self, Run};
use maestro_core::session::Indexing;
use maestro_core::train::Train;
use maestro_core::worktree;
use maestro_core::{AgentId, RunId, TabId, TerminalId, TrainId};
use maestro_protocol::message::{self, Event, Reply};
use maestro_terminal::Palette;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::client::Client;
use crate::session::Session;

/// Ended runs that a snapshot still shows.
const ENDED_RUNS: usize = 50;
/// Bytes of words from which on a queue is a long one.
const LONG_QUEUE: usize = 64 << 10;
/// Between two events of one long queue.
const QUEUE_APART: Duration = Duration::from_millis(250);

/// The world of one host.
#[derive(Debug, Default)]
pub(crate) struct World {
    inner: Mutex<Inner>,
    /// An agent or a run is in another state than before.
    pub(crate) turned: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    seq: u64,
    agents: Vec<Agent>,
    terminals: BTreeMap<TerminalId, Arc<Session>>,
    runs: BTreeMap<RunId, Run>,
    /// By agent in the order in which they are shown.
    tabs: Vec<Tab>,
    /// Queues in which something waits, or that are held.
    queues: BTreeMap<AgentId, Queue>,
    /// When a queue was told last, and whether the present one is still to be.
    queues_told: HashMap<AgentId, (Instant, bool)>,
    preferences: BTreeMap<String, String>,
    indexing: Indexing,
    /// Only those that meet somebody.
    collisions: BTreeMap<AgentId, Collisions>,
    trains: BTreeMap<TrainId, Train>,
    /// Those that are not ready, by their directories.
    worktrees: BTreeMap<PathBuf, worktree::Entry>,
    standings: BTreeMap<AgentId, worktree::Standing>,
    notices: History,
    followers: Vec<Arc<Client>>,
    palette: Palette,
}

impl World {
    /// A world as the store has it.
    pub(crate) fn new(
        agents: Vec<Agent>,
        runs: Vec<Run>,
        tabs: Vec<Tab>,
        preferences: Vec<(String, String)>,
        palette: Palette,
    ) -> Self {
        let runs = runs.into_iter().map(|run| (run.id, run)).collect();
        let preferences = preferences.into_iter().collect();
        Self {
            inner: Mutex::new(Inner {
                agents,
                runs,
                tabs,
                preferences,
                palette,
                ..Inner::default()
            }),
            turned: Notify::new(),
        }
    }

    /// Answers a client with the world. The answer is queued before any event that comes after it.
    pub(crate) fn answer(
        &self,
        client: &Arc<Client>,
        request: u64,
        follow: bool,
        permit: OwnedSemaphorePermit,
    ) {
        let mut inner = self.lock();
        let world = inner.snapshot();
        client.reply(request, Ok(Reply::World(Box::new(world))), Some(permit));
        if follow {
            client.follow();
            if !inner.followers.iter().any(|known| known.id == client.id) {
                inner.followers.push(Arc::clone(client));
            }
        }
    }

    /// Whether anybody hears what is told.
    pub(crate) fn is_followed(&self) -> bool {
        !self.lock().followers.is_empty()
    }

    /// A client is gone.
    pub(crate) fn forget_client(&self, client: &Client) {
        self.lock().followers.retain(|known| known.id != client.id);
    }

    /// Tells everybody something that changes nothing here.
    pub(crate) fn tell(&self, event: Event) {
        self.lock().publish(event);
    }

    /// How far the index of stored sessions is.
    pub(crate) fn set_indexing(&self, indexing: Indexing) {
        let mut inner = self.lock();
        if inner.indexing != indexing {
            inner.indexing = indexing;
            inner.publish(Event::Indexing(indexing));
        }
    }

    /// An agent by its id.
    pub(crate) fn agent(&self, id: AgentId) -> Option<Agent> {
        self.lock().agents.iter().find(|agent| agent.id == id).cloned()
    }

    /// All agents.
    pub(crate) fn agents(&self) -> Vec<Agent> {
        self.lock().agents.clone()
    }

    /// A new agent.
    pub(crate) fn add_agent(&self, agent: Agent) {
        let mut inner = self.lock();
        inner.agents.push(agent.clone());
        inner.publish(Event::Agent(Box::new(agent)));
    }

    /// Changes an agent and tells it if anything is different then.
    pub(crate) fn change_agent(
        &self,
        id: AgentId,
        change: impl FnOnce(&mut Agent),
    ) -> Option<Agent> {
        let mut inner = self.lock();
        let agent = inner.agents.iter_mut().find(|agent| agent.id == id)?;
        let before = agent.clone();
        change(agent);
        let after = agent.clone();
        if before != after {
            inner.publish(Event::Agent(Box::new(after.clone())));
        }
        drop(inner);
        if before.attention != after.attention {
            self.turned.notify_one();
        }
        Some(after)
    }

    /// Another verdict about an agent. The same one again keeps its time.
    pub(crate) fn attend(&self, id: AgentId, attention: Attention) {
        let _ = self.change_agent(id, |agent| {
            let known = &agent.attention;
            let same = (known.state, &known.because, known.source)
                == (attention.state, &attention.because, attention.source);
            if !same {
                agent.attention = attention;
            }
        });
    }

    /// With whom an agent's work conflicts; told if that is different.
    pub(crate) fn set_collisions(&self, collisions: Collisions) {
        let mut inner = self.lock();
        let known = inner.collisions.get(&collisions.agent);
        if known.map_or(&[][..], |known| &known.with) == collisions.with {
            return;
        }
        if collisions.with.is_empty() {
            let _ = inner.collisions.remove(&collisions.agent);
        } else {
            let _ = inner.collisions.insert(collisions.agent, collisions.clone());
        }
        inner.publish(Event::Collides(collisions));
    }

    /// A worktree is further; told if anything is different.
    pub(crate) fn set_worktree(&self, entry: worktree::Entry) {
        let mut inner = self.lock();
        let known = if entry.stage == worktree::Stage::Ready {
            inner.worktrees.remove(&entry.path)
        } else {
            inner.worktrees.insert(entry.path.clone(), entry.clone())
        };
        if known.as_ref() != Some(&entry) {
            inner.publish(Event::Worktree(Box::new(entry)));
        }
    }

    /// How far a worktree is that is not ready.
    pub(crate) fn worktree(&self, path: &Path) -> Option<worktree::Entry> {
        self.lock().worktrees.get(path).cloned()
    }

    /// How the checkout of an agent stands; told if that is different.
    pub(crate) fn set_standing(&self, agent: AgentId, standing: worktree::Standing) {
        let mut inner = self.lock();
        if inner.standings.get(&agent) == Some(&standing)
            || !inner.agents.iter().any(|known| known.id == agent)
        {
            return;
        }
        let _ = inner.standings.insert(agent, standing.clone());
        inner.publish(Event::Standing(agent, Box::new(standing)));
    }

    /// Agents whose work conflicts with somebody's.
    pub(crate) fn colliding(&self) -> Vec<AgentId> {
        self.lock().collisions.keys().copied().collect()
    }

    /// The trains that go.
    pub(crate) fn running_trains(&self) -> Vec<Train> {
        let inner = self.lock();
        let goes = |train: &&Train| train.state == maestro_core::train::State::Running;
        inner.trains.values().filter(goes).cloned().collect()
    }

    /// A train is new or changed.
    pub(crate) fn set_train(&self, train: Train) {
        let mut inner = self.lock();
        let _ = inner.trains.insert(train.id, train.clone());
        let ended: Vec<TrainId> =
            inner.trains.values().rev().filter(|train| !train.is_open()).map(|t| t.id).collect();
        for old in ended.into_iter().skip(ENDED_RUNS) {
            let _ = inner.trains.remove(&old);
        }
        inner.publish(Event::Train(Box::new(train)));
    }

    /// Agents are listed in this order; those that are not named come after them, as they were.
    pub(crate) fn order_agents(&self, order: &[AgentId]) {
        let mut inner = self.lock();
        let place = |agent: &Agent| order.iter().position(|id| *id == agent.id);
        inner.agents.sort_by_key(|agent| place(agent).unwrap_or(usize::MAX));
        let order = inner.agents.iter().map(|agent| agent.id).collect();
        inner.publish(Event::AgentOrder(order));
    }

    /// An agent is gone.
    pub(crate) fn remove_agent(&self, id: AgentId) {
        let mut inner = self.lock();
        let _ = inner.collisions.remove(&id);
        let _ = inner.standings.remove(&id);
        inner.agents.retain(|agent| agent.id != id);
        let (gone, tabs): (Vec<Tab>, Vec<Tab>) =
            std::mem::take(&mut inner.tabs).into_iter().partition(|tab| tab.agent == id);
        inner.tabs = tabs;
        for tab in gone {
            inner.publish(Event::TabRemoved(tab.id));
        }
        inner.publish(Event::AgentRemoved(id));
    }

    /// A terminal by its id.
    pub(crate) fn terminal(&self, id: TerminalId) -> Option<Arc<Session>> {
        self.lock().terminals.get(&id).cloned()
    }

    /// All terminals.
    pub(crate) fn terminals(&self) -> Vec<Arc<Session>> {
        self.lock().terminals.values().cloned().collect()
    }

    /// A new terminal.
    pub(crate) fn add_terminal(&self, session: &Arc<Session>) {
        let mut inner = self.lock();
        let _ = inner.terminals.insert(session.id, Arc::clone(session));
        inner.publish(Event::Terminal(session.info()));
    }

    /// A terminal is gone, from its agent, too.
    pub(crate) fn remove_terminal(&self, id: TerminalId) {
        let mut inner = self.lock();
        if inner.terminals.remove(&id).is_none() {
            return;
        }
        let holder = inner
            .agents
            .iter_mut()
            .find(|agent| agent.ai_terminal == Some(id) || agent.shell_terminal == Some(id));
        if let Some(agent) = holder {
            agent.ai_terminal = agent.ai_terminal.filter(|known| *known != id);
            agent.shell_terminal = agent.shell_terminal.filter(|known| *known != id);
            let agent = Box::new(agent.clone());
            inner.publish(Event::Agent(agent));
        }
        inner.publish(Event::TerminalClosed(id));
    }

    /// A run is new or changed.
    pub(crate) fn set_run(&self, run: Run) {
        let mut inner = self.lock();
        let _ = inner.runs.insert(run.id, run.clone());
        inner.forget_old_runs();
        inner.publish(Event::Run(Box::new(run)));
        drop(inner);
        self.turned.notify_one();
    }

    /// The runs that clients see.
    pub(crate) fn runs(&self) -> Vec<Run> {
        self.lock().runs.values().cloned().collect()
    }

    /// What the user was told of.
    pub(crate) fn notices(&self) -> History {
        self.lock().notices.clone()
    }

    /// What hosts before this one told.
    pub(crate) fn restore_notices(&self, notices: History) {
        self.lock().notices = notices;
    }

    /// A notice is new or changed.
    pub(crate) fn put_notice(&self, notice: Notice) {
        let mut inner = self.lock();
        inner.notices.put(notice.clone());
        inner.publish(Event::Notice(Box::new(notice)));
    }

    /// Notices were marked.
    pub(crate) fn mark_notices(&self, ids: Vec<u64>, read: bool) {
        let mut inner = self.lock();
        inner.notices.marked(&ids, read);
        inner.publish(Event::NoticesMarked { ids, read });
    }

    /// All notices are forgotten.
    pub(crate) fn clear_notices(&self) {
        let mut inner = self.lock();
        inner.notices.clear();
        inner.publish(Event::NoticesCleared);
    }

    /// Runs of an agent that have not ended.
    pub(crate) fn open_runs_of(&self, agent: AgentId) -> Vec<RunId> {
        let inner = self.lock();
        let open = inner.runs.values().filter(|run| {
            run.spec.agent == Some(agent) && !matches!(run.state, run::State::Ended(_))
        });
        open.map(|run| run.id).collect()
    }

    /// Runs at work in a directory, above it or below it, and where. One that waits for it does not keep
    /// anybody else out.
    pub(crate) fn open_runs_near(&self, directory: &Path) -> Vec<(RunId, PathBuf)> {
        let inner = self.lock();
        let open = inner
            .runs
            .values()
            .filter(|run| !matches!(run.state, run::State::Ended(_) | run::State::Queued { .. }));
        open.map(|run| (run.id, run.spec.directory.clone()))
            .filter(|(_, held)| held.starts_with(directory) || directory.starts_with(held))
            .collect()
    }

    /// Whether any known run of a provider worked in a directory.
    pub(crate) fn has_run_in(&self, directory: &Path, provider: Provider) -> bool {
        let inner = self.lock();
        inner
            .runs
            .values()
            .any(|run| run.spec.provider == provider && run.spec.directory == directory)
    }

    /// A tab by its id.
    pub(crate) fn tab(&self, id: TabId) -> Option<Tab> {
        self.lock().tabs.iter().find(|tab| tab.id == id).cloned()
    }

    /// All tabs, by agent in their order.
    pub(crate) fn tabs(&self) -> Vec<Tab> {
        self.lock().tabs.clone()
    }

    /// A tab is new or changed; told if anything is different. One whose agent is gone is left out.
    pub(crate) fn set_tab(&self, tab: &Tab) {
        let mut inner = self.lock();
        match inner.tabs.iter().position(|known| known.id == tab.id) {
            Some(place) if inner.tabs[place] == *tab => return,
            Some(place) => inner.tabs[place].clone_from(tab),
            None if inner.agents.iter().any(|agent| agent.id == tab.agent) => {
                let place = inner.tabs.iter().rposition(|known| known.agent == tab.agent);
                let place = place.map_or(inner.tabs.len(), |place| place + 1);
                inner.tabs.insert(place, tab.clone());
            }
            None => return,
        }
        inner.publish(Event::Tab(Box::new(tab.clone())));
    }

    /// An agent's tabs are shown in this order, which names all of them.
    pub(crate) fn order_tabs(&self, agent: AgentId, order: &[TabId]) {
        let mut inner = self.lock();
        let place = |tab: &Tab| order.iter().position(|id| *id == tab.id);
        let (mut own, others): (Vec<Tab>, Vec<Tab>) =
            std::mem::take(&mut inner.tabs).into_iter().partition(|tab| tab.agent == agent);
        own.sort_by_key(place);
        inner.tabs = others.into_iter().chain(own).collect();
        inner.publish(Event::TabOrder(agent, order.to_vec()));
    }

    /// A queue is another one than before; told if anything is different. Gives back how long to wait until
    /// [`Self::tell_queue`] where a long one was told a moment ago: all of it goes to every client.
    pub(crate) fn set_queue(&self, queue: Queue) -> Option<Duration> {
        let mut inner = self.lock();
        let agent = queue.agent;
        let empty = queue.items.is_empty() && queue.held.is_none();
        let bytes: usize = queue.items.iter().map(|item| item.prompt.text.len()).sum();
        let different = if empty {
            inner.queues.remove(&agent).is_some()
        } else {
            inner.queues.insert(agent, queue.clone()).as_ref() != Some(&queue)
        };
        if !different {
            return None;
        }
        if bytes > LONG_QUEUE
            && let Some((at, waits)) = inner.queues_told.get_mut(&agent)
        {
            if *waits {
                return None;
            }
            let rest = QUEUE_APART.saturating_sub(at.elapsed());
            if !rest.is_zero() {
                *waits = true;
                return Some(rest);
            }
        }
        inner.queue_told(queue);
        None
    }

    /// Tells a queue as it is by now, after [`Self::set_queue`] said to wait.
    pub(crate) fn tell_queue(&self, agent: AgentId) {
        let mut inner = self.lock();
        if !inner.queues_told.get(&agent).is_some_and(|(_, waits)| *waits) {
            return;
        }
        if let Some(queue) = inner.queues.get(&agent).cloned() {
            inner.queue_told(queue);
        }
    }

    /// How many runs have not ended.
    pub(crate) fn open_runs(&self) -> usize {
        let inner = self.lock();
        inner.runs.values().filter(|run| !matches!(run.state, run::State::Ended(_))).count()
    }

    /// A preference changed.
    pub(crate) fn set_preference(&self, key: String, value: Option<String>) {
        let mut inner = self.lock();
        let _ = match value.clone() {
            Some(value) => inner.preferences.insert(key.clone(), value),
            None => inner.preferences.remove(&key),
        };
        inner.publish(Event::Preference { key, value });
    }

    /// The colours of the theme.
    pub(crate) fn palette(&self) -> Palette {
        self.lock().palette
    }

    /// Other colours, for the terminals there are and those to come. Says whether they are others.
    pub(crate) fn set_palette(&self, palette: Palette) -> bool {
        let terminals: Vec<_> = {
            let mut inner = self.lock();
            if inner.palette == palette {
                return false;
            }
            inner.palette = palette;
            inner.terminals.values().cloned().collect()
        };
        for session in terminals {
            session.set_palette(palette);
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn snapshot(&self) -> message::World {
        message::World {
            seq: self.seq,
            agents: self.agents.clone(),
            terminals: self.terminals.values().map(|session| session.info()).collect(),
            tabs: self.tabs.clone(),
            queues: self.queues.values().cloned().collect(),
            indexing: self.indexing,
            runs: self.runs.values().rev().cloned().collect(),
            preferences: self.preferences.clone().into_iter().collect(),
            collisions: self.collisions.values().cloned().collect(),
            trains: self.trains.values().rev().cloned().collect(),
            worktrees: self.worktrees.values().cloned().collect(),
            standings: self.standings.clone().into_iter().collect(),
            notices: self.notices.all().to_vec(),
        }
    }

    fn publish(&mut self, event: Event) {
        self.seq += 1;
        for client in &self.followers {
            client.event(self.seq, &event);
        }
    }

    fn queue_told(&mut self, queue: Queue) {
        if queue.items.is_empty() && queue.held.is_none() {
            let _ = self.queues_told.remove(&queue.agent);
        } else {
            let _ = self.queues_told.insert(queue.agent, (Instant::now(), false));
        }
        self.publish(Event::Queue(Box::new(queue)));
    }

    fn forget_old_runs(&mut self) {
        let ended: Vec<RunId> = self
            .runs
            .values()
            .rev()
            .filter(|run| matches!(run.state, run::State::Ended(_)))
            .map(|run| run.id)
            .skip(ENDED_RUNS)
            .collect();
        for id in ended {
            let _ = self.runs.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use maestro_core::ItemId;
    use maestro_core::conversation::Prompt;
    use maestro_core::queue::{Held, Item};

    use super::*;

    #[test]
    fn a_long_queue_is_told_less_often_and_then_as_it_is() {
        let world = World::default();
        let agent = AgentId(1);
        let queue = |words: usize, held| Queue {
            agent,
            held,
            items: vec![Item {
                id: ItemId(1),
                tab: TabId(1),
                prompt: Prompt { text: "x".repeat(words), ..Prompt::default() },
                held: false,
                unsure: false,
                added_ms: 0,
            }],
        };
        let told = || world.lock().seq;
        for words in [10, 20, 30] {
            assert_eq!(world.set_queue(queue(words, None)), None);
        }
        assert_eq!(told(), 3, "a short one at once");
        // As far ahead as this machine may be slow.
        let later = Instant::now() + Duration::from_secs(60);
        let _ = world.lock().queues_told.insert(agent, (later, false));
        assert!(world.set_queue(queue(LONG_QUEUE + 1, None)).is_some());
        assert_eq!(world.set_queue(queue(LONG_QUEUE + 2, Some(Held::ByUser))), None);
        assert_eq!(told(), 3, "it waits");
        assert_eq!(world.lock().snapshot().queues[0].held, Some(Held::ByUser));
        world.tell_queue(agent);
        world.tell_queue(agent);
        assert_eq!(told(), 4, "once");
        let empty = Queue { agent, held: None, items: Vec::new() };
        assert_eq!(world.set_queue(empty), None);
        world.tell_queue(agent);
        assert_eq!(told(), 5, "that nothing waits is told at once");
    }
}
