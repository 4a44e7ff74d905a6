//! Auto Run: works checklists off, one fresh session per task.
//!
//! [`Runs`] is what the host holds: it starts, stops and kills runs, gives them back after a crash and
//! tells what it does as events. What is decided at each step is decided by
//! [`maestro_core::run::machine`], which is pure; this module reads and writes documents, runs turns
//! and commands, keeps the journal, and holds the lease on a run's directory.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use maestro_agents::{CommandLine, TurnOptions};
use maestro_core::RunId;
use maestro_core::agent::Provider;
use maestro_core::run::{Run, Spec};
use maestro_core::turn::Failure;
use maestro_git::Git;
use maestro_protocol::message::{Error, ErrorKind, Event};
use maestro_store::Store;

/// What runs need from the host.
#[derive(Clone)]
pub struct Deps {
    /// The truth about runs, their journals and leases.
    pub store: Store,
    /// The user's git.
    pub git: Git,
    /// The user's agent programs.
    pub providers: Arc<dyn Providers>,
    /// Where what happens is told: [`Event::Run`] and [`Event::Problem`]. Must not block.
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
    /// The host's instance id: the value of `MAESTRO_HOST` in every child's environment.
    pub instance: String,
    /// The folder with the locks on directories. It has to be the same for every host of this user,
    /// whatever its home: [`locks_folder`].
    pub locks: PathBuf,
}

impl fmt::Debug for Deps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deps").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// Finds the user's agent programs. Called where blocking is allowed.
pub trait Providers: Send + Sync {
    /// Why a provider cannot be used for a run, in a sentence that says what to do.
    ///
    /// # Errors
    ///
    /// The sentence.
    fn check(&self, provider: Provider) -> Result<(), String>;

    /// The command line of one turn.
    ///
    /// # Errors
    ///
    /// When the program cannot be used that way.
    fn turn(&self, provider: Provider, options: &TurnOptions) -> Result<CommandLine, Failure>;

    /// The complete environment for `verify:` commands: that of the user's login shell.
    fn environment(&self) -> Vec<(OsString, OsString)>;
}

/// The runs of one host. A cheap handle.
#[derive(Debug, Clone)]
pub struct Runs {
    deps: Deps,
}

impl Runs {
    /// No run yet. Call [`Self::recover`] once before anything is started.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        Self { deps }
    }

    /// Starts a run, after checking that it can: its documents are there with an open task, its
    /// directory is there and free, its provider is usable.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] with the holder of the directory; [`ErrorKind::NotFound`],
    /// [`ErrorKind::Invalid`] and [`ErrorKind::Unsupported`] with what is missing.
    pub async fn start(&self, spec: Spec) -> Result<Run, Error> {
        let _ = (&self.deps, spec);
        Err(Error { kind: ErrorKind::Unsupported, message: "Auto Run is not built in yet.".into() })
    }

    /// Lets a run finish its current task, then ends it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run; one that has ended is left as it is.
    pub async fn stop(&self, run: RunId) -> Result<Run, Error> {
        self.get(run).await
    }

    /// Ends a run and its processes now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run; one that has ended is left as it is.
    pub async fn kill(&self, run: RunId) -> Result<Run, Error> {
        self.get(run).await
    }

    /// The newest runs, newest first; those that have not ended are always among them.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list(&self) -> Result<Vec<Run>, Error> {
        Ok(Vec::new())
    }

    /// One run as it is now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run.
    pub async fn get(&self, run: RunId) -> Result<Run, Error> {
        Err(Error { kind: ErrorKind::NotFound, message: format!("there is no run {run}") })
    }

    /// How many runs have not ended.
    #[must_use]
    pub fn active(&self) -> usize {
        0
    }

    /// Goes on with the runs of a host that died: ends what is left of their processes, then
    /// continues each from its journal. Gives their ids.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. A run that cannot be continued is ended with its sentence.
    pub async fn recover(&self) -> Result<Vec<RunId>, Error> {
        Ok(Vec::new())
    }

    /// Ends every process of every run, within a bound, and leaves the runs as interrupted: the next
    /// host continues them. For a host that stops.
    pub async fn suspend(&self) {}
}

/// The folder for [`Deps::locks`]: the user's runtime folder, otherwise a folder of the user's own
/// among the temporary files.
#[must_use]
pub fn locks_folder() -> PathBuf {
    std::env::temp_dir()
}
