//! The window itself: what it knows, what happens, what it shows.

mod autorun;
mod broadcast;
mod choosing;
mod chords;
mod commands;
mod dialogs;
mod finding;
mod graphics;
mod host;
mod kept;
mod keys;
mod layout;
mod list;
mod mastery;
mod menu;
mod notices;
mod orders;
mod preset;
mod review;
mod rooms;
mod sessions;
mod settings;
mod settle;
mod summon;
mod talk;
mod terminal;
mod tour;
mod view;
mod workspaces;
mod worktrees;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use iced::{Point, Size, Task, clipboard, window};
use maestro_core::agent::Agent;
use maestro_core::command::Id;
use maestro_core::input::Mods;
use maestro_core::keymap::{Keymap, Platform, Pressed};
use maestro_core::mastery::{By, Mastery};
use maestro_core::search::Query;
use maestro_core::session::SessionKey;
use maestro_core::settings::{Settings, Values};
use maestro_core::summon::Summon;
use maestro_core::worktree::Base;
use maestro_core::{AgentId, TerminalId};
use maestro_engine::keymap as keymap_file;
use maestro_engine::settings as settings_file;
use maestro_grid::device::{self, Trouble};
use maestro_grid::{Clock, Look};
use maestro_protocol::message::{
    Command, ProviderInfo, Reply, Repository, TerminalInfo, TerminalStats,
};
use maestro_ui::theme::{self, Tokens};

use super::ask::{self, Ask};
use super::autorun::{self as autorunning, Autorun};
use super::chords as chords_page;
use super::debug::Debug;
use super::find::Find;
use super::hints::Hints;
use super::link::Link;
use super::mastery as mastery_page;
use super::model::Model;
use super::new_agent::{self, NewAgent};
use super::notices as notices_page;
use super::palette::{self, Palette};
use super::panes::{self, Pane};
use super::prompt::{self, Prompt};
use super::review::{self as reviewing, Review};
use super::tabs::picker::Picker;
use super::tabs::why::Why;
use super::talk::{self as talking, Talks};
use super::target::Target;
use super::themes::{self, Themes};
use super::toast::{self, Toasts};
use super::vi::Vi;
use super::workspaces::Workspaces;
use super::{agents, look, queue, sessions as browser, settings as settings_page, usage};

use chords::Prefix;
use graphics::Graphics;
pub(super) use graphics::outlive_devices;
use kept::Kept;
pub(super) use kept::theme_in;
use layout::Panel;

/// The id that no widget has: giving it the keyboard takes it from all others.
const NOBODY: &str = "nobody";

/// How often the settings file is looked at.
const SETTINGS_PERIOD: Duration = Duration::from_secs(1);

