//! Being told when something is written to a store. What cannot be watched is looked at from time to time.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use maestro_agents::store::Place;
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher};

use super::Ask;

/// Watches the places of sessions.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
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
        Self { watcher, watched: HashSet::new(), whole: false }
    }

    /// Watches what of these places exists.
    pub(super) fn add(&mut self, places: &[Place]) {
        self.whole = self.watcher.is_some();
        let Some(watcher) = &mut self.watcher else { return };
        let folders: HashSet<PathBuf> = places.iter().flat_map(Place::folders).collect();
        self.watched.retain(|known| folders.contains(known));
        for folder in folders {
            if self.watched.contains(&folder) {
                continue;
            }
            match watcher.watch(&folder, depth(&folder, places)) {
                Ok(()) => {
                    let _ = self.watched.insert(folder);
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
