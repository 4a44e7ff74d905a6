//! A host in a folder of its own, and clients that remember what they were told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maestro_agents::{Detected, Environment};
use maestro_core::agent::{Agent, Provider};
use maestro_core::conversation::Update;
use maestro_core::input::{Action, Code, Input, Key, Mods};
use maestro_core::screen::{Frame, Row, Size};
use maestro_core::{AgentId, TabId, TerminalId};
use maestro_engine::host::{Host, HostOptions};
use maestro_protocol::message::{
    Command, Error, Event, NewAgent, NewTerminal, Reply, Screen, TerminalInfo, World,
};
use maestro_protocol::{Client, Home, Incoming};
use maestro_pty::Grace;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

/// How long anything may take before a test gives up. Far more than it needs.
pub const DEADLINE: Duration = Duration::from_secs(40);

pub struct Place {
    pub root: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a folder") }
    }

    pub fn home(&self) -> Home {
        Home::at(self.root.path().join("home")).expect("absolute")
    }

    /// Puts the home folder on a file system of its own with little room, where that can be mounted.
    pub fn small_home(&self, size: &str) -> Option<Disk> {
        let path = self.folder("home");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs"])
            .arg(&path)
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(Disk { path })
    }

    /// What a user writes into the settings.
    pub fn set(&self, key: &str, value: &str) {
        let setting = maestro_core::settings::find(key).expect("a setting");
        let value = setting.parse(value).expect("a value");
        let file = maestro_engine::settings::path(&self.home());
        let _ = maestro_engine::settings::set(&file, setting, None, Some(&value)).expect("set");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("made");
        path
    }

    /// A script that can stand for a provider's program.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
        path
    }

    pub fn options(&self) -> HostOptions {
        let environment = Environment::from_vars([
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", self.folder("user").into_os_string()),
            ("SHELL", "/bin/sh".into()),
        ]);
        HostOptions {
            listen: false,
            idle: None,
            grace: Grace {
                hangup: Duration::from_millis(300),
                terminate: Duration::from_millis(300),
            },
            parsers: Some(2),
            environment: Some(environment),
            ..HostOptions::new(self.home())
        }
    }

    pub async fn host(&self) -> Host {
        Host::start(self.options()).await.expect("the host starts")
    }

    pub async fn host_with(&self, change: impl FnOnce(&mut HostOptions)) -> Host {
        let mut options = self.options();
        change(&mut options);
        Host::start(options).await.expect("the host starts")
    }
}

/// A small file system, mounted for as long as this lives.
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Takes all that is left.
    pub fn fill(&self) {
        let file = self.path.join("filler");
        let mut size = 0;
        for step in [64 << 10, 4 << 10] {
            while std::fs::write(&file, vec![1; size + step]).is_ok() {
                size += step;
            }
        }
        std::fs::write(&file, vec![1; size]).expect("what has fitted before");
    }

    /// Gives it back.
    pub fn free(&self) {
        std::fs::remove_file(self.path.join("filler")).expect("removed");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

pub fn provider(provider: Provider, program: PathBuf) -> Detected {
    Detected { provider, program: Some(program), version: Some("1.0.0".into()), unusable: None }
}

/// Ends a host and waits for it.
pub async fn stop(host: &Host) {
    host.stop();
    within("the host stops", host.stopped()).await;
}

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("too late: {what}"))
}

/// A client that applies every frame at once and remembers every event.
#[derive(Clone)]
pub struct User {
    pub client: Client,
    seen: Arc<Seen>,
    listener: AbortHandle,
}

#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
pub struct State {
    pub events: Vec<Event>,
    pub seqs: Vec<u64>,
    pub screens: BTreeMap<TerminalId, Shown>,
    pub said: Vec<(TabId, Update)>,
    pub heard: Vec<(maestro_core::RunId, maestro_core::playbook::Heard)>,
    pub lagged: bool,
    pub closed: Option<String>,
}

