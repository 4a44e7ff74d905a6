//! Commands of sessions of every program.

use crate::command::{Command, Group, Id, command};

pub(super) const COMMANDS: &[Command] = &[
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
    command(
        Id::ConversationMove,
        "conversation.move",
        "Session: conversation or own interface",
        &["Alt+Mod+J"],
        "Takes the session out of the agent's own interface into a conversation, or back; both \
         show the same history.",
    )
    .group(Group::Conversation),
];
