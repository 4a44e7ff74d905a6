//! What is written to an agent before it is said: text with undo, images, mentions of files, commands.
//!
//! The host keeps every draft; what is sent, and what becomes of it, is the shell's.

pub mod command;
mod mention;
mod template;
pub mod undo;
mod view;

use std::sync::Arc;

use iced::widget::text_editor::{Action as Act, Content, Cursor, Edit, Motion, Position};
use maestro_core::conversation::{Image, Menu, Prompt, TEXT_LIMIT};
use maestro_core::{TabId, fuzzy};

pub use mention::Mentions;
pub use template::Facts;
pub use view::{Context, has_popup, popup};

use command::Own;
use undo::Undo;

/// Rows of a list of files or commands that are shown at once.
pub const SHOWN: usize = 8;

/// Files asked for: more than are shown, since the list scrolls.
pub const FOUND: u32 = 24;

/// The most images of one prompt.
const MOST_IMAGES: usize = 20;

/// The id of a tab's input.
#[must_use]
pub fn widget_id(tab: TabId) -> String {
    format!("composer-{tab}")
}

/// What happens in a composer.
#[derive(Debug, Clone)]
pub enum Message {
    /// The text or the cursor is to change.
    Acted(Act),
    /// Something is to be inserted: the sign that begins a mention or a command.
    Begun(char),
    /// A row of the list was pressed.
    Picked(usize),
    /// An image is not wanted.
    ImageRemoved(usize),
    /// The clipboard's image is wanted.
    ImageWanted,
    /// Whether this prompt may only read.
    ReadOnly,
    /// The button.
    Sent,
    /// What waits is to be shown.
    QueueShown,
    /// The session is wanted back from its own interface.
    TakenBack,
    /// It is to fill the pane, or not any more.
    Full,
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// It was clicked.
    Focused,
    /// What is written is another one.
    Changed,
    /// Files with these letters are wanted.
    Find(String),
    /// Commands are wanted.
    Menu,
    /// Say it.
    Send,
    /// Read the clipboard's image.
    Image,
    /// Show the queue.
    Queue,
    /// Take the session back.
    TakeBack,
}

/// A composer.
#[derive(Debug, Default)]
pub struct Composer {
    content: Content,
    images: Vec<Image>,
    read_only: bool,
    undo: Undo,
    popup: Option<Popup>,
    /// Which older prompt is shown, from 0 for the newest, and what was written before.
    past: Option<(usize, String)>,
    /// Whether it fills the pane.
    pub full: bool,
    /// What the host has as its draft.
    kept: Prompt,
    /// Whether its draft is about to be kept.
    pub saving: bool,
    /// What could not be sent, under which token: the same again has the same token.
    refused: Option<(String, Prompt)>,
    /// Why the last one was not sent.
    pub problem: Option<String>,
}

/// A list of what could be inserted.
#[derive(Debug, Clone, PartialEq)]
pub struct Popup {
    kind: Kind,
    /// Where what is replaced begins, in its line.
    start: usize,
    letters: String,
    rows: Vec<Row>,
    marked: usize,
    /// Whether rows for these letters are on their way.
    waits: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Files,
    Commands,
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    /// What is inserted.
    insert: String,
    /// What it takes.
    hint: String,
    /// What it is.
    about: String,
    /// Characters that match.
    matched: Vec<usize>,
}

impl Composer {
    /// What would be said.
    #[must_use]
    pub fn prompt(&self) -> Prompt {
        Prompt { text: self.text(), images: self.images.clone(), read_only: self.read_only }
    }

    /// The words.
    #[must_use]
    pub fn text(&self) -> String {
        self.content.text()
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty() && self.content.text().trim().is_empty()
    }

    /// Whether what is selected would be copied.
    #[must_use]
    pub fn has_selection(&self) -> bool {
        self.content.selection().is_some_and(|text| !text.is_empty())
    }

    /// Whether a list lies over it.
    #[must_use]
    pub fn has_popup(&self) -> bool {
        self.popup.as_ref().is_some_and(|popup| !popup.rows.is_empty())
    }

