//! Runs that wait until their directory is free: written down at once, begun in the order in which they
//! were asked for, and taken up again by the next host.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use maestro_core::RunId;
use maestro_core::run::machine::Machine;
use maestro_core::run::{Ending, Run, Spec, State};
use maestro_protocol::message::{Error, ErrorKind, Event};
use tokio::sync::{Mutex, Notify};

use super::actor::now_ms;
use super::lock::DirectoryLock;
use super::{Inner, Runs, blocking, error, stored, view};

/// How often it is looked whether a directory is free that no run of this host holds.
const PERIOD: Duration = Duration::from_secs(2);

/// The runs that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Held while one of them is tried: whoever has it sees each of them waiting, at work or ended.
    runs: Mutex<BTreeMap<RunId, Run>>,
    /// Whether somebody looks after them.
    looked_after: AtomicBool,
    /// Told when one comes.
    came: Notify,
    /// The host stops: nothing begins any more.
    closed: AtomicBool,
}

impl Waiting {
    /// Lets nothing begin any more. Whoever is being tried just now is at work or waits when this comes back.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        drop(self.runs.lock().await);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Runs {
    /// Starts a run as [`Self::start`] does; where its directory or a document of it is in use, it waits
    /// until that is over. When this comes back it is written down: another host would go on waiting.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`], but never because something is in use.
    pub async fn queue(&self, spec: Spec) -> Result<Run, Error> {
        let inner = Arc::clone(&self.inner);
        let run = blocking(move || inner.enqueue(spec)).await?;
        let mut waiting = self.inner.waiting.runs.lock().await;
        let _ = waiting.insert(run.id, run.clone());
        (self.inner.deps.events)(Event::Run(Box::new(run.clone())));
        // A directory that is free is not waited for.
        self.try_all(&mut waiting).await;
        drop(waiting);
        self.look_after();
        self.get(run.id).await
    }

    /// A run of an earlier host goes on waiting.
    pub(super) async fn wait_again(&self, run: Run) {
        let _ = self.inner.waiting.runs.lock().await.insert(run.id, run);
        self.look_after();
    }

    /// Ends a run that waits. `None` when it does not wait: it is at work, or over.
    pub(super) async fn end_waiting(
        &self,
        run: RunId,
        ending: Ending,
    ) -> Option<Result<Run, Error>> {
        let mut waiting = self.inner.waiting.runs.lock().await;
        let mut ended = waiting.get(&run)?.clone();
        ended.state = State::Ended(ending);
        ended.ended_ms = Some(now_ms());
        let inner = Arc::clone(&self.inner);
        let saved = ended.clone();
        let closed = blocking(move || inner.close(&saved)).await;
        if closed.is_ok() {
            let _ = waiting.remove(&run);
            self.inner.waiting.came.notify_one();
        }
        Some(closed.map(|()| ended))
    }

    /// Sees to it that somebody tries the runs that wait, as long as there are any.
    fn look_after(&self) {
        let waiting = &self.inner.waiting;
        waiting.came.notify_one();
        if waiting.looked_after.swap(true, Ordering::AcqRel) {
            return;
        }
        let runs = self.clone();
        drop(tokio::spawn(async move {
            loop {
                let finished = runs.inner.finished.notified();
                tokio::pin!(finished);
                // Before trying, so that what ends meanwhile is not missed.
                let _ = finished.as_mut().enable();
                let mut waiting = runs.inner.waiting.runs.lock().await;
                runs.try_all(&mut waiting).await;
                if waiting.is_empty() || runs.inner.waiting.is_closed() {
                    // While the list is held: whoever adds to it next finds nobody looking after it.
                    runs.inner.waiting.looked_after.store(false, Ordering::Release);
                    return;
                }
                drop(waiting);
                tokio::select! {
                    () = finished => {}
                    () = runs.inner.waiting.came.notified() => {}
                    () = tokio::time::sleep(PERIOD) => {}
                }
            }
        }));
    }

