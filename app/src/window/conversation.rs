//! What was said in a tab, turn by turn: prompts, answers, thinking, tool calls, ends.
//!
//! A [`View`] is the state of one shown tab: where it is scrolled to, what is unfolded, what is marked,
//! what is looked for. What was said itself is in a [`Transcript`], which its owner keeps and hands in; the
//! owner also tells the view what has changed in it. Tabs, what is asked, and what is said next are
//! screens of their own.

mod bar;
pub mod bench;
mod draw;
mod find;
mod item;
mod keys;
mod picture;
pub mod scene;
#[cfg(test)]
mod tests;
mod texts;
mod words;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use iced::widget::{Space, column, container};
use iced::{Element, Length, Padding, Task};
use maestro_core::command::Id;
use maestro_core::conversation::{Applied, Body, Entry, Tab, ToolState, Transcript};
use maestro_core::keymap::Keymap;
use maestro_ui::list::{self, Where};
use maestro_ui::live::Said;
use maestro_ui::select;
use maestro_ui::theme::{Tokens, extent, space};
use maestro_ui::{live, pile, style};
use regex::Regex;

use draw::Drawer;
use find::{Bar, Found};
use item::{Fold, Item, Manner};
pub use item::{Thinking, blanks, inks};
pub use picture::{Shown, read_bytes};

/// The search bar's id.
pub const FIND: &str = "turns-find";

/// The filter's id.
pub const FILTER: &str = "turns-filter";

/// Entries whose pieces are kept, beside those in sight.
const KEPT: usize = 400;

/// Pictures that are kept.
const PICTURES: usize = 64;

/// Pictures are looked for in so many of the last entries.
const RECENT: usize = 400;

/// What is shown beside the transcript.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Colours.
    pub tokens: &'static Tokens,
    /// Chords to teach.
    pub keymap: &'a Keymap,
    /// The tab.
    pub tab: &'a Tab,
    /// What was said in it.
    pub transcript: &'a Transcript,
    /// Whether the entries have the keyboard: then the marked one shows it.
    pub focused: bool,
    /// Now: milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Whether what works turns.
    pub turning: bool,
}

/// The state of a tab that is shown.
#[derive(Debug, Default)]
pub struct View {
    place: list::Shared,
    /// What its user folded or unfolded.
    folds: HashMap<u64, Fold>,
    /// How much is shown of everything else.
    all: Option<Fold>,
    thinking: Thinking,
    /// The marked entry.
    cursor: Option<u64>,
    /// What is selected with the mouse.
    selection: select::Shared,
    find: Option<Bar>,
    found: Found,
    filter: Option<Bar>,
    /// Whether the filter hides what does not fit.
    filter_keeps: Cell<bool>,
    /// Where the keyboard was when a bar was opened.
    from_entries: bool,
    /// Whether the entries had the keyboard when they were drawn last.
    focused: Cell<bool>,
    pictures: HashMap<PathBuf, Shown>,
    items: RefCell<HashMap<u64, Kept>>,
    /// Counts what makes all pieces others than before.
    manner: u64,
    /// Entries that are others than their pieces.
    dirty: RefCell<HashSet<u64>>,
}

/// Pieces that are kept.
#[derive(Debug)]
struct Kept {
    item: Rc<Item>,
    manner: u64,
}

/// What happens in it.
#[derive(Debug, Clone)]
pub enum Message {
    /// A button of a bar was pressed that does the same as a command.
    Pressed(Which, Id),
    /// The text in a bar is another one.
    Edited(Which, String),
    /// A bar was pressed.
    BarFocused(Which),
    /// There is more to look through.
    Looking,
    /// The beginning of what is here came into sight.
    Started,
    /// An entry was pressed.
    Marked(u64),
    /// An entry is to be unfolded, or folded.
    Toggled(u64),
    /// A code block of an entry is to be copied, by its number.
    CodeCopied(u64, usize),
    /// A link was pressed.
    Followed(String),
    /// The newest is wanted.
    Caught,
    /// Text was selected with the mouse.
    Selected,
    /// Pictures were looked at.
    Pictures(Vec<(PathBuf, Shown)>),
}

/// One of the bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// What is looked for.
    Find,
    /// What it is filtered by.
    Filter,
}

