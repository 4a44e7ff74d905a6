//! The process behind a conversation, and the task that owns it: lines in, lines out, events in order,
//! and nobody left behind.
//!
//! Back-pressure: while the receiver of the events is slow, the process's output is not read, so that a
//! long answer waits in the pipe and not in our memory. Orders, signals and standard error go on.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use maestro_core::conversation::Event;
use maestro_core::turn::{Failure, FailureKind, Outcome, Usage};
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::{Dialect, Launch, Order, Out, Taken};
use crate::child::{LINE, LINGER, Lines, Pipes, Running, Tail};
use crate::command::CommandLine;
use crate::process::{Signal, read, until};
use crate::stream::{Ended, Exit, broken_off, fail};

/// How long a program has to go after its input was closed, and after each signal.
const GRACE: Duration = Duration::from_secs(5);

/// Bytes that wait for the program to read them. More and its output is not read either, so that a
/// program which asks without reading the answers fills its own pipe; prompts with pictures fit.
const OUTGOING: usize = 64 << 20;

/// What the output of a program that has ended may still hold: a pipe is not larger.
const REST: usize = 2 * LINE;

/// How long each time before a program is started again that another one of its kind kept from starting.
/// Together less than an order is waited for.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
];

/// One conversation's program. Dropping it kills the program and everything it started.
#[derive(Debug)]
pub struct Driver {
    orders: mpsc::Sender<Told>,
    level: watch::Sender<Level>,
    gone: watch::Receiver<bool>,
    /// Why the program ended, once it has.
    why: Arc<OnceLock<Failure>>,
    /// 0 for none.
    pid: Arc<AtomicU32>,
}

/// An order, and where its answer goes.
#[derive(Debug)]
pub(super) struct Told {
    pub order: Order,
    pub answer: oneshot::Sender<Result<Taken, Failure>>,
}

/// Whether a driver has to go, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// It stays.
    Stay,
    /// Its input is closed; what does not go then is signalled.
    Close,
    /// At once.
    Kill,
}

/// What a driver's task holds of it.
#[derive(Debug)]
pub(super) struct Ends {
    pub orders: mpsc::Receiver<Told>,
    pub level: watch::Receiver<Level>,
    /// Set when no process is left.
    pub gone: watch::Sender<bool>,
    /// To be set before that.
    pub why: Arc<OnceLock<Failure>>,
    pub events: mpsc::Sender<Event>,
}

impl Driver {
    /// Starts the program of a conversation in a session of its own, with `marks` added to its
    /// environment. What it has to say comes through `events`, in order and nothing left out; a slow
    /// receiver slows the reading. For every [`Order::Say`] that is answered with [`Taken::Now`] there is
    /// exactly one [`Event::Ended`], and [`Event::Gone`] is the last event.
    ///
    /// # Errors
    ///
    /// When the program cannot be used or started; the sentence says what can be done.
    pub async fn start(
        launch: Launch,
        marks: &[(OsString, OsString)],
        events: mpsc::Sender<Event>,
    ) -> Result<Self, Failure> {
        // Some programs are asked for what is configured first.
        let planned = tokio::task::spawn_blocking(move || (super::plan(&launch), launch)).await;
        let (plan, launch) = planned
            .map_err(|error| fail(FailureKind::Other, format!("It was not started: {error}")))?;
        match plan? {
            super::Plan::Lasting(command, dialect) => {
                Self::with(&command, dialect, marks, events, GRACE)
            }
            super::Plan::PerTurn => Ok(super::oneshot::start(launch, marks, events)),
        }
    }

