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

/// No score: far below every one, and far enough from the end of the numbers to be counted down from.
const NONE: i32 = i32::MIN / 2;

/// One query against many rows: how well each matches, without saying where.
#[derive(Debug)]
pub struct Matcher {
    query: Vec<char>,
    /// The same without case.
    folded: Vec<char>,
    /// The row's characters without case and with it, and what placing a letter on each of them counts.
    row: Vec<(char, char, i32)>,
    /// Where each letter can be at most to the left, and to the right, for all to have a place.
    ends: Vec<(usize, usize)>,
    /// The best score with the letter before, and with this one, placed at each character.
    lines: [Vec<i32>; 2],
}

impl Matcher {
    /// A query; what [`find`] says of it holds here.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let query: Vec<char> =
            query.chars().filter(|c| !c.is_whitespace()).take(MAX_CHARS).collect();
        Self {
            folded: query.iter().map(|c| fold(*c)).collect(),
            query,
            row: Vec::new(),
            ends: Vec::new(),
            lines: [Vec::new(), Vec::new()],
        }
    }

    /// How well a row matches, if it does: the score of [`find`].
    pub fn score(&mut self, row: &str) -> Option<i32> {
        if self.query.is_empty() {
            return Some(0);
        }
        // Nearly every row is plain letters, for which it is known at once what they are.
        if row.is_ascii() {
            self.score_of(row.bytes().map(char::from))
        } else {
            self.score_of(row.chars())
        }
    }

    fn score_of(&mut self, row: impl Iterator<Item = char> + Clone) -> Option<i32> {
        let row = row.take(MAX_CHARS);
        // Most rows lack a letter: that is seen before anything is made of them.
        let mut rest = row.clone();
        if !self.folded.iter().all(|wanted| rest.any(|here| fold(here) == *wanted)) {
            return None;
        }
        self.row.clear();
        let mut before = None;
        self.row.extend(row.map(|here| {
            let kind = Kind::of(here);
            let score = place_score(before, kind);
            before = Some(kind);
            (fold(here), here, score)
        }));
        self.narrow()?;
        let [before, line] = &mut self.lines;
        for (i, (left, right)) in self.ends.iter().enumerate() {
            let (wanted, cased) = (self.folded[i], self.query[i]);
            line.clear();
            line.resize(self.row.len(), NONE);
            let from = if i == 0 { *left } else { self.ends[i - 1].0 + 1 };
            let mut reach = NONE;
            for j in from..=*right {
                if i > 0 && j >= 2 {
                    reach = reach.max(before[j - 2]) - GAP;
                }
                let (here, own_case, own) = self.row[j];
                if here == wanted {
                    let led = if i == 0 { 0 } else { reach.max(before[j - 1] + CONSECUTIVE) };
                    line[j] = led + own + if own_case == cased { SAME_CASE } else { 0 };
                }
            }
            std::mem::swap(before, line);
        }
        before.iter().copied().max().filter(|score| *score > NONE / 2)
    }

    /// Between which characters each letter can be.
    fn narrow(&mut self) -> Option<()> {
        self.ends.clear();
        let mut at = 0;
        for wanted in &self.folded {
            at += self.row[at..].iter().position(|(here, ..)| here == wanted)?;
            self.ends.push((at, at));
            at += 1;
        }
        let mut end = self.row.len();
        for (wanted, (_, right)) in self.folded.iter().zip(&mut self.ends).rev() {
            end = self.row[..end].iter().rposition(|(here, ..)| here == wanted)?;
            *right = end;
        }
        Some(())
    }
}

/// A character without case.
fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
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
    let case = if wanted == row[j] { SAME_CASE } else { 0 };
    case + place_score(j.checked_sub(1).map(|k| Kind::of(row[k])), Kind::of(row[j]))
}

/// What a character is, as far as words begin by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    /// Of a word, and of no case.
    Plain,
    Between,
}

impl Kind {
    const ASCII: [Self; 128] = {
        let mut kinds = [Self::Between; 128];
        let mut at = 0;
        while at < 128 {
            kinds[at] = match at as u8 {
                b'a'..=b'z' => Self::Lower,
                b'A'..=b'Z' => Self::Upper,
                b'0'..=b'9' => Self::Plain,
                _ => Self::Between,
            };
            at += 1;
        }
        kinds
    };

    fn of(c: char) -> Self {
        match Self::ASCII.get(c as usize) {
            Some(kind) => *kind,
            None if c.is_lowercase() => Self::Lower,
            None if c.is_uppercase() => Self::Upper,
            None if c.is_alphanumeric() => Self::Plain,
            None => Self::Between,
        }
    }
}

/// What placing a letter on a character counts, by the one before it.
fn place_score(before: Option<Kind>, here: Kind) -> i32 {
    MATCHED
        + match before {
            None => WORD_START + FIRST,
            Some(Kind::Between) if here != Kind::Between => WORD_START,
            Some(Kind::Lower) if here == Kind::Upper => WORD_START,
            Some(_) => 0,
        }
}

fn same(a: char, b: char) -> bool {
    fold(a) == fold(b)
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
    fn any_rows_are_scored_as_one() {
        // A few letters, so that there are many ways to place them.
        let letters: Vec<char> = "aAbB/_ -éÉİK\u{212a}k1".chars().collect();
        let mut seed = 7_u64;
        let mut next = |most: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % most
        };
        let mut found = 0;
        for _ in 0..20_000 {
            let mut text = |most| {
                let count = next(most);
                (0..count).map(|_| letters[next(letters.len())]).collect::<String>()
            };
            let (query, row) = (text(6), text(24));
            let expected = find(&query, &row).map(|found| found.score);
            found += usize::from(expected.is_some_and(|score| score > 0));
            assert_eq!(Matcher::new(&query).score(&row), expected, "{query} in {row}");
        }
        assert!(found > 2_000, "{found} were found");
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
