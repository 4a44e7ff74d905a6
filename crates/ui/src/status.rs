//! How an agent's state looks: a shape first, a colour second, and a working arc that turns by itself.

use std::time::Instant;

use iced::advanced::widget::{Tree, tree};
use iced::advanced::{Layout, Shell, Widget, layout, mouse, renderer, text};
use iced::{Color, Element, Event, Length, Point, Rectangle, Size, alignment, window};
use maestro_core::agent::State;
use maestro_core::run::TaskState;

use crate::font;
use crate::icon::{ARC_STEPS, Icon, icon};
use crate::theme::{Tokens, duration};

/// The shape and colour of an agent's state.
#[must_use]
pub fn of_agent(tokens: &Tokens, state: State) -> (Icon, Color) {
    match state {
        State::Working => (Icon::Arc(0), tokens.blue),
        State::NeedsYou => (Icon::Diamond, tokens.accent),
        State::Limited => (Icon::Clock, tokens.purple),
        State::Failed => (Icon::Failed, tokens.red),
        State::Done => (Icon::Check, tokens.green),
        State::Idle => (Icon::Ring, tokens.faint),
        State::Resumable => (Icon::Resume, tokens.blue),
        State::Unknown => (Icon::DashedRing, tokens.faint),
    }
}

/// The shape and colour of a task of a run.
#[must_use]
pub fn of_task(tokens: &Tokens, state: TaskState) -> (Icon, Color) {
    match state {
        TaskState::Working | TaskState::Verifying | TaskState::Committing => {
            (Icon::Arc(0), tokens.blue)
        }
        TaskState::Skipped | TaskState::Undone => (Icon::Ring, tokens.faint),
        TaskState::Done => (Icon::Check, tokens.green),
        TaskState::Failed => (Icon::Failed, tokens.red),
    }
}

/// The glyph of a state. `turning` lets a working arc turn: pass whether the window is looked at.
pub fn glyph<'a, Message: 'a>(
    tokens: &'static Tokens,
    (shape, color): (Icon, Color),
    side: f32,
    turning: bool,
) -> Element<'a, Message> {
    match shape {
        Icon::Arc(_) => Element::new(Arc { side, color, track: tokens.strong, turning }),
        shape => icon(shape, side, color),
    }
}

/// The working arc. It asks for its next frame itself, so that no message is sent and no view built.
#[derive(Debug)]
struct Arc {
    side: f32,
    color: Color,
    track: Color,
    turning: bool,
}

#[derive(Debug)]
struct Turn {
    since: Instant,
    step: u8,
}

impl Turn {
    fn step_at(&self, now: Instant) -> u8 {
        let steps = now.saturating_duration_since(self.since).as_millis()
            / duration::ARC_STEP.as_millis().max(1);
        (steps % u128::from(ARC_STEPS)) as u8
    }
}

impl<Message, Theme, Renderer> Widget<Message, Theme, Renderer> for Arc
where
    Renderer: text::Renderer<Font = iced::Font>,
{
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<Turn>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(Turn { since: Instant::now(), step: 0 })
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fixed(self.side), Length::Fixed(self.side))
    }

    fn layout(&mut self, _: &mut Tree, _: &Renderer, _: &layout::Limits) -> layout::Node {
        layout::Node::new(Size::new(self.side, self.side))
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        _layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _renderer: &Renderer,
        _clipboard: &mut dyn iced::advanced::Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        if let Event::Window(window::Event::RedrawRequested(now)) = event
            && self.turning
        {
            let turn = tree.state.downcast_mut::<Turn>();
            turn.step = turn.step_at(*now);
            shell.request_redraw_at(*now + duration::ARC_STEP);
        }
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
        let step = tree.state.downcast_ref::<Turn>().step;
        for (shape, color) in [(Icon::Track, self.track), (Icon::Arc(step), self.color)] {
            draw_shape(renderer, shape, self.side, layout.position(), color, viewport);
        }
    }
}

fn draw_shape<Renderer: text::Renderer<Font = iced::Font>>(
    renderer: &mut Renderer,
    shape: Icon,
    side: f32,
    position: Point,
    color: Color,
    viewport: &Rectangle,
) {
    let text = text::Text {
        content: shape.character().to_string(),
        bounds: Size::new(side, side),
        size: side.into(),
        line_height: text::LineHeight::Relative(1.0),
        font: font::ICONS,
        align_x: text::Alignment::Default,
        align_y: alignment::Vertical::Top,
        shaping: text::Shaping::Basic,
        wrapping: text::Wrapping::None,
    };
    renderer.fill_text(text, position, color, *viewport);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::theme::NOCTURNE;

    #[test]
    fn every_state_has_its_own_shape() {
        let states = [
            State::Working,
            State::NeedsYou,
            State::Limited,
            State::Failed,
            State::Done,
            State::Idle,
            State::Resumable,
            State::Unknown,
        ];
        let shapes: HashSet<_> =
            states.into_iter().map(|state| of_agent(&NOCTURNE, state).0.character()).collect();
        assert_eq!(shapes.len(), states.len());
    }

    #[test]
    fn the_arc_turns_at_most_ten_times_a_second() {
        assert!(duration::ARC_STEP >= Duration::from_millis(100));
        let since = Instant::now();
        let turn = Turn { since, step: 0 };
        assert_eq!(turn.step_at(since), 0);
        assert_eq!(turn.step_at(since + duration::ARC_STEP * 13), 1);
    }
}
