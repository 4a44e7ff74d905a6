//! `maestro worktree`.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use maestro_core::text;
use maestro_core::worktree::{Answer, Ask, Base, Entry, Made, Make, Merged, Origin, Stage, Usage};
use maestro_protocol::client::Incoming;
use maestro_protocol::message::{Command, Event, NewAgent, Reply};
use serde_json::{Value, json};

use super::agent::absolute;
use super::failure::{Failure, Result, unexpected};
use super::output::{self, Out};
use super::{Host, args};

pub mod trash;

pub fn run(command: args::Worktree, out: &mut Out) -> Result<()> {
    match command {
        args::Worktree::List { repository } => {
            match ask(Ask::List { repository: absolute(&repository)? })? {
                Answer::List(entries) => list(&entries, out),
                other => Err(odd(other)),
            }
        }
        args::Worktree::New(new) => create(new, out),
        args::Worktree::Bases { like, repository } => {
            match ask(Ask::Bases { directory: absolute(&repository)?, like })? {
                Answer::Bases(found) => bases(&found, out),
                other => Err(odd(other)),
            }
        }
        args::Worktree::Open { directory, provider } => open(&absolute(&directory)?, provider, out),
        args::Worktree::Fill { directory } => {
            one(ask(Ask::Fill { directory: absolute(&directory)? })?, out)
        }
        args::Worktree::Trust { directory, yes, no } => {
            trust(absolute(&directory)?, (yes || no).then_some(yes), out)
        }
        args::Worktree::Stop { directory } => {
            match ask(Ask::Stop { directory: absolute(&directory)? })? {
                Answer::Gone if out.json => out.value(&json!({ "gone": true })),
                Answer::Gone => out.line("it is gone"),
                Answer::One(entry) if out.json => out.value(&entry_json(&entry)),
                Answer::One(entry) => {
                    let text = match &entry.stage {
                        Stage::Ready => "nothing was left to be stopped",
                        _ => "it was stopped, and stays: something else is in it, or somebody",
                    };
                    out.line(&format!("{}: {text}", entry.path.display()))
                }
                other => Err(odd(other)),
            }
        }
        args::Worktree::Adopt { directory, undo } => {
            one(ask(Ask::Adopt { directory: absolute(&directory)?, adopted: !undo })?, out)
        }
        args::Worktree::Ignore { directory, undo } => {
            one(ask(Ask::Ignore { directory: absolute(&directory)?, ignored: !undo })?, out)
        }
        args::Worktree::Remove { worktree, look: true, .. } => trash::look(&worktree, out),
        args::Worktree::Remove { worktree, agents, stop, .. } => {
            trash::remove(&worktree, agents, stop, out)
        }
        args::Worktree::Snapshot { worktree, message } => trash::snapshot(&worktree, message, out),
        args::Worktree::Snapshots { repository } => trash::snapshots(repository.as_deref(), out),
        args::Worktree::Restore { id, to } => trash::restore(id, to.as_deref(), out),
        args::Worktree::Trash(command) => trash::trash(command, out),
        args::Worktree::Du { repository } => {
            match ask(Ask::Usage { repository: absolute(&repository)? })? {
                Answer::Usage(usage) => du(&usage, out),
                other => Err(odd(other)),
            }
        }
        args::Worktree::Prune { repository, target, yes } => {
            match ask(Ask::Merged { repository: absolute(&repository)?, target })? {
                Answer::Merged(found) => prune(&found, yes, out),
                other => Err(odd(other)),
            }
        }
        args::Worktree::Repair { repository, moved } => {
            let moved = moved.iter().map(|path| absolute(path)).collect::<Result<_>>()?;
            match ask(Ask::Repair { repository: absolute(&repository)?, moved })? {
                Answer::List(entries) => list(&entries, out),
                other => Err(odd(other)),
            }
        }
    }
}

fn ask(ask: Ask) -> Result<Answer> {
    match Host::on_demand()?.ask_aloud(Command::Worktrees(ask))? {
        Reply::OfWorktrees(answer) => Ok(answer),
        other => Err(unexpected(&other)),
    }
}

fn odd(answer: Answer) -> Failure {
    unexpected(&Reply::OfWorktrees(answer))
}

