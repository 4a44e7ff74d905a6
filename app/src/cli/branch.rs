//! `maestro log`, `blame`, `branch`, `fetch`, `pull` and `push`.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use maestro_core::changes::{
    Answer, Ask, Branch, Commit, Log, LogQuery, MAX_BLAME, Name, Origin, Pull, Sync, Synced,
};
use maestro_core::log::Row;
use maestro_protocol::client::Incoming;
use maestro_protocol::message::{Command, Event, Reply};
use serde_json::json;

use super::Host;
use super::diff::{ask, place};
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};

/// How long a fetch, pull or push may take.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// The arguments of `maestro log`.
#[derive(Debug, clap::Args)]
pub struct LogOf {
    /// An agent (by name or id) or a directory; where this is run when absent.
    #[arg(value_name = "NAME|DIR", default_value = ".", hide_default_value = true)]
    place: String,
    /// Only commits that changed these files, relative to the checkout.
    paths: Vec<String>,
    /// From this branch, tag or commit; may be repeated.
    #[arg(long, value_name = "REVISION")]
    from: Vec<String>,
    /// From every branch and tag.
    #[arg(long, conflicts_with = "from")]
    all: bool,
    /// Only commits with all these words in message, writer or id.
    #[arg(long, short, value_name = "WORDS", default_value = "", hide_default_value = true)]
    search: String,
    /// How many.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 30)]
    count: u32,
    /// How many are passed over.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    skip: u32,
}

