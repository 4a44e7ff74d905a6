//! What is what in code: comments, strings, numbers, keywords, types, calls.
//!
//! One small reader for all languages, fed with a table, instead of a grammar for each. It looks at every
//! character once, needs nothing loaded, and can begin in the middle of what is still being written. It
//! does not understand the language: where it is wrong, a word has another colour.

mod language;

use std::ops::Range;

pub use language::Language;

/// Code that is longer is not coloured.
pub const LIMIT: usize = 256 << 10;

/// A line that is longer is not coloured.
pub const LINE_LIMIT: usize = 4 << 10;

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Comment,
    String,
    Number,
    Keyword,
    /// A constant of the language: `true`, `None`.
    Constant,
    /// A name that begins with a capital, or that the language has for a type.
    Type,
    /// A name that is called or defined.
    Function,
    /// An attribute, a decorator, a key, a tag, a variable of a shell.
    Name,
    Added,
    Removed,
}

/// A piece of a line that is something: byte range, and what.
pub type Piece = (Range<usize>, Kind);

/// What a line leaves open for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Nothing.
    #[default]
    Code,
    /// A comment, with how often it was begun.
    Comment(u32),
    /// A string: which of the language's.
    String(usize),
}

/// The pieces of a line, in order and without overlap. The line has no line break at its end.
#[must_use]
pub fn line(language: &Language, state: &mut State, line: &str) -> Vec<Piece> {
    if line.len() > LINE_LIMIT {
        return Vec::new();
    }
    if language.diff {
        return changed(line);
    }
    let mut reader = Reader { language, line, at: 0, pieces: Vec::new(), key: None };
    reader.go_on(state);
    while reader.at < line.len() {
        reader.step(state);
    }
    reader.pieces
}

/// The pieces of every line of a text; none where it is too long.
#[must_use]
pub fn lines(language: &Language, text: &str) -> Vec<Vec<Piece>> {
    let mut state = State::default();
    let whole = text.len() <= LIMIT;
    let pieces = |text| if whole { line(language, &mut state, text) } else { Vec::new() };
    text.split('\n').map(pieces).collect()
}

fn changed(line: &str) -> Vec<Piece> {
    let kind = match line.as_bytes().first() {
        Some(b'+') => Kind::Added,
        Some(b'-') => Kind::Removed,
        Some(b'@') => Kind::Name,
        _ => return Vec::new(),
    };
    vec![(0..line.len(), kind)]
}

