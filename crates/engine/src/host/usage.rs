//! What turns consumed.

use std::sync::Arc;

use maestro_core::conversation::Tab;
use maestro_core::turn::Usage;
use maestro_protocol::message::{Command, Error, ErrorKind, Reply};

use super::Shared;
use super::refuse;

/// Does what is asked for; `command` is one of those that [`super::commands`] hands to this module.
pub(super) async fn run(_shared: &Arc<Shared>, _command: Command) -> Result<Reply, Error> {
    Err(refuse(ErrorKind::Unsupported, "this host cannot do that yet"))
}

/// Notes what the last turn of a tab consumed, that turn alone. Does not wait.
#[allow(dead_code, reason = "conversations call it")]
pub(crate) fn turn_ended(_shared: &Arc<Shared>, _tab: &Tab, _usage: &Usage, _model: Option<&str>) {}
