//! `maestro demo`: the main job on a throwaway repository, from nothing to the evidence.

use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use maestro_agents::{Environment, detect};
use maestro_core::agent::{Agent, Provider};
use maestro_core::checklist::Document;
use maestro_core::run::{Ending, Run, Spec, State, TaskState};
use maestro_core::screen::Size;
use maestro_protocol::client::{self, Start};
use maestro_protocol::message::{Branch, Command, Event, NewAgent, Reply};
use maestro_protocol::{Home, Incoming, home};
use serde_json::{Value, json};

use super::agent::absolute;
use super::args;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};
use super::run::Progress;
use super::{Host, run as runs};

/// The bundled playbook: one document for each agent.
const PARTS: [Part; 3] = [
    Part {
        name: "temperature",
        file: "1-temperature.md",
        text: include_str!("../../../playbooks/demo/1-temperature.md"),
    },
    Part {
        name: "length",
        file: "2-length.md",
        text: include_str!("../../../playbooks/demo/2-length.md"),
    },
    Part {
        name: "command",
        file: "3-command.md",
        text: include_str!("../../../playbooks/demo/3-command.md"),
    },
];

struct Part {
    /// The agent's name, and the last part of its branch.
    name: &'static str,
    file: &'static str,
    text: &'static str,
}

const README: &str =
    "# Pocket\n\nUnit conversions in plain shell.\n\n## Commands\n\n- nothing yet\n";

pub fn run(arguments: args::Demo, out: &mut Out) -> Result<()> {
    let provider = usable(arguments.agent)?;
    let stage = Stage::set(arguments.dir.as_deref())?;
    let say = Say { quiet: out.json };
    if provider == Provider::Demo {
        say.line(
            "The built-in demo agent plays: a script, no model. `--agent claude` shows a real one.",
        );
    }
    say.line(&format!("Everything is in {}.", stage.root.display()));
    let mut host = Host::connect(&stage.home, &Start::ON_DEMAND)?;
    let result = play(&mut host, &stage, provider, &arguments, &say);
    let result = result.and_then(|acts| tell(&stage, provider, acts, &arguments, &say, out));
    // What the demo started ends with it, unless a window shows it or the host was there before.
    if stage.own_home && !matches!(result, Ok(Afterwards::Watched)) {
        let _ = host.client.request(Command::StopHost, super::PATIENCE);
    }
    result.map(drop)
}

/// Whether somebody goes on watching when the demo is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    Watched,
    Over,
}

/// Progress for people; a program that asked for JSON reads only the end.
struct Say {
    quiet: bool,
}

impl Say {
    fn line(&self, text: &str) {
        if !self.quiet {
            // Progress is no result: a reader that went away changes nothing.
            let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{text}\n"));
        }
    }
}

fn usable(provider: Provider) -> Result<Provider> {
    if provider == Provider::Shell {
        return Err(Failure::new(
            Code::Usage,
            "a shell does no tasks: give --agent claude, codex, opencode, droid or demo",
        ));
    }
    match detect(provider, &Environment::login()).usable() {
        Ok(_) => Ok(provider),
        Err(reason) => Err(Failure::new(Code::Unsupported, reason)),
    }
}

/// The folders of a demo.
struct Stage {
    root: PathBuf,
    repository: PathBuf,
    playbook: PathBuf,
    home: Home,
    /// Whether the home is the demo's own.
    own_home: bool,
}

impl Stage {
    fn set(chosen: Option<&Path>) -> Result<Self> {
        let root = match chosen {
            Some(path) => absolute(path)?,
            None => temporary()?,
        };
        let told = std::env::var_os(home::VARIABLE).is_some_and(|value| !value.is_empty());
        let home = if told { Home::from_env()? } else { Home::at(root.join("home"))? };
        let stage = Self {
            repository: root.join("pocket"),
            playbook: root.join("playbook"),
            root,
            home,
            own_home: !told,
        };
        if stage.repository.exists() {
            return Err(Failure::failed(format!(
                "{} is there already: give --dir another folder, or none",
                stage.repository.display()
            )));
        }
        stage.build()?;
        Ok(stage)
    }

