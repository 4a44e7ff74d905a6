//! The two bars over a conversation: what is looked for, and what it is filtered by.

use iced::widget::{button, column, container, row, text_input};
use iced::{Alignment, Element, Length};
use maestro_core::command::Id;
use maestro_core::keymap::Keymap;
use maestro_core::search::Case;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, keys, line, part, style};

use super::find::Bar;
use super::{FILTER, FIND, Message, Which};

/// The bar under which something is looked for, with how much was found and whether that is bad news.
pub fn find<'a>(
    tokens: &'static Tokens,
    keymap: &Keymap,
    bar: &'a Bar,
    (count, bad): (String, bool),
) -> Element<'a, Message> {
    let hints = [
        (Id::SearchOlder, "older"),
        (Id::SearchNewer, "newer"),
        (Id::SearchRegex, "regex"),
        (Id::SearchCase, "case"),
        (Id::SearchKeep, "stay"),
    ];
    let moves = row![pressed(tokens, "↑", Id::SearchOlder), pressed(tokens, "↓", Id::SearchNewer),];
    let count = line(count, type_scale::SMALL, font::REGULAR, ink(tokens, bad)).into();
    one(tokens, Which::Find, bar, Icon::Search, count, moves.into(), &taught(keymap, &hints))
}

/// The bar that hides entries; `keep` says whether it hides what does not fit, or what does.
pub fn filter<'a>(
    tokens: &'static Tokens,
    keymap: &Keymap,
    bar: &'a Bar,
    keep: bool,
) -> Element<'a, Message> {
    let hints = [
        (Id::FilterTurn, "turn round"),
        (Id::SearchRegex, "regex"),
        (Id::SearchCase, "case"),
        (Id::SearchKeep, "keep"),
        (Id::SearchClose, "show all"),
    ];
    let label = if keep { "only lines with it" } else { "only lines without it" };
    let turn = part::word(tokens, label, Message::Pressed(Which::Filter, Id::FilterTurn));
    let none = iced::widget::Space::new().into();
    one(tokens, Which::Filter, bar, Icon::Chevron, turn, none, &taught(keymap, &hints))
}

fn ink(tokens: &Tokens, bad: bool) -> iced::Color {
    if bad { tokens.red } else { tokens.dim }
}

fn pressed<'a>(tokens: &'static Tokens, label: &str, id: Id) -> Element<'a, Message> {
    button(line(label, type_scale::BASE, font::MEDIUM, tokens.dim))
        .padding([0.0, 6.0])
        .style(style::row(tokens, false))
        .on_press(Message::Pressed(Which::Find, id))
        .into()
}

/// Keys, in a line.
fn taught(keymap: &Keymap, hints: &[(Id, &str)]) -> String {
    let hint = |(id, what): &(Id, &str)| {
        let chord = keymap.title(*id)?.replace("Enter", "↵");
        Some(format!("{} {what}", part::spaced(&chord)))
    };
    hints.iter().filter_map(hint).collect::<Vec<_>>().join("   ")
}

fn one<'a>(
    tokens: &'static Tokens,
    which: Which,
    bar: &'a Bar,
    shape: Icon,
    facts: Element<'a, Message>,
    moves: Element<'a, Message>,
    hints: &str,
) -> Element<'a, Message> {
    let (size, height) = type_scale::BASE;
    let (id, words) = match which {
        Which::Find => (FIND, "Find in conversation…"),
        Which::Filter => (FILTER, "Filter lines…"),
    };
    let input = text_input(words, &bar.query.text)
        .id(id)
        .on_input(move |text| Message::Edited(which, text))
        .size(size)
        .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
        .font(font::MONO)
        .padding([1.0, space::XS])
        .style(style::bare_input(tokens));
    let case = if bar.query.case == Case::Insensitive { "aa" } else { "Aa" };
    let press = move |id| Message::Pressed(which, id);
    let content = row![
        icon(shape, 12.0, tokens.faint),
        input,
        facts,
        part::toggle(tokens, ".*", bar.query.regex, press(Id::SearchRegex)),
        part::toggle(tokens, case, bar.query.case != Case::Smart, press(Id::SearchCase)),
        moves,
        button(icon(Icon::Cross, 10.0, tokens.dim))
            .padding([5.0, 6.0])
            .style(style::row(tokens, false))
            .on_press(press(Id::SearchClose)),
    ]
    .spacing(space::XS)
    .align_y(Alignment::Center);
    let below: Option<Element<'a, Message>> = match &bar.error {
        Some(error) => {
            let words = part::sentence(error);
            Some(part::paragraph(words, type_scale::SMALL, font::REGULAR, tokens.red))
        }
        None if bar.active && bar.query.text.is_empty() => {
            Some(line(hints, type_scale::TINY, font::REGULAR, tokens.faint).into())
        }
        None => None,
    };
    let edge = match (bar.error.is_some(), bar.active) {
        (true, _) => tokens.red,
        (false, true) => tokens.accent,
        (false, false) => tokens.strong,
    };
    let content = column![content].push(below.map(|below| {
        container(below).padding(iced::Padding::ZERO.left(space::XS).bottom(space::XS))
    }));
    let card =
        container(content).padding([0.0, space::S]).max_width(extent::FIND).style(move |_| {
            iced::widget::container::Style {
                border: iced::Border {
                    color: edge,
                    width: extent::LINE,
                    radius: radius::CARD.into(),
                },
                ..style::floating(tokens, radius::CARD)
            }
        });
    let card = keys::pressed(iced::widget::opaque(card), Message::BarFocused(which));
    container(card).align_right(Length::Fill).into()
}
