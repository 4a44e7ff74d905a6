//! The frame clock: decides when the window draws.
//!
//! No present mode paces every display server, and on a software renderer a frame costs tens of
//! milliseconds of processor time whatever changed in it. So drawing is paced here, by what frames
//! cost: their spacing is such that drawing takes at most a share of one core, and never so wide that
//! the window looks dead. What answers a key press goes past the pacing in an urgent lane.
//!
//! A redraw is the runtime's own action. It never becomes a message, so neither `update` nor `view`
//! runs for it. [`Clock::task`] belongs into the task the application boots with.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use iced::Task;
use iced::futures::channel::mpsc;
use iced_runtime::{Action, task, window};

use crate::counters::Counters;

/// The narrowest spacing of frames. No screen shows more, and some display servers do not throttle.
const NARROWEST: Duration = Duration::from_millis(8);

/// The widest spacing of frames: four a second still look alive.
const WIDEST: Duration = Duration::from_millis(250);

/// Share of one core that drawing may take.
const SHARE: f64 = 0.5;

/// Share of one core that drawing may take while output floods: the child needs the rest.
const FLOODED_SHARE: f64 = 0.25;

/// How long a flood counts after the last sign of it.
const FLOOD_MEMORY: Duration = Duration::from_millis(500);

/// How long after a key press a change in its terminal is urgent.
pub const URGENCY: Duration = Duration::from_millis(100);

/// A spacing beyond which a frame is so dear that it keeps the next one waiting: on a graphics card none
/// is, on a software renderer every one.
const DEAR: Duration = Duration::from_millis(16);

/// How much a new sample weighs in the moving average of a frame's cost; converges in ten frames.
const WEIGHT: f64 = 0.25;

/// After this long a request that was never answered is forgotten: the window was hidden, or showed
/// nothing of ours. It bounds what a lost answer can cost to one late frame.
const PATIENCE: Duration = Duration::from_secs(1);

/// Paces redraws of the window. Cheap to clone; every clone is the same clock, usable from any thread.
#[derive(Debug, Clone)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the thread that waits for a later frame's turn.
    changed: Condvar,
    counters: Counters,
    sleeps: AtomicU64,
    watcher: Watcher,
}

/// Who hears of moments, if anybody does.
#[derive(Default)]
struct Watcher(OnceLock<Box<dyn Fn(Moment) + Send + Sync>>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watcher").field(&self.0.get().is_some()).finish()
    }
}

/// A step on a frame's way to the screen, for measuring how long the way takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Rows from the host were applied to a surface.
    Applied {
        /// How many.
        rows: usize,
        /// The last input the host had given to the child by then.
        input_seq: u64,
    },
    /// A window begins a frame.
    Begun,
    /// The rows of a surface were handed to the graphics device for that frame.
    Drawn {
        /// The input sequence number of the surface.
        input_seq: u64,
    },
    /// Everything the frame needs is recorded; submitting it is the toolkit's next call. The software
    /// renderer does not tell.
    Recorded,
}

#[derive(Debug)]
struct State {
    pacer: Pacer,
    /// Where redraws go once the task runs; nothing before.
    redraws: Option<mpsc::UnboundedSender<()>>,
    /// When a delayed request is due.
    due: Option<Instant>,
}

