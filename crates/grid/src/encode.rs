//! Cells as they are drawn: colours worked out, glyphs looked up. Four words each.
//!
//! ```text
//! 0  own glyph's slot (16) · slot of what a neighbour's glyph reaches over (16)
//! 1  ink: red, green, blue · underline (3 bits, a line's slot) · struck (1 bit) · second ink is the
//!    neighbour's (1 bit) · own picture is faint (1 bit) · the neighbour's is (1 bit)
//! 2  behind: red, green, blue · in a row's first cell: what the shell said about the row (2 bits)
//! 3  second ink: of the underline, or of the neighbour's glyph
//! ```
//!
//! Both renderers read nothing else, apart from the cursor. So what a cell looks like is decided here,
//! once for both.

use maestro_core::screen::{Cell, Extra, Mark, Row, Underline, flags};
use maestro_glyph::{Atlas, Line, Pieces, Style};

use crate::contrast::Contrasts;
use crate::look::{Colors, Rgb};

/// An encoded cell. The layout is the texture's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Word4(pub(crate) [u32; 4]);

/// Where the bits above a colour begin.
pub(crate) const UNDERLINE_SHIFT: u32 = 24;
/// The cell is struck through.
pub(crate) const STRUCK: u32 = 1 << 27;
/// The second ink is the neighbour's and not the underline's.
pub(crate) const NEIGHBOUR_INK: u32 = 1 << 28;

/// The own glyph, where it is a picture, is faint.
pub(crate) const FAINT: u32 = 1 << 29;
/// The neighbour's glyph, where it is a picture, is faint.
pub(crate) const NEIGHBOUR_FAINT: u32 = 1 << 30;
/// Where a row's mark begins, in the first cell's third word.
pub(crate) const MARK_SHIFT: u32 = 24;
/// How much of a faint picture is left, of 255. The shader has the same.
pub(crate) const FAINT_SHARE: u32 = 153;

/// Gives the pieces of a glyph, drawing it where nobody has asked for it before.
pub(crate) trait Glyphs {
    fn char(&mut self, c: char, style: Style, columns: u8) -> Pieces;
    fn cluster(&mut self, text: &str, style: Style, columns: u8) -> Pieces;
}

/// What the encoder remembers of a cell for its neighbours.
#[derive(Debug, Clone, Copy, Default)]
struct Reach {
    left: (u16, u16),
    right: (u16, u16),
    ink: u32,
    faint: bool,
}

/// Encodes rows. Keeps its working memory between them.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    reaches: Vec<Reach>,
    contrasts: Contrasts,
}

impl Encoder {
    /// Encodes a row into as many cells as `out` has.
    pub(crate) fn row(
        &mut self,
        row: &Row,
        colors: &Colors,
        glyphs: &mut impl Glyphs,
        out: &mut [Word4],
    ) {
        self.reaches.clear();
        self.reaches.resize(out.len(), Reach::default());
        let mut overhangs = false;
        let mut col = 0;
        while col < out.len() {
            let cell = row.cells.get(col).copied().unwrap_or(Cell::BLANK);
            let wide = cell.has(flags::WIDE) && col + 1 < out.len();
            let mut inks = Inks::of(&cell, row, colors);
            if colors.contrast > 100 && !cell.has(flags::HIDDEN) && !is_area(&cell) {
                inks.ink = self.contrasts.readable(inks.ink, inks.behind, colors.contrast);
            }
            let borrows = !wide && col + 1 < out.len() && borrows(row, &cell, col);
            let mut pieces = pieces(row, &cell, wide || borrows, glyphs);
            if borrows {
                // The blank cell stays its own; the picture reaches over into it.
                (pieces.right, pieces.overhang[1]) = (pieces.cells[1], u16::MAX);
            }
            let span = if wide { 2 } else { 1 };
            for (place, word) in out[col..col + span].iter_mut().enumerate() {
                *word = inks.word(pieces.cells[place]);
            }
            if pieces.left != 0 || pieces.right != 0 {
                overhangs = true;
                let faint = cell.has(flags::DIM);
                let reach = Reach { ink: inks.ink, faint, ..Reach::default() };
                self.reaches[col] = Reach { left: (pieces.left, pieces.overhang[0]), ..reach };
                let left = self.reaches[col].left;
                self.reaches[col + span - 1] = Reach {
                    left: if span == 1 { left } else { (0, 0) },
                    right: (pieces.right, pieces.overhang[1]),
                    ..reach
                };
            }
            col += span;
        }
        if overhangs {
            self.reach_over(out);
        }
        if let (Some(first), true) = (out.first_mut(), row.mark != Mark::None) {
            first.0[2] |= mark_number(row.mark) << MARK_SHIFT;
        }
    }

