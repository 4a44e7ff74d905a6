//! Auto Run in the window: its questions to the host, the files it reads and writes, its keyboard.

use iced::widget::{Id as Widget, operation, scrollable};
use iced::{Element, Task, clipboard};
use maestro_core::command::Id;

use super::{Message, Shell};
use crate::window::autorun::{self, Action, Look, Page, files};
use crate::window::paste;
use crate::window::toast::{self, Kind};

impl Shell {
    /// What Auto Run is seen with.
    pub(super) fn autorun_look(&self, width: f32) -> Look<'_> {
        Look {
            tokens: self.tokens,
            keymap: &self.keymap,
            now_ms: self.now_ms,
            turning: self.turns(),
            width,
            height: self.window.size.height,
            directory: self.autorun_directory.as_deref(),
        }
    }

    /// Everything, in the whole window.
    pub(super) fn autorun_view(&self) -> Element<'_, Message> {
        let look = self.autorun_look(self.window.size.width);
        self.autorun.view(&self.model, look).map(Message::Autorun)
    }

    pub(super) fn open_autorun(&mut self, page: Page) -> Task<Message> {
        self.marked = None;
        self.review.shown = false;
        self.autorun_directory = self.project();
        let directory = self.autorun_directory.clone();
        let action = self.autorun.open(page, directory.as_deref(), &self.model);
        self.autorun_action(action)
    }

    pub(super) fn autorun_message(&mut self, message: autorun::Message) -> Task<Message> {
        if matches!(message, autorun::Message::Page(_)) && !self.autorun.full {
            return self.open_autorun(Page::Live);
        }
        if let autorun::Message::Second(now_ms) = message {
            self.now_ms = now_ms;
        }
        let panel = !self.autorun.full;
        if panel && matches!(message, autorun::Message::Task(_)) {
            self.autorun.panel = true;
        }
        if let autorun::Message::Command(Id::RunsLeave) = message {
            // The button leaves at once, from wherever one is.
            let action = self.autorun.close();
            return self.autorun_action(action);
        }
        if let autorun::Message::Command(Id::RunsStart) = message {
            return self.autorun_command(Id::RunsStart);
        }
        let action = self.autorun.update(message, &self.model);
        self.autorun_action(action)
    }

    /// A command of Auto Run, wherever the keyboard is.
    pub(super) fn autorun_command(&mut self, id: Id) -> Task<Message> {
        let action = match id {
            Id::RunsOpen if self.autorun.full => self.autorun.close(),
            Id::RunsOpen => {
                let active = self.model.runs.iter().any(crate::window::model::is_active);
                let page = if active { Page::Live } else { Page::Documents };
                return self.open_autorun(page);
            }
            Id::RunsHistory => return self.open_autorun(Page::History),
            Id::RunsFocus => {
                self.kept.runs_shown = true;
                if self.runs_width().is_none() {
                    // There is no place for the panel: the whole window has it.
                    return self.open_autorun(Page::Live);
                }
                self.marked = None;
                self.autorun.focus_panel(&self.model)
            }
            Id::RunsStart | Id::RunStart => {
                let agent = self.chosen_agent().map(|agent| agent.id);
                let agent = agent.filter(|_| !self.autorun.full);
                self.autorun.start(&self.model, agent)
            }
            id => self.autorun.command(id, &self.model),
        };
        self.autorun_action(action)
    }

    /// Does what follows.
    pub(super) fn autorun_action(&mut self, action: Action) -> Task<Message> {
        let said = Message::Autorun;
        match action {
            Action::None => Task::none(),
            Action::All(actions) => {
                let tasks: Vec<_> =
                    actions.into_iter().map(|action| self.autorun_action(action)).collect();
                Task::batch(tasks)
            }
            Action::Ask(question, command) => self.request(*command, move |reply| {
                said(autorun::Message::Answered(question.clone(), reply))
            }),
            Action::Read(path) => {
                let of = path.clone();
                waiting(
                    move || files::read(&path),
                    move |read| said(autorun::Message::Read(of.clone(), read)),
                )
            }
            Action::Save(path, bytes, before) => {
                let of = path.clone();
                waiting(
                    move || Ok(files::save(&path, &bytes, &before)),
                    move |saved| {
                        let saved = saved.unwrap_or_else(|why| Err(files::Unsaved::Failed(why)));
                        said(autorun::Message::Saved(of.clone(), saved))
                    },
                )
            }
            Action::Create(path, text) => {
                let of = path.clone();
                waiting(
                    move || files::create(&path, &text),
                    move |made| said(autorun::Message::Created(of.clone(), made)),
                )
            }
            Action::Paste(path) => {
                let now_ms = self.now_ms.max(crate::window::now_ms());
                let text = clipboard::read();
                text.then(move |text| {
                    let of = path.clone();
                    if let Some(text) = text.filter(|text| !text.is_empty()) {
                        return Task::done(said(autorun::Message::Pasted(of, Ok(Some(text)))));
                    }
                    let document = path.clone();
                    waiting(
                        move || match paste::image()? {
                            Some(png) => files::keep_image(&document, &png, now_ms).map(Some),
                            None => Ok(None),
                        },
                        move |kept| said(autorun::Message::Pasted(of.clone(), kept)),
                    )
                })
            }
            Action::Tell(words) => self.toast(toast::Source::Window, Kind::Hint, None, words),
            Action::Problem(why) => self.problem(why),
            Action::Scroll(list, y) => {
                // A few rows above it stay in sight.
                let y = (y - 160.0).max(0.0);
                operation::scroll_to(
                    Widget::new(list),
                    scrollable::AbsoluteOffset { x: None, y: Some(y) },
                )
            }
            Action::Snap(y) => operation::snap_to(
                Widget::new(autorun::PREVIEW),
                scrollable::RelativeOffset { x: None, y: Some(y.clamp(0.0, 1.0)) },
            ),
            Action::Move(list, by) => operation::scroll_by(
                Widget::new(list),
                scrollable::AbsoluteOffset { x: 0.0, y: by },
            ),
            Action::Close => {
                let save = self.autorun.close();
                self.autorun_action(save)
            }
        }
    }

    /// A run changed, or another was started.
    pub(super) fn autorun_run_changed(&mut self, run: maestro_core::RunId) -> Task<Message> {
        let Some(run) = self.model.runs.iter().find(|known| known.id == run) else {
            return Task::none();
        };
        let action = self.autorun.run_changed(run, &self.model);
        self.autorun_action(action)
    }

    /// The host is there again: what was listened to is asked for again.
    pub(super) fn autorun_again(&mut self) -> Task<Message> {
        self.autorun.forget_following();
        let action = if self.autorun.full {
            let page = self.autorun.page;
            let directory = self.autorun_directory.clone();
            self.autorun.open(page, directory.as_deref(), &self.model)
        } else {
            self.autorun.settle(&self.model)
        };
        self.autorun_action(action)
    }

    /// What was written in a document that is not shown any more is saved.
    pub(super) fn settle_autorun(&mut self) -> Task<Message> {
        if self.autorun.full {
            return Task::none();
        }
        self.leave_autorun()
    }

    /// Whether its dialogs or its view are there; commands of dialogs are then its.
    pub(super) fn autorun_has_overlay(&self) -> bool {
        self.overlay.is_none()
            && (self.autorun.start.is_some()
                || self.autorun.confirm.is_some()
                || (self.autorun.full && self.autorun.typing.is_some()))
    }

    /// Nobody hears a run or follows a folder any more.
    pub(super) fn leave_autorun(&mut self) -> Task<Message> {
        let action = self.autorun.last_words();
        self.autorun_action(action)
    }
}

