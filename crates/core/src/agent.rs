//! Agents: what the left panel lists, and what is known about whether one needs its user.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, TerminalId};

/// The program behind an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Anthropic's Claude Code, `claude`.
    Claude,
    /// OpenAI's Codex, `codex`.
    Codex,
    /// OpenCode, `opencode`.
    OpenCode,
    /// Factory Droid, `droid`.
    Droid,
    /// GitHub's Copilot CLI, `copilot`.
    Copilot,
    /// Google's Gemini CLI, `gemini`.
    Gemini,
    /// The scripted agent inside our own binary: `maestro demo-agent`.
    Demo,
    /// No agent at all: a shell in the agent's directory.
    Shell,
}

impl Provider {
    /// Every provider, in the order in which a person is offered them.
    pub const ALL: [Self; 8] = [
        Self::Claude,
        Self::Codex,
        Self::OpenCode,
        Self::Droid,
        Self::Copilot,
        Self::Gemini,
        Self::Demo,
        Self::Shell,
    ];

    /// The name used on the command line, in the store and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::OpenCode => "opencode",
            Self::Droid => "droid",
            Self::Copilot => "copilot",
            Self::Gemini => "gemini",
            Self::Demo => "demo",
            Self::Shell => "shell",
        }
    }

    /// The name a person reads.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code",
            Self::Codex => "Codex",
            Self::OpenCode => "OpenCode",
            Self::Droid => "Factory Droid",
            Self::Copilot => "Copilot CLI",
            Self::Gemini => "Gemini CLI",
            Self::Demo => "Demo agent",
            Self::Shell => "Shell",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no provider `{0}`; there are claude, codex, opencode, droid, copilot, gemini, demo and shell"
)]
pub struct UnknownProvider(String);

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.name() == text)
            .ok_or_else(|| UnknownProvider(text.to_owned()))
    }
}

/// An agent as the world sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its identity.
    pub id: AgentId,
    /// What the user calls it; unique among the agents, and accepted wherever an id is.
    pub name: String,
    /// The program behind it.
    pub provider: Provider,
    /// The directory it works in: absolute.
    pub directory: PathBuf,
    /// The repository its directory belongs to (the main checkout's root), if it is in one.
    pub repository: Option<PathBuf>,
    /// The branch checked out in its directory when last looked at.
    pub branch: Option<String>,
    /// Whether its directory is a worktree that Maestro made.
    pub worktree: bool,
    /// The terminal with the provider's own TUI, while there is one.
    pub ai_terminal: Option<TerminalId>,
    /// The terminal with a shell in the same directory, while there is one.
    pub shell_terminal: Option<TerminalId>,
    /// The provider's id of the session to resume, once one is known.
    pub session: Option<String>,
    /// Whether it needs its user, and why.
    pub attention: Attention,
    /// When it was made: milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Whether its terminals may write to the clipboard.
    #[serde(default)]
    pub clipboard: Clipboard,
    /// The group the user has put it into; listed with its repository without one.
    #[serde(default)]
    pub group: Option<String>,
    /// Whether the user has marked it.
    #[serde(default)]
    pub bookmarked: bool,
}

/// Whether the programs in an agent's terminals may write to the user's clipboard (OSC 52). They may
/// never read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clipboard {
    /// While their pane has the keyboard.
    #[default]
    Focused,
    /// The user is asked each time.
    Ask,
    /// Always.
    Allow,
    /// Never.
    Deny,
}

/// Whether an agent needs its user, with the evidence. Never a guess: what is not known is
/// [`State::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// The verdict.
    pub state: State,
    /// Since when it holds: milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// One short phrase for the agent's row: "running tests", "limited until 05:00".
    pub because: String,
    /// What the verdict was drawn from.
    pub source: Source,
    /// When it is over by itself (a limit's reset), where that is known: milliseconds since the Unix epoch.
    #[serde(default)]
    pub until_ms: Option<u64>,
}

/// Something that was observed of an agent, for `why`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was drawn on.
    pub source: Source,
    /// What it says by itself.
    pub state: State,
    /// What was seen, in a sentence.
    pub seen: String,
    /// When: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Whether the verdict rests on it.
    pub decides: bool,
}

/// What an agent is doing, as far as its user is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is busy with a turn.
    Working,
    /// It asked for something and waits.
    NeedsYou,
    /// Its provider refuses further work until a time.
    Limited,
    /// Its last work failed, or its process died.
    Failed,
    /// Its last work is done and has not been looked at.
    Done,
    /// It waits for a prompt and nothing is open.
    Idle,
    /// Its process is gone after a crash and can be resumed by the user.
    Resumable,
    /// Nothing reliable is known.
    Unknown,
}

/// What a verdict about an agent was drawn from, the more reliable first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A run of ours that drives it.
    Run,
    /// Events of its own stream.
    Stream,
    /// The end of the transcript that its program stores.
    Transcript,
    /// A control sequence its terminal printed.
    Osc,
    /// Facts about its process.
    Process,
    /// Nothing yet.
    None,
}
