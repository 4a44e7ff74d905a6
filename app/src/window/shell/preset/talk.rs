//! Made-up windows with conversations.

use maestro_core::agent::{Evidence, Source, State};
use maestro_core::command::Id;
use maestro_core::conversation::{Context, Place, Tab, TabState};
use maestro_core::turn::{Failure, FailureKind};
use maestro_core::{AgentId, TabId, TerminalId};
use maestro_protocol::message::{Page, World};

use super::super::Shell;
use crate::window::composer;
use crate::window::scene;
use crate::window::talk::{self, Region};

/// A prompt that takes a screen.
const LONG: &str = "Move the preferences to an endpoint of their own.\n\n\
    - `GET /v1/preferences` answers with what is set, and with the defaults of what is not\n\
    - `PATCH` takes a part of them; unknown keys are refused by name\n\
    - the web client reads them once at its start: see @src/web/preferences.tsx\n\n\
    Keep the old route until the next release, and let it say where the new one is. \
    The tests in @tests/preferences_test.rs show what has to stay as it is.";

/// The world of such a scene.
pub(super) fn world(name: &str) -> World {
    let mut world = scene::world();
    world.tabs = scene::tabs();
    world.queues = scene::queues();
    let first = &mut world.tabs[0];
    match name {
        "approval" | "approval-deny" => {}
        "conversation-empty" => {
            let tab = first.clone();
            *first = Tab {
                title: String::new(),
                entries: 0,
                turns: 0,
                requests: Vec::new(),
                state: TabState::Idle,
                context: None,
                usage: maestro_core::turn::Usage::default(),
                ..tab
            };
            world.queues.clear();
        }
        "conversation-none" => world.tabs.retain(|tab| tab.agent != AgentId(1)),
        "conversation-taken" => {
            first.requests.clear();
            first.state = TabState::Idle;
            first.place = Place::Terminal(TerminalId(1));
        }
        "failed" => {
            first.requests.clear();
            let message = "API Error: 401 authentication_error: invalid x-api-key".to_owned();
            first.state = TabState::Failed(Failure { kind: FailureKind::Auth, message });
            if let Some(agent) = world.agents.first_mut() {
                agent.attention.state = State::Failed;
                agent.attention.because = "not logged in".to_owned();
            }
        }
        "limited" => {
            first.requests.clear();
            let until_ms = Some(scene::NOW_MS + 4 * 3_600_000 + 420_000);
            first.state = TabState::Limited { until_ms, resumes: true };
            if let Some(agent) = world.agents.first_mut() {
                agent.attention.state = State::Limited;
                agent.attention.until_ms = until_ms;
                agent.attention.because = "limited".to_owned();
            }
        }
        "retrying" => {
            first.requests.clear();
            let until_ms = Some(scene::NOW_MS + 12_000);
            let because = "waiting for network".to_owned();
            first.state = TabState::Retrying { because, until_ms, attempt: Some(3) };
        }
        _ => {
            first.requests.clear();
            first.state = TabState::Working("running tests".to_owned());
        }
    }
    if name == "queue-empty" {
        world.queues.clear();
    }
    if name == "mentions" {
        world.tabs[0].context = Some(Context { used: 168_000, window: Some(200_000) });
    }
    world
}

/// What was said in the first tab.
fn said(name: &str) -> Vec<maestro_core::conversation::Entry> {
    use crate::window::conversation::scene as turns;
    match name {
        "conversation-turns"
        | "conversation-top"
        | "conversation-find"
        | "conversation-filter"
        | "conversation-selected"
        | "conversation-told" => turns::everything().iter().cloned().collect(),
        "conversation-streaming" => turns::streaming(400, 6100).iter().cloned().collect(),
        "failed" => turns::failed().iter().cloned().collect(),
        "conversation" => turns::endpoint().iter().cloned().collect(),
        _ => scene::said(),
    }
}

