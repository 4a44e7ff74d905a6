//! The quick prompt: a small window of its own that says one thing to one agent, and goes.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use iced::widget::{column, container, row, text_editor};
use iced::{Alignment, Color, Element, Length, Size, Subscription, Task, keyboard, window};
use iced_runtime::widget::operation;
use maestro_core::agent::{Agent, Provider, State};
use maestro_core::command::{Context, Id};
use maestro_core::conversation::{Place, Prompt, Tab, TabState};
use maestro_core::keymap::{Keymap, Platform};
use maestro_core::settings::Settings;
use maestro_core::{AgentId, TabId, fuzzy, text};
use maestro_engine::{keymap as keymap_file, settings};
use maestro_grid::Clock;
use maestro_protocol::client::Start;
use maestro_protocol::home::Home;
use maestro_protocol::message::{Command, Event, Reply, World};
use maestro_ui::theme::{self, Tokens, extent, space, type_scale};
use maestro_ui::{font, keys, line, part, status, style};
use serde::{Deserialize, Serialize};

use super::link::{Link, News};
use super::themes::{self, Themes};
use super::{load_fonts, program_settings, shell};

/// The input's id.
const INPUT: &str = "quick-input";

const WIDTH: f32 = 640.0;

/// Height of the text, and of the agents below it.
const TEXT: f32 = 5.0 * type_scale::BASE.1;
const ROWS: usize = 5;

const HEIGHT: f32 = TEXT + ROWS as f32 * extent::AGENT_ROW + 96.0;

/// Under this name the host keeps what was not sent, and to whom something was said last.
const PREFERENCE: &str = "quick-prompt";

/// The host keeps 64 KiB under a name.
const MOST: usize = 60 << 10;

/// How soon after the keyboard was lost a chord is heard that took it.
const GRAB: Duration = Duration::from_millis(200);

/// How long it stays for what is to be kept.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What is kept between two prompts.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    text: String,
    agent: Option<u64>,
}

#[derive(Debug)]
struct Quick {
    link: Link,
    keymap: Keymap,
    tokens: &'static Tokens,
    own: Settings,
    themes: PathBuf,
    agents: Vec<Agent>,
    tabs: Vec<Tab>,
    content: text_editor::Content,
    to: Option<AgentId>,
    /// To whom it went before one was looked for by name.
    before: Option<Option<AgentId>>,
    /// Why there is no host, or why it was not said.
    trouble: Option<String>,
    /// Whether it is on its way to the agent.
    sending: bool,
    /// The same as long as the words are: sent again after a lost connection, they are said once.
    token: String,
    /// Whether the agents are known.
    known: bool,
    /// Whether it has the keyboard, and when it lost it.
    focused: bool,
    left: Option<Instant>,
}

#[derive(Debug, Clone)]
enum Message {
    Heard,
    Acted(text_editor::Action),
    Picked(AgentId),
    Command(Id),
    Sent(Result<(), String>),
    /// It has the keyboard, or not any more.
    Looked(bool),
    /// It was called once more.
    Called,
    Gone,
}

/// Opens the window and returns when it is closed.
pub(super) fn run(home: Home, start: Start, heeds: bool) -> anyhow::Result<()> {
    load_fonts();
    let clock = Clock::new();
    let path = settings::path(&home);
    let own = settings::read(&path).unwrap_or_default();
    let own = Settings::of(&own.values, None);
    let themes = home.root().join(themes::FOLDER);
    let keymap = keymap_file::read(&keymap_file::path(&home), Platform::HERE);
    let keymap =
        keymap.map_or_else(|_| Keymap::new(Platform::HERE), |read| read.keymap(Platform::HERE));
    let link = Link::start(&clock, home, start)
        .context("the window cannot start the thread that talks to the host")?;
    let boot = move || {
        let mut quick = Quick::new(link.clone(), keymap.clone(), own.clone(), themes.clone());
        quick.link.wait(super::FIRST_NEWS);
        let (_, opened) = window::open(window::Settings {
            min_size: None,
            resizable: false,
            decorations: false,
            level: window::Level::AlwaysOnTop,
            position: window::Position::Centered,
            ..super::settings(Size::new(WIDTH, HEIGHT))
        });
        let heard = quick.update(Message::Heard);
        let arrivals = Task::run(quick.link.arrivals(), |()| Message::Heard);
        let shown =
            opened.then(|id| Task::batch([window::gain_focus(id), operation::focus(INPUT)]));
        let called = if heeds { Task::run(calls(), |()| Message::Called) } else { Task::none() };
        (quick, Task::batch([clock.task(), arrivals, shown, heard, called]))
    };
    iced::daemon(boot, Quick::update, Quick::view)
        .title(|_: &Quick, _| "Maestro: quick prompt".to_owned())
        .theme(|quick: &Quick, _| quick.tokens.iced())
        .scale_factor(|quick: &Quick, _| quick.own.scale)
        .subscription(|_: &Quick| subscription())
        .settings(program_settings())
        .run()
        .context("the window cannot be opened: is there a display?")
}

