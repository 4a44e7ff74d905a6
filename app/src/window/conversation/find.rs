//! What is looked for in a conversation, and what it is filtered by.

use std::fmt::Write as _;

use maestro_core::conversation::{Answer, Ask, Body, Entry, Transcript};
use maestro_core::search::{Case, QUERY_LIMIT, Query};
use regex::{Regex, RegexBuilder};

/// Bytes of what was said that are looked at in one go, so that a long conversation holds up no key.
const SLICE: usize = 2 << 20;

/// More matches than this are not counted.
const MOST: usize = 10_000;

/// A regular expression may not grow larger than this when it is made ready.
const COMPILED: usize = 1 << 20;

/// One of the two bars.
#[derive(Debug, Clone, Default)]
pub struct Bar {
    /// What is typed in it.
    pub query: Query,
    /// The query made ready, unless it is empty or wrong.
    pub regex: Option<Regex>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Whether it has the keyboard.
    pub active: bool,
}

impl Bar {
    /// The text is another one.
    pub fn edit(&mut self, text: &str) {
        let end = (0..=QUERY_LIMIT.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        self.query.text = text[..end.unwrap_or(0)].to_owned();
        self.prepare();
    }

    /// Reads the query as a regular expression, or as text.
    pub fn toggle_regex(&mut self) {
        self.query.regex = !self.query.regex;
        self.prepare();
    }

    /// The next way of looking at upper and lower case.
    pub fn toggle_case(&mut self) {
        self.query.case = match self.query.case {
            Case::Smart => Case::Sensitive,
            Case::Sensitive => Case::Insensitive,
            Case::Insensitive => Case::Smart,
        };
        self.prepare();
    }

    fn prepare(&mut self) {
        (self.regex, self.error) = match compiled(&self.query) {
            Ok(regex) => (regex, None),
            Err(error) => (None, Some(error)),
        };
    }
}

fn compiled(query: &Query) -> Result<Option<Regex>, String> {
    if query.text.is_empty() {
        return Ok(None);
    }
    let pattern = if query.regex { query.text.clone() } else { regex::escape(&query.text) };
    let any_case = match query.case {
        Case::Smart => !query.text.chars().any(char::is_uppercase),
        Case::Sensitive => false,
        Case::Insensitive => true,
    };
    RegexBuilder::new(&pattern)
        .case_insensitive(any_case)
        .size_limit(COMPILED)
        .build()
        .map(Some)
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "this expression is too large".to_owned(),
            error => {
                let words = error.to_string();
                let last = words.lines().last().unwrap_or_default();
                last.trim_start_matches("error: ").to_owned()
            }
        })
}

/// What was found so far.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Each match: its entry, and which of the entry's it is. The newest first.
    pub matches: Vec<(u64, usize)>,
    /// The one that is shown.
    pub current: Option<usize>,
    /// The entries that have been looked at: from this one on. Nothing yet when absent.
    from: Option<u64>,
    /// Whether all that is here has been looked at.
    pub done: bool,
    /// Whether a match further up is waited for, until it is found or there is nothing older.
    pub reaching: bool,
}

impl Found {
    /// Looks at some more of what was said, from the newest to the oldest; whether there is more to look at.
    /// What is not `shown` is passed over.
    pub fn look(
        &mut self,
        regex: &Regex,
        transcript: &Transcript,
        shown: impl Fn(&Entry) -> bool,
    ) -> bool {
        let (Some(first), Some(next)) = (transcript.first(), transcript.next()) else {
            self.done = true;
            return false;
        };
        let mut at = self.from.unwrap_or(next).min(next);
        let mut left = SLICE;
        while at > first && left > 0 && self.matches.len() < MOST {
            at -= 1;
            let Some(entry) = transcript.get(at) else { break };
            if !shown(entry) {
                continue;
            }
            let words = words(entry);
            left = left.saturating_sub(words.len().max(64));
            let found = regex.find_iter(&words).filter(|found| !found.is_empty());
            let count = found.take(MOST - self.matches.len()).count();
            self.matches.extend((0..count).rev().map(|nth| (at, nth)));
        }
        self.from = Some(at);
        self.done = at <= first || self.matches.len() >= MOST;
        !self.done
    }

    /// Older entries came: there is more to look at.
    pub fn grown(&mut self) {
        self.done = false;
    }

    /// An entry is another one than before, or new: it is looked at again.
    pub fn changed(&mut self, n: u64, regex: &Regex, transcript: &Transcript) {
        let Some(entry) = transcript.get(n).filter(|_| self.from.is_some_and(|from| n >= from))
        else {
            return;
        };
        let words = words(entry);
        let count = regex.find_iter(&words).filter(|found| !found.is_empty()).take(MOST).count();
        let shown = self.current.and_then(|at| self.matches.get(at)).copied();
        let start = self.matches.partition_point(|(entry, _)| *entry > n);
        let end = self.matches.partition_point(|(entry, _)| *entry >= n);
        let fresh = (0..count).rev().map(|nth| (n, nth));
        let _ = self.matches.splice(start..end, fresh);
        self.current = shown.and_then(|shown| self.matches.iter().position(|at| *at == shown));
    }

    /// How many matches are in an entry.
    #[must_use]
    pub fn count_of(&self, n: u64) -> usize {
        let start = self.matches.partition_point(|(entry, _)| *entry > n);
        self.matches.partition_point(|(entry, _)| *entry >= n) - start
    }

