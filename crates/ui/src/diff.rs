//! Rows of a diff, all of one height, in one column or in two: it draws those that it is given, and tells
//! where it was pressed and how far the wheel was turned. Nothing is wrapped; what is beyond the edge is
//! reached by moving the text.

use std::collections::HashMap;
use std::sync::Arc;

use iced::advanced::text::Paragraph as _;
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{
    Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, renderer, text,
};
use iced::{Background, Color, Element, Event, Length, Point, Rectangle, Renderer, Size, Theme};

use crate::code::{self, Behind, Code, Line, Sign, advance, line_height};
use crate::font;
use crate::theme::{Tokens, extent, space};

/// Lines whose layout is kept beyond those that are drawn.
const KEPT: usize = 400;

/// One half of a row: a line with its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Half {
    /// Stands for the line as long as it is at the same place.
    pub key: u64,
    /// Its number in the file from before. In a half of its own the number is in `line`.
    pub old: Option<u32>,
    /// The line, with its number in the file as it is.
    pub line: Line,
    /// Whether somebody said something about it.
    pub is_noted: bool,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Words over what follows.
    Head(String),
    /// A line, in one column.
    One(Half),
    /// What was and what is, side by side.
    Two(Option<Half>, Option<Half>),
    /// A line that is not known yet.
    Awaited,
}

/// How a row is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Not at all.
    #[default]
    None,
    /// It is among the chosen ones.
    Chosen,
    /// The keyboard is there.
    Cursor,
}

/// Rows of a diff.
pub struct Diff<'a, Message> {
    tokens: &'static Tokens,
    rows: Vec<(Row, Mark)>,
    /// Digits of the largest number.
    digits: usize,
    /// Characters by which text is moved to the left.
    shift: u32,
    /// Whether the keyboard is here.
    focused: bool,
    on_press: Option<Box<dyn Fn(usize, bool) -> Message + 'a>>,
    on_wheel: Option<Box<dyn Fn(f32) -> Message + 'a>>,
}

impl<Message> std::fmt::Debug for Diff<'_, Message> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Diff").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// Rows of a diff, with room for numbers of so many digits.
#[must_use]
pub fn diff<'a, Message>(
    tokens: &'static Tokens,
    rows: Vec<(Row, Mark)>,
    digits: usize,
    shift: u32,
    focused: bool,
) -> Diff<'a, Message> {
    Diff { tokens, rows, digits, shift, focused, on_press: None, on_wheel: None }
}

impl<'a, Message> Diff<'a, Message> {
    /// What comes of a press: which row, and whether in the right half.
    #[must_use]
    pub fn on_press(self, message: impl Fn(usize, bool) -> Message + 'a) -> Self {
        Self { on_press: Some(Box::new(message)), ..self }
    }

    /// What comes of the wheel: by how many rows, downwards.
    #[must_use]
    pub fn on_wheel(self, message: impl Fn(f32) -> Message + 'a) -> Self {
        Self { on_wheel: Some(Box::new(message)), ..self }
    }

    fn is_split(&self) -> bool {
        self.rows.iter().any(|(row, _)| matches!(row, Row::Two(..)))
    }

    /// Width of so many columns of numbers.
    fn numbers(&self, columns: usize) -> f32 {
        columns as f32 * (self.digits.max(2) + 1) as f32 * advance()
    }
}

type Paragraph = <Renderer as text::Renderer>::Paragraph;

struct Laid {
    line: Line,
    text: Paragraph,
    behind: Vec<(usize, Behind)>,
    used: u64,
}

#[derive(Default)]
struct State {
    laid: HashMap<(u64, bool), Laid>,
    theme: &'static str,
    round: u64,
    /// Parts of a row by which the wheel was turned and that nobody was told yet.
    turned: f32,
}

/// What of the lines is drawn.
fn halves(row: &Row) -> impl Iterator<Item = (&Half, bool)> {
    let (one, other) = match row {
        Row::One(half) => (Some(half), None),
        Row::Two(left, right) => (left.as_ref(), right.as_ref()),
        Row::Head(_) | Row::Awaited => (None, None),
    };
    one.map(|half| (half, false)).into_iter().chain(other.map(|half| (half, true)))
}

