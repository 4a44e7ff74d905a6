//! Rows by their number, hot and cold, and where the viewport is among them.

use maestro_core::input::{Input, Motion, ScrollTo, Select, Vi};
use maestro_core::screen::{Row, Size};

use super::Terminal;
use crate::cold::{Cold, Point};
use crate::hot;
use crate::pack::pack;

/// Rows around what is looked at that are wrapped with it: words and addresses may begin above it.
const AROUND: usize = 64;

/// How far somebody goes through rows that are wrapped on the way; who goes farther waits until all are.
const NEAR: u64 = 2048;

impl Terminal {
    /// Rows of history that can be read. Right after lines were wrapped anew, older ones are counted as they
    /// were wrapped before.
    pub(super) fn history(&self) -> usize {
        if self.emulator.is_alt() {
            return 0;
        }
        let cold = self.emulator.state.cold.len();
        (self.emulator.native_history() + cold).min(self.options.scrollback)
    }

    /// The number of the oldest row that can be read.
    pub(super) fn oldest(&self) -> u64 {
        self.emulator.base() - self.history() as u64
    }

    /// The number of the screen's last row.
    pub(super) fn newest(&self) -> u64 {
        self.emulator.base() + u64::from(self.options.size.rows) - 1
    }

    /// Rows between the viewport's bottom and the screen's.
    pub(super) fn offset(&self) -> usize {
        let base = self.emulator.base();
        self.top.map_or(0, |top| base.saturating_sub(top.max(self.oldest())) as usize)
    }

    /// The number of the viewport's first row.
    pub(super) fn first_shown(&self) -> u64 {
        self.emulator.base() - self.offset() as u64
    }

    /// Reads a row by its number; `false`, and an empty row, when it is not there.
    pub(super) fn fetch(&mut self, number: u64, out: &mut Row) -> bool {
        let base = self.emulator.base();
        let hot = base - self.emulator.native_history() as u64;
        if number >= hot && number <= self.newest() {
            let line = (number as i64 - base as i64) as i32;
            pack(&self.emulator.grid()[alacritty_terminal::index::Line(line)], out);
            // What was said about a row that was emptied since is no longer true.
            let said = !out.cells.is_empty() && !self.emulator.is_alt();
            out.mark = if said { self.marks.of(number) } else { Default::default() };
            return number >= self.oldest();
        }
        if number < hot && !self.emulator.is_alt() {
            let row = self.emulator.state.cold.row(number);
            if let Some(row) = row {
                out.clone_from(row);
                return number >= self.oldest();
            }
        }
        *out = Row::default();
        false
    }

    /// Whether a row goes on in the next one.
    pub(super) fn wraps(&mut self, number: u64) -> bool {
        let base = self.emulator.base();
        let hot = base - self.emulator.native_history() as u64;
        if number >= hot {
            let line = (number as i64 - base as i64) as i32;
            return number <= self.newest() && hot::wraps(self.emulator.grid(), line);
        }
        let is_alt = self.emulator.is_alt();
        !is_alt && self.emulator.state.cold.row(number).is_some_and(|row| row.wrapped)
    }

    /// Makes a row's number, and all newer ones, right; and those of all cells that are remembered.
    pub(super) fn wrap_cold(&mut self, number: u64) {
        self.land();
        self.emulator.state.cold.wrap(number, &mut []);
    }

    /// Old rows up to the oldest cell that is remembered get the width of now, at once.
    pub(super) fn land(&mut self) {
        if self.is_parked() {
            self.with_points(|cold, points| cold.wrap(u64::MAX, points));
            self.update_parked();
        }
    }

    /// Whether cells are remembered in rows that have to be wrapped anew yet. Their numbers are good for what
    /// is near them, and change while rows are wrapped.
    pub(super) fn is_parked(&self) -> bool {
        self.emulator.state.cold.is_parked()
    }

