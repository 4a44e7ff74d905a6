//! Which task a `needs:` names.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::Document;

/// Finds the tasks that others need, over all documents of a run.
#[derive(Debug)]
pub struct Needs<'a> {
    documents: Vec<&'a Document>,
    /// Where each id is: (document, task).
    ids: HashMap<&'a str, Vec<(usize, usize)>>,
    /// The texts of a document in small letters, sorted: made when one is asked for.
    texts: Vec<OnceCell<Vec<(String, usize)>>>,
}

/// Why a need names no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unresolved {
    /// There is none with that name.
    Unknown,
    /// There are several.
    Several,
}

impl<'a> Needs<'a> {
    /// Over these documents.
    #[must_use]
    pub fn new(documents: impl IntoIterator<Item = &'a Document>) -> Self {
        let documents: Vec<&Document> = documents.into_iter().collect();
        let mut ids: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
        for (at, document) in documents.iter().enumerate() {
            for (place, task) in document.tasks().iter().enumerate() {
                if let Some(id) = &task.id {
                    ids.entry(id).or_default().push((at, place));
                }
            }
        }
        let texts = documents.iter().map(|_| OnceCell::new()).collect();
        Self { documents, ids, texts }
    }

    /// The task that a need of a task names: (document, task). A number counts the tasks of its own
    /// document; an id is looked for there first and then everywhere; anything else is the beginning of a
    /// text in its own document.
    ///
    /// # Errors
    ///
    /// When it names none, or several.
    pub fn resolve(
        &self,
        document: usize,
        place: usize,
        need: &str,
    ) -> Result<(usize, usize), Unresolved> {
        let here = self.documents.get(document).ok_or(Unresolved::Unknown)?;
        let bare = need.strip_prefix('{').and_then(|need| need.strip_suffix('}')).unwrap_or(need);
        let bare = bare.trim().trim_start_matches('#');
        let number = bare.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        if let Some(at) = number.filter(|at| *at < here.tasks().len()) {
            return Ok((document, at));
        }
        if let Some(places) = self.ids.get(bare) {
            let own: Vec<_> = places.iter().filter(|(at, _)| *at == document).collect();
            return match (own.as_slice(), places.as_slice()) {
                ([one], _) => Ok(**one),
                ([], [one]) => Ok(*one),
                _ => Err(Unresolved::Several),
            };
        }
        self.by_text(document, place, need)
    }

    fn by_text(
        &self,
        document: usize,
        place: usize,
        need: &str,
    ) -> Result<(usize, usize), Unresolved> {
        let texts = self.texts[document].get_or_init(|| {
            let tasks = self.documents[document].tasks().iter().enumerate();
            let mut texts: Vec<_> =
                tasks.map(|(at, task)| (task.text.to_lowercase(), at)).collect();
            texts.sort();
            texts
        });
        let wanted = need.to_lowercase();
        let begin = texts.partition_point(|(text, _)| *text < wanted);
        let mut found = texts[begin..]
            .iter()
            .take_while(|(text, _)| text.starts_with(&wanted))
            .filter(|(_, at)| *at != place);
        match (found.next(), found.next()) {
            (Some((_, at)), None) => Ok((document, *at)),
            (None, _) => Err(Unresolved::Unknown),
            _ => Err(Unresolved::Several),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_found_by_number_by_id_and_by_text() {
        let parse = |text: &str| Document::parse(text.as_bytes().to_vec()).expect("a checklist");
        let one =
            parse("- [ ] Parser {#parser}\n- [ ] Write it\n- [ ] write that\n- [ ] x {#twice}\n");
        let two = parse("- [ ] Use it\n- [ ] Twice {#twice}\n- [ ] Y {#own}\n");
        let three = parse("- [ ] Z {#own}\n");
        let needs = Needs::new([&one, &two, &three]);
        for (document, place, need, expected) in [
            (0, 1, "1", Ok((0, 0))),
            (0, 1, "#1", Ok((0, 0))),
            (0, 1, "9", Err(Unresolved::Unknown)),
            (1, 0, "{#parser}", Ok((0, 0))),
            (1, 0, "#parser", Ok((0, 0))),
            (1, 0, "parser", Ok((0, 0))),
            (0, 0, "write i", Ok((0, 1))),
            (0, 0, "write", Err(Unresolved::Several)),
            // A task does not need itself.
            (0, 1, "write", Ok((0, 2))),
            // Its own document comes first.
            (1, 0, "twice", Ok((1, 1))),
            (2, 0, "twice", Err(Unresolved::Several)),
            (1, 0, "nothing", Err(Unresolved::Unknown)),
            (9, 0, "1", Err(Unresolved::Unknown)),
        ] {
            assert_eq!(needs.resolve(document, place, need), expected, "{document} {place} {need}");
        }
    }
}
