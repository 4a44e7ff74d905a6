//! The session browser in the window: its questions to the host, and what follows from a choice.

use std::path::PathBuf;

use iced::{Task, clipboard};
use maestro_core::command::Id;
use maestro_core::session::{Session, SessionKey};
use maestro_core::{AgentId, TabId};
use maestro_protocol::message::{Branch, Command, NewAgent, Page, Reply};

use super::{Message, Overlay, Shell};
use crate::window::panes::Pane;
use crate::window::scene;
use crate::window::sessions::{self, Action, Browser, Deed, Place, REST, Resume, Toggle};
use crate::window::target;
use crate::window::toast::{self, Kind};
use crate::window::usage::{self, Usage};

/// A session that is gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed {
    /// In which agent.
    agent: AgentId,
    /// In which of its tabs.
    tab: TabId,
    /// Whether in the conversation; otherwise in the provider's own interface.
    conversation: bool,
}

impl Shell {
    pub(super) fn open_sessions(&mut self) -> Task<Message> {
        let here = self.focused_agent().map(|(agent, _)| agent.directory.clone());
        let place = Place {
            here: here.or_else(|| self.started_in.clone()),
            home: std::env::home_dir().filter(|home| home.is_absolute()),
        };
        let (mut browser, action) = Browser::new(place, self.model.indexing, self.now_ms);
        browser.remember(self.trashed.clone());
        self.overlay = Some(Overlay::Sessions(Box::new(browser)));
        // What was said a moment ago may not be in the index yet.
        self.link.tell(Command::IndexSessions);
        self.sessions_action(action)
    }

    pub(super) fn sessions_message(&mut self, message: sessions::Message) -> Task<Message> {
        self.browse(|browser| browser.update(message))
    }

    /// The index of stored sessions is further.
    pub(super) fn indexed(&mut self) -> Task<Message> {
        let indexing = self.model.indexing;
        self.browse(|browser| browser.indexed(indexing))
    }

    /// A command while the browser is open.
    pub(super) fn sessions_command(&mut self, id: Id) -> Task<Message> {
        let page = Browser::rows(self.window.size) as isize;
        if id == Id::OverlayCancel {
            if let Some(Overlay::Sessions(browser)) = &mut self.overlay
                && !browser.back()
            {
                self.overlay = None;
            }
            return Task::none();
        }
        self.browse(|browser| match id {
            Id::OverlayUp | Id::OverlayPrevious => browser.step(-1),
            Id::OverlayDown | Id::OverlayNext => browser.step(1),
            Id::SessionPageUp => browser.step(-page),
            Id::SessionPageDown => browser.step(page),
            Id::SessionLeafUp => {
                browser.leaf(-1);
                Action::None
            }
            Id::SessionLeafDown => {
                browser.leaf(1);
                Action::None
            }
            Id::OverlayAccept => browser.accept(),
            Id::SessionConverse => browser.act(Deed::Converse),
            Id::SessionBranch => browser.act(Deed::Branch),
            Id::SessionStar => browser.act(Deed::Star),
            Id::SessionTitle => browser.act(Deed::Title),
            Id::SessionTags => browser.act(Deed::Tags),
            Id::SessionTrash => browser.act(Deed::Trash),
            Id::SessionUndo => browser.act(Deed::Undo),
            Id::SessionCopy => browser.act(Deed::CopyId),
            Id::SessionOpen => browser.act(Deed::Open),
            Id::SessionProvider => browser.toggle(Toggle::Provider),
            Id::SessionHere => browser.toggle(Toggle::Here),
            Id::SessionStarred => browser.toggle(Toggle::Starred),
            Id::SessionTrashed => browser.toggle(Toggle::Trashed),
            Id::SessionTools => browser.toggle(Toggle::Tools),
            _ => Action::None,
        })
    }

    fn browse(&mut self, change: impl FnOnce(&mut Browser) -> Action) -> Task<Message> {
        let Some(Overlay::Sessions(browser)) = &mut self.overlay else { return Task::none() };
        let action = change(browser);
        let more = browser.more();
        self.trashed = browser.trashed().cloned();
        Task::batch([self.sessions_action(action), self.sessions_action(more)])
    }

