//! What goes wrong, as one sentence and an exit code.

use std::fmt;
use std::io;

use maestro_protocol::client;
use maestro_protocol::home;
use maestro_protocol::message::{ErrorKind, Reply};

pub type Result<T> = std::result::Result<T, Failure>;

/// The exit codes that programs can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Nobody reads what we print any more.
    Pipe = 0,
    Failed = 1,
    Usage = 2,
    NoHost = 3,
    Unsupported = 4,
    TimedOut = 5,
    /// A run waits for a person.
    Paused = 6,
    /// A run was stopped or killed.
    Stopped = 7,
    /// A run was not started, for reasons that its user can do something about.
    Refused = 8,
    /// Ctrl+C ended the watching, not the run: what a shell says of a program that it ended.
    Left = 130,
}

/// A failure: what happened and what to do, for people, and a code for programs.
#[derive(Debug)]
pub struct Failure {
    pub code: Code,
    pub message: String,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Code::Failed, message)
    }

    /// Everything was said on the way; only the exit code is left to tell.
    pub fn silent() -> Self {
        Self::new(Code::Failed, String::new())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        let code = match &error {
            client::Error::NoHost(_) | client::Error::Died { .. } => Code::NoHost,
            client::Error::TimedOut(_) => Code::TimedOut,
            client::Error::Host(error) => match error.kind {
                ErrorKind::Unsupported => Code::Unsupported,
                ErrorKind::TimedOut => Code::TimedOut,
                ErrorKind::Invalid => Code::Usage,
                ErrorKind::NotFound
                | ErrorKind::Busy
                | ErrorKind::Failed
                | ErrorKind::Stopping
                | ErrorKind::Untrusted => Code::Failed,
            },
            client::Error::Start { .. } | client::Error::Home(_) | client::Error::Codec(_) => {
                Code::Failed
            }
        };
        Self::new(code, error.to_string())
    }
}

impl From<home::Error> for Failure {
    fn from(error: home::Error) -> Self {
        Self::failed(error.to_string())
    }
}

/// Errors of our own output; other input and output names its file itself.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Code::Pipe, String::new()),
            _ => Self::failed(format!("the output cannot be written: {error}")),
        }
    }
}

/// An answer to another question: a bug in one of the two programs.
pub fn unexpected(reply: &Reply) -> Failure {
    tracing::debug!(?reply, "unexpected");
    Failure::failed("the host gave an answer to another question: please report it")
}
