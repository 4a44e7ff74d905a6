//! `maestro agent send`, `tabs`, `interrupt`, `approve`, `deny` and `why`: conversations from the command
//! line.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clap::{Args, Subcommand};
use maestro_core::agent::{Agent, Evidence, State};
use maestro_core::conversation::{
    Answer, Applied, Ask, Body, Context, Entry, Image, Place, Prompt, Request, Tab, TabState,
    ToolState, Transcript, Update,
};
use maestro_core::queue::Held;
use maestro_core::turn::Usage;
use maestro_core::{AgentId, ItemId, TabId, TerminalId};
use maestro_protocol::Incoming;
use maestro_protocol::message::{Command, Event, Reply, TabChange, World};
use serde_json::{Value, json};

use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};
use super::{Host, find_agent};
use crate::window::local;

/// The most bytes of a prompt from a file or the standard input.
const PROMPT: u64 = 1 << 20;
/// The most bytes of an image.
const IMAGE: u64 = maestro_protocol::message::IMAGE_LIMIT as u64;
/// How often a follower looks whether its user wants it to stop.
const LOOK: Duration = Duration::from_millis(100);

/// What is said to an agent in its conversations.
#[derive(Debug, Subcommand)]
pub enum Talk {
    /// Say something to it: at once, or after what waits already.
    Send(Send),
    /// Its conversations.
    Tabs {
        /// Its id or name.
        agent: String,
        /// The closed ones, too.
        #[arg(long)]
        all: bool,
    },
    /// Stop the turn of a conversation; again, it ends its processes.
    Interrupt(Which),
    /// Say again what was said last, now: after a failure, or instead of waiting for a limit or a network.
    Retry(Which),
    /// Whether it goes on by itself when the limit ends that it waits for.
    Resume {
        #[command(flatten)]
        which: Which,
        /// By itself, or only when somebody says so.
        #[arg(long, value_enum)]
        alone: Alone,
    },
    /// Allow what it asks for.
    Approve {
        #[command(flatten)]
        which: Which,
        /// And do not ask again, where the provider has such an answer.
        #[arg(long)]
        always: bool,
        /// What is chosen, for a question; one for each, in order. Several are separated by commas.
        #[arg(long, value_name = "ANSWER", conflicts_with = "always")]
        choose: Vec<String>,
    },
    /// Refuse what it asks for.
    Deny {
        #[command(flatten)]
        which: Which,
        /// What it is to do instead; the model reads it.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Why it is thought to be working, waiting, done, or whatever its state is.
    Why {
        /// Its id or name.
        agent: String,
    },
}

/// Whether something is done without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Alone {
    /// It goes on by itself.
    On,
    /// It waits until somebody says so.
    Off,
}

/// A conversation.
#[derive(Debug, Args)]
pub struct Which {
    /// The agent's id or name.
    agent: String,
    /// The conversation: its id or title. The one that it is about when absent.
    #[arg(long, short)]
    tab: Option<String>,
}

/// What is said.
#[derive(Debug, Args)]
pub struct Send {
    /// The agent's id or name.
    agent: String,
    /// The words; several are joined by blanks. From the standard input when absent, or `-`.
    prompt: Vec<String>,
    /// Read the words from a file.
    #[arg(long, short, value_name = "FILE", conflicts_with = "prompt")]
    file: Option<PathBuf>,
    /// In which conversation: its id or title. The one used last when absent.
    #[arg(long, short)]
    tab: Option<String>,
    /// In a new conversation.
    #[arg(long, conflicts_with = "tab")]
    new_tab: bool,
    /// Wait for the answer and print it. Ends with 0 only when the turn succeeded; Ctrl+C interrupts it.
    #[arg(long, short)]
    wait: bool,
    /// It may read and nothing else, in this turn.
    #[arg(long)]
    read_only: bool,
    /// An image that goes with it; may be repeated.
    #[arg(long, value_name = "FILE")]
    image: Vec<PathBuf>,
    /// Print one JSON object a line while it works.
    #[arg(long, requires = "wait")]
    jsonl: bool,
}

