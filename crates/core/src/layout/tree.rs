//! Panes as they were split by hand: a tree whose leaves are panes.

use serde::{Deserialize, Serialize};

use super::{Direction, Grain, Grid, Kind, LARGE, Plan, Rect, Size, best_columns, fit, page};

/// How the parts of a split lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Axis {
    /// Side by side.
    Beside,
    /// On top of each other.
    Below,
}

impl Axis {
    fn other(self) -> Self {
        match self {
            Self::Beside => Self::Below,
            Self::Below => Self::Beside,
        }
    }

    fn along(self, size: Size) -> f32 {
        match self {
            Self::Beside => size.width,
            Self::Below => size.height,
        }
    }

    /// The part of a place from `start` on, so long.
    fn cut(self, place: Rect, start: f32, length: f32) -> Rect {
        match self {
            Self::Beside => Rect { x: place.x + start, width: length, ..place },
            Self::Below => Rect { y: place.y + start, height: length, ..place },
        }
    }
}

/// What a part of a split weighs that has as much as the others.
const EVEN: u32 = 1000;

/// What it can weigh; more is of a file that nobody wrote with Maestro.
const HEAVIEST: u32 = 1_000_000;

/// Weights are compared in parts of this, so that nothing is lost where splits are joined.
const FINE: u64 = 1000;

/// One step of an edge, as a part of what the split has.
const STEP: u32 = 24;

/// A pane wider than so many times its height is split side by side.
const WIDE: f32 = 1.3;

/// A pane, or panes that share a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Tree<P> {
    /// One pane.
    Pane(P),
    /// Parts side by side or on top of each other.
    Split {
        /// How they lie.
        axis: Axis,
        /// What each weighs against the others, and what it is.
        parts: Vec<(u32, Tree<P>)>,
    },
}

impl<P: Copy + PartialEq> Tree<P> {
    /// Panes as a rule lays them out, to be changed from there. `None` without panes.
    #[must_use]
    pub fn of(kind: Kind, panes: &[P], area: Size, grain: &Grain) -> Option<Self> {
        let leaves = |panes: &[P], axis| {
            let parts = panes.iter().map(|pane| (EVEN, Self::Pane(*pane))).collect();
            Self::Split { axis, parts }
        };
        let count = panes.len();
        let columns = match kind {
            Kind::Rows => 1,
            Kind::Columns => count,
            Kind::Grid(Grid { columns, .. }) => columns.into(),
            _ => best_columns(count, area, grain),
        };
        let tree = match (kind, panes) {
            (Kind::Main, [large, others @ ..]) => {
                let weight = (LARGE * EVEN as f32) as u32;
                let large = (weight, Self::Pane(*large));
                let others = (EVEN - weight, leaves(others, Axis::Below));
                Self::Split { axis: Axis::Beside, parts: vec![large, others] }
            }
            _ => {
                let rows = panes.chunks(columns.max(1));
                let parts = rows.map(|row| (EVEN, leaves(row, Axis::Beside))).collect();
                Self::Split { axis: Axis::Below, parts }
            }
        };
        tree.tidy()
    }

    /// Its panes, from left to right and from top to bottom.
    #[must_use]
    pub fn panes(&self) -> Vec<P> {
        match self {
            Self::Pane(pane) => vec![*pane],
            Self::Split { parts, .. } => parts.iter().flat_map(|(_, part)| part.panes()).collect(),
        }
    }

    fn has(&self, pane: P) -> bool {
        match self {
            Self::Pane(own) => *own == pane,
            Self::Split { parts, .. } => parts.iter().any(|(_, part)| part.has(pane)),
        }
    }

    /// The same with these panes, each once: what is gone leaves its place to its neighbours, what is new
    /// shares the largest place.
    #[must_use]
    pub fn with(self, panes: &[P], area: Size, grain: &Grain) -> Option<Self> {
        let mut seen = Vec::new();
        let kept = self.keep(&mut |pane| {
            let known = panes.contains(&pane) && !seen.contains(&pane);
            seen.push(pane);
            known
        });
        let mut tree = kept.and_then(Self::tidy);
        for pane in panes {
            tree = match tree {
                None => Some(Self::Pane(*pane)),
                Some(tree) if tree.has(*pane) => Some(tree),
                Some(tree) => tree.admit(*pane, area, grain),
            };
        }
        tree
    }

    fn keep(self, known: &mut impl FnMut(P) -> bool) -> Option<Self> {
        match self {
            Self::Pane(pane) => known(pane).then_some(Self::Pane(pane)),
            Self::Split { axis, parts } => {
                let kept = |(weight, part): (u32, Self)| Some((weight, part.keep(known)?));
                let parts = parts.into_iter().filter_map(kept).collect();
                Some(Self::Split { axis, parts })
            }
        }
    }

