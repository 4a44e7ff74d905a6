//! What of an entry is shown: pieces, made once for as long as the entry and what is unfolded stay the
//! same. A long answer or a long output is many pieces, so that a list builds only those in sight.

use std::ops::Range;
use std::sync::Arc;

use maestro_core::conversation::{Body, Change, Entry, Tool, ToolKind, ToolState};
use maestro_core::highlight::{self, Kind, Language};
use maestro_core::markdown::{self, Document};
use maestro_core::{diff, text};
use maestro_ui::code::{Ink, Line, Sign};
use regex::Regex;

/// Lines in one piece.
const CHUNK: usize = 24;

/// Rows of a table in one piece.
const ROWS: usize = 24;

/// Lines that are shown of what is long until the rest is asked for.
pub const PEEK: usize = 10;

/// A diff that is not longer is shown whole.
const SHORT_DIFF: usize = 30;

/// A prompt that is not longer is shown whole.
const SHORT_PROMPT: usize = 24;

/// No more lines of an output are shown; what it printed last is what matters.
const MOST: usize = 5000;

/// How much of an entry is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// One line.
    Folded,
    /// Some lines of it.
    Peek,
    /// All.
    Open,
}

/// What is shown of thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// Nothing.
    Off,
    /// What is being thought; afterwards one line.
    #[default]
    On,
    /// All of it, and it stays.
    Sticky,
}

impl Thinking {
    /// The next one, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Off => Self::On,
            Self::On => Self::Sticky,
            Self::Sticky => Self::Off,
        }
    }
}

/// How entries are shown.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// How much of this one; what is usual when nobody chose.
    pub fold: Option<Fold>,
    /// Thinking.
    pub thinking: Thinking,
    /// What is looked for.
    pub find: Option<&'a Regex>,
    /// Only lines that fit, or only those that do not.
    pub filter: Option<(&'a Regex, bool)>,
}

/// A piece.
#[derive(Debug, Clone)]
pub enum Piece {
    /// A prompt, or its first lines; how many more there are.
    Prompt(String, usize),
    /// A block of an answer or of thinking.
    Block(Arc<markdown::Block>),
    /// A part of a table.
    Rows(Arc<markdown::Block>, Range<usize>),
    /// Lines of code of an answer.
    Code(Code),
    /// That there was thinking, and how many lines.
    Thought(usize),
    /// The header of a card; whether something is below it.
    Head(bool),
    /// The name of a changed file in a card.
    Path(usize),
    /// Lines in a card.
    Lines(Lines),
    /// The end of a card of which more can be shown: how many lines.
    More(usize),
    /// Lines of an entry that fit a filter, under what they are from.
    Filtered(Lines),
    /// What the entry is, in one piece.
    Whole,
}

/// Lines of code of an answer.
#[derive(Debug, Clone)]
pub struct Code {
    /// Which code block of the entry, from 1.
    pub number: usize,
    /// The block.
    pub block: Arc<markdown::Block>,
    /// The lines.
    pub lines: Arc<[Line]>,
    /// Whether they are the first and the last ones.
    pub ends: (bool, bool),
}

/// Lines in a card.
#[derive(Debug, Clone)]
pub struct Lines {
    /// The lines.
    pub lines: Arc<[Line]>,
    /// Digits of the largest number; 0 without numbers.
    pub digits: usize,
    /// Whether they are a diff.
    pub signs: bool,
    /// Whether nothing of the card follows.
    pub last: bool,
    /// Whether they begin after other lines, with a gap.
    pub begins: bool,
}

/// An entry as it is shown.
#[derive(Debug, Default)]
pub struct Item {
    /// The pieces.
    pub pieces: Vec<Piece>,
    document: Document,
    /// Of which block each piece is, for answers.
    blocks: Vec<usize>,
    /// How many code blocks there are before each block.
    codes: Vec<usize>,
    /// With what was found in it marked.
    marked: bool,
}