/// The arguments of `maestro blame`.
#[derive(Debug, clap::Args)]
pub struct BlameOf {
    /// An agent (by name or id) or a directory.
    #[arg(value_name = "NAME|DIR")]
    place: String,
    /// The file, relative to the checkout.
    file: String,
    /// The line, or the first and the last: `12` or `12-40`.
    #[arg(value_parser = lines, default_value = "1-2000", hide_default_value = true)]
    lines: (u32, u32),
    /// As of this commit; what is in the checkout when absent.
    #[arg(long, value_name = "COMMIT")]
    at: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
pub enum BranchOf {
    /// The branches: how far each is from what it follows, and which worktree has it.
    List {
        /// An agent (by name or id) or a directory.
        #[arg(value_name = "NAME|DIR", default_value = ".", hide_default_value = true)]
        place: String,
    },
    /// Check a branch out; refused where something would be lost, or somebody is at work.
    Switch {
        /// An agent (by name or id) or a directory.
        #[arg(value_name = "NAME|DIR")]
        place: String,
        /// The branch; one of a remote (`origin/x`) gets one here that follows it.
        branch: String,
        /// Make it, at this commit (the current one when none is named).
        #[arg(long, short, value_name = "COMMIT", num_args = 0..=1, default_missing_value = "")]
        create: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub struct FetchOf {
    /// An agent (by name or id) or a directory; where this is run when absent.
    #[arg(value_name = "NAME|DIR", default_value = ".", hide_default_value = true)]
    place: String,
    /// From all remotes.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
pub struct PullOf {
    /// An agent (by name or id) or a directory; where this is run when absent.
    #[arg(value_name = "NAME|DIR", default_value = ".", hide_default_value = true)]
    place: String,
    /// Where both sides have commits: by a merge.
    #[arg(long, conflicts_with = "rebase")]
    merge: bool,
    /// Where both sides have commits: put the own ones on top.
    #[arg(long)]
    rebase: bool,
}

#[derive(Debug, clap::Args)]
pub struct PushOf {
    /// An agent (by name or id) or a directory; where this is run when absent.
    #[arg(value_name = "NAME|DIR", default_value = ".", hide_default_value = true)]
    place: String,
    /// Follow a branch of the same name there from now on.
    #[arg(long, short = 'u')]
    set_upstream: bool,
    /// Overwrite what is there, if it still is what was last seen of it.
    #[arg(long)]
    force: bool,
}

fn lines(text: &str) -> std::result::Result<(u32, u32), String> {
    let wrong = || "expected a line or two, such as 12 or 12-40".to_owned();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u32, u32) =
        (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
    if first == 0 || last < first { Err(wrong()) } else { Ok((first, last)) }
}

fn other() -> Failure {
    Failure::failed("the host answered something else")
}

pub fn log(arguments: &LogOf, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    let directory = place(&mut host, &arguments.place)?;
    let query = LogQuery {
        from: arguments.from.clone(),
        all: arguments.all,
        words: arguments.search.clone(),
        paths: arguments.paths.iter().map(|path| Name::from(path.as_str())).collect(),
        skip: arguments.skip,
        count: arguments.count,
    };
    let Answer::Log(log) = ask(&mut host, Ask::Log { directory, query })? else {
        return Err(other());
    };
    if out.json {
        return out.value(&json!(log));
    }
    show_log(&log, out)
}

fn show_log(log: &Log, out: &mut Out) -> Result<()> {
    if log.commits.is_empty() {
        return out.line("no commits");
    }
    let width = log.graph.iter().map(|row| row.width).max().unwrap_or(0).min(8);
    for (at, commit) in log.commits.iter().enumerate() {
        let graph = log.graph.get(at).map(|row| drawn(row, width)).unwrap_or_default();
        let Commit { id, author, at_ms, title, names, .. } = commit;
        let names =
            if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let when = output::ago(u64::try_from(*at_ms).unwrap_or(0));
        let short = id.get(..10).unwrap_or(id);
        out.line(&format!(
            "{graph}{short}{} {} · {}, {when}",
            output::plain(&names),
            output::plain(title),
            output::plain(author)
        ))?;
    }
    if log.more { out.line("and more") } else { Ok(()) }
}

/// The lanes of one commit: itself, and those that pass by.
fn drawn(row: &Row, width: u16) -> String {
    let lane = |at: u16| {
        if at == row.lane {
            return "* ";
        }
        let passes = row.lines.iter().any(|line| line.from == Some(at) || line.to == Some(at));
        if passes { "| " } else { "  " }
    };
    (0..width).map(lane).collect()
}

pub fn blame(arguments: &BlameOf, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    let directory = place(&mut host, &arguments.place)?;
    let (first, last) = arguments.lines;
    let lines = first..last.saturating_add(1).min(first.saturating_add(MAX_BLAME));
    let file = Name::from(arguments.file.as_str());
    let asked = Ask::Blame { directory, file, at: arguments.at.clone(), lines };
    let Answer::Blame(origins) = ask(&mut host, asked)? else { return Err(other()) };
    if out.json {
        return out.value(&json!(origins));
    }
    let row = |origin: &Origin| {
        let last = origin.line + origin.count - 1;
        let lines =
            if last == origin.line { last.to_string() } else { format!("{}-{last}", origin.line) };
        match &origin.commit {
            None => vec![lines, "not committed".to_owned(), String::new(), String::new()],
            Some(id) => vec![
                lines,
                id.get(..10).unwrap_or(id).to_owned(),
                format!(
                    "{}, {}",
                    origin.author,
                    output::ago(u64::try_from(origin.at_ms).unwrap_or(0))
                ),
                origin.title.clone(),
            ],
        }
    };
    let rows: Vec<_> = origins.iter().map(row).collect();
    out.table(&["LINES", "COMMIT", "WHO", "WHY"], &rows, "no lines")
}

pub fn branch(command: BranchOf, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    match command {
        BranchOf::List { place: named } => {
            let directory = place(&mut host, &named)?;
            let Answer::Branches(found) = ask(&mut host, Ask::Branches { directory })? else {
                return Err(other());
            };
            if out.json {
                return out.value(&json!(found));
            }
            let row = |branch: &Branch| {
                let mark = if found.current.as_ref() == Some(&branch.name) { "*" } else { "" };
                let far = match (branch.ahead_behind, branch.is_upstream_gone) {
                    (_, true) => "gone".to_owned(),
                    (Some((0, 0)), _) => "even".to_owned(),
                    (Some((ahead, behind)), _) => format!("+{ahead} -{behind}"),
                    (None, _) => String::new(),
                };
                let worktree = branch.worktree.as_ref().map(|path| path.display().to_string());
                vec![
                    mark.to_owned(),
                    branch.name.clone(),
                    branch.upstream.clone().unwrap_or_default(),
                    far,
                    output::ago(u64::try_from(branch.at_ms).unwrap_or(0)),
                    worktree.unwrap_or_default(),
                ]
            };
            let rows: Vec<_> = found.branches.iter().map(row).collect();
            out.table(
                &["", "BRANCH", "FOLLOWS", "FAR", "LAST COMMIT", "WORKTREE"],
                &rows,
                "no branches",
            )
        }
        BranchOf::Switch { place: named, branch, create } => {
            let directory = place(&mut host, &named)?;
            match ask(&mut host, Ask::Switch { directory, branch, from: create })? {
                Answer::Synced(synced) => verdict(&synced, true, out),
                _ => Err(other()),
            }
        }
    }
}

pub fn fetch(arguments: &FetchOf, out: &mut Out) -> Result<()> {
    sync(&arguments.place, Sync::Fetch { all: arguments.all }, out)
}

pub fn pull(arguments: &PullOf, out: &mut Out) -> Result<()> {
    let how = match (arguments.merge, arguments.rebase) {
        (true, _) => Pull::Merge,
        (_, true) => Pull::Rebase,
        _ => Pull::FastForward,
    };
    sync(&arguments.place, Sync::Pull { how }, out)
}

pub fn push(arguments: &PushOf, out: &mut Out) -> Result<()> {
    let PushOf { set_upstream, force, .. } = *arguments;
    sync(&arguments.place, Sync::Push { set_upstream, force }, out)
}

/// Asks on one connection and hears what git prints on another.
fn sync(named: &str, sync: Sync, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    let directory = place(&mut host, named)?;
    let token = output::now_ms() ^ (u64::from(std::process::id()) << 42);
    let asked = Command::Changes(Ask::Sync { directory, sync, token });
    let is_heard = !out.json;
    if is_heard && let Ok(mut ears) = Host::running() {
        let _ = ears.world(true)?;
        // Ends with the process.
        let _ =
            std::thread::Builder::new().name("hear".into()).spawn(move || hear(&mut ears, token));
    }
    match host.client.request(asked, PATIENCE)? {
        Reply::Changes(Answer::Synced(synced)) => verdict(&synced, false, out),
        other => Err(unexpected(&other)),
    }
}

fn hear(ears: &mut Host, token: u64) {
    let is_terminal = stderr().is_terminal();
    loop {
        match ears.client.next(None) {
            Ok(Incoming::Event { event: Event::SyncHeard(heard), .. }) if heard.token == token => {
                let line = output::plain(&heard.line);
                let _ = match (heard.replaces, is_terminal) {
                    (true, true) => write!(stderr(), "\r\x1b[K{line}"),
                    (true, false) => Ok(()),
                    (false, true) => write!(stderr(), "\r\x1b[K{line}\r\n"),
                    (false, false) => writeln!(stderr(), "{line}"),
                };
            }
            Ok(Incoming::Closed(_)) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn verdict(synced: &Synced, shows: bool, out: &mut Out) -> Result<()> {
    if out.json {
        out.value(&json!(synced))?;
    } else if shows && !synced.output.is_empty() {
        out.line(output::printable(&synced.output).trim_end())?;
    }
    let Some(failure) = &synced.failure else { return Ok(()) };
    let ways: Vec<String> =
        failure.ways.iter().map(|way| format!("{}: {}", way.title, command(&way.sync))).collect();
    let ways = if ways.is_empty() { String::new() } else { format!(" ({})", ways.join("; ")) };
    Err(Failure::new(Code::Failed, format!("{}{ways}", failure.text.replace('\n', " "))))
}

/// What one types for it.
fn command(sync: &Sync) -> &'static str {
    match sync {
        Sync::Fetch { .. } => "`maestro fetch`",
        Sync::Pull { how: Pull::FastForward } => "`maestro pull`",
        Sync::Pull { how: Pull::Merge } => "`maestro pull --merge`",
        Sync::Pull { how: Pull::Rebase } => "`maestro pull --rebase`",
        Sync::Push { set_upstream: true, .. } => "`maestro push -u`",
        Sync::Push { force: true, .. } => "`maestro push --force`",
        Sync::Push { .. } => "`maestro push`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_one_or_from_to() {
        for (text, expected) in [
            ("12", Some((12, 12))),
            ("3-9", Some((3, 9))),
            ("9-3", None),
            ("0", None),
            ("x", None),
            ("-3", None),
        ] {
            assert_eq!(lines(text).ok(), expected, "{text}");
        }
    }
}
