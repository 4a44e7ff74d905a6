//! One terminal: a PTY, its emulator, and who watches it.
//!
//! The emulator is touched by the pool's threads only, one at a time. Everybody else leaves an order in
//! the inbox and wakes the session. What the world may know about it without asking lies in
//! [`Facts`], behind a lock that is held for a copy and no longer.

mod facts;
mod orders;
mod paste;
mod search;

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use maestro_core::screen::Size;
use maestro_core::search::Search;
use maestro_core::{AgentId, TerminalId};
use maestro_protocol::message::{Screen, TerminalInfo};
use maestro_pty::{Grace, Pty, Spawn, Wake};
use maestro_terminal::{Identity, Options, Outbox, Palette, ShiftEnter, Terminal, View};
use tokio::sync::watch;

use self::facts::Facts;
pub(crate) use self::facts::News;
use self::orders::{Inbox, Order};
pub(crate) use self::orders::{NotTaken, Slice};
use self::paste::Paste;
use self::search::Searching;
use crate::client::Client;
use crate::heap::Heap;
use crate::pool::{Handle, Next, Priority, Schedule, Work};
use crate::searcher::Searcher;

/// How long after a key a terminal is urgent.
const URGENT: Duration = Duration::from_millis(100);
/// Between two frames of a terminal whose output does not end, unless it is urgent.
const FLOOD_FRAMES: Duration = Duration::from_millis(8);
/// How long a terminal must be quiet before its history is compressed.
const QUIET: Duration = Duration::from_secs(2);
/// Rows compressed at once: about half a millisecond.
const SLICE: usize = 256;
/// How long a flooding terminal compresses after a quantum when all together hold too much: about as long
/// as the largest chunk's rows take.
const RELIEF: Duration = Duration::from_millis(4);
/// After so many panics in a row a terminal is given up.
const PANICS: u32 = 3;

/// Terminals that have something to tell the world.
pub(crate) trait Notices: Send + Sync {
    /// The facts of a terminal changed.
    fn changed(&self, terminal: TerminalId);
    /// Its search is at another point, which is told at once.
    fn searched(&self, terminal: TerminalId);
    /// Something went wrong in a terminal.
    fn problem(&self, agent: Option<AgentId>, text: String);
}

/// A test's way to make the emulator's thread fail.
pub type Fault = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// One terminal.
pub(crate) struct Session {
    pub(crate) id: TerminalId,
    pub(crate) agent: Option<AgentId>,
    /// Whether it shows the agent itself, not a shell beside it.
    pub(crate) ai: bool,
    options: Options,
    pty: Pty,
    core: Mutex<Core>,
    inbox: Mutex<Inbox>,
    facts: Mutex<Facts>,
    schedule: Schedule,
    /// Bytes of the large paste that is on its way to the child; 0 for none.
    pasting: AtomicUsize,
    /// Nothing is left to do but what nobody waits for.
    idle_work: AtomicBool,
    viewers: AtomicU32,
    focused: AtomicU32,
    /// The number of the client whose search goes on, or is about to; 0 for none.
    searched_by: AtomicU64,
    /// Milliseconds after `epoch` until which it is urgent.
    urgent_until: AtomicU64,
    epoch: Instant,
    closed: watch::Sender<bool>,
    pool: Handle<Session>,
    notices: Arc<dyn Notices>,
    heap: Arc<Heap>,
    searcher: Arc<Searcher>,
    fault: Option<Fault>,
}

/// What a session is made from, besides its PTY.
pub(crate) struct Setup {
    pub(crate) id: TerminalId,
    pub(crate) agent: Option<AgentId>,
    pub(crate) ai: bool,
    pub(crate) title: String,
    pub(crate) directory: PathBuf,
    pub(crate) size: Size,
    pub(crate) identity: Identity,
    pub(crate) shift_enter: ShiftEnter,
    pub(crate) palette: Palette,
    /// Rows of history, where the user has set a number.
    pub(crate) scrollback: Option<usize>,
    pub(crate) pool: Handle<Session>,
    pub(crate) notices: Arc<dyn Notices>,
    pub(crate) heap: Arc<Heap>,
    pub(crate) searcher: Arc<Searcher>,
    pub(crate) fault: Option<Fault>,
}

