//! What the host tells of agents and runs: in the corner, in the list of notices, and when it is read.

use iced::Task;
use iced::widget::scrollable;
use iced_runtime::widget::operation;
use maestro_core::command::Id;
use maestro_core::notice::{Ask, Kind, Notice, Which};
use maestro_core::settings::Settings;
use maestro_protocol::message::Command;

use super::{Connection, Message, Overlay, Shell};
use crate::window::notices::{self, Action, View};
use crate::window::toast::{self, Kind as Tone};

impl Shell {
    pub(super) fn open_notices(&mut self) -> Task<Message> {
        self.overlay = Some(Overlay::Notices(View::default()));
        Task::none()
    }

    pub(super) fn notices_command(&mut self, id: Id) -> Task<Message> {
        let Some(Overlay::Notices(view)) = &mut self.overlay else { return Task::none() };
        let action = view.command(id, &self.model.notices);
        self.notices_action(action)
    }

    pub(super) fn notices_message(&mut self, message: notices::Message) -> Task<Message> {
        let Some(Overlay::Notices(view)) = &mut self.overlay else { return Task::none() };
        let action = view.update(message, &self.model.notices);
        self.notices_action(action)
    }

    fn notices_action(&mut self, action: Action) -> Task<Message> {
        match action {
            Action::None => Task::none(),
            Action::Ask(ask) => self.ask(Command::Notices(ask)),
            Action::Reveal(place) => {
                // The marked row and one above it.
                let y = (place as f32 - 1.0).max(0.0) * notices::ROW;
                let to = scrollable::AbsoluteOffset { x: 0.0, y };
                operation::scroll_to(notices::LIST, to)
            }
            Action::Go(id, agent, run) => {
                self.overlay = None;
                let read = Ask::Mark { which: Which::One(id), read: true };
                let read = self.ask(Command::Notices(read));
                let shown = match agent.filter(|agent| self.model.agent(*agent).is_some()) {
                    Some(agent) => self.go_to_waiting(agent),
                    None if run.is_some() => self.command(Id::RunsHistory),
                    None => Task::none(),
                };
                Task::batch([read, shown])
            }
            Action::Close => {
                self.overlay = None;
                Task::none()
            }
        }
    }

    /// The host tells of something.
    pub(super) fn told(&mut self, notice: &Notice) -> Task<Message> {
        let loud = Settings::of(&self.values, notice.agent).notices.toasts;
        if !loud.tells(notice.kind) || self.sees(notice) {
            return Task::none();
        }
        let tone = match notice.kind {
            Kind::NeedsYou | Kind::RunWaits => Tone::Attention,
            Kind::Failed | Kind::RunFailed => Tone::Problem,
            Kind::Limited => Tone::Hint,
            Kind::Done | Kind::RunEnded => Tone::Note,
        };
        let (source, title) = (source(notice), Some(notice.title()));
        if !matches!(notice.kind, Kind::NeedsYou | Kind::RunWaits) {
            return self.toast(source, tone, title, notice.text.clone());
        }
        let chord = self.keymap.title(Id::AttentionNext).filter(|_| notice.agent.is_some());
        let action = toast::Action { words: "Go and answer", chord };
        let number = self.toasts.show(source, tone, title, notice.text.clone());
        self.toasts.offer(number, action);
        Task::none()
    }

    /// What was read needs no words in the corner any more.
    pub(super) fn notices_read(&mut self, ids: &[u64]) {
        let read = self.model.notices.all().iter().filter(|notice| ids.contains(&notice.id));
        for source in read.map(source).collect::<Vec<_>>() {
            let _ = self.toasts.end_source(source);
        }
    }

    /// Whether the user looks at what a notice is about.
    fn sees(&self, notice: &Notice) -> bool {
        let here = self.focused_agent().map(|(agent, _)| agent.id);
        self.window.focused && self.overlay.is_none() && here.is_some() && notice.agent == here
    }

    /// What is looked at is read; the host knows whether anybody looks.
    pub(super) fn settle_notices(&mut self) {
        if self.connection != Connection::Up {
            self.told_looking = None;
            return;
        }
        if self.told_looking != Some(self.window.focused) {
            self.told_looking = Some(self.window.focused);
            self.link.tell(Command::Notices(Ask::Look(self.window.focused)));
        }
        let seen = self.model.notices.all().iter().find(|one| !one.read && self.sees(one));
        if let Some(agent) = seen.and_then(|notice| notice.agent) {
            let which = Which::Agent(agent);
            let ids = self.model.notices.mark(which, true);
            self.notices_read(&ids);
            self.link.tell(Command::Notices(Ask::Mark { which, read: true }));
        }
    }
}

/// The place of a notice in the corner.
fn source(notice: &Notice) -> toast::Source {
    match (notice.agent, notice.run) {
        (_, Some(run)) => toast::Source::Run(run),
        (Some(agent), None) => toast::Source::Agent(agent),
        (None, None) => toast::Source::Host,
    }
}
