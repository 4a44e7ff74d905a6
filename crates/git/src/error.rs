//! Refusals and failures, in sentences a person can act on.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::process::Version;

/// Why git refused or failed. Cheap to clone, so that it travels in messages.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No `git` in the environment's `PATH`.
    #[error("git is not installed, or not in PATH; install it (Debian: apt install git).")]
    GitMissing,
    /// The user's git is too old.
    #[error("git {found} is too old: {feature} needs git {needed} or newer.")]
    GitTooOld {
        /// What is installed.
        found: Version,
        /// What is needed.
        needed: Version,
        /// What for.
        feature: &'static str,
    },
    /// The directory does not exist or cannot be entered.
    #[error("the folder {} cannot be opened: {source}.", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The directory is in no repository.
    #[error(
        "{} is not in a git repository; choose a folder of one, or run `git init` there.",
        path.display()
    )]
    NotARepository {
        /// The directory.
        path: PathBuf,
    },
    /// Git does not trust the repository because it belongs to another user.
    #[error("the repository at {} belongs to another user, so git refuses to use it. If you trust it, \
             run: git config --global --add safe.directory {}", path.display(), path.display())]
    NotOwned {
        /// The directory.
        path: PathBuf,
    },
    /// A bare repository has no files to work with.
    #[error("{} is a bare repository without a checkout; use one of its worktrees.", path.display())]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// There is nothing yet that a branch could start from.
    #[error(
        "the repository {} has no commits yet, so there is nothing a worktree could start from; \
         commit something first.", path.display()
    )]
    NoCommits {
        /// The repository.
        path: PathBuf,
    },
    /// Git does not allow the name.
    #[error("`{name}` cannot be a branch's name: {reason}.")]
    InvalidName {
        /// The name.
        name: String,
        /// Why, as far as it can be told.
        reason: &'static str,
    },
    /// A new branch was asked for, but there is one of that name.
    #[error("there is already a branch `{name}`{}; open it as an existing branch, or choose another \
             name.", at(checked_out.as_ref()))]
    BranchExists {
        /// The branch.
        name: String,
        /// The worktree that has it checked out, if one has.
        checked_out: Option<PathBuf>,
    },
    /// Git keeps branches like files: `a` and `a/b` cannot both exist.
    #[error(
        "a branch `{name}` cannot exist beside the branch `{other}`: one name is a folder of the \
             other. Choose another name."
    )]
    BranchClash {
        /// The wanted name.
        name: String,
        /// The branch in the way.
        other: String,
    },
    /// No local branch and no remote has it.
    #[error(
        "there is no branch `{name}`, neither here nor known from a remote.{}",
        did_you_mean(near)
    )]
    BranchUnknown {
        /// The name.
        name: String,
        /// Branches with similar names, the nearest first; at most three.
        near: Vec<String>,
    },
    /// More than one remote has it.
    #[error("several remotes have a branch `{name}`; say which one: {}.", candidates.join(", "))]
    BranchAmbiguous {
        /// The name.
        name: String,
        /// Remote-tracking branches of that name.
        candidates: Vec<String>,
    },
    /// The branch is checked out in another worktree.
    #[error("the branch `{branch}` is already checked out in {}; open an agent there, or choose another \
             branch.{}", path.display(), gone(*missing, path))]
    BranchInUse {
        /// The branch.
        branch: String,
        /// The worktree that has it.
        path: PathBuf,
        /// Whether that worktree's folder is gone.
        missing: bool,
    },
    /// What a new branch should start from does not exist.
    #[error("`{base}` is no branch, tag or commit of this repository; choose another base.")]
    BaseUnknown {
        /// What was given.
        base: String,
    },
    /// A worktree's path must not depend on where the program happens to run.
    #[error("{} is not an absolute path.", path.display())]
    PathNotAbsolute {
        /// The path.
        path: PathBuf,
    },
    /// It was ended because somebody asked for that.
    #[error("git {command} was stopped.")]
    Stopped {
        /// The command.
        command: String,
    },
    /// The worktree is not one whose files are still to come.
    #[error("{} waits for no files: its git index is its own by now.", path.display())]
    NotFilling {
        /// The worktree.
        path: PathBuf,
    },
    /// Files of a new worktree could not be written.
    #[error("{missing} of {total} files could not be written into {}: {message}. Make room or mend that, then \
             run `maestro worktree fill` there, or remove the worktree.", path.display())]
    Unfilled {
        /// The worktree.
        path: PathBuf,
        /// Files that are missing.
        missing: u64,
        /// All its files.
        total: u64,
        /// What git said.
        message: String,
    },
    /// The target has something in it.
    #[error("{} exists and is not an empty folder; nothing there was changed. Choose another place.",
            path.display())]
    TargetNotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The target lies in another worktree of the repository.
    #[error("{} is inside the checkout {}, whose files it would mix with; choose a place outside.",
            path.display(), worktree.display())]
    InsideWorktree {
        /// The target.
        path: PathBuf,
        /// The worktree.
        worktree: PathBuf,
    },
    /// Git remembers a worktree at that place whose folder is gone.
    #[error("git still remembers a worktree at {} whose folder is gone. If it will not come back (an \
             unmounted disk?), run `git worktree prune` in the repository; otherwise choose another \
             place.", path.display())]
    TargetRegistered {
        /// The target.
        path: PathBuf,
    },
    /// A folder for the worktree could not be made.
    #[error("the folder {} cannot be made: {source}.", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// A commit needs a message.
    #[error("a commit needs a message.")]
    EmptyMessage,
    /// A hook, or git itself, does not take the commit. Whoever made the changes can mend that.
    #[error("the commit was refused:\n{words}")]
    CommitRefused {
        /// What git and the hooks printed, line by line, bounded, control characters stripped.
        words: String,
    },
    /// Git does not know in whose name to commit.
    #[error(
        "git does not know who you are, so nothing can be committed; run `git config --global \
             user.name \"Your Name\"` and `git config --global user.email you@example.org`."
    )]
    NoIdentity,
    /// Something in the checkout is only half done.
    #[error("a {what} is under way in {}; finish or abort it first.", path.display())]
    UnderWay {
        /// The checkout.
        path: PathBuf,
        /// A merge, a rebase.
        what: &'static str,
    },
    /// A file that is named is not there, or not in the checkout.
    #[error("{name} is no file of this checkout that differs; look again.")]
    NoSuchFile {
        /// What was named.
        name: String,
    },
    /// A file on the disk cannot be read.
    #[error("{} cannot be read: {source}.", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// What was looked at is not there any more in that form.
    #[error("{name} was changed since it was looked at; nothing was done. Look again.")]
    ChangedMeanwhile {
        /// The file.
        name: String,
    },
    /// A program of the repository's would be needed that the user has not agreed to.
    #[error("the repository's own configuration names a program in `{key}`, and without it files would \
             not be what they are; look at it with `maestro trust {}` and agree to it.", directory.display())]
    Untrusted {
        /// The setting.
        key: String,
        /// Where.
        directory: PathBuf,
    },
    /// There is nothing to be put back.
    #[error("nothing was discarded here that could be put back.")]
    NoDiscard,
    /// It cannot be done with this file.
    #[error("{name} {because}; nothing was done.")]
    CannotChange {
        /// The file.
        name: String,
        /// Why, and what to do instead.
        because: String,
    },
    /// The name of something on disk is not Unicode, which Maestro needs.
    #[error("the path {} is not Unicode, which Maestro needs; rename it.", path.display())]
    NotUnicode {
        /// The path.
        path: PathBuf,
    },
    /// Git took longer than allowed and was ended.
    #[error("`git {command}` did not finish within {} seconds and was ended.", after.as_secs())]
    TimedOut {
        /// The subcommand.
        command: String,
        /// The limit.
        after: Duration,
    },
    /// Git printed more than any sensible answer.
    #[error("`git {command}` printed more than {limit} bytes and was ended.")]
    TooMuch {
        /// The subcommand.
        command: String,
        /// The limit.
        limit: usize,
    },
    /// Git could not be started, or the exchange with it broke.
    #[error("`git {command}` could not be run: {source}.")]
    Process {
        /// The subcommand.
        command: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// Git failed for a reason of its own; its words are kept.
    #[error("`git {command}` failed: {message}")]
    Git {
        /// The subcommand.
        command: String,
        /// The exit code; `None` for a signal.
        code: Option<i32>,
        /// The end of what it printed on stderr, control characters stripped.
        message: String,
    },
}

fn at(path: Option<&PathBuf>) -> String {
    path.map_or_else(String::new, |path| format!(", checked out in {}", path.display()))
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() {
        return " Fetch first if a remote has it.".into();
    }
    let names: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
    format!(" Did you mean {}?", names.join(" or "))
}

fn gone(missing: bool, path: &std::path::Path) -> String {
    if !missing {
        return String::new();
    }
    format!(
        " The folder {} is gone: if it will not come back, `git worktree prune` frees the branch.",
        path.display()
    )
}
