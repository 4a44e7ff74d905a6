//! What others want of a terminal: they leave an order in its inbox, and the thread that runs the
//! terminal next obeys.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use maestro_core::input::{Action, Input};
use maestro_core::screen::Size;
use maestro_core::search::Query;
use maestro_protocol::message::{PASTE_LIMIT, TerminalStats};
use maestro_terminal::{Contents, Palette, SearchFound, View};
use tokio::sync::oneshot;

use super::paste::LARGE;
use super::{Core, Link, SLICE, Session, Viewer};
use crate::client::ClientId;

/// Orders that may wait in one inbox; a client that sends more is not heard.
const INBOX: usize = 4096;
/// Bytes of input that may wait in one inbox, besides one large paste.
const INBOX_BYTES: usize = 8 << 20;
/// How long a quantum may wrap old rows anew.
const WRAPPING: Duration = Duration::from_millis(1);

#[derive(Default)]
pub(super) struct Inbox {
    pub(super) orders: VecDeque<Order>,
    pub(super) bytes: usize,
}

pub(super) enum Order {
    Input {
        client: ClientId,
        seq: u64,
        input: Input,
    },
    Bytes(Vec<u8>),
    CancelPaste,
    Resize(Size),
    Palette(Palette),
    Subscribe(Arc<Link>),
    Unsubscribe(ClientId),
    /// A client is gone for good.
    Forget(ClientId),
    Search {
        client: ClientId,
        query: Option<Query>,
    },
    SearchMove {
        forward: bool,
    },
    /// Another thread has looked through a piece of the history; `None` when it failed.
    Found(Option<SearchFound>),
    Clear {
        history: bool,
    },
    Reset,
    Read {
        history: bool,
        answer: oneshot::Sender<Contents>,
    },
    Copy {
        answer: oneshot::Sender<Option<String>>,
    },
    CopyOutput {
        answer: oneshot::Sender<Option<String>>,
    },
    Export {
        slice: Slice,
        answer: oneshot::Sender<(String, Option<Slice>)>,
    },
    Stats {
        answer: oneshot::Sender<TerminalStats>,
    },
}

/// Which rows of a terminal are wanted as text, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    /// With control sequences for colours and attributes.
    pub(crate) ansi: bool,
    /// How many rows.
    pub(crate) rows: usize,
    /// The first row and the one after the last of all slices; `None` for the first slice, which begins
    /// at the oldest row. What is printed later is left out, or there would be no end.
    range: Option<(u64, u64)>,
}

impl Slice {
    /// The oldest rows.
    pub(crate) const fn first(ansi: bool, rows: usize) -> Self {
        Self { ansi, rows, range: None }
    }
}

/// Why input was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The inbox is full.
    #[error("too much of it waits already")]
    Full,
    /// Another large paste is being written.
    #[error("another large paste is still being written; wait for it or cancel it")]
    Pasting,
    /// It is a paste beyond the limit.
    #[error("a paste can have at most {} MiB", PASTE_LIMIT >> 20)]
    TooLarge,
    /// All terminals together are being pasted too much into.
    #[error(
        "too much is being pasted into other terminals at this moment; try again when that is done"
    )]
    Memory,
}

impl Order {
    fn is_subscription_of(&self, client: ClientId) -> bool {
        match self {
            Self::Subscribe(link) => link.client.id == client,
            Self::Unsubscribe(known) | Self::Forget(known) => *known == client,
            _ => false,
        }
    }

    /// Whether it becomes bytes for the child, which have to keep their order. What the window does
    /// itself (scrolling, selecting) does not wait for the child.
    fn is_for_child(&self, core: &Core) -> bool {
        match self {
            Self::Bytes(_) => true,
            Self::Input { input, .. } => match input {
                Input::Key(_) | Input::Text(_) | Input::Paste(_) | Input::Focus(_) => true,
                Input::Mouse(_) => {
                    let modes = core.terminal.modes();
                    modes.mouse || modes.alt_screen
                }
                Input::Resize(_) | Input::Scroll(_) | Input::Select(_) | Input::Vi(_) => false,
            },
            _ => false,
        }
    }