/// Each line of the standard input, read by a thread of its own.
fn calls() -> impl iced::futures::Stream<Item = ()> {
    let (mut sender, lines) = iced::futures::channel::mpsc::channel(1);
    let read = move || {
        for line in std::io::stdin().lines() {
            if line.is_err() {
                break;
            }
            // One that was not taken in yet says the same.
            let _ = sender.try_send(());
        }
    };
    // Without the thread it is not called, and nothing else changes.
    let _ = std::thread::Builder::new().name("calls".to_owned()).spawn(read);
    lines
}

fn subscription() -> Subscription<Message> {
    iced::event::listen_with(|event, _, _| match event {
        iced::Event::Window(window::Event::Focused) => Some(Message::Looked(true)),
        iced::Event::Window(window::Event::Unfocused) => Some(Message::Looked(false)),
        iced::Event::Window(window::Event::CloseRequested) => {
            Some(Message::Command(Id::OverlayCancel))
        }
        _ => None,
    })
}

impl Quick {
    fn new(link: Link, keymap: Keymap, own: Settings, themes: PathBuf) -> Self {
        Self {
            link,
            keymap,
            tokens: &theme::NOCTURNE,
            own,
            themes,
            agents: Vec::new(),
            tabs: Vec::new(),
            content: text_editor::Content::new(),
            to: None,
            before: None,
            trouble: None,
            sending: false,
            token: fresh_token(),
            known: false,
            focused: false,
            left: None,
        }
    }

    fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Heard => {
                for news in self.link.take() {
                    self.heard(news);
                }
            }
            Message::Acted(action) if !self.sending => {
                let edits = action.is_edit();
                self.content.perform(action);
                if edits {
                    self.trouble = None;
                    self.token = fresh_token();
                    self.named();
                }
            }
            Message::Acted(_) => {}
            Message::Picked(agent) => {
                self.to = Some(agent);
                self.drop_name();
                return operation::focus(INPUT);
            }
            Message::Command(id) => return self.command(id),
            Message::Sent(Ok(())) => {
                self.content = text_editor::Content::new();
                return self.leave();
            }
            Message::Sent(Err(why)) => {
                self.sending = false;
                self.trouble = Some(why);
            }
            Message::Looked(true) => (self.focused, self.left) = (true, None),
            Message::Looked(false) => (self.focused, self.left) = (false, Some(Instant::now())),
            // X11 takes the keyboard away while a chord is held that is heard everywhere.
            Message::Called if self.focused || self.left.is_some_and(|at| at.elapsed() < GRAB) => {
                return self.command(Id::OverlayCancel);
            }
            Message::Called => return window::latest().and_then(window::gain_focus),
            Message::Gone => return iced::exit(),
        }
        Task::none()
    }

    fn heard(&mut self, news: News) {
        match news {
            News::Connected { world, .. } | News::Resynced(world) => self.learn(*world),
            News::Event { event: Event::Agent(agent), .. } => {
                match self.agents.iter_mut().find(|one| one.id == agent.id) {
                    Some(known) => *known = *agent,
                    None => self.agents.extend(converses(&agent).then_some(*agent)),
                }
            }
            News::Event { event: Event::AgentRemoved(id), .. } => {
                self.agents.retain(|agent| agent.id != id);
                if self.to == Some(id) {
                    self.to = self.agents.first().map(|agent| agent.id);
                }
            }
            News::Event { event: Event::Tab(tab), .. } => {
                self.tabs.retain(|one| one.id != tab.id);
                self.tabs.push(*tab);
            }
            News::Lost(why) | News::Unreachable(why) => self.trouble = Some(why),
            News::Stopped => self.trouble = Some("the host was stopped".to_owned()),
            News::Event { .. } | News::Said { .. } | News::Heard { .. } | News::Order { .. } => {}
        }
    }

    fn learn(&mut self, world: World) {
        let first = !self.known;
        self.known = true;
        self.trouble = None;
        self.agents = world.agents.into_iter().filter(converses).collect();
        self.tabs = world.tabs;
        let ids: Vec<AgentId> = self.agents.iter().map(|agent| agent.id).collect();
        let there = |id: &AgentId| ids.contains(id);
        if first {
            let chosen =
                self.own.theme.clone().unwrap_or_else(|| shell::theme_in(&world.preferences));
            let (known, _) = Themes::read(&self.themes);
            self.tokens = known.named(&chosen).unwrap_or(&theme::NOCTURNE);
            let kept = world.preferences.iter().find(|(key, _)| key == PREFERENCE);
            let kept: Kept =
                kept.and_then(|(_, text)| serde_json::from_str(text).ok()).unwrap_or_default();
            if self.content.text().trim().is_empty() && !kept.text.is_empty() {
                self.set_text(&kept.text);
            }
            self.to = kept.agent.map(AgentId).filter(there);
        }
        self.to = self.to.filter(there).or_else(|| ids.first().copied());
    }

    /// The agents that are offered: those that are called what stands behind an `@` at the beginning, or all,
    /// the one it goes to first.
    fn offered(&self) -> Vec<&Agent> {
        let text = self.content.text();
        if let Some(name) = name_in(&text) {
            let found = |agent: &&Agent| fuzzy::find(name, &agent.name).map(|found| found.score);
            let mut all: Vec<_> = self
                .agents
                .iter()
                .filter_map(|one| found(&one).map(|score| (score, one)))
                .collect();
            all.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
            return all.into_iter().map(|(_, agent)| agent).collect();
        }
        self.agents.iter().collect()
    }

    /// What is typed behind an `@` chooses the agent; what no agent is called changes nothing.
    fn named(&mut self) {
        let text = self.content.text();
        if name_in(&text).is_some() {
            let before = *self.before.get_or_insert(self.to);
            self.to = self.offered().first().map(|best| best.id).or(before);
            return;
        }
        let naming = self.before.take();
        let words = text.strip_prefix('@').and_then(|rest| rest.split_once(char::is_whitespace));
        let Some((name, rest)) = words.filter(|(name, _)| !name.is_empty()) else {
            self.to = naming.flatten().or(self.to);
            return;
        };
        let is_called = |agent: &&Agent| agent.name.eq_ignore_ascii_case(name);
        // A blank ends the name.
        let to = match self.agents.iter().find(is_called) {
            Some(agent) => Some(agent.id),
            None if naming.is_some() && rest.trim().is_empty() => {
                let found = |agent: &&Agent| fuzzy::find(name, &agent.name).is_some();
                self.agents
                    .iter()
                    .filter(found)
                    .map(|agent| agent.id)
                    .find(|id| Some(*id) == self.to)
            }
            None => None,
        };
        match to {
            Some(to) => {
                let rest = rest.trim_start().to_owned();
                self.to = Some(to);
                self.set_text(&rest);
            }
            None => self.to = naming.flatten().or(self.to),
        }
    }

    fn drop_name(&mut self) {
        self.before = None;
        if name_in(&self.content.text()).is_some() {
            self.set_text("");
        }
    }

    fn set_text(&mut self, text: &str) {
        self.content = text_editor::Content::with_text(text);
        self.content.perform(text_editor::Action::Move(text_editor::Motion::DocumentEnd));
    }

    fn command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::OverlayNext | Id::OverlayPrevious => {
                let offered = self.offered();
                let at = offered.iter().position(|agent| Some(agent.id) == self.to);
                let by = if id == Id::OverlayNext { 1 } else { -1 };
                let count = offered.len() as isize;
                if count > 0 {
                    let next = at.map_or(0, |at| (at as isize + by).rem_euclid(count));
                    self.to = Some(offered[next as usize].id);
                }
                Task::none()
            }
            Id::ComposerSend => self.send(),
            _ if self.sending => Task::none(),
            _ => self.leave(),
        }
    }

    fn send(&mut self) -> Task<Message> {
        if name_in(&self.content.text()).is_some() {
            // Only the agent was named so far.
            self.drop_name();
            return Task::none();
        }
        let text = self.content.text().trim_end().to_owned();
        let Some(agent) = self.to else { return Task::none() };
        if text.trim().is_empty() || self.sending {
            return Task::none();
        }
        self.sending = true;
        self.trouble = None;
        let tab = self.tab_of(agent).map(|tab| tab.id);
        let link = self.link.clone();
        let token = self.token.clone();
        Task::perform(async move { say(&link, agent, tab, text, token).await }, Message::Sent)
    }

    /// The conversation in which it is said: the one that was used last.
    fn tab_of(&self, agent: AgentId) -> Option<&Tab> {
        let own = self.tabs.iter().filter(|tab| tab.agent == agent && !tab.closed);
        own.max_by_key(|tab| tab.used_ms)
    }

    /// Goes, once what was not sent is kept.
    fn leave(&mut self) -> Task<Message> {
        let text = self.content.text();
        let text = text.trim_end();
        let kept = Kept { text: text.to_owned(), agent: self.to.map(|id| id.0) };
        let Ok(value) = serde_json::to_string(&kept) else { return iced::exit() };
        if value.len() > MOST && self.trouble.is_none() {
            self.trouble = Some(
                "so much is not kept: send it or make it shorter; Escape again leaves it"
                    .to_owned(),
            );
            return Task::none();
        }
        let value = Some(value).filter(|value| value.len() <= MOST);
        let key = PREFERENCE.to_owned();
        let told = self.link.request(Command::SetPreference { key, value });
        let told = async move {
            // A host that does not answer must not keep the window open.
            let _ = tokio::time::timeout(LAST_WORDS, told).await;
        };
        Task::perform(told, |()| Message::Gone)
    }

    fn key(&self, event: &keyboard::Event) -> Option<Message> {
        let key = maestro_grid::translate(event)?;
        let over = self.keymap.lookup(Context::Overlay, &key);
        let own = self.keymap.lookup(Context::Composer, &key);
        let id = match (over, own) {
            (Some(Id::OverlayAccept), _) if self.own.enter_sends => Id::ComposerSend,
            (Some(id @ (Id::OverlayCancel | Id::OverlayNext | Id::OverlayPrevious)), _) => id,
            (_, Some(id @ (Id::ComposerSend | Id::Quit))) => id,
            _ => return None,
        };
        Some(Message::Command(id))
    }

    fn view(&self, _: window::Id) -> Element<'_, Message> {
        let tokens = self.tokens;
        let (size, height) = type_scale::BASE;
        let editor = text_editor(&self.content)
            .id(INPUT)
            .placeholder("Say something to an agent…   @ finds one by its name")
            .size(size)
            .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
            .font(font::REGULAR)
            .padding(0.0)
            .height(TEXT)
            .style(move |_: &iced::Theme, _| text_editor::Style {
                background: Color::TRANSPARENT.into(),
                border: iced::Border::default(),
                placeholder: tokens.faint,
                value: tokens.text,
                selection: Color { a: 0.35, ..tokens.accent },
            })
            .on_action(Message::Acted);
        let written = container(editor).padding([space::M, space::L]);
        let window = container(
            column![
                self.header(),
                part::rule(tokens),
                written,
                part::rule(tokens),
                self.rows(),
                part::rule(tokens),
                self.footer(),
            ]
            .height(Length::Fill),
        )
        .width(Length::Fill)
        .height(Length::Fill)
        .style(move |_| style::bordered(tokens.raised, tokens.strong, 0.0));
        keys::before(window, |event: &keyboard::Event| self.key(event), || false)
    }

    fn header(&self) -> Element<'_, Message> {
        let tokens = self.tokens;
        let to = self.to.and_then(|id| self.agents.iter().find(|agent| agent.id == id));
        let small = |words: &str, color| line(words, type_scale::SMALL, font::REGULAR, color);
        let words: Element<'_, Message> = match (to, &self.trouble) {
            (_, Some(why)) => {
                let why = text::clean(&part::sentence(why), 200);
                small(&why, tokens.red).fill().into()
            }
            (Some(agent), None) => {
                let name = text::clean(&agent.name, 60);
                let name = line(name, type_scale::BASE, font::MEDIUM, tokens.text);
                let how = self.how(agent);
                row![small("To", tokens.faint), name, small(&how, tokens.dim).fill()]
                    .spacing(space::S)
                    .align_y(Alignment::Center)
                    .into()
            }
            (None, None) if self.known => {
                small("There is no agent to say something to.", tokens.dim).fill().into()
            }
            (None, None) => small("Connecting…", tokens.dim).fill().into(),
        };
        container(words).padding([space::S, space::L]).into()
    }

    /// What becomes of what is said.
    fn how(&self, agent: &Agent) -> String {
        if self.sending {
            return "sending…".to_owned();
        }
        match self.tab_of(agent.id) {
            None => "begins a conversation".to_owned(),
            Some(tab) if matches!(tab.place, Place::Terminal(_)) => {
                "waits: the conversation is in its terminal".to_owned()
            }
            Some(tab) => {
                let title = text::clean(&tab.title, 60);
                match tab.state {
                    TabState::Idle => format!("goes on in “{title}”"),
                    _ => format!("waits in “{title}” for the turn to end"),
                }
            }
        }
    }

    fn rows(&self) -> Element<'_, Message> {
        let tokens = self.tokens;
        let offered = self.offered();
        if offered.is_empty() && self.known && !self.agents.is_empty() {
            let words = line(
                "No agent is called so. A blank leaves the letters as they are.",
                type_scale::SMALL,
                font::REGULAR,
                tokens.dim,
            );
            return container(words).padding(space::L).height(Length::Fill).into();
        }
        let at = offered.iter().position(|agent| Some(agent.id) == self.to).unwrap_or(0);
        let top = (at + 1).saturating_sub(ROWS);
        let rows = offered.into_iter().skip(top).take(ROWS).map(|agent| self.row(agent));
        column(rows).height(Length::Fill).into()
    }

    fn row<'a>(&'a self, agent: &'a Agent) -> Element<'a, Message> {
        let tokens = self.tokens;
        let marked = self.to == Some(agent.id);
        let (icon, color) = status::of_agent(tokens, agent.attention.state);
        let branch = agent.branch.as_deref().unwrap_or_default();
        let about = format!("{} · {branch}", agent.provider.title());
        let about = text::clean(about.trim_end_matches(" · "), 100);
        let waits = agent.attention.state == State::NeedsYou;
        let why = if agent.attention.because.is_empty() {
            about.clone()
        } else {
            format!("{about} · {}", text::clean(&agent.attention.because, 100))
        };
        part::agent_row(
            tokens,
            part::AgentRow {
                glyph: status::glyph(tokens, (icon, color), extent::GLYPH, false),
                name: text::clean(&agent.name, 60),
                reason: why,
                short: Some(about),
                pill: waits.then(|| part::pill(tokens, "needs you", true)),
                selected: marked,
                marked: false,
                child: false,
            },
            Message::Picked(agent.id),
        )
    }

    fn footer(&self) -> Element<'_, Message> {
        let tokens = self.tokens;
        let quiet = |words: &str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let chord = self.keymap.title(Id::ComposerSend).unwrap_or_default();
        let send =
            if self.own.enter_sends { "↵ send".to_owned() } else { format!("{chord} send") };
        let more = self.offered().len().saturating_sub(ROWS);
        let more = (more > 0).then(|| quiet(&format!("{more} more")));
        row![
            quiet(&send),
            quiet("Tab next agent"),
            quiet("Esc close, keeps the text"),
            quiet("").fill()
        ]
        .push(more)
        .spacing(space::L)
        .padding([8.0, space::L])
        .into()
    }
}

