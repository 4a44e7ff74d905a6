//! A small fuzzy matcher for lists that a person filters by typing: the palette, branch names.
//!
//! Every letter of the query must occur in order, case aside. Matches at the start of words and runs
//! of letters count more, so that `na` finds "New agent" before "Terminal". The best placement is searched
//! for exactly; [`Matcher`] goes through lists of many thousand rows, and [`find`] says of a row that is
//! shown which letters they are.

/// Longest query and row that are looked at, in characters. Beyond it nothing matches better.
const MAX_CHARS: usize = 256;

/// How well a row matches, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Higher is better; comparable between rows for the same query.
    pub score: i32,
    /// Which characters of the row match, by their number, ascending.
    pub positions: Vec<usize>,
}

const MATCHED: i32 = 16;
const WORD_START: i32 = 24;
const CONSECUTIVE: i32 = 20;
const FIRST: i32 = 8;
const SAME_CASE: i32 = 1;
const GAP: i32 = 1;

/// Matches a query against one row. Blanks in the query are skipped; an empty query matches all.
#[must_use]
pub fn find(query: &str, row: &str) -> Option<Match> {
    let query: Vec<char> = query.chars().filter(|c| !c.is_whitespace()).take(MAX_CHARS).collect();
    let row: Vec<char> = row.chars().take(MAX_CHARS).collect();
    if query.is_empty() {
        return Some(Match { score: 0, positions: Vec::new() });
    }
    if query.len() > row.len() {
        return None;
    }
    // best[i][j]: the best score of query[..=i] with query[i] placed at row[j], and where query[i-1]
    // was placed for it.
    let mut best: Vec<Vec<Option<(i32, usize)>>> = Vec::with_capacity(query.len());
    for (i, wanted) in query.iter().enumerate() {
        let mut line = vec![None; row.len()];
        // The best placement of the letter before, left of j - 1, with the gap to j counted.
        let mut reach: Option<(i32, usize)> = None;
        for j in 0..row.len() {
            if i > 0 && j >= 2 {
                reach = reach.map(|(score, at)| (score - GAP, at));
                if let Some((score, _)) = best[i - 1][j - 2]
                    && reach.is_none_or(|(other, _)| score - GAP >= other)
                {
                    reach = Some((score - GAP, j - 2));
                }
            }
            if !same(*wanted, row[j]) {
                continue;
            }
            let own = own_score(*wanted, &row, j);
            line[j] = if i == 0 {
                Some((own, j))
            } else {
                let beside = j
                    .checked_sub(1)
                    .and_then(|k| best[i - 1][k].map(|(score, _)| (score + CONSECUTIVE, k)));
                match (beside, reach) {
                    (Some(a), Some(b)) => Some(if a.0 >= b.0 { a } else { b }),
                    (a, b) => a.or(b),
                }
                .map(|(score, from)| (score + own, from))
            };
        }
        best.push(line);
    }
    trace(&best)
}

/// One query against many rows: how well each matches, without saying where.
#[derive(Debug)]
pub struct Matcher {
    query: Vec<char>,
    row: Vec<char>,
    /// The best score with the letter before, and with this one, placed at each character.
    lines: [Vec<Option<i32>>; 2],
}