    /// Whether it looks at rows, or moves what is looked at.
    fn is_about_rows(&self) -> bool {
        match self {
            Self::Input { input, .. } => {
                matches!(input, Input::Scroll(_) | Input::Select(_) | Input::Vi(_))
            }
            Self::Copy { .. } | Self::CopyOutput { .. } | Self::Export { .. } => true,
            Self::Read { history, .. } => *history,
            _ => false,
        }
    }

    /// Whether so many old rows have to be wrapped anew for it that others would notice.
    fn is_far(&self, core: &Core) -> bool {
        match self {
            Self::Input { input, .. } => core.terminal.is_far(input),
            Self::Export { slice, .. } => {
                slice.range.is_none() && core.terminal.is_far_to_the_top()
            }
            Self::Read { history: true, .. } => core.terminal.is_far_to_the_top(),
            Self::Copy { .. } | Self::CopyOutput { .. } => core.terminal.is_far_to_copy(),
            _ => false,
        }
    }

    fn types(&self) -> bool {
        matches!(self, Self::Input { input, .. } if is_typing(input))
    }

    fn scrolls(&self) -> bool {
        matches!(self, Self::Input { input: Input::Scroll(_), .. })
    }

    /// Bytes of text it carries.
    fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Input { input: Input::Text(text) | Input::Paste(text), .. } => text.len(),
            _ => 0,
        }
    }
}

impl Session {
    /// Something a user did.
    pub(crate) fn input(
        self: &Arc<Self>,
        client: ClientId,
        seq: u64,
        input: Input,
    ) -> Result<(), NotTaken> {
        if is_typing(&input) {
            self.was_typed_into();
        }
        let large = match &input {
            Input::Paste(text) if text.len() > LARGE => text.len(),
            _ => 0,
        };
        let order = Order::Input { client, seq, input };
        if large == 0 {
            let size = order.size();
            return self.order(order, size);
        }
        self.admit_paste(large)?;
        // Its bytes are in other books.
        self.order(order, 0).inspect_err(|_| self.dismiss_paste())
    }

    /// Bytes for the child as they are.
    pub(crate) fn bytes(self: &Arc<Self>, bytes: Vec<u8>) -> Result<(), NotTaken> {
        let size = bytes.len();
        self.order(Order::Bytes(bytes), size)
    }

    /// Leaves out what of a large paste has not been written yet.
    pub(crate) fn cancel_paste(self: &Arc<Self>) -> Result<(), NotTaken> {
        self.order(Order::CancelPaste, 0)
    }

    /// Another size.
    pub(crate) fn resize(self: &Arc<Self>, size: Size) -> Result<(), NotTaken> {
        self.order(Order::Resize(size), 0)
    }

    /// Other colours to tell the child.
    pub(crate) fn set_palette(self: &Arc<Self>, palette: Palette) {
        self.order_instead(Order::Palette(palette), |order| matches!(order, Order::Palette(_)));
    }

    /// Looks for something else, or for nothing any more. A search ends with the client that began it.
    pub(crate) fn search(self: &Arc<Self>, client: ClientId, query: Option<Query>) {
        let ends = query.is_none();
        let of_search =
            |order: &Order| matches!(order, Order::Search { .. } | Order::SearchMove { .. });
        {
            let mut inbox = self.inbox();
            // A query nobody has acted on is pointless now. After a move it is not: a refined query goes on
            // where that has led to. Moves are counted by `order`, so these are, too.
            let last = inbox.orders.iter().rposition(of_search);
            let last = last.filter(|at| matches!(inbox.orders[*at], Order::Search { .. }));
            if ends {
                inbox.orders.retain(|order| !of_search(order));
            } else if let Some(at) = last {
                let _ = inbox.orders.remove(at);
            }
            inbox.orders.push_back(Order::Search { client, query });
        }
        self.wake();
    }

