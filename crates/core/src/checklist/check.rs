//! What can be said about documents before they are run.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{Document, Needs, Task, Unresolved};
use crate::playbook::{Finding, FindingKind};
use crate::text::clean;

/// The most findings of one check. Who has more has one mistake many times.
const MAX: usize = 500;
/// How much of a task is quoted, in characters.
const QUOTED: usize = 80;

/// Looks documents over: fields that cannot be read, needs that name no task or several, tasks that need
/// each other, open tasks that read alike, and those that look as if only a person could do them. In the
/// order of documents and lines.
#[must_use]
pub fn check(documents: &[(PathBuf, &Document)]) -> Vec<Finding> {
    let needs = Needs::new(documents.iter().map(|(_, document)| *document));
    let mut findings = Findings { documents, list: Vec::new() };
    let mut edges: HashMap<Place, Vec<Place>> = HashMap::new();
    for (at, (_, document)) in documents.iter().enumerate() {
        let mut seen: HashMap<&str, u32> = HashMap::new();
        for (place, task) in document.tasks().iter().enumerate() {
            let here = (at, place);
            for problem in &task.fields.problems {
                findings.add(here, FindingKind::Field, format!("{problem}."));
            }
            for need in &task.fields.needs {
                match needs.resolve(at, place, need) {
                    Ok(needed) => edges.entry(here).or_default().push(needed),
                    Err(why) => findings.add(here, FindingKind::UnknownNeed, unresolved(need, why)),
                }
            }
            if task.checked {
                continue;
            }
            if let Some(line) = seen.insert(&task.text, task.line) {
                let text = format!("{} reads like the task in line {line}.", name(task));
                findings.add(here, FindingKind::Duplicate, text);
            }
            if let Some(why) = human(task) {
                let text =
                    format!("{} looks as if only a person could do it: it {why}.", name(task));
                findings.add(here, FindingKind::HumanOnly, text);
            }
        }
    }
    for cycle in cycles(&edges) {
        let names: Vec<String> = cycle.iter().map(|at| name(findings.task(*at))).collect();
        let text = match names.as_slice() {
            [one] => format!("{one} needs itself."),
            several => format!("These tasks need each other: {}.", several.join(" → ")),
        };
        findings.add(cycle[0], FindingKind::Cycle, text);
    }
    findings.sorted()
}

/// A task: its document and its number there.
type Place = (usize, usize);

struct Findings<'a> {
    documents: &'a [(PathBuf, &'a Document)],
    list: Vec<(Place, Finding)>,
}

impl<'a> Findings<'a> {
    fn task(&self, (document, place): Place) -> &'a Task {
        &self.documents[document].1.tasks()[place]
    }

    fn add(&mut self, at: Place, kind: FindingKind, text: String) {
        if self.list.len() < MAX {
            let document = self.documents[at.0].0.clone();
            let line = self.task(at).line;
            self.list.push((at, Finding { document, line, kind, text }));
        }
    }

    fn sorted(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|(at, _)| *at);
        self.list.into_iter().map(|(_, finding)| finding).collect()
    }
}

fn name(task: &Task) -> String {
    format!("“{}”", clean(task.title(), QUOTED))
}

fn unresolved(need: &str, why: Unresolved) -> String {
    let need = clean(need, QUOTED);
    match why {
        Unresolved::Unknown => format!("`needs: {need}` names no task."),
        Unresolved::Several => format!(
            "`needs: {need}` names several tasks; give the one that is meant an id such as {{#name}}."
        ),
    }
}

/// The circles of needs, each once, from the task that comes first.
fn cycles(edges: &HashMap<Place, Vec<Place>>) -> Vec<Vec<Place>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Under,
        Through,
    }
    let mut seen: HashMap<Place, Seen> = HashMap::new();
    let mut cycles = Vec::new();
    let mut starts: Vec<Place> = edges.keys().copied().collect();
    starts.sort_unstable();
    for start in starts {
        if seen.contains_key(&start) {
            continue;
        }
        // The way to where we are, each with how many of its needs have been followed.
        let mut way: Vec<(Place, usize)> = vec![(start, 0)];
        let _ = seen.insert(start, Seen::Under);
        while let Some((at, followed)) = way.last_mut() {
            let next = edges.get(at).and_then(|needs| needs.get(*followed)).copied();
            *followed += 1;
            let Some(next) = next else {
                let _ = seen.insert(*at, Seen::Through);
                let _ = way.pop();
                continue;
            };
            match seen.get(&next) {
                None => {
                    let _ = seen.insert(next, Seen::Under);
                    way.push((next, 0));
                }
                Some(Seen::Under) => {
                    let from = way.iter().position(|(at, _)| *at == next).unwrap_or(0);
                    let mut cycle: Vec<Place> = way[from..].iter().map(|(at, _)| *at).collect();
                    let first = (0..cycle.len()).min_by_key(|at| cycle[*at]).unwrap_or(0);
                    cycle.rotate_left(first);
                    cycles.push(cycle);
                }
                Some(Seen::Through) => {}
            }
        }
    }
    cycles
}

