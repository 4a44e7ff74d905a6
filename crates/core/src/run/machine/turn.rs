//! A turn, from the look at the directory before it to the one after it.

use super::{Effect, Effects, Machine, Phase, Turn};
use crate::checklist::{Found, title};
use crate::run::journal::Entry;
use crate::run::prompt;
use crate::text::end_of;
use crate::turn::{Outcome, Usage};

/// Longest answer that is kept in the journal, in bytes: its end.
const MAX_ANSWER: usize = 4 * 1024;

impl Machine {
    pub(super) fn looked(
        &mut self,
        tree: Option<String>,
        head: Option<String>,
        new_session: Option<String>,
        effects: &mut Effects,
    ) {
        match self.phase {
            Phase::Picked if self.kill => self.end_as_asked(effects),
            Phase::Picked if self.is_skipped() => self.pass_over(effects),
            Phase::Picked => self.turn(tree, head, new_session, effects),
            Phase::Turned => {
                self.record(Entry::Settled { tree, head }, effects);
                effects.push(self.reading());
            }
            _ => {}
        }
    }

    fn turn(
        &mut self,
        tree: Option<String>,
        head: Option<String>,
        new_session: Option<String>,
        effects: &mut Effects,
    ) {
        self.note_boxes(effects);
        let resume = self.known[self.current].resume.clone();
        let new_session = new_session.filter(|_| resume.is_none());
        let turn = Turn {
            provider: self.attempt.provider,
            agent: self.attempt.agent,
            model: self.attempt.model.clone(),
            prompt: self.prompt(),
            resume,
            new_session,
            timeout_s: self.timeout_s(),
        };
        let entry = Entry::Turn {
            prompt: turn.prompt.clone(),
            resume: turn.resume.clone(),
            new_session: turn.new_session.clone(),
            tree,
            head,
            markers: self.markers(),
        };
        self.record(entry, effects);
        effects.push(Effect::Turn(turn));
    }

    /// How long the turn may take: no longer than the budget of time.
    fn timeout_s(&self) -> u64 {
        let left = self.time_left_ms().map(|left| left.div_ceil(1000).max(1));
        match (self.attempt.timeout_s, left) {
            (timeout, None) => timeout,
            (0, Some(left)) => left,
            (timeout, Some(left)) => timeout.min(left),
        }
    }

    fn prompt(&self) -> String {
        let known = &self.known[self.current];
        let document = self.document(known.document);
        let task = document.and_then(|document| match document.find(&known.anchor) {
            Found::At(place) => Some(&document.tasks()[place]),
            _ => None,
        });
        let path = self.path(known.document);
        let facts = prompt::Facts {
            task: title(&known.anchor.text),
            details: task.map_or("", |task| &task.details),
            document: &path.to_string_lossy(),
            line: known.anchor.line,
            section: known.anchor.section.as_deref(),
            prose: &document.map(super::Document::prose).unwrap_or_default(),
            verify: self.attempt.verify.as_deref(),
            interrupted: known.interrupted > 0 || (known.resume.is_some() && !self.attempt.follows),
            previous: known.previous.as_deref(),
        };
        let listed = &self.run.spec.documents[self.slots[known.document].listed];
        let variables = self.variables.for_document(listed, self.run.pass);
        if known.repair && known.resume.is_some() {
            return prompt::render(prompt::REPAIR, &facts, &variables);
        }
        if self.attempt.follows && known.resume.is_some() {
            return prompt::render(prompt::NEXT, &facts, &variables);
        }
        let own = self.run.options().prompt.as_deref().filter(|own| !own.trim().is_empty());
        match own {
            Some(own) => prompt::render(&prompt::naming_the_task(own), &facts, &variables),
            None => prompt::render(&self.policy.template, &facts, &variables),
        }
    }

    pub(super) fn session(&mut self, id: String, model: Option<String>, effects: &mut Effects) {
        let task = self.run.tasks.get(self.current);
        let is_new = task.is_some_and(|task| {
            task.session.as_deref() != Some(id.as_str()) || (model.is_some() && task.model != model)
        });
        if self.phase == Phase::Turning && is_new {
            self.record(Entry::Session { id, model }, effects);
        }
    }

    pub(super) fn progress(&mut self, usage: Usage, effects: &mut Effects) {
        if self.phase != Phase::Turning {
            return;
        }
        self.consume(usage);
        if !self.attempt.over_budget && self.is_turn_too_dear() {
            self.attempt.over_budget = true;
            effects.push(Effect::Cancel);
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
