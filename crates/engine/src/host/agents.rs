//! Agents: made, opened, stopped, renamed, forgotten. What is acknowledged is in the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maestro_agents::command::can_choose_session;
use maestro_agents::{TuiOptions, latest_session, new_session_id};
use maestro_core::agent::{Agent, Clipboard, Provider, Source, State};
use maestro_core::conversation::Place as Open;
use maestro_core::screen::Size;
use maestro_core::worktree::Kept;
use maestro_core::{AgentId, RunId, TerminalId};
use maestro_protocol::message::{Error, ErrorKind, Event, NewAgent};

use super::attention::Slot;
use super::commands::store_error;
use super::terminals::Start;
use super::tools::failed;
use super::{Shared, attention, blocking, check_path, now_ms, refuse};
use crate::conversation::{self, Ask};
use crate::session::{Notices as _, Session};

/// Agents at once.
const AGENTS: usize = 512;
/// The longest name, in characters.
const NAME: usize = 64;
/// How long an agent's run may take to end its processes when the agent is stopped.
const RUN_END: Duration = Duration::from_secs(10);
/// When a new session is looked for in its provider's store, after the TUI was started.
const LOOKS: [u64; 8] = [2, 3, 5, 10, 20, 40, 60, 120];
/// Between looks after that.
const LOOK: Duration = Duration::from_secs(120);

impl Shared {
    /// An agent by its id, or the sentence that there is none.
    pub(crate) fn agent(&self, id: AgentId) -> Result<Agent, Error> {
        let missing = || refuse(ErrorKind::NotFound, format!("there is no agent {id}"));
        self.world.agent(id).ok_or_else(missing)
    }

    /// Makes an agent, with a worktree where a branch is asked for, and starts its TUI.
    pub(crate) async fn new_agent(self: &Arc<Self>, new: NewAgent) -> Result<Agent, Error> {
        check_path(&new.directory)?;
        let name = new.name.as_deref().map(checked_name).transpose()?;
        if let Some(name) = &name {
            self.refuse_taken(name, None)?;
        }
        if self.world.agents().len() >= AGENTS {
            let text = format!("there are {AGENTS} agents already; remove some first");
            return Err(refuse(ErrorKind::Busy, text));
        }
        let (shared, provider) = (Arc::clone(self), new.provider);
        let detected = blocking(move || shared.detect(provider)).await.map_err(failed)?;
        let _ = detected.usable().map_err(|why| refuse(ErrorKind::Unsupported, why))?;

        let place = self.place(&new).await?;
        let made = place.worktree.then(|| place.directory.clone());
        let agent = self.save_new(place, name, new.provider).await.map_err(|error| match made {
            Some(worktree) => {
                let kept = worktree.display();
                refuse(error.kind, format!("{error} The worktree {kept} was made and is kept."))
            }
            None => error,
        })?;
        if !new.start {
            return Ok(agent);
        }
        self.open_agent_at(agent.id, false, Some(new.size)).await.map_err(|error| {
            let text = format!("{} was made, but did not start: {error}", agent.name);
            refuse(error.kind, text)
        })
    }

    /// Where a new agent works: an existing directory, or a worktree made for it.
    async fn place(self: &Arc<Self>, new: &NewAgent) -> Result<Place, Error> {
        let worktree = new.branch.is_some();
        let directory = match new.branch.clone() {
            Some(branch) => self.add_worktree(new.directory.clone(), branch, None).await?.path,
            None => canonical(&new.directory)?,
        };
        let git = self.tools().await?.git.clone();
        let inside = directory.clone();
        let found = blocking(move || git.repository(&inside)).await.map_err(failed)?;
        let (repository, branch) = match found {
            Ok(found) => (Some(found.root), found.branch),
            // An agent may work anywhere; that it is in no repository is no reason to refuse.
            Err(_) => (None, None),
        };
        Ok(Place { directory, repository, branch, worktree })
    }

