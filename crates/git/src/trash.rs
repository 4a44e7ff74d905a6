//! Whole checkouts kept under a private reference, byte for byte, and put back.
//!
//! What is kept is a commit whose parents are the checkout's head and every commit that only its reflog
//! knows. Its tree has:
//!
//! - `files`: every tracked, untracked and chosen ignored file as it lies on the disk. No filter and no
//!   conversion of line ends takes part, neither on the way in nor on the way out.
//! - `index`: git's index file itself, and in `stages/0` … `stages/3` what it names, so that nothing of it is
//!   thrown away.
//! - `empty`: the folders without any file, by NUL.
//! - `rights`: of files that have others than 644 or 755, these in octal and the name, by NUL.
//! - `own`: of a linked worktree that is removed, git's own files of it alone, as a bisect and its references; `named`: what these
//!   name that is no commit. The commits are parents.
//!
//! Neither the index nor the stash is touched, and no hook or filter runs.

mod own;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{IndexEntry, IndexTime, ObjectType, Oid, TreeWalkMode, TreeWalkResult};

use crate::commit::refuse_half_done;
use crate::error::Error;
use crate::repository::{self, Repository};
use crate::{Git, Result};

/// Ignored files up to this size are kept: settings and secrets, not what a build makes. Bytes.
const IGNORED: u64 = 1 << 20;
/// All of them together: bytes.
const ALL_IGNORED: u64 = 64 << 20;
/// How often it is begun anew when somebody writes meanwhile.
const TRIES: usize = 3;
/// Entries of the reflog whose commits are kept.
const REFLOG: usize = 500;
/// Names of what is not kept.
const NAMED: usize = 20;

/// A checkout that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The commit that keeps it.
    pub commit: String,
    /// The tree of that.
    pub tree: String,
    /// The branch that was checked out; `None` when the head was detached.
    pub branch: Option<String>,
    /// The commit that was checked out.
    pub head: String,
    /// Files and links.
    pub files: u64,
    /// What they have in all: bytes.
    pub bytes: u64,
    /// Ignored files and folders that are not kept, the first few, and how many there are.
    pub left: (Vec<String>, u64),
}

/// A checkout that was put back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutBack {
    /// Files and links that were written.
    pub written: u64,
    /// Files that were taken away because they were not there then.
    pub removed: u64,
    /// What is not as it was, in a sentence.
    pub notice: Option<String>,
}

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    kind: u32,
    size: u64,
    /// Who may read, write and run it.
    rights: u32,
    stamp: [i64; 5],
}

/// Names by git's bytes, with slashes.
type Names = BTreeMap<Vec<u8>, Seen>;

impl Git {
    /// Keeps a checkout below `refs/maestro/`. With `all`, everything that its removal would destroy has to
    /// be kept: repositories of their own inside, checked out submodules and a half done merge or rebase
    /// are refused then.
    ///
    /// # Errors
    ///
    /// When something in it cannot be kept or read, by its name; [`Error::ChangedMeanwhile`] when somebody goes
    /// on writing there; when it has no commit.
    pub fn keep_checkout(
        &self,
        directory: &Path,
        name: &str,
        message: &str,
        all: bool,
    ) -> Result<Kept> {
        let mut tries = 1;
        loop {
            let found = self.repository(directory)?;
            let Some(checkout) = found.checkout.clone() else {
                return Err(Error::Bare { path: found.root });
            };
            if all {
                refuse_half_done(&found, &checkout)?;
                refuse_split_index(&found)?;
            }
            let of_git = || if all { own::read(&found) } else { Ok(own::Own::new()) };
            let before = (self.looked(&checkout, all)?, index_stamp(&found), of_git()?);
            let kept = self.kept_once(&found, &checkout, (&before.0, &before.2), message)?;
            // Before the second look: it may take a while on a busy disk.
            let settled = settle(&found.common_dir);
            if let Err(source) = settled
                && all
            {
                return Err(Error::Folder { path: found.common_dir, source: Arc::new(source) });
            }
            let after = (self.looked(&checkout, all)?, index_stamp(&found), of_git()?);
            let now = self.repository(directory)?;
            let is_same = before.0.names == after.0.names
                && before.0.empty == after.0.empty
                && (&before.1, &before.2) == (&after.1, &after.2)
                && (&now.head, &now.branch) == (&found.head, &found.branch);
            if is_same {
                self.keep(&checkout, &[(name.to_owned(), kept.commit.clone())])?;
                return Ok(kept);
            }
            if tries == TRIES {
                let names = after.0.names.iter();
                let mut other =
                    names.filter(|(name, seen)| before.0.names.get(*name) != Some(*seen));
                let name = other
                    .next()
                    .map_or_else(|| checkout.display().to_string(), |(name, _)| shown(name));
                return Err(Error::ChangedMeanwhile { name });
            }
            tries += 1;
        }
    }

