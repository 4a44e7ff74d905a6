//! Pull requests, asked for by clients.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use maestro_core::AgentId;
use maestro_core::agent::Provider;
use maestro_core::conversation::Prompt;
use maestro_core::pull::{self, Ask, Create, PullRequest, SentFailures};
use maestro_git::Git;
use maestro_protocol::message::{Error, ErrorKind, Reply};

use super::{Shared, blocking, check_path, failed, refuse};
use crate::pulls;

/// Does what a client asks about pull requests.
pub(super) async fn run(shared: &Arc<Shared>, ask: Ask) -> Result<Reply, Error> {
    let reply = |request: PullRequest| Ok(Reply::PullRequest(Box::new(request)));
    match ask {
        Ask::Create(wanted) => reply(create(shared, wanted).await?),
        Ask::Status { directory } => {
            let status = move |git: &Git, environment: &pulls::Environment| {
                pulls::status(git, environment, &directory)
            };
            reply(work(shared, status).await?)
        }
        Ask::SendFailures { directory, agent } => {
            send(shared, directory, agent).await.map(Reply::SentFailures)
        }
    }
}

async fn create(shared: &Arc<Shared>, mut wanted: Create) -> Result<PullRequest, Error> {
    check_path(&wanted.directory)?;
    if wanted.body.is_none() {
        wanted.body = report(shared, &wanted.directory).await;
    }
    work(shared, move |git, environment| pulls::create(git, environment, &wanted)).await
}

/// The report of the last run in a directory, if there was one.
async fn report(shared: &Arc<Shared>, directory: &Path) -> Option<String> {
    let runs = &shared.tools().await.ok()?.runs;
    let directory = directory.canonicalize().ok()?;
    let last = runs.list().await.ok()?.into_iter().find(|run| run.spec.directory == directory)?;
    runs.report(last.id).await.ok()
}

async fn send(
    shared: &Arc<Shared>,
    directory: PathBuf,
    agent: Option<AgentId>,
) -> Result<SentFailures, Error> {
    check_path(&directory)?;
    shared.until_recovered().await;
    let place = directory.clone();
    let (request, logs) =
        work(shared, move |git, environment| pulls::failures(git, environment, &place)).await?;
    if logs.is_empty() {
        return Ok(SentFailures { checks: Vec::new(), item: None });
    }
    let agent = match agent {
        Some(agent) => agent,
        None => {
            let agents = shared.world.agents().into_iter();
            let own = crate::conversation::checkout(&directory);
            let mut here = agents.filter(|agent| {
                agent.provider != Provider::Shell
                    && crate::conversation::checkout(&agent.directory) == own
            });
            let text = "no agent works there; say which one is to be told";
            here.next().ok_or_else(|| refuse(ErrorKind::NotFound, text))?.id
        }
    };
    let tab = match shared.conversation_of(agent) {
        Some(tab) => tab.id,
        None => shared.new_tab(agent, None, None).await?.id,
    };
    let prompt = Prompt { text: pull::prompt(&request, &logs), ..Prompt::default() };
    let token = format!("checks of {} at {}", request.branch, super::now_ms());
    let item = shared.queues().send(tab, prompt, token, false).await?;
    let checks = logs.into_iter().map(|(name, _)| name).collect();
    Ok(SentFailures { checks, item: Some(item) })
}

/// Does what asks a service, where blocking is allowed.
async fn work<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Git, &pulls::Environment) -> Result<T, String> + Send + 'static,
) -> Result<T, Error> {
    let git = shared.tools().await?.git.clone();
    let shared = Arc::clone(shared);
    blocking(move || {
        let environment = shared.environment().to_vec();
        work(&git, &environment)
    })
    .await
    .map_err(failed)?
    .map_err(|because| refuse(ErrorKind::Failed, because))
}
