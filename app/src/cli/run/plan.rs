//! What a run would do, told without doing it.

use std::path::Path;

use maestro_core::playbook::{Plan, Planned};
use maestro_core::run::Spec;
use serde_json::{Value, json};

use super::super::failure::{Code, Failure, Result};
use super::super::output::{self, Out, now_ms};
use super::options::Start;
use super::steps::title;

/// Tells it; refused when something stands in the way of a run.
pub fn tell(plan: &Plan, spec: &Spec, arguments: &Start, out: &mut Out) -> Result<()> {
    let hindered = hindrances(plan, arguments);
    if arguments.following.jsonl || out.json {
        let object = object(plan, spec, &hindered);
        let told =
            if arguments.following.jsonl { out.json_line(&object) } else { out.value(&object) };
        told?;
    } else {
        for line in lines(plan, spec, arguments.following.hear) {
            out.line(&line)?;
        }
    }
    match hindered.first() {
        None => Ok(()),
        Some(first) => {
            let more = match hindered.len() {
                1 => String::new(),
                number => format!(" (and {} more)", number - 1),
            };
            Err(Failure::new(Code::Refused, format!("{}{more}", output::plain(first))))
        }
    }
}

/// What a run would be refused for, or fail by.
fn hindrances(plan: &Plan, arguments: &Start) -> Vec<String> {
    let findings = plan.findings.iter().filter(|finding| finding.kind.is_error()).map(|finding| {
        format!("{}:{}: {}", finding.document.display(), finding.line, finding.text)
    });
    let ways = "With --queue the run waits; with --new-worktree it works in a worktree of its own.";
    let held = plan.in_use.iter().map(|holder| format!("{holder} {ways}"));
    let mut all: Vec<String> = plan.obstacles.iter().cloned().chain(held).chain(findings).collect();
    let agreed = plan.is_trusted || arguments.yes || arguments.trust;
    if !agreed {
        let sentence =
            "agree to what it runs and says first, with --trust, or with --yes for one run";
        all.push(sentence.to_owned());
    }
    if plan.tasks.is_empty() {
        all.push("no task is open in these documents".to_owned());
    }
    all
}

fn object(plan: &Plan, spec: &Spec, hindered: &[String]) -> Value {
    json!({
        "type": "plan",
        "run": null,
        "timestamp": now_ms(),
        "success": hindered.is_empty(),
        "directory": spec.directory,
        "provider": spec.provider,
        "documents": spec.documents,
        "tasks": plan.tasks.iter().map(task).collect::<Vec<_>>(),
        "findings": plan.findings,
        "commands": plan.commands,
        "unknown": plan.unknown,
        "hash": plan.hash,
        "trusted": plan.is_trusted,
        "dirty": plan.dirty,
        "obstacles": hindered,
    })
}

fn task(task: &Planned) -> Value {
    let needs = task.needs.iter();
    json!({
        "document": task.document,
        "line": task.line,
        "task": task.text,
        "provider": task.provider,
        "model": task.model,
        "verify": task.verify,
        "needs": needs.map(|(document, line)| json!({ "document": document, "line": line }))
            .collect::<Vec<_>>(),
        "prompt": task.prompt,
    })
}

