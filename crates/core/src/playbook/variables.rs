//! Template variables: names in double braces that are filled in in what a session is told, never in a
//! file and never in a command.
//!
//! Names are read without regard to case; a name that is none stays as it was written. What is filled in
//! is not looked at again, so that nothing in a value is taken for a name.

use std::path::{Path, PathBuf};

use crate::agent::Provider;
use crate::id::{AgentId, RunId};
use crate::text::beginning_of;

/// Every name with what it stands for, in the order in which they are told to people.
pub const NAMES: [(&str, &str); 31] = [
    ("agent_name", "the agent's name"),
    ("agent_id", "its number"),
    ("agent_path", "the directory it works in"),
    ("tool_type", "its provider, for example claude"),
    ("provider", "the same"),
    ("model", "the model that was asked for"),
    ("project_name", "the name of the directory"),
    ("project_path", "the directory"),
    ("cwd", "the directory"),
    ("run_id", "the run"),
    ("autorun_folder", "the folder of the document"),
    ("document_name", "the document without .md"),
    ("document_path", "the document's path"),
    ("loop_number", "the pass, from 00001"),
    ("pass", "the pass, from 1"),
    ("git_branch", "the branch that is checked out"),
    ("is_git_repo", "true or false"),
    ("date", "2026-03-09, in the user's time zone"),
    ("time", "14:05:09"),
    ("datetime", "2026-03-09 14:05:09"),
    ("timestamp", "milliseconds since 1970"),
    ("date_short", "03/09/26"),
    ("time_short", "14:05"),
    ("year", "2026"),
    ("month", "03"),
    ("day", "09"),
    ("weekday", "Monday"),
    ("date_utc", "2026-03-09, in UTC"),
    ("time_utc", "14:05:09, in UTC"),
    ("datetime_utc", "2026-03-09T14:05:09Z"),
    ("maestro_cli_path", "this program"),
];

/// A time on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 1 is Monday, 7 Sunday.
    pub weekday: u8,
}

impl Moment {
    /// The beginning of Unix time, a Thursday.
    pub const EPOCH: Self =
        Self { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, weekday: 4 };

    fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    fn time(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }

    fn weekday(&self) -> &'static str {
        match self.weekday {
            1 => "Monday",
            2 => "Tuesday",
            3 => "Wednesday",
            4 => "Thursday",
            5 => "Friday",
            6 => "Saturday",
            _ => "Sunday",
        }
    }
}

/// What the names stand for at one moment of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// The agent the run belongs to.
    pub agent: Option<AgentId>,
    /// Its name; empty for a run without one.
    pub agent_name: String,
    /// The program that does the tasks.
    pub provider: Provider,
    /// The model that was asked for; empty for the provider's own.
    pub model: String,
    /// The directory that is worked in.
    pub directory: PathBuf,
    /// The run, once it has a number.
    pub run: Option<RunId>,
    /// The document; empty where there is none.
    pub document: PathBuf,
    /// Which pass through the documents, from 1.
    pub pass: u32,
    /// The branch that is checked out in the directory; empty for none.
    pub branch: String,
    /// Whether the directory is in a repository.
    pub is_repository: bool,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The same in the user's time zone.
    pub local: Moment,
    /// The same in UTC.
    pub utc: Moment,
    /// This program.
    pub program: PathBuf,
}

impl Default for Variables {
    fn default() -> Self {
        Self {
            agent: None,
            agent_name: String::new(),
            provider: Provider::Demo,
            model: String::new(),
            directory: PathBuf::new(),
            run: None,
            document: PathBuf::new(),
            pass: 1,
            branch: String::new(),
            is_repository: false,
            now_ms: 0,
            local: Moment::EPOCH,
            utc: Moment::EPOCH,
            program: PathBuf::from("maestro"),
        }
    }
}

impl Variables {
    /// The same for a document in a pass.
    #[must_use]
    pub fn for_document(&self, document: &Path, pass: u32) -> Self {
        Self { document: document.to_owned(), pass, ..self.clone() }
    }

    /// What a name stands for; `None` for a word that is no name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let path = |path: &Path| path.display().to_string();
        let last = |name: Option<&std::ffi::OsStr>| {
            name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        Some(match name.to_ascii_lowercase().as_str() {
            "agent_name" => self.agent_name.clone(),
            "agent_id" => self.agent.map(|id| id.to_string()).unwrap_or_default(),
            "tool_type" | "provider" => self.provider.to_string(),
            "model" => self.model.clone(),
            "project_name" => last(self.directory.file_name()),
            "agent_path" | "project_path" | "cwd" => path(&self.directory),
            "run_id" => self.run.map(|id| id.to_string()).unwrap_or_default(),
            "autorun_folder" => self.document.parent().map(path).unwrap_or_default(),
            "document_name" => last(self.document.file_stem()),
            "document_path" => path(&self.document),
            "loop_number" => format!("{:05}", self.pass),
            "pass" => self.pass.to_string(),
            "git_branch" => self.branch.clone(),
            "is_git_repo" => self.is_repository.to_string(),
            "date" => self.local.date(),
            "time" => self.local.time(),
            "datetime" => format!("{} {}", self.local.date(), self.local.time()),
            "timestamp" => self.now_ms.to_string(),
            "date_short" => format!(
                "{:02}/{:02}/{:02}",
                self.local.month,
                self.local.day,
                self.local.year.rem_euclid(100)
            ),
            "time_short" => format!("{:02}:{:02}", self.local.hour, self.local.minute),
            "year" => format!("{:04}", self.local.year),
            "month" => format!("{:02}", self.local.month),
            "day" => format!("{:02}", self.local.day),
            "weekday" => self.local.weekday().to_owned(),
            "date_utc" => self.utc.date(),
            "time_utc" => self.utc.time(),
            "datetime_utc" => format!("{}T{}Z", self.utc.date(), self.utc.time()),
            "maestro_cli_path" => path(&self.program),
            _ => return None,
        })
    }

