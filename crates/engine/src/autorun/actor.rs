//! One run at work: does what its machine says, one thing at a time, and listens meanwhile.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use maestro_agents::{Cancel, Limits, TurnOptions};
use maestro_core::RunId;
use maestro_core::agent::Provider;
use maestro_core::playbook::{HeardKind, Variables};
use maestro_core::run::journal::Entry;
use maestro_core::run::machine::{Effect, Input, Machine, Turn, Uncommitted};
use maestro_core::run::{Ending, Run, State};
use maestro_core::turn::{Event as TurnEvent, FailureKind, Outcome, Usage};
use maestro_git::Seen;
use maestro_protocol::message::Event;
use tokio::sync::{mpsc, oneshot, watch};

use super::heard::Hub;
use super::lock::DirectoryLock;
use super::repository::Repository;
use super::slots::Slots;
use super::{Deps, Hook, awake, command, documents, repository};
use crate::playbooks::variables;
use crate::queue::Clock;

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
/// How old the run may be in the store while its journal goes on. The journal is the truth; the run is for
/// lists, and a large one is not worth writing for each entry.
const SAVED: u64 = 2_000;

/// How long after a look another one takes only what the run itself wrote for changed: what somebody else
/// changes in this time counts as changed a moment later, as if it had been.
const FRESH: Duration = Duration::from_millis(200);

/// What a run is told while it works.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    /// Something for its machine.
    Tell(Input),
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
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hub: Arc<Hub>,
    pub(super) slots: Arc<Slots>,
    pub(super) awake: Arc<awake::Awake>,
    /// What it does first: begin, or take something of an ended run back.
    pub(super) first: Input,
    /// Whether it is the latter.
    pub(super) amending: bool,
    /// See [`Progress::held_up`].
    pub(super) held_up: Option<(Provider, usize)>,
    /// What the names in templates stand for, found out with the last look at the directory.
    pub(super) names: Arc<Mutex<Option<Variables>>>,
    /// When the run was saved last.
    pub(super) saved_ms: u64,
    /// What is known of its checkout since the last look.
    pub(super) seen: Arc<Mutex<Seen>>,
    /// When the directory was looked at last, if nothing was done since but reading documents and setting
    /// boxes in them.
    pub(super) looked: Option<Instant>,
    /// The trees that are kept already, by task: before and after.
    pub(super) kept: HashMap<usize, (Option<String>, Option<String>)>,
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

type Answer = Pin<Box<dyn Future<Output = Input> + Send>>;

/// Something that runs, and how to end it early.
struct Work {
    answer: Answer,
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
    model: Option<String>,
    usage: Option<Usage>,
    /// It waits for another session of the provider to end: at most so many may run.
    held_up: Option<(Provider, usize)>,
}

