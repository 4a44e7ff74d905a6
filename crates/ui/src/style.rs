//! Styles of iced's own widgets, from tokens.

use iced::widget::{button, container, scrollable, text_input};
use iced::{Background, Border, Color, Shadow, Vector, border};

use crate::backend;
use crate::theme::{Tokens, extent, radius};

/// A surface without a border.
pub fn surface(color: Color) -> container::Style {
    container::Style { background: Some(Background::Color(color)), ..container::Style::default() }
}

/// A surface with a border.
pub fn bordered(fill: Color, line: Color, corner: f32) -> container::Style {
    container::Style {
        background: Some(Background::Color(fill)),
        border: Border { color: line, width: extent::LINE, radius: corner.into() },
        ..container::Style::default()
    }
}

/// What floats over the window.
///
/// In software it has no shadow: iced_tiny_skia 0.14 does not count shadows when it finds out what to
/// draw anew, so they would stay behind.
pub fn floating(tokens: &Tokens, corner: f32) -> container::Style {
    let shadow = if backend::is_software() {
        Shadow::default()
    } else {
        Shadow { color: tokens.shadow, offset: Vector::new(0.0, 12.0), blur_radius: 36.0 }
    };
    container::Style { shadow, ..bordered(tokens.raised, tokens.strong, corner) }
}

/// A row that one can press: nothing at rest, hover under the pointer and while selected.
pub fn row(
    tokens: &'static Tokens,
    selected: bool,
) -> impl Fn(&iced::Theme, button::Status) -> button::Style {
    move |_, status| {
        let hovered = matches!(status, button::Status::Hovered | button::Status::Pressed);
        let fill = (selected || hovered).then_some(Background::Color(tokens.hover));
        button::Style { background: fill, text_color: tokens.text, ..button::Style::default() }
    }
}

/// The button of a dialog's main action.
pub fn primary(
    tokens: &'static Tokens,
    focused: bool,
) -> impl Fn(&iced::Theme, button::Status) -> button::Style {
    move |_, status| {
        let disabled = status == button::Status::Disabled;
        let fill = if disabled { tokens.hover } else { tokens.accent };
        let ink = if disabled { tokens.faint } else { tokens.on_accent };
        button::Style {
            background: Some(Background::Color(fill)),
            text_color: ink,
            border: focus_border(tokens, fill, focused),
            ..button::Style::default()
        }
    }
}

/// Any other button.
pub fn secondary(
    tokens: &'static Tokens,
    focused: bool,
) -> impl Fn(&iced::Theme, button::Status) -> button::Style {
    move |_, status| {
        let hovered = matches!(status, button::Status::Hovered | button::Status::Pressed);
        button::Style {
            background: Some(Background::Color(if hovered { tokens.hover } else { tokens.raised })),
            text_color: tokens.text,
            border: focus_border(tokens, tokens.strong, focused),
            ..button::Style::default()
        }
    }
}

fn focus_border(tokens: &Tokens, line: Color, focused: bool) -> Border {
    let color = if focused { tokens.text } else { line };
    Border { color, width: extent::LINE, radius: radius::BUTTON.into() }
}

/// An input with an outline; red when what it holds is wrong.
pub fn input(
    tokens: &'static Tokens,
    wrong: bool,
) -> impl Fn(&iced::Theme, text_input::Status) -> text_input::Style {
    move |_, status| {
        let focused = matches!(status, text_input::Status::Focused { .. });
        let line = match (wrong, focused) {
            (true, _) => tokens.red,
            (false, true) => tokens.accent,
            (false, false) => tokens.strong,
        };
        text_input::Style {
            background: Background::Color(tokens.base),
            border: Border { color: line, width: extent::LINE, radius: radius::BUTTON.into() },
            ..bare_input_style(tokens)
        }
    }
}

/// An input that is the whole header of something, and has no outline.
pub fn bare_input(
    tokens: &'static Tokens,
) -> impl Fn(&iced::Theme, text_input::Status) -> text_input::Style {
    move |_, _| bare_input_style(tokens)
}

fn bare_input_style(tokens: &Tokens) -> text_input::Style {
    text_input::Style {
        background: Background::Color(Color::TRANSPARENT),
        border: Border::default(),
        icon: tokens.faint,
        placeholder: tokens.faint,
        value: tokens.text,
        selection: Color { a: 0.35, ..tokens.accent },
    }
}

/// A thin scrollbar that shows itself only where it is needed.
pub fn scroll(
    tokens: &'static Tokens,
) -> impl Fn(&iced::Theme, scrollable::Status) -> scrollable::Style {
    move |theme, status| {
        let active = !matches!(status, scrollable::Status::Active { .. });
        let thumb = if active { tokens.strong } else { tokens.border };
        let rail = scrollable::Rail {
            background: None,
            border: Border::default(),
            scroller: scrollable::Scroller {
                background: Background::Color(thumb),
                border: border::rounded(2.0),
            },
        };
        scrollable::Style {
            container: container::Style::default(),
            vertical_rail: rail,
            horizontal_rail: rail,
            gap: None,
            auto_scroll: scrollable::default(theme, status).auto_scroll,
        }
    }
}
