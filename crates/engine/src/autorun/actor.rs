//! One run at work: does what its machine says, one thing at a time, and listens meanwhile.

use std::collections::VecDeque;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maestro_agents::{Cancel, Limits, TurnOptions};
use maestro_core::RunId;
use maestro_core::agent::Provider;
use maestro_core::run::journal::Entry;
use maestro_core::run::machine::{Effect, Fault, Input, Machine, Turn, Uncommitted};
use maestro_core::run::{Ending, Run, State};
use maestro_core::turn::{Event as TurnEvent, Outcome, Usage};
use maestro_protocol::message::Event;
use tokio::sync::{mpsc, oneshot, watch};

use super::lock::DirectoryLock;
use super::{Deps, Hook, command, documents};

/// How long a turn has between SIGINT, SIGTERM and SIGKILL when its time is up.
const GRACE: Duration = Duration::from_secs(5);
/// How long it has when the user kills the run or the host stops.
const SHORT_GRACE: Duration = Duration::from_millis(1500);
/// Between two events about one run while nothing but its usage changes.
const PROGRESS: Duration = Duration::from_millis(250);
/// First and longest wait for a journal that cannot be written.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Bytes of output after which a turn is ended.
const FLOOD: u64 = 256 << 20;

/// What a run is told while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Stop,
    Kill,
    /// The host stops: end what runs, write nothing more.
    Suspend,
}

/// An order, and what is dropped once it is in the journal: whoever gave it waits for that.
pub(super) type Ordered = (Order, oneshot::Sender<()>);

/// One run at work.
pub(super) struct Actor {
    pub(super) deps: Deps,
    pub(super) machine: Machine,
    pub(super) orders: mpsc::Receiver<Ordered>,
    /// The run as everybody sees it.
    pub(super) view: Arc<Mutex<Run>>,
    pub(super) hook: Option<Hook>,
    /// Held while the run is.
    pub(super) _lock: DirectoryLock,
}

/// How an actor came to its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// The run has ended, like this.
    Over(Box<Run>),
    /// The host stops; the run goes on with the next one.
    Suspended,
    /// A test's hook ended it, as the death of the host would.
    Died,
}

/// Something that runs, and how to end it early.
struct Work {
    answer: Pin<Box<dyn Future<Output = Input> + Send>>,
    ending: Option<Stopper>,
    progress: Option<watch::Receiver<Progress>>,
}

enum Stopper {
    Turn(Cancel),
    Command(watch::Sender<bool>),
}

impl Stopper {
    fn ask(&self) {
        match self {
            Self::Turn(cancel) => {
                cancel.cancel();
                // The user is waiting: SIGINT gives it the time to save its session, not more.
                let cancel = cancel.clone();
                drop(tokio::spawn(async move {
                    tokio::time::sleep(SHORT_GRACE).await;
                    cancel.kill();
                }));
            }
            Self::Command(stop) => {
                let _ = stop.send(true);
            }
        }
    }
}

/// What a turn has told so far.
#[derive(Debug, Clone, Default, PartialEq)]
struct Progress {
    session: Option<String>,
    usage: Option<Usage>,
}

