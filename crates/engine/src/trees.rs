//! Knowing which worktree was changed: the system's watches on the folders in which git would notice
//! something, and on what git itself writes.
//!
//! One thread has the watcher. Ignored folders are not watched, so a build costs nothing. A worktree with
//! more folders than are watched is told about as far as they go, and whenever something is committed or
//! staged in it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use maestro_git::Git;
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher as _};

/// How long changes are gathered: an editor saves by several steps, and an agent several files.
const GATHER: Duration = Duration::from_millis(100);
/// Folders that are watched of one worktree, and of all.
const FOLDERS: usize = 8_000;
const ALL_FOLDERS: usize = 60_000;
/// Paths that are remembered while they are gathered. Beyond it everything counts as changed.
const PATHS: usize = 4_096;

/// Is told the roots below which something changed. Must not block.
pub(crate) type Tell = Arc<dyn Fn(HashSet<PathBuf>) + Send + Sync>;

/// Who wants something watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// Who rehearses conflicts.
    Conflicts,
    /// Who says how checkouts stand.
    Standings,
}

/// One watcher for several that want the same folders watched: the system has few watches to give.
#[derive(Debug)]
pub(crate) struct Hub {
    trees: Trees,
    wanted: Mutex<BTreeMap<Slot, BTreeMap<PathBuf, Kind>>>,
}

impl Hub {
    /// Nothing is watched yet. Everybody is told of everything.
    pub(crate) fn new(tell: Tell) -> Self {
        Self { trees: Trees::new(tell), wanted: Mutex::default() }
    }

    /// Watches exactly these roots for this one from now on. Each that nobody watched before is told once it
    /// is watched.
    pub(crate) fn watch(&self, slot: Slot, git: &Git, roots: BTreeMap<PathBuf, Kind>) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = wanted.insert(slot, roots);
        let all = wanted.values().flatten().map(|(root, kind)| (root.clone(), kind.clone()));
        self.trees.watch(git, all.collect());
    }
}

/// What is watched of one root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A checkout: its folders that are not ignored, and this git directory of its own.
    Checkout {
        /// Where its index and head are.
        git_dir: PathBuf,
    },
    /// What the worktrees of a repository share: its references and its list of worktrees.
    Shared,
}

/// The watched roots. The thread ends when this goes.
pub(crate) struct Trees {
    shared: Arc<Shared>,
}

impl fmt::Debug for Trees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trees").finish_non_exhaustive()
    }
}

struct Shared {
    state: Mutex<State>,
    woken: Condvar,
    tell: Tell,
}

#[derive(Default)]
struct State {
    wanted: BTreeMap<PathBuf, Kind>,
    /// What the system told since it was last looked at.
    paths: HashSet<PathBuf>,
    too_many: bool,
    /// Whether `wanted` changed.
    asked: bool,
    started: bool,
    ended: bool,
}

impl Shared {
    /// Never held across a call into the watcher: its thread waits for this, too.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Trees {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.woken.notify_all();
    }
}

impl Trees {
    /// Nothing is watched yet.
    pub(crate) fn new(tell: Tell) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::default(), woken: Condvar::new(), tell }) }
    }

    /// Watches exactly these roots from now on; each that is new is told once it is watched, so that
    /// nothing is missed in between.
    pub(crate) fn watch(&self, git: &Git, wanted: BTreeMap<PathBuf, Kind>) {
        let mut state = self.shared.state();
        if state.wanted == wanted {
            return;
        }
        state.wanted = wanted;
        state.asked = true;
        if !state.started {
            state.started = true;
            let (shared, git) = (Arc::clone(&self.shared), git.clone());
            let started = std::thread::Builder::new()
                .name("worktrees".to_owned())
                .spawn(move || work(&shared, &git));
            if let Err(error) = started {
                tracing::warn!(%error, "worktrees cannot be watched");
            }
        }
        self.shared.woken.notify_all();
    }
}

/// What the thread knows.
struct Watch {
    watcher: Option<RecommendedWatcher>,
    /// Which root a watched folder belongs to.
    folders: HashMap<PathBuf, PathBuf>,
    roots: BTreeMap<PathBuf, Kind>,
}

fn work(shared: &Arc<Shared>, git: &Git) {
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
    let watcher = RecommendedWatcher::new(told, Config::default().with_follow_symlinks(false))
        .inspect_err(|error| tracing::warn!(%error, "worktrees cannot be watched"))
        .ok();
    let mut watch = Watch { watcher, folders: HashMap::new(), roots: BTreeMap::new() };
    while let Some(news) = wait(shared) {
        let mut changed = HashSet::new();
        if let Some(wanted) = news.wanted {
            changed = watch.become_these(git, wanted);
        }
        if news.too_many {
            changed.extend(watch.roots.keys().cloned());
        }
        for path in &news.paths {
            changed.extend(watch.take(git, path));
        }
        if !changed.is_empty() {
            (shared.tell)(changed);
        }
    }
}

