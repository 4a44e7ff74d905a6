//! `maestro queue`: what waits to be said to agents, all of them or one.

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use maestro_core::agent::Agent;
use maestro_core::conversation::Tab;
use maestro_core::queue::{Held, Item, PROMPT_LIMIT, Queue};
use maestro_core::{ItemId, TabId};
use maestro_protocol::message::{Command, ItemChange, Reply, World};
use serde_json::{Value, json};

use super::failure::{Failure, Result, unexpected};
use super::output::{self, Out};
use super::{Host, find_agent};

/// How much of a prompt a row shows, in characters.
const SHOWN: usize = 72;

/// What waits to be said.
#[derive(Debug, Subcommand)]
pub enum Queues {
    /// What waits, in the order in which it is said, and why a queue stands still.
    List {
        /// An agent's id or name; all agents when absent.
        agent: Option<String>,
    },
    /// Say something else instead, from the command line, a file or the standard input.
    Edit(Edit),
    /// Hold a queue, or one item, which is stepped over then.
    Hold(Target),
    /// Let a queue go on, whatever held it, or an item.
    Release(Target),
    /// Take items out; `queue restore` puts them back.
    Remove {
        /// Their ids, such as q3.
        #[arg(required = true, value_parser = item)]
        items: Vec<ItemId>,
    },
    /// Put items back where they were.
    Restore {
        /// Their ids, such as q3.
        #[arg(required = true, value_parser = item)]
        items: Vec<ItemId>,
    },
    /// Say an item now: as soon as its own conversation is free, even if its queue is held.
    Send {
        /// Its id, such as q3.
        #[arg(value_parser = item)]
        item: ItemId,
    },
    /// Put an item elsewhere: before another one, to the end, into another conversation.
    Move(Move),
}

#[derive(Debug, Args)]
pub struct Edit {
    /// Its id, such as q3.
    #[arg(value_parser = item)]
    item: ItemId,
    /// The words; several are joined by blanks. From the standard input when absent, or `-`.
    prompt: Vec<String>,
    /// Read the words from a file.
    #[arg(long, short, value_name = "FILE", conflicts_with = "prompt")]
    file: Option<PathBuf>,
}

/// A queue or an item.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Target {
    /// An agent's id or name for its queue, or an item's id, such as q3.
    target: Option<String>,
    /// All queues.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub struct Move {
    /// Its id, such as q3.
    #[arg(value_parser = item)]
    item: ItemId,
    #[command(flatten)]
    to: To,
}

/// Where to.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct To {
    /// Before this item of the same queue.
    #[arg(long, value_name = "ITEM", value_parser = item)]
    before: Option<ItemId>,
    /// To the front.
    #[arg(long)]
    first: bool,
    /// To the end.
    #[arg(long)]
    last: bool,
    /// Into another conversation of the same agent, by its id; its place in the queue stays.
    #[arg(long, value_name = "TAB")]
    tab: Option<TabId>,
}

fn item(text: &str) -> std::result::Result<ItemId, String> {
    text.parse().map_err(|error: maestro_core::id::ParseIdError| error.to_string())
}

pub fn run(command: Queues, out: &mut Out) -> Result<()> {
    // What waits is there without a host, too.
    let mut host = Host::on_demand()?;
    match command {
        Queues::List { agent } => list(&mut host, agent.as_deref(), out),
        Queues::Edit(edit) => {
            let text = words(&edit)?;
            let world = host.world(false)?;
            let known = items(&world).find(|(_, item)| item.id == edit.item);
            let (_, known) = known.ok_or_else(|| missing(edit.item))?;
            let prompt = maestro_core::conversation::Prompt { text, ..known.prompt.clone() };
            change(&mut host, edit.item, ItemChange::Prompt(prompt), out)
        }
        Queues::Hold(target) => hold(&mut host, target, true, out),
        Queues::Release(target) => hold(&mut host, target, false, out),
        Queues::Remove { items } => each(&mut host, &items, &ItemChange::Remove, out),
        Queues::Restore { items } => each(&mut host, &items, &ItemChange::Restore, out),
        Queues::Send { item } => change(&mut host, item, ItemChange::Now, out),
        Queues::Move(Move { item, to }) => {
            let wanted = match to {
                To { tab: Some(tab), .. } => ItemChange::Tab(tab),
                To { before: Some(before), .. } => ItemChange::Before(Some(before)),
                To { first: true, .. } => {
                    let world = host.world(false)?;
                    let queue = world
                        .queues
                        .iter()
                        .find(|queue| queue.items.iter().any(|known| known.id == item));
                    let first = queue.and_then(|queue| queue.items.first());
                    ItemChange::Before(Some(first.map_or(item, |first| first.id)))
                }
                To { .. } => ItemChange::Before(None),
            };
            change(&mut host, item, wanted, out)
        }
    }
}

