//! Wrappers that see an event before what they wrap: every key, so that a chord of ours is never typed
//! into a terminal or an input; a press of the mouse, so that it is known what it gave the keyboard to.

use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{
    Clipboard, Layout, Shell, Widget, input_method, layout, mouse, overlay, renderer,
};
use iced::{Element, Event, Length, Rectangle, Renderer, Size, Theme, Vector, keyboard};

/// Hands every key to `on_key` first. A key that becomes a message goes no further, and neither does one
/// that is dropped. While `no_text` says so, what an input method makes of keys is dropped, too.
pub fn before<'a, Message: 'a, P: Into<Press<Message>>>(
    content: impl Into<Element<'a, Message>>,
    on_key: impl Fn(&keyboard::Event) -> P + 'a,
    no_text: impl Fn() -> bool + 'a,
) -> Element<'a, Message> {
    let sees = move |event: &Event, _over| match event {
        Event::Keyboard(key) => match on_key(key).into() {
            Press::Left => Seen::Nothing,
            Press::Dropped => Seen::Dropped,
            Press::Taken(message) => Seen::Taken(message),
        },
        Event::InputMethod(input_method::Event::Commit(_)) if no_text() => Seen::Dropped,
        _ => Seen::Nothing,
    };
    Element::new(Before { content: content.into(), sees: Box::new(sees) })
}

/// What is made of a key before the content has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press<Message> {
    /// The content gets it.
    Left,
    /// Nobody gets it.
    Dropped,
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
    Element::new(Before { content: content.into(), sees: Box::new(sees) })
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
}

/// Takes an event, and whether the mouse is over the content.
type Sees<'a, Message> = dyn Fn(&Event, bool) -> Seen<Message> + 'a;

struct Before<'a, Message> {
    content: Element<'a, Message>,
    sees: Box<Sees<'a, Message>>,
}

impl<Message> Widget<Message, Theme, Renderer> for Before<'_, Message> {
    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(&[&self.content]);
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
        match (self.sees)(event, cursor.is_over(layout.bounds())) {
            Seen::Nothing => {}
            Seen::Told(message) => shell.publish(message),
            Seen::Taken(message) => {
                shell.publish(message);
                shell.capture_event();
                return;
            }
            Seen::Dropped => {
                shell.capture_event();
                return;
            }
        }
        let Some(inner) = layout.children().next() else { return };
        self.content.as_widget_mut().update(
            &mut tree.children[0],
            event,
            inner,
            cursor,
            renderer,
            clipboard,
            shell,
            viewport,
        );
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

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let Some(inner) = layout.children().next() else { return };
        self.content.as_widget_mut().operate(&mut tree.children[0], inner, renderer, operation);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let Some(inner) = layout.children().next() else { return mouse::Interaction::None };
        let content = self.content.as_widget();
        content.mouse_interaction(&tree.children[0], inner, cursor, viewport, renderer)
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let inner = layout.children().next()?;
        let content = self.content.as_widget_mut();
        content.overlay(&mut tree.children[0], inner, renderer, viewport, translation)
    }
}
