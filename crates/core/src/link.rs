//! Links in what a terminal shows: addresses, and places in files as compilers and stack traces name
//! them.
//!
//! Pure text work over rows. What a link leads to is for others to look at (whether the file exists)
//! and to open, never by itself: see [`may_open`]. Links that a program made itself (OSC 8) are in
//! [`crate::screen::Extra::link`] and come first: text under one is not looked at again.
//!
//! The time is linear in the cells, whatever they hold, and everything that comes out is bounded.

use crate::screen::{Cell, Row, flags};
use crate::text;

/// The most links found in one call; what stands further down is left out.
pub const MOST: usize = 2000;

/// The longest link in characters. A longer one is none: nobody can check it by eye.
pub const LONGEST: usize = 2048;

/// The longest line that is looked at as one, in characters. A longer one is cut here.
const LONGEST_LINE: usize = 1 << 17;

/// Schemes of addresses that are recognised. Being recognised does not mean being opened.
const SCHEMES: [&str; 7] = ["http", "https", "file", "ftp", "ssh", "git", "sftp"];

/// Schemes that may be handed to the desktop once the user has agreed.
const OPENED: [&str; 3] = ["http", "https", "mailto"];

/// Files without an ending that people and tools name with line numbers.
const BARE_NAMES: [&str; 9] = [
    "Makefile",
    "makefile",
    "GNUmakefile",
    "Dockerfile",
    "Containerfile",
    "Justfile",
    "justfile",
    "Rakefile",
    "Gemfile",
];

/// Endings that are a host's and not a file's when a number follows.
const DOMAINS: [&str; 7] = ["com", "org", "net", "io", "dev", "local", "localhost"];

/// Something that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is.
    pub kind: Kind,
    /// Where it leads: the address, or the path without its line.
    pub target: String,
    /// The cells it covers, row by row.
    pub spans: Vec<Span>,
}

impl Link {
    /// Whether a cell is part of it.
    #[must_use]
    pub fn covers(&self, row: u16, col: u16) -> bool {
        self.spans.iter().any(|span| span.row == row && (span.from..span.to).contains(&col))
    }
}

/// What a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A link that the program made (OSC 8). Its text may say anything.
    Named,
    /// An address in the text.
    Url,
    /// A place in a file.
    Path {
        /// The line, from 1.
        line: u32,
        /// The column, from 1, where one is given.
        col: Option<u32>,
    },
}

/// Cells of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The row's place among those looked at.
    pub row: u16,
    /// The first column.
    pub from: u16,
    /// The column behind the last.
    pub to: u16,
}

/// The links in rows that follow each other, in reading order. `cols` is the screen's width, by which a
/// row that goes on in the next is told from one with blanks at its end.
#[must_use]
pub fn links(rows: &[&Row], cols: u16) -> Vec<Link> {
    let mut found = Vec::new();
    let mut line = Line::default();
    for (place, row) in (0..=u16::MAX).zip(rows) {
        named(row, place, &mut found);
        let goes_on = line.push(row, place, cols, rows.get(usize::from(place) + 1).copied());
        if !goes_on || line.chars.len() >= LONGEST_LINE {
            line.search(&mut found);
            line.chars.clear();
        }
        if found.len() >= MOST {
            break;
        }
    }
    line.search(&mut found);
    found.truncate(MOST);
    found.sort_by_key(|link| link.spans.first().map_or((0, 0), |span| (span.row, span.from)));
    found
}

/// The link in a cell, where there is one. `rows` as for [`links`].
#[must_use]
pub fn link_at(rows: &[&Row], cols: u16, row: u16, col: u16) -> Option<Link> {
    // Only the line the cell is in matters.
    let at = usize::from(row);
    let goes_on = |place: usize| rows.get(place).is_some_and(|row| row.wrapped);
    let lines = LONGEST_LINE / usize::from(cols.max(1)) + 1;
    let first = (at.saturating_sub(lines)..at).rev().find(|place| !goes_on(*place));
    let first = first.map_or(at.saturating_sub(lines), |place| place + 1);
    let last = (at..at + lines).find(|place| !goes_on(*place)).unwrap_or(at + lines);
    let line = rows.get(first..(last + 1).min(rows.len()))?;
    let first = u16::try_from(first).ok()?;
    let mut link = links(line, cols).into_iter().find(|link| link.covers(row - first, col))?;
    for span in &mut link.spans {
        span.row += first;
    }
    Some(link)
}

