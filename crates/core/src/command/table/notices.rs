//! Commands about what the user is told.

use crate::command::{Command, Context, Group, Id, command};

pub(super) const COMMANDS: &[Command] = &[
    command(
        Id::NoticesOpen,
        "notices.open",
        "Notices",
        &["Mod+Shift+B"],
        "Lists what happened: agents that need you, are done, failed or limited, and runs that ended.",
    )
    .group(Group::Window),
    command(
        Id::NoticeRead,
        "notices.read",
        "Read or unread",
        &["r"],
        "Marks a notice as read, or as unread again.",
    )
    .at(Context::Notices)
    .unlisted(),
    command(
        Id::NoticesRead,
        "notices.read-all",
        "All read",
        &["Shift+R"],
        "Marks every notice as read.",
    )
    .at(Context::Notices)
    .unlisted(),
    command(
        Id::NoticesForget,
        "notices.forget",
        "Forget all",
        &["Shift+Delete"],
        "Takes every notice out of the list.",
    )
    .at(Context::Notices)
    .unlisted(),
];