    /// Begins each run that can begin; the first that asked for a directory has it first.
    async fn try_all(&self, waiting: &mut BTreeMap<RunId, Run>) {
        let ids: Vec<RunId> = waiting.keys().copied().collect();
        for id in ids {
            if self.inner.waiting.is_closed() {
                return;
            }
            let Some(run) = waiting.get(&id).cloned() else { continue };
            let mut before = waiting.range(..id).map(|(_, other)| other);
            let ahead = before.rfind(|other| shares(other, &run)).map(|other| other.id);
            let refused = match ahead {
                Some(ahead) => Err(error(ErrorKind::Busy, format!("run {ahead} is before it"))),
                None => {
                    let inner = Arc::clone(&self.inner);
                    let spec = run.spec.clone();
                    blocking(move || inner.prepare_as(Some(id), spec)).await
                }
            };
            match refused {
                Ok((run, lock)) => {
                    let _ = waiting.remove(&id);
                    self.begin_with(run, lock);
                }
                Err(because) if because.kind == ErrorKind::Busy => {
                    let because = match ahead {
                        Some(_) => because.message,
                        None => self.holder(&run, because.message),
                    };
                    let state = State::Queued { because };
                    if run.state != state {
                        self.still_waits(waiting, Run { state, ..run }).await;
                    }
                }
                Err(because) => {
                    let state = State::Ended(Ending::Failed(because.message));
                    let run = Run { state, ended_ms: Some(now_ms()), ..run };
                    let inner = Arc::clone(&self.inner);
                    if let Err(because) = blocking(move || inner.close(&run)).await {
                        tracing::warn!(run = %id, %because, "a run that cannot begin was not saved");
                    }
                    let _ = waiting.remove(&id);
                }
            }
        }
    }

    /// Who works where a run wants to: another run of this host in a few words, everybody else as the
    /// refusal says it.
    fn holder(&self, run: &Run, refusal: String) -> String {
        let active = self.inner.active();
        let holder = active.values().map(|handle| view(&handle.view)).find(|it| shares(it, run));
        match holder {
            Some(holder) => {
                format!("run {} is at work in {}", holder.id, holder.spec.directory.display())
            }
            None => refusal,
        }
    }

    /// What a run waits for has changed.
    async fn still_waits(&self, waiting: &mut BTreeMap<RunId, Run>, run: Run) {
        let store = self.inner.deps.store.clone();
        let saved = run.clone();
        if let Err(because) = blocking(move || store.put_run(&saved).map_err(stored)).await {
            tracing::warn!(run = %run.id, %because, "what a run waits for was not saved");
        }
        (self.inner.deps.events)(Event::Run(Box::new(run.clone())));
        let _ = waiting.insert(run.id, run);
    }

    fn begin_with(&self, run: Run, lock: DirectoryLock) {
        let machine = Machine::new(run.clone(), self.inner.policy.clone());
        (self.inner.deps.events)(Event::Run(Box::new(run)));
        self.spawn(machine, lock, None, None);
    }
}

impl Inner {
    /// Writes a run down that waits. Blocks.
    fn enqueue(&self, spec: Spec) -> Result<Run, Error> {
        let (spec, open, done) = self.check(spec)?;
        let _alone = self.starting();
        let id = self.deps.store.next_run_id().map_err(stored)?;
        let mut run = Run::new(id, spec, self.clock.now_ms(), open, done);
        run.state = State::Queued { because: String::new() };
        self.deps.store.put_run(&run).map_err(stored)?;
        Ok(run)
    }
}

/// Whether two runs cannot be at work at the same time: one's directory lies in the other's, or they have a
/// document in common. A run with a worktree of its own works somewhere else.
fn shares(one: &Run, other: &Run) -> bool {
    let apart = |run: &Run| run.options().worktree.is_some();
    let near = |a: &Path, b: &Path| a.starts_with(b) || b.starts_with(a);
    let documents = &other.spec.documents;
    one.spec.documents.iter().any(|document| documents.contains(document))
        || (!apart(one) && !apart(other) && near(&one.spec.directory, &other.spec.directory))
}
