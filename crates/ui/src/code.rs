//! Lines of code, of a diff, of what a tool printed: with colours, numbers and marks, and long lines
//! wrapped. One widget draws many lines, and lays out only those that are others than before.

use std::ops::Range;
use std::sync::Arc;

use iced::advanced::text::{Paragraph as _, Span};
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Layout, Renderer as _, Widget, layout, mouse, renderer, text};
use iced::{
    Background, Color, Element, Length, Pixels, Point, Rectangle, Renderer, Size, Theme, alignment,
};

use crate::font;
use crate::select::{self, Laid, Seat};
use crate::theme::{Tokens, extent, space, type_scale};

/// Size and line height of code.
const STEP: type_scale::Step = type_scale::CODE;

/// The most characters of a line that are shown.
const LONGEST: usize = 4000;

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sign {
    /// Nothing.
    #[default]
    None,
    /// It was added.
    Added,
    /// It was removed.
    Removed,
    /// It is none: something is left out here.
    Gap,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// The text, without a line break.
    pub text: String,
    /// Its number.
    pub number: Option<u32>,
    /// What happened to it.
    pub sign: Sign,
    /// What parts of it are: byte ranges in order, without overlap.
    pub pieces: Vec<(Range<usize>, Ink)>,
    /// What differs from the line it was or became.
    pub marks: Vec<Range<usize>>,
    /// What is looked for.
    pub found: Vec<Range<usize>>,
}

/// The colour of a part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the colours")]
pub enum Ink {
    Dim,
    Faint,
    Blue,
    Green,
    Red,
    Purple,
    Orange,
    Cyan,
}

impl Ink {
    /// The colour, in a theme.
    #[must_use]
    pub fn color(self, tokens: &Tokens) -> Color {
        let [r, g, b] = tokens.terminal.ansi[6];
        match self {
            Self::Dim => tokens.dim,
            Self::Faint => tokens.faint,
            Self::Blue => tokens.blue,
            Self::Green => tokens.green,
            Self::Red => tokens.red,
            Self::Purple => tokens.purple,
            Self::Orange => tokens.orange,
            Self::Cyan => Color::from_rgb8(r, g, b),
        }
    }
}

/// Lines of code.
#[derive(Debug, Clone)]
pub struct Code {
    tokens: &'static Tokens,
    lines: Arc<[Line]>,
    /// Digits of the largest number; without numbers 0.
    digits: usize,
    signs: bool,
    ink: Option<Color>,
    seat: Option<Seat>,
}

/// Lines of code, with room for numbers of so many digits (0: none). A diff has a column for signs.
#[must_use]
pub fn code(tokens: &'static Tokens, lines: &Arc<[Line]>, digits: usize, signs: bool) -> Code {
    Code { tokens, lines: Arc::clone(lines), digits, signs, ink: None, seat: None }
}

impl Code {
    /// The colour of what has none of its own.
    #[must_use]
    pub fn ink(self, ink: Color) -> Self {
        Self { ink: Some(ink), ..self }
    }

    /// Makes the lines a text that can be selected, with a line break between them.
    #[must_use]
    pub fn seat(self, seat: Option<Seat>) -> Self {
        Self { seat, ..self }
    }

    /// What of each line is selected, with the line's number.
    fn selected(&self) -> Vec<(usize, Range<usize>)> {
        let Some(range) = self.seat.as_ref().and_then(|seat| seat.selected(usize::MAX)) else {
            return Vec::new();
        };
        let mut start = 0;
        let part = |(at, line): (usize, &Line)| {
            let (from, length) = (start, line.text.len());
            start += length + 1;
            let touched = range.start <= from + length && range.end > from;
            touched.then(|| (at, range.start.max(from) - from..(range.end - from).min(length)))
        };
        self.lines.iter().enumerate().filter_map(part).collect()
    }

    /// Where the text begins.
    fn gutter(&self) -> f32 {
        let numbers = if self.digits > 0 { (self.digits + 1) as f32 * advance() } else { 0.0 };
        let signs = if self.signs { 2.0 * advance() } else { 0.0 };
        space::M + numbers + signs
    }
}

/// The width of a character of code.
#[must_use]
pub fn advance() -> f32 {
    // JetBrains Mono's characters are 600 of 1000 units wide.
    STEP.0 * 0.6
}

