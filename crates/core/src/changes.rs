//! What is different in a checkout: files, their hunks and lines, what can be done with them, and the
//! history they belong to.
//!
//! A difference is looked at from the outside in: first the list of files ([`Ask::List`]), then the lines
//! of one file and only as many as are shown ([`Ask::Lines`]). Whatever is asked for has a bound, so that a
//! change of a million lines costs as much as one of a thousand.

mod name;
pub mod patch;

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::name::Name;
use crate::diff::Kind;
use crate::id::RunId;

/// The most files of one list.
pub const MAX_FILES: usize = 20_000;
/// The most lines that are given at once.
pub const MAX_LINES: u32 = 5_000;
/// The most bytes of one line that are given.
pub const MAX_LINE: usize = 2_000;
/// The most hunks of one file that are given.
pub const MAX_HUNKS: usize = 20_000;
/// The most bytes of one side of a file that are given as they are, for pictures.
pub const MAX_BLOB: usize = 16 << 20;
/// The most files that are named in one order.
pub const MAX_PICKS: usize = 20_000;
/// The most lines around a change that can be asked for.
pub const MAX_CONTEXT: u32 = 100_000;
/// The most entries of a log that are given at once.
pub const MAX_LOG: usize = 1_000;
/// The most lines whose origin is told at once.
pub const MAX_BLAME: u32 = 2_000;

/// What is held against what.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// What the files have and the index does not; untracked and conflicted files included.
    WorkingTree,
    /// What the index has and the commit does not.
    Staged,
    /// Everything since the checkout's work parted from a branch or revision, what is not committed
    /// included; without a name, from the branch it was made from as far as that can be told: the one it
    /// follows under another name, otherwise the main checkout's, otherwise the remote's default.
    Base(Option<String>),
    /// What a commit changed against its first parent.
    Commit(String),
    /// What a task of a run changed; until it is over, what it changed so far.
    Task {
        /// The run.
        run: RunId,
        /// The task, counted from 0.
        task: u32,
    },
}

/// How lines are looked at. Hunks are the same only under the same look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Look {
    /// Lines around each change that did not change; at most [`MAX_CONTEXT`].
    pub context: u32,
    /// Whether changes of nothing but white space are left out. Hunks can not be staged then.
    pub ignore_blanks: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { context: 3, ignore_blanks: false }
    }
}

/// Something that is asked about changes, or is to be done with them. `directory` is any directory of the
/// checkout; files are named relative to the checkout's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// The files that differ: [`Answer::List`].
    List {
        /// Where.
        directory: PathBuf,
        /// What is held against what.
        source: Source,
        /// Only these files and folders; all when empty.
        paths: Vec<Name>,
    },
    /// Lines of one file: [`Answer::Lines`].
    Lines {
        /// Where.
        directory: PathBuf,
        /// What is held against what.
        source: Source,
        /// The file, under its new name.
        file: Name,
        /// How.
        look: Look,
        /// Which lines, counted from the first of the first hunk; at most [`MAX_LINES`] are given.
        lines: Range<u32>,
    },
    /// Both sides of one file as they are: [`Answer::Blobs`].
    Blobs {
        /// Where.
        directory: PathBuf,
        /// What is held against what.
        source: Source,
        /// The file, under its new name.
        file: Name,
    },
    /// Stages, unstages or discards: [`Answer::Done`] or [`Answer::Discarded`].
    Change {
        /// Where.
        directory: PathBuf,
        /// What.
        deed: Deed,
        /// With what; nothing is done unless all of it can be.
        picks: Vec<Pick>,
        /// The look under which the hunks were shown.
        look: Look,
    },
    /// Puts back what was discarded: [`Answer::Done`]. Refused where a file was changed since, in a way
    /// that does not fit together.
    Undo {
        /// Where.
        directory: PathBuf,
        /// Which; the latest when absent.
        discard: Option<String>,
    },
    /// What was discarded and can be put back, the latest first: [`Answer::Discards`].
    Discards {
        /// Where.
        directory: PathBuf,
    },
    /// Commits, the newest first: [`Answer::Log`].
    Log {
        /// Where.
        directory: PathBuf,
        /// Which.
        query: LogQuery,
    },
    /// Where lines of a file come from: [`Answer::Blame`].
    Blame {
        /// Where.
        directory: PathBuf,
        /// The file.
        file: Name,
        /// As of this commit; what is in the checkout when absent.
        at: Option<String>,
        /// Which lines, counted from 1; at most [`MAX_BLAME`].
        lines: Range<u32>,
    },
    /// The branches: [`Answer::Branches`].
    Branches {
        /// Where.
        directory: PathBuf,
    },
    /// Checks a branch out: [`Answer::Synced`]. Refused where something would be lost.
    Switch {
        /// Where.
        directory: PathBuf,
        /// The branch.
        branch: String,
        /// Make it here first, at this commit (the current one when empty).
        from: Option<String>,
    },
    /// Fetches, pulls or pushes: [`Answer::Synced`]. What git prints comes as it is printed, as
    /// [`Heard`], to everybody, under `token`.
    Sync {
        /// Where.
        directory: PathBuf,
        /// What.
        sync: Sync,
        /// Chosen by the asker, to know its own.
        token: u64,
    },
    /// Ends a [`Ask::Sync`] that is under way: [`Answer::Done`].
    Cancel {
        /// Its token.
        token: u64,
    },
    /// The programs that the repository's own configuration names and that only run once the user agreed
    /// to them: [`Answer::Programs`].
    Programs {
        /// Where.
        directory: PathBuf,
    },
    /// Agrees to those programs, exactly as they are now; `false` takes it back: [`Answer::Programs`].
    TrustPrograms {
        /// Where.
        directory: PathBuf,
        /// What [`Programs::hash`] was when they were shown.
        hash: String,
        /// Whether they may run.
        trust: bool,
    },
}

