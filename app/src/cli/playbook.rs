//! `maestro playbook`: folders of checklists, and archives of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use maestro_core::playbook::{Finding, FindingKind, Found};
use maestro_core::run::{Loops, Mode};
use maestro_protocol::message::{Command, Reply};
use serde_json::{Value, json};

use super::Host;
use super::agent::absolute;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};

/// Where a project keeps its playbooks.
const FOLDER: &str = ".maestro/playbooks";
/// The ending of archives.
const ENDING: &str = "maestro-playbook.zip";

#[derive(Debug, Subcommand)]
pub enum Playbooks {
    /// Those of a project, and those that came with Maestro.
    List(InProject),
    /// Make one: a folder with a `playbook.toml` and a first document.
    New(New),
    /// What is in one: its documents, how it is run, and the commands it brings along.
    Show(Which),
    /// Look documents over before they are run: needs that are unknown or go in circles, commands that are
    /// missing, tasks that look as if only a person could do them. Exit code 1 when a run would fail.
    Check(Check),
    /// Unpack a `*.maestro-playbook.zip`. Its commands run only after you have agreed to them.
    Import(Import),
    /// Pack one into a `*.maestro-playbook.zip`.
    Export(Export),
}

#[derive(Debug, Args)]
pub struct InProject {
    /// The project's directory; the current one when absent.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct Which {
    /// Its name or its folder.
    playbook: String,
    /// The project's directory; the current one when absent.
    #[arg(long, short, default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct New {
    /// Its name, for a folder in `.maestro/playbooks`; or the path of its folder.
    name: String,
    /// A copy of this one (its name or its folder) instead of an empty one.
    #[arg(long, value_name = "PLAYBOOK")]
    from: Option<String>,
    /// The project's directory; the current one when absent.
    #[arg(long, short, default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Documents, folders or names of playbooks; all of the project when absent.
    paths: Vec<String>,
    /// The project's directory; the current one when absent.
    #[arg(long, short, default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct Import {
    /// The archive.
    archive: PathBuf,
    /// The name of its folder; made from its own name when absent.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Replace files that are there already.
    #[arg(long)]
    overwrite: bool,
    /// The project's directory; the current one when absent.
    #[arg(long, short, default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct Export {
    /// Its name or its folder.
    playbook: String,
    /// The archive; `NAME.maestro-playbook.zip` here when absent.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there already.
    #[arg(long)]
    overwrite: bool,
    /// The project's directory; the current one when absent.
    #[arg(long, short, default_value = ".")]
    dir: PathBuf,
}

pub fn run(command: Playbooks, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    match command {
        Playbooks::List(InProject { dir }) => list(&all(&mut host, &dir)?, out),
        Playbooks::Show(Which { playbook, dir }) => {
            let found = find(&mut host, &playbook, &dir)?;
            show(&found, out)
        }
        Playbooks::New(new) => {
            let folder = match new.name.contains(['/', '\\']) {
                true => absolute(Path::new(&new.name))?,
                false => absolute(&new.dir)?.join(FOLDER).join(&new.name),
            };
            let from = match new.from {
                Some(from) => Some(find(&mut host, &from, &new.dir)?.folder),
                None => None,
            };
            told(one(host.ask(Command::NewPlaybook { folder, from })?)?, out)
        }
        Playbooks::Check(arguments) => check(&mut host, &arguments, out),
        Playbooks::Import(import) => {
            let command = Command::ImportPlaybook {
                archive: absolute(&import.archive)?,
                into: absolute(&import.dir)?.join(FOLDER),
                name: import.name,
                overwrite: import.overwrite,
            };
            told(one(host.ask(command)?)?, out)
        }
        Playbooks::Export(export) => {
            let found = find(&mut host, &export.playbook, &export.dir)?;
            let named = || PathBuf::from(format!("{}.{ENDING}", name_of(&found.folder)));
            let archive = absolute(&export.output.unwrap_or_else(named))?;
            let command = Command::ExportPlaybook {
                folder: found.folder,
                archive: archive.clone(),
                overwrite: export.overwrite,
            };
            host.tell(command)?;
            match out.json {
                true => out.value(&json!({ "archive": archive })),
                false => out.line(&output::plain(&archive.display().to_string())),
            }
        }
    }
}

fn all(host: &mut Host, dir: &Path) -> Result<Vec<Found>> {
    match host.ask(Command::ListPlaybooks { directory: absolute(dir)? })? {
        Reply::Playbooks(found) => Ok(found),
        other => Err(unexpected(&other)),
    }
}

