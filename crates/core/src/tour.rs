//! The tour: ten keys that carry most of a day, learned by pressing them, one after the other.

use serde::{Deserialize, Serialize};

use crate::command::Id;
use crate::mastery::By;

/// One key of the tour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What its chord does.
    pub command: Id,
    /// What is to be done, in a few words.
    pub title: &'static str,
    /// What comes of it, and how to get back.
    pub words: &'static str,
}

/// The keys, in the order in which they are learned: from nothing to a second agent that works.
pub const STEPS: [Step; 10] = [
    Step {
        command: Id::AgentNew,
        title: "Bring in an agent",
        words: "A provider, a directory, a branch of its own. Esc leaves the dialog.",
    },
    Step {
        command: Id::Palette,
        title: "Find anything",
        words: "Every command and every agent by a few letters; each row shows its own keys.",
    },
    Step {
        command: Id::ToggleShell,
        title: "A shell beside it",
        words: "Every agent has a shell in its directory. The same keys go back.",
    },
    Step {
        command: Id::PaneMaximise,
        title: "One pane alone",
        words: "The same keys show all of them again.",
    },
    Step {
        command: Id::FocusAgents,
        title: "Go to the list",
        words: "Arrows choose, Enter goes there, / finds. Esc comes back.",
    },
    Step {
        command: Id::ChangesOpen,
        title: "See what it changed",
        words: "Read, stage, discard; comments on lines go to the agent as one message.",
    },
    Step {
        command: Id::FilesOpen,
        title: "Look at its files",
        words: "Found by letters, read in colours, written in place. Esc comes back.",
    },
    Step {
        command: Id::SessionsOpen,
        title: "Find an old conversation",
        words: "Everything that any of the programs ever stored, ready to be taken up again.",
    },
    Step {
        command: Id::RunsOpen,
        title: "Hand over a checklist",
        words: "Auto Run works through it, task by task, and ticks only what was proved.",
    },
    Step {
        command: Id::WorktreeNew,
        title: "Now for real: a second agent",
        words: "It works in a worktree of its own, beside the first. Give it something to do.",
    },
];

/// Where somebody is in the tour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tour {
    /// How many steps lie behind.
    at: usize,
    /// Whether the command of this step was fired, but not by its keys.
    aside: bool,
}

/// What a command means to the tour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fired {
    /// Nothing: it is not the one of this step.
    Nothing,
    /// It is the one, but it was not fired by its keys.
    Aside,
    /// The next step is there.
    Next,
    /// That was the last one.
    Over,
}

impl Tour {
    /// The step that is to be done; none when all were.
    #[must_use]
    pub fn step(&self) -> Option<&'static Step> {
        STEPS.get(self.at)
    }

    /// How many steps lie behind.
    #[must_use]
    pub fn behind(&self) -> usize {
        self.at
    }

    /// Whether the command of this step was fired by other ways than its keys.
    #[must_use]
    pub fn aside(&self) -> bool {
        self.aside
    }

    /// A command was fired in some way. One that `has_chord` counts only by its keys; another one has no
    /// other way.
    pub fn fired(&mut self, id: Id, by: By, has_chord: bool) -> Fired {
        if self.step().is_none_or(|step| step.command != id) {
            return Fired::Nothing;
        }
        if by != By::Keyboard && has_chord {
            self.aside = true;
            return Fired::Aside;
        }
        self.skip()
    }

    /// Leaves a step out.
    pub fn skip(&mut self) -> Fired {
        self.at = (self.at + 1).min(STEPS.len());
        self.aside = false;
        if self.at == STEPS.len() { Fired::Over } else { Fired::Next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keymap::{Keymap, Platform};

    #[test]
    fn every_step_has_keys_on_every_platform_and_no_two_are_the_same() {
        for platform in [Platform::Mac, Platform::Other] {
            let keymap = Keymap::new(platform);
            for (at, step) in STEPS.iter().enumerate() {
                assert!(!keymap.chords(step.command).is_empty(), "{}", step.title);
                assert!(STEPS[..at].iter().all(|other| other.command != step.command));
            }
        }
    }

    #[test]
    fn a_step_is_done_by_its_keys_alone() {
        let mut tour = Tour::default();
        assert_eq!(tour.fired(Id::Palette, By::Keyboard, true), Fired::Nothing);
        assert_eq!(tour.fired(Id::AgentNew, By::Mouse, true), Fired::Aside);
        assert!(tour.aside());
        assert_eq!(tour.fired(Id::AgentNew, By::Keyboard, true), Fired::Next);
        assert_eq!((tour.behind(), tour.aside()), (1, false));
        // Its user took the chord away: the palette is the way there is.
        assert_eq!(tour.fired(Id::Palette, By::Palette, false), Fired::Next);
    }

    #[test]
    fn it_ends_and_stays_ended() {
        let mut tour = Tour::default();
        for _ in 1..STEPS.len() {
            assert_eq!(tour.skip(), Fired::Next);
        }
        assert_eq!(tour.fired(Id::WorktreeNew, By::Keyboard, true), Fired::Over);
        assert_eq!(tour.step(), None);
        assert_eq!(tour.fired(Id::WorktreeNew, By::Keyboard, true), Fired::Nothing);
        assert_eq!(tour.skip(), Fired::Over);
    }

    #[test]
    fn what_was_kept_by_another_version_is_no_harm() {
        let tour: Tour = serde_json::from_str(r#"{"at":4000,"new":1}"#).expect("a tour");
        assert_eq!(tour.step(), None);
    }
}
