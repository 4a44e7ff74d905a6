//! What lies over the window: the palette, the dialog for a new agent, small questions.

use std::path::PathBuf;

use iced::Task;
use maestro_core::command::Id;
use maestro_core::group::Arrange;
use maestro_core::layout;
use maestro_core::worktree::{Answer, Ask};
use maestro_protocol::message::{Command, Reply, TabChange};

use super::{Message, NOBODY, Overlay, Shell};
use crate::window::new_agent::{self, NewAgent};
use crate::window::prompt;
use crate::window::toast::{self, Kind};

impl Shell {
    pub(super) fn overlay_command(&mut self, id: Id) -> Task<Message> {
        let by = if matches!(id, Id::OverlayUp | Id::OverlayPrevious) { -1 } else { 1 };
        if matches!(self.overlay, Some(Overlay::Sessions(_))) {
            return self.sessions_command(id);
        }
        if matches!(self.overlay, Some(Overlay::Usage(_))) && id != Id::OverlayCancel {
            return self.usage_command(id);
        }
        if matches!(self.overlay, Some(Overlay::Notices(_))) {
            return self.notices_command(id);
        }
        if matches!(self.overlay, Some(Overlay::Settings(_))) {
            return self.settings_command(id);
        }
        if matches!(self.overlay, Some(Overlay::Chords(_))) {
            return self.chords_page(|page| page.command(id));
        }
        if matches!(self.overlay, Some(Overlay::Queue(_))) {
            return self.queue_command(id);
        }
        match (&mut self.overlay, id) {
            (Some(Overlay::Palette(_)), Id::OverlayCancel) => self.leave_palette(),
            (_, Id::OverlayCancel) => {
                self.overlay = None;
                Task::none()
            }
            (Some(Overlay::Palette(palette)), Id::OverlayAccept) => {
                let action = palette.accept();
                self.palette_action(action)
            }
            (Some(Overlay::Why(why)), Id::OverlayAccept) => {
                let agent = why.agent;
                if self.model.collisions.contains_key(&agent) {
                    self.overlay = None;
                    return self.open_conflicts_of(agent);
                }
                Task::none()
            }
            (Some(Overlay::Picker(_)), Id::OverlayAccept) => self.picker(|picker| picker.accept()),
            (Some(Overlay::Picker(picker)), _) => {
                picker.step(by);
                Task::none()
            }
            (Some(Overlay::Palette(palette)), _) => {
                palette.step(by);
                Task::none()
            }
            (Some(Overlay::NewAgent(_)), Id::OverlayAccept) => self.new_agent(NewAgent::accept),
            (Some(Overlay::NewAgent(_)), Id::OverlayNext | Id::OverlayPrevious) => {
                self.new_agent(|dialog| dialog.step_field(by))
            }
            (Some(Overlay::NewAgent(_)), _) => self.new_agent(|dialog| dialog.step_choice(by)),
            (Some(Overlay::Prompt(_)), Id::OverlayAccept) => self.prompt(prompt::Message::Accepted),
            (Some(Overlay::Ask(ask)), Id::OverlayAccept) if ask.is_unseen() => Task::none(),
            (Some(Overlay::Ask(ask)), Id::OverlayAccept) => {
                let deed = ask.accept();
                self.done_by(deed)
            }
            (Some(Overlay::Ask(ask)), _) => {
                ask.step(by);
                Task::none()
            }
            _ => Task::none(),
        }
    }

    /// A command has nothing to work on where the keyboard is: says what it is for, and what shows that.
    pub(super) fn misplaced(&mut self, id: Id, what: &str, leads: Id) -> Task<Message> {
        if !id.command().listed {
            return Task::none();
        }
        let chord = self.keymap.title(leads).filter(|_| self.focused_agent().is_some());
        let shows = chord.map(|chord| format!(": {chord} shows one")).unwrap_or_default();
        let title = id.command().title.trim_end_matches('…');
        let words = format!("“{title}” is for {what}{shows}.");
        self.toast(toast::Source::Window, Kind::Hint, None, words)
    }

    pub(super) fn open_new_agent(&mut self) -> Task<Message> {
        self.open_new_agent_at(None)
    }

