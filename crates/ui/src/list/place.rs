//! Where a long list is scrolled to: by what stands at the top, never by a number of pixels from the
//! beginning, so that nothing moves when something above changes or turns out to be higher than thought.

use std::collections::VecDeque;
use std::ops::Range;

/// A piece is never smaller than this when it is counted how many there are.
const LEAST: f32 = 1.0;

/// No more pieces are laid out at once: a list of pieces without height would be built whole.
const MOST: usize = 2048;

/// What is in a list, and how high it is. Sections have numbers without gaps; each has pieces.
pub trait Source {
    /// How many pieces a section has; none when it is hidden.
    fn parts(&mut self, section: u64) -> usize;

    /// How high a piece is.
    fn measure(&mut self, section: u64, part: usize) -> f32;

    /// How high a section may be, without looking at it closely.
    fn estimate(&mut self, section: u64) -> f32;
}

/// A piece that is in sight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Its section.
    pub section: u64,
    /// Which of the section's pieces.
    pub part: usize,
    /// Its upper edge, from the upper edge of the list.
    pub y: f32,
    /// How high it is.
    pub height: f32,
}

impl Placed {
    fn bottom(&self) -> f32 {
        self.y + self.height
    }
}

/// Where something is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// At the upper edge.
    Top,
    /// In the upper third.
    Middle,
    /// Wherever the list has to move least.
    Nearest,
}

/// What is to be done when the list is laid out next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wish {
    Show { section: u64, part: usize, how: Where },
    Jump(f32),
    First,
}

/// Where a list is.
#[derive(Debug, Clone)]
pub struct Place {
    /// The first piece in sight, with its upper edge.
    anchor: Option<(u64, usize, f32)>,
    following: bool,
    /// Pixels to scroll, downwards.
    moved: f32,
    /// Whether it is to stay where it is, and only then to see whether that is the end.
    held: bool,
    /// Whether it stays there until further notice.
    pinned: bool,
    wish: Option<Wish>,
    heights: Heights,
    shown: Vec<Placed>,
    height: f32,
    at_start: bool,
    /// Whether the end came nearer by itself since the list followed it.
    unseen: u64,
    end: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            anchor: None,
            following: true,
            moved: 0.0,
            held: false,
            pinned: false,
            wish: None,
            heights: Heights::default(),
            shown: Vec::new(),
            height: 0.0,
            at_start: true,
            unseen: 0,
            end: 0,
        }
    }
}

