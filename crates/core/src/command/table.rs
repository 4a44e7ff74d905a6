//! The table of commands.

use super::{Command, Context, Group, Id, command};
use crate::input::Motion;

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

const fn vi(
    motion: Motion,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    description: &'static str,
) -> Command {
    command(Id::Vi(motion), name, title, chords, description).vi()
}

const fn count(n: u8, name: &'static str, chords: &'static [&'static str]) -> Command {
    command(Id::ViCount(n), name, "Count", chords, "A digit of how often the next motion is made.")
        .vi()
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
        Id::PasteImage,
        "terminal.paste-image",
        "Paste image",
        &[],
        "Hands the clipboard's image to the program the way it takes images.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::PasteCancel,
        "terminal.paste-cancel",
        "Stop pasting",
        &[],
        "Leaves out what of a large paste has not been typed yet.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::Search,
        "terminal.search",
        "Search…",
        &["Mod+Shift+F"],
        "Looks for text in the screen and its whole history.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal)
    .mac(&["Cmd+F"]),
    command(
        Id::Hints,
        "terminal.links",
        "Open a link by keys…",
        &["Mod+Shift+E"],
        "Puts letters on the links and file names in sight: type one to open, copy or insert it.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::KeyboardSelect,
        "terminal.select",
        "Select with the keyboard",
        &["Mod+Shift+Space"],
        "Begins a selection that the arrows and the keys of vi extend; y copies it.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::ViEnter,
        "terminal.vi",
        "Vi mode",
        &["Mod+Shift+X"],
        "Moves a cursor through screen and history by the keys of vi, without the program noticing.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::CopyOutput,
        "terminal.copy-output",
        "Copy the last output",
        &["Mod+Shift+O"],
        "Copies what the last command printed, where the shell marks its prompts.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::SelectOutput,
        "terminal.select-output",
        "Select the last output",
        &[],
        "Selects what the last command printed, where the shell marks its prompts.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
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
        Id::PromptPrevious,
        "terminal.prompt-up",
        "Previous prompt",
        &["Alt+Shift+PageUp"],
        "Scrolls to the command before, where the shell marks its prompts.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::PromptNext,
        "terminal.prompt-down",
        "Next prompt",
        &["Alt+Shift+PageDown"],
        "Scrolls to the next command, where the shell marks its prompts.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::Clear,
        "terminal.clear",
        "Clear the screen",
        &["Mod+Shift+K"],
        "Empties the screen but for the line with the cursor; the history stays.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::ClearHistory,
        "terminal.clear-history",
        "Clear the screen and its history…",
        &[],
        "Empties the screen and forgets everything above it, for good.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::Reset,
        "terminal.reset",
        "Reset the terminal",
        &[],
        "Sets modes, colours and character sets back, for what a dead program left behind.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::Export,
        "terminal.export",
        "Export as text…",
        &[],
        "Writes screen and history into a file.",
    )
    .group(Group::Terminal)
    .at(Context::Terminal),
    command(
        Id::ClipboardAnswer,
        "clipboard.answer",
        "Answer a clipboard request…",
        &["Mod+Shift+Y"],
        "Shows what a program wants to put into the clipboard, and asks whether it may.",
    )
    .group(Group::Terminal),
    command(
        Id::ClipboardAccess,
        "agent.clipboard",
        "Clipboard access…",
        &[],
        "Whether the programs in the agent's terminals may write to the clipboard.",
    )
    .group(Group::Agents),
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
    command(Id::SearchOlder, "search.older", "Older match", &["Enter", "F3"], "Goes to the match above; from the oldest to the newest.").at(Context::Search).unlisted(),
    command(Id::SearchNewer, "search.newer", "Newer match", &["Shift+Enter", "Shift+F3"], "Goes to the match below; from the newest to the oldest.").at(Context::Search).unlisted(),
    command(Id::SearchRegex, "search.regex", "Regular expression", &["Alt+R"], "Reads the query as a regular expression, or as plain text again.").at(Context::Search).unlisted(),
    command(Id::SearchCase, "search.case", "Case", &["Alt+C"], "Lets upper and lower case differ always, never, or when the query has a capital.").at(Context::Search).unlisted(),
    command(Id::SearchKeep, "search.keep", "Stay at the match", &["Mod+Enter"], "Closes the search and stays where the match is.").at(Context::Search).unlisted(),
    command(Id::SearchClose, "search.close", "Close the search", &["Escape"], "Closes the search and goes back to where one was.").at(Context::Search).unlisted(),
    command(Id::HintOpen, "hints.open", "Open", &["Enter"], "Opens the first link that the typed letters lead to.").at(Context::Hints).unlisted(),
    command(Id::HintErase, "hints.erase", "Take back a letter", &["Backspace"], "Takes back the letter typed last.").at(Context::Hints).unlisted(),
    command(Id::HintLeave, "hints.leave", "Leave", &["Escape"], "Takes the letters away and does nothing.").at(Context::Hints).unlisted(),
    vi(Motion::Left, "vi.left", "Left", &["h", "Left", "Backspace"], "One cell left."),
    vi(Motion::Down, "vi.down", "Down", &["j", "Down"], "One row down."),
    vi(Motion::Up, "vi.up", "Up", &["k", "Up"], "One row up."),
    vi(Motion::Right, "vi.right", "Right", &["l", "Right", "Space"], "One cell right."),
    vi(Motion::First, "vi.first", "First column", &["0", "Home"], "To the first column."),
    vi(Motion::Last, "vi.last", "Last character", &["$", "End"], "To the last cell that is not blank."),
    vi(Motion::FirstFilled, "vi.first-filled", "First character", &["^"], "To the first cell that is not blank."),
    vi(Motion::High, "vi.high", "Top of the screen", &["Shift+H"], "To the top row in sight."),
    vi(Motion::Middle, "vi.middle", "Middle of the screen", &["Shift+M"], "To the middle row in sight."),
    vi(Motion::Low, "vi.low", "Bottom of the screen", &["Shift+L"], "To the bottom row in sight."),
    vi(Motion::WordLeft, "vi.word-left", "Word back", &["b"], "To the beginning of the word before."),
    vi(Motion::WordRight, "vi.word-right", "Word forward", &["w"], "To the beginning of the next word."),
    vi(Motion::WordLeftEnd, "vi.word-left-end", "End of the word before", &[], "To the end of the word before: g, then e."),
    vi(Motion::WordRightEnd, "vi.word-right-end", "End of the word", &["e"], "To the end of the next word."),
    vi(Motion::SpaceLeft, "vi.space-left", "Back over blanks", &["Shift+B"], "To the beginning of what stands before, blanks alone separating."),
    vi(Motion::SpaceRight, "vi.space-right", "Forward over blanks", &["Shift+W"], "To the beginning of what stands next, blanks alone separating."),
    vi(Motion::SpaceRightEnd, "vi.space-right-end", "End, up to a blank", &["Shift+E"], "To the end of what stands next, blanks alone separating."),
    vi(Motion::Bracket, "vi.bracket", "Other bracket", &["%"], "To the bracket that belongs to the one here."),
    vi(Motion::ParagraphUp, "vi.paragraph-up", "Paragraph up", &["{"], "To the blank row above."),
    vi(Motion::ParagraphDown, "vi.paragraph-down", "Paragraph down", &["}"], "To the blank row below."),
    vi(Motion::HalfPageUp, "vi.half-page-up", "Half a page up", &["Ctrl+U"], "Half a page up."),
    vi(Motion::HalfPageDown, "vi.half-page-down", "Half a page down", &["Ctrl+D"], "Half a page down."),
    vi(Motion::PageUp, "vi.page-up", "Page up", &["Ctrl+B", "PageUp"], "A page up."),
    vi(Motion::PageDown, "vi.page-down", "Page down", &["Ctrl+F", "PageDown"], "A page down."),
    vi(Motion::Top, "vi.top", "Oldest row", &[], "To the oldest row: g twice."),
    vi(Motion::Bottom, "vi.bottom", "Newest row", &["Shift+G"], "To the newest row."),
    vi(Motion::PromptUp, "vi.prompt-up", "Previous prompt", &["["], "To the prompt before."),
    vi(Motion::PromptDown, "vi.prompt-down", "Next prompt", &["]"], "To the next prompt."),
    vi(Motion::MatchUp, "vi.match-up", "Next match, upwards", &["n"], "To the match of the search before this one."),
    vi(Motion::MatchDown, "vi.match-down", "Next match, downwards", &["Shift+N"], "To the match of the search after this one."),
    command(Id::ViSelectCells, "vi.select", "Select", &["v"], "Begins a selection at the cursor, or ends it.").vi(),
    command(Id::ViSelectLines, "vi.select-lines", "Select lines", &["Shift+V"], "Begins a selection of whole lines, or ends it.").vi(),
    command(Id::ViSelectBlock, "vi.select-block", "Select a block", &["Ctrl+V"], "Begins a selection of a rectangle, or ends it.").vi(),
    command(Id::ViSwap, "vi.swap", "Other end", &["o"], "Goes to the other end of the selection.").vi(),
    command(Id::ViCopy, "vi.copy", "Copy and leave", &["y", "Enter"], "Copies the selection and leaves vi mode.").vi(),
    command(Id::ViSearch, "vi.search", "Search", &["/"], "Looks for text in the screen and its whole history.").vi(),
    command(Id::ViCancel, "vi.cancel", "Back", &["Escape"], "Ends the selection; without one, vi mode.").vi(),
    command(Id::ViLeave, "vi.leave", "Leave vi mode", &["q", "i"], "Gives the keyboard back to the program.").vi(),
    command(Id::ViPrefix, "vi.g", "g", &["g"], "Twice to the oldest row; with e to the end of the word before.").vi(),
    count(1, "vi.1", &["1"]),
    count(2, "vi.2", &["2"]),
    count(3, "vi.3", &["3"]),
    count(4, "vi.4", &["4"]),
    count(5, "vi.5", &["5"]),
    count(6, "vi.6", &["6"]),
    count(7, "vi.7", &["7"]),
    count(8, "vi.8", &["8"]),
    count(9, "vi.9", &["9"]),
];
