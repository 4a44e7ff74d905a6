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
    command(
        Id::WorktreeRemove,
        "worktree.remove",
        "Remove worktree…",
        &[],
        "Removes the agent's worktree into the trash, after saying what is kept and what is in the way.",
    )
    .group(Group::Agents),
    command(
        Id::WorktreeKeep,
        "worktree.snapshot",
        "Snapshot of the worktree",
        &[],
        "Keeps the files of the agent's directory as they are now, without touching them.",
    )
    .group(Group::Agents),
    command(
        Id::WorktreeUndo,
        "worktree.undo",
        "Bring the removed worktree back",
        &[],
        "Puts back the worktrees that were removed last in this window.",
    )
    .group(Group::Agents),
];