    async fn save_new(
        self: &Arc<Self>,
        place: Place,
        name: Option<String>,
        provider: Provider,
    ) -> Result<Agent, Error> {
        let _naming = self.naming.lock().await;
        let name = name.unwrap_or_else(|| self.free_name(&place));
        self.write_down(move |id, now| Agent {
            id,
            name,
            provider,
            directory: place.directory,
            repository: place.repository,
            branch: place.branch,
            worktree: place.worktree,
            ai_terminal: None,
            shell_terminal: None,
            session: None,
            attention: attention::verdict(State::Unknown, "not started", Source::None, now),
            created_ms: now,
            clipboard: maestro_core::agent::Clipboard::Focused,
            group: None,
            bookmarked: false,
        })
        .await
    }

    /// Writes an agent down that is made from an id of its own and the time, and tells of it.
    async fn write_down(
        &self,
        make: impl FnOnce(AgentId, u64) -> Agent + Send + 'static,
    ) -> Result<Agent, Error> {
        let store = self.store.clone();
        let agent = blocking(move || {
            let agent = make(store.next_agent_id()?, now_ms());
            store.put_agent(&agent)?;
            Ok(agent)
        });
        let agent = agent.await.map_err(failed)?.map_err(store_error)?;
        self.world.add_agent(agent.clone());
        tracing::info!(agent = %agent.id, name = agent.name, "an agent was made");
        Ok(agent)
    }

    /// An agent that went with its worktree is there again, under an id of its own: with its name, unless
    /// somebody else has that now, and with its session.
    pub(crate) async fn bring_back(
        self: &Arc<Self>,
        gone: Agent,
        directory: PathBuf,
    ) -> Result<Agent, Error> {
        let all = self.world.agents();
        let is_same = |agent: &&Agent| agent.directory == directory && agent.name == gone.name;
        if let Some(there) = all.iter().find(is_same) {
            return Ok(there.clone());
        }
        if all.len() >= AGENTS {
            let text = format!("agent {} did not come back: there are {AGENTS} already", gone.name);
            return Err(refuse(ErrorKind::Busy, text));
        }
        let _naming = self.naming.lock().await;
        let is_taken = self.refuse_taken(&gone.name, None).is_err();
        let place = Place {
            directory: directory.clone(),
            repository: gone.repository.clone(),
            branch: gone.branch.clone(),
            worktree: gone.worktree,
        };
        let name = if is_taken { self.free_name(&place) } else { gone.name.clone() };
        self.write_down(move |id, now| Agent {
            id,
            name,
            directory,
            ai_terminal: None,
            shell_terminal: None,
            attention: attention::verdict(State::Unknown, "not started", Source::None, now),
            ..gone
        })
        .await
    }

    /// Refuses new agents that could not be made.
    pub(crate) async fn check_new_agents(
        self: &Arc<Self>,
        provider: Provider,
        count: usize,
    ) -> Result<(), Error> {
        if self.world.agents().len() + count > AGENTS {
            let text = format!("there are {AGENTS} agents already; remove some first");
            return Err(refuse(ErrorKind::Busy, text));
        }
        let shared = Arc::clone(self);
        let detected = blocking(move || shared.detect(provider)).await.map_err(failed)?;
        detected.usable().map(drop).map_err(|why| refuse(ErrorKind::Unsupported, why))
    }

    /// Makes an agent in a worktree of ours; it is not started.
    pub(crate) async fn agent_in(
        self: &Arc<Self>,
        kept: &Kept,
        wish: Option<String>,
        provider: Provider,
    ) -> Result<Agent, Error> {
        let name = wish.as_deref().map(checked_name).transpose()?;
        if let Some(name) = &name {
            self.refuse_taken(name, None)?;
        }
        let (git, inside) = (self.tools().await?.git.clone(), kept.path.clone());
        let found = blocking(move || git.repository(&inside)).await.map_err(failed)?;
        let place = Place {
            directory: kept.path.clone(),
            repository: found.ok().map(|found| found.root),
            branch: kept.branch.clone(),
            worktree: true,
        };
        self.save_new(place, name, provider).await
    }

    /// Starts an agent's own interface in a terminal of this size.
    pub(crate) async fn open_agent_sized(
        self: &Arc<Self>,
        id: AgentId,
        size: Size,
    ) -> Result<Agent, Error> {
        self.open_agent_at(id, false, Some(size)).await
    }