    /// Gives every cell what its neighbours' glyphs reach over into it; where both do, the one with
    /// more ink.
    fn reach_over(&self, out: &mut [Word4]) {
        for (col, word) in out.iter_mut().enumerate() {
            let before = col.checked_sub(1).and_then(|col| self.reaches.get(col));
            let from_left = before.map_or(((0, 0), 0, false), |r| (r.right, r.ink, r.faint));
            let after = self.reaches.get(col + 1);
            let from_right = after.map_or(((0, 0), 0, false), |r| (r.left, r.ink, r.faint));
            let (reach, ink, faint) =
                if from_left.0.1 >= from_right.0.1 { from_left } else { from_right };
            if reach.0 == 0 {
                continue;
            }
            word.0[0] |= u32::from(reach.0) << 16;
            if faint {
                word.0[1] |= NEIGHBOUR_FAINT;
            }
            // The underline's own colour is rare, and so is a neighbour of another one: the colour
            // of the underline goes first.
            let underlined = word.0[1] >> UNDERLINE_SHIFT & 0b111 != 0;
            if !underlined {
                word.0[1] |= NEIGHBOUR_INK;
                word.0[3] = ink;
            }
        }
    }
}

/// The colours of one cell, packed, and the lines through it.
struct Inks {
    ink: u32,
    behind: u32,
    line: u32,
    underline: u32,
    /// The bits beside the colour that are no underline.
    struck: u32,
}

impl Inks {
    fn of(cell: &Cell, row: &Row, colors: &Colors) -> Self {
        /// What most cells have none of.
        const RARE: u16 = flags::INVERSE
            | flags::DIM
            | flags::SELECTED
            | flags::MATCH
            | flags::CURRENT
            | flags::HIDDEN
            | flags::UNDERLINE_MASK;
        let ink = colors.resolve(cell.fg, pack(colors.foreground));
        let behind = colors.resolve(cell.bg, pack(colors.background));
        let struck = if cell.has(flags::STRIKE) { STRUCK } else { 0 };
        let inks = Self { ink, behind, line: ink, underline: 0, struck };
        if cell.has(RARE) || cell.extra != 0 {
            inks.altered(cell, extra(row, cell), colors)
        } else {
            inks
        }
    }

    fn altered(mut self, cell: &Cell, extra: Option<&Extra>, colors: &Colors) -> Self {
        if cell.has(flags::INVERSE) {
            std::mem::swap(&mut self.ink, &mut self.behind);
        }
        if cell.has(flags::DIM) {
            self.ink = pack(mix(unpack(self.ink), unpack(self.behind), 0.4));
        }
        if cell.has(flags::SELECTED) {
            self.behind = pack(colors.selection);
            self.ink = colors.selection_text.map_or(self.ink, pack);
        } else if cell.has(flags::CURRENT) {
            self.behind = pack(colors.current);
            self.ink = pack(colors.current_text);
        } else if cell.has(flags::MATCH) {
            self.behind = pack(colors.found);
            self.ink = pack(colors.found_text);
        }
        let own_line = extra.and_then(|extra| extra.underline);
        self.line = own_line.map_or(self.ink, |color| colors.resolve(color, self.ink));
        let link = extra.is_some_and(|extra| extra.link.is_some());
        self.underline = underline(Underline::of(cell.flags), link);
        if cell.has(flags::DIM) {
            self.struck |= FAINT;
        }
        if cell.has(flags::HIDDEN) {
            // Nothing of it shows, its lines included.
            (self.ink, self.struck, self.underline) = (self.behind, 0, 0);
        }
        self
    }

    fn word(&self, slot: u16) -> Word4 {
        let lines = self.underline << UNDERLINE_SHIFT | self.struck;
        Word4([u32::from(slot), self.ink | lines, self.behind, self.line])
    }
}