pub fn run(command: Talk, out: &mut Out) -> Result<()> {
    match command {
        Talk::Send(arguments) => send(arguments, out),
        Talk::Tabs { agent, all } => {
            let world = Host::running()?.world(false)?;
            let agent = find_agent(world.clone(), &agent)?;
            print_tabs(&tabs_of(&world, agent.id, all), out)
        }
        Talk::Interrupt(which) => {
            let mut host = Host::running()?;
            let tab = which.find(&mut host, "runs a turn", |tab| {
                tab.state.is_busy() || matches!(tab.state, TabState::Limited { .. })
            })?;
            changed(host.ask(Command::Interrupt { tab: tab.id })?, out)
        }
        Talk::Retry(which) => {
            let mut host = Host::running()?;
            let tab = which.find(&mut host, "could say something again", |tab| {
                matches!(
                    tab.state,
                    TabState::Limited { .. } | TabState::Retrying { .. } | TabState::Failed(_)
                )
            })?;
            changed(host.ask(Command::TryAgain { tab: tab.id })?, out)
        }
        Talk::Resume { which, alone } => {
            let mut host = Host::running()?;
            let tab = which.find(&mut host, "waits for a limit", |tab| {
                matches!(tab.state, TabState::Limited { .. })
            })?;
            let change = TabChange::Resumes(alone == Alone::On);
            changed(host.ask(Command::ChangeTab { tab: tab.id, change })?, out)
        }
        Talk::Approve { which, always, choose } => {
            let answer = if always {
                Answer::Always
            } else if choose.is_empty() {
                Answer::Once
            } else {
                Answer::Choices(choose.iter().map(|text| several(text)).collect())
            };
            answer_first(&which, answer, out)
        }
        Talk::Deny { which, reason } => answer_first(&which, Answer::Deny(reason), out),
        Talk::Why { agent } => {
            let mut host = Host::running()?;
            let agent = host.agent(&agent)?;
            match host.ask(Command::Why { agent: agent.id })? {
                Reply::Evidence(evidence) => print_evidence(&agent, &evidence, out),
                other => Err(unexpected(&other)),
            }
        }
    }
}

impl Which {
    /// The tab that was named, or the one of which something is true.
    fn find(&self, host: &mut Host, what: &str, fits: impl Fn(&Tab) -> bool) -> Result<Tab> {
        let world = host.world(false)?;
        let agent = find_agent(world.clone(), &self.agent)?;
        let tabs = tabs_of(&world, agent.id, true);
        if let Some(named) = &self.tab {
            return named_tab(tabs, named, &agent);
        }
        let mut fitting: Vec<Tab> = tabs.into_iter().filter(|tab| fits(tab)).collect();
        match fitting.len() {
            0 => Err(Failure::failed(format!("no conversation of {} {what}", agent.name))),
            1 => Ok(fitting.remove(0)),
            _ => {
                let ids: Vec<String> = fitting.iter().map(|tab| tab.id.to_string()).collect();
                Err(Failure::new(
                    Code::Usage,
                    format!("say which one, with --tab: {}", ids.join(", ")),
                ))
            }
        }
    }
}

/// Answers that are separated by commas.
fn several(text: &str) -> Vec<String> {
    text.split(',').map(|word| word.trim().to_owned()).collect()
}

fn answer_first(which: &Which, answer: Answer, out: &mut Out) -> Result<()> {
    let mut host = Host::running()?;
    let tab = which.find(&mut host, "asks for anything", |tab| !tab.requests.is_empty())?;
    let Some(request) = tab.requests.first() else {
        return Err(Failure::failed(format!("{} asks for nothing", tab.id)));
    };
    if let (Ask::Questions(questions), Answer::Once | Answer::Always) = (&request.ask, &answer) {
        let first = questions.first().map(|question| {
            let options: Vec<&str> =
                question.options.iter().map(|(option, _)| option.as_str()).collect();
            format!("{} ({})", question.text, options.join(", "))
        });
        let text = format!(
            "it has a question; answer with --choose: {}",
            output::plain(&first.unwrap_or_default())
        );
        return Err(Failure::new(Code::Usage, text));
    }
    let command = Command::Answer { tab: tab.id, request: request.id.clone(), answer };
    changed(host.ask(command)?, out)
}

