//! The terminal widget: shows a [`Surface`], takes the keyboard and the mouse.
//!
//! What the user does leaves through a callback and not as messages, so that typing costs no rebuild
//! of the view. Neither does drawing: see [`crate::clock`].
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use maestro_grid::{Clock, Look, Surface, terminal};
//! # #[derive(Clone)] enum Message { Focused }
//! # fn view<'a>(surface: &Surface, look: &Arc<Look>) -> iced::Element<'a, Message> {
//! terminal(surface, look)
//!     .id("t1")
//!     .scale(1.25)
//!     .on_input(|input| println!("to the host: {input:?}"))
//!     .on_focus(Message::Focused)
//!     .into()
//! # }
//! ```

mod geometry;
mod mouse;
mod typing;

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use iced::advanced::input_method;
use iced::advanced::layout;
use iced::advanced::renderer;
use iced::advanced::widget::operation::{Focusable, Operation};
use iced::advanced::widget::{self, Tree, Widget, tree};
use iced::advanced::{Clipboard, InputMethod, Layout, Shell};
use iced::keyboard;
use iced::{Element, Event, Length, Rectangle, Renderer, Size, window};
use maestro_core::input::Input;
use maestro_core::link::Link;
use maestro_core::screen;

pub(crate) use self::geometry::Geometry;

use self::mouse::{Gesture, MouseState, WHEEL_ROWS};
use self::typing::Held;
use crate::look::Look;
use crate::pane::{CursorLook, Hint, Over, Pane, Preedit};
use crate::software;
use crate::surface::Surface;
use crate::{gpu, sheet};

/// How long the size must rest before the host hears of it: a window dragged by its edge would
/// otherwise make every child redraw dozens of times.
const RESIZE_REST: Duration = Duration::from_millis(25);

/// How long a blinking cursor is shown, and hidden.
const BLINK: Duration = Duration::from_millis(530);

/// After this long without a key the cursor stops blinking, shown: a window left alone draws nothing.
const BLINK_PATIENCE: Duration = Duration::from_secs(10);

/// The largest side of a terminal in logical pixels. Layouts without bounds exist; surfaces do not.
const LARGEST: f32 = 8192.0;

/// Shows a terminal.
pub fn terminal<'a, Message>(surface: &Surface, look: &Arc<Look>) -> Terminal<'a, Message> {
    Terminal {
        surface: surface.clone(),
        look: Arc::clone(look),
        id: None,
        scale: 1.0,
        padding: 6.0,
        keeps_focus: false,
        on_input: None,
        is_command: None,
        on_focus: None,
        on_select: None,
        on_link: None,
        on_hover: None,
        on_paste: None,
        hints: Arc::from([]),
        option_is_alt: false,
        wheel_rows: WHEEL_ROWS,
    }
}

/// Whether a key is the application's own.
type IsCommand<'a> = dyn Fn(&keyboard::Event) -> bool + 'a;

/// A terminal on the screen.
#[expect(missing_debug_implementations, reason = "holds callbacks")]
pub struct Terminal<'a, Message> {
    surface: Surface,
    look: Arc<Look>,
    id: Option<widget::Id>,
    scale: f32,
    padding: f32,
    keeps_focus: bool,
    on_input: Option<Box<dyn Fn(Input) + 'a>>,
    is_command: Option<Box<IsCommand<'a>>>,
    on_focus: Option<Message>,
    on_select: Option<Message>,
    on_link: Option<Box<dyn Fn(Link) -> Message + 'a>>,
    on_hover: Option<Box<dyn Fn(Option<Link>) -> Message + 'a>>,
    on_paste: Option<Box<dyn Fn(String) -> Message + 'a>>,
    hints: Arc<[Hint]>,
    option_is_alt: bool,
    wheel_rows: f32,
}