struct Reader<'a> {
    language: &'a Language,
    line: &'a str,
    at: usize,
    pieces: Vec<Piece>,
    /// The piece that becomes a key if a colon comes.
    key: Option<usize>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, length: usize, kind: Option<Kind>) {
        let end = (self.at + length).min(self.line.len());
        if let Some(kind) = kind.filter(|_| end > self.at) {
            self.pieces.push((self.at..end, kind));
        }
        self.at = end;
    }

    /// What the line before left open.
    fn go_on(&mut self, state: &mut State) {
        match *state {
            State::Code => {}
            State::Comment(depth) => self.comment(0, depth, state),
            State::String(which) => self.string(0, which, state),
        }
    }

    fn step(&mut self, state: &mut State) {
        let language = self.language;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return };
        if first.is_whitespace() {
            return self.take(first.len_utf8(), None);
        }
        if language.line_comments.iter().any(|start| self.begins_comment(start)) {
            return self.take(rest.len(), Some(Kind::Comment));
        }
        if let Some((open, _)) = language.comment.filter(|(open, _)| rest.starts_with(open)) {
            return self.comment(open.len(), 1, state);
        }
        let opens = |string: &language::Quote| rest.starts_with(string.open);
        if let Some(which) = language.strings.iter().position(opens) {
            return self.string(language.strings[which].open.len(), which, state);
        }
        if first == '\'' && language.characters {
            return self.character();
        }
        if first.is_ascii_digit() {
            return self.take(number(rest), Some(Kind::Number));
        }
        if is_word(first) {
            return self.word();
        }
        if let Some(length) = self.name(first) {
            return self.take(length, Some(Kind::Name));
        }
        if first == ':' {
            self.keyed();
        }
        self.take(first.len_utf8(), None);
    }

    /// A hash begins a comment only at the beginning of a word: not in `$#` and `a#b`.
    fn begins_comment(&self, start: &str) -> bool {
        let before = self.line[..self.at].chars().next_back();
        let apart =
            start != "#" || before.is_none_or(|c| c.is_whitespace() || ";(){}[]".contains(c));
        apart && self.rest().starts_with(start)
    }

    fn comment(&mut self, skip: usize, mut depth: u32, state: &mut State) {
        let Some((open, close)) = self.language.comment else { return };
        let rest = self.rest();
        let mut at = skip;
        while at < rest.len() {
            let here = &rest[at..];
            if here.starts_with(close) {
                at += close.len();
                depth -= 1;
                if depth == 0 {
                    *state = State::Code;
                    return self.take(at, Some(Kind::Comment));
                }
            } else if self.language.nested && here.starts_with(open) {
                at += open.len();
                depth = depth.saturating_add(1);
            } else {
                at += here.chars().next().map_or(1, char::len_utf8);
            }
        }
        *state = State::Comment(depth);
        self.take(at, Some(Kind::Comment));
    }

    fn string(&mut self, skip: usize, which: usize, state: &mut State) {
        let Some(quote) = self.language.strings.get(which) else {
            *state = State::Code;
            return;
        };
        let rest = self.rest();
        let mut at = skip;
        while at < rest.len() {
            let here = &rest[at..];
            if here.starts_with(quote.close) {
                at += quote.close.len();
                *state = State::Code;
                self.take(at, Some(Kind::String));
                self.key = Some(self.pieces.len() - 1);
                return;
            }
            let escaped = usize::from(quote.escapes && here.starts_with('\\'));
            at += here.chars().take(1 + escaped).map(char::len_utf8).sum::<usize>();
        }
        *state = if quote.lines { State::String(which) } else { State::Code };
        self.take(rest.len(), Some(Kind::String));
    }

    /// A character between apostrophes, or a lifetime.
    fn character(&mut self) {
        let rest = self.rest();
        let escaped = rest[1..].starts_with('\\');
        let end = match escaped {
            true => {
                rest[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map(|(at, _)| at + 3)
            }
            false => {
                let inside = rest[1..].chars().next().map_or(0, char::len_utf8);
                rest[1 + inside..].starts_with('\'').then_some(inside + 2)
            }
        };
        match end {
            Some(end) => self.take(end, Some(Kind::String)),
            None => {
                let name = rest[1..].find(|c| !is_word(c)).map_or(rest.len(), |end| end + 1);
                self.take(name.max(1), (name > 1).then_some(Kind::Name));
            }
        }
    }

    fn word(&mut self) {
        let language = self.language;
        let rest = self.rest();
        let dashed = |c: char| is_word(c) || (language.dashes && c == '-');
        let length = rest.find(|c| !dashed(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let found = |words: &[&str]| match language.any_case {
            true => words.iter().any(|known| known.eq_ignore_ascii_case(word)),
            false => words.contains(&word),
        };
        let called = after.starts_with('(') || (after.starts_with("!(") && language.macros);
        let capital = word.chars().next().is_some_and(char::is_uppercase);
        let kind = if found(language.keywords) {
            Some(Kind::Keyword)
        } else if found(language.constants) {
            Some(Kind::Constant)
        } else if found(language.types) {
            Some(Kind::Type)
        } else if language.keys && after.trim_start().starts_with([':', '=']) {
            Some(Kind::Name)
        } else if capital && !called && language.capitals {
            Some(Kind::Type)
        } else if called {
            Some(Kind::Function)
        } else {
            None
        };
        self.take(length, kind);
    }

    /// The length of a name that a sign begins: an attribute, a decorator, a variable, a tag.
    fn name(&self, first: char) -> Option<usize> {
        let rest = self.rest();
        if first == '#' && self.language.attributes && rest[1..].starts_with(['[', '!']) {
            return Some(rest.find(']').map_or(rest.len(), |end| end + 1));
        }
        if !self.language.sigils.contains(first) {
            return None;
        }
        let braced = rest[first.len_utf8()..].starts_with('{');
        if braced && first == '$' {
            return Some(rest.find('}').map_or(rest.len(), |end| end + 1));
        }
        let sign =
            if first == '<' { rest.len() - rest.trim_start_matches(['<', '/']).len() } else { 1 };
        let name =
            rest[sign..].find(|c: char| !is_word(c) && c != '-').unwrap_or(rest.len() - sign);
        (name > 0).then_some(sign + name)
    }

    /// A string before a colon is a key where the language has those.
    fn keyed(&mut self) {
        if let Some(piece) = self.key.take().and_then(|at| self.pieces.get_mut(at)) {
            let between = self.line.get(piece.0.end..self.at).unwrap_or_default();
            if self.language.keys && between.trim().is_empty() {
                piece.1 = Kind::Name;
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a number: digits, a fraction, an exponent, a suffix.
fn number(text: &str) -> usize {
    let mut before = ' ';
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        let next = text[at + c.len_utf8()..].chars().next();
        let dot = c == '.' && next.is_some_and(|next| next.is_ascii_digit());
        let sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !text.starts_with("0x");
        if !(is_word(c) || dot || sign) {
            end = at;
            break;
        }
        before = c;
    }
    end
}

#[cfg(test)]
mod tests;
