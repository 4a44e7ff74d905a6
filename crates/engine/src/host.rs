//! The host itself: start, serve, stop.
//!
//! ```text
//! clients ── serve ──> commands ──> agents · terminals · runs ──> store
//!    ^                                   │
//!    └──────── client queues <── world <─┴── notices <── sessions <── parse pool <── PTYs
//! ```
//!
//! Everything that is told goes through the `world`, everything that is asked through `commands`.
//! Nothing waits for a client, and the failure of one agent's, terminal's or client's work is that
//! one's failure: it is caught, logged and told, and the host goes on.

mod agents;
mod arrange;
mod attention;
mod changes;
mod commands;
mod conflicts;
mod conversations;
mod export;
mod images;
mod lodgers;
mod notices;
mod orders;
mod playbooks;
mod pulls;
pub(crate) mod queues;
mod race;
mod recovery;
mod runs;
mod serve;
mod standing;
mod stored;
mod telling;
mod terminals;
mod theme;
mod tools;
mod train;
mod trash;
pub(crate) mod usage;
mod worktrees;
mod world;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maestro_agents::{Detected, Environment};
use maestro_core::AgentId;
use maestro_core::agent::Provider;
use maestro_protocol::client::{self, Incoming};
use maestro_protocol::home::Lock;
use maestro_protocol::message::{self, ErrorKind, Event};
use maestro_protocol::server::Listener;
use maestro_protocol::{Client as Remote, Home};
use maestro_pty::Grace;
use maestro_pty::process::Process;
use maestro_store::Store;
use tokio::sync::{OnceCell, mpsc, watch};

use crate::client::{Client, ClientId};
use crate::conversation::Tabs;
use crate::conversation::drivers::Drivers;
use crate::heap::Heap;
use crate::index::Sessions;
use crate::index::follow::Follow;
use crate::pool::{Handle, Pool};
use crate::queue::{Clock, Queues};
use crate::searcher::Searcher;
use crate::session::{self, Fault, Session};
use notices::Notices;
use tools::Tools;
use world::World;

pub(crate) use commands::{git_error, store_error};
pub(crate) use terminals::tab_marks as marks;
pub(crate) use tools::failed;

/// How long runs may take to end their processes when the host stops.
const SUSPEND: Duration = Duration::from_secs(4);
/// How long a file that is being written for a user may take to be given up when the host stops.
const WRITTEN: Duration = Duration::from_secs(4);
/// How long a piece of the index of stored sessions may take when the host stops.
const INDEXED: Duration = Duration::from_secs(2);
/// How long what was queued for clients may take to reach them when the host stops.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often the host looks whether it still has something to do.
const IDLE_CHECK: Duration = Duration::from_millis(500);

/// How a host runs.
#[derive(Clone)]
pub struct HostOptions {
    /// Its home folder.
    pub home: Home,
    /// Whether it listens on the socket; tests connect in process.
    pub listen: bool,
    /// How long nothing may run and no client be connected before it stops; `None` for ever.
    pub idle: Option<Duration>,
    /// How long children are given between one signal and the next.
    pub grace: Grace,
    /// Threads that parse; as many as the machine allows when absent.
    pub parsers: Option<usize>,
    /// What children inherit; the environment of the user's login shell when absent.
    pub environment: Option<Environment>,
    /// Providers that are known without looking, for tests.
    pub detected: Vec<Detected>,
    /// Called with output before it is parsed, for tests of what happens when that fails.
    pub fault: Option<Fault>,
    /// What conversations are driven by, for tests; the providers' own programs when absent.
    pub drivers: Option<Arc<dyn Drivers>>,
    /// What limits and attempts are waited for by, for tests; the machine's clock when absent.
    pub clock: Option<Arc<dyn Clock>>,
}

impl HostOptions {
    /// The usual options: it listens, and stops after a minute of nothing to do.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            listen: true,
            idle: Some(Duration::from_secs(60)),
            grace: Grace::default(),
            parsers: None,
            environment: None,
            detected: Vec::new(),
            fault: None,
            drivers: None,
            clock: None,
        }
    }
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

/// A running host. Dropping the handle leaves it running; see [`Host::stop`].
#[derive(Debug, Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

