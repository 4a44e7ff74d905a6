//! A bar at the left of something, exactly as high as it is.

use iced::advanced::widget::Tree;
use iced::advanced::{Layout, Renderer as _, Widget, layout, mouse, renderer};
use iced::{Background, Color, Element, Length, Padding, Point, Rectangle, Renderer, Size, Theme};

use crate::content::{hands_events_on, hands_on};

/// Something with a bar of a colour and a width at its left, and a gap between them. As wide as there is
/// place.
pub fn aside<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    color: Color,
    width: f32,
    gap: f32,
) -> Element<'a, Message> {
    Element::new(Aside { content: content.into(), color, width, gap })
}

struct Aside<'a, Message> {
    content: Element<'a, Message>,
    color: Color,
    width: f32,
    gap: f32,
}

impl<Message> Widget<Message, Theme, Renderer> for Aside<'_, Message> {
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
        let left = self.width + self.gap;
        let width = limits.max().width;
        let inner = limits.width(Length::Fixed(width)).shrink(Padding::ZERO.left(left));
        let content = self.content.as_widget_mut();
        let node = content.layout(&mut tree.children[0], renderer, &inner);
        let size = Size::new(width, node.size().height);
        layout::Node::with_children(size, vec![node.move_to(Point::new(left, 0.0))])
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
        let bounds = layout.bounds();
        if self.color.a > 0.0 {
            let bar = Rectangle { width: self.width, ..bounds };
            let quad = renderer::Quad { bounds: bar, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(self.color));
        }
        let Some(inner) = layout.children().next() else { return };
        let content = self.content.as_widget();
        content.draw(&tree.children[0], renderer, theme, style, inner, cursor, viewport);
    }
}
