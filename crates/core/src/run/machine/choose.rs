//! Choosing the next task, and what stands before it.

use std::collections::HashSet;

use super::decide::{Chosen, Next, Refused};
use super::{Back, Effect, Effects, Fate, Machine, Phase};
use crate::checklist::Document;
use crate::run::journal::{Entry, Then};
use crate::run::{Ending, Mode, OnFailure, Pause};

impl Machine {
    /// The next task, unless something else comes first.
    pub(super) fn choose(&mut self, effects: &mut Effects) {
        self.phase = Phase::Choosing;
        if self.kill {
            self.end_as_asked(effects);
        } else if !self.claims.is_empty() {
            self.claim(effects);
        } else if !self.undo.is_empty() {
            self.take_back(Back::Choose, effects);
        } else if let Some(reason) = self.halt.clone() {
            let task = self.name(self.current);
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            let because = format!("The agent ended the run while {task} was worked on{reason}");
            self.end(Ending::Failed(super::sentence(&because)), effects);
        } else if self.pass.is_empty() {
            self.begin_pass(1, effects);
        } else {
            effects.push(self.reading());
        }
    }

    pub(super) fn read(&mut self, documents: Vec<Result<Document, String>>, effects: &mut Effects) {
        let then = match self.phase {
            Phase::Choosing => Then::Pick,
            Phase::Auditing => Then::Audit,
            _ => return,
        };
        match documents.into_iter().collect::<Result<Vec<_>, _>>() {
            Ok(documents) if documents.len() == self.pass.len() => self.documents = documents,
            Ok(_) => return,
            Err(because) => return self.need(&because, then, effects),
        }
        self.count();
        if then == Then::Pick { self.pick(effects) } else { self.audit(effects) }
    }

    fn count(&mut self) {
        let sum = |count: fn(&Document) -> usize| {
            u32::try_from(self.documents.iter().map(count).sum::<usize>()).unwrap_or(u32::MAX)
        };
        (self.run.open, self.run.done) = (sum(Document::open), sum(Document::done));
    }

    fn pick(&mut self, effects: &mut Effects) {
        if self.kill {
            return self.end_as_asked(effects);
        }
        if self.agreed.is_none() {
            self.record(Entry::Agreed { commands: self.commands() }, effects);
        }
        let decision = self.decide();
        self.run.ahead = decision.ahead;
        for refused in decision.refused {
            let (task, because) = self.refuse(refused, effects);
            if self.run.options().on_failure != OnFailure::GoOn {
                return self.after_failure(task, &because, effects);
            }
        }
        match decision.next {
            Next::Do(next) => self.begin_task(&next, effects),
            Next::Gate { document, line, reason, artifact } => {
                let gate = Pause::Gate { document, line, reason, artifact };
                self.hold(gate, Then::Pick, effects);
            }
            Next::Ask(asks, because) => {
                self.hold_for(Pause::Needed(because), Then::Pick, None, Some(asks), effects);
            }
            Next::Nothing { left, .. } if self.is_another_pass_worth_it(left) => {
                if self.stop {
                    self.end_as_asked(effects);
                } else {
                    self.begin_pass(self.run.pass + 1, effects);
                }
            }
            Next::Nothing { blocked, .. } => {
                for refused in blocked {
                    let _ = self.refuse(refused, effects);
                }
                self.finish(effects);
            }
        }
    }

    /// Begins a task, unless the user or a budget says otherwise.
    fn begin_task(&mut self, next: &Chosen, effects: &mut Effects) {
        let is_repair = next.number.is_some_and(|number| self.known[number].repair);
        if self.stop && !is_repair {
            self.end_as_asked(effects);
        } else if self.pause {
            self.hold(Pause::User, Then::Pick, effects);
        } else if let Some((budget, sentence)) = self.used_up() {
            self.out_of(budget, sentence, effects);
        } else {
            self.take(next, effects);
        }
    }

    fn finish(&mut self, effects: &mut Effects) {
        let is_whole = self.run.options().only.is_empty();
        let is_left = if is_whole { self.run.open > 0 } else { self.known.is_empty() };
        let is_failed = self.known.iter().any(|known| known.fate != Fate::Ticked);
        let ending = if is_failed || is_left { Ending::WithFailures } else { Ending::Completed };
        self.end(ending, effects);
    }

    /// The commands of every document as listed, with the tasks they are for.
    fn commands(&self) -> Vec<Vec<(String, Option<String>)>> {
        let has_default = self.run.options().verify.is_some();
        let mut commands = vec![Vec::new(); self.run.spec.documents.len()];
        for (document, slot) in self.documents.iter().zip(&self.pass) {
            let tasks = document.tasks();
            let with: HashSet<&str> = tasks
                .iter()
                .filter(|task| has_default || !task.fields.verify.is_empty())
                .map(|task| task.text.as_str())
                .collect();
            commands[self.slots[*slot].listed] = tasks
                .iter()
                .filter(|task| with.contains(task.text.as_str()))
                .map(|task| (task.text.clone(), task.fields.verify_command()))
                .collect();
        }
        // The same document listed twice has the same commands.
        for at in 0..commands.len() {
            let documents = &self.run.spec.documents;
            let first = documents.iter().position(|path| *path == documents[at]).unwrap_or(at);
            if first < at {
                commands[at] = commands[first].clone();
            }
        }
        commands
    }

    fn refuse(&mut self, refused: Refused, effects: &mut Effects) -> (usize, String) {
        let Refused { at, place, number, because } = refused;
        let task = number.unwrap_or(self.known.len());
        let anchor = self.documents[at].anchor(place);
        let document = self.pass[at];
        self.record(Entry::Refused { task, document, anchor, because: because.clone() }, effects);
        (task, because)
    }

    fn take(&mut self, next: &Chosen, effects: &mut Effects) {
        let Chosen { at, place, number, who } = next;
        let slot = self.pass[*at];
        let task = &self.documents[*at].tasks()[*place];
        let known = number.map(|number| &self.known[number]);
        let attempt = known.map_or(0, |known| known.used - known.repaired) + 1;
        let session = self.session.as_ref().filter(|session| {
            self.run.options().mode == Mode::Document
                && known.is_none_or(|known| known.resume.is_none())
                && session.document == slot
                && session.provider == who.provider
                && session.agent == who.agent
                && session.model == who.model
        });
        let entry = Entry::Picked {
            task: number.unwrap_or(self.known.len()),
            document: slot,
            anchor: self.documents[*at].anchor(*place),
            attempt,
            attempts: self.attempts(*at, *place),
            provider: who.provider,
            agent: who.agent,
            model: who.model.clone(),
            verify: task.fields.verify_command().or_else(|| self.run.options().verify.clone()),
            timeout_s: task.fields.timeout_s.unwrap_or(self.run.spec.turn_timeout_s),
            session: session.map(|session| session.id.clone()),
        };
        self.record(entry, effects);
        effects.push(Effect::Look(who.provider));
    }
}
