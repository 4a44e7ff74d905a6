//! Tabs and what is said in them: what a client can ask for of a conversation. What needs the
//! conversation itself goes to its actor; see [`crate::conversation`].

use std::collections::HashSet;
use std::sync::Arc;

use maestro_agents::command::can_choose_session;
use maestro_agents::new_session_id;
use maestro_core::agent::{Agent, Provider, State};
use maestro_core::conversation::{Image, Place, Prompt, Tab};
use maestro_core::screen::Size;
use maestro_core::session::SessionKey;
use maestro_core::text::clean;
use maestro_core::{AgentId, TabId};
use maestro_protocol::message::{Command, Error, ErrorKind, IMAGE_LIMIT, Reply, TabChange};

use super::commands::store_error;
use super::terminals::Start;
use super::tools::failed;
use super::{Shared, blocking, images, queues, refuse};
use crate::conversation::{self, Ask};

/// Tabs of one agent that are not closed.
const TABS: usize = 64;
/// Tabs of one agent in all.
const ALL_TABS: usize = 2_000;
/// The longest title, in characters.
const TITLE: usize = 120;
/// Files that are found at most.
const FOUND: u32 = 200;
/// Files that are listed; the rest is found by its letters.
const LISTED: usize = 20_000;
/// Hits that are found at most.
const HITS: u32 = 500;
/// The most bytes of words to look for, or letters of a file.
const WORDS: usize = 1_000;

/// Does what is asked for; `command` is one of those that [`super::commands`] hands to this module.
pub(super) async fn run(shared: &Arc<Shared>, command: Command) -> Result<Reply, Error> {
    match command {
        Command::NewTab { agent, session, title } => {
            shared.new_tab(agent, session, title).await.map(reply)
        }
        Command::ChangeTab { tab, change: TabChange::Before(before) } => {
            shared.move_tab(tab, before).await.map(reply)
        }
        Command::ChangeTab { tab, change } => {
            if change == TabChange::Closed(false) {
                shared.refuse_more_tabs(shared.tab(tab)?.agent)?;
            }
            let ask = |done| Ask::Change { change, done };
            shared.tabs.ask(shared, tab, ask).await?.map(reply)
        }
        Command::ReadTab { tab, before, most } => {
            let ask = |page| Ask::Read { before, most, page };
            let page = shared.tabs.ask(shared, tab, ask).await??;
            Ok(Reply::Entries(Box::new(page)))
        }
        Command::Interrupt { tab } => {
            shared.tabs.ask(shared, tab, Ask::Interrupt).await?.map(reply)
        }
        Command::Answer { tab, request, answer } => {
            let ask = |done| Ask::Answer { request, answer, done };
            shared.tabs.ask(shared, tab, ask).await?.map(reply)
        }
        Command::TryAgain { tab } => shared.tabs.ask(shared, tab, Ask::Retry).await?.map(reply),
        Command::Rebuild { tab } => shared.tabs.ask(shared, tab, Ask::Rebuild).await?.map(reply),
        Command::ToTerminal { tab, size } => shared.to_terminal(tab, size).await.map(reply),
        Command::ToConversation { agent } => shared.to_conversation(agent).await.map(reply),
        Command::Login { agent, size } => shared.login(agent, size).await,
        Command::SetDraft { tab, draft } => shared.set_draft(tab, draft).await,
        Command::KeepImage { bytes } => keep_image(shared, bytes).await,
        Command::ReadMenu { tab } => {
            let menu = shared.tabs.ask(shared, tab, Ask::Menu).await??;
            Ok(Reply::Menu(Box::new(menu)))
        }
        Command::FindFiles { agent, letters, most } => {
            find_files(shared, agent, letters, most).await
        }
        Command::ListFiles { agent } => list_files(shared, agent).await,
        Command::SearchTabs { words, agent, most } => search_tabs(shared, words, agent, most).await,
        Command::Why { agent } => {
            let _ = shared.agent(agent)?;
            Ok(Reply::Evidence(shared.evidence(agent)))
        }
        // The connection's own reader does these; the others are never handed here.
        _ => Ok(Reply::Done),
    }
}

