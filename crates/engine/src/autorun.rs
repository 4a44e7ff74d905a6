//! Auto Run: works checklists off, one fresh session per task.
//!
//! [`Runs`] is what the host holds: it starts, stops and kills runs, gives them back after a crash and
//! tells what it does as events. What is decided at each step is decided by
//! [`maestro_core::run::machine`], which is pure; this module reads and writes documents, runs turns
//! and commands, keeps the journal, and holds the lease on a run's directory.

mod actor;
mod asked;
mod awake;
mod closing;
pub(crate) mod command;
mod documents;
mod evidence;
mod heard;
mod lock;
mod pull_request;
pub mod report;
mod repository;
mod slots;
mod start;
mod waiting;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_agents::{CommandLine, TurnOptions};
use maestro_core::agent::Provider;
use maestro_core::run::journal::Entry;
use maestro_core::run::machine::{Effect, Input, Machine, Policy};
use maestro_core::run::{Ending, Pause, Run, Spec, State};
use maestro_core::turn::Failure;
use maestro_core::{AgentId, RunId};
use maestro_git::Git;
use maestro_protocol::message::{Error, ErrorKind, Event};
use maestro_pty::process::Process;
use maestro_pty::{Grace, Marker};
use maestro_store::{Lease, Store};
use tokio::sync::{Notify, mpsc, oneshot};

pub(crate) use self::documents::read as read_document;
pub use self::lock::locks_folder;

use self::actor::{Actor, End, Order, Ordered, now_ms};
use self::awake::Awake;
use self::heard::Hub;
use self::lock::{DirectoryLock, Refused, Wanted};
use self::slots::Slots;
use self::start::check_options;
use self::waiting::Waiting;
use crate::playbooks::{self, Trust};
use crate::queue::{Clock, WallClock};

/// Documents of one run. More is a mistake, and every turn would read them all.
const MAX_DOCUMENTS: usize = 64;
/// Sessions of one provider that runs have at work at the same time, unless the user says otherwise.
pub const SESSIONS: usize = 4;
/// How long runs that are over are kept, unless the user says otherwise: days.
pub const DAYS: u64 = 90;
/// Runs that [`Runs::list`] gives.
const LISTED: u32 = 100;
/// Orders that may wait for a run. It answers within moments; a flood of orders says nothing new.
const ORDERS: usize = 16;
/// How long [`Runs::stop`] and [`Runs::kill`] wait until the order is in the journal.
const ORDER: Duration = Duration::from_secs(5);
/// How long [`Runs::suspend`] waits for runs to end their processes.
const SUSPEND: Duration = Duration::from_millis(3500);
/// How long what a dead host left running has between one signal and the next.
const ORPHANS: Grace =
    Grace { hangup: Duration::from_millis(500), terminate: Duration::from_millis(1000) };

/// Asked before each effect of a run; `true` ends its actor there, as the death of the host would. For
/// tests of recovery.
pub type Hook = Arc<dyn Fn(&Effect) -> bool + Send + Sync>;

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

    /// The user's agents, by which a task can be done: (name, id, provider).
    fn agents(&self) -> Vec<(String, AgentId, Provider)> {
        Vec::new()
    }

    /// The variables of what is started in a directory.
    fn variables(&self, directory: &Path) -> Vec<(String, String)> {
        let _ = directory;
        Vec::new()
    }

    /// Who writes in a directory, its own checkout's other folders included, without being a run: in a
    /// sentence.
    fn writer_in(&self, directory: &Path) -> Option<String> {
        let _ = directory;
        None
    }

    /// A run is about to begin in a directory, which nobody else writes in.
    fn begins(&self, git: &Git, run: RunId, directory: &Path) {
        let _ = (git, run, directory);
    }

    /// How many sessions of one provider runs may have at work at the same time.
    fn most_sessions(&self) -> usize {
        SESSIONS
    }

    /// How long runs that are over are kept: days.
    fn days_kept(&self) -> u64 {
        DAYS
    }
}

/// The runs of one host. A cheap handle.
#[derive(Clone)]
pub struct Runs {
    inner: Arc<Inner>,
}

struct Inner {
    deps: Deps,
    policy: Policy,
    hook: Option<Hook>,
    /// The runs at work.
    active: Mutex<HashMap<RunId, Handle>>,
    /// Told when one of them is at work no more.
    finished: Notify,
    /// Held while a run is checked and written down, so that two cannot begin with one document.
    starting: Mutex<()>,
    /// What the user has agreed to.
    trust: Trust,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
    slots: Arc<Slots>,
    awake: Arc<Awake>,
    waiting: Waiting,
}

