//! The queue of an agent: what waits to be said to it, in which tab.

use serde::{Deserialize, Serialize};

use crate::conversation::Prompt;
use crate::id::{AgentId, ItemId, TabId};

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