fn missing(item: ItemId) -> Failure {
    Failure::failed(format!("there is no {item} in any queue: `maestro queue list` shows them"))
}

fn items(world: &World) -> impl Iterator<Item = (&Queue, &Item)> {
    world.queues.iter().flat_map(|queue| queue.items.iter().map(move |item| (queue, item)))
}

/// The new words of an item.
fn words(edit: &Edit) -> Result<String> {
    let limit = PROMPT_LIMIT as u64 + 1;
    let mut text = String::new();
    let read = match &edit.file {
        Some(path) => std::fs::File::open(path)
            .and_then(|file| file.take(limit).read_to_string(&mut text))
            .map_err(|error| format!("{} cannot be read: {error}", path.display())),
        None if edit.prompt.is_empty() || edit.prompt == ["-"] => std::io::stdin()
            .take(limit)
            .read_to_string(&mut text)
            .map_err(|error| format!("the standard input cannot be read: {error}")),
        None => {
            text = edit.prompt.join(" ");
            Ok(0)
        }
    };
    let _ = read.map_err(Failure::failed)?;
    Ok(text.trim_end_matches('\n').to_owned())
}

fn each(host: &mut Host, items: &[ItemId], wanted: &ItemChange, out: &mut Out) -> Result<()> {
    let mut queues = Vec::new();
    for item in items {
        let queue = ask(host, Command::ChangeItem { item: *item, change: wanted.clone() })?;
        queues.retain(|known: &Queue| known.agent != queue.agent);
        queues.push(queue);
    }
    shown(&queues, out)
}

fn change(host: &mut Host, item: ItemId, wanted: ItemChange, out: &mut Out) -> Result<()> {
    let queue = ask(host, Command::ChangeItem { item, change: wanted })?;
    shown(&[queue], out)
}

fn hold(host: &mut Host, target: Target, held: bool, out: &mut Out) -> Result<()> {
    let Some(named) = target.target else {
        let world = host.world(false)?;
        // Held are all there are, so that what comes later waits, too; let go are those that stand still.
        let agents: Vec<_> = if held {
            world.agents.iter().map(|agent| agent.id).collect()
        } else {
            world.queues.iter().map(|queue| queue.agent).collect()
        };
        let mut queues = Vec::new();
        for agent in agents {
            queues.push(ask(host, Command::HoldQueue { agent, held })?);
        }
        return shown(&queues, out);
    };
    let command = match named.parse::<ItemId>() {
        Ok(item) => Command::ChangeItem { item, change: ItemChange::Held(held) },
        Err(_) => Command::HoldQueue { agent: host.agent(&named)?.id, held },
    };
    let queue = ask(host, command)?;
    shown(&[queue], out)
}

fn ask(host: &mut Host, command: Command) -> Result<Queue> {
    match host.ask(command)? {
        Reply::Queue(queue) => Ok(*queue),
        other => Err(unexpected(&other)),
    }
}

/// What queues are after a change: for programs only, a person has asked for the change and got it.
fn shown(queues: &[Queue], out: &mut Out) -> Result<()> {
    if !out.json {
        return Ok(());
    }
    out.value(&json!(queues.iter().map(value).collect::<Vec<_>>()))
}