    /// Starts an agent's TUI, unless it runs.
    pub(crate) async fn open_agent(
        self: &Arc<Self>,
        id: AgentId,
        resume: bool,
    ) -> Result<Agent, Error> {
        self.open_agent_at(id, resume, None).await
    }

    async fn open_agent_at(
        self: &Arc<Self>,
        id: AgentId,
        resume: bool,
        size: Option<Size>,
    ) -> Result<Agent, Error> {
        // Two of them in one session would corrupt it.
        self.until_recovered().await;
        let lock = self.agent_lock(id);
        let _alone = lock.lock().await;
        let agent = self.agent(id)?;
        let old = agent.ai_terminal.and_then(|id| self.world.terminal(id));
        if old.as_ref().is_some_and(|session| session.is_live()) {
            return Ok(agent);
        }
        let size = size
            .or_else(|| old.as_ref().map(|session| session.info().size))
            .unwrap_or_else(|| Size::new(120, 40));
        let shared = Arc::clone(self);
        let (session, options) =
            blocking(move || shared.choose_session(&agent, resume)).await.map_err(failed)?;
        let agent = self.open_tui(id, old, session, options, size).await?;
        if let Some(terminal) = agent.ai_terminal {
            // The tab of that session says where it is now.
            let tabs = self.tabs.tabs_of(self, id);
            let shown =
                tabs.iter().find(|tab| tab.session.is_some() && tab.session == agent.session);
            if let Some(tab) = shown {
                let place = Open::Terminal(terminal);
                let ask = |done| Ask::Release { place, moving: false, done };
                if let Err(error) = self.tabs.ask(self, tab.id, ask).await {
                    tracing::info!(tab = %tab.id, %error, "a tab does not know its terminal");
                }
            }
        }
        Ok(agent)
    }

    /// Shows a session in an agent's own interface; the caller has the agent's lock, and sees to it that the
    /// session is open nowhere else.
    pub(crate) async fn open_session(
        self: &Arc<Self>,
        agent: &Agent,
        resume: Option<String>,
        new_session: Option<String>,
        session: Option<String>,
        size: Size,
    ) -> Result<TerminalId, Error> {
        let old = agent.ai_terminal.and_then(|id| self.world.terminal(id));
        let options = TuiOptions { directory: agent.directory.clone(), resume, new_session };
        let agent = self.open_tui(agent.id, old, session, options, size).await?;
        let missing = || refuse(ErrorKind::Failed, "its terminal was closed at once");
        agent.ai_terminal.ok_or_else(missing)
    }

    async fn open_tui(
        self: &Arc<Self>,
        id: AgentId,
        old: Option<Arc<Session>>,
        session: Option<String>,
        options: TuiOptions,
        size: Size,
    ) -> Result<Agent, Error> {
        let agent = self.agent(id)?;
        // Two programs in one session would corrupt it, also when both are being started.
        let claimed = options.resume.as_deref().or(options.new_session.as_deref());
        let _claim = claimed
            .map(|session| self.tabs.claims.take(agent.provider, session))
            .transpose()
            .map_err(|busy| refuse(ErrorKind::Busy, busy.to_string()))?;
        if let Some(session) = options.resume.as_deref().or(options.new_session.as_deref())
            && let Some(tab) = conversation::holder(self, agent.provider, session)
        {
            let text = format!(
                "this session is open in the conversation {} of {} ({}); move it into the terminal \
                 from there",
                tab.id,
                self.agent(tab.agent).map_or_else(|_| tab.agent.to_string(), |agent| agent.name),
                tab.title
            );
            return Err(refuse(ErrorKind::Busy, text));
        }
        if let Some(run) = conversation::run_in(self, &agent) {
            let text = format!(
                "Run {run} is at work in {}: whatever is changed there now gets mixed with its work.",
                agent.directory.display()
            );
            self.world.tell(Event::Problem { agent: Some(id), text });
        }
        let shared = Arc::clone(self);
        let start = blocking(move || {
            let start = shared.plan_tui(agent.provider, &options, size)?;
            Ok::<_, Error>(Start { agent: Some(agent.id), ai: true, ..start })
        })
        .await
        .map_err(failed)??;
        let opened = self.start_terminal(start).await.inspect_err(|error| {
            let verdict =
                attention::verdict(State::Failed, error.to_string(), Source::Process, now_ms());
            self.watch(id, Slot::Terminal, Some(verdict), "it was to be started");
        })?;
        let terminal = opened.id;
        let _ = self
            .take_over(id, old, &opened, move |agent| {
                agent.ai_terminal = Some(terminal);
                agent.session.clone_from(&session);
            })
            .await?;
        let unknown = attention::verdict(State::Unknown, "", Source::None, now_ms());
        self.watch(id, Slot::Terminal, Some(unknown), "its program was started");
        // What it said before the world knew whose it is was kept.
        self.notices.changed(terminal);
        super::detach(Arc::clone(self).look_for_session(id, terminal));
        let started = self.agent(id)?;
        if maestro_agents::store::tells_ends(started.provider) {
            self.follow.look(self);
        }
        Ok(started)
    }