impl<Message> Widget<Message, Theme, Renderer> for Diff<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(&mut self, tree: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State>();
        if state.theme != self.tokens.name {
            state.laid.clear();
            state.theme = self.tokens.name;
        }
        state.round += 1;
        let empty: Arc<[Line]> = Arc::default();
        let reader: Code = code::code(self.tokens, &empty, 0, false);
        for (half, is_right) in self.rows.iter().flat_map(|(row, _)| halves(row)) {
            let known = state.laid.get_mut(&(half.key, is_right));
            if let Some(laid) = known.filter(|laid| laid.line == half.line) {
                laid.used = state.round;
                continue;
            }
            let (spans, behind) = reader.spans(&half.line);
            let content = code::styled(spans.as_slice(), f32::INFINITY, text::Wrapping::None);
            let text = Paragraph::with_spans::<()>(content);
            let laid = Laid { line: half.line.clone(), text, behind, used: state.round };
            let _ = state.laid.insert((half.key, is_right), laid);
        }
        if state.laid.len() > self.rows.len() * 2 + KEPT {
            let round = state.round;
            state.laid.retain(|_, laid| laid.used == round);
        }
        layout::Node::new(limits.max())
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        _: &Theme,
        _: &renderer::Style,
        layout: Layout<'_>,
        _: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let bounds = layout.bounds();
        let Some(seen) = bounds.intersection(viewport) else { return };
        // The last row has a part of its height only.
        renderer.with_layer(seen, |renderer| self.draw_rows(renderer, state, bounds, seen));
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _: &Renderer,
        _: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        let Some(at) = cursor.position_in(layout.bounds()) else { return };
        match event {
            Event::Mouse(mouse::Event::WheelScrolled { delta }) => {
                let Some(on_wheel) = &self.on_wheel else { return };
                let rows = match delta {
                    mouse::ScrollDelta::Lines { y, .. } => -y * 3.0,
                    mouse::ScrollDelta::Pixels { y, .. } => -y / line_height(),
                };
                state.turned += rows;
                let whole = state.turned.trunc();
                if whole != 0.0 {
                    state.turned -= whole;
                    shell.publish(on_wheel(whole));
                }
                shell.capture_event();
            }
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let Some(on_press) = &self.on_press else { return };
                let row = (at.y / line_height()) as usize;
                if row < self.rows.len() {
                    let is_right = self.is_split() && at.x > layout.bounds().width / 2.0;
                    shell.publish(on_press(row, is_right));
                    shell.capture_event();
                }
            }
            _ => {}
        }
    }

    fn operate(
        &mut self,
        _: &mut Tree,
        layout: Layout<'_>,
        _: &Renderer,
        operation: &mut dyn Operation,
    ) {
        for (row, _) in &self.rows {
            if let Row::Head(words) = row {
                operation.text(None, layout.bounds(), words);
            }
            for (half, _) in halves(row) {
                operation.text(None, layout.bounds(), &half.line.text);
            }
        }
    }
}

