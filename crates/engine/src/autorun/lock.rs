//! The lock on a run's directory that every host of this user sees, whatever its home folder.
//!
//! The store keeps a lease, too, but only for its own home. The lock goes with the process that holds
//! it: a host that dies leaves none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use maestro_core::RunId;

/// A directory held, with everything below it that belongs to the same checkout. Given back when dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _own: File,
    /// Shared with the holders of other directories below the same ones.
    _above: Vec<File>,
}

/// Why a directory is not ours.
#[derive(Debug)]
pub(super) enum Refused {
    /// Somebody holds it; what they wrote about themselves.
    Held(String),
    /// The lock cannot be taken at all.
    Io(io::Error),
}

/// A directory to be held, and by whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// It, canonical.
    pub(super) directory: &'a Path,
    /// The root of the checkout it is in. What lies above is another place, and so is a repository or a
    /// worktree below: it has a root of its own.
    pub(super) checkout: Option<&'a Path>,
    pub(super) run: RunId,
    /// The home folder of the host.
    pub(super) home: &'a Path,
}

/// What is written into the lock of a directory: who holds it, then the directory.
const HOLDER_LIMIT: u64 = 8 * 1024;

impl DirectoryLock {
    /// Takes a directory: alone, and what is above it together with others that are below it, too.
    pub(super) fn take(locks: &Path, wanted: Wanted<'_>) -> Result<Self, Refused> {
        private_folder(locks).map_err(Refused::Io)?;
        let Wanted { directory, checkout, run, home } = wanted;
        let mut own = open(locks, directory).map_err(Refused::Io)?;
        if !try_lock(&own, Kind::Alone).map_err(Refused::Io)? {
            return Err(Refused::Held(holder(locks, directory).unwrap_or_default()));
        }
        let mut above = Vec::new();
        for parent in above_within(directory, checkout) {
            let file = open(locks, parent).map_err(Refused::Io)?;
            if !try_lock(&file, Kind::Shared).map_err(Refused::Io)? {
                let held = About::read(file).map(|about| about.elsewhere());
                return Err(Refused::Held(held.unwrap_or_default()));
            }
            above.push(file);
        }
        let about = format!(
            "run {run} (process {}, {})\n{}",
            std::process::id(),
            home.display(),
            directory.display()
        );
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(about.as_bytes())
        };
        write(&mut own).map_err(Refused::Io)?;
        Ok(Self { _own: own, _above: above })
    }
}

/// The directories above one, as far as they belong to the same checkout.
fn above_within<'a>(
    directory: &'a Path,
    checkout: Option<&Path>,
) -> impl Iterator<Item = &'a Path> {
    let inside = checkout.filter(|root| directory.starts_with(root));
    directory
        .ancestors()
        .skip(1)
        .filter(move |parent| inside.is_none_or(|root| parent.starts_with(root)))
}

fn open(locks: &Path, directory: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let _ = options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let _ = options
            .mode(0o600)
            .custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default());
    }
    options.open(locks.join(file_name(directory)))
}

/// What the holder of a lock wrote about itself.
struct About {
    who: String,
    directory: PathBuf,
}

impl About {
    fn read(file: File) -> Option<Self> {
        let mut text = String::new();
        let _ = file.take(HOLDER_LIMIT).read_to_string(&mut text).ok()?;
        let (who, directory) = text.split_once('\n')?;
        Some(Self { who: who.to_owned(), directory: PathBuf::from(directory) })
    }

    fn elsewhere(&self) -> String {
        format!("{} in {}", self.who, self.directory.display())
    }
}

/// Who keeps a directory from being taken alone: its own holder, or that of a directory below it.
fn holder(locks: &Path, directory: &Path) -> Option<String> {
    let is_held_alone = |file: &File| matches!(try_lock(file, Kind::Shared), Ok(false));
    let own = open(locks, directory).ok()?;
    if is_held_alone(&own) {
        return About::read(own).map(|about| about.who);
    }
    fs::read_dir(locks).ok()?.flatten().find_map(|entry| {
        let file = File::open(entry.path()).ok()?;
        let held = is_held_alone(&file);
        let about = About::read(file)?;
        let below = about.directory != directory && about.directory.starts_with(directory);
        (held && below).then(|| about.elsewhere())
    })
}

/// How a lock is held.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Alone,
    Shared,
}

#[cfg(unix)]
fn try_lock(file: &File, kind: Kind) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    let operation = match kind {
        Kind::Alone => FlockOperation::NonBlockingLockExclusive,
        Kind::Shared => FlockOperation::NonBlockingLockShared,
    };
    match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn try_lock(_file: &File, _kind: Kind) -> io::Result<bool> {
    Ok(true)
}

/// A name for a directory: its last part for people, its whole path for certain.
fn file_name(directory: &Path) -> String {
    let name: String = directory
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(40)
        .collect();
    // FNV-1a: hosts of two versions have to meet, and the standard library promises no hash for ever.
    let hash = directory
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{name}-{hash:016x}.lock")
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
        let take = |run, directory: &str, checkout: Option<&str>| {
            let wanted = Wanted {
                directory: Path::new(directory),
                checkout: checkout.map(Path::new),
                run: RunId(run),
                home: Path::new("/home/m"),
            };
            DirectoryLock::take(&locks, wanted)
        };
        let held = take(1, "/some/where", None).expect("free");
        let Err(Refused::Held(holder)) = take(2, "/some/where", None) else { panic!("held") };
        assert!(holder.starts_with("run r1 (process "), "{holder}");
        assert!(holder.ends_with(", /home/m)"), "{holder}");
        assert!(take(3, "/else/where", None).is_ok());
        drop(held);
        assert!(take(2, "/some/where", None).is_ok());
    }

    #[test]
    #[cfg(unix)]
    fn directories_of_one_checkout_exclude_each_other_when_one_is_in_the_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let locks = folder.path().join("locks");
        // Held first, wanted then, each with its checkout; whether both can be had.
        let check = |first: (&str, Option<&str>), then: (&str, Option<&str>), both: bool| {
            let take = |run, (directory, checkout): (&str, Option<&str>)| {
                let wanted = Wanted {
                    directory: Path::new(directory),
                    checkout: checkout.map(Path::new),
                    run: RunId(run),
                    home: Path::new("/h"),
                };
                DirectoryLock::take(&locks, wanted)
            };
            for (one, other) in [(first, then), (then, first)] {
                let held = take(1, one).expect("free");
                match take(2, other) {
                    Ok(_) => assert!(both, "{one:?} does not keep {other:?}"),
                    Err(Refused::Held(holder)) => {
                        assert!(!both, "{one:?} keeps {other:?}: {holder}");
                        assert!(holder.starts_with("run r1 ("), "{holder}");
                        assert!(holder.ends_with(&format!(" in {}", one.0)), "{holder}");
                    }
                    Err(Refused::Io(error)) => panic!("{error}"),
                }
                drop(held);
            }
        };
        let repo = Some("/w/repo");
        check(("/w/repo", repo), ("/w/repo/a/b", repo), false);
        check(("/w/repo/a", repo), ("/w/repo/a/b", repo), false);
        check(("/w/repo/a", repo), ("/w/repo/b", repo), true);
        check(("/w/repo", repo), ("/w/repo/.trees/x", Some("/w/repo/.trees/x")), true);
        check(("/w", None), ("/w/repo", repo), true);
        check(("/w", None), ("/w/notes", None), false);
        check(("/w/no", None), ("/w/notes", None), true);
    }
}
