//! What a search looks for, and the part of one that can be done elsewhere.
//!
//! Every expression is taken apart and put together again without the line break, so that looking through
//! the text of many lines finds exactly what looking through each of them would: nothing that is found ever
//! crosses a line. `\A` and `\z` are the line's ends, too.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use maestro_core::screen::{Row, flags};
use maestro_core::search::{Case, QUERY_LIMIT, Query, Search};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::ast::parse::Parser as AstParser;
use regex_syntax::ast::{self, Ast, ClassSetItem};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

use crate::cold::{Packed, Point, Unpacker};

/// What a compiled expression may take, in bytes; larger ones are refused.
const PROGRAM_LIMIT: usize = 2 * 1024 * 1024;

/// What the engine may remember while it looks, in bytes.
const CACHE_LIMIT: usize = 4 * 1024 * 1024;

/// How deep groups may nest.
const NEST_LIMIT: u32 = 100;

/// An expression, ready to look through the text of lines. Takes time linear in the text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// `None` for an empty query. The error is a sentence for whoever types it.
    pub(crate) fn new(query: &Query) -> Result<Option<Self>, String> {
        if query.text.is_empty() {
            return Ok(None);
        }
        if query.text.len() > QUERY_LIMIT {
            return Err(format!("What is looked for is longer than {QUERY_LIMIT} bytes."));
        }
        let text = &query.text;
        let expression = if query.regex { text.clone() } else { regex_syntax::escape(text) };
        let ast = AstParser::new().parse(&expression).map_err(|error| {
            sentence(&error.kind().to_string(), Some(error.span().start.column))
        })?;
        let insensitive = match query.case {
            Case::Sensitive => false,
            Case::Insensitive => true,
            Case::Smart => !has_upper_case(&ast),
        };
        let mut parser = ParserBuilder::new();
        let parser = parser.case_insensitive(insensitive).multi_line(true).nest_limit(NEST_LIMIT);
        let hir = parser.build().parse(&expression).map_err(|error| match error {
            regex_syntax::Error::Parse(error) => {
                sentence(&error.kind().to_string(), Some(error.span().start.column))
            }
            regex_syntax::Error::Translate(error) => {
                sentence(&error.kind().to_string(), Some(error.span().start.column))
            }
            _ => sentence("not understood", None),
        })?;
        let regex = RegexBuilder::new(&within_a_line(hir).to_string())
            .size_limit(PROGRAM_LIMIT)
            .dfa_size_limit(CACHE_LIMIT)
            .nest_limit(10 * NEST_LIMIT)
            .build()
            .map_err(|_| sentence("too large", None))?;
        Ok(Some(Self(regex)))
    }

    /// Where it is found in the text of one line or of many. What is empty is nothing.
    pub(crate) fn matches<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        self.0.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty())
    }
}

fn sentence(what: &str, column: Option<usize>) -> String {
    match column {
        Some(column) => format!("The expression is wrong at character {column}: {what}."),
        None => format!("The expression is {what}."),
    }
}

/// The same expression without the line break.
fn within_a_line(hir: Hir) -> Hir {
    let all = |parts: Vec<Hir>| parts.into_iter().map(within_a_line).collect();
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => Hir::fail(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(Class::Unicode(mut class)) => {
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(Look::Start | Look::StartCRLF) => Hir::look(Look::StartLF),
        HirKind::Look(Look::End | Look::EndCRLF) => Hir::look(Look::EndLF),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(mut repeated) => {
            repeated.sub = Box::new(within_a_line(*repeated.sub));
            Hir::repetition(repeated)
        }
        HirKind::Capture(capture) => within_a_line(*capture.sub),
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
    }
}

/// Whether an upper-case letter is looked for; those of `\W` or `\p{Lu}` are none.
fn has_upper_case(ast: &Ast) -> bool {
    struct Upper(bool);
    impl ast::Visitor for Upper {
        type Output = bool;
        type Err = ();

        fn finish(self) -> Result<bool, ()> {
            Ok(self.0)
        }

        fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
            if let Ast::Literal(literal) = ast {
                self.0 |= literal.c.is_uppercase();
            }
            Ok(())
        }

        fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), ()> {
            self.0 |= match item {
                ClassSetItem::Literal(literal) => literal.c.is_uppercase(),
                ClassSetItem::Range(range) => {
                    range.start.c.is_uppercase() || range.end.c.is_uppercase()
                }
                _ => false,
            };
            Ok(())
        }
    }
    ast::visit(ast, Upper(false)).unwrap_or(false)
}

