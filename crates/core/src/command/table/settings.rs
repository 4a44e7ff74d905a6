//! Commands of the settings page.

use crate::command::{Command, Context, Group, Id, command};

const fn on_page(
    id: Id,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    description: &'static str,
) -> Command {
    let mut row =
        command(id, name, title, chords, description).group(Group::Window).at(Context::Settings);
    row.listed = false;
    row
}

#[rustfmt::skip] // One line a command.
pub(super) const COMMANDS: &[Command] = &[
    command(Id::SettingsPage, "settings.page", "Settings", &["Mod+,"], "Shows everything that can be set, and sets it.").group(Group::Window),
    on_page(Id::SettingLess, "settings.less", "Less", &["Alt+Left", "Alt+-"], "Sets the marked setting to less, or to the choice before."),
    on_page(Id::SettingMore, "settings.more", "More", &["Alt+Right", "Alt+="], "Sets the marked setting to more, or to the next choice."),
    on_page(Id::SettingReset, "settings.reset", "Back to the default", &["Alt+Backspace"], "Takes out what is set for the marked setting, so that the default holds."),
    on_page(Id::SettingsResetAll, "settings.reset-all", "Everything back", &["Alt+Shift+Backspace"], "Takes out everything that is set here, after a second press."),
    on_page(Id::SettingsScope, "settings.scope", "All agents, or this one", &["Alt+A"], "Shows what holds for all agents, or what the agent that was looked at has of its own."),
    on_page(Id::SettingsChanged, "settings.changed", "Only what is set", &["Alt+C"], "Shows only what is not as it comes, or everything."),
    on_page(Id::SettingsFile, "settings.file", "Open the file", &["Alt+O"], "Opens settings.toml in the editor."),
];
