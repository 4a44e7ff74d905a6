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

mod clock;
mod line;
mod timers;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_core::conversation::{Prompt, Tab, TabState, limits};
use maestro_core::queue::{Held, Queue, TOKEN_LIMIT, Unfit, after_restart};
use maestro_core::turn::Failure;
use maestro_core::{AgentId, ItemId, RunId, TabId};
use maestro_protocol::message::{Error, ErrorKind, Event, ItemChange};
use maestro_store::{ItemState, Store};
use tokio::sync::watch;

pub use self::clock::{Clock, WallClock};

use self::line::Line;
use self::timers::Timers;

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

/// What queues need from the host.
#[derive(Clone)]
pub struct Deps {
    /// The truth about what waits.
    pub store: Store,
    /// Conversations.
    pub tabs: Arc<dyn Tabs>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where what happens is told: [`Event::Queue`] and [`Event::Problem`]. Must not block.
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
    /// What the user has set, asked for each time.
    pub settings: Arc<dyn Fn() -> Settings + Send + Sync>,
}

impl fmt::Debug for Deps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deps").finish_non_exhaustive()
    }
}

/// What the user has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What waited when the host ended is sent by the next one without asking.
    pub send_after_restart: bool,
    /// Work goes on by itself when a limit is over.
    pub resume_after_limit: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { send_after_restart: false, resume_after_limit: true }
    }
}

/// A step of an item. A test's [`Hook`] is asked before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// It is written down. It has no id yet: the hook is given `q0`.
    Keep,
    /// Its client is told that it is kept.
    Acknowledge,
    /// It is written down as dispatched.
    Dispatch,
    /// It is handed to its tab.
    Say,
    /// It is written down as done.
    Finish,
    /// It is written down as waiting again.
    Return,
    /// What a dead host had begun is looked at.
    Settle,
}

/// Asked before each step; `true` ends the queues there, as the death of the host would. For tests of
/// recovery.
pub type Hook = Arc<dyn Fn(Step, ItemId) -> bool + Send + Sync>;

/// How long after each other agents begin to be told what waited before a restart: thirty programs that
/// start at once help nobody.
const STAGGER: Duration = Duration::from_millis(300);

/// Why a queue is held whose user does not want it to go on after a limit by itself.
const BY_HAND: &str = "It does not go on by itself when the limit ends.";

/// The queues of one host. A cheap handle.
///
/// The order in which a conversation tells of the end of a turn matters: first [`Queues::judge`] where the
/// turn failed, then [`Queues::turn_ended`], then the tab's new state for everybody to see, then
/// [`Queues::freed`]. So nothing that waits can slip in between a failure and the hold it causes.
#[derive(Clone)]
pub struct Queues {
    inner: Arc<Inner>,
}

struct Inner {
    deps: Deps,
    hook: Option<Hook>,
    lines: Mutex<BTreeMap<AgentId, Arc<Line>>>,
    timers: Timers,
    /// How often a tab was tried again by itself since somebody said something in it.
    attempts: Mutex<HashMap<TabId, u32>>,
    recovered: watch::Sender<bool>,
    stopped: AtomicBool,
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queues").finish_non_exhaustive()
    }
}

