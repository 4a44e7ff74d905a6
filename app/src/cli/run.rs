//! `maestro run`: start a run and follow it, ask about runs, and steer them.

mod follow;
mod live;
mod options;
mod plan;
mod show;
mod start;
mod steps;

use std::io::Write as _;
use std::path::Path;

use maestro_core::RunId;
use maestro_core::run::{Run, TaskState};
use maestro_protocol::message::{Command, Reply};
use serde_json::json;

pub use self::options::Arguments;
use self::options::{List, Runs};
pub use self::show::{print, state};
pub use self::steps::Progress;

use super::Host;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};

pub fn run(arguments: Arguments, out: &mut Out) -> Result<()> {
    let Some(command) = arguments.command else { return start::run(arguments.start, out) };
    match command {
        Runs::List(which) => list(&which, out),
        Runs::Show { run } => {
            let run = get(&mut Host::running()?, run)?;
            if out.json { out.value(&output::run(&run)) } else { show::show(&run, out) }
        }
        Runs::Watch { run, following } => follow::watch(run, following, out),
        Runs::Pause { run } => steer(run, Command::PauseRun { run }, out),
        Runs::Resume { run } => steer(run, Command::ResumeRun { run }, out),
        Runs::Stop { run } => steer(run, Command::StopRun { run }, out),
        Runs::Kill { run } => steer(run, Command::KillRun { run }, out),
        Runs::Skip { run, document: true, .. } => steer(run, Command::SkipDocument { run }, out),
        Runs::Skip { run, task, document: false } => {
            steer(run, Command::SkipTask { run, task: task.map(index) }, out)
        }
        Runs::Retry { run, task } => {
            let task = match task {
                Some(number) => index(number),
                None => open_task(&get(&mut Host::running()?, run)?)?,
            };
            steer(run, Command::RetryTask { run, task }, out)
        }
        Runs::Undo { run, task, force } => {
            let asked = steer(run, Command::UndoTask { run, task: index(task), force }, out);
            // The words on the command line were right; the host had reasons.
            asked.map_err(|failure| match failure.code {
                Code::Usage => Failure::new(Code::Refused, failure.message),
                _ => failure,
            })
        }
        Runs::Evidence { run, task } => {
            let command = Command::ReadEvidence { run, task: index(task) };
            match Host::running()?.ask(command)? {
                Reply::TaskEvidence(evidence) if out.json => {
                    out.value(&show::evidence_json(&evidence))
                }
                Reply::TaskEvidence(evidence) => show::evidence(&evidence, out),
                other => Err(unexpected(&other)),
            }
        }
        Runs::Report { run, out: file } => report(run, file.as_deref(), out),
    }
}

/// Tasks are numbered from 1 for people, and counted from 0 by the host.
fn index(number: u32) -> u32 {
    number.saturating_sub(1)
}

pub fn get(host: &mut Host, run: RunId) -> Result<Run> {
    match host.ask(Command::ShowRun { run })? {
        Reply::Run(run) => Ok(*run),
        other => Err(unexpected(&other)),
    }
}

fn list(which: &List, out: &mut Out) -> Result<()> {
    let mut host = Host::running()?;
    let world = host.world(false)?;
    let runs = match host.ask(Command::ListRuns)? {
        Reply::Runs(runs) => show::matching(runs, which, &world),
        other => return Err(unexpected(&other)),
    };
    if out.json {
        return out.value(&json!(runs.iter().map(output::run).collect::<Vec<_>>()));
    }
    print(&runs, out)
}

/// Has something done to a run. What is as expected needs no words, but a task that is tried again may
/// be a run of its own, whose id nobody could know.
fn steer(run: RunId, command: Command, out: &mut Out) -> Result<()> {
    match Host::running()?.ask(command)? {
        Reply::Run(now) if out.json => out.value(&output::run(&now)),
        Reply::Run(now) if now.id != run => out.line(&now.id.to_string()),
        _ => Ok(()),
    }
}

/// The only task of a run that can be meant to be tried again.
fn open_task(run: &Run) -> Result<u32> {
    let open = |state| matches!(state, TaskState::Failed | TaskState::Skipped | TaskState::Undone);
    let all: Vec<usize> =
        (0..run.tasks.len()).filter(|index| open(run.tasks[*index].state)).collect();
    match all[..] {
        [only] => u32::try_from(only).map_err(|_| Failure::failed("it has too many tasks")),
        [] => Err(Failure::failed(format!(
            "run {} has no task that failed, was skipped or undone",
            run.id
        ))),
        _ => {
            let numbers: Vec<String> = all.iter().map(|index| (index + 1).to_string()).collect();
            let sentence = format!("say which task is to be tried again: {}", numbers.join(", "));
            Err(Failure::new(Code::Usage, sentence))
        }
    }
}

fn report(run: RunId, file: Option<&Path>, out: &mut Out) -> Result<()> {
    let text = match Host::running()?.ask(Command::ReadReport { run })? {
        Reply::Text(Some(text)) => text,
        Reply::Text(None) => {
            return Err(Failure::failed(format!(
                "run {run} has no report: it has one when it ends"
            )));
        }
        other => return Err(unexpected(&other)),
    };
    let Some(file) = file else {
        if out.json {
            return out.value(&json!({ "run": run.to_string(), "report": text }));
        }
        return out.line(output::printable(&text).trim_end_matches('\n'));
    };
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written
        .map_err(|error| Failure::failed(format!("{} cannot be written: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use maestro_core::run::Task;

    use super::steps::tests::run;
    use super::*;

    #[test]
    fn a_task_is_tried_again_without_a_number_when_only_one_can_be_meant() {
        let mut run = run(2, 0);
        let mut add = |state| {
            let mut task = Task::new("/w/a.md".into(), "One".to_owned(), 3, 1_000);
            task.state = state;
            run.tasks.push(task);
            open_task(&run).map_err(|failure| failure.code)
        };
        assert_eq!(add(TaskState::Done), Err(Code::Failed));
        assert_eq!(add(TaskState::Failed), Ok(1));
        assert_eq!(add(TaskState::Undone), Err(Code::Usage));
    }
}
