//! Snapshots of checkouts, and worktrees that are removed so that they can come back.
//!
//! Order of the deeds of a removal: everything is in git under a private reference and on the disk, then the
//! store knows of it and that it is leaving, then the worktree goes, then its agents. A host that is killed in
//! between leaves the worktree, or everything that is needed to have it back; the next one takes back what was
//! begun, or ends what was done ([`settle`]). A restoring that was cut off goes on when it is asked for again.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use maestro_core::agent::Agent;
use maestro_core::train::{Car, CarState};
use maestro_core::trash::{
    Answer, Ask, Back, KEPT_MS, MAX_MESSAGE, Prospect, Snapshot, reference, surplus,
};
use maestro_core::worktree::{self, Origin, Stage};
use maestro_core::{SnapshotId, text};
use maestro_git::{Git, Kept, PutBack, Repository};
use maestro_protocol::message::{Error, ErrorKind};
use maestro_store::Store;

use super::commands::{git_error, store_error};
use super::tools::failed;
use super::{Shared, blocking, check_path, lodgers, now_ms, refuse};

/// Nobody's are references that are older than this and that no store knows: a host was killed before it had
/// written down what it kept. Longer than any Maestro keeps its own, in milliseconds.
const NOBODYS_MS: u64 = 2 * KEPT_MS;

/// How often what is older than 30 days is looked for.
const LOOK: Duration = Duration::from_secs(6 * 60 * 60);

/// How long nothing may have gone in a worktree whose removal was cut off.
const REST: Duration = Duration::from_millis(500);

/// Does what a client asks.
pub(super) async fn run(shared: &Arc<Shared>, ask: Ask) -> Result<Answer, Error> {
    match ask {
        Ask::Snapshot { directory, message } => {
            let message = text::clean(&message, MAX_MESSAGE);
            let message = if message.is_empty() { "By hand".to_owned() } else { message };
            let snapshot = keep(shared, directory, message, false).await?;
            Ok(Answer::One(Box::new(snapshot)))
        }
        Ask::Look { directory } => {
            look(shared, directory).await.map(|prospect| Answer::Prospect(Box::new(prospect)))
        }
        Ask::Remove { directory, agents, stop } => {
            let snapshot = remove(shared, directory, agents, stop).await?;
            Ok(Answer::One(Box::new(snapshot)))
        }
        Ask::List { repository } => list(shared, repository).await.map(Answer::List),
        Ask::Restore { snapshot, to } => {
            restore(shared, snapshot, to).await.map(|back| Answer::Back(Box::new(back)))
        }
        Ask::Purge { snapshots } => {
            let mut purged = 0;
            for id in snapshots {
                let snapshot = find(shared, id).await?;
                purge(shared, snapshot).await?;
                purged += 1;
            }
            Ok(Answer::Purged(purged))
        }
    }
}

/// Keeps a checkout: in git, and then in the store.
async fn keep(
    shared: &Arc<Shared>,
    directory: PathBuf,
    message: String,
    removed: bool,
) -> Result<Snapshot, Error> {
    check_path(&directory)?;
    let git = shared.tools().await?.git.clone();
    let store = shared.store.clone();
    let new = New { directory, message, removed, by_itself: false };
    blocking(move || put(&git, &store, new)).await.map_err(failed)?
}

/// A snapshot that is wanted.
struct New {
    directory: PathBuf,
    message: String,
    removed: bool,
    by_itself: bool,
}

/// Keeps a checkout. Blocks.
fn put(git: &Git, store: &Store, new: New) -> Result<Snapshot, Error> {
    let New { directory, message, removed, by_itself } = new;
    let found = git.repository(&directory).map_err(git_error)?;
    let path = found.checkout.clone().unwrap_or(directory);
    let id = free_id(git, store, &path)?;
    let kept =
        git.keep_checkout(&path, &reference(id, removed), &message, removed).map_err(git_error)?;
    let worktree = store.worktree(&found.git_dir).map_err(store_error)?;
    let snapshot = Snapshot {
        id,
        repository: found.root,
        path,
        branch: kept.branch,
        head: kept.head,
        commit: kept.commit,
        tree: kept.tree,
        message,
        removed,
        made_ms: now_ms(),
        files: kept.files,
        bytes: kept.bytes,
        left: kept.left.0,
        left_count: kept.left.1,
        agents: Vec::new(),
        lodgers: Vec::new(),
        talks: Vec::new(),
        worktree: worktree.map(Box::new),
        by_itself,
        is_leaving: removed,
    };
    store.put_checkout(&snapshot).map_err(store_error)?;
    Ok(snapshot)
}