/// A run at work.
struct Handle {
    orders: mpsc::Sender<Ordered>,
    view: Arc<Mutex<Run>>,
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").field("active", &self.active()).finish_non_exhaustive()
    }
}

impl Runs {
    /// No run yet. Call [`Self::recover`] once before anything is started.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        Self::with(deps, Policy::default(), None)
    }

    /// The same with numbers and words of one's own, and a test's hook.
    #[must_use]
    pub fn with(deps: Deps, policy: Policy, hook: Option<Hook>) -> Self {
        Self::with_clock(deps, policy, hook, Arc::new(WallClock))
    }

    /// The same by a clock of one's own. How long turns and commands may take is measured by the machine's
    /// all the same.
    #[must_use]
    pub fn with_clock(
        deps: Deps,
        policy: Policy,
        hook: Option<Hook>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let trust = Trust::new(deps.store.clone());
        Self {
            inner: Arc::new(Inner {
                trust,
                clock,
                hub: Arc::default(),
                slots: Arc::default(),
                awake: Arc::default(),
                deps,
                policy,
                hook,
                active: Mutex::default(),
                finished: Notify::new(),
                starting: Mutex::default(),
                waiting: Waiting::default(),
            }),
        }
    }

    /// What the user has agreed to that runs may do.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.inner.trust
    }

    /// Starts a run, after checking that it can: its documents are there with an open task, its
    /// directory is there and free, its provider is usable.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] with the holder of the directory; [`ErrorKind::NotFound`],
    /// [`ErrorKind::Invalid`] and [`ErrorKind::Unsupported`] with what is missing.
    pub async fn start(&self, spec: Spec) -> Result<Run, Error> {
        let inner = Arc::clone(&self.inner);
        let (run, lock) = blocking(move || inner.prepare(spec)).await?;
        let machine = Machine::new(run.clone(), self.inner.policy.clone());
        (self.inner.deps.events)(Event::Run(Box::new(run.clone())));
        self.spawn(machine, lock, None, None);
        Ok(run)
    }

    /// Lets a run finish its current task, then ends it. When this comes back the order is in the journal:
    /// another host would obey it, too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run; one that has ended is left as it is.
    pub async fn stop(&self, run: RunId) -> Result<Run, Error> {
        match self.end_waiting(run, Ending::Stopped).await {
            Some(ended) => ended,
            None => self.order(run, Input::Stop).await,
        }
    }

    /// Ends a run and its processes now. When this comes back the order is in the journal.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run; one that has ended is left as it is.
    pub async fn kill(&self, run: RunId) -> Result<Run, Error> {
        match self.end_waiting(run, Ending::Killed).await {
            Some(ended) => ended,
            None if self.is_left(run).await => self.kill_left(run).await,
            None => self.order(run, Input::Kill).await,
        }
    }

    /// Whether a run is one that only a newer Maestro can go on with.
    async fn is_left(&self, run: RunId) -> bool {
        let is_active = self.inner.active().contains_key(&run);
        let known = if is_active { None } else { self.get(run).await.ok() };
        known.is_some_and(|run| matches!(run.state, State::Paused(Pause::Needed(_))))
    }

    async fn kill_left(&self, run: RunId) -> Result<Run, Error> {
        let mut run = self.get(run).await?;
        run.state = State::Ended(Ending::Killed);
        run.ended_ms = Some(now_ms());
        let (inner, saved) = (Arc::clone(&self.inner), run.clone());
        blocking(move || inner.close(&saved)).await?;
        Ok(run)
    }

    /// The newest runs, newest first; those that have not ended are always among them.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn list(&self) -> Result<Vec<Run>, Error> {
        let store = self.inner.deps.store.clone();
        let mut runs = blocking(move || store.runs(LISTED).map_err(stored)).await?;
        let mut views: HashMap<RunId, Run> =
            self.inner.active().iter().map(|(id, handle)| (*id, view(&handle.view))).collect();
        for run in &mut runs {
            if let Some(view) = views.remove(&run.id) {
                *run = view;
            }
        }
        runs.extend(views.into_values());
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        Ok(runs)
    }

    /// The next older runs, newest first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn older(&self, before: RunId) -> Result<Vec<Run>, Error> {
        let store = self.inner.deps.store.clone();
        blocking(move || store.runs_before(before, LISTED).map_err(stored)).await
    }

    /// One run as it is now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such run.
    pub async fn get(&self, run: RunId) -> Result<Run, Error> {
        if let Some(handle) = self.inner.active().get(&run) {
            return Ok(view(&handle.view));
        }
        let store = self.inner.deps.store.clone();
        let found = blocking(move || store.run(run).map_err(stored)).await?;
        found.ok_or_else(|| {
            error(ErrorKind::NotFound, format!("There is no run {run}; see `maestro run list`."))
        })
    }

    /// How many runs have not ended.
    #[must_use]
    pub fn active(&self) -> usize {
        self.inner.active().len()
    }

    /// Goes on with the runs of a host that died: ends what is left of their processes, then
    /// continues each from its journal. Gives their ids.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. A run that cannot be continued is ended with its sentence.
    pub async fn recover(&self) -> Result<Vec<RunId>, Error> {
        let store = self.inner.deps.store.clone();
        let runs = blocking(move || store.open_runs().map_err(stored)).await?;
        let mut recovered = Vec::new();
        // Those that were at work have their directories before anybody who waits for one.
        let is_queued = |run: &Run| matches!(run.state, State::Queued { .. });
        let (queued, begun): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(is_queued);
        for run in begun {
            let id = run.id;
            if self.inner.active().contains_key(&id) {
                continue;
            }
            let inner = Arc::clone(&self.inner);
            let mut failed = run.clone();
            match blocking(move || inner.reopen(run)).await {
                Ok((machine, lock, host)) => {
                    self.spawn(machine, lock, Some(host), None);
                    recovered.push(id);
                }
                // Nothing of it is lost: who knows its journal goes on with it.
                Err(because) if because.kind == ErrorKind::Unsupported => {
                    tracing::warn!(run = %id, %because, "a run is left to a newer Maestro");
                    failed.state = State::Paused(Pause::Needed(because.message));
                    let store = self.inner.deps.store.clone();
                    let saved = failed.clone();
                    blocking(move || store.put_run(&saved).map_err(stored)).await?;
                    (self.inner.deps.events)(Event::Run(Box::new(failed)));
                }
                Err(because) => {
                    tracing::warn!(run = %id, %because, "a run cannot be continued");
                    failed.state = State::Ended(Ending::Failed(because.message));
                    failed.ended_ms = Some(now_ms());
                    let inner = Arc::clone(&self.inner);
                    blocking(move || inner.close(&failed)).await?;
                }
            }
        }
        for run in queued {
            recovered.push(run.id);
            self.wait_again(run).await;
        }
        Ok(recovered)
    }

    /// Ends every process of every run, within a bound, and leaves the runs as interrupted: the next
    /// host continues them. For a host that stops.
    pub async fn suspend(&self) {
        // Nobody who waited begins in a directory that is given back now.
        let _ = tokio::time::timeout(SUSPEND, self.inner.waiting.close()).await;
        let orders: Vec<mpsc::Sender<Ordered>> =
            self.inner.active().values().map(|handle| handle.orders.clone()).collect();
        for orders in &orders {
            let _ = orders.try_send((Order::Suspend, oneshot::channel().0));
        }
        let _ = tokio::time::timeout(SUSPEND, self.inner.idle()).await;
    }

    async fn order(&self, run: RunId, input: Input) -> Result<Run, Error> {
        let orders = self.inner.active().get(&run).map(|handle| handle.orders.clone());
        if let Some(orders) = orders {
            let (heard, journaled) = oneshot::channel();
            let order = async {
                // A closed queue belongs to a run that has just ended.
                if orders.send((Order::Tell(input), heard)).await.is_ok() {
                    let _ = journaled.await;
                }
            };
            // A run whose journal cannot be written answers when it can; its state says so.
            let _ = tokio::time::timeout(ORDER, order).await;
        }
        self.get(run).await
    }

    /// Puts a run to work. `orphans_of`: the dead host whose processes of this run are ended first.
    /// `amend`: what is done to a run that has ended, instead of going on with it.
    fn spawn(
        &self,
        machine: Machine,
        lock: DirectoryLock,
        orphans_of: Option<String>,
        amend: Option<Input>,
    ) {
        let id = machine.run().id;
        let (orders, inbox) = mpsc::channel(ORDERS);
        let view = Arc::new(Mutex::new(machine.run().clone()));
        let _ = self.inner.active().insert(id, Handle { orders, view: Arc::clone(&view) });
        let actor = Actor {
            deps: self.inner.deps.clone(),
            machine,
            orders: inbox,
            view: Arc::clone(&view),
            hook: self.inner.hook.clone(),
            clock: Arc::clone(&self.inner.clock),
            hub: Arc::clone(&self.inner.hub),
            slots: Arc::clone(&self.inner.slots),
            awake: Arc::clone(&self.inner.awake),
            amending: amend.is_some(),
            first: amend.unwrap_or(Input::Begin),
            held_up: None,
            names: Arc::default(),
            saved_ms: 0,
            seen: Arc::default(),
            looked: None,
            kept: HashMap::new(),
            _lock: lock,
        };
        let inner = Arc::clone(&self.inner);
        drop(tokio::spawn(async move {
            if let Some(host) = orphans_of {
                let marker = Marker::new(actor::marks(&host, id));
                let _ = tokio::task::spawn_blocking(move || marker.end(ORPHANS)).await;
            }
            // In a task of its own, so that its panic ends this run and nothing else.
            let end = tokio::spawn(actor.live()).await;
            inner.finish(id, &view, end).await;
        }));
    }
}