    fn with(
        command: &CommandLine,
        dialect: Box<dyn Dialect>,
        marks: &[(OsString, OsString)],
        events: mpsc::Sender<Event>,
        grace: Duration,
    ) -> Result<Self, Failure> {
        let (running, pipes) = Running::start(command, marks)
            .map_err(|message| fail(FailureKind::Unusable, message))?;
        let (driver, ends) = Self::ends(running.pid(), events);
        let task = Task {
            running,
            command: command.clone(),
            marks: marks.to_vec(),
            pid: Arc::clone(&driver.pid),
            starts: 0,
            heard: false,
            grace,
            ends,
            dialect,
            stdin: pipes.stdin,
            outgoing: VecDeque::new(),
            pending: VecDeque::new(),
            open: false,
            listened_to: true,
            ended: Ended::ByItself,
            pushed: false,
        };
        let pipes = Pipes { stdin: None, ..pipes };
        drop(tokio::spawn(task.run(pipes)));
        Ok(driver)
    }

    /// A driver and what its task needs of it.
    pub(super) fn ends(pid: Option<u32>, events: mpsc::Sender<Event>) -> (Self, Ends) {
        let (orders, told) = mpsc::channel(16);
        let (level, levels) = watch::channel(Level::Stay);
        let (is_gone, gone) = watch::channel(false);
        let why = Arc::new(OnceLock::new());
        let pid = Arc::new(AtomicU32::new(pid.unwrap_or_default()));
        let driver = Self { orders, level, gone, why: Arc::clone(&why), pid };
        (driver, Ends { orders: told, level: levels, gone: is_gone, why, events })
    }

    /// Tells it something, and comes back when the dialect has taken it: the program's own answer, if it
    /// has one, comes as events.
    ///
    /// # Errors
    ///
    /// When the order makes no sense now, when the provider has no such thing, or when the program is
    /// gone. Nothing has changed then.
    pub async fn order(&self, order: Order) -> Result<Taken, Failure> {
        let (answer, answered) = oneshot::channel();
        let sent = self.orders.send(Told { order, answer }).await;
        if sent.is_ok()
            && let Ok(answer) = answered.await
        {
            return answer;
        }
        // It says why only when everybody is gone.
        let _ = self.gone.clone().wait_for(|gone| *gone).await;
        let ended = || fail(FailureKind::Crashed, "The program of this conversation has ended.");
        Err(self.why.get().cloned().unwrap_or_else(ended))
    }

    /// Closes its input and waits until the program and all it started are gone. A program that stays is
    /// asked to end after some seconds, and then killed. A turn that is open is interrupted.
    pub async fn close(mut self) {
        self.raise(Level::Close);
        // The sender goes with the task: then there is no process either.
        let _ = self.gone.wait_for(|gone| *gone).await;
    }

    /// Kills the program and everything it started, at once. The events come to their end.
    pub fn kill(&self) {
        self.raise(Level::Kill);
    }

