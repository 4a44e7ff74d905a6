//! Files that differ as a tree: folders that have nothing but one folder in them are one row with it.

use std::collections::HashSet;

use maestro_core::changes::File;

/// A row of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A folder.
    Folder {
        /// All of its path, with a slash at the end.
        path: String,
        /// What is shown of it.
        name: String,
        /// How deep it lies.
        depth: usize,
        /// How many files are below it.
        files: usize,
        /// Whether what is below it is not shown.
        is_folded: bool,
    },
    /// A file: which one of the list.
    File {
        /// Its place in the list.
        at: usize,
        /// Its name without the folders above it.
        name: String,
        /// How deep it lies.
        depth: usize,
    },
}

/// The rows of a list of files that is sorted by path.
#[must_use]
pub fn rows(files: &[File], folded: &HashSet<String>) -> Vec<Row> {
    let names: Vec<_> = files.iter().map(|file| file.name.shown()).collect();
    of_names(&names, &|path| folded.contains(path))
}

/// The rows of paths that are sorted.
pub fn of_names(names: &[impl AsRef<str>], is_folded: &dyn Fn(&str) -> bool) -> Vec<Row> {
    let names: Vec<(usize, &str)> = names.iter().map(AsRef::as_ref).enumerate().collect();
    let mut rows = Vec::with_capacity(64);
    level(&names, "", 0, is_folded, &mut rows);
    rows
}

fn level(
    names: &[(usize, &str)],
    above: &str,
    depth: usize,
    is_folded: &dyn Fn(&str) -> bool,
    rows: &mut Vec<Row>,
) {
    let rest = |name: &str| name[above.len()..].to_owned();
    let mut from = 0;
    while from < names.len() {
        let (at, name) = &names[from];
        let Some((first, _)) = name[above.len()..].split_once('/') else {
            rows.push(Row::File { at: *at, name: rest(name), depth });
            from += 1;
            continue;
        };
        let mut path = format!("{above}{first}/");
        let below = names[from..].iter().take_while(|(_, name)| name.starts_with(&path)).count();
        let inside = &names[from..from + below];
        // A folder with nothing but a folder in it is shown together with that one.
        while let Some((next, _)) =
            inside[0].1.get(path.len()..).and_then(|rest| rest.split_once('/'))
        {
            let deeper = format!("{path}{next}/");
            if !inside.iter().all(|(_, name)| name.starts_with(&deeper)) {
                break;
            }
            path = deeper;
        }
        let is_shut = is_folded(&path);
        rows.push(Row::Folder {
            name: path[above.len()..].trim_end_matches('/').to_owned(),
            path: path.clone(),
            depth,
            files: below,
            is_folded: is_shut,
        });
        if !is_shut {
            level(inside, &path, depth + 1, is_folded, rows);
        }
        from += below;
    }
}

#[cfg(test)]
mod tests {
    use maestro_core::changes::{Entry, EntryKind, Status};

    use super::*;

    fn drawn(names: &[&str], folded: &[&str]) -> Vec<String> {
        let nothing = Entry { kind: EntryKind::File, size: None, id: None };
        let files: Vec<File> = names
            .iter()
            .map(|name| File {
                name: (*name).into(),
                old_name: None,
                status: Status::Modified,
                before: nothing.clone(),
                after: nothing.clone(),
                added: None,
                removed: None,
            })
            .collect();
        let folded = folded.iter().map(|path| (*path).to_owned()).collect();
        rows(&files, &folded)
            .into_iter()
            .map(|row| match row {
                Row::Folder { name, depth, files, is_folded, .. } => {
                    format!(
                        "{}{name}/ {files}{}",
                        "  ".repeat(depth),
                        if is_folded { " +" } else { "" }
                    )
                }
                Row::File { name, depth, .. } => format!("{}{name}", "  ".repeat(depth)),
            })
            .collect()
    }

    #[test]
    fn folders_stand_over_their_files() {
        assert_eq!(
            drawn(&["Cargo.toml", "src/api/mod.rs", "src/api/routes.rs", "src/lib.rs"], &[]),
            ["Cargo.toml", "src/ 3", "  api/ 2", "    mod.rs", "    routes.rs", "  lib.rs"]
        );
    }

    #[test]
    fn a_chain_of_folders_is_one_row() {
        assert_eq!(
            drawn(&["crates/core/src/a.rs", "crates/core/src/b/c.rs", "docs/x.md"], &[]),
            ["crates/core/src/ 2", "  a.rs", "  b/ 1", "    c.rs", "docs/ 1", "  x.md"]
        );
    }

    #[test]
    fn what_is_folded_has_one_row() {
        assert_eq!(drawn(&["a/b.rs", "a/c.rs", "d.rs"], &["a/"]), ["a/ 2 +", "d.rs"]);
    }

    #[test]
    fn names_that_begin_alike_are_no_folder() {
        assert_eq!(drawn(&["a-b/c", "a/b", "ab"], &[]), ["a-b/ 1", "  c", "a/ 1", "  b", "ab"]);
    }
}