impl Inner {
    fn active(&self) -> MutexGuard<'_, HashMap<RunId, Handle>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, run: RunId) {
        let _ = self.active().remove(&run);
        self.finished.notify_waiters();
    }

    /// Waits until no run is at work.
    async fn idle(&self) {
        loop {
            let finished = self.finished.notified();
            tokio::pin!(finished);
            // Before looking, so that what happens in between is not missed.
            let _ = finished.as_mut().enable();
            if self.active().is_empty() {
                return;
            }
            finished.await;
        }
    }

    /// Checks what a run needs, takes its directory, and writes it down. Blocks.
    fn prepare(&self, spec: Spec) -> Result<(Run, DirectoryLock), Error> {
        self.prepare_as(None, spec)
    }

    /// Checks what can be checked without the directory. Gives what was asked for in the words that hold,
    /// and the open and done tasks. Blocks.
    fn check(&self, mut spec: Spec) -> Result<(Spec, u32, u32), Error> {
        spec.directory = directory(&spec.directory)?;
        check_options(&spec)?;
        spec.documents = documents_of(&spec.documents)?;
        let (open, done) = count(&spec.documents)?;
        if open == 0 {
            let text = match done {
                0 => {
                    "There is no task in the checklist; write one as `- [ ] what to do`.".to_owned()
                }
                _ => format!("There is nothing to do: all {done} tasks are ticked."),
            };
            return Err(error(ErrorKind::Invalid, text));
        }
        if spec.provider == Provider::Shell {
            let text = "A shell cannot do tasks; choose an agent.".to_owned();
            return Err(error(ErrorKind::Invalid, text));
        }
        self.deps
            .providers
            .check(spec.provider)
            .map_err(|because| error(ErrorKind::Unsupported, because))?;
        let commands = playbooks::commands_of(&spec)?;
        let agreed = self.trust.admit(&commands, spec.options.trusted.as_deref())?;
        spec.options.trusted = Some(agreed);
        spec.attempts = spec.attempts.max(1);
        Ok((spec, open, done))
    }

    fn starting(&self) -> MutexGuard<'_, ()> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Self::prepare`] for a run that is known already, or a new one.
    fn prepare_as(&self, id: Option<RunId>, spec: Spec) -> Result<(Run, DirectoryLock), Error> {
        let (mut spec, open, done) = self.check(spec)?;
        let _alone = self.starting();
        self.refuse_shared(&spec.documents)?;
        let id = match id {
            Some(id) => id,
            None => self.deps.store.next_run_id().map_err(stored)?,
        };
        // Before its changes are looked at: whoever has the directory is changing it.
        let held = match spec.options.worktree {
            None => Some(self.take(&spec.directory, id)?),
            Some(_) => None,
        };
        let place = self.place(&mut spec, id)?;
        let lock = match held {
            Some(lock) => lock,
            None => self.take(&spec.directory, id)?,
        };
        for document in &spec.documents {
            documents::check_writable(document, id)
                .map_err(|because| error(ErrorKind::Invalid, because))?;
        }
        self.deps.providers.begins(&self.deps.git, id, &spec.directory);
        let mut run = Run::new(id, spec, self.clock.now_ms(), open, done);
        run.worktree = place;
        self.begin(&run)?;
        Ok((run, lock))
    }

    /// Refuses documents that another run works through: each of the two would take the boxes that the
    /// other ticks for boxes that were ticked without evidence.
    fn refuse_shared(&self, documents: &[PathBuf]) -> Result<(), Error> {
        let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        let open = self.deps.store.open_runs().map_err(stored)?;
        for run in open.iter().filter(|run| !matches!(run.state, State::Queued { .. })) {
            let theirs: Vec<PathBuf> = run.spec.documents.iter().map(real).collect();
            if let Some(document) = documents.iter().find(|path| theirs.contains(&real(path))) {
                let text = format!(
                    "{} is worked through by run {} in {} already; stop that run first, or give this \
                     one a copy.",
                    document.display(),
                    run.id,
                    run.spec.directory.display()
                );
                return Err(error(ErrorKind::Busy, text));
            }
        }
        Ok(())
    }

    fn take(&self, directory: &Path, run: RunId) -> Result<DirectoryLock, Error> {
        let home = self.deps.store.path().parent().unwrap_or(Path::new("/"));
        let repository = self.deps.git.repository(directory).ok();
        let checkout = repository.and_then(|repository| repository.checkout);
        // As the directory is: without links.
        let checkout = checkout.map(|root| root.canonicalize().unwrap_or(root));
        let wanted = Wanted { directory, checkout: checkout.as_deref(), run, home };
        DirectoryLock::take(&self.deps.locks, wanted).map_err(|refused| match refused {
            Refused::Held(holder) => error(
                ErrorKind::Busy,
                format!(
                    "{} is in use by {}; stop that run first, or work in another worktree.",
                    directory.display(),
                    if holder.is_empty() { "another run" } else { &holder }
                ),
            ),
            Refused::Io(source) => error(
                ErrorKind::Failed,
                format!("The lock on {} cannot be taken: {source}.", directory.display()),
            ),
        })
    }

    /// Takes the lease and writes the run down. Whoever has the lock on the directory has it alone, so
    /// a lease of a run that does not work any more is left over.
    fn begin(&self, run: &Run) -> Result<(), Error> {
        let begin =
            || self.deps.store.start_run(run, self.lease(run), run.started_ms, &[Entry::Started]);
        match begin() {
            Err(maestro_store::Error::Leased(lease)) if !self.active().contains_key(&lease.run) => {
                let _ = self.deps.store.release_leases(lease.run).map_err(stored)?;
                begin().map_err(stored)
            }
            other => other.map_err(stored),
        }
    }

    fn lease(&self, run: &Run) -> Lease {
        Lease {
            directory: run.spec.directory.clone(),
            run: run.id,
            host: self.deps.instance.clone(),
            pid: std::process::id(),
            process_start: Process::current().map_or(0, |process| process.started),
            since_ms: now_ms(),
        }
    }

    /// Takes over a run of a dead host; gives that host, too. Blocks.
    fn reopen(&self, run: Run) -> Result<(Machine, DirectoryLock, String), Error> {
        let store = &self.deps.store;
        let leases = store.leases().map_err(stored)?;
        let host = leases.into_iter().find(|lease| lease.run == run.id).map(|lease| lease.host);
        let lock = self.take(&run.spec.directory, run.id)?;
        let journal = store.journal::<Entry>(run.id).map_err(|source| match source {
            maestro_store::Error::Json { .. } => error(
                ErrorKind::Unsupported,
                format!(
                    "Its journal has steps that this Maestro does not know ({source}), so a newer one \
                     began it. Start that one to go on with it, or kill the run."
                ),
            ),
            source => stored(source),
        })?;
        let entries: Vec<(u64, Entry)> =
            journal.into_iter().map(|entry| (entry.at_ms, entry.entry)).collect();
        store.take_lease(self.lease(&run)).map_err(stored)?;
        let machine = Machine::resume(run, self.policy.clone(), &entries);
        Ok((machine, lock, host.unwrap_or_default()))
    }

    /// A run's actor is gone.
    async fn finish(
        self: Arc<Self>,
        id: RunId,
        view: &Arc<Mutex<Run>>,
        end: Result<End, tokio::task::JoinError>,
    ) {
        let run = match end {
            Ok(End::Over(run)) => {
                let inner = Arc::clone(&self);
                let before = (*run).clone();
                blocking(move || Ok(inner.conclude(*run))).await.unwrap_or(before)
            }
            Ok(End::Suspended | End::Died) => {
                self.hub.end(id);
                self.remove(id);
                return;
            }
            Err(panic) => {
                tracing::error!(run = %id, %panic, "the work on a run failed");
                let because =
                    "Maestro itself failed at this run; its log says where. Start the run \
                               again to go on."
                        .to_owned();
                let mut run = self::view(view);
                run.state = State::Ended(Ending::Failed(because));
                run.ended_ms = Some(now_ms());
                run
            }
        };
        self.hub.end(id);
        let inner = Arc::clone(&self);
        if let Err(because) = blocking(move || inner.close(&run)).await {
            tracing::warn!(run = %id, %because, "a run that ended was not saved");
        }
        self.remove(id);
    }

    /// Saves a run that has ended, gives its directory back and tells. Blocks.
    fn close(&self, run: &Run) -> Result<(), Error> {
        self.deps.store.put_run(run).map_err(stored)?;
        let _ = self.deps.store.release_leases(run.id).map_err(stored)?;
        (self.deps.events)(Event::Run(Box::new(run.clone())));
        Ok(())
    }
}

