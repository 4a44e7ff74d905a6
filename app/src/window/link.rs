//! The connection to the host, on its own thread.
//!
//! Frames go from here straight into their [`Surface`]s and never become messages. Everything else is
//! gathered and taken by the window in batches, so that a burst of events costs one rebuild of the view.
//! When the host is gone, the thread says so and starts a new one.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use iced::Task;
use iced::futures::channel::mpsc as signals;
use iced::futures::{Stream, StreamExt as _, stream};
use maestro_core::conversation::Update;
use maestro_core::input::Input;
use maestro_core::order::Order;
use maestro_core::playbook::Heard;
use maestro_core::{RunId, TabId, TerminalId};
use maestro_grid::{Clock, Surface};
use maestro_protocol::client::{self, Client, Incoming, Start};
use maestro_protocol::home::Home;
use maestro_protocol::message::{Command, Error, ErrorKind, Event, Reply, World};
use maestro_ui::theme::Tokens;

use super::probe;

/// At most this many batches a second: a title that changes fifty times a second is read by nobody.
const BATCH: Duration = Duration::from_millis(33);

/// Events that may wait for the window. Beyond it they are dropped and the world is asked for again.
const WAITING: usize = 4096;

/// Between two attempts to reach a host that cannot be reached.
const RETRY: Duration = Duration::from_secs(2);

/// What the window hears.
#[derive(Debug, Clone)]
pub enum News {
    /// There is a connection, and this is the world. `again` after another one was lost.
    Connected { world: Box<World>, again: bool },
    /// Events were lost; this is the world now.
    Resynced(Box<World>),
    /// Something happened.
    Event { seq: u64, event: Event },
    /// Something was said in a tab that is shown.
    Said { tab: TabId, updates: Vec<Update> },
    /// A run that is watched said something.
    Heard { run: RunId, lines: Vec<Heard> },
    /// Somebody wants the window to do something.
    Order { number: u64, order: Order },
    /// The connection is over. A new host is being started.
    Lost(String),
    /// Somebody stopped the host. It stays stopped until [`Link::wake`].
    Stopped,
    /// There is no host, and none could be started; it is tried again.
    Unreachable(String),
}

/// A handle to the connection. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Link {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    state: Mutex<State>,
    /// Told when there is news, for whoever waits before there is a window.
    told: Condvar,
    /// Told when a stopped host is wanted back.
    wanted: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct State {
    client: Option<Client>,
    surfaces: HashMap<TerminalId, Surface>,
    news: Vec<News>,
    overflow: bool,
    signal: Option<signals::Sender<()>>,
    /// What went to terminals, for tests.
    #[cfg(test)]
    sent: Vec<(TerminalId, Input)>,
    /// What the host was asked for, for tests.
    #[cfg(test)]
    asked: Vec<Command>,
    /// What it was told without waiting for an answer, for tests.
    #[cfg(test)]
    unasked: Vec<Command>,
}

impl Link {
    /// A link without a host: for pictures and tests. What is sent goes nowhere.
    #[must_use]
    pub fn detached(clock: &Clock) -> Self {
        let (state, wanted) = (Mutex::default(), tokio::sync::Notify::new());
        let told = Condvar::new();
        Self { shared: Arc::new(Shared { clock: clock.clone(), state, told, wanted }) }
    }

    /// Starts the thread that connects, and keeps connecting.
    pub fn start(clock: &Clock, home: Home, start: Start) -> std::io::Result<Self> {
        let link = Self::detached(clock);
        let shared = Arc::clone(&link.shared);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let _ = thread::Builder::new()
            .name("host link".to_owned())
            .spawn(move || runtime.block_on(shared.live(&home, &start)))?;
        Ok(link)
    }

