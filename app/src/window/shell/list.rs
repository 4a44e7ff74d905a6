//! The list of agents: its cursor, its filter, groups, bookmarks and order.

use iced::Task;
use iced::widget::scrollable;
use iced_runtime::widget::operation;
use maestro_core::AgentId;
use maestro_core::command::Id;
use maestro_core::group::{self, Arrange};
use maestro_protocol::message::Command;

use super::{Message, Overlay, Shell};
use crate::window::agents;
use crate::window::palette;
use crate::window::prompt::Prompt;
use crate::window::toast::{self, Kind};

impl Shell {
    pub(super) fn agents_message(&mut self, message: agents::Message) -> Task<Message> {
        match message {
            agents::Message::Picked(id) => return self.go_to_waiting(id),
            agents::Message::New => return self.command(Id::AgentNew),
            agents::Message::Menu(id) => {
                self.marked = Some(id);
                return self.open_palette(palette::Kind::Agent);
            }
            agents::Message::Folded(key) => self.fold(key, None),
            agents::Message::Filtered(words) => {
                self.list.filter = Some(words);
                self.list.writing = true;
                self.mark_first();
            }
            agents::Message::Scrolled(top) => self.list.top = top,
        }
        Task::none()
    }

    /// Whether the field over the list has the keyboard.
    pub(super) fn filters_agents(&self) -> bool {
        self.list.writing && self.marked.is_some() && self.overlay.is_none()
    }

