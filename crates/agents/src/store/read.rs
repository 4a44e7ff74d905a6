//! Reading sessions: from where a reader was, whole, or one record.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Take};
use std::ops::ControlFlow;
use std::path::Path;

use maestro_core::agent::Provider;
use maestro_core::conversation::Entry;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use super::lines::{self, Line};
use super::list::{self, Found, find};
use super::opencode::{self, Tables};
use super::sheet::{Entries, Memory, Piece, Sheet, Want};
use super::{Error, Facts, copilot, record, text};
use crate::environment::Environment;

/// How much of a file's beginning, and of what comes before a cursor, has to be the same.
const PROBE: u64 = 1024;
/// The most bytes of one record that are read to show a piece of it.
const SHOWN: u64 = 2 << 20;
/// The buffer of a reader.
const BUFFER: usize = 128 << 10;
/// The most entries of a session that become a conversation, and the most bytes of their texts.
const SHOWN_ENTRIES: (usize, usize) = (60_000, 96 << 20);
/// Entries that are kept of the end of what is no file of lines.
const LAST: u64 = 200;
/// How much of a JSON document is read: it has no place to go on from, so all of it is, each time.
const DOCUMENT: u64 = 256 << 20;

/// How far a session was read, and what has to be known to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Bytes read; in a database, when the session was changed last.
    offset: u64,
    /// Which file it was, where the system tells.
    file: u64,
    /// What its beginning was, and what came right before the offset.
    probes: (u64, u64),
    memory: Memory,
}

impl Cursor {
    /// Bytes read so far; for a database, when the session was changed last.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What is known about the session so far.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.memory.facts
    }

    /// Entries so far.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.memory.next
    }
}

/// What [`read`] tells while it reads.
#[derive(Debug)]
pub enum Progress {
    /// It begins at the beginning: what was known of the session is not so any more.
    Anew,
    /// Something was said, in the record at this offset with so many bytes (in a database: in this row).
    Piece {
        /// What.
        piece: Piece,
        /// Where its record begins.
        offset: u64,
        /// How long its record is.
        bytes: u64,
    },
    /// So many bytes were read since this was told last.
    Bytes(u64),
}

/// Reads on where `cursor` is, or from the beginning without one and when the file is not the one that was
/// read. `each` is called in order; when it breaks, the reading ends after the record. A last line without
/// an end is left for later, unless it is a whole record.
///
/// # Errors
///
/// When the file is gone or cannot be read.
pub fn read(
    found: &Found,
    cursor: Option<Cursor>,
    tables: &dyn Tables,
    each: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Cursor, Error> {
    if found.provider == Provider::OpenCode {
        return read_database(found, tables, each);
    }
    let failed = |error| Error::file(&found.path, error);
    let mut file = list::open(&found.path).map_err(failed)?;
    let number = number(&file);
    let known = cursor.filter(|cursor| !found.is_document() && fits(&mut file, number, cursor));
    let (mut offset, memory) =
        known.map_or_else(Default::default, |cursor| (cursor.offset, cursor.memory));
    let mut go_on = if offset == 0 { each(Progress::Anew) } else { ControlFlow::Continue(()) };
    let mut sheet = Sheet::new(memory, Want::Words);
    beside(found, sheet.facts());
    let _ = file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut records = Records::of(found, &file);
    while go_on.is_continue() {
        let Some((value, bytes)) = records.next().map_err(failed)? else { break };
        if let Some(value) = value {
            record(found.provider, &value, &mut sheet);
            for piece in sheet.pieces.drain(..) {
                if each(Progress::Piece { piece, offset, bytes }).is_break() {
                    go_on = ControlFlow::Break(());
                }
            }
        }
        offset += bytes;
        if each(Progress::Bytes(bytes)).is_break() {
            go_on = ControlFlow::Break(());
        }
    }
    let probes = probes(&mut file, offset).map_err(failed)?;
    Ok(Cursor { offset, file: number, probes, memory: sheet.memory })
}

/// The records of a session's file.
struct Records<'a> {
    from: From<'a>,
    record: Vec<u8>,
}

