//! Which panes there are, which are seen, and how large they are.

use std::ops::RangeInclusive;

use iced::{Point, Size};
use maestro_core::agent::Agent;
use maestro_core::layout::{self, Grain, Kind, Plan, Rect, Tree};
use maestro_core::{TerminalId, screen};
use maestro_ui::theme::extent;

use super::Shell;
use crate::window::agents;
use crate::window::panes::{self, Pane, Side, strip};

/// Below this width of the window the right panel would leave too little for panes.
const WIDE: f32 = 1180.0;

/// Below this width the names of agents would leave too little for panes.
const NARROW: f32 = 620.0;

/// How narrow and how wide a side panel can be.
const WIDTHS: RangeInclusive<f32> = 180.0..=560.0;

/// How far a command moves the edge of a side panel.
pub(super) const STEP: f32 = 24.0;

/// A panel at a side of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// The list of agents, at the left.
    Agents,
    /// The runs, at the right.
    Runs,
}

impl Shell {
    /// How the panes share the place. What a later version calls its layouts is not known here.
    pub(super) fn kind(&self) -> Kind {
        self.kept.arrangement.parse().unwrap_or_default()
    }

    /// Every pane that is not closed, in the order of the grid.
    pub(super) fn all_panes(&self) -> Vec<Pane> {
        let agents = agents::order(&self.model).into_iter().map(Pane::Agent);
        let terminals = self.kept.terminals.iter().copied().map(Pane::Terminal);
        agents.chain(terminals).filter(|pane| !self.kept.closed.contains(pane)).collect()
    }

    /// The panes on the screen, with the side each shows.
    pub(super) fn visible_panes(&self) -> Vec<(Pane, Side)> {
        let shown = self.plan().shown.into_iter();
        shown.map(|(pane, _)| (pane, self.side(pane))).collect()
    }

    /// The panes on the screen and where they are, and those for which there is no place.
    pub(super) fn plan(&self) -> Plan<Pane> {
        let Some(focused) = self.focused().filter(|_| self.kept.maximised) else {
            return self.laid_out();
        };
        let shown = vec![(focused, Rect::of(measured(self.grid_size())))];
        let shown = if self.all_panes().contains(&focused) { shown } else { Vec::new() };
        Plan { shown, rest: Vec::new() }
    }

    /// The same without a pane that is maximised.
    pub(super) fn laid_out(&self) -> Plan<Pane> {
        let (tree, panes) = (self.kept.tree.as_ref(), self.all_panes());
        let size = measured(self.grid_size());
        layout::plan(self.kind(), tree, &panes, self.focused(), size, &self.grain())
    }

    /// The area that places were planned for.
    pub(super) fn planned(&self, plan: &Plan<Pane>) -> Size {
        let size = self.grid_size();
        let strip = if plan.rest.is_empty() { 0.0 } else { self.grain().strip };
        Size::new(size.width, (size.height - strip).max(0.0))
    }

    /// Panes that were split by hand keep up with the panes there are.
    pub(super) fn settle_tree(&mut self) {
        if self.kind() == Kind::Free {
            self.kept.tree = self.own_tiles();
        }
    }

    /// The panes as they are, to be split by hand from there.
    pub(super) fn own_tiles(&self) -> Option<Tree<Pane>> {
        let (kind, panes) = (self.kind(), self.all_panes());
        let (size, grain) = (measured(self.grid_size()), self.grain());
        match self.kept.tree.clone().filter(|_| kind == Kind::Free) {
            Some(tree) => tree.with(&panes, size, &grain),
            None => Tree::of(kind, &panes, size, &grain),
        }
    }

    pub(super) fn side(&self, pane: Pane) -> Side {
        match pane {
            Pane::Agent(id) if self.kept.shells.contains(&id) => Side::Shell,
            Pane::Agent(id) if self.kept.conversing.contains(&id) => {
                Side::Conversation(self.tab_of(id))
            }
            _ => Side::Agent,
        }
    }

    pub(super) fn focused(&self) -> Option<Pane> {
        self.kept.focused
    }

    pub(super) fn focused_agent(&self) -> Option<(&Agent, Side)> {
        match self.focused()? {
            pane @ Pane::Agent(id) => Some((self.model.agent(id)?, self.side(pane))),
            Pane::Terminal(_) => None,
        }
    }

    /// The agent a command is about: the one marked in the list, or the one with the keyboard.
    pub(super) fn chosen_agent(&self) -> Option<&Agent> {
        let marked = self.marked.and_then(|id| self.model.agent(id));
        marked.or_else(|| self.focused_agent().map(|(agent, _)| agent))
    }

