//! Looking again at a tree that was looked at before, without asking git about files that are as they were.
//!
//! Git itself takes a file for unchanged when what `lstat` says of it is what its index says; a look by git
//! costs two processes that do so for every file, and lists every folder for new ones. Here it is done by
//! hand: a file is as it was when inode, size, mode and both times are, and neither time is so recent that
//! a later change could have left the same one; a folder has no new names when the same holds of it, or
//! when it lists the same ones. What differs is read and hashed, and put into the last tree.
//!
//! Everything else is git's own business, and whoever asks here is told nothing then: new and vanished
//! names, links, attributes, submodules, sparse checkouts, anything about ignoring or configuration that
//! changed, file systems whose clock may be another one's.

use std::collections::{HashMap, HashSet};
use std::ffi::{CString, OsStr};
use std::fs;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use git2::build::TreeUpdateBuilder;
use git2::{AttrCheckFlags, FileMode, ObjectType, Oid};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat as Raw, fstat, open, openat, statat};

use crate::Git;
use crate::repository::Repository;

/// Names in the checkout, and folders: above that git is asked.
const MOST_NAMES: usize = 200_000;
const MOST_FOLDERS: usize = 20_000;
/// Names that git leaves out. Each is asked about.
const MOST_OTHERS: usize = 2_000;
/// Files that are read in one look, and bytes of them in all.
const MOST_READ: usize = 256;
const MOST_BYTES: u64 = 16 << 20;
/// Nanoseconds within which two changes may leave the same time: that of the kernel's clock, which ticks at
/// least a hundred times a second, with a margin; and where times are whole seconds.
const TICK: i128 = 100_000_000;
const COARSE: i128 = 3_000_000_000;
/// Folders that are worth a thread.
const SHARE: usize = 32;

/// What is known about a checkout since it was looked at last: see [`Git::tree_again`].
#[derive(Debug, Default)]
pub struct Seen(Option<Box<Known>>);

impl Seen {
    /// Whether the next look may do without git.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// The tree, if that can be told without git. It knows nothing any more where it cannot.
    pub(crate) fn look(&mut self, checkout: &Path) -> Option<String> {
        let mut known = self.0.take()?;
        if known.checkout != checkout {
            return None;
        }
        let tree = known.look(None)?.to_string();
        self.0 = Some(known);
        Some(tree)
    }

    /// The same when nothing but these files can have changed since the last look. Where one of them is not
    /// known, what is known of the others stays so.
    pub(crate) fn look_at(&mut self, checkout: &Path, written: &[PathBuf]) -> Option<String> {
        let known = self.0.as_ref().filter(|known| known.checkout == checkout)?;
        let places = known.places(written)?;
        let mut known = self.0.take()?;
        let tree = known.look(Some(&places))?.to_string();
        self.0 = Some(known);
        Some(tree)
    }

    /// Takes over what a look by git found.
    pub(crate) fn learn(&mut self, before: Option<Before>, tree: &str, index: &Path) {
        self.0 = before.and_then(|before| before.known(tree, index)).map(Box::new);
    }
}

/// What `lstat` says about a file, as much of it as an index keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    inode: u32,
    /// As git has it: 0o100644, 0o100755, 0o120000, 0o040000; 0 for what it does not keep.
    mode: u32,
    size: u32,
    modified: (i32, u32),
    changed: (i32, u32),
}

