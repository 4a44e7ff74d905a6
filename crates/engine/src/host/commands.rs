//! What a client can ask for and what comes of it. A command that panics is answered like one that
//! failed, told to everybody, and ends nothing.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use maestro_core::TerminalId;
use maestro_core::notice;
use maestro_core::train::Ask;
use maestro_core::worktree::{self, Kept};
use maestro_protocol::message::{
    Branch, Command, Error, ErrorKind, Event, HostStatus, Reply, Repository, TerminalStats,
    Worktree,
};

use super::tools::failed;
use super::{
    Shared, arrange, blocking, changes, check_path, conflicts, conversations, export, images,
    orders, playbooks, pulls, queues, race, refuse, runs, stored, telling, theme, train, trash,
    usage, worktrees,
};
use crate::session::Session;

/// The most bytes a preference's key may have.
const KEY: usize = 64;
/// The most bytes a preference's value may have.
const VALUE: usize = 64 << 10;
/// How long a terminal may take to say what it costs.
const STATS: std::time::Duration = std::time::Duration::from_secs(5);

/// Runs a command to its end.
pub(crate) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    if shared.is_stopping() && changes_something(&command) {
        return Err(refuse(ErrorKind::Stopping, "the host is stopping; nothing was changed"));
    }
    let name = name(&command);
    let work = tokio::spawn({
        let shared = Arc::clone(shared);
        async move { dispatch(&shared, command).await }
    });
    let result = match work.await {
        Ok(result) => result,
        Err(error) => {
            let error = failed(error);
            shared.problem(None, format!("`{name}` failed: {error}"));
            Err(error)
        }
    };
    if let Err(error) = &result {
        tracing::debug!(name, %error, "a command was refused or failed");
    }
    result
}

