//! How the branches of a race stand.

use std::path::PathBuf;
use std::sync::Arc;

use maestro_core::race::Race;
use maestro_protocol::message::{Error, ErrorKind};

use super::{Shared, refuse};

pub(super) async fn read(
    _shared: &Arc<Shared>,
    _repository: PathBuf,
    _name: String,
    _target: Option<String>,
    _verify: Option<String>,
) -> Result<Race, Error> {
    Err(refuse(ErrorKind::Unsupported, "this host cannot do that yet"))
}