    fn sessions_action(&mut self, action: Action) -> Task<Message> {
        let said = Message::Sessions;
        match action {
            Action::None => Task::none(),
            Action::Wait(question) => {
                let rest = async { tokio::time::sleep(REST).await };
                Task::perform(rest, move |()| said(sessions::Message::Due(question)))
            }
            Action::Find(question, command) => self.request(command, move |reply| {
                let found = match reply {
                    Ok(Reply::Sessions { hits, total, indexing }) => Ok((hits, total, indexing)),
                    Ok(_) => Err("the host did not say which sessions there are".to_owned()),
                    Err(why) => Err(why),
                };
                said(sessions::Message::Found(question, found))
            }),
            Action::More(question, command) => self.request(command, move |reply| {
                let more = match reply {
                    Ok(Reply::Sessions { hits, .. }) => Ok(hits),
                    Ok(_) => Err("the host did not say which sessions there are".to_owned()),
                    Err(why) => Err(why),
                };
                said(sessions::Message::More(question, more))
            }),
            Action::Read(of, command) => self.request(command, move |reply| {
                let page = match reply {
                    Ok(Reply::Entries(page)) => Ok(*page),
                    Ok(_) => Err("the host did not say what is in the session".to_owned()),
                    Err(why) => Err(why),
                };
                said(sessions::Message::Read(of.clone(), page))
            }),
            Action::Change(command) => self.request(command, move |reply| {
                said(sessions::Message::Changed(match reply {
                    Ok(Reply::Session(session)) => Ok(session),
                    Ok(_) => Err("the host did not say what became of the session".to_owned()),
                    Err(why) => Err(why),
                }))
            }),
            Action::Resume(session, how) => self.resume_session(*session, how),
            Action::Copy(id) => {
                let words = format!("The session's id is in the clipboard: {id}");
                let told = self.toast(toast::Source::Window, Kind::Note, None, words);
                Task::batch([clipboard::write(id), told])
            }
            Action::Open(path) => open_transcript(path),
        }
    }

    /// Goes on with a stored session: in the agent that has it open, in one that works in its directory, or
    /// in a new one.
    pub(super) fn resume_session(&mut self, session: Session, how: Resume) -> Task<Message> {
        if let Some((agent, _)) = session.open_in.filter(|_| how != Resume::Worktree) {
            self.overlay = None;
            return self.go_to(agent);
        }
        let Some(directory) = session.directory.clone() else {
            let words = "Its provider did not store where it worked.".to_owned();
            return self.browse(|browser| browser.refused(words));
        };
        self.overlay = None;
        let fits = self.model.agents.iter().find(|agent| {
            how != Resume::Worktree
                && agent.provider == session.provider
                && agent.directory == directory
        });
        let (link, agent) = (self.link.clone(), fits.map(|agent| agent.id));
        let size = self.size_of_one_more();
        let branch = (how == Resume::Worktree).then(|| Branch::New {
            name: format!("resume/{}", session.id.chars().take(8).collect::<String>()),
            base: session.branch.clone(),
        });
        let new = NewAgent {
            provider: session.provider,
            name: None,
            directory,
            branch,
            size,
            start: false,
        };
        let conversation = how == Resume::Conversation;
        let resumed = async move {
            let odd = || "the host did not say what became of it".to_owned();
            let sentence = |error: maestro_protocol::message::Error| error.message;
            let agent = match agent {
                Some(agent) => agent,
                None => match link.request(Command::NewAgent(new)).await.map_err(sentence)? {
                    Reply::Agent(agent) => agent.id,
                    _ => return Err(odd()),
                },
            };
            let title = (!session.title.is_empty()).then_some(session.title);
            let tab = Command::NewTab { agent, session: Some(session.id), title };
            let tab = match link.request(tab).await.map_err(sentence)? {
                Reply::Tab(tab) => tab.id,
                _ => return Err(odd()),
            };
            if !conversation {
                let _ = link.request(Command::ToTerminal { tab, size }).await.map_err(sentence)?;
            }
            Ok(Resumed { agent, tab, conversation })
        };
        Task::perform(resumed, Message::SessionResumed)
    }