impl Shared {
    /// A tab by its id, or the sentence that there is none.
    pub(crate) fn tab(&self, id: TabId) -> Result<Tab, Error> {
        let missing = || refuse(ErrorKind::NotFound, format!("there is no tab {id}"));
        self.world.tab(id).ok_or_else(missing)
    }

    fn refuse_more_tabs(&self, agent: AgentId) -> Result<(), Error> {
        let tabs = self.tabs.tabs_of(self, agent);
        if tabs.iter().filter(|tab| !tab.closed).count() >= TABS || tabs.len() >= ALL_TABS {
            let text = format!("an agent can have {TABS} open tabs; close some first");
            return Err(refuse(ErrorKind::Busy, text));
        }
        Ok(())
    }

    /// A tab for an agent: with a new session, or with one that is stored, whose history is read.
    pub(super) async fn new_tab(
        self: &Arc<Self>,
        id: AgentId,
        session: Option<String>,
        title: Option<String>,
    ) -> Result<Tab, Error> {
        self.until_recovered().await;
        let agent = self.agent(id)?;
        if agent.provider == Provider::Shell {
            let text = format!("{} is a shell: there is nobody to talk to in it", agent.name);
            return Err(refuse(ErrorKind::Unsupported, text));
        }
        self.refuse_more_tabs(id)?;
        let title = title.map(|title| clean(&title, TITLE)).filter(|title| !title.is_empty());
        if let Some(session) = &session {
            check_session(session)?;
            let tabs = self.tabs.tabs_of(self, id);
            if let Some(known) = tabs.into_iter().find(|tab| tab.session.as_ref() == Some(session))
            {
                // It has a tab already: that one.
                if known.closed {
                    let ask = |done| Ask::Change { change: TabChange::Closed(false), done };
                    return self.tabs.ask(self, known.id, ask).await?;
                }
                return Ok(known);
            }
        }
        let stays = session.as_deref().is_some_and(|session| self.stays_behind(&agent, session));
        let tab = {
            let _saving = self.saving.lock().await;
            // It may have been removed meanwhile.
            let _ = self.agent(id)?;
            let (store, session) = (self.store.clone(), session.clone().filter(|_| !stays));
            let tab = blocking(move || {
                let tab = conversation::new_tab(store.next_tab_id()?, id, session, title);
                store.put_tab(&tab)?;
                Ok(tab)
            })
            .await
            .map_err(failed)?
            .map_err(store_error)?;
            self.world.set_tab(&tab);
            tab
        };
        if session.is_some() {
            let stored = self.said_elsewhere(&agent, session.as_deref()).await;
            let session = session.filter(|_| !stays);
            let ask = |done| Ask::Back { session, stored, done };
            return self.tabs.ask(self, tab.id, ask).await?;
        }
        self.watch_tab(&tab);
        Ok(tab)
    }

    /// Whether a session can only go on where it is, which is not where its agent works. OpenCode keeps one in the
    /// directory in which it began, and what it asks there is heard by nobody else (seen with 1.18.33). Gemini CLI
    /// looks for one in a folder that it has for each directory.
    fn stays_behind(&self, agent: &Agent, session: &str) -> bool {
        if !matches!(agent.provider, Provider::OpenCode | Provider::Gemini) {
            return false;
        }
        let key = SessionKey { provider: agent.provider, id: session.to_owned() };
        let marks = self.sessions.marks().clone();
        let known = self.sessions.with_reader(|reader| reader.get(&key, &marks)).ok().flatten();
        let Some(directory) = known.and_then(|found| found.session.directory) else { return false };
        let real = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        real(&directory) != real(&agent.directory)
    }