    pub(super) fn open_new_agent_at(&mut self, place: Option<PathBuf>) -> Task<Message> {
        let here = self.focused_agent().map(|(agent, _)| agent);
        let here = here.or_else(|| self.model.agents.last());
        let directory =
            here.map(|agent| agent.repository.clone().unwrap_or_else(|| agent.directory.clone()));
        let directory = directory.or_else(|| self.started_in.clone());
        let inside = place.is_some();
        let directory = place.or(directory);
        let (mut dialog, action) = NewAgent::new(directory.as_deref(), &self.providers);
        if inside {
            dialog.works_directly();
        }
        self.overlay = Some(Overlay::NewAgent(Box::new(dialog)));
        let refresh =
            self.request(Command::DetectProviders { refresh: true }, |reply| match reply {
                Ok(Reply::Providers(providers)) => Message::Detected(providers),
                Ok(_) => Message::Done(Ok(())),
                Err(why) => Message::Done(Err(why)),
            });
        Task::batch([refresh, self.new_agent_action(action)])
    }

    pub(super) fn new_agent(
        &mut self,
        change: impl FnOnce(&mut NewAgent) -> new_agent::Action,
    ) -> Task<Message> {
        let Some(Overlay::NewAgent(dialog)) = &mut self.overlay else { return Task::none() };
        let action = change(dialog);
        self.new_agent_action(action)
    }

    pub(super) fn new_agent_action(&mut self, action: new_agent::Action) -> Task<Message> {
        match action {
            // The keyboard follows the dialog's own idea of its focus: see `settle`.
            new_agent::Action::None | new_agent::Action::Focus(_) => Task::none(),
            new_agent::Action::Focused(field) => {
                field.input().unwrap_or(NOBODY).clone_into(&mut self.keyboard);
                Task::none()
            }
            new_agent::Action::Close => {
                self.overlay = None;
                Task::none()
            }
            new_agent::Action::Inspect(directory) => {
                let path = directory.clone();
                let command = Command::InspectRepository { directory };
                self.request(command, move |reply| {
                    let seen = match reply {
                        Ok(Reply::Repository(repository)) => Ok(repository),
                        Ok(_) => Err("the host did not say what the directory is".to_owned()),
                        Err(why) => Err(why),
                    };
                    Message::Inspected(path.clone(), seen)
                })
            }
            new_agent::Action::Bases(directory, like) => {
                let (path, typed) = (directory.clone(), like.clone());
                let command = Command::Worktrees(Ask::Bases { directory, like });
                self.request(command, move |reply| match reply {
                    Ok(Reply::OfWorktrees(Answer::Bases(bases))) => {
                        Message::Bases(path.clone(), typed.clone(), bases)
                    }
                    // A base is only offered: one can be written without it.
                    _ => Message::Bases(path.clone(), typed.clone(), Vec::new()),
                })
            }
            new_agent::Action::Create(mut wish) => {
                wish.order.size = self.size_of_one_more();
                self.request(new_agent::command(wish), |reply| {
                    Message::Created(match reply {
                        Ok(Reply::Agent(agent)) => Ok(*agent),
                        Ok(Reply::OfWorktrees(Answer::Made(made))) => made
                            .into_iter()
                            .find_map(|one| one.agent)
                            .map(|agent| *agent)
                            .ok_or_else(|| "the host made no agent".to_owned()),
                        Ok(_) => Err("the host did not say whether the agent was made".to_owned()),
                        Err(why) => Err(why),
                    })
                })
            }
        }
    }

    pub(super) fn prompt(&mut self, message: prompt::Message) -> Task<Message> {
        let Some(Overlay::Prompt(prompt)) = &mut self.overlay else { return Task::none() };
        let command = match prompt.update(message) {
            prompt::Action::None => return Task::none(),
            prompt::Action::Close => {
                self.overlay = None;
                return Task::none();
            }
            prompt::Action::RenameTab(tab, title) => {
                Command::ChangeTab { tab, change: TabChange::Title(title) }
            }
            prompt::Action::Rename(agent, name) => Command::RenameAgent { agent, name },
            prompt::Action::Group(agents, name) => {
                self.list.chosen.clear();
                Command::ArrangeAgents(Arrange::Group { agents, name })
            }
            prompt::Action::Grid(grid) => {
                self.overlay = None;
                self.arrange(layout::Kind::Grid(grid));
                return Task::none();
            }
            prompt::Action::Workspace(name) => {
                return match self.save_workspace(&name) {
                    Ok(told) => {
                        self.overlay = None;
                        told
                    }
                    Err(why) => {
                        if let Some(Overlay::Prompt(prompt)) = &mut self.overlay {
                            prompt.refused(why);
                        }
                        Task::none()
                    }
                };
            }
            prompt::Action::Remove(agent) => Command::RemoveAgent { agent },
        };
        self.request(command, |reply| Message::Answered(reply.map(|_| ())))
    }
}
