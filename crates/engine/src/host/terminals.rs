//! Terminals: starting them with the right environment and the marks by which they are found again,
//! and closing them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use maestro_agents::command::identity;
use maestro_agents::tui::{NewLine, new_line};
use maestro_agents::{CommandLine, TuiOptions, tui_command};
use maestro_core::agent::Provider;
use maestro_core::screen::Size;
use maestro_core::{AgentId, TabId, TerminalId};
use maestro_protocol::message::{Error, ErrorKind, NewTerminal};
use maestro_pty::process::Process;
use maestro_pty::{Grace, Marker, Spawn};
use maestro_terminal::{Identity, ShiftEnter};

use super::commands::store_error;
use super::tools::failed;
use super::{Shared, blocking, check_path, now_ms, refuse};
use crate::session::{Notices as _, Session, Setup};

/// Terminals at once.
const TERMINALS: usize = 256;
/// Over the grace times: for looking, and for the thread to be scheduled.
const MARGIN: Duration = Duration::from_millis(2500);
/// A command line's limits: what the kernel takes, roughly.
const WORDS: usize = 4096;

/// The variable with the host's instance id.
pub(crate) const HOST: &str = "MAESTRO_HOST";
/// The variable with the agent.
pub(crate) const AGENT: &str = "MAESTRO_AGENT";
/// The variable with the terminal.
pub(crate) const TERMINAL: &str = "MAESTRO_TERMINAL";

/// The variable with the tab whose conversation a program drives.
pub(crate) const TAB: &str = "MAESTRO_TAB";

/// A child to start in a terminal.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) agent: Option<AgentId>,
    /// Whether it shows the agent itself, not a shell beside it.
    pub(crate) ai: bool,
    /// Decides who the terminal says it is.
    pub(crate) provider: Provider,
    pub(crate) title: String,
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) directory: PathBuf,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) size: Size,
}

impl Shared {
    /// A terminal without an agent.
    pub(crate) async fn new_terminal(
        self: &Arc<Self>,
        new: NewTerminal,
    ) -> Result<Arc<Session>, Error> {
        let words: usize = new.command.len() + new.env.len();
        if words > WORDS {
            return Err(refuse(
                ErrorKind::Invalid,
                format!("more than {WORDS} words and variables"),
            ));
        }
        let shared = Arc::clone(self);
        let start = blocking(move || shared.plan_terminal(new)).await.map_err(failed)??;
        self.start_terminal(start).await
    }

    fn plan_terminal(&self, new: NewTerminal) -> Result<Start, Error> {
        let environment = self.environment();
        let directory = match new.directory {
            Some(directory) => directory,
            None => environment.home().unwrap_or_else(|| PathBuf::from("/")),
        };
        check_path(&directory)?;
        let mut start = self.plan_shell(None, directory, new.size)?;
        if let Some((program, args)) = new.command.split_first() {
            start.title = name_of(program.as_ref());
            start.program = program.into();
            start.args = args.iter().map(OsString::from).collect();
        }
        start.env.extend(new.env.into_iter().map(|(name, value)| (name.into(), value.into())));
        if start.env.iter().any(|(name, value)| has_nul(name) || has_nul(value) || name.is_empty())
            || has_nul(&start.program)
            || start.args.iter().any(|arg| has_nul(arg))
        {
            let text = "a command or variable holds a NUL byte, or a variable has no name";
            return Err(refuse(ErrorKind::Invalid, text));
        }
        Ok(start)
    }

    /// A shell as the user has it. Blocks.
    pub(crate) fn plan_shell(
        &self,
        agent: Option<AgentId>,
        directory: PathBuf,
        size: Size,
    ) -> Result<Start, Error> {
        let options = TuiOptions { directory, ..TuiOptions::default() };
        let start = self.plan_tui(Provider::Shell, &options, size)?;
        Ok(Start { agent, ..start })
    }

    /// A provider's own TUI. Blocks.
    pub(crate) fn plan_tui(
        &self,
        provider: Provider,
        options: &TuiOptions,
        size: Size,
    ) -> Result<Start, Error> {
        let detected = self.detect(provider);
        let line = tui_command(&detected, &self.environment(), options)
            .map_err(|failure| refuse(ErrorKind::Unsupported, failure.message))?;
        let CommandLine { program, args, directory, env, .. } = line;
        let title = match provider {
            Provider::Shell => name_of(program.as_os_str()),
            provider => provider.title().to_owned(),
        };
        Ok(Start {
            agent: None,
            ai: false,
            provider,
            title,
            program: program.into(),
            args,
            directory,
            env,
            size,
        })
    }

    /// Starts a child in a new terminal; it is in the world and in the store when this returns.
    pub(crate) async fn start_terminal(
        self: &Arc<Self>,
        start: Start,
    ) -> Result<Arc<Session>, Error> {
        let _starting = self.starting.read().await;
        if self.is_stopping() {
            return Err(refuse(ErrorKind::Stopping, "the host is stopping; nothing was started"));
        }
        if self.world.terminals().len() >= TERMINALS {
            let text = format!("there are {TERMINALS} terminals already; close some first");
            return Err(refuse(ErrorKind::Busy, text));
        }
        let shared = Arc::clone(self);
        let session = blocking(move || shared.spawn(start)).await.map_err(failed)??;
        self.world.add_terminal(&session);
        // What it said before the world knew it was not told.
        self.notices.changed(session.id);
        Ok(session)
    }