fn create(new: args::WorktreeNew, out: &mut Out) -> Result<()> {
    let wait = !new.no_wait;
    let make = Make {
        repository: absolute(&new.repository)?,
        branch: new.branch,
        existing: new.existing,
        base: new.from,
        path: new.path.as_deref().map(absolute).transpose()?,
        location: new.location.as_deref().map(absolute).transpose()?,
        race: new.race.unwrap_or(0),
        agent: new.agent,
        name: new.name,
        task: new.task,
        start: !new.no_start,
        size: new.size,
        wait,
    };
    let is_race = make.race > 0;
    let shown = (wait && std::io::stderr().is_terminal()).then(Progress::show);
    let answer = ask(Ask::Make(Box::new(make)));
    drop(shown);
    let made = match answer? {
        Answer::Made(made) => made,
        other => return Err(odd(other)),
    };
    if out.json {
        let all: Vec<Value> = made.iter().map(made_json).collect();
        let value = if is_race { json!(all) } else { all.first().cloned().unwrap_or_default() };
        out.value(&value)?;
    } else {
        for one in &made {
            out.line(&one.worktree.path.display().to_string())?;
        }
    }
    let failed = made.iter().find_map(|one| match &one.worktree.stage {
        Stage::Failed(text) if wait => Some(text.clone()),
        _ => None,
    });
    failed.map_or(Ok(()), |text| Err(Failure::failed(text)))
}

/// How far worktrees are, on one line of the terminal, as long as this lives.
struct Progress {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    fn show() -> Self {
        let over: Arc<AtomicBool> = Arc::default();
        let seen = Arc::clone(&over);
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
            let Ok(mut host) = Host::on_demand() else { return };
            if host.world(true).is_err() {
                return;
            }
            let mut said = false;
            while !seen.load(Ordering::Relaxed) {
                let heard = host.client.next(Some(Duration::from_millis(100)));
                if let Ok(Incoming::Event { event: Event::Worktree(entry), .. }) = heard
                    && let Some(words) = progress(&entry.stage)
                {
                    said = true;
                    let _ = write!(std::io::stderr(), "\r\u{1b}[K{}", output::printable(&words));
                }
            }
            if said {
                let _ = write!(std::io::stderr(), "\r\u{1b}[K");
            }
        });
        Self { over, thread: thread.ok() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn progress(stage: &Stage) -> Option<String> {
    match stage {
        Stage::Filling { total: 0, .. } => Some("writing files".to_owned()),
        Stage::Filling { done, total } => Some(format!("{done} of {total} files")),
        Stage::Preparing(what) => Some(what.clone()),
        Stage::Ready | Stage::Failed(_) => None,
    }
}

fn open(directory: &Path, provider: maestro_core::agent::Provider, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    let there = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let known = host.world(false)?.agents.into_iter().find(|agent| agent.directory == there);
    let command = match known {
        Some(agent) => Command::OpenAgent { agent: agent.id, resume: true },
        None => Command::NewAgent(NewAgent {
            provider,
            name: None,
            directory: there,
            branch: None,
            size: maestro_core::screen::Size::new(120, 40),
            start: true,
        }),
    };
    match host.ask_aloud(command)? {
        Reply::Agent(agent) if out.json => out.value(&output::agent(&agent)),
        Reply::Agent(agent) => out.line(&agent.id.to_string()),
        other => Err(unexpected(&other)),
    }
}

fn one(answer: Answer, out: &mut Out) -> Result<()> {
    let Answer::One(entry) = answer else { return Err(odd(answer)) };
    if out.json {
        out.value(&entry_json(&entry))?;
    } else {
        list(std::slice::from_ref(&entry), out)?;
    }
    match entry.stage {
        Stage::Failed(text) => Err(Failure::failed(text)),
        _ => Ok(()),
    }
}

/// Shows what is run in new worktrees, and agrees to exactly that.
fn trust(directory: PathBuf, answer: Option<bool>, out: &mut Out) -> Result<()> {
    let recipe = |asked: Ask| match ask(asked)? {
        Answer::Recipe(recipe) => Ok(recipe),
        other => Err(odd(other)),
    };
    let mut shown = recipe(Ask::Recipe { directory: directory.clone() })?;
    if let Some(trusted) = answer {
        let hash = shown.hash.clone();
        shown = recipe(Ask::Trust { directory, hash, trusted })?;
    }
    if out.json {
        return out.value(&json!(shown));
    }
    for line in &shown.lines {
        out.line(&output::printable(line))?;
    }
    out.line(match (shown.lines.is_empty(), shown.is_trusted) {
        (true, _) => "nothing is run in new worktrees",
        (false, true) => "this may run",
        (false, false) => "this may not run yet; with --yes it may",
    })
}

fn made_json(made: &Made) -> Value {
    let mut value = entry_json(&made.worktree);
    value["agent"] = made.agent.as_deref().map_or(Value::Null, output::agent);
    value
}

fn entry_json(entry: &Entry) -> Value {
    let mut value = json!(entry);
    value["agents"] = json!(entry.agents.iter().map(ToString::to_string).collect::<Vec<_>>());
    value
}

fn list(entries: &[Entry], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(entries.iter().map(entry_json).collect::<Vec<_>>()));
    }
    let row = |entry: &Entry| {
        vec![
            entry.branch.clone().unwrap_or_else(|| "(detached)".to_owned()),
            entry.head.clone().unwrap_or_default(),
            entry.agents.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            entry.path.display().to_string(),
            notes(entry),
        ]
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    out.table(&["BRANCH", "COMMIT", "AGENTS", "DIRECTORY", "NOTE"], &rows, "no worktrees")
}

