//! What the host says, and what the window makes of it.

use iced::{Task, clipboard};
use maestro_core::agent::{Agent, Clipboard, State};
use maestro_core::command::Id;
use maestro_core::text;
use maestro_core::{AgentId, TerminalId};
use maestro_protocol::message::{Command, Event, Reply, World};
use maestro_ui::part;
use maestro_ui::theme::duration;

use super::{Connection, Message, Overlay, Shell, workspaces};
use crate::window::agents;
use crate::window::link::News;
use crate::window::model::Notice;
use crate::window::panes::Pane;
use crate::window::toast::{self, Kind};

/// Exit codes of a program that was asked to end: by SIGHUP, SIGINT or SIGTERM. Whoever asked knows.
const ENDED: [i32; 3] = [129, 130, 143];

/// Terminals whose wish to use the clipboard waits for an answer; one more has to try again.
const MOST_WANTED: usize = 32;

impl Shell {
    pub(super) fn heard(&mut self, news: News) -> Task<Message> {
        match news {
            News::Connected { world, again } => self.connected(*world, again),
            News::Resynced(world) => {
                self.model.replace(*world);
                // What was said meanwhile may be lost, too.
                self.talks.forget_following();
                Task::none()
            }
            News::Event { seq, event: event @ Event::Indexing(_) } => {
                let _ = self.model.apply(seq, event);
                self.indexed()
            }
            News::Event { seq, event: Event::DocumentsChanged { folder } } => {
                let action = self.autorun.documents_changed(&folder);
                let _ = self.model.apply(seq, Event::DocumentsChanged { folder });
                self.autorun_action(action)
            }
            News::Event { seq, event: Event::Run(run) } => {
                let id = run.id;
                let _ = self.model.apply(seq, Event::Run(run));
                self.autorun_run_changed(id)
            }
            News::Event { seq, event: Event::Conflicts(live) } => {
                let told = (*live).clone();
                let _ = self.model.apply(seq, Event::Conflicts(live));
                self.conflicts_told(told)
            }
            News::Event { seq, event: Event::Standing(agent, standing) } => {
                let _ = self.model.apply(seq, Event::Standing(agent, standing));
                self.checkout_changed(agent)
            }
            News::Event { seq, event: Event::Preference { key, value } }
                if key == workspaces::PREFERENCE =>
            {
                let heard = self.workspaces_heard(value.as_deref());
                let _ = self.model.apply(seq, Event::Preference { key, value });
                heard
            }
            News::Event { seq, event: Event::SyncHeard(heard) } => {
                let _ = self.model.apply(seq, Event::SyncHeard(heard.clone()));
                self.sync_heard(heard);
                Task::none()
            }
            News::Event { seq, event } => match self.model.apply(seq, event) {
                Some(notice) => self.notice(notice),
                None => Task::none(),
            },
            News::Said { tab, updates } => self.talk_said(tab, updates),
            News::Heard { run, lines } => {
                self.autorun.hear(run, lines);
                Task::none()
            }
            News::Order { number, order } => self.ordered(number, order),
            News::Lost(why) => {
                self.subscribed.clear();
                self.connection = Connection::Lost(why);
                Task::none()
            }
            News::Stopped => {
                self.subscribed.clear();
                self.connection = Connection::Stopped;
                Task::none()
            }
            News::Unreachable(why) => {
                self.connection = Connection::Unreachable(why);
                Task::none()
            }
        }
    }

