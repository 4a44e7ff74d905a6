//! What went wrong, from the errors of the protocol. Fields decide; the message is only read where the
//! program puts everything into it.

use maestro_core::agent::Provider;
use maestro_core::turn::{Failure, FailureKind};
use serde_json::Value;

use crate::stream::{Ended, Exit, fail, string, text};

/// The protocol's own codes.
const AUTH_REQUIRED: i64 = -32000;
const NOT_FOUND: i64 = -32002;

/// What an error means, `opening` a stored session or anywhere else.
pub(super) fn of(provider: Provider, error: &Value, opening: bool, login: Option<&str>) -> Failure {
    let message = message(error);
    let code = error.get("code").and_then(Value::as_i64);
    let told = error
        .pointer("/data/failure")
        .filter(|_| provider == Provider::Demo)
        .and_then(|kind| serde_json::from_value::<FailureKind>(kind.clone()).ok());
    let kind = told
        .or(match code {
            Some(AUTH_REQUIRED) => Some(FailureKind::Auth),
            Some(NOT_FOUND) if opening => Some(FailureKind::SessionMissing),
            // Gemini CLI puts the status of the model's service here.
            Some(code) => u64::try_from(code).ok().and_then(text::kind_of_status),
            None => None,
        })
        .or_else(|| named(error.get("data")?))
        .or_else(|| opening.then(|| missing(error, &message)).flatten())
        .or_else(|| by_words(&message));
    let message = match (kind, login) {
        (Some(FailureKind::Auth), Some(login))
            if code == Some(AUTH_REQUIRED) && !message.contains(login) =>
        {
            format!("{} {login}.", message.trim_end_matches('.').to_owned() + ":")
        }
        _ => message,
    };
    fail(kind.unwrap_or(FailureKind::Other), text::sentence(&message))
}

/// What Copilot CLI says of a failure: it ends the turn as if all were well, after a piece of the answer
/// that is its own. Only to be asked where the model itself wrote nothing.
pub(super) fn own_words(provider: Provider, piece: &str) -> Option<Failure> {
    let words = piece.strip_prefix("Error: ").filter(|_| provider == Provider::Copilot)?;
    let kind = by_words(words).unwrap_or(FailureKind::Other);
    Some(fail(kind, text::sentence(words)))
}

/// Whether a piece of an answer is Copilot CLI's whole word for trying again.
pub(super) fn is_retry(provider: Provider, piece: &str) -> bool {
    provider == Provider::Copilot
        && piece == "Info: Request failed due to a transient API error. Retrying..."
}

/// The most telling text of an error.
fn message(error: &Value) -> String {
    let short = string(error, "/message");
    // Gemini CLI hands on what the service answered, whole.
    if let Ok(inner) = serde_json::from_str::<Value>(short) {
        let inner = string(&inner, "/error/message");
        if !inner.is_empty() {
            return text::sentence(inner);
        }
    }
    let long =
        ["/data/message", "/data/details", "/data/error/message", "/data/data/message", "/data"]
            .into_iter()
            .map(|pointer| string(error, pointer))
            .find(|text| !text.is_empty())
            .unwrap_or_default();
    let text = match (short, long) {
        ("", "") => "The program reported an error without a word about it.".to_owned(),
        (short, "") => short.strip_prefix("Internal error: ").unwrap_or(short).to_owned(),
        // The general words of the protocol say nothing beside the program's own.
        (short, long) if short.starts_with("Internal error") => long.to_owned(),
        (short, long) if short.contains(long) => short.to_owned(),
        (short, long) => format!("{short}: {long}"),
    };
    text::sentence(&text)
}

/// A kind by a status or by the name of an error, wherever the program has it.
fn named(data: &Value) -> Option<FailureKind> {
    const STATUS: [&str; 8] = [
        "/statusCode",
        "/status",
        "/code",
        "/data/statusCode",
        "/error/statusCode",
        "/error/status",
        "/error/code",
        "/error/data/statusCode",
    ];
    const NAME: [&str; 7] =
        ["/name", "/errorName", "/errorType", "/type", "/error/name", "/error/type", "/kind"];
    // What OpenCode says about a model that it does not have.
    if !string(data, "/modelId").is_empty() {
        return Some(FailureKind::ModelUnknown);
    }
    let status = STATUS.iter().find_map(|at| data.pointer(at)?.as_u64());
    status.and_then(text::kind_of_status).or_else(|| {
        NAME.iter().find_map(|at| match string(data, at) {
            "ProviderAuthError" | "authentication" | "AuthenticationError" => {
                Some(FailureKind::Auth)
            }
            "ContextOverflowError" | "context_limit" => Some(FailureKind::Context),
            "rate_limit" | "RateLimitError" => Some(FailureKind::Limit { resets_ms: None }),
            "quota" | "billing" => Some(FailureKind::Billing),
            "ProviderModelNotFoundError" | "ModelNotFoundError" => Some(FailureKind::ModelUnknown),
            _ => None,
        })
    })
}

/// OpenCode, which has a status for every error, tells it in its one-shot stream but not here: only the
/// sentence of the model's service is left. It is never part of an answer.
fn by_words(message: &str) -> Option<FailureKind> {
    let said = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    text::kind_of_error(message).or_else(|| {
        if has(&["incorrect api key", "invalid api key", "unauthorized", "authentication"]) {
            Some(FailureKind::Auth)
        } else if has(&["exceeded your current quota", "credit balance"]) {
            Some(FailureKind::Billing)
        } else {
            None
        }
    })
}

