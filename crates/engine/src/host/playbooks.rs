//! Commands about playbooks and documents.

use std::sync::Arc;

use maestro_protocol::message::{Command, Error, ErrorKind, Reply};

use super::{Shared, refuse};

/// Runs a command about playbooks or documents.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    let _ = (shared, command);
    Err(refuse(ErrorKind::Unsupported, "this host cannot do that yet"))
}
