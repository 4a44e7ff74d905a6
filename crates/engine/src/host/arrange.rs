//! How agents are listed: their groups, their order, their bookmarks.

use std::sync::Arc;

use maestro_core::AgentId;
use maestro_core::group::{self, Arrange};
use maestro_protocol::message::{Error, ErrorKind, Reply};

use super::commands::store_error;
use super::tools::failed;
use super::{Shared, blocking, refuse};

/// Lists agents otherwise. Nothing is changed where one of them does not exist.
pub(super) async fn run(shared: &Arc<Shared>, change: Arrange) -> Result<Reply, Error> {
    let (Arrange::Group { agents, .. } | Arrange::Bookmark { agents, .. } | Arrange::Order(agents)) =
        &change;
    let known: Vec<AgentId> = shared.world.agents().iter().map(|agent| agent.id).collect();
    if let Some(missing) = agents.iter().find(|id| !known.contains(id)) {
        return Err(refuse(ErrorKind::NotFound, format!("there is no agent {missing}")));
    }
    match change {
        Arrange::Group { agents, name } => {
            let name = name.as_deref().and_then(group::name);
            for id in agents {
                let name = name.clone();
                let _ = shared.save_agent(id, move |agent| agent.group.clone_from(&name)).await?;
            }
        }
        Arrange::Bookmark { agents, bookmarked } => {
            for id in agents {
                let _ = shared.save_agent(id, move |agent| agent.bookmarked = bookmarked).await?;
            }
        }
        Arrange::Order(order) => {
            let _saving = shared.saving.lock().await;
            let (store, kept) = (shared.store.clone(), order.clone());
            let kept = blocking(move || store.order_agents(&kept)).await;
            kept.map_err(failed)?.map_err(store_error)?;
            shared.world.order_agents(&order);
        }
    }
    Ok(Reply::Done)
}
