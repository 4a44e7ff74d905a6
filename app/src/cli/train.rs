//! `maestro train`.

use std::path::PathBuf;
use std::time::Duration;

use maestro_core::TrainId;
use maestro_core::conflict::Fit;
use maestro_core::train::{Ask, Car, CarState, End, How, Loss, Plan, Spec, State, Train};
use maestro_protocol::client::{self, Incoming};
use maestro_protocol::message::{Command, ErrorKind, Event, Reply};
use serde_json::{Value, json};

use super::Host;
use super::agent::absolute;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};

/// How long the train is waited for before it is looked whether the host is still there.
const LOOK: Duration = Duration::from_secs(2);
/// Lines of a check that are shown.
const LINES: usize = 15;

#[derive(Debug, clap::Subcommand)]
pub enum Trains {
    /// Show what a train would do: order, conflicts, what stands in the way. Changes nothing.
    Plan(Cars),
    /// Bring branches home one after the other: merge in a scratch worktree, check, move the target.
    Run(Start),
    /// Let a train go on that stands; what stayed behind is tried again.
    Resume {
        /// The train.
        train: TrainId,
        #[command(flatten)]
        following: Following,
    },
    /// Let a train stand after what it does now.
    Stop {
        /// The train.
        train: TrainId,
    },
    /// Give a train up. What is aboard stays; `undo` takes it back.
    Abort {
        /// The train.
        train: TrainId,
    },
    /// Put the target back to where it was before, if nobody built on it.
    Undo {
        /// The train.
        train: TrainId,
    },
    /// All trains, the newest first.
    List,
    /// One train: where each branch is, and why.
    Show {
        /// The train.
        train: TrainId,
    },
}

