//! The window itself: what it knows, what happens, what it shows.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use iced::widget::{Space, column, container, row, stack};
use iced::{Element, Length, Padding, Size, Subscription, Task, clipboard, keyboard, window};
use iced_runtime::widget::operation;
use maestro_core::agent::{Agent, State};
use maestro_core::command::{Context, Id};
use maestro_core::input::{Code, Input, Mods, ScrollTo, Select};
use maestro_core::keymap::{Keymap, Platform};
use maestro_core::screen;
use maestro_core::{AgentId, TerminalId};
use maestro_grid::{Clock, Faces, Look};
use maestro_protocol::message::{
    self, Command, NewTerminal, ProviderInfo, Reply, Repository, TerminalInfo, World,
};
use maestro_ui::theme::{self, Tokens, duration, extent, space};
use maestro_ui::tiles::{self, Arrangement, Direction};
use maestro_ui::{font, keys, part, style};
use serde::{Deserialize, Serialize};

use super::link::{Link, News};
use super::model::{self, Model, Notice};
use super::new_agent::{self, NewAgent};
use super::palette::{self, Palette, Target};
use super::panes::{self, Pane, Side};
use super::prompt::{self, Prompt};
use super::toast::{self, Kind, Toasts};
use super::{agents, bars, runs};

/// The key under which the host keeps what the window remembers.
const PREFERENCE: &str = "window";

/// The id that no widget has: giving it the keyboard takes it from all others.
const NOBODY: &str = "nobody";

/// Below this width the right panel would leave too little for panes.
const WIDE: f32 = 1180.0;

/// How often times such as "2m" are brought up to date, while the window is looked at.
const TICK: Duration = Duration::from_secs(20);

/// Steps of the terminals' text size, as multiples of the normal one.
const ZOOM: (f32, f32, f32) = (0.6, 2.4, 0.1);

/// The window's state.
#[derive(Debug)]
pub struct Shell {
    link: Link,
    clock: Clock,
    keymap: Keymap,
    model: Model,
    connection: Connection,
    tokens: &'static Tokens,
    look: Arc<Look>,
    window: Frame,
    now_ms: u64,
    kept: Kept,
    /// What the host has of [`Kept`].
    saved: Option<String>,
    /// The agent the list's cursor is on, while the list has the keyboard.
    marked: Option<AgentId>,
    overlay: Option<Overlay>,
    toasts: Toasts,
    providers: Vec<ProviderInfo>,
    /// Where the program was started: what a first agent is probably about.
    started_in: Option<PathBuf>,
    /// Terminals the host sends frames of, and whether as the focused one.
    subscribed: HashMap<TerminalId, bool>,
    /// The widget that was given the keyboard last.
    keyboard: String,
}

/// The window as the window system has it.
#[derive(Debug, Clone, Copy)]
struct Frame {
    size: Size,
    scale: f32,
    focused: bool,
}

/// How things stand with the host.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Connection {
    /// Not yet.
    Connecting,
    /// All is well.
    Up,
    /// It was; a new host is being started.
    Lost(String),
    /// It cannot be; it is tried again.
    Unreachable(String),
    /// Somebody stopped the host; it stays stopped until the user wants it back.
    Stopped,
}

/// What the window remembers beyond its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    theme: String,
    zoom: f32,
    arrangement: String,
    maximised: bool,
    focused: Option<Pane>,
    /// Agents whose pane shows the shell.
    shells: HashSet<AgentId>,
    closed: HashSet<Pane>,
    /// Terminals without an agent that were opened here.
    terminals: Vec<TerminalId>,
    agents_shown: bool,
    /// Whether it was said that closing the window ends nothing.
    told_closing: bool,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            theme: theme::NOCTURNE.name.to_owned(),
            zoom: 1.0,
            arrangement: Arrangement::default().name().to_owned(),
            maximised: false,
            focused: None,
            shells: HashSet::new(),
            closed: HashSet::new(),
            terminals: Vec::new(),
            agents_shown: true,
            told_closing: false,
        }
    }
}

#[derive(Debug)]
enum Overlay {
    Palette(Palette),
    NewAgent(Box<NewAgent>),
    Prompt(Prompt),
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// The link has news; the time is then.
    Heard(u64),
    /// Time has passed.
    Ticked(u64),
    /// The window has another size.
    Resized(Size),
    /// The window has another scale factor.
    Rescaled(f32),
    /// The window is looked at, or not any more.
    Looked(bool),
    /// The window is to be closed.
    CloseRequested,
    /// A command, by its chord or a button.
    Command(Id),
    /// The left panel.
    Agents(agents::Message),
    /// The grid.
    Panes(panes::Message),
    /// The palette.
    Palette(palette::Message),
    /// The new-agent dialog.
    NewAgent(new_agent::Message),
    /// A question.
    Prompt(prompt::Message),
    /// Beside a dialog was pressed.
    Outside,
    /// *Needs you* was pressed.
    NextWaiting,
    /// The host is wanted back.
    HostWanted,
    /// A toast was pressed.
    ToastPressed(u64),
    /// A toast has been there long enough.
    ToastEnded(u64),
    /// The providers were detected.
    Detected(Vec<ProviderInfo>),
    /// A directory was looked at.
    Inspected(PathBuf, Result<Repository, String>),
    /// An agent was made, or not.
    Created(Result<Agent, String>),
    /// What a dialog asked for is done, or not.
    Answered(Result<(), String>),
    /// What was asked for is done, or not.
    Done(Result<(), String>),
    /// A terminal was opened, or not.
    Opened(Result<TerminalInfo, String>),
    /// The selected text, and whether it is for the primary selection.
    Copied(Option<String>, bool),
    /// The clipboard's text for a terminal.
    Pasted(TerminalId, Option<String>),
}

impl Shell {
    /// A window that waits for news.
    #[must_use]
    pub fn new(link: Link, clock: Clock, now_ms: u64) -> Self {
        let tokens = &theme::NOCTURNE;
        Self {
            link,
            clock,
            keymap: Keymap::new(Platform::HERE),
            model: Model::default(),
            connection: Connection::Connecting,
            tokens,
            look: look(tokens, 1.0),
            window: Frame { size: Size::new(1440.0, 900.0), scale: 1.0, focused: false },
            now_ms,
            kept: Kept::default(),
            saved: None,
            marked: None,
            overlay: None,
            toasts: Toasts::default(),
            providers: Vec::new(),
            started_in: None,
            subscribed: HashMap::new(),
            keyboard: NOBODY.to_owned(),
        }
    }

