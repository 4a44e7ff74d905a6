//! The search over screen and history.
//!
//! Cold chunks only keep how many matches they have: where these are is looked up when it matters. Lines of
//! the emulator's history that have any keep their number of matches; what can still change, the screen and
//! the line that reaches into it, is looked through after every change. So a search for `.` takes as little
//! memory as any other.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use maestro_core::screen::flags;
use maestro_core::search::{Query, Search};

use super::Terminal;
use crate::cold::{Found, LINE, Point};
use crate::search::{Finder, Line, SearchFound, SearchWork, Seek};

/// A part of a row that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) row: u64,
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) flags: u16,
}

/// What comes next on the way to a match.
enum Next {
    Match(Point),
    /// There is none as far as has been looked.
    Wait,
    /// There is none.
    End,
}

impl Terminal {
    /// Begins a search, changes what is looked for, or ends it with `None`. What is on the screen is
    /// found at once; the rest by [`Self::search_step`], or by [`Self::search_work`] elsewhere. It goes from
    /// the bottom of the viewport (in vi mode: from its cursor) towards older rows, and the viewport goes to
    /// the first match. While somebody types, each change begins at the same place again.
    pub fn search(&mut self, query: Option<Query>) {
        self.version += 1;
        self.wrap_view(0, 0);
        let Some(query) = query else {
            self.finder = None;
            self.update_parked();
            return;
        };
        let before = self.finder.take();
        let origin = match &before {
            Some(finder) if !finder.moved => finder.origin,
            Some(finder) => finder.current.unwrap_or(finder.origin),
            None => self.search_origin(),
        };
        let mut finder = Finder::new(next_id(), query, origin);
        if let Some(before) = before.filter(|before| before.moved && before.seek.is_some())
            && finder.pattern.is_some()
        {
            // It was on its way to another match: so is what is looked for now.
            (finder.seek, finder.further) = (before.seek, before.further);
            finder.moved = true;
        }
        self.finder = Some(finder);
        let _ = self.search_step(0);
    }

    fn search_origin(&self) -> Point {
        let size = self.options.size;
        let bottom = self.first_shown() + u64::from(size.rows) - 1;
        self.vi_cursor().unwrap_or(Point { row: bottom, col: size.cols })
    }

    /// Looks through up to about `rows` more rows; `true` when there is more that it can do. Needed again
    /// after new output, which is looked through, too.
    pub fn search_step(&mut self, rows: usize) -> bool {
        // The match may be where rows still have another width.
        if self.finder.as_ref().is_some_and(|finder| finder.is_far) {
            let far = self.with_points(|cold, points| cold.wrap_some(rows, points));
            self.update_parked();
            if let Some(finder) = &mut self.finder {
                finder.is_far = far;
            }
        }
        let more = self.with_finder(|terminal, finder| {
            terminal.look_at_live(finder);
            let mut left = rows;
            let hot = terminal.look_at_hot(finder, &mut left);
            let cold = terminal.look_at_cold(finder, left);
            hot || cold || finder.is_far
        });
        // Only now it is known where it leads.
        more.unwrap_or(false) || self.finder.as_ref().is_some_and(|finder| finder.is_far)
    }

    /// Hands out up to about `rows` compressed rows to be looked through elsewhere, newest first; `None`
    /// when no such rows are left. May be called again before the first answer came, so that several
    /// threads work. Every piece must come back by [`Self::search_found`]; the search is not done before.
    pub fn search_work(&mut self, rows: usize) -> Option<SearchWork> {
        if self.emulator.is_alt() {
            return None;
        }
        let finder = self.finder.as_ref()?;
        let (id, pattern) = (finder.id, finder.pattern.clone()?);
        let serials = self.unknown_chunks(finder, rows);
        let cold = &mut self.emulator.state.cold;
        let mut chunks = Vec::with_capacity(serials.len());
        for serial in serials {
            chunks.extend(cold.text(serial).map(|text| (serial, text)));
            cold.set_found(serial, id, Found::Out);
        }
        (!chunks.is_empty()).then_some(SearchWork { id, pattern, chunks })
    }

