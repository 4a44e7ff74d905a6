//! How much room a worktree takes.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use maestro_core::worktree::Usage;

use crate::{Git, Result};

/// How long is counted at most.
const LONGEST: Duration = Duration::from_secs(30);

impl Git {
    /// How much room a worktree takes on the disk. Links are not followed, other disks below it are not
    /// counted, and a repository inside counts as a whole.
    ///
    /// # Errors
    ///
    /// When the directory is in no repository.
    pub fn usage(&self, directory: &Path) -> Result<Usage> {
        let repository = self.repository(directory)?;
        let root = repository.checkout.clone().unwrap_or(repository.root);
        let listed = self
            .reading(&root, "ls-files")
            .args(["--others", "--ignored", "--exclude-standard", "--directory", "-z"])
            .output()?;
        let ignored = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let ignored: Vec<PathBuf> =
            ignored.filter_map(|name| crate::repository::path(name).ok()).collect();
        let until = Instant::now() + LONGEST;
        let mut usage = Usage {
            path: root.clone(),
            branch: repository.branch,
            bytes: 0,
            ignored: 0,
            files: 0,
            partial: false,
        };
        for name in ignored {
            let (bytes, _, whole) = below(&root.join(name), until);
            usage.ignored += bytes;
            usage.partial |= !whole;
        }
        let (bytes, files, whole) = below(&root, until);
        (usage.bytes, usage.files) = (bytes, files);
        usage.partial |= !whole;
        Ok(usage)
    }
}

/// Bytes and files at and below a path, and whether these are all. The repository itself (`.git` of the main
/// checkout) is shared and not counted.
fn below(path: &Path, until: Instant) -> (u64, u64, bool) {
    let Ok(top) = fs::symlink_metadata(path) else { return (0, 0, true) };
    let (mut bytes, mut files) = (room(&top), u64::from(!top.is_dir()));
    let mut folders = if top.is_dir() { vec![path.to_owned()] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        if Instant::now() > until {
            return (bytes, files, false);
        }
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if folder == path && entry.file_name() == ".git" {
                continue;
            }
            if found.is_dir() && !same_disk(&found, &top) {
                continue;
            }
            bytes += room(&found);
            if found.is_dir() {
                folders.push(entry.path());
            } else {
                files += 1;
            }
        }
    }
    (bytes, files, true)
}

#[cfg(unix)]
fn room(found: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    found.blocks() * 512
}

#[cfg(not(unix))]
fn room(found: &Metadata) -> u64 {
    found.len()
}

#[cfg(unix)]
fn same_disk(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    one.dev() == other.dev()
}

#[cfg(not(unix))]
fn same_disk(_: &Metadata, _: &Metadata) -> bool {
    true
}
