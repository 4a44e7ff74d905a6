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

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use iced::advanced::clipboard;
use iced::advanced::input_method;
use iced::advanced::layout;
use iced::advanced::mouse::click;
use iced::advanced::renderer;
use iced::advanced::widget::operation::{Focusable, Operation};
use iced::advanced::widget::{self, Tree, Widget, tree};
use iced::advanced::{Clipboard, InputMethod, Layout, Shell};
use iced::keyboard::{self, key};
use iced::{Element, Event, Length, Point, Rectangle, Renderer, Size, mouse, window};
use maestro_core::input::{
    Action, Button, Input, Key, Mouse, MouseKind, ScrollTo, Select, SelectBy,
};
use maestro_core::screen::{self, Modes};
use maestro_glyph::Metrics;

use crate::keyboard::{is_modifier, mods, physical, translate};
use crate::look::Look;
use crate::pane::{CursorLook, Pane, Preedit};
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

/// The spacing of scrolls while a selection is dragged beyond an edge.
const AUTOSCROLL: Duration = Duration::from_millis(50);

/// The most rows one autoscroll step moves.
const AUTOSCROLL_MOST: i32 = 10;

/// Rows a notch of a mouse wheel scrolls.
const WHEEL_ROWS: f32 = 3.0;

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
    on_link: Option<Box<dyn Fn(String) -> Message + 'a>>,
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

    /// The message for: a selection was finished with the mouse. Copy on select hangs here.
    #[must_use]
    pub fn on_select(mut self, message: Message) -> Self {
        self.on_select = Some(message);
        self
    }

    /// The message for: a link was clicked with Ctrl held. Nothing is opened by itself.
    #[must_use]
    pub fn on_link(mut self, message: impl Fn(String) -> Message + 'a) -> Self {
        self.on_link = Some(Box::new(message));
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

/// The cells of a terminal in physical pixels of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Geometry {
    pub(crate) scale: f32,
    /// The top left corner of the first cell.
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) metrics: Metrics,
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

impl Geometry {
    fn new(bounds: Rectangle, padding: f32, scale: f32, metrics: Metrics) -> Self {
        // Bounds are fractional at fractional scales. Cells are not: the origin is snapped here, and
        // what is left over at the right and the bottom stays background.
        let left = ((bounds.x + padding) * scale).round();
        let top = ((bounds.y + padding) * scale).round();
        let right = ((bounds.x + bounds.width - padding) * scale + 0.5).floor();
        let bottom = ((bounds.y + bounds.height - padding) * scale + 0.5).floor();
        let fits = |length: f32, cell: u32| {
            (length.max(0.0) as u32 / cell.max(1)).min(u32::from(u16::MAX)) as u16
        };
        let size = screen::Size::new(
            fits(right - left, metrics.width),
            fits(bottom - top, metrics.height),
        );
        Self {
            scale,
            left: left as i32,
            top: top as i32,
            metrics,
            cols: size.cols,
            rows: size.rows,
        }
    }

    fn size(&self) -> screen::Size {
        screen::Size {
            cols: self.cols,
            rows: self.rows,
            cell_width: u16::try_from(self.metrics.width).unwrap_or(u16::MAX),
            cell_height: u16::try_from(self.metrics.height).unwrap_or(u16::MAX),
        }
    }

    /// The cell under a point; rows beyond the edges are told as such.
    fn spot(&self, point: Point) -> Spot {
        let x = point.x * self.scale - self.left as f32;
        let y = point.y * self.scale - self.top as f32;
        let (width, height) = (self.metrics.width as f32, self.metrics.height as f32);
        let col = (x / width).floor().clamp(0.0, f32::from(self.cols - 1));
        Spot {
            row: (y / height).floor().clamp(-1000.0, 2000.0) as i32,
            col: col as u16,
            right_half: x - col * width >= width / 2.0,
        }
    }