/// Whether something can be said to it.
fn converses(agent: &Agent) -> bool {
    agent.provider != Provider::Shell
}

/// The name behind an `@` at the beginning, as long as nothing else stands there.
fn name_in(text: &str) -> Option<&str> {
    let name = text.strip_prefix('@')?.trim_end_matches('\n');
    (!name.contains(char::is_whitespace)).then_some(name)
}

fn fresh_token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("quick-{}-{now:x}", std::process::id())
}

async fn say(
    link: &Link,
    agent: AgentId,
    tab: Option<TabId>,
    text: String,
    token: String,
) -> Result<(), String> {
    let tab = match tab {
        Some(tab) => tab,
        None => {
            let new = Command::NewTab { agent, session: None, title: None };
            match link.request(new).await.map_err(|error| error.message)? {
                Reply::Tab(tab) => tab.id,
                _ => return Err("the host did not say which conversation it began".to_owned()),
            }
        }
    };
    let prompt = Prompt { text, images: Vec::new(), read_only: false };
    let send = Command::Send { tab, prompt, token, typed: false };
    link.request(send).await.map(|_| ()).map_err(|error| error.message)
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    fn quick() -> Quick {
        let link = Link::detached(&Clock::new());
        let own = Settings::default();
        let mut quick = Quick::new(link, Keymap::new(Platform::Other), own, PathBuf::new());
        quick.learn(World { preferences: Vec::new(), ..scene::world() });
        quick
    }

    fn types(quick: &mut Quick, text: &str) {
        for letter in text.chars() {
            let edit = text_editor::Edit::Insert(letter);
            let _ = quick.update(Message::Acted(text_editor::Action::Edit(edit)));
        }
    }

    fn to(quick: &Quick) -> &str {
        let agent = quick.agents.iter().find(|agent| Some(agent.id) == quick.to);
        agent.map(|agent| agent.name.as_str()).unwrap_or_default()
    }

    #[test]
    fn an_agent_is_found_by_its_name() {
        for (typed, agent, left) in [
            ("fix it", "api", "fix it"),
            ("@web fix it", "web", "fix it"),
            ("@we", "web", "@we"),
            ("@WEB ", "web", ""),
            ("@src/lib.rs explain", "api", "@src/lib.rs explain"),
            ("@ fix it", "api", "@ fix it"),
            ("ask @web too", "api", "ask @web too"),
        ] {
            let mut quick = quick();
            types(&mut quick, typed);
            assert_eq!((to(&quick), quick.content.text().trim_end()), (agent, left), "{typed}");
        }
    }

    #[test]
    fn a_name_that_is_given_up_changes_nothing() {
        let mut quick = quick();
        types(&mut quick, "@web");
        assert_eq!(to(&quick), "web");
        types(&mut quick, "zzz");
        assert_eq!(to(&quick), "api");
    }

    #[test]
    fn what_was_pasted_behind_a_name_goes_to_whom_is_called_just_so() {
        for (pasted, agent, left) in
            [("@web run all tests", "web", "run all tests"), ("@we run", "api", "@we run")]
        {
            let mut quick = quick();
            let edit = text_editor::Edit::Paste(pasted.to_owned().into());
            let _ = quick.update(Message::Acted(text_editor::Action::Edit(edit)));
            assert_eq!((to(&quick), quick.content.text().trim_end()), (agent, left), "{pasted}");
        }
    }

    #[test]
    fn nothing_is_lost_when_it_cannot_be_said() {
        let mut quick = quick();
        types(&mut quick, "fix it");
        let before = quick.token.clone();
        let _ = quick.command(Id::ComposerSend);
        assert!(quick.sending);
        types(&mut quick, "more");
        let _ = quick.update(Message::Sent(Err("the host is gone".to_owned())));
        assert_eq!(quick.content.text().trim_end(), "fix it");
        assert_eq!(quick.token, before, "the same words are said once");
        assert_eq!(quick.trouble.as_deref(), Some("the host is gone"));
        types(&mut quick, "!");
        assert_ne!(quick.token, before);
        assert_eq!(quick.trouble, None);
    }

    #[test]
    fn without_words_or_an_agent_nothing_is_sent() {
        let mut quick = quick();
        types(&mut quick, "  ");
        let _ = quick.command(Id::ComposerSend);
        assert!(!quick.sending);
        types(&mut quick, "fix it");
        quick.learn(World::default());
        assert_eq!(quick.to, None);
        let _ = quick.command(Id::ComposerSend);
        assert!(!quick.sending);
    }

    #[test]
    fn what_was_left_comes_back() {
        let mut quick = quick();
        let kept = Kept { text: "half a".to_owned(), agent: Some(2) };
        let text = serde_json::to_string(&kept).expect("JSON");
        quick.known = false;
        quick.learn(World { preferences: vec![(PREFERENCE.to_owned(), text)], ..scene::world() });
        assert_eq!((to(&quick), quick.content.text().trim_end()), ("web", "half a"));
        types(&mut quick, " sentence");
        assert_eq!(quick.content.text().trim_end(), "half a sentence");
    }
}