/// The window's state.
#[derive(Debug)]
pub struct Shell {
    link: Link,
    clock: Clock,
    keymap: Keymap,
    /// The chords of the user's own.
    own_chords: chords_page::Own,
    /// The first of two chords, once it was pressed.
    prefix: Option<Prefix>,
    /// How often one was pressed.
    prefixes: u64,
    /// How many palettes were opened.
    palettes: u64,
    /// What is counted of the user's keys, and what the host has of it.
    mastery: Mastery,
    kept_mastery: Option<String>,
    /// Whether it is about to be sent.
    keeping_mastery: bool,
    /// The command that a chord has just been taken for.
    struck: Cell<Option<Id>>,
    model: Model,
    connection: Connection,
    tokens: &'static Tokens,
    look: Arc<Look>,
    window: Frame,
    now_ms: u64,
    kept: Kept,
    /// What the host has of [`Kept`].
    saved: Option<String>,
    /// Whether [`Kept`] is about to be sent.
    saving: bool,
    /// The side panel whose edge the mouse holds.
    held: Option<Panel>,
    /// The agent the list's cursor is on, while the list has the keyboard.
    marked: Option<AgentId>,
    /// What the user does with the list.
    list: agents::List,
    overlay: Option<Overlay>,
    toasts: Toasts,
    /// It is out of sight because somebody wanted it to be, and whether it filled the screen before.
    hidden: Option<bool>,
    /// What is shown as soon as the world is known.
    show_first: Option<Summon>,
    /// The chord that summons the window.
    call: summon::Call,
    /// The menus of the system.
    menus: maestro_platform::menu::Bar,
    /// Calls the quick prompt that was opened from here once more.
    prompting: Option<tokio::sync::mpsc::UnboundedSender<()>>,
    /// Whether the host knows that the window is looked at, or is not.
    told_looking: Option<bool>,
    providers: Vec<ProviderInfo>,
    /// Where the program was started: what a first agent is probably about.
    started_in: Option<PathBuf>,
    /// Terminals the host sends frames of, and whether as the focused one.
    subscribed: HashMap<TerminalId, bool>,
    /// The widget that was given the keyboard last.
    keyboard: String,
    /// Every theme, the user's own among them.
    themes: Themes,
    /// Whether the desktop is dark, where it says so.
    desktop_dark: Option<bool>,
    settings: Settings,
    values: Values,
    /// The settings file, where there is a home folder.
    settings_path: Option<PathBuf>,
    /// How terminals look whose text has a size of its own.
    looks: BTreeMap<Pane, Arc<Look>>,
    /// The search bar, and what was looked for last.
    find: Option<Find>,
    last_query: Query,
    /// The terminal in vi mode whose matches stay known, for n and N.
    searched: Option<TerminalId>,
    vi: Vi,
    hints: Option<Hints>,
    /// The link under the mouse, as it is shown.
    hovered: Option<(TerminalId, String)>,
    /// What programs want to put into the clipboard.
    wanted: BTreeMap<TerminalId, String>,
    /// Terminals that rang and were not looked at since.
    bells: BTreeSet<TerminalId>,
    /// Terminals in which pastes are not asked about any more.
    unasked: HashSet<TerminalId>,
    /// The session that was moved into the trash last, and its title.
    trashed: Option<(SessionKey, String)>,
    /// Whether files are held over the window.
    dropping: bool,
    /// Whether the clipboard is being read: what is typed after a paste comes after it.
    reading: bool,
    debug: Option<Debug>,
    /// Checklists and runs.
    autorun: Autorun,
    /// The project whose checklists are shown.
    autorun_directory: Option<PathBuf>,
    /// Changes and branches.
    review: Review,
    /// Worktrees that are to be removed, or were.
    leaving: worktrees::Leaving,
    /// The conversations.
    talks: Talks,
    /// Panes in which there is little place.
    narrow: BTreeSet<Pane>,
    /// How high panes are that are low.
    low: BTreeMap<Pane, f32>,
    graphics: Graphics,
    /// The panes that hear what is typed into one of them. Nobody finds them chosen: they outlive nothing.
    broadcast: BTreeSet<Pane>,
    /// The terminals that do at the moment, where there are several.
    hearing: Arc<[TerminalId]>,
    /// Panes and layouts under names.
    workspaces: Workspaces,
    /// How often the view was built.
    views: Cell<u64>,
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

#[derive(Debug)]
enum Overlay {
    Palette(Palette),
    NewAgent(Box<NewAgent>),
    Prompt(Prompt),
    Ask(Ask),
    Sessions(Box<browser::Browser>),
    Usage(usage::Usage),
    Picker(Picker),
    Queue(Box<queue::View>),
    Why(Why),
    Settings(Box<settings_page::View>),
    Notices(notices_page::View),
    Chords(Box<chords_page::View>),
    Mastery(Box<mastery_page::View>),
}

/// What a settings file says, whenever it is another file than before. Looking at it is one call to the
/// system a second.
fn settings_of(
    path: PathBuf,
) -> impl iced::futures::Stream<Item = Result<settings_file::Content, settings_file::Problem>> + Send
{
    let known = settings_file::stamp(&path);
    iced::futures::stream::unfold((path, known), |(path, known)| async move {
        loop {
            tokio::time::sleep(SETTINGS_PERIOD).await;
            let now = settings_file::stamp(&path);
            if now != known {
                return Some((settings_file::read(&path), (path, now)));
            }
        }
    })
}

/// What a keymap file says, whenever it is another file than before.
fn keymap_of(
    path: PathBuf,
) -> impl iced::futures::Stream<Item = Result<keymap_file::Content, keymap_file::Problem>> + Send {
    let known = keymap_file::stamp(&path);
    iced::futures::stream::unfold((path, known), |(path, known)| async move {
        loop {
            tokio::time::sleep(SETTINGS_PERIOD).await;
            let now = keymap_file::stamp(&path);
            if now != known {
                return Some((keymap_file::read(&path, Platform::HERE), (path, now)));
            }
        }
    })
}

/// What the toolkit says about the desktop, which is asked about it once and told of changes.
#[cfg(not(target_os = "linux"))]
fn desktop_mode(mode: iced::theme::Mode) -> Message {
    Message::Desktop(match mode {
        iced::theme::Mode::None => None,
        iced::theme::Mode::Light => Some(false),
        iced::theme::Mode::Dark => Some(true),
    })
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
    /// Whether the window fills the screen, at a size.
    Measured(Size, bool),
    /// The edge of a side panel was taken hold of, or let go.
    Held(Option<Panel>),
    /// The mouse is there, with an edge in its hand.
    Dragged(Point),
    /// What is to be remembered has rested for a moment.
    SaveDue,
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
    /// The host said what a palette is to list, or why it cannot: an answer to the question with this number.
    PaletteHeard(u64, Result<Reply, String>),
    /// Something was done that cannot be seen.
    Said(String),
    /// The new-agent dialog.
    NewAgent(new_agent::Message),
    /// A question.
    Prompt(prompt::Message),
    /// The session browser.
    Sessions(browser::Message),
    /// The usage page.
    Usage(usage::Message),
    /// The settings page.
    Settings(settings_page::Message),
    /// The list of notices.
    Notices(notices_page::Message),
    /// Help, or the page of chords.
    Chords(chords_page::Message),
    /// What was counted of the user's keys is to be kept.
    MasteryDue,
    /// The chord that is heard everywhere was pressed.
    Called(u32),
    /// The quick prompt is gone, or could not be opened.
    Prompted(Result<(), String>),
    /// What the clipboard has is to be taken over as chords.
    ChordsPasted(Option<String>),
    /// The first of two chords was pressed.
    Prefix(Pressed),
    /// A key was pressed behind it, which does this.
    Followed(Option<Id>),
    /// It is to be shown what can follow.
    PrefixDue(u64),
    /// Nothing has followed for long enough, or nothing is to.
    PrefixOver(u64),
    /// A stored session is gone on with, or not.
    SessionResumed(Result<sessions::Resumed, String>),
    /// In Auto Run.
    Autorun(autorunning::Message),
    /// In changes and branches.
    Review(reviewing::Message),
    /// What the host says about worktrees and the trash.
    Worktrees(Box<worktrees::Heard>),
    /// In a conversation, or in a list about them.
    Talk(talking::Message),
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
    /// What a new branch in a directory could start from, for what was typed.
    Bases(PathBuf, String, Vec<Base>),
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
    /// The clipboard's image for a terminal, and whether it was asked for by name.
    ImageRead(TerminalId, Result<Option<Vec<u8>>, String>, bool),
    /// What a command printed.
    OutputCopied(String),
    /// What was selected in a terminal when its search bar opened.
    FindPrefilled(TerminalId, String),
    /// A query has rested for a frame.
    FindDue,
    /// A letter of a label, with what was held.
    HintTyped(char, Mods),
    /// What a link leads to was looked at.
    Examined(Option<Target>),
    /// A question about a terminal.
    Ask(ask::Message),
    /// A question that came by itself was there long enough to be seen.
    AskSeen,
    /// A terminal's text was written, or not.
    Exported(Result<PathBuf, String>),
    /// Files are held over the window, or not any more.
    Dropping(bool),
    /// A file was let go over the window.
    Dropped(PathBuf),
    /// The settings file was read, or cannot be.
    SettingsRead(Result<settings_file::Content, settings_file::Problem>),
    /// The keymap file was read, or cannot be.
    KeymapRead(Result<keymap_file::Content, keymap_file::Problem>),
    /// The files of themes were read.
    ThemesRead(Vec<themes::Read>),
    /// Whether the desktop is dark.
    Desktop(Option<bool>),
    /// What drawing costs is to be counted.
    DebugTicked(u64),
    /// Something is wrong with the graphics device.
    Trouble(Trouble),
    /// There is another window in place of the one before, with a scale factor.
    Reopened(f32),
    /// What the terminals cost.
    DebugHeard(Result<Vec<TerminalStats>, String>),
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
            own_chords: Vec::new(),
            prefix: None,
            prefixes: 0,
            palettes: 0,
            mastery: Mastery::default(),
            kept_mastery: None,
            keeping_mastery: false,
            struck: Cell::new(None),
            model: Model::default(),
            connection: Connection::Connecting,
            tokens,
            look: look::of(tokens, 1.0, &Settings::default()),
            window: Frame { size: Size::new(1440.0, 900.0), scale: 1.0, focused: false },
            now_ms,
            kept: Kept::default(),
            saved: None,
            saving: false,
            held: None,
            marked: None,
            list: agents::List::default(),
            overlay: None,
            toasts: Toasts::default(),
            hidden: None,
            show_first: None,
            call: summon::Call::default(),
            menus: maestro_platform::menu::Bar::default(),
            prompting: None,
            told_looking: None,
            providers: Vec::new(),
            started_in: None,
            subscribed: HashMap::new(),
            keyboard: NOBODY.to_owned(),
            themes: Themes::default(),
            desktop_dark: None,
            settings: Settings::default(),
            values: Values::default(),
            settings_path: None,
            looks: BTreeMap::new(),
            find: None,
            last_query: Query::default(),
            searched: None,
            vi: Vi::default(),
            hints: None,
            hovered: None,
            wanted: BTreeMap::new(),
            bells: BTreeSet::new(),
            unasked: HashSet::new(),
            trashed: None,
            dropping: false,
            reading: false,
            debug: None,
            autorun: Autorun::default(),
            autorun_directory: None,
            review: Review::default(),
            leaving: worktrees::Leaving::default(),
            talks: Talks::default(),
            narrow: BTreeSet::new(),
            low: BTreeMap::new(),
            graphics: Graphics::default(),
            broadcast: BTreeSet::new(),
            hearing: Arc::new([]),
            workspaces: Workspaces::default(),
            views: Cell::new(0),
        }
    }

    /// A window that heeds a settings file.
    #[must_use]
    pub fn with_settings(mut self, path: PathBuf) -> Self {
        let read = settings_file::read(&path);
        self.settings_path = Some(path);
        // Read first: the settings may name one of them.
        if let Some(folder) = self.themes_folder() {
            let _ = self.themes_read(themes::read(&folder));
        }
        // Its complaint is a toast, whose end comes by itself in a window only.
        let _ = self.settings_read(read);
        let chords = self.keymap_path().map(|path| keymap_file::read(&path, Platform::HERE));
        let _ = chords.map(|read| self.keymap_read(read));
        self
    }

    /// The directory a first agent is probably about.
    #[must_use]
    pub fn started_in(self, directory: Option<PathBuf>) -> Self {
        Self { started_in: directory, ..self }
    }

    /// What runs beside the window for as long as it lives.
    pub fn start(&self) -> Task<Message> {
        let heard = Task::run(self.link.arrivals(), |()| Message::Heard(super::now_ms()));
        let settings = self
            .settings_path
            .clone()
            .map(|path| Task::run(settings_of(path), Message::SettingsRead));
        let chords = self.keymap_path().map(|path| Task::run(keymap_of(path), Message::KeymapRead));
        let themes = self
            .themes_folder()
            .map(|folder| Task::run(themes::changes(folder), Message::ThemesRead));
        let troubles = Task::run(device::troubles(), Message::Trouble);
        let files = settings.into_iter().chain(chords).chain(themes);
        #[cfg(not(target_os = "linux"))]
        let files = files.chain([iced::system::theme().map(desktop_mode)]);
        Task::batch([self.clock.task(), heard, troubles].into_iter().chain(files))
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
                let filled = window::latest().and_then(window::is_maximized);
                filled.map(move |filled| Message::Measured(size, filled))
            }
            Message::Measured(size, filled) => {
                self.kept.measured(size, filled);
                Task::none()
            }
            Message::Held(panel) => {
                self.held = panel;
                Task::none()
            }
            Message::Dragged(at) => {
                self.drag(at);
                Task::none()
            }
            Message::SaveDue => {
                self.saving = false;
                self.save();
                Task::none()
            }
            Message::Rescaled(scale) => {
                self.window.scale = scale;
                Task::none()
            }
            Message::Looked(focused) => {
                self.call.looked(self.window.focused, focused);
                self.window.focused = focused;
                self.prefix = None;
                Task::none()
            }
            Message::CloseRequested => self.leave(),
            Message::Called(which) => self.was_called(which),
            Message::Prompted(done) => self.prompted(done),
            Message::Command(id) => {
                let struck = self.struck.take() == Some(id);
                let done = self.command(id);
                let by = if struck { By::Keyboard } else { By::Mouse };
                Task::batch([done, self.played(id, by)])
            }
            Message::Agents(message) => self.agents_message(message),
            Message::Panes(message) => self.pane_message(message),
            Message::Palette(message) => self.palette_message(message),
            Message::PaletteHeard(question, reply) => {
                self.palette_heard(question, reply);
                Task::none()
            }
            Message::Said(words) => self.said(words),
            Message::NewAgent(message) => self.new_agent(|dialog| dialog.update(message)),
            Message::Prompt(message) => self.prompt(message),
            Message::Sessions(message) => self.sessions_message(message),
            Message::Usage(message) => self.usage(|page| page.update(message)),
            Message::Settings(message) => self.settings_page(|page| page.update(message)),
            Message::Notices(message) => self.notices_message(message),
            Message::Chords(message) => self.chords_page(|page| page.update(message)),
            Message::MasteryDue => {
                self.mastery_due();
                Task::none()
            }
            Message::ChordsPasted(text) => self.import_chords(text),
            Message::Prefix(first) => self.prefixed(first),
            Message::Followed(id) => self.run_followed(id),
            Message::PrefixDue(number) => {
                self.show_prefix(number);
                Task::none()
            }
            Message::PrefixOver(number) => {
                self.end_prefix(number);
                Task::none()
            }
            Message::SessionResumed(resumed) => self.session_resumed(resumed),
            Message::Autorun(message) => self.autorun_message(message),
            Message::Review(message) => self.review_message(message),
            Message::Worktrees(heard) => self.worktrees_heard(*heard),
            Message::Talk(message) => self.talk_message(message),
            Message::Outside if self.autorun_has_overlay() => {
                self.autorun_command(Id::OverlayCancel)
            }
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
                Some(toast::Source::Agent(id)) => self.go_to_waiting(id),
                Some(toast::Source::Run(_)) => self.command(Id::RunsOpen),
                Some(toast::Source::Queue(item)) => self.put_back(item),
                Some(toast::Source::Trash(snapshot)) => self.trash_toast(snapshot),
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
                    let action = dialog.inspected(&path, result);
                    return self.new_agent_action(action);
                }
                Task::none()
            }
            Message::Bases(path, like, bases) => {
                if let Some(Overlay::NewAgent(dialog)) = &mut self.overlay {
                    dialog.bases_found(&path, &like, bases);
                }
                Task::none()
            }
            Message::Created(result) => self.created(result),
            Message::Answered(Ok(())) => {
                // It may have been closed since, and another one opened.
                if matches!(self.overlay, Some(Overlay::Prompt(_))) {
                    self.overlay = None;
                }
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
                self.reading = false;
                match text.filter(|text| !text.is_empty()) {
                    Some(text) => self.paste_text(terminal, text),
                    None => terminal::paste_image(terminal, false),
                }
            }
            Message::ImageRead(terminal, image, wanted) => self.image_read(terminal, image, wanted),
            Message::OutputCopied(text) => self.output_copied(text),
            Message::FindPrefilled(terminal, text) => self.find_prefilled(terminal, &text),
            Message::FindDue => self.find_due(),
            Message::HintTyped(letter, mods) => self.hint_typed(letter, mods),
            Message::Examined(target) => self.examined(target),
            Message::Ask(message) => self.ask_message(message),
            Message::AskSeen => {
                if let Some(Overlay::Ask(ask)) = &mut self.overlay {
                    ask.seen();
                }
                Task::none()
            }
            Message::Exported(result) => self.exported(result),
            Message::Dropping(over) => {
                self.dropping = over;
                Task::none()
            }
            Message::Dropped(path) => self.dropped(&path),
            Message::SettingsRead(read) => self.settings_read(read),
            Message::KeymapRead(read) => self.keymap_read(read),
            Message::ThemesRead(files) => self.themes_read(files),
            Message::Desktop(dark) => {
                self.desktop_dark = dark;
                Task::none()
            }
            Message::Trouble(trouble) => self.trouble(trouble),
            Message::Reopened(scale) => {
                self.window.scale = scale;
                // Nobody in it has the keyboard yet.
                self.keyboard.clear();
                Task::none()
            }
            Message::DebugTicked(at_ms) => self.debug_ticked(at_ms),
            Message::DebugHeard(stats) => {
                if let Some(debug) = &mut self.debug {
                    debug.heard(stats);
                }
                Task::none()
            }
        }
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
        self.link.ask(command, message)
    }
}
