//! Markdown as it reads, where it is short enough to be laid out whole.

use iced::widget::{Column, Space, container, row};
use iced::{Background, Color, Element, Length, Padding};
use maestro_core::markdown::{self, Block, Body, Marker};
use maestro_core::text;
use maestro_ui::theme::{Tokens, space, type_scale};
use maestro_ui::words::{Word, words};
use maestro_ui::{font, line, part};

use super::page;

/// Width beyond which words are hard to read.
pub const READABLE: f32 = 860.0;

/// Words with their styles.
#[must_use]
pub fn spoken<'a, M: 'a>(
    tokens: &'static Tokens,
    spans: &[markdown::Span],
    face: iced::Font,
    ink: Color,
) -> Element<'a, M> {
    let list = spans.iter().map(|span| styled(tokens, span, face)).collect();
    words(tokens, list, type_scale::BASE).ink(ink).width(Length::Fill).into()
}

fn styled(tokens: &'static Tokens, span: &markdown::Span, face: iced::Font) -> Word {
    let style = span.style;
    let face = match (style.code, style.bold, style.italic) {
        (true, ..) => font::MONO,
        (_, true, _) => font::SEMIBOLD,
        (_, _, true) => font::ITALIC,
        _ => face,
    };
    let word = Word::new(span.text.clone()).font(face).strikethrough(style.struck);
    let word = word.underline(span.link.is_some());
    if style.code {
        word.size(12.0).background(Background::Color(tokens.hover)).padding([0.0, 2.0])
    } else {
        word
    }
}

/// A block as it reads.
#[must_use]
pub fn prose<'a, M: 'a>(tokens: &'static Tokens, block: &Block) -> Element<'a, M> {
    let content: Element<'a, M> = match &block.body {
        Body::Paragraph(spans) => spoken(tokens, spans, font::REGULAR, tokens.text),
        Body::Heading(level, spans) => {
            let step = match level {
                1 => type_scale::TITLE,
                2 => type_scale::LARGE,
                _ => type_scale::BASE,
            };
            let list = spans.iter().map(|span| styled(tokens, span, font::SEMIBOLD)).collect();
            words(tokens, list, step).ink(tokens.text).width(Length::Fill).into()
        }
        Body::Code { text, .. } => printed(tokens, text),
        Body::Table(table) => grid(tokens, table),
        Body::Rule => part::rule(tokens),
    };
    let depth = block.inside.len() as f32;
    let marker = block.marker.map(|marker| {
        let shown = match marker {
            Marker::Bullet => "•".to_owned(),
            Marker::Number(number) => format!("{number}."),
            Marker::Task(true) => "[x]".to_owned(),
            Marker::Task(false) => "[ ]".to_owned(),
        };
        line(shown, type_scale::BASE, font::REGULAR, tokens.faint)
    });
    let above = if matches!(block.body, Body::Heading(..)) { space::M } else { space::XS };
    container(
        row![Space::new().width(16.0 * (depth - 1.0).max(0.0))]
            .push(marker)
            .push(content)
            .spacing(6.0),
    )
    .padding(Padding::ZERO.top(above).bottom(space::XS))
    .width(Length::Fill)
    .into()
}

/// A table: columns as wide as what they say.
fn grid<'a, M: 'a>(tokens: &'static Tokens, table: &markdown::Table) -> Element<'a, M> {
    let rows = || std::iter::once(&table.head).chain(&table.rows);
    let widths: Vec<u16> = (0..table.columns.len())
        .map(|at| {
            let cells = rows().filter_map(|row| row.get(at));
            let longest = cells.map(|cell| markdown::plain(cell).chars().count()).max();
            longest.and_then(|count| u16::try_from(count).ok()).unwrap_or(60).clamp(6, 60)
        })
        .collect();
    let line_of = |cells: &Vec<Vec<markdown::Span>>, face| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| {
            let words = spoken(tokens, cell, face, tokens.text);
            container(words).width(Length::FillPortion(*width)).padding([2.0, space::XS]).into()
        });
        iced::widget::Row::with_children(cells)
    };
    let mut column = Column::new();
    if table.head.iter().any(|cell| !cell.is_empty()) {
        column = column.push(line_of(&table.head, font::SEMIBOLD)).push(part::rule(tokens));
    }
    for cells in &table.rows {
        column = column.push(line_of(cells, font::REGULAR));
    }
    column.into()
}

/// Code or what a program printed, in its own field.
#[must_use]
pub fn printed<'a, M: 'a>(tokens: &'static Tokens, words: &str) -> Element<'a, M> {
    let lines: std::sync::Arc<[maestro_ui::code::Line]> = words
        .lines()
        .map(|words| maestro_ui::code::Line {
            text: text::escaped(words, 4_000),
            ..Default::default()
        })
        .collect();
    page::boxed(tokens, maestro_ui::code(tokens, &lines, 0, false))
}
