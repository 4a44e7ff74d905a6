//! Worktrees: how they are asked for, what Maestro keeps of those it looks after, and how an agent's
//! checkout stands.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::agent::{Agent, Provider};
use crate::id::{AgentId, TabId};
use crate::screen::Size;

/// The most worktrees that are made by one request.
pub const MAX_RACE: u32 = crate::race::MAX_RUNNERS as u32;

/// The longest task, in bytes.
pub const MAX_TASK: usize = 256 << 10;

/// The longest branch that is offered for a task, in characters.
const LONGEST_SLUG: usize = 40;

/// What a client asks about worktrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// Make one, or several for one task: [`Answer::Made`].
    Make(Box<Make>),
    /// All of a repository: [`Answer::List`].
    List {
        /// Any directory in it.
        repository: PathBuf,
    },
    /// Write the files of one again that could not be written, and prepare it: [`Answer::One`].
    Fill {
        /// Its directory.
        directory: PathBuf,
    },
    /// Do not go on with one whose files are being written. It goes away if nothing else is in it:
    /// [`Answer::Gone`], otherwise [`Answer::One`].
    Stop {
        /// Its directory.
        directory: PathBuf,
    },
    /// What a new branch could start from: [`Answer::Bases`].
    Bases {
        /// The directory whose branch is the current one.
        directory: PathBuf,
        /// Only those that have these letters in this order.
        like: String,
    },
    /// Look after a worktree that somebody else made, as after one of our own; or not any more:
    /// [`Answer::One`].
    Adopt {
        /// Its directory.
        directory: PathBuf,
        /// Whether.
        adopted: bool,
    },
    /// Do not offer a worktree that somebody else made; or do it again: [`Answer::One`].
    Ignore {
        /// Its directory.
        directory: PathBuf,
        /// Whether.
        ignored: bool,
    },
    /// How much room the worktrees of a repository take: [`Answer::Usage`]. Takes a while.
    Usage {
        /// Any directory in it.
        repository: PathBuf,
    },
    /// Which worktrees of a repository have nothing any more that its target lacks: [`Answer::Merged`].
    Merged {
        /// Any directory in it.
        repository: PathBuf,
        /// The target; the main checkout's branch when absent.
        target: Option<String>,
    },
    /// What is done in a new worktree before somebody works there, and whether it may: [`Answer::Recipe`].
    Recipe {
        /// The worktree's directory, or the main checkout's.
        directory: PathBuf,
    },
    /// Agrees to exactly that; `false` takes it back: [`Answer::Recipe`].
    Trust {
        /// The worktree's directory, or the main checkout's.
        directory: PathBuf,
        /// What [`Recipe::hash`] was when it was shown.
        hash: String,
        /// Whether it may.
        trusted: bool,
    },
    /// How the checkouts of agents stand: [`Answer::Standings`].
    Standings {
        /// Of these; of all when empty.
        agents: Vec<AgentId>,
    },
    /// Mend the links between a repository and worktrees that were moved: [`Answer::List`].
    Repair {
        /// Any directory in it.
        repository: PathBuf,
        /// Where moved worktrees are now.
        moved: Vec<PathBuf>,
    },
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// What was made, in order.
    Made(Vec<Made>),
    /// The worktrees, the main checkout first.
    List(Vec<Entry>),
    /// One as it is now.
    One(Box<Entry>),
    /// It is gone.
    Gone,
    /// Bases, the current one first, then the most recent ones.
    Bases(Vec<Base>),
    /// By worktree.
    Usage(Vec<Usage>),
    /// Those that could be cleaned up, and why the others cannot.
    Merged(Vec<Merged>),
    /// What is done in a new worktree.
    Recipe(Recipe),
    /// By agent; those that are in no repository are left out.
    Standings(Vec<(AgentId, Standing)>),
}

/// A worktree to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Make {
    /// Any directory in the repository.
    pub repository: PathBuf,
    /// The branch; made from the task when empty.
    pub branch: String,
    /// Whether the branch is there already.
    pub existing: bool,
    /// What a new branch starts from; the commit of the directory when absent.
    pub base: Option<String>,
    /// Exactly where to put it.
    pub path: Option<PathBuf>,
    /// The folder to put it into; as the settings say when absent.
    pub location: Option<PathBuf>,
    /// How many, with `-1`, `-2` … behind the branch; one and without a number when 0.
    pub race: u32,
    /// Who is to work there.
    pub agent: Option<Provider>,
    /// The agent's name; made from the branch when absent.
    pub name: Option<String>,
    /// What the agent is told when the worktree is ready.
    pub task: Option<String>,
    /// Whether the agent's own interface is started; not with a task.
    pub start: bool,
    /// Size of its terminal.
    pub size: Size,
    /// Answer when everything is ready, not as soon as it is registered.
    pub wait: bool,
}