    /// Takes what was found elsewhere. Answers to an older search, or about rows that are gone, change
    /// nothing.
    pub fn search_found(&mut self, found: SearchFound) {
        if self.finder.as_ref().is_none_or(|finder| finder.id != found.id) {
            return;
        }
        for (serial, count) in found.counts {
            self.emulator.state.cold.set_found(serial, found.id, Found::Count(count));
        }
        let _ = self.with_finder(Self::look_at_live);
    }

    /// How far the search is; `None` without one. After output, as of the last [`Self::search_step`].
    #[must_use]
    pub fn search_state(&self) -> Option<Search> {
        self.finder.as_ref().map(|finder| finder.state.clone())
    }

    /// Goes to the next match towards newer rows (`forward`) or older ones; beyond the last one comes
    /// the first. The viewport goes where the match can be seen, and in vi mode the cursor goes to it. Where
    /// it is not known yet, this happens as the search goes on.
    pub fn search_move(&mut self, forward: bool) {
        let vi = self.vi_cursor();
        let _ = self.with_finder(|terminal, finder| {
            terminal.look_at_live(finder);
            finder.moved = true;
            // On its way to a match: the user means the one after that.
            if finder.seek.is_some() {
                let step = if forward { 1 } else { -1 };
                finder.further = (finder.further + step).clamp(-99, 99);
                return;
            }
            let known = vi.or(finder.current);
            let from = known.unwrap_or(finder.origin);
            finder.seek = Some(Seek { from, forward, inclusive: known.is_none() });
        });
    }

    /// Does something with the search, then goes where it leads and says how far it is.
    fn with_finder<T>(&mut self, run: impl FnOnce(&mut Self, &mut Finder) -> T) -> Option<T> {
        let mut finder = self.finder.take()?;
        let before = finder.current;
        let result = finder.pattern.is_some().then(|| {
            let result = run(self, &mut finder);
            self.follow(&mut finder);
            self.refresh(&mut finder);
            result
        });
        // New output may have taken the match it stood at, or made one there: frames show which it is.
        if finder.current != before {
            self.version += 1;
        }
        self.finder = Some(finder);
        result
    }

    // Looking.

    /// The first row of the lines that can still change.
    fn live_from(&mut self) -> u64 {
        let base = self.emulator.base();
        self.line_start(base, self.oldest_hot())
    }

    /// The oldest readable row in the emulator.
    fn oldest_hot(&self) -> u64 {
        let native = self.emulator.native_history() as u64;
        (self.emulator.base() - native).max(self.oldest())
    }

    /// The first row of the line a row belongs to, not before `first`.
    fn line_start(&mut self, row: u64, first: u64) -> u64 {
        let limit = first.max(row.saturating_sub(LINE as u64));
        let mut start = row;
        while start > limit && self.wraps(start - 1) {
            start -= 1;
        }
        start
    }

    /// Reads the line that begins at a row; returns the row after it.
    fn read_line(&mut self, first: u64, line: &mut Line) -> u64 {
        line.clear();
        let mut row = std::mem::take(&mut self.scratch);
        let cols = self.options.size.cols;
        let last = self.newest().min(first + LINE as u64);
        let mut number = first;
        loop {
            let _ = self.fetch(number, &mut row);
            line.push(&row, number, cols);
            number += 1;
            if !row.wrapped || number > last {
                break;
            }
        }
        self.scratch = row;
        number
    }

    /// Counts the matches of the lines in some rows; those without are left out.
    fn count_lines(&mut self, finder: &Finder, rows: Range<u64>) -> Vec<(u64, u32)> {
        let Some(pattern) = &finder.pattern else { return Vec::new() };
        let mut line = Line::default();
        let mut counts = Vec::new();
        let mut number = rows.start;
        while number < rows.end {
            let next = self.read_line(number, &mut line);
            let count = pattern.matches(&line.text).count() as u32;
            if count > 0 {
                counts.push((number, count));
            }
            number = next;
        }
        counts
    }