    /// The next match above or below; `None` when there is none in this direction yet.
    pub fn step(&mut self, older: bool) -> Option<(u64, usize)> {
        let count = self.matches.len();
        if count == 0 {
            return None;
        }
        let next = match (self.current, older) {
            (None, _) => 0,
            (Some(at), true) if at + 1 < count => at + 1,
            (Some(_), true) if !self.done => return None,
            (Some(_), true) => 0,
            (Some(at), false) => (at + count - 1) % count,
        };
        self.current = Some(next);
        self.matches.get(next).copied()
    }

    /// How many there are, as a person reads it; and whether it is bad news. `more` says whether there
    /// are entries that are not here.
    #[must_use]
    pub fn count(&self, more: bool) -> (String, bool) {
        let all = self.matches.len();
        let least = if more || !self.done || all >= MOST { "+" } else { "" };
        match (all, self.current) {
            (0, _) if !self.done || self.reaching => ("looking…".to_owned(), false),
            (0, _) if more => ("nothing in what is here".to_owned(), true),
            (0, _) => ("nothing found".to_owned(), true),
            (_, Some(at)) => (format!("{} of {all}{least}", at + 1), false),
            (_, None) => (format!("{all}{least} found"), false),
        }
    }
}

/// Everything that is said in an entry, as it is looked through.
#[must_use]
pub fn words(entry: &Entry) -> String {
    match &entry.body {
        Body::Prompt(prompt) => prompt.text.clone(),
        Body::Text(text) | Body::Thinking(text) | Body::Notice(text) | Body::Raw(text) => {
            text.clone()
        }
        Body::Tool(tool) => {
            let mut words = format!("{}\n{}\n", tool.name, tool.title);
            for change in &tool.changes {
                let _ = writeln!(words, "{}\n{}", change.path, change.diff);
            }
            words.push_str(&tool.output);
            words
        }
        Body::Todo(todos) => {
            todos.iter().map(|todo| todo.text.as_str()).collect::<Vec<_>>().join("\n")
        }
        Body::Request { request, answer } => {
            let about = match &request.ask {
                Ask::Command { command, .. } => command.clone(),
                Ask::Edit(changes) => {
                    changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>().join("\n")
                }
                Ask::Tool { name, .. } => name.clone(),
                Ask::Plan(plan) => plan.clone(),
                Ask::Questions(questions) => {
                    let texts = questions.iter().map(|question| question.text.as_str());
                    texts.collect::<Vec<_>>().join("\n")
                }
            };
            match answer {
                Some(Answer::Deny(why)) => format!("{about}\n{why}"),
                _ => about,
            }
        }
        Body::Failed(failure) => failure.message.clone(),
        Body::Ended(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{prompt, said, transcript_of};
    use super::*;

    fn bar(text: &str) -> Bar {
        let mut bar = Bar::default();
        bar.edit(text);
        bar
    }

    fn found(text: &str, transcript: &Transcript) -> Found {
        let mut found = Found::default();
        let regex = bar(text).regex.expect("a query");
        while found.look(&regex, transcript, |_| true) {}
        found
    }

    #[test]
    fn matches_are_walked_from_the_newest_up_and_round() {
        let transcript =
            transcript_of(vec![prompt("one cat"), said("two cats, a cat"), said("no dog")]);
        let mut found = found("cat", &transcript);
        assert_eq!(found.count(false), ("3 found".to_owned(), false));
        let steps: Vec<_> = (0..4).filter_map(|_| found.step(true)).collect();
        assert_eq!(steps, [(1, 1), (1, 0), (0, 0), (1, 1)]);
        assert_eq!(found.count(true).0, "1 of 3+");
        assert_eq!(found.step(false), Some((0, 0)));
    }

    #[test]
    fn what_is_said_meanwhile_is_found() {
        let mut transcript = transcript_of(vec![said("a cat")]);
        let mut found = found("cat", &transcript);
        let _ = found.step(true);
        let more = transcript_of(vec![said("a cat"), said("cat cat")]);
        let entry = more.get(1).expect("an entry").clone();
        let _ = transcript.apply(maestro_core::conversation::Update::Entry(entry));
        found.changed(1, &bar("cat").regex.expect("a query"), &transcript);
        assert_eq!(found.matches, [(1, 1), (1, 0), (0, 0)]);
        assert_eq!(found.current, Some(2), "another one is shown");
    }

    #[test]
    fn capitals_matter_when_they_are_typed() {
        let transcript = transcript_of(vec![said("Cat cat")]);
        assert_eq!(found("cat", &transcript).matches.len(), 2);
        assert_eq!(found("Cat", &transcript).matches.len(), 1);
        assert_eq!(found("c.t", &transcript).count(false).0, "nothing found");
    }

    #[test]
    fn a_wrong_expression_says_what_is_wrong() {
        let mut bar = bar("a(");
        assert!(bar.regex.is_some(), "it is text");
        bar.toggle_regex();
        assert!(bar.regex.is_none());
        assert!(bar.error.as_deref().is_some_and(|error| !error.is_empty()), "{:?}", bar.error);
        bar.edit("x{1000}{1000}");
        assert!(bar.error.is_some());
    }
}
