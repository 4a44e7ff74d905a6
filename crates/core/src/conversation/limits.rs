//! What becomes of a tab whose turn failed: it waits for the end of a limit, tries again after a while, or
//! has failed until its user does something. Pure: the clock is the caller's.

use super::TabState;
use crate::turn::{Failure, FailureKind};

/// How long after the end of a limit work goes on at the earliest: clocks differ.
const GRACE_MS: u64 = 15_000;
/// Over how long a time those who wait for the same limit spread.
const SPREAD_MS: u64 = 60_000;
/// How far away the end of a limit may be for it to be waited for. Weekly limits are the longest there are;
/// beyond them the figure is a mistake.
const FARTHEST_MS: u64 = 32 * 24 * 3_600_000;
/// How often in a row the same limit is waited for.
const LIMITS: u32 = 24;

/// Seconds before each attempt after an overloaded service. The providers' programs have tried for minutes
/// themselves when they give up.
const OVERLOAD_S: &[u64] = &[15, 30, 60, 120, 300, 300];
/// The same without a network.
const NETWORK_S: &[u64] = &[5, 10, 20, 40, 60, 60, 120, 300, 300, 600];
/// The same for a limit whose end is not told.
const UNTOLD_S: &[u64] = &[300, 600, 1200, 2400, 3600, 3600, 3600, 3600];

/// What is known when a turn has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Now: milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// How often it was tried again by itself since somebody said something.
    pub attempts: u32,
    /// Whether nothing of the turn was done, so that saying it again does nothing twice.
    pub untouched: bool,
    /// Whether the user wants work to go on by itself after a limit.
    pub resume: bool,
}

/// The state of a tab whose turn failed: [`TabState::Limited`], [`TabState::Retrying`] or
/// [`TabState::Failed`].
#[must_use]
pub fn after(failure: &Failure, facts: Facts) -> TabState {
    let failed = || TabState::Failed(failure.clone());
    match failure.kind {
        FailureKind::Limit { resets_ms: Some(resets) } if resets > facts.now_ms => {
            let likely = resets - facts.now_ms <= FARTHEST_MS && facts.attempts < LIMITS;
            TabState::Limited { until_ms: Some(resets), resumes: facts.resume && likely }
        }
        FailureKind::Limit { .. } if !facts.resume => {
            TabState::Limited { until_ms: None, resumes: false }
        }
        FailureKind::Limit { .. } => {
            retrying("limit reached, its end is not told", UNTOLD_S, facts).unwrap_or_else(failed)
        }
        FailureKind::Overload if facts.untouched => {
            retrying("the service is overloaded", OVERLOAD_S, facts).unwrap_or_else(failed)
        }
        FailureKind::Network if facts.untouched => {
            retrying("no network", NETWORK_S, facts).unwrap_or_else(failed)
        }
        _ => failed(),
    }
}

fn retrying(because: &str, waits_s: &[u64], facts: Facts) -> Option<TabState> {
    let wait = waits_s.get(facts.attempts as usize)?;
    Some(TabState::Retrying {
        because: because.to_owned(),
        until_ms: Some(facts.now_ms.saturating_add(wait * 1000)),
        attempt: Some(facts.attempts + 1),
    })
}

/// When a tab goes on by itself, for a state that [`after`] gave: milliseconds since the Unix epoch. `chance`
/// differs from tab to tab, so that not all of them ask in the same moment.
#[must_use]
pub fn due_ms(state: &TabState, chance: u64) -> Option<u64> {
    match state {
        TabState::Limited { until_ms: Some(until), resumes: true } => {
            Some(until.saturating_add(GRACE_MS).saturating_add(spread(chance)))
        }
        // The countdown that is shown is the one that holds.
        TabState::Retrying { until_ms, .. } => *until_ms,
        _ => None,
    }
}

