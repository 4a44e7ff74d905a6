//! Panes side by side without gaps in the order: a regular arrangement that is worked out from the
//! place there is, and a widget that lays its children out by it.
//!
//! The widget keeps the state of a child by its key, so a pane that moves because another came or went
//! stays the same pane.

use std::collections::HashMap;

use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse, overlay, renderer};
use iced::{Element, Event, Length, Point, Rectangle, Renderer, Size, Theme, Vector};

/// How panes share the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Arrangement {
    /// As many columns as bring each pane closest to a screen of 80 by 24.
    #[default]
    Automatic,
    /// All side by side.
    Columns,
    /// All on top of each other.
    Rows,
    /// The first one large, the others in a column beside it.
    Main,
}

impl Arrangement {
    /// Every arrangement, in the order in which they follow each other.
    pub const ALL: [Self; 4] = [Self::Automatic, Self::Columns, Self::Rows, Self::Main];

    /// The name by which it is kept.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Columns => "columns",
            Self::Rows => "rows",
            Self::Main => "main",
        }
    }

    /// The arrangement with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arrangement| arrangement.name() == name)
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|other| *other == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// Where each of `count` panes goes.
    #[must_use]
    pub fn places(self, count: usize, area: Size, grain: &Grain) -> Vec<Rectangle> {
        let gap = grain.gap;
        match self {
            Self::Automatic => regular(count, best_columns(count, area, grain), area, gap),
            Self::Columns => regular(count, count, area, gap),
            Self::Rows => regular(count, 1, area, gap),
            Self::Main => main(count, area, gap),
        }
    }
}

/// What panes are measured by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grain {
    /// Between two panes.
    pub gap: f32,
    /// A character's place.
    pub cell: Size,
    /// What a pane takes besides its cells: header, borders, padding.
    pub frame: Size,
}

impl Grain {
    /// How many cells, side by side and on top of each other, a pane of this size has.
    #[must_use]
    pub fn cells(&self, pane: Size) -> (f32, f32) {
        let whole = |side: f32, frame: f32, cell: f32| ((side - frame) / cell.max(1.0)).floor();
        (
            whole(pane.width, self.frame.width, self.cell.width).max(0.0),
            whole(pane.height, self.frame.height, self.cell.height).max(0.0),
        )
    }
}

/// What a program in a terminal expects to have at least.
const COLUMNS: f32 = 80.0;
const ROWS: f32 = 24.0;

/// With fewer rows than this, 80 columns are no comfort.
const FEW_ROWS: f32 = 12.0;

/// What a program takes for its own prompt and status: rows that show nothing of its work.
const OWN_ROWS: f32 = 2.0;

/// How many columns of panes: enough for every pane to have its 80 columns of text while it has a dozen
/// rows, too; where that cannot be, what comes closest in both, an even arrangement before an uneven. Where
/// several give all panes a whole screen, the one that leaves none of them short in one direction.
fn best_columns(count: usize, area: Size, grain: &Grain) -> usize {
    let score = |columns: usize| {
        let rows = count.div_ceil(columns);
        let pane =
            Size::new(share(area.width, columns, grain.gap), share(area.height, rows, grain.gap));
        let (wide, high) = grain.cells(pane);
        let even = if count == columns * rows { 1.0 } else { 0.95 };
        // Lines that wrap cost more than lines that are out of sight.
        let lines = ((high - OWN_ROWS) / (ROWS - OWN_ROWS)).clamp(0.01, 1.0);
        let close = (wide / COLUMNS).min(1.0).powf(1.6) * lines * even;
        let room = (wide / COLUMNS).min(high / ROWS);
        (wide >= COLUMNS && high >= FEW_ROWS, close, room)
    };
    let better = |a: &usize, b: &usize| {
        let (a, b) = ((score(*a), a), (score(*b), b));
        let closest = a.0.0.cmp(&b.0.0).then(a.0.1.total_cmp(&b.0.1));
        closest.then(a.0.2.total_cmp(&b.0.2)).then(b.1.cmp(a.1))
    };
    (1..=count.max(1)).max_by(better).unwrap_or(1)
}

fn share(whole: f32, parts: usize, gap: f32) -> f32 {
    ((whole - gap * (parts.max(1) - 1) as f32) / parts.max(1) as f32).max(0.0)
}

/// Whole pixels, so that neighbouring panes have sharp edges.
fn slot(whole: f32, parts: usize, index: usize, gap: f32) -> (f32, f32) {
    let step = share(whole, parts, gap) + gap;
    let (start, end) = (step * index as f32, step * (index + 1) as f32 - gap);
    (start.round(), (end.round() - start.round()).max(0.0))
}

