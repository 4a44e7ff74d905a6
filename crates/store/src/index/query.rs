//! Looking things up.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use maestro_core::agent::Provider;
use maestro_core::session::{Filter, Session, SessionKey};
use rusqlite::{Connection, OpenFlags};

use crate::Result;
use crate::marks::Marks;

/// How long words may be looked up when something was found already: what is found later than that is
/// older, and whoever wants it asks with more words.
const SHORT: Duration = Duration::from_millis(12);
/// How long words may be looked up at all.
const LONG: Duration = Duration::from_secs(2);
/// How long words of different entries may be put together for a session, a word at a time.
const SCATTERED: Duration = Duration::from_millis(10);
/// The most sessions that are looked at more closely for that.
const CLOSELY: usize = 200;
/// The fewest letters with which the last word is taken for the beginning of one.
const BEGINNING: usize = 3;
/// The most words of a query.
const WORDS: usize = 16;
/// The most sessions one query goes through.
const SESSIONS: usize = 1000;

/// What is sought: words, and texts that have to be there as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sought {
    /// Words, in lower case; the last one may be the beginning of one.
    pub words: Vec<String>,
    /// Texts, in lower case.
    pub texts: Vec<String>,
    /// Whether the last word may be the beginning of one.
    pub open: bool,
}

impl Sought {
    /// What a user typed: words, all of which are to be found; "text in quotation marks" as it is. Every
    /// character may be typed: none of them is an operator. In scripts without blanks between words, what
    /// is typed is sought as it is.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        let mut sought = Self::default();
        for (number, part) in typed.split('"').enumerate() {
            let part = part.to_lowercase();
            if number % 2 == 1 && !part.trim().is_empty() {
                sought.texts.push(part.trim().to_owned());
            }
            for word in part.split_whitespace() {
                // With its neighbours a character of such a script is a word.
                if word.chars().filter(|c| is_alone(*c)).count() > 1 {
                    sought.texts.push(word.to_owned());
                }
            }
            sought.words.extend(
                spaced(&part)
                    .split(|c: char| !is_word(c))
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned),
            );
        }
        sought.words.truncate(WORDS);
        sought.texts.truncate(WORDS);
        // Whoever types a blank or a quotation mark has finished the word.
        sought.open = typed.chars().next_back().is_some_and(is_word)
            && sought.words.last().is_some_and(|word| word.chars().count() >= BEGINNING);
        sought
    }

    /// Whether nothing is sought.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether everything that is sought is in a text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.texts.iter().all(|sought| text.contains(sought))
            && self.words.iter().all(|word| text.contains(word))
    }

    /// Whether everything that is sought is in a title: words as words, as in the index.
    fn is_in_title(&self, title: &str) -> bool {
        if title.is_empty() {
            return false;
        }
        let title = title.to_lowercase();
        let spaced = spaced(&title);
        let last = self.words.len().saturating_sub(1);
        self.texts.iter().all(|sought| title.contains(sought))
            && self.words.iter().enumerate().all(|(at, word)| {
                let mut words = spaced.split(|c: char| !is_word(c));
                let open = self.open && at == last;
                words.any(|there| there == word || (open && there.starts_with(word.as_str())))
            })
    }

    /// The query in the language of the index. Everything is quoted.
    fn expression(&self) -> String {
        let words: Vec<String> = (0..self.words.len()).map(|at| self.term(at)).collect();
        words.join(" AND ")
    }

    /// The same for one of the words.
    fn term(&self, at: usize) -> String {
        let word = self.words.get(at).map_or("", String::as_str);
        let open = if self.open && at + 1 == self.words.len() { "*" } else { "" };
        // A word has no quotation marks in it.
        format!("\"{word}\"{open}")
    }
}

/// Whether a character is part of a word: about what the index takes for one.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Whether a character is of a script that has no blanks between words, and is a word by itself here.
fn is_alone(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

/// A text with blanks around every character that is a word by itself.
pub(super) fn spaced(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_alone) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len() * 3 / 2);
    for c in text.chars() {
        if is_alone(c) {
            spaced.extend([' ', c, ' ']);
        } else {
            spaced.push(c);
        }
    }
    Cow::Owned(spaced)
}

