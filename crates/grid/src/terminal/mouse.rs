//! The mouse: reports to the child, selections, links, the wheel.

use std::time::{Duration, Instant};

use iced::advanced::clipboard;
use iced::advanced::mouse::click;
use iced::advanced::widget::operation::Focusable as _;
use iced::advanced::{Clipboard, Layout, Shell};
use iced::mouse::Interaction;
use iced::{Point, Rectangle, keyboard, mouse};
use maestro_core::input::{Button, Input, Mouse, MouseKind, ScrollTo, Select, SelectBy};
use maestro_core::link::Link;
use maestro_core::screen::{Modes, Pointer};

use super::geometry::{Geometry, Spot};
use super::{State, Terminal};
use crate::keyboard::mods;

/// The spacing of scrolls while a selection is dragged beyond an edge.
const AUTOSCROLL: Duration = Duration::from_millis(50);

/// The most rows one autoscroll step moves.
const AUTOSCROLL_MOST: i32 = 10;

/// Rows a notch of a mouse wheel scrolls. A child that wants the mouse hears of one step instead: it has
/// its own idea of how far that is.
pub(super) const WHEEL_ROWS: f32 = 3.0;

#[derive(Debug, Default)]
pub(super) struct MouseState {
    click: Option<click::Click>,
    pub(super) gesture: Gesture,
    /// Buttons whose press the child heard of, the latest last.
    reporting: Vec<Button>,
    /// What the last motion report said.
    reported: Option<Spot>,
    /// Wheel movement that has not made a whole step yet.
    wheel: (f32, f32),
    /// The link under the pointer that a click would follow or whose target is worth showing.
    pub(super) hover: Option<Link>,
    /// Where the pointer is, while it is over the cells.
    over: Option<Point>,
    /// Where its last motion led, in the window.
    moved_to: Option<Point>,
}

impl MouseState {
    /// Where the pointer was at an event. The toolkit hands events over in batches, each with the place
    /// where the pointer is after all of them: a button that went down before a motion would have been
    /// pressed where the motion led.
    fn place(&mut self, event: mouse::Event, cursor: mouse::Cursor) -> mouse::Cursor {
        match event {
            mouse::Event::CursorMoved { position } => self.moved_to = Some(position),
            mouse::Event::CursorLeft => self.moved_to = None,
            _ => {}
        }
        match (cursor, self.moved_to) {
            (mouse::Cursor::Available(_), Some(point)) => mouse::Cursor::Available(point),
            (mouse::Cursor::Levitating(_), Some(point)) => mouse::Cursor::Levitating(point),
            (cursor, _) => cursor,
        }
    }
}

/// What a held mouse button does.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) enum Gesture {
    #[default]
    None,
    /// The child hears of it.
    Reporting,
    /// A link was pressed; released in the same cell it is followed, dragged it selects.
    Following { at: Spot, point: Point },
    /// A selection grows.
    Selecting { button: Button, at: Spot, moved: bool, scrolled: Option<Instant> },
}

