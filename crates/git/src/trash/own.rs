//! What git knows of one worktree alone (`gitrepository-layout(5)`, `worktrees/<id>/`): references that are its
//! own, a search that goes on, settings, which files are left out, the log of its head.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use git2::{ObjectType, Oid, TreeWalkMode, TreeWalkResult};

use super::{IGNORED, REFLOG, at, bytes_of, cannot, entry, failed};
use crate::Result;
use crate::error::Error;
use crate::repository::Repository;

/// Files of git by their names below the worktree's git directory, with slashes.
pub(super) type Own = BTreeMap<Vec<u8>, Vec<u8>>;

/// The entries of what is kept: these files, and what is no commit and has nothing but a reference of theirs.
const FILES: &str = "own";
const NAMED: &str = "named";

/// What is made anew with a worktree, what says where things are, and what only helps git to be quick.
const NOT: [&[u8]; 9] = [
    b"HEAD",
    b"index",
    b"commondir",
    b"gitdir",
    b"locked",
    b"modules",
    b"reftable",
    b"FETCH_HEAD",
    b"lfs",
];

/// The files there are; none for a main checkout, which is not removed.
pub(super) fn read(found: &Repository) -> Result<Own> {
    let mut own = Own::new();
    if found.git_dir != found.common_dir {
        read_folder(&found.git_dir, b"", &mut own)?;
    }
    Ok(own)
}

fn read_folder(folder: &Path, above: &[u8], own: &mut Own) -> Result<()> {
    let unread =
        |path: &Path, source| Error::Unreadable { path: path.to_owned(), source: Arc::new(source) };
    for inside in fs::read_dir(folder).map_err(|source| unread(folder, source))? {
        let inside = inside.map_err(|source| unread(folder, source))?;
        let (path, name) = (inside.path(), bytes_of(Path::new(&inside.file_name())));
        let is_left = above.is_empty() && NOT.contains(&&name[..])
            || [&b"maestro-"[..], b"sharedindex.", b"fsmonitor"]
                .iter()
                .any(|no| name.starts_with(no))
            || name.ends_with(b".lock");
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        let name = [above, &name].concat();
        if is_left {
            continue;
        }
        if about.is_dir() {
            read_folder(&path, &[&name[..], b"/"].concat(), own)?;
        } else if about.is_file() {
            let is_log = name.starts_with(b"logs/");
            if about.len() > IGNORED && !is_log {
                return Err(cannot(&name, "is a file of git's own that is too large to be kept"));
            }
            let content = fs::read(&path).map_err(|source| unread(&path, source))?;
            let content = if is_log { last(&content) } else { content };
            let _ = own.insert(name, content);
        }
    }
    Ok(())
}

/// The entries of a log whose commits are kept: others would name what is not there any more.
fn last(log: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    lines[lines.len().saturating_sub(REFLOG)..].concat()
}

/// Puts the files into what is kept; gives the commits that nothing else may name.
pub(super) fn keep(
    repository: &git2::Repository,
    own: &Own,
    root: &mut git2::TreeBuilder<'_>,
) -> Result<Vec<Oid>> {
    let broken = |error: git2::Error| failed(repository.path(), &error);
    let mut files = git2::Index::new().map_err(broken)?;
    let mut named = repository.treebuilder(None).map_err(broken)?;
    let mut commits = Vec::new();
    for (name, content) in own {
        let id = repository.blob(content).map_err(broken)?;
        files.add(&entry(name, super::FILE, id)).map_err(broken)?;
        // The log of the head is read by who keeps its commits.
        if name == b"logs/HEAD" {
            continue;
        }
        for id in ids(content) {
            let Ok(object) = repository.find_object(id, None) else { continue };
            let mode = match object.kind() {
                Some(ObjectType::Commit) => {
                    commits.push(id);
                    continue;
                }
                // Elsewhere it is only mentioned.
                _ if !name.starts_with(b"refs/") => continue,
                Some(ObjectType::Blob) => 0o100_644,
                Some(ObjectType::Tree) => 0o040_000,
                _ => {
                    let because = "is a reference of this worktree alone that names a tag with a \
                                   message, which cannot be kept; delete it or name the commit";
                    return Err(cannot(name, because));
                }
            };
            let _ = named.insert(id.to_string(), id, mode).map_err(broken)?;
        }
    }
    let files = files.write_tree_to(repository).map_err(broken)?;
    let _ = root.insert(FILES, files, 0o040_000).map_err(broken)?;
    let named = named.write().map_err(broken)?;
    let _ = root.insert(NAMED, named, 0o040_000).map_err(broken)?;
    Ok(commits)
}

/// The ids in a file of git's.
fn ids(content: &[u8]) -> impl Iterator<Item = Oid> {
    let words = content.split(u8::is_ascii_whitespace);
    let whole = words.filter(|word| word.len() == 40);
    whole.filter_map(|word| Oid::from_str(std::str::from_utf8(word).ok()?).ok())
}

/// Puts the files back into the git directory of a worktree.
pub(super) fn put_back(
    repository: &git2::Repository,
    kept: &git2::Tree<'_>,
    git_dir: &Path,
) -> Result<()> {
    let broken = |error: git2::Error| failed(git_dir, &error);
    let Some(files) = kept.get_name(FILES) else { return Ok(()) };
    let files = repository.find_tree(files.id()).map_err(broken)?;
    let mut all = Vec::new();
    let walked = files.walk(TreeWalkMode::PreOrder, |folder, found| {
        if found.kind() == Some(ObjectType::Blob) {
            all.push(([folder.as_bytes(), found.name_bytes()].concat(), found.id()));
        }
        TreeWalkResult::Ok
    });
    walked.map_err(broken)?;
    for (name, id) in all {
        let path = at(git_dir, &name)?;
        let content = repository.find_blob(id).map_err(broken)?;
        let folder = path.parent().unwrap_or(git_dir);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, content.content()));
        written.map_err(|source| Error::Folder { path, source: Arc::new(source) })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_the_files_of_git() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        for (content, expected) in [
            (String::new(), 0),
            (format!("{id}\n"), 1),
            (format!("git bisect bad {id} {id}\n# {id}"), 3),
            (format!("{id}8\nref: refs/heads/main\n{}", "z".repeat(40)), 0),
        ] {
            assert_eq!(ids(content.as_bytes()).count(), expected, "{content}");
        }
    }

    #[test]
    fn of_a_log_the_last_entries_are_kept() {
        let log: String = (0..REFLOG + 2).map(|line| format!("{line}\n")).collect();
        let last = last(log.as_bytes());
        assert!(last.starts_with(b"2\n3\n") && last.ends_with(b"501\n"));
        assert_eq!(super::last(b"one"), b"one");
    }
}
