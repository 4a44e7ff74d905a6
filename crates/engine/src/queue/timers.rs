//! Tabs that go on by themselves at a time.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use maestro_core::TabId;
use maestro_core::conversation::{TabState, limits};
use tokio::task::AbortHandle;

/// One for each tab that waits.
#[derive(Debug, Default)]
pub(super) struct Timers {
    tabs: Mutex<HashMap<TabId, Waiting>>,
}

/// What a tab waits for, and who does.
#[derive(Debug)]
struct Waiting {
    state: TabState,
    due_ms: u64,
    task: Option<AbortHandle>,
}

impl Timers {
    /// A tab is given this state; what it waited for before counts no more.
    pub(super) fn judged(&self, tab: TabId, state: &TabState) {
        let mut tabs = self.lock();
        let before = match limits::due_ms(state, tab.0) {
            Some(due_ms) => tabs.insert(tab, Waiting { state: state.clone(), due_ms, task: None }),
            None => tabs.remove(&tab),
        };
        if let Some(Waiting { task: Some(task), .. }) = before {
            task.abort();
        }
    }

    /// Starts the wait of a tab for what it was judged to wait for.
    pub(super) fn arm<F>(&self, tab: TabId, wait: impl FnOnce(TabState, u64) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut tabs = self.lock();
        let Some(waiting) = tabs.get_mut(&tab).filter(|waiting| waiting.task.is_none()) else {
            return;
        };
        let task = tokio::spawn(wait(waiting.state.clone(), waiting.due_ms));
        waiting.task = Some(task.abort_handle());
    }

    /// The time of a tab has come.
    pub(super) fn over(&self, tab: TabId) {
        let _ = self.lock().remove(&tab);
    }

    /// Who waits, in which state.
    pub(super) fn waiting(&self) -> Vec<(TabId, TabState)> {
        let tabs = self.lock();
        let armed = tabs.iter().filter(|(_, waiting)| waiting.task.is_some());
        armed.map(|(tab, waiting)| (*tab, waiting.state.clone())).collect()
    }

    /// A tab waits no more: something is said in it, or its turn ended otherwise.
    pub(super) fn forget(&self, tab: TabId) {
        let before = self.lock().remove(&tab);
        if let Some(Waiting { task: Some(task), .. }) = before {
            task.abort();
        }
    }

    /// Nobody waits any more.
    pub(super) fn end(&self) {
        for (_, waiting) in self.lock().drain() {
            if let Some(task) = waiting.task {
                task.abort();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TabId, Waiting>> {
        self.tabs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
