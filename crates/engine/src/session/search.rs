//! The search in a terminal: begun by a client, seen by all, done in slices that nobody waits for.
//!
//! What is on the screen and in the emulator is looked through between two chunks of output, compressed
//! history on a thread of its own. What is found shows in the frames; how far it is, is told a few times a
//! second, and at once when the first match is found, at the end, and when a user moves on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use maestro_core::search::{Query, Search};

use super::{Core, Session};
use crate::client::ClientId;
use crate::pool::Next;

/// Rows looked through between two chunks of output.
const STEP: usize = 512;
/// How long a quantum may look through rows when there is nothing else to do.
const QUANTUM: Duration = Duration::from_millis(1);
/// Compressed rows given out at once: some milliseconds of work, after which a newer search begins.
const PIECE: usize = 16_384;
/// Pieces of one terminal given out at a time: one is looked through while the other waits.
const PIECES: usize = 2;
/// Between two events about a search that goes on.
const PAUSE: Duration = Duration::from_millis(200);

/// What is known about a terminal's search.
#[derive(Default)]
pub(super) struct Searching {
    /// Who began it; `None` while there is none.
    owner: Option<ClientId>,
    /// Pieces that are being looked through elsewhere.
    out: usize,
    /// How far it was when last looked at.
    seen: Option<Search>,
    told: Option<Search>,
    told_at: Option<Instant>,
    /// A user waits for news: they are told as soon as there are any.
    asked: bool,
    /// The first match and the end were told at once.
    first_told: bool,
    end_told: bool,
}

impl Session {
    pub(super) fn begin_search(&self, core: &mut Core, client: ClientId, query: Option<Query>) {
        let owner = query.is_some().then_some(client);
        self.searched_by.store(owner.map_or(0, |client| client.0), Ordering::Relaxed);
        core.terminal.search(query);
        core.version += 1;
        let out = core.searching.out;
        core.searching = Searching { owner, out, asked: true, ..Searching::default() };
        if owner.is_none() {
            self.tell_search(core, Instant::now());
        }
    }

    /// Whether what another client looks for is looked for at this time.
    pub(crate) fn is_searched_by_another(&self, client: ClientId) -> bool {
        ![0, client.0].contains(&self.searched_by.load(Ordering::Relaxed))
    }

    /// A search does not outlive the client that began it.
    pub(super) fn end_search_of(&self, core: &mut Core, client: ClientId) {
        if core.searching.owner == Some(client) {
            self.begin_search(core, client, None);
        }
    }

    /// The emulator was started anew, without any search.
    pub(super) fn lose_search(&self, core: &mut Core) {
        if core.searching.owner.is_some() {
            core.searching = Searching { out: core.searching.out, ..Searching::default() };
            self.searched_by.store(0, Ordering::Relaxed);
            self.tell_search(core, Instant::now());
        }
    }

    pub(super) fn move_search(&self, core: &mut Core, forward: bool) {
        if core.searching.owner.is_some() {
            core.terminal.search_move(forward);
            core.version += 1;
            core.searching.asked = true;
        }
    }

    pub(super) fn take_found(&self, core: &mut Core, found: Option<maestro_terminal::SearchFound>) {
        core.searching.out = core.searching.out.saturating_sub(1);
        match (found, core.searching.owner) {
            (Some(found), _) => core.terminal.search_found(found),
            // Without this piece it would never end.
            (None, Some(client)) => self.begin_search(core, client, None),
            (None, None) => {}
        }
    }

    /// Somebody begins to watch, and may not have been there when it was told.
    pub(super) fn tell_search_again(&self, core: &Core) {
        if core.searching.owner.is_some() {
            self.notices.searched(self.id);
        }
    }

    /// Looks through a few rows; says when to go on.
    pub(super) fn go_on_searching(self: &Arc<Self>, core: &mut Core, busy: bool) -> Next {
        if core.searching.owner.is_none() {
            return Next::Wait(None);
        }
        // First what another thread can do, or this one would do it, too.
        while core.searching.out < PIECES
            && let Some(work) = core.terminal.search_work(PIECE)
        {
            core.searching.out += 1;
            self.searcher.look(self, work);
        }
        let begin = Instant::now();
        let mut more = core.terminal.search_step(STEP);
        while more && !busy && begin.elapsed() < QUANTUM {
            more = core.terminal.search_step(STEP);
        }
        let news = self.note_search(core, Instant::now());
        if more { Next::Again } else { Next::Wait(news) }
    }

    /// Tells how far it is, or says when that may be told.
    fn note_search(&self, core: &mut Core, now: Instant) -> Option<Instant> {
        let state = core.terminal.search_state();
        if state != core.searching.seen {
            core.version += 1;
            core.searching.seen.clone_from(&state);
        }
        if state == core.searching.told {
            return None;
        }
        let searching = &mut core.searching;
        let (matches, done) = state.as_ref().map_or((0, true), |state| (state.matches, state.done));
        let first = matches > 0 && !std::mem::replace(&mut searching.first_told, matches > 0);
        let end = done && !std::mem::replace(&mut searching.end_told, done);
        let due = searching.told_at.map(|at| at + PAUSE).filter(|at| *at > now);
        if due.is_none() || first || end || searching.asked {
            self.tell_search(core, now);
            return None;
        }
        due
    }

    fn tell_search(&self, core: &mut Core, now: Instant) {
        let state = core.terminal.search_state();
        core.searching.told.clone_from(&state);
        core.searching.told_at = Some(now);
        core.searching.asked = false;
        self.facts().search = state;
        self.notices.searched(self.id);
    }
}