/// Whether a session that was to be opened is not there, by the little that is told.
fn missing(error: &Value, message: &str) -> Option<FailureKind> {
    // OpenCode's whole answer to an id that it does not know.
    if string(error, "/data/service") == "session" {
        return Some(FailureKind::SessionMissing);
    }
    let message = message.to_lowercase();
    let words = ["not found", "no session", "invalid session", "does not exist", "no such session"];
    words.iter().any(|word| message.contains(word)).then_some(FailureKind::SessionMissing)
}

/// Why a turn is over whose program is gone; `torn` when it left in the middle of a line.
pub(super) fn gone(provider: Provider, exit: &Exit, torn: bool) -> Failure {
    let title = provider.title();
    match &exit.ended {
        Ended::ByItself => {}
        Ended::Silent(_) => {
            return fail(FailureKind::Silent, format!("{title} said nothing for too long."));
        }
        _ => return fail(FailureKind::Interrupted, "The turn was stopped."),
    }
    let words = text::last_words(&exit.stderr);
    if let Some(kind) = text::kind_of_stderr(&exit.stderr) {
        return fail(kind, words);
    }
    let (kind, how) = match (exit.signal, exit.code) {
        _ if torn => (FailureKind::Torn, "broke off in the middle of its answer".to_owned()),
        (Some(signal), _) => (FailureKind::Crashed, format!("was killed by signal {signal}")),
        (None, Some(0)) => (FailureKind::Torn, "left in the middle of the turn".to_owned()),
        (None, Some(code)) => {
            (FailureKind::Crashed, format!("ended with exit code {code} in the middle of the turn"))
        }
        (None, None) => (FailureKind::Crashed, "ended in an unknown way".to_owned()),
    };
    if words.is_empty() {
        fail(kind, format!("{title} {how}."))
    } else {
        fail(kind, format!("{title} {how}: {words}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_come_from_fields_first() {
        let check = |error: Value, opening: bool, kind: FailureKind| {
            let failure = of(Provider::OpenCode, &error, opening, None);
            assert_eq!(failure.kind, kind, "{error}: {failure}");
            assert!(!failure.message.is_empty());
        };
        let limit = FailureKind::Limit { resets_ms: None };
        check(
            json!({ "code": -32000, "message": "Authentication required" }),
            false,
            FailureKind::Auth,
        );
        check(json!({ "code": 429, "message": "x" }), false, limit);
        check(
            json!({ "code": -32603, "message": "x", "data": { "statusCode": 401 } }),
            false,
            FailureKind::Auth,
        );
        check(
            json!({ "code": -32603, "message": "x", "data": { "name": "ContextOverflowError" } }),
            false,
            FailureKind::Context,
        );
        check(
            json!({ "code": -32602, "message": "Session not found: x" }),
            true,
            FailureKind::SessionMissing,
        );
        check(json!({ "code": -32602, "message": "File not found: x" }), false, FailureKind::Other);
        check(
            json!({ "code": -32603, "message": "Internal error: Agent error", "data": "Request timed out." }),
            false,
            FailureKind::Network,
        );
        let said = |words: &str| {
            let data = json!({ "service": "session", "errorName": "APIError" });
            json!({ "code": -32603, "message": format!("Internal error: {words}"), "data": data })
        };
        check(said("Rate limit reached for requests."), false, limit);
        check(said("Incorrect API key provided: sk-fake."), false, FailureKind::Auth);
        check(said("OpenCode service failure"), true, FailureKind::SessionMissing);
        check(
            json!({ "code": -32602, "message": "x", "data": { "providerId": "p", "modelId": "m" } }),
            false,
            FailureKind::ModelUnknown,
        );
        let inner = r#"{"error":{"code":401,"message":"Bad credentials."}}"#;
        let gemini = json!({ "code": 401, "message": inner });
        assert_eq!(
            of(Provider::Gemini, &gemini, false, Some("log in")).message,
            "Bad credentials."
        );
        check(json!({}), false, FailureKind::Other);
        check(json!(null), false, FailureKind::Other);
        // Only our own agent may say what we are to think of it.
        check(
            json!({ "code": 1, "message": "x", "data": { "failure": "billing" } }),
            false,
            FailureKind::Other,
        );
    }

    #[test]
    fn copilots_own_words_are_failures() {
        let check = |words: &str, kind: Option<FailureKind>| {
            let failure = own_words(Provider::Copilot, words);
            assert_eq!(failure.map(|failure| failure.kind), kind, "{words}");
        };
        check(
            "Error: Failed to get response from the AI model; retried 5 times (total retry wait time: \
             5.51 seconds) Last error: 429 Rate limit reached for requests.",
            Some(FailureKind::Limit { resets_ms: None }),
        );
        let refused = "Error: Authentication failed with provider at http://x/v1 (HTTP 401).";
        check(refused, Some(FailureKind::Auth));
        check("Error: Something.", Some(FailureKind::Other));
        check("An Error: of yours", None);
        assert_eq!(own_words(Provider::OpenCode, refused), None);
    }

    #[test]
    fn the_way_to_log_in_is_named() {
        let error = json!({ "code": -32000, "message": "Authentication required" });
        let failure = of(Provider::Copilot, &error, true, Some("run `copilot login`"));
        assert_eq!(failure.message, "Authentication required: run `copilot login`.");
    }
}
