//! What a prompt makes the demo agent do.
//!
//! Directives, in the order given; text around them is ignored:
//!
//! ```text
//! [[text WORDS]]             say WORDS
//! [[think WORDS]]            think WORDS
//! [[write PATH CONTENT]]     write a file          [[append PATH CONTENT]]   add to the end of one
//! [[edit PATH OLD => NEW]]   change one place      [[delete PATH]]           remove a file
//! [[read PATH]]              read a file           [[bash COMMAND]]          run a shell command
//! [[lines N]]                say N lines of markdown
//! [[ask QUESTION | A | B]]   ask, with answers to choose from (over the Agent Client Protocol)
//! [[todo x A | > B | C]]     show a list: done, being done, open
//! [[title WORDS]]            call the session that
//! [[usage IN OUT [USD]]]     say what the turn consumed
//! [[context USED WINDOW]]    say how full the context is
//! [[limit PERCENT [SECONDS]]] say how much of the plan is used, and when it begins anew
//! [[retry SECONDS [WORDS]]]  wait for the service that long, with the reason
//! [[slow SECONDS]]           spread the turn over that time
//! [[error KIND [SECONDS] [xN]]] fail: 401, 404, 429, 500, 529 …, context, credit, plan (with its reset
//!                            in SECONDS), network, torn, human, session, permission, refusal, other
//! [[crash [xN]]]             die by a signal       [[exit CODE]]             leave without a word
//! [[torn [xN]]]              leave in the middle of a line
//! [[hang]]                   never answer          [[silent]]                end as if nothing was asked
//! [[garbage LINES]]          print lines that are no events
//! ```
//!
//! `xN` limits it to the first N turns with this task in this directory. `\n` and `\t` inside an
//! argument stand for a line break and a tab, `\]` for `]`. What an interface of the demo agent has no
//! way to show (a terminal asks no questions), it does without.
//!
//! Without a directive the words of the task decide: a file named in backticks is written, extended
//! or removed; anything else becomes a line in NOTES.md. The same words do the same thing every time.

use std::sync::OnceLock;

use maestro_core::conversation::{Todo, TodoState};
use maestro_core::turn::{FailureKind, Usage};
use regex::Regex;

/// Most lines of one answer.
const MOST_LINES: u32 = 20_000;

/// How much fits into the demo agent's context.
pub const WINDOW: u64 = 200_000;

/// What a refusal of the model's is told by, where a protocol has no word for it.
pub const REFUSAL: &str = "The model refused to answer.";

/// Added to a reset time that is counted from when the step is played, in milliseconds; far beyond any
/// real time, so that the two cannot be mistaken for each other.
pub const RELATIVE: u64 = 1 << 52;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Say(String),
    Think(String),
    Write { path: String, content: String },
    Append { path: String, content: String },
    Edit { path: String, old: String, new: String },
    Delete { path: String },
    Read { path: String },
    Shell(String),
    Slow(f64),
    Fail { kind: FailureKind, message: String, times: Option<u32> },
    Crash { times: Option<u32> },
    Exit(i32),
    Hang,
    Silent,
    Garbage(u32),
    Ask { question: String, answers: Vec<String> },
    Todo(Vec<Todo>),
    Title(String),
    Usage(Usage),
    Context { used: u64, window: u64 },
    Limit { percent: u8, seconds: u64 },
    Retry { seconds: f64, because: String },
    Torn { times: Option<u32> },
}

/// What is to be done, and whether an earlier attempt was cut short (then nothing is done twice).
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub task: String,
    pub steps: Vec<Step>,
    pub again: bool,
    /// Made from plain words: then what could not be done is a failure.
    pub plain: bool,
}

/// Reads a prompt.
pub fn read(prompt: &str) -> Script {
    let task = task_of(prompt);
    let again = prompt.contains("An attempt before this one was cut short");
    let mut steps = directives(prompt);
    let plain = steps.is_empty();
    if plain {
        steps = words(&task);
    }
    Script { task, steps, again, plain }
}

/// The task in the prompt of a run, or the whole prompt of a person.
fn task_of(prompt: &str) -> String {
    let prompt = prompt.trim();
    match prompt.strip_prefix("Do this one task in the current directory:") {
        Some(rest) => rest.trim_start().split("\n\n").next().unwrap_or_default().trim().to_owned(),
        None => prompt.to_owned(),
    }
}

