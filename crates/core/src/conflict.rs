//! How parallel lines of work fit together: every pair of a repository's live worktrees, what is not
//! committed included, as if the two were merged now.
//!
//! Only text is judged. Two branches that merge cleanly may still break each other; that is for their
//! tests to find.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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

impl Matrix {
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
