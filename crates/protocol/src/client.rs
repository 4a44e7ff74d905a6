//! The client's side: connect, start the host where there is none, ask, and listen.
//!
//! [`Client`] is for programs that live with the host (the window); [`Blocking`] for those that ask a
//! few things and end (the command line), without a runtime or a thread.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use interprocess::local_socket::prelude::*;
use interprocess::local_socket::tokio::Stream as AsyncStream;
use interprocess::local_socket::{ConnectOptions, GenericFilePath, Stream};
use maestro_core::conversation::Update;
use maestro_core::input::Input;
use maestro_core::order::Order;
use maestro_core::playbook::Heard;
use maestro_core::screen::Frame;
use maestro_core::{RunId, TabId, TerminalId};
use tokio::io::{AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

use crate::codec::{self, MAX_TO_CLIENT, MAX_TO_HOST};
use crate::home::{self, Home};
use crate::message::{self, Command, ErrorKind, Event, Reply, ToClient, ToHost};
use crate::server::Duplex;

/// How long a host may take to answer the hand-shake.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long a host may take to read a request.
const SEND: Duration = Duration::from_secs(20);

/// How long a host may take to send the rest of a message that it has begun.
const REST: Duration = Duration::from_secs(20);

/// How long a host that was just started may take until it answers. It opens a database and may have
/// a crash to recover from.
const START: Duration = Duration::from_secs(20);

/// Messages that may wait for the connection. A host that leaves so many unread is as good as gone.
const OUTGOING: usize = 4096;

/// Messages that may wait for the client's own attention; beyond it nothing more is read, and the host
/// begins to skip frames.
const INCOMING: usize = 256;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing answers, and starting a host was not asked for.
    #[error("no host runs for {}: start one with `maestro`, or `maestro host` to watch it", .0.display())]
    NoHost(PathBuf),
    /// Nothing answers, starting a host was not asked for, and the last one did not end by itself.
    #[error(
        "the host for {} (process {pid}) ended unexpectedly; its agents and runs are kept and go on \
         at the next start: `maestro`, or `maestro host` to watch it", home.display()
    )]
    Died {
        /// The home folder.
        home: PathBuf,
        /// The process that was the host.
        pid: u32,
    },
    /// The host was started and did not come up.
    #[error("the host did not start: {because}")]
    Start {
        /// What is known about it.
        because: String,
    },
    /// The home folder is of no use.
    #[error(transparent)]
    Home(#[from] home::Error),
    /// The other side does not talk to us, or the connection broke.
    #[error(transparent)]
    Codec(codec::Error),
    /// No answer within the time allowed.
    #[error("the host did not answer within {} s: see its log, or end it with `maestro host stop`", .0.as_secs())]
    TimedOut(Duration),
    /// The host refused a command.
    #[error(transparent)]
    Host(#[from] message::Error),
}

impl From<codec::Error> for Error {
    fn from(error: codec::Error) -> Self {
        match error {
            codec::Error::Io(error) if is_timeout(&error) => Self::TimedOut(HANDSHAKE),
            other => Self::Codec(other),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// Whether a client may start the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Only connect to one that runs.
    Never,
    /// Start one when none runs.
    OnDemand {
        /// The program to start with `host --detached`; this program itself when absent.
        program: Option<PathBuf>,
    },
}

impl Start {
    /// Start this program itself as the host when none runs.
    pub const ON_DEMAND: Self = Self::OnDemand { program: None };
}

/// What a client hears without having asked.
#[derive(Debug)]
pub enum Incoming {
    /// Something happened in the world.
    Event {
        /// One more than the event before.
        seq: u64,
        /// What.
        event: Event,
    },
    /// A terminal's screen changed. Answer with [`Client::credit`] once it is drawn.
    Frame(Box<Frame>),
    /// Something was said in a tab that this client opened to follow.
    Said {
        /// In which.
        tab: TabId,
        /// What, in order.
        updates: Vec<Update>,
    },
    /// A run that this client hears said something.
    Heard {
        /// The run.
        run: RunId,
        /// What, in order.
        lines: Vec<Heard>,
    },
    /// This client is a window, and is to do something: it answers with
    /// [`Command::Obeyed`].
    Order {
        /// Its number.
        number: u64,
        /// What.
        order: Order,
    },
    /// Events were lost: ask for the world again.
    Lagged,
    /// The connection is over; nothing comes after this. The sentence says why.
    Closed(String),
}

/// Connects to the host of a home folder, and starts one where that is wanted and none runs.
///
/// Must be called in a tokio runtime, on which the connection lives then.
pub async fn connect(
    home: &Home,
    start: &Start,
) -> Result<(Client, mpsc::Receiver<Incoming>), Error> {
    let mut starting = Starting::new(home, start);
    loop {
        let failure = match connect_once(home).await {
            Ok(stream) => match Client::over(stream).await {
                Ok(connected) => return Ok(connected),
                Err(error) => error,
            },
            Err(error) => codec::Error::Io(error).into(),
        };
        starting.again(failure)?;
        tokio::time::sleep(Starting::PAUSE).await;
    }
}

async fn connect_once(home: &Home) -> io::Result<AsyncStream> {
    use interprocess::local_socket::traits::tokio::Stream as _;

    AsyncStream::connect(home.socket().to_fs_name::<GenericFilePath>()?).await
}

/// Whether anything answers on a socket.
pub(crate) fn probe(path: &Path) -> bool {
    path.to_fs_name::<GenericFilePath>().and_then(Stream::connect).is_ok()
}

/// Whether an error says that nobody listens, as opposed to that we may not connect.
fn nobody_listens(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
    )
}

/// Whether an error says that whoever took the connection is at its end: it refuses newcomers, or its
/// process went away before it answered.
fn is_ending(error: &Error) -> bool {
    match error {
        Error::Codec(codec::Error::Refused(why)) => why == codec::STOPPING,
        Error::Codec(codec::Error::Io(error)) => matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        ),
        _ => false,
    }
}

/// The wait for a host that is being started, by us or by somebody else at the same moment.
#[derive(Debug)]
struct Starting<'a> {
    home: &'a Home,
    start: &'a Start,
    child: Option<Child>,
    /// The child ended because another host had the lock.
    lost: bool,
    since: Instant,
}

