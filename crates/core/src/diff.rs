//! Changes of files as lines: a unified diff read for showing, with the words that differ.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// A line that is longer is not looked at word by word.
const LONGEST: usize = 2000;

/// Runs of changed lines that are longer are not matched with each other.
pub(crate) const LONGEST_RUN: usize = 64;

/// A line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What happened to it.
    pub kind: Kind,
    /// Its number in the file: in the one from before where it was removed, otherwise in the new one.
    pub number: Option<u32>,
    /// The line, without the sign before it.
    pub text: String,
    /// What differs from the line it was or became: byte ranges.
    pub marks: Vec<Range<usize>>,
}

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is in both files.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// No line: here begins another part of the file.
    Gap,
}

/// The lines of hunks of a unified diff. File headers are left out; what is none of all this is shown as
/// it is.
#[must_use]
pub fn lines(diff: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut old, mut new): (Option<u32>, Option<u32>) = (None, None);
    // How many lines the hunk still has: within it a line that looks like a header is none.
    let (mut old_left, mut new_left) = (0_u64, 0_u64);
    for text in diff.lines() {
        let inside = old_left > 0 || new_left > 0;
        if let Some(hunk) = text.strip_prefix("@@").and_then(Hunk::read) {
            if !lines.is_empty() || hunk.new > 1 {
                lines.push(Line::new(Kind::Gap, None, hunk.about));
            }
            (old, new) = (Some(hunk.old), Some(hunk.new));
            (old_left, new_left) = (hunk.old_lines, hunk.new_lines);
            continue;
        }
        if !inside && is_header(text) || text.starts_with("\\ ") {
            continue;
        }
        let step = |number: &mut Option<u32>, left: &mut u64| {
            *left = left.saturating_sub(1);
            let now = *number;
            *number = number.map(|number| number.saturating_add(1));
            now
        };
        let line = match text.split_at_checked(1) {
            Some(("+", rest)) => Line::new(Kind::Added, step(&mut new, &mut new_left), rest),
            Some(("-", rest)) => Line::new(Kind::Removed, step(&mut old, &mut old_left), rest),
            Some((" ", rest)) => {
                let _ = step(&mut old, &mut old_left);
                Line::new(Kind::Same, step(&mut new, &mut new_left), rest)
            }
            _ => {
                let _ = step(&mut old, &mut old_left);
                Line::new(Kind::Same, step(&mut new, &mut new_left), text)
            }
        };
        lines.push(line);
    }
    mark(&mut lines);
    lines
}

impl Line {
    fn new(kind: Kind, number: Option<u32>, text: impl Into<String>) -> Self {
        Self { kind, number, text: text.into(), marks: Vec::new() }
    }
}

fn is_header(line: &str) -> bool {
    ["--- ", "+++ ", "diff --git ", "index ", "new file mode", "deleted file mode"]
        .into_iter()
        .any(|start| line.starts_with(start))
}

/// The head of a hunk: `@@ -12,3 +12,5 @@ fn main() {`.
struct Hunk<'a> {
    old: u32,
    old_lines: u64,
    new: u32,
    new_lines: u64,
    about: &'a str,
}

impl<'a> Hunk<'a> {
    fn read(after: &'a str) -> Option<Self> {
        let (ranges, about) = after.split_once("@@")?;
        let mut ranges = ranges.split_whitespace();
        let range = |text: Option<&str>, sign| {
            let text = text?.strip_prefix(sign)?;
            let (start, count) = text.split_once(',').unwrap_or((text, "1"));
            Some((start.parse::<u32>().ok()?, count.parse::<u32>().ok()?))
        };
        let (old, old_lines) = range(ranges.next(), '-')?;
        let (new, new_lines) = range(ranges.next(), '+')?;
        let (old_lines, new_lines) = (u64::from(old_lines), u64::from(new_lines));
        Some(Self { old, old_lines, new, new_lines, about: about.trim() })
    }
}

/// Marks in each removed line and in the one that took its place what differs.
fn mark(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let run = |from: usize, kind| {
            lines[from..].iter().take_while(|line: &&Line| line.kind == kind).count()
        };
        let removed = run(at, Kind::Removed);
        let added = run(at + removed, Kind::Added);
        // A line is taken for the one that stands in the same place of what came instead.
        if removed > 0 && added > 0 && removed.max(added) <= LONGEST_RUN {
            let (before, after) = lines[at..at + removed + added].split_at_mut(removed);
            for (before, after) in before.iter_mut().zip(after) {
                if let Some((gone, come)) = difference(&before.text, &after.text) {
                    before.marks.extend(gone);
                    after.marks.extend(come);
                }
            }
        }
        at += (removed + added).max(1);
    }
}

/// What is different in the first line and in the second one: byte ranges.
pub(crate) type Marks = (Vec<Range<usize>>, Vec<Range<usize>>);