    /// Whether an arrow key at this end of the text leads to other prompts.
    #[must_use]
    pub fn is_at_edge(&self, older: bool) -> bool {
        if self.past.is_some() || self.content.text().is_empty() {
            return older || self.past.is_some();
        }
        let Position { line, column } = self.content.cursor().position;
        let last = self.content.line_count().saturating_sub(1);
        let length = self.content.line(last).map_or(0, |line| line.text.len());
        if older { (line, column) == (0, 0) } else { (line, column) == (last, length) }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Acted(act) => self.act(act),
            Message::Begun(sign) => {
                let before = self.before_cursor();
                let apart = before.is_empty() || before.ends_with(char::is_whitespace);
                if sign == '/' && !self.content.text().is_empty() {
                    // A command stands at the beginning or nowhere.
                    return Action::Focused;
                }
                if !apart {
                    let _ = self.act(Act::Edit(Edit::Insert(' ')));
                }
                self.act(Act::Edit(Edit::Insert(sign)))
            }
            Message::Picked(index) => {
                if let Some(popup) = &mut self.popup {
                    popup.marked = index;
                }
                self.accept_row()
            }
            Message::ImageRemoved(index) => {
                if index < self.images.len() {
                    let _ = self.images.remove(index);
                }
                Action::Changed
            }
            Message::ImageWanted => Action::Image,
            Message::ReadOnly => {
                self.read_only = !self.read_only;
                Action::Changed
            }
            Message::Sent => Action::Send,
            Message::QueueShown => Action::Queue,
            Message::TakenBack => Action::TakeBack,
            Message::Full => {
                self.full = !self.full;
                Action::Focused
            }
        }
    }

    fn act(&mut self, act: Act) -> Action {
        let clicked = matches!(act, Act::Click(_));
        let Act::Edit(edit) = act else {
            self.content.perform(act);
            let action = self.look_for_popup();
            return match action {
                Action::None if clicked => Action::Focused,
                action => action,
            };
        };
        let before = (self.content.text(), self.content.cursor());
        if let Some(more) = added(&edit)
            && before.0.len() + more > TEXT_LIMIT
        {
            self.problem = Some(format!(
                "A prompt has at most {} MB: put more into a file and mention it with @",
                TEXT_LIMIT >> 20
            ));
            return Action::None;
        }
        self.undo.before(before.0, before.1, &edit);
        self.content.perform(Act::Edit(edit));
        self.past = None;
        self.problem = None;
        match self.look_for_popup() {
            Action::None => Action::Changed,
            action => action,
        }
    }

    /// Puts text where the cursor is.
    pub fn paste(&mut self, text: String) -> Action {
        // Terminals and old files end lines in their own ways.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.act(Act::Edit(Edit::Paste(Arc::new(text))))
    }

    /// Adds an image.
    pub fn add_image(&mut self, image: Image) -> Action {
        if self.images.len() >= MOST_IMAGES {
            self.problem = Some(format!("A prompt has at most {MOST_IMAGES} images"));
            return Action::None;
        }
        self.images.push(image);
        Action::Changed
    }

    /// Takes the last image away.
    pub fn remove_image(&mut self) -> Action {
        self.images.pop().map_or(Action::None, |_| Action::Changed)
    }

    /// Takes back the last change.
    pub fn undo(&mut self) -> Action {
        let now = (self.content.text(), self.content.cursor());
        let before = self.undo.undo(now);
        self.go_back(before)
    }

    /// Makes it again.
    pub fn redo(&mut self) -> Action {
        let now = (self.content.text(), self.content.cursor());
        let after = self.undo.redo(now);
        self.go_back(after)
    }

    fn go_back(&mut self, to: Option<(String, Cursor)>) -> Action {
        let Some((text, cursor)) = to else { return Action::None };
        self.content = Content::with_text(&text);
        self.content.move_to(cursor);
        self.past = None;
        self.popup = None;
        Action::Changed
    }

    /// Shows an older prompt, or a newer one; `said` has them, the newest first.
    pub fn step_past(&mut self, older: bool, said: &[String]) -> Action {
        let at = self.past.as_ref().map(|(at, _)| *at);
        let next = match (at, older) {
            (None, true) => Some(0),
            (None, false) => return Action::None,
            (Some(at), true) => Some((at + 1).min(said.len().saturating_sub(1))),
            (Some(0), false) => None,
            (Some(at), false) => Some(at - 1),
        };
        let own = match self.past.take() {
            Some((_, own)) => own,
            None => self.content.text(),
        };
        let shown = match next {
            None => own,
            Some(at) => {
                let Some(text) = said.get(at) else { return Action::None };
                self.past = Some((at, own));
                text.clone()
            }
        };
        self.replace(&shown);
        Action::Changed
    }

    fn replace(&mut self, text: &str) {
        self.content = Content::with_text(text);
        self.content.perform(Act::Move(Motion::DocumentEnd));
        self.popup = None;
    }

    /// Something else to say, in place of what is written; that can be brought back.
    pub fn take_in(&mut self, prompt: Prompt) -> Action {
        self.undo.before(self.content.text(), self.content.cursor(), &Edit::Delete);
        self.replace(&prompt.text);
        (self.images, self.read_only) = (prompt.images, prompt.read_only);
        self.past = None;
        Action::Changed
    }

    // Drafts.

    /// What the host kept, unless something was written meanwhile.
    pub fn restore(&mut self, draft: Prompt) {
        if self.is_empty() && !self.saving && self.kept == Prompt::default() {
            self.replace(&draft.text);
            self.images.clone_from(&draft.images);
            self.read_only = draft.read_only;
            self.kept = draft;
        }
    }

    /// What the host does not have yet.
    #[must_use]
    pub fn unsaved(&self) -> Option<Prompt> {
        let prompt = self.prompt();
        (prompt != self.kept).then_some(prompt)
    }

    /// The host has it.
    pub fn saved(&mut self, draft: Prompt) {
        self.kept = draft;
    }

    // Sending.

    /// Takes what is to be said out of it, with the token it is said under: `fresh`, unless the same could
    /// not be sent before.
    pub fn take(&mut self, fresh: String) -> (String, Prompt) {
        let prompt = self.prompt();
        let token = match self.refused.take() {
            Some((token, refused)) if refused == prompt => token,
            _ => fresh,
        };
        self.content = Content::new();
        self.images.clear();
        self.read_only = false;
        self.undo = Undo::default();
        (self.popup, self.past, self.problem) = (None, None, None);
        self.full = false;
        (token, prompt)
    }

    /// It could not be sent: it is put back, unless something else was written since.
    pub fn refuse(&mut self, token: String, prompt: Prompt, why: String) -> bool {
        let back = self.is_empty();
        if back {
            self.replace(&prompt.text);
            self.images.clone_from(&prompt.images);
            self.read_only = prompt.read_only;
            self.problem = Some(why);
        }
        self.refused = Some((token, prompt));
        back
    }

    // The list of what could be inserted.

    /// Files were found.
    pub fn found(&mut self, letters: &str, files: Vec<String>) {
        let Some(popup) = &mut self.popup else { return };
        if popup.kind != Kind::Files || popup.letters != letters {
            return;
        }
        popup.waits = false;
        popup.rows = files
            .into_iter()
            .map(|file| Row {
                matched: fuzzy::find(letters, &file)
                    .map(|found| found.positions)
                    .unwrap_or_default(),
                insert: file,
                hint: String::new(),
                about: String::new(),
            })
            .collect();
        popup.marked = 0;
    }

    /// Commands are known.
    pub fn offered(&mut self, menu: Option<&Menu>, own: &[Own]) {
        let Some(popup) = &mut self.popup else { return };
        if popup.kind != Kind::Commands {
            return;
        }
        popup.waits = menu.is_none();
        let theirs = menu.into_iter().flat_map(|menu| &menu.commands).map(|command| {
            (command.name.as_str(), command.hint.as_str(), command.description.as_str())
        });
        let ours = own.iter().map(|own| (own.name.as_str(), own.hint.as_str(), own.about.as_str()));
        let mut rows: Vec<(i32, Row)> = Vec::new();
        // Our user's own come first: they hide a provider's of the same name, as they do when sent.
        for (name, hint, about) in ours.chain(theirs) {
            let insert = format!("/{name}");
            if rows.iter().any(|(_, row)| row.insert == insert) {
                continue;
            }
            if let Some(found) = fuzzy::find(&popup.letters, name) {
                let matched = found.positions.into_iter().map(|at| at + 1).collect();
                let (hint, about) = (hint.to_owned(), about.to_owned());
                rows.push((found.score, Row { insert, hint, about, matched }));
            }
        }
        rows.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        popup.rows = rows.into_iter().map(|(_, row)| row).collect();
        popup.marked = popup.marked.min(popup.rows.len().saturating_sub(1));
    }

    /// Marks another row; the ends are joined.
    pub fn step_row(&mut self, by: isize) {
        if let Some(popup) = &mut self.popup {
            let count = popup.rows.len() as isize;
            if count > 0 {
                popup.marked = (popup.marked as isize + by).rem_euclid(count) as usize;
            }
        }
    }

    /// Inserts the marked row.
    pub fn accept_row(&mut self) -> Action {
        let Some(popup) = self.popup.take() else { return Action::None };
        let Some(row) = popup.rows.get(popup.marked) else { return Action::None };
        let Position { line, column } = self.content.cursor().position;
        let (text, cursor) = (self.content.text(), self.content.cursor());
        self.undo.before(text, cursor, &Edit::Delete);
        let position = Position { line, column: popup.start };
        let selection = Some(Position { line, column });
        self.content.move_to(Cursor { position, selection });
        let sign = if popup.kind == Kind::Files { "@" } else { "" };
        let inserted = format!("{sign}{} ", row.insert);
        self.content.perform(Act::Edit(Edit::Paste(Arc::new(inserted))));
        Action::Changed
    }

    /// Takes the list away.
    pub fn close_popup(&mut self) {
        self.popup = None;
    }

    fn before_cursor(&self) -> String {
        let Position { line, column } = self.content.cursor().position;
        let line = self.content.line(line);
        line.and_then(|line| line.text.get(..column).map(str::to_owned)).unwrap_or_default()
    }

    /// Whether what stands before the cursor begins a mention or a command.
    fn look_for_popup(&mut self) -> Action {
        let line = self.content.cursor().position.line;
        let before = self.before_cursor();
        let found = begun(&before, line == 0).filter(|_| !self.has_selection());
        let Some((kind, start)) = found else {
            self.popup = None;
            return Action::None;
        };
        let letters = before[start + 1..].to_owned();
        let known = self.popup.take().filter(|popup| popup.kind == kind && popup.start == start);
        if known.as_ref().is_some_and(|known| known.letters == letters) {
            self.popup = known;
            return Action::None;
        }
        let rows = known.map(|known| known.rows).unwrap_or_default();
        let asked = letters.clone();
        self.popup = Some(Popup { kind, start, letters, rows, marked: 0, waits: true });
        match kind {
            Kind::Files => Action::Find(asked),
            Kind::Commands => Action::Menu,
        }
    }
}

/// How many bytes an edit adds, where it may be many.
fn added(edit: &Edit) -> Option<usize> {
    match edit {
        Edit::Insert(c) => Some(c.len_utf8()),
        Edit::Paste(text) => Some(text.len()),
        Edit::Enter => Some(1),
        _ => None,
    }
}

/// What the end of a line begins, and where: `@` at the beginning of a word a mention, `/` at the
/// beginning of everything a command.
fn begun(before: &str, first_line: bool) -> Option<(Kind, usize)> {
    let start = before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[start..];
    match word.chars().next()? {
        '@' => Some((Kind::Files, start)),
        '/' if first_line && start == 0 && !word[1..].contains('/') => Some((Kind::Commands, 0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
