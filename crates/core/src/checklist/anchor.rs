//! Finding a task again after somebody else has edited the document.

use serde::{Deserialize, Serialize};

use super::Document;

/// What a task is known by: its text, which of several with that text it is, and what is around it.
/// Lines alone would not do: agents insert, reorder and reword while they work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Anchor {
    /// The text behind the box.
    pub text: String,
    /// Its line when last found, from 1: for people.
    pub line: u32,
    /// Its place among the tasks with the same text, from 0.
    pub occurrence: u32,
    /// How many tasks had that text.
    pub total: u32,
    /// The heading above it.
    pub section: Option<String>,
    /// The text of the task it is nested in.
    pub parent: Option<String>,
    /// The text of the task before it.
    pub before: Option<String>,
    /// The text of the task after it.
    pub after: Option<String>,
}

/// Where a task is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Here, by its number in the document.
    At(usize),
    /// No task has its text, but exactly one new text stands where it stood: between the same
    /// neighbours, under the same heading. Good enough to count attempts on, never to tick.
    Reworded(usize),
    /// It is no longer there.
    Gone,
    /// Several could be meant.
    Ambiguous,
}

impl Document {
    /// What a task can be found by later.
    ///
    /// # Panics
    ///
    /// When the document has no task with that number.
    #[must_use]
    pub fn anchor(&self, index: usize) -> Anchor {
        let task = &self.tasks[index];
        let same = |range: &[super::Task]| range.iter().filter(|t| t.text == task.text).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Anchor {
            text: task.text.clone(),
            line: task.line,
            occurrence: count(same(&self.tasks[..index])),
            total: count(same(&self.tasks)),
            section: task.section.clone(),
            parent: task.parent.map(|parent| self.tasks[parent].text.clone()),
            before: index.checked_sub(1).map(|before| self.tasks[before].text.clone()),
            after: self.tasks.get(index + 1).map(|after| after.text.clone()),
        }
    }

    /// Finds a task again.
    #[must_use]
    pub fn find(&self, anchor: &Anchor) -> Found {
        let candidates: Vec<usize> =
            (0..self.tasks.len()).filter(|at| self.tasks[*at].text == anchor.text).collect();
        match candidates.as_slice() {
            [] => self.find_reworded(anchor),
            [only] if anchor.total == 1 => Found::At(*only),
            several => self.find_among(several, anchor),
        }
    }

    /// One of several tasks with the same text, or one that is left of several.
    fn find_among(&self, candidates: &[usize], anchor: &Anchor) -> Found {
        let score = |at: usize| likeness(&self.anchor(at), anchor);
        let best = candidates.iter().map(|at| score(*at)).max().unwrap_or(0);
        let best: Vec<usize> = candidates.iter().copied().filter(|at| score(*at) == best).collect();
        let same_count = candidates.len() == anchor.total as usize;
        if let [only] = best.as_slice() {
            // As many as there were: the best one is it. Otherwise some were added or taken away,
            // and only one with exactly the same surroundings is beyond doubt.
            let sure = same_count || score(*only) == ALIKE;
            return if sure { Found::At(*only) } else { Found::Ambiguous };
        }
        candidates
            .get(anchor.occurrence as usize)
            .filter(|at| same_count && best.contains(at))
            .map_or(Found::Ambiguous, |at| Found::At(*at))
    }

    fn find_reworded(&self, anchor: &Anchor) -> Found {
        let mut places = (0..self.tasks.len()).filter(|at| {
            let here = self.anchor(*at);
            anchor.total == 1
                && here.before == anchor.before
                && here.after == anchor.after
                && here.section == anchor.section
        });
        match (places.next(), places.next()) {
            (Some(at), None) => Found::Reworded(at),
            _ => Found::Gone,
        }
    }
}

/// What [`likeness`] gives to the same surroundings.
const ALIKE: u32 = 4;

fn likeness(here: &Anchor, there: &Anchor) -> u32 {
    u32::from(here.section == there.section)
        + u32::from(here.parent == there.parent)
        + u32::from(here.before == there.before)
        + u32::from(here.after == there.after)
}
