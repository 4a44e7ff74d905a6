//! What a provider prints during a turn, as events, and what its end means.
//!
//! The rules: a line that is not understood is kept raw and never fatal; an error line is not the
//! end; an exit code alone proves neither success nor failure; usage is counted once. Each provider's
//! dialect is a module below; what they have in common is here.

pub(crate) mod claude;
mod codex;
mod demo;
mod droid;
mod opencode;
pub(crate) mod text;

use std::time::Duration;

use maestro_core::agent::Provider;
use maestro_core::turn::{Event, Failure, FailureKind, Outcome, Usage};
use serde_json::Value;

use crate::command::Tokens;

/// Lines that are not understood are reported up to this many; a program that prints garbage for
/// hours would otherwise fill the journal with it.
const RAW_LINES: u32 = 500;

/// How a turn's process ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exit {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The end of what it printed on standard error.
    pub stderr: String,
    /// Who ended it.
    pub ended: Ended,
}

/// Who ended a turn's process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ended {
    /// Itself.
    #[default]
    ByItself,
    /// The user or the engine.
    Cancelled,
    /// We did: it printed nothing for this long.
    Silent(Duration),
    /// We did: it took longer than this.
    TimedOut(Duration),
    /// We did: it printed more than this many bytes.
    Flooded(u64),
}

/// Reads the stream of one turn.
#[derive(Debug)]
pub struct Parser {
    provider: Provider,
    dialect: Dialect,
    seen: Seen,
    raw_lines: u32,
}

#[derive(Debug)]
enum Dialect {
    Claude(claude::Stream),
    Codex(codex::Stream),
    OpenCode(opencode::Stream),
    Droid(droid::Stream),
    Demo(demo::Stream),
    /// There are no turns of a process each.
    None,
}

/// What every dialect collects.
#[derive(Debug, Default)]
struct Seen {
    session: Option<String>,
    model: Option<String>,
    /// The last text of the answer.
    text: String,
    usage: Usage,
    before: Tokens,
    /// The last thing it said about trying again, unless something came after.
    retrying: Option<String>,
    /// Whether any line was understood.
    anything: bool,
}

impl Seen {
    /// The event for a session that is named for the first time.
    fn session(&mut self, id: &str, model: Option<&str>) -> Option<Event> {
        if id.is_empty() || self.session.as_deref() == Some(id) {
            return None;
        }
        self.session = Some(id.to_owned());
        self.model = model.map(str::to_owned).or_else(|| self.model.take());
        Some(Event::Session { id: id.to_owned(), model: self.model.clone() })
    }

    fn text(&mut self, text: &str) -> Event {
        self.text = text::bounded(text, text::ANSWER);
        Event::Text(self.text.clone())
    }

    fn usage(&mut self, usage: Usage) -> Event {
        self.usage = usage;
        Event::Usage(usage)
    }
}

