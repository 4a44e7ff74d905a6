//! The actor of one tab.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use maestro_agents::drive::{Launch, Order, Taken};
use maestro_agents::new_session_id;
use maestro_core::TabId;
use maestro_core::agent::{Agent, Provider};
use maestro_core::conversation::fold::title_of;
use maestro_core::conversation::{
    Answer, Body, Conversation, Entry, Event, Menu, Place, Policy, Prompt, Tab, TabState, Update,
};
use maestro_core::text::clean;
use maestro_core::turn::{Failure, FailureKind, Outcome, Usage};
use maestro_protocol::message::{Error, ErrorKind, Page, Reply, TabChange};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::drivers::Driven;
use super::log::{Log, coalesced};
use super::{Ask, Journal, WAITING, block, elsewhere, mend, path, rebuild};
use crate::client::Client;
use crate::host::{Shared, marks, now_ms, refuse, store_error};
use crate::host::{queues, usage};
use crate::queue::{Over, Said};

/// Between two messages to those who follow.
const TELL: Duration = Duration::from_millis(33);
/// Between two events about the tab.
const SHOW: Duration = Duration::from_millis(120);
/// A driver without a turn lives on for so long, so that the next prompt need not wait for its start.
const IDLE: Duration = Duration::from_secs(300);
/// How long a driver may take to take an order. It answers at once, unless it hangs.
const ORDER: Duration = Duration::from_secs(20);
/// The same once its user wants the turn to stop.
const HURRY: Duration = Duration::from_secs(5);
/// How long a program that was killed may take to be gone.
const KILLED: Duration = Duration::from_secs(10);
/// How long a session may be on its way into a terminal.
const MOVE: Duration = Duration::from_secs(60);
/// How long a program may take to tell what can be chosen.
const MENU: Duration = Duration::from_secs(8);
/// Events that wait for the actor.
const EVENTS: usize = 256;
/// Bytes of updates after which those who follow are told without waiting.
const PENDING: usize = 1 << 20;
/// Entries of one page, and their bytes in the file.
const PAGE: (usize, u64) = (2_000, 6 << 20);
/// The most bytes of a prompt, and its images.
const PROMPT: (usize, usize) = (1 << 20, 20);
/// The longest title, in characters.
const TITLE: usize = 120;

/// Serves one tab until its host stops or its agent is removed.
pub(super) async fn run(shared: Arc<Shared>, id: TabId, asked: mpsc::Receiver<Ask>) {
    let mut actor = match Actor::new(&shared, id, asked).await {
        Ok(actor) => actor,
        Err(error) => {
            let agent = shared.world.tab(id).map(|tab| tab.agent);
            shared.problem(agent, format!("The conversation {id} cannot be opened: {error}"));
            return;
        }
    };
    loop {
        let tell = actor.tell_at;
        let show = actor.show_at;
        let rest = actor.rest_at();
        let far = Instant::now() + Duration::from_secs(3600);
        tokio::select! {
            ask = next_ask(&mut actor.put_off, &mut actor.asked) => {
                let Some(ask) = ask else { return };
                if let Some(done) = actor.ask(ask).await {
                    let _ = done.send(());
                    return;
                }
                actor.pressed().await;
            }
            event = next(&mut actor.driver) => actor.event(event).await,
            () = tokio::time::sleep_until(tell.unwrap_or(far)), if tell.is_some() => {
                actor.flush().await;
            }
            () = tokio::time::sleep_until(show.unwrap_or(far)), if show.is_some() => actor.show(),
            () = tokio::time::sleep_until(rest.unwrap_or(far)), if rest.is_some() => {
                actor.rest().await;
            }
        }
    }
}

/// What was put off while something else was waited for, and then what is asked next.
async fn next_ask(put_off: &mut VecDeque<Ask>, asked: &mut mpsc::Receiver<Ask>) -> Option<Ask> {
    match put_off.pop_front() {
        Some(ask) => Some(ask),
        None => asked.recv().await,
    }
}

/// The next event of a driver, where there is one; waits for ever where there is none.
async fn next(driver: &mut Option<Running>) -> Event {
    match driver {
        Some(running) => {
            // A channel that ends without the last event is a driver that panicked.
            running.events.recv().await.unwrap_or(Event::Gone { stderr: String::new() })
        }
        None => std::future::pending().await,
    }
}

/// A driver that lives.
struct Running {
    driver: Box<dyn Driven>,
    events: mpsc::Receiver<Event>,
    policy: Policy,
    /// It is to be started anew before the next turn.
    stale: bool,
    since: Instant,
    killed: Option<Instant>,
}

struct Actor {
    shared: Arc<Shared>,
    asked: mpsc::Receiver<Ask>,
    /// What was asked while a program was waited for, in order; at most [`WAITING`].
    put_off: VecDeque<Ask>,
    /// How often an interrupt was asked for while a program was waited for.
    presses: u8,
    /// The same for the end of the actor.
    ending: bool,
    /// Until when nothing is said, because the session is about to be somewhere else.
    moving: Option<Instant>,
    agent: Agent,
    tab: Tab,
    fold: Conversation,
    log: Option<Log>,
    driver: Option<Running>,
    /// What was not told yet.
    pending: Vec<Update>,
    pending_bytes: usize,
    tell_at: Option<Instant>,
    show_at: Option<Instant>,
    shown_at: Option<Instant>,
    followers: Vec<Arc<Client>>,
    /// Who waits for the menu.
    menus: Vec<(Instant, oneshot::Sender<Result<Menu, Error>>)>,
    /// The prompt of the open turn, or of the last one, and what was sent for it.
    last: Option<Prompt>,
    model: Option<String>,
    touched: bool,
}

impl Actor {
    async fn new(
        shared: &Arc<Shared>,
        id: TabId,
        asked: mpsc::Receiver<Ask>,
    ) -> Result<Self, Error> {
        let missing = || refuse(ErrorKind::NotFound, format!("there is no tab {id}"));
        let mut tab = shared.world.tab(id).ok_or_else(missing)?;
        let agent = shared.world.agent(tab.agent).ok_or_else(missing)?;
        let (path, title) = (path(shared, id), tab.title.clone());
        let (tab, log, fold, last, touched) = block(move || {
            let found = Log::open(&path).map_err(|error| {
                let shown = path.display();
                refuse(ErrorKind::Failed, format!("{shown} cannot be used: {error}"))
            })?;
            let (log, fold) = mend(found, &mut tab, now_ms());
            let last = log.prompts().next().and_then(|n| {
                match log.read(n + 1, 1, u64::MAX).ok()?.pop()?.body {
                    Body::Prompt(prompt) => Some(prompt),
                    _ => None,
                }
            });
            tab.title = title;
            let touched = was_touched(&log, tab.turns);
            Ok((tab, log, fold, last, touched))
        })
        .await?;
        let mut actor = Self {
            shared: Arc::clone(shared),
            asked,
            put_off: VecDeque::new(),
            presses: 0,
            ending: false,
            moving: None,
            agent,
            tab,
            fold,
            log: Some(log),
            driver: None,
            pending: Vec::new(),
            pending_bytes: 0,
            tell_at: None,
            show_at: None,
            shown_at: None,
            followers: Vec::new(),
            menus: Vec::new(),
            last,
            model: None,
            touched,
        };
        actor.show();
        Ok(actor)
    }

