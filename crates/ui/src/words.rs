//! Words with looks of their own, in as many lines as they need: links that can be pressed, and text that
//! can be selected. The toolkit's rich text keeps where its words are to itself.

use std::sync::Arc;

use iced::advanced::text::{Alignment, Difference, Paragraph as _, Span};
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{
    Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, renderer, text,
};
use iced::{
    Background, Color, Element, Event, Font, Length, Pixels, Point, Rectangle, Renderer, Size,
    Theme, alignment,
};

use crate::font;
use crate::select::{self, JOINER, Laid, Paragraph, Seat};
use crate::theme::{Tokens, type_scale};

/// Words that look alike; a link has an address.
pub type Word = Span<'static, Arc<str>, Font>;

/// How far the mouse may move while a link is pressed.
const STILL: f32 = 4.0;

/// What is behind text that is selected.
pub(crate) fn selected(tokens: &Tokens) -> Color {
    Color { a: 0.35, ..tokens.accent }
}

/// Words in a number of lines.
#[expect(missing_debug_implementations, reason = "it has closures")]
pub struct Words<'a, Message> {
    tokens: &'static Tokens,
    words: Vec<Word>,
    step: type_scale::Step,
    ink: Color,
    align: Alignment,
    width: Length,
    on_link: Option<Box<dyn Fn(Arc<str>) -> Message + 'a>>,
    seat: Option<Seat>,
}

/// Words with a size and a line height. Those without a font have the window's.
#[must_use]
pub fn words<'a, Message>(
    tokens: &'static Tokens,
    words: Vec<Word>,
    step: type_scale::Step,
) -> Words<'a, Message> {
    Words {
        tokens,
        words: apart(words),
        step,
        ink: tokens.text,
        align: Alignment::Default,
        width: Length::Shrink,
        on_link: None,
        seat: None,
    }
}

impl<'a, Message> Words<'a, Message> {
    /// The colour of words that have none.
    #[must_use]
    pub fn ink(self, ink: Color) -> Self {
        Self { ink, ..self }
    }

    /// On which side lines begin.
    #[must_use]
    pub fn align(self, align: Alignment) -> Self {
        Self { align, ..self }
    }

    /// How wide it is.
    #[must_use]
    pub fn width(self, width: Length) -> Self {
        Self { width, ..self }
    }

    /// What is to be said when a link is pressed.
    #[must_use]
    pub fn on_link(self, on_link: impl Fn(Arc<str>) -> Message + 'a) -> Self {
        Self { on_link: Some(Box::new(on_link)), ..self }
    }

    /// Makes it a text that can be selected.
    #[must_use]
    pub fn seat(self, seat: Option<Seat>) -> Self {
        Self { seat, ..self }
    }

    /// A link at the mouse.
    fn link(&self, state: &State, layout: Layout<'_>, cursor: mouse::Cursor) -> Option<usize> {
        let _ = self.on_link.as_ref()?;
        let at = cursor.position_over(layout.bounds())?;
        let origin = origin(&state.paragraph, layout.bounds());
        let at = Point::new(at.x - origin.x, at.y - origin.y);
        let word = state.paragraph.hit_span(at)?;
        let _ = self.words.get(word)?.link.as_ref()?;
        // The nearest word is hit from anywhere in its line.
        state.paragraph.span_bounds(word).iter().any(|area| area.contains(at)).then_some(word)
    }
}

#[derive(Default)]
struct State {
    words: Vec<Word>,
    paragraph: Paragraph,
    hovered: Option<usize>,
    pressed: Option<(usize, Point)>,
}

/// Keeps a font from bleeding into what follows without a blank: a word of ASCII alone is shaped in the font
/// that it begins with (cosmic-text 0.15), so where the font changes within one, a joiner that nobody sees
/// makes it more than ASCII.
fn apart(mut words: Vec<Word>) -> Vec<Word> {
    let mut before: Option<(Option<Font>, bool)> = None;
    for word in &mut words {
        let joined = !word.text.starts_with(char::is_whitespace);
        if before.is_some_and(|(font, joins)| joins && joined && font != word.font) {
            word.text.to_mut().insert(0, JOINER);
        }
        before = Some((word.font, !word.text.ends_with(char::is_whitespace)));
    }
    words
}

/// Where the first line begins.
fn origin(paragraph: &Paragraph, bounds: Rectangle) -> Point {
    let size = paragraph.min_bounds();
    bounds.anchor(size, paragraph.align_x(), alignment::Vertical::Top)
}

fn fill(renderer: &mut Renderer, bounds: Rectangle, color: impl Into<Background>) {
    let quad = renderer::Quad { bounds, ..renderer::Quad::default() };
    renderer.fill_quad(quad, color);
}

