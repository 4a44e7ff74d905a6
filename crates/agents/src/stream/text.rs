//! Words for people out of what programs print, and kinds of failure out of words, for the programs
//! that tell nothing better.

use std::time::Duration;

use maestro_core::turn::FailureKind;
use serde_json::Value;

/// Most bytes kept of an answer's text.
pub(crate) const ANSWER: usize = 256 << 10;
/// Most bytes kept of a line that is not understood.
pub(crate) const RAW: usize = 4 << 10;
/// Most bytes kept of a tool's output.
pub(crate) const OUTPUT: usize = 4 << 10;
/// Most bytes of a summary or a sentence.
const LINE: usize = 400;

/// At most `most` bytes of a text, cut between characters, with an ellipsis where cut.
pub(crate) fn bounded(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// One line for people: no escape sequences, no control characters, no runs of blanks, not long.
pub(crate) fn sentence(text: &str) -> String {
    let plain = without_escapes(text);
    let words = plain
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    bounded(&words, LINE)
}

/// A tool's output for people: line breaks and tabs stay, other control characters go.
pub(crate) fn output(text: &str) -> String {
    // Cut before cleaning: the input may be megabytes long.
    let cut = bounded(text, OUTPUT);
    without_escapes(&cut).chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Without CSI, OSC and two-character escape sequences.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('[') => {
                let _ = chars.by_ref().find(|c| ('\x40'..='\x7e').contains(c));
            }
            Some(']' | 'P' | '_' | '^' | 'X') => {
                // Ends with BEL or ST; the backslash of ST goes with its ESC.
                let end = chars.by_ref().find(|c| matches!(c, '\x07' | '\x1b'));
                let _ = end.filter(|end| *end == '\x1b').and_then(|_| chars.next());
            }
            _ => {}
        }
    }
    plain
}