/// The slot of an underline. A link that has none is shown by dots.
fn underline(style: Underline, link: bool) -> u32 {
    let line = match style {
        Underline::None if link => Line::Dotted,
        Underline::None => return 0,
        Underline::Single => Line::Single,
        Underline::Double => Line::Double,
        Underline::Curl => Line::Curl,
        Underline::Dotted => Line::Dotted,
        Underline::Dashed => Line::Dashed,
    };
    u32::from(Atlas::line(line))
}

fn extra<'a>(row: &'a Row, cell: &Cell) -> Option<&'a Extra> {
    row.extras.get(usize::from(cell.extra.checked_sub(1)?))
}

fn pieces(row: &Row, cell: &Cell, wide: bool, glyphs: &mut impl Glyphs) -> Pieces {
    if cell.has(flags::SPACER | flags::HIDDEN) {
        return Pieces::default();
    }
    let style = Style { bold: cell.has(flags::BOLD), italic: cell.has(flags::ITALIC) };
    let columns = if wide { 2 } else { 1 };
    if cell.has(flags::CLUSTER) {
        return match row.clusters.get(cell.glyph as usize) {
            Some(text) if !text.is_empty() => glyphs.cluster(text, style, columns),
            _ => Pieces::default(),
        };
    }
    match char::from_u32(cell.glyph) {
        Some('\0' | ' ') => Pieces::default(),
        Some(c) => glyphs.char(c, style, columns),
        None => glyphs.char(char::REPLACEMENT_CHARACTER, style, columns),
    }
}

/// Whether a cell's picture takes the blank cell behind it as well. Programs ask for the coloured form of
/// a character by a mark behind it (U+FE0F), which does not change how many cells it has, and leave a blank
/// for the picture.
fn borrows(row: &Row, cell: &Cell, col: usize) -> bool {
    let picture = cell.has(flags::CLUSTER)
        && row.clusters.get(cell.glyph as usize).is_some_and(|text| text.contains('\u{fe0f}'));
    picture
        && row.cells.get(col + 1).is_none_or(|next| {
            matches!(next.glyph, 0 | 0x20)
                && !next.has(flags::CLUSTER | flags::SPACER | flags::WIDE)
        })
}

/// Whether a cell's glyph is an area rather than text: its colour is meant as it is, because it goes on in
/// the background of a neighbour.
fn is_area(cell: &Cell) -> bool {
    !cell.has(flags::CLUSTER)
        && matches!(cell.glyph, 0x2580..=0x259f | 0xe0b0..=0xe0d7 | 0x1fb00..=0x1fbaf
            | 0x1cd00..=0x1cde5)
}

fn mark_number(mark: Mark) -> u32 {
    match mark {
        Mark::None => 0,
        Mark::Prompt => 1,
        Mark::Done => 2,
        Mark::Failed => 3,
    }
}

/// A colour as the textures hold it.
pub(crate) const fn pack([r, g, b]: Rgb) -> u32 {
    r as u32 | (g as u32) << 8 | (b as u32) << 16
}

/// A packed colour taken apart; the bits above are something else's.
pub(crate) const fn unpack(word: u32) -> Rgb {
    [word as u8, (word >> 8) as u8, (word >> 16) as u8]
}

