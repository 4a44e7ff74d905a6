//! Playbooks as one file: `*.maestro-playbook.zip`, as the program that invented them writes it.
//!
//! `manifest.json` (version 1) has the name, the documents without `.md`, loops, prompt, mode and worktree;
//! `documents/` the checklists in their folders; `assets/` files that go with them. Ours have a
//! `playbook.toml` besides, which says more; where it is there, it holds.
//!
//! An archive comes from a stranger. Everything is read into memory within bounds and looked at before the
//! first file is written, no name may lead out of the folder, and nothing that is there is replaced unless
//! the user said so.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use maestro_core::playbook::{Found, Listed, Playbook};
use maestro_core::run::{Loops, Mode, PullRequest};
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{file, folder};

/// The version of the manifest that is read and written.
const VERSION: u32 = 1;
/// The largest archive: 64 MiB.
const MAX_ARCHIVE: u64 = 64 << 20;
/// The largest file in one: 16 MiB.
const MAX_FILE: u64 = 16 << 20;
/// All files together: 128 MiB. They are held in memory until all of them are known to be good.
const MAX_TOTAL: u64 = 128 << 20;
/// The most files and folders.
const MAX_ENTRIES: usize = 2_000;
/// How deep folders may be.
const MAX_DEPTH: usize = 16;
/// Files that a refusal names.
const TOLD: usize = 10;

const MANIFEST: &str = "manifest.json";
const DOCUMENTS: &str = "documents/";
const ASSETS: &str = "assets/";

/// Why an archive was not read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// It is none, or one that nobody should unpack: the sentence says why.
    #[error("{archive} was not imported, and nothing was written: {why}.")]
    Bad {
        /// The archive.
        archive: PathBuf,
        /// See above.
        why: String,
    },
    /// Files that are there already.
    #[error(
        "Nothing was written, because {folder} has these files already: {names}. Choose another name, or \
         say that they are to be replaced."
    )]
    Conflicts {
        /// Where.
        folder: PathBuf,
        /// Which.
        names: String,
    },
    /// The playbook cannot be packed: the sentence says why.
    #[error("The playbook cannot be copied: {0}")]
    Playbook(String),
    /// The file is there already.
    #[error("{0} is there already; choose another name, or say that it is to be replaced.")]
    Exists(PathBuf),
    /// The disk refused.
    #[error("{path} cannot be {what}: {source}.")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Read or written.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    version: u32,
    #[serde(default)]
    name: String,
    #[serde(default)]
    documents: Vec<Entry>,
    #[serde(default)]
    loop_enabled: bool,
    #[serde(default)]
    max_loops: Option<u32>,
    #[serde(default)]
    prompt: Option<String>,
    #[serde(default)]
    task_selection_mode: Option<String>,
    #[serde(default)]
    worktree_settings: Option<Worktree>,
    #[serde(default)]
    exported_at: serde_json::Value,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    filename: String,
    #[serde(default)]
    reset_on_completion: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Worktree {
    branch_name_template: String,
    #[serde(default, rename = "createPROnCompletion")]
    create_pr_on_completion: bool,
    #[serde(default)]
    pr_target_branch: Option<String>,
}

/// Unpacks an archive into a folder of playbooks. `name`: of the new folder there.
pub(super) fn import(
    archive: &Path,
    into: &Path,
    name: Option<&str>,
    overwrite: bool,
) -> Result<Found, Error> {
    put_down(unpack(archive)?, archive, into, name, overwrite)
}