/// A tool's input on one line: the part of it that a person would want to see.
pub(crate) fn summary(input: &Value) -> String {
    const TELLING: &[&str] = &[
        "command",
        "file_path",
        "filePath",
        "path",
        "pattern",
        "query",
        "url",
        "description",
        "prompt",
        "name",
    ];
    let telling = TELLING.iter().find_map(|key| match input.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(words) => {
            Some(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    });
    let text = telling.unwrap_or_else(|| match input {
        Value::Null => String::new(),
        Value::Object(fields) if fields.is_empty() => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    sentence(&text)
}

/// The last line of standard error that says something.
pub(crate) fn last_words(stderr: &str) -> String {
    stderr
        .lines()
        .rev()
        .map(sentence)
        .find(|line| !line.is_empty() && !is_noise(line))
        .unwrap_or_default()
}

fn is_noise(line: &str) -> bool {
    line.starts_with("Reading additional input from stdin")
}

/// "90 s", "10 min", "2 h".
pub(crate) fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// What an HTTP status means for a turn.
pub(crate) fn kind_of_status(status: u64) -> Option<FailureKind> {
    match status {
        401 | 403 => Some(FailureKind::Auth),
        402 => Some(FailureKind::Billing),
        408 => Some(FailureKind::Network),
        413 => Some(FailureKind::Context),
        429 => Some(FailureKind::Limit { resets_ms: None }),
        500..=599 => Some(FailureKind::Overload),
        _ => None,
    }
}

/// What an error text of Codex or Droid means: neither has a field for it. Only ever applied to texts
/// that the program itself marked as an error, never to an answer, and the telling words stand where
/// the program puts them: prose that mentions limits is not a limit.
pub(crate) fn kind_of_error(text: &str) -> Option<FailureKind> {
    let text = sentence(text).to_lowercase().replace('’', "'");
    let text = text.as_str();
    let status = number_after(text, "unexpected status ")
        .or_else(|| number_after(text, "last status: "))
        .or_else(|| number_after(text, ""));
    if let Some(kind) = status.filter(|status| *status >= 400).and_then(kind_of_status) {
        return Some(kind);
    }
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&[
        "hit your usage limit",
        "hit your limit",
        "rate limit",
        "rate_limit",
        "too many requests",
    ]) {
        Some(FailureKind::Limit { resets_ms: None })
    } else if has(&["quota exceeded", "credit balance is too low", "billing", "insufficient_quota"])
    {
        Some(FailureKind::Billing)
    } else if has(&[
        "context window",
        "prompt is too long",
        "context_length_exceeded",
        "maximum context",
    ]) {
        Some(FailureKind::Context)
    } else if has(&[
        "authentication failed",
        "missing environment variable",
        "not logged in",
        "invalid api key",
        "invalid x-api-key",
        "please log in",
        "please run /login",
        "token has expired",
    ]) {
        Some(FailureKind::Auth)
    } else if has(&["overloaded", "at capacity", "internal server error"]) {
        Some(FailureKind::Overload)
    } else if has(&[
        "waiting for network",
        "stream disconnected",
        "error sending request",
        "connection refused",
        "connection reset",
        "connection closed",
        "unable to connect",
        "cannot connect",
        "econnrefused",
        "econnreset",
        "enotfound",
        "etimedout",
        "socket hang up",
        "network error",
        "timed out",
    ]) {
        Some(FailureKind::Network)
    } else if has(&[
        "model_not_found",
        "does not exist or you do not have access",
        "model not found",
    ]) {
        Some(FailureKind::ModelUnknown)
    } else {
        None
    }
}

/// What a program's last words on standard error mean when it said nothing on standard output.
pub(crate) fn kind_of_stderr(stderr: &str) -> Option<FailureKind> {
    let words = last_words(stderr).to_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    if has(&[
        "no rollout found",
        "session not found",
        "no conversation found",
        "requires a valid session id",
        "no session",
        "invalid session",
    ]) {
        Some(FailureKind::SessionMissing)
    } else if has(&[
        "cannot be used with root/sudo",
        "unknown option",
        "unexpected argument",
        "unrecognized",
        "unknown argument",
        "requires --verbose",
        "invalid value",
    ]) {
        Some(FailureKind::Unusable)
    } else if has(&["not inside a trusted directory"]) {
        Some(FailureKind::Permission)
    } else {
        kind_of_error(&words)
    }
}

/// The number that follows `lead`; with an empty lead, the number the text begins with.
fn number_after(text: &str, lead: &str) -> Option<u64> {
    let rest = if lead.is_empty() { text } else { &text[text.find(lead)? + lead.len()..] };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    // An HTTP status has three digits and ends there: "429 {…}", not "2024-11-22".
    let ends = rest.len() == 3 || rest[digits..].starts_with([' ', ':']);
    (digits == 3 && ends).then(|| rest[..digits].parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_one_harmless_line() {
        let check = |text: &str, expected: &str| assert_eq!(sentence(text), expected);
        check("\x1b[91m\x1b[1mError: \x1b[0mSession not found\n", "Error: Session not found");
        check("a\x1b]0;title\x07b\x1b]8;;x\x1b\\c", "abc");
        check("  many\t\tblanks\r\n here ", "many blanks here");
        check("\x1b", "");
        check("\x1b[", "");
        assert!(sentence(&"ü".repeat(1000)).len() <= LINE);
    }

    #[test]
    fn error_texts_have_kinds() {
        let limit = Some(FailureKind::Limit { resets_ms: None });
        let check =
            |text: &str, kind: Option<FailureKind>| assert_eq!(kind_of_error(text), kind, "{text}");
        check("exceeded retry limit, last status: 429 Too Many Requests", limit);
        check("You’ve hit your usage limit. Try again at 8:32 AM.", limit);
        check("unexpected status 401 Unauthorized: Incorrect API key", Some(FailureKind::Auth));
        check(
            "unexpected status 529 <unknown status code>: overloaded",
            Some(FailureKind::Overload),
        );
        check("429 {\"type\":\"error\"}", limit);
        check(
            "Reconnecting... waiting for network (Connection failed)",
            Some(FailureKind::Network),
        );
        check("4290 things", None);
        check("2024-11-22 all fine", None);
        check("429", limit);
    }
}
