//! The mouse: reports to the child, selections, links, the wheel.

use std::time::{Duration, Instant};

use iced::advanced::clipboard;
use iced::advanced::mouse::click;
use iced::advanced::widget::operation::Focusable as _;
use iced::advanced::{Clipboard, Layout, Shell};
use iced::{Point, Rectangle, keyboard, mouse};
use maestro_core::input::{Button, Input, Mouse, MouseKind, ScrollTo, Select, SelectBy};
use maestro_core::screen::Modes;

use super::geometry::{Geometry, Spot};
use super::{State, Terminal};
use crate::keyboard::mods;

/// The spacing of scrolls while a selection is dragged beyond an edge.
const AUTOSCROLL: Duration = Duration::from_millis(50);

/// The most rows one autoscroll step moves.
const AUTOSCROLL_MOST: i32 = 10;

/// Rows a notch of a mouse wheel scrolls.
const WHEEL_ROWS: f32 = 3.0;

#[derive(Debug, Default)]
pub(super) struct MouseState {
    click: Option<click::Click>,
    pub(super) gesture: Gesture,
    /// What the last motion report said.
    reported: Option<Spot>,
    /// Wheel movement that has not made a whole row or column yet.
    wheel: (f32, f32),
}

/// What a held mouse button does.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) enum Gesture {
    #[default]
    None,
    /// The child hears of it.
    Reporting(Button),
    /// A selection grows.
    Selecting { at: Spot, moved: bool, scrolled: Option<Instant> },
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
    pub(super) fn selection_moves(
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
            x: 0,
            y: 0,
            mods: mods(state.modifiers),
        }));
    }
}

/// Whether the mouse belongs to the child.
pub(super) fn reports(modes: Modes, modifiers: keyboard::Modifiers) -> bool {
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
}
