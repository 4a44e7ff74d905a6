//! The menus of the system, where it has some: what is chosen there is run as from the palette.

use std::sync::{Mutex, Once, PoisonError};

use iced::Subscription;
use iced::futures::stream;
use maestro_core::command::Id;
use maestro_core::command::menu as menus;
use maestro_platform::menu;
use tokio::sync::Notify;

use super::{Connection, Message, Shell};

/// What was chosen and not run yet.
static CHOSEN: Mutex<Vec<Id>> = Mutex::new(Vec::new());
static HEARD: Notify = Notify::const_new();

/// Hears what is chosen in the menus.
pub(super) fn chosen() -> Subscription<Message> {
    static ONCE: Once = Once::new();
    if !menu::IS_HERE {
        return Subscription::none();
    }
    Subscription::run(|| {
        ONCE.call_once(|| menu::on_choice(choose));
        stream::unfold((), async |()| {
            loop {
                let next = first();
                if let Some(id) = next {
                    break Some((Message::Command(id), ()));
                }
                HEARD.notified().await;
            }
        })
    })
}

/// A command was chosen. The system's own items have other names.
fn choose(name: &str) {
    if let Ok(id) = name.parse() {
        CHOSEN.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        HEARD.notify_one();
    }
}

fn first() -> Option<Id> {
    let mut chosen = CHOSEN.lock().unwrap_or_else(PoisonError::into_inner);
    (!chosen.is_empty()).then(|| chosen.remove(0))
}

impl Shell {
    /// The menus say what can be run now, and by which chords. The toolkit makes menus of its own when the
    /// window opens: ours come after them.
    pub(super) fn settle_menus(&mut self) {
        if menu::IS_HERE && self.views.get() > 0 && self.connection == Connection::Up {
            self.menus.show(menus::menus(self.place(), &self.keymap));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_run_once_and_in_its_order() {
        for name in ["agent.new", "about", "palette", "agent.new"] {
            choose(name);
        }
        let run: Vec<Id> = std::iter::from_fn(first).collect();
        assert_eq!(run.len(), 3, "{run:?}");
        assert_eq!((run[0], run[2]), (Id::AgentNew, Id::AgentNew));
        assert_eq!(run[1], Id::Palette);
    }
}