struct News {
    wanted: Option<BTreeMap<PathBuf, Kind>>,
    paths: HashSet<PathBuf>,
    too_many: bool,
}

/// Waits until there is something to do; `None` at the end. Nothing to do costs nothing.
fn wait(shared: &Shared) -> Option<News> {
    let mut state = shared.state();
    let mut until: Option<Instant> = None;
    loop {
        if state.ended {
            return None;
        }
        if state.asked {
            break;
        }
        if !state.paths.is_empty() || state.too_many {
            let due = *until.get_or_insert_with(|| Instant::now() + GATHER);
            let rest = due.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            let waited = shared.woken.wait_timeout(state, rest);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        } else {
            state = shared.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
    let wanted = std::mem::take(&mut state.asked).then(|| state.wanted.clone());
    Some(News {
        wanted,
        paths: std::mem::take(&mut state.paths),
        too_many: std::mem::take(&mut state.too_many),
    })
}

impl Watch {
    /// Watches these roots and no others. Gives those that are new.
    fn become_these(&mut self, git: &Git, wanted: BTreeMap<PathBuf, Kind>) -> HashSet<PathBuf> {
        let gone: Vec<PathBuf> = self
            .roots
            .iter()
            .filter(|(root, kind)| wanted.get(*root) != Some(*kind))
            .map(|(root, _)| root.clone())
            .collect();
        for root in gone {
            let _ = self.roots.remove(&root);
            let own: Vec<PathBuf> = self
                .folders
                .iter()
                .filter(|(_, of)| **of == root)
                .map(|(folder, _)| folder.clone())
                .collect();
            for folder in own {
                self.forget(&folder);
            }
        }
        let mut new = HashSet::new();
        for (root, kind) in wanted {
            if self.roots.contains_key(&root) {
                continue;
            }
            match &kind {
                Kind::Checkout { git_dir } => {
                    self.add(&root, git_dir);
                    self.add_below(git, &root, &root);
                }
                Kind::Shared => self.add_shared(&root),
            }
            let _ = self.roots.insert(root.clone(), kind);
            let _ = new.insert(root);
        }
        new
    }

    /// Something changed at a path: the root that it is below, if it is watched at all.
    fn take(&mut self, git: &Git, path: &Path) -> Option<PathBuf> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Git takes its locks all the time; what counts is the file that one becomes.
        if name.ends_with(".lock") {
            return None;
        }
        let root = path.parent().and_then(|folder| self.folders.get(folder)).cloned();
        let root = root.or_else(|| self.folders.get(path).cloned())?;
        let is_folder = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        if !is_folder {
            if self.folders.contains_key(path) && !path.exists() {
                self.forget(path);
            }
            return Some(root);
        }
        if !self.folders.contains_key(path) {
            match self.roots.get(&root) {
                Some(Kind::Shared) => self.add_shared(&root),
                Some(Kind::Checkout { .. }) if path.starts_with(&root) && name != ".git" => {
                    self.add_below(git, &root, path);
                }
                _ => {}
            }
        }
        Some(root)
    }

    fn add_below(&mut self, git: &Git, root: &Path, below: &Path) {
        match git.folders(below, FOLDERS) {
            Ok(found) => {
                if !found.is_whole {
                    tracing::info!(root = %root.display(), "only {FOLDERS} folders are watched");
                }
                for folder in found.folders {
                    self.add(root, &folder);
                }
            }
            Err(error) => tracing::debug!(%error, "a worktree is not watched"),
        }
    }

    /// References are in folders by their names, and each worktree has one of its own.
    fn add_shared(&mut self, common_dir: &Path) {
        self.add(common_dir, common_dir);
        let worktrees = common_dir.join("worktrees");
        if worktrees.is_dir() {
            self.add(common_dir, &worktrees);
        }
        let mut below = vec![common_dir.join("refs/heads")];
        while let Some(folder) = below.pop() {
            self.add(common_dir, &folder);
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            let folders = entries.flatten().filter(|one| one.file_type().is_ok_and(|t| t.is_dir()));
            below.extend(folders.map(|entry| entry.path()).take(FOLDERS));
        }
    }

    fn add(&mut self, root: &Path, folder: &Path) {
        if self.folders.len() >= ALL_FOLDERS || self.folders.contains_key(folder) {
            return;
        }
        if let Some(watcher) = &mut self.watcher
            && let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive)
        {
            tracing::debug!(folder = %folder.display(), %error, "a folder is not watched");
            return;
        }
        let _ = self.folders.insert(folder.to_owned(), root.to_owned());
    }

    fn forget(&mut self, folder: &Path) {
        let _ = self.folders.remove(folder);
        if let Some(watcher) = &mut self.watcher {
            let _ = watcher.unwatch(folder);
        }
    }
}
