//! The window comes when it is called, and goes.

use iced::{Task, window};
use maestro_core::agent::State;
use maestro_core::summon::Summon;

use super::{Message, Shell};

impl Shell {
    /// What the window shows as soon as it knows the world.
    #[must_use]
    pub fn showing(self, first: Option<Summon>) -> Self {
        Self { show_first: first, ..self }
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
