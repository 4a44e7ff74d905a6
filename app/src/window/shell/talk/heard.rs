//! What happens in conversations, message by message.

use iced::Task;
use maestro_core::TabId;
use maestro_core::conversation::Update;
use maestro_protocol::message::{Command, TabChange};

use super::super::{Message, Overlay, Shell};
use super::{page, said};
use crate::window::panes::Pane;
use crate::window::talk::{self, Following, Region};
use crate::window::toast::{self, Kind};
use crate::window::{composer, requests, tabs};

impl Shell {
    /// Something was said in a tab that is in sight.
    pub(in super::super) fn talk_said(
        &mut self,
        tab: TabId,
        updates: Vec<Update>,
    ) -> Task<Message> {
        let Some(talk) = self.talks.open.get_mut(&tab) else { return Task::none() };
        let heard = talk.said(updates);
        self.after(tab, heard)
    }

    /// Reads anew what does not fit, and does what the view wants.
    fn after(&mut self, tab: TabId, heard: talk::Heard) -> Task<Message> {
        let mut tasks = Vec::new();
        for n in heard.stale {
            let command = Command::ReadTab { tab, before: n + 1, most: 1 };
            let read =
                self.request(command, move |reply| said(talk::Message::Reread(tab, page(reply))));
            tasks.push(read);
        }
        for action in heard.actions {
            tasks.push(self.view_action(tab, action));
        }
        Task::batch(tasks)
    }

    /// Takes in what happened in a conversation.
    pub(in super::super) fn talk_message(&mut self, message: talk::Message) -> Task<Message> {
        match message {
            talk::Message::Bar(agent, message) => {
                self.focus_pane(Pane::Agent(agent));
                match message {
                    tabs::Message::Picked(id) => {
                        self.choose_tab(agent, id);
                        self.keyboard.clear();
                        Task::none()
                    }
                    tabs::Message::Closed(id) => self.close_tab(id),
                    tabs::Message::Moved(id, before) => {
                        self.change_tab(id, TabChange::Before(before))
                    }
                    tabs::Message::Command(id) => self.talk_command(id),
                }
            }
            talk::Message::View(id, message) => {
                self.focus_tab_pane(id);
                let talk = self.talks.of(id);
                let action = talk.view.update(message, &talk.transcript);
                self.view_action(id, action)
            }
            talk::Message::Cards(id, message) => {
                self.focus_tab_pane(id);
                let Some(tab) = self.model.tab(id).cloned() else { return Task::none() };
                let action = self.talks.of(id).cards.update(message, &tab.requests);
                self.card_action(id, action)
            }
            talk::Message::Composer(id, message) => {
                let action = self.talks.of(id).composer.update(message);
                self.composer_action(id, action)
            }
            talk::Message::Typed(text) => self.typed(text),
            talk::Message::Picker(message) => self.picker(|picker| picker.update(message)),
            talk::Message::Queue(message) => {
                let Some(Overlay::Queue(queue)) = &mut self.overlay else { return Task::none() };
                let action = queue.update(message, &self.model);
                self.queue_action(action)
            }
            talk::Message::Opened(id, Ok(page)) => {
                let Some(talk) = self.talks.open.get_mut(&id) else { return Task::none() };
                if talk.following != Following::Asked {
                    return Task::none();
                }
                let heard = talk.opened(*page);
                self.after(id, heard)
            }
            talk::Message::Opened(id, Err(why)) => {
                // Left as asked for: it is tried again with the next connection, not for ever.
                let _ = id;
                self.problem(why)
            }
            talk::Message::Older(id, older) => {
                let talk = self.talks.of(id);
                talk.reading = false;
                match older {
                    Ok(page) => {
                        let _ = talk.transcript.prepend(page.entries);
                        let action = talk.view.prepended(&talk.transcript);
                        self.view_action(id, action)
                    }
                    Err(why) => self.problem(why),
                }
            }
            talk::Message::Reread(id, Ok(page)) => {
                let updates = page.entries.into_iter().map(Update::Entry).collect();
                self.talk_said(id, updates)
            }
            talk::Message::Reread(_, Err(why)) => self.problem(why),
            talk::Message::Sent(id, token, prompt, result) => self.sent(id, token, prompt, result),
            talk::Message::DraftDue(id) => self.keep_draft(id),
            talk::Message::DraftKept(id, draft, Ok(())) => {
                self.talks.of(id).composer.saved(draft);
                self.drafted(id)
            }
            // It is kept with the next change, or with the next connection.
            talk::Message::DraftKept(_, _, Err(_)) => Task::none(),
            talk::Message::Files(id, letters, files) => {
                // Without an answer there is no list; what is typed stays what it is.
                self.talks.of(id).composer.found(&letters, files.unwrap_or_default());
                Task::none()
            }
            talk::Message::Menu(id, Ok(menu)) => {
                self.talks.of(id).menu = Some(*menu);
                self.offer(id);
                self.refresh_picker(id);
                Task::none()
            }
            talk::Message::Menu(..) => Task::none(),
            talk::Message::Own(own) => {
                self.talks.own = own;
                if let Some(id) = self.focused_tab().map(|tab| tab.id) {
                    self.offer(id);
                }
                Task::none()
            }
            talk::Message::Pasted(id, text) => self.pasted_into(id, text),
            talk::Message::ImageRead(id, image, wanted) => self.image_into(id, image, wanted),
            talk::Message::FileRead(id, Ok(bytes)) => self.keep_image(id, bytes),
            talk::Message::FileRead(_, Err(why)) => self.problem(why),
            talk::Message::ImageKept(id, Ok(image)) => {
                let action = self.talks.of(id).composer.add_image(image);
                self.composer_action(id, action)
            }
            talk::Message::ImageKept(_, Err(why)) => self.problem(why),
            talk::Message::CardSeen(id, wait) => {
                if let Some(talk) = self.talks.open.get_mut(&id) {
                    talk.cards.look(wait);
                }
                Task::none()
            }
            talk::Message::Answered(id, request, result) => match result {
                Ok(()) => Task::none(),
                Err(why) => {
                    self.talks.of(id).cards.refused(&request);
                    self.problem(why)
                }
            },
            talk::Message::Rested(id, edits) => {
                if let Some(talk) = self.talks.open.get_mut(&id) {
                    talk.rests |= talk.edits == edits;
                }
                Task::none()
            }
            talk::Message::Disarmed(armings) => {
                if self.talks.armings == armings {
                    self.talks.armed = None;
                }
                Task::none()
            }
            talk::Message::Made(agent, made) => {
                self.talks.making.retain(|other| *other != agent);
                self.talks.taking.retain(|other| *other != agent);
                match made {
                    Ok(tab) => {
                        let id = tab.id;
                        self.model.put_tab_if_new(*tab);
                        self.show_tab(id);
                        Task::none()
                    }
                    Err(why) => self.problem(why),
                }
            }
            talk::Message::Moved(agent, Ok(())) => {
                let _ = self.kept.conversing.remove(&agent);
                let _ = self.kept.shells.remove(&agent);
                self.focus_pane(Pane::Agent(agent));
                Task::none()
            }
            talk::Message::Moved(_, Err(why)) => self.problem(why),
            talk::Message::Why(agent, seen) => {
                if let Some(Overlay::Why(why)) = &mut self.overlay
                    && why.agent == agent
                {
                    why.heard(seen);
                }
                Task::none()
            }
            talk::Message::Found(words, hits) => self.found(&words, hits),
            talk::Message::Exported(Ok(path)) => {
                let title = Some("The conversation was written".to_owned());
                self.toast(toast::Source::Window, Kind::Note, title, path.display().to_string())
            }
            talk::Message::ToastPressed(number) => self.update(Message::ToastPressed(number)),
            talk::Message::Exported(Err(why)) => self.problem(why),
        }
    }