/// The height of a line of code.
#[must_use]
pub fn line_height() -> f32 {
    STEP.1
}

type Paragraph = <Renderer as text::Renderer>::Paragraph;

/// A line as it is drawn.
struct Row {
    line: Line,
    y: f32,
    height: f32,
    text: Paragraph,
    number: Option<Paragraph>,
    /// Which spans have what behind them.
    behind: Vec<(usize, Behind)>,
}

/// What is behind a part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// It differs from the line it was or became.
    Mark,
    /// It is looked for.
    Found,
}

#[derive(Default)]
struct State {
    lines: Option<Arc<[Line]>>,
    key: (f32, usize, bool, &'static str, Option<Color>),
    rows: Vec<Row>,
    height: f32,
}

pub(crate) fn styled<T>(content: T, width: f32, wrapping: text::Wrapping) -> text::Text<T> {
    text::Text {
        content,
        bounds: Size::new(width, f32::INFINITY),
        size: Pixels(STEP.0),
        line_height: text::LineHeight::Absolute(Pixels(STEP.1)),
        font: font::MONO,
        align_x: text::Alignment::Default,
        align_y: alignment::Vertical::Top,
        shaping: text::Shaping::Advanced,
        wrapping,
    }
}

impl Code {
    fn row(&self, line: &Line, width: f32) -> Row {
        let (spans, behind) = self.spans(line);
        let content = styled(spans.as_slice(), width, text::Wrapping::Glyph);
        let text = Paragraph::with_spans::<()>(content);
        let height = text.min_bounds().height.max(STEP.1);
        let number = line.number.filter(|_| self.digits > 0).map(|number| {
            let words = format!("{number:>width$}", width = self.digits);
            Paragraph::with_text(styled(&words, f32::INFINITY, text::Wrapping::None))
        });
        Row { line: line.clone(), y: 0.0, height, text, number, behind }
    }

    /// A line cut wherever its colour or what is behind it changes.
    pub(crate) fn spans<'l>(&self, line: &'l Line) -> (Vec<Span<'l, ()>>, Vec<(usize, Behind)>) {
        let text = shown(&line.text);
        let mut cuts = vec![0, text.len()];
        let ranges = line.pieces.iter().map(|(range, _)| range);
        for range in ranges.chain(&line.marks).chain(&line.found) {
            cuts.extend([range.start, range.end]);
        }
        cuts.retain(|at| *at <= text.len() && text.is_char_boundary(*at));
        cuts.sort_unstable();
        cuts.dedup();
        let (mut spans, mut behind) = (Vec::new(), Vec::new());
        let plain = match line.sign {
            Sign::Gap => self.tokens.faint,
            _ => self.ink.unwrap_or(self.tokens.text),
        };
        for pair in cuts.windows(2) {
            let within = |range: &Range<usize>| range.start <= pair[0] && pair[1] <= range.end;
            let ink = line.pieces.iter().find(|(range, _)| within(range));
            let color = ink.map_or(plain, |(_, ink)| ink.color(self.tokens));
            if line.found.iter().any(within) {
                behind.push((spans.len(), Behind::Found));
            } else if line.marks.iter().any(within) {
                behind.push((spans.len(), Behind::Mark));
            }
            spans.push(Span::new(&text[pair[0]..pair[1]]).color(color));
        }
        let left = line.text[text.len()..].chars().count();
        if left > 0 {
            spans.push(Span::new(format!(" … {left} more characters")).color(self.tokens.faint));
        }
        (spans, behind)
    }
}