impl Queues {
    /// Nothing waits yet. Call [`Self::recover`] once; everything else waits for that.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        Self::with(deps, None)
    }

    /// The same with a test's hook.
    #[must_use]
    pub fn with(deps: Deps, hook: Option<Hook>) -> Self {
        Self {
            inner: Arc::new(Inner {
                deps,
                hook,
                lines: Mutex::default(),
                timers: Timers::default(),
                attempts: Mutex::default(),
                recovered: watch::Sender::new(false),
                stopped: AtomicBool::new(false),
            }),
        }
    }

    /// Keeps a prompt for a tab, once for each token, and says it when nothing is in the way. When this comes
    /// back, it will be said or shown. `typed`: somebody wrote it in the tab's composer just now, so that it
    /// was its draft, and passes by what was held before it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for a tab that is not there, [`ErrorKind::Invalid`] for a prompt that does
    /// not fit, [`ErrorKind::Busy`] when too much waits already, [`ErrorKind::Failed`] when it cannot be
    /// written down. Nothing is said then.
    pub async fn send(
        &self,
        tab: TabId,
        prompt: Prompt,
        token: String,
        typed: bool,
    ) -> Result<ItemId, Error> {
        if token.is_empty() || token.len() > TOKEN_LIMIT {
            return Err(unfit(&Unfit::Token));
        }
        self.ready().await?;
        let agent = self.owner(tab)?;
        self.line(agent).send(&self.inner, tab, prompt, token, typed).await
    }

    /// Changes something that waits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such item, or other item to put it before;
    /// [`ErrorKind::Busy`] when it is being said or was; [`ErrorKind::Invalid`] for what does not fit;
    /// [`ErrorKind::Failed`] when it cannot be written down.
    pub async fn change(&self, item: ItemId, change: ItemChange) -> Result<Queue, Error> {
        self.ready().await?;
        let store = self.inner.deps.store.clone();
        let stored = blocking(move || store.item(item)).await?;
        let agent = stored.map(|stored| stored.agent).ok_or_else(|| no_item(item))?;
        if let ItemChange::Tab(tab) = change
            && self.owner(tab)? != agent
        {
            let text = format!("{tab} is a tab of another agent; {item} can move within its own");
            return Err(error(ErrorKind::Invalid, text));
        }
        self.line(agent).change(&self.inner, item, change).await
    }

    /// Holds an agent's queue, or lets it go on whatever held it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Failed`] when it cannot be written down.
    pub async fn hold(&self, agent: AgentId, held: bool) -> Result<Queue, Error> {
        self.ready().await?;
        self.line(agent).hold(&self.inner, held).await
    }

    /// What waits for an agent.
    pub async fn queue(&self, agent: AgentId) -> Queue {
        self.line(agent).queue().await
    }

    /// What a tab whose turn failed does next: it waits for a limit's end, tries again after a while, or has
    /// failed. `untouched`: nothing of the turn was done, so that it can be said again. Give the tab this
    /// state.
    ///
    /// Where it waits for its user although a limit has an end, its queue is held at once.
    #[must_use]
    pub fn judge(&self, tab: TabId, failure: &Failure, untouched: bool) -> TabState {
        let facts = limits::Facts {
            now_ms: self.inner.deps.clock.now_ms(),
            attempts: self.inner.attempts().get(&tab).copied().unwrap_or_default(),
            untouched,
            resume: (self.inner.deps.settings)().resume_after_limit,
        };
        let state = limits::after(failure, facts);
        self.inner.timers.judged(tab, &state);
        if matches!(state, TabState::Limited { resumes: false, .. })
            && let Some(tab) = self.inner.deps.tabs.tab(tab)
        {
            self.note(tab.agent, Held::AfterFailure(failure.message.clone()));
        }
        state
    }

    /// The user stops a turn, or the waiting of a tab: what waits is held from now on.
    pub fn interrupted(&self, agent: AgentId) {
        let line = self.line(agent);
        line.interrupted(false);
        line.look(&self.inner);
    }

    /// A turn is over. Called before the tab's new state can be seen.
    pub fn turn_ended(&self, agent: AgentId, tab: TabId, over: Over) {
        if over != Over::Waits {
            self.inner.timers.forget(tab);
        }
        match over {
            Over::Well => {
                let _ = self.inner.attempts().remove(&tab);
            }
            Over::Interrupted => {
                let line = self.line(agent);
                line.interrupted(true);
                line.look(&self.inner);
            }
            Over::Failed(failure) => self.note(agent, Held::AfterFailure(failure.message)),
            Over::Waits => self.wait_for(agent, tab),
        }
    }

    /// A tab that waits for a limit, with this state now, goes on by itself when that ends, or not any more:
    /// then what waits is held. Called before the tab's new state can be seen.
    pub fn resumes(&self, agent: AgentId, tab: TabId, state: &TabState, resumes: bool) {
        self.inner.timers.judged(tab, state);
        let line = self.line(agent);
        if resumes {
            self.wait_for(agent, tab);
            line.resume();
        } else {
            line.note(Held::AfterFailure(BY_HAND.to_owned()));
        }
        line.look(&self.inner);
    }

    /// A tab of this agent is free, waits until a time, was closed or moved, or a run gave its directory
    /// back: something may be said now. Cheap, and harmless when nothing may.
    pub fn freed(&self, agent: AgentId) {
        let line = self.inner.lines().get(&agent).cloned();
        if let Some(line) = line {
            let _ = line.wake(&self.inner);
        }
    }

    /// The same for all agents.
    pub fn all_freed(&self) {
        let lines: Vec<Arc<Line>> = self.inner.lines().values().cloned().collect();
        for line in lines {
            let _ = line.wake(&self.inner);
        }
    }

    /// An agent is gone, and what waited for it with it.
    pub fn agent_removed(&self, agent: AgentId) {
        let line = self.inner.lines().remove(&agent);
        if let Some(line) = line {
            line.end();
            (self.inner.deps.events)(Event::Queue(Box::new(nothing(agent))));
        }
    }

    /// Looks at what a host before this one left: what it was about to say was said, was not, or is held
    /// because nobody knows. What waits is held until the user, or a setting, says otherwise; limits are
    /// waited for. Everything else begins after this. `agents`: all there are.
    ///
    /// # Errors
    ///
    /// When the store cannot be read; then nothing is said, and all commands are refused.
    pub async fn recover(&self, agents: &[AgentId]) -> Result<(), Error> {
        let store = self.inner.deps.store.clone();
        let (items, holds) = blocking(move || Ok((store.items()?, store.holds()?))).await?;
        for stored in items {
            if let ItemState::Dispatched { turn } = stored.state {
                self.settle(stored.item.id, stored.item.tab, turn).await?;
            }
        }
        let settings = (self.inner.deps.settings)();
        let mut holds: BTreeMap<AgentId, Held> = holds.into_iter().collect();
        let mut lines = Vec::new();
        for agent in agents {
            let limited = self.wait_for_limits(*agent, settings.resume_after_limit);
            let line = self.line(*agent);
            let held = holds.remove(agent);
            let decide =
                |held: Option<Held>| after_restart(held, limited, settings.send_after_restart);
            line.open(&self.inner, held, decide).await?;
            lines.push(line);
        }
        let _ = self.inner.recovered.send_replace(true);
        let inner = Arc::clone(&self.inner);
        drop(tokio::spawn(async move {
            for line in lines {
                if line.wake(&inner) {
                    tokio::time::sleep(STAGGER).await;
                }
            }
        }));
        Ok(())
    }

    /// Whether a tab waits for a time at which it goes on by itself. The host must be there then.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        let waits = |(tab, state): (TabId, TabState)| {
            self.inner.deps.tabs.tab(tab).is_some_and(|found| found.state == state)
        };
        self.inner.timers.waiting().into_iter().any(waits)
    }

    /// Says nothing any more: the host stops.
    pub fn stop(&self) {
        self.inner.stopped.store(true, Ordering::SeqCst);
        self.inner.timers.end();
    }

    /// Decides about an item that a dead host was about to say.
    async fn settle(&self, item: ItemId, tab: TabId, turn: u64) -> Result<(), Error> {
        let said = self.inner.deps.tabs.said(tab, turn).await;
        self.inner.step(Step::Settle, item)?;
        tracing::info!(%item, %tab, turn, ?said, "a host before this one was about to say something");
        let (store, now) = (self.inner.deps.store.clone(), self.inner.deps.clock.now_ms());
        let settled = match said {
            Said::Yes => blocking(move || store.finish_item(item, now)).await?,
            Said::No => blocking(move || store.return_item(item, false, now)).await?,
            Said::Maybe => blocking(move || store.return_item(item, true, now)).await?,
        };
        if !settled {
            tracing::warn!(%item, "it was settled by somebody else");
        }
        Ok(())
    }

    /// Waits for the limits of an agent's tabs that a host before this one waited for. Says whether there
    /// are any.
    fn wait_for_limits(&self, agent: AgentId, resume: bool) -> bool {
        let mut any = false;
        for tab in self.inner.deps.tabs.tabs_of(agent) {
            if matches!(tab.state, TabState::Limited { resumes: true, .. }) && resume {
                self.inner.timers.judged(tab.id, &tab.state);
                self.wait_for(agent, tab.id);
                any = true;
            }
        }
        any
    }

    /// Goes on with a tab when the time has come that [`Self::judge`] named.
    fn wait_for(&self, agent: AgentId, tab: TabId) {
        let inner = Arc::clone(&self.inner);
        self.inner.timers.arm(tab, move |state, due| async move {
            inner.deps.clock.sleep_until(due).await;
            inner.timers.over(tab);
            // In a task of its own: what comes of it may be another wait, which ends this one.
            drop(tokio::spawn(async move { inner.go_on(agent, tab, &state).await }));
        });
    }

    fn note(&self, agent: AgentId, held: Held) {
        let line = self.line(agent);
        line.note(held);
        line.look(&self.inner);
    }

    fn line(&self, agent: AgentId) -> Arc<Line> {
        let mut lines = self.inner.lines();
        Arc::clone(lines.entry(agent).or_insert_with(|| Arc::new(Line::new(agent))))
    }

    fn owner(&self, tab: TabId) -> Result<AgentId, Error> {
        let missing = || error(ErrorKind::NotFound, format!("there is no tab {tab}"));
        self.inner.deps.tabs.tab(tab).map(|tab| tab.agent).ok_or_else(missing)
    }

    /// Waits until it is known what a host before left.
    async fn ready(&self) -> Result<(), Error> {
        let mut recovered = self.inner.recovered.subscribe();
        let _ = recovered.wait_for(|recovered| *recovered).await;
        self.inner.alive()
    }
}

