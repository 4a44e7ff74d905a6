//! What a session is told about its task.
//!
//! The words are a template, which is data: names in double braces are filled in, in one pass, so that
//! nothing in a task or a document is taken for a name of the template. A paragraph in which a name of the
//! task stays empty is left out. What a task and its document say is filled in with the variables of the
//! run before; the file keeps its names.

use crate::playbook::variables::Variables;

/// What sessions are told when nobody has written a template of their own.
pub const TEMPLATE: &str = "\
Do this one task in the current directory:

{{task}}

{{details}}

It is a task of the checklist {{document}}, line {{line}}.

It stands under the heading “{{section}}”.

What the checklist says besides its tasks:
{{prose}}

How to go about it:
- Do only this task. The other boxes of the checklist have their own turns.
- Look at what is there before you change it. If the task is already done, say so and stop.
- Do not tick, untick, reword or remove tasks in the checklist: Maestro ticks this one after it has \
checked the result. Work that you find necessary beyond this task may be added as new `- [ ]` lines.
- Nobody can answer questions. Decide sensibly, and say what you decided.
- Finish what you start; leave nothing running in the background.
- End with one sentence that says what is different now. If you could not do it, say why.
- Only if no further task can be done without a person, add a line \
`<!-- maestro:halt why -->` to the checklist: that ends the whole run.

When you are finished, this command is run in the current directory, and the task counts only if it \
exits with 0:
{{verify}}

An attempt before this one was cut short{{interrupted}}. Part of the work may be there already: look \
first, and do not do anything twice.

An attempt before this one did not succeed:
{{previous}}
";

/// What a session is told when it goes on with the next task of its document.
pub const NEXT: &str = "\
That task is through. Now do the next one, in the same directory and by the same rules:

{{task}}

{{details}}

It is in {{document}}, line {{line}}.

It stands under the heading “{{section}}”.

When you are finished, this command is run in the current directory, and the task counts only if it \
exits with 0:
{{verify}}

It was cut short before{{interrupted}}. Part of the work may be there already: look first, and do not do \
anything twice.

An attempt before this one did not succeed:
{{previous}}
";

/// What a session is told when what it did does not hold.
pub const REPAIR: &str = "\
The task is not done yet:

{{task}}

Maestro checked what you did, and it does not hold:
{{previous}}

Find the cause and set it right. Change what is wrong, not the check. Leave the boxes of the checklist \
{{document}} as they are. End with one sentence that says what is different now, or why it cannot be done.

When you are finished, this command is run again, and the task counts only if it exits with 0:
{{verify}}
";

/// What comes before a template that does not name the task.
const NAMED: &str = "\
Do this one task of the checklist {{document}}, line {{line}}, in the current directory:

{{task}}

{{details}}

";

/// Longest text of a document or an earlier failure that goes into a prompt, in bytes. The session can
/// read the document itself; a prompt of megabytes costs every session the same again.
const MAX_PART: usize = 16 * 1024;

/// What a template can name beside the [`Variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts<'a> {
    /// The text behind the box.
    pub task: &'a str,
    /// The indented lines under it.
    pub details: &'a str,
    /// The document's path.
    pub document: &'a str,
    /// The line of the box.
    pub line: u32,
    /// The heading above it.
    pub section: Option<&'a str>,
    /// The document without its tasks.
    pub prose: &'a str,
    /// The command that decides.
    pub verify: Option<&'a str>,
    /// Whether an attempt at the same task was cut short.
    pub interrupted: bool,
    /// Why the attempt before failed.
    pub previous: Option<&'a str>,
}

impl Facts<'_> {
    fn get(&self, name: &str) -> Option<String> {
        Some(match name {
            "task" => shortened(self.task),
            "details" => shortened(self.details),
            "document" => self.document.to_owned(),
            "line" => self.line.to_string(),
            "section" => shortened(self.section.unwrap_or_default()),
            "prose" => shortened(self.prose),
            "verify" => self.verify.unwrap_or_default().to_owned(),
            "interrupted" => {
                if self.interrupted { " (Maestro itself was ended)" } else { "" }.to_owned()
            }
            "previous" => shortened(self.previous.unwrap_or_default()),
            _ => return None,
        })
    }
}

/// A template of somebody else's, which says what the task is in any case.
#[must_use]
pub fn naming_the_task(template: &str) -> String {
    let template = template.replace("\r\n", "\n");
    let names_it = template
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .any(|(name, _)| name.trim().eq_ignore_ascii_case("task"));
    if names_it { template } else { format!("{NAMED}{template}") }
}

