//! How the worktrees of a repository fit together: asked for by clients, and watched for those who follow
//! it and wherever two agents are at work beside each other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use maestro_core::AgentId;
use maestro_core::conflict::{Collisions, Live, Matrix};
use maestro_core::conversation::Place;
use maestro_git::{Git, Other, Rehearsal};
use maestro_protocol::message::{Against, Command, Error, ErrorKind, Event, Reply};
use tokio::sync::Notify;

use super::commands::git_error;
use super::tools::failed;
use super::{Shared, blocking, check_path, refuse};
use crate::trees::{Kind, Slot};

/// Repositories that are remembered. Whoever has more asks anew.
const REPOSITORIES: usize = 16;
/// Repositories that one client follows, and that are watched in all.
const FOLLOWED: usize = 16;
const WATCHED: usize = 32;
/// How often it is looked who is at work where. Nothing of git is asked for that.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks at the same repository at least, and so many times as long as a look takes: something
/// that is written all the time must not keep a core busy.
const APART: Duration = Duration::from_millis(250);
const REST: u32 = 4;

/// What is known about how worktrees fit together, by repository.
#[derive(Debug, Default)]
pub(crate) struct Conflicts {
    /// By the git directory that the worktrees of a repository share. One question at a time each.
    known: Mutex<HashMap<PathBuf, Arc<Mutex<Rehearsal>>>>,
    /// Main checkouts by the client that follows them.
    followed: Mutex<HashMap<u64, HashSet<PathBuf>>>,
    /// Roots below which something changed.
    changed: Mutex<HashSet<PathBuf>>,
    woken: Arc<Notify>,
}

/// Answers a question about conflicts.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    match command {
        Command::ReadConflicts { repository, target } => {
            let rehearsal = shared.rehearsal(repository).await?;
            let found = blocking(move || lock(&rehearsal).matrix(target.as_deref()));
            let matrix = found.await.map_err(failed)?.map_err(git_error)?;
            Ok(Reply::Conflicts(Box::new(matrix)))
        }
        Command::ReadClashes { one, other } => {
            check_path(&one)?;
            let rehearsal = shared.rehearsal(one.clone()).await?;
            let other = match other {
                Against::Worktree(directory) => Other::Worktree(directory),
                Against::Revision(name) => Other::Revision(name),
            };
            let found = blocking(move || lock(&rehearsal).clashes(&one, &other));
            Ok(Reply::Clashes(found.await.map_err(failed)?.map_err(git_error)?))
        }
        _ => Err(refuse(ErrorKind::Invalid, "this is no question about conflicts")),
    }
}

/// Lets a client follow the conflicts of a repository, or not any more, and says how they are.
pub(super) async fn follow(
    shared: &Arc<Shared>,
    client: u64,
    repository: PathBuf,
    follow: bool,
) -> Result<Reply, Error> {
    check_path(&repository)?;
    let git = shared.tools().await?.git.clone();
    let directory = repository.clone();
    let root = blocking(move || git.repository(&directory))
        .await
        .map_err(failed)?
        .map_err(git_error)?
        .root;
    {
        let mut followed = lock_all(&shared.conflicts.followed);
        let own = followed.entry(client).or_default();
        if !follow {
            let _ = own.remove(&root);
        } else if own.len() >= FOLLOWED && !own.contains(&root) {
            let text = format!("a client can follow the conflicts of {FOLLOWED} repositories");
            return Err(refuse(ErrorKind::Busy, text));
        } else {
            let _ = own.insert(root);
        }
    }
    // It may have left while its repository was looked for.
    if !shared.has_client(client) {
        shared.forget_followed_conflicts(client);
    }
    shared.conflicts.woken.notify_one();
    run(shared, Command::ReadConflicts { repository, target: None }).await
}

impl Shared {
    /// The rehearsal for the repository that a directory is in.
    pub(super) async fn rehearsal(
        self: &Arc<Self>,
        directory: PathBuf,
    ) -> Result<Arc<Mutex<Rehearsal>>, Error> {
        check_path(&directory)?;
        let git = self.tools().await?.git.clone();
        let shared = Arc::clone(self);
        blocking(move || shared.conflicts.of(&git, &directory, shared.options.home.root()))
            .await
            .map_err(failed)?
            .map_err(git_error)
    }

