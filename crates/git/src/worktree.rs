//! Worktrees: which there are, and making one.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError};

use crate::branch::Branches;
use crate::error::Error;
use crate::process::Version;
use crate::repository::{self, Repository};
use crate::{Git, Result};

/// Since when `worktree list` can separate by NUL: before, a path with a line break is misread.
const LISTS_BY_NUL: Version = Version { major: 2, minor: 36 };

/// Longest folder name made from a branch, in characters: build tools put long paths behind it.
const LONGEST_SLUG: usize = 60;

/// The lock reason git itself uses while it makes a worktree.
pub(crate) const BEING_MADE: &str = "initializing";

/// One worktree of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Its directory.
    pub path: PathBuf,
    /// Its branch; `None` when detached or bare.
    pub branch: Option<String>,
    /// The commit it is at, in full; `None` when its branch has none yet, or when bare.
    pub head: Option<String>,
    /// Whether it is the repository's main checkout.
    pub main: bool,
    /// Whether it is the main entry of a bare repository, which has no files.
    pub bare: bool,
    /// Locked, with the reason, which may be empty.
    pub locked: Option<String>,
    /// Whether its directory is gone.
    pub missing: bool,
    /// Why git would forget it, in git's words.
    pub prunable: Option<String>,
}

/// A worktree that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorktree {
    /// Any directory in the repository.
    pub repository: PathBuf,
    /// What to check out.
    pub branch: Branch,
    /// Exactly where to put it; chosen by `place` when absent.
    pub path: Option<PathBuf>,
    /// Where worktrees go when no path is given.
    pub place: Place,
}

/// What a new worktree checks out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Branch {
    /// A new branch, from a base (the current commit of the directory asked from, when absent).
    New {
        /// Its name.
        name: String,
        /// Branch, tag or commit to start from.
        base: Option<String>,
    },
    /// An existing local branch, or one that a remote has (`topic` or `origin/topic`): that gets a
    /// local branch which follows it.
    Existing(String),
}

/// Where worktrees go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// In a folder `<repository>-worktrees` beside the repository: the same disk, out of the way of its
    /// build tools, and not shared with other repositories.
    #[default]
    Beside,
    /// In this folder.
    Under(PathBuf),
}

/// A worktree that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The worktree.
    pub worktree: Worktree,
    /// What went wrong although the worktree is complete (a failing `post-checkout` hook): a sentence
    /// for the user.
    pub notice: Option<String>,
}

impl Git {
    /// The worktrees of the repository that a directory is in, the main checkout first.
    ///
    /// # Errors
    ///
    /// When the directory is in no repository.
    pub fn worktrees(&self, directory: &Path) -> Result<Vec<Worktree>> {
        let repository = self.repository(directory)?;
        self.listed(&repository)
    }

    /// Mends the links between a repository and its worktrees: those that were moved by hand are found by
    /// `moved`, where they are now, and all of them when the repository itself was moved.
    ///
    /// # Errors
    ///
    /// When the directory is in no repository, or git finds no worktree at one of the places.
    pub fn repair_worktrees(&self, directory: &Path, moved: &[PathBuf]) -> Result<()> {
        let repository = self.repository(directory)?;
        let mut call = self.owning(&repository.root, "worktree").args(["repair", "--"]);
        for path in moved {
            call = call.arg(absolute(path)?);
        }
        call.output().map(drop)
    }

