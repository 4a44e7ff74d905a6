//! Mentions and commands in what is being written have a colour.

use std::ops::Range;

use iced::advanced::text::Highlighter;

/// Finds mentions of files, and the command at the beginning.
#[derive(Debug)]
pub struct Mentions {
    line: usize,
}

impl Highlighter for Mentions {
    type Settings = ();
    type Highlight = ();
    type Iterator<'a> = std::vec::IntoIter<(Range<usize>, ())>;

    fn new((): &()) -> Self {
        Self { line: 0 }
    }

    fn update(&mut self, (): &()) {}

    fn change_line(&mut self, line: usize) {
        self.line = self.line.min(line);
    }

    fn highlight_line(&mut self, line: &str) -> Self::Iterator<'_> {
        let first = self.line == 0;
        self.line += 1;
        ranges(line, first).into_iter().map(|range| (range, ())).collect::<Vec<_>>().into_iter()
    }

    fn current_line(&self) -> usize {
        self.line
    }
}

/// Where a line has mentions: words that begin with `@` and have more; in the first line the command.
#[must_use]
pub fn ranges(line: &str, first: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in line.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let is_command = first && at == 0 && bare.starts_with('/') && !bare[1..].contains('/');
        if bare.len() > 1 && (bare.starts_with('@') || is_command) {
            found.push(at..at + bare.len());
        }
        at += word.len();
    }
    found
}
