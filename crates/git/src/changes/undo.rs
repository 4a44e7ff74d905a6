//! Putting back what was discarded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use maestro_core::changes::{Discard, EntryKind, Name};

use super::discard::{AFTER, BEFORE, JoinName as _, KEPT, Stamp, TITLE, put};
use super::entry;
use crate::error::Error;
use crate::process::is_bidi;
use crate::restore::remove;
use crate::tree::checkout;
use crate::{Git, Result};

/// A kept file as it is in the repository.
type Files = BTreeMap<Name, (EntryKind, String)>;

/// What becomes of a file.
enum Fate {
    Written(Name, EntryKind, Vec<u8>),
    Removed(Name),
}

impl Git {
    /// What was discarded in the checkout that a directory is in and can be put back, the latest first.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn discards(&self, directory: &Path) -> Result<Vec<Discard>> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let output = self
            .reading(checkout, "for-each-ref")
            .arg("--format=%(refname)%0a%(contents)%00")
            .arg(format!("refs/maestro/{KEPT}"))
            .output()?;
        let text = String::from_utf8_lossy(&output);
        let here = format!("checkout {}", Name::of_path(checkout));
        let mut found: Vec<Discard> = text
            .split('\0')
            .filter_map(|record| {
                let mut lines = record.trim_start_matches('\n').lines();
                let id = lines.next()?.rsplit('/').next()?.to_owned();
                let at_ms = id.parse().ok()?;
                if lines.next()? != TITLE || !lines.any(|line| line == here) {
                    return None;
                }
                let files = lines.filter_map(|line| line.strip_prefix("file "));
                let clean = |name: &str| -> String {
                    name.chars().filter(|c| !c.is_control() && !is_bidi(*c)).collect()
                };
                Some(Discard { id, at_ms, files: files.map(|f| Name::from(clean(f))).collect() })
            })
            .collect();
        found.sort_by(|a, b| b.id.cmp(&a.id));
        Ok(found)
    }

    /// Puts back what was discarded; the latest discard when none is named. A file that was changed since is
    /// brought together with what was discarded, as far as both fit. Nothing is done unless all can be.
    /// Gives the discard, which is forgotten then.
    ///
    /// # Errors
    ///
    /// [`Error::NoDiscard`], [`Error::CannotChange`] when a file was changed since in the same places, and
    /// [`Error::ChangedMeanwhile`] when one is written just now.
    pub fn undo_discard(&self, directory: &Path, id: Option<&str>, now_ms: u64) -> Result<Discard> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let all = self.discards(checkout)?;
        let found = match id {
            Some(id) => all.into_iter().find(|discard| discard.id == id),
            None => all.into_iter().next(),
        };
        let discard = found.ok_or(Error::NoDiscard)?;
        let at = format!("refs/maestro/{KEPT}/{}", discard.id);
        let before = self.kept_files(checkout, &at, BEFORE)?.unwrap_or_default();
        let after = self.kept_files(checkout, &at, AFTER)?;
        let mut names: Vec<Name> =
            before.keys().chain(after.iter().flat_map(|a| a.keys())).cloned().collect();
        names.sort();
        names.dedup();
        let stamps: Vec<Stamp> =
            names.iter().map(|name| Stamp::of(&checkout.join_name(name))).collect();
        let now = self.raw(checkout, &names)?;
        let mut fates = Vec::new();
        for (name, now) in &now {
            let was = before.get(name);
            if now.as_ref() == was {
                continue;
            }
            let left = after.as_ref().map(|after| after.get(name));
            // Without it (the host died in between) what is there now is kept below.
            if left.is_some_and(|left| left != now.as_ref()) {
                fates.push(self.together(checkout, name, now, left.flatten(), was)?);
                continue;
            }
            fates.push(match was {
                None => Fate::Removed(name.clone()),
                Some((kind, id)) => Fate::Written(name.clone(), *kind, self.blob(checkout, id)?),
            });
        }
        let changed = names
            .iter()
            .zip(&stamps)
            .find(|(name, stamp)| Stamp::of(&checkout.join_name(name)) != **stamp);
        if let Some((name, _)) = changed {
            return Err(Error::ChangedMeanwhile { name: name.to_string() });
        }
        if after.is_none() {
            let _ = self.keep_discard(checkout, &names, &now, None, now_ms)?;
        }
        for fate in &fates {
            match fate {
                Fate::Removed(name) => {
                    if let Some(path) = name.to_path() {
                        remove(checkout, &path)?;
                    }
                }
                Fate::Written(name, kind, content) => put(checkout, name, content, *kind)?,
            }
        }
        let _ = self.forget(checkout, &format!("{KEPT}/{}", discard.id))?;
        Ok(discard)
    }

    /// A file that was changed since, together with what was discarded of it.
    fn together(
        &self,
        checkout: &Path,
        name: &Name,
        now: &Option<(EntryKind, String)>,
        left: Option<&(EntryKind, String)>,
        was: Option<&(EntryKind, String)>,
    ) -> Result<Fate> {
        let cannot = || Error::CannotChange {
            name: name.to_string(),
            because: "was changed since, in a way that does not fit what was discarded".to_owned(),
        };
        let (Some((kind, now)), Some((_, left)), Some((_, was))) = (now, left, was) else {
            return Err(cannot());
        };
        if *kind == EntryKind::Link {
            return Err(cannot());
        }
        let own =
            |source| Error::Process { command: "merge-file".into(), source: Arc::new(source) };
        let scratch = tempfile::Builder::new().prefix("maestro-merge-").tempdir().map_err(own)?;
        for (file, id) in [("now", now), ("left", left), ("was", was)] {
            fs::write(scratch.path().join(file), self.blob(checkout, id)?).map_err(own)?;
        }
        let output = self
            .reading(scratch.path(), "merge-file")
            .args(["-p", "-q", "now", "left", "was"])
            .run()?;
        // Otherwise the number of conflicts, or no text.
        if output.code != Some(0) {
            return Err(cannot());
        }
        Ok(Fate::Written(name.clone(), *kind, output.stdout))
    }

    /// The files in one folder of what is kept; `None` where that was never written down.
    fn kept_files(&self, checkout: &Path, at: &str, folder: &str) -> Result<Option<Files>> {
        let output =
            self.reading(checkout, "ls-tree").args(["-r", "-z", "--full-tree"]).arg(at).output()?;
        let (inside, mark) = (format!("{folder}/"), format!("{folder}.is"));
        let (mut files, mut is_there) = (Files::new(), false);
        for record in output.split(|byte| *byte == 0) {
            let Some(tab) = record.iter().position(|byte| *byte == b'\t') else { continue };
            let (facts, name) = (String::from_utf8_lossy(&record[..tab]), &record[tab + 1..]);
            is_there |= name == mark.as_bytes();
            let mut words = facts.split(' ');
            let (Some(mode), Some(id)) = (words.next(), words.nth(1)) else { continue };
            if let Some(name) = name.strip_prefix(inside.as_bytes()) {
                let _ = files.insert(Name::from(name), (entry(mode, id).kind, id.to_owned()));
            }
        }
        Ok(is_there.then_some(files))
    }
}
