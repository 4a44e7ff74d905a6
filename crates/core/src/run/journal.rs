//! The journal of a run: what is about to be done, written before it is done, and what came of it.
//! A run's state is what its entries add up to, so a host that died anywhere can be followed by
//! another one.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Ending, Made, Pause, Verify};
use crate::agent::Provider;
use crate::checklist::{Anchor, Change};
use crate::id::AgentId;
use crate::turn::{Failure, Usage};

/// One entry. Documents are named by their number in the run: those of the first pass in order, then
/// the working copies of later ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Entry {
    /// The run begins.
    Started,
    /// Another host goes on with the run.
    Recovered,
    /// A pass through the documents begins; working copies are about to be made.
    Pass {
        /// Which, from 1.
        pass: u32,
        /// Where the copies go, for each document that is reset in the order of the run.
        copies: Vec<PathBuf>,
    },
    /// The working copies are there.
    Copied,
    /// The commands that the user has agreed to by starting the run.
    Agreed {
        /// For each document as it is listed: the texts of tasks with their commands. Tasks that read like
        /// one with a command are among them.
        commands: Vec<Vec<(String, Option<String>)>>,
    },
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
        /// Attempts and repairs it has, all together.
        attempts: u32,
        /// Who does it.
        provider: Provider,
        /// The agent that its line names.
        #[serde(default)]
        agent: Option<AgentId>,
        /// The model that is asked for.
        #[serde(default)]
        model: Option<String>,
        /// The command that decides.
        verify: Option<String>,
        /// Seconds its turn may take; 0 for ever.
        timeout_s: u64,
        /// The session of the task before it, which goes on with this one.
        #[serde(default)]
        session: Option<String>,
    },
    /// The boxes of a document differ from what the journal knows: how.
    Boxes {
        /// The document.
        document: usize,
        /// Where boxes came or went, by number.
        start: usize,
        /// How many went.
        removed: usize,
        /// Those that came.
        added: Vec<Mark>,
        /// Of the others, by their number now, those that were ticked or unticked.
        flipped: Vec<usize>,
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
        /// The commit that is checked out before it.
        #[serde(default)]
        head: Option<String>,
        /// For each document of the pass, how many gates and halts it has.
        #[serde(default)]
        markers: Vec<(u32, u32)>,
    },
    /// The turn's session is known.
    Session {
        /// Its id.
        id: String,
        /// The model.
        #[serde(default)]
        model: Option<String>,
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
        /// The commit that is checked out.
        #[serde(default)]
        head: Option<String>,
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
        /// Boxes that the agent had ticked and whose own commands will decide: they are open until then.
        #[serde(default)]
        claims: Vec<Claim>,
        /// The agent wrote that the run is to end: why.
        #[serde(default)]
        halt: Option<String>,
    },
    /// Another task that the agent says it has done is about to be verified.
    Claimed {
        /// Its number in the run.
        task: usize,
        /// What is known of it.
        claim: Claim,
    },
    /// It does not hold: the task is open.
    Unclaimed {
        /// Why.
        because: String,
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
    /// What the task did is about to be committed.
    Committing {
        /// With this message; without one its commits are only found.
        message: Option<String>,
    },
    /// It is.
    Committed {
        /// The task's commits.
        commits: Vec<String>,
        /// How long it took.
        duration_ms: u64,
    },
    /// A hook refused the commit: the box is about to be opened again.
    CommitRefused {
        /// What it said.
        verify: Verify,
        /// How long it took.
        duration_ms: u64,
    },
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
        /// Whether its session is to set it right.
        #[serde(default)]
        repair: bool,
    },
    /// The attempt was cut short by the death of a host, or by a budget.
    CutShort {
        /// Whether that counts against being cut short too often.
        #[serde(default = "yes")]
        counts: bool,
    },
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
    /// The user wants nothing more to be begun.
    PauseAsked,
    /// Nothing is done until the user says so.
    Paused {
        /// Why.
        why: Pause,
        /// What then.
        then: Then,
        /// The budget that is granted once more when it goes on.
        #[serde(default)]
        budget: Option<Budget>,
        /// The command that is agreed to when it goes on.
        #[serde(default)]
        asks: Option<Asks>,
    },
    /// The user wants it to go on.
    Resumed,
    /// The user wants the task that is worked on to be passed over.
    SkipAsked {
        /// Its number in the run.
        task: usize,
    },
    /// A task is passed over.
    Skipped {
        /// Its number in the run.
        task: usize,
    },
    /// The rest of a document is passed over.
    DocumentSkipped {
        /// Which.
        document: usize,
    },
    /// A task is to be tried again.
    RetryAsked {
        /// Its number in the run.
        task: usize,
    },
    /// What a task did is to be taken back.
    UndoAsked {
        /// Its number in the run.
        task: usize,
        /// Also when later tasks build on it.
        force: bool,
    },
    /// It was taken back; its box is about to be opened.
    Undone {
        /// Its number in the run.
        task: usize,
        /// Later tasks whose work went with it.
        also: Vec<usize>,
    },
    /// Its box is open, or its line is gone.
    Reopened,
    /// It was not taken back.
    UndoRefused {
        /// Its number in the run.
        task: usize,
        /// Why.
        because: String,
    },
    /// Something the user should know.
    Flagged {
        /// What, in a sentence.
        text: String,
    },
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

