//! Tokens: every colour, distance, radius and type size, by name.

pub mod file;
pub mod import;

use std::sync::LazyLock;
use std::time::Duration;

use iced::{Color, Theme};

/// The colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tokens {
    /// The name a person reads.
    pub name: &'static str,
    /// What it is like, in a few words.
    pub about: &'static str,
    /// Whether it is a dark theme.
    pub dark: bool,
    /// Whether all its ink has a contrast of at least 7.
    pub high_contrast: bool,
    /// Whether its colours of status stay apart for eyes that see two colours.
    pub color_blind_safe: bool,
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
pub static NOCTURNE: LazyLock<Tokens> =
    LazyLock::new(|| file::built_in(include_str!("../themes/nocturne.toml")));

/// The light theme.
pub static MATINEE: LazyLock<Tokens> =
    LazyLock::new(|| file::built_in(include_str!("../themes/matinee.toml")));

/// The other themes that come with the program.
const OTHERS: [&str; 15] = [
    include_str!("../themes/overture.toml"),
    include_str!("../themes/foyer.toml"),
    include_str!("../themes/velvet.toml"),
    include_str!("../themes/indigo-hour.toml"),
    include_str!("../themes/arbor.toml"),
    include_str!("../themes/footlight.toml"),
    include_str!("../themes/backstage.toml"),
    include_str!("../themes/prism.toml"),
    include_str!("../themes/blackout.toml"),
    include_str!("../themes/libretto.toml"),
    include_str!("../themes/rehearsal.toml"),
    include_str!("../themes/promenade.toml"),
    include_str!("../themes/rosewater.toml"),
    include_str!("../themes/lens.toml"),
    include_str!("../themes/limelight.toml"),
];

/// Every theme that comes with the program: the two that are there first, the other dark ones, the
/// other light ones.
pub static ALL: LazyLock<Vec<&'static Tokens>> = LazyLock::new(|| {
    let others = OTHERS.map(|text| file::keep(file::built_in(text)));
    let first: [&'static Tokens; 2] = [&NOCTURNE, &MATINEE];
    first.into_iter().chain(others).collect()
});

/// The theme with a name that comes with the program, in any case; `dark` and `light` are understood,
/// too.
#[must_use]
pub fn named(name: &str) -> Option<&'static Tokens> {
    match name.trim().to_lowercase().as_str() {
        // The two that one starts with, without reading all others.
        "dark" | "nocturne" => Some(&NOCTURNE),
        "light" | "matinee" => Some(&MATINEE),
        name => ALL.iter().copied().find(|tokens| tokens.is_called(name)),
    }
}

/// Ink that is hard to read, and on what.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// The ink.
    pub ink: String,
    /// What is behind it.
    pub surface: &'static str,
    /// Their contrast.
    pub ratio: f32,
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

    /// Whether this is its name, in any case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.trim().to_lowercase()
    }

    /// The first theme of the other kind.
    #[must_use]
    pub fn other(&self) -> &'static Self {
        if self.dark { &MATINEE } else { &NOCTURNE }
    }

    /// The least contrast that its ink should have, by WCAG: 4.5, and 7 where contrast is its purpose.
    #[must_use]
    pub fn least_contrast(&self) -> f32 {
        if self.high_contrast { 7.0 } else { 4.5 }
    }

    /// The pairs of ink and surface that are closer than they should be.
    #[must_use]
    pub fn unreadable(&self) -> Vec<Unreadable> {
        let surfaces = [
            ("base", self.base),
            ("panel", self.panel),
            ("raised", self.raised),
            ("hover", self.hover),
            ("the terminal", self.terminal.background()),
        ];
        let inks = [
            ("text", self.text),
            ("dim", self.dim),
            ("faint", self.faint),
            ("accent", self.accent),
            ("blue", self.blue),
            ("green", self.green),
            ("red", self.red),
            ("purple", self.purple),
            ("orange", self.orange),
        ];
        let on_accent_background =
            [("text", self.text), ("dim", self.dim), ("accent", self.accent)]
                .map(|ink| (ink, ("accent_background", self.accent_background)));
        let window = inks
            .into_iter()
            .flat_map(|ink| surfaces.map(|surface| (ink, surface)))
            .chain(on_accent_background)
            .chain([(("on_accent", self.on_accent), ("accent", self.accent))])
            .map(|((ink, a), (surface, b))| (ink.to_owned(), surface, contrast(a, b)));
        window
            .chain(self.terminal.contrasts(self.dark))
            .filter(|(.., ratio)| *ratio < self.least_contrast())
            .map(|(ink, surface, ratio)| Unreadable { ink, surface, ratio })
            .collect()
    }
}

