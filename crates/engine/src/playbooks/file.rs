//! `playbook.toml`: how to run a folder of checklists, in words for people.
//!
//! ```toml
//! name = "Nightly"
//! description = "What it is for, in a sentence."
//! documents = ["1-plan.md", { path = "2-build.md", reset = true }]
//! loops = 5                  # or "once", or "forever"
//! mode = "task"              # or "document": one session for all tasks of a document
//! agent = "claude"
//! model = "opus"
//! prompt = "What sessions are told instead of Maestro's own words, with {{task}}"
//! verify = "cargo test"      # for tasks that name none
//! on-failure = "go-on"       # or "stop", or "pause"
//! commit = true
//! worktree = "auto/{{date}}"
//!
//! [budgets]
//! cost-usd = 2.5
//! tokens = 2000000
//! time = "8h"
//! turns = 200
//! tasks = 40
//! then = "pause"             # or "end"
//!
//! [pull-request]
//! target = "main"
//! draft = true
//! ```
//!
//! A key that is none, or a value that cannot be meant, makes the file unusable: what is written there was
//! meant to hold.

use std::fmt::{self, Write as _};

use maestro_core::agent::Provider;
use maestro_core::checklist;
use maestro_core::playbook::{Listed, Playbook};
use maestro_core::run::{Budgets, Loops, Mode, OnFailure, PullRequest, Then};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The file's name.
pub(super) const NAME: &str = "playbook.toml";
/// A larger file is not ours: 256 KiB.
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// Documents of one playbook: as many as a run has.
pub(super) const MAX_DOCUMENTS: usize = 64;
/// The longest name and description, in characters.
const MAX_NAME: usize = 120;
const MAX_DESCRIPTION: usize = 2_000;
/// The longest prompt of its own, in bytes: it is part of every turn.
const MAX_PROMPT: usize = 64 * 1024;
/// The longest part of a path, in bytes, on the file systems people have.
const MAX_PART: usize = 255;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The line, from 1, where it is about one.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{NAME}, line {line}: {}", self.why),
            None => write!(f, "{NAME}: {}", self.why),
        }
    }
}

/// Reads the text of a file. A playbook that names no documents has none here.
pub(super) fn parse(text: &str) -> Result<Playbook, Problem> {
    // As editors on some systems write it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let reader = Reader { text };
    let table = DeTable::parse(text).map_err(|error| Problem {
        line: error.span().map(|span| reader.line(span.start)),
        why: format!("it is no TOML: {}", error.message().trim().replace('\n', "; ")),
    })?;
    reader.playbook(table.get_ref())
}