impl Clock {
    /// A clock that has seen no frame yet.
    #[must_use]
    pub fn new() -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State { pacer: Pacer::new(), redraws: None, due: None }),
            changed: Condvar::new(),
            counters: Counters::default(),
            sleeps: AtomicU64::new(0),
            watcher: Watcher::default(),
        });
        let waiting = Arc::downgrade(&shared);
        // Without the thread delayed requests would be lost; asking for one thread at start fails only
        // where nothing else would work either.
        let _ = thread::Builder::new()
            .name("frame clock".to_owned())
            .spawn(move || wait_for_turns(&waiting))
            .expect("the frame clock needs a thread");
        Self { shared }
    }

    /// The task that turns this clock's ticks into redraws. It never ends and never produces a
    /// message. To be run once, in the task the application boots with; a second call takes over.
    pub fn task<M: Send + 'static>(&self) -> Task<M> {
        let (sender, receiver) = mpsc::unbounded();
        {
            let mut state = self.shared.lock();
            state.redraws = Some(sender);
            // What was asked for before anybody listened is asked for again.
            state.pacer.outstanding = None;
        }
        self.request(Urgency::Paced);
        Task::stream(receiver).then(|()| task::effect(Action::Window(window::Action::RedrawAll)))
    }

    /// Asks for a redraw. Many requests before the next frame are one.
    pub fn request(&self, urgency: Urgency) {
        self.shared.counters.requested();
        let mut state = self.shared.lock();
        state.request(Instant::now(), urgency, &self.shared);
    }

    /// A window is about to draw the frame of this instant. Called by every terminal in it; they share
    /// the instant, so the frame counts once.
    pub fn frame_begins(&self, at: Instant) {
        let mut state = self.shared.lock();
        if state.pacer.frame(at, process_time()) {
            self.shared.counters.frame();
            self.passed(Moment::Begun);
            // A request that was waiting for this frame's end is put off by the new spacing, and is
            // kept: what it is about may have come after this frame read its rows.
            if state.due.is_some() {
                self.shared.changed.notify_one();
            }
        }
    }

    /// A terminal's child prints faster than frames are taken.
    pub fn flooding(&self) {
        self.shared.lock().pacer.flooded = Some(Instant::now());
    }

    /// Somebody types: where frames are dear, none is begun for anything else until the echo is there.
    pub(crate) fn typed(&self, at: Instant) {
        self.shared.lock().pacer.typed = Some(at);
    }

    /// What has been counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Has every moment told, on the thread where it passes. For benchmarks; the first watcher stays.
    pub fn watch(&self, watcher: impl Fn(Moment) + Send + Sync + 'static) {
        let _ = self.shared.watcher.0.set(Box::new(watcher));
    }

    /// Tells the watcher.
    pub(crate) fn passed(&self, moment: Moment) {
        if let Some(watcher) = self.shared.watcher.0.get() {
            watcher(moment);
        }
    }

    /// The spacing of frames at the moment.
    #[must_use]
    pub fn spacing(&self) -> Duration {
        self.shared.lock().pacer.spacing(Instant::now())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// How soon a redraw is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// When it is the next frame's turn.
    Paced,
    /// At once: it answers a key press.
    Urgent,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn request(&mut self, now: Instant, urgency: Urgency, shared: &Shared) {
        match self.pacer.when(now, urgency) {
            Turn::Answered => {}
            Turn::Now => self.send(now, shared),
            Turn::Later(at) => {
                if self.due.is_none_or(|due| at < due) {
                    self.due = Some(at);
                    shared.changed.notify_one();
                }
            }
        }
    }

    fn send(&mut self, now: Instant, shared: &Shared) {
        self.due = None;
        let sent = self.redraws.as_ref().is_some_and(|redraws| redraws.unbounded_send(()).is_ok());
        if sent {
            self.pacer.outstanding = Some(now);
            shared.counters.redraw_sent();
        }
    }
}

/// The clock's thread: sleeps until a delayed request is due. Without one it sleeps for good.
fn wait_for_turns(shared: &Weak<Shared>) {
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let _ = shared.sleeps.fetch_add(1, Ordering::Relaxed);
        let mut state = shared.lock();
        let now = Instant::now();
        // The upper bound only lets the thread notice that the clock is gone.
        let wait = match state.due {
            Some(due) => due.saturating_duration_since(now),
            None => Duration::from_secs(60),
        };
        if wait.is_zero() {
            state.due = None;
            state.request(now, Urgency::Paced, &shared);
            continue;
        }
        drop(shared.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner));
    }
}

/// The rules of pacing, without a clock of its own.
#[derive(Debug)]
struct Pacer {
    /// When the request was sent that no frame has answered.
    outstanding: Option<Instant>,
    /// The last frame: its instant, and the process's time at it.
    last: Option<(Instant, Duration)>,
    /// Moving average of what a frame costs, in seconds of processor time.
    cost: f64,
    flooded: Option<Instant>,
    /// The last key press.
    typed: Option<Instant>,
}

/// When a request may be sent.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// The frame that was already asked for will show it.
    Answered,
    Now,
    Later(Instant),
}

impl Pacer {
    fn new() -> Self {
        Self { outstanding: None, last: None, cost: 0.0, flooded: None, typed: None }
    }

    fn when(&self, now: Instant, urgency: Urgency) -> Turn {
        if self.outstanding.is_some_and(|sent| now.saturating_duration_since(sent) < PATIENCE) {
            return Turn::Answered;
        }
        let Some((last, _)) = self.last else { return Turn::Now };
        let spacing = self.spacing(now);
        let mut turn = last + spacing;
        // The echo will ask for a frame, which shows everything: one begun before it would only keep it
        // waiting. Keys that nobody echoes do not hold frames up for longer than ever.
        if spacing > DEAR
            && let Some(typed) = self.typed
        {
            turn = turn.max((typed + URGENCY).min(last + WIDEST));
        }
        if urgency == Urgency::Urgent || turn <= now { Turn::Now } else { Turn::Later(turn) }
    }

    /// Takes note of a frame; false when it is the same one again.
    fn frame(&mut self, at: Instant, process: Duration) -> bool {
        if self.last.is_some_and(|(last, _)| last == at) {
            return false;
        }
        self.outstanding = None;
        if let Some((last, before)) = self.last {
            let spent = process.saturating_sub(before).as_secs_f64();
            let elapsed = at.saturating_duration_since(last);
            // After a pause most of what was spent was not this frame's.
            if elapsed <= 2 * WIDEST {
                let first = self.cost == 0.0;
                self.cost = if first { spent } else { self.cost + WEIGHT * (spent - self.cost) };
            }
        }
        self.last = Some((at, process));
        true
    }

