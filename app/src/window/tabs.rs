//! The tabs of an agent: its conversations, and what holds for the one that is shown.

pub mod picker;
mod reveal;
mod strip;
pub mod why;

use iced::widget::{Row, button, column, container, row, scrollable};
use iced::{Alignment, Color, Element, Length, Padding, Task};
use maestro_core::TabId;
use maestro_core::command::Id;
use maestro_core::conversation::{Policy, Tab, TabState};
use maestro_core::text;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

/// The widest a tab is.
const WIDEST: f32 = 190.0;

/// The most characters of a title that are looked at.
const LONGEST: usize = 80;

/// What was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A tab.
    Picked(TabId),
    /// The cross of a tab.
    Closed(TabId),
    /// A tab was taken with the mouse before another one, or to the end.
    Moved(TabId, Option<TabId>),
    /// A command's button.
    Command(Id),
}

/// What the bar shows.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Colours.
    pub tokens: &'static Tokens,
    /// The tab that is shown.
    pub shown: Option<TabId>,
    /// Whether the working arc turns.
    pub turning: bool,
    /// Whether there is little place.
    pub narrow: bool,
}

/// The id of an agent's bar, so that the shown tab can be brought into sight.
#[must_use]
pub fn widget_id(agent: maestro_core::AgentId) -> String {
    format!("tabs-{agent}")
}

/// What a tab is called.
#[must_use]
pub fn title(tab: &Tab) -> String {
    let title = text::clean(&tab.title, LONGEST);
    if title.is_empty() { "New conversation".to_owned() } else { title }
}

/// The bar.
pub fn view<'a>(
    agent: maestro_core::AgentId,
    tabs: &[&'a Tab],
    context: Context,
) -> Element<'a, Message> {
    let tokens = context.tokens;
    let open = tabs.iter().map(|tab| one(tab, tabs.len() > 1, context));
    let plus = button(icon(Icon::Plus, 11.0, tokens.dim))
        .padding([space::S, space::S])
        .style(style::row(tokens, false))
        .on_press(Message::Command(Id::TabNew));
    let row_of_tabs = Row::with_children(open)
        .push(container(plus).center_y(Length::Fill))
        .height(Length::Fill)
        .align_y(Alignment::Center);
    let bar = scrollable::Scrollbar::new().width(0.0).scroller_width(0.0).margin(0.0);
    let ids = tabs.iter().map(|tab| tab.id).collect();
    let row_of_tabs = strip::strip(tokens, ids, row_of_tabs, Message::Moved);
    let scrolled = scrollable(row_of_tabs)
        .id(widget_id(agent))
        .direction(scrollable::Direction::Horizontal(bar))
        .width(Length::Fill)
        .height(Length::Fill);
    let shown = tabs.iter().find(|tab| Some(tab.id) == context.shown);
    let facts = shown.map(|tab| facts(tab, context));
    let content = row![scrolled].push(facts).spacing(space::S).height(extent::TABS);
    let bar = container(content)
        .padding(Padding::ZERO.left(space::S).right(space::M))
        .width(Length::Fill)
        .style(move |_| style::surface(tokens.panel));
    column![bar, part::rule(tokens)].into()
}

fn one<'a>(tab: &'a Tab, closable: bool, context: Context) -> Element<'a, Message> {
    let tokens = context.tokens;
    let shown = Some(tab.id) == context.shown;
    let ink = if shown { tokens.text } else { tokens.dim };
    let face = if tab.unread && !shown { font::SEMIBOLD } else { font::MEDIUM };
    let glyph =
        shape(tokens, &tab.state).map(|shape| status::glyph(tokens, shape, 12.0, context.turning));
    let star = tab.starred.then(|| line("★", type_scale::TINY, font::REGULAR, tokens.accent));
    let unread = (tab.unread && !shown).then(|| icon(Icon::Dot, 9.0, tokens.accent));
    let cross = (shown && closable).then(|| {
        button(icon(Icon::Cross, 9.0, tokens.faint))
            .padding([3.0, 3.0])
            .style(style::row(tokens, false))
            .on_press(Message::Closed(tab.id))
    });
    let name = container(line(title(tab), type_scale::BASE, face, ink)).max_width(WIDEST);
    let content = row![]
        .push(star)
        .push(glyph)
        .push(name)
        .push(unread)
        .push(cross)
        .spacing(6.0)
        .align_y(Alignment::Center)
        .height(Length::Fill);
    let under = if shown { tokens.accent } else { Color::TRANSPARENT };
    let pressable = button(container(content).padding([0.0, 10.0]).height(Length::Fill))
        .padding(0)
        .height(Length::Fill)
        .style(style::row(tokens, false))
        .on_press(Message::Picked(tab.id));
    // The line is as wide as the tab, and at its bottom.
    let line_under = container(part::filled(under, Length::Fill, Length::Fixed(extent::BAR)))
        .align_bottom(Length::Fill);
    container(maestro_ui::pile(pressable, line_under, false)).id(one_id(tab.id)).into()
}