#[derive(Default, Clone)]
pub struct Shown {
    pub rows: Vec<Row>,
    pub frames: u64,
    pub full: u64,
    pub flooding: bool,
    pub input_seq: u64,
    pub size: Option<Size>,
}

impl Shown {
    pub fn text(&self) -> String {
        self.rows.iter().map(|row| row.text().trim_end().to_owned() + "\n").collect()
    }

    fn apply(&mut self, frame: Frame) {
        assert!(frame.full || self.size == Some(frame.size), "a difference to nothing");
        if frame.full {
            self.rows = vec![Row::default(); usize::from(frame.size.rows)];
            self.full += 1;
        }
        for (place, row) in frame.rows {
            self.rows[usize::from(place)] = row;
        }
        self.size = Some(frame.size);
        self.frames += 1;
        self.flooding = frame.flooding;
        self.input_seq = frame.input_seq;
    }
}

impl User {
    /// Connects and follows the world.
    pub async fn of(host: &Host) -> Self {
        let (client, incoming) = within("a connection", host.connect()).await.expect("connected");
        let user = Self::listening(client, incoming, true);
        let _ = user.world(true).await;
        user
    }

    /// Connects and gives no credit for frames.
    pub async fn without_credit(host: &Host) -> Self {
        let (client, incoming) = within("a connection", host.connect()).await.expect("connected");
        Self::listening(client, incoming, false)
    }

    fn listening(client: Client, mut incoming: mpsc::Receiver<Incoming>, credit: bool) -> Self {
        let seen = Arc::new(Seen::default());
        let (ours, theirs) = (Arc::clone(&seen), client.clone());
        let listener = tokio::spawn(async move {
            while let Some(message) = incoming.recv().await {
                let mut state = ours.state.lock().expect("no panic before");
                match message {
                    Incoming::Event { seq, event } => {
                        state.seqs.push(seq);
                        state.events.push(event);
                    }
                    Incoming::Frame(frame) => {
                        let terminal = frame.terminal;
                        state.screens.entry(terminal).or_default().apply(*frame);
                        if credit {
                            let _ = theirs.credit(terminal);
                        }
                    }
                    Incoming::Said { tab, updates } => {
                        state.said.extend(updates.into_iter().map(|update| (tab, update)));
                    }
                    Incoming::Heard { run, lines } => {
                        state.heard.extend(lines.into_iter().map(|line| (run, line)));
                    }
                    Incoming::Order { .. } => {}
                    Incoming::Lagged => state.lagged = true,
                    Incoming::Closed(why) => state.closed = Some(why),
                }
                drop(state);
                ours.changed.notify_waiters();
            }
        });
        Self { client, seen, listener: listener.abort_handle() }
    }

    /// Ends the connection without a word.
    pub fn leave(self) {
        self.listener.abort();
    }

    pub async fn ask(&self, command: Command) -> Result<Reply, Error> {
        within("a reply", self.client.request(command)).await
    }

    pub async fn done(&self, command: Command) {
        let shown = format!("{command:?}");
        assert_eq!(self.ask(command).await, Ok(Reply::Done), "{shown}");
    }

    pub async fn world(&self, follow: bool) -> World {
        match self.ask(Command::World { follow }).await {
            Ok(Reply::World(world)) => *world,
            other => panic!("no world: {other:?}"),
        }
    }

    pub async fn sh(&self, script: &str) -> TerminalInfo {
        self.run(&["/bin/sh", "-c", script]).await.expect("it starts")
    }

    pub async fn run(&self, command: &[&str]) -> Result<TerminalInfo, Error> {
        let new = NewTerminal {
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            directory: None,
            env: Vec::new(),
            size: Size::new(80, 24),
        };
        self.ask(Command::NewTerminal(new)).await.map(|reply| match reply {
            Reply::Terminal(info) => info,
            other => panic!("no terminal: {other:?}"),
        })
    }

