//! Which task is next, and what a task has to meet to be begun.

use std::collections::HashSet;
use std::path::PathBuf;

use super::{Fate, Machine};
use crate::agent::Provider;
use crate::checklist::{Found, MarkerKind, Needs, Unresolved};
use crate::id::AgentId;
use crate::run::journal::Asks;
use crate::run::{Ahead, MAX_AHEAD};
use crate::text::clean;

/// How much of a text is quoted, in characters.
const QUOTED: usize = 80;
/// Longest text of a task that is shown, in characters.
const SHOWN: usize = 200;

/// What a look over the documents of the pass says.
#[derive(Debug)]
pub(super) struct Decision {
    /// Tasks before the next one that cannot be begun.
    pub(super) refused: Vec<Refused>,
    pub(super) next: Next,
    /// Open tasks after it.
    pub(super) ahead: Vec<Ahead>,
}

/// A task and why it cannot be begun.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) at: usize,
    pub(super) place: usize,
    pub(super) number: Option<usize>,
    pub(super) because: String,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    Do(Chosen),
    /// A person has to tick a box first.
    Gate {
        document: PathBuf,
        line: u32,
        reason: String,
        artifact: Option<String>,
    },
    /// The user has to agree to a command first.
    Ask(Asks, String),
    /// Nothing in this pass: these wait for what is not done. `left`: whether the next pass has something
    /// to do in a document that is not reset.
    Nothing {
        blocked: Vec<Refused>,
        left: bool,
    },
}

/// A task and who does it.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) at: usize,
    pub(super) place: usize,
    pub(super) number: Option<usize>,
    pub(super) who: Who,
}

#[derive(Debug)]
pub(super) struct Who {
    pub(super) provider: Provider,
    pub(super) agent: Option<AgentId>,
    pub(super) model: Option<String>,
}

/// What a look at one task says.
enum Verdict {
    Skip,
    /// Not now, and never when nothing else is left to do.
    Blocked(String),
    Refuse(String),
    Ask(Asks, String),
    Do(Who),
}

impl Machine {
    /// Looks the documents over: from the one that was worked on last to the end, then what stands before
    /// it. What an agent adds to a document that is through waits for the next pass, if there may be one.
    pub(super) fn decide(&self) -> Decision {
        let numbers: Vec<_> = (0..self.documents.len()).map(|at| self.numbers(at)).collect();
        let needs = Needs::new(&self.documents);
        let wanted = self.wanted();
        let mut decision = Decision {
            refused: Vec::new(),
            next: Next::Nothing { blocked: Vec::new(), left: false },
            ahead: Vec::new(),
        };
        if let Some(next) = self.unfinished(&numbers, &needs) {
            decision.next = next;
        }
        let len = self.documents.len();
        let start = self.cursor.min(len);
        let order = (start..len).map(|at| (at, false)).chain((0..start).map(|at| (at, true)));
        for (at, is_behind) in order {
            if self.slots[self.pass[at]].skipped {
                continue;
            }
            for (place, number) in numbers[at].iter().copied().enumerate() {
                let is_wanted = wanted.as_ref().is_none_or(|wanted| wanted.contains(&(at, place)));
                if !is_wanted || self.documents[at].tasks()[place].checked {
                    continue;
                }
                if !matches!(decision.next, Next::Nothing { .. }) {
                    if decision.ahead.len() >= MAX_AHEAD {
                        return decision;
                    }
                    self.note_ahead(at, place, number, &mut decision);
                    continue;
                }
                let verdict = self.consider(at, place, number, &needs);
                let waits = is_behind
                    && self.may_pass_again()
                    && self.documents[at].tasks()[place].fields.needs.is_empty();
                self.weigh(verdict, waits, (at, place, number), &mut decision);
            }
        }
        decision
    }

    fn weigh(
        &self,
        verdict: Verdict,
        waits: bool,
        (at, place, number): (usize, usize, Option<usize>),
        decision: &mut Decision,
    ) {
        let Next::Nothing { blocked, left } = &mut decision.next else { return };
        match verdict {
            Verdict::Skip => {}
            Verdict::Blocked(because) => blocked.push(Refused { at, place, number, because }),
            _ if waits => *left |= !self.is_copy(self.pass[at]),
            Verdict::Refuse(because) => {
                decision.refused.push(Refused { at, place, number, because });
            }
            _ if self.gate_above(at, place, false).is_some() => {
                if let Some(gate) = self.gate_above(at, place, false) {
                    decision.next = gate;
                }
            }
            Verdict::Ask(asks, because) => decision.next = Next::Ask(asks, because),
            Verdict::Do(who) => decision.next = Next::Do(Chosen { at, place, number, who }),
        }
    }

