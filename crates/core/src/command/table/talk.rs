//! Commands of conversations, their tabs and what waits in them.

use crate::command::{Command, Context, Group, Id, command};

pub(super) const COMMANDS: &[Command] = &[
    command(
        Id::ConversationShow,
        "conversation.show",
        "Show the conversation or the own interface",
        &["Mod+Shift+J"],
        "Shows the other side of the agent and leaves its session where it is.",
    )
    .group(Group::Conversation),
    command(
        Id::AttentionNext,
        "attention.next",
        "Go to who needs you",
        &["Alt+Mod+A"],
        "Goes to the next agent that waits for an answer.",
    )
    .group(Group::Conversation),
    command(
        Id::AgentWhy,
        "agent.why",
        "Why is the agent in this state?",
        &["Alt+Mod+I"],
        "Shows what its state was drawn from.",
    )
    .group(Group::Conversation),
    command(
        Id::AgentLogin,
        "agent.login",
        "Log in again",
        &[],
        "Opens the provider's own login in a terminal of the agent.",
    )
    .group(Group::Conversation),
    command(
        Id::TabNew,
        "tab.new",
        "New conversation",
        &["Mod+T"],
        "Opens a tab with a new session.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabClose,
        "tab.close",
        "Close the tab",
        &["Mod+W"],
        "Closes the tab; what was said is kept, and it can be opened again.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabsCloseOthers,
        "tabs.close-others",
        "Close the other tabs",
        &[],
        "Closes all tabs of the agent but this one; they can be opened again.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabsCloseLeft,
        "tabs.close-left",
        "Close the tabs to the left",
        &[],
        "Closes the tabs before this one.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabsCloseRight,
        "tabs.close-right",
        "Close the tabs to the right",
        &[],
        "Closes the tabs behind this one.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabReopen,
        "tab.reopen",
        "Open a closed tab…",
        &["Mod+Shift+T"],
        "Offers the tabs that were closed, the last one first.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabRename,
        "tab.rename",
        "Rename the tab…",
        &["F2"],
        "Gives the tab a name of its own, or lets it be made from the conversation again.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabStar,
        "tab.star",
        "Star the tab",
        &["Mod+Shift+S"],
        "Marks the tab, or not any more.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabUnread,
        "tab.unread",
        "Mark the tab as unread",
        &["Mod+Shift+U"],
        "Keeps the tab among those to be looked at.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabUnreadNext,
        "tab.next-unread",
        "Next unread tab",
        &["Alt+Mod+Shift+Down"],
        "Goes to the next tab in which something was said that nobody has looked at, whichever \
         agent has it.",
    )
    .group(Group::Conversation),
    command(
        Id::TabNext,
        "tab.next",
        "Next tab",
        &["Mod+PageDown", "Mod+Shift+]"],
        "Shows the next tab of the agent.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabPrevious,
        "tab.previous",
        "Previous tab",
        &["Mod+PageUp", "Mod+Shift+["],
        "Shows the previous tab of the agent.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(Id::TabNumber(1), "tab.1", "Tab 1", &["Mod+1"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(Id::TabNumber(2), "tab.2", "Tab 2", &["Mod+2"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(Id::TabNumber(3), "tab.3", "Tab 3", &["Mod+3"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(Id::TabNumber(4), "tab.4", "Tab 4", &["Mod+4"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(Id::TabNumber(5), "tab.5", "Tab 5", &["Mod+5"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(Id::TabNumber(6), "tab.6", "Tab 6", &["Mod+6"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(Id::TabNumber(7), "tab.7", "Tab 7", &["Mod+7"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(Id::TabNumber(8), "tab.8", "Tab 8", &["Mod+8"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(Id::TabNumber(9), "tab.9", "Tab 9", &["Mod+9"], "Shows the tab with this number.")
        .group(Group::Conversation)
        .at(Context::Conversation),
    command(
        Id::TabLast,
        "tab.last",
        "Last tab",
        &["Alt+Mod+X L"],
        "Shows the last tab of the agent.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabLeft,
        "tab.left",
        "Move the tab left",
        &["Mod+Shift+PageUp"],
        "Moves the tab before the one to its left.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabRight,
        "tab.right",
        "Move the tab right",
        &["Mod+Shift+PageDown"],
        "Moves the tab behind the one to its right.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabToStart,
        "tab.to-start",
        "Move the tab to the start",
        &[],
        "Moves the tab before all others.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabToEnd,
        "tab.to-end",
        "Move the tab to the end",
        &[],
        "Moves the tab behind all others.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabPolicy,
        "tab.policy",
        "Policy…",
        &["Alt+Mod+P"],
        "What the agent may do without asking; holds from now on, also within a turn.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabModel,
        "tab.model",
        "Model…",
        &["Alt+Mod+M"],
        "Which model answers from now on.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabEffort,
        "tab.effort",
        "Effort…",
        &["Alt+Mod+E"],
        "How hard the model is to think from now on.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TabsSearch,
        "tabs.search",
        "Search all tabs…",
        &["Alt+Mod+F"],
        "Looks for words in every conversation.",
    )
    .group(Group::Conversation),
    command(
        Id::TurnInterrupt,
        "turn.interrupt",
        "Interrupt the turn",
        &["Ctrl+C"],
        "Stops the turn at once; done again, it ends its processes. Escape twice does the same.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TurnRetry,
        "turn.retry",
        "Try the turn again",
        &["Alt+Mod+T"],
        "Says again what failed, or goes on before a limit is over.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TurnResumes,
        "turn.resumes",
        "Go on by itself after the limit, or not",
        &[],
        "Whether what waits for a limit goes on by itself when the limit ends.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::TurnCompact,
        "turn.compact",
        "Compact the context",
        &[],
        "Asks the provider to sum up what was said so far, where it can.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::SessionRebuild,
        "session.rebuild",
        "Rebuild the session",
        &[],
        "Goes on in a new session with what was said so far.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::RequestFocus,
        "request.focus",
        "Answer what is asked",
        &["Alt+Mod+Y"],
        "Gives the keyboard to what the agent asks: y allows, n denies.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::ComposerFocus,
        "composer.focus",
        "Between composer and transcript",
        &["Mod+."],
        "Gives the keyboard to what is being written, or to what was said.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::ComposerFull,
        "composer.full",
        "Full-screen composer",
        &["Mod+Shift+P"],
        "Gives all the place to what is being written, or back.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::ComposerReadOnly,
        "composer.read-only",
        "Read-only for this prompt",
        &["Mod+R"],
        "What is sent next may read and nothing else, whatever the policy is.",
    )
    .group(Group::Conversation)
    .at(Context::Conversation),
    command(
        Id::QueueShow,
        "queue.show",
        "Show the queues",
        &["Alt+Mod+Q"],
        "What waits to be said, agent by agent: edit, move, hold, send, remove.",
    )
    .group(Group::Queue),
    command(
        Id::QueueHold,
        "queue.hold",
        "Hold the queue, or let it go on",
        &[],
        "Sends nothing more of the agent's queue, or goes on with it.",
    )
    .group(Group::Queue),
    command(
        Id::QueueEditLast,
        "queue.edit-last",
        "Take back the last queued prompt",
        &["Mod+Shift+E"],
        "Puts what was queued last back into the composer.",
    )
    .group(Group::Queue)
    .at(Context::Conversation),
];