fn list(host: &mut Host, named: Option<&str>, out: &mut Out) -> Result<()> {
    let world = host.world(false)?;
    let only = named.map(|named| find_agent(world.clone(), named)).transpose()?;
    let wanted = |queue: &&Queue| only.as_ref().is_none_or(|agent| agent.id == queue.agent);
    let queues: Vec<&Queue> = world.queues.iter().filter(wanted).collect();
    if out.json {
        return out.value(&json!(queues.into_iter().map(value).collect::<Vec<_>>()));
    }
    for queue in &queues {
        if let Some(held) = &queue.held {
            let name = name_of(&world, queue);
            let line = format!(
                "{name} is held: {}; `maestro queue release {name}` lets it go on",
                output::plain(&because(held))
            );
            out.line(&line)?;
        }
    }
    let rows: Vec<Vec<String>> = queues
        .iter()
        .flat_map(|queue| queue.items.iter().map(|item| row(&world, queue, item)))
        .collect();
    out.table(
        &["ITEM", "AGENT", "TAB", "STATE", "ADDED", "PROMPT"],
        &rows,
        "nothing waits: `maestro agent send NAME WORDS` says something at once when nothing is in the way",
    )
}

fn name_of(world: &World, queue: &Queue) -> String {
    let agent: Option<&Agent> = world.agents.iter().find(|agent| agent.id == queue.agent);
    agent.map_or_else(|| queue.agent.to_string(), |agent| output::plain(&agent.name))
}

fn row(world: &World, queue: &Queue, item: &Item) -> Vec<String> {
    let tab: Option<&Tab> = world.tabs.iter().find(|tab| tab.id == item.tab);
    let elsewhere = tab.and_then(super::talk::terminal_of);
    let tab = match tab.map(|tab| tab.title.as_str()) {
        None | Some("") => item.tab.to_string(),
        Some(title) => format!("{} {}", item.tab, short(title, 24)),
    };
    let state = match (item.unsure, item.held, elsewhere) {
        (true, ..) => "may have been said".to_owned(),
        (false, true, _) => "held".to_owned(),
        (false, false, Some(terminal)) => format!("waits for terminal {terminal}"),
        (false, false, None) => "waits".to_owned(),
    };
    let mut notes = Vec::new();
    if item.prompt.read_only {
        notes.push("read-only".to_owned());
    }
    if !item.prompt.images.is_empty() {
        notes.push(format!("{} images", item.prompt.images.len()));
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    vec![
        item.id.to_string(),
        name_of(world, queue),
        tab,
        state,
        output::ago(item.added_ms),
        short(&item.prompt.text, SHOWN) + &notes,
    ]
}

/// The beginning of a text on one line.
fn short(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    line.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Why a queue stands still, for people.
pub fn because(held: &Held) -> String {
    match held {
        Held::ByUser => "you held it".to_owned(),
        Held::AfterRestart => "the host was started anew".to_owned(),
        Held::AfterFailure(sentence) => {
            format!("a turn failed: {}", sentence.trim_end_matches('.'))
        }
        Held::AfterInterrupt => "a turn was interrupted".to_owned(),
    }
}

/// A queue as programs read it: ids as a person types them.
fn value(queue: &Queue) -> Value {
    let items: Vec<Value> = queue
        .items
        .iter()
        .map(|item| {
            let mut value = serde_json::to_value(item).unwrap_or(Value::Null);
            value["id"] = json!(item.id.to_string());
            value["tab"] = json!(item.tab.to_string());
            value
        })
        .collect();
    json!({ "agent": queue.agent.to_string(), "held": queue.held, "items": items })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_shown_on_one_line() {
        assert_eq!(short("a\n  b\tc", 10), "a b c");
        assert_eq!(short("äöü 12345", 5), "äöü …");
        assert_eq!(short("", 5), "");
    }

    #[test]
    fn why_a_queue_stands_still_is_a_sentence() {
        for (held, expected) in [
            (Held::ByUser, "you held it"),
            (Held::AfterRestart, "the host was started anew"),
            (Held::AfterFailure("Not logged in.".into()), "a turn failed: Not logged in"),
            (Held::AfterInterrupt, "a turn was interrupted"),
        ] {
            assert_eq!(because(&held), expected);
        }
    }
}
