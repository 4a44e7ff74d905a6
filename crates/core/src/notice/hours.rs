//! Hours of the day, such as `22:00-07:00`.

use std::fmt;
use std::str::FromStr;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// From one minute of the day until before another; over midnight where the second is not after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from: u16,
    until: u16,
}

/// A text that names no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hours of the day are written as 22:00-07:00")]
pub struct NoHours;

impl Hours {
    /// Whether a minute of the day lies within them. The same time twice is the whole day.
    #[must_use]
    pub fn contain(self, minute: u16) -> bool {
        let Self { from, until } = self;
        if from < until {
            (from..until).contains(&minute)
        } else {
            minute >= from || minute < until
        }
    }
}

impl FromStr for Hours {
    type Err = NoHours;

    fn from_str(text: &str) -> Result<Self, NoHours> {
        let (from, until) = text.split_once(['-', '–']).ok_or(NoHours)?;
        Ok(Self { from: minute(from)?, until: minute(until)? })
    }
}

fn minute(text: &str) -> Result<u16, NoHours> {
    let (hour, minute) = text.trim().split_once(':').ok_or(NoHours)?;
    let number = |text: &str| {
        let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u16>().map_err(|_| NoHours) } else { Err(NoHours) }
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    if minute >= 60 || hour * 60 + minute > DAY {
        return Err(NoHours);
    }
    Ok((hour * 60 + minute) % DAY)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_and_hold_over_midnight() {
        for (text, minute, inside) in [
            ("22:00-07:00", 23 * 60, true),
            ("22:00-07:00", 6 * 60 + 59, true),
            ("22:00-07:00", 7 * 60, false),
            ("9:30 - 17:00", 9 * 60 + 30, true),
            ("9:30 – 17:00", 17 * 60, false),
            ("00:00-24:00", 12 * 60, true),
            ("12:00-12:00", 0, true),
        ] {
            let hours: Hours = text.parse().expect(text);
            assert_eq!(hours.contain(minute), inside, "{text} {minute}");
        }
        for text in ["", "22:00", "22-07", "25:00-01:00", "1:60-2:00", "24:01-1:00", "+1:00-2:00"] {
            assert_eq!(text.parse::<Hours>(), Err(NoHours), "{text}");
        }
        assert_eq!(
            "7:05-22:00".parse::<Hours>().map(|hours| hours.to_string()),
            Ok("07:05-22:00".into())
        );
    }
}
