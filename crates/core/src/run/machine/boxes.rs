//! The boxes of documents as the journal knows them: only what differs is written down, so that many turns
//! over a long document stay small.

use super::{Effects, Machine};
use crate::checklist::{Document, MarkerKind};
use crate::run::audit;
use crate::run::journal::{Entry, Mark};

impl Machine {
    /// Has the journal know the boxes of every document.
    pub(super) fn note_boxes(&mut self, effects: &mut Effects) {
        for at in 0..self.documents.len() {
            let slot = self.pass[at];
            if let Some(entry) = difference(slot, &self.slots[slot].marks, &self.documents[at]) {
                self.record(entry, effects);
            }
        }
    }

    /// For each document of the pass, how many gates and halts it has.
    pub(super) fn markers(&self) -> Vec<(u32, u32)> {
        self.documents.iter().map(markers).collect()
    }

    pub(super) fn apply_boxes(
        &mut self,
        document: usize,
        start: usize,
        removed: usize,
        added: &[Mark],
        flipped: &[usize],
    ) {
        let Some(slot) = self.slots.get_mut(document) else { return };
        let start = start.min(slot.marks.len());
        let end = start.saturating_add(removed).min(slot.marks.len());
        let _ = slot.marks.splice(start..end, added.iter().cloned());
        for at in flipped {
            if let Some(mark) = slot.marks.get_mut(*at) {
                mark.checked = !mark.checked;
            }
        }
    }
}

pub(super) fn markers(document: &Document) -> (u32, u32) {
    let count = |is: fn(&MarkerKind) -> bool| {
        let count = document.markers().iter().filter(|marker| is(&marker.kind)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    (
        count(|kind| matches!(kind, MarkerKind::Gate { .. })),
        count(|kind| matches!(kind, MarkerKind::Halt { .. })),
    )
}

/// How a document's boxes differ from those before.
fn difference(slot: usize, before: &[Mark], document: &Document) -> Option<Entry> {
    let now = document.tasks();
    let shorter = before.len().min(now.len());
    let same = |mark: &Mark, at: usize| mark.text == now[at].text;
    let start = (0..shorter).find(|at| !same(&before[*at], *at)).unwrap_or(shorter);
    let behind = (0..shorter - start)
        .find(|at| !same(&before[before.len() - 1 - at], now.len() - 1 - at))
        .unwrap_or(shorter - start);
    let added = &audit::marks(document)[start..now.len() - behind];
    let old = |at: usize| if at < start { at } else { at + before.len() - now.len() };
    let flipped: Vec<usize> = (0..start)
        .chain(now.len() - behind..now.len())
        .filter(|at| before[old(*at)].checked != now[*at].checked)
        .collect();
    let removed = before.len() - start - behind;
    (removed > 0 || !added.is_empty() || !flipped.is_empty()).then(|| Entry::Boxes {
        document: slot,
        start,
        removed,
        added: added.to_vec(),
        flipped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::machine::tests::machine_over;

    #[test]
    fn what_differs_is_enough_to_know_the_boxes() {
        let parse = |text: &str| Document::parse(text.as_bytes().to_vec()).expect("a checklist");
        let lists = [
            "",
            "- [ ] a\n",
            "- [x] a\n- [ ] b\n",
            "- [ ] b\n- [ ] a\n- [x] b\n",
            "- [ ] a\n- [ ] n\n- [x] a\n- [ ] b\n",
            "- [ ] a\n- [ ] a\n- [x] a\n",
        ];
        for before in lists {
            for now in lists {
                let mut machine = machine_over(&[before]);
                let (before, now) = (parse(before), parse(now));
                machine.slots[0].marks = audit::marks(&before);
                if let Some(Entry::Boxes { document, start, removed, added, flipped }) =
                    difference(0, &audit::marks(&before), &now)
                {
                    machine.apply_boxes(document, start, removed, &added, &flipped);
                }
                let (before, text) = (before.text(), now.text());
                assert_eq!(machine.slots[0].marks, audit::marks(&now), "{before:?} → {text:?}");
            }
        }
    }

    #[test]
    fn a_tick_in_a_long_list_is_a_small_entry() {
        let list = "- [ ] task\n".repeat(10_000);
        let before = Document::parse(list.into_bytes()).expect("a checklist");
        let now = format!("{}- [ ] one more\n", before.with_mark(4, true));
        let now = Document::parse(now.into_bytes()).expect("a checklist");
        let entry = difference(0, &audit::marks(&before), &now).expect("a difference");
        let text = serde_json::to_string(&entry).expect("an entry is written");
        assert!(text.len() < 200, "{} bytes", text.len());
    }
}