/// The text of one line, given as its rows, and where its cells begin.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) text: Vec<u8>,
    /// For each cell that shows something of its own: where its text begins, and the cell.
    cells: Vec<(u32, Point)>,
    scratch: String,
}

impl Line {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
    }

    /// Adds the next row. One that goes on is full; the last one has no blanks at its end.
    pub(crate) fn push(&mut self, row: &Row, number: u64, cols: u16) {
        let begin = self.text.len();
        for (col, cell) in row.cells.iter().enumerate() {
            if cell.has(flags::SPACER) {
                continue;
            }
            self.cells.push((self.text.len() as u32, Point { row: number, col: col as u16 }));
            if cell.glyph < 0x80 && !cell.has(flags::CLUSTER) {
                self.text.push(cell.glyph.max(0x20) as u8);
            } else {
                self.scratch.clear();
                row.write_cell(cell, &mut self.scratch);
                self.text.extend_from_slice(self.scratch.as_bytes());
            }
        }
        if row.wrapped {
            for col in row.cells.len() as u16..cols {
                self.cells.push((self.text.len() as u32, Point { row: number, col }));
                self.text.push(b' ');
            }
            return;
        }
        while self.text.len() > begin && self.text.last() == Some(&b' ') {
            let _ = self.text.pop();
            let _ = self.cells.pop();
        }
    }

    /// The first and the last cell of some of the text.
    pub(crate) fn cells(&self, range: &Range<usize>) -> Option<(Point, Point)> {
        let begin = self.cells.partition_point(|(at, _)| *at as usize <= range.start);
        let end = self.cells.partition_point(|(at, _)| (*at as usize) < range.end);
        let first = self.cells.get(begin.checked_sub(1)?)?.1;
        Some((first, self.cells.get(end.checked_sub(1)?)?.1))
    }
}

/// A search that is going on.
#[derive(Debug)]
pub(crate) struct Finder {
    /// Tells it from those before.
    pub(crate) id: u64,
    /// `None` for an empty or a wrong query.
    pub(crate) pattern: Option<Pattern>,
    /// Where it began.
    pub(crate) origin: Point,
    /// Whether its user went to other matches.
    pub(crate) moved: bool,
    /// Where the match begins that it stands at.
    pub(crate) current: Option<Point>,
    /// The match that is on its way to.
    pub(crate) seek: Option<Seek>,
    /// Whether rows on the way have to be wrapped at the width of now before it is known where it leads.
    pub(crate) is_far: bool,
    /// How many matches it goes on from there, once it is: positive towards newer rows.
    pub(crate) further: i32,
    /// Lines of the emulator's history with matches, by their first row.
    pub(crate) hot: VecDeque<(u64, u32)>,
    /// Rows of that history that were looked through, whole lines.
    pub(crate) counted: Option<Range<u64>>,
    /// The lines that can still change, with matches.
    pub(crate) live: Vec<(u64, u32)>,
    /// The first row of these lines, and the state of the terminal's rows when they were looked at.
    pub(crate) live_from: u64,
    pub(crate) live_changes: u64,
    /// The matches of one cold chunk.
    pub(crate) chunk: Option<(u64, u64, Vec<Point>)>,
    pub(crate) state: Search,
    pub(crate) unpacker: Unpacker,
    pub(crate) buffer: Vec<u8>,
}

/// The way to a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seek {
    pub(crate) from: Point,
    pub(crate) forward: bool,
    /// Whether a match that begins at `from` is one.
    pub(crate) inclusive: bool,
}

impl Finder {
    pub(crate) fn new(id: u64, query: Query, origin: Point) -> Self {
        let (pattern, error) = match Pattern::new(&query) {
            Ok(pattern) => (pattern, None),
            Err(error) => (None, Some(error)),
        };
        let done = pattern.is_none();
        let seek = Seek { from: origin, forward: false, inclusive: true };
        Self {
            id,
            seek: pattern.is_some().then_some(seek),
            pattern,
            origin,
            moved: false,
            current: None,
            is_far: false,
            further: 0,
            hot: VecDeque::new(),
            counted: None,
            live: Vec::new(),
            live_from: 0,
            live_changes: 0,
            chunk: None,
            state: Search { query, error, done, ..Search::default() },
            unpacker: Unpacker::default(),
            buffer: Vec::new(),
        }
    }