/// Rows of `columns` panes; those of an incomplete last row share its width.
fn regular(count: usize, columns: usize, area: Size, gap: f32) -> Vec<Rectangle> {
    let columns = columns.clamp(1, count.max(1));
    let rows = count.div_ceil(columns);
    (0..count)
        .map(|index| {
            let row = index / columns;
            let in_row = columns.min(count - row * columns);
            let (x, width) = slot(area.width, in_row, index % columns, gap);
            let (y, height) = slot(area.height, rows, row, gap);
            Rectangle { x, y, width, height }
        })
        .collect()
}

fn main(count: usize, area: Size, gap: f32) -> Vec<Rectangle> {
    if count < 2 {
        return regular(count, 1, area, gap);
    }
    let width = ((area.width - gap) * 0.62).round();
    let large = Rectangle { x: 0.0, y: 0.0, width, height: area.height };
    let rest = Size::new(area.width - width - gap, area.height);
    let beside = regular(count - 1, 1, rest, gap)
        .into_iter()
        .map(|place| Rectangle { x: place.x + width + gap, ..place });
    std::iter::once(large).chain(beside).collect()
}

/// A direction on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    Left,
    Right,
    Up,
    Down,
}

/// The place next to one in a direction: the nearest whose side faces it.
#[must_use]
pub fn neighbour(places: &[Rectangle], from: usize, direction: Direction) -> Option<usize> {
    let here = places.get(from)?;
    // Along: how far away in the direction; across: how far off the line.
    let distance = |there: &Rectangle| {
        let (dx, dy) = (there.center_x() - here.center_x(), there.center_y() - here.center_y());
        let (along, across, overlaps) = match direction {
            Direction::Left => (-dx, dy, overlap(here.y, here.height, there.y, there.height)),
            Direction::Right => (dx, dy, overlap(here.y, here.height, there.y, there.height)),
            Direction::Up => (-dy, dx, overlap(here.x, here.width, there.x, there.width)),
            Direction::Down => (dy, dx, overlap(here.x, here.width, there.x, there.width)),
        };
        (along > 1.0 && overlaps).then_some(along + across.abs() * 0.5)
    };
    places
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != from)
        .filter_map(|(index, there)| distance(there).map(|far| (index, far)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(index, _)| index)
}

fn overlap(a: f32, a_length: f32, b: f32, b_length: f32) -> bool {
    a < b + b_length && b < a + a_length
}

/// Children laid out by an arrangement, each with a key that is its identity.
pub fn tiles<'a, Message: 'a>(
    arrangement: Arrangement,
    grain: Grain,
    children: impl IntoIterator<Item = (u64, Element<'a, Message>)>,
) -> Element<'a, Message> {
    let (keys, children) = children.into_iter().unzip();
    Element::new(Tiles { arrangement, grain, keys, children })
}

struct Tiles<'a, Message> {
    arrangement: Arrangement,
    grain: Grain,
    keys: Vec<u64>,
    children: Vec<Element<'a, Message>>,
}

struct Keys(Vec<u64>);