    /// Whether everything in a checkout can be kept that its removal would destroy; gives the first ignored
    /// files and folders that would not be kept, and how many there are.
    ///
    /// # Errors
    ///
    /// What [`Self::keep_checkout`] would refuse it for.
    pub fn keepable(&self, directory: &Path) -> Result<(Vec<String>, u64)> {
        let found = self.repository(directory)?;
        let Some(checkout) = found.checkout.clone() else {
            return Err(Error::Bare { path: found.root });
        };
        if found.head.is_none() {
            return Err(Error::NoCommits { path: checkout });
        }
        refuse_half_done(&found, &checkout)?;
        refuse_split_index(&found)?;
        let looked = self.looked(&checkout, true)?;
        Ok((looked.left.iter().take(NAMED).cloned().collect(), looked.left.len() as u64))
    }

    /// What is in a checkout.
    fn looked(&self, checkout: &Path, all: bool) -> Result<Looked> {
        let list = |arguments: &[&str]| -> Result<Vec<Vec<u8>>> {
            let output =
                self.reading(checkout, "ls-files").args(arguments.iter().copied()).output()?;
            let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            Ok(names.map(<[u8]>::to_vec).collect())
        };
        let mut looked = Looked::default();
        let take = |name: Vec<u8>, most: Option<u64>, looked: &mut Looked| -> Result<()> {
            let path = at(checkout, &name)?;
            if let Some(folder) = looked.repository_above(checkout, &name)?
                && all
            {
                return Err(cannot(&folder, INSIDE));
            }
            if !looked.has_own_parents(checkout, &name)? {
                // Tracked below a folder that is a link now: what is found there is not of this checkout.
                return Ok(());
            }
            let about = match fs::symlink_metadata(&path) {
                Ok(about) => about,
                // Tracked, and taken away: that is kept by its not being there.
                Err(error) if is_gone(&error) => return Ok(()),
                Err(source) => return Err(Error::Unreadable { path, source: Arc::new(source) }),
            };
            if about.is_dir() {
                let is_own = fs::symlink_metadata(path.join(".git")).is_ok();
                if is_own && all {
                    return Err(cannot(&name, INSIDE));
                }
                if is_own {
                    looked.leave(&name);
                } else if fs::read_dir(&path).is_ok_and(|mut inside| inside.next().is_none()) {
                    // A submodule that is not checked out: without its folder it would be one that was taken away.
                    looked.empty.push(name);
                }
                return Ok(());
            }
            if !about.is_file() && !about.file_type().is_symlink() {
                looked.leave(&name);
                return Ok(());
            }
            if let Some(most) = most {
                if about.len() > most || looked.ignored + about.len() > ALL_IGNORED {
                    looked.leave(&name);
                    return Ok(());
                }
                looked.ignored += about.len();
            }
            let _ = looked.names.insert(name, seen(&about));
            Ok(())
        };
        for name in list(&["-z", "--cached", "--others", "--exclude-standard"])? {
            let name = name.strip_suffix(b"/").map(<[u8]>::to_vec).unwrap_or(name);
            take(name, None, &mut looked)?;
        }
        for name in list(&["-z", "--others", "--ignored", "--exclude-standard", "--directory"])? {
            match name.strip_suffix(b"/") {
                Some(folder) => {
                    if all && let Some(inside) = repository_in(checkout, folder)? {
                        return Err(cannot(&inside, INSIDE));
                    }
                    looked.leave(&name);
                }
                None => take(name, Some(IGNORED), &mut looked)?,
            }
        }
        // What `.worktreeinclude` names is chosen, however large it is.
        let include = checkout.join(crate::INCLUDE);
        if fs::symlink_metadata(&include).is_ok_and(|about| about.is_file()) {
            let mut from = std::ffi::OsString::from("--exclude-from=");
            from.push(&include);
            let named = |more: &[&str]| {
                self.reading(checkout, "ls-files")
                    .args(["-z", "--others", "--ignored"])
                    .args(more.iter().copied())
                    .arg(&from)
                    .output()
            };
            let parts = |output: &[u8]| -> Vec<Vec<u8>> {
                let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
                names.map(<[u8]>::to_vec).collect()
            };
            for name in parts(&named(&[])?) {
                if !name.ends_with(b"/") && !looked.names.contains_key(&name) {
                    take(name, None, &mut looked)?;
                }
            }
            let whole: Vec<String> =
                parts(&named(&["--directory"])?).iter().map(|name| shown(name)).collect();
            looked.left.retain(|left| !whole.contains(left));
        }
        for name in list(&["-z", "--others", "--exclude-standard", "--directory"])? {
            if let Some(folder) = name.strip_suffix(b"/") {
                empties(checkout, folder, &mut looked.empty)?;
            }
        }
        looked.empty.sort_unstable();
        Ok(looked)
    }