    /// The cells it remembers.
    pub(crate) fn points(&mut self) -> Vec<&mut Point> {
        let Self { origin, current, seek, .. } = self;
        let mut points = vec![origin];
        points.extend(current.as_mut());
        points.extend(seek.as_mut().map(|seek| &mut seek.from));
        points
    }
}

/// A piece of a search through compressed rows, which needs nothing of the terminal: it may run on
/// another thread while the terminal goes on. A cheap handle on shared memory.
pub struct SearchWork {
    pub(crate) id: u64,
    pub(crate) pattern: Pattern,
    pub(crate) chunks: Vec<(u64, Arc<Packed>)>,
}

impl fmt::Debug for SearchWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchWork").field("chunks", &self.chunks.len()).finish_non_exhaustive()
    }
}

impl SearchWork {
    /// Looks through it. Takes about a millisecond for every 4 000 rows, longer where every character is
    /// found.
    #[must_use]
    pub fn run(self) -> SearchFound {
        let mut unpacker = Unpacker::default();
        let mut buffer = Vec::new();
        let mut count = |packed: &Packed| {
            packed.read(&mut buffer, &mut unpacker);
            self.pattern.matches(&buffer).count() as u32
        };
        let counts = self.chunks.iter().map(|(serial, packed)| (*serial, count(packed))).collect();
        SearchFound { id: self.id, counts }
    }
}

/// What a [`SearchWork`] found, for the terminal that gave it out.
#[derive(Debug)]
pub struct SearchFound {
    pub(crate) id: u64,
    pub(crate) counts: Vec<(u64, u32)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str, regex: bool, case: Case) -> Query {
        Query { text: text.to_owned(), regex, case }
    }

    fn found(query: &Query, text: &str) -> Vec<String> {
        let pattern = Pattern::new(query).expect("right").expect("not empty");
        let matches = pattern.matches(text.as_bytes());
        matches.map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn case_and_expressions() {
        use Case::{Insensitive, Sensitive, Smart};
        for (text, regex, case, wanted) in [
            ("error", false, Smart, &["Error", "error", "ERROR"][..]),
            ("Error", false, Smart, &["Error"]),
            ("error", false, Sensitive, &["error"]),
            ("ERROR", false, Insensitive, &["Error", "error", "ERROR"]),
            ("a.b", false, Smart, &["a.b"]),
            ("a.b", true, Smart, &["a.b", "axb"]),
            (r"e\w+R", true, Smart, &[]),
            (r"err\W", true, Smart, &[]),
            (r"\Aerror\z", true, Smart, &["error"]),
            ("^e.*$", true, Sensitive, &["error"]),
            ("x*", true, Smart, &["x"]),
            ("größe", false, Smart, &["GRÖSSE"][..0]),
            ("ÄRGER", false, Insensitive, &["ärger"]),
        ] {
            let text_of = "Error a.b\nerror\nERROR axb\närger";
            assert_eq!(found(&query(text, regex, case), text_of), wanted, "{text}");
        }
    }

    #[test]
    fn nothing_crosses_a_line() {
        for (text, wanted) in [
            (r"[^q]+", &["ab", "cd"][..]),
            (r"b\s+c", &[]),
            (r"b\nc", &[]),
            (r"(?s).+", &["ab", "cd"]),
            (r"b(\n|$)", &["b"]),
            (r"(?-m)^cd", &["cd"]),
        ] {
            assert_eq!(found(&query(text, true, Case::Smart), "ab\ncd\n"), wanted, "{text}");
        }
        assert_eq!(found(&query("b\nc", false, Case::Smart), "ab\ncd\n"), [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        for (text, wanted) in [
            ("a(b", "The expression is wrong at character 2: unclosed group."),
            ("[", "The expression is wrong at character 1: unclosed character class."),
            (r"(?:\w{500}){500}", "The expression is too large."),
        ] {
            let error = Pattern::new(&query(text, true, Case::Smart)).err();
            assert_eq!(error.as_deref(), Some(wanted), "{text}");
        }
        assert!(Pattern::new(&query(&"x".repeat(QUERY_LIMIT + 1), false, Case::Smart)).is_err());
        assert!(matches!(Pattern::new(&Query::default()), Ok(None)));
    }
}