    /// Where a worktree is now, by its git directory; `None` when git does not know it any more.
    #[must_use]
    pub fn worktree_at(&self, git_dir: &Path) -> Option<PathBuf> {
        let link = fs::read(git_dir.join("gitdir")).ok()?;
        let link = link.strip_suffix(b"\n").unwrap_or(&link);
        let link = repository::path(link).ok()?;
        // Newer versions of git may have it from there on.
        let link = if link.is_absolute() { link } else { git_dir.join(link) };
        let path = link.parent()?;
        Some(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }

    /// Makes a worktree. What stands in the way is named precisely and left alone; after a failure
    /// everything is as it was before.
    ///
    /// # Errors
    ///
    /// Every reason why it cannot be made is a variant of [`Error`].
    pub fn add_worktree(&self, wanted: &NewWorktree) -> Result<Added> {
        self.added(wanted, false)
    }

    /// The same; with `behind` without files where that can be done.
    pub(crate) fn added(&self, wanted: &NewWorktree, behind: bool) -> Result<Added> {
        let _ = self.version()?;
        let repository = self.repository(&wanted.repository)?;
        let turn = {
            let mut adding = self.shared.adding.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(adding.entry(repository.common_dir.clone()).or_default())
        };
        let _alone = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if !repository.has_commits {
            return Err(Error::NoCommits { path: repository.root });
        }
        let worktrees = self.listed(&repository)?;
        let start = self.start(wanted, &repository, &worktrees)?;
        let target = match &wanted.path {
            Some(path) => {
                let target = absolute(path)?;
                refuse_target(&target, &worktrees)?;
                target
            }
            None => {
                let target = free_place(&wanted.place, &repository, start.branch(), &worktrees)?;
                refuse_target(&target, &worktrees)?;
                target
            }
        };
        self.make(&repository, &start, &target, behind && self.can_fill(&repository)?)
    }

    pub(crate) fn listed(&self, repository: &Repository) -> Result<Vec<Worktree>> {
        let by_nul = self.version()? >= LISTS_BY_NUL;
        let call = self.reading(&repository.common_dir, "worktree").args(["list", "--porcelain"]);
        let output = if by_nul { call.arg("-z").output()? } else { call.output()? };
        let end = if by_nul { b'\0' } else { b'\n' };
        let mut worktrees = parse(&output, end)?;
        for worktree in &mut worktrees {
            worktree.missing = worktree.missing || !worktree.path.exists();
            // Git takes the parent of a separate git directory for the main checkout.
            if worktree.main {
                worktree.path.clone_from(&repository.root);
                worktree.missing = !repository.root.exists();
            }
        }
        Ok(worktrees)
    }

    /// Decides what is checked out, and refuses what cannot be.
    fn start(
        &self,
        wanted: &NewWorktree,
        repository: &Repository,
        worktrees: &[Worktree],
    ) -> Result<Start> {
        let branches = self.branches(&wanted.repository)?;
        match &wanted.branch {
            Branch::New { name, base } => {
                self.check_branch_name(name)?;
                refuse_taken(name, &branches, worktrees)?;
                let commit = self.base(&wanted.repository, repository, base.as_deref())?;
                Ok(Start::New { name: name.clone(), commit })
            }
            Branch::Existing(name) => {
                let start = existing(name, &branches)?;
                if let Some(holder) = holder(start.branch(), worktrees) {
                    return Err(Error::BranchInUse {
                        branch: start.branch().to_owned(),
                        path: holder.path.clone(),
                        missing: holder.missing,
                    });
                }
                Ok(start)
            }
        }
    }

    fn base(&self, from: &Path, repository: &Repository, base: Option<&str>) -> Result<String> {
        let Some(base) = base else {
            return repository.head.clone().ok_or_else(|| Error::BaseUnknown {
                base: repository.branch.clone().unwrap_or_else(|| "HEAD".into()),
            });
        };
        self.commit(from, base)
    }

    fn make(
        &self,
        repository: &Repository,
        start: &Start,
        target: &Path,
        behind: bool,
    ) -> Result<Added> {
        let undo = Undo::prepare(target)?;
        let branch = match self.make_branch(repository, start) {
            Ok(branch) => branch,
            Err(error) => {
                undo.folders();
                return Err(error);
            }
        };
        // With a leading dash a relative path could be taken for an option; ours is absolute, and `--`
        // stands before it all the same.
        let made = self
            .writing(&repository.root, "worktree")
            .args(["add", "--quiet"])
            .args(behind.then_some("--no-checkout"))
            .arg("--")
            .arg(target)
            .arg(start.branch())
            .output();
        let added = self.find(repository, target, start.branch())?;
        match (added, made) {
            (Some(worktree), Ok(_)) => Ok(Added { worktree, notice: None }),
            // The worktree is complete, so what failed ran after it: a hook of the repository.
            (Some(worktree), Err(error)) if worktree.locked.as_deref() != Some(BEING_MADE) => {
                let notice = format!("the worktree is ready, but a hook failed: {error}");
                Ok(Added { worktree, notice: Some(notice) })
            }
            (half, made) => {
                if half.is_some() {
                    // Git was killed while it made the worktree, which nobody has used yet.
                    let _ = self
                        .writing(&repository.root, "worktree")
                        .args(["remove", "--force", "--force", "--"])
                        .arg(target)
                        .run();
                }
                self.unmake_branch(repository, branch);
                undo.all();
                Err(made.err().unwrap_or_else(|| Error::Git {
                    command: "worktree".into(),
                    code: Some(0),
                    message: "it said nothing, but there is no worktree.".into(),
                }))
            }
        }
    }

    /// Makes the branch in a step of its own: git would leave it behind when the checkout fails, and
    /// only what this call made may be taken back.
    fn make_branch(&self, repository: &Repository, start: &Start) -> Result<Option<MadeBranch>> {
        let (name, track, from) = match start {
            Start::Local(_) => return Ok(None),
            Start::New { name, commit } => (name, "--no-track", commit),
            Start::Remote { name, tracking } => (name, "--track", tracking),
        };
        let commit = match start {
            Start::Remote { tracking, .. } => {
                self.commit(&repository.root, &format!("refs/remotes/{tracking}"))?
            }
            Start::New { commit, .. } => commit.clone(),
            Start::Local(_) => String::new(),
        };
        let _ = self
            .writing(&repository.root, "branch")
            .args(["--quiet", track, "--"])
            .arg(name)
            .arg(from)
            .output()?;
        Ok(Some(MadeBranch { name: name.clone(), commit }))
    }

    fn unmake_branch(&self, repository: &Repository, branch: Option<MadeBranch>) {
        let Some(MadeBranch { name, commit }) = branch else { return };
        // Only while it still is where we put it.
        let removed = self
            .writing(&repository.root, "update-ref")
            .arg("-d")
            .arg(format!("refs/heads/{name}"))
            .arg(commit)
            .run();
        if removed.is_ok_and(|output| output.code == Some(0)) {
            let _ = self
                .writing(&repository.root, "config")
                .args(["--local", "--remove-section"])
                .arg(format!("branch.{name}"))
                .run();
        }
    }

    fn find(
        &self,
        repository: &Repository,
        target: &Path,
        branch: &str,
    ) -> Result<Option<Worktree>> {
        let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
        Ok(self.listed(repository)?.into_iter().find(|worktree| {
            let path = worktree.path.canonicalize().unwrap_or_else(|_| worktree.path.clone());
            path == target && worktree.branch.as_deref() == Some(branch)
        }))
    }
}

/// What a worktree starts from, once everything was looked up.
#[derive(Debug)]
enum Start {
    Local(String),
    New { name: String, commit: String },
    Remote { name: String, tracking: String },
}

impl Start {
    fn branch(&self) -> &str {
        match self {
            Self::Local(name) | Self::New { name, .. } | Self::Remote { name, .. } => name,
        }
    }
}

/// A branch this call made.
struct MadeBranch {
    name: String,
    commit: String,
}

fn refuse_taken(name: &str, branches: &Branches, worktrees: &[Worktree]) -> Result<()> {
    let checked_out = holder(name, worktrees).map(|holder| holder.path.clone());
    // A branch without commits is checked out somewhere but not listed.
    if checked_out.is_some() || branches.local.iter().any(|branch| branch == name) {
        return Err(Error::BranchExists { name: name.to_owned(), checked_out });
    }
    let clash = branches.local.iter().find(|other| inside(name, other) || inside(other, name));
    if let Some(other) = clash {
        return Err(Error::BranchClash { name: name.to_owned(), other: other.clone() });
    }
    Ok(())
}

/// Whether a branch would lie in the folder that another branch's name would have to be.
fn inside(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn existing(name: &str, branches: &Branches) -> Result<Start> {
    if branches.local.iter().any(|branch| branch == name) {
        return Ok(Start::Local(name.to_owned()));
    }
    // `topic` of exactly one remote, or `origin/topic` spelt out.
    let candidates: Vec<&String> = branches
        .remote
        .iter()
        .filter(|branch| {
            *branch == name || branch.split_once('/').is_some_and(|(_, short)| short == name)
        })
        .collect();
    match candidates.as_slice() {
        [] => Err(Error::BranchUnknown { name: name.to_owned(), near: branches.near(name) }),
        [tracking] => {
            let short = tracking.split_once('/').map_or(tracking.as_str(), |(_, short)| short);
            if branches.local.iter().any(|branch| branch == short) {
                return Ok(Start::Local(short.to_owned()));
            }
            Ok(Start::Remote { name: short.to_owned(), tracking: (*tracking).clone() })
        }
        several => Err(Error::BranchAmbiguous {
            name: name.to_owned(),
            candidates: several.iter().map(|branch| (*branch).clone()).collect(),
        }),
    }
}

fn holder<'a>(branch: &str, worktrees: &'a [Worktree]) -> Option<&'a Worktree> {
    worktrees.iter().find(|worktree| !worktree.bare && worktree.branch.as_deref() == Some(branch))
}