fn notes(entry: &Entry) -> String {
    let origin = match entry.origin {
        Origin::Main => Some("main".to_owned()),
        Origin::Made => None,
        Origin::Adopted => Some("adopted".to_owned()),
        Origin::Ignored => Some("ignored".to_owned()),
        Origin::Foreign => Some("not ours".to_owned()),
    };
    let locked = entry.locked.as_ref().map(|reason| format!("locked {reason}").trim().to_owned());
    let missing = entry.missing.then(|| match &entry.prunable {
        Some(why) => format!("gone ({why})"),
        None => "gone".to_owned(),
    });
    let stage = match &entry.stage {
        Stage::Failed(text) => Some(text.clone()),
        stage => progress(stage),
    };
    let ports = entry.ports.map(|(first, count)| format!("ports {first}+{count}"));
    [origin, locked, missing, ports, stage].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn bases(found: &[Base], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(found));
    }
    let row = |base: &Base| {
        let distance = match base.distance {
            Some((0, 0)) | None => String::new(),
            Some((more, less)) => format!("+{more} -{less}"),
        };
        vec![
            if base.current { format!("{} *", base.name) } else { base.name.clone() },
            output::ago(base.at_ms),
            distance,
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    out.table(&["BRANCH", "LAST COMMIT", "FROM HERE"], &rows, "no branches")
}

fn du(usage: &[Usage], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(usage));
    }
    let row = |one: &Usage| {
        vec![
            one.branch.clone().unwrap_or_else(|| "(detached)".to_owned()),
            format!("{}{}", if one.partial { "> " } else { "" }, text::size(one.bytes)),
            text::size(one.ignored),
            one.files.to_string(),
            one.path.display().to_string(),
        ]
    };
    let rows: Vec<_> = usage.iter().map(row).collect();
    out.table(&["BRANCH", "SIZE", "IGNORED", "FILES", "DIRECTORY"], &rows, "no worktrees")
}

fn prune(found: &[Merged], yes: bool, out: &mut Out) -> Result<()> {
    let go: Vec<PathBuf> =
        found.iter().filter(|one| one.stays.is_none()).map(|one| one.path.clone()).collect();
    if yes {
        let mut gone = Vec::new();
        for path in go {
            let snapshot = trash::removed(path, false, false)?;
            if !out.json {
                trash::told(&snapshot, out)?;
            }
            gone.push(snapshot.id.to_string());
        }
        if out.json {
            return out.value(&json!({ "removed": gone }));
        }
        return if gone.is_empty() { out.line("nothing could go") } else { Ok(()) };
    }
    if out.json {
        return out.value(&json!(found));
    }
    let row = |one: &Merged| {
        vec![
            one.branch.clone().unwrap_or_else(|| "(detached)".to_owned()),
            one.stays.as_ref().map_or_else(|| "can go".to_owned(), |why| format!("stays: {why}")),
            one.path.display().to_string(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    out.table(&["BRANCH", "", "DIRECTORY"], &rows, "no worktrees")?;
    if !go.is_empty() {
        out.line("nothing was removed; with --yes they go, each with a snapshot in the trash")?;
    }
    Ok(())
}