    /// No split of one part, none within another of the same axis, and weights that say something.
    fn tidy(self) -> Option<Self> {
        let Self::Split { axis, parts } = self else { return Some(self) };
        let mut tidied: Vec<(u64, Self)> = Vec::new();
        for (weight, part) in parts {
            let weight = u64::from(weight.clamp(1, HEAVIEST)) * FINE;
            match part.tidy() {
                Some(Self::Split { axis: inner, parts }) if inner == axis => {
                    let sum = sum(&parts);
                    let share = |own: u32| u64::from(own) * weight / sum;
                    tidied.extend(parts.into_iter().map(|(own, part)| (share(own), part)));
                }
                Some(part) => tidied.push((weight, part)),
                None => {}
            }
        }
        let count = tidied.len();
        if count < 2 {
            return tidied.pop().map(|(_, part)| part);
        }
        // On the average each weighs the same again.
        let sum = tidied.iter().map(|(weight, _)| weight).sum::<u64>().max(1);
        let even = |weight: u64| (weight * u64::from(EVEN) * count as u64 / sum) as u32;
        let evened = |(weight, part)| (even(weight).clamp(1, HEAVIEST), part);
        Some(Self::Split { axis, parts: tidied.into_iter().map(evened).collect() })
    }

    /// With a pane that has no place yet: it shares the largest one.
    fn admit(self, pane: P, area: Size, grain: &Grain) -> Option<Self> {
        let shown = self.plan(None, area, grain).shown;
        let large = |place: &Rect| place.width * place.height;
        let largest = shown.iter().max_by(|(_, a), (_, b)| large(a).total_cmp(&large(b)))?;
        let (beside, place) = *largest;
        let axis = if place.width > place.height * WIDE { Axis::Beside } else { Axis::Below };
        self.beside(beside, pane, axis).tidy()
    }

    /// With `pane` behind `other`, in half of its place.
    fn beside(self, other: P, pane: P, axis: Axis) -> Self {
        match self {
            Self::Pane(own) if own == other => {
                let parts = vec![(EVEN, Self::Pane(own)), (EVEN, Self::Pane(pane))];
                Self::Split { axis, parts }
            }
            Self::Pane(own) => Self::Pane(own),
            Self::Split { axis: outer, parts } => {
                let parts = parts.into_iter();
                let parts = parts.map(|(weight, part)| (weight, part.beside(other, pane, axis)));
                Self::Split { axis: outer, parts: parts.collect() }
            }
        }
    }

    /// Exchanges the places of two panes.
    #[must_use]
    pub fn swapped(&self, a: P, b: P) -> Self {
        match self {
            Self::Pane(own) if *own == a => Self::Pane(b),
            Self::Pane(own) if *own == b => Self::Pane(a),
            Self::Pane(own) => Self::Pane(*own),
            Self::Split { axis, parts } => {
                let parts = parts.iter().map(|(weight, part)| (*weight, part.swapped(a, b)));
                Self::Split { axis: *axis, parts: parts.collect() }
            }
        }
    }

    /// Puts a pane into the place of its neighbour in a direction, which gives it half; without a
    /// neighbour, along that edge of the whole.
    #[must_use]
    pub fn moved(&self, pane: P, neighbour: Option<P>, direction: Direction) -> Option<Self> {
        let left = self.clone().keep(&mut |own| own != pane)?.tidy()?;
        match neighbour {
            Some(other) => left.beside(other, pane, direction.axis().other()),
            None => {
                let count = match &left {
                    Self::Split { axis, parts } if *axis == direction.axis() => parts.len(),
                    _ => 1,
                };
                let heavy = EVEN.saturating_mul(count as u32);
                let mut parts = vec![(heavy, left), (EVEN, Self::Pane(pane))];
                if !direction.is_forward() {
                    parts.reverse();
                }
                Self::Split { axis: direction.axis(), parts }
            }
        }
        .tidy()
    }

    /// Lays the split that holds a pane out along the other axis.
    #[must_use]
    pub fn turned(&self, pane: P) -> Option<Self> {
        self.clone().turn(pane).tidy()
    }

    fn turn(self, pane: P) -> Self {
        let Self::Split { axis, parts } = self else { return self };
        if parts.iter().any(|(_, part)| matches!(part, Self::Pane(own) if *own == pane)) {
            return Self::Split { axis: axis.other(), parts };
        }
        let parts = parts.into_iter().map(|(weight, part)| (weight, part.turn(pane))).collect();
        Self::Split { axis, parts }
    }

    /// Every part of a split has as much as the others.
    #[must_use]
    pub fn evened(&self) -> Self {
        match self {
            Self::Pane(pane) => Self::Pane(*pane),
            Self::Split { axis, parts } => {
                let parts = parts.iter().map(|(_, part)| (EVEN, part.evened())).collect();
                Self::Split { axis: *axis, parts }
            }
        }
    }

