//! Commands about runs beyond starting and ending, and what runs need to know of the rest of the host.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use maestro_core::agent::{Provider, State};
use maestro_core::conversation::{Place, Policy};
use maestro_core::playbook::Heard;
use maestro_core::{AgentId, RunId};
use maestro_protocol::message::{Command, Error, ErrorKind, Reply};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::{Shared, refuse};
use crate::client::Client;
use crate::conversation;

/// Between two batches of lines for one client.
const BATCH: Duration = Duration::from_millis(50);
/// The most lines in one.
const LINES: usize = 200;
/// Runs that one client hears at the same time.
const HEARD: usize = 32;

/// Runs a command about runs.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    let runs = &shared.tools().await?.runs;
    let reply = |run| Ok(Reply::Run(Box::new(run)));
    match command {
        Command::PauseRun { run } => reply(runs.pause(run).await?),
        Command::ResumeRun { run } => reply(runs.resume(run).await?),
        Command::SkipTask { run, task } => reply(runs.skip(run, task).await?),
        Command::SkipDocument { run } => reply(runs.skip_document(run).await?),
        Command::RetryTask { run, task } => reply(runs.retry(run, task).await?),
        Command::UndoTask { run, task, force } => reply(runs.undo(run, task, force).await?),
        Command::ReadEvidence { run, task } => {
            Ok(Reply::TaskEvidence(Box::new(runs.evidence(run, task).await?)))
        }
        Command::ReadReport { run } => Ok(Reply::Text(Some(runs.report(run).await?))),
        _ => Err(refuse(ErrorKind::Invalid, "this is no command about a run")),
    }
}

/// What one client hears of runs.
#[derive(Debug, Default)]
pub(super) struct Ears {
    tasks: HashMap<RunId, tokio::task::JoinHandle<()>>,
}

impl Ears {
    /// Begins to hear a run, or stops.
    pub(super) fn hear(
        &mut self,
        shared: &Arc<Shared>,
        client: &Arc<Client>,
        run: RunId,
        follow: bool,
    ) -> Result<(), Error> {
        if let Some(task) = self.tasks.remove(&run) {
            task.abort();
        }
        if !follow {
            return Ok(());
        }
        self.tasks.retain(|_, task| !task.is_finished());
        if self.tasks.len() >= HEARD {
            let text = format!("a client can hear {HEARD} runs at once");
            return Err(refuse(ErrorKind::Busy, text));
        }
        let (shared, client) = (Arc::clone(shared), Arc::clone(client));
        let task = tokio::spawn(async move {
            let Ok(tools) = shared.tools().await else { return };
            if let Ok((before, receiver)) = tools.runs.hear(run).await {
                pass_on(&client, run, before, receiver).await;
            }
        });
        let _ = self.tasks.insert(run, task);
        Ok(())
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        for task in self.tasks.values() {
            task.abort();
        }
    }
}

async fn pass_on(
    client: &Client,
    run: RunId,
    before: Vec<Heard>,
    receiver: Option<broadcast::Receiver<Heard>>,
) {
    if !before.is_empty() && !client.heard(run, before) {
        return;
    }
    let Some(mut receiver) = receiver else { return };
    loop {
        let mut lines = Vec::new();
        match receiver.recv().await {
            Ok(line) => lines.push(line),
            // It was too slow; what is gone is gone.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        }
        tokio::time::sleep(BATCH).await;
        while lines.len() < LINES {
            match receiver.try_recv() {
                Ok(line) => lines.push(line),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if !client.heard(run, lines) {
            return;
        }
    }
}

impl Shared {
    /// The user's agents, by which a task can name who does it.
    pub(super) fn agents_for_runs(&self) -> Vec<(String, AgentId, Provider)> {
        let agents = self.world.agents();
        agents.into_iter().map(|agent| (agent.name, agent.id, agent.provider)).collect()
    }

    /// Who writes in the checkout of a directory just now without being a run.
    pub(super) fn writer_in(&self, directory: &Path) -> Option<String> {
        let own = conversation::checkout(directory);
        let is_near = |other: &Path| {
            (other.starts_with(directory) || directory.starts_with(other))
                && conversation::checkout(other) == own
        };
        let tabs = self.world.tabs();
        for agent in self.world.agents().into_iter().filter(|agent| is_near(&agent.directory)) {
            let busy = tabs.iter().find(|tab| {
                tab.agent == agent.id
                    && tab.place == Place::Conversation
                    && tab.policy != Policy::ReadOnly
                    && tab.state.is_busy()
            });
            if let Some(tab) = busy {
                return Some(format!(
                    "the conversation {} of agent {} is at work there.",
                    tab.id, agent.name
                ));
            }
            let terminal = agent.ai_terminal.and_then(|id| self.world.terminal(id));
            if agent.attention.state == State::Working
                && terminal.is_some_and(|session| session.is_live())
            {
                return Some(format!("agent {} is at work there in its terminal.", agent.name));
            }
        }
        None
    }
}