impl Item {
    /// An entry as it is shown; what it was before spares work.
    #[must_use]
    pub fn new(entry: &Entry, manner: Manner<'_>, before: Option<Self>) -> Self {
        if let Some((filter, keep)) = manner.filter {
            return Self::filtered(entry, filter, keep);
        }
        match &entry.body {
            Body::Prompt(prompt) => Self::prompt(&prompt.text, manner),
            Body::Text(text) => Self::answer(text, entry.open, manner.find, before),
            Body::Thinking(text) => match fold(entry, manner) {
                _ if manner.thinking == Thinking::Off || text.trim().is_empty() => Self::default(),
                Fold::Folded => Self::of(vec![Piece::Thought(text.trim().lines().count())]),
                _ => Self::answer(text, entry.open, manner.find, before),
            },
            Body::Tool(tool) => Self::tool(tool, entry, manner),
            Body::Raw(raw) => {
                let mut pieces = vec![Piece::Head(true)];
                if fold(entry, manner) == Fold::Open {
                    let (lines, _) = text::printed(raw, MOST);
                    push_lines(&mut pieces, plain(lines, None, Some(Ink::Dim)), 0, manner.find);
                    finish(&mut pieces, 0);
                }
                Self::of(pieces)
            }
            Body::Request { answer: None, .. } => Self::default(),
            Body::Todo(_)
            | Body::Request { .. }
            | Body::Notice(_)
            | Body::Failed(_)
            | Body::Ended(_) => Self::of(vec![Piece::Whole]),
        }
    }

    fn of(pieces: Vec<Piece>) -> Self {
        Self { pieces, ..Self::default() }
    }

    fn prompt(text: &str, manner: Manner<'_>) -> Self {
        let (lines, _) = text::printed(text, usize::MAX);
        let open = manner.fold == Some(Fold::Open) || lines.len() <= SHORT_PROMPT;
        if open {
            let chunks = lines.chunks(CHUNK * 4).map(|lines| Piece::Prompt(lines.join("\n"), 0));
            let pieces: Vec<Piece> = chunks.collect();
            return Self::of(if pieces.is_empty() {
                vec![Piece::Prompt(String::new(), 0)]
            } else {
                pieces
            });
        }
        let more = lines.len() - PEEK;
        Self::of(vec![Piece::Prompt(lines[..PEEK].join("\n"), more)])
    }

    fn answer(text: &str, open: bool, find: Option<&Regex>, before: Option<Self>) -> Self {
        let mut item = before.filter(|before| before.marked == find.is_some()).unwrap_or_default();
        let from = item.document.update(text, open);
        // What was found changes without the text.
        let from = if find.is_some() || item.blocks.is_empty() { 0 } else { from };
        let kept = item.blocks.partition_point(|block| *block < from);
        let old = item.pieces.split_off(kept);
        item.blocks.truncate(kept);
        item.codes.truncate(from.min(item.codes.len()));
        let mut old = old.into_iter();
        let blocks: Vec<_> = item.document.blocks()[from..].to_vec();
        for (at, block) in blocks.into_iter().enumerate() {
            let codes = item.codes.last().copied().unwrap_or(0);
            let is_code = matches!(block.body, markdown::Body::Code { .. });
            let count = item.pieces.len();
            match &block.body {
                markdown::Body::Code { .. } => {
                    code_pieces(&block, codes + 1, find, &mut old, &mut item.pieces);
                }
                markdown::Body::Table(table) if table.rows.len() > ROWS => {
                    let starts = (0..table.rows.len()).step_by(ROWS);
                    let ends = starts.map(|at| at..(at + ROWS).min(table.rows.len()));
                    item.pieces.extend(ends.map(|rows| Piece::Rows(Arc::clone(&block), rows)));
                }
                _ => item.pieces.push(Piece::Block(Arc::clone(&block))),
            }
            let added = item.pieces.len() - count;
            item.blocks.extend(std::iter::repeat_n(from + at, added));
            item.codes.push(codes + usize::from(is_code));
        }
        item.marked = find.is_some();
        item
    }