    /// A client is gone.
    pub(super) fn forget_followed_conflicts(&self, client: u64) {
        if lock_all(&self.conflicts.followed).remove(&client).is_some() {
            self.conflicts.woken.notify_one();
        }
    }
}

impl Conflicts {
    /// Something changed below these roots. Does not block.
    pub(super) fn changed(&self, roots: &HashSet<PathBuf>) {
        lock_all(&self.changed).extend(roots.iter().cloned());
        self.woken.notify_one();
    }

    fn of(
        &self,
        git: &Git,
        directory: &Path,
        home: &Path,
    ) -> maestro_git::Result<Arc<Mutex<Rehearsal>>> {
        let common_dir = git.repository(directory)?.common_dir;
        let place = home.join("conflicts").join(name(&common_dir));
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rehearsal) = known().get(&common_dir) {
            // Its objects may have been thrown away from outside.
            if place.join("objects").is_dir() {
                return Ok(Arc::clone(rehearsal));
            }
        }
        let rehearsal = git.rehearsal(directory, &place)?.leaving_out(home.join("trains"));
        let rehearsal = Arc::new(Mutex::new(rehearsal));
        let mut known = known();
        if known.len() >= REPOSITORIES {
            known.clear();
        }
        let _ = known.insert(common_dir, Arc::clone(&rehearsal));
        Ok(rehearsal)
    }
}

/// A repository that is watched.
struct Watched {
    common_dir: PathBuf,
    /// The directories of its worktrees with their git directories, as they were last seen.
    worktrees: BTreeMap<PathBuf, PathBuf>,
    matrix: Option<Matrix>,
    /// What changed since it was last looked at; everything when absent.
    changed: Option<HashSet<PathBuf>>,
    /// Not before.
    next: Instant,
}

/// Watches repositories as long as somebody follows them or agents work in them beside each other. With
/// neither it looks into memory once a second and does nothing else.
pub(super) async fn watch(shared: Arc<Shared>) {
    shared.until_recovered().await;
    let mut watched: BTreeMap<PathBuf, Watched> = BTreeMap::new();
    loop {
        let due = watched.values().filter(|one| one.is_due()).map(|one| one.next).min();
        let due = due.map(tokio::time::Instant::from_std);
        tokio::select! {
            () = shared.conflicts.woken.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = maestro_agents::process::until(due) => {}
            () = shared.stopping() => return,
        }
        let Some(tools) = shared.tools.get() else { continue };
        let git = tools.git.clone();
        let agents = placed(&shared);
        let wanted = wanted(&shared, &agents);
        let before = watched.len();
        watched.retain(|root, _| wanted.contains(root));
        let mut is_other = watched.len() != before;
        for root in wanted.iter().take(WATCHED) {
            if watched.contains_key(root) {
                continue;
            }
            let (directory, asked) = (root.clone(), git.clone());
            let Ok(Ok(found)) = blocking(move || asked.repository(&directory)).await else {
                continue;
            };
            let new = Watched {
                common_dir: found.common_dir,
                worktrees: BTreeMap::new(),
                matrix: None,
                changed: None,
                next: Instant::now(),
            };
            let _ = watched.insert(root.clone(), new);
            is_other = true;
        }
        let changed = std::mem::take(&mut *lock_all(&shared.conflicts.changed));
        for one in watched.values_mut() {
            one.take(&changed);
        }
        for (root, one) in &mut watched {
            if one.is_due() && one.next <= Instant::now() {
                is_other |= look(&shared, &git, root, one).await;
            }
        }
        if is_other {
            let mut roots = BTreeMap::new();
            for one in watched.values() {
                let _ = roots.insert(one.common_dir.clone(), Kind::Shared);
                roots.extend(one.worktrees.iter().map(|(directory, git_dir)| {
                    (directory.clone(), Kind::Checkout { git_dir: git_dir.clone() })
                }));
            }
            shared.trees().watch(Slot::Conflicts, &git, roots);
        }
        tell_agents(&shared, &watched, &agents);
    }
}

impl Watched {
    fn is_due(&self) -> bool {
        self.changed.as_ref().is_none_or(|changed| !changed.is_empty())
    }

