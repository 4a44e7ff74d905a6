//! The session browser: every conversation that any provider's program ever stored, found as one types.

mod query;
mod said;
mod view;

use std::path::PathBuf;
use std::time::Duration;

use maestro_core::agent::Provider;
use maestro_core::conversation::Entry;
use maestro_core::session::{Hit, Indexing, Session, SessionKey};
use maestro_core::text;
use maestro_protocol::message::{Command, Page, SessionMark};

use query::Asked;
use said::Said;
pub use view::WIDTH;

/// The id of the input that is typed into.
pub const INPUT: &str = "sessions-input";

/// The id of the input for a title or for tags.
pub const EDIT: &str = "sessions-edit";

/// Sessions asked for at once.
const PAGE: u32 = 100;

/// Entries of a preview, and how many of them come before the one with the match.
const PREVIEW: (u32, u64) = (24, 3);

/// A query is sent once nothing was typed for so long.
pub const REST: Duration = Duration::from_millis(40);

/// Where the browser was opened: what `here` and `~` mean.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The directory of the agent one was at.
    pub here: Option<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
}

/// The open browser.
#[derive(Debug, Clone)]
pub struct Browser {
    place: Place,
    now_ms: u64,
    query: String,
    asked: Asked,
    /// Counts up with each question, so that a late answer to an earlier one is known.
    question: u64,
    /// Whether more of the list was asked for.
    more: bool,
    /// Whether the last question was answered.
    answered: bool,
    /// Whether the index grew since the last question was asked.
    behind: bool,
    hits: Vec<Hit>,
    total: Option<u64>,
    indexing: Indexing,
    marked: usize,
    /// The first row shown, and how many fit.
    top: usize,
    preview: Option<Preview>,
    /// Entries the preview is moved down by.
    below: usize,
    editing: Option<Editing>,
    /// What was moved into the trash last, and can be brought back.
    trashed: Option<(SessionKey, String)>,
    error: Option<String>,
}

/// Some of what was said in the marked session.
#[derive(Debug, Clone)]
struct Preview {
    of: SessionKey,
    /// The number of the first entry that was read, and the one after the last.
    start: u64,
    end: u64,
    /// What was looked for when it was read.
    words: String,
    said: Vec<Said>,
    total: u64,
}

/// What is written about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Editing {
    of: SessionKey,
    what: Field,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    Tags,
}

/// What happens in it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The query is another one.
    Queried(String),
    /// It has rested, if nothing was typed since this question.
    Due(u64),
    /// The host answered a question.
    Found(u64, Result<(Vec<Hit>, Option<u64>, Indexing), String>),
    /// The host answered what comes after the rows there are.
    More(u64, Result<Vec<Hit>, String>),
    /// The host read a session.
    Read(SessionKey, Result<Page, String>),
    /// Something about a session was changed, or not.
    Changed(Result<Box<Session>, String>),
    /// A row was pressed.
    Picked(usize),
    /// The wheel was turned over the list: positive is down.
    Scrolled(i32),
    /// The wheel was turned over the preview.
    Leafed(i32),
    /// A filter was pressed.
    Toggled(Toggle),
    /// The title or the tags are others.
    Edited(String),
    /// A button.
    Do(Deed),
}

/// What narrows the list by one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toggle {
    /// The next provider, and after the last one all.
    Provider,
    /// Only where one is.
    Here,
    /// Only starred ones.
    Starred,
    /// The trash.
    Trashed,
    /// What tools printed, too.
    Tools,
}