    fn tool(tool: &Tool, entry: &Entry, manner: Manner<'_>) -> Self {
        let fold = fold(entry, manner);
        let mut pieces = vec![Piece::Head(has_more(tool))];
        if fold == Fold::Folded || !has_more(tool) {
            return Self::of(pieces);
        }
        let whole = fold == Fold::Open;
        let mut hidden = 0;
        for (at, change) in tool.changes.iter().enumerate() {
            if tool.changes.len() > 1 || !tool.title.contains(change.path.as_str()) {
                pieces.push(Piece::Path(at));
            }
            let (mut lines, digits) = changed(change);
            if !whole && lines.len() > PEEK + 2 {
                hidden += lines.len() - PEEK;
                lines.truncate(PEEK);
            }
            push_diff(&mut pieces, lines, digits, manner.find);
        }
        if whole && let Some(input) = input(tool) {
            push_lines(&mut pieces, input, 0, manner.find);
        }
        // What was changed says more than that it was changed.
        if tool.changes.is_empty() || tool.state == ToolState::Failed || whole {
            let most = if whole { MOST } else { PEEK };
            let (lines, skipped) = text::printed(&tool.output, most);
            hidden += skipped;
            let ink = (tool.kind != ToolKind::Read).then_some(Ink::Dim);
            let language = (tool.kind == ToolKind::Read)
                .then(|| Language::of_path(&tool.title))
                .flatten()
                .filter(|_| lines.len() < 400);
            let told = if whole { skipped } else { 0 };
            push_lines(&mut pieces, plain(lines, language, ink), told, manner.find);
        }
        finish(&mut pieces, if whole { 0 } else { hidden });
        Self::of(pieces)
    }

    /// The lines of an entry that fit, or those that do not.
    fn filtered(entry: &Entry, filter: &Regex, keep: bool) -> Self {
        let words = super::find::words(entry);
        let fits = |line: &&str| filter.is_match(line) == keep && !line.trim().is_empty();
        let lines: Vec<String> = words.lines().filter(fits).take(MOST).map(str::to_owned).collect();
        if lines.is_empty() {
            return Self::default();
        }
        let (lines, _) = text::printed(&lines.join("\n"), MOST);
        let mut pieces = Vec::new();
        push_lines(&mut pieces, plain(lines, None, None), 0, keep.then_some(filter));
        let pieces = pieces.into_iter().map(|piece| match piece {
            Piece::Lines(lines) => Piece::Filtered(lines),
            other => other,
        });
        let mut item = Self::of(pieces.collect());
        if let Some(Piece::Filtered(lines)) = item.pieces.first_mut() {
            lines.begins = true;
        }
        item
    }
}

/// How much of an entry is shown: as its user chose, or as is usual.
#[must_use]
pub fn fold(entry: &Entry, manner: Manner<'_>) -> Fold {
    if let Some(fold) = manner.fold {
        return fold;
    }
    match &entry.body {
        Body::Tool(tool) => usual(tool),
        Body::Thinking(_) if entry.open || manner.thinking == Thinking::Sticky => Fold::Open,
        Body::Thinking(_) | Body::Raw(_) => Fold::Folded,
        Body::Prompt(_) => Fold::Peek,
        _ => Fold::Open,
    }
}

fn usual(tool: &Tool) -> Fold {
    let lines: usize = tool.changes.iter().map(|change| change.diff.lines().count()).sum();
    match tool.state {
        ToolState::Running => Fold::Peek,
        _ if !tool.changes.is_empty() && lines <= SHORT_DIFF => Fold::Open,
        _ if !tool.changes.is_empty() => Fold::Peek,
        ToolState::Failed => Fold::Peek,
        ToolState::Done | ToolState::Denied | ToolState::Cut => match tool.exit {
            Some(exit) if exit != 0 => Fold::Peek,
            _ => Fold::Folded,
        },
    }
}

/// Whether there is something below the header of a tool's card.
#[must_use]
pub fn has_more(tool: &Tool) -> bool {
    tool.changes.iter().any(|change| !change.diff.is_empty())
        || !tool.output.trim().is_empty()
        || input(tool).is_some()
}

/// A change as lines, and how many digits their numbers have.
fn changed(change: &Change) -> (Vec<Line>, usize) {
    let language = Language::of_path(&change.path);
    // What a line leaves open is told apart for what was and for what is.
    let mut states = [highlight::State::default(); 2];
    let mut digits = 0;
    let lines = diff::lines(&change.diff).into_iter().take(MOST).map(|line| {
        let sign = match line.kind {
            diff::Kind::Same => Sign::None,
            diff::Kind::Added => Sign::Added,
            diff::Kind::Removed => Sign::Removed,
            diff::Kind::Gap => {
                states = Default::default();
                Sign::Gap
            }
        };
        if let Some(number) = line.number {
            digits = digits.max(number.to_string().len());
        }
        let (text, marks) = blanks(&line.text, line.marks);
        let pieces = match language {
            Some(language) if sign != Sign::Gap => {
                let state = &mut states[usize::from(sign == Sign::Removed)];
                let pieces = highlight::line(language, state, &text);
                if sign == Sign::None {
                    states[1] = states[0];
                }
                inks(pieces)
            }
            _ => Vec::new(),
        };
        let text = if sign == Sign::Gap && text.is_empty() { "⋯".to_owned() } else { text };
        Line { text, number: line.number, sign, pieces, marks, found: Vec::new() }
    });
    let lines = lines.collect();
    (lines, digits)
}