/// A playbook that is no archive, but an entry in a list of the program that invented them, with its
/// checklists in a folder of the project: the same is made of it as of an archive. Nothing that is there is
/// replaced.
pub(super) fn take_over(
    mut manifest: serde_json::Value,
    documents: &Path,
    into: &Path,
) -> Result<Found, Error> {
    let bad = |why: String| Error::Bad { archive: documents.to_owned(), why };
    let fields = manifest.as_object_mut().ok_or_else(|| bad("it is no playbook".to_owned()))?;
    let _ = fields.insert("version".to_owned(), VERSION.into());
    let about: Manifest = serde_json::from_value(manifest.clone())
        .map_err(|error| bad(format!("it cannot be read ({error})")))?;
    if about.documents.len() > file::MAX_DOCUMENTS {
        return Err(bad(format!("it has more than {} documents", file::MAX_DOCUMENTS)));
    }
    let mut contents = BTreeMap::new();
    let mut total = 0;
    for entry in &about.documents {
        let name = file::check_path(&entry.filename).map_err(bad)?;
        let path = join(documents, &name);
        // A pipe that is called like a checklist would be waited for.
        if fs::metadata(&path).is_ok_and(|about| !about.is_file()) {
            return Err(bad(format!("`{name}` is no file")));
        }
        let mut bytes = Vec::new();
        let _ = File::open(&path)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
            .map_err(|source| Error::Io { path: path.clone(), what: "read", source })?;
        total += bytes.len() as u64;
        if bytes.len() as u64 > MAX_FILE || total > MAX_TOTAL {
            return Err(bad(format!("`{name}` makes it too large")));
        }
        let _ = contents.insert(format!("{DOCUMENTS}{name}"), bytes);
    }
    let _ = contents.insert(MANIFEST.to_owned(), manifest.to_string().into_bytes());
    put_down(contents, documents, into, None, false)
}

/// Writes what came from `source` into a folder of playbooks.
fn put_down(
    contents: BTreeMap<String, Vec<u8>>,
    source: &Path,
    into: &Path,
    name: Option<&str>,
    overwrite: bool,
) -> Result<Found, Error> {
    let bad = |why: String| Error::Bad { archive: source.to_owned(), why };
    let (playbook, files) = lay_out(contents).map_err(bad)?;
    let name = match name {
        Some(name) => {
            check_name(name).map_err(bad)?;
            name.to_owned()
        }
        None => folder_name(&playbook.name),
    };
    let folder = into.join(&name);
    let there: Vec<&str> = files
        .keys()
        .filter(|path| fs::symlink_metadata(join(&folder, path)).is_ok())
        .map(String::as_str)
        .collect();
    if !there.is_empty() && !overwrite {
        return Err(Error::Conflicts { folder, names: told(&there) });
    }
    for path in files.keys() {
        refuse_link(&folder, path).map_err(bad)?;
    }
    if fs::symlink_metadata(&folder).is_ok() {
        put(&folder, &files)?;
    } else {
        // A new playbook is there as a whole or not at all.
        let new = into.join(temporary("playbook"));
        let made = put(&new, &files).and_then(|()| {
            fs::rename(&new, &folder).map_err(|source| Error::Io {
                path: folder.clone(),
                what: "written",
                source,
            })
        });
        if made.is_err() {
            let _ = fs::remove_dir_all(&new);
        }
        made?;
    }
    Ok(folder::open(&folder))
}

fn put(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    files.iter().try_for_each(|(path, bytes)| write(&join(folder, path), bytes))
}

/// The first names, and how many more.
fn told(names: &[&str]) -> String {
    let mut text = names.iter().take(TOLD).copied().collect::<Vec<_>>().join(", ");
    if names.len() > TOLD {
        text.push_str(&format!(" and {} more", names.len() - TOLD));
    }
    text
}

/// Whether a name is that of a folder directly in another one.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    file::check_relative(name)?;
    if name.contains('/') || name.starts_with('.') {
        return Err(format!("`{name}` is no name of a folder"));
    }
    Ok(())
}

/// A name for a playbook's folder: short, and one that every system takes.
pub(super) fn folder_name(name: &str) -> String {
    let mut folder = String::new();
    for c in name.chars().take(80) {
        match c {
            c if c.is_alphanumeric() => folder.extend(c.to_lowercase()),
            _ if !folder.ends_with('-') => folder.push('-'),
            _ => {}
        }
    }
    let folder = folder.trim_matches('-');
    if folder.is_empty() { "playbook".to_owned() } else { folder.to_owned() }
}

