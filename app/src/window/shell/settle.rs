//! What follows from a change: which terminals send frames, who has the keyboard.

use std::collections::HashMap;

use iced::Task;
use iced_runtime::widget::operation;
use maestro_core::TerminalId;
use maestro_protocol::message::Command;

use super::{Connection, Message, NOBODY, Overlay, Shell};
use crate::window::chords;
use crate::window::palette;
use crate::window::panes::{self, Pane};
use crate::window::prompt;
use crate::window::queue;
use crate::window::tabs::picker;
use crate::window::{agents, find};

impl Shell {
    /// Brings host and widgets in line with the state: which terminals send frames, who has the
    /// keyboard, what is remembered.
    pub(super) fn settle(&mut self) -> Task<Message> {
        if self.connection == Connection::Up {
            self.settle_focus();
            self.settle_subscriptions();
        }
        match &mut self.overlay {
            Some(Overlay::Palette(palette)) => palette.fit(self.window.size.height),
            Some(Overlay::Chords(page)) => page.fit(self.window.size.height),
            Some(Overlay::Settings(page)) => {
                page.fit(self.window.size.width, self.window.size.height);
            }
            _ => {}
        }
        self.settle_notices();
        self.settle_theme();
        self.settle_menus();
        self.settle_terminals();
        let talks = self.settle_talks();
        let runs = Task::batch([self.settle_autorun(), self.settle_review(), self.settle_files()]);
        let rest = [self.settle_keyboard(), self.settle_kept(), self.settle_graphics()];
        let called = [self.settle_reading(), self.settle_hotkeys()];
        Task::batch([talks, runs].into_iter().chain(called).chain(rest))
    }

    /// There is a focused pane whenever there is a pane.
    pub(super) fn settle_focus(&mut self) {
        self.kept.terminals.retain(|id| self.model.terminals.contains_key(id));
        let known = |pane: &Pane| match pane {
            Pane::Agent(id) => self.model.agent(*id).is_some(),
            Pane::Terminal(id) => self.model.terminals.contains_key(id),
        };
        self.kept.closed.retain(known);
        self.kept.zooms.retain(|(pane, _)| known(pane));
        let panes = self.all_panes();
        if !self.kept.focused.is_some_and(|pane| panes.contains(&pane)) {
            self.kept.focused = panes.first().copied();
        }
        self.settle_tree();
        self.settle_broadcast();
        if self.marked.is_some_and(|id| self.model.agent(id).is_none()) {
            self.marked = None;
        }
        self.list.chosen.retain(|id| self.model.agent(*id).is_some());
        if self.marked.is_none() {
            self.list.writing = false;
        }
    }

    /// What lies over terminals goes with them, and with the keyboard.
    fn settle_terminals(&mut self) {
        let here = self.focused_terminal();
        if let Some(terminal) = here {
            self.vi.seen(terminal, self.link.surface(terminal).modes().vi);
            if self.window.focused && self.overlay.is_none() {
                let _ = self.bells.remove(&terminal);
            }
        }
        let known = |terminal: &TerminalId| self.model.terminals.contains_key(terminal);
        self.wanted.retain(|terminal, _| known(terminal));
        self.bells.retain(known);
        self.unasked.retain(known);
        if self.find.as_ref().is_some_and(|find| !known(&find.terminal)) {
            self.find = None;
        }
        if self.hints.as_ref().is_some_and(|hints| Some(hints.terminal) != here) {
            self.hints = None;
        }
        if self.hovered.as_ref().is_some_and(|(terminal, _)| !known(terminal)) {
            self.hovered = None;
        }
    }

    pub(super) fn settle_subscriptions(&mut self) {
        let focused = self.focused();
        let wanted: HashMap<TerminalId, bool> = self
            .visible_panes()
            .into_iter()
            .filter_map(|(pane, side)| {
                let terminal = panes::terminal_of(&self.model, pane, side)?;
                Some((terminal, focused == Some(pane)))
            })
            .collect();
        for terminal in self.subscribed.keys().filter(|id| !wanted.contains_key(id)) {
            self.link.tell(Command::Unsubscribe { terminal: *terminal });
            if !self.model.terminals.contains_key(terminal) {
                self.link.forget(*terminal);
            }
        }
        for (terminal, focused) in &wanted {
            if self.subscribed.get(terminal) != Some(focused) {
                // The surface has to be there before its first frame is.
                let _ = self.link.surface(*terminal);
                self.link.tell(Command::Subscribe { terminal: *terminal, focused: *focused });
            }
        }
        self.subscribed = wanted;
    }

    pub(super) fn settle_keyboard(&mut self) -> Task<Message> {
        let wanted = match &self.overlay {
            Some(Overlay::Palette(_)) => palette::INPUT.to_owned(),
            Some(Overlay::NewAgent(dialog)) => dialog.focus().input().unwrap_or(NOBODY).to_owned(),
            Some(Overlay::Prompt(_)) => prompt::INPUT.to_owned(),
            Some(Overlay::Sessions(browser)) => browser.input().to_owned(),
            Some(Overlay::Usage(_) | Overlay::Notices(_) | Overlay::Mastery(_)) => {
                NOBODY.to_owned()
            }
            Some(Overlay::Settings(page)) if page.is_recording() => NOBODY.to_owned(),
            Some(Overlay::Settings(page)) => page.input().to_owned(),
            Some(Overlay::Chords(page)) if page.is_recording() => NOBODY.to_owned(),
            Some(Overlay::Chords(_)) => chords::INPUT.to_owned(),
            Some(Overlay::Picker(_)) => picker::INPUT.to_owned(),
            Some(Overlay::Queue(queue)) if queue.is_editing() => queue::INPUT.to_owned(),
            Some(Overlay::Queue(_) | Overlay::Why(_)) => NOBODY.to_owned(),
            Some(Overlay::Ask(ask)) => ask.input().unwrap_or(NOBODY).to_owned(),
            None if self.filters_agents() => agents::INPUT.to_owned(),
            None if self.review.shown => {
                let input = self.review.input().filter(|_| self.marked.is_none());
                input.unwrap_or(NOBODY).to_owned()
            }
            None if self.autorun.has_keyboard() => {
                self.autorun.input().unwrap_or_else(|| NOBODY.to_owned())
            }
            None if self.marked.is_some() || self.connection == Connection::Stopped => {
                NOBODY.to_owned()
            }
            None if self.is_finding() => find::INPUT.to_owned(),
            None => self.talk_keyboard().unwrap_or_else(|| {
                self.focused_terminal().map_or_else(|| NOBODY.to_owned(), panes::widget_id)
            }),
        };
        if wanted == self.keyboard {
            return Task::none();
        }
        let is_input = (self.overlay.is_some()
            || wanted == find::INPUT
            || self.autorun_has_overlay()
            || self.review.asks())
            && wanted != NOBODY;
        self.keyboard.clone_from(&wanted);
        let focus = operation::focus(wanted.clone());
        if is_input { focus.chain(operation::select_all(wanted)) } else { focus }
    }
}