/// What came of an [`Ask`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// Files.
    List(Box<Listing>),
    /// Lines of a file.
    Lines(Box<FileLines>),
    /// Both sides of a file.
    Blobs(Blobs),
    /// It is discarded and can be put back.
    Discarded(Discard),
    /// What was discarded.
    Discards(Vec<Discard>),
    /// Commits.
    Log(Box<Log>),
    /// Where lines come from.
    Blame(Vec<Origin>),
    /// Branches.
    Branches(Box<Branches>),
    /// How git and the remote took it.
    Synced(Synced),
    /// Programs of the repository.
    Programs(Programs),
}

/// The files that differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Root of the checkout.
    pub checkout: PathBuf,
    /// The branch checked out; `None` when detached.
    pub branch: Option<String>,
    /// The commit checked out, in full; `None` before the first one.
    pub head: Option<String>,
    /// What the left side is, for people: `index`, `main~3`, a short commit.
    pub from: String,
    /// What the right side is.
    pub to: String,
    /// By path, as git sorts them.
    pub files: Vec<File>,
    /// Files in all, where there are more than are listed.
    pub total: u32,
    /// Something that is half done there: a merge, a rebase, a cherry-pick, a revert, a bisection.
    pub under_way: Option<String>,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name, the new one where it was renamed.
    pub name: Name,
    /// What it was called before, where it was renamed or copied.
    pub old_name: Option<Name>,
    /// What happened to it.
    pub status: Status,
    /// What it was.
    pub before: Entry,
    /// What it is.
    pub after: Entry,
    /// Lines that came; `None` where they are not counted: no text, or too large.
    pub added: Option<u32>,
    /// Lines that went.
    pub removed: Option<u32>,
}

impl File {
    /// Whether lines of it can be shown.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.added.is_some()
    }
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is new.
    Added,
    /// It is new and git does not know it yet.
    Untracked,
    /// It is gone.
    Deleted,
    /// It has other content, or other permissions.
    Modified,
    /// It has another name.
    Renamed,
    /// It is a copy.
    Copied,
    /// It is something else now: a link that was a file, a folder that is a submodule.
    TypeChanged,
    /// A merge left it with conflicts.
    Conflicted,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Bytes, where known: of a link those of its target.
    pub size: Option<u64>,
    /// The object's name in full, where it is one: of a submodule, its commit.
    pub id: Option<String>,
}

/// What can be at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Nothing.
    Nothing,
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A symbolic link.
    Link,
    /// A repository of its own.
    Submodule,
}

/// Lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLines {
    /// The file as in the list; its sizes are not filled in.
    pub file: File,
    /// How it is shown, or why it is not.
    pub body: Body,
    /// All hunks of the file, whichever lines were asked for.
    pub hunks: Vec<Hunk>,
    /// The lines that were asked for, as far as there are any.
    pub lines: Vec<Line>,
    /// The number of the first of them.
    pub first: u32,
    /// Lines in all.
    pub total: u32,
    /// Whether the file has more than is looked at: the end is missing.
    pub is_cut: bool,
}

/// What a file's difference consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Lines.
    Text,
    /// Bytes that are no text; [`Ask::Blobs`] has them.
    Binary,
    /// Nothing but a name or permissions.
    Same,
    /// The commit of a submodule, one line each.
    Submodule,
}

/// A part of a file that differs, with the lines around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// Says which it is, as long as it stays the same.
    pub id: u64,
    /// Its first line in the file from before, counted from 1.
    pub old: u32,
    /// How many lines it has there.
    pub old_lines: u32,
    /// Its first line in the file as it is.
    pub new: u32,
    /// How many lines it has there.
    pub new_lines: u32,
    /// What it is in, for people: the function's first line.
    pub about: String,
    /// Where its lines begin among all lines of the file's hunks.
    pub at: u32,
    /// How many they are.
    pub len: u32,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What happened to it; never [`Kind::Gap`].
    pub kind: Kind,
    /// Its number in the file from before, counted from 1; `None` where it is new.
    pub old: Option<u32>,
    /// Its number in the file as it is; `None` where it is gone.
    pub new: Option<u32>,
    /// The line, without its end; what is not UTF-8 is replaced, and what is longer than [`MAX_LINE`] cut.
    pub text: String,
    /// Byte ranges of `text` that differ from the line it was or became.
    pub marks: Vec<Range<u32>>,
    /// How it ends, where that is not a mere line feed.
    pub end: LineEnd,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    /// With a line feed.
    #[default]
    Lf,
    /// With a carriage return before it.
    CrLf,
    /// Not at all: the file ends.
    Nothing,
    /// It goes on, but is too long to be shown.
    Cut,
}

/// Both sides of a file, at most [`MAX_BLOB`] bytes each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blobs {
    /// What it was; `None` where there was nothing, or it is too large.
    pub before: Option<Vec<u8>>,
    /// What it is.
    pub after: Option<Vec<u8>>,
    /// Whether one of them is too large.
    pub is_cut: bool,
}

/// What can be done with changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Takes changes of files into the index.
    Stage,
    /// Takes changes of the index back out of it. The files stay as they are.
    Unstage,
    /// Puts files back to what the index has; of untracked ones, removes them. What they were is kept.
    Discard,
}

/// A file, or hunks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// The file, under its new name.
    pub file: Name,
    /// The hunks, by [`Hunk::id`]; the whole file when absent.
    pub hunks: Option<Vec<u64>>,
}

/// Something that was discarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discard {
    /// Which it is.
    pub id: String,
    /// When: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The files.
    pub files: Vec<Name>,
}

/// Which commits are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct LogQuery {
    /// Branches, tags and commits from which it goes back; where nothing is named, the checkout's head.
    pub from: Vec<String>,
    /// From every branch, local and remote, and every tag.
    pub all: bool,
    /// Words that message, author or commit id have to have, all of them, whatever their case.
    pub words: String,
    /// Only what changed these.
    pub paths: Vec<Name>,
    /// How many are passed over.
    pub skip: u32,
    /// How many are wanted; at most [`MAX_LOG`].
    pub count: u32,
}

/// Commits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Log {
    /// The newest first; a parent never before its child.
    pub commits: Vec<Commit>,
    /// Whether there are more.
    pub more: bool,
    /// One for each commit: how the graph is drawn, where nothing was searched for.
    pub graph: Vec<crate::log::Row>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its id, in full.
    pub id: String,
    /// Its parents' ids, in full.
    pub parents: Vec<String>,
    /// Who wrote it.
    pub author: String,
    /// The writer's address.
    pub email: String,
    /// When it was written: milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The first line of its message.
    pub title: String,
    /// The rest, bounded.
    pub body: String,
    /// Branches and tags that are there: `main`, `origin/main`, `tag: v1`, `HEAD`.
    pub names: Vec<String>,
}

