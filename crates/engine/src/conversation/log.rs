//! What was said in a tab, as a file: one record a line, only ever appended to, so that a crash costs at
//! most the line that was being written. A record is an entry (of several with one number the last holds) or
//! a piece by which an open entry has grown.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use maestro_core::conversation::{Applied, Body, Entry, Transcript, Update};
use serde::{Deserialize, Serialize};

/// The longest line that is read. Ours are shorter: entries are bounded.
const LINE: u64 = 8 << 20;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record {
    Entry(Entry),
    Append { n: u64, at: u64, text: String },
}

/// Where an entry is.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    offset: u64,
    bytes: u64,
    prompt: bool,
    turn: u64,
}

/// The file of one tab, and where its entries are in it.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    end: u64,
    places: Vec<Place>,
}

/// What was found in a file.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) log: Log,
    /// Entries that were open when the file was last written, as far as they had grown.
    pub(crate) open: Vec<Entry>,
    /// Whether the last turn has no end.
    pub(crate) cut: bool,
    /// The last turn; 0 without any.
    pub(crate) turns: u64,
}

impl Log {
    /// Opens the file of a tab, or makes it. Blocks; takes as long as reading it.
    pub(crate) fn open(path: &Path) -> io::Result<Found> {
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let mut options = OpenOptions::new();
        let _ = options.read(true).append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            let _ = options.mode(0o600);
        }
        let file = options.open(path)?;
        let mut log = Self { path: path.to_owned(), file, end: 0, places: Vec::new() };
        let (open, cut, turns) = log.scan()?;
        Ok(Found { log, open, cut, turns })
    }

    fn scan(&mut self) -> io::Result<(Vec<Entry>, bool, u64)> {
        let _ = self.file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::new(&self.file);
        let mut growing: Vec<Transcript> = Vec::new();
        let (mut cut, mut turns, mut offset) = (false, 0, 0);
        let mut places: Vec<Place> = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            let bytes = reader.by_ref().take(LINE).read_until(b'\n', &mut line)? as u64;
            if bytes == 0 {
                break;
            }
            let place = Place { offset, bytes, ..Place::default() };
            offset += bytes;
            // A torn line, or one that somebody else wrote, costs itself.
            let Ok(record) = serde_json::from_slice::<Record>(&line) else { continue };
            let (n, update) = match record {
                Record::Entry(entry) => (entry.n, Update::Entry(entry)),
                Record::Append { n, at, text } => (n, Update::Append { n, at, text }),
            };
            if let Update::Entry(entry) = &update {
                let known = places.len() as u64;
                if n > known {
                    // What was lost between leaves a gap that reads as nothing.
                    if n - known > 1_000_000 {
                        continue;
                    }
                    places.resize(n as usize, Place::default());
                }
                let place = Place {
                    prompt: matches!(entry.body, Body::Prompt(_)),
                    turn: entry.turn,
                    ..place
                };
                match places.get_mut(n as usize) {
                    Some(known) => *known = place,
                    None => places.push(place),
                }
                turns = turns.max(entry.turn);
                match &entry.body {
                    Body::Prompt(_) => cut = true,
                    Body::Ended(_) | Body::Failed(_) => cut = false,
                    _ => {}
                }
                growing.retain(|open| open.first() != Some(n));
                if entry.open {
                    growing.push(Transcript::default());
                }
            }
            // An open entry is a copy of its own, so that numbers between them do not matter.
            let opened = matches!(&update, Update::Entry(entry) if entry.open);
            let copy = if opened {
                growing.last_mut()
            } else {
                growing.iter_mut().find(|open| open.first() == Some(n))
            };
            if let Some(copy) = copy {
                let applied = copy.apply(update);
                debug_assert!(!matches!(applied, Applied::Gap));
            }
        }
        // A torn line must not swallow the next one.
        if offset > 0 && !ends_line(&self.file, offset)? {
            self.file.write_all(b"\n")?;
            offset += 1;
        }
        self.end = offset;
        self.places = places;
        let mut open: Vec<Entry> =
            growing.iter().filter_map(|copy| copy.iter().next().cloned()).collect();
        open.sort_by_key(|entry| entry.n);
        Ok((open, cut, turns))
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> u64 {
        self.places.len() as u64
    }

    /// Whether a turn's prompt is in it.
    pub(crate) fn has_turn(&self, turn: u64) -> bool {
        self.places.iter().rev().any(|place| place.prompt && place.turn == turn)
    }

    /// The numbers of the prompts, the last first.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = u64> {
        self.places
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, place)| place.prompt)
            .map(|(n, _)| n as u64)
    }

    /// Appends updates. Blocks. What could not be written is not in the file, and nothing before it is
    /// damaged.
    pub(crate) fn write(&mut self, updates: &[Update], safely: bool) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut places = Vec::new();
        for update in updates {
            let begin = bytes.len();
            let record = match update {
                Update::Entry(entry) => Record::Entry(entry.clone()),
                Update::Append { n, at, text } => {
                    Record::Append { n: *n, at: *at, text: text.clone() }
                }
            };
            serde_json::to_writer(&mut bytes, &record)?;
            bytes.push(b'\n');
            if let Update::Entry(entry) = update {
                let place = Place {
                    offset: self.end + begin as u64,
                    bytes: (bytes.len() - begin) as u64,
                    prompt: matches!(entry.body, Body::Prompt(_)),
                    turn: entry.turn,
                };
                places.push((entry.n, place));
            }
        }
        if let Err(error) = self.file.write_all(&bytes) {
            // On a full disk a part of a line may be there; the next write begins on a line of its own.
            let _ = self.file.set_len(self.end);
            return Err(error);
        }
        if safely {
            self.file.sync_data()?;
        }
        self.end += bytes.len() as u64;
        for (n, place) in places {
            let n = n as usize;
            if n >= self.places.len() {
                self.places.resize(n + 1, Place::default());
            }
            self.places[n] = place;
        }
        Ok(())
    }

    /// Entries before a number, the last ones, at most so many and so many bytes of lines; in order. Blocks.
    pub(crate) fn read(&self, before: u64, most: usize, bytes: u64) -> io::Result<Vec<Entry>> {
        let before = usize::try_from(before).unwrap_or(usize::MAX).min(self.places.len());
        let mut entries = Vec::new();
        let mut taken = 0;
        let mut file = File::open(&self.path)?;
        for place in self.places[..before].iter().rev().take(most) {
            taken += place.bytes;
            if taken > bytes && !entries.is_empty() {
                break;
            }
            if place.bytes == 0 {
                // A gap: what lies before it cannot be reached from here without one.
                break;
            }
            let _ = file.seek(SeekFrom::Start(place.offset))?;
            let mut line = vec![0; place.bytes.min(LINE) as usize];
            file.read_exact(&mut line)?;
            match serde_json::from_slice(&line)? {
                Record::Entry(entry) => entries.push(entry),
                Record::Append { .. } => break,
            }
        }
        entries.reverse();
        Ok(entries)
    }
}