fn changed(reply: Reply, out: &mut Out) -> Result<()> {
    match reply {
        Reply::Tab(tab) if out.json => out.value(&tab_value(&tab)),
        Reply::Tab(_) => Ok(()),
        other => Err(unexpected(&other)),
    }
}

pub fn tabs_of(world: &World, agent: AgentId, all: bool) -> Vec<Tab> {
    let own = world.tabs.iter().filter(|tab| tab.agent == agent && (all || !tab.closed));
    own.cloned().collect()
}

fn named_tab(tabs: Vec<Tab>, named: &str, agent: &Agent) -> Result<Tab> {
    let id = named.parse::<TabId>().ok();
    tabs.into_iter().find(|tab| Some(tab.id) == id || tab.title == named).ok_or_else(|| {
        Failure::failed(format!(
            "{} has no conversation `{named}`: `maestro agent tabs {}` shows them",
            agent.name, agent.name
        ))
    })
}

/// A tab as programs read it: ids as a person types them.
pub fn tab_value(tab: &Tab) -> Value {
    let mut value = serde_json::to_value(tab).unwrap_or(Value::Null);
    value["id"] = json!(tab.id.to_string());
    value["agent"] = json!(tab.agent.to_string());
    if let Place::Terminal(terminal) = tab.place {
        value["place"] = json!({ "terminal": terminal.to_string() });
    }
    value
}

fn print_tabs(tabs: &[Tab], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(tabs.iter().map(tab_value).collect::<Vec<_>>()));
    }
    let row = |tab: &Tab| {
        let mut title = tab.title.clone();
        if tab.starred {
            title = format!("★ {title}");
        }
        if tab.closed {
            title = format!("{title} (closed)");
        }
        let context = tab.context.and_then(Context::percent);
        vec![
            tab.id.to_string(),
            state(tab),
            tab.policy.title().to_owned(),
            place(tab),
            tab.turns.to_string(),
            context.map(|percent| format!("{percent} %")).unwrap_or_default(),
            title,
        ]
    };
    let rows: Vec<_> = tabs.iter().map(row).collect();
    out.table(
        &["TAB", "STATE", "POLICY", "OPEN IN", "TURNS", "CONTEXT", "TITLE"],
        &rows,
        "no conversations yet: `maestro agent send NAME WORDS` begins one",
    )
}

/// The terminal in which a tab's session is open, in its provider's own interface.
pub fn terminal_of(tab: &Tab) -> Option<TerminalId> {
    match tab.place {
        Place::Terminal(terminal) => Some(terminal),
        Place::Nowhere | Place::Conversation => None,
    }
}

/// Where a tab's session is open.
pub fn place(tab: &Tab) -> String {
    match tab.place {
        Place::Nowhere => String::new(),
        Place::Conversation => "conversation".to_owned(),
        Place::Terminal(terminal) => format!("terminal {terminal}"),
    }
}

