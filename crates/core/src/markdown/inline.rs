//! Words of a block: how they look and where they lead.

use std::sync::Arc;

use crate::text::is_harmful;

/// Words that look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The words; a line break is where the source has a hard one.
    pub text: String,
    /// How they look.
    pub style: Style,
    /// Where they lead, as the source has it: to be looked at before it is opened.
    pub link: Option<Arc<str>>,
}

/// How words look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Strong.
    pub bold: bool,
    /// Emphasised.
    pub italic: bool,
    /// Struck out.
    pub struck: bool,
    /// Code.
    pub code: bool,
}

/// Ends of an address that rather belong to the sentence around it.
const SENTENCE: &[char] = &['.', ',', ';', ':', '!', '?', '\'', '"', '*', '_'];

/// Adds words to the others, without characters that do something or that nobody sees.
pub(super) fn push(spans: &mut Vec<Span>, text: &str, style: Style, link: Option<Arc<str>>) {
    let harmless = |c: char| matches!(c, '\n') || !is_harmful(c);
    let clean: String;
    let text = if text.chars().all(harmless) {
        text
    } else {
        clean = text.replace('\t', " ").chars().filter(|c| harmless(*c)).collect();
        &clean
    };
    if text.is_empty() {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.style == style && last.link == link => last.text.push_str(text),
        _ => spans.push(Span { text: text.to_owned(), style, link }),
    }
}

/// The same words, with links where addresses stand. Only whole ones can be looked at: the parser cuts
/// words wherever a sign might have meant something.
pub(super) fn linked(spans: Vec<Span>) -> Vec<Span> {
    let plain = |span: &Span| span.link.is_some() || span.style.code || !span.text.contains("http");
    if spans.iter().all(plain) {
        return spans;
    }
    let mut linked = Vec::with_capacity(spans.len() + 2);
    for span in spans {
        if plain(&span) {
            push(&mut linked, &span.text, span.style, span.link);
            continue;
        }
        let mut rest = span.text.as_str();
        while let Some((at, length)) = address(rest) {
            let (before, found) = (&rest[..at], &rest[at..at + length]);
            push(&mut linked, before, span.style, None);
            push(&mut linked, found, span.style, Some(Arc::from(found)));
            rest = &rest[at + length..];
        }
        push(&mut linked, rest, span.style, None);
    }
    linked
}

/// The first web address in a text: where it is and how long.
fn address(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("http") {
        let at = from + found;
        from = at + "http".len();
        let scheme = ["https://", "http://"].into_iter().find(|s| text[at..].starts_with(s));
        let after_letter = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let Some(scheme) = scheme.filter(|_| !after_letter) else { continue };
        let end = text[at..]
            .find(|c: char| c.is_whitespace() || c.is_control() || "<>\"`{}|\\^".contains(c))
            .unwrap_or(text.len() - at);
        let length = without_end(&text[at..at + end]).len();
        if length > scheme.len() {
            return Some((at, length));
        }
    }
    None
}

/// An address without what rather belongs to the sentence: a full stop, a bracket that it does not open.
fn without_end(mut address: &str) -> &str {
    loop {
        let shorter = address.trim_end_matches(SENTENCE);
        let count = |c| shorter.matches(c).count();
        address = match shorter.chars().next_back() {
            Some(')') if count(')') > count('(') => &shorter[..shorter.len() - 1],
            Some(']') if count(']') > count('[') => &shorter[..shorter.len() - 1],
            _ => return shorter,
        };
    }
}

/// The words without how they look.
#[must_use]
pub fn plain(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}
