//! Conversations: what a tab shows of a provider's session, turn by turn. Every provider's stream becomes
//! [`Event`]s; the events of a tab, folded in order, become its [`Entry`]s. What an adapter does not know
//! is kept raw and never fatal.

pub mod bounds;
pub mod export;
pub mod fold;
pub mod limits;
pub mod transcript;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, TabId, TerminalId};
use crate::turn::{Failure, Outcome, Usage};

pub use fold::Conversation;
pub use transcript::{Applied, Transcript};

/// The most bytes of a tool's input that an entry keeps; the rest is cut off with a mark.
pub const INPUT_LIMIT: usize = 64 << 10;

/// The most bytes of a tool's output that an entry keeps: its beginning and its end.
pub const OUTPUT_LIMIT: usize = 256 << 10;

/// The most bytes of one text, thinking or raw entry.
pub const TEXT_LIMIT: usize = 1 << 20;

/// A conversation as the world sees it; what was said in it is read apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tab {
    /// Its identity.
    pub id: TabId,
    /// The agent it belongs to.
    pub agent: AgentId,
    /// What it is called: by its user, by the provider, or after its first prompt. One line.
    pub title: String,
    /// Whether the user named it; then nothing else does.
    pub named: bool,
    /// The provider's id of its session, once there is one.
    pub session: Option<String>,
    /// Where its session is open.
    pub place: Place,
    /// What its agent may do without asking.
    pub policy: Policy,
    /// The model asked for, as the provider names it; the provider's own choice when absent.
    pub model: Option<String>,
    /// How hard the model is to think, as the provider names it.
    pub effort: Option<String>,
    /// Marked by the user.
    pub starred: bool,
    /// Whether something was said that nobody has looked at.
    pub unread: bool,
    /// Closed: kept, and can be opened again.
    pub closed: bool,
    /// What goes on in it.
    pub state: TabState,
    /// Since when: milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// What it asked and what nobody has answered yet, the oldest first.
    pub requests: Vec<Request>,
    /// How full the model's context is.
    pub context: Option<Context>,
    /// What all of its turns consumed.
    pub usage: Usage,
    /// How many entries it has: they are numbered from 0.
    pub entries: u64,
    /// How many turns it has had.
    pub turns: u64,
    /// When it was made: milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When something was last said in it: milliseconds since the Unix epoch.
    pub used_ms: u64,
}

/// Where a tab's session is open. A session is busy in one place only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Nowhere: the next prompt opens it here.
    #[default]
    Nowhere,
    /// In our own conversation.
    Conversation,
    /// In the provider's own interface, in this terminal.
    Terminal(TerminalId),
}

/// What goes on in a tab.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TabState {
    /// Nothing: it waits for a prompt.
    #[default]
    Idle,
    /// Its program is being started.
    Starting,
    /// A turn runs; with what it does in a few words, where that is known.
    Working(String),
    /// A turn waits for an answer to one of [`Tab::requests`].
    Asking,
    /// It was told to stop and has not yet.
    Interrupting,
    /// A turn waits for a service or a network, and is tried again by itself.
    Retrying {
        /// Why: "overloaded", "waiting for network".
        because: String,
        /// When the next attempt begins, where that is known: milliseconds since the Unix epoch.
        until_ms: Option<u64>,
        /// Which attempt that will be, where that is known, from 1.
        attempt: Option<u32>,
    },
    /// The provider refuses work until a time.
    Limited {
        /// Until when, where that is known: milliseconds since the Unix epoch.
        until_ms: Option<u64>,
        /// Whether it goes on by itself then.
        resumes: bool,
    },
    /// Its last turn failed; the entry with the failure is the last [`Body::Failed`].
    Failed(Failure),
}

impl TabState {
    /// Whether a turn is open.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(
            self,
            Self::Starting
                | Self::Working(_)
                | Self::Asking
                | Self::Interrupting
                | Self::Retrying { .. }
        )
    }
}

/// What an agent may do without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// It asks before it changes files or runs commands.
    #[default]
    Ask,
    /// It changes files in its directory without asking; commands are asked about.
    AcceptEdits,
    /// It may read and nothing else: enforced, also against its own shell.
    ReadOnly,
    /// It does everything without asking.
    Bypass,
}

impl Policy {
    /// Every policy, from the most to the least careful but for the default, which is first.
    pub const ALL: [Self; 4] = [Self::Ask, Self::AcceptEdits, Self::ReadOnly, Self::Bypass];

