//! Conversations in the window: which are in sight, who has the keyboard in them, what their keys do.

mod compose;
mod heard;
mod lists;

use std::time::Duration;

use iced::Task;
use maestro_core::agent::Agent;
use maestro_core::command::{Context, Id};
use maestro_core::conversation::{Place, Tab, TabState};
use maestro_core::{AgentId, TabId};
use maestro_protocol::message::{Command, Reply, TabChange};

use super::{Connection, Message, NOBODY, Overlay, Shell};
use crate::window::conversation;
use crate::window::panes::{Pane, Side};
use crate::window::prompt::Prompt as Question;
use crate::window::talk::{self, Following, PAGE, Region, Talk};
use crate::window::toast::{self, Kind};
use crate::window::{composer, requests, tabs};

/// How long the second Escape may take.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What was asked for and was not answered with.
pub(super) const ODD: &str = "the host answered with something else than was asked for";

/// A message of the conversations.
pub(super) fn said(message: talk::Message) -> Message {
    Message::Talk(message)
}

impl Shell {
    /// The tab in the pane with the keyboard.
    pub(super) fn focused_tab(&self) -> Option<&Tab> {
        let pane = self.focused()?;
        match self.side(pane) {
            Side::Conversation(Some(id)) => self.model.tab(id),
            _ => None,
        }
    }

    fn focused_talk(&self) -> Option<(&Tab, &Talk)> {
        let tab = self.focused_tab()?;
        Some((tab, self.talks.open.get(&tab.id)?))
    }

    /// The tab that an agent's conversation shows.
    pub(super) fn tab_of(&self, agent: AgentId) -> Option<TabId> {
        let open = |tab: &&Tab| tab.agent == agent && !tab.closed;
        let chosen = self.kept.tabs.iter().find(|(id, _)| *id == agent).map(|(_, tab)| *tab);
        let chosen =
            chosen.filter(|id| self.model.tabs.iter().any(|tab| tab.id == *id && open(&tab)));
        chosen.or_else(|| self.model.tabs.iter().find(open).map(|tab| tab.id))
    }

    /// Shows a tab in its agent's pane, and gives it the keyboard.
    pub(super) fn show_tab(&mut self, id: TabId) {
        let Some(agent) = self.model.tab(id).map(|tab| tab.agent) else { return };
        self.choose_tab(agent, id);
        self.show_conversation(agent);
        self.focus_pane(Pane::Agent(agent));
    }

    fn choose_tab(&mut self, agent: AgentId, id: TabId) {
        self.kept.tabs.retain(|(other, _)| *other != agent);
        self.kept.tabs.push((agent, id));
        self.talks.region = Region::Composer;
        self.talks.armed = None;
    }

    fn show_conversation(&mut self, agent: AgentId) {
        let _ = self.kept.shells.remove(&agent);
        let _ = self.kept.conversing.insert(agent);
    }

    // What follows from a change.

    /// Brings the conversations in line with what is in sight.
    pub(super) fn settle_talks(&mut self) -> Task<Message> {
        let known = |id: &TabId| self.model.tab(*id).is_some();
        self.talks.open.retain(|id, _| known(id));
        self.kept.conversing.retain(|id| self.model.agent(*id).is_some());
        self.settle_sizes();
        let mut tasks = Vec::new();
        let seen: Vec<TabId> = self
            .visible_panes()
            .into_iter()
            .filter_map(|(_, side)| match side {
                Side::Conversation(tab) => tab,
                _ => None,
            })
            .collect();
        if self.connection == Connection::Up {
            for (id, talk) in &mut self.talks.open {
                if talk.following != Following::No && !seen.contains(id) {
                    talk.left();
                    self.link.tell(Command::LeaveTab { tab: *id });
                }
            }
            for id in &seen {
                if self.talks.of(*id).following == Following::No {
                    tasks.push(self.open_tab(*id));
                }
            }
        }
        for id in seen {
            tasks.extend(self.settle_cards(id));
        }
        if let Some(Overlay::Queue(queue)) = &mut self.overlay {
            queue.settle(&self.model);
        }
        self.settle_region();
        self.tell_read();
        tasks.push(self.reveal_tabs());
        Task::batch(tasks)
    }

