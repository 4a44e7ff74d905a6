//! Commands of help and of the page of chords.

use crate::command::{Command, Context, Group, Id, command};

const fn on_page(
    id: Id,
    name: &'static str,
    title: &'static str,
    chords: &'static [&'static str],
    description: &'static str,
) -> Command {
    let mut row =
        command(id, name, title, chords, description).group(Group::Window).at(Context::Chords);
    row.listed = false;
    row
}

#[rustfmt::skip] // One line a command.
pub(super) const COMMANDS: &[Command] = &[
    command(Id::HelpOpen, "help", "Help", &["Alt+Mod+/"], "Shows every command with its chord, and finds one by a word or by its chord.").group(Group::Window).mac(&["Mod+/"]),
    command(Id::ChordsOpen, "keymap.page", "Chords…", &["Alt+Mod+X K"], "Gives commands other chords by pressing them.").group(Group::Window),
    command(Id::MasteryOpen, "mastery", "Your keys", &["Alt+Mod+X M"], "Shows how many commands you fire by their chords, what to learn next, and your rank as a conductor.").group(Group::Window),
    command(Id::TourToggle, "tour", "Tour of ten keys", &["Alt+Mod+X U"], "Begins the tour of ten keys, or ends it.").group(Group::Window),
    command(Id::TourSkip, "tour.skip", "Next step of the tour", &["Alt+Mod+X N"], "Leaves a step of the tour out.").group(Group::Window),
    on_page(Id::MasteryExport, "mastery.export", "Keep it as a picture", &["Alt+E"], "Writes the page about your keys as a picture.").at(Context::Mastery),
    on_page(Id::KeysAdd, "keymap.add", "One more chord", &["Alt+A"], "Records a chord beside those that the marked command has."),
    on_page(Id::KeysNone, "keymap.none", "No chord", &["Alt+N"], "Takes all chords from the marked command."),
    on_page(Id::KeysReset, "keymap.reset", "The default chords", &["Alt+Backspace"], "Gives the marked command its default chords again."),
    on_page(Id::KeysResetAll, "keymap.reset-all", "All default chords", &["Alt+Shift+Backspace"], "Gives every command its default chords again, after a second press."),
    on_page(Id::KeysOwn, "keymap.own", "Only your own", &["Alt+C"], "Shows only commands whose chords are your own, or all."),
    on_page(Id::KeysHere, "keymap.here", "Only what holds here", &["Alt+H"], "Shows only what can be done where the keyboard was, or all."),
    on_page(Id::KeysExport, "keymap.copy", "Copy your own chords", &["Alt+E"], "Puts your own chords into the clipboard, as a file."),
    on_page(Id::KeysImport, "keymap.paste", "Take over chords", &["Alt+I"], "Takes over the chords of a file that is in the clipboard."),
    on_page(Id::KeysFile, "keymap.file", "Open the file", &["Alt+O"], "Opens keymap.toml in the editor."),
];
