//! What of a playbook would run on the user's machine, or be told to an agent there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::checklist::{Document, Fields};
use crate::run::Options;

/// The commands that documents and a playbook bring along: every `verify:` line of every box, ticked or
/// not, the command for tasks that name none, and a playbook's own words for sessions. Of a playbook, all
/// that its documents say as well: an agent with the user's rights is told it. They come from a repository
/// or from somebody else, so nothing of a run begins before the user has agreed to them.
///
/// The set does not depend on which boxes are ticked, on the order of documents or on how often a command
/// is named: going on with a playbook asks nothing again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Commands {
    lines: BTreeSet<String>,
    prompt: Option<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    documents: BTreeSet<String>,
}

impl Commands {
    /// What a run with these options over these documents brings along.
    #[must_use]
    pub fn of<'a>(options: &Options, documents: impl IntoIterator<Item = &'a Document>) -> Self {
        let mut commands = Self::default();
        commands.lines.extend(options.verify.iter().cloned());
        // Without a playbook the words are the user's own.
        commands.prompt = options.playbook.as_ref().and(options.prompt.clone());
        for document in documents {
            for task in document.tasks() {
                commands.lines.extend(task.fields.verify.iter().cloned());
            }
        }
        commands
    }

    /// Adds a playbook's document, by the digest of all that it says.
    pub fn add_document(&mut self, digest: String) {
        let _ = self.documents.insert(digest);
    }

    /// Whether there is nothing to agree to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.prompt.is_none() && self.documents.is_empty()
    }

    /// The command lines for `sh -c`, each once, sorted.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// A playbook's own words for sessions.
    #[must_use]
    pub fn prompt(&self) -> Option<&str> {
        self.prompt.as_deref()
    }

    /// Whether a command line is one of these.
    #[must_use]
    pub fn contains(&self, line: &str) -> bool {
        self.lines.contains(line)
    }

    /// The first `verify:` line of a task that is none of these; `None` when all are.
    #[must_use]
    pub fn missing<'a>(&self, fields: &'a Fields) -> Option<&'a str> {
        fields.verify.iter().map(String::as_str).find(|line| !self.contains(line))
    }

    /// The digests of a playbook's documents, sorted.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = &str> {
        self.documents.iter().map(String::as_str)
    }

    /// Whether a document of this digest is among them.
    #[must_use]
    pub fn has_document(&self, digest: &str) -> bool {
        self.documents.contains(digest)
    }

    /// Whether who agreed to `other` has agreed to what would run of these, and to the playbook's own words.
    #[must_use]
    pub fn runs_no_more_than(&self, other: &Self) -> bool {
        self.lines.is_subset(&other.lines) && (self.prompt.is_none() || self.prompt == other.prompt)
    }

    /// The bytes that are hashed to know these commands again. No two different sets have the same: each
    /// part is preceded by its length.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = b"maestro commands 1\n".to_vec();
        let parts = self
            .lines
            .iter()
            .map(|line| ("verify", line))
            .chain(self.prompt.iter().map(|prompt| ("prompt", prompt)))
            .chain(self.documents.iter().map(|digest| ("document", digest)));
        for (kind, text) in parts {
            bytes.extend_from_slice(format!("{kind} {}\n", text.len()).as_bytes());
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(b'\n');
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.into()).expect("a document")
    }

    fn of(text: &str) -> Commands {
        Commands::of(&Options::default(), [&document(text)])
    }

    #[test]
    fn going_on_and_moving_tasks_about_change_nothing() {
        let text = "- [ ] a\n  - verify: make a\n- [ ] b\n  - verify: `make b`\n";
        let moved = "# New\n- [x] b\n  verify: make b\n- [ ] c\n- [x] a\n  - verify: make a\n\
                     - [ ] a\n  - verify: make a\n";
        assert_eq!(of(text).canonical(), of(moved).canonical());
        assert_eq!(of(text).lines().collect::<Vec<_>>(), ["make a", "make b"]);
        assert!(of("- [ ] a\n```\n- [ ] b\n  - verify: no\n```\n").is_empty());
    }

    #[test]
    fn every_difference_shows_in_the_bytes() {
        let texts = [
            "- [ ] a\n",
            "- [ ] a\n  - verify: x\n",
            "- [ ] a\n  - verify: x y\n",
            "- [ ] a\n  - verify: x\n  - verify: y\n",
            "- [ ] a\n  - verify: x && y\n",
        ];
        let bytes: BTreeSet<Vec<u8>> = texts.iter().map(|text| of(text).canonical()).collect();
        assert_eq!(bytes.len(), texts.len());
    }

    #[test]
    fn the_words_of_a_playbook_count_and_those_of_the_user_do_not() {
        let mine = Options { prompt: Some("p".into()), ..Options::default() };
        assert!(Commands::of(&mine, []).is_empty());
        let theirs = Options { playbook: Some("/p".into()), ..mine };
        let commands = Commands::of(&theirs, []);
        assert_eq!(commands.prompt(), Some("p"));
        assert!(!commands.runs_no_more_than(&Commands::default()));
        assert_ne!(commands.canonical(), Commands::default().canonical());
    }

    #[test]
    fn documents_are_something_to_agree_to() {
        let mut commands = Commands::default();
        commands.add_document("d1".to_owned());
        assert!(
            !commands.is_empty() && commands.has_document("d1") && !commands.has_document("d2")
        );
        assert_ne!(commands.canonical(), Commands::default().canonical());
        // What was agreed to before there were any is still known.
        let old: Commands =
            serde_json::from_str(r#"{"lines":["make"],"prompt":null}"#).expect("a set");
        assert_eq!(old, of("- [ ] a\n  - verify: make\n"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let known = of("- [ ] a\n  - verify: x\n  - verify: y\n");
        let tasks = document("- [ ] a\n  - verify: y\n  - verify: z\n- [ ] b\n  - verify: x\n");
        assert_eq!(known.missing(&tasks.tasks()[0].fields), Some("z"));
        assert_eq!(known.missing(&tasks.tasks()[1].fields), None);
        assert!(of("- [ ] b\n  - verify: x\n").runs_no_more_than(&known));
    }
}
