//! `settings.toml`: what [`maestro_core::settings`] describes, as a person writes it.
//!
//! Reading tells a mistake by its line and gives nothing; what held before is the caller's. A key that is
//! not known is told, too, but takes nothing away: a newer version may have written it. Writing changes
//! the one value and leaves every other byte of the file as it is.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use maestro_core::AgentId;
use maestro_core::settings::{self, Kind, Setting, Value, Values};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file's name.
pub const FILE: &str = "settings.toml";

/// A larger file is not ours: bytes.
pub const LARGEST: u64 = 256 * 1024;

/// The table of what agents have of their own.
const AGENTS: &str = "agents";

/// The most keys that are told as not known.
const MOST_TOLD: usize = 20;

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, where it is about one.
    pub line: Option<usize>,
    /// What is wrong, and what would be right; a sentence without its full stop.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.why),
            None => write!(f, "{}: {}", self.path.display(), self.why),
        }
    }
}

/// What stands in the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content {
    /// What is set.
    pub values: Values,
    /// Keys that are not known, which hold nothing up.
    pub unknown: Vec<Problem>,
}

/// Reads the file; one that is not there sets nothing. Blocks.
///
/// # Errors
///
/// What is wrong with it, with the line.
pub fn read(path: &Path) -> Result<Content, Problem> {
    match text_of(path)? {
        Some(text) => parse(path, &text),
        None => Ok(Content::default()),
    }
}