impl Place {
    /// Whether it stays at the end, whatever comes.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.following
    }

    /// How many sections came since it stopped following the end.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        self.unseen
    }

    /// Whether its beginning is in sight.
    #[must_use]
    pub fn is_at_start(&self) -> bool {
        self.at_start
    }

    /// What was in sight when it was laid out last.
    #[must_use]
    pub fn shown(&self) -> &[Placed] {
        &self.shown
    }

    /// Its height when it was laid out last.
    #[must_use]
    pub fn height(&self) -> f32 {
        self.height
    }

    /// Scrolls down by so many pixels, or up.
    pub fn scroll(&mut self, pixels: f32) {
        self.moved += pixels;
        if pixels < 0.0 {
            self.following = false;
        }
    }

    /// Scrolls by so many pages; some of the one before stays in sight.
    pub fn page(&mut self, pages: f32) {
        self.scroll(pages * (self.height - 48.0).max(40.0));
    }

    /// Goes to the end and stays there.
    pub fn to_end(&mut self) {
        (self.following, self.moved, self.wish, self.unseen) = (true, 0.0, None, 0);
    }

    /// Stays where it is, also when it was at the end.
    pub fn hold(&mut self) {
        (self.following, self.held) = (false, true);
    }

    /// Stays where it is, whatever comes, or does not any more: while somebody has hold of what it shows.
    pub fn pin(&mut self, pinned: bool) {
        self.pinned = pinned;
    }

    /// Goes to the beginning.
    pub fn to_start(&mut self) {
        self.following = false;
        self.wish = Some(Wish::First);
    }

    /// Brings a piece into sight.
    pub fn show(&mut self, section: u64, part: usize, how: Where) {
        self.wish = Some(Wish::Show { section, part, how });
    }

    /// Goes to a part of its whole length, from 0 to 1.
    pub fn jump(&mut self, share: f32) {
        self.following = false;
        self.wish = Some(Wish::Jump(share.clamp(0.0, 1.0)));
    }

    /// What was thought of heights is forgotten: the width is another one, or what is hidden.
    pub fn forget(&mut self) {
        self.heights.clear();
    }

    /// A section is another one than before.
    pub fn changed(&mut self, section: u64) {
        self.heights.unknow(section);
    }

    /// How long the list may be, and how much of it is above what is in sight.
    #[must_use]
    pub fn extent(&self) -> (f32, f32) {
        let (Some((section, part, y)), Some(whole)) = (self.anchor, self.heights.total()) else {
            return (0.0, 0.0);
        };
        let (before, own, parts) = self.heights.at(section);
        let share = if parts == 0 { 0.0 } else { part as f32 / parts as f32 };
        (whole, (before + own * share - y).max(0.0))
    }

    /// Finds out what is in sight in a place of this height, with room at both ends of the list.
    pub fn settle(
        &mut self,
        sections: Range<u64>,
        height: f32,
        room: (f32, f32),
        source: &mut dyn Source,
    ) -> Vec<Placed> {
        self.height = height;
        self.heights.fit(&sections, source);
        if !self.following && self.end > 0 && sections.end > self.end {
            self.unseen += sections.end - self.end;
        }
        self.end = sections.end;
        let mut walk = Walk { sections, source, placed: VecDeque::new(), budget: MOST };
        let moved = std::mem::take(&mut self.moved);
        let wish = self.wish.take();
        if let Some(wish) = wish {
            self.grant(wish, height, room, &mut walk);
        }
        let stays = self.pinned && self.anchor.is_some();
        let seed =
            if self.following && !stays { None } else { self.anchor.and_then(|at| walk.near(at)) };
        match seed {
            Some((section, part, y)) => walk.begin(section, part, y - moved),
            None => walk.begin_at_end(height - room.1),
        }
        let ends = walk.fill(height, room);
        self.at_start = ends.0 && walk.placed.front().is_none_or(|first| first.y >= -1.0);
        let held = std::mem::take(&mut self.held);
        if moved != 0.0 || held || wish.is_some() || self.following || ends.2 {
            self.following = ends.1;
        }
        if self.following {
            self.unseen = 0;
        }
        let mut placed: Vec<Placed> = walk.placed.into();
        self.heights.learn(&placed, source);
        placed.retain(|placed| placed.bottom() > 0.0 && placed.y < height);
        self.anchor = placed.first().map(|first| (first.section, first.part, first.y));
        self.shown.clone_from(&placed);
        placed
    }

    fn grant(&mut self, wish: Wish, height: f32, room: (f32, f32), walk: &mut Walk<'_>) {
        let at = match wish {
            Wish::First => Some((walk.sections.start, 0, room.0)),
            Wish::Jump(share) => {
                let (section, inside) = self.heights.find(share, height);
                let parts = walk.source.parts(section);
                Some((section, (parts as f32 * inside) as usize, 0.0))
            }
            Wish::Show { section, part, how } => {
                self.shown_at(section, part, how, height, room, walk)
            }
        };
        if let Some(at) = at {
            self.following = false;
            self.anchor = Some(at);
        }
    }

    /// Where the anchor has to be so that a piece is in sight; `None` when it is already.
    fn shown_at(
        &self,
        section: u64,
        part: usize,
        how: Where,
        height: f32,
        room: (f32, f32),
        walk: &mut Walk<'_>,
    ) -> Option<(u64, usize, f32)> {
        let parts = walk.source.parts(section);
        let part = part.min(parts.checked_sub(1)?);
        match how {
            Where::Top => return Some((section, part, room.0)),
            Where::Middle => {
                let known = self.shown.iter().find(|at| (at.section, at.part) == (section, part));
                let seen = known.is_some_and(|at| at.y >= 0.0 && at.bottom() <= height);
                return (!seen).then_some((section, part, height / 3.0));
            }
            Where::Nearest => {}
        }
        let mine = || self.shown.iter().filter(|at| at.section == section);
        let top = mine().find(|at| at.part == 0).map(|at| at.y);
        let bottom = mine().find(|at| at.part + 1 == parts).map(Placed::bottom);
        if top.is_some_and(|y| y >= 0.0) && bottom.is_some_and(|y| y <= height) {
            return None;
        }
        let below = match self.shown.first() {
            Some(first) => first.section < section || top.is_some_and(|y| y > 0.0),
            None => false,
        };
        let mut high = 0.0;
        for part in 0..parts {
            high += walk.source.measure(section, part);
            if high > height - room.0 - room.1 {
                return Some((section, 0, room.0.min(12.0)));
            }
        }
        let y = if below { height - room.1.min(24.0) - high } else { room.0.min(12.0) };
        Some((section, 0, y))
    }
}

