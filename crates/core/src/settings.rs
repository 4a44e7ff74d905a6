//! What can be set, once, as data: [`ALL`] gives the settings page its rows, `maestro settings` its keys,
//! a new `settings.toml` its comments and `docs/settings.md` its tables.
//!
//! A setting has a key of two words, `section.name`, as it stands in the file. What is set for one agent
//! goes before what is set for all; what is not set has its default.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::AgentId;
use crate::keymap::Chord;
use crate::notice::{Hours, Loud, Rules};

mod table;
mod text;

pub use table::ALL;
pub use text::{docs, template};

/// The longest text that a setting holds, in bytes.
pub const MAX_TEXT: usize = 4096;

/// One thing that can be set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// `section.name`.
    pub key: &'static str,
    /// What the settings page calls it.
    pub title: &'static str,
    /// What it does, in sentences.
    pub about: &'static str,
    /// What it can be.
    pub kind: Kind,
    /// What holds where nothing is set.
    pub default: Preset,
    /// Whether an agent can have its own.
    pub per_agent: bool,
    /// Something it could be set to, as the file has it.
    pub example: &'static str,
}

/// What a setting can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// On or off.
    Switch,
    /// A number.
    Number {
        /// The least it can be.
        least: f64,
        /// The most.
        most: f64,
        /// Whether it has no fraction.
        whole: bool,
        /// What it counts, in the plural; empty for a mere number.
        unit: &'static str,
        /// By how much a key of the settings page changes it.
        step: f64,
    },
    /// One of some words, each with what it means.
    Choice(&'static [(&'static str, &'static str)]),
    /// A command: words with blanks between them, quotation marks hold together; no shell reads it.
    Command {
        /// What has to be in it; may be empty.
        holds: &'static str,
    },
    /// Hours of the day.
    Hours,
    /// A folder, from the agent's directory where it is not absolute.
    Folder,
    /// A chord that is heard wherever the keyboard is.
    Chord,
    /// What something is called.
    Name {
        /// Whose name it is.
        what: &'static str,
    },
}

/// What holds where nothing is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// On or off.
    Switch(bool),
    /// A number.
    Number(f64),
    /// A word or a text.
    Text(&'static str),
    /// No value of this kind, but what is said here.
    Nothing(&'static str),
}

/// What something is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A number; never NaN or without an end.
    Number(f64),
    /// A word or a text.
    Text(String),
}

impl Serialize for Value {
    /// Whole numbers without a fraction, as they were written.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Switch(on) => serializer.serialize_bool(*on),
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                serializer.serialize_i64(*number as i64)
            }
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(true) => f.write_str("on"),
            Self::Switch(false) => f.write_str("off"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Preset {
    /// As a value, where it is one.
    #[must_use]
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Switch(on) => Some(Value::Switch(on)),
            Self::Number(number) => Some(Value::Number(number)),
            Self::Text(text) => Some(Value::Text(text.to_owned())),
            Self::Nothing(_) => None,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.value()) {
            (Self::Nothing(what), _) => f.write_str(what),
            (_, Some(value)) => value.fmt(f),
            (_, None) => Ok(()),
        }
    }
}

/// The setting with this key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Setting> {
    ALL.iter().find(|setting| setting.key == key)
}

/// The key that somebody who wrote this one may have meant.
#[must_use]
pub fn nearest(key: &str) -> Option<&'static str> {
    let key = key.to_lowercase();
    let name = key.rsplit('.').next().unwrap_or(&key);
    let far = |setting: &Setting| {
        let whole = distance(&key, setting.key);
        whole.min(distance(name, setting.name()))
    };
    let (far, setting) = ALL.iter().map(|setting| (far(setting), setting)).min_by_key(|it| it.0)?;
    (far <= 1 + setting.name().len() / 5).then_some(setting.key)
}

/// How many letters have to be put in, taken out or replaced to come from one word to the other. Of long
/// words only the beginning counts.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row[b.len()]
}

