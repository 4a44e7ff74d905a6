//! `maestro race`.

use std::path::PathBuf;
use std::time::Duration;

use maestro_core::changes::{Answer, Look, Name, Pick, Source};
use maestro_core::race::{Piece, Race, Runner, Take};
use maestro_core::train::{Ask, Spec};
use maestro_protocol::message::{Command, Reply};
use serde_json::{Value, json};

use super::Host;
use super::agent::absolute;
use super::diff::At;
use super::failure::{Failure, Result, unexpected};
use super::output::{self, Out};
use super::train::{Following, Manner};
use super::worktree::trash::{removed, told};

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
    /// Bring one branch home as a train of one, or files and hunks of several into the target's checkout.
    Take(Taking),
}

#[derive(Debug, clap::Args)]
pub struct Taking {
    /// The race.
    name: String,
    /// The runner that is taken as a whole.
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    number: Option<u32>,
    /// A file of a runner, or hunks of it as `maestro diff --base TARGET` counts them: `2:src/a.rs`,
    /// `3:src/b.rs:1,4`. May be repeated; nothing is committed, and `maestro diff --undo` takes it back.
    #[arg(long, value_name = "NUMBER:FILE[:HUNKS]", value_parser = piece)]
    from: Vec<(u32, String, Vec<usize>)>,
    /// Any directory in the repository.
    #[arg(long, short, default_value = ".")]
    repository: PathBuf,
    /// Where it goes; the main checkout's branch when absent.
    #[arg(long, short, value_name = "BRANCH")]
    target: Option<String>,
    /// How the branch is brought onto the target.
    #[arg(long, value_enum, default_value = "merge", conflicts_with = "from")]
    how: Manner,
    /// A shell command that has to succeed on the result before the target moves. May be repeated.
    #[arg(long, value_name = "COMMAND", conflicts_with = "from")]
    verify: Vec<String>,
    /// Commit what is not committed in the branch's worktree.
    #[arg(long, conflicts_with = "from")]
    commit: bool,
    /// When the branch is home, remove the worktrees of the others into the trash, with agents that stand idle
    /// there; `worktree trash restore` brings each back.
    #[arg(long, conflicts_with_all = ["from", "detach"])]
    trash_others: bool,
    #[command(flatten)]
    following: Following,
}

/// `2:src/a.rs` or `2:src/a.rs:1,3`.
fn piece(text: &str) -> std::result::Result<(u32, String, Vec<usize>), String> {
    let wrong = || "expected a runner's number and a file, such as 2:src/a.rs:1,3".to_owned();
    let (number, rest) = text.split_once(':').ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let hunks = |text: &str| -> Option<Vec<usize>> {
        text.split(',').map(|number| number.parse().ok()).collect()
    };
    let (file, hunks) = match rest.rsplit_once(':').map(|(file, last)| (file, hunks(last))) {
        Some((file, Some(hunks))) => (file, hunks),
        _ => (rest, Vec::new()),
    };
    if file.is_empty() { Err(wrong()) } else { Ok((number, file.to_owned(), hunks)) }
}

pub fn run(command: Races, out: &mut Out) -> Result<()> {
    let (name, repository, target, verify) = match command {
        Races::Show { name, repository, target, verify } => (name, repository, target, verify),
        Races::Take(taking) => return take(taking, out),
    };
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

fn take(taking: Taking, out: &mut Out) -> Result<()> {
    let repository = absolute(&taking.repository)?;
    if let Some(number) = taking.number {
        let race = Command::ReadRace {
            repository: repository.clone(),
            name: taking.name.clone(),
            target: taking.target.clone(),
            verify: None,
        };
        let spec = Spec {
            repository,
            target: taking.target.unwrap_or_default(),
            cars: vec![format!("{}-{number}", taking.name)],
            sorted: false,
            how: taking.how.how(),
            verify: taking.verify,
            limit_s: 1800,
            commit: taking.commit,
            // Who lost a race against itself is not asked again.
            returns: 0,
        };
        super::train::follow(Ask::Start(spec), &taking.following, out)?;
        let won = format!("{}-{number}", taking.name);
        return if taking.trash_others { trash_others(race, &won, out) } else { Ok(()) };
    }
    let mut host = Host::on_demand()?;
    let asked = Command::ReadRace {
        repository: repository.clone(),
        name: taking.name.clone(),
        target: taking.target.clone(),
        verify: None,
    };
    let race = match host.client.request(asked, PATIENCE)? {
        Reply::Race(race) => *race,
        other => return Err(unexpected(&other)),
    };
    let look = Look::default();
    let source = Source::Base(Some(race.target.clone()));
    let mut pieces = Vec::new();
    for (number, file, hunks) in taking.from {
        let branch = format!("{}-{number}", taking.name);
        let runner = race.runners.iter().find(|runner| runner.branch == branch);
        let missing = || Failure::failed(format!("the race {} has no {branch}", taking.name));
        let at = At { place: &runner.ok_or_else(missing)?.directory, source: &source, look };
        let file = Name::from(file);
        let hunks = match hunks.as_slice() {
            [] => None,
            numbers => Some(super::diff::hunks(&mut host, at, &file, numbers)?),
        };
        pieces.push(Piece { branch, pick: Pick { file, hunks } });
    }
    let take = Take { repository, name: taking.name, target: taking.target, pieces, look };
    match host.ask(Command::TakeRace(take))? {
        Reply::Changes(Answer::Discarded(taken)) => super::diff::told(&taken, "took", out),
        other => Err(unexpected(&other)),
    }
}

/// Removes what lost. Who is at work stays, and is named; the others go all the same.
fn trash_others(race: Command, won: &str, out: &mut Out) -> Result<()> {
    let race = match Host::on_demand()?.client.request(race, PATIENCE)? {
        Reply::Race(race) => *race,
        other => return Err(unexpected(&other)),
    };
    let mut stays = Vec::new();
    for loser in race.runners.into_iter().filter(|runner| runner.branch != won) {
        match removed(loser.directory, true, true) {
            Ok(snapshot) if !out.json => told(&snapshot, out)?,
            Ok(_) => {}
            Err(why) => stays.push(format!("{} stays: {why}", loser.branch)),
        }
    }
    if stays.is_empty() { Ok(()) } else { Err(Failure::failed(stays.join(" "))) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_a_number_a_file_and_hunks() {
        for (text, expected) in [
            ("2:a", Some((2, "a", vec![]))),
            ("2:a:1,3", Some((2, "a", vec![1, 3]))),
            ("2:a:b", Some((2, "a:b", vec![]))),
            ("2:a:b:4", Some((2, "a:b", vec![4]))),
            ("2:", None),
            ("a", None),
            ("x:a", None),
        ] {
            let expected = expected.map(|(n, file, hunks)| (n, file.to_owned(), hunks));
            assert_eq!(piece(text).ok(), expected, "{text}");
        }
    }
}
