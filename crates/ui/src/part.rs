//! The small parts of which screens are made.

use iced::widget::{Space, button, column, container, row, scrollable, text};
use iced::{Alignment, Background, Border, Color, Element, Font, Length, Padding, border};

use crate::icon::{Icon, icon};
use crate::theme::{Tokens, extent, radius, space, type_scale};
use crate::{font, line, pseudo, style};

/// Text that may take several lines.
pub fn paragraph<'a, Message: 'a>(
    content: impl text::IntoFragment<'a>,
    (size, height): type_scale::Step,
    font: Font,
    color: Color,
) -> Element<'a, Message> {
    text(pseudo::words(content.into_fragment()))
        .size(size)
        .line_height(text::LineHeight::Absolute(height.into()))
        .font(font)
        .color(color)
        .into()
}

/// What a part of the program says, as a sentence: a capital at its beginning, a full stop at its end. A
/// file's name stays as it is written.
#[must_use]
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let word = text.split_whitespace().next().unwrap_or_default();
    let is_name = word.trim_end_matches(['.', ',', ':', ';', '!', '?']).contains(['.', '/', '_']);
    let mut characters = text.chars();
    let first = match characters.next() {
        Some(c) if !is_name => c.to_uppercase().to_string(),
        first => first.map(String::from).unwrap_or_default(),
    };
    let end = if text.ends_with(['.', '!', '?', '…', ':']) || text.is_empty() { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

/// A name with the characters that match what was typed, by their numbers, in the accent.
#[must_use]
pub fn marked<'a, Message: 'a>(
    tokens: &'static Tokens,
    name: &'a str,
    matched: &[usize],
    face: Font,
) -> Element<'a, Message> {
    let mut spans: Vec<text::Span<'a, ()>> = Vec::new();
    let (mut start, mut run) = (0, None);
    let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    for (number, at) in ends.enumerate() {
        let here = (at < name.len()).then(|| matched.contains(&number));
        if run.is_some() && run != here {
            let ink = if run == Some(true) { tokens.accent } else { tokens.text };
            spans.push(iced::widget::span(&name[start..at]).font(face).color(ink));
            start = at;
        }
        run = here;
    }
    let (size, height) = type_scale::SMALL;
    iced::widget::rich_text(spans)
        .size(size)
        .line_height(text::LineHeight::Absolute(height.into()))
        .wrapping(text::Wrapping::None)
        .into()
}

/// A short fact about something, in an outline.
pub fn pill<'a, Message: 'a>(
    tokens: &'static Tokens,
    label: impl Into<String>,
    wants_the_eye: bool,
) -> Element<'a, Message> {
    let (ink, edge) =
        if wants_the_eye { (tokens.accent, tokens.accent) } else { (tokens.dim, tokens.strong) };
    container(line(label, type_scale::TINY, font::REGULAR, ink))
        .padding([1.0, 7.0])
        .style(move |_| style::bordered(Color::TRANSPARENT, edge, 9.0))
        .into()
}

/// A word that nobody is to overlook, with its shape.
pub fn loud<'a, Message: 'a>(
    tokens: &'static Tokens,
    shape: Icon,
    label: impl Into<String>,
) -> Element<'a, Message> {
    let glyph = icon(shape, extent::GLYPH, tokens.base);
    let words = line(label, type_scale::TINY, font::SEMIBOLD, tokens.base);
    container(row![glyph, words].spacing(space::XS).align_y(Alignment::Center))
        .padding([1.0, 7.0])
        .style(move |_| style::bordered(tokens.orange, tokens.orange, 9.0))
        .into()
}

/// A chord, as one presses it.
pub fn chord<'a, Message: 'a>(tokens: &'static Tokens, title: &str) -> Element<'a, Message> {
    container(line(spaced(title), type_scale::TINY, font::MONO, tokens.dim))
        .padding([1.0, 5.0])
        .style(move |_| style::bordered(tokens.base, tokens.strong, radius::CHORD))
        .into()
}

/// A chord's title without its plus signs: `Ctrl ⇧ 2`.
#[must_use]
pub fn spaced(title: &str) -> String {
    let mut keys = Vec::new();
    let mut rest = title;
    while let Some((held, after)) = rest.split_once('+').filter(|(held, after)| {
        // A plus at the end is the key itself.
        !held.is_empty() && !after.is_empty()
    }) {
        keys.push(if held == "Shift" { "⇧" } else { held });
        rest = after;
    }
    keys.push(rest);
    keys.join(" ")
}

/// A small button that is on or off.
pub fn toggle<'a, Message: Clone + 'a>(
    tokens: &'static Tokens,
    label: &str,
    on: bool,
    on_press: Message,
) -> Element<'a, Message> {
    let ink = if on { tokens.accent } else { tokens.faint };
    let edge = if on { tokens.accent } else { Color::TRANSPARENT };
    button(line(label, type_scale::SMALL, font::MONO, ink))
        .padding([0.0, 5.0])
        .style(move |theme, status| button::Style {
            border: Border { color: edge, width: extent::LINE, radius: radius::CHORD.into() },
            ..style::row(tokens, false)(theme, status)
        })
        .on_press(on_press)
        .into()
}

