//! The whole working tree as one hash, and commits of all of it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::process::Version;
use crate::repository::Repository;
use crate::seen::Seen;
use crate::{Git, Result};

/// Since when `git add` must be told that files outside a sparse checkout are meant, too.
const ADDS_SPARSE: Version = Version { major: 2, minor: 34 };

/// How often a tree is read again when a file vanished while git looked at it: agents write and delete
/// files all the time.
const TRIES: u32 = 4;

impl Git {
    /// The git tree of everything in the checkout that a directory is in: tracked files as they are on
    /// the disk, and untracked ones that are not ignored. Two equal hashes mean equal files.
    ///
    /// The user's own index is only read: a copy of it, which saves git from hashing what did not
    /// change, is brought up to date in a temporary place. The objects stay in the repository's store,
    /// so that two such trees can be compared later.
    ///
    /// # Errors
    ///
    /// [`Error::Bare`] where there are no files.
    pub fn tree_of(&self, directory: &Path) -> Result<String> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let own = |source| Error::Process { command: "add".into(), source: Arc::new(source) };
        let scratch = tempfile::Builder::new().prefix("maestro-index-").tempdir().map_err(own)?;
        let index = scratch.path().join("index");
        for tried in 1.. {
            copy_index(&repository.git_dir.join("index"), &index).map_err(own)?;
            match self.tree_through(checkout, &index) {
                Err(Error::Git { code: Some(128), .. }) if tried < TRIES => {}
                result => return result.map(|(tree, _)| tree),
            }
        }
        unreachable!("the loop returns on its last try")
    }

    /// The same as [`Git::tree_of`], through an index that is kept at a path of one's own between calls,
    /// so that git hashes only what changed since the last one. It is made anew when it is of no use, and
    /// when the user's own index was written since: both tell what is tracked. One call at a time for
    /// one path.
    ///
    /// # Errors
    ///
    /// As for [`Git::tree_of`].
    pub fn tree_with(&self, directory: &Path, index: &Path) -> Result<String> {
        let repository = self.repository(directory)?;
        self.kept_tree(&repository, index).map(|(tree, _)| tree)
    }

    /// The same as [`Git::tree_with`] for somebody who looks again and again: where the files that changed
    /// since the last look can be told without git, it is not asked. `seen` is what is known since then,
    /// nothing at first.
    ///
    /// # Errors
    ///
    /// As for [`Git::tree_of`].
    pub fn tree_again(&self, directory: &Path, index: &Path, seen: &mut Seen) -> Result<String> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        if let Some(tree) = seen.look(checkout) {
            return Ok(tree);
        }
        // Before git looks: what comes later is not taken for something it has seen.
        let before = self.before(&repository, checkout);
        let (tree, is_whole) = self.kept_tree(&repository, index)?;
        seen.learn(before.filter(|_| is_whole), &tree, index);
        Ok(tree)
    }

    /// The same for somebody who knows that nothing but these files was written since the last look: only
    /// they are looked at, where that can be told.
    ///
    /// # Errors
    ///
    /// As for [`Git::tree_of`].
    pub fn tree_after_writing(
        &self,
        directory: &Path,
        index: &Path,
        seen: &mut Seen,
        written: &[PathBuf],
    ) -> Result<String> {
        let repository = self.repository(directory)?;
        match seen.look_at(checkout(&repository)?, written) {
            Some(tree) => Ok(tree),
            None => self.tree_again(directory, index, seen),
        }
    }

    /// The tree, and whether every file could be read.
    fn kept_tree(&self, repository: &Repository, index: &Path) -> Result<(String, bool)> {
        let checkout = checkout(repository)?;
        let own = |source| Error::Process { command: "add".into(), source: Arc::new(source) };
        let theirs = repository.git_dir.join("index");
        let beside = |extension: &str| {
            let mut name = index.as_os_str().to_owned();
            name.push(extension);
            PathBuf::from(name)
        };
        let (note, lock) = (beside(".of"), beside(".lock"));
        for tried in 1.. {
            let mark = mark(&theirs, checkout);
            if fs::read_to_string(&note).ok().as_deref() != Some(&mark) {
                // What was made of another index is not taken for one of this.
                let _ = fs::remove_file(&note);
                copy_index(&theirs, index).map_err(own)?;
                fs::write(&note, &mark).map_err(own)?;
            }
            match self.tree_through(checkout, index) {
                Err(Error::Git { code: Some(128), .. }) if tried < TRIES => {
                    // A file may have vanished in between, or the death of a host left half an index.
                    let _ = fs::remove_file(&note);
                    let _ = fs::remove_file(&lock);
                }
                result => return result,
            }
        }
        unreachable!("the loop returns on its last try")
    }

    /// Commits everything in the checkout that a directory is in, with the user's hooks, and gives the
    /// new commit; `None` when there is nothing to commit.
    ///
    /// # Errors
    ///
    /// What git or a hook refuses, in its own words.
    pub fn commit_all(&self, directory: &Path, message: &str) -> Result<Option<String>> {
        if message.trim().is_empty() {
            return Err(Error::EmptyMessage);
        }
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let _ = self.writing(checkout, "add").arg("--all").output()?;
        let staged = self.reading(checkout, "diff").args(["--cached", "--quiet"]).run()?;
        match staged.code {
            Some(0) => return Ok(None),
            Some(1) => {}
            _ => return Err(staged.failed()),
        }
        let _ = self
            .writing(checkout, "commit")
            .args(["--quiet", "--file=-"])
            .stdin(message)
            .output()?;
        self.head(checkout)
    }

    /// The tree, and whether every file could be read.
    fn tree_through(&self, checkout: &Path, index: &Path) -> Result<(String, bool)> {
        let sparse = (self.version()? >= ADDS_SPARSE).then_some("--sparse");
        let added = self
            .reading(checkout, "add")
            .config("core.splitIndex=false")
            .config("core.safecrlf=false")
            // Nobody else reads this index; its checksum costs more than all else.
            .config("index.skipHash=true")
            .env("GIT_INDEX_FILE", index)
            .args(["--all", "--ignore-errors"])
            .args(sparse)
            .run()?;
        // 1: single files could not be read and stay as the index has them. That is as much of the
        // truth as there is.
        if !matches!(added.code, Some(0 | 1)) {
            return Err(added.failed());
        }
        let tree = self
            .reading(checkout, "write-tree")
            .config("core.splitIndex=false")
            .config("index.skipHash=true")
            .env("GIT_INDEX_FILE", index)
            .output()?;
        Ok((String::from_utf8_lossy(&tree).trim().to_owned(), added.code == Some(0)))
    }
}

/// The checkout, or the refusal where there is none.
pub(crate) fn checkout(repository: &Repository) -> Result<&Path> {
    repository.checkout.as_deref().ok_or_else(|| Error::Bare { path: repository.root.clone() })
}

/// By what an index is recognised that was not written since.
fn mark(index: &Path, checkout: &Path) -> String {
    let stamp = fs::metadata(index).ok().map(|file| (file.modified().ok(), file.len()));
    format!("{stamp:?} {}", checkout.display())
}

/// Copies the index with its modification time: git compares files against that time to find those
/// that changed in the very moment the index was written.
pub(crate) fn copy_index(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = match File::open(from) {
        Ok(source) => source,
        // A repository without a commit and with nothing added has none.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match fs::remove_file(to) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        Err(error) => return Err(error),
    };
    // Git replaces its index by renaming, so an open file is one whole index.
    let written = source.metadata()?.modified()?;
    let mut copy = File::create(to)?;
    let _ = io::copy(&mut source, &mut copy)?;
    copy.set_modified(written)
}
