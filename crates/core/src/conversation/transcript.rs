//! A client's copy of what was said in a tab: a part without gaps, up to the newest entry.

use std::collections::VecDeque;

use super::{Body, Entry, Update};

/// What came of an [`Update`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// This entry is new, at the end.
    Added(u64),
    /// This entry is another one than before.
    Changed(u64),
    /// It is about an entry older than those that are here.
    Nothing,
    /// The entry is here, but not as it was when the update was made: it is to be read anew
    /// (`ReadTab { before: n + 1, most: 1 }`) and given to [`Transcript::apply`] as an [`Update::Entry`].
    Stale(u64),
    /// Entries are missing before it: the tab is to be opened anew.
    Gap,
}

/// A client's copy of a tab's entries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    entries: VecDeque<Entry>,
}

impl Transcript {
    /// A copy of these entries, in order. Where a number is missing, only what comes after is kept.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut transcript = Self::default();
        for entry in entries {
            if transcript.next().is_some_and(|next| next != entry.n) {
                transcript.entries.clear();
            }
            transcript.entries.push_back(entry);
        }
        transcript
    }

    /// The number of the first entry that is here.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.n)
    }

    /// The number that the next new entry has; `None` when nothing is here.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.entries.back().map(|entry| entry.n + 1)
    }

    /// How many entries are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// An entry by its number.
    #[must_use]
    pub fn get(&self, n: u64) -> Option<&Entry> {
        self.entries.get(self.place(n)?)
    }

    /// Does what the host says happened.
    pub fn apply(&mut self, update: Update) -> Applied {
        match update {
            Update::Entry(entry) => {
                let n = entry.n;
                match (self.first(), self.next()) {
                    (Some(first), _) if n < first => Applied::Nothing,
                    (_, Some(next)) if n > next => Applied::Gap,
                    (_, next) if next.is_none_or(|next| next == n) => {
                        self.entries.push_back(entry);
                        Applied::Added(n)
                    }
                    _ => match self.place(n).and_then(|place| self.entries.get_mut(place)) {
                        Some(known) => {
                            *known = entry;
                            Applied::Changed(n)
                        }
                        None => Applied::Gap,
                    },
                }
            }
            Update::Append { n, at, text } => {
                if self.first().is_none_or(|first| n < first) {
                    return Applied::Nothing;
                }
                let Some(entry) = self.place(n).and_then(|place| self.entries.get_mut(place))
                else {
                    return Applied::Gap;
                };
                if entry.append(at, &text) { Applied::Changed(n) } else { Applied::Stale(n) }
            }
        }
    }

    /// Puts older entries before those that are here. What does not fit without a gap is left out; says how
    /// many were added.
    pub fn prepend(&mut self, older: Vec<Entry>) -> usize {
        let before = self.entries.len();
        for entry in older.into_iter().rev() {
            match self.first() {
                Some(first) if entry.n + 1 == first => self.entries.push_front(entry),
                None => self.entries.push_front(entry),
                Some(_) => {}
            }
        }
        self.entries.len() - before
    }

    /// Forgets all but the last entries, for a copy that has become too long.
    pub fn keep_last(&mut self, most: usize) {
        while self.entries.len() > most {
            let _ = self.entries.pop_front();
        }
    }

    fn place(&self, n: u64) -> Option<usize> {
        usize::try_from(n.checked_sub(self.first()?)?).ok()
    }
}

impl Entry {
    /// Appends to its text, if that has so many bytes; `false`, and nothing changed, when it has not, or has no
    /// text that grows.
    pub fn append(&mut self, at: u64, text: &str) -> bool {
        match growing(&mut self.body) {
            Some(known) if known.len() as u64 == at => {
                known.push_str(text);
                true
            }
            _ => false,
        }
    }
}

/// The text of a body that grows by [`Update::Append`].
pub(super) fn growing(body: &mut Body) -> Option<&mut String> {
    match body {
        Body::Text(text) | Body::Thinking(text) => Some(text),
        Body::Tool(tool) => Some(&mut tool.output),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u64, text: &str) -> Entry {
        Entry { n, turn: 1, at_ms: 0, open: true, body: Body::Text(text.into()) }
    }

    fn append(n: u64, at: u64, text: &str) -> Update {
        Update::Append { n, at, text: text.into() }
    }

    #[test]
    fn updates_find_their_entry_or_say_what_is_missing() {
        let mut copy = Transcript::new(vec![entry(4, "a"), entry(5, "b")]);
        for (update, expected) in [
            (Update::Entry(entry(6, "c")), Applied::Added(6)),
            (Update::Entry(entry(5, "bb")), Applied::Changed(5)),
            (Update::Entry(entry(3, "x")), Applied::Nothing),
            (Update::Entry(entry(8, "x")), Applied::Gap),
            (append(5, 2, "c"), Applied::Changed(5)),
            (append(5, 2, "c"), Applied::Stale(5)),
            (append(9, 0, "c"), Applied::Gap),
            (append(1, 0, "c"), Applied::Nothing),
        ] {
            assert_eq!(copy.apply(update.clone()), expected, "{update:?}");
        }
        assert_eq!(copy.get(5).map(|entry| &entry.body), Some(&Body::Text("bbc".into())));
        assert_eq!(copy.prepend(vec![entry(2, "2"), entry(3, "3")]), 2);
        assert_eq!(copy.prepend(vec![entry(0, "0")]), 0);
        assert_eq!((copy.first(), copy.next(), copy.len()), (Some(2), Some(7), 5));
        copy.keep_last(2);
        assert_eq!((copy.first(), copy.len()), (Some(5), 2));
    }

    #[test]
    fn an_empty_copy_takes_any_first_entry() {
        let mut copy = Transcript::default();
        assert_eq!(copy.apply(append(3, 0, "x")), Applied::Nothing);
        assert_eq!(copy.apply(Update::Entry(entry(3, "x"))), Applied::Added(3));
        assert_eq!(Transcript::new(vec![entry(1, ""), entry(3, "")]).first(), Some(3));
    }
}
