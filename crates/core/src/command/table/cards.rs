//! Commands of what is written, asked and waiting.

use crate::command::{Command, Context, Id, command};

pub(super) const COMMANDS: &[Command] = &[
    command(
        Id::ConversationLeave,
        "conversation.leave",
        "Back",
        &["Escape"],
        "Closes what is open; twice, while a turn runs, interrupts it.",
    )
    .at(Context::Composer)
    .unlisted(),
    command(
        Id::RequestLeave,
        "request.leave",
        "Back to the composer",
        &["Escape"],
        "Gives the keyboard back to what is being written.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::ComposerSend,
        "composer.send",
        "Send",
        &["Mod+Enter"],
        "Says it: at once, or after what waits already.",
    )
    .at(Context::Composer)
    .unlisted(),
    command(
        Id::ComposerUndo,
        "composer.undo",
        "Undo",
        &["Mod+Z"],
        "Takes back the last change of what is being written.",
    )
    .at(Context::Composer)
    .unlisted(),
    command(
        Id::ComposerRedo,
        "composer.redo",
        "Redo",
        &["Mod+Shift+Z", "Mod+Y"],
        "Makes a change again that was taken back.",
    )
    .at(Context::Composer)
    .unlisted(),
    command(
        Id::ComposerOlder,
        "composer.older",
        "Older prompt",
        &["Alt+Up"],
        "Puts what was said before into the composer.",
    )
    .at(Context::Composer)
    .unlisted(),
    command(
        Id::ComposerNewer,
        "composer.newer",
        "Newer prompt",
        &["Alt+Down"],
        "Puts what was said after that into the composer.",
    )
    .at(Context::Composer)
    .unlisted(),
    command(
        Id::ComposerPaste,
        "composer.paste",
        "Paste",
        &["Mod+V", "Mod+Shift+V", "Shift+Insert"],
        "Pastes text, or an image.",
    )
    .at(Context::Composer)
    .unlisted(),
    command(
        Id::ImageRemove,
        "composer.remove-image",
        "Remove the last image",
        &["Mod+Shift+Backspace"],
        "Takes the last image out of what is being written.",
    )
    .at(Context::Composer)
    .unlisted(),
    command(Id::PopupUp, "popup.up", "Up", &["Up"], "Marks the row above.")
        .at(Context::Popup)
        .unlisted(),
    command(Id::PopupDown, "popup.down", "Down", &["Down"], "Marks the row below.")
        .at(Context::Popup)
        .unlisted(),
    command(
        Id::PopupAccept,
        "popup.accept",
        "Insert",
        &["Tab", "Enter"],
        "Inserts the marked row.",
    )
    .at(Context::Popup)
    .unlisted(),
    command(
        Id::PopupClose,
        "popup.close",
        "Close",
        &["Escape"],
        "Closes the list and leaves what was typed.",
    )
    .at(Context::Popup)
    .unlisted(),
    command(
        Id::RequestOnce,
        "request.once",
        "Allow once",
        &["y"],
        "Allows what is asked, this time.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestAlways,
        "request.always",
        "Always allow",
        &["a"],
        "Allows it, and is not asked again where the card says so.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestDeny,
        "request.deny",
        "Deny…",
        &["n"],
        "Refuses it, with a reason for the model to read.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(1),
        "request.1",
        "Answer 1",
        &["1"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(2),
        "request.2",
        "Answer 2",
        &["2"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(3),
        "request.3",
        "Answer 3",
        &["3"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(4),
        "request.4",
        "Answer 4",
        &["4"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(5),
        "request.5",
        "Answer 5",
        &["5"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(6),
        "request.6",
        "Answer 6",
        &["6"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(7),
        "request.7",
        "Answer 7",
        &["7"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(8),
        "request.8",
        "Answer 8",
        &["8"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestOption(9),
        "request.9",
        "Answer 9",
        &["9"],
        "Chooses the answer with this number.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestSubmit,
        "request.submit",
        "Answer",
        &["Enter"],
        "Answers with what is chosen.",
    )
    .at(Context::Request)
    .unlisted(),
    command(Id::RequestUp, "request.up", "Up", &["Up"], "Marks the answer above.")
        .at(Context::Request)
        .unlisted(),
    command(Id::RequestDown, "request.down", "Down", &["Down"], "Marks the answer below.")
        .at(Context::Request)
        .unlisted(),
    command(
        Id::RequestNext,
        "request.next",
        "Next question",
        &["Tab"],
        "Goes to the next question, or to the next card.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestPrevious,
        "request.previous",
        "Previous question",
        &["Shift+Tab"],
        "Goes to the previous question, or to the previous card.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestMark,
        "request.mark",
        "Choose",
        &["Space"],
        "Chooses the marked answer, or not any more.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::RequestWrite,
        "request.write",
        "Answer in own words",
        &["w"],
        "Lets an answer be written that is not in the list.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::CardRetry,
        "card.retry",
        "Try again",
        &["r"],
        "Says again what failed, or goes on before a limit is over.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::CardLogin,
        "card.login",
        "Log in",
        &["l"],
        "Opens the provider's own login in a terminal.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::CardRebuild,
        "card.rebuild",
        "Rebuild",
        &["b"],
        "Goes on in a new session with what was said so far.",
    )
    .at(Context::Request)
    .unlisted(),
    command(Id::CardModel, "card.model", "Another model", &["m"], "Chooses another model.")
        .at(Context::Request)
        .unlisted(),
    command(
        Id::CardCompact,
        "card.compact",
        "Compact",
        &["c"],
        "Asks the provider to sum up what was said so far.",
    )
    .at(Context::Request)
    .unlisted(),
    command(Id::CardNewTab, "card.new-tab", "New tab", &["t"], "Opens a tab with a new session.")
        .at(Context::Request)
        .unlisted(),
    command(
        Id::CardRelease,
        "card.release",
        "Go on with the queue",
        &["g"],
        "Lets the queue go on.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::CardTerminal,
        "card.terminal",
        "Own interface",
        &["o"],
        "Shows the session in the agent's own interface.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::CardResumes,
        "card.resumes",
        "Go on by itself, or not",
        &["u"],
        "Whether it goes on by itself, unattended, when the limit ends.",
    )
    .at(Context::Request)
    .unlisted(),
    command(
        Id::QueueUp,
        "queue.up",
        "Move up",
        &["Shift+Up", "Alt+Up"],
        "Moves the prompt before the one above.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueDown,
        "queue.down",
        "Move down",
        &["Shift+Down", "Alt+Down"],
        "Moves the prompt behind the one below.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueRowHold,
        "queue.row-hold",
        "Hold",
        &["h"],
        "Passes the prompt over, or not any more.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueRowNow,
        "queue.row-now",
        "Send now",
        &["s"],
        "Says the prompt next, as soon as its tab is free.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueRowRemove,
        "queue.row-remove",
        "Remove",
        &["Delete", "d"],
        "Takes the prompt out of the queue.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueRowTab,
        "queue.row-tab",
        "Other tab…",
        &["t"],
        "Says the prompt in another tab of its agent.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueRowOpen,
        "queue.row-open",
        "Go to its tab",
        &["o"],
        "Shows the tab the prompt is for.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueUndo,
        "queue.undo",
        "Put back",
        &["u", "Mod+Z"],
        "Puts back what was removed last.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueHoldAll,
        "queue.hold-all",
        "Hold the whole queue",
        &["Shift+H"],
        "Sends nothing more of the marked agent's queue, or goes on with it.",
    )
    .at(Context::Queue)
    .unlisted(),
    command(
        Id::QueueAll,
        "queue.all",
        "This agent or all",
        &["f"],
        "Shows the queue of one agent, or all queues.",
    )
    .at(Context::Queue)
    .unlisted(),
];