    /// Its name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::AcceptEdits => "accept_edits",
            Self::ReadOnly => "read_only",
            Self::Bypass => "bypass",
        }
    }

    /// The name a person reads.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::AcceptEdits => "accept edits",
            Self::ReadOnly => "read-only",
            Self::Bypass => "bypass",
        }
    }
}

/// How full a model's context is, by the provider's own figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Tokens in it now.
    pub used: u64,
    /// Tokens that fit, where the provider tells.
    pub window: Option<u64>,
}

impl Context {
    /// How full it is in percent, rounded; `None` when the window is not known, or when the figures
    /// contradict each other.
    #[must_use]
    pub fn percent(self) -> Option<u8> {
        let window = self.window.filter(|window| *window > 0 && self.used <= *window)?;
        u8::try_from((u128::from(self.used) * 100 + u128::from(window) / 2) / u128::from(window))
            .ok()
    }
}

/// One thing in a conversation: a prompt, a part of an answer, a tool call, an end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the tab, from 0, without gaps. An entry that changes keeps it.
    pub n: u64,
    /// The turn it belongs to, from 1; 0 before the first.
    pub turn: u64,
    /// When it began: milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Whether more of it may come.
    pub open: bool,
    /// What it is.
    pub body: Body,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// What the user (or the queue, or a script) said.
    Prompt(Prompt),
    /// Text of the answer: markdown.
    Text(String),
    /// Thinking: markdown.
    Thinking(String),
    /// A tool call, with its result once there is one.
    Tool(Tool),
    /// The agent's list of what it has to do: the whole list as it was then.
    Todo(Vec<Todo>),
    /// A request that was answered, and how. One that is open is in [`Tab::requests`], too.
    Request {
        /// What was asked.
        request: Request,
        /// How it was answered; `None` while it is open, or when its turn ended before.
        answer: Option<Answer>,
    },
    /// Something worth knowing that is no failure: a retry, a warning, a model change, a hand-over.
    Notice(String),
    /// The turn failed.
    Failed(Failure),
    /// The turn ended well, or was interrupted.
    Ended(Ended),
    /// A line of the provider's that this version does not know, as it came.
    Raw(String),
}

/// How a turn ended that did not fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Whether its user stopped it.
    pub interrupted: bool,
    /// What the turn consumed.
    pub usage: Usage,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What is said to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prompt {
    /// The words.
    pub text: String,
    /// Images that go with them.
    pub images: Vec<Image>,
    /// Whether this turn may only read, whatever the tab's policy is.
    pub read_only: bool,
}

/// An image: a file that the host keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The file, absolute.
    pub path: PathBuf,
    /// Its media type: `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub media: String,
}

/// A tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// The provider's id of the call.
    pub call: String,
    /// The tool's name as the provider has it.
    pub name: String,
    /// What kind of tool it is.
    pub kind: ToolKind,
    /// What it works on, in one line: the command, the path, the pattern.
    pub title: String,
    /// Its input: JSON, indented; at most [`INPUT_LIMIT`].
    pub input: String,
    /// What it gave back: text; at most [`OUTPUT_LIMIT`].
    pub output: String,
    /// How far it is.
    pub state: ToolState,
    /// The exit code of a command.
    pub exit: Option<i32>,
    /// Files it changed.
    pub changes: Vec<Change>,
    /// When it began: milliseconds since the Unix epoch; 0 when that is not known.
    pub started_ms: u64,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// The call (of a subagent) within which it was made.
    pub parent: Option<String>,
}

/// What kind of tool it is: decides its icon and how its card reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ToolKind {
    Shell,
    Edit,
    Read,
    Search,
    Fetch,
    /// An agent of the agent's.
    Agent,
    /// A tool of an MCP server.
    Mcp,
    Other,
}

/// How far a tool call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ToolState {
    Running,
    Done,
    Failed,
    /// It was refused: by the user or by a policy.
    Denied,
    /// Its turn ended before it did.
    Cut,
}

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The file, as the provider names it.
    pub path: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// The change as hunks of a unified diff, without file headers; empty when the provider does not tell
    /// it. At most [`OUTPUT_LIMIT`].
    pub diff: String,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ChangeKind {
    Add,
    Update,
    Delete,
}

/// An item of an agent's list of what it has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    /// What.
    pub text: String,
    /// How far it is.
    pub state: TodoState,
}

/// How far an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TodoState {
    Open,
    Doing,
    Done,
}

