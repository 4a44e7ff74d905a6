//! Panes side by side: a widget that lays its children out where somebody has planned them to be.
//!
//! The widget keeps the state of a child by its key, so a pane that moves because another came or went
//! stays the same pane.

use std::collections::HashMap;

use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse, overlay, renderer};
use iced::{Element, Event, Length, Point, Rectangle, Renderer, Size, Theme, Vector};

/// Children in places that were planned for an area of some size, each with a key that is its identity. An
/// area that has another size by now stretches them.
pub fn tiles<'a, Message: 'a>(
    planned: Size,
    children: impl IntoIterator<Item = (u64, Rectangle, Element<'a, Message>)>,
) -> Element<'a, Message> {
    let mut tiles = Tiles { planned, places: Vec::new(), keys: Vec::new(), children: Vec::new() };
    for (key, place, child) in children {
        tiles.keys.push(key);
        tiles.places.push(place);
        tiles.children.push(child);
    }
    Element::new(tiles)
}

/// A place in an area that has become another one; whole pixels, so that edges stay sharp.
fn stretched(place: Rectangle, planned: Size, size: Size) -> Rectangle {
    let by = |is: f32, was: f32| if was > 0.0 { is / was } else { 1.0 };
    let (wide, high) = (by(size.width, planned.width), by(size.height, planned.height));
    let (x, y) = ((place.x * wide).round(), (place.y * high).round());
    let right = ((place.x + place.width) * wide).round();
    let bottom = ((place.y + place.height) * high).round();
    Rectangle { x, y, width: (right - x).max(0.0), height: (bottom - y).max(0.0) }
}

struct Tiles<'a, Message> {
    planned: Size,
    places: Vec<Rectangle>,
    keys: Vec<u64>,
    children: Vec<Element<'a, Message>>,
}

struct Keys(Vec<u64>);

impl<Message> Widget<Message, Theme, Renderer> for Tiles<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<Keys>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(Keys(self.keys.clone()))
    }

    fn children(&self) -> Vec<Tree> {
        self.children.iter().map(Tree::new).collect()
    }

    fn diff(&self, tree: &mut Tree) {
        let Keys(keys) = tree.state.downcast_mut::<Keys>();
        let mut known: HashMap<u64, Tree> =
            keys.drain(..).zip(std::mem::take(&mut tree.children)).collect();
        keys.clone_from(&self.keys);
        tree.children = self
            .keys
            .iter()
            .zip(&self.children)
            .map(|(key, child)| match known.remove(key) {
                Some(mut tree) => {
                    tree.diff(child);
                    tree
                }
                None => Tree::new(child),
            })
            .collect();
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let size = limits.resolve(Length::Fill, Length::Fill, Size::ZERO);
        let planned = self.planned;
        let nodes = self.children.iter_mut().zip(&mut tree.children).zip(&self.places);
        let nodes = nodes
            .map(|((child, tree), place)| {
                let place = stretched(*place, planned, size);
                let limits = layout::Limits::new(place.size(), place.size());
                let node = child.as_widget_mut().layout(tree, renderer, &limits);
                node.move_to(Point::new(place.x, place.y))
            })
            .collect();
        layout::Node::with_children(size, nodes)
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
        for ((child, tree), layout) in
            self.children.iter_mut().zip(&mut tree.children).zip(layout.children())
        {
            child
                .as_widget_mut()
                .update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
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
        for ((child, tree), layout) in
            self.children.iter().zip(&tree.children).zip(layout.children())
        {
            child.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
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
            for ((child, tree), layout) in
                self.children.iter_mut().zip(&mut tree.children).zip(layout.children())
            {
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
        self.children
            .iter()
            .zip(&tree.children)
            .zip(layout.children())
            .map(|((child, tree), layout)| {
                child.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
            })
            .max()
            .unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_that_grew_stretches_its_places() {
        let place = |x, width| Rectangle { x, y: 0.0, width, height: 100.0 };
        let planned = Size::new(300.0, 100.0);
        for (size, expected) in [
            (planned, [place(0.0, 146.0), place(154.0, 146.0)]),
            (Size::new(600.0, 100.0), [place(0.0, 292.0), place(308.0, 292.0)]),
            (Size::new(0.0, 100.0), [place(0.0, 0.0), place(0.0, 0.0)]),
        ] {
            let places = [place(0.0, 146.0), place(154.0, 146.0)];
            assert_eq!(places.map(|place| stretched(place, planned, size)), expected, "{size:?}");
        }
    }
}
