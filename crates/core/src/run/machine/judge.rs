//! What follows from how an attempt ended: another one, its command, its tick, or giving the task up.

use super::{Effect, Effects, End, Fault, Machine, Phase, sentence};
use crate::checklist::{Applied, Change};
use crate::run::journal::{Entry, Then};
use crate::run::{Ending, Verify};
use crate::turn::{Failure, FailureKind};

/// How far away a limit's reset can be: no plan has a longer period than a week. What is later is a number
/// that means something else.
const LATEST_RESET_MS: u64 = 8 * 24 * 3_600_000;

impl Machine {
    /// What follows from how the turn ended.
    pub(super) fn judge(&mut self, effects: &mut Effects) {
        if self.kill {
            return self.end_as_asked(effects);
        }
        match self.attempt.end.clone() {
            End::Ok if self.attempt.verify.is_some() => self.verify(effects),
            End::Ok => self.tick(effects),
            End::CutShort => {
                // Something happened, and there is a way to ask whether it was enough.
                if self.attempt.verify.is_some() && !self.attempt.is_fruitless() {
                    self.verify(effects);
                } else {
                    self.again(effects);
                }
            }
            End::Failed(failure) => self.failed(&failure, effects),
        }
    }

    fn again(&mut self, effects: &mut Effects) {
        if self.known[self.current].interrupted < self.policy.interruptions {
            self.record(Entry::CutShort, effects);
            self.choose(effects);
        } else {
            let because = "Maestro was ended during the attempt.".to_owned();
            self.attempt_failed(because, effects);
        }
    }

    fn failed(&mut self, failure: &Failure, effects: &mut Effects) {
        let message = failure.message.trim();
        match failure.kind {
            FailureKind::Auth
            | FailureKind::Billing
            | FailureKind::ModelUnknown
            | FailureKind::HumanNeeded
            | FailureKind::Unusable => {
                let advice = match failure.kind {
                    FailureKind::Auth => {
                        "Log in with the agent's own program, then start the run again."
                    }
                    FailureKind::Billing => "Add credit, then start the run again.",
                    FailureKind::ModelUnknown => "Name another model, then start the run again.",
                    _ => "Start the run again when that is settled.",
                };
                self.record(
                    Entry::AttemptFailed {
                        because: message.to_owned(),
                        counts: false,
                        fruitless: self.attempt.is_fruitless(),
                    },
                    effects,
                );
                let sentence = format!("{} {advice}", sentence(message));
                self.record(Entry::Ended { ending: Ending::Failed(sentence) }, effects);
            }
            FailureKind::Limit { resets_ms: Some(resets_ms) }
                if (effects.now_ms + 1..=effects.now_ms + LATEST_RESET_MS).contains(&resets_ms) =>
            {
                // Not sooner than after any other refusal, so that a provider that always says "in a
                // second" is not asked every second.
                let least = self.policy.waits_s.get(self.refusals).or(self.policy.waits_s.last());
                let least = effects.now_ms + least.copied().unwrap_or_default() * 1000;
                let until_ms =
                    resets_ms.saturating_add(self.policy.reset_margin_s * 1000).max(least);
                self.postpone(message, effects);
                self.wait(until_ms, sentence(message), Then::Pick, effects);
            }
            FailureKind::Limit { .. }
            | FailureKind::Overload
            | FailureKind::Network
            | FailureKind::Torn => {
                self.postpone(message, effects);
                self.back_off(message, Then::Pick, effects);
            }
            FailureKind::SessionMissing if self.known[self.current].resume.is_some() => {
                self.postpone(message, effects);
                self.choose(effects);
            }
            FailureKind::Context
            | FailureKind::SessionMissing
            | FailureKind::Permission
            | FailureKind::Interrupted
            | FailureKind::Crashed
            | FailureKind::Silent
            | FailureKind::Other => self.attempt_failed(sentence(message), effects),
        }
    }

    /// The attempt is made again later; it was not the task's fault.
    fn postpone(&mut self, because: &str, effects: &mut Effects) {
        let entry = Entry::AttemptFailed {
            because: sentence(because),
            counts: false,
            fruitless: self.attempt.is_fruitless(),
        };
        self.record(entry, effects);
    }