/// The scheme of an address in lower case; `None` for what is none.
#[must_use]
pub fn scheme(target: &str) -> Option<String> {
    let (scheme, _) = target.split_once(':')?;
    let mut letters = scheme.chars();
    let begins = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let goes_on = letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (begins && goes_on && scheme.len() <= 32).then(|| scheme.to_ascii_lowercase())
}

/// Whether an address may be handed to the desktop once the user has agreed to it: web pages and mail, and
/// nothing with characters in it that cannot be seen or that change how the rest reads.
#[must_use]
pub fn may_open(target: &str) -> bool {
    let known = scheme(target).is_some_and(|scheme| OPENED.contains(&scheme.as_str()));
    known && target.chars().count() <= LONGEST && !target.chars().any(deceives)
}

/// Blanks, control characters, and those that turn text around or are not seen.
fn deceives(c: char) -> bool {
    c.is_whitespace() || c == '\u{ad}' || text::is_harmful(c)
}

/// Links that the program made.
fn named(row: &Row, place: u16, found: &mut Vec<Link>) {
    if row.extras.iter().all(|extra| extra.link.is_none()) {
        return;
    }
    let mut open: Option<(u16, &str, u16)> = None;
    for (col, cell) in (0..u16::MAX).zip(row.cells.iter().chain([&Cell::BLANK])) {
        let target = own_link(row, cell);
        match open {
            Some((extra, _, _)) if extra == cell.extra => continue,
            Some((_, target, from)) => add_named(target, Span { row: place, from, to: col }, found),
            None => {}
        }
        if found.len() >= MOST {
            return;
        }
        open = target.map(|target| (cell.extra, target, col));
    }
}

/// A link that goes on from the row above is one.
fn add_named(target: &str, span: Span, found: &mut Vec<Link>) {
    let above = found.iter_mut().rev().take(1).find(|link| {
        let last = link.spans.last();
        link.kind == Kind::Named
            && link.target == target
            && span.from == 0
            && last.is_some_and(|last| last.row.checked_add(1) == Some(span.row))
    });
    match above {
        Some(link) => link.spans.push(span),
        None => found.push(Link {
            kind: Kind::Named,
            target: target.chars().take(LONGEST).collect(),
            spans: vec![span],
        }),
    }
}

fn own_link<'a>(row: &'a Row, cell: &Cell) -> Option<&'a str> {
    row.extras.get(usize::from(cell.extra.checked_sub(1)?))?.link.as_deref()
}

/// A line of text, wrapped rows joined.
#[derive(Default)]
struct Line {
    chars: Vec<Char>,
    /// Brackets of the word being looked at that are open.
    open: Vec<usize>,
}

/// A character and the cells it stands in.
#[derive(Clone, Copy)]
struct Char {
    c: char,
    row: u16,
    col: u16,
    end: u16,
}

/// What a cell counts as that ends every link.
const GAP: char = ' ';

/// The most characters of a cluster that matter here.
const LONGEST_CLUSTER: usize = 8;

impl Line {
    /// Adds a row; says whether the line goes on in the next.
    fn push(&mut self, row: &Row, place: u16, cols: u16, next: Option<&Row>) -> bool {
        let width = usize::from(cols).min(row.cells.len());
        let cells = &row.cells[..width];
        for (col, cell) in (0..).zip(cells) {
            let wide = if cell.has(flags::WIDE) { 2 } else { 1 };
            let mut add = |c| self.chars.push(Char { c, row: place, col, end: col + wide });
            if cell.has(flags::SPACER) {
                continue;
            }
            if cell.has(flags::HIDDEN) || own_link(row, cell).is_some() {
                add(GAP);
            } else if cell.has(flags::CLUSTER) {
                let text = row.clusters.get(cell.glyph as usize).map_or(" ", String::as_str);
                text.chars().take(LONGEST_CLUSTER).for_each(add);
            } else {
                add(char::from_u32(cell.glyph).filter(|c| *c != '\0').unwrap_or(GAP));
            }
        }
        if !row.wrapped {
            return false;
        }
        // A wide character that has no room in the last column leaves it blank.
        let wide_next =
            next.and_then(|next| next.cells.first()).is_some_and(|cell| cell.has(flags::WIDE));
        let missing = usize::from(cols) - width;
        let blank_end = self.chars.last().is_some_and(|last| last.c == GAP && last.row == place);
        if wide_next && missing == 0 && blank_end {
            let _ = self.chars.pop();
        } else if missing > usize::from(wide_next) {
            self.chars.push(Char { c: GAP, row: place, col: cols, end: cols });
        }
        true
    }