impl Actor {
    /// Works the run off.
    pub(super) async fn live(mut self) -> End {
        let mut todo: VecDeque<Effect> = self.machine.step(Input::Begin, now_ms()).into();
        let mut work: Option<Work> = None;
        let mut ordered = Vec::new();
        loop {
            while let Some(effect) = todo.pop_front() {
                if self.hook.as_ref().is_some_and(|dies_before| dies_before(&effect)) {
                    return End::Died;
                }
                match effect {
                    Effect::Journal(entry) => match self.journal(&entry).await {
                        Ok(()) => {}
                        Err(end) => return end,
                    },
                    Effect::Tell(text) => {
                        let agent = self.machine.run().spec.agent;
                        (self.deps.events)(Event::Problem { agent, text });
                    }
                    Effect::Cancel => {
                        if let Some(ending) = work.as_ref().and_then(|work| work.ending.as_ref()) {
                            ending.ask();
                        }
                    }
                    other => work = self.begin(other),
                }
            }
            if self.machine.is_over() {
                // Whatever still runs is ended by dropping it. The end is told when the directory is
                // free again, so that who hears of it can start the next run there.
                drop(work.take());
                return End::Over(Box::new(self.machine.run().clone()));
            }
            self.publish();
            ordered.clear();
            if work.is_none() && self.machine.is_paused() {
                let Some(order) = self.orders.recv().await else { return self.suspend(work).await };
                let (input, heard) = match order {
                    (Order::Stop, heard) => (Input::Stop, heard),
                    (Order::Kill, heard) => (Input::Kill, heard),
                    (Order::Suspend, _) => return self.suspend(work).await,
                };
                ordered.push(heard);
                todo.extend(self.machine.step(input, now_ms()));
                continue;
            }
            let Some(current) = work.as_mut() else {
                // The machine waits for something that nobody does: a mistake of ours. The journal is
                // kept, and the next host looks again.
                tracing::error!(run = %self.machine.run().id, "a run came to a standstill");
                return End::Suspended;
            };
            tokio::select! {
                answer = &mut current.answer => {
                    let progress = work.take().and_then(|work| work.progress);
                    // What the turn told last, before how it ended.
                    todo.extend(self.take_progress(progress.as_ref()));
                    todo.extend(self.machine.step(answer, now_ms()));
                }
                changed = progress_of(&mut current.progress) => {
                    todo.extend(self.take_progress(current.progress.as_ref()));
                    if !changed {
                        current.progress = None;
                    }
                }
                order = self.orders.recv() => match order {
                    Some((Order::Stop, heard)) => {
                        ordered.push(heard);
                        todo.extend(self.machine.step(Input::Stop, now_ms()));
                    }
                    Some((Order::Kill, heard)) => {
                        ordered.push(heard);
                        todo.extend(self.machine.step(Input::Kill, now_ms()));
                    }
                    // Nobody holds the runs any more: the host is going down.
                    Some((Order::Suspend, _)) | None => return self.suspend(work).await,
                },
            }
        }
    }

    /// Ends what runs, and leaves the run for the next host.
    async fn suspend(&mut self, work: Option<Work>) -> End {
        if let Some(mut work) = work
            && let Some(ending) = &work.ending
        {
            ending.ask();
            let _ = tokio::time::timeout(2 * SHORT_GRACE, &mut work.answer).await;
        }
        self.with_view(|run| run.state = State::Interrupted);
        let run = self.view();
        let store = self.deps.store.clone();
        let saved = run.clone();
        match tokio::task::spawn_blocking(move || store.put_run(&saved)).await {
            Ok(Ok(())) => {}
            // The journal has everything; the state is for people.
            Ok(Err(error)) => {
                tracing::warn!(run = %run.id, %error, "an interrupted run was not saved");
            }
            Err(error) => tracing::warn!(run = %run.id, %error, "an interrupted run was not saved"),
        }
        (self.deps.events)(Event::Run(Box::new(run)));
        End::Suspended
    }

