//! Which panes there are, which are seen, and how large they are.

use std::ops::RangeInclusive;

use iced::{Point, Rectangle, Size};
use maestro_core::agent::Agent;
use maestro_core::{TerminalId, screen};
use maestro_ui::theme::extent;
use maestro_ui::tiles::{Arrangement, Grain};

use super::Shell;
use crate::window::agents;
use crate::window::panes::{self, Pane, Side};

/// Below this width of the window the right panel would leave too little for panes.
const WIDE: f32 = 1180.0;

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
    pub(super) fn arrangement(&self) -> Arrangement {
        Arrangement::named(&self.kept.arrangement).unwrap_or_default()
    }

    /// Every pane that is not closed, in the order of the grid.
    pub(super) fn all_panes(&self) -> Vec<Pane> {
        let agents = agents::order(&self.model).into_iter().map(Pane::Agent);
        let terminals = self.kept.terminals.iter().copied().map(Pane::Terminal);
        agents.chain(terminals).filter(|pane| !self.kept.closed.contains(pane)).collect()
    }

    /// The panes on the screen, with the side each shows.
    pub(super) fn visible_panes(&self) -> Vec<(Pane, Side)> {
        let focused = self.focused();
        self.all_panes()
            .into_iter()
            .filter(|pane| !self.kept.maximised || Some(*pane) == focused)
            .map(|pane| (pane, self.side(pane)))
            .collect()
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
        let rail = self.kept.agents_rail;
        shown.then(|| if rail { agents::RAIL } else { self.fitting(self.kept.agents_width) })
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

    /// Where so many panes go.
    pub(super) fn places(&self, count: usize) -> Vec<Rectangle> {
        self.arrangement().places(count, self.grid_size(), &self.grain())
    }

    /// What panes are measured by: gaps and cells.
    pub(super) fn grain(&self) -> Grain {
        let edge = 2.0 * (panes::PADDING + 2.0 * extent::LINE);
        let frame = Size::new(edge, edge + extent::PANE_HEADER + extent::LINE);
        Grain { gap: panes::GAP, cell: self.look.cell(self.scale()), frame }
    }

    pub(super) fn size_of_one_more(&self) -> screen::Size {
        let places = self.places(self.all_panes().len() + 1);
        let area = if self.kept.maximised { self.grid_size() } else { last_size(&places) };
        self.cells(area)
    }

    pub(super) fn size_of_focused(&self) -> screen::Size {
        let panes = self.visible_panes();
        let places = self.places(panes.len());
        let at = panes.iter().position(|(pane, _)| Some(*pane) == self.focused());
        let place = at.and_then(|at| places.get(at)).map(Rectangle::size);
        self.cells(place.unwrap_or_else(|| self.grid_size()))
    }

    /// How many cells a pane of this size has. The widget has the last word once it is laid out.
    pub(super) fn cells(&self, pane: Size) -> screen::Size {
        let (cols, rows) = self.grain().cells(pane);
        screen::Size::new(cols.clamp(20.0, 500.0) as u16, rows.clamp(5.0, 300.0) as u16)
    }
}

fn last_size(places: &[Rectangle]) -> Size {
    places.last().map_or(Size::ZERO, Rectangle::size)
}