fn directives(prompt: &str) -> Vec<Step> {
    static PATTERN: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        Regex::new(
            r"(?s)\[\[(text|think|write|append|edit|delete|read|bash|slow|error|crash|exit|hang|silent|garbage|lines|ask|todo|title|usage|context|limit|retry|torn)(?:\s+((?:\\.|[^\]\\]|\][^\]])*))?\]\]",
        )
        .ok()
    });
    let Some(pattern) = pattern else { return Vec::new() };
    pattern
        .captures_iter(prompt)
        .map(|found| directive(&found[1], found.get(2).map_or("", |argument| argument.as_str())))
        .collect()
}

fn directive(name: &str, argument: &str) -> Step {
    let argument = argument.trim();
    let (head, rest) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    let (path, content) = (unescape(head), unescape(rest));
    match name {
        "text" => Step::Say(unescape(argument)),
        "think" => Step::Think(unescape(argument)),
        "write" => Step::Write { path, content },
        "append" => Step::Append { path, content },
        "edit" => {
            let (old, new) = rest.split_once(" => ").unwrap_or((rest, ""));
            Step::Edit { path, old: unescape(old), new: unescape(new) }
        }
        "delete" => Step::Delete { path },
        "read" => Step::Read { path },
        "bash" => Step::Shell(unescape(argument)),
        "slow" => Step::Slow(head.parse().unwrap_or(2.0_f64).clamp(0.0, 3600.0)),
        "error" => error(head, seconds(rest), times(rest)),
        "crash" => Step::Crash { times: times(argument) },
        "exit" => Step::Exit(head.parse().unwrap_or(0)),
        "hang" => Step::Hang,
        "garbage" => Step::Garbage(head.parse().unwrap_or(10)),
        "lines" => Step::Say(lines(head.parse().unwrap_or(100).min(MOST_LINES))),
        "ask" => {
            let mut parts = argument.split('|').map(|part| unescape(part.trim()));
            let question = parts.next().unwrap_or_default();
            Step::Ask { question, answers: parts.filter(|answer| !answer.is_empty()).collect() }
        }
        "todo" => Step::Todo(argument.split('|').filter_map(todo).collect()),
        "title" => Step::Title(unescape(argument)),
        "usage" => {
            let mut words = argument.split_whitespace();
            let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            let (input_tokens, output_tokens) = (number(), number());
            let cost_usd = argument.split_whitespace().nth(2).and_then(|word| word.parse().ok());
            Step::Usage(Usage { input_tokens, output_tokens, cost_usd, ..Usage::default() })
        }
        "context" => Step::Context {
            used: head.parse().unwrap_or(0),
            window: rest.trim().parse().unwrap_or(WINDOW),
        },
        "limit" => Step::Limit {
            percent: head.trim_end_matches('%').parse().unwrap_or(0),
            seconds: seconds(rest).unwrap_or(3600),
        },
        "retry" => Step::Retry {
            seconds: head.parse().unwrap_or(2.0_f64).clamp(0.0, 3600.0),
            because: if rest.is_empty() { "overloaded".to_owned() } else { unescape(rest) },
        },
        "torn" => Step::Torn { times: times(argument) },
        _ => Step::Silent,
    }
}

fn times(argument: &str) -> Option<u32> {
    argument.split_whitespace().find_map(|word| word.strip_prefix('x')?.parse().ok())
}

fn seconds(argument: &str) -> Option<u64> {
    argument.split_whitespace().find_map(|word| word.parse().ok())
}

/// An item of a list: `x` before it when it is done, `>` while it is being done.
fn todo(item: &str) -> Option<Todo> {
    let item = item.trim();
    let (state, text) = match (item.strip_prefix("x "), item.strip_prefix("> ")) {
        (Some(text), _) => (TodoState::Done, text),
        (_, Some(text)) => (TodoState::Doing, text),
        _ => (TodoState::Open, item),
    };
    (!text.is_empty()).then(|| Todo { text: unescape(text.trim()), state })
}