impl<'a> Starting<'a> {
    /// Between two attempts to connect.
    const PAUSE: Duration = Duration::from_millis(5);

    fn new(home: &'a Home, start: &'a Start) -> Self {
        Self { home, start, child: None, lost: false, since: Instant::now() }
    }

    /// After a failed attempt: starts the host the first time, gives up with the reason when it
    /// cannot come up any more.
    fn again(&mut self, failure: Error) -> Result<(), Error> {
        let nobody =
            matches!(&failure, Error::Codec(codec::Error::Io(error)) if nobody_listens(error));
        let Start::OnDemand { program } = self.start else {
            return Err(if nobody { self.no_host() } else { failure });
        };
        if !nobody && !is_ending(&failure) {
            return Err(failure);
        }
        if self.since.elapsed() > START {
            let because = format!(
                "it did not answer within {} s; its log is {}",
                START.as_secs(),
                self.home.log().display()
            );
            return Err(Error::Start { because });
        }
        match &mut self.child {
            // Whoever is at its end must be gone before the next can begin.
            None if !nobody && self.home.is_held() => {}
            None => self.child = Some(start_host(self.home, program.as_deref())?),
            Some(child) => {
                if let Some(status) = child.try_wait().ok().flatten() {
                    return self.ended(status, program.as_deref());
                }
            }
        }
        Ok(())
    }

    /// The host we started is gone. One that loses the race for the lock ends at once, and the winner
    /// answers soon, or was about to end and leaves the place to another start. Only when nobody held
    /// the lock either has the start failed.
    fn ended(&mut self, status: ExitStatus, program: Option<&Path>) -> Result<(), Error> {
        if self.home.is_held() {
            self.lost = true;
            return Ok(());
        }
        if std::mem::take(&mut self.lost) {
            self.child = Some(start_host(self.home, program)?);
            return Ok(());
        }
        let said = last_words(&self.home.stderr());
        Err(Error::Start { because: said.unwrap_or_else(|| format!("it ended with {status}")) })
    }

