//! What an entry may take: what a provider sends beyond it is cut, with a mark that says so.

use super::{Ask, Body, Change, INPUT_LIMIT, OUTPUT_LIMIT, Request, TEXT_LIMIT, Todo, Tool};
use crate::text::clean;
use crate::turn::Failure;

/// The longest title of a tool call, in characters.
const TITLE: usize = 400;
/// The longest name, id or other word, in characters.
const WORD: usize = 200;
/// The longest sentence, in characters.
const SENTENCE: usize = 4_000;
/// The most files that one tool call or request lists.
const CHANGES: usize = 200;
/// The most items of an agent's list.
const TODO: usize = 200;
/// The most questions of a request, and the most answers to choose from.
const CHOICES: usize = 32;

/// The last place between two characters that is not behind this one.
#[must_use]
pub fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The first place between two characters that is not before this one.
#[must_use]
pub fn ceil(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// The first `most` bytes of a text at most, cut between characters and at the end of a line where one is
/// near, and how many bytes were left out.
fn head(text: &str, most: usize) -> (&str, usize) {
    if text.len() <= most {
        return (text, 0);
    }
    let mut end = floor(text, most);
    if let Some(line) = text[..end].rfind('\n')
        && end - line < 4096
        && line > 0
    {
        end = line;
    }
    (&text[..end], text.len() - end)
}

/// The beginning of a text, and a mark where it was cut.
#[must_use]
pub fn beginning(text: String, most: usize) -> String {
    match head(&text, most) {
        (_, 0) => text,
        (kept, cut) => format!("{kept}\n[… {cut} more bytes are not kept]"),
    }
}

/// The beginning and the end of a text, and a mark where it was cut.
#[must_use]
pub fn both_ends(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let (first, _) = head(&text, most / 2);
    let mut from = ceil(&text, text.len() - most / 2);
    if let Some(line) = text[from..].find('\n')
        && line < 4096
    {
        from += line + 1;
    }
    joined(first, from - first.len(), &text[from..])
}

/// Two ends of something of which so many bytes between them were left out.
#[must_use]
pub fn joined(first: &str, cut: usize, last: &str) -> String {
    format!("{}\n[… {cut} bytes are not kept …]\n{last}", first.trim_end_matches('\n'))
}

/// A body within its bounds.
#[must_use]
pub fn body(body: Body) -> Body {
    match body {
        Body::Prompt(mut prompt) => {
            prompt.text = beginning(prompt.text, TEXT_LIMIT);
            Body::Prompt(prompt)
        }
        Body::Text(text) => Body::Text(beginning(text, TEXT_LIMIT)),
        Body::Thinking(text) => Body::Thinking(beginning(text, TEXT_LIMIT)),
        Body::Raw(text) => Body::Raw(beginning(text, TEXT_LIMIT)),
        Body::Notice(text) => Body::Notice(beginning(text, SENTENCE)),
        Body::Tool(call) => Body::Tool(tool(call)),
        Body::Todo(items) => Body::Todo(
            items
                .into_iter()
                .take(TODO)
                .map(|item| Todo { text: clean(&item.text, TITLE), ..item })
                .collect(),
        ),
        Body::Request { request: asked, answer } => {
            Body::Request { request: request(asked), answer }
        }
        Body::Failed(failed) => Body::Failed(failure(failed)),
        Body::Ended(ended) => Body::Ended(ended),
    }
}

/// A failure with a sentence of bounded length.
#[must_use]
pub fn failure(failure: Failure) -> Failure {
    Failure { message: clean(&failure.message, SENTENCE), ..failure }
}

fn tool(tool: Tool) -> Tool {
    Tool {
        call: word(&tool.call),
        name: clean(&tool.name, WORD),
        title: clean(&tool.title, TITLE),
        input: beginning(tool.input, INPUT_LIMIT),
        output: both_ends(tool.output, OUTPUT_LIMIT),
        changes: changes(tool.changes),
        parent: tool.parent.as_deref().map(word),
        ..tool
    }
}

fn changes(changes: Vec<Change>) -> Vec<Change> {
    // All diffs of one entry together take no more than one may.
    let mut left = OUTPUT_LIMIT;
    changes
        .into_iter()
        .take(CHANGES)
        .map(|change| {
            let diff =
                if change.diff.len() <= left { change.diff } else { beginning(change.diff, left) };
            left = left.saturating_sub(diff.len());
            Change { path: clean(&change.path, 4096), diff, ..change }
        })
        .collect()
}

/// A request within its bounds.
#[must_use]
pub fn request(request: Request) -> Request {
    let ask = match request.ask {
        Ask::Command { command, directory } => {
            Ask::Command { command: beginning(command, INPUT_LIMIT), directory }
        }
        Ask::Edit(changed) => Ask::Edit(changes(changed)),
        Ask::Tool { name, input } => {
            Ask::Tool { name: clean(&name, WORD), input: beginning(input, INPUT_LIMIT) }
        }
        Ask::Plan(plan) => Ask::Plan(beginning(plan, TEXT_LIMIT / 4)),
        Ask::Questions(questions) => Ask::Questions(
            questions
                .into_iter()
                .take(CHOICES)
                .map(|mut question| {
                    question.header = clean(&question.header, WORD);
                    question.text = beginning(question.text, SENTENCE);
                    question.options.truncate(CHOICES);
                    for (option, meaning) in &mut question.options {
                        *meaning = clean(meaning, SENTENCE);
                        // Given back to the provider as it is, so only its length is bounded.
                        let end = floor(option, SENTENCE);
                        option.truncate(end);
                    }
                    question
                })
                .collect(),
        ),
    };
    Request {
        ask,
        why: beginning(request.why, SENTENCE),
        always: request.always.map(|always| clean(&always, TITLE)),
        ..request
    }
}

/// An id of somebody else's: compared, never shown.
fn word(text: &str) -> String {
    text[..floor(text, WORD * 4)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(beginning("short".into(), 10), "short");
        assert_eq!(beginning("ab\ncdefgh".into(), 5), "ab\n[… 7 more bytes are not kept]");
        assert_eq!(beginning("ääää".into(), 5), "ää\n[… 4 more bytes are not kept]");
        assert_eq!(both_ends("0123456789".into(), 10), "0123456789");
        assert_eq!(both_ends("0123456789a".into(), 4), "01\n[… 7 bytes are not kept …]\n9a");
        let long = "x".repeat(OUTPUT_LIMIT * 3);
        let kept = both_ends(long, OUTPUT_LIMIT);
        assert!(kept.len() < OUTPUT_LIMIT + 100 && kept.contains("are not kept"));
    }
}