/// An answer of that many lines, with a bit of everything that markdown has.
fn lines(count: u32) -> String {
    let mut text = String::new();
    for line in 1..=count {
        let next = match line % 20 {
            1 => format!("## Part {}", line / 20 + 1),
            2 | 9 | 15 | 19 => String::new(),
            3..=8 => {
                format!("{line}. Item **{line}** with `code_{line}` and some plain words after it.")
            }
            10 => "```rust".to_owned(),
            11..=13 => format!("let line_{line} = {line}; // said by the demo agent"),
            14 => "```".to_owned(),
            _ => format!(
                "Line {line} of {count}: plain words that are long enough to be wrapped somewhere."
            ),
        };
        text.push_str(&next);
        text.push('\n');
    }
    text
}

fn error(code: &str, seconds: Option<u64>, times: Option<u32>) -> Step {
    let (kind, message) = match code {
        "401" | "403" => (FailureKind::Auth, "The key is refused."),
        "404" => (FailureKind::ModelUnknown, "There is no such model."),
        "429" => (FailureKind::Limit { resets_ms: None }, "Too many requests."),
        "plan" => {
            let until = RELATIVE + seconds.unwrap_or(60) * 1000;
            (FailureKind::Limit { resets_ms: Some(until) }, "The plan's limit is reached.")
        }
        "torn" => (FailureKind::Torn, "The answer broke off."),
        "human" => (FailureKind::HumanNeeded, "The terms of use have to be accepted in a browser."),
        "session" => (FailureKind::SessionMissing, "There is no such session."),
        "permission" => (FailureKind::Permission, "This is not allowed here."),
        "refusal" => (FailureKind::Other, REFUSAL),
        "other" => (FailureKind::Other, "Something else went wrong."),
        "credit" => (FailureKind::Billing, "There is no credit left."),
        "context" => (FailureKind::Context, "The prompt is too long for the model."),
        "network" => (FailureKind::Network, "The model's service cannot be reached."),
        _ => (FailureKind::Overload, "The model's service is overloaded."),
    };
    Step::Fail { kind, message: message.to_owned(), times }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some(c @ (']' | '[' | '\\')) => plain.push(c),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

/// A small change out of plain words.
fn words(task: &str) -> Vec<Step> {
    let sentence =
        task.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("Look around");
    let lower = sentence.to_lowercase();
    let paths = quoted(sentence, '`', '`');
    let path = paths.iter().find(|path| looks_like_a_file(path));
    let said = [('“', '”'), ('"', '"')]
        .iter()
        .find_map(|&(open, close)| quoted(sentence, open, close).into_iter().next());

    let plan = Step::Think(format!(
        "The task is: {sentence} I look at what is there and change one file."
    ));
    let (act, done) = match path {
        Some(path) if lower.starts_with("delete") || lower.starts_with("remove") => {
            (Step::Delete { path: path.clone() }, format!("Removed {path}."))
        }
        Some(path) if lower.starts_with("append") || lower.starts_with("add a line") => {
            let line = said.unwrap_or_else(|| sentence.to_owned());
            (
                Step::Append { path: path.clone(), content: format!("{line}\n") },
                format!("Added a line to {path}."),
            )
        }
        Some(path) => {
            let content = said.map_or_else(|| draft(path, sentence), |said| format!("{said}\n"));
            (Step::Write { path: path.clone(), content }, format!("Wrote {path}."))
        }
        None => (
            Step::Append { path: "NOTES.md".to_owned(), content: format!("- {sentence}\n") },
            "Added a note to NOTES.md.".to_owned(),
        ),
    };
    vec![plan, act, Step::Say(done)]
}

fn quoted(text: &str, open: char, close: char) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find(open) {
        let inner = &rest[begin + open.len_utf8()..];
        let Some(end) = inner.find(close) else { break };
        found.push(inner[..end].to_owned());
        rest = &inner[end + close.len_utf8()..];
    }
    found
}

fn looks_like_a_file(text: &str) -> bool {
    let harmless = !text.contains(char::is_whitespace) && !text.starts_with(['-', '$', '/']);
    let name = text.rsplit('/').next().unwrap_or_default();
    let known = ["README", "LICENSE", "Makefile", "Dockerfile", ".gitignore"].contains(&name);
    harmless
        && (known
            || name.split_once('.').is_some_and(|(stem, ending)| {
                !stem.is_empty() && !ending.is_empty() && ending.chars().all(char::is_alphanumeric)
            }))
}

