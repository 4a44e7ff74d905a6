//! Merge trains: does what [`maestro_core::train`] decides. Before each step the train is written down as
//! it is then, so a host that finds it does the same step again.
//!
//! A train works in a scratch worktree in Maestro's home. The user's own checkouts are touched in one place
//! alone: where the target is checked out, clean, and moves forward.

mod plan;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_core::run::Verify;
use maestro_core::train::{
    Ask, Car, CarState, Check, End, Fact, How, Loss, MAX_CARS, MAX_COMMAND, MAX_VERIFY, Next, Spec,
    State, Train,
};
use maestro_core::{AgentId, TabId, TrainId};
use maestro_git::{Bring, Brought, Git, Moved, Rehearsal};
use maestro_protocol::message::{Error, ErrorKind, Event, Reply};
use maestro_store::Store;
use tokio::sync::watch;

use crate::autorun::command::{self, Command};
use crate::host::{blocking, failed, git_error, now_ms, refuse, store_error};
use crate::queue::Later;

/// Trains that are looked through for old ones.
const PRUNED: u32 = 5_000;
/// Trains that [`Ask::List`] gives.
const LISTED: u32 = 100;
/// How often it is looked whether an agent is done. Nothing but memory is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often a move is tried again that git could not make because another git was at work.
const MOVES: u32 = 20;
const AGAIN: Duration = Duration::from_millis(250);
/// How long [`Trains::stop`] and its like wait for the step that is being done.
const STEP: Duration = Duration::from_secs(10);
/// Commits that are named to whoever cannot undo.
const NAMED: usize = 5;
/// The variable by which what a check starts is known.
const MARK: &str = "MAESTRO_TRAIN";

/// Asked before each step; `true` ends the train's task there, as the death of the host would. For tests of
/// recovery.
pub type Hook = Arc<dyn Fn(&Step) -> bool + Send + Sync>;

/// Where a [`Hook`] is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Before the step is done, which is written down already.
    Before(Next),
    /// After it was done, before that is written down.
    After(Next),
}

/// What trains need from the host.
#[derive(Clone)]
pub struct Deps {
    /// Where trains are kept.
    pub store: Store,
    /// The user's git.
    pub git: Git,
    /// The agents that work in worktrees.
    pub agents: Arc<dyn Agents>,
    /// Where what happens is told: [`Event::Train`] and [`Event::Problem`]. Must not block.
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
    /// Maestro's home folder.
    pub home: PathBuf,
    /// The host's instance id: the value of `MAESTRO_HOST` in what checks start.
    pub instance: String,
    /// What checks inherit.
    pub environment: Vec<(OsString, OsString)>,
}

impl fmt::Debug for Deps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deps").field("home", &self.home).finish_non_exhaustive()
    }
}

/// How far what an agent was told is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It waits, or is being worked on.
    Open,
    /// The turn is over.
    Over,
    /// It will not be worked on, for this reason.
    Never(String),
}

/// The agents, as trains see them.
pub trait Agents: Send + Sync {
    /// The agent that works in a worktree and can be talked to.
    fn in_worktree(&self, directory: &Path) -> Option<AgentId>;

    /// Why nothing may be committed or moved in a directory just now, in a sentence.
    fn writer_in(&self, directory: &Path) -> Option<String>;

    /// Says something to an agent, once for each token, and gives back where.
    ///
    /// # Errors
    ///
    /// Why it cannot be told, in a sentence.
    fn say(&self, agent: AgentId, text: String, token: String) -> Later<'_, Result<TabId, String>>;

    /// How far that is.
    fn progress(&self, tab: TabId, token: &str) -> Later<'_, Progress>;

    /// A train is about to begin: what is not committed in these directories is kept before.
    fn begins(&self, train: TrainId, directories: &[PathBuf]) {
        let _ = (train, directories);
    }

    /// What is known of how the worktrees of a repository fit together.
    ///
    /// # Errors
    ///
    /// When it cannot be found out.
    fn rehearsal(&self, repository: &Path) -> Later<'_, Result<Arc<Mutex<Rehearsal>>, Error>>;
}

/// The trains of a host. A cheap handle.
#[derive(Clone)]
pub struct Trains {
    inner: Arc<Inner>,
}

