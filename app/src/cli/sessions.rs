//! `maestro sessions`: conversations that any provider's program ever stored, ours and those from before.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use maestro_core::agent::Provider;
use maestro_core::conversation::Entry;
use maestro_core::conversation::export::{self, Head};
use maestro_core::screen::Size;
use maestro_core::session::{Filter, Hit, Indexing, Session, SessionKey};
use maestro_protocol::message::{Branch, Command, NewAgent, Reply, SessionMark, World};
use serde_json::{Value, json};

use super::agent::absolute;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::Out;
use super::{Host, args};

/// How many sessions one question is answered with.
const PAGE: u32 = 200;
/// How many entries.
const ENTRIES: u32 = 500;
/// The fewest letters of the beginning of an id.
const PREFIX: usize = 4;
/// How long the index may take before the command gives up waiting for it.
const INDEXED: Duration = Duration::from_secs(3600);

/// Stored conversations of every provider.
#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// Those used last, of every provider.
    List(Select),
    /// Words in titles, prompts and answers.
    Search {
        /// The words, all of which are to be found; "text in quotation marks" as it is.
        #[arg(required = true)]
        words: Vec<String>,
        /// In what tools printed, too: reads the files themselves, and takes longer.
        #[arg(long)]
        tools: bool,
        #[command(flatten)]
        select: Select,
    },
    /// What was said in one.
    Show {
        /// Its id, or the beginning of it.
        id: String,
        /// Only its last so many entries.
        #[arg(long, value_name = "ENTRIES")]
        last: Option<u32>,
    },
    /// Go on with one: a new agent in its directory, or in a new worktree.
    Resume(Resume),
    /// Print one as a file to keep.
    Export {
        /// Its id, or the beginning of it.
        id: String,
        /// As Markdown; this is what is done when nothing else is said.
        #[arg(long, group = "format")]
        markdown: bool,
        /// As one HTML page that needs nothing else.
        #[arg(long, group = "format")]
        html: bool,
        /// Into this file, which must not exist.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Mark it with a star.
    Star {
        /// Its id, or the beginning of it.
        id: String,
        /// Take the star away.
        #[arg(long)]
        off: bool,
    },
    /// Give it words to find it by, in place of those it has; none to take them away.
    Tag {
        /// Its id, or the beginning of it.
        id: String,
        /// The words.
        tags: Vec<String>,
    },
    /// Give it a name of your own; none for its provider's.
    Title {
        /// Its id, or the beginning of it.
        id: String,
        /// The name.
        title: Option<String>,
    },
    /// Move its files into Maestro's trash, from where they come back; nothing is deleted.
    Trash {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Take it out of the trash.
    Restore {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Look through the providers' stores again, and say how far that is.
    Index {
        /// Wait until everything is found.
        #[arg(long)]
        wait: bool,
    },
}

/// Which sessions.
#[derive(Debug, Clone, Default, Args)]
pub struct Select {
    /// Only of this provider; several times for several.
    #[arg(long, value_name = "NAME")]
    provider: Vec<Provider>,
    /// Only of this directory or below it.
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Only of this branch.
    #[arg(long)]
    branch: Option<String>,
    /// Only with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only used since then: a date (2026-11-20), or 12h, 7d, 3w.
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: Option<u64>,
    /// Only used before then.
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<u64>,
    /// Only with a star.
    #[arg(long)]
    starred: bool,
    /// Those in the trash.
    #[arg(long)]
    trashed: bool,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
}

#[derive(Debug, Args)]
pub struct Resume {
    /// Its id, or the beginning of it.
    id: String,
    /// In the provider's own interface; this is what is done when nothing else is said.
    #[arg(long, group = "place")]
    tui: bool,
    /// As a conversation.
    #[arg(long, group = "place")]
    conversation: bool,
    /// In a new worktree with a new branch of this name.
    #[arg(long, value_name = "BRANCH")]
    worktree: Option<String>,
    /// The agent's name.
    #[arg(long)]
    name: Option<String>,
    /// Size of its terminal.
    #[arg(long, value_name = "COLSxROWS", default_value = "120x40", value_parser = args::size)]
    size: Size,
}

pub fn run(command: Sessions, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    match command {
        Sessions::List(select) => list(&mut host, &select, String::new(), false, out),
        Sessions::Search { words, tools, select } => {
            list(&mut host, &select, words.join(" "), tools, out)
        }
        Sessions::Show { id, last } => show(&mut host, &id, last, out),
        Sessions::Resume(resume) => go_on(&mut host, resume, out),
        Sessions::Export { id, html, output, .. } => save(&mut host, &id, html, output, out),
        Sessions::Star { id, off } => mark(&mut host, &id, SessionMark::Starred(!off), out),
        Sessions::Tag { id, tags } => mark(&mut host, &id, SessionMark::Tags(tags), out),
        Sessions::Title { id, title } => mark(&mut host, &id, SessionMark::Title(title), out),
        Sessions::Trash { id } => mark(&mut host, &id, SessionMark::Trashed(true), out),
        Sessions::Restore { id } => mark(&mut host, &id, SessionMark::Trashed(false), out),
        Sessions::Index { wait } => index(&mut host, wait, out),
    }
}

fn filter(select: &Select, words: String) -> Result<Filter> {
    Ok(Filter {
        words,
        providers: select.provider.clone(),
        directory: select.project.as_deref().map(absolute).transpose()?,
        branch: select.branch.clone(),
        tag: select.tag.clone(),
        since_ms: select.since,
        until_ms: select.until,
        starred: select.starred,
        trashed: select.trashed,
    })
}

fn list(host: &mut Host, select: &Select, words: String, tools: bool, out: &mut Out) -> Result<()> {
    let filter = filter(select, words)?;
    // The first question on this machine would find little: the stores are being looked through.
    let indexing = wait(host, false)?;
    let sought = !filter.words.is_empty();
    let (mut hits, mut total) = (Vec::new(), None);
    while (hits.len() as u32) < select.limit {
        let most = (select.limit - hits.len() as u32).min(PAGE);
        let command = if tools {
            Command::ScanSessions { filter: filter.clone(), most }
        } else {
            Command::FindSessions { filter: filter.clone(), most, skip: hits.len() as u32 }
        };
        let (page, of, _) = found(host.ask(command)?)?;
        total = of;
        let last = tools || (page.len() as u32) < most;
        hits.extend(page);
        if last {
            break;
        }
    }
    if out.json {
        return out.value(&json!({
            "sessions": hits.iter().map(hit).collect::<Vec<_>>(),
            "total": total,
            "complete": indexing.complete,
        }));
    }
    let empty = match (sought, indexing.complete) {
        (true, true) => "nothing found; `--tools` looks through what tools printed, too",
        (false, true) => "no stored sessions",
        (_, false) => {
            "nothing found yet: the stores are being looked through (`maestro sessions index --wait`)"
        }
    };
    let names = agents(&host.world(false)?);
    let rows: Vec<Vec<String>> = hits.iter().map(|hit| row(hit, sought, &names)).collect();
    let mut heading = vec!["SESSION", "PROVIDER", "USED", "TITLE", "DIRECTORY", "BRANCH"];
    if sought {
        heading.push("FOUND");
    }
    out.table(&heading, &rows, empty)?;
    if let Some(total) = total.filter(|total| *total > hits.len() as u64) {
        out.line(&format!("{} of {total}; --limit shows more", hits.len()))?;
    }
    Ok(())
}

fn row(hit: &Hit, sought: bool, names: &HashMap<maestro_core::AgentId, String>) -> Vec<String> {
    let session = &hit.session;
    let mut title: String = session.title.chars().take(60).collect();
    if session.starred {
        title.insert_str(0, "★ ");
    }
    if let Some(name) = session.open_in.and_then(|(agent, _)| names.get(&agent)) {
        title.push_str(&format!(" (open in {name})"));
    }
    for tag in &session.tags {
        title.push_str(&format!(" #{tag}"));
    }
    let mut row = vec![
        short(&session.id),
        session.provider.to_string(),
        local(session.used_ms),
        title,
        session.directory.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        session.branch.clone().unwrap_or_default(),
    ];
    if sought {
        row.push(hit.excerpt.clone());
    }
    row
}

/// As much of an id as people need to tell it from others. Codex's begin with the time, OpenCode's with a
/// word.
fn short(id: &str) -> String {
    match id.as_bytes().get(8) {
        Some(b'-') if id.starts_with("01") => id.chars().take(18).collect(),
        Some(b'-') => id.chars().take(8).collect(),
        _ => id.to_owned(),
    }
}

fn agents(world: &World) -> HashMap<maestro_core::AgentId, String> {
    world.agents.iter().map(|agent| (agent.id, agent.name.clone())).collect()
}

fn show(host: &mut Host, id: &str, last: Option<u32>, out: &mut Out) -> Result<()> {
    let session = session(host, id)?;
    let key = key(&session);
    let from = match last {
        None => 0,
        Some(last) => {
            let (_, total) = entries(host, &key, 0, 1)?;
            total.saturating_sub(u64::from(last))
        }
    };
    let entries = all_entries(host, &key, from)?;
    if out.json {
        return out.value(&json!({ "session": about(&session), "entries": entries }));
    }
    out.facts(
        &facts(&session).iter().map(|(name, value)| (*name, value.clone())).collect::<Vec<_>>(),
    )?;
    for entry in &entries {
        let text = export::entry_text(entry);
        if text.is_empty() {
            continue;
        }
        out.line("")?;
        for line in text.lines() {
            out.line(&super::output::plain(line))?;
        }
    }
    Ok(())
}

fn save(
    host: &mut Host,
    id: &str,
    html: bool,
    output: Option<PathBuf>,
    out: &mut Out,
) -> Result<()> {
    let session = session(host, id)?;
    let entries = all_entries(host, &key(&session), 0)?;
    let head = Head {
        title: session.title.clone(),
        facts: facts(&session)
            .into_iter()
            .filter(|(name, value)| *name != "title" && !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    };
    let text = if out.json {
        let value = json!({ "session": about(&session), "entries": entries });
        serde_json::to_string_pretty(&value)
            .map_err(|error| Failure::failed(format!("it is no JSON: {error}")))?
    } else if html {
        export::html(&head, &entries, crate::embed::pictures())
    } else {
        export::markdown(&head, &entries)
    };
    match output {
        // Into a file as it is; a terminal would obey what is in it.
        None if std::io::stdout().is_terminal() => {
            out.bytes(super::output::printable(&text).as_bytes())
        }
        None => out.bytes(text.as_bytes()),
        Some(path) => {
            use std::io::Write as _;
            let failed =
                |error| Failure::failed(format!("{} cannot be written: {error}", path.display()));
            let mut file = std::fs::File::create_new(&path).map_err(failed)?;
            file.write_all(text.as_bytes()).map_err(failed)
        }
    }
}

fn go_on(host: &mut Host, resume: Resume, out: &mut Out) -> Result<()> {
    let session = session(host, &resume.id)?;
    if session.trashed_ms.is_some() {
        return Err(Failure::failed(format!(
            "it is in the trash; `maestro sessions restore {}` takes it out",
            short(&session.id)
        )));
    }
    if let Some((agent, tab)) = session.open_in {
        let world = host.world(false)?;
        let name = agents(&world).remove(&agent).unwrap_or_else(|| agent.to_string());
        let place = tab.map(|tab| format!(" as {tab}")).unwrap_or_default();
        return Err(Failure::failed(format!("it is open in {name}{place}; go on with it there")));
    }
    let directory = session.directory.clone().filter(|path| path.is_dir());
    let directory = directory.ok_or_else(|| {
        let named = session.directory.as_ref().map(|path| path.display().to_string());
        Failure::failed(match named {
            Some(path) => format!("its directory {path} is not there any more"),
            None => "nothing says in which directory it worked".to_owned(),
        })
    })?;
    let new = Command::NewAgent(NewAgent {
        provider: session.provider,
        name: resume.name,
        directory,
        branch: resume.worktree.map(|name| Branch::New { name, base: None }),
        size: resume.size,
        start: false,
    });
    let agent = match host.ask_aloud(new)? {
        Reply::Agent(agent) => *agent,
        other => return Err(unexpected(&other)),
    };
    let title = Some(session.title.clone()).filter(|title| !title.is_empty());
    let made = Command::NewTab { agent: agent.id, session: Some(session.id), title };
    let tab = match host.ask(made) {
        Ok(Reply::Tab(tab)) => *tab,
        Ok(other) => return Err(unexpected(&other)),
        Err(error) => {
            // Without its session the agent is of no use to anybody.
            let _ = host.ask(Command::RemoveAgent { agent: agent.id });
            return Err(error);
        }
    };
    if !resume.conversation {
        let _ = host.ask(Command::ToTerminal { tab: tab.id, size: resume.size })?;
    }
    if out.json {
        let id = (agent.id.to_string(), tab.id.to_string());
        out.value(&json!({ "agent": id.0, "name": agent.name, "tab": id.1 }))
    } else {
        out.line(&agent.id.to_string())
    }
}

fn mark(host: &mut Host, id: &str, mark: SessionMark, out: &mut Out) -> Result<()> {
    let session = session(host, id)?;
    match host.ask(Command::MarkSession { session: key(&session), mark })? {
        Reply::Session(session) if out.json => out.value(&about(&session)),
        Reply::Session(_) => Ok(()),
        other => Err(unexpected(&other)),
    }
}

fn index(host: &mut Host, waits: bool, out: &mut Out) -> Result<()> {
    match host.ask(Command::IndexSessions)? {
        Reply::Indexing(_) => {}
        other => return Err(unexpected(&other)),
    }
    let indexing = wait(host, waits)?;
    if out.json {
        return out.value(&json!(indexing));
    }
    out.line(&match indexing.complete {
        true => format!("{} sessions, all of them looked through", indexing.sessions),
        false => {
            let percent = indexing.done_bytes * 100 / indexing.total_bytes.max(1);
            format!("{} sessions, {percent} % looked through", indexing.sessions)
        }
    })
}

/// How far the index is: waits until it is complete, or only for a moment, until there is something in it.
fn wait(host: &mut Host, whole: bool) -> Result<Indexing> {
    let begun = Instant::now();
    let limit = if whole { INDEXED } else { Duration::from_secs(2) };
    loop {
        let command = Command::FindSessions { filter: Filter::default(), most: 1, skip: 0 };
        let (.., indexing) = found(host.ask(command)?)?;
        if indexing.complete || (!whole && begun.elapsed() > limit) {
            return Ok(indexing);
        }
        if begun.elapsed() > limit {
            return Err(Failure::new(Code::TimedOut, "the stores were not looked through in time"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The session that an id, or the beginning of one, names.
fn session(host: &mut Host, id: &str) -> Result<Session> {
    let indexing = wait(host, false)?;
    let mut fits: Vec<Session> = Vec::new();
    for trashed in [false, true] {
        let mut skip = 0;
        loop {
            let filter = Filter { trashed, ..Filter::default() };
            let command = Command::FindSessions { filter, most: PAGE, skip };
            let (page, ..) = found(host.ask(command)?)?;
            let count = page.len() as u32;
            for hit in page {
                if hit.session.id == id {
                    return Ok(hit.session);
                }
                if id.len() >= PREFIX && hit.session.id.starts_with(id) {
                    fits.push(hit.session);
                }
            }
            skip += count;
            if count < PAGE {
                break;
            }
        }
    }
    match fits.len() {
        1 => Ok(fits.remove(0)),
        0 => {
            let mut text = format!("there is no stored session `{id}`");
            if id.len() < PREFIX {
                text.push_str(&format!("; at least {PREFIX} letters of its id are needed"));
            } else if !indexing.complete {
                text.push_str(" yet: the stores are being looked through");
            }
            Err(Failure::failed(text))
        }
        count => {
            let some: Vec<String> = fits.iter().take(3).map(|session| session.id.clone()).collect();
            Err(Failure::failed(format!(
                "{count} sessions begin with `{id}`: {}…",
                some.join(", ")
            )))
        }
    }
}

fn found(reply: Reply) -> Result<(Vec<Hit>, Option<u64>, Indexing)> {
    match reply {
        Reply::Sessions { hits, total, indexing } => Ok((hits, total, indexing)),
        other => Err(unexpected(&other)),
    }
}

fn entries(host: &mut Host, key: &SessionKey, from: u64, most: u32) -> Result<(Vec<Entry>, u64)> {
    let command = Command::ReadSession { session: key.clone(), from, most };
    match host.ask(command)? {
        Reply::Entries(page) => Ok((page.entries, page.total)),
        other => Err(unexpected(&other)),
    }
}

fn all_entries(host: &mut Host, key: &SessionKey, from: u64) -> Result<Vec<Entry>> {
    let mut all: Vec<Entry> = Vec::new();
    let mut next = from;
    loop {
        let (page, total) = entries(host, key, next, ENTRIES)?;
        let Some(last) = page.last().map(|entry| entry.n) else { return Ok(all) };
        next = last + 1;
        all.extend(page);
        if next >= total {
            return Ok(all);
        }
    }
}

fn key(session: &Session) -> SessionKey {
    SessionKey { provider: session.provider, id: session.id.clone() }
}

fn facts(session: &Session) -> Vec<(&'static str, String)> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let directory = session.directory.as_ref().map(|path| path.display().to_string());
    vec![
        ("title", session.title.clone()),
        ("provider", session.provider.title().to_owned()),
        ("session", session.id.clone()),
        ("directory", directory.unwrap_or_default()),
        ("branch", text(&session.branch)),
        ("model", text(&session.model)),
        ("begun", local(session.started_ms)),
        ("used", local(session.used_ms)),
        ("prompts", session.prompts.to_string()),
        ("tags", session.tags.join(", ")),
        ("file", session.path.display().to_string()),
    ]
}

fn hit(hit: &Hit) -> Value {
    let mut value = about(&hit.session);
    if let Some(fields) = value.as_object_mut() {
        let _ = fields.insert("excerpt".into(), json!(hit.excerpt));
        let _ = fields.insert("marks".into(), json!(hit.marks));
        let _ = fields.insert("entry".into(), json!(hit.entry));
    }
    value
}

/// A session for programs: ids as a person types them.
fn about(session: &Session) -> Value {
    let mut value = json!(session);
    if let Some(fields) = value.as_object_mut() {
        let open = session.open_in.map(|(agent, tab)| {
            json!({ "agent": agent.to_string(), "tab": tab.map(|tab| tab.to_string()) })
        });
        let _ = fields.insert("open_in".into(), json!(open));
    }
    value
}

/// A time by the user's own clock.
fn local(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map(|time| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

/// A date, or how long ago.
fn when(text: &str) -> std::result::Result<u64, String> {
    let ms = |zoned: &Zoned| u64::try_from(zoned.timestamp().as_millisecond()).unwrap_or_default();
    if let Some((count, unit)) = text.len().checked_sub(1).and_then(|at| text.split_at_checked(at))
        && let Ok(count) = count.parse::<u32>()
    {
        let hours = match unit {
            "h" => 1,
            "d" => 24,
            "w" => 24 * 7,
            _ => return Err("a time is a date (2026-11-20), or 12h, 7d, 3w".to_owned()),
        };
        let ago = u64::from(count) * hours * 3_600_000;
        return Ok(ms(&Zoned::now()).saturating_sub(ago));
    }
    let date: Date =
        text.parse().map_err(|_| "a time is a date (2026-11-20), or 12h, 7d, 3w".to_owned())?;
    date.to_zoned(TimeZone::system()).map(|zoned| ms(&zoned)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_how_long_ago() {
        let now = u64::try_from(Timestamp::now().as_millisecond()).expect("after 1970");
        let week = when("1w").expect("a time");
        assert!(now - week >= 604_799_000 && now - week < 604_900_000, "{week}");
        assert!(when("2026-11-20").is_ok_and(|ms| ms.abs_diff(1_795_132_800_000) < 86_400_000));
        for bad in ["", "yesterday", "2026-13-01", "7x", "d", "ä"] {
            assert!(when(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_are_short_enough_to_type_and_long_enough_to_tell() {
        assert_eq!(short("6a8bc3ec-26ab-456c-8c0b-cdfafa0d0db5"), "6a8bc3ec");
        assert_eq!(short("01a2022a-17c6-7c23-babd-22ad0ac1bb78"), "01a2022a-17c6-7c23");
        assert_eq!(short("ses_dfdd1bb30ffejXr0Zcvx6D2jzL"), "ses_dfdd1bb30ffejXr0Zcvx6D2jzL");
    }
}
