//! The queue of an agent: what waits to be said to it, in which tab, and what goes next.
//!
//! The rules, in the order in which they were found to matter:
//!
//! - What waits is said in its order, whatever tab it is for; held items are stepped over.
//! - One turn of an agent writes at a time. A turn that only reads waits for nobody but its own tab, and may
//!   overtake what writes, but nothing that is for the same tab.
//! - While a run has the directory, only what reads is said.
//! - Nothing is said while the queue is held, while a tab waits for its limit, or in a tab that is shown in
//!   the provider's own interface.
//! - What its user writes after a turn was interrupted or failed, or after a restart, was written with that
//!   in mind: it is said in its turn, and what waited before stays held.
//! - What the user wants *now* waits for its own tab and for a run, and for nothing else.

use serde::{Deserialize, Serialize};

use crate::conversation::{Place, Policy, Prompt, TEXT_LIMIT, Tab, TabState};
use crate::id::{AgentId, ItemId, TabId};

/// The most items that wait for one agent. Whoever has more wants a document that is worked off.
pub const MOST_ITEMS: usize = 1000;

/// The most bytes of words that wait for one agent: every client has all of them.
pub const MOST_BYTES: usize = 2 << 20;

/// The most bytes of one prompt: as much as an entry of a conversation keeps.
pub const PROMPT_LIMIT: usize = TEXT_LIMIT;

/// The most images that go with one prompt.
pub const MOST_IMAGES: usize = 20;

/// The most bytes of a token.
pub const TOKEN_LIMIT: usize = 128;

/// What waits for one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Whose.
    pub agent: AgentId,
    /// Why nothing is sent, in a sentence, while nothing is: an error, a restart, the user's wish.
    pub held: Option<Held>,
    /// What waits, in order. An item that was sent is not in it any more.
    pub items: Vec<Item>,
}

/// Why a queue stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The user said so.
    ByUser,
    /// The host was started anew; nothing is sent until the user, or a setting, says so.
    AfterRestart,
    /// A turn failed: the sentence says how.
    AfterFailure(String),
    /// A turn was interrupted: what waits was not meant for what is left.
    AfterInterrupt,
}

/// Something that waits to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its identity.
    pub id: ItemId,
    /// In which tab it is said.
    pub tab: TabId,
    /// What.
    pub prompt: Prompt,
    /// Whether it is passed over.
    pub held: bool,
    /// Whether it may have been said already: the host ended while it was handed over. It is held, and
    /// only its user can know.
    #[serde(default)]
    pub unsure: bool,
    /// When it was put there: milliseconds since the Unix epoch.
    pub added_ms: u64,
}

/// Why a prompt cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing to say.
    #[error("there is nothing to say: the prompt is empty")]
    Empty,
    /// More words than fit.
    #[error(
        "the prompt has {bytes} bytes, and at most {PROMPT_LIMIT} are taken: put the text into a file and \
         name that"
    )]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// More images than fit.
    #[error("{images} images go with the prompt, and at most {MOST_IMAGES} are taken")]
    TooManyImages {
        /// How many.
        images: usize,
    },
    /// Together with what waits it is too much.
    #[error(
        "prompts of {waiting} bytes wait for this agent already, and this one does not fit into the \
         {MOST_BYTES} that are kept; wait, or remove some"
    )]
    NoRoom {
        /// Bytes that wait.
        waiting: usize,
    },
    /// A token that is none.
    #[error("the token of a prompt has between 1 and {TOKEN_LIMIT} bytes")]
    Token,
}

