//! Commands of agents and their worktrees.

use crate::command::{Command, Group, Id, command};

pub(super) const COMMANDS: &[Command] = &[
    command(
        Id::AgentNew,
        "agent.new",
        "New agent…",
        &["Mod+N"],
        "Makes an agent from a provider, a repository and a branch.",
    )
    .group(Group::Agents),
    command(
        Id::ToggleShell,
        "agent.toggle-shell",
        "Switch between agent and shell",
        &["Mod+J"],
        "Shows the agent's own interface, or a shell in the same directory.",
    )
    .group(Group::Agents),
    command(
        Id::AgentResume,
        "agent.resume",
        "Resume agent",
        &["Alt+Mod+O"],
        "Starts the agent's program again, in its last session where the provider can.",
    )
    .group(Group::Agents),
    command(Id::AgentRename, "agent.rename", "Rename agent…", &[], "Gives the agent another name.")
        .group(Group::Agents),
    command(
        Id::AgentStop,
        "agent.stop",
        "Stop agent",
        &[],
        "Ends the agent's processes; the agent stays in the list.",
    )
    .group(Group::Agents),
    command(
        Id::AgentRemove,
        "agent.remove",
        "Remove agent…",
        &[],
        "Forgets the agent. Its directory and its branch are left alone.",
    )
    .group(Group::Agents),
    command(
        Id::WorktreeNew,
        "worktree.new",
        "New agent in a worktree…",
        &["Alt+Mod+N"],
        "Makes an agent in a new worktree of the current agent's repository.",
    )
    .group(Group::Agents),
];
