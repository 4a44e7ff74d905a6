//! The parse pool: a few threads that run whichever terminals have something to do, the one the user
//! looks at first.
//!
//! A terminal is in one of four states: idle, queued, running, or running with more to do. Whoever has
//! something for it puts it into its own inbox and calls [`Handle::wake`]; at most one thread runs it at
//! a time, for one short quantum, and puts it back while there is more.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// After a key into the terminal with the keyboard, what others print is left unread for so long: a
/// program that floods is then held by its own full terminal, and the processor is there for the echo
/// and for whoever draws it. They have as long for themselves after that, however fast keys repeat.
const HOLD: Duration = Duration::from_millis(16);

/// Something the pool runs.
pub(crate) trait Work: Send + Sync + 'static {
    /// Runs for one quantum.
    fn run(self: &Arc<Self>, now: Instant) -> Next;
    /// How soon it should run.
    fn priority(&self, now: Instant) -> Priority;
    /// Its place in the pool's books.
    fn schedule(&self) -> &Schedule;
    /// A quantum panicked.
    fn panicked(self: &Arc<Self>, message: String);
}

/// What comes after a quantum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// There is more to do.
    Again,
    /// Nothing until it is woken, or until a time.
    Wait(Option<Instant>),
}

/// How soon something should run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    /// The user has just typed into it.
    Urgent,
    /// It has the keyboard.
    Focused,
    /// Somebody sees it.
    Visible,
    /// Nobody sees it.
    Hidden,
}

/// The state of one piece of work in the pool.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    state: AtomicU8,
    /// Its place among the timers; changed under the pool's lock. It has one at most, or a terminal
    /// that prints now and then would be woken once more for every time it did.
    timer: Mutex<Option<TimerKey>>,
}

type TimerKey = (Instant, u64);

const IDLE: u8 = 0;
const QUEUED: u8 = 1;
const RUNNING: u8 = 2;
const RERUN: u8 = 3;

/// The threads. Dropping it ends them after their current quantum.
pub(crate) struct Pool<W: Work> {
    handle: Handle<W>,
    threads: Vec<JoinHandle<()>>,
}

/// A way to wake work, for any thread.
pub(crate) struct Handle<W>(Arc<Shared<W>>);

struct Shared<W> {
    ready: Mutex<Ready<W>>,
    /// Something is ready, or a timer is new.
    changed: Condvar,
    /// Something urgent is ready.
    urgent: Condvar,
}

/// What one of the threads takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// Everything, the most urgent first.
    All,
    /// What is urgent and nothing else, so that a key never waits for a quantum of another terminal:
    /// it would twice, on its way to the child and for the echo.
    Urgent,
}

struct Ready<W> {
    queues: [VecDeque<Arc<W>>; 4],
    /// What somebody sees and had more to do at the end of its last quantum: it floods, and has no right
    /// to go before what prints a line now and then.
    flooding: VecDeque<Arc<W>>,
    /// The part of a turn that hidden work has a right to.
    owed: f64,
    timers: BTreeMap<TimerKey, Weak<W>>,
    timer: u64,
    turn: u64,
    /// Until then only the terminal with the keyboard runs, and what is urgent.
    held: Option<Instant>,
    /// Until then keys hold nobody again: a key that repeats faster than it takes would for ever.
    rested: Option<Instant>,
    stopping: bool,
}

impl<W: Work> Pool<W> {
    /// Threads for a machine with so many cores: one core is left to whoever draws.
    pub(crate) fn threads_for(cores: usize) -> usize {
        cores.saturating_sub(1).clamp(1, 4)
    }

    pub(crate) fn start(threads: usize) -> std::io::Result<Self> {
        let ready = Ready {
            queues: Default::default(),
            flooding: VecDeque::new(),
            owed: 0.0,
            timers: BTreeMap::new(),
            timer: 0,
            turn: 0,
            held: None,
            rested: None,
            stopping: false,
        };
        let (changed, urgent) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { ready: Mutex::new(ready), changed, urgent });
        let mut pool = Self { handle: Handle(shared), threads: Vec::new() };
        for number in 0..threads.max(1) {
            pool.spawn(format!("parse-{number}"), Lane::All)?;
        }
        pool.spawn("parse-urgent".to_owned(), Lane::Urgent)?;
        Ok(pool)
    }

    fn spawn(&mut self, name: String, lane: Lane) -> std::io::Result<()> {
        let shared = Arc::clone(&self.handle.0);
        let thread = thread::Builder::new().name(name).spawn(move || shared.serve(lane))?;
        self.threads.push(thread);
        Ok(())
    }

    pub(crate) fn handle(&self) -> Handle<W> {
        self.handle.clone()
    }
}

