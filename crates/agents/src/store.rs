//! The providers' own stores of sessions, read and never written: where they are, which sessions lie in
//! them, and what was said.
//!
//! [`stores`] names the places, [`list()`] the sessions in one, [`read()`] follows one file from where it was
//! left ([`Cursor`]) and hands out what people would search ([`Piece`]); [`transcript`] and
//! [`page`] give a session as the entries of a conversation. Entries have the same numbers everywhere,
//! so that a piece that was found leads to its place in the transcript.
//!
//! Only files with the names that sessions have are ever opened: what else lies in a provider's folder,
//! its credentials above all, is not. Links are not followed. Everything is bounded, and what is not
//! understood is passed over: these files belong to other programs, which change them with every release.
//!
//! OpenCode keeps a SQLite database. This crate knows its tables and asks whoever calls to read them, by
//! [`Tables`].

mod claude;
mod codex;
mod copilot;
mod demo;
mod document;
mod droid;
mod facts;
mod gemini;
mod latest;
mod lines;
mod list;
mod opencode;
mod read;
mod sheet;
mod time;
mod tools;

pub use facts::Facts;
pub use latest::{Latest, latest, newest_opencode, tells_ends};
pub use lines::LINE_LIMIT;
pub use list::{Found, Place, find, found_at, list, stores};
pub use opencode::{Cell, Tables};
pub use read::{Cursor, Progress, page, read, scan, tail, text_at, transcript};
pub use sheet::{Entries, Piece, What};

use maestro_core::agent::Provider;
use serde_json::Value;

use sheet::Sheet;

/// Why a store or a session in it could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The session is not there, or not any more.
    #[error("{provider} has no session {id} in its store any more")]
    Missing {
        /// Whose.
        provider: Provider,
        /// Which.
        id: String,
    },
    /// A file could not be read.
    #[error("{path} cannot be read: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// This provider keeps no sessions, or none that could be read.
    #[error("sessions of {0} are not kept where they could be read")]
    Unsupported(Provider),
}

impl Error {
    /// Whether the next attempt may do better: a program wrote to what was read.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::File { error, .. } if error.kind() == std::io::ErrorKind::Interrupted)
    }

    pub(crate) fn file(path: &std::path::Path, error: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), error }
    }
}

/// Takes one record of a session's file.
fn record(provider: Provider, value: &Value, sheet: &mut Sheet) {
    match provider {
        Provider::Claude => claude::record(value, sheet),
        Provider::Codex => codex::record(value, sheet),
        Provider::Droid => droid::record(value, sheet),
        Provider::Copilot => copilot::record(value, sheet),
        Provider::Gemini => gemini::record(value, sheet),
        Provider::Demo => demo::record(value, sheet),
        // A database, and nothing.
        Provider::OpenCode | Provider::Shell => {}
    }
}

/// A text below a JSON pointer.
fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// The items of a list below a JSON pointer.
fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
