//! The queue of one agent: its items in memory as the store has them, and the one task at a time that says
//! them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use maestro_core::conversation::{Prompt, Tab};
use maestro_core::queue::{Facts, Held, Item, MOST_ITEMS, Queue, Seat, check, next};
use maestro_core::{AgentId, ItemId, TabId};
use maestro_protocol::message::{Error, ErrorKind, Event, ItemChange};
use maestro_store::{ItemState, NewItem, StoredItem};

use super::{BY_HAND, Inner, Refused, Step, blocking, error, no_item, unfit};

/// See the module.
pub(super) struct Line {
    agent: AgentId,
    state: tokio::sync::Mutex<State>,
    /// Why it is to be held, until that is written down: told by those who may not wait.
    noted: Mutex<Option<Held>>,
    /// Whether its user stopped a turn that has not ended yet: what is sent after that is meant for what is
    /// left.
    stopping: AtomicBool,
    /// Whether a hold for a limit that was not to be waited for is over, until that is written down.
    resumes: AtomicBool,
    /// Held by the task that says what is next.
    saying: tokio::sync::Mutex<()>,
    /// Tasks that wait to say what is next: one is enough.
    sayers: AtomicUsize,
    ended: AtomicBool,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// What waits, in order.
    items: Vec<Item>,
    /// What is wanted now. Not written down: after a restart nothing is sent until the user says so.
    now: Vec<ItemId>,
    /// What was written after the thing that holds the queue. Not written down either.
    after: Vec<ItemId>,
    /// Tabs whose turn was begun as one that only reads.
    reading: BTreeSet<TabId>,
    /// Steps that were taken and could not be written down: a full disk. They are written before anything
    /// else is said.
    unwritten: Vec<(ItemId, Step)>,
}

/// Whether something new passes by what a queue is held for. After an interrupt whoever says something
/// knows of it; of a failure or a restart somebody at the composer does, a script does not. What the user
/// holds is held for all.
fn passes(held: Option<&Held>, typed: bool) -> bool {
    match held {
        Some(Held::AfterInterrupt) => true,
        Some(Held::AfterFailure(_) | Held::AfterRestart) => typed,
        Some(Held::ByUser) | None => false,
    }
}

/// What is about to be said.
struct Chosen {
    item: Item,
    turn: u64,
}

