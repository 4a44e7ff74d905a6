//! `maestro worktree remove`, `snapshot`, `restore` and `trash`.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use maestro_core::SnapshotId;
use maestro_core::trash::{Answer, Ask, Snapshot};
use maestro_protocol::message::{Command, Reply};
use serde_json::{Value, json};

use super::super::Host;
use super::super::agent::absolute;
use super::super::failure::{Code, Failure, Result, unexpected};
use super::super::output::{self, Out};

/// Worktrees that were removed.
#[derive(Debug, Subcommand)]
pub enum Trash {
    /// What was removed within the last 30 days.
    List {
        /// Only of this repository: any directory in it.
        repository: Option<PathBuf>,
    },
    /// Put a removed worktree back, with its branch, its files and what was staged.
    Restore {
        /// Which, such as `s5`.
        id: SnapshotId,
        /// Where to; where it was, unless told otherwise.
        #[arg(long, value_name = "DIRECTORY")]
        to: Option<PathBuf>,
    },
    /// Forget for good.
    Purge {
        /// Which, such as `s5`.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<SnapshotId>,
        /// Everything in the trash. Snapshots of worktrees that are there stay.
        #[arg(long)]
        all: bool,
        /// Without asking.
        #[arg(long)]
        yes: bool,
    },
}

fn ask(ask: Ask) -> Result<Answer> {
    match Host::on_demand()?.ask_aloud(Command::Trash(ask))? {
        Reply::Trash(answer) => Ok(answer),
        other => Err(unexpected(&other)),
    }
}

fn odd(answer: Answer) -> Failure {
    unexpected(&Reply::Trash(answer))
}

/// A directory, or that of an agent.
fn place(named: &str) -> Result<PathBuf> {
    let path = Path::new(named);
    if path.is_dir() {
        return absolute(path);
    }
    Ok(Host::on_demand()?.agent(named)?.directory)
}

/// Says what a removal would do.
pub fn look(named: &str, out: &mut Out) -> Result<()> {
    let prospect = match ask(Ask::Look { directory: place(named)? })? {
        Answer::Prospect(prospect) => prospect,
        other => return Err(odd(other)),
    };
    if out.json {
        return out.value(&json!(prospect));
    }
    out.line(&output::plain(&prospect.words()))?;
    for line in prospect.obstacles.iter().chain(&prospect.runs) {
        out.line(&format!("in the way: {}", output::plain(line)))?;
    }
    Ok(())
}

pub fn remove(named: &str, agents: bool, stop: bool, out: &mut Out) -> Result<()> {
    let snapshot = removed(place(named)?, agents, stop)?;
    if out.json {
        return out.value(&value(&snapshot));
    }
    told(&snapshot, out)
}

/// Removes one into the trash.
pub fn removed(directory: PathBuf, agents: bool, stop: bool) -> Result<Snapshot> {
    match ask(Ask::Remove { directory, agents, stop })? {
        Answer::One(snapshot) => Ok(*snapshot),
        other => Err(odd(other)),
    }
}