fn mix(from: Rgb, to: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|channel| {
        let (from, to) = (f32::from(from[channel]), f32::from(to[channel]));
        (from + (to - from) * share).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use maestro_core::screen::Color;

    use super::*;
    use crate::look::Palette;

    /// Gives every glyph its own code as slots and makes `f` reach to the right, `j` to the left.
    struct Fake;

    impl Glyphs for Fake {
        fn char(&mut self, c: char, style: Style, columns: u8) -> Pieces {
            let own = c as u16 + if style.bold { 0x1000 } else { 0 };
            let mut pieces = Pieces { cells: [own, 0], ..Pieces::default() };
            if columns == 2 {
                pieces.cells[1] = own + 1;
            }
            match c {
                'f' => (pieces.right, pieces.overhang[1]) = (900, 5),
                'j' => (pieces.left, pieces.overhang[0]) = (901, 9),
                _ => {}
            }
            pieces
        }

        fn cluster(&mut self, text: &str, style: Style, columns: u8) -> Pieces {
            self.char(text.chars().next().expect("text"), style, columns)
        }
    }

    fn encode(cells: &[Cell], extras: Vec<Extra>, clusters: &[&str]) -> Vec<Word4> {
        let row = Row {
            cells: cells.to_vec(),
            clusters: clusters.iter().map(|&text| text.to_owned()).collect(),
            extras,
            wrapped: false,
            mark: maestro_core::screen::Mark::None,
        };
        let mut out = vec![Word4::default(); cells.len() + 1];
        let colors = Colors::new(&Palette::NOCTURNE, &[]);
        Encoder::default().row(&row, &colors, &mut Fake, &mut out);
        out
    }

    fn cell(c: char, flags: u16) -> Cell {
        Cell { glyph: c as u32, flags, ..Cell::BLANK }
    }

    #[test]
    fn attributes_become_colors() {
        let Palette {
            foreground,
            background,
            selection,
            found,
            found_text,
            current,
            current_text,
            ansi,
            ..
        } = Palette::NOCTURNE;
        let red = Color::indexed(1);
        let cases: [(&str, Cell, Rgb, Rgb); 10] = [
            ("plain", cell('a', 0), foreground, background),
            ("red", Cell { fg: red, ..cell('a', 0) }, ansi[1], background),
            ("bold is not bright", Cell { fg: red, ..cell('a', flags::BOLD) }, ansi[1], background),
            ("inverse", cell('a', flags::INVERSE), background, foreground),
            ("dim", cell('a', flags::DIM), mix(foreground, background, 0.4), background),
            ("hidden", cell('a', flags::HIDDEN), background, background),
            ("selected", cell('a', flags::SELECTED | flags::INVERSE), background, selection),
            ("found", cell('a', flags::MATCH), found_text, found),
            ("current", cell('a', flags::MATCH | flags::CURRENT), current_text, current),
            ("selected match", cell('a', flags::MATCH | flags::SELECTED), foreground, selection),
        ];
        for (name, cell, ink, behind) in cases {
            let word = encode(&[cell], Vec::new(), &[])[0].0;
            assert_eq!((unpack(word[1]), unpack(word[2])), (ink, behind), "{name}");
        }
    }

    #[test]
    fn hidden_text_shows_nothing() {
        let flags = flags::HIDDEN | flags::STRIKE | Underline::Curl.bits();
        for hidden in [cell('a', flags), cell('🚀', flags | flags::WIDE)] {
            let word = encode(&[hidden], Vec::new(), &[])[0].0;
            assert_eq!((word[0], word[1]), (0, word[2]));
        }
    }

    #[test]
    fn faint_pictures_say_so() {
        let dim = cell('f', flags::DIM);
        let words = encode(&[dim, cell('b', 0)], vec![], &[]);
        assert_eq!((words[0].0[1] & FAINT, words[1].0[1] & FAINT), (FAINT, 0));
        assert_eq!(words[1].0[1] & NEIGHBOUR_FAINT, NEIGHBOUR_FAINT);
    }

    #[test]
    fn prompts_are_marked_in_the_first_cell_only() {
        let colors = Colors::new(&Palette::NOCTURNE, &[]);
        for (mark, expected) in
            [(Mark::None, 0), (Mark::Prompt, 1), (Mark::Done, 2), (Mark::Failed, 3)]
        {
            let row = Row { mark, ..Row::default() };
            let mut out = [Word4::default(); 2];
            Encoder::default().row(&row, &colors, &mut Fake, &mut out);
            assert_eq!(out.map(|word| word.0[2] >> MARK_SHIFT), [expected, 0]);
            assert_eq!(unpack(out[0].0[2]), colors.background);
        }
    }

    #[test]
    fn contrast_is_kept_for_text_and_not_for_areas() {
        let faint = Color::rgb(20, 20, 20);
        let row = Row {
            cells: ['a', '█'].map(|c| Cell { fg: faint, ..cell(c, 0) }).to_vec(),
            ..Row::default()
        };
        let mut colors = Colors::new(&Palette::NOCTURNE, &[]);
        colors.contrast = 450;
        let mut out = [Word4::default(); 2];
        Encoder::default().row(&row, &colors, &mut Fake, &mut out);
        assert!(unpack(out[0].0[1])[0] > 100, "{out:?}");
        assert_eq!(unpack(out[1].0[1]), [20; 3]);
    }

    #[test]
    fn lines_have_a_style_and_a_color() {
        let curl = Cell { extra: 1, ..cell('a', Underline::Curl.bits() | flags::STRIKE) };
        let extras = vec![Extra { underline: Some(Color::rgb(1, 2, 3)), link: None }];
        let word = encode(&[curl], extras, &[])[0].0;
        assert_eq!(word[1] >> UNDERLINE_SHIFT & 7, u32::from(Atlas::line(Line::Curl)));
        assert_ne!(word[1] & STRUCK, 0);
        assert_eq!(unpack(word[3]), [1, 2, 3]);

        let plain = encode(&[cell('a', Underline::Single.bits())], Vec::new(), &[])[0].0;
        assert_eq!(unpack(plain[3]), unpack(plain[1]));

        let link = Cell { extra: 1, ..cell('a', 0) };
        let extras = vec![Extra { underline: None, link: Some("https://a.b".to_owned()) }];
        let word = encode(&[link], extras, &[])[0].0;
        assert_eq!(word[1] >> UNDERLINE_SHIFT & 7, u32::from(Atlas::line(Line::Dotted)));
    }

    #[test]
    fn wide_glyphs_fill_two_cells() {
        let words = encode(&[cell('好', flags::WIDE), cell('x', flags::SPACER)], vec![], &[]);
        assert_eq!(words[0].0[0] + 1, words[1].0[0]);
        // A wide character that lost its second half at the border is a narrow one.
        let row = Row { cells: vec![cell('好', flags::WIDE)], ..Row::default() };
        let mut out = [Word4::default(); 1];
        let colors = Colors::new(&Palette::NOCTURNE, &[]);
        Encoder::default().row(&row, &colors, &mut Fake, &mut out);
        assert_eq!(out[0].0[0] as u16, '好' as u16);
    }

    #[test]
    fn neighbours_reach_over_with_their_own_ink() {
        let red = Cell { fg: Color::indexed(1), ..cell('f', 0) };
        let words = encode(&[red, cell('b', 0)], vec![], &[]);
        assert_eq!(words[1].0[0], u32::from(b'b') | 900 << 16);
        assert_ne!(words[1].0[1] & NEIGHBOUR_INK, 0);
        assert_eq!(unpack(words[1].0[3]), Palette::NOCTURNE.ansi[1]);

        let both = encode(&[cell('f', 0), cell(' ', 0), cell('j', 0)], vec![], &[]);
        assert_eq!(both[1].0[0] >> 16, 901);
    }

    #[test]
    fn a_picture_takes_the_blank_behind_it_and_nothing_else() {
        let picture = Cell { flags: flags::CLUSTER, ..Cell::BLANK };
        let blank = Cell { bg: Color::indexed(4), ..Cell::BLANK };
        for (next, cluster, reaches) in [
            (blank, "⚠\u{fe0f}", true),
            (cell(' ', 0), "⚠\u{fe0f}", true),
            (cell('x', 0), "⚠\u{fe0f}", false),
            (cell('好', flags::WIDE), "⚠\u{fe0f}", false),
            (blank, "e\u{301}", false),
        ] {
            let words = encode(&[picture, next], Vec::new(), &[cluster]);
            let own = words[0].0[0] & 0xffff;
            let expected = if reaches { own + 1 } else { 0 };
            assert_eq!(words[1].0[0] >> 16, expected, "{cluster} before {next:?}");
            let behind = Inks::of(&next, &Row::default(), &Colors::new(&Palette::NOCTURNE, &[]));
            assert_eq!(words[1].0[2], behind.behind);
        }
        // At the border there is nothing to borrow.
        let row =
            Row { cells: vec![picture], clusters: vec!["⚠\u{fe0f}".into()], ..Row::default() };
        let mut out = [Word4::default(); 1];
        let colors = Colors::new(&Palette::NOCTURNE, &[]);
        Encoder::default().row(&row, &colors, &mut Fake, &mut out);
        assert_eq!(out[0].0[0] >> 16, 0);
    }

    #[test]
    fn nonsense_in_a_row_draws_something_and_does_not_panic() {
        let cluster = Cell { glyph: 9, flags: flags::CLUSTER, extra: 77, ..Cell::BLANK };
        let surrogate = Cell { glyph: 0xd800, ..Cell::BLANK };
        let words = encode(&[cluster, surrogate, cell('é', flags::CLUSTER)], vec![], &[""]);
        assert_eq!(words[0].0[0], 0);
        assert_eq!(words[1].0[0] as u16, 0xfffd);
    }
}
