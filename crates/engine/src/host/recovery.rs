//! What a host finds of the one before it. Agents come from the store; processes of a dead host are
//! recognised by the mark in their environment, and those in terminals by id and start time, too. They
//! have lost their terminal, so they are ended; every agent that had one is offered back.

use std::sync::Arc;
use std::time::Duration;

use maestro_core::agent::{Agent, Source, State};
use maestro_pty::process::{Process, Signal, values_of};
use maestro_pty::{Grace, Marker};
use maestro_store::{Host, Store};

use super::attention::Slot;
use super::terminals::HOST;
use super::tools::failed;
use super::world::World;
use super::{Error, Shared, attention, blocking, now_ms, panicked, queues, theme};
use crate::conversation;

/// What dead hosts left has had its SIGHUP from the kernel already.
const GRACE: Grace =
    Grace { hangup: Duration::from_millis(300), terminate: Duration::from_millis(1500) };

/// The world as the store has it, and the note that we have begun.
pub(crate) async fn read_world(
    store: &Store,
    instance: &str,
    process: Process,
    started_ms: u64,
    transcripts: std::path::PathBuf,
) -> Result<World, Error> {
    let store = store.clone();
    let host = Host {
        instance: instance.to_owned(),
        pid: process.pid,
        process_start: process.started,
        started_ms,
        stopped_ms: None,
    };
    blocking(move || {
        store.host_started(&host)?;
        let agents = store.agents()?.into_iter().map(offered_back).collect();
        let mut runs = store.runs(50)?;
        runs.extend(store.open_runs()?);
        let (palette, preferences) = theme::take(store.preferences()?);
        let tabs = store.tabs()?.into_iter().map(|tab| {
            let before = tab.clone();
            let path = transcripts.join(format!("{}.jsonl", tab.id));
            let tab = conversation::offered_back(tab, &path);
            if tab != before {
                store.put_tab(&tab)?;
            }
            Ok(tab)
        });
        let tabs = tabs.collect::<Result<Vec<_>, maestro_store::Error>>()?;
        let world = World::new(agents, runs, tabs, preferences, palette);
        world.restore_notices(maestro_core::notice::History::new(store.notices()?));
        for queue in queues::left(&store)? {
            let _ = world.set_queue(queue);
        }
        Ok(world)
    })
    .await
    .map_err(panicked)?
}

/// An agent as the next host offers it: its terminals are gone, its session is not.
fn offered_back(mut agent: Agent) -> Agent {
    let had_terminal = agent.ai_terminal.take().is_some();
    agent.shell_terminal = None;
    let now = now_ms();
    agent.attention = if had_terminal || agent.attention.state == State::Resumable {
        let because = if agent.session.is_some() {
            "its session can be resumed"
        } else {
            "its program ended with the host"
        };
        attention::verdict(State::Resumable, because, Source::Process, now)
    } else {
        attention::verdict(State::Unknown, "not started", Source::None, now)
    };
    agent
}

