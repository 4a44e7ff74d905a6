//! Drivers that a test plays by hand.

use std::ffi::OsString;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use maestro_agents::drive::{Launch, Order, Taken};
use maestro_core::agent::Provider;
use maestro_core::conversation::{
    Ask, Body, Entry, Event, Part, Prompt, Request, Tab, Tool, ToolKind, ToolState, Update,
};
use maestro_core::turn::{Failure, FailureKind, Outcome, Usage};
use maestro_core::{AgentId, TabId};
use maestro_engine::conversation::drivers::{Boxed, Driven, Drivers, Step};
use maestro_engine::host::{Host, HostOptions};
use maestro_protocol::message::{Command, Error, NewAgent, Page, Reply};
use tokio::sync::{mpsc, oneshot, watch};

use crate::harness::{Place, User, provider, within};

/// Starts drivers that wait to be played.
#[derive(Debug)]
struct Stage {
    started: mpsc::UnboundedSender<Player>,
    refuse: AtomicBool,
    hang: AtomicBool,
    before: Before,
}

type Look = dyn Fn(TabId, Step) + Send + Sync;

/// What a test does before each step of a turn.
#[derive(Default)]
struct Before(OnceLock<Box<Look>>);

impl fmt::Debug for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Before")
    }
}

/// The test's end of a driver.
#[derive(Debug)]
pub struct Player {
    pub launch: Launch,
    pub marks: Vec<(OsString, OsString)>,
    pub events: mpsc::Sender<Event>,
    pub orders: mpsc::UnboundedReceiver<(Order, oneshot::Sender<Result<Taken, Failure>>)>,
    pub closed: watch::Receiver<bool>,
    pub killed: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Played {
    orders: mpsc::UnboundedSender<(Order, oneshot::Sender<Result<Taken, Failure>>)>,
    closed: watch::Sender<bool>,
    killed: watch::Sender<bool>,
}

impl Drivers for Stage {
    fn before(&self, tab: TabId, step: Step) {
        if let Some(look) = self.before.0.get() {
            look(tab, step);
        }
    }

    fn start(
        &self,
        launch: Launch,
        marks: Vec<(OsString, OsString)>,
        events: mpsc::Sender<Event>,
    ) -> Boxed<'static, Result<Box<dyn Driven>, Failure>> {
        let (orders, received) = mpsc::unbounded_channel();
        let (closed, closes) = watch::channel(false);
        let (killed, kills) = watch::channel(false);
        let refused = self.refuse.load(Ordering::SeqCst);
        let hangs = self.hang.load(Ordering::SeqCst);
        let player =
            Player { launch, marks, events, orders: received, closed: closes, killed: kills };
        if !refused {
            let _ = self.started.send(player);
        }
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            if refused {
                return Err(failure(FailureKind::Unusable, "it is not installed"));
            }
            Ok(Box::new(Played { orders, closed, killed }) as Box<dyn Driven>)
        })
    }
}

impl Driven for Played {
    fn order(&self, order: Order) -> Boxed<'_, Result<Taken, Failure>> {
        let (answer, answered) = oneshot::channel();
        let sent = self.orders.send((order, answer));
        Box::pin(async move {
            let gone = || failure(FailureKind::Crashed, "the program is gone");
            sent.map_err(|_| gone())?;
            answered.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn close(self: Box<Self>) -> Boxed<'static, ()> {
        let _ = self.closed.send_replace(true);
        Box::pin(async {})
    }

    fn kill(&self) {
        let _ = self.killed.send_replace(true);
    }
}

impl Player {
    /// The next order.
    pub async fn order(&mut self) -> (Order, oneshot::Sender<Result<Taken, Failure>>) {
        within("an order", self.orders.recv()).await.expect("the driver lives")
    }

    /// The next order, which is taken.
    pub async fn takes(&mut self) -> Order {
        let (order, answer) = self.order().await;
        let _ = answer.send(Ok(Taken::Now));
        order
    }

    /// The next prompt, which is taken.
    pub async fn hears(&mut self) -> Prompt {
        match self.takes().await {
            Order::Say(prompt) => prompt,
            other => panic!("no prompt: {other:?}"),
        }
    }