/// What its owner is to do.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// Put this into the clipboard, and say so in a few words ("Code copied").
    Copy(String, &'static str),
    /// Put this where the middle button of the mouse takes it from, on systems that know such a place.
    Primary(String),
    /// Ask whether to open this address, as for a link in a terminal.
    Open(String),
    /// Read older entries: those before this number.
    Older(u64),
    /// Give the keyboard to somebody.
    Keyboard(Keyboard),
    /// Write the whole conversation into a file of this kind.
    Export(Format),
    /// Go on with this.
    Run(Task<Message>),
}

/// Who may have the keyboard in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyboard {
    /// What is said next.
    Composer,
    /// The entries.
    Entries,
    /// The input with this id: the search bar's, or the filter's.
    Input(&'static str),
}

/// What a conversation is exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One HTML file that needs nothing else.
    Html,
    /// Markdown.
    Markdown,
}

impl View {
    /// A view that follows the end.
    #[must_use]
    pub fn new() -> Self {
        Self { filter_keeps: Cell::new(true), ..Self::default() }
    }

    /// Takes in what came of an update of the transcript. [`Applied::Gap`] and [`Applied::Stale`] are the
    /// owner's to mend.
    pub fn heard(&mut self, applied: Applied, transcript: &Transcript) -> Action {
        let (Applied::Added(n) | Applied::Changed(n)) = applied else { return Action::None };
        let _ = self.dirty.get_mut().insert(n);
        self.place.change(|place| place.changed(n));
        let hidden = |entry: &Entry| {
            self.thinking == Thinking::Off && matches!(entry.body, Body::Thinking(_))
        };
        let entry = transcript.get(n).filter(|entry| !hidden(entry));
        let regex = self.find.as_ref().and_then(|bar| bar.regex.as_ref());
        if let (Some(regex), Some(_)) = (regex, entry) {
            self.found.changed(n, regex, transcript);
        }
        match entry {
            Some(entry) if matches!(entry.body, Body::Prompt(_)) => self.pictures_of([entry]),
            _ => Action::None,
        }
    }

    /// The transcript is another one: it was opened anew. What is unfolded and marked stays.
    pub fn replaced(&mut self, transcript: &Transcript) -> Action {
        self.items.get_mut().clear();
        self.dirty.get_mut().clear();
        self.place.change(list::Place::forget);
        self.found = Found::default();
        if let Some(next) = transcript.next() {
            self.cursor = self.cursor.filter(|cursor| *cursor < next);
        }
        let pictures = self.pictures_of(transcript.iter().rev().take(RECENT));
        match (self.look(transcript), pictures) {
            (Action::Run(look), Action::Run(pictures)) => {
                Action::Run(Task::batch([look, pictures]))
            }
            (Action::None, pictures) => pictures,
            (look, _) => look,
        }
    }

    /// Older entries were put before the others.
    pub fn prepended(&mut self, transcript: &Transcript) -> Action {
        self.found.grown();
        let look = self.look(transcript);
        if matches!(look, Action::None) {
            return self.pictures_of(transcript.iter().take(RECENT));
        }
        look
    }

