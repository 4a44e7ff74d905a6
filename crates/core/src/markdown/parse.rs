//! From the parser's events to blocks.

use std::sync::Arc;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{Block, Body, Column, DEPTH, Inside, Marker, Span, Style, Table, inline};

/// The blocks of a text that begins at an offset of its source.
#[must_use]
pub fn parse(text: &str, offset: usize) -> Vec<Block> {
    let mut builder = Builder { offset, ..Builder::default() };
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        // The indentation before a block is a part of it, and of code that has no fence the reason.
        let line = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
        builder.event(event, line);
    }
    builder.flush();
    builder.blocks
}

/// What is understood beyond CommonMark.
pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

#[derive(Debug, Default)]
struct Builder {
    blocks: Vec<Block>,
    offset: usize,
    /// Where the outermost open block begins.
    top: usize,
    /// How many tags are open.
    depth: usize,
    containers: Vec<Container>,
    leaf: Option<Leaf>,
    spans: Vec<Span>,
    bold: u32,
    italic: u32,
    struck: u32,
    links: Vec<Arc<str>>,
    table: Option<Building>,
}

#[derive(Debug)]
enum Container {
    Quote,
    List {
        next: Option<u64>,
    },
    Item {
        marker: Option<Marker>,
        digits: u8,
        /// Whether nothing of it was shown yet.
        fresh: bool,
        /// Whether its list has paragraphs, and so stands wide.
        wide: bool,
    },
}

#[derive(Debug)]
enum Leaf {
    Paragraph,
    Heading(u8),
    Code { language: String, text: String },
    Html(String),
}