impl Setting {
    /// The first half of its key.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(section, _)| section)
    }

    /// The second half of its key.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(_, name)| name)
    }

    /// Whether it can be set to this; otherwise what it can be set to, in a sentence without its full stop.
    ///
    /// # Errors
    ///
    /// With that sentence.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let is = match (self.kind, value) {
            (Kind::Switch, Value::Switch(_)) => true,
            (Kind::Number { least, most, whole, .. }, Value::Number(number)) => {
                (least..=most).contains(number) && (!whole || number.fract() == 0.0)
            }
            (Kind::Choice(words), Value::Text(text)) => words.iter().any(|(word, _)| word == text),
            (Kind::Command { holds }, Value::Text(text)) => {
                let Some(command) = words(text).filter(|_| text.len() <= MAX_TEXT) else {
                    let key = self.name();
                    return Err(format!(
                        "{key} names no program: write a command such as {}",
                        self.example
                    ));
                };
                if !command.iter().any(|word| word.contains(holds)) {
                    return Err(format!("{} has no {holds} in it", self.name()));
                }
                true
            }
            (Kind::Hours, Value::Text(text)) => text.parse::<Hours>().is_ok(),
            (Kind::Chord, Value::Text(text)) => {
                text.parse::<Chord>().is_ok_and(Chord::is_for_everywhere)
            }
            (Kind::Folder | Kind::Name { .. }, Value::Text(text)) => {
                !text.trim().is_empty()
                    && text.len() <= MAX_TEXT
                    && !text.contains(|c: char| c.is_control())
            }
            _ => false,
        };
        if is { Ok(()) } else { Err(format!("{} is {}", self.name(), self.allowed())) }
    }

    /// Whether all of these words are in its key, its title or its description.
    #[must_use]
    pub fn is_about(&self, words: &[impl AsRef<str>]) -> bool {
        let text = format!("{} {} {}", self.key, self.title, self.about).to_lowercase();
        words.iter().all(|word| text.contains(&word.as_ref().to_lowercase()))
    }

    /// What it can be set to: "on or off", "a number of rows, from 0 to 100".
    #[must_use]
    pub fn allowed(&self) -> Cow<'static, str> {
        match self.kind {
            Kind::Switch => "on or off".into(),
            Kind::Number { least, most, whole, unit, .. } => {
                let what = if whole { "a whole number" } else { "a number" };
                let of = if unit.is_empty() { String::new() } else { format!(" of {unit}") };
                format!("{what}{of}, from {least} to {most}").into()
            }
            Kind::Choice(words) => {
                let words: Vec<String> =
                    words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                match words.split_last() {
                    Some((last, rest)) if !rest.is_empty() => {
                        format!("{} or {last}", rest.join(", ")).into()
                    }
                    _ => words.join("").into(),
                }
            }
            Kind::Command { holds: "" } => "a command".into(),
            Kind::Command { holds } => format!("a command with {holds} in it").into(),
            Kind::Hours => "hours of the day such as 22:00-07:00".into(),
            Kind::Chord => "a chord with Ctrl, Alt or Cmd in it, or a function key".into(),
            Kind::Folder => "a folder".into(),
            Kind::Name { what } => what.into(),
        }
    }

    /// What a person wrote for it on a command line or in a field.
    ///
    /// # Errors
    ///
    /// With what would be right, as [`Self::check`].
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let wrong =
            || Err(format!("{} is {}, not \"{}\"", self.name(), self.allowed(), short(text)));
        let value = match self.kind {
            Kind::Switch => match text.to_lowercase().as_str() {
                "on" | "true" | "yes" | "1" => Value::Switch(true),
                "off" | "false" | "no" | "0" => Value::Switch(false),
                _ => return wrong(),
            },
            Kind::Number { .. } => match text.replace('_', "").parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Number(number),
                _ => return wrong(),
            },
            Kind::Choice(_) => Value::Text(text.to_lowercase()),
            Kind::Command { .. } | Kind::Folder | Kind::Name { .. } | Kind::Hours | Kind::Chord => {
                Value::Text(text.to_owned())
            }
        };
        self.check(&value).map(|()| value)
    }
}

