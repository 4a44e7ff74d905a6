//! Commands of terminals.

use crate::command::{Command, Context, Group, Id, command};

pub(super) const COMMANDS: &[Command] = &[
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
        "Moves a cursor through screen and history by the keys of vi, without the program \
         noticing.",
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
];
