//! What waits to be sent to one client. Nothing here waits for the client: replies are bounded by the
//! requests it may have in flight, events by a limit after which it lags, frames by one per terminal.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use maestro_core::conversation::{Ask, Body, Request, Update};
use maestro_core::order::Order;
use maestro_core::playbook::Heard;
use maestro_core::screen::{Cell, Frame};
use maestro_core::{RunId, TabId, TerminalId};
use maestro_protocol::message::{Error, Event, Reply, ToClient};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::session::Session;

/// Events that may wait for a client before it lags.
const EVENTS: usize = 1024;
/// Bytes of text in events that may wait for a client before it lags: what is told of agents and terminals
/// is short, what they write to the clipboard need not be.
const EVENT_BYTES: usize = 16 << 20;
/// Tabs of which one client may be told what is said.
const TABS: usize = 256;
/// Bytes of frames that may wait for a client before no more are packed for it. A screen has some 80
/// KB; this stops a client that asks for hundreds of enormous ones and reads none.
const FRAMES: usize = 64 << 20;

/// One connection, counted from the host's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientId(pub(crate) u64);

/// The queue to one client.
pub(crate) struct Client {
    pub(crate) id: ClientId,
    state: Mutex<State>,
    added: Notify,
}

#[derive(Default)]
struct State {
    /// Replies and events, in the order in which they happened.
    items: VecDeque<Item>,
    events: usize,
    event_bytes: usize,
    following: bool,
    /// Tabs of which it is told what is said.
    tabs: HashSet<TabId>,
    frames: VecDeque<Box<Frame>>,
    frame_bytes: usize,
    /// Terminals that wanted to send a frame when there was no room.
    starved: Vec<Weak<Session>>,
    /// Whether the user looks at it; `None` while it has not said that it is a window.
    looking: Option<bool>,
    closed: bool,
}

enum Item {
    Reply(ToClient, Option<OwnedSemaphorePermit>),
    Event(ToClient),
    Lagged,
}

/// What is sent next.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) messages: Vec<ToClient>,
    /// Given back once the replies are written, so that a client that reads nothing may ask nothing.
    pub(crate) permits: Vec<OwnedSemaphorePermit>,
}

impl Client {
    pub(crate) fn new(id: ClientId) -> Self {
        Self { id, state: Mutex::default(), added: Notify::new() }
    }

    /// Answers a request.
    pub(crate) fn reply(
        &self,
        id: u64,
        result: Result<Reply, Error>,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        self.add(|state| {
            state.items.push_back(Item::Reply(ToClient::Reply { id, result }, permit));
        });
    }

    /// Whether it is a window that the user looks at.
    pub(crate) fn is_looking(&self) -> bool {
        self.lock().looking == Some(true)
    }

    /// The user looks at it, or not any more.
    pub(crate) fn look(&self, looking: bool) {
        self.lock().looking = Some(looking);
    }

    /// Whether it is a window.
    pub(crate) fn is_window(&self) -> bool {
        self.lock().looking.is_some()
    }

    /// From here on events are sent.
    pub(crate) fn follow(&self) {
        self.lock().following = true;
    }

    /// Tells a client that follows; one that is too slow lags and follows no more.
    pub(crate) fn event(&self, seq: u64, event: &Event) {
        if !self.lock().following {
            return;
        }
        self.add(|state| {
            let bytes = event_bytes(event);
            if state.events < EVENTS && state.event_bytes + bytes <= EVENT_BYTES {
                state.events += 1;
                state.event_bytes += bytes;
                state.items.push_back(Item::Event(ToClient::Event { seq, event: event.clone() }));
            } else {
                state.lag();
            }
        });
    }

    /// From here on it is told what is said in a tab; `false` when it is told of too many already.
    pub(crate) fn open_tab(&self, tab: TabId) -> bool {
        let mut state = self.lock();
        state.tabs.len() < TABS && (state.tabs.insert(tab) || state.tabs.contains(&tab))
    }

    /// It is not told any more what is said in a tab.
    pub(crate) fn leave_tab(&self, tab: TabId) {
        let _ = self.lock().tabs.remove(&tab);
    }