    /// Finds what the line holds.
    fn search(&mut self, found: &mut Vec<Link>) {
        // Where the name in Python's `File "…", line 1` begins, once its quote is open.
        let mut quoted = None;
        let mut at = 0;
        while at < self.chars.len() && found.len() < MOST {
            if self.is(at, "File \"") {
                at += 6;
                quoted = Some(at);
                continue;
            }
            if self.c(at) == '"'
                && let Some(start) = quoted.take()
                && self.is(at, "\", line ")
                && let Some((line, end)) = self.number(at + 8)
                && (1..LONGEST).contains(&(at - start))
            {
                self.add(Kind::Path { line, col: None }, start..at, start..end, found);
                at = end;
                continue;
            }
            if ends_word(self.c(at)) {
                at += 1;
                continue;
            }
            let mut end = at;
            while end < self.chars.len() && !ends_word(self.c(end)) {
                end += 1;
            }
            // An address may hold what ends a path, so it may go on behind the word.
            at = self.word(at, end, found).max(end);
        }
    }

    /// Looks at a word; returns where the last link in it ends.
    fn word(&mut self, start: usize, end: usize, found: &mut Vec<Link>) -> usize {
        self.open.clear();
        let mut past = end;
        let mut begin = start;
        let mut at = start;
        while at < end && found.len() < MOST {
            if let Some((from, to)) = self.url(begin, at) {
                if to - from <= LONGEST {
                    self.add(Kind::Url, from..to, from..to, found);
                }
                (at, begin, past) = (to, to, past.max(to));
                self.open.clear();
                continue;
            }
            if let Some((place, to)) = self.place(at) {
                let from = self.unclosed(begin);
                if self.is_path(from, at) {
                    self.add(place, from..at, from..to, found);
                }
                (at, begin) = (to, to);
                self.open.clear();
                continue;
            }
            match self.c(at) {
                '(' | '[' | '{' => self.open.push(at),
                ')' | ']' | '}' if self.open.pop().is_none() => begin = at + 1,
                // A colon is part of a path only behind a drive's letter.
                ':' if at != begin + 1 || !matches!(self.c(at + 1), '\\' | '/') => begin = at + 1,
                _ => {}
            }
            at += 1;
        }
        past
    }

    /// An address whose colon or `@` is at this place, not beginning before `begin`.
    fn url(&self, begin: usize, at: usize) -> Option<(usize, usize)> {
        let (from, body) = match self.c(at) {
            // Only a file's address has no host.
            ':' if self.is(at, ":///") => (self.scheme(begin, at, &["file"])?, at + 3),
            ':' if self.is(at, "://") => (self.scheme(begin, at, &SCHEMES)?, at + 3),
            ':' => (self.scheme(begin, at, &["mailto"])?, at + 1),
            // How git names a repository behind ssh: user, host, path.
            '@' => {
                let from = self.scheme(begin, at, &["git"])?;
                let mut colon = at + 1;
                while self.c(colon).is_ascii_alphanumeric() || matches!(self.c(colon), '.' | '-') {
                    colon += 1;
                    if colon - at > LONGEST {
                        return None;
                    }
                }
                let named = colon > at + 1 && self.c(colon) == ':';
                (from, if named { colon + 1 } else { return None })
            }
            _ => return None,
        };
        let first = self.c(body);
        if !(first.is_alphanumeric() || matches!(first, '/' | '[' | '~' | '.' | '_')) {
            return None;
        }
        let end = self.address_end(body);
        (end > body).then_some((from, end))
    }

