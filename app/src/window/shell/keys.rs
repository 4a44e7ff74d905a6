//! What a key means to the window, before any widget sees it.

use iced::keyboard;
use maestro_core::command::{Context, Id};
use maestro_core::input::{Action, Code, Key, Mods};
use maestro_core::keymap::Step;
use maestro_ui::keys::Press;

use super::{Connection, Message, Overlay, Shell};
use crate::window::chords;
use crate::window::find::Find;
use crate::window::settings;
use crate::window::talk;

impl Shell {
    pub(super) fn context(&self) -> Context {
        if let Some(Overlay::Palette(_)) = self.overlay {
            Context::Palette
        } else if let Some(Overlay::Sessions(_)) = self.overlay {
            Context::Sessions
        } else if let Some(Overlay::Settings(_)) = self.overlay {
            Context::Settings
        } else if let Some(Overlay::Notices(_)) = self.overlay {
            Context::Notices
        } else if let Some(Overlay::Chords(_)) = self.overlay {
            Context::Chords
        } else if let Some(Overlay::Mastery(_)) = self.overlay {
            Context::Mastery
        } else if let Some(Overlay::Queue(queue)) = &self.overlay {
            if queue.is_editing() { Context::Overlay } else { Context::Queue }
        } else if self.overlay.is_some() || self.filters_agents() {
            Context::Overlay
        } else if let Some(context) = self.review.context().filter(|_| self.marked.is_none()) {
            context
        } else if let Some(context) = self.autorun.context() {
            context
        } else if self.marked.is_some() {
            Context::Agents
        } else if self.hints.is_some() {
            Context::Hints
        } else if let Some(context) = self.talk_context() {
            context
        } else if self.is_finding() {
            Context::Search
        } else if self.in_vi() && self.connection != Connection::Stopped {
            Context::Vi
        } else if self.focused_terminal().is_some() && self.connection != Connection::Stopped {
            if self.hearing().is_empty() { Context::Terminal } else { Context::Broadcast }
        } else {
            Context::Main
        }
    }

    /// What a key means to the window, before any widget sees it. Of a command it is noted that a key
    /// fired it.
    pub(super) fn key(&self, event: &keyboard::Event) -> Press<Message> {
        let press = self.meaning(event);
        if let Press::Taken(Message::Command(id)) = &press {
            self.struck.set(Some(*id));
        }
        press
    }

    fn meaning(&self, event: &keyboard::Event) -> Press<Message> {
        let opening = self.find.as_ref().is_some_and(Find::is_opening) && self.is_finding();
        if self.reading || opening {
            return Press::Later;
        }
        let Some(key) = maestro_grid::translate(event) else { return Press::Left };
        if matches!(&self.overlay, Some(Overlay::Chords(page)) if page.is_recording()) {
            return match key.action {
                Action::Press => {
                    Press::Taken(Message::Chords(chords::Message::Pressed(Box::new(key))))
                }
                Action::Repeat | Action::Release => Press::Dropped,
            };
        }
        if matches!(&self.overlay, Some(Overlay::Settings(page)) if page.is_recording()) {
            return match key.action {
                Action::Press => {
                    Press::Taken(Message::Settings(settings::Message::Recorded(Box::new(key))))
                }
                Action::Repeat | Action::Release => Press::Dropped,
            };
        }
        if let Some(prefix) = &self.prefix {
            return self.followed(prefix, &key);
        }
        let context = self.context();
        let step = self.keymap.press(context, None, &key);
        if let Some(Step::Wait(first)) = step {
            return Press::Taken(Message::Prefix(first));
        }
        if let Some(Step::Run(id)) = step {
            // A letter that helps with one trouble means nothing on the card of another.
            if context == Context::Request && !self.card_offers(id) {
                return self.typed_over(&key);
            }
            return self.taken(context, id);
        }
        match context {
            Context::Hints => label(&key),
            // Here every key has a meaning or none: the program under it is not typed into.
            Context::Vi if key.action != Action::Release => Press::Dropped,
            Context::Request => self.typed_over(&key),
            Context::Conversation | Context::Composer => self.written(context, &key),
            _ => self.offered(&key).into(),
        }
    }