/// Whether a prompt can be kept, with what waits already.
///
/// # Errors
///
/// The reason why not.
pub fn check(prompt: &Prompt, waiting: &[Item]) -> Result<(), Unfit> {
    if prompt.text.trim().is_empty() && prompt.images.is_empty() {
        return Err(Unfit::Empty);
    }
    let bytes = prompt.text.len();
    if bytes > PROMPT_LIMIT {
        return Err(Unfit::TooLong { bytes });
    }
    let images = prompt.images.len();
    if images > MOST_IMAGES {
        return Err(Unfit::TooManyImages { images });
    }
    let waiting = waiting.iter().map(|item| item.prompt.text.len()).sum::<usize>();
    if waiting + bytes > MOST_BYTES {
        return Err(Unfit::NoRoom { waiting });
    }
    Ok(())
}

/// A tab, as far as it matters to what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Which.
    pub tab: TabId,
    /// What goes on in it.
    pub work: Work,
    /// Whether whatever is said in it can only read.
    pub reads: bool,
}

/// What goes on in a tab, as far as it matters to what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing.
    Free,
    /// A turn that may write.
    Writes,
    /// A turn that can only read.
    Reads,
    /// It waits for a limit and goes on by itself then.
    Limited,
    /// Its session is in the provider's own interface.
    Away,
}

impl Seat {
    /// A tab's seat. `reading`: the turn that runs in it was begun as one that only reads.
    #[must_use]
    pub fn of(tab: &Tab, reading: bool) -> Self {
        let reads = tab.policy == Policy::ReadOnly;
        let work = match &tab.state {
            state if state.is_busy() && (reads || reading) => Work::Reads,
            state if state.is_busy() => Work::Writes,
            TabState::Limited { resumes: true, .. } => Work::Limited,
            _ if matches!(tab.place, Place::Terminal(_)) => Work::Away,
            _ => Work::Free,
        };
        Self { tab: tab.id, work, reads }
    }
}

/// What decides which item goes next.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What waits, in order.
    pub items: &'a [Item],
    /// Whether the queue is held.
    pub held: bool,
    /// Items that are wanted now.
    pub now: &'a [ItemId],
    /// Items that were written after what holds the queue had happened: that was not meant for them.
    pub after: &'a [ItemId],
    /// The agent's tabs.
    pub seats: &'a [Seat],
    /// Whether a run has the agent's directory.
    pub run: bool,
}

/// What is said next, if anything is.
#[must_use]
pub fn next(facts: Facts<'_>) -> Option<ItemId> {
    let seat = |tab: TabId| facts.seats.iter().find(|seat| seat.tab == tab);
    let limited = facts.seats.iter().any(|seat| seat.work == Work::Limited);
    let writing = facts.run || facts.seats.iter().any(|seat| seat.work == Work::Writes);
    // Tabs for which something waits further ahead, and whether any of that writes.
    let mut ahead: Vec<TabId> = Vec::new();
    let mut writer_ahead = false;
    for item in facts.items {
        let now = facts.now.contains(&item.id);
        let held = facts.held && !facts.after.contains(&item.id);
        if !now && (held || item.held) {
            continue;
        }
        let Some(seat) = seat(item.tab) else { continue };
        let reads = item.prompt.read_only || seat.reads;
        let may = match seat.work {
            Work::Writes | Work::Reads | Work::Away => false,
            // Its user wants to see for himself whether the limit still holds.
            Work::Limited => now,
            Work::Free if now => reads || !facts.run,
            Work::Free => {
                !limited && !ahead.contains(&item.tab) && (reads || !(writing || writer_ahead))
            }
        };
        if may {
            return Some(item.id);
        }
        ahead.push(item.tab);
        writer_ahead |= !reads;
    }
    None
}

/// Why a queue is held when another host takes over, where something waits in it. `held`: as it was held
/// before. `limited`: a tab waits for a limit and goes on by itself, which was its queue's obstacle then and
/// is now. `send`: the user's setting says that what waits is sent.
#[must_use]
pub fn after_restart(held: Option<Held>, limited: bool, send: bool) -> Option<Held> {
    match held {
        Some(Held::AfterRestart) | None if send || (limited && held.is_none()) => None,
        Some(held) => Some(held),
        None => Some(Held::AfterRestart),
    }
}

#[cfg(test)]
mod tests;