/// Ends what dead hosts left, then goes on with their runs. Whatever fails is told and does not keep
/// the host from working.
pub(crate) async fn recover(shared: Arc<Shared>) {
    let worker = Arc::clone(&shared);
    // The login shell takes its time, too.
    let (ended, tools) = tokio::join!(blocking(move || end_leftovers(&worker)), shared.tools());
    match ended.map_err(failed) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => shared.problem(None, format!("Recovery is incomplete: {error}")),
        Err(error) => shared.problem(None, format!("Recovery failed: {error}")),
    }
    match tools {
        Ok(tools) => match tools.runs.recover().await {
            Ok(runs) if runs.is_empty() => {}
            Ok(runs) => tracing::info!(?runs, "runs of a host before go on"),
            Err(error) => shared.problem(None, format!("Runs could not be recovered: {error}")),
        },
        Err(error) => shared.problem(None, format!("The host is not complete: {error}")),
    }
    if let Some(tools) = shared.tools.get()
        && let Err(error) = tools.runs.prune().await
    {
        tracing::warn!(%error, "old runs could not be thrown away");
    }
    for agent in shared.world.agents() {
        if agent.attention.state == State::Resumable {
            shared.watch(agent.id, Slot::Terminal, Some(agent.attention), "");
        }
    }
    // What their runs have to say was said; what their conversations were when the host died is known.
    for tab in shared.world.tabs() {
        shared.watch_tab(&tab);
    }
    let _ = shared.recovered.send_replace(true);
    queues::recovered(&shared).await;
    super::worktrees::recovered(Arc::clone(&shared)).await;
    if let Some(tools) = shared.tools.get() {
        match tools.trains.recover().await {
            Ok(trains) => trains.into_iter().for_each(|train| shared.world.set_train(train)),
            Err(error) => shared.problem(None, format!("Trains could not be read: {error}")),
        }
        if let Err(error) = tools.trains.prune(super::now_ms(), crate::autorun::DAYS).await {
            tracing::warn!(%error, "what was kept of old trains is still there");
        }
    }
    let store = shared.store.clone();
    let unread = store.unread();
    if !unread.is_empty() {
        // A copy that is taken now would take the place of one in which they may be readable.
        let kept = store.snapshot_path();
        let kept = if kept.exists() {
            format!("the copy from before is kept: {}", kept.display())
        } else {
            "there is no older copy".to_owned()
        };
        for sentence in unread {
            shared.problem(None, format!("In the database {sentence}; {kept}."));
        }
        return;
    }
    if let Ok(Err(error)) = blocking(move || store.snapshot()).await {
        shared.problem(None, format!("No copy of the database was made: {error}"));
    }
}

fn end_leftovers(shared: &Shared) -> Result<(), maestro_store::Error> {
    let store = &shared.store;
    for terminal in store.terminals()? {
        if terminal.host == shared.instance {
            continue;
        }
        let child = Process { pid: terminal.pid, started: terminal.process_start };
        if child.is_alive() {
            tracing::info!(terminal = %terminal.id, pid = child.pid, "a process of a dead host lives");
            child.signal(Signal::HUP);
        }
        let _ = store.remove_terminal(terminal.id)?;
    }
    let left = values_of(HOST);
    for host in store.hosts()? {
        if host.instance == shared.instance || is_alive(&host) || !left.contains(&host.instance) {
            continue;
        }
        let marker = Marker::new([(HOST.to_owned(), host.instance.clone())]);
        tracing::info!(host = host.instance, "ending what a dead host left");
        if !marker.end(GRACE) {
            let text = "Something an earlier host started could not be ended; see `ps e`.";
            shared.problem(None, text);
        }
    }
    Ok(())
}

/// A host that noted no stop and whose process lives under the same start time can only be ourselves
/// with another home's database; leave its children alone.
fn is_alive(host: &Host) -> bool {
    host.stopped_ms.is_none()
        && Process { pid: host.pid, started: host.process_start }.is_alive()
        && host.pid != std::process::id()
}

#[cfg(test)]
mod tests {
    use maestro_core::agent::Provider;
    use maestro_core::{AgentId, TerminalId};

    use super::*;

    #[test]
    fn an_agent_that_had_a_terminal_is_offered_back() {
        let agent = |ai_terminal, session: Option<&str>| Agent {
            id: AgentId(1),
            name: "a".into(),
            provider: Provider::Claude,
            directory: "/".into(),
            repository: None,
            branch: None,
            worktree: false,
            ai_terminal,
            shell_terminal: Some(TerminalId(9)),
            session: session.map(Into::into),
            attention: attention::verdict(State::Working, "", Source::Osc, 1),
            created_ms: 1,
            clipboard: maestro_core::agent::Clipboard::Focused,
            group: None,
            bookmarked: false,
        };
        let back = offered_back(agent(Some(TerminalId(8)), Some("s")));
        assert_eq!((back.ai_terminal, back.shell_terminal), (None, None));
        assert_eq!(back.attention.state, State::Resumable);
        assert_eq!(back.session.as_deref(), Some("s"));
        assert_eq!(offered_back(agent(None, None)).attention.state, State::Unknown);
    }
}