/// A worktree that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The worktree.
    pub worktree: Entry,
    /// Its agent, if one was asked for.
    pub agent: Option<Box<Agent>>,
}

/// One worktree, as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch; `None` when detached or bare.
    pub branch: Option<String>,
    /// The commit it is at, abbreviated.
    pub head: Option<String>,
    /// Whether it is the repository's main checkout.
    pub main: bool,
    /// Locked, with the reason.
    pub locked: Option<String>,
    /// Whether its directory is not there. That is no reason to remove it: a disk may be away.
    pub missing: bool,
    /// Why git would forget it, in git's words.
    pub prunable: Option<String>,
    /// Whose it is.
    pub origin: Origin,
    /// How far it is.
    pub stage: Stage,
    /// Who works there.
    pub agents: Vec<AgentId>,
    /// The first of its ports and how many it has.
    pub ports: Option<(u16, u16)>,
}

/// Whose a worktree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The repository's main checkout.
    Main,
    /// Maestro made it.
    Made,
    /// Somebody else made it, and Maestro looks after it.
    Adopted,
    /// Somebody else made it, and it is not to be offered.
    Ignored,
    /// Somebody else made it.
    Foreign,
}

/// How far a worktree is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It can be used.
    Ready,
    /// Its files are being written: how many are there, of how many (0 while that is not known).
    Filling {
        /// Files that are there.
        done: u64,
        /// All.
        total: u64,
    },
    /// It is prepared: what is done.
    Preparing(String),
    /// Something went wrong, in a sentence with its way out.
    Failed(String),
}

/// What Maestro keeps about a worktree it looks after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its git directory: the same when the worktree is moved.
    pub git_dir: PathBuf,
    /// The git directory that all worktrees of its repository share.
    pub common_dir: PathBuf,
    /// Where it was last seen.
    pub path: PathBuf,
    /// Its branch when it was made.
    pub branch: Option<String>,
    /// The commit its branch started from.
    pub base: Option<String>,
    /// Whether its branch was made with it.
    pub made_branch: bool,
    /// Whose it is.
    pub origin: Origin,
    /// Whether its files were written.
    pub is_filled: bool,
    /// Whether it was prepared.
    pub is_prepared: bool,
    /// Why it did not become ready.
    pub problem: Option<String>,
    /// The agent it was made for.
    pub agent: Option<AgentId>,
    /// What that is to be told.
    pub task: Option<String>,
    /// The conversation that it is told in.
    pub tab: Option<TabId>,
    /// The first of its ports and how many it has.
    pub ports: Option<(u16, u16)>,
    /// Variables of everything that is started there, as `.maestro/worktree.toml` says.
    #[serde(default)]
    pub variables: Vec<(String, String)>,
    /// When it was made or adopted: milliseconds since the Unix epoch.
    pub since_ms: u64,
}

impl Kept {
    /// Whether nothing is left to be done for it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_filled && self.is_prepared && (self.task.is_none() || self.tab.is_some())
    }
}

/// What is done in a new worktree before somebody works there, and when it is removed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recipe {
    /// Commands and variables, line by line.
    pub lines: Vec<String>,
    /// The hash of the file's content; empty when there is none.
    pub hash: String,
    /// Whether the user agreed to exactly that, or there is nothing to agree to.
    pub is_trusted: bool,
}

/// What a new branch could start from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The branch: `main`, `origin/main`.
    pub name: String,
    /// Whether it is a remote's.
    pub remote: bool,
    /// Whether it is checked out in the directory.
    pub current: bool,
    /// When its last commit was made: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Commits that it has and the current one lacks, and the other way round; `None` where that was not
    /// counted.
    pub distance: Option<(u32, u32)>,
}

/// How much room a worktree takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch.
    pub branch: Option<String>,
    /// Bytes on the disk, without what the repository shares; links are not followed.
    pub bytes: u64,
    /// Of these, in ignored files and folders.
    pub ignored: u64,
    /// Files.
    pub files: u64,
    /// Whether counting ended before everything was counted.
    pub partial: bool,
}

/// Whether a worktree can be cleaned up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch.
    pub branch: Option<String>,
    /// Why it stays, in a few words; `None` when it can go.
    pub stays: Option<String>,
}

