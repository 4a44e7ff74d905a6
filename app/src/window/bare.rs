//! A window with nothing but one command in one terminal.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use anyhow::Context as _;
use iced::{Element, Size, Subscription, Task, clipboard, keyboard, window};
use iced_runtime::widget::operation;
use maestro_core::command::{Context, Id};
use maestro_core::input::{Input, ScrollTo, Select};
use maestro_core::keymap::{Keymap, Platform};
use maestro_core::link::Link as Place;
use maestro_core::search::Query;
use maestro_core::settings::Settings;
use maestro_core::{TerminalId, screen};
use maestro_engine::settings;
use maestro_grid::{Clock, Look};
use maestro_protocol::client::Start;
use maestro_protocol::home::Home;
use maestro_protocol::message::{Command, Event, NewTerminal, PASTE_LIMIT, Reply};
use maestro_ui::theme::{self, Tokens, extent, space, type_scale};
use maestro_ui::{keys, part, pile, style};

use super::ask::{self, Ask, Deed};
use super::find::{self, Find};
use super::link::{Link, News};
use super::target::{self, Target};
use super::{load_fonts, look, paste, program_settings};

const WIDGET: &str = "terminal";
/// The id that no widget has.
const NOBODY: &str = "nobody";
const PADDING: f32 = 6.0;

/// What the window needs to know besides the command.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose host runs the command.
    pub home: Home,
    /// How the host is started when none runs.
    pub start: Start,
    /// Where the command runs; the current directory when absent.
    pub directory: Option<PathBuf>,
    /// Cells of the terminal.
    pub size: Option<screen::Size>,
}

/// What is wrong when there is no exit code.
const NOT_ENDED: i32 = i32::MIN;

#[derive(Debug)]
struct Term {
    link: Link,
    clock: Clock,
    keymap: Keymap,
    tokens: &'static Tokens,
    look: Arc<Look>,
    own: Settings,
    zoom: f32,
    scale: f32,
    new: NewTerminal,
    terminal: Option<TerminalId>,
    title: String,
    /// Where the program is.
    here: PathBuf,
    ask: Option<Ask>,
    /// Whether the clipboard is being read: what is typed after a paste comes after it.
    reading: bool,
    /// Whether pastes are not asked about any more.
    unasked: bool,
    find: Option<Find>,
    last_query: Query,
    /// Why there is no terminal.
    trouble: Option<String>,
    exit: Arc<AtomicI32>,
}

#[derive(Debug, Clone)]
enum Message {
    Heard,
    Rescaled(f32),
    CloseRequested,
    Opened(Result<TerminalId, String>),
    Command(Id),
    Copied(Option<String>, bool),
    Selected,
    Focused,
    Pasted(Option<String>),
    Followed(Place),
    Examined(Option<Target>),
    Ask(ask::Message),
    AskSeen,
    Outside,
    Find(find::Message),
    FindDue,
    Done(Result<(), String>),
    Closed,
}

pub(super) fn run(command: Vec<String>, options: Options) -> anyhow::Result<i32> {
    load_fonts();
    let clock = Clock::new();
    // A window with a command in it has no place for complaints: the other one has.
    let own = settings::read(&settings::path(&options.home)).unwrap_or_default();
    let own = Settings::of(&own.values, None);
    let link = Link::start(&clock, options.home, options.start)
        .context("the window cannot start the thread that talks to the host")?;
    let size = options.size.unwrap_or_else(|| screen::Size::new(120, 40));
    let directory = options.directory.or_else(|| std::env::current_dir().ok());
    let title = command.first().cloned().unwrap_or_else(|| "Shell".to_owned());
    let new = NewTerminal { command, directory, env: Vec::new(), size };
    let exit = Arc::new(AtomicI32::new(NOT_ENDED));
    let code = Arc::clone(&exit);
    let boot = move || {
        let tokens = &theme::NOCTURNE;
        let term = Term {
            link: link.clone(),
            clock: clock.clone(),
            keymap: Keymap::new(Platform::HERE),
            tokens,
            look: look::of(tokens, 1.0, &own),
            own: own.clone(),
            zoom: 1.0,
            scale: 1.0,
            new: new.clone(),
            terminal: None,
            title: title.clone(),
            here: PathBuf::new(),
            ask: None,
            reading: false,
            unasked: false,
            find: None,
            last_query: Query::default(),
            trouble: None,
            exit: Arc::clone(&exit),
        };
        // At which scale it will be drawn is known only once it is there.
        let area = window_size(size, &term.look, 1.0);
        let (_, opened) =
            window::open(window::Settings { min_size: None, ..super::settings(area) });
        let scale = opened.then(window::scale_factor).map(Message::Rescaled);
        let heard = Task::run(term.link.arrivals(), |()| Message::Heard);
        let tasks = Task::batch([term.clock.task(), heard, scale]);
        (term, tasks)
    };
    iced::daemon(boot, Term::update, Term::view)
        .title(|term: &Term, _| term.title.clone())
        .theme(|term: &Term, _| term.tokens.iced())
        .subscription(|_: &Term| subscription())
        .settings(program_settings())
        .run()
        .context("the window cannot be opened: is there a display?")?;
    Ok(match code.load(Ordering::Relaxed) {
        // The window was closed first: the terminal went with it.
        NOT_ENDED => 0,
        code => code,
    })
}