/// Reads every file of an archive into memory, by its name.
fn unpack(archive: &Path) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let io = |source| Error::Io { path: archive.to_owned(), what: "read", source };
    let bad = |why: String| Error::Bad { archive: archive.to_owned(), why };
    let about = fs::metadata(archive).map_err(io)?;
    if !about.is_file() {
        return Err(bad("it is no file".to_owned()));
    }
    if about.len() > MAX_ARCHIVE {
        return Err(bad(format!("it has more than {} MiB", MAX_ARCHIVE >> 20)));
    }
    // The directory of an archive says how many files it has; reading it must not cost more than it is
    // worth, so the archive is in memory, where seeking costs nothing.
    let mut bytes = Vec::new();
    let _ =
        File::open(archive).map_err(io)?.take(MAX_ARCHIVE).read_to_end(&mut bytes).map_err(io)?;
    if bytes.windows(4).enumerate().any(|(at, part)| claims_too_much(part, &bytes[at..])) {
        return Err(bad(format!("it has more than {MAX_ENTRIES} files")));
    }
    let mut zip = ZipArchive::new(io::Cursor::new(bytes))
        .map_err(|error| bad(format!("it is no archive that can be read ({error})")))?;
    if zip.len() > MAX_ENTRIES {
        return Err(bad(format!("it has more than {MAX_ENTRIES} files")));
    }
    let mut files = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut total = 0;
    for index in 0..zip.len() {
        // Raw at first, so that nothing is unpacked before it was looked at.
        let entry = zip.by_index_raw(index).map_err(|error| bad(unreadable(index, &error)))?;
        let raw = String::from_utf8(entry.name_raw().to_vec())
            .map_err(|_| bad("it has a file whose name is no UTF-8".to_owned()))?;
        let name = raw.strip_suffix('/').unwrap_or(&raw).to_owned();
        file::check_relative(&name).map_err(bad)?;
        if name.split('/').count() > MAX_DEPTH {
            return Err(bad(format!("`{name}` lies deeper than {MAX_DEPTH} folders")));
        }
        if entry.is_symlink() || entry.unix_mode().is_some_and(is_special) {
            return Err(bad(format!("`{name}` is a link or a device")));
        }
        if entry.encrypted() {
            return Err(bad(format!("`{name}` is encrypted")));
        }
        // Two names that are one on some systems: the second would replace the first.
        let is_folder = raw.ends_with('/');
        if !seen.insert(name.to_lowercase()) {
            return Err(bad(format!("it has `{name}` twice")));
        }
        if is_folder {
            continue;
        }
        drop(entry);
        let entry = zip.by_index(index).map_err(|error| bad(unreadable(index, &error)))?;
        let mut bytes = Vec::new();
        // What its directory says about sizes is not believed.
        let _ = entry
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| bad(format!("`{name}` cannot be unpacked ({error})")))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(bad(format!("`{name}` has more than {} MiB", MAX_FILE >> 20)));
        }
        total += bytes.len() as u64;
        if total > MAX_TOTAL {
            return Err(bad(format!("its files have more than {} MiB", MAX_TOTAL >> 20)));
        }
        let _ = files.insert(name, bytes);
    }
    Ok(files)
}

/// Whether bytes are the end of an archive's directory and say that it has more files than are unpacked.
/// What reads archives would make room for all of them first.
fn claims_too_much(signature: &[u8], record: &[u8]) -> bool {
    match signature {
        b"PK\x05\x06" => record
            .get(10..12)
            .and_then(|count| count.try_into().ok())
            .is_some_and(|count| usize::from(u16::from_le_bytes(count)) > MAX_ENTRIES),
        b"PK\x06\x06" => record
            .get(32..40)
            .and_then(|count| count.try_into().ok())
            .is_some_and(|count| u64::from_le_bytes(count) > MAX_ENTRIES as u64),
        _ => false,
    }
}

fn unreadable(index: usize, error: &zip::result::ZipError) -> String {
    format!("its file number {} cannot be read ({error})", index + 1)
}

/// Whether a mode is that of something else than a file or a folder.
fn is_special(mode: u32) -> bool {
    !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000)
}