impl<Message> Widget<Message, Theme, Renderer> for Tiles<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<Keys>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(Keys(self.keys.clone()))
    }

    fn children(&self) -> Vec<Tree> {
        self.children.iter().map(Tree::new).collect()
    }

    fn diff(&self, tree: &mut Tree) {
        let Keys(keys) = tree.state.downcast_mut::<Keys>();
        let mut known: HashMap<u64, Tree> =
            keys.drain(..).zip(std::mem::take(&mut tree.children)).collect();
        keys.clone_from(&self.keys);
        tree.children = self
            .keys
            .iter()
            .zip(&self.children)
            .map(|(key, child)| match known.remove(key) {
                Some(mut tree) => {
                    tree.diff(child);
                    tree
                }
                None => Tree::new(child),
            })
            .collect();
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(
        &mut self,
        tree: &mut Tree,
        renderer: &Renderer,
        limits: &layout::Limits,
    ) -> layout::Node {
        let size = limits.resolve(Length::Fill, Length::Fill, Size::ZERO);
        let places = self.arrangement.places(self.children.len(), size, &self.grain);
        let nodes = self.children.iter_mut().zip(&mut tree.children).zip(places);
        let nodes = nodes
            .map(|((child, tree), place)| {
                let limits = layout::Limits::new(place.size(), place.size());
                let node = child.as_widget_mut().layout(tree, renderer, &limits);
                node.move_to(Point::new(place.x, place.y))
            })
            .collect();
        layout::Node::with_children(size, nodes)
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        for ((child, tree), layout) in
            self.children.iter_mut().zip(&mut tree.children).zip(layout.children())
        {
            child
                .as_widget_mut()
                .update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        for ((child, tree), layout) in
            self.children.iter().zip(&tree.children).zip(layout.children())
        {
            child.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
        }
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &Renderer,
        operation: &mut dyn Operation,
    ) {
        operation.container(None, layout.bounds());
        operation.traverse(&mut |operation| {
            for ((child, tree), layout) in
                self.children.iter_mut().zip(&mut tree.children).zip(layout.children())
            {
                child.as_widget_mut().operate(tree, layout, renderer, operation);
            }
        });
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        self.children
            .iter()
            .zip(&tree.children)
            .zip(layout.children())
            .map(|((child, tree), layout)| {
                child.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
            })
            .max()
            .unwrap_or_default()
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        overlay::from_children(&mut self.children, tree, layout, renderer, viewport, translation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f32 = 8.0;

    const GRAIN: Grain =
        Grain { gap: GAP, cell: Size::new(7.0, 16.0), frame: Size::new(18.0, 49.0) };

    fn columns(count: usize, width: f32, height: f32) -> usize {
        best_columns(count, Size::new(width, height), &GRAIN)
    }

    #[test]
    fn panes_keep_80_columns_where_they_can() {
        for (count, width, height, expected) in [
            // 1440×900 with the list of agents.
            (1, 1177.0, 816.0, 1),
            (2, 1177.0, 816.0, 2),
            (3, 1177.0, 816.0, 2),
            (5, 1177.0, 816.0, 2),
            (7, 1177.0, 816.0, 2),
            (16, 1177.0, 816.0, 4),
            // The same with a run beside them.
            (2, 856.0, 816.0, 1),
            (3, 856.0, 816.0, 1),
            (4, 856.0, 816.0, 2),
            // 1000×640.
            (1, 737.0, 556.0, 1),
            (2, 737.0, 556.0, 1),
            (3, 737.0, 556.0, 1),
            (5, 737.0, 556.0, 2),
            (16, 737.0, 556.0, 4),
            // 1920×1080.
            (2, 1657.0, 996.0, 2),
            (3, 1657.0, 996.0, 2),
            (6, 1657.0, 996.0, 2),
            (16, 1657.0, 996.0, 4),
            (3, 2400.0, 700.0, 3),
        ] {
            assert_eq!(columns(count, width, height), expected, "{count} in {width}×{height}");
        }
    }

    #[test]
    fn places_fill_the_area_and_never_overlap() {
        let area = Size::new(1001.0, 633.0);
        for arrangement in Arrangement::ALL {
            for count in 1..=17 {
                let places = arrangement.places(count, area, &GRAIN);
                assert_eq!(places.len(), count);
                let right = places.iter().map(|p| p.x + p.width).fold(0.0, f32::max);
                let bottom = places.iter().map(|p| p.y + p.height).fold(0.0, f32::max);
                assert_eq!((right, bottom), (1001.0, 633.0), "{arrangement:?} {count}");
                for (i, a) in places.iter().enumerate() {
                    for b in &places[i + 1..] {
                        assert!(a.intersection(b).is_none(), "{arrangement:?} {count}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_panes_need_no_places() {
        for arrangement in Arrangement::ALL {
            assert!(arrangement.places(0, Size::new(10.0, 10.0), &GRAIN).is_empty());
        }
    }

    #[test]
    fn neighbours_face_each_other() {
        // 0 1
        // 2 2
        let places = regular(3, 2, Size::new(800.0, 600.0), GAP);
        for (from, direction, expected) in [
            (0, Direction::Right, Some(1)),
            (1, Direction::Left, Some(0)),
            (0, Direction::Down, Some(2)),
            (1, Direction::Down, Some(2)),
            (2, Direction::Right, None),
            (0, Direction::Up, None),
        ] {
            assert_eq!(neighbour(&places, from, direction), expected, "{from} {direction:?}");
        }
    }

    #[test]
    fn arrangements_come_round_and_are_found_by_name() {
        let mut arrangement = Arrangement::Automatic;
        for _ in Arrangement::ALL {
            assert_eq!(Arrangement::named(arrangement.name()), Some(arrangement));
            arrangement = arrangement.next();
        }
        assert_eq!(arrangement, Arrangement::Automatic);
    }
}
