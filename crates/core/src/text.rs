//! Foreign text made fit to be shown: what documents, agents and terminals say goes into rows, titles and
//! messages, where it must neither look other than it is nor do anything.

/// The most combining marks, joiners and variation selectors in a row that are shown on one character: more
/// than any writing system stacks, fewer than reach into the lines above and below.
const MARKS: usize = 4;

/// Text on one line as it may be shown anywhere outside a terminal: titles, notifications, directories, names.
/// Control characters, bidirectional controls and characters nobody sees are left out (line breaks and
/// tabs become blanks), piles of marks are cut, and what remains is trimmed and at most `limit` characters.
///
/// Everything textual that leaves a terminal's grid goes through here, and what an interface shows of
/// other foreign text should, too. For text of which every character matters, see [`escaped`].
#[must_use]
pub fn clean(text: &str, limit: usize) -> String {
    let mut marks = 0;
    let visible = text.trim().chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if is_harmful(c) => None,
        c if is_mark(c) => {
            marks += 1;
            (marks <= MARKS).then_some(c)
        }
        c => {
            marks = 0;
            Some(c)
        }
    });
    visible.take(limit).collect::<String>().trim_end().to_owned()
}

/// Whether text has nothing in it that moves or hides what stands beside it: control characters (line
/// breaks and tabs, too) and bidirectional controls.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    let moves =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.is_empty() || !text.contains(moves)
}

/// Text on one line with everything [`clean`] would leave out made visible, as Rust writes it (`\u{202e}`,
/// `\n`); at most about `limit` characters, an ellipsis where more would follow. For logs, and for asking
/// a person about a text.
#[must_use]
pub fn escaped(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for c in text.chars() {
        if count >= limit {
            shown.push('…');
            break;
        }
        let before = shown.len();
        if is_harmful(c) || c == '\\' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        count += shown[before..].chars().count();
    }
    shown
}

/// Characters that make text look other than it is, that nobody sees, or that do something where they are
/// printed: controls, bidirectional controls, separators of lines, fillers, tags, and what Unicode never
/// assigns. Joiners and variation selectors are not among them: emoji and several scripts are written
/// with them.
#[must_use]
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, grapheme joiner, Arabic letter mark, Hangul and Khmer fillers, Mongolian separator.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
            // Zero-width space, direction marks, separators, embeddings, overrides, isolates, invisible operators.
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            // Shorthand and musical controls, tags, and the selectors after them, which can carry bytes.
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || (c as u32) & 0xfffe == 0xfffe
}

/// Characters that are drawn onto the one before: combining marks of the general blocks, joiners,
/// variation selectors.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// A number of bytes as people read it: `1023 B`, `1.5 KiB`, `5.0 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