/// What is different between two lines, in whole words; `None` where hardly anything is the same.
pub(crate) fn difference(before: &str, after: &str) -> Option<Marks> {
    if before.len().max(after.len()) > LONGEST || before == after {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (words(before).collect(), words(after).collect());
    let starts = |words: &[&str]| -> Vec<usize> {
        let ends = words.iter().scan(0, |at, word| {
            *at += word.len();
            Some(*at)
        });
        std::iter::once(0).chain(ends).collect()
    };
    let (old_at, new_at) = (starts(&old), starts(&new));
    let (mut same, mut marks) = (0, (Vec::new(), Vec::new()));
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (was, is) = (op.old_range(), op.new_range());
        let run = &old[was.clone()];
        if op.tag() == DiffTag::Equal {
            let is_edge = was.start == 0 || was.end == old.len();
            let has_word = run.iter().any(|word| word.contains(char::is_alphanumeric));
            // A sign or a blank alone is found everywhere, and tells nothing.
            if is_edge || has_word {
                same += run.iter().map(|word| word.trim().len()).sum::<usize>();
                continue;
            }
        }
        add(&mut marks.0, old_at[was.start]..old_at[was.end]);
        add(&mut marks.1, new_at[is.start]..new_at[is.end]);
    }
    let most = before.trim().len().max(after.trim().len());
    (same * 3 >= most).then_some(marks)
}

/// Adds a mark, to the one before it where they touch.
fn add(marks: &mut Vec<Range<usize>>, mark: Range<usize>) {
    match marks.last_mut() {
        _ if mark.is_empty() => {}
        Some(last) if last.end == mark.start => last.end = mark.end,
        _ => marks.push(mark),
    }
}

/// A line cut into words, runs of blanks and single signs.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let class = |c: char| (c.is_alphanumeric() || c == '_', c.is_whitespace());
        let own = class(first);
        let alone = own == (false, false);
        let length = if alone {
            first.len_utf8()
        } else {
            rest.find(|c| class(c) != own).unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(length);
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(diff: &str) -> Vec<String> {
        let sign = |kind| match kind {
            Kind::Same => ' ',
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Gap => '@',
        };
        let number = |line: &Line| line.number.map(|n| n.to_string()).unwrap_or_default();
        let show = |line: &Line| format!("{}{} {}", sign(line.kind), number(line), line.text);
        lines(diff).iter().map(show).collect()
    }

    #[test]
    fn lines_have_the_number_of_their_file() {
        let diff = "@@ -10,3 +10,4 @@ fn main() {\n a\n-b\n+c\n+d\n e\n@@ -40 +41 @@\n-x\n+y\n";
        let expected =
            ["@ fn main() {", " 10 a", "-11 b", "+11 c", "+12 d", " 13 e", "@ ", "-40 x", "+41 y"];
        assert_eq!(shown(diff), expected);
    }

    #[test]
    fn headers_are_left_out_and_lines_that_look_like_them_are_not() {
        let diff =
            "--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,2 @@\n--- note\n+-- remark\n a\n\\ No newline\n";
        assert_eq!(shown(diff), ["-1 -- note", "+1 -- remark", " 2 a"].map(str::to_owned));
    }

    #[test]
    fn what_is_no_diff_is_shown() {
        assert_eq!(shown("+ä\nplain\n\n"), ["+ ä", "  plain", "  "]);
        assert_eq!(
            shown("@@ nonsense @@\n@@ -99999999999 +1 @@"),
            ["  @@ nonsense @@", "  @@ -99999999999 +1 @@"]
        );
        assert!(lines("").is_empty());
    }

    fn marked(before: &str, after: &str) -> Option<(String, String)> {
        let (gone, come) = difference(before, after)?;
        let cut = |text: &str, marks: Vec<Range<usize>>| {
            marks.into_iter().map(|mark| text[mark].to_owned()).collect::<Vec<_>>().join("|")
        };
        Some((cut(before, gone), cut(after, come)))
    }

    #[test]
    fn the_words_that_differ_are_marked() {
        let check = |before, after, expected: Option<(&str, &str)>| {
            let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
            assert_eq!(marked(before, after), expected, "{before} → {after}");
        };
        check("let a = 1;", "let a = 2;", Some(("1", "2")));
        check("  call(a, b)", "  call(a, c, b)", Some(("", "c, ")));
        check("grün und blau", "grün oder blau", Some(("und", "oder")));
        check(
            "pub fn old(a: u32) -> u32 {",
            "pub fn new(a: u64) -> u32 {",
            Some(("old|u32", "new|u64")),
        );
        check("if a.b { return c }", "if x.y { return c }", Some(("a.b", "x.y")));
        check("call(a, b);", "call(b, a);", Some(("a, b", "b, a")));
        check("nothing alike", "wholly different", None);
        check("same", "same", None);
    }

    #[test]
    fn the_longest_lines_are_looked_at_in_bounded_time() {
        let line = |sign: &str| format!("{sign} ").repeat(LONGEST / 2 - 1);
        let (one, other) = (line("a"), format!("{} b", line("c")));
        assert_eq!(marked(&one, &other), None);
    }

    #[test]
    fn a_line_is_compared_with_what_came_in_its_place() {
        let lines = lines("@@ -1,1 +1,2 @@\n-a = old(1)\n+a = new(1)\n+b = other(2)\n");
        let marked = |line: &Line| line.marks.iter().map(|mark| &line.text[mark.clone()]).collect();
        let marked: Vec<String> = lines.iter().map(marked).collect();
        assert_eq!(marked, ["old", "new", ""]);
    }

    #[test]
    fn marks_lie_between_characters() {
        for line in lines("@@ -1,2 +1,2 @@\n-größe = ü1 ab\n-b\n+größe = ö1 ab\n+c\n") {
            for mark in &line.marks {
                assert!(line.text.get(mark.clone()).is_some(), "{line:?}");
            }
        }
    }
}