/// A word that can be pressed, in a line of small text.
pub fn word<'a, Message: Clone + 'a>(
    tokens: &'static Tokens,
    label: &str,
    on_press: Message,
) -> Element<'a, Message> {
    button(line(label, type_scale::SMALL, font::SEMIBOLD, tokens.accent))
        .padding([0.0, 2.0])
        .style(style::row(tokens, false))
        .on_press(on_press)
        .into()
}

/// One of several things that can be done, in a list: what it is called, what follows from it, and the
/// key for the marked one.
pub fn choice<'a, Message: Clone + 'a>(
    tokens: &'static Tokens,
    title: &str,
    about: &str,
    marked: bool,
    on_press: Message,
) -> Element<'a, Message> {
    let bar = if marked { tokens.accent } else { Color::TRANSPARENT };
    let face = if marked { font::SEMIBOLD } else { font::MEDIUM };
    let key = marked.then(|| chord(tokens, "↵"));
    let content = row![
        line(title, type_scale::BASE, face, tokens.text),
        line(about, type_scale::SMALL, font::REGULAR, tokens.dim).fill(),
    ]
    .push(key)
    .spacing(space::M)
    .align_y(Alignment::Center)
    .height(Length::Fill)
    .padding(Padding::ZERO.left(space::L - extent::BAR).right(space::L));
    button(row![filled(bar, Length::Fixed(extent::BAR), Length::Fill), content])
        .padding(0)
        .height(extent::CHOICE)
        .width(Length::Fill)
        .style(style::row(tokens, marked))
        .on_press(on_press)
        .into()
}

/// What a program wrote, as it wrote it.
pub fn quote<'a, Message: 'a>(tokens: &'static Tokens, lines: Vec<String>) -> Element<'a, Message> {
    let lines = lines.into_iter().map(|words| {
        let (size, height) = type_scale::SMALL;
        text(words)
            .size(size)
            .line_height(text::LineHeight::Absolute(height.into()))
            .font(font::MONO)
            .color(tokens.text)
            .wrapping(text::Wrapping::Glyph)
            .into()
    });
    let ground = tokens.terminal.background();
    container(column(lines))
        .padding([space::S, space::M])
        .width(Length::Fill)
        .style(move |_| style::bordered(ground, tokens.border, radius::BUTTON))
        .into()
}

/// The label over a group of rows, with how many there are.
pub fn section<'a, Message: 'a>(
    tokens: &'static Tokens,
    label: &str,
    count: usize,
) -> Element<'a, Message> {
    let label = label.to_uppercase();
    row![
        line(label, type_scale::TINY, font::MEDIUM, tokens.faint).fill(),
        line(count.to_string(), type_scale::TINY, font::REGULAR, tokens.faint),
    ]
    .spacing(space::S)
    .padding(Padding { top: 14.0, right: space::M, bottom: 6.0, left: space::M })
    .into()
}

/// A horizontal line.
pub fn rule<'a, Message: 'a>(tokens: &'static Tokens) -> Element<'a, Message> {
    filled(tokens.border, Length::Fill, Length::Fixed(extent::LINE))
}

/// A vertical line.
pub fn upright<'a, Message: 'a>(tokens: &'static Tokens) -> Element<'a, Message> {
    filled(tokens.border, Length::Fixed(extent::LINE), Length::Fill)
}

/// A rectangle of one colour.
pub fn filled<'a, Message: 'a>(
    color: Color,
    width: Length,
    height: Length,
) -> Element<'a, Message> {
    container(Space::new()).width(width).height(height).style(move |_| style::surface(color)).into()
}

/// How far something is, as a bar.
pub fn progress<'a, Message: 'a>(
    tokens: &'static Tokens,
    done: u32,
    all: u32,
    color: Color,
) -> Element<'a, Message> {
    let bar = move |color, portion: u32| {
        let portion = u16::try_from(portion).unwrap_or(u16::MAX);
        container(Space::new()).width(Length::FillPortion(portion)).height(4.0).style(move |_| {
            iced::widget::container::Style {
                background: Some(Background::Color(color)),
                border: border::rounded(2.0),
                ..Default::default()
            }
        })
    };
    let left = all.saturating_sub(done);
    let mut parts = row![].width(Length::Fill);
    if done > 0 {
        parts = parts.push(bar(color, done));
    }
    if left > 0 || all == 0 {
        parts = parts.push(bar(tokens.border, left.max(1)));
    }
    parts.into()
}