fn one(reply: Reply) -> Result<Found> {
    match reply {
        Reply::Playbooks(mut found) if found.len() == 1 => Ok(found.remove(0)),
        other => Err(unexpected(&other)),
    }
}

/// The playbook that a user means by its name or its folder. The project's own go before those that came
/// with Maestro.
fn find(host: &mut Host, named: &str, dir: &Path) -> Result<Found> {
    let path = Path::new(named);
    if path.is_dir() {
        let folder = absolute(path)?;
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let here = |found: &Found| found.folder == folder || found.folder == real;
        if let Some(found) = all(host, &folder)?.into_iter().find(here) {
            return Ok(found);
        }
    }
    let found = all(host, dir)?;
    let names: BTreeSet<String> = found.iter().map(|found| output::plain(&called(found))).collect();
    let is_meant = |found: &Found| {
        called(found).eq_ignore_ascii_case(named) || found.playbook.name.eq_ignore_ascii_case(named)
    };
    found.into_iter().find(is_meant).ok_or_else(|| {
        let names: Vec<String> = names.into_iter().collect();
        Failure::failed(format!("there is no playbook `{named}`; there are {}", names.join(", ")))
    })
}

/// What a playbook is called on the command line: its folder, or its only document.
fn called(found: &Found) -> String {
    if found.has_file || found.playbook.documents.len() != 1 {
        return name_of(&found.folder);
    }
    found.playbook.name.clone()
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn list(found: &[Found], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&Value::Array(found.iter().map(value).collect()));
    }
    let row = |found: &Found| {
        let note = match (&found.problem, found.shipped) {
            (Some(problem), _) => problem.clone(),
            (None, true) => found.playbook.description.clone(),
            (None, false) if found.playbook.description.is_empty() => {
                found.folder.display().to_string()
            }
            (None, false) => found.playbook.description.clone(),
        };
        let origin = if found.shipped { "Maestro" } else { "project" };
        vec![called(found), found.playbook.documents.len().to_string(), origin.to_owned(), note]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    out.table(&["NAME", "DOCUMENTS", "FROM", "ABOUT"], &rows, "no playbooks")
}

fn value(found: &Found) -> Value {
    let mut value = serde_json::to_value(found).unwrap_or(Value::Null);
    value["called"] = json!(called(found));
    value
}

/// What was made, and what is wrong with it.
fn told(found: Found, out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&value(&found));
    }
    out.line(&output::plain(&found.folder.display().to_string()))?;
    match found.problem {
        Some(problem) => Err(Failure::failed(problem)),
        None => Ok(()),
    }
}

fn show(found: &Found, out: &mut Out) -> Result<()> {
    let commands = commands(found);
    if out.json {
        let mut value = value(found);
        value["commands"] = json!(commands);
        return out.value(&value);
    }
    let playbook = &found.playbook;
    let budgets = &playbook.budgets;
    let mut limits = Vec::new();
    limits.extend(budgets.cost_usd.map(|cost| format!("{cost} $")));
    limits.extend(budgets.tokens.map(|tokens| format!("{tokens} tokens")));
    limits.extend(
        budgets.time_s.map(|seconds| output::duration(std::time::Duration::from_secs(seconds))),
    );
    limits.extend(budgets.turns.map(|turns| format!("{turns} turns")));
    limits.extend(budgets.tasks.map(|tasks| format!("{tasks} tasks")));
    out.facts(&[
        ("name", playbook.name.clone()),
        ("about", playbook.description.clone()),
        ("folder", found.folder.display().to_string()),
        ("problem", found.problem.clone().unwrap_or_default()),
        (
            "loops",
            match playbook.loops {
                Loops::Once => "once".to_owned(),
                Loops::Times(times) => format!("at most {times} times"),
                Loops::Forever => "until there is nothing to do".to_owned(),
            },
        ),
        (
            "session",
            match playbook.mode {
                Mode::Task => "a fresh one for each task".to_owned(),
                Mode::Document => "one for each document".to_owned(),
            },
        ),
        ("agent", playbook.provider.map(|provider| provider.to_string()).unwrap_or_default()),
        ("model", playbook.model.clone().unwrap_or_default()),
        ("budgets", limits.join(", ")),
        ("worktree", playbook.worktree.clone().unwrap_or_default()),
    ])?;
    for listed in &playbook.documents {
        let copy = if listed.reset { " (a fresh copy each time)" } else { "" };
        out.line(&format!("document  {}{copy}", output::plain(&listed.path)))?;
    }
    for command in commands {
        out.line("command")?;
        for line in command.lines() {
            out.line(&format!("  {}", output::plain(line)))?;
        }
    }
    if let Some(prompt) = &playbook.prompt {
        out.line("its own words for every session")?;
        for line in prompt.lines() {
            out.line(&format!("  {}", output::plain(line)))?;
        }
    }
    Ok(())
}