/// The beginning of a line that is longer than anybody reads.
fn shown(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

impl<Message> Widget<Message, Theme, Renderer> for Code {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Shrink)
    }

    fn layout(&mut self, tree: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State>();
        let width = limits.max().width;
        let key = (width, self.digits, self.signs, self.tokens.name, self.ink);
        let same = state.lines.as_ref().is_some_and(|lines| Arc::ptr_eq(lines, &self.lines));
        if !same || state.key != key {
            let room = (width - self.gutter() - space::M).max(advance());
            let keep = state.key == key;
            let mut old = std::mem::take(&mut state.rows).into_iter();
            let mut y = 0.0;
            for line in self.lines.iter() {
                let known = old.next().filter(|row| keep && row.line == *line);
                let mut row = known.unwrap_or_else(|| self.row(line, room));
                row.y = y;
                y += row.height;
                state.rows.push(row);
            }
            (state.key, state.height) = (key, y);
            state.lines = Some(Arc::clone(&self.lines));
        }
        layout::Node::new(Size::new(width, state.height))
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
        let (bounds, tokens) = (layout.bounds(), self.tokens);
        let gutter = self.gutter();
        let selected = self.selected();
        let fill = |renderer: &mut Renderer, bounds: Rectangle, color: Color| {
            let quad = renderer::Quad { bounds, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(color));
        };
        for (number, row) in state.rows.iter().enumerate() {
            let area = Rectangle { y: bounds.y + row.y, height: row.height, ..bounds };
            if area.y + area.height < viewport.y || area.y > viewport.y + viewport.height {
                continue;
            }
            let (ink, sign) = match row.line.sign {
                Sign::Added => (tokens.green, Some("+")),
                Sign::Removed => (tokens.red, Some("−")),
                Sign::Gap | Sign::None => (tokens.faint, None),
            };
            if sign.is_some() {
                fill(renderer, area, Color { a: if tokens.dark { 0.09 } else { 0.07 }, ..ink });
            }
            if row.line.sign == Sign::Gap {
                fill(renderer, area, tokens.raised);
            }
            let at = Point::new(bounds.x + gutter, area.y);
            for (span, behind) in &row.behind {
                let color = match behind {
                    Behind::Mark => Color { a: 0.28, ..ink },
                    Behind::Found => Color { a: 0.38, ..tokens.accent },
                };
                for part in row.text.span_bounds(*span) {
                    let part = Rectangle { x: part.x + at.x, y: part.y + at.y, ..part };
                    fill(renderer, part, color);
                }
            }
            let part = selected.iter().find(|(line, _)| *line == number).map(|(_, part)| part);
            for area in part.into_iter().flat_map(|part| select::areas(&row.text, part)) {
                let area = Rectangle { x: area.x + at.x, y: area.y + at.y, ..area };
                fill(renderer, area, crate::words::selected(tokens));
            }
            if let Some(number) = &row.number {
                let at = Point::new(bounds.x + space::M, area.y);
                let ink = if sign.is_some() { ink } else { tokens.faint };
                text::Renderer::fill_paragraph(renderer, number, at, ink, *viewport);
            }
            if let Some(sign) = sign.filter(|_| self.signs) {
                let words = styled(sign.to_owned(), f32::INFINITY, text::Wrapping::None);
                let words = text::Text { bounds: Size::new(2.0 * advance(), STEP.1), ..words };
                let at = Point::new(at.x - 2.0 * advance(), at.y);
                text::Renderer::fill_text(renderer, words, at, ink, *viewport);
            }
            let ink = self.ink.unwrap_or(tokens.text);
            text::Renderer::fill_paragraph(renderer, &row.text, at, ink, *viewport);
        }
        if self.digits > 0 && self.signs {
            let line = Rectangle {
                x: bounds.x + gutter - 2.0 * advance() - space::XS,
                width: extent::LINE,
                ..bounds
            };
            if let Some(line) = line.intersection(viewport) {
                fill(renderer, line, Color { a: 0.6, ..tokens.border });
            }
        }
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        _: &Renderer,
        operation: &mut dyn Operation,
    ) {
        for line in self.lines.iter() {
            operation.text(None, layout.bounds(), &line.text);
        }
        let Some(seat) = &self.seat else { return };
        let state = tree.state.downcast_ref::<State>();
        let gutter = self.gutter();
        let mut start = 0;
        let row = |row: &Row| {
            let length = shown(&row.line.text).len();
            let from = start;
            start += row.line.text.len() + 1;
            select::Row {
                at: Point::new(gutter, row.y),
                height: row.height,
                text: row.text.clone(),
                start: from,
                length,
                beyond: row.line.text.len() - length,
            }
        };
        let rows = state.rows.iter().map(row).collect();
        operation.custom(None, layout.bounds(), &mut Laid { key: seat.key, rows });
    }

    fn mouse_interaction(
        &self,
        _: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _: &Rectangle,
        _: &Renderer,
    ) -> mouse::Interaction {
        if self.seat.is_some() && cursor.is_over(layout.bounds()) {
            mouse::Interaction::Text
        } else {
            mouse::Interaction::None
        }
    }
}

impl<'a, Message: 'a> From<Code> for Element<'a, Message> {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}
