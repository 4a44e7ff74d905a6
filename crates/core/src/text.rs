//! Foreign text made fit to be shown: what documents, agents and terminals say goes into rows, titles and
//! messages, where it must neither look other than it is nor do anything.

/// Text on one line without control and bidirectional characters (line breaks and tabs become blanks),
/// trimmed, at most `limit` characters.
#[must_use]
pub fn clean(text: &str, limit: usize) -> String {
    let visible = text.trim().chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if is_harmful(c) => None,
        c => Some(c),
    });
    visible.take(limit).collect::<String>().trim_end().to_owned()
}

/// Characters that make text look other than it is, or do something where it is printed.
#[must_use]
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The end of a text, cut between characters.
#[must_use]
pub fn end_of(text: &str, bytes: usize) -> &str {
    let start = text.len().saturating_sub(bytes);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    &text[start..]
}

/// Texts in quotation marks; of many only the first few, and how many more there are.
#[must_use]
pub fn quoted<'a>(texts: impl ExactSizeIterator<Item = &'a str>) -> String {
    const NAMED: usize = 6;
    const LENGTH: usize = 60;
    let more = texts.len().saturating_sub(NAMED);
    let mut named: Vec<String> = texts
        .take(NAMED)
        .map(|text| match text.chars().count() {
            0..=LENGTH => format!("“{}”", clean(text, LENGTH)),
            _ => format!("“{}…”", clean(text, LENGTH - 1)),
        })
        .collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_loses_what_would_lie_or_act() {
        for (text, expected) in [
            (" a\tb\r\nc ", "a b  c"),
            ("a\u{1b}[31mb\u{202e}c\u{9b}", "a[31mbc"),
            ("好 e\u{301} 👩\u{200d}💻", "好 e\u{301} 👩\u{200d}💻"),
            ("12345678901234567890", "123456789012"),
        ] {
            assert_eq!(clean(text, 12), expected, "{text:?}");
        }
    }

    #[test]
    fn the_end_is_cut_between_characters() {
        assert_eq!(end_of("aäb", 2), "b");
        assert_eq!(end_of("aäb", 3), "äb");
        assert_eq!(end_of("ab", 9), "ab");
    }

    #[test]
    fn of_many_texts_a_few_are_named() {
        let check = |texts: &[&str], expected: &str| {
            assert_eq!(quoted(texts.iter().copied()), expected);
        };
        check(&["a", "b"], "“a”, “b”");
        check(&["x"; 8], "“x”, “x”, “x”, “x”, “x”, “x”, and 2 more");
        let long = "y".repeat(100);
        check(&[&long], &format!("“{}…”", "y".repeat(59)));
    }
}