impl Host {
    /// Starts a host on the current tokio runtime: takes the lock, opens the database, begins to
    /// listen, and recovers in the background what a host before it has left.
    ///
    /// # Errors
    ///
    /// When another host has the home folder, or the folder, database or socket is of no use.
    pub async fn start(options: HostOptions) -> Result<Self, Error> {
        maestro_pty::raise_descriptor_limit();
        let lock = options.home.lock()?;
        // The database before the socket: who connects to a host that cannot start would be told that
        // the connection broke, and not why.
        let path = options.home.database();
        let store = blocking(move || Store::open(path)).await.map_err(panicked)??;
        let listener =
            if options.listen { Some(Listener::bind(&options.home, &lock)?) } else { None };
        let shared = Shared::new(options, lock, store).await?;
        let workers: [(&str, tokio::task::JoinHandle<()>); 3] = [
            ("notices", tokio::spawn(notices::publish(Arc::clone(&shared)))),
            ("recovery", tokio::spawn(recovery::recover(Arc::clone(&shared)))),
            ("idle", tokio::spawn(watch_idle(Arc::clone(&shared)))),
        ];
        for (name, worker) in workers {
            detach(report_panic(Arc::clone(&shared), name, worker));
        }
        detach(standing::watch(Arc::clone(&shared)));
        detach(conflicts::watch(Arc::clone(&shared)));
        let leaving = trash::leaving(&shared).await;
        detach(trash::tidy(Arc::clone(&shared), leaving));
        detach(telling::watch(Arc::clone(&shared)));
        if let Some(listener) = listener {
            let listening = tokio::spawn(serve::listen(Arc::clone(&shared), listener));
            let mut place = shared.listening.lock().unwrap_or_else(PoisonError::into_inner);
            *place = Some(listening);
        }
        tracing::info!(
            instance = shared.instance,
            pid = std::process::id(),
            home = %shared.options.home.root().display(),
            "the host has started"
        );
        Ok(Self { shared })
    }

    /// A client in this process, over the same protocol as the socket's.
    ///
    /// # Errors
    ///
    /// When the host is stopping or has too many clients.
    pub async fn connect(&self) -> Result<(Remote, mpsc::Receiver<Incoming>), client::Error> {
        let (client, connection) = maestro_protocol::in_process_halves();
        detach(serve::serve(Arc::clone(&self.shared), connection));
        client.await
    }

    /// Begins to stop: runs are interrupted and stay resumable, terminals are closed.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// Waits until the host has stopped.
    pub async fn stopped(&self) {
        let mut phase = self.shared.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase == Phase::Stopped).await;
    }

    /// Waits until what a host before this one left behind has been ended and its runs go on.
    pub async fn recovered(&self) {
        self.shared.until_recovered().await;
    }

    /// Its instance id, the value of `MAESTRO_HOST` in its children's environment.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.shared.instance
    }
}

/// Runs a host until it is told to stop, gets SIGTERM, SIGINT or SIGHUP, or has nothing to do any more.
/// Blocks; for `maestro host`. The log and the runtime are set up here.
///
/// # Errors
///
/// As for [`Host::start`].
pub fn run_foreground(options: HostOptions) -> Result<(), Error> {
    options.home.create()?;
    crate::log::start(&options.home.log()).map_err(Error::Runtime)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("host")
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let scratch = Scratch::new(&options.home);
    let result = runtime.block_on(async {
        let host = Host::start(options).await?;
        // It has the home folder's lock now, so what lies there is of hosts that are dead.
        scratch.clear_others();
        let signals = tokio::spawn(stop_on_signal(host.clone()));
        host.stopped().await;
        signals.abort();
        Ok(())
    });
    // What still blocks (a git that hangs) must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(500));
    scratch.clear();
    if let Err(error) = &result {
        tracing::error!(%error, "the host did not start");
    }
    result
}

/// Where a host's temporary files are (git's scratch indexes above all): in its home, so that those that a
/// killed host left are found by the next one.
struct Scratch {
    all: PathBuf,
    own: PathBuf,
}

impl Scratch {
    fn new(home: &Home) -> Self {
        let all = home.root().join("scratch");
        let own = all.join(std::process::id().to_string());
        // Without it they are where everybody's are.
        match std::fs::create_dir_all(&own) {
            Ok(()) => {
                let _ = tempfile::env::override_temp_dir(&own);
            }
            Err(error) => {
                tracing::warn!(%error, folder = %own.display(), "no place for scratch files");
            }
        }
        Self { all, own }
    }

    fn clear_others(&self) {
        for entry in std::fs::read_dir(&self.all).into_iter().flatten().flatten() {
            if entry.path() != self.own
                && let Err(error) = std::fs::remove_dir_all(entry.path())
            {
                tracing::warn!(%error, folder = %entry.path().display(), "scratch files stay");
            }
        }
    }

