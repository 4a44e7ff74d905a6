//! Worktrees: made with their files behind them, prepared, found again after a crash, and listed with those
//! that others have made.
//!
//! What is to be done for a worktree is in the store before it is begun, by its git directory; whoever comes
//! after a crash goes on from there.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_core::agent::{Agent, Provider};
use maestro_core::conversation::Prompt;
use maestro_core::fuzzy;
use maestro_core::worktree::{
    Answer, Ask, Base, Entry, Kept, MAX_RACE, MAX_TASK, Made, Make, Merged, Origin, Recipe, Stage,
    Usage, branches, slug,
};
use maestro_git::{Git, NewWorktree, Place};
use maestro_protocol::message::{Branch, Error, ErrorKind, Event};
use tokio::sync::watch;

use super::commands::{branch, git_error, store_error};
use super::tools::failed;
use super::{Shared, blocking, check_path, now_ms, refuse};
use crate::prepare;

/// Bases that are given at most.
const BASES: usize = 60;
/// Between two events about how many files are there.
const APART: Duration = Duration::from_millis(330);
/// How often it is looked whether a process of a dead host still writes files.
const LOOK: Duration = Duration::from_millis(300);
/// How often it is looked whether a setup has ended.
const TICK: Duration = Duration::from_millis(100);
/// How long a teardown may take.
const TEARDOWN: Duration = Duration::from_secs(5 * 60);

/// The worktrees that something is done for just now, by their git directories.
#[derive(Debug, Default)]
pub(crate) struct Worktrees {
    busy: Mutex<HashMap<PathBuf, Work>>,
    /// The variables of what is started in a worktree, by its directory.
    variables: Mutex<HashMap<PathBuf, Vec<(String, String)>>>,
    /// Held while ports are chosen.
    ports: tokio::sync::Mutex<()>,
    /// Held while one goes into the trash or comes out of it.
    pub(crate) trash: tokio::sync::Mutex<()>,
    /// Held while agents go after a checkout that somebody moved.
    moving: tokio::sync::Mutex<()>,
}

/// What is known of a worktree's file when something is started there.
struct Provided {
    recipe: prepare::Recipe,
    is_trusted: bool,
    /// The main checkout; `None` where the repository has none.
    main: Option<PathBuf>,
}

#[derive(Debug, Clone)]
struct Work {
    stop: Arc<AtomicBool>,
    /// Whether the user stops it, not the host.
    given_up: Arc<AtomicBool>,
    done: watch::Receiver<bool>,
}

impl Worktrees {
    fn busy(&self) -> MutexGuard<'_, HashMap<PathBuf, Work>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The variables of what is started in a directory: those of the worktree that it is in.
    pub(crate) fn variables(&self, directory: &Path) -> Vec<(String, String)> {
        let all = self.variables.lock().unwrap_or_else(PoisonError::into_inner);
        directory.ancestors().find_map(|folder| all.get(folder)).cloned().unwrap_or_default()
    }

    fn learn(&self, kept: &Kept) {
        let mut all = self.variables.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(kept.origin, Origin::Made | Origin::Adopted) {
            let own = prepare::variables(kept, &prepare::main_of(kept));
            let _ = all.insert(kept.path.clone(), own);
        } else {
            let _ = all.remove(&kept.path);
        }
    }

    /// Whether something is done for any.
    pub(crate) fn is_busy(&self) -> bool {
        !self.busy().is_empty()
    }

