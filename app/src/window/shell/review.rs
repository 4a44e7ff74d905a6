//! Changes and branches in the window: their questions to the host, their keyboard.

use iced::widget::{Id as Widget, operation, scrollable};
use iced::{Element, Task, clipboard};
use maestro_core::AgentId;
use maestro_core::changes::Heard;
use maestro_core::command::Id;
use maestro_core::conflict::Live;
use maestro_protocol::message::Command;

use super::autorun::waiting;
use super::{Connection, Message, Shell};
use crate::window::ask::Deed;
use crate::window::autorun::files as documents;
use crate::window::review::{self, Action, Look, Page, Place, Question};
use crate::window::toast::{self, Kind};
use crate::window::{changes, conversation, files, target};

impl Shell {
    /// What changes and branches are seen with.
    pub(super) fn review_look(&self) -> Look<'_> {
        let left = self.agents_width().filter(|_| self.review_has_list()).unwrap_or(0.0);
        Look {
            tokens: self.tokens,
            keymap: &self.keymap,
            now_ms: self.now_ms,
            turning: self.turns(),
            width: self.window.size.width - left,
            height: self.window.size.height,
        }
    }

    /// Whether the list of agents stands beside the page.
    pub(super) fn review_has_list(&self) -> bool {
        self.window.size.width >= 1180.0 && self.agents_width().is_some()
    }

    /// The page, in the whole window.
    pub(super) fn review_view(&self) -> Element<'_, Message> {
        self.review.view(&self.model, self.review_look()).map(Message::Review)
    }

    /// What the view is about when it is opened: the agent that is looked at.
    fn review_place(&self) -> Option<Place> {
        let agent = self.chosen_agent().or_else(|| self.model.agents.first())?;
        Some(Place::of(agent))
    }

    fn open_review(&mut self, page: Page) -> Task<Message> {
        if self.review.shown && self.review.page == page && self.marked.is_none() {
            return self.review_action(Action::Close);
        }
        let place = self.review_place();
        let save = self.autorun.close();
        let save = self.autorun_action(save);
        self.marked = None;
        let action = self.review.open(page, place, &self.model);
        Task::batch([save, self.review_action(action)])
    }

    /// How an agent's branch fits together with the others.
    pub(super) fn open_conflicts_of(&mut self, agent: AgentId) -> Task<Message> {
        let place = self.model.agent(agent).map(Place::of);
        let save = self.autorun.close();
        let save = self.autorun_action(save);
        self.marked = None;
        let action = self.review.open(Page::Conflicts, place, &self.model);
        Task::batch([save, self.review_action(action)])
    }

    /// A command of changes and branches, wherever the keyboard is.
    pub(super) fn review_command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::ChangesOpen => self.open_review(Page::Changes),
            Id::LogOpen => self.open_review(Page::Log),
            Id::ConflictsOpen => self.open_review(Page::Conflicts),
            Id::TrainOpen => self.open_review(Page::Train),
            Id::RaceOpen => self.open_review(Page::Race),
            Id::FilesOpen => self.open_review(Page::Files),
            Id::WorktreesOpen => self.open_review(Page::Worktrees),
            id => {
                let action = self.review.command(id, &self.model);
                self.review_action(action)
            }
        }
    }

    pub(super) fn review_message(&mut self, message: review::Message) -> Task<Message> {
        if let review::Message::Command(Id::ReviewLeave) = message {
            // The button leaves at once, from wherever one is.
            return self.review_action(Action::Close);
        }
        let action = self.review.update(message, &self.model, self.now_ms);
        self.review_action(action)
    }

    /// What was viewed and said reaches the host, so that it outlives the window.
    pub(super) fn settle_reading(&mut self) -> Task<Message> {
        if self.connection != Connection::Up {
            return Task::none();
        }
        let mut told = Task::none();
        for (key, value, whole) in self.review.changes.take_unkept(self.now_ms) {
            self.link.tell(Command::SetPreference { key, value });
            if !whole {
                let words =
                    "There are more comments than can be kept beyond the window's end: send them.";
                told = self.toast(toast::Source::Window, Kind::Hint, None, words);
            }
        }
        told
    }

    /// The host tells how the branches of a repository fit together.
    pub(super) fn conflicts_told(&mut self, live: Live) -> Task<Message> {
        let action = self.review.told(live, self.now_ms);
        self.review_action(action)
    }

    /// An agent's checkout is another one than before.
    pub(super) fn checkout_changed(&mut self, agent: AgentId) -> Task<Message> {
        let action = self.review.checkout_changed(agent);
        self.review_action(action)
    }

    /// Git prints something while it fetches, pulls or pushes.
    pub(super) fn sync_heard(&mut self, heard: Heard) {
        self.review.history.told(heard);
    }

    /// Does what follows.
    pub(super) fn review_action(&mut self, action: Action) -> Task<Message> {
        match action {
            Action::None => Task::none(),
            Action::All(actions) => {
                let tasks: Vec<_> =
                    actions.into_iter().map(|action| self.review_action(action)).collect();
                Task::batch(tasks)
            }
            Action::Ask(question, command) => self.request(*command, move |reply| {
                Message::Review(review::Message::Answered(question.clone(), reply))
            }),
            Action::Tell(words) => self.toast(toast::Source::Window, Kind::Hint, None, words),
            Action::Problem(why) => self.problem(why),
            Action::Scroll(what, x, y) => {
                // A little of what is before it stays in sight.
                let (x, y) = ((x - 200.0).max(0.0), (y - 120.0).max(0.0));
                operation::scroll_to(
                    Widget::new(what),
                    scrollable::AbsoluteOffset { x: Some(x), y: Some(y) },
                )
            }
            Action::Move(what, by) => operation::scroll_by(
                Widget::new(what),
                scrollable::AbsoluteOffset { x: 0.0, y: by },
            ),
            Action::Picture(number, sides) => {
                let read = move || sides.map(|side| side.map(conversation::read_bytes));
                Task::perform(
                    async move { tokio::task::spawn_blocking(read).await.unwrap_or_default() },
                    move |pictures| {
                        let heard = changes::Message::Pictures(number, pictures);
                        Message::Review(review::Message::Changes(heard))
                    },
                )
            }
            Action::ReadFile(directory, name, known) => {
                let of = name.clone();
                waiting(
                    move || files::read(&directory, &name, known),
                    move |read| said(files::Message::Read(of.clone(), Box::new(read))),
                )
            }
            Action::SaveFile(path, bytes, before) => {
                let of = path.clone();
                waiting(
                    move || Ok(documents::save(&path, &bytes, &before)),
                    move |saved| {
                        let saved =
                            saved.unwrap_or_else(|why| Err(documents::Unsaved::Failed(why)));
                        said(files::Message::Saved(of.clone(), saved))
                    },
                )
            }
            Action::OpenElsewhere(path) => {
                let file = target::File { path, line: None, column: None, is: target::Is::Unknown };
                self.done_by(Deed::OpenFile(file))
            }
            Action::PasteInFile => clipboard::read().map(|text| said(files::Message::Pasted(text))),
            Action::Copy(text) => clipboard::write(text),
            Action::Paste(terminal, text) => self.paste_text(terminal, text),
            Action::Go(agent) => self.go_to_waiting(agent),
            Action::Worktree(deed) => self.worktree_deed(deed),
            Action::Close => {
                self.review.shown = false;
                Task::none()
            }
        }
    }

    /// What was written in a file that is not looked at any more is saved.
    pub(super) fn leave_files(&mut self) -> Task<Message> {
        let save = self.review.files.save();
        self.review_action(save)
    }

    pub(super) fn settle_files(&mut self) -> Task<Message> {
        let is_seen = self.review.shown && self.review.page == Page::Files;
        if is_seen { Task::none() } else { self.leave_files() }
    }

    /// The host is asked to tell about the repository that is looked at, and about no other.
    pub(super) fn settle_review(&mut self) -> Task<Message> {
        if self.connection != Connection::Up {
            return Task::none();
        }
        let wanted = self.review.wants().map(std::path::Path::to_owned);
        if wanted == self.review.following {
            return Task::none();
        }
        if let Some(before) = self.review.following.take() {
            self.link.tell(Command::WatchConflicts { repository: before, follow: false });
        }
        self.review.following.clone_from(&wanted);
        let Some(root) = wanted else { return Task::none() };
        let question = Question::Conflicts(root.clone());
        let watch = Command::WatchConflicts { repository: root, follow: true };
        self.review_action(review::ask(question, watch))
    }
}

