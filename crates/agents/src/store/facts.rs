//! What is known about a session, gathered record by record.

use std::path::PathBuf;

use maestro_core::text::{beginning_of, clean};
use serde::{Deserialize, Serialize};

/// The longest title, in characters.
const TITLE: usize = 120;
/// The longest name of a branch or a model, in characters.
const NAME: usize = 200;

/// What is known about a session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The provider's id, as the session's own records have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The title that its user gave it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// The title that the provider made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// The beginning of its first prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The first slash command of the provider's that was typed, for a session that has no prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Where it worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// The branch it began on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The model used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When it began: milliseconds since the Unix epoch; 0 when that is not known.
    pub started_ms: u64,
    /// When something was said last: milliseconds since the Unix epoch; 0 when that is not known.
    pub used_ms: u64,
    /// Prompts.
    pub prompts: u32,
}

impl Facts {
    /// What it is called: as its user named it there, as the provider named it, or after its first prompt.
    /// One line; empty when there is nothing to name it after.
    #[must_use]
    pub fn title(&self) -> &str {
        [&self.named, &self.made, &self.first, &self.command]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .find(|title| !title.is_empty())
            .unwrap_or_default()
    }

    /// Something happened at a time.
    pub(super) fn at(&mut self, ms: u64) {
        if ms == 0 {
            return;
        }
        if self.started_ms == 0 || ms < self.started_ms {
            self.started_ms = ms;
        }
        self.used_ms = self.used_ms.max(ms);
    }

    pub(super) fn name(&mut self, title: Option<&str>) {
        keep(&mut self.named, title, TITLE);
    }

    pub(super) fn make(&mut self, title: Option<&str>) {
        keep(&mut self.made, title, TITLE);
    }

    pub(super) fn typed(&mut self, command: &str) {
        if self.command.is_none() {
            keep(&mut self.command, Some(command), TITLE);
        }
    }

    pub(super) fn prompted(&mut self, text: &str) {
        self.prompts = self.prompts.saturating_add(1);
        if self.first.is_none() {
            // More than the title's length of a text that may be megabytes is not looked at.
            let beginning = beginning_of(text, 4 * TITLE + 512);
            keep(&mut self.first, Some(beginning), TITLE);
        }
    }

    pub(super) fn in_directory(&mut self, directory: Option<&str>) {
        if self.directory.is_none()
            && let Some(directory) = directory.filter(|path| !path.is_empty() && path.len() <= 4096)
        {
            self.directory = Some(directory.into());
        }
    }

    pub(super) fn on_branch(&mut self, branch: Option<&str>) {
        // What Claude Code says where no branch is checked out.
        if self.branch.is_none() && branch != Some("HEAD") {
            keep(&mut self.branch, branch, NAME);
        }
    }

    pub(super) fn by_model(&mut self, model: Option<&str>) {
        if model != Some("<synthetic>") {
            keep(&mut self.model, model, NAME);
        }
    }

    pub(super) fn called(&mut self, id: Option<&str>) {
        if self.id.is_none() {
            keep(&mut self.id, id, NAME);
        }
    }
}

fn keep(place: &mut Option<String>, text: Option<&str>, most: usize) {
    if let Some(text) = text {
        let text = clean(text, most);
        if !text.is_empty() {
            *place = Some(text);
        }
    }
}
