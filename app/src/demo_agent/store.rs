//! The demo agent's sessions: one file of JSON lines each, in one folder.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Most bytes read of a session: far more than one ever has.
const LARGEST: u64 = 16 << 20;

/// One line of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    Session { id: String, directory: PathBuf, model: String, created_ms: u64 },
    User { text: String },
    Assistant { text: String },
    Tool { name: String, summary: String, output: String, is_error: bool },
}

/// A session that is being written.
#[derive(Debug)]
pub struct Session {
    pub id: String,
    file: File,
}

impl Session {
    fn create(
        home: &Path,
        directory: &Path,
        id: Option<&str>,
        model: &str,
    ) -> std::io::Result<Self> {
        let id = id
            .map(str::to_owned)
            .or_else(|| maestro_agents::new_session_id(maestro_core::agent::Provider::Demo));
        let id = id.unwrap_or_default();
        let path = path(home, &id);
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        let mut session = Self { id: id.clone(), file };
        session.add(&Record::Session {
            id,
            directory: directory.to_owned(),
            model: model.to_owned(),
            created_ms: now_ms(),
        });
        Ok(session)
    }

    /// The session with this id, made if there is none: a host that lost its memory may ask for the id
    /// it chose a second time.
    pub fn open(
        home: &Path,
        directory: &Path,
        id: Option<&str>,
        model: &str,
    ) -> std::io::Result<(Self, Vec<Record>)> {
        match id.and_then(|id| Self::resume(home, id)) {
            Some(known) => Ok(known),
            None => Ok((Self::create(home, directory, id, model)?, Vec::new())),
        }
    }

    /// A session that exists, with what is in it; `None` when there is no such session.
    pub fn resume(home: &Path, id: &str) -> Option<(Self, Vec<Record>)> {
        let path = path(home, id);
        let records = BufReader::new(File::open(&path).ok()?.take(LARGEST))
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect();
        let file = OpenOptions::new().append(true).open(path).ok()?;
        Some((Self { id: id.to_owned(), file }, records))
    }

    /// Adds a line. A full disk loses the history of a demonstration, not the work.
    pub fn add(&mut self, record: &Record) {
        if let Ok(mut line) = serde_json::to_vec(record) {
            line.push(b'\n');
            let _ = self.file.write_all(&line);
        }
    }
}

/// How often a thing was done before, and counts it.
pub fn count(home: &Path, what: &str) -> u32 {
    let folder = home.join("counters");
    let path = folder.join(format!("{:016x}", fnv(what)));
    let before =
        std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if private_folder(&folder).is_ok() {
        let _ = std::fs::write(path, format!("{}\n", before + 1));
    }
    before
}

/// Whether text may be the name of a session's file.
pub fn is_id(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn path(home: &Path, id: &str) -> PathBuf {
    home.join("sessions").join(format!("{id}.jsonl"))
}

#[cfg(unix)]
fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// FNV-1a: the same in every version, unlike the standard library's hashes.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
