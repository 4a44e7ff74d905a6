//! What waits to be said, and when it is: [`crate::queue`] within the host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use maestro_core::conversation::{Prompt, Tab, TabState};
use maestro_core::queue::{Queue, after_restart};
use maestro_core::turn::Failure;
use maestro_core::{AgentId, ItemId, RunId, TabId};
use maestro_protocol::message::{Command, Error, ErrorKind, Event, Reply};
use maestro_store::{ItemState, Store};

use super::{Shared, refuse};
use crate::conversation;
use crate::queue::{Deps, Later, Over, Queues, Refused, Said, Settings, Tabs, WallClock};

/// Does what is asked for; `command` is one of those that [`super::commands`] hands to this module.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    let queues = shared.queues();
    match command {
        Command::Send { tab, prompt, token, typed } => {
            queues.send(tab, prompt, token, typed).await.map(Reply::Sent)
        }
        Command::ChangeItem { item, change } => {
            queues.change(item, change).await.map(|queue| Reply::Queue(Box::new(queue)))
        }
        Command::HoldQueue { agent, held } => {
            if shared.world.agent(agent).is_none() {
                return Err(refuse(ErrorKind::NotFound, format!("there is no agent {agent}")));
            }
            queues.hold(agent, held).await.map(|queue| Reply::Queue(Box::new(queue)))
        }
        _ => Err(refuse(ErrorKind::Unsupported, "this is no command for a queue")),
    }
}

/// What a tab whose turn failed does next: give it this state. `untouched`: nothing of the turn was done.
pub(crate) fn judge(
    shared: &Arc<Shared>,
    tab: &Tab,
    failure: &Failure,
    untouched: bool,
) -> TabState {
    shared.queues().judge(tab.id, failure, untouched)
}

/// The user stops a turn, or the waiting of a tab.
pub(crate) fn interrupted(shared: &Arc<Shared>, agent: AgentId) {
    shared.queues().interrupted(agent);
}

/// A tab that waits for a limit goes on by itself when that ends, or does not any more. Called before the
/// tab's new state can be seen.
pub(crate) fn resumes(shared: &Arc<Shared>, tab: &Tab, resumes: bool) {
    shared.queues().resumes(tab.agent, tab.id, &tab.state, resumes);
}

/// A turn of a tab is over. Called before the tab's new state can be seen.
pub(crate) fn turn_ended(shared: &Arc<Shared>, tab: &Tab, over: Over) {
    shared.queues().turn_ended(tab.agent, tab.id, over);
}

/// Something is different with the tabs of an agent, as everybody can see.
pub(crate) fn freed(shared: &Arc<Shared>, agent: AgentId) {
    shared.queues().freed(agent);
}

/// An agent was removed, with all that waited for it.
pub(crate) fn agent_removed(shared: &Arc<Shared>, agent: AgentId) {
    shared.queues().agent_removed(agent);
}

/// The tabs were read, and what a host before left was ended: what it was about to say is looked at.
pub(crate) async fn recovered(shared: &Arc<Shared>) {
    let agents: Vec<AgentId> = shared.world.agents().into_iter().map(|agent| agent.id).collect();
    if let Err(error) = shared.queues().recover(&agents).await {
        shared.problem(None, format!("What waits in queues cannot be read: {error}"));
    }
}

/// What a host before left in queues, for clients that come before it was looked at. Blocks.
pub(super) fn left(store: &Store) -> Result<Vec<Queue>, maestro_store::Error> {
    let mut queues: BTreeMap<AgentId, Queue> = BTreeMap::new();
    let limited = |tab: &Tab| matches!(tab.state, TabState::Limited { resumes: true, .. });
    let limited: BTreeSet<AgentId> =
        store.tabs()?.iter().filter(|tab| limited(tab)).map(|tab| tab.agent).collect();
    for stored in store.items()? {
        if stored.state == ItemState::Waiting {
            let agent = stored.agent;
            // As it will be decided.
            let held = after_restart(None, limited.contains(&agent), false);
            let empty = || Queue { agent, held, items: Vec::new() };
            queues.entry(agent).or_insert_with(empty).items.push(stored.item);
        }
    }
    for (agent, held) in store.holds()? {
        if let Some(queue) = queues.get_mut(&agent) {
            queue.held = Some(held);
        }
    }
    Ok(queues.into_values().collect())
}

