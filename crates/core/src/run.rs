//! Runs of checklists: what the world sees of one, and the rules it goes by.

pub mod audit;
pub mod journal;
pub mod machine;
pub mod prompt;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::agent::Provider;
use crate::id::{AgentId, RunId};
use crate::turn::Usage;

/// How to run documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The documents, absolute, in order.
    pub documents: Vec<PathBuf>,
    /// The directory to work in, absolute; the run holds its lease.
    pub directory: PathBuf,
    /// The program that does the tasks.
    pub provider: Provider,
    /// The agent it belongs to, if it was started on one.
    pub agent: Option<AgentId>,
    /// Model to ask for, where the provider takes one.
    pub model: Option<String>,
    /// Seconds after which a task's turn is ended; 0 for none.
    pub turn_timeout_s: u64,
    /// Seconds without a byte of output after which a turn counts as silent; 0 for none.
    pub silence_timeout_s: u64,
    /// Seconds a `verify:` command may take.
    pub verify_timeout_s: u64,
    /// How often a task is attempted before it is failed.
    pub attempts: u32,
    /// Whether the provider may act without asking. A fresh, unattended session can ask nobody, so
    /// without it most tasks fail; with it the provider's own sandbox is off.
    pub unattended: bool,
}

/// A run as the world sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// What was asked for.
    pub spec: Spec,
    /// Where it stands.
    pub state: State,
    /// When it was started: milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// The tasks it has touched or is at, in order of first touch.
    pub tasks: Vec<Task>,
    /// Unchecked and checked boxes over all documents when last counted.
    pub open: u32,
    /// Checked boxes over all documents when last counted.
    pub done: u32,
    /// What all its turns consumed.
    pub usage: Usage,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works.
    Running,
    /// It ends after the current task.
    Stopping,
    /// The provider refuses work until a time (milliseconds since the Unix epoch).
    Waiting {
        /// When it goes on.
        until_ms: u64,
        /// Why, in a sentence.
        because: String,
    },
    /// The host died under it; it goes on when the host has recovered.
    Interrupted,
    /// It ended.
    Ended(Ending),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every box is ticked with evidence.
    Completed,
    /// It went through, but some tasks failed.
    WithFailures,
    /// The user stopped it.
    Stopped,
    /// The user killed it.
    Killed,
    /// It could not go on; the sentence says why and what to do.
    Failed(String),
}

/// One task of a run with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The document it is in.
    pub document: PathBuf,
    /// Its text on the line of the box.
    pub text: String,
    /// The line of the box when last found, from 1.
    pub line: u32,
    /// Where it stands.
    pub state: TaskState,
    /// How often it was attempted.
    pub attempts: u32,
    /// The provider's session of the last attempt.
    pub session: Option<String>,
    /// Git tree of the working directory before the first attempt, untracked files included.
    pub tree_before: Option<String>,
    /// The same after the last attempt.
    pub tree_after: Option<String>,
    /// The `verify:` command's result, if the task names one and it was run.
    pub verify: Option<Verify>,
    /// What its turns consumed.
    pub usage: Usage,
    /// How long its turns and verifications took together: milliseconds.
    pub duration_ms: u64,
    /// Why it failed or is being tried again.
    pub because: Option<String>,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Its turn runs.
    Working,
    /// Its `verify:` command runs.
    Verifying,
    /// Ticked, with evidence.
    Done,
    /// Given up after its attempts.
    Failed,
}

/// The result of a `verify:` command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verify {
    /// The command line, given to `sh -c`.
    pub command: String,
    /// Its exit code; `None` when a signal or the time limit ended it.
    pub exit_code: Option<i32>,
    /// The end of what it printed, bounded, control characters stripped.
    pub output: String,
}
