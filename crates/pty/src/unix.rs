//! The system's pseudo-terminals on Unix.
//!
//! `portable-pty` opens the terminal and starts the child. Its reader and writer are not used: they
//! block, and dropping its writer types a line break and end-of-file into the terminal. We read and
//! write our own duplicate of the master, which is non-blocking, so every thread here can be stopped by
//! closing a pipe.

use std::collections::VecDeque;
use std::io::PipeWriter;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use maestro_core::screen::Size;
use portable_pty::{CommandBuilder, MasterPty, PtyPair, PtySize, native_pty_system};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use crate::chunk::{Chunk, Queue};
use crate::process::{self, Marker};
use crate::{Device, Error, Grace, Pty, Refused, Spawn, Wake};

/// A read of at least this much is probably part of more.
const GATHER_FROM: usize = 1024;
/// How long more is waited for then.
const GATHER_FOR: Duration = Duration::from_millis(3);
/// The threads only move bytes.
const STACK: usize = 96 * 1024;
/// How long an exit is held back for output that is still on its way. Something else may keep the
/// terminal open and printing for ever.
const DRAIN: Duration = Duration::from_secs(5);

/// One terminal, shared by its threads and its owner.
pub(crate) struct Unix {
    name: String,
    master: OwnedFd,
    /// The size is set through it; kept so that nothing depends on the duplicate alone.
    portable: Mutex<Box<dyn MasterPty + Send>>,
    queue: Queue,
    input: Mutex<Input>,
    input_added: Condvar,
    /// The child's id; also its session's and its first process group's.
    pid: u32,
    marker: Marker,
    exit: Mutex<Option<i32>>,
    /// The child was waited for: its id may belong to somebody else now.
    reaped: AtomicBool,
    /// All output was read.
    drained: AtomicBool,
    /// Output was read, or is about to be, and is not in the queue yet.
    gathering: AtomicBool,
    phase: AtomicU8,
    /// Closing it stops the threads.
    stop: Mutex<Option<PipeWriter>>,
    stopped: OwnedFd,
    wake: Wake,
}

const OPEN: u8 = 0;
const CLOSING: u8 = 1;
const CLOSED: u8 = 2;

#[derive(Default)]
struct Input {
    pending: VecDeque<Vec<u8>>,
    bytes: usize,
    has_writer: bool,
    closed: bool,
}

impl Unix {
    pub(crate) fn spawn(spawn: Spawn, wake: Wake) -> Result<Arc<dyn Device>, Error> {
        if !spawn.directory.is_dir() {
            return Err(Error::NoDirectory(spawn.directory));
        }
        let PtyPair { master, slave } = native_pty_system()
            .openpty(pty_size(spawn.size))
            .map_err(|error| Error::Open(error.to_string()))?;
        let descriptor = duplicate(&*master).map_err(Error::Setup)?;
        let (stopped, stop) = std::io::pipe().map_err(Error::Setup)?;

        let child = slave.spawn_command(command(&spawn)).map_err(|error| Error::Spawn {
            program: PathBuf::from(&spawn.program),
            reason: format!("{error:#}"),
        })?;
        // Ours must go, or the terminal never hangs up.
        drop(slave);
        // Its own exit status has no signal number, so the child itself is wanted.
        let child: Box<dyn portable_pty::Child> = child;
        let child: Box<Child> = child.downcast().map_err(|_| Error::Spawn {
            program: PathBuf::from(&spawn.program),
            reason: "it is no local process".to_owned(),
        })?;

        let unix = Arc::new(Self {
            pid: child.id(),
            name: spawn.name,
            master: descriptor,
            portable: Mutex::new(master),
            queue: Queue::default(),
            input: Mutex::default(),
            input_added: Condvar::new(),
            marker: spawn.marker,
            exit: Mutex::new(None),
            reaped: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            gathering: AtomicBool::new(false),
            phase: AtomicU8::new(OPEN),
            stop: Mutex::new(Some(stop)),
            stopped: stopped.into(),
            wake,
        });
        if let Err(error) = unix.start_threads(child) {
            unix.close(Grace::default());
            return Err(Error::Setup(error));
        }
        Ok(Arc::new(unix))
    }

