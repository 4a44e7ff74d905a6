//! The trash of stored sessions: a provider's files are moved into a folder of ours, and back. Nothing is
//! ever deleted here.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use maestro_agents::store::{self, Found};
use maestro_core::agent::Provider;
use maestro_core::session::SessionKey;
use serde::{Deserialize, Serialize};

use super::trash_of;

/// The file in which it stands where everything came from.
const MANIFEST: &str = "place.json";
/// The folder with what was moved.
const FILES: &str = "files";

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// The session's own file, below the folder.
    main: PathBuf,
    /// What was moved: from where, and its name in the folder.
    moved: Vec<(PathBuf, String)>,
}

/// Whether a session of this provider can be moved at all: those in a database are only hidden.
pub(crate) fn moves(provider: Provider) -> bool {
    provider != Provider::OpenCode
}

/// Moves a session's files into the trash.
///
/// # Errors
///
/// When a file cannot be moved; what was moved until then is moved back.
pub(crate) fn put(home: &Path, key: &SessionKey, file: &Path) -> io::Result<()> {
    let folder = trash_of(home, key);
    if folder.join(MANIFEST).exists() {
        return Err(io::Error::other("another session with this id is in the trash already"));
    }
    let files = folder.join(FILES);
    fs::create_dir_all(&files)?;
    private(&folder)?;
    let (paths, main) = files_of(key.provider, file)?;
    let moved: Vec<(PathBuf, String)> =
        paths.into_iter().filter_map(|path| Some((path.clone(), name_of(&path)?))).collect();
    let manifest = Manifest { main, moved };
    // First where it came from: after a crash in between it can be moved back.
    write(&folder.join(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;
    for (at, (from, name)) in manifest.moved.iter().enumerate() {
        if let Err(error) = relocate(from, &files.join(name)) {
            for (from, name) in &manifest.moved[..at] {
                let _ = relocate(&files.join(name), from);
            }
            let _ = fs::remove_file(folder.join(MANIFEST));
            return Err(error);
        }
    }
    Ok(())
}

/// Moves a session's files back to where they were.
///
/// # Errors
///
/// When there is something at their place again, or a file cannot be moved.
pub(crate) fn restore(home: &Path, key: &SessionKey) -> io::Result<()> {
    let folder = trash_of(home, key);
    let Some(manifest) = manifest(&folder) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it is not in the trash any more"));
    };
    let files = folder.join(FILES);
    let here = |name: &str| fs::symlink_metadata(files.join(name)).is_ok();
    for (to, name) in &manifest.moved {
        if here(name) && fs::symlink_metadata(to).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("there is something at {} again", to.display()),
            ));
        }
    }
    for (to, name) in &manifest.moved {
        if here(name) {
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            relocate(&files.join(name), to)?;
        }
    }
    fs::remove_file(folder.join(MANIFEST))?;
    // Empty now; if not, what is in it stays.
    let _ = fs::remove_dir(&files);
    let _ = fs::remove_dir(&folder);
    Ok(())
}

/// A session in the trash.
pub(crate) fn find(home: &Path, key: &SessionKey) -> Option<Found> {
    let folder = trash_of(home, key);
    let manifest = manifest(&folder)?;
    let file = folder.join(FILES).join(&manifest.main);
    store::found_at(key.provider, &key.id, &file)
}

fn manifest(folder: &Path) -> Option<Manifest> {
    let text = fs::read(folder.join(MANIFEST)).ok()?;
    let manifest: Manifest = serde_json::from_slice(&text).ok()?;
    // Names, not ways out of the folder.
    let inside =
        |path: &Path| path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (inside(&manifest.main) && manifest.moved.iter().all(|(_, name)| inside(Path::new(name))))
        .then_some(manifest)
}

/// What belongs to a session, and its own file below the folder these are moved to.
fn files_of(provider: Provider, file: &Path) -> io::Result<(Vec<PathBuf>, PathBuf)> {
    let strange = || io::Error::other("its file has no name that is understood");
    let name = PathBuf::from(file.file_name().ok_or_else(strange)?);
    if provider == Provider::Copilot {
        let folder = file.parent().ok_or_else(strange)?;
        let below = Path::new(folder.file_name().ok_or_else(strange)?).join(&name);
        return Ok((vec![folder.to_owned()], below));
    }
    let mut paths = vec![file.to_owned()];
    let beside: &[&str] = match provider {
        // What its subagents said and its tools printed.
        Provider::Claude => &[""],
        Provider::Droid => &["settings.json", "settings.json.bak"],
        _ => &[],
    };
    for ending in beside {
        let path = file.with_extension(ending);
        let there = fs::symlink_metadata(&path);
        if there.is_ok_and(|about| about.is_file() || about.is_dir()) {
            paths.push(path);
        }
    }
    Ok((paths, name))
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name()?.to_str().map(str::to_owned)
}

/// Moves a file or a folder, also to another disk.
fn relocate(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            copy(from, to)?;
            if fs::symlink_metadata(from)?.is_dir() {
                fs::remove_dir_all(from)
            } else {
                fs::remove_file(from)
            }
        }
        other => other,
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let about = fs::symlink_metadata(from)?;
    if about.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if !about.is_file() {
        return Err(io::Error::other(format!("{} is neither a file nor a folder", from.display())));
    }
    let _ = fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private(_folder: &Path) -> io::Result<()> {
    Ok(())
}
