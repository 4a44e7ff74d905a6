//! Markdown as blocks: what an answer consists of, flat, in the order in which it is read.
//!
//! A [`Document`] is parsed as it grows. What a list or a quotation holds are blocks of their own that
//! say what they are inside of, so that a screen can show a part of a long answer without building the
//! rest.

mod inline;
mod parse;

use std::sync::Arc;

pub use inline::{Span, Style, plain};
pub(crate) use parse::options;
pub use parse::parse;

/// Levels of quotations and lists that are told apart; what is deeper stands at the last level.
pub const DEPTH: usize = 8;

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is inside of, the outermost first.
    pub inside: Vec<Inside>,
    /// What stands before it, when it is the first block of a list's item.
    pub marker: Option<Marker>,
    /// Whether it stands apart from the block before it.
    pub apart: bool,
    /// Whether it is the first of its outermost block: of a list, of a quotation.
    pub starts: bool,
    /// What it is.
    pub body: Body,
    /// Where its outermost block begins: byte offset in the source.
    pub top: usize,
}

/// What a block is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// A quotation.
    Quote,
    /// An item of a list; how many digits its number has, none without one.
    Item(u8),
}

/// What stands before an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// A bullet.
    Bullet,
    /// A number.
    Number(u64),
    /// A box; whether it is ticked.
    Task(bool),
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A paragraph.
    Paragraph(Vec<Span>),
    /// A heading of a level from 1 to 6.
    Heading(u8, Vec<Span>),
    /// Code, as it was written.
    Code {
        /// The word after the fence; may be empty.
        language: String,
        /// The code, without the last line break.
        text: String,
    },
    /// A table.
    Table(Table),
    /// A line across.
    Rule,
}

/// A table. Every row has as many cells as the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// How each column is aligned.
    pub columns: Vec<Column>,
    /// The head.
    pub head: Vec<Vec<Span>>,
    /// The rows.
    pub rows: Vec<Vec<Vec<Span>>>,
}

/// How a column of a table is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Column {
    Left,
    Centre,
    Right,
}

/// Markdown that may grow, with its blocks.
#[derive(Debug, Clone, Default)]
pub struct Document {
    blocks: Vec<Arc<Block>>,
    /// The source as it was parsed last.
    source: String,
    /// Whether more was to come then.
    open: bool,
    /// Bytes of the source whose blocks will not change by what comes after.
    stable: usize,
}

impl Document {
    /// The blocks of a text that does not grow.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut document = Self::default();
        let _ = document.update(text, false);
        document
    }

    /// The blocks.
    #[must_use]
    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// Takes the text as it is now; says from which block on there is something new.
    ///
    /// While more is to come, and the text begins as the one before, only what is not settled is parsed
    /// again.
    pub fn update(&mut self, text: &str, open: bool) -> usize {
        let grown = text.strip_prefix(self.source.as_str());
        if grown == Some("") && open == self.open {
            return self.blocks.len();
        }
        // Definitions of links may stand at the end: when all is there, all is read once more.
        let from = if open && grown.is_some() { self.stable } else { 0 };
        let kept = self.blocks.partition_point(|block| block.top < from);
        let fresh = parse(&text[from..], from);
        let same = self.blocks[kept..].iter().zip(&fresh).take_while(|(old, new)| ***old == **new);
        let changed = kept + same.count();
        self.blocks.truncate(changed);
        self.blocks.extend(fresh.into_iter().skip(changed - kept).map(Arc::new));
        match grown {
            Some(more) => self.source.push_str(more),
            None => text.clone_into(&mut self.source),
        }
        self.open = open;
        self.stable = self.settled(text);
        changed
    }

    /// Where the last outermost block begins of which a whole line is there: a line that is not complete may
    /// yet turn out to belong to the block above it.
    fn settled(&self, text: &str) -> usize {
        let tops = self.blocks.iter().rev().map(|block| block.top);
        tops.into_iter().find(|top| text[*top..].contains('\n')).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