    fn build(&self) -> Result<()> {
        for folder in [&self.repository, &self.playbook] {
            std::fs::create_dir_all(folder).map_err(|error| cannot(folder, "created", &error))?;
        }
        write(&self.repository.join("README.md"), README)?;
        for part in &PARTS {
            write(&self.playbook.join(part.file), part.text)?;
        }
        let git = |args: &[&str]| git(&self.repository, args).map(drop);
        git(&["init", "--quiet", "--initial-branch=main"])?;
        // The demo must come out the same whatever the user's own git says.
        for (key, value) in [
            ("user.name", "Maestro Demo"),
            ("user.email", "demo@maestro.invalid"),
            ("commit.gpgSign", "false"),
            ("core.hooksPath", ".git/hooks"),
            ("core.autocrlf", "false"),
        ] {
            git(&["config", key, value])?;
        }
        git(&["add", "--all"])?;
        git(&["commit", "--quiet", "--message=Begin"])
    }
}

fn temporary() -> Result<PathBuf> {
    let base = std::env::temp_dir();
    let stem = format!("maestro-demo-{}", output::now_ms());
    (0..100)
        .map(|number| base.join(format!("{stem}-{number}")))
        .find(|path| private_dir(path).is_ok())
        .ok_or_else(|| {
            Failure::failed(format!("no folder can be made in {}: give --dir one", base.display()))
        })
}

fn private_dir(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    let _ = std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| cannot(path, "written", &error))
}

fn cannot(path: &Path, what: &str, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{} cannot be {what}: {error}", path.display()))
}

/// One agent with its run and what is left of it in the end.
struct Act {
    agent: Agent,
    document: PathBuf,
    run: Run,
    progress: Progress,
}

impl Act {
    fn ended(&self) -> bool {
        matches!(self.run.state, State::Ended(_))
    }

    /// What is wrong with the outcome, if anything: the run's own word is not taken for it.
    fn flaw(&self) -> Option<String> {
        if self.run.state != State::Ended(Ending::Completed) {
            return Some(format!("the run did not complete: {}", runs::state(&self.run)));
        }
        let bytes = match std::fs::read(&self.document) {
            Ok(bytes) => bytes,
            Err(error) => return Some(format!("its document cannot be read: {error}")),
        };
        let document = match Document::parse(bytes) {
            Ok(document) => document,
            Err(error) => return Some(format!("its document is no checklist: {error}")),
        };
        if document.open() > 0 {
            return Some(format!("{} boxes are open", document.open()));
        }
        let evidence = |task: &&maestro_core::run::Task| {
            task.state == TaskState::Done
                && task.session.is_some()
                && task.tree_before.is_some()
                && task.tree_after.is_some()
                && task.verify.as_ref().is_some_and(|verify| verify.exit_code == Some(0))
        };
        let proven = self.run.tasks.iter().filter(evidence).count();
        let ticked = document.done();
        (proven != ticked).then(|| format!("{ticked} boxes are ticked, {proven} with evidence"))
    }
}

fn play(
    host: &mut Host,
    stage: &Stage,
    provider: Provider,
    arguments: &args::Demo,
    say: &Say,
) -> Result<Vec<Act>> {
    let _ = host.world(true)?;
    let agents = PARTS
        .iter()
        .map(|part| new_agent(host, stage, provider, part))
        .collect::<Result<Vec<_>>>()?;
    let window = shows_window(arguments);
    if window {
        open_window(stage, say);
    }
    let mut acts = Vec::new();
    for (agent, part) in agents.into_iter().zip(&PARTS) {
        let document = stage.playbook.join(part.file);
        let run = start(host, &agent, &document, arguments.model.clone())?;
        acts.push(Act { agent, document, run, progress: Progress::default() });
    }
    loop {
        for act in &mut acts {
            for step in act.progress.steps(&act.run) {
                say.line(&format!("{:12} {}", act.agent.name, step.to_text(&act.run)));
            }
        }
        if acts.iter().all(Act::ended) {
            return Ok(acts);
        }
        match host.client.next(None)? {
            Incoming::Event { event: Event::Run(changed), .. } => {
                if let Some(act) = acts.iter_mut().find(|act| act.run.id == changed.id) {
                    act.run = *changed;
                }
            }
            Incoming::Lagged => {
                for act in &mut acts {
                    act.run = runs::get(host, act.run.id)?;
                }
            }
            Incoming::Closed(why) => return Err(Failure::failed(why)),
            Incoming::Event { event: Event::HostStopping, .. } => {
                return Err(Failure::failed("the host was stopped during the demo"));
            }
            Incoming::Event { .. }
            | Incoming::Frame(_)
            | Incoming::Said { .. }
            | Incoming::Heard { .. }
            | Incoming::Order { .. } => {}
        }
    }
}

