//! The commands that need the window's code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

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

pub fn demo_agent(_args: impl Iterator<Item = OsString>) -> ExitCode {
    eprintln!("maestro: {}", not_here("the demo agent"));
    ExitCode::from(Code::Unsupported as u8)
}

fn not_here(what: &str) -> Failure {
    Failure::new(Code::Unsupported, format!("{what} is not part of this build"))
}
