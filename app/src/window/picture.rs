//! Pictures of the window, drawn without a display.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use iced::advanced::renderer::{Headless as _, Style};
use iced::advanced::widget::operation::focusable;
use iced::advanced::{clipboard, widget};
use iced::{Event, Size, mouse, window};
use iced_runtime::UserInterface;
use iced_runtime::user_interface::Cache;
use maestro_grid::Clock;
use maestro_protocol::client::Start;
use maestro_protocol::home::Home;
use maestro_ui::font;
use maestro_ui::theme::{self, type_scale};

use super::link::Link;
use super::shell::{Message, Shell};
use super::themes::{self, Themes};
use super::{now_ms, scene, shown};

/// How long a picture of the live state waits for the host and the first screens.
const LIVE: Duration = Duration::from_secs(5);

/// What draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renderer {
    /// The graphics card, or a Vulkan driver that acts as one.
    Wgpu,
    /// The processor.
    Software,
}

impl Renderer {
    fn name(self) -> &'static str {
        match self {
            Self::Wgpu => "wgpu",
            Self::Software => "tiny-skia",
        }
    }
}

/// What to draw, and where to.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The scene, or `live` for what the host has.
    pub scene: String,
    /// Size in logical pixels.
    pub size: (u32, u32),
    /// Physical pixels per logical one.
    pub scale: f32,
    /// Name of a theme; in a live picture the window's own when absent.
    pub theme: Option<String>,
    /// What draws.
    pub renderer: Renderer,
    /// The PNG file.
    pub out: PathBuf,
    /// Whose host a live picture is of.
    pub home: Option<Home>,
}

/// Red, green, blue and opacity of every pixel, row by row.
#[derive(Debug, Clone)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgba: Vec<u8>,
}

pub(super) fn write(picture: &Picture) -> anyhow::Result<()> {
    font::load();
    let size = Size::new(picture.size.0 as f32, picture.size.1 as f32);
    let wanted = picture.theme.as_deref();
    let home = Home::from_env().ok();
    let folder = home.map(|home| home.root().join(themes::FOLDER));
    let themes = folder.map(|folder| Themes::read(&folder).0).unwrap_or_default();
    let tokens = wanted.map(|name| {
        themes
            .named(name)
            .with_context(|| format!("there is no theme `{name}`: `maestro theme list` has all"))
    });
    let tokens = tokens.transpose()?;
    let mut shell = if picture.scene == "live" {
        let home = picture.home.clone().map_or_else(Home::from_env, Ok)?;
        let mut shell = live(home, size, picture.scale)?;
        if let Some(tokens) = tokens {
            shell.set_theme(tokens);
        }
        shell
    } else {
        let tokens = tokens.unwrap_or(&theme::NOCTURNE);
        let Some(shell) = Shell::scene(&picture.scene, size, picture.scale, tokens) else {
            let names = scene::NAMES.join(", ");
            bail!("there is no scene `{}`: use live, {names}", picture.scene);
        };
        shell
    };
    let pixels = draw(&mut shell, size, picture.scale, picture.renderer)?;
    save(&pixels, &picture.out)
}

/// Draws the window as it is.
pub(super) fn draw(
    shell: &mut Shell,
    size: Size,
    scale: f32,
    backend: Renderer,
) -> anyhow::Result<Pixels> {
    // A frame larger than any surface, or of nothing, is no picture.
    let physical = |side: f32| (side * scale).round().clamp(1.0, 8192.0) as u32;
    let (width, height) = (physical(size.width), physical(size.height));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let renderer = <iced::Renderer as iced::advanced::renderer::Headless>::new(
        font::REGULAR,
        type_scale::BASE.0.into(),
        Some(backend.name()),
    );
    let mut renderer = runtime.block_on(renderer).with_context(|| {
        format!("the {} renderer does not work here: try the software renderer", backend.name())
    })?;
    let mut ui = UserInterface::build(shell.screen(), size, Cache::default(), &mut renderer);
    let keyboard = widget::Id::from(shell.keyboard().to_owned());
    ui.operate(&renderer, &mut focusable::focus::<()>(keyboard));
    let mut messages: Vec<Message> = Vec::new();
    for _ in 0..2 {
        let events = [Event::Window(window::Event::RedrawRequested(Instant::now()))];
        let mut clipboard = clipboard::Null;
        let cursor = mouse::Cursor::Unavailable;
        let _ = ui.update(&events, cursor, &mut renderer, &mut clipboard, &mut messages);
    }
    let tokens = shell.tokens();
    let style = Style { text_color: tokens.text };
    ui.draw(&mut renderer, &shell.theme(), &style, mouse::Cursor::Unavailable);
    let rgba = renderer.screenshot(Size::new(width, height), scale, tokens.base);
    Ok(Pixels { width, height, rgba })
}

fn save(pixels: &Pixels, out: &PathBuf) -> anyhow::Result<()> {
    let file = File::create(out).with_context(|| format!("{} cannot be written", shown(out)))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&pixels.rgba)?;
        writer.finish()
    });
    written.with_context(|| format!("{} cannot be written", shown(out)))
}

/// The window of a running host: connects, subscribes to what would be seen, waits for it.
fn live(home: Home, size: Size, scale: f32) -> anyhow::Result<Shell> {
    let clock = Clock::new();
    let link = Link::start(&clock, home, Start::Never)?;
    let mut shell = Shell::new(link, clock, now_ms());
    let _ = shell.update(Message::Resized(size));
    let _ = shell.update(Message::Rescaled(scale));
    let deadline = Instant::now() + LIVE;
    loop {
        let _ = shell.update(Message::Heard(now_ms()));
        if let Some(why) = shell.unreachable() {
            bail!("{why}");
        }
        if shell.is_complete() {
            return Ok(shell);
        }
        if Instant::now() > deadline {
            bail!("the host did not send its screens within {} s", LIVE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
