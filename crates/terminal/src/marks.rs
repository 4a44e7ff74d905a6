//! Prompt marks (OSC 133): where a shell's prompts, command lines and outputs begin and end.
//!
//! <https://gitlab.freedesktop.org/Per_Bothner/specifications/blob/master/proposals/semantic-prompts.md>

use std::collections::VecDeque;

use maestro_core::screen::Mark;

use crate::cold::Point;
use crate::event::Prompt;

/// The most marks kept for the rows in the emulator; beyond it the oldest go.
const LIMIT: usize = 1 << 16;

/// How many marks are looked back for the prompt that something belongs to: a command has three more, and
/// what prints others without end must not make each of them look through all.
pub(crate) const NEAR: usize = 1000;

/// What begins or ends at a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A prompt begins; never [`Mark::None`].
    Prompt(Mark),
    /// The prompt ends, the command line begins.
    Command,
    /// What the command prints begins.
    Output,
    /// It ended.
    End,
}

impl Kind {
    pub(crate) fn is_prompt(self) -> bool {
        matches!(self, Self::Prompt(_))
    }

    /// What a row shows for it.
    pub(crate) fn mark(self) -> Option<Mark> {
        match self {
            Self::Prompt(mark) => Some(mark),
            _ => None,
        }
    }
}

/// The marks of the rows in the emulator, oldest first. Those of cold rows are kept with them.
#[derive(Debug, Default)]
pub(crate) struct Marks(VecDeque<(Point, Kind)>);

impl Marks {
    /// Adds what a shell said at the cursor. Marks below it are older than what is printed here: what they
    /// stood at is gone.
    pub(crate) fn add(&mut self, point: Point, prompt: Prompt) {
        while self.0.back().is_some_and(|(last, _)| last.row > point.row) {
            let _ = self.0.pop_back();
        }
        let kind = match prompt {
            Prompt::Start => Kind::Prompt(Mark::Prompt),
            Prompt::Command => Kind::Command,
            Prompt::Output => Kind::Output,
            Prompt::Done(_) => Kind::End,
        };
        let same = std::mem::discriminant(&kind);
        let row = self.0.iter().rev().take_while(|(last, _)| last.row == point.row).count();
        let begin = self.0.len() - row;
        // A prompt that is drawn again in its place.
        if let Some(at) =
            (begin..self.0.len()).find(|at| std::mem::discriminant(&self.0[*at].1) == same)
        {
            let _ = self.0.remove(at);
        }
        self.0.push_back((point, kind));
        if self.0.len() > LIMIT {
            let _ = self.0.pop_front();
        }
    }

    /// The newest prompt, where it is here and not [`NEAR`] marks away.
    pub(crate) fn last_prompt(&mut self) -> Option<&mut Kind> {
        self.0.iter_mut().rev().take(NEAR).map(|(_, kind)| kind).find(|kind| kind.is_prompt())
    }

    /// Whether a command was started since the newest prompt.
    pub(crate) fn is_running(&self) -> bool {
        let mut marks = self.0.iter().rev().take(NEAR).map(|(_, kind)| *kind);
        marks.find(|kind| matches!(kind, Kind::Prompt(_) | Kind::Output)) == Some(Kind::Output)
    }

    /// What a row shows.
    pub(crate) fn of(&self, row: u64) -> Mark {
        let begin = self.0.partition_point(|(point, _)| point.row < row);
        let marks = self.0.iter().skip(begin).take_while(|(point, _)| point.row == row);
        marks.filter_map(|(_, kind)| kind.mark()).last().unwrap_or_default()
    }

    /// The nearest mark that is wanted: from a cell on (`forward`), or before it.
    pub(crate) fn find(
        &self,
        from: Point,
        forward: bool,
        wanted: impl Fn(Kind) -> bool,
    ) -> Option<(Point, Kind)> {
        let is = |(_, kind): &&(Point, Kind)| wanted(*kind);
        let at = self.0.partition_point(|(point, _)| *point < from);
        if forward {
            self.0.iter().skip(at).find(is).copied()
        } else {
            self.0.iter().take(at).rev().find(is).copied()
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the marks of rows older than one, oldest first.
    pub(crate) fn take_older(&mut self, row: u64) -> impl Iterator<Item = (Point, Kind)> + '_ {
        let end = self.0.partition_point(|(point, _)| point.row < row);
        self.0.drain(..end)
    }

    /// Forgets the marks of some rows.
    pub(crate) fn remove(&mut self, rows: std::ops::Range<u64>) {
        self.0.retain(|(point, _)| !rows.contains(&point.row));
    }

    /// Where the marks are, to move them with their text.
    pub(crate) fn points(&mut self) -> impl Iterator<Item = &mut Point> {
        self.0.iter_mut().map(|(point, _)| point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(row: u64) -> Point {
        Point { row, col: 0 }
    }

    #[test]
    fn a_prompt_drawn_again_replaces_what_was_there() {
        let mut marks = Marks::default();
        marks.add(at(1), Prompt::Start);
        marks.add(at(5), Prompt::Start);
        marks.add(at(5), Prompt::Command);
        marks.add(at(5), Prompt::Start);
        assert_eq!(marks.0.len(), 3);
        marks.add(at(2), Prompt::Start);
        assert_eq!(marks.0.iter().map(|(point, _)| point.row).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn marks_are_found_both_ways() {
        let mut marks = Marks::default();
        for row in [1, 3, 5] {
            marks.add(at(row), Prompt::Start);
            marks.add(at(row + 1), Prompt::Output);
        }
        let find = |row, forward| marks.find(at(row), forward, Kind::is_prompt).map(|(p, _)| p.row);
        for (from, forward, wanted) in [
            (0, true, Some(1)),
            (1, true, Some(1)),
            (2, true, Some(3)),
            (6, true, None),
            (1, false, None),
            (3, false, Some(1)),
            (9, false, Some(5)),
        ] {
            assert_eq!(find(from, forward), wanted, "{from} {forward}");
        }
        assert_eq!((marks.of(3), marks.of(4)), (Mark::Prompt, Mark::None));
        assert!(marks.is_running());
    }

    #[test]
    fn marks_are_bounded() {
        let mut marks = Marks::default();
        for row in 0..2 * LIMIT as u64 {
            marks.add(at(row), Prompt::Start);
        }
        assert_eq!(marks.0.len(), LIMIT);
    }
}