/// Says what came of it.
pub fn told(snapshot: &Snapshot, out: &mut Out) -> Result<()> {
    let path = output::plain(&snapshot.path.display().to_string());
    let branch = match &snapshot.branch {
        Some(branch) => format!("; the branch {} stays", output::plain(branch)),
        None => String::new(),
    };
    let agents = match snapshot.agents.as_slice() {
        [] => String::new(),
        names => format!(" with agent {}", output::plain(&names.join(", "))),
    };
    out.line(&format!("{path} is in the trash{agents}{branch}"))?;
    if snapshot.left_count > 0 {
        let more = snapshot.left_count.saturating_sub(snapshot.left.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let left = output::plain(&snapshot.left.join(", "));
        out.line(&format!("not kept, because git ignores it: {left}{more}"))?;
    }
    out.line(&format!(
        "within 30 days it comes back: maestro worktree trash restore {}",
        snapshot.id
    ))
}

pub fn snapshot(named: &str, message: String, out: &mut Out) -> Result<()> {
    match ask(Ask::Snapshot { directory: place(named)?, message })? {
        Answer::One(snapshot) if out.json => out.value(&value(&snapshot)),
        Answer::One(snapshot) => out.line(&snapshot.id.to_string()),
        other => Err(odd(other)),
    }
}

pub fn snapshots(repository: Option<&Path>, out: &mut Out) -> Result<()> {
    let all = all(repository, false)?;
    print(&all, "no snapshots: `maestro worktree snapshot` makes one", out)
}

pub fn restore(snapshot: SnapshotId, to: Option<&Path>, out: &mut Out) -> Result<()> {
    let to = to.map(absolute).transpose()?;
    let back = match ask(Ask::Restore { snapshot, to })? {
        Answer::Back(back) => back,
        other => return Err(odd(other)),
    };
    if out.json {
        return out.value(&json!({
            "path": back.path,
            "written": back.written,
            "removed": back.removed,
            "notice": back.notice,
            "before": back.before.map(|id| id.to_string()),
            "agents": back.agents,
        }));
    }
    let files =
        |count: u64| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    let away = match back.removed {
        0 => String::new(),
        removed => format!(", {} taken away", files(removed)),
    };
    let path = output::plain(&back.path.display().to_string());
    out.line(&format!("{path}: {} written{away}", files(back.written)))?;
    if !back.agents.is_empty() {
        let agents = output::plain(&back.agents.join(", "));
        out.line(&format!("with agent {agents}"))?;
    }
    if let Some(notice) = &back.notice {
        out.line(&output::plain(notice))?;
    }
    match back.before {
        Some(before) => {
            out.line(&format!("what was there before: maestro worktree restore {before}"))
        }
        None => Ok(()),
    }
}

pub fn trash(command: Trash, out: &mut Out) -> Result<()> {
    match command {
        Trash::List { repository } => {
            let all = all(repository.as_deref(), true)?;
            print(&all, "nothing is in the trash", out)
        }
        Trash::Restore { id, to } => restore(id, to.as_deref(), out),
        Trash::Purge { ids, all: whole, yes } => {
            let snapshots = if whole {
                all(None, true)?.iter().map(|snapshot| snapshot.id).collect()
            } else {
                ids
            };
            if !yes && !snapshots.is_empty() && !agreed(&snapshots)? {
                return out.line("nothing was forgotten");
            }
            match ask(Ask::Purge { snapshots })? {
                Answer::Purged(count) if out.json => out.value(&json!({ "purged": count })),
                Answer::Purged(count) => out.line(&format!("{count} forgotten for good")),
                other => Err(odd(other)),
            }
        }
    }
}

/// Asks whoever sits there.
fn agreed(snapshots: &[SnapshotId]) -> Result<bool> {
    let named: Vec<String> = snapshots.iter().map(ToString::to_string).collect();
    if !std::io::stdin().is_terminal() {
        let text = "This cannot be undone, and nobody is there to be asked: --yes does it.";
        return Err(Failure::new(Code::Usage, text));
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "Forget {} for good? This cannot be undone. [y/N] ", named.join(", "));
    let _ = stderr.flush();
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn all(repository: Option<&Path>, removed: bool) -> Result<Vec<Snapshot>> {
    let repository = repository.map(absolute).transpose()?;
    match ask(Ask::List { repository })? {
        Answer::List(all) => {
            Ok(all.into_iter().filter(|snapshot| snapshot.removed == removed).collect())
        }
        other => Err(odd(other)),
    }
}

fn print(all: &[Snapshot], empty: &str, out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(all.iter().map(value).collect::<Vec<_>>()));
    }
    let row = |snapshot: &Snapshot| {
        vec![
            snapshot.id.to_string(),
            output::ago(snapshot.made_ms),
            snapshot.branch.clone().unwrap_or_else(|| "(detached)".to_owned()),
            snapshot.files.to_string(),
            snapshot.message.clone(),
            snapshot.path.display().to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    out.table(&["ID", "MADE", "BRANCH", "FILES", "WHAT FOR", "DIRECTORY"], &rows, empty)
}

fn value(snapshot: &Snapshot) -> Value {
    let mut value = json!(snapshot);
    value["id"] = json!(snapshot.id.to_string());
    if let Some(object) = value.as_object_mut() {
        let _ = object.remove("worktree");
        for inner in ["lodgers", "talks"] {
            let _ = object.remove(inner);
        }
    }
    value
}