    fn no_host(&self) -> Error {
        let home = self.home.root().to_owned();
        match self.home.died() {
            Some(pid) => Error::Died { home, pid },
            None => Error::NoHost(home),
        }
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        // Somebody has to wait for a child, or it stays in the process table after its end for as long
        // as this program lives.
        if let Some(mut child) = self.child.take() {
            let reap = move || {
                let _ = child.wait();
            };
            let _ = std::thread::Builder::new().name("host-reaper".to_owned()).spawn(reap);
        }
    }
}

/// Starts the host detached: `host --detached` makes itself the leader of its own session first.
fn start_host(home: &Home, program: Option<&Path>) -> Result<Child, Error> {
    home.create()?;
    let program = match program {
        Some(program) => program.to_owned(),
        None => this_program().map_err(|error| Error::Start {
            because: format!("this program's own file is not known: {error}"),
        })?,
    };
    let stderr = home.stderr();
    let unusable = |what| {
        let path = stderr.clone();
        move |source| home::Error::Io { path, what, source }
    };
    let mut said = std::fs::File::create(&stderr).map_err(unusable("created"))?;
    // On a full disk the host could not even say why it ends.
    said.write_all(b"\n").map_err(unusable("written"))?;
    let mut process = Process::new(&program);
    let _ = process
        .args(["host", "--detached"])
        .env(home::VARIABLE, home.root())
        .current_dir(home.root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said);
    // A client may itself run inside a terminal of some host; the new one is nobody's child.
    for mark in home::MARKS {
        let _ = process.env_remove(mark);
    }
    process.spawn().map_err(|error| Error::Start {
        because: format!("{} cannot be run: {error}", program.display()),
    })
}

/// The file of this program, also after an update has replaced it while it runs.
pub fn this_program() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let replaced = program.to_str().and_then(|path| path.strip_suffix(" (deleted)"));
    Ok(match replaced {
        Some(path) if !program.exists() && Path::new(path).exists() => PathBuf::from(path),
        _ => program,
    })
}

/// Makes sure that this process carries no mark of a terminal or a run it was started in, for a host
/// and for a window: when that terminal is closed they are not part of what is ended with its mark.
/// Starts the program anew in the same process where there are marks, because the system shows others
/// the environment that a process began with. Call it before anything else.
pub fn shed_marks() {
    #[cfg(unix)]
    if home::MARKS.iter().any(|mark| std::env::var_os(mark).is_some())
        && let Ok(program) = this_program()
    {
        use std::os::unix::process::CommandExt as _;

        let mut arguments = std::env::args_os();
        let mut process = Process::new(program);
        if let Some(name) = arguments.next() {
            let _ = process.arg0(name);
        }
        let _ = process.args(arguments);
        for mark in home::MARKS {
            let _ = process.env_remove(mark);
        }
        // Comes back only when it failed; going on with the marks is better than not at all.
        let error = process.exec();
        tracing::warn!(%error, "the marks of the terminal around stay");
    }
}

fn last_words(file: &Path) -> Option<String> {
    let text = String::from_utf8_lossy(&std::fs::read(file).ok()?).into_owned();
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?.trim();
    let line = line.strip_prefix("maestro: ").unwrap_or(line);
    Some(line.chars().filter(|c| !c.is_control()).take(400).collect())
}

/// A connection that many parts of a program share. Clones are the same connection; it ends when the
/// last is dropped.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The hand-shake's answer.
    program: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// `None` once the connection is over.
    outgoing: Option<mpsc::Sender<ToHost>>,
    waiting: HashMap<u64, oneshot::Sender<Result<Reply, message::Error>>>,
    next_request: u64,
    next_input: u64,
}

/// The host has not read for so long, or is gone; the connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection to the host is lost: connect again")]
pub struct Lost;

impl From<Lost> for message::Error {
    fn from(lost: Lost) -> Self {
        Self { kind: ErrorKind::Failed, message: lost.to_string() }
    }
}

