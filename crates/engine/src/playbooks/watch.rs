//! Telling clients that checklists below a folder were changed.
//!
//! One thread has the system's watcher. What the system tells is gathered for a moment, so that saving ten
//! files is one change. What cannot be watched (a folder that is not there yet, one with links to other
//! folders, a system without watches to spare) is looked at from time to time.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher as _};

/// How long changes are gathered.
const GATHER: Duration = Duration::from_millis(300);
/// How often what cannot be watched is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// Folders that one client follows.
const FOLLOWED: usize = 64;
/// Paths that are remembered while they are gathered. Beyond it everything counts as changed.
const PATHS: usize = 1_024;
/// Entries that are looked at in a folder that cannot be watched.
const ENTRIES: usize = 20_000;
/// How deep they are looked at.
const DEPTH: usize = 16;

/// Is told each folder in which something changed. Must not block.
pub(crate) type Tell = Arc<dyn Fn(PathBuf) + Send + Sync>;

/// Who follows which folders. A cheap handle; the thread ends with the last one.
#[derive(Clone)]
pub(crate) struct Watches {
    shared: Arc<Shared>,
    /// Ends the thread.
    _alive: Arc<Alive>,
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").finish_non_exhaustive()
    }
}

struct Shared {
    state: Mutex<State>,
    woken: Condvar,
    tell: Tell,
}

#[derive(Default)]
struct State {
    /// Folders by who follows them.
    clients: HashMap<u64, HashSet<PathBuf>>,
    /// What the system told since it was last looked at.
    paths: HashSet<PathBuf>,
    too_many: bool,
    /// Whether `clients` changed.
    asked: bool,
    started: bool,
    ended: bool,
}

/// Ends the thread when it goes.
struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.woken.notify_all();
    }
}

impl Shared {
    /// Never held across a call into the watcher: its thread waits for this, too.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watches {
    /// Nobody follows anything yet; the thread is started by the first who does.
    pub(crate) fn new(tell: Tell) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default(), woken: Condvar::new(), tell });
        Self { _alive: Arc::new(Alive(Arc::clone(&shared))), shared }
    }

    /// Lets a client follow a folder, or not any more. Gives whether it could: a client follows so many
    /// folders at most.
    pub(crate) fn follow(&self, client: u64, folder: &Path, follow: bool) -> bool {
        let mut state = self.shared.state();
        let folders = state.clients.entry(client).or_default();
        if follow && folders.len() >= FOLLOWED && !folders.contains(folder) {
            return false;
        }
        let changed =
            if follow { folders.insert(folder.to_owned()) } else { folders.remove(folder) };
        if changed {
            state.asked = true;
            self.shared.woken.notify_all();
        }
        if follow && !state.started {
            state.started = true;
            let shared = Arc::clone(&self.shared);
            let started = std::thread::Builder::new()
                .name("playbooks".to_owned())
                .spawn(move || work(&shared));
            if let Err(error) = started {
                tracing::warn!(%error, "checklists cannot be watched");
            }
        }
        true
    }

    /// A client is gone.
    pub(crate) fn forget(&self, client: u64) {
        let mut state = self.shared.state();
        if state.clients.remove(&client).is_some_and(|folders| !folders.is_empty()) {
            state.asked = true;
            self.shared.woken.notify_all();
        }
    }
}

/// A folder that somebody follows.
struct Folder {
    /// Without links: this is what the system tells about. `None` when it is not there.
    real: Option<PathBuf>,
    /// Whether the system tells every change.
    whole: bool,
    /// What it looked like.
    stamp: u64,
}

