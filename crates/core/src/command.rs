//! Commands: everything a user can make Maestro do, once, as data.
//!
//! One entry gives the palette its row, the keymap its chord, the help screen its line. No shortcut
//! exists outside this table. What a command does is written where its screen is.

use std::fmt;
use std::str::FromStr;

use crate::keymap::Platform;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "titles and descriptions are in the table below")]
pub enum Id {
    AgentNew,
    AgentRename,
    AgentResume,
    AgentStop,
    AgentRemove,
    WorktreeNew,
    ToggleShell,
    FocusNext,
    FocusPrevious,
    FocusLeft,
    FocusRight,
    FocusUp,
    FocusDown,
    /// The pane with this number, from 1 to 9.
    FocusNumber(u8),
    FocusAgents,
    RegionNext,
    RegionPrevious,
    PaneMaximise,
    PaneClose,
    LayoutNext,
    LayoutAuto,
    LayoutColumns,
    TerminalNew,
    Copy,
    Paste,
    SelectAll,
    ScrollLineUp,
    ScrollLineDown,
    ScrollPageUp,
    ScrollPageDown,
    ScrollTop,
    ScrollBottom,
    RunStart,
    RunStop,
    RunKill,
    Palette,
    ToggleAgents,
    AgentsWider,
    AgentsNarrower,
    ToggleRuns,
    RunsWider,
    RunsNarrower,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    ThemeToggle,
    Quit,
    ListUp,
    ListDown,
    ListAccept,
    ListRename,
    ListRemove,
    ListLeave,
    OverlayUp,
    OverlayDown,
    OverlayNext,
    OverlayPrevious,
    OverlayAccept,
    OverlayCancel,
}

/// Where a command's chord holds. A narrower context is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere, over dialogs, too.
    Everywhere,
    /// Anywhere in the window while nothing lies over it.
    Main,
    /// A terminal has the keyboard.
    Terminal,
    /// The list of agents has the keyboard.
    Agents,
    /// The palette or a dialog is open.
    Overlay,
}

impl Context {
    /// The context and those it lies in, in the order in which they are asked.
    #[must_use]
    pub fn chain(self) -> &'static [Self] {
        match self {
            Self::Everywhere => &[Self::Everywhere],
            Self::Main => &[Self::Main, Self::Everywhere],
            Self::Terminal => &[Self::Terminal, Self::Main, Self::Everywhere],
            Self::Agents => &[Self::Agents, Self::Main, Self::Everywhere],
            Self::Overlay => &[Self::Overlay, Self::Everywhere],
        }
    }

    /// Whether a chord that holds here is taken from a terminal that has the keyboard.
    #[must_use]
    pub fn covers_terminal(self) -> bool {
        Self::Terminal.chain().contains(&self)
    }
}

/// What a command is about: the palette and the help screen group by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Group {
    Agents,
    Panes,
    Terminal,
    Runs,
    View,
    Window,
    Navigation,
}

impl Group {
    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Agents => "Agents",
            Self::Panes => "Panes",
            Self::Terminal => "Terminal",
            Self::Runs => "Auto Run",
            Self::View => "View",
            Self::Window => "Window",
            Self::Navigation => "Lists and dialogs",
        }
    }
}

/// A row of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Which.
    pub id: Id,
    /// Its name in the keymap file.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it does, in one sentence.
    pub description: &'static str,
    /// What it is about.
    pub group: Group,
    /// Where its chords hold.
    pub context: Context,
    /// Whether the palette lists it. Moving in a list is not something one looks up.
    pub listed: bool,
    /// Default chords; the first one is shown.
    pub chords: &'static [&'static str],
    /// Default chords on macOS, where they are not the same.
    pub mac_chords: Option<&'static [&'static str]>,
}

impl Command {
    /// Its default chords, as text.
    #[must_use]
    pub fn default_chords(&self, platform: Platform) -> &'static [&'static str] {
        match (platform, self.mac_chords) {
            (Platform::Mac, Some(chords)) => chords,
            _ => self.chords,
        }
    }
}

const fn command(
    id: Id,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    description: &'static str,
) -> Command {
    Command {
        id,
        name,
        title,
        description,
        group: Group::Window,
        context: Context::Main,
        listed: true,
        chords,
        mac_chords: None,
    }
}

