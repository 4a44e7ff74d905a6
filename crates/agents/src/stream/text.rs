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
    } else if text.contains("stream disconnected before completion")
        && !has(&["error sending request", "connection refused", "connect error", "dns error"])
    {
        Some(FailureKind::Torn)
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

/// When work may go on, out of the words about a limit: "try again at 8:32 AM" (local time), "resets
/// 8:28am (UTC)", "try again at Nov 25th, 2026 8:32 AM", "try again in 2 days 3 hours 5 minutes".
/// Milliseconds since the Unix epoch; `None` when they say nothing of the kind.
pub(crate) fn resets_ms(text: &str, now_ms: u64) -> Option<u64> {
    resets_in(text, now_ms, jiff::tz::TimeZone::system())
}

/// The same, from now on.
pub(crate) fn resets_from_now(text: &str) -> Option<u64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    resets_ms(text, u64::try_from(now.as_millis()).ok()?)
}

fn resets_in(text: &str, now_ms: u64, zone: jiff::tz::TimeZone) -> Option<u64> {
    let text = sentence(text).to_lowercase();
    let now = jiff::Timestamp::from_millisecond(i64::try_from(now_ms).ok()?).ok()?;
    if let Some((_, rest)) = text.split_once("try again in ") {
        let after = span(rest)?;
        return Some(now_ms.saturating_add(after));
    }
    let rest = ["try again at ", "resets at ", "resets "]
        .iter()
        .find_map(|lead| text.split_once(lead).map(|(_, rest)| rest))?;
    let pattern = regex::Regex::new(
        r"^(?:(?P<month>[a-z]{3})[a-z]* (?P<day>\d{1,2})(?:st|nd|rd|th)?(?:, (?P<year>\d{4}))?,? (?:at )?)?(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>am|pm)?\.?(?: \((?P<zone>[^)]+)\))?",
    )
    .ok()?;
    let found = pattern.captures(rest)?;
    let number = |name: &str| found.name(name).and_then(|part| part.as_str().parse::<i8>().ok());
    let hour = match (number("hour")?, found.name("half").map(|half| half.as_str())) {
        (12, Some("am")) => 0,
        (hour, Some("pm")) if hour < 12 => hour + 12,
        (hour, _) => hour,
    };
    let zone = match found.name("zone").map(|zone| zone.as_str()) {
        Some("utc" | "gmt") => jiff::tz::TimeZone::UTC,
        // Lower case does not matter to the database of zones.
        Some(name) => jiff::tz::TimeZone::get(name).unwrap_or(zone),
        None => zone,
    };
    let here = now.to_zoned(zone.clone());
    let clock = jiff::civil::Time::new(hour, number("minute").unwrap_or(0), 0, 0).ok()?;
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month = found.name("month").and_then(|name| {
        let at = MONTHS.iter().position(|month| *month == name.as_str())?;
        i8::try_from(at + 1).ok()
    });
    let date = match (month, number("day")) {
        (Some(month), Some(day)) => {
            let year = found.name("year").and_then(|year| year.as_str().parse().ok());
            jiff::civil::Date::new(year.unwrap_or(here.year()), month, day).ok()?
        }
        // A time is told without its seconds, so a reset in this very minute reads like one that was
        // a moment ago: a day later would be a day lost.
        _ if clock <= here.time()
            && clock.duration_until(here.time()) < jiff::SignedDuration::from_mins(5) =>
        {
            let due = here.date().to_datetime(clock).to_zoned(zone).ok()?;
            let due = u64::try_from(due.timestamp().as_millisecond()).ok()?;
            return Some(due.saturating_add(60_000).max(now_ms.saturating_add(1_000)));
        }
        // The next time that the clock shows it.
        _ if clock > here.time() => here.date(),
        _ => here.date().tomorrow().ok()?,
    };
    let then = date.to_datetime(clock).to_zoned(zone).ok()?;
    u64::try_from(then.timestamp().as_millisecond()).ok()
}

/// "2 days 3 hours 5 minutes" in milliseconds.
fn span(text: &str) -> Option<u64> {
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty() && *word != "and");
    let mut sum: u64 = 0;
    while let (Some(count), Some(unit)) = (words.next(), words.next()) {
        let Ok(count) = count.parse::<u64>() else { break };
        let seconds: u64 = match unit.trim_end_matches('.').trim_end_matches('s') {
            "day" => 86_400,
            "hour" => 3600,
            "minute" | "min" => 60,
            "second" | "sec" => 1,
            _ => break,
        };
        sum = sum.checked_add(count.checked_mul(seconds)?.checked_mul(1000)?)?;
    }
    (sum > 0).then_some(sum)
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

    #[test]
    fn times_of_a_reset_are_read() {
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("the database has it");
        let now: jiff::Timestamp = "2026-11-22T16:00:00Z".parse().expect("a time");
        let now = u64::try_from(now.as_millisecond()).expect("after the epoch");
        let check = |text: &str, expected: Option<&str>| {
            let expected = expected.map(|time| {
                let time: jiff::Timestamp = time.parse().expect("a time");
                u64::try_from(time.as_millisecond()).expect("after the epoch")
            });
            assert_eq!(resets_in(text, now, zone.clone()), expected, "{text}");
        };
        check("hit your usage limit. Try again at 8:32 AM.", Some("2026-11-23T07:32:00Z"));
        check("or try again at 8:32 PM.", Some("2026-11-22T19:32:00Z"));
        check("You've hit your limit · resets 8:28am (UTC)", Some("2026-11-23T08:28:00Z"));
        check("limit · resets 4pm (Europe/Berlin)", Some("2026-11-23T15:00:00Z"));
        // In this minute, a moment ago, and a while ago.
        check("limit · resets 5pm (Europe/Berlin)", Some("2026-11-22T16:01:00Z"));
        check("or try again at 4:58 PM.", Some("2026-11-22T16:00:01Z"));
        check("or try again at 4:50 PM.", Some("2026-11-23T15:50:00Z"));
        check("limit · resets Nov 25 at 5pm (UTC)", Some("2026-11-25T17:00:00Z"));
        check("try again at Nov 25th, 2026 8:32 AM.", Some("2026-11-25T07:32:00Z"));
        check("try again in 1 day 2 hours 3 minutes.", Some("2026-11-23T18:03:00Z"));
        check("try again in 45 minutes", Some("2026-11-22T16:45:00Z"));
        check("try again in a while", None);
        check("try again later", None);
        check("try again at 99:99 AM", None);
        check("", None);
    }
}
