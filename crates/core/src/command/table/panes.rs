//! Commands of runs, panes and layouts.

use crate::command::{Command, Context, Group, Id, command};
use crate::layout::Direction;

const fn pane(
    id: Id,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    about: &'static str,
) -> Command {
    command(id, name, title, chords, about).group(Group::Panes)
}

const fn number(
    n: u8,
    name: &'static str,
    title: &'static str,
    chord: &'static [&'static str],
) -> Command {
    command(
        Id::FocusNumber(n),
        name,
        title,
        chord,
        "Gives the keyboard to the pane with this number.",
    )
    .group(Group::Panes)
}

const fn workspace(
    n: u8,
    name: &'static str,
    title: &'static str,
    chord: &'static [&'static str],
) -> Command {
    let about = "Shows the panes of the workspace with this number as they were saved.";
    pane(Id::WorkspaceNumber(n), name, title, chord, about)
}

pub(super) const COMMANDS: &[Command] = &[
    command(
        Id::RunStart,
        "run.start",
        "Start Auto Run…",
        &["Mod+Shift+2"],
        "Works through the tasks of a checklist, each in a fresh session.",
    )
    .group(Group::Runs),
    command(
        Id::RunStop,
        "run.stop",
        "Stop Auto Run after this task",
        &["Alt+Mod+."],
        "Lets the current task finish, then ends the run.",
    )
    .group(Group::Runs),
    command(
        Id::RunKill,
        "run.kill",
        "Kill Auto Run now",
        &[],
        "Ends the run and its agent's processes at once.",
    )
    .group(Group::Runs),
    command(
        Id::FocusNext,
        "pane.next",
        "Next pane",
        &["Ctrl+Tab"],
        "Gives the keyboard to the next pane.",
    )
    .group(Group::Panes),
    command(
        Id::FocusPrevious,
        "pane.previous",
        "Previous pane",
        &["Ctrl+Shift+Tab"],
        "Gives the keyboard to the previous pane.",
    )
    .group(Group::Panes),
    command(
        Id::FocusLeft,
        "pane.left",
        "Pane to the left",
        &["Mod+Shift+Left"],
        "Gives the keyboard to the pane to the left.",
    )
    .group(Group::Panes),
    command(
        Id::FocusRight,
        "pane.right",
        "Pane to the right",
        &["Mod+Shift+Right"],
        "Gives the keyboard to the pane to the right.",
    )
    .group(Group::Panes),
    command(
        Id::FocusUp,
        "pane.up",
        "Pane above",
        &["Mod+Shift+Up"],
        "Gives the keyboard to the pane above.",
    )
    .group(Group::Panes),
    command(
        Id::FocusDown,
        "pane.down",
        "Pane below",
        &["Mod+Shift+Down"],
        "Gives the keyboard to the pane below.",
    )
    .group(Group::Panes),
    command(
        Id::PaneMaximise,
        "pane.maximise",
        "Maximise pane",
        &["Alt+Mod+Enter"],
        "Shows the pane alone, or all of them again.",
    )
    .group(Group::Panes),
    command(
        Id::LayoutNext,
        "layout.next",
        "Next layout",
        &["Alt+Mod+G"],
        "Lays the panes out in another way.",
    )
    .group(Group::Panes),
    command(
        Id::LayoutAuto,
        "layout.auto",
        "Layout: automatic",
        &["Alt+Mod+W A"],
        "Lays the panes out so that each is as close to 80 columns as can be.",
    )
    .group(Group::Panes),
    pane(
        Id::LayoutColumns,
        "layout.columns",
        "Layout: columns",
        &["Alt+Mod+W C"],
        "Lays the panes out side by side.",
    ),
    pane(
        Id::LayoutRows,
        "layout.rows",
        "Layout: rows",
        &["Alt+Mod+W R"],
        "Lays the panes out on top of each other.",
    ),
    pane(
        Id::LayoutGrid,
        "layout.grid",
        "Layout: so many columns and rows…",
        &["Alt+Mod+W G"],
        "Lays the panes out in as many columns and rows as you say.",
    ),
    pane(
        Id::LayoutMain,
        "layout.main",
        "Layout: one large",
        &["Alt+Mod+W M"],
        "Shows the first pane large and the others in a column beside it.",
    ),
    pane(
        Id::LayoutStrip,
        "layout.strip",
        "Layout: focus and strip",
        &["Alt+Mod+W S"],
        "Shows the pane with the keyboard, and the others by their names in a strip below.",
    ),
    pane(
        Id::LayoutFocus,
        "layout.focus",
        "Layout: focus",
        &["Alt+Mod+W F"],
        "Shows the pane with the keyboard alone.",
    ),
    pane(
        Id::LayoutFree,
        "layout.free",
        "Layout: your own tiles",
        &["Alt+Mod+W T"],
        "Shows the panes as you split them; moving or resizing a pane leads here, too.",
    ),
    pane(
        Id::LayoutEven,
        "layout.even",
        "Even out the panes",
        &["Alt+Mod+W E"],
        "Gives the panes of every split the same size.",
    ),
    pane(
        Id::PaneResize(Direction::Left),
        "pane.resize-left",
        "Resize pane to the left",
        &["Alt+Mod+Shift+H", "Alt+Mod+W Left"],
        "Moves the pane's edge one step to the left.",
    ),
    pane(
        Id::PaneResize(Direction::Right),
        "pane.resize-right",
        "Resize pane to the right",
        &["Alt+Mod+Shift+L", "Alt+Mod+W Right"],
        "Moves the pane's edge one step to the right.",
    ),
    pane(
        Id::PaneResize(Direction::Up),
        "pane.resize-up",
        "Resize pane up",
        &["Alt+Mod+Shift+K", "Alt+Mod+W Up"],
        "Moves the pane's edge one step up.",
    ),
    pane(
        Id::PaneResize(Direction::Down),
        "pane.resize-down",
        "Resize pane down",
        &["Alt+Mod+Shift+J", "Alt+Mod+W Down"],
        "Moves the pane's edge one step down.",
    ),
    pane(
        Id::PaneSwap(Direction::Left),
        "pane.swap-left",
        "Swap with the pane at its left",
        &["Alt+Mod+W Shift+Left"],
        "Lets the pane and the pane at its left change places.",
    ),
    pane(
        Id::PaneSwap(Direction::Right),
        "pane.swap-right",
        "Swap with the pane at its right",
        &["Alt+Mod+W Shift+Right"],
        "Lets the pane and the pane at its right change places.",
    ),
    pane(
        Id::PaneSwap(Direction::Up),
        "pane.swap-up",
        "Swap with the pane above",
        &["Alt+Mod+W Shift+Up"],
        "Lets the pane and the pane above change places.",
    ),
    pane(
        Id::PaneSwap(Direction::Down),
        "pane.swap-down",
        "Swap with the pane below",
        &["Alt+Mod+W Shift+Down"],
        "Lets the pane and the pane below change places.",
    ),
    pane(
        Id::PaneMove(Direction::Left),
        "pane.move-left",
        "Move pane to the left",
        &["Alt+Mod+W Alt+Left"],
        "Puts the pane into the place of the one at the left, which gives it half; at the edge, along the whole edge.",
    ),
    pane(
        Id::PaneMove(Direction::Right),
        "pane.move-right",
        "Move pane to the right",
        &["Alt+Mod+W Alt+Right"],
        "Puts the pane into the place of the one at the right, which gives it half; at the edge, along the whole edge.",
    ),
    pane(
        Id::PaneMove(Direction::Up),
        "pane.move-up",
        "Move pane up",
        &["Alt+Mod+W Alt+Up"],
        "Puts the pane into the place of the one above, which gives it half; at the edge, along the whole edge.",
    ),
    pane(
        Id::PaneMove(Direction::Down),
        "pane.move-down",
        "Move pane down",
        &["Alt+Mod+W Alt+Down"],
        "Puts the pane into the place of the one below, which gives it half; at the edge, along the whole edge.",
    ),
    pane(
        Id::PaneTurn,
        "pane.turn",
        "Turn the split",
        &["Alt+Mod+W O"],
        "Lays the panes of this split out on top of each other, or side by side.",
    ),
    pane(
        Id::PanesAll,
        "pane.all",
        "Show every pane",
        &["Alt+Mod+W 0"],
        "Shows the panes of all agents, closed ones and those of other workspaces, too.",
    ),
    pane(
        Id::WorkspaceSave,
        "workspace.save",
        "Save as workspace…",
        &["Alt+Mod+W W"],
        "Keeps the panes that are open and how they are laid out under a name.",
    ),
    pane(
        Id::WorkspacesGo,
        "palette.workspaces",
        "Go to workspace…",
        &["Alt+Mod+X W"],
        "Finds a workspace by a few letters; the palette lists them behind %, too.",
    ),
    pane(
        Id::WorkspaceNext,
        "workspace.next",
        "Next workspace",
        &["Alt+Mod+W N"],
        "Shows the panes of the next workspace as they were saved.",
    ),
    pane(
        Id::WorkspaceDelete,
        "workspace.delete",
        "Delete workspace…",
        &[],
        "Forgets a workspace; its agents stay as they are.",
    ),
    workspace(1, "workspace.1", "Workspace 1", &["Alt+Mod+W 1"]),
    workspace(2, "workspace.2", "Workspace 2", &["Alt+Mod+W 2"]),
    workspace(3, "workspace.3", "Workspace 3", &["Alt+Mod+W 3"]),
    workspace(4, "workspace.4", "Workspace 4", &["Alt+Mod+W 4"]),
    workspace(5, "workspace.5", "Workspace 5", &["Alt+Mod+W 5"]),
    workspace(6, "workspace.6", "Workspace 6", &["Alt+Mod+W 6"]),
    workspace(7, "workspace.7", "Workspace 7", &["Alt+Mod+W 7"]),
    workspace(8, "workspace.8", "Workspace 8", &["Alt+Mod+W 8"]),
    workspace(9, "workspace.9", "Workspace 9", &["Alt+Mod+W 9"]),
    pane(
        Id::BroadcastPane,
        "broadcast.pane",
        "Broadcast to this pane",
        &["Alt+Mod+W B"],
        "Lets the pane hear what is typed into the other chosen ones, or not any more.",
    ),
    pane(
        Id::BroadcastAll,
        "broadcast.all",
        "Broadcast to all panes",
        &["Alt+Mod+W Shift+B"],
        "Lets every terminal on the screen hear what is typed.",
    ),
    pane(
        Id::BroadcastEnd,
        "broadcast.end",
        "End the broadcast",
        &["Escape"],
        "What is typed goes to the pane with the keyboard alone again.",
    )
    .at(Context::Broadcast),
    command(
        Id::PaneClose,
        "pane.close",
        "Close pane",
        &["Mod+Shift+W"],
        "Takes the pane out of the grid; its agent goes on.",
    )
    .group(Group::Panes),
    number(1, "pane.1", "Pane 1", &["Alt+Mod+1"]),
    number(2, "pane.2", "Pane 2", &["Alt+Mod+2"]),
    number(3, "pane.3", "Pane 3", &["Alt+Mod+3"]),
    number(4, "pane.4", "Pane 4", &["Alt+Mod+4"]),
    number(5, "pane.5", "Pane 5", &["Alt+Mod+5"]),
    number(6, "pane.6", "Pane 6", &["Alt+Mod+6"]),
    number(7, "pane.7", "Pane 7", &["Alt+Mod+7"]),
    number(8, "pane.8", "Pane 8", &["Alt+Mod+8"]),
    number(9, "pane.9", "Pane 9", &["Alt+Mod+9"]),
];
