//! Merge trains, asked for by clients, and what trains need to know of the rest of the host.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};

use maestro_core::agent::{Agent, Provider};
use maestro_core::conversation::{Prompt, Tab};
use maestro_core::train::Ask;
use maestro_core::{AgentId, TabId, TrainId};
use maestro_git::{Git, Rehearsal};
use maestro_protocol::message::{Error, ErrorKind, Event, Reply};
use maestro_store::ItemState;

use super::{Shared, blocking, refuse};
use crate::queue::Later;
use crate::train::{Agents, Deps, Progress, Trains};

/// Does what a client asks about trains.
pub(super) async fn run(shared: &Arc<Shared>, ask: Ask) -> Result<Reply, Error> {
    shared.until_recovered().await;
    shared.tools().await?.trains.ask(ask).await
}

/// The trains of a host.
pub(super) fn trains(shared: &Arc<Shared>, git: Git) -> Trains {
    let weak = Arc::downgrade(shared);
    let agents = Arc::new(Hosted { shared: Weak::clone(&weak), git: git.clone() });
    let deps = Deps {
        store: shared.store.clone(),
        git,
        agents,
        events: Arc::new(move |event| {
            let Some(shared) = weak.upgrade() else { return };
            match event {
                Event::Train(train) => shared.world.set_train(*train),
                Event::Problem { agent, text } => shared.problem(agent, text),
                other => shared.world.tell(other),
            }
        }),
        home: shared.options.home.root().to_owned(),
        instance: shared.instance.clone(),
        environment: shared.environment().to_vec(),
    };
    Trains::new(deps, None)
}

/// The host's agents, as trains see them.
struct Hosted {
    shared: Weak<Shared>,
    git: Git,
}

impl Hosted {
    fn shared(&self) -> Result<Arc<Shared>, Error> {
        let stopping = || refuse(ErrorKind::Stopping, "the host is stopping");
        self.shared.upgrade().ok_or_else(stopping)
    }
}

impl Agents for Hosted {
    fn in_worktree(&self, directory: &Path) -> Option<AgentId> {
        let shared = self.shared.upgrade()?;
        let checkout = |directory: &Path| self.git.repository(directory).ok()?.checkout;
        let own = checkout(directory)?;
        let talks = |agent: &Agent| agent.provider != Provider::Shell;
        let mut agents = shared.world.agents().into_iter().filter(talks);
        agents.find(|agent| checkout(&agent.directory).as_ref() == Some(&own)).map(|agent| agent.id)
    }

    fn writer_in(&self, directory: &Path) -> Option<String> {
        let shared = self.shared.upgrade()?;
        let runs = shared.world.open_runs_near(directory);
        let in_it = runs.into_iter().find(|(_, held)| {
            crate::conversation::checkout(held) == crate::conversation::checkout(directory)
        });
        let run = in_it.map(|(run, held)| {
            format!("Run {run} is at work in {}; wait for it or stop it.", held.display())
        });
        run.or_else(|| {
            let because = shared.writer_in(directory)?;
            Some(format!("In {} {because}", directory.display()))
        })
    }

    fn say(&self, agent: AgentId, text: String, token: String) -> Later<'_, Result<TabId, String>> {
        Box::pin(async move {
            let said = async {
                let shared = self.shared()?;
                let tab = match shared.conversation_of(agent) {
                    Some(tab) => tab.id,
                    None => shared.new_tab(agent, None, None).await?.id,
                };
                let store = shared.store.clone();
                let asked = token.clone();
                // Said before a crash: it stays where it was said.
                let known = blocking(move || {
                    let item = store.item_of_token(&asked).ok().flatten()?;
                    store.item(item).ok().flatten()
                });
                if let Ok(Some(known)) = known.await {
                    return Ok(known.item.tab);
                }
                let prompt = Prompt { text, ..Prompt::default() };
                let _ = shared.queues().send(tab, prompt, token, false).await?;
                Ok(tab)
            };
            said.await.map_err(|error: Error| error.message)
        })
    }

    fn progress(&self, tab: TabId, token: &str) -> Later<'_, Progress> {
        let token = token.to_owned();
        Box::pin(async move {
            let Ok(shared) = self.shared() else { return Progress::Open };
            let Some(now) = shared.world.tab(tab) else {
                return Progress::Never("the conversation is gone".to_owned());
            };
            let store = shared.store.clone();
            let found = blocking(move || {
                let Some(id) = store.item_of_token(&token)? else { return Ok(None) };
                store.item(id)
            });
            let found: maestro_store::Result<_> = match found.await {
                Ok(found) => found,
                Err(_) => return Progress::Open,
            };
            match found {
                Err(_) => Progress::Open,
                Ok(None) => Progress::Never("it is not in the queue any more".to_owned()),
                Ok(Some(item)) => match item.state {
                    ItemState::Waiting => Progress::Open,
                    ItemState::Removed => {
                        Progress::Never("it was taken out of the queue".to_owned())
                    }
                    ItemState::Dispatched { turn } | ItemState::Done { turn } => {
                        is_over(&now, turn)
                    }
                },
            }
        })
    }

    fn begins(&self, train: TrainId, directories: &[PathBuf]) {
        let Some(shared) = self.shared.upgrade() else { return };
        for directory in directories {
            let message = format!("Before merge train {train}");
            super::trash::before(&self.git, &shared.store, directory, message);
        }
    }

    fn rehearsal(&self, repository: &Path) -> Later<'_, Result<Arc<Mutex<Rehearsal>>, Error>> {
        let repository = repository.to_owned();
        Box::pin(async move { self.shared()?.rehearsal(repository).await })
    }
}

/// Whether a turn of a tab is over. One that waits for a limit goes on by itself.
fn is_over(tab: &Tab, turn: u64) -> Progress {
    use maestro_core::conversation::TabState;

    let waits = matches!(tab.state, TabState::Limited { resumes: true, .. });
    let is_open = tab.turns < turn || (tab.turns == turn && (tab.state.is_busy() || waits));
    if is_open { Progress::Open } else { Progress::Over }
}

impl Shared {
    /// The conversation in which an agent is best told something: the one it was last talked to in.
    pub(super) fn conversation_of(&self, agent: AgentId) -> Option<Tab> {
        let tabs = self.world.tabs().into_iter();
        tabs.filter(|tab| tab.agent == agent && !tab.closed).max_by_key(|tab| tab.used_ms)
    }
}