/// Why a run cannot work in a directory in which somebody else does.
pub(crate) fn in_use(directory: &Path, writer: &str) -> String {
    format!(
        "{} is in use: {writer} Wait until that is over, or let the run work in a worktree of its own.",
        directory.display()
    )
}

/// The directory to work in, canonical.
fn directory(path: &Path) -> Result<PathBuf, Error> {
    let missing = |because: &dyn fmt::Display| {
        error(
            ErrorKind::NotFound,
            format!("The directory {} cannot be used: {because}.", path.display()),
        )
    };
    if !path.is_absolute() {
        return Err(missing(&"its path is not absolute"));
    }
    let canonical = path.canonicalize().map_err(|source| missing(&source))?;
    if !canonical.is_dir() {
        return Err(missing(&"it is not a directory"));
    }
    if canonical.to_str().is_none() {
        return Err(missing(&"its name is not Unicode"));
    }
    Ok(canonical)
}

/// The documents, each once, by the names the user knows them by.
pub(crate) fn documents_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    if paths.is_empty() {
        let text = "There is no checklist to run; name one or more files.".to_owned();
        return Err(error(ErrorKind::Invalid, text));
    }
    if paths.len() > MAX_DOCUMENTS {
        let text = format!("A run has at most {MAX_DOCUMENTS} checklists; start several.");
        return Err(error(ErrorKind::Invalid, text));
    }
    let mut seen = Vec::new();
    let mut documents = Vec::new();
    for path in paths {
        if !path.is_absolute() || path.to_str().is_none() {
            let text = format!("The path {} is not absolute and Unicode.", path.display());
            return Err(error(ErrorKind::Invalid, text));
        }
        let canonical = path.canonicalize().map_err(|source| {
            error(ErrorKind::NotFound, format!("{} cannot be read: {source}.", path.display()))
        })?;
        if !seen.contains(&canonical) {
            seen.push(canonical);
            documents.push(path.clone());
        }
    }
    Ok(documents)
}

