//! Playbooks on disk: folders of checklists with how to run them, archives of them, what the user has
//! agreed to, and what a run would do.
//!
//! What the words mean is in [`maestro_core::playbook`]; this module reads and writes files and asks the
//! machine. Everything here blocks.

mod archive;
mod check;
mod file;
mod folder;
mod make;
mod plan;
mod shipped;
pub mod trust;
mod watch;

use std::path::{Path, PathBuf};

use maestro_agents::Environment;
use maestro_core::playbook::{Finding, Found, Leaf};
use maestro_protocol::message::{Error, ErrorKind};

pub(crate) use self::plan::{Facts, plan};
pub use self::plan::{commands_of, variables};
pub use self::trust::{Trust, hash};
pub(crate) use self::watch::Watches;

/// The folder of a project's playbooks, below its directory, where nobody has chosen another one.
pub const FOLDER: &str = folder::DEFAULT;

/// The playbooks of a project: of the directory itself if it is one, of its folders of playbooks, then
/// those that came with Maestro, which are laid into `home`.
pub(crate) fn list(directory: &Path, folders: &[PathBuf], home: &Path) -> Vec<Found> {
    let mut found: Vec<Found> = folder::named(directory).into_iter().collect();
    for folder in folders {
        for playbook in folder::playbooks(folder) {
            let known = |other: &Found| {
                other.folder == playbook.folder && other.playbook.name == playbook.playbook.name
            };
            if !found.iter().any(known) {
                found.push(playbook);
            }
        }
    }
    found.extend(shipped::lay_out(home));
    found
}

/// The folders in which a project's playbooks are, by its directory.
pub(crate) fn folders_of(directory: &Path) -> Vec<PathBuf> {
    folder::homes(directory)
}

/// The checklists below a folder.
pub(crate) fn tree(folder: &Path) -> Vec<Leaf> {
    folder::tree(folder)
}

/// What can be said about documents and folders before they are run.
pub(crate) fn check(paths: &[PathBuf], environment: &Environment) -> Vec<Finding> {
    check::check(paths, environment)
}

/// Makes a playbook.
pub(crate) fn new(folder: &Path, from: Option<&Path>) -> Result<Found, Error> {
    make::new(folder, from).map_err(refused)
}

/// Unpacks an archive.
pub(crate) fn import(
    archive: &Path,
    into: &Path,
    name: Option<&str>,
    overwrite: bool,
) -> Result<Found, Error> {
    archive::import(archive, into, name, overwrite).map_err(refused)
}

/// Makes a playbook of one that another program keeps in a list of its own: `entry` in the words of an
/// archive's manifest, its checklists in the folder `documents`. Nothing that is there is replaced.
///
/// # Errors
///
/// When it is none, a checklist is missing, or the folder in `into` has one of its files already.
pub fn take_over(entry: serde_json::Value, documents: &Path, into: &Path) -> Result<Found, Error> {
    archive::take_over(entry, documents, into).map_err(refused)
}

/// Packs a playbook.
pub(crate) fn export(
    folder: &Path,
    archive: &Path,
    overwrite: bool,
    now_ms: u64,
) -> Result<(), Error> {
    archive::export(folder, archive, overwrite, now_ms).map_err(refused)
}

fn refused(error: archive::Error) -> Error {
    let kind = match &error {
        archive::Error::Bad { .. } | archive::Error::Playbook(_) => ErrorKind::Invalid,
        archive::Error::Conflicts { .. } | archive::Error::Exists(_) => ErrorKind::Busy,
        archive::Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            ErrorKind::NotFound
        }
        archive::Error::Io { .. } => ErrorKind::Failed,
    };
    Error { kind, message: error.to_string() }
}
