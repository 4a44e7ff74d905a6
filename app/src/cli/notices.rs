//! `maestro notices`: what was told of agents and runs.

use clap::{Args, Subcommand};
use maestro_core::notice::{Ask, Notice, Which};
use maestro_protocol::message::{Command, Reply};
use serde_json::{Value, json};

use super::Host;
use super::failure::{Result, unexpected};
use super::output::{self, Out};

/// What was told of agents and runs, the newest first.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Notices {
    #[command(subcommand)]
    command: Option<Order>,
    /// Only what was not read.
    #[arg(long)]
    unread: bool,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Mark what was told as read.
    Read {
        /// The number of a notice; all of them when absent.
        notice: Option<u64>,
        /// Only what is about this agent: its name or id.
        #[arg(long, value_name = "AGENT", conflicts_with = "notice")]
        agent: Option<String>,
    },
    /// Forget all of it.
    Clear,
    /// Tell something now, outside the window, as it is set: `maestro settings list notices`.
    Test,
}

pub fn run(arguments: Notices, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    let ask = match arguments.command {
        None => return list(&mut host, arguments.unread, out),
        Some(Order::Read { notice, agent }) => {
            let which = match (notice, agent) {
                (Some(id), _) => Which::One(id),
                (None, Some(agent)) => Which::Agent(host.agent(&agent)?.id),
                (None, None) => Which::All,
            };
            Ask::Mark { which, read: true }
        }
        Some(Order::Clear) => Ask::Clear,
        Some(Order::Test) => Ask::Try,
    };
    match host.ask(Command::Notices(ask))? {
        Reply::Text(told) if out.json => out.value(&json!({ "told": told })),
        Reply::Text(told) => out.line(&output::plain(&told.unwrap_or_default())),
        Reply::Done if out.json => out.value(&json!({})),
        Reply::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}

fn list(host: &mut Host, unread: bool, out: &mut Out) -> Result<()> {
    let mut notices = match host.ask(Command::Notices(Ask::List))? {
        Reply::Notices(notices) => notices,
        other => return Err(unexpected(&other)),
    };
    notices.retain(|notice| !unread || !notice.read);
    if out.json {
        return out.value(&Value::Array(notices.iter().map(value).collect()));
    }
    let rows: Vec<Vec<String>> = notices.iter().map(row).collect();
    let nothing = if unread { "nothing is unread" } else { "nothing has happened yet" };
    out.table(&["ID", "WHEN", "", "WHAT", "WHY"], &rows, nothing)
}

fn row(notice: &Notice) -> Vec<String> {
    let mark = if notice.read { "" } else { "unread" };
    vec![
        notice.id.to_string(),
        output::ago(notice.at_ms),
        mark.to_owned(),
        notice.title(),
        notice.text.clone(),
    ]
}

fn value(notice: &Notice) -> Value {
    json!({
        "id": notice.id,
        "at_ms": notice.at_ms,
        "kind": notice.kind.name(),
        "agent": notice.agent.map(|agent| agent.to_string()),
        "run": notice.run.map(|run| run.to_string()),
        "who": notice.who,
        "text": notice.text,
        "count": notice.count,
        "read": notice.read,
    })
}
