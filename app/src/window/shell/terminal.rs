//! What the user does to the terminal with the keyboard: search, vi mode, links, pasting, clearing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use iced::{Task, clipboard};
use iced_runtime::widget::operation;
use maestro_core::TerminalId;
use maestro_core::command::Id;
use maestro_core::input::{Input, Mods, OutputOf, ScrollTo, Select, SelectBy, Vi as ViInput};
use maestro_core::link::Link;
use maestro_protocol::message::{Command, PASTE_LIMIT, Reply};

use super::{Message, Overlay, Shell};
use crate::window::ask::{self, Ask, Deed};
use crate::window::find::{self, Find};
use crate::window::hints::{self, Hints};
use crate::window::panes::Pane;
use crate::window::paste;
use crate::window::target::{self, Target};
use crate::window::toast::{self, Kind};

/// How long a query may grow before the host is asked: a frame.
const TYPING: Duration = Duration::from_millis(16);

impl Shell {
    /// A command about the terminal with the keyboard.
    pub(super) fn terminal_command(&mut self, id: Id) -> Task<Message> {
        let Some(terminal) = self.focused_terminal() else {
            return self.misplaced(id, "a terminal", Id::ToggleShell);
        };
        match id {
            Id::Search | Id::ViSearch => return self.open_find(terminal),
            Id::Hints => return self.open_hints(terminal),
            Id::ViEnter => self.enter_vi(terminal, None),
            Id::KeyboardSelect => self.enter_vi(terminal, Some(SelectBy::Cell)),
            Id::PromptPrevious => self.terminal_input(Input::Scroll(ScrollTo::Prompts(1))),
            Id::PromptNext => self.terminal_input(Input::Scroll(ScrollTo::Prompts(-1))),
            Id::SelectOutput => self.terminal_input(Input::Select(Select::Output(OutputOf::Last))),
            Id::CopyOutput => return self.copy_output(terminal),
            Id::Clear => return self.ask(Command::ClearTerminal { terminal, history: false }),
            Id::ClearHistory => {
                let ask = Ask::clear_history(terminal, &self.name_of(terminal));
                self.overlay = Some(Overlay::Ask(ask));
            }
            Id::Reset => return self.ask(Command::ResetTerminal { terminal }),
            Id::Export => {
                let name = self.name_of(terminal);
                let file = default_file(&name, self.now_ms);
                self.overlay = Some(Overlay::Ask(Ask::export(terminal, &name, file)));
            }
            Id::PasteImage => return paste_image(terminal, true),
            Id::PasteCancel => return self.ask(Command::CancelPaste { terminal }),
            id => self.vi_command(terminal, id),
        }
        Task::none()
    }

    /// What a terminal is called.
    pub(super) fn name_of(&self, terminal: TerminalId) -> String {
        let info = self.model.terminals.get(&terminal);
        let agent = info.and_then(|info| info.agent).and_then(|id| self.model.agent(id));
        match (agent, info) {
            (Some(agent), _) if agent.shell_terminal == Some(terminal) => {
                format!("{} · shell", agent.name)
            }
            (Some(agent), _) => agent.name.clone(),
            (None, info) => {
                let title = info.map(|info| maestro_core::text::clean(&info.title, 40));
                title.filter(|title| !title.is_empty()).unwrap_or("the terminal".to_owned())
            }
        }
    }

    // Vi mode.

    /// Whether the terminal with the keyboard is in vi mode.
    pub(super) fn in_vi(&self) -> bool {
        self.focused_terminal()
            .is_some_and(|terminal| self.vi.is_on(terminal, self.link.surface(terminal).modes().vi))
    }

    fn enter_vi(&mut self, terminal: TerminalId, select: Option<SelectBy>) {
        if !self.in_vi() {
            self.vi.ask(terminal, true);
            self.link.input(terminal, Input::Vi(ViInput::Enter));
        }
        if let Some(by) = select {
            self.vi.select(by);
            self.link.input(terminal, Input::Vi(ViInput::Select(by)));
        }
    }

