//! What is changed in a checkout, for the badge beside an agent.

use std::path::Path;

use maestro_core::worktree::{Operation, OperationKind, Standing};

use crate::tree::checkout;
use crate::{Git, Result};

/// A checkout's state, in files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The branch; `None` when the head is detached.
    pub branch: Option<String>,
    /// The commit, in full; `None` before the first one.
    pub head: Option<String>,
    /// The branch it follows.
    pub upstream: Option<String>,
    /// Commits that the followed branch lacks and that it has more, where one is followed and exists.
    pub ahead_behind: Option<(u32, u32)>,
    /// Tracked files whose content or mode differs from the commit.
    pub modified: u32,
    /// Files the commit lacks and the index has.
    pub added: u32,
    /// Files the commit has and that are gone.
    pub deleted: u32,
    /// Renamed and copied files.
    pub renamed: u32,
    /// Files with unsolved conflicts.
    pub unmerged: u32,
    /// Untracked files and folders that are not ignored; a folder without any tracked file counts once.
    pub untracked: u32,
}

impl Status {
    /// Whether nothing differs from the commit.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.changed() == 0 && self.untracked == 0
    }

    /// Tracked files that differ in any way.
    #[must_use]
    pub fn changed(&self) -> u32 {
        self.modified + self.added + self.deleted + self.renamed + self.unmerged
    }
}

/// Lines that differ from the commit, in tracked files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// Lines more.
    pub added: u64,
    /// Lines less.
    pub deleted: u64,
}

impl Git {
    /// What is changed in the checkout that a directory is in.
    ///
    /// # Errors
    ///
    /// When the directory is in no checkout.
    pub fn status(&self, directory: &Path) -> Result<Status> {
        let repository = self.repository(directory)?;
        let output = self
            .reading(checkout(&repository)?, "status")
            .args(["--porcelain=v2", "-z", "--branch", "--untracked-files=normal"])
            .output()?;
        Ok(parse(&output))
    }

    /// How the checkout that a directory is in stands, for the row of an agent.
    ///
    /// # Errors
    ///
    /// When the directory is in no checkout.
    pub fn standing(&self, directory: &Path) -> Result<Standing> {
        let status = self.status(directory)?;
        let operation = operation(&self.repository(directory)?.git_dir);
        Ok(Standing {
            changed: status.changed(),
            untracked: status.untracked,
            unmerged: status.unmerged,
            branch: status.branch,
            upstream: status.upstream,
            ahead_behind: status.ahead_behind,
            operation,
        })
    }

    /// How many lines differ from the commit; nothing before the first commit.
    ///
    /// # Errors
    ///
    /// When the directory is in no checkout.
    pub fn changed_lines(&self, directory: &Path) -> Result<Lines> {
        let repository = self.repository(directory)?;
        if repository.head.is_none() {
            return Ok(Lines::default());
        }
        let output = self
            .reading(checkout(&repository)?, "diff")
            .args([
                "--no-ext-diff",
                "--no-textconv",
                "--no-renames",
                "--numstat",
                "-z",
                "HEAD",
                "--",
            ])
            .output()?;
        Ok(parse_lines(&output))
    }
}

/// What was begun and not finished in a checkout, by the files that git keeps of it (`wt-status.c`).
fn operation(git_dir: &Path) -> Option<Operation> {
    let number = |file: &str| -> Option<u32> {
        std::fs::read_to_string(git_dir.join(file)).ok()?.trim().parse().ok()
    };
    let steps = |at: &str, all: &str| number(at).zip(number(all));
    let has = |name: &str| git_dir.join(name).exists();
    let (kind, step) = if has("rebase-merge") {
        (OperationKind::Rebase, steps("rebase-merge/msgnum", "rebase-merge/end"))
    } else if has("rebase-apply") {
        let is_am = has("rebase-apply/applying");
        let kind = if is_am { OperationKind::Am } else { OperationKind::Rebase };
        (kind, steps("rebase-apply/next", "rebase-apply/last"))
    } else if has("MERGE_HEAD") {
        (OperationKind::Merge, None)
    } else if has("CHERRY_PICK_HEAD") {
        (OperationKind::CherryPick, None)
    } else if has("REVERT_HEAD") {
        (OperationKind::Revert, None)
    } else if has("BISECT_LOG") {
        (OperationKind::Bisect, None)
    } else {
        return None;
    };
    Some(Operation { kind, step })
}

