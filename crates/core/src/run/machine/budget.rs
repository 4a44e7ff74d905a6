//! Budgets: what is used up ends or pauses the run with a sentence.

use super::{Effects, Machine, Spent};
use crate::run::journal::{Budget, Then};
use crate::run::options::Then as Used;
use crate::run::{Ending, Pause, TaskState};

impl Machine {
    fn consumption(&self) -> Spent {
        let usage = self.run.usage;
        let done = self.run.tasks.iter().filter(|task| task.state == TaskState::Done).count();
        Spent {
            cost_usd: usage.cost_usd.unwrap_or(0.0),
            tokens: usage.input_tokens.saturating_add(usage.output_tokens),
            time_ms: self.run.worked_ms,
            turns: self.run.turns,
            tasks: u32::try_from(done).unwrap_or(u32::MAX),
        }
    }

    /// The budget that is used up, with its sentence.
    pub(super) fn used_up(&self) -> Option<(Budget, String)> {
        let budgets = &self.run.options().budgets;
        let (now, since) = (self.consumption(), self.spent);
        if let Some(most) = budgets.cost_usd
            && now.cost_usd - since.cost_usd >= most
        {
            let sentence =
                format!("Its budget of ${most:.2} is used up: it has cost ${:.2}.", now.cost_usd);
            return Some((Budget::Cost, sentence));
        }
        if let Some(most) = budgets.tokens
            && now.tokens.saturating_sub(since.tokens) >= most
        {
            let sentence =
                format!("Its budget of {most} tokens is used up: it has used {}.", now.tokens);
            return Some((Budget::Tokens, sentence));
        }
        if self.time_left_ms() == Some(0) {
            let most = budgets.time_s.unwrap_or(0);
            let sentence = format!("Its budget of {} of work is used up.", duration(most));
            return Some((Budget::Time, sentence));
        }
        if let Some(most) = budgets.turns
            && now.turns.saturating_sub(since.turns) >= most
        {
            let sentence = format!("Its budget of {} is used up.", counted(most, "turn"));
            return Some((Budget::Turns, sentence));
        }
        if let Some(most) = budgets.tasks
            && now.tasks.saturating_sub(since.tasks) >= most
        {
            let sentence = format!("Its budget of {} is used up.", counted(most, "task"));
            return Some((Budget::Tasks, sentence));
        }
        None
    }

    /// Milliseconds of work it may still do, if that is bounded.
    pub(super) fn time_left_ms(&self) -> Option<u64> {
        let most = self.run.options().budgets.time_s?.saturating_mul(1000);
        Some(most.saturating_sub(self.run.worked_ms.saturating_sub(self.spent.time_ms)))
    }

    /// Whether a turn has to be ended because of what it has consumed so far.
    pub(super) fn is_turn_too_dear(&self) -> bool {
        matches!(self.used_up(), Some((Budget::Cost | Budget::Tokens, _)))
    }

    /// Ends or pauses the run, as its options say.
    pub(super) fn out_of(&mut self, budget: Budget, sentence: String, effects: &mut Effects) {
        match self.run.options().budgets.then {
            Used::End => self.end(Ending::Failed(sentence), effects),
            Used::Pause => {
                self.hold_for(Pause::Budget(sentence), Then::Pick, Some(budget), None, effects);
            }
        }
    }

    /// The same budget once more.
    pub(super) fn grant(&mut self, budget: Budget) {
        let now = self.consumption();
        match budget {
            Budget::Cost => self.spent.cost_usd = now.cost_usd,
            Budget::Tokens => self.spent.tokens = now.tokens,
            Budget::Time => self.spent.time_ms = now.time_ms,
            Budget::Turns => self.spent.turns = now.turns,
            Budget::Tasks => self.spent.tasks = now.tasks,
        }
    }
}

fn counted(count: u32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
