//! Agents that go into the trash with their worktree, and come back with it: with their conversations, what was
//! being written in them, and what waited to be said.

use std::path::Path;
use std::sync::Arc;

use maestro_core::AgentId;
use maestro_core::agent::Agent;
use maestro_core::trash::{Snapshot, Talk};
use maestro_protocol::message::{Error, TabChange};

use super::commands::store_error;
use super::tools::failed;
use super::{Shared, blocking};
use crate::conversation::Ask;

/// The conversations of agents, as they are to be found again.
pub(super) async fn talks(shared: &Arc<Shared>, agents: &[Agent]) -> Result<Vec<Talk>, Error> {
    let mut talks = Vec::new();
    for agent in agents {
        let queue = shared.queues().queue(agent.id).await;
        for tab in shared.tabs.tabs_of(shared, agent.id) {
            let (store, id) = (shared.store.clone(), tab.id);
            let draft = blocking(move || store.draft(id)).await.map_err(failed)?;
            let own = queue.items.iter().filter(|item| item.tab == id);
            let talk = Talk {
                draft: draft.map_err(store_error)?,
                waiting: own.map(|item| item.prompt.clone()).collect(),
                ..Talk::of(tab)
            };
            if !talk.is_empty() {
                talks.push(talk);
            }
        }
    }
    Ok(talks)
}

/// Brings the agents back that went with a worktree; gives their names.
pub(super) async fn bring_back(
    shared: &Arc<Shared>,
    snapshot: &Snapshot,
    now: &Path,
) -> Vec<String> {
    let mut names = Vec::new();
    for was in &snapshot.lodgers {
        let inner = was.directory.strip_prefix(&snapshot.path).unwrap_or(Path::new(""));
        // Without this, its own directory would end with a slash.
        let directory = if inner.as_os_str().is_empty() { now.into() } else { now.join(inner) };
        // One whose removal did not come to it is still there.
        let is_there = shared.world.agent(was.id).is_some();
        let back = if is_there {
            shared.save_agent(was.id, move |agent| agent.directory.clone_from(&directory)).await
        } else {
            shared.bring_back(was.clone(), directory).await
        };
        let agent = match back {
            Ok(agent) => agent,
            Err(error) => {
                shared.problem(None, error.message);
                continue;
            }
        };
        let talks = snapshot.talks.iter().filter(|talk| talk.agent == was.id && !is_there);
        for talk in talks {
            if let Err(error) = talk_again(shared, agent.id, talk).await {
                let title = talk.title.as_deref().or(talk.session.as_deref());
                let title = title.unwrap_or("without a title");
                let text = format!("The conversation {title} did not come back: {}", error.message);
                shared.problem(Some(agent.id), text);
            }
        }
        names.push(agent.name);
    }
    names
}

/// Opens a conversation again. What waited to be said waits until its user lets it go on.
async fn talk_again(shared: &Arc<Shared>, agent: AgentId, talk: &Talk) -> Result<(), Error> {
    let tab = shared.new_tab(agent, talk.session.clone(), talk.title.clone()).await?.id;
    let mut changes = vec![
        TabChange::Policy(talk.policy),
        TabChange::Model(talk.model.clone()),
        TabChange::Effort(talk.effort.clone()),
        TabChange::Starred(talk.starred),
    ];
    changes.extend(talk.closed.then_some(TabChange::Closed(true)));
    for change in changes {
        let ask = |done| Ask::Change { change, done };
        let _ = shared.tabs.ask(shared, tab, ask).await??;
    }
    if let Some(draft) = talk.draft.clone() {
        let store = shared.store.clone();
        let kept = blocking(move || store.set_draft(tab, &draft));
        kept.await.map_err(failed)?.map_err(store_error)?;
    }
    if !talk.waiting.is_empty() {
        let _ = shared.queues().hold(agent, true).await?;
    }
    for (at, prompt) in talk.waiting.iter().enumerate() {
        let token = format!("back-{tab}-{at}");
        let _ = shared.queues().send(tab, prompt.clone(), token, false).await?;
    }
    Ok(())
}
