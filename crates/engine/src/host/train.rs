//! Merge trains, asked for by clients.

use std::sync::Arc;

use maestro_core::train::Ask;
use maestro_protocol::message::{Error, ErrorKind, Reply};

use super::{Shared, refuse};

pub(super) async fn run(_shared: &Arc<Shared>, _ask: Ask) -> Result<Reply, Error> {
    Err(refuse(ErrorKind::Unsupported, "this host cannot do that yet"))
}