    /// Tells what was said in a tab; `false` when it does not want to know any more: it has left, lags, or
    /// is gone.
    pub(crate) fn said(&self, tab: TabId, updates: &[Update]) -> bool {
        {
            let state = self.lock();
            if state.closed || !state.tabs.contains(&tab) {
                return false;
            }
        }
        let mut told = true;
        self.add(|state| {
            let bytes = updates.iter().map(update_bytes).sum::<usize>();
            // What is larger than all that may wait is sent alone.
            let fits = state.event_bytes == 0 || state.event_bytes + bytes <= EVENT_BYTES;
            if state.events < EVENTS && fits {
                state.events += 1;
                state.event_bytes += bytes;
                let said = ToClient::Said { tab, updates: updates.to_vec() };
                state.items.push_back(Item::Event(said));
            } else {
                state.lag();
                told = false;
            }
        });
        told
    }

    /// Tells what a run's turn said; `false` when it is gone. A client that is slow misses lines: they are
    /// for watching, and no client keeps a copy of them.
    pub(crate) fn heard(&self, run: RunId, lines: Vec<Heard>) -> bool {
        if self.lock().closed {
            return false;
        }
        self.add(|state| {
            let bytes = lines.iter().map(|line| line.text.len() + 16).sum::<usize>();
            if state.events < EVENTS && state.event_bytes + bytes <= EVENT_BYTES {
                state.events += 1;
                state.event_bytes += bytes;
                state.items.push_back(Item::Event(ToClient::Heard { run, lines }));
            }
        });
        true
    }

    /// Orders a window to do something; few wait at a time, each for a request of somebody else.
    pub(crate) fn order(&self, number: u64, order: Order) {
        self.add(|state| {
            state.items.push_back(Item::Reply(ToClient::Order { number, order }, None));
        });
    }

    /// The next frame of a terminal, after [`Self::takes_frame_of`].
    pub(crate) fn push_frame(&self, frame: Frame, urgent: bool) {
        self.add(|state| {
            state.frame_bytes += frame_bytes(&frame);
            if urgent {
                state.frames.push_front(Box::new(frame));
            } else {
                state.frames.push_back(Box::new(frame));
            }
        });
    }

    /// Drops what was not sent yet of a terminal.
    pub(crate) fn forget_frame(&self, terminal: TerminalId) {
        self.lock().forget_frame(terminal);
    }

    /// Whether a frame may be packed: there is room, and the one before is on its way. A frame is a
    /// difference to the one before, so none may be dropped for a newer one. If not, the terminal is
    /// woken once there is room.
    pub(crate) fn takes_frame_of(&self, session: &Arc<Session>) -> bool {
        let mut state = self.lock();
        let takes = state.frame_bytes < FRAMES
            && !state.frames.iter().any(|frame| frame.terminal == session.id);
        if !takes && !state.starved.iter().any(|known| known.as_ptr() == Arc::as_ptr(session)) {
            state.starved.push(Arc::downgrade(session));
        }
        takes && !state.closed
    }

