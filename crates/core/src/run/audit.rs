//! What a turn did to the boxes of a document, compared with what they were before.

use std::collections::HashMap;

use super::journal::Mark;
use crate::checklist::Document;

/// What is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// Tasks that are ticked now and were not, or were not there: by their number in the document.
    pub ticked: Vec<usize>,
    /// Tasks that were ticked and are open now.
    pub unticked: Vec<usize>,
    /// Texts of open tasks that are no longer there, nor anything in their place.
    pub dropped: Vec<String>,
    /// Open tasks in whose place another one stands, by their text, and that one's number in the document.
    pub reworded: Vec<(String, usize)>,
}

/// The boxes of a document.
#[must_use]
pub fn marks(document: &Document) -> Vec<Mark> {
    let mark =
        |task: &crate::checklist::Task| Mark { text: task.text.clone(), checked: task.checked };
    document.tasks().iter().map(mark).collect()
}

/// Compares a document with its boxes before.
#[must_use]
pub fn compare(before: &[Mark], now: &Document) -> Audit {
    let mut audit = Audit::default();
    let tasks = now.tasks();
    let mut old: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, mark) in before.iter().enumerate() {
        old.entry(&mark.text).or_default().push(at);
    }
    let mut new: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, task) in tasks.iter().enumerate() {
        new.entry(&task.text).or_default().push(at);
    }
    for (text, places) in &new {
        let olds = old.get(text).map_or(&[][..], Vec::as_slice);
        if olds.len() == places.len() {
            // As many as before: each is compared with the one in its turn.
            for (place, old) in places.iter().zip(olds) {
                match (before[*old].checked, tasks[*place].checked) {
                    (false, true) => audit.ticked.push(*place),
                    (true, false) => audit.unticked.push(*place),
                    _ => {}
                }
            }
        } else {
            // Some were added or taken away. As many ticks as there were are kept, the first ones.
            let had = olds.iter().filter(|old| before[**old].checked).count();
            let ticked = places.iter().filter(|place| tasks[**place].checked);
            audit.ticked.extend(ticked.skip(had));
        }
    }
    let places = places_of_new_texts(now, &old);
    for (text, olds) in &old {
        let left = new.get(text).map_or(0, Vec::len);
        let open: Vec<&usize> = olds.iter().filter(|old| !before[**old].checked).collect();
        let missing = olds.len().saturating_sub(left).min(open.len());
        for at in open.into_iter().rev().take(missing) {
            let text_at =
                |at: Option<usize>| at.and_then(|at| before.get(at)).map(|mark| mark.text.as_str());
            // What stands between its neighbours now is the task in other words, a task of its own.
            match places.get(&(text_at(at.checked_sub(1)), text_at(Some(at + 1)))) {
                Some(place) => audit.reworded.push(((*text).to_owned(), *place)),
                None => audit.dropped.push((*text).to_owned()),
            }
        }
    }
    audit.ticked.sort_unstable();
    audit.unticked.sort_unstable();
    audit.dropped.sort_unstable();
    audit.reworded.sort_unstable();
    audit
}

/// The neighbours of the tasks whose text was not there before, with their numbers in the document.
fn places_of_new_texts<'a>(
    now: &'a Document,
    old: &HashMap<&str, Vec<usize>>,
) -> HashMap<(Option<&'a str>, Option<&'a str>), usize> {
    let tasks = now.tasks();
    let text = |at: Option<usize>| at.and_then(|at| tasks.get(at)).map(|task| task.text.as_str());
    (0..tasks.len())
        .filter(|at| !old.contains_key(tasks[*at].text.as_str()))
        .map(|at| ((text(at.checked_sub(1)), text(Some(at + 1))), at))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes().to_vec()).expect("a checklist")
    }

    #[test]
    fn a_turn_is_held_to_the_boxes_before_it() {
        let check =
            |before: &str, now: &str, ticked: &[usize], unticked: &[usize], dropped: &[&str]| {
                let audit = compare(&marks(&document(before)), &document(now));
                assert_eq!(audit.ticked, ticked, "ticked: {before:?} → {now:?}");
                assert_eq!(audit.unticked, unticked, "unticked: {before:?} → {now:?}");
                assert_eq!(audit.dropped, dropped, "dropped: {before:?} → {now:?}");
            };
        check("- [ ] a\n- [x] b\n", "- [ ] a\n- [x] b\n", &[], &[], &[]);
        check("- [ ] a\n- [ ] b\n", "- [x] a\n- [x] b\n", &[0, 1], &[], &[]);
        check("- [ ] a\n- [x] b\n", "- [x] b\n- [ ] a\n", &[], &[], &[]);
        check("- [ ] a\n- [x] b\n", "- [ ] a\n- [ ] b\n", &[], &[1], &[]);
        // Added ones: open is fine, ticked is not.
        check("- [ ] a\n", "- [ ] a\n- [ ] b\n- [x] c\n", &[2], &[], &[]);
        // The same text more than once.
        check("- [ ] a\n- [ ] a\n", "- [ ] a\n- [x] a\n", &[1], &[], &[]);
        check("- [x] a\n- [ ] a\n", "- [x] a\n- [x] a\n- [x] a\n", &[1, 2], &[], &[]);
        // Taken away.
        check("- [ ] a\n- [ ] b\n- [x] c\n", "- [ ] a\n", &[], &[], &["b"]);
        check("- [ ] a\n- [ ] b\n", "", &[], &[], &["a", "b"]);
        check("- [ ] a\n- [ ] a\n", "- [ ] a\n", &[], &[], &["a"]);
        // Reworded in place.
        check("- [ ] a\n- [ ] b\n- [ ] c\n", "- [ ] a\n- [ ] b, well\n- [ ] c\n", &[], &[], &[]);
        check("- [ ] a\n- [ ] b\n", "- [ ] a\n- [x] b, done\n", &[1], &[], &[]);
    }

    #[test]
    fn what_stands_in_a_tasks_place_is_told_with_it() {
        let before = marks(&document("- [ ] a\n- [ ] b\n- [x] c\n"));
        let audit = compare(&before, &document("- [ ] new\n- [ ] a, well\n- [ ] b!\n- [x] c\n"));
        assert_eq!(audit.reworded, [], "who knows which is which");
        let audit = compare(&before, &document("- [ ] a\n- [ ] b!\n- [x] c\n"));
        assert_eq!(audit.reworded, [("b".to_owned(), 1)]);
    }
}
