//! Where sessions are stored, and which there are. Names decide what is opened: nothing but sessions.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use maestro_core::agent::Provider;

use super::opencode::{self, Tables};
use super::{Error, time};
use crate::environment::Environment;
use crate::session::{demo_home, is_uuid};

/// The most entries of one folder that are looked at.
const FOLDER: usize = 200_000;

/// A place where a provider stores sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub provider: Provider,
    /// The folder below which they are; for OpenCode its database.
    pub path: PathBuf,
}

/// A session that lies in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose.
    pub provider: Provider,
    /// The provider's id: what it is resumed by.
    pub id: String,
    /// Its file, or the database it is in.
    pub path: PathBuf,
    /// Bytes of its file; 0 in a database.
    pub bytes: u64,
    /// When it was changed last: milliseconds since the Unix epoch.
    pub modified_ms: u64,
}

impl Found {
    /// Whether it is one JSON document, which is written anew each time, and not lines that are added to.
    #[must_use]
    pub fn is_document(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending == "json")
    }
}

/// Every place where sessions of this user may be stored, whether it exists or not.
#[must_use]
pub fn stores(environment: &Environment) -> Vec<Place> {
    Provider::ALL
        .into_iter()
        .filter_map(|provider| Some(Place { provider, path: place(provider, environment)? }))
        .collect()
}

fn place(provider: Provider, environment: &Environment) -> Option<PathBuf> {
    let named = |variable: &str| {
        environment.get(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
    };
    let at_home = |folder: &str| Some(environment.home()?.join(folder));
    match provider {
        Provider::Claude => {
            Some(named("CLAUDE_CONFIG_DIR").or_else(|| at_home(".claude"))?.join("projects"))
        }
        Provider::Codex => named("CODEX_HOME").or_else(|| at_home(".codex")),
        Provider::OpenCode => {
            let data = named("XDG_DATA_HOME").filter(|path| path.is_absolute());
            Some(data.or_else(|| at_home(".local/share"))?.join("opencode/opencode.db"))
        }
        Provider::Droid => Some(at_home(".factory")?.join("sessions")),
        Provider::Copilot => {
            Some(named("COPILOT_HOME").or_else(|| at_home(".copilot"))?.join("session-state"))
        }
        Provider::Gemini => Some(at_home(".gemini")?.join("tmp")),
        Provider::Demo => Some(demo_home(environment)?.join("sessions")),
        Provider::Shell => None,
    }
}

impl Place {
    /// Folders in which sessions are added and written to, for watching; only those that exist.
    #[must_use]
    pub fn folders(&self) -> Vec<PathBuf> {
        match self.provider {
            // The database has its log beside it.
            Provider::OpenCode => self.path.parent().map(Path::to_owned).into_iter().collect(),
            Provider::Codex => vec![self.path.join("sessions")],
            _ => vec![self.path.clone()],
        }
        .into_iter()
        .filter(|folder| folder.is_dir())
        .collect()
    }

    /// Where this place will come to be, while it does not exist: the nearest folder above it that does. What is
    /// made there may be the way to it.
    #[must_use]
    pub fn awaited(&self) -> Option<PathBuf> {
        let place = match self.provider {
            Provider::Codex => self.path.join("sessions"),
            _ => self.path.clone(),
        };
        if place.exists() {
            return None;
        }
        place.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned)
    }

    /// Whether a folder is on the way to what [`Self::folders`] gives, or is it.
    #[must_use]
    pub fn is_below(&self, folder: &Path) -> bool {
        self.path.starts_with(folder)
            || (self.provider == Provider::Codex && folder == self.path.join("sessions"))
    }

    /// The session that a file of this place belongs to, by the file's name; `None` for every other file.
    #[must_use]
    pub fn session_of(&self, file: &Path) -> Option<Found> {
        let below = file.strip_prefix(&self.path).ok()?;
        let depth = below.components().count();
        let fits = match self.provider {
            Provider::Claude => depth == 2,
            Provider::Codex => {
                (below.starts_with("sessions") && depth == 5)
                    || (below.starts_with("archived_sessions") && depth == 2)
            }
            Provider::Droid => depth <= 2,
            Provider::Copilot => depth == 2,
            Provider::Gemini => depth == 3,
            Provider::Demo => depth == 1,
            Provider::OpenCode | Provider::Shell => false,
        };
        fits.then(|| found(self.provider, file))?
    }
}

