//! Wrappers that see an event before what they wrap: every key, so that a chord of ours is never typed
//! into a terminal or an input; a press of the mouse, so that it is known what it gave the keyboard to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use iced::advanced::widget::{Tree, tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, input_method, layout, mouse, renderer};
use iced::{Element, Event, Length, Point, Rectangle, Renderer, Size, Theme, keyboard, touch};

use crate::content::hands_on;

/// The most keys that wait. More are taken for what they mean now: a second of a key that repeats.
const MOST_WAITING: usize = 64;

/// How long keys wait for what they mean, at most.
const PATIENCE: Duration = Duration::from_millis(500);

/// Hands every key to `on_key` first. A key that becomes a message goes no further, and neither does one
/// that is dropped. While `no_text` says so, what an input method makes of keys is dropped, too.
///
/// Events come in batches, and what a key means is decided by the view of that moment. So keys that follow
/// one that became a message wait until its message was taken in and there is another view: what is
/// typed right behind a chord goes where the chord leads, and right behind a click to what was clicked.
pub fn before<'a, Message: 'a, P: Into<Press<Message>>>(
    content: impl Into<Element<'a, Message>>,
    on_key: impl Fn(&keyboard::Event) -> P + 'a,
    no_text: impl Fn() -> bool + 'a,
) -> Element<'a, Message> {
    let sees = move |event: &Event, _over| match event {
        Event::Keyboard(key) => match on_key(key).into() {
            Press::Left => Seen::Nothing,
            Press::Dropped => Seen::Dropped,
            Press::Later => Seen::Later,
            Press::Taken(message) => Seen::Taken(message),
        },
        Event::InputMethod(input_method::Event::Commit(_)) if no_text() => Seen::Dropped,
        _ => Seen::Nothing,
    };
    Element::new(Before { content: content.into(), sees: Box::new(sees), spent: false })
}

/// What is made of a key before the content has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press<Message> {
    /// The content gets it.
    Left,
    /// Nobody gets it.
    Dropped,
    /// What it means is known in a moment. It waits for another view, and all keys after it, too.
    Later,
    /// It means something.
    Taken(Message),
}

impl<Message> From<Option<Message>> for Press<Message> {
    fn from(message: Option<Message>) -> Self {
        message.map_or(Self::Left, Self::Taken)
    }
}

/// Tells that the left button was pressed here, and leaves the press to the content.
pub fn pressed<'a, Message: Clone + 'a>(
    content: impl Into<Element<'a, Message>>,
    message: Message,
) -> Element<'a, Message> {
    let sees = move |event: &Event, over| match event {
        Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) if over => {
            Seen::Told(message.clone())
        }
        _ => Seen::Nothing,
    };
    Element::new(Before { content: content.into(), sees: Box::new(sees), spent: false })
}

/// What came of an event before the content has seen it.
enum Seen<Message> {
    /// Nothing.
    Nothing,
    /// A message; the content sees the event, too.
    Told(Message),
    /// A message; the content never sees the event.
    Taken(Message),
    /// The content never sees the event.
    Dropped,
    /// Not known yet.
    Later,
}

/// Takes an event, and whether the mouse is over the content.
type Sees<'a, Message> = dyn Fn(&Event, bool) -> Seen<Message> + 'a;

struct Before<'a, Message> {
    content: Element<'a, Message>,
    sees: Box<Sees<'a, Message>>,
    /// Whether a key or a click became a message: what the next key means, the next view knows.
    spent: bool,
}

/// Keys that wait for another view.
#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Event>,
    since: Option<Instant>,
    /// Where the mouse was last heard to be.
    mouse: Option<Point>,
}

impl Waiting {
    fn is_patient(&self) -> bool {
        self.since.is_none_or(|since| since.elapsed() < PATIENCE)
    }

    /// Where the mouse was when something happened. A busy window is handed several events at once, each
    /// with where the mouse is after the last of them: a press would be taken for one where a drag ended.
    fn mouse_at(&mut self, event: &Event, cursor: mouse::Cursor) -> mouse::Cursor {
        match event {
            Event::Mouse(mouse::Event::CursorMoved { position }) => self.mouse = Some(*position),
            Event::Mouse(mouse::Event::CursorLeft) => self.mouse = None,
            _ => {}
        }
        match (event, cursor, self.mouse) {
            (Event::Mouse(_), mouse::Cursor::Available(_), Some(at)) => {
                mouse::Cursor::Available(at)
            }
            _ => cursor,
        }
    }
}

/// What an update is handed on with, besides its event.
struct Hands<'a, 'b> {
    layout: Layout<'a>,
    cursor: mouse::Cursor,
    renderer: &'a Renderer,
    clipboard: &'b mut dyn Clipboard,
    viewport: &'a Rectangle,
}

