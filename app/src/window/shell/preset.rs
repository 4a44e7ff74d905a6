//! Windows for pictures and tests: made-up ones, and questions about a real one.

use std::collections::HashMap;
use std::path::Path;

use iced::{Rectangle, Size};
use maestro_core::AgentId;
use maestro_core::command::Id;
use maestro_grid::Clock;
use maestro_protocol::message::World;
use maestro_ui::theme::Tokens;

use super::{Connection, Frame, Message, Shell};
use crate::window::link::Link;
#[cfg(test)]
use crate::window::link::News;
use crate::window::model::Notice;
use crate::window::new_agent;
use crate::window::palette;
use crate::window::panes::{self, Pane};
use crate::window::scene;

impl Shell {
    /// The widget that has the keyboard.
    #[must_use]
    pub fn keyboard(&self) -> &str {
        &self.keyboard
    }

    /// Why there is no host, if there is none.
    #[must_use]
    pub fn unreachable(&self) -> Option<&str> {
        match &self.connection {
            Connection::Unreachable(why) | Connection::Lost(why) => Some(why),
            _ => None,
        }
    }

    /// Whether everything that would be seen has arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.connection == Connection::Up
            && self.subscribed.keys().all(|terminal| !self.link.surface(*terminal).is_empty())
    }

    /// How wide the side panels are, while they are shown.
    #[cfg(test)]
    pub fn panels(&self) -> (Option<f32>, Option<f32>) {
        (self.agents_width(), self.runs_width())
    }

    #[cfg(test)]
    pub fn lose_host_for_tests(&mut self) {
        let _ = self.heard(News::Stopped);
        let _ = self.settle();
    }

    /// A made-up window, without a host.
    #[must_use]
    pub fn scene(name: &str, size: Size, scale: f32, tokens: &'static Tokens) -> Option<Self> {
        let clock = Clock::new();
        let world = match name {
            "empty" => World {
                seq: 0,
                agents: Vec::new(),
                terminals: Vec::new(),
                runs: Vec::new(),
                preferences: Vec::new(),
            },
            "grid-many" => scene::crowded(),
            "resume" => scene::after_a_crash(),
            name if scene::NAMES.contains(&name) => scene::world(),
            _ => return None,
        };
        let mut shell = Self::new(Link::detached(&clock), clock, scene::NOW_MS);
        shell.window = Frame { size, scale, focused: false };
        shell.providers = scene::providers();
        let _ = shell.connected(world, name == "resume");
        shell.set_theme(tokens);
        if name != "grid-many" {
            shell.kept.closed = [4, 6, 7, 8].map(|id| Pane::Agent(AgentId(id))).into();
        }
        if !matches!(name, "grid-many" | "resume") {
            let _ = shell.kept.shells.insert(AgentId(5));
        }
        shell.settle_focus();
        match name {
            "palette" => {
                let _ = shell.command(Id::Palette);
                let _ = shell.palette_message(palette::Message::Queried("pa".to_owned()));
            }
            "new-agent" => {
                let _ = shell.command(Id::AgentNew);
                let path = Path::new("/home/ada/shop");
                let _ = shell.handle(Message::Inspected(path.to_owned(), Ok(scene::repository())));
                let edit =
                    new_agent::Message::Edited(new_agent::Field::Branch, "feat/search".to_owned());
                let _ = shell.handle(Message::NewAgent(edit));
            }
            "rename" => {
                let _ = shell.command(Id::AgentRename);
            }
            "single" => shell.kept.maximised = true,
            "toasts" => {
                let problem =
                    "the branch feat/preferences is checked out in /home/ada/shop: choose another";
                let _ = shell.problem(problem.to_owned());
                let _ = shell.notice(Notice::Notification {
                    agent: Some(AgentId(6)),
                    title: "Claude Code".to_owned(),
                    body: "asks which currency comes first".to_owned(),
                });
            }
            _ => {}
        }
        let _ = shell.settle();
        shell.fill();
        Some(shell)
    }

    /// Puts something into every made-up terminal, in the size its pane has.
    fn fill(&self) {
        let panes = self.visible_panes();
        let places = if self.kept.maximised {
            vec![self.grid_size()]
        } else {
            self.places(panes.len()).iter().map(Rectangle::size).collect()
        };
        let sizes: HashMap<_, _> = panes.into_iter().zip(places).collect();
        for info in self.model.terminals.values() {
            let shown = sizes.iter().find(|((pane, side), _)| {
                panes::terminal_of(&self.model, *pane, *side) == Some(info.id)
            });
            let size = shown.map_or(info.size, |(_, place)| self.cells(*place));
            let _ = self.link.surface(info.id).apply(scene::frame(info.id, size));
        }
    }
}
