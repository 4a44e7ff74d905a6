//! Checklist documents on disk: read as a whole, and rewritten so that nobody ever sees half of one
//! and nobody else's edit is lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use maestro_core::RunId;
use maestro_core::checklist::{Applied, Change, Document, MAX_BYTES};
use maestro_core::run::machine::Fault;

/// Editors that save by renaming leave a moment without the file.
const PATIENCE: Duration = Duration::from_millis(40);
/// How often a missing document is looked for again.
const LOOKS: u32 = 5;
/// How often a rewrite begins again because somebody else wrote in between.
const TRIES: u32 = 50;

/// One rewrite at a time in this process: a document may have two names.
static REWRITING: Mutex<()> = Mutex::new(());

/// Reads a document, or says in a sentence why it cannot be.
pub(crate) fn read(path: &Path) -> Result<Document, String> {
    let mut looks = 0;
    let bytes = loop {
        match bytes_of(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && looks < LOOKS => {
                looks += 1;
                thread::sleep(PATIENCE);
            }
            other => break other,
        }
    };
    let bytes = bytes.map_err(|error| unreadable(path, &error))?;
    Document::parse(bytes)
        .map_err(|error| format!("The checklist {} cannot be used: {error}.", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!(
            "The checklist {} is not there any more; put it back and start the run again.",
            path.display()
        ),
        _ => format!("The checklist {} cannot be read: {error}.", path.display()),
    }
}

/// The bytes of a file, at most one more than a checklist may have.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for its other end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    let _ = File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Sets boxes in a document. Every other byte stays as it is; an edit by somebody else in the meantime
/// is kept, because the document is read again until nothing comes in between. A document behind a
/// symbolic link is rewritten where it really is.
pub(super) fn rewrite(path: &Path, run: RunId, changes: &[Change]) -> Result<Vec<Applied>, Fault> {
    let _one = REWRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let fault = |error: io::Error| Fault {
        passing: error.kind() != io::ErrorKind::NotFound,
        because: match error.kind() {
            io::ErrorKind::NotFound => unreadable(path, &error),
            io::ErrorKind::StorageFull => format!(
                "The disk is full, so {} could not be written. Free some space; nothing is lost.",
                path.display()
            ),
            _ => format!("{} could not be written: {error}.", path.display()),
        },
    };
    for _ in 0..TRIES {
        // Reading waits for an editor that saves by renaming.
        let _ = read(path).map_err(|because| Fault { because, passing: false })?;
        let target = fs::canonicalize(path).map_err(fault)?;
        let before = bytes_of(&target).map_err(fault)?;
        let document = Document::parse(before.clone()).map_err(|error| Fault {
            because: format!("The checklist {} cannot be used: {error}.", path.display()),
            passing: false,
        })?;
        let (text, applied) = document.with_changes(changes);
        if text == document.text() {
            return Ok(applied);
        }
        let temporary = Temporary::write(&target, run, text.as_bytes()).map_err(fault)?;
        if bytes_of(&target).map_err(fault)? == before {
            temporary.replace(&target).map_err(fault)?;
            return Ok(applied);
        }
    }
    Err(Fault {
        because: format!("{} is being written all the time by somebody else.", path.display()),
        passing: true,
    })
}

/// Makes working copies of documents, (document, copy), in which every box is open. What is there under that
/// name is replaced: a host that died made it.
pub(super) fn copy(pairs: &[(PathBuf, PathBuf)]) -> Result<(), Fault> {
    for (from, to) in pairs {
        let document = read(from).map_err(|because| Fault { because, passing: false })?;
        let fault = |error: io::Error| Fault {
            because: format!("The working copy {} could not be made: {error}.", to.display()),
            passing: error.kind() != io::ErrorKind::PermissionDenied,
        };
        let folder = to.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).map_err(fault)?;
        let mut name = to.as_os_str().to_owned();
        name.push(format!(".{}.draft", std::process::id()));
        let draft = PathBuf::from(name);
        let placed = File::create(&draft)
            .and_then(|mut file| {
                file.write_all(document.reset().as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&draft, to));
        if let Err(error) = placed {
            let _ = fs::remove_file(&draft);
            return Err(fault(error));
        }
    }
    Ok(())
}

/// Whether a document can be ticked at all, found out before hours of work depend on it.
pub(super) fn check_writable(path: &Path, run: RunId) -> Result<(), String> {
    let check = || {
        let target = fs::canonicalize(path)?;
        Temporary::write(&target, run, &[]).map(drop)
    };
    check().map_err(|error: io::Error| {
        format!(
            "The checklist {} cannot be ticked, because its folder cannot be written to: {error}.",
            path.display()
        )
    })
}

/// A file beside the document that is to take its place. Removed when it did not.
struct Temporary {
    path: PathBuf,
    placed: bool,
}

impl Temporary {
    fn write(target: &Path, run: RunId, bytes: &[u8]) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.{run}-{}.maestro", std::process::id()));
        // One that a dead host left is of no use to anybody.
        let _ = fs::remove_file(&path);
        let mut options = OpenOptions::new();
        let _ = options.write(true).create_new(true);
        let mut file = options.open(&path)?;
        let temporary = Self { path, placed: false };
        file.write_all(bytes)?;
        let like = fs::metadata(target)?;
        file.set_permissions(like.permissions())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            // Only root can give a file away; who cannot has nothing to preserve.
            let _ = std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()));
        }
        file.sync_all()?;
        Ok(temporary)
    }

    fn replace(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.placed = true;
        // The new name has to survive a power cut, too; a file system that cannot do that is no error.
        if let Some(folder) = target.parent()
            && let Ok(folder) = File::open(folder)
        {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunId = RunId(1);

    fn tick(path: &Path, text: &str) -> Result<Vec<Applied>, Fault> {
        let document = read(path).expect("a checklist");
        let at = document.tasks().iter().position(|task| task.text == text).expect(text);
        rewrite(path, RUN, &[Change { anchor: document.anchor(at), checked: true }])
    }

    #[test]
    fn a_rewrite_keeps_every_other_byte_the_mode_and_the_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let real = folder.path().join("real.md");
        fs::write(&real, "\u{feff}- [ ] a\r\n\t- [ ] b").expect("a file");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("a mode");
        }
        let link = folder.path().join("link.md");
        #[cfg(unix)]
        std::os::unix::fs::symlink("real.md", &link).expect("a link");
        #[cfg(not(unix))]
        let link = real.clone();
        assert_eq!(tick(&link, "b"), Ok(vec![Applied::Changed]));
        assert_eq!(fs::read(&real).expect("a file"), "\u{feff}- [ ] a\r\n\t- [x] b".as_bytes());
        assert_eq!(tick(&link, "b"), Ok(vec![Applied::Already]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
            assert_eq!(fs::metadata(&real).expect("a file").permissions().mode() & 0o777, 0o640);
        }
        let names = fs::read_dir(folder.path()).expect("a folder").count();
        assert!(names <= 2, "nothing is left behind");
    }

    #[test]
    fn a_working_copy_has_every_box_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, copied) = (folder.path().join("a.md"), folder.path().join("runs/r1/1/a.md"));
        fs::write(&path, "\u{feff}- [x] a\r\n```\n- [x] code\n```\n").expect("a file");
        for _ in 0..2 {
            copy(&[(path.clone(), copied.clone())]).expect("a copy");
            let text = fs::read_to_string(&copied).expect("a file");
            assert_eq!(text, "\u{feff}- [ ] a\r\n```\n- [x] code\n```\n");
            fs::write(&copied, "left by a host that died").expect("a file");
        }
        assert_eq!(fs::read_dir(copied.parent().expect("a folder")).expect("a folder").count(), 1);
        let fault = copy(&[(folder.path().join("none.md"), copied)]).expect_err("there is none");
        assert!(fault.because.contains("put it back"), "{fault:?}");
    }

    #[test]
    fn documents_that_cannot_be_read_say_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tasks.md");
        assert!(read(&path).expect_err("gone").contains("put it back"));
        fs::write(&path, b"- [ ] \xff").expect("a file");
        assert!(read(&path).expect_err("not text").contains("not UTF-8"));
        assert!(read(folder.path()).expect_err("a folder").contains("not a file"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_document_that_cannot_be_ticked_is_told_beforehand() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tasks.md");
        fs::write(&path, "- [ ] a\n").expect("a file");
        assert_eq!(check_writable(&path, RUN), Ok(()));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        // Not even root makes files there.
        let because = check_writable(Path::new("/proc/version"), RUN).expect_err("read-only");
        assert!(because.contains("cannot be written to"), "{because}");
    }

    #[test]
    fn an_edit_in_between_is_not_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tasks.md");
        let tasks = 40;
        let text: String = (0..tasks).map(|n| format!("- [ ] task {n}\n")).collect();
        fs::write(&path, text).expect("a file");
        thread::scope(|scope| {
            for half in 0..2 {
                let path = &path;
                let _ = scope.spawn(move || {
                    for n in (half..tasks).step_by(2) {
                        let _ = tick(path, &format!("task {n}")).expect("ticked");
                    }
                });
            }
        });
        assert_eq!(read(&path).expect("a checklist").open(), 0);
    }
}