    /// The session that an agent's own interface has, or had last, as far as is known.
    pub(crate) async fn session_in_terminal(self: &Arc<Self>, agent: &Agent) -> Option<String> {
        let (shared, agent) = (Arc::clone(self), agent.clone());
        let known = agent.session.clone();
        let found = blocking(move || {
            // Its user may have gone to another one there.
            shared.is_alone(&agent).then(|| shared.session_of(&agent, agent.created_ms)).flatten()
        });
        found.await.ok().flatten().or(known)
    }

    /// Ends an agent's own interface, because its session goes on elsewhere.
    pub(crate) async fn leave_terminal(
        self: &Arc<Self>,
        agent: &Agent,
        session: Option<String>,
    ) -> Result<(), Error> {
        if let Some(terminal) = agent.ai_terminal.and_then(|id| self.world.terminal(id)) {
            self.close_terminal(&terminal).await?;
        }
        let change = move |agent: &mut Agent| {
            agent.ai_terminal = None;
            agent.session = session.clone().or(agent.session.take());
        };
        let _ = self.save_agent(agent.id, change).await?;
        self.watch(agent.id, Slot::Terminal, None, "its session was taken into a conversation");
        Ok(())
    }

    /// Which session a TUI is started with: the one to go on with, or a new one whose id we choose
    /// where the provider lets us. Also says what to remember. Blocks.
    fn choose_session(&self, agent: &Agent, resume: bool) -> (Option<String>, TuiOptions) {
        let options = TuiOptions { directory: agent.directory.clone(), ..TuiOptions::default() };
        if resume {
            // The user may have gone to another session inside the TUI; the provider knows.
            let latest = self.is_alone(agent).then(|| self.session_of(agent, agent.created_ms));
            match (latest.flatten(), &agent.session) {
                (Some(session), _) => {
                    return (
                        Some(session.clone()),
                        TuiOptions { resume: Some(session), ..options },
                    );
                }
                // It was named but never written: nobody said anything in it. The name is still free.
                (None, Some(session))
                    if can_choose_session(agent.provider) && self.is_alone(agent) =>
                {
                    let new_session = Some(session.clone());
                    return (Some(session.clone()), TuiOptions { new_session, ..options });
                }
                (None, Some(session)) => {
                    let resume = Some(session.clone());
                    return (Some(session.clone()), TuiOptions { resume, ..options });
                }
                (None, None) => {}
            }
        }
        let new_session = new_session_id(agent.provider);
        (new_session.clone(), TuiOptions { new_session, ..options })
    }

    /// Whether no other agent and no run of the same provider worked in the same directory: only then
    /// does the provider's newest session there belong to this one.
    pub(crate) fn is_alone(&self, agent: &Agent) -> bool {
        !self.world.has_run_in(&agent.directory, agent.provider)
            && !self.world.agents().iter().any(|other| {
                other.id != agent.id
                    && other.provider == agent.provider
                    && other.directory == agent.directory
            })
    }

    pub(crate) fn session_of(&self, agent: &Agent, since_ms: u64) -> Option<String> {
        if agent.provider == Provider::OpenCode {
            // Its program would take seconds to say what its database says at once.
            let newest = crate::index::newest_opencode(agent, since_ms, &self.environment());
            if let Some(newest) = newest {
                return newest;
            }
        }
        let since: SystemTime = UNIX_EPOCH + Duration::from_millis(since_ms);
        latest_session(agent.provider, &agent.directory, since, &self.environment())
    }

