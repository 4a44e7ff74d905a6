//! What a provider prints during a turn, as events, and what its end means.

use std::time::Duration;

use maestro_core::agent::Provider;
use maestro_core::turn::{Event, Outcome};

use crate::command::Tokens;

/// How a turn's process ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exit {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The end of what it printed on standard error.
    pub stderr: String,
    /// Who ended it.
    pub ended: Ended,
}

/// Who ended a turn's process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ended {
    /// Itself.
    #[default]
    ByItself,
    /// The user or the engine.
    Cancelled,
    /// We did: it printed nothing for this long.
    Silent(Duration),
    /// We did: it took longer than this.
    TimedOut(Duration),
    /// We did: it printed more than this many bytes.
    Flooded(u64),
}

/// Reads the stream of one turn.
#[derive(Debug)]
pub struct Parser {
    provider: Provider,
}

impl Parser {
    /// For a turn of this provider.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        Self { provider }
    }

    /// Tells what the session had consumed before this turn (see [`crate::CommandLine::before`]).
    #[must_use]
    pub fn after(self, before: Option<Tokens>) -> Self {
        let _ = before;
        self
    }

    /// One line of standard output, without its line break. Never fails: what it does not know comes
    /// back as [`Event::Raw`].
    pub fn line(&mut self, line: &str) -> Vec<Event> {
        let _ = self.provider;
        vec![Event::Raw(line.to_owned())]
    }

    /// How the turn ended.
    #[must_use]
    pub fn finish(self, exit: &Exit) -> Outcome {
        let _ = exit;
        Outcome {
            session: None,
            text: String::new(),
            usage: maestro_core::turn::Usage::default(),
            result: Ok(()),
        }
    }
}