    fn attempt_failed(&mut self, because: String, effects: &mut Effects) {
        let fruitless = self.attempt.is_fruitless();
        let entry = Entry::AttemptFailed { because: because.clone(), counts: true, fruitless };
        self.record(entry, effects);
        let known = &self.known[self.current];
        let given_up =
            known.used >= self.attempt.of || known.fruitless >= self.policy.fruitless_attempts;
        if given_up {
            self.record(Entry::TaskFailed { because: because.clone() }, effects);
        }
        if self.fruitless_tasks >= self.policy.fruitless_tasks && !(self.stop || self.kill) {
            let sentence = format!(
                "It stalled: {} tasks in a row failed without a change to any file. The last one: \
                 {because}",
                self.fruitless_tasks
            );
            self.record(Entry::Ended { ending: Ending::Failed(sentence) }, effects);
        } else {
            self.choose(effects);
        }
    }

    pub(super) fn verify(&mut self, effects: &mut Effects) {
        let command = self.attempt.verify.clone().unwrap_or_default();
        self.record(Entry::Verifying { command: command.clone() }, effects);
        effects.push(Effect::Verify { command });
    }

    pub(super) fn verified(&mut self, verify: Verify, duration_ms: u64, effects: &mut Effects) {
        if self.phase != Phase::Verifying {
            return;
        }
        let passed = verify.exit_code == Some(0);
        let because = unverified(&verify);
        self.record(Entry::Verified { verify, duration_ms }, effects);
        if passed {
            self.tick(effects);
        } else if self.kill {
            self.end_as_asked(effects);
        } else if self.attempt.end == End::CutShort {
            self.again(effects);
        } else {
            self.attempt_failed(because, effects);
        }
    }

    pub(super) fn tick(&mut self, effects: &mut Effects) {
        self.record(Entry::Ticking, effects);
        let known = &self.known[self.current];
        effects.push(Effect::Rewrite {
            document: self.run.spec.documents[known.document].clone(),
            changes: vec![Change { anchor: known.anchor.clone(), checked: true }],
        });
    }

    pub(super) fn rewritten(&mut self, result: Result<Vec<Applied>, Fault>, effects: &mut Effects) {
        let then = match self.phase {
            Phase::Ticking => Then::Tick,
            Phase::SettingBack(_) => Then::Audit,
            _ => return,
        };
        match (result, &mut self.phase) {
            (Err(fault), _) if !fault.passing => self.broken(fault.because, effects),
            (Err(_), _) if self.kill => self.end_as_asked(effects),
            (Err(fault), _) => self.back_off(&fault.because, then, effects),
            (Ok(_), Phase::SettingBack(changes)) => {
                let _ = changes.remove(0);
                match changes.first() {
                    Some((document, changes)) => {
                        let document = self.run.spec.documents[*document].clone();
                        let changes = changes.clone();
                        effects.push(Effect::Rewrite { document, changes });
                    }
                    None => self.judge(effects),
                }
            }
            (Ok(applied), _) => self.ticked(applied.first().copied(), effects),
        }
    }

    fn ticked(&mut self, applied: Option<Applied>, effects: &mut Effects) {
        match applied {
            Some(Applied::Changed | Applied::Already) => self.record(Entry::Ticked, effects),
            Some(Applied::Reworded) => {
                let because =
                    "Its line was reworded while it was worked on, so it was not ticked; it \
                               is taken up again as it reads now."
                        .to_owned();
                return self.attempt_failed(because, effects);
            }
            Some(Applied::Ambiguous) => {
                let because =
                    "It was done, but several tasks of the document now read alike, so none \
                               was ticked."
                        .to_owned();
                self.record(Entry::TaskFailed { because }, effects);
            }
            Some(Applied::Gone) | None => {
                let because =
                    "It was done, but its line is no longer in the document, so nothing was \
                               ticked."
                        .to_owned();
                self.record(Entry::TaskFailed { because }, effects);
            }
        }
        self.choose(effects);
    }
}

fn unverified(verify: &Verify) -> String {
    match verify.exit_code {
        Some(code) => format!("`{}` exited with {code}.", verify.command),
        None => format!("`{}` was ended before it was through.", verify.command),
    }
}
