//! Times of the day as the user's own clock shows them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time, as short as it can be said now: `05:00` within a day, `Mon 05:00` within a week, `12 Mar 05:00`.
#[must_use]
pub fn clock(ms: u64, now_ms: u64) -> String {
    clock_in(ms, now_ms, &TimeZone::system())
}

fn clock_in(ms: u64, now_ms: u64, zone: &TimeZone) -> String {
    let at = |ms: u64| {
        let ms = i64::try_from(ms).ok()?;
        Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()))
    };
    let (Some(time), Some(now)) = (at(ms), at(now_ms)) else { return "later".to_owned() };
    const DAY_MS: u64 = 86_400_000;
    let away = ms.abs_diff(now_ms);
    let format = if time.date() == now.date() || away < DAY_MS / 2 {
        "%H:%M"
    } else if away < 6 * DAY_MS {
        "%a %H:%M"
    } else {
        "%-d %b %H:%M"
    };
    time.strftime(format).to_string()
}

/// How long until then: `12 s`, `4 min`, `2 h 10 min`; `now` when it is over.
#[must_use]
pub fn left(ms: u64, now_ms: u64) -> String {
    let seconds = ms.saturating_sub(now_ms).div_ceil(1000);
    match seconds {
        0 => "now".to_owned(),
        1..100 => format!("{seconds} s"),
        100..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The number of the day since 1970, as the user's own clock has days.
#[must_use]
pub fn day(now_ms: u64) -> u64 {
    day_in(now_ms, &TimeZone::system())
}

fn day_in(now_ms: u64, zone: &TimeZone) -> u64 {
    let seconds = i64::try_from(now_ms / 1000).unwrap_or_default();
    let away = Timestamp::from_second(seconds).map_or(0, |at| zone.to_offset(at).seconds());
    u64::try_from(seconds + i64::from(away)).unwrap_or_default() / 86_400
}

/// Date, time and weekday of an instant, each as a word: `2026-03-12`, `05:00`, `Thursday`.
#[must_use]
pub fn date_time_weekday(now_ms: u64) -> Option<(String, String, String)> {
    let now = Timestamp::from_millisecond(i64::try_from(now_ms).ok()?).ok()?;
    let now = now.to_zoned(TimeZone::system());
    let said = |format: &str| now.strftime(format).to_string();
    Some((said("%Y-%m-%d"), said("%H:%M"), said("%A")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_here() {
        let hour = 3_600_000;
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (ms, expected) in [(0, 0), (21 * hour, 0), (22 * hour, 1), (46 * hour, 2)] {
            assert_eq!(day_in(ms, &zone), expected, "{ms}");
        }
        let west = TimeZone::fixed(jiff::tz::offset(-3));
        assert_eq!((day_in(0, &west), day_in(3 * hour + 24 * hour, &west)), (0, 1));
    }

    #[test]
    fn a_limit_ends_by_the_users_own_clock() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        // 2025-10-09 08:53:20 UTC.
        let now = 1_760_000_000_000;
        let hours = |hours: u64| now + hours * 3_600_000;
        for (ms, expected) in [
            (hours(1), "11:53"),
            (hours(18), "Fri 04:53"),
            (hours(80), "Sun 18:53"),
            (hours(24 * 20), "29 Oct 10:53"),
            (u64::MAX, "later"),
        ] {
            assert_eq!(clock_in(ms, now, &zone), expected);
        }
    }

    #[test]
    fn a_countdown_is_short() {
        for (ms, expected) in [
            (0, "now"),
            (1, "1 s"),
            (12_000, "12 s"),
            (240_000, "4 min"),
            (7_800_000, "2 h 10 min"),
        ] {
            assert_eq!(left(5000 + ms, 5000), expected);
        }
        assert_eq!(left(1, 5000), "now");
    }
}
