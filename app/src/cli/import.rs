//! `maestro import`: what somebody had in the Maestro that is an Electron program.

mod read;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use maestro_core::AgentId;
use maestro_core::agent::Agent;
use maestro_core::group::{self, Arrange};
use maestro_core::screen::Size;
use maestro_core::settings;
use maestro_engine::{playbooks, settings as file};
use maestro_protocol::Home;
use maestro_protocol::message::{Command, NewAgent, Reply};
use serde_json::json;

use self::read::{Found, Taken};
use super::Host;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};

/// Take over agents, groups, playbooks and settings from the Maestro that is an Electron program.
///
/// Its files are only read. What is here already stays as it is, so that it can be done again.
#[derive(Debug, Args)]
pub struct Import {
    /// Its folder of data; where it usually is when absent.
    folder: Option<PathBuf>,
    /// Only say what would be taken over.
    #[arg(long, short = 'n')]
    dry_run: bool,
}

/// What was done, or would be: one line each.
#[derive(Debug, Default)]
struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    kind: &'static str,
    name: String,
    /// Where it went; or why it did not.
    outcome: std::result::Result<String, String>,
}

impl Report {
    fn taken(&mut self, kind: &'static str, name: &str, place: impl Into<String>) {
        self.rows.push(Row { kind, name: name.to_owned(), outcome: Ok(place.into()) });
    }

    fn left(&mut self, kind: &'static str, name: &str, why: impl Into<String>) {
        self.rows.push(Row { kind, name: name.to_owned(), outcome: Err(why.into()) });
    }
}

pub fn run(import: &Import, out: &mut Out) -> Result<()> {
    let folder = match &import.folder {
        Some(folder) => folder.clone(),
        None => usual().ok_or_else(|| {
            Failure::new(Code::Usage, "there is no home directory: name the folder of its data")
        })?,
    };
    let found = read::read(&folder).map_err(Failure::failed)?;
    let mut host = Host::on_demand()?;
    let mut report = Report::default();
    for (name, why) in &found.unread {
        report.left("file", name, why);
    }
    agents(&mut host, &found, import.dry_run, &mut report)?;
    playbooks_of(&found, import.dry_run, &mut report);
    settings_of(&found, import.dry_run, &mut report)?;
    tell(&folder, import.dry_run, &report, out)
}

/// Where it keeps its data on this system.
fn usual() -> Option<PathBuf> {
    let home = std::env::home_dir()?;
    Some(if cfg!(target_os = "macos") {
        home.join("Library/Application Support/maestro")
    } else if cfg!(windows) {
        std::env::var_os("APPDATA").map_or_else(|| home.clone(), PathBuf::from).join("maestro")
    } else {
        home.join(".config/maestro")
    })
}

fn agents(host: &mut Host, found: &Found, dry: bool, report: &mut Report) -> Result<()> {
    let known = host.world(false)?.agents;
    let mut groups: HashMap<&str, Vec<AgentId>> = HashMap::new();
    let mut bookmarked = Vec::new();
    for agent in &found.agents {
        if let Err(why) = usable(agent, &known) {
            report.left("agent", &agent.name, why);
            continue;
        }
        let place = agent.directory.display().to_string();
        if dry {
            report.taken("agent", &agent.name, place);
            continue;
        }
        let new = NewAgent {
            provider: agent.provider,
            name: Some(agent.name.clone()),
            directory: agent.directory.clone(),
            branch: None,
            size: Size::new(120, 40),
            start: false,
        };
        match host.ask(Command::NewAgent(new)) {
            Ok(Reply::Agent(made)) => {
                report.taken("agent", &agent.name, place);
                if let Some(group) = &agent.group {
                    groups.entry(group).or_default().push(made.id);
                }
                if agent.bookmarked {
                    bookmarked.push(made.id);
                }
            }
            Ok(other) => return Err(unexpected(&other)),
            Err(failure) => report.left("agent", &agent.name, failure.message),
        }
    }
    let named = groups.into_iter().map(|(name, agents)| (group::name(name), agents));
    for (name, agents) in named.filter(|(name, _)| name.is_some()) {
        host.tell(Command::ArrangeAgents(Arrange::Group { agents, name }))?;
    }
    if bookmarked.is_empty() {
        return Ok(());
    }
    host.tell(Command::ArrangeAgents(Arrange::Bookmark { agents: bookmarked, bookmarked: true }))
}

