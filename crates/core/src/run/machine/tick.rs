//! From a task that holds to its tick and its commit.

use super::{Commit, Effect, Effects, Fault, Machine, Phase, Uncommitted};
use crate::checklist::{Applied, Change, title};
use crate::run::journal::{Entry, Then};
use crate::text::clean;

/// Longest subject of a commit, in characters.
const MAX_SUBJECT: usize = 72;

impl Machine {
    pub(super) fn tick(&mut self, effects: &mut Effects) {
        self.record(Entry::Ticking, effects);
        self.rewrite(true, effects);
    }

    /// Opens the box again, because its commit was refused.
    pub(super) fn untick(&mut self, effects: &mut Effects) {
        self.phase = Phase::Unticking;
        self.rewrite(false, effects);
    }

    fn rewrite(&mut self, checked: bool, effects: &mut Effects) {
        let known = &self.known[self.current];
        effects.push(Effect::Rewrite {
            document: self.path(known.document),
            changes: vec![Change { anchor: known.anchor.clone(), checked }],
        });
    }

    pub(super) fn rewritten(&mut self, result: Result<Vec<Applied>, Fault>, effects: &mut Effects) {
        let then = match self.phase {
            Phase::Ticking => Then::Tick,
            Phase::Unticking => Then::Untick,
            Phase::SettingBack(_) => Then::Audit,
            Phase::Reopening { .. } => return self.reopened(result, effects),
            _ => return,
        };
        match (result, &mut self.phase) {
            (Err(_), _) if self.kill => self.end_as_asked(effects),
            (Err(fault), _) if !fault.passing => self.need(&fault.because, then, effects),
            (Err(fault), _) => self.back_off(&fault.because, then, effects),
            (Ok(_), Phase::SettingBack(changes)) => {
                let _ = changes.remove(0);
                match changes.first().cloned() {
                    Some((document, changes)) => {
                        let document = self.path(document);
                        effects.push(Effect::Rewrite { document, changes });
                    }
                    None => self.judge(effects),
                }
            }
            (Ok(_), Phase::Unticking) => self.unticked(effects),
            (Ok(applied), _) => self.ticked(applied.first().copied(), effects),
        }
    }

    fn ticked(&mut self, applied: Option<Applied>, effects: &mut Effects) {
        let because = match applied {
            Some(Applied::Changed | Applied::Already) => return self.commit(effects),
            Some(Applied::Reworded) => {
                let because = "Its line was reworded while it was worked on, so it was not ticked; it \
                               is taken up again as it reads now.";
                return self.attempt_failed(because.to_owned(), false, effects);
            }
            Some(Applied::Ambiguous) => {
                "It was done, but several tasks of the document now read alike, so none was ticked."
            }
            Some(Applied::Gone) | None => {
                "It was done, but its line is no longer in the document, so nothing was ticked."
            }
        };
        self.task_failed(because.to_owned(), effects);
    }

    /// Commits what the task did, or finds what its agent has committed. Without either it is done.
    pub(super) fn commit(&mut self, effects: &mut Effects) {
        let wanted = self.run.options().commit.unwrap_or(self.run.worktree.is_some());
        let since = self.known[self.current].head.clone();
        let has_moved = since != self.attempt.head_after;
        // A full disk may have kept the last look from seeing what is there.
        let in_repository = self.attempt.tree.is_some() || self.attempt.tree_after.is_some();
        if !(in_repository && wanted || has_moved) {
            return self.done(effects);
        }
        let message = wanted.then(|| self.message());
        self.record(Entry::Committing { message: message.clone() }, effects);
        effects.push(Effect::Commit(Commit { task: self.current, message, since }));
    }

    /// The words of a commit.
    fn message(&self) -> String {
        let known = &self.known[self.current];
        let document = &self.run.spec.documents[self.slots[known.document].listed];
        let name = document.file_name().unwrap_or_default().to_string_lossy();
        let title = title(&known.anchor.text);
        let subject = match title.chars().count() {
            0..=MAX_SUBJECT => clean(title, MAX_SUBJECT),
            _ => format!("{}…", clean(title, MAX_SUBJECT - 1)),
        };
        format!("{subject}\n\nA task of {}.\n", clean(&name, 200))
    }

    pub(super) fn committed(
        &mut self,
        result: Result<Vec<String>, Uncommitted>,
        duration_ms: u64,
        effects: &mut Effects,
    ) {
        if self.phase != Phase::Committing {
            return;
        }
        match result {
            Ok(commits) => {
                self.record(Entry::Committed { commits, duration_ms }, effects);
                self.done(effects);
            }
            Err(Uncommitted::Refused(verify)) => {
                self.record(Entry::CommitRefused { verify, duration_ms }, effects);
                self.untick(effects);
            }
            Err(_) if self.kill => self.end_as_asked(effects),
            Err(Uncommitted::Passing(because)) => self.back_off(&because, Then::Commit, effects),
            Err(Uncommitted::Impossible(because)) => self.need(&because, Then::Commit, effects),
        }
    }

    fn done(&mut self, effects: &mut Effects) {
        self.record(Entry::Ticked, effects);
        self.choose(effects);
    }

    fn unticked(&mut self, effects: &mut Effects) {
        let because = match &self.attempt.refused {
            Some(verify) => super::judge::unverified(verify),
            None => "Its commit was refused.".to_owned(),
        };
        if self.kill {
            self.end_as_asked(effects);
        } else {
            self.attempt_failed(because, true, effects);
        }
    }

    /// Has the next of the tasks verified that the agent says it has done, too.
    pub(super) fn claim(&mut self, effects: &mut Effects) {
        let Some(claim) = self.claims.front().cloned() else { return };
        let same = |known: &super::Known| {
            known.document == claim.document
                && known.anchor.text == claim.anchor.text
                && known.anchor.occurrence == claim.anchor.occurrence
        };
        let task = self.known.iter().position(same).unwrap_or(self.known.len());
        self.record(Entry::Claimed { task, claim }, effects);
        self.verify(effects);
    }
}