#[derive(Debug, clap::Args)]
pub struct Cars {
    /// The branches; all worktrees' that have something to bring when none is named.
    branches: Vec<String>,
    /// The branch that everything goes to; the main checkout's when absent.
    #[arg(long, short, value_name = "BRANCH", default_value = "", hide_default_value = true)]
    target: String,
    /// Any directory in the repository.
    #[arg(long, short, default_value = ".")]
    repository: PathBuf,
    /// How each is brought onto the target.
    #[arg(long, value_enum, default_value = "merge")]
    how: Manner,
    /// A shell command that has to succeed on each result before the target moves. May be repeated.
    #[arg(long, value_name = "COMMAND")]
    verify: Vec<String>,
    /// How long one of them may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    limit: u64,
    /// Commit what is not committed in the branches' worktrees.
    #[arg(long)]
    commit: bool,
    /// Keep the order in which the branches are named, instead of the one with the fewest conflicts.
    #[arg(long)]
    in_order: bool,
    /// How often what does not fit goes back to its agent.
    #[arg(long, value_name = "TIMES", default_value_t = 2)]
    returns: u32,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Manner {
    Merge,
    Squash,
    Rebase,
}

impl Manner {
    pub fn how(self) -> How {
        match self {
            Self::Merge => How::Merge,
            Self::Squash => How::Squash,
            Self::Rebase => How::Rebase,
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct Start {
    #[command(flatten)]
    cars: Cars,
    #[command(flatten)]
    following: Following,
}

#[derive(Debug, clap::Args)]
pub struct Following {
    /// Do not wait for its end.
    #[arg(long, conflicts_with = "jsonl")]
    detach: bool,
    /// Print the train as JSON, one line for each change.
    #[arg(long)]
    jsonl: bool,
}

pub fn run(command: Trains, out: &mut Out) -> Result<()> {
    match command {
        Trains::Plan(cars) => plan(&cars, out),
        Trains::Run(start) => {
            let ask = Ask::Start(spec(&start.cars)?);
            follow(ask, &start.following, out)
        }
        Trains::Resume { train, following } => follow(Ask::Resume(train), &following, out),
        Trains::Stop { train } => one(Ask::Stop(train), out),
        Trains::Abort { train } => one(Ask::Abort(train), out),
        Trains::Undo { train } => one(Ask::Undo(train), out),
        Trains::Show { train } => one(Ask::Show(train), out),
        Trains::List => list(out),
    }
}

fn spec(cars: &Cars) -> Result<Spec> {
    Ok(Spec {
        repository: absolute(&cars.repository)?,
        target: cars.target.clone(),
        cars: cars.branches.clone(),
        sorted: !cars.in_order,
        how: cars.how.how(),
        verify: cars.verify.clone(),
        limit_s: cars.limit,
        commit: cars.commit,
        returns: cars.returns,
    })
}

fn plan(cars: &Cars, out: &mut Out) -> Result<()> {
    let ask = Ask::Plan(spec(cars)?);
    let plan = match Host::on_demand()?.ask(Command::Train(ask))? {
        Reply::TrainPlan(plan) => *plan,
        other => return Err(unexpected(&other)),
    };
    if out.json {
        out.value(&plan_json(&plan))?;
    } else {
        show_plan(&plan, out)?;
    }
    match plan.obstacles.first() {
        None => Ok(()),
        Some(_) if out.json => Err(Failure::new(Code::Refused, String::new())),
        Some(_) => Err(Failure::new(Code::Refused, plan.obstacles.join(" "))),
    }
}

fn show_plan(plan: &Plan, out: &mut Out) -> Result<()> {
    let rows: Vec<_> = plan
        .cars
        .iter()
        .map(|car| {
            let commits = match car.ahead {
                1 => "1 commit".to_owned(),
                ahead => format!("{ahead} commits"),
            };
            let more = match car.uncommitted {
                0 => String::new(),
                files => format!(" + {files} not committed"),
            };
            let fit = match &car.fit {
                Fit::Conflicts(files) => format!("conflicts: {}", super::conflicts::named(files)),
                Fit::Unknown(why) => format!("unknown: {why}"),
                Fit::Apart | Fit::SameFiles(_) if car.collides.is_empty() => "fits".to_owned(),
                Fit::Apart | Fit::SameFiles(_) => {
                    format!("fits until {} is in", car.collides.join(", "))
                }
            };
            let agent = car.agent.map(|id| id.to_string()).unwrap_or_default();
            vec![car.branch.clone(), commits + &more, agent, fit]
        })
        .collect();
    let nothing = format!("there is nothing to bring to {}", output::plain(&plan.spec.target));
    out.table(&["BRANCH", "BRINGS", "AGENT", "HOW IT FITS"], &rows, &nothing)
}

fn list(out: &mut Out) -> Result<()> {
    let trains = match Host::on_demand()?.ask(Command::Train(Ask::List))? {
        Reply::Trains(trains) => trains,
        other => return Err(unexpected(&other)),
    };
    if out.json {
        return out.value(&Value::Array(trains.iter().map(train_json).collect()));
    }
    let row = |train: &Train| {
        let aboard =
            train.cars.iter().filter(|car| matches!(car.state, CarState::Aboard { .. })).count();
        vec![
            train.id.to_string(),
            state(train),
            train.spec.target.clone(),
            format!("{aboard} of {}", train.cars.len()),
            output::ago(train.started_ms),
            train.spec.repository.display().to_string(),
        ]
    };
    let rows: Vec<_> = trains.iter().map(row).collect();
    out.table(&["ID", "STATE", "TARGET", "ABOARD", "BEGAN", "REPOSITORY"], &rows, "no trains")
}

fn one(ask: Ask, out: &mut Out) -> Result<()> {
    let train = asked(&mut Host::on_demand()?, ask)?;
    if out.json {
        return out.value(&train_json(&train));
    }
    show(&train, out)
}

fn asked(host: &mut Host, ask: Ask) -> Result<Train> {
    match host.client.request(Command::Train(ask), super::PATIENCE) {
        Ok(Reply::Train(train)) => Ok(*train),
        Ok(other) => Err(unexpected(&other)),
        // What its user can do something about.
        Err(client::Error::Host(error)) if error.kind == ErrorKind::Busy => {
            Err(Failure::new(Code::Refused, error.message))
        }
        Err(error) => Err(error.into()),
    }
}

fn show(train: &Train, out: &mut Out) -> Result<()> {
    out.line(&format!(
        "{}  {} into {}",
        train.id,
        state(train),
        output::plain(&train.spec.target)
    ))?;
    let rows: Vec<_> = train
        .cars
        .iter()
        .map(|car| {
            let agent = car.agent.map(|id| id.to_string()).unwrap_or_default();
            vec![car.branch.clone(), agent, where_it_is(car)]
        })
        .collect();
    out.table(&["BRANCH", "AGENT", "WHERE IT IS"], &rows, "no branches")?;
    if let State::Stopped(because) = &train.state {
        out.line(&output::printable(because))?;
    }
    Ok(())
}

/// Starts a train or lets it go on, and tells of it until it stands.
pub fn follow(ask: Ask, following: &Following, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    let _ = host.world(true)?;
    let mut train = asked(&mut host, ask)?;
    let is_json = following.jsonl || out.json;
    if following.detach {
        return if is_json {
            out.value(&train_json(&train))
        } else {
            out.line(&train.id.to_string())
        };
    }
    if !is_json {
        out.line(&format!("{} into {}", train.id, output::plain(&train.spec.target)))?;
    }
    let mut known: Vec<CarState> = vec![CarState::Waiting; train.cars.len()];
    loop {
        if following.jsonl {
            out.json_line(&train_json(&train))?;
        } else if !out.json {
            tell(&train, &mut known, out)?;
        }
        if train.state != State::Running {
            break;
        }
        train = next(&mut host, train.id)?;
    }
    if out.json && !following.jsonl {
        out.value(&train_json(&train))?;
    }
    verdict(&train)
}

/// The train when it is another one.
fn next(host: &mut Host, id: TrainId) -> Result<Train> {
    loop {
        match host.client.next(Some(LOOK)) {
            Ok(Incoming::Event { event: Event::Train(train), .. }) if train.id == id => {
                return Ok(*train);
            }
            Ok(Incoming::Lagged) => {
                let _ = host.world(true)?;
                return asked(host, Ask::Show(id));
            }
            Ok(Incoming::Event { event: Event::HostStopping, .. }) | Ok(Incoming::Closed(_)) => {
                return Err(Failure::failed(format!(
                    "the host ended; train {id} goes on when it starts again: `maestro train show {id}`"
                )));
            }
            Ok(_) | Err(client::Error::TimedOut(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Tells of the cars that are elsewhere than before.
fn tell(train: &Train, known: &mut Vec<CarState>, out: &mut Out) -> Result<()> {
    known.resize(train.cars.len(), CarState::Waiting);
    for (car, known) in train.cars.iter().zip(known) {
        if car.state == *known {
            continue;
        }
        known.clone_from(&car.state);
        if car.state == CarState::Waiting {
            continue;
        }
        out.line(&format!("  {}  {}", output::plain(&car.branch), where_it_is(car)))?;
        if let CarState::Lost(Loss::Check(check)) = &car.state {
            let lines: Vec<&str> = check.output.lines().collect();
            for line in &lines[lines.len().saturating_sub(LINES)..] {
                out.line(&format!("     │ {}", output::plain(line)))?;
            }
        }
    }
    Ok(())
}

fn where_it_is(car: &Car) -> String {
    let why = |loss: &Loss| match loss {
        Loss::Conflict(clashes) => {
            let files: Vec<PathBuf> = clashes.iter().map(|clash| clash.path.clone()).collect();
            format!("conflicts in {}", super::conflicts::named(&files))
        }
        Loss::Check(check) => format!("`{}` fails", output::plain(&check.command)),
        Loss::Uncommitted(files) => {
            format!("not committed: {} (see --commit)", super::conflicts::named(files))
        }
        Loss::Refused(words) => {
            format!("refused: {}", output::plain(words.lines().next().unwrap_or_default()))
        }
    };
    match &car.state {
        CarState::Waiting => "waits".to_owned(),
        CarState::Merging => "is being merged".to_owned(),
        CarState::Verifying { .. } => "is being checked".to_owned(),
        CarState::Moving { .. } => "the target moves".to_owned(),
        CarState::Aboard { commit } => {
            format!("aboard as {}", commit.get(..10).unwrap_or(commit))
        }
        CarState::Empty => "has nothing that the target lacks".to_owned(),
        CarState::Lost(loss) => format!("{}; the others come first", why(loss)),
        CarState::Returning(loss) => format!("{}; its agent is being told", why(loss)),
        CarState::Returned { tab, loss } => {
            format!("{}; its agent works on it in {tab}", why(loss))
        }
        CarState::Left(loss) => format!("stays behind: {}", why(loss)),
    }
}

fn state(train: &Train) -> String {
    match &train.state {
        State::Running => "under way",
        State::Stopped(_) => "stands",
        State::Ended(End::Done) => "done",
        State::Ended(End::Partly) => "partly done",
        State::Ended(End::Aborted) => "given up",
        State::Ended(End::Undone) => "undone",
    }
    .to_owned()
}

/// What the exit code says, as for runs.
fn verdict(train: &Train) -> Result<()> {
    match &train.state {
        State::Ended(End::Done) | State::Running => Ok(()),
        // What was printed says it.
        State::Ended(End::Partly) => Err(Failure::silent()),
        State::Ended(End::Aborted | End::Undone) => {
            Err(Failure::new(Code::Stopped, format!("train {} was given up", train.id)))
        }
        State::Stopped(because) => {
            let because = because.trim_end_matches('.');
            let id = train.id;
            let text = format!("train {id} stands: {because}. `maestro train resume {id}` goes on");
            Err(Failure::new(Code::Paused, text))
        }
    }
}

/// A train with its ids as a person types them.
fn train_json(train: &Train) -> Value {
    let mut value = json!(train);
    value["id"] = json!(train.id.to_string());
    for (car, at) in train.cars.iter().zip(0..) {
        let car_value: &mut Value = &mut value["cars"][at as usize];
        car_value["agent"] = json!(car.agent.map(|id| id.to_string()));
        if let CarState::Returned { tab, .. } = &car.state {
            car_value["state"]["returned"]["tab"] = json!(tab.to_string());
        }
    }
    value
}

fn plan_json(plan: &Plan) -> Value {
    let mut value = json!(plan);
    for (car, at) in plan.cars.iter().zip(0usize..) {
        value["cars"][at]["agent"] = json!(car.agent.map(|id| id.to_string()));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_how_a_train_ended() {
        let spec = Spec {
            repository: "/r".into(),
            target: "main".into(),
            cars: Vec::new(),
            sorted: false,
            how: How::Merge,
            verify: Vec::new(),
            limit_s: 1,
            commit: false,
            returns: 0,
        };
        let check = |state: State, expected: Option<Code>| {
            let train = Train { state, ..Train::new(TrainId(3), spec.clone(), Vec::new(), 1) };
            assert_eq!(verdict(&train).err().map(|failure| failure.code), expected);
            assert_eq!(train_json(&train)["id"], "m3");
        };
        check(State::Ended(End::Done), None);
        check(State::Ended(End::Partly), Some(Code::Failed));
        check(State::Ended(End::Aborted), Some(Code::Stopped));
        check(State::Stopped("It was stopped.".into()), Some(Code::Paused));
    }
}
