//! How panes share a place: by a rule for all of them, or by splits of one's own.
//!
//! No pane is ever smaller than what one can read. Those that would be are left out and come back with
//! the keyboard: what is shown follows from the pane that has it.

mod tree;

use std::fmt;
use std::str::FromStr;

pub use tree::{Axis, Tree};

/// A width and a height, in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Size {
    /// A size.
    #[must_use]
    pub const fn new(width: f32, height: f32) -> Self {
        Self { width, height }
    }
}

/// A place within an area, in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Its left edge.
    pub x: f32,
    /// Its upper edge.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Rect {
    /// A whole area.
    #[must_use]
    pub const fn of(size: Size) -> Self {
        Self { x: 0.0, y: 0.0, width: size.width, height: size.height }
    }

    /// How large it is.
    #[must_use]
    pub const fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }

    fn middle(&self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// How many panes side by side and on top of each other there are at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Side by side.
    pub columns: u8,
    /// On top of each other.
    pub rows: u8,
}

/// The most columns, and the most rows, of a grid.
pub const MOST: u8 = 9;

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.columns, self.rows)
    }
}

/// A text that names no grid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a grid is written as its columns and its rows, such as 3x2, with at most {MOST} of each")]
pub struct NoGrid;

impl FromStr for Grid {
    type Err = NoGrid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (columns, rows) = text.split_once(['x', 'X', '×', '*']).ok_or(NoGrid)?;
        let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=MOST).contains(side));
        Ok(Self { columns: side(columns).ok_or(NoGrid)?, rows: side(rows).ok_or(NoGrid)? })
    }
}

/// How panes share the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// As many columns as bring each pane closest to a screen of 80 by 24.
    #[default]
    Automatic,
    /// All side by side.
    Columns,
    /// All on top of each other.
    Rows,
    /// So many columns and rows.
    Grid(Grid),
    /// The first one large, the others in a column beside it.
    Main,
    /// The one with the keyboard, the others in a strip below.
    Strip,
    /// The one with the keyboard alone.
    Focus,
    /// As they were split by hand.
    Free,
}

impl Kind {
    /// Those that follow each other.
    pub const ROUND: [Self; 7] = [
        Self::Automatic,
        Self::Columns,
        Self::Rows,
        Self::Main,
        Self::Strip,
        Self::Focus,
        Self::Free,
    ];

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ROUND.iter().position(|other| *other == self).unwrap_or(0);
        Self::ROUND[(at + 1) % Self::ROUND.len()]
    }

    /// What it is called.
    #[must_use]
    pub fn title(self) -> String {
        match self {
            Self::Automatic => "automatic".to_owned(),
            Self::Columns => "columns".to_owned(),
            Self::Rows => "rows".to_owned(),
            Self::Grid(Grid { columns, rows }) => format!("{columns} × {rows}"),
            Self::Main => "one large".to_owned(),
            Self::Strip => "focus and strip".to_owned(),
            Self::Focus => "focus".to_owned(),
            Self::Free => "your own tiles".to_owned(),
        }
    }
}

/// The name by which it is kept.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Automatic => f.write_str("automatic"),
            Self::Columns => f.write_str("columns"),
            Self::Rows => f.write_str("rows"),
            Self::Grid(grid) => write!(f, "grid-{grid}"),
            Self::Main => f.write_str("main"),
            Self::Strip => f.write_str("strip"),
            Self::Focus => f.write_str("focus"),
            Self::Free => f.write_str("free"),
        }
    }
}

/// A word that names no layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such layout")]
pub struct Unknown;

impl FromStr for Kind {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(grid) = text.strip_prefix("grid-") {
            return grid.parse().map(Self::Grid).map_err(|_| Unknown);
        }
        Self::ROUND.into_iter().find(|kind| kind.to_string() == text).ok_or(Unknown)
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
    /// How high the strip is that names the panes for which there is no place.
    pub strip: f32,
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

    /// What a pane has at least while there is another one beside it.
    fn least(&self) -> Size {
        Size::new(
            (LEAST_COLUMNS * self.cell.width + self.frame.width).ceil(),
            (LEAST_ROWS * self.cell.height + self.frame.height).ceil(),
        )
    }

    /// How many panes fit side by side, and on top of each other.
    fn fitting(&self, area: Size) -> (usize, usize) {
        let least = self.least();
        (fit(area.width, least.width, self.gap), fit(area.height, least.height, self.gap))
    }
}

fn fit(whole: f32, least: f32, gap: f32) -> usize {
    let count = ((whole + gap) / (least + gap).max(1.0)).floor();
    if count.is_finite() { count.clamp(1.0, 1000.0) as usize } else { 1 }
}

/// A narrower or lower terminal shows nothing that one could read.
const LEAST_COLUMNS: f32 = 36.0;
const LEAST_ROWS: f32 = 6.0;

/// What a program in a terminal expects to have at least.
const COLUMNS: f32 = 80.0;
const ROWS: f32 = 24.0;

/// With fewer rows than this, 80 columns are no comfort.
const FEW_ROWS: f32 = 12.0;

/// What a program takes for its own prompt and status: rows that show nothing of its work.
const OWN_ROWS: f32 = 2.0;

/// How much of the width the large pane has beside the others.
const LARGE: f32 = 0.62;

/// Where panes go.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<P> {
    /// Those that are shown.
    pub shown: Vec<(P, Rect)>,
    /// Those that are only named, in a strip below.
    pub rest: Vec<P>,
}

