//! Commands about playbooks and documents, and telling clients that documents were changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use maestro_core::agent::Provider;
use maestro_core::playbook::Plan;
use maestro_core::run::Spec;
use maestro_git::Git;
use maestro_protocol::message::{Command, Error, ErrorKind, Event, Reply};

use super::tools::failed;
use super::{Shared, blocking, check_path, now_ms, refuse};
use crate::playbooks::{self, Facts, Watches};

/// The folder in the home that has the playbooks that came with Maestro.
const SHIPPED: &str = "playbooks";
/// Paths that are looked at in one go.
const MAX_PATHS: usize = 1_000;

impl Shared {
    /// Who follows which folders of checklists.
    pub(super) fn watches(self: &Arc<Self>) -> &Watches {
        self.watches.get_or_init(|| {
            let weak = Arc::downgrade(self);
            Watches::new(Arc::new(move |folder| {
                if let Some(shared) = weak.upgrade() {
                    shared.world.tell(Event::DocumentsChanged { folder });
                }
            }))
        })
    }

    /// A client that may have followed folders is gone.
    pub(super) fn forget_watches(&self, client: u64) {
        if let Some(watches) = self.watches.get() {
            watches.forget(client);
        }
    }
}

/// Lets a client follow a folder of checklists, or not any more.
pub(super) fn follow(
    shared: &Arc<Shared>,
    client: u64,
    folder: &Path,
    follow: bool,
) -> Result<(), Error> {
    check_path(folder)?;
    if shared.watches().follow(client, folder, follow) {
        return Ok(());
    }
    Err(refuse(ErrorKind::Busy, "a client cannot follow so many folders; leave some"))
}

/// Runs a command about playbooks or documents.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    match command {
        Command::ListPlaybooks { directory } => list(shared, directory).await,
        Command::FindPlaybooks { directory } => find(shared, directory).await,
        Command::NewPlaybook { folder, from } => {
            check_path(&folder)?;
            from.as_deref().map_or(Ok(()), check_path)?;
            let made = blocking(move || playbooks::new(&folder, from.as_deref()));
            made.await.map_err(failed)?.map(|found| Reply::Playbooks(vec![found]))
        }
        Command::ImportPlaybook { archive, into, name, overwrite } => {
            check_path(&archive)?;
            check_path(&into)?;
            let import = move || playbooks::import(&archive, &into, name.as_deref(), overwrite);
            let found = blocking(import).await.map_err(failed)??;
            Ok(Reply::Playbooks(vec![found]))
        }
        Command::ExportPlaybook { folder, archive, overwrite } => {
            check_path(&folder)?;
            check_path(&archive)?;
            let export = move || playbooks::export(&folder, &archive, overwrite, now_ms());
            blocking(export).await.map_err(failed)??;
            Ok(Reply::Done)
        }
        Command::ListDocuments { folder, .. } => {
            check_path(&folder)?;
            let leaves = blocking(move || playbooks::tree(&folder)).await.map_err(failed)?;
            Ok(Reply::Documents(leaves))
        }
        Command::CheckDocuments { paths } => {
            if paths.len() > MAX_PATHS {
                let text = format!("at most {MAX_PATHS} documents can be looked at in one go");
                return Err(refuse(ErrorKind::Invalid, text));
            }
            paths.iter().try_for_each(|path| check_path(path))?;
            let shared = Arc::clone(shared);
            let check = move || playbooks::check(&paths, &shared.environment());
            Ok(Reply::Findings(blocking(check).await.map_err(failed)?))
        }
        Command::TrustCommands { hash, trusted } => {
            let trust = shared.tools().await?.runs.trust().clone();
            let set = move || trust.set(&hash, trusted, now_ms());
            blocking(set).await.map_err(failed)??;
            Ok(Reply::Done)
        }
        Command::PlanRun(spec) => plan(shared, spec).await.map(|plan| Reply::Plan(Box::new(plan))),
        _ => Err(refuse(ErrorKind::Unsupported, "this host cannot do that")),
    }
}

