//! What was said about lines, until it is sent to the agent: all of it as one message.

use maestro_core::changes::{Line, Name, Source};
use maestro_core::diff::Kind;
use maestro_core::text;
use serde::{Deserialize, Serialize};

/// The most comments that are collected.
pub const MOST: usize = 200;

/// The most characters of one comment.
pub const LONGEST: usize = 8000;

/// Lines of code that are quoted with a comment, and characters of each.
const QUOTED: usize = 30;
const WIDE: usize = 400;

/// Something that was said about lines of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Where it was said.
    pub source: Source,
    /// The file.
    pub file: Name,
    /// The lines: what happened to each, its numbers, and its text.
    pub lines: Vec<Line>,
    /// What was said.
    pub text: String,
}

impl Comment {
    /// Whether it is about a line.
    #[must_use]
    pub fn is_about(&self, source: &Source, file: &Name, line: &Line) -> bool {
        let has = |own: &Line| (own.old, own.new, own.kind) == (line.old, line.new, line.kind);
        self.source == *source && self.file == *file && self.lines.iter().any(has)
    }

    /// Where it is: `12`, `12-18`, `12 (removed)`.
    #[must_use]
    pub fn place(&self) -> String {
        let new = || self.lines.iter().filter_map(|line| line.new);
        let old = || self.lines.iter().filter_map(|line| line.old);
        let (first, last, gone) = match (new().min(), new().max()) {
            (Some(first), Some(last)) => (first, last, ""),
            _ => (old().min().unwrap_or(0), old().max().unwrap_or(0), " (removed)"),
        };
        if first == last { format!("{first}{gone}") } else { format!("{first}-{last}{gone}") }
    }
}

/// A place in a text is quoted so that nothing in it ends the quotation.
fn fence(lines: &[Line]) -> String {
    let longest = lines
        .iter()
        .flat_map(|line| line.text.split(|c| c != '`').map(str::len))
        .max()
        .unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

/// Everything that was said, as one message.
#[must_use]
pub fn message(comments: &[Comment]) -> String {
    let mut sorted: Vec<&Comment> = comments.iter().collect();
    sorted.sort_by_key(|comment| {
        let first = comment.lines.first().and_then(|line| line.new.or(line.old));
        (comment.file.clone(), first)
    });
    let many = if sorted.len() == 1 { "a comment" } else { "comments" };
    let mut message = format!("I read the changes and have {many}. Please see to each of them.\n");
    for comment in sorted {
        let about = match &comment.source {
            Source::Commit(id) => format!(" in commit {}", text::beginning_of(id, 12)),
            Source::Staged => " (staged)".to_owned(),
            _ => String::new(),
        };
        let fence = fence(&comment.lines);
        message.push_str(&format!(
            "\n{}:{}{about}\n{fence}diff\n",
            comment.file.shown(),
            comment.place()
        ));
        for line in comment.lines.iter().take(QUOTED) {
            let sign = match line.kind {
                Kind::Added => '+',
                Kind::Removed => '-',
                Kind::Same | Kind::Gap => ' ',
            };
            message.push(sign);
            message.push_str(text::beginning_of(&line.text, WIDE));
            message.push('\n');
        }
        if let Some(more) = comment.lines.len().checked_sub(QUOTED).filter(|more| *more > 0) {
            message.push_str(&format!("… {more} more lines\n"));
        }
        message.push_str(&format!("{fence}\n{}\n", comment.text.trim()));
    }
    message
}

#[cfg(test)]
mod tests {
    use maestro_core::changes::LineEnd;

    use super::*;

    fn line(kind: Kind, old: Option<u32>, new: Option<u32>, text: &str) -> Line {
        Line { kind, old, new, text: text.into(), marks: Vec::new(), end: LineEnd::Lf }
    }

    fn comment(file: &str, lines: Vec<Line>, text: &str) -> Comment {
        Comment { source: Source::WorkingTree, file: file.into(), lines, text: text.into() }
    }

    #[test]
    fn all_that_was_said_is_one_message_in_the_order_of_the_files() {
        let comments = [
            comment(
                "src/z.rs",
                vec![
                    line(Kind::Removed, Some(7), None, "old()"),
                    line(Kind::Added, None, Some(7), "new()"),
                    line(Kind::Same, Some(8), Some(8), "}"),
                ],
                "Why is this new?\n",
            ),
            comment("src/a.rs", vec![line(Kind::Removed, Some(3), None, "gone")], "Keep it."),
        ];
        assert_eq!(
            message(&comments),
            "I read the changes and have comments. Please see to each of them.\n\
             \nsrc/a.rs:3 (removed)\n```diff\n-gone\n```\nKeep it.\n\
             \nsrc/z.rs:7-8\n```diff\n-old()\n+new()\n }\n```\nWhy is this new?\n"
        );
    }

    #[test]
    fn code_does_not_end_its_quotation() {
        let fenced = comment("a.md", vec![line(Kind::Added, None, Some(1), "````rust")], "x");
        assert!(message(&[fenced]).contains("\n`````diff\n+````rust\n`````\nx\n"));
    }

    #[test]
    fn many_lines_are_not_all_quoted() {
        let lines = (1..=100).map(|n| line(Kind::Added, None, Some(n), "x")).collect();
        let said = message(&[comment("a", lines, "too long")]);
        assert!(said.contains("a:1-100\n"), "{said}");
        assert!(said.contains("… 70 more lines\n"), "{said}");
    }

    #[test]
    fn a_comment_is_about_its_lines_where_it_was_said() {
        let said = comment("a", vec![line(Kind::Added, None, Some(4), "x")], "y");
        let other = line(Kind::Same, Some(4), Some(4), "x");
        assert!(said.is_about(&Source::WorkingTree, &"a".into(), &said.lines[0]));
        assert!(!said.is_about(&Source::WorkingTree, &"a".into(), &other));
        assert!(!said.is_about(&Source::Staged, &"a".into(), &said.lines[0]));
        assert!(!said.is_about(&Source::WorkingTree, &"b".into(), &said.lines[0]));
    }
}
