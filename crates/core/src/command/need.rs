//! What a command needs to be of use, and the sentence that says so where it is not there.

use super::{Command, Context, Id};

/// What there is at the moment: what the window shows, and where its keyboard is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// An agent is chosen.
    pub agent: bool,
    /// A pane is open.
    pub pane: bool,
    /// A terminal has the keyboard.
    pub terminal: bool,
    /// A tab of a conversation is shown where the keyboard is.
    pub conversation: bool,
    /// Some agent needs the user.
    pub waiting: bool,
    /// A run is at work.
    pub run: bool,
    /// A program wants to put something into the clipboard.
    pub clipboard: bool,
}

impl Place {
    /// A place where everything is of use.
    pub const FULL: Self = Self {
        agent: true,
        pane: true,
        terminal: true,
        conversation: true,
        waiting: true,
        run: true,
        clipboard: true,
    };

    fn has(self, need: Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Agent => self.agent,
            Need::Pane => self.pane,
            Need::Terminal => self.terminal,
            Need::Conversation => self.conversation,
            Need::Waiting => self.waiting,
            Need::Run => self.run,
            Need::Clipboard => self.clipboard,
        }
    }
}

/// What has to be there for a command to be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// Nothing: it can always be run.
    Nothing,
    /// An agent that is chosen.
    Agent,
    /// A pane.
    Pane,
    /// A terminal that has the keyboard.
    Terminal,
    /// A tab of a conversation.
    Conversation,
    /// An agent that needs the user.
    Waiting,
    /// A run at work.
    Run,
    /// A program that wants the clipboard.
    Clipboard,
}

impl Need {
    /// Why a command cannot be run where this is not there, without a full stop.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Nothing => "it can be run",
            Self::Agent => "no agent is chosen",
            Self::Pane => "no pane is open",
            Self::Terminal => "no terminal has the keyboard",
            Self::Conversation => "no conversation is shown",
            Self::Waiting => "no agent needs you",
            Self::Run => "no run is at work",
            Self::Clipboard => "no program wants the clipboard",
        }
    }

    /// What it is for, as the documentation says it; nothing where it is for everything.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Agent => "an agent",
            Self::Pane => "a pane",
            Self::Terminal => "a terminal",
            Self::Conversation => "a conversation",
            Self::Waiting => "an agent that needs you",
            Self::Run => "a run",
            Self::Clipboard => "a program that wants the clipboard",
        }
    }
}

impl Command {
    /// What it needs.
    #[must_use]
    pub fn need(&self) -> Need {
        match self.id {
            // They make what the others of their context need.
            Id::TabNew
            | Id::TabReopen
            | Id::ToggleShell
            | Id::AgentResume
            | Id::AgentRename
            | Id::AgentStop
            | Id::AgentRemove
            | Id::WorktreeRemove
            | Id::WorktreeKeep
            | Id::AgentGroup
            | Id::AgentBookmark
            | Id::FilesGo
            | Id::BranchesGo
            | Id::AgentWhy
            | Id::AgentLogin
            | Id::ClipboardAccess
            | Id::ConversationShow
            | Id::ConversationMove => Need::Agent,
            Id::PaneMaximise
            | Id::PaneClose
            | Id::PaneZoomIn
            | Id::PaneZoomOut
            | Id::PaneZoomReset
            | Id::PaneResize(_)
            | Id::PaneSwap(_)
            | Id::PaneMove(_)
            | Id::PaneTurn
            | Id::LayoutEven
            | Id::BroadcastPane
            | Id::BroadcastAll
            | Id::WorkspaceSave
            | Id::FocusNext
            | Id::FocusPrevious
            | Id::FocusLeft
            | Id::FocusRight
            | Id::FocusUp
            | Id::FocusDown => Need::Pane,
            Id::AttentionNext => Need::Waiting,
            Id::RunStop | Id::RunKill => Need::Run,
            Id::ClipboardAnswer => Need::Clipboard,
            // Copying is for both.
            Id::Copy => Need::Pane,
            _ => {
                let chain = self.context.chain();
                if chain.contains(&Context::Terminal) {
                    Need::Terminal
                } else if chain.contains(&Context::Conversation) {
                    Need::Conversation
                } else {
                    Need::Nothing
                }
            }
        }
    }

    /// Why it cannot be run here, if it cannot: a sentence without its full stop.
    #[must_use]
    pub fn unavailable(&self, place: Place) -> Option<&'static str> {
        let need = self.need();
        (!place.has(need)).then(|| need.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_what_is_missing() {
        let empty = Place::default();
        let agent = Place { agent: true, pane: true, ..empty };
        for (id, place, why) in [
            (Id::AgentNew, empty, None),
            (Id::Palette, empty, None),
            (Id::AgentStop, empty, Some("no agent is chosen")),
            (Id::AgentStop, agent, None),
            (Id::Clear, agent, Some("no terminal has the keyboard")),
            (Id::Clear, Place { terminal: true, ..agent }, None),
            (Id::TabClose, agent, Some("no conversation is shown")),
            (Id::TabNew, agent, None),
            (Id::AttentionNext, agent, Some("no agent needs you")),
            (Id::RunStop, agent, Some("no run is at work")),
            (Id::RunStop, Place::FULL, None),
        ] {
            assert_eq!(id.command().unavailable(place), why, "{id}");
        }
        assert!(super::super::ALL.iter().all(|c| c.unavailable(Place::FULL).is_none()));
    }
}