/// Does something that may wait for the disk, on a thread that may.
pub(super) fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
    message: impl Fn(Result<T, String>) -> Message + Send + 'static,
) -> Task<Message> {
    let work = async move {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|error| Err(format!("it could not be done: {error}")))
    };
    Task::perform(work, message)
}

#[cfg(test)]
mod tests {
    use iced::Size;
    use maestro_core::command::Context;
    use maestro_ui::font;
    use maestro_ui::theme::NOCTURNE;

    use super::*;
    use crate::window::scene;

    fn shell(name: &str) -> Shell {
        font::load();
        Shell::scene(name, Size::new(1440.0, 900.0), 1.0, &NOCTURNE).expect("a scene")
    }

    fn does(shell: &mut Shell, id: Id) {
        let _ = shell.update(Message::Command(id));
    }

    #[test]
    fn every_state_gives_its_own_meaning_to_keys() {
        for (name, expected) in [
            ("runs", Context::Documents),
            ("runs-editing", Context::Editor),
            ("runs-live", Context::Run),
            ("runs-history", Context::History),
            ("runs-start", Context::RunDialog),
            ("runs-trust", Context::Overlay),
            ("runs-conflict", Context::Overlay),
            ("runs-undo", Context::Overlay),
            ("runs-panel", Context::Run),
        ] {
            assert_eq!(shell(name).context(), expected, "{name}");
        }
    }

    #[test]
    fn the_keyboard_goes_to_the_view_and_back_to_the_terminal() {
        let mut shell = shell("grid");
        let before = (shell.context(), shell.keyboard.clone());
        does(&mut shell, Id::RunsOpen);
        assert_eq!(shell.context(), Context::Run, "a run is going on");
        does(&mut shell, Id::RunsPage(1));
        assert_eq!(
            (shell.context(), shell.keyboard.as_str()),
            (Context::Documents, super::super::NOBODY)
        );
        does(&mut shell, Id::RunsLeave);
        assert_eq!((shell.context(), shell.keyboard.clone()), before);
    }

    #[test]
    fn every_part_of_the_window_is_reached_by_one_key() {
        let mut shell = shell("runs-panel");
        does(&mut shell, Id::RegionNext);
        assert_eq!(shell.context(), Context::Agents);
        does(&mut shell, Id::RegionPrevious);
        assert_eq!(shell.context(), Context::Run);
        does(&mut shell, Id::RegionPrevious);
        assert!(!shell.autorun.has_keyboard());
        does(&mut shell, Id::RegionNext);
        assert_eq!(shell.context(), Context::Run);
    }

    #[test]
    fn what_is_not_saved_is_saved_when_one_goes_elsewhere() {
        let mut shell = shell("runs-editing");
        assert!(shell.autorun.open.as_ref().is_some_and(autorun::document::Open::is_dirty));
        let agent = shell.model.agents[1].id;
        let _ = shell.go_to(agent);
        assert!(!shell.autorun.full);
        let _ = shell.settle();
        let open = shell.autorun.open.as_mut().expect("a document");
        assert!(open.save().is_none(), "it is being written already");
    }

    #[test]
    fn a_run_is_asked_for_by_keys_alone() {
        let mut shell = shell("runs-trust");
        let _ = shell.link.asked();
        does(&mut shell, Id::OverlayAccept);
        let asked = shell.link.asked();
        let started = asked.iter().find_map(|command| match command {
            maestro_protocol::message::Command::StartRun(spec) => Some(spec),
            _ => None,
        });
        let spec = started.expect("it starts");
        assert_eq!(spec.options.trusted, Some(scene::plan(false).hash));
        assert_eq!(spec.documents.len(), 2);
        assert_eq!(spec.options.reset, [spec.documents[1].clone()]);
    }
}