    /// Goes to another match.
    pub(crate) fn search_move(self: &Arc<Self>, forward: bool) -> Result<(), NotTaken> {
        self.order(Order::SearchMove { forward }, 0)
    }

    /// A piece of the history was looked through. It is never refused: the search waits for it.
    pub(crate) fn found(self: &Arc<Self>, found: Option<SearchFound>) {
        self.order_instead(Order::Found(found), |_| false);
    }

    /// Empties the screen, and the history where wanted.
    pub(crate) fn clear(self: &Arc<Self>, history: bool) -> Result<(), NotTaken> {
        self.order(Order::Clear { history }, 0)
    }

    /// Sets back what a dead program left behind.
    pub(crate) fn reset(self: &Arc<Self>) -> Result<(), NotTaken> {
        self.order(Order::Reset, 0)
    }

    /// Frames for a client from now on.
    pub(crate) fn subscribe(self: &Arc<Self>, link: Arc<Link>) {
        let id = link.client.id;
        self.order_instead(Order::Subscribe(link), |order| order.is_subscription_of(id));
    }

    /// No more frames for a client.
    pub(crate) fn unsubscribe(self: &Arc<Self>, client: ClientId) {
        self.order_instead(Order::Unsubscribe(client), |order| order.is_subscription_of(client));
    }

    /// A client is gone: what it watched and looked for ends.
    pub(crate) fn forget(self: &Arc<Self>, client: ClientId) {
        self.order_instead(Order::Forget(client), |order| order.is_subscription_of(client));
    }

    /// The screen for reading.
    pub(crate) async fn contents(self: &Arc<Self>, history: bool) -> Option<Contents> {
        self.ask(|answer| Order::Read { history, answer }).await
    }

