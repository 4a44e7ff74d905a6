//! The journal of a run: what is about to be done, written before it is done, and what came of it.
//! A run's state is what its entries add up to, so a host that died anywhere can be followed by
//! another one.

use serde::{Deserialize, Serialize};

use super::{Ending, Verify};
use crate::agent::Provider;
use crate::checklist::{Anchor, Change};
use crate::turn::{Failure, Usage};

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Entry {
    /// The run begins.
    Started,
    /// Another host goes on with the run.
    Recovered,
    /// A task was chosen.
    Picked {
        /// Its number in the run; one more than the highest for a task that is new to it.
        task: usize,
        /// The document, by its number in the run.
        document: usize,
        /// How it is found again.
        anchor: Anchor,
        /// Which attempt this will be, from 1.
        attempt: u32,
        /// Attempts it has.
        attempts: u32,
        /// Who does it.
        provider: Provider,
        /// The command that decides.
        verify: Option<String>,
        /// Seconds its turn may take; 0 for ever.
        timeout_s: u64,
    },
    /// A turn is about to start.
    Turn {
        /// What it is told.
        prompt: String,
        /// The session it goes on with; a new one without.
        resume: Option<String>,
        /// The id its new session will have, where the provider takes one.
        new_session: Option<String>,
        /// Git tree of the directory before it.
        tree: Option<String>,
        /// Every box of every document before it, so that boxes set by the agent are noticed.
        marks: Vec<Vec<Mark>>,
    },
    /// The turn's session is known.
    Session {
        /// Its id.
        id: String,
    },
    /// The turn ended.
    TurnEnded {
        /// How.
        result: Result<(), Failure>,
        /// Its session.
        session: Option<String>,
        /// The end of the answer.
        text: String,
        /// What it consumed.
        usage: Usage,
        /// How long it took.
        duration_ms: u64,
    },
    /// What the directory is like after the turn.
    Settled {
        /// Its git tree.
        tree: Option<String>,
    },
    /// Boxes that were set without evidence are about to be set back.
    SettingBack {
        /// By document.
        changes: Vec<(usize, Vec<Change>)>,
    },
    /// The documents were compared with what they were before the turn.
    Audited {
        /// How the task is found now, if it is there.
        anchor: Option<Anchor>,
        /// Texts of boxes that the agent had ticked without evidence: they are open again.
        unticked: Vec<String>,
        /// Texts of boxes that the agent had unticked although their evidence is known: they are
        /// ticked again.
        reticked: Vec<String>,
        /// Open tasks that are no longer in their document.
        dropped: Vec<(usize, String)>,
    },
    /// The command that decides is about to run.
    Verifying {
        /// It.
        command: String,
    },
    /// It ended.
    Verified {
        /// How.
        verify: Verify,
        /// How long it took.
        duration_ms: u64,
    },
    /// The box is about to be ticked.
    Ticking,
    /// It is ticked.
    Ticked,
    /// The attempt came to nothing.
    AttemptFailed {
        /// Why.
        because: String,
        /// Whether it uses up one of the task's attempts.
        counts: bool,
        /// Whether it left the directory as it was.
        fruitless: bool,
    },
    /// The attempt was cut short by the death of a host.
    CutShort,
    /// The task is given up, or cannot be begun.
    TaskFailed {
        /// Why.
        because: String,
    },
    /// A task that cannot be begun: its fields cannot be read, or what it needs cannot be had.
    Refused {
        /// Its number in the run.
        task: usize,
        /// The document.
        document: usize,
        /// How it is found again.
        anchor: Anchor,
        /// Why.
        because: String,
    },
    /// Nothing is done until a time.
    Waiting {
        /// When it goes on: milliseconds since the Unix epoch.
        until_ms: u64,
        /// Why.
        because: String,
        /// What then.
        then: Then,
    },
    /// The time has come.
    Woken,
    /// The user wants it to end after the current task.
    StopAsked,
    /// The user wants it to end now.
    KillAsked,
    /// It ended.
    Ended {
        /// How.
        ending: Ending,
    },
}

/// What a run goes on with after waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The next task.
    Pick,
    /// Comparing the documents.
    Audit,
    /// Ticking the box.
    Tick,
}

/// A box as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The text behind it.
    pub text: String,
    /// Whether it was ticked.
    pub checked: bool,
}
