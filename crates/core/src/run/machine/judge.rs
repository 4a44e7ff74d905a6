//! What follows from how an attempt ended: another one, its command, its tick, or giving the task up.

use super::{Effect, Effects, End, Machine, Phase, sentence};
use crate::run::journal::{Entry, Then};
use crate::run::{Ending, OnFailure, Verify};
use crate::turn::{Failure, FailureKind};

/// How far away a limit's reset can be: no plan has a longer period than a week. What is later is a number
/// that means something else.
const LATEST_RESET_MS: u64 = 8 * 24 * 3_600_000;

impl Machine {
    /// What follows from how the turn ended.
    pub(super) fn judge(&mut self, effects: &mut Effects) {
        if (self.kill || self.is_skipped()) && !self.attempt.is_void {
            // A box that its agent ticked with a right to it until now has none any more.
            self.attempt.is_void = true;
            return self.reread(effects);
        }
        if self.kill {
            return self.end_as_asked(effects);
        }
        if let Some(document) = self.attempt.lost_gate.take() {
            let name = document.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let because = format!(
                "While {} was worked on, a gate disappeared from {name}. Put it back, or let the run go \
                 on without it.",
                self.name(self.current)
            );
            return self.need(&because, Then::Audit, effects);
        }
        if self.is_skipped() {
            return self.pass_over(effects);
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
            End::Failed(_) if self.attempt.over_budget || self.time_left_ms() == Some(0) => {
                self.record(Entry::CutShort { counts: false }, effects);
                self.choose(effects);
            }
            End::Failed(failure) => self.failed(&failure, effects),
        }
    }

    fn again(&mut self, effects: &mut Effects) {
        if self.known[self.current].interrupted < self.policy.interruptions {
            self.record(Entry::CutShort { counts: true }, effects);
            self.choose(effects);
        } else {
            let because = "Maestro was ended during the attempt.".to_owned();
            self.attempt_failed(because, false, effects);
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
                        "Log in with the agent's own program, then let the run go on."
                    }
                    FailureKind::Billing => "Add credit, then let the run go on.",
                    FailureKind::ModelUnknown => "Start a run with another model.",
                    _ => "Let the run go on when that is settled.",
                };
                self.postpone(message, effects);
                let because = format!("{} {advice}", sentence(message));
                self.need(&because, Then::Pick, effects);
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
            // A session of a whole document has become too long: the task itself may fit a fresh one.
            FailureKind::Context if self.attempt.follows => {
                self.postpone(message, effects);
                self.choose(effects);
            }
            FailureKind::Context
            | FailureKind::SessionMissing
            | FailureKind::Permission
            | FailureKind::Interrupted
            | FailureKind::Crashed
            | FailureKind::Silent
            | FailureKind::Other => self.attempt_failed(sentence(message), false, effects),
        }
    }

    /// The attempt is made again later; it was not the task's fault.
    fn postpone(&mut self, because: &str, effects: &mut Effects) {
        let known = &self.known[self.current];
        // What was refused for a while is set right in the same session then.
        let lost = matches!(
            &self.attempt.end,
            End::Failed(Failure { kind: FailureKind::SessionMissing | FailureKind::Context, .. })
        );
        let repair = known.repair && !lost;
        let entry = Entry::AttemptFailed {
            because: sentence(because),
            counts: false,
            fruitless: self.attempt.is_fruitless(),
            repair,
        };
        self.record(entry, effects);
    }

    /// The attempt came to nothing. `is_checked`: because of a check, which its own session can set right.
    pub(super) fn attempt_failed(
        &mut self,
        because: String,
        is_checked: bool,
        effects: &mut Effects,
    ) {
        if self.attempt.is_claim {
            return self.unclaimed(because, effects);
        }
        let fruitless = self.attempt.is_fruitless();
        let known = &self.known[self.current];
        let is_fruitless_too_often =
            fruitless && known.fruitless + 1 >= self.policy.fruitless_attempts;
        let is_last = known.used + 1 >= self.attempt.of || is_fruitless_too_often;
        let has_session = self.run.tasks[self.current].session.is_some();
        let repair = is_checked
            && !is_last
            && has_session
            && self.halt.is_none()
            && self.attempt.end == End::Ok;
        let entry =
            Entry::AttemptFailed { because: because.clone(), counts: true, fruitless, repair };
        self.record(entry, effects);
        if is_last { self.task_failed(because, effects) } else { self.choose(effects) }
    }

    /// The task is given up.
    pub(super) fn task_failed(&mut self, because: String, effects: &mut Effects) {
        if self.attempt.is_claim {
            return self.unclaimed(because, effects);
        }
        self.record(Entry::TaskFailed { because: because.clone() }, effects);
        if self.fruitless_tasks >= self.policy.fruitless_tasks && !(self.stop || self.kill) {
            let sentence = format!(
                "It stalled: {} tasks in a row failed without a change to any file. The last one: \
                 {because}",
                self.fruitless_tasks
            );
            self.end(Ending::Failed(sentence), effects);
        } else {
            self.after_failure(self.current, &because, effects);
        }
    }

    /// Goes on, ends or pauses after a task that failed.
    pub(super) fn after_failure(&mut self, task: usize, because: &str, effects: &mut Effects) {
        let text = format!("{} failed: {}", self.name(task), sentence(because));
        match self.run.options().on_failure {
            _ if self.stop || self.kill => self.choose(effects),
            OnFailure::GoOn => self.choose(effects),
            OnFailure::Stop => self.end(Ending::Failed(text), effects),
            OnFailure::Pause => self.need(&text, Then::Pick, effects),
        }
    }

    /// What an agent ticked beside its task does not hold.
    fn unclaimed(&mut self, because: String, effects: &mut Effects) {
        let name = self.name(self.current);
        self.flag(&format!("{name} was ticked, but it does not hold: {because}"), effects);
        self.record(Entry::Unclaimed { because }, effects);
        self.choose(effects);
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
        } else if self.is_skipped() {
            self.pass_over(effects);
        } else if self.attempt.end == End::CutShort {
            self.again(effects);
        } else {
            self.attempt_failed(because, true, effects);
        }
    }
}

pub(super) fn unverified(verify: &Verify) -> String {
    match verify.exit_code {
        Some(code) => format!("`{}` exited with {code}.", verify.command),
        None => format!("`{}` was ended before it was through.", verify.command),
    }
}