async fn list(shared: &Arc<Shared>, directory: PathBuf) -> Result<Reply, Error> {
    check_path(&directory)?;
    let git = shared.tools().await?.git.clone();
    let home = shared.options.home.root().join(SHIPPED);
    let chosen = chosen(shared, &directory);
    let list = move || {
        let folders = folders(&git, chosen, &directory);
        playbooks::list(&directory, &folders, &home)
    };
    Ok(Reply::Playbooks(blocking(list).await.map_err(failed)?))
}

async fn find(shared: &Arc<Shared>, directory: PathBuf) -> Result<Reply, Error> {
    check_path(&directory)?;
    let git = shared.tools().await?.git.clone();
    let chosen = chosen(shared, &directory);
    let find = move || {
        let first = folders(&git, chosen, &directory).into_iter().next();
        first.unwrap_or_else(|| directory.join(playbooks::FOLDER))
    };
    let folder = blocking(find).await.map_err(failed)?;
    Ok(Reply::Text(Some(folder.to_string_lossy().into_owned())))
}

/// The folders of a project's playbooks. A worktree has those of its repository, unless it brings its own.
fn folders(git: &Git, chosen: Option<PathBuf>, directory: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = chosen.into_iter().collect();
    if folders.is_empty() {
        folders = playbooks::folders_of(directory);
    }
    if folders.is_empty()
        && let Ok(repository) = git.repository(directory)
        && repository.root != directory
    {
        folders = playbooks::folders_of(&repository.root);
    }
    folders
}

/// The folder of playbooks that the user has chosen for an agent of this directory.
fn chosen(shared: &Shared, directory: &Path) -> Option<PathBuf> {
    let agents = shared.world.agents();
    let here = agents.iter().filter(|agent| agent.directory == directory);
    let mut chosen = here.filter_map(|agent| shared.settings.playbooks(agent.id, directory));
    chosen.next()
}

/// What a run would do, and what stands in its way.
async fn plan(shared: &Arc<Shared>, spec: Spec) -> Result<Plan, Error> {
    check_path(&spec.directory)?;
    let tools = shared.tools().await?;
    let (git, trust) = (tools.git.clone(), tools.runs.trust().clone());
    let shared = Arc::clone(shared);
    let plan = move || {
        let agent = spec.agent.and_then(|id| shared.world.agent(id));
        let agents = shared.world.agents().into_iter();
        playbooks::plan(Facts {
            spec: &spec,
            agent: agent.as_ref().map(|agent| agent.name.as_str()).unwrap_or_default(),
            agents: agents.map(|agent| (agent.name, agent.provider)).collect(),
            git: &git,
            environment: &shared.environment(),
            trust: &trust,
            obstacles: obstacles(&shared, &spec),
            in_use: in_use(&shared, &spec),
            now_ms: now_ms(),
        })
    };
    blocking(plan).await.map_err(failed)?
}

fn obstacles(shared: &Arc<Shared>, spec: &Spec) -> Vec<String> {
    let mut obstacles = Vec::new();
    if !spec.directory.is_dir() {
        obstacles.push(format!("The directory {} is not there.", spec.directory.display()));
    }
    if spec.provider == Provider::Shell {
        obstacles.push("A shell cannot do tasks; choose an agent.".to_owned());
    } else if let Err(because) = shared.detect(spec.provider).usable().map(drop) {
        obstacles.push(because);
    }
    obstacles
}

/// Who works in the directory of a run. One in a worktree of its own is in nobody's way.
fn in_use(shared: &Arc<Shared>, spec: &Spec) -> Vec<String> {
    if spec.options.worktree.is_some() {
        return Vec::new();
    }
    let near = shared.world.open_runs_near(&spec.directory).into_iter();
    let runs =
        near.map(|(run, directory)| format!("{} is in use by run {run}.", directory.display()));
    let writer = shared.writer_in(&spec.directory);
    let writer = writer.map(|who| format!("{} is in use: {who}", spec.directory.display()));
    runs.chain(writer).collect()
}