    fn start_threads(self: &Arc<Self>, child: Box<Child>) -> std::io::Result<()> {
        // The child is waited for first of all: without this thread it would stay a zombie.
        self.thread("x", move |unix| unix.wait_for(*child))?;
        self.thread("r", Self::gather)
    }

    fn thread(
        self: &Arc<Self>,
        kind: &str,
        work: impl FnOnce(&Self) + Send + 'static,
    ) -> std::io::Result<()> {
        let unix = Arc::clone(self);
        let name = format!("pty-{kind}-{}", self.name);
        let _detached =
            thread::Builder::new().name(name).stack_size(STACK).spawn(move || work(&unix))?;
        Ok(())
    }

    /// The reader thread: collects output into chunks until the terminal hangs up or we stop.
    fn gather(&self) {
        while self.wait_until(PollFlags::IN, None) {
            // Before it is read: at any moment output can be seen to be somewhere.
            self.gathering.store(true, Ordering::SeqCst);
            let mut chunk = Chunk::empty();
            let ended = self.fill(&mut chunk);
            if !chunk.is_empty() {
                // While closing nobody takes it, but it is read all the same: a child that waits for
                // its output to be read would not get to its signal handler.
                let _taken = self.queue.push(chunk);
                (self.wake)();
            }
            self.gathering.store(false, Ordering::SeqCst);
            if ended {
                break;
            }
        }
        self.drained.store(true, Ordering::Release);
    }

