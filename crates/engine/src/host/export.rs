//! A terminal's text as a file: slice by slice, so that the terminal goes on and nothing of it is held.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maestro_protocol::message::{Error, ErrorKind};

use super::commands::answered;
use super::tools::failed;
use super::{Shared, blocking, check_path, refuse};
use crate::session::{Session, Slice};

/// Rows of one slice: a millisecond of the terminal's time, at most some hundred kilobytes.
const ROWS: usize = 512;

/// Writes a terminal's history and screen into a new file. What could not be finished is removed again.
pub(crate) async fn run(
    shared: &Arc<Shared>,
    session: Arc<Session>,
    path: PathBuf,
    ansi: bool,
) -> Result<(), Error> {
    check_path(&path)?;
    // Until the file is whole or gone: the host stops only then.
    let _writing = shared.writing.read().await;
    if shared.is_stopping() {
        return Err(refuse(ErrorKind::Stopping, "the host is stopping; no file was made"));
    }
    let target = path.clone();
    let file = blocking(move || create(&target)).await.map_err(failed)?;
    let file = file.map_err(|error| refusal(&path, &error))?;
    let written = write(shared, &session, file, ansi).await;
    match written {
        Ok(()) => Ok(()),
        Err(failure) => {
            let target = path.clone();
            let _ = blocking(move || fs::remove_file(target)).await;
            Err(match failure {
                Failure::Refused(error) => error,
                Failure::Io(error) => refusal(&path, &error),
            })
        }
    }
}

enum Failure {
    Refused(Error),
    Io(io::Error),
}

async fn write(
    shared: &Arc<Shared>,
    session: &Arc<Session>,
    mut file: File,
    ansi: bool,
) -> Result<(), Failure> {
    let mut slice = Slice::first(ansi, ROWS);
    loop {
        if shared.is_stopping() {
            let text = "the host is stopping; the file was not finished and is removed";
            return Err(Failure::Refused(refuse(ErrorKind::Stopping, text)));
        }
        let exported = session.export(slice).await;
        let (text, next) = answered(session.id, exported).map_err(Failure::Refused)?;
        let last = next.is_none();
        let step = blocking(move || {
            file.write_all(text.as_bytes())?;
            if last {
                // What is told to be done is there after a power cut, too.
                file.sync_all()?;
            }
            Ok(file)
        });
        file = match step.await {
            Ok(result) => result.map_err(Failure::Io)?,
            Err(error) => return Err(Failure::Refused(failed(error))),
        };
        match next {
            Some(next) => slice = next,
            None => return Ok(()),
        }
    }
}

/// A file that was not there before and that only its user can read.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let _ = options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let _ = options.mode(0o600);
    }
    options.open(path)
}

fn refusal(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    let folder = path.parent().unwrap_or(path).display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let text = format!("{shown} is there already and is left alone; choose another name");
            refuse(ErrorKind::Invalid, text)
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            refuse(ErrorKind::NotFound, format!("there is no folder {folder}; make it first"))
        }
        _ => refuse(ErrorKind::Failed, format!("{shown} cannot be written: {error}")),
    }
}