/// The commands of a playbook, as far as its documents can be read here.
fn commands(found: &Found) -> Vec<String> {
    use maestro_core::checklist::{Document, MAX_BYTES};
    use maestro_core::playbook::Commands;
    use std::io::Read as _;

    let read = |path: PathBuf| {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).ok()?;
        let _ = file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).ok()?;
        Document::parse(bytes).ok()
    };
    let documents: Vec<Document> = found.documents().into_iter().filter_map(read).collect();
    Commands::of(&found.options(), &documents).lines().map(str::to_owned).collect()
}

fn check(host: &mut Host, arguments: &Check, out: &mut Out) -> Result<()> {
    let paths = paths(host, arguments)?;
    let findings = match host.ask(Command::CheckDocuments { paths })? {
        Reply::Findings(findings) => findings,
        other => return Err(unexpected(&other)),
    };
    let errors = findings.iter().filter(|finding| finding.kind.is_error()).count();
    if out.json {
        let findings: Vec<Value> = findings.iter().map(finding_value).collect();
        out.value(&json!({ "errors": errors, "findings": findings }))?;
    } else if findings.is_empty() {
        out.line("nothing was found")?;
    }
    if !out.json {
        for finding in &findings {
            out.line(&line_of(finding))?;
        }
    }
    match errors {
        0 => Ok(()),
        // Everything was said.
        _ => Err(Failure::new(Code::Failed, String::new())),
    }
}

fn paths(host: &mut Host, arguments: &Check) -> Result<Vec<PathBuf>> {
    if !arguments.paths.is_empty() {
        return arguments
            .paths
            .iter()
            .map(|named| match Path::new(named).exists() {
                true => absolute(Path::new(named)),
                false => Ok(find(host, named, &arguments.dir)?.folder),
            })
            .collect();
    }
    let mut paths = Vec::new();
    for found in all(host, &arguments.dir)?.into_iter().filter(|found| !found.shipped) {
        // A loose checklist lies in a folder with others.
        match found.has_file || found.playbook.documents.len() != 1 {
            true => paths.push(found.folder),
            false => paths.extend(found.documents()),
        }
    }
    Ok(paths)
}

fn finding_value(finding: &Finding) -> Value {
    json!({
        "document": finding.document,
        "line": finding.line,
        "kind": finding.kind,
        "error": finding.kind.is_error(),
        "text": finding.text,
    })
}

/// A finding as editors read it.
fn line_of(finding: &Finding) -> String {
    let kind = match finding.kind {
        FindingKind::HumanOnly | FindingKind::Duplicate => "note",
        _ => "error",
    };
    output::plain(&format!(
        "{}:{}: {kind}: {}",
        finding.document.display(),
        finding.line,
        finding.text
    ))
}

#[cfg(test)]
mod tests {
    use maestro_core::playbook::{Listed, Playbook};

    use super::*;

    #[test]
    fn a_finding_is_told_as_editors_read_it() {
        let finding = |kind| Finding {
            document: "/p/a\u{1b}.md".into(),
            line: 3,
            kind,
            text: "Only a\nperson".to_owned(),
        };
        assert_eq!(line_of(&finding(FindingKind::HumanOnly)), "/p/a·.md:3: note: Only a person");
        assert!(line_of(&finding(FindingKind::Cycle)).contains(":3: error: "));
    }

    #[test]
    fn a_loose_checklist_is_called_by_its_own_name() {
        let listed = |path: &str| Listed { path: path.to_owned(), reset: false };
        let mut found = Found {
            folder: "/p/books".into(),
            playbook: Playbook {
                name: "nightly".to_owned(),
                documents: vec![listed("nightly.md")],
                ..Playbook::default()
            },
            has_file: false,
            shipped: false,
            problem: None,
        };
        assert_eq!(called(&found), "nightly");
        found.has_file = true;
        assert_eq!(called(&found), "books");
    }
}
