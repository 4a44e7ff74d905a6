//! Rehearsed merges: every pair of a repository's worktrees, with what is not committed, merged in memory
//! by git's own strategy.
//!
//! Nothing of it is left in the repository: trees, commits and merged files go to an object folder of our
//! own, which reads the repository's as its alternate (`gitrepository-layout(5)`). What was found out is
//! kept as long as neither side changes, so that a save costs one row of the matrix.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use maestro_core::conflict::{Cell, Clash, Fit, MAX_FILES, Matrix, Side, hunks};

use crate::error::Error;
use crate::process::{self, Version};
use crate::repository;
use crate::train::shown;
use crate::{Git, Repository, Result, Shared, Worktree};

/// Since when git merges without a checkout.
const MERGES_IN_MEMORY: Version = Version { major: 2, minor: 38 };
/// Since when it takes many merges at once.
const MERGES_MANY: Version = Version { major: 2, minor: 40 };
/// Merges given to one process, so that each stays well within its time.
const BATCH: usize = 400;
/// Pairs that are remembered. Beyond, everything is forgotten and found out anew.
const REMEMBERED: usize = 20_000;
/// Worktrees that are compared at most: five thousand pairs.
const MAX_SIDES: usize = 100;
/// Bytes of our own objects beyond which they are thrown away: saves make new ones all day.
const MAX_OBJECTS: u64 = 256 << 20;
/// A merged file is looked at up to here.
const MAX_FILE: usize = 1 << 20;
/// Places of a conflict that are shown, and bytes of each side of one.
const MAX_HUNKS: usize = 50;
const MAX_HUNK: usize = 4 << 10;

/// What is known about how the worktrees of one repository fit together.
#[derive(Debug)]
pub struct Rehearsal {
    /// Writes its objects into our folder.
    git: Git,
    common_dir: PathBuf,
    /// The main checkout, whose attributes say how files are merged; without one, the repository.
    root: PathBuf,
    place: PathBuf,
    merged: HashMap<(String, String), Outcome>,
    touched: HashMap<(String, String), Arc<BTreeSet<PathBuf>>>,
    /// Where two commits parted.
    bases: HashMap<(String, String), Option<String>>,
    /// What was in each worktree when it was last looked at.
    works: HashMap<PathBuf, Work>,
    /// Worktrees in this folder are nobody's work.
    left_out: Option<PathBuf>,
}

/// What came of a merge: the files that conflict, or why it could not be tried.
type Outcome = std::result::Result<Vec<PathBuf>, String>;

/// A worktree's work as a commit.
#[derive(Debug, Clone)]
struct Work {
    commit: String,
    head: String,
    is_dirty: bool,
}

impl Git {
    /// Prepares to rehearse merges in the repository that a directory is in. `place` is a folder of our
    /// own for one repository; what is in it may be thrown away at any time.
    ///
    /// # Errors
    ///
    /// [`Error::GitTooOld`] before git 2.38, [`Error::NotARepository`], and when the folder cannot be made.
    pub fn rehearsal(&self, directory: &Path, place: &Path) -> Result<Rehearsal> {
        self.needs(MERGES_IN_MEMORY, "looking for conflicts")?;
        let Repository { common_dir, root, .. } = self.repository(directory)?;
        let root = if root.is_dir() { root } else { common_dir.clone() };
        let objects = place.join("objects");
        if size(&objects) > MAX_OBJECTS {
            let _ = fs::remove_dir_all(place);
        }
        fs::create_dir_all(objects.join("info"))
            .and_then(|()| fs::create_dir_all(objects.join("pack")))
            .map_err(|source| Error::Folder { path: objects.clone(), source: Arc::new(source) })?;
        Ok(Rehearsal {
            git: self.with_objects_in(&objects, &common_dir.join("objects")),
            common_dir,
            root,
            place: place.to_owned(),
            merged: HashMap::new(),
            touched: HashMap::new(),
            bases: HashMap::new(),
            works: HashMap::new(),
            left_out: None,
        })
    }

    /// The same git, which writes new objects into a folder of ours and finds the others in the
    /// repository's.
    fn with_objects_in(&self, ours: &Path, theirs: &Path) -> Self {
        let mut environment = self.shared.environment.clone();
        environment.push(("GIT_OBJECT_DIRECTORY".into(), ours.into()));
        environment.push(("GIT_ALTERNATE_OBJECT_DIRECTORIES".into(), in_list(theirs)));
        // A merge that needs what a partial clone does not have is not worth the network.
        environment.push(("GIT_NO_LAZY_FETCH".into(), "1".into()));
        Self {
            shared: Arc::new(Shared {
                environment,
                limits: self.shared.limits,
                version: self.shared.version.clone(),
                readers: process::Gate::new(),
                programs: Arc::clone(&self.shared.programs),
                adding: std::sync::Mutex::default(),
            }),
        }
    }
}