impl<P> Plan<P> {
    /// The places alone.
    #[must_use]
    pub fn places(&self) -> Vec<Rect> {
        self.shown.iter().map(|(_, place)| *place).collect()
    }
}

/// Where panes go by a rule; [`Kind::Free`] goes by `tree`, and is automatic without one.
pub fn plan<P: Copy + PartialEq>(
    kind: Kind,
    tree: Option<&Tree<P>>,
    panes: &[P],
    focused: Option<P>,
    area: Size,
    grain: &Grain,
) -> Plan<P> {
    let at = focused.and_then(|it| panes.iter().position(|pane| *pane == it)).unwrap_or(0);
    let whole = arranged(kind, tree, panes, at, area, grain);
    if kind == Kind::Focus {
        return Plan { rest: Vec::new(), ..whole };
    }
    if whole.rest.is_empty() {
        return whole;
    }
    let left = Size::new(area.width, (area.height - grain.strip).max(0.0));
    arranged(kind, tree, panes, at, left, grain)
}

fn arranged<P: Copy + PartialEq>(
    kind: Kind,
    tree: Option<&Tree<P>>,
    panes: &[P],
    at: usize,
    area: Size,
    grain: &Grain,
) -> Plan<P> {
    if let (Kind::Free, Some(tree)) = (kind, tree) {
        return tree.plan(panes.get(at).copied(), area, grain);
    }
    let (wide, high) = grain.fitting(area);
    let most = match kind {
        Kind::Automatic | Kind::Free => wide * high,
        Kind::Columns => wide,
        Kind::Rows => high,
        Kind::Grid(grid) => wide.min(grid.columns.into()) * high.min(grid.rows.into()),
        Kind::Main if wide > 1 => 1 + high,
        Kind::Main | Kind::Strip | Kind::Focus => 1,
    };
    let (from, to) = page(panes.len(), at, most);
    let count = to - from;
    let places = match kind {
        Kind::Automatic | Kind::Free => {
            regular(count, best_columns(count, area, grain), area, grain.gap)
        }
        Kind::Columns => regular(count, count, area, grain.gap),
        Kind::Grid(grid) => regular(count, wide.min(grid.columns.into()), area, grain.gap),
        Kind::Rows | Kind::Strip | Kind::Focus => regular(count, 1, area, grain.gap),
        Kind::Main => main(count, area, grain),
    };
    let shown = panes[from..to].iter().copied().zip(places).collect();
    let rest = panes[..from].iter().chain(&panes[to..]).copied().collect();
    Plan { shown, rest }
}

/// Which of `count` are shown where `most` can be, so that the one at `at` is among them: pages, the last
/// one filled up from the one before.
fn page(count: usize, at: usize, most: usize) -> (usize, usize) {
    let most = most.clamp(1, count.max(1));
    let from = (at / most * most).min(count.saturating_sub(most));
    (from, (from + most).min(count))
}

/// How many columns of panes: enough for every pane to have its 80 columns of text while it has a dozen
/// rows, too; where that cannot be, what comes closest in both, an even arrangement before an uneven. Where
/// several give all panes a whole screen, the one that leaves none of them short in one direction.
fn best_columns(count: usize, area: Size, grain: &Grain) -> usize {
    let (most, high) = grain.fitting(area);
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
    let fits = |columns: &usize| count.div_ceil(*columns) <= high;
    (1..=count.clamp(1, most)).filter(fits).max_by(better).unwrap_or(most)
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
fn regular(count: usize, columns: usize, area: Size, gap: f32) -> Vec<Rect> {
    let columns = columns.clamp(1, count.max(1));
    let rows = count.div_ceil(columns);
    (0..count)
        .map(|index| {
            let row = index / columns;
            let in_row = columns.min(count - row * columns);
            let (x, width) = slot(area.width, in_row, index % columns, gap);
            let (y, height) = slot(area.height, rows, row, gap);
            Rect { x, y, width, height }
        })
        .collect()
}

fn main(count: usize, area: Size, grain: &Grain) -> Vec<Rect> {
    let gap = grain.gap;
    if count < 2 {
        return regular(count, 1, area, gap);
    }
    let width = ((area.width - gap) * LARGE).min(area.width - gap - grain.least().width).round();
    let large = Rect { x: 0.0, y: 0.0, width, height: area.height };
    let rest = Size::new(area.width - width - gap, area.height);
    let beside = regular(count - 1, 1, rest, gap)
        .into_iter()
        .map(|place| Rect { x: place.x + width + gap, ..place });
    std::iter::once(large).chain(beside).collect()
}

/// A direction on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    Left,
    Right,
    Up,
    Down,
}

impl Direction {
    /// Along which axis it leads.
    #[must_use]
    pub fn axis(self) -> Axis {
        match self {
            Self::Left | Self::Right => Axis::Beside,
            Self::Up | Self::Down => Axis::Below,
        }
    }

    /// Whether it leads to the right or down.
    #[must_use]
    pub fn is_forward(self) -> bool {
        matches!(self, Self::Right | Self::Down)
    }
}

/// The place next to one in a direction: the nearest whose side faces it.
#[must_use]
pub fn neighbour(places: &[Rect], from: usize, direction: Direction) -> Option<usize> {
    let here = places.get(from)?;
    // Along: how far away in the direction; across: how far off the line.
    let distance = |there: &Rect| {
        let ((to_x, to_y), (x, y)) = (there.middle(), here.middle());
        let (dx, dy) = (to_x - x, to_y - y);
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

#[cfg(test)]
mod tests;
