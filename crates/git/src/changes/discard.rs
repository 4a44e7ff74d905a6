//! Throwing changes away so that they can be had back: what files were is kept first, byte by byte, under a
//! private reference. A file that is written in this very moment is refused.

use std::fs::{self, Metadata};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use maestro_core::changes::{Discard, EntryKind, File, Name, Status};

use super::{kind_of, place};
use crate::error::Error;
use crate::restore::remove;
use crate::{Git, Result};

/// Where discards are kept, below our own references.
pub(super) const KEPT: &str = "discards";
/// The folders of what is kept: as it was, and as the discard left it.
pub(super) const BEFORE: &str = "before";
pub(super) const AFTER: &str = "after";
/// How long a discard can be undone, in milliseconds, and how many are kept at most.
const DAYS_30: u64 = 30 * 24 * 3600 * 1000;
const MOST: usize = 200;
/// Files that are told of one discard.
const TOLD: usize = 1000;
/// First words of what is kept.
pub(super) const TITLE: &str = "Discarded by Maestro";

/// What is to be thrown away.
#[derive(Debug, Default)]
pub(super) struct Discarding {
    /// Files as a whole.
    whole: Vec<File>,
    /// Parts of files: what each has to be now, and what becomes of it.
    parts: Vec<(File, Vec<u8>, Vec<u8>)>,
}

/// A file that is kept: what it is, and the object; nothing where there is none.
pub(crate) type Kept = (Name, Option<(EntryKind, String)>);

impl Discarding {
    pub(super) fn whole(&mut self, file: File) {
        self.whole.push(file);
    }

    pub(super) fn part(&mut self, file: File, was: Vec<u8>, is: Vec<u8>) {
        self.parts.push((file, was, is));
    }
}

/// By what it is seen that a file was not written since.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp(Option<Seen>);

/// When it was written, how long it is, what it is, and what the system knows it by.
type Seen = (Option<SystemTime>, u64, EntryKind, (u64, i64, i64));

impl Stamp {
    pub(super) fn of(path: &Path) -> Self {
        let Ok(found) = path.symlink_metadata() else { return Self(None) };
        Self(Some((found.modified().ok(), found.len(), kind_of(&found), inner(&found))))
    }
}

#[cfg(unix)]
fn inner(found: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.ino(), found.ctime(), found.ctime_nsec())
}

