//! What somebody who reads changes left behind: files that were viewed, and words that were not sent. The host
//! keeps it for each directory.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use maestro_core::changes::{Name, Source};
use serde::{Deserialize, Serialize};

use super::Print;
use super::comments::Comment;

/// What the keys begin with under which the host keeps it.
const KEY: &str = "changes:";

/// The host keeps 64 KiB under a key.
const MOST: usize = 60 << 10;

/// Of one directory.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Left {
    pub seen: HashMap<(Source, Name), Print>,
    pub comments: Vec<Comment>,
}

/// The same as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    directory: PathBuf,
    /// When it was left: milliseconds since the Unix epoch.
    at_ms: u64,
    #[serde(default)]
    comments: Vec<Comment>,
    #[serde(default)]
    seen: Vec<(Source, Name, Print)>,
}

impl Left {
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty() && self.comments.is_empty()
    }

    /// The text to be kept, and whether all that was said is in it; `None` when there is nothing to keep.
    pub fn text(&self, directory: &Path, now_ms: u64) -> (Option<String>, bool) {
        let seen = self.seen.iter();
        let mut kept = Kept {
            directory: directory.to_owned(),
            at_ms: now_ms,
            comments: self.comments.clone(),
            seen: seen
                .map(|((source, name), print)| (source.clone(), name.clone(), print.clone()))
                .collect(),
        };
        loop {
            if kept.comments.is_empty() && kept.seen.is_empty() {
                return (None, self.comments.is_empty());
            }
            let Ok(text) = serde_json::to_string(&kept) else { return (None, false) };
            if text.len() <= MOST {
                return (Some(text), kept.comments.len() == self.comments.len());
            }
            // Words are worth more than marks.
            match kept.seen.len() {
                0 => drop(kept.comments.pop()),
                count => kept.seen.truncate(count / 2),
            }
        }
    }
}

/// The key of a directory.
pub(super) fn key(directory: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    directory.hash(&mut hasher);
    format!("{KEY}{:016x}", hasher.finish())
}

/// What the host has, the newest first; and the keys of what is not known, or more than `most`.
pub(super) fn read(
    preferences: &[(String, String)],
    most: usize,
) -> (HashMap<PathBuf, Left>, Vec<String>) {
    let ours = preferences.iter().filter(|(key, _)| key.starts_with(KEY));
    let (mut known, mut old) = (Vec::new(), Vec::new());
    for (key, text) in ours {
        match serde_json::from_str::<Kept>(text) {
            Ok(kept) => known.push((kept, key)),
            // Of another version, which may come back.
            Err(error) => tracing::warn!(key, %error, "what was left in changes is not known"),
        }
    }
    known.sort_by_key(|(kept, _)| std::cmp::Reverse(kept.at_ms));
    let mut all = HashMap::new();
    for (at, (kept, key)) in known.into_iter().enumerate() {
        if at >= most {
            old.push(key.clone());
            continue;
        }
        let seen = kept.seen.into_iter().map(|(source, name, print)| ((source, name), print));
        let left = Left { seen: seen.collect(), comments: kept.comments };
        let _ = all.insert(kept.directory, left);
    }
    (all, old)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(seen: u32, comments: usize) -> Left {
        let one = |text: String| Comment {
            source: Source::WorkingTree,
            file: "a".into(),
            lines: Vec::new(),
            text,
        };
        let names = (0..seen).map(|at| Name::from(format!("src/some/file-{at}").as_str()));
        Left {
            seen: names
                .map(|name| {
                    ((Source::Staged, name), (Some(1), None, Some(7), Some("x".repeat(40))))
                })
                .collect(),
            comments: (0..comments).map(|at| one(format!("{at} {}", "y".repeat(500)))).collect(),
        }
    }

    #[test]
    fn what_is_left_is_read_as_it_was_and_the_oldest_goes() {
        let directory = |at: u64| PathBuf::from(format!("/w/{at}"));
        let kept: Vec<(String, String)> = (1..=3)
            .map(|at| {
                let (text, whole) = left(2, 1).text(&directory(at), at);
                assert!(whole);
                (key(&directory(at)), text.expect("something"))
            })
            .chain([
                ("changes:odd".to_owned(), "[".to_owned()),
                ("window".to_owned(), "{}".to_owned()),
            ])
            .collect();
        let (all, old) = read(&kept, 2);
        assert_eq!(all, HashMap::from([(directory(3), left(2, 1)), (directory(2), left(2, 1))]));
        assert_eq!(old, [key(&directory(1))]);
    }

    #[test]
    fn marks_make_room_for_words_and_words_that_have_none_are_told() {
        assert_eq!(Left::default().text(Path::new("/w"), 0), (None, true));
        for (seen, comments, whole) in [(5_000, 3, true), (10, 90, true), (10, 200, false)] {
            let all = left(seen, comments);
            let (text, is_whole) = all.text(Path::new("/w"), 0);
            let text = text.expect("something");
            assert!(text.len() <= MOST && is_whole == whole, "{seen} {comments}");
            let (read, _) = read(&[(key(Path::new("/w")), text)], 9);
            let read = &read[Path::new("/w")];
            assert_eq!(read.comments, all.comments[..read.comments.len()]);
            assert!(read.comments.len() == comments || !whole);
        }
    }
}