    /// The directory a first agent is probably about.
    #[must_use]
    pub fn started_in(self, directory: Option<PathBuf>) -> Self {
        Self { started_in: directory, ..self }
    }

    /// What runs beside the window for as long as it lives.
    pub fn start(&self) -> Task<Message> {
        let heard = Task::run(self.link.arrivals(), |()| Message::Heard(super::now_ms()));
        Task::batch([self.clock.task(), heard])
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        let task = self.handle(message);
        // Side by side: a task may take seconds, the keyboard must not wait for it.
        Task::batch([self.settle(), task])
    }

    fn handle(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Heard(now_ms) => {
                self.now_ms = now_ms;
                let news = self.link.take();
                Task::batch(news.into_iter().map(|news| self.heard(news)).collect::<Vec<_>>())
            }
            Message::Ticked(now_ms) => {
                self.now_ms = now_ms;
                Task::none()
            }
            Message::Resized(size) => {
                self.window.size = size;
                Task::none()
            }
            Message::Rescaled(scale) => {
                self.window.scale = scale;
                Task::none()
            }
            Message::Looked(focused) => {
                self.window.focused = focused;
                Task::none()
            }
            Message::CloseRequested => iced::exit(),
            Message::Command(id) => self.command(id),
            Message::Agents(agents::Message::Picked(id)) => self.go_to(id),
            Message::Agents(agents::Message::New) => self.command(Id::AgentNew),
            Message::Panes(message) => self.pane_message(message),
            Message::Palette(message) => self.palette_message(message),
            Message::NewAgent(message) => self.new_agent(|dialog| dialog.update(message)),
            Message::Prompt(message) => self.prompt(message),
            Message::Outside => {
                self.overlay = None;
                Task::none()
            }
            Message::NextWaiting => self.next_waiting(),
            Message::HostWanted => {
                self.connection = Connection::Connecting;
                self.link.wake();
                Task::none()
            }
            Message::ToastPressed(number) => match self.toasts.end(number).map(|t| t.source()) {
                Some(toast::Source::Agent(id)) => self.go_to(id),
                _ => Task::none(),
            },
            Message::ToastEnded(number) => {
                let _ = self.toasts.end(number);
                Task::none()
            }
            Message::Detected(providers) => {
                if let Some(Overlay::NewAgent(dialog)) = &mut self.overlay {
                    dialog.providers_detected(&providers);
                }
                self.providers = providers;
                Task::none()
            }
            Message::Inspected(path, result) => {
                if let Some(Overlay::NewAgent(dialog)) = &mut self.overlay {
                    dialog.inspected(&path, result);
                }
                Task::none()
            }
            Message::Created(result) => self.created(result),
            Message::Answered(Ok(())) => {
                self.overlay = None;
                Task::none()
            }
            Message::Answered(Err(why)) => {
                if let Some(Overlay::Prompt(prompt)) = &mut self.overlay {
                    prompt.refused(why);
                    return Task::none();
                }
                self.problem(why)
            }
            Message::Done(Ok(())) => Task::none(),
            Message::Done(Err(why)) | Message::Opened(Err(why)) => self.problem(why),
            Message::Opened(Ok(info)) => {
                if info.agent.is_none() {
                    self.kept.terminals.push(info.id);
                    self.kept.focused = Some(Pane::Terminal(info.id));
                }
                let _ = self.model.terminals.entry(info.id).or_insert(info);
                Task::none()
            }
            Message::Copied(None, _) => Task::none(),
            Message::Copied(Some(text), false) => clipboard::write(text),
            Message::Copied(Some(text), true) => clipboard::write_primary(text),
            Message::Pasted(terminal, text) => {
                if let Some(text) = text {
                    self.link.input(terminal, Input::Paste(text));
                }
                Task::none()
            }
        }
    }

    // What the host says

    fn heard(&mut self, news: News) -> Task<Message> {
        match news {
            News::Connected { world, again } => self.connected(*world, again),
            News::Resynced(world) => {
                self.model.replace(*world);
                Task::none()
            }
            News::Event { seq, event } => match self.model.apply(seq, event) {
                Some(notice) => self.notice(notice),
                None => Task::none(),
            },
            News::Lost(why) => {
                self.subscribed.clear();
                self.connection = Connection::Lost(why);
                Task::none()
            }
            News::Stopped => {
                self.subscribed.clear();
                self.connection = Connection::Stopped;
                Task::none()
            }
            News::Unreachable(why) => {
                self.connection = Connection::Unreachable(why);
                Task::none()
            }
        }
    }

    fn connected(&mut self, world: World, again: bool) -> Task<Message> {
        let first = self.saved.is_none();
        if first {
            let kept = world.preferences.iter().find(|(key, _)| key == PREFERENCE);
            self.restore(kept.map(|(_, value)| value.as_str()).unwrap_or_default());
        }
        self.subscribed.clear();
        self.model.replace(world);
        // Shells do not survive a host; the agent behind one is what can be resumed.
        let has_shell = |id: &AgentId| {
            self.model.agent(*id).is_some_and(|agent| agent.shell_terminal.is_some())
        };
        self.kept.shells.retain(has_shell);
        self.connection = Connection::Up;
        self.tell_theme();
        let detect =
            self.request(Command::DetectProviders { refresh: false }, |reply| match reply {
                Ok(Reply::Providers(providers)) => Message::Detected(providers),
                Ok(_) => Message::Done(Ok(())),
                Err(why) => Message::Done(Err(why)),
            });
        let told = self.tell_resumable(again);
        Task::batch([detect, told])
    }

    fn tell_resumable(&mut self, again: bool) -> Task<Message> {
        let resumable = self.model.count(State::Resumable);
        let words = match (resumable, again) {
            (0, false) => return Task::none(),
            (0, true) => "There is a host again. Nothing was lost.".to_owned(),
            (count, _) => {
                let agents = match count {
                    1 => "1 agent can be resumed where it was".to_owned(),
                    count => format!("{count} agents can be resumed where they were"),
                };
                let chord = self.keymap.title(Id::AgentResume).unwrap_or_default();
                format!("{agents}: press Enter in a pane, or {chord}.")
            }
        };
        let title = again.then(|| "The host was gone".to_owned());
        self.toast(toast::Source::Host, Kind::Note, title, words)
    }

    fn notice(&mut self, notice: Notice) -> Task<Message> {
        match notice {
            Notice::Notification { agent, title, body } => {
                let name =
                    agent.and_then(|id| self.model.agent(id)).map(|agent| agent.name.clone());
                let source = agent.map_or(toast::Source::Window, toast::Source::Agent);
                let (title, text) = match (title.is_empty(), body.is_empty()) {
                    (_, true) => (name, title),
                    (true, _) => (name, body),
                    (false, false) => match name {
                        Some(name) => (Some(name), format!("{title}: {body}")),
                        None => (Some(title), body),
                    },
                };
                self.toast(source, Kind::Attention, title, text)
            }
            Notice::Problem { agent, text } => {
                let source = agent.map_or(toast::Source::Host, toast::Source::Agent);
                let name =
                    agent.and_then(|id| self.model.agent(id)).map(|agent| agent.name.clone());
                self.toast(source, Kind::Problem, name, text)
            }
            Notice::Clipboard { terminal, text } => {
                // Only the terminal one types in may put something into the clipboard.
                let focused = self.focused_terminal() == Some(terminal) && self.window.focused;
                if focused { clipboard::write(text) } else { Task::none() }
            }
            Notice::Exited { terminal, exit } => self.exited(terminal, exit),
            Notice::HostStopping => {
                // What ends from here on, ends because the user wanted it to.
                self.connection = Connection::Stopped;
                Task::none()
            }
        }
    }

    fn exited(&mut self, terminal: TerminalId, exit: i32) -> Task<Message> {
        let info = self.model.terminals.get(&terminal);
        let owner = info.and_then(|info| info.agent).and_then(|id| self.model.agent(id));
        let is_shell = owner.is_some_and(|agent| agent.shell_terminal == Some(terminal));
        let own = self.kept.terminals.contains(&terminal);
        if self.connection == Connection::Stopped {
            return Task::none();
        }
        if is_shell || own {
            // A shell that was left is done with: no corpse in the grid.
            if let Some(id) = owner.map(|agent| agent.id) {
                let _ = self.kept.shells.remove(&id);
            }
            self.kept.terminals.retain(|id| *id != terminal);
            self.link.tell(Command::CloseTerminal { terminal });
            return Task::none();
        }
        match owner.map(|agent| (agent.id, agent.name.clone())) {
            Some((id, name)) if exit != 0 => {
                let words = format!("Its program ended with exit code {exit}.");
                self.toast(toast::Source::Agent(id), Kind::Problem, Some(name), words)
            }
            _ => Task::none(),
        }
    }

    fn created(&mut self, result: Result<Agent, String>) -> Task<Message> {
        match result {
            Ok(agent) => {
                self.overlay = None;
                let pane = Pane::Agent(agent.id);
                let _ = self.kept.shells.remove(&agent.id);
                if self.model.agent(agent.id).is_none() {
                    self.model.agents.push(agent);
                }
                self.focus_pane(pane);
                self.tell_closing()
            }
            Err(why) => match &mut self.overlay {
                Some(Overlay::NewAgent(dialog)) => {
                    dialog.refused(why);
                    Task::none()
                }
                _ => self.problem(why),
            },
        }
    }

    /// Says once what nobody would guess.
    fn tell_closing(&mut self) -> Task<Message> {
        if std::mem::replace(&mut self.kept.told_closing, true) {
            return Task::none();
        }
        let words = "Close this window whenever you like: agents and runs go on without it, and \
                     everything is back when you open it again.";
        self.toast(toast::Source::Window, Kind::Note, None, words)
    }

    fn problem(&mut self, why: String) -> Task<Message> {
        self.toast(toast::Source::Window, Kind::Problem, None, why)
    }

    fn toast(
        &mut self,
        source: toast::Source,
        kind: Kind,
        title: Option<String>,
        text: impl Into<String>,
    ) -> Task<Message> {
        let number = self.toasts.show(source, kind, title, text);
        let rest = async { tokio::time::sleep(duration::TOAST).await };
        Task::perform(rest, move |()| Message::ToastEnded(number))
    }

    // What the user does

    fn command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::Palette => {
                self.overlay =
                    Some(Overlay::Palette(Palette::new(&self.model.agents, &self.keymap)));
            }
            Id::AgentNew | Id::WorktreeNew => return self.open_new_agent(),
            Id::AgentRename | Id::ListRename => {
                self.overlay =
                    self.chosen_agent().map(|agent| Overlay::Prompt(Prompt::rename(agent)));
            }
            Id::AgentRemove | Id::ListRemove => {
                self.overlay =
                    self.chosen_agent().map(|agent| Overlay::Prompt(Prompt::remove(agent)));
            }
            Id::AgentResume => return self.resume(),
            Id::AgentStop => {
                if let Some(agent) = self.chosen_agent().map(|agent| agent.id) {
                    return self.ask(Command::StopAgent { agent });
                }
            }
            Id::ToggleShell => return self.toggle_shell(),
            Id::TerminalNew => return self.new_terminal(),
            Id::FocusNext => self.focus_step(1),
            Id::FocusPrevious => self.focus_step(-1),
            Id::FocusLeft => self.focus_towards(Direction::Left),
            Id::FocusRight => self.focus_towards(Direction::Right),
            Id::FocusUp => self.focus_towards(Direction::Up),
            Id::FocusDown => self.focus_towards(Direction::Down),
            Id::FocusNumber(number) => {
                if let Some(pane) = self.all_panes().get(usize::from(number).saturating_sub(1)) {
                    self.focus_pane(*pane);
                }
            }
            Id::PaneMaximise => {
                self.kept.maximised = !self.kept.maximised && self.focused().is_some()
            }
            Id::PaneClose => self.close_pane(),
            Id::LayoutNext => self.arrange(self.arrangement().next()),
            Id::LayoutAuto => self.arrange(Arrangement::Automatic),
            Id::LayoutColumns => self.arrange(Arrangement::Columns),
            Id::Copy => return self.copy(false),
            Id::Paste => return self.paste(),
            Id::SelectAll => self.terminal_input(Input::Select(Select::All)),
            Id::ScrollLineUp => self.terminal_input(Input::Scroll(ScrollTo::Lines(1))),
            Id::ScrollLineDown => self.terminal_input(Input::Scroll(ScrollTo::Lines(-1))),
            Id::ScrollPageUp => self.terminal_input(Input::Scroll(ScrollTo::Pages(1))),
            Id::ScrollPageDown => self.terminal_input(Input::Scroll(ScrollTo::Pages(-1))),
            Id::ScrollTop => self.terminal_input(Input::Scroll(ScrollTo::Top)),
            Id::ScrollBottom => self.terminal_input(Input::Scroll(ScrollTo::Bottom)),
            Id::RunStart => {
                self.overlay =
                    self.chosen_agent().map(|agent| Overlay::Prompt(Prompt::start(agent)));
            }
            Id::RunStop | Id::RunKill => return self.end_run(id == Id::RunKill),
            Id::ToggleAgents => self.kept.agents_shown = !self.kept.agents_shown,
            Id::FocusAgents => {
                self.kept.agents_shown = true;
                let order = agents::order(&self.model);
                let here = self.focused_agent().map(|(agent, _)| agent.id);
                self.marked = here.or_else(|| order.first().copied());
            }
            Id::ZoomIn => self.zoom(self.kept.zoom + ZOOM.2),
            Id::ZoomOut => self.zoom(self.kept.zoom - ZOOM.2),
            Id::ZoomReset => self.zoom(1.0),
            Id::ThemeToggle => self.set_theme(self.tokens.other()),
            Id::Quit => return iced::exit(),
            Id::ListUp => self.list_step(-1),
            Id::ListDown => self.list_step(1),
            Id::ListAccept => {
                if let Some(id) = self.marked {
                    return self.go_to(id);
                }
            }
            Id::OverlayUp
            | Id::OverlayDown
            | Id::OverlayNext
            | Id::OverlayPrevious
            | Id::OverlayAccept
            | Id::OverlayCancel => return self.overlay_command(id),
        }
        Task::none()
    }

    fn overlay_command(&mut self, id: Id) -> Task<Message> {
        let by = if matches!(id, Id::OverlayUp | Id::OverlayPrevious) { -1 } else { 1 };
        match (&mut self.overlay, id) {
            (_, Id::OverlayCancel) => {
                self.overlay = None;
                Task::none()
            }
            (Some(Overlay::Palette(palette)), Id::OverlayAccept) => {
                let action = palette.accept();
                self.palette_action(action)
            }
            (Some(Overlay::Palette(palette)), _) => {
                palette.step(by);
                Task::none()
            }
            (Some(Overlay::NewAgent(_)), Id::OverlayAccept) => self.new_agent(NewAgent::accept),
            (Some(Overlay::NewAgent(_)), Id::OverlayNext | Id::OverlayPrevious) => {
                self.new_agent(|dialog| dialog.step_field(by))
            }
            (Some(Overlay::NewAgent(_)), _) => self.new_agent(|dialog| dialog.step_choice(by)),
            (Some(Overlay::Prompt(_)), Id::OverlayAccept) => self.prompt(prompt::Message::Accepted),
            _ => Task::none(),
        }
    }

    fn palette_message(&mut self, message: palette::Message) -> Task<Message> {
        let Some(Overlay::Palette(palette)) = &mut self.overlay else { return Task::none() };
        let action = palette.update(message);
        self.palette_action(action)
    }

    fn palette_action(&mut self, action: palette::Action) -> Task<Message> {
        match action {
            palette::Action::None => Task::none(),
            palette::Action::Go(target) => {
                self.overlay = None;
                match target {
                    Target::Command(id) => self.command(id),
                    Target::Agent(id) => self.go_to(id),
                }
            }
        }
    }

    fn open_new_agent(&mut self) -> Task<Message> {
        let here = self.focused_agent().map(|(agent, _)| agent);
        let here = here.or_else(|| self.model.agents.last());
        let directory =
            here.map(|agent| agent.repository.clone().unwrap_or_else(|| agent.directory.clone()));
        let directory = directory.or_else(|| self.started_in.clone());
        let (dialog, action) = NewAgent::new(directory.as_deref(), &self.providers);
        self.overlay = Some(Overlay::NewAgent(Box::new(dialog)));
        let refresh =
            self.request(Command::DetectProviders { refresh: true }, |reply| match reply {
                Ok(Reply::Providers(providers)) => Message::Detected(providers),
                Ok(_) => Message::Done(Ok(())),
                Err(why) => Message::Done(Err(why)),
            });
        Task::batch([refresh, self.new_agent_action(action)])
    }

    fn new_agent(
        &mut self,
        change: impl FnOnce(&mut NewAgent) -> new_agent::Action,
    ) -> Task<Message> {
        let Some(Overlay::NewAgent(dialog)) = &mut self.overlay else { return Task::none() };
        let action = change(dialog);
        self.new_agent_action(action)
    }

    fn new_agent_action(&mut self, action: new_agent::Action) -> Task<Message> {
        match action {
            // The keyboard follows the dialog's own idea of its focus: see `settle`.
            new_agent::Action::None | new_agent::Action::Focus(_) => Task::none(),
            new_agent::Action::Close => {
                self.overlay = None;
                Task::none()
            }
            new_agent::Action::Inspect(directory) => {
                let path = directory.clone();
                let command = Command::InspectRepository { directory };
                self.request(command, move |reply| {
                    let seen = match reply {
                        Ok(Reply::Repository(repository)) => Ok(repository),
                        Ok(_) => Err("the host did not say what the directory is".to_owned()),
                        Err(why) => Err(why),
                    };
                    Message::Inspected(path.clone(), seen)
                })
            }
            new_agent::Action::Create(mut order) => {
                order.size = self.size_of_one_more();
                self.request(Command::NewAgent(order), |reply| {
                    Message::Created(match reply {
                        Ok(Reply::Agent(agent)) => Ok(*agent),
                        Ok(_) => Err("the host did not say whether the agent was made".to_owned()),
                        Err(why) => Err(why),
                    })
                })
            }
        }
    }

    fn prompt(&mut self, message: prompt::Message) -> Task<Message> {
        let Some(Overlay::Prompt(prompt)) = &mut self.overlay else { return Task::none() };
        let command = match prompt.update(message) {
            prompt::Action::None => return Task::none(),
            prompt::Action::Close => {
                self.overlay = None;
                return Task::none();
            }
            prompt::Action::Rename(agent, name) => Command::RenameAgent { agent, name },
            prompt::Action::Remove(agent) => Command::RemoveAgent { agent },
            prompt::Action::Start(spec) => Command::StartRun(*spec),
        };
        self.request(command, |reply| Message::Answered(reply.map(|_| ())))
    }

    fn pane_message(&mut self, message: panes::Message) -> Task<Message> {
        match message {
            panes::Message::Focused(pane) => {
                self.focus_pane(pane);
                // The click may have taken the keyboard from the widget that had it.
                self.keyboard.clear();
                Task::none()
            }
            panes::Message::Resumed(pane) => {
                self.focus_pane(pane);
                self.resume()
            }
            panes::Message::Selected(terminal) => self.copy_from(terminal, true),
        }
    }

    /// Brings an agent's terminal back: resumes its session, or opens its shell.
    fn resume(&mut self) -> Task<Message> {
        let Some((agent, side)) = self.focused_agent() else { return Task::none() };
        let (id, resume) = (agent.id, agent.session.is_some());
        let command = match side {
            Side::Agent => Command::OpenAgent { agent: id, resume },
            Side::Shell => Command::OpenShell { agent: id, size: self.size_of_focused() },
        };
        self.ask(command)
    }

    fn toggle_shell(&mut self) -> Task<Message> {
        let Some((agent, side)) = self.focused_agent() else { return Task::none() };
        let (id, has_shell) = (agent.id, agent.shell_terminal.is_some());
        if side == Side::Shell {
            let _ = self.kept.shells.remove(&id);
            return Task::none();
        }
        let _ = self.kept.shells.insert(id);
        if has_shell {
            return Task::none();
        }
        self.ask(Command::OpenShell { agent: id, size: self.size_of_focused() })
    }

    fn new_terminal(&mut self) -> Task<Message> {
        let directory = self.focused_agent().map(|(agent, _)| agent.directory.clone());
        let size = self.size_of_one_more();
        let new = NewTerminal { command: Vec::new(), directory, env: Vec::new(), size };
        self.request(Command::NewTerminal(new), |reply| {
            Message::Opened(match reply {
                Ok(Reply::Terminal(info)) => Ok(info),
                Ok(_) => Err("the host did not say which terminal it opened".to_owned()),
                Err(why) => Err(why),
            })
        })
    }

    fn end_run(&mut self, at_once: bool) -> Task<Message> {
        let here = self.focused_agent().and_then(|(agent, _)| self.model.run_of(agent));
        let run = here.or_else(|| self.model.runs.iter().find(|run| model::is_active(run)));
        let Some(run) = run.map(|run| run.id) else {
            return self.problem("No run is active.".to_owned());
        };
        self.ask(if at_once { Command::KillRun { run } } else { Command::StopRun { run } })
    }

    fn next_waiting(&mut self) -> Task<Message> {
        let order = agents::order(&self.model);
        let here = self.focused_agent().map(|(agent, _)| agent.id);
        let from = order.iter().position(|id| Some(*id) == here).map_or(0, |at| at + 1);
        let waits = |id: &AgentId| {
            self.model.agent(*id).is_some_and(|agent| agent.attention.state == State::NeedsYou)
        };
        let next = order.iter().cycle().skip(from).take(order.len()).copied().find(waits);
        next.map_or_else(Task::none, |id| self.go_to(id))
    }

    fn go_to(&mut self, id: AgentId) -> Task<Message> {
        self.focus_pane(Pane::Agent(id));
        Task::none()
    }

    fn focus_pane(&mut self, pane: Pane) {
        let _ = self.kept.closed.remove(&pane);
        self.kept.focused = Some(pane);
        self.marked = None;
    }

    fn focus_step(&mut self, by: isize) {
        let panes = self.all_panes();
        if panes.is_empty() {
            return;
        }
        let at = self.focused().and_then(|pane| panes.iter().position(|other| *other == pane));
        let next = at.map_or(0, |at| (at as isize + by).rem_euclid(panes.len() as isize) as usize);
        self.focus_pane(panes[next]);
    }

    fn focus_towards(&mut self, direction: Direction) {
        let panes = self.all_panes();
        let places = self.arrangement().places(panes.len(), self.grid_size(), panes::GAP);
        let at = self.focused().and_then(|pane| panes.iter().position(|other| *other == pane));
        if let Some(next) = at.and_then(|at| tiles::neighbour(&places, at, direction)) {
            self.focus_pane(panes[next]);
        }
    }

    fn close_pane(&mut self) {
        let Some(pane) = self.focused() else { return };
        let panes = self.all_panes();
        let at = panes.iter().position(|other| *other == pane).unwrap_or(0);
        if let Pane::Terminal(terminal) = pane {
            self.kept.terminals.retain(|id| *id != terminal);
            self.link.tell(Command::CloseTerminal { terminal });
        } else {
            let _ = self.kept.closed.insert(pane);
        }
        let left = self.all_panes();
        self.kept.focused = left.get(at.min(left.len().saturating_sub(1))).copied();
        self.kept.maximised = false;
    }

    fn list_step(&mut self, by: isize) {
        let order = agents::order(&self.model);
        if order.is_empty() {
            return;
        }
        let at = self.marked.and_then(|id| order.iter().position(|other| *other == id));
        let next = at.map_or(0, |at| (at as isize + by).clamp(0, order.len() as isize - 1));
        self.marked = order.get(next as usize).copied();
    }

    fn arrange(&mut self, arrangement: Arrangement) {
        arrangement.name().clone_into(&mut self.kept.arrangement);
        self.kept.maximised = false;
    }

    fn zoom(&mut self, zoom: f32) {
        self.kept.zoom = (zoom * 10.0).round().clamp(ZOOM.0 * 10.0, ZOOM.1 * 10.0) / 10.0;
        self.look = look(self.tokens, self.kept.zoom);
    }

    /// Shows the window in a theme.
    pub fn set_theme(&mut self, tokens: &'static Tokens) {
        self.tokens = tokens;
        tokens.name.clone_into(&mut self.kept.theme);
        self.look = look(tokens, self.kept.zoom);
        self.tell_theme();
    }

    fn tell_theme(&self) {
        let colors = &self.tokens.terminal;
        self.link.tell(Command::SetTheme {
            foreground: colors.foreground,
            background: colors.background,
            cursor: colors.cursor,
            ansi: colors.ansi,
            dark: self.tokens.dark,
        });
    }

    fn terminal_input(&self, input: Input) {
        if let Some(terminal) = self.focused_terminal() {
            self.link.input(terminal, input);
        }
    }

    fn copy(&self, primary: bool) -> Task<Message> {
        self.focused_terminal()
            .map_or_else(Task::none, |terminal| self.copy_from(terminal, primary))
    }

    fn copy_from(&self, terminal: TerminalId, primary: bool) -> Task<Message> {
        self.request(Command::CopySelection { terminal }, move |reply| match reply {
            Ok(Reply::Text(text)) => Message::Copied(text, primary),
            Ok(_) => Message::Done(Ok(())),
            Err(why) => Message::Done(Err(why)),
        })
    }

    fn paste(&self) -> Task<Message> {
        let Some(terminal) = self.focused_terminal() else { return Task::none() };
        clipboard::read().map(move |text| Message::Pasted(terminal, text))
    }

    /// Asks the host for something; what goes wrong becomes a toast.
    fn ask(&self, command: Command) -> Task<Message> {
        self.request(command, |reply| Message::Done(reply.map(|_| ())))
    }

    fn request(
        &self,
        command: Command,
        message: impl Fn(Result<Reply, String>) -> Message + Send + 'static,
    ) -> Task<Message> {
        Task::perform(self.link.request(command), move |reply: Result<Reply, message::Error>| {
            message(reply.map_err(|error| error.message))
        })
    }

    // What follows from all that

    /// Brings host and widgets in line with the state: which terminals send frames, who has the
    /// keyboard, what is remembered.
    fn settle(&mut self) -> Task<Message> {
        if self.connection == Connection::Up {
            self.settle_focus();
            self.settle_subscriptions();
            self.save();
        }
        self.settle_keyboard()
    }

    /// There is a focused pane whenever there is a pane.
    fn settle_focus(&mut self) {
        self.kept.terminals.retain(|id| self.model.terminals.contains_key(id));
        let panes = self.all_panes();
        if !self.kept.focused.is_some_and(|pane| panes.contains(&pane)) {
            self.kept.focused = panes.first().copied();
        }
        if self.marked.is_some_and(|id| self.model.agent(id).is_none()) {
            self.marked = None;
        }
    }

    fn settle_subscriptions(&mut self) {
        let focused = self.focused();
        let wanted: HashMap<TerminalId, bool> = self
            .visible_panes()
            .into_iter()
            .filter_map(|(pane, side)| {
                let terminal = panes::terminal_of(&self.model, pane, side)?;
                Some((terminal, focused == Some(pane)))
            })
            .collect();
        for terminal in self.subscribed.keys().filter(|id| !wanted.contains_key(id)) {
            self.link.tell(Command::Unsubscribe { terminal: *terminal });
            if !self.model.terminals.contains_key(terminal) {
                self.link.forget(*terminal);
            }
        }
        for (terminal, focused) in &wanted {
            if self.subscribed.get(terminal) != Some(focused) {
                // The surface has to be there before its first frame is.
                let _ = self.link.surface(*terminal);
                self.link.tell(Command::Subscribe { terminal: *terminal, focused: *focused });
            }
        }
        self.subscribed = wanted;
    }

    fn settle_keyboard(&mut self) -> Task<Message> {
        let wanted = match &self.overlay {
            Some(Overlay::Palette(_)) => palette::INPUT.to_owned(),
            Some(Overlay::NewAgent(dialog)) => dialog.focus().input().unwrap_or(NOBODY).to_owned(),
            Some(Overlay::Prompt(_)) => prompt::INPUT.to_owned(),
            None if self.marked.is_some() || self.connection == Connection::Stopped => {
                NOBODY.to_owned()
            }
            None => self.focused_terminal().map_or_else(|| NOBODY.to_owned(), panes::widget_id),
        };
        if wanted == self.keyboard {
            return Task::none();
        }
        let is_input = self.overlay.is_some() && wanted != NOBODY;
        self.keyboard.clone_from(&wanted);
        let focus = operation::focus(wanted.clone());
        if is_input { focus.chain(operation::select_all(wanted)) } else { focus }
    }

    fn save(&mut self) {
        let Ok(text) = serde_json::to_string(&self.kept) else { return };
        if self.saved.as_ref() != Some(&text) {
            let (key, value) = (PREFERENCE.to_owned(), Some(text.clone()));
            self.link.tell(Command::SetPreference { key, value });
            self.saved = Some(text);
        }
    }

    fn restore(&mut self, text: &str) {
        // What cannot be read is from another version: defaults are as good.
        self.kept = serde_json::from_str(text).unwrap_or_default();
        self.saved = Some(text.to_owned());
        self.tokens = theme::named(&self.kept.theme).unwrap_or(&theme::NOCTURNE);
        self.zoom(self.kept.zoom);
    }

    // What the screens ask

    fn arrangement(&self) -> Arrangement {
        Arrangement::named(&self.kept.arrangement).unwrap_or_default()
    }

    /// Every pane that is not closed, in the order of the grid.
    fn all_panes(&self) -> Vec<Pane> {
        let agents = agents::order(&self.model).into_iter().map(Pane::Agent);
        let terminals = self.kept.terminals.iter().copied().map(Pane::Terminal);
        agents.chain(terminals).filter(|pane| !self.kept.closed.contains(pane)).collect()
    }

    /// The panes on the screen, with the side each shows.
    fn visible_panes(&self) -> Vec<(Pane, Side)> {
        let focused = self.focused();
        self.all_panes()
            .into_iter()
            .filter(|pane| !self.kept.maximised || Some(*pane) == focused)
            .map(|pane| (pane, self.side(pane)))
            .collect()
    }

    fn side(&self, pane: Pane) -> Side {
        match pane {
            Pane::Agent(id) if self.kept.shells.contains(&id) => Side::Shell,
            _ => Side::Agent,
        }
    }

    fn focused(&self) -> Option<Pane> {
        self.kept.focused
    }

    fn focused_agent(&self) -> Option<(&Agent, Side)> {
        match self.focused()? {
            pane @ Pane::Agent(id) => Some((self.model.agent(id)?, self.side(pane))),
            Pane::Terminal(_) => None,
        }
    }

    /// The agent a command is about: the one marked in the list, or the one with the keyboard.
    fn chosen_agent(&self) -> Option<&Agent> {
        let marked = self.marked.and_then(|id| self.model.agent(id));
        marked.or_else(|| self.focused_agent().map(|(agent, _)| agent))
    }

    fn focused_terminal(&self) -> Option<TerminalId> {
        let pane = self.focused()?;
        panes::terminal_of(&self.model, pane, self.side(pane))
    }

    fn grid_size(&self) -> Size {
        let left = if self.kept.agents_shown { extent::LEFT_PANEL + extent::LINE } else { 0.0 };
        let right = if self.runs_shown() { extent::RIGHT_PANEL + extent::LINE } else { 0.0 };
        let bars = extent::TOP_BAR + extent::STATUS_BAR + 2.0 * extent::LINE;
        let edge = 2.0 * (space::S - extent::LINE);
        let Size { width, height } = self.window.size;
        Size::new((width - left - right - edge).max(0.0), (height - bars - edge).max(0.0))
    }

    fn runs_shown(&self) -> bool {
        self.window.size.width >= WIDE && self.model.runs_in_sight(self.now_ms).next().is_some()
    }

    fn size_of_one_more(&self) -> screen::Size {
        let count = self.all_panes().len() + 1;
        let places = self.arrangement().places(count, self.grid_size(), panes::GAP);
        let area = if self.kept.maximised { self.grid_size() } else { last_size(&places) };
        self.cells(area)
    }

    fn size_of_focused(&self) -> screen::Size {
        let panes = self.visible_panes();
        let places = self.arrangement().places(panes.len(), self.grid_size(), panes::GAP);
        let at = panes.iter().position(|(pane, _)| Some(*pane) == self.focused());
        let place = at.and_then(|at| places.get(at)).map(iced::Rectangle::size);
        self.cells(place.unwrap_or_else(|| self.grid_size()))
    }

    /// About how many cells a pane of this size has. The widget says exactly once it is laid out.
    fn cells(&self, pane: Size) -> screen::Size {
        let Size { width, height } = cell(theme::type_scale::TERMINAL * self.kept.zoom);
        let edge = 2.0 * (panes::PADDING + 2.0 * extent::LINE);
        let header = extent::PANE_HEADER + extent::LINE;
        let cols = ((pane.width - edge) / width).clamp(20.0, 500.0);
        let rows = ((pane.height - edge - header) / height).clamp(5.0, 300.0);
        screen::Size::new(cols as u16, rows as u16)
    }

    fn context(&self) -> Context {
        if self.overlay.is_some() {
            Context::Overlay
        } else if self.marked.is_some() {
            Context::Agents
        } else if self.focused_terminal().is_some() && self.connection != Connection::Stopped {
            Context::Terminal
        } else {
            Context::Main
        }
    }

    /// What a key means to the window, before any widget sees it.
    fn key(&self, event: &keyboard::Event) -> Option<Message> {
        let key = maestro_grid::translate(event)?;
        if let Some(id) = self.keymap.lookup(self.context(), &key) {
            return Some(Message::Command(id));
        }
        // A window or a pane that offers one thing has its button under Enter.
        let enter = key.code == Code::Enter
            && key.mods == Mods::default()
            && key.action == maestro_core::input::Action::Press;
        if !enter || self.context() != Context::Main {
            return None;
        }
        match self.connection {
            Connection::Stopped => Some(Message::HostWanted),
            _ if self.model.agents.is_empty() => Some(Message::Command(Id::AgentNew)),
            _ => self.focused_agent().map(|_| Message::Command(Id::AgentResume)),
        }
    }

    // What it looks like

    /// The title of the window.
    #[must_use]
    pub fn title(&self) -> String {
        match self.model.count(State::NeedsYou) {
            0 => "Maestro".to_owned(),
            1 => "1 needs you · Maestro".to_owned(),
            count => format!("{count} need you · Maestro"),
        }
    }

    /// The theme for what the toolkit draws by itself.
    #[must_use]
    pub fn theme(&self) -> iced::Theme {
        self.tokens.iced()
    }

    /// The colours.
    #[must_use]
    pub fn tokens(&self) -> &'static Tokens {
        self.tokens
    }

    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        let events = iced::event::listen_with(|event, _, _| match event {
            iced::Event::Window(window::Event::Resized(size)) => Some(Message::Resized(size)),
            iced::Event::Window(window::Event::Rescaled(scale)) => Some(Message::Rescaled(scale)),
            iced::Event::Window(window::Event::Focused) => Some(Message::Looked(true)),
            iced::Event::Window(window::Event::Unfocused) => Some(Message::Looked(false)),
            iced::Event::Window(window::Event::CloseRequested) => Some(Message::CloseRequested),
            _ => None,
        });
        let shows_times = self.window.focused
            && (self.runs_shown()
                || self.model.agents.iter().any(|agent| {
                    matches!(agent.attention.state, State::NeedsYou | State::Working)
                }));
        let ticks = if shows_times {
            iced::time::every(TICK).map(|_| Message::Ticked(super::now_ms()))
        } else {
            Subscription::none()
        };
        Subscription::batch([events, ticks])
    }

    /// The window.
    pub fn view(&self, _: window::Id) -> Element<'_, Message> {
        self.screen()
    }

    /// The window's content.
    pub fn screen(&self) -> Element<'_, Message> {
        let tokens = self.tokens;
        let top = bars::top(
            &self.model,
            tokens,
            &self.keymap,
            Message::Command(Id::Palette),
            Message::NextWaiting,
        );
        let bottom = bars::bottom(&self.model, tokens, &self.keymap, self.status());
        let middle = row![self.left(), self.middle(), self.right()].height(Length::Fill);
        let window =
            container(column![top, part::rule(tokens), middle, part::rule(tokens), bottom])
                .style(move |_| style::surface(tokens.base));
        // Always the same layers, so that nothing under them loses its state when one comes.
        let layers = stack![window, self.over(), self.corner()];
        keys::before(layers, |event| self.key(event))
    }

    fn left(&self) -> Element<'_, Message> {
        if !self.kept.agents_shown || self.model.agents.is_empty() {
            return Space::new().into();
        }
        let context = agents::Context {
            tokens: self.tokens,
            keymap: &self.keymap,
            focused: self.focused_agent().map(|(agent, _)| agent.id),
            marked: self.marked,
            now_ms: self.now_ms,
            turning: self.window.focused,
        };
        let panel = agents::view(&self.model, context).map(Message::Agents);
        row![panel, part::upright(self.tokens)].into()
    }

    fn middle(&self) -> Element<'_, Message> {
        let tokens = self.tokens;
        let panes = self.visible_panes();
        let words = "Everything is kept: agents can be resumed where they were.";
        match &self.connection {
            Connection::Stopped => {
                let start = Some(Message::HostWanted);
                return panes::no_host(tokens, "The host was stopped", words.to_owned(), start);
            }
            Connection::Unreachable(why) => {
                return panes::no_host(tokens, "There is no host", sentence(why), None);
            }
            Connection::Connecting if self.model.agents.is_empty() => {
                return container(Space::new()).center(Length::Fill).into();
            }
            _ if self.model.agents.is_empty() && panes.is_empty() => {
                return panes::empty(tokens, &self.keymap, Message::Command(Id::AgentNew));
            }
            _ if panes.is_empty() => return panes::all_closed(tokens),
            _ => {}
        }
        let context = panes::Context {
            tokens,
            look: &self.look,
            link: &self.link,
            keymap: &self.keymap,
            focused: self.focused().filter(|_| self.marked.is_none()),
            arrangement: self.arrangement(),
            scale: self.window.scale,
            now_ms: self.now_ms,
            turning: self.window.focused,
        };
        panes::view(&self.model, &panes, context).map(Message::Panes)
    }

    fn right(&self) -> Element<'_, Message> {
        if !self.runs_shown() {
            return Space::new().into();
        }
        let turning = self.window.focused;
        match runs::view(&self.model, self.tokens, self.now_ms, turning) {
            Some(panel) => row![part::upright(self.tokens), panel].into(),
            None => Space::new().into(),
        }
    }

    fn status(&self) -> bars::Status<'_> {
        let trouble = match &self.connection {
            Connection::Lost(_) => Some("The host is gone: starting a new one…"),
            Connection::Unreachable(_) => Some("No host"),
            Connection::Stopped => Some("The host was stopped"),
            Connection::Connecting | Connection::Up => None,
        };
        bars::Status { agent: self.focused_agent(), trouble, maximised: self.kept.maximised }
    }

    fn over(&self) -> Element<'_, Message> {
        let tokens = self.tokens;
        let low = self.window.size.height < 760.0;
        let top = if low { space::XL } else { extent::PALETTE_TOP };
        let (content, width) = match &self.overlay {
            None => return Space::new().into(),
            Some(Overlay::Palette(palette)) => {
                (palette.view(tokens).map(Message::Palette), extent::PALETTE)
            }
            Some(Overlay::NewAgent(dialog)) => {
                (dialog.view(tokens).map(Message::NewAgent), extent::DIALOG)
            }
            Some(Overlay::Prompt(prompt)) => {
                (prompt.view(tokens).map(Message::Prompt), extent::DIALOG)
            }
        };
        part::over(tokens, content, width, top, Message::Outside)
    }

    fn corner(&self) -> Element<'_, Message> {
        if self.toasts.is_empty() {
            return Space::new().into();
        }
        let toasts = self.toasts.view(self.tokens, Message::ToastPressed);
        container(toasts)
            .align_right(Length::Fill)
            .align_bottom(Length::Fill)
            .padding(Padding::new(space::L).bottom(extent::STATUS_BAR + space::L))
            .into()
    }

    // For pictures and tests

    /// The widget that has the keyboard.
    #[must_use]
    pub fn keyboard(&self) -> &str {
        &self.keyboard
    }

    /// Why there is no host, if there is none.
    #[must_use]
    pub fn unreachable(&self) -> Option<&str> {
        match &self.connection {
            Connection::Unreachable(why) | Connection::Lost(why) => Some(why),
            _ => None,
        }
    }

    /// Whether everything that would be seen has arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.connection == Connection::Up
            && self.subscribed.keys().all(|terminal| !self.link.surface(*terminal).is_empty())
    }

    #[cfg(test)]
    pub fn lose_host_for_tests(&mut self) {
        let _ = self.heard(News::Stopped);
        let _ = self.settle();
    }

    /// A made-up window, without a host.
    #[must_use]
    pub fn scene(name: &str, size: Size, scale: f32, tokens: &'static Tokens) -> Option<Self> {
        use super::scene;

        let clock = Clock::new();
        let world = match name {
            "empty" => World {
                seq: 0,
                agents: Vec::new(),
                terminals: Vec::new(),
                runs: Vec::new(),
                preferences: Vec::new(),
            },
            "grid-many" => scene::crowded(),
            "resume" => scene::after_a_crash(),
            name if scene::NAMES.contains(&name) => scene::world(),
            _ => return None,
        };
        let mut shell = Self::new(Link::detached(&clock), clock, scene::NOW_MS);
        shell.window = Frame { size, scale, focused: false };
        shell.providers = scene::providers();
        for info in &world.terminals {
            let _ = shell.link.surface(info.id).apply(scene::frame(info.id));
        }
        let _ = shell.connected(world, name == "resume");
        shell.set_theme(tokens);
        if name != "grid-many" {
            shell.kept.closed = [4, 6, 7, 8].map(|id| Pane::Agent(AgentId(id))).into();
            let _ = shell.kept.shells.insert(AgentId(5));
        }
        shell.settle_focus();
        match name {
            "palette" => {
                let _ = shell.command(Id::Palette);
                let _ = shell.palette_message(palette::Message::Queried("pa".to_owned()));
            }
            "new-agent" => {
                let _ = shell.command(Id::AgentNew);
                let path = Path::new("/home/ada/shop");
                let _ = shell.handle(Message::Inspected(path.to_owned(), Ok(scene::repository())));
                let edit =
                    new_agent::Message::Edited(new_agent::Field::Branch, "feat/search".to_owned());
                let _ = shell.handle(Message::NewAgent(edit));
            }
            "rename" => {
                let _ = shell.command(Id::AgentRename);
            }
            "single" => shell.kept.maximised = true,
            "toasts" => {
                let problem =
                    "the branch feat/preferences is checked out in /home/ada/shop: choose another";
                let _ = shell.problem(problem.to_owned());
                let _ = shell.notice(Notice::Notification {
                    agent: Some(AgentId(6)),
                    title: "Claude Code".to_owned(),
                    body: "asks which currency comes first".to_owned(),
                });
            }
            _ => {}
        }
        let _ = shell.settle();
        Some(shell)
    }
}