    /// Learns the session of a TUI that does not let it be chosen, once its provider has written it.
    async fn look_for_session(self: Arc<Self>, id: AgentId, terminal: TerminalId) {
        let started = now_ms();
        let mut waits = LOOKS.into_iter().map(Duration::from_secs);
        loop {
            tokio::select! {
                () = tokio::time::sleep(waits.next().unwrap_or(LOOK)) => {}
                () = self.stopping() => return,
            }
            let Some(agent) = self.world.agent(id) else { return };
            let runs = self.world.terminal(terminal).is_some_and(|session| session.is_live());
            if agent.session.is_some() || agent.ai_terminal != Some(terminal) || !runs {
                return;
            }
            self.learn_session(agent, started).await;
        }
    }

    /// The same at once, for a TUI that has just ended.
    pub(crate) fn look_for_session_later(self: &Arc<Self>, id: AgentId) {
        let Some(agent) = self.world.agent(id) else { return };
        if agent.session.is_none() {
            let shared = Arc::clone(self);
            super::detach(async move {
                let since = agent.created_ms;
                shared.learn_session(agent, since).await;
            });
        }
    }

    async fn learn_session(self: &Arc<Self>, agent: Agent, since_ms: u64) {
        let (shared, id) = (Arc::clone(self), agent.id);
        let look =
            move || shared.is_alone(&agent).then(|| shared.session_of(&agent, since_ms)).flatten();
        if let Ok(Some(session)) = blocking(look).await {
            tracing::info!(agent = %id, session, "a session was found");
            let change = move |agent: &mut Agent| agent.session = Some(session.clone());
            if let Err(error) = self.save_agent(id, change).await {
                tracing::warn!(agent = %id, %error, "a session was not saved");
            }
        }
    }

    /// The agent's shell, started if there is none.
    pub(crate) async fn open_shell(
        self: &Arc<Self>,
        id: AgentId,
        size: Size,
    ) -> Result<Arc<Session>, Error> {
        self.until_recovered().await;
        let lock = self.agent_lock(id);
        let _alone = lock.lock().await;
        let agent = self.agent(id)?;
        let old = agent.shell_terminal.and_then(|id| self.world.terminal(id));
        if let Some(session) = &old
            && session.is_live()
        {
            return Ok(Arc::clone(session));
        }
        let (shared, directory) = (Arc::clone(self), agent.directory);
        let start = blocking(move || shared.plan_shell(Some(id), directory, size))
            .await
            .map_err(failed)??;
        let opened = self.start_terminal(start).await?;
        let terminal = opened.id;
        let change = move |agent: &mut Agent| agent.shell_terminal = Some(terminal);
        let _ = self.take_over(id, old, &opened, change).await?;
        Ok(opened)
    }

    /// Puts a terminal that was just opened in the place of an ended one. A terminal that its agent
    /// cannot be given does not stay: nobody would know of it, and the next try would start a second
    /// program in the same session.
    async fn take_over(
        self: &Arc<Self>,
        id: AgentId,
        old: Option<Arc<Session>>,
        opened: &Session,
        change: impl Fn(&mut Agent) + Send + 'static,
    ) -> Result<Agent, Error> {
        let taken = match old {
            Some(old) => self.close_terminal(&old).await,
            None => Ok(()),
        };
        let result = match taken {
            Ok(()) => self.save_agent(id, change).await,
            Err(error) => Err(error),
        };
        if result.is_err() {
            let _ = self.close_terminal(opened).await;
        }
        result
    }