    pub(super) fn focused_terminal(&self) -> Option<TerminalId> {
        let pane = self.focused()?;
        panes::terminal_of(&self.model, pane, self.side(pane))
    }

    /// The place that the panes share.
    pub(super) fn grid_size(&self) -> Size {
        let left = self.agents_width().map_or(0.0, |width| width + extent::LINE);
        let right = self.runs_width().map_or(0.0, |width| width + extent::LINE);
        let bars = extent::TOP_BAR + extent::STATUS_BAR + 2.0 * extent::LINE;
        let edge = 2.0 * panes::MARGIN;
        let Size { width, height } = self.window.size;
        Size::new((width - left - right - edge).max(0.0), (height - bars - edge).max(0.0))
    }

    /// How wide the list of agents is, while it is shown. A window that became small takes from it,
    /// without forgetting how wide it should be.
    pub(super) fn agents_width(&self) -> Option<f32> {
        let shown = self.kept.agents_shown && !self.model.agents.is_empty();
        let rail = self.is_rail();
        shown.then(|| if rail { agents::RAIL } else { self.fitting(self.kept.agents_width) })
    }

    /// Whether agents are listed as shapes alone: at the user's wish, or because there is little room.
    pub(super) fn is_rail(&self) -> bool {
        self.kept.agents_rail || self.window.size.width < NARROW
    }

    /// How wide the runs are, while they are shown.
    pub(super) fn runs_width(&self) -> Option<f32> {
        let shown = self.kept.runs_shown
            && self.window.size.width >= WIDE
            && self.model.runs_in_sight(self.now_ms).next().is_some();
        shown.then(|| self.fitting(self.kept.runs_width))
    }

    fn fitting(&self, width: f32) -> f32 {
        let most = (self.window.size.width * 0.4).max(*WIDTHS.start());
        width.clamp(*WIDTHS.start(), *WIDTHS.end()).min(most).round()
    }

    /// Makes a side panel wider by so much, or narrower.
    pub(super) fn widen(&mut self, panel: Panel, by: f32) {
        match panel {
            Panel::Agents => {
                (self.kept.agents_shown, self.kept.agents_rail) = (true, false);
                self.kept.agents_width = self.fitting(self.fitting(self.kept.agents_width) + by);
            }
            Panel::Runs => {
                self.kept.runs_shown = true;
                self.kept.runs_width = self.fitting(self.fitting(self.kept.runs_width) + by);
            }
        }
    }

    /// The mouse takes the edge of a side panel somewhere.
    pub(super) fn drag(&mut self, at: Point) {
        match self.held {
            Some(Panel::Agents) => self.kept.agents_width = self.fitting(at.x),
            Some(Panel::Runs) => {
                self.kept.runs_width = self.fitting(self.window.size.width - at.x);
            }
            None => {}
        }
    }

    /// What panes are measured by: gaps and cells.
    pub(super) fn grain(&self) -> Grain {
        let edge = 2.0 * (panes::PADDING + 2.0 * extent::LINE);
        let frame = Size::new(edge, edge + extent::PANE_HEADER + extent::LINE);
        let cell = self.look.cell(self.scale());
        Grain {
            gap: panes::GAP,
            cell: measured(cell),
            frame: measured(frame),
            strip: strip::HEIGHT + panes::MARGIN,
        }
    }

    pub(super) fn size_of_one_more(&self) -> screen::Size {
        let size = self.grid_size();
        if self.kept.maximised {
            return self.cells(size);
        }
        let last = self.all_panes().len();
        let panes: Vec<usize> = (0..=last).collect();
        let grain = self.grain();
        let plan = layout::plan(self.kind(), None, &panes, Some(last), measured(size), &grain);
        let place = plan.shown.iter().find(|(pane, _)| *pane == last);
        self.cells(place.map_or(size, |(_, place)| Size::new(place.width, place.height)))
    }

    pub(super) fn size_of_focused(&self) -> screen::Size {
        let shown = self.plan().shown;
        let place = shown.iter().find(|(pane, _)| Some(*pane) == self.focused());
        let size = |(_, place): &(Pane, Rect)| Size::new(place.width, place.height);
        self.cells(place.map_or_else(|| self.grid_size(), size))
    }

    /// How many cells a pane of this size has. The widget has the last word once it is laid out.
    pub(super) fn cells(&self, pane: Size) -> screen::Size {
        let (cols, rows) = self.grain().cells(measured(pane));
        screen::Size::new(cols.clamp(20.0, 500.0) as u16, rows.clamp(5.0, 300.0) as u16)
    }
}

pub(super) fn measured(size: Size) -> layout::Size {
    layout::Size::new(size.width, size.height)
}