    // ---- what is asked for

    /// Gives back whom to tell when it is over.
    async fn ask(&mut self, ask: Ask) -> Option<oneshot::Sender<()>> {
        match ask {
            Ask::Say { prompt, journal, done } => {
                match self.begin(prompt.clone(), journal, false).await {
                    Ok(turn) => {
                        // Before the program is started, which may take a while.
                        let _ = done.send(Ok(turn));
                        self.speak(prompt).await;
                    }
                    Err(refused) => {
                        let _ = done.send(Err(refused));
                    }
                }
            }
            Ask::Again(done) => self.again(done).await,
            Ask::Interrupt(done) => {
                let result = self.interrupt().await;
                let _ = done.send(result);
            }
            Ask::Answer { request, answer, done } => {
                let result = self.answer(&request, answer).await;
                let _ = done.send(result);
            }
            Ask::Change { change, done } => {
                let result = self.change(change).await;
                let _ = done.send(result);
            }
            ask @ (Ask::Open { .. } | Ask::Read { .. }) => self.look(ask).await,
            Ask::Menu(done) => self.menu(done).await,
            Ask::Retry(done) => self.retry(done).await,
            Ask::Rebuild(done) => self.rebuild(done).await,
            Ask::Release { place, moving, done } => {
                let result = self.release(place).await;
                self.moving = (moving && result.is_ok()).then(|| Instant::now() + MOVE);
                let _ = done.send(result);
            }
            Ask::Back { session, stored, done } => {
                let result = self.back(session, stored).await;
                let _ = done.send(result);
            }
            Ask::Said(turn, done) => {
                let _ = done.send(self.said(turn).await);
            }
            Ask::Stop(done) => {
                self.stop().await;
                return Some(done);
            }
        }
        self.show_soon();
        None
    }

    /// Shows what was said. Also while a program is waited for: it needs none.
    async fn look(&mut self, ask: Ask) {
        match ask {
            Ask::Open { client, id, last, follow, permit } => {
                self.flush().await;
                let page = self.page(u64::MAX, last).await;
                let page = page.map(|page| Reply::Entries(Box::new(page)));
                // First, so that nothing that comes after the page is missed: what is told is only flushed
                // from here.
                if follow && page.is_ok() {
                    if client.open_tab(self.tab.id) {
                        if !self.followers.iter().any(|known| known.id == client.id) {
                            self.followers.push(Arc::clone(&client));
                        }
                    } else {
                        let text = "this client follows too many tabs; leave some first";
                        client.reply(id, Err(refuse(ErrorKind::Busy, text)), Some(permit));
                        return;
                    }
                }
                client.reply(id, page, Some(permit));
            }
            Ask::Read { before, most, page } => {
                self.flush().await;
                let _ = page.send(self.page(before, most).await);
            }
            other => self.put_off.push_back(other),
        }
    }

    /// Somebody asks while a program is waited for: what concerns the wait itself holds at once, what only
    /// looks is shown, and the rest comes after it.
    async fn interject(&mut self, ask: Ask) {
        match ask {
            Ask::Interrupt(done) if self.fold.is_running() => {
                queues::interrupted(&self.shared, self.agent.id);
                self.presses = self.presses.saturating_add(1);
                if self.tab.state == TabState::Interrupting {
                    self.presses = self.presses.max(2);
                }
                self.set(TabState::Interrupting);
                self.show();
                let _ = done.send(Ok(self.tab.clone()));
            }
            Ask::Stop(done) => {
                self.ending = true;
                // Nothing comes after it.
                self.put_off.push_front(Ask::Stop(done));
            }
            // Whoever asked is told to try again: to stop listening would be deaf to an interrupt, too.
            ask if self.put_off.len() >= WAITING => drop(ask),
            ask => self.look(ask).await,
        }
    }

