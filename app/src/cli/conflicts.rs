//! `maestro conflicts`.

use std::path::{Path, PathBuf};

use maestro_core::conflict::{Clash, Fit, Matrix, Side};
use maestro_protocol::client::Incoming;
use maestro_protocol::message::{Against, Command, Event, Reply};
use serde_json::json;

use super::Host;
use super::agent::absolute;
use super::failure::{Failure, Result, unexpected};
use super::output::{self, Out};

/// Files that are named in one line of the table.
const NAMED: usize = 4;

/// The arguments of `maestro conflicts`.
#[derive(Debug, clap::Args)]
pub struct Conflicts {
    /// Two worktrees (by branch or directory), or one and a branch: show where they conflict.
    #[arg(num_args = 0..=2, value_name = "BRANCH")]
    pair: Vec<String>,
    /// Any directory in the repository.
    #[arg(long, short, default_value = ".")]
    repository: PathBuf,
    /// What every worktree is also held against; the main checkout's branch when absent.
    #[arg(long, short, value_name = "REVISION")]
    target: Option<String>,
    /// Also the pairs that change different files.
    #[arg(long, short)]
    all: bool,
    /// End with 1 when something conflicts.
    #[arg(long)]
    exit_code: bool,
    /// Go on, and show them again whenever they are others.
    #[arg(long, short, conflicts_with_all = ["pair", "exit_code", "target"])]
    watch: bool,
    /// With --watch: one line of JSON for each change.
    #[arg(long, requires = "watch")]
    jsonl: bool,
}

pub fn run(arguments: &Conflicts, out: &mut Out) -> Result<()> {
    let repository = absolute(&arguments.repository)?;
    let mut host = Host::on_demand()?;
    if arguments.watch {
        return watch(&mut host, repository, arguments, out);
    }
    let target = arguments.target.clone();
    let matrix = match host.ask(Command::ReadConflicts { repository, target })? {
        Reply::Conflicts(matrix) => *matrix,
        other => return Err(unexpected(&other)),
    };
    let collides = match arguments.pair.as_slice() {
        [] => {
            show(&matrix, arguments.all, out)?;
            matrix.cells.iter().any(|cell| matches!(cell.fit, Fit::Conflicts(_)))
        }
        [one, rest @ ..] => {
            let one = side(&matrix, one)?.directory.clone();
            let other = match rest.first().map(String::as_str).or(matrix.target.as_deref()) {
                Some(name) => match side(&matrix, name) {
                    // The branch of the main checkout is meant with what is not committed there, too.
                    Ok(side) => Against::Worktree(side.directory.clone()),
                    Err(_) => Against::Revision(name.to_owned()),
                },
                None => return Err(Failure::failed("say what it is held against")),
            };
            let clashes = match host.ask(Command::ReadClashes { one, other })? {
                Reply::Clashes(clashes) => clashes,
                other => return Err(unexpected(&other)),
            };
            places(&clashes, out)?;
            !clashes.is_empty()
        }
    };
    if collides && arguments.exit_code { Err(Failure::silent()) } else { Ok(()) }
}

