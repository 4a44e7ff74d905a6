//! Commands of the window, its lists, dialogs and search bars.

use crate::command::{Command, Context, Group, Id, command};

/// The row of the palette with a number.
const fn palette_row(
    number: u8,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
) -> Command {
    let about = "Runs the row of the palette with this number.";
    command(Id::PaletteRow(number), name, title, chords, about).at(Context::Palette).unlisted()
}

pub(super) const COMMANDS: &[Command] = &[
    command(
        Id::Palette,
        "palette",
        "Command palette",
        &["Mod+K"],
        "Finds a command or an agent by a few letters.",
    )
    .group(Group::View),
    command(
        Id::AgentsSwitch,
        "palette.agents",
        "Go to agent…",
        &["Alt+Mod+K"],
        "Finds an agent by a few letters; those that need you come first. The palette lists them behind @, too.",
    )
    .group(Group::View)
    .mac(&["Mod+O"]),
    command(
        Id::ThemeChoose,
        "palette.themes",
        "Choose a theme…",
        &["Alt+Mod+X T"],
        "Lists the themes, and shows the marked one at once.",
    )
    .group(Group::View),
    command(
        Id::TabsGo,
        "palette.tabs",
        "Go to tab…",
        &["Alt+Mod+X C"],
        "Finds a tab of any agent by a few letters; the palette lists them behind #, too.",
    )
    .group(Group::View),
    command(
        Id::FilesGo,
        "palette.files",
        "Open a file…",
        &["Alt+Mod+X F"],
        "Finds a file of the agent by a few letters of its path; the palette lists them behind /, too.",
    )
    .group(Group::View),
    command(
        Id::BranchesGo,
        "palette.branches",
        "Switch to a branch…",
        &["Alt+Mod+X B"],
        "Checks out a branch for the agent, or goes to the agent that has it; the palette lists them behind *, too.",
    )
    .group(Group::View),
    command(
        Id::SessionsGo,
        "palette.sessions",
        "Resume a stored conversation…",
        &["Alt+Mod+X S"],
        "Goes on with one of the newest conversations of any provider; the palette lists them behind ~, too.",
    )
    .group(Group::View),
    command(
        Id::PlaybooksGo,
        "palette.playbooks",
        "Run a playbook…",
        &["Alt+Mod+X P"],
        "Asks how to run a playbook of the project, or one that came with Maestro; the palette lists them behind !, too.",
    )
    .group(Group::View),
    command(
        Id::SettingsGo,
        "palette.settings",
        "Find a setting…",
        &["Alt+Mod+X O"],
        "Opens the settings page at one of them; the palette lists them behind :, too.",
    )
    .group(Group::View),
    palette_row(1, "palette.row-1", "Run row 1", &["Mod+1"]),
    palette_row(2, "palette.row-2", "Run row 2", &["Mod+2"]),
    palette_row(3, "palette.row-3", "Run row 3", &["Mod+3"]),
    palette_row(4, "palette.row-4", "Run row 4", &["Mod+4"]),
    palette_row(5, "palette.row-5", "Run row 5", &["Mod+5"]),
    palette_row(6, "palette.row-6", "Run row 6", &["Mod+6"]),
    palette_row(7, "palette.row-7", "Run row 7", &["Mod+7"]),
    palette_row(8, "palette.row-8", "Run row 8", &["Mod+8"]),
    palette_row(9, "palette.row-9", "Run row 9", &["Mod+9"]),
    command(
        Id::ToggleAgents,
        "view.agents",
        "Show or hide the list of agents",
        &["Alt+Mod+B"],
        "Makes room for the panes.",
    )
    .group(Group::View),
    command(
        Id::FocusAgents,
        "view.focus-agents",
        "Go to the list of agents",
        &["Mod+Shift+A"],
        "Gives the keyboard to the list of agents.",
    )
    .group(Group::View),
    command(
        Id::RegionNext,
        "view.next-region",
        "Next region",
        &["F6"],
        "Gives the keyboard to the next part of the window: the list of agents, the panes.",
    )
    .group(Group::View),
    command(
        Id::RegionPrevious,
        "view.previous-region",
        "Previous region",
        &["Shift+F6"],
        "Gives the keyboard to the previous part of the window.",
    )
    .group(Group::View),
    command(
        Id::AgentsWider,
        "view.agents-wider",
        "Widen the list of agents",
        &["Alt+Mod+]"],
        "Shows more of names and reasons.",
    )
    .group(Group::View),
    command(
        Id::AgentsNarrower,
        "view.agents-narrower",
        "Narrow the list of agents",
        &["Alt+Mod+["],
        "Leaves more of the window to the panes.",
    )
    .group(Group::View),
    command(
        Id::ToggleRuns,
        "view.runs",
        "Show or hide Auto Run",
        &["Alt+Mod+R"],
        "Shows the runs at the right, or makes room for the panes.",
    )
    .group(Group::View),
    command(
        Id::RunsWider,
        "view.runs-wider",
        "Widen Auto Run",
        &["Alt+Mod+Shift+]"],
        "Shows more of tasks and their evidence.",
    )
    .group(Group::View),
    command(
        Id::RunsNarrower,
        "view.runs-narrower",
        "Narrow Auto Run",
        &["Alt+Mod+Shift+["],
        "Leaves more of the window to the panes.",
    )
    .group(Group::View),
    command(
        Id::PaneZoomIn,
        "pane.zoom-in",
        "Larger text in this pane",
        &["Mod+=", "Mod+Shift+="],
        "Makes the text of the pane with the keyboard larger.",
    )
    .group(Group::View),
    command(
        Id::PaneZoomOut,
        "pane.zoom-out",
        "Smaller text in this pane",
        &["Mod+-"],
        "Makes the text of the pane with the keyboard smaller.",
    )
    .group(Group::View),
    command(
        Id::PaneZoomReset,
        "pane.zoom-reset",
        "Same text size as the other panes",
        &["Mod+0"],
        "Gives the text of the pane with the keyboard the size of all.",
    )
    .group(Group::View),
    command(
        Id::ZoomIn,
        "view.zoom-in",
        "Larger text in all panes",
        &["Alt+Mod+=", "Alt+Mod+Shift+="],
        "Makes the terminals' text larger.",
    )
    .group(Group::View)
    .at(Context::Everywhere),
    command(
        Id::ZoomOut,
        "view.zoom-out",
        "Smaller text in all panes",
        &["Alt+Mod+-"],
        "Makes the terminals' text smaller.",
    )
    .group(Group::View)
    .at(Context::Everywhere),
    command(
        Id::ZoomReset,
        "view.zoom-reset",
        "Normal text size in all panes",
        &["Alt+Mod+0"],
        "Gives the terminals' text its normal size, single panes included.",
    )
    .group(Group::View)
    .at(Context::Everywhere),
    command(
        Id::ThemeToggle,
        "view.theme",
        "Theme: dark or light",
        &["Alt+Mod+D"],
        "Switches between Nocturne and Matinee.",
    )
    .group(Group::View)
    .at(Context::Everywhere),
    command(
        Id::LinksForget,
        "links.forget",
        "Ask about every link again",
        &[],
        "Forgets the hosts whose pages are opened without a question.",
    ),
    command(
        Id::SettingsOpen,
        "settings.open",
        "Open the settings file",
        &[],
        "Opens settings.toml, made where there is none; what is saved in it holds at once.",
    ),
    command(
        Id::DebugOverlay,
        "view.debug",
        "Show or hide what drawing costs",
        &["Mod+Shift+F12"],
        "Counts frames, bytes and queues in a corner, and the memory of every terminal.",
    )
    .group(Group::View)
    .at(Context::Everywhere),
    command(
        Id::QuickPrompt,
        "prompt.quick",
        "Quick prompt…",
        &["Alt+Mod+X Q"],
        "Opens the small window that says one thing to one agent; summon.prompt gives it a chord that is \
         heard everywhere.",
    ),
    command(
        Id::Quit,
        "window.quit",
        "Close the window",
        &["Mod+Shift+Q"],
        "Closes the window. Agents and runs go on.",
    )
    .at(Context::Everywhere)
    .mac(&["Cmd+Q"]),
    command(Id::ListUp, "list.up", "Up", &["Up"], "Marks the agent above.")
        .at(Context::Agents)
        .unlisted(),
    command(Id::ListDown, "list.down", "Down", &["Down"], "Marks the agent below.")
        .at(Context::Agents)
        .unlisted(),
    command(
        Id::ListAccept,
        "list.accept",
        "Open",
        &["Enter"],
        "Gives the keyboard to the marked agent's pane.",
    )
    .at(Context::Agents)
    .unlisted(),
    command(
        Id::ListRename,
        "list.rename",
        "Rename",
        &["F2"],
        "Gives the marked agent another name.",
    )
    .at(Context::Agents)
    .unlisted(),
    command(Id::ListRemove, "list.remove", "Remove", &["Delete"], "Forgets the marked agent.")
        .at(Context::Agents)
        .unlisted(),
    command(
        Id::ListLeave,
        "list.leave",
        "Back to the pane",
        &["Escape"],
        "Gives the keyboard back to the pane that had it.",
    )
    .at(Context::Agents)
    .unlisted(),
    command(Id::OverlayUp, "overlay.up", "Up", &["Up"], "Marks the row above.")
        .at(Context::Overlay)
        .unlisted(),
    command(Id::OverlayDown, "overlay.down", "Down", &["Down"], "Marks the row below.")
        .at(Context::Overlay)
        .unlisted(),
    command(Id::OverlayNext, "overlay.next", "Next field", &["Tab"], "Goes to the next field.")
        .at(Context::Overlay)
        .unlisted(),
    command(
        Id::OverlayPrevious,
        "overlay.previous",
        "Previous field",
        &["Shift+Tab"],
        "Goes to the previous field.",
    )
    .at(Context::Overlay)
    .unlisted(),
    command(
        Id::OverlayAccept,
        "overlay.accept",
        "Accept",
        &["Enter", "Mod+Enter"],
        "Does what the dialog offers.",
    )
    .at(Context::Overlay)
    .unlisted(),
    command(
        Id::OverlayCancel,
        "overlay.cancel",
        "Cancel",
        &["Escape"],
        "Closes the dialog and changes nothing.",
    )
    .at(Context::Overlay)
    .unlisted(),
    command(
        Id::SearchOlder,
        "search.older",
        "Older match",
        &["Enter", "F3"],
        "Goes to the match above; from the oldest to the newest.",
    )
    .at(Context::Search)
    .unlisted(),
    command(
        Id::SearchNewer,
        "search.newer",
        "Newer match",
        &["Shift+Enter", "Shift+F3"],
        "Goes to the match below; from the newest to the oldest.",
    )
    .at(Context::Search)
    .unlisted(),
    command(
        Id::SearchRegex,
        "search.regex",
        "Regular expression",
        &["Alt+R"],
        "Reads the query as a regular expression, or as plain text again.",
    )
    .at(Context::Search)
    .unlisted(),
    command(
        Id::SearchCase,
        "search.case",
        "Case",
        &["Alt+C"],
        "Lets upper and lower case differ always, never, or when the query has a capital.",
    )
    .at(Context::Search)
    .unlisted(),
    command(
        Id::SearchKeep,
        "search.keep",
        "Stay at the match",
        &["Mod+Enter"],
        "Closes the search and stays where the match is.",
    )
    .at(Context::Search)
    .unlisted(),
    command(
        Id::SearchClose,
        "search.close",
        "Close the search",
        &["Escape"],
        "Closes the search and goes back to where one was.",
    )
    .at(Context::Search)
    .unlisted(),
    command(
        Id::HintOpen,
        "hints.open",
        "Open",
        &["Enter"],
        "Opens the first link that the typed letters lead to.",
    )
    .at(Context::Hints)
    .unlisted(),
    command(
        Id::HintErase,
        "hints.erase",
        "Take back a letter",
        &["Backspace"],
        "Takes back the letter typed last.",
    )
    .at(Context::Hints)
    .unlisted(),
    command(
        Id::HintLeave,
        "hints.leave",
        "Leave",
        &["Escape"],
        "Takes the letters away and does nothing.",
    )
    .at(Context::Hints)
    .unlisted(),
];