    /// A cell in logical pixels.
    fn cell(&self, row: u16, col: u16) -> Rectangle {
        let (width, height) = (self.metrics.width as f32, self.metrics.height as f32);
        Rectangle {
            x: (self.left as f32 + f32::from(col) * width) / self.scale,
            y: (self.top as f32 + f32::from(row) * height) / self.scale,
            width: width / self.scale,
            height: height / self.scale,
        }
    }
}

/// A place the mouse can be at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    row: i32,
    col: u16,
    right_half: bool,
}

impl Spot {
    /// The row within a screen.
    fn row(self, rows: u16) -> u16 {
        self.row.clamp(0, i32::from(rows) - 1) as u16
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
    held: Vec<key::Physical>,
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

#[derive(Debug, Default)]
struct MouseState {
    click: Option<click::Click>,
    gesture: Gesture,
    /// What the last motion report said.
    reported: Option<Spot>,
    /// Wheel movement that has not made a whole row or column yet.
    wheel: (f32, f32),
}

/// What a held mouse button does.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Gesture {
    #[default]
    None,
    /// The child hears of it.
    Reporting(Button),
    /// A selection grows.
    Selecting { at: Spot, moved: bool, scrolled: Option<Instant> },
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
        self.held.clear();
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
    fn keyboard_event(
        &self,
        state: &mut State,
        event: &keyboard::Event,
        shell: &mut Shell<'_, Message>,
    ) {
        if let keyboard::Event::ModifiersChanged(modifiers) = event {
            state.modifiers = *modifiers;
        }
        if !state.has_keyboard() || shell.is_event_captured() {
            return;
        }
        let pressed = matches!(event, keyboard::Event::KeyPressed { .. });
        if pressed && self.is_command.as_ref().is_some_and(|is_command| is_command(event)) {
            return;
        }
        if state.is_composing() {
            // The input method is at it; what it makes of the key arrives as text.
            shell.capture_event();
            return;
        }
        let Some(key) = translate(event) else { return };
        let place = physical(event);
        if pressed {
            self.key_pressed(state, key, place, shell);
        } else {
            let was_held = state.held.iter().position(|held| Some(*held) == place);
            if let Some(index) = was_held {
                let _ = state.held.swap_remove(index);
                if self.surface.modes().key_releases {
                    self.send(Input::Key(key));
                }
                shell.capture_event();
            }
        }
    }

    fn key_pressed(
        &self,
        state: &mut State,
        key: Key,
        place: Option<key::Physical>,
        shell: &mut Shell<'_, Message>,
    ) {
        if is_modifier(key.code) && !self.surface.modes().kitty_keyboard {
            return;
        }
        if let Some(place) = place
            && key.action == Action::Press
            && !state.held.contains(&place)
        {
            state.held.push(place);
        }
        self.surface.key_pressed();
        self.send(Input::Key(key));
        shell.capture_event();
        self.show_cursor(state, shell);
    }

    /// The cursor is shown right after a key, wherever in its blinking it was.
    fn show_cursor(&self, state: &mut State, shell: &mut Shell<'_, Message>) {
        if !state.blink.shown {
            shell.request_redraw();
        }
        state.blink = Blink { since: Instant::now(), shown: true };
        if self.surface.cursor().is_some_and(|cursor| cursor.blinking) {
            shell.request_redraw_at(Instant::now() + BLINK);
        }
    }

    fn input_method_event(
        &self,
        state: &mut State,
        event: &input_method::Event,
        shell: &mut Shell<'_, Message>,
    ) {
        if !state.has_keyboard() {
            return;
        }
        match event {
            input_method::Event::Opened => state.preedit = Some(Preedit::default()),
            input_method::Event::Preedit(text, selection) => {
                state.preedit = Some(Preedit { text: text.clone(), selection: selection.clone() });
            }
            input_method::Event::Commit(text) => {
                state.preedit = Some(Preedit::default());
                self.surface.key_pressed();
                self.send(Input::Text(text.clone()));
            }
            input_method::Event::Closed => state.preedit = None,
        }
        shell.capture_event();
        shell.request_redraw();
    }

    fn mouse_event(
        &self,
        state: &mut State,
        event: mouse::Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
    ) {
        let bounds = layout.bounds();
        match event {
            mouse::Event::ButtonPressed(button) => {
                if let Some(point) = cursor.position_over(bounds) {
                    self.button_pressed(state, button, point, bounds, clipboard, shell);
                } else if state.focused && !self.keeps_focus {
                    state.unfocus();
                    shell.request_redraw();
                }
            }
            mouse::Event::ButtonReleased(button) => {
                self.button_released(state, button, bounds, cursor, shell);
            }
            mouse::Event::CursorMoved { .. } => {
                self.mouse_moved(state, bounds, cursor, shell);
            }
            mouse::Event::WheelScrolled { delta } => {
                if let Some(point) = cursor.position_over(bounds) {
                    self.wheel(state, delta, point, bounds);
                    shell.capture_event();
                }
            }
            mouse::Event::CursorEntered | mouse::Event::CursorLeft => {}
        }
    }

    fn button_pressed(
        &self,
        state: &mut State,
        button: mouse::Button,
        point: Point,
        bounds: Rectangle,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
    ) {
        shell.capture_event();
        if !state.focused {
            state.focus();
            shell.request_redraw();
            if let Some(message) = &self.on_focus {
                shell.publish(message.clone());
            }
        }
        let geometry = self.geometry(bounds);
        let spot = geometry.spot(point);
        let Some(pressed) = reported_button(button) else { return };
        if pressed == Button::Left && state.modifiers.control() && self.follow(spot, shell) {
            return;
        }
        if reports(self.surface.modes(), state.modifiers) {
            state.mouse.gesture = Gesture::Reporting(pressed);
            state.mouse.reported = Some(Spot { right_half: false, ..spot });
            self.report(state, MouseKind::Press(pressed), spot, &geometry);
            return;
        }
        match pressed {
            Button::Left => self.selection_begins(state, point, spot, &geometry),
            Button::Middle => {
                if let Some(text) = clipboard.read(clipboard::Kind::Primary) {
                    self.surface.key_pressed();
                    self.send(Input::Paste(text));
                }
            }
            Button::Right => {}
        }
    }

    fn follow(&self, spot: Spot, shell: &mut Shell<'_, Message>) -> bool {
        let Some(on_link) = &self.on_link else { return false };
        let row = u16::try_from(spot.row).ok();
        let link = row.and_then(|row| self.surface.link(row, spot.col));
        let found = link.is_some();
        if let Some(link) = link {
            shell.publish(on_link(link));
        }
        found
    }

    fn selection_begins(&self, state: &mut State, point: Point, spot: Spot, geometry: &Geometry) {
        let click = click::Click::new(point, mouse::Button::Left, state.mouse.click);
        state.mouse.click = Some(click);
        let (row, col, right_half) = (spot.row(geometry.rows), spot.col, spot.right_half);
        let by = match click.kind() {
            click::Kind::Single if state.modifiers.alt() => SelectBy::Block,
            click::Kind::Single => SelectBy::Cell,
            click::Kind::Double => SelectBy::Word,
            click::Kind::Triple => SelectBy::Line,
        };
        let extends = state.modifiers.shift()
            && click.kind() == click::Kind::Single
            && !self.surface.modes().mouse;
        self.send(Input::Select(if extends {
            Select::Update { row: i32::from(row), col, right_half }
        } else {
            Select::Start { row, col, right_half, by }
        }));
        let moved = extends || by == SelectBy::Word || by == SelectBy::Line;
        state.mouse.gesture = Gesture::Selecting { at: spot, moved, scrolled: None };
    }

    fn button_released(
        &self,
        state: &mut State,
        button: mouse::Button,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        let released = reported_button(button);
        match state.mouse.gesture {
            Gesture::Reporting(held) if Some(held) == released => {
                state.mouse.gesture = Gesture::None;
                let geometry = self.geometry(bounds);
                if let Some(spot) = cursor
                    .land()
                    .position()
                    .map(|point| geometry.spot(point))
                    .or(state.mouse.reported)
                {
                    self.report(state, MouseKind::Release(held), spot, &geometry);
                }
                shell.capture_event();
            }
            Gesture::Selecting { moved, .. } if released == Some(Button::Left) => {
                state.mouse.gesture = Gesture::None;
                if moved && let Some(message) = &self.on_select {
                    shell.publish(message.clone());
                }
                shell.capture_event();
            }
            _ => {}
        }
    }

    fn mouse_moved(
        &self,
        state: &mut State,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        let held = match state.mouse.gesture {
            Gesture::Selecting { .. } => {
                self.selection_moves(state, bounds, cursor, shell);
                return;
            }
            Gesture::Reporting(button) => Some(button),
            Gesture::None => None,
        };
        let modes = self.surface.modes();
        let wanted = held.is_some() || modes.mouse_motion && !state.modifiers.shift();
        if !wanted || !modes.mouse {
            return;
        }
        let point =
            if held.is_some() { cursor.land().position() } else { cursor.position_over(bounds) };
        let Some(point) = point else { return };
        let geometry = self.geometry(bounds);
        let spot = Spot { right_half: false, ..geometry.spot(point) };
        if state.mouse.reported != Some(spot) {
            state.mouse.reported = Some(spot);
            self.report(state, MouseKind::Move(held), spot, &geometry);
        }
    }

    /// Tells the host where a dragged selection ends, and keeps scrolling while that is outside.
    fn selection_moves(
        &self,
        state: &mut State,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        let Gesture::Selecting { at, moved, scrolled } = state.mouse.gesture else { return };
        let Some(point) = cursor.land().position() else { return };
        let geometry = self.geometry(bounds);
        let spot = geometry.spot(point);
        let rows = i32::from(geometry.rows);
        let row = spot.row.clamp(-AUTOSCROLL_MOST, rows - 1 + AUTOSCROLL_MOST);
        let outside = row < 0 || row >= rows;
        let now = Instant::now();
        let tick = outside && scrolled.is_none_or(|at| now.duration_since(at) >= AUTOSCROLL);
        if outside {
            shell.request_redraw_at(now + AUTOSCROLL);
        }
        // Inside, only another half of a cell is news; outside, time is.
        let news = if outside { tick } else { spot != at };
        if news {
            self.send(Input::Select(Select::Update {
                row,
                col: spot.col,
                right_half: spot.right_half,
            }));
        }
        state.mouse.gesture = Gesture::Selecting {
            at: spot,
            moved: moved || news,
            scrolled: if tick { Some(now) } else { scrolled.filter(|_| outside) },
        };
    }

    fn wheel(&self, state: &mut State, delta: mouse::ScrollDelta, point: Point, bounds: Rectangle) {
        let geometry = self.geometry(bounds);
        let (columns, lines) = match delta {
            mouse::ScrollDelta::Lines { x, y } => (x * WHEEL_ROWS, y * WHEEL_ROWS),
            mouse::ScrollDelta::Pixels { x, y } => (
                x * geometry.scale / geometry.metrics.width as f32,
                y * geometry.scale / geometry.metrics.height as f32,
            ),
        };
        let lines = whole(&mut state.mouse.wheel.1, lines);
        let columns = whole(&mut state.mouse.wheel.0, columns);
        if lines == 0 && columns == 0 {
            return;
        }
        let modes = self.surface.modes();
        // A full-screen program without mouse mode gets arrow keys for the wheel; the host knows.
        if reports(modes, state.modifiers) || modes.alt_screen && !state.modifiers.shift() {
            let spot = geometry.spot(point);
            self.report(state, MouseKind::Wheel { lines, columns }, spot, &geometry);
        } else if lines != 0 {
            self.send(Input::Scroll(ScrollTo::Lines(i32::from(lines))));
        }
    }

    fn report(&self, state: &State, kind: MouseKind, spot: Spot, geometry: &Geometry) {
        if !matches!(kind, MouseKind::Move(None)) {
            self.surface.key_pressed();
        }
        self.send(Input::Mouse(Mouse {
            kind,
            row: spot.row(geometry.rows),
            col: spot.col,
            mods: mods(state.modifiers),
        }));
    }

    /// The window is about to draw: everything that waits for time to pass is looked at here.
    fn frame(
        &self,
        state: &mut State,
        now: Instant,
        bounds: Rectangle,
        cursor: mouse::Cursor,
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
        if state.has_keyboard() {
            self.request_input_method(&geometry, shell);
        }
        self.blink(state, now, shell);
    }

    fn report_focus(&self, state: &mut State) {
        let focused = state.has_keyboard();
        if state.reported_focus != focused {
            state.reported_focus = focused;
            self.send(Input::Focus(focused));
        }
    }

    fn request_input_method(&self, geometry: &Geometry, shell: &mut Shell<'_, Message>) {
        let cell = self
            .surface
            .cursor()
            .map_or_else(|| geometry.cell(0, 0), |cursor| geometry.cell(cursor.row, cursor.col));
        // The text being composed is drawn among the cells, so none is handed over.
        shell.request_input_method::<&str>(&InputMethod::Enabled {
            cursor: cell,
            purpose: input_method::Purpose::Terminal,
            preedit: None,
        });
    }

    fn blink(&self, state: &mut State, now: Instant, shell: &mut Shell<'_, Message>) {
        let blinking = self.surface.cursor().is_some_and(|cursor| cursor.blinking);
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
        }
    }
}