fn one_id(tab: TabId) -> String {
    format!("tab-{tab}")
}

/// Brings a tab of an agent's bar into sight.
pub fn reveal<T: Send + 'static>(agent: maestro_core::AgentId, tab: TabId) -> Task<T> {
    iced::advanced::widget::operate(reveal::Reveal::new(widget_id(agent), one_id(tab)))
}

/// The shape of what goes on in a tab, where something does.
#[must_use]
pub fn shape(tokens: &Tokens, state: &TabState) -> Option<(Icon, Color)> {
    match state {
        TabState::Idle => None,
        TabState::Starting | TabState::Working(_) | TabState::Interrupting => {
            Some((Icon::Arc(0), tokens.blue))
        }
        TabState::Asking => Some((Icon::Diamond, tokens.accent)),
        TabState::Retrying { .. } => Some((Icon::Clock, tokens.blue)),
        TabState::Limited { .. } => Some((Icon::Clock, tokens.purple)),
        TabState::Failed(_) => Some((Icon::Failed, tokens.red)),
    }
}

/// Policy, model and effort, each a way to change it.
fn facts<'a>(tab: &Tab, context: Context) -> Element<'a, Message> {
    let tokens = context.tokens;
    let word = |label: String, ink: Color, id: Id| {
        button(line(label, type_scale::BASE, font::REGULAR, ink))
            .padding([2.0, 3.0])
            .style(style::row(tokens, false))
            .on_press(Message::Command(id))
    };
    let dot = || line("·", type_scale::BASE, font::REGULAR, tokens.faint);
    let ink = match tab.policy {
        Policy::Bypass => tokens.red,
        Policy::ReadOnly => tokens.green,
        Policy::Ask | Policy::AcceptEdits => tokens.dim,
    };
    let mut facts = row![word(tab.policy.title().to_owned(), ink, Id::TabPolicy)]
        .spacing(2.0)
        .align_y(Alignment::Center)
        .height(Length::Fill);
    if !context.narrow {
        let model = tab.model.as_deref().map_or_else(|| "model".to_owned(), short);
        facts = facts.push(dot()).push(word(model, tokens.dim, Id::TabModel));
        if let Some(effort) = &tab.effort {
            let effort = text::clean(effort, 12);
            facts = facts.push(dot()).push(word(effort, tokens.dim, Id::TabEffort));
        }
    }
    facts.into()
}

/// A model's name without what says nothing here: `claude-opus-4-1-20250805` is `opus-4-1`.
fn short(model: &str) -> String {
    let model = text::clean(model, 60);
    let model = model.rsplit('/').next().unwrap_or_default();
    let model = model.strip_prefix("claude-").unwrap_or(model);
    let dated = model
        .rsplit_once('-')
        .filter(|(_, date)| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()));
    let model = dated.map_or(model, |(name, _)| name);
    model.chars().take(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_shortly() {
        for (model, expected) in [
            ("claude-opus-4-1-20250805", "opus-4-1"),
            ("anthropic/claude-sonnet-4", "sonnet-4"),
            ("gpt-5.1-codex", "gpt-5.1-codex"),
            ("opus", "opus"),
        ] {
            assert_eq!(short(model), expected);
        }
    }
}