    /// What a command's chord does, where that is not always the command.
    fn taken(&self, context: Context, id: Id) -> Press<Message> {
        let composing = matches!(context, Context::Composer | Context::Popup);
        match id {
            // What is selected is copied: only without anything selected is it an interrupt.
            Id::TurnInterrupt if composing && self.has_selected() => Press::Left,
            Id::TurnInterrupt
                if self.entries_selected()
                    || (context == Context::Entries && !self.can_interrupt()) =>
            {
                Press::Taken(Message::Command(Id::EntryCopy))
            }
            id => Press::Taken(Message::Command(id)),
        }
    }

    /// What is typed while a card has the keyboard and no card knows is meant for the composer.
    fn typed_over(&self, key: &Key) -> Press<Message> {
        let bare = !key.mods.control && !key.mods.alt && !key.mods.logo;
        let text = key.text.chars().filter(|c| !c.is_control()).collect::<String>();
        if key.action == Action::Release || !bare || text.is_empty() {
            return Press::Left;
        }
        Press::Taken(Message::Talk(talk::Message::Typed(text)))
    }

    /// What Enter and the arrows do while something is written.
    fn written(&self, context: Context, key: &Key) -> Press<Message> {
        let pressed = key.action != Action::Release;
        let bare = key.mods == Mods::default();
        let command = match key.code {
            Code::Enter if pressed && bare && self.writes_answer() => Some(Id::RequestSubmit),
            Code::Escape if pressed && bare && self.writes_answer() => Some(Id::RequestLeave),
            Code::Enter if pressed && bare && self.focused_tab().is_none() => Some(Id::TabNew),
            Code::Enter if pressed && bare && self.settings.enter_sends => {
                Some(Id::ComposerSend).filter(|_| context == Context::Composer)
            }
            Code::Up if pressed && bare && self.composer_at_edge(true) => Some(Id::ComposerOlder),
            Code::Down if pressed && bare && self.composer_at_edge(false) => {
                Some(Id::ComposerNewer)
            }
            _ => None,
        };
        command.map_or(Press::Left, |id| Press::Taken(Message::Command(id)))
    }

    /// Whether what an input method makes of keys would land in a program that is not typed into.
    pub(super) fn is_deaf(&self) -> bool {
        matches!(self.context(), Context::Hints | Context::Vi)
    }

    /// What the one thing that a window or a pane offers makes of a key.
    fn offered(&self, key: &Key) -> Option<Message> {
        let plain =
            |code| key.code == code && key.mods == Mods::default() && key.action == Action::Press;
        if self.context() == Context::Main && self.kept.maximised && plain(Code::Escape) {
            return Some(Message::Command(Id::PaneMaximise));
        }
        // A window or a pane that offers one thing has its button under Enter.
        let enter = plain(Code::Enter);
        if !enter || self.context() != Context::Main {
            return None;
        }
        match self.connection {
            Connection::Stopped => Some(Message::HostWanted),
            _ if self.model.agents.is_empty() => Some(Message::Command(Id::AgentNew)),
            _ => self.focused_agent().map(|_| Message::Command(Id::AgentResume)),
        }
    }
}

/// What a key means while links have labels: a letter, or nothing.
fn label(key: &Key) -> Press<Message> {
    if key.action == Action::Release {
        return Press::Left;
    }
    let latin = |c: char| c.is_ascii_alphabetic();
    let letter = match key.code {
        Code::Char(c) if latin(c) => Some(c),
        _ => key.base.filter(|c| latin(*c)),
    };
    match letter {
        Some(letter) if !key.mods.control && !key.mods.logo => {
            Press::Taken(Message::HintTyped(letter, key.mods))
        }
        _ => Press::Dropped,
    }
}