impl Inner {
    /// Asks a test's hook whether the host dies here.
    fn step(&self, step: Step, item: ItemId) -> Result<(), Error> {
        if self.hook.as_ref().is_some_and(|hook| hook(step, item)) {
            self.stopped.store(true, Ordering::SeqCst);
            self.timers.end();
        }
        self.alive()
    }

    fn alive(&self) -> Result<(), Error> {
        if self.stopped.load(Ordering::SeqCst) {
            return Err(error(ErrorKind::Stopping, "the host is stopping; nothing was changed"));
        }
        Ok(())
    }

    /// The time has come for a tab to go on by itself, if it still waits.
    async fn go_on(self: &Arc<Self>, agent: AgentId, tab: TabId, state: &TabState) {
        let waits = |found: Tab| found.state == *state;
        if self.alive().is_err() || !self.deps.tabs.tab(tab).is_some_and(waits) {
            return;
        }
        {
            let mut attempts = self.attempts();
            let count = attempts.entry(tab).or_default();
            *count = count.saturating_add(1);
        }
        if let Err(Refused::Busy(because) | Refused::Failed(because)) =
            self.deps.tabs.again(tab).await
        {
            let text = format!("{tab} could not go on by itself: {because}");
            (self.deps.events)(Event::Problem { agent: Some(agent), text });
        }
        let line = self.lines().get(&agent).cloned();
        if let Some(line) = line {
            let _ = line.wake(self);
        }
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<AgentId, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempts(&self) -> MutexGuard<'_, HashMap<TabId, u32>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A queue in which nothing is.
fn nothing(agent: AgentId) -> Queue {
    Queue { agent, held: None, items: Vec::new() }
}

fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error { kind, message: message.into() }
}

fn unfit(unfit: &Unfit) -> Error {
    let kind = match unfit {
        Unfit::NoRoom { .. } => ErrorKind::Busy,
        _ => ErrorKind::Invalid,
    };
    error(kind, unfit.to_string())
}

fn no_item(item: ItemId) -> Error {
    error(
        ErrorKind::NotFound,
        format!("there is no {item} in any queue; `maestro queue list` shows them"),
    )
}

fn stored(cause: maestro_store::Error) -> Error {
    use maestro_store::Error as Store;
    let kind = match &cause {
        Store::NoTab(_) | Store::NoItem(_) | Store::NoAgent(_) => ErrorKind::NotFound,
        Store::TokenTaken(_) => ErrorKind::Invalid,
        Store::QueueFull { .. } => ErrorKind::Busy,
        Store::Closed => ErrorKind::Stopping,
        _ => ErrorKind::Failed,
    };
    error(kind, cause.to_string())
}

/// Runs what blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> maestro_store::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(stored),
        Err(_) => Err(error(ErrorKind::Stopping, "the host is stopping; nothing was changed")),
    }
}
