//! A window without a window: a renderer, a terminal in it, and a screen to show.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use iced::advanced::renderer::Headless;
use iced::advanced::{clipboard, widget};
use iced::{Color, Event, Font, Pixels, Point, Renderer, Size, mouse};
use iced_runtime::user_interface::{self, UserInterface};
use maestro_core::id::TerminalId;
use maestro_core::input::Input;
use maestro_core::screen::{
    Cell, Cursor, CursorShape, Extra, Frame, Mark, Modes, Pointer, Row, Scroll, Size as Cells,
    flags,
};
use maestro_grid::{Clock, Faces, Hint, Look, Palette, Surface, terminal};
use unicode_width::UnicodeWidthChar;

pub const FACES: Faces = Faces {
    regular: include_bytes!("../../../../resources/fonts/JetBrainsMono-Regular.ttf"),
    bold: Some(include_bytes!("../../../../resources/fonts/JetBrainsMono-Bold.ttf")),
    italic: Some(include_bytes!("../../../../resources/fonts/JetBrainsMono-Italic.ttf")),
    bold_italic: Some(include_bytes!("../../../../resources/fonts/JetBrainsMono-BoldItalic.ttf")),
};

/// Messages of the widget under test.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    Focused,
    Selected,
    Link(maestro_core::link::Link),
    Hovered(Option<maestro_core::link::Link>),
    Pasted(String),
}

/// One terminal filling a window.
pub struct Stage {
    renderer: Renderer,
    pub surface: Surface,
    look: Arc<Look>,
    cache: Option<user_interface::Cache>,
    size: Size,
    scale: f32,
    pub pointer: Point,
    /// Where the window was last told that it is.
    moved_to: Option<Point>,
    pub inputs: Rc<RefCell<Vec<Input>>>,
    pub hints: Arc<[Hint]>,
    pub primary: Option<String>,
}

/// A clipboard with a primary selection.
struct Board {
    primary: Option<String>,
}

impl iced::advanced::Clipboard for Board {
    fn read(&self, kind: clipboard::Kind) -> Option<String> {
        self.primary.clone().filter(|_| kind == clipboard::Kind::Primary)
    }

    fn write(&mut self, _kind: clipboard::Kind, _contents: String) {}
}

impl Stage {
    /// `None` where this machine has no such renderer.
    pub fn try_new(backend: &str, width: u32, height: u32, scale: f32) -> Option<Self> {
        let renderer = futures::executor::block_on(<Renderer as Headless>::new(
            Font::DEFAULT,
            Pixels(14.0),
            Some(backend),
        ))?;
        Some(Self {
            renderer,
            surface: Surface::new(&Clock::new()),
            look: Look::new(FACES, 14.0, Palette::NOCTURNE),
            cache: Some(user_interface::Cache::new()),
            size: Size::new(width as f32 / scale, height as f32 / scale),
            scale,
            pointer: Point::new(-1.0, -1.0),
            moved_to: None,
            inputs: Rc::default(),
            hints: Arc::default(),
            primary: None,
        })
    }

    pub fn software(width: u32, height: u32) -> Self {
        Self::try_new("tiny-skia", width, height, 1.0).expect("the software renderer is built in")
    }

    pub fn set_look(&mut self, look: Arc<Look>) {
        self.look = look;
    }

