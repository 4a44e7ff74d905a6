//! Identities. Each is a small number with a letter in front when shown (`a3`, `t7`, `r2`), so that a
//! person can type it on a command line. The host hands them out and never gives one out twice.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: expected `{letter}` and a number, such as {letter}3")]
pub struct ParseIdError {
    text: String,
    letter: char,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $letter, self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix($letter)
                    .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
                    .and_then(|digits| digits.parse().ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError { text: text.to_owned(), letter: $letter })
            }
        }
    };
}

id! {
    /// One agent: a provider, a directory and settings. Shown as `a3`.
    AgentId, 'a'
}
id! {
    /// One terminal: a PTY with its emulator. Shown as `t7`.
    TerminalId, 't'
}
id! {
    /// One execution of one or more documents. Shown as `r2`.
    RunId, 'r'
}
id! {
    /// One conversation of an agent. Shown as `c4`.
    TabId, 'c'
}
id! {
    /// One item of a queue. Shown as `q9`.
    ItemId, 'q'
}
id! {
    /// One merge train. Shown as `m2`.
    TrainId, 'm'
}
id! {
    /// One snapshot of a checkout. Shown as `s5`.
    SnapshotId, 's'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_shown() {
        assert_eq!("a12".parse(), Ok(AgentId(12)));
        assert_eq!(RunId(4).to_string().parse(), Ok(RunId(4)));
    }

    #[test]
    fn other_text_is_no_id() {
        for text in ["", "a", "12", "t12", "a-1", "a+1", "a99999999999999999999"] {
            assert!(text.parse::<AgentId>().is_err(), "{text}");
        }
    }
}