    /// A click into a conversation gives its pane the keyboard.
    pub(super) fn focus_tab_pane(&mut self, id: TabId) {
        let agent = self.model.tab(id).map(|tab| tab.agent);
        if let Some(pane) = agent.map(Pane::Agent)
            && self.focused() != Some(pane)
        {
            self.focus_pane(pane);
            self.talks.region = Region::Composer;
            self.keyboard.clear();
        }
    }

    /// Something was typed that no card knows: it is meant for the composer.
    fn typed(&mut self, text: String) -> Task<Message> {
        let Some(id) = self.focused_tab().map(|tab| tab.id) else { return Task::none() };
        self.talks.region = Region::Composer;
        let talk = self.talks.of(id);
        let disturbed = talk.cards.disturbed();
        let action = talk.composer.paste(text);
        let later = match disturbed {
            requests::Action::Wait(wait) => super::look_later(id, wait),
            _ => Task::none(),
        };
        Task::batch([later, self.composer_action(id, action)])
    }

    /// Opens a tab again.
    pub(super) fn reopen_tab(&mut self, id: TabId) -> Task<Message> {
        let opened = self.change_tab(id, TabChange::Closed(false));
        if let Some(tab) = self.model.tab_mut(id) {
            // Shown at once; what the host says next is the same.
            tab.closed = false;
        }
        self.show_tab(id);
        opened
    }

    /// What a composer asks for.
    pub(in super::super) fn composer_action(
        &mut self,
        id: TabId,
        action: composer::Action,
    ) -> Task<Message> {
        let Some(agent) = self.model.tab(id).map(|tab| tab.agent) else { return Task::none() };
        match action {
            composer::Action::None => Task::none(),
            composer::Action::Focused => {
                self.focus_tab_pane(id);
                self.talks.of(id).view.unselect();
                if self.talks.region != Region::Composer || self.marked.is_some() {
                    self.talks.region = Region::Composer;
                    self.marked = None;
                    self.keyboard.clear();
                }
                Task::none()
            }
            composer::Action::Changed => {
                self.focus_tab_pane(id);
                self.talks.armed = None;
                Task::batch([self.drafted(id), self.wrote(id)])
            }
            composer::Action::Find(letters) => {
                let changed = self.composer_action(id, composer::Action::Changed);
                let most = composer::FOUND;
                let command = Command::FindFiles { agent, letters: letters.clone(), most };
                let find = self.request(command, move |reply| {
                    let files = match reply {
                        Ok(maestro_protocol::message::Reply::Files(files)) => Ok(files),
                        Ok(_) => Err(super::ODD.to_owned()),
                        Err(why) => Err(why),
                    };
                    said(talk::Message::Files(id, letters.clone(), files))
                });
                Task::batch([changed, find])
            }
            composer::Action::Menu => {
                let changed = self.composer_action(id, composer::Action::Changed);
                self.offer(id);
                Task::batch([changed, self.read_menu(id), self.read_own()])
            }
            composer::Action::Send => self.send(id),
            composer::Action::Image => super::compose::read_image(id, true),
            composer::Action::Queue => self.talk_command(maestro_core::command::Id::QueueShow),
            composer::Action::TakeBack => self.take_back(agent),
        }
    }
}