impl Actor {
    /// Works the run off.
    pub(super) async fn live(mut self) -> End {
        let first = std::mem::replace(&mut self.first, Input::Begin);
        self.machine.know_agents(self.deps.providers.agents());
        let now = self.now();
        let mut todo: VecDeque<Effect> = VecDeque::new();
        if self.amending {
            // What was taken back of it before may not be through.
            todo.extend(self.machine.step(Input::Begin, now));
        }
        todo.extend(self.machine.step(first, now));
        let mut work: Option<Work> = None;
        let mut ordered = Vec::new();
        let keeper = Arc::clone(&self.awake);
        let mut awake = None;
        loop {
            while let Some(effect) = todo.pop_front() {
                if self.hook.as_ref().is_some_and(|dies_before| dies_before(&effect)) {
                    return End::Died;
                }
                match effect {
                    Effect::Journal(entry) => {
                        // What follows on each other is written at once.
                        let mut entries = vec![entry];
                        let mut dies = false;
                        while let Some(Effect::Journal(_)) = todo.front() {
                            let Some(next) = todo.pop_front() else { break };
                            dies = self.hook.as_ref().is_some_and(|dies_before| dies_before(&next));
                            if dies {
                                break;
                            }
                            if let Effect::Journal(entry) = next {
                                entries.push(entry);
                            }
                        }
                        if let Err(end) = self.journal(entries).await {
                            return end;
                        }
                        if dies {
                            return End::Died;
                        }
                        self.keep_trees();
                    }
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
            // A run that had ended, and of which something was taken back, has that to do yet.
            if self.machine.is_over() && (work.is_none() || !self.amending) {
                // Whatever still runs is ended by dropping it. The end is told when the directory is
                // free again, so that who hears of it can start the next run there.
                drop(work.take());
                let mut run = self.machine.run().clone();
                if self.amending {
                    // Boxes were opened that were counted as done at its end.
                    let paths = self.machine.paths();
                    let counted = super::blocking(move || super::count(&paths)).await;
                    (run.open, run.done) = counted.unwrap_or((run.open, run.done));
                }
                return End::Over(Box::new(run));
            }
            self.publish();
            ordered.clear();
            let wants = self.machine.run().options().keep_awake && !self.machine.is_paused();
            match (&awake, wants) {
                (None, true) => {
                    let (wish, problem) = keeper.want(awake::program);
                    awake = Some(wish);
                    if let Some(text) = problem {
                        (self.deps.events)(Event::Problem { agent: None, text });
                    }
                }
                (Some(_), false) => awake = None,
                _ => {}
            }
            if work.is_none() && !self.machine.is_paused() {
                // The machine waits for something that nobody does: a mistake of ours. The journal is
                // kept, and the next host looks again.
                tracing::error!(run = %self.machine.run().id, "a run came to a standstill");
                return End::Suspended;
            }
            let (answer, progress) = match &mut work {
                Some(work) => (Some(&mut work.answer), work.progress.as_mut()),
                None => (None, None),
            };
            tokio::select! {
                answer = answer_of(answer) => {
                    let progress = work.take().and_then(|work| work.progress);
                    // What the turn told last, before how it ended.
                    todo.extend(self.take_progress(progress.as_ref()));
                    if matches!(answer, Input::Looked { .. }) {
                        self.machine.know_agents(self.deps.providers.agents());
                        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).take();
                        if let Some(names) = names {
                            self.machine.set_variables(names);
                        }
                    }
                    todo.extend(self.machine.step(answer, self.now()));
                }
                changed = progress_of(progress) => {
                    let progress = work.as_ref().and_then(|work| work.progress.clone());
                    todo.extend(self.take_progress(progress.as_ref()));
                    if !changed && let Some(work) = &mut work {
                        work.progress = None;
                    }
                }
                order = self.orders.recv() => match order {
                    Some((Order::Tell(input), heard)) => {
                        ordered.push(heard);
                        todo.extend(self.machine.step(input, self.now()));
                        // Out of a pause nothing is under way: what ran was over.
                    }
                    // Nobody holds the runs any more: the host is going down.
                    Some((Order::Suspend, _)) | None => return self.suspend(work).await,
                },
            }
        }
    }

    fn now(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Has the trees of the task that is worked on kept for as long as the run is: git throws away what no
    /// name leads to.
    fn keep_trees(&mut self) {
        let run = self.machine.run();
        let Some(number) = self.machine.current() else { return };
        let Some(task) = run.tasks.get(number) else { return };
        let trees = (task.tree_before.clone(), task.tree_after.clone());
        let kept = self.kept.entry(number).or_default();
        let mut names = Vec::new();
        for (is_after, old, new) in [(false, &kept.0, &trees.0), (true, &kept.1, &trees.1)] {
            if let Some(tree) = new
                && old != new
            {
                names.push((repository::kept(run, number, is_after), tree.clone()));
            }
        }
        if names.is_empty() {
            return;
        }
        *kept = trees;
        let (git, directory, id) = (self.deps.git.clone(), run.spec.directory.clone(), run.id);
        // Nothing waits for it: the objects are there, and are not thrown away this fast.
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = git.keep(&directory, &names) {
                tracing::warn!(run = %id, %error, "the tree of a task is not kept");
            }
        }));
    }

    fn repository(&self) -> Repository {
        let run = self.machine.run();
        Repository {
            git: self.deps.git.clone(),
            directory: run.spec.directory.clone(),
            index: super::scratch(&self.deps, run.id).join("index"),
            seen: Arc::clone(&self.seen),
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

    /// Whether a task was settled since the run was shown last, in a run that is short enough to be saved for
    /// that: whoever looks after a crash should see it.
    fn has_settled(&self) -> bool {
        const SHORT: usize = 200;
        let settled =
            |run: &Run| run.tasks.iter().filter(|task| !task.state.is_under_way()).count();
        let run = self.machine.run();
        let view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        run.tasks.len() + run.ahead.len() <= SHORT && settled(run) != settled(&view)
    }

    /// Writes entries, however long that takes: what is not in the journal is not done.
    async fn journal(&mut self, entries: Vec<Entry>) -> Result<(), End> {
        let mut wait = RETRY.0;
        let name = std::mem::discriminant(&self.machine.run().state);
        let now = self.now();
        let is_due = name != std::mem::discriminant(&self.view().state)
            || now.saturating_sub(self.saved_ms) >= SAVED
            || now < self.saved_ms
            || self.has_settled();
        let entries = Arc::new(entries);
        loop {
            let (store, run) = (self.deps.store.clone(), self.machine.run());
            let (id, run) = (run.id, is_due.then(|| run.clone()));
            let entries = Arc::clone(&entries);
            let written = tokio::task::spawn_blocking(move || match &run {
                Some(run) => store.record(run, now, &entries),
                None => store.extend(id, now, &entries),
            })
            .await;
            let because = match written {
                Ok(Ok(_)) => {
                    if is_due {
                        self.saved_ms = now;
                    }
                    return Ok(());
                }
                Ok(Err(maestro_store::Error::Closed)) | Err(_) => return Err(End::Suspended),
                Ok(Err(error)) => error.to_string(),
            };
            tracing::warn!(run = %id, because, "the journal cannot be written");
            let until_ms = now_ms() + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.with_view(|view| view.state = State::Waiting { until_ms, because });
            (self.deps.events)(Event::Run(Box::new(self.view())));
            tokio::select! {
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(RETRY.1),
                order = self.orders.recv() => match order {
                    // It ends after the current task, and that cannot go on.
                    Some((Order::Tell(Input::Kill | Input::Stop), _)) => {
                        self.with_view(|view| view.state = State::Ended(Ending::Killed));
                        (self.deps.events)(Event::Run(Box::new(self.view())));
                        return Err(End::Suspended);
                    }
                    // Whoever asks for something else is told nothing: it is not in the journal.
                    Some((Order::Tell(_), _)) => {}
                    Some((Order::Suspend, _)) | None => return Err(End::Suspended),
                },
            }
        }
    }

    /// Takes over what the turn has told.
    fn take_progress(&mut self, progress: Option<&watch::Receiver<Progress>>) -> Vec<Effect> {
        let Some(progress) = progress else { return Vec::new() };
        let Progress { session, model, usage, held_up } = progress.borrow().clone();
        self.held_up = held_up;
        let mut effects = Vec::new();
        if let Some(session) = session {
            let input = Input::Session { id: session, model };
            effects.extend(self.machine.step(input, self.now()));
        }
        if let Some(usage) = usage {
            effects.extend(self.machine.step(Input::Progress(usage), self.now()));
        }
        effects
    }

    fn begin(&mut self, effect: Effect) -> Option<Work> {
        let looked = match &effect {
            Effect::Look(_) => self.looked.replace(Instant::now()),
            Effect::Read(_) | Effect::Rewrite { .. } => self.looked,
            _ => {
                self.looked = None;
                None
            }
        };
        let run = self.machine.run();
        let plain = |answer: Answer| Some(Work { answer, ending: None, progress: None });
        match effect {
            Effect::Journal(_) | Effect::Tell(_) | Effect::Cancel => None,
            Effect::Read(paths) => plain(Box::pin(blocking(move || {
                Input::Documents(paths.iter().map(|path| documents::read(path)).collect())
            }))),
            Effect::Look(provider) => {
                let repository = self.repository();
                let in_repository = run.tasks.iter().any(|task| task.tree_before.is_some());
                let (spec, id, now) = (run.spec.clone(), run.id, self.now());
                let is_fresh = looked.is_some_and(|looked| looked.elapsed() < FRESH);
                let written = is_fresh.then(|| self.machine.paths());
                let (providers, names) =
                    (Arc::clone(&self.deps.providers), Arc::clone(&self.names));
                plain(Box::pin(blocking(move || {
                    let name = || {
                        let agents = providers.agents();
                        let agent = agents.iter().find(|(_, agent, _)| Some(*agent) == spec.agent);
                        let agent = agent.map_or("", |(name, _, _)| name.as_str());
                        let known = variables(&spec, Some(id), agent, &repository.git, now);
                        *names.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
                    };
                    // While git looks at the tree, which is most of what a task costs without its agent.
                    std::thread::scope(|scope| {
                        let thread = std::thread::Builder::new().name("run-names".into());
                        if thread.spawn_scoped(scope, name).is_err() {
                            name();
                        }
                        let session = maestro_agents::new_session_id(provider);
                        repository.look(session, in_repository, written.as_deref())
                    })
                })))
            }
            Effect::Rewrite { document, changes } => {
                let id = run.id;
                plain(Box::pin(blocking(move || {
                    Input::Rewritten(documents::rewrite(&document, id, &changes))
                })))
            }
            Effect::Copy(pairs) => {
                plain(Box::pin(blocking(move || Input::Copied(documents::copy(&pairs)))))
            }
            Effect::Commit(commit) => {
                let (repository, run) = (self.repository(), run.clone());
                let (hub, task) = (Arc::clone(&self.hub), number(commit.task));
                plain(Box::pin(blocking(move || {
                    let began = std::time::Instant::now();
                    let result = repository.commit(&run, &commit);
                    match &result {
                        Ok(commits) if commit.message.is_some() => {
                            if let Some(id) = commits.last() {
                                let short = id.get(..10).unwrap_or(id);
                                let text = format!("committed as {short}");
                                hub.say(run.id, task, HeardKind::Maestro, &text);
                            }
                        }
                        Err(Uncommitted::Refused(verify)) => {
                            hub.say(run.id, task, HeardKind::Verify, &verify.output);
                        }
                        _ => {}
                    }
                    Input::Committed { result, duration_ms: millis(began.elapsed()) }
                })))
            }
            Effect::Restore { task, force } => {
                let (repository, run, now) = (self.repository(), run.clone(), self.now());
                plain(Box::pin(blocking(move || {
                    Input::Restored(repository.restore(&run, task, force, now))
                })))
            }
            Effect::Sleep { until_ms } => {
                let clock = Arc::clone(&self.clock);
                plain(Box::pin(async move {
                    clock.sleep_until(until_ms).await;
                    Input::Woken
                }))
            }
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
            model: turn.model,
            unattended: run.spec.unattended,
            read_only: false,
        };
        let limits = Limits {
            total: seconds(turn.timeout_s),
            silence: seconds(run.spec.silence_timeout_s),
            grace: GRACE,
            output: FLOOD,
        };
        let resumes = options.resume.is_some();
        let agent = turn.agent.or(run.spec.agent);
        let marks: Vec<_> = self
            .marks(agent)
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let providers = Arc::clone(&self.deps.providers);
        let cancel = Cancel::new();
        let (told, progress) = watch::channel(Progress::default());
        let ending = Stopper::Turn(cancel.clone());
        let provider = turn.provider;
        let (hub, id) = (Arc::clone(&self.hub), run.id);
        let task = number(self.machine.current().unwrap_or_default());
        let slots = Arc::clone(&self.slots);
        let most = self.deps.providers.most_sessions();
        let answer = async move {
            // Its time begins when it may.
            let _slot = slots.enter(provider, most, &cancel, || {
                told.send_modify(|progress| progress.held_up = Some((provider, most)));
            });
            let _slot = _slot.await;
            told.send_modify(|progress| progress.held_up = None);
            let began = std::time::Instant::now();
            let command =
                tokio::task::spawn_blocking(move || providers.turn(provider, &options)).await;
            let outcome = match command {
                Ok(Ok(command)) => {
                    let outcome =
                        maestro_agents::turn::run(command, limits, &marks, &cancel, move |event| {
                            hub.event(id, task, &event);
                            tell(&told, event);
                        })
                        .await;
                    if resumes { without_its_session(outcome) } else { outcome }
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
        let marks = self.marks(run.spec.agent);
        let (hub, id) = (Arc::clone(&self.hub), run.id);
        let task = number(self.machine.current().unwrap_or_default());
        hub.say(id, task, HeardKind::Maestro, &format!("$ {line}"));
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
            let verify = command::run(command, stopped, &|line| {
                hub.say(id, task, HeardKind::Verify, line);
            })
            .await;
            let ended = verify.exit_code.map_or("a signal".to_owned(), |code| code.to_string());
            hub.say(id, task, HeardKind::Maestro, &format!("it ended with {ended}"));
            Input::Verified { verify, duration_ms: millis(began.elapsed()) }
        };
        Work { answer: Box::pin(answer), ending: Some(Stopper::Command(stop)), progress: None }
    }

    /// The variables by which every process of the run is recognised, by this host and the next.
    fn marks(&self, agent: Option<maestro_core::AgentId>) -> Vec<(String, String)> {
        let run = self.machine.run();
        let mut marks = self.deps.providers.variables(&run.spec.directory);
        marks.extend(self::marks(&self.deps.instance, run.id));
        if let Some(agent) = agent {
            marks.push(("MAESTRO_AGENT".to_owned(), agent.to_string()));
        }
        marks
    }

    /// Tells the world when there is something new.
    fn publish(&self) {
        let mut run = self.machine.run().clone();
        if let (Some((provider, most)), State::Running) = (self.held_up, &run.state) {
            let because = format!(
                "{most} sessions of {provider} are at work in runs, which is as many as may; it goes on \
                 when one of them ends."
            );
            run.state = State::Waiting { until_ms: self.now(), because };
        }
        let is_new = {
            let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = *view != run;
            view.clone_from(&run);
            is_new
        };
        if is_new {
            (self.deps.events)(Event::Run(Box::new(run)));
        }
    }

    fn view(&self) -> Run {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with_view(&self, change: impl FnOnce(&mut Run)) {
        change(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A program that was to go on with a session and ended without a word did not get as far as the session:
/// Factory Droid without a login, for one, says nothing else. The task is begun anew in a fresh one then.
fn without_its_session(mut outcome: Outcome) -> Outcome {
    if outcome.session.is_none()
        && outcome.text.is_empty()
        && let Err(failure) = &mut outcome.result
        && failure.kind == FailureKind::Crashed
    {
        failure.kind = FailureKind::SessionMissing;
    }
    outcome
}

/// The variables that mark the processes of a run.
pub(super) fn marks(instance: &str, run: RunId) -> Vec<(String, String)> {
    vec![
        ("MAESTRO_HOST".to_owned(), instance.to_owned()),
        ("MAESTRO_RUN".to_owned(), run.to_string()),
    ]
}

/// The answer of what runs; none while nothing does.
async fn answer_of(answer: Option<&mut Answer>) -> Input {
    match answer {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

/// Comes back when the turn has told something, at most every so often; `false` when it tells nothing
/// any more.
async fn progress_of(progress: Option<&mut watch::Receiver<Progress>>) -> bool {
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
        TurnEvent::Session { id, model } => told.send_modify(|progress| {
            progress.session = Some(id);
            progress.model = model.or_else(|| progress.model.take());
        }),
        TurnEvent::Usage(usage) => told.send_modify(|progress| progress.usage = Some(usage)),
        _ => {}
    }
}

pub(super) fn gone(directory: &Path) -> String {
    format!(
        "The directory {} is not there any more; bring it back and start the run again.",
        directory.display()
    )
}

/// A task's number as the world has it.
fn number(task: usize) -> u32 {
    u32::try_from(task).unwrap_or(u32::MAX)
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