    fn kept_once(
        &self,
        found: &Repository,
        checkout: &Path,
        (looked, of_git): (&Looked, &own::Own),
        message: &str,
    ) -> Result<Kept> {
        let Some(head) = found.head.clone() else {
            return Err(Error::NoCommits { path: checkout.to_owned() });
        };
        let own = |error: git2::Error| failed(checkout, &error);
        let repository = git2::Repository::open(checkout).map_err(own)?;
        let odb = repository.odb().map_err(own)?;
        let mut files = git2::Index::new().map_err(own)?;
        let mut bytes = 0;
        let mut rights: Vec<Vec<u8>> = Vec::new();
        for (name, seen) in &looked.names {
            let path = at(checkout, name)?;
            let unread =
                |source| Error::Unreadable { path: path.clone(), source: Arc::new(source) };
            let id = if seen.kind == LINK {
                let target = fs::read_link(&path).map_err(unread)?;
                repository.blob(&bytes_of(&target)).map_err(own)?
            } else {
                raw(&repository, &odb, &path, seen.size)?
            };
            bytes += seen.size;
            if seen.kind != LINK && !matches!(seen.rights, 0o644 | 0o755) {
                rights.push([format!("{:o} ", seen.rights).as_bytes(), name].concat());
            }
            files.add(&entry(name, seen.kind, id)).map_err(own)?;
        }
        let mut root = repository.treebuilder(None).map_err(own)?;
        let tree = files.write_tree_to(&repository).map_err(own)?;
        let _ = root.insert("files", tree, 0o040_000).map_err(own)?;
        let rights = repository.blob(&rights.join(&0)).map_err(own)?;
        let _ = root.insert("rights", rights, 0o100_644).map_err(own)?;
        let empty = repository.blob(&looked.empty.join(&0)).map_err(own)?;
        let _ = root.insert("empty", empty, 0o100_644).map_err(own)?;
        let index = repository.path().join("index");
        if index.exists() {
            let size = fs::metadata(&index).map_or(0, |about| about.len());
            let id = raw(&repository, &odb, &index, size)?;
            let _ = root.insert("index", id, 0o100_644).map_err(own)?;
            let stages = stages(&repository, &odb).map_err(own)?;
            let _ = root.insert("stages", stages, 0o040_000).map_err(own)?;
        }
        let named = own::keep(&repository, of_git, &mut root)?;
        let tree = repository.find_tree(root.write().map_err(own)?).map_err(own)?;
        let head_id = Oid::from_str(&head).map_err(own)?;
        let mut parents = vec![repository.find_commit(head_id).map_err(own)?];
        // Commits that were left behind by an amend, a reset or a detached head have nothing else.
        let log = repository.reflog("HEAD").ok();
        let entries = log.iter().flat_map(|log| log.iter().take(REFLOG).collect::<Vec<_>>());
        let logged = entries.flat_map(|entry| [entry.id_new(), entry.id_old()]);
        for known in logged.chain(named) {
            if !parents.iter().any(|parent| parent.id() == known)
                && let Ok(commit) = repository.find_commit(known)
            {
                parents.push(commit);
            }
        }
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        let who = git2::Signature::now("Maestro", "maestro@localhost").map_err(own)?;
        let commit = repository.commit(None, &who, &who, message, &tree, &parents).map_err(own)?;
        Ok(Kept {
            commit: commit.to_string(),
            tree: tree.id().to_string(),
            branch: found.branch.clone(),
            head,
            files: looked.names.len() as u64,
            bytes,
            left: (looked.left.iter().take(NAMED).cloned().collect(), looked.left.len() as u64),
        })
    }

