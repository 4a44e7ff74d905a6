//! What waits to be said, and when it is said: once, in order, and never into a wreck.
//!
//! [`Queues`] keeps a queue for each agent. What goes next is decided by [`maestro_core::queue`], which is
//! pure; this module writes each step of an item into the store before it takes it, hands items to their
//! tabs, and waits for limits and bad networks by the wall clock. Of conversations it knows what [`Tabs`]
//! says, and nothing else.
//!
//! # One item, from `Send` to its turn
//!
//! 1. It is written as *waiting*, with its token: then the client hears that it is kept.
//! 2. It is chosen, and written as *dispatched* with the number of the turn it becomes.
//! 3. [`Tabs::say`] writes the prompt into the tab's transcript, then hands it to the program.
//! 4. It is written as *done*.
//!
//! A host that died before 2 said nothing. One that died after 2 asks [`Tabs::said`] when it is back: the
//! item is done, or waits again, or, if only the transcript has it, is held for its user to decide.

use std::future::Future;
use std::pin::Pin;

use maestro_core::conversation::{Prompt, Tab, TabState};
use maestro_core::turn::Failure;
use maestro_core::{AgentId, ItemId, RunId, TabId};

/// What comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Conversations, as queues see them.
pub trait Tabs: Send + Sync + 'static {
    /// A tab as it is now. Must not wait.
    fn tab(&self, tab: TabId) -> Option<Tab>;

    /// All tabs of an agent as they are now. Must not wait.
    fn tabs_of(&self, agent: AgentId) -> Vec<Tab>;

    /// The run that has the agent's directory, while one has: then only what reads may be said. Must not
    /// wait.
    fn run_in(&self, agent: AgentId) -> Option<RunId>;

    /// Begins a turn, which must become number `turn` of the tab (one more than [`Tab::turns`]): writes the
    /// prompt as an entry of that turn into the transcript, then hands it to the program. When this comes
    /// back with `Ok` the tab is busy or the turn has ended already, and [`Tab::turns`] is `turn`.
    ///
    /// # Errors
    ///
    /// Nothing of it is in the transcript and nothing reached the program. What goes wrong after the prompt
    /// is in the transcript is a turn that failed, and `Ok` here.
    fn say(
        &self,
        tab: TabId,
        turn: u64,
        prompt: Prompt,
        item: ItemId,
    ) -> Later<'_, Result<(), Refused>>;

    /// Goes on after the time of a [`TabState::Limited`] or [`TabState::Retrying`] has come: says the prompt
    /// of the failed turn again, if nothing of it was done; otherwise the tab becomes idle. Does nothing when
    /// the tab does not wait any more.
    ///
    /// [`TabState::Limited`]: maestro_core::conversation::TabState::Limited
    /// [`TabState::Retrying`]: maestro_core::conversation::TabState::Retrying
    ///
    /// # Errors
    ///
    /// It could not be said; the tab is as it was.
    fn again(&self, tab: TabId) -> Later<'_, Result<(), Refused>>;

    /// How far a turn came that a host before this one was about to begin.
    fn said(&self, tab: TabId, turn: u64) -> Later<'_, Said>;
}

/// How far a turn came before its host died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// The transcript does not have its prompt: it was not said.
    No,
    /// The transcript has its prompt and nothing after it, nor does the provider's own store: nobody knows.
    Maybe,
    /// Something came back, or the provider's own store has it.
    Yes,
}

/// Why nothing was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The tab has another turn, is elsewhere, or is not ready: it is tried again when [`Queues::freed`]
    /// tells that something is different.
    Busy(String),
    /// It cannot be said at all, with a sentence for the user: the queue is held.
    Failed(String),
}

/// How a turn ended, as far as what waits is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// Well.
    Well,
    /// Its user stopped it: what waits was not meant for what is left.
    Interrupted,
    /// It failed for good.
    Failed(Failure),
    /// The tab waits for a time and goes on by itself ([`Queues::judge`] said so).
    Waits,
}

/// The queues of one host. A cheap handle.
///
/// The order in which a conversation tells of the end of a turn matters: first [`Queues::judge`] where the
/// turn failed, then [`Queues::turn_ended`], then the tab's new state for everybody to see, then
/// [`Queues::freed`]. So nothing that waits can slip in between a failure and the hold it causes.
#[derive(Clone)]
pub struct Queues {}

impl Queues {
    /// What a tab whose turn failed does next: it waits for a limit's end, tries again after a while, or has
    /// failed. `untouched`: nothing of the turn was done, so that it can be said again. Give the tab this
    /// state.
    #[must_use]
    pub fn judge(&self, _tab: TabId, failure: &Failure, _untouched: bool) -> TabState {
        TabState::Failed(failure.clone())
    }

    /// The user stops a turn, or the waiting of a tab: what waits is held from now on.
    pub fn interrupted(&self, _agent: AgentId) {}

    /// A turn is over. Called before the tab's new state can be seen.
    pub fn turn_ended(&self, _agent: AgentId, _tab: TabId, _over: Over) {}

    /// A tab of this agent is free, waits until a time, was closed or moved, or a run gave its directory
    /// back: something may be said now. Cheap, and harmless when nothing may.
    pub fn freed(&self, _agent: AgentId) {}
}