impl<W: Work> Drop for Pool<W> {
    fn drop(&mut self) {
        self.handle.0.lock().stopping = true;
        self.handle.0.changed.notify_all();
        self.handle.0.urgent.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl<W> Clone for Handle<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Work> Handle<W> {
    /// Somebody types: everything that is not focused waits for a moment.
    pub(crate) fn hold(&self, now: Instant) {
        let mut ready = self.0.lock();
        if ready.rested.is_none_or(|until| until <= now) {
            // Whoever sleeps then wakes by itself: what is ready is not forgotten.
            ready.held = Some(now + HOLD);
            ready.rested = Some(now + 2 * HOLD);
        }
    }

    /// Makes sure that work runs after this call, soon.
    pub(crate) fn wake(&self, work: &Arc<W>) {
        let state = &work.schedule().state;
        let before = state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| match state {
            IDLE => Some(QUEUED),
            RUNNING => Some(RERUN),
            _ => None,
        });
        match before {
            Ok(IDLE) => self.0.queue(work, Instant::now()),
            // It waits in a queue, perhaps in one that is too slow by now. A second entry does no
            // harm: whoever finds it not queued any more drops it.
            Err(QUEUED) if work.priority(Instant::now()) == Priority::Urgent => {
                self.0.queue(work, Instant::now());
            }
            _ => {}
        }
    }
}

impl<W: Work> Shared<W> {
    fn serve(&self, lane: Lane) {
        while let Some(work) = self.next(lane) {
            let state = &work.schedule().state;
            if state.compare_exchange(QUEUED, RUNNING, Ordering::AcqRel, Ordering::Acquire).is_err()
            {
                continue;
            }
            let now = Instant::now();
            let next = catch_unwind(AssertUnwindSafe(|| work.run(now))).unwrap_or_else(|panic| {
                work.panicked(panic_text(&*panic));
                Next::Again
            });
            if let Next::Wait(until) = next {
                self.set_timer(&work, until);
            }
            let idle = next != Next::Again
                && state
                    .compare_exchange(RUNNING, IDLE, Ordering::AcqRel, Ordering::Acquire)
                    .is_ok();
            if !idle {
                state.store(QUEUED, Ordering::Release);
                self.queue_again(&work, now);
            }
        }
    }

    /// Puts the time at which work is woken in the place of the one before.
    fn set_timer(&self, work: &Arc<W>, until: Option<Instant>) {
        let known = |work: &Arc<W>| *work.schedule().timer();
        if until.is_none() && known(work).is_none() {
            return;
        }
        let mut ready = self.lock();
        if let Some(before) = known(work) {
            let _ = ready.timers.remove(&before);
        }
        ready.timer += 1;
        let key = until.map(|at| (at, ready.timer));
        *work.schedule().timer() = key;
        if let Some(key) = key {
            let _ = ready.timers.insert(key, Arc::downgrade(work));
            // Whoever sleeps now may sleep too long.
            self.changed.notify_one();
        }
    }

