//! The host itself: start, serve, stop.

use std::time::Duration;

use maestro_protocol::Home;

/// How a host runs.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Its home folder.
    pub home: Home,
    /// Whether it listens on the socket; tests connect in process.
    pub listen: bool,
    /// How long nothing may run and no client be connected before it stops; `None` for ever.
    pub idle: Option<Duration>,
}

/// Runs a host until it is told to stop, gets SIGTERM or SIGINT, or has nothing to do any more. Blocks;
/// for `maestro host`. Logging and the runtime are set up here.
pub fn run_foreground(options: HostOptions) -> Result<(), Error> {
    let _ = options;
    Err(Error::Runtime(std::io::Error::other("not yet")))
}

/// Why a host did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system has no threads or timers for it.
    #[error("the host could not set itself up: {0}")]
    Runtime(#[source] std::io::Error),
    /// The home folder is of no use, or another host has it.
    #[error(transparent)]
    Home(#[from] maestro_protocol::home::Error),
    /// The socket cannot be served.
    #[error(transparent)]
    Socket(#[from] maestro_protocol::server::Error),
    /// The database is of no use.
    #[error(transparent)]
    Store(#[from] maestro_store::Error),
}

impl HostOptions {
    /// The usual options: it listens, and stops after a minute of nothing to do.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self { home, listen: true, idle: Some(Duration::from_secs(60)) }
    }
}
