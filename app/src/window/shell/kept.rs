//! What the window remembers beyond its end; the host keeps it.

use std::collections::BTreeSet;
use std::time::Duration;

use iced::{Size, Task, window};
use maestro_core::layout::{Kind, Tree};
use maestro_core::recent::Recent;
use maestro_core::tour::Tour;
use maestro_core::{AgentId, TabId, TerminalId};
use maestro_protocol::message::Command;
use maestro_ui::theme::{self, extent};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Connection, Message, Shell};
use crate::window::panes::Pane;

/// The key under which the host keeps what the window remembers.
const PREFERENCE: &str = "window";

/// What changes is kept once it has rested for so long: the edge of a panel or of the window moves a
/// hundred times before it is where it should be.
const REST: Duration = Duration::from_millis(400);

/// Closing the window waits for its last words to be kept, but not longer than this.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// A screen on which a new window has room for its frame and for what the desktop shows beside it.
const ROOMY: Size = Size::new(1500.0, 980.0);

/// What the window remembers beyond its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub(super) theme: String,
    pub(super) zoom: f32,
    /// Panes whose text has a size of its own.
    pub(super) zooms: Vec<(Pane, f32)>,
    /// Hosts whose pages are opened without a question.
    pub(super) hosts: BTreeSet<String>,
    pub(super) arrangement: String,
    /// The panes as they were split by hand.
    pub(super) tree: Option<Tree<Pane>>,
    /// The workspace that was shown last.
    pub(super) workspace: Option<String>,
    pub(super) maximised: bool,
    pub(super) focused: Option<Pane>,
    /// Agents whose pane shows the shell.
    pub(super) shells: BTreeSet<AgentId>,
    /// Agents whose pane shows a conversation, while it shows no shell.
    pub(super) conversing: BTreeSet<AgentId>,
    /// Which of its tabs an agent shows.
    pub(super) tabs: Vec<(AgentId, TabId)>,
    pub(super) closed: BTreeSet<Pane>,
    /// Terminals without an agent that were opened here.
    pub(super) terminals: Vec<TerminalId>,
    pub(super) agents_shown: bool,
    /// Whether agents are listed as shapes alone.
    pub(super) agents_rail: bool,
    /// Groups of which only the label is shown.
    pub(super) folded: BTreeSet<String>,
    pub(super) runs_shown: bool,
    /// Widths of the side panels.
    pub(super) agents_width: f32,
    pub(super) runs_width: f32,
    /// Width and height of the window while it does not fill the screen.
    size: Option<(f32, f32)>,
    /// Whether it fills the screen.
    filled: bool,
    /// What was chosen in the palette, how often and how lately.
    pub(super) recent: Recent,
    /// Whether it was said that closing the window ends nothing.
    pub(super) told_closing: bool,
    /// The tour, while it is taken.
    pub(super) tour: Option<Tour>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            theme: theme::NOCTURNE.name.to_owned(),
            zoom: 1.0,
            zooms: Vec::new(),
            hosts: BTreeSet::new(),
            arrangement: Kind::default().to_string(),
            tree: None,
            workspace: None,
            maximised: false,
            focused: None,
            shells: BTreeSet::new(),
            conversing: BTreeSet::new(),
            tabs: Vec::new(),
            closed: BTreeSet::new(),
            terminals: Vec::new(),
            agents_shown: true,
            agents_rail: false,
            folded: BTreeSet::new(),
            runs_shown: true,
            agents_width: extent::LEFT_PANEL,
            runs_width: extent::RIGHT_PANEL,
            size: None,
            filled: false,
            recent: Recent::default(),
            told_closing: false,
            tour: None,
        }
    }
}

impl Kept {
    /// What was remembered. Of what another version remembered in other words, each part that cannot be read
    /// has its default, and costs no other part.
    fn read(text: &str) -> Self {
        if let Ok(kept) = serde_json::from_str(text) {
            return kept;
        }
        let parts = serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
        let mut kept = Self::default();
        let mut whole = Map::new();
        for (name, part) in parts {
            let _ = whole.insert(name.clone(), part);
            match Self::deserialize(Value::Object(whole.clone())) {
                Ok(more) => kept = more,
                Err(error) => {
                    tracing::warn!(name, %error, "a part of what the window remembered is not known");
                    let _ = whole.remove(&name);
                }
            }
        }
        kept
    }

