//! The tour: begun and ended by a command, taken a step further by the keys it teaches.

use iced::{Element, Task};
use maestro_core::command::Id;
use maestro_core::mastery::By;
use maestro_core::tour::{Fired, Tour};

use super::{Message, Shell};
use crate::window::toast::{self, Kind};
use crate::window::tour;

impl Shell {
    /// Begins the tour, or ends it.
    pub(super) fn toggle_tour(&mut self) {
        self.kept.tour = match self.kept.tour {
            None => Some(Tour::default()),
            Some(_) => None,
        };
    }

    /// Leaves a step out; without a tour, begins one.
    pub(super) fn skip_tour(&mut self) -> Task<Message> {
        let Some(tour) = &mut self.kept.tour else {
            self.toggle_tour();
            return Task::none();
        };
        let fired = tour.skip();
        self.toured(fired)
    }

    /// A command was fired in some way, which may be what the tour waits for.
    pub(super) fn tour_played(&mut self, id: Id, by: By) -> Task<Message> {
        let has_chord = !self.keymap.chords(id).is_empty();
        let fired = self.kept.tour.as_mut().map(|tour| tour.fired(id, by, has_chord));
        fired.map_or_else(Task::none, |fired| self.toured(fired))
    }

    fn toured(&mut self, fired: Fired) -> Task<Message> {
        if fired != Fired::Over {
            return Task::none();
        }
        self.kept.tour = None;
        let help = self.keymap.title(Id::HelpOpen).unwrap_or_else(|| "the palette".to_owned());
        let words = format!("Those were the ten. {help} has all the others.");
        let title = Some("The tour is over".to_owned());
        self.toast(toast::Source::Mastery, Kind::Note, title, words)
    }

    /// The tour's card. A dialog or a page over the window has the place to itself.
    pub(super) fn tour_card(&self) -> Option<Element<'_, Message>> {
        let tour = self.kept.tour.as_ref()?;
        if self.overlay.is_some() || self.autorun_has_overlay() {
            return None;
        }
        tour::card(tour, self.tokens, &self.keymap, self.place(), Message::Command)
    }
}