    /// Brings the shown tabs into sight in bars that are too narrow for all of them.
    fn reveal_tabs(&mut self) -> Task<Message> {
        let width = self.window.size.width as u32;
        let shown: Vec<(TabId, usize, u32)> = self
            .visible_panes()
            .into_iter()
            .filter_map(|(_, side)| match side {
                Side::Conversation(Some(tab)) => Some(tab),
                _ => None,
            })
            .filter_map(|id| self.model.tab(id))
            .map(|tab| (tab.id, self.open_tabs(tab.agent).len(), width))
            .collect();
        let fresh = shown.iter().filter(|tab| !self.talks.revealed.contains(tab));
        let tabs = fresh.filter_map(|(id, ..)| self.model.tab(*id));
        let tasks: Vec<_> = tabs.map(|tab| tabs::reveal(tab.agent, tab.id)).collect();
        self.talks.revealed = shown;
        Task::batch(tasks)
    }

    /// Panes in which there is little place.
    fn settle_sizes(&mut self) {
        let shown = self.plan().shown;
        let sizes = || shown.iter().map(|(pane, place)| (*pane, place));
        self.narrow =
            sizes().filter(|(_, size)| size.width < talk::NARROW).map(|(pane, _)| pane).collect();
        let low = sizes().filter(|(_, size)| size.height < talk::LOW);
        self.low = low.map(|(pane, size)| (pane, size.height)).collect();
    }

    fn open_tab(&mut self, tab: TabId) -> Task<Message> {
        self.talks.of(tab).following = Following::Asked;
        let command = Command::OpenTab { tab, last: PAGE, follow: true };
        let open =
            self.request(command, move |reply| said(talk::Message::Opened(tab, page(reply))));
        Task::batch([open, self.read_menu(tab)])
    }

    /// A card that came is looked at after a while, and gets the keyboard if nobody was writing.
    fn settle_cards(&mut self, id: TabId) -> Option<Task<Message>> {
        let focused = self.focused_tab().is_some_and(|tab| tab.id == id);
        let requests = self.model.tab(id)?.requests.clone();
        let region = self.talks.region;
        let talk = self.talks.of(id);
        let came = talk.cards.settle(&requests);
        let free = talk.composer.is_empty() && talk.rests && !talk.composer.has_popup();
        let offered =
            if focused && free && region == Region::Composer { talk.cards.offer() } else { None };
        if offered.is_some() {
            self.talks.region = Region::Cards;
        }
        offered.or(came).map(|wait| look_later(id, wait))
    }

    /// Whether the card in front has something for a command to do: what helps only where it says so.
    pub(super) fn card_offers(&self, id: Id) -> bool {
        let helps = matches!(
            id,
            Id::CardRetry
                | Id::CardLogin
                | Id::CardRebuild
                | Id::CardModel
                | Id::CardCompact
                | Id::CardNewTab
                | Id::CardRelease
                | Id::CardTerminal
                | Id::CardResumes
        );
        let Some((tab, talk)) = self.focused_talk().filter(|_| helps) else { return true };
        let queue = self.model.queues.get(&tab.agent);
        !talk.cards.is_open()
            && requests::help(tab, queue, self.now_ms)
                .is_some_and(|help| help.keys.iter().any(|(offered, _)| *offered == id))
    }

    /// The keyboard is never with a part that is not there.
    fn settle_region(&mut self) {
        let Some((tab, talk)) = self.focused_talk() else { return };
        let queue = self.model.queues.get(&tab.agent);
        let cards = talk.cards.is_open() || requests::help(tab, queue, self.now_ms).is_some();
        let (id, stops) = (tab.id, can_stop(&tab.state));
        if self.talks.region == Region::Cards && !cards {
            self.talks.region = Region::Composer;
        }
        if self.talks.armed.is_some_and(|armed| armed != id || !stops) {
            self.talks.armed = None;
        }
    }

