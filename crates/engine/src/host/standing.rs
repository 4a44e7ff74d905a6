//! How the checkouts of agents stand: branch, ahead and behind, what is not committed, what is half done.
//!
//! Looked at when the system tells that something changed there, and only while somebody follows the world.
//! One git process at a time in each repository. Nothing to do costs a look into memory every other second.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use maestro_core::AgentId;
use maestro_core::agent::Agent;
use maestro_core::worktree::Standing;
use maestro_git::Git;
use maestro_protocol::message::Error;
use tokio::sync::Notify;

use super::tools::failed;
use super::{Shared, blocking};
use crate::trees::{Kind, Slot};

/// Checkouts that are watched at most.
const WATCHED: usize = 128;
/// How often it is looked which agents there are.
const LOOK: Duration = Duration::from_secs(2);
/// Between two looks at one checkout at least, and so many times as long as a look takes.
const APART: Duration = Duration::from_millis(500);
const REST: u32 = 4;
/// How soon a checkout is looked at again that could not be.
const AGAIN: Duration = Duration::from_secs(15);

/// What is known about checkouts.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    /// Roots below which something changed.
    changed: Mutex<HashSet<PathBuf>>,
    woken: Arc<Notify>,
}

impl Standings {
    /// Something changed below these roots. Does not block.
    pub(crate) fn changed(&self, roots: &HashSet<PathBuf>) {
        lock(&self.changed).extend(roots.iter().cloned());
        self.woken.notify_one();
    }
}

/// A checkout in which agents are.
#[derive(Debug, Clone)]
struct Checkout {
    git_dir: PathBuf,
    common_dir: PathBuf,
    agents: Vec<AgentId>,
    is_due: bool,
    follows: bool,
    /// Not before.
    next: Instant,
}

/// What came of a look.
struct Looked {
    root: PathBuf,
    common_dir: PathBuf,
    found: Result<Standing, maestro_git::Error>,
    took: Duration,
}

/// Keeps the standings true while somebody follows the world.
pub(super) async fn watch(shared: Arc<Shared>) {
    shared.until_recovered().await;
    let mut roots: HashMap<PathBuf, PathBuf> = HashMap::new();
    let mut checkouts: BTreeMap<PathBuf, Checkout> = BTreeMap::new();
    let mut watched: BTreeMap<PathBuf, Kind> = BTreeMap::new();
    // Where the checkout of an agent was known to git, also when it is not where it was.
    let mut git_dirs: HashMap<AgentId, PathBuf> = HashMap::new();
    let (sender, mut looked) = tokio::sync::mpsc::unbounded_channel::<Looked>();
    let mut at_work: HashSet<PathBuf> = HashSet::new();
    loop {
        let free = |one: &&Checkout| one.is_due && !at_work.contains(&one.common_dir);
        let due = checkouts.values().filter(free).map(|one| one.next).min();
        let due = due.map(tokio::time::Instant::from_std);
        let mut came = None;
        tokio::select! {
            () = shared.standings.woken.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = maestro_agents::process::until(due) => {}
            one = looked.recv() => came = one,
            () = shared.stopping() => return,
        }
        if let Some(came) = came {
            let _ = at_work.remove(&came.common_dir);
            if let Some(one) = checkouts.get_mut(&came.root) {
                one.next = Instant::now() + APART.max(came.took * REST);
                match came.found {
                    Ok(standing) => {
                        one.follows = standing.upstream.is_some();
                        tell(&shared, one, &standing);
                    }
                    Err(error) => {
                        tracing::debug!(root = %came.root.display(), %error, "not looked at");
                        (one.is_due, one.next) = (true, Instant::now() + AGAIN);
                    }
                }
            }
        }
        let Some(tools) = shared.tools.get() else { continue };
        let git = tools.git.clone();
        let agents = if shared.world.is_followed() { shared.world.agents() } else { Vec::new() };
        let lost = place(&git, &agents, &mut roots, &mut checkouts).await;
        let is_known = |id: &AgentId| agents.iter().any(|agent| agent.id == *id);
        git_dirs.retain(|id, _| is_known(id));
        for one in checkouts.values() {
            git_dirs.extend(one.agents.iter().map(|id| (*id, one.git_dir.clone())));
        }
        for (id, directory) in lost {
            if let Some(git_dir) = git_dirs.get(&id).filter(|_| !directory.exists()) {
                follow(&shared, directory, git_dir.clone());
            }
        }
        let wanted = wanted(&checkouts);
        if wanted != watched {
            shared.trees().watch(Slot::Standings, &git, wanted.clone());
            watched = wanted;
        }
        let changed = std::mem::take(&mut *lock(&shared.standings.changed));
        for (root, one) in &mut checkouts {
            // What all worktrees share moves what a branch is held against, and has the main one's index.
            let shares =
                changed.contains(&one.common_dir) && (one.follows || one.git_dir == one.common_dir);
            one.is_due |= shares || changed.contains(root);
            if changed.contains(root) && !root.exists() {
                follow(&shared, root.clone(), one.git_dir.clone());
            }
        }
        let now = Instant::now();
        for (root, one) in &mut checkouts {
            if !one.is_due || one.next > now || at_work.contains(&one.common_dir) {
                continue;
            }
            if shared.world.worktree(root).is_some() {
                // Its files are being written: whatever git says is not how it stands.
                one.next = now + APART;
                continue;
            }
            one.is_due = false;
            let _ = at_work.insert(one.common_dir.clone());
            let (git, root, common_dir) = (git.clone(), root.clone(), one.common_dir.clone());
            let sender = sender.clone();
            drop(tokio::task::spawn_blocking(move || {
                let began = Instant::now();
                let found = git.standing(&root);
                let _ = sender.send(Looked { root, common_dir, found, took: began.elapsed() });
            }));
        }
    }
}

