//! What was written before, step by step: the toolkit's editor has no memory of its own.

use std::collections::VecDeque;

use iced::widget::text_editor::{Cursor, Edit};

/// Steps that can be taken back; older ones are forgotten.
const MOST: usize = 200;

/// Bytes of text in all steps; beyond it the oldest are forgotten.
const ROOM: usize = 4 << 20;

/// A text and where its cursor is.
type State = (String, Cursor);

/// Steps back, and steps forward again.
#[derive(Debug, Default)]
pub struct Undo {
    past: VecDeque<State>,
    future: Vec<State>,
    last: Option<Kind>,
}

/// Edits of one kind that follow each other are one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Blank,
    Erasing,
    Other,
}

impl Undo {
    /// Takes note of what there was before an edit.
    pub fn before(&mut self, text: String, cursor: Cursor, edit: &Edit) {
        let kind = match edit {
            Edit::Insert(c) if c.is_whitespace() => Kind::Blank,
            Edit::Insert(_) => Kind::Word,
            Edit::Backspace => Kind::Erasing,
            _ => Kind::Other,
        };
        let goes_on = self.last == Some(kind) && kind != Kind::Other && cursor.selection.is_none();
        self.last = Some(kind);
        self.future.clear();
        if goes_on {
            return;
        }
        self.past.push_back((text, cursor));
        let mut bytes: usize = self.past.iter().map(|(text, _)| text.len()).sum();
        while self.past.len() > MOST || (bytes > ROOM && self.past.len() > 1) {
            bytes -= self.past.pop_front().map_or(0, |(text, _)| text.len());
        }
    }

    /// The step before.
    pub fn undo(&mut self, now: State) -> Option<State> {
        let before = self.past.pop_back()?;
        self.future.push(now);
        self.last = None;
        Some(before)
    }

    /// The step after.
    pub fn redo(&mut self, now: State) -> Option<State> {
        let after = self.future.pop()?;
        self.past.push_back(now);
        self.last = None;
        Some(after)
    }
}