fn work(shared: &Arc<Shared>) {
    let weak = Arc::downgrade(shared);
    let told = move |event: notify::Result<notify::Event>| {
        let Some(shared) = weak.upgrade() else { return };
        let mut state = shared.state();
        match event {
            // Reading is no change, and we read.
            Ok(event) if event.kind.is_access() => return,
            Ok(event) => {
                state.too_many |= event.need_rescan();
                for path in event.paths {
                    if state.paths.len() >= PATHS {
                        state.too_many = true;
                        break;
                    }
                    let _ = state.paths.insert(path);
                }
            }
            Err(_) => state.too_many = true,
        }
        shared.woken.notify_all();
    };
    let config = Config::default().with_follow_symlinks(false);
    let mut watcher = RecommendedWatcher::new(told, config)
        .inspect_err(|error| tracing::warn!(%error, "checklists are looked at instead of watched"))
        .ok();
    let mut folders: HashMap<PathBuf, Folder> = HashMap::new();
    loop {
        let Some(news) = wait(shared, folders.values().any(|folder| !folder.whole)) else { return };
        if let Some(wanted) = news.wanted {
            folders.retain(|path, folder| {
                let keep = wanted.contains(path);
                if !keep {
                    unwatch(watcher.as_mut(), folder);
                }
                keep
            });
            for path in wanted {
                let _ = folders.entry(path).or_insert_with_key(|path| {
                    let mut folder = Folder { real: None, whole: false, stamp: 0 };
                    arm(watcher.as_mut(), path, &mut folder);
                    folder
                });
            }
        }
        for (path, folder) in &mut folders {
            let real = folder.real.clone();
            let told = news.too_many
                || real
                    .as_ref()
                    .is_some_and(|real| news.paths.iter().any(|at| at.starts_with(real)));
            let looked = !folder.whole && stamp(path).0 != folder.stamp;
            if !told && !looked {
                continue;
            }
            // The folder itself may be another one now.
            if looked || real.is_some_and(|real| news.paths.contains(&real) || !real.is_dir()) {
                unwatch(watcher.as_mut(), folder);
                arm(watcher.as_mut(), path, folder);
            } else {
                refresh(path, folder);
            }
            (shared.tell)(path.clone());
        }
    }
}

/// What there is to do.
struct News {
    /// The folders that are followed, if that changed.
    wanted: Option<HashSet<PathBuf>>,
    paths: HashSet<PathBuf>,
    too_many: bool,
}

