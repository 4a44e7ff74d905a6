//! Files of an agent's directory for mentions: git's own list where there is one, so that what the user
//! ignores stays out.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use maestro_core::fuzzy;
use tokio::io::AsyncReadExt as _;

/// For how long a list is good.
const FRESH: Duration = Duration::from_secs(4);
/// The most bytes of names.
const BYTES: u64 = 32 << 20;
/// The most files.
const FILES: usize = 300_000;
/// How long git may take.
const LIMIT: Duration = Duration::from_secs(8);
/// Lists that are kept.
const LISTS: usize = 8;
/// Names that are left out where there is no git to ask.
const SKIPPED: [&str; 4] = ["node_modules", "target", "__pycache__", ".git"];

type Names = Arc<Vec<String>>;

/// The lists that were made lately.
#[derive(Debug, Default)]
pub(crate) struct Files {
    known: Mutex<HashMap<PathBuf, (Instant, Names)>>,
}

/// Paths below a directory that have these letters in them, best first.
pub(crate) async fn find(
    files: &Files,
    directory: &Path,
    environment: Vec<(OsString, OsString)>,
    letters: &str,
    most: usize,
) -> Vec<String> {
    let names = known(files, directory, environment).await;
    let letters = letters.to_owned();
    crate::host::blocking(move || best(&names, &letters, most)).await.unwrap_or_default()
}

/// The first so many paths below a directory, in their order.
pub(crate) async fn list(
    files: &Files,
    directory: &Path,
    environment: Vec<(OsString, OsString)>,
    most: usize,
) -> Vec<String> {
    let names = known(files, directory, environment).await;
    let sorted = move || {
        let mut names: Vec<String> = names.iter().cloned().collect();
        names.sort_unstable();
        names.truncate(most);
        names
    };
    crate::host::blocking(sorted).await.unwrap_or_default()
}

/// All paths below a directory, as they were a moment ago.
async fn known(files: &Files, directory: &Path, environment: Vec<(OsString, OsString)>) -> Names {
    let known = {
        let known = files.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(directory)
            .filter(|(at, _)| at.elapsed() < FRESH)
            .map(|(_, names)| Arc::clone(names))
    };
    match known {
        Some(names) => names,
        None => {
            let names = match git(directory, environment).await {
                Some(names) => names,
                None => {
                    let directory = directory.to_owned();
                    crate::host::blocking(move || walk(&directory)).await.unwrap_or_default()
                }
            };
            let names = Arc::new(names);
            let mut known = files.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= LISTS {
                known.retain(|_, (at, _)| at.elapsed() < FRESH);
            }
            if known.len() >= LISTS {
                known.clear();
            }
            let _ = known.insert(directory.to_owned(), (Instant::now(), Arc::clone(&names)));
            names
        }
    }
}

/// The best of them. A match in the file's own name is better than one spread over its folders, and a short
/// path better than a long one.
fn best(names: &[String], letters: &str, most: usize) -> Vec<String> {
    let mut found: Vec<(i64, usize, &String)> = names
        .iter()
        .filter_map(|name| {
            let whole = fuzzy::find(letters, name)?;
            let own = name.rsplit('/').next().unwrap_or(name);
            let own = fuzzy::find(letters, own).map_or(0, |found| i64::from(found.score) + 20);
            Some((-(i64::from(whole.score).max(own)), name.len(), name))
        })
        .collect();
    found.sort();
    found.into_iter().take(most).map(|(_, _, name)| name.clone()).collect()
}

async fn git(directory: &Path, environment: Vec<(OsString, OsString)>) -> Option<Vec<String>> {
    let mut command = tokio::process::Command::new("git");
    let _ = command
        // The repository's own settings start nothing.
        .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
        .args(["ls-files", "-z", "-c", "-o", "--exclude-standard"])
        .arg("--deduplicate")
        .current_dir(directory)
        .env_clear()
        .envs(environment)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().ok()?;
    let stdout = child.stdout.take()?;
    let mut bytes = Vec::new();
    let read = async {
        let _ = stdout.take(BYTES).read_to_end(&mut bytes).await.ok()?;
        Some(bytes)
    };
    let bytes = tokio::time::timeout(LIMIT, read).await.ok()??;
    if bytes.len() < BYTES as usize {
        let status = tokio::time::timeout(LIMIT, child.wait()).await.ok()?.ok()?;
        if !status.success() {
            return None;
        }
    }
    let names = bytes
        .split(|byte| *byte == 0)
        .filter_map(|name| std::str::from_utf8(name).ok())
        .filter(|name| !name.is_empty() && !name.chars().any(char::is_control));
    Some(names.take(FILES).map(str::to_owned).collect())
}

/// What lies below a directory that is in no repository. Links are not followed.
fn walk(root: &Path) -> Vec<String> {
    let begin = Instant::now();
    let mut names = Vec::new();
    let mut folders = std::collections::VecDeque::from([root.to_owned()]);
    while let Some(folder) = folders.pop_front() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            if names.len() >= FILES / 10 || begin.elapsed() > LIMIT / 4 {
                return names;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let path = entry.path();
            if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name) {
                folders.push_back(path);
            } else if kind.is_file()
                && let Some(below) = path.strip_prefix(root).ok().and_then(Path::to_str)
                && !below.chars().any(char::is_control)
            {
                names.push(below.to_owned());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_own_name_counts_most() {
        let names: Vec<String> = ["src/cart/model.rs", "src/model/cart.rs", "cart.rs", "README.md"]
            .map(Into::into)
            .into();
        assert_eq!(best(&names, "cart", 2), ["cart.rs", "src/model/cart.rs"]);
        assert_eq!(best(&names, "zzz", 5), Vec::<String>::new());
        assert_eq!(best(&names, "", 9).len(), 4);
    }

    #[tokio::test]
    async fn ignored_files_are_left_out_and_folders_without_git_are_walked() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        std::fs::create_dir_all(root.join("node_modules/x")).expect("made");
        for file in ["a.txt", "b.log", "node_modules/x/c.txt"] {
            std::fs::write(root.join(file), "x").expect("written");
        }
        let env: Vec<_> = std::env::vars_os().collect();
        let files = Files::default();
        let found = find(&files, &root, env.clone(), "", 10).await;
        assert_eq!(found, ["a.txt", "b.log"]);
        std::fs::write(root.join(".gitignore"), "*.log\nnode_modules\n").expect("written");
        let init = std::process::Command::new("git").arg("init").arg("-q").arg(&root).status();
        assert!(init.is_ok_and(|status| status.success()));
        let found = find(&Files::default(), &root, env, "", 10).await;
        assert_eq!(found, ["a.txt", ".gitignore"]);
    }
}