async fn dispatch(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    match command {
        Command::HostStatus => Ok(Reply::HostStatus(status(shared))),
        Command::StopHost => {
            shared.stop();
            Ok(Reply::Done)
        }
        Command::NewAgent(new) => shared.new_agent(new).await.map(agent),
        Command::OpenAgent { agent: id, resume } => shared.open_agent(id, resume).await.map(agent),
        Command::StopAgent { agent: id } => shared.stop_agent(id).await.map(agent),
        Command::RemoveAgent { agent } => shared.remove_agent(agent).await.map(|()| Reply::Done),
        Command::RenameAgent { agent: id, name } => shared.rename_agent(id, name).await.map(agent),
        Command::OpenShell { agent, size } => {
            shared.open_shell(agent, size).await.map(|session| Reply::Terminal(session.info()))
        }
        Command::NewTerminal(new) => {
            shared.new_terminal(new).await.map(|session| Reply::Terminal(session.info()))
        }
        Command::ReadTerminal { terminal, history } => {
            let screen = answered(terminal, session(shared, terminal)?.read(history).await)?;
            Ok(Reply::Screen(Box::new(screen)))
        }
        Command::CopySelection { terminal } => {
            answered(terminal, session(shared, terminal)?.copy().await).map(Reply::Text)
        }
        Command::CopyOutput { terminal } => {
            answered(terminal, session(shared, terminal)?.copy_output().await).map(Reply::Text)
        }
        Command::ExportTerminal { terminal, path, ansi } => {
            export::run(shared, session(shared, terminal)?, path, ansi).await?;
            Ok(Reply::Done)
        }
        Command::PasteImage { terminal, png } => {
            images::paste(shared, &session(shared, terminal)?, png).await?;
            Ok(Reply::Done)
        }
        Command::TerminalStats => Ok(Reply::TerminalStats(stats(shared).await)),
        Command::SetClipboard { agent: id, clipboard } => {
            shared.set_clipboard(id, clipboard).await.map(agent)
        }
        Command::CloseTerminal { terminal } => {
            let session = session(shared, terminal)?;
            shared.close_terminal(&session).await?;
            Ok(Reply::Done)
        }
        Command::StartRun(spec) => {
            shared.until_recovered().await;
            shared.tools().await?.runs.start(spec).await.map(run_reply)
        }
        Command::QueueRun(spec) => {
            shared.until_recovered().await;
            shared.tools().await?.runs.queue(spec).await.map(run_reply)
        }
        Command::StopRun { run } => {
            shared.until_recovered().await;
            shared.tools().await?.runs.stop(run).await.map(run_reply)
        }
        Command::KillRun { run } => {
            shared.until_recovered().await;
            shared.tools().await?.runs.kill(run).await.map(run_reply)
        }
        Command::ListRuns => shared.tools().await?.runs.list().await.map(Reply::Runs),
        Command::ListOlderRuns { before } => {
            shared.tools().await?.runs.older(before).await.map(Reply::Runs)
        }
        Command::ShowRun { run } => shared.tools().await?.runs.get(run).await.map(run_reply),
        Command::ListWorktrees { repository } => {
            check_path(&repository)?;
            let git = shared.tools().await?.git.clone();
            let found = blocking(move || git.worktrees(&repository)).await.map_err(failed)?;
            Ok(Reply::Worktrees(found.map_err(git_error)?.into_iter().map(worktree).collect()))
        }
        command @ (Command::ReadConflicts { .. } | Command::ReadClashes { .. }) => {
            conflicts::run(shared, command).await
        }
        Command::Worktrees(ask) => worktrees::run(shared, ask).await.map(Reply::OfWorktrees),
        Command::Trash(ask) => trash::run(shared, ask).await.map(Reply::Trash),
        Command::Changes(ask) => changes::run(shared, ask).await.map(Reply::Changes),
        Command::Train(ask) => train::run(shared, ask).await,
        Command::Summon(summon) => {
            let windows = shared.windows();
            if windows > 0 {
                shared.world.tell(Event::Summon(summon));
            }
            Ok(Reply::Windows(windows))
        }
        Command::Order(order) => orders::run(shared, order).await.map(Reply::Obeyed),
        Command::ArrangeAgents(change) => arrange::run(shared, change).await,
        Command::Notices(ask) => telling::run(shared, ask).await,
        Command::PullRequest(ask) => pulls::run(shared, ask).await,
        Command::ReadRace { repository, name, target, verify } => {
            let race = race::read(shared, repository, name, target, verify).await?;
            Ok(Reply::Race(Box::new(race)))
        }
        Command::TakeRace(take) => race::take(shared, take).await.map(Reply::Changes),
        Command::NewWorktree { repository, branch, path } => {
            let added = shared.add_worktree(repository, branch, path).await?;
            Ok(Reply::Worktree(made(added)))
        }
        Command::InspectRepository { directory } => {
            check_path(&directory)?;
            let git = shared.tools().await?.git.clone();
            blocking(move || inspect(&git, &directory))
                .await
                .map_err(failed)?
                .map(Reply::Repository)
        }
        Command::DetectProviders { refresh } => {
            shared.detect_all(refresh).await.map(Reply::Providers)
        }
        Command::SetPreference { key, value } => {
            set_preference(shared, key, value).await.map(|()| Reply::Done)
        }
        command @ (Command::NewTab { .. }
        | Command::ChangeTab { .. }
        | Command::ReadTab { .. }
        | Command::Interrupt { .. }
        | Command::Answer { .. }
        | Command::TryAgain { .. }
        | Command::ToTerminal { .. }
        | Command::ToConversation { .. }
        | Command::Rebuild { .. }
        | Command::Login { .. }
        | Command::SetDraft { .. }
        | Command::KeepImage { .. }
        | Command::ReadMenu { .. }
        | Command::FindFiles { .. }
        | Command::ListFiles { .. }
        | Command::SearchTabs { .. }
        | Command::Why { .. }
        | Command::OpenTab { .. }
        | Command::LeaveTab { .. }) => conversations::run(shared, command).await,
        command @ (Command::Send { .. }
        | Command::ChangeItem { .. }
        | Command::HoldQueue { .. }) => queues::run(shared, command).await,
        command @ Command::ReadUsage { .. } => usage::run(shared, command).await,
        command @ (Command::FindSessions { .. }
        | Command::ReadSession { .. }
        | Command::ScanSessions { .. }
        | Command::MarkSession { .. }
        | Command::IndexSessions) => stored::run(shared, command).await,
        command @ (Command::PauseRun { .. }
        | Command::ResumeRun { .. }
        | Command::SkipTask { .. }
        | Command::SkipDocument { .. }
        | Command::RetryTask { .. }
        | Command::UndoTask { .. }
        | Command::ReadEvidence { .. }
        | Command::ReadReport { .. }) => runs::run(shared, command).await,
        command @ (Command::PlanRun(_)
        | Command::ListPlaybooks { .. }
        | Command::FindPlaybooks { .. }
        | Command::NewPlaybook { .. }
        | Command::ImportPlaybook { .. }
        | Command::ExportPlaybook { .. }
        | Command::ListDocuments { .. }
        | Command::CheckDocuments { .. }
        | Command::TrustCommands { .. }) => playbooks::run(shared, command).await,
        // The connection's own reader does these, in order.
        Command::HearRun { .. }
        | Command::Obeyed { .. }
        | Command::WatchConflicts { .. }
        | Command::Search { .. }
        | Command::SearchMove { .. }
        | Command::ClearTerminal { .. }
        | Command::ResetTerminal { .. }
        | Command::CancelPaste { .. }
        | Command::World { .. }
        | Command::SendBytes { .. }
        | Command::ResizeTerminal { .. }
        | Command::Subscribe { .. }
        | Command::Unsubscribe { .. }
        | Command::SetTheme { .. } => Ok(Reply::Done),
    }
}