#[cfg(not(unix))]
fn inner(_found: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

impl Git {
    /// Keeps what the files are, then throws the changes away.
    pub(super) fn discard(
        &self,
        checkout: &Path,
        discarding: Discarding,
        now_ms: u64,
    ) -> Result<Discard> {
        let names: Vec<Name> = discarding
            .whole
            .iter()
            .chain(discarding.parts.iter().map(|(file, ..)| file))
            .map(|file| file.name.clone())
            .collect();
        for name in &names {
            let path = place(checkout, name).ok_or_else(|| Error::CannotChange {
                name: name.to_string(),
                because: "has a link or a file on the way to it".to_owned(),
            })?;
            if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                return Err(Error::CannotChange {
                    name: name.to_string(),
                    because: "is a folder now; discard what is in it first".to_owned(),
                });
            }
        }
        let stamps: Vec<Stamp> =
            names.iter().map(|name| Stamp::of(&checkout.join_name(name))).collect();
        let before = self.raw(checkout, &names)?;
        let still = || {
            let changed = names
                .iter()
                .zip(&stamps)
                .find(|(name, stamp)| Stamp::of(&checkout.join_name(name)) != **stamp);
            match changed {
                Some((name, _)) => Err(Error::ChangedMeanwhile { name: name.to_string() }),
                None => Ok(()),
            }
        };
        let kept = self.keep_discard(checkout, &names, &before, None, now_ms)?;
        still()?;
        let (mut back, mut gone, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for file in &discarding.whole {
            match (file.status, file.before.kind) {
                (Status::Untracked, _) => gone.push(&file.name),
                // Git was told of it, but has nothing of it yet.
                (_, EntryKind::Nothing) => {
                    gone.push(&file.name);
                    unknown.extend_from_slice(file.name.as_bytes());
                    unknown.push(0);
                }
                _ => {
                    back.extend_from_slice(file.name.as_bytes());
                    back.push(0);
                }
            }
        }
        for (file, _, then) in &discarding.parts {
            put(checkout, &file.name, then, file.after.kind)?;
        }
        for name in gone {
            if let Some(path) = name.to_path() {
                remove(checkout, &path)?;
            }
        }
        if !back.is_empty() {
            let _ = self
                .writing(checkout, "checkout-index")
                .args(["--force", "--quiet", "-z", "--stdin"])
                .stdin(back)
                .output()?;
        }
        if !unknown.is_empty() {
            let _ = self
                .writing(checkout, "update-index")
                .args(["-z", "--force-remove", "--stdin"])
                .stdin(unknown)
                .output()?;
        }
        let after = self.raw(checkout, &names)?;
        self.name_discard(checkout, &kept, &names, &before, Some(&after), now_ms)?;
        self.prune_discards(checkout, now_ms);
        Ok(Discard { id: kept, at_ms: now_ms, files: names })
    }

    /// Keeps files under a new name, and gives it.
    pub(crate) fn keep_discard(
        &self,
        checkout: &Path,
        names: &[Name],
        before: &[Kept],
        after: Option<&[Kept]>,
        now_ms: u64,
    ) -> Result<String> {
        let taken = self.kept(checkout, KEPT)?;
        let is_taken = |id: &str| taken.iter().any(|(name, _)| name.ends_with(&format!("/{id}")));
        let mut number = now_ms;
        while is_taken(&format!("{number:013}")) {
            number += 1;
        }
        let id = format!("{number:013}");
        self.name_discard(checkout, &id, names, before, after, now_ms)?;
        Ok(id)
    }

    pub(crate) fn name_discard(
        &self,
        checkout: &Path,
        id: &str,
        names: &[Name],
        before: &[Kept],
        after: Option<&[Kept]>,
        now_ms: u64,
    ) -> Result<()> {
        let scratch = tempfile::Builder::new().prefix("maestro-index-").tempdir();
        let scratch = scratch.map_err(|source| Error::Process {
            command: "update-index".into(),
            source: Arc::new(source),
        })?;
        let index = scratch.path().join("index");
        let mut entries = Vec::new();
        let sides = [(BEFORE, Some(before)), (AFTER, after)];
        for (folder, kept) in sides.into_iter().filter_map(|(folder, kept)| Some((folder, kept?))) {
            for (name, kept) in kept {
                let Some((kind, object)) = kept else { continue };
                entries
                    .extend_from_slice(format!("{} {object}\t{folder}/", mode(*kind)).as_bytes());
                entries.extend_from_slice(name.as_bytes());
                entries.push(0);
            }
            // So that the folder is there even if nothing is in it.
            let empty = self
                .owning(checkout, "hash-object")
                .args(["-w", "--no-filters", "--stdin"])
                .output()?;
            let empty = String::from_utf8_lossy(&empty).trim().to_owned();
            entries.extend_from_slice(format!("100644 {empty}\t{folder}.is\0").as_bytes());
        }
        let _ = self
            .owning(checkout, "update-index")
            .config("core.splitIndex=false")
            .env("GIT_INDEX_FILE", &index)
            .args(["-z", "--index-info"])
            .stdin(entries)
            .output()?;
        let tree = self
            .owning(checkout, "write-tree")
            .config("core.splitIndex=false")
            .env("GIT_INDEX_FILE", &index)
            .output()?;
        let tree = String::from_utf8_lossy(&tree).trim().to_owned();
        let mut message = format!("{TITLE}\n\ncheckout {}\n", Name::of_path(checkout));
        for name in names.iter().take(TOLD) {
            message += &format!("file {name}\n");
        }
        let mut call = self.owning(checkout, "commit-tree").args(["--no-gpg-sign"]);
        let date = format!("@{} +0000", now_ms / 1000);
        for (name, value) in [
            ("GIT_AUTHOR_NAME", "Maestro"),
            ("GIT_AUTHOR_EMAIL", "maestro@localhost"),
            ("GIT_AUTHOR_DATE", &date),
            ("GIT_COMMITTER_NAME", "Maestro"),
            ("GIT_COMMITTER_EMAIL", "maestro@localhost"),
            ("GIT_COMMITTER_DATE", &date),
        ] {
            call = call.env(name, value);
        }
        let commit = call.arg(&tree).stdin(message).output()?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        self.keep(checkout, &[(format!("{KEPT}/{id}"), commit)])
    }

    /// Forgets discards that are older than a month, and those that are more than are kept.
    fn prune_discards(&self, checkout: &Path, now_ms: u64) {
        let Ok(mut kept) = self.kept(checkout, KEPT) else { return };
        kept.sort();
        let too_many = kept.len().saturating_sub(MOST);
        for (number, (name, _)) in kept.iter().enumerate() {
            let at: Option<u64> = name.rsplit('/').next().and_then(|id| id.parse().ok());
            if number < too_many || at.is_none_or(|at| at.saturating_add(DAYS_30) < now_ms) {
                let _ = self.forget(checkout, name);
            }
        }
    }

    /// Files as they are on the disk, byte by byte, as objects of the repository.
    pub(crate) fn raw(&self, checkout: &Path, names: &[Name]) -> Result<Vec<Kept>> {
        let mut kept: Vec<Kept> = Vec::new();
        let (mut list, mut listed) = (Vec::new(), Vec::new());
        for name in names {
            let path = place(checkout, name);
            let found = path.as_ref().and_then(|path| path.symlink_metadata().ok());
            let Some((path, found)) = path.zip(found) else {
                kept.push((name.clone(), None));
                continue;
            };
            let kind = kind_of(&found);
            if !found.is_file() && !found.is_symlink() {
                return Err(Error::CannotChange {
                    name: name.to_string(),
                    because: "is neither a file nor a link".to_owned(),
                });
            }
            if found.is_file() && !name.as_bytes().contains(&b'\n') {
                listed.push(kept.len());
                list.extend_from_slice(name.as_bytes());
                list.push(b'\n');
                kept.push((name.clone(), Some((kind, String::new()))));
                continue;
            }
            let content = if found.is_symlink() {
                fs::read_link(&path).map(|target| Name::of_path(&target).as_bytes().to_vec())
            } else {
                fs::read(&path)
            };
            let content =
                content.map_err(|source| Error::Unreadable { path, source: Arc::new(source) })?;
            let id = self
                .owning(checkout, "hash-object")
                .args(["-w", "--no-filters", "--stdin"])
                .stdin(content)
                .output()?;
            let id = String::from_utf8_lossy(&id).trim().to_owned();
            kept.push((name.clone(), Some((kind, id))));
        }
        if !listed.is_empty() {
            let ids = self
                .owning(checkout, "hash-object")
                .args(["-w", "--no-filters", "--stdin-paths"])
                .stdin(list)
                .output()?;
            let ids = String::from_utf8_lossy(&ids);
            let ids: Vec<&str> = ids.lines().collect();
            if ids.len() != listed.len() {
                let name = names.first().map(ToString::to_string).unwrap_or_default();
                return Err(Error::ChangedMeanwhile { name });
            }
            for (at, id) in listed.into_iter().zip(ids) {
                if let Some((_, Some((_, known)))) = kept.get_mut(at) {
                    *known = id.to_owned();
                }
            }
        }
        Ok(kept)
    }
}

fn mode(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Executable => "100755",
        EntryKind::Link => "120000",
        _ => "100644",
    }
}