/// A line with blanks for tabs, and the marks where they are then. What would do something is left out.
pub fn blanks(line: &str, marks: Vec<Range<usize>>) -> (String, Vec<Range<usize>>) {
    if line.chars().all(|c| !text::is_harmful(c)) {
        return (line.to_owned(), marks);
    }
    let mut shown = String::with_capacity(line.len() + 8);
    let mut places = Vec::with_capacity(line.len() + 1);
    for c in line.chars() {
        places.extend(std::iter::repeat_n(shown.len(), c.len_utf8()));
        match c {
            '\t' => shown.push_str("    "),
            c if text::is_harmful(c) => {}
            c => shown.push(c),
        }
    }
    places.push(shown.len());
    let at = |place: usize| places.get(place).copied().unwrap_or(shown.len());
    let marks = marks.into_iter().map(|mark| at(mark.start)..at(mark.end)).collect();
    (shown, marks)
}

/// What a tool was given, where its title does not say it.
fn input(tool: &Tool) -> Option<Vec<Line>> {
    if tool.input.trim().is_empty() || tool.input.trim() == "{}" {
        return None;
    }
    match tool.kind {
        // Its change, its path or its pattern is what it was given.
        ToolKind::Edit if !tool.changes.is_empty() => None,
        ToolKind::Read | ToolKind::Search | ToolKind::Fetch => None,
        ToolKind::Shell => {
            let input: serde_json::Value = serde_json::from_str(&tool.input).ok()?;
            let command =
                ["command", "cmd", "script"].iter().find_map(|key| match &input[*key] {
                    serde_json::Value::String(command) => Some(command.clone()),
                    _ => None,
                })?;
            let whole = command.trim() == tool.title.trim();
            (!whole).then(|| {
                let (lines, _) = text::printed(&command, MOST);
                plain(lines, Language::named("sh"), None)
            })
        }
        ToolKind::Edit | ToolKind::Agent | ToolKind::Mcp | ToolKind::Other => {
            let (lines, _) = text::printed(&tool.input, MOST);
            Some(plain(lines, Language::named("json"), None))
        }
    }
}

fn plain(lines: Vec<String>, language: Option<&Language>, ink: Option<Ink>) -> Vec<Line> {
    let mut state = highlight::State::default();
    let line = |text: String| {
        let pieces = match (language, ink) {
            (Some(language), _) => inks(highlight::line(language, &mut state, &text)),
            (None, Some(ink)) => vec![(0..text.len(), ink)],
            (None, None) => Vec::new(),
        };
        Line { text, pieces, ..Line::default() }
    };
    lines.into_iter().map(line).collect()
}

/// The colours of pieces of code.
pub fn inks(pieces: Vec<highlight::Piece>) -> Vec<(Range<usize>, Ink)> {
    let ink = |kind| match kind {
        Kind::Comment => Ink::Faint,
        Kind::String | Kind::Added => Ink::Green,
        Kind::Number | Kind::Constant => Ink::Orange,
        Kind::Keyword => Ink::Purple,
        Kind::Type => Ink::Cyan,
        Kind::Function | Kind::Name => Ink::Blue,
        Kind::Removed => Ink::Red,
    };
    pieces.into_iter().map(|(range, kind)| (range, ink(kind))).collect()
}

