//! What waits to be said, and when it is: [`crate::queue`] within the host.

#![allow(dead_code, reason = "conversations call it")]

use std::sync::Arc;

use maestro_core::AgentId;
use maestro_core::conversation::{Tab, TabState};
use maestro_core::turn::Failure;
use maestro_protocol::message::{Command, Error, ErrorKind, Reply};

use super::Shared;
use super::refuse;
use crate::queue::Over;

/// Does what is asked for; `command` is one of those that [`super::commands`] hands to this module.
pub(super) async fn run(_shared: &Arc<Shared>, _command: Command) -> Result<Reply, Error> {
    Err(refuse(ErrorKind::Unsupported, "this host cannot do that yet"))
}

/// What a tab whose turn failed does next: give it this state. `untouched`: nothing of the turn was done.
pub(crate) fn judge(
    _shared: &Arc<Shared>,
    _tab: &Tab,
    failure: &Failure,
    _untouched: bool,
) -> TabState {
    TabState::Failed(failure.clone())
}

/// The user stops a turn, or the waiting of a tab.
pub(crate) fn interrupted(_shared: &Arc<Shared>, _agent: AgentId) {}

/// A turn of a tab is over. Called before the tab's new state can be seen.
pub(crate) fn turn_ended(_shared: &Arc<Shared>, _tab: &Tab, _over: Over) {}

/// Something is different with the tabs of an agent, as everybody can see.
pub(crate) fn freed(_shared: &Arc<Shared>, _agent: AgentId) {}

/// An agent was removed, with all that waited for it.
pub(crate) fn agent_removed(_shared: &Arc<Shared>, _agent: AgentId) {}

/// The tabs were read, and what a host before left was ended: what it was about to say is looked at.
pub(crate) async fn recovered(_shared: &Arc<Shared>) {}
