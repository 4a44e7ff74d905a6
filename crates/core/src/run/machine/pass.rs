//! Passes through the documents: working copies of those that are reset, and whether there is another
//! pass.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Effect, Effects, Fault, Machine, Phase, Slot};
use crate::run::Loops;
use crate::run::journal::{Entry, Then};

impl Machine {
    /// Whether some of the documents are worked through as copies.
    pub(super) fn copies_documents(&self) -> bool {
        self.run.spec.documents.iter().any(|path| self.is_reset(path))
    }

    fn is_reset(&self, path: &Path) -> bool {
        self.run.options().reset.iter().any(|reset| reset == path)
    }

    /// The documents of a pass: a copy for every mention of a document that is reset, one for all mentions
    /// of another.
    pub(super) fn apply_pass(&mut self, pass: u32, copies: &[PathBuf]) {
        let mut copies = copies.iter();
        let mut places = Vec::new();
        let listed = self.run.spec.documents.clone();
        for (at, path) in listed.iter().enumerate() {
            let slot = if self.is_reset(path) {
                let Some(copy) = copies.next() else { continue };
                self.new_slot(at, copy)
            } else {
                let known = self.slots.iter().position(|slot| slot.path == *path);
                known.unwrap_or_else(|| self.new_slot(at, path))
            };
            if !places.contains(&slot) {
                places.push(slot);
            }
        }
        self.pass = places;
        self.documents.clear();
        (self.run.pass, self.cursor, self.done_in_pass) = (pass, 0, 0);
        self.session = None;
    }

    fn new_slot(&mut self, listed: usize, path: &Path) -> usize {
        let path = path.to_owned();
        self.slots.push(Slot { listed, path, skipped: false, marks: Vec::new() });
        self.slots.len() - 1
    }

    pub(super) fn begin_pass(&mut self, pass: u32, effects: &mut Effects) {
        let mut times: HashMap<&PathBuf, u32> = HashMap::new();
        let mut copies = Vec::new();
        for path in self.run.spec.documents.iter().filter(|path| self.is_reset(path)) {
            let time = times.entry(path).or_default();
            *time += 1;
            copies.push(copy_of(path, self.run.started_ms, pass, *time));
        }
        let nothing_to_copy = copies.is_empty();
        self.record(Entry::Pass { pass, copies }, effects);
        if nothing_to_copy {
            self.choose(effects);
        } else if let Phase::Copying(copies) = self.phase.clone() {
            effects.push(Effect::Copy(copies));
        }
    }

    /// The copies that a pass begins with: (document, copy).
    pub(super) fn copies_of_pass(&self) -> Vec<(PathBuf, PathBuf)> {
        let slots = self.pass.iter().map(|slot| &self.slots[*slot]);
        slots
            .map(|slot| (self.run.spec.documents[slot.listed].clone(), slot.path.clone()))
            .filter(|(document, copy)| document != copy)
            .collect()
    }

    pub(super) fn copied(&mut self, result: Result<(), Fault>, effects: &mut Effects) {
        if !matches!(self.phase, Phase::Copying(_)) {
            return;
        }
        match result {
            Ok(()) => {
                self.record(Entry::Copied, effects);
                self.choose(effects);
            }
            Err(_) if self.kill => self.end_as_asked(effects),
            Err(fault) if fault.passing => self.back_off(&fault.because, Then::Copy, effects),
            Err(fault) => self.need(&fault.because, Then::Copy, effects),
        }
    }

    /// Whether there may be another pass after this one.
    pub(super) fn may_pass_again(&self) -> bool {
        match self.run.options().loops {
            Loops::Once => false,
            Loops::Times(times) => self.run.pass < times,
            Loops::Forever => true,
        }
    }

    /// Whether another pass would find something to do. `left`: whether a document that is not reset has a
    /// task that can be begun.
    pub(super) fn is_another_pass_worth_it(&self, left: bool) -> bool {
        let all_reset = self.run.spec.documents.iter().all(|path| self.is_reset(path));
        self.may_pass_again() && self.done_in_pass > 0 && (all_reset || left)
    }

    /// Whether a document of the run is worked through as a copy.
    pub(super) fn is_copy(&self, slot: usize) -> bool {
        self.slots[slot].path != self.run.spec.documents[self.slots[slot].listed]
    }
}

/// Where the working copy of a document goes: into a folder beside it that no list of documents shows.
fn copy_of(document: &Path, started_ms: u64, pass: u32, time: u32) -> PathBuf {
    let stem = document.file_stem().unwrap_or_default().to_string_lossy();
    let again = if time > 1 { format!("-{time}") } else { String::new() };
    let name = format!("{stem}-{started_ms}-loop-{pass}{again}.md");
    document.parent().unwrap_or(Path::new("")).join("runs").join(name)
}
