//! Something over something else, in the same place. Like the toolkit's stack of two, but the upper one
//! costs a layer only while it has something to show.

use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{
    Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, overlay, renderer,
};
use iced::{Element, Event, Length, Rectangle, Renderer, Size, Theme, Vector};

/// `over` lies over `body`, whose size it has. `shown` says whether it draws more than what takes a layer
/// for itself (see [`crate::live()`]).
pub fn pile<'a, Message: 'a>(
    body: impl Into<Element<'a, Message>>,
    over: impl Into<Element<'a, Message>>,
    shown: bool,
) -> Element<'a, Message> {
    Element::new(Pile { children: [body.into(), over.into()], shown })
}

struct Pile<'a, Message> {
    children: [Element<'a, Message>; 2],
    shown: bool,
}

impl<Message> Widget<Message, Theme, Renderer> for Pile<'_, Message> {
    fn children(&self) -> Vec<Tree> {
        self.children.iter().map(Tree::new).collect()
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(&self.children);
    }

    fn size(&self) -> Size<Length> {
        self.children[0].as_widget().size()
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let [body, over] = &mut self.children;
        let base = body.as_widget_mut().layout(&mut tree.children[0], renderer, limits);
        let size = base.size();
        let limits = layout::Limits::new(Size::ZERO, size);
        let above = over.as_widget_mut().layout(&mut tree.children[1], renderer, &limits);
        layout::Node::with_children(size, vec![base, above])
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        mut cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        let mut places = layout.children();
        let (Some(below), Some(above)) = (places.next(), places.next()) else { return };
        let [body, over] = &mut self.children;
        let state = &mut tree.children[1];
        over.as_widget_mut()
            .update(state, event, above, cursor, renderer, clipboard, shell, viewport);
        if shell.is_event_captured() {
            return;
        }
        let over = over.as_widget().mouse_interaction(state, above, cursor, viewport, renderer);
        if over != mouse::Interaction::None {
            cursor = cursor.levitate();
        }
        let state = &mut tree.children[0];
        body.as_widget_mut()
            .update(state, event, below, cursor, renderer, clipboard, shell, viewport);
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
        let mut places = layout.children();
        let (Some(below), Some(above)) = (places.next(), places.next()) else { return };
        let [body, over] = &self.children;
        let (body, over) = (body.as_widget(), over.as_widget());
        body.draw(&tree.children[0], renderer, theme, style, below, cursor, viewport);
        if self.shown {
            renderer.with_layer(layout.bounds(), |renderer| {
                over.draw(&tree.children[1], renderer, theme, style, above, cursor, viewport);
            });
        } else {
            over.draw(&tree.children[1], renderer, theme, style, above, cursor, viewport);
        }
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        operation.container(None, layout.bounds());
        operation.traverse(&mut |operation| {
            let children = self.children.iter_mut().zip(&mut tree.children);
            for ((child, tree), layout) in children.zip(layout.children()) {
                child.as_widget_mut().operate(tree, layout, renderer, operation);
            }
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
        let children = self.children.iter().zip(&tree.children).zip(layout.children());
        let mut seen = children.map(|((child, tree), layout)| {
            child.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
        });
        let body = seen.next().unwrap_or_default();
        seen.next().filter(|over| *over != mouse::Interaction::None).unwrap_or(body)
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        overlay::from_children(&mut self.children, tree, layout, renderer, viewport, translation)
    }
}
