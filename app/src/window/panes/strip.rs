//! The strip below the panes: those for which there is no place, by their names.

use iced::widget::{button, row};
use iced::{Alignment, Element, Length};
use maestro_core::agent::State;
use maestro_core::text;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{extent, radius, space, type_scale};
use maestro_ui::{font, line, status, style};

use super::{Context, Message, Pane};
use crate::window::model::Model;

/// How high it is.
pub const HEIGHT: f32 = 28.0;

/// How wide a name is at most, and with what the word for all that follow does with.
const WIDTH: f32 = 168.0;
const MORE: f32 = 64.0;

/// The names of panes, those first that need the user.
pub fn view<'a>(
    model: &'a Model,
    panes: &[Pane],
    width: f32,
    context: Context<'a>,
) -> Element<'a, Message> {
    let (waiting, others): (Vec<Pane>, Vec<Pane>) =
        panes.iter().partition(|pane| needs_you(model, **pane));
    let shown = fitting(panes.len(), width);
    let left = panes.len() - shown;
    let more = (left > 0)
        .then(|| line(format!("+ {left}"), type_scale::SMALL, font::REGULAR, context.tokens.dim));
    let names = waiting.into_iter().chain(others).take(shown);
    row(names.map(|pane| name(model, pane, context)))
        .push(more)
        .spacing(space::XS)
        .height(HEIGHT)
        .align_y(Alignment::Center)
        .into()
}

fn needs_you(model: &Model, pane: Pane) -> bool {
    match pane {
        Pane::Agent(id) => {
            model.agent(id).is_some_and(|agent| agent.attention.state == State::NeedsYou)
        }
        Pane::Terminal(_) => false,
    }
}

/// How many of `count` names there is room for.
fn fitting(count: usize, width: f32) -> usize {
    let room = |width: f32| ((width + space::XS) / (WIDTH + space::XS)).floor().max(0.0) as usize;
    if room(width) >= count { count } else { room(width - MORE).min(count) }
}

fn name<'a>(model: &'a Model, pane: Pane, context: Context<'a>) -> Element<'a, Message> {
    let tokens = context.tokens;
    let (glyph, name, waits) = match pane {
        Pane::Agent(id) => {
            let agent = model.agent(id);
            let state = agent.map_or(State::Unknown, |agent| agent.attention.state);
            let shape = status::of_agent(tokens, state);
            let glyph = status::glyph(tokens, shape, extent::GLYPH, context.turning);
            let name = agent.map(|agent| agent.name.clone()).unwrap_or_default();
            (glyph, name, state == State::NeedsYou)
        }
        Pane::Terminal(id) => {
            let title = model.terminals.get(&id).map(|info| info.title.as_str());
            let glyph = icon(Icon::Shell, extent::GLYPH, tokens.dim);
            (glyph, title.unwrap_or_default().to_owned(), false)
        }
    };
    let (ink, edge) =
        if waits { (tokens.text, tokens.accent) } else { (tokens.dim, tokens.border) };
    let name = line(text::clean(&name, 60), type_scale::SMALL, font::REGULAR, ink).fill();
    let content = row![glyph, name].spacing(space::S).align_y(Alignment::Center);
    button(content.height(Length::Fill))
        .padding([0.0, space::S])
        .width(WIDTH)
        .height(HEIGHT)
        .on_press(Message::Focused(pane))
        .style(move |_, status| {
            let fill = match status {
                button::Status::Hovered | button::Status::Pressed => tokens.raised,
                button::Status::Active | button::Status::Disabled => tokens.panel,
            };
            let look = style::bordered(fill, edge, radius::CARD);
            button::Style { background: look.background, border: look.border, ..Default::default() }
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_have_no_room_are_counted() {
        for (count, width, expected) in
            [(3, 600.0, 3), (4, 600.0, 3), (30, 1177.0, 6), (1, 100.0, 0), (200, 0.0, 0)]
        {
            assert_eq!(fitting(count, width), expected, "{count} in {width}");
        }
    }
}
