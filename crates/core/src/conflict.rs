//! How parallel lines of work fit together: every pair of a repository's live worktrees, what is not
//! committed included, as if the two were merged now.
//!
//! Only text is judged. Two branches that merge cleanly may still break each other; that is for their
//! tests to find.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::AgentId;

/// The most files that are named in one cell.
pub const MAX_FILES: usize = 100;

/// Every pair of a repository's worktrees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Matrix {
    /// The branch or revision that every side is also held against, if there is one.
    pub target: Option<String>,
    /// The worktrees, in git's order: the main checkout first.
    pub sides: Vec<Side>,
    /// Each pair once, and each side with the target.
    pub cells: Vec<Cell>,
    /// How long it took to find out: milliseconds.
    pub took_ms: u64,
    /// What has to be known to read it, in sentences: merge drivers that were not run.
    pub notes: Vec<String>,
}

/// A worktree with what is in it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Its directory.
    pub directory: PathBuf,
    /// Its branch; `None` when detached.
    pub branch: Option<String>,
    /// The commit it is at, in full.
    pub head: Option<String>,
    /// Whether it has work that is not committed.
    pub is_dirty: bool,
    /// How many files it has changed since it parted from the target.
    pub touched: u32,
    /// Why it could not be looked at, in a sentence; it has no cells then.
    pub problem: Option<String>,
}

/// A pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The one, as an index into [`Matrix::sides`].
    pub a: u32,
    /// The other; the target when absent.
    pub b: Option<u32>,
    /// How they fit.
    pub fit: Fit,
}

/// How two lines of work fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// They change different files.
    Apart,
    /// Both change these files, and the changes go together.
    SameFiles(Vec<PathBuf>),
    /// These files conflict.
    Conflicts(Vec<PathBuf>),
    /// Nobody knows, for the reason given in a sentence.
    Unknown(String),
}

/// A file in which two lines of work conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clash {
    /// The file, relative to the checkout.
    pub path: PathBuf,
    /// What git calls the conflict, such as `CONFLICT (contents)`; empty when it says nothing.
    pub kind: String,
    /// Where in it, as far as it is text.
    pub hunks: Vec<Hunk>,
    /// Whether there are more hunks, or longer ones, than are shown.
    pub is_cut: bool,
}

/// A place in a file where both sides changed the same lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// The first line of it in the merged file, from 1.
    pub line: u32,
    /// What the one side has there.
    pub ours: String,
    /// What the other has.
    pub theirs: String,
}

/// The matrix of a repository that somebody watches, as it is by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The repository: its main checkout's root.
    pub repository: PathBuf,
    /// What fits and what does not.
    pub matrix: Matrix,
}

/// With whom an agent's work conflicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collisions {
    /// Whose work.
    pub agent: AgentId,
    /// With which lines of work; none when everything fits again.
    pub with: Vec<Collision>,
}

/// A line of work with which an agent's conflicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collision {
    /// Its branch, or its folder's name; the target's name for the target.
    pub with: String,
    /// Its worktree; `None` for the target.
    pub directory: Option<PathBuf>,
    /// The agents that work there.
    pub agents: Vec<AgentId>,
    /// The files.
    pub files: Vec<PathBuf>,
}

impl Side {
    /// What a person calls it: its branch, or its folder's name.
    #[must_use]
    pub fn name(&self) -> String {
        let folder =
            || self.directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.branch.clone().unwrap_or_else(folder)
    }
}

impl Matrix {
    /// Whether another matrix says the same, however long it took.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |matrix: &Self| (matrix.target.clone(), matrix.notes.clone());
        said(self) == said(other) && (&self.sides, &self.cells) == (&other.sides, &other.cells)
    }

    /// With whom each agent's work conflicts, for agents given with their directories: those that have a
    /// worktree of the matrix. The pair of the target's own checkout with the target is nobody's news.
    #[must_use]
    pub fn met_by(&self, agents: &[(AgentId, PathBuf)]) -> Vec<Collisions> {
        let side_of = |directory: &PathBuf| {
            let own = |at: &usize| directory.starts_with(&self.sides[*at].directory);
            // The innermost: a worktree may be in a folder of another.
            let inner = |at: &usize| self.sides[*at].directory.components().count();
            (0..self.sides.len()).filter(own).max_by_key(inner)
        };
        let placed: Vec<(AgentId, usize)> = agents
            .iter()
            .filter_map(|(agent, directory)| Some((*agent, side_of(directory)?)))
            .collect();
        let there = |side: usize| {
            placed.iter().filter(|(_, at)| *at == side).map(|(agent, _)| *agent).collect()
        };
        placed
            .iter()
            .map(|(agent, own)| {
                let with = self.cells.iter().filter_map(|cell| {
                    let Fit::Conflicts(files) = &cell.fit else { return None };
                    let (a, b) = (cell.a as usize, cell.b.map(|b| b as usize));
                    let other = match b {
                        None if a == *own => None,
                        Some(b) if a == *own => Some(b),
                        Some(b) if b == *own => Some(a),
                        _ => return None,
                    };
                    let files = files.clone();
                    Some(match other.and_then(|at| Some((at, self.sides.get(at)?))) {
                        Some((at, side)) => Collision {
                            with: side.name(),
                            directory: Some(side.directory.clone()),
                            agents: there(at),
                            files,
                        },
                        None => Collision {
                            with: self.target.clone().unwrap_or_default(),
                            directory: None,
                            agents: Vec::new(),
                            files,
                        },
                    })
                });
                Collisions { agent: *agent, with: with.collect() }
            })
            .collect()
    }

    /// The cell of two sides (or of a side and the target), in whichever order.
    #[must_use]
    pub fn cell(&self, a: u32, b: Option<u32>) -> Option<&Cell> {
        self.cells
            .iter()
            .find(|cell| (cell.a, cell.b) == (a, b) || b == Some(cell.a) && cell.b == Some(a))
    }

    /// With how many others a side conflicts.
    #[must_use]
    pub fn collisions(&self, side: u32) -> usize {
        let meets = |cell: &&Cell| cell.a == side || cell.b == Some(side);
        self.cells.iter().filter(meets).filter(|cell| matches!(cell.fit, Fit::Conflicts(_))).count()
    }
}

