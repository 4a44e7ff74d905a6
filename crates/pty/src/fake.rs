//! A PTY without a process, for tests of everything above it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_core::screen::Size;

use crate::chunk::{Chunk, Queue};
use crate::{Device, Grace, Pty, Refused, Wake};

/// A [`Pty`] and the test's end of it.
#[must_use]
pub fn fake(size: Size, wake: Wake) -> (Pty, Remote) {
    let shared = Arc::new(Fake {
        queue: Queue::default(),
        state: Mutex::new(State { typed: Vec::new(), size, exit: None, closed: false }),
        changed: Condvar::new(),
        wake,
    });
    (Pty { device: Arc::clone(&shared) as Arc<dyn Device> }, Remote { shared })
}

/// What a test does in the child's place.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Fake>,
}

struct Fake {
    queue: Queue,
    state: Mutex<State>,
    changed: Condvar,
    wake: Wake,
}

struct State {
    typed: Vec<u8>,
    size: Size,
    exit: Option<i32>,
    closed: bool,
}

impl Remote {
    /// Prints bytes; waits like a child while nobody takes them.
    pub fn print(&self, bytes: &[u8]) {
        for part in bytes.chunks(Pty::CHUNK) {
            if !self.shared.queue.push(Chunk::from(part)) {
                return;
            }
            (self.shared.wake)();
        }
    }

    /// Ends the child.
    pub fn exit(&self, code: i32) {
        self.shared.lock().exit = Some(code);
        (self.shared.wake)();
    }

    /// Everything typed so far.
    #[must_use]
    pub fn typed(&self) -> Vec<u8> {
        self.shared.lock().typed.clone()
    }

    /// Waits until what was typed satisfies a condition; says whether it did in time.
    #[must_use]
    pub fn wait_typed(&self, limit: Duration, enough: impl Fn(&[u8]) -> bool) -> bool {
        let state = self.shared.lock();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, limit, |state| !enough(&state.typed))
            .unwrap_or_else(PoisonError::into_inner);
        enough(&state.typed)
    }

    /// The size last told.
    #[must_use]
    pub fn size(&self) -> Size {
        self.shared.lock().size
    }

    /// Whether the terminal was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().closed
    }
}

impl Fake {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device for Fake {
    fn take(&self) -> Option<Chunk> {
        self.queue.pop()
    }

    fn has_output(&self) -> bool {
        !self.queue.is_empty()
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.exit.is_some() || state.closed {
            return Err(Refused::Closed);
        }
        if state.typed.len() + bytes.len() > Pty::INPUT {
            return Err(Refused::Full { limit: Pty::INPUT });
        }
        state.typed.extend_from_slice(bytes);
        self.changed.notify_all();
        Ok(())
    }

    fn unwritten(&self) -> usize {
        0
    }

    fn waiting(&self) -> usize {
        self.queue.bytes()
    }

    fn resize(&self, size: Size) {
        self.lock().size = size;
        self.changed.notify_all();
    }

    fn pid(&self) -> Option<u32> {
        None
    }

    fn exit(&self) -> Option<i32> {
        self.lock().exit
    }

    fn close(&self, _: Grace) {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.closed, true) {
            state.exit = state.exit.or(Some(129));
            drop(state);
            self.queue.close();
            (self.wake)();
        }
    }

    fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}
