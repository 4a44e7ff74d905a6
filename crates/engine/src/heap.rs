//! What history costs in memory, over all terminals. The emulators keep rows as they came; quiet
//! terminals compress theirs, and when all of them together hold too much, nobody waits to be quiet.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of uncompressed rows over all terminals beyond which they are compressed at once. Three
/// terminals that flood at the same time stay below it.
const LIMIT: usize = 96 << 20;
/// Rows after whose compression the freed memory is given back to the system: the allocator keeps the
/// pages otherwise. It takes about a millisecond.
const TRIM_AFTER: usize = 1024;

/// Bytes of rows from which on the end of one terminal is reason enough.
const WORTH: usize = 1 << 20;

/// Bytes of large pastes over all terminals: as many as four of the largest.
const PASTES: usize = 256 << 20;

/// The books of one host.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    hot: AtomicUsize,
    compressed: AtomicUsize,
    terminals: AtomicUsize,
    pastes: AtomicUsize,
}

impl Heap {
    /// A terminal holds so many bytes now, after so many before.
    pub(crate) fn changed(&self, before: usize, now: usize) {
        let _ = self.hot.fetch_add(now, Ordering::Relaxed);
        let _ = self.hot.fetch_sub(before, Ordering::Relaxed);
    }

    /// Whether all terminals together hold too much.
    pub(crate) fn is_over(&self) -> bool {
        self.hot.load(Ordering::Relaxed) > LIMIT
    }

    /// There is one terminal more.
    pub(crate) fn began(&self) {
        let _ = self.terminals.fetch_add(1, Ordering::Relaxed);
    }

    /// There is one less.
    pub(crate) fn ended(&self) {
        let _ = self.terminals.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether all terminals together hold too much and one with so many bytes has more than its part.
    pub(crate) fn is_too_much(&self, hot: usize) -> bool {
        self.is_over() && hot > LIMIT / self.terminals.load(Ordering::Relaxed).max(1)
    }

    /// A large paste is to be held; says whether there is room for it.
    pub(crate) fn take_paste(&self, bytes: usize) -> bool {
        let room = |held: usize| held.checked_add(bytes).filter(|all| *all <= PASTES);
        self.pastes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    /// It is held no longer.
    pub(crate) fn free_paste(&self, bytes: usize) {
        let _ = self.pastes.fetch_sub(bytes, Ordering::Relaxed);
        self.freed(bytes);
    }

    /// Rows were compressed.
    pub(crate) fn compressed(&self, rows: usize) {
        let _ = self.compressed.fetch_add(rows, Ordering::Relaxed);
    }

    /// A terminal with so many bytes of rows is gone: gives its memory back where it is worth it.
    pub(crate) fn freed(&self, bytes: usize) {
        if bytes >= WORTH {
            trim();
        }
    }

    /// A terminal has nothing more to compress: gives memory back where it is worth it.
    pub(crate) fn settle(&self) {
        if self.compressed.load(Ordering::Relaxed) >= TRIM_AFTER {
            self.compressed.store(0, Ordering::Relaxed);
            trim();
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    #[allow(unsafe_code, reason = "glibc keeps freed pages unless it is told")]
    // SAFETY: it takes no pointer, and may be called from any thread at any time.
    let _ = unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pastes_have_a_limit_over_all_terminals() {
        let heap = Heap::default();
        assert!(heap.take_paste(PASTES - 1));
        assert!(!heap.take_paste(2));
        assert!(heap.take_paste(1));
        heap.free_paste(2);
        assert!(heap.take_paste(2));
        assert!(!heap.take_paste(usize::MAX));
    }

    #[test]
    fn it_is_over_while_all_together_hold_too_much() {
        let heap = Heap::default();
        heap.changed(0, LIMIT);
        assert!(!heap.is_over());
        heap.changed(0, 1);
        assert!(heap.is_over());
        heap.began();
        heap.began();
        assert!(heap.is_too_much(LIMIT / 2 + 1) && !heap.is_too_much(LIMIT / 2));
        heap.ended();
        assert!(!heap.is_too_much(LIMIT));
        heap.changed(LIMIT, 0);
        assert!(!heap.is_over() && !heap.is_too_much(LIMIT + 1));
    }
}