/// The beginning of what somebody wrote.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// All that is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    all: BTreeMap<&'static str, Value>,
    agents: BTreeMap<AgentId, BTreeMap<&'static str, Value>>,
}

impl Values {
    /// Sets something, for one agent or for all. Nothing is checked.
    pub fn set(&mut self, setting: &'static Setting, agent: Option<AgentId>, value: Value) {
        let own = match agent {
            Some(agent) => self.agents.entry(agent).or_default(),
            None => &mut self.all,
        };
        let _ = own.insert(setting.key, value);
    }

    /// The same, or takes it out. An agent without anything of its own is not remembered.
    pub fn replace(
        &mut self,
        setting: &'static Setting,
        agent: Option<AgentId>,
        value: Option<Value>,
    ) {
        match (value, agent) {
            (Some(value), _) => self.set(setting, agent, value),
            (None, None) => drop(self.all.remove(setting.key)),
            (None, Some(agent)) => {
                if let Some(own) = self.agents.get_mut(&agent) {
                    let _ = own.remove(setting.key);
                    if own.is_empty() {
                        let _ = self.agents.remove(&agent);
                    }
                }
            }
        }
    }

    /// What is set for exactly this agent, or for exactly all.
    #[must_use]
    pub fn own(&self, key: &str, agent: Option<AgentId>) -> Option<&Value> {
        match agent {
            Some(agent) => self.agents.get(&agent)?.get(key),
            None => self.all.get(key),
        }
    }

    /// What holds for an agent, or in general: its own, else that of all, else the default.
    #[must_use]
    pub fn get(&self, setting: &Setting, agent: Option<AgentId>) -> Option<Value> {
        let own = agent.and_then(|agent| self.own(setting.key, Some(agent)));
        own.or_else(|| self.own(setting.key, None)).cloned().or_else(|| setting.default.value())
    }

    /// The agents that have something of their own, in order.
    pub fn agents(&self) -> impl Iterator<Item = AgentId> + '_ {
        self.agents.iter().filter(|(_, own)| !own.is_empty()).map(|(agent, _)| *agent)
    }
}

/// What is set, as the program uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `appearance.theme`, where it is set.
    pub theme: Option<String>,
    /// `appearance.dark`.
    pub dark_theme: String,
    /// `appearance.light`.
    pub light_theme: String,
    /// How large the window draws everything; 1 as the desktop asks.
    pub scale: f32,
    /// Whether anything in the window moves by itself.
    pub motion: bool,
    /// `keyboard.teach`.
    pub teach: bool,
    /// `summon.hotkey`.
    pub hotkey: Option<Chord>,
    /// `summon.prompt`.
    pub prompt_hotkey: Option<Chord>,
    /// Whether it leads to the agent that waits longest.
    pub summons_waiting: bool,
    /// Whether selecting text copies it to the clipboard, beside the primary selection.
    pub copy_on_select: bool,
    /// The least contrast of text in terminals, 1 to 21; 1 changes nothing.
    pub minimum_contrast: f32,
    /// When a paste with line breaks is shown first.
    pub confirm_paste: ConfirmPaste,
    /// Rows of history that a new terminal keeps.
    pub scrollback: u32,
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
    /// How many sessions of one provider runs may have at work at once.
    pub sessions: usize,
    /// How long runs that are over are kept: days.
    pub history_days: u64,
    /// The folder of an agent's playbooks; where it is looked for by itself when absent.
    pub playbooks: Option<String>,
    /// The folder of new worktrees, from the repository's main checkout; beside the repository when absent.
    pub worktrees: Option<String>,
    /// The command that opens a file, as words with placeholders; the desktop's own when absent.
    pub editor: Option<Vec<String>>,
    /// What is told of agents and runs, and how.
    pub notices: Rules,
}

impl Default for Settings {
    fn default() -> Self {
        Self::of(&Values::default(), None)
    }
}