/// Gives every session of a place to `each`. A place that does not exist has none.
///
/// # Errors
///
/// When OpenCode's database is there and cannot be read. Folders that cannot be read are passed over.
pub fn list(place: &Place, tables: &dyn Tables, each: &mut dyn FnMut(Found)) -> Result<(), Error> {
    let root = &place.path;
    let mut take = |file: PathBuf| {
        if let Some(found) = found(place.provider, &file) {
            each(found);
        }
    };
    match place.provider {
        Provider::Claude => {
            folders(root).flat_map(|project| files(&project)).for_each(take);
        }
        Provider::Codex => {
            folders(&root.join("sessions"))
                .flat_map(|year| folders(&year))
                .flat_map(|month| folders(&month))
                .flat_map(|day| files(&day))
                .chain(files(&root.join("archived_sessions")))
                .for_each(take);
        }
        Provider::Droid => {
            folders(root).flat_map(|project| files(&project)).chain(files(root)).for_each(take);
        }
        Provider::Copilot => {
            folders(root).for_each(|session| take(session.join("events.jsonl")));
        }
        Provider::Gemini => {
            folders(root).flat_map(|project| files(&project.join("chats"))).for_each(take);
        }
        Provider::Demo => files(root).for_each(take),
        Provider::OpenCode => opencode::list(root, tables, each)?,
        Provider::Shell => {}
    }
    Ok(())
}

/// A session by its id; `None` when it is not in its provider's store.
///
/// # Errors
///
/// As for [`list`].
pub fn find(
    provider: Provider,
    id: &str,
    environment: &Environment,
    tables: &dyn Tables,
) -> Result<Option<Found>, Error> {
    let Some(path) = place(provider, environment) else { return Ok(None) };
    let mut found = None;
    list(&Place { provider, path }, tables, &mut |session| {
        // Of two files with one id, the one that was written to last.
        let newer =
            found.as_ref().is_none_or(|known: &Found| known.modified_ms < session.modified_ms);
        if session.id == id && newer {
            found = Some(session);
        }
    })?;
    Ok(found)
}

/// A session whose file was moved to where no provider looks for it; `None` when it is not there.
#[must_use]
pub fn found_at(provider: Provider, id: &str, file: &Path) -> Option<Found> {
    let about = fs::symlink_metadata(file).ok().filter(fs::Metadata::is_file)?;
    Some(Found {
        provider,
        id: id.to_owned(),
        path: file.to_owned(),
        bytes: about.len(),
        modified_ms: about.modified().map(time::of_system).unwrap_or_default(),
    })
}

/// What a file is, by its name and its kind. Links are not followed.
fn found(provider: Provider, file: &Path) -> Option<Found> {
    let name = file.file_name()?.to_str()?;
    let stem = name.strip_suffix(".jsonl");
    let id = match provider {
        Provider::Claude | Provider::Droid | Provider::Demo => {
            stem.filter(|stem| is_uuid(stem))?.to_owned()
        }
        Provider::Codex => {
            let stem = stem?.strip_prefix("rollout-")?;
            stem.get(stem.len().checked_sub(36)?..).filter(|id| is_uuid(id))?.to_owned()
        }
        Provider::Copilot => {
            let folder = file.parent()?.file_name()?.to_str()?;
            (name == "events.jsonl" && is_uuid(folder)).then(|| folder.to_owned())?
        }
        Provider::Gemini => {
            let fits = name.starts_with("session-")
                && (stem.is_some() || name.ends_with(".json"))
                && file.parent()?.file_name()? == "chats";
            fits.then(String::new)?
        }
        Provider::OpenCode | Provider::Shell => return None,
    };
    let about = fs::symlink_metadata(file).ok().filter(fs::Metadata::is_file)?;
    let id = if provider == Provider::Gemini { gemini_id(file)? } else { id };
    Some(Found {
        provider,
        id,
        path: file.to_owned(),
        bytes: about.len(),
        modified_ms: about.modified().map(time::of_system).unwrap_or_default(),
    })
}

/// The whole id of a Gemini session, of which the file's name has the beginning.
fn gemini_id(file: &Path) -> Option<String> {
    let mut beginning = Vec::new();
    let _ = File::open(file).ok()?.take(1024).read_to_end(&mut beginning).ok()?;
    let text = String::from_utf8_lossy(&beginning);
    let (_, rest) = text.split_once("\"sessionId\"")?;
    let id = rest.split('"').nth(1)?;
    is_uuid(id).then(|| id.to_owned())
}

/// What may lie beside a session's file and tells more about it, of a bounded size.
pub(super) fn beside(path: &Path) -> Option<String> {
    const MOST: u64 = 256 << 10;
    let about = fs::symlink_metadata(path).ok()?;
    if !about.is_file() || about.len() > MOST {
        return None;
    }
    fs::read_to_string(path).ok()
}

/// Opens a session's file, which must not have become a link.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    File::open(path)
}

fn children(folder: &Path) -> impl Iterator<Item = fs::DirEntry> + use<> {
    // The entry's own kind: a link to a folder is none.
    fs::read_dir(folder).into_iter().flatten().take(FOLDER).flatten()
}

fn folders(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    children(folder)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    // `chats` and the like may be a link although its parent is none.
    let real = fs::symlink_metadata(folder).is_ok_and(|about| about.is_dir());
    children(folder)
        .filter(move |entry| real && entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
}