/// What a task says that no program can do, as the end of a sentence. Words, not certainty: a run does
/// the task all the same.
fn human(task: &Task) -> Option<&'static str> {
    let words: Vec<String> = task
        .title()
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let line = format!(" {} ", words.join(" "));
    PHRASES.iter().find_map(|(why, phrases)| {
        phrases.iter().any(|phrase| has_words(&line, phrase)).then_some(*why)
    })
}

/// Whether a line of words, each between blanks, has a phrase of whole words.
fn has_words(line: &str, phrase: &str) -> bool {
    line.match_indices(phrase)
        .any(|(at, _)| line[..at].ends_with(' ') && line[at + phrase.len()..].starts_with(' '))
}

/// Phrases by what they ask for.
const PHRASES: &[(&str, &[&str])] = &[
    (
        "asks for something to be done by hand",
        &[
            "manually",
            "by hand",
            "in person",
            "on paper",
            "a human must",
            "human review",
            "human check",
        ],
    ),
    (
        "asks for eyes",
        &[
            "looks right",
            "looks good",
            "look and feel",
            "visually check",
            "visually verify",
            "visual check",
            "eyeball",
            "on a real device",
            "on a real phone",
            "take a screenshot",
        ],
    ),
    (
        "waits for somebody",
        &[
            "wait for",
            "ask the team",
            "ask legal",
            "ask the customer",
            "ask the client",
            "talk to",
            "discuss with",
            "meet with",
            "schedule a meeting",
            "schedule a call",
            "hear back",
            "get feedback",
            "follow up with",
        ],
    ),
    (
        "needs somebody's approval",
        &[
            "approval",
            "approve",
            "sign off",
            "signed off",
            "get permission",
            "stakeholder",
            "stakeholders",
        ],
    ),
    (
        "needs an account or a secret",
        &[
            "create an account",
            "sign up for",
            "log in to",
            "log into",
            "api key from",
            "buy",
            "purchase",
            "pay for",
            "enter the password",
            "credentials from",
            "two factor",
            "captcha",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(documents: &[&str]) -> Vec<(String, u32, FindingKind)> {
        let parsed: Vec<Document> = documents
            .iter()
            .map(|text| Document::parse(text.as_bytes().to_vec()).expect("a checklist"))
            .collect();
        let named: Vec<(PathBuf, &Document)> = parsed
            .iter()
            .enumerate()
            .map(|(at, document)| (PathBuf::from(format!("{at}.md")), document))
            .collect();
        let findings = check(&named).into_iter();
        findings
            .map(|finding| (finding.document.display().to_string(), finding.line, finding.kind))
            .collect()
    }

    #[test]
    fn what_stands_in_the_way_of_a_run_is_found() {
        use FindingKind::{Cycle, Duplicate, Field, HumanOnly, UnknownNeed};
        for (documents, expected) in [
            (&["- [ ] a\n- [ ] b\n  needs: a\n"][..], &[][..]),
            (&["- [ ] a\n  timeout: soon\n"], &[(0, 1, Field)]),
            (&["- [ ] a\n  needs: b\n"], &[(0, 1, UnknownNeed)]),
            (&["- [ ] a\n  needs: #x\n", "- [x] b {#x}\n"], &[]),
            (&["- [ ] a\n  needs: x\n", "- [ ] b {#x}\n- [ ] c {#x}\n"], &[(0, 1, UnknownNeed)]),
            (&["- [ ] a\n  needs: 1\n"], &[(0, 1, Cycle)]),
            (
                &[
                    "- [ ] o\n- [ ] a {#a}\n  needs: c\n",
                    "- [ ] b {#b}\n  needs: a\n- [ ] c {#c}\n  needs: b\n",
                ],
                &[(0, 2, Cycle)],
            ),
            (&["- [ ] a\n- [ ] a\n- [x] b\n- [ ] b\n"], &[(0, 2, Duplicate)]),
            (&["- [ ] Get approval from Ann\n- [x] Wait for Bob\n"], &[(0, 1, HumanOnly)]),
            (&["- [ ] Improve the approvals page\n- [ ] Await the future\n"], &[]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(at, line, kind)| (format!("{at}.md"), *line, *kind))
                .collect();
            assert_eq!(found(documents), expected, "{documents:?}");
        }
    }

    #[test]
    fn many_tasks_are_checked_in_reasonable_time_and_findings_are_bounded() {
        let list: String =
            (0..50_000).map(|n| format!("- [ ] t\n  needs: {}\n", n % 50_000 + 2)).collect();
        let findings = found(&[&list]);
        assert_eq!(findings.len(), MAX);
    }
}
