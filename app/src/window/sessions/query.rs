//! What is typed into the session browser: words to look for, and fields that narrow it down.

use std::path::{Path, PathBuf};

use maestro_core::agent::Provider;
use maestro_core::session::Filter;

/// A day in milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What a query asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Which sessions.
    pub filter: Filter,
    /// Whether what tools printed is looked through, too.
    pub tools: bool,
    /// Fields that mean nothing, as they were typed.
    pub wrong: Vec<String>,
}

/// Reads a query. A word is looked for unless it is a field: `provider:`, `in:`, `branch:`, `tag:`,
/// `since:` and `until:` with a date or so many days ago (`7d`), `is:starred`, `is:trashed`, `in:here` and
/// `tools:`. Quotes keep blanks together. `here` is the directory one is in, `home` the one of the user.
#[must_use]
pub fn read(text: &str, now_ms: u64, here: Option<&Path>, home: Option<&Path>) -> Asked {
    let mut asked = Asked::default();
    let mut words: Vec<String> = Vec::new();
    for (word, quoted) in split(text) {
        match word.split_once(':').filter(|_| !quoted) {
            Some((field, value)) => {
                match set(&mut asked, field, value, now_ms, here, home) {
                    Some(()) => {}
                    // A field that nobody knows is a word: `std::mem`, `http://x`.
                    None if FIELDS.contains(&field) => asked.wrong.push(word),
                    None => words.push(word),
                }
            }
            None => words.push(word),
        }
    }
    asked.filter.words = words.join(" ");
    asked
}

const FIELDS: [&str; 8] = ["provider", "in", "branch", "tag", "since", "until", "is", "tools"];

fn set(
    asked: &mut Asked,
    field: &str,
    value: &str,
    now_ms: u64,
    here: Option<&Path>,
    home: Option<&Path>,
) -> Option<()> {
    let filter = &mut asked.filter;
    match field {
        "provider" => {
            // One is being typed letter by letter; what it begins with is enough.
            let begins =
                |provider: &Provider| !value.is_empty() && provider.name().starts_with(value);
            let meant: Vec<Provider> = Provider::ALL.into_iter().filter(begins).collect();
            if meant.is_empty() {
                return None;
            }
            filter.providers.extend(meant);
        }
        "in" => {
            let directory = match value.strip_prefix("~/") {
                _ if value == "here" => here?.to_owned(),
                _ if value == "~" => home?.to_owned(),
                Some(below) => home?.join(below),
                None if Path::new(value).is_absolute() => PathBuf::from(value),
                None if value.is_empty() => return None,
                None => here?.join(value),
            };
            filter.directory = Some(directory);
        }
        "branch" if !value.is_empty() => filter.branch = Some(value.to_owned()),
        "tag" if !value.is_empty() => filter.tag = Some(value.to_owned()),
        "since" => filter.since_ms = Some(time(value, now_ms)?),
        "until" => filter.until_ms = Some(time(value, now_ms)?),
        "is" if value == "starred" => filter.starred = true,
        "is" if value == "trashed" => filter.trashed = true,
        "tools" if matches!(value, "" | "yes") => asked.tools = true,
        _ => return None,
    }
    Some(())
}

/// `7d` (so many days ago), or `2026-11-22` (its first moment, UTC).
fn time(text: &str, now_ms: u64) -> Option<u64> {
    if let Some(days) = text.strip_suffix('d') {
        let days: u64 = days.parse().ok()?;
        return Some(now_ms.saturating_sub(days.saturating_mul(DAY_MS)));
    }
    let mut parts = text.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let known = (1970..=9999).contains(&year) && (1..=12).contains(&month);
    if parts.next().is_some() || !known || !(1..=31).contains(&day) {
        return None;
    }
    Some(days(year, month, day) * DAY_MS)
}