/// Shows the conflicts, and again whenever they are others, until the host ends.
fn watch(host: &mut Host, repository: PathBuf, arguments: &Conflicts, out: &mut Out) -> Result<()> {
    let _ = host.world(true)?;
    let command = Command::WatchConflicts { repository: repository.clone(), follow: true };
    let mut matrix = match host.ask(command)? {
        Reply::Conflicts(matrix) => *matrix,
        other => return Err(unexpected(&other)),
    };
    let root = match host.ask(Command::InspectRepository { directory: repository })? {
        Reply::Repository(found) => found.root.unwrap_or_default(),
        other => return Err(unexpected(&other)),
    };
    loop {
        if arguments.jsonl || out.json {
            out.json_line(&json!(matrix))?;
        } else {
            show(&matrix, arguments.all, out)?;
            out.line("")?;
        }
        loop {
            match host.client.next(None) {
                Ok(Incoming::Event { event: Event::Conflicts(live), .. })
                    if live.repository == root && !live.matrix.says_the_same(&matrix) =>
                {
                    matrix = live.matrix;
                    break;
                }
                Ok(Incoming::Lagged) => {
                    let _ = host.world(true)?;
                    let asked = Command::WatchConflicts { repository: root.clone(), follow: true };
                    if let Reply::Conflicts(now) = host.ask(asked)? {
                        matrix = *now;
                    }
                    break;
                }
                Ok(Incoming::Closed(_) | Incoming::Event { event: Event::HostStopping, .. }) => {
                    return Err(Failure::failed("the host ended"));
                }
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The worktree that a user means, by its branch or its directory.
fn side<'a>(matrix: &'a Matrix, named: &str) -> Result<&'a Side> {
    let directory = Path::new(named).canonicalize().ok();
    let found = matrix.sides.iter().find(|side| {
        side.branch.as_deref() == Some(named) || directory.as_ref() == Some(&side.directory)
    });
    found.ok_or_else(|| {
        let text = format!("no worktree of this repository has {named} checked out");
        Failure::failed(text)
    })
}

fn name(side: &Side) -> String {
    let directory =
        || side.directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = side.branch.clone().unwrap_or_else(directory);
    output::plain(&if side.is_dirty { format!("{name} *") } else { name })
}

fn show(matrix: &Matrix, all: bool, out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(matrix));
    }
    let side = |at: u32| matrix.sides.get(at as usize).map(name).unwrap_or_default();
    let mut rows = Vec::new();
    for cell in &matrix.cells {
        let (how, files) = match &cell.fit {
            Fit::Conflicts(files) => ("conflict", named(files)),
            Fit::SameFiles(files) => ("same files", named(files)),
            Fit::Unknown(why) => ("unknown", output::plain(why)),
            Fit::Apart if all => ("apart", String::new()),
            Fit::Apart => continue,
        };
        let other = match cell.b {
            Some(b) => side(b),
            None => output::plain(matrix.target.as_deref().unwrap_or_default()),
        };
        rows.push(vec![how.to_owned(), side(cell.a), other, files]);
    }
    // What matters most comes first; the sort keeps the order within a kind.
    let weight = |how: &str| ["conflict", "unknown", "same files"].iter().position(|w| *w == how);
    rows.sort_by_key(|row| weight(&row[0]).unwrap_or(usize::MAX));
    let quiet = format!("{} worktrees, nothing collides", matrix.sides.len());
    out.table(&["HOW", "ONE", "OTHER", "FILES"], &rows, &quiet)?;
    for note in &matrix.notes {
        eprintln!("maestro: {}", output::printable(note));
    }
    for side in &matrix.sides {
        if let Some(problem) = &side.problem {
            eprintln!("maestro: {}: {}", name(side), output::printable(problem));
        }
    }
    Ok(())
}

pub fn named(files: &[PathBuf]) -> String {
    let names: Vec<_> =
        files.iter().take(NAMED).map(|path| output::plain(&path.to_string_lossy())).collect();
    match files.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn places(clashes: &[Clash], out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&json!(clashes));
    }
    if clashes.is_empty() {
        return out.line("they fit together");
    }
    for clash in clashes {
        let kind = clash.kind.trim_start_matches("CONFLICT").trim().trim_matches(['(', ')']);
        let kind =
            if kind.is_empty() { String::new() } else { format!("  ({})", output::plain(kind)) };
        out.line(&format!("{}{kind}", output::plain(&clash.path.to_string_lossy())))?;
        for hunk in &clash.hunks {
            out.line(&format!("  line {}", hunk.line))?;
            for (mark, text) in [('<', &hunk.ours), ('>', &hunk.theirs)] {
                for line in text.lines() {
                    out.line(&format!("    {mark} {}", output::plain(line)))?;
                }
            }
        }
        if clash.is_cut {
            out.line("  and more")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_up_to_a_few() {
        let files = |count: usize| -> Vec<PathBuf> {
            (0..count).map(|n| PathBuf::from(format!("f{n}"))).collect()
        };
        assert_eq!(named(&files(2)), "f0, f1");
        assert_eq!(named(&files(6)), "f0, f1, f2, f3 and 2 more");
    }
}