    /// What is looked at is not unread.
    fn tell_read(&mut self) {
        let Some((id, unread)) = self.focused_tab().map(|tab| (tab.id, tab.unread)) else { return };
        let looked = self.window.focused && self.overlay.is_none();
        let connected = self.connection == Connection::Up;
        let talk = self.talks.of(id);
        if !unread {
            talk.told_read = false;
        } else if looked && connected && !talk.told_read {
            talk.told_read = true;
            self.link.tell(Command::ChangeTab { tab: id, change: TabChange::Unread(false) });
        }
    }

    /// Whether something in a conversation in sight changes every second.
    pub(super) fn counts_down(&self) -> bool {
        self.visible_panes().into_iter().any(|(_, side)| {
            let Side::Conversation(Some(id)) = side else { return false };
            let counts = self.model.tab(id).is_some_and(|tab| match tab.state {
                TabState::Retrying { until_ms, .. } => until_ms.is_some(),
                TabState::Limited { until_ms, .. } => {
                    until_ms.is_some_and(|until| until < self.now_ms + 120_000)
                }
                _ => false,
            });
            let talk = self.talks.open.get(&id);
            counts || talk.is_some_and(|talk| talk.view.is_ticking(&talk.transcript))
        })
    }

    /// The widget in a conversation that has the keyboard.
    pub(super) fn talk_keyboard(&self) -> Option<String> {
        let pane = self.focused()?;
        let Side::Conversation(tab) = self.side(pane) else { return None };
        let nobody = Some(NOBODY.to_owned());
        let Some((tab, talk)) = tab.and_then(|_| self.focused_talk()) else { return nobody };
        match self.talks.region {
            Region::Composer if matches!(tab.place, Place::Terminal(_)) => nobody,
            Region::Composer => Some(composer::widget_id(tab.id)),
            Region::Cards if talk.cards.is_writing() => Some(requests::INPUT.to_owned()),
            Region::Cards => nobody,
            Region::Entries => {
                let input = talk.input.filter(|_| talk.view.is_finding());
                input.map(str::to_owned).or(nobody)
            }
        }
    }

    /// What the keys mean in the conversation that has them.
    pub(super) fn talk_context(&self) -> Option<Context> {
        let pane = self.focused().filter(|_| self.connection != Connection::Stopped)?;
        let Side::Conversation(tab) = self.side(pane) else { return None };
        let Some((_, talk)) = tab.and_then(|_| self.focused_talk()) else {
            return Some(Context::Conversation);
        };
        Some(match self.talks.region {
            Region::Composer if talk.composer.has_popup() => Context::Popup,
            Region::Composer => Context::Composer,
            Region::Cards if talk.cards.is_writing() => Context::Conversation,
            Region::Cards => Context::Request,
            Region::Entries if talk.view.is_finding() => Context::Search,
            Region::Entries => Context::Entries,
        })
    }

    /// Whether something is selected in the composer with the keyboard.
    pub(super) fn has_selected(&self) -> bool {
        self.focused_talk().is_some_and(|(_, talk)| talk.composer.has_selection())
    }

    /// Whether text is selected in what was said.
    pub(super) fn entries_selected(&self) -> bool {
        self.focused_talk().is_some_and(|(_, talk)| talk.view.has_selected())
    }

    /// Whether there is a turn to interrupt.
    pub(super) fn can_interrupt(&self) -> bool {
        self.focused_tab().is_some_and(|tab| can_stop(&tab.state))
    }

    /// Whether a reason or an answer is being written in a card.
    pub(super) fn writes_answer(&self) -> bool {
        let writes = self.focused_talk().is_some_and(|(_, talk)| talk.cards.is_writing());
        writes && self.talks.region == Region::Cards
    }

    /// Whether an arrow key leads to other prompts.
    pub(super) fn composer_at_edge(&self, older: bool) -> bool {
        let at_edge = |talk: &Talk| talk.composer.is_at_edge(older);
        self.talks.region == Region::Composer
            && self.focused_talk().is_some_and(|(_, talk)| at_edge(talk))
    }

