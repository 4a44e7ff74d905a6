//! The lock on a run's directory that every host of this user sees, whatever its home folder.
//!
//! The store keeps a lease, too, but only for its own home. The lock goes with the process that holds
//! it: a host that dies leaves none.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use maestro_core::RunId;

/// A directory held. Given back when dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

/// Why a directory is not ours.
#[derive(Debug)]
pub(super) enum Refused {
    /// Somebody holds it; what they wrote about themselves.
    Held(String),
    /// The lock cannot be taken at all.
    Io(io::Error),
}

impl DirectoryLock {
    /// Takes a directory, which must be canonical.
    pub(super) fn take(
        locks: &Path,
        directory: &Path,
        run: RunId,
        home: &Path,
    ) -> Result<Self, Refused> {
        private_folder(locks).map_err(Refused::Io)?;
        let path = locks.join(file_name(directory));
        let mut options = OpenOptions::new();
        let _ = options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            let _ = options.mode(0o600).custom_flags(
                i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default(),
            );
        }
        let mut file = options.open(path).map_err(Refused::Io)?;
        if !try_lock(&file).map_err(Refused::Io)? {
            let mut holder = String::new();
            let _ = (&mut file).take(1024).read_to_string(&mut holder).map_err(Refused::Io)?;
            return Err(Refused::Held(holder.trim().to_owned()));
        }
        let holder = format!("run {run} (process {}, {})", std::process::id(), home.display());
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(holder.as_bytes())
        };
        write(&mut file).map_err(Refused::Io)?;
        Ok(Self { _file: file })
    }
}

#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn try_lock(_file: &File) -> io::Result<bool> {
    Ok(true)
}

/// A name for a directory: its last part for people, its whole path for certain.
fn file_name(directory: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    directory.hash(&mut hasher);
    let name: String = directory
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(40)
        .collect();
    format!("{name}-{:016x}.lock", hasher.finish())
}

/// Makes a folder that only this user can enter, or refuses one that is not.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    let _ = builder.recursive(true);
    #[cfg(unix)]
    let _ = std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // Who owns the folder above could put another one in its place.
        for (folder, owners) in
            [(Some(folder), &[own_id()][..]), (folder.parent(), &[own_id(), 0][..])]
        {
            let Some(folder) = folder else { continue };
            let about = fs::symlink_metadata(folder)?;
            if !about.is_dir() || !owners.contains(&about.uid()) {
                let text = format!("{} does not belong to you; remove it", folder.display());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
            }
        }
    }
    Ok(())
}

/// The folder for [`super::Deps::locks`]. It must not depend on the environment: two hosts of one user
/// with different environments have to meet in it.
#[must_use]
pub fn locks_folder() -> PathBuf {
    #[cfg(unix)]
    {
        PathBuf::from(format!("/tmp/maestro-{}/locks", own_id()))
    }
    #[cfg(not(unix))]
    std::env::temp_dir().join("maestro-locks")
}

#[cfg(unix)]
fn own_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_directory_is_held_once_and_its_holder_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let locks = folder.path().join("locks");
        let directory = Path::new("/some/where");
        let take = |run| DirectoryLock::take(&locks, directory, RunId(run), Path::new("/home/m"));
        let held = take(1).expect("free");
        let Err(Refused::Held(holder)) = take(2) else { panic!("held") };
        assert!(holder.starts_with("run r1 (process "), "{holder}");
        assert!(holder.ends_with(", /home/m)"), "{holder}");
        let other = DirectoryLock::take(&locks, Path::new("/else/where"), RunId(3), Path::new("/"));
        assert!(other.is_ok());
        drop(held);
        assert!(take(2).is_ok());
    }
}