impl Parser {
    /// For a turn of this provider.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        let dialect = match provider {
            Provider::Claude => Dialect::Claude(claude::Stream::default()),
            Provider::Codex => Dialect::Codex(codex::Stream::default()),
            Provider::OpenCode => Dialect::OpenCode(opencode::Stream::default()),
            Provider::Droid => Dialect::Droid(droid::Stream::default()),
            Provider::Demo => Dialect::Demo(demo::Stream::default()),
            // These are only ever driven for a whole conversation.
            Provider::Copilot | Provider::Gemini | Provider::Shell => Dialect::None,
        };
        Self { provider, dialect, seen: Seen::default(), raw_lines: 0 }
    }

    /// Tells what the session had consumed before this turn (see [`crate::CommandLine::before`]).
    #[must_use]
    pub fn after(mut self, before: Option<Tokens>) -> Self {
        self.seen.before = before.unwrap_or_default();
        self
    }

    /// One line of standard output, without its line break. Never fails: what it does not know comes
    /// back as [`Event::Raw`].
    pub fn line(&mut self, line: &str) -> Vec<Event> {
        let line = line.trim();
        if line.is_empty() {
            return Vec::new();
        }
        let value = serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
        let events = value.and_then(|value| {
            let seen = &mut self.seen;
            match &mut self.dialect {
                Dialect::Claude(stream) => stream.line(&value, seen),
                Dialect::Codex(stream) => stream.line(&value, seen),
                Dialect::OpenCode(stream) => stream.line(&value, seen),
                Dialect::Droid(stream) => stream.line(&value, seen),
                Dialect::Demo(stream) => stream.line(&value, seen),
                Dialect::None => None,
            }
        });
        let Some(events) = events else { return self.raw(line) };
        self.seen.anything = true;
        if let Some(last) = events.last() {
            self.seen.retrying = match last {
                Event::Retrying(because) => Some(because.clone()),
                _ => None,
            };
        }
        events
    }

    fn raw(&mut self, line: &str) -> Vec<Event> {
        self.raw_lines = self.raw_lines.saturating_add(1);
        match self.raw_lines {
            ..RAW_LINES => vec![Event::Raw(text::bounded(line, text::RAW))],
            RAW_LINES => vec![Event::Notice(format!(
                "{} prints lines that Maestro does not understand; further ones are left out.",
                self.provider.title()
            ))],
            _ => Vec::new(),
        }
    }

    /// How the turn ended.
    #[must_use]
    pub fn finish(self, exit: &Exit) -> Outcome {
        let result = self
            .verdict(exit)
            .map_err(|failure| Failure { message: text::sentence(&failure.message), ..failure });
        let Seen { session, text, usage, .. } = self.seen;
        Outcome { session, text, usage, result }
    }

    fn verdict(&self, exit: &Exit) -> Result<(), Failure> {
        let told = match &self.dialect {
            Dialect::Claude(stream) => stream.verdict(exit),
            Dialect::Codex(stream) => stream.verdict(exit),
            Dialect::OpenCode(stream) => stream.verdict(exit),
            Dialect::Droid(stream) => stream.verdict(),
            Dialect::Demo(stream) => stream.verdict(),
            Dialect::None => None,
        };
        match (&exit.ended, told) {
            // What was finished before we ended the process is finished.
            (_, Some(Ok(()))) => Ok(()),
            (Ended::ByItself, Some(failure)) => failure,
            (Ended::ByItself, None) => Err(unexplained(self.provider, exit, self.seen.anything)),
            (ended, _) => Err(self.ended_by_us(ended)),
        }
    }

    fn ended_by_us(&self, ended: &Ended) -> Failure {
        let title = self.provider.title();
        let retrying = self
            .seen
            .retrying
            .as_ref()
            .map(|last| format!("; the last it said was: {last}"))
            .unwrap_or_default();
        // An agent that waits for the network waits for ever: the network is what failed, not it.
        let offline = self.seen.retrying.as_deref().and_then(text::kind_of_error)
            == Some(FailureKind::Network);
        match ended {
            Ended::ByItself | Ended::Cancelled => {
                fail(FailureKind::Interrupted, "The turn was stopped.".to_owned())
            }
            Ended::Silent(limit) => fail(
                if offline { FailureKind::Network } else { FailureKind::Silent },
                format!(
                    "{title} printed nothing for {} and was ended{retrying}.",
                    text::duration(*limit)
                ),
            ),
            Ended::TimedOut(limit) => fail(
                if offline { FailureKind::Network } else { FailureKind::Interrupted },
                format!("{title} was ended at its limit of {}{retrying}.", text::duration(*limit)),
            ),
            Ended::Flooded(limit) => fail(
                FailureKind::Other,
                format!("{title} printed more than {} MiB and was ended.", limit >> 20),
            ),
        }
    }
}

/// Why a turn that was open is over when its process is gone; with whether it has done anything.
pub(crate) fn broken_off(provider: Provider, exit: &Exit, anything: bool) -> Failure {
    match exit.ended {
        Ended::ByItself => unexplained(provider, exit, anything),
        _ => fail(FailureKind::Interrupted, "The turn was stopped."),
    }
}

/// The process ended without the stream saying how the turn went.
fn unexplained(provider: Provider, exit: &Exit, anything: bool) -> Failure {
    let title = provider.title();
    if let Some(kind) = text::kind_of_stderr(&exit.stderr) {
        return fail(kind, text::last_words(&exit.stderr));
    }
    // 130 and 143 are how shells and Node programs report SIGINT and SIGTERM.
    if matches!(exit.signal, Some(2 | 15)) || matches!(exit.code, Some(130 | 143)) {
        return fail(FailureKind::Interrupted, format!("{title} was interrupted from outside."));
    }
    let how = match (exit.signal, exit.code) {
        (Some(signal), _) => format!("was killed by signal {signal}"),
        (None, Some(0)) if anything => "ended without saying how the turn went".to_owned(),
        (None, Some(0)) => "ended without doing anything".to_owned(),
        (None, Some(code)) => format!("ended with exit code {code} in the middle of the turn"),
        (None, None) => "ended in an unknown way".to_owned(),
    };
    let words = text::last_words(&exit.stderr);
    let message = if words.is_empty() {
        format!("{title} {how}.")
    } else {
        format!("{title} {how}: {words}")
    };
    fail(FailureKind::Crashed, message)
}

/// A failure of this kind, with this sentence.
pub(crate) fn fail(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { kind, message: message.into() }
}

/// A string inside a JSON value, by pointer; empty when it is not there.
pub(crate) fn string<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// More than any program counts, in tokens or milliseconds since 1970; a thousand of them can be added up.
const MOST: u64 = 1 << 52;

/// A number inside a JSON value, by pointer; 0 when it is not there.
pub(crate) fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default().min(MOST)
}

/// An array inside a JSON value, by pointer; empty when it is not there.
pub(crate) fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