impl<Message> Widget<Message, Theme, Renderer> for Words<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(self.width, Length::Shrink)
    }

    fn layout(&mut self, tree: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State>();
        layout::sized(limits, self.width, Length::Shrink, |limits| {
            let styled = |content| text::Text {
                content,
                bounds: limits.max(),
                size: Pixels(self.step.0),
                line_height: text::LineHeight::Absolute(Pixels(self.step.1)),
                font: font::REGULAR,
                align_x: self.align,
                align_y: alignment::Vertical::Top,
                shaping: text::Shaping::Advanced,
                wrapping: text::Wrapping::WordOrGlyph,
            };
            let fresh = styled(self.words.as_slice());
            if state.words != self.words {
                state.paragraph = Paragraph::with_spans(fresh);
                state.words.clone_from(&self.words);
            } else {
                match state.paragraph.compare(fresh.with_content(())) {
                    Difference::None => {}
                    Difference::Bounds => state.paragraph.resize(limits.max()),
                    Difference::Shape => state.paragraph = Paragraph::with_spans(fresh),
                }
            }
            state.paragraph.min_bounds()
        })
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
        let Event::Mouse(event) = event else { return };
        let state = tree.state.downcast_mut::<State>();
        match event {
            mouse::Event::CursorMoved { .. } | mouse::Event::CursorLeft => {
                let hovered = self.link(state, layout, cursor);
                if std::mem::replace(&mut state.hovered, hovered) != hovered {
                    shell.request_redraw();
                }
            }
            mouse::Event::ButtonPressed(mouse::Button::Left) => {
                state.pressed = self.link(state, layout, cursor).zip(cursor.position());
            }
            mouse::Event::ButtonReleased(mouse::Button::Left) => {
                let Some((word, from)) = state.pressed.take() else { return };
                // Whoever selects what a link says does not follow it.
                let still = cursor.position().is_some_and(|at| at.distance(from) <= STILL);
                let same = self.link(state, layout, cursor) == Some(word);
                let link = self.words.get(word).and_then(|word| word.link.clone());
                if let (Some(on_link), Some(link), true) = (&self.on_link, link, same && still) {
                    shell.publish(on_link(link));
                }
            }
            _ => {}
        }
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
        let (state, bounds) = (tree.state.downcast_ref::<State>(), layout.bounds());
        if !bounds.intersects(viewport) {
            return;
        }
        let at = origin(&state.paragraph, bounds);
        let moved = |area: &Rectangle| Rectangle { x: area.x + at.x, y: area.y + at.y, ..*area };
        let (size, height) = self.step;
        for (index, word) in self.words.iter().enumerate() {
            let link = state.hovered == Some(index);
            if word.highlight.is_none() && !word.underline && !word.strikethrough && !link {
                continue;
            }
            let color = word.color.unwrap_or(self.ink);
            let baseline = size + (height - size) / 2.0;
            for area in state.paragraph.span_bounds(index).iter().map(moved) {
                if let Some(highlight) = word.highlight {
                    let bounds = area.expand(word.padding);
                    let quad = renderer::Quad {
                        bounds,
                        border: highlight.border,
                        ..renderer::Quad::default()
                    };
                    renderer.fill_quad(quad, highlight.background);
                }
                let line = |y: f32| Rectangle { y: area.y + y, height: 1.0, ..area };
                if word.underline || link {
                    fill(renderer, line(baseline - size * 0.08), color);
                }
                if word.strikethrough {
                    fill(renderer, line(baseline - size / 2.0), color);
                }
            }
        }
        if let Some(range) = self.seat.as_ref().and_then(|seat| seat.selected(usize::MAX)) {
            for area in select::areas(&state.paragraph, &range) {
                fill(renderer, moved(&area), selected(self.tokens));
            }
        }
        text::Renderer::fill_paragraph(renderer, &state.paragraph, at, self.ink, *viewport);
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        _: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let text: String = self.words.iter().map(|word| word.text.as_ref()).collect();
        operation.text(None, layout.bounds(), &text.replace(JOINER, ""));
        let Some(seat) = &self.seat else { return };
        let bounds = layout.bounds();
        let at = origin(&state.paragraph, bounds);
        let row = select::Row {
            at: Point::new(at.x - bounds.x, at.y - bounds.y),
            height: bounds.height,
            length: select::shown(&state.paragraph).len(),
            text: state.paragraph.clone(),
            start: 0,
            beyond: 0,
        };
        operation.custom(None, bounds, &mut Laid { key: seat.key, rows: vec![row] });
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _: &Rectangle,
        _: &Renderer,
    ) -> mouse::Interaction {
        let state = tree.state.downcast_ref::<State>();
        if self.link(state, layout, cursor).is_some() {
            mouse::Interaction::Pointer
        } else if self.seat.is_some() && cursor.is_over(layout.bounds()) {
            mouse::Interaction::Text
        } else {
            mouse::Interaction::None
        }
    }
}

impl<'a, Message: 'a> From<Words<'a, Message>> for Element<'a, Message> {
    fn from(words: Words<'a, Message>) -> Self {
        Self::new(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_font_ends_where_its_words_end() {
        let word = |(face, text): (Font, &str)| Word::new(text.to_owned()).font(face);
        for (first, second, expected) in [
            ((font::MONO, "a.txt"), (font::REGULAR, ":1."), "\u{2060}:1."),
            ((font::MONO, "a.txt"), (font::REGULAR, " and"), " and"),
            ((font::REGULAR, "see "), (font::MONO, "a.txt"), "a.txt"),
            ((font::REGULAR, "a"), (font::REGULAR, "b"), "b"),
        ] {
            assert_eq!(apart(vec![word(first), word(second)])[1].text, expected);
        }
    }
}