    fn look_at_live(&mut self, finder: &mut Finder) {
        if finder.live_changes == self.changes {
            return;
        }
        finder.live_changes = self.changes;
        finder.live_from = self.live_from();
        finder.live = self.count_lines(finder, finder.live_from..self.newest() + 1);
        // A taller screen takes rows back from the history.
        if let Some(counted) = &mut finder.counted {
            counted.end = counted.end.min(finder.live_from);
            counted.start = counted.start.min(counted.end);
            let end = counted.end;
            while finder.hot.back().is_some_and(|(row, _)| *row >= end) {
                let _ = finder.hot.pop_back();
            }
        }
    }

    /// Looks through the emulator's history: what is new, then towards older rows. `true` for more.
    fn look_at_hot(&mut self, finder: &mut Finder, left: &mut usize) -> bool {
        let oldest = self.oldest_hot();
        let mut counted = finder.counted.take().unwrap_or(finder.live_from..finder.live_from);
        while counted.end < finder.live_from && *left > 0 {
            let end = finder.live_from.min(counted.end + *left as u64);
            let end = if end == finder.live_from { end } else { self.line_end_after(end) };
            let fresh = self.count_lines(finder, counted.end..end);
            *left = left.saturating_sub((end - counted.end) as usize);
            finder.hot.extend(fresh);
            counted.end = end;
        }
        while counted.start > oldest && *left > 0 {
            let begin = counted.start.saturating_sub((*left).min(256) as u64).max(oldest);
            let begin = self.line_start(begin, oldest);
            let fresh = self.count_lines(finder, begin..counted.start);
            *left = left.saturating_sub((counted.start - begin) as usize);
            fresh.into_iter().rev().for_each(|line| finder.hot.push_front(line));
            counted.start = begin;
        }
        let more = counted.end < finder.live_from || counted.start > oldest;
        finder.counted = Some(counted);
        more
    }

    /// The first row of the line after the one a row belongs to.
    fn line_end_after(&mut self, row: u64) -> u64 {
        let last = row + LINE as u64;
        let mut row = row;
        while row < last && self.wraps(row) {
            row += 1;
        }
        row + 1
    }

    /// The chunks to look through next, about so many rows: where the way to a match leads first, then
    /// the newest.
    fn unknown_chunks(&self, finder: &Finder, rows: usize) -> Vec<u64> {
        let unknown = self.emulator.state.cold.found(finder.id);
        let unknown = unknown.filter(|(.., found)| *found == Found::Unknown);
        let mut first = Vec::new();
        let mut then = Vec::new();
        let (mut near, mut far) = (rows as i64, rows as i64);
        let forward = finder.seek.is_some_and(|seek| seek.forward);
        for (serial, begin, end, _) in unknown {
            let on_the_way = finder.seek.is_some_and(|seek| {
                if forward { end > seek.from.row } else { begin <= seek.from.row }
            });
            if on_the_way && (near > 0 || forward) {
                near -= (end - begin) as i64;
                first.push((serial, end - begin));
            } else if far > 0 && !on_the_way {
                far -= (end - begin) as i64;
                then.push((serial, end - begin));
            }
            if !forward && near <= 0 {
                break;
            }
        }
        if forward {
            first.reverse();
        }
        let mut left = rows as i64;
        let wanted = first.into_iter().chain(then).take_while(|(_, rows)| {
            let wanted = left > 0;
            left -= *rows as i64;
            wanted
        });
        wanted.map(|(serial, _)| serial).collect()
    }

    fn look_at_cold(&mut self, finder: &mut Finder, rows: usize) -> bool {
        if self.emulator.is_alt() {
            return false;
        }
        let Some(pattern) = &finder.pattern else { return false };
        for serial in self.unknown_chunks(finder, rows) {
            let cold = &mut self.emulator.state.cold;
            let Some(text) = cold.text(serial) else { continue };
            text.read(&mut finder.buffer, &mut finder.unpacker);
            let count = pattern.matches(&finder.buffer).count() as u32;
            cold.set_found(serial, finder.id, Found::Count(count));
        }
        !self.unknown_chunks(finder, 1).is_empty()
    }

    // Going to matches.

    /// Where the matches of a line begin.
    fn line_matches(&mut self, finder: &Finder, first: u64) -> Vec<Point> {
        let Some(pattern) = &finder.pattern else { return Vec::new() };
        let mut line = Line::default();
        let _ = self.read_line(first, &mut line);
        let cells = |range: Range<usize>| line.cells(&range).map(|(first, _)| first);
        pattern.matches(&line.text).filter_map(cells).collect()
    }

