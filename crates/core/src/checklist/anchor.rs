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
        let same = self.with_text(&task.text);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let around = self.around(index);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Anchor {
            text: task.text.clone(),
            line: task.line,
            occurrence: count(same.partition_point(|at| (*at as usize) < index)),
            total: count(same.len()),
            section: owned(around.section),
            parent: owned(around.parent),
            before: owned(around.before),
            after: owned(around.after),
        }
    }

    fn around(&self, index: usize) -> Around<'_> {
        let text =
            |at: Option<usize>| at.and_then(|at| self.tasks.get(at)).map(|task| task.text.as_str());
        let task = &self.tasks[index];
        Around {
            section: task.section.as_deref(),
            parent: text(task.parent),
            before: text(index.checked_sub(1)),
            after: text(Some(index + 1)),
        }
    }

    /// Finds a task again.
    #[must_use]
    pub fn find(&self, anchor: &Anchor) -> Found {
        match self.with_text(&anchor.text) {
            [] => self.find_reworded(anchor),
            [only] if anchor.total == 1 => Found::At(*only as usize),
            several => self.find_among(several, anchor),
        }
    }

    /// The tasks with a text, in the order of the document.
    pub(crate) fn all_with_text(&self, text: &str) -> impl Iterator<Item = usize> {
        self.with_text(text).iter().map(|at| *at as usize)
    }

    /// See above.
    fn with_text(&self, text: &str) -> &[u32] {
        let text_at = |at: &u32| self.tasks[*at as usize].text.as_str();
        let begin = self.by_text.partition_point(|at| text_at(at) < text);
        let rest = &self.by_text[begin..];
        &rest[..rest.partition_point(|at| text_at(at) == text)]
    }

    /// One of several tasks with the same text, or one that is left of several.
    fn find_among(&self, candidates: &[u32], anchor: &Anchor) -> Found {
        let wanted = Around::of(anchor);
        let score = |at: usize| self.around(at).likeness(&wanted);
        let same_count = candidates.len() == anchor.total as usize;
        // The one in its turn with the same surroundings is it, however many there are.
        if let Some(at) = candidates.get(anchor.occurrence as usize).map(|at| *at as usize)
            && same_count
            && score(at) == ALIKE
        {
            return Found::At(at);
        }
        let candidates: Vec<usize> = candidates.iter().map(|at| *at as usize).collect();
        let best = candidates.iter().map(|at| score(*at)).max().unwrap_or(0);
        let best: Vec<usize> = candidates.iter().copied().filter(|at| score(*at) == best).collect();
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
        if anchor.total != 1 {
            return Found::Gone;
        }
        let wanted = Around::of(anchor);
        let mut places = (0..self.tasks.len()).filter(|at| {
            let here = self.around(*at);
            (here.before, here.after, here.section) == (wanted.before, wanted.after, wanted.section)
        });
        match (places.next(), places.next()) {
            (Some(at), None) => Found::Reworded(at),
            _ => Found::Gone,
        }
    }
}

/// What is around a task.
#[derive(Debug, Clone, Copy)]
struct Around<'a> {
    section: Option<&'a str>,
    parent: Option<&'a str>,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

/// What [`Around::likeness`] gives to the same surroundings.
const ALIKE: u32 = 4;

impl<'a> Around<'a> {
    fn of(anchor: &'a Anchor) -> Self {
        Self {
            section: anchor.section.as_deref(),
            parent: anchor.parent.as_deref(),
            before: anchor.before.as_deref(),
            after: anchor.after.as_deref(),
        }
    }

    fn likeness(&self, other: &Self) -> u32 {
        u32::from(self.section == other.section)
            + u32::from(self.parent == other.parent)
            + u32::from(self.before == other.before)
            + u32::from(self.after == other.after)
    }
}
