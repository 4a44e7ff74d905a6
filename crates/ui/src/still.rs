//! A text cursor that comes to rest: the toolkit's inputs blink for ever, which is two frames a second of a
//! window in which nothing happens.

use std::time::{Duration, Instant};

use iced::advanced::widget::{Tree, tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse, renderer};
use iced::{Element, Event, Length, Rectangle, Renderer, Size, Theme, keyboard, window};

use crate::content::hands_on;

/// So long after the last key or press the cursor goes on blinking.
const BLINKS: Duration = Duration::from_secs(5);

/// An input whose cursor rests, shown, when nothing was typed for a while.
pub fn still<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    Element::new(Still { content: content.into() })
}

struct Still<'a, Message> {
    content: Element<'a, Message>,
}

/// When something was done last, and since when it may be blinking.
struct State {
    done: Option<Instant>,
    made: Instant,
}

impl<Message> Widget<Message, Theme, Renderer> for Still<'_, Message> {
    hands_on!();

    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State { done: None, made: Instant::now() })
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let content = self.content.as_widget_mut();
        let node = content.layout(&mut tree.children[0], renderer, limits);
        layout::Node::with_children(node.size(), vec![node])
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
        let Some(inner) = layout.children().next() else { return };
        let state = tree.state.downcast_mut::<State>();
        let done = matches!(
            event,
            Event::Keyboard(keyboard::Event::KeyPressed { .. })
                | Event::Mouse(mouse::Event::ButtonPressed(_))
                | Event::InputMethod(_)
                | Event::Window(window::Event::Focused)
        );
        if done {
            state.done = Some(Instant::now());
        }
        let mut rests = false;
        let mut seen = event;
        let at_rest = Event::Window(window::Event::RedrawRequested(state.made));
        if let Event::Window(window::Event::RedrawRequested(now)) = event {
            let since = *state.done.get_or_insert(*now);
            rests = now.saturating_duration_since(since) >= BLINKS;
            if rests {
                // A moment before it was given the keyboard: then it is shown.
                seen = &at_rest;
            }
        }
        let asked = shell.redraw_request();
        self.content.as_widget_mut().update(
            &mut tree.children[0],
            seen,
            inner,
            cursor,
            renderer,
            clipboard,
            shell,
            viewport,
        );
        if rests && matches!(shell.redraw_request(), window::RedrawRequest::At(_)) {
            Shell::replace_redraw_request(shell, asked);
        }
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
        let Some(inner) = layout.children().next() else { return };
        let content = self.content.as_widget();
        content.draw(&tree.children[0], renderer, theme, style, inner, cursor, viewport);
    }
}
