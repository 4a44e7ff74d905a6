//! One line of text that ends in an ellipsis where it does not fit: names and branches are longer than
//! any panel, and a row that wraps moves everything under it.

use iced::advanced::text::Paragraph as _;
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Layout, Widget, layout, mouse, renderer, text};
use iced::{Color, Element, Font, Length, Rectangle, Size, alignment};

use maestro_core::text::{clean, is_plain};

use crate::pseudo;
use crate::theme::type_scale::Step;

/// One line of text, as wide as it is, or as the place allows.
#[derive(Debug, Clone)]
pub struct Line {
    content: String,
    short: Option<String>,
    step: Step,
    font: Font,
    color: Color,
    width: Length,
}

/// The most characters of a text with something harmful in it that are shown.
const LONGEST: usize = 4096;

/// One line of text. What would move or hide what stands beside it is left out, wherever the text is from.
#[must_use]
pub fn line(content: impl Into<String>, step: Step, font: Font, color: Color) -> Line {
    let content = content.into();
    let content = if is_plain(&content) { content } else { clean(&content, LONGEST) };
    let content = pseudo::words(content.into()).into_owned();
    Line { content, short: None, step, font, color, width: Length::Shrink }
}

impl Line {
    /// Takes all the width there is.
    #[must_use]
    pub fn fill(self) -> Self {
        Self { width: Length::Fill, ..self }
    }

    /// What is shown instead where the whole does not fit.
    #[must_use]
    pub fn or(self, short: Option<String>) -> Self {
        let short = short.map(|short| pseudo::words(short.into()).into_owned());
        Self { short, ..self }
    }

    fn text<'a>(&self, content: &'a str) -> text::Text<&'a str> {
        let (size, line_height) = self.step;
        text::Text {
            content,
            bounds: Size::INFINITE,
            size: size.into(),
            line_height: text::LineHeight::Absolute(line_height.into()),
            font: self.font,
            align_x: text::Alignment::Default,
            align_y: alignment::Vertical::Top,
            shaping: text::Shaping::Advanced,
            wrapping: text::Wrapping::None,
        }
    }
}

/// What was measured, kept as long as text and width stay the same.
struct State<P> {
    content: String,
    short: Option<String>,
    key: (Step, Font),
    width: f32,
    paragraph: P,
}

impl<Message, Theme, Renderer> Widget<Message, Theme, Renderer> for Line
where
    Renderer: text::Renderer<Font = Font>,
{
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State<Renderer::Paragraph>>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State {
            content: String::new(),
            short: None,
            key: (self.step, self.font),
            width: -1.0,
            paragraph: Renderer::Paragraph::default(),
        })
    }

    fn size(&self) -> Size<Length> {
        Size::new(self.width, Length::Fixed(self.step.1))
    }

    fn layout(&mut self, tree: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State<Renderer::Paragraph>>();
        let width = limits.max().width;
        let key = (self.step, self.font);
        let same = state.content == self.content && state.short == self.short;
        if state.width != width || state.key != key || !same {
            let measure = |text: &str| Renderer::Paragraph::with_text(self.text(text));
            let whole = measure(&self.content);
            state.paragraph = if whole.min_bounds().width <= width {
                whole
            } else {
                let fits = |text: &str| measure(text).min_bounds().width <= width;
                measure(&fitting(&self.content, self.short.as_deref(), fits))
            };
            state.content.clone_from(&self.content);
            state.short.clone_from(&self.short);
            (state.key, state.width) = (key, width);
        }
        let size = Size::new(state.paragraph.min_bounds().width.ceil(), self.step.1);
        layout::Node::new(limits.resolve(self.width, Length::Fixed(self.step.1), size))
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        _theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State<Renderer::Paragraph>>();
        renderer.fill_paragraph(&state.paragraph, layout.position(), self.color, *viewport);
    }

    fn operate(
        &mut self,
        _tree: &mut Tree,
        layout: Layout<'_>,
        _renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        operation.text(None, layout.bounds(), &self.content);
    }
}

/// What is shown of a text that does not fit.
fn fitting(text: &str, short: Option<&str>, fits: impl Fn(&str) -> bool) -> String {
    match short {
        Some(short) if fits(short) => short.to_owned(),
        Some(short) => shortened(short, fits),
        None => shortened(text, fits),
    }
}

/// The longest beginning of a text that fits with an ellipsis after it.
pub(crate) fn shortened(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let candidate = |end: usize| format!("{}…", text[..end].trim_end());
    let kept = ends.partition_point(|end| fits(&candidate(*end)));
    ends.get(kept.saturating_sub(1)).map_or_else(|| "…".to_owned(), |end| candidate(*end))
}

impl<'a, Message: 'a> From<Line> for Element<'a, Message> {
    fn from(line: Line) -> Self {
        Self::new(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_text_stands_in_for_one_that_does_not_fit() {
        let fits = |text: &str| text.chars().count() <= 12;
        assert_eq!(fitting("docs/a · it is done", Some("it is done"), fits), "it is done");
        assert_eq!(
            fitting("docs/a · ended by itself", Some("ended by itself"), fits),
            "ended by it…"
        );
        assert_eq!(fitting("docs/a · it is done", None, fits), "docs/a · it…");
    }

    fn check(text: &str, width: usize, expected: &str) {
        assert_eq!(shortened(text, |text| text.chars().count() <= width), expected);
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        check("feat/preferences", 8, "feat/pr…");
        check("two words", 5, "two…");
        check("größe überall", 4, "grö…");
        check("abc", 0, "…");
    }
}