impl<Message> Diff<'_, Message> {
    fn draw_rows(
        &self,
        renderer: &mut Renderer,
        state: &State,
        bounds: Rectangle,
        seen: Rectangle,
    ) {
        let tokens = self.tokens;
        let split = self.is_split();
        let middle = (bounds.width / 2.0).floor();
        let height = line_height();
        for (at, (row, mark)) in self.rows.iter().enumerate() {
            let y = bounds.y + at as f32 * height;
            if y > seen.y + seen.height {
                break;
            }
            let area = Rectangle { y, height, ..bounds };
            let Some(area) = area.intersection(&seen) else { continue };
            match row {
                Row::Head(words) => {
                    fill(renderer, area, tokens.raised);
                    let at = Point::new(bounds.x + space::M, y);
                    write(renderer, words, at, tokens.dim, area);
                }
                Row::Awaited => {
                    let at = Point::new(bounds.x + space::M, y);
                    write(renderer, "⋯", at, tokens.faint, area);
                }
                Row::One(half) => self.half(renderer, state, half, false, area, y),
                Row::Two(left, right) => {
                    let place = Rectangle { width: middle, ..area };
                    match left {
                        Some(half) => self.half(renderer, state, half, false, place, y),
                        None => fill(renderer, place, tokens.panel),
                    }
                    let width = bounds.width - middle;
                    let place = Rectangle { x: bounds.x + middle, width, ..area };
                    match right {
                        Some(half) => self.half(renderer, state, half, true, place, y),
                        None => fill(renderer, place, tokens.panel),
                    }
                }
            }
            match mark {
                Mark::None => {}
                Mark::Chosen => fill(renderer, area, Color { a: 0.10, ..tokens.accent }),
                Mark::Cursor => {
                    let a = if self.focused { 0.16 } else { 0.07 };
                    fill(renderer, area, Color { a, ..tokens.accent });
                    let ink = if self.focused { tokens.accent } else { tokens.strong };
                    fill(renderer, Rectangle { width: extent::BAR, ..area }, ink);
                }
            }
        }
        if split {
            let line = Rectangle { x: bounds.x + middle, width: extent::LINE, ..seen };
            fill(renderer, line, tokens.border);
        }
    }

    /// A line with its numbers and its sign.
    fn half(
        &self,
        renderer: &mut Renderer,
        state: &State,
        half: &Half,
        is_right: bool,
        area: Rectangle,
        y: f32,
    ) {
        let tokens = self.tokens;
        let (ink, sign) = match half.line.sign {
            Sign::Added => (tokens.green, Some("+")),
            Sign::Removed => (tokens.red, Some("−")),
            Sign::Gap | Sign::None => (tokens.faint, None),
        };
        if sign.is_some() {
            fill(renderer, area, Color { a: if tokens.dark { 0.09 } else { 0.07 }, ..ink });
        }
        let columns = if self.is_split() { 1 } else { 2 };
        let mut x = area.x + space::S;
        let digits = self.digits.max(2);
        let number = |number: Option<u32>| {
            number.map_or_else(|| " ".repeat(digits), |number| format!("{number:>digits$}"))
        };
        let words = match columns {
            1 => number(half.line.number.or(half.old)),
            _ => format!("{} {}", number(half.old), number(half.line.number)),
        };
        let faint = if sign.is_some() { ink } else { tokens.faint };
        write(renderer, &words, Point::new(x, y), faint, area);
        x += self.numbers(columns) + space::XS;
        if half.is_noted {
            let dot = Rectangle { x: x - space::XS, y: y + 5.0, width: 6.0, height: 6.0 };
            let quad = renderer::Quad {
                bounds: dot,
                border: iced::Border { radius: 3.0.into(), ..iced::Border::default() },
                ..renderer::Quad::default()
            };
            renderer.fill_quad(quad, Background::Color(tokens.accent));
        } else if let Some(sign) = sign {
            write(renderer, sign, Point::new(x, y), ink, area);
        }
        x += 2.0 * advance();
        let end = area.x + area.width - space::XS;
        let clip = Rectangle { x, width: (end - x).max(0.0), ..area };
        let Some(laid) = state.laid.get(&(half.key, is_right)) else { return };
        let at = Point::new(x - self.shift as f32 * advance(), y);
        for (span, behind) in &laid.behind {
            let color = match behind {
                Behind::Mark => Color { a: 0.28, ..ink },
                Behind::Found => Color { a: 0.38, ..tokens.accent },
            };
            for part in laid.text.span_bounds(*span) {
                let part = Rectangle { x: part.x + at.x, y: part.y + at.y, ..part };
                if let Some(part) = part.intersection(&clip) {
                    fill(renderer, part, color);
                }
            }
        }
        text::Renderer::fill_paragraph(renderer, &laid.text, at, tokens.text, clip);
    }
}

fn fill(renderer: &mut Renderer, bounds: Rectangle, color: Color) {
    let quad = renderer::Quad { bounds, ..renderer::Quad::default() };
    renderer.fill_quad(quad, Background::Color(color));
}

fn write(renderer: &mut Renderer, words: &str, at: Point, ink: Color, clip: Rectangle) {
    let words = code::styled(words.to_owned(), f32::INFINITY, text::Wrapping::None);
    let bounds = Size::new(clip.width.max(1.0), line_height());
    let words = text::Text { bounds, font: font::MONO, ..words };
    text::Renderer::fill_text(renderer, words, at, ink, clip);
}

impl<'a, Message: 'a> From<Diff<'a, Message>> for Element<'a, Message> {
    fn from(diff: Diff<'a, Message>) -> Self {
        Self::new(diff)
    }
}