impl Command {
    const fn group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    const fn at(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    const fn mac(mut self, chords: &'static [&'static str]) -> Self {
        self.mac_chords = Some(chords);
        self
    }

    const fn unlisted(mut self) -> Self {
        self.listed = false;
        self.group = Group::Navigation;
        self
    }
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

/// Every command, in the order in which the palette lists them without a query.
///
/// Chords that a terminal's program could want are ours only where this table says so. Control with
/// a letter alone is left to the programs, but for `Ctrl+N`, `Ctrl+J` and `Ctrl+K`: what one does all
/// day has to be short. Everything else takes Shift or Alt with it, which programs in terminals can
/// hardly see.
pub const ALL: &[Command] = &[
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
    command(
        Id::TerminalNew,
        "terminal.new",
        "New terminal",
        &["Ctrl+Shift+`"],
        "Starts a shell that belongs to no agent.",
    )
    .group(Group::Terminal),
    command(
        Id::Copy,
        "terminal.copy",
        "Copy",
        &["Ctrl+Shift+C", "Ctrl+Insert"],
        "Copies the selected text.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal)
    .mac(&["Cmd+C"]),
    command(
        Id::Paste,
        "terminal.paste",
        "Paste",
        &["Ctrl+Shift+V", "Shift+Insert"],
        "Types the clipboard's text.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal)
    .mac(&["Cmd+V"]),
    command(
        Id::SelectAll,
        "terminal.select-all",
        "Select all",
        &[],
        "Selects the screen and its history.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal)
    .mac(&["Cmd+A"]),
    command(
        Id::ScrollLineUp,
        "terminal.line-up",
        "Scroll a line up",
        &["Alt+Shift+Up"],
        "Shows older output.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::ScrollLineDown,
        "terminal.line-down",
        "Scroll a line down",
        &["Alt+Shift+Down"],
        "Shows newer output.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::ScrollPageUp,
        "terminal.page-up",
        "Scroll a page up",
        &["Shift+PageUp"],
        "Shows older output.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::ScrollPageDown,
        "terminal.page-down",
        "Scroll a page down",
        &["Shift+PageDown"],
        "Shows newer output.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::ScrollTop,
        "terminal.top",
        "Scroll to the top",
        &["Mod+Shift+Home"],
        "Shows the oldest output.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::ScrollBottom,
        "terminal.bottom",
        "Scroll to the bottom",
        &["Mod+Shift+End"],
        "Shows the newest output and follows it.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::Palette,
        "palette",
        "Command palette",
        &["Mod+K"],
        "Finds a command or an agent by a few letters.",
    )
    .group(Group::View),
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
        Id::ZoomIn,
        "view.zoom-in",
        "Larger text",
        &["Mod+=", "Mod+Shift+="],
        "Makes the terminals' text larger.",
    )
    .group(Group::View)
    .at(Context::Everywhere),
    command(
        Id::ZoomOut,
        "view.zoom-out",
        "Smaller text",
        &["Mod+-"],
        "Makes the terminals' text smaller.",
    )
    .group(Group::View)
    .at(Context::Everywhere),
    command(
        Id::ZoomReset,
        "view.zoom-reset",
        "Normal text size",
        &["Mod+0"],
        "Gives the terminals' text its normal size.",
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
];

impl Id {
    /// Its row.
    #[must_use]
    pub fn command(self) -> &'static Command {
        // Every id has a row: a test walks them. The first row stands in for a pane beyond nine.
        ALL.iter().find(|command| command.id == self).unwrap_or(&ALL[0])
    }

    /// Its name in the keymap file.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.command().name
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no command `{0}`")]
pub struct Unknown(String);

impl FromStr for Id {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ALL.iter()
            .find(|command| command.name == text)
            .map(|command| command.id)
            .ok_or_else(|| Unknown(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_says_something() {
        let mut names = HashSet::new();
        for command in ALL {
            assert!(names.insert(command.name), "{} twice", command.name);
            assert_eq!(command.name.parse(), Ok(command.id));
            assert_eq!(command.id.command().name, command.name);
            assert!(command.description.ends_with('.'), "{}", command.name);
            assert!(!command.title.ends_with('.'), "{}", command.name);
        }
        assert!("pane.10".parse::<Id>().is_err());
    }
}