    fn spawn(&self, start: Start) -> Result<Arc<Session>, Error> {
        let id = self.store.next_terminal_id().map_err(store_error)?;
        let marks = marks(&self.instance, id);
        let mut env = start.env;
        env.retain(|(name, _)| ![HOST, AGENT, TERMINAL, TAB].iter().any(|mark| name == mark));
        let own = self.worktrees.variables(&start.directory);
        env.extend(own.into_iter().map(|(name, value)| (name.into(), value.into())));
        env.extend(marks.iter().map(|(name, value)| (name.into(), value.into())));
        env.extend(start.agent.map(|agent| (AGENT.into(), agent.to_string().into())));
        let setup = Setup {
            id,
            agent: start.agent,
            ai: start.ai,
            title: start.title,
            directory: start.directory.clone(),
            size: start.size.clamped(),
            identity: identity_of(start.provider),
            shift_enter: shift_enter_of(start.provider),
            palette: self.world.palette(),
            scrollback: Some(self.settings.of(start.agent).scrollback as usize),
            pool: self.pool.clone(),
            notices: Arc::clone(&self.notices) as Arc<dyn crate::session::Notices>,
            heap: Arc::clone(&self.heap),
            searcher: Arc::clone(&self.searcher),
            fault: self.options.fault.clone(),
        };
        let spawn = Spawn {
            name: id.to_string(),
            program: start.program,
            args: start.args,
            directory: start.directory,
            env,
            marker: Marker::new(marks),
            size: start.size.clamped(),
        };
        let session = Session::spawn(setup, spawn).map_err(pty_error)?;
        if let Err(error) = self.note(&session, id) {
            session.close(self.options.grace);
            return Err(store_error(error));
        }
        tracing::info!(terminal = %id, agent = ?start.agent, "a terminal was started");
        Ok(session)
    }

    /// Notes the process, so that the next host knows it should this one die.
    fn note(&self, session: &Session, id: TerminalId) -> Result<(), maestro_store::Error> {
        // A child that has ended already needs no note.
        let Some(process) = session.info().pid.and_then(Process::find) else { return Ok(()) };
        self.store.put_terminal(&maestro_store::Terminal {
            id,
            agent: session.agent,
            host: self.instance.clone(),
            pid: process.pid,
            process_start: process.started,
            marker: format!("{TERMINAL}={id}"),
            started_ms: now_ms(),
        })
    }

    /// Ends a terminal and forgets it; it is gone when this returns.
    pub(crate) async fn close_terminal(self: &Arc<Self>, session: &Session) -> Result<(), Error> {
        session.close(self.options.grace);
        let closed = session.closed(bound(self.options.grace)).await;
        if !closed {
            let id = session.id;
            self.problem(session.agent, format!("Something started in {id} could not be ended."));
        }
        let (store, id) = (self.store.clone(), session.id);
        let _ = blocking(move || store.remove_terminal(id))
            .await
            .map_err(failed)?
            .map_err(store_error)?;
        self.world.remove_terminal(session.id);
        self.terminal_ended(session.id);
        Ok(())
    }

    /// Ends all terminals at once; they stay in the store, so that the next host offers their agents
    /// back. Says whether all are gone.
    pub(crate) async fn close_all_terminals(&self) -> bool {
        // Those that are just being started: after that no more are. A fork does not take long.
        let started = tokio::time::timeout(MARGIN, self.starting.write()).await.is_ok();
        let terminals = self.world.terminals();
        for session in &terminals {
            session.close(self.options.grace);
        }
        let mut all = started;
        let limit = bound(self.options.grace);
        let begin = tokio::time::Instant::now();
        for session in terminals {
            all &= session.closed(limit.saturating_sub(begin.elapsed())).await;
        }
        all
    }
}

/// The variables by which a program that drives a conversation is recognised.
pub(crate) fn tab_marks(
    instance: &str,
    agent: AgentId,
    tab: TabId,
) -> [(std::ffi::OsString, std::ffi::OsString); 3] {
    [
        (HOST.into(), instance.into()),
        (AGENT.into(), agent.to_string().into()),
        (TAB.into(), tab.to_string().into()),
    ]
}

/// The variables by which everything in a terminal is recognised.
pub(crate) fn marks(instance: &str, terminal: TerminalId) -> [(String, String); 2] {
    [(HOST.to_owned(), instance.to_owned()), (TERMINAL.to_owned(), terminal.to_string())]
}

fn bound(grace: Grace) -> Duration {
    grace.hangup + grace.terminate + MARGIN
}

/// The terminal answers the question for its name as the environment does.
fn identity_of(provider: Provider) -> Identity {
    let value = |wanted: &str| {
        let found = identity(provider).iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).to_owned())
    };
    let own = Identity::default();
    Identity {
        name: value("TERM_PROGRAM").unwrap_or(own.name),
        version: value("TERM_PROGRAM_VERSION").unwrap_or(own.version),
    }
}

fn shift_enter_of(provider: Provider) -> ShiftEnter {
    match new_line(provider) {
        NewLine::EscapeReturn => ShiftEnter::EscapeReturn,
        NewLine::LineFeed => ShiftEnter::LineFeed,
        NewLine::Return => ShiftEnter::Return,
    }
}

fn name_of(program: &std::ffi::OsStr) -> String {
    let name = std::path::Path::new(program).file_name().unwrap_or(program);
    name.to_string_lossy().chars().filter(|c| !c.is_control()).take(64).collect()
}

fn has_nul(text: &std::ffi::OsStr) -> bool {
    text.as_encoded_bytes().contains(&0)
}

fn pty_error(error: maestro_pty::Error) -> Error {
    let kind = match &error {
        maestro_pty::Error::NoDirectory(_) => ErrorKind::NotFound,
        _ => ErrorKind::Failed,
    };
    refuse(kind, error.to_string())
}