/// Waits until something was told or asked, or until it is time to look. `None` at the end.
fn wait(shared: &Shared, look: bool) -> Option<News> {
    let mut state = shared.state();
    let due = Instant::now() + LOOK;
    let mut gathered: Option<Instant> = None;
    loop {
        if state.ended {
            return None;
        }
        let now = Instant::now();
        let told = !state.paths.is_empty() || state.too_many;
        if told && gathered.is_none() {
            gathered = Some(now + GATHER);
        }
        let until = match gathered {
            Some(at) => Some(at),
            None if look => Some(due),
            None => None,
        };
        // What is asked is done at once: from then on nothing may be missed.
        if state.asked || until.is_some_and(|until| now >= until) {
            break;
        }
        state = match until {
            Some(until) => {
                shared
                    .woken
                    .wait_timeout(state, until.saturating_duration_since(now))
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            None => shared.woken.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
    }
    let wanted = std::mem::take(&mut state.asked)
        .then(|| state.clients.values().flatten().cloned().collect());
    Some(News {
        wanted,
        paths: std::mem::take(&mut state.paths),
        too_many: std::mem::take(&mut state.too_many),
    })
}

fn arm(watcher: Option<&mut RecommendedWatcher>, path: &Path, folder: &mut Folder) {
    folder.real = path.canonicalize().ok().filter(|real| real.is_dir());
    let watched = match (&folder.real, watcher) {
        (Some(real), Some(watcher)) => watcher
            .watch(real, RecursiveMode::Recursive)
            .inspect_err(|error| {
                tracing::info!(%error, folder = %path.display(), "this is looked at instead of watched");
            })
            .is_ok(),
        _ => false,
    };
    // Only now, so that a change in between is seen by one of the two.
    folder.whole = watched;
    refresh(path, folder);
}

/// Remembers what a folder looks like. Links to other folders are not watched.
fn refresh(path: &Path, folder: &mut Folder) {
    let (stamp, has_links) = stamp(path);
    folder.stamp = stamp;
    folder.whole &= !has_links;
}

fn unwatch(watcher: Option<&mut RecommendedWatcher>, folder: &Folder) {
    if let (Some(watcher), Some(real)) = (watcher, &folder.real) {
        // One that is gone is not watched any more anyway.
        let _ = watcher.unwatch(real);
    }
}

/// A number for what a folder looks like, and whether links in it lead to other folders.
fn stamp(path: &Path) -> (u64, bool) {
    let mut hasher = DefaultHasher::new();
    let mut links = false;
    let mut left = ENTRIES;
    look(path, 0, &mut left, &mut links, &mut hasher);
    (hasher.finish(), links)
}

fn look(
    folder: &Path,
    depth: usize,
    left: &mut usize,
    links: &mut bool,
    hasher: &mut DefaultHasher,
) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).take(*left).collect();
    paths.sort();
    *left -= paths.len();
    for path in paths {
        let Ok(about) = path.metadata() else { continue };
        path.hash(hasher);
        if about.is_dir() {
            *links |= path.is_symlink();
            if depth < DEPTH {
                look(&path, depth + 1, left, links, hasher);
            }
        } else {
            about.len().hash(hasher);
            about.modified().ok().hash(hasher);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// Long enough for the slowest machine; a test that meets it has failed.
    const DEADLINE: Duration = Duration::from_secs(60);

    fn watches() -> (Watches, Receiver<PathBuf>) {
        let (sender, told) = channel();
        let tell = move |folder| {
            let _ = sender.send(folder);
        };
        (Watches::new(Arc::new(tell)), told)
    }

    /// Changes something until it is told, for a watch begins some time after it was asked for.
    fn until_told(told: &Receiver<PathBuf>, folder: &Path, change: impl Fn(u32)) {
        let begun = Instant::now();
        for number in 0.. {
            change(number);
            if told.recv_timeout(Duration::from_secs(1)).is_ok_and(|told| told == folder) {
                return;
            }
            assert!(begun.elapsed() < DEADLINE, "nothing was told about {}", folder.display());
        }
    }

    #[test]
    fn changes_below_a_folder_are_told_also_when_it_comes_and_goes() {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path().canonicalize().expect("a path");
        let folder = root.join("later/playbooks");
        let (watches, told) = watches();
        assert!(watches.follow(1, &folder, true));
        // Not there yet.
        until_told(&told, &folder, |number| {
            let deep = folder.join("deep").join(number.to_string());
            fs::create_dir_all(deep).expect("a folder");
        });
        until_told(&told, &folder, |number| {
            fs::write(folder.join("deep/0/a.md"), number.to_string()).expect("a file");
        });
        // Another folder under the same name.
        until_told(&told, &folder, |_| {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).expect("a folder");
        });
        until_told(&told, &folder, |number| {
            fs::write(folder.join("b.md"), number.to_string()).expect("a file");
        });
        drop(watches);
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_behind_a_link_is_looked_at() {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path().canonicalize().expect("a path");
        let (folder, other) = (root.join("folder"), root.join("other"));
        fs::create_dir_all(&folder).expect("a folder");
        fs::create_dir_all(&other).expect("a folder");
        std::os::unix::fs::symlink(&other, folder.join("link")).expect("a link");
        let (watches, told) = watches();
        assert!(watches.follow(1, &folder, true));
        until_told(&told, &folder, |number| {
            fs::write(other.join("a.md"), "x".repeat(number as usize)).expect("a file");
        });
    }

    #[test]
    fn a_client_follows_so_many_folders_and_none_when_it_is_gone() {
        let (watches, _told) = watches();
        for number in 0..FOLLOWED {
            assert!(watches.follow(1, &PathBuf::from(format!("/nowhere/{number}")), true));
        }
        assert!(!watches.follow(1, Path::new("/nowhere/more"), true));
        assert!(watches.follow(1, Path::new("/nowhere/1"), true), "followed already");
        assert!(watches.follow(2, Path::new("/nowhere/more"), true), "another client");
        watches.forget(1);
        assert_eq!(watches.shared.state().clients.len(), 1);
    }
}