type Key<'a, 'i> = (&'a str, &'a Spanned<DeValue<'i>>);

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        1 + self.text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, why: impl Into<String>) -> Problem {
        Problem { line: Some(self.line(value.span().start)), why: why.into() }
    }

    /// The keys of a table. `known` are told when there is another one.
    fn each<'a, 'i>(
        &self,
        table: &'a DeTable<'i>,
        place: &str,
        known: &[&'a str],
        mut take: impl FnMut(Key<'a, 'i>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        for (key, value) in table {
            // Both are written in the wild.
            let name = key.get_ref().replace('_', "-");
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(Problem {
                    line: Some(self.line(key.span().start)),
                    why: format!(
                        "`{}` is no key{place}; there are {}",
                        key.get_ref(),
                        known.join(", ")
                    ),
                });
            };
            take((*name, value))?;
        }
        Ok(())
    }

    fn playbook(&self, table: &DeTable<'_>) -> Result<Playbook, Problem> {
        const KNOWN: [&str; 16] = [
            "name",
            "description",
            "documents",
            "loops",
            "mode",
            "prompt",
            "agent",
            "model",
            "verify",
            "on-failure",
            "commit",
            "budgets",
            "worktree",
            "pull-request",
            "reset",
            "version",
        ];
        let mut playbook = Playbook::default();
        let mut reset = false;
        self.each(table, "", &KNOWN, |(key, value)| {
            match key {
                "name" => playbook.name = self.short(key, value, MAX_NAME)?,
                "description" => {
                    playbook.description = self.short(key, value, MAX_DESCRIPTION)?;
                }
                "documents" => playbook.documents = self.documents(value)?,
                "loops" => playbook.loops = self.loops(value)?,
                "mode" => {
                    let modes = [("task", Mode::Task), ("document", Mode::Document)];
                    playbook.mode = self.choice(key, value, &modes)?;
                }
                "prompt" => playbook.prompt = self.prompt(value)?,
                "agent" => playbook.provider = Some(self.provider(value)?),
                "model" => playbook.model = Some(self.short(key, value, MAX_NAME)?),
                "verify" => playbook.verify = Some(self.command(value)?),
                "on-failure" => {
                    let choices = [
                        ("go-on", OnFailure::GoOn),
                        ("stop", OnFailure::Stop),
                        ("pause", OnFailure::Pause),
                    ];
                    playbook.on_failure = self.choice(key, value, &choices)?;
                }
                "commit" => playbook.commit = Some(self.boolean(key, value)?),
                "budgets" => playbook.budgets = self.budgets(value)?,
                "worktree" => playbook.worktree = Some(self.short(key, value, MAX_NAME)?),
                "pull-request" => playbook.pull_request = self.pull_request(value)?,
                "reset" => reset = self.boolean(key, value)?,
                _ => {
                    if self.integer(key, value)? != 1 {
                        let why = "this Maestro reads version 1; a newer one is needed";
                        return Err(self.wrong(value, why));
                    }
                }
            }
            Ok(())
        })?;
        for listed in &mut playbook.documents {
            listed.reset |= reset;
        }
        Ok(playbook)
    }

    fn documents(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<Listed>, Problem> {
        let Some(array) = value.get_ref().as_array() else {
            return Err(self.wrong(value, "`documents` is a list, such as [\"1-plan.md\"]"));
        };
        if array.iter().len() > MAX_DOCUMENTS {
            let why = format!("a playbook has at most {MAX_DOCUMENTS} documents");
            return Err(self.wrong(value, why));
        }
        array.iter().map(|entry| self.document(entry)).collect()
    }

    fn document(&self, value: &Spanned<DeValue<'_>>) -> Result<Listed, Problem> {
        let path = |value: &Spanned<DeValue<'_>>| {
            let path = self.string("path", value)?;
            check_path(&path).map_err(|why| self.wrong(value, why))
        };
        let Some(table) = value.get_ref().as_table() else {
            return Ok(Listed { path: path(value)?, reset: false });
        };
        let mut listed = Listed::default();
        self.each(table, " of a document", &["path", "reset"], |(key, value)| {
            match key {
                "path" => listed.path = path(value)?,
                _ => listed.reset = self.boolean(key, value)?,
            }
            Ok(())
        })?;
        if listed.path.is_empty() {
            return Err(self.wrong(value, "a document without `path`"));
        }
        Ok(listed)
    }

    fn loops(&self, value: &Spanned<DeValue<'_>>) -> Result<Loops, Problem> {
        let why = "`loops` is a number from 1 to 100000, \"once\" or \"forever\"";
        match value.get_ref() {
            DeValue::String(word) if word == "once" => Ok(Loops::Once),
            DeValue::String(word) if word == "forever" => Ok(Loops::Forever),
            DeValue::Integer(_) => match self.integer("loops", value)? {
                1 => Ok(Loops::Once),
                times @ 2..=100_000 => Ok(Loops::Times(times as u32)),
                _ => Err(self.wrong(value, why)),
            },
            _ => Err(self.wrong(value, why)),
        }
    }

    fn budgets(&self, value: &Spanned<DeValue<'_>>) -> Result<Budgets, Problem> {
        const KNOWN: [&str; 6] = ["cost-usd", "tokens", "time", "turns", "tasks", "then"];
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.wrong(value, "`budgets` is a table: write [budgets]"));
        };
        let mut budgets = Budgets::default();
        self.each(table, " of [budgets]", &KNOWN, |(key, value)| {
            match key {
                "cost-usd" => budgets.cost_usd = Some(self.cost(value)?),
                "tokens" => budgets.tokens = Some(self.count(key, value)?),
                "time" => budgets.time_s = Some(self.time(value)?),
                "turns" => budgets.turns = Some(self.small(key, value)?),
                "tasks" => budgets.tasks = Some(self.small(key, value)?),
                _ => {
                    let choices = [("pause", Then::Pause), ("end", Then::End)];
                    budgets.then = self.choice(key, value, &choices)?;
                }
            }
            Ok(())
        })?;
        Ok(budgets)
    }

    fn cost(&self, value: &Spanned<DeValue<'_>>) -> Result<f64, Problem> {
        let cost = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse().unwrap_or(f64::NAN),
            DeValue::Integer(_) => self.integer("cost-usd", value)? as f64,
            _ => f64::NAN,
        };
        if cost > 0.0 && cost <= 1e9 {
            return Ok(cost);
        }
        Err(self.wrong(value, "`cost-usd` is an amount of dollars above 0, such as 2.5"))
    }

    fn time(&self, value: &Spanned<DeValue<'_>>) -> Result<u64, Problem> {
        let seconds = match value.get_ref() {
            DeValue::String(text) => checklist::seconds(text),
            DeValue::Integer(_) => Some(self.count("time", value)?),
            _ => None,
        };
        seconds
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| self.wrong(value, "`time` is a duration, such as \"90m\" or \"8h\""))
    }

    fn pull_request(&self, value: &Spanned<DeValue<'_>>) -> Result<Option<PullRequest>, Problem> {
        match value.get_ref() {
            DeValue::Boolean(wanted) => Ok(wanted.then(PullRequest::default)),
            DeValue::Table(table) => {
                let mut request = PullRequest::default();
                self.each(table, " of [pull-request]", &["target", "draft"], |(key, value)| {
                    match key {
                        "target" => request.target = Some(self.short(key, value, MAX_NAME)?),
                        _ => request.draft = self.boolean(key, value)?,
                    }
                    Ok(())
                })?;
                Ok(Some(request))
            }
            _ => Err(self.wrong(value, "`pull-request` is a table: write [pull-request]")),
        }
    }

    fn provider(&self, value: &Spanned<DeValue<'_>>) -> Result<Provider, Problem> {
        let name = self.string("agent", value)?;
        match name.parse() {
            Ok(Provider::Shell) | Err(_) => {
                let known: Vec<String> = Provider::ALL
                    .into_iter()
                    .filter(|provider| *provider != Provider::Shell)
                    .map(|provider| provider.to_string())
                    .collect();
                let why = format!("`{name}` is no agent; there are {}", known.join(", "));
                Err(self.wrong(value, why))
            }
            Ok(provider) => Ok(provider),
        }
    }

    fn prompt(&self, value: &Spanned<DeValue<'_>>) -> Result<Option<String>, Problem> {
        let prompt = self.string("prompt", value)?;
        if prompt.len() > MAX_PROMPT {
            let why = format!("`prompt` has more than {} KiB", MAX_PROMPT / 1024);
            return Err(self.wrong(value, why));
        }
        Ok(Some(prompt).filter(|prompt| !prompt.trim().is_empty()))
    }

    /// A command of one line, or of several.
    fn command(&self, value: &Spanned<DeValue<'_>>) -> Result<String, Problem> {
        let command = self.string("verify", value)?.trim().to_owned();
        let unreadable = |c: char| c.is_control() && c != '\n' && c != '\t';
        if command.is_empty() || command.len() > MAX_PROMPT || command.contains(unreadable) {
            return Err(self.wrong(value, "`verify` is a command for sh, such as \"make test\""));
        }
        Ok(command)
    }

    fn string(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, Problem> {
        match value.get_ref().as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(self.wrong(value, format!("`{key}` is a text in quotation marks"))),
        }
    }

    /// A text that people read: on one line, without signs that are not seen.
    fn short(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        most: usize,
    ) -> Result<String, Problem> {
        let text = self.string(key, value)?;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() || text.chars().count() > most || text.contains(char::is_control) {
            let why = format!("`{key}` is a text of 1 to {most} characters");
            return Err(self.wrong(value, why));
        }
        Ok(text)
    }

    fn boolean(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<bool, Problem> {
        let why = || self.wrong(value, format!("`{key}` is true or false"));
        value.get_ref().as_bool().ok_or_else(why)
    }

    fn integer(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<i64, Problem> {
        value
            .get_ref()
            .as_integer()
            .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok())
            .ok_or_else(|| self.wrong(value, format!("`{key}` is a whole number")))
    }

    fn count(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<u64, Problem> {
        match u64::try_from(self.integer(key, value)?) {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(self.wrong(value, format!("`{key}` is a number above 0"))),
        }
    }

    fn small(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<u32, Problem> {
        let count = self.count(key, value)?;
        u32::try_from(count).map_err(|_| self.wrong(value, format!("`{key}` is too large")))
    }

    fn choice<T: Copy>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        choices: &[(&str, T)],
    ) -> Result<T, Problem> {
        let word = value.get_ref().as_str().map(|word| word.replace('_', "-"));
        let found = choices.iter().find(|(name, _)| word.as_deref() == Some(*name));
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<String> =
                choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.wrong(value, format!("`{key}` is {}", names.join(" or ")))
        })
    }
}

