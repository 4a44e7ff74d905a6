//! `keymap.toml`: chords that a person has in place of the default ones.
//!
//! A key is the name of a command, its value one chord or several. Reading tells a mistake by its line and
//! gives nothing; what held before is the caller's. A command that is not known is told, too, but takes
//! nothing away. A chord that another command has by default is taken from it, which is told; that two
//! commands of the file want the same one is a mistake. Writing changes one command and leaves every other
//! byte as it is.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use maestro_core::command::{self, Id};
use maestro_core::keymap::{Conflict, Keymap, Keys, Platform};
use maestro_core::text;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::settings::{line, lines_of, text_of, write};

pub use crate::settings::{Problem, stamp};

/// The file's name.
pub const FILE: &str = "keymap.toml";

/// The most chords that a command may have.
const MOST_CHORDS: usize = 8;

/// The most keys that are told as not known.
const MOST_TOLD: usize = 20;

/// How deep names may lie in tables.
const DEEPEST: usize = 4;

/// What stands in the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content {
    /// Commands with the chords they have instead of their own, as they stand in the file.
    pub own: Vec<(Id, Vec<Keys>)>,
    /// Names that no command has, which hold nothing up.
    pub unknown: Vec<Problem>,
    /// Default chords that commands have lost to those of the file.
    pub lost: Vec<Conflict>,
}

impl Content {
    /// What holds with it.
    #[must_use]
    pub fn keymap(&self, platform: Platform) -> Keymap {
        Keymap::with(platform, &self.own).0
    }
}

/// Reads the file; one that is not there changes nothing. Blocks.
///
/// # Errors
///
/// What is wrong with it, with the line.
pub fn read(path: &Path, platform: Platform) -> Result<Content, Problem> {
    match text_of(path)? {
        Some(text) => parse(path, &text, platform),
        None => Ok(Content::default()),
    }
}

/// Makes the file, with every command in a comment, where there is none. Blocks.
///
/// # Errors
///
/// When it cannot be written.
pub fn create(path: &Path, platform: Platform) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(command::template(platform).as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Chords of one's own as a file, to be given to somebody else.
#[must_use]
pub fn own_text(own: &[(Id, Vec<Keys>)]) -> String {
    own.iter().map(|(id, chords)| format!("{} = {}\n", id.name(), written(chords))).collect()
}

/// Gives a command other chords; `None` takes out what stands there, so that its default ones hold.
/// Comments, order and everything else stay. Blocks.
///
/// # Errors
///
/// When the file is wrong already, when a chord cannot be had, or when the file cannot be written; it is
/// unchanged then.
pub fn set(
    path: &Path,
    id: Id,
    chords: Option<&[Keys]>,
    platform: Platform,
) -> Result<(), Problem> {
    let problem = |why: String| Problem { path: path.to_owned(), line: None, why };
    let before = text_of(path)?;
    if before.is_none() && chords.is_none() {
        return Ok(());
    }
    let text = before.unwrap_or_else(|| command::template(platform));
    let content = parse(path, &text, platform)?;
    let old = content.own.iter().find(|(own, _)| *own == id).map(|(_, chords)| chords.as_slice());
    if old == chords {
        return Ok(());
    }
    for chord in chords.unwrap_or_default() {
        check(id, *chord).map_err(problem)?;
    }
    let mut wanted: HashMap<Id, Vec<Keys>> = content.own.iter().cloned().collect();
    let _ = match chords {
        Some(chords) => wanted.insert(id, chords.to_vec()),
        None => wanted.remove(&id),
    };
    let mut why = None;
    for changed in edits(&text, id, chords) {
        match parse(path, &changed, platform) {
            // What comes out is read again: a way of writing that is not understood is never spoilt.
            Ok(found) if found.own.iter().cloned().collect::<HashMap<_, _>>() == wanted => {
                return write(path, &changed)
                    .map_err(|error| problem(format!("it cannot be written: {error}")));
            }
            Ok(_) => {}
            Err(refused) => why = why.or(Some(refused)),
        }
    }
    Err(why.unwrap_or_else(|| {
        problem(format!("{} is written in a way that only its author can change", id.name()))
    }))
}

/// Whether a command can have a chord.
fn check(id: Id, chord: Keys) -> Result<(), String> {
    if id.command().context.is_written_in() && chord.writes() {
        let place = id.command().context.title();
        return Err(format!(
            "{chord} writes something where `{}` holds ({place}): hold Mod, Ctrl or Alt with it",
            id.name()
        ));
    }
    Ok(())
}

/// A name in the file, with the byte where it begins, and what it is given.
type Given<'a> = (String, usize, &'a Spanned<DeValue<'a>>);

/// Every value with its whole name: `a.b = x` and `b = x` below `[a]` are the same.
fn flat<'a>(table: &'a DeTable<'a>, before: &str, depth: usize, found: &mut Vec<Given<'a>>) {
    for (name, value) in table {
        let whole = match before {
            "" => name.get_ref().to_string(),
            before => format!("{before}.{}", name.get_ref()),
        };
        match value.get_ref() {
            DeValue::Table(inner) if depth < DEEPEST => flat(inner, &whole, depth + 1, found),
            _ => found.push((whole, name.span().start, value)),
        }
    }
}

