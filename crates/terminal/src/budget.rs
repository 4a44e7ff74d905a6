//! What a child can make cells hold besides their character and colours: combining marks, links, colours of
//! underlines. A cell takes 24 bytes and is there anyway; these can take several hundred bytes more for each
//! cell of ten thousand rows, in every terminal at once.
//!
//! So there are two limits, one for each terminal and one for all terminals of the process, and beyond
//! them new ones are dropped until old ones are gone. The character itself is always shown.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// The bytes all terminals of a process may hold in such things together: as much as two terminals with
/// nothing but accented letters in all of their hot history.
pub const BUDGET: usize = 128 * 1024 * 1024;

/// The bytes one terminal may hold.
pub(crate) const TERMINAL_LIMIT: usize = 32 * 1024 * 1024;

/// Shares are taken in blocks, so that terminals seldom meet at the common counter.
const BLOCK: usize = 64 * 1024;

static SHARED: LazyLock<Budget> = LazyLock::new(|| Budget::new(BUDGET));

/// A limit that several terminals share. Cloning it gives another handle to the same.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// One of its own, of so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Inner { limit, used: AtomicUsize::new(0) }))
    }

    /// The process's: [`BUDGET`] bytes.
    #[must_use]
    pub fn shared() -> Self {
        SHARED.clone()
    }

    /// Bytes that are taken, in blocks of 64 KiB for each terminal.
    #[must_use]
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }
}

impl PartialEq for Budget {
    /// Whether it is the same one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Budget {}

impl Default for Budget {
    fn default() -> Self {
        Self::shared()
    }
}

/// What one terminal has taken of a budget; it is given back when the terminal goes.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    taken: usize,
}

impl Share {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, taken: 0 }
    }

    /// Takes as much as `bytes` need in all, or gives back what they do not; `false`, and nothing changes,
    /// where that is too much.
    pub(crate) fn cover(&mut self, bytes: usize) -> bool {
        let wanted = bytes.next_multiple_of(BLOCK);
        if wanted <= self.taken {
            // Not the last block, so that a number around its border does not go back and forth.
            let surplus = (self.taken - wanted).saturating_sub(BLOCK);
            if surplus > 0 {
                self.taken -= surplus;
                let _ = self.budget.0.used.fetch_sub(surplus, Ordering::Relaxed);
            }
            return true;
        }
        let more = wanted - self.taken;
        let used = &self.budget.0.used;
        if used.fetch_add(more, Ordering::Relaxed).saturating_add(more) > self.budget.0.limit {
            let _ = used.fetch_sub(more, Ordering::Relaxed);
            return false;
        }
        self.taken = wanted;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let _ = self.budget.0.used.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_end_where_the_budget_ends_and_come_back() {
        let budget = Budget::new(4 * BLOCK);
        let mut first = Share::new(budget.clone());
        let mut second = Share::new(budget.clone());
        assert!(first.cover(2 * BLOCK + 1));
        assert!(second.cover(1));
        assert_eq!(budget.used(), 4 * BLOCK);
        assert!(!second.cover(BLOCK + 1));
        assert!(second.cover(BLOCK), "what it has, it keeps");
        assert!(first.cover(0));
        assert!(second.cover(BLOCK + 1));
        drop((first, second));
        assert_eq!(budget.used(), 0);
    }
}