/// Neighbouring numbers end up far apart.
fn spread(chance: u64) -> u64 {
    (chance.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % SPREAD_MS
}

/// What another host makes of a tab's state. A limit ends by the wall clock, whoever waits for it; what was
/// tried again by itself is left to the user, and so is a turn that was open.
#[must_use]
pub fn after_restart(state: &TabState) -> TabState {
    let failed = |message: &str| {
        TabState::Failed(Failure { kind: FailureKind::Interrupted, message: message.to_owned() })
    };
    match state {
        TabState::Idle | TabState::Limited { .. } | TabState::Failed(_) => state.clone(),
        TabState::Retrying { because, .. } => {
            failed(&format!("The host ended while this waited to be tried again: {because}."))
        }
        TabState::Starting | TabState::Working(_) | TabState::Asking | TabState::Interrupting => {
            failed("The host ended in the middle of this turn.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;
    const FACTS: Facts = Facts { now_ms: NOW, attempts: 0, untouched: true, resume: true };

    fn failure(kind: FailureKind) -> Failure {
        Failure { kind, message: "so it is".into() }
    }

    fn limit(after_ms: i64) -> FailureKind {
        FailureKind::Limit { resets_ms: Some(NOW.saturating_add_signed(after_ms)) }
    }

    #[test]
    fn what_follows_from_each_failure() {
        use FailureKind as Kind;
        const HOUR: i64 = 3_600_000;
        let untold = FailureKind::Limit { resets_ms: None };
        let touched = Facts { untouched: false, ..FACTS };
        let alone = Facts { resume: false, ..FACTS };
        let tried = |attempts| Facts { attempts, ..FACTS };
        for (kind, facts, expected) in [
            (limit(HOUR), FACTS, "limited 3600 s, goes on"),
            (limit(HOUR), touched, "limited 3600 s, goes on"),
            (limit(HOUR), alone, "limited 3600 s"),
            (limit(HOUR), tried(23), "limited 3600 s, goes on"),
            (limit(HOUR), tried(24), "limited 3600 s"),
            (limit(7 * 24 * HOUR), FACTS, "limited 604800 s, goes on"),
            (limit(400 * 24 * HOUR), FACTS, "limited 34560000 s"),
            // A time that has gone by says no more than none.
            (limit(-HOUR), FACTS, "attempt 1 in 300 s"),
            (limit(0), tried(1), "attempt 2 in 600 s"),
            (untold, FACTS, "attempt 1 in 300 s"),
            (untold, touched, "attempt 1 in 300 s"),
            (untold, tried(7), "attempt 8 in 3600 s"),
            (untold, tried(8), "failed"),
            (untold, alone, "limited"),
            (Kind::Overload, FACTS, "attempt 1 in 15 s"),
            (Kind::Overload, tried(5), "attempt 6 in 300 s"),
            (Kind::Overload, tried(6), "failed"),
            (Kind::Overload, tried(u32::MAX), "failed"),
            (Kind::Overload, touched, "failed"),
            (Kind::Overload, alone, "attempt 1 in 15 s"),
            (Kind::Network, FACTS, "attempt 1 in 5 s"),
            (Kind::Network, tried(9), "attempt 10 in 600 s"),
            (Kind::Network, tried(10), "failed"),
            (Kind::Network, touched, "failed"),
            (Kind::Auth, FACTS, "failed"),
            (Kind::Billing, FACTS, "failed"),
            (Kind::Permission, FACTS, "failed"),
            (Kind::ModelUnknown, FACTS, "failed"),
            (Kind::Context, FACTS, "failed"),
            (Kind::HumanNeeded, FACTS, "failed"),
            (Kind::SessionMissing, FACTS, "failed"),
            (Kind::Torn, FACTS, "failed"),
            (Kind::Crashed, FACTS, "failed"),
            (Kind::Silent, FACTS, "failed"),
            (Kind::Interrupted, FACTS, "failed"),
            (Kind::Other, FACTS, "failed"),
        ] {
            let state = after(&failure(kind), facts);
            let seconds = |until: u64| (until - NOW) / 1000;
            let text = match &state {
                TabState::Limited { until_ms, resumes } => {
                    let until = until_ms.map(|until| format!(" {} s", seconds(until)));
                    let on = if *resumes { ", goes on" } else { "" };
                    format!("limited{}{on}", until.unwrap_or_default())
                }
                TabState::Retrying { until_ms: Some(until), attempt: Some(attempt), .. } => {
                    format!("attempt {attempt} in {} s", seconds(*until))
                }
                TabState::Failed(found) if *found == failure(kind) => "failed".to_owned(),
                other => format!("{other:?}"),
            };
            assert_eq!(text, expected, "{kind:?} {facts:?}");
        }
    }

    #[test]
    fn a_limit_is_over_a_little_later_and_not_for_all_at_once() {
        let limited = |resumes| TabState::Limited { until_ms: Some(NOW), resumes };
        let due: Vec<u64> =
            (1..=20).map(|tab| due_ms(&limited(true), tab).expect("it goes on")).collect();
        let range = NOW + GRACE_MS..NOW + GRACE_MS + SPREAD_MS;
        assert!(due.iter().all(|due| range.contains(due)), "{due:?}");
        let mut seconds: Vec<u64> = due.iter().map(|due| due / 1000).collect();
        seconds.sort_unstable();
        seconds.dedup();
        assert!(seconds.len() > 15, "they spread: {seconds:?}");
        assert_eq!(due_ms(&limited(false), 1), None);
        assert_eq!(due_ms(&TabState::Limited { until_ms: None, resumes: true }, 1), None);
        assert_eq!(due_ms(&TabState::Idle, 1), None);
        let farthest = TabState::Limited { until_ms: Some(u64::MAX), resumes: true };
        assert_eq!(due_ms(&farthest, 1), Some(u64::MAX));
        let retrying =
            TabState::Retrying { because: "x".into(), until_ms: Some(NOW + 7), attempt: Some(1) };
        assert_eq!(due_ms(&retrying, 1), Some(NOW + 7));
    }

    #[test]
    fn a_restart_keeps_limits_and_resumes_nothing_else() {
        let limited = TabState::Limited { until_ms: Some(1), resumes: true };
        let failed = TabState::Failed(failure(FailureKind::Auth));
        for same in [TabState::Idle, limited, failed] {
            assert_eq!(after_restart(&same), same);
        }
        let retrying =
            TabState::Retrying { because: "no network".into(), until_ms: None, attempt: None };
        for (cut, word) in [
            (retrying, "no network"),
            (TabState::Starting, "in the middle"),
            (TabState::Working("x".into()), "in the middle"),
            (TabState::Asking, "in the middle"),
            (TabState::Interrupting, "in the middle"),
        ] {
            let TabState::Failed(failure) = after_restart(&cut) else { panic!("{cut:?}") };
            assert_eq!(failure.kind, FailureKind::Interrupted);
            assert!(failure.message.contains(word), "{failure}");
        }
    }
}
