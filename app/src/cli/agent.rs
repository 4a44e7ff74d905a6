//! `maestro agent`.

use std::path::{Path, PathBuf};

use maestro_core::AgentId;
use maestro_core::agent::{Agent, Clipboard};
use maestro_core::conversation::Tab;
use maestro_core::group::{self, Arrange};
use maestro_core::worktree::{Answer, Ask, Standing};
use maestro_protocol::message::{Branch, Command, NewAgent, Reply, World};
use serde_json::{Value, json};

use super::args::{self, AgentNew};
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};
use super::{Host, find_agent, talk};

pub fn run(command: args::Agent, out: &mut Out) -> Result<()> {
    match command {
        args::Agent::New(new) => create(new, out),
        args::Agent::List => list(out),
        args::Agent::Show { agent } => {
            let world = Host::running()?.world(false)?;
            let agent = find_agent(world.clone(), &agent)?;
            show(&agent, &talk::tabs_of(&world, agent.id, true), out)
        }
        args::Agent::Group { agents, to, none: _ } => {
            let name = to.as_deref().map(|to| {
                let why = "a group's name has letters, digits or signs in it";
                group::name(to).ok_or_else(|| Failure::new(Code::Usage, why))
            });
            let name = name.transpose()?;
            let mut host = Host::on_demand()?;
            let agents = all(&mut host, &agents)?;
            host.tell(Command::ArrangeAgents(Arrange::Group { agents, name }))
        }
        args::Agent::Bookmark { agents, off } => {
            let mut host = Host::on_demand()?;
            let agents = all(&mut host, &agents)?;
            host.tell(Command::ArrangeAgents(Arrange::Bookmark { agents, bookmarked: !off }))
        }
        args::Agent::Move { agent, before } => {
            let mut host = Host::on_demand()?;
            let agent = host.agent(&agent)?.id;
            let before = before.map(|before| host.agent(&before)).transpose()?;
            let known = host.world(false)?.agents.into_iter().map(|known| known.id);
            let mut order: Vec<AgentId> = known.filter(|known| *known != agent).collect();
            let place = |before: &Agent| order.iter().position(|known| *known == before.id);
            let at = before.as_ref().and_then(place).unwrap_or(order.len());
            order.insert(at, agent);
            host.tell(Command::ArrangeAgents(Arrange::Order(order)))
        }
        args::Agent::Talk(command) => talk::run(command, out),
        args::Agent::Stop { agent } => {
            let mut host = Host::running()?;
            let agent = host.agent(&agent)?.id;
            let _ = host.ask_aloud(Command::StopAgent { agent })?;
            Ok(())
        }
        args::Agent::Clipboard { agent, policy } => {
            let mut host = Host::running()?;
            let agent = host.agent(&agent)?.id;
            let clipboard = match policy {
                args::Clipboard::Focused => Clipboard::Focused,
                args::Clipboard::Ask => Clipboard::Ask,
                args::Clipboard::Allow => Clipboard::Allow,
                args::Clipboard::Deny => Clipboard::Deny,
            };
            match host.ask(Command::SetClipboard { agent, clipboard })? {
                Reply::Agent(agent) if out.json => out.value(&output::agent(&agent)),
                Reply::Agent(_) => Ok(()),
                other => Err(unexpected(&other)),
            }
        }
        args::Agent::Remove { agent } => {
            let mut host = Host::running()?;
            let agent = host.agent(&agent)?.id;
            host.tell(Command::RemoveAgent { agent })
        }
        args::Agent::Open { agent, fresh } => {
            let mut host = Host::on_demand()?;
            let agent = host.agent(&agent)?.id;
            match host.ask(Command::OpenAgent { agent, resume: !fresh })? {
                Reply::Agent(agent) => made(&agent, out),
                Reply::Done => Ok(()),
                other => Err(unexpected(&other)),
            }
        }
    }
}

/// The agents with these names or ids.
fn all(host: &mut Host, named: &[String]) -> Result<Vec<AgentId>> {
    named.iter().map(|name| host.agent(name).map(|agent| agent.id)).collect()
}

fn create(new: AgentNew, out: &mut Out) -> Result<()> {
    let branch = match (new.branch, new.new_branch) {
        (Some(name), _) => Some(Branch::Existing(name)),
        (None, Some(name)) => Some(Branch::New { name, base: new.from }),
        (None, None) => None,
    };
    let command = Command::NewAgent(NewAgent {
        provider: new.provider,
        name: new.name,
        directory: absolute(&new.dir)?,
        branch,
        size: new.size,
        start: !new.no_start,
    });
    match Host::on_demand()?.ask_aloud(command)? {
        Reply::Agent(agent) => made(&agent, out),
        other => Err(unexpected(&other)),
    }
}