impl Stat {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index has 32 bits"
    )]
    fn of(raw: &Raw) -> Self {
        let mode = match FileType::from_raw_mode(raw.st_mode) {
            FileType::RegularFile if raw.st_mode & 0o100 != 0 => 0o100_755,
            FileType::RegularFile => 0o100_644,
            FileType::Symlink => 0o120_000,
            FileType::Directory => 0o040_000,
            _ => 0,
        };
        Self {
            inode: raw.st_ino as u32,
            mode,
            size: raw.st_size as u32,
            modified: (raw.st_mtime as i32, raw.st_mtime_nsec as u32),
            changed: (raw.st_ctime as i32, raw.st_ctime_nsec as u32),
        }
    }

    fn of_entry(entry: &git2::IndexEntry) -> Self {
        Self {
            inode: entry.ino,
            mode: entry.mode,
            size: entry.file_size,
            modified: (entry.mtime.seconds(), entry.mtime.nanoseconds()),
            changed: (entry.ctime.seconds(), entry.ctime.nanoseconds()),
        }
    }

    /// Whether a change after `now` (nanoseconds) is certain to leave other times.
    fn is_settled(&self, now: i128) -> bool {
        let is_coarse = self.modified.1 == 0 || self.changed.1 == 0;
        let latest = self.modified.max(self.changed);
        let latest = i128::from(latest.0) * 1_000_000_000 + i128::from(latest.1);
        latest + if is_coarse { COARSE } else { TICK } < now
    }
}

fn now() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i128::try_from(since.as_nanos()).ok()).unwrap_or_default()
}

/// A name in a folder, and what it is.
type Name = (CString, FileType);

#[derive(Debug)]
struct Folder {
    /// From the root of the checkout, with a slash at its end unless it is that.
    path: Vec<u8>,
    stat: Stat,
    is_settled: bool,
    /// Sorted.
    names: Vec<Name>,
    files: Vec<File>,
}

/// A file that is in the tree.
#[derive(Debug)]
struct File {
    /// Which of the folder's names.
    name: usize,
    stat: Stat,
    is_settled: bool,
    id: Oid,
}

/// A file outside the checkout by which trees are made, and what it was like.
type Stamp = (PathBuf, Option<(u64, u64, (i64, i64), (i64, i64))>);

fn stamp(path: PathBuf) -> Stamp {
    let about = fs::metadata(&path).ok().map(|file| {
        let times = ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
        (file.ino(), file.len(), times.0, times.1)
    });
    (path, about)
}

/// A checkout as git saw it last.
#[derive(Debug)]
struct Known {
    checkout: PathBuf,
    tree: Oid,
    folders: Vec<Folder>,
    stamps: Vec<Stamp>,
}

/// A checkout just before git looks at it.
#[derive(Debug)]
pub(crate) struct Before {
    checkout: PathBuf,
    now: i128,
    folders: Vec<Folder>,
    stamps: Vec<Stamp>,
}