/// Joins a name that was found to lie inside.
pub(super) trait JoinName {
    fn join_name(&self, name: &Name) -> std::path::PathBuf;
}

impl JoinName for Path {
    fn join_name(&self, name: &Name) -> std::path::PathBuf {
        name.to_path().map_or_else(|| self.to_owned(), |path| self.join(path))
    }
}

/// Writes a file at once: whoever reads it sees all of it or what was there before.
pub(super) fn put(checkout: &Path, name: &Name, content: &[u8], kind: EntryKind) -> Result<()> {
    let path = place(checkout, name).ok_or_else(|| Error::CannotChange {
        name: name.to_string(),
        because: "has a link or a file on the way to it".to_owned(),
    })?;
    let failed = |source| Error::Folder { path: path.clone(), source: Arc::new(source) };
    let folder = path.parent().unwrap_or(checkout);
    fs::create_dir_all(folder).map_err(failed)?;
    #[cfg(unix)]
    if kind == EntryKind::Link {
        use std::os::unix::ffi::OsStrExt as _;
        let _ = fs::remove_file(&path);
        let target = Path::new(std::ffi::OsStr::from_bytes(content));
        return std::os::unix::fs::symlink(target, &path).map_err(failed);
    }
    let mut builder = tempfile::Builder::new();
    let _ = builder.prefix(".maestro-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The user's mask is taken off by the system.
        let all = if kind == EntryKind::Executable { 0o777 } else { 0o666 };
        let _ = builder.permissions(fs::Permissions::from_mode(all));
    }
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    if let Ok(found) = path.symlink_metadata()
        && found.is_file()
        && kind_of(&found) == kind
    {
        let _ = file.as_file().set_permissions(found.permissions());
    }
    let _ = file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}