/// The beginning of a text: at most so many bytes, cut between characters.
#[must_use]
pub fn beginning_of(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The end of a text, cut between characters.
#[must_use]
pub fn end_of(text: &str, bytes: usize) -> &str {
    let start = text.len().saturating_sub(bytes);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    &text[start..]
}

/// What a program printed, as lines that can be shown: without escape sequences, each line as it looked in
/// the end where it was printed over, tabs as blanks. Characters that do something are left out. At most
/// `most` lines, the last ones; says how many were left out.
#[must_use]
pub fn printed(text: &str, most: usize) -> (Vec<String>, usize) {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() {
        return (Vec::new(), 0);
    }
    let skipped = text.split('\n').count().saturating_sub(most);
    (text.split('\n').skip(skipped).map(printed_line).collect(), skipped)
}

fn printed_line(line: &str) -> String {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut shown = String::with_capacity(line.len());
    let (mut column, mut marks) = (0_usize, 0);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\u{1b}' => skip_escape(&mut characters),
            '\t' => {
                let blanks = 4 - column % 4;
                shown.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            c if is_harmful(c) => {}
            c => {
                marks = if is_mark(c) { marks + 1 } else { 0 };
                if marks <= MARKS {
                    shown.push(c);
                    column += 1;
                }
            }
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Skips what follows an escape character: a control sequence, a string, or one character.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            let _ = characters.find(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = characters.next() {
                if c == '\u{7}' || (c == '\u{1b}' && characters.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        Some(c) if (' '..='/').contains(&c) => {
            let _ = characters.next();
        }
        _ => {}
    }
}

/// A text as one word of a shell, for a text without control characters. Programs that read dropped file
/// names know single quotes and backslashes, but not the way a shell has an apostrophe between quotes: a
/// text with one is written with backslashes.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        text.to_owned()
    } else if text.contains('\'') {
        let escapes = |c: &char| c.is_ascii() && !plain(*c);
        text.chars()
            .flat_map(|c| Some('\\').filter(|_| escapes(&c)).into_iter().chain([c]))
            .collect()
    } else {
        format!("'{text}'")
    }
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
    fn sizes_are_read_by_people() {
        for (bytes, expected) in
            [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")]
        {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn what_was_printed_is_shown_as_it_looked_in_the_end() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(printed(text, 100).0, expected, "{text:?}");
        };
        check("a\nb\n", &["a", "b"]);
        check("\u{1b}[31;1mred\u{1b}[0m ok\r\n", &["red ok"]);
        check("10%\r50%\r100%", &["100%"]);
        check("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{7}!", &["link!"]);
        check("a\tb\n\tc", &["a   b", "    c"]);
        check("x\u{202e}y\u{8}z\u{1b}(Bw\u{1b}[", &["xyzw"]);
        check("", &[]);
        assert_eq!(printed("a\nb\nc", 2), (vec!["b".to_owned(), "c".to_owned()], 1));
    }

    #[test]
    fn a_file_name_is_one_word_for_shells_and_agents() {
        for (text, expected) in [
            ("/tmp/a-1.png", "/tmp/a-1.png"),
            ("/tmp/two words", "'/tmp/two words'"),
            ("/it's my/ä $x.png", "/it\\'s\\ my/ä\\ \\$x.png"),
            ("/tmp/`x`;&|<>*?!#\"", "'/tmp/`x`;&|<>*?!#\"'"),
            ("/$HOME/\\a", "'/$HOME/\\a'"),
            ("-rf", "'-rf'"),
            ("~root", "'~root'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), expected);
        }
    }

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
    fn what_nobody_sees_is_left_out_and_what_people_write_stays() {
        for harmful in [
            "\u{202a}",
            "\u{202e}",
            "\u{2066}",
            "\u{2069}",
            "\u{200e}",
            "\u{61c}",
            "\u{200b}",
            "\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{3164}",
            "\u{115f}",
            "\u{2028}",
            "\u{e0041}",
            "\u{e0100}",
            "\u{fffe}",
            "\u{1ffff}",
            "\u{7f}",
            "\u{85}",
            "\u{0}",
        ] {
            assert_eq!(clean(&format!("a{harmful}b"), 9), "ab", "{harmful:?}");
        }
        for kept in
            ["👩\u{200d}💻", "❤\u{fe0f}", "می\u{200c}خواهم", "क्षत्रिय", "שלום", "e\u{301}\u{302}"]
        {
            assert_eq!(clean(kept, 40), kept);
        }
        assert_eq!(clean(&format!("e{}x", "\u{301}".repeat(90)), 90).chars().count(), 6);
    }

    #[test]
    fn what_would_be_left_out_can_be_made_visible() {
        for (text, shown) in [
            ("plain ü 好", "plain ü 好"),
            ("a\nb\u{1b}[2J\u{202e}c", "a\\nb\\u{1b}[2J\\u{202e}c"),
            ("\\u{202e}", "\\\\u{202e}"),
            ("12345678901", "1234567890…"),
        ] {
            assert_eq!(escaped(text, if shown.ends_with('…') { 10 } else { 40 }), shown);
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