impl Settings {
    /// What holds for an agent, or in general.
    #[must_use]
    pub fn of(values: &Values, agent: Option<AgentId>) -> Self {
        let get = |setting: &Setting| values.get(setting, agent);
        let on = |setting| get(setting) == Some(Value::Switch(true));
        let number = |setting| match get(setting) {
            Some(Value::Number(number)) => number,
            _ => 0.0,
        };
        let text = |setting| match get(setting) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        Self {
            theme: text(&table::THEME),
            dark_theme: text(&table::DARK_THEME).unwrap_or_default(),
            light_theme: text(&table::LIGHT_THEME).unwrap_or_default(),
            scale: number(&table::SCALE) as f32,
            motion: on(&table::MOTION),
            teach: on(&table::TEACH),
            hotkey: text(&table::HOTKEY).and_then(|chord| chord.parse().ok()),
            prompt_hotkey: text(&table::PROMPT_HOTKEY).and_then(|chord| chord.parse().ok()),
            summons_waiting: text(&table::SUMMON_TO).as_deref() == Some("waiting"),
            copy_on_select: on(&table::COPY_ON_SELECT),
            minimum_contrast: number(&table::MINIMUM_CONTRAST) as f32,
            confirm_paste: match text(&table::CONFIRM_PASTE).as_deref() {
                Some("always") => ConfirmPaste::Always,
                Some("never") => ConfirmPaste::Never,
                _ => ConfirmPaste::Shell,
            },
            scrollback: number(&table::SCROLLBACK) as u32,
            wheel_rows: number(&table::WHEEL_ROWS) as f32,
            option_is_alt: on(&table::OPTION_IS_ALT),
            enter_sends: on(&table::ENTER_SENDS),
            send_after_restart: on(&table::SEND_AFTER_RESTART),
            resume_after_limit: on(&table::RESUME_AFTER_LIMIT),
            sessions: number(&table::SESSIONS) as usize,
            history_days: number(&table::HISTORY_DAYS) as u64,
            playbooks: text(&table::PLAYBOOKS),
            worktrees: text(&table::WORKTREES),
            editor: text(&table::EDITOR).and_then(|command| words(&command)),
            notices: Rules {
                toasts: loud(text(&table::TOASTS)),
                desktop: loud(text(&table::DESKTOP)),
                sound: loud(text(&table::SOUND)),
                command: text(&table::NOTICE_COMMAND).and_then(|command| words(&command)),
                quiet: text(&table::QUIET).and_then(|hours| hours.parse().ok()),
            },
        }
    }
}

fn loud(word: Option<String>) -> Loud {
    match word.as_deref() {
        Some("never") => Loud::Never,
        Some("urgent") => Loud::Urgent,
        _ => Loud::All,
    }
}

/// When a paste with line breaks is shown before it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfirmPaste {
    /// Where every line break would run a command at once.
    #[default]
    Shell,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// A command as words: blanks separate, quotation marks hold together. `None` without a first word or
