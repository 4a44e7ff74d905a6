//! Two sides changed the same text: what each changed is found line by line and put together.

use std::ops::Range;

/// The most pairs of lines that are compared to find what a side changed. A text that differs in more is
/// taken as changed from its first such line to its last.
const PAIRS: usize = 4_000_000;

/// Changes made by two sides to the same text, put together; `None` where both changed the same lines, or
/// lines next to each other, in different ways.
#[must_use]
pub fn merge(base: &str, mine: &str, theirs: &str) -> Option<String> {
    if mine == base || mine == theirs {
        return Some(theirs.to_owned());
    }
    if theirs == base {
        return Some(mine.to_owned());
    }
    let [base, mine, theirs] =
        [base, mine, theirs].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut all = changes(&base, &mine);
    for change in changes(&base, &theirs) {
        // What both did is done once.
        if !all.contains(&change) {
            all.push(change);
        }
    }
    all.sort_by_key(|change| (change.old.start, change.old.end));
    // Two insertions at one place have no order, and neighbours may belong together.
    if all.windows(2).any(|pair| pair[0].old.end >= pair[1].old.start) {
        return None;
    }
    let mut merged = String::new();
    let mut at = 0;
    for change in &all {
        merged.extend(base[at..change.old.start].iter().copied());
        merged.extend(change.new.iter().copied());
        at = change.old.end;
    }
    merged.extend(base[at..].iter().copied());
    Some(merged)
}

/// Lines of a text that were replaced, and by what.
#[derive(Debug, PartialEq, Eq)]
struct Change<'a> {
    old: Range<usize>,
    new: Vec<&'a str>,
}

/// What was changed, from the first line to the last. Two changes have a line between them that stayed.
fn changes<'a>(base: &[&str], now: &[&'a str]) -> Vec<Change<'a>> {
    let head = base.iter().zip(now).take_while(|(a, b)| a == b).count();
    let (old, new) = (&base[head..], &now[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    if old.is_empty() && new.is_empty() {
        return Vec::new();
    }
    if old.len().saturating_mul(new.len()) > PAIRS {
        return vec![Change { old: head..head + old.len(), new: new.to_vec() }];
    }
    // The longest common subsequence: `common[i][j]` is its length from line `i` and line `j` on.
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let mut found: Vec<Change<'a>> = Vec::new();
    let (mut i, mut j) = (0, 0);
    let mut open = false;
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j, open) = (i + 1, j + 1, false);
            continue;
        }
        if !open {
            found.push(Change { old: head + i..head + i, new: Vec::new() });
            open = true;
        }
        let Some(change) = found.last_mut() else { break };
        let removes = j == new.len()
            || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]);
        if removes {
            i += 1;
            change.old.end = head + i;
        } else {
            change.new.push(new[j]);
            j += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_two_sides_are_put_together_or_told_apart() {
        let base = "a\nb\nc\nd\ne\n";
        for (mine, theirs, expected) in [
            ("A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n", Some("A\nb\nc\nd\nE\n")),
            ("a\nb\nc\nd\ne\n", "a\nX\nc\nd\ne\n", Some("a\nX\nc\nd\ne\n")),
            ("a\nb\nc\nd\ne\nf\n", "a\nc\nd\ne\n", Some("a\nc\nd\ne\nf\n")),
            ("a\nB\nc\nd\ne\n", "a\nX\nc\nd\ne\n", None),
            ("a\nb\nnew\nc\nd\ne\n", "a\nb\nother\nc\nd\ne\n", None),
            ("a\nX\nc\nd\ne\n", "a\nX\nc\nd\ne\n", Some("a\nX\nc\nd\ne\n")),
            // Several places on each side, in turn.
            ("A\nb\nc\nd\nE\n", "a\nb\nC\nd\ne\n", Some("A\nb\nC\nd\nE\n")),
            ("A\nb\nc\nd\ne\nf\n", "0\na\nb\nc\ne\n", None),
            ("a\nb\nC\nd\ne\nf\n", "A\nb\nC\nd\ne\n", Some("A\nb\nC\nd\ne\nf\n")),
            ("b\nc\nd\n", "a\nb\nC\nd\ne\n", Some("b\nC\nd\n")),
            ("A\nb\nc\nd\nE\n", "a\nb\nc\nd\nX\n", None),
        ] {
            assert_eq!(merge(base, mine, theirs).as_deref(), expected, "{mine:?} {theirs:?}");
            assert_eq!(merge(base, theirs, mine).as_deref(), expected, "{theirs:?} {mine:?}");
        }
    }

    #[test]
    fn one_side_alone_is_taken_as_it_is_whatever_it_did() {
        let mut dice = 7_u64;
        let mut text = |lines: u64| {
            let mut text = String::new();
            for _ in 0..lines {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
                text.push_str(["a\n", "b\n", "c\n", "- [ ] d\n"][(dice >> 60) as usize % 4]);
            }
            text
        };
        for lines in 0..60 {
            let (base, now) = (text(lines % 13), text(lines % 11));
            let (old, new): (Vec<_>, Vec<_>) =
                (base.split_inclusive('\n').collect(), now.split_inclusive('\n').collect());
            let mut at = 0;
            let mut made = String::new();
            for change in changes(&old, &new) {
                made.extend(old[at..change.old.start].iter().copied());
                made.extend(change.new.iter().copied());
                at = change.old.end;
            }
            made.extend(old[at..].iter().copied());
            assert_eq!(made, now, "from {base:?}");
            assert_eq!(merge(&base, &now, &base), Some(now));
        }
    }
}
