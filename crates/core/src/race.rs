//! A race: several branches for one task, held against each other so that one can be taken.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::changes::{Look, Pick};
use crate::id::AgentId;
use crate::train::Check;

/// The most runners of one race.
pub const MAX_RUNNERS: usize = 16;

/// A race as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Race {
    /// Its name: its branches are this, a dash and a number.
    pub name: String,
    /// The branch that they are held against.
    pub target: String,
    /// The runners, by their number.
    pub runners: Vec<Runner>,
}

/// One branch of a race.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Runner {
    /// Its branch.
    pub branch: String,
    /// Its worktree.
    pub directory: PathBuf,
    /// Who works there.
    pub agent: Option<AgentId>,
    /// Whether it works just now.
    pub is_busy: bool,
    /// Commits that the target does not have.
    pub commits: u32,
    /// Files that differ from where it parted from the target, what is not committed included.
    pub files: u32,
    /// Lines that were added.
    pub added: u32,
    /// Lines that were removed.
    pub removed: u32,
    /// What its turns consumed, in US dollars, where that is known.
    pub cost: Option<f64>,
    /// How long its turns took: milliseconds, where that is known.
    pub worked_ms: Option<u64>,
    /// What came of the check, if one was asked for and could be run.
    pub check: Option<Check>,
    /// Why it could not be looked at, in a sentence.
    pub problem: Option<String>,
}

/// Files and hunks of several runners that come into the target's checkout, where nothing is staged or
/// committed of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// Any directory in the repository.
    pub repository: PathBuf,
    /// The race.
    pub name: String,
    /// The branch whose checkout they come into; the main checkout's when absent.
    pub target: Option<String>,
    /// What is taken, in order.
    pub pieces: Vec<Piece>,
    /// The look under which the hunks were shown.
    pub look: Look,
}

/// A file of a runner, or hunks of it: of what it changed since it parted from the target, what is not committed
/// included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The runner's branch.
    pub branch: String,
    /// The file, under its new name, and its hunks.
    pub pick: Pick,
}

/// The number of a branch in a race of this name.
#[must_use]
pub fn number(name: &str, branch: &str) -> Option<u32> {
    let digits = branch.strip_prefix(name)?.strip_prefix('-')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| is_number && *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_are_known_by_their_number() {
        for (branch, expected) in [
            ("fix-1", Some(1)),
            ("fix-12", Some(12)),
            ("fix-0", None),
            ("fix-", None),
            ("fix-1a", None),
            ("fix-+1", None),
            ("fixes-1", None),
            ("fix", None),
        ] {
            assert_eq!(number("fix", branch), expected, "{branch}");
        }
    }
}
