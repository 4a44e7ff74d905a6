//! How the panes are laid out, by commands.

use iced::Task;
use maestro_core::command::Id;
use maestro_core::layout::{self, Direction, Kind, Plan, Tree};

use super::{Message, Overlay, Shell};
use crate::window::panes::Pane;
use crate::window::prompt::Prompt;
use crate::window::toast::{self, Kind as Tone};

impl Shell {
    pub(super) fn layout_command(&mut self, id: Id) -> Task<Message> {
        match id {
            Id::LayoutNext => {
                let kind = self.kind().next();
                self.arrange(kind);
                return self.said(format!("Layout: {}", kind.title()));
            }
            Id::LayoutAuto => self.arrange(Kind::Automatic),
            Id::LayoutColumns => self.arrange(Kind::Columns),
            Id::LayoutRows => self.arrange(Kind::Rows),
            Id::LayoutGrid => self.overlay = Some(Overlay::Prompt(Prompt::grid(self.kind()))),
            Id::LayoutMain => self.arrange(Kind::Main),
            Id::LayoutStrip => self.arrange(Kind::Strip),
            Id::LayoutFocus => self.arrange(Kind::Focus),
            Id::LayoutFree => self.arrange(Kind::Free),
            Id::LayoutEven => return self.retile(|tree, _, _| Some(tree.evened())),
            Id::PaneResize(direction) => {
                return self.retile(|tree, pane, _| tree.resized(pane, direction));
            }
            Id::PaneSwap(direction) => {
                return self.retile(|tree, pane, plan| {
                    Some(tree.swapped(pane, beside(plan, pane, direction)?))
                });
            }
            Id::PaneMove(direction) => {
                return self.retile(|tree, pane, plan| {
                    tree.moved(pane, beside(plan, pane, direction), direction)
                });
            }
            Id::PaneTurn => return self.retile(|tree, pane, _| tree.turned(pane)),
            _ => {}
        }
        Task::none()
    }

    pub(super) fn arrange(&mut self, kind: Kind) {
        if kind == Kind::Free && self.kept.tree.is_none() {
            self.kept.tree = self.own_tiles();
        }
        self.kept.arrangement = kind.to_string();
        self.kept.maximised = false;
    }

    /// Changes how the panes are split, which from then on is the user's own way. Nothing changes where that
    /// would show nothing else.
    fn retile(
        &mut self,
        change: impl FnOnce(&Tree<Pane>, Pane, &Plan<Pane>) -> Option<Tree<Pane>>,
    ) -> Task<Message> {
        self.kept.maximised = false;
        let before = self.laid_out();
        let Some(pane) = self.focused().filter(|_| before.shown.len() > 1) else {
            return self.noted("Only one pane is shown: there is nothing to move or to resize.");
        };
        let changed = self.own_tiles().and_then(|tree| change(&tree, pane, &before));
        let Some(tree) = changed else {
            return self.noted("There is no edge and no pane in that direction.");
        };
        let kept = (self.kept.arrangement.clone(), self.kept.tree.replace(tree));
        self.kept.arrangement = Kind::Free.to_string();
        if self.laid_out() == before {
            (self.kept.arrangement, self.kept.tree) = kept;
        }
        Task::none()
    }

    fn noted(&mut self, words: &str) -> Task<Message> {
        self.toast(toast::Source::Window, Tone::Note, None, words)
    }

    /// Gives the keyboard to the pane in a direction. Beyond the last one that is shown are those that are
    /// not.
    pub(super) fn focus_towards(&mut self, direction: Direction) {
        let plan = self.laid_out();
        let hidden = plan.shown.len() < self.all_panes().len();
        let next = self.focused().and_then(|pane| beside(&plan, pane, direction));
        match next {
            Some(pane) => self.focus_pane(pane),
            None if hidden => self.focus_step(if direction.is_forward() { 1 } else { -1 }),
            None => {}
        }
    }
}

/// The pane next to one in a direction.
fn beside(plan: &Plan<Pane>, pane: Pane, direction: Direction) -> Option<Pane> {
    let at = plan.shown.iter().position(|(own, _)| *own == pane)?;
    let next = layout::neighbour(&plan.places(), at, direction)?;
    plan.shown.get(next).map(|(pane, _)| *pane)
}