    /// Ends what writes files: the next host goes on with it.
    pub(crate) fn suspend(&self) {
        for work in self.busy().values() {
            work.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Worktrees that were moved: from where, and to where.
type Moved = Vec<(PathBuf, PathBuf)>;

/// Does what a client asks about worktrees.
pub(super) async fn run(shared: &Arc<Shared>, ask: Ask) -> Result<Answer, Error> {
    match ask {
        Ask::Make(make) => shared.make_worktrees(*make).await.map(Answer::Made),
        Ask::List { repository } => list(shared, repository).await.map(Answer::List),
        Ask::Fill { directory } => {
            let kept = looked_after(shared, directory).await?;
            let kept = Kept { problem: None, ..kept };
            put(shared, &kept).await?;
            let work = shared.begin(kept.clone());
            wait(work).await;
            one(shared, kept.git_dir).await
        }
        Ask::Stop { directory } => stop(shared, directory).await,
        Ask::Bases { directory, like } => {
            check_path(&directory)?;
            let git = shared.tools().await?.git.clone();
            let found = blocking(move || {
                let fits = |name: &str| like.is_empty() || fuzzy::find(&like, name).is_some();
                git.bases(&directory, &fits, BASES)
            });
            let found: Vec<Base> = found.await.map_err(failed)?.map_err(git_error)?;
            Ok(Answer::Bases(found))
        }
        Ask::Adopt { directory, adopted } => {
            let origin = if adopted { Origin::Adopted } else { Origin::Foreign };
            claim(shared, directory, origin).await
        }
        Ask::Ignore { directory, ignored } => {
            let origin = if ignored { Origin::Ignored } else { Origin::Foreign };
            claim(shared, directory, origin).await
        }
        Ask::Usage { repository } => usage(shared, repository).await.map(Answer::Usage),
        Ask::Merged { repository, target } => {
            merged(shared, repository, target).await.map(Answer::Merged)
        }
        Ask::Recipe { directory } => recipe(shared, directory, None).await.map(Answer::Recipe),
        Ask::Trust { directory, hash, trusted } => {
            recipe(shared, directory, Some((hash, trusted))).await.map(Answer::Recipe)
        }
        Ask::Standings { agents } => {
            super::standing::look(shared, agents).await.map(Answer::Standings)
        }
        Ask::Repair { repository, moved } => {
            check_path(&repository)?;
            for path in &moved {
                check_path(path)?;
            }
            let (git, directory) = (shared.tools().await?.git.clone(), repository.clone());
            blocking(move || git.repair_worktrees(&directory, &moved))
                .await
                .map_err(failed)?
                .map_err(git_error)?;
            list(shared, repository).await.map(Answer::List)
        }
    }
}

impl Shared {
    /// Makes worktrees, with agents where some are asked for.
    async fn make_worktrees(self: &Arc<Self>, make: Make) -> Result<Vec<Made>, Error> {
        let names = checked(&make)?;
        check_path(&make.repository)?;
        for location in make.location.iter().chain(&make.path) {
            check_path(location)?;
        }
        if let Some(provider) = make.agent {
            self.check_new_agents(provider, names.len()).await?;
        }
        if names.len() > 1 {
            self.refuse_taken_branches(&make, &names).await?;
        }
        let mut made: Vec<Made> = Vec::new();
        for name in names {
            let one = self.make_one(&make, name).await.map_err(|error| {
                let before: Vec<String> =
                    made.iter().map(|one| one.worktree.path.display().to_string()).collect();
                if before.is_empty() {
                    return error;
                }
                let text = format!("{error} Made before that, and kept: {}.", before.join(", "));
                refuse(error.kind, text)
            })?;
            made.push(one);
        }
        if make.wait {
            for one in &mut made {
                self.wait_for(&one.worktree.path).await;
                if let Answer::One(entry) = self.entry_at(&one.worktree.path).await? {
                    one.worktree = *entry;
                }
                if let Some(agent) = &mut one.agent {
                    **agent = self.agent(agent.id)?;
                }
            }
        }
        Ok(made)
    }

    async fn make_one(self: &Arc<Self>, make: &Make, name: String) -> Result<Made, Error> {
        let wanted = if make.existing {
            Branch::Existing(name.clone())
        } else {
            Branch::New { name: name.clone(), base: make.base.clone() }
        };
        let place = make.location.clone().map(Place::Under);
        let mut kept =
            self.register(make.repository.clone(), wanted, make.path.clone(), place).await?;
        let mut agent = None;
        if let Some(provider) = make.agent {
            let wish = match (&make.name, make.race) {
                (Some(wish), 0) => Some(wish.clone()),
                (Some(wish), _) => name.rsplit('-').next().map(|n| format!("{wish}-{n}")),
                (None, _) => None,
            };
            let new = self.agent_in(&kept, wish, provider).await?;
            kept.agent = Some(new.id);
            kept.task.clone_from(&make.task);
            put(self, &kept).await?;
            agent = Some(new);
        }
        let starts = make.start && make.task.is_none();
        // A shell needs no files to begin with; programs read what they are told in them.
        if let Some(new) = agent.as_mut().filter(|new| starts && new.provider == Provider::Shell) {
            // What is wrong with it is told where it is prepared.
            let _ = self.provide(&mut kept).await;
            *new = self.open_agent_sized(new.id, make.size).await?;
        }
        let entry = self.entry(&kept, Stage::Filling { done: 0, total: 0 });
        if !kept.is_ready() {
            self.world.set_worktree(entry.clone());
        }
        let work = self.begin(kept);
        if let Some(new) = agent.as_ref().filter(|new| starts && new.provider != Provider::Shell) {
            let (shared, id, size) = (Arc::clone(self), new.id, make.size);
            let opens = async move {
                wait(work).await;
                if let Err(error) = shared.open_agent_sized(id, size).await {
                    shared.problem(Some(id), format!("It was made, but did not start: {error}"));
                }
            };
            if make.wait {
                opens.await;
            } else {
                super::detach(opens);
            }
        }
        Ok(Made { worktree: entry, agent: agent.map(Box::new) })
    }

    /// Registers a worktree and keeps that it is ours. What went wrong without spoiling it is told.
    async fn register(
        self: &Arc<Self>,
        repository: PathBuf,
        wanted: Branch,
        path: Option<PathBuf>,
        place: Option<Place>,
    ) -> Result<Kept, Error> {
        check_path(&repository)?;
        let git = self.tools().await?.git.clone();
        let shared = Arc::clone(self);
        let made_branch = matches!(wanted, Branch::New { .. });
        let made = blocking(move || {
            let place = match place {
                Some(place) => place,
                None => shared.place_of_worktrees(&git, &repository)?,
            };
            let wanted = NewWorktree { repository, branch: branch(wanted), path, place };
            let made = git.register_worktree(&wanted).map_err(git_error)?;
            let found = git.repository(&made.worktree.path).map_err(git_error)?;
            let kept = Kept {
                git_dir: found.git_dir,
                common_dir: found.common_dir,
                path: made.worktree.path.clone(),
                branch: made.worktree.branch.clone(),
                base: made.worktree.head.clone(),
                made_branch,
                origin: Origin::Made,
                is_filled: made.to_fill.is_none(),
                is_prepared: false,
                problem: None,
                agent: None,
                task: None,
                tab: None,
                ports: None,
                variables: Vec::new(),
                since_ms: now_ms(),
            };
            shared.store.put_worktree(&kept).map_err(store_error)?;
            shared.worktrees.learn(&kept);
            Ok::<_, Error>((kept, made.notice))
        });
        let (kept, notice) = made.await.map_err(failed)??;
        if let Some(text) = notice {
            self.world.tell(Event::Problem { agent: None, text });
        }
        Ok(kept)
    }

    /// Where worktrees go when nobody says it. Blocks.
    fn place_of_worktrees(&self, git: &Git, repository: &Path) -> Result<Place, Error> {
        let Some(folder) = self.settings.of(None).worktrees else { return Ok(Place::Beside) };
        let root = git.repository(repository).map_err(git_error)?.root;
        let folder = root.join(folder.trim());
        check_path(&folder)?;
        Ok(Place::Under(folder))
    }

    /// Makes a worktree and waits until it is ready; what went wrong without spoiling it is told to
    /// everybody.
    pub(crate) async fn add_worktree(
        self: &Arc<Self>,
        repository: PathBuf,
        wanted: Branch,
        path: Option<PathBuf>,
    ) -> Result<Kept, Error> {
        let kept = self.register(repository, wanted, path, None).await?;
        let (git_dir, path) = (kept.git_dir.clone(), kept.path.clone());
        wait(self.begin(kept)).await;
        let store = self.store.clone();
        let kept = blocking(move || store.worktree(&git_dir)).await.map_err(failed)?;
        match kept.map_err(store_error)? {
            // One that is not prepared has its files; why, was told.
            Some(Kept { problem: Some(problem), is_filled: false, .. }) => {
                let text = format!("{problem} The worktree {} was made.", path.display());
                Err(refuse(ErrorKind::Failed, text))
            }
            Some(kept) => {
                if let Some(text) = kept.problem.clone() {
                    self.world.tell(Event::Problem { agent: None, text });
                }
                Ok(kept)
            }
            None => Err(gone(&path)),
        }
    }

    /// Does what is left to be done for a worktree, unless it is being done.
    fn begin(self: &Arc<Self>, kept: Kept) -> Work {
        let mut busy = self.worktrees.busy();
        if let Some(work) = busy.get(&kept.git_dir) {
            return work.clone();
        }
        let (sender, done) = watch::channel(false);
        let work = Work { stop: Arc::default(), given_up: Arc::default(), done };
        let _ = busy.insert(kept.git_dir.clone(), work.clone());
        drop(busy);
        let (shared, own) = (Arc::clone(self), work.clone());
        super::detach(async move {
            let git_dir = kept.git_dir.clone();
            shared.work(kept, &own).await;
            let _ = shared.worktrees.busy().remove(&git_dir);
            let _ = sender.send_replace(true);
        });
        work
    }

    async fn work(self: &Arc<Self>, mut kept: Kept, work: &Work) {
        let result = self.steps(&mut kept, work).await;
        if self.is_stopping() {
            return;
        }
        let stage = match result {
            Ok(()) => Stage::Ready,
            Err(_) if work.given_up.load(Ordering::Relaxed) => {
                let text = "It was stopped: `maestro worktree fill` goes on with it.".to_owned();
                kept.problem = Some(text.clone());
                Stage::Failed(text)
            }
            Err(error) => {
                // Whoever waits for it is answered with that, and everybody else is told by the event.
                kept.problem = Some(error.message.clone());
                Stage::Failed(error.message)
            }
        };
        if let Err(error) = put(self, &kept).await {
            self.problem(kept.agent, format!("How far a worktree is was not kept: {error}"));
        }
        self.world.set_worktree(self.entry(&kept, stage));
    }

    async fn steps(self: &Arc<Self>, kept: &mut Kept, work: &Work) -> Result<(), Error> {
        if !kept.is_filled {
            self.fill(kept, work).await?;
            kept.is_filled = true;
            put(self, kept).await?;
        }
        if !kept.is_prepared {
            self.prepare(kept, work).await?;
            kept.is_prepared = true;
            put(self, kept).await?;
        }
        if let (Some(agent), Some(task)) = (kept.agent, kept.task.clone())
            && kept.tab.is_none()
        {
            let tab = self.new_tab(agent, None, None).await?;
            // The same words again after a crash are the same request.
            let token = format!("task {} {}", kept.git_dir.display(), kept.since_ms);
            let prompt = Prompt { text: task, ..Prompt::default() };
            let _ = self.queues().send(tab.id, prompt, token, false).await?;
            kept.tab = Some(tab.id);
            put(self, kept).await?;
        }
        Ok(())
    }

    async fn fill(self: &Arc<Self>, kept: &Kept, work: &Work) -> Result<(), Error> {
        let git = self.tools().await?.git.clone();
        let (shared, own, stop) = (Arc::clone(self), kept.clone(), Arc::clone(&work.stop));
        let filled = blocking(move || {
            let last = Mutex::new(None);
            let tell = |done, total| {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                let now = std::time::Instant::now();
                if last.is_none_or(|last| now.duration_since(last) >= APART) {
                    *last = Some(now);
                    shared.world.set_worktree(shared.entry(&own, Stage::Filling { done, total }));
                }
            };
            git.fill(&own.path, &stop, &tell)
        });
        match filled.await.map_err(failed)? {
            Ok(None) | Err(maestro_git::Error::NotFilling { .. }) => Ok(()),
            Ok(Some(text)) => {
                tracing::warn!(text, "a worktree was made, but not without a problem");
                // At once and not through the notices, so that it comes before the answer: the command
                // line listens no longer than that.
                self.world.tell(Event::Problem { agent: kept.agent, text });
                Ok(())
            }
            Err(error) => Err(git_error(error)),
        }
    }

    /// Gives a worktree its ports and the variables that were agreed to: what a program that is started
    /// there has to know from its first moment.
    async fn provide(self: &Arc<Self>, kept: &mut Kept) -> Result<Provided, Error> {
        let git = self.tools().await?.git.clone();
        let (path, store, is_filled) = (kept.path.clone(), self.store.clone(), kept.is_filled);
        let read = blocking(move || {
            let found = git.repository(&path).map_err(git_error)?;
            // The files may be on their way.
            let committed = if is_filled {
                None
            } else {
                git.committed(&path, prepare::FILE, prepare::BYTES).map_err(git_error)?
            };
            let recipe = prepare::read(&path, committed, &found.root)
                .map_err(|why| refuse(ErrorKind::Invalid, why))?;
            let is_trusted = !recipe.needs_trust()
                || store.agreed_programs().map_err(store_error)?.contains(&recipe.hash);
            Ok::<_, Error>(Provided {
                recipe,
                is_trusted,
                main: (!found.bare).then_some(found.root),
            })
        });
        let provided = read.await.map_err(failed)??;
        if provided.is_trusted {
            kept.variables = provided.recipe.env.clone().into_iter().collect();
            put(self, kept).await?;
        }
        if kept.ports.is_none() {
            let _choosing = self.worktrees.ports.lock().await;
            let (store, count) = (self.store.clone(), provided.recipe.ports);
            let chosen = blocking(move || {
                let all = store.worktrees(None).map_err(store_error)?;
                Ok::<_, Error>(prepare::free_ports(count, &all))
            });
            kept.ports = chosen.await.map_err(failed)??;
            put(self, kept).await?;
        }
        Ok(provided)
    }

    /// What is done in a worktree before somebody works there.
    async fn prepare(self: &Arc<Self>, kept: &mut Kept, work: &Work) -> Result<(), Error> {
        let say = |kept: &Kept, what: &str| {
            self.world.set_worktree(self.entry(kept, Stage::Preparing(what.to_owned())));
        };
        let git = self.tools().await?.git.clone();
        let Provided { recipe, is_trusted, main } = self.provide(kept).await?;
        if let Some(main) = main {
            say(kept, "copying ignored files");
            let (asked, to, stop) = (git.clone(), kept.path.clone(), Arc::clone(&work.stop));
            let patterns = recipe.copy.clone();
            let copied = blocking(move || asked.copy_ignored(&main, &to, &patterns, &stop));
            match copied.await.map_err(failed)? {
                Ok(copied) if copied.passed > 0 => {
                    let named = copied.passed_over.join(", ");
                    let text = format!("{} ignored files were not copied: {named}.", copied.passed);
                    self.problem(kept.agent, text);
                }
                Ok(_) => {}
                Err(maestro_git::Error::Stopped { command }) => {
                    return Err(git_error(maestro_git::Error::Stopped { command }));
                }
                Err(error) => {
                    self.problem(kept.agent, format!("Ignored files were not copied: {error}"));
                }
            }
        }
        if kept.path.join(".gitmodules").is_file() {
            say(kept, "checking out submodules");
            let (path, stop) = (kept.path.clone(), Arc::clone(&work.stop));
            let done = blocking(move || git.update_submodules(&path, &stop));
            if let Err(error) = done.await.map_err(failed)? {
                self.problem(kept.agent, format!("Submodules were not checked out: {error}"));
            }
        }
        let Some(line) = recipe.setup.clone() else { return Ok(()) };
        let done = if is_trusted {
            say(kept, "setting up");
            self.set_up(kept, &line, recipe.minutes, work).await
        } else {
            let text = format!(
                "Its setup was not run, because nobody has agreed to it yet: \
                 `maestro worktree trust {}` shows it, then `maestro worktree fill` goes on.",
                kept.path.display()
            );
            Err(refuse(ErrorKind::Untrusted, text))
        };
        match done {
            Err(error) if !recipe.is_required && !work.stop.load(Ordering::Relaxed) => {
                self.problem(kept.agent, error.message);
                Ok(())
            }
            done => done,
        }
    }

    /// Runs the setup in a terminal of the agent, where everybody can see it.
    async fn set_up(
        self: &Arc<Self>,
        kept: &Kept,
        line: &str,
        minutes: u64,
        work: &Work,
    ) -> Result<(), Error> {
        let (shared, agent, path) = (Arc::clone(self), kept.agent, kept.path.clone());
        let size = maestro_core::screen::Size::new(120, 40);
        let start =
            blocking(move || shared.plan_shell(agent, path, size)).await.map_err(failed)??;
        let start = super::terminals::Start {
            title: "Set up".to_owned(),
            program: "/bin/sh".into(),
            args: vec!["-c".into(), line.into()],
            ..start
        };
        let session = self.start_terminal(start).await?;
        let until = tokio::time::Instant::now() + Duration::from_secs(minutes * 60);
        let ended = loop {
            if !session.is_live() {
                break session.info().exit;
            }
            let is_late = tokio::time::Instant::now() >= until;
            if is_late || work.stop.load(Ordering::Relaxed) {
                self.close_terminal(&session).await?;
                let text = if is_late {
                    format!(
                        "Its setup took longer than {minutes} minutes and was ended; \
                         `setup_minutes` gives it more."
                    )
                } else {
                    "Its setup was stopped.".to_owned()
                };
                return Err(refuse(ErrorKind::TimedOut, text));
            }
            tokio::time::sleep(TICK).await;
        };
        if ended == Some(0) {
            return self.close_terminal(&session).await;
        }
        let how = ended.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let text = format!(
            "Its setup ended with {how}; the terminal {} shows why. Mend that, then \
             `maestro worktree fill {}` tries again.",
            session.id,
            kept.path.display()
        );
        Err(refuse(ErrorKind::Failed, text))
    }

    /// Runs what a worktree's file says is to be run before it is removed, if the user agreed to it. What comes
    /// of it is told and keeps nobody from removing it.
    pub(crate) async fn teardown(self: &Arc<Self>, kept: &Kept) {
        let (path, main, store) = (kept.path.clone(), prepare::main_of(kept), self.store.clone());
        let read = blocking(move || {
            let recipe = prepare::read(&path, None, &main).ok()?;
            let agreed = store.agreed_programs().ok()?;
            agreed.contains(&recipe.hash).then_some(recipe.teardown?)
        });
        let Ok(Some(line)) = read.await else { return };
        let (stopper, stopped) = watch::channel(false);
        let mut marks = self.worktrees.variables(&kept.path);
        marks.push((super::terminals::HOST.to_owned(), self.instance.clone()));
        let done = crate::autorun::command::run(
            crate::autorun::command::Command {
                line: &line,
                directory: &kept.path,
                env: self.environment().to_vec(),
                marks,
                mark: ("MAESTRO_TEARDOWN", format!("{}-{}", self.instance, kept.since_ms)),
                limit: Some(TEARDOWN),
            },
            stopped,
            &|_| {},
        )
        .await;
        drop(stopper);
        if done.exit_code != Some(0) {
            let text = format!("The teardown of {} failed: {}", kept.path.display(), done.output);
            self.problem(kept.agent, text);
        }
    }

    /// A worktree that is looked after, for clients.
    fn entry(&self, kept: &Kept, stage: Stage) -> Entry {
        Entry {
            path: kept.path.clone(),
            branch: kept.branch.clone(),
            head: kept.base.as_deref().map(short),
            main: false,
            locked: None,
            missing: false,
            prunable: None,
            origin: kept.origin,
            stage,
            agents: agents_in(&self.world.agents(), &kept.path),
            ports: kept.ports,
        }
    }

    /// Waits until nothing is done any more for the worktree at a path.
    async fn wait_for(&self, path: &Path) {
        let git_dirs: Vec<Work> = self.worktrees.busy().values().cloned().collect();
        if self.world.worktree(path).is_some() {
            for work in git_dirs {
                wait(work).await;
            }
        }
    }

    async fn entry_at(self: &Arc<Self>, path: &Path) -> Result<Answer, Error> {
        let (git, path) = (self.tools().await?.git.clone(), path.to_owned());
        let found = blocking(move || git.repository(&path)).await.map_err(failed)?;
        one(self, found.map_err(git_error)?.git_dir).await
    }

    /// Refuses a race when any of its branches is taken: all or nothing.
    async fn refuse_taken_branches(
        self: &Arc<Self>,
        make: &Make,
        names: &[String],
    ) -> Result<(), Error> {
        let (git, directory) = (self.tools().await?.git.clone(), make.repository.clone());
        let local = blocking(move || git.branches(&directory)).await.map_err(failed)?;
        let local = local.map_err(git_error)?.local;
        match names.iter().find(|name| local.contains(name)) {
            None => Ok(()),
            Some(taken) => {
                let text = format!("there is already a branch `{taken}`; choose another name");
                Err(refuse(ErrorKind::Busy, text))
            }
        }
    }
}

/// Goes on with the worktrees that a host before did not make ready.
pub(super) async fn recovered(shared: Arc<Shared>) {
    let store = shared.store.clone();
    let kept = match blocking(move || store.worktrees(None)).await {
        Ok(Ok(kept)) => kept,
        Ok(Err(error)) => {
            return shared.problem(None, format!("Worktrees cannot be looked after: {error}"));
        }
        Err(_) => return,
    };
    kept.iter().for_each(|kept| shared.worktrees.learn(kept));
    for kept in kept.into_iter().filter(|kept| !kept.is_ready()) {
        if !kept.git_dir.is_dir() {
            // It may be on a disk that is away: nothing is forgotten.
            continue;
        }
        if let Some(problem) = &kept.problem {
            shared.world.set_worktree(shared.entry(&kept, Stage::Failed(problem.clone())));
            continue;
        }
        let shared = Arc::clone(&shared);
        super::detach(async move {
            let value = kept.git_dir.to_string_lossy().into_owned();
            loop {
                let looks = blocking(|| maestro_pty::process::values_of(maestro_git::FILLS)).await;
                if !looks.is_ok_and(|values| values.contains(&value)) || shared.is_stopping() {
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
            wait(shared.begin(kept)).await;
        });
    }
}

async fn wait(work: Work) {
    let mut done = work.done;
    let _ = done.wait_for(|done| *done).await;
}

/// The branches that are asked for.
fn checked(make: &Make) -> Result<Vec<String>, Error> {
    let invalid = |text: &str| Err(refuse(ErrorKind::Invalid, text));
    if make.task.as_ref().is_some_and(|task| task.len() > MAX_TASK) {
        return invalid("a task can have at most 256 KiB; put the rest into a file");
    }
    if make.task.as_ref().is_some_and(|task| task.trim().is_empty()) {
        return invalid("the task is empty; say what is to be done");
    }
    match make.agent {
        None if make.task.is_some() => {
            return invalid("somebody has to be told the task; choose an agent");
        }
        Some(Provider::Shell) if make.task.is_some() => {
            return invalid("a shell cannot be told a task; choose another agent");
        }
        _ => {}
    }
    if make.race > MAX_RACE {
        return invalid(&format!("a race can have at most {MAX_RACE} branches"));
    }
    if make.path.is_some() && make.race > 0 {
        return invalid("several worktrees cannot have one place; name the folder for them");
    }
    if make.existing && make.race > 0 {
        return invalid("a race makes branches of its own; leave out that it exists");
    }
    let name = match make.branch.as_str() {
        "" => make.task.as_deref().map(slug).unwrap_or_default(),
        name => name.to_owned(),
    };
    if name.is_empty() {
        return invalid("`` cannot be a branch's name: it is empty");
    }
    Ok(branches(&name, make.race))
}

/// The worktrees of a repository, with what is known of them.
async fn list(shared: &Arc<Shared>, repository: PathBuf) -> Result<Vec<Entry>, Error> {
    check_path(&repository)?;
    let git = shared.tools().await?.git.clone();
    let worker = Arc::clone(shared);
    let found = blocking(move || look(&worker, &git, &repository)).await.map_err(failed)??;
    let (entries, moved) = found;
    for (from, to) in moved {
        shared.follow_move(&from, &to).await;
    }
    Ok(entries)
}

/// Blocks. Also gives which were moved.
fn look(shared: &Shared, git: &Git, repository: &Path) -> Result<(Vec<Entry>, Moved), Error> {
    let common_dir = git.repository(repository).map_err(git_error)?.common_dir;
    let worktrees = git.worktrees(repository).map_err(git_error)?;
    let mut kept = shared.store.worktrees(Some(&common_dir)).map_err(store_error)?;
    let mut moved = Vec::new();
    for one in &mut kept {
        if let Some(now) = git.worktree_at(&one.git_dir)
            && now != one.path
        {
            moved.push((std::mem::replace(&mut one.path, now.clone()), now));
            shared.store.put_worktree(one).map_err(store_error)?;
            shared.worktrees.learn(one);
        }
    }
    let own = shared.options.home.root().to_owned();
    let agents = shared.world.agents();
    let entries =
        worktrees.into_iter().filter(|found| !found.path.starts_with(&own)).map(|found| {
            let path = found.path.canonicalize().unwrap_or_else(|_| found.path.clone());
            let known = kept.iter().find(|kept| kept.path == path || kept.path == found.path);
            let stage = shared.world.worktree(&path).map(|entry| entry.stage);
            let stage =
                stage.unwrap_or_else(|| match known.and_then(|kept| kept.problem.clone()) {
                    Some(problem) => Stage::Failed(problem),
                    None if !found.main && git.is_filling(&path).unwrap_or(false) => {
                        let text =
                            "Its files are still to come: `maestro worktree fill` writes them.";
                        Stage::Failed(text.to_owned())
                    }
                    None => Stage::Ready,
                });
            Entry {
                agents: agents_in(&agents, &path),
                origin: match known {
                    _ if found.main => Origin::Main,
                    Some(kept) => kept.origin,
                    None => Origin::Foreign,
                },
                ports: known.and_then(|kept| kept.ports),
                path: found.path,
                branch: found.branch,
                head: found.head.as_deref().map(short),
                main: found.main,
                locked: found.locked,
                missing: found.missing,
                prunable: found.prunable,
                stage,
            }
        });
    Ok((entries.collect(), moved))
}

impl Shared {
    /// A worktree was moved: its agents go with it.
    async fn follow_move(self: &Arc<Self>, from: &Path, to: &Path) {
        for agent in self.world.agents() {
            let Ok(inner) = agent.directory.strip_prefix(from) else { continue };
            let directory = if inner.as_os_str().is_empty() { to.into() } else { to.join(inner) };
            let change = move |agent: &mut Agent| agent.directory.clone_from(&directory);
            if let Err(error) = self.save_agent(agent.id, change).await {
                tracing::warn!(agent = %agent.id, %error, "an agent did not follow its worktree");
            }
        }
    }
}

/// A checkout is not where it was: its agents, and what is kept about it, go where git says that it is now.
pub(super) async fn follow(
    shared: &Arc<Shared>,
    from: &Path,
    git_dir: PathBuf,
) -> Result<(), Error> {
    let git = shared.tools().await?.git.clone();
    // One after the other: it may have been moved on, or back.
    let _alone = shared.worktrees.moving.lock().await;
    let was = from.to_owned();
    let now = blocking(move || {
        let now = git.worktree_at(&git_dir).filter(|_| !was.exists());
        now.filter(|now| now.exists())
    });
    let Some(now) = now.await.map_err(failed)? else { return Ok(()) };
    shared.follow_move(from, &now).await;
    list(shared, now).await.map(drop)
}

async fn one(shared: &Arc<Shared>, git_dir: PathBuf) -> Result<Answer, Error> {
    let git = shared.tools().await?.git.clone();
    let place = git_dir.clone();
    let path = blocking(move || git.worktree_at(&place)).await.map_err(failed)?;
    let path = path.ok_or_else(|| gone(&git_dir))?;
    let all = list(shared, path.clone()).await?;
    let same =
        |entry: &Entry| entry.path.canonicalize().unwrap_or_else(|_| entry.path.clone()) == path;
    all.into_iter().find(same).map(|entry| Answer::One(Box::new(entry))).ok_or_else(|| gone(&path))
}

/// What is kept about the worktree that a directory is in.
async fn looked_after(shared: &Arc<Shared>, directory: PathBuf) -> Result<Kept, Error> {
    check_path(&directory)?;
    let git = shared.tools().await?.git.clone();
    let store = shared.store.clone();
    let found = blocking(move || {
        let found = git.repository(&directory).map_err(git_error)?;
        if found.git_dir == found.common_dir {
            let text = "this is the repository's main checkout, which was not made by Maestro";
            return Err(refuse(ErrorKind::Invalid, text));
        }
        if let Some(kept) = store.worktree(&found.git_dir).map_err(store_error)? {
            return Ok(kept);
        }
        let path = found.checkout.unwrap_or(directory);
        Ok(Kept {
            is_filled: !git.is_filling(&path).map_err(git_error)?,
            git_dir: found.git_dir,
            common_dir: found.common_dir,
            path,
            branch: found.branch,
            base: found.head,
            made_branch: false,
            origin: Origin::Foreign,
            is_prepared: true,
            problem: None,
            agent: None,
            task: None,
            tab: None,
            ports: None,
            variables: Vec::new(),
            since_ms: now_ms(),
        })
    });
    found.await.map_err(failed)?
}

/// Says whose a worktree is that somebody else made.
async fn claim(shared: &Arc<Shared>, directory: PathBuf, origin: Origin) -> Result<Answer, Error> {
    let kept = looked_after(shared, directory).await?;
    if kept.origin == Origin::Made {
        let text = format!("{} was made by Maestro and is looked after", kept.path.display());
        return Err(refuse(ErrorKind::Invalid, text));
    }
    let kept = Kept { origin, ..kept };
    if origin == Origin::Foreign {
        let (store, git_dir) = (shared.store.clone(), kept.git_dir.clone());
        blocking(move || store.forget_worktree(&git_dir))
            .await
            .map_err(failed)?
            .map_err(store_error)?;
    } else {
        put(shared, &kept).await?;
    }
    one(shared, kept.git_dir).await
}

/// What is done in new worktrees of a repository; with an answer of the user's, whether it may.
async fn recipe(
    shared: &Arc<Shared>,
    directory: PathBuf,
    answer: Option<(String, bool)>,
) -> Result<Recipe, Error> {
    check_path(&directory)?;
    let git = shared.tools().await?.git.clone();
    let store = shared.store.clone();
    let found = blocking(move || {
        let found = git.repository(&directory).map_err(git_error)?;
        let here = found.checkout.unwrap_or(directory);
        let recipe = prepare::read(&here, None, &found.root)
            .map_err(|why| refuse(ErrorKind::Invalid, why))?;
        if let Some((hash, trusted)) = answer {
            if recipe.hash != hash || hash.is_empty() {
                let text = "the file is another one now; look at it again";
                return Err(refuse(ErrorKind::Busy, text));
            }
            store.agree_to_programs(&hash, trusted.then(now_ms)).map_err(store_error)?;
        }
        let agreed = store.agreed_programs().map_err(store_error)?;
        Ok(Recipe {
            lines: recipe.lines(),
            is_trusted: !recipe.needs_trust() || agreed.contains(&recipe.hash),
            hash: recipe.hash,
        })
    });
    found.await.map_err(failed)?
}

/// Stops what is done for a worktree, and takes it back if nothing else is in it.
async fn stop(shared: &Arc<Shared>, directory: PathBuf) -> Result<Answer, Error> {
    let kept = looked_after(shared, directory).await?;
    let work = shared.worktrees.busy().get(&kept.git_dir).cloned();
    if let Some(work) = work {
        work.given_up.store(true, Ordering::Relaxed);
        work.stop.store(true, Ordering::Relaxed);
        wait(work).await;
    }
    let agents = agents_in(&shared.world.agents(), &kept.path);
    let live = |id| shared.world.agent(id).is_some_and(|agent| agent.ai_terminal.is_some());
    if kept.origin != Origin::Made || agents.iter().any(|id| live(*id)) {
        return one(shared, kept.git_dir).await;
    }
    let git = shared.tools().await?.git.clone();
    let path = kept.path.clone();
    match blocking(move || git.abandon_filling(&path)).await.map_err(failed)? {
        Ok(true) => {}
        Ok(false) | Err(maestro_git::Error::NotFilling { .. }) => {
            return one(shared, kept.git_dir).await;
        }
        Err(error) => return Err(git_error(error)),
    }
    let (store, git_dir) = (shared.store.clone(), kept.git_dir.clone());
    blocking(move || store.forget_worktree(&git_dir))
        .await
        .map_err(failed)?
        .map_err(store_error)?;
    shared.world.set_worktree(shared.entry(&kept, Stage::Ready));
    for agent in agents {
        shared.remove_agent(agent).await?;
    }
    Ok(Answer::Gone)
}

async fn usage(shared: &Arc<Shared>, repository: PathBuf) -> Result<Vec<Usage>, Error> {
    let entries = list(shared, repository).await?;
    let git = shared.tools().await?.git.clone();
    let found = blocking(move || {
        let there = entries.into_iter().filter(|entry| !entry.missing);
        there.filter_map(|entry| git.usage(&entry.path).ok()).collect()
    });
    found.await.map_err(failed)
}

/// Which worktrees have nothing that the target lacks, and why the others stay.
async fn merged(
    shared: &Arc<Shared>,
    repository: PathBuf,
    target: Option<String>,
) -> Result<Vec<Merged>, Error> {
    let entries = list(shared, repository).await?;
    let Some(main) = entries.iter().find(|entry| entry.main).map(|entry| entry.path.clone()) else {
        return Ok(Vec::new());
    };
    let busy: HashSet<PathBuf> = shared
        .world
        .agents()
        .into_iter()
        .filter(|agent| {
            let live = |id: Option<maestro_core::TerminalId>| {
                id.and_then(|id| shared.world.terminal(id)).is_some_and(|one| one.is_live())
            };
            live(agent.ai_terminal)
                || live(agent.shell_terminal)
                || !shared.world.open_runs_of(agent.id).is_empty()
        })
        .map(|agent| agent.directory)
        .collect();
    let git = shared.tools().await?.git.clone();
    let store = shared.store.clone();
    let found = blocking(move || {
        let target = match target {
            Some(target) => target,
            None => {
                let head = git.repository(&main).map_err(git_error)?;
                head.branch.unwrap_or_else(|| "HEAD".to_owned())
            }
        };
        let aim = git.commit(&main, &target).map_err(git_error)?;
        let judged = entries.into_iter().filter(|entry| !entry.main).map(|entry| {
            let base = git
                .repository(&entry.path)
                .ok()
                .and_then(|found| store.worktree(&found.git_dir).ok().flatten())
                .and_then(|kept| kept.base);
            let stays = stays(&git, &entry, &busy, &aim, &target, base.as_deref());
            Merged { path: entry.path, branch: entry.branch, stays }
        });
        Ok::<_, Error>(judged.collect())
    });
    found.await.map_err(failed)?
}

/// Why a worktree is not cleaned up.
fn stays(
    git: &Git,
    entry: &Entry,
    busy: &HashSet<PathBuf>,
    aim: &str,
    target: &str,
    base: Option<&str>,
) -> Option<String> {
    let why = |text: &str| Some(text.to_owned());
    if !matches!(entry.origin, Origin::Made | Origin::Adopted) {
        return why("somebody else made it");
    }
    if entry.missing {
        return why("its folder is not there; a disk may be away");
    }
    if entry.locked.is_some() {
        return why("it is locked");
    }
    if entry.stage != Stage::Ready {
        return why("it is not ready");
    }
    if busy.iter().any(|directory| directory.starts_with(&entry.path)) {
        return why("somebody is at work there");
    }
    let Ok(standing) = git.standing(&entry.path) else { return why("it cannot be looked at") };
    if standing.operation.is_some() {
        return why("something is half done there");
    }
    if standing.changed + standing.untracked > 0 {
        return why("not everything is committed");
    }
    let Ok(Some(head)) = git.head(&entry.path) else { return why("it cannot be looked at") };
    if base == Some(head.as_str()) {
        return why("nothing was done in it yet");
    }
    match git.ahead_behind(&entry.path, aim, &head) {
        Ok((0, _)) => None,
        // Squashed, picked or rebased into it: other commits with the same changes.
        Ok(_) if git.adds_nothing(&entry.path, aim, &head).unwrap_or(false) => None,
        Ok((1, _)) => Some(format!("{target} lacks one of its commits")),
        Ok((more, _)) => Some(format!("{target} lacks {more} of its commits")),
        Err(_) => why("it cannot be looked at"),
    }
}

async fn put(shared: &Arc<Shared>, kept: &Kept) -> Result<(), Error> {
    shared.worktrees.learn(kept);
    let (store, kept) = (shared.store.clone(), kept.clone());
    blocking(move || store.put_worktree(&kept)).await.map_err(failed)?.map_err(store_error)
}

fn agents_in(agents: &[Agent], path: &Path) -> Vec<maestro_core::AgentId> {
    agents.iter().filter(|agent| agent.directory == path).map(|agent| agent.id).collect()
}

fn short(head: &str) -> String {
    head.chars().take(12).collect()
}

fn gone(path: &Path) -> Error {
    let text = format!("there is no worktree at {} any more", path.display());
    refuse(ErrorKind::NotFound, text)
}
