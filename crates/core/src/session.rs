//! Sessions: conversations that any provider's program ever stored, ours and those from before us.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::agent::Provider;
use crate::id::{AgentId, TabId};

/// A stored session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Whose.
    pub provider: Provider,
    /// The provider's id.
    pub id: String,
    /// What it is called: by our user, by the provider, or after its first prompt. One line.
    pub title: String,
    /// The directory it worked in, as far as is known.
    pub directory: Option<PathBuf>,
    /// The branch it began on, where stored.
    pub branch: Option<String>,
    /// The model used last, where stored.
    pub model: Option<String>,
    /// When it began: milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When something was last said in it: milliseconds since the Unix epoch.
    pub used_ms: u64,
    /// Prompts in it.
    pub prompts: u32,
    /// Its file or database.
    pub path: PathBuf,
    /// Bytes of its file; 0 where it is part of a database.
    pub bytes: u64,
    /// Ours: marked by the user.
    pub starred: bool,
    /// Ours: words the user gave it.
    pub tags: Vec<String>,
    /// Ours: in the trash since then (milliseconds since the Unix epoch).
    pub trashed_ms: Option<u64>,
    /// The agent and tab of ours in which it is open, if one.
    pub open_in: Option<(AgentId, Option<TabId>)>,
}

/// Names a session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// Whose.
    pub provider: Provider,
    /// The provider's id.
    pub id: String,
}

/// Which sessions are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Filter {
    /// Words to be found in titles, prompts and answers; empty for all sessions.
    pub words: String,
    /// Only of these providers; all when empty.
    pub providers: Vec<Provider>,
    /// Only of this directory or below.
    pub directory: Option<PathBuf>,
    /// Only of this branch.
    pub branch: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only used at or after: milliseconds since the Unix epoch.
    pub since_ms: Option<u64>,
    /// Only used before: milliseconds since the Unix epoch.
    pub until_ms: Option<u64>,
    /// Only starred ones.
    pub starred: bool,
    /// Those in the trash instead of the others.
    pub trashed: bool,
}

/// A session that was found, and where in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The session.
    pub session: Session,
    /// Text around the best match, on one line; empty without words.
    pub excerpt: String,
    /// Where the matches are in it: byte ranges.
    pub marks: Vec<(u32, u32)>,
    /// The entry (as the transcript is read) in which the match is, where known.
    pub entry: Option<u64>,
}

/// How far the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Indexing {
    /// Sessions known.
    pub sessions: u64,
    /// Bytes read of those that are to be read.
    pub done_bytes: u64,
    /// Bytes to be read in all.
    pub total_bytes: u64,
    /// Whether it is up to date.
    pub complete: bool,
}