    /// The task whose session is to set something right or was cut short: it comes before any other.
    fn unfinished(&self, numbers: &[Vec<Option<usize>>], needs: &Needs<'_>) -> Option<Next> {
        let known = self.known.get(self.current)?;
        if known.fate != Fate::Open || known.resume.is_none() {
            return None;
        }
        let at = self.pass.iter().position(|slot| *slot == known.document)?;
        let numbers = numbers.get(at)?;
        let place = numbers.iter().position(|number| *number == Some(self.current))?;
        if self.slots[known.document].skipped && known.used == 0 {
            return None;
        }
        match self.consider(at, place, Some(self.current), needs) {
            Verdict::Do(who) => {
                Some(Next::Do(Chosen { at, place, number: Some(self.current), who }))
            }
            Verdict::Ask(asks, because) => Some(Next::Ask(asks, because)),
            Verdict::Skip | Verdict::Blocked(_) | Verdict::Refuse(_) => None,
        }
    }

    fn note_ahead(&self, at: usize, place: usize, number: Option<usize>, decision: &mut Decision) {
        let is_next =
            matches!(&decision.next, Next::Do(next) if (next.at, next.place) == (at, place));
        let is_open = number.is_none_or(|number| self.known[number].fate == Fate::Open);
        if is_open && !is_next {
            let task = &self.documents[at].tasks()[place];
            decision.ahead.push(Ahead {
                document: self.path(self.pass[at]),
                line: task.line,
                text: clean(task.title(), SHOWN),
            });
        }
    }

    /// For every task of a document its number in the run, if it is known to it.
    pub(super) fn numbers(&self, at: usize) -> Vec<Option<usize>> {
        let here = &self.documents[at];
        let slot = self.pass[at];
        let mut numbers = vec![None; here.tasks().len()];
        for (number, known) in self.known.iter().enumerate() {
            if known.document != slot {
                continue;
            }
            match here.find(&known.anchor) {
                Found::At(place) => numbers[place] = Some(number),
                // A reworded task goes on with the attempts it has left, or attempts would be endless. One
                // in the place of a task that is done is new.
                Found::Reworded(place)
                    if numbers[place].is_none() && known.fate != Fate::Ticked =>
                {
                    numbers[place] = Some(number);
                }
                Found::Reworded(_) | Found::Gone => {}
                // It is one of these. Rather none of them is done than one twice.
                Found::Ambiguous if known.fate != Fate::Open => {
                    for place in here.all_with_text(&known.anchor.text) {
                        if numbers[place].is_none() {
                            numbers[place] = Some(number);
                        }
                    }
                }
                Found::Ambiguous => {}
            }
        }
        numbers
    }

    /// The tasks that the run is about, if it is not about all: (place in the pass, task).
    fn wanted(&self) -> Option<HashSet<(usize, usize)>> {
        let only = &self.run.options().only;
        if only.is_empty() {
            return None;
        }
        let mut wanted = HashSet::new();
        for (at, document) in self.documents.iter().enumerate() {
            let listed = &self.run.spec.documents[self.slots[self.pass[at]].listed];
            for (_, anchor) in only.iter().filter(|(path, _)| path == listed) {
                // A copy has every box open, so what is around a task may read differently.
                if let Found::At(place) | Found::Reworded(place) = document.find(anchor) {
                    let _ = wanted.insert((at, place));
                }
            }
        }
        Some(wanted)
    }

    pub(super) fn is_wanted(&self, at: usize, place: usize) -> bool {
        self.wanted().is_none_or(|wanted| wanted.contains(&(at, place)))
    }

    fn consider(
        &self,
        at: usize,
        place: usize,
        number: Option<usize>,
        needs: &Needs<'_>,
    ) -> Verdict {
        let task = &self.documents[at].tasks()[place];
        if task.checked {
            return Verdict::Skip;
        }
        match number.map(|number| self.known[number].fate) {
            Some(Fate::Failed | Fate::Skipped | Fate::Undone) => return Verdict::Skip,
            Some(Fate::Ticked) => {
                return Verdict::Refuse(
                    "Its box was opened again after it had been done; start another run to have it \
                     done again."
                        .to_owned(),
                );
            }
            Some(Fate::Open) | None => {}
        }
        // A host may have died between the last attempt's failure and what follows from it.
        if let Some(because) = number.and_then(|number| self.is_used_up(number, at, place)) {
            return Verdict::Refuse(because);
        }
        if let Some(problem) = task.fields.problems.first() {
            return Verdict::Refuse(format!("A line under it cannot be read: {problem}."));
        }
        if let Err(because) = self.needed(at, place, needs) {
            return Verdict::Blocked(because);
        }
        if let Some(asks) = self.asks(at, place, number) {
            let because = question(&asks);
            return Verdict::Ask(asks, because);
        }
        match self.who(at, place) {
            Ok(who) => Verdict::Do(who),
            Err(because) => Verdict::Refuse(because),
        }
    }