/// A session that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The session. What only the host knows (where it is open) is left out.
    pub session: Session,
    /// Its entries.
    pub entries: u64,
    /// The entry in which the words are, and where the entry's record is: its beginning and its length.
    /// Without words, or when they are in its title, there is none.
    pub entry: Option<(u64, u64, u64)>,
}

/// Sessions that fit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matches {
    /// The sessions: those with the words in their titles first, then those with all of them in one entry,
    /// then those with each somewhere; of each kind the ones used last first.
    pub matches: Vec<Match>,
    /// How many fit in all, where that was found out.
    pub total: Option<u64>,
}

/// Looks into the index, also while it is written.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

struct Candidate {
    no: u32,
    used_ms: u64,
    in_title: bool,
    /// The number of the newest in which the words are.
    said: Option<i64>,
    /// Whether that has one of the words, and others the rest.
    scattered: bool,
}

impl Reader {
    /// Opens the index at `path`, which an [`super::Index`] has made.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(Duration::from_secs(1))?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -4096)?;
        Ok(Self { connection })
    }

    /// Sessions that fit a filter: `most` after the first `skip`. `marks` is what we keep of sessions;
    /// `fits` looks at a text that is sought as it is, in the session's file.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn find(
        &self,
        filter: &Filter,
        marks: &HashMap<SessionKey, Marks>,
        (most, skip): (usize, usize),
        fits: &mut dyn FnMut(&Match, &Sought) -> bool,
    ) -> Result<Matches> {
        let sought = Sought::new(&filter.words);
        // Something was typed in which there is no word.
        let hopeless = sought.is_empty() && !filter.words.trim().is_empty();
        let mut candidates = self.candidates(filter, marks, &sought)?;
        let mut whole = true;
        if hopeless {
            candidates.clear();
        } else if !sought.is_empty() {
            let wanted = skip.saturating_add(most);
            whole = self.look_up(&sought, &mut candidates, wanted)?;
            let found = candidates.iter().filter(|candidate| candidate.said.is_some()).count();
            if whole && found < wanted && sought.words.len() > 1 && sought.texts.is_empty() {
                whole = self.put_together(&sought, &mut candidates)?;
            }
            candidates.retain(|candidate| candidate.in_title || candidate.said.is_some());
        }
        candidates.sort_by_key(|candidate| {
            let age = std::cmp::Reverse((candidate.used_ms, candidate.no));
            (!candidate.in_title, candidate.scattered, age)
        });
        let total = candidates.len() as u64;
        let exact = !sought.is_empty() && !sought.texts.is_empty();
        let mut matches = Vec::new();
        let mut skipped = 0;
        for candidate in candidates {
            if matches.len() >= most {
                break;
            }
            if !exact && skipped < skip {
                skipped += 1;
                continue;
            }
            let Some(found) = self.session(&candidate, marks)? else { continue };
            if exact && !candidate.in_title && !fits(&found, &sought) {
                continue;
            }
            if skipped < skip {
                skipped += 1;
                continue;
            }
            matches.push(found);
        }
        Ok(Matches { matches, total: (whole && !exact).then_some(total) })
    }

    /// A session by its name; `None` when the index does not know it.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn get(
        &self,
        key: &SessionKey,
        marks: &HashMap<SessionKey, Marks>,
    ) -> Result<Option<Match>> {
        use rusqlite::OptionalExtension as _;
        let query = "SELECT no, used_ms FROM session WHERE provider = ?1 AND id = ?2";
        let found = self
            .connection
            .prepare_cached(query)?
            .query_row((key.provider.name(), &key.id), |row| {
                Ok(Candidate {
                    no: row.get(0)?,
                    used_ms: 0,
                    in_title: false,
                    said: None,
                    scattered: false,
                })
            })
            .optional()?;
        found.map_or(Ok(None), |candidate| self.session(&candidate, marks))
    }

    /// Sessions that fit everything but the words.
    fn candidates(
        &self,
        filter: &Filter,
        marks: &HashMap<SessionKey, Marks>,
        sought: &Sought,
    ) -> Result<Vec<Candidate>> {
        let none = Marks::default();
        let query = "SELECT no, provider, id, title, directory, branch, used_ms FROM session \
                     WHERE entries > 0 AND used_ms >= ?1 AND used_ms < ?2";
        let since = filter.since_ms.unwrap_or_default().min(i64::MAX as u64).cast_signed();
        let until = filter.until_ms.unwrap_or(i64::MAX as u64).min(i64::MAX as u64).cast_signed();
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query((since, until))?;
        let mut candidates = Vec::new();
        // Looked up without a copy of the id for each row.
        let mut key = SessionKey { provider: Provider::Shell, id: String::new() };
        while let Some(row) = rows.next()? {
            let text = |column| -> Result<Option<&str>> {
                Ok(row.get_ref(column)?.as_str_or_null().unwrap_or_default())
            };
            let Some(Ok(provider)) = text(1)?.map(str::parse::<Provider>) else { continue };
            if !filter.providers.is_empty() && !filter.providers.contains(&provider) {
                continue;
            }
            let kept = if marks.is_empty() {
                &none
            } else {
                key.provider = provider;
                key.id.clear();
                key.id.push_str(text(2)?.unwrap_or_default());
                marks.get(&key).unwrap_or(&none)
            };
            let fits = kept.trashed_ms.is_some() == filter.trashed
                && (!filter.starred || kept.starred)
                && filter.tag.as_ref().is_none_or(|tag| kept.tags.contains(tag))
                && match &filter.branch {
                    Some(branch) => text(5)? == Some(branch),
                    None => true,
                }
                && match &filter.directory {
                    Some(directory) => {
                        text(4)?.is_some_and(|path| Path::new(path).starts_with(directory))
                    }
                    None => true,
                };
            if !fits {
                continue;
            }
            let title = kept.title.as_deref().or(text(3)?).unwrap_or_default();
            candidates.push(Candidate {
                no: row.get(0)?,
                used_ms: row.get::<_, i64>(6)?.cast_unsigned(),
                in_title: !sought.is_empty() && sought.is_in_title(title),
                said: None,
                scattered: false,
            });
        }
        Ok(candidates)
    }

    /// Finds the words; says whether all of the index was looked through.
    fn look_up(
        &self,
        sought: &Sought,
        candidates: &mut [Candidate],
        enough: usize,
    ) -> Result<bool> {
        let places: HashMap<u32, usize> =
            candidates.iter().enumerate().map(|(at, candidate)| (candidate.no, at)).collect();
        // The newest first, without sorting: it ends as soon as there is enough.
        let query = "SELECT said.at, said.no FROM words CROSS JOIN said ON said.at = words.rowid \
                     WHERE words MATCH ?1 ORDER BY words.rowid DESC";
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query([sought.expression()])?;
        let begun = Instant::now();
        let enough = enough.saturating_mul(2).clamp(50, SESSIONS);
        let (mut found, mut seen, mut last) = (0, 0u32, None);
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(0)?;
            seen = seen.wrapping_add(1);
            if seen.is_multiple_of(256) {
                let spent = begun.elapsed();
                if spent > LONG || (found > 0 && spent > SHORT) {
                    return Ok(false);
                }
            }
            let no: u32 = row.get(1)?;
            if last == Some(no) {
                continue;
            }
            last = Some(no);
            let Some(place) = places.get(&no) else { continue };
            let place = &mut candidates[*place].said;
            if place.is_some() {
                continue;
            }
            if found >= enough {
                return Ok(false);
            }
            found += 1;
            *place = Some(at);
        }
        Ok(true)
    }

    /// Finds sessions in which each word is somewhere; says whether all of them were found. A word that is
    /// in very many entries is only looked for in sessions that have all the others.
    fn put_together(&self, sought: &Sought, candidates: &mut [Candidate]) -> Result<bool> {
        let mut rest: HashMap<u32, (usize, Option<i64>)> = HashMap::new();
        for (at, candidate) in candidates.iter().enumerate() {
            if candidate.said.is_none() && !candidate.in_title {
                let _ = rest.insert(candidate.no, (at, None));
            }
        }
        let query = "SELECT said.at, said.no FROM words CROSS JOIN said ON said.at = words.rowid \
                     WHERE words MATCH ?1 ORDER BY words.rowid DESC";
        let mut statement = self.connection.prepare_cached(query)?;
        let mut frequent = Vec::new();
        'words: for word in 0..sought.words.len() {
            let begun = Instant::now();
            let mut rows = statement.query([sought.term(word)])?;
            let mut with: HashMap<u32, i64> = HashMap::new();
            let mut seen = 0u32;
            while let Some(row) = rows.next()? {
                seen = seen.wrapping_add(1);
                if seen.is_multiple_of(256) && begun.elapsed() > SCATTERED {
                    frequent.push(word);
                    continue 'words;
                }
                let no: u32 = row.get(1)?;
                if rest.contains_key(&no) {
                    let _ = with.entry(no).or_insert(row.get(0)?);
                }
            }
            rest.retain(|no, place| match with.get(no) {
                Some(at) => {
                    let _ = place.1.get_or_insert(*at);
                    true
                }
                None => false,
            });
            if rest.is_empty() {
                return Ok(true);
            }
        }
        let mut found: Vec<(u32, usize, i64)> =
            rest.into_iter().filter_map(|(no, (at, said))| Some((no, at, said?))).collect();
        if frequent.len() == sought.words.len() {
            return Ok(false);
        }
        found.sort_by_key(|(_, at, _)| {
            candidates.get(*at).map(|candidate| std::cmp::Reverse(candidate.used_ms))
        });
        let (begun, all) = (Instant::now(), found.len());
        let mut looked = 0;
        for (no, at, said) in found.into_iter().take(CLOSELY) {
            if !frequent.is_empty() && begun.elapsed() > SCATTERED {
                break;
            }
            looked += 1;
            let mut has = true;
            for word in &frequent {
                has = has && self.has(no, &sought.term(*word))?;
            }
            if let Some(candidate) = candidates.get_mut(at).filter(|_| has) {
                candidate.said = Some(said);
                candidate.scattered = true;
            }
        }
        Ok(looked == all)
    }

    /// Whether a word is somewhere in a session.
    fn has(&self, no: u32, term: &str) -> Result<bool> {
        let query = "SELECT EXISTS (SELECT 1 FROM session \
                     CROSS JOIN words ON words.rowid BETWEEN session.first AND session.last \
                     CROSS JOIN said ON said.at = words.rowid AND said.no = session.no \
                     WHERE session.no = ?1 AND words MATCH ?2)";
        Ok(self.connection.prepare_cached(query)?.query_row((no, term), |row| row.get(0))?)
    }

    fn session(
        &self,
        candidate: &Candidate,
        marks: &HashMap<SessionKey, Marks>,
    ) -> Result<Option<Match>> {
        use rusqlite::OptionalExtension as _;
        let query = "SELECT provider, id, title, directory, branch, model, started_ms, used_ms, \
                     prompts, path, bytes, entries FROM session WHERE no = ?1";
        let row = self
            .connection
            .prepare_cached(query)?
            .query_row([candidate.no], |row| {
                let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                let Ok(provider) = row.get::<_, String>(0)?.parse::<Provider>() else {
                    return Ok(None);
                };
                Ok(Some((
                    Session {
                        provider,
                        id: row.get(1)?,
                        title: row.get(2)?,
                        directory: row.get::<_, Option<String>>(3)?.map(PathBuf::from),
                        branch: row.get(4)?,
                        model: row.get(5)?,
                        started_ms: number(6)?,
                        used_ms: number(7)?,
                        prompts: row.get(8)?,
                        path: row.get::<_, String>(9)?.into(),
                        bytes: number(10)?,
                        starred: false,
                        tags: Vec::new(),
                        trashed_ms: None,
                        open_in: None,
                    },
                    number(11)?,
                )))
            })
            .optional()?
            .flatten();
        let Some((mut session, entries)) = row else { return Ok(None) };
        let key = SessionKey { provider: session.provider, id: session.id.clone() };
        if let Some(kept) = marks.get(&key) {
            if let Some(title) = &kept.title {
                session.title.clone_from(title);
            }
            session.starred = kept.starred;
            session.tags.clone_from(&kept.tags);
            session.trashed_ms = kept.trashed_ms;
        }
        let entry = match candidate.said {
            Some(at) => self
                .connection
                .prepare_cached("SELECT entry, start, bytes FROM said WHERE at = ?1")?
                .query_row([at], |row| {
                    let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                    Ok((number(0)?, number(1)?, number(2)?))
                })
                .optional()?,
            None => None,
        };
        Ok(Some(Match { session, entries, entry }))
    }
}