fn ends_line(mut file: &File, end: u64) -> io::Result<bool> {
    let _ = file.seek(SeekFrom::Start(end - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        let _ = builder.mode(0o700);
    }
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Updates as few as possible that say the same: what grew twice grew once, and of an entry that was told
/// several times the last holds.
pub(crate) fn coalesced(updates: Vec<Update>) -> Vec<Update> {
    use std::collections::HashMap;

    let mut last: HashMap<u64, usize> = HashMap::new();
    let mut few: Vec<Update> = Vec::with_capacity(updates.len());
    for update in updates {
        let n = match &update {
            Update::Entry(entry) => entry.n,
            Update::Append { n, .. } => *n,
        };
        let Some(place) = last.get(&n).copied() else {
            let _ = last.insert(n, few.len());
            few.push(update);
            continue;
        };
        match (&mut few[place], update) {
            (known, Update::Entry(entry)) => *known = Update::Entry(entry),
            (Update::Append { at: known_at, text: known, .. }, Update::Append { at, text, .. })
                if *known_at + known.len() as u64 == at =>
            {
                known.push_str(&text);
            }
            (Update::Entry(entry), Update::Append { at, text, n }) => {
                if !entry.append(at, &text) {
                    few.push(Update::Append { n, at, text });
                }
            }
            (_, update) => few.push(update),
        }
    }
    few
}

#[cfg(test)]
mod tests {
    use maestro_core::conversation::Prompt;

    use super::*;

    fn entry(n: u64, open: bool, body: Body) -> Update {
        Update::Entry(Entry { n, turn: 1, at_ms: n, open, body })
    }

    fn append(n: u64, at: u64, text: &str) -> Update {
        Update::Append { n, at, text: text.into() }
    }

    #[test]
    fn a_file_is_read_back_also_when_its_end_is_torn() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("conversations/c1.jsonl");
        let mut found = Log::open(&path).expect("made");
        assert!(!found.cut && found.open.is_empty());
        let said = [
            entry(0, false, Body::Prompt(Prompt { text: "do".into(), ..Prompt::default() })),
            entry(1, true, Body::Text("I".into())),
            append(1, 1, " do"),
            entry(2, true, Body::Thinking(String::new())),
            entry(2, false, Body::Thinking("hm".into())),
        ];
        found.log.write(&said, true).expect("written");
        let mut file = OpenOptions::new().append(true).open(&path).expect("there");
        file.write_all(b"{\"entry\":{\"n\":3,\"tu").expect("written");
        drop(file);
        let mut found = Log::open(&path).expect("read");
        assert!(found.cut && found.turns == 1 && found.log.has_turn(1) && !found.log.has_turn(2));
        assert_eq!(found.open.len(), 1);
        assert_eq!(found.open[0].body, Body::Text("I do".into()));
        assert_eq!(found.log.len(), 3);
        found.log.write(&[entry(3, false, Body::Notice("cut".into()))], false).expect("written");
        let read = found.log.read(4, 2, 1 << 20).expect("read");
        let numbers: Vec<u64> = read.iter().map(|entry| entry.n).collect();
        assert_eq!(numbers, [2, 3]);
        assert_eq!(found.log.read(u64::MAX, 10, 1).expect("read").len(), 1);
        assert_eq!(found.log.prompts().collect::<Vec<_>>(), [0]);
        assert_eq!(Log::open(&path).expect("read").log.len(), 4);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn updates_are_put_together() {
        let text = |text: &str| Body::Text(text.into());
        for (many, few) in [
            (vec![append(1, 0, "a"), append(1, 1, "b")], vec![append(1, 0, "ab")]),
            (
                vec![append(1, 0, "a"), append(2, 0, "x"), append(1, 1, "b")],
                vec![append(1, 0, "ab"), append(2, 0, "x")],
            ),
            (vec![entry(1, true, text("a")), append(1, 1, "b")], vec![entry(1, true, text("ab"))]),
            (vec![append(1, 0, "a"), entry(1, false, text("z"))], vec![entry(1, false, text("z"))]),
        ] {
            assert_eq!(coalesced(many), few);
        }
    }
}