impl Matcher {
    /// A query; what [`find`] says of it holds here.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let query = query.chars().filter(|c| !c.is_whitespace()).take(MAX_CHARS).collect();
        Self { query, row: Vec::new(), lines: [Vec::new(), Vec::new()] }
    }

    /// How well a row matches, if it does: the score of [`find`].
    pub fn score(&mut self, row: &str) -> Option<i32> {
        if self.query.is_empty() {
            return Some(0);
        }
        self.row.clear();
        self.row.extend(row.chars().take(MAX_CHARS));
        // Most rows lack a letter: that is seen at once.
        let mut rest = self.row.iter();
        if !self.query.iter().all(|wanted| rest.any(|here| same(*wanted, *here))) {
            return None;
        }
        let [before, line] = &mut self.lines;
        for (i, wanted) in self.query.iter().enumerate() {
            line.clear();
            line.resize(self.row.len(), None);
            let mut reach: Option<i32> = None;
            for j in i..self.row.len() {
                if i > 0 && j >= 2 {
                    reach = reach.max(before[j - 2]).map(|score| score - GAP);
                }
                if !same(*wanted, self.row[j]) {
                    continue;
                }
                let own = own_score(*wanted, &self.row, j);
                line[j] = if i == 0 {
                    Some(own)
                } else {
                    let beside = before[j - 1].map(|score| score + CONSECUTIVE);
                    beside.max(reach).map(|score| score + own)
                };
            }
            std::mem::swap(before, line);
        }
        before.iter().copied().max().flatten()
    }
}

fn trace(best: &[Vec<Option<(i32, usize)>>]) -> Option<Match> {
    let last = best.last()?;
    let (mut at, score) = last
        .iter()
        .enumerate()
        .filter_map(|(j, cell)| cell.map(|(score, _)| (j, score)))
        .max_by_key(|(j, score)| (*score, std::cmp::Reverse(*j)))?;
    let mut positions = vec![at];
    for line in best.iter().skip(1).rev() {
        at = line[at]?.1;
        positions.push(at);
    }
    positions.reverse();
    Some(Match { score, positions })
}

fn own_score(wanted: char, row: &[char], j: usize) -> i32 {
    let here = row[j];
    let starts_word = match j.checked_sub(1).map(|k| row[k]) {
        None => true,
        Some(before) => {
            (!before.is_alphanumeric() && here.is_alphanumeric())
                || (before.is_lowercase() && here.is_uppercase())
        }
    };
    MATCHED
        + if starts_word { WORD_START } else { 0 }
        + if j == 0 { FIRST } else { 0 }
        + if wanted == here { SAME_CASE } else { 0 }
}

fn same(a: char, b: char) -> bool {
    if a == b || (a.is_ascii() && b.is_ascii()) {
        return a.eq_ignore_ascii_case(&b);
    }
    a.to_lowercase().eq(b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_must_occur_in_order() {
        for (query, row, expected) in [
            ("na", "New agent", Some(vec![0, 4])),
            ("NA", "new agent", Some(vec![0, 4])),
            ("new", "New agent", Some(vec![0, 1, 2])),
            ("ag", "New agent", Some(vec![4, 5])),
            ("n a", "New agent", Some(vec![0, 4])),
            ("an", "New agent", Some(vec![4, 7])),
            ("", "New agent", Some(vec![])),
            ("xyz", "New agent", None),
            ("agentsmith", "agent", None),
            ("é", "CAFÉ", Some(vec![3])),
        ] {
            assert_eq!(find(query, row).map(|m| m.positions), expected, "{query} in {row}");
        }
    }

    #[test]
    fn many_rows_are_scored_as_one() {
        let rows =
            ["New agent", "crates/core/src/fuzzy.rs", "CAFÉ", "aaa", "Terminal", "a-b_C", ""];
        for query in ["", "na", "N A", "a", "aa", "aaaa", "src fu", "é", "rs", "abc", "cs/s"] {
            let mut matcher = Matcher::new(query);
            for row in rows {
                let expected = find(query, row).map(|found| found.score);
                assert_eq!(matcher.score(row), expected, "{query} in {row}");
            }
        }
    }

    #[test]
    fn word_starts_and_runs_come_first() {
        for (query, better, worse) in [
            ("na", "New agent", "Terminal"),
            ("pane", "Next pane", "Spy an engine"),
            ("run", "Start Auto Run", "Larger n u n"),
            ("fp", "Focus Previous", "Offprint"),
            ("theme", "theme", "switch theme"),
        ] {
            let score = |row| find(query, row).map(|m| m.score);
            assert!(score(better) > score(worse), "{query}: {better} / {worse}");
        }
    }
}
