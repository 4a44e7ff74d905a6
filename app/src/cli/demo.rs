//! `maestro demo`.

use super::args;
use super::failure::{Code, Failure, Result};
use super::output::Out;

pub fn run(_demo: args::Demo, _out: &mut Out) -> Result<()> {
    Err(Failure::new(Code::Unsupported, "the demo is not part of this build"))
}