/// Whether the mouse belongs to the child.
fn reports(modes: Modes, modifiers: keyboard::Modifiers) -> bool {
    modes.mouse && !modifiers.shift()
}

fn reported_button(button: mouse::Button) -> Option<Button> {
    match button {
        mouse::Button::Left => Some(Button::Left),
        mouse::Button::Middle => Some(Button::Middle),
        mouse::Button::Right => Some(Button::Right),
        mouse::Button::Back | mouse::Button::Forward | mouse::Button::Other(_) => None,
    }
}

/// Adds to what has gathered and takes out the whole steps. A change of direction starts anew.
fn whole(gathered: &mut f32, delta: f32) -> i16 {
    if delta != 0.0 && (*gathered < 0.0) != (delta < 0.0) {
        *gathered = 0.0;
    }
    *gathered += delta;
    let steps = gathered.trunc().clamp(-1000.0, 1000.0);
    *gathered -= gathered.trunc();
    steps as i16
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
        cursor: mouse::Cursor,
        _renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        state.attach(&self.surface);
        match event {
            Event::Keyboard(event) => self.keyboard_event(state, event, shell),
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
                state.held.clear();
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
        _cursor: mouse::Cursor,
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
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> mouse::Interaction {
        let state = tree.state.downcast_ref::<State>();
        let Some(point) = cursor.position_over(layout.bounds()) else {
            return mouse::Interaction::None;
        };
        if state.modifiers.control() && self.on_link.is_some() {
            let spot = self.geometry(layout.bounds()).spot(point);
            let row = u16::try_from(spot.row).ok();
            if row.is_some_and(|row| self.surface.link(row, spot.col).is_some()) {
                return mouse::Interaction::Pointer;
            }
        }
        if reports(self.surface.modes(), state.modifiers) {
            mouse::Interaction::Idle
        } else {
            mouse::Interaction::Text
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
    fn wheel_movement_adds_up_to_whole_rows() {
        let mut gathered = 0.0;
        let cases = [(0.4, 0), (0.4, 0), (0.4, 1), (2.0, 2), (-0.5, 0), (-0.6, -1), (0.0, 0)];
        for (delta, expected) in cases {
            assert_eq!(whole(&mut gathered, delta), expected, "{delta}, {gathered}");
        }
    }

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
    fn a_view_that_opens_on_the_right_size_tells_nothing() {
        let size = screen::Size::new(80, 24);
        assert_eq!(Resize::default().settle(size, size, Instant::now()), (None, None));
    }
}