    fn clear(&self) {
        let _ = std::fs::remove_dir_all(&self.own);
    }
}

#[cfg(unix)]
async fn stop_on_signal(host: Host) {
    use tokio::signal::unix::{SignalKind, signal};

    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let (sender, mut received) = mpsc::channel(1);
    for kind in kinds {
        let Ok(mut signals) = signal(kind) else { continue };
        let sender = sender.clone();
        detach(async move {
            while signals.recv().await.is_some() {
                let _ = sender.send(kind).await;
            }
        });
    }
    while let Some(kind) = received.recv().await {
        tracing::info!(?kind, "a signal asks the host to stop");
        host.stop();
    }
}

#[cfg(not(unix))]
async fn stop_on_signal(host: Host) {
    let _ = tokio::signal::ctrl_c().await;
    host.stop();
}

/// What all parts of a host share.
pub(crate) struct Shared {
    pub(crate) options: HostOptions,
    pub(crate) instance: String,
    pub(crate) started_ms: u64,
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) pool: Handle<Session>,
    pub(crate) notices: Arc<Notices>,
    pub(crate) heap: Arc<Heap>,
    pub(crate) searcher: Arc<Searcher>,
    pub(crate) sessions: Sessions,
    pub(crate) follow: Follow,
    changes: changes::Changes,
    conflicts: conflicts::Conflicts,
    pub(crate) worktrees: worktrees::Worktrees,
    standings: standing::Standings,
    orders: orders::Orders,
    telling: telling::Telling,
    trees: OnceLock<crate::trees::Hub>,
    pub(crate) settings: crate::settings::Live,
    pub(crate) tabs: Tabs,
    queues: OnceLock<Queues>,
    watches: OnceLock<crate::playbooks::Watches>,
    pub(crate) watched: attention::Watched,
    pub(crate) tools: OnceCell<Tools>,
    pub(crate) detected: Mutex<HashMap<Provider, Detected>>,
    clients: Mutex<HashMap<ClientId, Arc<Client>>>,
    next_client: AtomicU64,
    /// Starting, stopping and removing one agent exclude each other.
    agent_locks: Mutex<HashMap<AgentId, Arc<tokio::sync::Mutex<()>>>>,
    /// Held while a name is chosen.
    pub(crate) naming: tokio::sync::Mutex<()>,
    /// Held from the look at an agent or a preference until its change is in the store and in the world.
    pub(crate) saving: tokio::sync::Mutex<()>,
    /// Held for reading while a file is written for a user: the host says that it stopped only after that.
    pub(crate) writing: tokio::sync::RwLock<()>,
    /// Held for reading while a terminal is started: whoever ends all of them waits for those.
    pub(crate) starting: tokio::sync::RwLock<()>,
    phase: watch::Sender<Phase>,
    recovered: watch::Sender<bool>,
    /// Takes connections; ended before the lock is given back.
    listening: Mutex<Option<tokio::task::JoinHandle<()>>>,
    threads: Mutex<Option<Pool<Session>>>,
    lock: Mutex<Option<Lock>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Stopping,
    Stopped,
}