const fn yes() -> bool {
    true
}

/// What a run goes on with after waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The next task.
    Pick,
    /// Making working copies.
    Copy,
    /// Comparing the documents.
    Audit,
    /// Ticking the box.
    Tick,
    /// Committing.
    Commit,
    /// Opening the box whose commit was refused.
    Untick,
}

/// What can be used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Costs.
    Cost,
    /// Tokens.
    Tokens,
    /// Time of work.
    Time,
    /// Turns.
    Turns,
    /// Tasks that are done.
    Tasks,
}

/// A command that was not there when the run began, or another one than then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    /// The document as it is listed, by its number.
    pub listed: usize,
    /// The task's text.
    pub text: String,
    /// Its command now.
    pub command: Option<String>,
}

/// A task that an agent ticked beside the one it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The document, by its number in the run.
    pub document: usize,
    /// How it is found.
    pub anchor: Anchor,
    /// Its own command.
    pub verify: String,
}

/// A box as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The text behind it.
    pub text: String,
    /// Whether it was ticked.
    pub checked: bool,
}

/// Every turn and every verification of a task, by its number in the run, oldest first. Entries come with
/// when they were written: milliseconds since the Unix epoch.
#[must_use]
pub fn made(journal: &[(u64, Entry)], task: usize) -> (Vec<Made>, Vec<Verify>) {
    let (mut turns, mut verified) = (Vec::<Made>::new(), Vec::new());
    let mut current = (None, 0);
    for (at_ms, entry) in journal {
        match entry {
            Entry::Picked { task, attempt, .. } => current = (Some(*task), *attempt),
            Entry::Claimed { task, .. } => current = (Some(*task), 0),
            _ if current.0 != Some(task) => {}
            Entry::Turn { prompt, resume, new_session, tree, .. } => turns.push(Made {
                attempt: current.1,
                at_ms: *at_ms,
                prompt: prompt.clone(),
                session: resume.clone().or_else(|| new_session.clone()),
                model: None,
                tree_before: tree.clone(),
                tree_after: None,
                answer: String::new(),
                failure: None,
                usage: Usage::default(),
                duration_ms: 0,
            }),
            Entry::Verified { verify, .. } | Entry::CommitRefused { verify, .. } => {
                verified.push(verify.clone());
            }
            entry => {
                if let Some(turn) = turns.last_mut() {
                    told(turn, entry);
                }
            }
        }
    }
    (turns, verified)
}

/// What an entry says about the turn before it.
fn told(turn: &mut Made, entry: &Entry) {
    match entry {
        Entry::Session { id, model } => {
            turn.session = Some(id.clone());
            turn.model = model.clone().or_else(|| turn.model.take());
        }
        Entry::TurnEnded { result, session, text, usage, duration_ms } => {
            turn.session = session.clone().or_else(|| turn.session.take());
            turn.answer.clone_from(text);
            turn.failure = result.as_ref().err().map(|failure| failure.message.clone());
            (turn.usage, turn.duration_ms) = (*usage, *duration_ms);
        }
        Entry::Settled { tree, .. } => turn.tree_after.clone_from(tree),
        Entry::CutShort { .. } if turn.failure.is_none() => {
            turn.failure = Some("It was cut short.".to_owned());
        }
        _ => {}
    }
}
