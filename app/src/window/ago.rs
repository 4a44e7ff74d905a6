//! Times as people read them: short, and never jumping in width more than they must.

/// How long ago something was: `now`, `2m`, `3h`, `5d`.
#[must_use]
pub fn since(then_ms: u64, now_ms: u64) -> String {
    let minutes = now_ms.saturating_sub(then_ms) / 60_000;
    match minutes {
        0 => "now".to_owned(),
        1..60 => format!("{minutes}m"),
        60..2880 => format!("{}h", minutes / 60),
        _ => format!("{}d", minutes / 1440),
    }
}

/// How long something took: `850 ms`, `48 s`, `2 min 10 s`.
#[must_use]
pub fn took(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (ms, expected) in
            [(0, "now"), (59_999, "now"), (120_000, "2m"), (7_200_000, "2h"), (260_000_000, "3d")]
        {
            assert_eq!(since(1000, 1000 + ms), expected);
        }
        assert_eq!(since(5000, 1000), "now", "a clock that went back");
        for (ms, expected) in
            [(12, "12 ms"), (48_000, "48 s"), (130_000, "2 min 10 s"), (3_720_000, "1 h 2 min")]
        {
            assert_eq!(took(ms), expected);
        }
    }
}
