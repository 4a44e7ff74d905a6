//! The bar at the top and the line at the bottom.

use std::collections::BTreeSet;

use iced::widget::{Row, button, container, row, stack};
use iced::{Alignment, Background, Border, Color, Element, Length};
use maestro_core::AgentId;
use maestro_core::agent::{Agent, State};
use maestro_core::command::Id;
use maestro_core::keymap::Keymap;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::model::{self, Model};
use super::panes::Side;
use super::runs;

/// How wide the field in the bar at the top is, where there is place.
const SEARCH: f32 = 360.0;

/// From this width of the window on, the field stands in its middle.
const WIDE: f32 = 840.0;

/// From this width on, the line at the bottom has place for a run beside a conversation and its keys.
const ROOMY: f32 = 1180.0;

/// The bar at the top: the name, the way to everything, what needs the user.
pub fn top<'a, M: Clone + 'a>(
    model: &Model,
    tokens: &'static Tokens,
    keymap: &Keymap,
    width: f32,
    on_search: M,
    on_waiting: M,
    on_notices: M,
) -> Element<'a, M> {
    let (waiting, working) = (model.count(State::NeedsYou), model.count(State::Working));
    let mut pills = Row::new().spacing(space::S).align_y(Alignment::Center);
    if waiting > 0 {
        let words =
            if waiting == 1 { "1 needs you".to_owned() } else { format!("{waiting} need you") };
        let pill = part::pill(tokens, words, true);
        pills = pills.push(iced::widget::mouse_area(pill).on_press(on_waiting));
    }
    if working > 0 {
        pills = pills.push(part::pill(tokens, format!("{working} working"), false));
    }
    let unread = model.notices.unread();
    if unread > 0 {
        let bell = icon(Icon::Bell, extent::GLYPH, tokens.dim);
        let count = line(unread.to_string(), type_scale::SMALL, font::MEDIUM, tokens.dim);
        let mark = row![bell, count].spacing(space::XS).align_y(Alignment::Center);
        pills = pills.push(iced::widget::mouse_area(mark).on_press(on_notices));
    }
    let name = line("Maestro", type_scale::LARGE, font::SEMIBOLD, tokens.text);
    let search = search(tokens, keymap, on_search);
    let content: Element<'a, M> = if width < WIDE {
        // Beside each other: in the middle it would lie on what needs the user.
        let search = container(search).max_width(SEARCH).center_x(Length::Fill);
        row![name, container(search).center_x(Length::Fill), pills]
            .spacing(space::L)
            .align_y(Alignment::Center)
            .height(Length::Fill)
            .into()
    } else {
        let between = line("", type_scale::BASE, font::REGULAR, tokens.dim).fill();
        let sides = row![name, between, pills].align_y(Alignment::Center).height(Length::Fill);
        let search = container(container(search).width(SEARCH)).center(Length::Fill);
        stack![sides, search].into()
    };
    container(content)
        .padding([0.0, space::M])
        .height(extent::TOP_BAR)
        .width(Length::Fill)
        .style(move |_| style::surface(tokens.panel))
        .into()
}

fn search<'a, M: Clone + 'a>(
    tokens: &'static Tokens,
    keymap: &Keymap,
    on_press: M,
) -> Element<'a, M> {
    let content = row![
        line("Run a command, go to an agent…", type_scale::BASE, font::REGULAR, tokens.faint)
            .fill()
    ]
    .push(keymap.title(Id::Palette).map(|chord| part::chord(tokens, &chord)))
    .align_y(Alignment::Center)
    .height(Length::Fill);
    button(content)
        .padding([0.0, 10.0])
        .width(Length::Fill)
        .height(26.0)
        .style(move |_, status| {
            let hovered = matches!(status, button::Status::Hovered | button::Status::Pressed);
            let line = if hovered { tokens.strong } else { tokens.border };
            button::Style {
                background: Some(Background::Color(tokens.raised)),
                text_color: tokens.dim,
                border: Border { color: line, width: extent::LINE, radius: radius::BUTTON.into() },
                ..button::Style::default()
            }
        })
        .on_press(on_press)
        .into()
}

/// With whom the work of the agent conflicts, or else how many pairs conflict at all.
fn collisions(model: &Model, agent: Option<AgentId>) -> Option<String> {
    let own = agent.and_then(|agent| model.collisions.get(&agent)).filter(|met| !met.is_empty());
    if let Some(met) = own {
        let first = maestro_core::text::clean(&met[0].with, 60);
        return Some(match met.len() {
            1 => format!("conflicts with {first}"),
            count => format!("conflicts with {first} and {} more", count - 1),
        });
    }
    let mut pairs = BTreeSet::new();
    for (agent, met) in &model.collisions {
        for one in met {
            match one.agents.as_slice() {
                [] => {
                    let _ = pairs.insert((agent.0, 0, one.with.as_str()));
                }
                // Both sides tell of the same pair.
                others => pairs.extend(
                    others.iter().map(|other| (agent.0.min(other.0), agent.0.max(other.0), "")),
                ),
            }
        }
    }
    (!pairs.is_empty()).then(|| format!("conflicts {}", pairs.len()))
}

