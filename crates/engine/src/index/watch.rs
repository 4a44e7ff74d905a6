//! Being told when something is written to a store. What cannot be watched is looked at from time to time.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use maestro_agents::store::Place;
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher};

use super::Ask;

/// How often places are looked for again that come into being while they are begun to be watched.
const WAYS: u32 = 8;

/// Watches the places of sessions.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
    /// Folders in which a place will be that is not there yet.
    awaited: HashSet<PathBuf>,
    /// Whether every place that exists is watched.
    whole: bool,
}

impl Watch {
    pub(super) fn new(asks: Sender<Ask>) -> Self {
        let told = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            // Reading is no change; what kind of change it was is looked at in the file.
            if event.kind.is_access() {
                return;
            }
            for path in event.paths {
                let _ = asks.send(Ask::Changed(path));
            }
        };
        let config = Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(told, config)
            .inspect_err(|error| tracing::warn!(%error, "stored sessions cannot be watched"))
            .ok();
        Self { watcher, watched: HashSet::new(), awaited: HashSet::new(), whole: false }
    }

    /// Watches what of these places exists, and for the others the folder in which they will be.
    pub(super) fn add(&mut self, places: &[Place]) {
        let look = || -> (HashSet<PathBuf>, HashSet<PathBuf>) {
            let folders: HashSet<PathBuf> = places.iter().flat_map(Place::folders).collect();
            let awaited = places.iter().filter_map(Place::awaited);
            let awaited = awaited.filter(|folder| !folders.contains(folder)).collect();
            (folders, awaited)
        };
        let (mut folders, mut awaited) = look();
        // What is made while its folder is not watched yet would not be seen.
        for _ in 0..WAYS {
            self.watch(places, &folders, &awaited);
            let now = look();
            if now == (folders, awaited) {
                return;
            }
            (folders, awaited) = now;
        }
        self.whole = false;
    }

    fn watch(&mut self, places: &[Place], folders: &HashSet<PathBuf>, awaited: &HashSet<PathBuf>) {
        self.whole = self.watcher.is_some();
        let Some(watcher) = &mut self.watcher else { return };
        self.awaited.retain(|folder| {
            let stays = awaited.contains(folder);
            if !stays && !folders.contains(folder) {
                let _ = watcher.unwatch(folder);
            }
            stays
        });
        for folder in awaited {
            if self.awaited.contains(folder) {
                continue;
            }
            if watcher.watch(folder, RecursiveMode::NonRecursive).is_ok() {
                let _ = self.awaited.insert(folder.clone());
            }
        }
        self.watched.retain(|known| folders.contains(known));
        for folder in folders {
            if self.watched.contains(folder) {
                continue;
            }
            match watcher.watch(folder, depth(folder, places)) {
                Ok(()) => {
                    let _ = self.watched.insert(folder.clone());
                }
                Err(error) => {
                    tracing::info!(%error, folder = %folder.display(), "this is looked at instead of watched");
                    self.whole = false;
                }
            }
        }
    }

    /// Whether nothing can be missed.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }
}

/// A database's folder has much else in folders below it.
fn depth(folder: &Path, places: &[Place]) -> RecursiveMode {
    let of_database = places
        .iter()
        .any(|place| place.path.extension().is_some() && place.path.parent() == Some(folder));
    if of_database { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive }
}
