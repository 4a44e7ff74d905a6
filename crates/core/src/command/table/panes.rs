//! Commands of runs, panes and layouts.

use crate::command::{Command, Group, Id, command};

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
        &[],
        "Lays the panes out so that each is as close to 80 columns as can be.",
    )
    .group(Group::Panes),
    command(
        Id::LayoutColumns,
        "layout.columns",
        "Layout: columns",
        &[],
        "Lays the panes out side by side.",
    )
    .group(Group::Panes),
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