    /// Every name with what it stands for.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        NAMES.iter().filter_map(|(name, _)| Some(((*name).to_owned(), self.get(name)?))).collect()
    }

    /// A text with its names filled in, in one pass.
    #[must_use]
    pub fn expand(&self, text: &str) -> String {
        self.filled(text, |value| value)
    }

    /// The name of a branch with its names filled in. What no branch may be called (blanks, colons,
    /// control characters) becomes a hyphen in what is filled in; what the user wrote stays.
    #[must_use]
    pub fn expand_branch(&self, text: &str) -> String {
        self.filled(text, |value| {
            let value: String =
                value.chars().map(|c| if is_for_branches(c) { c } else { '-' }).collect();
            value.trim_matches(['-', '.', '/']).replace("..", "-")
        })
    }

    fn filled(&self, text: &str, fit: impl Fn(String) -> String) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(begin) = rest.find("{{") {
            // The innermost braces: `{{ {{date}}` holds one name.
            let inner = &rest[begin + 2..];
            // No name is longer; looking further would cost as much again for every brace.
            let value = beginning_of(inner, NAME)
                .find("}}")
                .filter(|end| !inner[..*end].contains("{{"))
                .and_then(|end| Some((end, self.get(inner[..end].trim())?)));
            if let Some((end, value)) = value {
                filled.push_str(&rest[..begin]);
                filled.push_str(&fit(value));
                rest = &inner[end + 2..];
            } else {
                // One brace only, so that the name in `{{{date}}}` is found.
                filled.push_str(&rest[..=begin]);
                rest = &rest[begin + 1..];
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// Where the end of a name is looked for, in bytes: blanks around it, and more than the longest name.
const NAME: usize = 128;

fn is_for_branches(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let local =
            Moment { year: 2026, month: 3, day: 9, hour: 1, minute: 5, second: 7, weekday: 1 };
        Variables {
            agent_name: "api {{date}}".to_owned(),
            directory: "/home/u/shop".into(),
            document: "/home/u/plans/1 first.md".into(),
            pass: 12,
            branch: "feature/x".to_owned(),
            is_repository: true,
            now_ms: 1_773_014_707_000,
            local,
            utc: Moment { day: 8, hour: 23, weekday: 7, ..local },
            ..Variables::default()
        }
    }

    #[test]
    fn names_are_filled_in_once_and_what_is_none_stays() {
        for (text, expected) in [
            ("{{DATE}} {{ date_utc }} {{Weekday}}", "2026-03-09 2026-03-08 Monday"),
            ("{{time}} {{time_short}} {{date_short}}", "01:05:07 01:05 03/09/26"),
            ("{{datetime}} {{datetime_utc}}", "2026-03-09 01:05:07 2026-03-08T23:05:07Z"),
            ("{{document_name}} of {{project_name}}", "1 first of shop"),
            ("{{AUTORUN_FOLDER}}/{{loop_number}}-{{pass}}", "/home/u/plans/00012-12"),
            ("{{git_branch}} {{is_git_repo}} {{timestamp}}", "feature/x true 1773014707000"),
            ("{{agent_name}}", "api {{date}}"),
            ("{{unknown}} {date} {{date {{}}", "{{unknown}} {date} {{date {{}}"),
            ("{{{date}}} {{ {{date}} }}", "{2026-03-09} {{ 2026-03-09 }}"),
            ("ä{{date}}ö{{", "ä2026-03-09ö{{"),
            ("", ""),
        ] {
            assert_eq!(variables().expand(text), expected, "{text}");
        }
    }

    #[test]
    fn every_name_that_is_told_is_one() {
        for (name, what) in NAMES {
            assert!(variables().get(name).is_some() && !what.is_empty(), "{name}");
        }
        let known: std::collections::BTreeSet<_> = NAMES.iter().map(|(name, _)| name).collect();
        assert_eq!(known.len(), NAMES.len());
    }

    #[test]
    fn branches_get_names_that_git_takes() {
        for (text, expected) in [
            ("auto/{{date}}", "auto/2026-03-09"),
            ("auto/{{datetime}}", "auto/2026-03-09-01-05-07"),
            ("{{document_name}}-{{git_branch}}", "1-first-feature/x"),
            ("a b/{{time}}", "a b/01-05-07"),
        ] {
            assert_eq!(variables().expand_branch(text), expected, "{text}");
        }
        let odd = Variables { branch: "..~^:?*[\\ a..b/".into(), ..Variables::default() };
        assert_eq!(odd.expand_branch("x/{{git_branch}}"), "x/a-b");
    }

    #[test]
    fn many_braces_are_no_work() {
        let text = "{{".repeat(200_000);
        assert_eq!(Variables::default().expand(&text), text);
    }
}