    /// F6 goes through the parts of a conversation, too.
    pub(super) fn region_step(&mut self, forward: bool) {
        if self.marked.take().is_some() {
            self.talks.region = if forward { Region::Entries } else { Region::Composer };
            return;
        }
        let Some((tab, talk)) = self.focused_talk() else { return self.mark() };
        let queue = self.model.queues.get(&tab.agent);
        let cards = talk.cards.is_open() || requests::help(tab, queue, self.now_ms).is_some();
        let all: &[Region] = if cards {
            &[Region::Entries, Region::Cards, Region::Composer]
        } else {
            &[Region::Entries, Region::Composer]
        };
        let at = all.iter().position(|region| *region == self.talks.region).unwrap_or(0);
        let next = if forward { Some(at + 1) } else { at.checked_sub(1) };
        match next.and_then(|next| all.get(next)) {
            Some(region) => self.talks.region = *region,
            // Beyond the last part comes the list of agents.
            None => self.mark(),
        }
    }

    // Commands.

    /// A command about conversations, wherever the keyboard is.
    pub(super) fn talk_command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::ConversationShow => return self.toggle_conversation(),
            Id::ConversationMove => return self.move_session(),
            Id::AttentionNext => return self.next_waiting(),
            Id::AgentWhy => return self.ask_why(),
            Id::AgentLogin | Id::CardLogin => return self.log_in(),
            Id::QueueShow => {
                let here = self.focused_agent().map(|(agent, _)| agent.id);
                let view = crate::window::queue::View::new(&self.model, here);
                self.overlay = Some(Overlay::Queue(Box::new(view)));
                return Task::none();
            }
            Id::QueueHold | Id::CardRelease => return self.hold_queue(),
            Id::TabsSearch => {
                self.overlay = Some(Overlay::Picker(tabs::picker::Picker::search()));
                return Task::none();
            }
            Id::TabUnreadNext => return self.next_unread(),
            Id::TabNew | Id::CardNewTab => return self.new_tab(),
            Id::TabReopen => return self.offer_closed(),
            _ => {}
        }
        let Some(tab) = self.focused_tab().cloned() else {
            return self.misplaced(id, "a conversation", Id::ConversationShow);
        };
        match id {
            Id::TabClose => return self.close_tab(tab.id),
            Id::TabRename => {
                self.overlay = Some(Overlay::Prompt(Question::rename_tab(&tab)));
            }
            Id::TabStar => return self.change_tab(tab.id, TabChange::Starred(!tab.starred)),
            Id::TabUnread => {
                // It stays so until it is left and come back to.
                self.talks.of(tab.id).told_read = true;
                return self.change_tab(tab.id, TabChange::Unread(true));
            }
            Id::TabNext => self.step_tab(&tab, 1),
            Id::TabPrevious => self.step_tab(&tab, -1),
            Id::TabNumber(number) => {
                let number = usize::from(number).saturating_sub(1);
                if let Some(id) = self.open_tabs(tab.agent).get(number).copied() {
                    self.choose_tab(tab.agent, id);
                }
            }
            Id::TabsCloseOthers | Id::TabsCloseLeft | Id::TabsCloseRight => {
                return self.close_tabs(&tab, id);
            }
            Id::TabLast => {
                if let Some(last) = self.open_tabs(tab.agent).last().copied() {
                    self.choose_tab(tab.agent, last);
                }
            }
            Id::TabToStart => {
                let first = self.open_tabs(tab.agent).first().copied().filter(|id| *id != tab.id);
                let Some(first) = first else { return Task::none() };
                return self.change_tab(tab.id, TabChange::Before(Some(first)));
            }
            Id::TabToEnd => return self.change_tab(tab.id, TabChange::Before(None)),
            Id::TabLeft => return self.move_tab(&tab, false),
            Id::TabRight => return self.move_tab(&tab, true),
            Id::TabPolicy | Id::TabModel | Id::TabEffort | Id::CardModel => {
                return self.offer_menu(&tab, id);
            }
            Id::TurnInterrupt => return self.interrupt(tab.id),
            Id::TurnRetry | Id::CardRetry => return self.ask(Command::TryAgain { tab: tab.id }),
            Id::TurnResumes | Id::CardResumes => return self.turn_resumes(&tab),
            Id::TurnCompact | Id::CardCompact => return self.compact(&tab),
            Id::SessionRebuild | Id::CardRebuild => {
                return self.ask(Command::Rebuild { tab: tab.id });
            }
            Id::CardTerminal => return self.hand_over(&tab),
            Id::RequestFocus => self.talks.region = Region::Cards,
            Id::ComposerFocus => {
                self.talks.region = match self.talks.region {
                    Region::Composer => Region::Entries,
                    _ => Region::Composer,
                };
            }
            Id::TurnsFocus => {
                self.talks.region = Region::Entries;
                return self.view_command(tab.id, id);
            }
            Id::EntryLeave => {
                let _ = self.view_command(tab.id, id);
                self.talks.region = Region::Composer;
            }
            Id::ComposerFull
            | Id::ComposerReadOnly
            | Id::ComposerSend
            | Id::ComposerUndo
            | Id::ComposerRedo
            | Id::ComposerOlder
            | Id::ComposerNewer
            | Id::ComposerPaste
            | Id::ImageRemove
            | Id::QueueEditLast
            | Id::PopupUp
            | Id::PopupDown
            | Id::PopupAccept
            | Id::PopupClose
            | Id::ConversationLeave => return self.composer_command(&tab, id),
            Id::RequestOnce
            | Id::RequestAlways
            | Id::RequestDeny
            | Id::RequestOption(_)
            | Id::RequestSubmit
            | Id::RequestLeave
            | Id::RequestUp
            | Id::RequestDown
            | Id::RequestNext
            | Id::RequestPrevious
            | Id::RequestMark
            | Id::RequestWrite => return self.card_command(&tab, id),
            id => return self.view_command(tab.id, id),
        }
        Task::none()
    }

    /// A key in a card: letters that mean nothing here are meant for the composer.
    fn card_command(&mut self, tab: &Tab, id: Id) -> Task<Message> {
        let action = self.talks.of(tab.id).cards.command(id, &tab.requests);
        self.card_action(tab.id, action)
    }

    pub(super) fn card_action(&mut self, id: TabId, action: requests::Action) -> Task<Message> {
        match action {
            requests::Action::None => Task::none(),
            requests::Action::Focus => {
                self.talks.region = Region::Cards;
                Task::none()
            }
            requests::Action::Leave => {
                self.talks.region = Region::Composer;
                Task::none()
            }
            requests::Action::Wait(wait) => look_later(id, wait),
            requests::Action::Command(command) if is_card(command) => Task::none(),
            requests::Action::Command(command) => self.talk_command(command),
            requests::Action::Answer(request, answer) => {
                let command = Command::Answer { tab: id, request: request.clone(), answer };
                self.request(command, move |reply| {
                    let done = reply.map(|_| ());
                    said(talk::Message::Answered(id, request.clone(), done))
                })
            }
        }
    }

    /// A command of what was said.
    fn view_command(&mut self, id: TabId, command: Id) -> Task<Message> {
        let talk = self.talks.of(id);
        let action = talk.view.command(command, &talk.transcript);
        action.map_or_else(Task::none, |action| self.view_action(id, action))
    }

    pub(super) fn view_action(&mut self, id: TabId, action: conversation::Action) -> Task<Message> {
        match action {
            conversation::Action::None => Task::none(),
            conversation::Action::Copy(text, words) => {
                let told = self.toast(toast::Source::Clipboard, Kind::Note, None, words.to_owned());
                Task::batch([iced::clipboard::write(text), told])
            }
            conversation::Action::Primary(text) => iced::clipboard::write_primary(text),
            conversation::Action::Open(address) => self.open_address(id, &address),
            conversation::Action::Older(before) => self.read_older(id, before),
            conversation::Action::Keyboard(keyboard) => {
                let talk = self.talks.of(id);
                match keyboard {
                    conversation::Keyboard::Composer => self.talks.region = Region::Composer,
                    conversation::Keyboard::Entries => {
                        talk.input = None;
                        self.talks.region = Region::Entries;
                    }
                    conversation::Keyboard::Input(input) => {
                        talk.input = Some(input);
                        self.talks.region = Region::Entries;
                    }
                }
                // A click may have taken the keyboard from who had it.
                self.keyboard.clear();
                Task::none()
            }
            conversation::Action::Export(format) => self.export_tab(id, format),
            conversation::Action::Run(task) => {
                task.map(move |message| said(talk::Message::View(id, message)))
            }
        }
    }

    fn read_older(&mut self, tab: TabId, before: u64) -> Task<Message> {
        let talk = self.talks.of(tab);
        if std::mem::replace(&mut talk.reading, true) {
            return Task::none();
        }
        let command = Command::ReadTab { tab, before, most: PAGE };
        self.request(command, move |reply| said(talk::Message::Older(tab, page(reply))))
    }

    /// Shows the conversation of an agent, or its own interface; its session stays where it is.
    fn toggle_conversation(&mut self) -> Task<Message> {
        let Some((agent, side)) = self.focused_agent() else { return Task::none() };
        let id = agent.id;
        if let Side::Conversation(_) = side {
            let _ = self.kept.conversing.remove(&id);
            return Task::none();
        }
        self.show_conversation(id);
        if self.tab_of(id).is_none() { self.new_tab() } else { Task::none() }
    }

    /// Moves the session of the agent between conversation and its own interface.
    fn move_session(&mut self) -> Task<Message> {
        let Some((agent, side)) = self.focused_agent() else { return Task::none() };
        let id = agent.id;
        let in_terminal = self.runs_in_terminal(agent);
        match side {
            Side::Conversation(Some(_)) => {
                let Some(tab) = self.focused_tab().cloned() else { return Task::none() };
                if matches!(tab.place, Place::Terminal(_)) {
                    return self.take_back(id);
                }
                self.hand_over(&tab)
            }
            Side::Conversation(None) => {
                let _ = self.kept.conversing.remove(&id);
                Task::none()
            }
            _ if in_terminal => self.take_back(id),
            _ => self.toggle_conversation(),
        }
    }

    fn runs_in_terminal(&self, agent: &Agent) -> bool {
        let terminal = agent.ai_terminal.and_then(|id| self.model.terminals.get(&id));
        terminal.is_some_and(|info| info.exit.is_none())
    }

    pub(super) fn take_back(&mut self, agent: AgentId) -> Task<Message> {
        self.talks.taking.push(agent);
        self.request(Command::ToConversation { agent }, move |reply| {
            said(talk::Message::Made(agent, tab_in(reply)))
        })
    }

    fn hand_over(&self, tab: &Tab) -> Task<Message> {
        let (agent, size) = (tab.agent, self.size_of_focused());
        self.request(Command::ToTerminal { tab: tab.id, size }, move |reply| {
            said(talk::Message::Moved(agent, reply.map(|_| ())))
        })
    }

    fn new_tab(&mut self) -> Task<Message> {
        let Some(agent) = self.chosen_agent().map(|agent| agent.id) else { return Task::none() };
        if self.talks.making.contains(&agent) {
            return Task::none();
        }
        self.talks.making.push(agent);
        let command = Command::NewTab { agent, session: None, title: None };
        self.request(command, move |reply| said(talk::Message::Made(agent, tab_in(reply))))
    }

    pub(super) fn close_tab(&mut self, id: TabId) -> Task<Message> {
        let Some(tab) = self.model.tab(id).cloned() else { return Task::none() };
        let open = self.open_tabs(tab.agent);
        let at = open.iter().position(|other| *other == id).unwrap_or(0);
        if self.tab_of(tab.agent) == Some(id)
            && let Some(next) = open.get(at + 1).or_else(|| open.get(at.wrapping_sub(1)))
        {
            self.choose_tab(tab.agent, *next);
        }
        let draft = self.talks.open.get(&id).is_some_and(|talk| !talk.composer.is_empty());
        let chord = self.keymap.title(Id::TabReopen).unwrap_or_default();
        let kept = if draft { " Its draft is kept." } else { "" };
        let words = format!("{chord} opens it again.{kept}");
        let title = Some(format!("Closed: {}", tabs::title(&tab)));
        let told = self.toast(toast::Source::Window, Kind::Note, title, words);
        Task::batch([self.change_tab(id, TabChange::Closed(true)), told])
    }

    /// Closes those beside a tab.
    fn close_tabs(&mut self, tab: &Tab, id: Id) -> Task<Message> {
        let open = self.open_tabs(tab.agent);
        let at = open.iter().position(|other| *other == tab.id).unwrap_or(0);
        let goes = |other: usize| match id {
            Id::TabsCloseLeft => other < at,
            Id::TabsCloseRight => other > at,
            _ => other != at,
        };
        let closed: Vec<TabId> =
            open.iter().enumerate().filter(|(other, _)| goes(*other)).map(|(_, id)| *id).collect();
        if closed.is_empty() {
            return Task::none();
        }
        let title = match closed.len() {
            1 => "Closed one tab".to_owned(),
            count => format!("Closed {count} tabs"),
        };
        let chord = self.keymap.title(Id::TabReopen).unwrap_or_default();
        let words = format!("{chord} opens them again. Drafts are kept.");
        let told = self.toast(toast::Source::Window, Kind::Note, Some(title), words);
        let changes = closed.into_iter().map(|id| self.change_tab(id, TabChange::Closed(true)));
        Task::batch(changes.chain([told]))
    }

    pub(super) fn change_tab(&self, tab: TabId, change: TabChange) -> Task<Message> {
        self.ask(Command::ChangeTab { tab, change })
    }

    fn open_tabs(&self, agent: AgentId) -> Vec<TabId> {
        let open = self.model.tabs.iter().filter(|tab| tab.agent == agent && !tab.closed);
        open.map(|tab| tab.id).collect()
    }

    fn step_tab(&mut self, tab: &Tab, by: isize) {
        let open = self.open_tabs(tab.agent);
        let at = open.iter().position(|id| *id == tab.id).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(open.len().max(1) as isize) as usize;
        if let Some(id) = open.get(next).copied() {
            self.choose_tab(tab.agent, id);
        }
    }

    fn move_tab(&mut self, tab: &Tab, right: bool) -> Task<Message> {
        let open = self.open_tabs(tab.agent);
        let Some(at) = open.iter().position(|id| *id == tab.id) else { return Task::none() };
        let before = if right {
            if at + 1 >= open.len() {
                return Task::none();
            }
            open.get(at + 2).copied()
        } else {
            let Some(left) = at.checked_sub(1) else { return Task::none() };
            open.get(left).copied()
        };
        self.change_tab(tab.id, TabChange::Before(before))
    }

    /// The next tab in which something was said that nobody has looked at; agents in the list's order.
    fn next_unread(&mut self) -> Task<Message> {
        let order = crate::window::agents::order(&self.model);
        let all: Vec<(TabId, bool)> = order
            .iter()
            .flat_map(|agent| self.model.tabs.iter().filter(move |tab| tab.agent == *agent))
            .filter(|tab| !tab.closed)
            .map(|tab| (tab.id, tab.unread))
            .collect();
        let here = self.focused_tab().map(|tab| tab.id);
        let from = all.iter().position(|(id, _)| Some(*id) == here).map_or(0, |at| at + 1);
        let next = all.iter().cycle().skip(from).take(all.len()).find(|(_, unread)| *unread);
        match next.map(|(id, _)| *id) {
            Some(id) => {
                self.show_tab(id);
                Task::none()
            }
            None => {
                let words = "Nothing is unread.";
                self.toast(toast::Source::Window, Kind::Hint, None, words)
            }
        }
    }

    /// Shows who needs the user, and gives the keyboard to what is asked.
    pub(super) fn go_to_waiting(&mut self, id: AgentId) -> Task<Message> {
        let asks = |tab: &&Tab| tab.agent == id && !tab.requests.is_empty();
        let asking = self.model.tabs.iter().find(asks).map(|tab| (tab.id, tab.closed));
        let Some((tab, closed)) = asking else { return self.go_to(id) };
        let opened = closed.then(|| self.change_tab(tab, TabChange::Closed(false)));
        self.show_tab(tab);
        let _ = self.talks.of(tab);
        self.talks.region = Region::Cards;
        Task::batch(opened)
    }

    pub(super) fn interrupt(&mut self, tab: TabId) -> Task<Message> {
        self.talks.armed = None;
        let stops = self.model.tab(tab).is_some_and(|tab| can_stop(&tab.state));
        if stops { self.ask(Command::Interrupt { tab }) } else { Task::none() }
    }

    /// Escape in the composer: what is open closes; without anything open, twice interrupts.
    pub(super) fn escape(&mut self, tab: &Tab) -> Task<Message> {
        let talk = self.talks.of(tab.id);
        if talk.composer.full {
            talk.composer.full = false;
            return Task::none();
        }
        if !can_stop(&tab.state) {
            return Task::none();
        }
        if self.talks.armed == Some(tab.id) {
            return self.interrupt(tab.id);
        }
        self.talks.armed = Some(tab.id);
        self.talks.armings += 1;
        let armings = self.talks.armings;
        let rest = async { tokio::time::sleep(PATIENCE).await };
        Task::perform(rest, move |()| said(talk::Message::Disarmed(armings)))
    }

    fn hold_queue(&mut self) -> Task<Message> {
        let Some(agent) = self.chosen_agent().map(|agent| agent.id) else { return Task::none() };
        let held = self.model.queues.get(&agent).is_some_and(|queue| queue.held.is_some());
        self.ask(Command::HoldQueue { agent, held: !held })
    }

    fn log_in(&mut self) -> Task<Message> {
        let Some(agent) = self.chosen_agent().map(|agent| agent.id) else { return Task::none() };
        let size = self.size_of_focused();
        self.request(Command::Login { agent, size }, |reply| {
            Message::Opened(match reply {
                Ok(Reply::Terminal(info)) => Ok(info),
                Ok(_) => Err(ODD.to_owned()),
                Err(why) => Err(why),
            })
        })
    }

    fn ask_why(&mut self) -> Task<Message> {
        let Some(agent) = self.chosen_agent().map(|agent| agent.id) else { return Task::none() };
        self.overlay = Some(Overlay::Why(tabs::why::Why::new(agent)));
        self.request(Command::Why { agent }, move |reply| {
            said(talk::Message::Why(
                agent,
                match reply {
                    Ok(Reply::Evidence(seen)) => Ok(seen),
                    Ok(_) => Err(ODD.to_owned()),
                    Err(why) => Err(why),
                },
            ))
        })
    }
}

