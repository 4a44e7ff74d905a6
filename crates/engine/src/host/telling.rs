//! What the user is told of agents and runs: kept, shown by every client, and told outside the windows
//! while nobody looks at one.
//!
//! An agent's state is told once it has rested for a moment: what is done and goes on with the next of
//! its queue is not done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use maestro_core::agent::{Agent, State};
use maestro_core::notice::{Ask, Gate, News, Notice, Which};
use maestro_core::run;
use maestro_core::{AgentId, RunId};
use maestro_protocol::message::{Error, ErrorKind, Reply};
use tokio::time::Instant;

use super::commands::store_error;
use super::tools::failed;
use super::{Shared, blocking, detach, now_ms, refuse};

mod outside;

/// For so long an agent is in a state before that is told.
const REST: Duration = Duration::from_millis(1200);

/// Programs that tell something at the same time; what comes meanwhile is told in the windows alone.
const AT_ONCE: usize = 4;

/// See the module.
#[derive(Debug)]
pub(super) struct Telling {
    /// Held from the look at the history until its change is in the store and in the world.
    saving: tokio::sync::Mutex<()>,
    gate: Mutex<Gate>,
    programs: Arc<tokio::sync::Semaphore>,
}

impl Default for Telling {
    fn default() -> Self {
        Self {
            saving: tokio::sync::Mutex::default(),
            gate: Mutex::default(),
            programs: Arc::new(tokio::sync::Semaphore::new(AT_ONCE)),
        }
    }
}

/// What is known of an agent.
#[derive(Debug)]
struct Known {
    state: State,
    /// What it asks, while it does: a second question is told, too.
    asks: String,
    since: Instant,
    told: bool,
}

impl Known {
    fn new(agent: &Agent, since: Instant, told: bool) -> Self {
        Self { state: agent.attention.state, asks: asks(agent), since, told }
    }
}

fn asks(agent: &Agent) -> String {
    let asks = agent.attention.state == State::NeedsYou;
    if asks { agent.attention.because.clone() } else { String::new() }
}

/// Tells what happens, for as long as the host lives.
pub(super) async fn watch(shared: Arc<Shared>) {
    let stopping = shared.stopping();
    tokio::pin!(stopping);
    tokio::select! {
        () = shared.until_recovered() => {}
        () = &mut stopping => return,
    }
    let start = Instant::now();
    let mut agents: HashMap<AgentId, Known> = HashMap::new();
    for agent in shared.world.agents() {
        let _ = agents.insert(agent.id, Known::new(&agent, start, true));
    }
    let runs = shared.world.runs().into_iter().map(|run| (run.id, run.state));
    let mut runs: HashMap<RunId, run::State> = runs.collect();
    loop {
        let next = agents.values().filter(|known| !known.told).map(|known| known.since + REST);
        let next = next.min();
        tokio::select! {
            () = shared.world.turned.notified() => {}
            () = tokio::time::sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            () = &mut stopping => return,
        }
        look_at_agents(&shared, &mut agents).await;
        look_at_runs(&shared, &mut runs).await;
    }
}

async fn look_at_agents(shared: &Arc<Shared>, known: &mut HashMap<AgentId, Known>) {
    let now = Instant::now();
    let agents = shared.world.agents();
    known.retain(|id, _| agents.iter().any(|agent| agent.id == *id));
    for agent in agents {
        let one = known.entry(agent.id).or_insert_with(|| Known::new(&agent, now, false));
        if one.state != agent.attention.state || one.asks != asks(&agent) {
            if one.state != agent.attention.state {
                mark_passed(shared, agent.id).await;
            }
            *one = Known::new(&agent, now, false);
        }
        if one.told || now < one.since + REST {
            continue;
        }
        one.told = true;
        let driven = !shared.world.open_runs_of(agent.id).is_empty();
        if let Some(news) = News::of_agent(&agent, driven) {
            tell(shared, news).await;
        }
    }
}

async fn look_at_runs(shared: &Arc<Shared>, known: &mut HashMap<RunId, run::State>) {
    let runs = shared.world.runs();
    known.retain(|id, _| runs.iter().any(|run| run.id == *id));
    for run in runs {
        if known.insert(run.id, run.state.clone()).as_ref() == Some(&run.state) {
            continue;
        }
        let owner = run.spec.agent.and_then(|id| shared.world.agent(id));
        if let Some(news) = News::of_run(&run, owner.as_ref().map(|agent| agent.name.as_str())) {
            tell(shared, news).await;
        }
    }
}