    /// Whether the search bar or the filter is open and has the keyboard: then chords are looked up in
    /// [`maestro_core::command::Context::Search`].
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.active().is_some()
    }

    /// Which bar has the keyboard.
    fn active(&self) -> Option<Which> {
        let active = |bar: &Option<Bar>| bar.as_ref().is_some_and(|bar| bar.active);
        if active(&self.find) {
            Some(Which::Find)
        } else {
            active(&self.filter).then_some(Which::Filter)
        }
    }

    /// What is shown of thinking.
    #[must_use]
    #[cfg(test)]
    pub fn thinking(&self) -> Thinking {
        self.thinking
    }

    /// Whether it stays at the end, whatever comes.
    #[must_use]
    #[cfg(test)]
    pub fn is_following(&self) -> bool {
        self.place.read(list::Place::is_following)
    }

    /// Whether something in sight changes with the time: then it is to be drawn once a second.
    #[must_use]
    pub fn is_ticking(&self, transcript: &Transcript) -> bool {
        let runs = |n| {
            let entry = transcript.get(n);
            let body = entry.map(|entry| &entry.body);
            matches!(body, Some(Body::Tool(tool)) if tool.state == ToolState::Running)
        };
        self.place.read(|place| place.shown().iter().any(|shown| runs(shown.section)))
    }

    /// Shows an entry and marks it.
    pub fn go_to(&mut self, entry: u64) {
        self.cursor = Some(entry);
        self.place.change(|place| place.show(entry, 0, Where::Top));
    }

    /// Takes in what happened in it.
    pub fn update(&mut self, message: Message, transcript: &Transcript) -> Action {
        match message {
            Message::Pressed(which, id) => {
                self.focus_bar(which);
                self.command(id, transcript).unwrap_or(Action::None)
            }
            Message::Edited(which, text) => {
                self.focus_bar(which);
                if let Some(bar) = self.bar_mut(which) {
                    bar.edit(&text);
                }
                self.asked_anew(which, transcript)
            }
            Message::BarFocused(which) => {
                self.focus_bar(which);
                Action::Keyboard(Keyboard::Input(id_of(which)))
            }
            Message::Looking => self.look(transcript),
            Message::Started => match transcript.first() {
                Some(first) if first > 0 => Action::Older(first),
                _ => Action::None,
            },
            Message::Marked(n) => {
                self.cursor = Some(n);
                self.unfocus_bars();
                Action::Keyboard(Keyboard::Entries)
            }
            Message::Toggled(n) => {
                self.toggle(n, transcript);
                Action::None
            }
            Message::CodeCopied(n, number) => self.copy_code(n, number, transcript),
            Message::Followed(address) => Action::Open(address),
            Message::Caught => {
                self.place.change(list::Place::to_end);
                Action::None
            }
            Message::Selected => self.selected(transcript).map_or(Action::None, Action::Primary),
            Message::Pictures(pictures) => {
                self.pictures.extend(pictures);
                Action::None
            }
        }
    }

    fn bar_mut(&mut self, which: Which) -> Option<&mut Bar> {
        match which {
            Which::Find => self.find.as_mut(),
            Which::Filter => self.filter.as_mut(),
        }
    }

    fn focus_bar(&mut self, which: Which) {
        for (bar, own) in [(&mut self.find, Which::Find), (&mut self.filter, Which::Filter)] {
            if let Some(bar) = bar {
                bar.active = own == which;
            }
        }
    }

    fn unfocus_bars(&mut self) {
        for bar in [&mut self.find, &mut self.filter].into_iter().flatten() {
            bar.active = false;
        }
    }

    /// A query is another one: what was found is forgotten, what is hidden is another.
    fn asked_anew(&mut self, which: Which, transcript: &Transcript) -> Action {
        self.made_anew();
        match which {
            Which::Find => {
                self.found = Found::default();
                self.look(transcript)
            }
            Which::Filter => {
                self.place.change(list::Place::forget);
                Action::None
            }
        }
    }

    /// All pieces are others than before.
    fn made_anew(&mut self) {
        self.manner += 1;
    }

    /// Looks through some more of what was said; goes to the first match as soon as there is one.
    fn look(&mut self, transcript: &Transcript) -> Action {
        let Some(regex) = self.find.as_ref().and_then(|bar| bar.regex.clone()) else {
            return Action::None;
        };
        let before = self.found.matches.len();
        let hidden = self.thinking == Thinking::Off;
        let shown = |entry: &Entry| !(hidden && matches!(entry.body, Body::Thinking(_)));
        let more = self.found.look(&regex, transcript, shown);
        if self.found.current.is_none()
            || (self.found.reaching && self.found.matches.len() > before)
        {
            self.found.reaching = false;
            let _ = self.step(true, transcript);
        }
        if more {
            return Action::Run(Task::done(Message::Looking));
        }
        match transcript.first() {
            Some(first) if first > 0 && self.found.reaching => Action::Older(first),
            _ => {
                self.found.reaching = false;
                Action::None
            }
        }
    }

    /// Goes to the next match.
    fn step(&mut self, older: bool, transcript: &Transcript) -> Action {
        let at_last = self.found.current.is_some_and(|at| at + 1 >= self.found.matches.len());
        if older && self.found.done && (at_last || self.found.matches.is_empty()) {
            // Before it begins again at the end, what is not here yet is looked at.
            if let Some(first) = transcript.first().filter(|first| *first > 0) {
                self.found.reaching = true;
                return Action::Older(first);
            }
        }
        let Some((n, nth)) = self.found.step(older) else { return Action::None };
        let Some(entry) = transcript.get(n) else { return Action::None };
        self.cursor = Some(n);
        if item::fold(entry, self.manner_of(n)) != Fold::Open {
            let _ = self.folds.insert(n, Fold::Open);
            let _ = self.dirty.get_mut().insert(n);
        }
        let part = self.part_of(entry, nth);
        self.place.change(|place| place.show(n, part, Where::Middle));
        Action::None
    }

    /// The piece of an entry in which a match is shown.
    fn part_of(&self, entry: &Entry, nth: usize) -> usize {
        let Some(regex) = self.looked_for() else { return 0 };
        let item = self.item(entry);
        let mut left = nth;
        let mut last = 0;
        for (part, piece) in item.pieces.iter().enumerate() {
            let texts = texts::texts(piece, entry);
            let count: usize = texts.iter().map(|text| regex.find_iter(&text.text).count()).sum();
            if count > left {
                return part;
            }
            if count > 0 {
                last = part;
            }
            left -= count;
        }
        last
    }

    fn toggle(&mut self, n: u64, transcript: &Transcript) {
        let Some(entry) = transcript.get(n) else { return };
        let folded = if matches!(entry.body, Body::Prompt(_)) { Fold::Peek } else { Fold::Folded };
        let fold = match item::fold(entry, self.manner_of(n)) {
            Fold::Open => folded,
            Fold::Peek | Fold::Folded => Fold::Open,
        };
        let _ = self.folds.insert(n, fold);
        let _ = self.dirty.get_mut().insert(n);
        // Whoever unfolds something wants to see it, not the end.
        let shown = self.place.read(|place| {
            place.shown().iter().find(|at| at.section == n).map(|at| (at.part, at.y))
        });
        if let Some((part, _)) = shown.filter(|(_, y)| *y < 0.0) {
            self.place.change(|place| place.show(n, part.min(1).min(part), Where::Top));
        } else {
            self.place.change(list::Place::hold);
        }
    }

    /// What is looked for, made ready.
    fn looked_for(&self) -> Option<&Regex> {
        self.find.as_ref()?.regex.as_ref()
    }

    fn manner_of(&self, n: u64) -> Manner<'_> {
        let filter = self.filter.as_ref().and_then(|bar| bar.regex.as_ref());
        Manner {
            fold: self.folds.get(&n).copied().or(self.all),
            thinking: self.thinking,
            find: self.looked_for(),
            filter: filter.map(|regex| (regex, self.filter_keeps.get())),
        }
    }

    /// The pieces of an entry.
    fn item(&self, entry: &Entry) -> Rc<Item> {
        let mut items = self.items.borrow_mut();
        let dirty = self.dirty.borrow_mut().remove(&entry.n);
        if let Some(kept) = items.get(&entry.n).filter(|kept| !dirty && kept.manner == self.manner)
        {
            return Rc::clone(&kept.item);
        }
        // An entry that was replaced may not begin as it did; then nothing of it is used again.
        let before = items.remove(&entry.n).and_then(|kept| Rc::try_unwrap(kept.item).ok());
        let item = Rc::new(Item::new(entry, self.manner_of(entry.n), before));
        let _ = items.insert(entry.n, Kept { item: Rc::clone(&item), manner: self.manner });
        item
    }

    fn pieces(&self, entry: &Entry) -> usize {
        self.item(entry).pieces.len()
    }

    /// How many matches of an entry are not marked: folded away, or in the header of its card.
    fn folded_away(&self, entry: &Entry) -> usize {
        let Some(regex) = self.looked_for() else { return 0 };
        let all = self.found.count_of(entry.n);
        if all == 0 {
            return 0;
        }
        let item = self.item(entry);
        let marks =
            |piece: &&item::Piece| !matches!(piece, item::Piece::Head(_) | item::Piece::Path(_));
        let texts = item.pieces.iter().filter(marks).flat_map(|piece| texts::texts(piece, entry));
        let seen: usize = texts.map(|text| regex.find_iter(&text.text).count()).sum();
        all.saturating_sub(seen)
    }

    fn picture(&self, path: &Path) -> Option<&Shown> {
        self.pictures.get(path)
    }

    /// Looks at the pictures of entries that were not looked at yet.
    fn pictures_of<'e>(&mut self, entries: impl IntoIterator<Item = &'e Entry>) -> Action {
        let mut wanted = Vec::new();
        for entry in entries {
            let Body::Prompt(prompt) = &entry.body else { continue };
            for image in &prompt.images {
                let known = self.pictures.contains_key(&image.path);
                if !known && self.pictures.len() < PICTURES {
                    let _ = self.pictures.insert(image.path.clone(), Shown::Awaited);
                    wanted.push(image.path.clone());
                }
            }
        }
        if wanted.is_empty() {
            return Action::None;
        }
        Action::Run(Task::perform(picture::read_all(wanted), Message::Pictures))
    }

    /// Forgets pieces that are out of sight, when there are many.
    fn tidy(&self) {
        let mut items = self.items.borrow_mut();
        if items.len() <= KEPT {
            return;
        }
        let shown: HashSet<u64> =
            self.place.read(|place| place.shown().iter().map(|shown| shown.section).collect());
        items.retain(|n, _| shown.contains(n));
        self.dirty.borrow_mut().retain(|n| shown.contains(n));
    }

    /// The turns, as large as there is place.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        self.tidy();
        self.focused.set(context.focused);
        let (tokens, transcript) = (context.tokens, context.transcript);
        let first = transcript.first().unwrap_or(0);
        let sections = first..transcript.next().unwrap_or(first);
        let parts = move |n| transcript.get(n).map_or(0, |entry| self.pieces(entry));
        let build = move |n: u64, part: usize| -> Element<'a, Message> {
            let Some(entry) = transcript.get(n) else { return Space::new().into() };
            let item = self.item(entry);
            let Some(piece) = item.pieces.get(part) else { return Space::new().into() };
            let drawer = Drawer {
                view: self,
                context,
                entry,
                fold: item::fold(entry, self.manner_of(n)),
                part,
                marked: context.focused && self.cursor == Some(n),
                first: n == first,
            };
            drawer.piece(piece)
        };
        let estimate = move |n, width| {
            let entry = transcript.get(n);
            entry.map_or(0.0, |entry| item::estimate(entry, self.manner_of(n), width))
        };
        let list = maestro_ui::list(tokens, &self.place, sections, parts, build, estimate)
            .column(extent::TURNS)
            .gutter(draw::MARK)
            .room(space::XL, space::XL)
            .on_start((first > 0).then_some(Message::Started))
            .on_press(Message::Marked)
            .selection(&self.selection, Message::Selected);
        let bars = self.bars(context);
        let shown = bars.is_some();
        let place = self.place.clone();
        let chord = context.keymap.title(Id::TurnsBottom);
        let newer = live(
            tokens,
            move || place.read(|place| (place.is_following(), place.unseen())),
            move |(following, unseen)| newer(following, unseen, chord.as_deref()),
            Some(Message::Caught),
        );
        let newer =
            container(newer).align_right(Length::Fill).padding(Padding::ZERO.right(space::M));
        let over = column![].push(bars).push(Space::new().height(Length::Fill)).push(newer);
        let over = container(over).padding(space::XS).width(Length::Fill).height(Length::Fill);
        container(pile(list, over, shown)).style(move |_| style::surface(tokens.base)).into()
    }

    fn bars<'a>(&'a self, context: Context<'a>) -> Option<Element<'a, Message>> {
        let (tokens, keymap) = (context.tokens, context.keymap);
        let more = context.transcript.first().is_some_and(|first| first > 0);
        let find = self.find.as_ref().map(|find| {
            let count =
                if find.regex.is_some() { self.found.count(more) } else { Default::default() };
            bar::find(tokens, keymap, find, count)
        });
        let filter = self.filter.as_ref();
        let filter =
            filter.map(|filter| bar::filter(tokens, keymap, filter, self.filter_keeps.get()));
        if find.is_none() && filter.is_none() {
            return None;
        }
        Some(column![].push(find).push(filter).spacing(space::XS).into())
    }
}

fn id_of(which: Which) -> &'static str {
    match which {
        Which::Find => FIND,
        Which::Filter => FILTER,
    }
}

/// That something is below what is in sight, and how much of it is new.
fn newer(following: bool, unseen: u64, chord: Option<&str>) -> Option<Said> {
    if following {
        return None;
    }
    let chord = chord.map(|chord| format!("  {}", maestro_ui::part::spaced(chord)));
    let chord = chord.unwrap_or_default();
    match unseen {
        0 => Some(Said { words: format!("To the end ↓{chord}"), loud: false }),
        count => Some(Said { words: format!("{count} new ↓{chord}"), loud: true }),
    }
}
