//! A short line in an outline that reads what it says when it is drawn: for what changes with every
//! frame of a terminal, of which the window hears nothing.

use iced::advanced::text::Paragraph as _;
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{
    Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, renderer, text,
};
use iced::{
    Background, Border, Color, Element, Event, Length, Point, Rectangle, Renderer, Size, Theme,
    alignment, window,
};

use crate::font;
use crate::theme::{Tokens, extent, space, type_scale};

/// Inside the outline, at the left and at the right.
const PADDING: f32 = space::S;

/// Between the outline and what stands before it. Nothing is there while nothing is shown.
const GAP: f32 = space::S;

/// The outline in the place of the whole.
fn outline(bounds: Rectangle) -> Rectangle {
    let gap = GAP.min(bounds.width);
    Rectangle { x: bounds.x + gap, width: bounds.width - gap, ..bounds }
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The words.
    pub words: String,
    /// Whether it wants the eye.
    pub loud: bool,
}

/// Shows what `read` and `say` make of the moment, or nothing. `read` is called for every frame and has
/// to be quick; `say` only when what was read changed. A press yields the message.
pub fn live<'a, K, Message>(
    tokens: &'static Tokens,
    read: impl Fn() -> K + 'a,
    say: impl Fn(K) -> Option<Said> + 'a,
    on_press: Option<Message>,
) -> Element<'a, Message>
where
    K: Copy + PartialEq + 'static,
    Message: Clone + 'a,
{
    Element::new(Live { tokens, read, say, on_press })
}

struct Live<R, S, Message> {
    tokens: &'static Tokens,
    read: R,
    say: S,
    on_press: Option<Message>,
}

type Paragraph = <Renderer as text::Renderer>::Paragraph;

struct State<K> {
    key: Option<K>,
    said: Option<Said>,
    paragraph: Paragraph,
}

impl<R, S, Message> Live<R, S, Message> {
    /// Brings the state up to date; tells whether anything changed.
    fn look<K>(&self, state: &mut State<K>) -> bool
    where
        R: Fn() -> K,
        S: Fn(K) -> Option<Said>,
        K: Copy + PartialEq,
    {
        let key = (self.read)();
        if state.key == Some(key) {
            return false;
        }
        state.key = Some(key);
        let said = (self.say)(key);
        if said == state.said {
            return false;
        }
        state.said = said;
        true
    }
}

impl<K, R, S, Message> Widget<Message, Theme, Renderer> for Live<R, S, Message>
where
    K: Copy + PartialEq + 'static,
    R: Fn() -> K,
    S: Fn(K) -> Option<Said>,
    Message: Clone,
{
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State<K>>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::<K> { key: None, said: None, paragraph: Paragraph::default() })
    }

    fn diff(&self, tree: &mut Tree) {
        // What is said may depend on what the view was built from, too.
        tree.state.downcast_mut::<State<K>>().key = None;
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Shrink, Length::Shrink)
    }

    fn layout(&mut self, tree: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State<K>>();
        let _ = self.look(state);
        let Some(said) = &state.said else { return layout::Node::new(Size::ZERO) };
        let (size, height) = type_scale::SMALL;
        let room = (limits.max().width - GAP - 2.0 * PADDING).max(0.0);
        let measure = |content: &str| {
            Paragraph::with_text(text::Text {
                content,
                bounds: Size::INFINITE,
                size: size.into(),
                line_height: text::LineHeight::Absolute(height.into()),
                font: font::REGULAR,
                align_x: text::Alignment::Default,
                align_y: alignment::Vertical::Top,
                shaping: text::Shaping::Advanced,
                wrapping: text::Wrapping::None,
            })
        };
        let fits = |content: &str| measure(content).min_bounds().width <= room;
        state.paragraph = if fits(&said.words) {
            measure(&said.words)
        } else {
            measure(&crate::line::shortened(&said.words, fits))
        };
        let width = state.paragraph.min_bounds().width.ceil().min(room) + GAP + 2.0 * PADDING;
        layout::Node::new(Size::new(width, height + 2.0 * extent::LINE))
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
        let state = tree.state.downcast_mut::<State<K>>();
        match event {
            Event::Window(window::Event::RedrawRequested(_)) if self.look(state) => {
                shell.invalidate_layout();
            }
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => {
                let over = state.said.is_some() && cursor.is_over(outline(layout.bounds()));
                if let Some(message) = self.on_press.as_ref().filter(|_| over) {
                    shell.publish(message.clone());
                    shell.capture_event();
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
        let state = tree.state.downcast_ref::<State<K>>();
        let Some(said) = &state.said else { return };
        let tokens = self.tokens;
        let bounds = outline(layout.bounds());
        let (ink, edge, fill): (Color, Color, Color) = if said.loud {
            (tokens.text, tokens.accent, tokens.accent_background)
        } else {
            (tokens.dim, tokens.strong, tokens.raised)
        };
        let border =
            Border { color: edge, width: extent::LINE, radius: (bounds.height / 2.0).into() };
        let quad = renderer::Quad { bounds, border, ..renderer::Quad::default() };
        let at = Point::new(bounds.x + PADDING, bounds.y + extent::LINE);
        // What is drawn by a pipeline of its own lies over everything else in a layer.
        renderer.with_layer(bounds, |renderer| {
            renderer.fill_quad(quad, Background::Color(fill));
            text::Renderer::fill_paragraph(renderer, &state.paragraph, at, ink, *viewport);
        });
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _: &Rectangle,
        _: &Renderer,
    ) -> mouse::Interaction {
        let shown = tree.state.downcast_ref::<State<K>>().said.is_some();
        if shown && self.on_press.is_some() && cursor.is_over(outline(layout.bounds())) {
            mouse::Interaction::Pointer
        } else {
            mouse::Interaction::None
        }
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        _: &Renderer,
        operation: &mut dyn Operation,
    ) {
        let state = tree.state.downcast_ref::<State<K>>();
        if let Some(said) = &state.said {
            operation.text(None, layout.bounds(), &said.words);
        }
    }
}