impl Git {
    /// Lists what is in a checkout before git looks at it. `None` where git is to be asked each time.
    pub(crate) fn before(&self, repository: &Repository, checkout: &Path) -> Option<Before> {
        let now = now();
        let stamps = self.stamps(repository, checkout, now)?;
        let opened = git2::Repository::open(checkout).ok()?;
        let tracked = folders_of(&opened.index().ok()?);
        let root = folder(checkout)?;
        let system = rustix::fs::fstatfs(&root).ok()?;
        // Those with the clock of this machine.
        const LOCAL: [u32; 9] = [
            0xEF53,
            0x9123_683E,
            0x5846_5342,
            0x0102_1994,
            0x794C_7630,
            0x2FC1_2FC1,
            0xF2F5_2010,
            0xCA45_1A4E,
            0x8584_58F6,
        ];
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "its magic is 32 bits"
        )]
        let magic = system.f_type as u32;
        if !LOCAL.contains(&magic) {
            return None;
        }
        let mut folders = Vec::new();
        let mut todo = vec![Vec::new()];
        let mut count = 0;
        while let Some(path) = todo.pop() {
            let opened_folder = openat(
                &root,
                if path.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(&path) },
                FLAGS,
                Mode::empty(),
            );
            let opened_folder = opened_folder.ok()?;
            let stat = Stat::of(&fstat(&opened_folder).ok()?);
            let names = names(&opened_folder, path.is_empty())?;
            count += names.len();
            if count > MOST_NAMES || folders.len() >= MOST_FOLDERS {
                return None;
            }
            for (name, kind) in &names {
                let is_folder = *kind == FileType::Directory;
                if !is_folder {
                    continue;
                }
                let mut below = path.clone();
                below.extend_from_slice(name.as_bytes());
                below.push(b'/');
                if tracked.contains(&below) || !is_ignored(&opened, &below) {
                    todo.push(below);
                }
            }
            let is_settled = stat.is_settled(now);
            folders.push(Folder { path, stat, is_settled, names, files: Vec::new() });
        }
        Some(Before { checkout: checkout.to_owned(), now, folders, stamps })
    }

    /// The files outside the checkout by which trees are made. `None` where they make more of it than
    /// is understood here.
    fn stamps(&self, repository: &Repository, checkout: &Path, now: i128) -> Option<Vec<Stamp>> {
        let variable = |name: &str| {
            let found = self.shared.environment.iter().find(|(own, _)| own == OsStr::new(name));
            found.map(|(_, value)| PathBuf::from(value)).filter(|path| !path.as_os_str().is_empty())
        };
        let home = variable("HOME");
        let own = variable("XDG_CONFIG_HOME").or_else(|| Some(home.clone()?.join(".config")));
        let common = &repository.common_dir;
        let mut paths = vec![
            PathBuf::from("/etc/gitconfig"),
            common.join("config"),
            common.join("config.worktree"),
            repository.git_dir.join("config.worktree"),
            repository.git_dir.join("HEAD"),
            common.join("info/exclude"),
            common.join("info/sparse-checkout"),
            repository.git_dir.join("info/sparse-checkout"),
        ];
        let mut attributes =
            vec![PathBuf::from("/etc/gitattributes"), common.join("info/attributes")];
        paths.extend(variable("GIT_CONFIG_GLOBAL"));
        paths.extend(home.as_ref().map(|home| home.join(".gitconfig")));
        if let Some(own) = own {
            paths.extend([own.join("git/config"), own.join("git/ignore")]);
            attributes.push(own.join("git/attributes"));
        }
        let listed = self
            .reading(checkout, "config")
            .args(["--list", "--null", "--show-origin"])
            .output()
            .ok()?;
        let mut parts = listed.split(|byte| *byte == 0);
        while let (Some(origin), Some(setting)) = (parts.next(), parts.next()) {
            if let Some(file) = origin.strip_prefix(b"file:") {
                // A quoted name is one that is not known here.
                if file.starts_with(b"\"") {
                    return None;
                }
                paths.push(checkout.join(OsStr::from_bytes(file)));
            }
            let text = String::from_utf8_lossy(setting).to_lowercase();
            let (key, value) = text.split_once('\n').unwrap_or((&text, "true"));
            let is_off = matches!(value, "false" | "no" | "off" | "0" | "");
            match key {
                "core.autocrlf"
                | "core.ignorecase"
                | "core.precomposeunicode"
                | "core.sparsecheckout"
                | "core.worktree"
                    if !is_off =>
                {
                    return None;
                }
                "core.filemode" | "core.symlinks" if is_off => return None,
                "core.attributesfile" | "extensions.objectformat" => return None,
                "core.excludesfile" => {
                    let (_, path) = setting.split_at(setting.iter().position(|b| *b == b'\n')? + 1);
                    let path = OsStr::from_bytes(path);
                    paths.push(match Path::new(path).strip_prefix("~") {
                        Ok(rest) => home.clone()?.join(rest),
                        Err(_) => checkout.join(path),
                    });
                }
                _ => {}
            }
        }
        if attributes.iter().any(|path| path.exists()) {
            return None;
        }
        paths.extend(attributes);
        paths.sort();
        paths.dedup();
        let stamps: Vec<Stamp> = paths.into_iter().map(stamp).collect();
        let is_settled = |(_, about): &Stamp| {
            about.is_none_or(|(_, _, modified, changed)| {
                let latest = modified.max(changed);
                i128::from(latest.0) * 1_000_000_000 + i128::from(latest.1) + TICK < now
            })
        };
        if !stamps.iter().all(is_settled) {
            return None;
        }
        // What the user's own index says is tracked is looked at like an index of ours.
        Some(stamps.into_iter().chain([stamp(repository.git_dir.join("index"))]).collect())
    }
}