    pub(super) fn connected(&mut self, world: World, again: bool) -> Task<Message> {
        let first = self.saved.is_none();
        let mut workspaces = Task::none();
        if first {
            self.restore_mastery(&world.preferences);
            workspaces = self.restore_workspaces(&world.preferences);
            for key in self.review.changes.restore(&world.preferences) {
                self.link.tell(Command::SetPreference { key, value: None });
            }
        }
        let restored =
            if first { self.restore(Self::kept_in(&world.preferences)) } else { Task::none() };
        self.subscribed.clear();
        self.talks.forget_following();
        self.model.replace(world);
        // Shells do not survive a host; the agent behind one is what can be resumed.
        let has_shell = |id: &AgentId| {
            self.model.agent(*id).is_some_and(|agent| agent.shell_terminal.is_some())
        };
        self.kept.shells.retain(has_shell);
        self.review.following = None;
        self.connection = Connection::Up;
        self.told_looking = None;
        self.tell_theme();
        let detect =
            self.request(Command::DetectProviders { refresh: false }, |reply| match reply {
                Ok(Reply::Providers(providers)) => Message::Detected(providers),
                Ok(_) => Message::Done(Ok(())),
                Err(why) => Message::Done(Err(why)),
            });
        let shown = self.show_first.take();
        let shown = shown.map_or_else(Task::none, |summon| self.summoned(summon));
        let told = self.tell_resumable(again);
        let talks = Task::batch([self.read_own(), self.keep_all_drafts()]);
        let runs = self.autorun_again();
        Task::batch([restored, detect, told, talks, runs, shown, workspaces])
    }

    pub(super) fn tell_resumable(&mut self, again: bool) -> Task<Message> {
        let resumable = self.model.count(State::Resumable);
        let words = match (resumable, again) {
            (0, false) => return Task::none(),
            (0, true) => "There is a host again. Nothing was lost.".to_owned(),
            (count, _) => {
                let agents = match count {
                    1 => "1 agent can be resumed where it was".to_owned(),
                    count => format!("{count} agents can be resumed where they were"),
                };
                let chord = self.keymap.title(Id::AgentResume).unwrap_or_default();
                format!("{agents}: press Enter in a pane, or {chord}.")
            }
        };
        let title = again.then(|| "The host was gone".to_owned());
        self.toast(toast::Source::Host, Kind::Note, title, words)
    }

    pub(super) fn notice(&mut self, notice: Notice) -> Task<Message> {
        match notice {
            Notice::Notification { agent, title, body } => {
                // A program wrote it.
                let (title, body) = (text::clean(&title, 100), text::clean(&body, 300));
                let name =
                    agent.and_then(|id| self.model.agent(id)).map(|agent| agent.name.clone());
                let source = agent.map_or(toast::Source::Window, toast::Source::Agent);
                let (title, text) = match (title.is_empty(), body.is_empty()) {
                    (_, true) => (name, title),
                    (true, _) => (name, body),
                    (false, false) => match name {
                        Some(name) => (Some(name), format!("{title}: {body}")),
                        None => (Some(title), body),
                    },
                };
                self.toast(source, Kind::Attention, title, text)
            }
            Notice::Problem { agent, text } => {
                let source = agent.map_or(toast::Source::Host, toast::Source::Agent);
                let name =
                    agent.and_then(|id| self.model.agent(id)).map(|agent| agent.name.clone());
                self.toast(source, Kind::Problem, name, part::sentence(&text))
            }
            Notice::Clipboard { terminal, text, policy } => {
                self.clipboard_wanted(terminal, text, policy)
            }
            Notice::Bell(terminal) => {
                let looked_at = self.window.focused && self.focused_terminal() == Some(terminal);
                if !looked_at && self.model.terminals.contains_key(&terminal) {
                    let _ = self.bells.insert(terminal);
                }
                Task::none()
            }
            Notice::Search { terminal, search } => {
                if let Some(find) = self.find.as_mut().filter(|find| find.terminal == terminal) {
                    find.heard(search);
                }
                Task::none()
            }
            Notice::Exited { terminal, exit } => self.exited(terminal, exit),
            Notice::Summoned(summon) => self.summoned(summon),
            Notice::Told(notice) => self.told(&notice),
            Notice::Read(ids) => {
                self.notices_read(&ids);
                Task::none()
            }
            Notice::Collides { agent, with } => {
                let name = self.model.agent(agent).map(|agent| agent.name.clone());
                let words = part::sentence(&agents::collision(&with, 0));
                self.toast(toast::Source::Agent(agent), Kind::Attention, name, words)
            }
            Notice::HostStopping => {
                // What ends from here on, ends because the user wanted it to.
                self.connection = Connection::Stopped;
                Task::none()
            }
        }
    }

