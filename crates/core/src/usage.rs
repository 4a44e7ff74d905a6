//! What turns consumed, added up, and what they would have cost.

pub mod prices;

use serde::{Deserialize, Serialize};

use crate::turn::Usage;

/// What usage is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum By {
    #[default]
    Day,
    Agent,
    Tab,
    Model,
    Provider,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// Of what: a date (`2026-11-22`, the user's time zone), an agent's name, a tab's title, a model.
    pub of: String,
    /// Turns.
    pub turns: u64,
    /// What they consumed. Its cost is the providers' own figures.
    pub usage: Usage,
    /// What turns without a figure of the provider's would have cost at list prices, in US dollars; `None`
    /// where the price of a model is not known.
    pub estimated_usd: Option<f64>,
}

/// Adds up.
#[must_use]
pub fn sum(one: &Usage, other: &Usage) -> Usage {
    let cost = match (one.cost_usd, other.cost_usd) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    };
    Usage {
        input_tokens: one.input_tokens.saturating_add(other.input_tokens),
        cached_tokens: one.cached_tokens.saturating_add(other.cached_tokens),
        output_tokens: one.output_tokens.saturating_add(other.output_tokens),
        cost_usd: cost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, cached: u64, output: u64, cost_usd: Option<f64>) -> Usage {
        Usage { input_tokens: input, cached_tokens: cached, output_tokens: output, cost_usd }
    }

    #[test]
    fn sums_keep_what_is_known() {
        let (with, without) = (usage(1, 2, 3, Some(0.5)), usage(u64::MAX, 0, 1, None));
        assert_eq!(sum(&with, &without), usage(u64::MAX, 2, 4, Some(0.5)));
        assert_eq!(sum(&without, &with).cost_usd, Some(0.5));
        assert_eq!(sum(&with, &with).cost_usd, Some(1.0));
        assert_eq!(sum(&without, &without).cost_usd, None);
    }
}
