//! How terminals look in a theme.

use std::sync::Arc;

use maestro_grid::{Faces, Look, Palette};
use maestro_ui::font;
use maestro_ui::theme::{Tokens, type_scale};

use maestro_core::settings::Settings;

fn bytes(color: iced::Color) -> [u8; 3] {
    let [r, g, b, _] = color.into_rgba8();
    [r, g, b]
}

/// How terminals look in a theme.
#[must_use]
pub fn of(tokens: &Tokens, zoom: f32, settings: &Settings) -> Arc<Look> {
    let [.., regular, bold, italic, bold_italic, _] = font::FILES;
    let faces =
        Faces { regular, bold: Some(bold), italic: Some(italic), bold_italic: Some(bold_italic) };
    let colors = &tokens.terminal;
    let own = if tokens.dark { Palette::NOCTURNE } else { Palette::MATINEE };
    let palette = Palette {
        foreground: colors.foreground,
        background: colors.background,
        cursor: colors.cursor,
        cursor_text: colors.background,
        selection: colors.selection,
        ansi: colors.ansi,
        current: bytes(tokens.accent),
        current_text: bytes(tokens.on_accent),
        ..own
    };
    let look = Look::new(faces, type_scale::TERMINAL * zoom, palette);
    let minimum_contrast = settings.minimum_contrast;
    Arc::new(Look { minimum_contrast, ..Arc::unwrap_or_clone(look) })
}
