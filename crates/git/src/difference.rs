//! How two trees differ.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::repository;
use crate::{Git, Result};

/// Names of files that are read at most, in bytes. More is cut: whoever asks is a person or a comparison
/// of one task's work.
const NAMES: usize = 16 << 20;

/// A difference, bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Unified, with control characters made visible.
    pub text: String,
    /// Whether there was more.
    pub cut: bool,
}

impl Git {
    /// How two trees (or commits, by id) of a repository differ, at most so many bytes of it. Neither
    /// programs that the repository names for showing files nor anything else of its is run.
    ///
    /// # Errors
    ///
    /// When one of them is not there.
    pub fn difference(
        &self,
        directory: &Path,
        from: &str,
        to: &str,
        enough: usize,
    ) -> Result<Difference> {
        let output = self
            .reading(directory, "diff-tree")
            .args(["-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames"])
            .args(["-l500", "--src-prefix=a/", "--dst-prefix=b/", "--end-of-options"])
            .arg(from)
            .arg(to)
            .arg("--")
            .enough(enough)
            .run()?;
        let cut = output.cut;
        let bytes = if cut { output.stdout } else { output.success()? };
        Ok(Difference { text: visible(&String::from_utf8_lossy(&bytes)), cut })
    }

    /// The files that differ between two trees (or commits, by id), relative to the checkout.
    ///
    /// # Errors
    ///
    /// When one of them is not there, or more differ than a list of 16 MiB holds.
    pub fn differing(&self, directory: &Path, from: &str, to: &str) -> Result<Vec<PathBuf>> {
        let entries = self.entries(directory, from, to)?;
        Ok(entries.into_iter().map(|entry| entry.path).collect())
    }

    /// The same with what they are.
    pub(crate) fn entries(&self, directory: &Path, from: &str, to: &str) -> Result<Vec<Entry>> {
        let output = self
            .reading(directory, "diff-tree")
            .args(["-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--end-of-options"])
            .arg(from)
            .arg(to)
            .arg("--")
            .enough(NAMES)
            .run()?;
        if output.cut {
            return Err(crate::Error::TooMuch { command: "diff-tree".into(), limit: NAMES });
        }
        let bytes = output.success()?;
        let mut records = bytes.split(|byte| *byte == 0);
        let mut entries = Vec::new();
        // ":100644 100755 ID ID M", then the path.
        while let (Some(record), Some(name)) = (records.next(), records.next()) {
            let record = String::from_utf8_lossy(record);
            let mut words = record.trim_start_matches(':').split(' ');
            let (Some(was), Some(is)) = (words.next(), words.next()) else { continue };
            let id = words.nth(1).unwrap_or_default();
            entries.push(Entry {
                now: format!("{is} {id}"),
                path: repository::path(name)?,
                name: name.to_vec(),
                was: Kind::of(was),
                is: Kind::of(is),
            });
        }
        Ok(entries)
    }
}

/// A file that differs.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    /// As git has it.
    pub(crate) name: Vec<u8>,
    /// Its mode and id in the second tree.
    pub(crate) now: String,
    pub(crate) was: Kind,
    pub(crate) is: Kind,
}

/// What is at a path of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nothing,
    File,
    /// A repository of its own.
    Submodule,
}

impl Kind {
    fn of(mode: &str) -> Self {
        match mode {
            "000000" => Self::Nothing,
            "160000" => Self::Submodule,
            _ => Self::File,
        }
    }
}

/// Control characters, and those that change the order in which others are shown, made visible.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => shown.push('\u{2421}'),
            c if c.is_control() || crate::process::is_bidi(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_made_visible() {
        for (text, expected) in [
            ("+a\tb\n", "+a\tb\n"),
            ("+\u{1b}[2J\r\n", "+␛[2J␍\n"),
            ("\u{7f}\u{9b}\u{202e}x", "␡\\u{9b}\\u{202e}x"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }
}