/// The playbook of an archive, and its files by their paths in the playbook's folder.
fn lay_out(
    mut contents: BTreeMap<String, Vec<u8>>,
) -> Result<(Playbook, BTreeMap<String, Vec<u8>>), String> {
    let manifest = contents.remove(MANIFEST).ok_or(format!("it has no {MANIFEST}"))?;
    let manifest: Manifest = serde_json::from_slice(&manifest)
        .map_err(|error| format!("its {MANIFEST} cannot be read ({error})"))?;
    if manifest.version != VERSION {
        let version = manifest.version;
        return Err(format!("it is of version {version}, and this Maestro reads {VERSION}"));
    }
    let own = contents.remove(file::NAME);
    let mut files = BTreeMap::new();
    for (path, bytes) in contents {
        let place = match path.strip_prefix(DOCUMENTS) {
            Some(document) => document.to_owned(),
            None if path.starts_with(ASSETS) => path,
            // Whatever else is in it belongs to nothing.
            None => continue,
        };
        if place.eq_ignore_ascii_case(file::NAME) {
            return Err(format!("a document is called {}", file::NAME));
        }
        if files.insert(place.clone(), bytes).is_some() {
            return Err(format!("it has `{place}` twice"));
        }
    }
    for path in files.keys() {
        let mut parent = path.as_str();
        while let Some((above, _)) = parent.rsplit_once('/') {
            if files.contains_key(above) {
                return Err(format!("`{above}` is a file and a folder in it"));
            }
            parent = above;
        }
    }
    let playbook = match own {
        Some(own) => {
            let text = String::from_utf8(own).map_err(|_| format!("{} is no UTF-8", file::NAME))?;
            file::parse(&text).map_err(|problem| problem.to_string())?
        }
        None => of_manifest(manifest)?,
    };
    for listed in &playbook.documents {
        if !files.contains_key(&listed.path) {
            return Err(format!("its document `{}` is not in it", listed.path));
        }
    }
    let mut playbook = playbook;
    if playbook.documents.is_empty() {
        playbook.documents = files
            .keys()
            .filter(|path| path.to_ascii_lowercase().ends_with(".md") && !path.starts_with(ASSETS))
            .map(|path| Listed { path: path.clone(), reset: false })
            .collect();
    }
    let _ = files.insert(file::NAME.to_owned(), file::write(&playbook).into_bytes());
    Ok((playbook, files))
}