    /// Removes a linked worktree whose content is kept, with everything in it. The caller has made sure of
    /// that; git refuses the main checkout and a locked one.
    ///
    /// # Errors
    ///
    /// Git's reasons.
    pub fn remove_worktree(&self, repository: &Path, path: &Path) -> Result<()> {
        self.owning(repository, "worktree")
            .args(["remove", "--force", "--"])
            .arg(path)
            .output()
            .map(drop)
    }

    /// Makes a worktree anew as it was kept: at this path, on its branch where that still is at the same
    /// commit and free, with every file and the index.
    ///
    /// # Errors
    ///
    /// [`Error::TargetNotEmpty`]; when nothing of that id is kept, or a file cannot be written: then the
    /// worktree stays as far as it is, and doing it again goes on.
    pub fn put_back_worktree(
        &self,
        repository: &Path,
        path: &Path,
        kept: &Kept,
    ) -> Result<PutBack> {
        let found = self.repository(repository)?;
        relink(&found.common_dir, path)?;
        let is_own = self.listed(&found)?.into_iter().find(|other| same(&other.path, path));
        let mut notice = None;
        match is_own {
            // The removal was cut off: git still knows it, and its folder is gone.
            Some(other) if other.missing => {
                self.remove_worktree(&found.root, path)?;
                notice = self.register_again(&found, path, kept)?;
            }
            // A removal or a restoring was cut off: what is there is a part of what is kept.
            Some(_) => {
                let unfinished = self.repository(path)?.git_dir.join(UNFINISHED);
                if !unfinished.exists() && !self.is_part(path, kept)? {
                    return Err(Error::TargetNotEmpty { path: path.to_owned() });
                }
            }
            None => {
                if fs::read_dir(path).is_ok_and(|mut inside| inside.next().is_some())
                    || fs::symlink_metadata(path).is_ok_and(|about| !about.is_dir())
                {
                    return Err(Error::TargetNotEmpty { path: path.to_owned() });
                }
                notice = self.register_again(&found, path, kept)?;
            }
        }
        let git_dir = self.repository(path)?.git_dir;
        let unfinished = git_dir.join(UNFINISHED);
        let broken = |source| Error::Folder { path: path.to_owned(), source: Arc::new(source) };
        fs::write(&unfinished, kept.commit.as_bytes()).map_err(broken)?;
        let mut put = put(path, &kept.commit, None)?;
        let own = |error: git2::Error| failed(path, &error);
        let opened = git2::Repository::open(path).map_err(own)?;
        let commit =
            Oid::from_str(&kept.commit).and_then(|id| opened.find_commit(id)).map_err(own)?;
        let tree = commit.tree().map_err(own)?;
        if let Some(index) = tree.get_name("index") {
            let blob = opened.find_blob(index.id()).map_err(own)?;
            fs::write(opened.path().join("index"), blob.content()).map_err(broken)?;
        }
        own::put_back(&opened, &tree, &git_dir)?;
        fs::rename(&unfinished, git_dir.join(FINISHED)).map_err(broken)?;
        put.notice = notice;
        Ok(put)
    }

    /// Whether the worktree at a path is what was put back of this, whatever was done in it since.
    #[must_use]
    pub fn is_back(&self, path: &Path, kept: &Kept) -> bool {
        let of = self.repository(path).map(|found| fs::read(found.git_dir.join(FINISHED)));
        matches!(of, Ok(Ok(commit)) if commit == kept.commit.as_bytes())
    }