    pub async fn watch(&self, terminal: TerminalId, focused: bool) {
        self.done(Command::Subscribe { terminal, focused }).await;
    }

    pub async fn read(&self, terminal: TerminalId) -> Screen {
        match self.ask(Command::ReadTerminal { terminal, history: false }).await {
            Ok(Reply::Screen(screen)) => *screen,
            other => panic!("no screen: {other:?}"),
        }
    }

    pub async fn agent(&self, result: Command) -> Result<Agent, Error> {
        self.ask(result).await.map(|reply| match reply {
            Reply::Agent(agent) => *agent,
            other => panic!("no agent: {other:?}"),
        })
    }

    pub async fn new_agent(&self, provider: Provider, directory: &Path, name: &str) -> Agent {
        let new = NewAgent {
            provider,
            name: Some(name.to_owned()),
            directory: directory.to_owned(),
            branch: None,
            size: Size::new(80, 24),
            start: true,
        };
        self.agent(Command::NewAgent(new)).await.expect("the agent starts")
    }

    pub fn type_text(&self, terminal: TerminalId, text: &str) -> u64 {
        let key = |c: char| {
            let code = if c == '\n' { Code::Enter } else { Code::Char(c) };
            Input::Key(Key {
                code,
                mods: Mods::default(),
                text: if c == '\n' { "\r".into() } else { c.to_string() },
                action: Action::Press,
                base: None,
                shifted: None,
                keypad: false,
            })
        };
        let mut seq = 0;
        for c in text.chars() {
            seq = self.client.input(terminal, key(c)).expect("connected");
        }
        seq
    }

    /// Waits until what was seen satisfies a condition.
    pub async fn until<T>(&self, what: &str, mut find: impl FnMut(&State) -> Option<T>) -> T {
        let look = async {
            loop {
                let changed = self.seen.changed.notified();
                tokio::pin!(changed);
                let _ = changed.as_mut().enable();
                if let Some(found) = find(&self.seen.state.lock().expect("no panic before")) {
                    return found;
                }
                changed.await;
            }
        };
        match tokio::time::timeout(DEADLINE, look).await {
            Ok(found) => found,
            Err(_) => {
                let state = self.seen.state.lock().expect("no panic before");
                let screens: Vec<_> = state.screens.values().map(Shown::text).collect();
                panic!("never: {what}\nevents: {:?}\nscreens: {screens:?}", state.events)
            }
        }
    }

    pub fn look<T>(&self, find: impl FnOnce(&State) -> T) -> T {
        find(&self.seen.state.lock().expect("no panic before"))
    }

    pub async fn until_shown(&self, terminal: TerminalId, text: &str) -> Shown {
        self.until(text, |state| {
            state.screens.get(&terminal).filter(|shown| shown.text().contains(text)).cloned()
        })
        .await
    }

    pub async fn until_exit(&self, terminal: TerminalId) -> i32 {
        self.until("exit", |state| {
            state.events.iter().find_map(|event| match event {
                Event::Terminal(info) if info.id == terminal => info.exit,
                _ => None,
            })
        })
        .await
    }

    pub async fn until_agent(&self, id: AgentId, what: &str, is: impl Fn(&Agent) -> bool) -> Agent {
        self.until(what, |state| {
            state.events.iter().rev().find_map(|event| match event {
                Event::Agent(agent) if agent.id == id => is(agent).then(|| (**agent).clone()),
                _ => None,
            })
        })
        .await
    }

    /// Waits until the screen, read again and again, has a text.
    pub async fn until_read(&self, terminal: TerminalId, text: &str) {
        let look = async {
            loop {
                let rows = self.read(terminal).await.rows;
                if rows.iter().any(|row| row.text().contains(text)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within(text, look).await;
    }
}

/// Waits for a fact outside of the protocol.
pub async fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let look = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(what, look).await;
}