fn said(message: files::Message) -> Message {
    Message::Review(review::Message::Files(message))
}

#[cfg(test)]
mod tests {
    use iced::Size;
    use maestro_core::command::Context;
    use maestro_ui::font;
    use maestro_ui::theme::NOCTURNE;

    use super::*;

    fn shell(name: &str) -> Shell {
        font::load();
        Shell::scene(name, Size::new(1440.0, 900.0), 1.0, &NOCTURNE).expect("a scene")
    }

    fn does(shell: &mut Shell, id: Id) {
        let _ = shell.update(Message::Command(id));
    }

    fn watched(shell: &Shell) -> Vec<bool> {
        // It is asked to tell, and told to stop.
        let asked = shell.link.asked().into_iter().chain(shell.link.unasked());
        let follow = |command| match command {
            Command::WatchConflicts { follow, .. } => Some(follow),
            _ => None,
        };
        asked.filter_map(follow).collect()
    }

    #[test]
    fn every_page_gives_its_own_meaning_to_keys() {
        for (name, expected) in [
            ("conflicts", Context::Matrix),
            ("conflicts-none", Context::Matrix),
            ("train", Context::Train),
            ("train-target", Context::Overlay),
            ("train-going", Context::Train),
            ("train-undo", Context::Overlay),
            ("race", Context::Race),
            ("worktrees", Context::Worktrees),
            ("worktrees-remove", Context::Overlay),
        ] {
            assert_eq!(shell(name).context(), expected, "{name}");
        }
    }

