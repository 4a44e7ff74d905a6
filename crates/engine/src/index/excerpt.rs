//! What is shown of a text in which something was found.

use maestro_core::conversation::Body;
use maestro_store::index::Sought;

/// Characters before the first word that was found, and of an excerpt in all.
const BEFORE: usize = 48;
const LONGEST: usize = 200;
/// The most places that are marked.
const MARKS: usize = 24;
/// The most bytes of a text that are looked through.
const LOOKED: usize = 1 << 20;

/// Text on one line around the first place in the texts where something of what is sought is, and where in
/// it that is: byte ranges.
pub(crate) fn of(texts: &[String], sought: &Sought) -> (String, Vec<(u32, u32)>) {
    let text = texts.iter().find(|text| sought.is_in(text)).or_else(|| texts.first());
    let Some(text) = text else { return Default::default() };
    let text = &text[..maestro_core::conversation::bounds::floor(text, LOOKED)];
    let first = places(text, sought, 1).first().map_or(0, |(from, _)| *from);
    let mut from = text[..first].char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    // From the beginning of a word, where one is near.
    if from > 0 {
        from += text[from..first].find(char::is_whitespace).map_or(0, |at| at + 1);
    }
    let mut line = String::new();
    if !text[..from].trim().is_empty() {
        line.push('…');
    }
    let mut blank = true;
    let mut whole = true;
    for (count, c) in text[from..].chars().enumerate() {
        if count >= LONGEST {
            whole = false;
            break;
        }
        if c.is_whitespace() {
            blank = true;
        } else if !maestro_core::text::is_harmful(c) {
            if blank && !line.is_empty() && line != "…" {
                line.push(' ');
            }
            blank = false;
            line.push(c);
        }
    }
    if !whole {
        line.push('…');
    }
    let marks = places(&line, sought, MARKS)
        .into_iter()
        .filter_map(|(from, to)| Some((u32::try_from(from).ok()?, u32::try_from(to).ok()?)))
        .collect();
    (line, marks)
}

/// Where in a text something of what is sought is: in order, not overlapping, at most so many. Where words
/// begin with one of the words, only there.
fn places(text: &str, sought: &Sought, most: usize) -> Vec<(usize, usize)> {
    // Lower case may be longer or shorter: each of its bytes remembers where it came from.
    let mut lower = String::with_capacity(text.len());
    let mut origin = Vec::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        for low in c.to_lowercase() {
            origin.extend(std::iter::repeat_n(at, low.len_utf8()));
            lower.push(low);
        }
    }
    origin.push(text.len());
    let wanted: Vec<&String> =
        if sought.texts.is_empty() { &sought.words } else { &sought.texts }.iter().collect();
    let mut places: Vec<(usize, usize)> = Vec::new();
    for beginnings in [true, false] {
        for word in &wanted {
            for (at, _) in lower.match_indices(word.as_str()).take(most * 8) {
                let begins = lower[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
                if begins || !beginnings {
                    let end = at + word.len();
                    places.push((origin[at], next_boundary(text, &origin, end)));
                }
            }
        }
        if !places.is_empty() {
            break;
        }
    }
    places.sort_unstable();
    let mut apart: Vec<(usize, usize)> = Vec::new();
    for (from, to) in places {
        let full = apart.len() >= most;
        match apart.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ if full => break,
            _ => apart.push((from, to)),
        }
    }
    apart
}

/// The end in the text itself of what ends at a byte of its lower case.
fn next_boundary(text: &str, origin: &[usize], end: usize) -> usize {
    let at = origin[end];
    // Half of a character that became two: the whole of it.
    if end > 0 && end < origin.len() && origin[end - 1] == at {
        return text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    }
    at
}

/// Whether bytes have a word of ASCII in lower case in them, in whatever case.
pub(crate) fn has_ascii(bytes: &[u8], word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else { return true };
    let upper = first.to_ascii_uppercase();
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first || *byte == upper) {
        from += at + 1;
        if bytes.len() - from < rest.len() {
            return false;
        }
        if bytes[from..from + rest.len()].eq_ignore_ascii_case(rest) {
            return true;
        }
    }
    false
}

/// About how many bytes a body has.
pub(crate) fn weight(body: &Body) -> usize {
    200 + match body {
        Body::Prompt(prompt) => prompt.text.len(),
        Body::Text(text) | Body::Thinking(text) | Body::Notice(text) | Body::Raw(text) => {
            text.len()
        }
        Body::Tool(tool) => {
            let diffs: usize = tool.changes.iter().map(|change| change.diff.len()).sum();
            tool.input.len() + tool.output.len() + diffs
        }
        Body::Todo(_) | Body::Request { .. } | Body::Failed(_) | Body::Ended(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, words: &str) -> String {
        let (line, marks) = of(&[text.to_owned()], &Sought::new(words));
        let mut shown = String::new();
        let mut from = 0;
        for (begin, end) in marks {
            shown += &line[from..begin as usize];
            shown += &format!("[{}]", &line[begin as usize..end as usize]);
            from = end as usize;
        }
        shown + &line[from..]
    }

    #[test]
    fn what_was_found_is_marked_in_its_surroundings() {
        assert_eq!(shown("Fix the parser", "pars"), "Fix the [pars]er");
        assert_eq!(shown("a\n\n b\tPARSER\x07", "parser"), "a b [PARSER]");
        assert_eq!(shown("sparse parser", "pars"), "sparse [pars]er");
        assert_eq!(shown("sparse", "pars"), "s[pars]e");
        assert_eq!(shown("one two one", "one two"), "[one] [two] [one]");
        assert_eq!(shown("say \"the word\" twice", "\"the word\""), "say \"[the word]\" twice");
        assert_eq!(shown("日本語の文書を読む", "文書"), "日本語の[文書]を読む");
        assert_eq!(shown("Große İstanbul", "große"), "[Große] İstanbul");
        assert_eq!(shown("nothing of it", "absent"), "nothing of it");
        let long = format!("{} needle {}", "word ".repeat(100), "more ".repeat(100));
        let shown = shown(&long, "needle");
        assert!(shown.starts_with("…word") && shown.contains(" [needle] ") && shown.ends_with('…'));
        assert!(shown.chars().count() < LONGEST + 10, "{shown}");
    }

    #[test]
    fn bytes_are_compared_without_case() {
        assert!(has_ascii(b"xx NeeDle", b"needle"));
        assert!(!has_ascii(b"needl", b"needle") && !has_ascii(b"", b"a"));
        assert!(has_ascii(b"nnneedle", b"needle"));
    }
}
