//! Selecting text with the mouse over many texts, of which most are out of sight: what is selected is
//! kept as places in what is said, never as places on the screen.
//!
//! A text that can be selected has a [`Seat`]. It draws what of it is selected, and shows a `Laid` to
//! whoever operates on it; [`crate::list()`] does what the mouse says.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use iced::{Point, Rectangle, Renderer};

/// Text as it was laid out.
pub(crate) type Paragraph = <Renderer as iced::advanced::text::Renderer>::Paragraph;

/// Keeps words apart that are one to the shaper; nobody sees it, and nobody copies it.
pub(crate) const JOINER: char = '\u{2060}';

/// Which text: the section of a list, the piece of the section, and which of the piece's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Key {
    /// The section.
    pub section: u64,
    /// The piece.
    pub part: usize,
    /// The text.
    pub index: usize,
}

/// A place in a text: between two of its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Spot {
    /// The text.
    pub key: Key,
    /// The byte in it.
    pub offset: usize,
}

/// What is selected: all between two places.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// What was pressed: a place, a word, a text.
    anchor: Option<(Spot, Spot)>,
    /// What the mouse is at now.
    head: (Spot, Spot),
}

impl Selection {
    /// Begins anew here.
    pub fn begin(&mut self, from: Spot, to: Spot) {
        self.anchor = Some((from, to));
        self.head = (from, to);
    }

    /// Goes on to here; begins here, if it had not begun.
    pub fn extend(&mut self, from: Spot, to: Spot) {
        let _ = self.anchor.get_or_insert((from, to));
        self.head = (from, to);
    }

    /// Nothing is selected.
    pub fn clear(&mut self) {
        self.anchor = None;
    }

    /// Between which places; `None` when nothing is selected.
    #[must_use]
    pub fn range(&self) -> Option<(Spot, Spot)> {
        let anchor = self.anchor?;
        let (from, to) = (anchor.0.min(self.head.0), anchor.1.max(self.head.1));
        (from < to).then_some((from, to))
    }

    /// What of a text with so many bytes is selected; an empty range when nothing but its place is.
    #[must_use]
    pub fn within(&self, key: Key, length: usize) -> Option<Range<usize>> {
        let (from, to) = self.range()?;
        if key < from.key || key > to.key {
            return None;
        }
        let start = if key == from.key { from.offset.min(length) } else { 0 };
        let end = if key == to.key { to.offset.min(length) } else { length };
        (start <= end).then_some(start..end)
    }
}

/// A selection, shared by its owner, the list and the texts in it.
#[derive(Debug, Clone, Default)]
pub struct Shared(Rc<RefCell<Selection>>);

impl Shared {
    /// Looks at it.
    pub fn read<T>(&self, read: impl FnOnce(&Selection) -> T) -> T {
        read(&self.0.borrow())
    }

    /// Changes it; it is seen when the texts are drawn next.
    pub fn change<T>(&self, change: impl FnOnce(&mut Selection) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }
}

/// What makes a text one that can be selected.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The selection.
    pub selection: Shared,
    /// Which text it is.
    pub key: Key,
}

impl Seat {
    pub(crate) fn selected(&self, length: usize) -> Option<Range<usize>> {
        let selected = self.selection.read(|selection| selection.within(self.key, length));
        selected.filter(|range| !range.is_empty())
    }
}

/// How much is selected at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Character,
    Word,
    Text,
}

/// A text that can be selected, as it was laid out: rows below each other, with a line break between them.
#[derive(Debug, Clone)]
pub(crate) struct Laid {
    pub key: Key,
    pub rows: Vec<Row>,
}

/// Something of a text that was laid out by itself.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// From the upper left corner of the widget.
    pub at: Point,
    pub height: f32,
    pub text: Paragraph,
    /// Where it begins in the text.
    pub start: usize,
    /// How long it is: what follows it in the paragraph is not a part of the text.
    pub length: usize,
    /// How much is there that is not shown.
    pub beyond: usize,
}

