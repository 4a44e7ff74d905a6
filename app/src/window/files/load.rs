//! What a file is, read for eyes: code with its colours, words, a picture, or what it is instead.
//! Everything that reads belongs on a thread that may wait for the disk.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use maestro_core::highlight::{self, Language};
use maestro_core::markdown::{self, Block};
use maestro_core::text;
use maestro_ui::code::Line;

use crate::window::conversation::{Shown, blanks, inks, read_bytes};

/// Bytes of text that are shown.
const TEXT: usize = 4 << 20;

/// Bytes of text that is written in here: it is gone through at every key.
const WRITTEN: u64 = 1 << 20;

/// The largest picture.
const PICTURE: u64 = 24 << 20;

/// Bytes by which text is told from anything else.
const SAMPLE: usize = 8 << 10;

/// Blocks of markdown that are laid out as they read.
const BLOCKS: usize = 2_000;

/// When a file was written, and how large it is: what is the same is not read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
}

impl Stamp {
    /// How large it is, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Of when it is.
    pub stamp: Stamp,
    /// Its bytes, where it is text that can be written in.
    pub bytes: Option<Vec<u8>>,
    /// What is shown.
    pub body: Body,
    /// Where it leads, if that is out of the directory.
    pub leads: Option<PathBuf>,
}

/// What of a file is shown.
#[derive(Debug, Clone)]
pub enum Body {
    /// Lines, and how many more there are that are not shown.
    Code(Arc<[Line]>, bool),
    /// Markdown, with its lines.
    Words(Vec<Arc<Block>>, Arc<[Line]>),
    /// A picture.
    Picture(Shown),
    /// Neither, and what it is.
    Other(String),
}

/// Reads a file below a directory; nothing when it is as it was.
///
/// # Errors
///
/// A sentence that says why it cannot be read.
pub fn read(root: &Path, name: &str, known: Option<Stamp>) -> Result<Option<Loaded>, String> {
    let path = root.join(name);
    let shown = text::clean(name, 200);
    let said = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{shown} is not there any more."),
        _ => format!("{shown} cannot be read: {error}."),
    };
    let metadata = fs::metadata(&path).map_err(said)?;
    let stamp = Stamp { modified: metadata.modified().ok(), size: metadata.len() };
    if known == Some(stamp) {
        return Ok(None);
    }
    let other = |what: String| {
        Ok(Some(Loaded { stamp, bytes: None, body: Body::Other(what), leads: None }))
    };
    if metadata.is_dir() {
        return other("This is a folder of its own, such as a submodule.".to_owned());
    }
    // A pipe would hold whoever opens it.
    if !metadata.is_file() {
        return other("This is no file that could be read.".to_owned());
    }
    let place = fs::canonicalize(&path).map_err(said)?;
    let inside = fs::canonicalize(root).map_err(said)?;
    let leads = (!place.starts_with(&inside)).then_some(place);
    let most = if is_picture(name) { PICTURE } else { TEXT as u64 };
    let mut bytes = Vec::new();
    let _ = fs::File::open(&path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(said)?;
    let (body, is_whole) = body(name, &bytes, most as usize, metadata.len());
    let fits = is_whole && stamp.size <= WRITTEN;
    let can_write = fits && matches!(body, Body::Code(..) | Body::Words(..));
    Ok(Some(Loaded { stamp, bytes: can_write.then_some(bytes), body, leads }))
}

/// A file that is made up.
#[must_use]
pub fn made_up(name: &str, bytes: &[u8]) -> Loaded {
    let (body, _) = body(name, bytes, TEXT, bytes.len() as u64);
    let stamp = Stamp { modified: None, size: bytes.len() as u64 };
    Loaded { stamp, bytes: Some(bytes.to_owned()), body, leads: None }
}