    /// A program wants to put something into the clipboard.
    fn clipboard_wanted(
        &mut self,
        terminal: TerminalId,
        text: String,
        policy: Clipboard,
    ) -> Task<Message> {
        let focused = self.focused_terminal() == Some(terminal) && self.window.focused;
        match policy {
            Clipboard::Deny => Task::none(),
            Clipboard::Allow if focused => clipboard::write(text),
            Clipboard::Allow => {
                // Nobody looks there: it is said who did it.
                let words = format!("put {} characters into the clipboard", text.chars().count());
                let name = Some(self.name_of(terminal));
                let told =
                    self.toast(toast::Source::Clipboard, Kind::Note, name, part::sentence(&words));
                Task::batch([clipboard::write(text), told])
            }
            // Only the terminal one types in may put something into the clipboard.
            Clipboard::Focused if focused => clipboard::write(text),
            Clipboard::Focused => Task::none(),
            Clipboard::Ask => {
                if self.wanted.len() < MOST_WANTED || self.wanted.contains_key(&terminal) {
                    let _ = self.wanted.insert(terminal, text);
                }
                Task::none()
            }
        }
    }

    pub(super) fn exited(&mut self, terminal: TerminalId, exit: i32) -> Task<Message> {
        let info = self.model.terminals.get(&terminal);
        let owner = info.and_then(|info| info.agent).and_then(|id| self.model.agent(id));
        let is_shell = owner.is_some_and(|agent| agent.shell_terminal == Some(terminal));
        let own = self.kept.terminals.contains(&terminal);
        if self.connection == Connection::Stopped {
            return Task::none();
        }
        if is_shell || own {
            // A shell that was left is done with: no corpse in the grid.
            if let Some(id) = owner.map(|agent| agent.id) {
                let _ = self.kept.shells.remove(&id);
            }
            self.kept.terminals.retain(|id| *id != terminal);
            self.link.tell(Command::CloseTerminal { terminal });
            return Task::none();
        }
        match owner.map(|agent| (agent.id, agent.name.clone())) {
            // It ends because its session goes on in a conversation.
            Some((id, _)) if self.talks.taking.contains(&id) => Task::none(),
            Some((id, name)) if exit != 0 && !ENDED.contains(&exit) => {
                let words = format!("Its program ended with exit code {exit}.");
                self.toast(toast::Source::Agent(id), Kind::Problem, Some(name), words)
            }
            _ => Task::none(),
        }
    }

    pub(super) fn created(&mut self, result: Result<Agent, String>) -> Task<Message> {
        match result {
            Ok(agent) => {
                // The dialog may have been closed since, and something else opened.
                if matches!(self.overlay, Some(Overlay::NewAgent(_))) {
                    self.overlay = None;
                }
                let pane = Pane::Agent(agent.id);
                let _ = self.kept.shells.remove(&agent.id);
                if self.model.agent(agent.id).is_none() {
                    self.model.agents.push(agent);
                }
                self.focus_pane(pane);
                self.tell_closing()
            }
            Err(why) => match &mut self.overlay {
                Some(Overlay::NewAgent(dialog)) => {
                    dialog.refused(why);
                    Task::none()
                }
                _ => self.problem(why),
            },
        }
    }

    /// Says once what nobody would guess.
    pub(super) fn tell_closing(&mut self) -> Task<Message> {
        if std::mem::replace(&mut self.kept.told_closing, true) {
            return Task::none();
        }
        let words = "Close this window whenever you like: agents and runs go on without it, and \
                     everything is back when you open it again.";
        self.toast(toast::Source::Window, Kind::Note, None, words)
    }

    pub(super) fn problem(&mut self, why: String) -> Task<Message> {
        self.toast(toast::Source::Window, Kind::Problem, None, part::sentence(&why))
    }

    pub(super) fn toast(
        &mut self,
        source: toast::Source,
        kind: Kind,
        title: Option<String>,
        text: impl Into<String>,
    ) -> Task<Message> {
        let number = self.toasts.show(source, kind, title, text);
        let rest = async { tokio::time::sleep(duration::TOAST).await };
        Task::perform(rest, move |()| Message::ToastEnded(number))
    }
}