/// What can be done with the marked session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Go on with it in the provider's own interface.
    Resume,
    /// Go on with it in a conversation.
    Converse,
    /// Go on with it in a new worktree.
    Branch,
    /// Mark it, or not any more.
    Star,
    /// Give it another title.
    Title,
    /// Give it tags.
    Tags,
    /// Move it into the trash, or out of it.
    Trash,
    /// Take back the last move into the trash.
    Undo,
    /// Put its id into the clipboard.
    CopyId,
    /// Open its transcript.
    Open,
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// Come back with [`Message::Due`] after [`REST`].
    Wait(u64),
    /// Ask the host, and come back with [`Message::Found`].
    Find(u64, Command),
    /// Ask the host, and come back with [`Message::More`].
    More(u64, Command),
    /// Ask the host, and come back with [`Message::Read`].
    Read(SessionKey, Command),
    /// Ask the host, and come back with [`Message::Changed`].
    Change(Command),
    /// Close the browser and go on with a session.
    Resume(Box<Session>, Resume),
    /// Put a text into the clipboard.
    Copy(String),
    /// Open a file.
    Open(PathBuf),
}

/// How a session is gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// In the provider's own interface.
    Terminal,
    /// In a conversation.
    Conversation,
    /// In the provider's own interface, in a new worktree.
    Worktree,
}

/// Names a session.
fn key(session: &Session) -> SessionKey {
    SessionKey { provider: session.provider, id: session.id.clone() }
}

impl Browser {
    /// An open browser, and its first question.
    #[must_use]
    pub fn new(place: Place, indexing: Indexing, now_ms: u64) -> (Self, Action) {
        let mut browser = Self {
            place,
            now_ms,
            query: String::new(),
            asked: Asked::default(),
            question: 0,
            more: false,
            answered: false,
            behind: false,
            hits: Vec::new(),
            total: None,
            indexing,
            marked: 0,
            top: 0,
            preview: None,
            below: 0,
            editing: None,
            trashed: None,
            error: None,
        };
        let action = browser.ask();
        (browser, action)
    }

