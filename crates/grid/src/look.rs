//! How terminals look: typeface, size, colours.

use std::sync::Arc;

use maestro_core::screen::{
    Color, ColorKind, ColorOverride, OVERRIDE_BACKGROUND, OVERRIDE_CURSOR, OVERRIDE_FOREGROUND,
    fixed_color,
};
use maestro_glyph::Faces;

use crate::contrast;
use crate::encode::{pack, unpack};

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Everything that decides how a terminal is drawn besides its content. Shared by all terminals of a
/// window; made anew when the user changes the theme or the size.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The typeface.
    pub faces: Faces,
    /// Size of the type in logical pixels.
    pub size: f32,
    /// Height of a row as a multiple of what the typeface asks for.
    pub line_height: f32,
    /// Colours.
    pub palette: Palette,
    /// The least contrast of text with what is behind it, as WCAG counts it: 1 leaves colours as they
    /// are, 4.5 can be read by nearly everybody, 21 is black on white.
    pub minimum_contrast: f32,
}

impl Look {
    /// A look in these faces and colours, ready to be shared.
    #[must_use]
    pub fn new(faces: Faces, size: f32, palette: Palette) -> Arc<Self> {
        Arc::new(Self { faces, size, line_height: 1.0, palette, minimum_contrast: 1.0 })
    }
}

/// The colours of a theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Text that names no colour.
    pub foreground: Rgb,
    /// Behind text that names no colour, and around the cells.
    pub background: Rgb,
    /// The cursor.
    pub cursor: Rgb,
    /// The character under a block cursor.
    pub cursor_text: Rgb,
    /// Behind selected text.
    pub selection: Rgb,
    /// Selected text; each character keeps its own colour when absent.
    pub selection_text: Option<Rgb>,
    /// Behind text that a search found.
    pub found: Rgb,
    /// Text that a search found.
    pub found_text: Rgb,
    /// Behind the match that a search stands at, and behind labels for choosing.
    pub current: Rgb,
    /// The match that a search stands at, and labels for choosing.
    pub current_text: Rgb,
    /// Beside prompts (OSC 133): of a command not given or not done yet, of one that ended well, of one
    /// that failed.
    pub marks: [Rgb; 3],
    /// The sixteen named colours: eight, then their bright variants.
    pub ansi: [Rgb; 16],
}

impl Palette {
    /// The dark theme's colours.
    pub const NOCTURNE: Self = Self {
        foreground: [0xe6, 0xe9, 0xef],
        background: [0x0b, 0x0d, 0x10],
        cursor: [0xe3, 0xb2, 0x5a],
        cursor_text: [0x0b, 0x0d, 0x10],
        selection: [0x2f, 0x3b, 0x4f],
        selection_text: None,
        found: [0x6b, 0x52, 0x1f],
        found_text: [0xff, 0xf4, 0xdc],
        current: [0xe3, 0xb2, 0x5a],
        current_text: [0x0b, 0x0d, 0x10],
        marks: [[0x3d, 0x46, 0x54], [0x3f, 0x6b, 0x4c], [0xc0, 0x55, 0x5d]],
        ansi: [
            [0x1a, 0x1e, 0x25],
            [0xee, 0x6c, 0x74],
            [0x74, 0xc2, 0x88],
            [0xe3, 0xb2, 0x5a],
            [0x6c, 0xa8, 0xe8],
            [0xb6, 0x93, 0xee],
            [0x5f, 0xc0, 0xc6],
            [0xc8, 0xcf, 0xda],
            [0x6b, 0x76, 0x86],
            [0xff, 0x8c, 0x93],
            [0x93, 0xdb, 0xa4],
            [0xf2, 0xcb, 0x80],
            [0x91, 0xc3, 0xf7],
            [0xcd, 0xb3, 0xf7],
            [0x86, 0xdb, 0xe0],
            [0xf5, 0xf7, 0xfa],
        ],
    };

    /// The light theme's colours.
    pub const MATINEE: Self = Self {
        foreground: [0x1d, 0x21, 0x27],
        background: [0xff, 0xff, 0xff],
        cursor: [0x8f, 0x5f, 0x00],
        cursor_text: [0xff, 0xff, 0xff],
        selection: [0xcf, 0xdf, 0xf3],
        selection_text: None,
        found: [0xf7, 0xdf, 0xa0],
        found_text: [0x1d, 0x21, 0x27],
        current: [0x8f, 0x5f, 0x00],
        current_text: [0xff, 0xff, 0xff],
        marks: [[0xc4, 0xca, 0xd2], [0x9c, 0xc9, 0xaa], [0xd6, 0x6a, 0x72]],
        ansi: [
            [0x1d, 0x21, 0x27],
            [0xb8, 0x23, 0x2f],
            [0x21, 0x7a, 0x3c],
            [0x8f, 0x5f, 0x00],
            [0x1f, 0x64, 0xb0],
            [0x6d, 0x3f, 0xc0],
            [0x0c, 0x72, 0x7a],
            [0x6b, 0x73, 0x7e],
            [0x53, 0x5c, 0x69],
            [0xd0, 0x3a, 0x45],
            [0x2c, 0x90, 0x4b],
            [0xa6, 0x73, 0x0d],
            [0x2f, 0x78, 0xc8],
            [0x82, 0x56, 0xd2],
            [0x16, 0x88, 0x91],
            [0x3a, 0x41, 0x4b],
        ],
    };
}