/// Whether there is something to stop.
fn can_stop(state: &TabState) -> bool {
    state.is_busy() || matches!(state, TabState::Limited { .. })
}

/// Commands that only a card has a meaning for.
fn is_card(id: Id) -> bool {
    matches!(
        id,
        Id::RequestOnce
            | Id::RequestAlways
            | Id::RequestDeny
            | Id::RequestOption(_)
            | Id::RequestSubmit
            | Id::RequestLeave
            | Id::RequestUp
            | Id::RequestDown
            | Id::RequestNext
            | Id::RequestPrevious
            | Id::RequestMark
            | Id::RequestWrite
    )
}

/// A card is looked at again when it has been there for a while.
pub(super) fn look_later(tab: TabId, wait: u64) -> Task<Message> {
    let rest = async { tokio::time::sleep(requests::SEEN).await };
    Task::perform(rest, move |()| said(talk::Message::CardSeen(tab, wait)))
}

pub(super) fn page(
    reply: Result<Reply, String>,
) -> Result<Box<maestro_protocol::message::Page>, String> {
    match reply {
        Ok(Reply::Entries(page)) => Ok(page),
        Ok(_) => Err(ODD.to_owned()),
        Err(why) => Err(why),
    }
}

fn tab_in(reply: Result<Reply, String>) -> Result<Box<Tab>, String> {
    match reply {
        Ok(Reply::Tab(tab)) => Ok(tab),
        Ok(_) => Err(ODD.to_owned()),
        Err(why) => Err(why),
    }
}