/// Finds the places that git has marked in a merged text: `(hunks, whether some were left out)`. At most
/// `most` hunks, each side of one at most `bytes` long.
///
/// The marks are those of git's default conflict style (`git help merge`, *How conflicts are presented*):
/// seven `<`, `=` and `>` at the beginning of a line.
#[must_use]
pub fn hunks(text: &str, most: usize, bytes: usize) -> (Vec<Hunk>, bool) {
    #[derive(PartialEq)]
    enum At {
        Outside,
        Ours,
        Theirs,
    }
    let mut found: Vec<Hunk> = Vec::new();
    let mut is_cut = false;
    let mut at = At::Outside;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let marks = |mark: &str| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\r', '\n']))
        };
        match at {
            At::Outside if marks("<<<<<<<") => {
                if found.len() == most {
                    return (found, true);
                }
                let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
                found.push(Hunk { line, ours: String::new(), theirs: String::new() });
                at = At::Ours;
            }
            At::Outside => {}
            At::Ours if marks("=======") => at = At::Theirs,
            At::Theirs if marks(">>>>>>>") => at = At::Outside,
            At::Ours | At::Theirs => {
                let Some(hunk) = found.last_mut() else { continue };
                let side = if at == At::Ours { &mut hunk.ours } else { &mut hunk.theirs };
                if side.len() + line.len() <= bytes {
                    side.push_str(line);
                } else {
                    is_cut = true;
                }
            }
        }
    }
    (found, is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_git_marks_are_found() {
        let text = "a\n<<<<<<< one\nours\n=======\ntheirs\n>>>>>>> two\nb\n<<<<<<<< no mark\n\
                    <<<<<<< one\r\n=======\r\nx\n>>>>>>> two\n";
        let (found, is_cut) = hunks(text, 9, 99);
        let shown: Vec<_> =
            found.iter().map(|hunk| (hunk.line, &*hunk.ours, &*hunk.theirs)).collect();
        assert_eq!(shown, [(2, "ours\n", "theirs\n"), (9, "", "x\n")]);
        assert!(!is_cut);
        assert_eq!(hunks(text, 1, 99).0.len(), 1);
        assert!(hunks(text, 1, 99).1 && hunks(text, 9, 3).1);
        // Never closed: what there is.
        assert_eq!(hunks("<<<<<<< one\nours", 9, 99).0[0].ours, "ours");
    }

    #[test]
    fn agents_are_told_with_whom_they_collide() {
        let side = |directory: &str, branch: Option<&str>| Side {
            directory: directory.into(),
            branch: branch.map(str::to_owned),
            head: None,
            is_dirty: false,
            touched: 0,
            problem: None,
        };
        let clash = |a, b| Cell { a, b, fit: Fit::Conflicts(vec!["f".into()]) };
        let matrix = Matrix {
            target: Some("main".into()),
            sides: vec![side("/r", Some("main")), side("/r/in", Some("in")), side("/x", None)],
            cells: vec![
                clash(1, Some(2)),
                clash(2, None),
                Cell { a: 0, b: Some(1), fit: Fit::Apart },
            ],
            ..Matrix::default()
        };
        let agents = [
            (AgentId(1), "/r/src".into()),
            (AgentId(2), "/r/in/src".into()),
            (AgentId(3), "/x".into()),
            (AgentId(4), "/elsewhere".into()),
        ];
        let met = matrix.met_by(&agents);
        let shown: Vec<_> = met
            .iter()
            .map(|met| {
                let with = met.with.iter().map(|one| (one.with.as_str(), one.agents.clone()));
                (met.agent.0, with.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(
            shown,
            [
                (1, vec![]),
                (2, vec![("x", vec![AgentId(3)])]),
                (3, vec![("in", vec![AgentId(2)]), ("main", vec![])]),
            ]
        );
        assert!(matrix.says_the_same(&Matrix { took_ms: 9, ..matrix.clone() }));
    }

    #[test]
    fn a_pair_is_found_in_either_order() {
        let cell = |a, b, fit| Cell { a, b, fit };
        let matrix = Matrix {
            cells: vec![
                cell(0, Some(1), Fit::Conflicts(vec!["f".into()])),
                cell(0, None, Fit::Apart),
            ],
            ..Matrix::default()
        };
        assert_eq!(matrix.cell(1, Some(0)), matrix.cell(0, Some(1)));
        assert_eq!(matrix.cell(0, None).map(|cell| &cell.fit), Some(&Fit::Apart));
        assert!(matrix.cell(1, None).is_none());
        assert_eq!((matrix.collisions(0), matrix.collisions(1), matrix.collisions(2)), (1, 1, 0));
    }
}
