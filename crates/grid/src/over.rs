//! What the window lays over a terminal's rows before they are encoded: text being composed, the underline
//! of the link under the pointer, labels to choose by.
//!
//! All of it is cells like those of the terminal itself, so both renderers draw it without knowing.

use std::ops::Range;

use maestro_core::screen::{Cell, Color, Row, Underline, flags};
use unicode_width::UnicodeWidthChar;

use crate::look::{Colors, Rgb};
use crate::pane::{Hint, Preedit};

/// The most characters of a label that are drawn.
const LABEL: usize = 8;

/// Underlines cells, in their own colours.
pub(crate) fn underline(row: &mut Row, from: u16, to: u16) {
    let (from, to) = (usize::from(from), usize::from(to).min(row.cells.len()));
    for cell in row.cells.get_mut(from..to).unwrap_or_default() {
        cell.flags = cell.flags & !flags::UNDERLINE_MASK | Underline::Single.bits();
    }
}

/// Puts the text that an input method is composing from the cursor on. What does not fit behind it begins
/// further left, as far as there is room.
pub(crate) fn preedit(row: &mut Row, preedit: &Preedit, cursor: u16) {
    let cols = row.cells.len();
    let width: usize = preedit.text.chars().filter_map(UnicodeWidthChar::width).sum();
    let caret = preedit.selection.clone().filter(Range::is_empty).map(|range| range.start);
    let caret_behind = caret.is_some_and(|at| at >= preedit.text.len());
    let needed = width + usize::from(caret_behind);
    let mut col = usize::from(cursor).min(cols.saturating_sub(needed));
    let line = Underline::Single.bits();
    for (offset, c) in preedit.text.char_indices() {
        let width = c.width().unwrap_or(0);
        if width == 0 || col + width > cols {
            continue;
        }
        let inside = preedit.selection.as_ref().is_some_and(|range| range.contains(&offset));
        let chosen = if inside || caret == Some(offset) { flags::INVERSE } else { 0 };
        let wide = if width > 1 { flags::WIDE } else { 0 };
        put(row, col, Cell { glyph: c as u32, flags: line | chosen | wide, ..Cell::BLANK });
        if width > 1 {
            put_spacer(row, col + 1, line | chosen);
        }
        col += width;
    }
    if caret_behind && col < cols {
        put(row, col, Cell { flags: flags::INVERSE, ..Cell::BLANK });
    }
}

/// Puts a label over cells.
pub(crate) fn hint(row: &mut Row, hint: &Hint, colors: &Colors) {
    let rgb = |[r, g, b]: Rgb| Color::rgb(r, g, b);
    let (text, behind) = (rgb(colors.current_text), rgb(colors.current));
    for (place, c) in hint.label.chars().take(LABEL).enumerate() {
        let col = usize::from(hint.col) + place;
        if col >= row.cells.len() || c.width() != Some(1) {
            return;
        }
        let flags = if place < hint.typed { flags::DIM } else { flags::BOLD };
        put(row, col, Cell { glyph: c as u32, fg: text, bg: behind, flags, extra: 0 });
    }
}

/// Puts one cell, and blanks the other half of a wide character that it cuts.
fn put(row: &mut Row, col: usize, cell: Cell) {
    let is = |col: usize, flag| row.cells.get(col).is_some_and(|cell| cell.has(flag));
    let (cuts_left, cuts_right) = (is(col, flags::SPACER), is(col, flags::WIDE));
    if cuts_left && let Some(half) = col.checked_sub(1).and_then(|col| row.cells.get_mut(col)) {
        *half = Cell { glyph: 0, flags: half.flags & !(flags::WIDE | flags::CLUSTER), ..*half };
    }
    if cuts_right && let Some(half) = row.cells.get_mut(col + 1) {
        *half = Cell { glyph: 0, flags: half.flags & !flags::SPACER, ..*half };
    }
    if let Some(place) = row.cells.get_mut(col) {
        *place = cell;
    }
}

