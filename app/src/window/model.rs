//! What the host has told: the world as of the last event, and the questions the screens ask of it.

use std::collections::BTreeMap;

use maestro_core::agent::{Agent, Clipboard, State};
use maestro_core::conflict::{Collision, Collisions};
use maestro_core::conversation::Tab;
use maestro_core::group::{self, Group};
use maestro_core::notice::{self, History};
use maestro_core::queue::Queue;
use maestro_core::run::{self, Run};
use maestro_core::search::Search;
use maestro_core::session::Indexing;
use maestro_core::summon::Summon;
use maestro_core::train::Train;
use maestro_core::worktree::Stage;
use maestro_core::{AgentId, TabId, TerminalId, TrainId};
use maestro_protocol::message::{Event, TerminalInfo, World};

/// How long an ended run stays in sight.
const RECENT_MS: u64 = 10 * 60 * 1000;

/// The world as the window knows it.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// All agents, in the host's order.
    pub agents: Vec<Agent>,
    /// All terminals.
    pub terminals: BTreeMap<TerminalId, TerminalInfo>,
    /// Tabs, each agent's in the order in which they are shown.
    pub tabs: Vec<Tab>,
    /// Queues in which something waits, or that are held.
    pub queues: BTreeMap<AgentId, Queue>,
    /// How far the index of stored sessions is.
    pub indexing: Indexing,
    /// Runs, newest first.
    pub runs: Vec<Run>,
    /// Agents whose work conflicts with other work, and with which.
    pub collisions: BTreeMap<AgentId, Vec<Collision>>,
    /// Worktrees that are being made, or could not be.
    pub worktrees: Vec<maestro_core::worktree::Entry>,
    /// How the checkouts of agents stand.
    pub standings: BTreeMap<AgentId, maestro_core::worktree::Standing>,
    /// Merge trains that go, and the latest ones that went.
    pub trains: BTreeMap<TrainId, Train>,
    /// What the user was told of agents and runs.
    pub notices: History,
    /// The number of the last event.
    seq: u64,
}

/// Something in an event that a person should be told, beyond what the screens show anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A terminal's child wants attention.
    Notification { agent: Option<AgentId>, title: String, body: String },
    /// Something went wrong.
    Problem { agent: Option<AgentId>, text: String },
    /// A terminal's child wrote to the clipboard.
    Clipboard { terminal: TerminalId, text: String, policy: Clipboard },
    /// A terminal rang.
    Bell(TerminalId),
    /// A terminal's search is at another point.
    Search { terminal: TerminalId, search: Option<Search> },
    /// A terminal's child ended.
    Exited { terminal: TerminalId, exit: i32 },
    /// An agent or a run does something the user should hear of.
    Told(Box<notice::Notice>),
    /// Notices were read.
    Read(Vec<u64>),
    /// What the window is to do with itself.
    Summoned(Summon),
    /// The work of an agent began to conflict with other work.
    Collides { agent: AgentId, with: Collision },
    /// The host is about to end.
    HostStopping,
}

impl Model {
    /// Starts over from a whole world.
    pub fn replace(&mut self, world: World) {
        self.seq = world.seq;
        self.agents = world.agents;
        self.terminals = world.terminals.into_iter().map(|info| (info.id, info)).collect();
        self.tabs = world.tabs;
        self.queues = world.queues.into_iter().map(|queue| (queue.agent, queue)).collect();
        self.indexing = world.indexing;
        self.runs = world.runs;
        self.trains = world.trains.into_iter().map(|train| (train.id, train)).collect();
        self.worktrees = world.worktrees;
        self.standings = world.standings.into_iter().collect();
        self.notices = History::new(world.notices);
        self.collisions = (world.collisions.into_iter())
            .filter(|met| !met.with.is_empty())
            .map(|met| (met.agent, met.with))
            .collect();
    }

