//! `settings.toml` in the home folder: what a person sets by hand.
//!
//! A file that cannot be read right changes nothing: what held before holds on, and the problem names
//! the line. See [`TEMPLATE`] for what can be set.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use maestro_protocol::home::Home;
use serde::Deserialize;
use toml::Spanned;

/// The file's name.
const FILE: &str = "settings.toml";

/// A larger file is not ours.
const LARGEST: u64 = 256 * 1024;

/// What a new file says: every setting with its default, as comments.
pub const TEMPLATE: &str = "\
# Settings of Maestro. What is saved here holds at once; a mistake is told with its line, and what held
# before holds on. `maestro settings check` looks at it from a terminal.

[terminal]
# Selecting text copies it to the clipboard, too. (The primary selection always has it.)
# copy_on_select = false

# The least contrast between text and what is behind it: 1 leaves colours as programs chose them, 4.5 can
# be read by nearly everybody, 21 is black on white.
# minimum_contrast = 1.0

# When a paste with line breaks is shown before it is typed: \"shell\" for shells and for programs that
# cannot tell a paste from typing, \"always\", or \"never\".
# confirm_paste = \"shell\"

# Rows of history that a new terminal keeps.
# scrollback = 10000

# Rows that a notch of the mouse wheel scrolls.
# wheel_rows = 3

# On a Mac: Option is Alt for programs, and types no signs of its own.
# option_is_alt = false

[composer]
# Whether Enter sends, and Shift+Enter begins a new line. Otherwise Enter begins a new line; Ctrl+Enter
# (on a Mac, Command+Enter) always sends.
# enter_sends = true

[queue]
# Whether what waits is sent by itself after the host was started anew. Otherwise it waits until you let
# it go on.
# send_after_restart = false

# Whether agents that reached a limit go on by themselves when it is over.
# resume_after_limit = true

[links]
# The program that files are opened with; without it, the desktop's. {file}, {line} and {column} are
# put in as single words, no shell is asked.
# editor = \"code --goto {file}:{line}:{column}\"
";

/// What is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whether selecting text copies it to the clipboard, beside the primary selection.
    pub copy_on_select: bool,
    /// The least contrast of text in terminals, 1 to 21; 1 changes nothing.
    pub minimum_contrast: f32,
    /// When a paste with line breaks is shown first.
    pub confirm_paste: ConfirmPaste,
    /// Rows of history that a new terminal keeps; the host's own number when absent.
    pub scrollback: Option<u32>,
    /// Rows that a notch of the mouse wheel scrolls.
    pub wheel_rows: f32,
    /// Whether a Mac's Option key is Alt.
    pub option_is_alt: bool,
    /// Whether Enter sends what is written to an agent.
    pub enter_sends: bool,
    /// Whether what waits is sent by itself after the host was started anew.
    pub send_after_restart: bool,
    /// Whether agents go on by themselves when a limit is over.
    pub resume_after_limit: bool,
    /// The command that opens a file, as words with placeholders; the desktop's own when absent.
    pub editor: Option<Vec<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            copy_on_select: false,
            minimum_contrast: 1.0,
            confirm_paste: ConfirmPaste::Shell,
            scrollback: None,
            wheel_rows: 3.0,
            option_is_alt: false,
            enter_sends: true,
            send_after_restart: false,
            resume_after_limit: true,
            editor: None,
        }
    }
}

/// When a paste with line breaks is shown before it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfirmPaste {
    /// Where every line break would run a command at once.
    #[default]
    Shell,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, where it is about one.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
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

/// The file of a home folder.
#[must_use]
pub fn path(home: &Home) -> PathBuf {
    home.root().join(FILE)
}

