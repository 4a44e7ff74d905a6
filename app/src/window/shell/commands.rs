//! What the user does: every command of the registry that has a meaning here.

use iced::{Task, clipboard};
use maestro_core::agent::State;
use maestro_core::command::Id;
use maestro_core::input::{Input, ScrollTo, Select};
use maestro_core::layout::Direction;
use maestro_core::link::{self, Link};
use maestro_core::{AgentId, TerminalId};
use maestro_protocol::message::{Command, NewTerminal, Reply};
use maestro_ui::theme::Tokens;

use super::layout::{Panel, STEP};
use super::{Message, Overlay, Shell};
use crate::window::ask::Ask;
use crate::window::chords::Purpose;
use crate::window::debug::Debug;
use crate::window::model;
use crate::window::palette;
use crate::window::panes::{self, Pane, Side};
use crate::window::prompt::Prompt;
use crate::window::talk::Region;
use crate::window::toast::{self, Kind};
use crate::window::{agents, look, target};

/// Steps of the terminals' text size, as multiples of the normal one.
const ZOOM: (f32, f32, f32) = (0.6, 2.4, 0.1);

impl Shell {
    pub(super) fn command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::Palette => return self.open_palette(palette::Kind::All),
            Id::AgentsSwitch
            | Id::ThemeChoose
            | Id::TabsGo
            | Id::FilesGo
            | Id::BranchesGo
            | Id::SessionsGo
            | Id::PlaybooksGo
            | Id::WorkspacesGo
            | Id::WorkspaceDelete
            | Id::SettingsGo => {
                let kind = palette::Kind::of_command(id);
                return kind.map_or_else(Task::none, |kind| self.open_palette(kind));
            }
            Id::MasteryOpen => return self.open_mastery(),
            Id::MasteryExport => return self.export_mastery(),
            Id::HelpOpen => self.open_chords(Purpose::Help),
            Id::TourToggle => self.toggle_tour(),
            Id::TourSkip => return self.skip_tour(),
            Id::ChordsOpen => self.open_chords(Purpose::Edit),
            Id::KeysAdd
            | Id::KeysNone
            | Id::KeysReset
            | Id::KeysResetAll
            | Id::KeysOwn
            | Id::KeysHere
            | Id::KeysExport
            | Id::KeysImport
            | Id::KeysFile => return self.chords_page(|page| page.command(id)),
            Id::PaletteRow(number) => return self.palette_row(number),
            Id::AgentNew | Id::WorktreeNew => return self.open_new_agent(),
            Id::AgentRename | Id::ListRename => {
                self.overlay =
                    self.chosen_agent().map(|agent| Overlay::Prompt(Prompt::rename(agent)));
            }
            Id::AgentRemove | Id::ListRemove => {
                self.overlay =
                    self.chosen_agent().map(|agent| Overlay::Prompt(Prompt::remove(agent)));
            }
            Id::AgentResume => return self.resume(),
            Id::AgentStop => {
                if let Some(agent) = self.chosen_agent().map(|agent| agent.id) {
                    return self.ask(Command::StopAgent { agent });
                }
            }
            Id::ToggleShell => return self.toggle_shell(),
            Id::TerminalNew => return self.new_terminal(),
            Id::FocusNext => self.focus_step(1),
            Id::FocusPrevious => self.focus_step(-1),
            Id::FocusLeft => self.focus_towards(Direction::Left),
            Id::FocusRight => self.focus_towards(Direction::Right),
            Id::FocusUp => self.focus_towards(Direction::Up),
            Id::FocusDown => self.focus_towards(Direction::Down),
            Id::FocusNumber(number) => {
                if let Some(pane) = self.all_panes().get(usize::from(number).saturating_sub(1)) {
                    self.focus_pane(*pane);
                }
            }
            Id::PaneMaximise => {
                self.kept.maximised = !self.kept.maximised && self.focused().is_some();
            }
            Id::PaneClose => self.close_pane(),
            Id::LayoutNext
            | Id::LayoutAuto
            | Id::LayoutColumns
            | Id::LayoutRows
            | Id::LayoutGrid
            | Id::LayoutMain
            | Id::LayoutStrip
            | Id::LayoutFocus
            | Id::LayoutFree
            | Id::LayoutEven
            | Id::PaneResize(_)
            | Id::PaneSwap(_)
            | Id::PaneMove(_)
            | Id::PaneTurn => return self.layout_command(id),
            Id::WorkspaceSave | Id::WorkspaceNext | Id::WorkspaceNumber(_) | Id::PanesAll => {
                return self.workspace_command(id);
            }
            Id::BroadcastPane | Id::BroadcastAll | Id::BroadcastEnd => {
                return self.broadcast_command(id);
            }
            Id::Copy if self.entries_selected() => return self.talk_command(Id::EntryCopy),
            Id::Copy => return self.copy(false),
            Id::Paste => return self.paste(),
            Id::SelectAll => self.terminal_input(Input::Select(Select::All)),
            Id::ScrollLineUp => self.terminal_input(Input::Scroll(ScrollTo::Lines(1))),
            Id::ScrollLineDown => self.terminal_input(Input::Scroll(ScrollTo::Lines(-1))),
            Id::ScrollPageUp => self.terminal_input(Input::Scroll(ScrollTo::Pages(1))),
            Id::ScrollPageDown => self.terminal_input(Input::Scroll(ScrollTo::Pages(-1))),
            Id::ScrollTop => self.terminal_input(Input::Scroll(ScrollTo::Top)),
            Id::ScrollBottom => self.terminal_input(Input::Scroll(ScrollTo::Bottom)),
            Id::RunStop | Id::RunKill => return self.end_run(id == Id::RunKill),
            Id::ToggleAgents => self.kept.agents_shown = !self.kept.agents_shown,
            Id::FocusAgents => {
                self.mark();
                return self.reveal_marked();
            }
            Id::RegionNext | Id::RegionPrevious => return self.region(id == Id::RegionNext),
            Id::AgentsWider => self.widen(Panel::Agents, STEP),
            Id::AgentsNarrower => self.widen(Panel::Agents, -STEP),
            Id::ToggleRuns => return self.toggle_runs(),
            Id::RunsWider => self.widen(Panel::Runs, STEP),
            Id::RunsNarrower => self.widen(Panel::Runs, -STEP),
            Id::ZoomIn => self.zoom(self.kept.zoom + ZOOM.2),
            Id::ZoomOut => self.zoom(self.kept.zoom - ZOOM.2),
            Id::ZoomReset => {
                self.kept.zooms.clear();
                self.zoom(1.0);
            }
            Id::PaneZoomIn => self.zoom_pane(Some(ZOOM.2)),
            Id::PaneZoomOut => self.zoom_pane(Some(-ZOOM.2)),
            Id::PaneZoomReset => self.zoom_pane(None),
            Id::SettingsOpen => return self.open_settings(),
            Id::SettingsPage => return self.open_settings_page(),
            Id::SettingLess
            | Id::SettingMore
            | Id::SettingReset
            | Id::SettingsResetAll
            | Id::SettingsScope
            | Id::SettingsChanged
            | Id::SettingsFile => return self.settings_command(id),
            Id::LinksForget => return self.forget_hosts(),
            Id::DebugOverlay => {
                self.debug = if self.debug.is_some() { None } else { Some(Debug::default()) };
            }
            Id::ClipboardAccess => {
                let ask = self.chosen_agent().map(Ask::clipboard_access);
                self.overlay = ask.map(Overlay::Ask);
            }
            Id::ClipboardAnswer => return self.answer_clipboard(None),
            Id::ThemeToggle => return self.toggle_theme(),
            Id::QuickPrompt => return self.quick_prompt(),
            Id::Quit => return self.leave(),
            Id::ListUp
            | Id::ListDown
            | Id::ListAccept
            | Id::ListLeave
            | Id::ListFind
            | Id::ListNews
            | Id::ListChoose
            | Id::ListFold
            | Id::ListUnfold
            | Id::ListMenu
            | Id::ListMoveUp
            | Id::ListMoveDown
            | Id::ListGroup
            | Id::ListGroupRename
            | Id::ListBookmark
            | Id::ListNumber(_)
            | Id::AgentGroup
            | Id::AgentBookmark
            | Id::AgentsRail => return self.list_command(id),
            Id::OverlayUp
            | Id::OverlayDown
            | Id::OverlayNext
            | Id::OverlayPrevious
            | Id::OverlayAccept
            | Id::OverlayCancel
                if self.filters_agents() =>
            {
                return self.list_command(id);
            }
            Id::OverlayUp
            | Id::OverlayDown
            | Id::OverlayNext
            | Id::OverlayPrevious
            | Id::OverlayAccept
            | Id::OverlayCancel
                if self.overlay.is_none() && self.review.asks() =>
            {
                return self.review_command(id);
            }
            Id::OverlayUp
            | Id::OverlayDown
            | Id::OverlayNext
            | Id::OverlayPrevious
            | Id::OverlayAccept
            | Id::OverlayCancel
                if self.autorun_has_overlay() =>
            {
                return self.autorun_command(id);
            }
            Id::OverlayUp
            | Id::OverlayDown
            | Id::OverlayNext
            | Id::OverlayPrevious
            | Id::OverlayAccept
            | Id::OverlayCancel => return self.overlay_command(id),
            Id::NoticesOpen => return self.open_notices(),
            Id::NoticeRead | Id::NoticesRead | Id::NoticesForget => {
                return self.notices_command(id);
            }
            Id::UsageOpen => return self.open_usage(),
            Id::SessionsOpen => return self.open_sessions(),
            Id::SessionConverse
            | Id::SessionBranch
            | Id::SessionStar
            | Id::SessionTitle
            | Id::SessionTags
            | Id::SessionTrash
            | Id::SessionUndo
            | Id::SessionCopy
            | Id::SessionOpen
            | Id::SessionProvider
            | Id::SessionHere
            | Id::SessionStarred
            | Id::SessionTrashed
            | Id::SessionTools
            | Id::SessionPageUp
            | Id::SessionPageDown
            | Id::SessionLeafUp
            | Id::SessionLeafDown => return self.sessions_command(id),
            Id::SearchOlder
            | Id::SearchNewer
            | Id::SearchRegex
            | Id::SearchCase
            | Id::SearchKeep
            | Id::SearchClose => return self.find_command(id),
            Id::HintOpen | Id::HintErase | Id::HintLeave => return self.hint_command(id),
            Id::ViCopy => return self.vi_copy(),
            Id::PasteImage
            | Id::PasteCancel
            | Id::SelectOutput
            | Id::CopyOutput
            | Id::Search
            | Id::Hints
            | Id::ViEnter
            | Id::KeyboardSelect
            | Id::PromptPrevious
            | Id::PromptNext
            | Id::Clear
            | Id::ClearHistory
            | Id::Reset
            | Id::Export
            | Id::Vi(_)
            | Id::ViSelectCells
            | Id::ViSelectLines
            | Id::ViSelectBlock
            | Id::ViSwap
            | Id::ViSearch
            | Id::ViCancel
            | Id::ViLeave
            | Id::ViPrefix
            | Id::ViCount(_) => return self.terminal_command(id),
            Id::QueueUp
            | Id::QueueDown
            | Id::QueueRowHold
            | Id::QueueRowNow
            | Id::QueueRowRemove
            | Id::QueueRowTab
            | Id::QueueRowOpen
            | Id::QueueUndo
            | Id::QueueHoldAll
            | Id::QueueAll => return self.queue_command(id),
            Id::EditorSave
            | Id::EditorLeave
            | Id::EditorTask
            | Id::EditorTick
            | Id::EditorFind
            | Id::EditorUndo
            | Id::EditorRedo
            | Id::EditorPaste
                if self.review.shown =>
            {
                return self.review_command(id);
            }
            Id::RunStart
            | Id::RunsOpen
            | Id::RunsFocus
            | Id::RunsHistory
            | Id::RunsPage(_)
            | Id::RunsUp
            | Id::RunsDown
            | Id::RunsPageUp
            | Id::RunsPageDown
            | Id::RunsFirst
            | Id::RunsLast
            | Id::RunsAccept
            | Id::RunsPart
            | Id::RunsStart
            | Id::RunsLeave
            | Id::DocumentMark
            | Id::DocumentNew
            | Id::DocumentEdit
            | Id::DocumentFind
            | Id::DocumentNext
            | Id::DocumentUndo
            | Id::EditorSave
            | Id::EditorLeave
            | Id::EditorTask
            | Id::EditorTick
            | Id::EditorFind
            | Id::EditorUndo
            | Id::EditorRedo
            | Id::EditorPaste
            | Id::RunPause
            | Id::RunSkip
            | Id::RunSkipDocument
            | Id::RunRetry
            | Id::RunUndo
            | Id::RunEndTask
            | Id::RunEndNow
            | Id::RunEvidence
            | Id::RunDiff
            | Id::RunReport
            | Id::RunPrevious
            | Id::RunNext
            | Id::RunFollow
            | Id::HistoryFilter
            | Id::StartUp
            | Id::StartDown
            | Id::StartLess
            | Id::StartMore
            | Id::StartToggle
            | Id::StartRemove => return self.autorun_command(id),
            Id::ConflictsOpen
            | Id::ChangesOpen
            | Id::LogOpen
            | Id::FilesOpen
            | Id::ChangesWorking
            | Id::ChangesStaged
            | Id::ChangesBase
            | Id::ChangesNextSource
            | Id::ChangesPreviousSource
            | Id::ChangesStage
            | Id::ChangesUnstage
            | Id::ChangesDiscard
            | Id::ChangesUndo
            | Id::ChangesSeen
            | Id::ChangesComment
            | Id::ChangesUncomment
            | Id::ChangesSend
            | Id::ChangesSplit
            | Id::ChangesNext
            | Id::ChangesPrevious
            | Id::ChangesNextFile
            | Id::ChangesPreviousFile
            | Id::ChangesContext
            | Id::ChangesBlanks
            | Id::ChangesChooseUp
            | Id::ChangesChooseDown
            | Id::ChangesBlame
            | Id::LogFind
            | Id::FilesFind
            | Id::FilesSearch
            | Id::FilesNext
            | Id::FilesPrevious
            | Id::FilesEdit
            | Id::FilesPlain
            | Id::FilesOpenElsewhere
            | Id::FilesCopyPath
            | Id::LogAll
            | Id::LogBranches
            | Id::LogFetch
            | Id::LogPull
            | Id::LogPush
            | Id::LogWay
            | Id::TrainOpen
            | Id::RaceOpen
            | Id::ReviewPage(_)
            | Id::ReviewUp
            | Id::ReviewDown
            | Id::ReviewLeft
            | Id::ReviewRight
            | Id::ReviewPageUp
            | Id::ReviewPageDown
            | Id::ReviewFirst
            | Id::ReviewLast
            | Id::ReviewAccept
            | Id::ReviewPart
            | Id::ReviewRefresh
            | Id::ReviewAgent
            | Id::ReviewLeave
            | Id::MatrixNext
            | Id::MatrixPrevious
            | Id::MatrixDiff
            | Id::TrainMark
            | Id::TrainEarlier
            | Id::TrainLater
            | Id::TrainSuggest
            | Id::TrainTarget
            | Id::TrainHow
            | Id::TrainVerify
            | Id::TrainCommit
            | Id::TrainReturns
            | Id::TrainStart
            | Id::TrainStop
            | Id::TrainResume
            | Id::TrainAbort
            | Id::TrainUndo
            | Id::TrainNew
            | Id::TrainPrevious
            | Id::TrainNext
            | Id::RaceNext
            | Id::RaceVerify
            | Id::RaceTake
            | Id::RaceDiff
            | Id::RaceOthers
            | Id::WorktreesOpen
            | Id::TreesRemove
            | Id::TreesEmpty
            | Id::TreesKeep
            | Id::TreesRestore
            | Id::TreesUndo
            | Id::TreesAdopt
            | Id::TreesIgnore
            | Id::TreesClean
            | Id::TreesUsage
            | Id::TreesMend => return self.review_command(id),
            Id::WorktreeRemove | Id::WorktreeKeep | Id::WorktreeUndo => {
                return self.worktree_command(id);
            }
            id => return self.talk_command(id),
        }
        Task::none()
    }

    pub(super) fn pane_message(&mut self, message: panes::Message) -> Task<Message> {
        match message {
            panes::Message::Focused(pane) => {
                self.focus_pane(pane);
                // The click was meant for the terminal, not for the search bar over it.
                if let Some(find) = &mut self.find {
                    find.active = false;
                }
                // The click may have taken the keyboard from the widget that had it.
                self.keyboard.clear();
                Task::none()
            }
            panes::Message::Resumed(pane) => {
                self.focus_pane(pane);
                self.resume()
            }
            panes::Message::Selected(terminal) => {
                let primary = self.copy_from(terminal, true);
                let both = self.settings.copy_on_select.then(|| self.copy_from(terminal, false));
                Task::batch([primary].into_iter().chain(both))
            }
            panes::Message::Followed(terminal, link) => self.follow(terminal, &link),
            panes::Message::Hovered(terminal, link) => {
                let gone = self.hovered.as_ref().is_none_or(|(over, _)| *over == terminal);
                match link {
                    Some(link) => self.hovered = Some((terminal, shown(&link))),
                    None if gone => self.hovered = None,
                    None => {}
                }
                Task::none()
            }
            panes::Message::Pasted(terminal, text) => self.paste_text(terminal, text),
            panes::Message::Caught(terminal) => {
                self.link.input(terminal, Input::Scroll(ScrollTo::Bottom));
                Task::none()
            }
            panes::Message::PasteCancelled(terminal) => self.ask(Command::CancelPaste { terminal }),
            panes::Message::Answering(terminal) => self.answer_clipboard(Some(terminal)),
            panes::Message::Find(message) => self.find_message(message),
            panes::Message::Talk(message) => self.talk_message(message),
        }
    }

    /// Brings an agent's terminal back: resumes its session, or opens its shell.
    pub(super) fn resume(&mut self) -> Task<Message> {
        let Some((agent, side)) = self.focused_agent() else { return Task::none() };
        let (id, resume) = (agent.id, agent.session.is_some());
        let command = match side {
            Side::Agent => Command::OpenAgent { agent: id, resume },
            Side::Shell => Command::OpenShell { agent: id, size: self.size_of_focused() },
            Side::Conversation(_) => return Task::none(),
        };
        self.ask(command)
    }

    pub(super) fn toggle_shell(&mut self) -> Task<Message> {
        let Some((agent, side)) = self.focused_agent() else { return Task::none() };
        let (id, has_shell) = (agent.id, agent.shell_terminal.is_some());
        if side == Side::Shell {
            let _ = self.kept.shells.remove(&id);
            return Task::none();
        }
        let _ = self.kept.shells.insert(id);
        if has_shell {
            return Task::none();
        }
        self.ask(Command::OpenShell { agent: id, size: self.size_of_focused() })
    }

    pub(super) fn new_terminal(&mut self) -> Task<Message> {
        let directory = self.focused_agent().map(|(agent, _)| agent.directory.clone());
        let size = self.size_of_one_more();
        let new = NewTerminal { command: Vec::new(), directory, env: Vec::new(), size };
        self.request(Command::NewTerminal(new), |reply| {
            Message::Opened(match reply {
                Ok(Reply::Terminal(info)) => Ok(info),
                Ok(_) => Err("the host did not say which terminal it opened".to_owned()),
                Err(why) => Err(why),
            })
        })
    }

    pub(super) fn end_run(&mut self, at_once: bool) -> Task<Message> {
        let here = self.focused_agent().and_then(|(agent, _)| self.model.run_of(agent));
        let run = here.or_else(|| self.model.runs.iter().find(|run| model::is_active(run)));
        let Some(run) = run.map(|run| run.id) else {
            return self.problem("No run is active.".to_owned());
        };
        self.ask(if at_once { Command::KillRun { run } } else { Command::StopRun { run } })
    }

    pub(super) fn next_waiting(&mut self) -> Task<Message> {
        let order = agents::order(&self.model);
        let here = self.focused_agent().map(|(agent, _)| agent.id);
        let from = order.iter().position(|id| Some(*id) == here).map_or(0, |at| at + 1);
        let waits = |id: &AgentId| {
            self.model.agent(*id).is_some_and(|agent| agent.attention.state == State::NeedsYou)
        };
        let next = order.iter().cycle().skip(from).take(order.len()).copied().find(waits);
        next.map_or_else(Task::none, |id| self.go_to_waiting(id))
    }

    pub(super) fn go_to(&mut self, id: AgentId) -> Task<Message> {
        self.focus_pane(Pane::Agent(id));
        Task::none()
    }

    pub(super) fn focus_pane(&mut self, pane: Pane) {
        let _ = self.kept.closed.remove(&pane);
        if self.kept.focused != Some(pane) {
            self.talks.region = Region::Composer;
        }
        self.kept.focused = Some(pane);
        self.marked = None;
        // The keyboard is wanted there, and what one goes to is to be seen.
        (self.autorun.panel, self.autorun.full) = (false, false);
        self.review.shown = false;
    }

    /// Gives the keyboard to the next part of the window: the panes, the runs, the list of agents.
    fn region(&mut self, forward: bool) -> Task<Message> {
        let marked = self.marked.is_some();
        if self.review.shown {
            if marked || !self.review_has_list() {
                self.marked = None;
            } else {
                self.mark();
            }
            return Task::none();
        }
        if self.autorun.panel {
            self.autorun.panel = false;
            if forward {
                self.mark();
            } else {
                // The last part of a conversation.
                self.talks.region = Region::Composer;
            }
            return Task::none();
        }
        let there = self.runs_width().is_some() && !self.autorun.full;
        if marked && !forward && there {
            return self.autorun_command(Id::RunsFocus);
        }
        self.region_step(forward);
        if forward && !marked && self.marked.is_some() && there {
            return self.autorun_command(Id::RunsFocus);
        }
        Task::none()
    }

    pub(super) fn focus_step(&mut self, by: isize) {
        let panes = self.all_panes();
        if panes.is_empty() {
            return;
        }
        let at = self.focused().and_then(|pane| panes.iter().position(|other| *other == pane));
        let next = at.map_or(0, |at| (at as isize + by).rem_euclid(panes.len() as isize) as usize);
        self.focus_pane(panes[next]);
    }

    pub(super) fn close_pane(&mut self) {
        let Some(pane) = self.focused() else { return };
        let panes = self.all_panes();
        let at = panes.iter().position(|other| *other == pane).unwrap_or(0);
        if let Pane::Terminal(terminal) = pane {
            self.kept.terminals.retain(|id| *id != terminal);
            self.link.tell(Command::CloseTerminal { terminal });
        } else {
            let _ = self.kept.closed.insert(pane);
        }
        let left = self.all_panes();
        self.kept.focused = left.get(at.min(left.len().saturating_sub(1))).copied();
        self.kept.maximised = false;
    }

    /// Gives the keyboard to the list of agents.
    pub(super) fn mark(&mut self) {
        self.kept.agents_shown = true;
        self.autorun.panel = false;
        self.list.writing = false;
        let listed = agents::listed(&self.model, &self.list, &self.kept.folded);
        let here = self.focused_agent().map(|(agent, _)| agent.id);
        let here = here.filter(|id| listed.contains(id));
        let any = || agents::order(&self.model).first().copied();
        self.marked = here.or_else(|| listed.first().copied()).or_else(any);
    }

    pub(super) fn toggle_runs(&mut self) -> Task<Message> {
        if self.model.runs_in_sight(self.now_ms).next().is_none() {
            let chord = self.keymap.title(Id::RunStart).unwrap_or_default();
            let words = format!("There is no run to show. {chord} starts one.");
            return self.toast(toast::Source::Window, Kind::Note, None, words);
        }
        self.kept.runs_shown = !self.kept.runs_shown;
        Task::none()
    }

    pub(super) fn zoom(&mut self, zoom: f32) {
        self.kept.zoom = stepped(zoom);
        self.relook();
    }

    /// Makes the text of the pane with the keyboard larger by so much, or as large as all.
    fn zoom_pane(&mut self, by: Option<f32>) {
        let Some(pane) = self.focused() else { return };
        let before =
            self.kept.zooms.iter().find(|(other, _)| *other == pane).map(|(_, zoom)| *zoom);
        self.kept.zooms.retain(|(other, _)| *other != pane);
        let zoom = by.map(|by| stepped(before.unwrap_or(self.kept.zoom) + by));
        self.kept
            .zooms
            .extend(zoom.filter(|zoom| *zoom != self.kept.zoom).map(|zoom| (pane, zoom)));
        self.relook();
    }

    /// How terminals look follows from theme, sizes and settings.
    pub(super) fn relook(&mut self) {
        let of = |zoom| look::of(self.tokens, zoom, &self.settings);
        self.look = of(self.kept.zoom);
        self.looks = self.kept.zooms.iter().map(|(pane, zoom)| (*pane, of(*zoom))).collect();
    }

    /// Shows the window in a theme.
    pub fn set_theme(&mut self, tokens: &'static Tokens) {
        self.tokens = tokens;
        tokens.name.clone_into(&mut self.kept.theme);
        self.relook();
        self.tell_theme();
    }

    pub(super) fn tell_theme(&self) {
        self.link.tell_theme(self.tokens);
    }

    pub(super) fn terminal_input(&self, input: Input) {
        if let Some(terminal) = self.focused_terminal() {
            self.link.input(terminal, input);
        }
    }

    pub(super) fn copy(&self, primary: bool) -> Task<Message> {
        self.focused_terminal()
            .map_or_else(Task::none, |terminal| self.copy_from(terminal, primary))
    }

    pub(super) fn copy_from(&self, terminal: TerminalId, primary: bool) -> Task<Message> {
        self.request(Command::CopySelection { terminal }, move |reply| match reply {
            Ok(Reply::Text(text)) => Message::Copied(text, primary),
            Ok(_) => Message::Done(Ok(())),
            Err(why) => Message::Done(Err(why)),
        })
    }

    pub(super) fn paste(&mut self) -> Task<Message> {
        let Some(terminal) = self.focused_terminal() else { return Task::none() };
        self.reading = true;
        clipboard::read().map(move |text| Message::Pasted(terminal, text))
    }
}

/// A size of text in whole steps, neither too small nor too large.
fn stepped(zoom: f32) -> f32 {
    (zoom * 10.0).round().clamp(ZOOM.0 * 10.0, ZOOM.1 * 10.0) / 10.0
}

/// A link under the mouse, as it is shown.
fn shown(link: &Link) -> String {
    let target = target::visible(&link.target);
    match link.kind {
        link::Kind::Path { line: 0, .. } => target,
        link::Kind::Path { line, col: Some(column) } => format!("{target}:{line}:{column}"),
        link::Kind::Path { line, col: None } => format!("{target}:{line}"),
        link::Kind::Named | link::Kind::Url => target,
    }
}