/// How large a window with just these cells is.
fn window_size(cells: screen::Size, look: &Look, scale: f32) -> Size {
    let cell = look.cell(scale);
    let side = |count: u16, cell: f32| f32::from(count) * cell + 2.0 * PADDING;
    Size::new(side(cells.cols, cell.width), side(cells.rows, cell.height))
}

fn subscription() -> Subscription<Message> {
    iced::event::listen_with(|event, _, _| match event {
        iced::Event::Window(window::Event::Rescaled(scale)) => Some(Message::Rescaled(scale)),
        iced::Event::Window(window::Event::CloseRequested) => Some(Message::CloseRequested),
        _ => None,
    })
}

impl Term {
    fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Heard => {
                let news = self.link.take();
                return Task::batch(
                    news.into_iter().map(|news| self.heard(news)).collect::<Vec<_>>(),
                );
            }
            Message::Rescaled(scale) => return self.rescale(scale),
            Message::CloseRequested => return self.close(),
            Message::Opened(Ok(terminal)) => {
                let _ = self.link.surface(terminal);
                self.terminal = Some(terminal);
                self.link.tell(Command::Subscribe { terminal, focused: true });
                return operation::focus(WIDGET);
            }
            Message::Opened(Err(why)) => self.trouble = Some(why),
            Message::Command(id) => return self.command(id),
            Message::Selected => return self.copy(true),
            Message::Focused => {
                if let Some(find) = &mut self.find {
                    find.active = false;
                }
                return operation::focus(WIDGET);
            }
            Message::Copied(None, _) => {}
            Message::Copied(Some(text), false) => return clipboard::write(text),
            Message::Copied(Some(text), true) => return clipboard::write_primary(text),
            Message::Pasted(text) => {
                self.reading = false;
                return self.paste(text.unwrap_or_default());
            }
            Message::Followed(link) => {
                let home = std::env::var_os("HOME").map(PathBuf::from);
                let read = target::read(&link.target, link.kind, &self.here, home.as_deref());
                let examined = async move {
                    tokio::task::spawn_blocking(move || target::examined(read)).await.ok()
                };
                return Task::perform(examined, Message::Examined);
            }
            Message::Examined(Some(target)) if self.ask.is_none() => {
                let editor = self.own.editor.as_ref().and_then(|words| words.first());
                return self.question(Ask::link(&target, editor.map(String::as_str)).once());
            }
            Message::Examined(_) | Message::Done(Ok(())) => {}
            // There is no place for complaints but the one above.
            Message::Done(Err(why)) => self.title = maestro_core::text::clean(&why, 200),
            Message::Ask(message) => match self.ask.as_mut().map(|ask| ask.update(message)) {
                Some(Some(deed)) => return self.done_by(deed),
                Some(None) => return self.answered(),
                None => {}
            },
            Message::AskSeen => {
                if let Some(ask) = &mut self.ask {
                    ask.seen();
                }
            }
            Message::Outside => return self.answered(),
            Message::Find(message) => return self.find_message(message),
            Message::FindDue => return self.find_due(),
            Message::Closed => return iced::exit(),
        }
        Task::none()
    }

    /// Cells are whole physical pixels: at another scale the same number takes another size. Once the
    /// command runs, the window is the user's.
    fn rescale(&mut self, scale: f32) -> Task<Message> {
        let before = std::mem::replace(&mut self.scale, scale);
        if before == scale || self.terminal.is_some() {
            return Task::none();
        }
        let area = window_size(self.new.size, &self.look, scale);
        window::latest().and_then(move |id| window::resize(id, area))
    }

    fn heard(&mut self, news: News) -> Task<Message> {
        match news {
            News::Connected { again: false, .. } => self.open(),
            News::Event { event: Event::Terminal(info), .. } if Some(info.id) == self.terminal => {
                self.title = maestro_core::text::clean(&info.title, 200);
                self.here = info.directory;
                match info.exit {
                    Some(exit) => self.ended(exit),
                    None => Task::none(),
                }
            }
            News::Event { event: Event::TerminalClosed(id), .. } if Some(id) == self.terminal => {
                iced::exit()
            }
            News::Event { event: Event::Clipboard { terminal, text, .. }, .. }
                if Some(terminal) == self.terminal =>
            {
                clipboard::write(text)
            }
            News::Event { event: Event::Search { terminal, search }, .. } => {
                if let Some(find) = self.find.as_mut().filter(|find| find.terminal == terminal) {
                    find.heard(search);
                }
                Task::none()
            }
            // The terminal is gone with its host.
            News::Lost(_) | News::Stopped | News::Connected { again: true, .. } => {
                self.exit.store(1, Ordering::Relaxed);
                iced::exit()
            }
            News::Unreachable(why) => {
                self.trouble = Some(why);
                Task::none()
            }
            News::Event { .. }
            | News::Said { .. }
            | News::Heard { .. }
            | News::Order { .. }
            | News::Resynced(_) => Task::none(),
        }
    }

    fn open(&self) -> Task<Message> {
        self.link.tell_theme(self.tokens);
        self.request(Command::NewTerminal(self.new.clone()), |reply| {
            Message::Opened(match reply {
                Ok(Reply::Terminal(info)) => Ok(info.id),
                Ok(_) => Err("the host did not say which terminal it opened".to_owned()),
                Err(why) => Err(why),
            })
        })
    }

    /// The command has ended: so does the window, once the host has forgotten the terminal.
    fn ended(&mut self, exit: i32) -> Task<Message> {
        self.exit.store(exit, Ordering::Relaxed);
        self.close()
    }

    fn close(&mut self) -> Task<Message> {
        match self.terminal.take() {
            Some(terminal) => {
                self.request(Command::CloseTerminal { terminal }, |_| Message::Closed)
            }
            None => iced::exit(),
        }
    }

    fn command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::Copy => return self.copy(false),
            Id::Paste => {
                self.reading = true;
                return clipboard::read().map(Message::Pasted);
            }
            Id::Quit => return self.close(),
            Id::Search => return self.open_find(),
            Id::SearchOlder
            | Id::SearchNewer
            | Id::SearchRegex
            | Id::SearchCase
            | Id::SearchKeep
            | Id::SearchClose => return self.find_message(find::Message::Pressed(id)),
            Id::OverlayCancel => return self.answered(),
            Id::OverlayUp | Id::OverlayPrevious | Id::OverlayDown | Id::OverlayNext => {
                if let Some(ask) = &mut self.ask {
                    ask.step(if matches!(id, Id::OverlayUp | Id::OverlayPrevious) {
                        -1
                    } else {
                        1
                    });
                }
            }
            Id::OverlayAccept => {
                if let Some(ask) = self.ask.as_mut().filter(|ask| !ask.is_unseen()) {
                    let deed = ask.accept();
                    return self.done_by(deed);
                }
            }
            Id::PaneZoomIn | Id::ZoomIn => self.zoom(self.zoom + 0.1),
            Id::PaneZoomOut | Id::ZoomOut => self.zoom(self.zoom - 0.1),
            Id::PaneZoomReset | Id::ZoomReset => self.zoom(1.0),
            Id::ThemeToggle => {
                self.tokens = self.tokens.other();
                self.zoom(self.zoom);
            }
            id => {
                if let (Some(input), Some(terminal)) = (input(id), self.terminal) {
                    self.link.input(terminal, input);
                }
            }
        }
        Task::none()
    }

    /// A text goes into the program, after a question where its line breaks would run something.
    fn paste(&mut self, text: String) -> Task<Message> {
        let Some(terminal) = self.terminal.filter(|_| !text.is_empty()) else {
            return Task::none();
        };
        if text.len() > PASTE_LIMIT {
            let why = format!("Nothing was pasted: more than {} MB", PASTE_LIMIT / 1024 / 1024);
            return Task::done(Message::Done(Err(why)));
        }
        let bracketed = self.link.surface(terminal).modes().bracketed_paste;
        let into = paste::Into { shell: true, bracketed };
        if !self.unasked && paste::is_asked_about(&text, into, self.own.confirm_paste) {
            if self.ask.is_some() {
                return Task::none();
            }
            let name = if self.title.is_empty() { "the terminal" } else { &self.title };
            return self.question(Ask::paste(terminal, name, text));
        }
        self.link.input(terminal, Input::Paste(text));
        Task::none()
    }

    fn question(&mut self, ask: Ask) -> Task<Message> {
        self.ask = Some(ask.unseen());
        let seen = async { tokio::time::sleep(ask::UNSEEN).await };
        let seen = Task::perform(seen, |()| Message::AskSeen);
        Task::batch([operation::focus(NOBODY), seen])
    }

    /// The question is no more: the keyboard goes back to where it was.
    fn answered(&mut self) -> Task<Message> {
        self.ask = None;
        let finding = self.find.as_ref().is_some_and(|find| find.active);
        operation::focus(if finding { find::INPUT } else { WIDGET })
    }

    fn done_by(&mut self, deed: Deed) -> Task<Message> {
        if deed == Deed::Nothing {
            return Task::none();
        }
        let open = |words| Task::perform(target::start(words), Message::Done);
        let done = match deed {
            Deed::Paste { terminal, text, flat, always } => {
                self.unasked |= always;
                let text = if flat { paste::one_line(&text) } else { text.to_string() };
                self.link.input(terminal, Input::Paste(text));
                Task::none()
            }
            Deed::Open(url) => open(target::desktop(&url)),
            Deed::OpenFile(file) => match &self.own.editor {
                Some(template) => open(target::editor(template, &file)),
                None => Task::perform(target::open(file), Message::Done),
            },
            Deed::OpenFolder(path) => open(target::desktop(&path.to_string_lossy())),
            Deed::Copy(text) => clipboard::write(text),
            // Nothing else is asked here.
            _ => Task::none(),
        };
        Task::batch([self.answered(), done])
    }

    fn open_find(&mut self) -> Task<Message> {
        let Some(terminal) = self.terminal else { return Task::none() };
        match &mut self.find {
            Some(find) => find.active = true,
            None => {
                let scroll = self.link.surface(terminal).scroll();
                self.find = Some(Find::new(terminal, &self.last_query, scroll));
            }
        }
        let focus = operation::focus(find::INPUT).chain(operation::select_all(find::INPUT));
        Task::batch([focus, self.find_due()])
    }

    fn find_message(&mut self, message: find::Message) -> Task<Message> {
        let Some(find) = &mut self.find else { return Task::none() };
        let terminal = find.terminal;
        let changed = match message {
            find::Message::Edited(text) => find.edit(text),
            find::Message::Focused => {
                find.active = true;
                false
            }
            find::Message::Pressed(Id::SearchRegex) => find.toggle_regex(),
            find::Message::Pressed(Id::SearchCase) => find.toggle_case(),
            find::Message::Pressed(id @ (Id::SearchOlder | Id::SearchNewer)) => {
                let forward = id == Id::SearchNewer;
                let due = self.find_due();
                let moved = self.tell(Command::SearchMove { terminal, forward });
                return Task::batch([due, moved]);
            }
            find::Message::Pressed(id) => {
                if id != Id::SearchKeep {
                    let offset = find.came_from(self.link.surface(terminal).scroll());
                    let to = if offset == 0 { ScrollTo::Bottom } else { ScrollTo::Offset(offset) };
                    self.link.input(terminal, Input::Scroll(to));
                }
                self.last_query.clone_from(find.query());
                self.find = None;
                let ended = self.tell(Command::Search { terminal, query: None });
                return Task::batch([operation::focus(WIDGET), ended]);
            }
        };
        if changed { Task::done(Message::FindDue) } else { Task::none() }
    }

    fn find_due(&mut self) -> Task<Message> {
        let Some(find) = &mut self.find else { return Task::none() };
        let terminal = find.terminal;
        let Some(query) = find.ask() else { return Task::none() };
        self.tell(Command::Search { terminal, query })
    }

    /// Asks the host for something.
    fn tell(&self, command: Command) -> Task<Message> {
        self.request(command, |reply| Message::Done(reply.map(|_| ())))
    }

    fn zoom(&mut self, zoom: f32) {
        self.zoom = zoom.clamp(0.6, 2.4);
        self.look = look::of(self.tokens, self.zoom, &self.own);
    }

    fn copy(&self, primary: bool) -> Task<Message> {
        let Some(terminal) = self.terminal else { return Task::none() };
        self.request(Command::CopySelection { terminal }, move |reply| match reply {
            Ok(Reply::Text(text)) => Message::Copied(text, primary),
            _ => Message::Copied(None, primary),
        })
    }

    fn request(
        &self,
        command: Command,
        message: impl Fn(Result<Reply, String>) -> Message + Send + 'static,
    ) -> Task<Message> {
        self.link.ask(command, message)
    }

    fn key(&self, event: &keyboard::Event) -> Option<Message> {
        let key = maestro_grid::translate(event)?;
        let context = if self.ask.is_some() {
            Context::Overlay
        } else if self.find.as_ref().is_some_and(|find| find.active) {
            Context::Search
        } else {
            Context::Terminal
        };
        let id = self.keymap.lookup(context, &key)?;
        // Commands about agents and panes have no meaning here; the program gets those keys.
        let ours = input(id).is_some()
            || matches!(
                id,
                Id::Copy
                    | Id::Paste
                    | Id::Quit
                    | Id::Search
                    | Id::SearchOlder
                    | Id::SearchNewer
                    | Id::SearchRegex
                    | Id::SearchCase
                    | Id::SearchKeep
                    | Id::SearchClose
                    | Id::OverlayUp
                    | Id::OverlayDown
                    | Id::OverlayNext
                    | Id::OverlayPrevious
                    | Id::OverlayAccept
                    | Id::OverlayCancel
                    | Id::PaneZoomIn
                    | Id::PaneZoomOut
                    | Id::PaneZoomReset
                    | Id::ZoomIn
                    | Id::ZoomOut
                    | Id::ZoomReset
                    | Id::ThemeToggle
            );
        ours.then_some(Message::Command(id))
    }

    fn view(&self, _: window::Id) -> Element<'_, Message> {
        let tokens = self.tokens;
        let content: Element<'_, Message> = match (self.terminal, &self.trouble) {
            (Some(terminal), _) => {
                let link = &self.link;
                let widget = maestro_grid::terminal(&link.surface(terminal), &self.look)
                    .id(WIDGET)
                    .scale(self.scale)
                    .padding(PADDING)
                    .keeps_focus(true)
                    .on_input(move |input| link.input(terminal, input))
                    .on_focus(Message::Focused)
                    .on_select(Message::Selected)
                    .on_link(Message::Followed)
                    .on_paste(|text| Message::Pasted(Some(text)))
                    .wheel_rows(self.own.wheel_rows)
                    .option_is_alt(self.own.option_is_alt);
                let find = self.find.as_ref();
                let bar = find.map(|find| find.view(tokens, &self.keymap).map(Message::Find));
                let shown = bar.is_some();
                let over = iced::widget::column![].push(bar).padding(space::XS);
                pile(widget, over, shown)
            }
            (None, Some(why)) => {
                let words = part::paragraph(
                    why.clone(),
                    type_scale::BASE,
                    maestro_ui::font::REGULAR,
                    tokens.red,
                );
                iced::widget::container(words).padding(theme::space::L).into()
            }
            (None, None) => iced::widget::Space::new().into(),
        };
        let background = tokens.terminal.background();
        let window = iced::widget::container(content)
            .width(iced::Length::Fill)
            .height(iced::Length::Fill)
            .style(move |_| style::surface(background));
        let over = match &self.ask {
            Some(ask) => {
                let content = ask.view(tokens).map(Message::Ask);
                part::over(tokens, content, extent::DIALOG, space::XL, Message::Outside)
            }
            None => iced::widget::Space::new().into(),
        };
        // Always the same layers, so that the terminal keeps its state when one comes.
        let layers = iced::widget::stack![window, over];
        let meant = |event: &keyboard::Event| {
            if self.reading { keys::Press::Later } else { self.key(event).into() }
        };
        keys::before(layers, meant, || false)
    }
}

fn input(id: Id) -> Option<Input> {
    Some(match id {
        Id::SelectAll => Input::Select(Select::All),
        Id::ScrollLineUp => Input::Scroll(ScrollTo::Lines(1)),
        Id::ScrollLineDown => Input::Scroll(ScrollTo::Lines(-1)),
        Id::ScrollPageUp => Input::Scroll(ScrollTo::Pages(1)),
        Id::ScrollPageDown => Input::Scroll(ScrollTo::Pages(-1)),
        Id::ScrollTop => Input::Scroll(ScrollTo::Top),
        Id::ScrollBottom => Input::Scroll(ScrollTo::Bottom),
        Id::PromptPrevious => Input::Scroll(ScrollTo::Prompts(1)),
        Id::PromptNext => Input::Scroll(ScrollTo::Prompts(-1)),
        _ => return None,
    })
}
