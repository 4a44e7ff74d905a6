//! The card of the tour: the key that is to be pressed now, in the corner where it hides least.

use iced::widget::{column, container, row};
use iced::{Alignment, Element, Length};
use maestro_core::command::{Id, Place};
use maestro_core::keymap::Keymap;
use maestro_core::tour::{STEPS, Tour};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::{font, line, part, style};

/// The card; nothing once every step is done.
pub fn card<'a, M: Clone + 'a>(
    tour: &Tour,
    tokens: &'static Tokens,
    keymap: &Keymap,
    place: Place,
    on_press: impl Fn(Id) -> M,
) -> Option<Element<'a, M>> {
    let step = tour.step()?;
    let command = step.command.command();
    let number = format!("{} OF {}", tour.behind() + 1, STEPS.len());
    let dots = (0..STEPS.len()).map(|at| {
        let ink = if at <= tour.behind() { tokens.accent } else { tokens.strong };
        part::filled(ink, Length::Fixed(14.0), Length::Fixed(3.0))
    });
    let head = row![
        line(number, type_scale::TINY, font::MEDIUM, tokens.faint).fill(),
        row(dots).spacing(3.0),
    ]
    .align_y(Alignment::Center);
    let keys = match keymap.title(step.command) {
        Some(chord) => row![
            line("Press", type_scale::BASE, font::REGULAR, tokens.dim),
            part::chord(tokens, &chord),
        ],
        None => row![line(
            "It has no keys of yours: the palette finds it.",
            type_scale::SMALL,
            font::REGULAR,
            tokens.dim,
        )],
    };
    let hint = match command.unavailable(place) {
        Some(why) => Some(format!("Not now: {why}.")),
        None if tour.aside() => Some("That was it. Now by its keys.".to_owned()),
        None => None,
    };
    let hint = hint.map(|hint| line(hint, type_scale::SMALL, font::REGULAR, tokens.accent).fill());
    let button = |id: Id, words: &'static str| {
        let chord = keymap.title(id).map(|chord| part::chord(tokens, &chord));
        row![part::word(tokens, words, on_press(id))].push(chord).align_y(Alignment::Center)
    };
    let foot = row![button(Id::TourSkip, "next"), button(Id::TourToggle, "end the tour")]
        .spacing(space::L);
    let content = column![
        head,
        line(step.title, type_scale::LARGE, font::SEMIBOLD, tokens.text).fill(),
        part::paragraph(step.words, type_scale::BASE, font::REGULAR, tokens.dim),
        keys.spacing(space::S).align_y(Alignment::Center),
    ]
    .push(hint)
    .push(part::rule(tokens))
    .push(foot)
    .spacing(space::S);
    let card = container(content)
        .padding(space::L)
        .width(extent::TOAST)
        .style(move |_| style::floating(tokens, radius::CARD));
    Some(card.into())
}