enum From<'a> {
    Lines(BufReader<&'a File>),
    Document(Document<BufReader<Take<&'a File>>>),
}

impl<'a> Records<'a> {
    fn of(found: &Found, file: &'a File) -> Self {
        let from = if found.is_document() {
            From::Document(Document::new(BufReader::with_capacity(BUFFER, file.take(DOCUMENT))))
        } else {
            From::Lines(BufReader::with_capacity(BUFFER, file))
        };
        Self { from, record: Vec::new() }
    }

    fn line(&mut self) -> std::io::Result<Line> {
        match &mut self.from {
            From::Lines(reader) => lines::next(reader, &mut self.record),
            From::Document(document) => document.next(&mut self.record),
        }
    }

    /// The next record and how many bytes it takes; the record is `None` where it is none. `None` at the end.
    fn next(&mut self) -> std::io::Result<Option<(Option<Value>, u64)>> {
        Ok(match self.line()? {
            Line::Whole(bytes) => Some((parsed(&self.record), bytes)),
            Line::Long(bytes) => Some((None, bytes)),
            Line::Open(bytes) => parsed(&self.record).map(|value| (Some(value), bytes)),
            Line::End => None,
        })
    }
}

/// A line as a record. Lines that are not even UTF-8 are none.
fn parsed(line: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Value>(line).ok().filter(Value::is_object)
}

fn read_database(
    found: &Found,
    tables: &dyn Tables,
    each: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Cursor, Error> {
    let mut sheet = Sheet::new(Memory::default(), Want::Words);
    let mut go_on = each(Progress::Anew);
    opencode::read(found, tables, &mut sheet, &mut |sheet, row| {
        let offset = u64::try_from(row).unwrap_or_default();
        for piece in sheet.pieces.drain(..) {
            if each(Progress::Piece { piece, offset, bytes: 0 }).is_break() {
                go_on = ControlFlow::Break(());
            }
        }
        go_on.is_continue()
    })?;
    Ok(Cursor { offset: found.modified_ms, file: 0, probes: (0, 0), memory: sheet.memory })
}

/// Whether a file is the one that was read up to the cursor, with nothing but more at its end.
fn fits(file: &mut File, number: u64, cursor: &Cursor) -> bool {
    let long_enough = file.metadata().is_ok_and(|about| about.len() >= cursor.offset);
    long_enough
        && number == cursor.file
        && probes(file, cursor.offset).is_ok_and(|probes| probes == cursor.probes)
}

#[cfg(unix)]
fn number(file: &File) -> u64 {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|about| about.ino()).unwrap_or_default()
}

#[cfg(not(unix))]
fn number(_file: &File) -> u64 {
    0
}

fn probes(file: &mut File, offset: u64) -> std::io::Result<(u64, u64)> {
    let mut probe = |from: u64, to: u64| -> std::io::Result<u64> {
        let mut bytes = Vec::new();
        let _ = file.seek(SeekFrom::Start(from))?;
        let _ = file.take(to - from).read_to_end(&mut bytes)?;
        Ok(hash(&bytes))
    };
    Ok((probe(0, offset.min(PROBE))?, probe(offset.saturating_sub(PROBE), offset)?))
}

/// FNV-1a: the same in every version of this program, as what is kept has to be.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What lies beside a session's file and tells more about it.
fn beside(found: &Found, facts: &mut Facts) {
    let path = &found.path;
    match found.provider {
        Provider::Copilot => {
            if let Some(yaml) = list::beside(&path.with_file_name("workspace.yaml")) {
                copilot::workspace(&yaml, facts);
            }
        }
        Provider::Droid => {
            if facts.model.is_none()
                && let Some(settings) = list::beside(&path.with_extension("settings.json"))
                && let Ok(settings) = serde_json::from_str::<Value>(&settings)
            {
                facts.by_model(text(&settings, "/model"));
            }
        }
        Provider::Gemini => {
            let project = path.parent().and_then(Path::parent);
            if facts.directory.is_none()
                && let Some(project) = project
            {
                facts.in_directory(gemini_directory(project).as_deref());
            }
        }
        _ => {}
    }
}

/// The directory of a Gemini project: in the project's own folder, or in the list of all of them.
fn gemini_directory(project: &Path) -> Option<String> {
    if let Some(root) = list::beside(&project.join(".project_root")) {
        return Some(root.trim().to_owned());
    }
    let projects = project.parent()?.parent()?.join("projects.json");
    let projects: Value = serde_json::from_str(&list::beside(&projects)?).ok()?;
    let slug = project.file_name()?.to_str()?;
    let known = projects.get("projects")?.as_object()?;
    known.iter().find(|(_, name)| name.as_str() == Some(slug)).map(|(path, _)| path.clone())
}

/// Entries of a stored session: at most `most` from number `from` on. Reads all of the file, and keeps
/// what is asked for.
///
/// # Errors
///
/// When the session is gone or cannot be read.
pub fn page(found: &Found, from: u64, most: u64, tables: &dyn Tables) -> Result<Entries, Error> {
    let want = Want::Entries { from, to: from.saturating_add(most) };
    let mut sheet = Sheet::new(Memory::default(), want);
    through(found, tables, &mut sheet, &mut |_| ControlFlow::Continue(()))?;
    let Memory { facts, next, .. } = sheet.memory;
    Ok(Entries { entries: sheet.entries, total: next, facts })
}

/// The entries of a stored session, as a conversation shows them. Of one that is longer than a conversation can
/// be shown, the last ones: the first one's number is how many are left out.
///
/// # Errors
///
/// When the session is not in its provider's store, or cannot be read.
pub fn transcript(
    provider: Provider,
    id: &str,
    environment: &Environment,
    tables: &dyn Tables,
) -> Result<Vec<Entry>, Error> {
    if provider == Provider::Shell {
        return Err(Error::Unsupported(provider));
    }
    let found = find(provider, id, environment, tables)?
        .ok_or_else(|| Error::Missing { provider, id: id.to_owned() })?;
    let mut sheet = Sheet::of_the_last(SHOWN_ENTRIES.0, SHOWN_ENTRIES.1);
    through(&found, tables, &mut sheet, &mut |_| ControlFlow::Continue(()))?;
    Ok(sheet.entries)
}

/// The last entries of a stored session, with numbers that are their own: those in the last `bytes` of its file.
/// What is not a file of lines is gone through whole, and its last 200 entries are kept.
///
/// # Errors
///
/// As [`transcript`].
pub fn tail(
    provider: Provider,
    id: &str,
    bytes: u64,
    environment: &Environment,
    tables: &dyn Tables,
) -> Result<Vec<Entry>, Error> {
    if provider == Provider::Shell {
        return Err(Error::Unsupported(provider));
    }
    let found = find(provider, id, environment, tables)?
        .ok_or_else(|| Error::Missing { provider, id: id.to_owned() })?;
    if found.is_document() || provider == Provider::OpenCode {
        let total = page(&found, 0, 0, tables)?.total;
        let last = page(&found, total.saturating_sub(LAST), LAST, tables)?;
        return Ok(last.entries);
    }
    let failed = |error| Error::file(&found.path, error);
    let mut file = list::open(&found.path).map_err(failed)?;
    let from = file.metadata().map_err(failed)?.len().saturating_sub(bytes);
    let _ = file.seek(SeekFrom::Start(from)).map_err(failed)?;
    // No more than that, however fast it grows meanwhile.
    let mut reader = BufReader::with_capacity(BUFFER, file.take(bytes));
    let mut line = Vec::new();
    if from > 0 {
        let _ = lines::next(&mut reader, &mut line).map_err(failed)?;
    }
    let mut sheet = Sheet::new(Memory::default(), Want::Entries { from: 0, to: u64::MAX });
    loop {
        match lines::next(&mut reader, &mut line).map_err(failed)? {
            Line::Whole(_) | Line::Open(_) => {
                if let Some(value) = parsed(&line) {
                    record(provider, &value, &mut sheet);
                }
            }
            Line::Long(_) => {}
            Line::End => return Ok(sheet.entries),
        }
    }
}

/// Goes through everything that can be read in a session, tools' inputs and outputs too, until `each`
/// breaks. A file without a line that is `worth` it is not looked at more closely: lines are given to it as
/// they are stored.
///
/// # Errors
///
/// When the session is gone or cannot be read.
pub fn scan(
    found: &Found,
    tables: &dyn Tables,
    worth: &mut dyn FnMut(&[u8]) -> ControlFlow<(), bool>,
    each: &mut dyn FnMut(Piece) -> ControlFlow<()>,
) -> Result<(), Error> {
    if found.provider != Provider::OpenCode {
        let failed = |error| Error::file(&found.path, error);
        let file = list::open(&found.path).map_err(failed)?;
        let mut records = Records::of(found, &file);
        loop {
            if records.line().map_err(failed)? == Line::End {
                return Ok(());
            }
            match worth(&records.record) {
                ControlFlow::Break(()) => return Ok(()),
                ControlFlow::Continue(true) => break,
                ControlFlow::Continue(false) => {}
            }
        }
    }
    let mut sheet = Sheet::new(Memory::default(), Want::Everything);
    through(found, tables, &mut sheet, &mut |sheet| {
        for piece in sheet.pieces.drain(..) {
            each(piece)?;
        }
        ControlFlow::Continue(())
    })
}

fn through(
    found: &Found,
    tables: &dyn Tables,
    sheet: &mut Sheet,
    each: &mut dyn FnMut(&mut Sheet) -> ControlFlow<()>,
) -> Result<(), Error> {
    if found.provider == Provider::OpenCode {
        return opencode::read(found, tables, sheet, &mut |sheet, _| each(sheet).is_continue());
    }
    let failed = |error| Error::file(&found.path, error);
    let file = list::open(&found.path).map_err(failed)?;
    beside(found, sheet.facts());
    let mut records = Records::of(found, &file);
    while let Some((value, _)) = records.next().map_err(failed)? {
        let Some(value) = value else { continue };
        record(found.provider, &value, sheet);
        if each(sheet).is_break() {
            break;
        }
    }
    if sheet.memory.facts.used_ms == 0 {
        sheet.facts().at(found.modified_ms);
    }
    Ok(())
}

/// The texts of prompts and answers in one record, for showing what was found in them. Empty when the
/// record is not there any more.
#[must_use]
pub fn text_at(
    provider: Provider,
    path: &Path,
    offset: u64,
    bytes: u64,
    tables: &dyn Tables,
) -> Vec<String> {
    let mut sheet = Sheet::new(Memory::default(), Want::Words);
    if provider == Provider::OpenCode {
        let row = i64::try_from(offset).unwrap_or_default();
        let _ = opencode::part(path, row, tables, &mut sheet);
    } else {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = list::open(path)?;
            let _ = file.seek(SeekFrom::Start(offset))?;
            let mut line = Vec::new();
            let _ = file.take(bytes.min(SHOWN)).read_to_end(&mut line)?;
            Ok(line)
        };
        if let Ok(line) = read()
            && let Some(value) = parsed(&line)
        {
            record(provider, &value, &mut sheet);
        }
    }
    sheet.pieces.into_iter().map(|piece| piece.text).collect()
}