/// Puts the second half of a wide character whose first half stands already.
fn put_spacer(row: &mut Row, col: usize, flags: u16) {
    if row.cells.get(col).is_some_and(|cell| cell.has(flags::WIDE)) {
        put(row, col, Cell::BLANK);
    }
    if let Some(place) = row.cells.get_mut(col) {
        *place = Cell { flags: flags | flags::SPACER, ..Cell::BLANK };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::Palette;

    /// `~` is the second half of the wide character before it.
    fn row(text: &str) -> Row {
        let cell = |c: char| match c {
            '~' => Cell { flags: flags::SPACER, ..Cell::BLANK },
            c if c.width() == Some(2) => {
                Cell { glyph: c as u32, flags: flags::WIDE, ..Cell::BLANK }
            }
            c => Cell { glyph: c as u32, ..Cell::BLANK },
        };
        Row { cells: text.chars().map(cell).collect(), ..Row::default() }
    }

    fn show(row: &Row) -> String {
        let show = |cell: &Cell| match cell.glyph {
            _ if cell.has(flags::SPACER) => '~',
            0 => '.',
            glyph => char::from_u32(glyph).expect("a character"),
        };
        row.cells.iter().map(show).collect()
    }

    #[test]
    fn composed_text_starts_at_the_cursor_or_as_far_right_as_it_fits() {
        for (text, cursor, expected) in [
            ("ab", 1, "xabxxx"),
            ("に", 1, "xに~xxx"),
            ("にに", 4, "xxに~に~"),
            ("abcdefgh", 3, "abcdef"),
            ("a\u{301}b", 0, "abxxxx"),
        ] {
            let mut row = row("xxxxxx");
            preedit(&mut row, &Preedit { text: text.to_owned(), selection: None }, cursor);
            assert_eq!(show(&row), expected, "{text}");
        }
    }

    #[test]
    fn the_place_in_composed_text_is_shown() {
        for (selection, expected) in
            [(Some(0..2), "##..."), (Some(1..1), ".#..."), (Some(3..3), "...#."), (None, ".....")]
        {
            let mut row = row("     ");
            preedit(&mut row, &Preedit { text: "abc".to_owned(), selection: selection.clone() }, 0);
            let shown: String = row
                .cells
                .iter()
                .map(|cell| if cell.has(flags::INVERSE) { '#' } else { '.' })
                .collect();
            assert_eq!(shown, expected, "{selection:?}");
        }
    }

    #[test]
    fn what_is_laid_over_half_a_character_leaves_no_half() {
        let colors = Colors::new(&Palette::NOCTURNE, &[]);
        for (col, label, expected) in
            [(0, "a", "a.x好~"), (1, "a", ".ax好~"), (2, "ab", "好~ab."), (4, "ab", "好~x.a")]
        {
            let mut row = row("好~x好~");
            let label = Hint { row: 0, col, label: label.to_owned(), typed: 0 };
            hint(&mut row, &label, &colors);
            assert_eq!(show(&row), expected, "{label:?}");
        }
        let mut row = row("x好~好~");
        preedit(&mut row, &Preedit { text: "にに".to_owned(), selection: None }, 0);
        assert_eq!(show(&row), "に~に~.");
    }

    #[test]
    fn labels_are_bounded() {
        let colors = Colors::new(&Palette::NOCTURNE, &[]);
        let mut row = row(&"x".repeat(40));
        let label = Hint { row: 0, col: 30, label: "abcdefghijklmnop".to_owned(), typed: 1 };
        hint(&mut row, &label, &colors);
        assert_eq!(&show(&row)[28..], "xxabcdefghxx");
        hint(&mut row, &Hint { col: 900, ..label.clone() }, &colors);
        underline(&mut row, 900, 4);
        underline(&mut row, 38, 900);
        assert!(row.cells[39].flags & flags::UNDERLINE_MASK != 0);
    }
}