    /// Something that is remembered may have gone elsewhere, or rows have been wrapped.
    pub(super) fn update_parked(&mut self) {
        if !self.is_parked() {
            return;
        }
        let end = self.emulator.state.cold.stale_end();
        let mut parked = false;
        self.each_point(&mut |point| parked |= point.row < end);
        self.emulator.state.cold.park(parked && !self.emulator.is_alt());
        if !self.is_parked() {
            // Words and lines are whole again.
            self.version += 1;
        }
    }

    /// Wraps rows, with all cells that are remembered in old ones.
    pub(super) fn with_points<T>(
        &mut self,
        run: impl FnOnce(&mut Cold, &mut [&mut Point]) -> T,
    ) -> T {
        let before = self.emulator.state.cold.wrapped();
        let result = if self.is_parked() {
            let mut points: Vec<Point> = Vec::new();
            self.each_point(&mut |point| points.push(*point));
            let mut moving: Vec<&mut Point> = points.iter_mut().collect();
            let result = run(&mut self.emulator.state.cold, &mut moving);
            let mut points = points.into_iter();
            self.each_point(&mut |point| *point = points.next().unwrap_or(*point));
            result
        } else {
            run(&mut self.emulator.state.cold, &mut [])
        };
        // Where more rows than may be kept are above, others may stand at the top.
        if self.top.is_some() && self.emulator.state.cold.wrapped() != before {
            self.version += 1;
        }
        result
    }

    /// Wraps what is in sight, and so many rows above and below it, where that lies among rows that have to
    /// be wrapped anew yet.
    pub(super) fn wrap_view(&mut self, up: u64, down: u64) {
        if !self.is_parked() || self.top.is_none() {
            return;
        }
        let rows = u64::from(self.options.size.rows);
        let around = (AROUND + up as usize, AROUND + (rows + down) as usize);
        // Where there are more rows than may be kept, others come to the end as these become more: so
        // often at most, which is ten times as often as it takes.
        for _ in 0..64 {
            let top = self.first_shown();
            self.top = Some(top);
            self.with_points(|cold, points| cold.freshen((top, top), around, points));
            if self.top == Some(self.first_shown()) {
                break;
            }
        }
    }

    /// Whether old rows, after a change of width, must first be wrapped anew for this, and so many that
    /// everybody else would wait: [`Self::wrap_slice`] does it bit by bit. It can be done at once, too.
    #[must_use]
    pub fn is_far(&self, input: &Input) -> bool {
        let parked = self.is_parked();
        let up = |rows: i64| match rows {
            rows if parked => rows.unsigned_abs() > NEAR,
            rows => self.is_far_row(self.first_shown().saturating_sub(rows.max(0) as u64)),
        };
        match input {
            Input::Scroll(ScrollTo::Top)
            | Input::Select(Select::All)
            | Input::Vi(Vi::Move(Motion::Top)) => self.is_far_row(0),
            Input::Scroll(ScrollTo::Lines(lines)) => up(i64::from(*lines)),
            Input::Scroll(ScrollTo::Pages(pages)) => {
                up(i64::from(*pages) * i64::from(self.options.size.rows))
            }
            Input::Scroll(ScrollTo::Offset(offset)) => {
                parked || self.is_far_row(self.emulator.base().saturating_sub(u64::from(*offset)))
            }
            Input::Scroll(ScrollTo::Prompts(_))
            | Input::Select(Select::Output(_))
            | Input::Vi(Vi::Move(_) | Vi::Swap) => parked,
            _ => false,
        }
    }

    /// The same for all there is: an export begins at the oldest row.
    #[must_use]
    pub fn is_far_to_the_top(&self) -> bool {
        self.is_far_row(0)
    }

    /// The same for what is selected, or was printed by a command: that is, to copy it.
    #[must_use]
    pub fn is_far_to_copy(&self) -> bool {
        self.is_parked()
    }

    /// Old rows that were wrapped anew since the beginning: what resizing has cost so far.
    #[must_use]
    pub fn wrapped_rows(&self) -> u64 {
        self.emulator.state.cold.wrapped()
    }