    #[test]
    fn it_has_the_keyboard_and_gives_it_back() {
        let mut shell = shell("grid");
        let before = (shell.context(), shell.keyboard.clone());
        does(&mut shell, Id::ConflictsOpen);
        assert_eq!(shell.context(), Context::Matrix);
        assert_eq!(shell.keyboard, super::super::NOBODY);
        does(&mut shell, Id::ReviewPage(4));
        assert_eq!(shell.context(), Context::Train);
        // Auto Run takes its place, and the other way round.
        does(&mut shell, Id::RunsOpen);
        assert!(!shell.review.shown);
        does(&mut shell, Id::TrainOpen);
        assert!(!shell.autorun.full);
        does(&mut shell, Id::ReviewLeave);
        assert_eq!((shell.context(), shell.keyboard.clone()), before);
    }

    #[test]
    fn the_host_tells_as_long_as_somebody_looks() {
        let mut shell = shell("grid");
        let _ = watched(&shell);
        does(&mut shell, Id::ConflictsOpen);
        does(&mut shell, Id::ReviewPage(4));
        assert_eq!(watched(&shell), [true]);
        does(&mut shell, Id::ReviewLeave);
        assert_eq!(watched(&shell), [false]);
        // A new host knows nothing of it.
        does(&mut shell, Id::ConflictsOpen);
        let _ = watched(&shell);
        shell.find_host_for_tests();
        assert_eq!(watched(&shell), [true]);
    }

    #[test]
    fn the_list_of_agents_is_reached_and_left_by_one_key() {
        let mut shell = shell("conflicts");
        does(&mut shell, Id::RegionNext);
        assert_eq!(shell.context(), Context::Agents);
        does(&mut shell, Id::RegionNext);
        assert_eq!(shell.context(), Context::Matrix);
        does(&mut shell, Id::RegionPrevious);
        let _ = shell.go_to(AgentId(2));
        assert!(!shell.review.shown, "what one goes to is to be seen");
    }
}