    fn take(&mut self, roots: &HashSet<PathBuf>) {
        let Some(changed) = &mut self.changed else { return };
        for root in roots {
            if *root == self.common_dir || self.worktrees.contains_key(root) {
                let _ = changed.insert(root.clone());
            }
        }
    }
}

/// Looks at a repository again. Gives whether other worktrees are to be watched.
async fn look(shared: &Arc<Shared>, git: &Git, root: &Path, one: &mut Watched) -> bool {
    let began = Instant::now();
    let changed = one.changed.replace(HashSet::new());
    let Ok(rehearsal) = shared.rehearsal(root.to_owned()).await else {
        one.next = began + LOOK;
        return false;
    };
    let git = git.clone();
    let found = blocking(move || {
        let matrix = match &changed {
            Some(changed) => lock(&rehearsal).renewed(None, changed),
            None => lock(&rehearsal).matrix(None),
        }?;
        let sides = matrix.sides.iter().filter_map(|side| {
            let git_dir = git.repository(&side.directory).ok()?.git_dir;
            Some((side.directory.clone(), git_dir))
        });
        let worktrees: BTreeMap<PathBuf, PathBuf> = sides.collect();
        Ok::<_, maestro_git::Error>((matrix, worktrees))
    });
    let found = found.await;
    one.next = Instant::now() + APART.max(began.elapsed() * REST);
    let Ok(Ok((matrix, worktrees))) = found else {
        // It may be there again later; then everything is looked at.
        one.changed = None;
        one.next = Instant::now() + LOOK * 5;
        return false;
    };
    if one.matrix.as_ref().is_none_or(|before| !before.says_the_same(&matrix)) {
        let live = Live { repository: root.to_owned(), matrix: matrix.clone() };
        shared.world.tell(Event::Conflicts(Box::new(live)));
    }
    one.matrix = Some(matrix);
    let is_other = one.worktrees != worktrees;
    one.worktrees = worktrees;
    is_other
}

/// The agents, each with the root of its repository, its directory, and whether something of it lives.
type Placed = Vec<(AgentId, PathBuf, PathBuf, bool)>;

fn placed(shared: &Shared) -> Placed {
    let tabs = shared.world.tabs();
    let agents = shared.world.agents().into_iter();
    agents
        .filter_map(|agent| {
            let is_live = agent.ai_terminal.is_some()
                || tabs.iter().any(|tab| tab.agent == agent.id && tab.place == Place::Conversation)
                || !shared.world.open_runs_of(agent.id).is_empty();
            Some((agent.id, agent.repository?, agent.directory, is_live))
        })
        .collect()
}

/// The repositories to be watched: what clients follow, and those in which agents live in two places.
fn wanted(shared: &Shared, agents: &Placed) -> HashSet<PathBuf> {
    let mut wanted: HashSet<PathBuf> =
        lock_all(&shared.conflicts.followed).values().flatten().cloned().collect();
    for (_, root, directory, _) in agents.iter().filter(|(.., is_live)| *is_live) {
        let beside = agents
            .iter()
            .any(|(_, other, place, is_live)| *is_live && other == root && place != directory);
        if beside {
            let _ = wanted.insert(root.clone());
        }
    }
    wanted
}

/// Tells of each agent with whom it collides. Of agents whose repository is not watched nothing is known.
fn tell_agents(shared: &Shared, watched: &BTreeMap<PathBuf, Watched>, agents: &Placed) {
    let mut met = HashMap::new();
    for (root, one) in watched {
        let Some(matrix) = &one.matrix else { continue };
        let here: Vec<(AgentId, PathBuf)> = agents
            .iter()
            .filter(|(_, repository, ..)| repository == root)
            .map(|(id, _, directory, _)| (*id, directory.clone()))
            .collect();
        met.extend(matrix.met_by(&here).into_iter().map(|one| (one.agent, one)));
    }
    for agent in shared.world.colliding() {
        let _ = met.entry(agent).or_insert(Collisions { agent, with: Vec::new() });
    }
    for (_, one) in met {
        shared.world.set_collisions(one);
    }
}

/// A folder's name for a repository. Two with the same name would only find out more often.
fn name(common_dir: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    common_dir.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn lock(rehearsal: &Mutex<Rehearsal>) -> MutexGuard<'_, Rehearsal> {
    lock_all(rehearsal)
}

fn lock_all<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