impl Terminal {
    /// How its ink stands on its background. Black on dark is a background as often as ink, so only black
    /// is left out.
    fn contrasts(&self, dark: bool) -> impl Iterator<Item = (String, &'static str, f32)> {
        let color = |[r, g, b]: [u8; 3]| Color::from_rgb8(r, g, b);
        let named = self.ansi.into_iter().enumerate().skip(usize::from(dark));
        let ink = named.map(|(number, rgb)| (format!("ansi {number}"), rgb));
        let ink = ink.chain([("foreground".to_owned(), self.foreground)]);
        let background = color(self.background);
        let selected = contrast(color(self.foreground), color(self.selection));
        ink.map(move |(name, rgb)| (name, "the terminal", contrast(color(rgb), background)))
            .chain([("foreground".to_owned(), "selection", selected)])
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

    #[test]
    fn every_ink_can_be_read_on_every_surface() {
        let all = ALL.iter().map(|tokens| (tokens.name, tokens.unreadable()));
        let pairs: Vec<_> = all.filter(|(_, pairs)| !pairs.is_empty()).collect();
        assert!(pairs.is_empty(), "{pairs:#?}");
        let mut pale = *NOCTURNE;
        pale.faint = pale.border;
        assert!(!pale.unreadable().is_empty());
    }

    #[test]
    fn there_is_a_theme_for_everybody() {
        let count = |is: fn(&Tokens) -> bool| ALL.iter().filter(|tokens| is(tokens)).count();
        assert!(count(|tokens| tokens.dark) >= 6 && count(|tokens| !tokens.dark) >= 6);
        assert_eq!(count(|tokens| tokens.high_contrast), 2);
        assert_eq!(count(|tokens| tokens.color_blind_safe), 2);
        for (at, tokens) in ALL.iter().enumerate() {
            assert!(!tokens.about.is_empty() && !tokens.about.ends_with('.'), "{}", tokens.name);
            assert_eq!(named(tokens.name), Some(*tokens));
            let same = |other: &&&Tokens| other.is_called(tokens.name);
            assert_eq!(ALL.iter().filter(same).count(), 1, "{}", tokens.name);
            assert_eq!(at < 2, tokens.name == "Nocturne" || tokens.name == "Matinee");
        }
    }

    /// What an eye sees that has two kinds of cones (Machado, Oliveira and Fernandes, 2009).
    const SEEN: [(&str, [[f32; 3]; 3]); 3] = [
        (
            "protan",
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
        ),
        (
            "deutan",
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        ),
        (
            "tritan",
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ),
    ];

    /// A colour in OKLab, as such an eye sees it.
    fn seen(color: Color, by: &[[f32; 3]; 3]) -> [f32; 3] {
        let linear =
            |v: f32| if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
        let rgb = [linear(color.r), linear(color.g), linear(color.b)];
        let times = |rows: &[[f32; 3]; 3], v: [f32; 3]| {
            rows.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
        };
        let rgb = times(by, rgb).map(|v| v.clamp(0.0, 1.0));
        let cones = times(
            &[
                [0.412_221_5, 0.536_332_5, 0.051_446],
                [0.211_903_5, 0.680_699_5, 0.107_397],
                [0.088_302_5, 0.281_718_8, 0.629_978_7],
            ],
            rgb,
        );
        times(
            &[
                [0.210_454_3, 0.793_617_8, -0.004_072],
                [1.977_998_5, -2.428_592_2, 0.450_593_7],
                [0.025_904, 0.782_771_8, -0.808_675_8],
            ],
            cones.map(f32::cbrt),
        )
    }

    #[test]
    fn colours_stay_apart_for_colour_blind_eyes() {
        const APART: f32 = 0.1;
        let mut close = Vec::new();
        for tokens in ALL.iter().filter(|tokens| tokens.color_blind_safe) {
            let all = [
                ("blue", tokens.blue),
                ("green", tokens.green),
                ("red", tokens.red),
                ("purple", tokens.purple),
                ("orange", tokens.orange),
            ];
            for (eye, matrix) in &SEEN {
                for (at, (one, a)) in all.iter().enumerate() {
                    for (other, b) in &all[at + 1..] {
                        let (a, b) = (seen(*a, matrix), seen(*b, matrix));
                        let far = (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f32>().sqrt();
                        if far < APART {
                            close.push(format!("{} {eye}: {one}, {other} {far:.3}", tokens.name));
                        }
                    }
                }
            }
        }
        assert!(close.is_empty(), "{close:#?}");
    }

    #[test]
    fn contrast_knows_its_ends() {
        assert!((contrast(Color::BLACK, Color::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(Color::WHITE, Color::WHITE) - 1.0).abs() < 0.01);
    }

    #[test]
    fn themes_are_found_by_name_and_kind() {
        assert_eq!(named("Nocturne"), Some(&*NOCTURNE));
        assert_eq!(named("light"), Some(&*MATINEE));
        assert_eq!(named(" INDIGO hour ").map(|tokens| tokens.name), Some("Indigo Hour"));
        assert_eq!(named("mauve"), None);
    }
}