/// What the pool's threads work on.
struct Core {
    terminal: Terminal,
    /// The colours last told, for a fresh emulator.
    palette: Palette,
    outbox: Outbox,
    viewers: Vec<Viewer>,
    /// Counts changes of the terminal, so that nothing is compared when nothing changed.
    version: u64,
    last_frame: Instant,
    last_output: Option<Instant>,
    /// There may be history to compress.
    compressible: bool,
    /// Bytes of rows as last told to the heap's books.
    hot: usize,
    panics: u32,
    /// What was taken from the inbox and comes next. Here and not in a thread's hands: a panic costs the
    /// order that caused it and none behind it.
    orders: VecDeque<Order>,
    /// A large paste that is being written, and what was typed behind it.
    paste: Option<Paste>,
    behind: VecDeque<Order>,
    behind_bytes: usize,
    /// What needs old rows at a width they do not have yet, and what comes after it.
    later: VecDeque<Order>,
    searching: Searching,
    /// Bytes the child has printed.
    printed: u64,
    /// Frames packed for all clients.
    frames: u64,
}

struct Viewer {
    link: Arc<Link>,
    view: View,
    version: u64,
    input_seq: u64,
}

/// A client's hold on a terminal.
pub(crate) struct Link {
    pub(crate) client: Arc<Client>,
    pub(crate) focused: bool,
    /// The client can take another frame.
    credit: std::sync::atomic::AtomicBool,
}

impl Session {
    /// Starts the child of a terminal. Blocks for as long as a fork takes.
    pub(crate) fn spawn(setup: Setup, spawn: Spawn) -> Result<Arc<Self>, maestro_pty::Error> {
        Self::with_pty(setup, |wake| Pty::spawn(spawn, wake))
    }

    /// A session on whatever PTY is made with its wake function.
    pub(crate) fn with_pty<E>(
        setup: Setup,
        pty: impl FnOnce(Wake) -> Result<Pty, E>,
    ) -> Result<Arc<Self>, E> {
        let place: Arc<OnceLock<Weak<Self>>> = Arc::default();
        let waker = Arc::clone(&place);
        let pool = setup.pool.clone();
        let pty = pty(Arc::new(move || {
            if let Some(session) = waker.get().and_then(Weak::upgrade) {
                pool.wake(&session);
            }
        }))?;
        let session = Arc::new(Self::new(setup, pty));
        let _ = place.set(Arc::downgrade(&session));
        // What came before the place was set woke nobody.
        session.wake();
        Ok(session)
    }

    fn new(setup: Setup, pty: Pty) -> Self {
        let usual = Options::new(setup.size);
        let options = Options {
            palette: setup.palette,
            identity: setup.identity,
            shift_enter: setup.shift_enter,
            scrollback: setup.scrollback.unwrap_or(usual.scrollback),
            ..usual
        };
        let info = TerminalInfo {
            id: setup.id,
            agent: setup.agent,
            title: setup.title.clone(),
            directory: setup.directory.clone(),
            size: options.size,
            pid: pty.pid(),
            exit: None,
            progress: None,
            pasting: None,
        };
        let now = Instant::now();
        setup.heap.began();
        Self {
            id: setup.id,
            agent: setup.agent,
            ai: setup.ai,
            core: Mutex::new(Core {
                terminal: Terminal::new(options.clone()),
                palette: options.palette,
                outbox: Outbox::new(),
                viewers: Vec::new(),
                version: 1,
                last_frame: now,
                last_output: None,
                compressible: false,
                hot: 0,
                panics: 0,
                orders: VecDeque::new(),
                paste: None,
                behind: VecDeque::new(),
                behind_bytes: 0,
                later: VecDeque::new(),
                searching: Searching::default(),
                printed: 0,
                frames: 0,
            }),
            options,
            pty,
            inbox: Mutex::default(),
            facts: Mutex::new(Facts {
                info,
                name: setup.title,
                started_in: setup.directory,
                news: News::default(),
                search: None,
            }),
            schedule: Schedule::default(),
            pasting: AtomicUsize::new(0),
            idle_work: AtomicBool::new(false),
            viewers: AtomicU32::new(0),
            focused: AtomicU32::new(0),
            searched_by: AtomicU64::new(0),
            urgent_until: AtomicU64::new(0),
            epoch: now,
            closed: watch::Sender::new(false),
            pool: setup.pool,
            notices: setup.notices,
            heap: setup.heap,
            searcher: setup.searcher,
            fault: setup.fault,
        }
    }

