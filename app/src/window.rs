//! The window: one more client of the host, with screens.
//!
//! [`run`] opens it, [`term`] opens one with a single command in it, [`screenshot`] draws it into a file
//! without a display. Nothing an agent depends on lives here: killing the window loses nothing.

mod agents;
mod ago;
mod ask;
mod autorun;
mod bare;
mod bars;
pub mod bench;
mod changes;
mod chords;
mod composer;
mod conversation;
mod debug;
mod editor;
mod files;
mod find;
mod hints;
mod history;
mod link;
pub mod local;
mod look;
mod mastery;
mod matrix;
mod model;
mod new_agent;
mod notices;
mod page;
mod palette;
mod panes;
mod paste;
mod picture;
mod probe;
mod prompt;
mod prose;
mod queue;
mod quick;
mod race;
mod requests;
mod review;
mod runs;
mod scene;
mod sessions;
mod settings;
mod shell;
mod tabs;
mod talk;
mod target;
#[cfg(test)]
mod tests;
pub mod themes;
mod toast;
mod tour;
mod train;
mod usage;
mod vi;
mod welcome;
mod workspaces;
mod worktrees;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use iced::{Element, Size, Task, window};
use maestro_core::summon::Summon;
use maestro_grid::Clock;
use maestro_protocol::client::Start;
use maestro_protocol::home::Home;
use maestro_ui::font;
use maestro_ui::theme::type_scale;

pub use bare::Options as TermOptions;
pub use conversation::bench as conversation_bench;
pub use picture::{Picture, Renderer};

use link::Link;
use shell::{Message, Shell};

/// The smallest window that still makes sense.
const LEAST: Size = Size::new(400.0, 300.0);

/// How long the first frame may wait for the world. A host that runs has answered by then; one that
/// has to be started first has not, and the window shows that it connects.
const FIRST_NEWS: Duration = Duration::from_millis(40);

/// What the window needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose agents it shows.
    pub home: Home,
    /// How the host is started when none runs.
    pub start: Start,
    /// What it shows first.
    pub show: Option<Summon>,
}

/// Opens the window and returns when it is closed. Agents and runs go on without it.
pub fn run(options: Options) -> anyhow::Result<()> {
    shell::outlive_devices();
    load_fonts();
    let clock = Clock::new();
    probe::start(&clock);
    let settings_path = maestro_engine::settings::path(&options.home);
    let link = Link::start(&clock, options.home, options.start)
        .context("the window cannot start the thread that talks to the host")?;
    let boot = move || {
        let mut shell = Shell::new(link.clone(), clock.clone(), now_ms())
            .started_in(started_in())
            .showing(options.show)
            .with_settings(settings_path.clone());
        link.wait(FIRST_NEWS);
        let (id, opened) = window::open(settings(Size::new(1440.0, 900.0)));
        let heard = shell.update(Message::Heard(now_ms()));
        let opened = opened.then(window::scale_factor).map(Message::Rescaled);
        let size = window::size(id).map(Message::Resized);
        let started = shell.start();
        // What it asks of the window has to wait for the window.
        (shell, Task::batch([opened.chain(size).chain(heard), started]))
    };
    iced::daemon(boot, update, view)
        .title(|shell: &Shell, _| shell.title())
        .theme(|shell: &Shell, _| shell.theme())
        .scale_factor(|shell: &Shell, _| shell.ui_scale())
        .subscription(Shell::subscription)
        .settings(program_settings())
        .run()
        .context("the window cannot be opened: is there a display?")
}

fn update(shell: &mut Shell, message: Message) -> Task<Message> {
    probe::note(probe::Step::Update);
    shell.update(message)
}

fn view(shell: &Shell, window: window::Id) -> Element<'_, Message> {
    probe::note(probe::Step::View);
    shell.view(window)
}

/// Opens a window with nothing but one command in one terminal. Returns the command's exit code, and
/// ends with it.
pub fn term(command: Vec<String>, options: TermOptions) -> anyhow::Result<i32> {
    bare::run(command, options)
}

/// Opens the small window that says one thing to one agent, and returns when it is closed. Where it heeds
/// the standard input, it comes to the front or goes at each line of it.
pub fn quick_prompt(home: Home, start: Start, heeds: bool) -> anyhow::Result<()> {
    quick::run(home, start, heeds)
}

/// Draws a scene into a PNG file, without a display.
pub fn screenshot(picture: &Picture) -> anyhow::Result<()> {
    picture::write(picture)
}

/// The scenes that [`screenshot`] knows by name, besides `live`.
#[must_use]
pub fn scenes() -> &'static [&'static str] {
    &scene::NAMES
}

/// Finds the system's fonts on a thread of its own: it takes as long as opening a window does.
fn load_fonts() {
    // Without the thread the first text waits for the fonts; nothing else changes.
    let _ = thread::Builder::new().name("fonts".to_owned()).spawn(font::load);
}

fn settings(size: Size) -> window::Settings {
    window::Settings {
        size,
        min_size: Some(LEAST),
        exit_on_close_request: false,
        #[cfg(target_os = "linux")]
        platform_specific: window::settings::PlatformSpecific {
            application_id: "maestro".to_owned(),
            ..Default::default()
        },
        ..window::Settings::default()
    }
}

fn program_settings() -> iced::Settings {
    iced::Settings {
        id: Some("maestro".to_owned()),
        default_font: font::REGULAR,
        default_text_size: type_scale::BASE.0.into(),
        ..iced::Settings::default()
    }
}

/// Milliseconds since the Unix epoch.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The current directory, unless the program was started by a desktop, which has no better idea than
/// the root or the home directory.
fn started_in() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let here = std::env::current_dir().ok()?;
    (here.parent().is_some() && Some(&here) != home.as_ref()).then_some(here)
}

/// Where a picture goes, for its errors.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
