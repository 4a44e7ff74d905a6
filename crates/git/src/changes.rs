//! What is different in a checkout: which files, and the lines of one of them.
//!
//! Everything here only looks: no lock is taken that a user could notice, and none of the programs that a
//! repository can name for showing files is run.

mod discard;
mod index;
mod undo;

use std::collections::HashMap;
use std::fs::File as OpenFile;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use maestro_core::changes::patch::Patch;
use maestro_core::changes::{
    Blobs, Entry, EntryKind, File, Listing, Look, MAX_BLOB, MAX_CONTEXT, MAX_FILES, Name, Source,
    Status,
};

use crate::error::Error;
use crate::process::Call;
use crate::repository::Repository;
use crate::tree::checkout;
use crate::{Git, Result};

/// Bytes of a list of files that are read at most.
const LIST: usize = 24 << 20;
/// Bytes of the difference of one file that are read at most.
const PATCH: usize = 64 << 20;
/// Untracked files whose lines are counted, and the bytes that are read for it: of one, and of all.
const COUNTED: usize = 2_000;
const COUNTED_FILE: u64 = 4 << 20;
const COUNTED_ALL: u64 = 32 << 20;

/// One side of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Side {
    /// A tree or commit, by its id.
    Tree(String),
    /// The index.
    Index,
    /// The files.
    Files,
}

/// What is held against what, looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sides {
    /// The one from before.
    pub old: Side,
    /// The newer one.
    pub new: Side,
    /// What the older one is called, for people.
    pub from: String,
    /// What the newer one is called.
    pub to: String,
}

