//! Times as the providers write them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch of a time like `2026-11-22T07:28:56.867Z` or `…+01:00` (RFC 3339);
/// `None` for anything else and for times before the epoch.
pub(super) fn of(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let at = |index: usize, any: &[u8]| bytes.get(index).is_some_and(|byte| any.contains(byte));
    if !(at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut milliseconds = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let first: String = fraction[..digits.min(3)].to_owned() + "00";
        milliseconds = first.get(..3)?.parse::<i64>().ok()?;
        rest = &fraction[digits..];
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let base = text.len() - rest.len();
            let minutes = number(base + 1, base + 3)? * 60 + number(base + 4, base + 6)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59);
    u64::try_from((seconds - offset * 60) * 1000 + milliseconds).ok()
}

/// Days from the Unix epoch to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the day that some have more comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Milliseconds since the Unix epoch.
pub(super) fn of_system(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(of("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(of("2026-11-22T07:28:56.867Z"), Some(1_795_332_536_867));
        assert_eq!(of("2026-11-22T08:28:56.867+01:00"), Some(1_795_332_536_867));
        assert_eq!(of("2026-11-22T07:28:56.8674321Z"), Some(1_795_332_536_867));
        assert_eq!(of("2024-02-29T12:00:00-05:30"), Some(1_709_227_800_000));
        for not in [
            "",
            "2026-11-22",
            "2026-13-22T07:28:56Z",
            "2026-11-22T07:28:56",
            "1900-01-01T00:00:00Z",
            "2026-11-22T07:2ä:56Z",
        ] {
            assert_eq!(of(not), None, "{not}");
        }
    }
}