    /// Waits for something of a program; `None` when its user does not want it any more. It is dropped then.
    async fn unless_pressed<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            if self.presses > 0 || self.ending {
                return None;
            }
            tokio::select! {
                done = &mut work => return Some(done),
                ask = self.asked.recv(), if !self.ending => match ask {
                    Some(ask) => self.interject(ask).await,
                    // Nobody can ask any more, which ends the actor.
                    None => return None,
                },
            }
        }
    }

    /// Does what was wanted while a program was waited for, now that it hears.
    async fn pressed(&mut self) {
        let presses = std::mem::take(&mut self.presses);
        if presses == 0 || !self.fold.is_running() {
            return;
        }
        if presses > 1 {
            self.kill().await;
        } else {
            self.soft_interrupt().await;
        }
    }

    /// Ends the program of a turn, or the turn that has none.
    async fn kill(&mut self) {
        self.presses = 0;
        match &mut self.driver {
            Some(running) => {
                let _ = running.killed.get_or_insert_with(Instant::now);
                running.driver.kill();
            }
            None => self.fail(interrupted()).await,
        }
    }

    /// Begins a turn: refuses it, or writes it down.
    async fn begin(
        &mut self,
        prompt: Prompt,
        journal: Option<Journal>,
        again: bool,
    ) -> Result<u64, Error> {
        if self.shared.is_stopping() {
            return Err(refuse(ErrorKind::Busy, "the host is stopping".to_owned()));
        }
        if prompt.text.len() > PROMPT.0 || prompt.images.len() > PROMPT.1 {
            let text = format!(
                "a prompt can have at most {} KiB of text and {} images",
                PROMPT.0 >> 10,
                PROMPT.1
            );
            return Err(refuse(ErrorKind::Invalid, text));
        }
        if prompt.text.trim().is_empty() && prompt.images.is_empty() {
            return Err(refuse(
                ErrorKind::Invalid,
                "there is nothing to say: the prompt is empty".to_owned(),
            ));
        }
        // Only what the host keeps: a prompt is no way to send any file to a provider.
        let images = self.shared.options.home.root().join("images");
        if let Some(image) =
            prompt.images.iter().find(|image| image.path.parent() != Some(images.as_path()))
        {
            let shown = image.path.display();
            let text = format!("{shown} is no image that Maestro keeps; attach it anew");
            return Err(refuse(ErrorKind::Invalid, text));
        }
        if self.tab.closed {
            return Err(refuse(
                ErrorKind::Invalid,
                format!("{} is closed; open it again first", self.tab.id),
            ));
        }
        if self.agent.provider == Provider::Shell {
            return Err(refuse(
                ErrorKind::Invalid,
                format!("{} is a shell: there is nobody to talk to in it", self.agent.name),
            ));
        }
        if self.fold.is_running() || (self.tab.state.is_busy() && !again) {
            return Err(refuse(ErrorKind::Busy, format!("{} has a turn already", self.tab.id)));
        }
        if let Place::Terminal(terminal) = self.tab.place
            && self.shared.world.terminal(terminal).is_some_and(|session| session.is_live())
        {
            let text = format!(
                "this session is open in the terminal {terminal}; take it back into the \
                 conversation first"
            );
            return Err(refuse(ErrorKind::Busy, text));
        }
        if self.is_moving() {
            let text = "this session is being moved into the terminal";
            return Err(refuse(ErrorKind::Busy, text));
        }
        if let Some(who) = elsewhere(&self.shared, &self.tab) {
            return Err(refuse(ErrorKind::Busy, who));
        }
        if !prompt.read_only
            && self.tab.policy != Policy::ReadOnly
            && let Some(run) = super::run_in(&self.shared, &self.agent)
        {
            let text = format!(
                "run {run} works in this directory; wait for it, stop it (`maestro run stop \
                 {run}`), or say it read-only"
            );
            return Err(refuse(ErrorKind::Busy, text));
        }
        // What could not be written before is before it.
        self.flush().await;
        let before = self.tab.clone();
        if let Place::Terminal(_) = self.tab.place {
            self.tab.place = Place::Nowhere;
        }
        let mut updates = Vec::new();
        self.fold.begin(&prompt, now_ms(), &mut self.tab, &mut updates);
        let (tab, store) = (self.tab.clone(), self.shared.store.clone());
        let log = self.log.take();
        let written = updates.clone();
        let result = block(move || {
            let mut log = log.ok_or_else(lost)?;
            let result = journal
                .map_or(Ok(()), |journal| journal(tab.turns))
                .and_then(|()| store.put_tab(&tab).map_err(store_error))
                .and_then(|()| log.write(&written, true).map_err(|error| unwritten(&error)));
            Ok((log, result))
        })
        .await;
        let result = result.and_then(|(log, result)| {
            self.log = Some(log);
            result
        });
        if let Err(error) = result {
            // Nothing of it is in the transcript, so it did not happen.
            self.tab = before;
            self.fold = Conversation::new(&self.tab);
            return Err(error);
        }
        self.tell(&updates);
        self.last = Some(prompt);
        self.touched = false;
        self.presses = 0;
        self.shared.tabs.set_alive(self.tab.id, true);
        self.show();
        Ok(self.fold.turn())
    }

    /// Hands a turn that was begun to the program, which is started where it does not run.
    async fn speak(&mut self, prompt: Prompt) {
        let policy = if prompt.read_only { Policy::ReadOnly } else { self.tab.policy };
        self.fold.for_this_turn((policy != self.tab.policy).then_some(policy));
        let prompt = self.retold(prompt).await;
        for attempt in 0..2 {
            let driven = self.drive(policy).await;
            if self.ending {
                // What is done next ends the turn, too.
                return;
            }
            // Whoever pressed before it was said got what was wanted.
            let driven = if self.presses > 0 { Err(interrupted()) } else { driven };
            if let Err(failure) = driven {
                self.fail(failure).await;
                return;
            }
            match self.order(Order::Say(prompt.clone())).await {
                Ok(Taken::Now) => return,
                Ok(Taken::Restart) if attempt == 0 => self.end_driver().await,
                Ok(Taken::Restart) => {
                    let message = "The program cannot take this prompt, not even started anew.";
                    self.fail(Failure { kind: FailureKind::Unusable, message: message.to_owned() })
                        .await;
                }
                Err(_) if self.ending => return,
                Err(failure) => {
                    self.fail(failure).await;
                    return;
                }
            }
        }
    }

    /// A prompt for a new session in a tab in which something was said already: that session is lost, full, or
    /// cannot go on here, so what was said in it is told first.
    async fn retold(&mut self, prompt: Prompt) -> Prompt {
        if self.tab.session.is_some() || self.driver.is_some() || self.tab.entries < 2 {
            return prompt;
        }
        let said = match self.page(u64::MAX, PAGE.0 as u32).await {
            Ok(page) => page.entries,
            Err(error) => {
                tracing::warn!(tab = %self.tab.id, %error, "what was said cannot be told again");
                return prompt;
            }
        };
        if !said.iter().any(|entry| matches!(entry.body, Body::Text(_) | Body::Tool(_))) {
            return prompt;
        }
        let mut updates = Vec::new();
        let text = "A new session begins with what was said before.";
        self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
        self.add(updates);
        Prompt { text: rebuild(&said, &prompt.text), ..prompt }
    }

    /// Sees to it that a driver with this policy lives.
    async fn drive(&mut self, policy: Policy) -> Result<(), Failure> {
        if self.driver.as_ref().is_some_and(|running| running.stale || running.killed.is_some()) {
            self.end_driver().await;
        }
        if self.driver.as_ref().is_some_and(|running| running.policy != policy) {
            match self.order(Order::Policy(policy)).await {
                Ok(Taken::Now) => {
                    if let Some(running) = &mut self.driver {
                        running.policy = policy;
                    }
                }
                Ok(Taken::Restart) => self.end_driver().await,
                Err(failure) => return Err(failure),
            }
        }
        if self.driver.is_some() {
            return Ok(());
        }
        if let Some(agent) = self.shared.world.agent(self.agent.id) {
            self.agent = agent;
        }
        let (shared, provider) = (Arc::clone(&self.shared), self.agent.provider);
        let found = block(move || {
            let detected = shared.detect(provider);
            Ok((detected, shared.environment()))
        });
        let found = self.unless_pressed(found).await.ok_or_else(interrupted)?;
        let (detected, environment) = found.map_err(|error| unusable(error.message))?;
        let new_session = self.tab.session.is_none().then(|| new_session_id(provider)).flatten();
        let launch = Launch {
            detected,
            environment: (*environment).clone(),
            directory: self.agent.directory.clone(),
            resume: self.tab.session.clone(),
            new_session,
            policy,
            model: self.tab.model.clone(),
            effort: self.tab.effort.clone(),
        };
        let marks: Vec<(OsString, OsString)> =
            marks(&self.shared.instance, self.agent.id, self.tab.id).into();
        let (sender, events) = mpsc::channel(EVENTS);
        let starting = self.shared.tabs.drivers.start(launch, marks, sender);
        // One that is dropped while it starts leaves no process.
        let driver = self.unless_pressed(starting).await.ok_or_else(interrupted)??;
        self.fold.new_driver();
        self.driver = Some(Running {
            driver,
            events,
            policy,
            stale: false,
            since: Instant::now(),
            killed: None,
        });
        self.tab.place = Place::Conversation;
        self.shared.tabs.set_alive(self.tab.id, true);
        self.show();
        tracing::info!(tab = %self.tab.id, agent = %self.agent.id, "a conversation's program was started");
        Ok(())
    }

    /// Tells the driver something, and takes what it reports meanwhile.
    async fn order(&mut self, order: Order) -> Result<Taken, Failure> {
        let crashed = || Failure {
            kind: FailureKind::Crashed,
            message: "The program of this conversation has ended.".to_owned(),
        };
        let Some(running) = self.driver.take() else { return Err(crashed()) };
        let Running { driver, mut events, policy, mut stale, since, mut killed } = running;
        let mut early = Vec::new();
        let mut hears = true;
        let result = {
            let is_interrupt = order == Order::Interrupt;
            let order = driver.order(order);
            tokio::pin!(order);
            // Behind one that was asked for already there is only the harder way.
            let mut presses = self.presses;
            let limit = tokio::time::sleep(if is_interrupt { HURRY } else { ORDER });
            tokio::pin!(limit);
            loop {
                if self.ending {
                    stale = true;
                    break Err(interrupted());
                }
                if self.presses > presses {
                    presses = self.presses;
                    if is_interrupt || presses > 1 {
                        killed = Some(Instant::now());
                        driver.kill();
                        break Err(interrupted());
                    }
                    let soon = Instant::now() + HURRY;
                    if limit.deadline() > soon {
                        limit.as_mut().reset(soon);
                    }
                }
                tokio::select! {
                    taken = &mut order => break taken,
                    // Kept, not taken: an end that comes before the answer is the next thing's.
                    event = events.recv(), if hears && early.len() < EVENTS => match event {
                        Some(event) => early.push(event),
                        // The answer may have been given before.
                        None => hears = false,
                    },
                    ask = self.asked.recv(), if !self.ending => match ask {
                        Some(ask) => self.interject(ask).await,
                        None => self.ending = true,
                    },
                    () = &mut limit => {
                        // It may take the order later, when that is not meant any more.
                        stale = true;
                        if self.presses > 0 {
                            killed = Some(Instant::now());
                            driver.kill();
                            break Err(interrupted());
                        }
                        break Err(Failure {
                            kind: FailureKind::Silent,
                            message: "The program takes no orders; end it with a second interrupt."
                                .to_owned(),
                        });
                    }
                }
            }
        };
        self.driver = Some(Running { driver, events, policy, stale, since, killed });
        for event in early {
            self.event(event).await;
        }
        result
    }

    /// The open turn ends, because the program could not be started or told.
    async fn fail(&mut self, failure: Failure) {
        let outcome = Outcome {
            session: None,
            text: String::new(),
            usage: Usage::default(),
            result: Err(failure),
        };
        self.ended(outcome).await;
    }

    async fn again(&mut self, done: oneshot::Sender<Result<(), Error>>) {
        let waits = matches!(self.tab.state, TabState::Limited { .. } | TabState::Retrying { .. });
        if !waits || self.fold.is_running() {
            let _ = done.send(Ok(()));
            return;
        }
        let last = self.last.clone();
        let Some(prompt) = last.filter(|_| !self.touched) else {
            // A part of it was done: to say it again would do that twice.
            self.set(TabState::Idle);
            self.save().await;
            self.show();
            queues::freed(&self.shared, self.agent.id);
            let _ = done.send(Ok(()));
            return;
        };
        match self.begin(prompt.clone(), None, true).await {
            Ok(_) => {
                let _ = done.send(Ok(()));
                self.speak(prompt).await;
            }
            Err(refused) => {
                let _ = done.send(Err(refused));
            }
        }
    }

    async fn retry(&mut self, done: oneshot::Sender<Result<Tab, Error>>) {
        if self.fold.is_running() {
            if !matches!(self.tab.state, TabState::Retrying { .. }) {
                let text = "a turn is open; interrupt it first to say it again";
                let _ = done.send(Err(refuse(ErrorKind::Busy, text)));
                return;
            }
            if self.touched {
                let text = "a part of this turn is done already, which saying it again would do twice; \
                            its program goes on by itself, or interrupt it first";
                let _ = done.send(Err(refuse(ErrorKind::Busy, text)));
                return;
            }
            return self.retry_now(done).await;
        }
        let Some(prompt) = self.last.clone() else {
            let text = "nothing was said here that could be said again";
            let _ = done.send(Err(refuse(ErrorKind::Invalid, text)));
            return;
        };
        match self.begin(prompt.clone(), None, true).await {
            Ok(_) => {
                let _ = done.send(Ok(self.tab.clone()));
                self.speak(prompt).await;
            }
            Err(refused) => {
                let _ = done.send(Err(refused));
            }
        }
    }

    /// The program of a turn waits by itself to try again, which cannot be made shorter: it is ended, and what
    /// was asked is said to a new one.
    async fn retry_now(&mut self, done: oneshot::Sender<Result<Tab, Error>>) {
        let state = self.tab.state.clone();
        if let Some(running) = &self.driver {
            running.driver.kill();
        }
        self.end_driver().await;
        if self.ending {
            return;
        }
        let Some(prompt) = self.last.clone().filter(|_| self.presses == 0) else {
            self.fail(interrupted()).await;
            let _ = done.send(Ok(self.tab.clone()));
            return;
        };
        let used = self.fold.usage();
        let outcome = Outcome {
            session: None,
            text: String::new(),
            usage: Usage::default(),
            result: Err(interrupted()),
        };
        let mut updates = Vec::new();
        self.fold.take(Event::Ended(outcome), now_ms(), &mut self.tab, &mut updates);
        self.add(updates);
        self.flush().await;
        usage::turn_ended(&self.shared, &self.tab, &used, self.model.as_deref());
        // It is never free between the two: nothing of the queue gets there first.
        self.tab.state = state;
        match self.begin(prompt.clone(), None, true).await {
            Ok(_) => {
                let _ = done.send(Ok(self.tab.clone()));
                self.speak(prompt).await;
            }
            Err(refused) => {
                self.set(TabState::Idle);
                queues::turn_ended(&self.shared, &self.tab, Over::Interrupted);
                self.shared.tabs.set_alive(self.tab.id, false);
                self.save().await;
                self.show();
                queues::freed(&self.shared, self.agent.id);
                let _ = done.send(Err(refused));
            }
        }
    }

    async fn rebuild(&mut self, done: oneshot::Sender<Result<Tab, Error>>) {
        let lost = matches!(
            &self.tab.state,
            TabState::Failed(Failure {
                kind: FailureKind::SessionMissing | FailureKind::Context,
                ..
            })
        );
        let Some(prompt) = self.last.clone().filter(|_| lost) else {
            let text =
                "only a session that its provider has lost, or that is full, is started over";
            let _ = done.send(Err(refuse(ErrorKind::Invalid, text)));
            return;
        };
        self.end_driver().await;
        let before = self.tab.session.take();
        match self.begin(prompt.clone(), None, true).await {
            Ok(_) => {
                let _ = done.send(Ok(self.tab.clone()));
                self.speak(prompt).await;
            }
            Err(refused) => {
                self.tab.session = before;
                let _ = done.send(Err(refused));
            }
        }
    }

    async fn interrupt(&mut self) -> Result<Tab, Error> {
        queues::interrupted(&self.shared, self.agent.id);
        if !self.fold.is_running() {
            // It may wait for a limit or a network: that ends, too.
            if self.tab.state.is_busy() || matches!(self.tab.state, TabState::Limited { .. }) {
                self.set(TabState::Idle);
                self.save().await;
                self.show();
                self.shared.tabs.set_alive(self.tab.id, self.driver.is_some());
                queues::freed(&self.shared, self.agent.id);
            }
            return Ok(self.tab.clone());
        }
        if self.tab.state == TabState::Interrupting {
            self.kill().await;
            return Ok(self.tab.clone());
        }
        self.set(TabState::Interrupting);
        self.show();
        self.soft_interrupt().await;
        Ok(self.tab.clone())
    }

    /// Asks the program to stop its turn, and ends it when it does not take that.
    async fn soft_interrupt(&mut self) {
        if let Err(failure) = self.order(Order::Interrupt).await
            && self.fold.is_running()
        {
            tracing::info!(tab = %self.tab.id, %failure, "an interrupt was not taken");
            self.kill().await;
        }
    }

    async fn answer(&mut self, id: &str, answer: Answer) -> Result<Tab, Error> {
        let Some(request) = self.tab.requests.iter().find(|request| request.id == id) else {
            let text = format!("{} does not ask that any more", self.tab.id);
            return Err(refuse(ErrorKind::NotFound, text));
        };
        if answer == Answer::Always && request.always.is_none() {
            let text = "there is no `always` for this request; allow it once";
            return Err(refuse(ErrorKind::Invalid, text));
        }
        let bytes = match &answer {
            Answer::Once | Answer::Always => 0,
            Answer::Deny(reason) => reason.len(),
            Answer::Choices(choices) => choices.iter().flatten().map(String::len).sum(),
        };
        if bytes > 64 << 10 {
            return Err(refuse(ErrorKind::Invalid, "an answer can have at most 64 KiB"));
        }
        let order = Order::Answer { request: id.to_owned(), answer: answer.clone() };
        let _ = self
            .order(order)
            .await
            .map_err(|failure| refuse(ErrorKind::Failed, failure.message))?;
        let mut updates = Vec::new();
        let _ = self.fold.answered(id, answer, now_ms(), &mut self.tab, &mut updates);
        self.add(updates);
        self.show();
        Ok(self.tab.clone())
    }

    async fn change(&mut self, change: TabChange) -> Result<Tab, Error> {
        let before = self.tab.clone();
        match change {
            TabChange::Title(Some(title)) => {
                let title = clean(&title, TITLE);
                if title.is_empty() {
                    return Err(refuse(ErrorKind::Invalid, "a title cannot be empty"));
                }
                self.tab.title = title;
                self.tab.named = true;
            }
            TabChange::Title(None) => {
                self.tab.named = false;
                self.tab.title = self.first_title().await;
            }
            TabChange::Starred(starred) => self.tab.starred = starred,
            TabChange::Unread(unread) => self.tab.unread = unread,
            TabChange::Closed(true) => {
                if self.fold.is_running() {
                    let text = "a turn is open in it; interrupt it first";
                    return Err(refuse(ErrorKind::Busy, text));
                }
                self.end_driver().await;
                if self.tab.state.is_busy() {
                    self.set(TabState::Idle);
                }
                self.tab.closed = true;
            }
            TabChange::Closed(false) => self.tab.closed = false,
            // Of all the agent's tabs: see the host's part.
            TabChange::Before(_) => {}
            TabChange::Policy(policy) => self.tab.policy = policy,
            TabChange::Model(model) => self.tab.model = model.map(|model| clean(&model, 200)),
            TabChange::Effort(effort) => self.tab.effort = effort.map(|effort| clean(&effort, 40)),
            TabChange::Resumes(resumes) => match &mut self.tab.state {
                TabState::Limited { until_ms: None, .. } if resumes => {
                    let text = "nobody knows when this limit ends; try again by hand";
                    return Err(refuse(ErrorKind::Invalid, text));
                }
                TabState::Limited { resumes: known, .. } => *known = resumes,
                _ => {
                    let text = format!("{} waits for no limit", self.tab.id);
                    return Err(refuse(ErrorKind::Invalid, text));
                }
            },
        }
        if self.tab == before {
            return Ok(before);
        }
        self.store().await.inspect_err(|_| self.tab.clone_from(&before))?;
        if let TabState::Limited { resumes, .. } = self.tab.state
            && self.tab.state != before.state
        {
            // As with every end of a turn: the queue first, then everybody.
            queues::resumes(&self.shared, &self.tab, resumes);
        }
        let mut orders = Vec::new();
        if self.tab.policy != before.policy {
            orders.push(Order::Policy(self.tab.policy));
        }
        if self.tab.model != before.model {
            orders.push(Order::Model(self.tab.model.clone()));
        }
        if self.tab.effort != before.effort {
            orders.push(Order::Effort(self.tab.effort.clone()));
        }
        for order in orders {
            if self.driver.is_none() {
                break;
            }
            let policy = match &order {
                Order::Policy(policy) => Some(*policy),
                _ => None,
            };
            let taken = self.order(order).await;
            let idle = !self.fold.is_running();
            match (taken, &mut self.driver) {
                (Ok(Taken::Now), Some(running)) => {
                    running.policy = policy.unwrap_or(running.policy);
                }
                // Between turns the program can be started anew at once; otherwise after the turn.
                (Ok(Taken::Restart), Some(running)) => {
                    running.stale = true;
                    if idle {
                        self.end_driver().await;
                    } else {
                        let mut updates = Vec::new();
                        let text = "This holds from the next turn on: the program has to be started \
                                    anew for it.";
                        self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
                        self.add(updates);
                    }
                }
                (Err(failure), _) => {
                    self.tab.policy = before.policy;
                    self.tab.model.clone_from(&before.model);
                    self.tab.effort.clone_from(&before.effort);
                    self.save().await;
                    self.show();
                    return Err(refuse(ErrorKind::Failed, failure.message));
                }
                (Ok(_), None) => {}
            }
        }
        self.show();
        if self.tab.closed != before.closed
            || self.tab.policy != before.policy
            || self.tab.state != before.state
        {
            queues::freed(&self.shared, self.agent.id);
        }
        Ok(self.tab.clone())
    }

    async fn first_title(&mut self) -> String {
        self.flush().await;
        let Some(log) = self.log.take() else { return String::new() };
        let read = block(move || {
            let first = log.prompts().last();
            let entry = first.and_then(|n| log.read(n + 1, 1, u64::MAX).ok()?.pop());
            Ok((log, entry))
        })
        .await;
        let Ok((log, entry)) = read else { return String::new() };
        self.log = Some(log);
        match entry.map(|entry| entry.body) {
            Some(Body::Prompt(prompt)) => title_of(&prompt),
            _ => String::new(),
        }
    }

    async fn page(&mut self, before: u64, most: u32) -> Result<Page, Error> {
        let log = self.log.take().ok_or_else(lost)?;
        let (store, id) = (self.shared.store.clone(), self.tab.id);
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(PAGE.0);
        let (log, entries, draft) = block(move || {
            let entries = log.read(before, most, PAGE.1);
            let draft = store.draft(id);
            Ok((log, entries, draft))
        })
        .await?;
        self.log = Some(log);
        let mut entries: Vec<Entry> = entries.map_err(|error| {
            refuse(ErrorKind::Failed, format!("the transcript cannot be read: {error}"))
        })?;
        for entry in entries.iter_mut().filter(|entry| entry.open) {
            // In the file only the beginning is in one piece.
            if let Some(grown) = self.fold.open_entry(entry.n) {
                entry.clone_from(grown);
            }
        }
        let draft = draft.unwrap_or_else(|error| {
            tracing::warn!(tab = %id, %error, "a draft cannot be read");
            None
        });
        Ok(Page { entries, total: self.tab.entries, draft })
    }

    async fn menu(&mut self, done: oneshot::Sender<Result<Menu, Error>>) {
        if let Some(menu) = self.shared.tabs.menu(self.tab.id) {
            let _ = done.send(Ok(menu));
            return;
        }
        if self.driver.is_none() {
            let free = !self.tab.closed
                && !self.is_moving()
                && !matches!(self.tab.place, Place::Terminal(_))
                && elsewhere(&self.shared, &self.tab).is_none()
                && !self.shared.is_stopping();
            if !free {
                let _ = done.send(Ok(plain_menu()));
                return;
            }
            if let Err(failure) = self.drive(self.tab.policy).await {
                let _ = done.send(Err(refuse(ErrorKind::Unsupported, failure.message)));
                return;
            }
        }
        self.menus.push((Instant::now() + MENU, done));
    }

    fn is_moving(&self) -> bool {
        self.moving.is_some_and(|until| Instant::now() < until)
    }

    async fn release(&mut self, place: Place) -> Result<Tab, Error> {
        if self.fold.is_running() {
            let text = format!(
                "a turn is open in {} ({}); wait for it or interrupt it",
                self.tab.id, self.tab.title
            );
            return Err(refuse(ErrorKind::Busy, text));
        }
        self.end_driver().await;
        self.tab.place = place;
        if let Place::Terminal(terminal) = place {
            let mut updates = Vec::new();
            let text = format!("The session goes on in the terminal {terminal}.");
            self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
            self.add(updates);
            self.flush().await;
        }
        self.store().await?;
        self.show();
        Ok(self.tab.clone())
    }

    async fn back(&mut self, session: Option<String>, stored: Vec<Entry>) -> Result<Tab, Error> {
        if self.fold.is_running() {
            return Ok(self.tab.clone());
        }
        // Its user may have gone to another one there.
        self.tab.session = session.or(self.tab.session.take());
        self.flush().await;
        let ours = self.page(u64::MAX, PAGE.0 as u32).await?.entries;
        let new = super::missing(&ours, stored, self.tab.entries);
        let mut updates = Vec::new();
        if let Place::Terminal(_) = self.tab.place {
            let text = "The session is back in the conversation.";
            self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
        }
        let last = new.iter().rev().find_map(|entry| match &entry.body {
            Body::Prompt(prompt) => Some(prompt.clone()),
            _ => None,
        });
        self.fold.merge(new, &mut self.tab, &mut updates);
        if let Some(last) = last {
            if self.tab.title.is_empty() {
                self.tab.title = title_of(&last);
            }
            self.last = Some(last);
            self.touched = true;
        }
        self.add(updates);
        self.flush().await;
        self.tab.place = Place::Nowhere;
        self.store().await?;
        self.show();
        queues::freed(&self.shared, self.agent.id);
        Ok(self.tab.clone())
    }

    async fn said(&mut self, turn: u64) -> Said {
        self.flush().await;
        let Some(log) = &self.log else { return Said::Maybe };
        if !log.has_turn(turn) {
            return Said::No;
        }
        let Ok(page) = self.page(u64::MAX, PAGE.0 as u32).await else { return Said::Maybe };
        let answered = page.entries.iter().any(|entry| {
            (entry.turn == turn
                && matches!(
                    entry.body,
                    Body::Text(_)
                        | Body::Thinking(_)
                        | Body::Tool(_)
                        | Body::Todo(_)
                        | Body::Request { .. }
                        | Body::Ended(_)
                ))
                || entry.turn > turn
        });
        if answered {
            return Said::Yes;
        }
        // Its provider writes a prompt down when it gets it.
        let prompt = page.entries.iter().rev().find_map(|entry| match &entry.body {
            Body::Prompt(prompt) if entry.turn == turn => Some(prompt.text.trim().to_owned()),
            _ => None,
        });
        let (Some(prompt), Some(session)) = (prompt, self.tab.session.clone()) else {
            return Said::Maybe;
        };
        let (shared, provider) = (Arc::clone(&self.shared), self.agent.provider);
        let stored = block(move || {
            Ok(super::stored(provider, &session, &shared.environment()).unwrap_or_default())
        });
        let last =
            stored.await.unwrap_or_default().into_iter().rev().find_map(|entry| match entry.body {
                Body::Prompt(prompt) => Some(prompt.text.trim().to_owned()),
                _ => None,
            });
        if last == Some(prompt) { Said::Yes } else { Said::Maybe }
    }

    /// The host stops, or the agent is stopped or removed.
    async fn stop(&mut self) {
        let stopping = self.shared.is_stopping();
        if !stopping && self.fold.is_running() {
            queues::interrupted(&self.shared, self.agent.id);
        }
        self.end_driver().await;
        if !stopping && self.fold.is_running() {
            self.fail(interrupted()).await;
        }
        if self.fold.is_running() {
            let mut updates = Vec::new();
            let why = "The host was stopped in the middle of this turn. What had come is kept; the \
                       session can go on.";
            self.fold.cut(why, now_ms(), &mut self.tab, &mut updates);
            self.add(updates);
        }
        self.flush().await;
        self.tab.place = Place::Nowhere;
        self.save().await;
        self.show();
        self.shared.tabs.set_alive(self.tab.id, false);
    }

    // ---- what the driver reports

    async fn event(&mut self, event: Event) {
        let now = now_ms();
        let mut updates = Vec::new();
        match event {
            Event::Menu(menu) => {
                self.shared.tabs.set_menu(self.tab.id, menu.clone());
                for (_, done) in self.menus.drain(..) {
                    let _ = done.send(Ok(menu.clone()));
                }
            }
            Event::Ended(outcome) => return self.ended(outcome).await,
            Event::Gone { stderr } => {
                let killed = self.driver.take().is_some_and(|running| running.killed.is_some());
                if self.fold.is_running() {
                    if killed {
                        self.fail(interrupted()).await;
                    } else {
                        let last = clean(maestro_core::text::end_of(&stderr, 400), 400);
                        let message = match last.as_str() {
                            "" => "Its program ended in the middle of the turn.".to_owned(),
                            last => format!("Its program ended in the middle of the turn: {last}"),
                        };
                        self.fail(Failure { kind: FailureKind::Crashed, message }).await;
                    }
                }
                self.fold.take(
                    Event::Gone { stderr: String::new() },
                    now,
                    &mut self.tab,
                    &mut updates,
                );
                self.add(updates);
                if self.tab.place == Place::Conversation {
                    self.tab.place = Place::Nowhere;
                }
                for (_, done) in self.menus.drain(..) {
                    let _ = done.send(Ok(plain_menu()));
                }
                self.shared.tabs.set_alive(self.tab.id, false);
                self.save().await;
                self.show();
                queues::freed(&self.shared, self.agent.id);
                return;
            }
            event => {
                self.touched |= touches(&event);
                if let Event::Session { model: Some(model), .. } = &event {
                    self.model = Some(model.clone());
                }
                let before = (self.tab.session.clone(), self.tab.policy, self.tab.requests.len());
                self.fold.take(event, now, &mut self.tab, &mut updates);
                self.add(updates);
                if before.0 != self.tab.session || before.1 != self.tab.policy {
                    // The next host resumes it by this.
                    self.save().await;
                }
                if before.2 != self.tab.requests.len() {
                    self.flush().await;
                    self.show();
                }
                self.show_soon();
                if self.pending_bytes > PENDING {
                    self.flush().await;
                }
                return;
            }
        }
        self.show_soon();
    }

    /// The end of a turn: in the file first, then the queue, then for everybody to see.
    async fn ended(&mut self, mut outcome: Outcome) {
        if !self.fold.is_running() {
            return;
        }
        self.presses = 0;
        let killed = self.driver.as_ref().is_some_and(|running| running.killed.is_some());
        if killed && outcome.result.is_err() {
            outcome.result = Err(interrupted());
        }
        let failure = outcome.result.as_ref().err().cloned();
        let so_far = match outcome.usage {
            nothing if nothing == Usage::default() => self.fold.usage(),
            told => told,
        };
        let mut updates = Vec::new();
        self.fold.take(Event::Ended(outcome), now_ms(), &mut self.tab, &mut updates);
        let used = updates
            .iter()
            .rev()
            .find_map(|update| match update {
                Update::Entry(Entry { body: Body::Ended(ended), .. }) => Some(ended.usage),
                _ => None,
            })
            .unwrap_or(so_far);
        self.add(updates);
        self.flush().await;
        let over = match failure {
            None => Over::Well,
            Some(failure) if failure.kind == FailureKind::Interrupted => Over::Interrupted,
            Some(failure) => {
                let failure = match &self.tab.state {
                    // With the reset that was told before.
                    TabState::Limited { until_ms, .. } => {
                        Failure { kind: FailureKind::Limit { resets_ms: *until_ms }, ..failure }
                    }
                    _ => failure,
                };
                let state = queues::judge(&self.shared, &self.tab, &failure, !self.touched);
                let waits = matches!(
                    state,
                    TabState::Retrying { .. } | TabState::Limited { resumes: true, .. }
                );
                self.set(state);
                if waits { Over::Waits } else { Over::Failed(failure) }
            }
        };
        queues::turn_ended(&self.shared, &self.tab, over);
        usage::turn_ended(&self.shared, &self.tab, &used, self.model.as_deref());
        self.save().await;
        if self.driver.as_ref().is_some_and(|running| running.stale) {
            self.end_driver().await;
        }
        if let Some(running) = &mut self.driver {
            running.since = Instant::now();
        }
        self.shared.tabs.set_alive(self.tab.id, self.driver.is_some());
        self.show();
        queues::freed(&self.shared, self.agent.id);
    }

    /// Ends the driver in order, and waits until its program is gone.
    async fn end_driver(&mut self) {
        let Some(running) = self.driver.take() else { return };
        let Running { driver, mut events, .. } = running;
        // What it still says has to be taken, or it could not end.
        let mut last = Vec::new();
        let closing = driver.close();
        tokio::pin!(closing);
        let mut open = true;
        loop {
            tokio::select! {
                () = &mut closing => break,
                event = events.recv(), if open => match event {
                    Some(event) => last.push(event),
                    None => open = false,
                },
                ask = self.asked.recv(), if !self.ending => match ask {
                    Some(ask) => self.interject(ask).await,
                    None => self.ending = true,
                },
            }
            if self.presses > 1 {
                // Dropped, it ends its program at once.
                break;
            }
            if last.len() >= EVENTS {
                for event in std::mem::take(&mut last) {
                    self.last_words(event);
                }
            }
        }
        while let Ok(event) = events.try_recv() {
            last.push(event);
        }
        for event in last {
            self.last_words(event);
        }
        if self.tab.place == Place::Conversation {
            self.tab.place = Place::Nowhere;
        }
        self.shared.tabs.set_alive(self.tab.id, self.fold.is_running());
        self.show_soon();
    }

    /// What a driver that is being closed still reports.
    fn last_words(&mut self, event: Event) {
        // The end of an open turn is told by whoever closes.
        if matches!(event, Event::Ended(_) | Event::Gone { .. } | Event::Menu(_)) {
            return;
        }
        let mut updates = Vec::new();
        self.fold.take(event, now_ms(), &mut self.tab, &mut updates);
        self.add(updates);
    }

    /// When something is to be done although nothing happens.
    fn rest_at(&self) -> Option<Instant> {
        let killed = self.driver.as_ref().and_then(|running| running.killed).map(|at| at + KILLED);
        let idle = self
            .driver
            .as_ref()
            .filter(|_| !self.fold.is_running())
            .map(|running| running.since + IDLE);
        let menu = self.menus.first().map(|(until, _)| *until);
        [killed, idle, menu].into_iter().flatten().min()
    }

    async fn rest(&mut self) {
        let now = Instant::now();
        while self.menus.first().is_some_and(|(until, _)| *until <= now) {
            let (_, done) = self.menus.remove(0);
            let _ = done.send(Ok(plain_menu()));
        }
        let Some(running) = &self.driver else { return };
        if running.killed.is_some_and(|at| at + KILLED <= now) {
            // Dropping it does what can be done.
            self.driver = None;
            self.event(Event::Gone { stderr: String::new() }).await;
            if self.fold.is_running() {
                self.fail(interrupted()).await;
            }
        } else if !self.fold.is_running() && running.since + IDLE <= now {
            self.end_driver().await;
            self.save().await;
            self.show();
        }
    }

    // ---- what others are told

    fn add(&mut self, updates: Vec<Update>) {
        if updates.is_empty() {
            return;
        }
        self.pending_bytes += updates
            .iter()
            .map(|update| match update {
                Update::Append { text, .. } => text.len(),
                Update::Entry(_) => 1024,
            })
            .sum::<usize>();
        self.pending.extend(updates);
        if self.tell_at.is_none() {
            self.tell_at = Some(Instant::now() + TELL);
        }
    }

    /// Writes what is pending, then tells it.
    async fn flush(&mut self) {
        self.tell_at = None;
        self.pending_bytes = 0;
        if self.pending.is_empty() {
            return;
        }
        let updates = coalesced(std::mem::take(&mut self.pending));
        let Some(mut log) = self.log.take() else { return };
        let written = block(move || {
            let result = log.write(&updates, false);
            Ok((log, updates, result))
        })
        .await;
        match written {
            Ok((log, updates, result)) => {
                self.log = Some(log);
                if let Err(error) = result {
                    self.shared.problem(
                        Some(self.agent.id),
                        format!("What is said in {} is not being kept: {error}", self.tab.id),
                    );
                }
                self.tell(&updates);
            }
            Err(error) => tracing::error!(tab = %self.tab.id, %error, "a transcript was lost"),
        }
    }

    fn tell(&mut self, updates: &[Update]) {
        let id = self.tab.id;
        self.followers.retain(|client| client.said(id, updates));
    }

    fn set(&mut self, state: TabState) {
        if self.tab.state != state {
            self.tab.state = state;
            self.tab.since_ms = now_ms();
        }
    }

    /// Everybody sees the tab as it is now.
    fn show(&mut self) {
        self.show_at = None;
        self.shown_at = Some(Instant::now());
        self.shared.world.set_tab(&self.tab);
        self.shared.watch_tab(&self.tab);
    }

    /// The same, but not too often.
    fn show_soon(&mut self) {
        if self.show_at.is_none() {
            let now = Instant::now();
            self.show_at = Some(self.shown_at.map_or(now, |at| (at + SHOW).max(now)));
        }
    }

    fn store(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let (store, tab) = (self.shared.store.clone(), self.tab.clone());
        block(move || store.put_tab(&tab).map_err(store_error))
    }

    /// The same where nobody waits for it.
    async fn save(&mut self) {
        if let Err(error) = self.store().await {
            self.shared.problem(
                Some(self.agent.id),
                format!("The tab {} is not being kept: {error}", self.tab.id),
            );
        }
    }
}

