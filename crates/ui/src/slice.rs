//! A part of a card that is drawn in pieces, one below the other: together they look like one box with
//! round corners, and each can be built and thrown away by itself.

use iced::advanced::widget::Tree;
use iced::advanced::{Layout, Renderer as _, Widget, layout, mouse, renderer};
use iced::{
    Background, Border, Color, Element, Length, Padding, Point, Rectangle, Renderer, Size, Theme,
};

use crate::content::{hands_events_on, hands_on};
use crate::theme::extent;

/// How a piece of a card looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Behind what it holds.
    pub fill: Color,
    /// The line around the card.
    pub line: Color,
    /// Of the card's corners.
    pub radius: f32,
    /// Whether the card begins here.
    pub top: bool,
    /// Whether the card ends here.
    pub bottom: bool,
}

/// A piece of a card, as wide as there is place.
pub fn slice<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    look: Look,
) -> Element<'a, Message> {
    Element::new(Slice { content: content.into(), look })
}

struct Slice<'a, Message> {
    content: Element<'a, Message>,
    look: Look,
}

impl<Message> Widget<Message, Theme, Renderer> for Slice<'_, Message> {
    hands_on!();
    hands_events_on!();

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Shrink)
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let edge = |on: bool| if on { extent::LINE } else { 0.0 };
        let padding = Padding {
            top: edge(self.look.top),
            bottom: edge(self.look.bottom),
            left: extent::LINE,
            right: extent::LINE,
        };
        let width = limits.max().width;
        let inner = limits.width(Length::Fixed(width)).shrink(padding);
        let content = self.content.as_widget_mut();
        let node = content.layout(&mut tree.children[0], renderer, &inner);
        let size = Size::new(width, node.size().height + padding.top + padding.bottom);
        let node = node.move_to(Point::new(padding.left, padding.top));
        layout::Node::with_children(size, vec![node])
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
        let (bounds, look) = (layout.bounds(), self.look);
        // Where the card goes on, its edge lies beyond what is drawn.
        let beyond = |on: bool| if on { 0.0 } else { look.radius + 2.0 };
        let whole = Rectangle {
            y: bounds.y - beyond(look.top),
            height: bounds.height + beyond(look.top) + beyond(look.bottom),
            ..bounds
        };
        let border = Border { color: look.line, width: extent::LINE, radius: look.radius.into() };
        let quad = renderer::Quad { bounds: whole, border, ..renderer::Quad::default() };
        let fill = Background::Color(look.fill);
        if look.top && look.bottom {
            renderer.fill_quad(quad, fill);
        } else if let Some(clip) = bounds.intersection(viewport) {
            renderer.with_layer(clip, |renderer| renderer.fill_quad(quad, fill));
        }
        let Some(inner) = layout.children().next() else { return };
        let content = self.content.as_widget();
        let draw = |renderer: &mut Renderer| {
            content.draw(&tree.children[0], renderer, theme, style, inner, cursor, viewport);
        };
        if look.top && look.bottom {
            draw(renderer);
        } else if let Some(clip) = bounds.intersection(viewport) {
            // Over the layer of the box.
            renderer.with_layer(clip, draw);
        }
    }
}