fn new_agent(host: &mut Host, stage: &Stage, provider: Provider, part: &Part) -> Result<Agent> {
    let new = NewAgent {
        provider,
        name: Some(part.name.to_owned()),
        directory: stage.repository.clone(),
        branch: Some(Branch::New { name: format!("demo/{}", part.name), base: None }),
        size: Size::new(100, 30),
        start: true,
    };
    match host.ask(Command::NewAgent(new))? {
        Reply::Agent(agent) => Ok(*agent),
        other => Err(unexpected(&other)),
    }
}

fn start(host: &mut Host, agent: &Agent, document: &Path, model: Option<String>) -> Result<Run> {
    let mut spec = Spec {
        documents: vec![document.to_owned()],
        directory: agent.directory.clone(),
        provider: agent.provider,
        agent: Some(agent.id),
        model,
        turn_timeout_s: 900,
        silence_timeout_s: 300,
        verify_timeout_s: 60,
        attempts: 3,
        unattended: true,
        options: maestro_core::run::Options::default(),
    };
    // The documents are our own; whoever asked for the demo has agreed to their commands.
    match host.ask(Command::PlanRun(spec.clone()))? {
        Reply::Plan(plan) => spec.options.trusted = Some(plan.hash),
        other => return Err(unexpected(&other)),
    }
    match host.ask(Command::StartRun(spec))? {
        Reply::Run(run) => Ok(*run),
        other => Err(unexpected(&other)),
    }
}

fn shows_window(arguments: &args::Demo) -> bool {
    !arguments.headless && has_display()
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", windows)) || set("WAYLAND_DISPLAY") || set("DISPLAY")
}

/// This program again, on the demo's home.
fn myself(stage: &Stage) -> Result<Process> {
    let program = client::this_program().map_err(|error| {
        Failure::failed(format!("this program's own file is not known: {error}"))
    })?;
    let mut process = Process::new(program);
    let _ = process.env(home::VARIABLE, stage.home.root()).stdin(Stdio::null());
    Ok(process)
}

fn open_window(stage: &Stage, say: &Say) {
    let opened = myself(stage).and_then(|mut process| {
        process.spawn().map_err(|error| Failure::failed(format!("it cannot be run: {error}")))
    });
    match opened {
        Ok(_) => say.line("A window shows the agents at work."),
        Err(failure) => say.line(&format!("The window does not open: {failure}")),
    }
}

/// The window as a picture, for who has no display.
fn take_picture(stage: &Stage, arguments: &args::Demo, say: &Say) -> Result<PathBuf> {
    let picture = match &arguments.picture {
        Some(path) => absolute(path)?,
        None => stage.root.join("window.png"),
    };
    let taken = myself(stage)?
        .args(["screenshot", "--scene", "live", "--out"])
        .arg(&picture)
        .stdout(Stdio::null())
        .output()
        .map_err(|error| Failure::failed(format!("the picture cannot be taken: {error}")))?;
    if taken.status.success() {
        let why = if arguments.headless { "No window is wanted" } else { "There is no display" };
        say.line(&format!("{why}; how it would look is in {}.", picture.display()));
        return Ok(picture);
    }
    let said = String::from_utf8_lossy(&taken.stderr);
    let because = said.lines().last().unwrap_or("it does not say why");
    let because = output::plain(because.trim_start_matches("maestro: "));
    Err(Failure::failed(format!("the picture cannot be taken: {because}")))
}