    /// The text of the selection, as it is where this is called: what is asked for later comes after it.
    pub(crate) fn copy(
        self: &Arc<Self>,
    ) -> impl Future<Output = Option<Option<String>>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let asked = self.order(Order::Copy { answer }, 0);
        async move {
            asked.ok()?;
            answered.await.ok()
        }
    }

    /// What the last command printed.
    pub(crate) async fn copy_output(self: &Arc<Self>) -> Option<Option<String>> {
        self.ask(|answer| Order::CopyOutput { answer }).await
    }

    /// Some rows as text, and the next slice.
    pub(crate) async fn export(self: &Arc<Self>, slice: Slice) -> Option<(String, Option<Slice>)> {
        self.ask(|answer| Order::Export { slice, answer }).await
    }

    /// What it costs.
    pub(crate) async fn stats(self: &Arc<Self>) -> Option<TerminalStats> {
        self.ask(|answer| Order::Stats { answer }).await
    }

    /// An answer of the terminal itself; `None` when it has too much to do, or failed.
    async fn ask<T>(
        self: &Arc<Self>,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.order(order(answer), 0).ok()?;
        answered.await.ok()
    }

    fn order(self: &Arc<Self>, order: Order, size: usize) -> Result<(), NotTaken> {
        {
            let mut inbox = self.inbox();
            if inbox.orders.len() >= INBOX || inbox.bytes + size > INBOX_BYTES {
                return Err(NotTaken::Full);
            }
            inbox.bytes += size;
            inbox.orders.push_back(order);
        }
        self.wake();
        Ok(())
    }

    /// For orders that must not be refused and make earlier ones of their kind pointless: so there is
    /// one of them at a time, for all or for each client.
    fn order_instead(self: &Arc<Self>, order: Order, replaces: impl Fn(&Order) -> bool) {
        {
            let mut inbox = self.inbox();
            inbox.orders.retain(|earlier| !replaces(earlier));
            inbox.orders.push_back(order);
        }
        self.wake();
    }

    pub(super) fn obey(self: &Arc<Self>, core: &mut Core) {
        while let Some(order) = core.orders.pop_front() {
            if core.paste.is_some() && order.is_for_child(core) {
                self.keep_behind(core, order);
            } else if order.is_about_rows() && (!core.later.is_empty() || order.is_far(core)) {
                self.keep_for_later(core, order);
            } else {
                if order.types() {
                    // Whoever types goes to the bottom, and wants to go nowhere else any more.
                    core.later.retain(|order| !order.scrolls());
                }
                self.follow(core, order);
            }
        }
    }

    /// Keeps what has to do with rows until old ones have the width of now.
    fn keep_for_later(&self, core: &mut Core, order: Order) {
        if core.later.len() >= INBOX {
            let text = format!("Input for {} was dropped: {}.", self.id, NotTaken::Full);
            self.notices.problem(self.agent, text);
            return;
        }
        core.later.push_back(order);
    }

    /// Gives old rows the width of now, a few at a time, and then does what needed them. Says whether there
    /// is more to do: output and keys come in between.
    pub(super) fn go_on_wrapping(self: &Arc<Self>, core: &mut Core) -> bool {
        if core.later.is_empty() {
            return false;
        }
        let begin = Instant::now();
        while core.terminal.wrap_slice(SLICE) {
            if begin.elapsed() >= WRAPPING {
                return true;
            }
        }
        while let Some(order) = core.later.pop_front() {
            self.follow(core, order);
        }
        core.version += 1;
        false
    }

    /// Keeps what was typed behind a paste until the paste is written.
    fn keep_behind(&self, core: &mut Core, order: Order) {
        let size = order.size();
        if core.behind.len() >= INBOX || core.behind_bytes + size > INBOX_BYTES {
            let text = format!("Input for {} was dropped: {}.", self.id, NotTaken::Pasting);
            self.notices.problem(self.agent, text);
            return;
        }
        core.behind_bytes += size;
        core.behind.push_back(order);
    }

    fn follow(self: &Arc<Self>, core: &mut Core, order: Order) {
        match order {
            Order::Input { client, seq, input } => self.give(core, client, seq, input),
            Order::Bytes(bytes) => self.write(&bytes),
            Order::CancelPaste => self.cut_paste(core),
            Order::Resize(size) => self.set_size(core, size),
            Order::Palette(palette) => {
                core.palette = palette;
                core.terminal.set_palette(palette, &mut core.outbox);
                core.version += 1;
                self.empty_outbox(core);
            }
            Order::Subscribe(link) => {
                let client = link.client.id;
                core.viewers.retain(|viewer| viewer.link.client.id != client);
                link.client.forget_frame(self.id);
                core.viewers.push(Viewer {
                    link,
                    view: View::new(self.id),
                    version: 0,
                    input_seq: 0,
                });
                self.count_viewers(core);
                self.tell_search_again(core);
            }
            Order::Unsubscribe(client) => self.forget_viewer(core, client),
            Order::Forget(client) => {
                self.forget_viewer(core, client);
                self.end_search_of(core, client);
            }
            Order::Search { client, query } => self.begin_search(core, client, query),
            Order::SearchMove { forward } => self.move_search(core, forward),
            Order::Found(found) => self.take_found(core, found),
            Order::Clear { history } => {
                core.terminal.clear(history);
                core.version += 1;
                core.compressible = true;
                self.book(core);
            }
            Order::Reset => {
                core.terminal.reset_modes(&mut core.outbox);
                core.version += 1;
                self.empty_outbox(core);
            }
            Order::Read { history, answer } => {
                let _ = answer.send(core.terminal.screen(history));
            }
            Order::Copy { answer } => {
                let _ = answer.send(core.terminal.selection_text());
            }
            Order::CopyOutput { answer } => {
                let _ = answer.send(core.terminal.output_text());
            }
            Order::Export { slice, answer } => {
                let _ = answer.send(export(core, slice));
            }
            Order::Stats { answer } => {
                let _ = answer.send(self.count(core));
            }
        }
    }

    fn give(self: &Arc<Self>, core: &mut Core, client: ClientId, seq: u64, input: Input) {
        match input {
            Input::Resize(size) => self.set_size(core, size),
            Input::Paste(text) => self.begin_paste(core, text),
            input => {
                core.terminal.input(&input, &mut core.outbox);
                core.version += 1;
                self.empty_outbox(core);
            }
        }
        for viewer in &mut core.viewers {
            if viewer.link.client.id == client {
                viewer.input_seq = viewer.input_seq.max(seq);
            }
        }
    }

    fn forget_viewer(&self, core: &mut Core, client: ClientId) {
        core.viewers.retain(|viewer| {
            let stays = viewer.link.client.id != client;
            if !stays {
                viewer.link.client.forget_frame(self.id);
            }
            stays
        });
        self.count_viewers(core);
    }

    fn count_viewers(&self, core: &mut Core) {
        let focused = core.viewers.iter().filter(|viewer| viewer.link.focused).count();
        self.viewers.store(core.viewers.len() as u32, Ordering::Relaxed);
        let before = self.focused.swap(focused as u32, Ordering::Relaxed);
        if before > 0 && focused == 0 {
            // A window that shows something else in its place, or died, says no goodbye: the keys it held
            // are let go all the same.
            core.terminal.input(&Input::Focus(false), &mut core.outbox);
            self.empty_outbox(core);
        }
    }

    fn count(&self, core: &Core) -> TerminalStats {
        let memory = core.terminal.memory();
        TerminalStats {
            terminal: self.id,
            hot_bytes: memory.hot as u64,
            cold_bytes: memory.cold as u64,
            history: u64::from(core.terminal.scroll().history),
            printed: core.printed,
            waiting: self.pty.waiting() as u64,
            frames: core.frames,
            unwritten: (self.pty.unwritten()
                + core.paste.as_ref().map_or(0, super::paste::Paste::left))
                as u64,
        }
    }
}

