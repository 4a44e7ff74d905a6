//! The commands that need the window's code.

use std::path::Path;

use super::args::{Screenshot, Term};
use super::failure::{Code, Failure, Result};

pub fn open(_home: Option<&Path>) -> Result<()> {
    Err(not_here("the window"))
}

pub fn term(_term: Term) -> Result<()> {
    Err(not_here("`maestro term`"))
}

pub fn screenshot(_screenshot: Screenshot) -> Result<()> {
    Err(not_here("`maestro screenshot`"))
}

fn not_here(what: &str) -> Failure {
    Failure::new(Code::Unsupported, format!("{what} is not part of this build"))
}