const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn folder(path: &Path) -> Option<OwnedFd> {
    open(path, FLAGS, Mode::empty()).ok()
}

/// What a folder lists, sorted; `None` where a repository begins in it.
fn names(folder: &OwnedFd, is_root: bool) -> Option<Vec<Name>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name();
        match name.to_bytes() {
            b"." | b".." => continue,
            b".git" if is_root => continue,
            b".git" => return None,
            _ => {}
        }
        let kind = match entry.file_type() {
            FileType::Unknown => {
                let raw = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
                FileType::from_raw_mode(raw.st_mode)
            }
            kind => kind,
        };
        names.push((name.to_owned(), kind));
        if names.len() > MOST_NAMES {
            return None;
        }
    }
    names.sort_by(|one, other| one.0.cmp(&other.0));
    Some(names)
}

/// The folders that tracked files are in, with a slash at their end.
fn folders_of(index: &git2::Index) -> HashSet<Vec<u8>> {
    let mut folders: HashSet<Vec<u8>> = HashSet::new();
    for entry in index.iter() {
        let mut path = &entry.path[..];
        while let Some(slash) = path.iter().rposition(|byte| *byte == b'/') {
            if !folders.insert(path[..=slash].to_vec()) {
                break;
            }
            path = &path[..slash];
        }
    }
    folders
}

fn is_ignored(repository: &git2::Repository, path: &[u8]) -> bool {
    repository.is_path_ignored(OsStr::from_bytes(path)).unwrap_or(false)
}

/// Files that say what is left out or how others are stored.
fn is_rule(name: &[u8]) -> bool {
    [&b".gitignore"[..], b".gitattributes", b".gitmodules"]
        .iter()
        .any(|rule| name.eq_ignore_ascii_case(rule))
}

impl Before {
    /// With what git made of it: a tree, and the index it made it through.
    fn known(mut self, tree: &str, index: &Path) -> Option<Known> {
        const STAGE: u16 = 0x3000;
        const ASSUMED: u16 = 0x8000;
        const SKIPPED_OR_MEANT: u16 = 0x6000;
        let repository = git2::Repository::open(&self.checkout).ok()?;
        let tree = Oid::from_str(tree).ok()?;
        let places: HashMap<Vec<u8>, usize> =
            self.folders.iter().enumerate().map(|(at, folder)| (folder.path.clone(), at)).collect();
        let index = git2::Index::open(index).ok()?;
        let mut unsettled = 0;
        for entry in index.iter() {
            let is_odd = entry.flags & (STAGE | ASSUMED) != 0
                || entry.flags_extended & SKIPPED_OR_MEANT != 0
                || !matches!(entry.mode, 0o100_644 | 0o100_755 | 0o120_000);
            if is_odd {
                return None;
            }
            let slash = entry.path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
            let folder = &mut self.folders[*places.get(&entry.path[..slash])?];
            let own = &entry.path[slash..];
            let name = folder.names.binary_search_by(|name| name.0.as_bytes().cmp(own)).ok()?;
            let stat = Stat::of_entry(&entry);
            let is_settled = stat.is_settled(self.now);
            unsettled += usize::from(!is_settled);
            folder.files.push(File { name, stat, is_settled, id: entry.id });
        }
        if unsettled > MOST_READ {
            return None;
        }
        let mut others = 0;
        for folder in &self.folders {
            let kept: HashSet<usize> = folder.files.iter().map(|file| file.name).collect();
            for (at, (name, kind)) in folder.names.iter().enumerate() {
                let mut path = folder.path.clone();
                path.extend_from_slice(name.as_bytes());
                if *kind == FileType::Directory {
                    path.push(b'/');
                }
                if kept.contains(&at) || places.contains_key(&path) {
                    continue;
                }
                others += 1;
                // What git left out for another reason may be meant at the next look.
                if others > MOST_OTHERS
                    || is_rule(name.as_bytes())
                    || !is_ignored(&repository, &path)
                {
                    return None;
                }
            }
        }
        Some(Known { checkout: self.checkout, tree, folders: self.folders, stamps: self.stamps })
    }
}

