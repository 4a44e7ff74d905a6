//! Tokens: every colour, distance, radius and type size, by name.

mod palette;

use std::time::Duration;

use iced::{Color, Theme};

/// The colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    /// The name a person reads.
    pub name: &'static str,
    /// Whether it is a dark theme.
    pub dark: bool,
    /// The window.
    pub base: Color,
    /// Side panels and bars.
    pub panel: Color,
    /// Headers, cards, menus.
    pub raised: Color,
    /// What the pointer is over, and the selected row.
    pub hover: Color,
    /// Lines.
    pub border: Color,
    /// Outlines of inputs and buttons.
    pub strong: Color,
    /// Ink.
    pub text: Color,
    /// Quieter ink.
    pub dim: Color,
    /// The quietest ink.
    pub faint: Color,
    /// Focus, selection, *needs you*.
    pub accent: Color,
    /// Behind what needs the user.
    pub accent_background: Color,
    /// Ink on the accent.
    pub on_accent: Color,
    /// Working.
    pub blue: Color,
    /// Done, added.
    pub green: Color,
    /// Failed, removed.
    pub red: Color,
    /// Limited.
    pub purple: Color,
    /// Conflict.
    pub orange: Color,
    /// What lies over the window behind a dialog.
    pub backdrop: Color,
    /// Under what floats.
    pub shadow: Color,
    /// Terminals.
    pub terminal: Terminal,
}

/// The colours of terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Default ink.
    pub foreground: [u8; 3],
    /// Default background.
    pub background: [u8; 3],
    /// The cursor.
    pub cursor: [u8; 3],
    /// Behind selected cells.
    pub selection: [u8; 3],
    /// The sixteen named colours, the bright ones last.
    pub ansi: [[u8; 3]; 16],
}

impl Terminal {
    /// The background as a colour of the window.
    #[must_use]
    pub fn background(&self) -> Color {
        let [r, g, b] = self.background;
        Color::from_rgb8(r, g, b)
    }
}

/// The dark theme.
pub static NOCTURNE: Tokens = palette::NOCTURNE;

/// The light theme.
pub static MATINEE: Tokens = palette::MATINEE;

/// Both themes.
pub static ALL: [&Tokens; 2] = [&NOCTURNE, &MATINEE];

/// The theme with a name, in any case; `dark` and `light` are understood, too.
#[must_use]
pub fn named(name: &str) -> Option<&'static Tokens> {
    let name = name.trim().to_lowercase();
    let by_kind = |tokens: &Tokens| name == if tokens.dark { "dark" } else { "light" };
    ALL.into_iter().find(|tokens| tokens.name.to_lowercase() == name || by_kind(tokens))
}

impl Tokens {
    /// The same tokens as iced's own theme, for what iced draws by itself.
    #[must_use]
    pub fn iced(&self) -> Theme {
        let palette = iced::theme::Palette {
            background: self.base,
            text: self.text,
            primary: self.accent,
            success: self.green,
            warning: self.orange,
            danger: self.red,
        };
        Theme::custom(self.name, palette)
    }

    /// The other theme.
    #[must_use]
    pub fn other(&self) -> &'static Self {
        if self.dark { &MATINEE } else { &NOCTURNE }
    }
}

/// Distances.
pub mod space {
    /// Between a glyph and its text in tight places.
    pub const XS: f32 = 4.0;
    /// Between neighbours; the gap of panes.
    pub const S: f32 = 8.0;
    /// Inside rows.
    pub const M: f32 = 12.0;
    /// Inside cards and dialogs.
    pub const L: f32 = 16.0;
    /// Between groups.
    pub const XL: f32 = 24.0;
    /// Around what stands alone.
    pub const XXL: f32 = 32.0;
}

/// Radii of corners.
pub mod radius {
    /// Chords.
    pub const CHORD: f32 = 4.0;
    /// Buttons and inputs.
    pub const BUTTON: f32 = 5.0;
    /// Panes.
    pub const PANE: f32 = 6.0;
    /// Cards.
    pub const CARD: f32 = 8.0;
    /// The palette and dialogs.
    pub const PALETTE: f32 = 10.0;
}

/// Type sizes with their line heights.
pub mod type_scale {
    /// A size and its line height, in logical pixels.
    pub type Step = (f32, f32);
    /// Section labels, chords.
    pub const TINY: Step = (11.0, 15.0);
    /// Reason lines, pills.
    pub const SMALL: Step = (12.0, 18.0);
    /// Everything else.
    pub const BASE: Step = (13.0, 20.0);
    /// Inputs of the palette, headings of cards.
    pub const LARGE: Step = (15.0, 22.0);
    /// Headings of dialogs.
    pub const TITLE: Step = (18.0, 26.0);
    /// The one line of an empty window.
    pub const DISPLAY: Step = (24.0, 32.0);
    /// Code in a conversation.
    pub const CODE: Step = (12.0, 18.0);
    /// Size of terminal text at zoom 1.
    pub const TERMINAL: f32 = 12.0;
}

