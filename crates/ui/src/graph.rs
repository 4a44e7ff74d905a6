//! What is drawn beside a commit: its dot, and the lines of work that go past it, into it and out of it.

use iced::advanced::widget::Tree;
use iced::advanced::{Layout, Renderer as _, Widget, layout, mouse, renderer};
use iced::{Background, Border, Color, Element, Length, Rectangle, Renderer, Size, Theme};
use maestro_core::log::{Line, Row};

use crate::theme::Tokens;

/// Width of a lane.
const LANE: f32 = 12.0;

/// Lanes that have a place; those beyond are in the last one.
const LANES: u16 = 12;

/// How thick lines are, and how large dots.
const LINE: f32 = 1.5;
const DOT: f32 = 8.0;

/// The graph of one row.
#[derive(Debug, Clone)]
pub struct Graph<'a> {
    tokens: &'static Tokens,
    row: &'a Row,
    lanes: u16,
}

/// The graph of one row, with room for so many lanes.
#[must_use]
pub fn graph<'a>(tokens: &'static Tokens, row: &'a Row, lanes: u16) -> Graph<'a> {
    Graph { tokens, row, lanes: lanes.clamp(1, LANES) }
}

impl Graph<'_> {
    fn ink(&self, colour: u16) -> Color {
        let tokens = self.tokens;
        let inks =
            [tokens.blue, tokens.green, tokens.purple, tokens.orange, tokens.accent, tokens.red];
        inks[usize::from(colour) % inks.len()]
    }
}

/// The parts of a line within a row: rectangles of a row of this height whose middle is at `middle`.
fn parts(line: &Line, lane: u16, height: f32) -> Vec<Rectangle> {
    let x = |lane: u16| (f32::from(lane.min(LANES - 1)) + 0.5) * LANE;
    let middle = height / 2.0;
    let upright = |lane: u16, from: f32, to: f32| Rectangle {
        x: x(lane) - LINE / 2.0,
        y: from,
        width: LINE,
        height: to - from,
    };
    let across = |one: u16, other: u16| {
        let (left, right) = (x(one.min(other)), x(one.max(other)));
        Rectangle {
            x: left - LINE / 2.0,
            y: middle - LINE / 2.0,
            width: right - left + LINE,
            height: LINE,
        }
    };
    let (from, to) = (line.from.unwrap_or(lane), line.to.unwrap_or(lane));
    let mut parts = Vec::new();
    if line.from.is_some() {
        parts.push(upright(from, 0.0, middle));
    }
    if from != to {
        parts.push(across(from, to));
    }
    if line.to.is_some() {
        parts.push(upright(to, middle, height));
    }
    parts
}

impl<Message> Widget<Message, Theme, Renderer> for Graph<'_> {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Fixed(f32::from(self.lanes) * LANE), Length::Fill)
    }

    fn layout(&mut self, _: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::Node::new(Size::new(f32::from(self.lanes) * LANE, limits.max().height))
    }

    fn draw(
        &self,
        _: &Tree,
        renderer: &mut Renderer,
        _: &Theme,
        _: &renderer::Style,
        layout: Layout<'_>,
        _: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        let Some(seen) = bounds.intersection(viewport) else { return };
        let mut own = self.tokens.dim;
        for line in &self.row.lines {
            let ink = self.ink(line.colour);
            if line.from == Some(self.row.lane) || line.to == Some(self.row.lane) {
                own = ink;
            }
            for part in parts(line, self.row.lane, bounds.height) {
                let part = Rectangle { x: part.x + bounds.x, y: part.y + bounds.y, ..part };
                if let Some(bounds) = part.intersection(&seen) {
                    let quad = renderer::Quad { bounds, ..renderer::Quad::default() };
                    renderer.fill_quad(quad, Background::Color(ink));
                }
            }
        }
        let lane = self.row.lane.min(LANES - 1);
        let dot = Rectangle {
            x: bounds.x + (f32::from(lane) + 0.5) * LANE - DOT / 2.0,
            y: bounds.y + (bounds.height - DOT) / 2.0,
            width: DOT,
            height: DOT,
        };
        if dot.intersection(&seen).is_some() {
            let border = Border { radius: (DOT / 2.0).into(), ..Border::default() };
            let quad = renderer::Quad { bounds: dot, border, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(own));
        }
    }
}

impl<'a, Message: 'a> From<Graph<'a>> for Element<'a, Message> {
    fn from(graph: Graph<'a>) -> Self {
        Self::new(graph)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_edge_to_edge_or_ends_in_the_commit() {
        let line = |from, to| Line { from, to, colour: 0 };
        let drawn = |line: Line| {
            parts(&line, 1, 20.0)
                .into_iter()
                .map(|part| {
                    (part.x.round() as i32, part.y.round() as i32, part.height.round() as i32)
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(drawn(line(Some(0), Some(0))), [(5, 0, 10), (5, 10, 10)], "past it");
        assert_eq!(drawn(line(None, Some(1))), [(17, 10, 10)], "out of it");
        assert_eq!(drawn(line(Some(1), None)), [(17, 0, 10)], "into it");
        assert_eq!(drawn(line(Some(2), None)), [(29, 0, 10), (17, 9, 2)], "into it from aside");
        assert_eq!(drawn(line(None, Some(2))), [(17, 9, 2), (29, 10, 10)], "out of it aside");
    }
}