/// A terminal, or the sentence that there is none.
pub(crate) fn session(shared: &Shared, terminal: TerminalId) -> Result<Arc<Session>, Error> {
    let missing = || refuse(ErrorKind::NotFound, format!("there is no terminal {terminal}"));
    shared.world.terminal(terminal).ok_or_else(missing)
}

/// Git's refusals in the protocol's kinds.
pub(crate) fn git_error(error: maestro_git::Error) -> Error {
    use maestro_git::Error as Git;
    let kind = match &error {
        Git::BranchInUse { .. }
        | Git::BranchExists { .. }
        | Git::TargetNotEmpty { .. }
        | Git::TargetRegistered { .. }
        | Git::ChangedMeanwhile { .. } => ErrorKind::Busy,
        Git::GitMissing | Git::GitTooOld { .. } | Git::NotUnicode { .. } => ErrorKind::Unsupported,
        Git::NoDirectory { .. }
        | Git::BranchUnknown { .. }
        | Git::BaseUnknown { .. }
        | Git::NoSuchFile { .. }
        | Git::NoDiscard => ErrorKind::NotFound,
        Git::TimedOut { .. } => ErrorKind::TimedOut,
        Git::Untrusted { .. } => ErrorKind::Untrusted,
        Git::TooMuch { .. }
        | Git::Process { .. }
        | Git::Git { .. }
        | Git::Folder { .. }
        | Git::Unreadable { .. } => ErrorKind::Failed,
        _ => ErrorKind::Invalid,
    };
    refuse(kind, error.to_string())
}

/// The store's refusals in the protocol's kinds.
pub(crate) fn store_error(error: maestro_store::Error) -> Error {
    use maestro_store::Error as Store;
    let kind = match &error {
        Store::NameTaken { .. } | Store::Leased(_) => ErrorKind::Busy,
        Store::NoAgent(_) => ErrorKind::NotFound,
        Store::TooLarge { .. } => ErrorKind::Invalid,
        Store::Closed => ErrorKind::Stopping,
        _ => ErrorKind::Failed,
    };
    refuse(kind, error.to_string())
}

fn status(shared: &Shared) -> HostStatus {
    HostStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started_ms: shared.started_ms,
        home: shared.options.home.root().to_owned(),
        socket: shared.options.home.socket(),
        clients: shared.client_count() as u32,
        agents: shared.world.agents().len() as u32,
        terminals: shared.live_terminals() as u32,
        runs: shared.world.open_runs() as u32,
    }
}

fn inspect(git: &maestro_git::Git, directory: &std::path::Path) -> Result<Repository, Error> {
    let found = match git.repository(directory) {
        Ok(found) => found,
        Err(maestro_git::Error::NotARepository { .. }) => {
            return Ok(Repository {
                root: None,
                branch: None,
                branches: Vec::new(),
                has_commits: false,
            });
        }
        Err(error) => return Err(git_error(error)),
    };
    let branches = git.branches(directory).map_err(git_error)?;
    Ok(Repository {
        root: Some(found.root),
        branch: found.branch,
        branches: branches.local,
        has_commits: found.has_commits,
    })
}

async fn set_preference(
    shared: &Arc<Shared>,
    key: String,
    value: Option<String>,
) -> Result<(), Error> {
    if key.is_empty() || key.len() > KEY || value.as_ref().is_some_and(|value| value.len() > VALUE)
    {
        let text = format!("a preference has a key of 1 to {KEY} bytes and at most {VALUE} bytes");
        return Err(refuse(ErrorKind::Invalid, text));
    }
    if key == theme::KEY {
        let text = format!("`{key}` is the host's own; choose another key");
        return Err(refuse(ErrorKind::Invalid, text));
    }
    let _saving = shared.saving.lock().await;
    let (store, name, text) = (shared.store.clone(), key.clone(), value.clone());
    blocking(move || store.set_preference(&name, text.as_deref()))
        .await
        .map_err(failed)?
        .map_err(store_error)?;
    shared.world.set_preference(key, value);
    Ok(())
}

