//! The window comes when it is called, and goes.

use std::sync::Once;
use std::time::{Duration, Instant};

use iced::futures::stream;
use iced::{Subscription, Task, window};
use maestro_core::agent::State;
use maestro_core::keymap::{Chord, Keys, Platform};
use maestro_core::summon::Summon;
use maestro_platform::hotkey;
use tokio::sync::Notify;

use super::{Connection, Message, Overlay, Shell};
use crate::window::toast::{self, Kind};

/// How soon after the window lost the keyboard a chord is heard that took it: X11 is asked every 50 ms.
const GRAB: Duration = Duration::from_millis(200);

/// The chord that is heard everywhere was pressed.
static PRESSED: Notify = Notify::const_new();

/// Hears the chord that is heard everywhere.
pub(super) fn called() -> Subscription<Message> {
    static HEARD: Once = Once::new();
    Subscription::run(|| {
        HEARD.call_once(|| hotkey::on_press(|| PRESSED.notify_one()));
        stream::unfold((), async |()| {
            PRESSED.notified().await;
            Some((Message::Called, ()))
        })
    })
}

/// The chord that summons the window.
#[derive(Debug, Default)]
pub(super) struct Call {
    hotkey: hotkey::Hotkey,
    /// The one that was asked for last.
    wanted: Option<Chord>,
    /// When the window lost the keyboard.
    left: Option<Instant>,
}

impl Call {
    /// The window has the keyboard, or not any more.
    pub(super) fn looked(&mut self, had: bool, has: bool) {
        if had && !has {
            self.left = Some(Instant::now());
        }
    }

    /// Whether the chord itself took the keyboard from the window: X11 does that while it is held.
    fn took_it(&self) -> bool {
        self.left.is_some_and(|left| left.elapsed() < GRAB)
    }
}

impl Shell {
    /// What the window shows as soon as it knows the world.
    #[must_use]
    pub fn showing(self, first: Option<Summon>) -> Self {
        Self { show_first: first, ..self }
    }

    /// The chord that is set is heard, and no other one; while one is recorded, none is.
    pub(super) fn settle_hotkey(&mut self) -> Task<Message> {
        let recording =
            matches!(&self.overlay, Some(Overlay::Settings(page)) if page.is_recording());
        let wanted = self.settings.hotkey.filter(|_| !recording);
        // A made-up window takes nobody's keys.
        if wanted == self.call.wanted
            || self.settings_path.is_none()
            || self.connection != Connection::Up
        {
            return Task::none();
        }
        self.call.wanted = wanted;
        if let Err(error) = self.call.hotkey.set(wanted) {
            let title = Some("The window cannot be summoned".to_owned());
            return self.toast(toast::Source::Summon, Kind::Attention, title, error.to_string());
        }
        let _ = self.toasts.end_source(toast::Source::Summon);
        let Some(chord) = wanted else { return Task::none() };
        let keys = Keys { first: chord, then: None };
        let mut own = maestro_core::command::ALL.iter().filter(|command| {
            self.keymap
                .chords(command.id)
                .iter()
                .any(|own| own.pressed(Platform::HERE) == keys.pressed(Platform::HERE))
        });
        let Some(own) = own.next() else { return Task::none() };
        let words = format!(
            "{} was “{}” in the window. It summons the window now; that command can have another chord.",
            chord.title(Platform::HERE),
            own.title.trim_end_matches('…')
        );
        self.toast(toast::Source::Summon, Kind::Hint, None, words)
    }

    /// The chord that is heard everywhere was pressed.
    pub(super) fn was_called(&mut self) -> Task<Message> {
        let is_here = (self.window.focused || self.call.took_it()) && self.hidden.is_none();
        let to = if self.settings.summons_waiting { Summon::Waiting } else { Summon::Show(None) };
        self.summoned(if is_here { Summon::Hide } else { to })
    }

    pub(super) fn summoned(&mut self, summon: Summon) -> Task<Message> {
        match summon {
            Summon::Hide => self.hide(),
            Summon::Toggle if self.window.focused && self.hidden.is_none() => self.hide(),
            Summon::Toggle | Summon::Show(None) => self.come(),
            Summon::Show(Some(agent)) => {
                let known = self.model.agent(agent).is_some();
                let shown = if known { self.summon_to(agent) } else { Task::none() };
                Task::batch([self.come(), shown])
            }
            Summon::Waiting => {
                let waits = |state| state == State::NeedsYou;
                let waiting = self.model.agents.iter().filter(|one| waits(one.attention.state));
                let longest = waiting.min_by_key(|agent| agent.attention.since_ms);
                let longest = longest.map(|agent| agent.id);
                let shown = longest.map_or_else(Task::none, |agent| self.summon_to(agent));
                Task::batch([self.come(), shown])
            }
        }
    }

    /// Whatever lies over the window goes: the agent is what was asked for.
    fn summon_to(&mut self, agent: maestro_core::AgentId) -> Task<Message> {
        self.overlay = None;
        self.go_to_waiting(agent)
    }

    fn hide(&mut self) -> Task<Message> {
        let _ = self.hidden.get_or_insert(self.kept.fills());
        window::latest().and_then(|id| window::set_mode(id, window::Mode::Hidden))
    }

    fn come(&mut self) -> Task<Message> {
        let hidden = self.hidden.take();
        window::latest().and_then(move |id| {
            let shown = match hidden {
                // Some window managers forget that it filled the screen.
                Some(filled) => {
                    window::set_mode(id, window::Mode::Windowed).chain(window::maximize(id, filled))
                }
                None => window::minimize(id, false),
            };
            shown.chain(window::gain_focus(id))
        })
    }
}