    fn leave_vi(&mut self, terminal: TerminalId) {
        self.vi.ask(terminal, false);
        if self.searched.take_if(|searched| *searched == terminal).is_some() {
            self.link.tell(Command::Search { terminal, query: None });
        }
        self.link.input(terminal, Input::Vi(ViInput::Leave));
    }

    fn vi_command(&mut self, terminal: TerminalId, id: Id) {
        let send = |vi| self.link.input(terminal, Input::Vi(vi));
        let select = match id {
            Id::Vi(motion) => {
                if let Some((motion, count)) = self.vi.motion(motion) {
                    (0..count).for_each(|_| send(ViInput::Move(motion)));
                }
                return;
            }
            Id::ViPrefix => {
                if let Some(motion) = self.vi.prefix() {
                    send(ViInput::Move(motion));
                }
                return;
            }
            Id::ViCount(digit) => return self.vi.digit(digit),
            Id::ViSwap => return send(ViInput::Swap),
            Id::ViSelectCells => SelectBy::Cell,
            Id::ViSelectLines => SelectBy::Line,
            Id::ViSelectBlock => SelectBy::Block,
            Id::ViCancel => {
                if self.vi.unselect() {
                    self.link.input(terminal, Input::Select(Select::Clear));
                } else {
                    self.leave_vi(terminal);
                }
                return;
            }
            Id::ViLeave => return self.leave_vi(terminal),
            _ => return,
        };
        send(ViInput::Select(select));
        self.vi.select(select);
    }

    /// Copies what is selected and leaves vi mode, in this order: the other way round there would be
    /// nothing. What is typed next is meant for the program, however long the answer takes.
    pub(super) fn vi_copy(&mut self) -> Task<Message> {
        let Some(terminal) = self.focused_terminal() else { return Task::none() };
        let copied = self.request(Command::CopySelection { terminal }, |reply| match reply {
            Ok(Reply::Text(text)) => Message::Copied(text, false),
            Ok(_) => Message::Copied(None, false),
            Err(why) => Message::Done(Err(why)),
        });
        self.link.input(terminal, Input::Select(Select::Clear));
        self.leave_vi(terminal);
        copied
    }

    fn copy_output(&self, terminal: TerminalId) -> Task<Message> {
        self.request(Command::CopyOutput { terminal }, |reply| match reply {
            Ok(Reply::Text(Some(text))) => Message::OutputCopied(text),
            Ok(_) => Message::Done(Err(
                "no output is known here: the shell has to mark its prompts (OSC 133)".to_owned(),
            )),
            Err(why) => Message::Done(Err(why)),
        })
    }

    pub(super) fn output_copied(&mut self, text: String) -> Task<Message> {
        let count = paste::line_count(&text);
        let words = match count {
            1 => "The last output is in the clipboard: 1 line.".to_owned(),
            count => format!("The last output is in the clipboard: {count} lines."),
        };
        let toast = self.toast(toast::Source::Window, Kind::Note, None, words);
        Task::batch([clipboard::write(text), toast])
    }

    // Search.

    fn open_find(&mut self, terminal: TerminalId) -> Task<Message> {
        if let Some(find) = self.find.as_mut().filter(|find| find.terminal == terminal) {
            // The keyboard goes back into the bar, over what stands there.
            find.active = true;
            self.keyboard.clear();
            return Task::none();
        }
        let ended = self.end_find();
        self.searched = None;
        let scroll = self.link.surface(terminal).scroll();
        self.find = Some(Find::new(terminal, &self.last_query, scroll));
        let selected = self.request(Command::CopySelection { terminal }, move |reply| {
            let text = if let Ok(Reply::Text(Some(text))) = reply { text } else { String::new() };
            Message::FindPrefilled(terminal, text)
        });
        Task::batch([ended, selected])
    }