/// The pieces of a code block; lines that were there before are the same ones.
fn code_pieces(
    block: &Arc<markdown::Block>,
    number: usize,
    find: Option<&Regex>,
    old: &mut impl Iterator<Item = Piece>,
    pieces: &mut Vec<Piece>,
) {
    let markdown::Body::Code { language, text } = &block.body else { return };
    let language = Language::named(language);
    let clean = text.split('\n').map(|line| blanks(line, Vec::new()).0).collect();
    let whole = text.len() <= highlight::LIMIT;
    let mut lines = plain(clean, language.filter(|_| whole), None);
    mark(&mut lines, find);
    let count = lines.len().div_ceil(CHUNK).max(1);
    let mut lines = lines.into_iter();
    for at in 0..count {
        let chunk: Vec<Line> = lines.by_ref().take(CHUNK).collect();
        let known = old.next().and_then(|piece| match piece {
            Piece::Code(code) if *code.lines == *chunk => Some(code.lines),
            _ => None,
        });
        pieces.push(Piece::Code(Code {
            number,
            block: Arc::clone(block),
            lines: known.unwrap_or_else(|| chunk.into()),
            ends: (at == 0, at + 1 == count),
        }));
    }
}

fn mark(lines: &mut [Line], find: Option<&Regex>) {
    let Some(find) = find else { return };
    for line in lines {
        let found = find.find_iter(&line.text).map(|found| found.range());
        line.found = found.filter(|range| !range.is_empty()).collect();
    }
}

fn push_lines(pieces: &mut Vec<Piece>, mut lines: Vec<Line>, skipped: usize, find: Option<&Regex>) {
    if skipped > 0 {
        let words = format!("{skipped} lines before");
        lines.insert(0, Line { text: words, sign: Sign::Gap, ..Line::default() });
    }
    push(pieces, lines, 0, false, find);
}

fn push_diff(pieces: &mut Vec<Piece>, lines: Vec<Line>, digits: usize, find: Option<&Regex>) {
    push(pieces, lines, digits, true, find);
}

fn push(
    pieces: &mut Vec<Piece>,
    mut lines: Vec<Line>,
    digits: usize,
    signs: bool,
    find: Option<&Regex>,
) {
    mark(&mut lines, find);
    let mut begins = !matches!(pieces.last(), Some(Piece::Path(_)));
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        let lines: Arc<[Line]> = lines.by_ref().take(CHUNK).collect();
        pieces.push(Piece::Lines(Lines { lines, digits, signs, last: false, begins }));
        begins = false;
    }
}

/// Ends a card: with what was left out, or with its last lines.
fn finish(pieces: &mut Vec<Piece>, hidden: usize) {
    if hidden > 0 {
        pieces.push(Piece::More(hidden));
        return;
    }
    match pieces.last_mut() {
        Some(Piece::Lines(lines)) => lines.last = true,
        Some(Piece::Head(_)) => pieces.truncate(1),
        _ => pieces.push(Piece::More(0)),
    }
}

/// About how high an entry is in a width, without looking at it closely.
#[must_use]
pub fn estimate(entry: &Entry, manner: Manner<'_>, width: f32) -> f32 {
    let lines = |length: usize| (length as f32 * 6.6 / width.max(100.0)).ceil().max(1.0);
    if manner.filter.is_some() {
        return 0.0;
    }
    match &entry.body {
        Body::Prompt(prompt) => {
            40.0 + lines(prompt.text.len()).min(PEEK as f32 + 2.0) * 20.0
                + if prompt.images.is_empty() { 0.0 } else { 90.0 }
        }
        Body::Text(text) => 12.0 + lines(text.len()) * 26.0,
        Body::Thinking(_) if manner.thinking == Thinking::Off => 0.0,
        Body::Thinking(text) if fold(entry, manner) != Fold::Folded => {
            12.0 + lines(text.len()) * 22.0
        }
        Body::Thinking(_) | Body::Notice(_) | Body::Ended(_) => 32.0,
        Body::Tool(tool) => {
            let diff: u32 = tool.changes.iter().map(|change| change.added + change.removed).sum();
            let shown = match fold(entry, manner) {
                Fold::Folded => 0,
                Fold::Peek => diff.min(PEEK as u32) + u32::from(!tool.output.is_empty()) * 6,
                Fold::Open => diff + u32::try_from(tool.output.len() / 60).unwrap_or(0),
            };
            44.0 + shown as f32 * 18.0
        }
        Body::Todo(todos) => 48.0 + todos.len() as f32 * 22.0,
        Body::Request { answer: None, .. } => 0.0,
        Body::Request { .. } | Body::Raw(_) => 36.0,
        Body::Failed(_) => 96.0,
    }
}