    /// Whether a worktree has lost something of what is kept, and has nothing else.
    fn is_part(&self, path: &Path, kept: &Kept) -> Result<bool> {
        let own = |error: git2::Error| failed(path, &error);
        let opened = git2::Repository::open(path).map_err(own)?;
        let commit =
            Oid::from_str(&kept.commit).and_then(|id| opened.find_commit(id)).map_err(own)?;
        let tree = commit.tree().map_err(own)?;
        let now = self.looked(path, false)?.names;
        if now.len() as u64 >= kept.files {
            return Ok(false);
        }
        for (name, seen) in &now {
            let inside = Path::new("files").join(repository::path(name)?);
            let found = tree.get_path(&inside).and_then(|found| opened.find_blob(found.id()));
            let there = at(path, name)?;
            if !found.is_ok_and(|blob| is_same(&there, seen.kind, blob.content())) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn register_again(
        &self,
        found: &Repository,
        path: &Path,
        kept: &Kept,
    ) -> Result<Option<String>> {
        let mut add =
            self.owning(&found.root, "worktree").args(["add", "--no-checkout", "--force"]);
        let mut notice = None;
        match &kept.branch {
            None => add = add.arg("--detach").arg("--").arg(path).arg(&kept.head),
            Some(branch) => {
                let id = self.commit_of(&found.root, branch);
                let used = self
                    .listed(found)?
                    .into_iter()
                    .find(|other| other.branch.as_ref() == Some(branch));
                match (id, used) {
                    (None, _) => {
                        add = add.args(["-b", branch.as_str()]).arg("--").arg(path).arg(&kept.head);
                    }
                    (Some(id), None) if id == kept.head => {
                        add = add.arg("--").arg(path).arg(branch);
                    }
                    (Some(_), used) => {
                        let why = match used {
                            Some(other) => format!("is checked out in {}", other.path.display()),
                            None => "has other commits by now".to_owned(),
                        };
                        notice = Some(format!(
                            "The branch {branch} {why}, so the head is detached at the commit it was at then."
                        ));
                        add = add.arg("--detach").arg("--").arg(path).arg(&kept.head);
                    }
                }
            }
        }
        let _ = add.output()?;
        Ok(notice)
    }

    /// The commit of a local branch.
    fn commit_of(&self, directory: &Path, branch: &str) -> Option<String> {
        let opened = git2::Repository::open(directory).ok()?;
        let found = opened.find_branch(branch, git2::BranchType::Local).ok()?;
        Some(found.get().peel_to_commit().ok()?.id().to_string())
    }

    /// Brings the files of a checkout back to how they were kept: only those that differ are written, those
    /// that were not there are taken away. The index stays as it is. Keep the checkout before: what is
    /// written over is gone otherwise.
    ///
    /// # Errors
    ///
    /// When nothing of that id is kept, or a file cannot be written.
    pub fn put_back_files(&self, directory: &Path, commit: &str) -> Result<PutBack> {
        let found = self.repository(directory)?;
        let Some(checkout) = found.checkout else { return Err(Error::Bare { path: found.root }) };
        let now = self.looked(&checkout, false)?;
        put(&checkout, commit, Some(&now.names))
    }
}

const INSIDE: &str = "is a repository of its own or a submodule, which cannot be kept with the rest; move it away \
                      or remove it";

/// Writes the `.git` file of a worktree again that git knows of and that lost it, as one does whose removal was cut
/// off.
fn relink(common_dir: &Path, path: &Path) -> Result<()> {
    let link = path.join(".git");
    if !path.is_dir() || fs::symlink_metadata(&link).is_ok() {
        return Ok(());
    }
    let all = fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    let mut owns = all.map(|entry| entry.path());
    let is_own = |own: &PathBuf| {
        fs::read(own.join("gitdir")).is_ok_and(|text| text.trim_ascii_end() == bytes_of(&link))
    };
    let Some(own) = owns.find(is_own) else { return Ok(()) };
    let text = [b"gitdir: ", &bytes_of(&own)[..], b"\n"].concat();
    fs::write(&link, text).map_err(|source| Error::Folder { path: link, source: Arc::new(source) })
}

/// A repository somewhere in an ignored folder, which git does not look into.
fn repository_in(checkout: &Path, folder: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut left = vec![folder.to_vec()];
    while let Some(folder) = left.pop() {
        let path = at(checkout, &folder)?;
        let unread = |source| Error::Unreadable { path: path.clone(), source: Arc::new(source) };
        if fs::symlink_metadata(path.join(".git")).is_ok() {
            return Ok(Some(folder));
        }
        for inside in fs::read_dir(&path).map_err(unread)? {
            let inside = inside.map_err(unread)?;
            if inside.file_type().map_err(unread)?.is_dir() {
                let name = bytes_of(Path::new(&inside.file_name()));
                left.push([&folder[..], b"/", &name].concat());
            }
        }
    }
    Ok(None)
}

/// An index that is in two files cannot be kept as one.
fn refuse_split_index(found: &Repository) -> Result<()> {
    let inside = fs::read_dir(&found.git_dir).into_iter().flatten().flatten();
    let mut names = inside.map(|entry| entry.file_name().to_string_lossy().into_owned());
    if names.any(|name| name.starts_with("sharedindex.")) {
        let because = "is in two files; `git update-index --no-split-index` there makes it one";
        return Err(cannot(b"git's index", because));
    }
    Ok(())
}

/// What tells one state of a checkout's index from another.
fn index_stamp(found: &Repository) -> Option<Seen> {
    fs::symlink_metadata(found.git_dir.join("index")).ok().map(|about| seen(&about))
}

/// In the git directory of a worktree whose files are being put back.
const UNFINISHED: &str = "maestro-restoring";
/// The same file when they all are.
const FINISHED: &str = "maestro-restored";

const LINK: u32 = 0o120_000;
const PROGRAM: u32 = 0o100_755;
const FILE: u32 = 0o100_644;

#[derive(Debug, Default)]
struct Looked {
    names: Names,
    empty: Vec<Vec<u8>>,
    left: Vec<String>,
    ignored: u64,
    /// Folders, and whether they and all above are no links.
    folders: HashMap<Vec<u8>, bool>,
    /// Folders, and whether they are repositories of their own.
    repositories: HashMap<Vec<u8>, bool>,
}

impl Looked {
    fn leave(&mut self, name: &[u8]) {
        self.left.push(shown(name));
    }

    /// The repository of its own that a file lies in, even a broken one.
    fn repository_above(&mut self, checkout: &Path, name: &[u8]) -> Result<Option<Vec<u8>>> {
        let ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for folder in ends.map(|(end, _)| &name[..end]) {
            let known = self.repositories.get(folder).copied();
            let is_one = match known {
                Some(known) => known,
                None => fs::symlink_metadata(at(checkout, folder)?.join(".git")).is_ok(),
            };
            if known.is_none() {
                let _ = self.repositories.insert(folder.to_vec(), is_one);
            }
            if is_one {
                return Ok(Some(folder.to_vec()));
            }
        }
        Ok(None)
    }

    fn has_own_parents(&mut self, checkout: &Path, name: &[u8]) -> Result<bool> {
        let Some(end) = name.iter().rposition(|byte| *byte == b'/') else { return Ok(true) };
        let folder = &name[..end];
        if let Some(known) = self.folders.get(folder) {
            return Ok(*known);
        }
        let is_link = fs::symlink_metadata(at(checkout, folder)?)
            .is_ok_and(|about| about.file_type().is_symlink());
        let is_own = !is_link && self.has_own_parents(checkout, folder)?;
        let _ = self.folders.insert(folder.to_vec(), is_own);
        Ok(is_own)
    }
}

/// Folders without any file in or below an untracked one.
fn empties(checkout: &Path, folder: &[u8], into: &mut Vec<Vec<u8>>) -> Result<()> {
    let path = at(checkout, folder)?;
    let unread = |source| Error::Unreadable { path: path.clone(), source: Arc::new(source) };
    if fs::symlink_metadata(path.join(".git")).is_ok() {
        return Ok(());
    }
    let mut is_empty = true;
    for inside in fs::read_dir(&path).map_err(unread)? {
        let inside = inside.map_err(unread)?;
        is_empty = false;
        if inside.file_type().map_err(unread)?.is_dir() {
            let mut name = folder.to_vec();
            name.push(b'/');
            name.extend_from_slice(&bytes_of(Path::new(&inside.file_name())));
            empties(checkout, &name, into)?;
        }
    }
    if is_empty {
        into.push(folder.to_vec());
    }
    Ok(())
}

/// A file as it is, without any conversion. One that git has already is not written again.
fn raw(repository: &git2::Repository, odb: &git2::Odb<'_>, path: &Path, size: u64) -> Result<Oid> {
    let own = |error: git2::Error| failed(path, &error);
    let unread = |source| Error::Unreadable { path: path.to_owned(), source: Arc::new(source) };
    let mut file = fs::File::open(path).map_err(unread)?;
    if size <= IGNORED {
        let content = fs::read(path).map_err(unread)?;
        return odb.write(ObjectType::Blob, &content).map_err(own);
    }
    let id = Oid::hash_file(ObjectType::Blob, path).map_err(own)?;
    if odb.exists(id) {
        return Ok(id);
    }
    let mut writer = repository.blob_writer(None).map_err(own)?;
    let _ = io::copy(&mut file, &mut writer).map_err(unread)?;
    writer.commit().map_err(own)
}

/// What git's index names, a tree for each stage: what is there of it.
fn stages(
    repository: &git2::Repository,
    odb: &git2::Odb<'_>,
) -> std::result::Result<Oid, git2::Error> {
    let index = repository.index()?;
    let mut all: BTreeMap<u16, git2::Index> = BTreeMap::new();
    for found in index.iter() {
        let stage = (found.flags >> 12) & 3;
        if found.mode == 0o160_000 || !odb.exists(found.id) {
            continue;
        }
        let own = match all.entry(stage) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(git2::Index::new()?),
        };
        own.add(&entry(&found.path, found.mode, found.id))?;
    }
    let mut root = repository.treebuilder(None)?;
    for (stage, mut own) in all {
        let tree = own.write_tree_to(repository)?;
        let _ = root.insert(stage.to_string(), tree, 0o040_000)?;
    }
    root.write()
}

fn entry(name: &[u8], mode: u32, id: Oid) -> IndexEntry {
    let never = IndexTime::new(0, 0);
    IndexEntry {
        ctime: never,
        mtime: never,
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: name.to_vec(),
    }
}

/// Writes the files of a kept checkout. `now`: what lies there; what differs is written over, and what was
/// not there then is taken away. Without it nothing is there.
fn put(root: &Path, commit: &str, now: Option<&Names>) -> Result<PutBack> {
    let own = |error: git2::Error| failed(root, &error);
    let repository = git2::Repository::open(root).map_err(own)?;
    let commit = Oid::from_str(commit).and_then(|id| repository.find_commit(id)).map_err(own)?;
    let tree = commit.tree().map_err(own)?;
    let part = |name: &str| tree.get_name(name).map(|found| found.id());
    let Some(files) = part("files") else {
        return Err(Error::CannotChange {
            name: commit.id().to_string(),
            because: "keeps no checkout".to_owned(),
        });
    };
    let files = repository.find_tree(files).map_err(own)?;
    let mut wanted: BTreeMap<Vec<u8>, (u32, Oid)> = BTreeMap::new();
    let walked = files.walk(TreeWalkMode::PreOrder, |folder, found| {
        if found.kind() == Some(ObjectType::Blob) {
            let mut name = folder.as_bytes().to_vec();
            name.extend_from_slice(found.name_bytes());
            let _ = wanted.insert(name, (found.filemode().cast_unsigned(), found.id()));
        }
        TreeWalkResult::Ok
    });
    walked.map_err(own)?;
    if let Some(now) = now {
        refuse_unkept(root, &wanted, now)?;
    }
    let mut rights: HashMap<Vec<u8>, u32> = HashMap::new();
    if let Some(blob) = part("rights") {
        let blob = repository.find_blob(blob).map_err(own)?;
        for line in blob.content().split(|byte| *byte == 0) {
            let Some(at) = line.iter().position(|byte| *byte == b' ') else { continue };
            let mode = std::str::from_utf8(&line[..at]).ok();
            if let Some(mode) = mode.and_then(|text| u32::from_str_radix(text, 8).ok()) {
                let _ = rights.insert(line[at + 1..].to_vec(), mode & 0o777);
            }
        }
    }
    let mut done = PutBack::default();
    // Away first: a file may be where a folder was.
    for name in now.into_iter().flat_map(BTreeMap::keys).filter(|name| !wanted.contains_key(*name))
    {
        let path = at(root, name)?;
        match fs::remove_file(&path) {
            Ok(()) => done.removed += 1,
            Err(error) if is_gone(&error) => {}
            Err(source) => return Err(Error::Unreadable { path, source: Arc::new(source) }),
        }
        // Folders that it leaves without anything.
        let mut folder = path.parent();
        while let Some(left) =
            folder.filter(|folder| *folder != root && fs::remove_dir(folder).is_ok())
        {
            folder = left.parent();
        }
    }
    for (name, (mode, id)) in &wanted {
        let path = at(root, name)?;
        let blob = repository.find_blob(*id).map_err(own)?;
        if is_same(&path, *mode, blob.content()) {
            continue;
        }
        let broken = |source| Error::Folder { path: path.clone(), source: Arc::new(source) };
        parents(root, &path).map_err(broken)?;
        write(&path, *mode, rights.get(name).copied(), blob.content()).map_err(broken)?;
        done.written += 1;
    }
    if let Some(empty) = part("empty") {
        let empty = repository.find_blob(empty).map_err(own)?;
        for name in empty.content().split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let path = at(root, name)?;
            let broken = |source| Error::Folder { path: path.clone(), source: Arc::new(source) };
            parents(root, &path.join("x")).map_err(broken)?;
        }
    }
    Ok(done)
}

