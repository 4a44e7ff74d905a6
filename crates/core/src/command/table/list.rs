//! Commands of the list of agents.

use crate::command::{Command, Context, Group, Id, command};

/// A command that holds while the list has the keyboard.
const fn here(
    id: Id,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    about: &'static str,
) -> Command {
    command(id, name, title, chords, about).at(Context::Agents).unlisted()
}

const fn number(
    n: u8,
    name: &'static str,
    title: &'static str,
    chord: &'static [&'static str],
) -> Command {
    here(Id::ListNumber(n), name, title, chord, "Goes to the agent of the list with this number.")
}

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    command(Id::AgentGroup, "agent.group", "Put into a group…", &[], "Lists the agent, or those that are chosen, in a group of their own.").group(Group::Agents),
    command(Id::AgentBookmark, "agent.bookmark", "Bookmark, or not any more", &[], "Lists the agent at the top, too.").group(Group::Agents),
    command(Id::AgentsRail, "view.agents-rail", "Agents as shapes alone", &[], "Makes the list of agents as narrow as their shapes, or as wide as before.").group(Group::View),
    here(Id::ListFind, "list.find", "Filter", &["/"], "Shows only agents in whose name, branch, group or reason the words are."),
    here(Id::ListNews, "list.news", "Only with news", &["u"], "Shows only agents that need you, are done or failed, or have unread notices."),
    here(Id::ListChoose, "list.choose", "Choose", &["Space"], "Chooses the marked agent, too; what is done next is done with all that are chosen."),
    here(Id::ListFold, "list.fold", "Fold the group", &["Left"], "Shows the label of the group alone."),
    here(Id::ListUnfold, "list.unfold", "Unfold the group", &["Right"], "Shows the agents of the group again."),
    here(Id::ListMenu, "list.menu", "What can be done with it", &["Menu", "Shift+F10", "m"], "Lists the commands for the marked agent."),
    here(Id::ListMoveUp, "list.move-up", "Move up", &["Alt+Up"], "Moves the agent up in its group; from its top, the group."),
    here(Id::ListMoveDown, "list.move-down", "Move down", &["Alt+Down"], "Moves the agent down in its group; from its end, the group."),
    here(Id::ListGroup, "list.group", "Put into a group", &["g"], "Lists what is chosen in a group with a name."),
    here(Id::ListGroupRename, "list.rename-group", "Rename the group", &["Shift+G"], "Gives the group of the marked agent another name."),
    here(Id::ListBookmark, "list.bookmark", "Bookmark", &["b"], "Lists what is chosen at the top, too, or not any more."),
    number(1, "list.1", "Agent 1", &["1"]),
    number(2, "list.2", "Agent 2", &["2"]),
    number(3, "list.3", "Agent 3", &["3"]),
    number(4, "list.4", "Agent 4", &["4"]),
    number(5, "list.5", "Agent 5", &["5"]),
    number(6, "list.6", "Agent 6", &["6"]),
    number(7, "list.7", "Agent 7", &["7"]),
    number(8, "list.8", "Agent 8", &["8"]),
    number(9, "list.9", "Agent 9", &["9"]),
];