    /// The next work of a lane, waiting for it; `None` when the pool stops.
    fn next(&self, lane: Lane) -> Option<Arc<W>> {
        let mut ready = self.lock();
        loop {
            if ready.stopping {
                return None;
            }
            if lane == Lane::Urgent {
                if let Some(work) = ready.queues[Priority::Urgent as usize].pop_front() {
                    return Some(work);
                }
                ready = self.urgent.wait(ready).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let now = Instant::now();
            ready.fire_timers(now);
            if let Some(work) = ready.pop(now) {
                return Some(work);
            }
            let timer = ready.timers.first_key_value().map(|((at, _), _)| *at);
            let until = [timer, ready.held].into_iter().flatten().min();
            ready = match until {
                None => self.changed.wait(ready).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let wait = at.saturating_duration_since(now);
                    self.changed.wait_timeout(ready, wait).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn queue(&self, work: &Arc<W>, now: Instant) {
        let priority = work.priority(now);
        self.lock().queues[priority as usize].push_back(Arc::clone(work));
        match priority {
            Priority::Urgent => self.urgent.notify_one(),
            Priority::Focused | Priority::Visible | Priority::Hidden => self.changed.notify_one(),
        }
    }

    /// Puts back what has more to do.
    fn queue_again(&self, work: &Arc<W>, now: Instant) {
        if work.priority(now) == Priority::Visible {
            self.lock().flooding.push_back(Arc::clone(work));
            self.changed.notify_one();
        } else {
            self.queue(work, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ready<W>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule {
    fn timer(&self) -> MutexGuard<'_, Option<TimerKey>> {
        self.timer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Work> Ready<W> {
    fn fire_timers(&mut self, now: Instant) {
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let Some(work) = entry.remove().upgrade() else { continue };
            *work.schedule().timer() = None;
            let state = &work.schedule().state;
            let before =
                state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| match state {
                    IDLE => Some(QUEUED),
                    RUNNING => Some(RERUN),
                    _ => None,
                });
            if before == Ok(IDLE) {
                let priority = work.priority(now) as usize;
                self.queues[priority].push_back(work);
            }
        }
    }

    /// The first of the most urgent queue. Now and then a lower one comes first, so that a terminal
    /// that floods the focus cannot stop the others.
    fn pop(&mut self, now: Instant) -> Option<Arc<W>> {
        self.held = self.held.filter(|until| *until > now);
        if self.held.is_some() {
            let waited_for = [Priority::Urgent, Priority::Focused];
            return waited_for.iter().find_map(|priority| self.take(*priority));
        }
        self.turn = self.turn.wrapping_add(1);
        // What floods and is typed into is always ready: a thread of its own takes it in these turns.
        let others_first = self.turn % 4 == 3;
        if !others_first && let Some(urgent) = self.take(Priority::Urgent) {
            return Some(urgent);
        }
        let (focused, visible) = (Priority::Focused, Priority::Visible);
        let work = match self.turn % 8 {
            7 => self.shared().or_else(|| self.take(focused)).or_else(|| self.take(visible)),
            3 | 5 => self.take(visible).or_else(|| self.shared()).or_else(|| self.take(focused)),
            _ => self.take(focused).or_else(|| self.take(visible)).or_else(|| self.shared()),
        };
        work.or_else(|| self.take(Priority::Urgent))
    }

    /// What floods in sight and what is out of sight share the turns by their number, so that each of
    /// the hidden ones comes along: at two thirds of the pace of one that is seen.
    fn shared(&mut self) -> Option<Arc<W>> {
        const SEEN: f64 = 1.5;
        let hidden = &mut self.queues[Priority::Hidden as usize];
        if self.flooding.is_empty() || hidden.is_empty() {
            return self.flooding.pop_front().or_else(|| hidden.pop_front());
        }
        let (seen, unseen) = (self.flooding.len() as f64, hidden.len() as f64);
        self.owed += unseen / (SEEN * seen + unseen);
        if self.owed >= 1.0 {
            self.owed -= 1.0;
            hidden.pop_front()
        } else {
            self.flooding.pop_front()
        }
    }

    fn take(&mut self, priority: Priority) -> Option<Arc<W>> {
        self.queues[priority as usize].pop_front()
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no reason given".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, AtomicU64};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    struct Job {
        schedule: Schedule,
        priority: Priority,
        left: AtomicU32,
        name: &'static str,
        ran: mpsc::Sender<&'static str>,
        gate: Option<Arc<Mutex<()>>>,
        wait: AtomicU64,
    }

    impl Work for Job {
        fn run(self: &Arc<Self>, now: Instant) -> Next {
            if let Some(gate) = &self.gate {
                drop(gate.lock());
            }
            let _ = self.ran.send(self.name);
            match self.left.load(Ordering::SeqCst) {
                0 => {
                    let wait = self.wait.swap(0, Ordering::SeqCst);
                    Next::Wait((wait > 0).then(|| now + Duration::from_millis(wait)))
                }
                left => {
                    self.left.store(left - 1, Ordering::SeqCst);
                    Next::Again
                }
            }
        }

        fn priority(&self, _: Instant) -> Priority {
            self.priority
        }

        fn schedule(&self) -> &Schedule {
            &self.schedule
        }

        fn panicked(self: &Arc<Self>, _: String) {}
    }

    fn job(name: &'static str, priority: Priority, ran: &mpsc::Sender<&'static str>) -> Job {
        Job {
            schedule: Schedule::default(),
            priority,
            left: AtomicU32::new(0),
            name,
            ran: ran.clone(),
            gate: None,
            wait: AtomicU64::new(0),
        }
    }

    const DEADLINE: Duration = Duration::from_secs(20);

    /// Occupies the one thread that takes such work until the gate is open.
    fn occupy(
        handle: &Handle<Job>,
        priority: Priority,
        gate: &Arc<Mutex<()>>,
        ran: &mpsc::Sender<&'static str>,
    ) {
        let work = Arc::new(Job { gate: Some(Arc::clone(gate)), ..job("gate", priority, ran) });
        handle.wake(&work);
        while work.schedule.state.load(Ordering::SeqCst) != RUNNING {
            thread::yield_now();
        }
    }

    #[test]
    fn the_more_urgent_runs_first_and_nobody_starves() {
        let (sender, ran) = mpsc::channel();
        let pool = Pool::start(1).expect("a thread");
        let handle = pool.handle();
        let (gate, other) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
        let (held, _always) = (gate.lock().expect("free"), other.lock().expect("free"));
        occupy(&handle, Priority::Focused, &gate, &sender);
        // What remains is one thread, so that there is an order.
        occupy(&handle, Priority::Urgent, &other, &sender);
        let flood = Arc::new(Job {
            left: AtomicU32::new(200),
            ..job("focused", Priority::Focused, &sender)
        });
        let hidden = Arc::new(job("hidden", Priority::Hidden, &sender));
        let urgent = Arc::new(job("urgent", Priority::Urgent, &sender));
        for work in [&hidden, &flood, &urgent] {
            handle.wake(work);
        }
        drop(held);
        let order: Vec<_> =
            (0..204).map(|_| ran.recv_timeout(DEADLINE).expect("it runs")).collect();
        let place = |name| order.iter().position(|ran| *ran == name).expect("it ran");
        assert!(place("urgent") < place("focused"));
        assert!(place("hidden") < 20, "{}", place("hidden"));
    }

    #[test]
    fn many_that_flood_all_come_along() {
        let (sender, ran) = mpsc::channel();
        let pool = Pool::start(1).expect("a thread");
        let handle = pool.handle();
        const NAMES: [&str; 8] = ["v0", "v1", "v2", "v3", "h0", "h1", "h2", "h3"];
        let jobs = NAMES.map(|name| {
            let priority = if name.starts_with('v') { Priority::Visible } else { Priority::Hidden };
            Arc::new(Job { left: AtomicU32::new(10_000), ..job(name, priority, &sender) })
        });
        let focus = Arc::new(Job {
            left: AtomicU32::new(10_000),
            ..job("focus", Priority::Focused, &sender)
        });
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock().expect("free");
        occupy(&handle, Priority::Focused, &gate, &sender);
        for work in jobs.iter().chain([&focus]) {
            handle.wake(work);
        }
        drop(held);
        let mut turns: BTreeMap<&str, u32> = BTreeMap::new();
        for _ in 0..4000 {
            *turns.entry(ran.recv_timeout(DEADLINE).expect("it runs")).or_default() += 1;
        }
        let of = |name: &str| turns.get(name).copied().unwrap_or(0);
        let mut rest: Vec<u32> = NAMES.iter().map(|name| of(name)).collect();
        rest.sort_unstable();
        assert!(2 * rest[0] >= rest[rest.len() / 2], "{turns:?}");
        assert!(of("v0") > of("h0"), "{turns:?}");
        assert!(of("focus") > 2000, "{turns:?}");
        for work in jobs.iter().chain([&focus]) {
            work.left.store(0, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_floods_and_is_typed_into_leaves_the_others_their_turns() {
        let (sender, ran) = mpsc::channel();
        let pool = Pool::start(1).expect("a thread");
        let handle = pool.handle();
        let (gate, other) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
        let (held, _always) = (gate.lock().expect("free"), other.lock().expect("free"));
        occupy(&handle, Priority::Focused, &gate, &sender);
        occupy(&handle, Priority::Urgent, &other, &sender);
        let flood = Job { left: AtomicU32::new(100), ..job("flood", Priority::Urgent, &sender) };
        let others = ["v", "h"].map(|name| {
            let priority = if name == "v" { Priority::Visible } else { Priority::Hidden };
            Arc::new(job(name, priority, &sender))
        });
        for work in others.iter().chain([&Arc::new(flood)]) {
            handle.wake(work);
        }
        drop(held);
        let order: Vec<_> = (0..20).map(|_| ran.recv_timeout(DEADLINE).expect("it runs")).collect();
        assert!(order.contains(&"v") && order.contains(&"h"), "{order:?}");
        assert!(order.iter().filter(|ran| **ran == "flood").count() >= 12, "{order:?}");
    }

    #[test]
    fn while_somebody_types_the_others_wait_and_then_go_on() {
        let (sender, ran) = mpsc::channel();
        let pool = Pool::start(1).expect("a thread");
        let handle = pool.handle();
        // Far enough from now that the order does not hang on the clock.
        let begin = Instant::now() + Duration::from_secs(3);
        handle.hold(begin);
        let [visible, hidden, focused, urgent] = [
            ("visible", Priority::Visible),
            ("hidden", Priority::Hidden),
            ("focused", Priority::Focused),
            ("urgent", Priority::Urgent),
        ]
        .map(|(name, priority)| Arc::new(job(name, priority, &sender)));
        for work in [&visible, &hidden, &focused, &urgent] {
            handle.wake(work);
        }
        let mut order: Vec<_> =
            (0..2).map(|_| ran.recv_timeout(DEADLINE).expect("it runs")).collect();
        order.sort_unstable();
        assert_eq!(order, ["focused", "urgent"]);
        let mut later: Vec<_> =
            (0..2).map(|_| ran.recv_timeout(DEADLINE).expect("it runs")).collect();
        assert!(Instant::now() >= begin, "they did not wait");
        later.sort_unstable();
        assert_eq!(later, ["hidden", "visible"]);
    }

    #[test]
    fn keys_without_end_leave_the_others_half_of_the_time() {
        // The time is ours and the threads have nothing to do.
        let pool = Pool::<Job>::start(1).expect("a thread");
        let handle = pool.handle();
        let begin = Instant::now() + Duration::from_secs(3600);
        let held = |milliseconds: u64| {
            let now = begin + Duration::from_millis(milliseconds);
            handle.hold(now);
            handle.0.lock().held.is_some_and(|until| until > now)
        };
        let times = (0..1000).filter(|milliseconds| held(*milliseconds)).count();
        assert!((490..=520).contains(&times), "{times} of 1000 milliseconds");
    }

    #[test]
    fn a_timer_wakes() {
        let (sender, ran) = mpsc::channel();
        let pool = Pool::start(2).expect("threads");
        let work =
            Arc::new(Job { wait: AtomicU64::new(20), ..job("t", Priority::Hidden, &sender) });
        pool.handle().wake(&work);
        for _ in 0..2 {
            assert_eq!(ran.recv_timeout(DEADLINE), Ok("t"));
        }
    }

    #[test]
    fn a_later_time_takes_the_place_of_an_earlier_one() {
        let (sender, ran) = mpsc::channel();
        let pool = Pool::start(1).expect("a thread");
        let handle = pool.handle();
        let work = Arc::new(job("t", Priority::Hidden, &sender));
        for _ in 0..50 {
            work.wait.store(3_600_000, Ordering::SeqCst);
            handle.wake(&work);
            assert_eq!(ran.recv_timeout(DEADLINE), Ok("t"));
        }
        // Behind the last run's books.
        let after = Arc::new(job("after", Priority::Hidden, &sender));
        handle.wake(&after);
        assert_eq!(ran.recv_timeout(DEADLINE), Ok("after"));
        let timers = handle.0.lock().timers.len();
        assert!(timers <= 1, "{timers} timers for one terminal");
    }
}
