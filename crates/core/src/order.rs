//! What a window is ordered to do from outside: one command of the registry, by its name.

use serde::{Deserialize, Serialize};

/// The longest name of a command, and the longest argument, in bytes.
pub const LONGEST: usize = 4096;

/// An order to a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Run a command.
    Run {
        /// Its name in the registry.
        command: String,
        /// What it is run with: an agent, a file, a setting.
        argument: Option<String>,
    },
    /// Say which commands can be run at the moment.
    Offer,
}

impl Order {
    /// Whether it is short enough to be one.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Run { command, argument } => {
                command.len() <= LONGEST && argument.as_ref().is_none_or(|it| it.len() <= LONGEST)
            }
            Self::Offer => true,
        }
    }
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Obeyed {
    /// The window does it.
    Done,
    /// What can be run at the moment, and what cannot.
    Offers(Vec<Offer>),
}

/// A command, as it stands in a window at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its name in the registry.
    pub command: String,
    /// Why it cannot be run now, without a full stop; `None` where it can.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_few_words() {
        let of = |command: usize, argument: Option<usize>| {
            let (command, argument) = ("x".repeat(command), argument.map(|it| "x".repeat(it)));
            Order::Run { command, argument }.is_sound()
        };
        assert!(of(LONGEST, Some(LONGEST)) && of(8, None) && Order::Offer.is_sound());
        assert!(!of(LONGEST + 1, None) && !of(8, Some(LONGEST + 1)));
    }
}
