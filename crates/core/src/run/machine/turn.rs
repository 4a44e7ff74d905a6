//! A turn, from the look at the directory before it to the one after it.

use super::{Effect, Effects, Machine, Phase, Turn};
use crate::checklist::Found;
use crate::run::journal::Entry;
use crate::run::{audit, prompt};
use crate::text::end_of;
use crate::turn::{Outcome, Usage};

/// Longest answer that is kept in the journal, in bytes: its end.
const MAX_ANSWER: usize = 4 * 1024;

impl Machine {
    pub(super) fn looked(
        &mut self,
        tree: Option<String>,
        new_session: Option<String>,
        effects: &mut Effects,
    ) {
        match self.phase {
            Phase::Picked if self.kill => self.end_as_asked(effects),
            Phase::Picked => self.turn(tree, new_session, effects),
            Phase::Turned => {
                self.record(Entry::Settled { tree }, effects);
                effects.push(self.reading());
            }
            _ => {}
        }
    }

    fn turn(&mut self, tree: Option<String>, new_session: Option<String>, effects: &mut Effects) {
        let resume = self.known[self.current].resume.clone();
        let new_session = new_session.filter(|_| resume.is_none());
        let turn = Turn {
            provider: self.attempt.provider,
            agent: None,
            model: None,
            prompt: self.prompt(),
            resume,
            new_session,
            timeout_s: self.attempt.timeout_s,
        };
        let entry = Entry::Turn {
            prompt: turn.prompt.clone(),
            resume: turn.resume.clone(),
            new_session: turn.new_session.clone(),
            tree,
            marks: self.documents.iter().map(audit::marks).collect(),
        };
        self.record(entry, effects);
        effects.push(Effect::Turn(turn));
    }

    fn prompt(&self) -> String {
        let known = &self.known[self.current];
        let document = &self.documents[known.document];
        let task = match document.find(&known.anchor) {
            Found::At(place) => Some(&document.tasks()[place]),
            _ => None,
        };
        let facts = prompt::Facts {
            task: &known.anchor.text,
            details: task.map_or("", |task| &task.details),
            document: &self.run.spec.documents[known.document].to_string_lossy(),
            line: known.anchor.line,
            section: known.anchor.section.as_deref(),
            prose: &document.prose(),
            verify: self.attempt.verify.as_deref(),
            interrupted: known.interrupted > 0,
            previous: known.previous.as_deref(),
        };
        prompt::render(&self.policy.template, &facts)
    }

    pub(super) fn session(&mut self, id: String, effects: &mut Effects) {
        let known = self.run.tasks.get(self.current).and_then(|task| task.session.as_deref());
        if self.phase == Phase::Turning && known != Some(id.as_str()) {
            self.record(Entry::Session { id }, effects);
        }
    }

    pub(super) fn progress(&mut self, usage: Usage) {
        if self.phase == Phase::Turning {
            self.consume(usage);
        }
    }

    pub(super) fn turn_ended(&mut self, outcome: Outcome, duration_ms: u64, effects: &mut Effects) {
        if self.phase != Phase::Turning {
            return;
        }
        let entry = Entry::TurnEnded {
            result: outcome.result,
            session: outcome.session,
            text: end_of(&outcome.text, MAX_ANSWER).to_owned(),
            usage: outcome.usage,
            duration_ms,
        };
        self.record(entry, effects);
        effects.push(Effect::Look(self.attempt.provider));
    }
}