/// Fixed extents.
pub mod extent {
    /// A line or border.
    pub const LINE: f32 = 1.0;
    /// The bar at the left of a selected row.
    pub const BAR: f32 = 2.0;
    /// Height of an agent's two-line row.
    pub const AGENT_ROW: f32 = 44.0;
    /// Height of a row of a list.
    pub const ROW: f32 = 28.0;
    /// Height of one of several things to choose from.
    pub const CHOICE: f32 = 34.0;
    /// Width of the search bar of a pane.
    pub const FIND: f32 = 420.0;
    /// Height of a pane's header.
    pub const PANE_HEADER: f32 = 30.0;
    /// Height of tabs.
    pub const TABS: f32 = 36.0;
    /// Height of the top bar.
    pub const TOP_BAR: f32 = 40.0;
    /// Height of the status bar.
    pub const STATUS_BAR: f32 = 28.0;
    /// Width of the left panel.
    pub const LEFT_PANEL: f32 = 248.0;
    /// Width of the right panel.
    pub const RIGHT_PANEL: f32 = 320.0;
    /// Width of the palette.
    pub const PALETTE: f32 = 680.0;
    /// From the top of the window to the palette.
    pub const PALETTE_TOP: f32 = 96.0;
    /// Width of a dialog.
    pub const DIALOG: f32 = 520.0;
    /// The widest that what is said in a conversation gets.
    pub const TURNS: f32 = 860.0;
    /// Height of the header of a card.
    pub const CARD_HEADER: f32 = 32.0;
    /// Width of a toast.
    pub const TOAST: f32 = 380.0;
    /// Side of a status glyph in a row.
    pub const GLYPH: f32 = 14.0;
}

/// Durations.
pub mod duration {
    use super::Duration;

    /// How long a toast stays.
    pub const TOAST: Duration = Duration::from_secs(6);
    /// Between two steps of the working arc: five a second, since each step redraws the window.
    pub const ARC_STEP: Duration = Duration::from_millis(200);
}

/// WCAG's contrast ratio of two opaque colours, 1 to 21.
#[must_use]
pub fn contrast(a: Color, b: Color) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(color: Color) -> f32 {
    let linear = |v: f32| if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: f32 = 4.5;

    fn color([r, g, b]: [u8; 3]) -> Color {
        Color::from_rgb8(r, g, b)
    }

    /// Names the pairs of a theme that are too close.
    fn unreadable(tokens: &Tokens) -> Vec<String> {
        let surfaces = [
            ("base", tokens.base),
            ("panel", tokens.panel),
            ("raised", tokens.raised),
            ("hover", tokens.hover),
            ("terminal", tokens.terminal.background()),
        ];
        let inks = [
            ("text", tokens.text),
            ("dim", tokens.dim),
            ("faint", tokens.faint),
            ("accent", tokens.accent),
            ("blue", tokens.blue),
            ("green", tokens.green),
            ("red", tokens.red),
            ("purple", tokens.purple),
            ("orange", tokens.orange),
        ];
        let on_accent_background =
            [("text", tokens.text), ("dim", tokens.dim), ("accent", tokens.accent)]
                .map(|ink| (ink, ("accent_background", tokens.accent_background)));
        inks.into_iter()
            .flat_map(|ink| surfaces.map(|surface| (ink, surface)))
            .chain(on_accent_background)
            .chain([(("on_accent", tokens.on_accent), ("accent", tokens.accent))])
            .map(|((ink, a), (surface, b))| (ink, surface, contrast(a, b)))
            .filter(|(.., ratio)| *ratio < LEAST)
            .map(|(ink, surface, ratio)| format!("{}: {ink} on {surface} {ratio:.2}", tokens.name))
            .collect()
    }

    /// Names the terminal colours of a theme that cannot be read on its background. Black on dark and
    /// black's bright sister are backgrounds as often as ink, so only black is exempt.
    fn unreadable_in_terminals(tokens: &Tokens) -> Vec<String> {
        let terminal = &tokens.terminal;
        let background = color(terminal.background);
        let named = terminal.ansi.iter().enumerate().skip(usize::from(tokens.dark));
        named
            .map(|(index, rgb)| (index.to_string(), *rgb))
            .chain([("foreground".to_owned(), terminal.foreground)])
            .map(|(name, rgb)| (name, contrast(color(rgb), background)))
            .filter(|(_, ratio)| *ratio < LEAST)
            .map(|(name, ratio)| format!("{}: {name} {ratio:.2}", tokens.name))
            .collect()
    }

    #[test]
    fn every_ink_can_be_read_on_every_surface() {
        let pairs: Vec<_> = ALL.into_iter().flat_map(unreadable).collect();
        assert!(pairs.is_empty(), "{pairs:#?}");
    }

    #[test]
    fn terminal_colours_can_be_read() {
        let names: Vec<_> = ALL.into_iter().flat_map(unreadable_in_terminals).collect();
        assert!(names.is_empty(), "{names:#?}");
    }

    #[test]
    fn selected_text_can_be_read() {
        for tokens in ALL {
            let terminal = &tokens.terminal;
            let ratio = contrast(color(terminal.foreground), color(terminal.selection));
            assert!(ratio >= LEAST, "{}: {ratio:.2}", tokens.name);
        }
    }

    #[test]
    fn contrast_knows_its_ends() {
        assert!((contrast(Color::BLACK, Color::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(Color::WHITE, Color::WHITE) - 1.0).abs() < 0.01);
    }

    #[test]
    fn themes_are_found_by_name_and_kind() {
        assert_eq!(named("Nocturne"), Some(&NOCTURNE));
        assert_eq!(named("light"), Some(&MATINEE));
        assert_eq!(named("mauve"), None);
    }
}