/// Whether an agent can be taken over; otherwise why not.
fn usable(agent: &Taken, known: &[Agent]) -> std::result::Result<(), String> {
    if agent.remote {
        return Err("it works on another machine".to_owned());
    }
    if !agent.directory.is_dir() {
        return Err(format!("there is no directory {}", agent.directory.display()));
    }
    let same = |known: &&Agent| {
        known.name == agent.name
            && known.provider == agent.provider
            && known.directory == agent.directory
    };
    match known.iter().find(same) {
        Some(_) => Err("it is here already".to_owned()),
        None => Ok(()),
    }
}

fn playbooks_of(found: &Found, dry: bool, report: &mut Report) {
    for playbook in &found.playbooks {
        if !playbook.project.is_dir() {
            let why = format!("there is no directory {}", playbook.project.display());
            report.left("playbook", &playbook.name, why);
            continue;
        }
        let into = playbook.project.join(playbooks::FOLDER);
        if dry {
            report.taken("playbook", &playbook.name, into.display().to_string());
            continue;
        }
        match playbooks::take_over(playbook.entry.clone(), &playbook.documents, &into) {
            Ok(made) => {
                report.taken("playbook", &playbook.name, made.folder.display().to_string());
            }
            Err(error) => report.left("playbook", &playbook.name, error.message),
        }
    }
}

/// What is set here already was set by somebody, and holds.
fn settings_of(found: &Found, dry: bool, report: &mut Report) -> Result<()> {
    let home = Home::from_env()?;
    let path = file::path(&home);
    let failed = |problem: file::Problem| Failure::failed(format!("{problem}."));
    let now = file::read(&path).map_err(failed)?;
    for (key, value) in &found.settings {
        let Some(setting) = settings::find(key) else { continue };
        if now.values.own(key, None).is_some() {
            report.left("setting", key, "it is set here already");
            continue;
        }
        if !dry {
            home.create()?;
            let _ = file::set(&path, setting, None, Some(value)).map_err(failed)?;
        }
        report.taken("setting", key, value.to_string());
    }
    Ok(())
}

fn tell(folder: &Path, dry: bool, report: &Report, out: &mut Out) -> Result<()> {
    if out.json {
        let rows = report.rows.iter().map(|row| {
            json!({
                "kind": row.kind,
                "name": row.name,
                "taken": row.outcome.is_ok(),
                "place": row.outcome.as_ref().ok(),
                "why": row.outcome.as_ref().err(),
            })
        });
        let rows: Vec<_> = rows.collect();
        return out.value(&json!({ "folder": folder, "dry_run": dry, "rows": rows }));
    }
    let rows: Vec<Vec<String>> = report
        .rows
        .iter()
        .map(|row| {
            let (mark, words) = match &row.outcome {
                Ok(place) => ("✓", place),
                Err(why) => ("–", why),
            };
            vec![mark.to_owned(), row.kind.to_owned(), row.name.clone(), words.clone()]
        })
        .collect();
    let nothing = format!("there is nothing to take over in {}", folder.display());
    out.table(&["", "WHAT", "NAME", "WHERE TO, OR WHY NOT"], &rows, &nothing)?;
    let taken = report.rows.iter().filter(|row| row.outcome.is_ok()).count();
    if rows.is_empty() {
        return Ok(());
    }
    let words = match dry {
        true => format!("{taken} of {} would be taken over; nothing was done.", rows.len()),
        false => format!(
            "{taken} of {} were taken over. Their conversations are in `maestro sessions`.",
            rows.len()
        ),
    };
    out.line(&output::plain(&words))
}
