//! A row of tabs in which one can be taken somewhere else with the mouse. A press that does not move is
//! the tab's own affair.

use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{
    Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, overlay, renderer,
};
use iced::{Background, Element, Event, Length, Point, Rectangle, Renderer, Size, Theme, Vector};
use maestro_core::TabId;
use maestro_ui::theme::Tokens;

/// How far the mouse has to go with a tab: less is a press with an unsteady hand.
const FAR: f32 = 6.0;

/// The width of the line that shows where a tab would go.
const LINE: f32 = 2.0;

/// Wraps a row of which the first children are these tabs. When one is let go elsewhere, the message says
/// which it is and before which other one it goes; `None` is the end.
pub fn strip<'a, Message: 'a>(
    tokens: &'static Tokens,
    tabs: Vec<TabId>,
    row: impl Into<Element<'a, Message>>,
    on_move: impl Fn(TabId, Option<TabId>) -> Message + 'a,
) -> Element<'a, Message> {
    Element::new(Strip { tokens, tabs, row: row.into(), on_move: Box::new(on_move) })
}

struct Strip<'a, Message> {
    tokens: &'static Tokens,
    tabs: Vec<TabId>,
    row: Element<'a, Message>,
    on_move: Box<dyn Fn(TabId, Option<TabId>) -> Message + 'a>,
}

/// The tab that the mouse holds.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    held: Option<Held>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    tab: TabId,
    from: Point,
    /// Where the mouse is, once it has gone far enough.
    at: Option<f32>,
}

impl<Message> Strip<'_, Message> {
    fn places<'b>(
        &self,
        layout: Layout<'b>,
    ) -> impl Iterator<Item = (TabId, Rectangle)> + use<'_, 'b, Message> {
        let places = layout.children().map(|place| place.bounds());
        self.tabs.iter().copied().zip(places)
    }

    /// Before how many tabs those are that the mouse is right of: where a tab let go at `x` would be.
    fn slot(&self, layout: Layout<'_>, x: f32) -> usize {
        self.places(layout).filter(|(_, place)| place.center_x() < x).count()
    }

    /// What letting a tab go at `x` comes to: before which one it goes, or nothing where it stays.
    fn target(&self, layout: Layout<'_>, held: TabId, x: f32) -> Option<Option<TabId>> {
        let own = self.tabs.iter().position(|tab| *tab == held)?;
        let slot = self.slot(layout, x);
        (slot != own && slot != own + 1).then(|| self.tabs.get(slot).copied())
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Strip<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.row)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.row));
        let state: &mut State = tree.state.downcast_mut();
        // It was closed meanwhile.
        state.held = state.held.filter(|held| self.tabs.contains(&held.tab));
    }

    fn size(&self) -> Size<Length> {
        self.row.as_widget().size()
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        self.row.as_widget_mut().layout(&mut tree.children[0], renderer, limits)
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        let state: &mut State = tree.state.downcast_mut();
        let mut shown = cursor;
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let over = cursor.position().and_then(|at| {
                    let on = self.places(layout).find(|(_, place)| place.contains(at));
                    on.map(|(tab, _)| Held { tab, from: at, at: None })
                });
                state.held = over;
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                // Beside the bar the mouse still says how far it is along it.
                if let (Some(held), Some(at)) = (&mut state.held, cursor.land().position())
                    && (held.at.is_some() || (at.x - held.from.x).abs() > FAR)
                {
                    held.at = Some(at.x);
                    shell.request_redraw();
                }
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) => {
                if let Some(Held { tab, at: Some(x), .. }) = state.held.take() {
                    // The button below must not take it for a press.
                    shown = mouse::Cursor::Unavailable;
                    if let Some(before) = self.target(layout, tab, x) {
                        shell.publish((self.on_move)(tab, before));
                    }
                    shell.request_redraw();
                }
            }
            // That the mouse left is no end: a window manager that takes a press for itself first says that, too.
            _ => {}
        }
        let row = self.row.as_widget_mut();
        let tree = &mut tree.children[0];
        row.update(tree, event, layout, shown, renderer, clipboard, shell, viewport);
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let row = self.row.as_widget();
        row.draw(&tree.children[0], renderer, theme, style, layout, cursor, viewport);
        let state: &State = tree.state.downcast_ref();
        let Some((tab, x)) = state.held.and_then(|held| Some((held.tab, held.at?))) else { return };
        let Some(before) = self.target(layout, tab, x) else { return };
        let edge = match before {
            Some(before) => self.places(layout).find(|(tab, _)| *tab == before).map(|(_, at)| at.x),
            None => self.places(layout).last().map(|(_, at)| at.x + at.width),
        };
        let bounds = layout.bounds();
        let line = Rectangle {
            x: edge.unwrap_or(bounds.x) - LINE / 2.0,
            y: bounds.y,
            width: LINE,
            height: bounds.height,
        };
        // Over the glyphs of the tabs, which are drawn after all areas of a layer.
        renderer.with_layer(line, |renderer| {
            let quad = renderer::Quad { bounds: line, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(self.tokens.accent));
        });
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let state: &State = tree.state.downcast_ref();
        if state.held.is_some_and(|held| held.at.is_some()) {
            return mouse::Interaction::Grabbing;
        }
        let row = self.row.as_widget();
        row.mouse_interaction(&tree.children[0], layout, cursor, viewport, renderer)
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        self.row.as_widget_mut().operate(&mut tree.children[0], layout, renderer, operation);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let row = self.row.as_widget_mut();
        row.overlay(&mut tree.children[0], layout, renderer, viewport, translation)
    }
}

