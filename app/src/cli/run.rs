//! `maestro run`: start a run and follow it, or ask about runs.

use std::collections::HashMap;
use std::time::Duration;

use maestro_core::agent::Provider;
use maestro_core::run::{Ending, Run, Spec, State, Task, TaskState};
use maestro_core::{AgentId, RunId};
use maestro_protocol::Incoming;
use maestro_protocol::message::{Command, Event, Reply};
use serde_json::{Value, json};

use super::agent::absolute;
use super::args::{self, RunCommand, RunStart};
use super::failure::{Failure, Result, unexpected};
use super::output::{self, Out, now_ms};
use super::{Host, find_agent};

pub fn run(arguments: args::Run, out: &mut Out) -> Result<()> {
    match arguments.command {
        None => start(arguments.start, out),
        Some(RunCommand::List) => {
            let runs = match Host::running()?.ask(Command::ListRuns)? {
                Reply::Runs(runs) => runs,
                other => return Err(unexpected(&other)),
            };
            if out.json {
                return out.value(&json!(runs.iter().map(output::run).collect::<Vec<_>>()));
            }
            print(&runs, out)
        }
        Some(RunCommand::Show { run }) => {
            let run = get(&mut Host::running()?, run)?;
            if out.json { out.value(&output::run(&run)) } else { show(&run, out) }
        }
        Some(RunCommand::Stop { run }) => Host::running()?.tell(Command::StopRun { run }),
        Some(RunCommand::Kill { run }) => Host::running()?.tell(Command::KillRun { run }),
    }
}

pub fn get(host: &mut Host, run: RunId) -> Result<Run> {
    match host.ask(Command::ShowRun { run })? {
        Reply::Run(run) => Ok(*run),
        other => Err(unexpected(&other)),
    }
}

fn start(arguments: RunStart, out: &mut Out) -> Result<()> {
    // What no host could do is said before one is started.
    let documents = arguments
        .files
        .iter()
        .map(|file| {
            readable(file).map_err(|error| {
                Failure::failed(format!("{} cannot be read: {error}", file.display()))
            })?;
            absolute(file)
        })
        .collect::<Result<Vec<_>>>()?;
    let mut host = Host::on_demand()?;
    // Followed from before it starts, so that no step is missed.
    let world = host.world(!arguments.detach)?;
    let (provider, agent, directory) = match (&arguments.agent, arguments.provider) {
        (_, Some(provider)) => (provider, None, None),
        (Some(named), None) => by_name(world, named)?,
        (None, None) => return Err(Failure::failed("say who works, with --agent or --provider")),
    };
    let directory = match (arguments.dir, directory) {
        (Some(directory), _) => absolute(&directory)?,
        (None, Some(directory)) => directory,
        (None, None) => absolute(std::path::Path::new("."))?,
    };
    let spec = Spec {
        documents,
        directory,
        provider,
        agent,
        model: arguments.model,
        turn_timeout_s: arguments.turn_timeout,
        silence_timeout_s: arguments.silence_timeout,
        verify_timeout_s: arguments.verify_timeout,
        attempts: arguments.attempts,
        unattended: !arguments.ask,
        options: maestro_core::run::Options::default(),
    };
    let run = match host.ask(Command::StartRun(spec))? {
        Reply::Run(run) => *run,
        other => return Err(unexpected(&other)),
    };
    if arguments.detach {
        return if out.json {
            out.value(&output::run(&run))
        } else {
            out.line(&run.id.to_string())
        };
    }
    follow(&mut host, run, arguments.jsonl || out.json, out)
}

/// Whether a document can be opened at all.
fn readable(file: &std::path::Path) -> std::io::Result<()> {
    // Opening a pipe would wait for its other end.
    if !std::fs::metadata(file)?.is_file() {
        return Err(std::io::Error::other("it is not a file"));
    }
    std::fs::File::open(file).map(drop)
}

/// An agent by id or name, before a provider by name: a user who calls an agent `claude` means it.
fn by_name(
    world: maestro_protocol::message::World,
    named: &str,
) -> Result<(Provider, Option<AgentId>, Option<std::path::PathBuf>)> {
    match (find_agent(world, named), named.parse::<Provider>()) {
        (Ok(agent), _) => Ok((agent.provider, Some(agent.id), Some(agent.directory))),
        (Err(_), Ok(provider)) => Ok((provider, None, None)),
        (Err(failure), Err(_)) => Err(failure),
    }
}

/// Tells every step of a run until it has ended; its ending decides the exit code.
fn follow(host: &mut Host, started: Run, json: bool, out: &mut Out) -> Result<()> {
    let id = started.id;
    let mut progress = Progress::default();
    let mut run = started;
    if !json {
        eprintln!(
            "maestro: run {id} goes on if this command ends; `maestro run stop {id}` ends it after \
             its task"
        );
    }
    loop {
        for step in progress.steps(&run) {
            if json { out.json_line(&step.to_json(&run)) } else { out.line(&step.to_text()) }?;
        }
        if let State::Ended(ending) = &run.state {
            return ended(ending);
        }
        run = loop {
            match host.client.next(None)? {
                Incoming::Event { event: Event::Run(changed), .. } if changed.id == id => {
                    break *changed;
                }
                Incoming::Lagged => break get(host, id)?,
                Incoming::Event { event: Event::HostStopping, .. } => {
                    return Err(Failure::failed(format!(
                        "the host is stopping; run {id} goes on when it starts again: follow it \
                         with `maestro run show {id}`"
                    )));
                }
                Incoming::Closed(why) => return Err(Failure::failed(why)),
                Incoming::Event { .. }
                | Incoming::Frame(_)
                | Incoming::Said { .. }
                | Incoming::Heard { .. } => {}
            }
        };
    }
}