/// Whether a host before this one saw something of the last turn's work. What cannot be read counts as work.
fn was_touched(log: &Log, turn: u64) -> bool {
    let Some(prompt) = log.prompts().next() else { return true };
    let Ok(entries) = log.read(u64::MAX, PAGE.0, PAGE.1) else { return true };
    let whole = entries.first().is_some_and(|first| first.n <= prompt)
        && entries.iter().any(|entry| entry.n == prompt && entry.turn == turn);
    !whole || entries.iter().any(|entry| entry.n > prompt && works(&entry.body))
}

fn works(body: &Body) -> bool {
    matches!(body, Body::Text(_) | Body::Tool(_) | Body::Todo(_) | Body::Request { .. })
}

/// Whether something of the turn's work was done by then: to say its prompt again would do it twice.
fn touches(event: &Event) -> bool {
    match event {
        Event::Item { body, .. } => works(body),
        Event::Delta { part, .. } => *part != maestro_core::conversation::Part::Thinking,
        Event::Request(_) => true,
        _ => false,
    }
}

fn plain_menu() -> Menu {
    Menu { models: Vec::new(), commands: Vec::new(), policies: Policy::ALL.to_vec() }
}

fn interrupted() -> Failure {
    Failure { kind: FailureKind::Interrupted, message: "It was interrupted.".to_owned() }
}

