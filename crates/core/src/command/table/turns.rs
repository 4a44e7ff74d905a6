//! Commands of what was said.

use crate::command::{Command, Context, Id, command};

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

pub(super) const COMMANDS: &[Command] = &[
    command(
        Id::TurnsFocus,
        "turns.focus",
        "Go through the conversation",
        &["Mod+Up"],
        "Gives the keyboard to the entries of the conversation: to read, unfold and copy.",
    )
    .turns(),
    command(
        Id::TurnsFind,
        "turns.find",
        "Find in conversation",
        &["Mod+F", "Mod+Shift+F"],
        "Looks for text in the whole conversation.",
    )
    .turns(),
    command(
        Id::TurnsFindOlder,
        "turns.find-older",
        "Older match",
        &["F3"],
        "Goes to the match above.",
    )
    .turns()
    .unlisted(),
    command(
        Id::TurnsFindNewer,
        "turns.find-newer",
        "Newer match",
        &["Shift+F3"],
        "Goes to the match below.",
    )
    .turns()
    .unlisted(),
    command(
        Id::TurnsFilter,
        "turns.filter",
        "Filter conversation…",
        &["Alt+Shift+F"],
        "Shows only the entries in which some text is, or those in which it is not.",
    )
    .turns(),
    command(
        Id::TurnsThinking,
        "turns.thinking",
        "Show thinking",
        &["Alt+Shift+T"],
        "Hides what the model thinks, shows it as it is thought, or shows all of it.",
    )
    .turns(),
    command(
        Id::TurnsPageUp,
        "turns.page-up",
        "Conversation a page up",
        &["PageUp", "Shift+PageUp"],
        "Shows what was said before.",
    )
    .turns()
    .unlisted(),
    command(
        Id::TurnsPageDown,
        "turns.page-down",
        "Conversation a page down",
        &["PageDown", "Shift+PageDown"],
        "Shows what was said after.",
    )
    .turns()
    .unlisted(),
    command(
        Id::TurnsTop,
        "turns.top",
        "Beginning of the conversation",
        &["Mod+Shift+Home"],
        "Shows the first prompt.",
    )
    .turns(),
    command(
        Id::TurnsBottom,
        "turns.bottom",
        "End of the conversation",
        &["Mod+Shift+End"],
        "Shows what was said last, and follows it.",
    )
    .turns(),
    command(
        Id::TurnsPromptPrevious,
        "turns.prompt-previous",
        "Previous prompt",
        &["Alt+PageUp", "Alt+Shift+PageUp"],
        "Shows the prompt before.",
    )
    .turns(),
    command(
        Id::TurnsPromptNext,
        "turns.prompt-next",
        "Next prompt",
        &["Alt+PageDown", "Alt+Shift+PageDown"],
        "Shows the prompt after.",
    )
    .turns(),
    command(
        Id::TurnsExpandAll,
        "turns.expand-all",
        "Unfold all cards",
        &["Alt+Shift+E"],
        "Unfolds every tool call and every diff, or folds them again.",
    )
    .turns(),
    command(
        Id::TurnsCopyAnswer,
        "turns.copy-answer",
        "Copy the last answer",
        &["Alt+Shift+C"],
        "Copies the last answer as Markdown.",
    )
    .turns(),
    command(
        Id::TurnsCopyCode,
        "turns.copy-code",
        "Copy the last code block",
        &["Alt+Shift+K"],
        "Copies the last code block of the conversation.",
    )
    .turns(),
    command(
        Id::TurnsExportHtml,
        "turns.export-html",
        "Export conversation as HTML…",
        &[],
        "Writes the conversation into one HTML file that needs nothing else.",
    )
    .turns(),
    command(
        Id::TurnsExportMarkdown,
        "turns.export-markdown",
        "Export conversation as Markdown…",
        &[],
        "Writes the conversation into a Markdown file.",
    )
    .turns(),
    command(Id::EntryNext, "entry.next", "Next entry", &["j", "Down"], "Marks the entry below.")
        .entries(),
    command(
        Id::EntryPrevious,
        "entry.previous",
        "Previous entry",
        &["k", "Up"],
        "Marks the entry above.",
    )
    .entries(),
    command(Id::EntryFirst, "entry.first", "First entry", &["g", "Home"], "Marks the first entry.")
        .entries(),
    command(
        Id::EntryLast,
        "entry.last",
        "Last entry",
        &["Shift+G", "End"],
        "Marks the last entry, and follows what comes.",
    )
    .entries(),
    command(
        Id::EntryPromptPrevious,
        "entry.prompt-previous",
        "Previous prompt",
        &["["],
        "Marks the prompt before.",
    )
    .entries(),
    command(
        Id::EntryPromptNext,
        "entry.prompt-next",
        "Next prompt",
        &["]"],
        "Marks the prompt after.",
    )
    .entries(),
    command(
        Id::EntryToggle,
        "entry.toggle",
        "Unfold or fold",
        &["Space", "Enter"],
        "Unfolds the marked entry, or folds it.",
    )
    .entries(),
    command(
        Id::EntryCopy,
        "entry.copy",
        "Copy as Markdown",
        &["c"],
        "Copies the marked entry as Markdown.",
    )
    .entries(),
    command(
        Id::EntryCopyText,
        "entry.copy-text",
        "Copy as plain text",
        &["Shift+C"],
        "Copies the words of the marked entry without Markdown.",
    )
    .entries(),
    code(1, "entry.code-1", &["1"]),
    code(2, "entry.code-2", &["2"]),
    code(3, "entry.code-3", &["3"]),
    code(4, "entry.code-4", &["4"]),
    code(5, "entry.code-5", &["5"]),
    code(6, "entry.code-6", &["6"]),
    code(7, "entry.code-7", &["7"]),
    code(8, "entry.code-8", &["8"]),
    code(9, "entry.code-9", &["9"]),
    command(
        Id::EntryFind,
        "entry.find",
        "Find",
        &["/"],
        "Looks for text in the whole conversation.",
    )
    .entries(),
    command(
        Id::EntryFilter,
        "entry.filter",
        "Filter",
        &["f"],
        "Shows only the entries in which some text is.",
    )
    .entries(),
    command(
        Id::EntryLeave,
        "entry.leave",
        "Back to what is said next",
        &["Escape", "i"],
        "Gives the keyboard back to what is said next.",
    )
    .entries(),
    command(
        Id::FilterTurn,
        "filter.turn",
        "Turn the filter round",
        &["Alt+X"],
        "Hides the entries in which the text is, or shows only those.",
    )
    .at(Context::Search)
    .unlisted(),
];