/// The target with everything before it resolved as far as it exists, so that it can be compared.
fn absolute(path: &Path) -> Result<PathBuf> {
    if !path.is_absolute() {
        return Err(Error::PathNotAbsolute { path: path.to_owned() });
    }
    if path.to_str().is_none() {
        return Err(Error::NotUnicode { path: path.to_owned() });
    }
    let exists =
        path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    let Some((ancestor, mut resolved)) = exists else { return Ok(path.to_owned()) };
    for part in path.strip_prefix(ancestor).unwrap_or(Path::new("")).components() {
        match part {
            Component::ParentDir => drop(resolved.pop()),
            Component::Normal(part) => resolved.push(part),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Ok(resolved)
}

fn refuse_target(target: &Path, worktrees: &[Worktree]) -> Result<()> {
    if worktrees.iter().any(|worktree| worktree.missing && worktree.path == target) {
        return Err(Error::TargetRegistered { path: target.to_owned() });
    }
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => {
            return Err(Error::Folder { path: target.to_owned(), source: Arc::new(source) });
        }
        Ok(_) if is_empty_folder(target) => {}
        Ok(_) => return Err(Error::TargetNotEmpty { path: target.to_owned() }),
    }
    // A bare repository has no files of its own; worktrees inside it are a known way to work.
    let around = worktrees.iter().filter(|worktree| !worktree.bare).find(|worktree| {
        let root = worktree.path.canonicalize().unwrap_or_else(|_| worktree.path.clone());
        target.starts_with(root)
    });
    match around {
        Some(worktree) => {
            Err(Error::InsideWorktree { path: target.to_owned(), worktree: worktree.path.clone() })
        }
        None => Ok(()),
    }
}

fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// A place nobody has yet: the branch's name as a folder, with a number behind it when that is taken.
fn free_place(
    place: &Place,
    repository: &Repository,
    branch: &str,
    worktrees: &[Worktree],
) -> Result<PathBuf> {
    let folder = match place {
        Place::Beside => beside(&repository.root),
        Place::Under(folder) => folder.clone(),
    };
    let folder = absolute(&folder)?;
    let slug = slug(branch);
    let mut names =
        std::iter::once(slug.clone()).chain((2..).map(|number| format!("{slug}-{number}")));
    let free = names.find_map(|name| {
        let path = folder.join(name);
        let known = worktrees.iter().any(|worktree| worktree.path == path);
        (!known && fs::symlink_metadata(&path).is_err()).then_some(path)
    });
    // The numbers do not end before the disk does.
    Ok(free.unwrap_or_else(|| folder.join(slug)))
}

fn beside(root: &Path) -> PathBuf {
    let name = root.file_name().map_or_else(|| "repository".into(), |name| name.to_string_lossy());
    let name = name.strip_suffix(".git").filter(|name| !name.is_empty()).unwrap_or(&name);
    root.with_file_name(format!("{name}-worktrees"))
}

/// A branch's name as one folder name: letters and digits of any script, `-`, `_` and `.` are kept.
fn slug(branch: &str) -> String {
    let mut slug = String::new();
    for c in branch.chars() {
        let c = if c.is_alphanumeric() || matches!(c, '_' | '.') { c } else { '-' };
        if c != '-' || !slug.ends_with('-') {
            slug.push(c);
        }
    }
    let slug: String = slug.trim_matches(['-', '.']).chars().take(LONGEST_SLUG).collect();
    let slug = slug.trim_end_matches(['-', '.']);
    if slug.is_empty() { "worktree".into() } else { slug.into() }
}

/// What has to be taken back on the disk when a worktree cannot be made.
struct Undo {
    target: PathBuf,
    existed: bool,
    /// Folders above the target that did not exist, the topmost last.
    made: Vec<PathBuf>,
}

impl Undo {
    /// Makes the folders above the target.
    fn prepare(target: &Path) -> Result<Self> {
        let made: Vec<PathBuf> = target
            .ancestors()
            .skip(1)
            .take_while(|folder| fs::symlink_metadata(folder).is_err())
            .map(Path::to_owned)
            .collect();
        let undo = Self { target: target.to_owned(), existed: target.exists(), made };
        if let Some(parent) = target.parent()
            && let Err(source) = fs::create_dir_all(parent)
        {
            undo.folders();
            return Err(Error::Folder { path: parent.to_owned(), source: Arc::new(source) });
        }
        Ok(undo)
    }

    fn all(&self) {
        if self.existed {
            let _ = fs::create_dir(&self.target);
        } else {
            // Only when it is empty: git takes back its own files, and others are not ours.
            let _ = fs::remove_dir(&self.target);
        }
        self.folders();
    }

    fn folders(&self) {
        for folder in &self.made {
            let _: io::Result<()> = fs::remove_dir(folder);
        }
    }
}

/// Reads `git worktree list --porcelain`: lines of a word and a value, an empty line after each
/// worktree.
fn parse(output: &[u8], end: u8) -> Result<Vec<Worktree>> {
    let mut worktrees: Vec<Worktree> = Vec::new();
    for line in output.split(|byte| *byte == end) {
        let (word, value) = match line.iter().position(|byte| *byte == b' ') {
            Some(space) => (&line[..space], &line[space + 1..]),
            None => (line, &[][..]),
        };
        if word == b"worktree" {
            let main = worktrees.is_empty();
            worktrees.push(Worktree {
                path: repository::path(value)?,
                branch: None,
                head: None,
                main,
                bare: false,
                locked: None,
                missing: false,
                prunable: None,
            });
            continue;
        }
        let Some(worktree) = worktrees.last_mut() else { continue };
        let text = || String::from_utf8_lossy(value).into_owned();
        match word {
            // A branch without commits has a head of zeros.
            b"HEAD" => worktree.head = Some(text()).filter(|id| id.bytes().any(|b| b != b'0')),
            b"branch" => {
                let name = text();
                let short = name.strip_prefix("refs/heads/").map(str::to_owned);
                worktree.branch = Some(short.unwrap_or(name));
            }
            b"bare" => worktree.bare = true,
            b"locked" => worktree.locked = Some(text()),
            b"prunable" => {
                worktree.missing = true;
                worktree.prunable = Some(text());
            }
            // `detached` says what a missing branch says; other words are of a newer git.
            _ => {}
        }
    }
    Ok(worktrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_becomes_one_folder_name() {
        let check = |branch, expected: &str| assert_eq!(slug(branch), expected, "{branch}");
        check("main", "main");
        check("feature/log-in", "feature-log-in");
        check("fix//two", "fix-two");
        check("größe/日本", "größe-日本");
        check("v1.2", "v1.2");
        check("..hidden", "hidden");
        check("a'\"$(b)", "a-b");
        check("💥", "worktree");
        check(&"x".repeat(200), &"x".repeat(60));
    }

    #[test]
    fn worktrees_go_beside_the_repository() {
        let check = |root, expected: &str| assert_eq!(beside(Path::new(root)), Path::new(expected));
        check("/code/app", "/code/app-worktrees");
        check("/code/app.git", "/code/app-worktrees");
        check("/code/.git", "/code/.git-worktrees");
    }

    #[test]
    fn the_list_is_read_word_by_word() {
        let text = b"worktree /a\nb\0HEAD 12\0branch refs/heads/x/y\0\0\
            worktree /c d\0HEAD 00\0branch refs/heads/new\0locked on a disk\0prunable gone\0\0\
            worktree /e\0HEAD 34\0detached\0locked\0future word\0\0";
        let worktrees = parse(text, b'\0').expect("paths are readable");
        let [a, c, e] = worktrees.as_slice() else { panic!("{worktrees:?}") };
        assert_eq!((a.path.as_path(), a.main), (Path::new("/a\nb"), true));
        assert_eq!((a.head.as_deref(), a.branch.as_deref()), (Some("12"), Some("x/y")));
        assert_eq!((c.head.as_deref(), c.missing, c.main), (None, true, false));
        assert_eq!(c.locked.as_deref(), Some("on a disk"));
        assert_eq!((e.branch.as_deref(), e.locked.as_deref()), (None, Some("")));
        assert_eq!(parse(b"", b'\0').expect("nothing is readable"), []);
        assert_eq!(parse(b"HEAD 1\0garbage", b'\0').expect("garbage is skipped"), []);
    }
}