    /// Writes an entry, however long that takes: what is not in the journal is not done.
    async fn journal(&mut self, entry: &Entry) -> Result<(), End> {
        let mut wait = RETRY.0;
        loop {
            let (store, run, entry) =
                (self.deps.store.clone(), self.machine.run().clone(), entry.clone());
            let written =
                tokio::task::spawn_blocking(move || store.record(&run, now_ms(), &[entry])).await;
            let because = match written {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(maestro_store::Error::Closed)) | Err(_) => return Err(End::Suspended),
                Ok(Err(error)) => error.to_string(),
            };
            tracing::warn!(run = %self.machine.run().id, because, "the journal cannot be written");
            let until_ms = now_ms() + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.with_view(|view| view.state = State::Waiting { until_ms, because });
            (self.deps.events)(Event::Run(Box::new(self.view())));
            tokio::select! {
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(RETRY.1),
                order = self.orders.recv() => match order {
                    // It ends after the current task, and that cannot go on.
                    Some((Order::Kill | Order::Stop, _)) => {
                        self.with_view(|view| view.state = State::Ended(Ending::Killed));
                        (self.deps.events)(Event::Run(Box::new(self.view())));
                        return Err(End::Suspended);
                    }
                    Some((Order::Suspend, _)) | None => return Err(End::Suspended),
                },
            }
        }
    }

    /// Takes over what the turn has told.
    fn take_progress(&mut self, progress: Option<&watch::Receiver<Progress>>) -> Vec<Effect> {
        let Some(progress) = progress else { return Vec::new() };
        let Progress { session, usage } = progress.borrow().clone();
        let mut effects = Vec::new();
        if let Some(session) = session {
            let input = Input::Session { id: session, model: None };
            effects.extend(self.machine.step(input, now_ms()));
        }
        if let Some(usage) = usage {
            effects.extend(self.machine.step(Input::Progress(usage), now_ms()));
        }
        effects
    }

    fn begin(&self, effect: Effect) -> Option<Work> {
        let run = self.machine.run();
        let plain = |answer: Pin<Box<dyn Future<Output = Input> + Send>>| {
            Some(Work { answer, ending: None, progress: None })
        };
        match effect {
            Effect::Journal(_) | Effect::Tell(_) | Effect::Cancel => None,
            Effect::Read(paths) => plain(Box::pin(blocking(move || {
                Input::Documents(paths.iter().map(|path| documents::read(path)).collect())
            }))),
            Effect::Look(provider) => {
                let (git, directory) = (self.deps.git.clone(), run.spec.directory.clone());
                let in_repository = run.tasks.iter().any(|task| task.tree_before.is_some());
                plain(Box::pin(blocking(move || look(&git, &directory, provider, in_repository))))
            }
            Effect::Rewrite { document, changes } => {
                let id = run.id;
                plain(Box::pin(blocking(move || {
                    Input::Rewritten(documents::rewrite(&document, id, &changes))
                })))
            }
            Effect::Copy(_) => plain(Box::pin(async {
                Input::Copied(Err(Fault {
                    because: "Working copies cannot be made yet.".to_owned(),
                    passing: false,
                }))
            })),
            Effect::Commit(_) => plain(Box::pin(async {
                let because = "Commits cannot be made yet.".to_owned();
                Input::Committed { result: Err(Uncommitted::Impossible(because)), duration_ms: 0 }
            })),
            Effect::Restore { .. } => plain(Box::pin(async {
                Input::Restored(Err("Tasks cannot be undone yet.".to_owned()))
            })),
            Effect::Sleep { until_ms } => plain(Box::pin(sleep(until_ms))),
            Effect::Turn(turn) => Some(self.turn(turn)),
            Effect::Verify { command } => Some(self.verify(command)),
        }
    }

    fn turn(&self, turn: Turn) -> Work {
        let run = self.machine.run();
        let options = TurnOptions {
            directory: run.spec.directory.clone(),
            prompt: turn.prompt,
            resume: turn.resume,
            new_session: turn.new_session,
            // A model is a provider's own.
            model: run.spec.model.clone().filter(|_| turn.provider == run.spec.provider),
            unattended: run.spec.unattended,
            read_only: false,
        };
        let limits = Limits {
            total: seconds(turn.timeout_s),
            silence: seconds(run.spec.silence_timeout_s),
            grace: GRACE,
            output: FLOOD,
        };
        let marks: Vec<_> =
            self.marks().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let providers = Arc::clone(&self.deps.providers);
        let cancel = Cancel::new();
        let (told, progress) = watch::channel(Progress::default());
        let ending = Stopper::Turn(cancel.clone());
        let provider = turn.provider;
        let answer = async move {
            let began = std::time::Instant::now();
            let command =
                tokio::task::spawn_blocking(move || providers.turn(provider, &options)).await;
            let outcome = match command {
                Ok(Ok(command)) => {
                    maestro_agents::turn::run(command, limits, &marks, &cancel, move |event| {
                        tell(&told, event);
                    })
                    .await
                }
                Ok(Err(failure)) => Outcome {
                    session: None,
                    text: String::new(),
                    usage: Usage::default(),
                    result: Err(failure),
                },
                Err(_) => return Input::Broken("The host is stopping.".to_owned()),
            };
            Input::TurnEnded { outcome, duration_ms: millis(began.elapsed()) }
        };
        Work { answer: Box::pin(answer), ending: Some(ending), progress: Some(progress) }
    }

    fn verify(&self, line: String) -> Work {
        let run = self.machine.run();
        let directory = run.spec.directory.clone();
        let limit = seconds(run.spec.verify_timeout_s);
        let marks = self.marks();
        // Of this command only: a turn of the same run is none of its business.
        let mark = ("MAESTRO_VERIFY", format!("{}-{}-{}", run.id, std::process::id(), now_ms()));
        let providers = Arc::clone(&self.deps.providers);
        let (stop, stopped) = watch::channel(false);
        let answer = async move {
            let began = std::time::Instant::now();
            let Ok(env) = tokio::task::spawn_blocking(move || providers.environment()).await else {
                return Input::Broken("The host is stopping.".to_owned());
            };
            if !directory.is_dir() {
                return Input::Broken(gone(&directory));
            }
            let command =
                command::Command { line: &line, directory: &directory, env, marks, mark, limit };
            let verify = command::run(command, stopped).await;
            Input::Verified { verify, duration_ms: millis(began.elapsed()) }
        };
        Work { answer: Box::pin(answer), ending: Some(Stopper::Command(stop)), progress: None }
    }

    /// The variables by which every process of the run is recognised, by this host and the next.
    fn marks(&self) -> Vec<(String, String)> {
        let run = self.machine.run();
        let mut marks = marks(&self.deps.instance, run.id);
        if let Some(agent) = run.spec.agent {
            marks.push(("MAESTRO_AGENT".to_owned(), agent.to_string()));
        }
        marks
    }

    /// Tells the world when there is something new.
    fn publish(&self) {
        let run = self.machine.run();
        let is_new = {
            let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = *view != *run;
            view.clone_from(run);
            is_new
        };
        if is_new {
            (self.deps.events)(Event::Run(Box::new(run.clone())));
        }
    }

    fn view(&self) -> Run {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with_view(&self, change: impl FnOnce(&mut Run)) {
        change(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The variables that mark the processes of a run.
pub(super) fn marks(instance: &str, run: RunId) -> Vec<(String, String)> {
    vec![
        ("MAESTRO_HOST".to_owned(), instance.to_owned()),
        ("MAESTRO_RUN".to_owned(), run.to_string()),
    ]
}

/// Comes back when the turn has told something, at most every so often; `false` when it tells nothing
/// any more.
async fn progress_of(progress: &mut Option<watch::Receiver<Progress>>) -> bool {
    let Some(progress) = progress else { return std::future::pending().await };
    let changed = progress.changed().await.is_ok();
    // A session's id is for the journal and does not wait; the rest is for people.
    if changed && progress.borrow().usage.is_some() {
        tokio::time::sleep(PROGRESS).await;
    }
    changed
}

fn tell(told: &watch::Sender<Progress>, event: TurnEvent) {
    match event {
        TurnEvent::Session { id, .. } => told.send_modify(|progress| progress.session = Some(id)),
        TurnEvent::Usage(usage) => told.send_modify(|progress| progress.usage = Some(usage)),
        _ => {}
    }
}

/// What the directory is like, or why nothing more can be done there.
fn look(
    git: &maestro_git::Git,
    directory: &Path,
    provider: Provider,
    in_repository: bool,
) -> Input {
    if !directory.is_dir() {
        return Input::Broken(gone(directory));
    }
    let tree = match git.tree_of(directory) {
        Ok(tree) => Some(tree),
        Err(maestro_git::Error::NotARepository { .. }) if in_repository => {
            return Input::Broken(format!(
                "The git repository of {} is not there any more; bring it back and start the run again.",
                directory.display()
            ));
        }
        Err(error) => {
            // A tree is evidence where it can be had; a task is not worth less without one.
            tracing::debug!(directory = %directory.display(), %error, "no tree");
            None
        }
    };
    Input::Looked { tree, head: None, new_session: maestro_agents::new_session_id(provider) }
}

fn gone(directory: &Path) -> String {
    format!(
        "The directory {} is not there any more; bring it back and start the run again.",
        directory.display()
    )
}

/// Waits until a time of day. Looks at the clock again and again: a machine that slept wakes up late.
async fn sleep(until_ms: u64) -> Input {
    loop {
        let left = until_ms.saturating_sub(now_ms());
        if left == 0 {
            return Input::Woken;
        }
        tokio::time::sleep(Duration::from_millis(left.min(15_000))).await;
    }
}

async fn blocking(work: impl FnOnce() -> Input + Send + 'static) -> Input {
    let work = tokio::task::spawn_blocking(work).await;
    work.unwrap_or_else(|error| Input::Broken(format!("Maestro itself failed: {error}.")))
}

fn seconds(limit: u64) -> Option<Duration> {
    (limit > 0).then(|| Duration::from_secs(limit))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}