/// The template with the facts and the variables filled in.
#[must_use]
pub fn render(template: &str, facts: &Facts<'_>, variables: &Variables) -> String {
    let template = template.replace("\r\n", "\n");
    // Cut first: filling in what is left out again would be work for nothing.
    let expanded = |text: &str| variables.expand(&shortened(text));
    let (task, details) = (expanded(facts.task), expanded(facts.details));
    let section = facts.section.map(expanded);
    let prose = expanded(facts.prose);
    let facts = Facts {
        task: &task,
        details: &details,
        section: section.as_deref(),
        prose: &prose,
        ..*facts
    };
    let paragraphs: Vec<String> = template
        .split("\n\n")
        .filter_map(|paragraph| fill(paragraph.trim_matches('\n'), &facts, variables))
        .collect();
    paragraphs.join("\n\n")
}

/// A paragraph filled in; `None` when a name in it stays empty. An unknown name stays as it is.
fn fill(paragraph: &str, facts: &Facts<'_>, variables: &Variables) -> Option<String> {
    let mut text = String::new();
    let mut rest = paragraph;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            text.push_str("{{");
            rest = after;
            continue;
        };
        let name_of = name.trim().to_ascii_lowercase();
        match facts.get(&name_of) {
            Some(value) if value.is_empty() => return None,
            Some(value) => text.push_str(&value),
            None => match variables.get(&name_of) {
                Some(value) => text.push_str(&value),
                None => {
                    text.push_str("{{");
                    text.push_str(name);
                    text.push_str("}}");
                }
            },
        }
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

/// The beginning of a text that is too long, cut between characters.
fn shortened(text: &str) -> String {
    if text.len() <= MAX_PART {
        return text.to_owned();
    }
    let end = (0..=MAX_PART).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}\n[shortened]", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_whose_name_stays_empty_is_left_out() {
        let template = "Do {{task}}.\n\nVerify: {{verify}}\n\nEnd {{unknown}} {{ task }} {{open";
        for (facts, expected) in [
            (Facts { task: "a", ..Facts::default() }, "Do a.\n\nEnd {{unknown}} a {{open"),
            (
                Facts { task: "a {{verify}}", verify: Some("v"), ..Facts::default() },
                "Do a {{verify}}.\n\nVerify: v\n\nEnd {{unknown}} a {{verify}} {{open",
            ),
        ] {
            assert_eq!(render(template, &facts, &Variables::default()), expected);
        }
    }

    #[test]
    fn the_template_names_the_task_and_how_it_is_checked() {
        let facts = Facts {
            task: "Write it",
            document: "/d/tasks.md",
            line: 3,
            verify: Some("make check"),
            ..Facts::default()
        };
        let prompt = render(TEMPLATE, &facts, &Variables::default());
        assert!(prompt.contains("Write it") && prompt.contains("make check"), "{prompt}");
        assert!(!prompt.contains("{{") && !prompt.contains("cut short"), "{prompt}");
        assert!(!prompt.contains("did not succeed"), "{prompt}");
        let prompt = render(
            TEMPLATE,
            &Facts { interrupted: true, previous: Some("no"), ..facts },
            &Variables::default(),
        );
        assert!(
            prompt.contains("cut short") && prompt.contains("did not succeed:\nno"),
            "{prompt}"
        );
    }

    #[test]
    fn long_parts_are_cut_between_characters() {
        let prose = "ä".repeat(MAX_PART);
        let prompt = render(
            "{{prose}}",
            &Facts { prose: &prose, ..Facts::default() },
            &Variables::default(),
        );
        assert!(prompt.len() < MAX_PART + 20);
        assert!(prompt.ends_with("ä\n[shortened]"));
    }

    #[test]
    fn variables_are_filled_in_where_something_is_said_and_nowhere_else() {
        let variables = Variables { agent_name: "Ann".to_owned(), pass: 3, ..Variables::default() };
        let facts = Facts {
            task: "Ask {{AGENT_NAME}} about {{unknown}}",
            verify: Some("test {{pass}} = 3"),
            ..Facts::default()
        };
        for (template, expected) in [
            ("{{Task}}, {{pass}}", "Ask Ann about {{unknown}}, 3"),
            // An empty variable leaves no paragraph out.
            ("On {{git_branch}}.", "On ."),
            // What runs is what was agreed to.
            ("{{verify}}", "test {{pass}} = 3"),
            ("{{details}}", ""),
        ] {
            assert_eq!(render(template, &facts, &variables), expected, "{template}");
        }
    }

    #[test]
    fn no_template_can_leave_the_task_out() {
        let facts = Facts { task: "Do it", document: "/d/a.md", line: 2, ..Facts::default() };
        for (template, begins) in [
            ("Be brief.", "Do this one task of the checklist /d/a.md, line 2"),
            ("Now: {{ TASK }}. Be brief.", "Now: Do it."),
            ("", "Do this one task"),
        ] {
            let prompt = render(&naming_the_task(template), &facts, &Variables::default());
            assert!(prompt.starts_with(begins) && prompt.contains("Do it"), "{prompt}");
        }
    }
}