/// with a mark that is never closed.
#[must_use]
pub fn words(command: &str) -> Option<Vec<String>> {
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
    fn every_setting_is_described_once_and_its_default_is_allowed() {
        let mut keys: Vec<&str> = ALL.iter().map(|setting| setting.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), ALL.len(), "no key twice");
        for setting in ALL {
            assert_eq!(setting.key, format!("{}.{}", setting.section(), setting.name()));
            assert!(setting.about.ends_with('.') && !setting.title.ends_with('.'), "{setting:?}");
            if let Some(value) = setting.default.value() {
                assert_eq!(setting.check(&value), Ok(()), "{setting:?}");
                assert_eq!(setting.parse(&value.to_string()), Ok(value), "{setting:?}");
            }
        }
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = Settings::default();
        assert_eq!(settings.scrollback, 10_000);
        assert_eq!((settings.sessions, settings.history_days), (4, 90));
        assert!(settings.enter_sends && settings.resume_after_limit);
        assert!(!settings.copy_on_select && !settings.send_after_restart);
        assert_eq!((settings.editor, settings.playbooks, settings.worktrees), (None, None, None));
    }

    #[test]
    fn what_an_agent_has_of_its_own_goes_first() {
        let rows = |rows: f64| Value::Number(rows);
        let mut values = Values::default();
        let (one, two) = (AgentId(1), AgentId(2));
        values.set(&table::SCROLLBACK, None, rows(5.0));
        values.set(&table::SCROLLBACK, Some(one), rows(7.0));
        values.set(&table::ENTER_SENDS, Some(two), Value::Switch(false));
        let of = |agent| Settings::of(&values, agent);
        assert_eq!(of(None).scrollback, 5);
        assert_eq!(of(Some(one)).scrollback, 7);
        assert_eq!(of(Some(two)).scrollback, 5);
        assert_eq!((of(Some(one)).enter_sends, of(Some(two)).enter_sends), (true, false));
        assert_eq!(values.own("terminal.scrollback", Some(two)), None);
        assert_eq!(values.agents().collect::<Vec<_>>(), [one, two]);
    }

    #[test]
    fn what_is_written_is_read_or_refused_with_what_would_be_right() {
        for (key, text, expected) in [
            ("terminal.copy_on_select", "ON", Ok(Value::Switch(true))),
            ("terminal.copy_on_select", "no", Ok(Value::Switch(false))),
            ("terminal.copy_on_select", "maybe", Err("copy_on_select is on or off, not \"maybe\"")),
            ("terminal.scrollback", " 5_000 ", Ok(Value::Number(5000.0))),
            (
                "terminal.scrollback",
                "1.5",
                Err("scrollback is a whole number of rows, from 0 to 10000000"),
            ),
            (
                "terminal.scrollback",
                "-1",
                Err("scrollback is a whole number of rows, from 0 to 10000000"),
            ),
            (
                "terminal.scrollback",
                "inf",
                Err("scrollback is a whole number of rows, from 0 to 10000000, not \"inf\""),
            ),
            ("terminal.minimum_contrast", "4.5", Ok(Value::Number(4.5))),
            ("terminal.minimum_contrast", "30", Err("minimum_contrast is a number, from 1 to 21")),
            ("terminal.confirm_paste", "Always", Ok(Value::Text("always".into()))),
            (
                "terminal.confirm_paste",
                "sometimes",
                Err("confirm_paste is \"shell\", \"always\" or \"never\""),
            ),
            ("links.editor", "vi {file}", Ok(Value::Text("vi {file}".into()))),
            ("links.editor", "vi", Err("editor has no {file} in it")),
            (
                "links.editor",
                "",
                Err("editor names no program: write a command such as \
                     \"code --goto {file}:{line}:{column}\""),
            ),
            ("autorun.playbooks", "Auto Run Docs", Ok(Value::Text("Auto Run Docs".into()))),
            ("autorun.playbooks", " ", Err("playbooks is a folder")),
            ("notices.quiet", "22:00-7:00", Ok(Value::Text("22:00-7:00".into()))),
            ("notices.quiet", "at night", Err("quiet is hours of the day such as 22:00-07:00")),
            ("notices.command", "tell-me", Ok(Value::Text("tell-me".into()))),
            (
                "notices.command",
                "'tell",
                Err(
                    "command names no program: write a command such as \"push-to-phone --title Maestro\"",
                ),
            ),
        ] {
            let setting = find(key).expect(key);
            assert_eq!(setting.parse(text), expected.map_err(str::to_owned), "{key} {text}");
        }
    }

    #[test]
    fn a_key_with_a_slip_is_recognised() {
        for (key, meant) in [
            ("terminal.minimum_contarst", Some("terminal.minimum_contrast")),
            ("scrollback", Some("terminal.scrollback")),
            ("Terminal.Scrollback", Some("terminal.scrollback")),
            ("links.edtor", Some("links.editor")),
            ("something.else", None),
            ("", None),
        ] {
            assert_eq!(nearest(key), meant, "{key}");
        }
        let _ = nearest(&"x".repeat(1_000_000));
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
