//! Playbooks: folders of checklists with how to run them.
//!
//! A folder with a `playbook.toml` is a playbook; a folder of markdown files without one is a playbook in
//! which every document is run in alphabetical order. Reading the file is left to the host; this module
//! has its meaning, and what can be said about documents before they are run.

mod commands;
pub mod variables;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::commands::Commands;
pub use self::variables::Variables;

use crate::agent::Provider;
use crate::run::{Branching, Budgets, Loops, Mode, OnFailure, Options, PullRequest};

/// A playbook as its file says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Playbook {
    /// Its name; the folder's when absent.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// The documents, in order, relative to its folder.
    pub documents: Vec<Listed>,
    /// How often it goes through them.
    pub loops: Loops,
    /// What one session is given.
    pub mode: Mode,
    /// What sessions are told instead of Maestro's own words.
    pub prompt: Option<String>,
    /// The provider it was written for; the agent's own when absent.
    pub provider: Option<Provider>,
    /// The model.
    pub model: Option<String>,
    /// The command that decides about tasks that name none.
    pub verify: Option<String>,
    /// What a failed task means.
    pub on_failure: OnFailure,
    /// Whether each task becomes a commit.
    pub commit: Option<bool>,
    /// Where it ends or pauses.
    pub budgets: Budgets,
    /// The name of the branch of a new worktree, with template variables; none: it runs where it is
    /// started.
    pub worktree: Option<String>,
    /// A pull request at the end.
    pub pull_request: Option<PullRequest>,
}

impl Playbook {
    /// The paths of its documents, in order, when it lies in a folder.
    #[must_use]
    pub fn documents_in(&self, folder: &Path) -> Vec<PathBuf> {
        self.documents.iter().map(|listed| listed.path_in(folder)).collect()
    }

    /// The rules of a run of it, when it lies in a folder. The user may change them before the run.
    #[must_use]
    pub fn options(&self, folder: &Path) -> Options {
        let reset = self.documents.iter().filter(|listed| listed.reset);
        Options {
            playbook: Some(folder.to_owned()),
            reset: reset.map(|listed| listed.path_in(folder)).collect(),
            loops: self.loops,
            mode: self.mode,
            prompt: self.prompt.clone(),
            verify: self.verify.clone(),
            on_failure: self.on_failure,
            commit: self.commit,
            budgets: self.budgets,
            worktree: self.worktree.clone().map(|branch| Branching { branch, base: None }),
            pull_request: self.pull_request.clone(),
            ..Options::default()
        }
    }
}

/// A document of a playbook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listed {
    /// Its path relative to the playbook's folder, with forward slashes and `.md`.
    pub path: String,
    /// Whether every pass works on a fresh copy of it.
    #[serde(default)]
    pub reset: bool,
}

impl Listed {
    fn path_in(&self, folder: &Path) -> PathBuf {
        // Part by part, so that the path is written as everywhere else on the machine.
        self.path.split('/').fold(folder.to_owned(), |path, part| path.join(part))
    }
}

/// A playbook or a loose document that was found in a folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// What its file says, or what follows from the folder when there is none.
    pub playbook: Playbook,
    /// Whether it has a file of its own.
    pub has_file: bool,
    /// Whether it came with Maestro.
    pub shipped: bool,
    /// Why its file cannot be used, in a sentence with the line.
    pub problem: Option<String>,
}

impl Found {
    /// The paths of its documents, in order.
    #[must_use]
    pub fn documents(&self) -> Vec<PathBuf> {
        self.playbook.documents_in(&self.folder)
    }

    /// The rules of a run of it. The user may change them before the run.
    #[must_use]
    pub fn options(&self) -> Options {
        self.playbook.options(&self.folder)
    }
}

/// An entry of a folder of checklists: folders before files, alphabetical, empty folders left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// Its path relative to the folder that was asked for, with forward slashes.
    pub path: String,
    /// How deep it is, from 0.
    pub depth: u16,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether it is a folder with a `playbook.toml`.
    pub is_playbook: bool,
    /// Open boxes in it, or in what is below it.
    pub open: u32,
    /// Ticked boxes.
    pub done: u32,
    /// Why it cannot be read, in a sentence.
    pub problem: Option<String>,
}

/// Something that was found in a document before it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The document, absolute.
    pub document: PathBuf,
    /// The line, from 1.
    pub line: u32,
    /// What kind it is.
    pub kind: FindingKind,
    /// What it is, in a sentence.
    pub text: String,
}

/// Kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A field that cannot be read.
    Field,
    /// A need that names no task, or several.
    UnknownNeed,
    /// Tasks that need each other.
    Cycle,
    /// A command whose program is not there.
    MissingCommand,
    /// A task that looks as if only a person could do it.
    HumanOnly,
    /// Tasks that read alike.
    Duplicate,
    /// A document that a playbook names and that is not there, or cannot be read.
    Document,
}

impl FindingKind {
    /// Whether a run would fail because of it.
    #[must_use]
    pub fn is_error(self) -> bool {
        !matches!(self, Self::HumanOnly | Self::Duplicate)
    }
}

/// What a run would do, without doing it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The open tasks, in order.
    pub tasks: Vec<Planned>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The commands that would run, each once, and whether they are trusted.
    pub commands: Vec<String>,
    /// Documents of its playbook that say what the user has not agreed to.
    #[serde(default)]
    pub unknown: Vec<PathBuf>,
    /// The hash of these commands and documents, to agree to: [`crate::run::Options::trusted`].
    pub hash: String,
    /// Whether the user has agreed to all of that already.
    pub is_trusted: bool,
    /// Uncommitted changes in the directory: how many files.
    pub dirty: u32,
    /// What stands in the way, each in a sentence: a missing provider, for one.
    pub obstacles: Vec<String>,
    /// Who works in the directory, each in a sentence: the run can wait until that is over.
    #[serde(default)]
    pub in_use: Vec<String>,
}

/// A task of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The document.
    pub document: PathBuf,
    /// The line of its box, from 1.
    pub line: u32,
    /// Its text.
    pub text: String,
    /// Who would do it.
    pub provider: Provider,
    /// The model.
    pub model: Option<String>,
    /// The command that would decide.
    pub verify: Option<String>,
    /// Lines of the tasks it needs: (document, line).
    pub needs: Vec<(PathBuf, u32)>,
    /// What it would be told.
    pub prompt: String,
}

/// A line of what a running turn says, for those who watch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The task, as an index into [`crate::run::Run::tasks`].
    pub task: u32,
    /// What kind of line it is.
    pub kind: HeardKind,
    /// The text, bounded, control characters made visible. A text that goes on is sent in pieces.
    pub text: String,
}

/// Kinds of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeardKind {
    /// What the agent says.
    Text,
    /// What it thinks.
    Thinking,
    /// A tool it uses.
    Tool,
    /// What the `verify:` command prints.
    Verify,
    /// What Maestro does: a commit, a tick.
    Maestro,
}