    /// Puts a tab before another of its agent, or at the end.
    async fn move_tab(self: &Arc<Self>, id: TabId, before: Option<TabId>) -> Result<Tab, Error> {
        let _saving = self.saving.lock().await;
        let tab = self.tab(id)?;
        let mut order: Vec<TabId> =
            self.tabs.tabs_of(self, tab.agent).into_iter().map(|tab| tab.id).collect();
        order.retain(|known| *known != id);
        let place = match before {
            None => order.len(),
            Some(before) if before == id => return Ok(tab),
            Some(before) => order.iter().position(|known| *known == before).ok_or_else(|| {
                let text = format!("{before} is no tab of the same agent");
                refuse(ErrorKind::Invalid, text)
            })?,
        };
        order.insert(place, id);
        let (store, agent, kept) = (self.store.clone(), tab.agent, order.clone());
        blocking(move || store.order_tabs(agent, &kept))
            .await
            .map_err(failed)?
            .map_err(store_error)?;
        self.world.order_tabs(agent, &order);
        Ok(tab)
    }

    /// What the provider has stored of a session; nothing where that cannot be read.
    async fn said_elsewhere(
        self: &Arc<Self>,
        agent: &Agent,
        session: Option<&str>,
    ) -> Vec<maestro_core::conversation::Entry> {
        let Some(session) = session.map(str::to_owned) else { return Vec::new() };
        let (shared, provider) = (Arc::clone(self), agent.provider);
        let read =
            blocking(move || conversation::stored(provider, &session, &shared.environment())).await;
        match read {
            Ok(Ok(entries)) => entries,
            Ok(Err(why)) => {
                let text = format!("What was said in the terminal cannot be shown: {why}");
                self.problem(Some(agent.id), text);
                Vec::new()
            }
            Err(error) => {
                self.problem(Some(agent.id), failed(error).message);
                Vec::new()
            }
        }
    }

    /// Shows a tab's session in the provider's own interface.
    async fn to_terminal(self: &Arc<Self>, id: TabId, size: Size) -> Result<Tab, Error> {
        self.until_recovered().await;
        let tab = self.tab(id)?;
        let lock = self.agent_lock(tab.agent);
        let _alone = lock.lock().await;
        let agent = self.agent(tab.agent)?;
        let live = |id| self.world.terminal(id).filter(|session| session.is_live());
        if let Some(terminal) = agent.ai_terminal.and_then(live) {
            if tab.session.is_some() && agent.session == tab.session {
                return Ok(tab);
            }
            let text = format!(
                "{} has another session in its terminal {}; take that into a conversation or end it \
                 first",
                agent.name, terminal.id
            );
            return Err(refuse(ErrorKind::Busy, text));
        }
        if let Some(who) = conversation::elsewhere(self, &tab) {
            return Err(refuse(ErrorKind::Busy, who));
        }
        // The driver first: a session is open in one place only.
        let ask = |done| Ask::Release { place: Place::Nowhere, moving: true, done };
        let tab = self.tabs.ask(self, id, ask).await??;
        let resume = tab.session.clone();
        let new_session = resume
            .is_none()
            .then(|| new_session_id(agent.provider))
            .flatten()
            .filter(|_| can_choose_session(agent.provider));
        let session = resume.clone().or_else(|| new_session.clone());
        let opened = self.open_session(&agent, resume, new_session, session, size).await;
        let place = opened.as_ref().map_or(Place::Nowhere, |opened| Place::Terminal(*opened));
        let ask = |done| Ask::Release { place, moving: false, done };
        let told = self.tabs.ask(self, id, ask).await;
        if opened.is_err() {
            queues::freed(self, tab.agent);
        }
        let _ = opened?;
        let tab = told??;
        queues::freed(self, tab.agent);
        Ok(tab)
    }