/// Makes the file, with every setting in a comment, where there is none. Blocks.
///
/// # Errors
///
/// When it cannot be written.
pub fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(settings::template().as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// What tells one state of the file from another.
#[must_use]
pub fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// Sets something for an agent, or for all; `None` takes it out, so that the default holds. Comments, order
/// and everything else stay. Gives what was set there before. Blocks.
///
/// # Errors
///
/// When the file is wrong already, when the value is none for this setting, or when the file cannot be
/// written; it is unchanged then.
pub fn set(
    path: &Path,
    setting: &'static Setting,
    agent: Option<AgentId>,
    value: Option<&Value>,
) -> Result<Option<Value>, Problem> {
    let problem = |why: String| Problem { path: path.to_owned(), line: None, why };
    if agent.is_some() && !setting.per_agent {
        return Err(problem(format!("{} holds for all agents, not for one", setting.key)));
    }
    if let Some(value) = value {
        setting.check(value).map_err(problem)?;
    }
    let before = text_of(path)?;
    if before.is_none() && value.is_none() {
        return Ok(None);
    }
    let text = before.unwrap_or_else(settings::template);
    let mut content = parse(path, &text)?;
    let old = content.values.own(setting.key, agent).cloned();
    if old.as_ref() == value {
        return Ok(old);
    }
    let changed = edited(&text, setting, agent, value);
    // What comes out is read again: a way of writing that is not understood here is refused, never spoilt.
    content.values.replace(setting, agent, value.cloned());
    let is_right = changed.as_ref().is_some_and(|changed| {
        parse(path, changed).is_ok_and(|found| found.values == content.values)
    });
    let Some(changed) = changed.filter(|_| is_right) else {
        let why = format!("{} is written in a way that only its author can change", setting.key);
        return Err(problem(why));
    };
    write(path, &changed).map_err(|error| problem(format!("it cannot be written: {error}")))?;
    Ok(old)
}

/// The whole text; `None` when there is no file.
pub(crate) fn text_of(path: &Path) -> Result<Option<String>, Problem> {
    let problem = |why: String| Problem { path: path.to_owned(), line: None, why };
    let large = || problem(format!("it has more than {} KiB", LARGEST / 1024));
    let unread = |error: io::Error| problem(format!("it cannot be read: {error}"));
    match fs::metadata(path) {
        Ok(about) if about.len() > LARGEST => return Err(large()),
        Ok(about) if about.is_file() => {}
        // A pipe would be waited for, a device might never end.
        Ok(_) => return Err(problem("it is no file".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unread(error)),
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unread)?;
    let _ = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > LARGEST {
        return Err(large());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = Some(good.split(|byte| *byte == b'\n').count());
        Problem { line, ..problem("it is no text in UTF-8".to_owned()) }
    })?;
    Ok(Some(text))
}

/// Replaces the file at once. A link stays one, and rights stay.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let new = path.with_extension(format!("toml.{}.new", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        if let Ok(about) = fs::metadata(&path) {
            file.set_permissions(about.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&new, &path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// The line, from 1, in which a byte lies.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].split(|byte| *byte == b'\n').count()
}

fn parse(path: &Path, text: &str) -> Result<Content, Problem> {
    let problem = |at: Option<usize>, why: String| Problem { path: path.to_owned(), line: at, why };
    let wrong = |at: usize, why: String| problem(Some(line(text, at)), why);
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map(|span| line(text, span.start));
        problem(at, error.message().trim().trim_end_matches('.').replace('\n', "; "))
    })?;
    let mut found = Content::default();
    let mut unknown = |at: usize, key: &str| {
        if found.unknown.len() < MOST_TOLD {
            let key: String = key.chars().filter(|c| !c.is_control()).take(80).collect();
            let why = match settings::nearest(&key) {
                Some(meant) => format!("{key} is no setting; {meant} is one"),
                None => format!("{key} is no setting that this version knows"),
            };
            found.unknown.push(wrong(at, why));
        }
    };
    let mut sections: Vec<(Option<AgentId>, &str, &DeTable<'_>)> = Vec::new();
    for (name, value) in table.get_ref() {
        let at = name.span().start;
        match (name.get_ref().as_ref(), value.get_ref()) {
            (AGENTS, DeValue::Table(agents)) => {
                for (id, own) in agents {
                    let at = id.span().start;
                    let agent: AgentId = id.get_ref().parse().map_err(|_| {
                        wrong(
                            at,
                            format!(
                                "{AGENTS}.{} names no agent: write an id such as a1",
                                id.get_ref()
                            ),
                        )
                    })?;
                    let DeValue::Table(own) = own.get_ref() else {
                        return Err(wrong(at, format!("{AGENTS}.{agent} is a table")));
                    };
                    for (section, value) in own {
                        match value.get_ref() {
                            DeValue::Table(table) => {
                                sections.push((Some(agent), section.get_ref().as_ref(), table));
                            }
                            _ => unknown(section.span().start, section.get_ref()),
                        }
                    }
                }
            }
            (section, DeValue::Table(table)) => sections.push((None, section, table)),
            (key, _) => unknown(at, key),
        }
    }
    let mut set = Vec::new();
    for (agent, section, table) in sections {
        if !table.is_empty() && !settings::ALL.iter().any(|setting| setting.section() == section) {
            let first = table.keys().map(|key| key.span().start).min().unwrap_or_default();
            unknown(first, section);
            continue;
        }
        for (name, value) in table {
            let key = format!("{section}.{}", name.get_ref());
            let Some(setting) = settings::find(&key) else {
                unknown(name.span().start, &key);
                continue;
            };
            let at = value.span().start;
            if agent.is_some() && !setting.per_agent {
                return Err(wrong(at, format!("{key} holds for all agents, not for one")));
            }
            let value = value_of(setting, value.get_ref()).map_err(|why| wrong(at, why))?;
            set.push((setting, agent, value));
        }
    }
    for (setting, agent, value) in set {
        found.values.set(setting, agent, value);
    }
    found.unknown.sort_by_key(|problem| problem.line);
    Ok(found)
}