/// What goes on in a tab, for people.
pub fn state(tab: &Tab) -> String {
    match &tab.state {
        TabState::Idle if tab.unread => "answered".to_owned(),
        TabState::Idle => "idle".to_owned(),
        TabState::Starting => "starting".to_owned(),
        TabState::Working(what) if what.is_empty() => "working".to_owned(),
        TabState::Working(what) => format!("working: {what}"),
        TabState::Asking => match tab.requests.first() {
            Some(request) => format!("asks: {}", question(request)),
            None => "asks".to_owned(),
        },
        TabState::Interrupting => "stopping".to_owned(),
        TabState::Retrying { because, until_ms, .. } => match until_ms {
            Some(until) => format!("tries again at {}: {because}", clock(*until)),
            None => format!("tries again: {because}"),
        },
        TabState::Limited { until_ms: Some(until), resumes: true } => {
            format!("limited until {}", clock(*until))
        }
        TabState::Limited { until_ms: Some(until), resumes: false } => {
            format!("limited until {}, and waits for you then", clock(*until))
        }
        TabState::Limited { until_ms: None, .. } => "limited".to_owned(),
        TabState::Failed(failure) => format!("failed: {}", failure.message),
    }
}

/// A time by the user's own clock, as the window says it.
pub fn clock(at_ms: u64) -> String {
    local::clock(at_ms, output::now_ms())
}

fn question(request: &Request) -> String {
    match &request.ask {
        Ask::Command { command, .. } => format!("may it run `{command}`?"),
        Ask::Edit(changes) => {
            let files: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
            format!("may it change {}?", files.join(", "))
        }
        Ask::Tool { name, .. } => format!("may it use {name}?"),
        Ask::Plan(_) => "is its plan good?".to_owned(),
        Ask::Questions(questions) => {
            questions.first().map(|question| question.text.clone()).unwrap_or_default()
        }
    }
}

fn print_evidence(agent: &Agent, evidence: &[Evidence], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!({
            "agent": agent.id.to_string(),
            "attention": agent.attention,
            "evidence": evidence,
        }));
    }
    let because = match agent.attention.because.as_str() {
        "" => String::new(),
        because => format!(": {}", output::plain(because)),
    };
    let name = output::plain(&agent.name);
    let is = if agent.attention.state == State::NeedsYou { "" } else { "is " };
    out.line(&format!("{name} {is}{}{because}", output::word(&agent.attention.state)))?;
    let row = |evidence: &Evidence| {
        vec![
            if evidence.decides { "→".to_owned() } else { String::new() },
            output::ago(evidence.at_ms),
            output::word(&evidence.state),
            output::word(&evidence.source),
            evidence.seen.clone(),
        ]
    };
    let rows: Vec<_> = evidence.iter().map(row).collect();
    out.table(&["", "WHEN", "SAYS", "FROM", "SEEN"], &rows, "nothing was seen of it yet")
}

fn send(arguments: Send, out: &mut Out) -> Result<()> {
    let text = words(&arguments)?;
    let images = arguments.image.iter().map(|file| read_image(file)).collect::<Result<Vec<_>>>()?;
    let mut host = Host::on_demand()?;
    // Followed from before it is said, so that nothing is missed.
    let world = host.world(arguments.wait)?;
    let agent = find_agent(world.clone(), &arguments.agent)?;
    let tabs = tabs_of(&world, agent.id, arguments.tab.is_some());
    let tab = match &arguments.tab {
        Some(named) => named_tab(tabs, named, &agent)?,
        None if arguments.new_tab => new_tab(&mut host, agent.id)?,
        None => match tabs.into_iter().max_by_key(|tab| tab.used_ms) {
            Some(tab) => tab,
            None => new_tab(&mut host, agent.id)?,
        },
    };
    let images = images
        .into_iter()
        .map(|bytes| match host.ask(Command::KeepImage { bytes })? {
            Reply::Image(image) => Ok(image),
            other => Err(unexpected(&other)),
        })
        .collect::<Result<Vec<Image>>>()?;
    let prompt = Prompt { text, images, read_only: arguments.read_only };
    if arguments.wait {
        match host.ask(Command::OpenTab { tab: tab.id, last: 0, follow: true })? {
            Reply::Entries(_) => {}
            other => return Err(unexpected(&other)),
        }
    }
    let command =
        Command::Send { tab: tab.id, prompt: prompt.clone(), token: token(), typed: false };
    let item = match host.ask(command)? {
        Reply::Sent(item) => item,
        other => return Err(unexpected(&other)),
    };
    if let Some(terminal) = terminal_of(&tab) {
        // Not an error: it is said as soon as the session is back.
        eprintln!(
            "maestro: this session is open in the terminal {terminal}; the prompt waits as {item} \
             until it is taken back into the conversation (in the window) or that terminal ends \
             (`maestro terminal close {terminal}`)"
        );
    }
    if !arguments.wait {
        if out.json {
            let value = json!({ "tab": tab.id.to_string(), "item": item.to_string() });
            return out.value(&value);
        }
        return out.line(&tab.id.to_string());
    }
    let mut follower = Follower {
        host,
        agent,
        tab: tab.id,
        item,
        prompt,
        turn: None,
        from: tab.turns,
        copy: Transcript::default(),
        printed: HashMap::new(),
        told: Vec::new(),
        jsonl: arguments.jsonl,
        line_open: false,
        interrupts: 0,
    };
    let pressed = interrupts()?;
    let followed = follower.follow(&pressed, out);
    follower.end_line(out)?;
    followed
}

