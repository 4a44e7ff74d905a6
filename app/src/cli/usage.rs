//! `maestro usage`: what turns consumed.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maestro_core::usage::{self, Sum};
use maestro_protocol::message::{Command, Reply};
use serde_json::json;

use super::Host;
use super::failure::{Result, unexpected};
use super::output::{Out, now_ms};

/// What turns consumed, by the providers' own figures; estimates are by list prices.
#[derive(Debug, Args)]
pub struct Usage {
    /// What is added up.
    #[arg(long, value_enum, default_value_t = By::Day)]
    by: By,
    /// Only from then on: a day (2026-11-22, in your time zone) or how long ago (12h, 7d, 4w).
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<u64>,
}

/// What usage is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    Day,
    Agent,
    Tab,
    Model,
    Provider,
}

impl By {
    fn known(self) -> usage::By {
        match self {
            Self::Day => usage::By::Day,
            Self::Agent => usage::By::Agent,
            Self::Tab => usage::By::Tab,
            Self::Model => usage::By::Model,
            Self::Provider => usage::By::Provider,
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Agent => "AGENT",
            Self::Tab => "CONVERSATION",
            Self::Model => "MODEL",
            Self::Provider => "PROVIDER",
        }
    }
}

pub fn run(arguments: Usage, out: &mut Out) -> Result<()> {
    let Usage { by, since } = arguments;
    let command = Command::ReadUsage { by: by.known(), since_ms: since };
    let sums = match Host::on_demand()?.ask(command)? {
        Reply::Usage(sums) => sums,
        other => return Err(unexpected(&other)),
    };
    if out.json {
        return out.value(&json!(sums));
    }
    let mut rows: Vec<Vec<String>> = sums.iter().map(row).collect();
    if sums.len() > 1 {
        rows.push(row(&total(&sums)));
    }
    out.table(
        &[by.heading(), "TURNS", "INPUT", "CACHED", "OUTPUT", "COST", "ESTIMATED"],
        &rows,
        "no turn has ended yet: `maestro agent send NAME WORDS` begins one",
    )
}

fn total(sums: &[Sum]) -> Sum {
    let all = Sum {
        of: "total".to_owned(),
        turns: 0,
        usage: maestro_core::turn::Usage::default(),
        estimated_usd: Some(0.0),
    };
    sums.iter().fold(all, |all, sum| Sum {
        of: all.of,
        turns: all.turns + sum.turns,
        usage: usage::sum(&all.usage, &sum.usage),
        estimated_usd: all.estimated_usd.zip(sum.estimated_usd).map(|(one, other)| one + other),
    })
}

fn row(sum: &Sum) -> Vec<String> {
    let cost = sum.usage.cost_usd.map(|usd| format!("${usd:.2}"));
    let estimated = match sum.estimated_usd {
        None => "price not known".to_owned(),
        Some(usd) if usd < 0.005 => String::new(),
        Some(usd) => format!("~${usd:.2}"),
    };
    vec![
        sum.of.clone(),
        sum.turns.to_string(),
        grouped(sum.usage.input_tokens),
        grouped(sum.usage.cached_tokens),
        grouped(sum.usage.output_tokens),
        cost.unwrap_or_default(),
        estimated,
    ]
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A time: milliseconds since the Unix epoch.
pub(super) fn since(text: &str) -> std::result::Result<u64, String> {
    let wrong = || format!("`{text}` is no time: expected a day (2026-11-22), or 12h, 7d or 4w");
    if let Ok(day) = text.parse::<Date>() {
        let begins = day.to_zoned(TimeZone::system()).map_err(|_| wrong())?;
        return u64::try_from(begins.timestamp().as_millisecond()).map_err(|_| wrong());
    }
    let unit = text.chars().last().ok_or_else(wrong)?;
    let hours = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 7 * 24,
        _ => return Err(wrong()),
    };
    let count: u64 = text.trim_end_matches(unit).parse().map_err(|_| wrong())?;
    let ago = count.checked_mul(hours * 3600).map(Duration::from_secs).ok_or_else(wrong)?;
    Ok(now_ms().saturating_sub(u64::try_from(ago.as_millis()).map_err(|_| wrong())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")]
        {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn times_are_days_or_how_long_ago() {
        let day = since("2026-11-22").expect("a day");
        assert!(day.abs_diff(1_795_305_600_000) <= 14 * 3_600_000, "{day}");
        let ago = now_ms() - since("7d").expect("a week");
        assert!(ago.abs_diff(7 * 24 * 3_600_000) < 60_000, "{ago}");
        assert!(since("2h").expect("hours") > since("1d").expect("a day"));
        assert_eq!(since("99999999w"), Ok(0), "longer ago than time is");
        for wrong in ["", "d", "7", "7x", "-1d", "2026-13-01", "yesterday", "99999999999999999999h"]
        {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