/// A first version of a file, in its language.
fn draft(path: &str, sentence: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let word: String = stem.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    match ending {
        "md" => {
            let mut title = stem.replace(['-', '_'], " ");
            if let Some(first) = title.get(..1).map(str::to_uppercase) {
                title.replace_range(..1, &first);
            }
            format!("# {title}\n\n{sentence}\n")
        }
        "rs" => {
            format!("//! {sentence}\n\npub fn {word}() -> &'static str {{\n    \"{word}\"\n}}\n")
        }
        "py" => format!("\"\"\"{sentence}\"\"\"\n\n\ndef {word}():\n    return \"{word}\"\n"),
        "sh" => format!("#!/bin/sh\n# {sentence}\nset -eu\necho {word}\n"),
        "js" | "ts" => format!("// {sentence}\nexport const {word} = () => \"{word}\";\n"),
        "json" => format!("{{\n  \"name\": \"{word}\"\n}}\n"),
        "toml" => format!("# {sentence}\nname = \"{word}\"\n"),
        _ => format!("{sentence}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_in_order() {
        let check =
            |prompt: &str, steps: &[Step]| assert_eq!(read(prompt).steps, steps, "{prompt}");
        check(
            r"Please [[write a/b.txt one\ntwo]] and [[bash echo [x\]\] | cat]] [[text Done.]]",
            &[
                Step::Write { path: "a/b.txt".into(), content: "one\ntwo".into() },
                Step::Shell("echo [x]] | cat".into()),
                Step::Say("Done.".into()),
            ],
        );
        check("[[hang]]", &[Step::Hang]);
        check("[[crash x2]]", &[Step::Crash { times: Some(2) }]);
        check(
            "[[error 429 x1]]",
            &[Step::Fail {
                kind: FailureKind::Limit { resets_ms: None },
                message: "Too many requests.".into(),
                times: Some(1),
            }],
        );
        check(
            "[[error plan 90 x2]]",
            &[Step::Fail {
                kind: FailureKind::Limit { resets_ms: Some(RELATIVE + 90_000) },
                message: "The plan's limit is reached.".into(),
                times: Some(2),
            }],
        );
        check(
            "[[ask Which one? | The left | The right]] [[title A name]] [[context 7 10]] [[torn x1]]",
            &[
                Step::Ask {
                    question: "Which one?".into(),
                    answers: vec!["The left".into(), "The right".into()],
                },
                Step::Title("A name".into()),
                Step::Context { used: 7, window: 10 },
                Step::Torn { times: Some(1) },
            ],
        );
        let todo = |text: &str, state| Todo { text: text.into(), state };
        check(
            "[[todo x Read | > Write | Check | ]]",
            &[Step::Todo(vec![
                todo("Read", TodoState::Done),
                todo("Write", TodoState::Doing),
                todo("Check", TodoState::Open),
            ])],
        );
        check(
            "[[edit f old text => new text]]",
            &[Step::Edit { path: "f".into(), old: "old text".into(), new: "new text".into() }],
        );
    }

    #[test]
    fn plain_words_become_one_change() {
        let act = |task: &str| read(task).steps.swap_remove(1);
        let write =
            |path: &str, content: &str| Step::Write { path: path.into(), content: content.into() };
        assert_eq!(act("Write `hi.txt` that says “Hello”."), write("hi.txt", "Hello\n"));
        assert_eq!(
            act("Create `docs/first-steps.md` for new users."),
            write(
                "docs/first-steps.md",
                "# First steps\n\nCreate `docs/first-steps.md` for new users.\n"
            )
        );
        assert_eq!(act("Remove `old.txt`"), Step::Delete { path: "old.txt".into() });
        assert_eq!(
            act("Think about tests"),
            Step::Append { path: "NOTES.md".into(), content: "- Think about tests\n".into() }
        );
        assert_eq!(
            act("Run `cargo test` and `-rf /`"),
            Step::Append {
                path: "NOTES.md".into(),
                content: "- Run `cargo test` and `-rf /`\n".into()
            }
        );
    }

    #[test]
    fn a_runs_prompt_is_reduced_to_its_task() {
        let prompt = "Do this one task in the current directory:\n\nWrite `a.txt`\n\nIt is a task of \
                      the checklist t.md, line 3.\n\nAn attempt before this one was cut short.";
        let script = read(prompt);
        assert_eq!(script.task, "Write `a.txt`");
        assert!(script.again);
    }
}