/// How the checkout of an agent stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The branch; `None` when the head is detached.
    pub branch: Option<String>,
    /// The branch it follows.
    pub upstream: Option<String>,
    /// Commits that the followed branch lacks, and that it has more.
    pub ahead_behind: Option<(u32, u32)>,
    /// Tracked files that differ from the commit in any way.
    pub changed: u32,
    /// Untracked files and folders.
    pub untracked: u32,
    /// Files with unsolved conflicts.
    pub unmerged: u32,
    /// What is only half done there.
    pub operation: Option<Operation>,
}

/// Something that git has begun in a checkout and not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// At which step, of how many, where that is known.
    pub step: Option<(u32, u32)>,
}

/// Kinds of [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// A rebase.
    Rebase,
    /// Patches from mails.
    Am,
    /// A merge.
    Merge,
    /// Commits that are picked.
    CherryPick,
    /// Commits that are reverted.
    Revert,
    /// A search for the commit that broke something.
    Bisect,
}

impl OperationKind {
    /// As a person reads it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rebase => "rebase",
            Self::Am => "am",
            Self::Merge => "merge",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
            Self::Bisect => "bisect",
        }
    }
}

impl Standing {
    /// In a few words: `+2 −1 · 3 changed · rebase 2/5`; empty when there is nothing to say.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        if let Some(operation) = self.operation {
            let step = operation.step.map_or_else(String::new, |(at, all)| format!(" {at}/{all}"));
            words.push(format!("{}{step}", operation.kind.name()));
        }
        if self.unmerged > 0 {
            words.push(format!("{} unmerged", self.unmerged));
        }
        if self.changed > self.unmerged {
            words.push(format!("{} changed", self.changed - self.unmerged));
        }
        if self.untracked > 0 {
            words.push(format!("{} new", self.untracked));
        }
        match self.ahead_behind {
            Some((0, 0)) | None => {}
            Some((ahead, 0)) => words.push(format!("↑{ahead}")),
            Some((0, behind)) => words.push(format!("↓{behind}")),
            Some((ahead, behind)) => words.push(format!("↑{ahead} ↓{behind}")),
        }
        words.join(" · ")
    }
}

/// A branch for a task: its first words, in small letters with dashes between. Empty when the task has no
/// letters or digits.
#[must_use]
pub fn slug(task: &str) -> String {
    let mut slug = String::new();
    let lines = task.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.take(1).collect::<String>().to_lowercase();
    let words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words {
        let more = word.chars().count() + usize::from(!slug.is_empty());
        if slug.chars().count() + more > LONGEST_SLUG {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    if slug.is_empty() {
        // One word that is too long for all of it to be kept.
        slug = line.chars().filter(|c| c.is_alphanumeric()).take(LONGEST_SLUG).collect();
    }
    slug
}

/// The branches of a race: with a number behind, from 1; the branch itself for no race.
#[must_use]
pub fn branches(branch: &str, race: u32) -> Vec<String> {
    match race {
        0 => vec![branch.to_owned()],
        race => (1..=race.min(MAX_RACE)).map(|number| format!("{branch}-{number}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_offered_for_a_task() {
        for (task, expected) in [
            ("Fix the login form!", "fix-the-login-form"),
            ("\n\n  Größe prüfen\nmore words", "größe-prüfen"),
            ("a/b..c~d: `e` @{-1} .lock", "a-b-c-d-e-1-lock"),
            ("", ""),
            ("💥 --", ""),
            (
                "Make the whole thing quite a bit faster than it was before",
                "make-the-whole-thing-quite-a-bit-faster",
            ),
            (&"x".repeat(90), &"x".repeat(40)),
        ] {
            assert_eq!(slug(task), expected, "{task}");
        }
    }

    #[test]
    fn the_branches_of_a_race_are_known_by_their_number() {
        assert_eq!(branches("fix", 0), ["fix"]);
        assert_eq!(branches("fix", 2), ["fix-1", "fix-2"]);
        assert_eq!(branches("fix", 99).len(), 16);
        for (at, branch) in branches("fix", 3).iter().enumerate() {
            assert_eq!(crate::race::number("fix", branch), Some(at as u32 + 1));
        }
    }

    #[test]
    fn a_standing_is_told_in_a_few_words() {
        let mut standing = Standing::default();
        assert_eq!(standing.words(), "");
        standing.ahead_behind = Some((2, 1));
        standing.changed = 3;
        standing.untracked = 4;
        assert_eq!(standing.words(), "3 changed · 4 new · ↑2 ↓1");
        standing.unmerged = 3;
        standing.untracked = 0;
        standing.ahead_behind = Some((0, 0));
        standing.operation = Some(Operation { kind: OperationKind::Rebase, step: Some((2, 5)) });
        assert_eq!(standing.words(), "rebase 2/5 · 3 unmerged");
    }
}