/// A path as a member of a list that colons separate (`git(1)`, `GIT_ALTERNATE_OBJECT_DIRECTORIES`).
fn in_list(path: &Path) -> OsString {
    let text = path.to_string_lossy();
    if !text.starts_with('"') && !text.contains(if cfg!(windows) { ';' } else { ':' }) {
        return path.into();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")).into()
}

impl Rehearsal {
    /// The same, without the worktrees in a folder: merges that are made there are nobody's work.
    #[must_use]
    pub fn leaving_out(mut self, folder: PathBuf) -> Self {
        self.left_out = Some(folder.canonicalize().unwrap_or(folder));
        self
    }

    /// Whether this is about the repository with that common directory.
    #[must_use]
    pub fn is_of(&self, common_dir: &Path) -> bool {
        self.common_dir == common_dir
    }

    /// Holds every worktree against every other, and against `target` (a branch or revision; without it
    /// the branch of the first worktree).
    ///
    /// # Errors
    ///
    /// When the worktrees cannot be listed. What is wrong with a single one, or a single pair, is said
    /// there.
    pub fn matrix(&mut self, target: Option<&str>) -> Result<Matrix> {
        self.works.clear();
        self.renewed(target, &HashSet::new())
    }

    /// The same, where only these worktrees (by directory) can have other files than the last time. What
    /// was committed meanwhile is seen in all.
    ///
    /// # Errors
    ///
    /// As for [`Rehearsal::matrix`].
    pub fn renewed(&mut self, target: Option<&str>, changed: &HashSet<PathBuf>) -> Result<Matrix> {
        let began = Instant::now();
        if self.merged.len() > REMEMBERED {
            self.merged.clear();
            self.touched.clear();
            self.bases.clear();
        }
        let mut worktrees = self.git.worktrees(&self.common_dir)?;
        if let Some(folder) = &self.left_out {
            worktrees.retain(|worktree| !worktree.path.starts_with(folder));
        }
        worktrees.retain(|worktree| worktree.head.is_some() || worktree.branch.is_some());
        let too_many = worktrees.len() > MAX_SIDES;
        worktrees.truncate(MAX_SIDES);
        if too_many {
            tracing::warn!(repository = %self.common_dir.display(), "only {MAX_SIDES} worktrees are compared");
        }
        let target = target
            .map(str::to_owned)
            .or_else(|| worktrees.first().and_then(|worktree| worktree.branch.clone()));
        let aim = target.as_deref().and_then(|name| self.git.commit(&self.common_dir, name).ok());
        let mut sides = Vec::new();
        let mut works = Vec::new();
        for (number, worktree) in worktrees.into_iter().enumerate() {
            let known = self.works.get(&worktree.path).filter(|known| {
                worktree.head.as_ref() == Some(&known.head) && !changed.contains(&worktree.path)
            });
            let work = match known {
                Some(known) => Ok(known.clone()),
                None => self.work(&worktree, number),
            };
            let _ = match &work {
                Ok(work) => self.works.insert(worktree.path.clone(), work.clone()),
                Err(_) => self.works.remove(&worktree.path),
            };
            let touched = work.as_ref().ok().and_then(|work| {
                let base = self.base(aim.as_deref()?, &work.commit)?;
                self.touched(&base, &work.commit)
            });
            sides.push(Side {
                directory: worktree.path,
                branch: worktree.branch,
                head: work.as_ref().ok().map(|work| work.head.clone()),
                is_dirty: work.as_ref().is_ok_and(|work| work.is_dirty),
                touched: touched.as_ref().map_or(0, |files| bounded(files.len())),
                problem: work.as_ref().err().map(ToString::to_string),
            });
            works.push(work.ok().map(|work| (work.commit, touched)));
        }
        let mut pairs = Vec::new();
        for (a, one) in works.iter().enumerate() {
            let Some((one, _)) = one else { continue };
            if let Some(aim) = &aim {
                pairs.push((one.clone(), aim.clone()));
            }
            for (other, _) in works.iter().skip(a + 1).flatten() {
                pairs.push((one.clone(), other.clone()));
            }
        }
        self.merge(pairs);
        let mut cells = Vec::new();
        for (a, one) in works.iter().enumerate() {
            let Some((one, mine)) = one else { continue };
            if let Some(aim) = &aim {
                let fit = self.fit(one, aim, None, None);
                cells.push(Cell { a: bounded(a), b: None, fit });
            }
            for (b, other) in works.iter().enumerate().skip(a + 1) {
                let Some((other, theirs)) = other else { continue };
                let fit = self.fit(one, other, mine.as_deref(), theirs.as_deref());
                cells.push(Cell { a: bounded(a), b: Some(bounded(b)), fit });
            }
        }
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let withheld = self.git.withheld_drivers(&self.common_dir).into_iter();
        let notes = withheld
            .map(|name| {
                format!(
                    "The repository's own merge driver `{name}` was not run; what needs it counts as a \
                     conflict. `maestro trust` shows it."
                )
            })
            .collect();
        Ok(Matrix { target, sides, cells, took_ms, notes })
    }

    /// Where two worktrees (by directory), or a worktree and a revision, conflict.
    ///
    /// # Errors
    ///
    /// When one of them cannot be looked at, or git cannot merge them at all.
    pub fn clashes(&self, one: &Path, other: &Other) -> Result<Vec<Clash>> {
        let worktrees = self.git.worktrees(&self.common_dir)?;
        let commit_of = |directory: &Path| {
            let at = worktrees.iter().position(|worktree| worktree.path == directory);
            match at {
                Some(at) => self.work(&worktrees[at], at).map(|work| work.commit),
                None => Err(Error::NotARepository { path: directory.to_owned() }),
            }
        };
        let one = commit_of(one)?;
        let other = match other {
            Other::Worktree(directory) => commit_of(directory)?,
            Other::Revision(name) => self.git.commit(&self.common_dir, name)?,
        };
        let output = self
            .merging()
            .args(["-z", "--name-only", "--messages", "--end-of-options"])
            .arg(&one)
            .arg(&other)
            .run()?;
        let code = output.code;
        if !matches!(code, Some(0 | 1)) {
            return Err(output.failed());
        }
        let (tree, files, kinds) = detailed(&output.stdout)?;
        if code == Some(0) {
            return Ok(Vec::new());
        }
        files
            .into_iter()
            .take(MAX_FILES)
            .map(|path| {
                let kind = kinds.get(&path).cloned().unwrap_or_default();
                let (hunks, is_cut) = self.hunks(&tree, &path);
                Ok(Clash { path: shown(path), kind, hunks, is_cut })
            })
            .collect()
    }

    /// The marked places of a merged file; none where it is not text.
    fn hunks(&self, tree: &str, path: &Path) -> (Vec<maestro_core::conflict::Hunk>, bool) {
        let mut name = OsString::from(format!("{tree}:"));
        name.push(path);
        let blob = self
            .git
            .reading(&self.common_dir, "cat-file")
            .args(["blob"])
            .arg(name)
            .enough(MAX_FILE)
            .run();
        match blob {
            Ok(blob) if !blob.stdout.contains(&0) && (blob.cut || blob.code == Some(0)) => {
                let text = String::from_utf8_lossy(&blob.stdout);
                let (found, more) = hunks(&text, MAX_HUNKS, MAX_HUNK);
                (found, more || blob.cut)
            }
            _ => (Vec::new(), false),
        }
    }

    /// What is in a worktree, as a commit on its head.
    fn work(&self, worktree: &Worktree, number: usize) -> Result<Work> {
        let head = worktree.head.clone().ok_or_else(|| Error::BaseUnknown {
            base: worktree.branch.clone().unwrap_or_else(|| "HEAD".to_owned()),
        })?;
        if worktree.missing || worktree.bare {
            return Ok(Work { commit: head.clone(), head, is_dirty: false });
        }
        let index = self.place.join(format!("index-{number}"));
        let tree = self.git.tree_with(&worktree.path, &index)?;
        let committed = self
            .git
            .reading(&worktree.path, "rev-parse")
            .args(["--verify", "--quiet"])
            .arg(format!("{head}^{{tree}}"))
            .output()?;
        if String::from_utf8_lossy(&committed).trim() == tree {
            return Ok(Work { commit: head.clone(), head, is_dirty: false });
        }
        let mut call = self.git.owning(&worktree.path, "commit-tree").args(["--no-gpg-sign"]);
        // The same work is the same commit, whenever it is looked at.
        for (name, value) in [
            ("GIT_AUTHOR_NAME", "Maestro"),
            ("GIT_AUTHOR_EMAIL", "maestro@localhost"),
            ("GIT_AUTHOR_DATE", "@0 +0000"),
            ("GIT_COMMITTER_NAME", "Maestro"),
            ("GIT_COMMITTER_EMAIL", "maestro@localhost"),
            ("GIT_COMMITTER_DATE", "@0 +0000"),
        ] {
            call = call.env(name, value);
        }
        let commit = call.arg(&tree).args(["-p"]).arg(&head).stdin("work\n").output()?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        Ok(Work { commit, head, is_dirty: true })
    }

    /// Where two commits parted.
    fn base(&mut self, one: &str, other: &str) -> Option<String> {
        let key = (one.to_owned(), other.to_owned());
        if let Some(known) = self.bases.get(&key) {
            return known.clone();
        }
        let output =
            self.git.reading(&self.common_dir, "merge-base").args([one, other]).run().ok()?;
        // 1: they have nothing in common. Anything else may be otherwise the next time.
        let base = match output.code {
            Some(0) => String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned),
            Some(1) => None,
            _ => return None,
        };
        let _ = self.bases.insert(key, base.clone());
        base
    }

    /// The files that differ between two commits.
    fn touched(&mut self, base: &str, tip: &str) -> Option<Arc<BTreeSet<PathBuf>>> {
        let key = (base.to_owned(), tip.to_owned());
        if let Some(known) = self.touched.get(&key) {
            return Some(Arc::clone(known));
        }
        let files = self.git.differing(&self.common_dir, base, tip).ok()?;
        let files: Arc<BTreeSet<PathBuf>> = Arc::new(files.into_iter().collect());
        let _ = self.touched.insert(key, Arc::clone(&files));
        Some(files)
    }

    fn fit(
        &self,
        one: &str,
        other: &str,
        mine: Option<&BTreeSet<PathBuf>>,
        theirs: Option<&BTreeSet<PathBuf>>,
    ) -> Fit {
        match self.merged.get(&(one.to_owned(), other.to_owned())) {
            Some(Ok(files)) if files.is_empty() => {
                let (Some(mine), Some(theirs)) = (mine, theirs) else { return Fit::Apart };
                let both: Vec<PathBuf> =
                    mine.intersection(theirs).take(MAX_FILES).cloned().map(shown).collect();
                if both.is_empty() { Fit::Apart } else { Fit::SameFiles(both) }
            }
            Some(Ok(files)) => Fit::Conflicts(files.iter().cloned().map(shown).collect()),
            Some(Err(why)) => Fit::Unknown(why.clone()),
            None => Fit::Unknown("git did not say how they fit together.".to_owned()),
        }
    }

    /// Merges what is not known yet.
    fn merge(&mut self, mut pairs: Vec<(String, String)>) {
        pairs.retain(|pair| !self.merged.contains_key(pair));
        pairs.sort();
        pairs.dedup();
        let many = self.git.version().is_ok_and(|version| version >= MERGES_MANY);
        for batch in pairs.chunks(BATCH) {
            let mut outcomes = if many { self.merge_many(batch) } else { Vec::new() };
            // What stopped the batch is found out by itself.
            for pair in &batch[outcomes.len().min(batch.len())..] {
                let outcome = self
                    .git
                    .conflicts_between(&self.common_dir, &pair.0, &pair.1)
                    .map(|mut files| {
                        files.truncate(MAX_FILES);
                        files
                    })
                    .map_err(|error| error.to_string());
                outcomes.push(outcome);
            }
            self.merged.extend(batch.iter().cloned().zip(outcomes));
        }
    }

    /// As many as git gets through.
    fn merge_many(&self, pairs: &[(String, String)]) -> Vec<Outcome> {
        let mut orders = String::new();
        for (one, other) in pairs {
            orders.push_str(one);
            orders.push(' ');
            orders.push_str(other);
            orders.push('\n');
        }
        let output =
            self.merging().args(["--stdin", "--name-only", "--no-messages"]).stdin(orders).run();
        match output {
            Ok(output) => many(&output.stdout),
            Err(error) => {
                tracing::debug!(%error, "merges are rehearsed one by one");
                Vec::new()
            }
        }
    }

    fn merging(&self) -> process::Call<'_> {
        self.git
            .reading(&self.root, "merge-tree")
            .config("merge.conflictStyle=merge")
            .args(["--write-tree", "--allow-unrelated-histories"])
    }
}