    /// The selection is known: it is looked for, or else what was looked for last.
    pub(super) fn find_prefilled(&mut self, terminal: TerminalId, text: &str) -> Task<Message> {
        let find = self.find.as_mut().filter(|find| find.terminal == terminal);
        let Some(find) = find else { return Task::none() };
        if find.is_edited() {
            // The user was quicker, and types on.
            return Task::none();
        }
        let _ = find.prefill(text);
        let due = self.find_due();
        // Typing takes the place of what stands there.
        Task::batch([due, operation::select_all(find::INPUT)])
    }

    pub(super) fn find_message(&mut self, message: find::Message) -> Task<Message> {
        match message {
            find::Message::Edited(text) => self.change_find(|find| find.edit(text)),
            find::Message::Focused => {
                let pane = self.find.as_ref().and_then(|find| self.pane_of(find.terminal));
                if let (Some(find), Some(pane)) = (&mut self.find, pane) {
                    find.active = true;
                    self.kept.focused = Some(pane);
                    self.marked = None;
                    self.keyboard.clear();
                }
                Task::none()
            }
            find::Message::Pressed(id) => self.find_command(id),
        }
    }

    fn change_find(&mut self, change: impl FnOnce(&mut Find) -> bool) -> Task<Message> {
        if !self.find.as_mut().is_some_and(change) {
            return Task::none();
        }
        Task::perform(async { tokio::time::sleep(TYPING).await }, |()| Message::FindDue)
    }

    /// The user has stopped typing for a frame.
    pub(super) fn find_due(&mut self) -> Task<Message> {
        let Some(find) = &mut self.find else { return Task::none() };
        let terminal = find.terminal;
        let Some(query) = find.ask() else { return Task::none() };
        self.last_query.clone_from(find.query());
        self.ask(Command::Search { terminal, query })
    }

    pub(super) fn find_command(&mut self, id: Id) -> Task<Message> {
        // A conversation has bars of its own.
        if self.focused_tab().is_some() {
            return self.talk_command(id);
        }
        let Some(terminal) = self.find.as_ref().map(|find| find.terminal) else {
            return Task::none();
        };
        match id {
            Id::SearchOlder | Id::SearchNewer => {
                // What was just typed is looked for first.
                let due = self.find_due();
                let forward = id == Id::SearchNewer;
                Task::batch([due, self.ask(Command::SearchMove { terminal, forward })])
            }
            Id::SearchRegex => self.change_find(Find::toggle_regex),
            Id::SearchCase => self.change_find(Find::toggle_case),
            Id::SearchKeep => self.end_find(),
            _ => {
                let surface = self.link.surface(terminal);
                let offset = self.find.as_ref().map_or(0, |find| find.came_from(surface.scroll()));
                // In vi mode the cursor is at the match, and the viewport with it.
                if !self.vi.is_on(terminal, surface.modes().vi) {
                    let to = if offset == 0 { ScrollTo::Bottom } else { ScrollTo::Offset(offset) };
                    self.link.input(terminal, Input::Scroll(to));
                }
                self.end_find()
            }
        }
    }

    /// The bar goes; in vi mode the host goes on knowing the matches, for n and N.
    pub(super) fn end_find(&mut self) -> Task<Message> {
        let Some(find) = self.find.take() else { return Task::none() };
        let terminal = find.terminal;
        self.last_query.clone_from(find.query());
        if self.vi.is_on(terminal, self.link.surface(terminal).modes().vi) {
            self.searched = Some(terminal);
            return Task::none();
        }
        self.ask(Command::Search { terminal, query: None })
    }

    /// Whether keys go into the search bar.
    pub(super) fn is_finding(&self) -> bool {
        let here = self.focused_terminal();
        self.find.as_ref().is_some_and(|find| find.active && Some(find.terminal) == here)
    }

    pub(super) fn pane_of(&self, terminal: TerminalId) -> Option<Pane> {
        let panes = self.visible_panes();
        let shows = |pane: &Pane| {
            crate::window::panes::terminal_of(&self.model, *pane, self.side(*pane))
                == Some(terminal)
        };
        panes.into_iter().map(|(pane, _)| pane).find(shows)
    }

