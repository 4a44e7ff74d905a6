//! What the preview of a session shows of its entries: what was said, shortened around what was looked for.

use std::ops::Range;

use maestro_core::conversation::{Body, Entry};
use maestro_core::text::{clean, is_harmful};

/// The most bytes of one entry.
const MOST: usize = 1200;

/// How much is kept before the first match of a longer one.
const BEFORE: usize = 240;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    You,
    Agent,
    Tool,
    Note,
    Failed,
}

/// An entry, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The entry's number.
    pub n: u64,
    /// Whose words these are.
    pub who: Who,
    /// What stands above them.
    pub label: String,
    /// The words.
    pub text: String,
    /// Where what was looked for is in them: byte ranges, in order.
    pub marks: Vec<Range<usize>>,
}

/// What is shown of an entry; nothing of thinking, of lists and of bookkeeping. `here` is the entry that was
/// found: of a tool call its output is shown then.
#[must_use]
pub fn said(entry: &Entry, words: &str, here: bool) -> Option<Said> {
    let (who, label, text) = match &entry.body {
        Body::Prompt(prompt) => (Who::You, "You".to_owned(), prompt.text.as_str()),
        Body::Text(text) => (Who::Agent, "Agent".to_owned(), text.as_str()),
        Body::Tool(tool) => {
            let title = clean(&tool.title, 160);
            let text = if here && !tool.output.is_empty() { tool.output.as_str() } else { &title };
            let label = clean(&tool.name, 40);
            return Some(shown(entry.n, Who::Tool, label, text, words));
        }
        Body::Notice(text) => (Who::Note, "Note".to_owned(), text.as_str()),
        Body::Failed(failure) => (Who::Failed, "Failed".to_owned(), failure.message.as_str()),
        Body::Thinking(_)
        | Body::Todo(_)
        | Body::Request { .. }
        | Body::Ended(_)
        | Body::Raw(_) => return None,
    };
    (!text.trim().is_empty()).then(|| shown(entry.n, who, label, text, words))
}

fn shown(n: u64, who: Who, label: String, text: &str, words: &str) -> Said {
    let words: Vec<Vec<char>> = words
        .split_whitespace()
        .map(|word| word.chars().flat_map(char::to_lowercase).collect())
        .collect();
    let text = around(text.trim(), &words);
    let marks = matches(&text, &words);
    Said { n, who, label, text, marks }
}

/// A text that is not too long: the part around the first match, with marks where something is left out,
/// and without characters that could make it look other than it is.
fn around(text: &str, words: &[Vec<char>]) -> String {
    let mut visible = String::new();
    let first =
        if text.len() > MOST { matches(text, words).first().map(|m| m.start) } else { None };
    let mut start = first.unwrap_or(0).saturating_sub(BEFORE);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (start + MOST).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if start > 0 {
        visible.push('…');
    }
    visible.extend(text[start..end].chars().filter(|c| *c == '\n' || !is_harmful(*c)));
    if end < text.len() {
        visible.push('…');
    }
    visible
}

/// Where words are, in any case; ranges that touch are one.
fn matches(text: &str, words: &[Vec<char>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.char_indices() {
        let longest = words.iter().filter_map(|word| begins(&text[at..], word)).max();
        let Some(length) = longest.filter(|length| *length > 0) else { continue };
        match found.last_mut() {
            Some(last) if last.end >= at => last.end = last.end.max(at + length),
            _ => found.push(at..at + length),
        }
    }
    found
}

/// How many bytes of a text a word in small letters takes, if it begins with it.
fn begins(text: &str, word: &[char]) -> Option<usize> {
    let mut wanted = word.iter();
    let mut next = wanted.next();
    for (at, c) in text.char_indices() {
        if next.is_none() {
            return Some(at);
        }
        for small in c.to_lowercase() {
            if next != Some(&small) {
                return None;
            }
            next = wanted.next();
        }
    }
    next.is_none().then_some(text.len())
}

#[cfg(test)]
mod tests {
    use maestro_core::conversation::Prompt;

    use super::*;

    fn text(text: &str, words: &str) -> Said {
        let body = Body::Prompt(Prompt { text: text.to_owned(), ..Prompt::default() });
        let entry = Entry { n: 4, turn: 1, at_ms: 0, open: false, body };
        said(&entry, words, false).expect("it is shown")
    }

    #[test]
    fn words_are_marked_in_any_case() {
        assert_eq!(text("The Flaky flakytest", "flaky test").marks, [4..9, 10..19]);
        let marks = text("GRÖSSE größe", "größe").marks;
        assert_eq!((marks.len(), marks.first()), (1, Some(&(8..15))));
        assert!(text("abc", "").marks.is_empty());
    }

    #[test]
    fn a_long_text_is_shown_around_its_first_match() {
        let long = format!("{}Needle{}", "ä".repeat(2000), "z".repeat(2000));
        let said = text(&long, "needle");
        assert!(
            said.text.len() <= MOST + 6 && said.text.starts_with('…') && said.text.ends_with('…')
        );
        assert_eq!(said.text.get(said.marks[0].clone()), Some("Needle"));
    }

    #[test]
    fn nothing_hidden_reaches_the_screen() {
        assert_eq!(text("a\u{202e}b\u{1b}[31mc\nd", "").text, "ab[31mc\nd");
    }
}