/// Keeps something and tells it, in the windows and outside.
async fn tell(shared: &Arc<Shared>, news: News) {
    let notice = {
        let _saving = shared.telling.saving.lock().await;
        let notice = shared.world.notices().add(news, now_ms());
        let (store, kept) = (shared.store.clone(), notice.clone());
        let kept = blocking(move || store.put_notice(&kept)).await;
        if let Ok(Err(error)) = kept {
            // It is told all the same.
            tracing::warn!(%error, "a notice could not be kept");
        }
        shared.world.put_notice(notice.clone());
        notice
    };
    let gate = &shared.telling.gate;
    let held = || {
        let mut gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
        gate.pass(notice.agent, notice.at_ms)
    };
    let Some(plan) = outside::Plan::new(shared, &notice, held) else { return };
    let Ok(permit) = Arc::clone(&shared.telling.programs).try_acquire_owned() else {
        tracing::warn!(notice = notice.id, "too much is being told outside; this is left out");
        return;
    };
    let shared = Arc::clone(shared);
    detach(async move {
        for told in plan.carry_out(&shared).await {
            match told {
                Ok(how) => tracing::debug!(how, "told outside"),
                Err(why) if why.matters => shared.problem(None, why.text),
                Err(why) => tracing::info!(why.text, "not told outside"),
            }
        }
        drop(permit);
    });
}

/// What an agent needed before it does something else is read.
async fn mark_passed(shared: &Arc<Shared>, agent: AgentId) {
    let _saving = shared.telling.saving.lock().await;
    let ids = shared.world.notices().passed(agent);
    if let Err(error) = keep_marks(shared, ids, true).await {
        tracing::warn!(%error, "a notice stays unread");
    }
}

async fn keep_marks(shared: &Arc<Shared>, ids: Vec<u64>, read: bool) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let (store, marked) = (shared.store.clone(), ids.clone());
    let kept = blocking(move || store.mark_notices(&marked, read)).await;
    kept.map_err(failed)?.map_err(store_error)?;
    shared.world.mark_notices(ids, read);
    Ok(())
}

/// Answers what is asked about notices.
pub(super) async fn run(shared: &Arc<Shared>, ask: Ask) -> Result<Reply, Error> {
    match ask {
        Ask::List => Ok(Reply::Notices(shared.world.notices().all().to_vec())),
        Ask::Mark { which, read } => {
            let _saving = shared.telling.saving.lock().await;
            let mut history = shared.world.notices();
            if let Which::One(id) = which
                && !history.all().iter().any(|notice| notice.id == id)
            {
                return Err(refuse(ErrorKind::NotFound, format!("there is no notice {id}")));
            }
            let ids = history.mark(which, read);
            keep_marks(shared, ids, read).await?;
            Ok(Reply::Done)
        }
        Ask::Clear => {
            let _saving = shared.telling.saving.lock().await;
            let store = shared.store.clone();
            let cleared = blocking(move || store.clear_notices()).await;
            cleared.map_err(failed)?.map_err(store_error)?;
            shared.world.clear_notices();
            Ok(Reply::Done)
        }
        // The connection's own reader does this.
        Ask::Look(_) => Ok(Reply::Done),
        Ask::Try => try_out(shared).await,
    }
}

/// Tells something outside now, whoever looks and whatever hour it is.
async fn try_out(shared: &Arc<Shared>) -> Result<Reply, Error> {
    let notice = Notice {
        id: 0,
        at_ms: now_ms(),
        kind: maestro_core::notice::Kind::NeedsYou,
        agent: None,
        run: None,
        who: "Maestro".to_owned(),
        text: "This is how you are told that an agent needs you.".to_owned(),
        count: 1,
        read: false,
    };
    let plan = outside::Plan::to_try(shared, notice);
    if plan.is_empty() {
        let text = "nothing is told outside the window: notices.desktop and notices.sound are \
                    \"never\", and there is no notices.command";
        return Err(refuse(ErrorKind::Invalid, text));
    }
    let (done, missed): (Vec<_>, Vec<_>) =
        plan.carry_out(shared).await.into_iter().partition(Result::is_ok);
    let sentences = |text: Vec<String>| text.join(" ");
    let missed: Vec<String> =
        missed.into_iter().filter_map(Result::err).map(|why| why.text).collect();
    let done = sentences(done.into_iter().flatten().collect());
    if missed.is_empty() {
        return Ok(Reply::Text(Some(done)));
    }
    let all =
        sentences(std::iter::once(done).filter(|done| !done.is_empty()).chain(missed).collect());
    Err(refuse(ErrorKind::Failed, all.trim_end_matches('.')))
}