    /// Moves an edge of a pane one step in a direction: the one it shares with what comes behind it, or,
    /// where nothing does, the one it shares with what comes before it. `None` where there is neither.
    #[must_use]
    pub fn resized(&self, pane: P, direction: Direction) -> Option<Self> {
        let Self::Split { axis, parts } = self else { return None };
        let at = parts.iter().position(|(_, part)| part.has(pane))?;
        let mut changed = parts.clone();
        if let Some(part) = parts[at].1.resized(pane, direction) {
            changed[at].1 = part;
        } else if *axis == direction.axis() {
            let edge = at.min(parts.len().checked_sub(2)?);
            let sum = u32::try_from(sum(parts)).unwrap_or(HEAVIEST);
            let step = (sum / STEP).max(1);
            let (wider, narrower) =
                if direction.is_forward() { (edge, edge + 1) } else { (edge + 1, edge) };
            let step = step.min(parts[narrower].0.saturating_sub(step));
            changed[wider].0 = changed[wider].0.saturating_add(step);
            changed[narrower].0 -= step;
        } else {
            return None;
        }
        Some(Self::Split { axis: *axis, parts: changed })
    }

    /// Where its panes go, with `focused` among those that are shown.
    #[must_use]
    pub fn plan(&self, focused: Option<P>, area: Size, grain: &Grain) -> Plan<P> {
        let mut plan = Plan { shown: Vec::new(), rest: Vec::new() };
        self.lay(focused, Rect::of(area), grain, &mut plan);
        plan
    }

    fn lay(&self, focused: Option<P>, place: Rect, grain: &Grain, plan: &mut Plan<P>) {
        let (axis, parts) = match self {
            Self::Pane(pane) => return plan.shown.push((*pane, place)),
            Self::Split { axis, parts } => (*axis, parts),
        };
        let along = axis.along(place.size());
        let least = axis.along(grain.least());
        let at = focused.and_then(|pane| parts.iter().position(|(_, part)| part.has(pane)));
        let (from, to) = page(parts.len(), at.unwrap_or(0), fit(along, least, grain.gap));
        for (index, (_, part)) in parts.iter().enumerate() {
            if !(from..to).contains(&index) {
                plan.rest.extend(part.panes());
            }
        }
        let parts = &parts[from..to];
        let gaps = grain.gap * parts.len().saturating_sub(1) as f32;
        let room = (along - gaps).max(0.0);
        let needs: Vec<f32> = parts.iter().map(|(_, part)| part.need(axis, grain)).collect();
        // Where not all can have what all of their panes need, each has at least what one pane needs.
        let whole = needs.iter().sum::<f32>() <= room;
        let least = needs.iter().map(|need| if whole { *need } else { least.min(room) });
        let weights: Vec<f32> = parts.iter().map(|(weight, _)| *weight as f32).collect();
        let lengths = shares(room, &weights, &least.collect::<Vec<_>>());
        let mut start = 0.0;
        for ((_, part), length) in parts.iter().zip(lengths) {
            let (from, to) = (f32::round(start), f32::round(start + length));
            part.lay(focused, axis.cut(place, from, to - from), grain, plan);
            start += length + grain.gap;
        }
    }

    /// What it takes along an axis to show all of its panes.
    fn need(&self, axis: Axis, grain: &Grain) -> f32 {
        match self {
            Self::Pane(_) => axis.along(grain.least()),
            Self::Split { axis: own, parts } => {
                let needs = parts.iter().map(|(_, part)| part.need(axis, grain));
                if *own == axis {
                    needs.sum::<f32>() + grain.gap * parts.len().saturating_sub(1) as f32
                } else {
                    needs.fold(0.0, f32::max)
                }
            }
        }
    }
}

fn sum<P>(parts: &[(u32, Tree<P>)]) -> u64 {
    parts.iter().map(|(weight, _)| u64::from(*weight)).sum::<u64>().max(1)
}

/// A length by weights, with something that each has at least.
fn shares(room: f32, weights: &[f32], least: &[f32]) -> Vec<f32> {
    let mut lengths = vec![None; weights.len()];
    loop {
        let fixed: f32 = lengths.iter().flatten().sum();
        let open = || weights.iter().zip(&lengths).filter(|(_, length)| length.is_none());
        let sum: f32 = open().map(|(weight, _)| weight).sum();
        let share = |weight: f32| (room - fixed).max(0.0) * weight / sum.max(1.0);
        let short = |at: &usize| lengths[*at].is_none() && share(weights[*at]) < least[*at];
        let Some(at) = (0..weights.len()).find(short) else {
            let length = |(length, weight): (&Option<f32>, &f32)| length.unwrap_or(share(*weight));
            return lengths.iter().zip(weights).map(length).collect();
        };
        lengths[at] = Some(least[at]);
    }
}