    // Links.

    fn open_hints(&mut self, terminal: TerminalId) -> Task<Message> {
        self.hints = Hints::new(terminal, self.link.surface(terminal).links());
        if self.hints.is_some() {
            return Task::none();
        }
        let words = "There is no link and no file name with a line in sight.";
        self.toast(toast::Source::Window, Kind::Note, None, words)
    }

    pub(super) fn hint_typed(&mut self, letter: char, mods: Mods) -> Task<Message> {
        let Some(hints) = &mut self.hints else { return Task::none() };
        let terminal = hints.terminal;
        match hints.letter(letter, mods) {
            hints::Typed::Waits | hints::Typed::Nothing => Task::none(),
            hints::Typed::Chosen(deed, link) => {
                self.hints = None;
                if !self.is_still_there(terminal, &link) {
                    // The program printed meanwhile: the label lay over something else.
                    return self.open_hints(terminal);
                }
                self.chosen(terminal, deed, &link)
            }
        }
    }

    /// Whether a link is where it was when it got its label.
    fn is_still_there(&self, terminal: TerminalId, link: &Link) -> bool {
        let surface = self.link.surface(terminal);
        link.spans.first().is_some_and(|span| {
            let now = surface.link_at(span.row, span.from);
            now.is_some_and(|now| now.target == link.target)
        })
    }

    pub(super) fn hint_command(&mut self, id: Id) -> Task<Message> {
        let Some(hints) = &mut self.hints else { return Task::none() };
        match id {
            Id::HintErase if hints.erase() => {}
            Id::HintOpen => {
                let (terminal, link) = (hints.terminal, hints.first().cloned());
                self.hints = None;
                return match link {
                    Some(link) if self.is_still_there(terminal, &link) => {
                        self.chosen(terminal, hints::Deed::Open, &link)
                    }
                    _ => self.open_hints(terminal),
                };
            }
            _ => self.hints = None,
        }
        Task::none()
    }

    fn chosen(&mut self, terminal: TerminalId, deed: hints::Deed, link: &Link) -> Task<Message> {
        match deed {
            hints::Deed::Open => self.follow(terminal, link),
            hints::Deed::Copy => {
                let words = format!("{} is in the clipboard.", target::visible(&link.target));
                let toast = self.toast(toast::Source::Window, Kind::Note, None, words);
                Task::batch([clipboard::write(link.target.clone()), toast])
            }
            hints::Deed::Insert => {
                let text = match link.kind {
                    maestro_core::link::Kind::Path { .. } => paste::quoted(Path::new(&link.target)),
                    _ => link.target.clone(),
                };
                self.insert(terminal, &text);
                Task::none()
            }
        }
    }

    /// Types a word into a program: never a line break, whatever is in it.
    fn insert(&self, terminal: TerminalId, text: &str) {
        let text: String = text.chars().filter(|c| !c.is_control()).chain([' ']).collect();
        self.link.input(terminal, Input::Paste(text));
    }

    /// A link was clicked or chosen: what it is has to be looked at before anything is asked.
    pub(super) fn follow(&self, terminal: TerminalId, link: &Link) -> Task<Message> {
        let info = self.model.terminals.get(&terminal);
        let directory = info.map(|info| info.directory.clone()).unwrap_or_default();
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let read = target::read(&link.target, link.kind, &directory, home.as_deref());
        let examined =
            async move { tokio::task::spawn_blocking(move || target::examined(read)).await.ok() };
        Task::perform(examined, Message::Examined)
    }

    pub(super) fn examined(&mut self, target: Option<Target>) -> Task<Message> {
        let Some(target) = target else { return Task::none() };
        if let Target::Web { url, host } = &target
            && self.kept.hosts.contains(host)
        {
            return open(target::desktop(url));
        }
        let editor = self.settings.editor.as_ref().and_then(|words| words.first());
        let ask = Ask::link(&target, editor.map(String::as_str));
        // Who has opened something else meanwhile wants that.
        if self.overlay.is_some() { Task::none() } else { self.question(ask) }
    }