impl Laid {
    /// The place nearest to a point, which is from the upper left corner of the widget.
    fn hit(&self, point: Point) -> usize {
        let row = self.rows.iter().find(|row| point.y < row.at.y + row.height);
        let Some(row) = row.or(self.rows.last()) else { return 0 };
        let inside = hit(&row.text, Point::new(point.x - row.at.x, point.y - row.at.y));
        row.start + if inside >= row.length { row.length + row.beyond } else { inside }
    }

    /// What is selected at a point.
    pub fn around(&self, point: Point, unit: Unit) -> (Spot, Spot) {
        let at = self.hit(point);
        let spot = |offset| Spot { key: self.key, offset };
        let end = self.rows.last().map_or(0, |row| row.start + row.length + row.beyond);
        match unit {
            Unit::Character => (spot(at), spot(at)),
            Unit::Text => (spot(0), spot(end)),
            Unit::Word => {
                let row = self.rows.iter().rev().find(|row| row.start <= at);
                let Some(row) = row else { return (spot(at), spot(at)) };
                let word = word(&shown(&row.text), (at - row.start).min(row.length));
                (spot(row.start + word.start), spot(row.start + word.end.min(row.length)))
            }
        }
    }
}

/// The text that is nearest to a point, and where the point is from its upper left corner.
pub(crate) fn nearest(texts: &[(Rectangle, Laid)], point: Point) -> Option<(&Laid, Point)> {
    let beyond = |at: f32, from: f32, length: f32| (from - at).max(at - from - length).max(0.0);
    let far = |bounds: &Rectangle| {
        (beyond(point.y, bounds.y, bounds.height), beyond(point.x, bounds.x, bounds.width))
    };
    let near = texts.iter().min_by(|(one, _), (other, _)| {
        far(one).partial_cmp(&far(other)).unwrap_or(std::cmp::Ordering::Equal)
    });
    near.map(|(bounds, laid)| (laid, Point::new(point.x - bounds.x, point.y - bounds.y)))
}

/// What a paragraph says.
pub(crate) fn shown(paragraph: &Paragraph) -> String {
    let mut text = String::new();
    for line in &paragraph.buffer().lines {
        text.push_str(line.text());
        text.push_str(line.ending().as_str());
    }
    text.retain(|c| c != JOINER);
    text
}

fn seen(text: &str) -> usize {
    text.len() - text.matches(JOINER).count() * JOINER.len_utf8()
}

/// The place in what a paragraph says that is nearest to a point.
fn hit(paragraph: &Paragraph, point: Point) -> usize {
    let buffer = paragraph.buffer();
    let Some(cursor) = buffer.hit(point.x, point.y) else { return 0 };
    let mut start = 0;
    for (at, line) in buffer.lines.iter().enumerate() {
        if at == cursor.line {
            return start + line.text().get(..cursor.index).map_or(0, seen);
        }
        start += seen(line.text()) + line.ending().as_str().len();
    }
    start
}

/// Where a part of what a paragraph says stands: from its upper left corner.
pub(crate) fn areas(paragraph: &Paragraph, range: &Range<usize>) -> Vec<Rectangle> {
    let buffer = paragraph.buffer();
    // Where each line begins, and its bytes that are selected, joiners among them.
    let mut start = 0;
    let lines = buffer.lines.iter().map(|line| {
        let text = line.text();
        let from = start;
        let end = start + seen(text);
        start = end + line.ending().as_str().len();
        (range.start <= end && range.end > from)
            .then(|| raw(text, range.start.max(from) - from)..raw(text, range.end.min(end) - from))
    });
    let lines: Vec<Option<Range<usize>>> = lines.collect();
    let mut areas = Vec::new();
    for run in buffer.layout_runs() {
        let Some(Some(part)) = lines.get(run.line_i) else { continue };
        let inside =
            run.glyphs.iter().filter(|glyph| glyph.start < part.end && glyph.end > part.start);
        let (left, right) = inside.fold((f32::MAX, f32::MIN), |(left, right), glyph| {
            (left.min(glyph.x), right.max(glyph.x + glyph.w))
        });
        let empty = run.glyphs.is_empty();
        if left < right || empty {
            // An empty line among those that are selected is shown to be one of them.
            let (x, width) = if empty { (0.0, 4.0) } else { (left, right - left) };
            areas.push(Rectangle { x, y: run.line_top, width, height: run.line_height });
        }
    }
    areas
}