    /// Who is to do a task.
    fn who(&self, at: usize, place: usize) -> Result<Who, String> {
        let fields = &self.documents[at].tasks()[place].fields;
        let (provider, agent) = match fields.agent.as_deref() {
            None => (self.run.spec.provider, None),
            Some(name) => match (name.parse(), self.agents.iter().find(|agent| agent.0 == name)) {
                (Ok(provider), _) => (provider, None),
                (_, Some((_, agent, provider))) => (*provider, Some(*agent)),
                (Err(unknown), None) => {
                    return Err(format!(
                        "Its `agent:` is unknown: {unknown}, and no agent of yours."
                    ));
                }
            },
        };
        if provider == Provider::Shell {
            return Err("A shell cannot do a task; its `agent:` has to name an agent.".to_owned());
        }
        // A model is a provider's own.
        let of_run = self.run.spec.model.clone().filter(|_| provider == self.run.spec.provider);
        Ok(Who { provider, agent, model: fields.model.clone().or(of_run) })
    }

    /// Why a task has no attempt left.
    fn is_used_up(&self, number: usize, at: usize, place: usize) -> Option<String> {
        let known = &self.known[number];
        let used_up = known.used >= self.attempts(at, place)
            || known.fruitless >= self.policy.fruitless_attempts;
        let because = self.run.tasks.get(number).and_then(|task| task.because.clone());
        used_up.then(|| because.unwrap_or_default())
    }

    /// How many attempts and repairs a task has.
    pub(super) fn attempts(&self, at: usize, place: usize) -> u32 {
        let retries = self.documents[at].tasks()[place].fields.retries;
        retries.map_or(self.run.spec.attempts, |retries| retries.saturating_add(1)).max(1)
    }

    /// Whether what a task needs is done.
    fn needed(&self, at: usize, place: usize, needs: &Needs<'_>) -> Result<(), String> {
        for need in &self.documents[at].tasks()[place].fields.needs {
            match needs.resolve(at, place, need) {
                Ok((at, place)) => {
                    let needed = &self.documents[at].tasks()[place];
                    if !needed.checked {
                        let title = clean(needed.title(), QUOTED);
                        return Err(format!("It needs “{title}”, which is not done."));
                    }
                }
                Err(Unresolved::Unknown) => {
                    return Err(format!(
                        "It needs “{}”, which names no task.",
                        clean(need, QUOTED)
                    ));
                }
                Err(Unresolved::Several) => {
                    let need = clean(need, QUOTED);
                    return Err(format!("It needs “{need}”, which names several tasks."));
                }
            }
        }
        Ok(())
    }

    /// The gate that a task waits for: above it, without a ticked box in between. `before`: as the boxes
    /// were before the turn.
    pub(super) fn gate_above(&self, at: usize, place: usize, before: bool) -> Option<Next> {
        let document = &self.documents[at];
        let slot = &self.slots[self.pass[at]];
        let (marker, reason, artifact) =
            document.markers().iter().rev().find_map(|marker| match &marker.kind {
                MarkerKind::Gate { reason, artifact } if marker.above <= place => {
                    Some((marker, reason, artifact))
                }
                _ => None,
            })?;
        let is_open = document.tasks()[marker.above..place].iter().any(|task| {
            let was = || slot.marks.iter().any(|mark| mark.checked && mark.text == task.text);
            task.checked && (!before || was())
        });
        (!is_open).then(|| Next::Gate {
            document: slot.path.clone(),
            line: marker.line,
            reason: clean(reason, SHOWN),
            artifact: artifact.as_deref().map(|artifact| clean(artifact, SHOWN)),
        })
    }

    /// What the user has to agree to before a task is begun: a command that was not there when the run
    /// began, or one that is gone.
    pub(super) fn asks(&self, at: usize, place: usize, number: Option<usize>) -> Option<Asks> {
        let agreed = self.agreed.as_ref()?;
        let task = &self.documents[at].tasks()[place];
        let listed = self.slots[self.pass[at]].listed;
        let command = task.fields.verify_command();
        let picked_with = number.and_then(|number| self.known[number].verify.as_ref());
        let is_agreed = match (agreed.by_task.get(&(listed, task.text.clone())), picked_with) {
            (Some(commands), _) => commands.contains(&command),
            (None, Some(before)) => {
                command.as_ref().or(self.run.options().verify.as_ref()) == before.as_ref()
            }
            (None, None) => command.as_ref().is_none_or(|one| agreed.commands.contains(one)),
        };
        (!is_agreed).then(|| Asks { listed, text: task.text.clone(), command })
    }
}

fn question(asks: &Asks) -> String {
    let text = clean(&asks.text, QUOTED);
    match &asks.command {
        Some(command) => format!(
            "“{text}” is to be checked by `{}`, which was not so when the run began. Let the run go on if \
             that command may run.",
            clean(command, 500)
        ),
        None => format!(
            "“{text}” is no longer checked by its command. Let the run go on if that is right, or put \
             the command back."
        ),
    }
}