impl<'a, Message> Terminal<'a, Message> {
    /// The id that `focus` operations and tests find it by.
    #[must_use]
    pub fn id(mut self, id: impl Into<widget::Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Physical pixels per logical one: the window's scale factor times the program's own. Cells are
    /// whole physical pixels, and layout has no other way to learn it.
    #[must_use]
    pub fn scale(mut self, scale: f32) -> Self {
        self.scale = if scale.is_finite() { scale.clamp(0.25, 8.0) } else { 1.0 };
        self
    }

    /// Space around the cells in logical pixels, in the terminal's background.
    #[must_use]
    pub fn padding(mut self, padding: f32) -> Self {
        self.padding = padding.max(0.0);
        self
    }

    /// Whether the terminal keeps the keyboard when something else is clicked. Then whoever takes it
    /// must run the `focus` operation. Without it a click elsewhere takes the keyboard away.
    #[must_use]
    pub fn keeps_focus(mut self, keeps: bool) -> Self {
        self.keeps_focus = keeps;
        self
    }

    /// Where the user's input goes, resizes included. Called on the window's thread; must not block.
    #[must_use]
    pub fn on_input(mut self, on_input: impl Fn(Input) + 'a) -> Self {
        self.on_input = Some(Box::new(on_input));
        self
    }

    /// Which keys are the application's own. The terminal leaves those alone.
    #[must_use]
    pub fn is_command(mut self, is_command: impl Fn(&keyboard::Event) -> bool + 'a) -> Self {
        self.is_command = Some(Box::new(is_command));
        self
    }

    /// The message for: a click gave this terminal the keyboard.
    #[must_use]
    pub fn on_focus(mut self, message: Message) -> Self {
        self.on_focus = Some(message);
        self
    }

    /// The message for: a selection was finished with the mouse. The primary selection and copy on select
    /// hang here.
    #[must_use]
    pub fn on_select(mut self, message: Message) -> Self {
        self.on_select = Some(message);
        self
    }

    /// The message for: a link was clicked with Ctrl held; with Shift as well where the child has the
    /// mouse. Nothing is opened by itself. Without it there are no links.
    #[must_use]
    pub fn on_link(mut self, message: impl Fn(Link) -> Message + 'a) -> Self {
        self.on_link = Some(Box::new(message));
        self
    }

    /// The message for: the pointer came to a link, or left it. For showing where it leads.
    #[must_use]
    pub fn on_hover(mut self, message: impl Fn(Option<Link>) -> Message + 'a) -> Self {
        self.on_hover = Some(Box::new(message));
        self
    }

    /// The message for: the middle button pastes this. Without it the text goes to the host at once.
    #[must_use]
    pub fn on_paste(mut self, message: impl Fn(String) -> Message + 'a) -> Self {
        self.on_paste = Some(Box::new(message));
        self
    }

    /// Labels over cells. Share them: the same ones in the next frame cost nothing.
    #[must_use]
    pub fn hints(mut self, hints: Arc<[Hint]>) -> Self {
        self.hints = hints;
        self
    }

    /// Whether the Option key of a Mac is Alt and types no signs of its own.
    #[must_use]
    pub fn option_is_alt(mut self, is_alt: bool) -> Self {
        self.option_is_alt = is_alt;
        self
    }

    /// How many rows a notch of the wheel scrolls.
    #[must_use]
    pub fn wheel_rows(mut self, rows: f32) -> Self {
        self.wheel_rows = if rows.is_finite() { rows.clamp(0.1, 100.0) } else { WHEEL_ROWS };
        self
    }

    fn send(&self, input: Input) {
        if let Some(on_input) = &self.on_input {
            on_input(input);
        }
    }

    /// Where the cells are, and how large.
    fn geometry(&self, bounds: Rectangle) -> Geometry {
        let metrics = sheet::metrics(&self.look, self.scale);
        Geometry::new(bounds, self.padding, self.scale, metrics)
    }
}

/// What the widget remembers between frames.
struct State {
    /// Tells views of the same surface apart: two windows may show it in two sizes.
    view: u64,
    /// The surface shown and how often it was reset: another one must hear its size and focus anew.
    attached: (u64, u64),
    focused: bool,
    window_focused: bool,
    /// What the host was last told about the focus.
    reported_focus: bool,
    modifiers: keyboard::Modifiers,
    /// Keys whose press went to the host; only their releases do, too.
    held: Vec<Held>,
    /// Text an input method is composing; empty while it is merely on.
    preedit: Option<Preedit>,
    size: Resize,
    mouse: MouseState,
    blink: Blink,
    software: RefCell<software::Cache>,
}

#[derive(Debug, Default)]
struct Resize {
    reported: Option<screen::Size>,
    pending: Option<(screen::Size, Instant)>,
}

#[derive(Debug)]
struct Blink {
    since: Instant,
    shown: bool,
}

impl State {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            view: NEXT.fetch_add(1, Ordering::Relaxed),
            attached: (0, 0),
            focused: false,
            window_focused: true,
            reported_focus: false,
            modifiers: keyboard::Modifiers::empty(),
            held: Vec::new(),
            preedit: None,
            size: Resize::default(),
            mouse: MouseState::default(),
            blink: Blink { since: Instant::now(), shown: true },
            software: RefCell::default(),
        }
    }

    /// Forgets what belonged to another surface, or to the same one before its connection was lost.
    fn attach(&mut self, surface: &Surface) {
        let identity = (surface.id(), surface.resets());
        if self.attached == identity {
            return;
        }
        self.attached = identity;
        self.reported_focus = false;
        self.held.clear();
        self.preedit = None;
        self.size = Resize::default();
        self.mouse = MouseState::default();
    }

    fn has_keyboard(&self) -> bool {
        self.focused && self.window_focused
    }

    fn is_composing(&self) -> bool {
        self.preedit.as_ref().is_some_and(|preedit| !preedit.text.is_empty())
    }
}

