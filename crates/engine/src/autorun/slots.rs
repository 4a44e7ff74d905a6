//! How many sessions of one provider may be at work in runs at the same time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_agents::Cancel;
use maestro_core::agent::Provider;
use tokio::sync::Notify;

/// How often a session that waits looks whether its turn was cancelled.
const LOOK: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Slots {
    taken: Mutex<HashMap<Provider, usize>>,
    freed: Notify,
}

/// A place; given back on drop.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    provider: Provider,
}

impl Slots {
    fn taken(&self) -> MutexGuard<'_, HashMap<Provider, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_enter(&self, provider: Provider, most: usize) -> Option<Slot<'_>> {
        let mut taken = self.taken();
        let count = taken.entry(provider).or_default();
        (*count < most.max(1)).then(|| {
            *count += 1;
            Slot { slots: self, provider }
        })
    }

    /// Waits for a place; `None` when the turn was cancelled meanwhile. `waits` is called once if there is
    /// none at first.
    pub(super) async fn enter(
        &self,
        provider: Provider,
        most: usize,
        cancel: &Cancel,
        waits: impl FnOnce(),
    ) -> Option<Slot<'_>> {
        let mut waits = Some(waits);
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Before looking, so that what happens in between is not missed.
            let _ = freed.as_mut().enable();
            if let Some(slot) = self.try_enter(provider, most) {
                return Some(slot);
            }
            if let Some(waits) = waits.take() {
                waits();
            }
            if cancel.is_cancelled() {
                return None;
            }
            let _ = tokio::time::timeout(LOOK, freed).await;
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.slots.taken().get_mut(&self.provider) {
            *count = count.saturating_sub(1);
        }
        self.slots.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn as_many_as_may_are_at_work_and_the_next_one_waits() {
        let slots = Slots::default();
        let cancel = Cancel::new();
        let enter = |most| slots.enter(Provider::Demo, most, &cancel, || {});
        let first = enter(2).await.expect("a place");
        let second = enter(2).await.expect("a place");
        assert!(slots.try_enter(Provider::Demo, 2).is_none());
        assert!(slots.try_enter(Provider::Claude, 1).is_some(), "each provider has its own");
        let mut waited = false;
        let (third, ()) =
            tokio::join!(slots.enter(Provider::Demo, 2, &cancel, || waited = true), async {
                drop(first);
            });
        assert!(third.is_some() && waited);
        cancel.cancel();
        assert!(enter(2).await.is_none(), "who is cancelled does not wait");
        drop((second, third));
        assert!(slots.taken().values().all(|count| *count == 0));
    }
}