/// Whether a file lies there just as wanted.
fn is_same(path: &Path, mode: u32, content: &[u8]) -> bool {
    let Ok(about) = fs::symlink_metadata(path) else { return false };
    let seen = seen(&about);
    let is_like = seen.kind == mode && seen.size == content.len() as u64;
    is_like
        && match mode {
            LINK => fs::read_link(path).is_ok_and(|target| *bytes_of(&target) == *content),
            _ => about.is_file() && fs::read(path).is_ok_and(|now| now == content),
        }
}

/// Makes the folders above a path. A link or a file in their place is somebody else's way out of the
/// checkout, and makes room.
fn parents(root: &Path, path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().and_then(|parent| parent.strip_prefix(root).ok()) else {
        return Ok(());
    };
    let mut here = root.to_owned();
    for part in folder.components() {
        here.push(part);
        match fs::symlink_metadata(&here) {
            Ok(about) if about.is_dir() => {}
            Ok(_) => {
                fs::remove_file(&here)?;
                fs::create_dir(&here)?;
            }
            Err(_) => fs::create_dir(&here)?,
        }
    }
    Ok(())
}

/// What would be written over has to be kept: it was looked at (`now`), or it is a folder.
fn refuse_unkept(root: &Path, wanted: &BTreeMap<Vec<u8>, (u32, Oid)>, now: &Names) -> Result<()> {
    for name in wanted.keys() {
        let ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        for part in ends.chain([name.len()]).map(|end| &name[..end]) {
            let about = fs::symlink_metadata(at(root, part)?);
            if about.is_ok_and(|about| !about.is_dir()) && !now.contains_key(part) {
                let because =
                    "is in the way, and is ignored and too large to be kept before; move it away";
                return Err(cannot(part, because));
            }
        }
    }
    Ok(())
}