/// What stands there, as a value of this setting.
fn value_of(setting: &Setting, value: &DeValue<'_>) -> Result<Value, String> {
    let number = |text: &str| text.replace('_', "").parse::<f64>().ok().filter(|n| n.is_finite());
    let found = match value {
        DeValue::Boolean(on) => Some(Value::Switch(*on)),
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Integer(whole) => {
            i64::from_str_radix(&whole.as_str().replace('_', ""), whole.radix())
                .ok()
                .map(|whole| Value::Number(whole as f64))
        }
        DeValue::Float(float) => number(float.as_str()).map(Value::Number),
        _ => None,
    };
    let found = found.ok_or_else(|| match setting.kind {
        Kind::Switch => format!("{} is true or false", setting.name()),
        _ => format!("{} is {}", setting.name(), setting.allowed()),
    })?;
    setting
        .check(&found)
        .map_err(|why| match setting.kind {
            // As the file has it, not as a person says it.
            Kind::Switch => format!("{} is true or false", setting.name()),
            _ => why,
        })
        .map(|()| found)
}

/// A value as the file has it.
#[must_use]
pub fn written(setting: &Setting, value: &Value) -> String {
    let value = match value {
        Value::Switch(on) => toml::Value::Boolean(*on),
        Value::Number(number) if matches!(setting.kind, Kind::Number { whole: true, .. }) => {
            toml::Value::Integer(*number as i64)
        }
        Value::Number(number) => toml::Value::Float(*number),
        Value::Text(text) => toml::Value::String(text.clone()),
    };
    value.to_string()
}

/// The text with one value put in, replaced or taken out; `None` where that is not understood.
fn edited(
    text: &str,
    setting: &Setting,
    agent: Option<AgentId>,
    value: Option<&Value>,
) -> Option<String> {
    let table = DeTable::parse(text).ok()?;
    let mut place = Some(table.get_ref());
    let id = agent.map(|agent| agent.to_string());
    let path: Vec<&str> = match &id {
        Some(id) => vec![AGENTS, id, setting.section()],
        None => vec![setting.section()],
    };
    for name in &path {
        place =
            place.and_then(|table| table.get(*name)).and_then(|value| value.get_ref().as_table());
    }
    let entry = place.and_then(|table| table.get_key_value(setting.name()));
    let mut changed = text.to_owned();
    match (entry, value) {
        (Some((_, old)), Some(value)) => {
            changed.replace_range(old.span(), &written(setting, value));
        }
        (Some((key, old)), None) => {
            let whole = lines_of(text, key, old)?;
            changed.replace_range(whole, "");
        }
        (None, None) => {}
        (None, Some(value)) => {
            let line = format!("{} = {}", setting.name(), written(setting, value));
            let header = format!("[{}]", path.join("."));
            match header_of(text, &header) {
                Some(section) => {
                    let at = place_in(text, section, setting.name());
                    let before = if text[..at].ends_with('\n') { "" } else { "\n" };
                    changed.insert_str(at, &format!("{before}{line}\n"));
                }
                None => {
                    let gap = match text {
                        "" => "",
                        _ if text.ends_with('\n') => "\n",
                        _ => "\n\n",
                    };
                    changed.push_str(&format!("{gap}{header}\n{line}\n"));
                }
            }
        }
    }
    Some(changed)
}

