//! Choosing the next task, and what a task has to meet to be begun.

use super::{Effect, Effects, Fate, Machine, Phase};
use crate::agent::Provider;
use crate::checklist::{Document, Found};
use crate::run::Ending;
use crate::run::journal::Entry;

impl Machine {
    /// The next task, unless the run is to end.
    pub(super) fn choose(&mut self, effects: &mut Effects) {
        self.phase = Phase::Choosing;
        if self.kill {
            self.end_as_asked(effects);
        } else {
            effects.push(self.reading());
        }
    }

    pub(super) fn read(&mut self, documents: Vec<Result<Document, String>>, effects: &mut Effects) {
        if !matches!(self.phase, Phase::Choosing | Phase::Auditing) {
            return;
        }
        let documents = match documents.into_iter().collect::<Result<Vec<_>, _>>() {
            Ok(documents) if documents.len() == self.run.spec.documents.len() => documents,
            Ok(_) => return,
            Err(because) => return self.broken(because, effects),
        };
        self.documents = documents;
        self.count();
        if self.phase == Phase::Choosing { self.pick(effects) } else { self.audit(effects) }
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
        let mut blocked = Vec::new();
        for document in 0..self.documents.len() {
            let numbers = self.numbers(document);
            for (place, number) in numbers.into_iter().enumerate() {
                match self.consider(document, place, number) {
                    Verdict::Skip => {}
                    Verdict::Blocked(because) => blocked.push((document, place, number, because)),
                    Verdict::Refuse(because) => {
                        self.refuse(document, place, number, because, effects);
                    }
                    Verdict::Do(_) if self.stop => return self.end_as_asked(effects),
                    Verdict::Do(provider) => {
                        return self.take(document, place, number, provider, effects);
                    }
                }
            }
        }
        for (document, place, number, because) in blocked {
            self.refuse(document, place, number, because, effects);
        }
        let failed = self.known.iter().any(|known| known.fate == Fate::Failed);
        let ending =
            if failed || self.run.open > 0 { Ending::WithFailures } else { Ending::Completed };
        self.record(Entry::Ended { ending }, effects);
    }

    /// For every task of a document its number in the run, if it is known to it.
    pub(super) fn numbers(&self, document: usize) -> Vec<Option<usize>> {
        let here = &self.documents[document];
        let mut numbers = vec![None; here.tasks().len()];
        for (number, known) in self.known.iter().enumerate() {
            if known.document != document {
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
                    for (place, task) in here.tasks().iter().enumerate() {
                        if task.text == known.anchor.text && numbers[place].is_none() {
                            numbers[place] = Some(number);
                        }
                    }
                }
                Found::Ambiguous => {}
            }
        }
        numbers
    }

    fn consider(&self, document: usize, place: usize, number: Option<usize>) -> Verdict {
        let task = &self.documents[document].tasks()[place];
        if task.checked {
            return Verdict::Skip;
        }
        match number.map(|number| self.known[number].fate) {
            Some(Fate::Failed) => return Verdict::Skip,
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
        if let Some(because) = number.and_then(|number| self.is_used_up(number, document, place)) {
            return Verdict::Refuse(because);
        }
        if let Some(problem) = task.fields.problems.first() {
            return Verdict::Refuse(format!("A line under it cannot be read: {problem}."));
        }
        if let Err(because) = self.needs(document, place) {
            return Verdict::Blocked(because);
        }
        match task.fields.agent.as_deref().map(str::parse) {
            None => Verdict::Do(self.run.spec.provider),
            Some(Ok(Provider::Shell)) => {
                Verdict::Refuse("`agent: shell` cannot do a task; name an agent.".to_owned())
            }
            Some(Ok(provider)) => Verdict::Do(provider),
            Some(Err(unknown)) => Verdict::Refuse(format!("Its `agent:` is unknown: {unknown}.")),
        }
    }

    /// Why a task has no attempt left.
    fn is_used_up(&self, number: usize, document: usize, place: usize) -> Option<String> {
        let known = &self.known[number];
        let used_up = known.used >= self.attempts(document, place)
            || known.fruitless >= self.policy.fruitless_attempts;
        let because = self.run.tasks.get(number).and_then(|task| task.because.clone());
        used_up.then(|| because.unwrap_or_default())
    }

    /// How many attempts a task has.
    fn attempts(&self, document: usize, place: usize) -> u32 {
        let retries = self.documents[document].tasks()[place].fields.retries;
        retries.map_or(self.run.spec.attempts, |retries| retries.saturating_add(1)).max(1)
    }

    /// Whether what a task needs is done: other tasks of its document, by their number or the
    /// beginning of their text.
    fn needs(&self, document: usize, place: usize) -> Result<(), String> {
        let tasks = self.documents[document].tasks();
        for need in &tasks[place].fields.needs {
            let number = need.trim_start_matches('#').parse::<usize>().ok();
            let by_number =
                number.and_then(|number| number.checked_sub(1)).filter(|at| *at < tasks.len());
            let wanted = need.to_lowercase();
            let by_text = || {
                let mut matching = (0..tasks.len()).filter(|at| {
                    *at != place && tasks[*at].text.to_lowercase().starts_with(&wanted)
                });
                matching.next().filter(|_| matching.next().is_none())
            };
            match by_number.or_else(by_text) {
                Some(at) if tasks[at].checked => {}
                Some(at) => {
                    return Err(format!("It needs “{}”, which is not done.", tasks[at].text));
                }
                None => {
                    return Err(format!("It needs “{need}”, which names no task of its document."));
                }
            }
        }
        Ok(())
    }

    fn refuse(
        &mut self,
        document: usize,
        place: usize,
        number: Option<usize>,
        because: String,
        effects: &mut Effects,
    ) {
        let task = number.unwrap_or(self.known.len());
        let anchor = self.documents[document].anchor(place);
        self.record(Entry::Refused { task, document, anchor, because }, effects);
    }

    fn take(
        &mut self,
        document: usize,
        place: usize,
        number: Option<usize>,
        provider: Provider,
        effects: &mut Effects,
    ) {
        let task = &self.documents[document].tasks()[place];
        let used = number.map_or(0, |number| self.known[number].used);
        let entry = Entry::Picked {
            task: number.unwrap_or(self.known.len()),
            document,
            anchor: self.documents[document].anchor(place),
            attempt: used + 1,
            attempts: self.attempts(document, place),
            provider,
            verify: task.fields.verify_command(),
            timeout_s: task.fields.timeout_s.unwrap_or(self.run.spec.turn_timeout_s),
        };
        self.record(entry, effects);
        effects.push(Effect::Look(provider));
    }
}

/// What a look at an open task says.
enum Verdict {
    Skip,
    /// Not now, and never when nothing else is left to do.
    Blocked(String),
    Refuse(String),
    Do(Provider),
}