fn unusable(message: String) -> Failure {
    Failure { kind: FailureKind::Unusable, message }
}

fn lost() -> Error {
    refuse(ErrorKind::Failed, "the transcript is not there any more; restart the host")
}

fn unwritten(error: &std::io::Error) -> Error {
    refuse(ErrorKind::Failed, format!("the prompt cannot be written down: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_whether_something_of_the_last_turn_was_done() {
        let prompt = || Body::Prompt(Prompt { text: "do".into(), ..Prompt::default() });
        let failed = || Body::Failed(interrupted());
        let said = || Body::Text("a".into());
        for (bodies, touched) in [
            (vec![(1, prompt()), (1, failed())], false),
            (vec![(1, prompt()), (1, Body::Thinking("hm".into())), (1, failed())], false),
            (vec![(1, prompt()), (1, said()), (1, failed())], true),
            (vec![(1, prompt()), (1, said()), (2, prompt()), (2, failed())], false),
            (vec![(1, said())], true),
            (vec![], true),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut found = Log::open(&folder.path().join("c1.jsonl")).expect("made");
            let turn = bodies.last().map_or(0, |(turn, _)| *turn);
            let updates: Vec<Update> = (0..)
                .zip(bodies)
                .map(|(n, (turn, body))| {
                    Update::Entry(Entry { n, turn, at_ms: 0, open: false, body })
                })
                .collect();
            found.log.write(&updates, false).expect("written");
            assert_eq!(was_touched(&found.log, turn), touched, "{updates:?}");
        }
    }
}
