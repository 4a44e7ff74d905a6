//! One turn of an agent as its stream tells it: the first words of the conversation model. Every
//! provider's stream is turned into these events; what an adapter does not know stays raw.

use serde::{Deserialize, Serialize};

/// One thing that happened in a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The provider named its session.
    Session {
        /// The id by which it is resumed.
        id: String,
        /// The model, where told.
        model: Option<String>,
    },
    /// Text of the answer: a whole item, not a delta.
    Text(String),
    /// Thinking.
    Thinking(String),
    /// A tool is about to run or ran.
    ToolCall {
        /// The provider's id of the call.
        id: String,
        /// The tool's name as the provider has it.
        name: String,
        /// Its input, shortened to one line for people.
        summary: String,
    },
    /// What a tool gave back.
    ToolResult {
        /// The id of the call.
        id: String,
        /// Whether it failed.
        is_error: bool,
        /// Its output, shortened.
        output: String,
    },
    /// Files the agent changed, as it names them.
    FileChange(Vec<String>),
    /// The provider is trying again.
    Retrying(String),
    /// A warning or error that does not end the turn.
    Notice(String),
    /// Tokens and money so far in this turn; later events replace earlier ones.
    Usage(Usage),
    /// A line this version does not know, kept as it came.
    Raw(String),
}

/// What a turn consumed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Of these, read from the provider's cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// US dollars, where the provider tells them.
    pub cost_usd: Option<f64>,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The session it ran in, where the provider told it.
    pub session: Option<String>,
    /// The last text of the answer.
    pub text: String,
    /// What it consumed.
    pub usage: Usage,
    /// `Ok` when the provider says the turn succeeded.
    pub result: Result<(), Failure>,
}

/// Why a turn failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure it is: decides whether and when another attempt makes sense.
    pub kind: FailureKind,
    /// One sentence, the provider's own where it has one, stripped of control characters.
    pub message: String,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Not logged in, or the key is refused.
    Auth,
    /// No credit.
    Billing,
    /// Too many requests, or the plan's limit; with the reset time (milliseconds since the Unix epoch)
    /// where it is told.
    Limit {
        /// When work may go on.
        resets_ms: Option<u64>,
    },
    /// The service is overloaded or had an internal error.
    Overload,
    /// No network.
    Network,
    /// The stream broke off in the middle of an answer.
    Torn,
    /// Only a person can go on: a login in a browser, terms to accept.
    HumanNeeded,
    /// The conversation no longer fits the model's context.
    Context,
    /// The session to resume does not exist.
    SessionMissing,
    /// The model does not exist.
    ModelUnknown,
    /// A permission was refused.
    Permission,
    /// The user or the engine interrupted it.
    Interrupted,
    /// The process died, or ended without saying how the turn went.
    Crashed,
    /// The program cannot be started at all.
    Unusable,
    /// Silent for longer than allowed.
    Silent,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Whether trying the same again later may succeed without anyone changing anything.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Limit { .. }
                | Self::Overload
                | Self::Network
                | Self::Torn
                | Self::Crashed
                | Self::Silent
        )
    }
}
