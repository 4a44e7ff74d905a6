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

const fn code(n: u8, name: &'static str, chords: &'static [&'static str]) -> Command {
    command(
        Id::EntryCode(n),
        name,
        "Copy code",
        chords,
        "Copies this code block of the marked entry.",
    )
    .entries()
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
        Id::UsageOpen,
        "usage.open",
        "Usage",
        &["Alt+Mod+U"],
        "Shows what conversations consumed, by day, agent, tab, model or provider.",
    )
    .group(Group::Sessions),
    command(
        Id::SessionsOpen,
        "sessions.open",
        "Find a conversation…",
        &["Mod+Shift+L"],
        "Searches every conversation that any agent program ever stored here, and resumes it.",
    )
    .group(Group::Sessions),
    command(
        Id::SessionConverse,
        "sessions.converse",
        "Resume as conversation",
        &["Alt+Enter"],
        "Goes on with the marked session in a conversation.",
    )
    .sessions(),
    command(
        Id::SessionBranch,
        "sessions.branch",
        "Resume in a new worktree",
        &["Mod+Enter"],
        "Goes on with the marked session in a new worktree.",
    )
    .sessions(),
    command(
        Id::SessionStar,
        "sessions.star",
        "Star session",
        &["Mod+S"],
        "Marks the session, or takes the mark away.",
    )
    .sessions(),
    command(
        Id::SessionTitle,
        "sessions.title",
        "Rename session…",
        &["F2"],
        "Gives the session a title of your own; its file stays as it is.",
    )
    .sessions(),
    command(
        Id::SessionTags,
        "sessions.tags",
        "Tag session…",
        &["Mod+T"],
        "Gives the session tags.",
    )
    .sessions(),
    command(
        Id::SessionTrash,
        "sessions.trash",
        "Move session to the trash",
        &["Mod+D"],
        "Moves the session into the trash, or out of it.",
    )
    .sessions(),
    command(
        Id::SessionUndo,
        "sessions.undo",
        "Bring session back",
        &["Mod+Z"],
        "Takes back the last move into the trash.",
    )
    .sessions(),
    command(
        Id::SessionCopy,
        "sessions.copy-id",
        "Copy session id",
        &["Mod+Shift+C"],
        "Puts the provider's id of the session into the clipboard.",
    )
    .sessions(),
    command(
        Id::SessionOpen,
        "sessions.open-transcript",
        "Open transcript",
        &["Mod+E"],
        "Opens the file in which the provider stores the session.",
    )
    .sessions(),
    command(
        Id::SessionProvider,
        "sessions.provider",
        "Filter by provider",
        &["Mod+P"],
        "Shows the sessions of the next provider, and after the last one all.",
    )
    .sessions(),
    command(
        Id::SessionHere,
        "sessions.here",
        "Only this directory",
        &["Mod+I"],
        "Shows only sessions of the directory of the agent you were at.",
    )
    .sessions(),
    command(
        Id::SessionStarred,
        "sessions.starred",
        "Only starred sessions",
        &["Mod+Shift+S"],
        "Shows only starred sessions.",
    )
    .sessions(),
    command(
        Id::SessionTrashed,
        "sessions.trashed",
        "Show the trash",
        &["Mod+Shift+D"],
        "Shows the sessions in the trash.",
    )
    .sessions(),
    command(
        Id::SessionTools,
        "sessions.tools",
        "Search tool output",
        &["Mod+G"],
        "Looks through what tools printed, too.",
    )
    .sessions(),
    command(
        Id::SessionPageUp,
        "sessions.page-up",
        "A page up",
        &["PageUp"],
        "Marks the session a page further up.",
    )
    .sessions(),
    command(
        Id::SessionPageDown,
        "sessions.page-down",
        "A page down",
        &["PageDown"],
        "Marks the session a page further down.",
    )
    .sessions(),
    command(
        Id::SessionLeafUp,
        "sessions.preview-up",
        "Preview up",
        &["Alt+Up"],
        "Shows what was said before.",
    )
    .sessions(),
    command(
        Id::SessionLeafDown,
        "sessions.preview-down",
        "Preview down",
        &["Alt+Down"],
        "Shows what was said after.",
    )
    .sessions(),
    command(Id::ConversationMove, "conversation.move", "Session: conversation or own interface", &["Alt+Mod+J"], "Takes the session out of the agent's own interface into a conversation, or back; both show the same history.").group(Group::Conversation),
    command(Id::ConversationShow, "conversation.show", "Show the conversation or the own interface", &["Mod+Shift+J"], "Shows the other side of the agent and leaves its session where it is.").group(Group::Conversation),
    command(Id::AttentionNext, "attention.next", "Go to who needs you", &["Alt+Mod+A"], "Goes to the next agent that waits for an answer.").group(Group::Conversation),
    command(Id::AgentWhy, "agent.why", "Why is the agent in this state?", &["Alt+Mod+I"], "Shows what its state was drawn from.").group(Group::Conversation),
    command(Id::AgentLogin, "agent.login", "Log in again", &[], "Opens the provider's own login in a terminal of the agent.").group(Group::Conversation),
    command(Id::TabNew, "tab.new", "New conversation", &["Mod+T"], "Opens a tab with a new session.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabClose, "tab.close", "Close the tab", &["Mod+W"], "Closes the tab; what was said is kept, and it can be opened again.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabReopen, "tab.reopen", "Open a closed tab…", &["Mod+Shift+T"], "Offers the tabs that were closed, the last one first.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabRename, "tab.rename", "Rename the tab…", &["F2"], "Gives the tab a name of its own, or lets it be made from the conversation again.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabStar, "tab.star", "Star the tab", &["Mod+Shift+S"], "Marks the tab, or not any more.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabUnread, "tab.unread", "Mark the tab as unread", &["Mod+Shift+U"], "Keeps the tab among those to be looked at.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabUnreadNext, "tab.next-unread", "Next unread tab", &["Alt+Mod+Shift+Down"], "Goes to the next tab in which something was said that nobody has looked at, whichever agent has it.").group(Group::Conversation),
    command(Id::TabNext, "tab.next", "Next tab", &["Mod+PageDown", "Mod+Shift+]"], "Shows the next tab of the agent.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabPrevious, "tab.previous", "Previous tab", &["Mod+PageUp", "Mod+Shift+["], "Shows the previous tab of the agent.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(1), "tab.1", "Tab 1", &["Mod+1"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(2), "tab.2", "Tab 2", &["Mod+2"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(3), "tab.3", "Tab 3", &["Mod+3"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(4), "tab.4", "Tab 4", &["Mod+4"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(5), "tab.5", "Tab 5", &["Mod+5"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(6), "tab.6", "Tab 6", &["Mod+6"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(7), "tab.7", "Tab 7", &["Mod+7"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(8), "tab.8", "Tab 8", &["Mod+8"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabNumber(9), "tab.9", "Tab 9", &["Mod+9"], "Shows the tab with this number.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabLeft, "tab.left", "Move the tab left", &["Mod+Shift+PageUp"], "Moves the tab before the one to its left.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabRight, "tab.right", "Move the tab right", &["Mod+Shift+PageDown"], "Moves the tab behind the one to its right.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabPolicy, "tab.policy", "Policy…", &["Alt+Mod+P"], "What the agent may do without asking; holds from now on, also within a turn.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabModel, "tab.model", "Model…", &["Alt+Mod+M"], "Which model answers from now on.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabEffort, "tab.effort", "Effort…", &["Alt+Mod+E"], "How hard the model is to think from now on.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TabsSearch, "tabs.search", "Search all tabs…", &["Alt+Mod+F"], "Looks for words in every conversation.").group(Group::Conversation),
    command(Id::TurnInterrupt, "turn.interrupt", "Interrupt the turn", &["Ctrl+C"], "Stops the turn at once; done again, it ends its processes. Escape twice does the same.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TurnRetry, "turn.retry", "Try the turn again", &["Alt+Mod+T"], "Says again what failed, or goes on before a limit is over.").group(Group::Conversation).at(Context::Conversation),
    command(Id::TurnCompact, "turn.compact", "Compact the context", &[], "Asks the provider to sum up what was said so far, where it can.").group(Group::Conversation).at(Context::Conversation),
    command(Id::SessionRebuild, "session.rebuild", "Rebuild the session", &[], "Goes on in a new session with what was said so far.").group(Group::Conversation).at(Context::Conversation),
    command(Id::RequestFocus, "request.focus", "Answer what is asked", &["Alt+Mod+Y"], "Gives the keyboard to what the agent asks: y allows, n denies.").group(Group::Conversation).at(Context::Conversation),
    command(Id::ComposerFocus, "composer.focus", "Between composer and transcript", &["Mod+."], "Gives the keyboard to what is being written, or to what was said.").group(Group::Conversation).at(Context::Conversation),
    command(Id::ComposerFull, "composer.full", "Full-screen composer", &["Mod+Shift+P"], "Gives all the place to what is being written, or back.").group(Group::Conversation).at(Context::Conversation),
    command(Id::ComposerReadOnly, "composer.read-only", "Read-only for this prompt", &["Mod+R"], "What is sent next may read and nothing else, whatever the policy is.").group(Group::Conversation).at(Context::Conversation),
    command(Id::QueueShow, "queue.show", "Show the queues", &["Alt+Mod+Q"], "What waits to be said, agent by agent: edit, move, hold, send, remove.").group(Group::Queue),
    command(Id::QueueHold, "queue.hold", "Hold the queue, or let it go on", &[], "Sends nothing more of the agent's queue, or goes on with it.").group(Group::Queue),
    command(Id::QueueEditLast, "queue.edit-last", "Take back the last queued prompt", &["Mod+Shift+E"], "Puts what was queued last back into the composer.").group(Group::Queue).at(Context::Conversation),
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
    command(Id::TurnsFocus, "turns.focus", "Go through the conversation", &["Mod+Up"], "Gives the keyboard to the entries of the conversation: to read, unfold and copy.").turns(),
    command(Id::TurnsFind, "turns.find", "Find in conversation", &["Mod+F", "Mod+Shift+F"], "Looks for text in the whole conversation.").turns(),
    command(Id::TurnsFindOlder, "turns.find-older", "Older match", &["F3"], "Goes to the match above.").turns().unlisted(),
    command(Id::TurnsFindNewer, "turns.find-newer", "Newer match", &["Shift+F3"], "Goes to the match below.").turns().unlisted(),
    command(Id::TurnsFilter, "turns.filter", "Filter conversation…", &["Alt+Shift+F"], "Shows only the entries in which some text is, or those in which it is not.").turns(),
    command(Id::TurnsThinking, "turns.thinking", "Show thinking", &["Alt+Shift+T"], "Hides what the model thinks, shows it as it is thought, or shows all of it.").turns(),
    command(Id::TurnsPageUp, "turns.page-up", "Conversation a page up", &["PageUp", "Shift+PageUp"], "Shows what was said before.").turns().unlisted(),
    command(Id::TurnsPageDown, "turns.page-down", "Conversation a page down", &["PageDown", "Shift+PageDown"], "Shows what was said after.").turns().unlisted(),
    command(Id::TurnsTop, "turns.top", "Beginning of the conversation", &["Mod+Shift+Home"], "Shows the first prompt.").turns(),
    command(Id::TurnsBottom, "turns.bottom", "End of the conversation", &["Mod+Shift+End"], "Shows what was said last, and follows it.").turns(),
    command(Id::TurnsPromptPrevious, "turns.prompt-previous", "Previous prompt", &["Alt+PageUp", "Alt+Shift+PageUp"], "Shows the prompt before.").turns(),
    command(Id::TurnsPromptNext, "turns.prompt-next", "Next prompt", &["Alt+PageDown", "Alt+Shift+PageDown"], "Shows the prompt after.").turns(),
    command(Id::TurnsExpandAll, "turns.expand-all", "Unfold all cards", &["Alt+Shift+E"], "Unfolds every tool call and every diff, or folds them again.").turns(),
    command(Id::TurnsCopyAnswer, "turns.copy-answer", "Copy the last answer", &["Alt+Shift+C"], "Copies the last answer as Markdown.").turns(),
    command(Id::TurnsCopyCode, "turns.copy-code", "Copy the last code block", &["Alt+Shift+K"], "Copies the last code block of the conversation.").turns(),
    command(Id::TurnsExportHtml, "turns.export-html", "Export conversation as HTML…", &[], "Writes the conversation into one HTML file that needs nothing else.").turns(),
    command(Id::TurnsExportMarkdown, "turns.export-markdown", "Export conversation as Markdown…", &[], "Writes the conversation into a Markdown file.").turns(),
    command(Id::EntryNext, "entry.next", "Next entry", &["j", "Down"], "Marks the entry below.").entries(),
    command(Id::EntryPrevious, "entry.previous", "Previous entry", &["k", "Up"], "Marks the entry above.").entries(),
    command(Id::EntryFirst, "entry.first", "First entry", &["g", "Home"], "Marks the first entry.").entries(),
    command(Id::EntryLast, "entry.last", "Last entry", &["Shift+G", "End"], "Marks the last entry, and follows what comes.").entries(),
    command(Id::EntryPromptPrevious, "entry.prompt-previous", "Previous prompt", &["["], "Marks the prompt before.").entries(),
    command(Id::EntryPromptNext, "entry.prompt-next", "Next prompt", &["]"], "Marks the prompt after.").entries(),
    command(Id::EntryToggle, "entry.toggle", "Unfold or fold", &["Space", "Enter"], "Unfolds the marked entry, or folds it.").entries(),
    command(Id::EntryCopy, "entry.copy", "Copy as Markdown", &["c"], "Copies the marked entry as Markdown.").entries(),
    command(Id::EntryCopyText, "entry.copy-text", "Copy as plain text", &["Shift+C"], "Copies the words of the marked entry without Markdown.").entries(),
    code(1, "entry.code-1", &["1"]),
    code(2, "entry.code-2", &["2"]),
    code(3, "entry.code-3", &["3"]),
    code(4, "entry.code-4", &["4"]),
    code(5, "entry.code-5", &["5"]),
    code(6, "entry.code-6", &["6"]),
    code(7, "entry.code-7", &["7"]),
    code(8, "entry.code-8", &["8"]),
    code(9, "entry.code-9", &["9"]),
    command(Id::EntryFind, "entry.find", "Find", &["/"], "Looks for text in the whole conversation.").entries(),
    command(Id::EntryFilter, "entry.filter", "Filter", &["f"], "Shows only the entries in which some text is.").entries(),
    command(Id::EntryLeave, "entry.leave", "Back to what is said next", &["Escape", "i"], "Gives the keyboard back to what is said next.").entries(),
    command(Id::FilterTurn, "filter.turn", "Turn the filter round", &["Alt+X"], "Hides the entries in which the text is, or shows only those.").at(Context::Search).unlisted(),
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
    command(Id::ConversationLeave, "conversation.leave", "Back", &["Escape"], "Closes what is open; twice, while a turn runs, interrupts it.").at(Context::Composer).unlisted(),
    command(Id::RequestLeave, "request.leave", "Back to the composer", &["Escape"], "Gives the keyboard back to what is being written.").at(Context::Request).unlisted(),
    command(Id::ComposerSend, "composer.send", "Send", &["Mod+Enter"], "Says it: at once, or after what waits already.").at(Context::Composer).unlisted(),
    command(Id::ComposerUndo, "composer.undo", "Undo", &["Mod+Z"], "Takes back the last change of what is being written.").at(Context::Composer).unlisted(),
    command(Id::ComposerRedo, "composer.redo", "Redo", &["Mod+Shift+Z", "Mod+Y"], "Makes a change again that was taken back.").at(Context::Composer).unlisted(),
    command(Id::ComposerOlder, "composer.older", "Older prompt", &["Alt+Up"], "Puts what was said before into the composer.").at(Context::Composer).unlisted(),
    command(Id::ComposerNewer, "composer.newer", "Newer prompt", &["Alt+Down"], "Puts what was said after that into the composer.").at(Context::Composer).unlisted(),
    command(Id::ComposerPaste, "composer.paste", "Paste", &["Mod+V", "Mod+Shift+V", "Shift+Insert"], "Pastes text, or an image.").at(Context::Composer).unlisted(),
    command(Id::ImageRemove, "composer.remove-image", "Remove the last image", &["Mod+Shift+Backspace"], "Takes the last image out of what is being written.").at(Context::Composer).unlisted(),
    command(Id::PopupUp, "popup.up", "Up", &["Up"], "Marks the row above.").at(Context::Popup).unlisted(),
    command(Id::PopupDown, "popup.down", "Down", &["Down"], "Marks the row below.").at(Context::Popup).unlisted(),
    command(Id::PopupAccept, "popup.accept", "Insert", &["Tab", "Enter"], "Inserts the marked row.").at(Context::Popup).unlisted(),
    command(Id::PopupClose, "popup.close", "Close", &["Escape"], "Closes the list and leaves what was typed.").at(Context::Popup).unlisted(),
    command(Id::RequestOnce, "request.once", "Allow once", &["y"], "Allows what is asked, this time.").at(Context::Request).unlisted(),
    command(Id::RequestAlways, "request.always", "Always allow", &["a"], "Allows it, and is not asked again where the card says so.").at(Context::Request).unlisted(),
    command(Id::RequestDeny, "request.deny", "Deny…", &["n"], "Refuses it, with a reason for the model to read.").at(Context::Request).unlisted(),
    command(Id::RequestOption(1), "request.1", "Answer 1", &["1"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestOption(2), "request.2", "Answer 2", &["2"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestOption(3), "request.3", "Answer 3", &["3"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestOption(4), "request.4", "Answer 4", &["4"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestOption(5), "request.5", "Answer 5", &["5"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestOption(6), "request.6", "Answer 6", &["6"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestOption(7), "request.7", "Answer 7", &["7"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestOption(8), "request.8", "Answer 8", &["8"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestOption(9), "request.9", "Answer 9", &["9"], "Chooses the answer with this number.").at(Context::Request).unlisted(),
    command(Id::RequestSubmit, "request.submit", "Answer", &["Enter"], "Answers with what is chosen.").at(Context::Request).unlisted(),
    command(Id::RequestUp, "request.up", "Up", &["Up"], "Marks the answer above.").at(Context::Request).unlisted(),
    command(Id::RequestDown, "request.down", "Down", &["Down"], "Marks the answer below.").at(Context::Request).unlisted(),
    command(Id::RequestNext, "request.next", "Next question", &["Tab"], "Goes to the next question, or to the next card.").at(Context::Request).unlisted(),
    command(Id::RequestPrevious, "request.previous", "Previous question", &["Shift+Tab"], "Goes to the previous question, or to the previous card.").at(Context::Request).unlisted(),
    command(Id::RequestMark, "request.mark", "Choose", &["Space"], "Chooses the marked answer, or not any more.").at(Context::Request).unlisted(),
    command(Id::RequestWrite, "request.write", "Answer in own words", &["w"], "Lets an answer be written that is not in the list.").at(Context::Request).unlisted(),
    command(Id::CardRetry, "card.retry", "Try again", &["r"], "Says again what failed, or goes on before a limit is over.").at(Context::Request).unlisted(),
    command(Id::CardLogin, "card.login", "Log in", &["l"], "Opens the provider's own login in a terminal.").at(Context::Request).unlisted(),
    command(Id::CardRebuild, "card.rebuild", "Rebuild", &["b"], "Goes on in a new session with what was said so far.").at(Context::Request).unlisted(),
    command(Id::CardModel, "card.model", "Another model", &["m"], "Chooses another model.").at(Context::Request).unlisted(),
    command(Id::CardCompact, "card.compact", "Compact", &["c"], "Asks the provider to sum up what was said so far.").at(Context::Request).unlisted(),
    command(Id::CardNewTab, "card.new-tab", "New tab", &["t"], "Opens a tab with a new session.").at(Context::Request).unlisted(),
    command(Id::CardRelease, "card.release", "Go on with the queue", &["g"], "Lets the queue go on.").at(Context::Request).unlisted(),
    command(Id::CardTerminal, "card.terminal", "Own interface", &["o"], "Shows the session in the agent's own interface.").at(Context::Request).unlisted(),
    command(Id::QueueUp, "queue.up", "Move up", &["Shift+Up", "Alt+Up"], "Moves the prompt before the one above.").at(Context::Queue).unlisted(),
    command(Id::QueueDown, "queue.down", "Move down", &["Shift+Down", "Alt+Down"], "Moves the prompt behind the one below.").at(Context::Queue).unlisted(),
    command(Id::QueueRowHold, "queue.row-hold", "Hold", &["h"], "Passes the prompt over, or not any more.").at(Context::Queue).unlisted(),
    command(Id::QueueRowNow, "queue.row-now", "Send now", &["s"], "Says the prompt next, as soon as its tab is free.").at(Context::Queue).unlisted(),
    command(Id::QueueRowRemove, "queue.row-remove", "Remove", &["Delete", "d"], "Takes the prompt out of the queue.").at(Context::Queue).unlisted(),
    command(Id::QueueRowTab, "queue.row-tab", "Other tab…", &["t"], "Says the prompt in another tab of its agent.").at(Context::Queue).unlisted(),
    command(Id::QueueRowOpen, "queue.row-open", "Go to its tab", &["o"], "Shows the tab the prompt is for.").at(Context::Queue).unlisted(),
    command(Id::QueueUndo, "queue.undo", "Put back", &["u", "Mod+Z"], "Puts back what was removed last.").at(Context::Queue).unlisted(),
    command(Id::QueueHoldAll, "queue.hold-all", "Hold the whole queue", &["Shift+H"], "Sends nothing more of the marked agent's queue, or goes on with it.").at(Context::Queue).unlisted(),
    command(Id::QueueAll, "queue.all", "This agent or all", &["f"], "Shows the queue of one agent, or all queues.").at(Context::Queue).unlisted(),
];