fn new_tab(host: &mut Host, agent: AgentId) -> Result<Tab> {
    match host.ask(Command::NewTab { agent, session: None, title: None })? {
        Reply::Tab(tab) => Ok(*tab),
        other => Err(unexpected(&other)),
    }
}

fn words(arguments: &Send) -> Result<String> {
    let unreadable = |what: String, error: std::io::Error| {
        Failure::failed(format!("{what} cannot be read: {error}"))
    };
    let mut text = String::new();
    if let Some(file) = &arguments.file {
        let shown = || file.display().to_string();
        let opened = std::fs::File::open(file).map_err(|error| unreadable(shown(), error))?;
        let _ = opened
            .take(PROMPT + 1)
            .read_to_string(&mut text)
            .map_err(|error| unreadable(shown(), error))?;
    } else if arguments.prompt.is_empty() || arguments.prompt == ["-"] {
        let _ = std::io::stdin()
            .take(PROMPT + 1)
            .read_to_string(&mut text)
            .map_err(|error| unreadable("the standard input".to_owned(), error))?;
    } else {
        text = arguments.prompt.join(" ");
    }
    if text.len() as u64 > PROMPT {
        return Err(Failure::new(Code::Usage, "a prompt can have at most 1 MiB"));
    }
    if text.trim().is_empty() && arguments.image.is_empty() {
        return Err(Failure::new(Code::Usage, "there is nothing to say: the prompt is empty"));
    }
    Ok(text)
}

fn read_image(file: &std::path::Path) -> Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| {
        Failure::failed(format!("{} cannot be read: {error}", file.display()))
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    let _ = opened.take(IMAGE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > IMAGE {
        let text = format!("{} is larger than {} MiB", file.display(), IMAGE >> 20);
        return Err(Failure::new(Code::Usage, text));
    }
    Ok(bytes)
}

/// A word that no other request has.
fn token() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = || std::hash::RandomState::new().build_hasher().finish();
    format!("cli-{:016x}{:016x}", random(), random())
}

/// Counts how often its user pressed Ctrl+C, instead of ending.
pub(super) fn interrupts() -> Result<Arc<AtomicU32>> {
    let pressed = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&pressed);
    // A runtime for this one signal, on a thread of its own: there is no other safe way to hear it.
    let listen = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                let _ = count.fetch_add(1, Ordering::Relaxed);
            }
        });
    };
    let started = std::thread::Builder::new().name("interrupts".to_owned()).spawn(listen);
    let _ = started.map_err(|error| Failure::failed(format!("no thread can be had: {error}")))?;
    Ok(pressed)
}

/// Waits for the end of what was said.
struct Follower {
    host: Host,
    agent: Agent,
    tab: TabId,
    item: ItemId,
    prompt: Prompt,
    turn: Option<u64>,
    /// The tab's turns before.
    from: u64,
    copy: Transcript,
    /// Bytes of each entry that were printed.
    printed: HashMap<u64, usize>,
    /// Requests that were told.
    told: Vec<String>,
    jsonl: bool,
    /// Whether the last line that was printed has no end yet.
    line_open: bool,
    interrupts: u32,
}