    /// Takes in an event; old ones are ignored.
    pub fn apply(&mut self, seq: u64, event: Event) -> Option<Notice> {
        if seq <= self.seq {
            return None;
        }
        self.seq = seq;
        match event {
            Event::Agent(agent) => self.put_agent(*agent),
            Event::AgentOrder(order) => {
                let place = |agent: &Agent| order.iter().position(|id| *id == agent.id);
                self.agents.sort_by_key(|agent| place(agent).unwrap_or(usize::MAX));
            }
            Event::AgentRemoved(id) => {
                self.agents.retain(|agent| agent.id != id);
                let _ = self.collisions.remove(&id);
                let _ = self.standings.remove(&id);
            }
            Event::Terminal(info) => return self.put_terminal(info),
            Event::TerminalClosed(id) => {
                let _ = self.terminals.remove(&id);
            }
            Event::Tab(tab) => self.put_tab(*tab),
            Event::TabRemoved(id) => self.tabs.retain(|tab| tab.id != id),
            Event::TabOrder(agent, order) => {
                let place = |tab: &Tab| order.iter().position(|id| *id == tab.id);
                self.tabs.sort_by_key(|tab| (tab.agent, (tab.agent == agent).then(|| place(tab))));
            }
            Event::Queue(queue) if queue.items.is_empty() && queue.held.is_none() => {
                let _ = self.queues.remove(&queue.agent);
            }
            Event::Queue(queue) => {
                let _ = self.queues.insert(queue.agent, *queue);
            }
            Event::Indexing(indexing) => self.indexing = indexing,
            Event::Run(run) => self.put_run(*run),
            Event::Notification { terminal, title, body } => {
                let agent = self.terminals.get(&terminal).and_then(|info| info.agent);
                return Some(Notice::Notification { agent, title, body });
            }
            Event::Problem { agent, text } => return Some(Notice::Problem { agent, text }),
            Event::Clipboard { terminal, text, policy } => {
                return Some(Notice::Clipboard { terminal, text, policy });
            }
            // Who shows the folder reads it again.
            Event::DocumentsChanged { .. } => {}
            Event::Bell(terminal) => return Some(Notice::Bell(terminal)),
            Event::Search { terminal, search } => return Some(Notice::Search { terminal, search }),
            Event::HostStopping => return Some(Notice::HostStopping),
            Event::Preference { .. } => {}
            Event::Collides(met) => return self.collides(met),
            // Who looks at them takes them in.
            Event::Conflicts(_) => {}
            Event::SyncHeard(_) => {}
            Event::Worktree(one) => {
                self.worktrees.retain(|known| known.path != one.path);
                let failed = match &one.stage {
                    Stage::Failed(text) => Some(text.clone()),
                    _ => None,
                };
                let agent = one.agents.first().copied();
                if one.stage != Stage::Ready {
                    self.worktrees.push(*one);
                }
                return failed.map(|text| Notice::Problem { agent, text });
            }
            Event::Standing(agent, standing) => {
                let _ = self.standings.insert(agent, *standing);
            }
            Event::Notice(notice) => {
                self.notices.put((*notice).clone());
                return Some(Notice::Told(notice));
            }
            Event::NoticesMarked { ids, read } => {
                self.notices.marked(&ids, read);
                return read.then_some(Notice::Read(ids));
            }
            Event::Summon(summon) => return Some(Notice::Summoned(summon)),
            Event::NoticesCleared => self.notices.clear(),
            Event::Train(train) => {
                let _ = self.trains.insert(train.id, *train);
            }
        }
        None
    }

    /// The number of the next event.
    #[cfg(test)]
    pub fn next_seq(&self) -> u64 {
        self.seq + 1
    }

    fn put_agent(&mut self, agent: Agent) {
        match self.agents.iter_mut().find(|known| known.id == agent.id) {
            Some(known) => *known = agent,
            None => self.agents.push(agent),
        }
    }

    fn put_tab(&mut self, tab: Tab) {
        match self.tabs.iter_mut().find(|known| known.id == tab.id) {
            Some(known) => *known = tab,
            None => self.tabs.push(tab),
        }
    }

    fn put_terminal(&mut self, info: TerminalInfo) -> Option<Notice> {
        let (id, exit) = (info.id, info.exit);
        let before = self.terminals.insert(id, info);
        let exit = exit.filter(|_| before.is_none_or(|before| before.exit.is_none()))?;
        Some(Notice::Exited { terminal: id, exit })
    }

    /// Takes in with whom an agent's work conflicts. What is new of it is worth a word, once for both sides.
    fn collides(&mut self, met: Collisions) -> Option<Notice> {
        let Collisions { agent, with } = met;
        let before = self.collisions.remove(&agent).unwrap_or_default();
        let is_known = |new: &Collision| {
            let from_there = |id: &AgentId| {
                let theirs = self.collisions.get(id).into_iter().flatten();
                theirs.into_iter().any(|met| met.agents.contains(&agent))
            };
            before.iter().any(|known| known.with == new.with) || new.agents.iter().any(from_there)
        };
        let news = with.iter().find(|new| !is_known(new)).cloned();
        if !with.is_empty() {
            let _ = self.collisions.insert(agent, with);
        }
        news.map(|with| Notice::Collides { agent, with })
    }

