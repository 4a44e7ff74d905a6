//! Putting files back to what they were in a tree.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::difference::Kind;
use crate::error::Error;
use crate::tree::checkout;
use crate::{Git, Result};

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// The tree of the checkout before; kept under the name that was given.
    pub before: String,
    /// Files that were written or removed, relative to the checkout.
    pub changed: Vec<PathBuf>,
    /// What differs and was left alone: repositories inside this one.
    pub left: Vec<PathBuf>,
}

impl Git {
    /// Puts files of the checkout that a directory is in back to what they are in a tree, as far as they
    /// are below the directory and among `only` (relative to the checkout; all of them when absent).
    /// Files that the tree does not have are removed, ignored ones are left alone. What the checkout was
    /// like before is kept first, under a private name (see [`Git::keep`]). Neither the user's index nor
    /// any branch is changed, and no hook runs; filters run, as for every checkout.
    ///
    /// # Errors
    ///
    /// When the tree is not there any more, or files cannot be written. What was done by then stays done;
    /// the kept tree has everything.
    pub fn restore(
        &self,
        directory: &Path,
        tree: &str,
        only: Option<&[PathBuf]>,
        keep_as: &str,
    ) -> Result<Restored> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        self.needs_filters(checkout)?;
        let directory = crate::repository::canonical(directory)?;
        let below = directory.strip_prefix(checkout).unwrap_or(Path::new("")).to_owned();
        let only: Option<HashSet<&Path>> =
            only.map(|paths| paths.iter().map(PathBuf::as_path).collect());
        let before = self.tree_of(&directory)?;
        self.keep(&directory, &[(keep_as.to_owned(), before.clone())])?;
        let mut restored = Restored { before, ..Restored::default() };
        let mut written: Vec<u8> = Vec::new();
        let mut removed: Vec<PathBuf> = Vec::new();
        for entry in self.entries(checkout, &restored.before, tree)? {
            let is_meant = entry.path.starts_with(&below)
                && only.as_ref().is_none_or(|only| only.contains(entry.path.as_path()));
            if !is_meant {
                continue;
            }
            if entry.was == Kind::Submodule || entry.is == Kind::Submodule {
                restored.left.push(entry.path);
                continue;
            }
            if entry.is == Kind::Nothing {
                removed.push(entry.path.clone());
            } else {
                written.extend_from_slice(&entry.name);
                written.push(0);
            }
            restored.changed.push(entry.path);
        }
        // First: a file may be where a folder has to be.
        for path in &removed {
            remove(checkout, path)?;
        }
        if !written.is_empty() {
            let own = |source| Error::Process {
                command: "checkout-index".into(),
                source: Arc::new(source),
            };
            let scratch =
                tempfile::Builder::new().prefix("maestro-index-").tempdir().map_err(own)?;
            let index = scratch.path().join("index");
            let _ = self
                .owning(checkout, "read-tree")
                .config("core.splitIndex=false")
                .env("GIT_INDEX_FILE", &index)
                .arg(tree)
                .output()?;
            let _ = self
                .owning(checkout, "checkout-index")
                .config("core.splitIndex=false")
                .env("GIT_INDEX_FILE", &index)
                .args(["--force", "--quiet", "-z", "--stdin"])
                .stdin(written)
                .output()?;
        }
        Ok(restored)
    }
}

/// Removes a file, and the folders that are empty then.
pub(crate) fn remove(checkout: &Path, path: &Path) -> Result<()> {
    let full = checkout.join(path);
    match fs::remove_file(&full) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(Error::Folder { path: full, source: Arc::new(source) }),
    }
    let mut folder = full.parent();
    while let Some(empty) = folder.filter(|folder| *folder != checkout) {
        if fs::remove_dir(empty).is_err() {
            break;
        }
        folder = empty.parent();
    }
    Ok(())
}