/// Looks at what came out, with git's own eyes, and tells it.
fn tell(
    stage: &Stage,
    provider: Provider,
    acts: Vec<Act>,
    arguments: &args::Demo,
    say: &Say,
    out: &mut Out,
) -> Result<Afterwards> {
    let window = shows_window(arguments);
    let picture = if window { None } else { Some(take_picture(stage, arguments, say)) };
    let untouched = git(&stage.repository, &["status", "--porcelain"])?.is_empty()
        && git(&stage.repository, &["rev-list", "--count", "main"])?.trim() == "1";
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    let mut flaws = Vec::new();
    for act in &acts {
        let branch = branch(&act.agent);
        let commits = git(&stage.repository, &["rev-list", "--count", &format!("main..{branch}")])?;
        let commits: u64 = commits.trim().parse().unwrap_or(0);
        let conflicts = conflicts(&stage.repository, act, &acts)?;
        let flaw = act.flaw();
        flaws.extend(flaw.iter().map(|flaw| format!("{}: {flaw}", act.agent.name)));
        let told: Vec<String> =
            conflicts.iter().map(|(with, files)| format!("{with}: {}", files.join(", "))).collect();
        rows.push(vec![
            act.agent.name.clone(),
            branch.clone(),
            format!("{}/{}", act.run.done, act.run.done + act.run.open),
            commits.to_string(),
            if told.is_empty() { "none".to_owned() } else { told.join("; ") },
        ]);
        objects.push(json!({
            "agent": act.agent.name,
            "id": act.agent.id.to_string(),
            "branch": branch,
            "directory": act.agent.directory,
            "document": act.document,
            "run": act.run.id.to_string(),
            "tasks": act.run.done + act.run.open,
            "done": act.run.done,
            "commits": commits,
            "conflicts": conflicts
                .iter()
                .map(|(with, files)| json!({ "with": with, "files": files }))
                .collect::<Vec<Value>>(),
            "flaw": flaw,
            "details": output::run(&act.run),
        }));
    }
    if !untouched {
        flaws.push("the main checkout was changed".to_owned());
    }
    if out.json {
        out.value(&json!({
            "provider": provider,
            "directory": stage.root,
            "home": stage.home.root(),
            "window": window,
            "picture": picture.as_ref().and_then(|taken| taken.as_ref().ok()),
            "ok": flaws.is_empty(),
            "agents": objects,
        }))?;
    } else {
        out.line("")?;
        out.table(&["AGENT", "BRANCH", "TASKS", "COMMITS", "CONFLICTS"], &rows, "")?;
        out.line("")?;
    }
    if !flaws.is_empty() {
        return Err(Failure::failed(format!("the demo did not come out: {}", flaws.join("; "))));
    }
    if let Some(Err(failure)) = picture {
        return Err(failure);
    }
    say.line("Every task is ticked with its evidence, and the main checkout is untouched.");
    if window {
        say.line(&format!(
            "The agents stay; end them with `MAESTRO_HOME={} maestro host stop`.",
            stage.home.root().display()
        ));
    }
    Ok(if window { Afterwards::Watched } else { Afterwards::Over })
}

fn branch(agent: &Agent) -> String {
    agent.branch.clone().unwrap_or_else(|| format!("demo/{}", agent.name))
}

/// The files in which an agent's branch cannot be merged with another's, by the other's name.
fn conflicts(repository: &Path, act: &Act, acts: &[Act]) -> Result<Vec<(String, Vec<String>)>> {
    let mut found = Vec::new();
    for other in acts.iter().filter(|other| other.agent.id != act.agent.id) {
        let (ours, theirs) = (branch(&act.agent), branch(&other.agent));
        let args = ["merge-tree", "--write-tree", "--name-only", "--no-messages", &ours, &theirs];
        let output = git_command(repository, &args)
            .output()
            .map_err(|error| Failure::failed(format!("git cannot be run: {error}")))?;
        match output.status.code() {
            Some(0) => {}
            Some(1) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let files = text.lines().skip(1).filter(|line| !line.is_empty());
                found.push((other.agent.name.clone(), files.map(output::plain).collect()));
            }
            _ => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(Failure::failed(format!("git cannot merge: {}", output::plain(&said))));
            }
        }
    }
    Ok(found)
}

fn git(directory: &Path, args: &[&str]) -> Result<String> {
    let output = git_command(directory, args)
        .output()
        .map_err(|error| Failure::failed(format!("git cannot be run, install it: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Failure::failed(format!("git {} failed: {}", args[0], output::plain(said.trim()))))
}

fn git_command(directory: &Path, args: &[&str]) -> Process {
    let mut process = Process::new("git");
    let _ = process.arg("-C").arg(directory).args(args).env("LC_ALL", "C").stdin(Stdio::null());
    // A hook that runs us has its own idea of which repository this is.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"] {
        let _ = process.env_remove(variable);
    }
    process
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_document_has_tasks_that_verify() {
        for part in &PARTS {
            let document = Document::parse(part.text.as_bytes().to_vec()).expect("a checklist");
            assert!(document.tasks().len() >= 3, "{}", part.file);
            for task in document.tasks() {
                assert!(!task.checked, "{}: {}", part.file, task.text);
                assert!(!task.fields.verify.is_empty(), "{}: {}", part.file, task.text);
                assert!(task.fields.problems.is_empty(), "{}: {}", part.file, task.text);
                assert!(task.details.contains("[["), "{}: {}", part.file, task.text);
            }
        }
    }
}
