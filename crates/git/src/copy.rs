//! Ignored files that a new worktree gets from the main checkout: what `.worktreeinclude` names (patterns as
//! in `.gitignore`) and git ignores. Copied on write where the file system can, never out of the tree, and
//! never over something that is there.

use std::fs;
use std::io::Write as _;
use std::path::{Component, Path};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::{Git, Result};

/// The file with patterns.
pub const INCLUDE: &str = ".worktreeinclude";

/// Files that are copied at most.
const FILES: u64 = 500_000;
/// Bytes that are copied at most where they cannot be shared.
const BYTES: u64 = 4 << 30;
/// Bytes of patterns.
const PATTERNS: u64 = 256 << 10;
/// Names of what was passed over that are kept.
const NAMED: usize = 5;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copied {
    /// Files and links.
    pub files: u64,
    /// Bytes that were really written: those that are shared do not count.
    pub bytes: u64,
    /// What was passed over, with the reason; the first few.
    pub passed_over: Vec<String>,
    /// How many were.
    pub passed: u64,
}

impl Copied {
    fn pass(&mut self, path: &Path, why: &str) {
        self.passed += 1;
        if self.passed_over.len() < NAMED {
            self.passed_over.push(format!("{} ({why})", path.display()));
        }
    }
}

impl Git {
    /// Copies ignored files from one checkout into another of the same repository: those that `more` or the
    /// first one's `.worktreeinclude` names.
    ///
    /// # Errors
    ///
    /// When one of them is no checkout, or git's; [`Error::Stopped`]. A file that cannot be copied is passed
    /// over.
    pub fn copy_ignored(
        &self,
        from: &Path,
        to: &Path,
        more: &[String],
        stop: &Arc<AtomicBool>,
    ) -> Result<Copied> {
        let Some(from) = self.repository(from)?.checkout else { return Ok(Copied::default()) };
        let Some(to) = self.repository(to)?.checkout else { return Ok(Copied::default()) };
        let Some(patterns) = patterns(&from, more)? else { return Ok(Copied::default()) };
        let mut exclude = std::ffi::OsString::from("--exclude-from=");
        exclude.push(patterns.path());
        let named = self
            .reading(&from, "ls-files")
            .args(["--others", "--ignored", "--directory", "-z"])
            .arg(exclude)
            .output()?;
        if named.is_empty() {
            return Ok(Copied::default());
        }
        // Of what is named only what git ignores: the rest is somebody's work and not ours to spread.
        let ignored =
            self.reading(&from, "check-ignore").args(["-z", "--stdin"]).stdin(named).run()?;
        let mut copied = Copied::default();
        for name in ignored.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let Ok(name) = crate::repository::path(name) else { continue };
            if name.components().any(|part| !matches!(part, Component::Normal(_))) {
                continue;
            }
            copy(&from, &to, &name, &mut copied, stop)?;
        }
        Ok(copied)
    }
}

/// The patterns in a file of their own; `None` when there are none.
fn patterns(from: &Path, more: &[String]) -> Result<Option<tempfile::NamedTempFile>> {
    let mut text = Vec::new();
    let path = from.join(INCLUDE);
    // A link could name any file of the disk.
    if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= PATTERNS) {
        text = fs::read(&path)
            .map_err(|source| Error::Unreadable { path: path.clone(), source: Arc::new(source) })?;
    }
    for pattern in more {
        text.push(b'\n');
        text.extend(pattern.bytes().filter(|byte| *byte != b'\n'));
    }
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    text.push(b'\n');
    let written = tempfile::NamedTempFile::new().and_then(|mut file| {
        file.write_all(&text)?;
        Ok(file)
    });
    let broken = |source| Error::Folder { path: std::env::temp_dir(), source: Arc::new(source) };
    written.map(Some).map_err(broken)
}