/// Something an agent asks its user: whether it may do something, or a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its identity within the tab: the driver's own, opaque.
    pub id: String,
    /// The tool call it is about, by the provider's id.
    pub call: Option<String>,
    /// What it is about.
    pub ask: Ask,
    /// What the provider says about it, for people; may be empty.
    pub why: String,
    /// What *always* would allow, for people ("npm install in this session"); `None` where the provider
    /// has no such answer.
    pub always: Option<String>,
    /// When it was asked: milliseconds since the Unix epoch.
    pub asked_ms: u64,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// May it run this command?
    Command {
        /// The command line.
        command: String,
        /// Where, when that is not the agent's directory.
        directory: Option<String>,
    },
    /// May it change these files?
    Edit(Vec<Change>),
    /// May it use this tool?
    Tool {
        /// Its name.
        name: String,
        /// Its input: JSON, indented.
        input: String,
    },
    /// May it leave planning and begin? The plan is markdown.
    Plan(String),
    /// It wants to know something.
    Questions(Vec<Question>),
}

/// A question with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// A word or two above it.
    pub header: String,
    /// The question.
    pub text: String,
    /// The answers, each with what it means.
    pub options: Vec<(String, String)>,
    /// Whether several may be chosen.
    pub several: bool,
}

/// How a request is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes, this time.
    Once,
    /// Yes, and do not ask again; only where [`Request::always`] says what that means.
    Always,
    /// No, with what to do instead, for the model to read; may be empty.
    Deny(String),
    /// For each question what was chosen, or written.
    Choices(Vec<Vec<String>>),
}

/// What a provider lets its user choose from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Menu {
    /// Models.
    pub models: Vec<Model>,
    /// Slash commands, without the slash, the provider's and the user's own.
    pub commands: Vec<SlashCommand>,
    /// Policies that this provider can enforce.
    pub policies: Vec<Policy>,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// What it is asked for by.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How hard it can be told to think, the provider's words.
    pub efforts: Vec<String>,
}

/// A slash command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlashCommand {
    /// Its name, without the slash.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it takes, for people: `[branch]`; may be empty.
    pub hint: String,
}

/// One thing that a driver reports of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The provider named its session (again at the start of every turn, for some).
    Session {
        /// The id by which it is resumed.
        id: String,
        /// The model, where told.
        model: Option<String>,
    },
    /// What can be chosen.
    Menu(Menu),
    /// The provider has a title for the session.
    Title(String),
    /// An entry is new, or is another one than before: entries with the same key replace each other.
    Item {
        /// The driver's own name for it, unique in its process.
        key: String,
        /// Whether more of it may come.
        open: bool,
        /// What it is: text, thinking, a tool, a list, a notice or a raw line.
        body: Body,
    },
    /// More of an open entry; one that was not there begins with it.
    Delta {
        /// Its key.
        key: String,
        /// Of what.
        part: Part,
        /// The text to append.
        text: String,
    },
    /// It asks for something and waits.
    Request(Request),
    /// A request needs no answer any more: somebody else answered it, or its turn ended.
    RequestGone {
        /// Which.
        id: String,
    },
    /// What the turn consumed so far; later events replace earlier ones.
    Usage(Usage),
    /// How full the context is.
    Context(Context),
    /// The provider tells how much of a plan's limit is used, or that it is reached.
    Limit {
        /// When it starts anew: milliseconds since the Unix epoch.
        resets_ms: Option<u64>,
        /// How much is used, in percent.
        percent: Option<u8>,
        /// Which limit, the provider's word: `five_hour`.
        name: String,
    },
    /// The provider tries again by itself.
    Retrying {
        /// Why.
        because: String,
        /// When: milliseconds since the Unix epoch.
        until_ms: Option<u64>,
        /// Which attempt, from 1.
        attempt: Option<u32>,
    },
    /// The provider has another policy than was asked for, or the one that was.
    Policy(Policy),
    /// What it does now, in a few words.
    Doing(String),
    /// The turn is over.
    Ended(Outcome),
    /// Its program is gone; no event comes after this. A turn that was open has ended by an
    /// [`Event::Ended`] before.
    Gone {
        /// What it said last on standard error, stripped; may be empty.
        stderr: String,
    },
}

/// A part of an entry that grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Part {
    Text,
    Thinking,
    ToolOutput,
}

/// What a client that follows a tab is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Update {
    /// An entry is new or another one than before.
    Entry(Entry),
    /// More of an open entry: text, thinking or a tool's output, whichever it is.
    Append {
        /// Which entry.
        n: u64,
        /// How many bytes it had before: a client that has another number reads the entry anew.
        at: u64,
        /// The text.
        text: String,
    },
}