impl Default for Palette {
    fn default() -> Self {
        Self::NOCTURNE
    }
}

/// The colours of one terminal: the theme's with what its child changed, all 256 of them worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Colors {
    /// Packed as textures hold them: this table is read for nearly every cell.
    indexed: [u32; 256],
    pub(crate) foreground: Rgb,
    pub(crate) background: Rgb,
    pub(crate) cursor: Rgb,
    pub(crate) cursor_text: Rgb,
    pub(crate) selection: Rgb,
    pub(crate) selection_text: Option<Rgb>,
    pub(crate) found: Rgb,
    pub(crate) found_text: Rgb,
    pub(crate) current: Rgb,
    pub(crate) current_text: Rgb,
    pub(crate) marks: [Rgb; 3],
    /// The least contrast, in hundredths; 100 and less change nothing.
    pub(crate) contrast: u32,
}

impl Colors {
    /// The colours of a look, with what a child changed.
    pub(crate) fn of(look: &Look, overrides: &[ColorOverride]) -> Self {
        let ratio = if look.minimum_contrast.is_finite() { look.minimum_contrast } else { 1.0 };
        let contrast = (ratio.clamp(1.0, 21.0) * 100.0).round() as u32;
        let mut colors = Self { contrast, ..Self::new(&look.palette, overrides) };
        if contrast > 100 {
            let readable =
                contrast::readable(pack(colors.cursor_text), pack(colors.cursor), contrast);
            colors.cursor_text = unpack(readable);
        }
        colors
    }

    pub(crate) fn new(palette: &Palette, overrides: &[ColorOverride]) -> Self {
        let mut colors = Self {
            indexed: indexed(&palette.ansi).map(pack),
            foreground: palette.foreground,
            background: palette.background,
            cursor: palette.cursor,
            cursor_text: palette.cursor_text,
            selection: palette.selection,
            selection_text: palette.selection_text,
            found: palette.found,
            found_text: palette.found_text,
            current: palette.current,
            current_text: palette.current_text,
            marks: palette.marks,
            contrast: 100,
        };
        for (index, color) in overrides {
            match *index {
                OVERRIDE_FOREGROUND => colors.foreground = *color,
                OVERRIDE_BACKGROUND => colors.background = *color,
                OVERRIDE_CURSOR => {
                    colors.cursor = *color;
                    colors.cursor_text = colors.background;
                }
                index => {
                    if let Some(slot) = colors.indexed.get_mut(usize::from(index)) {
                        *slot = pack(*color);
                    }
                }
            }
        }
        colors
    }

    /// The colour itself, packed; `default` for one that is not named.
    pub(crate) fn resolve(&self, color: Color, default: u32) -> u32 {
        match color.kind() {
            ColorKind::Default => default,
            ColorKind::Indexed(index) => self.indexed[usize::from(index)],
            ColorKind::Rgb(r, g, b) => pack([r, g, b]),
        }
    }
}

/// The 256-colour palette: a theme's sixteen, then those every terminal shares.
fn indexed(ansi: &[Rgb; 16]) -> [Rgb; 256] {
    std::array::from_fn(|index| {
        u8::try_from(index).ok().and_then(fixed_color).unwrap_or_else(|| ansi[index % 16])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_resolve() {
        let palette = Palette::NOCTURNE;
        let overrides = [(1, [1, 2, 3]), (OVERRIDE_BACKGROUND, [9, 9, 9]), (999, [0, 0, 0])];
        let colors = Colors::new(&palette, &overrides);
        let cases = [
            (Color::DEFAULT, [7, 7, 7]),
            (Color::indexed(1), [1, 2, 3]),
            (Color::indexed(2), palette.ansi[2]),
            (Color::indexed(16), [0, 0, 0]),
            (Color::indexed(21), [0, 0, 255]),
            (Color::indexed(231), [255, 255, 255]),
            (Color::indexed(232), [8, 8, 8]),
            (Color::indexed(255), [238, 238, 238]),
            (Color::rgb(5, 6, 7), [5, 6, 7]),
        ];
        for (color, expected) in cases {
            assert_eq!(unpack(colors.resolve(color, pack([7, 7, 7]))), expected, "{color:?}");
        }
        assert_eq!(colors.background, [9, 9, 9]);
    }
}
