//! The whole working tree as one hash, and commits of all of it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::process::Version;
use crate::repository::Repository;
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

    fn tree_through(&self, checkout: &Path, index: &Path) -> Result<String> {
        let sparse = (self.version()? >= ADDS_SPARSE).then_some("--sparse");
        let added = self
            .reading(checkout, "add")
            .config("core.splitIndex=false")
            .config("core.safecrlf=false")
            .env("GIT_INDEX_FILE", index)
            .args(["--all", "--ignore-errors"])
            .args(sparse)
            .run()?;
        // 1: single files could not be read and stay as the index has them. That is as much of the
        // truth as there is.
        if !matches!(added.code, Some(0 | 1)) {
            return Err(added.failed());
        }
        let tree = self.reading(checkout, "write-tree").env("GIT_INDEX_FILE", index).output()?;
        Ok(String::from_utf8_lossy(&tree).trim().to_owned())
    }
}

/// The checkout, or the refusal where there is none.
pub(crate) fn checkout(repository: &Repository) -> Result<&Path> {
    repository.checkout.as_deref().ok_or_else(|| Error::Bare { path: repository.root.clone() })
}

/// Copies the index with its modification time: git compares files against that time to find those
/// that changed in the very moment the index was written.
fn copy_index(from: &Path, to: &Path) -> io::Result<()> {
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