/// The other side of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Other {
    /// A worktree, with what is not committed in it.
    Worktree(PathBuf),
    /// A branch or another revision.
    Revision(String),
}

/// The answers of `git merge-tree --stdin --name-only --no-messages` (`git-merge-tree(1)`, *OUTPUT*): for
/// each merge 0 or 1, the tree, the files that conflict, and an empty word.
fn many(output: &[u8]) -> Vec<Outcome> {
    let mut words = output.split(|byte| *byte == 0);
    let mut outcomes = Vec::new();
    while let (Some(status), Some(_tree)) = (words.next(), words.next()) {
        let mut files = Vec::new();
        let mut is_whole = false;
        for word in words.by_ref() {
            if word.is_empty() {
                is_whole = true;
                break;
            }
            files.push(word);
        }
        // git stopped in the middle of it.
        if !is_whole {
            break;
        }
        let paths: Result<Vec<PathBuf>> =
            files.into_iter().take(MAX_FILES).map(repository::path).collect();
        match (status, paths) {
            (b"0" | b"1", Ok(paths)) => outcomes.push(Ok(paths)),
            (b"0" | b"1", Err(error)) => outcomes.push(Err(error.to_string())),
            _ => break,
        }
    }
    outcomes
}

/// The answer of `git merge-tree -z --name-only --messages`: the tree, the files that conflict, and for
/// files what git calls their conflict.
fn detailed(output: &[u8]) -> Result<(String, Vec<PathBuf>, HashMap<PathBuf, String>)> {
    let mut words = output.split(|byte| *byte == 0);
    let tree = String::from_utf8_lossy(words.next().unwrap_or_default()).trim().to_owned();
    let mut files = Vec::new();
    for word in words.by_ref() {
        if word.is_empty() {
            break;
        }
        files.push(repository::path(word)?);
    }
    let mut kinds = HashMap::new();
    // How many paths, the paths, what kind, and the message.
    while let Some(count) = words.next() {
        let Ok(count) = String::from_utf8_lossy(count).trim().parse::<usize>() else { break };
        let paths: Vec<&[u8]> = words.by_ref().take(count).collect();
        let kind = String::from_utf8_lossy(words.next().unwrap_or_default()).into_owned();
        let _message = words.next();
        if !kind.starts_with("CONFLICT") {
            continue;
        }
        for path in paths {
            let _ = kinds.entry(repository::path(path)?).or_insert_with(|| kind.clone());
        }
    }
    Ok((tree, files, kinds))
}