    pub(super) fn list_command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::ListUp => return self.list_step(-1),
            Id::ListDown => return self.list_step(1),
            Id::OverlayUp | Id::OverlayPrevious => return self.list_step(-1),
            Id::OverlayDown | Id::OverlayNext => return self.list_step(1),
            Id::ListAccept | Id::OverlayAccept => {
                self.list.writing = false;
                let Some(id) = self.marked else { return Task::none() };
                return self.go_to_waiting(id);
            }
            Id::OverlayCancel => (self.list.writing, self.list.filter) = (false, None),
            Id::ListLeave => return self.leave_list(),
            Id::ListFind => {
                let _ = self.list.filter.get_or_insert_default();
                self.list.writing = true;
            }
            Id::ListNews => {
                self.list.news = !self.list.news;
                self.mark_first();
            }
            Id::ListNumber(number) => {
                let listed = self.listed();
                let Some(id) = listed.get(usize::from(number).saturating_sub(1)) else {
                    return Task::none();
                };
                return self.go_to_waiting(*id);
            }
            Id::ListChoose => {
                let Some(id) = self.marked else { return Task::none() };
                if !self.list.chosen.remove(&id) {
                    let _ = self.list.chosen.insert(id);
                }
                return self.list_step(1);
            }
            Id::ListFold | Id::ListUnfold => {
                if let Some(key) = self.marked.and_then(|id| self.group_key(id)) {
                    self.fold(key, Some(id == Id::ListFold));
                }
            }
            Id::ListMenu => return self.open_palette(palette::Kind::Agent),
            Id::ListMoveUp | Id::ListMoveDown => {
                return self.move_agents(id == Id::ListMoveDown);
            }
            Id::AgentGroup | Id::ListGroup => {
                let of = self.chosen_agents();
                let before = of.first().and_then(|id| self.model.agent(*id));
                let before = before.and_then(|agent| agent.group.clone()).unwrap_or_default();
                self.overlay = Some(Overlay::Prompt(Prompt::group(of, before)));
            }
            Id::ListGroupRename => return self.rename_group(),
            Id::AgentBookmark | Id::ListBookmark => {
                let agents = self.chosen_agents();
                let marked = |id: &AgentId| self.model.agent(*id).is_some_and(|one| one.bookmarked);
                let bookmarked = !agents.iter().all(marked);
                let change = Arrange::Bookmark { agents, bookmarked };
                return self.ask(Command::ArrangeAgents(change));
            }
            Id::AgentsRail => {
                self.kept.agents_shown = true;
                self.kept.agents_rail = !self.kept.agents_rail;
            }
            _ => {}
        }
        Task::none()
    }

    /// One level back: what is chosen, what is left out, then the pane.
    fn leave_list(&mut self) -> Task<Message> {
        if !self.list.chosen.is_empty() {
            self.list.chosen.clear();
        } else if self.list.filter.is_some() || self.list.news {
            (self.list.filter, self.list.news) = (None, false);
        } else {
            self.marked = None;
        }
        Task::none()
    }

    fn listed(&self) -> Vec<AgentId> {
        agents::listed(&self.model, &self.list, &self.kept.folded)
    }

    /// What is left out cannot be marked.
    fn mark_first(&mut self) {
        let listed = self.listed();
        if self.marked.is_some_and(|id| !listed.contains(&id)) {
            // Nothing fits: the mark stays, so that the list keeps the keyboard.
            self.marked = listed.first().copied().or(self.marked);
        }
    }

    /// The agents a command is about: those that were chosen, or the one that is marked or focused.
    fn chosen_agents(&self) -> Vec<AgentId> {
        let chosen = self.listed().into_iter().filter(|id| self.list.chosen.contains(id));
        let chosen: Vec<AgentId> = chosen.collect();
        if chosen.is_empty() {
            return self.chosen_agent().map(|agent| agent.id).into_iter().collect();
        }
        chosen
    }

    fn group_key(&self, id: AgentId) -> Option<String> {
        let groups = self.model.groups();
        let group = groups.iter().find(|group| group.agents.iter().any(|one| one.id == id));
        group.map(group::Group::key)
    }

    fn fold(&mut self, key: String, fold: Option<bool>) {
        let folded = self.kept.folded.contains(&key);
        if fold.unwrap_or(!folded) {
            // The mark goes to the agent above what is folded, or the one below.
            let before = self.listed();
            let gone = self.marked.and_then(|id| before.iter().position(|one| *one == id));
            let _ = self.kept.folded.insert(key);
            let after = self.listed();
            if let Some(at) = gone.filter(|_| self.marked.is_some_and(|id| !after.contains(&id))) {
                let mut near = before[..at].iter().rev().chain(&before[at..]);
                self.marked = near.find(|id| after.contains(id)).copied().or(self.marked);
            }
        } else {
            let _ = self.kept.folded.remove(&key);
        }
    }

    fn move_agents(&mut self, down: bool) -> Task<Message> {
        let chosen = self.chosen_agents();
        let Some(order) = group::moved(&self.model.agents, &chosen, down) else {
            return Task::none();
        };
        // The next press goes on from there, also before the host has answered.
        let place = |id: AgentId| order.iter().position(|one| *one == id);
        self.model.agents.sort_by_key(|agent| place(agent.id));
        let moved = self.ask(Command::ArrangeAgents(Arrange::Order(order.clone())));
        Task::batch([moved, self.reveal_marked()])
    }

    fn rename_group(&mut self) -> Task<Message> {
        let groups = self.model.groups();
        let holds = |group: &&group::Group<'_>| {
            self.marked.is_some_and(|id| group.agents.iter().any(|one| one.id == id))
        };
        let group = groups.iter().find(holds);
        let Some((agents, name)) = group.and_then(|group| {
            Some((group.agents.iter().map(|one| one.id).collect(), group.name?.to_owned()))
        }) else {
            let chord = self.keymap.title(Id::ListGroup).unwrap_or_default();
            let words = format!("This group is named after its repository. {chord} makes one.");
            return self.toast(toast::Source::Window, Kind::Hint, None, words);
        };
        self.overlay = Some(Overlay::Prompt(Prompt::group(agents, name)));
        Task::none()
    }

    pub(super) fn list_step(&mut self, by: isize) -> Task<Message> {
        let listed = self.listed();
        if listed.is_empty() {
            return Task::none();
        }
        let at = self.marked.and_then(|id| listed.iter().position(|other| *other == id));
        let next = at.map_or(0, |at| (at as isize + by).clamp(0, listed.len() as isize - 1));
        self.marked = listed.get(next as usize).copied();
        self.reveal_marked()
    }

    /// The marked agent is brought into sight.
    pub(super) fn reveal_marked(&mut self) -> Task<Message> {
        let folded = &self.kept.folded;
        let place = self.marked.and_then(|id| agents::place(&self.model, &self.list, folded, id));
        let Some((from, until)) = place else { return Task::none() };
        let sight = agents::sight(self.window.size.height);
        let top = self.list.top.clamp((until - sight).max(0.0), from);
        if (top - self.list.top).abs() < 1.0 {
            return Task::none();
        }
        self.list.top = top;
        operation::scroll_to(agents::LIST, scrollable::AbsoluteOffset { x: 0.0, y: top })
    }
}
