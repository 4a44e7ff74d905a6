//! Messages in the corner: one at a time per source, gone after a few seconds.

use iced::widget::{column, row};
use iced::{Alignment, Element};
use maestro_core::{AgentId, ItemId, RunId, SnapshotId};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part};

/// More than these at once are a wall.
const MOST: usize = 4;

/// Longest text shown, in characters.
const LONGEST: usize = 280;

/// Where a message comes from. A new one takes the place of the last from the same source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An agent.
    Agent(AgentId),
    /// A run.
    Run(RunId),
    /// The connection to the host.
    Host,
    /// What the user just did.
    Window,
    /// The settings file.
    Settings,
    /// The keymap file.
    Keymap,
    /// The files of themes.
    Themes,
    /// The chord that summons the window.
    Summon,
    /// The chord of the quick prompt.
    QuickPrompt,
    /// What is counted of the user's keys.
    Mastery,
    /// What a program did with the clipboard.
    Clipboard,
    /// The graphics device.
    Graphics,
    /// Something that was taken out of a queue, and can be put back.
    Queue(ItemId),
    /// A worktree that went into the trash, or what was there before something was put back.
    Trash(Option<SnapshotId>),
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something went wrong.
    Problem,
    /// Somebody wants attention.
    Attention,
    /// What was asked for is done.
    Note,
    /// There was nothing to do, and why.
    Hint,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// Tells it from later ones of the same source.
    pub number: u64,
    source: Source,
    kind: Kind,
    title: Option<String>,
    text: String,
    action: Option<Action>,
}

/// What pressing a message does, and the chord that does it, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it does.
    pub words: &'static str,
    /// The chord.
    pub chord: Option<String>,
}

impl Toast {
    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }
}

/// The messages shown.
#[derive(Debug, Clone, Default)]
pub struct Toasts {
    shown: Vec<Toast>,
    next: u64,
}

impl Toasts {
    /// Shows a message; returns the number by which it is to be ended.
    pub fn show(
        &mut self,
        source: Source,
        kind: Kind,
        title: Option<String>,
        text: impl Into<String>,
    ) -> u64 {
        self.shown.retain(|toast| toast.source != source);
        self.shown.truncate(MOST - 1);
        self.next += 1;
        let text: String = text.into();
        let text = if text.chars().count() > LONGEST {
            text.chars().take(LONGEST).chain(['…']).collect()
        } else {
            text
        };
        self.shown.insert(0, Toast { number: self.next, source, kind, title, text, action: None });
        self.next
    }

    /// Says what pressing a message does.
    pub fn offer(&mut self, number: u64, action: Action) {
        if let Some(toast) = self.shown.iter_mut().find(|toast| toast.number == number) {
            toast.action = Some(action);
        }
    }

    /// Ends a message.
    pub fn end(&mut self, number: u64) -> Option<Toast> {
        let at = self.shown.iter().position(|toast| toast.number == number)?;
        Some(self.shown.remove(at))
    }

    /// Ends the message of a source.
    pub fn end_source(&mut self, source: Source) -> Option<Toast> {
        let at = self.shown.iter().position(|toast| toast.source == source)?;
        Some(self.shown.remove(at))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The messages, the latest at the bottom. Pressing one yields `on_press` of its number.
    pub fn view<'a, Message: Clone + 'a>(
        &self,
        tokens: &'static Tokens,
        on_press: impl Fn(u64) -> Message,
    ) -> Element<'a, Message> {
        let cards = self.shown.iter().rev().map(|toast| {
            let (shape, color) = match toast.kind {
                Kind::Problem => (Icon::Warning, tokens.red),
                Kind::Attention => (Icon::Diamond, tokens.accent),
                Kind::Note => (Icon::Check, tokens.green),
                Kind::Hint => (Icon::Dot, tokens.dim),
            };
            let glyph = icon(shape, extent::GLYPH, color);
            let (title, text) = (toast.title.clone(), toast.text.clone());
            let action = toast.action.as_ref().map(|action| {
                let words = line(action.words, type_scale::SMALL, font::MEDIUM, tokens.accent);
                let chord = action.chord.as_ref().map(|chord| part::chord(tokens, chord));
                let action = row![words].push(chord).spacing(space::S);
                action.align_y(Alignment::Center).padding([space::XS, 0.0]).into()
            });
            part::toast(tokens, glyph, title, text, action, on_press(toast.number))
        });
        column(cards).spacing(space::S).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_one_message_at_a_time() {
        let mut toasts = Toasts::default();
        let first = toasts.show(Source::Host, Kind::Problem, None, "lost");
        let second = toasts.show(Source::Host, Kind::Note, None, "back");
        assert_eq!(toasts.shown.len(), 1);
        assert_eq!(toasts.end(first), None);
        assert!(toasts.end(second).is_some());
        assert!(toasts.is_empty());
    }

    #[test]
    fn there_is_never_a_wall_of_them() {
        let mut toasts = Toasts::default();
        for id in 0..20 {
            let _ = toasts.show(Source::Agent(AgentId(id)), Kind::Note, None, "x".repeat(1000));
        }
        assert_eq!(toasts.shown.len(), MOST);
        assert!(toasts.shown[0].text.chars().count() <= LONGEST + 1);
    }
}