    fn is_far_row(&self, row: u64) -> bool {
        !self.emulator.is_alt() && self.emulator.state.cold.is_far(row)
    }

    /// Wraps about so many old rows at the width of now; `true` when there are more. About a microsecond a
    /// row.
    pub fn wrap_slice(&mut self, rows: usize) -> bool {
        let more = self.with_points(|cold, points| cold.wrap_some(rows, points));
        self.update_parked();
        if !self.emulator.is_alt() {
            self.settle_cold(false);
        }
        more
    }

    pub(super) fn scroll_to(&mut self, to: ScrollTo) {
        let rows = i64::from(self.options.size.rows);
        let by = match to {
            ScrollTo::Lines(lines) => Some(i64::from(lines)),
            ScrollTo::Pages(pages) => Some(i64::from(pages) * rows),
            _ => None,
        };
        let step = by.filter(|by| by.unsigned_abs() <= NEAR && self.is_parked());
        if let Some(by) = step {
            self.wrap_view(by.max(0) as u64, by.min(0).unsigned_abs());
        } else if to != ScrollTo::Bottom {
            self.land();
        }
        let offset = self.offset() as i64;
        let wanted = match to {
            ScrollTo::Lines(_) | ScrollTo::Pages(_) => offset + by.unwrap_or(0),
            ScrollTo::Top => i64::MAX,
            ScrollTo::Bottom => 0,
            ScrollTo::Offset(offset) => i64::from(offset),
            ScrollTo::Prompts(count) => self.prompt_offset(count),
        };
        if !self.is_parked() {
            let base = self.emulator.base();
            self.wrap_cold(base.saturating_sub(wanted.max(0) as u64));
        }
        self.set_offset(wanted.clamp(0, self.history() as i64));
        self.keep_vi_shown();
    }

    pub(super) fn set_offset(&mut self, offset: i64) {
        let base = self.emulator.base();
        // In vi mode nothing moves what is looked at, at the bottom either.
        let top = (offset > 0 || self.vi.is_some()).then_some(base - offset as u64);
        if self.top != top {
            if self.top.is_none() || offset == 0 {
                self.seen = base;
            }
            self.top = top;
            self.version += 1;
        }
        if top.is_none() {
            self.emulator.state.cold.forget_cache();
        }
    }

    /// Scrolls as little as needed to show a row; far away, it comes to the middle.
    pub(super) fn show(&mut self, row: u64) {
        let top = self.first_shown();
        let rows = u64::from(self.options.size.rows);
        let wanted = match row {
            row if row >= top && row < top + rows => return,
            row if row < top && top - row == 1 => row,
            row if row >= top && row - top == rows => top + 1,
            row => row.saturating_sub(rows / 2),
        };
        if !self.is_parked() {
            self.wrap_cold(wanted);
        }
        let offset = self.emulator.base().saturating_sub(wanted) as i64;
        self.set_offset(offset.min(self.history() as i64));
    }

    /// Draws the conclusions for rows, marks and viewport from whatever the emulator did.
    pub(super) fn settle_rows(&mut self, wiped: bool, swapped: bool) {
        self.forget_wiped_marks();
        if wiped || swapped {
            self.leave_history();
        }
        if !self.emulator.is_alt() {
            self.settle_cold(wiped);
        }
        if self.top.is_some() && self.vi.is_none() && self.offset() == 0 {
            self.top = None;
        }
        self.settle_vi();
    }

    /// Rows became cold while the main screen is shown: what belongs to them goes with them, and what is
    /// beyond the limit goes.
    pub(super) fn settle_cold(&mut self, wiped: bool) {
        let native = self.emulator.native_history();
        let state = &mut self.emulator.state;
        for (point, kind) in self.marks.take_older(state.shed) {
            state.cold.mark(point, kind);
        }
        self.settle_search(wiped);
        self.emulator.state.cold.shorten(self.options.scrollback.saturating_sub(native));
    }

