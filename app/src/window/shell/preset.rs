//! Windows for pictures and tests: made-up ones, and questions about a real one.

mod review;
mod runs;
mod talk;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use iced::Size;
use maestro_core::command::Id;
use maestro_core::input::SelectBy;
use maestro_core::layout::{self, Direction, Rect};
use maestro_core::screen::Scroll;
use maestro_core::search::{Query, Search};
use maestro_core::{AgentId, TerminalId};
use maestro_grid::{AtlasCounts, Clock, Counts};
use maestro_protocol::message::World;
use maestro_ui::theme::Tokens;

use super::{Connection, Frame, Message, Overlay, Shell};
use crate::window::ask::Ask;
use crate::window::debug::{Debug, Sample};
use crate::window::find::Find;
use crate::window::hints::Hints;
use crate::window::link::Link;
#[cfg(test)]
use crate::window::link::News;
use crate::window::model::Notice;
use crate::window::new_agent;
use crate::window::palette;
use crate::window::panes::{self, Pane};
use crate::window::scene;
use crate::window::target::Target;

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

    /// The connection, which remembers in tests what went through it.
    #[cfg(test)]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// A terminal's screen changes in some way.
    #[cfg(test)]
    pub fn reframe(
        &self,
        terminal: TerminalId,
        change: impl FnOnce(&mut maestro_core::screen::Frame),
    ) {
        let size = self.link.surface(terminal).size();
        let mut frame = scene::frame(terminal, size);
        change(&mut frame);
        let _ = self.link.surface(terminal).apply(frame);
    }

    /// The host says something.
    #[cfg(test)]
    pub fn hear(&mut self, event: maestro_protocol::message::Event) {
        let seq = self.model.next_seq();
        let _ = self.heard(News::Event { seq, event });
        let _ = self.settle();
    }

    #[cfg(test)]
    pub fn rings(&self, terminal: TerminalId) -> bool {
        self.bells.contains(&terminal)
    }

    /// Sizes of type of the panes in sight.
    #[cfg(test)]
    pub fn type_sizes(&self) -> Vec<f32> {
        let look = |pane| self.looks.get(&pane).unwrap_or(&self.look);
        self.visible_panes().into_iter().map(|(pane, _)| look(pane).size).collect()
    }

    #[cfg(test)]
    pub fn plan_for_tests(&self) -> layout::Plan<Pane> {
        self.plan()
    }

    #[cfg(test)]
    pub fn focused_terminal_for_tests(&self) -> Option<TerminalId> {
        self.focused_terminal()
    }

    #[cfg(test)]
    pub fn layout_for_tests(&self) -> String {
        self.kind().to_string()
    }

    #[cfg(test)]
    pub fn minimum_contrast(&self) -> f32 {
        self.look.minimum_contrast
    }

    #[cfg(test)]
    pub fn context_for_tests(&self) -> maestro_core::command::Context {
        self.context()
    }

    /// The connection is there again, with the same world.
    #[cfg(test)]
    pub fn find_host_for_tests(&mut self) {
        let mut world = scene::world();
        (world.tabs, world.queues) = (scene::tabs(), scene::queues());
        let _ = self.heard(News::Connected { world: Box::new(world), again: true });
        let _ = self.settle();
    }

    #[cfg(test)]
    pub fn hear_news(&mut self, news: News) {
        let _ = self.heard(news);
        let _ = self.settle();
    }

    /// The numbers of a tab's first entry and of the next one.
    #[cfg(test)]
    pub fn transcript_for_tests(&self, tab: maestro_core::TabId) -> Option<(u64, u64)> {
        let transcript = &self.talks.open.get(&tab)?.transcript;
        Some((transcript.first()?, transcript.next()?))
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
            "empty" => World::default(),
            "grid-many" => scene::crowded(),
            "resume" => scene::after_a_crash(),
            name if scene::TALKS.contains(&name) => talk::world(name),
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
            "palette-files" | "palette-branches" | "palette-sessions" => {
                shell.prepare_palette(name);
            }
            "new-agent" | "new-agent-base" => {
                let _ = shell.command(Id::AgentNew);
                let path = Path::new("/home/ada/shop");
                let _ = shell.handle(Message::Inspected(path.to_owned(), Ok(scene::repository())));
                let edit =
                    new_agent::Message::Edited(new_agent::Field::Branch, "feat/search".to_owned());
                let _ = shell.handle(Message::NewAgent(edit));
                if name == "new-agent-base" {
                    let pressed = new_agent::Message::Pressed(new_agent::Field::Base);
                    let _ = shell.handle(Message::NewAgent(pressed));
                    let found = Message::Bases(path.to_owned(), String::new(), scene::bases());
                    let _ = shell.handle(found);
                    let _ = shell.command(Id::OverlayDown);
                    let _ = shell.command(Id::OverlayDown);
                }
            }
            "rename" => {
                let _ = shell.command(Id::AgentRename);
            }
            "tour" => {
                let _ = shell.command(Id::TourToggle);
                let _ = shell.command(Id::TourSkip);
                let _ = shell.command(Id::TourSkip);
            }
            "single" => shell.kept.maximised = true,
            "collisions" => {
                let met = scene::collisions().map(|met| (met.agent, met.with));
                for (agent, with) in &met {
                    let _ = shell.model.collisions.insert(*agent, with.clone());
                }
                let (agent, with) = &met[0];
                let _ = shell.notice(Notice::Collides { agent: *agent, with: with[0].clone() });
            }
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
        shell.prepare(name);
        shell.prepare_talk(name);
        shell.prepare_runs(name);
        shell.prepare_review(name);
        let _ = shell.settle();
        shell.fill(name);
        shell.finish(name);
        let _ = shell.settle();
        Some(shell)
    }

    /// A made-up window with so many agents, without a host.
    #[must_use]
    pub fn fleet(count: u64, size: Size, tokens: &'static Tokens) -> Self {
        Self::of(scene::fleet(count), size, tokens)
    }

    /// A window over a made-up world, without a host.
    #[must_use]
    pub fn of(world: World, size: Size, tokens: &'static Tokens) -> Self {
        let clock = Clock::new();
        let mut shell = Self::new(Link::detached(&clock), clock, scene::NOW_MS);
        shell.window = Frame { size, scale: 1.0, focused: true };
        shell.providers = scene::providers();
        let _ = shell.connected(world, false);
        shell.set_theme(tokens);
        shell.settle_focus();
        let _ = shell.settle();
        shell.fill("grid");
        let _ = shell.settle();
        shell
    }

    /// What scenes show of single terminals.
    fn prepare(&mut self, name: &str) {
        let (api, web, db) = (TerminalId(1), TerminalId(2), TerminalId(3));
        match name {
            "search" => {
                let query = Query { text: scene::NEEDLE.to_owned(), ..Query::default() };
                let mut find = Find::new(api, &query, Scroll::default());
                let _ = find.ask();
                // Nothing was selected.
                let _ = find.prefill("");
                find.heard(Some(Search {
                    query,
                    matches: 4,
                    current: Some(4),
                    done: true,
                    error: None,
                }));
                self.find = Some(find);
            }
            "strip" => self.arrange(layout::Kind::Strip),
            "tiles" => self.prepare_tiles(),
            "workspaces" => {
                let _ = self.save_workspace("Everything at once");
                self.arrange(layout::Kind::Main);
                self.kept.closed.extend([2, 3].map(|id| Pane::Agent(AgentId(id))));
                let _ = self.save_workspace("Review");
                let _ = self.go_to_workspace("Everything at once");
                self.settle_focus();
                let _ = self.command(Id::WorkspacesGo);
            }
            "broadcast" => {
                for id in [Id::BroadcastPane, Id::FocusRight, Id::BroadcastPane] {
                    let _ = self.command(id);
                }
            }
            "vi" => self.vi.select(SelectBy::Cell),
            "output" => {
                self.bells = [web, db].into();
                let _ = self.wanted.insert(db, "select * from orders where total < 0".to_owned());
            }
            "paste" => {
                let text = "cd services/api\ncargo build --release\nrm -rf target/old \\\n  && \
                            ./deploy.sh --all\necho done\n";
                let _ = self.kept.shells.insert(AgentId(1));
                let ask = Ask::paste(TerminalId(101), "api · shell", text.to_owned());
                self.overlay = Some(Overlay::Ask(ask));
            }
            "link" => {
                let target = Target::Web {
                    url: "https://doc.rust-lang.org/error_codes/E0425.html".to_owned(),
                    host: "doc.rust-lang.org".to_owned(),
                };
                self.overlay = Some(Overlay::Ask(Ask::link(&target, None)));
            }
            "clipboard" => {
                let words =
                    "ALTER TABLE orders\n  ADD COLUMN currency text NOT NULL DEFAULT 'EUR';";
                let ask = Ask::clipboard(db, "db", Some(AgentId(3)), words);
                self.overlay = Some(Overlay::Ask(ask));
            }
            "export" => {
                let _ = self.command(Id::Export);
            }
            "mastery" => self.prepare_mastery(),
            "themes" => {
                let _ = self.command(Id::ThemeChoose);
            }
            "help" | "help-found" | "chords" | "chords-taken" | "prefix" => {
                self.prepare_chords(name);
            }
            "usage" => self.prepare_usage(),
            "notices" | "notices-empty" => {
                if name == "notices" {
                    self.model.notices = scene::notices();
                }
                let _ = self.open_notices();
            }
            "settings" | "settings-found" => self.prepare_settings(name == "settings-found"),
            "sessions" | "sessions-empty" => self.prepare_sessions(name == "sessions"),
            "debug" => {
                let sample = |at_ms, frames: u64| Sample {
                    at_ms,
                    counts: Counts {
                        frames,
                        requests: frames + 4,
                        applied_frames: frames * 3,
                        applied_rows: frames * 41,
                        encoded_rows: frames * 41,
                        encoding: Duration::from_micros(frames * 310),
                        uploading: Duration::from_micros(frames * 90),
                        uploaded_bytes: frames * 79_000,
                        recording: Duration::from_micros(frames * 60),
                        glyphs: 412,
                        atlas: AtlasCounts {
                            sizes: 1,
                            masks: (412, 4096),
                            pictures: (3, 256),
                            bytes: 1_400_000,
                        },
                        ..Counts::default()
                    },
                    views: frames / 30,
                    waiting: 0,
                };
                let mut debug = Debug::default();
                debug.sampled(sample(0, 10_000));
                debug.sampled(sample(500, 10_029));
                debug.heard(Ok(scene::stats()));
                self.debug = Some(debug);
            }
            _ => {}
        }
    }

    /// Panes that were moved and resized.
    fn prepare_tiles(&mut self) {
        for id in [
            Id::PaneSwap(Direction::Right),
            Id::PaneResize(Direction::Left),
            Id::PaneResize(Direction::Left),
            Id::PaneResize(Direction::Down),
        ] {
            let _ = self.command(id);
            self.settle_focus();
        }
    }

    /// What scenes show of what their terminals show.
    fn finish(&mut self, name: &str) {
        let api = TerminalId(1);
        let links = self.link.surface(api).links();
        match name {
            "hints" => self.hints = Hints::new(api, links),
            "hover" => {
                if let Some(link) = links.first().cloned() {
                    let _ = self.pane_message(panes::Message::Hovered(api, Some(link)));
                }
            }
            _ => {}
        }
    }

    /// Puts something into every made-up terminal, in the size its pane has.
    fn fill(&self, name: &str) {
        let sized = |(pane, place): (Pane, Rect)| {
            ((pane, self.side(pane)), Size::new(place.width, place.height))
        };
        let sizes: HashMap<_, _> = self.plan().shown.into_iter().map(sized).collect();
        for info in self.model.terminals.values() {
            let shown = sizes.iter().find(|((pane, side), _)| {
                panes::terminal_of(&self.model, *pane, *side) == Some(info.id)
            });
            let size = shown.map_or(info.size, |(_, place)| self.cells(*place));
            let mut frame = scene::frame(info.id, size);
            scene::dress(name, &mut frame);
            let _ = self.link.surface(info.id).apply(frame);
        }
    }
}