    /// Where the matches of a cold chunk begin, those that can be read.
    fn chunk_matches<'a>(&mut self, finder: &'a mut Finder, serial: u64) -> &'a [Point] {
        let cold = &mut self.emulator.state.cold;
        let first = cold.first(serial).unwrap_or(0);
        if finder.chunk.as_ref().is_none_or(|known| (known.0, known.1) != (serial, first)) {
            let mut found = Vec::new();
            let cols = self.options.size.cols;
            if let (Some(rows), Some(pattern)) = (cold.rows(serial), &finder.pattern) {
                let mut line = Line::default();
                for (number, row) in (first..).zip(rows) {
                    line.push(row, number, cols);
                    if !row.wrapped || number + 1 == first + rows.len() as u64 {
                        let ranges = pattern.matches(&line.text);
                        found.extend(ranges.filter_map(|range| Some(line.cells(&range)?.0)));
                        line.clear();
                    }
                }
            }
            finder.chunk = Some((serial, first, found));
        }
        let oldest = self.oldest();
        let found = finder.chunk.as_ref().map_or(&[][..], |(.., found)| found);
        &found[found.partition_point(|point| point.row < oldest)..]
    }

    fn follow(&mut self, finder: &mut Finder) {
        // Where it stands has no number yet that others could be compared with.
        if self.is_parked() {
            finder.is_far |= finder.seek.is_some();
            return;
        }
        // A step costs a look through a line or a chunk, and keys are pressed one by one.
        while let Some(seek) = finder.seek
            && self.arrive(finder, seek)
        {
            finder.seek = finder.current.filter(|_| finder.further != 0).map(|from| {
                let forward = finder.further > 0;
                finder.further -= finder.further.signum();
                Seek { from, forward, inclusive: false }
            });
        }
    }

    /// Whether it is known where a way leads; the search stands there then.
    fn arrive(&mut self, finder: &mut Finder, seek: Seek) -> bool {
        let next = match self.next_match(finder, seek) {
            Next::End => {
                let from = if seek.forward { 0 } else { u64::MAX };
                let from = Point { row: from, col: 0 };
                self.next_match(finder, Seek { from, inclusive: true, ..seek })
            }
            next => next,
        };
        match next {
            Next::Wait => return false,
            Next::End => {
                finder.current = None;
                finder.further = 0;
            }
            Next::Match(point) => {
                finder.current = Some(point);
                self.show(point.row);
                self.move_vi_to(point);
            }
        }
        self.version += 1;
        true
    }

    fn next_match(&mut self, finder: &mut Finder, seek: Seek) -> Next {
        let is = |point: &Point| {
            (seek.inclusive && *point == seek.from)
                || (*point > seek.from) == seek.forward && *point != seek.from
        };
        let counted = finder.counted.clone().unwrap_or(finder.live_from..finder.live_from);
        let whole = counted.end == finder.live_from;
        let old = counted.start <= self.oldest_hot();
        let live: Vec<u64> = finder.live.iter().map(|(row, _)| *row).collect();
        let hot: Vec<u64> = finder.hot.iter().map(|(row, _)| *row).collect();
        if seek.forward {
            match self.next_cold_match(finder, seek, &is) {
                Next::End => {}
                next => return next,
            }
            if !old && seek.from.row < counted.start {
                return Next::Wait;
            }
            let near = |rows: &[u64]| rows.partition_point(|row| *row < seek.from.row);
            // The line that `from` is in begins before it.
            let hot = &hot[near(&hot).saturating_sub(1)..];
            for first in hot {
                if let Some(point) = self.line_matches(finder, *first).into_iter().find(is) {
                    return Next::Match(point);
                }
            }
            if !whole && seek.from.row < finder.live_from {
                return Next::Wait;
            }
            for first in &live[near(&live).saturating_sub(1)..] {
                if let Some(point) = self.line_matches(finder, *first).into_iter().find(is) {
                    return Next::Match(point);
                }
            }
            return Next::End;
        }
        let near = |rows: &[u64]| rows.partition_point(|row| *row <= seek.from.row);
        for first in live[..near(&live)].iter().rev() {
            if let Some(point) = self.line_matches(finder, *first).into_iter().rfind(is) {
                return Next::Match(point);
            }
        }
        if !whole && seek.from.row >= counted.end {
            return Next::Wait;
        }
        for first in hot[..near(&hot)].iter().rev() {
            if let Some(point) = self.line_matches(finder, *first).into_iter().rfind(is) {
                return Next::Match(point);
            }
        }
        if !old {
            return Next::Wait;
        }
        self.next_cold_match(finder, seek, &is)
    }

    fn next_cold_match(
        &mut self,
        finder: &mut Finder,
        seek: Seek,
        is: &impl Fn(&Point) -> bool,
    ) -> Next {
        if self.emulator.is_alt() {
            return Next::End;
        }
        let mut chunks: Vec<_> = self.emulator.state.cold.found(finder.id).collect();
        if seek.forward {
            chunks.reverse();
            chunks.retain(|(_, _, end, _)| *end > seek.from.row);
        } else {
            chunks.retain(|(_, first, ..)| *first <= seek.from.row);
        }
        for (serial, first, _, found) in chunks {
            match found {
                Found::Unknown | Found::Out => return Next::Wait,
                Found::Count(0) => {}
                Found::Count(_) if self.emulator.state.cold.is_far(first) => {
                    finder.is_far = true;
                    return Next::Wait;
                }
                Found::Count(_) => {
                    let points = self.chunk_matches(finder, serial).iter().copied();
                    let mut points = points.filter(is);
                    let point = if seek.forward { points.next() } else { points.next_back() };
                    if let Some(point) = point {
                        return Next::Match(point);
                    }
                }
            }
        }
        Next::End
    }

    // Saying how far it is.

    fn refresh(&mut self, finder: &mut Finder) {
        let mut chunks: Vec<_> = self.emulator.state.cold.found(finder.id).collect();
        if self.emulator.is_alt() {
            chunks.clear();
        }
        let counted = finder.counted.clone().unwrap_or(finder.live_from..finder.live_from);
        let known = |(.., found): &(u64, u64, u64, Found)| matches!(found, Found::Count(_));
        let done = finder.live_changes == self.changes
            && counted.end == finder.live_from
            && counted.start <= self.oldest_hot()
            && chunks.iter().all(known);
        let shed = if self.emulator.is_alt() { 0 } else { self.emulator.state.shed };
        // The oldest chunk may be in part beyond the limit.
        let oldest = self.oldest();
        let is_fresh = self.emulator.state.cold.is_fresh();
        for (serial, first, _, found) in chunks.iter_mut().rev() {
            if *first >= oldest || !is_fresh {
                break;
            }
            if matches!(found, Found::Count(1..)) {
                *found = Found::Count(self.chunk_matches(finder, *serial).len() as u32);
            }
        }
        let of_chunk =
            |found: Found| if let Found::Count(count) = found { u64::from(count) } else { 0 };
        let of_lines = |lines: &mut dyn Iterator<Item = &(u64, u32)>| {
            lines.map(|(_, count)| u64::from(*count)).sum::<u64>()
        };
        let all_cold: u64 = chunks.iter().map(|(.., found)| of_chunk(*found)).sum();
        let all_lines = of_lines(&mut finder.hot.iter()) + of_lines(&mut finder.live.iter());
        let parked = self.is_parked();
        let current = finder.current.filter(|_| !parked).and_then(|current| {
            if current.row < shed {
                let at = chunks
                    .iter()
                    .position(|(_, first, end, _)| (*first..*end).contains(&current.row))?;
                let older: u64 = chunks[at + 1..].iter().map(|(.., found)| of_chunk(*found)).sum();
                let points = self.chunk_matches(finder, chunks[at].0);
                let (current, before) = nearest(points, current)?;
                return Some((current, older + before + 1));
            }
            if current.row < finder.live_from && !counted.contains(&current.row) {
                return None;
            }
            let lines: Vec<_> = finder.hot.iter().chain(&finder.live).copied().collect();
            let at = lines.partition_point(|(row, _)| *row <= current.row).checked_sub(1)?;
            let older = all_cold + of_lines(&mut lines[..at].iter());
            let points = self.line_matches(finder, lines[at].0);
            let (current, before) = nearest(&points, current)?;
            Some((current, older + before + 1))
        });
        // Where nobody has looked yet, it may still be what it was.
        let looked =
            |at: Point| at.row >= finder.live_from || at.row < shed || counted.contains(&at.row);
        if !parked {
            if current.is_some() || finder.current.is_some_and(looked) {
                finder.current = current.map(|(point, _)| point);
            }
            finder.state.current = current.map(|(_, number)| number);
        }
        // A chunk that is not counted yet may hold the match it stands at.
        finder.state.matches = (all_cold + all_lines).max(finder.state.current.unwrap_or(0));
        finder.state.done = done && finder.seek.is_none();
    }

    /// The cells of the viewport that were found.
    pub(super) fn visible_matches(&mut self, top: u64) -> Vec<Shown> {
        let Some(finder) = self.finder.take() else { return Vec::new() };
        let mut shown = Vec::new();
        if let Some(pattern) = &finder.pattern {
            let bottom = top + u64::from(self.options.size.rows) - 1;
            let mut line = Line::default();
            let oldest = self.oldest();
            let mut number = self.line_start(top, oldest);
            while number <= bottom {
                let next = self.read_line(number, &mut line);
                for range in pattern.matches(&line.text) {
                    let Some((first, last)) = line.cells(&range) else { continue };
                    let current = finder.current == Some(first);
                    let flags = flags::MATCH | if current { flags::CURRENT } else { 0 };
                    for row in first.row.max(top)..=last.row.min(bottom) {
                        let from = if row == first.row { first.col } else { 0 };
                        let cols = self.options.size.cols;
                        let to = if row == last.row { last.col } else { cols - 1 };
                        shown.push(Shown { row, from, to, flags });
                    }
                }
                number = next;
            }
        }
        self.finder = Some(finder);
        shown
    }

    // Keeping up.

    /// Rows became cold, or went.
    pub(super) fn settle_search(&mut self, wiped: bool) {
        let oldest_hot = self.oldest_hot();
        let Some(finder) = &mut self.finder else { return };
        if wiped {
            finder.counted = None;
            finder.hot.clear();
        }
        let Some(counted) = &mut finder.counted else { return };
        let cold = &mut self.emulator.state.cold;
        let fresh: Vec<_> = cold
            .found(finder.id)
            .take_while(|(_, first, ..)| *first >= counted.start)
            .filter(|(_, _, end, found)| *found == Found::Unknown && *end <= counted.end)
            .collect();
        for (serial, first, end, _) in fresh {
            let lines = finder.hot.iter().filter(|(row, _)| (first..end).contains(row));
            let count = lines.map(|(_, count)| count).sum();
            cold.set_found(serial, finder.id, Found::Count(count));
        }
        while finder.hot.front().is_some_and(|(row, _)| *row < oldest_hot) {
            let _ = finder.hot.pop_front();
        }
        counted.start = counted.start.max(oldest_hot);
        counted.end = counted.end.max(counted.start);
    }

    /// Another screen is shown, or what was found is gone.
    pub(super) fn restart_search(&mut self) {
        self.restart_hot_search();
        let origin = self.search_origin();
        if let Some(finder) = &mut self.finder {
            finder.current = None;
            finder.seek = None;
            finder.origin = origin;
        }
    }

    /// Lines were wrapped anew: those in the emulator are looked through again. Cold ones keep what was
    /// found, for that does not depend on the width; the match it stands at moved with its text.
    pub(super) fn restart_hot_search(&mut self) {
        if let Some(finder) = &mut self.finder {
            finder.counted = None;
            finder.hot.clear();
            finder.live.clear();
            finder.live_changes = 0;
            finder.chunk = None;
            finder.state.done = false;
        }
    }
}

/// A number no search of this process had: what was found for a terminal that failed must not count in the
/// one that took its place.
fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The match at a cell, or else the nearest one before it, or else the first; and how many come before it.
fn nearest(points: &[Point], at: Point) -> Option<(Point, u64)> {
    let index = points.partition_point(|point| *point <= at).saturating_sub(1);
    Some((*points.get(index)?, index as u64))
}