impl Focusable for State {
    fn is_focused(&self) -> bool {
        self.focused
    }

    fn focus(&mut self) {
        self.focused = true;
        self.blink = Blink { since: Instant::now(), shown: true };
    }

    fn unfocus(&mut self) {
        self.focused = false;
        self.preedit = None;
    }
}

impl Resize {
    /// Takes note of the size laid out; returns what to tell the host, and when to look again.
    fn settle(
        &mut self,
        size: screen::Size,
        shown: screen::Size,
        now: Instant,
    ) -> (Option<screen::Size>, Option<Instant>) {
        let Some(reported) = self.reported else {
            self.reported = Some(size);
            return (Some(size).filter(|size| *size != shown), None);
        };
        if reported == size {
            self.pending = None;
            return (None, None);
        }
        let since = match self.pending {
            Some((pending, since)) if pending == size => since,
            _ => now,
        };
        if now.saturating_duration_since(since) >= RESIZE_REST {
            self.reported = Some(size);
            self.pending = None;
            return (Some(size), None);
        }
        self.pending = Some((size, since));
        (None, Some(since + RESIZE_REST))
    }
}

impl<Message: Clone> Terminal<'_, Message> {
    /// The window is about to draw: everything that waits for time to pass is looked at here.
    fn frame(
        &self,
        state: &mut State,
        now: Instant,
        bounds: Rectangle,
        cursor: iced::mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        self.surface.clock().frame_begins(now);
        let geometry = self.geometry(bounds);
        let (resized, again) = state.size.settle(geometry.size(), self.surface.size(), now);
        if let Some(size) = resized {
            self.send(Input::Resize(size));
        }
        if let Some(at) = again {
            shell.request_redraw_at(at);
        }
        self.report_focus(state);
        if matches!(state.mouse.gesture, Gesture::Selecting { .. }) {
            self.selection_moves(state, bounds, cursor, shell);
        }
        // What is under a resting pointer may be another by now.
        self.hover(state, bounds, shell);
        if state.has_keyboard() {
            self.request_input_method(&geometry, shell);
        }
        self.blink(state, now, shell);
    }

    fn report_focus(&self, state: &mut State) {
        let focused = state.has_keyboard();
        if state.reported_focus != focused {
            state.reported_focus = focused;
            if !focused {
                self.release_all(state);
            }
            self.send(Input::Focus(focused));
        }
    }

    fn request_input_method(&self, geometry: &Geometry, shell: &mut Shell<'_, Message>) {
        let cell = self
            .surface
            .cursor()
            .map_or_else(|| geometry.cell(0, 0), |cursor| geometry.cell(cursor.row, cursor.col));
        // On X11 an input method is told a point and no area (winit 0.30 leaves the size out): the one below
        // the cell, or what it offers would lie over what is composed.
        let cell = if is_x11() { Rectangle { y: cell.y + cell.height, ..cell } } else { cell };
        // The text being composed is drawn among the cells, so none is handed over.
        shell.request_input_method::<&str>(&InputMethod::Enabled {
            cursor: cell,
            purpose: input_method::Purpose::Terminal,
            preedit: None,
        });
    }

    fn blink(&self, state: &mut State, now: Instant, shell: &mut Shell<'_, Message>) {
        let blinks = self.surface.cursor().is_some_and(|cursor| cursor.blinking);
        let blinking = blinks && !self.surface.modes().vi;
        let resting = now.saturating_duration_since(state.blink.since);
        if !blinking || !state.has_keyboard() || resting >= BLINK_PATIENCE {
            state.blink.shown = true;
            return;
        }
        let phase = resting.as_millis() / BLINK.as_millis();
        state.blink.shown = phase.is_multiple_of(2);
        let next = BLINK * u32::try_from(phase + 1).unwrap_or(u32::MAX);
        shell.request_redraw_at(state.blink.since + next);
    }

    /// Where the viewport is in the history, while it is not at the bottom.
    fn draw_scrollbar(&self, renderer: &mut Renderer, bounds: Rectangle) {
        use iced::advanced::Renderer as _;

        let Some(thumb) = scrollbar(self.surface.scroll(), self.surface.size().rows, bounds) else {
            return;
        };
        let [r, g, b] = self.look.palette.foreground;
        let quad = renderer::Quad {
            bounds: thumb,
            border: iced::border::rounded(thumb.width / 2.0),
            ..renderer::Quad::default()
        };
        // A layer of its own: within one, pictures and primitives lie over all rectangles.
        renderer.with_layer(bounds, |renderer| {
            renderer.fill_quad(quad, iced::Color::from_rgba8(r, g, b, 0.4));
        });
    }

    fn pane(&self, state: &State, layout: Layout<'_>) -> Pane {
        let bounds = layout.bounds();
        let geometry = self.geometry(bounds);
        let corner = |length: f32| (length * geometry.scale).round() as i32;
        Pane {
            view: state.view,
            surface: self.surface.clone(),
            look: Arc::clone(&self.look),
            geometry,
            inset: (geometry.left - corner(bounds.x), geometry.top - corner(bounds.y)),
            cursor: match (state.has_keyboard(), state.blink.shown) {
                (false, _) => CursorLook::Hollow,
                (true, true) => CursorLook::Shown,
                (true, false) => CursorLook::Hidden,
            },
            preedit: state.preedit.clone().filter(|preedit| !preedit.text.is_empty()),
            over: Over {
                underlined: state.mouse.hover.as_ref().map_or_else(Vec::new, |l| l.spans.clone()),
                hints: Arc::clone(&self.hints),
            },
        }
    }
}