    /// Takes note of the window's size.
    pub(super) fn measured(&mut self, size: Size, filled: bool) {
        self.filled = filled;
        if !filled {
            self.size = Some((size.width, size.height));
        }
    }

    /// Whether the window fills the screen.
    pub(super) fn fills(&self) -> bool {
        self.filled
    }

    /// Gives the window the size it had. One that is new fills a screen that has no room around it.
    fn resize(&self) -> Task<Message> {
        let (size, filled) = (self.size, self.filled);
        if size.is_none() && !filled {
            return window::latest().and_then(|id| {
                window::monitor_size(id).and_then(move |screen| {
                    let small = screen.width < ROOMY.width || screen.height < ROOMY.height;
                    window::maximize(id, small)
                })
            });
        }
        window::latest().and_then(move |id| {
            let resized = size.map(|(width, height)| {
                let least = crate::window::LEAST;
                window::resize(id, Size::new(width.max(least.width), height.max(least.height)))
            });
            let filled = filled.then(|| window::maximize(id, true));
            Task::batch(resized.into_iter().chain(filled))
        })
    }
}

impl Shell {
    /// Sees to it that what is remembered reaches the host.
    pub(super) fn settle_kept(&mut self) -> Task<Message> {
        if self.saving || self.unsaved().is_none() {
            return Task::none();
        }
        self.saving = true;
        Task::perform(async { tokio::time::sleep(REST).await }, |()| Message::SaveDue)
    }

    /// What the host does not have yet. While it is not there, nothing: what it has is not known.
    fn unsaved(&self) -> Option<String> {
        let text = serde_json::to_string(&self.kept).ok()?;
        let known = self.connection == Connection::Up && self.saved.as_ref() != Some(&text);
        known.then_some(text)
    }

    pub(super) fn save(&mut self) {
        if let Some(text) = self.unsaved() {
            self.link.tell(remember(&text));
            self.saved = Some(text);
        }
    }

    /// Closes the window; what it was about to remember goes to the host first.
    pub(super) fn leave(&mut self) -> Task<Message> {
        let drafts =
            Task::batch([self.leave_autorun(), self.leave_files(), self.keep_all_drafts()]);
        if self.connection == Connection::Up
            && let Some(command) = self.mastery_to_keep()
        {
            self.link.tell(command);
        }
        let Some(text) = self.unsaved() else { return drafts.discard().chain(iced::exit()) };
        let kept = self.link.request(remember(&text));
        self.saved = Some(text);
        let bounded = async move {
            // A host that does not answer must not keep the window open.
            let _ = tokio::time::timeout(LAST_WORDS, kept).await;
        };
        Task::batch([drafts.discard(), Task::future(bounded).discard()]).chain(iced::exit())
    }

    pub(super) fn restore(&mut self, text: &str) -> Task<Message> {
        self.kept = Kept::read(text);
        self.saved = Some(text.to_owned());
        self.tokens = self.wished_theme().unwrap_or(&theme::NOCTURNE);
        self.zoom(self.kept.zoom);
        self.kept.resize()
    }

    /// What was remembered, if this is what is remembered under the window's name.
    pub(super) fn kept_in(preferences: &[(String, String)]) -> &str {
        let kept = preferences.iter().find(|(key, _)| key == PREFERENCE);
        kept.map(|(_, text)| text.as_str()).unwrap_or_default()
    }
}

/// The theme that was chosen in the window.
pub fn theme_in(preferences: &[(String, String)]) -> String {
    Kept::read(Shell::kept_in(preferences)).theme
}

fn remember(text: &str) -> Command {
    Command::SetPreference { key: PREFERENCE.to_owned(), value: Some(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_not_known_costs_no_other_part() {
        let kept = Kept { zoom: 1.5, hosts: ["docs.rs".to_owned()].into(), ..Kept::default() };
        let mut text: Map<String, Value> =
            serde_json::to_value(&kept).ok().and_then(|it| it.as_object().cloned()).expect("a map");
        assert_eq!(Kept::read(&Value::Object(text.clone()).to_string()), kept);
        let _ = text.insert("focused".to_owned(), serde_json::json!({ "Hologram": 7 }));
        let _ = text.insert("agents_width".to_owned(), serde_json::json!("wide"));
        let _ = text.insert("layouts".to_owned(), serde_json::json!([1]));
        assert_eq!(Kept::read(&Value::Object(text).to_string()), kept);
        for broken in ["", "[]", "{\"zoom\":"] {
            assert_eq!(Kept::read(broken), Kept::default(), "{broken}");
        }
    }
}