impl Line {
    pub(super) fn new(agent: AgentId) -> Self {
        Self {
            agent,
            state: tokio::sync::Mutex::default(),
            noted: Mutex::default(),
            stopping: AtomicBool::new(false),
            resumes: AtomicBool::new(false),
            saying: tokio::sync::Mutex::default(),
            sayers: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// Begins with what the store has. `decide` says why it is held if something waits.
    pub(super) async fn open(
        &self,
        inner: &Inner,
        held: Option<Held>,
        decide: impl FnOnce(Option<Held>) -> Option<Held>,
    ) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        self.reload(inner, &mut state).await?;
        let wanted = if state.items.is_empty() {
            // Only the user's own wish means something for what is yet to come.
            held.clone().filter(|held| *held == Held::ByUser)
        } else {
            decide(held.clone())
        };
        if wanted != held {
            self.write_hold(inner, wanted.clone()).await?;
        }
        state.held = wanted;
        self.tell(inner, &state);
        Ok(())
    }

    /// What waits.
    pub(super) async fn queue(&self) -> Queue {
        self.shown(&*self.state.lock().await)
    }

    /// Puts something at the end.
    pub(super) async fn send(
        self: &Arc<Self>,
        inner: &Arc<Inner>,
        tab: TabId,
        prompt: Prompt,
        token: String,
        typed: bool,
    ) -> Result<ItemId, Error> {
        let mut state = self.state.lock().await;
        inner.alive()?;
        // A hold that belongs to what waited before is not for what comes now.
        self.merge(inner, &mut state).await;
        let (store, agent) = (inner.deps.store.clone(), self.agent);
        let asked = token.clone();
        let found = store.clone();
        if blocking(move || found.item_of_token(&asked)).await?.is_none() {
            check(&prompt, &state.items).map_err(|reason| unfit(&reason))?;
        }
        inner.step(Step::Keep, ItemId(0))?;
        let added_ms = inner.deps.clock.now_ms();
        let words = prompt.clone();
        let new =
            NewItem { agent, tab, prompt: words, token, added_ms, most: MOST_ITEMS, draft: typed };
        let added = blocking(move || store.add_item(new)).await?;
        inner.step(Step::Acknowledge, added.id)?;
        if added.fresh {
            if passes(state.held.as_ref(), typed) {
                state.after.push(added.id);
            }
            state.items.push(Item {
                id: added.id,
                tab,
                prompt,
                held: false,
                unsure: false,
                added_ms,
            });
            self.tell(inner, &state);
            drop(state);
            let _ = self.wake(inner);
        }
        Ok(added.id)
    }

    /// Changes an item.
    pub(super) async fn change(
        self: &Arc<Self>,
        inner: &Arc<Inner>,
        id: ItemId,
        change: ItemChange,
    ) -> Result<Queue, Error> {
        let mut state = self.state.lock().await;
        inner.alive()?;
        self.merge(inner, &mut state).await;
        let (store, now) = (inner.deps.store.clone(), inner.deps.clock.now_ms());
        let waiting = state.items.iter().find(|item| item.id == id).cloned();
        let changed = match (change, waiting) {
            (ItemChange::Restore, None) => {
                if state.items.len() >= MOST_ITEMS {
                    let text = format!("{MOST_ITEMS} prompts wait for this agent already");
                    return Err(error(ErrorKind::Busy, text));
                }
                blocking(move || store.restore_item(id, now)).await?
            }
            (ItemChange::Restore, Some(_)) => true,
            (_, None) => false,
            (ItemChange::Prompt(prompt), Some(item)) => {
                let others: Vec<Item> =
                    state.items.iter().filter(|other| other.id != id).cloned().collect();
                check(&prompt, &others).map_err(|reason| unfit(&reason))?;
                let item = Item { prompt, ..item };
                blocking(move || store.change_item(&item, now)).await?
            }
            (ItemChange::Tab(tab), Some(item)) => {
                let item = Item { tab, ..item };
                blocking(move || store.change_item(&item, now)).await?
            }
            (ItemChange::Held(held), Some(item)) => {
                if held {
                    state.now.retain(|wanted| *wanted != id);
                    state.after.retain(|wanted| *wanted != id);
                }
                // Who lets it go has looked whether it was said.
                let item = Item { held, unsure: item.unsure && held, ..item };
                blocking(move || store.change_item(&item, now)).await?
            }
            (ItemChange::Before(before), Some(_)) => {
                blocking(move || store.move_item(id, before, now)).await?
            }
            (ItemChange::Now, Some(item)) => {
                let first = state.items.first().map(|first| first.id).filter(|first| *first != id);
                let item = Item { held: false, unsure: false, ..item };
                let changed = blocking(move || {
                    Ok(store.change_item(&item, now)?
                        && (first.is_none() || store.move_item(id, first, now)?))
                })
                .await?;
                if changed && !state.now.contains(&id) {
                    state.now.push(id);
                }
                changed
            }
            (ItemChange::Remove, Some(_)) => {
                state.now.retain(|wanted| *wanted != id);
                blocking(move || store.remove_item(id, now)).await?
            }
        };
        if !changed {
            return Err(self.too_late(inner, id).await?);
        }
        self.reload(inner, &mut state).await?;
        self.tidy(inner, &mut state).await;
        self.tell(inner, &state);
        let shown = self.shown(&state);
        drop(state);
        let _ = self.wake(inner);
        Ok(shown)
    }

    /// Holds it, or lets it go on.
    pub(super) async fn hold(
        self: &Arc<Self>,
        inner: &Arc<Inner>,
        held: bool,
    ) -> Result<Queue, Error> {
        let mut state = self.state.lock().await;
        inner.alive()?;
        let held = held.then_some(Held::ByUser);
        self.write_hold(inner, held.clone()).await?;
        *self.noted() = None;
        state.after.clear();
        state.held = held;
        self.tell(inner, &state);
        let shown = self.shown(&state);
        drop(state);
        let _ = self.wake(inner);
        Ok(shown)
    }

    /// It is to be held, from this moment on.
    pub(super) fn note(&self, held: Held) {
        *self.noted() = Some(held);
    }

    /// Its user stops a turn (`ended`: it has ended). Held once for both.
    pub(super) fn interrupted(&self, ended: bool) {
        let known = self.stopping.swap(!ended, Ordering::SeqCst);
        if !known {
            self.note(Held::AfterInterrupt);
        }
    }

    /// A limit is waited for again: what was held because it was not goes on with it.
    pub(super) fn resume(&self) {
        *self.noted() = None;
        self.resumes.store(true, Ordering::SeqCst);
    }

    /// Writes down what was noted, soon.
    pub(super) fn look(self: &Arc<Self>, inner: &Arc<Inner>) {
        let (line, inner) = (Arc::clone(self), Arc::clone(inner));
        drop(tokio::spawn(async move {
            let mut recovered = inner.recovered.subscribe();
            let _ = recovered.wait_for(|recovered| *recovered).await;
            line.merge(&inner, &mut *line.state.lock().await).await;
        }));
    }

    /// Its agent is gone.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Says what may be said, in a task of its own. Says whether it had to begin one: one that waits its turn
    /// will look again anyway.
    pub(super) fn wake(self: &Arc<Self>, inner: &Arc<Inner>) -> bool {
        if self.sayers.fetch_add(1, Ordering::SeqCst) >= 1 {
            let _ = self.sayers.fetch_sub(1, Ordering::SeqCst);
            return false;
        }
        let (line, inner) = (Arc::clone(self), Arc::clone(inner));
        drop(tokio::spawn(async move {
            let mut recovered = inner.recovered.subscribe();
            let _ = recovered.wait_for(|recovered| *recovered).await;
            let one = line.saying.lock().await;
            // From here on another one may wait: what is different from now on is not seen by this one.
            let _ = line.sayers.fetch_sub(1, Ordering::SeqCst);
            while let Some(chosen) = line.choose(&inner).await {
                if !line.say(&inner, chosen).await {
                    break;
                }
            }
            drop(one);
        }));
        true
    }

    /// Takes the next item out of the line and notes that it is about to be said.
    async fn choose(&self, inner: &Inner) -> Option<Chosen> {
        let mut state = self.state.lock().await;
        if inner.alive().is_err() || self.ended.load(Ordering::SeqCst) {
            return None;
        }
        // Before what was noted is looked at: a failure is noted before its tab can be seen to be free.
        let tabs = inner.deps.tabs.tabs_of(self.agent);
        self.merge(inner, &mut state).await;
        if !state.unwritten.is_empty() || state.items.is_empty() {
            return None;
        }
        state.reading.retain(|id| tabs.iter().any(|tab| tab.id == *id && tab.state.is_busy()));
        let seats: Vec<Seat> =
            tabs.iter().map(|tab| Seat::of(tab, state.reading.contains(&tab.id))).collect();
        let id = next(Facts {
            items: &state.items,
            held: state.held.is_some(),
            now: &state.now,
            after: &state.after,
            seats: &seats,
            run: inner.deps.tabs.run_in(self.agent).is_some(),
        })?;
        let place = state.items.iter().position(|item| item.id == id)?;
        let item = state.items.get(place)?.clone();
        let tab: &Tab = tabs.iter().find(|tab| tab.id == item.tab)?;
        let turn = tab.turns + 1;
        inner.step(Step::Dispatch, id).ok()?;
        let (store, now) = (inner.deps.store.clone(), inner.deps.clock.now_ms());
        match blocking(move || store.dispatch_item(id, turn, now)).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!(item = %id, "it waits here and not in the store; it is left alone");
                let _ = state.items.remove(place);
                self.tell(inner, &state);
                return None;
            }
            Err(because) => {
                let text = format!("What waits is not sent: {because}");
                self.hold_for(inner, &mut state, text).await;
                return None;
            }
        }
        let _ = state.items.remove(place);
        state.now.retain(|wanted| *wanted != id);
        let _ = if item.prompt.read_only {
            state.reading.insert(item.tab)
        } else {
            state.reading.remove(&item.tab)
        };
        self.tell(inner, &state);
        Some(Chosen { item, turn })
    }

    /// Hands an item to its tab. Says whether another one may follow.
    async fn say(&self, inner: &Inner, chosen: Chosen) -> bool {
        let Chosen { item, turn } = chosen;
        let id = item.id;
        if inner.step(Step::Say, id).is_err() {
            return false;
        }
        let _ = inner.attempts().remove(&item.tab);
        inner.timers.forget(item.tab);
        // Without the lock: a program may take its time to start, and what waits can be changed meanwhile.
        let said = inner.deps.tabs.say(item.tab, turn, item.prompt.clone(), id).await;
        let mut state = self.state.lock().await;
        match said {
            Ok(()) => {
                if inner.step(Step::Finish, id).is_err() {
                    return false;
                }
                state.after.retain(|wanted| *wanted != id);
                state.unwritten.push((id, Step::Finish));
                self.write(inner, &mut state).await;
                self.tidy(inner, &mut state).await;
                true
            }
            Err(refused) => {
                if inner.step(Step::Return, id).is_err() {
                    return false;
                }
                tracing::info!(item = %id, ?refused, "it was not said");
                let _ = state.reading.remove(&item.tab);
                state.unwritten.push((id, Step::Return));
                self.write(inner, &mut state).await;
                if self.reload(inner, &mut state).await.is_err()
                    && !state.items.iter().any(|known| known.id == id)
                {
                    // Shown all the same: it is not lost, only its way back is not written yet.
                    state.items.insert(0, item);
                }
                match refused {
                    Refused::Busy(_) => self.tell(inner, &state),
                    Refused::Failed(because) => self.hold_for(inner, &mut state, because).await,
                }
                false
            }
        }
    }

    /// Holds the queue for a reason of its own, and says so.
    async fn hold_for(&self, inner: &Inner, state: &mut State, because: String) {
        (inner.deps.events)(Event::Problem { agent: Some(self.agent), text: because.clone() });
        // What was wanted now was tried now.
        state.now.clear();
        state.after.clear();
        let held = Held::AfterFailure(because);
        if let Err(error) = self.write_hold(inner, Some(held.clone())).await {
            tracing::warn!(agent = %self.agent, %error, "the hold is not written down");
        }
        state.held = Some(held);
        self.tell(inner, state);
    }

    /// Writes down what was noted by those who may not wait, and steps that could not be written before.
    async fn merge(&self, inner: &Inner, state: &mut State) {
        let by_hand = Held::AfterFailure(BY_HAND.to_owned());
        if self.resumes.swap(false, Ordering::SeqCst)
            && state.held.as_ref() == Some(&by_hand)
            && self.write_hold(inner, None).await.is_ok()
        {
            state.held = None;
            self.tell(inner, state);
        }
        let noted = self.noted().take();
        if noted.is_some() {
            // It was written before this happened.
            state.after.clear();
        }
        if let Some(held) = noted
            && state.held.is_none()
            && state.items.iter().any(|item| !item.held)
        {
            // Held all the same if it cannot be written: a restart holds it, too.
            if let Err(error) = self.write_hold(inner, Some(held.clone())).await {
                tracing::warn!(agent = %self.agent, %error, "the hold is not written down");
            }
            state.held = Some(held);
            state.now.clear();
            self.tell(inner, state);
        }
        if !state.unwritten.is_empty() {
            self.write(inner, state).await;
        }
    }

    /// Writes steps that were taken. What cannot be written is tried again before the next step.
    async fn write(&self, inner: &Inner, state: &mut State) {
        let (store, now) = (inner.deps.store.clone(), inner.deps.clock.now_ms());
        let steps = std::mem::take(&mut state.unwritten);
        let mut steps = steps.into_iter();
        while let Some((id, step)) = steps.next() {
            let store = store.clone();
            let written = blocking(move || match step {
                Step::Finish => store.finish_item(id, now),
                _ => store.return_item(id, false, now),
            });
            if let Err(because) = written.await {
                state.unwritten.push((id, step));
                state.unwritten.extend(steps);
                let text = format!("The queue stands still: {because}");
                (inner.deps.events)(Event::Problem { agent: Some(self.agent), text });
                return;
            }
        }
    }

    /// A hold that came by itself goes with the last item it was for.
    async fn tidy(&self, inner: &Inner, state: &mut State) {
        let over =
            state.items.is_empty() && state.held.as_ref().is_some_and(|held| *held != Held::ByUser);
        if over && self.write_hold(inner, None).await.is_ok() {
            state.held = None;
            self.tell(inner, state);
        }
    }

    async fn write_hold(&self, inner: &Inner, held: Option<Held>) -> Result<(), Error> {
        let (store, agent) = (inner.deps.store.clone(), self.agent);
        blocking(move || store.hold_queue(agent, held.as_ref())).await
    }

    /// Takes the items from the store.
    async fn reload(&self, inner: &Inner, state: &mut State) -> Result<(), Error> {
        let (store, agent) = (inner.deps.store.clone(), self.agent);
        let found = blocking(move || store.items_of(agent)).await?;
        let waits =
            |stored: StoredItem| (stored.state == ItemState::Waiting).then_some(stored.item);
        state.items = found.into_iter().filter_map(waits).collect();
        Ok(())
    }

    /// Why an item that is in the store does not wait.
    async fn too_late(&self, inner: &Inner, id: ItemId) -> Result<Error, Error> {
        let store = inner.deps.store.clone();
        let found = blocking(move || store.item(id)).await?;
        Ok(match found.map(|stored| stored.state) {
            Some(ItemState::Dispatched { .. } | ItemState::Done { .. }) => error(
                ErrorKind::Busy,
                format!("{id} was sent already; what has begun can only be interrupted"),
            ),
            Some(ItemState::Removed) => error(
                ErrorKind::Busy,
                format!("{id} was removed; `maestro queue restore {id}` puts it back"),
            ),
            Some(ItemState::Waiting) | None => no_item(id),
        })
    }

    fn shown(&self, state: &State) -> Queue {
        Queue { agent: self.agent, held: state.held.clone(), items: state.items.clone() }
    }

    fn tell(&self, inner: &Inner, state: &State) {
        if !self.ended.load(Ordering::SeqCst) {
            (inner.deps.events)(Event::Queue(Box::new(self.shown(state))));
        }
    }

    fn noted(&self) -> MutexGuard<'_, Option<Held>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