/// A file that is to be read: which folder, which of its files, what it is like now.
struct Doubt {
    folder: usize,
    file: usize,
    stat: Stat,
}

/// Which folder, and which of its files.
type Place = (usize, usize);

impl Known {
    /// Where these files are in the tree, without those outside the checkout.
    fn places(&self, paths: &[PathBuf]) -> Option<Vec<Place>> {
        let checkout = self.checkout.canonicalize().ok()?;
        let mut places = Vec::new();
        for path in paths {
            let path = path.canonicalize().ok()?;
            let Ok(inside) = path.strip_prefix(&checkout) else { continue };
            let bytes = inside.as_os_str().as_bytes();
            let slash = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
            let at = self.folders.iter().position(|folder| folder.path == bytes[..slash])?;
            let folder = &self.folders[at];
            let is_it = |file: &File| folder.names[file.name].0.as_bytes() == &bytes[slash..];
            places.push((at, folder.files.iter().position(is_it)?));
        }
        Some(places)
    }

    /// `only`: the files that can be other than they were; all when it is not known which.
    fn look(&mut self, only: Option<&[Place]>) -> Option<Oid> {
        let now = now();
        let is_as_it_was = |known: &Stamp| stamp(known.0.clone()) == *known;
        if !self.stamps.iter().all(is_as_it_was) {
            return None;
        }
        let root = folder(&self.checkout)?;
        let doubts = match only {
            Some(places) => self.doubts_at(&root, places)?,
            None => self.doubts(&root, now)?,
        };
        let bytes: u64 = doubts.iter().map(|doubt| u64::from(doubt.stat.size)).sum();
        if doubts.len() > MOST_READ || bytes > MOST_BYTES {
            return None;
        }
        if doubts.is_empty() {
            return Some(self.tree);
        }
        let repository = git2::Repository::open(&self.checkout).ok()?;
        let mut update = TreeUpdateBuilder::new();
        let mut is_other = false;
        for doubt in doubts {
            let folder = &mut self.folders[doubt.folder];
            let file = &mut folder.files[doubt.file];
            let name = &folder.names[file.name].0;
            let mut path = folder.path.clone();
            path.extend_from_slice(name.as_bytes());
            let content = content(&root, &path, &doubt.stat)?;
            let id = Oid::hash_object(ObjectType::Blob, &content).ok()?;
            if id != file.id || doubt.stat.mode != file.stat.mode {
                if is_rule(name.as_bytes())
                    || doubt.stat.mode == 0o120_000
                    || file.stat.mode == 0o120_000
                    || has_attributes(&repository, &path)
                {
                    return None;
                }
                let id = repository.blob(&content).ok()?;
                let mode = match doubt.stat.mode {
                    0o100_755 => FileMode::BlobExecutable,
                    _ => FileMode::Blob,
                };
                let _ = update.upsert(&path[..], id, mode);
                file.id = id;
                is_other = true;
            }
            file.stat = doubt.stat;
            file.is_settled = doubt.stat.is_settled(now);
        }
        if is_other {
            let last = repository.find_tree(self.tree).ok()?;
            self.tree = update.create_updated(&repository, &last).ok()?;
        }
        Some(self.tree)
    }