fn ended(ending: &Ending) -> Result<()> {
    match ending {
        Ending::Completed => Ok(()),
        // The last line of the output has said it.
        Ending::WithFailures => Err(Failure::silent()),
        Ending::Stopped => Err(Failure::failed("the run was stopped before its end")),
        Ending::Killed => Err(Failure::failed("the run was killed")),
        Ending::Failed(why) => Err(Failure::failed(why.clone())),
    }
}

/// What has been told of a run. The host sends whole runs and may skip some in between; steps come out
/// complete and in order all the same.
#[derive(Debug, Default)]
pub struct Progress {
    started: bool,
    tasks: HashMap<usize, (TaskState, u32)>,
    state: Option<State>,
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Started { documents: usize, open: u32 },
    TaskStarted { task: Task },
    Verifying { task: Task },
    TaskEnded { task: Task },
    Waiting { until_ms: u64, because: String },
    Stopping,
    Ended { done: u32, open: u32, ending: Ending, elapsed_ms: u64 },
}

impl Progress {
    pub fn steps(&mut self, run: &Run) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.started {
            self.started = true;
            steps.push(Step::Started { documents: run.spec.documents.len(), open: run.open });
        }
        for (index, task) in run.tasks.iter().enumerate() {
            // A task is there a moment before its first attempt is counted.
            let attempt = task.attempts.max(1);
            let now = (task.state, attempt);
            let before = self.tasks.insert(index, now);
            if before == Some(now) {
                continue;
            }
            let ended = matches!(task.state, TaskState::Done | TaskState::Failed);
            let seen_working = before.is_some_and(|(_, before)| before == attempt);
            if !seen_working {
                steps.push(Step::TaskStarted { task: task.clone() });
            }
            if task.state == TaskState::Verifying {
                steps.push(Step::Verifying { task: task.clone() });
            }
            if ended {
                steps.push(Step::TaskEnded { task: task.clone() });
            }
        }
        if self.state.as_ref() != Some(&run.state) {
            self.state = Some(run.state.clone());
            match &run.state {
                State::Running | State::Interrupted => {}
                State::Stopping => steps.push(Step::Stopping),
                State::Paused(pause) => {
                    steps.push(Step::Waiting { until_ms: 0, because: pause.sentence() });
                }
                State::Waiting { until_ms, because } => {
                    steps.push(Step::Waiting { until_ms: *until_ms, because: because.clone() });
                }
                State::Ended(ending) => steps.push(Step::Ended {
                    done: run.done,
                    open: run.open,
                    ending: ending.clone(),
                    elapsed_ms: run.ended_ms.unwrap_or_else(now_ms).saturating_sub(run.started_ms),
                }),
            }
        }
        steps
    }
}

impl Step {
    fn to_json(&self, run: &Run) -> Value {
        let mut object = match self {
            Self::Started { documents: _, open } => json!({
                "type": "start",
                "provider": run.spec.provider,
                "agent": run.spec.agent.map(|id| id.to_string()),
                "directory": run.spec.directory,
                "documents": run.spec.documents,
                "open": open,
            }),
            Self::TaskStarted { task } => json!({
                "type": "task_start",
                "document": task.document,
                "line": task.line,
                "task": task.text,
                "attempt": task.attempts.max(1),
            }),
            Self::Verifying { task } => json!({
                "type": "task_verify",
                "document": task.document,
                "line": task.line,
                "attempt": task.attempts,
            }),
            Self::TaskEnded { task } => json!({
                "type": "task_complete",
                "document": task.document,
                "line": task.line,
                "task": task.text,
                "success": task.state == TaskState::Done,
                "attempts": task.attempts,
                "session": task.session,
                "tree_before": task.tree_before,
                "tree_after": task.tree_after,
                "verify": task.verify,
                "usage": task.usage,
                "duration_ms": task.duration_ms,
                "because": task.because,
            }),
            Self::Waiting { until_ms, because } => {
                json!({ "type": "waiting", "until_ms": until_ms, "because": because })
            }
            Self::Stopping => json!({ "type": "stopping" }),
            Self::Ended { done, open, ending, elapsed_ms } => json!({
                "type": "complete",
                "success": *ending == Ending::Completed,
                "ending": ending,
                "done": done,
                "open": open,
                "usage": run.usage,
                "elapsed_ms": elapsed_ms,
            }),
        };
        object["run"] = json!(run.id.to_string());
        object["timestamp"] = json!(now_ms());
        object
    }