impl Shared {
    async fn new(options: HostOptions, lock: Lock, store: Store) -> Result<Arc<Self>, Error> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = options.parsers.unwrap_or_else(|| Pool::<Session>::threads_for(cores));
        let pool = Pool::start(threads).map_err(Error::Runtime)?;
        let instance = instance_id();
        let started_ms = now_ms();
        let process = Process::current().unwrap_or(Process { pid: std::process::id(), started: 0 });
        let transcripts = options.home.root().join("conversations");
        let world =
            recovery::read_world(&store, &instance, process, started_ms, transcripts).await?;
        let marks = {
            let store = store.clone();
            blocking(move || store.marks()).await.map_err(panicked)??
        };
        let sessions = Sessions::new(options.home.root(), marks);
        Ok(Arc::new(Self {
            detected: Mutex::new(
                options.detected.iter().map(|found| (found.provider, found.clone())).collect(),
            ),
            changes: changes::Changes::default(),
            conflicts: conflicts::Conflicts::default(),
            worktrees: worktrees::Worktrees::default(),
            standings: standing::Standings::default(),
            orders: orders::Orders::default(),
            telling: telling::Telling::default(),
            trees: OnceLock::new(),
            tabs: Tabs::new(options.drivers.clone()),
            queues: OnceLock::new(),
            watches: OnceLock::new(),
            watched: attention::Watched::default(),
            settings: crate::settings::Live::new(&options.home),
            options,
            instance,
            started_ms,
            store,
            world,
            pool: pool.handle(),
            notices: Arc::default(),
            heap: Arc::default(),
            searcher: Arc::new(Searcher::start().map_err(Error::Runtime)?),
            sessions,
            follow: Follow::new(),
            tools: OnceCell::new(),
            clients: Mutex::default(),
            next_client: AtomicU64::new(1),
            agent_locks: Mutex::default(),
            naming: tokio::sync::Mutex::default(),
            saving: tokio::sync::Mutex::default(),
            writing: tokio::sync::RwLock::default(),
            starting: tokio::sync::RwLock::default(),
            phase: watch::Sender::new(Phase::Running),
            recovered: watch::Sender::new(false),
            listening: Mutex::default(),
            threads: Mutex::new(Some(pool)),
            lock: Mutex::new(Some(lock)),
        }))
    }

    /// What the system is asked to watch.
    fn trees(self: &Arc<Self>) -> &crate::trees::Hub {
        self.trees.get_or_init(|| {
            let weak = Arc::downgrade(self);
            crate::trees::Hub::new(Arc::new(move |roots| {
                let Some(shared) = weak.upgrade() else { return };
                shared.conflicts.changed(&roots);
                shared.standings.changed(&roots);
            }))
        })
    }

    /// Whether the host is on its way out.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.phase.borrow() != Phase::Running
    }

    /// Begins to stop, once.
    pub(crate) fn stop(self: &Arc<Self>) {
        let first = self.phase.send_if_modified(|phase| {
            let first = *phase == Phase::Running;
            if first {
                *phase = Phase::Stopping;
            }
            first
        });
        if first {
            detach(Arc::clone(self).wind_up());
        }
    }

    /// The orderly end: at most about ten seconds.
    async fn wind_up(self: Arc<Self>) {
        tracing::info!("the host stops");
        self.queues().stop();
        self.worktrees.suspend();
        self.world.tell(Event::HostStopping);
        let suspend = async {
            if let Some(tools) = self.tools.get()
                && tokio::time::timeout(SUSPEND, tools.runs.suspend()).await.is_err()
            {
                tracing::warn!("runs did not end in time; the next host goes on with them");
            }
            if let Some(tools) = self.tools.get()
                && tokio::time::timeout(SUSPEND, tools.trains.suspend()).await.is_err()
            {
                tracing::warn!("trains did not end in time; the next host goes on with them");
            }
        };
        // They look at every slice whether the host stops.
        let written = async {
            // Not held: whoever would begin one now is to get its answer.
            if tokio::time::timeout(WRITTEN, self.writing.write()).await.is_err() {
                tracing::warn!("a file for a user was not finished in time");
            }
        };
        let (closed, (), (), ended) =
            tokio::join!(self.close_all_terminals(), suspend, written, self.tabs.end(None));
        if !ended {
            tracing::warn!("some programs of conversations did not end in time");
        }
        if !closed {
            tracing::warn!("some processes of terminals did not end in time");
        }
        let sessions = Arc::clone(&self);
        let ended = blocking(move || {
            sessions.follow.end();
            sessions.sessions.end();
        });
        if tokio::time::timeout(INDEXED, ended).await.is_err() {
            tracing::warn!("the index of stored sessions did not end in time");
        }
        let (store, instance) = (self.store.clone(), self.instance.clone());
        let noted = blocking(move || {
            let noted = store.host_stopped(&instance, now_ms());
            store.close();
            noted
        });
        if let Ok(Err(error)) = noted.await {
            tracing::warn!(%error, "the stop was not noted in the database");
        }
        let farewell = async {
            while self.client_count() > 0 {
                // Again and again: some may have shaken hands just now.
                for client in self.all_clients() {
                    client.close();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        let pool = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = blocking(move || drop(pool)).await;
        // With it goes the socket's file: later it could be the next host's.
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listening) = listening {
            listening.abort();
            let _ = listening.await;
        }
        // Before the lock is free: the log is the next host's then.
        tracing::info!("the host has stopped");
        // The last thing: whoever gets the lock now finds everything else free.
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.phase.send_replace(Phase::Stopped);
    }

    /// Waits until the host begins to stop.
    pub(crate) async fn stopping(&self) {
        let mut phase = self.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
    }

    /// Waits until the host has stopped.
    pub(crate) async fn stopped(&self) {
        let mut phase = self.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase == Phase::Stopped).await;
    }

    /// Waits until nothing of a dead host runs any more.
    pub(crate) async fn until_recovered(&self) {
        let mut recovered = self.recovered.subscribe();
        let _ = recovered.wait_for(|recovered| *recovered).await;
    }

    /// What keeps two commands from working on one agent at once.
    pub(crate) fn agent_lock(&self, agent: AgentId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.agent_locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(agent).or_default())
    }

    /// An agent is gone, and nobody will work on it any more.
    pub(crate) fn forget_agent_lock(&self, agent: AgentId) {
        let mut locks = self.agent_locks.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = locks.remove(&agent);
    }

    /// A new client's queue.
    pub(crate) fn add_client(&self) -> Arc<Client> {
        let mut clients = self.clients();
        let id = ClientId(self.next_client.fetch_add(1, Ordering::Relaxed));
        let client = Arc::new(Client::new(id));
        let _ = clients.insert(id, Arc::clone(&client));
        client
    }

    pub(crate) fn remove_client(&self, client: &Client) {
        self.world.forget_client(client);
        let _ = self.clients().remove(&client.id);
        self.orders.forget(client.id);
    }

    pub(crate) fn client_count(&self) -> usize {
        self.clients().len()
    }

    /// Whether a client is still connected.
    pub(crate) fn has_client(&self, id: u64) -> bool {
        self.clients().contains_key(&ClientId(id))
    }

    /// Whether the user looks at a window.
    fn is_looked_at(&self) -> bool {
        self.clients().values().any(|client| client.is_looking())
    }

    /// Windows that are open.
    fn windows(&self) -> u32 {
        self.clients().values().filter(|client| client.is_window()).count() as u32
    }

    fn all_clients(&self) -> Vec<Arc<Client>> {
        self.clients().values().cloned().collect()
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<ClientId, Arc<Client>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Terminals whose child lives.
    pub(crate) fn live_terminals(&self) -> usize {
        self.world.terminals().iter().filter(|session| session.is_live()).count()
    }

    /// Something that must not end silently.
    pub(crate) fn problem(&self, agent: Option<AgentId>, text: impl Into<String>) {
        // Through the notices, which tell the same thing once and not a thousand times.
        session::Notices::problem(&*self.notices, agent, text.into());
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl fmt::Debug for HostOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment may hold secrets.
        f.debug_struct("HostOptions")
            .field("home", &self.home)
            .field("listen", &self.listen)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// Stops the host when nothing has run and nobody has been connected for a while.
async fn watch_idle(shared: Arc<Shared>) {
    let Some(limit) = shared.options.idle else { return };
    shared.until_recovered().await;
    let mut since = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(IDLE_CHECK.min(limit)).await;
        let busy = shared.client_count() > 0
            || shared.live_terminals() > 0
            || shared.tabs.alive() > 0
            || shared.queues().is_waiting()
            || shared.worktrees.is_busy()
            || shared
                .tools
                .get()
                .is_some_and(|tools| tools.runs.active() > 0 || tools.trains.active() > 0);
        if busy {
            since = tokio::time::Instant::now();
        } else if since.elapsed() >= limit {
            tracing::info!("nothing runs and nobody is connected");
            shared.stop();
            return;
        }
    }
}

async fn report_panic(shared: Arc<Shared>, name: &str, worker: tokio::task::JoinHandle<()>) {
    if let Err(error) = worker.await
        && error.is_panic()
    {
        let reason = crate::pool::panic_text(&*error.into_panic());
        tracing::error!(name, reason, "a part of the host panicked");
        shared.problem(None, format!("A part of the host ({name}) failed: {reason}. Restart it."));
    }
}

/// Runs something beside everything else.
pub(crate) fn detach(work: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(work));
}

/// Runs what blocks where blocking is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}

fn panicked(error: tokio::task::JoinError) -> Error {
    Error::Runtime(std::io::Error::other(error))
}

/// A refusal or failure for a client.
pub(crate) fn refuse(kind: ErrorKind, message: impl Into<String>) -> message::Error {
    message::Error { kind, message: message.into() }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// An id that no host before or after has.
fn instance_id() -> String {
    let random = std::hash::RandomState::new().build_hasher().finish();
    format!("{random:016x}")
}

/// Whether a path can be kept and shown.
pub(crate) fn check_path(path: &Path) -> Result<(), message::Error> {
    if !path.is_absolute() {
        let shown = path.display();
        return Err(refuse(ErrorKind::Invalid, format!("`{shown}` is not an absolute path")));
    }
    if path.to_str().is_none() {
        let shown = path.display();
        let text = format!("the path {shown} is not Unicode, which Maestro needs; rename it");
        return Err(refuse(ErrorKind::Unsupported, text));
    }
    Ok(())
}