/// Copies a file, a link or a folder with all that is in it.
fn copy(
    from: &Path,
    to: &Path,
    name: &Path,
    copied: &mut Copied,
    stop: &Arc<AtomicBool>,
) -> Result<()> {
    let mut left = vec![name.to_owned()];
    while let Some(name) = left.pop() {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped { command: "copy".to_owned() });
        }
        let (source, target) = (from.join(&name), to.join(&name));
        let Ok(found) = fs::symlink_metadata(&source) else { continue };
        if copied.files >= FILES {
            copied.pass(&name, "too many files");
            return Ok(());
        }
        if !has_own_parents(to, &name) {
            copied.pass(&name, "a link or a file is in the way");
            continue;
        }
        let there = fs::symlink_metadata(&target);
        if found.is_dir() {
            // Another repository's worktree is not copied: it would be a second one with the same name.
            if source.join(".git").exists() {
                copied.pass(&name, "it is a repository of its own");
                continue;
            }
            let is_folder = there.as_ref().is_ok_and(fs::Metadata::is_dir);
            if !is_folder && (there.is_ok() || fs::create_dir_all(&target).is_err()) {
                copied.pass(&name, "a file is in the way");
                continue;
            }
            let _ = fs::set_permissions(&target, found.permissions());
            let entries = fs::read_dir(&source).into_iter().flatten().flatten();
            left.extend(entries.map(|entry| name.join(entry.file_name())));
            continue;
        }
        if there.is_ok() {
            // What is there is the user's, or was copied before.
            continue;
        }
        if let Some(parent) = target.parent() {
            let _ = fs::create_dir_all(parent);
        }
        if found.is_symlink() {
            match fs::read_link(&source) {
                Ok(link) if stays_inside(&name, &link) => {
                    if make_link(&link, &target).is_ok() {
                        copied.files += 1;
                    }
                }
                _ => copied.pass(&name, "it leads out of the checkout"),
            }
        } else if found.is_file() {
            if copied.bytes + found.len() > BYTES
                && reflink_copy::reflink(&source, &target).is_err()
            {
                copied.pass(&name, "too much to copy");
                continue;
            }
            if fs::symlink_metadata(&target).is_ok() {
                copied.files += 1;
                continue;
            }
            match reflink_copy::reflink_or_copy(&source, &target) {
                Ok(written) => {
                    copied.bytes += written.unwrap_or(0);
                    copied.files += 1;
                    let _ = fs::set_permissions(&target, found.permissions());
                }
                Err(error) => copied.pass(&name, &error.to_string()),
            }
        } else {
            copied.pass(&name, "it is no file");
        }
    }
    Ok(())
}

#[cfg(unix)]
fn make_link(link: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(link, at)
}

#[cfg(not(unix))]
fn make_link(_: &Path, _: &Path) -> std::io::Result<()> {
    // Making one needs a right that few have there.
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Whether every folder above a name is one of the tree's own and no link.
fn has_own_parents(to: &Path, name: &Path) -> bool {
    let mut folder = to.to_owned();
    let Some(parents) = name.parent() else { return false };
    for part in parents.components() {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return false,
            // What is below is made by us.
            Err(_) => return true,
        }
    }
    true
}

/// Whether a link at this name below a tree leads to something below the same tree.
fn stays_inside(name: &Path, link: &Path) -> bool {
    if link.as_os_str().is_empty() || link.is_absolute() {
        return false;
    }
    let mut depth = name.components().count().saturating_sub(1);
    for part in link.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

impl Git {
    /// Checks out the submodules that are set up in the repository, as git does it. Gives whether there are
    /// any.
    ///
    /// # Errors
    ///
    /// Git's, also when nobody answers.
    pub fn update_submodules(&self, directory: &Path, stop: &Arc<AtomicBool>) -> Result<bool> {
        let repository = self.repository(directory)?;
        let Some(root) = repository.checkout else { return Ok(false) };
        if !root.join(".gitmodules").is_file() {
            return Ok(false);
        }
        let known = self
            .reading(&root, "config")
            .args(["--local", "--get-regexp", "^submodule\\..*\\.url$"])
            .run()?;
        if known.stdout.is_empty() {
            return Ok(false);
        }
        let _ = self
            .writing(&root, "submodule")
            .until(stop)
            .args(["--quiet", "update", "--recursive"])
            .output()?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_the_tree_are_known() {
        let check = |name: &str, link: &str, expected: bool| {
            assert_eq!(stays_inside(Path::new(name), Path::new(link)), expected, "{name} {link}");
        };
        check("a/b", "c", true);
        check("a/b", "../c", true);
        check("a/b", "../../c", false);
        check("b", "../c", false);
        check("b", "/etc", false);
        check("a/b", "x/../../../y", false);
        check("node_modules/.bin/x", "../pkg/x.js", true);
        check("b", "", false);
    }
}