    /// What the world sees.
    pub(crate) fn info(&self) -> TerminalInfo {
        self.facts().info.clone()
    }

    /// What happened since the last call.
    pub(crate) fn take_news(&self) -> News {
        std::mem::take(&mut self.facts().news)
    }

    /// Whether its child lives.
    pub(crate) fn is_live(&self) -> bool {
        self.facts().info.exit.is_none()
    }

    /// How far its search is, as last told; `None` without one.
    pub(crate) fn search_state(&self) -> Option<Search> {
        self.facts().search.clone()
    }

    /// Frames for a client from now on.
    pub(crate) fn watch(self: &Arc<Self>, client: Arc<Client>, focused: bool) -> Arc<Link> {
        let link = Arc::new(Link { client, focused, credit: true.into() });
        self.subscribe(Arc::clone(&link));
        link
    }

    /// A client has drawn its last frame.
    pub(crate) fn credit(self: &Arc<Self>, link: &Link) {
        if !link.credit.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// The screen for reading.
    pub(crate) async fn read(self: &Arc<Self>, history: bool) -> Option<Screen> {
        let contents = self.contents(history).await?;
        Some(Screen {
            info: self.info(),
            history: contents.history,
            rows: contents.rows,
            cursor: contents.cursor,
            modes: contents.modes,
            scroll: contents.scroll,
        })
    }

    /// Ends the child and everything it started, in the background.
    pub(crate) fn close(&self, grace: Grace) {
        self.pty.close(grace);
    }

    /// Waits until nothing of it runs any more, but not for ever; says whether that is so.
    pub(crate) async fn closed(&self, limit: Duration) -> bool {
        let mut closed = self.closed.subscribe();
        tokio::time::timeout(limit, closed.wait_for(|closed| *closed))
            .await
            .is_ok_and(|result| result.is_ok())
    }

    /// Runs it soon.
    pub(crate) fn wake(self: &Arc<Self>) {
        self.pool.wake(self);
    }

    /// For a moment its output goes before everybody else's.
    fn was_typed_into(self: &Arc<Self>) {
        let now = Instant::now();
        let until = (now + URGENT).saturating_duration_since(self.epoch);
        self.urgent_until.store(until.as_millis() as u64, Ordering::Relaxed);
        if self.focused.load(Ordering::Relaxed) > 0 {
            self.pool.hold(now);
        }
        let mut facts = self.facts();
        if !std::mem::replace(&mut facts.news.typed, true) {
            drop(facts);
            self.notices.changed(self.id);
        }
    }

    fn set_size(&self, core: &mut Core, size: Size) {
        let size = size.clamped();
        if core.terminal.size() == size {
            return;
        }
        // The child's terminal has the size before the child reads of it (mode 2048).
        self.pty.resize(size);
        core.terminal.input(&maestro_core::input::Input::Resize(size), &mut core.outbox);
        self.empty_outbox(core);
        core.version += 1;
        core.compressible = true;
        self.tell(|facts| {
            let changed = facts.info.size != size;
            facts.info.size = size;
            facts.news.info |= changed;
        });
    }

    /// Replies go to the child, events to the facts.
    fn empty_outbox(&self, core: &mut Core) {
        if core.outbox.is_empty() {
            return;
        }
        match &mut core.paste {
            Some(paste) => paste.hold(&core.outbox.replies),
            None => self.write(&core.outbox.replies),
        }
        let events = std::mem::take(&mut core.outbox.events);
        core.outbox.clear();
        if !events.is_empty() {
            self.tell(|facts| events.into_iter().for_each(|event| facts.note(event)));
        }
    }

    fn write(&self, bytes: &[u8]) {
        match self.pty.write(bytes) {
            Ok(()) | Err(maestro_pty::Refused::Closed) => {}
            Err(refused @ maestro_pty::Refused::Full { .. }) => {
                self.notices.problem(self.agent, format!("{}: {refused}", self.id));
            }
        }
    }

    fn note_exit(&self) {
        if let Some(code) = self.pty.exit()
            && self.is_live()
        {
            self.tell(|facts| {
                facts.info.exit = Some(code);
                facts.info.pid = None;
                facts.info.progress = None;
                facts.news.info = true;
                facts.news.exit = Some(code);
            });
        }
        if self.pty.is_closed() {
            let _ = self.closed.send_replace(true);
        }
    }

    /// Packs frames for the clients that can take one.
    fn publish(self: &Arc<Self>, core: &mut Core, now: Instant) {
        let flooding = self.pty.has_output();
        let hold = flooding
            && !self.is_urgent(now)
            && now.saturating_duration_since(core.last_frame) < FLOOD_FRAMES;
        if hold {
            // It runs again at once: there is output.
            return;
        }
        let mut sent = false;
        for viewer in &mut core.viewers {
            let ready = viewer.version != core.version
                && viewer.link.credit.load(Ordering::Acquire)
                && viewer.link.client.takes_frame_of(self);
            if !ready {
                continue;
            }
            viewer.version = core.version;
            let Some(mut frame) = core.terminal.frame(&mut viewer.view) else { continue };
            frame.flooding = flooding;
            frame.input_seq = viewer.input_seq;
            viewer.link.credit.store(false, Ordering::Release);
            core.frames += 1;
            viewer.link.client.push_frame(frame, viewer.link.focused);
            sent = true;
        }
        if sent {
            core.last_frame = now;
        }
    }

    /// Compresses a slice of history when nothing else is to do; says when to look again.
    fn compact(&self, core: &mut Core, now: Instant) -> Option<Instant> {
        if !core.compressible {
            return None;
        }
        let quiet_from = core.last_output.map_or(now, |at| at + QUIET);
        if quiet_from > now && !self.heap.is_over() {
            return Some(quiet_from);
        }
        core.compressible = self.compress_slice(core);
        // A later slice waits its turn behind everybody who has real work.
        core.compressible.then(|| now + Duration::from_millis(1))
    }

    /// Many that flood would hold all their rows until they are quiet. Where all together hold too much,
    /// each that has more than its part compresses what it has just added, and is slower for it.
    fn relieve(&self, core: &mut Core) {
        let begin = Instant::now();
        while self.heap.is_too_much(core.hot)
            && begin.elapsed() < RELIEF
            && core.terminal.compact(SLICE)
        {
            self.book(core);
        }
        self.book(core);
    }

    /// Says whether there is more to compress.
    fn compress_slice(&self, core: &mut Core) -> bool {
        let more = core.terminal.compact(SLICE);
        let before = core.hot;
        self.book(core);
        if core.hot < before {
            self.heap.compressed(SLICE);
        }
        if !more {
            self.heap.settle();
        }
        more
    }

    fn book(&self, core: &mut Core) {
        let hot = core.terminal.hot_bytes();
        self.heap.changed(core.hot, hot);
        core.hot = hot;
    }

    fn is_urgent(&self, now: Instant) -> bool {
        let until = self.urgent_until.load(Ordering::Relaxed);
        now.saturating_duration_since(self.epoch).as_millis() < u128::from(until)
    }

    fn tell(&self, change: impl FnOnce(&mut Facts)) {
        let has_news = {
            let mut facts = self.facts();
            change(&mut facts);
            !facts.news.is_empty()
        };
        if has_news {
            self.notices.changed(self.id);
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work for Session {
    fn run(self: &Arc<Self>, now: Instant) -> Next {
        let mut guard = self.core();
        let core = &mut *guard;
        {
            let mut inbox = self.inbox();
            inbox.bytes = 0;
            core.orders.append(&mut inbox.orders);
        }
        self.obey(core);
        let pasting = self.go_on_pasting(core);
        let wrapping = self.go_on_wrapping(core);
        if let Some(chunk) = self.pty.take() {
            if let Some(fault) = &self.fault {
                fault(&chunk);
            }
            core.terminal.advance(&chunk, &mut core.outbox);
            core.version += 1;
            core.printed += chunk.len() as u64;
            core.last_output = Some(now);
            core.compressible = true;
            core.panics = 0;
            self.book(core);
            self.empty_outbox(core);
        }
        let deadline = core.terminal.sync_deadline();
        if deadline.is_some_and(|at| at <= now) {
            core.terminal.end_sync(&mut core.outbox);
            core.version += 1;
            self.empty_outbox(core);
        }
        let more = self.pty.has_output();
        if !more {
            self.note_exit();
            if core.paste.is_some() && !self.is_live() {
                // Nobody reads the rest.
                self.end_paste(core);
            }
        }
        let searching = if self.is_urgent(now) && more {
            Next::Again
        } else {
            self.go_on_searching(core, more)
        };
        self.publish(core, now);
        self.idle_work.store(false, Ordering::Relaxed);
        if more || pasting || wrapping || !core.orders.is_empty() || !self.inbox().orders.is_empty()
        {
            if !self.is_urgent(now) {
                self.relieve(core);
            }
            return Next::Again;
        }
        let Next::Wait(searching) = searching else {
            self.idle_work.store(true, Ordering::Relaxed);
            return Next::Again;
        };
        let sync = core.terminal.sync_deadline();
        let compact = self.compact(core, now);
        Next::Wait([sync, compact, searching].into_iter().flatten().min())
    }

    fn priority(&self, now: Instant) -> Priority {
        let focused = self.focused.load(Ordering::Relaxed) > 0;
        if focused && self.is_urgent(now) {
            Priority::Urgent
        } else if self.idle_work.load(Ordering::Relaxed) {
            Priority::Hidden
        } else if focused {
            Priority::Focused
        } else if self.viewers.load(Ordering::Relaxed) > 0 {
            Priority::Visible
        } else {
            Priority::Hidden
        }
    }

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The emulator's state cannot be trusted any more: a fresh one takes over, the child goes on.
    fn panicked(self: &Arc<Self>, message: String) {
        tracing::error!(terminal = %self.id, message, "a terminal's work panicked");
        let mut core = self.core();
        core.panics += 1;
        let given_up = core.panics >= PANICS;
        let size = core.terminal.size();
        let palette = core.palette;
        core.terminal = Terminal::new(Options { size, palette, ..self.options.clone() });
        core.outbox = Outbox::new();
        core.version += 1;
        self.lose_search(&mut core);
        for viewer in &mut core.viewers {
            viewer.view.reset();
        }
        drop(core);
        let text = if given_up {
            self.pty.close(Grace::default());
            format!("Terminal {} failed again and again and was closed: {message}", self.id)
        } else {
            // A program that draws its whole screen does so again when its size changes.
            self.pty.resize(Size { rows: size.rows.saturating_sub(1).max(1), ..size });
            self.pty.resize(size);
            format!(
                "The screen of terminal {} was reset because showing it failed: {message}",
                self.id
            )
        };
        self.notices.problem(self.agent, text);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut core = self.core();
        let hot = std::mem::take(&mut core.hot);
        // Now, and not after this function: what it held is to be given back.
        core.terminal = Terminal::new(Options::new(Size::new(1, 1)));
        drop(core);
        self.heap.changed(hot, 0);
        self.heap.ended();
        self.heap.free_paste(self.pasting.swap(0, Ordering::AcqRel));
        self.heap.freed(hot);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}