/// Whether the window system is X11, chosen as winit does.
fn is_x11() -> bool {
    static IS: LazyLock<bool> = LazyLock::new(|| {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        cfg!(target_os = "linux") && !is_set("WAYLAND_DISPLAY") && !is_set("WAYLAND_SOCKET")
    });
    *IS
}

/// The scrollbar's thumb at the right edge; none while the viewport is at the bottom.
fn scrollbar(scroll: screen::Scroll, rows: u16, bounds: Rectangle) -> Option<Rectangle> {
    const WIDTH: f32 = 3.0;
    const GAP: f32 = 1.5;
    const SHORTEST: f32 = 24.0;
    if scroll.offset == 0 || bounds.width < 4.0 * WIDTH || bounds.height < 2.0 * SHORTEST {
        return None;
    }
    let (history, rows) = (scroll.history as f32, f32::from(rows));
    let above = scroll.history.saturating_sub(scroll.offset) as f32;
    let room = bounds.height - 2.0 * GAP;
    let height = (room * rows / (history + rows)).max(SHORTEST);
    let top = if history > 0.0 { (room - height) * above / history } else { 0.0 };
    Some(Rectangle {
        x: bounds.x + bounds.width - GAP - WIDTH,
        y: bounds.y + GAP + top,
        width: WIDTH,
        height,
    })
}

