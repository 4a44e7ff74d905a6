//! Counts what cells hold besides themselves: see [`crate::budget`].
//!
//! What is made is counted as it is made. What was overwritten or scrolled away is not seen to go, so the
//! sum only grows, and once it is twice what it was the cells are looked at.

use std::ptr;

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::Line;
use alacritty_terminal::term::cell::Cell;

use crate::budget::{Budget, Share, TERMINAL_LIMIT};

/// Bytes of a cell's side table, as the allocator counts.
pub(super) const TABLE: usize = 80;

/// Bytes of a combining mark in it, roughly: the list grows by doubling.
pub(super) const MARK: usize = 8;

/// Bytes of a link besides its target and id.
pub(super) const LINK: usize = 128;

/// Below this nobody looks.
const LOOK_FROM: usize = 4 * 1024 * 1024;

/// How many things are dropped before the cells are looked at again for room, at least; with more cells it
/// is a quarter of them, so that looking never takes longer than printing.
const PAUSE: usize = 10_000;

#[derive(Debug)]
pub(super) struct Extras {
    share: Share,
    /// Bytes on the main and on the alternate screen.
    bytes: [usize; 2],
    /// The sum at which the cells are looked at.
    look_at: usize,
    pause: usize,
}

impl Extras {
    pub(super) fn new(budget: Budget) -> Self {
        Self { share: Share::new(budget), bytes: [0; 2], look_at: LOOK_FROM, pause: 0 }
    }

    /// Bytes of both screens.
    pub(super) fn bytes(&self) -> usize {
        self.bytes[0] + self.bytes[1]
    }

    /// Whether there is room for so many bytes more on a screen; if so, they are counted.
    pub(super) fn take(&mut self, bytes: usize, alt: bool, grid: &Grid<Cell>) -> bool {
        if self.pause > 0 {
            self.pause -= 1;
            return false;
        }
        let sum = self.bytes() + bytes;
        if sum <= self.look_at && self.share.cover(sum) {
            self.bytes[usize::from(alt)] += bytes;
            return true;
        }
        self.look(bytes, alt, grid)
    }

    #[cold]
    fn look(&mut self, bytes: usize, alt: bool, grid: &Grid<Cell>) -> bool {
        self.bytes[usize::from(alt)] = held(grid);
        let sum = self.bytes();
        self.look_at = (2 * sum).clamp(LOOK_FROM, TERMINAL_LIMIT);
        // Where it is full but for a little, the next look would come at once.
        let fits = sum + bytes <= TERMINAL_LIMIT / 8 * 7 && self.share.cover(sum + bytes);
        if fits {
            self.bytes[usize::from(alt)] += bytes;
        } else {
            let _ = self.share.cover(sum);
            self.pause = PAUSE.max(grid.total_lines() * grid.columns() / 4);
        }
        fits
    }

    /// A screen has been emptied. Where it held nothing there is no more room than before, and no reason to
    /// look.
    pub(super) fn forget(&mut self, alt: bool) {
        if std::mem::take(&mut self.bytes[usize::from(alt)]) > 0 {
            self.pause = 0;
            let _ = self.share.cover(self.bytes());
        }
    }

    /// Looks at the main screen's cells, which somebody has made fewer.
    pub(super) fn recount_main(&mut self, grid: &Grid<Cell>) {
        self.bytes[0] = held(grid);
        self.look_at = (2 * self.bytes()).clamp(LOOK_FROM, TERMINAL_LIMIT);
        self.pause = 0;
        let _ = self.share.cover(self.bytes());
    }
}

/// The bytes a grid's cells hold besides themselves.
fn held(grid: &Grid<Cell>) -> usize {
    let (mut bytes, mut last, mut last_link) = (0, ptr::null(), ptr::null());
    for line in grid.topmost_line().0..=grid.bottommost_line().0 {
        for cell in &grid[Line(line)] {
            let Some(extra) = &cell.extra else { continue };
            if ptr::eq(std::sync::Arc::as_ptr(extra), last) {
                continue;
            }
            last = std::sync::Arc::as_ptr(extra);
            bytes += TABLE + cell.zerowidth().map_or(0, |marks| marks.len() * MARK);
            if let Some(link) = cell.hyperlink()
                && link.uri().as_ptr() != last_link
            {
                last_link = link.uri().as_ptr();
                bytes += link.uri().len() + link.id().len() + LINK;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn showing_screens_in_turn_makes_nobody_look_again() {
        let grid = Grid::new(2, 2, 0);
        let mut extras = Extras::new(Budget::new(0));
        assert!(!extras.take(TABLE, false, &grid));
        let pause = extras.pause;
        extras.forget(true);
        assert!(!extras.take(TABLE, false, &grid));
        assert_eq!(extras.pause, pause - 1);
    }
}