    fn with<R>(
        &mut self,
        act: impl FnOnce(&mut UserInterface<'_, Message, iced::Theme, Renderer>, &mut Renderer) -> R,
    ) -> R {
        let inputs = Rc::clone(&self.inputs);
        let element = terminal(&self.surface, &self.look)
            .id("terminal")
            .scale(self.scale)
            .on_input(move |input| inputs.borrow_mut().push(input))
            .on_focus(Message::Focused)
            .on_select(Message::Selected)
            .on_link(Message::Link)
            .on_hover(Message::Hovered)
            .on_paste(Message::Pasted)
            .hints(Arc::clone(&self.hints))
            .is_command(|event| {
                matches!(event, iced::keyboard::Event::KeyPressed { modifiers, .. } if modifiers.logo())
            });
        let cache = self.cache.take().expect("kept between calls");
        let mut interface = UserInterface::build(element, self.size, cache, &mut self.renderer);
        let result = act(&mut interface, &mut self.renderer);
        self.cache = Some(interface.into_cache());
        result
    }

    /// Lets events happen; returns the messages they made.
    pub fn events(&mut self, events: &[Event]) -> Vec<Message> {
        let pointer = mouse::Cursor::Available(self.pointer);
        let mut clipboard = Board { primary: self.primary.clone() };
        self.with(|interface, renderer| {
            let mut messages = Vec::new();
            let _ = interface.update(events, pointer, renderer, &mut clipboard, &mut messages);
            messages
        })
    }

    /// Lets one event happen, where the pointer is; a window is told of that before any button.
    pub fn event(&mut self, event: impl Happens) -> Vec<Message> {
        let event = event.event();
        let is_motion = matches!(event, Event::Mouse(mouse::Event::CursorMoved { .. }));
        let mut messages = Vec::new();
        if matches!(event, Event::Mouse(_))
            && self.moved_to.replace(self.pointer) != Some(self.pointer)
            && !is_motion
        {
            let moved = mouse::Event::CursorMoved { position: self.pointer };
            messages = self.events(&[Event::Mouse(moved)]);
        }
        messages.extend(self.events(&[event]));
        messages
    }

    /// A frame begins now.
    pub fn frame(&mut self) -> Vec<Message> {
        let now = std::time::Instant::now();
        self.event(Event::Window(iced::window::Event::RedrawRequested(now)))
    }

    /// When the widget wants the next frame, asked in a frame that begins now.
    pub fn redraw_request(&mut self) -> iced::window::RedrawRequest {
        let now = std::time::Instant::now();
        let event = Event::Window(iced::window::Event::RedrawRequested(now));
        let pointer = mouse::Cursor::Available(self.pointer);
        let state = self.with(|interface, renderer| {
            interface.update(&[event], pointer, renderer, &mut clipboard::Null, &mut Vec::new()).0
        });
        match state {
            user_interface::State::Updated { redraw_request, .. } => redraw_request,
            user_interface::State::Outdated => panic!("nothing was rebuilt"),
        }
    }

    /// The pointer's shape.
    pub fn interaction(&mut self) -> mouse::Interaction {
        let pointer = mouse::Cursor::Available(self.pointer);
        let event = Event::Mouse(mouse::Event::CursorMoved { position: self.pointer });
        let state = self.with(|interface, renderer| {
            interface.update(&[event], pointer, renderer, &mut clipboard::Null, &mut Vec::new()).0
        });
        match state {
            user_interface::State::Updated { mouse_interaction, .. } => mouse_interaction,
            user_interface::State::Outdated => panic!("nothing was rebuilt"),
        }
    }

    pub fn focus(&mut self) {
        let id = widget::Id::new("terminal");
        self.operate(&mut widget::operation::focusable::focus::<()>(id));
    }

    pub fn operate(&mut self, operation: &mut dyn widget::Operation) {
        self.with(|interface, renderer| interface.operate(renderer, operation));
    }

    /// What was told to the host since the last call.
    pub fn told(&self) -> Vec<Input> {
        self.inputs.borrow_mut().drain(..).collect()
    }

    pub fn screenshot(&mut self) -> Picture {
        let _ = self.frame();
        let pointer = mouse::Cursor::Available(self.pointer);
        self.with(|interface, renderer| {
            let style = iced::advanced::renderer::Style { text_color: Color::WHITE };
            interface.draw(renderer, &iced::Theme::Dark, &style, pointer);
        });
        let width = (self.size.width * self.scale).round() as u32;
        let height = (self.size.height * self.scale).round() as u32;
        let pixels = self.renderer.screenshot(Size::new(width, height), self.scale, Color::BLACK);
        Picture { width, height, pixels }
    }
}

/// What can happen to a window.
pub trait Happens {
    fn event(self) -> Event;
}

macro_rules! happens {
    ($($kind:ty => $variant:expr),*) => {$(
        impl Happens for $kind {
            fn event(self) -> Event {
                $variant(self)
            }
        }
    )*};
}

happens! {
    Event => std::convert::identity,
    iced::keyboard::Event => Event::Keyboard,
    iced::mouse::Event => Event::Mouse,
    iced::window::Event => Event::Window,
    iced::advanced::input_method::Event => Event::InputMethod
}

/// Pixels of four bytes: red, green, blue, alpha.
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Writes it where a person can look at it: the target folder's `tmp`.
    pub fn save(&self, name: &str) {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let file = std::fs::File::create(&path).expect("the target folder can be written");
        let mut encoder = png::Encoder::new(file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgba);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(&self.pixels).expect("as many pixels as the header says");
    }

    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let start = (y * self.width + x) as usize * 4;
        self.pixels[start..start + 3].try_into().expect("three bytes")
    }

    /// The largest difference of a channel, and how many pixels differ by more than `tolerance`.
    pub fn compare(&self, other: &Self, tolerance: u8) -> (u8, usize) {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let differences =
            self.pixels.chunks_exact(4).zip(other.pixels.chunks_exact(4)).map(|(one, two)| {
                one.iter().zip(two).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
            });
        differences.fold((0, 0), |(most, count), difference| {
            (most.max(difference), count + usize::from(difference > tolerance))
        })
    }
}

