//! Holding the documents against what they were before the turn: boxes that were set without evidence are
//! set back, and what the agent says it has done beside its task is remembered, to be verified.

use std::path::PathBuf;

use super::{Effect, Effects, End, Fate, Machine, boxes};
use crate::checklist::{Change, Found, MarkerKind, Task};
use crate::run::audit;
use crate::run::journal::{Claim, Entry};
use crate::text::{clean, quoted};

impl Machine {
    pub(super) fn audit(&mut self, effects: &mut Effects) {
        self.attempt.is_void = self.kill || self.is_skipped();
        let mut changes: Vec<(usize, Vec<Change>)> = Vec::new();
        let (mut unticked, mut reticked, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        let (mut claims, mut lost) = (Vec::new(), Vec::new());
        let current = self.known[self.current].clone();
        for (at, document) in self.documents.iter().enumerate() {
            let slot = self.pass[at];
            let found = audit::compare(&self.slots[slot].marks, document);
            let numbers = self.numbers(at);
            let mut here = Vec::new();
            for place in found.ticked {
                let is_current = slot == current.document && numbers[place] == Some(self.current);
                let has_evidence = document.find(&current.anchor) == Found::At(place)
                    && is_current
                    && self.attempt.end == End::Ok
                    && self.attempt.verify.is_none()
                    && !self.attempt.is_void;
                if !has_evidence {
                    here.push(Change { anchor: document.anchor(place), checked: false });
                }
                if is_current {
                    continue;
                }
                match self.claimable(at, place, numbers[place]) {
                    Some(verify) => claims.push(Claim {
                        document: slot,
                        anchor: document.anchor(place),
                        verify,
                    }),
                    None => unticked.push(document.tasks()[place].text.clone()),
                }
            }
            for place in found.unticked {
                let number = numbers[place];
                if number.is_some_and(|number| self.known[number].fate == Fate::Ticked) {
                    here.push(Change { anchor: document.anchor(place), checked: true });
                    reticked.push(document.tasks()[place].text.clone());
                }
            }
            let is_current =
                |text: &String| slot == current.document && *text == current.anchor.text;
            lost.extend(found.reworded.iter().filter_map(|(text, place)| {
                self.lost_command(slot, text, &document.tasks()[*place])
            }));
            dropped.extend(
                found.dropped.into_iter().filter(|text| !is_current(text)).map(|text| (slot, text)),
            );
            if !here.is_empty() {
                changes.push((slot, here));
            }
        }
        let document = self.document(current.document);
        let anchor = document.and_then(|document| match document.find(&current.anchor) {
            Found::At(place) => Some(document.anchor(place)),
            Found::Reworded(_) | Found::Gone | Found::Ambiguous => None,
        });
        // Told once: after boxes were set back the comparison is made again, and finds nothing.
        if self.attempt.audited {
            dropped.clear();
            lost.clear();
        }
        let halt = self.halted();
        self.attempt.lost_gate = self.lost_gate();
        if !self.attempt.audited || !changes.is_empty() {
            self.tell(&unticked, &reticked, &dropped, effects);
            for text in &lost {
                self.flag(text, effects);
            }
            let entry = Entry::Audited { anchor, unticked, reticked, dropped, claims, halt };
            self.record(entry, effects);
        }
        if !changes.is_empty() {
            self.record(Entry::SettingBack { changes: changes.clone() }, effects);
        }
        match changes.first() {
            Some((document, first)) => effects
                .push(Effect::Rewrite { document: self.path(*document), changes: first.clone() }),
            None => self.judge(effects),
        }
    }

    /// What is to be told of a task in whose place another one stands, when nothing verifies that one.
    fn lost_command(&self, slot: usize, text: &str, now: &Task) -> Option<String> {
        /// Characters of a command in a sentence.
        const QUOTED: usize = 200;
        let agreed = self.agreed.as_ref()?;
        let before = agreed.by_task.get(&(self.slots[slot].listed, text.to_owned()))?;
        let command = before.iter().flatten().next()?;
        (now.fields.verify.is_empty()).then(|| {
            format!(
                "While {} was worked on, {} became {}, which is not checked by `{}` any more.",
                quoted(std::iter::once(self.known[self.current].anchor.text.as_str())),
                quoted(std::iter::once(text)),
                quoted(std::iter::once(now.text.as_str())),
                clean(command, QUOTED),
            )
        })
    }

    /// The command of a task that was ticked beside the one that was worked on, if that decides.
    fn claimable(&self, at: usize, place: usize, number: Option<usize>) -> Option<String> {
        let is_open = number.is_none_or(|number| self.known[number].fate == Fate::Open);
        let task = &self.documents[at].tasks()[place];
        let is_agreed = self.asks(at, place, number).is_none();
        let verify = task.fields.verify_command();
        let is_allowed = self.attempt.end == End::Ok
            && is_open
            && is_agreed
            && task.fields.problems.is_empty()
            && self.gate_above(at, place, true).is_none()
            && self.is_wanted(at, place);
        verify.filter(|_| is_allowed)
    }

    /// Why the agent wants the run to end, if it wrote so during the turn.
    fn halted(&self) -> Option<String> {
        let mut documents = self.documents.iter().zip(&self.attempt.markers);
        documents.find_map(|(document, (_, before))| {
            let mut halts = document.markers().iter().filter_map(|marker| match &marker.kind {
                MarkerKind::Halt { reason } => Some(reason.clone()),
                MarkerKind::Gate { .. } => None,
            });
            let (_, now) = boxes::markers(document);
            (now > *before).then(|| halts.next_back().unwrap_or_default())
        })
    }

    /// A document that has fewer gates than before the turn.
    fn lost_gate(&self) -> Option<PathBuf> {
        let mut documents = self.documents.iter().zip(&self.attempt.markers).enumerate();
        documents
            .find(|(_, (document, (before, _)))| boxes::markers(document).0 < *before)
            .map(|(at, _)| self.path(self.pass[at]))
    }

    fn tell(
        &mut self,
        unticked: &[String],
        reticked: &[String],
        dropped: &[(usize, String)],
        effects: &mut Effects,
    ) {
        let task = quoted(std::iter::once(self.known[self.current].anchor.text.as_str()));
        let quoted = |texts: &[String]| quoted(texts.iter().map(String::as_str));
        if !unticked.is_empty() {
            let text = format!(
                "While {task} was worked on, {} ticked without evidence; Maestro opened {them} again. \
                 If that was you, pause the run, tick {them}, and let it go on.",
                quoted(unticked) + if unticked.len() == 1 { " was" } else { " were" },
                them = if unticked.len() == 1 { "it" } else { "them" },
            );
            self.flag(&text, effects);
        }
        if !reticked.is_empty() {
            let text = format!(
                "While {task} was worked on, boxes were opened that this run had done: {}. Maestro \
                 ticked them again.",
                quoted(reticked),
            );
            self.flag(&text, effects);
        }
        if !dropped.is_empty() {
            let texts: Vec<String> = dropped.iter().map(|(_, text)| text.clone()).collect();
            let text = format!(
                "While {task} was worked on, open tasks disappeared from the checklist: {}.",
                quoted(&texts),
            );
            self.flag(&text, effects);
        }
    }
}