impl<Message> Before<'_, Message> {
    /// Keys that waited, now that there is another view.
    fn catch_up(
        &mut self,
        tree: &mut Tree,
        hands: &mut Hands<'_, '_>,
        shell: &mut Shell<'_, Message>,
    ) {
        while !self.spent
            && let Some(event) = waiting(tree).events.pop_front()
        {
            let seen = (self.sees)(&event, false);
            if matches!(seen, Seen::Later) && waiting(tree).is_patient() {
                waiting(tree).events.push_front(event);
                break;
            }
            // What becomes of it says nothing about the event that is handled now.
            let mut messages = Vec::new();
            let mut own = Shell::new(&mut messages);
            self.hand_on(seen, tree, &event, hands, &mut own);
            let (redraw, layout, widgets) =
                (own.redraw_request(), own.is_layout_invalid(), own.are_widgets_invalid());
            shell.request_redraw_at(redraw);
            if layout {
                shell.invalidate_layout();
            }
            if widgets {
                shell.invalidate_widgets();
            }
            messages.into_iter().for_each(|message| shell.publish(message));
        }
        if waiting(tree).events.is_empty() {
            waiting(tree).since = None;
        }
    }

    /// Puts a key behind those that wait; `false` where there are too many.
    fn wait(tree: &mut Tree, event: &Event, shell: &mut Shell<'_, Message>) -> bool {
        let waiting = waiting(tree);
        if waiting.events.len() >= MOST_WAITING {
            return false;
        }
        waiting.events.push_back(event.clone());
        let since = *waiting.since.get_or_insert_with(Instant::now);
        shell.capture_event();
        shell.request_redraw_at(since + PATIENCE);
        true
    }

    fn hand_on(
        &mut self,
        seen: Seen<Message>,
        tree: &mut Tree,
        event: &Event,
        hands: &mut Hands<'_, '_>,
        shell: &mut Shell<'_, Message>,
    ) {
        match seen {
            Seen::Nothing | Seen::Later => {}
            Seen::Told(message) => shell.publish(message),
            Seen::Taken(message) => {
                self.spent = true;
                shell.publish(message);
                shell.capture_event();
                return;
            }
            Seen::Dropped => {
                shell.capture_event();
                return;
            }
        }
        let Some(inner) = hands.layout.children().next() else { return };
        self.content.as_widget_mut().update(
            &mut tree.children[0],
            event,
            inner,
            hands.cursor,
            hands.renderer,
            hands.clipboard,
            shell,
            hands.viewport,
        );
    }
}

/// Whether what comes of an event may give the keyboard to something else.
fn is_click(event: &Event) -> bool {
    use mouse::Event::{ButtonPressed, ButtonReleased};
    use touch::Event::{FingerLifted, FingerPressed};

    matches!(
        event,
        Event::Mouse(ButtonPressed(_) | ButtonReleased(_))
            | Event::Touch(FingerPressed { .. } | FingerLifted { .. })
    )
}

fn waiting(tree: &mut Tree) -> &mut Waiting {
    tree.state.downcast_mut()
}

impl<Message> Widget<Message, Theme, Renderer> for Before<'_, Message> {
    hands_on!();

    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<Waiting>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(Waiting::default())
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
        let content = &mut self.content;
        let node = content.as_widget_mut().layout(&mut tree.children[0], renderer, limits);
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
        let cursor = waiting(tree).mouse_at(event, cursor);
        let mut hands = Hands { layout, cursor, renderer, clipboard, viewport };
        self.catch_up(tree, &mut hands, shell);
        let is_key = matches!(event, Event::Keyboard(_) | Event::InputMethod(_));
        let in_line = self.spent || !waiting(tree).events.is_empty();
        if is_key && in_line && Self::wait(tree, event, shell) {
            return;
        }
        let seen = (self.sees)(event, cursor.is_over(layout.bounds()));
        if matches!(seen, Seen::Later) && Self::wait(tree, event, shell) {
            return;
        }
        if !is_click(event) {
            self.hand_on(seen, tree, event, &mut hands, shell);
            return;
        }
        let mut messages = Vec::new();
        let mut own = Shell::new(&mut messages);
        self.hand_on(seen, tree, event, &mut hands, &mut own);
        self.spent |= !own.is_empty();
        shell.merge(own, |message| message);
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
        crate::backend::note(renderer);
        let Some(inner) = layout.children().next() else { return };
        let content = self.content.as_widget();
        content.draw(&tree.children[0], renderer, theme, style, inner, cursor, viewport);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_where_the_mouse_was_then() {
        let (at, late) = (Point::new(3.0, 4.0), Point::new(90.0, 80.0));
        let end = mouse::Cursor::Available(late);
        let press = Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left));
        let mut waiting = Waiting::default();
        assert_eq!(waiting.mouse_at(&press, end), end, "nothing was heard yet");
        let moved = Event::Mouse(mouse::Event::CursorMoved { position: at });
        for event in [&moved, &press] {
            assert_eq!(waiting.mouse_at(event, end), mouse::Cursor::Available(at));
        }
        // Something lies over it.
        for above in [mouse::Cursor::Levitating(late), mouse::Cursor::Unavailable] {
            assert_eq!(waiting.mouse_at(&press, above), above);
        }
        let left = Event::Mouse(mouse::Event::CursorLeft);
        assert_eq!(waiting.mouse_at(&left, end), end);
        assert_eq!(waiting.mouse_at(&press, end), end);
    }
}
