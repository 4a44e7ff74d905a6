//! Pseudo-terminals: spawn, read, write, resize, and end a whole process group.
//!
//! A [`Pty`] is one child with its terminal. Output is collected by a gather thread into a queue of at
//! most [`Pty::CHUNKS`] chunks; when nobody takes them the thread stops reading, the kernel's buffer
//! fills and the child waits. Input goes out at once where the kernel takes it and through a bounded
//! queue and a writer thread where it does not. No method of [`Pty`] blocks.
//!
//! What the bytes mean is the `terminal` crate's business; which programs run is the `engine`'s.

pub mod process;

mod chunk;
mod fake;
mod unix;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use maestro_core::screen::Size;

pub use chunk::Chunk;
pub use fake::{Remote, fake};
pub use process::Marker;

/// One child and its terminal. Dropping it closes it with the default [`Grace`], in the background.
pub struct Pty {
    device: Arc<dyn Device>,
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Spawn {
    /// Ends the names of the threads: `t3` gives `pty-r-t3`.
    pub name: String,
    /// The program: a path, or a name looked up in `env`'s `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Where it starts. It must exist: a child is never started somewhere else instead.
    pub directory: PathBuf,
    /// Its complete environment; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Variables of `env` by which every descendant is recognised when the terminal is closed.
    pub marker: Marker,
    /// Size of the terminal.
    pub size: Size,
}

/// Called from the PTY's threads when there is something to [`Pty::take`], when there is room for input
/// again ([`Pty::ROOM`]), when the child has exited, and when closing is complete. It must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// How long a child is given between one signal and the next harder one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// From SIGHUP to SIGTERM.
    pub hangup: Duration,
    /// From SIGTERM to SIGKILL.
    pub terminate: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Self { hangup: Duration::from_millis(1500), terminate: Duration::from_millis(1500) }
    }
}

/// Why a child could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory to start in is gone.
    #[error("the directory {} does not exist; nothing was started", .0.display())]
    NoDirectory(PathBuf),
    /// The system has no terminal for us.
    #[error("no pseudo-terminal could be opened: {0}")]
    Open(String),
    /// The program did not start.
    #[error("{} could not be started: {reason}", .program.display())]
    Spawn {
        /// What was asked for.
        program: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// No thread or descriptor for it.
    #[error("the terminal could not be set up: {0}")]
    Setup(#[source] std::io::Error),
}

/// Input that was not accepted. None of it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The child does not read, and the queue is full.
    #[error(
        "the program in this terminal is not reading its input; {limit} bytes already wait for it"
    )]
    Full {
        /// The queue's size.
        limit: usize,
    },
    /// The child is gone.
    #[error("the program in this terminal has ended")]
    Closed,
}

impl Pty {
    /// Chunks of output that may wait for [`Pty::take`].
    pub const CHUNKS: usize = 4;
    /// Bytes of one chunk at most.
    pub const CHUNK: usize = 64 * 1024;
    /// Bytes of input that may wait for a child that does not read: some large pastes. More is refused.
    pub const INPUT: usize = 4 * 1024 * 1024;
    /// What whoever has a lot to write should keep [`Pty::unwritten`] below: enough that a child that
    /// reads fast never waits for more. When half of it is written, the owner is woken.
    pub const ROOM: usize = 64 * 1024;

    /// Starts a child in a new terminal.
    ///
    /// # Errors
    /// When the directory is gone, the program does not start, or the system is out of terminals.
    pub fn spawn(spawn: Spawn, wake: Wake) -> Result<Self, Error> {
        Ok(Self { device: unix::Unix::spawn(spawn, wake)? })
    }

    /// The next chunk of output, if one waits.
    #[must_use]
    pub fn take(&self) -> Option<Chunk> {
        self.device.take()
    }

    /// Whether [`Pty::take`] has something.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.device.has_output()
    }

    /// Gives the child input, all of it or nothing.
    ///
    /// # Errors
    /// When the queue is full or the child is gone.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Refused> {
        if bytes.is_empty() { Ok(()) } else { self.device.write(bytes) }
    }

    /// Bytes that were given to [`Pty::write`] and the system has not taken yet, because the child does
    /// not read so fast.
    #[must_use]
    pub fn unwritten(&self) -> usize {
        self.device.unwritten()
    }

    /// Bytes of output that wait for [`Pty::take`].
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.device.waiting()
    }

    /// Tells the child that its terminal has another size.
    pub fn resize(&self, size: Size) {
        self.device.resize(size);
    }

    /// The child's process id while it lives.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.device.pid()
    }

    /// The child's exit code, or 128 + signal. It comes after the child's last output has been read.
    #[must_use]
    pub fn exit(&self) -> Option<i32> {
        self.device.exit()
    }

    /// Ends the child, its process group, and every process that carries its marker: SIGHUP, then
    /// SIGTERM, then SIGKILL. It happens on a thread of its own; the first call decides the grace.
    pub fn close(&self, grace: Grace) {
        self.device.close(grace);
    }

    /// Whether closing is complete: nothing of it runs any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.device.is_closed()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.device.close(Grace::default());
    }
}

impl fmt::Debug for Pty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pty").field("pid", &self.pid()).field("exit", &self.exit()).finish()
    }
}

/// What stands behind a [`Pty`]: the system's, or a test's.
trait Device: Send + Sync {
    fn take(&self) -> Option<Chunk>;
    fn has_output(&self) -> bool;
    fn write(&self, bytes: &[u8]) -> Result<(), Refused>;
    fn unwritten(&self) -> usize;
    fn waiting(&self) -> usize;
    fn resize(&self, size: Size);
    fn pid(&self) -> Option<u32>;
    fn exit(&self) -> Option<i32>;
    fn close(&self, grace: Grace);
    fn is_closed(&self) -> bool;
}

/// Raises the soft limit on open descriptors, at most to 8 192: a terminal takes several, and some
/// systems begin with 256. Not higher, because children inherit it and some of them still close every
/// possible descriptor one by one.
pub fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(8192);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, "the limit on open descriptors could not be raised");
        }
    }
}
