//! What was shown last, so that the next screen of the same file costs no look at all of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use maestro_core::changes::patch::Patch;
use maestro_core::changes::{File, Listing, Look, Name, Source};
use maestro_git::{Git, Side, Sides};
use maestro_protocol::message::{Error, ErrorKind};

use crate::host::refuse;

/// Lists that are remembered, and bytes of differences.
const LISTS: usize = 16;
const WEIGHT: usize = 96 << 20;
const PATCHES: usize = 64;
/// Fetches, pulls and pushes at once.
const SYNCS: usize = 32;

/// What is remembered of changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    lists: Mutex<Vec<List>>,
    patches: Mutex<Vec<Known>>,
    /// Held while something is staged, discarded or put back.
    changing: tokio::sync::Mutex<()>,
    /// What is fetched, pulled and pushed just now, and what ends it.
    syncs: Mutex<HashMap<u64, Arc<AtomicBool>>>,
}

#[derive(Debug)]
struct List {
    directory: PathBuf,
    source: Source,
    sides: Sides,
    files: Arc<Vec<File>>,
}

#[derive(Debug)]
struct Known {
    directory: PathBuf,
    sides: Sides,
    file: File,
    look: Look,
    stamp: Stamp,
    patch: Arc<Patch>,
}

/// By what it is seen that a difference is still the same.
type Stamp = Vec<Option<(SystemTime, u64)>>;

impl Changes {
    /// Only one changes something at a time: what one has looked at stays as it is until it is done.
    pub(crate) async fn one_at_a_time(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Remembers something that goes on, and gives what ends it.
    pub(super) fn begin_sync(&self, token: u64) -> Result<Arc<AtomicBool>, Error> {
        let mut syncs = lock(&self.syncs);
        if syncs.len() >= SYNCS || syncs.contains_key(&token) {
            let text = "too much is fetched and pushed just now; wait for some of it";
            return Err(refuse(ErrorKind::Busy, text));
        }
        Ok(Arc::clone(syncs.entry(token).or_default()))
    }

    pub(super) fn end_sync(&self, token: u64) {
        let _ = lock(&self.syncs).remove(&token);
    }

    pub(super) fn cancel_sync(&self, token: u64) {
        if let Some(stop) = lock(&self.syncs).get(&token) {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets everything: files are looked at in another way from now on.
    pub(super) fn forget(&self) {
        lock(&self.lists).clear();
        lock(&self.patches).clear();
    }

    /// Remembers a list.
    pub(super) fn keep_list(
        &self,
        directory: &Path,
        source: &Source,
        sides: &Sides,
        listing: &Listing,
    ) {
        let list = List {
            directory: directory.to_owned(),
            source: source.clone(),
            sides: sides.clone(),
            files: Arc::new(listing.files.clone()),
        };
        let mut lists = lock(&self.lists);
        lists.retain(|known| known.directory != directory || known.source != *source);
        lists.insert(0, list);
        lists.truncate(LISTS);
    }

    /// A file of a list that is remembered.
    pub(super) fn listed(
        &self,
        directory: &Path,
        source: &Source,
        name: &Name,
    ) -> Option<(Sides, File)> {
        let (sides, files) = {
            let lists = lock(&self.lists);
            let list = lists
                .iter()
                .find(|known| known.directory == directory && known.source == *source)?;
            (list.sides.clone(), Arc::clone(&list.files))
        };
        let at = files.binary_search_by(|file| file.name.cmp(name)).ok()?;
        Some((sides, files.get(at)?.clone()))
    }

    /// The difference of a file: what is remembered, where it is still the same.
    pub(super) fn patch(
        &self,
        git: &Git,
        directory: &Path,
        sides: &Sides,
        file: &File,
        look: Look,
    ) -> maestro_git::Result<Arc<Patch>> {
        let stamp = stamp(git, directory, sides, file)?;
        let is_it = |known: &Known| {
            known.directory == directory
                && known.sides == *sides
                && known.file == *file
                && known.look == look
        };
        {
            let mut patches = lock(&self.patches);
            if let Some(at) = patches.iter().position(is_it) {
                let known = patches.remove(at);
                if known.stamp == stamp {
                    let patch = Arc::clone(&known.patch);
                    patches.insert(0, known);
                    return Ok(patch);
                }
            }
        }
        let patch = Arc::new(git.patch(directory, sides, file, look)?);
        let mut patches = lock(&self.patches);
        patches.insert(
            0,
            Known {
                directory: directory.to_owned(),
                sides: sides.clone(),
                file: file.clone(),
                look,
                stamp,
                patch: Arc::clone(&patch),
            },
        );
        patches.truncate(PATCHES);
        let mut weight = 0;
        patches.retain(|known| {
            weight += known.patch.weight();
            weight <= WEIGHT
        });
        Ok(patch)
    }
}

/// The file and the index as they are now, as far as the difference is about them.
fn stamp(git: &Git, directory: &Path, sides: &Sides, file: &File) -> maestro_git::Result<Stamp> {
    let repository = git.repository(directory)?;
    // It says how files become what the index has.
    let mut paths = vec![repository.common_dir.join("config")];
    if sides.new == Side::Files
        && let Some((checkout, name)) = repository.checkout.as_ref().zip(file.name.to_path())
    {
        paths.push(checkout.join(name));
    }
    if [&sides.old, &sides.new].contains(&&Side::Index) {
        paths.push(repository.git_dir.join("index"));
    }
    let stamp = |path: PathBuf| {
        let found = path.symlink_metadata().ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    Ok(paths.into_iter().map(stamp).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