/// Reads a text as the file would be read that has this path.
///
/// # Errors
///
/// What is wrong with it, with the line.
pub fn parse(path: &Path, text: &str, platform: Platform) -> Result<Content, Problem> {
    let problem = |at: Option<usize>, why: String| Problem { path: path.to_owned(), line: at, why };
    let wrong = |at: usize, why: String| problem(Some(line(text, at)), why);
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map(|span| line(text, span.start));
        problem(at, error.message().trim().trim_end_matches('.').replace('\n', "; "))
    })?;
    let mut given = Vec::new();
    flat(table.get_ref(), "", 0, &mut given);
    given.sort_by_key(|(_, at, _)| *at);
    let mut content = Content::default();
    let mut lines = HashMap::new();
    for (name, at, value) in given {
        let Ok(id) = name.parse::<Id>() else {
            if content.unknown.len() < MOST_TOLD {
                let name = text::clean(&name, 80);
                content.unknown.push(wrong(at, format!("there is no command `{name}`")));
            }
            continue;
        };
        let chords = chords_of(value).map_err(|(at, why)| wrong(at, why))?;
        for chord in &chords {
            check(id, *chord).map_err(|why| wrong(value.span().start, why))?;
        }
        let _ = lines.insert(id, at);
        content.own.push((id, chords));
    }
    let (_, conflicts) = Keymap::with(platform, &content.own);
    for conflict in conflicts {
        match (lines.get(&conflict.first), lines.get(&conflict.second)) {
            (Some(first), Some(second)) => {
                let first = line(text, *first);
                let why = format!(
                    "{} is both `{}` (line {first}) and `{}`: give one of them another chord",
                    conflict.chord, conflict.first, conflict.second
                );
                return Err(wrong(*second, why));
            }
            _ => content.lost.push(conflict),
        }
    }
    Ok(content)
}

/// One chord or several; otherwise where it is wrong, and why.
fn chords_of(value: &Spanned<DeValue<'_>>) -> Result<Vec<Keys>, (usize, String)> {
    let chord = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) => text
            .parse::<Keys>()
            .map_err(|error| (value.span().start, text::clean(&error.to_string(), 200))),
        _ => Err((value.span().start, "a chord is written as \"Mod+Shift+W\"".to_owned())),
    };
    match value.get_ref() {
        DeValue::Array(chords) if chords.len() > MOST_CHORDS => {
            let why = format!("a command has no more than {MOST_CHORDS} chords");
            Err((value.span().start, why))
        }
        DeValue::Array(chords) => chords.iter().map(chord).collect(),
        _ => chord(value).map(|chord| vec![chord]),
    }
}

/// Chords as the file has them.
fn written(chords: &[Keys]) -> String {
    let text = |chord: &Keys| toml::Value::String(chord.to_string()).to_string();
    match chords {
        [only] => text(only),
        all => format!("[{}]", all.iter().map(text).collect::<Vec<_>>().join(", ")),
    }
}