fn of_manifest(manifest: Manifest) -> Result<Playbook, String> {
    if manifest.documents.len() > file::MAX_DOCUMENTS {
        return Err(format!("it has more than {} documents", file::MAX_DOCUMENTS));
    }
    let documents = manifest
        .documents
        .into_iter()
        .map(|entry| {
            let path = file::check_path(&entry.filename)?;
            Ok(Listed { path, reset: entry.reset_on_completion })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let name: String = manifest.name.chars().filter(|c| !c.is_control()).take(120).collect();
    let worktree =
        manifest.worktree_settings.filter(|worktree| !worktree.branch_name_template.is_empty());
    let playbook = Playbook {
        name: if name.trim().is_empty() { "Playbook".to_owned() } else { name.trim().to_owned() },
        documents,
        loops: match (manifest.loop_enabled, manifest.max_loops) {
            (false, _) | (true, Some(0 | 1)) => Loops::Once,
            (true, Some(times)) => Loops::Times(times.min(100_000)),
            (true, None) => Loops::Forever,
        },
        mode: match manifest.task_selection_mode.as_deref() {
            Some("document") => Mode::Document,
            _ => Mode::Task,
        },
        // The words of the other program tell its agents to pick and tick the tasks themselves. They are
        // kept only where they name the task that Maestro picked.
        prompt: manifest.prompt.filter(|prompt| prompt.to_lowercase().contains("{{task}}")),
        pull_request: worktree.as_ref().filter(|worktree| worktree.create_pr_on_completion).map(
            |worktree| PullRequest { target: worktree.pr_target_branch.clone(), draft: false },
        ),
        worktree: worktree.map(|worktree| worktree.branch_name_template),
        ..Playbook::default()
    };
    // What was put together from a stranger's words is what a file may say.
    file::parse(&file::write(&playbook)).map_err(|problem| problem.why)
}

/// Packs a playbook into an archive.
pub(super) fn export(
    folder: &Path,
    archive: &Path,
    overwrite: bool,
    now_ms: u64,
) -> Result<(), Error> {
    let (playbook, documents) = contents_of(folder)?;
    if fs::symlink_metadata(archive).is_ok() && !overwrite {
        return Err(Error::Exists(archive.to_owned()));
    }
    let mut files: BTreeMap<String, Vec<u8>> = documents
        .into_iter()
        .map(|(path, bytes)| match path.starts_with(ASSETS) {
            true => (path, bytes),
            false => (format!("{DOCUMENTS}{path}"), bytes),
        })
        .collect();
    let manifest = serde_json::to_vec_pretty(&manifest(&playbook, now_ms))
        .map_err(|error| Error::Playbook(error.to_string()))?;
    let _ = files.insert(MANIFEST.to_owned(), manifest);
    let _ = files.insert(file::NAME.to_owned(), file::write(&playbook).into_bytes());
    let bytes = pack(&files)
        .map_err(|error| Error::Playbook(format!("the archive cannot be made ({error}).")))?;
    write(archive, &bytes)
}

/// A playbook with its documents and what goes with them, by their paths in its folder.
pub(super) fn contents_of(folder: &Path) -> Result<(Playbook, BTreeMap<String, Vec<u8>>), Error> {
    let found = folder::named(folder).ok_or_else(|| {
        let name = folder.display();
        Error::Playbook(format!("{name} has neither a {} nor a checklist.", file::NAME))
    })?;
    if let Some(problem) = found.problem {
        return Err(Error::Playbook(problem));
    }
    let mut files = BTreeMap::new();
    for listed in &found.playbook.documents {
        let bytes = read(&join(folder, &listed.path))?;
        let _ = files.insert(listed.path.clone(), bytes);
    }
    assets(folder, "assets", 0, &mut files)?;
    let total: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    if files.len() > MAX_ENTRIES - 2 || total > MAX_TOTAL {
        let why = format!(
            "it has more than {MAX_ENTRIES} files or {} MiB; take something out of its assets.",
            MAX_TOTAL >> 20
        );
        return Err(Error::Playbook(why));
    }
    Ok((found.playbook, files))
}

/// The files of the folder of assets. Links in it are left out.
fn assets(
    folder: &Path,
    path: &str,
    depth: usize,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(join(folder, path)) else { return Ok(()) };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let below = format!("{path}/{name}");
        let Ok(kind) = entry.file_type() else { continue };
        if name.starts_with('.') || file::check_relative(&below).is_err() {
            continue;
        }
        if kind.is_dir() && depth + 2 < MAX_DEPTH && files.len() <= MAX_ENTRIES {
            assets(folder, &below, depth + 1, files)?;
        } else if kind.is_file() && files.len() <= MAX_ENTRIES {
            let bytes = read(&entry.path())?;
            let _ = files.insert(below, bytes);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let io = |source| Error::Io { path: path.to_owned(), what: "read", source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io)?;
    let _ = file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_FILE {
        let why = format!("{} has more than {} MiB.", path.display(), MAX_FILE >> 20);
        return Err(Error::Playbook(why));
    }
    Ok(bytes)
}

fn manifest(playbook: &Playbook, now_ms: u64) -> Manifest {
    let documents = playbook.documents.iter().map(|listed| Entry {
        filename: listed.path.strip_suffix(".md").unwrap_or(&listed.path).to_owned(),
        reset_on_completion: listed.reset,
    });
    let request = playbook.pull_request.as_ref();
    Manifest {
        version: VERSION,
        name: playbook.name.clone(),
        documents: documents.collect(),
        loop_enabled: playbook.loops != Loops::Once,
        max_loops: match playbook.loops {
            Loops::Times(times) => Some(times),
            Loops::Once | Loops::Forever => None,
        },
        prompt: Some(playbook.prompt.clone().unwrap_or_default()),
        task_selection_mode: Some(
            match playbook.mode {
                Mode::Task => "task",
                Mode::Document => "document",
            }
            .to_owned(),
        ),
        worktree_settings: playbook.worktree.clone().map(|branch_name_template| Worktree {
            branch_name_template,
            create_pr_on_completion: request.is_some(),
            pr_target_branch: request.and_then(|request| request.target.clone()),
        }),
        exported_at: now_ms.into(),
    }
}

fn pack(files: &BTreeMap<String, Vec<u8>>) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(0o644);
    for (name, bytes) in files {
        writer.start_file(name.as_str(), options)?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// A path with forward slashes below a folder.
pub(super) fn join(folder: &Path, path: &str) -> PathBuf {
    path.split('/').fold(folder.to_owned(), |folder, part| folder.join(part))
}

/// Refuses to write through a link that lies in the playbook's folder already: it may lead anywhere.
fn refuse_link(folder: &Path, path: &str) -> Result<(), String> {
    let mut place = folder.to_owned();
    for part in path.split('/') {
        place.push(part);
        if fs::symlink_metadata(&place).is_ok_and(|about| about.is_symlink()) {
            return Err(format!("{} is a link already", place.display()));
        }
    }
    Ok(())
}

/// A name beside another one that nobody else uses now.
fn temporary(name: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name: String = name.chars().take(40).collect();
    format!(".{name}.{}-{}.new", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Writes a file so that nobody ever reads half of it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let io = |source| Error::Io { path: path.to_owned(), what: "written", source };
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(io)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(temporary(&name));
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&temporary);
        io(source)
    })
}

#[cfg(test)]
mod tests;