fn write(path: &Path, mode: u32, rights: Option<u32>, content: &[u8]) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        // Only folders without anything: what is in others was not looked at.
        Ok(about) if about.is_dir() => fs::remove_dir(path)?,
        Ok(_) => fs::remove_file(path)?,
        Err(_) => {}
    }
    if mode == LINK {
        return link(content, path);
    }
    let mut options = OpenOptions::new();
    let _ = options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Secrets are never open to others, not for a moment.
        let _ = options.mode(rights.unwrap_or(if mode == PROGRAM { 0o777 } else { 0o666 }));
    }
    let mut file = options.open(path)?;
    file.write_all(content)?;
    #[cfg(unix)]
    if let Some(rights) = rights {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(rights))?;
    }
    #[cfg(not(unix))]
    let _ = rights;
    Ok(())
}

#[cfg(unix)]
fn link(content: &[u8], path: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(content), path)
}

#[cfg(not(unix))]
fn link(content: &[u8], path: &Path) -> io::Result<()> {
    // As git does where links are not to be had: a file with the target in it.
    fs::write(path, content)
}

fn seen(about: &Metadata) -> Seen {
    #[cfg(unix)]
    let (stamp, rights) = {
        use std::os::unix::fs::MetadataExt as _;
        let inode = about.ino().cast_signed();
        let stamp = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec(), inode];
        (stamp, about.mode() & 0o777)
    };
    #[cfg(not(unix))]
    let (stamp, rights) = {
        let since =
            about.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let since = since.unwrap_or_default();
        ([since.as_secs().cast_signed(), i64::from(since.subsec_nanos()), 0, 0, 0], 0o644)
    };
    let is_program = rights & 0o100 != 0;
    let kind = match (about.file_type().is_symlink(), is_program) {
        (true, _) => LINK,
        (false, true) => PROGRAM,
        (false, false) => FILE,
    };
    Seen { kind, size: about.len(), rights, stamp }
}

/// A path in the checkout, by git's name. Names that lead out of it are refused.
fn at(checkout: &Path, name: &[u8]) -> Result<PathBuf> {
    let path = repository::path(name)?;
    let is_inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !is_inside {
        return Err(cannot(name, "is no name of a file in a checkout"));
    }
    Ok(checkout.join(path))
}

#[cfg(unix)]
fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
fn bytes_of(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars().map(|c| if c.is_control() { '·' } else { c }).take(200).collect()
}

fn cannot(name: &[u8], because: &str) -> Error {
    Error::CannotChange { name: shown(name), because: because.to_owned() }
}

fn failed(path: &Path, error: &git2::Error) -> Error {
    let message = format!("{}: {}", path.display(), error.message());
    Error::Git { command: "hash-object".to_owned(), code: None, message }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn same(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    one == other || canonical(one) == canonical(other)
}

/// What was written is on the disk before anything is removed for it.
fn settle(common_dir: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(fs::File::open(common_dir.join("objects"))?)?;
    #[cfg(not(target_os = "linux"))]
    let _ = common_dir;
    Ok(())
}