    /// Everything that looked at older rows goes to the screen.
    fn leave_history(&mut self) {
        self.clear_selection();
        self.top = None;
        self.restart_search();
        if self.vi.is_some() {
            self.set_offset(0);
            self.keep_vi_shown();
        }
    }

    /// No row is what it was.
    pub(super) fn forget_rows(&mut self) {
        self.marks.clear();
        self.emulator.state.cold.clear();
        self.vi = None;
        self.leave_history();
    }

    /// Resizes with another width. What was looked at, selected and found stays at its text: far up, where
    /// the way to it has to be wrapped anew first, it is numbered by that text until then.
    pub(super) fn reflow(&mut self, size: Size) {
        let is_alt = self.emulator.is_alt();
        let shed = self.emulator.state.shed;
        let mut points: Vec<Point> = Vec::new();
        self.each_point(&mut |point| points.push(*point));
        // On the alternate screen nothing is wrapped, and what is tracked is there, all but the marks.
        let tracked = if is_alt { 0 } else { points.len() };
        points.truncate(tracked);
        points.extend(self.marks.points().map(|point| *point));
        let mut hot: Vec<usize> = (0..points.len()).filter(|at| points[*at].row >= shed).collect();
        hot.sort_by_key(|at| points[*at]);
        let anchors = self.emulator.on_main(|grid| {
            use alacritty_terminal::grid::Dimensions;
            let base = (shed + grid.history_size() as u64) as i64;
            let line = |point: &Point| ((point.row as i64 - base) as i32, point.col);
            let cells: Vec<_> = hot.iter().map(|at| line(&points[*at])).collect();
            hot::anchors(grid, &cells)
        });
        self.emulator.resize(size);
        let shed = self.emulator.state.shed;
        let found = self.emulator.on_main(|grid| {
            use alacritty_terminal::grid::Dimensions;
            let base = (shed + grid.history_size() as u64) as i64;
            let point =
                |(line, col): (i32, u16)| Point { row: (base + i64::from(line)) as u64, col };
            hot::find(grid, &anchors).into_iter().map(point).collect::<Vec<_>>()
        });
        let cold = &mut self.emulator.state.cold;
        cold.set_cols(size.cols);
        let mut is_hot = vec![false; points.len()];
        hot.iter().for_each(|at| is_hot[*at] = true);
        let mut older: Vec<&mut Point> = points
            .iter_mut()
            .zip(&is_hot)
            .filter_map(|(point, is_hot)| (!is_hot).then_some(point))
            .collect();
        // Marks are never that far: those of compressed rows are kept with them.
        let parked = !is_alt && older.iter().any(|point| cold.is_far(point.row));
        cold.park(parked);
        if !parked {
            cold.wrap(u64::MAX, &mut older);
        }
        for (at, point) in hot.into_iter().zip(found) {
            points[at] = point;
        }
        let mut marks = points.split_off(tracked).into_iter();
        for mark in self.marks.points() {
            *mark = marks.next().unwrap_or(*mark);
        }
        if !is_alt {
            let mut points = points.into_iter();
            self.each_point(&mut |point| *point = points.next().unwrap_or(*point));
        } else {
            self.each_point(&mut |point| point.col = point.col.min(size.cols - 1));
        }
        self.restart_hot_search();
    }

    /// Every cell that is remembered besides the marks, always in the same order.
    fn each_point(&mut self, each: &mut dyn FnMut(&mut Point)) {
        if let Some(top) = &mut self.top {
            let mut point = Point { row: *top, col: 0 };
            each(&mut point);
            *top = point.row;
        }
        if let Some(selection) = &mut self.selection {
            for place in [&mut selection.anchor, &mut selection.head] {
                let mut point = Point { row: place.row, col: place.col };
                each(&mut point);
                (place.row, place.col) = (point.row, point.col);
            }
        }
        if let Some(vi) = &mut self.vi {
            vi.points().into_iter().for_each(&mut *each);
        }
        if let Some(finder) = &mut self.finder {
            finder.points().into_iter().for_each(&mut *each);
        }
    }
}