/// What is shown, and whether that is all of it.
fn body(name: &str, bytes: &[u8], most: usize, size: u64) -> (Body, bool) {
    if is_picture(name) {
        return (Body::Picture(read_bytes(bytes.to_owned())), false);
    }
    let is_whole = bytes.len() <= most;
    let mut bytes = &bytes[..bytes.len().min(most)];
    if bytes[..bytes.len().min(SAMPLE)].contains(&0) {
        let what = format!("This is no text: {}.", text::size(size));
        return (Body::Other(what), false);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // What was cut in the middle of a character.
        Err(error) if !is_whole && error.error_len().is_none() => {
            bytes = &bytes[..error.valid_up_to()];
            std::str::from_utf8(bytes).unwrap_or_default()
        }
        Err(error) => {
            let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            let what = format!("This is no UTF-8 text: line {} has other bytes.", line + 1);
            return (Body::Other(what), false);
        }
    };
    let lines = lines(name, text);
    if is_whole && is_markdown(name) {
        let document = markdown::Document::new(text);
        if document.blocks().len() <= BLOCKS {
            return (Body::Words(document.blocks().to_vec(), lines), true);
        }
    }
    (Body::Code(lines, !is_whole), is_whole)
}

fn lines(name: &str, text: &str) -> Arc<[Line]> {
    let language = Language::of_path(name).filter(|_| text.len() <= highlight::LIMIT);
    let mut state = highlight::State::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = |(at, line): (usize, &str)| {
        let (text, _) = blanks(line.strip_suffix('\r').unwrap_or(line), Vec::new());
        let pieces = language
            .map_or_else(Vec::new, |language| inks(highlight::line(language, &mut state, &text)));
        Line { text, number: u32::try_from(at + 1).ok(), pieces, ..Line::default() }
    };
    text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate().map(line).collect()
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default()
}

fn is_picture(name: &str) -> bool {
    ["png", "jpg", "jpeg", "gif", "webp", "bmp", "ico"].contains(&ending(name).as_str())
}

/// Whether a file is markdown, by its name.
#[must_use]
pub fn is_markdown(name: &str) -> bool {
    ["md", "markdown", "mdx"].contains(&ending(name).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_is() {
        let kind = |name: &str, bytes: &[u8]| match made_up(name, bytes).body {
            Body::Code(lines, cut) => format!("code {}{}", lines.len(), if cut { "+" } else { "" }),
            Body::Words(blocks, lines) => format!("words {} {}", blocks.len(), lines.len()),
            Body::Picture(_) => "picture".to_owned(),
            Body::Other(what) => what,
        };
        let long = [b"a\n".repeat(TEXT / 2), b"b\n".to_vec()].concat();
        for (name, bytes, expected) in [
            ("a.rs", b"fn a() {}\r\n\r\nx".as_slice(), "code 3"),
            ("empty", b"", "code 1"),
            ("a.md", b"# A\n\nb\n", "words 2 3"),
            ("A.PNG", b"\x89PNG", "picture"),
            ("a.bin", b"a\0b", "This is no text: 3 B."),
            ("a.txt", b"a\nb\xff\n", "This is no UTF-8 text: line 2 has other bytes."),
            ("long", &long, &format!("code {}+", TEXT / 2)),
        ] {
            assert_eq!(kind(name, bytes), expected, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_leads_out_is_told_and_what_would_hold_is_not_opened() {
        let folder = std::env::temp_dir().join(format!("maestro-load-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("work/sub")).expect("made");
        let work = folder.join("work");
        fs::write(folder.join("secret"), "s").expect("written");
        fs::write(work.join("own"), "o").expect("written");
        std::os::unix::fs::symlink("../secret", work.join("out")).expect("linked");
        std::os::unix::fs::symlink("own", work.join("in")).expect("linked");
        let load = |name: &str| read(&work, name, None);
        let leads = |name| load(name).expect("read").expect("new").leads.is_some();
        assert_eq!((leads("own"), leads("in"), leads("out")), (false, false, true));
        let loaded = load("sub").expect("read").expect("new");
        assert!(matches!(loaded.body, Body::Other(_)) && loaded.bytes.is_none());
        assert_eq!(load("gone").expect_err("gone"), "gone is not there any more.");
        let known = load("own").expect("read").expect("new").stamp;
        assert!(read(&work, "own", Some(known)).expect("read").is_none());
        fs::write(work.join("own"), "other").expect("written");
        assert!(read(&work, "own", Some(known)).expect("read").is_some());
        fs::remove_dir_all(&folder).expect("removed");
    }
}