/// The plan for people; with every prompt if they want to see what would be said.
fn lines(plan: &Plan, spec: &Spec, prompts: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut document: Option<&Path> = None;
    for task in &plan.tasks {
        if document != Some(task.document.as_path()) {
            document = Some(&task.document);
            lines.push(output::plain(&task.document.display().to_string()));
        }
        lines.push(format!("  {:>4}  {}", task.line, title(&task.text)));
        let mut facts = Vec::new();
        if task.provider != spec.provider {
            facts.push(format!("by {}", task.provider.title()));
        }
        facts.extend(task.model.as_ref().map(|model| format!("model {model}")));
        if !task.needs.is_empty() {
            let lines: Vec<String> = task.needs.iter().map(|(_, line)| line.to_string()).collect();
            facts.push(format!("after the task on line {}", lines.join(", ")));
        }
        facts.push(match &task.verify {
            Some(command) => format!("verified by {command}"),
            None => "no command decides about it".to_owned(),
        });
        lines.push(format!("        {}", output::plain(&facts.join(" · "))));
        if prompts {
            let prompt = output::printable(&task.prompt);
            lines.extend(prompt.lines().map(|line| format!("        | {line}")));
        }
    }
    if !plan.findings.is_empty() {
        lines.push(String::new());
    }
    for finding in &plan.findings {
        let mark = if finding.kind.is_error() { '✗' } else { '!' };
        let place = format!("{}:{}", finding.document.display(), finding.line);
        lines.push(format!("{mark} {}", output::plain(&format!("{place}: {}", finding.text))));
    }
    if !plan.unknown.is_empty() {
        lines.push(String::new());
        lines.push("what this playbook says (not agreed to yet):".to_owned());
        let paths = plan.unknown.iter().map(|path| path.display().to_string());
        lines.extend(paths.map(|path| format!("  {}", output::plain(&path))));
    }
    if !plan.commands.is_empty() {
        let agreed = if plan.is_trusted { "agreed to" } else { "not agreed to yet" };
        lines.push(String::new());
        lines.push(format!("commands ({agreed}):"));
        lines.extend(plan.commands.iter().map(|command| format!("  {}", output::plain(command))));
    }
    lines.push(String::new());
    if plan.dirty > 0 {
        lines.push(format!(
            "{} files in {} have uncommitted changes",
            plan.dirty,
            spec.directory.display()
        ));
    }
    let held = plan.obstacles.iter().chain(&plan.in_use);
    lines.extend(held.map(|obstacle| format!("✗ {}", output::plain(obstacle))));
    let tasks = plan.tasks.len();
    let task = if tasks == 1 { "task" } else { "tasks" };
    lines.push(format!("{tasks} {task}; nothing was started"));
    lines
}

#[cfg(test)]
mod tests {
    use maestro_core::agent::Provider;
    use maestro_core::playbook::{Finding, FindingKind};

    use super::super::steps::tests::run;
    use super::*;

    fn planned(line: u32, text: &str, verify: Option<&str>) -> Planned {
        Planned {
            document: "/w/a.md".into(),
            line,
            text: text.to_owned(),
            provider: Provider::Demo,
            model: None,
            verify: verify.map(str::to_owned),
            needs: Vec::new(),
            prompt: "Do\nit\x1b[2J".to_owned(),
        }
    }

    #[test]
    fn a_plan_says_who_does_what_and_what_decides() {
        let mut second = planned(5, "Two\x1b", None);
        second.provider = Provider::Codex;
        second.needs = vec![("/w/a.md".into(), 3)];
        let plan = Plan {
            tasks: vec![planned(3, "One", Some("make")), second],
            findings: vec![Finding {
                document: "/w/a.md".into(),
                line: 5,
                kind: FindingKind::HumanOnly,
                text: "only a person can do that".to_owned(),
            }],
            commands: vec!["make".to_owned()],
            unknown: vec!["/w/a.md".into()],
            dirty: 2,
            ..Plan::default()
        };
        let spec = run(2, 0).spec;
        assert_eq!(
            lines(&plan, &spec, false),
            [
                "/w/a.md",
                "     3  One",
                "        verified by make",
                "     5  Two·",
                "        by Codex · after the task on line 3 · no command decides about it",
                "",
                "! /w/a.md:5: only a person can do that",
                "",
                "what this playbook says (not agreed to yet):",
                "  /w/a.md",
                "",
                "commands (not agreed to yet):",
                "  make",
                "",
                "2 files in /w have uncommitted changes",
                "2 tasks; nothing was started",
            ]
        );
        let with_prompts = lines(&plan, &spec, true).join("\n");
        assert!(
            with_prompts.contains("| Do\n") && with_prompts.contains("| it·[2J"),
            "{with_prompts}"
        );
    }
}
