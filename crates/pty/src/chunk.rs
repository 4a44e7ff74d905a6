//! Buffers of output. They are recycled over all terminals and never zeroed: a fresh 64 KiB buffer per
//! chunk shows up in a profile.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::Pty;

/// Spare buffers kept over all terminals, 1 MiB in sum.
const SPARE: usize = 16;

static POOL: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Some output of a child. Its buffer is used again once it is dropped.
pub struct Chunk {
    bytes: Vec<u8>,
}

impl Chunk {
    /// An empty chunk with room for [`Pty::CHUNK`] bytes.
    pub(crate) fn empty() -> Self {
        let spare = POOL.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { bytes: spare.unwrap_or_else(|| Vec::with_capacity(Pty::CHUNK)) }
    }

    /// The buffer to fill.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Whether another read can be added.
    pub(crate) fn has_room(&self) -> bool {
        self.bytes.len() < Pty::CHUNK
    }
}

impl From<&[u8]> for Chunk {
    fn from(bytes: &[u8]) -> Self {
        let mut chunk = Self::empty();
        chunk.bytes.extend_from_slice(bytes);
        chunk
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < SPARE && bytes.capacity() >= Pty::CHUNK {
            bytes.clear();
            pool.push(bytes);
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({} bytes)", self.bytes.len())
    }
}

/// The bounded queue between the gather thread and whoever parses.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Chunk>,
    closed: bool,
}

impl Queue {
    /// Adds a chunk, waiting for room; says whether anybody still takes them.
    pub(crate) fn push(&self, chunk: Chunk) -> bool {
        let mut state = self.lock();
        while state.chunks.len() >= Pty::CHUNKS && !state.closed {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if !state.closed {
            state.chunks.push_back(chunk);
        }
        !state.closed
    }

    pub(crate) fn pop(&self) -> Option<Chunk> {
        let mut state = self.lock();
        let chunk = state.chunks.pop_front();
        if state.chunks.len() + 1 == Pty::CHUNKS {
            self.room.notify_one();
        }
        chunk
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().chunks.is_empty()
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// Lets a waiting [`Queue::push`] go. What is queued can still be taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