/// Reads `git status --porcelain=v2 -z --branch`. Words of a newer git are skipped.
fn parse(output: &[u8]) -> Status {
    let mut status = Status::default();
    let mut records = output.split(|byte| *byte == 0);
    while let Some(record) = records.next() {
        match record.first() {
            Some(b'#') => header(&mut status, &String::from_utf8_lossy(record)),
            Some(b'1') => count(&mut status, record),
            Some(b'2') => {
                status.renamed += 1;
                // The old name is a record of its own.
                let _ = records.next();
            }
            Some(b'u') => status.unmerged += 1,
            Some(b'?') => status.untracked += 1,
            _ => {}
        }
    }
    status
}

fn header(status: &mut Status, line: &str) {
    let mut words = line.split(' ').skip(1);
    let (Some(name), Some(value)) = (words.next(), words.next()) else { return };
    let value_or_none = |none: &str| (value != none).then(|| value.to_owned());
    match name {
        "branch.oid" => status.head = value_or_none("(initial)"),
        "branch.head" => status.branch = value_or_none("(detached)"),
        "branch.upstream" => status.upstream = Some(value.to_owned()),
        "branch.ab" => {
            let ahead = value.strip_prefix('+').and_then(|count| count.parse().ok());
            let behind = words
                .next()
                .and_then(|word| word.strip_prefix('-'))
                .and_then(|count| count.parse().ok());
            status.ahead_behind = ahead.zip(behind);
        }
        _ => {}
    }
}

/// `1 XY …`: X against the commit, Y against the index.
fn count(status: &mut Status, record: &[u8]) {
    let (Some(index), Some(disk)) = (record.get(2), record.get(3)) else { return };
    match (index, disk) {
        (_, b'D') | (b'D', _) => status.deleted += 1,
        (b'A', _) | (_, b'A') => status.added += 1,
        _ => status.modified += 1,
    }
}

/// Reads `git diff --numstat -z`; a binary file has dashes for numbers.
fn parse_lines(output: &[u8]) -> Lines {
    let mut lines = Lines::default();
    for record in output.split(|byte| *byte == 0) {
        let text = String::from_utf8_lossy(record);
        let mut fields = text.split('\t');
        let mut number = || fields.next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        lines.added += number();
        lines.deleted += number();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_counted_by_file() {
        let text = b"# branch.oid 12ab\0# branch.head f/x\0# branch.upstream origin/f/x\0\
            # branch.ab +2 -13\0\
            1 .M N... 100644 100644 100644 a b with space\nand line\0\
            1 A. N... 0 1 1 a b new\0\
            1 D. N... 0 1 1 a b gone\0\
            2 R. N... 1 1 1 a b R100 to\0? from\0\
            u UU N... 1 1 1 1 a b c conflict\0\
            ? untracked\0? dir/\0! ignored\0";
        let expected = Status {
            branch: Some("f/x".into()),
            head: Some("12ab".into()),
            upstream: Some("origin/f/x".into()),
            ahead_behind: Some((2, 13)),
            modified: 1,
            added: 1,
            deleted: 1,
            renamed: 1,
            unmerged: 1,
            untracked: 2,
        };
        assert_eq!(parse(text), expected);
    }

    #[test]
    fn odd_status_lines_are_skipped() {
        assert_eq!(parse(b""), Status::default());
        assert_eq!(parse(b"#\0# branch.ab\0# branch.ab x y\x001\x001 \0\xff\0"), Status::default());
        let status = parse(b"# branch.oid (initial)\0# branch.head (detached)\0");
        assert_eq!((status.head, status.branch), (None, None));
    }

    #[test]
    fn lines_are_summed_and_binaries_skipped() {
        let lines = parse_lines(b"3\t1\ta file\n\0-\t-\tpicture\x0010\t0\tb\0");
        assert_eq!(lines, Lines { added: 13, deleted: 1 });
        assert_eq!(parse_lines(b"garbage\0\xff\t\0"), Lines::default());
    }
}