    /// Reads what is there, and after a large read a little longer; says whether the terminal hung up.
    fn fill(&self, chunk: &mut Chunk) -> bool {
        let mut deadline = None;
        while chunk.has_room() {
            match rustix::io::read(&self.master, spare_capacity(chunk.buffer())) {
                Ok(0) | Err(Errno::IO) => return true,
                Ok(count) if count < GATHER_FROM && deadline.is_none() => return false,
                Ok(_) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                    return false;
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let Some(deadline) = deadline else { return false };
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() || !self.wait_until(PollFlags::IN, Some(left)) {
                        return false;
                    }
                }
                Err(_) => return true,
            }
            let _ = deadline.get_or_insert_with(|| Instant::now() + GATHER_FOR);
        }
        false
    }

    /// The writer thread: started when the kernel first takes less than was typed.
    fn drain_input(&self) {
        loop {
            let mut input = self.lock_input();
            while input.pending.is_empty() && !input.closed {
                input = self.input_added.wait(input).unwrap_or_else(PoisonError::into_inner);
            }
            let Some(bytes) = input.pending.pop_front().filter(|_| !input.closed) else { return };
            drop(input);
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                match self.write_some(rest) {
                    Ok(0) if !self.wait_until(PollFlags::OUT, None) => return,
                    Ok(count) => {
                        rest = &rest[count..];
                        let mut input = self.lock_input();
                        let before = input.bytes;
                        input.bytes = before.saturating_sub(count);
                        let now = input.bytes;
                        drop(input);
                        let half = Pty::ROOM / 2;
                        if (before > half && now <= half) || (before > 0 && now == 0) {
                            (self.wake)();
                        }
                    }
                    Err(Refused::Closed | Refused::Full { .. }) => {
                        self.close_input();
                        return;
                    }
                }
            }
        }
    }

    /// Writes what the kernel takes right now.
    fn write_some(&self, bytes: &[u8]) -> Result<usize, Refused> {
        loop {
            match rustix::io::write(&self.master, bytes) {
                Ok(count) => return Ok(count),
                Err(Errno::AGAIN) => return Ok(0),
                Err(Errno::INTR) => {}
                Err(_) => return Err(Refused::Closed),
            }
        }
    }

    /// The exit thread: waits for the child, then for its last output to be read.
    fn wait_for(&self, mut child: Child) {
        let code = child.wait().map_or(-1, exit_code);
        self.reaped.store(true, Ordering::Release);
        let deadline = Instant::now() + DRAIN;
        while !self.drained.load(Ordering::Acquire)
            && self.phase.load(Ordering::Acquire) == OPEN
            && Instant::now() < deadline
        {
            let more = self.has_more();
            thread::sleep(Duration::from_millis(2));
            if !more && !self.has_more() {
                break;
            }
        }
        *self.exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
        (self.wake)();
    }

    /// Whether output is on its way. Asked in the order in which it goes, so that none slips by.
    fn has_more(&self) -> bool {
        readable(self.master.as_fd())
            || self.gathering.load(Ordering::SeqCst)
            || !self.queue.is_empty()
    }

    /// Waits until the terminal is ready or the time is over; false when we are to stop.
    fn wait_until(&self, what: PollFlags, limit: Option<Duration>) -> bool {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        loop {
            let mut descriptors =
                [PollFd::new(&self.master, what), PollFd::new(&self.stopped, PollFlags::IN)];
            match poll(&mut descriptors, limit.as_ref()) {
                Err(Errno::INTR) => {}
                Err(_) => return false,
                Ok(_) => return descriptors[1].revents().is_empty(),
            }
        }
    }

    /// The closing thread: one signal after the other, then the end of the terminal itself.
    fn escalate(&self, grace: Grace) {
        let stages = [
            (Signal::HUP, grace.hangup),
            (Signal::TERM, grace.terminate),
            (Signal::KILL, Duration::from_secs(2)),
        ];
        for (signal, wait) in stages {
            if self.signal(signal) == 0 {
                break;
            }
            // A stopped process acts on nothing but SIGKILL until it is continued.
            let _ = self.signal(Signal::CONT);
            let deadline = Instant::now() + wait;
            while Instant::now() < deadline && self.is_anything_left() {
                // Looking for descendants reads all of /proc; the child itself is known at once.
                let pause = if self.reaped.load(Ordering::Acquire) { 50 } else { 10 };
                thread::sleep(Duration::from_millis(pause));
            }
        }
        self.stop();
        self.phase.store(CLOSED, Ordering::Release);
        (self.wake)();
    }

    /// Signals everything that belongs to the child; says how many processes that were.
    fn signal(&self, signal: Signal) -> usize {
        // The group first, in one call, so that nothing can fork its way past the list.
        if let Some(group) = self.group().filter(|_| !self.reaped.load(Ordering::Acquire)) {
            let _ = rustix::process::kill_process_group(group, signal);
        }
        let rest = self.belonging();
        for process in &rest {
            process.signal(signal);
        }
        rest.len()
    }

    fn is_anything_left(&self) -> bool {
        !self.reaped.load(Ordering::Acquire) || !self.belonging().is_empty()
    }

    /// The child, its session (which holds the shell's jobs, each in a group of its own), and whatever
    /// carries the marker.
    fn belonging(&self) -> Vec<process::Process> {
        // The child's id stays reserved while its session has a member. Once it was waited for, a
        // process with that id is somebody else's, and so is the session it leads.
        let ours = !self.reaped.load(Ordering::Acquire) || !process::exists(self.pid);
        let mut all = if ours { process::in_session(self.pid) } else { Vec::new() };
        for process in self.marker.processes() {
            if !all.contains(&process) {
                all.push(process);
            }
        }
        all
    }

    fn group(&self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }

    fn stop(&self) {
        self.close_input();
        self.queue.close();
        let _closed = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn close_input(&self) {
        let mut input = self.lock_input();
        input.closed = true;
        input.pending.clear();
        input.bytes = 0;
        drop(input);
        self.input_added.notify_all();
    }

    fn lock_input(&self) -> MutexGuard<'_, Input> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The owner's side is a handle of its own, so that threads can be started from it.
impl Device for Arc<Unix> {
    fn take(&self) -> Option<Chunk> {
        self.queue.pop()
    }

    fn has_output(&self) -> bool {
        !self.queue.is_empty()
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Refused> {
        let mut input = self.lock_input();
        if input.closed {
            return Err(Refused::Closed);
        }
        if input.bytes + bytes.len() > Pty::INPUT {
            return Err(Refused::Full { limit: Pty::INPUT });
        }
        let written = if input.bytes == 0 { self.write_some(bytes)? } else { 0 };
        let rest = &bytes[written..];
        if rest.is_empty() {
            return Ok(());
        }
        if !input.has_writer {
            input.has_writer = self.thread("w", Unix::drain_input).is_ok();
        }
        if !input.has_writer {
            return Err(Refused::Full { limit: Pty::INPUT });
        }
        input.bytes += rest.len();
        input.pending.push_back(rest.to_vec());
        drop(input);
        self.input_added.notify_one();
        Ok(())
    }

    fn unwritten(&self) -> usize {
        self.lock_input().bytes
    }

    fn waiting(&self) -> usize {
        self.queue.bytes()
    }

    fn resize(&self, size: Size) {
        let portable = self.portable.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = portable.resize(pty_size(size)) {
            tracing::debug!(terminal = self.name, %error, "a terminal was not resized");
        }
    }

    fn pid(&self) -> Option<u32> {
        (!self.reaped.load(Ordering::Acquire)).then_some(self.pid)
    }

    fn exit(&self) -> Option<i32> {
        *self.exit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, grace: Grace) {
        let first =
            self.phase.compare_exchange(OPEN, CLOSING, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if !first {
            return;
        }
        self.queue.close();
        if self.thread("k", move |unix| unix.escalate(grace)).is_err() {
            // No thread to be had: be short instead of patient.
            let _ = self.signal(Signal::KILL);
            self.stop();
            self.phase.store(CLOSED, Ordering::Release);
        }
    }

    fn is_closed(&self) -> bool {
        self.phase.load(Ordering::Acquire) == CLOSED
    }
}

/// A non-blocking duplicate of the master. Both are the same open file, so the original becomes
/// non-blocking too; nobody reads that one.
fn duplicate(master: &dyn MasterPty) -> std::io::Result<OwnedFd> {
    let raw = master
        .as_raw_fd()
        .ok_or_else(|| std::io::Error::other("the terminal has no descriptor"))?;
    #[allow(unsafe_code, reason = "portable-pty hands out a raw descriptor only")]
    // SAFETY: `master` owns the descriptor and outlives this borrow.
    let borrowed = unsafe { BorrowedFd::borrow_raw(raw) };
    let own = borrowed.try_clone_to_owned()?;
    let flags = rustix::fs::fcntl_getfl(&own)?;
    rustix::fs::fcntl_setfl(&own, flags | OFlags::NONBLOCK)?;
    Ok(own)
}

fn command(spawn: &Spawn) -> CommandBuilder {
    let mut command = CommandBuilder::new(&spawn.program);
    command.args(&spawn.args);
    command.env_clear();
    for (name, value) in &spawn.env {
        command.env(name, value);
    }
    command.cwd(&spawn.directory);
    command
}

fn pty_size(size: Size) -> PtySize {
    PtySize {
        rows: size.rows,
        cols: size.cols,
        pixel_width: size.cell_width.saturating_mul(size.cols),
        pixel_height: size.cell_height.saturating_mul(size.rows),
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn readable(descriptor: BorrowedFd<'_>) -> bool {
    let mut descriptors = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    poll(&mut descriptors, Some(&Timespec::default())).is_ok()
        && descriptors[0].revents().contains(PollFlags::IN)
}