impl Shared {
    /// What waits to be said.
    pub(crate) fn queues(self: &Arc<Self>) -> &Queues {
        self.queues.get_or_init(|| {
            let weak = Arc::downgrade(self);
            let (world, settings) = (Weak::clone(&weak), Weak::clone(&weak));
            Queues::new(Deps {
                store: self.store.clone(),
                tabs: Arc::new(Conversations { shared: weak }),
                clock: self.options.clock.clone().unwrap_or_else(|| Arc::new(WallClock)),
                events: Arc::new(move |event| {
                    let Some(shared) = world.upgrade() else { return };
                    match event {
                        Event::Queue(queue) => {
                            let agent = queue.agent;
                            if let Some(wait) = shared.world.set_queue(*queue) {
                                super::detach(async move {
                                    tokio::time::sleep(wait).await;
                                    shared.world.tell_queue(agent);
                                });
                            }
                        }
                        Event::Problem { agent, text } => shared.problem(agent, text),
                        other => shared.world.tell(other),
                    }
                }),
                settings: Arc::new(move || {
                    settings
                        .upgrade()
                        .map_or_else(Settings::default, |shared| shared.queue_settings())
                }),
            })
        })
    }

    fn queue_settings(&self) -> Settings {
        let set = self.settings.of(None);
        Settings {
            send_after_restart: set.send_after_restart,
            resume_after_limit: set.resume_after_limit,
        }
    }
}

/// The host's conversations, as queues see them.
struct Conversations {
    shared: Weak<Shared>,
}

impl Conversations {
    fn shared(&self) -> Result<Arc<Shared>, Refused> {
        self.shared.upgrade().ok_or_else(|| Refused::Busy("the host is stopping".to_owned()))
    }
}

impl Tabs for Conversations {
    fn tab(&self, tab: TabId) -> Option<Tab> {
        let shared = self.shared.upgrade()?;
        shared.tabs.tab(&shared, tab)
    }

    fn tabs_of(&self, agent: AgentId) -> Vec<Tab> {
        self.shared.upgrade().map_or_else(Vec::new, |shared| shared.tabs.tabs_of(&shared, agent))
    }

    fn run_in(&self, agent: AgentId) -> Option<RunId> {
        let shared = self.shared.upgrade()?;
        let agent = shared.world.agent(agent)?;
        conversation::run_in(&shared, &agent)
    }

    fn say(
        &self,
        tab: TabId,
        turn: u64,
        prompt: Prompt,
        item: ItemId,
    ) -> Later<'_, Result<(), Refused>> {
        Box::pin(async move {
            let shared = self.shared()?;
            // The queue's note names the turn already; another one would be looked for in vain after a crash.
            let journal = move |begins: u64| {
                if begins == turn {
                    return Ok(());
                }
                Err(refuse(ErrorKind::Busy, format!("another turn of {tab} began meanwhile")))
            };
            let said = shared.tabs.say(&shared, tab, prompt, Some(item), journal).await;
            said.map(|_| ()).map_err(refused)
        })
    }

    fn again(&self, tab: TabId) -> Later<'_, Result<(), Refused>> {
        Box::pin(async move {
            let shared = self.shared()?;
            shared.tabs.retry(&shared, tab).await.map_err(refused)
        })
    }

    fn said(&self, tab: TabId, turn: u64) -> Later<'_, Said> {
        Box::pin(async move {
            let Ok(shared) = self.shared() else { return Said::Maybe };
            match shared.tabs.has_turn(&shared, tab, turn).await {
                Ok(said) => said,
                Err(error) => {
                    tracing::warn!(%tab, turn, %error, "whether something was said is not known");
                    Said::Maybe
                }
            }
        })
    }
}

fn refused(error: Error) -> Refused {
    match error.kind {
        ErrorKind::Busy | ErrorKind::Stopping => Refused::Busy(error.message),
        _ => Refused::Failed(error.message),
    }
}