/// Reads the file; one that is not there sets nothing.
pub fn read(path: &Path) -> Result<Settings, Problem> {
    let problem = |why: String| Problem { path: path.to_owned(), line: None, why };
    match std::fs::metadata(path) {
        Ok(about) if about.len() > LARGEST => {
            return Err(problem(format!("it has more than {} KiB", LARGEST / 1024)));
        }
        Ok(about) if about.is_file() => {}
        // A pipe would be waited for, a device might never end.
        Ok(_) => return Err(problem("it is no file".to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Settings::default());
        }
        Err(error) => return Err(problem(format!("it cannot be read: {error}"))),
    }
    let bytes =
        std::fs::read(path).map_err(|error| problem(format!("it cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = Some(good.split(|byte| *byte == b'\n').count());
        Problem { line, ..problem("it is no text in UTF-8".to_owned()) }
    })?;
    parse(&text).map_err(|(line, why)| Problem { line, ..problem(why) })
}

/// Makes the file where there is none.
pub fn create(path: &Path) -> std::io::Result<()> {
    match std::fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => std::io::Write::write_all(&mut file, TEMPLATE.as_bytes()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// What tells one state of the file from another.
#[must_use]
pub fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    terminal: Terminal,
    composer: Composer,
    queue: Queue,
    links: Links,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Terminal {
    copy_on_select: Option<bool>,
    minimum_contrast: Option<Spanned<f64>>,
    wheel_rows: Option<Spanned<f64>>,
    option_is_alt: Option<bool>,
    confirm_paste: Option<ConfirmPaste>,
    scrollback: Option<Spanned<i64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Composer {
    enter_sends: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Queue {
    send_after_restart: Option<bool>,
    resume_after_limit: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Links {
    editor: Option<Spanned<String>>,
}

/// The most rows of history that can be asked for.
const MOST_SCROLLBACK: i64 = 10_000_000;

fn parse(text: &str) -> Result<Settings, (Option<usize>, String)> {
    let line = |at: usize| text.as_bytes()[..at.min(text.len())].split(|b| *b == b'\n').count();
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map(|span| line(span.start));
        (at, error.message().trim().replace('\n', "; "))
    })?;
    let wrong = |at: usize, why: &str| (Some(line(at)), why.to_owned());
    let defaults = Settings::default();
    let minimum_contrast = match file.terminal.minimum_contrast {
        None => defaults.minimum_contrast,
        Some(value) if (1.0..=21.0).contains(value.get_ref()) => value.into_inner() as f32,
        Some(value) => {
            return Err(wrong(value.span().start, "minimum_contrast is a number from 1 to 21"));
        }
    };
    let scrollback = match file.terminal.scrollback {
        None => None,
        Some(value) if (0..=MOST_SCROLLBACK).contains(value.get_ref()) => {
            u32::try_from(value.into_inner()).ok()
        }
        Some(value) => {
            let why = "scrollback is a number of rows, from 0 to 10000000";
            return Err(wrong(value.span().start, why));
        }
    };
    let wheel_rows = match file.terminal.wheel_rows {
        None => defaults.wheel_rows,
        Some(value) if (0.1..=100.0).contains(value.get_ref()) => value.into_inner() as f32,
        Some(value) => {
            return Err(wrong(
                value.span().start,
                "wheel_rows is a number of rows, from 0.1 to 100",
            ));
        }
    };
    let editor = match file.links.editor {
        None => None,
        Some(command) => {
            let at = command.span().start;
            let command = words(command.get_ref()).ok_or_else(|| {
                wrong(at, "editor names no program: write a command such as \"code {file}\"")
            })?;
            let takes_file = command.iter().any(|word| word.contains("{file}"));
            if !takes_file {
                return Err(wrong(at, "editor has no {file}: it would not know what to open"));
            }
            Some(command)
        }
    };
    Ok(Settings {
        copy_on_select: file.terminal.copy_on_select.unwrap_or(defaults.copy_on_select),
        minimum_contrast,
        wheel_rows,
        option_is_alt: file.terminal.option_is_alt.unwrap_or(defaults.option_is_alt),
        confirm_paste: file.terminal.confirm_paste.unwrap_or_default(),
        scrollback,
        enter_sends: file.composer.enter_sends.unwrap_or(defaults.enter_sends),
        send_after_restart: file.queue.send_after_restart.unwrap_or(defaults.send_after_restart),
        resume_after_limit: file.queue.resume_after_limit.unwrap_or(defaults.resume_after_limit),
        editor,
    })
}

/// A command as words: blanks separate, quotation marks hold together. `None` without a first word or
/// with a mark that is never closed.
fn words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut mark = None;
    for c in command.chars() {
        match (c, mark) {
            ('"' | '\'', None) => {
                mark = Some(c);
                let _ = word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => mark = None,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    (mark.is_none() && words.first().is_some_and(|first| !first.is_empty())).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(parse(""), Ok(Settings::default()));
        assert_eq!(parse(TEMPLATE), Ok(Settings::default()));
    }

    #[test]
    fn the_template_names_every_setting_with_a_value_that_is_allowed() {
        let set: String = TEMPLATE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let settings = parse(&set).expect("the template with its comments taken away");
        assert!(settings.editor.is_some() && settings.scrollback.is_some());
        for name in
            ["copy_on_select", "minimum_contrast", "confirm_paste", "wheel_rows", "option_is_alt"]
        {
            assert!(set.contains(&format!("\n{name} = ")), "{name}");
        }
    }

    #[test]
    fn settings_are_read() {
        let text = "[terminal]\ncopy_on_select = true\nminimum_contrast = 4.5\nwheel_rows = 5\noption_is_alt = true\n\
                    confirm_paste = \"never\"\nscrollback = 5000\n[composer]\nenter_sends = false\n\
                    [queue]\nsend_after_restart = true\nresume_after_limit = false\n[links]\neditor = \"vi '+{line}' {file}\"";
        let expected = Settings {
            copy_on_select: true,
            minimum_contrast: 4.5,
            wheel_rows: 5.0,
            option_is_alt: true,
            confirm_paste: ConfirmPaste::Never,
            scrollback: Some(5000),
            enter_sends: false,
            send_after_restart: true,
            resume_after_limit: false,
            editor: Some(["vi", "+{line}", "{file}"].map(str::to_owned).to_vec()),
        };
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, line, said) in [
            ("[terminal]\nminimum_contrast = 30.0", 2, "from 1 to 21"),
            ("\n[terminal]\nscrollback = -1", 3, "from 0"),
            ("[terminal]\noption_is_alt = 1", 2, "boolean"),
            ("[terminal]\nconfirm_paste = \"maybe\"", 2, "shell"),
            ("[terminal]\nminimum_contarst = 3", 2, "minimum_contarst"),
            ("[links]\neditor = \"\"", 2, "no program"),
            ("[links]\neditor = \"code\"", 2, "{file}"),
            ("[terminal]\nwheel_rows = 0", 2, "wheel_rows"),
            ("[terminal]\noption_is_alt = \n", 2, ""),
        ] {
            let (at, why) = parse(text).expect_err(text);
            assert_eq!(at, Some(line), "{text}: {why}");
            assert!(why.contains(said), "{text}: {why}");
        }
    }

    #[test]
    fn what_is_no_file_of_text_is_a_problem() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, b"[terminal]\n# \xff\n").expect("written");
        let problem = read(&path).expect_err("no text");
        assert_eq!((problem.line, problem.why.contains("UTF-8")), (Some(2), true), "{problem}");
        assert!(read(folder.path()).is_err(), "a folder");
        assert!(!cfg!(unix) || read(Path::new("/dev/zero")).is_err(), "a device without an end");
    }

    #[test]
    fn a_command_is_taken_apart_without_a_shell() {
        for (command, expected) in [
            ("code {file}", Some(vec!["code", "{file}"])),
            ("  'my editor'  \"a b\"c ", Some(vec!["my editor", "a bc"])),
            ("x ''", Some(vec!["x", ""])),
            ("'open", None),
            ("  ", None),
            ("'' x", None),
        ] {
            let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(words(command), expected, "{command}");
        }
    }
}