    /// The process id of the program, which leads a process group; `None` for providers of which every
    /// turn is a program of its own.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
    }

    fn raise(&self, to: Level) {
        let _ = self.level.send_if_modified(|level| {
            let raised = to > *level;
            *level = (*level).max(to);
            raised
        });
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Owns the process.
struct Task {
    running: Running,
    /// What it was started with, and how often it was started again.
    command: CommandLine,
    marks: Vec<(OsString, OsString)>,
    pid: Arc<AtomicU32>,
    starts: usize,
    /// Whether it has said anything.
    heard: bool,
    grace: Duration,
    ends: Ends,
    dialect: Box<dyn Dialect>,
    stdin: Option<ChildStdin>,
    /// What the program has not read yet.
    outgoing: VecDeque<u8>,
    /// What the receiver has not taken yet.
    pending: VecDeque<Event>,
    /// Whether a turn was begun that has not ended.
    open: bool,
    /// Whether anybody still receives events.
    listened_to: bool,
    ended: Ended,
    /// Whether it did not listen any more and had to be made to go: how it went says nothing then.
    pushed: bool,
}

/// What is being done about a process that has to go.
#[derive(Debug, Clone, Copy)]
struct Escalation {
    sent: Signal,
    /// When the next, harder signal is due.
    until: Instant,
}

impl Task {
    async fn run(mut self, pipes: Pipes) {
        let (mut stdout, mut stderr) = (pipes.stdout, pipes.stderr);
        let (mut lines, mut tail) = (Lines::default(), Tail::default());
        loop {
            self.ask(|dialect, now, out| dialect.begin(now, out));
            self.follow(&mut stdout, &mut stderr, &mut lines, &mut tail).await;
            let Some(pipes) = self.start_again(&mut stderr, &mut tail).await else { break };
            (stdout, stderr) = (pipes.stdout, pipes.stderr);
            (lines, tail) = (Lines::default(), Tail::default());
        }

        // No order is taken any more: those that wait are told so by the end of the channel.
        self.ends.orders.close();
        let provider = self.command.provider;
        let Self {
            running,
            grace,
            mut ends,
            dialect,
            pending,
            open,
            listened_to,
            ended,
            pushed,
            ..
        } = self;
        while let Ok(told) = ends.orders.try_recv() {
            drop(told);
        }
        let grace = if *ends.level.borrow() == Level::Kill { Duration::ZERO } else { grace };
        let mut last = Last { dialect, pending, open };
        let exit = running.end(ended, grace.min(LINGER), String::new()).await;
        // Whoever wrote into the pipes is gone: what is left in them is finite, and there at once.
        last.read_rest(stdout, stderr, lines, &mut tail).await;
        let mut exit = Exit { stderr: tail.text(), ..exit };
        if pushed {
            (exit.code, exit.signal) = (None, None);
        }
        if exit.ended == Ended::ByItself {
            let _ = ends.why.set(broken_off(provider, &exit, true));
        }
        let _ = ends.gone.send_replace(true);
        last.finish(exit);
        if listened_to {
            for event in last.pending {
                if ends.events.send(event).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Starts a program again that was kept from starting by another one of its kind, and has neither said
    /// nor done anything.
    async fn start_again(
        &mut self,
        stderr: &mut Option<tokio::process::ChildStderr>,
        tail: &mut Tail,
    ) -> Option<Pipes> {
        let wait = *AGAIN.get(self.starts)?;
        let wanted = *self.ends.level.borrow() == Level::Stay && self.listened_to;
        if self.heard || self.ended != Ended::ByItself || !wanted {
            return None;
        }
        let (mut chunk, deadline) = (vec![0; 8 << 10], Instant::now() + LINGER);
        while stderr.is_some() {
            let read = tokio::time::timeout_at(deadline, read(stderr, &mut chunk)).await;
            let Ok(count) = read else { break };
            tail.feed(&chunk[..count]);
        }
        if !self.dialect.was_kept_out(&tail.text()) {
            return None;
        }
        if tokio::time::timeout(wait, self.ends.level.changed()).await.is_ok() {
            let _ = self.ended_by_us();
            return None;
        }
        let (running, mut pipes) = Running::start(&self.command, &self.marks).ok()?;
        self.starts += 1;
        self.pid.store(running.pid().unwrap_or_default(), Ordering::SeqCst);
        let before = std::mem::replace(&mut self.running, running);
        let _ = before.end(Ended::ByItself, Duration::ZERO, String::new()).await;
        self.stdin = pipes.stdin.take();
        self.outgoing.clear();
        self.pushed = false;
        tracing::info!(
            starts = self.starts,
            "a program was kept from starting; it is started again"
        );
        Some(pipes)
    }

    /// Passes lines, orders and events on until the process has ended.
    async fn follow(
        &mut self,
        stdout: &mut Option<tokio::process::ChildStdout>,
        stderr: &mut Option<tokio::process::ChildStderr>,
        lines: &mut Lines,
        tail: &mut Tail,
    ) {
        let (mut out, mut err) = (vec![0; 64 << 10], vec![0; 8 << 10]);
        let mut has_exited = false;
        let mut escalation: Option<Escalation> = None;
        while !has_exited || stdout.is_some() {
            let may_read = self.pending.is_empty() && self.outgoing.len() < OUTGOING;
            tokio::select! {
                count = read(stdout, &mut out), if may_read => {
                    let mut told = Vec::new();
                    self.heard |= count > 0;
                    if count == 0 {
                        lines.finish(&mut |line| told.push(line.to_owned()));
                    } else {
                        lines.feed(&out[..count], &mut |line| told.push(line.to_owned()));
                    }
                    for line in told {
                        self.ask(|dialect, now, out| dialect.line(&line, now, out));
                    }
                }
                count = read(stderr, &mut err) => tail.feed(&err[..count]),
                written = write(&mut self.stdin, &self.outgoing) => match written {
                    Ok(count) => drop(self.outgoing.drain(..count)),
                    Err(_) => {
                        // It does not listen any more: a conversation cannot go on with it.
                        self.stdin = None;
                        self.outgoing = VecDeque::new();
                        escalation = escalation.or_else(|| Some(self.signal(Signal::None)));
                    }
                },
                heard = has_room(&self.ends.events), if !self.pending.is_empty() => {
                    self.listened_to = heard;
                    self.hand_over();
                }
                told = self.ends.orders.recv() => match told {
                    Some(told) => {
                        let taken = self.take(told.order);
                        let _ = told.answer.send(taken);
                    }
                    // The driver was dropped, which also raises the level; this branch must not spin.
                    None => {
                        self.running.signal(Signal::Kill);
                        let _ = self.ended_by_us();
                        return;
                    }
                },
                Ok(()) = self.ends.level.changed() => {
                    let level = *self.ends.level.borrow_and_update();
                    if !has_exited {
                        let _ = self.ended_by_us();
                    }
                    match level {
                        Level::Kill => escalation = Some(self.signal(Signal::Kill)),
                        Level::Close => {
                            if self.open {
                                let _ = self.take(Order::Interrupt);
                            }
                            // Closed when what is on its way was read: see below.
                            escalation = escalation.or_else(|| Some(self.signal(Signal::None)));
                        }
                        Level::Stay => {}
                    }
                }
                () = self.running.exited(), if !has_exited => {
                    has_exited = true;
                    if !self.pending.is_empty() {
                        // The receiver is slow. What is in the pipe is read at the end.
                        return;
                    }
                    // What is in the pipe is read in no time; who still holds it open then was left
                    // behind.
                    escalation = Some(Escalation { sent: Signal::Kill, until: Instant::now() + LINGER });
                }
                () = until(escalation.map(|escalation| escalation.until)) => {
                    let Some(now) = escalation else { continue };
                    self.pushed |= !has_exited;
                    escalation = Some(match now.sent {
                        // Nothing survives SIGKILL but a process that hangs in the kernel.
                        Signal::Kill => return,
                        Signal::None | Signal::Interrupt => self.signal(Signal::Terminate),
                        Signal::Terminate => self.signal(Signal::Kill),
                    });
                }
            }
            if self.outgoing.is_empty() && *self.ends.level.borrow() == Level::Close {
                self.stdin = None;
            }
        }
    }

    /// Gives an order to the dialect.
    fn take(&mut self, order: Order) -> Result<Taken, Failure> {
        let says = matches!(order, Order::Say(_));
        if says && self.open {
            return Err(fail(
                FailureKind::Other,
                "A turn is still running in this conversation; wait for its end or stop it first.",
            ));
        }
        if self.stdin.is_none() {
            return Err(fail(
                FailureKind::Crashed,
                "The program of this conversation does not listen any more.",
            ));
        }
        let mut out = Out::default();
        let taken = self.dialect.order(order, now_ms(), &mut out);
        // Before its events: one of them may be the end of this very turn.
        self.open |= says && taken == Ok(Taken::Now);
        self.pass(out);
        taken
    }

    fn ask(&mut self, what: impl FnOnce(&mut dyn Dialect, u64, &mut Out)) {
        let mut out = Out::default();
        what(&mut *self.dialect, now_ms(), &mut out);
        self.pass(out);
    }

    fn pass(&mut self, out: Out) {
        for line in out.lines {
            self.outgoing.extend(line.as_bytes());
            self.outgoing.push_back(b'\n');
        }
        if self.listened_to {
            sift(out.events, &mut self.open, &mut self.pending);
        } else {
            sift(out.events, &mut self.open, &mut VecDeque::new());
        }
    }

    /// Gives the receiver what it has room for.
    fn hand_over(&mut self) {
        while let Some(event) = self.pending.pop_front() {
            match self.ends.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.pending.push_front(event);
                    return;
                }
                Err(TrySendError::Closed(_)) => {
                    self.listened_to = false;
                    self.pending.clear();
                }
            }
        }
    }

    fn signal(&self, signal: Signal) -> Escalation {
        self.running.signal(signal);
        Escalation { sent: signal, until: Instant::now() + self.grace }
    }

    fn ended_by_us(&mut self) -> bool {
        let was = self.ended == Ended::ByItself;
        if was {
            self.ended = Ended::Cancelled;
        }
        was
    }
}

/// What a driver still has to say when its process is gone.
struct Last {
    dialect: Box<dyn Dialect>,
    pending: VecDeque<Event>,
    open: bool,
}

impl Last {
    async fn read_rest(
        &mut self,
        mut stdout: Option<tokio::process::ChildStdout>,
        mut stderr: Option<tokio::process::ChildStderr>,
        mut lines: Lines,
        tail: &mut Tail,
    ) {
        let mut chunk = vec![0; 64 << 10];
        let deadline = Instant::now() + LINGER;
        let mut rest = 0;
        let mut told = Vec::new();
        while stdout.is_some() && rest < REST {
            let Ok(count) = tokio::time::timeout_at(deadline, read(&mut stdout, &mut chunk)).await
            else {
                break;
            };
            rest += count;
            lines.feed(&chunk[..count], &mut |line| told.push(line.to_owned()));
        }
        lines.finish(&mut |line| told.push(line.to_owned()));
        while stderr.is_some() && rest < 2 * REST {
            let Ok(count) = tokio::time::timeout_at(deadline, read(&mut stderr, &mut chunk)).await
            else {
                break;
            };
            rest += count;
            tail.feed(&chunk[..count]);
        }
        let mut out = Out::default();
        for line in told {
            self.dialect.line(&line, now_ms(), &mut out);
        }
        sift(out.events, &mut self.open, &mut self.pending);
    }

    fn finish(&mut self, exit: Exit) {
        let mut out = Out::default();
        self.dialect.gone(&exit, now_ms(), &mut out);
        sift(out.events, &mut self.open, &mut self.pending);
        if self.open {
            let failure =
                fail(FailureKind::Crashed, "The program ended in the middle of the turn.");
            self.pending.push_back(Event::Ended(Outcome {
                session: None,
                text: String::new(),
                usage: Usage::default(),
                result: Err(failure),
            }));
        }
        self.pending.push_back(Event::Gone { stderr: exit.stderr });
    }
}

/// Lets through what may be reported: one end for each turn, and our own word about the end of all.
fn sift(events: Vec<Event>, open: &mut bool, into: &mut VecDeque<Event>) {
    for event in events {
        match event {
            Event::Ended(_) if !std::mem::take(open) => {
                tracing::debug!("a turn that was not open has ended");
            }
            Event::Gone { .. } => {}
            event => into.push_back(event),
        }
    }
}

/// Waits until the receiver has room for an event; `false` when there is none any more.
async fn has_room(events: &mpsc::Sender<Event>) -> bool {
    events.reserve().await.is_ok()
}

/// Writes what can be written; never comes back when there is nothing to write or nowhere to.
async fn write(to: &mut Option<ChildStdin>, bytes: &VecDeque<u8>) -> std::io::Result<usize> {
    match to {
        Some(stdin) if !bytes.is_empty() => {
            let (first, _) = bytes.as_slices();
            match stdin.write(first).await {
                Ok(0) => Err(std::io::ErrorKind::WriteZero.into()),
                written => written,
            }
        }
        _ => std::future::pending().await,
    }
}

#[cfg(all(test, unix))]
mod tests;
