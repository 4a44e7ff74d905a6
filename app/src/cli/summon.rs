//! The window is called from outside: `maestro show`, `hide`, `toggle`, and a second `maestro`.

use clap::Args;
use maestro_core::summon::{self, Summon};
use maestro_protocol::client::Start;
use maestro_protocol::home::Home;
use maestro_protocol::message::{Command, Reply};
use serde_json::json;

use super::Host;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::Out;
use crate::window;

/// What is shown.
#[derive(Debug, Args)]
pub struct Show {
    /// An agent: its name, its id or a link such as `maestro://agent/api`.
    agent: Option<String>,
    /// The agent that waits longest for you.
    #[arg(long, conflicts_with = "agent")]
    waiting: bool,
}

/// The quick prompt.
#[derive(Debug, Args)]
pub struct Quick {
    /// Come to the front, or go, at each line of the standard input.
    #[arg(long, hide = true)]
    heed: bool,
}

/// Without a command: the window there is comes to the front, or one opens.
pub fn start(another: bool) -> Result<()> {
    if !another
        && let Ok(mut host) = Host::running()
        && asked(&mut host, Summon::Show(None))? > 0
    {
        return Ok(());
    }
    open(None)
}

pub fn show(show: Show, out: &mut Out) -> Result<()> {
    let wanted = match show.agent {
        Some(named) => Summon::Show(Some(agent(&named)?)),
        None if show.waiting => Summon::Waiting,
        None => Summon::Show(None),
    };
    call(wanted, out)
}

pub fn toggle(out: &mut Out) -> Result<()> {
    call(Summon::Toggle, out)
}

pub fn hide(out: &mut Out) -> Result<()> {
    let windows = Host::running().and_then(|mut host| asked(&mut host, Summon::Hide))?;
    if windows == 0 {
        return Err(Failure::failed("no window is open"));
    }
    told(windows, out)
}

pub fn prompt(quick: &Quick) -> Result<()> {
    window::quick_prompt(Home::from_env()?, Start::ON_DEMAND, quick.heed)
        .map_err(|error| Failure::failed(format!("{error:#}")))
}

/// The agent that was named, perhaps by a link. A link is another program's text: all it can do is show
/// an agent that is there.
fn agent(named: &str) -> Result<maestro_core::AgentId> {
    let usage = |error: summon::NoLink| Failure::new(Code::Usage, error.to_string());
    let linked = summon::agent_of(named).map_err(usage)?;
    let name = linked.as_deref().unwrap_or(named);
    Host::on_demand()?.agent(name).map(|agent| agent.id)
}

fn call(summon: Summon, out: &mut Out) -> Result<()> {
    match asked(&mut Host::on_demand()?, summon)? {
        0 => open(Some(summon)),
        windows => told(windows, out),
    }
}

fn asked(host: &mut Host, summon: Summon) -> Result<u32> {
    match host.ask(Command::Summon(summon))? {
        Reply::Windows(windows) => Ok(windows),
        other => Err(unexpected(&other)),
    }
}

fn told(windows: u32, out: &mut Out) -> Result<()> {
    if out.json { out.value(&json!({ "windows": windows })) } else { Ok(()) }
}

fn open(first: Option<Summon>) -> Result<()> {
    let options = window::Options { home: Home::from_env()?, start: Start::ON_DEMAND, show: first };
    window::run(options).map_err(|error| Failure::failed(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args;

    const ENTRY: &str = include_str!("../../../resources/maestro.desktop");

    #[test]
    fn what_a_desktop_hands_over_is_only_ever_an_agent_to_show() {
        let mut programs = ENTRY.lines().filter_map(|line| line.strip_prefix("Exec="));
        let (open, waiting) = (programs.next().expect("one"), programs.next().expect("two"));
        for (program, url, agent, longest) in [
            (open, None, None, false),
            (
                open,
                Some("maestro://agent/night%20shift"),
                Some("maestro://agent/night%20shift"),
                false,
            ),
            (open, Some("--waiting"), Some("--waiting"), false),
            (waiting, None, None, true),
        ] {
            let word = |word| if word == "%u" { url } else { Some(word) };
            let cli = args::Cli::try_parse_from(program.split(' ').filter_map(word));
            let Some(args::Command::Show(show)) = cli.expect("understood").command else {
                panic!("`{program}` shows nothing")
            };
            assert_eq!((show.agent.as_deref(), show.waiting), (agent, longest), "{program}");
        }
        assert!(ENTRY.lines().any(|line| line == "MimeType=x-scheme-handler/maestro;"));
    }
}
