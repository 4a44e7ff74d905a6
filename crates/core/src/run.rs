//! Runs of checklists: what the world sees of one, and the rules it goes by.

pub mod audit;
pub mod journal;
pub mod machine;
pub mod options;
pub mod prompt;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::options::{
    Branching, Budgets, Dirty, Loops, Mode, OnFailure, Options, PullRequest, Then,
};
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
    /// The rules it goes by beyond that.
    #[serde(default)]
    pub options: Options,
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
    /// Which pass through the documents it is in, from 1.
    #[serde(default)]
    pub pass: u32,
    /// How many turns it has begun, attempts, repairs and passes all together.
    #[serde(default)]
    pub turns: u32,
    /// Milliseconds it has worked: without pauses, waits for limits and sleep of the machine.
    #[serde(default)]
    pub worked_ms: u64,
    /// Open tasks it has not come to, in the order in which it would do them; at most [`MAX_AHEAD`].
    #[serde(default)]
    pub ahead: Vec<Ahead>,
    /// What happened that the user should know, the oldest first; at most [`MAX_FLAGS`], the latest.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// The directory it works in when that is a worktree made for it.
    #[serde(default)]
    pub worktree: Option<PathBuf>,
    /// The pull request it ended with.
    #[serde(default)]
    pub pull_request: Option<String>,
    /// The report written at its end.
    #[serde(default)]
    pub report: Option<PathBuf>,
    /// Whether it pauses as soon as the turn that runs has ended, because the user asked for it.
    #[serde(default)]
    pub pausing: bool,
}

impl Run {
    /// A run that begins at a time (milliseconds since the Unix epoch) with so many boxes.
    #[must_use]
    pub fn new(id: RunId, spec: Spec, started_ms: u64, open: u32, done: u32) -> Self {
        Self {
            id,
            spec,
            state: State::Running,
            started_ms,
            ended_ms: None,
            tasks: Vec::new(),
            open,
            done,
            usage: Usage::default(),
            pass: 1,
            turns: 0,
            worked_ms: 0,
            ahead: Vec::new(),
            flags: Vec::new(),
            worktree: None,
            pull_request: None,
            report: None,
            pausing: false,
        }
    }

    /// The rules it goes by beyond what to run and where.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.spec.options
    }
}

/// The most tasks in [`Run::ahead`].
pub const MAX_AHEAD: usize = 500;
/// The most flags in [`Run::flags`].
pub const MAX_FLAGS: usize = 200;

/// A task a run has not come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// The document it is in.
    pub document: PathBuf,
    /// The line of its box, from 1.
    pub line: u32,
    /// Its text.
    pub text: String,
}

/// Something the user should know about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// When it was noticed: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The task that was worked on, as an index into [`Run::tasks`].
    pub task: Option<u32>,
    /// What happened, in a sentence.
    pub text: String,
}

/// Why a run is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// The user asked for it.
    User,
    /// A document has a gate that a person has to open, by ticking a box.
    Gate {
        /// Where: the document and the line of the marker, from 1.
        document: PathBuf,
        /// See above.
        line: u32,
        /// Why, as the marker says.
        reason: String,
        /// What to look at, as the marker says.
        artifact: Option<String>,
    },
    /// A budget is used up: the sentence names it.
    Budget(String),
    /// It cannot go on without the user (a login, credit): the sentence says what to do.
    Needed(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has not begun: something that it needs is in use.
    Queued {
        /// By whom, in a sentence; empty until it was looked at.
        because: String,
    },
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
    /// It does nothing until the user resumes it.
    Paused(Pause),
    /// The host died under it; it goes on when the host has recovered.
    Interrupted,
    /// It ended.
    Ended(Ending),
}

impl Pause {
    /// Why, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::User => "You paused it.".to_owned(),
            Self::Gate { document, line, reason, .. } => {
                let name = document.file_name().unwrap_or_default().to_string_lossy();
                if reason.is_empty() {
                    format!("{name}, line {line}: a person has to look and tick the box.")
                } else {
                    format!("{name}, line {line}: {reason}")
                }
            }
            Self::Budget(sentence) | Self::Needed(sentence) => sentence.clone(),
        }
    }
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
    /// The model its last turn was done by, where the provider tells.
    #[serde(default)]
    pub model: Option<String>,
    /// How often its session was told that the verification failed.
    #[serde(default)]
    pub repairs: u32,
    /// Commits made for it, oldest first: full names.
    #[serde(default)]
    pub commits: Vec<String>,
    /// The pass through the documents it was done in, from 1.
    #[serde(default)]
    pub pass: u32,
    /// When it was first picked: milliseconds since the Unix epoch.
    #[serde(default)]
    pub started_ms: u64,
    /// When it was done, failed, skipped or undone.
    #[serde(default)]
    pub ended_ms: Option<u64>,
}

impl Task {
    /// A task that was picked at a time (milliseconds since the Unix epoch) and not begun.
    #[must_use]
    pub fn new(document: PathBuf, text: String, line: u32, started_ms: u64) -> Self {
        Self {
            document,
            text,
            line,
            state: TaskState::Working,
            attempts: 0,
            session: None,
            tree_before: None,
            tree_after: None,
            verify: None,
            usage: Usage::default(),
            duration_ms: 0,
            because: None,
            model: None,
            repairs: 0,
            commits: Vec::new(),
            pass: 1,
            started_ms,
            ended_ms: None,
        }
    }
}

/// Everything that is known about one task of a run: what its tick rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The run.
    pub run: RunId,
    /// The task, as an index into [`Run::tasks`].
    pub index: u32,
    /// The task as it is now.
    pub task: Task,
    /// Every turn made for it, oldest first.
    pub turns: Vec<Made>,
    /// Every verification, oldest first.
    pub verified: Vec<Verify>,
    /// What changed from before its first turn to after its last: unified, bounded, with control
    /// characters made visible. `None` where there is no repository, or the trees are gone.
    pub diff: Option<String>,
    /// Whether `diff` was cut.
    pub diff_cut: bool,
    /// Tasks done after it that changed files it had changed, by index: they build on it.
    pub built_on_by: Vec<u32>,
}

/// One turn made for a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Which attempt it belonged to, from 1.
    pub attempt: u32,
    /// When it began: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What it was told.
    pub prompt: String,
    /// The provider's session.
    pub session: Option<String>,
    /// The model, where the provider tells.
    pub model: Option<String>,
    /// Git tree of the directory before it.
    pub tree_before: Option<String>,
    /// The same after it.
    pub tree_after: Option<String>,
    /// The end of its answer.
    pub answer: String,
    /// Why it failed, if it did.
    pub failure: Option<String>,
    /// What it consumed.
    pub usage: Usage,
    /// How long it took: milliseconds.
    pub duration_ms: u64,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Its turn runs.
    Working,
    /// Its `verify:` command runs.
    Verifying,
    /// What it changed is being committed.
    Committing,
    /// Ticked, with evidence.
    Done,
    /// Given up after its attempts.
    Failed,
    /// Passed over because the user said so.
    Skipped,
    /// Done, and then taken back by the user: the directory is as it was before it.
    Undone,
}

impl TaskState {
    /// Whether something is done for it just now.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Working | Self::Verifying | Self::Committing)
    }
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
