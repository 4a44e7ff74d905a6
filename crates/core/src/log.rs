//! How a history is drawn: which lane each commit is in, and which lines go from row to row.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The most lanes that are drawn; commits beyond are in the last one.
pub const MAX_LANES: usize = 24;

/// What is drawn beside one commit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Row {
    /// The commit's lane, counted from the left.
    pub lane: u16,
    /// Lines from the upper edge of the row to its lower edge. One that ends in the commit goes to its lane
    /// and is not among those that go on.
    pub lines: Vec<Line>,
    /// How many lanes the row has.
    pub width: u16,
}

/// A line of the graph within one row: from a lane at the upper edge to a lane at the lower edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    /// Lane at the upper edge; `None` where it begins in the commit.
    pub from: Option<u16>,
    /// Lane at the lower edge; `None` where it ends in the commit.
    pub to: Option<u16>,
    /// Its colour: lines of one branch keep theirs.
    pub colour: u16,
}

/// A lane that waits for a commit.
#[derive(Debug, Clone)]
struct Lane {
    /// Which.
    waits_for: String,
    colour: u16,
}

/// Draws commits one after the other: each as its id and its parents' ids, children before parents. More can be
/// drawn later where the last one ended.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    lanes: Vec<Option<Lane>>,
    colours: u16,
}

impl Graph {
    /// The rows of commits.
    #[must_use]
    pub fn rows<'a>(commits: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Vec<Row> {
        let mut graph = Self::default();
        commits.into_iter().map(|(id, parents)| graph.row(id, parents)).collect()
    }

    /// The row of the next commit.
    pub fn row(&mut self, id: &str, parents: &[String]) -> Row {
        let mine: Vec<usize> = self.waiting_for(id).collect();
        let lane = mine.first().copied().unwrap_or_else(|| self.free());
        let colour = match self.lanes.get(lane) {
            Some(Some(own)) if !mine.is_empty() => own.colour,
            _ => self.colour(),
        };
        let mut lines = Vec::new();
        let mut row = Row { lane: bounded(lane), ..Row::default() };
        for (at, other) in self.lanes.iter().enumerate() {
            let Some(other) = other else { continue };
            let to = (!mine.contains(&at)).then(|| bounded(at));
            lines.push(Line { from: Some(bounded(at)), to, colour: other.colour });
        }
        for at in &mine {
            self.lanes[*at] = None;
        }
        let mut known: HashMap<&str, ()> = HashMap::new();
        for (number, parent) in parents.iter().enumerate() {
            if known.insert(parent, ()).is_some() {
                continue;
            }
            let already = self.waiting_for(parent).next();
            let (to, colour) = match already {
                // Two lines of work meet: the line goes over to the lane that already waits.
                Some(at) => (at, self.lanes[at].as_ref().map_or(colour, |lane| lane.colour)),
                None => {
                    let (at, colour) =
                        if number == 0 && self.lanes.get(lane).is_none_or(Option::is_none) {
                            (lane, colour)
                        } else {
                            (self.free(), self.colour())
                        };
                    if at >= self.lanes.len() {
                        self.lanes.resize(at + 1, None);
                    }
                    self.lanes[at] = Some(Lane { waits_for: parent.clone(), colour });
                    (at, colour)
                }
            };
            lines.push(Line { from: None, to: Some(bounded(to)), colour });
        }
        while self.lanes.last().is_some_and(Option::is_none) {
            let _ = self.lanes.pop();
        }
        lines.sort_by_key(|line| (line.from, line.to));
        lines.dedup();
        let most = lines.iter().flat_map(|line| [line.from, line.to]).flatten().max().unwrap_or(0);
        row.width = most.max(row.lane) + 1;
        row.lines = lines;
        row
    }

    fn waiting_for<'s>(&'s self, id: &'s str) -> impl Iterator<Item = usize> + 's {
        let waits = move |lane: &Option<Lane>| lane.as_ref().is_some_and(|l| l.waits_for == id);
        self.lanes.iter().enumerate().filter(move |(_, lane)| waits(lane)).map(|(at, _)| at)
    }

    fn free(&self) -> usize {
        self.lanes.iter().position(Option::is_none).unwrap_or(self.lanes.len())
    }

    fn colour(&mut self) -> u16 {
        let colour = self.colours;
        self.colours = self.colours.wrapping_add(1);
        colour
    }
}

fn bounded(lane: usize) -> u16 {
    u16::try_from(lane.min(MAX_LANES - 1)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row as `lane: lines`, a line as `from>to`, the commit itself as `*`.
    fn drawn(commits: &[(&str, &[&str])]) -> Vec<String> {
        let owned: Vec<(&str, Vec<String>)> = commits
            .iter()
            .map(|(id, parents)| (*id, parents.iter().map(|p| (*p).to_owned()).collect()))
            .collect();
        let end = |lane: Option<u16>| lane.map_or_else(|| "*".to_owned(), |lane| lane.to_string());
        Graph::rows(owned.iter().map(|(id, parents)| (*id, parents.as_slice())))
            .iter()
            .map(|row| {
                let lines: Vec<_> =
                    row.lines.iter().map(|l| format!("{}>{}", end(l.from), end(l.to))).collect();
                format!("{}: {}", row.lane, lines.join(" "))
            })
            .collect()
    }

    #[test]
    fn a_straight_history_is_one_lane() {
        let rows = drawn(&[("c", &["b"]), ("b", &["a"]), ("a", &[])]);
        assert_eq!(rows, ["0: *>0", "0: *>0 0>*", "0: 0>*"]);
    }

    #[test]
    fn a_merge_opens_a_lane_that_ends_where_the_work_parted() {
        let rows = drawn(&[("m", &["b", "x"]), ("b", &["a"]), ("x", &["a"]), ("a", &[])]);
        assert_eq!(rows, ["0: *>0 *>1", "0: *>0 0>* 1>1", "1: *>0 0>0 1>*", "0: 0>*"]);
    }

    #[test]
    fn two_tips_lie_beside_each_other() {
        let rows = drawn(&[("x", &["a"]), ("y", &["a"]), ("a", &[])]);
        assert_eq!(rows, ["0: *>0", "1: *>0 0>0", "0: 0>*"]);
    }

    #[test]
    fn an_octopus_has_a_lane_for_each_parent() {
        let rows = drawn(&[("m", &["a", "b", "c", "b"]), ("a", &[]), ("b", &[]), ("c", &[])]);
        assert_eq!(rows, ["0: *>0 *>1 *>2", "0: 0>* 1>1 2>2", "1: 1>* 2>2", "2: 2>*"]);
    }

    #[test]
    fn lanes_have_a_bound() {
        let many: Vec<String> = (0..100).map(|n| format!("p{n}")).collect();
        let row = Graph::default().row("m", &many);
        assert_eq!(usize::from(row.width), MAX_LANES);
        assert!(row.lines.len() <= MAX_LANES * 100);
    }
}