    pub fn to_text(&self) -> String {
        match self {
            Self::Started { documents, open } => {
                let document = if *documents == 1 { "document" } else { "documents" };
                format!("{documents} {document}, {open} open tasks")
            }
            Self::TaskStarted { task } => {
                let again = match task.attempts {
                    0 | 1 => String::new(),
                    attempt => format!(" (attempt {attempt}{})", because(task)),
                };
                format!("…  {}{again}", title(task))
            }
            Self::Verifying { task } => {
                let command = task.verify.as_ref().map(|verify| verify.command.as_str());
                format!(
                    "   verifying{}",
                    command.map(|c| format!(": {}", output::plain(c))).unwrap_or_default()
                )
            }
            Self::TaskEnded { task } => {
                let mark = if task.state == TaskState::Done { '✓' } else { '✗' };
                let took = output::duration(Duration::from_millis(task.duration_ms));
                // Of a task that is done, what is worth knowing all the same: that nothing changed, for one.
                format!("{mark}  {} · {took}{}", title(task), because(task))
            }
            Self::Waiting { because, .. } => format!("waiting: {}", output::plain(because)),
            Self::Stopping => "stopping after this task".to_owned(),
            Self::Ended { done, open, elapsed_ms, .. } => {
                let took = output::duration(Duration::from_millis(*elapsed_ms));
                format!("{done} done, {open} open · {took}")
            }
        }
    }
}

fn title(task: &Task) -> String {
    let text = output::plain(&task.text);
    match text.char_indices().nth(100) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

fn because(task: &Task) -> String {
    task.because.as_deref().map(|why| format!(": {}", output::plain(why))).unwrap_or_default()
}

pub fn print(runs: &[Run], out: &mut Out) -> Result<()> {
    let row = |run: &Run| {
        let documents = run.spec.documents.iter().map(|document| {
            document.file_name().unwrap_or_default().to_string_lossy().into_owned()
        });
        vec![
            run.id.to_string(),
            state(run),
            format!("{}/{}", run.done, run.done + run.open),
            run.spec.provider.to_string(),
            documents.collect::<Vec<_>>().join(" "),
            run.spec.directory.display().to_string(),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    out.table(
        &["RUN", "STATE", "DONE", "PROVIDER", "DOCUMENTS", "DIRECTORY"],
        &rows,
        "no runs yet: `maestro run tasks.md --agent NAME` starts one",
    )
}

pub fn state(run: &Run) -> String {
    match &run.state {
        State::Waiting { because, .. } => format!("waiting: {because}"),
        State::Paused(pause) => format!("paused: {}", pause.sentence()),
        State::Ended(Ending::Failed(why)) => format!("failed: {why}"),
        State::Ended(Ending::WithFailures) => "ended with failures".to_owned(),
        State::Ended(ending) => output::word(ending),
        state @ (State::Running | State::Stopping | State::Interrupted) => output::word(state),
    }
}

fn show(run: &Run, out: &mut Out) -> Result<()> {
    out.facts(&[
        ("run", run.id.to_string()),
        ("state", output::plain(&state(run))),
        ("boxes", format!("{} ticked, {} open", run.done, run.open)),
        ("provider", run.spec.provider.title().to_owned()),
        ("agent", run.spec.agent.map(|id| id.to_string()).unwrap_or_default()),
        ("directory", run.spec.directory.display().to_string()),
        ("started", output::ago(run.started_ms)),
        ("ended", run.ended_ms.map(output::ago).unwrap_or_default()),
        ("tokens", format!("{} in, {} out", run.usage.input_tokens, run.usage.output_tokens)),
        ("cost", run.usage.cost_usd.map(|cost| format!("{cost:.4} $")).unwrap_or_default()),
    ])?;
    for task in &run.tasks {
        out.line("")?;
        let mark = match task.state {
            TaskState::Done => '✓',
            TaskState::Failed => '✗',
            TaskState::Working | TaskState::Verifying | TaskState::Committing => '…',
            TaskState::Skipped | TaskState::Undone => '–',
        };
        out.line(&format!("{mark} {}", title(task)))?;
        let short = |tree: &Option<String>| {
            tree.as_ref().map_or_else(|| "?".to_owned(), |tree| tree.chars().take(10).collect())
        };
        let verify = task.verify.as_ref().map(|verify| {
            let code = verify
                .exit_code
                .map_or_else(|| "did not end".to_owned(), |code| format!("exit code {code}"));
            format!("{}: {code}", output::plain(&verify.command))
        });
        out.facts(&[
            ("  where", format!("{}:{}", task.document.display(), task.line)),
            ("  attempts", task.attempts.to_string()),
            ("  session", task.session.as_deref().map(output::plain).unwrap_or_default()),
            ("  tree", format!("{} → {}", short(&task.tree_before), short(&task.tree_after))),
            ("  verify", verify.unwrap_or_default()),
            ("  took", output::duration(Duration::from_millis(task.duration_ms))),
            ("  because", task.because.as_deref().map(output::plain).unwrap_or_default()),
        ])?;
    }
    Ok(())
}
