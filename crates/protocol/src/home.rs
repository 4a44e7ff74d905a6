//! Where everything of one user's Maestro lives, and the lock that makes its host the only one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variable that moves the home folder. A host tells its children nothing else about where it
/// lives, so a test or a demo with its own value never meets the user's own host.
pub const VARIABLE: &str = "MAESTRO_HOME";

/// The variables by which everything that runs in a terminal or a run of some host is found again. A
/// host or a window that is started in there is not part of it, and must not carry them on.
pub const MARKS: [&str; 4] = ["MAESTRO_HOST", "MAESTRO_AGENT", "MAESTRO_TERMINAL", "MAESTRO_RUN"];

/// How often a lock that is taken is tried again, and after how long. Whoever only looks at the lock
/// has it for a moment, too, and a host that is at its end gives it back soon.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// The longest socket path in bytes that every Unix takes: macOS has the smallest field, 104 bytes
/// with the closing NUL.
const MAX_SOCKET_PATH: usize = 103;

/// Why a home folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No variable names a folder and the platform has none.
    #[error("no folder for Maestro's data is known: set MAESTRO_HOME to one")]
    Unknown,
    /// The folder is relative.
    #[error("MAESTRO_HOME is `{0}`, which is not an absolute path: give the whole path")]
    Relative(PathBuf),
    /// The folder is shared with others or with other things.
    #[error("Maestro's folder {path} {because}: set MAESTRO_HOME to a folder of its own")]
    Unsuitable {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        because: &'static str,
    },
    /// A folder or file cannot be made or read.
    #[error("{path} cannot be {what}: {source}")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Another host holds the lock.
    #[error("a host already runs for {home}{}: stop it with `maestro host stop`", pid_text(*.pid))]
    Locked {
        /// The folder.
        home: PathBuf,
        /// The other host's process, where it said.
        pid: Option<u32>,
    },
}

fn pid_text(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// The folder with everything of one Maestro: database, log, lock and socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The home folder of this process: `MAESTRO_HOME`, or the platform's data folder.
    pub fn from_env() -> Result<Self, Error> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(root) = set(VARIABLE) {
            return Self::at(root);
        }
        Self::at(platform_folder(|name| set(name).map(PathBuf::from)).ok_or(Error::Unknown)?)
    }

    /// A home folder at an absolute path. Nothing is created yet.
    pub fn at(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let root = root.into();
        if root.is_absolute() { Ok(Self { root }) } else { Err(Error::Relative(root)) }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("maestro.db")
    }

    /// The log of the host. Older ones lie beside it with a number.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("host.log")
    }

    /// What a detached host printed before it had a log, and the message of a panic.
    #[must_use]
    pub fn stderr(&self) -> PathBuf {
        self.root.join("host.err")
    }

    /// The lock of the host.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("host.lock")
    }

    /// The local socket: in the home folder, or, where that path is too long for a socket, in another
    /// folder of the user's own, named after this one.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        if cfg!(windows) {
            return PathBuf::from(format!(r"\\.\pipe\maestro-{:016x}", self.fingerprint()));
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
        self.socket_in(runtime.map(PathBuf::from), std::env::temp_dir())
    }

    fn socket_in(&self, runtime: Option<PathBuf>, temporary: PathBuf) -> PathBuf {
        let named = |dir: PathBuf| {
            dir.join(format!("maestro-{:016x}", self.fingerprint())).join("host.sock")
        };
        let fits = |path: &PathBuf| path.as_os_str().len() <= MAX_SOCKET_PATH;
        [Some(self.root.join("run").join("host.sock")), runtime.map(named)]
            .into_iter()
            .flatten()
            .find(fits)
            .unwrap_or_else(|| {
                let temporary = named(temporary);
                if fits(&temporary) { temporary } else { named(PathBuf::from("/tmp")) }
            })
    }

    /// A number that differs between home folders.
    fn fingerprint(&self) -> u64 {
        // FNV-1a: stable between versions of the program and of the standard library, unlike its
        // hasher, so that an old client and a new host still meet and can refuse each other.
        self.root.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// Makes the folder and the one of the socket, readable by their user only.
    pub fn create(&self) -> Result<(), Error> {
        private_folder(&self.root)?;
        if !cfg!(windows)
            && let Some(folder) = self.socket().parent()
        {
            private_folder(folder)?;
        }
        Ok(())
    }

    /// Takes the lock, which is held until the value is dropped or the process dies, however it dies.
    /// Only who holds it may bind the socket or open the database for writing.
    pub fn lock(&self) -> Result<Lock, Error> {
        self.create()?;
        let path = self.lock_file();
        let io_error = |what, source| Error::Io { path: path.clone(), what, source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| io_error("opened", error))?;
        let mut tries = 1;
        while !try_lock(&file).map_err(|error| io_error("locked", error))? {
            if tries == LOCK_TRIES {
                return Err(Error::Locked { home: self.root.clone(), pid: read_pid(&mut file) });
            }
            tries += 1;
            std::thread::sleep(LOCK_PAUSE);
        }
        // The number is a courtesy to whoever is refused; the lock is the truth.
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|error| io_error("written", error))?;
        Ok(Lock { file })
    }

    /// Whether some process is the host at this moment, even if it did not say which one yet.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.look().is_some_and(|(_, free)| !free)
    }

    /// The process that holds the lock at this moment. `None` when nobody does, or when it has only
    /// just taken it.
    #[must_use]
    pub fn lock_holder(&self) -> Option<u32> {
        let (mut file, free) = self.look()?;
        if free { None } else { read_pid(&mut file) }
    }

    /// The process of the last host, when it ended without giving the lock back in good order: it
    /// crashed, was killed, or the machine went down.
    #[must_use]
    pub fn died(&self) -> Option<u32> {
        let (mut file, free) = self.look()?;
        if free { read_pid(&mut file) } else { None }
    }

    /// The lock's file and whether nobody holds the lock.
    fn look(&self) -> Option<(File, bool)> {
        let file = OpenOptions::new().read(true).write(true).open(self.lock_file()).ok()?;
        // Shared, so that two who look do not take each other for a host, with the number of a dead one.
        let free = try_lock_shared(&file).ok()?;
        Some((file, free))
    }
}