    /// A question that comes some time after what made it come.
    pub(super) fn question(&mut self, ask: Ask) -> Task<Message> {
        self.overlay = Some(Overlay::Ask(ask.unseen()));
        Task::perform(async { tokio::time::sleep(ask::UNSEEN).await }, |()| Message::AskSeen)
    }

    /// No page is opened without a question any more.
    pub(super) fn forget_hosts(&mut self) -> Task<Message> {
        let words = match std::mem::take(&mut self.kept.hosts).len() {
            0 => "Every link is asked about already.".to_owned(),
            1 => "1 host is forgotten.".to_owned(),
            count => format!("{count} hosts are forgotten."),
        };
        self.toast(toast::Source::Window, Kind::Note, None, words)
    }

    // Pasting.

    /// Text came from the clipboard, or from the mouse.
    pub(super) fn paste_text(&mut self, terminal: TerminalId, text: String) -> Task<Message> {
        if text.is_empty() {
            return Task::none();
        }
        if text.len() > PASTE_LIMIT {
            let megabytes = PASTE_LIMIT / 1024 / 1024;
            return self.problem(format!(
                "the clipboard has more than {megabytes} MB of text, and nothing was pasted; put it \
                 into a file and paste the file's name"
            ));
        }
        let asked = self.hearers(terminal).into_iter().any(|terminal| {
            let into = paste::Into {
                shell: self.is_shell(terminal),
                bracketed: self.link.surface(terminal).modes().bracketed_paste,
            };
            !self.unasked.contains(&terminal)
                && paste::is_asked_about(&text, into, self.settings.confirm_paste)
        });
        if asked {
            if self.overlay.is_some() {
                let words = "Nothing was pasted: a dialog was opened before it could be asked.";
                return self.toast(toast::Source::Window, Kind::Note, None, words);
            }
            let name = match self.hearers(terminal).len() {
                1 => self.name_of(terminal),
                count => format!("{count} panes"),
            };
            return self.question(Ask::paste(terminal, &name, text));
        }
        self.paste_into(terminal, &text);
        Task::none()
    }

    /// Whether a shell of the user's runs in a terminal: not an agent that edits its prompt.
    fn is_shell(&self, terminal: TerminalId) -> bool {
        let info = self.model.terminals.get(&terminal);
        let agent = info.and_then(|info| info.agent).and_then(|id| self.model.agent(id));
        agent.is_none_or(|agent| {
            agent.shell_terminal == Some(terminal)
                || agent.provider == maestro_core::agent::Provider::Shell
        })
    }

    pub(super) fn image_read(
        &mut self,
        terminal: TerminalId,
        image: Result<Option<Vec<u8>>, String>,
        wanted: bool,
    ) -> Task<Message> {
        match image {
            Ok(Some(png)) => self.ask(Command::PasteImage { terminal, png }),
            Ok(None) if wanted => self.problem("there is no image in the clipboard".to_owned()),
            Err(why) => self.problem(why),
            Ok(None) => {
                let words = "There is neither text nor an image in the clipboard.";
                self.toast(toast::Source::Window, Kind::Note, None, words)
            }
        }
    }

    /// A file was let go over the window: the toolkit does not say where, so it is for the terminal with
    /// the keyboard, unless a dialog has it.
    pub(super) fn dropped(&mut self, path: &Path) -> Task<Message> {
        self.dropping = false;
        if let Some(tab) = self.focused_tab().map(|tab| tab.id).filter(|_| self.overlay.is_none()) {
            return self.dropped_into(tab, path);
        }
        if let Some(terminal) = self.focused_terminal().filter(|_| self.overlay.is_none()) {
            let mut word = paste::quoted(path);
            word.push(' ');
            self.link.input(terminal, Input::Paste(word));
        }
        Task::none()
    }

    // Questions.

