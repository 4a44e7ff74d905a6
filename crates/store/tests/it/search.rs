//! What is found in the index of stored sessions, and in which order.

use std::collections::HashMap;
use std::path::Path;

use maestro_core::session::Filter;
use maestro_store::index::{About, Index, Reader};

/// An index of sessions: what is said in each, oldest session first.
fn index(folder: &Path, sessions: &[(&str, &str, &[&str])]) -> Reader {
    let path = folder.join("sessions.db");
    let (mut index, _) = Index::open(&path).expect("made");
    index.begin().expect("begun");
    for (used_ms, (id, title, said)) in (1..).zip(sessions) {
        let no = index.add("claude", id, Path::new("/x")).expect("added");
        for (entry, text) in (0..).zip(*said) {
            index.put(no, entry, (entry * 100, 100), text, (false, false)).expect("put");
        }
        let about = About {
            title: (*title).to_owned(),
            used_ms,
            entries: said.len() as u64,
            ..About::default()
        };
        index.set(no, &about).expect("set");
    }
    index.commit().expect("written");
    index.close();
    Reader::open(&path).expect("opened")
}

fn found(
    reader: &Reader,
    words: &str,
    page: (usize, usize),
) -> (Vec<(String, Option<u64>)>, Option<u64>) {
    let filter = Filter { words: words.to_owned(), ..Filter::default() };
    let matches = reader.find(&filter, &HashMap::new(), page, &mut |_, _| true).expect("looked up");
    let ids = matches.matches.into_iter();
    (
        ids.map(|found| (found.session.id, found.entry.map(|(entry, ..)| entry))).collect(),
        matches.total,
    )
}

#[test]
fn words_of_one_entry_come_before_words_of_one_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let reader = index(
        folder.path(),
        &[
            ("together", "", &["nothing", "the queue was locked again"]),
            ("titled", "Locked queue", &["hello"]),
            ("apart", "", &["look at the queue", "it is locked"]),
            ("half", "", &["look at the queue", "it is open"]),
            ("later", "", &["locked", "and the queue too", "locked"]),
        ],
    );
    let ids = |words, page| {
        let (found, total) = found(&reader, words, page);
        (found.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), total)
    };
    for (words, expected) in [
        ("queue locked", &["titled", "together", "later", "apart"][..]),
        // The last one may be the beginning of a word, here as well.
        ("queue lock", &["titled", "together", "later", "apart"]),
        ("queue locked nowhere", &[]),
        ("look open", &["half"]),
        // What is in quotation marks is in one place.
        ("\"queue was locked\"", &["titled", "together"]),
    ] {
        let (found, total) = ids(words, (10, 0));
        if !words.contains('"') {
            assert_eq!(found, expected, "{words}");
            assert_eq!(total, Some(expected.len() as u64), "{words}");
        } else {
            assert!(!found.contains(&"apart".to_owned()), "{words}: {found:?}");
        }
    }
    // Page after page.
    assert_eq!(ids("queue locked", (2, 1)).0, ["together", "later"]);
    assert_eq!(ids("queue locked", (2, 3)).0, ["apart"]);
    // It is shown where one of the words is.
    let (all, _) = found(&reader, "queue locked", (10, 0));
    assert!(all.iter().all(|(id, entry)| id == "titled" || entry.is_some()), "{all:?}");
}

#[test]
fn a_word_that_is_everywhere_is_looked_for_where_the_others_are() {
    let folder = tempfile::tempdir().expect("a folder");
    // So many that going through all of them takes longer than is allowed.
    let many: Vec<String> = (0..60_000).map(|n| format!("common word {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let reader = index(
        folder.path(),
        &[
            ("noise", "", &many),
            ("wanted", "", &["something common", "zebra"]),
            ("other", "", &["zebra", "and nothing else"]),
        ],
    );
    let (found, _) = found(&reader, "common zebra", (10, 0));
    let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["wanted"]);
}
