//! Rows as text for people and programs: plain, or with the control sequences that colour them.

use std::fmt::Write as _;

use maestro_core::screen::{Cell, Color, ColorKind, Row, Underline, flags};

/// Rows as plain text, one line each, without trailing blanks, each ended by a newline.
#[must_use]
pub fn plain<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(row.text().trim_end_matches(' '));
        text.push('\n');
    }
    text
}

/// The same with colours and attributes as SGR sequences, trailing blanks only where they are coloured.
/// Every line begins and ends without attributes. Links are left out: their targets are foreign text.
#[must_use]
pub fn ansi<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let mut text = String::new();
    for row in rows {
        ansi_row(row, &mut text);
        text.push('\n');
    }
    text
}

fn ansi_row(row: &Row, out: &mut String) {
    let plain = Look::of(&Cell::BLANK, row);
    let mut look = plain;
    let shows =
        |cell: &Cell| cell.glyph != 0 || cell.has(flags::CLUSTER) || Look::of(cell, row) != plain;
    let used = row.cells.iter().rposition(shows).map_or(0, |last| last + 1);
    for cell in row.cells[..used].iter().filter(|cell| !cell.has(flags::SPACER)) {
        let wanted = Look::of(cell, row);
        if wanted != look {
            wanted.write(out);
            look = wanted;
        }
        row.write_cell(cell, out);
    }
    if look != plain {
        out.push_str("\x1b[0m");
    }
}

/// How a cell looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    fg: Color,
    bg: Color,
    flags: u16,
    underline: Option<Color>,
}

impl Look {
    fn of(cell: &Cell, row: &Row) -> Self {
        let shown = flags::BOLD | flags::ITALIC | flags::DIM | flags::INVERSE | flags::HIDDEN;
        let shown = shown | flags::STRIKE | flags::UNDERLINE_MASK;
        let extra = cell.extra.checked_sub(1).and_then(|at| row.extras.get(usize::from(at)));
        Self {
            fg: cell.fg,
            bg: cell.bg,
            flags: cell.flags & shown,
            underline: extra.and_then(|extra| extra.underline),
        }
    }

    /// The sequence that sets exactly this.
    fn write(self, out: &mut String) {
        out.push_str("\x1b[0");
        for (flag, number) in [
            (flags::BOLD, 1),
            (flags::DIM, 2),
            (flags::ITALIC, 3),
            (flags::INVERSE, 7),
            (flags::HIDDEN, 8),
            (flags::STRIKE, 9),
        ] {
            if self.flags & flag != 0 {
                let _ = write!(out, ";{number}");
            }
        }
        match Underline::of(self.flags) {
            Underline::None => {}
            Underline::Single => out.push_str(";4"),
            style => {
                let _ = write!(out, ";4:{}", style as u8);
            }
        }
        color(out, self.fg, 30);
        color(out, self.bg, 40);
        match self.underline.map(Color::kind) {
            Some(ColorKind::Indexed(index)) => {
                let _ = write!(out, ";58:5:{index}");
            }
            Some(ColorKind::Rgb(r, g, b)) => {
                let _ = write!(out, ";58:2::{r}:{g}:{b}");
            }
            _ => {}
        }
        out.push('m');
    }
}

/// A colour's parameters; `first` is 30 for the foreground, 40 for the background.
fn color(out: &mut String, color: Color, first: u16) {
    let _ = match color.kind() {
        ColorKind::Default => Ok(()),
        ColorKind::Indexed(index @ 0..=7) => write!(out, ";{}", first + u16::from(index)),
        ColorKind::Indexed(index @ 8..=15) => write!(out, ";{}", first + 52 + u16::from(index)),
        ColorKind::Indexed(index) => write!(out, ";{};5;{index}", first + 8),
        ColorKind::Rgb(r, g, b) => write!(out, ";{};2;{r};{g};{b}", first + 8),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Outbox, Terminal};
    use maestro_core::screen::Size;

    fn rows(bytes: &str) -> Vec<Row> {
        let mut terminal = Terminal::new(Options::new(Size::new(20, 3)));
        terminal.advance(bytes.as_bytes(), &mut Outbox::new());
        terminal.screen(false).rows
    }

    #[test]
    fn plain_text_has_no_trailing_blanks() {
        assert_eq!(plain(&rows("\x1b[31mab  \x1b[0m\r\n  好x")), "ab\n  好x\n\n");
    }

    #[test]
    fn attributes_are_written_as_they_change() {
        assert_eq!(
            ansi(&rows("a\x1b[1;31mb\x1b[0mc")).lines().next(),
            Some("a\x1b[0;1;31mb\x1b[0mc")
        );
        assert_eq!(
            ansi(&rows("\x1b[4:3;58:2::1:2:3;38;5;200;48;2;9;8;7;92mx")).lines().next(),
            Some("\x1b[0;4:3;92;48;2;9;8;7;58:2::1:2:3mx\x1b[0m")
        );
    }

    #[test]
    fn written_text_reads_back_the_same() {
        let first = rows(
            "\x1b[1mbold\x1b[0m \x1b[3;9;38;5;99mx\x1b[0m\r\n\x1b[7;48;5;9m  好\x1b[m|\x1b[8mh",
        );
        let again = rows(ansi(&first).replace('\n', "\r\n").trim_end());
        assert_eq!(first, again);
    }
}