    /// Yields whenever there is news to [`take`](Self::take), not more often than a view can be rebuilt.
    pub fn arrivals(&self) -> impl Stream<Item = ()> + Send + 'static {
        let (mut sender, receiver) = signals::channel(1);
        // What came before anybody listened is heard, too.
        let _ = sender.try_send(());
        self.shared.lock().signal = Some(sender);
        stream::unfold((receiver, false), |(mut receiver, rests)| async move {
            if rests {
                tokio::time::sleep(BATCH).await;
            }
            receiver.next().await?;
            Some(((), (receiver, true)))
        })
    }

    /// How much was heard that the window has not taken yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.lock().news.len()
    }

    /// What went to terminals since the last time.
    #[cfg(test)]
    pub fn sent(&self) -> Vec<(TerminalId, Input)> {
        std::mem::take(&mut self.shared.lock().sent)
    }

    /// What the host was asked for since the last time.
    #[cfg(test)]
    pub fn asked(&self) -> Vec<Command> {
        std::mem::take(&mut self.shared.lock().asked)
    }

    /// What the host was told since the last time, without an answer that matters.
    #[cfg(test)]
    pub fn unasked(&self) -> Vec<Command> {
        std::mem::take(&mut self.shared.lock().unasked)
    }

    /// Starts a stopped host again.
    pub fn wake(&self) {
        self.shared.wanted.notify_one();
    }

    /// Waits until anything was heard, but not longer than `limit`. For the time before there is a window:
    /// a host that runs answers within milliseconds, and then the first frame shows the world.
    pub fn wait(&self, limit: Duration) {
        let silent = |state: &mut State| state.news.is_empty();
        let waited = self.shared.told.wait_timeout_while(self.shared.lock(), limit, silent);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// What was heard since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<News> {
        std::mem::take(&mut self.shared.lock().news)
    }

    /// The surface of a terminal.
    #[must_use]
    pub fn surface(&self, terminal: TerminalId) -> Surface {
        let mut state = self.shared.lock();
        let surface = state.surfaces.entry(terminal).or_insert_with(|| {
            let shared = Arc::downgrade(&self.shared);
            Surface::with_credit(&self.shared.clock, move || {
                if let Some(shared) = shared.upgrade()
                    && let Some(client) = shared.client()
                {
                    // A lost connection is noticed where it is read.
                    let _ = client.credit(terminal);
                }
            })
        });
        surface.clone()
    }

    /// Forgets the surface of a terminal that is gone.
    pub fn forget(&self, terminal: TerminalId) {
        let _ = self.shared.lock().surfaces.remove(&terminal);
    }

    /// Sends what the user did to a terminal.
    pub fn input(&self, terminal: TerminalId, input: Input) {
        #[cfg(test)]
        self.shared.lock().sent.push((terminal, input.clone()));
        if let Some(client) = self.shared.client() {
            let typed = matches!(input, Input::Key(_) | Input::Text(_));
            let began = Instant::now();
            if let Ok(seq) = client.input(terminal, input)
                && typed
            {
                probe::note_at(began, probe::Step::Key { seq });
            }
        }
    }

    /// Sends a command whose answer matters to nobody.
    pub fn tell(&self, command: Command) {
        #[cfg(test)]
        self.shared.lock().unasked.push(command.clone());
        if let Some(client) = self.shared.client() {
            let _ = client.tell(command);
        }
    }

    /// Tells the host the colours of a theme, for programs that ask their terminal.
    pub fn tell_theme(&self, tokens: &Tokens) {
        let colors = &tokens.terminal;
        self.tell(Command::SetTheme {
            foreground: colors.foreground,
            background: colors.background,
            cursor: colors.cursor,
            ansi: colors.ansi,
            dark: tokens.dark,
        });
    }

    /// Sends a command, before this returns: what the user did next must not come before it. Its answer, or
    /// a sentence that says why there is none, becomes a message.
    pub fn ask<M: Send + 'static>(
        &self,
        command: Command,
        message: impl Fn(Result<Reply, String>) -> M + Send + 'static,
    ) -> Task<M> {
        Task::perform(self.request(command), move |reply| {
            message(reply.map_err(|error| error.message))
        })
    }

    /// Sends a command; what comes back waits for its answer.
    pub fn request(
        &self,
        command: Command,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + use<> {
        #[cfg(test)]
        self.shared.lock().asked.push(command.clone());
        let answer = self.shared.client().map(|client| client.request(command));
        async move {
            match answer {
                Some(answer) => answer.await,
                None => Err(Error {
                    kind: ErrorKind::Failed,
                    message: "there is no connection to the host at the moment; try again in a \
                              second"
                        .to_owned(),
                }),
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Option<Client> {
        self.lock().client.clone()
    }

    /// Tells the window, which may be slower than the host.
    fn tell(&self, news: News) {
        let mut state = self.lock();
        if state.news.len() >= WAITING && matches!(news, News::Event { .. }) {
            state.overflow = true;
        } else {
            state.news.push(news);
            self.told.notify_all();
        }
        if let Some(signal) = &mut state.signal {
            // A full channel has been signalled already.
            let _ = signal.try_send(());
        }
    }

    async fn live(&self, home: &Home, start: &Start) {
        let mut again = false;
        loop {
            match client::connect(home, start).await {
                Ok((client, incoming)) => {
                    let ended = self.serve(client, incoming, again).await;
                    again = true;
                    match ended {
                        Ended::Lost(why) => self.tell(News::Lost(why)),
                        Ended::Stopped => {
                            self.tell(News::Stopped);
                            self.wanted.notified().await;
                        }
                    }
                }
                Err(error) => {
                    self.tell(News::Unreachable(error.to_string()));
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Lives with one connection until it ends, and says why it did.
    async fn serve(
        &self,
        client: Client,
        mut incoming: tokio::sync::mpsc::Receiver<Incoming>,
        again: bool,
    ) -> Ended {
        let follow = || client.request(Command::World { follow: true });
        let reply = match follow().await {
            Ok(reply) => reply,
            Err(error) => return Ended::Lost(error.message),
        };
        self.lock().client = Some(client.clone());
        if let Reply::World(world) = reply {
            self.tell(News::Connected { world, again });
        }
        let mut resync = None;
        let mut stopping = false;
        let why = loop {
            // The answer comes through the same connection as the rest, so both are waited for.
            let heard = tokio::select! {
                heard = incoming.recv() => heard,
                Some(reply) = answer(&mut resync) => {
                    resync = None;
                    if let Ok(Reply::World(world)) = reply {
                        self.tell(News::Resynced(world));
                    }
                    continue;
                }
            };
            match heard {
                Some(Incoming::Frame(frame)) => {
                    let surface = self.lock().surfaces.get(&frame.terminal).cloned();
                    if let Some(surface) = surface {
                        let _ = surface.apply(*frame);
                    }
                }
                Some(Incoming::Event { seq, event }) => {
                    stopping |= matches!(event, Event::HostStopping);
                    self.tell(News::Event { seq, event });
                }
                Some(Incoming::Said { tab, updates }) => self.tell(News::Said { tab, updates }),
                Some(Incoming::Heard { run, lines }) => self.tell(News::Heard { run, lines }),
                Some(Incoming::Order { number, order }) => {
                    self.tell(News::Order { number, order });
                }
                Some(Incoming::Lagged) => self.lock().overflow = true,
                Some(Incoming::Closed(why)) => break why,
                None => break "the connection ended".to_owned(),
            }
            let overflow = std::mem::take(&mut self.lock().overflow);
            if overflow && resync.is_none() {
                resync = Some(Box::pin(follow()));
            }
        };
        self.lock().client = None;
        if stopping { Ended::Stopped } else { Ended::Lost(why) }
    }
}

/// How a connection ended.
enum Ended {
    /// By itself.
    Lost(String),
    /// After the host had said that it would.
    Stopped,
}

/// Waits for a request that may not be under way; for ever when it is not.
async fn answer<F: Future + Unpin>(request: &mut Option<F>) -> Option<F::Output> {
    match request {
        Some(request) => Some(request.await),
        None => std::future::pending().await,
    }
}