    /// Takes the session of an agent's terminal into the conversation of its tab.
    async fn to_conversation(self: &Arc<Self>, id: AgentId) -> Result<Tab, Error> {
        self.until_recovered().await;
        let lock = self.agent_lock(id);
        let alone = lock.lock().await;
        let agent = self.agent(id)?;
        let live = |id| self.world.terminal(id).filter(|session| session.is_live());
        let terminal = agent.ai_terminal.and_then(live);
        if terminal.is_some() && agent.attention.state == State::Working && !self.runs(&agent) {
            let text = format!(
                "{} works on a turn in its terminal; wait for it, or stop it there first",
                agent.name
            );
            return Err(refuse(ErrorKind::Busy, text));
        }
        let tabs = self.tabs.tabs_of(self, id);
        let shown = agent.ai_terminal.map(Place::Terminal);
        let session = self.session_in_terminal(&agent).await;
        let known = tabs
            .iter()
            .find(|tab| Some(tab.place) == shown)
            .or_else(|| tabs.iter().find(|tab| session.is_some() && tab.session == session))
            .cloned();
        if known.is_none() && session.is_none() {
            let text = format!(
                "nothing is known yet of a session in the terminal of {}; say something there first",
                agent.name
            );
            return Err(refuse(ErrorKind::NotFound, text));
        }
        self.leave_terminal(&agent, session.clone()).await?;
        drop(alone);
        let session = session.or_else(|| known.as_ref().and_then(|tab| tab.session.clone()));
        let Some(tab) = known else {
            return self.new_tab(id, session, None).await;
        };
        let stored = self.said_elsewhere(&agent, session.as_deref()).await;
        let ask = |done| Ask::Back { session, stored, done };
        self.tabs.ask(self, tab.id, ask).await?
    }

    fn runs(&self, agent: &Agent) -> bool {
        !self.world.open_runs_of(agent.id).is_empty()
    }

    /// A terminal is not there any more: the tab whose session it had takes it back, with what was said.
    pub(crate) fn terminal_ended(self: &Arc<Self>, terminal: maestro_core::TerminalId) {
        let place = Place::Terminal(terminal);
        let Some(tab) = self.world.tabs().into_iter().find(|tab| tab.place == place) else {
            return;
        };
        let shared = Arc::clone(self);
        super::detach(async move {
            if shared.is_stopping() {
                return;
            }
            let Ok(agent) = shared.agent(tab.agent) else { return };
            let session = shared.session_in_terminal(&agent).await.or(tab.session);
            let stored = shared.said_elsewhere(&agent, session.as_deref()).await;
            let ask = |done| Ask::Back { session, stored, done };
            if let Err(error) = shared.tabs.ask(&shared, tab.id, ask).await {
                tracing::info!(tab = %tab.id, %error, "a session was not taken back");
            }
        });
    }

    /// The provider's own way to log in, in a terminal.
    async fn login(self: &Arc<Self>, id: AgentId, size: Size) -> Result<Reply, Error> {
        let agent = self.agent(id)?;
        let words: &[&str] = match agent.provider {
            Provider::Claude => &["auth", "login"],
            Provider::Codex => &["login"],
            Provider::OpenCode => &["auth", "login"],
            // These ask for it when they are started.
            Provider::Droid | Provider::Copilot | Provider::Gemini => &[],
            Provider::Demo | Provider::Shell => {
                let text = format!("{} needs no login", agent.provider.title());
                return Err(refuse(ErrorKind::Unsupported, text));
            }
        };
        let shared = Arc::clone(self);
        let start = blocking(move || {
            let options = maestro_agents::TuiOptions {
                directory: agent.directory.clone(),
                ..maestro_agents::TuiOptions::default()
            };
            let mut start = shared.plan_tui(agent.provider, &options, size)?;
            if !words.is_empty() {
                start.args = words.iter().map(std::ffi::OsString::from).collect();
            }
            start.title = format!("Log in: {}", agent.provider.title());
            Ok::<_, Error>(Start { agent: Some(id), ..start })
        })
        .await
        .map_err(failed)??;
        self.start_terminal(start).await.map(|session| Reply::Terminal(session.info()))
    }

    async fn set_draft(self: &Arc<Self>, tab: TabId, draft: Prompt) -> Result<Reply, Error> {
        let _ = self.tab(tab)?;
        if draft.text.len() > 1 << 20 || draft.images.len() > 20 {
            let text = "a draft can have at most 1 MiB of text and 20 images";
            return Err(refuse(ErrorKind::Invalid, text));
        }
        let store = self.store.clone();
        blocking(move || store.set_draft(tab, &draft))
            .await
            .map_err(failed)?
            .map_err(store_error)?;
        Ok(Reply::Done)
    }