impl Git {
    /// Looks up what is held against what. Of a task of a run only the caller knows the trees.
    ///
    /// # Errors
    ///
    /// [`Error::BaseUnknown`] when a name is none, or when nothing tells what the branch was made from.
    pub fn sides(&self, directory: &Path, source: &Source) -> Result<Sides> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let named = |old, new, from: &str, to: &str| Sides {
            old,
            new,
            from: from.to_owned(),
            to: to.to_owned(),
        };
        match source {
            Source::WorkingTree => Ok(named(Side::Index, Side::Files, "index", "files")),
            Source::Staged => {
                let head = match &repository.head {
                    Some(head) => head.clone(),
                    None => self.empty_tree(checkout)?,
                };
                let from = repository.branch.as_deref().unwrap_or("HEAD");
                Ok(named(Side::Tree(head), Side::Index, from, "index"))
            }
            Source::Base(base) => {
                let base = match base {
                    Some(base) => base.clone(),
                    None => self.base_of(&repository)?,
                };
                let old = match &repository.head {
                    Some(head) => {
                        let tip = self.commit(checkout, &base)?;
                        // Without anything in common they are compared as they are.
                        self.parted(checkout, head, &tip)?.unwrap_or(tip)
                    }
                    None => self.empty_tree(checkout)?,
                };
                Ok(named(Side::Tree(old), Side::Files, &base, "files"))
            }
            Source::Commit(name) => {
                let commit = self.commit(checkout, name)?;
                let parent = format!("{commit}^1^{{commit}}");
                let found = self
                    .reading(checkout, "rev-parse")
                    .args(["--verify", "--quiet", "--end-of-options"])
                    .arg(parent)
                    .run()?;
                let parent = match found.code {
                    Some(0) => String::from_utf8_lossy(&found.stdout).trim().to_owned(),
                    _ => self.empty_tree(checkout)?,
                };
                let (from, to) = (short(&parent).to_owned(), short(&commit).to_owned());
                Ok(named(Side::Tree(parent), Side::Tree(commit), &from, &to))
            }
            Source::Task { run, task } => Err(Error::BaseUnknown {
                base: format!("the files before task {} of {run}", task.saturating_add(1)),
            }),
        }
    }

    /// The files that differ, those below `paths` if any are named.
    ///
    /// # Errors
    ///
    /// When the directory is in no checkout, or git cannot read it.
    pub fn changes(&self, directory: &Path, sides: &Sides, paths: &[Name]) -> Result<Listing> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        if let Some(odd) = paths.iter().find(|name| !name.is_inside()) {
            return Err(Error::NoSuchFile { name: odd.to_string() });
        }
        // Beside each other: neither waits for what the other finds.
        let (listed, others) = std::thread::scope(|scope| {
            let others =
                (sides.new == Side::Files).then(|| scope.spawn(|| self.untracked(checkout, paths)));
            let listed = self.tracked(checkout, sides, paths);
            (listed, others.map(std::thread::ScopedJoinHandle::join))
        });
        let mut files = listed?;
        let mut total = files.len();
        if let Some(untracked) = others {
            let untracked = untracked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            total += untracked.len();
            files.extend(untracked);
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.truncate(MAX_FILES);
        self.count(checkout, &mut files);
        self.weigh(checkout, sides, &mut files);
        Ok(Listing {
            checkout: checkout.to_owned(),
            branch: repository.branch.clone(),
            head: repository.head.clone(),
            from: sides.from.clone(),
            to: sides.to.clone(),
            files,
            total: u32::try_from(total).unwrap_or(u32::MAX),
            under_way: under_way(&repository.git_dir).map(str::to_owned),
        })
    }

    /// The files that differ, as far as git knows them.
    fn tracked(&self, checkout: &Path, sides: &Sides, paths: &[Name]) -> Result<Vec<File>> {
        let output = self
            .differ(checkout, sides)
            .args(["--raw", "--numstat", "-z", "--no-abbrev", "-M", "-l1000", "--"])
            .names(paths)
            .enough(LIST)
            .run()?;
        let cut = output.cut;
        let bytes = if cut { output.stdout } else { output.success()? };
        Ok(listed(&bytes))
    }

    /// The lines of one file of such a list.
    ///
    /// # Errors
    ///
    /// When git cannot read it.
    pub fn patch(&self, directory: &Path, sides: &Sides, file: &File, look: Look) -> Result<Patch> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        if file.after.kind == EntryKind::Submodule && file.status == Status::Untracked {
            return Ok(Patch::default());
        }
        if file.status == Status::Untracked {
            let (content, cut) = worktree_file(checkout, &file.name, PATCH as u64)?;
            return Ok(Patch::of_new(&content, cut));
        }
        let mut call = self
            .differ(checkout, sides)
            .arg("--patch")
            .arg(format!("-U{}", look.context.min(MAX_CONTEXT)));
        if look.ignore_blanks {
            call = call.arg("--ignore-all-space");
        }
        if file.status == Status::Conflicted && sides.new == Side::Files {
            // Against our own side: a file with conflicts has no single one before.
            call = call.arg("--ours");
        }
        call = match &file.old_name {
            Some(_) => call.args(["-M", "-l1000"]),
            None => call.arg("--no-renames"),
        };
        let names: Vec<Name> = file.old_name.iter().chain([&file.name]).cloned().collect();
        let output = call.arg("--").names(&names).enough(PATCH).run()?;
        let cut = output.cut;
        let bytes = if cut { output.stdout } else { output.success()? };
        Ok(Patch::read(bytes, cut))
    }

    /// Both sides of one file of such a list, as they are.
    ///
    /// # Errors
    ///
    /// When git or the disk cannot read it.
    pub fn blobs(&self, directory: &Path, sides: &Sides, file: &File) -> Result<Blobs> {
        let repository = self.repository(directory)?;
        let checkout = checkout(&repository)?;
        let mut blobs = Blobs { before: None, after: None, is_cut: false };
        for (is_new, entry) in [(false, &file.before), (true, &file.after)] {
            if matches!(entry.kind, EntryKind::Nothing | EntryKind::Submodule) {
                continue;
            }
            let (content, cut) = match &entry.id {
                Some(id) => {
                    let output = self
                        .reading(checkout, "cat-file")
                        .args(["blob", id])
                        .enough(MAX_BLOB)
                        .run()?;
                    let cut = output.cut;
                    (if cut { output.stdout } else { output.success()? }, cut)
                }
                None if is_new && sides.new == Side::Files => {
                    worktree_file(checkout, &file.name, MAX_BLOB as u64)?
                }
                None => continue,
            };
            blobs.is_cut |= cut;
            let side = if is_new { &mut blobs.after } else { &mut blobs.before };
            *side = (!cut).then_some(content);
        }
        Ok(blobs)
    }

    /// A call of `git diff` between two sides that says nothing but what differs.
    fn differ(&self, checkout: &Path, sides: &Sides) -> Call<'_> {
        let null = if cfg!(windows) { "NUL" } else { "/dev/null" };
        let call = self
            .reading(checkout, "diff")
            .config("diff.suppressBlankEmpty=false")
            .config("diff.interHunkContext=0")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .args(["--no-ext-diff", "--no-textconv", "--no-color", "--no-relative"])
            .args(["--submodule=short", "--src-prefix=a/", "--dst-prefix=b/"])
            .arg(format!("-O{null}"));
        match (&sides.old, &sides.new) {
            (Side::Index, _) => call,
            (Side::Tree(old), Side::Files) => call.arg(old),
            (Side::Tree(old), Side::Index) => call.arg("--cached").arg(old),
            (Side::Tree(old), Side::Tree(new)) => call.arg(old).arg(new),
            // Nobody asks for it.
            (Side::Files, _) => call.arg("-R"),
        }
    }

    /// Files that git does not know and does not ignore.
    fn untracked(&self, checkout: &Path, paths: &[Name]) -> Result<Vec<File>> {
        let output = self
            .reading(checkout, "ls-files")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .args(["--others", "--exclude-standard", "-z", "--"])
            .names(paths)
            .enough(LIST)
            .run()?;
        let cut = output.cut;
        let bytes = if cut { output.stdout } else { output.success()? };
        let names = bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names
            .map(|name| {
                // A repository inside this one is named like a folder.
                let (name, kind) = match name.strip_suffix(b"/") {
                    Some(name) => (name, EntryKind::Submodule),
                    None => (name, EntryKind::File),
                };
                File {
                    name: Name::from(name),
                    old_name: None,
                    status: Status::Untracked,
                    before: nothing(),
                    after: Entry { kind, size: None, id: None },
                    added: None,
                    removed: None,
                }
            })
            .collect())
    }

    /// Fills in what untracked files are, and how many lines they have.
    fn count(&self, checkout: &Path, files: &mut [File]) {
        let mut left = COUNTED_ALL;
        let untracked = files.iter_mut().filter(|file| {
            file.status == Status::Untracked && file.after.kind != EntryKind::Submodule
        });
        for file in untracked.take(COUNTED) {
            let Some(found) =
                place(checkout, &file.name).and_then(|path| path.symlink_metadata().ok())
            else {
                continue;
            };
            file.after = Entry { kind: kind_of(&found), size: Some(found.len()), id: None };
            if found.len() > COUNTED_FILE.min(left) {
                continue;
            }
            let Ok((content, false)) = worktree_file(checkout, &file.name, COUNTED_FILE) else {
                continue;
            };
            left = left.saturating_sub(content.len() as u64);
            if !content.iter().take(8000).any(|byte| *byte == 0) {
                let ends = content.iter().filter(|byte| **byte == b'\n').count();
                let open = usize::from(!content.is_empty() && !content.ends_with(b"\n"));
                file.added = Some(u32::try_from(ends + open).unwrap_or(u32::MAX));
                file.removed = Some(0);
            }
        }
    }

    /// Fills in how large files are that have no lines.
    fn weigh(&self, checkout: &Path, sides: &Sides, files: &mut [File]) {
        let mut ids = Vec::new();
        for file in files.iter_mut().filter(|file| !file.is_text()) {
            if sides.new == Side::Files
                && file.after.size.is_none()
                && !matches!(file.after.kind, EntryKind::Nothing | EntryKind::Submodule)
            {
                let found =
                    place(checkout, &file.name).and_then(|path| path.symlink_metadata().ok());
                file.after.size = found.map(|found| found.len());
            }
            for entry in [&file.before, &file.after] {
                if let Some(id) = entry.id.as_ref().filter(|_| entry.kind != EntryKind::Submodule) {
                    ids.push(id.clone());
                }
            }
        }
        if ids.is_empty() {
            return;
        }
        let asked = self
            .reading(checkout, "cat-file")
            .arg("--batch-check=%(objectname) %(objectsize)")
            .stdin(ids.join("\n") + "\n")
            .run();
        let Ok(output) = asked else { return };
        let text = String::from_utf8_lossy(&output.stdout);
        let sizes: HashMap<&str, u64> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(id, size)| Some((id, size.parse().ok()?)))
            .collect();
        for file in files {
            for entry in [&mut file.before, &mut file.after] {
                if let Some(size) = entry.id.as_deref().and_then(|id| sizes.get(id)) {
                    entry.size = Some(*size);
                }
            }
        }
    }

    /// Where the work of two commits parted; `None` when they have nothing in common.
    pub(crate) fn parted(&self, checkout: &Path, one: &str, other: &str) -> Result<Option<String>> {
        let output = self.reading(checkout, "merge-base").args([one, other]).run()?;
        match output.code {
            Some(0) => {
                let text = String::from_utf8_lossy(&output.stdout);
                Ok(text.lines().next().map(str::to_owned))
            }
            Some(1) => Ok(None),
            _ => Err(output.failed()),
        }
    }

    /// The branch that the work in a checkout was begun from, as far as that can be told.
    fn base_of(&self, repository: &Repository) -> Result<String> {
        let checkout = checkout(repository)?;
        let own = repository.branch.as_deref();
        let exists = |name: &str| self.commit(checkout, name).is_ok();
        let asked = |words: [&'static str; 3]| {
            let output = self.reading(checkout, words[0]).args(words[1..].iter().copied()).run();
            let output = output.ok().filter(|output| output.code == Some(0))?;
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let upstream = asked(["rev-parse", "--abbrev-ref", "@{upstream}"]);
        let is_own = |name: &str| {
            own.is_some_and(|own| {
                name == own || name.split_once('/').is_some_and(|(_, n)| n == own)
            })
        };
        let main = self.repository(&repository.root).ok().and_then(|main| main.branch);
        let default = asked(["rev-parse", "--abbrev-ref", "refs/remotes/origin/HEAD"]);
        let candidates = [
            upstream.clone().filter(|name| !is_own(name)),
            main.filter(|main| Some(main.as_str()) != own),
            default.filter(|name| !is_own(name)),
            upstream,
        ];
        candidates
            .into_iter()
            .flatten()
            .find(|name| exists(name))
            .ok_or_else(|| Error::BaseUnknown { base: "what this branch was made from".to_owned() })
    }
}