fn export(core: &mut Core, slice: Slice) -> (String, Option<Slice>) {
    let Slice { ansi, rows, range } = slice;
    let all = u64::from(core.terminal.scroll().history) + u64::from(core.terminal.size().rows);
    let wanted = range.map_or(rows as u64, |(from, end)| end.saturating_sub(from).min(rows as u64));
    let mut text = String::new();
    let from = range.map(|(from, _)| from);
    let next = core.terminal.export(ansi, from, wanted as usize, &mut text);
    let next = next.and_then(|next| {
        // The first slice began at the oldest row there was.
        let end = range.map_or(next.saturating_sub(wanted) + all, |(_, end)| end);
        (next < end).then_some(Slice { range: Some((next, end)), ..slice })
    });
    (text, next)
}

/// Whether somebody used the terminal, not only looked at it.
fn is_typing(input: &Input) -> bool {
    match input {
        // A modifier alone is often the beginning of a chord that is the window's.
        Input::Key(key) => key.action != Action::Release && !key.code.is_modifier(),
        Input::Text(_) | Input::Paste(_) => true,
        Input::Mouse(_)
        | Input::Focus(_)
        | Input::Resize(_)
        | Input::Scroll(_)
        | Input::Select(_)
        | Input::Vi(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use maestro_core::input::{Code, Key, Mods};

    use super::*;

    #[test]
    fn a_modifier_alone_is_no_typing() {
        let check = |code, action, expected| {
            let key = Key {
                code,
                mods: Mods::default(),
                text: String::new(),
                action,
                base: None,
                shifted: None,
                keypad: false,
            };
            assert_eq!(is_typing(&Input::Key(key)), expected, "{code:?} {action:?}");
        };
        check(Code::Char('a'), Action::Press, true);
        check(Code::Enter, Action::Repeat, true);
        check(Code::Char('a'), Action::Release, false);
        check(Code::Control, Action::Press, false);
        check(Code::CapsLock, Action::Press, false);
        assert!(!is_typing(&Input::Focus(true)));
    }
}
