//! How the branches of a race stand.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use maestro_core::AgentId;
use maestro_core::changes::{Answer, MAX_PICKS};
use maestro_core::race::{MAX_RUNNERS, Race, Runner, Take, number};
use maestro_core::train::{Check, MAX_COMMAND};
use maestro_core::usage::By;
use maestro_git::{Git, Worktree};
use maestro_protocol::message::{Error, ErrorKind};
use tokio::sync::watch;

use super::commands::git_error;
use super::{Shared, blocking, check_path, failed, now_ms, refuse};
use crate::autorun::command;

/// How long the check of one runner may take.
const CHECK: Duration = Duration::from_secs(15 * 60);

/// Looks at every branch that is called after the race.
pub(super) async fn read(
    shared: &Arc<Shared>,
    repository: PathBuf,
    name: String,
    target: Option<String>,
    verify: Option<String>,
) -> Result<Race, Error> {
    check_path(&repository)?;
    if verify.as_ref().is_some_and(|line| line.len() > MAX_COMMAND || line.trim().is_empty()) {
        let text = format!("a command that checks has 1 to {MAX_COMMAND} bytes");
        return Err(refuse(ErrorKind::Invalid, text));
    }
    let git = shared.tools().await?.git.clone();
    let (asked, race) = (git.clone(), name.clone());
    let found = blocking(move || look_at(&asked, &repository, &race, target));
    let (target, mut runners) = found.await.map_err(failed)?.map_err(git_error)?;
    if runners.is_empty() {
        let text = format!("there is no race `{name}`: no worktree is on a branch {name}-1");
        return Err(refuse(ErrorKind::NotFound, text));
    }
    let agents = shared.world.agents();
    let tabs = shared.world.tabs();
    for runner in &mut runners {
        let here = agents.iter().find(|agent| agent.directory.starts_with(&runner.directory));
        runner.agent = here.map(|agent| agent.id);
        runner.is_busy = shared.writer_in(&runner.directory).is_some();
        if let Some(agent) = runner.agent {
            runner.cost = cost(shared, agent).await;
            let own: Vec<_> =
                tabs.iter().filter(|tab| tab.agent == agent && tab.turns > 0).collect();
            let (began, ended) = (
                own.iter().map(|tab| tab.created_ms).min(),
                own.iter().map(|tab| tab.used_ms).max(),
            );
            runner.worked_ms = ended.zip(began).map(|(ended, began)| ended.saturating_sub(began));
        }
        if let Some(line) = &verify {
            runner.check = Some(check(shared, runner, line).await);
        }
    }
    Ok(Race { name, target, runners })
}

/// Takes files and hunks of several branches of a race into the target's checkout.
pub(super) async fn take(shared: &Arc<Shared>, take: Take) -> Result<Answer, Error> {
    check_path(&take.repository)?;
    if take.pieces.is_empty() || take.pieces.len() > MAX_PICKS {
        let text = format!("1 to {MAX_PICKS} files are taken at once");
        return Err(refuse(ErrorKind::Invalid, text));
    }
    let git = shared.tools().await?.git.clone();
    let Take { repository, name, target, pieces, look } = take;
    let (asked, race) = (git.clone(), name.clone());
    let found = blocking(move || {
        let (target, runners) = look_at(&asked, &repository, &race, target)?;
        let aim = asked.target(&repository, &target)?;
        Ok::<_, maestro_git::Error>((target, runners, aim))
    });
    let (target, runners, aim) = found.await.map_err(failed)?.map_err(git_error)?;
    let Some(into) = aim.checked_out else {
        let text =
            format!("{target} is checked out nowhere; check it out, or take one branch as a whole");
        return Err(refuse(ErrorKind::Invalid, text));
    };
    if let Some(because) = shared.writer_in(&into.path) {
        let text = format!("in {} {because}", into.path.display());
        return Err(refuse(ErrorKind::Busy, text));
    }
    let pieces = pieces.into_iter().map(|piece| {
        let runner = runners.iter().find(|runner| runner.branch == piece.branch);
        let missing = || format!("`{}` is no branch of the race `{name}`", piece.branch);
        let runner = runner.ok_or_else(|| refuse(ErrorKind::NotFound, missing()))?;
        let (directory, pick) = (runner.directory.clone(), piece.pick);
        Ok(maestro_git::Piece { directory, file: pick.file, hunks: pick.hunks })
    });
    let pieces = pieces.collect::<Result<Vec<_>, Error>>()?;
    let _one = shared.changes.one_at_a_time().await;
    let _writing = shared.writing.read().await;
    let store = shared.store.clone();
    let taken = blocking(move || {
        let message = format!("Before parts of the race {name} were taken");
        super::trash::before(&git, &store, &into.path, message);
        git.take(&into.path, &target, &pieces, look, now_ms())
    });
    let taken = taken.await;
    Ok(Answer::Discarded(taken.map_err(failed)?.map_err(git_error)?))
}