/// Days from the Unix epoch to a date of the Gregorian calendar (H. Hinnant's `days_from_civil`).
fn days(year: u64, month: u64, day: u64) -> u64 {
    // Years begin in March, so that the day that comes and goes is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The words of a text, and whether they were in quotes.
fn split(text: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let (mut word, mut inside, mut quoted) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => {
                // `in:"My Files"` is a field, `"in: x"` is not.
                quoted |= !inside && word.is_empty();
                inside = !inside;
            }
            c if c.is_whitespace() && !inside => {
                if !word.is_empty() {
                    words.push((std::mem::take(&mut word), quoted));
                }
                quoted = false;
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push((word, quoted));
    }
    words
}

/// A query with a field set to another value, or without it.
#[must_use]
pub fn with(text: &str, field: &str, value: Option<&str>) -> String {
    let prefix = format!("{field}:");
    let kept =
        split(text).into_iter().filter(|(word, quoted)| *quoted || !word.starts_with(&prefix));
    let mut words: Vec<String> = kept.map(|(word, quoted)| requoted(&word, quoted)).collect();
    words.extend(value.map(|value| requoted(&format!("{prefix}{value}"), false)));
    let mut text = words.join(" ");
    if !text.is_empty() {
        // One goes on typing behind it.
        text.push(' ');
    }
    text
}

fn requoted(word: &str, quoted: bool) -> String {
    if quoted {
        return format!("\"{word}\"");
    }
    match word.split_once(':').filter(|_| word.contains(char::is_whitespace)) {
        Some((field, value)) => format!("{field}:\"{value}\""),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 20_779 * DAY_MS + 5;

    fn asked(text: &str) -> Asked {
        read(text, NOW, Some(Path::new("/src/shop")), Some(Path::new("/home/me")))
    }

    #[test]
    fn fields_narrow_and_words_are_looked_for() {
        let got = asked("flaky provider:co test in:here branch:main is:starred since:7d tools:");
        let expected = Filter {
            words: "flaky test".into(),
            providers: vec![Provider::Codex],
            directory: Some("/src/shop".into()),
            branch: Some("main".into()),
            since_ms: Some(NOW - 7 * DAY_MS),
            starred: true,
            ..Filter::default()
        };
        let providers = got.filter.providers.clone();
        assert!(providers.contains(&Provider::Codex), "{providers:?}");
        assert_eq!(Filter { providers: vec![Provider::Codex], ..got.filter }, expected);
        assert!(got.tools && got.wrong.is_empty());
    }

    #[test]
    fn what_looks_like_a_field_and_is_none_is_a_word() {
        assert_eq!(asked("std::mem http://x").filter.words, "std::mem http://x");
        assert_eq!(asked("\"in: here\"").filter.words, "in: here");
        assert_eq!(asked("since:soon is:odd").wrong, ["since:soon", "is:odd"]);
        assert_eq!(asked("provider:").wrong, ["provider:"]);
    }

    #[test]
    fn directories_are_found_from_where_one_is() {
        for (text, expected) in [
            ("in:api", "/src/shop/api"),
            ("in:/tmp", "/tmp"),
            ("in:~/x", "/home/me/x"),
            ("in:~", "/home/me"),
            ("in:\"/My Files\"", "/My Files"),
        ] {
            assert_eq!(
                asked(text).filter.directory.as_deref(),
                Some(Path::new(expected)),
                "{text}"
            );
        }
    }

    #[test]
    fn dates_are_days() {
        assert_eq!(time("1970-01-01", NOW), Some(0));
        assert_eq!(time("2000-02-29", NOW), Some(951_782_400_000));
        assert_eq!(time("2026-11-22", NOW), Some(20_779 * DAY_MS));
        for text in ["2026-13-01", "2026-11", "2026-11-22-1", "-1-1", "x"] {
            assert_eq!(time(text, NOW), None, "{text}");
        }
    }

    #[test]
    fn a_field_is_set_changed_and_taken_out() {
        assert_eq!(with("flaky", "provider", Some("codex")), "flaky provider:codex ");
        assert_eq!(
            with("provider:codex flaky", "provider", Some("claude")),
            "flaky provider:claude "
        );
        assert_eq!(with("provider:codex", "provider", None), "");
        assert_eq!(with("\"a b\"", "in", Some("/My Files")), "\"a b\" in:\"/My Files\" ");
    }
}