/// Prints what was made: its id alone, so that a script can take it as it is.
fn made(agent: &Agent, out: &mut Out) -> Result<()> {
    if out.json { out.value(&output::agent(agent)) } else { out.line(&agent.id.to_string()) }
}

fn list(out: &mut Out) -> Result<()> {
    let mut host = Host::running()?;
    let standings = standings(&mut host)?;
    let world = host.world(false)?;
    if out.json {
        return out.value(&json!(with_standings(agents(&world), &standings)));
    }
    print(&world, out)
}

/// How the checkouts of all agents stand.
fn standings(host: &mut Host) -> Result<Vec<(AgentId, Standing)>> {
    match host.ask(Command::Worktrees(Ask::Standings { agents: Vec::new() }))? {
        Reply::OfWorktrees(Answer::Standings(found)) => Ok(found),
        other => Err(unexpected(&other)),
    }
}

/// Null for an agent that is in no repository.
fn with_standings(mut agents: Vec<Value>, found: &[(AgentId, Standing)]) -> Vec<Value> {
    for agent in &mut agents {
        let own = found.iter().find(|(id, _)| agent["id"] == json!(id.to_string()));
        agent["standing"] = json!(own.map(|(_, standing)| standing));
    }
    agents
}

pub fn agents(world: &World) -> Vec<Value> {
    world.agents.iter().map(output::agent).collect()
}

pub fn print(world: &World, out: &mut Out) -> Result<()> {
    let row = |agent: &Agent| {
        vec![
            agent.id.to_string(),
            agent.name.clone(),
            agent.provider.to_string(),
            state(agent),
            agent.branch.clone().unwrap_or_default(),
            agent.directory.display().to_string(),
        ]
    };
    let rows: Vec<_> = world.agents.iter().map(row).collect();
    out.table(
        &["AGENT", "NAME", "PROVIDER", "STATE", "BRANCH", "DIRECTORY"],
        &rows,
        "no agents yet: `maestro agent new --provider claude` makes one in this directory",
    )
}

/// The verdict with its reason.
fn state(agent: &Agent) -> String {
    let state = output::word(&agent.attention.state);
    match agent.attention.because.as_str() {
        "" => state,
        because => match agent.attention.until_ms {
            Some(until) => format!("{state}: {because} until {}", talk::clock(until)),
            None => format!("{state}: {because}"),
        },
    }
}

fn show(agent: &Agent, tabs: &[Tab], out: &mut Out) -> Result<()> {
    if out.json {
        let mut value = output::agent(agent);
        value["tabs"] = json!(tabs.iter().map(talk::tab_value).collect::<Vec<_>>());
        return out.value(&value);
    }
    let path = |path: &Option<PathBuf>| {
        path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    };
    let facts = [
        ("agent", agent.id.to_string()),
        ("name", output::plain(&agent.name)),
        ("provider", agent.provider.title().to_owned()),
        ("state", output::plain(&state(agent))),
        ("since", output::ago(agent.attention.since_ms)),
        ("directory", agent.directory.display().to_string()),
        ("worktree", if agent.worktree { "made by Maestro".to_owned() } else { String::new() }),
        ("repository", path(&agent.repository)),
        ("branch", agent.branch.clone().unwrap_or_default()),
        ("terminal", agent.ai_terminal.map(|id| id.to_string()).unwrap_or_default()),
        ("shell", agent.shell_terminal.map(|id| id.to_string()).unwrap_or_default()),
        ("session", agent.session.as_deref().map(output::plain).unwrap_or_default()),
        ("clipboard", clipboard(agent.clipboard).to_owned()),
        ("made", output::ago(agent.created_ms)),
    ];
    out.facts(&facts)?;
    for tab in tabs.iter().filter(|tab| !tab.closed) {
        let place = match talk::place(tab).as_str() {
            "" => String::new(),
            place => format!(", open in {place}"),
        };
        let session = match &tab.session {
            Some(session) => format!(", session {}", output::plain(session)),
            None => String::new(),
        };
        out.line(&format!(
            "{:9}  {}: {} ({}{place}{session})",
            tab.id.to_string(),
            output::plain(&tab.title),
            output::plain(&talk::state(tab)),
            tab.policy.title(),
        ))?;
    }
    Ok(())
}

/// When its programs may write to the clipboard.
fn clipboard(policy: Clipboard) -> &'static str {
    match policy {
        Clipboard::Focused => "may be written while its pane has the keyboard",
        Clipboard::Ask => "may be written after asking",
        Clipboard::Allow => "may be written",
        Clipboard::Deny => "may not be written",
    }
}

/// A path as the host needs it: it works in another directory than we do.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    // Links are kept: a user who works in a linked directory wants to read its name.
    let path = std::path::absolute(path)
        .map_err(|error| Failure::failed(format!("{} is no path: {error}", path.display())))?;
    // `.` stays in what `absolute` gives on Unix only as a last part.
    Ok(path.components().collect())
}
