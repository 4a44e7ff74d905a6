//! The fonts that travel with the program, so that it looks the same on every machine.

use std::borrow::Cow;

use iced::Font;
use iced::advanced::graphics::text::font_system;
use iced::font::{Family, Style, Weight};

/// Text of the window.
pub const REGULAR: Font = Font::with_name("Inter");

/// Names: what a row is about.
pub const MEDIUM: Font = Font { weight: Weight::Medium, ..REGULAR };

/// Titles.
pub const SEMIBOLD: Font = Font { weight: Weight::Semibold, ..REGULAR };

/// What is emphasised.
pub const ITALIC: Font = Font { style: Style::Italic, ..REGULAR };

/// What is emphasised and strong.
pub const SEMIBOLD_ITALIC: Font = Font { style: Style::Italic, ..SEMIBOLD };

/// Terminals, code and chords.
pub const MONO: Font = Font { family: Family::Name("JetBrains Mono"), ..Font::DEFAULT };

/// The shapes of [`crate::icon`].
pub const ICONS: Font = Font::with_name("Maestro Icons");

/// Every bundled font file, for the renderer.
pub const FILES: [&[u8]; 10] = [
    include_bytes!("../../../resources/fonts/Inter-Regular.otf"),
    include_bytes!("../../../resources/fonts/Inter-Medium.otf"),
    include_bytes!("../../../resources/fonts/Inter-SemiBold.otf"),
    include_bytes!("../../../resources/fonts/Inter-Italic.otf"),
    include_bytes!("../../../resources/fonts/Inter-SemiBoldItalic.otf"),
    include_bytes!("../../../resources/fonts/JetBrainsMono-Regular.ttf"),
    include_bytes!("../../../resources/fonts/JetBrainsMono-Bold.ttf"),
    include_bytes!("../../../resources/fonts/JetBrainsMono-Italic.ttf"),
    include_bytes!("../../../resources/fonts/JetBrainsMono-BoldItalic.ttf"),
    include_bytes!("../../../resources/icons/maestro-icons.ttf"),
];

/// Finds the system's fonts and adds the bundled ones. The first call takes about 15 ms; run it on a
/// thread at the start of the program, and the renderer finds the work done. Later calls do nothing.
pub fn load() {
    static LOADED: std::sync::Once = std::sync::Once::new();
    LOADED.call_once(|| {
        // A poisoned lock means that another thread panicked while shaping: the fonts are still good.
        let mut system = font_system().write().unwrap_or_else(std::sync::PoisonError::into_inner);
        for file in FILES {
            system.load_font(Cow::Borrowed(file));
        }
    });
}