/// Open and done tasks of all documents.
fn count(paths: &[PathBuf]) -> Result<(u32, u32), Error> {
    let mut sum = (0_usize, 0_usize);
    for path in paths {
        let document =
            documents::read(path).map_err(|because| error(ErrorKind::Invalid, because))?;
        sum = (sum.0 + document.open(), sum.1 + document.done());
    }
    let bounded = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok((bounded(sum.0), bounded(sum.1)))
}

fn view(view: &Mutex<Run>) -> Run {
    view.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn error(kind: ErrorKind, message: String) -> Error {
    Error { kind, message }
}

fn stored(source: maestro_store::Error) -> Error {
    let kind = match &source {
        maestro_store::Error::Leased(_) => ErrorKind::Busy,
        maestro_store::Error::Closed => ErrorKind::Stopping,
        _ => ErrorKind::Failed,
    };
    error(kind, source.to_string())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let failed =
        |_| error(ErrorKind::Failed, "Maestro itself failed; its log says where.".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

/// The folder in which a run keeps what it can make anew.
fn scratch(deps: &Deps, run: RunId) -> PathBuf {
    home(deps).join("runs").join(run.to_string())
}

/// The home folder of the host.
fn home(deps: &Deps) -> PathBuf {
    deps.store.path().parent().unwrap_or(Path::new("/")).to_owned()
}
