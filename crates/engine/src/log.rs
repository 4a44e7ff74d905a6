//! The host's log: one file that is put aside when it has grown, and a filter the user can set.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// Size at which the log is put aside.
const LIMIT: u64 = 4 << 20;
/// Older logs kept: `host.log.1` is the newest of them.
const KEPT: u32 = 3;
/// What is logged unless told otherwise.
const FILTER: &str = "info,notify=warn";

/// Sends everything that is traced to a file, and panics with it. `MAESTRO_LOG`, or `RUST_LOG`, filters
/// as usual (`debug`, `maestro_engine=trace,info`). A second call in one process changes nothing.
///
/// # Errors
///
/// When the file cannot be opened.
pub fn start(path: &Path) -> io::Result<()> {
    let file = Rotating::open(path, LIMIT)?;
    let (filter, wrong) = filter();
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        // It would be printed to stderr, which is on the same full disk, and printing there panics.
        .log_internal_errors(false)
        .try_init()
        .is_ok();
    if started {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            tracing::error!(thread = thread.name().unwrap_or("?"), "{panic}");
            before(panic);
        }));
    }
    if let Some(wrong) = wrong {
        tracing::warn!("the log filter `{wrong}` makes no sense and is ignored");
    }
    Ok(())
}

fn filter() -> (EnvFilter, Option<String>) {
    let wanted = ["MAESTRO_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()));
    match wanted {
        None => (EnvFilter::new(FILTER), None),
        Some(wanted) => match EnvFilter::try_new(&wanted) {
            Ok(filter) => (filter, None),
            Err(_) => (EnvFilter::new(FILTER), Some(wanted)),
        },
    }
}

/// A file that begins anew when it has reached a size.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl Rotating {
    fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, limit })
    }

    fn rotate(&mut self) -> io::Result<()> {
        let numbered = |number: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..KEPT).rev() {
            // One that does not exist yet is no reason to stop.
            let _ = std::fs::rename(numbered(number), numbered(number + 1));
        }
        std::fs::rename(&self.path, numbered(1))?;
        self.file = open(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + line.len() as u64 > self.limit {
            // Better a log that is too long than none.
            let _ = self.rotate();
        }
        // What does not fit on the disk is lost; nobody who logs may fail for it.
        if self.file.write_all(line).is_ok() {
            self.size += line.len() as u64;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let _ = options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let _ = options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_loses_the_line_and_nothing_else() {
        let mut log = Rotating::open(Path::new("/dev/full"), 20).expect("opened");
        log.write_all(b"a line\n").expect("nobody is told");
        assert_eq!(log.size, 0);
    }

    #[test]
    fn a_full_log_is_put_aside_and_only_a_few_are_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("host.log");
        let mut log = Rotating::open(&path, 20).expect("opened");
        for number in 0..9 {
            log.write_all(format!("line {number} of it\n").as_bytes()).expect("written");
        }
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name));
        assert_eq!(read("host.log").expect("the current one"), "line 8 of it\n");
        assert_eq!(read("host.log.3").expect("the oldest"), "line 5 of it\n");
        assert!(read("host.log.4").is_err());
    }
}
