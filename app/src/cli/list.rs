//! `maestro list`.

use maestro_protocol::message::TerminalInfo;
use serde_json::json;

use super::failure::Result;
use super::output::{self, Out};
use super::{Host, agent, terminal};

pub fn run(out: &mut Out) -> Result<()> {
    let world = Host::running()?.world(false)?;
    if out.json {
        let terminals: Vec<_> = world.terminals.iter().map(output::terminal).collect();
        let runs: Vec<_> = world.runs.iter().map(output::run).collect();
        return out.value(&json!({
            "agents": agent::agents(&world),
            "terminals": terminals,
            "runs": runs,
        }));
    }
    agent::print(&world, out)?;
    let free: Vec<&TerminalInfo> =
        world.terminals.iter().filter(|terminal| terminal.agent.is_none()).collect();
    if !free.is_empty() {
        out.line("")?;
        terminal::print(&free, &world.agents, out)?;
    }
    if !world.runs.is_empty() {
        out.line("")?;
        super::run::print(&world.runs, out)?;
    }
    Ok(())
}