    pub async fn tells(&self, event: Event) {
        within("an event is taken", self.events.send(event)).await.expect("somebody listens");
    }

    pub async fn writes(&self, key: &str, text: &str) {
        let key = key.to_owned();
        self.tells(Event::Delta { key, part: Part::Text, text: text.to_owned() }).await;
    }

    pub async fn asks(&self, id: &str, always: Option<&str>) {
        self.tells(Event::Request(Request {
            id: id.into(),
            call: None,
            ask: Ask::Command { command: "rm -r build".into(), directory: None },
            why: "to begin anew".into(),
            always: always.map(Into::into),
            asked_ms: 1,
        }))
        .await;
    }

    pub async fn ends(&self, result: Result<(), FailureKind>) {
        self.tells(ended(result)).await;
    }

    /// A whole turn that says one thing.
    pub async fn answers(&mut self, text: &str) -> Prompt {
        let prompt = self.hears().await;
        self.tells(Event::Session { id: "s-1".into(), model: None }).await;
        self.writes("m", text).await;
        self.ends(Ok(())).await;
        prompt
    }

    pub async fn until_closed(&mut self) {
        let _ = within("it is closed", self.closed.wait_for(|closed| *closed)).await;
    }

    pub async fn until_killed(&mut self) {
        let _ = within("it is killed", self.killed.wait_for(|killed| *killed)).await;
    }
}

pub fn failure(kind: FailureKind, message: &str) -> Failure {
    Failure { kind, message: message.into() }
}

pub fn ended(result: Result<(), FailureKind>) -> Event {
    Event::Ended(Outcome {
        session: None,
        text: String::new(),
        usage: Usage { input_tokens: 100, output_tokens: 10, ..Usage::default() },
        result: result.map_err(|kind| failure(kind, "so it ended")),
    })
}

pub fn tool(state: ToolState, output: &str) -> Tool {
    Tool {
        call: "t".into(),
        name: "Bash".into(),
        kind: ToolKind::Shell,
        title: "cargo test".into(),
        input: "{}".into(),
        output: output.into(),
        state,
        exit: None,
        changes: Vec::new(),
        started_ms: 0,
        ended_ms: None,
        parent: None,
    }
}

/// A host whose conversations the test plays.
pub struct Theatre {
    pub place: Place,
    pub host: Host,
    pub user: User,
    pub agent: AgentId,
    players: mpsc::UnboundedReceiver<Player>,
    stage: Arc<Stage>,
}

impl Theatre {
    pub async fn new() -> Self {
        Self::at(Place::new(), Provider::Claude).await
    }

    /// A host in a place, with an agent that was there before or is made.
    pub async fn at(place: Place, kind: Provider) -> Self {
        Self::with(place, kind, |_| {}).await
    }

    /// The same with other options.
    pub async fn with(place: Place, kind: Provider, change: impl FnOnce(&mut HostOptions)) -> Self {
        let (started, players) = mpsc::unbounded_channel();
        let stage = Arc::new(Stage {
            started,
            refuse: AtomicBool::new(false),
            hang: AtomicBool::new(false),
            before: Before::default(),
        });
        let program = place.script("agent", "cat");
        let drivers = Arc::clone(&stage);
        let host = place
            .host_with(|options: &mut HostOptions| {
                options.detected = vec![provider(kind, program)];
                options.drivers = Some(drivers);
                change(options);
            })
            .await;
        let user = User::of(&host).await;
        let known = user.world(false).await.agents.first().map(|agent| agent.id);
        let agent = match known {
            Some(agent) => agent,
            None => {
                let new = NewAgent {
                    provider: kind,
                    name: Some("api".into()),
                    directory: place.folder("work"),
                    branch: None,
                    size: maestro_core::screen::Size::new(80, 24),
                    start: false,
                };
                user.agent(Command::NewAgent(new)).await.expect("it is made").id
            }
        };
        Self { place, host, user, agent, players, stage }
    }

    pub fn refuse_starts(&self, refuse: bool) {
        self.stage.refuse.store(refuse, Ordering::SeqCst);
    }