    /// A session is gone on with, or not.
    pub(super) fn session_resumed(&mut self, resumed: Result<Resumed, String>) -> Task<Message> {
        match resumed {
            Ok(Resumed { agent, tab, conversation }) => {
                self.focus_pane(Pane::Agent(agent));
                let _ = self.kept.shells.remove(&agent);
                if conversation {
                    self.show_tab(tab);
                } else {
                    let _ = self.kept.conversing.remove(&agent);
                }
                Task::none()
            }
            Err(why) => self.problem(why),
        }
    }
}

impl Shell {
    pub(super) fn open_usage(&mut self) -> Task<Message> {
        let (page, question) = Usage::new(self.now_ms);
        self.overlay = Some(Overlay::Usage(page));
        self.ask_usage(Some(question))
    }

    pub(super) fn usage_command(&mut self, id: Id) -> Task<Message> {
        self.usage(|page| match id {
            Id::OverlayNext => page.step_by(1),
            Id::OverlayPrevious => page.step_by(-1),
            Id::OverlayAccept => page.step_range(),
            _ => {
                page.scroll(if id == Id::OverlayUp { -1 } else { 1 });
                None
            }
        })
    }

    pub(super) fn usage(
        &mut self,
        change: impl FnOnce(&mut Usage) -> Option<usage::Question>,
    ) -> Task<Message> {
        let Some(Overlay::Usage(page)) = &mut self.overlay else { return Task::none() };
        let question = change(page);
        self.ask_usage(question)
    }

    fn ask_usage(&self, question: Option<usage::Question>) -> Task<Message> {
        let Some((number, command)) = question else { return Task::none() };
        self.request(command, move |reply| {
            let sums = match reply {
                Ok(Reply::Usage(sums)) => Ok(sums),
                Ok(_) => Err("the host did not say what was consumed".to_owned()),
                Err(why) => Err(why),
            };
            Message::Usage(usage::Message::Heard(number, sums))
        })
    }

    /// The usage page of a made-up window.
    pub(super) fn prepare_usage(&mut self) {
        let _ = self.open_usage();
        let _ = self.usage(|page| page.update(usage::Message::Heard(1, Ok(scene::sums()))));
    }

    /// The browser of a made-up window: with a search, or with nothing to show.
    pub(super) fn prepare_sessions(&mut self, searched: bool) {
        let _ = self.open_sessions();
        if !searched {
            let none = Ok((Vec::new(), Some(0), scene::indexed(0)));
            let _ = self.sessions_message(sessions::Message::Found(1, none));
            return;
        }
        let query = "currency".to_owned();
        let _ = self.sessions_message(sessions::Message::Queried(query));
        let hits = scene::hits();
        let first = hits.first().map(|hit| hit.session.clone());
        let found = Ok((hits, Some(38), scene::indexed(4_812)));
        let _ = self.sessions_message(sessions::Message::Found(2, found));
        if let Some(Session { provider, id, .. }) = first {
            let page = Page { entries: scene::stored(), total: 212, draft: None };
            let key = SessionKey { provider, id };
            let _ = self.sessions_message(sessions::Message::Read(key, Ok(page)));
        }
    }

    /// Opens the browser over so many made-up conversations.
    pub fn list_sessions(&mut self, count: usize) {
        let few = scene::hits();
        let hit = |at: usize| {
            let mut hit = few[at % few.len()].clone();
            hit.session.id = format!("7f3c0e21-5b0d-4a96-8c11-{at:012}");
            hit
        };
        let hits = (0..count).map(hit).collect();
        let _ = self.open_sessions();
        let found = Ok((hits, Some(count as u64), scene::indexed(count as u64)));
        let _ = self.sessions_message(sessions::Message::Found(1, found));
    }

    #[cfg(test)]
    pub fn marked_session_for_tests(&self) -> Option<usize> {
        match &self.overlay {
            Some(Overlay::Sessions(browser)) => Some(browser.marked_for_tests()),
            _ => None,
        }
    }
}

/// Opens the file of a session with the desktop's program for it.
fn open_transcript(path: PathBuf) -> Task<Message> {
    let file = target::File { path, line: None, column: None, is: target::Is::Document };
    Task::perform(target::open(file), Message::Done)
}