fn changes_something(command: &Command) -> bool {
    !matches!(
        command,
        Command::HostStatus
            | Command::StopHost
            | Command::ReadTerminal { .. }
            | Command::CopySelection { .. }
            | Command::CopyOutput { .. }
            | Command::TerminalStats
            | Command::ReadConflicts { .. }
            | Command::ReadClashes { .. }
            | Command::ReadRace { .. }
            | Command::Changes(
                changes::Ask::List { .. }
                    | changes::Ask::Lines { .. }
                    | changes::Ask::Blobs { .. }
                    | changes::Ask::Discards { .. }
                    | changes::Ask::Log { .. }
                    | changes::Ask::Blame { .. }
                    | changes::Ask::Branches { .. }
                    | changes::Ask::Cancel { .. }
                    | changes::Ask::Programs { .. }
            )
            | Command::Worktrees(
                worktree::Ask::List { .. }
                    | worktree::Ask::Bases { .. }
                    | worktree::Ask::Usage { .. }
                    | worktree::Ask::Merged { .. }
                    | worktree::Ask::Standings { .. }
            )
            | Command::Notices(notice::Ask::List)
            | Command::Train(Ask::Plan(_) | Ask::List | Ask::Show(_))
            | Command::Why { .. }
            | Command::ReadTab { .. }
            | Command::FindSessions { .. }
            | Command::ReadSession { .. }
            | Command::ScanSessions { .. }
            | Command::World { .. }
    )
}

fn agent(agent: maestro_core::agent::Agent) -> Reply {
    Reply::Agent(Box::new(agent))
}

fn run_reply(run: maestro_core::run::Run) -> Reply {
    Reply::Run(Box::new(run))
}

/// The wire's branch as git's.
pub(crate) fn branch(branch: Branch) -> maestro_git::Branch {
    match branch {
        Branch::New { name, base } => maestro_git::Branch::New { name, base },
        Branch::Existing(name) => maestro_git::Branch::Existing(name),
    }
}

fn worktree(found: maestro_git::Worktree) -> Worktree {
    Worktree {
        path: found.path,
        branch: found.branch,
        head: found.head.map(|head| head.chars().take(12).collect()),
        main: found.main,
        locked: found.locked,
        missing: found.missing,
    }
}

fn made(kept: Kept) -> Worktree {
    Worktree {
        path: kept.path,
        branch: kept.branch,
        head: kept.base.map(|head| head.chars().take(12).collect()),
        main: false,
        locked: None,
        missing: false,
    }
}

/// What a terminal answered, or that it did not.
pub(super) fn answered<T>(terminal: TerminalId, answer: Option<T>) -> Result<T, Error> {
    let text =
        || format!("{terminal} did not answer: it is closing or has too much to do; try again");
    answer.ok_or_else(|| refuse(ErrorKind::Busy, text()))
}

/// What every terminal costs; one that is closing or has too much to do is left out.
async fn stats(shared: &Arc<Shared>) -> Vec<TerminalStats> {
    let mut asked = tokio::task::JoinSet::new();
    for session in shared.world.terminals() {
        let _ = asked.spawn(async move { tokio::time::timeout(STATS, session.stats()).await });
    }
    let mut all: Vec<TerminalStats> =
        asked.join_all().await.into_iter().filter_map(|answer| answer.ok().flatten()).collect();
    all.sort_by_key(|stats| stats.terminal);
    all
}

/// A command's name for the log; what it carries may be private.
fn name(command: &Command) -> String {
    let mut word = FirstWord(String::new());
    // It stops with an error at the word's end, however long the rest is.
    let _ = write!(word, "{command:?}");
    word.0
}

struct FirstWord(String);

impl fmt::Write for FirstWord {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric());
        self.0.push_str(&text[..end.unwrap_or(text.len())]);
        if end.is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_named_without_what_it_carries() {
        assert_eq!(name(&Command::ListRuns), "ListRuns");
        let secret = Command::SetPreference { key: "k".into(), value: Some("secret".into()) };
        assert_eq!(name(&secret), "SetPreference");
    }
}