/// The short form of an id, for people.
pub(crate) fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// What is half done in a checkout.
pub(crate) fn under_way(git_dir: &Path) -> Option<&'static str> {
    [
        ("MERGE_HEAD", "merge"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("BISECT_LOG", "bisection"),
    ]
    .into_iter()
    .find(|(file, _)| git_dir.join(file).symlink_metadata().is_ok())
    .map(|(_, what)| what)
}

pub(crate) fn nothing() -> Entry {
    Entry { kind: EntryKind::Nothing, size: None, id: None }
}

/// Where a file is, if its name stays in the checkout and no folder on the way is a link.
pub(crate) fn place(checkout: &Path, name: &Name) -> Option<PathBuf> {
    if !name.is_inside() {
        return None;
    }
    let relative = name.to_path()?;
    let mut folder = checkout.to_owned();
    for part in relative.parent()?.components() {
        folder.push(part);
        match folder.symlink_metadata() {
            Ok(found) if !found.is_dir() => return None,
            _ => {}
        }
    }
    Some(checkout.join(relative))
}

pub(crate) fn kind_of(found: &std::fs::Metadata) -> EntryKind {
    if found.is_symlink() {
        return EntryKind::Link;
    }
    if found.is_dir() {
        return EntryKind::Submodule;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if found.permissions().mode() & 0o100 != 0 {
            return EntryKind::Executable;
        }
    }
    EntryKind::File
}

