//! Prompt marks (OSC 133): kept with their rows, jumped between, and what lies between them.

use maestro_core::input::OutputOf;
use maestro_core::screen::Mark;

use super::Terminal;
use crate::cold::Point;
use crate::event::Prompt;
use crate::marks::Kind;
use crate::select::Range;

/// How many commands are looked at for one that printed anything.
const COMMANDS: usize = 1000;

impl Terminal {
    /// A shell said something about the place of the cursor.
    pub(super) fn prompted(&mut self, prompt: Prompt) {
        if self.emulator.is_alt() {
            return;
        }
        self.forget_wiped_marks();
        if let Prompt::Done(code) = prompt {
            let outcome = match code {
                Some(0) => Some(Mark::Done),
                Some(_) => Some(Mark::Failed),
                // Also said of a command line that was left: nothing ran then.
                None => self.marks.is_running().then_some(Mark::Done),
            };
            let cold = &mut self.emulator.state.cold;
            let prompt = self.marks.last_prompt().or_else(|| cold.last_prompt());
            if let (Some(outcome), Some(prompt)) = (outcome, prompt) {
                *prompt = Kind::Prompt(outcome);
            }
        }
        let cursor = self.cursor_point();
        self.marks.add(cursor, prompt);
    }

    /// The child wiped rows: their marks are forgotten before it says anything else.
    pub(super) fn forget_wiped_marks(&mut self) {
        let gone = std::mem::take(&mut self.emulator.state.gone);
        if gone > 0 {
            self.marks.remove(0..gone);
        }
    }

    /// Where the emulator's cursor is.
    pub(super) fn cursor_point(&self) -> Point {
        let point = self.emulator.grid().cursor.point;
        Point { row: self.emulator.base() + point.line.0.max(0) as u64, col: point.column.0 as u16 }
    }

    /// The nearest mark that is wanted: from a cell on (`forward`), or before it.
    pub(super) fn find_mark(
        &mut self,
        from: Point,
        forward: bool,
        wanted: impl Fn(Kind) -> bool + Copy,
    ) -> Option<(Point, Kind)> {
        if self.emulator.is_alt() {
            return None;
        }
        let shed = self.emulator.state.shed;
        let mut cold = |from: Point| self.emulator.state.cold.find_mark(from, forward, wanted);
        let found = if forward {
            let older = if from.row < shed { cold(from) } else { None };
            older.or_else(|| self.marks.find(from, true, wanted))
        } else {
            let newer = self.marks.find(from, false, wanted);
            newer.or_else(|| cold(from))
        };
        found.filter(|(point, _)| (self.oldest()..=self.newest()).contains(&point.row))
    }

    /// The prompt so many prompts above a row (positive) or below it, as far as there are any.
    pub(super) fn prompt_from(&mut self, row: u64, count: i32) -> Option<u64> {
        let mut found = None;
        for _ in 0..count.unsigned_abs().min(100_000) {
            let at = found.unwrap_or(row);
            let from = Point { row: if count > 0 { at } else { at + 1 }, col: 0 };
            let Some((point, _)) = self.find_mark(from, count < 0, Kind::is_prompt) else { break };
            found = Some(point.row);
        }
        found
    }

    /// The offset that brings a prompt to the viewport's top. Below the last one is the bottom.
    pub(super) fn prompt_offset(&mut self, count: i32) -> i64 {
        let top = self.first_shown();
        match self.prompt_from(top, count) {
            Some(row) => self.emulator.base().saturating_sub(row) as i64,
            None if count < 0 => 0,
            None => self.offset() as i64,
        }
    }

    /// What a command printed.
    pub(super) fn output_range(&mut self, of: OutputOf) -> Option<Range> {
        match of {
            OutputOf::Last => {
                let mut from = Point { row: self.newest() + 1, col: 0 };
                for _ in 0..COMMANDS {
                    let (begin, _) = self.find_mark(from, false, |kind| kind == Kind::Output)?;
                    let range = self.output_at(begin);
                    if range.is_some_and(|range| self.has_text(range)) {
                        return range;
                    }
                    from = begin;
                }
                None
            }
            OutputOf::At(row) => {
                let below = Point { row: self.first_shown() + u64::from(row) + 1, col: 0 };
                let starts = |kind: Kind| kind.is_prompt() || kind == Kind::Output;
                let begin = match self.find_mark(below, false, starts)? {
                    (begin, Kind::Output) => begin,
                    (prompt, _) => {
                        let after = Point { row: prompt.row + 1, col: 0 };
                        match self.find_mark(after, true, starts)? {
                            (begin, Kind::Output) => begin,
                            _ => return None,
                        }
                    }
                };
                self.output_at(begin).filter(|range| self.has_text(*range))
            }
        }
    }

    /// The cells of an output that begins at a cell: up to its end, the next prompt, or the cursor.
    fn output_at(&mut self, begin: Point) -> Option<Range> {
        let ends = |kind: Kind| kind.is_prompt() || kind == Kind::End;
        let end = match self.find_mark(begin, true, ends) {
            Some((end, _)) => end,
            None => self.cursor_point(),
        };
        let last = match end.col.checked_sub(1) {
            Some(col) => (end.row, col),
            None => (end.row.checked_sub(1)?, self.options.size.cols - 1),
        };
        let first = (begin.row, begin.col);
        (first <= last).then_some(Range { first, last, block: false })
    }

    fn has_text(&mut self, range: Range) -> bool {
        let mut row = std::mem::take(&mut self.scratch);
        let cols = self.options.size.cols;
        let has = (range.first.0..=range.last.0).any(|number| {
            let Some((from, to)) = range.columns(number, cols) else { return false };
            self.fetch(number, &mut row)
                && !crate::select::text(&row, from, to, cols).trim().is_empty()
        });
        self.scratch = row;
        has
    }
}