/// Where lines of a file come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The first of them, counted from 1.
    pub line: u32,
    /// How many.
    pub count: u32,
    /// The commit, in full; `None` where they are not committed.
    pub commit: Option<String>,
    /// Who wrote it.
    pub author: String,
    /// When: milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The first line of its message.
    pub title: String,
    /// What the file was called there.
    pub file: Name,
    /// The number of the first of the lines there.
    pub was_line: u32,
    /// The commit before it that had the file, where there is one.
    pub previous: Option<String>,
}

/// The branches of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Branches {
    /// The one that is checked out here; `None` when detached.
    pub current: Option<String>,
    /// All, the most recently committed first, local ones before those of remotes.
    pub branches: Vec<Branch>,
    /// Whether there are more.
    pub more: bool,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its name: `main`, `origin/main`.
    pub name: String,
    /// Whether it is a remote's.
    pub is_remote: bool,
    /// The commit it is at, in full.
    pub commit: String,
    /// The first line of that commit's message.
    pub title: String,
    /// When that was committed: milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The branch it follows.
    pub upstream: Option<String>,
    /// Whether that is gone.
    pub is_upstream_gone: bool,
    /// Commits that the followed branch lacks and that it has more.
    pub ahead_behind: Option<(u32, u32)>,
    /// The worktree that has it checked out.
    pub worktree: Option<PathBuf>,
}

/// What is done with a remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sync {
    /// Fetches from the remote that the branch follows, or from all.
    Fetch {
        /// From all remotes.
        all: bool,
    },
    /// Fetches and brings the branch forward, as the user's git does it.
    Pull {
        /// How two lines of work become one.
        how: Pull,
    },
    /// Pushes the branch to the one it follows.
    Push {
        /// Follow a branch of the same name there from now on.
        set_upstream: bool,
        /// Overwrite what is there, if it still is what was last seen of it.
        force: bool,
    },
}

/// How a pull brings two lines of work together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// Not at all: only where there is nothing to bring together.
    #[default]
    FastForward,
    /// By a merge.
    Merge,
    /// By putting the own commits on top.
    Rebase,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// What git printed, bounded, without anything a terminal would obey.
    pub output: String,
    /// What went wrong; `None` when it is done.
    pub failure: Option<Failure>,
}

/// What went wrong, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What.
    pub kind: FailureKind,
    /// A sentence that says so and what to do.
    pub text: String,
    /// What can be tried instead, at the press of a key.
    pub ways: Vec<Way>,
}

/// A way out of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What it does, for people: `Pull with a rebase`.
    pub title: String,
    /// What is asked for.
    pub sync: Sync,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The remote wants to know who one is, or does not let one in.
    Auth,
    /// The host's key is not known, or another one.
    HostKey,
    /// The remote has commits that one does not.
    NotFastForward,
    /// The remote changed since it was last looked at.
    Stale,
    /// Both sides have commits of their own.
    Diverged,
    /// The branch follows none.
    NoUpstream,
    /// The branch it follows is gone.
    UpstreamGone,
    /// There is no remote.
    NoRemote,
    /// There is no such repository, or one may not see it.
    NoRepository,
    /// The remote cannot be reached.
    Network,
    /// A hook of one's own refused.
    Hook,
    /// The remote refused: a protected branch, a hook there.
    Refused,
    /// Files that are not committed are in the way.
    InTheWay,
    /// A merge or rebase stopped at conflicts.
    Conflicts,
    /// Something else is half done there.
    UnderWay,
    /// No branch is checked out.
    Detached,
    /// It was ended.
    Cancelled,
    /// Anything else; the sentence has git's words.
    Other,
}

/// Words that git printed while a [`Ask::Sync`] is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Whose.
    pub token: u64,
    /// A line, without its end.
    pub line: String,
    /// Whether it takes the place of the line before it: progress.
    pub replaces: bool,
}

/// Programs that a repository's own configuration names, and that looking at it would run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Programs {
    /// They, in order.
    pub programs: Vec<Program>,
    /// Stands for all of them; empty where there is none.
    pub hash: String,
    /// Whether the user agreed to exactly these.
    pub is_trusted: bool,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The setting: `filter.lfs.clean`.
    pub key: String,
    /// The command.
    pub command: String,
    /// The file that says so.
    pub file: PathBuf,
}