/// About how large a cell is, in logical pixels.
#[must_use]
pub fn cell(size: f32) -> Size {
    Size::new((size * 0.6).round().max(1.0), (size * 1.32).round().max(1.0))
}

fn last_size(places: &[iced::Rectangle]) -> Size {
    places.last().map_or(Size::ZERO, iced::Rectangle::size)
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!(
        "{first}{}. It is tried again every few seconds.",
        characters.as_str().trim_end_matches('.')
    )
}

/// How terminals look in a theme.
#[must_use]
pub fn look(tokens: &Tokens, zoom: f32) -> Arc<Look> {
    let [.., regular, bold, italic, bold_italic, _] = font::FILES;
    let faces =
        Faces { regular, bold: Some(bold), italic: Some(italic), bold_italic: Some(bold_italic) };
    let colors = &tokens.terminal;
    let own =
        if tokens.dark { maestro_grid::Palette::NOCTURNE } else { maestro_grid::Palette::MATINEE };
    let palette = maestro_grid::Palette {
        foreground: colors.foreground,
        background: colors.background,
        cursor: colors.cursor,
        cursor_text: colors.background,
        selection: colors.selection,
        ansi: colors.ansi,
        ..own
    };
    Look::new(faces, theme::type_scale::TERMINAL * zoom, palette)
}
