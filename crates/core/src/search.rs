//! Searching a terminal's screen and history.

use serde::{Deserialize, Serialize};

/// The most bytes of a query; longer ones are refused.
pub const QUERY_LIMIT: usize = 4096;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Query {
    /// Plain text, or a regular expression.
    pub text: String,
    /// Whether `text` is a regular expression.
    pub regex: bool,
    /// Whether upper and lower case differ.
    pub case: Case,
}

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    /// Only when the query has an upper-case letter.
    #[default]
    Smart,
    /// Yes.
    Sensitive,
    /// No.
    Insensitive,
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Search {
    /// What is looked for.
    pub query: Query,
    /// Matches found so far.
    pub matches: u64,
    /// The match the search stands at, counted from 1 at the oldest; `None` while there is none.
    pub current: Option<u64>,
    /// Whether everything has been looked at.
    pub done: bool,
    /// Why nothing can be found: what is wrong with the regular expression.
    pub error: Option<String>,
}
