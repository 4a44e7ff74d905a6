//! The rules of a run beyond what to run and where.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::checklist::Anchor;

/// The rules of a run. The default runs every document once, a fresh session for each task, goes on after
/// a failed task, and has no budget.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The playbook's folder, if it runs one.
    pub playbook: Option<PathBuf>,
    /// Those of the documents that are never changed: every pass works on a fresh copy, in which every
    /// box is open. Absolute.
    pub reset: Vec<PathBuf>,
    /// How often it goes through the documents.
    pub loops: Loops,
    /// What one session is given.
    pub mode: Mode,
    /// What sessions are told instead of Maestro's own words: a template.
    pub prompt: Option<String>,
    /// The command that decides about tasks that name none.
    pub verify: Option<String>,
    /// What a failed task means for the run.
    pub on_failure: OnFailure,
    /// Whether each task that is done becomes a commit. `None`: in worktrees, yes; elsewhere, no.
    pub commit: Option<bool>,
    /// Where it ends or pauses.
    pub budgets: Budgets,
    /// A worktree to be made for it; the run works there, its documents stay where they are.
    pub worktree: Option<Branching>,
    /// A pull request to be opened at its end.
    pub pull_request: Option<PullRequest>,
    /// What to do when the directory has uncommitted changes at the start.
    pub dirty: Dirty,
    /// Keep the machine from going to sleep while it works.
    pub keep_awake: bool,
    /// The hash of the commands the user has seen and agreed to, for documents and playbooks that are
    /// not trusted yet: `core::playbook::Commands::hash`.
    pub trusted: Option<String>,
    /// Only these tasks, if any are named: (document, how the task is found). Absolute.
    pub only: Vec<(PathBuf, Anchor)>,
}

/// How often a run goes through its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loops {
    /// Once.
    #[default]
    Once,
    /// At most so often.
    Times(u32),
    /// Until a pass finds nothing to do, or a budget or the user ends it.
    Forever,
}

/// What one session is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One task.
    #[default]
    Task,
    /// The tasks of one document, one after the other in the same session. Each is verified on its own.
    Document,
}

/// What a failed task means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It goes on with the next task that does not need it.
    #[default]
    GoOn,
    /// It ends.
    Stop,
    /// It pauses until the user has looked.
    Pause,
}

/// How much a run may use. What is `None` is not bounded.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Budgets {
    /// Costs, as the providers tell or as the price list says: US dollars.
    pub cost_usd: Option<f64>,
    /// Tokens in and out, cached ones included.
    pub tokens: Option<u64>,
    /// Seconds of work ([`super::Run::worked_ms`]).
    pub time_s: Option<u64>,
    /// Turns.
    pub turns: Option<u32>,
    /// Tasks that are done.
    pub tasks: Option<u32>,
    /// What happens then.
    pub then: Then,
}

/// What happens when a budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The run pauses; resuming it gives it the same budget once more.
    #[default]
    Pause,
    /// The run ends.
    End,
}

/// A worktree for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branching {
    /// The new branch.
    pub branch: String,
    /// What it starts from; the current commit when absent.
    pub base: Option<String>,
}

/// A pull request at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PullRequest {
    /// The branch it is to go into; the base of the worktree, or the repository's default, when absent.
    pub target: Option<String>,
    /// As a draft.
    pub draft: bool,
}

/// What to do about uncommitted changes at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dirty {
    /// Refuse, and say what could be done.
    #[default]
    Refuse,
    /// Keep a snapshot of the whole tree under a private ref, then go on.
    Snapshot,
    /// Go on.
    Accept,
}