#[derive(Debug)]
struct Building {
    table: Table,
    row: Vec<Vec<Span>>,
    in_head: bool,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, start: usize) {
        if self.depth == 0 {
            self.top = self.offset + start;
        }
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                self.start(tag);
            }
            Event::End(tag) => {
                self.end(tag);
                self.depth = self.depth.saturating_sub(1);
            }
            Event::Text(text) => self.text(&text),
            Event::Code(text) => {
                let style = Style { code: true, ..self.style() };
                self.words(&text, style);
            }
            Event::InlineHtml(text) if is_break(&text) => self.words("\n", self.style()),
            Event::InlineHtml(text) | Event::Html(text) => self.text(&text),
            Event::SoftBreak => self.words(" ", self.style()),
            Event::HardBreak => self.words("\n", self.style()),
            Event::Rule => {
                self.flush();
                self.push(Body::Rule);
            }
            Event::TaskListMarker(done) => {
                if let Some(Container::Item { marker, .. }) = self.containers.last_mut() {
                    *marker = Some(Marker::Task(done));
                }
            }
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => {
                self.flush();
                self.leaf = Some(Leaf::Paragraph);
                if let Some(Container::Item { wide, .. }) = self.containers.last_mut() {
                    *wide = true;
                }
            }
            Tag::Heading { level, .. } => {
                self.flush();
                self.leaf = Some(Leaf::Heading(level_of(level)));
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.containers.push(Container::Quote);
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        let word = info.split([' ', ',', '{', '\t']).next().unwrap_or_default();
                        word.to_owned()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                self.leaf = Some(Leaf::Code { language, text: String::new() });
            }
            Tag::HtmlBlock => {
                self.flush();
                self.leaf = Some(Leaf::Html(String::new()));
            }
            Tag::List(first) => {
                self.flush();
                self.containers.push(Container::List { next: first });
            }
            Tag::Item => {
                self.flush();
                let number = match self.containers.last_mut() {
                    Some(Container::List { next }) => {
                        let number = *next;
                        *next = number.map(|number| number.saturating_add(1));
                        number
                    }
                    _ => None,
                };
                let marker = number.map_or(Marker::Bullet, Marker::Number);
                self.containers.push(Container::Item {
                    marker: Some(marker),
                    digits: number.map_or(0, digits),
                    fresh: true,
                    wide: false,
                });
            }
            Tag::Table(alignments) => {
                self.flush();
                let columns = alignments.into_iter().map(column).collect();
                let table = Table { columns, head: Vec::new(), rows: Vec::new() };
                self.table = Some(Building { table, row: Vec::new(), in_head: false });
            }
            Tag::TableHead => {
                if let Some(building) = &mut self.table {
                    building.in_head = true;
                }
            }
            Tag::Emphasis => self.italic += 1,
            Tag::Strong => self.bold += 1,
            Tag::Strikethrough => self.struck += 1,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push(Arc::from(dest_url.as_ref()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                self.flush();
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) => {
                self.flush();
                let _ = self.containers.pop();
            }
            TagEnd::Item => {
                self.flush();
                // An item without words still has its bullet.
                if let Some(Container::Item { fresh: true, .. }) = self.containers.last() {
                    self.push(Body::Paragraph(Vec::new()));
                }
                let _ = self.containers.pop();
            }
            TagEnd::TableCell => {
                let cell = inline::linked(std::mem::take(&mut self.spans));
                if let Some(building) = &mut self.table {
                    building.row.push(cell);
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some(building) = &mut self.table {
                    let mut row = std::mem::take(&mut building.row);
                    row.resize(building.table.columns.len(), Vec::new());
                    if std::mem::take(&mut building.in_head) {
                        building.table.head = row;
                    } else {
                        building.table.rows.push(row);
                    }
                }
            }
            TagEnd::Table => {
                if let Some(building) = self.table.take() {
                    self.push(Body::Table(building.table));
                }
            }
            TagEnd::Emphasis => self.italic = self.italic.saturating_sub(1),
            TagEnd::Strong => self.bold = self.bold.saturating_sub(1),
            TagEnd::Strikethrough => self.struck = self.struck.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => {
                let _ = self.links.pop();
            }
            _ => {}
        }
    }

    fn style(&self) -> Style {
        let (bold, italic, struck) = (self.bold > 0, self.italic > 0, self.struck > 0);
        Style { bold, italic, struck, code: false }
    }

    fn text(&mut self, text: &str) {
        match &mut self.leaf {
            Some(Leaf::Code { text: code, .. } | Leaf::Html(code)) => code.push_str(text),
            _ => self.words(text, self.style()),
        }
    }

    fn words(&mut self, text: &str, style: Style) {
        // In an item of a narrow list words stand without a paragraph around them.
        if self.leaf.is_none() && self.table.is_none() {
            self.leaf = Some(Leaf::Paragraph);
        }
        inline::push(&mut self.spans, text, style, self.links.last().cloned());
    }

    fn flush(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        match self.leaf.take() {
            Some(Leaf::Paragraph) if spans.is_empty() => {}
            Some(Leaf::Paragraph) => self.push(Body::Paragraph(inline::linked(spans))),
            Some(Leaf::Heading(level)) => self.push(Body::Heading(level, inline::linked(spans))),
            Some(Leaf::Code { language, mut text }) => {
                if text.ends_with('\n') {
                    let _ = text.pop();
                }
                self.push(Body::Code { language, text });
            }
            Some(Leaf::Html(text)) => {
                let mut spans = Vec::new();
                inline::push(&mut spans, text.trim_end(), Style::default(), None);
                self.push(Body::Paragraph(spans));
            }
            None => self.spans = spans,
        }
    }

    fn push(&mut self, body: Body) {
        let inside: Vec<Inside> = self.containers.iter().filter_map(Container::inside).collect();
        let inside = inside.into_iter().take(DEPTH).collect();
        // What stands before an item is shown before the first block inside of it.
        let (mut marker, mut apart) = (None, true);
        for container in &mut self.containers {
            if let Container::Item { marker: own, fresh, wide, .. } = container {
                apart = *wide;
                marker = own.take().filter(|_| std::mem::take(fresh));
            }
        }
        let starts = self.blocks.last().is_none_or(|last| last.top != self.top);
        let apart = apart || starts;
        self.blocks.push(Block { inside, marker, apart, starts, body, top: self.top });
    }
}

impl Container {
    fn inside(&self) -> Option<Inside> {
        match self {
            Self::Quote => Some(Inside::Quote),
            Self::List { .. } => None,
            Self::Item { digits, .. } => Some(Inside::Item(*digits)),
        }
    }
}

fn is_break(html: &str) -> bool {
    let word = html.trim_matches(['<', '>', '/', ' ']);
    word.eq_ignore_ascii_case("br")
}

fn level_of(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

fn column(alignment: Alignment) -> Column {
    match alignment {
        Alignment::None | Alignment::Left => Column::Left,
        Alignment::Center => Column::Centre,
        Alignment::Right => Column::Right,
    }
}

fn digits(number: u64) -> u8 {
    let most = number.checked_ilog10().unwrap_or(0) + 1;
    u8::try_from(most).unwrap_or(u8::MAX)
}