/// What an agent's turns cost: the providers' own figures and the estimates together, where every one of
/// them has either.
async fn cost(shared: &Arc<Shared>, agent: AgentId) -> Option<f64> {
    let name = shared.world.agent(agent)?.name;
    let sums = super::usage::read(shared, By::Agent, 0).await.ok()?;
    let own = sums.into_iter().find(|sum| sum.of == name)?;
    match (own.usage.cost_usd, own.estimated_usd) {
        (None, None) => None,
        (told, guessed) => Some(told.unwrap_or_default() + guessed.unwrap_or_default()),
    }
}

async fn check(shared: &Arc<Shared>, runner: &Runner, line: &str) -> Check {
    // Nobody stops it but the end of the host.
    let (cut, stopped) = watch::channel(false);
    let done = command::run(
        command::Command {
            line,
            directory: &runner.directory,
            env: shared.environment().to_vec(),
            marks: vec![("MAESTRO_HOST".to_owned(), shared.instance.clone())],
            mark: ("MAESTRO_RACE", format!("{}-{}", shared.instance, runner.branch)),
            limit: Some(CHECK),
        },
        stopped,
        &|_| {},
    );
    tokio::pin!(done);
    let verify = tokio::select! {
        verify = &mut done => verify,
        () = shared.stopping() => {
            let _ = cut.send_replace(true);
            done.await
        }
    };
    Check { command: verify.command, code: verify.exit_code, output: verify.output }
}

fn look_at(
    git: &Git,
    repository: &std::path::Path,
    name: &str,
    target: Option<String>,
) -> maestro_git::Result<(String, Vec<Runner>)> {
    let root = git.repository(repository)?.root;
    let main = git.repository(&root)?.branch;
    let target = target.or(main).unwrap_or_else(|| "HEAD".to_owned());
    let aim = git.commit(&root, &target)?;
    let mut found: Vec<(u32, Worktree)> = git
        .worktrees(&root)?
        .into_iter()
        .filter_map(|worktree| Some((number(name, worktree.branch.as_deref()?)?, worktree)))
        .collect();
    found.sort_by_key(|(number, _)| *number);
    found.truncate(MAX_RUNNERS);
    let runners = found.into_iter().map(|(_, worktree)| runner(git, &aim, worktree)).collect();
    Ok((target, runners))
}

fn runner(git: &Git, aim: &str, worktree: Worktree) -> Runner {
    let mut runner = Runner {
        branch: worktree.branch.clone().unwrap_or_default(),
        directory: worktree.path.clone(),
        agent: None,
        is_busy: false,
        commits: 0,
        files: 0,
        added: 0,
        removed: 0,
        cost: None,
        worked_ms: None,
        check: None,
        problem: None,
    };
    let facts = || {
        let head = worktree.head.as_deref().unwrap_or("HEAD");
        let (commits, _) = git.ahead_behind(&worktree.path, aim, head)?;
        let size = git.size_since(&worktree.path, aim)?;
        Ok::<_, maestro_git::Error>((commits, size))
    };
    match facts() {
        Ok((commits, size)) => {
            runner.commits = commits;
            (runner.files, runner.added, runner.removed) = (size.files, size.added, size.removed);
        }
        Err(error) => runner.problem = Some(error.to_string()),
    }
    runner
}