/// A file as it is on the disk, of a link its target, and whether there was more than `limit` bytes. Pipes and
/// devices have nothing in them.
pub(crate) fn worktree_file(checkout: &Path, name: &Name, limit: u64) -> Result<(Vec<u8>, bool)> {
    let gone = || Error::NoSuchFile { name: name.to_string() };
    let path = place(checkout, name).ok_or_else(gone)?;
    let unreadable =
        |source| Error::Unreadable { path: path.clone(), source: std::sync::Arc::new(source) };
    let found = path.symlink_metadata().map_err(unreadable)?;
    if found.is_symlink() {
        let target = std::fs::read_link(&path).map_err(unreadable)?;
        return Ok((Name::of_path(&target).as_bytes().to_vec(), false));
    }
    if !found.is_file() {
        return Ok((Vec::new(), false));
    }
    let mut options = OpenFile::options();
    let _ = options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // It may be a link or a pipe by now.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let _ = options.custom_flags(flags.bits() as i32);
    }
    let file = options.open(&path).map_err(unreadable)?;
    let mut content = Vec::new();
    let _ = file.take(limit + 1).read_to_end(&mut content).map_err(unreadable)?;
    let cut = content.len() as u64 > limit;
    content.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((content, cut))
}

/// Reads `git diff --raw --numstat -z`: first what happened to each file, then how many lines of it.
fn listed(bytes: &[u8]) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut by_name: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut records = bytes.split(|byte| *byte == 0);
    while let Some(record) = records.next() {
        if let Some(raw) = record.strip_prefix(b":") {
            let text = String::from_utf8_lossy(raw);
            let words: Vec<&str> = text.split(' ').collect();
            let &[old_mode, new_mode, old_id, new_id, what] = words.as_slice() else { continue };
            let Some(name) = records.next() else { break };
            let is_pair = what.starts_with(['R', 'C']);
            let (old_name, name) = match is_pair.then(|| records.next()).flatten() {
                Some(new) => (Some(Name::from(name)), new),
                None => (None, name),
            };
            if name.is_empty() {
                continue;
            }
            let file = File {
                name: Name::from(name),
                old_name,
                status: status(what),
                before: entry(old_mode, old_id),
                after: entry(new_mode, new_id),
                added: None,
                removed: None,
            };
            match by_name.get(name).and_then(|at| files.get_mut(*at)) {
                // One with conflicts is told a second time, against our own side.
                Some(known) if known.status == Status::Conflicted => known.before = file.before,
                Some(known) if file.status == Status::Conflicted => known.status = file.status,
                Some(_) => {}
                None => {
                    let _ = by_name.insert(name.to_vec(), files.len());
                    files.push(file);
                }
            }
            continue;
        }
        let mut fields = record.splitn(3, |byte| *byte == b'\t');
        let (Some(added), Some(removed), Some(name)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let name = match name {
            b"" => {
                let _old = records.next();
                records.next().unwrap_or_default()
            }
            name => name,
        };
        let number = |text: &[u8]| str::from_utf8(text).ok()?.parse::<u32>().ok();
        if let Some(file) = by_name.get(name).and_then(|at| files.get_mut(*at)) {
            let is_link = |entry: &Entry| entry.kind == EntryKind::Submodule;
            if !is_link(&file.before) && !is_link(&file.after) {
                let sum = |known: Option<u32>, more: Option<u32>| {
                    known.map_or(more, |known| Some(known + more?))
                };
                file.added = sum(file.added, number(added));
                file.removed = sum(file.removed, number(removed));
            }
        }
    }
    files
}

