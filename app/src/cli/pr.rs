//! `maestro pr`.

use std::path::PathBuf;

use maestro_core::pull::{Ask, CheckState, Create, PullRequest, State};
use maestro_protocol::message::{Command, Reply};
use serde_json::json;

use super::Host;
use super::agent::absolute;
use super::failure::{Result, unexpected};
use super::output::{self, Out};

#[derive(Debug, clap::Subcommand)]
pub enum Pulls {
    /// Push the branch that is checked out, and open a pull request for it by `gh`. Without `gh` the page
    /// on which to open it is printed.
    Create {
        /// An agent, or a directory in the checkout.
        #[arg(default_value = ".")]
        place: String,
        /// The branch it is to go into; the remote's usual one when absent.
        #[arg(long, short, value_name = "BRANCH")]
        target: Option<String>,
        /// Its title; from the commits when absent.
        #[arg(long)]
        title: Option<String>,
        /// Its text; the report of the last run there, or the commits, when absent.
        #[arg(long)]
        body: Option<String>,
        /// As a draft.
        #[arg(long)]
        draft: bool,
        /// Who is asked to look at it. May be repeated.
        #[arg(long, value_name = "NAME")]
        reviewer: Vec<String>,
    },
    /// The pull request of the branch that is checked out, with its checks.
    Status {
        /// An agent, or a directory in the checkout.
        #[arg(default_value = ".")]
        place: String,
        /// Send the logs of the checks that failed to the agent that works there.
        #[arg(long)]
        send: bool,
    },
}

pub fn run(command: Pulls, out: &mut Out) -> Result<()> {
    let mut host = Host::on_demand()?;
    match command {
        Pulls::Create { place, target, title, body, draft, reviewer } => {
            let (directory, _) = find(&mut host, &place)?;
            let wanted = Create { directory, target, title, body, draft, reviewers: reviewer };
            show(&mut host, Ask::Create(wanted), out)
        }
        Pulls::Status { place, send: false } => {
            let (directory, _) = find(&mut host, &place)?;
            show(&mut host, Ask::Status { directory }, out)
        }
        Pulls::Status { place, send: true } => {
            let (directory, agent) = find(&mut host, &place)?;
            let ask = Ask::SendFailures { directory, agent };
            let sent = match host.ask(Command::PullRequest(ask))? {
                Reply::SentFailures(sent) => sent,
                other => return Err(unexpected(&other)),
            };
            let item = sent.item.map(|id| id.to_string());
            if out.json {
                return out.value(&json!({ "checks": sent.checks, "item": item }));
            }
            match item {
                None => out.line("no check failed"),
                Some(item) => {
                    let names = output::plain(&sent.checks.join(", "));
                    out.line(&format!("sent as {item}: {names}"))
                }
            }
        }
    }
}

/// An agent by its name or id, or else a directory.
fn find(host: &mut Host, place: &str) -> Result<(PathBuf, Option<maestro_core::AgentId>)> {
    let world = host.world(false)?;
    if let Ok(agent) = super::find_agent(world, place) {
        return Ok((agent.directory, Some(agent.id)));
    }
    Ok((absolute(&PathBuf::from(place))?, None))
}

fn show(host: &mut Host, ask: Ask, out: &mut Out) -> Result<()> {
    let request: PullRequest = match host.ask(Command::PullRequest(ask))? {
        Reply::PullRequest(request) => *request,
        other => return Err(unexpected(&other)),
    };
    if out.json {
        return out.value(&json!(request));
    }
    if let Some(notice) = &request.notice {
        super::complain(notice);
    }
    if request.state != State::None {
        let number = request.number.map(|number| format!("#{number} ")).unwrap_or_default();
        let state = output::word(&request.state);
        out.line(&format!("{number}{}  {state}", output::plain(&request.title)))?;
    }
    if let Some(address) = &request.address {
        out.line(&output::plain(address))?;
    }
    for check in &request.checks {
        let mark = match check.state {
            CheckState::Passed => "✓",
            CheckState::Failed => "✗",
            CheckState::Pending => "…",
            CheckState::Neutral => "-",
        };
        out.line(&format!("  {mark} {}", output::plain(&check.name)))?;
    }
    Ok(())
}