    /// Nothing more is queued, and whoever sends stops.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.following = false;
        drop(state);
        self.added.notify_one();
    }

    /// What is to be sent next, waiting for it; `None` when the client is closed and all is sent.
    pub(crate) async fn next(&self) -> Option<Batch> {
        loop {
            let added = self.added.notified();
            match self.take() {
                Ok(batch) => return Some(batch),
                Err(true) => return None,
                Err(false) => added.await,
            }
        }
    }

    fn take(&self) -> Result<Batch, bool> {
        let (batch, starved) = {
            let mut state = self.lock();
            if state.items.is_empty() && state.frames.is_empty() {
                return Err(state.closed);
            }
            let mut batch = Batch::default();
            for item in std::mem::take(&mut state.items) {
                match item {
                    Item::Reply(reply, permit) => {
                        batch.messages.push(reply);
                        batch.permits.extend(permit);
                    }
                    Item::Event(event) => batch.messages.push(event),
                    Item::Lagged => batch.messages.push(ToClient::Lagged),
                }
            }
            state.events = 0;
            state.event_bytes = 0;
            batch.messages.extend(state.frames.drain(..).map(ToClient::Frame));
            state.frame_bytes = 0;
            (batch, std::mem::take(&mut state.starved))
        };
        for session in starved.iter().filter_map(Weak::upgrade) {
            session.wake();
        }
        Ok(batch)
    }

    fn add(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        if !state.closed {
            change(&mut state);
            drop(state);
            self.added.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// It was too slow: what waits is dropped, and it has to ask for the world, and open its tabs, again.
    fn lag(&mut self) {
        self.items.retain(|item| !matches!(item, Item::Event(_)));
        self.events = 0;
        self.event_bytes = 0;
        self.following = false;
        self.tabs.clear();
        self.items.push_back(Item::Lagged);
    }

    fn forget_frame(&mut self, terminal: TerminalId) {
        if let Some(place) = self.frames.iter().position(|frame| frame.terminal == terminal)
            && let Some(frame) = self.frames.remove(place)
        {
            self.frame_bytes = self.frame_bytes.saturating_sub(frame_bytes(&frame));
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Bytes of the texts that may be long.
fn event_bytes(event: &Event) -> usize {
    match event {
        Event::Clipboard { text, .. } | Event::Problem { text, .. } => text.len(),
        Event::Notification { title, body, .. } => title.len() + body.len(),
        Event::Preference { key, value } => key.len() + value.as_ref().map_or(0, String::len),
        Event::Tab(tab) => 1024 + tab.requests.iter().map(request_bytes).sum::<usize>(),
        Event::Queue(queue) => queue.items.iter().map(|item| item.prompt.text.len()).sum(),
        Event::Search { search, .. } => search.as_ref().map_or(0, |search| search.query.text.len()),
        _ => 0,
    }
}

/// About what an update takes.
fn update_bytes(update: &Update) -> usize {
    match update {
        Update::Append { text, .. } => text.len(),
        Update::Entry(entry) => {
            256 + match &entry.body {
                Body::Prompt(prompt) => prompt.text.len(),
                Body::Text(text) | Body::Thinking(text) | Body::Notice(text) | Body::Raw(text) => {
                    text.len()
                }
                Body::Tool(tool) => {
                    let changes =
                        tool.changes.iter().map(|change| change.diff.len()).sum::<usize>();
                    tool.input.len() + tool.output.len() + changes
                }
                Body::Request { request, .. } => request_bytes(request),
                Body::Todo(_) | Body::Failed(_) | Body::Ended(_) => 1024,
            }
        }
    }
}

fn request_bytes(request: &Request) -> usize {
    512 + match &request.ask {
        Ask::Command { command, .. } => command.len(),
        Ask::Edit(changes) => changes.iter().map(|change| change.diff.len()).sum(),
        Ask::Tool { input, .. } => input.len(),
        Ask::Plan(plan) => plan.len(),
        Ask::Questions(_) => 4096,
    }
}

fn frame_bytes(frame: &Frame) -> usize {
    frame.rows.iter().map(|(_, row)| size_of_val(row) + row.cells.len() * size_of::<Cell>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_reads_nothing_lags_and_is_told_so_once() {
        let client = Client::new(ClientId(1));
        client.event(1, &Event::HostStopping);
        client.follow();
        for seq in 2..4000 {
            client.event(seq, &Event::HostStopping);
        }
        let batch = client.next().await.expect("something waits");
        assert_eq!(batch.messages, [ToClient::Lagged]);
        client.event(4000, &Event::HostStopping);
        client.close();
        assert!(client.next().await.is_none());
    }

    #[tokio::test]
    async fn long_texts_make_a_client_lag_sooner() {
        let client = Client::new(ClientId(1));
        client.follow();
        let event = Event::Clipboard {
            terminal: TerminalId(1),
            text: "x".repeat(1 << 20),
            policy: maestro_core::agent::Clipboard::Allow,
        };
        for seq in 0..17 {
            client.event(seq, &event);
        }
        let batch = client.next().await.expect("something waits");
        assert_eq!(batch.messages, [ToClient::Lagged]);
    }

    #[tokio::test]
    async fn replies_and_events_keep_their_order() {
        let client = Client::new(ClientId(1));
        client.reply(1, Ok(Reply::Done), None);
        client.follow();
        client.event(7, &Event::HostStopping);
        client.reply(2, Ok(Reply::Done), None);
        let batch = client.next().await.expect("something waits");
        let kinds: Vec<_> = batch
            .messages
            .iter()
            .map(|message| match message {
                ToClient::Reply { id, .. } => *id,
                ToClient::Event { seq, .. } => *seq,
                _ => 0,
            })
            .collect();
        assert_eq!(kinds, [1, 7, 2]);
    }
}
