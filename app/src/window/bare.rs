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
use maestro_core::{TerminalId, screen};
use maestro_grid::{Clock, Look};
use maestro_protocol::client::Start;
use maestro_protocol::home::Home;
use maestro_protocol::message::{Command, Event, NewTerminal, Reply};
use maestro_ui::theme::{self, Tokens, type_scale};
use maestro_ui::{keys, part, style};

use super::link::{Link, News};
use super::{load_fonts, look, program_settings};
use crate::settings::{self, Settings};

const WIDGET: &str = "terminal";
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
    Closed,
}

pub(super) fn run(command: Vec<String>, options: Options) -> anyhow::Result<i32> {
    load_fonts();
    let clock = Clock::new();
    // A window with a command in it has no place for complaints: the other one has.
    let own = settings::read(&settings::path(&options.home)).unwrap_or_default();
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
            Message::Focused => return operation::focus(WIDGET),
            Message::Copied(None, _) => {}
            Message::Copied(Some(text), false) => return clipboard::write(text),
            Message::Copied(Some(text), true) => return clipboard::write_primary(text),
            Message::Pasted(text) => {
                if let (Some(terminal), Some(text)) = (self.terminal, text) {
                    self.link.input(terminal, Input::Paste(text));
                }
            }
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
            // The terminal is gone with its host.
            News::Lost(_) | News::Stopped | News::Connected { again: true, .. } => {
                self.exit.store(1, Ordering::Relaxed);
                iced::exit()
            }
            News::Unreachable(why) => {
                self.trouble = Some(why);
                Task::none()
            }
            News::Event { .. } | News::Resynced(_) => Task::none(),
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
            Id::Paste => return clipboard::read().map(Message::Pasted),
            Id::Quit => return self.close(),
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
        let id = self.keymap.lookup(Context::Terminal, &key)?;
        // Commands about agents and panes have no meaning here; the program gets those keys.
        let ours = input(id).is_some()
            || matches!(
                id,
                Id::Copy
                    | Id::Paste
                    | Id::Quit
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
                maestro_grid::terminal(&link.surface(terminal), &self.look)
                    .id(WIDGET)
                    .scale(self.scale)
                    .padding(PADDING)
                    .keeps_focus(true)
                    .on_input(move |input| link.input(terminal, input))
                    .on_focus(Message::Focused)
                    .on_select(Message::Selected)
                    .wheel_rows(self.own.wheel_rows)
                    .option_is_alt(self.own.option_is_alt)
                    .into()
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
        keys::before(window, |event| self.key(event), || false)
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
