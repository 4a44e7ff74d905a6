//! Text that leaves the terminal: what a command printed, everything in slices; and emptying it.

use maestro_core::input::OutputOf;

use super::Terminal;
use crate::cold::Point;
use crate::marks::Kind;
use crate::select::{self, Range};
use crate::text;

/// What the rows of a terminal take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Bytes of the rows in the emulator, roughly.
    pub hot: usize,
    /// Bytes of the compressed rows.
    pub cold: usize,
}

impl Terminal {
    /// What the last command printed that printed anything, by its prompt marks (OSC 133): trailing blanks
    /// trimmed, wrapped lines joined. `None` without marks.
    pub fn output_text(&mut self) -> Option<String> {
        self.land();
        let range = self.output_range(OutputOf::Last)?;
        let mut text = String::new();
        self.write_range(range, range.first.0, u64::MAX, &mut text);
        self.emulator.state.cold.forget_cache();
        text.truncate(text.trim_end_matches(['\n', ' ']).len());
        Some(text)
    }

    /// Empties the screen but for the prompt and the line with the cursor, which go to the top, as `clear`
    /// does: what was above is history then. With `history`, all of that is forgotten. The child is not
    /// asked. A full-screen program's screen stays as it is, for only the program can draw it again.
    pub fn clear(&mut self, history: bool) {
        if self.emulator.is_alt() {
            return;
        }
        let base = self.emulator.base();
        let cursor = self.cursor_point();
        let mut first = cursor.row;
        while first > base && self.wraps(first - 1) {
            first -= 1;
        }
        // A prompt of several lines, as long as nothing was started at it.
        let behind = Point { row: cursor.row + 1, col: 0 };
        let starts = |kind: Kind| kind.is_prompt() || kind == Kind::Output;
        // Those of rows that are compressed lie above the screen.
        if let Some((prompt, kind)) = self.marks.find(behind, false, starts)
            && kind.is_prompt()
            && prompt.row >= base
        {
            first = first.min(prompt.row);
        }
        let line = (first - base) as i32;
        self.guarded(|terminal| terminal.emulator.clear(line, history));
        self.set_offset(0);
        self.keep_vi_shown();
        if history {
            let base = self.emulator.base();
            self.marks.remove(0..base);
            self.restart_search();
        }
        self.settle();
    }

    /// Adds up to `rows` rows of history and screen to `out`, oldest first: plain text with wrapped
    /// lines joined and trailing blanks trimmed, or row by row with colours and attributes as control
    /// sequences.
    /// Begins with `None`; returns what the next slice begins with, `None` after the last row. So a
    /// million rows are written without being held, and output may arrive in between.
    pub fn export(
        &mut self,
        ansi: bool,
        from: Option<u64>,
        rows: usize,
        out: &mut String,
    ) -> Option<u64> {
        if from.is_none() {
            self.wrap_cold(0);
        }
        let first = from.unwrap_or(0).max(self.oldest());
        let end = self.newest() + 1;
        let next = end.min(first.saturating_add(rows as u64));
        let cols = self.options.size.cols;
        let mut row = std::mem::take(&mut self.scratch);
        for number in first..next {
            let _ = self.fetch(number, &mut row);
            if ansi {
                out.push_str(&text::ansi([&row]));
                continue;
            }
            out.push_str(&select::text(&row, 0, cols - 1, cols));
            if !row.wrapped {
                out.push('\n');
            }
        }
        self.scratch = row;
        self.emulator.state.cold.forget_cache();
        (next < end).then_some(next)
    }

    /// Adds the text of a part of the selection to `out`: of up to `rows` rows. Begins with `None`; returns
    /// what the next part begins with, `None` after the last row. So a million selected rows are copied
    /// without standing in memory twice.
    pub fn selection_slice(
        &mut self,
        from: Option<u64>,
        rows: usize,
        out: &mut String,
    ) -> Option<u64> {
        self.land();
        let range = self.selected_range()?;
        let first = from.unwrap_or(0).max(range.first.0).max(self.oldest());
        let next = first.saturating_add(rows as u64);
        self.write_range(range, first, next, out);
        self.emulator.state.cold.forget_cache();
        (next <= range.last.0).then_some(next)
    }

    /// Adds the text of some cells to `out`: trailing blanks trimmed, wrapped lines joined.
    pub(super) fn write_range(&mut self, range: Range, first: u64, next: u64, out: &mut String) {
        let cols = self.options.size.cols;
        let mut row = std::mem::take(&mut self.scratch);
        for number in first..=range.last.0.min(next.saturating_sub(1)) {
            let Some((from, to)) = range.columns(number, cols) else { continue };
            if !self.fetch(number, &mut row) {
                continue;
            }
            let from = if range.block { self.whole(&row, from) } else { from };
            out.push_str(&select::text(&row, from, to, cols));
            let goes_on = row.wrapped && !range.block && to + 1 >= cols;
            if number < range.last.0 && !goes_on {
                out.push('\n');
            }
        }
        self.scratch = row;
    }

    /// What its rows take.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory { hot: self.hot_bytes(), cold: self.emulator.state.cold.bytes() }
    }
}