/// A path of a document relative to its playbook, with forward slashes and `.md`, or why it is none.
pub(super) fn check_path(path: &str) -> Result<String, String> {
    let trimmed = path.trim().strip_prefix("./").unwrap_or(path.trim());
    // Playbooks of other programs leave the ending out.
    let path = if trimmed.to_ascii_lowercase().ends_with(".md") {
        trimmed.to_owned()
    } else {
        format!("{trimmed}.md")
    };
    check_relative(&path)?;
    Ok(path)
}

/// Refuses paths that lead out of the folder they are relative to, on any system, and names that no
/// system could write.
pub(super) fn check_relative(path: &str) -> Result<(), String> {
    let shown: String =
        path.chars().take(200).map(|c| if c.is_control() { '·' } else { c }).collect();
    let refuse = |why: &str| Err(format!("the path `{shown}` {why}"));
    if path.len() > 1024 {
        return refuse("is too long");
    }
    if path.contains('\\') {
        return refuse("has a backslash; write /");
    }
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return refuse("is absolute; it has to lie in the playbook's folder");
    }
    if path.contains(|c: char| c.is_control() || is_invisible(c)) {
        return refuse("has signs that cannot be seen");
    }
    for part in path.split('/') {
        match part {
            ".." => return refuse("leads out of the playbook's folder"),
            "" | "." => return refuse("has an empty part"),
            part if part.len() > MAX_PART => return refuse("has a name that is too long"),
            part if part.starts_with(' ') || part.ends_with([' ', '.']) => {
                return refuse("has a name that some systems change");
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// The text of a file that says the same.
pub(super) fn write(playbook: &Playbook) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!("name = {}", quoted(&playbook.name)));
    if !playbook.description.is_empty() {
        line(format!("description = {}", quoted(&playbook.description)));
    }
    if !playbook.documents.is_empty() {
        line("documents = [".to_owned());
        for listed in &playbook.documents {
            let path = quoted(&listed.path);
            line(match listed.reset {
                true => format!("    {{ path = {path}, reset = true }},"),
                false => format!("    {path},"),
            });
        }
        line("]".to_owned());
    }
    match playbook.loops {
        Loops::Once => {}
        Loops::Times(times) => line(format!("loops = {times}")),
        Loops::Forever => line("loops = \"forever\"".to_owned()),
    }
    if playbook.mode == Mode::Document {
        line("mode = \"document\"".to_owned());
    }
    if let Some(provider) = playbook.provider {
        line(format!("agent = {}", quoted(&provider.to_string())));
    }
    for (key, value) in [("model", &playbook.model), ("worktree", &playbook.worktree)] {
        if let Some(value) = value {
            line(format!("{key} = {}", quoted(value)));
        }
    }
    for (key, value) in [("verify", &playbook.verify), ("prompt", &playbook.prompt)] {
        if let Some(value) = value {
            line(format!("{key} = {}", block(value)));
        }
    }
    match playbook.on_failure {
        OnFailure::GoOn => {}
        OnFailure::Stop => line("on-failure = \"stop\"".to_owned()),
        OnFailure::Pause => line("on-failure = \"pause\"".to_owned()),
    }
    if let Some(commit) = playbook.commit {
        line(format!("commit = {commit}"));
    }
    text.push_str(&budgets(&playbook.budgets));
    if let Some(request) = &playbook.pull_request {
        text.push_str("\n[pull-request]\n");
        if let Some(target) = &request.target {
            let _ = writeln!(text, "target = {}", quoted(target));
        }
        let _ = writeln!(text, "draft = {}", request.draft);
    }
    text
}

fn budgets(budgets: &Budgets) -> String {
    if *budgets == Budgets::default() {
        return String::new();
    }
    let mut text = "\n[budgets]\n".to_owned();
    if let Some(cost) = budgets.cost_usd {
        let _ = writeln!(text, "cost-usd = {cost:?}");
    }
    if let Some(tokens) = budgets.tokens {
        let _ = writeln!(text, "tokens = {tokens}");
    }
    if let Some(seconds) = budgets.time_s {
        let _ = match (seconds % 3600, seconds % 60) {
            (0, _) => writeln!(text, "time = \"{}h\"", seconds / 3600),
            (_, 0) => writeln!(text, "time = \"{}m\"", seconds / 60),
            _ => writeln!(text, "time = \"{seconds}s\""),
        };
    }
    for (key, value) in [("turns", budgets.turns), ("tasks", budgets.tasks)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    if budgets.then == Then::End {
        text.push_str("then = \"end\"\n");
    }
    text
}

/// A text as a TOML string on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            c => escape(c, &mut quoted),
        }
    }
    quoted.push('"');
    quoted
}