    /// Where a scheme before `at` begins, if it is one of these and nothing else.
    fn scheme(&self, begin: usize, at: usize, known: &[&str]) -> Option<usize> {
        let mut from = at;
        while from > begin && at - from < 10 && self.c(from - 1).is_ascii_alphabetic() {
            from -= 1;
        }
        let alone = from == 0 || !self.c(from - 1).is_ascii_alphanumeric() || from == begin;
        let is = |name: &&str| {
            name.len() == at - from
                && name.chars().zip(from..).all(|(c, at)| self.c(at).eq_ignore_ascii_case(&c))
        };
        (alone && known.iter().any(is)).then_some(from)
    }

    /// Where an address ends: brackets in it are paired, and a sentence's punctuation is not its.
    fn address_end(&self, body: usize) -> usize {
        let mut open = [0i32; 2];
        let mut end = body;
        while end < self.chars.len() && in_address(self.c(end)) {
            let (pair, step) = match self.c(end) {
                '(' => (0, 1),
                ')' => (0, -1),
                '[' => (1, 1),
                ']' => (1, -1),
                _ => {
                    end += 1;
                    continue;
                }
            };
            open[pair] += step;
            if open[pair] < 0 {
                break;
            }
            end += 1;
        }
        while end > body {
            match self.c(end - 1) {
                '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '(' | '[' => {}
                _ => break,
            }
            end -= 1;
        }
        end
    }

    /// A line and perhaps a column at this place: `:1`, `:1:2`, `(1)`, `(1,2)`, `#L1`. Returns where it ends.
    fn place(&self, at: usize) -> Option<(Kind, usize)> {
        match self.c(at) {
            ':' => {
                let (line, end) = self.number(at + 1)?;
                let column = || self.number(end + 1).filter(|_| self.c(end) == ':');
                Some(match column() {
                    Some((col, end)) => (Kind::Path { line, col: Some(col) }, end),
                    None => (Kind::Path { line, col: None }, end),
                })
            }
            '(' => {
                let (line, end) = self.number(at + 1)?;
                if self.c(end) == ')' {
                    return Some((Kind::Path { line, col: None }, end + 1));
                }
                let comma = self.c(end) == ',';
                let blank = usize::from(self.c(end + 1) == ' ');
                let (col, end) = self.number(end + 1 + blank).filter(|_| comma)?;
                (self.c(end) == ')').then_some((Kind::Path { line, col: Some(col) }, end + 1))
            }
            '#' if self.c(at + 1) == 'L' => {
                let (line, end) = self.number(at + 2)?;
                Some((Kind::Path { line, col: None }, end))
            }
            _ => None,
        }
    }

    /// A number of at most nine digits, not zero, and not the beginning of a word.
    fn number(&self, at: usize) -> Option<(u32, usize)> {
        let mut number = 0u32;
        let mut end = at;
        while let Some(digit) = self.c(end).to_digit(10) {
            if end - at == 9 {
                return None;
            }
            number = number * 10 + digit;
            end += 1;
        }
        let word = self.c(end).is_alphanumeric() || self.c(end) == '_';
        (number > 0 && !word).then_some((number, end))
    }

    /// Where a path begins that ends here: behind every bracket that is still open, and behind marks that
    /// programs put in front.
    fn unclosed(&self, begin: usize) -> usize {
        let mut from = self.open.last().map_or(begin, |open| (open + 1).max(begin));
        while matches!(self.c(from), '*' | '@' | '(' | '[' | '{') {
            from += 1;
        }
        from
    }

    /// Whether text names a file: it has folders, or an ending, or is a well-known name.
    fn is_path(&self, from: usize, to: usize) -> bool {
        if from >= to || to - from > LONGEST {
            return false;
        }
        let text: String = self.chars[from..to].iter().map(|c| c.c).collect();
        let name = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let folders = name.len() < text.len();
        if text.starts_with("//") || text.contains("://") || !name.chars().any(char::is_alphabetic)
        {
            return false;
        }
        let ending = name.rsplit_once('.').filter(|(stem, ending)| {
            let short = (1..=12).contains(&ending.len());
            let plain = ending.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let letter = ending.chars().any(|c| c.is_ascii_alphabetic());
            short && plain && letter && (folders || !stem.contains('@'))
        });
        match ending {
            _ if folders => true,
            Some((_, ending)) => !DOMAINS.contains(&ending),
            None => BARE_NAMES.contains(&name),
        }
    }

    fn add(
        &self,
        kind: Kind,
        target: std::ops::Range<usize>,
        covered: std::ops::Range<usize>,
        found: &mut Vec<Link>,
    ) {
        let mut spans: Vec<Span> = Vec::new();
        for c in &self.chars[covered] {
            match spans.last_mut() {
                Some(last) if last.row == c.row => last.to = c.end,
                _ => spans.push(Span { row: c.row, from: c.col, to: c.end }),
            }
        }
        let target = self.chars[target].iter().map(|c| c.c).collect();
        found.push(Link { kind, target, spans });
    }

    /// The character at a place; a gap behind the end.
    fn c(&self, at: usize) -> char {
        self.chars.get(at).map_or(GAP, |c| c.c)
    }

    fn is(&self, at: usize, text: &str) -> bool {
        text.chars().zip(at..).all(|(c, at)| self.chars.get(at).is_some_and(|there| there.c == c))
    }
}

/// What cannot be part of a path that nobody put into quotes. Lines of boxes and the signs that prompts
/// and trees are made of stand right beside text.
fn ends_word(c: char) -> bool {
    deceives(c)
        || matches!(c, '"' | '\'' | '`' | '<' | '>' | '|' | '=' | ',' | ';' | '!' | '?')
        || is_drawn(c)
}

/// What may be part of an address.
fn in_address(c: char) -> bool {
    match c {
        '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => false,
        _ if c.is_ascii() => c.is_ascii_graphic(),
        _ => c.is_alphanumeric(),
    }
}

/// Lines, blocks, arrows, signs of private use and quotation marks of all languages.
fn is_drawn(c: char) -> bool {
    matches!(c,
        '\u{ab}' | '\u{bb}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{2190}'..='\u{2bff}'
        | '\u{3000}'..='\u{3020}' | '\u{e000}'..='\u{f8ff}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0c}'
        | '\u{ff1a}' | '\u{1fb00}'..='\u{1fbff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Extra;

    /// Rows of so many columns, as a terminal would wrap the text.
    fn rows(text: &str, cols: usize) -> Vec<Row> {
        let mut rows = vec![Row::default()];
        for c in text.chars() {
            if c == '\n' {
                rows.push(Row::default());
                continue;
            }
            let wide = ('\u{2e80}'..'\u{e000}').contains(&c);
            let room = cols - rows.last().expect("a row").cells.len();
            if room < if wide { 2 } else { 1 } {
                let row = rows.last_mut().expect("a row");
                row.cells.resize(cols, Cell::BLANK);
                row.wrapped = true;
                rows.push(Row::default());
            }
            let cells = &mut rows.last_mut().expect("a row").cells;
            let flags = if wide { flags::WIDE } else { 0 };
            cells.push(Cell { glyph: c as u32, flags, ..Cell::BLANK });
            if wide {
                cells.push(Cell { flags: flags::SPACER, ..Cell::BLANK });
            }
        }
        rows
    }

    fn found(text: &str) -> Vec<String> {
        let rows = rows(text, 200);
        let rows: Vec<&Row> = rows.iter().collect();
        links(&rows, 200).into_iter().map(|link| show(&link)).collect()
    }

    fn show(link: &Link) -> String {
        match link.kind {
            Kind::Named => format!("{} named", link.target),
            Kind::Url => link.target.clone(),
            Kind::Path { line, col: None } => format!("{} at {line}", link.target),
            Kind::Path { line, col: Some(col) } => format!("{} at {line}, {col}", link.target),
        }
    }

    #[test]
    fn addresses_are_found_whatever_stands_around_them() {
        for (text, expected) in [
            ("see https://a.b/c.", "https://a.b/c"),
            ("(https://a.b/c)", "https://a.b/c"),
            ("(see https://a.b/c), then", "https://a.b/c"),
            ("https://en.wikipedia.org/wiki/A_(b)", "https://en.wikipedia.org/wiki/A_(b)"),
            ("[text](https://a.b/c_(d))", "https://a.b/c_(d)"),
            ("<https://a.b>", "https://a.b"),
            ("\"https://a.b/c d\"", "https://a.b/c"),
            ("`https://a.b/`", "https://a.b/"),
            ("url=http://a.b:80/?q=1&r=2,3;4#x!", "http://a.b:80/?q=1&r=2,3;4#x"),
            ("HTTPS://A.B", "HTTPS://A.B"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("│https://a.b/c│", "https://a.b/c"),
            ("**https://a.b**", "https://a.b"),
            ("https://a.b/ä好", "https://a.b/ä好"),
            ("好https://a.b。", "https://a.b"),
            ("「https://a.b」", "https://a.b"),
            ("file:///etc/passwd", "file:///etc/passwd"),
            ("ftp://a.b/c", "ftp://a.b/c"),
            ("mailto:me@a.b,", "mailto:me@a.b"),
            ("ssh://git@a.b:22/c.git", "ssh://git@a.b:22/c.git"),
            ("git@github.com:o/r.git:", "git@github.com:o/r.git"),
            ("git+https://a.b/c", "https://a.b/c"),
            ("https://a.b/https://c.d", "https://a.b/https://c.d"),
            ("https://a.b/x.rs:12", "https://a.b/x.rs:12"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
        assert_eq!(
            found("http://a.b,\nhttp://c.d http://e.f"),
            ["http://a.b", "http://c.d", "http://e.f"]
        );
    }

    #[test]
    fn places_in_files_are_found_in_every_spelling() {
        for (text, expected) in [
            ("src/main.rs:12:5: error", "src/main.rs at 12, 5"),
            ("  --> src/main.rs:12:5", "src/main.rs at 12, 5"),
            ("main.rs:12", "main.rs at 12"),
            ("src/main.rs:12:fn main() {", "src/main.rs at 12"),
            ("./a/b:3", "./a/b at 3"),
            ("~/a.txt:3.", "~/a.txt at 3"),
            ("/usr/include/stdio.h:1,", "/usr/include/stdio.h at 1"),
            ("at f (/srv/a.js:10:5)", "/srv/a.js at 10, 5"),
            ("at f(/srv/a.js:10:5)", "/srv/a.js at 10, 5"),
            ("app/[id]/page.tsx:10:5", "app/[id]/page.tsx at 10, 5"),
            ("app/(auth)/page.tsx:10:5", "app/(auth)/page.tsx at 10, 5"),
            ("src/a.ts(3,14): error TS1", "src/a.ts at 3, 14"),
            ("src/a.cs(3): x", "src/a.cs at 3"),
            ("src/a.rs#L20", "src/a.rs at 20"),
            ("File \"/srv/a b.py\", line 7, in f", "/srv/a b.py at 7"),
            ("C:\\x\\y.rs:3:4", "C:\\x\\y.rs at 3, 4"),
            ("ERROR:src/x.py:9", "src/x.py at 9"),
            ("\"src/x.py:9\"", "src/x.py at 9"),
            ("│src/x.py:9│", "src/x.py at 9"),
            ("@src/x.py:9-12", "src/x.py at 9"),
            ("src/x.py:9..12", "src/x.py at 9"),
            ("Makefile:3: x", "Makefile at 3"),
            ("src/日本.rs:3", "src/日本.rs at 3"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
        assert_eq!(found("a.rs:1 b.rs:2,c.rs:3"), ["a.rs at 1", "b.rs at 2", "c.rs at 3"]);
    }

    #[test]
    fn what_only_looks_like_a_link_is_none() {
        for text in [
            "12:30:45",
            "127.0.0.1:8080",
            "localhost:8080",
            "example.com:443",
            "tcp://a.b:80",
            "note: 12",
            "a.rs:0",
            "a.rs:12ab",
            "a.rs:1234567890",
            "http://",
            "https:// a",
            "xhttp://a.b",
            "javascript://a.b",
            "10/12/2024:12",
            "git@",
            "git@host",
            "mailto:",
            ":12",
            "/:12",
            "f(12)",
            "File \"x",
            "::::1:1:1",
            "((((((",
        ] {
            assert_eq!(found(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn wrapped_rows_are_one_line_and_others_are_not() {
        let wrapped = rows("go to https://a.b/cdef now", 10);
        let refs: Vec<&Row> = wrapped.iter().collect();
        let span = |row, from, to| Span { row, from, to };
        let [link] = &links(&refs, 10)[..] else { panic!("one link") };
        assert_eq!(link.target, "https://a.b/cdef");
        assert_eq!(link.spans, [span(0, 6, 10), span(1, 0, 10), span(2, 0, 2)]);
        assert_eq!(link_at(&refs, 10, 1, 9).as_ref(), Some(link));
        assert_eq!(link_at(&refs, 10, 2, 2), None);

        let mut broken = wrapped.clone();
        broken[0].wrapped = false;
        let refs: Vec<&Row> = broken.iter().collect();
        assert_eq!(links(&refs, 10), []);

        // Blanks at the end of a wrapped row are a gap, unless a wide character had no room there.
        let wide = rows("src/a/bcd日本.rs:3", 10);
        let refs: Vec<&Row> = wide.iter().collect();
        assert_eq!(refs[0].cells[9], Cell::BLANK);
        let [link] = &links(&refs, 10)[..] else { panic!("one link") };
        assert_eq!(show(link), "src/a/bcd日本.rs at 3");
        assert_eq!(link.spans, [span(0, 0, 9), span(1, 0, 9)]);
        let mut gap = rows("https://a.b/c", 5);
        gap[0].cells.truncate(4);
        let refs: Vec<&Row> = gap.iter().collect();
        assert_eq!(links(&refs, 5), []);
    }

    #[test]
    fn links_of_the_program_come_first() {
        let mut rows = rows("https://a.b x\nsrc/a.rs:1", 13);
        rows[0].extras = vec![Extra { underline: None, link: Some("https://evil".to_owned()) }];
        rows[0].cells.iter_mut().take(11).for_each(|cell| cell.extra = 1);
        let refs: Vec<&Row> = rows.iter().collect();
        let shown: Vec<String> = links(&refs, 13).iter().map(show).collect();
        assert_eq!(shown, ["https://evil named", "src/a.rs at 1"]);
    }

    #[test]
    fn hidden_text_leads_nowhere() {
        let mut rows = rows("https://a.b/c", 20);
        rows[0].cells.iter_mut().skip(9).for_each(|cell| cell.flags |= flags::HIDDEN);
        assert_eq!(show(&links(&[&rows[0]], 20)[0]), "https://a");
    }

    #[test]
    fn only_the_web_and_mail_are_opened() {
        for (target, expected) in [
            ("https://a.b", true),
            ("HTTP://a.b", true),
            ("mailto:a@b", true),
            ("file:///etc/passwd", false),
            ("ssh://a", false),
            ("javascript:alert(1)", false),
            ("vscode://x", false),
            ("/usr/bin/true", false),
            ("https://a.b/\u{202e}gpj.exe", false),
            ("https://a b", false),
            ("https", false),
            ("", false),
        ] {
            assert_eq!(may_open(target), expected, "{target}");
        }
    }

    #[test]
    fn anything_is_bounded() {
        let cols = 1000;
        let floods = ["a.rs:1 ", "https://", "((((", "File \"", "git@a", "a:1:", "[", "mailto:a "];
        for flood in floods {
            let row = Row {
                cells: flood
                    .chars()
                    .cycle()
                    .take(cols)
                    .map(|c| Cell { glyph: c as u32, ..Cell::BLANK })
                    .collect(),
                wrapped: true,
                ..Row::default()
            };
            let rows = vec![&row; 200];
            let links = links(&rows, cols as u16);
            assert!(links.len() <= MOST, "{flood}");
            assert!(links.iter().all(|link| link.target.chars().count() <= LONGEST), "{flood}");
        }
        // What a peer says may be nonsense.
        let wild = Cell { glyph: u32::MAX, flags: u16::MAX, extra: u16::MAX, ..Cell::BLANK };
        let row = Row { cells: vec![wild; 5], wrapped: true, ..Row::default() };
        assert_eq!(links(&[&row, &row], 2), []);
        assert_eq!(links(&[&row], 0), []);
        assert_eq!(links(&[], 80), []);
    }
}