fn bounded(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How many bytes are in a folder of objects.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => size(&entry.path()),
        _ => entry.metadata().map_or(0, |file| file.len()),
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn answers_about_many_merges_are_read() {
        let paths = |names: &[&str]| Ok(names.iter().map(PathBuf::from).collect::<Vec<_>>());
        for (output, expected) in [
            ("", vec![]),
            ("0\0aa\0f\0g h\0\x001\0bb\0\0", vec![paths(&["f", "g h"]), paths(&[])]),
            // Cut in the middle.
            ("1\0bb\0\x000\0aa\0f", vec![paths(&[])]),
            ("what\0aa\0\0", vec![]),
        ] {
            assert_eq!(many(output.as_bytes()), expected, "{output:?}");
        }
    }

    #[test]
    fn an_answer_about_one_merge_is_read() {
        let output =
            "aa\0f\0\x001\0g\0Auto-merging\0Auto-merging g\n\x002\0f\0e\0CONFLICT (rename)\0R\n\0";
        let (tree, files, kinds) = detailed(output.as_bytes()).expect("read");
        assert_eq!((tree.as_str(), files), ("aa", vec![PathBuf::from("f")]));
        assert_eq!(kinds.get(Path::new("f")).map(String::as_str), Some("CONFLICT (rename)"));
        assert!(!kinds.contains_key(Path::new("g")));
    }

    #[test]
    #[cfg(unix)]
    fn a_path_with_a_colon_is_one_member_of_a_list() {
        for (path, expected) in
            [("/a b", "/a b"), ("/a:b", "\"/a:b\""), ("\"/a\\:", "\"\\\"/a\\\\:\"")]
        {
            assert_eq!(in_list(Path::new(path)), OsStr::new(expected));
        }
    }
}