fn status(letter: &str) -> Status {
    match letter.as_bytes().first() {
        Some(b'A') => Status::Added,
        Some(b'D') => Status::Deleted,
        Some(b'R') => Status::Renamed,
        Some(b'C') => Status::Copied,
        Some(b'T') => Status::TypeChanged,
        Some(b'U') => Status::Conflicted,
        _ => Status::Modified,
    }
}

pub(crate) fn entry(mode: &str, id: &str) -> Entry {
    let kind = match mode {
        "100755" => EntryKind::Executable,
        "120000" => EntryKind::Link,
        "160000" => EntryKind::Submodule,
        "000000" => EntryKind::Nothing,
        _ => EntryKind::File,
    };
    let id = (!id.bytes().all(|byte| byte == b'0')).then(|| id.to_owned());
    Entry { kind, size: None, id: id.filter(|_| kind != EntryKind::Nothing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> Vec<String> {
        let number = |n: Option<u32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
        listed(bytes)
            .iter()
            .map(|f| {
                let old = f.old_name.as_ref().map(|old| format!("{old} → ")).unwrap_or_default();
                format!(
                    "{:?} {old}{} +{} -{}",
                    f.status,
                    f.name,
                    number(f.added),
                    number(f.removed)
                )
            })
            .collect()
    }

    #[test]
    fn lists_are_read_with_their_numbers() {
        let text = b":100644 100755 aaaa bbbb M\0a b\0:100644 100644 aa aa R100\0old\0new\0\
            :000000 100644 0000 cccc A\0pic\0:160000 160000 aa bb M\0sub\0\
            :000000 000000 0000 0000 U\0both\0:100644 100644 aa 00 M\0both\0\
            1\t2\ta b\x000\t0\t\0old\0new\0-\t-\tpic\x001\t1\tsub\x003\t0\tboth\0";
        assert_eq!(
            shown(text),
            [
                "Modified a b +1 -2",
                "Renamed old → new +0 -0",
                "Added pic +- --",
                "Modified sub +- --",
                "Conflicted both +3 -0"
            ]
        );
        let files = listed(text);
        assert_eq!(files[0].after.kind, EntryKind::Executable);
        assert_eq!(files[2].before, nothing());
    }

    #[test]
    fn garbage_is_no_list() {
        for text in [&b""[..], b"\0\0", b":x", b":1 2 3 4 M", b"\xff\0\t\t\0", b":1 2 3 4 R9\0a\0"]
        {
            assert!(listed(text).len() < 2);
        }
    }
}
