//! What full-window pages are made of: rows that can be marked, keys that mean something, empty places.

use iced::widget::{Row, button, column, container, row, scrollable, text_input};
use iced::{Alignment, Color, Element, Length, Padding, mouse};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

/// A row that can be marked and pressed. `focused`: whether the keyboard is in its list.
pub fn pressable<'a, M: Clone + 'a>(
    tokens: &'static Tokens,
    height: f32,
    (marked, focused): (bool, bool),
    content: impl Into<Element<'a, M>>,
    on_press: M,
) -> Element<'a, M> {
    let bar = match (marked, focused) {
        (true, true) => tokens.accent,
        (true, false) => tokens.strong,
        _ => Color::TRANSPARENT,
    };
    let content = container(content)
        .padding(Padding::ZERO.left(space::M - extent::BAR).right(space::M))
        .center_y(Length::Fill)
        .width(Length::Fill);
    button(row![part::filled(bar, Length::Fixed(extent::BAR), Length::Fill), content])
        .padding(0)
        .height(height)
        .width(Length::Fill)
        .style(style::row(tokens, marked))
        .on_press(on_press)
        .into()
}

/// A part of a page that is scrolled from top to bottom.
pub fn scrolled<'a, M: 'a>(
    tokens: &'static Tokens,
    id: &'static str,
    content: impl Into<Element<'a, M>>,
) -> Element<'a, M> {
    let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
    scrollable(content)
        .id(id)
        .direction(scrollable::Direction::Vertical(bar))
        .width(Length::Fill)
        .height(Length::Fill)
        .style(style::scroll(tokens))
        .into()
}

/// The field in which words are typed that a page over the window is searched by.
pub fn finder<'a, M: Clone + 'a>(
    tokens: &'static Tokens,
    id: &'static str,
    hint: &'a str,
    query: &'a str,
    on_input: impl Fn(String) -> M + 'a,
) -> Element<'a, M> {
    let (size, height) = type_scale::BASE;
    text_input(hint, query)
        .id(id)
        .on_input(on_input)
        .size(size)
        .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
        .font(font::REGULAR)
        .padding([8.0, space::L])
        .style(style::bare_input(tokens))
        .into()
}

/// By how many rows of a height the wheel was turned; a touchpad moves by less than a row.
#[must_use]
pub fn rows_turned(delta: mouse::ScrollDelta, height: f32) -> f32 {
    match delta {
        mouse::ScrollDelta::Lines { y, .. } => -y * 3.0,
        mouse::ScrollDelta::Pixels { y, .. } => -y / height,
    }
}

/// Nothing is there: what it is for, and the key to press.
pub fn empty<'a, M: 'a>(
    tokens: &'static Tokens,
    shape: Icon,
    title: &str,
    about: &str,
    keys: &[(&str, &str)],
) -> Element<'a, M> {
    let about =
        container(part::paragraph(about.to_owned(), type_scale::BASE, font::REGULAR, tokens.dim))
            .max_width(460.0);
    let keys = keys.iter().map(|(key, words)| hint(tokens, key, words));
    let content = column![
        icon(shape, 28.0, tokens.faint),
        line(title, type_scale::LARGE, font::MEDIUM, tokens.text),
        about,
        Row::with_children(keys).spacing(space::M),
    ]
    .spacing(space::M)
    .align_x(Alignment::Center);
    container(content).padding(space::XL).center(Length::Fill).into()
}

/// A problem in place of what it keeps from being shown.
pub fn trouble<'a, M: 'a>(tokens: &'static Tokens, why: &str) -> Element<'a, M> {
    let words = part::paragraph(part::sentence(why), type_scale::BASE, font::REGULAR, tokens.red);
    container(row![icon(Icon::Warning, extent::GLYPH, tokens.red), words].spacing(space::S))
        .padding(space::L)
        .into()
}

/// A key and what it does.
pub fn hint<'a, M: 'a>(tokens: &'static Tokens, key: &str, words: &str) -> Element<'a, M> {
    row![
        part::chord(tokens, key),
        line(words.to_owned(), type_scale::SMALL, font::REGULAR, tokens.dim)
    ]
    .spacing(space::XS)
    .align_y(Alignment::Center)
    .into()
}

/// The keys that mean something on a page, at its lower edge. Where there is little room (`low`) they have
/// one line, and what is to be looked at has the rest.
pub fn foot<'a, M: 'a>(
    tokens: &'static Tokens,
    low: bool,
    keys: impl IntoIterator<Item = (String, &'a str)>,
) -> Element<'a, M> {
    let keys = keys.into_iter().map(|(key, words)| hint(tokens, &key, words));
    let height = if low { Length::Fixed(30.0) } else { Length::Shrink };
    container(Row::with_children(keys).spacing(space::M).wrap())
        .padding([5.0, space::M])
        .width(Length::Fill)
        .height(height)
        .clip(low)
        .style(move |_| style::surface(tokens.panel))
        .into()
}

/// A field with a border, for code and what a program printed.
pub fn boxed<'a, M: 'a>(
    tokens: &'static Tokens,
    content: impl Into<Element<'a, M>>,
) -> Element<'a, M> {
    container(content)
        .padding(space::S)
        .width(Length::Fill)
        .style(move |_| style::bordered(tokens.terminal.background(), tokens.border, radius::PANE))
        .into()
}