    /// Those of these files that may be other than they were.
    fn doubts_at(&self, root: &OwnedFd, places: &[Place]) -> Option<Vec<Doubt>> {
        let mut doubts = Vec::new();
        for (at, number) in places.iter().copied() {
            let folder = &self.folders[at];
            let file = &folder.files[number];
            let mut path = folder.path.clone();
            path.extend_from_slice(folder.names[file.name].0.as_bytes());
            let raw = statat(root, OsStr::from_bytes(&path), AtFlags::SYMLINK_NOFOLLOW).ok()?;
            let stat = Stat::of(&raw);
            if stat == file.stat && file.is_settled {
                continue;
            }
            if !matches!(stat.mode, 0o100_644 | 0o100_755) {
                return None;
            }
            doubts.push(Doubt { folder: at, file: number, stat });
        }
        Some(doubts)
    }

    /// The files that may be other than they were; `None` where git has to say what is.
    fn doubts(&mut self, root: &OwnedFd, now: i128) -> Option<Vec<Doubt>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        let share = self.folders.len().div_ceil(threads).max(SHARE);
        let parts: Vec<Option<Vec<Doubt>>> = std::thread::scope(|scope| {
            let mut parts = self.folders.chunks_mut(share).enumerate();
            let own = parts.next();
            let others: Vec<_> = parts
                .map(|(at, part)| {
                    let look = move || doubts_in(root, part, at * share, now);
                    std::thread::Builder::new().name("git-look".into()).spawn_scoped(scope, look)
                })
                .collect();
            let first = own.map(|(_, part)| doubts_in(root, part, 0, now));
            let others = others.into_iter().map(|thread| thread.ok()?.join().ok()?);
            first.into_iter().chain(others).collect()
        });
        let mut doubts = Vec::new();
        for part in parts {
            doubts.append(&mut part?);
        }
        Some(doubts)
    }
}

fn doubts_in(root: &OwnedFd, part: &mut [Folder], first: usize, now: i128) -> Option<Vec<Doubt>> {
    let mut doubts = Vec::new();
    for (at, folder) in part.iter_mut().enumerate() {
        let is_root = folder.path.is_empty();
        let path = if is_root { OsStr::new(".") } else { OsStr::from_bytes(&folder.path) };
        let opened = openat(root, path, FLAGS, Mode::empty()).ok()?;
        let stat = Stat::of(&fstat(&opened).ok()?);
        if stat != folder.stat || !folder.is_settled {
            if names(&opened, is_root)? != folder.names {
                return None;
            }
            folder.stat = stat;
            folder.is_settled = stat.is_settled(now);
        }
        for (number, file) in folder.files.iter().enumerate() {
            let name = &folder.names[file.name].0;
            let raw = statat(opened.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            let stat = Stat::of(&raw);
            if stat == file.stat && file.is_settled {
                continue;
            }
            let is_kept = matches!(stat.mode, 0o100_644 | 0o100_755 | 0o120_000);
            if !is_kept || u64::try_from(raw.st_size).ok()? > MOST_BYTES || doubts.len() > MOST_READ
            {
                return None;
            }
            doubts.push(Doubt { folder: first + at, file: number, stat });
        }
    }
    Some(doubts)
}

/// What a file has, if it is still like that when it was read.
fn content(root: &OwnedFd, path: &[u8], stat: &Stat) -> Option<Vec<u8>> {
    let path = OsStr::from_bytes(path);
    let mut content = Vec::new();
    if stat.mode == 0o120_000 {
        content = rustix::fs::readlinkat(root, path, content).ok()?.into_bytes();
    } else {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = fs::File::from(openat(root, path, flags, Mode::empty()).ok()?);
        let _ = file.take(MOST_BYTES + 1).read_to_end(&mut content).ok()?;
    }
    let after = Stat::of(&statat(root, path, AtFlags::SYMLINK_NOFOLLOW).ok()?);
    (after == *stat && content.len() as u64 <= MOST_BYTES).then_some(content)
}

/// Whether git would store something else than what is in the file.
fn has_attributes(repository: &git2::Repository, path: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(path));
    ["filter", "text", "crlf", "eol", "ident", "working-tree-encoding"].iter().any(|name| {
        !matches!(repository.get_attr_bytes(path, name, AttrCheckFlags::FILE_THEN_INDEX), Ok(None))
    })
}
