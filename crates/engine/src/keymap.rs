//! The chords a user has of their own: `keymap.toml` in the home folder.

use std::path::PathBuf;

use maestro_protocol::Home;

pub use maestro_store::keymap::{
    Content, FILE, Problem, create, own_text, parse, read, set, stamp,
};

/// The file of a home folder.
#[must_use]
pub fn path(home: &Home) -> PathBuf {
    home.root().join(FILE)
}