    /// Ends the conversations of an agent that is stopped or removed.
    pub(crate) async fn end_tabs_of(self: &Arc<Self>, agent: AgentId) -> HashSet<TabId> {
        let tabs: Vec<TabId> =
            self.tabs.tabs_of(self, agent).into_iter().map(|tab| tab.id).collect();
        if !self.tabs.end(Some(&tabs)).await {
            let text = "A program of its conversations did not end in time; see `ps e`.";
            self.problem(Some(agent), text);
        }
        tabs.into_iter().collect()
    }
}

async fn keep_image(shared: &Arc<Shared>, bytes: Vec<u8>) -> Result<Reply, Error> {
    if bytes.len() > IMAGE_LIMIT {
        let text = format!("an image can have at most {} MiB", IMAGE_LIMIT >> 20);
        return Err(refuse(ErrorKind::Invalid, text));
    }
    let Some((media, ending)) = images::kind(&bytes) else {
        return Err(refuse(ErrorKind::Invalid, "this is no PNG, JPEG, GIF or WebP image"));
    };
    let _writing = shared.writing.read().await;
    if shared.is_stopping() {
        return Err(refuse(ErrorKind::Stopping, "the host is stopping"));
    }
    let folder = shared.options.home.root().join("images");
    let store = shared.store.clone();
    let save = move || images::save(&folder, &bytes, ending, || images::in_use(&store));
    let saved = blocking(save).await.map_err(failed)?;
    let path = saved.map_err(|error| {
        refuse(ErrorKind::Failed, format!("the image cannot be saved: {error}"))
    })?;
    Ok(Reply::Image(Image { path, media: media.to_owned() }))
}

async fn find_files(
    shared: &Arc<Shared>,
    agent: AgentId,
    letters: String,
    most: u32,
) -> Result<Reply, Error> {
    let agent = shared.agent(agent)?;
    if letters.len() > WORDS {
        return Err(refuse(ErrorKind::Invalid, "too many letters for the name of a file"));
    }
    let asked = Arc::clone(shared);
    let environment = blocking(move || asked.environment().to_vec()).await.map_err(failed)?;
    let most = most.min(FOUND) as usize;
    let files = &shared.tabs.files;
    let found =
        conversation::find_files(files, &agent.directory, environment, &letters, most).await;
    Ok(Reply::Files(found))
}

async fn list_files(shared: &Arc<Shared>, agent: AgentId) -> Result<Reply, Error> {
    let agent = shared.agent(agent)?;
    let asked = Arc::clone(shared);
    let environment = blocking(move || asked.environment().to_vec()).await.map_err(failed)?;
    let files = conversation::list_files(&shared.tabs.files, &agent.directory, environment, LISTED);
    Ok(Reply::Files(files.await))
}

async fn search_tabs(
    shared: &Arc<Shared>,
    words: String,
    agent: Option<AgentId>,
    most: u32,
) -> Result<Reply, Error> {
    if words.len() > WORDS {
        let text = format!("what is searched for can have at most {WORDS} bytes");
        return Err(refuse(ErrorKind::Invalid, text));
    }
    let mut tabs = shared.world.tabs();
    tabs.retain(|tab| agent.is_none_or(|agent| tab.agent == agent));
    tabs.sort_by_key(|tab| std::cmp::Reverse(tab.used_ms));
    let tabs: Vec<_> =
        tabs.into_iter().map(|tab| (tab.id, conversation::path(shared, tab.id))).collect();
    let most = most.min(HITS) as usize;
    let hits = blocking(move || conversation::search(&tabs, &words, most)).await.map_err(failed)?;
    Ok(Reply::TabHits(hits))
}

/// A session's id goes on a command line.
fn check_session(session: &str) -> Result<(), Error> {
    let fits = !session.is_empty()
        && session.len() <= 200
        && !session.starts_with('-')
        && session.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if fits {
        return Ok(());
    }
    Err(refuse(ErrorKind::Invalid, "this is no id of a session"))
}

fn reply(tab: Tab) -> Reply {
    Reply::Tab(Box::new(tab))
}
