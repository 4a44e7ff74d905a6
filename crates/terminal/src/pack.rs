//! The emulator's cells as the 16-byte cells that leave it.

use std::ptr;

use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::{Cell as TermCell, Flags};
use alacritty_terminal::vte::ansi::{Color as TermColor, NamedColor};
use maestro_core::screen::{Cell, Color, Extra, Row, Underline, flags};

/// The bytes of link targets one row carries at most, so that a row always fits into a message.
const ROW_LINKS_LIMIT: usize = 16 * 1024;

/// Packs one row into `out`, reusing its memory. Trailing blank cells are left out.
pub(crate) fn pack(row: &alacritty_terminal::grid::Row<TermCell>, out: &mut Row) {
    out.cells.clear();
    out.clusters.clear();
    out.extras.clear();
    let mut links = 0;
    let mut last_extra = (ptr::null(), 0);
    out.cells.reserve(row.len());
    for cell in row {
        let mut packed = Cell {
            glyph: if cell.c == ' ' || cell.c == '\t' { 0 } else { cell.c as u32 },
            fg: color(cell.fg),
            bg: color(cell.bg),
            flags: cell_flags(cell.flags),
            extra: 0,
        };
        if let Some(extra) = &cell.extra {
            let marks = cell.zerowidth().unwrap_or_default();
            if !marks.is_empty() && !packed.has(flags::SPACER) {
                packed.glyph = out.clusters.len() as u32;
                packed.flags |= flags::CLUSTER;
                out.clusters.push(std::iter::once(cell.c).chain(marks.iter().copied()).collect());
            }
            let same = std::sync::Arc::as_ptr(extra);
            if last_extra.0 != same {
                last_extra = (same, rare(cell, &mut links, &mut out.extras));
            }
            packed.extra = last_extra.1;
        }
        out.cells.push(packed);
    }
    let used = out.cells.iter().rposition(|cell| *cell != Cell::BLANK).map_or(0, |last| last + 1);
    out.cells.truncate(used);
    out.wrapped = row[Column(row.len() - 1)].flags.contains(Flags::WRAPLINE);
}

/// The index (plus one) of a cell's rare attributes in the row's table, 0 for none.
#[cold]
fn rare(cell: &TermCell, links: &mut usize, extras: &mut Vec<Extra>) -> u16 {
    let underline = cell.underline_color().map(color);
    let link = cell.hyperlink().map(|link| link.uri().to_owned());
    if underline.is_none() && link.is_none() {
        return 0;
    }
    let mut extra = Extra { underline, link };
    if let Some(known) = extras.iter().position(|known| *known == extra) {
        return known as u16 + 1;
    }
    let bytes = extra.link.as_ref().map_or(0, String::len);
    if *links + bytes > ROW_LINKS_LIMIT {
        extra.link = None;
    } else {
        *links += bytes;
    }
    if extra == Extra::default() || extras.len() >= usize::from(u16::MAX) - 1 {
        return 0;
    }
    extras.push(extra);
    extras.len() as u16
}

#[inline]
fn color(color: TermColor) -> Color {
    match color {
        TermColor::Named(name) => named(name),
        TermColor::Spec(rgb) => Color::rgb(rgb.r, rgb.g, rgb.b),
        TermColor::Indexed(index) => Color::indexed(index),
    }
}

#[inline]
fn named(name: NamedColor) -> Color {
    match name as usize {
        index @ 0..=15 => Color::indexed(index as u8),
        // The dim variants; upstream sets them nowhere but in its own renderer.
        index @ 259..=266 => Color::indexed((index - 259) as u8),
        _ => Color::DEFAULT,
    }
}

#[inline]
fn cell_flags(from: Flags) -> u16 {
    // The usual cell has none.
    if from.is_empty() { 0 } else { some_flags(from) }
}

fn some_flags(from: Flags) -> u16 {
    let pairs = [
        (Flags::BOLD, flags::BOLD),
        (Flags::ITALIC, flags::ITALIC),
        (Flags::DIM, flags::DIM),
        (Flags::INVERSE, flags::INVERSE),
        (Flags::HIDDEN, flags::HIDDEN),
        (Flags::STRIKEOUT, flags::STRIKE),
        (Flags::WIDE_CHAR, flags::WIDE),
        (Flags::WIDE_CHAR_SPACER, flags::SPACER),
        // The blank before a wide character that did not fit: it is no text, either.
        (Flags::LEADING_WIDE_CHAR_SPACER, flags::SPACER),
    ];
    let plain: u16 =
        pairs.iter().filter(|(flag, _)| from.contains(*flag)).fold(0, |all, (_, bit)| all | bit);
    plain | underline(from).bits()
}

fn underline(from: Flags) -> Underline {
    if !from.intersects(Flags::ALL_UNDERLINES) {
        Underline::None
    } else if from.contains(Flags::UNDERCURL) {
        Underline::Curl
    } else if from.contains(Flags::DOUBLE_UNDERLINE) {
        Underline::Double
    } else if from.contains(Flags::DOTTED_UNDERLINE) {
        Underline::Dotted
    } else if from.contains(Flags::DASHED_UNDERLINE) {
        Underline::Dashed
    } else {
        Underline::Single
    }
}
