//! Markdown as widgets: words with their looks, lists, quotations, tables.

use std::sync::Arc;

use iced::widget::{Space, column, container, row};
use iced::{Alignment, Background, Border, Color, Element, Font, Length, Padding};
use maestro_core::markdown::{Block, Body, Column, Inside, Marker, Span, Table, plain};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::select::Seat;
use maestro_ui::slice::{Look, slice};
use maestro_ui::theme::{Tokens, extent, radius, space, type_scale};
use maestro_ui::words::{Word, words};
use maestro_ui::{aside, font, line, part};
use regex::Regex;

use super::{Message, View};

/// How far an item of a list is moved in.
const INDENT: f32 = 22.0;

/// A digit of an item's number, and what there is beside the digits: a full stop, and air.
const DIGIT: f32 = 8.5;
const STOP: f32 = 11.0;

/// Columns of a table are not told apart beyond this many characters.
const WIDEST: usize = 48;

/// How words are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Pen<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// The colour of plain words.
    pub ink: Color,
    /// What is looked for.
    pub find: Option<&'a Regex>,
    /// Where they stand: the view, the entry, and which of its pieces.
    pub place: (&'a View, u64, usize),
}

impl Pen<'_> {
    fn seat(&self, index: usize) -> Seat {
        let (view, entry, part) = self.place;
        view.seat(entry, part, index)
    }

    /// Words that may take several lines.
    pub fn paragraph<'a>(
        &self,
        spans: &[Span],
        step: type_scale::Step,
        face: Font,
    ) -> Element<'a, Message> {
        words(self.tokens, spans.iter().flat_map(|span| self.words(span, face)).collect(), step)
            .on_link(|link: Arc<str>| Message::Followed(link.to_string()))
            .ink(self.ink)
            .width(Length::Fill)
            .seat(Some(self.seat(0)))
            .into()
    }

    /// A span, cut where something is found in it.
    fn words(&self, span: &Span, face: Font) -> Vec<Word> {
        let found = self.find.into_iter().flat_map(|find| find.find_iter(&span.text));
        let mut words = Vec::new();
        let mut at = 0;
        for found in found.filter(|found| !found.is_empty()) {
            words.push(self.styled(span, &span.text[at..found.start()], face));
            let hit = self.styled(span, found.as_str(), face);
            words.push(hit.background(Color { a: 0.38, ..self.tokens.accent }));
            at = found.end();
        }
        words.push(self.styled(span, &span.text[at..], face));
        words.retain(|word| !word.text.is_empty());
        words
    }

    fn styled(&self, span: &Span, text: &str, face: Font) -> Word {
        let (tokens, style) = (self.tokens, span.style);
        let face = match (style.code, style.bold, style.italic) {
            (true, ..) => font::MONO,
            (_, true, true) => font::SEMIBOLD_ITALIC,
            (_, true, _) => font::SEMIBOLD,
            (_, _, true) if face == font::SEMIBOLD => font::SEMIBOLD_ITALIC,
            (_, _, true) => font::ITALIC,
            _ => face,
        };
        let words = Word::new(text.to_owned())
            .font(face)
            .strikethrough(style.struck)
            .underline(span.link.is_some())
            .link_maybe(span.link.clone())
            .color_maybe(span.link.as_ref().map(|_| tokens.accent));
        if !style.code {
            return words;
        }
        words
            .size(12.0)
            .background(Background::Color(tokens.hover))
            .border(Border { radius: 3.0.into(), ..Border::default() })
            .padding([0.0, 2.0])
    }

    /// A block that is neither code nor a part of a table.
    pub fn block<'a>(&self, block: &Block) -> Element<'a, Message> {
        let content = match &block.body {
            Body::Paragraph(spans) => self.paragraph(spans, type_scale::BASE, font::REGULAR),
            Body::Heading(level, spans) => {
                let (step, face) = match level {
                    1 => (type_scale::TITLE, font::SEMIBOLD),
                    2 => (type_scale::LARGE, font::SEMIBOLD),
                    3 => (type_scale::BASE, font::SEMIBOLD),
                    _ => (type_scale::BASE, font::MEDIUM),
                };
                self.paragraph(spans, step, face)
            }
            Body::Table(table) => self.table(table, 0..table.rows.len()),
            Body::Rule => container(part::rule(self.tokens)).padding([space::XS, 0.0]).into(),
            Body::Code { .. } => Space::new().into(),
        };
        self.inside(block, content)
    }

    /// Something with what it is inside of at its left: bars of quotations, places of items, and the
    /// marker of the first block of an item.
    pub fn inside<'a>(&self, block: &Block, content: Element<'a, Message>) -> Element<'a, Message> {
        let quoted = block.inside.contains(&Inside::Quote);
        let mut content = content;
        let mut marker = block.marker;
        // What stands apart within a quotation stands apart within its bar, too.
        let (outside, inside) = match (quoted, block.starts) {
            (true, false) => (0.0, above(block)),
            _ => (above(block), 0.0),
        };
        if inside > 0.0 {
            content = container(content).padding(Padding::ZERO.top(inside)).into();
        }
        for place in block.inside.iter().rev() {
            content = match place {
                Inside::Item(digits) => {
                    // All but the longest lists have numbers of two digits at most, which share a place.
                    let digits = if *digits == 0 { 0.0 } else { f32::from((*digits).max(2)) };
                    let indent = INDENT.max(digits * DIGIT + STOP);
                    let marker = marker.take().map(|marker| self.marker(marker, indent));
                    let place = container(column![].push(marker))
                        .padding(Padding::ZERO.top(inside))
                        .width(indent);
                    row![place, content].into()
                }
                Inside::Quote => aside(content, self.tokens.strong, 2.0, space::M),
            };
        }
        container(content).padding(Padding::ZERO.top(outside)).into()
    }

    fn marker<'a>(&self, marker: Marker, indent: f32) -> Element<'a, Message> {
        let tokens = self.tokens;
        match marker {
            Marker::Bullet => container(line("•", type_scale::BASE, font::REGULAR, tokens.dim))
                .padding(Padding::ZERO.left(6.0))
                .into(),
            Marker::Number(number) => {
                let words = format!("{number}.");
                let words = line(words, type_scale::BASE, font::REGULAR, tokens.dim);
                container(words).width(indent - 5.0).align_x(Alignment::End).into()
            }
            Marker::Task(done) => {
                let (shape, ink) =
                    if done { (Icon::Check, tokens.green) } else { (Icon::Ring, tokens.faint) };
                container(icon(shape, 12.0, ink)).padding(Padding::ZERO.top(4.0).left(3.0)).into()
            }
        }
    }

    /// Some rows of a table; its head stands before the first.
    pub fn table<'a>(&self, table: &Table, rows: std::ops::Range<usize>) -> Element<'a, Message> {
        let tokens = self.tokens;
        let widths = widths(table);
        let mut lines = column![];
        let mut index = 0;
        let mut cells = |cells: &[Vec<Span>], face| {
            let cell = |(at, cell): (usize, &Vec<Span>)| {
                let words = self.cell(cell, table.columns.get(at).copied(), face, index);
                index += 1;
                let portion = widths.get(at).copied().unwrap_or(1);
                container(words)
                    .padding([space::XS, space::S])
                    .width(Length::FillPortion(portion))
                    .into()
            };
            row(cells.iter().enumerate().map(cell)).width(Length::Fill)
        };
        let (first, last) = (rows.start == 0, rows.end >= table.rows.len());
        if first {
            lines = lines.push(cells(&table.head, font::SEMIBOLD));
        }
        for (at, cells_of_row) in table.rows.get(rows).into_iter().flatten().enumerate() {
            if at > 0 || first {
                lines = lines.push(part::rule(tokens));
            }
            lines = lines.push(cells(cells_of_row, font::REGULAR));
        }
        let look = Look {
            fill: tokens.panel,
            line: tokens.border,
            radius: radius::CARD,
            top: first,
            bottom: last,
        };
        slice(lines, look)
    }

    fn cell<'a>(
        &self,
        spans: &[Span],
        column: Option<Column>,
        face: Font,
        index: usize,
    ) -> Element<'a, Message> {
        let cell = spans.iter().flat_map(|span| self.words(span, face)).collect();
        let align = match column {
            Some(Column::Centre) => iced::widget::text::Alignment::Center,
            Some(Column::Right) => iced::widget::text::Alignment::Right,
            _ => iced::widget::text::Alignment::Default,
        };
        words(self.tokens, cell, type_scale::SMALL)
            .on_link(|link: Arc<str>| Message::Followed(link.to_string()))
            .ink(self.ink)
            .align(align)
            .width(Length::Fill)
            .seat(Some(self.seat(index)))
            .into()
    }
}