/// The lines that a value has for itself, with the line break; `None` when something else stands there.
pub(crate) fn lines_of(
    text: &str,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Option<Range<usize>> {
    let begin = text[..key.span().start].rfind('\n').map_or(0, |at| at + 1);
    let end = value.span().end;
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    let before = text[begin..key.span().start].trim();
    let behind = text[value.span().end..end].trim();
    // A dotted key at the top has its section before it.
    let is_alone = (before.is_empty() || before.ends_with('.') && !before.contains(['=', '{']))
        && (behind.is_empty() || behind.starts_with('#'));
    is_alone.then_some(begin..end)
}

/// Where the lines under a header are.
fn header_of(text: &str, header: &str) -> Option<Range<usize>> {
    let mut at = 0;
    let mut found = None;
    for line in text.split_inclusive('\n') {
        let bare = line.split('#').next().unwrap_or_default().trim();
        if bare.starts_with('[') {
            match found {
                Some(begin) => return Some(begin..at),
                None if bare == header => found = Some(at + line.len()),
                None => {}
            }
        }
        at += line.len();
    }
    found.map(|begin| begin..text.len())
}

/// Where in a section a new line goes: below the comment that has its default, else behind the last line
/// that is no comment.
fn place_in(text: &str, section: Range<usize>, name: &str) -> usize {
    let mut at = section.start;
    let mut last = section.start;
    for line in text[section].split_inclusive('\n') {
        let bare = line.trim();
        let default =
            bare.strip_prefix('#').map(str::trim_start).and_then(|it| it.strip_prefix(name));
        at += line.len();
        if default.is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return at;
        }
        if !bare.is_empty() && !bare.starts_with('#') {
            last = at;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<Content, (Option<usize>, String)> {
        parse(Path::new(FILE), text).map_err(|problem| (problem.line, problem.why))
    }

    fn setting(key: &str) -> &'static Setting {
        settings::find(key).expect(key)
    }

    #[test]
    fn the_template_sets_nothing_and_all_its_examples_are_right() {
        assert_eq!(found(""), Ok(Content::default()));
        let template = settings::template();
        assert_eq!(found(&template), Ok(Content::default()));
        let set: String = template
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") || rest.starts_with('[') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let content = found(&set).expect("the template with its comments taken away");
        assert_eq!(content.unknown, []);
        for setting in settings::ALL {
            assert!(content.values.own(setting.key, None).is_some(), "{}", setting.key);
        }
        assert_eq!(content.values.agents().collect::<Vec<_>>(), [AgentId(1)]);
        for setting in settings::ALL {
            let text = format!("[{}]\n{} = {}", setting.section(), setting.name(), setting.example);
            let content = found(&text).expect(setting.key);
            assert!(content.values.own(setting.key, None).is_some(), "{}", setting.key);
        }
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, line, said) in [
            ("[terminal]\nminimum_contrast = 30.0", 2, "from 1 to 21"),
            ("\n[terminal]\nscrollback = -1", 3, "from 0"),
            ("[terminal]\nscrollback = 1.5", 2, "whole"),
            ("[terminal]\nscrollback = 99999999999999999999", 2, "whole"),
            ("[terminal]\nwheel_rows = nan", 2, "wheel_rows"),
            ("[terminal]\noption_is_alt = 1", 2, "true or false"),
            ("[terminal]\noption_is_alt = [1]", 2, "true or false"),
            ("[terminal]\nconfirm_paste = \"maybe\"", 2, "\"shell\", \"always\" or \"never\""),
            ("[links]\neditor = \"\"", 2, "no program"),
            ("[links]\neditor = \"code\"", 2, "{file}"),
            ("[terminal]\nwheel_rows = 0", 2, "wheel_rows"),
            ("[terminal]\noption_is_alt = \n", 2, ""),
            ("[terminal]\nscrollback = 1\nscrollback = 2", 3, "duplicate"),
            ("[agents.nobody.terminal]\nscrollback = 1", 1, "such as a1"),
            ("[agents]\na1 = 5", 2, "is a table"),
            ("[agents.a1.terminal]\nwheel_rows = 5", 2, "not for one"),
        ] {
            let (at, why) = found(text).expect_err(text);
            assert_eq!(at, Some(line), "{text}: {why}");
            assert!(why.contains(said), "{text}: {why}");
        }
    }

    #[test]
    fn a_key_that_is_not_known_holds_nothing_up() {
        let text = "future = 1\n[terminal]\nminimum_contarst = 3\nscrollback = 7\n[rooms]\nhue = 1\n\
                    [agents.a2.rooms]\nx = 1";
        let content = found(text).expect("the others hold");
        let scrollback = content.values.get(setting("terminal.scrollback"), None);
        assert_eq!(scrollback, Some(Value::Number(7.0)));
        let told: Vec<(Option<usize>, &str)> =
            content.unknown.iter().map(|it| (it.line, it.why.as_str())).collect();
        assert_eq!(
            told,
            [
                (Some(1), "future is no setting that this version knows"),
                (
                    Some(3),
                    "terminal.minimum_contarst is no setting; terminal.minimum_contrast is one"
                ),
                (Some(6), "rooms is no setting that this version knows"),
                (Some(8), "rooms is no setting that this version knows"),
            ]
        );
        let many: String = (0..1000).map(|n| format!("x{n} = 1\n")).collect();
        assert_eq!(found(&many).expect("still").unknown.len(), MOST_TOLD);
    }

    #[test]
    fn what_is_no_file_of_text_is_a_problem() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        fs::write(&path, b"[terminal]\n# \xff\n").expect("written");
        let problem = read(&path).expect_err("no text");
        assert_eq!((problem.line, problem.why.contains("UTF-8")), (Some(2), true), "{problem}");
        assert!(set(&path, setting("terminal.scrollback"), None, None).is_err());
        fs::write(&path, vec![b'#'; LARGEST as usize + 1]).expect("written");
        assert!(read(&path).expect_err("large").why.contains("256 KiB"));
        assert!(read(folder.path()).is_err(), "a folder");
        assert!(!cfg!(unix) || read(Path::new("/dev/zero")).is_err(), "a device without an end");
    }

    /// Sets (or takes out, where `value` is empty) and gives the file.
    fn after(text: &str, key: &str, agent: Option<AgentId>, value: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        fs::write(&path, text).expect("written");
        let setting = setting(key);
        let value = (!value.is_empty()).then(|| setting.parse(value).expect(value));
        let done = set(&path, setting, agent, value.as_ref());
        let now = fs::read_to_string(&path).expect("still there");
        let files = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files, 1, "nothing is left beside it");
        match done {
            Ok(_) => Ok(now),
            Err(problem) => {
                assert_eq!(now, text, "unchanged");
                Err(problem.why)
            }
        }
    }

    #[test]
    fn one_value_is_changed_and_nothing_else() {
        let a1 = Some(AgentId(1));
        for (text, key, agent, value, expected) in [
            // Replaced where it stands, with what is beside it.
            (
                "# mine\n[terminal]\nscrollback=5 # few\nwheel_rows = 2\n",
                "terminal.scrollback",
                None,
                "7",
                "# mine\n[terminal]\nscrollback=7 # few\nwheel_rows = 2\n",
            ),
            (
                "terminal.scrollback = 5\n",
                "terminal.scrollback",
                None,
                "7",
                "terminal.scrollback = 7\n",
            ),
            (
                "terminal = { scrollback = 5, wheel_rows = 2 }\n",
                "terminal.scrollback",
                None,
                "7",
                "terminal = { scrollback = 7, wheel_rows = 2 }\n",
            ),
            // Put below the comment that has its default.
            (
                "[terminal]\n# Rows.\n# scrollback = 10000\n\n# wheel_rows = 3.0\n[links]\n",
                "terminal.scrollback",
                None,
                "7",
                "[terminal]\n# Rows.\n# scrollback = 10000\nscrollback = 7\n\n# wheel_rows = 3.0\n[links]\n",
            ),
            // Behind the last line of the section, or into a section of its own.
            (
                "[terminal]\nwheel_rows = 2\n\n# Links.\n[links]\n",
                "terminal.scrollback",
                None,
                "7",
                "[terminal]\nwheel_rows = 2\nscrollback = 7\n\n# Links.\n[links]\n",
            ),
            (
                "[terminal] # t",
                "terminal.scrollback",
                None,
                "7",
                "[terminal] # t\nscrollback = 7\n",
            ),
            ("", "composer.enter_sends", None, "off", "[composer]\nenter_sends = false\n"),
            (
                "# hello",
                "terminal.wheel_rows",
                None,
                "2",
                "# hello\n\n[terminal]\nwheel_rows = 2.0\n",
            ),
            (
                "[terminal]\nscrollback = 5\n",
                "terminal.scrollback",
                a1,
                "7",
                "[terminal]\nscrollback = 5\n\n[agents.a1.terminal]\nscrollback = 7\n",
            ),
            (
                "[links]\n",
                "links.editor",
                None,
                "\"my editor\" {file}",
                "[links]\neditor = '\"my editor\" {file}'\n",
            ),
            // Taken out.
            (
                "[terminal]\n# few\nscrollback = 5 # five\nwheel_rows = 2\n",
                "terminal.scrollback",
                None,
                "",
                "[terminal]\n# few\nwheel_rows = 2\n",
            ),
            ("terminal.scrollback = 5\n", "terminal.scrollback", None, "", ""),
            ("[terminal]\n", "terminal.scrollback", None, "", "[terminal]\n"),
            (
                "[agents.a1.terminal]\nscrollback = 5",
                "terminal.scrollback",
                a1,
                "",
                "[agents.a1.terminal]\n",
            ),
            // Line breaks as they are.
            (
                "[terminal]\r\nscrollback = 5\r\n",
                "terminal.scrollback",
                None,
                "7",
                "[terminal]\r\nscrollback = 7\r\n",
            ),
        ] {
            assert_eq!(after(text, key, agent, value), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_only_its_author_can_change_is_left_alone() {
        for (text, key, agent, value, said) in [
            (
                "terminal = { scrollback = 5, wheel_rows = 2 }\n",
                "terminal.scrollback",
                None,
                "",
                "only its author",
            ),
            (
                "terminal = { wheel_rows = 2 }\n",
                "terminal.scrollback",
                None,
                "7",
                "only its author",
            ),
            ("[terminal\n", "terminal.scrollback", None, "7", ""),
            ("", "terminal.wheel_rows", Some(AgentId(1)), "7", "not for one"),
            // A header inside a text is none.
            (
                "[links]\neditor = '''\n[terminal]\n{file}'''\n",
                "terminal.scrollback",
                None,
                "7",
                "only its author",
            ),
        ] {
            let why = after(text, key, agent, value).expect_err(text);
            assert!(why.contains(said), "{text}: {why}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_begins_as_the_template() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        let scrollback = setting("terminal.scrollback");
        assert_eq!(set(&path, scrollback, None, None), Ok(None));
        assert!(!path.exists(), "nothing to take out");
        assert_eq!(set(&path, scrollback, None, Some(&Value::Number(7.0))), Ok(None));
        let text = fs::read_to_string(&path).expect("made");
        assert!(text.contains("# scrollback = 10000\nscrollback = 7\n"), "{text}");
        let before = set(&path, scrollback, Some(AgentId(3)), Some(&Value::Number(9.0)));
        assert_eq!(before, Ok(None));
        let content = read(&path).expect("right");
        assert_eq!(content.values.get(scrollback, Some(AgentId(3))), Some(Value::Number(9.0)));
        assert_eq!(set(&path, scrollback, None, None), Ok(Some(Value::Number(7.0))));
        assert_eq!(set(&path, scrollback, Some(AgentId(3)), None), Ok(Some(Value::Number(9.0))));
        assert_eq!(read(&path).expect("right").values, {
            let mut values = Values::default();
            values.replace(scrollback, Some(AgentId(3)), None);
            values
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_rights_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (real, path) = (folder.path().join("dotfiles.toml"), folder.path().join(FILE));
        fs::write(&real, "[terminal]\n").expect("written");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).expect("set");
        std::os::unix::fs::symlink(&real, &path).expect("a link");
        let _ = set(&path, setting("terminal.scrollback"), None, Some(&Value::Number(7.0)))
            .expect("set");
        assert!(fs::symlink_metadata(&path).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("there"), "[terminal]\nscrollback = 7\n");
        assert_eq!(fs::metadata(&real).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
