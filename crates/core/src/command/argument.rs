//! What a command can be run with, where it is not chosen by hand.

use super::{Command, Id, Need};

/// What the argument of a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Argument {
    /// An agent, by its name or its id.
    Agent,
    /// A tab, by its id or its title.
    Tab,
    /// A theme, or `system`.
    Theme,
    /// A file of the chosen agent's directory, by its path.
    File,
    /// A branch of its repository.
    Branch,
    /// A setting, by its key.
    Setting,
    /// Columns and rows, such as `3x2`.
    Grid,
    /// A workspace, by its name.
    Workspace,
}

impl Argument {
    /// How help writes it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Agent => "AGENT",
            Self::Tab => "TAB",
            Self::Theme => "THEME",
            Self::File => "FILE",
            Self::Branch => "BRANCH",
            Self::Setting => "SETTING",
            Self::Grid => "COLUMNSxROWS",
            Self::Workspace => "WORKSPACE",
        }
    }
}

impl Command {
    /// What it can be run with. Without it, the window asks, or takes what is chosen there.
    #[must_use]
    pub fn argument(&self) -> Option<Argument> {
        match self.id {
            Id::AgentsSwitch | Id::ChangesOpen | Id::LogOpen | Id::ConflictsOpen => {
                Some(Argument::Agent)
            }
            Id::TabsGo => Some(Argument::Tab),
            Id::ThemeChoose => Some(Argument::Theme),
            Id::FilesGo => Some(Argument::File),
            Id::BranchesGo => Some(Argument::Branch),
            Id::SettingsGo | Id::SettingsPage => Some(Argument::Setting),
            Id::LayoutGrid => Some(Argument::Grid),
            Id::WorkspaceSave | Id::WorkspacesGo | Id::WorkspaceDelete => Some(Argument::Workspace),
            _ if self.need() == Need::Agent => Some(Argument::Agent),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_what_it_can_be_run_with() {
        for (id, expected) in [
            (Id::AgentStop, Some(Argument::Agent)),
            (Id::AgentsSwitch, Some(Argument::Agent)),
            (Id::ThemeChoose, Some(Argument::Theme)),
            (Id::FilesGo, Some(Argument::File)),
            (Id::SettingsPage, Some(Argument::Setting)),
            (Id::Quit, None),
            (Id::Palette, None),
        ] {
            assert_eq!(id.command().argument(), expected, "{id}");
        }
    }
}