/// A text as a TOML string, on as many lines as it has.
fn block(text: &str) -> String {
    if !text.contains('\n') {
        return quoted(text);
    }
    let mut block = "\"\"\"\n".to_owned();
    for c in text.chars() {
        match c {
            '"' => block.push_str("\\\""),
            '\n' => block.push('\n'),
            c => escape(c, &mut block),
        }
    }
    block.push_str("\"\"\"");
    block
}

fn escape(c: char, text: &mut String) {
    match c {
        '\\' => text.push_str("\\\\"),
        '\t' => text.push_str("\\t"),
        c if c.is_control() => {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        }
        c => text.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
name = "Nightly"
description = "All of it."
documents = ["1-plan.md", { path = "parts/2 build", reset = true }]
loops = 5
mode = "document"
prompt = """
Do {{task}}
"quoted" \\ """
agent = "claude"
model = "opus"
verify = "make test"
on-failure = "pause"
commit = false
worktree = "auto/{{date}}"

[budgets]
cost-usd = 2.5
tokens = 2_000_000
time = "1h30m"
turns = 200
tasks = 0x28
then = "end"

[pull-request]
target = "main"
draft = true
"#;

    #[test]
    fn every_key_is_read_and_written() {
        let playbook = parse(WHOLE).expect("a playbook");
        assert_eq!(
            playbook.documents,
            [
                Listed { path: "1-plan.md".into(), reset: false },
                Listed { path: "parts/2 build.md".into(), reset: true },
            ]
        );
        assert_eq!(playbook.loops, Loops::Times(5));
        assert_eq!(playbook.mode, Mode::Document);
        assert_eq!(playbook.prompt.as_deref(), Some("Do {{task}}\n\"quoted\" \\ "));
        assert_eq!(playbook.provider, Some(Provider::Claude));
        assert_eq!(playbook.on_failure, OnFailure::Pause);
        assert_eq!((playbook.commit, playbook.budgets.cost_usd), (Some(false), Some(2.5)));
        assert_eq!((playbook.budgets.time_s, playbook.budgets.tasks), (Some(5400), Some(40)));
        assert_eq!(playbook.budgets.then, Then::End);
        let request = playbook.pull_request.clone().expect("a pull request");
        assert_eq!((request.target.as_deref(), request.draft), (Some("main"), true));
        let written = write(&playbook);
        assert_eq!(parse(&written).as_ref(), Ok(&playbook), "{written}");
    }

    #[test]
    fn an_empty_file_is_a_playbook_and_reset_holds_for_all() {
        assert_eq!(parse(""), Ok(Playbook::default()));
        assert_eq!(parse("\u{feff}loops = \"once\"\r\n"), Ok(Playbook::default()));
        let playbook = parse("reset = true\ndocuments = [\"a\", \"b.md\"]").expect("a playbook");
        assert!(playbook.documents.iter().all(|listed| listed.reset));
        let odd = Playbook { name: "a\u{1}\"\\\tb".into(), ..Playbook::default() };
        assert!(write(&odd).starts_with("name = \"a\\u0001\\\"\\\\\\tb\"\n"));
        assert!(parse(&write(&odd)).is_err(), "a name that cannot be seen is none");
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, line, words) in [
            ("name = \"a\"\nlops = 3", 2, "`lops` is no key; there are name"),
            ("\n\nloops = 0", 3, "1 to 100000"),
            ("loops = \"always\"", 1, "forever"),
            ("loops = 99999999999999999999", 1, "whole number"),
            ("mode = \"tusk\"", 1, "\"task\" or \"document\""),
            ("agent = \"claud\"", 1, "claude, codex"),
            ("agent = \"shell\"", 1, "no agent"),
            ("commit = \"yes\"", 1, "true or false"),
            ("documents = \"a.md\"", 1, "a list"),
            ("documents = [\n  \"a.md\",\n  \"../b.md\",\n]", 3, "leads out"),
            ("documents = [{ reset = true }]", 1, "without `path`"),
            ("[[documents]]\npath = \"a\"\nrest = 1", 3, "no key of a document"),
            ("[budgets]\ncost = 3", 2, "cost-usd"),
            ("[budgets]\ncost-usd = -1", 2, "above 0"),
            ("[budgets]\ncost-usd = nan", 2, "above 0"),
            ("[budgets]\ntime = \"soon\"", 2, "duration"),
            ("[budgets]\nturns = 5000000000", 2, "too large"),
            ("verify = \"\"", 1, "command"),
            ("name = \"a\\nb\\u0000\"", 1, "1 to 120"),
            ("name = ", 1, "no TOML"),
            ("name = \"a\"\nname = \"b\"", 2, "no TOML"),
            ("version = 2", 1, "newer"),
        ] {
            let problem = parse(text).expect_err(text);
            assert_eq!(problem.line, Some(line), "{text}: {problem}");
            assert!(problem.why.contains(words), "{text}: {problem}");
        }
    }

    #[test]
    fn documents_may_be_tables() {
        let text = "[[documents]]\npath = \"./a\"\n[[documents]]\npath = \"b.MD\"\nreset = true\n";
        let playbook = parse(text).expect("a playbook");
        let paths: Vec<_> = playbook.documents.iter().map(|listed| listed.path.as_str()).collect();
        assert_eq!(paths, ["a.md", "b.MD"]);
    }

    #[test]
    fn no_path_leads_out_or_deceives() {
        for path in [
            "/a.md",
            "a/../../b.md",
            "..",
            "c:/x.md",
            "c:x.md",
            "a\\b.md",
            "a//b.md",
            "./",
            "a/./b.md",
            "a\nb.md",
            "a\u{202e}dm.exe",
            "a /b.md",
            "a./b.md",
            "",
        ] {
            assert!(check_relative(path).is_err(), "{path:?}");
        }
        for path in ["a.md", "a/b/c d.md", "ä.md", "..a.md", "a..b/c.md"] {
            assert_eq!(check_relative(path), Ok(()), "{path:?}");
        }
    }
}