/// How far a block is from the one above.
#[must_use]
pub fn above(block: &Block) -> f32 {
    match (&block.body, block.apart) {
        (Body::Heading(1 | 2, _), _) => space::L,
        (Body::Heading(..), _) => space::M,
        (Body::Code { .. } | Body::Table(_), _) => space::S,
        (_, true) => space::S,
        (_, false) => 3.0,
    }
}

/// The share of the width that each column gets: by the longest of its cells, within limits.
fn widths(table: &Table) -> Vec<u16> {
    let longest = |at: usize| {
        let rows = std::iter::once(&table.head).chain(table.rows.iter().take(200));
        let cells = rows.filter_map(|row| row.get(at));
        cells.map(|cell| plain(cell).chars().count()).max().unwrap_or(0)
    };
    let share = |at| u16::try_from(longest(at).clamp(4, WIDEST)).unwrap_or(4);
    (0..table.columns.len()).map(share).collect()
}

/// A line that ends where there is no more place, of words that are code.
pub fn mono<'a>(words: String, ink: Color) -> Element<'a, Message> {
    line(words, type_scale::CODE, font::MONO, ink).fill().into()
}

/// A hairline that takes what is left of a row.
pub fn hairline<'a>(tokens: &'static Tokens) -> Element<'a, Message> {
    part::filled(tokens.border, Length::Fill, Length::Fixed(extent::LINE))
}

#[cfg(test)]
mod tests {
    use maestro_core::markdown::Document;

    use super::*;

    #[test]
    fn columns_share_the_width_by_what_is_in_them() {
        let text = "|a|long words here|\n|-|-|\n|b|c|\n";
        let document = Document::new(text);
        let Body::Table(table) = &document.blocks()[0].body else { panic!("no table") };
        assert_eq!(widths(table), [4, 15]);
    }
}