impl<Message: Clone, Theme> Widget<Message, Theme, Renderer> for Terminal<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::new())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(
        &mut self,
        _tree: &mut Tree,
        _renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let most = limits.max();
        let bounded = |length: f32| if length.is_finite() { length.min(LARGEST) } else { LARGEST };
        layout::Node::new(Size::new(bounded(most.width), bounded(most.height)))
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        _renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let state = tree.state.downcast_mut::<State>();
        operation.focusable(self.id.as_ref(), layout.bounds(), state);
        let geometry = self.geometry(layout.bounds());
        for (row, text) in (0..geometry.rows).zip(self.surface.text()) {
            let cell = geometry.cell(row, 0);
            let width = cell.width * f32::from(geometry.cols);
            operation.text(None, Rectangle { width, ..cell }, &text);
        }
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: iced::mouse::Cursor,
        _renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        state.attach(&self.surface);
        match event {
            Event::Keyboard(event) => {
                self.keyboard_event(state, event, shell);
                if matches!(event, keyboard::Event::ModifiersChanged(_)) {
                    self.hover(state, layout.bounds(), shell);
                }
            }
            Event::InputMethod(event) => self.input_method_event(state, event, shell),
            Event::Mouse(event) => {
                self.mouse_event(state, *event, layout, cursor, clipboard, shell);
            }
            Event::Window(window::Event::RedrawRequested(now)) => {
                self.frame(state, *now, layout.bounds(), cursor, shell);
            }
            Event::Window(window::Event::Focused) => {
                state.window_focused = true;
                state.blink = Blink { since: Instant::now(), shown: true };
                shell.request_redraw();
            }
            Event::Window(window::Event::Unfocused) => {
                state.window_focused = false;
                shell.request_redraw();
            }
            _ => {}
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        _theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: iced::mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let bounds = layout.bounds();
        if bounds.intersection(viewport).is_none() {
            return;
        }
        let pane = self.pane(state, layout);
        match renderer {
            Renderer::Primary(renderer) => gpu::draw(renderer, bounds, pane),
            Renderer::Secondary(renderer) => {
                software::draw(renderer, bounds, &pane, &mut state.software.borrow_mut());
            }
        }
        self.draw_scrollbar(renderer, bounds);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: iced::mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> iced::mouse::Interaction {
        let state = tree.state.downcast_ref::<State>();
        match cursor.position_over(layout.bounds()) {
            Some(_) => self.pointer(state),
            None => iced::mouse::Interaction::None,
        }
    }
}

impl<'a, Message, Theme> From<Terminal<'a, Message>> for Element<'a, Message, Theme, Renderer>
where
    Message: Clone + 'a,
    Theme: 'a,
{
    fn from(terminal: Terminal<'a, Message>) -> Self {
        Self::new(terminal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_when_it_rests() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let (small, large) = (screen::Size::new(80, 24), screen::Size::new(100, 30));
        let mut resize = Resize::default();
        assert_eq!(resize.settle(small, large, at(0)), (Some(small), None));
        assert_eq!(resize.settle(small, small, at(1)), (None, None));
        assert_eq!(resize.settle(large, small, at(10)), (None, Some(at(35))));
        assert_eq!(resize.settle(screen::Size::new(90, 30), small, at(30)), (None, Some(at(55))));
        assert_eq!(resize.settle(large, small, at(40)), (None, Some(at(65))));
        assert_eq!(resize.settle(large, small, at(65)), (Some(large), None));
        assert_eq!(resize.settle(large, large, at(90)), (None, None));
    }

    #[test]
    fn the_scrollbar_is_there_while_scrolled_and_inside() {
        let bounds = Rectangle { x: 10.0, y: 20.0, width: 300.0, height: 200.0 };
        let at =
            |offset, history| scrollbar(screen::Scroll { offset, history, unseen: 0 }, 40, bounds);
        assert_eq!(at(0, 1000), None);
        let (top, bottom) = (at(1000, 1000).expect("a bar"), at(1, 1000).expect("a bar"));
        assert_eq!(top.y, 21.5);
        assert!(bottom.y > 190.0 - bottom.height && bottom.y + bottom.height <= 220.0);
        // What a host says may be nonsense.
        for (offset, history) in [(9, 0), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
            let bar = at(offset, history).expect("a bar");
            assert!(bar.y >= 20.0 && bar.y + bar.height <= 220.0, "{bar:?}");
        }
        let tiny = Rectangle { width: 5.0, height: 5.0, ..bounds };
        assert_eq!(scrollbar(screen::Scroll { offset: 1, ..Default::default() }, 1, tiny), None);
    }

    #[test]
    fn a_view_that_opens_on_the_right_size_tells_nothing() {
        let size = screen::Size::new(80, 24);
        assert_eq!(Resize::default().settle(size, size, Instant::now()), (None, None));
    }
}