impl Follower {
    fn follow(&mut self, pressed: &AtomicU32, out: &mut Out) -> Result<()> {
        loop {
            let presses = pressed.load(Ordering::Relaxed);
            if presses > self.interrupts {
                self.interrupts = presses;
                if presses > 2 {
                    return Err(Failure::failed("left; the turn may go on"));
                }
                self.host.tell(Command::Interrupt { tab: self.tab })?;
                if self.turn.is_none() {
                    let text = format!(
                        "interrupted before it was said; it waits as {} in the queue",
                        self.item
                    );
                    return Err(Failure::failed(text));
                }
            }
            match self.host.client.next(Some(LOOK)) {
                Ok(Incoming::Said { tab, updates }) if tab == self.tab => {
                    for update in updates {
                        if let Some(end) = self.take(update, out)? {
                            return self.ended(&end, out);
                        }
                    }
                }
                Ok(Incoming::Event { event, .. }) => self.event(event, out)?,
                Ok(Incoming::Lagged) => {
                    if let Some(end) = self.reopen(out)? {
                        return self.ended(&end, out);
                    }
                }
                Ok(Incoming::Closed(why)) => return Err(Failure::failed(why)),
                Ok(_) => {}
                Err(maestro_protocol::client::Error::TimedOut(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives back the entry with which the turn ended.
    fn take(&mut self, update: Update, out: &mut Out) -> Result<Option<Entry>> {
        let n = match self.copy.apply(update) {
            Applied::Added(n) | Applied::Changed(n) => n,
            Applied::Nothing => return Ok(None),
            Applied::Stale(_) | Applied::Gap => return self.reopen(out),
        };
        let Some(entry) = self.copy.get(n).cloned() else { return Ok(None) };
        if self.turn.is_none()
            && entry.turn > self.from
            && matches!(&entry.body, Body::Prompt(prompt) if *prompt == self.prompt)
        {
            self.turn = Some(entry.turn);
        }
        if self.turn != Some(entry.turn) {
            return Ok(None);
        }
        self.print(&entry, out)?;
        let over = matches!(entry.body, Body::Ended(_) | Body::Failed(_));
        Ok(over.then_some(entry))
    }

    fn reopen(&mut self, out: &mut Out) -> Result<Option<Entry>> {
        // What was not heard may have been that the queue is held now, or that it asks.
        let world = self.host.world(true)?;
        for tab in world.tabs {
            self.event(Event::Tab(Box::new(tab)), out)?;
        }
        for queue in world.queues {
            self.event(Event::Queue(Box::new(queue)), out)?;
        }
        let command = Command::OpenTab { tab: self.tab, last: 500, follow: true };
        let page = match self.host.ask(command)? {
            Reply::Entries(page) => page,
            other => return Err(unexpected(&other)),
        };
        self.copy = Transcript::default();
        for entry in page.entries {
            if let Some(end) = self.take(Update::Entry(entry), out)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn event(&mut self, event: Event, out: &mut Out) -> Result<()> {
        match event {
            Event::Tab(tab) if tab.id == self.tab => {
                for request in &tab.requests {
                    if self.turn.is_some() && !self.told.contains(&request.id) {
                        self.told.push(request.id.clone());
                        let text = format!(
                            "{} — answer with `maestro agent approve {}` or `deny`",
                            output::plain(&question(request)),
                            output::plain(&self.agent.name)
                        );
                        self.aside(&text, out)?;
                    }
                }
                Ok(())
            }
            Event::TabRemoved(tab) if tab == self.tab => {
                Err(Failure::failed(format!("{} was removed", self.agent.name)))
            }
            Event::Queue(queue) if queue.agent == self.agent.id && self.turn.is_none() => {
                let waits = queue.items.iter().any(|item| item.id == self.item);
                match &queue.held {
                    Some(held) if waits => Err(Failure::failed(format!(
                        "the queue of {} is held ({}); the prompt waits there as {}",
                        self.agent.name,
                        held_because(held),
                        self.item
                    ))),
                    _ => Ok(()),
                }
            }
            Event::HostStopping => Err(Failure::failed("the host is stopping; the turn is cut")),
            _ => Ok(()),
        }
    }

    fn print(&mut self, entry: &Entry, out: &mut Out) -> Result<()> {
        if self.jsonl {
            // Whole entries when they are done; text in pieces would make each reader put it together.
            return if entry.open { Ok(()) } else { out.json_line(&json!(entry)) };
        }
        if out.json {
            return Ok(());
        }
        match &entry.body {
            Body::Text(text) => {
                let printed = self.printed.entry(entry.n).or_default();
                if *printed == 0 && !text.is_empty() && self.line_open {
                    out.bytes(b"\n")?;
                }
                // What was told anew may be another text; what was printed cannot be taken back.
                if let Some(more) = text.get(*printed..).filter(|more| !more.is_empty()) {
                    *printed = text.len();
                    self.line_open = !more.ends_with('\n');
                    out.bytes(output::printable(more).as_bytes())?;
                }
            }
            Body::Tool(tool)
                if tool.state != ToolState::Running
                    && self.printed.insert(entry.n, 1).is_none() =>
            {
                let title = if tool.title.is_empty() { &tool.name } else { &tool.title };
                let how = match tool.state {
                    ToolState::Failed => " (failed)",
                    ToolState::Denied => " (refused)",
                    ToolState::Cut => " (cut)",
                    _ => "",
                };
                let text = output::plain(&format!("{}: {title}{how}", tool.name));
                self.aside(&text, out)?;
            }
            Body::Notice(text) => self.aside(&output::plain(text), out)?,
            _ => {}
        }
        Ok(())
    }

    /// Something beside the answer, on a line of its own where both are seen.
    fn aside(&mut self, text: &str, out: &mut Out) -> Result<()> {
        // An answer that goes into a file is not broken where a notice came.
        if std::io::stdout().is_terminal() {
            self.end_line(out)?;
        }
        let _ = writeln!(std::io::stderr(), "maestro: {text}");
        Ok(())
    }

    /// Ends the line that was begun, if one was.
    fn end_line(&mut self, out: &mut Out) -> Result<()> {
        if std::mem::take(&mut self.line_open) { out.bytes(b"\n") } else { Ok(()) }
    }

    fn ended(&mut self, end: &Entry, out: &mut Out) -> Result<()> {
        self.end_line(out)?;
        let (result, usage) = match &end.body {
            Body::Ended(ended) if ended.interrupted => {
                (Err(Failure::failed("the turn was interrupted")), ended.usage)
            }
            Body::Ended(ended) => (Ok(()), ended.usage),
            Body::Failed(failure) => {
                (Err(Failure::failed(output::plain(&failure.message))), Usage::default())
            }
            _ => (Ok(()), Usage::default()),
        };
        if out.json && !self.jsonl {
            let answer: Vec<&str> = self
                .copy
                .iter()
                .filter(|entry| Some(entry.turn) == self.turn)
                .filter_map(|entry| match &entry.body {
                    Body::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            out.value(&json!({
                "tab": self.tab.to_string(),
                "turn": self.turn,
                "text": answer.join("\n\n"),
                "usage": usage,
                "end": end.body,
            }))?;
        }
        result
    }
}

/// Why a queue stands still, for people.
fn held_because(held: &Held) -> String {
    match held {
        Held::ByUser => "by its user".to_owned(),
        Held::AfterRestart => "after the host was restarted".to_owned(),
        Held::AfterFailure(why) => output::plain(why),
        Held::AfterInterrupt => "after an interrupt".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ() {
        assert_ne!(token(), token());
    }
}