    fn put_run(&mut self, run: Run) {
        match self.runs.iter_mut().find(|known| known.id == run.id) {
            Some(known) => *known = run,
            None => self.runs.insert(0, run),
        }
    }

    /// An agent.
    #[must_use]
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.id == id)
    }

    /// A tab.
    #[must_use]
    pub fn tab(&self, id: TabId) -> Option<&Tab> {
        self.tabs.iter().find(|tab| tab.id == id)
    }

    /// A tab, to be changed before the host says so.
    pub fn tab_mut(&mut self, id: TabId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.id == id)
    }

    /// Takes in a tab that an answer told of before its event.
    pub fn put_tab_if_new(&mut self, tab: Tab) {
        if self.tab(tab.id).is_none() {
            self.tabs.push(tab);
        }
    }

    /// How many agents are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.agents.iter().filter(|agent| agent.attention.state == state).count()
    }

    /// The run that works in an agent's name or directory now.
    #[must_use]
    pub fn run_of(&self, agent: &Agent) -> Option<&Run> {
        self.runs.iter().find(|run| {
            is_active(run)
                && (run.spec.agent == Some(agent.id) || run.spec.directory == agent.directory)
        })
    }

    /// Runs worth a card: active ones, and those that ended a moment ago.
    pub fn runs_in_sight(&self, now_ms: u64) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| {
            is_active(run)
                || run.ended_ms.is_some_and(|ended| now_ms.saturating_sub(ended) < RECENT_MS)
        })
    }

    /// Agents by group, in the order in which they are listed.
    #[must_use]
    pub fn groups(&self) -> Vec<Group<'_>> {
        group::groups(&self.agents)
    }
}

/// Whether a run has not ended.
#[must_use]
pub fn is_active(run: &Run) -> bool {
    !matches!(run.state, run::State::Ended(_))
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    fn model() -> Model {
        let mut model = Model::default();
        model.replace(scene::world());
        model
    }

    #[test]
    fn groups_put_the_main_checkout_first_and_its_worktrees_under_it() {
        let mut model = model();
        model.agents.reverse();
        let groups = model.groups();
        let shop = groups.iter().find(|group| group.title() == "shop").expect("a group");
        assert!(!shop.agents[0].worktree);
        assert!(shop.agents[1..].iter().all(|agent| agent.worktree == shop.is_child(agent)));
    }

    #[test]
    fn an_event_counts_once() {
        let mut model = model();
        let before = model.agents.len();
        let id = model.agents[0].id;
        assert_eq!(model.apply(8, Event::AgentRemoved(id)), None);
        assert_eq!(model.agents.len(), before - 1);
        let mut other = model.agents[0].clone();
        other.id = id;
        assert_eq!(model.apply(8, Event::Agent(Box::new(other))), None);
        assert_eq!(model.agents.len(), before - 1, "an old event was applied");
    }

    #[test]
    fn a_terminal_that_ends_is_told_once() {
        let mut model = model();
        let mut info = model.terminals.values().next().expect("a terminal").clone();
        info.exit = Some(3);
        let told = Notice::Exited { terminal: info.id, exit: 3 };
        assert_eq!(model.apply(20, Event::Terminal(info.clone())), Some(told));
        assert_eq!(model.apply(21, Event::Terminal(info)), None);
    }

    #[test]
    fn a_collision_is_told_once_for_both_sides() {
        let mut model = model();
        let [one, other] = scene::collisions();
        let told = model.apply(20, Event::Collides(one.clone()));
        let with = one.with[0].clone();
        assert_eq!(told, Some(Notice::Collides { agent: one.agent, with }));
        assert_eq!(model.apply(21, Event::Collides(other.clone())), None, "the other side of it");
        // The same with other files is nothing new; with something else it is.
        let mut more = one.clone();
        more.with[0].files.truncate(1);
        assert_eq!(model.apply(22, Event::Collides(more.clone())), None);
        let mut target = more.with[0].clone();
        (target.with, target.agents, target.directory) = ("main".to_owned(), Vec::new(), None);
        more.with.push(target.clone());
        let told = model.apply(23, Event::Collides(more));
        assert_eq!(told, Some(Notice::Collides { agent: one.agent, with: target }));
        // It fits again, and collides again later.
        for (seq, id) in [(24, one.agent), (25, other.agent)] {
            let over = Collisions { agent: id, with: Vec::new() };
            assert_eq!(model.apply(seq, Event::Collides(over)), None);
        }
        assert!(model.collisions.is_empty());
        assert!(model.apply(26, Event::Collides(other)).is_some());
    }
}