/// Texts in which one command has other chords, the best first; which of them is right is for the reader
/// to say.
fn edits(text: &str, id: Id, chords: Option<&[Keys]>) -> Vec<String> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let mut given = Vec::new();
    flat(table.get_ref(), "", 0, &mut given);
    let found = given.iter().find(|(name, _, _)| name == id.name());
    match (found, chords) {
        (Some((_, _, value)), Some(chords)) => {
            let mut changed = text.to_owned();
            changed.replace_range(value.span(), &written(chords));
            vec![changed]
        }
        (Some((_, at, value)), None) => {
            // The key's own last part is enough to find its line.
            let key = Spanned::new(*at..*at, std::borrow::Cow::Borrowed(""));
            let Some(whole) = lines_of(text, &key, value) else { return Vec::new() };
            let mut changed = text.to_owned();
            changed.replace_range(whole, "");
            vec![changed]
        }
        (None, None) => vec![text.to_owned()],
        (None, Some(chords)) => {
            let added = format!("{} = {}", id.name(), written(chords));
            let at = |at: usize, line: &str| {
                let before = if at == 0 || text[..at].ends_with('\n') { "" } else { "\n" };
                let mut changed = text.to_owned();
                changed.insert_str(at, &format!("{before}{line}\n"));
                changed
            };
            let mut all = Vec::new();
            // Below the comment that has its default.
            let own = format!("# {} = ", id.name());
            let mut begin = 0;
            let mut first_header = None;
            for line in text.split_inclusive('\n') {
                let end = begin + line.len();
                if line.starts_with(&own) {
                    all.push(at(end, &added));
                }
                if line.trim_start().starts_with('[') {
                    let _ = first_header.get_or_insert(begin);
                    let header = line.trim().trim_start_matches('[');
                    let header = header.split(']').next().unwrap_or_default().trim();
                    let inner = id.name().strip_prefix(header);
                    if let Some(inner) = inner.and_then(|inner| inner.strip_prefix('.')) {
                        let line = format!("{inner} = {}", written(chords));
                        all.push(at(end, &line));
                    }
                }
                begin = end;
            }
            all.push(at(first_header.unwrap_or(text.len()), &added));
            all
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use maestro_core::command::Context;

    use super::*;

    const OTHER: Platform = Platform::Other;

    fn parsed(text: &str) -> Result<Content, Problem> {
        parse(Path::new(FILE), text, OTHER)
    }

    #[test]
    fn chords_of_ones_own_are_read() {
        let content = parsed(
            "agent.new = \"Mod+Shift+F14\"\n[pane]\nnext = [\"F13\", \"Mod+F13\"]\nclose = []\n",
        )
        .expect("right");
        let names: Vec<_> = content
            .own
            .iter()
            .map(|(id, chords)| {
                (id.name(), chords.iter().map(ToString::to_string).collect::<Vec<_>>())
            })
            .collect();
        let expected = [
            ("agent.new", vec!["Mod+Shift+F14".to_owned()]),
            ("pane.next", vec!["F13".to_owned(), "Mod+F13".to_owned()]),
            ("pane.close", vec![]),
        ];
        assert_eq!(names, expected);
        assert_eq!(content.keymap(OTHER).title(Id::PaneClose), None);
        assert!(content.unknown.is_empty() && content.lost.is_empty());
        assert_eq!(parsed(&command::template(OTHER)), Ok(Content::default()));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, at, said) in [
            ("\nagent.new = \"Mod+Oops\"\n", Some(2), "there is no key or modifier `Oops`"),
            ("agent.new = 3\n", Some(1), "a chord is written as"),
            ("agent.new = [\n\"F3\",\n true]\n", Some(3), "a chord is written as"),
            ("agent.new = \n", Some(1), ""),
            ("agent.new = \"x\"\n", Some(1), "writes something"),
            ("agent.new = \"Shift+Enter\"\n", Some(1), "writes something"),
            (
                "agent.new = \"F3\"\n# and\nagent.stop = \"F3\"\n",
                Some(3),
                "F3 is both `agent.new` (line 1) and `agent.stop`",
            ),
            ("agent.new = \"F3 F4 F5\"\n", Some(1), "more than two chords"),
            (
                "agent.new = \"F3\"\nagent.stop = \"F3 F4\"\n",
                Some(2),
                "F3 F4 is both `agent.new` (line 1) and `agent.stop`",
            ),
            ("pane.next = [\"F3\"]\npane.next = [\"F4\"]\n", Some(2), ""),
            (
                "pane.next = [\"F1\",\"F2\",\"F3\",\"F4\",\"F5\",\"F7\",\"F8\",\"F9\",\"F10\"]\n",
                Some(1),
                "no more than 8",
            ),
        ] {
            let problem = parsed(text).expect_err(text);
            assert_eq!(problem.line, at, "{text}: {problem}");
            assert!(problem.why.contains(said), "{text}: {problem}");
        }
    }

    #[test]
    fn what_is_not_known_holds_nothing_up_and_what_is_taken_is_told() {
        let content = parsed("future.thing = \"F3\"\nagent.stop = \"Mod+N\"\n").expect("right");
        assert_eq!(content.unknown.len(), 1);
        assert_eq!(content.unknown[0].line, Some(1));
        assert_eq!(content.lost.len(), 1, "{:?}", content.lost);
        assert_eq!((content.lost[0].first, content.lost[0].second), (Id::AgentStop, Id::AgentNew));
        let chord: Keys = "Mod+N".parse().expect("a chord");
        assert_eq!(content.keymap(OTHER).holder(Context::Main, chord), Some(Id::AgentStop));
        // A letter alone is fine where nothing is written.
        assert!(parsed("run.pause = \"y\"\n").is_ok());
    }

    #[test]
    fn one_command_is_changed_and_nothing_else() {
        for (text, id, chords, expected) in [
            (
                "# a\nagent.new = 'F3' # b\n",
                Id::AgentNew,
                Some("F4"),
                "# a\nagent.new = \"F4\" # b\n",
            ),
            ("# a\nagent.new = 'F3' # b\n", Id::AgentNew, None, "# a\n"),
            ("[agent]\nnew = 'F3'\n", Id::AgentNew, Some("F4"), "[agent]\nnew = \"F4\"\n"),
            ("[agent]\nnew = 'F3'\n", Id::AgentNew, None, "[agent]\n"),
            (
                "[agent]\nnew = 'F3'\n",
                Id::AgentStop,
                Some("F4"),
                "[agent]\nstop = \"F4\"\nnew = 'F3'\n",
            ),
            (
                "[agent]\nnew = 'F3'\n",
                Id::FocusNext,
                Some("F4"),
                "pane.next = \"F4\"\n[agent]\nnew = 'F3'\n",
            ),
            ("# x", Id::AgentNew, Some("F4"), "# x\nagent.new = \"F4\"\n"),
            (
                "# agent.new = \"Mod+N\" # New agent\n# b\n",
                Id::AgentNew,
                Some("F4"),
                "# agent.new = \"Mod+N\" # New agent\nagent.new = \"F4\"\n# b\n",
            ),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(FILE);
            fs::write(&path, text).expect("written");
            let chords: Option<Vec<Keys>> =
                chords.map(|chord| vec![chord.parse().expect("a chord")]);
            set(&path, id, chords.as_deref(), OTHER).expect(text);
            assert_eq!(fs::read_to_string(&path).expect("there"), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_the_file_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        let f3: Vec<Keys> = vec!["F3".parse().expect("a chord")];
        set(&path, Id::AgentStop, None, OTHER).expect("nothing to take out");
        assert!(!path.exists());
        set(&path, Id::AgentNew, Some(&f3), OTHER).expect("made");
        let text = fs::read_to_string(&path).expect("there");
        let refused = set(&path, Id::AgentStop, Some(&f3), OTHER).expect_err("taken");
        assert!(refused.why.contains("F3 is both"), "{refused}");
        let enter: Vec<Keys> = vec!["Enter".parse().expect("a chord")];
        assert!(set(&path, Id::AgentStop, Some(&enter), OTHER).is_err());
        assert_eq!(fs::read_to_string(&path).expect("there"), text);
        let own = read(&path, OTHER).expect("right").own;
        assert_eq!(own_text(&own), "agent.new = \"F3\"\n");
        fs::write(&path, "agent.new = \n").expect("written");
        assert!(set(&path, Id::AgentStop, Some(&f3), OTHER).is_err(), "wrong already");
    }
}
