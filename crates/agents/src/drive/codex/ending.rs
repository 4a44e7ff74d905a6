//! What Codex's errors and limits mean: by the fields it has for that, by its words only where it says
//! `other`.

use maestro_core::conversation::Event;
use maestro_core::turn::{Failure, FailureKind};
use serde_json::Value;

use crate::stream::{fail, number, text};

/// What is known of the plan's limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// When the limits that are used up start anew: milliseconds since the Unix epoch.
    resets_ms: Vec<u64>,
}

impl Limits {
    /// The account's limits as they are now.
    pub fn update(&mut self, told: &Value) -> Vec<Event> {
        self.resets_ms.clear();
        let mut events = Vec::new();
        for window in ["primary", "secondary"] {
            let Some(told) = told.get(window).filter(|told| told.is_object()) else { continue };
            let resets_ms = told
                .get("resetsAt")
                .and_then(Value::as_u64)
                .map(|seconds| seconds.saturating_mul(1000));
            let used = told.get("usedPercent").and_then(Value::as_f64).unwrap_or(0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to what a percentage can be"
            )]
            let percent = used.clamp(0.0, 100.0).round() as u8;
            if percent >= 100 {
                self.resets_ms.extend(resets_ms);
            }
            let name = match number(told, "/windowDurationMins") {
                0 => window.to_owned(),
                300 => "five_hour".to_owned(),
                10_080 => "seven_day".to_owned(),
                minutes => format!("{minutes}_minute"),
            };
            events.push(Event::Limit { resets_ms, percent: Some(percent), name });
        }
        events
    }

    /// When work may go on: when the last of the limits that are used up starts anew.
    fn resets_ms(&self) -> Option<u64> {
        self.resets_ms.iter().max().copied()
    }
}

/// Why a turn failed.
pub(super) fn failure(message: &str, info: &Value, limits: Option<(&Limits, u64)>) -> Failure {
    let kind = kind_of_info(info).or_else(|| text::kind_of_error(message));
    let kind = match kind.unwrap_or(FailureKind::Other) {
        FailureKind::Limit { resets_ms: None } => FailureKind::Limit {
            resets_ms: limits.and_then(|(limits, now_ms)| {
                limits.resets_ms().or_else(|| text::resets_ms(message, now_ms))
            }),
        },
        kind => kind,
    };
    let message = if message.is_empty() { "Codex failed without saying why." } else { message };
    fail(kind, message)
}

fn kind_of_info(info: &Value) -> Option<FailureKind> {
    let (name, status) = match info {
        Value::String(name) => (name.as_str(), None),
        Value::Object(fields) => {
            let (name, inner) = fields.iter().next()?;
            (name.as_str(), inner.get("httpStatusCode").and_then(Value::as_u64))
        }
        _ => return None,
    };
    Some(match name {
        "contextWindowExceeded" => FailureKind::Context,
        "usageLimitExceeded" | "rateLimitExceeded" => FailureKind::Limit { resets_ms: None },
        "sessionBudgetExceeded" => FailureKind::Billing,
        "serverOverloaded"
        | "flexUnavailable"
        | "internalServerError"
        | "policyCapacityUnavailable" => FailureKind::Overload,
        "modelNotFound" => FailureKind::ModelUnknown,
        "unauthorized" => FailureKind::Auth,
        "tooManyDenials" => FailureKind::Permission,
        "responseStreamDisconnected" => {
            status.and_then(text::kind_of_status).unwrap_or(FailureKind::Torn)
        }
        "httpConnectionFailed"
        | "responseStreamConnectionFailed"
        | "responseTooManyFailedAttempts" => {
            status.and_then(text::kind_of_status).unwrap_or(FailureKind::Network)
        }
        _ => return None,
    })
}

/// It tries again by itself: "Reconnecting... 2/5 (why)", "Reconnecting... waiting for network (why)".
/// `details` say why, if anything does.
pub(super) fn retrying(message: &str, details: &str) -> Event {
    let message = text::sentence(message);
    let because = message.strip_prefix("Reconnecting... ").unwrap_or(&message);
    let attempt = because.split_once('/').and_then(|(first, _)| first.trim().parse().ok());
    let because = match (attempt, because.split_once(" (")) {
        // What is in the brackets is why; the numbers have a place of their own.
        (Some(_), Some((_, why))) => why.strip_suffix(')').unwrap_or(why),
        (Some(_), None) if details.is_empty() => "the connection to the model broke",
        (Some(_), None) => details,
        (None, _) => because,
    };
    Event::Retrying { because: text::sentence(because), until_ms: None, attempt }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_come_before_words() {
        let check = |message: &str, info: Value, kind: FailureKind| {
            assert_eq!(failure(message, &info, None).kind, kind, "{info} {message}");
        };
        let limit = FailureKind::Limit { resets_ms: None };
        check("anything", json!("usageLimitExceeded"), limit);
        check("rate limit", json!("contextWindowExceeded"), FailureKind::Context);
        check(
            "x",
            json!({ "httpConnectionFailed": { "httpStatusCode": 503 } }),
            FailureKind::Overload,
        );
        check("x", json!({ "responseTooManyFailedAttempts": { "httpStatusCode": 429 } }), limit);
        check(
            "x",
            json!({ "responseStreamDisconnected": { "httpStatusCode": null } }),
            FailureKind::Torn,
        );
        check("Quota exceeded. Check your plan.", json!("other"), FailureKind::Billing);
        check("unexpected status 401 Unauthorized: x", Value::Null, FailureKind::Auth);
        check("something new", json!({ "brandNew": {} }), FailureKind::Other);
    }

    #[test]
    fn retries_say_why_and_which() {
        let check = |message: &str, because: &str, attempt: Option<u32>| {
            let expected = Event::Retrying { because: because.to_owned(), until_ms: None, attempt };
            assert_eq!(retrying(message, ""), expected);
        };
        check("Reconnecting... 2/5 (stream closed)", "stream closed", Some(2));
        check("Reconnecting... 1/5", "the connection to the model broke", Some(1));
        check(
            "Reconnecting... waiting for network (no route)",
            "waiting for network (no route)",
            None,
        );
        check("Falling back", "Falling back", None);
    }

    #[test]
    fn the_last_limit_that_is_used_up_counts() {
        let mut limits = Limits::default();
        let told = json!({
            "primary": { "usedPercent": 100, "windowDurationMins": 300, "resetsAt": 50 },
            "secondary": { "usedPercent": 41.6, "windowDurationMins": 10080, "resetsAt": 900 },
        });
        let events = limits.update(&told);
        assert_eq!(
            events[1],
            Event::Limit {
                resets_ms: Some(900_000),
                percent: Some(42),
                name: "seven_day".to_owned(),
            }
        );
        let failure = failure("You’ve hit it", &json!("usageLimitExceeded"), Some((&limits, 0)));
        assert_eq!(failure.kind, FailureKind::Limit { resets_ms: Some(50_000) });
    }
}