impl Client {
    /// Shakes hands over any stream and starts the connection's two tasks.
    pub(crate) async fn over(
        stream: impl Duplex,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), Error> {
        let mut stream: Box<dyn Duplex> = Box::new(stream);
        let host = tokio::time::timeout(HANDSHAKE, codec::greet_host(&mut stream))
            .await
            .map_err(|_| Error::TimedOut(HANDSHAKE))??;
        let (read, write) = tokio::io::split(stream);
        let (outgoing, to_send) = mpsc::channel(OUTGOING);
        let (received, incoming) = mpsc::channel(INCOMING);
        let state = Arc::new(Mutex::new(State {
            outgoing: Some(outgoing),
            waiting: HashMap::new(),
            next_request: 1,
            next_input: 1,
        }));
        // Dropping a handle detaches its task: both end with the connection.
        drop(tokio::spawn(write_all(write, to_send, Arc::clone(&state))));
        drop(tokio::spawn(read_all(read, received, Arc::clone(&state))));
        let shared = Shared { program: host.program, state };
        Ok((Self { shared: Arc::new(shared) }, incoming))
    }

    /// The version of the host's program.
    #[must_use]
    pub fn host_version(&self) -> &str {
        &self.shared.program
    }

    /// Asks the host for something; what comes back waits for the answer. Give up by dropping it.
    ///
    /// The command is sent by this call and not when its answer is first waited for: so commands arrive in
    /// the order in which they were given, whoever waits for which answer first.
    ///
    /// Answers come through the same connection as frames and events: whoever waits here must not be
    /// the one who empties the receiver of [`Incoming`].
    pub fn request(
        &self,
        command: Command,
    ) -> impl Future<Output = Result<Reply, message::Error>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let sent = {
            let mut state = lock(&self.shared.state);
            let id = state.next_request;
            state.next_request += 1;
            let _ = state.waiting.insert(id, answer);
            state.send(ToHost::Request { id, command }).inspect_err(|_| {
                let _ = state.waiting.remove(&id);
            })
        };
        async move {
            sent?;
            answered.await.unwrap_or_else(|_| Err(Lost.into()))
        }
    }

    /// Sends a command whose answer does not matter to anybody. Never waits.
    pub fn tell(&self, command: Command) -> Result<(), Lost> {
        let mut state = lock(&self.shared.state);
        let id = state.next_request;
        state.next_request += 1;
        state.send(ToHost::Request { id, command })
    }

    /// Sends what a user did to a terminal and says which sequence number it got; it comes back as
    /// [`Frame::input_seq`]. Never waits, so any thread may call it.
    pub fn input(&self, terminal: TerminalId, input: Input) -> Result<u64, Lost> {
        let mut state = lock(&self.shared.state);
        let seq = state.next_input;
        state.next_input += 1;
        state.send(ToHost::Input { terminal, seq, input })?;
        Ok(seq)
    }

    /// Tells the host that a terminal's last frame was drawn and the next may come. Never waits.
    pub fn credit(&self, terminal: TerminalId) -> Result<(), Lost> {
        lock(&self.shared.state).send(ToHost::Credit { terminal })
    }

    /// Whether the connection is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        lock(&self.shared.state).outgoing.is_none()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        lock(&self.state).close();
    }
}

impl State {
    fn send(&mut self, message: ToHost) -> Result<(), Lost> {
        let sent = self.outgoing.as_ref().ok_or(Lost)?.try_send(message);
        if sent.is_err() {
            self.close();
        }
        sent.map_err(|_| Lost)
    }

