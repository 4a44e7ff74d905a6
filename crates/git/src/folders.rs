//! Which folders of a checkout are worth watching.

use std::fs;
use std::path::{Path, PathBuf};

use crate::repository::{Opened, canonical, open};
use crate::{Git, Result};

/// Folders of a checkout in which something can change that git would notice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folders {
    /// The folders, without links, the checkout itself first.
    pub folders: Vec<PathBuf>,
    /// Whether these are all.
    pub is_whole: bool,
}

impl Git {
    /// The folders below a folder of a checkout, itself included, that are neither ignored nor git's own;
    /// at most `most`. Links are not followed, and a repository inside is a place of its own.
    ///
    /// # Errors
    ///
    /// When the folder is in no repository.
    pub fn folders(&self, below: &Path, most: usize) -> Result<Folders> {
        let below = canonical(below)?;
        let repository = match open(&below) {
            Opened::Yes(repository) => Some(repository),
            Opened::Not => return Err(crate::Error::NotARepository { path: below }),
            Opened::Unreadable => None,
        };
        let ignored = |folder: &Path| {
            let Some(repository) = &repository else { return false };
            let Some(root) = repository.workdir() else { return false };
            let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
            // With the slash, or a pattern for folders does not match.
            folder.strip_prefix(&root).is_ok_and(|inner| {
                !inner.as_os_str().is_empty()
                    && repository.is_path_ignored(inner.join("")).unwrap_or(false)
            })
        };
        if ignored(&below) {
            return Ok(Folders { folders: Vec::new(), is_whole: true });
        }
        let mut found = Folders { folders: vec![below], is_whole: true };
        let mut at = 0;
        while at < found.folders.len() {
            let Ok(entries) = fs::read_dir(&found.folders[at]) else {
                at += 1;
                continue;
            };
            for entry in entries.flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir())
                    || entry.file_name() == ".git"
                    || entry.path().join(".git").exists()
                    || ignored(&entry.path())
                {
                    continue;
                }
                if found.folders.len() >= most {
                    found.is_whole = false;
                    return Ok(found);
                }
                found.folders.push(entry.path());
            }
            at += 1;
        }
        Ok(found)
    }
}