#[cfg(test)]
mod tests {
    use iced::widget::{Space, row};
    use iced::{Settings, Size};
    use iced_test::Simulator;
    use maestro_ui::theme;

    use super::*;

    /// Three tabs of 100, pressed at the first place, moved over the others, let go at the last: what came of
    /// it. Then one press more, which has nothing to do with it.
    fn dragged(through: &[f32]) -> Vec<(TabId, Option<TabId>)> {
        let tabs = vec![TabId(1), TabId(2), TabId(3)];
        let tab = || {
            iced::widget::button(Space::new()).width(100.0).height(30.0).on_press((TabId(0), None))
        };
        let content = row![tab(), tab(), tab()];
        let strip = strip(&theme::NOCTURNE, tabs, content, |tab, before| (tab, before));
        let mut simulator =
            Simulator::with_size(Settings::default(), Size::new(400.0, 60.0), strip);
        let mut events = Vec::new();
        for (n, x) in through.iter().enumerate() {
            simulator.point_at(Point::new(*x, 10.0));
            let mut now =
                vec![Event::Mouse(mouse::Event::CursorMoved { position: Point::new(*x, 10.0) })];
            if n == 0 {
                now.push(Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)));
            }
            if n + 1 == through.len() {
                now.push(Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)));
            }
            events.extend(simulator.simulate(now));
        }
        simulator.into_messages().collect()
    }

    #[test]
    fn a_tab_goes_where_it_is_let_go() {
        let (one, two, three) = (TabId(1), TabId(2), TabId(3));
        let pressed = vec![(TabId(0), None)];
        for (through, expected) in [
            (&[20.0, 120.0, 160.0][..], vec![(one, Some(three))]),
            (&[20.0, 120.0, 390.0], vec![(one, None)]),
            (&[220.0, 120.0, 20.0], vec![(three, Some(one))]),
            (&[120.0, 20.0], vec![(two, Some(one))]),
            // Before itself or behind itself is where it is; and it was no press either.
            (&[20.0, 120.0, 140.0], Vec::new()),
            (&[20.0, 90.0, 22.0], Vec::new()),
            // An unsteady hand.
            (&[20.0, 23.0], pressed),
        ] {
            assert_eq!(dragged(through), expected, "{through:?}");
        }
    }
}