impl Shell {
    /// Brings a scene with a conversation into its state.
    pub(super) fn prepare_talk(&mut self, name: &str) {
        if !scene::TALKS.contains(&name) {
            return;
        }
        let grid = name == "conversation-grid";
        self.kept.maximised = !grid;
        self.kept.conversing = [AgentId(1)].into();
        if grid {
            self.kept.conversing.extend([AgentId(2), AgentId(3)]);
        }
        let _ = self.settle();
        for tab in scene::tabs() {
            let empty = name == "conversation-empty" || tab.id != TabId(1);
            let entries = if empty { Vec::new() } else { said(name) };
            let total = entries.len() as u64;
            let page = Box::new(Page { entries, total, draft: None });
            let _ = self.talk_message(talk::Message::Opened(tab.id, Ok(page)));
        }
        let tab = TabId(1);
        let _ = self.talk_message(talk::Message::Menu(tab, Ok(Box::new(scene::menu()))));
        let write = |shell: &mut Self, text: &str| {
            let action = shell.talks.of(tab).composer.paste(text.to_owned());
            let _ = shell.composer_action(tab, action);
        };
        match name {
            "conversation-top" => {
                let _ = self.command(Id::TurnsFocus);
                let _ = self.command(Id::EntryFirst);
                let _ = self.command(Id::EntryNext);
                let _ = self.command(Id::EntryNext);
            }
            "conversation-find" => {
                use crate::window::conversation::{Message as Turns, Which};
                let _ = self.command(Id::TurnsFind);
                let typed = Turns::Edited(Which::Find, "refund".to_owned());
                let _ = self.talk_message(talk::Message::View(tab, typed));
            }
            "conversation-filter" => {
                use crate::window::conversation::{Message as Turns, Which};
                let _ = self.command(Id::TurnsFilter);
                let typed = Turns::Edited(Which::Filter, "refund".to_owned());
                let _ = self.talk_message(talk::Message::View(tab, typed));
            }
            "conversation-selected" => self.talks.of(tab).view.select_all(),
            "conversation-told" => {
                let _ = self.command(Id::TurnCompact);
                let _ = self.problem("the image is larger than 16 MB".to_owned());
            }
            "models" => {
                let _ = self.command(Id::TabModel);
            }
            "composer-full" => {
                write(self, LONG);
                let _ = self.command(Id::ComposerFull);
            }
            "conversation" | "conversation-grid" => {
                write(self, "then also check that @src/web uses the same keys");
            }
            "approval" | "approval-deny" | "question" => {
                let shown = if name == "question" { TabId(4) } else { tab };
                if name == "question" {
                    let _ = self.kept.conversing.insert(AgentId(2));
                }
                self.show_tab(shown);
                let _ = self.settle();
                for wait in 0..4 {
                    let _ = self.talk_message(talk::Message::CardSeen(shown, wait));
                }
                self.talks.region = Region::Cards;
                if name == "approval-deny" {
                    let _ = self.command(Id::RequestDeny);
                    let reason = "use the scratch database instead".to_owned();
                    let written = crate::window::requests::Message::Written(reason);
                    let _ = self.talk_message(talk::Message::Cards(tab, written));
                }
            }
            "failed" | "limited" => self.talks.region = Region::Cards,
            "mentions" => {
                write(self, "compare @pref");
                let files = [
                    "src/api/preferences.rs",
                    "src/web/preferences.tsx",
                    "migrations/0012_preferences.sql",
                    "docs/preferences.md",
                    "tests/preferences_test.rs",
                ];
                let files = files.map(str::to_owned).to_vec();
                self.talks.of(tab).composer.found("pref", files);
            }
            "commands" => {
                write(self, "/co");
                self.talks.own = vec![composer::command::Own {
                    name: "commit".to_owned(),
                    hint: "[scope]".to_owned(),
                    about: "Commit what is done, in the project's words".to_owned(),
                    text: String::new(),
                }];
                self.offer(tab);
            }
            "policy" => {
                let _ = self.command(Id::TabPolicy);
            }
            "queue" | "queue-empty" => {
                let _ = self.command(Id::QueueShow);
            }
            "why" => {
                let _ = self.command(Id::AgentWhy);
                if let Some(id) = self.chosen_agent().map(|agent| agent.id) {
                    let [_, met] = scene::collisions();
                    let _ = self.model.collisions.insert(id, met.with);
                }
                let seen = |source, state, seen: &str, minutes: u64, decides| Evidence {
                    source,
                    state,
                    seen: seen.to_owned(),
                    at_ms: scene::NOW_MS - minutes * 60_000,
                    decides,
                };
                let all = vec![
                    seen(Source::Stream, State::Working, "a turn runs: cargo test -p api", 1, true),
                    seen(Source::Osc, State::Working, "its title says “Running tests”", 1, false),
                    seen(Source::Process, State::Unknown, "3 processes live", 2, false),
                    seen(Source::Transcript, State::Done, "its last turn ended well", 14, false),
                ];
                let _ = self.talk_message(talk::Message::Why(AgentId(1), Ok(all)));
            }
            _ => {}
        }
    }
}