    fn spacing(&self, now: Instant) -> Duration {
        let flooded =
            self.flooded.is_some_and(|at| now.saturating_duration_since(at) < FLOOD_MEMORY);
        let share = if flooded { FLOODED_SHARE } else { SHARE };
        Duration::from_secs_f64((self.cost / share).clamp(0.0, 1.0)).clamp(NARROWEST, WIDEST)
    }
}

/// Processor time of this process, all threads together: on a software renderer most of a frame is
/// spent in threads that are not ours.
#[cfg(unix)]
pub(crate) fn process_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Where the process cannot be asked cheaply, drawing counts as free and the narrowest spacing holds:
/// such systems have a display server that throttles.
#[cfg(not(unix))]
pub(crate) fn process_time() -> Duration {
    Duration::ZERO
}

/// Processor time of the calling thread: what a step costs, whatever else the machine is doing.
#[cfg(unix)]
pub(crate) fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Elsewhere the time that passes has to do.
#[cfg(not(unix))]
pub(crate) fn thread_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    /// A pacer after many frames of 20 ms of processor time each, and the instant of the last.
    fn busy() -> (Pacer, Instant) {
        let mut pacer = Pacer::new();
        let start = Instant::now();
        let mut at = start;
        for n in 1..30 {
            at = start + n * 2 * FRAME;
            assert!(pacer.frame(at, n * FRAME));
        }
        (pacer, at)
    }

    #[test]
    fn the_first_request_goes_at_once() {
        assert_eq!(Pacer::new().when(Instant::now(), Urgency::Paced), Turn::Now);
    }

    #[test]
    fn one_request_is_outstanding_at_most() {
        let (mut pacer, at) = busy();
        pacer.outstanding = Some(at);
        assert_eq!(pacer.when(at, Urgency::Paced), Turn::Answered);
        assert_eq!(pacer.when(at, Urgency::Urgent), Turn::Answered);
        assert_eq!(pacer.when(at + PATIENCE, Urgency::Paced), Turn::Now);
        assert!(pacer.frame(at + FRAME, FRAME));
        assert_ne!(pacer.when(at + FRAME, Urgency::Paced), Turn::Answered);
    }

    #[test]
    fn drawing_takes_half_a_core_and_a_quarter_in_a_flood() {
        let (mut pacer, at) = busy();
        assert_eq!(pacer.spacing(at).as_millis(), 40);
        pacer.flooded = Some(at);
        assert_eq!(pacer.spacing(at).as_millis(), 80);
        assert_eq!(pacer.spacing(at + FLOOD_MEMORY).as_millis(), 40);
    }

    #[test]
    fn spacing_has_bounds() {
        let (mut pacer, at) = busy();
        pacer.cost = 0.0;
        assert_eq!(pacer.spacing(at), NARROWEST);
        pacer.cost = 10.0;
        assert_eq!(pacer.spacing(at), WIDEST);
    }

    #[test]
    fn urgent_requests_do_not_wait() {
        let (pacer, at) = busy();
        assert_eq!(pacer.when(at + FRAME, Urgency::Urgent), Turn::Now);
        assert_eq!(pacer.when(at + FRAME, Urgency::Paced), Turn::Later(at + pacer.spacing(at)));
    }

    #[test]
    fn a_dear_frame_is_not_begun_while_an_echo_is_awaited() {
        let (mut pacer, at) = busy();
        let turn = at + pacer.spacing(at);
        pacer.typed = Some(turn - FRAME);
        assert_eq!(pacer.when(turn, Urgency::Paced), Turn::Later(turn - FRAME + URGENCY));
        assert_eq!(pacer.when(turn, Urgency::Urgent), Turn::Now);
        assert_eq!(pacer.when(turn - FRAME + URGENCY, Urgency::Paced), Turn::Now);
        // Somebody types on and on, and nothing is echoed.
        pacer.typed = Some(at + WIDEST);
        assert_eq!(pacer.when(at + WIDEST, Urgency::Paced), Turn::Now);
        // Cheap frames wait for nobody.
        pacer.cost = 0.0;
        pacer.typed = Some(at);
        assert_eq!(pacer.when(at + NARROWEST, Urgency::Paced), Turn::Now);
    }

    #[test]
    fn a_frame_seen_by_many_terminals_counts_once() {
        let (mut pacer, at) = busy();
        assert!(!pacer.frame(at, Duration::from_secs(100)));
        assert_eq!(pacer.spacing(at).as_millis(), 40);
    }
}