/// What an agent's row shows.
#[expect(missing_debug_implementations, reason = "elements have none")]
pub struct AgentRow<'a, Message> {
    /// Its status.
    pub glyph: Element<'a, Message>,
    /// Its name.
    pub name: String,
    /// Why it is in that state.
    pub reason: String,
    /// What is shown instead where the reason does not fit.
    pub short: Option<String>,
    /// The one fact that matters now.
    pub pill: Option<Element<'a, Message>>,
    /// Whether its pane has the keyboard.
    pub selected: bool,
    /// Whether the keyboard is in the list, on this row.
    pub marked: bool,
    /// Whether it is the child of the agent above.
    pub child: bool,
}

/// An agent in a list: two lines, a glyph, a pill.
pub fn agent_row<'a, Message: Clone + 'a>(
    tokens: &'static Tokens,
    parts: AgentRow<'a, Message>,
    on_press: Message,
) -> Element<'a, Message> {
    let AgentRow { glyph, name, reason, short, pill, selected, marked, child } = parts;
    let lines = column![
        line(name, type_scale::BASE, font::MEDIUM, tokens.text).fill(),
        line(reason, type_scale::SMALL, font::REGULAR, tokens.dim).or(short).fill(),
    ]
    .width(Length::Fill);
    let indent = if child { space::L } else { 0.0 };
    let content = row![row![glyph, lines].spacing(space::M).align_y(Alignment::Center)]
        .push(pill)
        .spacing(space::S)
        .align_y(Alignment::Center)
        .height(Length::Fill)
        .padding(Padding {
            left: space::M - extent::BAR + indent,
            right: space::M,
            ..Padding::ZERO
        });
    let bar = if selected { tokens.accent } else { Color::TRANSPARENT };
    let outline = if marked { tokens.accent } else { Color::TRANSPARENT };
    let pressable = button(row![
        filled(bar, Length::Fixed(extent::BAR), Length::Fill),
        container(content).width(Length::Fill).height(Length::Fill),
    ])
    .padding(0)
    .width(Length::Fill)
    .height(extent::AGENT_ROW)
    .style(move |theme, status| button::Style {
        border: Border { color: outline, width: extent::LINE, radius: 0.0.into() },
        ..style::row(tokens, selected || marked)(theme, status)
    })
    .on_press(on_press);
    pressable.into()
}

/// A pane: a header over a body, in a border that tells where the keyboard is.
pub fn pane<'a, Message: 'a>(
    tokens: &'static Tokens,
    header: Element<'a, Message>,
    body: Element<'a, Message>,
    focused: bool,
    marked: Option<Color>,
) -> Element<'a, Message> {
    let edge = if focused { tokens.accent } else { marked.unwrap_or(tokens.border) };
    let ring = marked.unwrap_or(if focused { tokens.accent } else { Color::TRANSPARENT });
    let terminal = tokens.terminal.background();
    // A body is a rectangle; kept above the lower corners, it does not cover their curve.
    let edges = Padding::new(extent::LINE).bottom(radius::PANE - extent::LINE);
    let inner = container(column![header, rule(tokens), body])
        .padding(edges)
        .width(Length::Fill)
        .height(Length::Fill)
        .style(move |_| style::bordered(terminal, edge, radius::PANE));
    container(inner)
        .padding(extent::LINE)
        .width(Length::Fill)
        .height(Length::Fill)
        .style(move |_| style::bordered(Color::TRANSPARENT, ring, radius::PANE + extent::LINE))
        .into()
}

/// The header of a pane: glyph, name, what it is, and one fact at the right.
pub fn pane_header<'a, Message: 'a>(
    tokens: &'static Tokens,
    glyph: Element<'a, Message>,
    name: impl Into<String>,
    about: impl Into<String>,
    pill: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let content = row![
        glyph,
        line(name, type_scale::BASE, font::SEMIBOLD, tokens.text),
        line(about, type_scale::BASE, font::REGULAR, tokens.dim).fill(),
    ]
    .push(pill)
    .spacing(space::S)
    .align_y(Alignment::Center)
    .height(Length::Fill);
    let corner = border::top(radius::PANE - extent::LINE);
    container(content)
        .padding([0.0, 10.0])
        .width(Length::Fill)
        .height(extent::PANE_HEADER)
        .style(move |_| iced::widget::container::Style {
            background: Some(Background::Color(tokens.raised)),
            border: Border { radius: corner, ..Border::default() },
            ..Default::default()
        })
        .into()
}