    pub(super) fn ask_message(&mut self, message: ask::Message) -> Task<Message> {
        let Some(Overlay::Ask(ask)) = &mut self.overlay else { return Task::none() };
        match ask.update(message) {
            Some(deed) => self.done_by(deed),
            None => {
                self.overlay = None;
                Task::none()
            }
        }
    }

    /// Does what an answer says.
    pub(super) fn done_by(&mut self, deed: Deed) -> Task<Message> {
        if let Deed::Export { terminal, ansi, file } = deed {
            return self.export(terminal, ansi, &file);
        }
        if deed == Deed::Nothing {
            return Task::none();
        }
        self.overlay = None;
        match deed {
            Deed::Nothing | Deed::Export { .. } => {}
            Deed::ClearHistory(terminal) => {
                return self.ask(Command::ClearTerminal { terminal, history: true });
            }
            Deed::Paste { terminal, text, flat, always } => {
                if !self.model.terminals.contains_key(&terminal) {
                    return self.problem("nothing was pasted: the terminal is gone".to_owned());
                }
                if always {
                    self.unasked.extend(self.hearers(terminal));
                }
                let text = if flat { paste::one_line(&text) } else { text.to_string() };
                self.paste_into(terminal, &text);
            }
            Deed::Open(url) => return open(target::desktop(&url)),
            Deed::OpenAlways(url, host) => {
                let _ = self.kept.hosts.insert(host);
                return open(target::desktop(&url));
            }
            Deed::OpenFile(file) => {
                return match &self.settings.editor {
                    Some(template) => open(target::editor(template, &file)),
                    None => Task::perform(target::open(file), Message::Done),
                };
            }
            Deed::OpenFolder(path) => return open(target::desktop(&path.to_string_lossy())),
            Deed::Copy(text) => return clipboard::write(text),
            Deed::Allow(terminal, text) => {
                let _ = self.wanted.remove(&terminal);
                return clipboard::write(text);
            }
            Deed::Refuse(terminal) => {
                let _ = self.wanted.remove(&terminal);
            }
            Deed::SetClipboard(agent, clipboard) => return self.set_clipboard(agent, clipboard),
            Deed::RemoveWorktrees(paths) => return self.remove_worktrees(paths),
            Deed::LookAgain(paths) => {
                return self.worktree_deed(crate::window::worktrees::Deed::Remove(paths));
            }
            Deed::RestoreFiles(snapshot) => return self.put_worktree_back(snapshot),
            Deed::Purge(snapshots) => return self.purge_snapshots(snapshots),
            Deed::Leave => {}
        }
        Task::none()
    }

    fn export(&self, terminal: TerminalId, ansi: bool, file: &str) -> Task<Message> {
        let info = self.model.terminals.get(&terminal);
        let directory = info.map(|info| info.directory.clone()).unwrap_or_default();
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let path = match (file.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            // An absolute path stays what it is.
            _ => directory.join(file),
        };
        let written = path.clone();
        self.request(Command::ExportTerminal { terminal, path, ansi }, move |reply| {
            Message::Exported(reply.map(|_| written.clone()))
        })
    }

    pub(super) fn exported(&mut self, result: Result<PathBuf, String>) -> Task<Message> {
        match (result, &mut self.overlay) {
            (Ok(path), overlay) => {
                // It may have been closed since, and another question asked.
                if matches!(overlay, Some(Overlay::Ask(ask)) if ask.is_export()) {
                    *overlay = None;
                }
                let title = Some("Exported".to_owned());
                let words = path.display().to_string();
                self.toast(toast::Source::Window, Kind::Note, title, words)
            }
            (Err(why), Some(Overlay::Ask(ask))) if ask.is_export() => {
                ask.refused(&why);
                Task::none()
            }
            (Err(why), _) => self.problem(why),
        }
    }

    // The clipboard of programs.