    /// The input that has the keyboard.
    #[must_use]
    pub fn input(&self) -> &'static str {
        if self.editing.is_some() { EDIT } else { INPUT }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Queried(query) => {
                self.set_query(query);
                self.question += 1;
                Action::Wait(self.question)
            }
            Message::Due(question) if question == self.question => self.find(),
            Message::Due(_) => Action::None,
            Message::Found(question, found) if question == self.question => self.found(found),
            Message::Found(..) => Action::None,
            Message::More(question, more) => {
                if question == self.question {
                    self.append(more);
                }
                Action::None
            }
            Message::Read(of, page) => {
                self.read(of, page);
                Action::None
            }
            Message::Changed(Ok(session)) => {
                self.changed(*session);
                Action::None
            }
            Message::Changed(Err(why)) => {
                self.error = Some(why);
                Action::None
            }
            Message::Picked(at) => {
                self.mark(at);
                self.look()
            }
            Message::Scrolled(rows) => {
                let last = self.hits.len().saturating_sub(1);
                self.top = self.top.saturating_add_signed(rows as isize).min(last);
                Action::None
            }
            Message::Leafed(by) => {
                self.leaf(by as isize);
                Action::None
            }
            Message::Toggled(toggle) => self.toggle(toggle),
            Message::Edited(text) => {
                if let Some(editing) = &mut self.editing {
                    editing.text = text;
                }
                Action::None
            }
            Message::Do(deed) => self.act(deed),
        }
    }

    /// The index is further: what was found may not be all.
    pub fn indexed(&mut self, indexing: Indexing) -> Action {
        let grew = indexing.sessions != self.indexing.sessions
            || indexing.complete != self.indexing.complete;
        self.indexing = indexing;
        self.behind |= grew;
        if self.behind && self.answered { self.ask() } else { Action::None }
    }

    /// Marks another row.
    pub fn step(&mut self, by: isize) -> Action {
        if self.hits.is_empty() || self.editing.is_some() {
            return Action::None;
        }
        let last = self.hits.len() as isize - 1;
        self.mark((self.marked as isize + by).clamp(0, last) as usize);
        self.look()
    }

    /// Asks for more of the list once its end is near.
    pub fn more(&mut self) -> Action {
        let known = self.hits.len();
        let all = self.total.is_some_and(|total| total <= known as u64);
        let far = self.marked.max(self.top) + PAGE as usize / 2 < known;
        if all || far || known == 0 || self.more || !self.answered || self.is_scan() {
            return Action::None;
        }
        self.more = true;
        let (filter, skip) = (self.asked.filter.clone(), known as u32);
        Action::More(self.question, Command::FindSessions { filter, most: PAGE, skip })
    }

    /// Moves the preview.
    pub fn leaf(&mut self, by: isize) {
        let most = self.preview.as_ref().map_or(0, |preview| preview.said.len().max(1) - 1);
        self.below = self.below.saturating_add_signed(by).min(most);
    }

    /// What Enter does: keep what is being written, or go on with the marked session.
    pub fn accept(&mut self) -> Action {
        let Some(editing) = self.editing.take() else { return self.act(Deed::Resume) };
        let text = editing.text.trim();
        let mark = match editing.what {
            Field::Title => SessionMark::Title((!text.is_empty()).then(|| text.to_owned())),
            Field::Tags => {
                let mut tags: Vec<String> = Vec::new();
                for tag in text.split([',', ' ']).filter(|tag| !tag.is_empty()) {
                    let tag = tag.trim_start_matches('#').to_owned();
                    if !tags.contains(&tag) {
                        tags.push(tag);
                    }
                }
                SessionMark::Tags(tags)
            }
        };
        Action::Change(Command::MarkSession { session: editing.of, mark })
    }

    /// What was wanted cannot be.
    pub fn refused(&mut self, why: String) -> Action {
        self.error = Some(why);
        Action::None
    }

    /// One level back: says whether that was inside the browser.
    pub fn back(&mut self) -> bool {
        self.editing.take().is_some()
    }

    /// Narrows the list, or not any more.
    pub fn toggle(&mut self, toggle: Toggle) -> Action {
        let filter = &self.asked.filter;
        let (field, value) = match toggle {
            Toggle::Provider => {
                let agents: Vec<Provider> =
                    Provider::ALL.into_iter().filter(|p| *p != Provider::Shell).collect();
                let next = match filter.providers.first() {
                    None => agents.first(),
                    Some(here) => {
                        agents.iter().position(|p| p == here).and_then(|at| agents.get(at + 1))
                    }
                };
                ("provider", next.map(|provider| provider.name()))
            }
            Toggle::Here => ("in", filter.directory.is_none().then_some("here")),
            Toggle::Starred => ("is", (!filter.starred).then_some("starred")),
            Toggle::Trashed => ("is", (!filter.trashed).then_some("trashed")),
            Toggle::Tools => ("tools", (!self.asked.tools).then_some("yes")),
        };
        let query = query::with(&self.query, field, value);
        self.set_query(query);
        self.ask()
    }

    /// What was moved into the trash last, and its title: it can be brought back in a browser that is opened
    /// later, too.
    #[must_use]
    pub fn trashed(&self) -> Option<&(SessionKey, String)> {
        self.trashed.as_ref()
    }

    /// Goes on where another browser was closed.
    pub fn remember(&mut self, trashed: Option<(SessionKey, String)>) {
        self.trashed = trashed;
    }

    #[cfg(test)]
    pub fn marked_for_tests(&self) -> usize {
        self.marked
    }

    /// Does something with the marked session.
    pub fn act(&mut self, deed: Deed) -> Action {
        if deed == Deed::Undo {
            let Some((session, _)) = self.trashed.take() else { return Action::None };
            return Action::Change(Command::MarkSession {
                session,
                mark: SessionMark::Trashed(false),
            });
        }
        let Some(session) = self.hits.get(self.marked).map(|hit| &hit.session) else {
            return Action::None;
        };
        let of = key(session);
        let change = |mark| Action::Change(Command::MarkSession { session: of.clone(), mark });
        match deed {
            Deed::Resume => Action::Resume(Box::new(session.clone()), Resume::Terminal),
            Deed::Converse => Action::Resume(Box::new(session.clone()), Resume::Conversation),
            Deed::Branch => Action::Resume(Box::new(session.clone()), Resume::Worktree),
            Deed::Star => change(SessionMark::Starred(!session.starred)),
            Deed::Title => {
                let text = session.title.clone();
                self.editing = Some(Editing { of, what: Field::Title, text });
                Action::None
            }
            Deed::Tags => {
                let text = session.tags.join(" ");
                self.editing = Some(Editing { of, what: Field::Tags, text });
                Action::None
            }
            Deed::Trash => {
                let gone = session.trashed_ms.is_none();
                let action = change(SessionMark::Trashed(gone));
                let named = (of, text::clean(&session.title, 60));
                self.trashed = gone.then_some(named);
                action
            }
            Deed::CopyId => Action::Copy(session.id.clone()),
            Deed::Open => Action::Open(session.path.clone()),
            Deed::Undo => Action::None,
        }
    }

    fn set_query(&mut self, query: String) {
        let Place { here, home } = &self.place;
        self.asked = query::read(&query, self.now_ms, here.as_deref(), home.as_deref());
        self.query = query;
        self.error = None;
    }

    fn ask(&mut self) -> Action {
        self.question += 1;
        self.find()
    }

    fn find(&mut self) -> Action {
        (self.answered, self.behind, self.more) = (false, false, false);
        let filter = self.asked.filter.clone();
        let command = if self.is_scan() {
            Command::ScanSessions { filter, most: PAGE }
        } else {
            Command::FindSessions { filter, most: PAGE, skip: 0 }
        };
        Action::Find(self.question, command)
    }

    /// Whether files are looked through instead of the index. Without words there is nothing to look for.
    fn is_scan(&self) -> bool {
        self.asked.tools && !self.asked.filter.words.is_empty()
    }

    fn append(&mut self, more: Result<Vec<Hit>, String>) {
        match more {
            // An empty page is the end, whatever the total said; nothing is asked again then.
            Ok(hits) if hits.is_empty() => self.total = Some(self.hits.len() as u64),
            Ok(hits) => {
                // What was used meanwhile has moved, and may come twice.
                let known =
                    |hit: &Hit| self.hits.iter().any(|k| key(&k.session) == key(&hit.session));
                let new: Vec<Hit> = hits.into_iter().filter(|hit| !known(hit)).collect();
                self.hits.extend(new);
                self.more = false;
            }
            Err(why) => self.error = Some(why),
        }
    }

    fn found(&mut self, found: Result<(Vec<Hit>, Option<u64>, Indexing), String>) -> Action {
        self.answered = true;
        match found {
            Ok((hits, total, indexing)) => {
                // What was marked stays marked, wherever it is now.
                let before = self.hits.get(self.marked).map(|hit| key(&hit.session));
                let place = |of: SessionKey| hits.iter().position(|hit| key(&hit.session) == of);
                self.marked = before.and_then(place).unwrap_or(0);
                (self.hits, self.total, self.indexing) = (hits, total, indexing);
                self.error = None;
                self.mark(self.marked);
                if self.behind { self.ask() } else { self.look() }
            }
            Err(why) => {
                self.error = Some(why);
                Action::None
            }
        }
    }

    fn read(&mut self, of: SessionKey, page: Result<Page, String>) {
        let Some(hit) = self.hits.get(self.marked).filter(|hit| key(&hit.session) == of) else {
            return;
        };
        self.below = 0;
        match page {
            Ok(page) => {
                let words = &self.asked.filter.words;
                let shown = |entry: &Entry| said::said(entry, words, hit.entry == Some(entry.n));
                self.preview = Some(Preview {
                    of,
                    start: page.entries.first().map_or(0, |entry| entry.n),
                    end: page.entries.last().map_or(0, |entry| entry.n + 1),
                    words: words.clone(),
                    said: page.entries.iter().filter_map(shown).collect(),
                    total: page.total,
                });
            }
            Err(why) => {
                self.preview = None;
                self.error = Some(why);
            }
        }
    }

    fn changed(&mut self, session: Session) {
        let wanted = session.trashed_ms.is_some() == self.asked.filter.trashed;
        let of = key(&session);
        match self.hits.iter().position(|hit| key(&hit.session) == of) {
            Some(at) if wanted => self.hits[at].session = session,
            Some(at) => {
                let _ = self.hits.remove(at);
                self.total = self.total.map(|total| total.saturating_sub(1));
                self.mark(self.marked);
            }
            // It was brought back: it is where it was as good as at the top.
            None if wanted => {
                let hit = Hit { session, excerpt: String::new(), marks: Vec::new(), entry: None };
                self.hits.insert(self.marked.min(self.hits.len()), hit);
                self.total = self.total.map(|total| total + 1);
            }
            None => {}
        }
    }

    fn mark(&mut self, at: usize) {
        self.marked = at.min(self.hits.len().saturating_sub(1));
    }

    /// Asks for what was said around the match of the marked session.
    fn look(&self) -> Action {
        let Some(hit) = self.hits.get(self.marked) else { return Action::None };
        let of = key(&hit.session);
        let from = hit.entry.map_or(0, |entry| entry.saturating_sub(PREVIEW.1));
        let known = self.preview.as_ref().filter(|preview| preview.of == of);
        let words = &self.asked.filter.words;
        if known.is_some_and(|known| known.start == from && known.words == *words) {
            return Action::None;
        }
        let (session, most) = (of.clone(), PREVIEW.0);
        Action::Read(of, Command::ReadSession { session, from, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: &str) -> Session {
        Session {
            provider: Provider::Claude,
            id: id.to_owned(),
            title: format!("about {id}"),
            directory: Some("/src/shop".into()),
            branch: Some("main".into()),
            model: None,
            started_ms: 1,
            used_ms: 2,
            prompts: 3,
            path: format!("/store/{id}.jsonl").into(),
            bytes: 10,
            starred: false,
            tags: vec!["old".into()],
            trashed_ms: None,
            open_in: None,
        }
    }

    fn hit(id: &str) -> Hit {
        Hit { session: session(id), excerpt: String::new(), marks: Vec::new(), entry: Some(9) }
    }

    fn browser(ids: &[&str]) -> Browser {
        let (mut browser, first) = Browser::new(Place::default(), Indexing::default(), 1000);
        assert!(matches!(first, Action::Find(1, Command::FindSessions { .. })), "{first:?}");
        let hits = ids.iter().map(|id| hit(id)).collect::<Vec<_>>();
        let total = Some(hits.len() as u64);
        let read = browser.update(Message::Found(1, Ok((hits, total, Indexing::default()))));
        assert!(matches!(read, Action::Read(_, Command::ReadSession { from: 6, .. })), "{read:?}");
        browser
    }

    #[test]
    fn what_is_typed_is_asked_once_it_rests_and_late_answers_are_dropped() {
        let mut browser = browser(&["a", "b"]);
        assert_eq!(browser.update(Message::Queried("f".into())), Action::Wait(2));
        assert_eq!(browser.update(Message::Queried("fl".into())), Action::Wait(3));
        assert_eq!(browser.update(Message::Due(2)), Action::None);
        let asked = browser.update(Message::Due(3));
        let Action::Find(3, Command::FindSessions { filter, .. }) = asked else { panic!() };
        assert_eq!(filter.words, "fl");
        let late = browser.update(Message::Found(2, Ok((Vec::new(), None, Indexing::default()))));
        assert_eq!((late, browser.hits.len()), (Action::None, 2));
    }

    #[test]
    fn what_is_marked_stays_marked_when_the_list_changes() {
        let mut browser = browser(&["a", "b"]);
        let _ = browser.step(1);
        let _ = browser.update(Message::Queried("x".into()));
        let hits = vec![hit("c"), hit("b"), hit("a")];
        let _ = browser.update(Message::Found(2, Ok((hits, Some(3), Indexing::default()))));
        assert_eq!(browser.hits[browser.marked].session.id, "b");
    }

    #[test]
    fn the_trash_can_be_taken_back() {
        let mut browser = browser(&["a", "b"]);
        let mark = |session: &str, trashed| {
            let session = key(&session_named(session));
            Action::Change(Command::MarkSession { session, mark: SessionMark::Trashed(trashed) })
        };
        fn session_named(id: &str) -> Session {
            session(id)
        }
        assert_eq!(browser.act(Deed::Trash), mark("a", true));
        let gone = Session { trashed_ms: Some(5), ..session("a") };
        let _ = browser.update(Message::Changed(Ok(Box::new(gone))));
        assert_eq!(browser.hits.len(), 1);
        assert_eq!(browser.act(Deed::Undo), mark("a", false));
        let _ = browser.update(Message::Changed(Ok(Box::new(session("a")))));
        assert_eq!(browser.hits.len(), 2);
        assert_eq!(browser.act(Deed::Undo), Action::None, "it was taken back already");
    }

    #[test]
    fn titles_and_tags_are_written_in_place() {
        let mut browser = browser(&["a"]);
        assert_eq!(browser.act(Deed::Tags), Action::None);
        assert_eq!(browser.input(), EDIT);
        let _ = browser.update(Message::Edited("#flaky, old  flaky".into()));
        let tags = SessionMark::Tags(vec!["flaky".into(), "old".into()]);
        let change = Command::MarkSession { session: key(&session("a")), mark: tags };
        assert_eq!(browser.accept(), Action::Change(change));
        assert_eq!(browser.input(), INPUT);
        let _ = browser.act(Deed::Title);
        assert!(browser.back() && !browser.back());
        let _ = browser.act(Deed::Title);
        let _ = browser.update(Message::Edited("  ".into()));
        let none =
            Command::MarkSession { session: key(&session("a")), mark: SessionMark::Title(None) };
        assert_eq!(browser.accept(), Action::Change(none));
    }

    #[test]
    fn a_key_narrows_the_list_and_the_query_says_so() {
        let mut browser = browser(&["a"]);
        let asked = browser.toggle(Toggle::Provider);
        assert!(matches!(asked, Action::Find(2, _)), "{asked:?}");
        assert_eq!(browser.query, "provider:claude ");
        for _ in Provider::ALL {
            let _ = browser.toggle(Toggle::Provider);
        }
        let _ = browser.update(Message::Queried("flaky".into()));
        let asked = browser.toggle(Toggle::Tools);
        assert!(matches!(asked, Action::Find(_, Command::ScanSessions { .. })), "{asked:?}");
        let _ = browser.toggle(Toggle::Tools);
        assert_eq!(browser.query, "flaky ");
    }

    #[test]
    fn the_end_of_the_list_brings_more_of_it() {
        let ids: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let mut browser = browser(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(browser.more(), Action::None, "these are all");
        browser.total = Some(250);
        assert_eq!(browser.more(), Action::None, "the end is far");
        let _ = browser.step(60);
        let more = browser.more();
        assert!(matches!(more, Action::More(1, Command::FindSessions { skip: 100, .. })));
        assert_eq!(browser.more(), Action::None, "it was asked already");
        let _ = browser.update(Message::More(1, Ok(vec![hit("99"), hit("100")])));
        assert_eq!(browser.hits.len(), 101);
        let _ = browser.more();
        let _ = browser.update(Message::More(1, Ok(Vec::new())));
        assert_eq!(browser.more(), Action::None, "there is no more");
    }

    #[test]
    fn a_longer_index_asks_again() {
        let mut browser = browser(&["a"]);
        let more = Indexing { sessions: 9, ..Indexing::default() };
        assert!(matches!(browser.indexed(more), Action::Find(2, _)));
        let done = Indexing { complete: true, ..more };
        assert_eq!(browser.indexed(done), Action::None, "an answer is still awaited");
        let late = browser.update(Message::Found(2, Ok((vec![hit("b")], Some(1), more))));
        assert!(matches!(late, Action::Find(3, _)), "what came meanwhile is missed: {late:?}");
    }
}