/// An id under which nobody keeps anything there: a Maestro with another home counts for itself.
fn free_id(git: &Git, store: &Store, path: &Path) -> Result<SnapshotId, Error> {
    loop {
        let id = store.next_snapshot_id().map_err(store_error)?;
        let mut names = [true, false].map(|removed| reference(id, removed)).into_iter();
        let taken = names.try_fold(false, |taken, name| Ok(taken || git.is_kept(path, &name)?));
        if !taken.map_err(git_error)? {
            return Ok(id);
        }
    }
}

/// Keeps a checkout in which something is not committed, before something is done there that changes files. What
/// cannot be kept keeps nobody from doing it. Blocks.
pub(super) fn before(git: &Git, store: &Store, directory: &Path, message: String) {
    let kept = || {
        // A directory may be in no repository, or in one without a commit.
        let Ok(status) = git.status(directory) else { return Ok(()) };
        if status.is_clean() || git.head(directory).ok().flatten().is_none() {
            return Ok(());
        }
        let new = New { directory: directory.to_owned(), message, removed: false, by_itself: true };
        let made = put(git, store, new)?;
        tracing::info!(id = %made.id, path = %made.path.display(), "{}", made.message);
        let all = store.checkouts().map_err(store_error)?;
        let old = surplus(&all, &made.path);
        for snapshot in all.iter().filter(|snapshot| old.contains(&snapshot.id)) {
            forget(git, store, snapshot)?;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = kept() {
        let path = directory.display();
        tracing::warn!(%path, error = %error.message, "no snapshot was made");
    }
}

/// A worktree that is to be removed.
struct Leaving {
    git: Git,
    found: Repository,
    known: Option<worktree::Kept>,
    path: PathBuf,
    /// The agents that work in it.
    agents: Vec<Agent>,
}

impl Leaving {
    async fn at(shared: &Arc<Shared>, directory: PathBuf) -> Result<Self, Error> {
        check_path(&directory)?;
        let git = shared.tools().await?.git.clone();
        let (store, looked, own) = (shared.store.clone(), directory.clone(), git.clone());
        let found = blocking(move || {
            let found = own.repository(&looked).map_err(git_error)?;
            let known = store.worktree(&found.git_dir).map_err(store_error)?;
            Ok::<_, Error>((found, known))
        });
        let (found, known) = found.await.map_err(failed)??;
        let path = found.checkout.clone().unwrap_or(directory);
        let agents = shared.world.agents().into_iter();
        let agents = agents.filter(|agent| agent.directory.starts_with(&path)).collect();
        Ok(Self { git, found, known, path, agents })
    }

    /// Why it is not Maestro's to remove.
    fn refusal(&self) -> Option<String> {
        if self.found.git_dir == self.found.common_dir {
            let path = self.path.display();
            return Some(format!("{path} is the repository's main checkout; it stays"));
        }
        let is_made = self.known.as_ref().is_some_and(|known| known.origin == Origin::Made);
        let is_worktree = |agent: &Agent| agent.worktree && agent.directory == self.path;
        let is_ours = is_made || self.agents.iter().any(is_worktree);
        (!is_ours).then(|| {
            format!(
                "{} was not made by Maestro, which deletes nothing that it did not make; `git worktree remove` does",
                self.path.display()
            )
        })
    }
}

/// What removing a worktree would do, and what is in the way.
async fn look(shared: &Arc<Shared>, directory: PathBuf) -> Result<Prospect, Error> {
    let leaving = Leaving::at(shared, directory).await?;
    let mut obstacles: Vec<String> = leaving.refusal().into_iter().collect();
    let (mut runs, is_ours) = (Vec::new(), obstacles.is_empty());
    let Leaving { git, found, path, agents, .. } = leaving;
    for busy in if is_ours { in_the_way(shared, &path) } else { Vec::new() } {
        if busy.ends {
            runs.push(busy.what);
        } else {
            obstacles.push(busy.sentence());
        }
    }
    let (place, root) = (path.clone(), found.root);
    let looked = blocking(move || {
        let status = git.status(&place);
        let all = git.worktrees(&root).unwrap_or_default();
        let own = all.into_iter().find(|one| one.path == place);
        (status, own.and_then(|own| own.locked), git.keepable(&place))
    });
    let (status, locked, keepable) = looked.await.map_err(failed)?;
    let mut prospect = Prospect {
        path,
        branch: found.branch,
        agents: agents.into_iter().map(|agent| agent.name).collect(),
        ..Prospect::default()
    };
    match status {
        Ok(status) => {
            prospect.changed = status.changed();
            prospect.untracked = status.untracked;
        }
        Err(error) => obstacles.push(error.to_string()),
    }
    if let Some(why) = locked {
        obstacles.push(format!("it is locked: {why}").trim_end_matches([' ', ':']).to_owned());
    }
    match keepable {
        Ok(left) => (prospect.left, prospect.left_count) = left,
        Err(error) if is_ours => obstacles.push(error.to_string()),
        Err(_) => {}
    }
    obstacles.dedup();
    Ok(Prospect { obstacles, runs, ..prospect })
}

async fn remove(
    shared: &Arc<Shared>,
    directory: PathBuf,
    agents: bool,
    stop: bool,
) -> Result<Snapshot, Error> {
    let leaving = Leaving::at(shared, directory).await?;
    if let Some(why) = leaving.refusal() {
        return Err(refuse(ErrorKind::Invalid, why));
    }
    let Leaving { git, found, known, path, agents: near } = leaving;
    if stop && agents && in_the_way(shared, &path).iter().all(|busy| busy.ends) {
        for agent in &near {
            let _ = shared.stop_agent(agent.id).await?;
        }
    }
    free(shared, &path)?;
    if let Some(agent) = near.first().filter(|_| !agents) {
        let text = format!(
            "agent {} works in {}; remove it together with the worktree (--agents), or on its own before",
            agent.name,
            path.display()
        );
        return Err(refuse(ErrorKind::Busy, text));
    }
    let message = format!("Removed {}", name_of(found.branch.as_deref()));
    let mut snapshot = keep(shared, path.clone(), message.clone(), true).await?;
    if let Some(known) = &known {
        // Only now that it is known that it can go; what changes meanwhile is kept, too.
        shared.teardown(known).await;
        // What it deleted is in the first one, which stays as a snapshot of its own.
        let after = keep(shared, path.clone(), message, true).await?;
        let (git, store, before) = (git.clone(), shared.store.clone(), snapshot);
        let place = path.clone();
        let is_same = after.tree == before.tree;
        let first = blocking(move || {
            if is_same {
                forget(&git, &store, &before)
            } else {
                let message = format!("{}, before its teardown", before.message);
                as_snapshot(&git, &store, Snapshot { message, ..before }, place)
            }
        });
        first.await.map_err(failed)??;
        snapshot = after;
    }
    let _alone = shared.worktrees.trash.lock().await;
    // Somebody may have begun meanwhile.
    let talks = match free(shared, &path) {
        Ok(()) => lodgers::talks(shared, &near).await,
        Err(error) => Err(error),
    };
    match talks {
        Ok(talks) => snapshot.talks = talks,
        Err(error) => {
            purge(shared, snapshot).await?;
            return Err(error);
        }
    }
    snapshot.agents = near.iter().map(|agent| agent.name.clone()).collect();
    snapshot.lodgers = near.clone();
    let (own, root, place) = (git.clone(), found.root.clone(), path.clone());
    let (store, kept) = (shared.store.clone(), snapshot.clone());
    let gone = blocking(move || {
        // Whoever finds it in the trash finds its agents there, too.
        store.put_checkout(&kept).map_err(store_error)?;
        own.remove_worktree(&root, &place).map_err(git_error)
    });
    if let Err(error) = gone.await.map_err(failed)? {
        // A part may be gone already: what was there stays kept, and is told.
        let (store, id) = (shared.store.clone(), snapshot.id);
        let stays = blocking(move || as_snapshot(&git, &store, snapshot, path));
        stays.await.map_err(failed)??;
        let text =
            format!("{} What was there is kept: `maestro worktree restore {id}`.", error.message);
        return Err(Error { message: text, ..error });
    }
    for agent in near {
        if let Err(error) = shared.remove_agent(agent.id).await {
            snapshot.agents.retain(|name| *name != agent.name);
            snapshot.lodgers.retain(|one| one.id != agent.id);
            snapshot.talks.retain(|talk| talk.agent != agent.id);
            shared.problem(Some(agent.id), error.message);
        }
    }
    snapshot.is_leaving = false;
    let (store, kept, git_dir) = (shared.store.clone(), snapshot.clone(), found.git_dir);
    let saved = blocking(move || {
        store.put_checkout(&kept)?;
        store.forget_worktree(&git_dir)
    });
    saved.await.map_err(failed)?.map_err(store_error)?;
    Ok(snapshot)
}

/// Whether nothing runs in a directory.
fn free(shared: &Arc<Shared>, path: &Path) -> Result<(), Error> {
    match in_the_way(shared, path).first() {
        None => Ok(()),
        Some(busy) => {
            let text = format!("{} is in use: {}", path.display(), busy.sentence());
            Err(refuse(ErrorKind::Busy, text))
        }
    }
}

/// Something that uses a directory.
struct Busy {
    what: String,
    /// What its user can do about it.
    way: &'static str,
    /// Whether it can be ended without losing anything: a program of an agent that does nothing.
    ends: bool,
}

impl Busy {
    fn sentence(&self) -> String {
        format!("{}; {}", self.what.trim_end_matches('.'), self.way)
    }
}

/// What uses a directory, with what the user can do about it.
fn in_the_way(shared: &Arc<Shared>, path: &Path) -> Vec<Busy> {
    let mut all = Vec::new();
    let mut busy = |what: String, way, ends| all.push(Busy { what, way, ends });
    let stage = shared.world.worktree(path).map(|entry| entry.stage);
    if matches!(stage, Some(Stage::Filling { .. } | Stage::Preparing(_))) {
        busy("it is still being made".to_owned(), "`maestro worktree stop` ends that", false);
    }
    for (run, _) in shared.world.open_runs_near(path) {
        busy(format!("run {run} is not over"), "stop it first", false);
    }
    for train in shared.world.running_trains() {
        let is_car = |car: &Car| {
            let is_over =
                matches!(car.state, CarState::Aboard { .. } | CarState::Empty | CarState::Left(_));
            !is_over && car.directory.as_deref() == Some(path)
        };
        if train.cars.iter().any(is_car) {
            let what = format!("the merge train {} brings its branch home", train.id);
            busy(what, "stop that first", false);
        }
    }
    if let Some(writer) = shared.writer_in(path) {
        busy(writer, "wait until that is over, or interrupt it", false);
    }
    let live = shared.world.terminals().into_iter().filter(|session| session.is_live());
    for info in live.map(|session| session.info()) {
        let agent = info.agent.and_then(|id| shared.world.agent(id));
        let is_there = info.directory.starts_with(path)
            || agent.as_ref().is_some_and(|agent| agent.directory.starts_with(path));
        if !is_there {
            continue;
        }
        let of = agent.as_ref().map(|agent| format!(" of agent {}", agent.name));
        let what = format!("terminal {}{} is open there", info.id, of.unwrap_or_default());
        // Another agent's terminal that only stands here is not to be ended with this worktree.
        let ends = agent.is_some_and(|agent| agent.directory.starts_with(path));
        busy(what, "close it first", ends);
    }
    // What cannot be ended is said first.
    all.sort_by_key(|one| one.ends);
    all
}

async fn list(shared: &Arc<Shared>, repository: Option<PathBuf>) -> Result<Vec<Snapshot>, Error> {
    let root = match repository {
        None => None,
        Some(directory) => {
            check_path(&directory)?;
            let git = shared.tools().await?.git.clone();
            let found = blocking(move || git.repository(&directory));
            Some(found.await.map_err(failed)?.map_err(git_error)?.root)
        }
    };
    let store = shared.store.clone();
    let all = blocking(move || store.checkouts()).await.map_err(failed)?.map_err(store_error)?;
    let fits = |snapshot: &Snapshot| root.as_ref().is_none_or(|root| snapshot.repository == *root);
    Ok(all.into_iter().filter(fits).collect())
}

async fn find(shared: &Arc<Shared>, id: SnapshotId) -> Result<Snapshot, Error> {
    let store = shared.store.clone();
    let found = blocking(move || store.checkout(id)).await.map_err(failed)?.map_err(store_error)?;
    found.ok_or_else(|| refuse(ErrorKind::NotFound, format!("there is no snapshot {id}")))
}

async fn restore(shared: &Arc<Shared>, id: SnapshotId, to: Option<PathBuf>) -> Result<Back, Error> {
    let _alone = shared.worktrees.trash.lock().await;
    let snapshot = find(shared, id).await?;
    let git = shared.tools().await?.git.clone();
    // What is a snapshot of a worktree that is gone by now comes back like a removed one.
    let is_there = snapshot.path.exists();
    if !snapshot.removed && is_there {
        if to.is_some() {
            let text = "a snapshot of a checkout goes back to where it was taken";
            return Err(refuse(ErrorKind::Invalid, text));
        }
        free(shared, &snapshot.path)?;
        let message = format!("Before {id} was restored");
        let before = keep(shared, snapshot.path.clone(), message, false).await?;
        let (path, commit) = (snapshot.path.clone(), snapshot.commit.clone());
        let put = blocking(move || git.put_back_files(&path, &commit));
        let put = put.await.map_err(failed)?.map_err(git_error)?;
        return Ok(Back {
            path: snapshot.path,
            written: put.written,
            removed: put.removed,
            notice: put.notice,
            before: Some(before.id),
            agents: Vec::new(),
        });
    }
    let path = to.unwrap_or_else(|| snapshot.path.clone());
    check_path(&path)?;
    let kept = kept(&snapshot);
    let (root, place) = (snapshot.repository.clone(), path.clone());
    let (store, own, was) = (shared.store.clone(), git.clone(), snapshot.clone());
    let put = blocking(move || {
        let put = match git.put_back_worktree(&root, &place, &kept) {
            // All of it is there, and the host was killed before it had said so.
            Err(maestro_git::Error::TargetNotEmpty { .. }) if git.is_back(&place, &kept) => {
                PutBack::default()
            }
            put => put.map_err(git_error)?,
        };
        // It is ours again, at the place it has now.
        let found = git.repository(&place).map_err(git_error)?;
        let now = found.checkout.unwrap_or_else(|| place.clone());
        if let Some(known) = &was.worktree {
            let known = worktree::Kept {
                git_dir: found.git_dir,
                common_dir: found.common_dir,
                path: place,
                is_filled: true,
                is_prepared: true,
                agent: None,
                task: None,
                tab: None,
                problem: None,
                ..worktree::Kept::clone(known)
            };
            store.put_worktree(&known).map_err(store_error)?;
        }
        Ok::<_, Error>((put, now))
    });
    let (put, now) = put.await.map_err(failed)??;
    let agents = lodgers::bring_back(shared, &snapshot, &now).await;
    let store = shared.store.clone();
    let message = format!("What came back of {}", name_of(snapshot.branch.as_deref()));
    let snapshot = Snapshot { message, ..snapshot };
    blocking(move || as_snapshot(&own, &store, snapshot, now)).await.map_err(failed)??;
    Ok(Back {
        path,
        written: put.written,
        removed: put.removed,
        notice: put.notice,
        before: None,
        agents,
    })
}

/// What a worktree is called.
fn name_of(branch: Option<&str>) -> &str {
    branch.unwrap_or("a detached worktree")
}

/// What a host before had begun to remove. To be asked before anybody can ask this one for a removal.
pub(super) async fn leaving(shared: &Arc<Shared>) -> Vec<SnapshotId> {
    let store = shared.store.clone();
    let found = blocking(move || store.checkouts()).await.map_err(failed);
    match found.and_then(|all| all.map_err(store_error)) {
        Ok(all) => all.iter().filter(|one| one.is_leaving).map(|one| one.id).collect(),
        Err(error) => {
            tracing::warn!(error = %error.message, "what was removed was not looked through");
            Vec::new()
        }
    }
}

/// Ends what a host before had begun: a worktree that is still there stays, and one that is gone is in the trash
/// with its agents.
async fn settle(shared: &Arc<Shared>, leaving: Vec<SnapshotId>) {
    for id in leaving {
        if let Err(error) = settle_one(shared, id).await {
            tracing::warn!(%id, error = %error.message, "a removal that was cut off stays so");
        }
    }
}

async fn settle_one(shared: &Arc<Shared>, id: SnapshotId) -> Result<(), Error> {
    let _alone = shared.worktrees.trash.lock().await;
    let mut snapshot = find(shared, id).await?;
    if !snapshot.is_leaving {
        return Ok(());
    }
    let git = shared.tools().await?.git.clone();
    let (store, path) = (shared.store.clone(), snapshot.path.clone());
    let known = snapshot.worktree.clone();
    // The git of a dead host may still be removing files.
    let mut before = None;
    loop {
        let place = path.clone();
        let now = blocking(move || files_in(&place)).await.map_err(failed)?;
        if before == Some(now) {
            break;
        }
        before = Some(now);
        tokio::time::sleep(REST).await;
    }
    if path.exists() {
        let (kept, root) = (kept(&snapshot), snapshot.repository.clone());
        let message = format!("As {} was before a removal", name_of(snapshot.branch.as_deref()));
        let snapshot = Snapshot { message, ..snapshot };
        let taken_back = blocking(move || {
            let is_back = match git.put_back_worktree(&root, &path, &kept) {
                Ok(_) => true,
                // Nothing was gone yet, or somebody has written there since: their files stay.
                Err(maestro_git::Error::TargetNotEmpty { .. }) => false,
                Err(error) => return Err(git_error(error)),
            };
            let what = if is_back { "taken back" } else { "not gone on with" };
            let text = format!(
                "The removal of {} was cut off and is {what}. What was there is also kept: `maestro worktree restore {}`.",
                path.display(),
                snapshot.id
            );
            as_snapshot(&git, &store, snapshot, path)?;
            Ok(text)
        });
        let text = taken_back.await.map_err(failed)??;
        shared.problem(None, text);
        return Ok(());
    }
    // A disk that is away takes the folder with it, and not what git knows of it.
    if known.as_ref().is_none_or(|known| known.git_dir.exists()) {
        return Ok(());
    }
    for was in &snapshot.lodgers {
        if shared.world.agent(was.id).is_some_and(|agent| agent.directory == was.directory) {
            shared.remove_agent(was.id).await?;
        }
    }
    snapshot.is_leaving = false;
    let saved = blocking(move || {
        store.put_checkout(&snapshot)?;
        known.map_or(Ok(()), |known| store.forget_worktree(&known.git_dir))
    });
    saved.await.map_err(failed)?.map_err(store_error)
}

/// How many files and folders are in a folder. Blocks.
fn files_in(folder: &Path) -> u64 {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        count += 1 + if is_folder { files_in(&entry.path()) } else { 0 };
    }
    count
}

/// The same for git.
fn kept(snapshot: &Snapshot) -> Kept {
    Kept {
        commit: snapshot.commit.clone(),
        tree: snapshot.tree.clone(),
        branch: snapshot.branch.clone(),
        head: snapshot.head.clone(),
        files: snapshot.files,
        bytes: snapshot.bytes,
        left: (snapshot.left.clone(), snapshot.left_count),
    }
}

/// What was kept of a removed worktree is a snapshot of one that is there. Blocks.
fn as_snapshot(git: &Git, store: &Store, snapshot: Snapshot, path: PathBuf) -> Result<(), Error> {
    let root = snapshot.repository.clone();
    let name = reference(snapshot.id, false);
    git.keep(&root, &[(name, snapshot.commit.clone())]).map_err(git_error)?;
    let old = snapshot.reference();
    let stays = Snapshot {
        removed: false,
        path,
        agents: Vec::new(),
        lodgers: Vec::new(),
        talks: Vec::new(),
        is_leaving: false,
        ..snapshot
    };
    store.put_checkout(&stays).map_err(store_error)?;
    git.forget(&root, &old).map(drop).map_err(git_error)
}

/// Forgets a snapshot for good: git throws it away when it tidies up.
async fn purge(shared: &Arc<Shared>, snapshot: Snapshot) -> Result<(), Error> {
    let git = shared.tools().await?.git.clone();
    let store = shared.store.clone();
    blocking(move || forget(&git, &store, &snapshot)).await.map_err(failed)?
}

/// The same. Blocks.
fn forget(git: &Git, store: &Store, snapshot: &Snapshot) -> Result<(), Error> {
    // A repository that is away for a while keeps what it has, and the store keeps knowing it.
    let _ = git.forget(&snapshot.repository, &snapshot.reference()).map_err(git_error)?;
    store.forget_checkout(snapshot.id).map_err(store_error)
}

/// Ends what a host before had begun, and forgets what is older than 30 days, now and then.
pub(super) async fn tidy(shared: Arc<Shared>, leaving: Vec<SnapshotId>) {
    settle(&shared, leaving).await;
    loop {
        let store = shared.store.clone();
        let now = now_ms();
        if let Ok(Ok(all)) = blocking(move || store.checkouts()).await {
            forget_nobodys(&shared, &all, now).await;
            for snapshot in all.into_iter().filter(|snapshot| snapshot.is_over(now)) {
                let id = snapshot.id;
                match purge(&shared, snapshot).await {
                    Ok(()) => tracing::info!(%id, "a snapshot was forgotten after 30 days"),
                    Err(error) => {
                        tracing::info!(%id, error = %error.message, "an old snapshot stays");
                    }
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shared.stopping() => return,
        }
    }
}

/// Forgets what was kept long ago in the repositories that agents and snapshots are in, and that nobody knows of.
async fn forget_nobodys(shared: &Arc<Shared>, known: &[Snapshot], now_ms: u64) {
    let Ok(tools) = shared.tools().await else { return };
    let git = tools.git.clone();
    let agents = shared.world.agents().into_iter().filter_map(|agent| agent.repository);
    let roots: BTreeSet<PathBuf> =
        known.iter().map(|one| one.repository.clone()).chain(agents).collect();
    let known: HashSet<String> = known.iter().map(Snapshot::reference).collect();
    let before_s = now_ms.saturating_sub(NOBODYS_MS) / 1000;
    let gone = blocking(move || {
        let mut gone = Vec::new();
        // A repository that cannot be read now is looked at the next time.
        for (root, below) in roots.iter().flat_map(|root| [(root, "trash"), (root, "snapshots")]) {
            let old = git.kept_before(root, below, before_s).unwrap_or_default();
            for name in old.into_iter().filter(|name| !known.contains(name)) {
                match git.forget(root, &name) {
                    Ok(_) => gone.push(name),
                    Err(error) => tracing::info!(name, %error, "what nobody knows of stays"),
                }
            }
        }
        gone
    });
    if let Ok(gone) = gone.await
        && !gone.is_empty()
    {
        tracing::info!(?gone, "what nobody knew of was forgotten after 60 days");
    }
}
