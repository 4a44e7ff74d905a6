//! Links chosen by letters: every link in sight gets a label, typing it does something with the link.

use std::sync::Arc;

use maestro_core::TerminalId;
use maestro_core::input::Mods;
use maestro_core::link::Link;
use maestro_grid::Hint;

/// The letters of labels, the easiest first: the home row, then what is near it.
const LETTERS: &[u8] = b"asdfghjklqwertyuiopzxcvbnm";

/// The most links that get labels: two letters are enough for all of them.
const MOST: usize = LETTERS.len() * LETTERS.len();

/// Labels over the links of a terminal.
#[derive(Debug, Clone)]
pub struct Hints {
    /// Whose links.
    pub terminal: TerminalId,
    links: Vec<(String, Link)>,
    typed: String,
    labels: Arc<[Hint]>,
}

/// What is done with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is opened, after a question.
    Open,
    /// Its target is copied.
    Copy,
    /// Its target is typed into the program.
    Insert,
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// There is more to type.
    Waits,
    /// No label begins like this; all are there again.
    Nothing,
    /// A link was chosen.
    Chosen(Deed, Link),
}

impl Hints {
    /// Labels for these links; `None` where there are none.
    #[must_use]
    pub fn new(terminal: TerminalId, links: Vec<Link>) -> Option<Self> {
        let links: Vec<Link> = links.into_iter().take(MOST).collect();
        if links.is_empty() {
            return None;
        }
        // The last ones are the newest, and nearest to where the eye is: they get the easiest letters.
        let labels: Vec<String> = labels(links.len());
        let links = labels.into_iter().rev().zip(links).collect();
        let mut hints = Self { terminal, links, typed: String::new(), labels: Arc::from([]) };
        hints.label();
        Some(hints)
    }

    /// The labels as they are drawn.
    #[must_use]
    pub fn labels(&self) -> &Arc<[Hint]> {
        &self.labels
    }

    /// A letter was typed. With Shift the link is copied, with Alt it is inserted.
    pub fn letter(&mut self, letter: char, mods: Mods) -> Typed {
        self.typed.extend(letter.to_lowercase());
        let left: Vec<_> =
            self.links.iter().filter(|(label, _)| label.starts_with(&self.typed)).collect();
        let typed = match left[..] {
            [] => {
                self.typed.clear();
                Typed::Nothing
            }
            [(label, link)] if *label == self.typed => {
                let deed = match mods {
                    Mods { alt: true, .. } => Deed::Insert,
                    Mods { shift: true, .. } => Deed::Copy,
                    _ => Deed::Open,
                };
                Typed::Chosen(deed, link.clone())
            }
            _ => Typed::Waits,
        };
        self.label();
        typed
    }

    /// The letter typed last is taken back. Tells whether there was one.
    pub fn erase(&mut self) -> bool {
        let erased = self.typed.pop().is_some();
        self.label();
        erased
    }

    /// The first link that what was typed leads to.
    #[must_use]
    pub fn first(&self) -> Option<&Link> {
        let mut left = self.links.iter().rev().filter(|(label, _)| label.starts_with(&self.typed));
        left.next().map(|(_, link)| link)
    }

    fn label(&mut self) {
        let left = self.links.iter().filter(|(label, _)| label.starts_with(&self.typed));
        let hints = left.filter_map(|(label, link)| {
            let span = link.spans.first()?;
            let (row, col, typed) = (span.row, span.from, self.typed.chars().count());
            Some(Hint { row, col, label: label.clone(), typed })
        });
        self.labels = hints.collect();
    }
}

/// So many labels, none the beginning of another, the easiest first.
fn labels(count: usize) -> Vec<String> {
    let letters = LETTERS.len();
    // Letters that begin two-letter labels; the rest stand alone.
    let firsts = count.saturating_sub(letters).div_ceil(letters - 1).min(letters);
    let alone = LETTERS[..letters - firsts].iter().map(|letter| char::from(*letter).to_string());
    let pairs = LETTERS[letters - firsts..].iter().flat_map(|first| {
        let pair = |second: &u8| [char::from(*first), char::from(*second)].iter().collect();
        LETTERS.iter().map(pair).collect::<Vec<String>>()
    });
    alone.chain(pairs).take(count).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use maestro_core::link::{Kind, Span};

    use super::*;

    fn hints(count: u16) -> Hints {
        let link = |row: u16| Link {
            kind: Kind::Url,
            target: format!("https://example.org/{row}"),
            spans: vec![Span { row, from: 2, to: 9 }],
        };
        Hints::new(TerminalId(1), (0..count).map(link).collect()).expect("links")
    }

    fn plain(hints: &mut Hints, letter: char) -> Typed {
        hints.letter(letter, Mods::default())
    }

    #[test]
    fn no_label_begins_another() {
        for count in [1, 2, 26, 27, 51, 52, 300, MOST] {
            let labels = labels(count);
            assert_eq!(labels.len(), count);
            let set: HashSet<_> = labels.iter().collect();
            assert_eq!(set.len(), count);
            let begins = |label: &String| labels.iter().any(|l| l != label && l.starts_with(label));
            assert!(!labels.iter().any(begins), "{count}");
        }
    }

    #[test]
    fn the_newest_link_has_the_easiest_letter() {
        let mut hints = hints(3);
        assert_eq!(hints.labels()[2].label, "a");
        let Typed::Chosen(Deed::Open, link) = plain(&mut hints, 'a') else { panic!("not chosen") };
        assert_eq!(link.target, "https://example.org/2");
    }

    #[test]
    fn modifiers_say_what_is_done() {
        for (mods, expected) in [
            (Mods { shift: true, ..Mods::default() }, Deed::Copy),
            (Mods { alt: true, ..Mods::default() }, Deed::Insert),
        ] {
            let Typed::Chosen(deed, _) = hints(1).letter('A', mods) else { panic!("not chosen") };
            assert_eq!(deed, expected);
        }
    }

    #[test]
    fn letters_narrow_and_are_taken_back() {
        let mut hints = hints(60);
        let pair =
            hints.labels().iter().find(|hint| hint.label.len() == 2).expect("a pair").clone();
        let mut letters = pair.label.chars();
        let (first, second) = (letters.next().expect("one"), letters.next().expect("two"));
        assert_eq!(plain(&mut hints, first), Typed::Waits);
        assert!(hints.labels().iter().all(|hint| hint.typed == 1 && hint.label.starts_with(first)));
        assert!(hints.erase());
        assert_eq!(hints.labels().len(), 60);
        assert!(!hints.erase());
        assert_eq!(plain(&mut hints, '1'), Typed::Nothing);
        let _ = plain(&mut hints, first);
        assert!(matches!(plain(&mut hints, second), Typed::Chosen(..)));
    }
}