    /// Ends an agent's processes: its terminals, and its runs with what they have started. The agent
    /// stays and can be opened again.
    pub(crate) async fn stop_agent(self: &Arc<Self>, id: AgentId) -> Result<Agent, Error> {
        let lock = self.agent_lock(id);
        let _alone = lock.lock().await;
        let agent = self.agent(id)?;
        // What remains of a dead host's runs is known only then.
        self.until_recovered().await;
        for run in self.world.open_runs_of(id) {
            let killed = self.tools().await?.runs.kill(run).await;
            // It may have ended by itself a moment ago.
            let goes_on = || self.world.open_runs_of(id).contains(&run);
            if goes_on() {
                let _ = killed?;
            }
            // The order is in its journal; its processes take a moment more.
            let ended = async {
                while goes_on() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            if tokio::time::timeout(RUN_END, ended).await.is_err() {
                let text = format!("the run {run} of {} does not end; see `ps`", agent.name);
                return Err(refuse(ErrorKind::TimedOut, text));
            }
            // At once and not through the notices, so that it comes before the answer.
            let text = format!("{} was stopped, and its run {run} with it.", agent.name);
            self.world.tell(Event::Problem { agent: Some(id), text });
        }
        self.close_terminals_of(&agent).await?;
        let _ = self.end_tabs_of(id).await;
        let _ = self
            .save_agent(id, |agent| {
                agent.ai_terminal = None;
                agent.shell_terminal = None;
            })
            .await?;
        let stopped = attention::verdict(State::Resumable, "stopped", Source::Process, now_ms());
        self.watch(id, Slot::Terminal, Some(stopped), "");
        self.agent(id)
    }

    /// Whether the programs in an agent's terminals may write to the clipboard.
    pub(crate) async fn set_clipboard(
        &self,
        id: AgentId,
        clipboard: Clipboard,
    ) -> Result<Agent, Error> {
        let _ = self.agent(id)?;
        self.save_agent(id, move |agent| agent.clipboard = clipboard).await
    }

    /// Forgets an agent; its directory and branch are left alone.
    pub(crate) async fn remove_agent(self: &Arc<Self>, id: AgentId) -> Result<(), Error> {
        let lock = self.agent_lock(id);
        let _alone = lock.lock().await;
        let agent = self.agent(id)?;
        if let Some(run) = self.world.open_runs_of(id).first() {
            return Err(refuse(ErrorKind::Busy, still_runs(&agent.name, *run)));
        }
        self.close_terminals_of(&agent).await?;
        let tabs = self.end_tabs_of(id).await;
        let saving = self.saving.lock().await;
        let store = self.store.clone();
        let _ =
            blocking(move || store.remove_agent(id)).await.map_err(failed)?.map_err(store_error)?;
        self.world.remove_agent(id);
        drop(saving);
        super::queues::agent_removed(self, id);
        self.watched.forget(id);
        for tab in tabs {
            // A copy of what its provider has stored.
            let path = conversation::path(self, tab);
            let _ = blocking(move || std::fs::remove_file(path)).await;
        }
        self.forget_agent_lock(id);
        Ok(())
    }

    /// Gives an agent another name.
    pub(crate) async fn rename_agent(
        self: &Arc<Self>,
        id: AgentId,
        name: String,
    ) -> Result<Agent, Error> {
        let name = checked_name(&name)?;
        let _naming = self.naming.lock().await;
        let _ = self.agent(id)?;
        self.refuse_taken(&name, Some(id))?;
        self.save_agent(id, move |agent| agent.name.clone_from(&name)).await
    }

    async fn close_terminals_of(self: &Arc<Self>, agent: &Agent) -> Result<(), Error> {
        let terminals: Vec<_> = [agent.ai_terminal, agent.shell_terminal]
            .into_iter()
            .flatten()
            .filter_map(|id| self.world.terminal(id))
            .collect();
        for session in &terminals {
            // All at once; then each is waited for.
            session.close(self.options.grace);
        }
        for session in &terminals {
            self.close_terminal(session).await?;
        }
        Ok(())
    }

    /// Changes an agent in the store first, then in the world.
    pub(crate) async fn save_agent(
        &self,
        id: AgentId,
        change: impl Fn(&mut Agent) + Send + 'static,
    ) -> Result<Agent, Error> {
        // From the look to the world's change: of two changes at once the store would keep one.
        let _saving = self.saving.lock().await;
        let mut agent = self.agent(id)?;
        change(&mut agent);
        let store = self.store.clone();
        let saved = agent.clone();
        blocking(move || store.put_agent(&saved)).await.map_err(failed)?.map_err(store_error)?;
        let missing = || refuse(ErrorKind::NotFound, format!("there is no agent {id} any more"));
        self.world.change_agent(id, change).ok_or_else(missing)
    }

    fn refuse_taken(&self, name: &str, except: Option<AgentId>) -> Result<(), Error> {
        let agents = self.world.agents();
        match agents.iter().find(|agent| agent.name == name && Some(agent.id) != except) {
            None => Ok(()),
            Some(other) => {
                let text = format!("there is already an agent `{name}` ({})", other.id);
                Err(refuse(ErrorKind::Busy, format!("{text}; choose another name")))
            }
        }
    }

    /// A name that nobody has yet, after the branch or the directory.
    fn free_name(&self, place: &Place) -> String {
        let wanted = place.wanted_name();
        let agents = self.world.agents();
        let is_free = |name: &str| !agents.iter().any(|agent| agent.name == name);
        if is_free(&wanted) {
            return wanted;
        }
        (2..)
            .map(|number| format!("{wanted}-{number}"))
            .find(|name| is_free(name))
            .unwrap_or(wanted)
    }
}

/// Where an agent works.
#[derive(Debug)]
struct Place {
    directory: PathBuf,
    repository: Option<PathBuf>,
    branch: Option<String>,
    worktree: bool,
}

impl Place {
    fn wanted_name(&self) -> String {
        let from_branch = self
            .branch
            .as_deref()
            .filter(|_| self.worktree)
            .and_then(|branch| branch.rsplit('/').next())
            .map(str::to_owned);
        let from_directory =
            || self.directory.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = from_branch.or_else(from_directory).unwrap_or_default();
        let name: String =
            name.chars().filter(|c| !c.is_control()).take(NAME - 8).collect::<String>();
        checked_name(&name).unwrap_or_else(|_| "agent".to_owned())
    }
}

fn canonical(directory: &Path) -> Result<PathBuf, Error> {
    let gone = |why: &dyn std::fmt::Display| {
        let text = format!("the folder {} cannot be opened: {why}", directory.display());
        refuse(ErrorKind::NotFound, text)
    };
    let directory = directory.canonicalize().map_err(|error| gone(&error))?;
    if !directory.is_dir() {
        return Err(gone(&"it is no folder"));
    }
    check_path(&directory)?;
    Ok(directory)
}

/// A name is shown in one row and typed on a command line, where an id is taken as well.
fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let invalid = |why: &str| Err(refuse(ErrorKind::Invalid, format!("an agent's name {why}")));
    if name.is_empty() {
        return invalid("cannot be empty");
    }
    if name.chars().count() > NAME {
        return invalid("can have at most 64 characters");
    }
    if name.chars().any(is_unseen) {
        return invalid("cannot hold control characters");
    }
    if name.starts_with('-') {
        return invalid("cannot begin with `-`: it would be taken for an option");
    }
    if name.parse::<AgentId>().is_ok() {
        return invalid("cannot look like an agent's id (a3)");
    }
    Ok(name.to_owned())
}

/// Characters that make a name look like another one.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn still_runs(name: &str, run: RunId) -> String {
    format!("{name} works on run {run}; stop that first: maestro run stop {run}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_shown_and_typed() {
        for (name, expected) in [
            ("api", Some("api")),
            ("  web shop ", Some("web shop")),
            ("a3b", Some("a3b")),
            ("a3", None),
            ("", None),
            ("   ", None),
            ("-x", None),
            ("a\nb", None),
            ("a\u{202e}b", None),
        ] {
            assert_eq!(checked_name(name).ok().as_deref(), expected, "{name:?}");
        }
        assert!(checked_name(&"x".repeat(65)).is_err());
    }

    #[test]
    fn names_are_made_from_the_branch_or_the_directory() {
        let check = |directory: &str, branch: Option<&str>, worktree, expected: &str| {
            let place = Place {
                directory: directory.into(),
                repository: None,
                branch: branch.map(Into::into),
                worktree,
            };
            assert_eq!(place.wanted_name(), expected);
        };
        check("/code/shop", Some("main"), false, "shop");
        check("/code/shop-worktrees/x", Some("feat/cart"), true, "cart");
        check("/", None, false, "agent");
        check("/code/a7", None, false, "agent");
    }
}
