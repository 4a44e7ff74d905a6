//! What turns consumed, added up.

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
