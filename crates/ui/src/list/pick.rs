//! Selecting text in a list: by pressing and drawing the mouse, by words, by whole texts, beyond what is in
//! sight.

use std::any::Any;
use std::time::{Duration, Instant};

use iced::advanced::widget::{Id, Operation, Tree};
use iced::advanced::{Layout, Shell, mouse};
use iced::{Element, Event, Point, Rectangle, Renderer, keyboard, window};

use super::{List, Place};
use crate::select::{Laid, Unit, nearest};

/// How fast the list is scrolled while the mouse is beyond its edge: pixels a second for each pixel beyond,
/// and the least and the most.
const SPEED: (f32, f32, f32) = (8.0, 90.0, 2400.0);

/// The longest time between two frames that is made up for.
const FRAME: Duration = Duration::from_millis(50);

/// What a list keeps about it.
#[derive(Debug, Default)]
pub(super) struct State {
    click: Option<mouse::Click>,
    held: Option<Held>,
    /// Where the mouse was said to be last. Events come in batches with one place for all of them, so a
    /// press that is drawn at once would seem to be where the mouse has gone since.
    last: Option<Point>,
    shift: bool,
}

/// The button is down.
#[derive(Debug, Clone, Copy)]
struct Held {
    unit: Unit,
    at: Point,
    /// When the list was scrolled last, while the mouse is beyond its edge.
    scrolled: Option<Instant>,
}

/// Collects the texts in sight.
#[derive(Default)]
struct Gather(Vec<(Rectangle, Laid)>);

impl Operation for Gather {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn custom(&mut self, _: Option<&Id>, bounds: Rectangle, state: &mut dyn Any) {
        if let Some(laid) = state.downcast_ref::<Laid>() {
            self.0.push((bounds, laid.clone()));
        }
    }
}

fn gather<Message>(
    rows: &mut [Element<'_, Message>],
    trees: &mut [Tree],
    layout: Layout<'_>,
    renderer: &Renderer,
) -> Vec<(Rectangle, Laid)> {
    let mut gather = Gather::default();
    for ((row, tree), layout) in rows.iter_mut().zip(trees).zip(layout.children()) {
        row.as_widget_mut().operate(tree, layout, renderer, &mut gather);
    }
    gather.0
}

impl<Message: Clone> List<'_, Message> {
    /// Selects as the mouse says.
    pub(super) fn pick(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        shell: &mut Shell<'_, Message>,
    ) {
        let Some((selection, done)) = self.selection.clone() else { return };
        let bounds = layout.bounds();
        let Tree { state, children, .. } = tree;
        let state = &mut state.downcast_mut::<super::State>().picking;
        match event {
            Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers)) => {
                state.shift = modifiers.shift();
            }
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let at = cursor.position().filter(|_| !cursor.is_levitating());
                let at = at.map(|at| state.last.unwrap_or(at)).filter(|at| bounds.contains(*at));
                let Some(at) = at else { return };
                let click = mouse::Click::new(at, mouse::Button::Left, state.click);
                state.click = Some(click);
                let unit = match click.kind() {
                    mouse::click::Kind::Single => Unit::Character,
                    mouse::click::Kind::Double => Unit::Word,
                    mouse::click::Kind::Triple => Unit::Text,
                };
                let texts = gather(&mut self.rows, children, layout, renderer);
                let Some((laid, inside)) = nearest(&texts, at) else { return };
                let (from, to) = laid.around(inside, unit);
                selection.change(|selection| {
                    if state.shift { selection.extend(from, to) } else { selection.begin(from, to) }
                });
                state.held = Some(Held { unit, at, scrolled: None });
                self.place.change(|place| place.pin(true));
                shell.request_redraw();
            }
            Event::Mouse(mouse::Event::CursorLeft) => state.last = None,
            Event::Mouse(mouse::Event::CursorMoved { position }) => {
                state.last = Some(*position);
                let Some(held) = &mut state.held else { return };
                held.at = *position;
                let held = *held;
                let texts = gather(&mut self.rows, children, layout, renderer);
                let Some((laid, inside)) = nearest(&texts, held.at) else { return };
                let (from, to) = laid.around(inside, held.unit);
                selection.change(|selection| selection.extend(from, to));
                shell.request_redraw();
            }
            Event::Window(window::Event::RedrawRequested(now)) => {
                let Some(held) = &mut state.held else { return };
                let beyond = beyond(held.at, bounds);
                if beyond == 0.0 {
                    held.scrolled = None;
                    return;
                }
                let last = held.scrolled.replace(*now).unwrap_or(*now);
                let time = now.saturating_duration_since(last).min(FRAME);
                let (each, least, most) = SPEED;
                let speed = (beyond.abs() * each).clamp(least, most) * beyond.signum();
                self.place.change(|place| place.scroll(speed * time.as_secs_f32()));
                let held = *held;
                let texts = gather(&mut self.rows, children, layout, renderer);
                if let Some((laid, inside)) = nearest(&texts, held.at) {
                    let (from, to) = laid.around(inside, held.unit);
                    selection.change(|selection| selection.extend(from, to));
                }
                shell.invalidate_layout();
                shell.request_redraw();
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                if state.held.take().is_none() {
                    return;
                }
                self.place.change(|place: &mut Place| place.pin(false));
                if selection.read(|selection| selection.range().is_some()) {
                    shell.publish(done);
                }
            }
            _ => {}
        }
    }
}

/// How far a point is above (less than 0) or below a place.
fn beyond(at: Point, bounds: Rectangle) -> f32 {
    let (above, below) = (at.y - bounds.y, at.y - (bounds.y + bounds.height));
    if above < 0.0 { above } else { below.max(0.0) }
}