struct Inner {
    deps: Deps,
    hook: Option<Hook>,
    /// Those that have a task.
    running: Mutex<HashMap<TrainId, Running>>,
    /// Held while a train is begun: two must not have one target.
    starting: tokio::sync::Mutex<()>,
    /// Set when the host stops: tasks end, and trains stay as they are.
    ended: watch::Sender<bool>,
}

/// A train that has a task.
struct Running {
    /// Its repository and its target.
    aim: (PathBuf, String),
    train: Arc<tokio::sync::Mutex<Train>>,
    /// Ends what can be ended: a check, the waiting for an agent.
    cut: watch::Sender<bool>,
    /// Whether the task is over.
    over: watch::Receiver<bool>,
}

impl fmt::Debug for Trains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trains").finish_non_exhaustive()
    }
}

impl Trains {
    /// No train goes yet; see [`Trains::recover`].
    #[must_use]
    pub fn new(deps: Deps, hook: Option<Hook>) -> Self {
        Self {
            inner: Arc::new(Inner {
                deps,
                hook,
                running: Mutex::default(),
                starting: tokio::sync::Mutex::default(),
                ended: watch::Sender::new(false),
            }),
        }
    }

    /// Does what a client asks.
    ///
    /// # Errors
    ///
    /// A refusal in a sentence.
    pub async fn ask(&self, ask: Ask) -> Result<Reply, Error> {
        let reply = |train| Ok(Reply::Train(Box::new(train)));
        match ask {
            Ask::Plan(spec) => {
                let plan = plan::make(&self.inner.deps, spec).await?;
                Ok(Reply::TrainPlan(Box::new(plan)))
            }
            Ask::Start(spec) => reply(self.start(spec).await?),
            Ask::List => {
                let trains = self.stored(|store| store.trains(LISTED)).await?;
                Ok(Reply::Trains(trains))
            }
            Ask::Show(id) => reply(self.get(id).await?),
            Ask::Stop(id) => reply(self.stop(id).await?),
            Ask::Resume(id) => reply(self.resume(id).await?),
            Ask::Abort(id) => reply(self.abort(id).await?),
            Ask::Undo(id) => reply(self.undo(id).await?),
        }
    }