/// Pieces in a row, grown at both ends.
struct Walk<'a> {
    sections: Range<u64>,
    source: &'a mut dyn Source,
    placed: VecDeque<Placed>,
    budget: usize,
}

impl Walk<'_> {
    /// A piece that is there, at a place or near it.
    fn near(&mut self, (section, part, y): (u64, usize, f32)) -> Option<(u64, usize, f32)> {
        if self.sections.is_empty() {
            return None;
        }
        let section = section.clamp(self.sections.start, self.sections.end - 1);
        let parts = self.source.parts(section);
        if part < parts {
            return Some((section, part, y));
        }
        if let Some(last) = parts.checked_sub(1) {
            // What was folded is shown by what is left of it.
            return Some((section, last, y.max(0.0)));
        }
        let after = (section + 1..self.sections.end).find(|at| self.source.parts(*at) > 0);
        if let Some(section) = after {
            return Some((section, 0, y));
        }
        let before = (self.sections.start..section).rev().find(|at| self.source.parts(*at) > 0)?;
        Some((before, self.source.parts(before) - 1, y))
    }

    fn begin(&mut self, section: u64, part: usize, y: f32) {
        let height = self.source.measure(section, part);
        self.placed.push_back(Placed { section, part, y, height });
    }

    fn begin_at_end(&mut self, bottom: f32) {
        let last = self.sections.clone().rev().find(|section| self.source.parts(*section) > 0);
        if let Some(section) = last {
            let part = self.source.parts(section) - 1;
            let height = self.source.measure(section, part);
            self.placed.push_back(Placed { section, part, y: bottom - height, height });
        }
    }

    /// Fills the place; tells whether there is nothing more above, whether the end is in sight, and
    /// whether everything is.
    fn fill(&mut self, height: f32, room: (f32, f32)) -> (bool, bool, bool) {
        if self.placed.is_empty() {
            return (true, true, true);
        }
        let mut all_below = self.down(height);
        let mut all_above = self.up();
        let bottom = self.bottom();
        if all_below && bottom < height - room.1 {
            self.shift(height - room.1 - bottom);
            all_above = self.up();
        }
        if all_above && self.top() > room.0 {
            self.shift(room.0 - self.top());
            all_below = self.down(height);
        }
        let at_end = all_below && self.bottom() <= height - room.1 + 1.0;
        (all_above, at_end, all_above && at_end && self.top() >= 0.0)
    }

    fn top(&self) -> f32 {
        self.placed.front().map_or(0.0, |first| first.y)
    }

    fn bottom(&self) -> f32 {
        self.placed.back().map_or(0.0, Placed::bottom)
    }

    fn shift(&mut self, by: f32) {
        for placed in &mut self.placed {
            placed.y += by;
        }
    }

    /// Adds pieces below until the place is full; whether there are no more.
    fn down(&mut self, height: f32) -> bool {
        loop {
            let Some(last) = self.placed.back().copied() else { return true };
            let next = if last.part + 1 < self.source.parts(last.section) {
                Some((last.section, last.part + 1))
            } else {
                let mut after = last.section + 1..self.sections.end;
                after.find(|at| self.source.parts(*at) > 0).map(|section| (section, 0))
            };
            let Some((section, part)) = next else { return true };
            if last.bottom() >= height || !self.afford() {
                return false;
            }
            let height = self.source.measure(section, part);
            self.placed.push_back(Placed { section, part, y: last.bottom(), height });
        }
    }

    /// Adds pieces above until the place is full; whether there are no more.
    fn up(&mut self) -> bool {
        loop {
            let Some(first) = self.placed.front().copied() else { return true };
            let next = if first.part > 0 {
                Some((first.section, first.part - 1))
            } else {
                let mut before = (self.sections.start..first.section).rev();
                let section = before.find(|at| self.source.parts(*at) > 0);
                section.map(|section| (section, self.source.parts(section) - 1))
            };
            let Some((section, part)) = next else { return true };
            if first.y <= 0.0 || !self.afford() {
                return false;
            }
            let height = self.source.measure(section, part);
            self.placed.push_front(Placed { section, part, y: first.y - height, height });
        }
    }

    fn afford(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }
}

