//! `maestro worktree`.

use maestro_protocol::message::{Branch, Command, Reply, Worktree};
use serde_json::json;

use super::Host;
use super::agent::absolute;
use super::args;
use super::failure::{Result, unexpected};
use super::output::Out;

pub fn run(command: args::Worktree, out: &mut Out) -> Result<()> {
    match command {
        args::Worktree::List { repository } => {
            let command = Command::ListWorktrees { repository: absolute(&repository)? };
            match Host::on_demand()?.ask(command)? {
                Reply::Worktrees(worktrees) => list(&worktrees, out),
                other => Err(unexpected(&other)),
            }
        }
        args::Worktree::New { branch, repository, existing, from, path } => {
            let branch = if existing {
                Branch::Existing(branch)
            } else {
                Branch::New { name: branch, base: from }
            };
            let command = Command::NewWorktree {
                repository: absolute(&repository)?,
                branch,
                path: path.as_deref().map(absolute).transpose()?,
            };
            match Host::on_demand()?.ask_aloud(command)? {
                Reply::Worktree(worktree) if out.json => out.value(&json!(worktree)),
                Reply::Worktree(worktree) => out.line(&worktree.path.display().to_string()),
                other => Err(unexpected(&other)),
            }
        }
    }
}

fn list(worktrees: &[Worktree], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(worktrees));
    }
    let note = |worktree: &Worktree| {
        let locked = worktree.locked.as_ref().map(|reason| format!("locked {reason}"));
        [
            worktree.main.then(|| "main".to_owned()),
            locked,
            worktree.missing.then(|| "gone".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
    };
    let row = |worktree: &Worktree| {
        vec![
            worktree.branch.clone().unwrap_or_else(|| "(detached)".to_owned()),
            worktree.head.clone().unwrap_or_default(),
            worktree.path.display().to_string(),
            note(worktree),
        ]
    };
    let rows: Vec<_> = worktrees.iter().map(row).collect();
    out.table(&["BRANCH", "COMMIT", "DIRECTORY", "NOTE"], &rows, "no worktrees")
}