    /// Whoever still waits for an answer learns that none comes.
    fn close(&mut self) {
        self.outgoing = None;
        self.waiting.clear();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing here can panic half-way through a change.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write_all(
    mut to: WriteHalf<Box<dyn Duplex>>,
    mut messages: mpsc::Receiver<ToHost>,
    state: Arc<Mutex<State>>,
) {
    let mut buffer = Vec::new();
    while let Some(message) = messages.recv().await {
        add(&message, &mut buffer, &state);
        // What else is ready goes with it: one write instead of many.
        while buffer.len() < MAX_TO_HOST {
            let Ok(message) = messages.try_recv() else { break };
            add(&message, &mut buffer, &state);
        }
        if to.write_all(&buffer).await.is_err() || to.flush().await.is_err() {
            break;
        }
        buffer.clear();
        buffer.shrink_to(64 << 10);
    }
    let _ = to.shutdown().await;
    lock(&state).close();
}

/// Encodes a message, or answers it here when it is too large for the host.
fn add(message: &ToHost, buffer: &mut Vec<u8>, state: &Mutex<State>) {
    let Err(error) = codec::encode(message, codec::limit_of(message), buffer) else { return };
    let refused = message::Error {
        kind: ErrorKind::Invalid,
        message: format!("{error}: send it in smaller pieces"),
    };
    match message {
        ToHost::Request { id, .. } => {
            if let Some(waiting) = lock(state).waiting.remove(id) {
                let _ = waiting.send(Err(refused));
            }
        }
        ToHost::Input { terminal, .. } => {
            tracing::warn!(%terminal, %error, "input was not sent");
        }
        ToHost::Credit { .. } => {}
    }
}

async fn read_all(
    from: ReadHalf<Box<dyn Duplex>>,
    incoming: mpsc::Sender<Incoming>,
    state: Arc<Mutex<State>>,
) {
    let mut from = tokio::io::BufReader::with_capacity(64 << 10, from);
    let mut buffer = Vec::new();
    let why = loop {
        let message = match codec::read(&mut from, MAX_TO_CLIENT, &mut buffer).await {
            Ok(Some(message)) => message,
            Ok(None) => break "the host closed the connection".to_owned(),
            Err(error) => break error.to_string(),
        };
        // A program that dropped its receiver wants answers only.
        match message {
            ToClient::Reply { id, result } => {
                if let Some(waiting) = lock(&state).waiting.remove(&id) {
                    let _ = waiting.send(result);
                }
            }
            ToClient::Event { seq, event } => {
                let _ = incoming.send(Incoming::Event { seq, event }).await;
            }
            ToClient::Frame(frame) => {
                let _ = incoming.send(Incoming::Frame(frame)).await;
            }
            ToClient::Said { tab, updates } => {
                let _ = incoming.send(Incoming::Said { tab, updates }).await;
            }
            ToClient::Heard { run, lines } => {
                let _ = incoming.send(Incoming::Heard { run, lines }).await;
            }
            ToClient::Order { number, order } => {
                let _ = incoming.send(Incoming::Order { number, order }).await;
            }
            ToClient::Lagged => {
                let _ = incoming.send(Incoming::Lagged).await;
            }
        }
    };
    lock(&state).close();
    let _ = incoming.send(Incoming::Closed(why)).await;
}

/// A connection for a program that does one thing at a time.
#[derive(Debug)]
pub struct Blocking {
    stream: BufReader<Stream>,
    buffer: Vec<u8>,
    next_request: u64,
    unread: VecDeque<Incoming>,
    host_version: String,
}

/// What may gather while an answer is awaited: far more than a host sends in between.
const UNREAD: usize = 4096;

impl Blocking {
    /// [`connect`] without a runtime.
    pub fn connect(home: &Home, start: &Start) -> Result<Self, Error> {
        let mut starting = Starting::new(home, start);
        loop {
            let name = home.socket();
            let options = name.as_path().to_fs_name::<GenericFilePath>();
            let failure =
                match options.and_then(|name| ConnectOptions::new().name(name).connect_sync()) {
                    Ok(stream) => match Self::over(stream) {
                        Ok(connected) => return Ok(connected),
                        Err(error) => error,
                    },
                    Err(error) => codec::Error::Io(error).into(),
                };
            starting.again(failure)?;
            std::thread::sleep(Starting::PAUSE);
        }
    }

    fn over(mut stream: Stream) -> Result<Self, Error> {
        set_timeout(&stream, Some(HANDSHAKE));
        // A host that was stopped in a debugger must not hold the command line for ever.
        let _ = stream.set_send_timeout(Some(SEND));
        let host = codec::greet_host_blocking(&mut stream)?;
        Ok(Self {
            stream: BufReader::with_capacity(64 << 10, stream),
            buffer: Vec::new(),
            next_request: 1,
            unread: VecDeque::new(),
            host_version: host.program,
        })
    }

    /// The version of the host's program.
    #[must_use]
    pub fn host_version(&self) -> &str {
        &self.host_version
    }

    /// Asks the host for something and waits for its answer. After [`Error::TimedOut`] the connection
    /// is of no further use.
    pub fn request(&mut self, command: Command, within: Duration) -> Result<Reply, Error> {
        let id = self.next_request;
        self.next_request += 1;
        self.send(&ToHost::Request { id, command })?;
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.receive(Some(left)) {
                Ok(ToClient::Reply { id: answered, result }) if answered == id => {
                    return result.map_err(Error::Host);
                }
                Ok(message) => self.keep(message),
                Err(Error::TimedOut(_)) => return Err(Error::TimedOut(within)),
                Err(error) => return Err(error),
            }
        }
    }

    /// What the host says unasked, in order. Without a bound this waits for ever.
    pub fn next(&mut self, within: Option<Duration>) -> Result<Incoming, Error> {
        let deadline = within.map(|within| Instant::now() + within);
        while self.unread.is_empty() {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let message = self.receive(left)?;
            self.keep(message);
        }
        Ok(self.unread.pop_front().unwrap_or(Incoming::Lagged))
    }

    /// Sends anything else.
    pub fn send(&mut self, message: &ToHost) -> Result<(), Error> {
        let mut bytes = Vec::new();
        codec::encode(message, codec::limit_of(message), &mut bytes)?;
        let stream = self.stream.get_mut();
        stream.write_all(&bytes).and_then(|()| stream.flush()).map_err(codec::Error::Io)?;
        Ok(())
    }

    fn receive(&mut self, within: Option<Duration>) -> Result<ToClient, Error> {
        // A zero time-out means none to the system.
        let within = within.map(|within| within.max(Duration::from_millis(1)));
        if self.stream.buffer().is_empty() {
            let until = within.map(|within| Instant::now() + within);
            let mut left = within;
            loop {
                set_timeout(self.stream.get_ref(), left);
                match self.stream.fill_buf() {
                    Ok(_) => break,
                    // By a signal, of which whoever waits wants to hear no later than it would have.
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                        let rest = |until: Instant| until.saturating_duration_since(Instant::now());
                        left = until.map(|until| rest(until).max(Duration::from_millis(1)));
                    }
                    Err(error) if is_timeout(&error) => {
                        return Err(Error::TimedOut(within.unwrap_or_default()));
                    }
                    Err(error) => return Err(codec::Error::Io(error).into()),
                }
            }
            // Only the wait for a message may end early: one that has begun and was given up halfway
            // would leave its rest to be taken for the next.
            set_timeout(self.stream.get_ref(), Some(REST));
        }
        match codec::read_blocking(&mut self.stream, MAX_TO_CLIENT, &mut self.buffer) {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(codec::Error::Io(io::ErrorKind::ConnectionReset.into()).into()),
            Err(codec::Error::Io(error)) if is_timeout(&error) => {
                Err(Error::TimedOut(within.unwrap_or_default()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&mut self, message: ToClient) {
        if self.unread.len() >= UNREAD {
            self.unread.clear();
            self.unread.push_back(Incoming::Lagged);
        }
        match message {
            ToClient::Event { seq, event } => {
                self.unread.push_back(Incoming::Event { seq, event });
            }
            ToClient::Frame(frame) => self.unread.push_back(Incoming::Frame(frame)),
            ToClient::Said { tab, updates } => {
                self.unread.push_back(Incoming::Said { tab, updates });
            }
            ToClient::Heard { run, lines } => {
                self.unread.push_back(Incoming::Heard { run, lines });
            }
            ToClient::Order { number, order } => {
                self.unread.push_back(Incoming::Order { number, order });
            }
            ToClient::Lagged => self.unread.push_back(Incoming::Lagged),
            // The answer to a request that nobody waits for any more.
            ToClient::Reply { .. } => {}
        }
    }
}

fn set_timeout(stream: &Stream, within: Option<Duration>) {
    // Named pipes have none; there a host that hangs is waited for.
    let _ = stream.set_recv_timeout(within);
}