/// How high sections are: as they were seen, or as they may be.
#[derive(Debug, Clone, Default)]
struct Heights {
    first: u64,
    /// Height, how many pieces it has (0: nobody looked), and whether it was seen.
    sections: VecDeque<(f32, u32, bool)>,
}

impl Heights {
    fn clear(&mut self) {
        self.sections.clear();
    }

    fn fit(&mut self, sections: &Range<u64>, source: &mut dyn Source) {
        let end = self.first + self.sections.len() as u64;
        if self.sections.is_empty() || sections.start >= end || sections.end < self.first {
            self.sections.clear();
            self.first = sections.start;
        }
        while self.first < sections.start && self.sections.pop_front().is_some() {
            self.first += 1;
        }
        while self.first > sections.start {
            self.first -= 1;
            self.sections.push_front((source.estimate(self.first), 0, false));
        }
        let known = self.first + self.sections.len() as u64;
        for section in known..sections.end {
            self.sections.push_back((source.estimate(section), 0, false));
        }
        self.sections.truncate(sections.end.saturating_sub(self.first) as usize);
        for (at, height) in self.sections.iter_mut().enumerate() {
            if height.0.is_nan() {
                *height = (source.estimate(self.first + at as u64), 0, false);
            }
        }
    }

    fn get_mut(&mut self, section: u64) -> Option<&mut (f32, u32, bool)> {
        let at = usize::try_from(section.checked_sub(self.first)?).ok()?;
        self.sections.get_mut(at)
    }

    fn unknow(&mut self, section: u64) {
        if let Some(height) = self.get_mut(section).filter(|height| !height.2) {
            height.0 = f32::NAN;
        }
    }

    /// Takes heights as they were seen; of a section of which only some pieces were seen, the others are
    /// thought to be like them.
    fn learn(&mut self, placed: &[Placed], source: &mut dyn Source) {
        let mut at = 0;
        while let Some(first) = placed.get(at) {
            let seen = placed[at..].iter().take_while(|piece| piece.section == first.section);
            let (count, sum) = seen.fold((0, 0.0), |(n, sum), piece| (n + 1, sum + piece.height));
            let parts = source.parts(first.section).max(1);
            if let Some(height) = self.get_mut(first.section) {
                // A section that is only touched says little about itself.
                if count == parts || count > 3 || height.1 == 0 {
                    let whole = sum / count as f32 * parts as f32;
                    *height = (whole, u32::try_from(parts).unwrap_or(u32::MAX), count == parts);
                }
            }
            at += count;
        }
    }

    fn total(&self) -> Option<f32> {
        let total: f32 = self.sections.iter().map(|(height, ..)| height).sum();
        (total > LEAST).then_some(total)
    }

    /// How much is before a section, how high it is, and how many pieces it has.
    fn at(&self, section: u64) -> (f32, f32, u32) {
        let index = section.saturating_sub(self.first) as usize;
        let before = self.sections.iter().take(index).map(|(height, ..)| height).sum();
        let (own, parts, _) = self.sections.get(index).copied().unwrap_or_default();
        (before, own, parts)
    }