/// The byte of a text with joiners at a byte of the text without them.
fn raw(text: &str, at: usize) -> usize {
    let mut left = at;
    for (index, c) in text.char_indices() {
        if c == JOINER {
            continue;
        }
        if left == 0 {
            return index;
        }
        left = left.saturating_sub(c.len_utf8());
    }
    text.len()
}

/// The word at a place: what belongs together of letters and digits, of blanks, or one sign.
fn word(text: &str, at: usize) -> Range<usize> {
    let class = |c: char| match c {
        '\n' | '\r' => 0,
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 3,
    };
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let after = text[at..].chars().next();
    let before = text[..at].chars().next_back();
    // Between a word and something else it is the word.
    let kind = match (before.map(class), after.map(class)) {
        (Some(1), _) | (_, Some(1)) => 1,
        (_, Some(kind)) if kind != 0 => kind,
        (Some(kind), _) => kind,
        (None, _) => return at..at,
    };
    if kind == 3 || kind == 0 {
        let end = after.filter(|c| class(*c) == kind).map_or(at, |c| at + c.len_utf8());
        return at..end;
    }
    let same = |c: char| class(c) == kind;
    let start =
        at - text[..at].chars().rev().take_while(|c| same(*c)).map(char::len_utf8).sum::<usize>();
    let end = at + text[at..].chars().take_while(|c| same(*c)).map(char::len_utf8).sum::<usize>();
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(section: u64, part: usize, offset: usize) -> Spot {
        Spot { key: Key { section, part, index: 0 }, offset }
    }

    #[test]
    fn what_lies_between_two_places_is_selected_whichever_came_first() {
        let (low, high) = (spot(1, 0, 3), spot(2, 1, 4));
        for (first, second) in [(low, high), (high, low)] {
            let mut selection = Selection::default();
            selection.begin(first, first);
            assert_eq!(selection.range(), None, "a place is no text");
            selection.extend(second, second);
            assert_eq!(selection.range(), Some((low, high)));
            let within =
                |section, part, length| selection.within(spot(section, part, 0).key, length);
            assert_eq!(within(0, 9, 10), None);
            assert_eq!(within(1, 0, 10), Some(3..10));
            assert_eq!(within(1, 5, 10), Some(0..10));
            assert_eq!(within(2, 1, 10), Some(0..4));
            assert_eq!(within(2, 1, 2), Some(0..2), "the text became shorter");
            assert_eq!(within(2, 2, 10), None);
        }
    }

    #[test]
    fn a_word_that_was_pressed_stays_selected_in_both_directions() {
        let mut selection = Selection::default();
        selection.begin(spot(1, 0, 4), spot(1, 0, 8));
        selection.extend(spot(1, 0, 0), spot(1, 0, 3));
        assert_eq!(selection.range(), Some((spot(1, 0, 0), spot(1, 0, 8))));
        selection.extend(spot(1, 0, 9), spot(1, 0, 12));
        assert_eq!(selection.range(), Some((spot(1, 0, 4), spot(1, 0, 12))));
    }

    #[test]
    fn words_are_letters_blanks_or_one_sign() {
        for (text, at, expected) in [
            ("one two", 1, "one"),
            ("one two", 3, "one"),
            ("one two", 4, "two"),
            ("one   two", 4, "   "),
            ("größe_2, x", 2, "größe_2"),
            ("a :: b", 2, ":"),
            ("", 0, ""),
            ("x\ny", 2, "y"),
        ] {
            assert_eq!(&text[word(text, at)], expected, "{text:?} at {at}");
        }
    }

    #[test]
    fn joiners_are_not_counted() {
        let text = format!("ab{JOINER}cd");
        assert_eq!(seen(&text), 4);
        assert_eq!((raw(&text, 1), raw(&text, 2), raw(&text, 3)), (1, 5, 6));
    }
}