impl<Message: Clone> Terminal<'_, Message> {
    pub(super) fn mouse_event(
        &self,
        state: &mut State,
        event: mouse::Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
    ) {
        let bounds = layout.bounds();
        let cursor = state.mouse.place(event, cursor);
        state.mouse.over = cursor.position_over(bounds);
        match event {
            mouse::Event::ButtonPressed(button) => {
                if let Some(point) = state.mouse.over {
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
                self.hover(state, bounds, shell);
            }
            mouse::Event::WheelScrolled { delta } => {
                if let Some(point) = state.mouse.over {
                    self.wheel(state, delta, point, bounds);
                    shell.capture_event();
                }
            }
            mouse::Event::CursorLeft => {
                state.mouse.over = None;
                self.hover(state, bounds, shell);
            }
            mouse::Event::CursorEntered => {}
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
        if reports(self.surface.modes(), state.modifiers) {
            state.mouse.gesture = Gesture::Reporting;
            state.mouse.reporting.retain(|held| *held != pressed);
            state.mouse.reporting.push(pressed);
            state.mouse.reported = Some(self.reported(spot));
            self.report(state, MouseKind::Press(pressed), spot, &geometry);
            return;
        }
        match pressed {
            Button::Left if state.modifiers.control() && self.link_at(spot).is_some() => {
                state.mouse.gesture = Gesture::Following { at: spot, point };
            }
            Button::Left => self.selection_begins(state, point, spot, &geometry),
            Button::Middle => self.paste_primary(clipboard, shell),
            Button::Right => self.selection_extends(state, Button::Right, spot, &geometry),
        }
    }

    fn paste_primary(&self, clipboard: &mut dyn Clipboard, shell: &mut Shell<'_, Message>) {
        let text = clipboard.read(clipboard::Kind::Primary).filter(|text| !text.is_empty());
        match (text, &self.on_paste) {
            (Some(text), Some(on_paste)) => shell.publish(on_paste(text)),
            (Some(text), None) => {
                self.surface.key_pressed();
                self.send(Input::Paste(text));
            }
            (None, _) => {}
        }
    }

    fn selection_begins(&self, state: &mut State, point: Point, spot: Spot, geometry: &Geometry) {
        let click = click::Click::new(point, mouse::Button::Left, state.mouse.click);
        state.mouse.click = Some(click);
        let (row, col, right_half) = (spot.row(geometry.rows), spot.col, spot.right_half);
        let by = match click.kind() {
            click::Kind::Single if state.modifiers.alt() || state.modifiers.control() => {
                SelectBy::Block
            }
            click::Kind::Single => SelectBy::Cell,
            click::Kind::Double => SelectBy::Word,
            click::Kind::Triple => SelectBy::Line,
        };
        let extends = state.modifiers.shift()
            && click.kind() == click::Kind::Single
            && !self.surface.modes().mouse;
        if extends {
            self.selection_extends(state, Button::Left, spot, geometry);
            return;
        }
        self.send(Input::Select(Select::Start { row, col, right_half, by }));
        let moved = by == SelectBy::Word || by == SelectBy::Line;
        let button = Button::Left;
        state.mouse.gesture = Gesture::Selecting { button, at: spot, moved, scrolled: None };
    }

    fn selection_extends(
        &self,
        state: &mut State,
        button: Button,
        spot: Spot,
        geometry: &Geometry,
    ) {
        let (row, col, right_half) = (spot.row(geometry.rows), spot.col, spot.right_half);
        self.send(Input::Select(Select::Update { row: i32::from(row), col, right_half }));
        state.mouse.gesture = Gesture::Selecting { button, at: spot, moved: true, scrolled: None };
    }

    fn button_released(
        &self,
        state: &mut State,
        button: mouse::Button,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        let Some(released) = reported_button(button) else { return };
        let geometry = self.geometry(bounds);
        let spot = cursor.land().position().map(|point| geometry.spot(point));
        if let Some(held) = state.mouse.reporting.iter().position(|held| *held == released) {
            let _ = state.mouse.reporting.remove(held);
            if state.mouse.reporting.is_empty() {
                state.mouse.gesture = Gesture::None;
            }
            if let Some(spot) = spot.or(state.mouse.reported.take()) {
                self.report(state, MouseKind::Release(released), spot, &geometry);
            }
            shell.capture_event();
            return;
        }
        match state.mouse.gesture {
            Gesture::Following { at, .. } if released == Button::Left => {
                state.mouse.gesture = Gesture::None;
                let same = spot.is_some_and(|spot| spot.is_in_cell_of(at));
                if let (true, Some(link), Some(on_link)) = (same, self.link_at(at), &self.on_link) {
                    shell.publish(on_link(link));
                }
                shell.capture_event();
            }
            Gesture::Selecting { button, moved, .. } if released == button => {
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
        let geometry = self.geometry(bounds);
        match state.mouse.gesture {
            Gesture::Selecting { .. } => {
                self.selection_moves(state, bounds, cursor, shell);
                return;
            }
            Gesture::Following { at, point } => {
                let spot = cursor.land().position().map(|point| geometry.spot(point));
                if spot.is_some_and(|spot| !spot.is_in_cell_of(at)) {
                    self.selection_begins(state, point, at, &geometry);
                    self.selection_moves(state, bounds, cursor, shell);
                }
                return;
            }
            Gesture::Reporting | Gesture::None => {}
        }
        let held = state.mouse.reporting.last().copied();
        let modes = self.surface.modes();
        let wanted = held.is_some() || modes.mouse_motion && !state.modifiers.shift();
        if !wanted || !modes.mouse {
            return;
        }
        let point = if held.is_some() { cursor.land().position() } else { state.mouse.over };
        let Some(point) = point else { return };
        let spot = geometry.spot(point);
        let news = self.reported(spot);
        if state.mouse.reported != Some(news) {
            state.mouse.reported = Some(news);
            self.report(state, MouseKind::Move(held), spot, &geometry);
        }
    }

    /// Tells the host where a dragged selection ends, and keeps scrolling while that is outside.
    pub(super) fn selection_moves(
        &self,
        state: &mut State,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        let Gesture::Selecting { button, at, moved, scrolled } = state.mouse.gesture else {
            return;
        };
        let Some(point) = cursor.land().position() else { return };
        let geometry = self.geometry(bounds);
        let spot = geometry.spot(point);
        let rows = i32::from(geometry.rows);
        // The further outside, the faster.
        let row = spot.row.clamp(-AUTOSCROLL_MOST, rows - 1 + AUTOSCROLL_MOST);
        let outside = row < 0 || row >= rows;
        let now = Instant::now();
        let tick = outside && scrolled.is_none_or(|at| now.duration_since(at) >= AUTOSCROLL);
        if outside {
            shell.request_redraw_at(now + AUTOSCROLL);
        }
        // Inside, only another half of a cell is news; outside, time is.
        let news = if outside { tick } else { !spot.is_in_half_of(at) };
        if news {
            self.send(Input::Select(Select::Update {
                row,
                col: spot.col,
                right_half: spot.right_half,
            }));
        }
        state.mouse.gesture = Gesture::Selecting {
            button,
            at: spot,
            moved: moved || news,
            scrolled: if tick { Some(now) } else { scrolled.filter(|_| outside) },
        };
    }

    fn wheel(&self, state: &mut State, delta: mouse::ScrollDelta, point: Point, bounds: Rectangle) {
        let geometry = self.geometry(bounds);
        let modes = self.surface.modes();
        let reports = reports(modes, state.modifiers);
        let notch = if reports { 1.0 } else { self.wheel_rows };
        // Pixels are physical ones; a cell's worth of them is a step.
        let (columns, lines) = match delta {
            mouse::ScrollDelta::Lines { x, y } => (x * notch, y * notch),
            mouse::ScrollDelta::Pixels { x, y } => (
                x / geometry.metrics.width.max(1) as f32,
                y / geometry.metrics.height.max(1) as f32,
            ),
        };
        let lines = whole(&mut state.mouse.wheel.1, lines);
        let columns = whole(&mut state.mouse.wheel.0, columns);
        if lines == 0 && columns == 0 {
            return;
        }
        // A full-screen program without mouse mode gets arrow keys for the wheel; the host knows.
        if reports || modes.alt_screen && !modes.vi && !state.modifiers.shift() {
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
            x: spot.x,
            y: spot.y,
            mods: mods(state.modifiers),
        }));
    }

    /// What of a place is news to the child: the pixel only where it counts in pixels.
    fn reported(&self, spot: Spot) -> Spot {
        let pixels = self.surface.modes().mouse_pixels;
        let (x, y) = if pixels { (spot.x, spot.y) } else { (0, 0) };
        Spot { right_half: false, x, y, ..spot }
    }

    fn link_at(&self, spot: Spot) -> Option<Link> {
        let row = u16::try_from(spot.row).ok().filter(|_| self.on_link.is_some())?;
        self.surface.link_at(row, spot.col)
    }

    /// Looks at what is under the pointer: links are underlined while Ctrl says that a click would follow
    /// them, and those of the program always, because their text does not say where they lead.
    pub(super) fn hover(
        &self,
        state: &mut State,
        bounds: Rectangle,
        shell: &mut Shell<'_, Message>,
    ) {
        let idle = matches!(state.mouse.gesture, Gesture::None | Gesture::Following { .. });
        let spot = state.mouse.over.filter(|_| idle).map(|point| self.geometry(bounds).spot(point));
        let follows = self.follows_links(state);
        let link = spot.and_then(|spot| {
            let row = u16::try_from(spot.row).ok()?;
            let looked_at = follows || self.surface.link(row, spot.col).is_some();
            if looked_at { self.link_at(spot) } else { None }
        });
        if state.mouse.hover == link {
            return;
        }
        state.mouse.hover = link;
        if let Some(on_hover) = &self.on_hover {
            shell.publish(on_hover(state.mouse.hover.clone()));
        }
        shell.request_redraw();
    }

    /// Whether a click on a link follows it.
    fn follows_links(&self, state: &State) -> bool {
        self.on_link.is_some()
            && state.modifiers.control()
            && !reports(self.surface.modes(), state.modifiers)
    }

    /// The pointer over the cells.
    pub(super) fn pointer(&self, state: &State) -> Interaction {
        let on_link = state.mouse.hover.is_some() && self.follows_links(state);
        if on_link {
            return Interaction::Pointer;
        }
        let reports = reports(self.surface.modes(), state.modifiers);
        match self.surface.pointer() {
            // With Shift the mouse is the user's, whatever the child wants it to look like.
            _ if state.modifiers.shift() => Interaction::Text,
            Pointer::Default if reports => Interaction::Idle,
            Pointer::Default | Pointer::Text => Interaction::Text,
            Pointer::Arrow => Interaction::Idle,
            Pointer::Hand => Interaction::Pointer,
            Pointer::Crosshair => Interaction::Crosshair,
            Pointer::Grab => Interaction::Grab,
            Pointer::Grabbing => Interaction::Grabbing,
            Pointer::NotAllowed => Interaction::NotAllowed,
            Pointer::Wait => Interaction::Wait,
            Pointer::Progress => Interaction::Progress,
            Pointer::Help => Interaction::Help,
            Pointer::ResizeColumns => Interaction::ResizingHorizontally,
            Pointer::ResizeRows => Interaction::ResizingVertically,
        }
    }
}

/// Whether the mouse belongs to the child. In vi mode it is the user's.
pub(super) fn reports(modes: Modes, modifiers: keyboard::Modifiers) -> bool {
    modes.mouse && !modes.vi && !modifiers.shift()
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
    let delta = if delta.is_finite() { delta } else { 0.0 };
    if delta != 0.0 && (*gathered < 0.0) != (delta < 0.0) {
        *gathered = 0.0;
    }
    *gathered += delta;
    let steps = gathered.trunc().clamp(-1000.0, 1000.0);
    *gathered -= gathered.trunc();
    steps as i16
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
        assert_eq!(whole(&mut gathered, f32::NAN), 0);
    }
}