/// Has the agents of a checkout go after it, if it was moved.
fn follow(shared: &Arc<Shared>, root: PathBuf, git_dir: PathBuf) {
    let shared = Arc::clone(shared);
    drop(tokio::spawn(async move {
        if let Err(error) = super::worktrees::follow(&shared, &root, git_dir).await {
            tracing::debug!(root = %root.display(), error = %error.message, "not followed");
        }
    }));
}

/// Says how a checkout stands, and on which branch its agents are.
fn tell(shared: &Shared, one: &Checkout, standing: &Standing) {
    for id in &one.agents {
        shared.world.set_standing(*id, standing.clone());
        let branch = standing.branch.clone();
        let _ = shared.world.change_agent(*id, |agent| agent.branch.clone_from(&branch));
    }
}

/// Finds the checkouts that agents are in; gives the agents whose directory is in none.
async fn place(
    git: &Git,
    agents: &[Agent],
    roots: &mut HashMap<PathBuf, PathBuf>,
    checkouts: &mut BTreeMap<PathBuf, Checkout>,
) -> Vec<(AgentId, PathBuf)> {
    let mut lost = Vec::new();
    let directories: HashSet<&Path> = agents
        .iter()
        .filter(|agent| agent.repository.is_some())
        .map(|agent| agent.directory.as_path())
        .collect();
    roots.retain(|directory, _| directories.contains(directory.as_path()));
    for one in checkouts.values_mut() {
        one.agents.clear();
    }
    for agent in agents.iter().filter(|agent| agent.repository.is_some()) {
        if let Some(one) = roots.get(&agent.directory).and_then(|root| checkouts.get_mut(root)) {
            one.agents.push(agent.id);
            continue;
        }
        if checkouts.len() >= WATCHED {
            continue;
        }
        let (asked, directory) = (git.clone(), agent.directory.clone());
        let Ok(Ok(found)) = blocking(move || asked.repository(&directory)).await else {
            lost.push((agent.id, agent.directory.clone()));
            continue;
        };
        let Some(root) = found.checkout else { continue };
        let _ = roots.insert(agent.directory.clone(), root.clone());
        let one = checkouts.entry(root).or_insert_with(|| Checkout {
            git_dir: found.git_dir,
            common_dir: found.common_dir,
            agents: Vec::new(),
            is_due: true,
            follows: false,
            next: Instant::now(),
        });
        // Somebody new has not been told yet.
        one.is_due = true;
        one.agents.push(agent.id);
    }
    checkouts.retain(|_, one| !one.agents.is_empty());
    lost
}

fn wanted(checkouts: &BTreeMap<PathBuf, Checkout>) -> BTreeMap<PathBuf, Kind> {
    let mut wanted = BTreeMap::new();
    for (root, one) in checkouts {
        let _ = wanted.insert(one.common_dir.clone(), Kind::Shared);
        let _ = wanted.insert(root.clone(), Kind::Checkout { git_dir: one.git_dir.clone() });
    }
    wanted
}

/// How the checkouts of these agents stand now, one after the other. For clients that do not follow the
/// world; agents that are in no repository are left out.
pub(super) async fn look(
    shared: &Arc<Shared>,
    agents: Vec<AgentId>,
) -> Result<Vec<(AgentId, Standing)>, Error> {
    let git = shared.tools().await?.git.clone();
    let all = shared.world.agents().into_iter().filter(|agent| {
        agent.repository.is_some() && (agents.is_empty() || agents.contains(&agent.id))
    });
    let all: Vec<Agent> = all.collect();
    let found = blocking(move || {
        let mut known: HashMap<PathBuf, Option<Standing>> = HashMap::new();
        let stand = all.into_iter().filter_map(|agent| {
            let look = || git.standing(&agent.directory).ok();
            let standing = known.entry(agent.directory.clone()).or_insert_with(look).clone();
            Some((agent.id, standing?))
        });
        stand.collect()
    });
    let found: Vec<(AgentId, Standing)> = found.await.map_err(failed)?;
    for (id, standing) in &found {
        let branch = standing.branch.clone();
        let _ = shared.world.change_agent(*id, |agent| agent.branch.clone_from(&branch));
    }
    Ok(found)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
