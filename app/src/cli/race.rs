//! `maestro race`.

use std::path::PathBuf;
use std::time::Duration;

use maestro_core::race::{Race, Runner};
use maestro_protocol::message::{Command, Reply};
use serde_json::{Value, json};

use super::Host;
use super::agent::absolute;
use super::failure::{Result, unexpected};
use super::output::{self, Out};

/// A check of every runner may take as long as it takes.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);

#[derive(Debug, clap::Subcommand)]
pub enum Races {
    /// How the branches of one task stand, side by side: check, size, files, cost, time.
    Show {
        /// The race: its branches are this name, a dash and a number.
        name: String,
        /// Any directory in the repository.
        #[arg(long, short, default_value = ".")]
        repository: PathBuf,
        /// What they are held against; the main checkout's branch when absent.
        #[arg(long, short, value_name = "BRANCH")]
        target: Option<String>,
        /// A shell command that is run in each worktree, one after the other.
        #[arg(long, value_name = "COMMAND")]
        verify: Option<String>,
    },
}

pub fn run(command: Races, out: &mut Out) -> Result<()> {
    let Races::Show { name, repository, target, verify } = command;
    let repository = absolute(&repository)?;
    let mut host = Host::on_demand()?;
    let asked = Command::ReadRace { repository, name, target, verify };
    let race: Race = match host.client.request(asked, PATIENCE)? {
        Reply::Race(race) => *race,
        other => return Err(unexpected(&other)),
    };
    if out.json {
        return out.value(&race_json(&race));
    }
    let rows: Vec<_> = race.runners.iter().map(row).collect();
    out.table(
        &["BRANCH", "AGENT", "CHECK", "COMMITS", "FILES", "LINES", "COST", "TIME"],
        &rows,
        "nobody runs",
    )?;
    for runner in &race.runners {
        if let Some(problem) = &runner.problem {
            super::complain(&format!("{}: {problem}", runner.branch));
        }
    }
    Ok(())
}

fn row(runner: &Runner) -> Vec<String> {
    let check = match runner.check.as_ref().map(|check| check.code) {
        None => "",
        Some(Some(0)) => "passes",
        Some(Some(_)) => "fails",
        Some(None) => "was ended",
    };
    let agent = runner.agent.map(|id| id.to_string()).unwrap_or_default();
    vec![
        runner.branch.clone(),
        if runner.is_busy { format!("{agent} (at work)") } else { agent },
        check.to_owned(),
        runner.commits.to_string(),
        runner.files.to_string(),
        format!("+{} -{}", runner.added, runner.removed),
        runner.cost.map(|cost| format!("${cost:.2}")).unwrap_or_default(),
        runner.worked_ms.map(|ms| output::duration(Duration::from_millis(ms))).unwrap_or_default(),
    ]
}

fn race_json(race: &Race) -> Value {
    let mut value = json!(race);
    for (runner, at) in race.runners.iter().zip(0usize..) {
        value["runners"][at]["agent"] = json!(runner.agent.map(|id| id.to_string()));
    }
    value
}
