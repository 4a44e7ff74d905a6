//! Words in what was said in tabs: the files are read through, one line at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use maestro_core::TabId;
use maestro_core::conversation::{Body, Entry};
use maestro_protocol::message::TabHit;
use serde::Deserialize;

/// How long it may take; what was found until then is the answer.
const LIMIT: Duration = Duration::from_secs(5);
/// Hits of one tab.
const HITS: usize = 20;
/// The longest line that is read.
const LINE: u64 = 8 << 20;
/// Characters of text around a hit.
const AROUND: usize = 60;

#[derive(Deserialize)]
struct Line {
    entry: Entry,
}

/// Looks for words in tabs, in the order in which they are given; the newest hits of each first. All words
/// have to be in one entry. Blocks.
pub(crate) fn search(tabs: &[(TabId, PathBuf)], words: &str, most: usize) -> Vec<TabHit> {
    let words: Vec<String> = words.split_whitespace().take(16).map(str::to_lowercase).collect();
    let mut hits = Vec::new();
    if words.is_empty() {
        return hits;
    }
    let begin = Instant::now();
    for (tab, path) in tabs {
        let Ok(file) = File::open(path) else { continue };
        let mut reader = BufReader::with_capacity(1 << 16, file);
        // An entry may be told several times: the last holds.
        let mut found: BTreeMap<u64, TabHit> = BTreeMap::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            match reader.by_ref().take(LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            if begin.elapsed() > LIMIT {
                break;
            }
            let Ok(Line { entry }) = serde_json::from_slice(&line) else { continue };
            let hit = text_of(&entry.body).and_then(|text| hit(*tab, entry.n, text, &words));
            match hit {
                Some(hit) => {
                    let _ = found.insert(entry.n, hit);
                }
                None => {
                    let _ = found.remove(&entry.n);
                }
            }
        }
        hits.extend(found.into_values().rev().take(HITS));
        if hits.len() >= most || begin.elapsed() > LIMIT {
            break;
        }
    }
    hits.truncate(most);
    hits
}

fn text_of(body: &Body) -> Option<&str> {
    match body {
        Body::Prompt(prompt) => Some(&prompt.text),
        Body::Text(text) | Body::Thinking(text) | Body::Notice(text) => Some(text),
        Body::Tool(tool) => Some(if tool.title.is_empty() { &tool.name } else { &tool.title }),
        Body::Failed(failure) => Some(&failure.message),
        Body::Todo(_) | Body::Request { .. } | Body::Ended(_) | Body::Raw(_) => None,
    }
}

fn hit(tab: TabId, entry: u64, text: &str, words: &[String]) -> Option<TabHit> {
    let first = words.iter().map(|word| find(text, word)).collect::<Option<Vec<_>>>()?;
    let (at, bytes) = first.into_iter().min()?;
    let begin = text[..at].char_indices().rev().nth(AROUND).map_or(0, |(at, _)| at);
    let end = text[at + bytes..]
        .char_indices()
        .nth(AROUND * 2)
        .map_or(text.len(), |(more, _)| at + bytes + more);
    let excerpt: String =
        text[begin..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut marks = Vec::new();
    for word in words {
        let mut from = 0;
        while let Some((at, bytes)) = find(&excerpt[from..], word) {
            let mark = (from + at) as u32;
            marks.push((mark, mark + bytes as u32));
            from += at + bytes.max(1);
            if from >= excerpt.len() || marks.len() >= 32 {
                break;
            }
        }
    }
    marks.sort_unstable();
    marks.dedup();
    Some(TabHit { tab, entry, excerpt, marks })
}

/// Where a word (in lower case) is, whatever the case of the text, and how many bytes of the text it is.
fn find(text: &str, word: &str) -> Option<(usize, usize)> {
    let first = word.chars().next()?;
    text.char_indices().find_map(|(at, c)| {
        if !c.to_lowercase().eq(first.to_lowercase()) {
            return None;
        }
        let mut wanted = word.chars();
        let mut end = at;
        for c in text[at..].chars() {
            for lower in c.to_lowercase() {
                match wanted.next() {
                    None => return Some((at, end - at)),
                    Some(expected) if expected == lower => {}
                    Some(_) => return None,
                }
            }
            end += c.len_utf8();
            if wanted.as_str().is_empty() {
                return Some((at, end - at));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whatever_their_case() {
        for (text, word, expected) in [
            ("the Cart is", "cart", Some((4, 4))),
            ("Ärger", "ärg", Some((0, 4))),
            ("caca cart", "cart", Some((5, 4))),
            ("car", "cart", None),
            ("", "x", None),
        ] {
            assert_eq!(find(text, word), expected, "{text}");
        }
        let words = ["cart".to_owned(), "total".to_owned()];
        assert!(hit(TabId(1), 0, "a cart without sum", &words).is_none());
        let found = hit(TabId(1), 3, "Total of the\ncart", &words).expect("both are there");
        assert_eq!(found.excerpt, "Total of the cart");
        assert_eq!(found.marks, [(0, 5), (13, 17)]);
    }
}
