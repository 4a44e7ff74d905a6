//! The text in the prompt box.

use crate::demo_agent::keys::Key;

/// Text with a cursor and the prompts before it.
#[derive(Debug, Default)]
pub struct Editor {
    text: Vec<char>,
    cursor: usize,
    history: Vec<String>,
    /// Which prompt of the history is shown; its length for the one being written.
    at: usize,
    draft: Vec<char>,
}

impl Editor {
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Characters before the cursor.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn clear(&mut self) {
        self.show(Vec::new());
        self.at = self.history.len();
    }

    /// Puts a prompt into the history.
    pub fn remember(&mut self, prompt: &str) {
        if self.history.last().is_none_or(|last| last != prompt) {
            self.history.push(prompt.to_owned());
        }
        self.at = self.history.len();
    }

    /// Takes the text out of the box, unless it is blank.
    pub fn submit(&mut self) -> Option<String> {
        let prompt = self.text().trim().to_owned();
        if prompt.is_empty() {
            return None;
        }
        self.remember(&prompt);
        self.clear();
        Some(prompt)
    }

    pub fn press(&mut self, key: &Key) {
        match key {
            Key::Char(c) => self.insert(*c),
            Key::Newline => self.insert('\n'),
            Key::Paste(text) => text.chars().for_each(|c| self.insert(c)),
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                let _ = self.text.remove(self.cursor);
            }
            Key::Delete | Key::EndOfInput if self.cursor < self.text.len() => {
                let _ = self.text.remove(self.cursor);
            }
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            Key::WordLeft => self.cursor = self.word_start(),
            Key::WordRight => {
                let rest = &self.text[self.cursor..];
                let blank = rest.iter().take_while(|c| c.is_whitespace()).count();
                let word = rest[blank..].iter().take_while(|c| !c.is_whitespace()).count();
                self.cursor += blank + word;
            }
            Key::Home => self.cursor = self.line_start(),
            Key::End => {
                let rest = &self.text[self.cursor..];
                self.cursor += rest.iter().position(|&c| c == '\n').unwrap_or(rest.len());
            }
            Key::KillLine => {
                let start = self.line_start();
                let _ = self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            Key::KillWord => {
                let start = self.word_start();
                let _ = self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            Key::Up => self.recall(self.at.saturating_sub(1)),
            Key::Down => self.recall((self.at + 1).min(self.history.len())),
            _ => {}
        }
    }

    fn insert(&mut self, c: char) {
        self.text.insert(self.cursor, c);
        self.cursor += 1;
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].iter().rposition(|&c| c == '\n').map_or(0, |at| at + 1)
    }

    fn word_start(&self) -> usize {
        let before = &self.text[..self.cursor];
        let blank = before.iter().rev().take_while(|c| c.is_whitespace()).count();
        let word =
            before[..before.len() - blank].iter().rev().take_while(|c| !c.is_whitespace()).count();
        self.cursor - blank - word
    }

    fn recall(&mut self, at: usize) {
        if at == self.at {
            return;
        }
        if self.at == self.history.len() {
            self.draft = std::mem::take(&mut self.text);
        }
        self.at = at;
        let text = match self.history.get(at) {
            Some(prompt) => prompt.chars().collect(),
            None => std::mem::take(&mut self.draft),
        };
        self.show(text);
    }

    fn show(&mut self, text: Vec<char>) {
        self.text = text;
        self.cursor = self.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_edited() {
        let check = |keys: &[Key], expected: &str| {
            let mut editor = Editor::default();
            editor.remember("first");
            editor.remember("second");
            keys.iter().for_each(|key| editor.press(key));
            let mut text: Vec<char> = editor.text().chars().collect();
            text.insert(editor.cursor(), '|');
            assert_eq!(text.into_iter().collect::<String>(), expected, "{keys:?}");
        };
        let paste = |text: &str| Key::Paste(text.to_owned());
        check(&[paste("ab cd"), Key::WordLeft, Key::Backspace], "ab|cd");
        check(&[paste("ab cd"), Key::KillWord, Key::Char('x')], "ab x|");
        check(&[paste("a"), Key::Newline, Key::Char('b'), Key::Home], "a\n|b");
        check(&[paste("ab"), Key::Home, Key::Delete, Key::End], "b|");
        check(&[Key::Up, Key::Up, Key::Up], "first|");
        check(&[paste("draft"), Key::Up, Key::Down], "draft|");
        check(&[Key::Backspace, Key::Left, Key::Delete, Key::KillWord, Key::KillLine], "|");
    }
}