/// What the status bar is about.
#[derive(Debug, Clone, Copy)]
pub struct Status<'a> {
    /// The agent whose pane has the keyboard.
    pub agent: Option<(&'a Agent, Side)>,
    /// What is wrong with the connection.
    pub trouble: Option<&'a str>,
    /// How many panes hear what is typed, where there are several.
    pub hearing: usize,
    /// Whether one pane is shown alone.
    pub maximised: bool,
    /// How wide the window is.
    pub width: f32,
}

/// The line at the bottom: where one is, what goes on, which keys help.
pub fn bottom<'a, M: Clone + 'a>(
    model: &Model,
    tokens: &'static Tokens,
    keymap: &Keymap,
    about: Status<'_>,
    on_conflicts: M,
) -> Element<'a, M> {
    let words = |text: String, ink: Color| line(text, type_scale::SMALL, font::REGULAR, ink);
    let mut left = Row::new().spacing(space::L).align_y(Alignment::Center);
    if let Some(trouble) = about.trouble {
        let glyph = icon(Icon::Warning, 12.0, tokens.red);
        let trouble = words(trouble.to_owned(), tokens.red);
        left = left.push(row![glyph, trouble].spacing(6.0).align_y(Alignment::Center));
    }
    if about.hearing > 0 {
        let chord = keymap.title(Id::BroadcastEnd).map(|chord| part::chord(tokens, &chord));
        let heard = words(format!("Typing goes to {} panes", about.hearing), tokens.orange);
        let glyph = icon(Icon::Warning, 12.0, tokens.orange);
        let told = row![glyph, heard].push(chord).spacing(6.0);
        left = left.push(told.align_y(Alignment::Center));
    }
    if let Some((agent, side)) = about.agent {
        let (shape, color) = status::of_agent(tokens, agent.attention.state);
        let glyph = status::glyph(tokens, (shape, color), 12.0, false);
        let name = line(&*agent.name, type_scale::SMALL, font::MEDIUM, tokens.text);
        left = left.push(row![glyph, name].spacing(6.0).align_y(Alignment::Center));
        let side = match side {
            Side::Agent => "AI terminal",
            Side::Shell => "Shell",
            Side::Conversation(_) => "Conversation",
        };
        left = left.push(words(side.to_owned(), tokens.dim));
        left = left.push(agent.branch.clone().map(|branch| words(branch, tokens.dim)));
    }
    if let Some(met) = collisions(model, about.agent.map(|(agent, _)| agent.id)) {
        let glyph = icon(Icon::Warning, 12.0, tokens.orange);
        let mark = row![glyph, words(met, tokens.orange)].spacing(6.0).align_y(Alignment::Center);
        left = left.push(iced::widget::mouse_area(mark).on_press(on_conflicts));
    }
    if about.maximised {
        left = left.push(words("maximised".to_owned(), tokens.accent));
    }
    // Half a name says nothing: the run has a panel and a page, too.
    let talks = matches!(about.agent, Some((_, Side::Conversation(_))));
    let place = about.width >= ROOMY || !talks && about.width >= WIDE;
    if let Some(run) = model.runs.iter().find(|run| place && model::is_active(run)) {
        let all = run.done + run.open;
        let bar = container(part::progress(tokens, run.done, all, tokens.green)).width(64.0);
        let name = words(format!("{} {} of {all}", runs::title(run), run.done), tokens.dim);
        left = left.push(row![name, bar].spacing(space::S).align_y(Alignment::Center));
    }
    let mut right = Row::new().spacing(space::L).align_y(Alignment::Center);
    let (side, here) = match about.agent {
        Some((_, Side::Shell)) => ("agent", Id::ToggleShell),
        Some((_, Side::Conversation(_))) => ("own interface", Id::ConversationMove),
        _ => ("shell", Id::ToggleShell),
    };
    for (id, label) in [
        (about.agent.map(|_| here), side),
        (Some(Id::RegionNext).filter(|_| talks), "next region"),
        (Some(Id::FocusNext).filter(|_| model.agents.len() > 1), "next pane"),
        (
            about.agent.map(|_| Id::PaneMaximise),
            if about.maximised { "all panes" } else { "maximise" },
        ),
    ] {
        if let Some(chord) = id.and_then(|id| keymap.title(id)) {
            let label = words(label.to_owned(), tokens.dim);
            let hint = row![part::chord(tokens, &chord), label].spacing(6.0);
            right = right.push(hint.align_y(Alignment::Center));
        }
    }
    let left = container(left).width(Length::Fill).clip(true);
    container(row![left, right].spacing(space::L).align_y(Alignment::Center))
        .padding([0.0, space::M])
        .width(Length::Fill)
        .center_y(extent::STATUS_BAR)
        .style(move |_| style::surface(tokens.panel))
        .into()
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    #[test]
    fn a_pair_that_conflicts_counts_once() {
        let mut model = Model::default();
        assert_eq!(collisions(&model, None), None);
        for met in scene::collisions() {
            let _ = model.collisions.insert(met.agent, met.with);
        }
        assert_eq!(collisions(&model, None).as_deref(), Some("conflicts 1"));
        assert_eq!(collisions(&model, Some(AgentId(2))).as_deref(), Some("conflicts 1"));
        let own = collisions(&model, Some(AgentId(4)));
        assert_eq!(own.as_deref(), Some("conflicts with feat/preferences"));
    }
}