/// Proof that this process is the only host of its home folder.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The number that stays behind is the sign of a host that did not come to this point.
        let _ = self.file.set_len(0);
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    let _ = file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    try_flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
}

#[cfg(unix)]
fn try_lock_shared(file: &File) -> io::Result<bool> {
    try_flock(file, rustix::fs::FlockOperation::NonBlockingLockShared)
}

#[cfg(unix)]
fn try_flock(file: &File, operation: rustix::fs::FlockOperation) -> io::Result<bool> {
    match rustix::fs::flock(file, operation) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn try_lock(file: &File) -> io::Result<bool> {
    tried(file.try_lock())
}

#[cfg(not(unix))]
fn try_lock_shared(file: &File) -> io::Result<bool> {
    tried(file.try_lock_shared())
}

#[cfg(not(unix))]
fn tried(result: Result<(), fs::TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

fn platform_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if cfg!(windows) {
        return variable("LOCALAPPDATA").map(|folder| folder.join("Maestro"));
    }
    let home = variable("HOME");
    if cfg!(target_os = "macos") {
        return home.map(|home| home.join("Library/Application Support/Maestro"));
    }
    variable("XDG_DATA_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| home.map(|home| home.join(".local/share")))
        .map(|folder| folder.join("maestro"))
}

#[cfg(unix)]
fn private_folder(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};

    let io_error = |what, source| Error::Io { path: path.to_owned(), what, source };
    let unsuitable = |because| Error::Unsuitable { path: path.to_owned(), because };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| io_error("created", error))?;
    let found = fs::symlink_metadata(path).map_err(|error| io_error("read", error))?;
    // A link is followed for the home folder that a user chose; whoever owns its target decides.
    let found = if found.is_symlink() {
        fs::metadata(path).map_err(|error| io_error("read", error))?
    } else {
        found
    };
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(unsuitable("belongs to another user"));
    }
    let mode = found.permissions().mode();
    if mode & 0o1000 != 0 {
        return Err(unsuitable("is shared by all users"));
    }
    if std::env::var_os("HOME").is_some_and(|home| Path::new(&home) == path) {
        return Err(unsuitable("is the user's own folder"));
    }
    if mode & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(|error| io_error("made private", error))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn private_folder(path: &Path) -> Result<(), Error> {
    // The platform's data folder is private to its user already.
    fs::create_dir_all(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        what: "created",
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(path: &str) -> Home {
        Home::at(path).expect("absolute")
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_platform_folder_follows_the_data_folder() {
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let found = platform_folder(|name| {
                variables
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| PathBuf::from(value))
            });
            assert_eq!(found, expected.map(PathBuf::from));
        };
        check(&[("HOME", "/h")], Some("/h/.local/share/maestro"));
        check(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d")], Some("/d/maestro"));
        check(&[("HOME", "/h"), ("XDG_DATA_HOME", "relative")], Some("/h/.local/share/maestro"));
        check(&[], None);
    }

    #[test]
    fn a_long_path_gets_its_socket_elsewhere_and_always_the_same() {
        let long = home(&format!("/{}", "x".repeat(200)));
        let runtime = Some(PathBuf::from("/run/user/1000"));
        let socket = long.socket_in(runtime.clone(), PathBuf::from("/tmp"));
        assert!(socket.starts_with("/run/user/1000"), "{socket:?}");
        assert_eq!(socket, long.socket_in(runtime.clone(), PathBuf::from("/tmp")));
        let other = home(&format!("/{}", "y".repeat(200)));
        assert_ne!(socket, other.socket_in(runtime, PathBuf::from("/tmp")));
        assert!(long.socket_in(None, PathBuf::from("/tmp")).starts_with("/tmp"));
        let nowhere = PathBuf::from(format!("/{}", "t".repeat(200)));
        assert!(long.socket_in(None, nowhere).starts_with("/tmp"));
        assert_eq!(
            home("/m").socket_in(None, PathBuf::from("/tmp")),
            PathBuf::from("/m/run/host.sock")
        );
    }

    #[test]
    fn relative_folders_are_refused() {
        assert!(matches!(Home::at("maestro"), Err(Error::Relative(_))));
    }

    #[test]
    #[cfg(unix)]
    fn the_folders_are_private_and_the_lock_is_exclusive() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().join("home");
        fs::create_dir(&root).expect("created");
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).expect("opened up");
        let home = Home::at(&root).expect("absolute");
        assert_eq!(home.lock_holder(), None);
        let lock = home.lock().expect("the first lock");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&root), 0o700);
        assert_eq!(mode(home.socket().parent().expect("a folder")), 0o700);
        assert_eq!(home.lock_holder(), Some(std::process::id()));
        let refused = home.lock().expect_err("the second lock").to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        assert!(home.is_held());
        assert_eq!(home.died(), None);
        drop(lock);
        assert!(!home.is_held());
        assert_eq!(home.died(), None, "it gave the lock back");
        drop(home.lock().expect("free again"));
        // What a host leaves that was killed: its number, and nobody who holds the lock.
        fs::write(home.lock_file(), "4711\n").expect("written");
        assert_eq!(home.died(), Some(4711));
        assert_eq!(home.lock_holder(), None);
    }

    #[test]
    #[cfg(unix)]
    fn whoever_only_looks_at_the_lock_keeps_nobody_from_taking_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::at(dir.path().join("home")).expect("absolute");
        drop(home.lock().expect("the first lock"));
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let _looking = scope.spawn(|| {
                    while !over.load(std::sync::atomic::Ordering::Relaxed) {
                        let _ = home.lock_holder();
                    }
                });
            }
            let refused = (0..200).find_map(|_| home.lock().err());
            // Nor do they take each other for a host.
            let seen = (0..2000).find_map(|_| home.is_held().then_some(()));
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(seen, None);
            assert!(refused.is_none(), "{refused:?}");
        });
    }

    #[test]
    #[cfg(unix)]
    fn a_shared_folder_is_refused() {
        let error = Home::at("/tmp").expect("absolute").create().expect_err("shared");
        assert!(matches!(error, Error::Unsuitable { .. }), "{error}");
    }
}