/// A screen being written.
pub struct Script {
    pub size: Cells,
    rows: HashMap<u16, Row>,
    pub cursor: Option<Cursor>,
    pub modes: Modes,
    pub scroll: Scroll,
    pub pointer: Pointer,
}

impl Script {
    pub fn new(cols: u16, rows: u16) -> Self {
        let cursor = Cursor { row: 0, col: 0, shape: CursorShape::Block, blinking: false };
        Self {
            size: Cells::new(cols, rows),
            rows: HashMap::new(),
            cursor: Some(cursor),
            modes: Modes::default(),
            scroll: Scroll::default(),
            pointer: Pointer::Default,
        }
    }

    /// Writes text in the manner of a cell.
    pub fn put(&mut self, row: u16, col: u16, text: &str, manner: Cell) -> &mut Self {
        let line = self.rows.entry(row).or_default();
        let mut col = usize::from(col);
        for c in text.chars() {
            let width = c.width().unwrap_or(0);
            if width == 0 {
                let before = &mut line.cells[col - 1];
                if before.has(flags::CLUSTER) {
                    line.clusters[before.glyph as usize].push(c);
                } else {
                    let base = char::from_u32(before.glyph).expect("a character");
                    before.glyph = line.clusters.len() as u32;
                    before.flags |= flags::CLUSTER;
                    line.clusters.push([base, c].into_iter().collect());
                }
                continue;
            }
            let len = line.cells.len().max(col + width);
            line.cells.resize(len, Cell::BLANK);
            let wide = if width == 2 { flags::WIDE } else { 0 };
            line.cells[col] = Cell { glyph: c as u32, flags: manner.flags | wide, ..manner };
            if width == 2 {
                line.cells[col + 1] =
                    Cell { glyph: 0, flags: manner.flags | flags::SPACER, ..manner };
            }
            col += width;
        }
        self
    }

    /// A rare attribute for cells; the number is for [`Cell::extra`].
    pub fn extra(&mut self, row: u16, extra: Extra) -> u16 {
        let line = self.rows.entry(row).or_default();
        line.extras.push(extra);
        line.extras.len() as u16
    }

    /// What a shell said about a row.
    pub fn mark(&mut self, row: u16, mark: Mark) -> &mut Self {
        self.rows.entry(row).or_default().mark = mark;
        self
    }

    pub fn frame(&self) -> Frame {
        let mut rows: Vec<_> = self.rows.clone().into_iter().collect();
        rows.sort_by_key(|(place, _)| *place);
        Frame {
            terminal: TerminalId(1),
            generation: 1,
            size: self.size,
            full: true,
            rows,
            cursor: self.cursor,
            modes: self.modes,
            scroll: self.scroll,
            colors: Vec::new(),
            pointer: self.pointer,
            flooding: false,
            input_seq: 0,
        }
    }
}