    /// Goes on with the trains of a host before, and gives all that are not over.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn recover(&self) -> Result<Vec<Train>, Error> {
        let open = self.stored(Store::open_trains).await?;
        for train in &open {
            if train.state == State::Running {
                tracing::info!(train = %train.id, "a train of a host before goes on");
                self.run(train.clone());
            }
        }
        Ok(open)
    }

    /// Forgets what was kept of trains that ended more than so many days before `now_ms` (milliseconds since the
    /// Unix epoch): where their targets had been. They can not be undone after that. Gives how many names went.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn prune(&self, now_ms: u64, days: u64) -> Result<usize, Error> {
        let trains = self.stored(|store| store.trains(PRUNED)).await?;
        let before = now_ms.saturating_sub(days.saturating_mul(24 * 3_600_000));
        let mut old: BTreeMap<PathBuf, Vec<TrainId>> = BTreeMap::new();
        for train in trains {
            if train.ended_ms.is_some_and(|ended| ended < before) {
                old.entry(train.spec.repository).or_default().push(train.id);
            }
        }
        let git = self.inner.deps.git.clone();
        let gone = work(move || {
            let mut gone = 0;
            for (repository, trains) in old.into_iter().filter(|(path, _)| path.is_dir()) {
                // One look, however many trains there were.
                let Ok(kept) = git.kept(&repository, "trains") else { continue };
                for train in trains {
                    let own = format!("trains/{train}");
                    let is_kept = |name: &str| {
                        name.strip_prefix(&own).is_some_and(|rest| rest.starts_with('/'))
                    };
                    if kept.iter().any(|(name, _)| is_kept(name)) {
                        gone += git.forget(&repository, &own).unwrap_or(0);
                    }
                }
            }
            gone
        });
        gone.await.map_err(|text| refuse(ErrorKind::Failed, text))
    }

    /// How many go.
    #[must_use]
    pub fn active(&self) -> usize {
        self.running().len()
    }

    /// Ends the tasks; the trains stay as they are for the next host.
    pub async fn suspend(&self) {
        let _ = self.inner.ended.send_replace(true);
        let over: Vec<_> = self
            .running()
            .values()
            .map(|running| {
                let _ = running.cut.send_replace(true);
                running.over.clone()
            })
            .collect();
        for mut over in over {
            let _ = tokio::time::timeout(STEP, over.wait_for(|over| *over)).await;
        }
    }

    async fn start(&self, spec: Spec) -> Result<Train, Error> {
        let _starting = self.inner.starting.lock().await;
        let plan = plan::make(&self.inner.deps, spec).await?;
        if !plan.obstacles.is_empty() {
            return Err(refuse(ErrorKind::Busy, plan.obstacles.join(" ")));
        }
        self.refuse_second(&plan.spec)?;
        let cars: Vec<Car> = plan
            .cars
            .into_iter()
            .map(|car| Car {
                branch: car.branch,
                directory: car.directory,
                agent: car.agent,
                state: CarState::Waiting,
                returned: 0,
                overtaken: 0,
                checks: Vec::new(),
            })
            .collect();
        if cars.is_empty() {
            let text = format!("there is nothing to bring to {}", plan.spec.target);
            return Err(refuse(ErrorKind::Invalid, text));
        }
        let spec = plan.spec;
        let train = self
            .stored(move |store| {
                let train = Train::new(store.next_train_id()?, spec, cars, now_ms());
                store.put_train(&train)?;
                Ok(train)
            })
            .await?;
        self.keep_before(&train).await?;
        self.tell(&train);
        self.run(train.clone());
        Ok(train)
    }

    /// Keeps what is not committed where a train may commit or move files.
    async fn keep_before(&self, train: &Train) -> Result<(), Error> {
        let (agents, git) = (Arc::clone(&self.inner.deps.agents), self.inner.deps.git.clone());
        let own = train.clone();
        work(move || {
            let commits = own.cars.iter().filter(|_| own.spec.commit);
            let mut directories: Vec<PathBuf> =
                commits.filter_map(|car| car.directory.clone()).collect();
            let target = git.target(&own.spec.repository, &own.spec.target).ok();
            directories.extend(target.and_then(|target| target.checked_out).map(|one| one.path));
            agents.begins(own.id, &directories);
        })
        .await
        .map_err(|why| refuse(ErrorKind::Failed, why))
    }

    /// One target has one train at a time.
    fn refuse_second(&self, spec: &Spec) -> Result<(), Error> {
        let aim = (spec.repository.clone(), spec.target.clone());
        match self.running().iter().find(|(_, running)| running.aim == aim) {
            Some((id, _)) => {
                let text = format!("train {id} is under way; stop it first");
                Err(refuse(ErrorKind::Busy, text))
            }
            None => Ok(()),
        }
    }

    async fn get(&self, id: TrainId) -> Result<Train, Error> {
        let running = self.running().get(&id).map(|running| Arc::clone(&running.train));
        if let Some(train) = running {
            return Ok(train.lock().await.clone());
        }
        let found = self.stored(move |store| store.train(id)).await?;
        found.ok_or_else(|| refuse(ErrorKind::NotFound, format!("there is no train {id}")))
    }

    async fn stop(&self, id: TrainId) -> Result<Train, Error> {
        let train = self.get(id).await?;
        if train.state != State::Running {
            return Ok(train);
        }
        self.halt(id, |train| train.stop("It was stopped by its user.")).await
    }

    async fn abort(&self, id: TrainId) -> Result<Train, Error> {
        let train = self.get(id).await?;
        if !train.is_open() {
            return Ok(train);
        }
        // First it stands: what is just being done is noted, a move above all.
        let mut train = self.halt(id, |train| train.stop("It is being given up.")).await?;
        train.end(End::Aborted, now_ms());
        self.save(&train).await?;
        Ok(train)
    }

    async fn resume(&self, id: TrainId) -> Result<Train, Error> {
        let _starting = self.inner.starting.lock().await;
        let mut train = self.get(id).await?;
        self.refuse_second(&train.spec)?;
        // One that is said to go and does not lost its task, to a full disk perhaps.
        if train.state != State::Running {
            train.resume().map_err(|text| refuse(ErrorKind::Busy, text))?;
        }
        self.keep_before(&train).await?;
        self.save(&train).await?;
        self.run(train.clone());
        Ok(train)
    }

    async fn undo(&self, id: TrainId) -> Result<Train, Error> {
        let _starting = self.inner.starting.lock().await;
        let mut train = self.get(id).await?;
        self.refuse_second(&train.spec)?;
        self.keep_before(&train).await?;
        let (git, asked) = (self.inner.deps.git.clone(), train.clone());
        let moved = blocking(move || take_back(&git, &asked)).await.map_err(failed)??;
        match moved {
            Moved::Yes => {
                train.end(End::Undone, now_ms());
                self.save(&train).await?;
                Ok(train)
            }
            Moved::Elsewhere(_) => {
                let text = format!("{} was moved just now; look again", train.spec.target);
                Err(refuse(ErrorKind::Busy, text))
            }
            Moved::InTheWay { because, .. } => Err(refuse(ErrorKind::Busy, because)),
        }
    }

    /// Changes a train so that its task ends, and waits for that.
    async fn halt(&self, id: TrainId, change: impl FnOnce(&mut Train)) -> Result<Train, Error> {
        let running = self
            .running()
            .get(&id)
            .map(|running| (Arc::clone(&running.train), running.cut.clone(), running.over.clone()));
        let Some((train, cut, mut over)) = running else {
            let mut train = self.get(id).await?;
            change(&mut train);
            self.save(&train).await?;
            return Ok(train);
        };
        {
            let mut train = train.lock().await;
            change(&mut train);
            self.save(&train).await?;
        }
        let _ = cut.send_replace(true);
        if tokio::time::timeout(STEP, over.wait_for(|over| *over)).await.is_err() {
            let text = format!("train {id} stands when what it does just now is done; look again");
            return Err(refuse(ErrorKind::TimedOut, text));
        }
        let train = train.lock().await.clone();
        Ok(train)
    }

    /// Gives a train a task.
    fn run(&self, train: Train) {
        let id = train.id;
        let aim = (train.spec.repository.clone(), train.spec.target.clone());
        if self.running().contains_key(&id) {
            return;
        }
        let train = Arc::new(tokio::sync::Mutex::new(train));
        let cut = watch::Sender::new(false);
        let over = watch::Sender::new(false);
        let running =
            Running { aim, train: Arc::clone(&train), cut: cut.clone(), over: over.subscribe() };
        let _ = self.running().insert(id, running);
        let trains = self.clone();
        drop(tokio::spawn(async move {
            let work = tokio::spawn({
                let trains = trains.clone();
                async move { trains.go(&train, &cut).await }
            });
            let text = match work.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.message),
                Err(error) => Some(failed(error).message),
            };
            let _ = trains.running().remove(&id);
            if let Some(text) = text {
                // What was written down last holds; whoever resumes goes on from there.
                let text = format!("Train {id} stands: {text}");
                (trains.inner.deps.events)(Event::Problem { agent: None, text });
            }
            let _ = over.send_replace(true);
        }));
    }

    /// Goes until there is nothing to do, or the host ends.
    async fn go(
        &self,
        shared: &tokio::sync::Mutex<Train>,
        cut: &watch::Sender<bool>,
    ) -> Result<(), Error> {
        let mut yard = None;
        let result = loop {
            let (next, train) = {
                let mut train = shared.lock().await;
                let next = train.next(now_ms());
                self.save(&train).await?;
                (next, train.clone())
            };
            let (Next::Merge(at)
            | Next::Verify(at)
            | Next::Move(at)
            | Next::Return(at)
            | Next::Await(at)) = next
            else {
                break Ok(());
            };
            if *self.inner.ended.borrow() || self.is_killed(Step::Before(next)) {
                return Ok(());
            }
            let fact = match self.perform(next, &train, &mut yard, cut.subscribe()).await {
                Ok(fact) => fact,
                Err(because) => Some(Fact::Held(because)),
            };
            if *self.inner.ended.borrow() || self.is_killed(Step::After(next)) {
                return Ok(());
            }
            if let Some(fact) = fact {
                let mut train = shared.lock().await;
                train.take(at, fact);
                self.save(&train).await?;
            }
        };
        self.clear_yard(&*shared.lock().await).await;
        result
    }

    /// Does a step. `None`: it was cut, and the state holds.
    ///
    /// # Errors
    ///
    /// What holds the train up, in a sentence.
    async fn perform(
        &self,
        next: Next,
        train: &Train,
        yard: &mut Option<PathBuf>,
        mut cut: watch::Receiver<bool>,
    ) -> Result<Option<Fact>, String> {
        match next {
            Next::Merge(at) => self.merge(train, at, yard).await.map(Some),
            Next::Verify(at) => {
                let CarState::Verifying { to, .. } = &train.cars[at].state else { return Ok(None) };
                self.verify(train, to.clone(), yard, cut).await
            }
            Next::Move(at) => {
                let CarState::Moving { from, to } = &train.cars[at].state else {
                    return Ok(None);
                };
                self.shift(train, at, from, to).await.map(Some)
            }
            Next::Return(at) => {
                let car = &train.cars[at];
                let (CarState::Returning(loss), Some(agent)) = (&car.state, car.agent) else {
                    return Ok(Some(Fact::Nobody("nobody works there".to_owned())));
                };
                let said =
                    self.inner.deps.agents.say(agent, train.prompt(at, loss), token(train, at));
                Ok(Some(match said.await {
                    Ok(tab) => Fact::Told(tab),
                    Err(because) => {
                        let text = format!("{} was not told: {because}", car.branch);
                        (self.inner.deps.events)(Event::Problem { agent: Some(agent), text });
                        Fact::Nobody(because)
                    }
                }))
            }
            Next::Await(at) => {
                let CarState::Returned { tab, .. } = train.cars[at].state else { return Ok(None) };
                let token = token(train, at);
                loop {
                    match self.inner.deps.agents.progress(tab, &token).await {
                        Progress::Over => return Ok(Some(Fact::Answered)),
                        Progress::Never(because) => return Ok(Some(Fact::Nobody(because))),
                        Progress::Open => {}
                    }
                    tokio::select! {
                        () = tokio::time::sleep(LOOK) => {}
                        _ = cut.wait_for(|cut| *cut) => return Ok(None),
                    }
                }
            }
            Next::Nothing => Ok(None),
        }
    }

    async fn merge(
        &self,
        train: &Train,
        at: usize,
        yard: &mut Option<PathBuf>,
    ) -> Result<Fact, String> {
        let scratch = self.yard(train, yard).await?;
        let (git, train, agents) =
            (self.inner.deps.git.clone(), train.clone(), Arc::clone(&self.inner.deps.agents));
        work(move || bring(&git, &train, at, &scratch, &*agents)).await?
    }

    async fn verify(
        &self,
        train: &Train,
        commit: String,
        yard: &mut Option<PathBuf>,
        cut: watch::Receiver<bool>,
    ) -> Result<Option<Fact>, String> {
        let scratch = self.yard(train, yard).await?;
        let (git, place) = (self.inner.deps.git.clone(), scratch.clone());
        work(move || git.clear(&place, &commit).map_err(|error| error.to_string())).await??;
        let mut checks = Vec::new();
        for line in &train.spec.verify {
            let command = Command {
                line,
                directory: &scratch,
                env: self.inner.deps.environment.clone(),
                marks: vec![("MAESTRO_HOST".to_owned(), self.inner.deps.instance.clone())],
                mark: (MARK, format!("{}-{}", self.inner.deps.instance, train.id)),
                limit: Some(Duration::from_secs(train.spec.limit_s)),
            };
            let Verify { command, exit_code, output } =
                command::run(command, cut.clone(), &|_| {}).await;
            if *cut.borrow() {
                return Ok(None);
            }
            let check = Check { command, code: exit_code, output };
            if exit_code != Some(0) {
                return Ok(Some(Fact::Lost(Loss::Check(check))));
            }
            checks.push(check);
        }
        Ok(Some(Fact::Verified(checks)))
    }

    async fn shift(&self, train: &Train, at: usize, from: &str, to: &str) -> Result<Fact, String> {
        let deps = &self.inner.deps;
        let log = format!("maestro train {}: bring {} home", train.id, train.cars[at].branch);
        let mut tried = 0;
        loop {
            tried += 1;
            let (git, spec) = (deps.git.clone(), train.spec.clone());
            let (from, to, log) = (from.to_owned(), to.to_owned(), log.clone());
            let agents = Arc::clone(&deps.agents);
            let kept = format!("trains/{}", train.id);
            let moved = work(move || {
                let error = |error: maestro_git::Error| error.to_string();
                let target = git.target(&spec.repository, &spec.target).map_err(error)?;
                let checkout = target.checked_out.map(|worktree| worktree.path);
                if let Some(because) = checkout.and_then(|path| agents.writer_in(&path)) {
                    return Err(because);
                }
                // What was there before is not thrown away, whatever becomes of the branches.
                let kept = [(format!("{kept}/{}", short(&from)), from.clone())];
                git.keep(&spec.repository, &kept).map_err(error)?;
                git.advance(&spec.repository, &spec.target, &from, &to, &log).map_err(error)
            });
            match moved.await? {
                Ok(Moved::Yes) => return Ok(Fact::Moved),
                Ok(Moved::Elsewhere(_)) => return Ok(Fact::Overtaken),
                // A git of a host that died may be doing the same just now.
                Ok(Moved::InTheWay { because, .. }) | Err(because) => {
                    if tried >= MOVES || !because.contains(".lock") {
                        return Ok(Fact::Held(because));
                    }
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// The train's scratch worktree, made anew by each host: one that died may have left a git at work in
    /// its own.
    async fn yard(&self, train: &Train, yard: &mut Option<PathBuf>) -> Result<PathBuf, String> {
        if let Some(place) = yard {
            return Ok(place.clone());
        }
        let folder = self.folder(train.id);
        let place = folder.join(format!("tree-{}-{}", self.inner.deps.instance, now_ms()));
        let (git, spec, made) = (self.inner.deps.git.clone(), train.spec.clone(), place.clone());
        work(move || {
            remove_yards(&git, &spec.repository, &folder);
            std::fs::create_dir_all(&folder)
                .map_err(|error| format!("{} cannot be made: {error}.", folder.display()))?;
            let error = |error: maestro_git::Error| error.to_string();
            let at = git.target(&spec.repository, &spec.target).map_err(error)?.commit;
            git.scratch(&spec.repository, &made, &at).map_err(error)
        })
        .await??;
        *yard = Some(place.clone());
        Ok(place)
    }

    async fn clear_yard(&self, train: &Train) {
        let (git, repository) = (self.inner.deps.git.clone(), train.spec.repository.clone());
        let folder = self.folder(train.id);
        let _ = blocking(move || {
            remove_yards(&git, &repository, &folder);
            let _ = std::fs::remove_dir(&folder);
        })
        .await;
    }

    fn folder(&self, id: TrainId) -> PathBuf {
        self.inner.deps.home.join("trains").join(id.to_string())
    }

    fn is_killed(&self, step: Step) -> bool {
        self.inner.hook.as_ref().is_some_and(|hook| hook(&step))
    }

    /// Writes a train down, and tells of it after.
    async fn save(&self, train: &Train) -> Result<(), Error> {
        let kept = train.clone();
        self.stored(move |store| store.put_train(&kept)).await?;
        self.tell(train);
        Ok(())
    }

    fn tell(&self, train: &Train) {
        (self.inner.deps.events)(Event::Train(Box::new(train.clone())));
    }

    async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> maestro_store::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.inner.deps.store.clone();
        blocking(move || work(&store)).await.map_err(failed)?.map_err(store_error)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<TrainId, Running>> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs what blocks; a panic in it holds the train up like any other failure.
async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    blocking(work).await.map_err(|error| failed(error).message)
}

/// The same prompt has the same token, so that it is said once, whoever dies.
fn token(train: &Train, at: usize) -> String {
    format!("train {} car {at} try {} {}", train.id, train.cars[at].returned, train.started_ms)
}

/// Brings a car onto its target. What is not committed in its worktree comes first.
fn bring(
    git: &Git,
    train: &Train,
    at: usize,
    scratch: &Path,
    agents: &dyn Agents,
) -> Result<Fact, String> {
    let error = |error: maestro_git::Error| error.to_string();
    let (spec, car) = (&train.spec, &train.cars[at]);
    if let Some(directory) = &car.directory
        && let Some(loss) = settle(git, spec, car, directory, agents)?
    {
        return Ok(Fact::Lost(loss));
    }
    let from = git.target(&spec.repository, &spec.target).map_err(error)?.commit;
    let Ok(branch) = git.target(&spec.repository, &car.branch) else {
        let text = format!("There is no branch {} any more.", car.branch);
        return Ok(Fact::Lost(Loss::Refused(text)));
    };
    let message = message(git, spec, car, &from, &branch.commit);
    let brought = git.bring(
        scratch,
        Bring { how: spec.how, onto: &from, tip: &branch.commit, message: &message },
    );
    Ok(match brought.map_err(error)? {
        Brought::Commit(to) => Fact::Merged { from, to },
        Brought::Empty => Fact::Empty,
        Brought::Conflicts(clashes) => Fact::Lost(Loss::Conflict(clashes)),
        Brought::Refused(words) => Fact::Lost(Loss::Refused(words)),
    })
}

/// Sees to what is not committed in a car's worktree: commits it, where that was asked for.
fn settle(
    git: &Git,
    spec: &Spec,
    car: &Car,
    directory: &Path,
    agents: &dyn Agents,
) -> Result<Option<Loss>, String> {
    // Another branch may be checked out there by now.
    let Ok(here) = git.repository(directory) else { return Ok(None) };
    if here.branch.as_ref() != Some(&car.branch) {
        return Ok(None);
    }
    let files = plan::uncommitted(git, directory).map_err(|error| error.to_string())?;
    if files.is_empty() {
        return Ok(None);
    }
    if !spec.commit {
        return Ok(Some(Loss::Uncommitted(files)));
    }
    if let Some(because) = agents.writer_in(directory) {
        return Err(because);
    }
    match git.commit_work(directory, &format!("Work on {}", car.branch)) {
        Ok(_) => Ok(None),
        Err(error @ maestro_git::Error::NoIdentity) => Err(error.to_string()),
        Err(error) => Ok(Some(Loss::Refused(error.to_string()))),
    }
}

/// What the commit that is made says. A rebase makes none.
fn message(git: &Git, spec: &Spec, car: &Car, onto: &str, tip: &str) -> String {
    match spec.how {
        How::Merge | How::Rebase => format!("Merge branch '{}' into {}", car.branch, spec.target),
        How::Squash => {
            let commits = git.commits_between(&spec.repository, onto, tip).unwrap_or_default();
            if let [only] = &commits[..] {
                return only.subject.clone();
            }
            let mut text = format!("{}\n", car.branch);
            for commit in commits.iter().take(200) {
                text.push_str(&format!("\n* {}", commit.subject));
            }
            text
        }
    }
}

/// Puts the target back, if nobody built on the train.
fn take_back(git: &Git, train: &Train) -> Result<Moved, Error> {
    let spec = &train.spec;
    let now = git.target(&spec.repository, &spec.target).map_err(git_error)?.commit;
    let (from, to) = train.undo(&now).map_err(|mut text| {
        let last = train.moves.last().map(|last| last.to.as_str());
        let newer = last.and_then(|last| git.commits_between(&spec.repository, last, &now).ok());
        for commit in newer.iter().flatten().take(NAMED) {
            let (id, subject, author) = (short(&commit.id), &commit.subject, &commit.author);
            text.push_str(&format!("\n  {id} {subject} ({author})"));
        }
        refuse(ErrorKind::Busy, text)
    })?;
    let kept = [(format!("trains/{}/end", train.id), from.clone())];
    git.keep(&spec.repository, &kept).map_err(git_error)?;
    let log = format!("maestro train {}: undo", train.id);
    git.retreat(&spec.repository, &spec.target, &from, &to, &log).map_err(git_error)
}

fn remove_yards(git: &Git, repository: &Path, folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        git.remove_scratch(repository, &entry.path());
    }
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// Refuses what nobody can mean.
fn check(spec: &Spec) -> Result<(), Error> {
    let refusal = if spec.cars.len() > MAX_CARS {
        format!("a train has at most {MAX_CARS} branches")
    } else if spec.verify.len() > MAX_VERIFY {
        format!("a train has at most {MAX_VERIFY} commands that check it")
    } else if spec.verify.iter().any(|line| line.len() > MAX_COMMAND || line.trim().is_empty()) {
        format!("a command that checks a train has 1 to {MAX_COMMAND} bytes")
    } else if spec.limit_s == 0 {
        "a check needs some time".to_owned()
    } else {
        return Ok(());
    };
    Err(refuse(ErrorKind::Invalid, refusal))
}