/// A card on a panel.
pub fn card<'a, Message: 'a>(
    tokens: &'static Tokens,
    content: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    container(content)
        .padding(space::M)
        .width(Length::Fill)
        .style(move |_| style::bordered(tokens.raised, tokens.border, radius::CARD))
        .into()
}

/// A button with a label and, where it has one, its chord.
pub fn action<'a, Message: Clone + 'a>(
    tokens: &'static Tokens,
    label: &str,
    main: bool,
    focused: bool,
    on_press: Option<Message>,
) -> Element<'a, Message> {
    let enabled = on_press.is_some();
    let (ink, face) = match (main, enabled) {
        (true, true) => (tokens.on_accent, font::SEMIBOLD),
        (_, false) => (tokens.faint, font::MEDIUM),
        (false, true) => (tokens.text, font::MEDIUM),
    };
    let pressable = button(line(label, type_scale::BASE, face, ink))
        .padding([3.0, 11.0])
        .on_press_maybe(on_press);
    if main {
        pressable.style(style::primary(tokens, focused)).into()
    } else {
        pressable.style(style::secondary(tokens, focused)).into()
    }
}

/// A label over a control, and what is wrong with what it holds, or a hint, under it.
pub fn field<'a, Message: 'a>(
    tokens: &'static Tokens,
    label: &'a str,
    control: Element<'a, Message>,
    below: Option<(String, bool)>,
) -> Element<'a, Message> {
    let below = below.map(|(words, wrong)| {
        let ink = if wrong { tokens.red } else { tokens.faint };
        paragraph(words, type_scale::SMALL, font::REGULAR, ink)
    });
    column![line(label, type_scale::SMALL, font::MEDIUM, tokens.dim), control]
        .push(below)
        .spacing(space::XS)
        .width(Length::Fill)
        .into()
}

/// Something that lies over the whole window, which is dimmed and out of reach under it.
pub fn over<'a, Message: Clone + 'a>(
    tokens: &'static Tokens,
    content: Element<'a, Message>,
    width: f32,
    top: f32,
    on_outside: Message,
) -> Element<'a, Message> {
    // In a very small window what is offered at the end has to be reached, too.
    let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
    let content = scrollable(content)
        .direction(scrollable::Direction::Vertical(bar))
        .style(style::scroll(tokens));
    let floating = container(iced::widget::opaque(
        container(content)
            .width(Length::Fill)
            .max_width(width)
            .style(move |_| style::floating(tokens, radius::PALETTE)),
    ))
    .width(Length::Fill)
    .height(Length::Fill)
    .padding(Padding { top, right: space::XL, bottom: space::XL, left: space::XL })
    .align_x(Alignment::Center)
    .style(move |_| style::surface(tokens.backdrop));
    iced::widget::opaque(iced::widget::mouse_area(floating).on_press(on_outside))
}

/// A message in the corner: what happened, and what can be done.
pub fn toast<'a, Message: Clone + 'a>(
    tokens: &'static Tokens,
    glyph: Element<'a, Message>,
    title: Option<String>,
    words: String,
    action: Option<Element<'a, Message>>,
    on_press: Message,
) -> Element<'a, Message> {
    let title = title.map(|title| line(title, type_scale::BASE, font::MEDIUM, tokens.text).fill());
    let content = column![]
        .push(title)
        .push(
            (!words.is_empty())
                .then(|| paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim)),
        )
        .push(action)
        .spacing(2.0);
    let body = row![container(glyph).padding(Padding::ZERO.top(3.0)), content]
        .spacing(space::M)
        .padding(space::M)
        .width(Length::Fill);
    let card =
        container(body).width(extent::TOAST).style(move |_| style::floating(tokens, radius::CARD));
    iced::widget::mouse_area(card).on_press(on_press).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_a_sentence() {
        for (text, expected) in [
            ("there is no folder /x", "There is no folder /x."),
            ("`a..b` is no branch.", "`a..b` is no branch."),
            ("édite", "Édite."),
            ("plan.md, line 7: look at it", "plan.md, line 7: look at it."),
            ("scroll_back is a number", "scroll_back is a number."),
            ("ends. Well", "Ends. Well."),
            ("", ""),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }

    #[test]
    fn chords_are_shown_without_plus_signs() {
        for (title, expected) in [
            ("Ctrl+K", "Ctrl K"),
            ("Ctrl+Shift+2", "Ctrl ⇧ 2"),
            ("Ctrl++", "Ctrl +"),
            ("⇧⌘W", "⇧⌘W"),
            ("+", "+"),
        ] {
            assert_eq!(spaced(title), expected);
        }
    }
}