    /// The section at a share of the length, and the share within it.
    fn find(&self, share: f32, height: f32) -> (u64, f32) {
        let mut left = (self.total().unwrap_or_default() - height).max(0.0) * share;
        for (at, (own, ..)) in self.sections.iter().enumerate() {
            if left < *own {
                return (self.first + at as u64, left / own.max(LEAST));
            }
            left -= own;
        }
        (self.first + (self.sections.len() as u64).saturating_sub(1), 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list in which every piece has the height that is written down.
    struct Table(Vec<Vec<f32>>);

    impl Source for Table {
        fn parts(&mut self, section: u64) -> usize {
            self.0.get(section as usize).map_or(0, Vec::len)
        }

        fn measure(&mut self, section: u64, part: usize) -> f32 {
            self.0[section as usize][part]
        }

        fn estimate(&mut self, section: u64) -> f32 {
            self.parts(section) as f32 * 20.0
        }
    }

    const HEIGHT: f32 = 100.0;

    fn settle(place: &mut Place, table: &mut Table) -> Vec<(u64, usize, f32)> {
        let end = table.0.len() as u64;
        let placed = place.settle(0..end, HEIGHT, (0.0, 0.0), table);
        placed.iter().map(|at| (at.section, at.part, at.y)).collect()
    }

    fn lines(count: usize) -> Table {
        Table(vec![vec![30.0]; count])
    }

    #[test]
    fn it_begins_at_the_end_and_stays_there() {
        let (mut place, mut table) = (Place::default(), lines(10));
        let expected = [(6, 0, -20.0), (7, 0, 10.0), (8, 0, 40.0), (9, 0, 70.0)];
        assert_eq!(settle(&mut place, &mut table), expected);
        table.0.push(vec![50.0, 10.0]);
        assert_eq!(settle(&mut place, &mut table).last(), Some(&(10, 1, 90.0)));
        assert!(place.is_following());
    }

    #[test]
    fn what_fits_begins_at_the_top() {
        let (mut place, mut table) = (Place::default(), lines(2));
        assert_eq!(settle(&mut place, &mut table), [(0, 0, 0.0), (1, 0, 30.0)]);
        place.scroll(-500.0);
        assert_eq!(settle(&mut place, &mut table), [(0, 0, 0.0), (1, 0, 30.0)]);
        assert!(place.is_following(), "there is nothing to scroll");
        assert_eq!(settle(&mut place, &mut Table(vec![])), []);
    }

    #[test]
    fn scrolling_up_leaves_the_end_and_scrolling_down_finds_it_again() {
        let (mut place, mut table) = (Place::default(), lines(10));
        let _ = settle(&mut place, &mut table);
        place.scroll(-45.0);
        assert_eq!(settle(&mut place, &mut table)[0], (5, 0, -5.0));
        assert!(!place.is_following());
        table.0.push(vec![30.0]);
        assert_eq!(settle(&mut place, &mut table)[0], (5, 0, -5.0), "it moved by itself");
        assert_eq!(place.unseen(), 1);
        place.scroll(1000.0);
        assert_eq!(settle(&mut place, &mut table).last(), Some(&(10, 0, 70.0)));
        assert!(place.is_following());
        assert_eq!(place.unseen(), 0);
    }

    #[test]
    fn what_changes_above_moves_nothing() {
        let (mut place, mut table) = (Place::default(), lines(10));
        let _ = settle(&mut place, &mut table);
        place.scroll(-45.0);
        let before = settle(&mut place, &mut table);
        table.0[2] = vec![400.0, 30.0];
        table.0[0] = vec![];
        assert_eq!(settle(&mut place, &mut table), before);
    }

    #[test]
    fn older_sections_move_nothing() {
        let (mut place, mut table) = (Place::default(), lines(20));
        let at = |place: &mut Place, from: u64, table: &mut Table| {
            let placed = place.settle(from..20, HEIGHT, (0.0, 0.0), table);
            placed.iter().map(|at| (at.section, at.y)).collect::<Vec<_>>()
        };
        let _ = at(&mut place, 15, &mut table);
        place.scroll(-30.0);
        let before = at(&mut place, 15, &mut table);
        assert_eq!(at(&mut place, 0, &mut table), before);
        assert_eq!(place.extent().0, 15.0 * 20.0 + 5.0 * 30.0, "five were seen");
    }

    #[test]
    fn the_beginning_is_not_scrolled_past() {
        let (mut place, mut table) = (Place::default(), lines(10));
        place.to_start();
        assert_eq!(settle(&mut place, &mut table)[0], (0, 0, 0.0));
        assert!(place.is_at_start() && !place.is_following());
        place.scroll(-70.0);
        assert_eq!(settle(&mut place, &mut table)[0], (0, 0, 0.0));
        place.scroll(35.0);
        assert_eq!(settle(&mut place, &mut table)[0], (1, 0, -5.0));
    }

    #[test]
    fn what_is_folded_stays_in_sight() {
        let mut table = Table(vec![vec![30.0], vec![30.0; 20], vec![30.0]]);
        let mut place = Place::default();
        place.show(1, 12, Where::Top);
        assert_eq!(settle(&mut place, &mut table)[0], (1, 12, 0.0));
        table.0[1].truncate(1);
        let placed = settle(&mut place, &mut table);
        assert!(placed.iter().any(|(section, ..)| *section == 1), "{placed:?}");
    }

    #[test]
    fn what_is_unfolded_at_the_end_grows_downwards() {
        let (mut place, mut table) = (Place::default(), lines(10));
        let top = settle(&mut place, &mut table)[0];
        table.0[8].extend([30.0; 5]);
        place.hold();
        assert_eq!(settle(&mut place, &mut table)[0], top);
        assert!(!place.is_following());
        table.0[8].truncate(1);
        place.hold();
        let _ = settle(&mut place, &mut table);
        assert!(place.is_following(), "the end is in sight again");
    }

    #[test]
    fn what_is_held_fast_stays_where_it_is() {
        let (mut place, mut table) = (Place::default(), lines(10));
        let top = settle(&mut place, &mut table)[0];
        place.pin(true);
        for _ in 0..2 {
            table.0.push(vec![30.0]);
            assert_eq!(settle(&mut place, &mut table)[0], top);
        }
        place.scroll(40.0);
        assert_eq!(settle(&mut place, &mut table)[0], (8, 0, 0.0), "it is scrolled by hand");
        place.scroll(500.0);
        let _ = settle(&mut place, &mut table);
        place.pin(false);
        table.0.push(vec![30.0]);
        assert_eq!(settle(&mut place, &mut table).last(), Some(&(12, 0, 70.0)));
    }

    #[test]
    fn what_is_shown_is_moved_to_as_little_as_possible() {
        let (mut place, mut table) = (Place::default(), lines(20));
        place.show(5, 0, Where::Top);
        assert_eq!(settle(&mut place, &mut table)[0], (5, 0, 0.0));
        place.show(7, 0, Where::Nearest);
        assert_eq!(settle(&mut place, &mut table)[0], (5, 0, 0.0), "it was in sight");
        place.show(9, 0, Where::Nearest);
        assert_eq!(settle(&mut place, &mut table).last(), Some(&(9, 0, 70.0)));
        place.show(3, 0, Where::Nearest);
        assert_eq!(settle(&mut place, &mut table)[0], (3, 0, 0.0));
        place.show(15, 0, Where::Middle);
        let middle = settle(&mut place, &mut table);
        assert!(
            middle.iter().any(|at| at.0 == 15 && (at.2 - HEIGHT / 3.0).abs() < 0.1),
            "{middle:?}"
        );
    }

    #[test]
    fn a_jump_goes_to_the_share_that_was_asked_for() {
        let (mut place, mut table) = (Place::default(), lines(100));
        let _ = settle(&mut place, &mut table);
        for (share, expected) in [(0.0, 0), (0.5, 49), (1.0, 96)] {
            place.jump(share);
            let first = settle(&mut place, &mut table)[0].0;
            assert!(first.abs_diff(expected) <= 2, "{share}: {first}");
        }
        let (whole, above) = place.extent();
        assert!(above + HEIGHT <= whole + 1.0 && above > whole * 0.9, "{above} of {whole}");
    }

    #[test]
    fn hidden_sections_take_no_place() {
        let mut table =
            Table((0..50).map(|at| if at % 10 == 0 { vec![30.0] } else { vec![] }).collect());
        let mut place = Place::default();
        let sections: Vec<u64> = settle(&mut place, &mut table).iter().map(|at| at.0).collect();
        assert_eq!(sections, [10, 20, 30, 40]);
        place.show(15, 0, Where::Top);
        assert_eq!(settle(&mut place, &mut table).last(), Some(&(40, 0, 70.0)), "it is hidden");
    }

    #[test]
    fn pieces_without_height_are_not_built_without_end() {
        let mut table = Table(vec![vec![0.0; 10]; 10_000]);
        assert!(settle(&mut Place::default(), &mut table).len() <= MOST);
    }
}
