//! The registry as texts that people read: a new `keymap.toml`, and a page of the documentation.

use super::{ALL, Command, Context, Group};
use crate::keymap::{Keys, Platform};

impl Context {
    /// Where chords of it hold, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Main => "the window",
            Self::Terminal => "a terminal",
            Self::Agents => "the list of agents",
            Self::Overlay => "a dialog",
            Self::Palette => "the palette",
            Self::Sessions => "stored conversations",
            Self::Conversation => "a conversation",
            Self::Entries => "the entries of a conversation",
            Self::Search => "the search bar",
            Self::Hints => "labels of links",
            Self::Vi => "vi mode",
            Self::Broadcast => "a terminal, while others hear what is typed",
            Self::Composer => "the composer",
            Self::Popup => "what is offered in the composer",
            Self::Request => "a card that asks",
            Self::Queue => "the queue",
            Self::Settings => "the settings",
            Self::Notices => "the notices",
            Self::Chords => "help and chords",
            Self::Mastery => "the page about your keys",
            Self::AutoRun => "Auto Run",
            Self::Documents => "checklists",
            Self::Editor => "a document that is written in",
            Self::Run => "the tasks of a run",
            Self::History => "the history of runs",
            Self::RunDialog => "the start of a run",
            Self::Review => "changes and branches",
            Self::Changes => "changes",
            Self::Log => "the log",
            Self::Files => "files",
            Self::Matrix => "conflicts",
            Self::Train => "a merge train",
            Self::Race => "a race",
            Self::Worktrees => "worktrees",
        }
    }

    /// Whether text is written while it has the keyboard: a letter alone is no chord then.
    #[must_use]
    pub fn is_written_in(self) -> bool {
        matches!(
            self,
            Self::Everywhere
                | Self::Main
                | Self::Terminal
                | Self::Overlay
                | Self::Palette
                | Self::Sessions
                | Self::Settings
                | Self::Chords
                | Self::Conversation
                | Self::Search
                | Self::Composer
                | Self::Popup
                | Self::Editor
        )
    }
}

impl Group {
    /// Every group, in the order in which pages list them.
    pub const ALL: [Self; 12] = [
        Self::Agents,
        Self::Conversation,
        Self::Queue,
        Self::Panes,
        Self::Terminal,
        Self::Runs,
        Self::Changes,
        Self::Sessions,
        Self::View,
        Self::Window,
        Self::Navigation,
        Self::Vi,
    ];
}

/// What a new `keymap.toml` says: how chords are written, and every command with its own, as comments.
#[must_use]
pub fn template(platform: Platform) -> String {
    let mut text = String::from(
        "# Chords of Maestro. What is saved here holds at once; a mistake is told with its line, and\n\
         # what held before holds on. `maestro keymap check` looks at it from a terminal.\n\
         #\n\
         # A command has one chord, several, or none:\n\
         #\n\
         #     agent.new = \"Mod+Shift+N\"\n\
         #     pane.next = [\"F3\", \"Mod+E\"]\n\
         #     pane.close = []\n\
         #     theme.toggle = \"Alt+Mod+X D\"\n\
         #\n\
         # Mod is Command on macOS and Ctrl elsewhere; beside it there are Ctrl, Alt, Shift and Cmd. Two\n\
         # chords with a blank between them are pressed one after the other. A chord that another\n\
         # command has by default is taken from it.\n",
    );
    for group in Group::ALL {
        text.push_str(&format!("\n# {}\n", group.title()));
        for command in ALL.iter().filter(|command| command.group == group) {
            let chords: Vec<String> = command
                .default_chords(platform)
                .iter()
                .map(|chord| format!("\"{}\"", chord.replace('\\', "\\\\").replace('"', "\\\"")))
                .collect();
            let chords = match chords.as_slice() {
                [only] => only.clone(),
                all => format!("[{}]", all.join(", ")),
            };
            let title = command.title.trim_end_matches('…');
            text.push_str(&format!("# {} = {chords} # {title}\n", command.name));
        }
    }
    text
}

/// `docs/commands.md`.
#[must_use]
pub fn docs() -> String {
    let mut text = String::from(
        "# Commands and keys\n\n\
         Everything that Maestro can be made to do in its window. `Mod` is Command on macOS and Ctrl \
         elsewhere. `Mod+K` finds a command by a few\nletters; `maestro commands` prints this list with \
         the chords that hold for you; `keymap.toml` in Maestro's folder gives a command other\nchords \
         (`maestro keymap set NAME CHORD…`) and is read as it is saved. `maestro do NAME` runs one \
         in the open window; what stands in\ncapitals beside it is what it can be run with.\n\n\
         A chord holds where the column *where* says; *for* says what a command needs to be of use.\n",
    );
    for group in Group::ALL {
        let mut rows = ALL.iter().filter(|command| command.group == group).peekable();
        if rows.peek().is_none() {
            continue;
        }
        text.push_str(&format!(
            "\n## {}\n\n| command | chords | what it does | where | for |\n| --- | --- | --- | --- | --- |\n",
            group.title()
        ));
        for command in rows {
            text.push_str(&line(command));
        }
    }
    text
}

fn line(command: &Command) -> String {
    // What stands in a table must not end its cell.
    let cell = |text: &str| text.replace('|', "\\|");
    let chords = |platform: Platform| {
        let chords = command.default_chords(platform).iter();
        let chords: Vec<String> = chords
            .map(|chord| {
                let shown = chord.parse::<Keys>().map(|keys| keys.to_string());
                let shown = shown.unwrap_or_else(|_| (*chord).to_owned());
                let fence = if shown.contains('`') { "``" } else { "`" };
                let gap = if shown.contains('`') { " " } else { "" };
                format!("{fence}{gap}{}{gap}{fence}", cell(&shown))
            })
            .collect();
        chords.join(" ")
    };
    let (other, mac) = (chords(Platform::Other), chords(Platform::Mac));
    let chords = match (command.mac_chords, mac.is_empty()) {
        (Some(_), false) if mac != other => format!("{other} (macOS: {mac})"),
        (Some(_), true) if mac != other => format!("{other} (not on macOS)"),
        _ => other,
    };
    let takes = command.argument().map(|it| format!(" {}", it.title())).unwrap_or_default();
    format!(
        "| **{}**{takes} `{}` | {chords} | {} | {} | {} |\n",
        command.title.trim_end_matches('…'),
        command.name,
        cell(command.description),
        command.context.title(),
        command.need().title(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run with `MAESTRO_WRITE_DOCS=1` to write the page anew.
    #[test]
    fn the_page_of_the_documentation_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md");
        if std::env::var_os("MAESTRO_WRITE_DOCS").is_some() {
            std::fs::write(path, docs()).expect("written");
        }
        let written = std::fs::read_to_string(path).expect("docs/commands.md");
        assert_eq!(written.replace("\r\n", "\n"), docs(), "MAESTRO_WRITE_DOCS=1 writes it anew");
    }

    #[test]
    fn the_page_and_the_template_have_every_command() {
        let (page, template) = (docs(), template(Platform::Other));
        for command in ALL {
            assert!(page.contains(&format!("`{}` |", command.name)), "{}", command.name);
            assert!(template.contains(&format!("\n# {} = ", command.name)), "{}", command.name);
        }
        let lines = template.lines().filter(|line| !line.is_empty());
        assert!(lines.clone().all(|line| line.starts_with('#')), "{template}");
    }
}