    /// Does this before each step of a turn from now on.
    pub fn before_steps(&self, look: impl Fn(TabId, Step) + Send + Sync + 'static) {
        assert!(self.stage.before.0.set(Box::new(look)).is_ok(), "once");
    }

    /// Drivers that are started from now on are never there.
    pub fn hang_starts(&self, hang: bool) {
        self.stage.hang.store(hang, Ordering::SeqCst);
    }

    pub async fn player(&mut self) -> Player {
        within("a driver is started", self.players.recv()).await.expect("the stage stands")
    }

    /// Whether a driver was started that nobody has seen.
    pub fn started_another(&mut self) -> bool {
        self.players.try_recv().is_ok()
    }

    pub async fn new_tab(&self) -> TabId {
        let command = Command::NewTab { agent: self.agent, session: None, title: None };
        self.tab_reply(command).await.expect("a tab").id
    }

    pub async fn tab_reply(&self, command: Command) -> Result<Tab, Error> {
        self.user.ask(command).await.map(|reply| match reply {
            Reply::Tab(tab) => *tab,
            other => panic!("no tab: {other:?}"),
        })
    }

    pub async fn send(&self, tab: TabId, text: &str) -> Result<Reply, Error> {
        let prompt = Prompt { text: text.into(), ..Prompt::default() };
        self.send_prompt(tab, prompt).await
    }

    pub async fn send_prompt(&self, tab: TabId, prompt: Prompt) -> Result<Reply, Error> {
        let token = format!("{tab}-{}-{:?}", prompt.text, std::time::Instant::now());
        self.user.ask(Command::Send { tab, prompt, token, typed: false }).await
    }

    pub async fn tab(&self, tab: TabId) -> Tab {
        let world = self.user.world(false).await;
        world.tabs.into_iter().find(|known| known.id == tab).expect("the tab")
    }

    /// Waits until a tab is as wanted.
    pub async fn until(&self, tab: TabId, what: &str, is: impl Fn(&Tab) -> bool) -> Tab {
        let look = async {
            loop {
                let known = self.tab(tab).await;
                if is(&known) {
                    return known;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        within(what, look).await
    }

    pub async fn page(&self, tab: TabId, last: u32, follow: bool) -> Page {
        match self.user.ask(Command::OpenTab { tab, last, follow }).await {
            Ok(Reply::Entries(page)) => *page,
            other => panic!("no entries: {other:?}"),
        }
    }

    pub async fn entries(&self, tab: TabId) -> Vec<Entry> {
        self.page(tab, 1_000, false).await.entries
    }

    /// What was said, for people.
    pub async fn said(&self, tab: TabId) -> Vec<String> {
        self.entries(tab).await.iter().map(|entry| shown(&entry.body)).collect()
    }

    /// Waits until what was said ends with this.
    pub async fn until_said(&self, tab: TabId, last: &str) {
        let look = async {
            while self.said(tab).await.last().is_none_or(|said| said != last) {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        within(last, look).await;
    }
}

/// An entry in a few words.
pub fn shown(body: &Body) -> String {
    match body {
        Body::Prompt(prompt) => format!("> {}", prompt.text),
        Body::Text(text) => text.clone(),
        Body::Thinking(text) => format!("({text})"),
        Body::Tool(tool) => format!("{} {:?}", tool.title, tool.state),
        Body::Todo(items) => format!("{} items", items.len()),
        Body::Request { answer, .. } => format!("? {answer:?}"),
        Body::Notice(text) => format!("- {text}"),
        Body::Failed(failure) => format!("failed {:?}", failure.kind),
        Body::Ended(ended) if ended.interrupted => "interrupted".into(),
        Body::Ended(_) => "ended".into(),
        Body::Raw(line) => format!("raw {line}"),
    }
}

/// What a follower has of a tab, put together.
pub fn copy(
    page: Page,
    tab: TabId,
    said: &[(TabId, Update)],
) -> maestro_core::conversation::Transcript {
    let mut copy = maestro_core::conversation::Transcript::new(page.entries);
    for (_, update) in said.iter().filter(|(of, _)| *of == tab) {
        let _ = copy.apply(update.clone());
    }
    copy
}