    /// The question of a program that waits, if one does: that of the terminal with the keyboard first.
    pub(super) fn answer_clipboard(&mut self, terminal: Option<TerminalId>) -> Task<Message> {
        let here = terminal.or_else(|| self.focused_terminal());
        let here = here.filter(|terminal| self.wanted.contains_key(terminal));
        let Some(terminal) = here.or_else(|| self.wanted.keys().next().copied()) else {
            let words = "No program waits for the clipboard.";
            return self.toast(toast::Source::Window, Kind::Note, None, words);
        };
        let agent = self.model.terminals.get(&terminal).and_then(|info| info.agent);
        let name = self.name_of(terminal);
        if let Some(text) = self.wanted.get(&terminal) {
            self.overlay = Some(Overlay::Ask(Ask::clipboard(terminal, &name, agent, text)));
        }
        Task::none()
    }

    fn set_clipboard(
        &mut self,
        agent: maestro_core::AgentId,
        clipboard: maestro_core::agent::Clipboard,
    ) -> Task<Message> {
        use maestro_core::agent::Clipboard;
        let of_agent = |terminal: &TerminalId| {
            self.model.terminals.get(terminal).and_then(|info| info.agent) == Some(agent)
        };
        let waiting: Vec<TerminalId> = self.wanted.keys().copied().filter(of_agent).collect();
        let mut tasks = vec![self.ask(Command::SetClipboard { agent, clipboard })];
        for terminal in waiting {
            match clipboard {
                Clipboard::Ask => {}
                Clipboard::Allow => {
                    tasks.extend(self.wanted.remove(&terminal).map(iced::clipboard::write));
                }
                Clipboard::Focused | Clipboard::Deny => {
                    let _ = self.wanted.remove(&terminal);
                }
            }
        }
        Task::batch(tasks)
    }

    // What drawing costs.

    pub(super) fn debug_ticked(&mut self, at_ms: u64) -> Task<Message> {
        let sample = crate::window::debug::Sample {
            at_ms,
            counts: self.clock.counters().read(),
            views: self.views.get(),
            waiting: self.link.waiting(),
        };
        let Some(debug) = &mut self.debug else { return Task::none() };
        debug.sampled(sample);
        self.request(Command::TerminalStats, |reply| {
            Message::DebugHeard(match reply {
                Ok(Reply::TerminalStats(stats)) => Ok(stats),
                Ok(_) => Err("the host did not say what its terminals cost".to_owned()),
                Err(why) => Err(why),
            })
        })
    }
}

/// Starts a program of the user's that opens something.
pub(super) fn open(command: Vec<String>) -> Task<Message> {
    Task::perform(target::start(command), Message::Done)
}

/// Reads the image in the clipboard; it takes its time.
pub(super) fn paste_image(terminal: TerminalId, wanted: bool) -> Task<Message> {
    let read = async { tokio::task::spawn_blocking(paste::image).await };
    Task::perform(read, move |read| {
        let read = read.map_err(|error| error.to_string()).and_then(|read| read);
        Message::ImageRead(terminal, read, wanted)
    })
}

/// Where an export goes if the user has no better idea: a new file in the home folder.
fn default_file(name: &str, now_ms: u64) -> String {
    let word: String =
        name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(40).collect();
    let word = word.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let (year, month, day) = date(now_ms / 86_400_000);
    let minutes = now_ms / 60_000 % 1440;
    let (hour, minute) = (minutes / 60, minutes % 60);
    format!("~/maestro-{word}-{year}-{month:02}-{day:02}-{hour:02}{minute:02}.txt")
}

/// Year, month and day of a day since 1970, in the Gregorian calendar. Shifted so that a year begins in
/// March, the leap day is its last one and all months before have the same lengths every year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (day, expected) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_779, (2026, 11, 22)),
        ] {
            assert_eq!(date(day), expected, "{day}");
        }
    }

    #[test]
    fn an_export_has_a_name_of_its_own() {
        let name = default_file("api · shell/../x", 1_760_000_000_000);
        assert_eq!(name, "~/maestro-api-shell-x-2025-10-09-0853.txt");
    }
}
