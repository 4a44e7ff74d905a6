//! Holding the documents against what they were before the turn: boxes that were set without evidence are
//! set back.

use super::{Effect, Effects, End, Fate, Machine, Phase};
use crate::checklist::{Change, Found};
use crate::run::audit;
use crate::run::journal::Entry;
use crate::text::quoted;

impl Machine {
    pub(super) fn audit(&mut self, effects: &mut Effects) {
        let mut changes: Vec<(usize, Vec<Change>)> = Vec::new();
        let (mut unticked, mut reticked, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        let current = self.known[self.current].clone();
        for (at, document) in self.documents.iter().enumerate() {
            let Some(before) = self.attempt.marks.get(at) else { continue };
            let found = audit::compare(before, document);
            let numbers = self.numbers(at);
            let mut here = Vec::new();
            for place in found.ticked {
                let is_current = at == current.document && numbers[place] == Some(self.current);
                let has_evidence = document.find(&current.anchor) == Found::At(place)
                    && is_current
                    && self.attempt.end == End::Ok
                    && self.attempt.verify.is_none();
                if !has_evidence {
                    here.push(Change { anchor: document.anchor(place), checked: false });
                }
                if !is_current {
                    unticked.push(document.tasks()[place].text.clone());
                }
            }
            for place in found.unticked {
                let number = numbers[place];
                if number.is_some_and(|number| self.known[number].fate == Fate::Ticked) {
                    here.push(Change { anchor: document.anchor(place), checked: true });
                    reticked.push(document.tasks()[place].text.clone());
                }
            }
            let is_current = |text: &String| at == current.document && *text == current.anchor.text;
            dropped.extend(
                found.dropped.into_iter().filter(|text| !is_current(text)).map(|text| (at, text)),
            );
            if !here.is_empty() {
                changes.push((at, here));
            }
        }
        let anchor = match self.documents[current.document].find(&current.anchor) {
            Found::At(place) => Some(self.documents[current.document].anchor(place)),
            Found::Reworded(_) | Found::Gone | Found::Ambiguous => None,
        };
        if !changes.is_empty() {
            self.record(Entry::SettingBack { changes: changes.clone() }, effects);
        }
        // Told once: after boxes were set back the comparison is made again, and finds nothing.
        if self.attempt.audited {
            dropped.clear();
        }
        if !self.attempt.audited || !changes.is_empty() {
            let entry = Entry::Audited { anchor, unticked, reticked, dropped };
            self.tell(&entry, effects);
            self.record(entry, effects);
        }
        match changes.first() {
            Some((document, first)) => {
                effects.push(Effect::Rewrite {
                    document: self.run.spec.documents[*document].clone(),
                    changes: first.clone(),
                });
                self.phase = Phase::SettingBack(changes);
            }
            None => self.judge(effects),
        }
    }

    fn tell(&self, entry: &Entry, effects: &mut Effects) {
        let Entry::Audited { unticked, reticked, dropped, .. } = entry else { return };
        let task = quoted(std::iter::once(self.known[self.current].anchor.text.as_str()));
        let quoted = |texts: &[String]| quoted(texts.iter().map(String::as_str));
        if !unticked.is_empty() {
            effects.push(Effect::Tell(format!(
                "While {task} was worked on, {} ticked without evidence; Maestro opened {} again.",
                quoted(unticked) + if unticked.len() == 1 { " was" } else { " were" },
                if unticked.len() == 1 { "it" } else { "them" },
            )));
        }
        if !reticked.is_empty() {
            effects.push(Effect::Tell(format!(
                "While {task} was worked on, boxes were opened that this run had done: {}. Maestro \
                 ticked them again.",
                quoted(reticked),
            )));
        }
        if !dropped.is_empty() {
            let texts: Vec<String> = dropped.iter().map(|(_, text)| text.clone()).collect();
            effects.push(Effect::Tell(format!(
                "While {task} was worked on, open tasks disappeared from the checklist: {}.",
                quoted(&texts),
            )));
        }
    }
}
