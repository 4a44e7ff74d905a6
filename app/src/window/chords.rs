//! Every command with its chords, found by a few letters: as help, which runs the marked one, and as the
//! page on which commands get other chords.

use iced::widget::{button, column, container, mouse_area, row};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::command::{self, Command, Context, Group, Id, Place};
use maestro_core::fuzzy;
use maestro_core::input::{Code, Key, Mods};
use maestro_core::keymap::{Chord, Keymap, Keys, Platform};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::page;

/// Width of the page.
pub const WIDTH: f32 = 860.0;

/// The input's id.
pub const INPUT: &str = "chords-input";

/// Height of a row.
const ROW: f32 = 32.0;

/// What is above and below the rows: title, input, what is said about the marked one, the keys.
const AROUND: f32 = 300.0;

/// The most chords that a command may have: as many as the file allows.
const MOST: usize = 8;

/// What the page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Looking something up, and running it.
    Help,
    /// Giving commands other chords.
    Edit,
}

/// A line of the list.
#[derive(Debug, Clone, Copy)]
enum Item {
    Heading(Group),
    Command(&'static Command),
}

/// What the keyboard is for at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// Moving in the list.
    List,
    /// Every key is one of the chords to come.
    Recording { id: Id, add: bool, held: Vec<Chord> },
    /// The chords are others' already: Enter takes them from there.
    Asking { id: Id, chords: Vec<Keys>, takes: Vec<(Id, Vec<Keys>)>, why: String },
}

/// A command that gets other chords; nothing for its default ones.
pub type Change = (Id, Option<Vec<Keys>>);

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Close the page.
    Close,
    /// Close it, and run this.
    Run(Id),
    /// Write these into the file, in this order.
    Write(Vec<Change>),
    /// Put one's own chords into the clipboard.
    Export,
    /// Take over the chords in the clipboard.
    Import,
    /// Open the file.
    Open,
}

/// What happens on the page.
#[derive(Debug, Clone)]
pub enum Message {
    /// Other words are looked for.
    Queried(String),
    /// A row was pressed.
    Picked(usize),
    /// The wheel was turned: positive is down.
    Scrolled(i32),
    /// A key was pressed that may be a chord.
    Pressed(Box<Key>),
}

/// The open page.
#[derive(Debug, Clone)]
pub struct View {
    purpose: Purpose,
    keymap: Keymap,
    own: Vec<Change>,
    /// Where the keyboard was before, and what was there.
    here: (Context, Place),
    query: String,
    items: Vec<Item>,
    marked: usize,
    top: usize,
    shown: usize,
    /// Only what can be done where the keyboard was.
    only_here: bool,
    /// Only those whose chords are one's own.
    only_own: bool,
    phase: Phase,
    /// What was wrong.
    why: Option<String>,
    /// Whether everything is reset at the next press.
    asked: bool,
}

impl View {
    /// An open page.
    #[must_use]
    pub fn new(purpose: Purpose, keymap: Keymap, own: Own, here: (Context, Place)) -> Self {
        let own = own.into_iter().map(|(id, chords)| (id, Some(chords))).collect();
        let mut page = Self {
            purpose,
            keymap,
            own,
            here,
            query: String::new(),
            items: Vec::new(),
            marked: 0,
            top: 0,
            shown: 12,
            only_here: false,
            only_own: false,
            phase: Phase::List,
            why: None,
            asked: false,
        };
        page.find();
        page
    }

    /// Whether keys are chords to come.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        matches!(self.phase, Phase::Recording { .. })
    }

    /// The window has this height.
    pub fn fit(&mut self, height: f32) {
        let shown = ((height - AROUND) / ROW).clamp(3.0, 16.0) as usize;
        if shown != self.shown {
            self.shown = shown;
            self.show_marked();
        }
    }

    /// The file was read.
    pub fn heard(&mut self, keymap: Keymap, own: Own) {
        self.keymap = keymap;
        self.own = own.into_iter().map(|(id, chords)| (id, Some(chords))).collect();
        self.why = None;
        let marked = self.marked();
        self.find();
        self.mark(marked);
    }

    /// The file cannot be read or written.
    pub fn failed(&mut self, why: String) {
        self.why = Some(why);
        self.phase = Phase::List;
    }

    fn is_own(&self, id: Id) -> bool {
        self.own.iter().any(|(own, _)| *own == id)
    }

    /// The command that is marked.
    fn marked(&self) -> Option<&'static Command> {
        match self.items.get(self.marked)? {
            Item::Command(command) => Some(command),
            Item::Heading(_) => None,
        }
    }

    fn mark(&mut self, command: Option<&'static Command>) {
        let is_it = |item: &Item| matches!(item, Item::Command(it) if Some(it.id) == command.map(|it| it.id));
        let first = self.items.iter().position(|item| matches!(item, Item::Command(_)));
        self.marked = self.items.iter().position(is_it).or(first).unwrap_or_default();
        self.show_marked();
    }

    fn show_marked(&mut self) {
        // A heading above the first row is seen with it.
        let above = self.marked.saturating_sub(1);
        let is_heading = matches!(self.items.get(above), Some(Item::Heading(_)));
        let first = if is_heading { above } else { self.marked };
        self.top = self.top.clamp((self.marked + 1).saturating_sub(self.shown), first);
    }

    fn step(&mut self, by: isize) {
        let count = self.items.len() as isize;
        let mut at = self.marked as isize;
        for _ in 0..count {
            at = (at + by.signum()).rem_euclid(count);
            if matches!(self.items[at as usize], Item::Command(_)) {
                break;
            }
        }
        self.marked = at.max(0) as usize;
        self.show_marked();
    }

    /// The lines that fit what is looked for: by group, or with words the best first.
    fn find(&mut self) {
        let is_meant = |command: &&'static Command| {
            let can_be_here = self.here.0.chain().contains(&command.context);
            let has_chord = !self.keymap.chords(command.id).is_empty();
            let is_known = command.listed || has_chord || self.purpose == Purpose::Edit;
            is_known
                && (!self.only_here || can_be_here)
                && (!self.only_own || self.is_own(command.id))
        };
        let words = self.query.trim().to_lowercase();
        let all = command::ALL.iter().filter(is_meant);
        self.items = if words.is_empty() {
            let all: Vec<&'static Command> = all.collect();
            let mut items = Vec::new();
            for group in Group::ALL {
                let mut within = all.iter().filter(|command| command.group == group).peekable();
                if within.peek().is_some() {
                    items.push(Item::Heading(group));
                    items.extend(within.map(|command| Item::Command(command)));
                }
            }
            items
        } else {
            let mut found: Vec<(i32, &'static Command)> =
                all.filter_map(|command| Some((self.score(command, &words)?, command))).collect();
            found.sort_by_key(|(score, _)| -score);
            found.into_iter().map(|(_, command)| Item::Command(command)).collect()
        };
        self.top = 0;
        self.mark(None);
    }

    /// How well a command fits words: a chord as it is read is the best, then the title, then what is said.
    fn score(&self, command: &Command, words: &str) -> Option<i32> {
        const CHORD: i32 = 100_000;
        let chords = self.keymap.chords(command.id);
        let titles = chords.iter().map(|keys| keys.title(Platform::HERE).to_lowercase());
        let best = titles.filter(|title| title.starts_with(words)).map(|title| title.len()).min();
        if let Some(length) = best {
            return Some(CHORD - length as i32);
        }
        if let Some(found) = fuzzy::find(words, command.title) {
            return Some(found.score);
        }
        let said = format!("{} {} {}", command.name, command.description, command.context.title());
        said.to_lowercase().contains(words).then_some(-CHORD)
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Queried(query) => {
                self.query = query;
                self.find();
            }
            Message::Picked(index) => {
                if matches!(self.items.get(index), Some(Item::Command(_))) {
                    self.marked = index;
                    return self.command(Id::OverlayAccept);
                }
            }
            Message::Scrolled(rows) => {
                let last = self.items.len().saturating_sub(self.shown);
                self.top = self.top.saturating_add_signed(rows as isize).min(last);
            }
            Message::Pressed(key) => return self.pressed(&key),
        }
        Action::None
    }

    /// Does what a key means.
    pub fn command(&mut self, id: Id) -> Action {
        let asked = std::mem::take(&mut self.asked);
        if let Phase::Asking { id: of, chords, takes, .. } = &mut self.phase {
            return match id {
                Id::OverlayAccept => {
                    let mut changes: Vec<Change> = std::mem::take(takes)
                        .into_iter()
                        .map(|(id, left)| (id, Some(left)))
                        .collect();
                    changes.push((*of, Some(std::mem::take(chords))));
                    self.phase = Phase::List;
                    Action::Write(changes)
                }
                Id::OverlayCancel => {
                    self.phase = Phase::List;
                    Action::None
                }
                _ => Action::None,
            };
        }
        self.why = None;
        let edits = self.purpose == Purpose::Edit;
        let marked = self.marked().map(|command| command.id);
        match (id, marked) {
            (Id::OverlayUp | Id::OverlayPrevious, _) => self.step(-1),
            (Id::OverlayDown | Id::OverlayNext, _) => self.step(1),
            (Id::OverlayCancel, _) if !self.query.is_empty() => {
                self.query.clear();
                self.find();
            }
            (Id::OverlayCancel, _) => return Action::Close,
            (Id::OverlayAccept, Some(id)) if !edits => {
                match id.command().unavailable(self.here.1) {
                    Some(why) => self.why = Some(why.to_owned()),
                    None if !id.command().listed => {
                        self.why = Some("its chord does it, where that holds".to_owned());
                    }
                    None => return Action::Run(id),
                }
            }
            (Id::OverlayAccept | Id::KeysAdd, Some(of)) if edits => {
                let add = id == Id::KeysAdd;
                if add && self.keymap.chords(of).len() >= MOST {
                    self.why = Some(format!("a command has no more than {MOST} chords"));
                } else {
                    self.phase = Phase::Recording { id: of, add, held: Vec::new() };
                }
            }
            (Id::KeysNone, Some(id)) if edits => {
                return Action::Write(vec![(id, Some(Vec::new()))]);
            }
            (Id::KeysReset, Some(id)) if edits && self.is_own(id) => {
                return Action::Write(vec![(id, None)]);
            }
            (Id::KeysResetAll, _) if edits && !self.own.is_empty() => {
                if asked {
                    return Action::Write(self.own.iter().map(|(id, _)| (*id, None)).collect());
                }
                self.asked = true;
            }
            (Id::KeysOwn, _) if edits => {
                self.only_own = !self.only_own;
                self.find();
            }
            (Id::KeysHere, _) => {
                self.only_here = !self.only_here;
                self.find();
            }
            (Id::KeysExport, _) if edits => return Action::Export,
            (Id::KeysImport, _) if edits => return Action::Import,
            (Id::KeysFile, _) => return Action::Open,
            _ => {}
        }
        Action::None
    }

    /// A key while chords are recorded: Enter ends it, Escape leaves all as it was, Backspace begins anew.
    fn pressed(&mut self, key: &Key) -> Action {
        let Phase::Recording { id, add, held } = &mut self.phase else { return Action::None };
        let (id, add) = (*id, *add);
        let bare = key.mods == Mods::default();
        match key.code {
            Code::Escape if bare => self.phase = Phase::List,
            Code::Backspace if bare => held.clear(),
            Code::Enter if bare => {
                if let Some(keys) = keys_of(held) {
                    return self.recorded(id, add, keys);
                }
            }
            _ => {
                if let Some(chord) = chord_of(key, Platform::HERE) {
                    if held.len() == 2 {
                        held.clear();
                    }
                    held.push(chord);
                }
            }
        }
        Action::None
    }

    fn recorded(&mut self, id: Id, add: bool, keys: Keys) -> Action {
        let command = id.command();
        self.phase = Phase::List;
        if command.context.is_written_in() && keys.writes() {
            let title = keys.title(Platform::HERE);
            let place = command.context.title();
            self.why =
                Some(format!("{title} writes something in {place}: hold Ctrl or Alt with it"));
            return Action::None;
        }
        let mut chords = if add { self.keymap.chords(id).to_vec() } else { Vec::new() };
        if !chords.contains(&keys) {
            chords.push(keys);
        }
        let mut takes: Vec<(Id, Vec<Keys>)> = Vec::new();
        let mut names = Vec::new();
        for (holder, own) in self.keymap.in_the_way(command.context, keys) {
            if holder == id {
                chords.retain(|other| *other == keys || *other != own);
                continue;
            }
            let title = holder.command().title.trim_end_matches('…');
            names.push(format!("{} is “{title}”", own.title(Platform::HERE)));
            match takes.iter_mut().find(|(other, _)| *other == holder) {
                Some((_, left)) => left.retain(|other| *other != own),
                None => {
                    let left = self.keymap.chords(holder).iter().copied();
                    takes.push((holder, left.filter(|other| *other != own).collect()));
                }
            }
        }
        if takes.is_empty() {
            return Action::Write(vec![(id, Some(chords))]);
        }
        let why = match names.as_slice() {
            [one, two, three, rest @ ..] if !rest.is_empty() => {
                format!("{one}, {two}, {three}, and {} more", rest.len())
            }
            names => names.join(", "),
        };
        self.phase = Phase::Asking { id, chords, takes, why };
        Action::None
    }

    /// The page.
    pub fn view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let (title, hint) = match self.purpose {
            Purpose::Help => ("Help", "Find a command or a chord…"),
            Purpose::Edit => ("Chords", "Find a command or a chord…"),
        };
        let place = format!("only in {}", self.here.0.title());
        let on = |on: bool, words: &str| {
            let ink = if on { tokens.accent } else { tokens.faint };
            on.then(|| line(words.to_owned(), type_scale::SMALL, font::MEDIUM, ink))
        };
        let heading = row![line(title, type_scale::TITLE, font::SEMIBOLD, tokens.text).fill()]
            .push(on(self.only_here, &place))
            .push(on(self.only_own, "only your own"))
            .spacing(space::M)
            .align_y(Alignment::Center)
            .padding(Padding::new(space::L).bottom(space::S));
        let input = page::finder(tokens, INPUT, hint, &self.query, Message::Queried);
        column![
            heading,
            input,
            part::rule(tokens),
            self.list(tokens),
            part::rule(tokens),
            self.about(tokens),
            part::rule(tokens),
            self.foot(tokens),
        ]
        .into()
    }

    fn list(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        if self.items.is_empty() {
            let words = match (self.only_own, self.query.is_empty()) {
                (true, true) => "Every command has its default chords.".to_owned(),
                _ => format!("Nothing is called “{}”. Fewer letters find more.", self.query),
            };
            return container(part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim))
                .padding(space::L)
                .height(ROW * 2.0)
                .into();
        }
        let shown = self.items.iter().enumerate().skip(self.top).take(self.shown);
        let rows = shown.map(|(index, item)| match item {
            Item::Heading(group) => {
                container(line(group.title(), type_scale::TINY, font::SEMIBOLD, tokens.faint))
                    .padding(Padding::ZERO.left(space::L).bottom(space::XS))
                    .height(ROW)
                    .width(Length::Fill)
                    .align_y(Alignment::End)
                    .into()
            }
            Item::Command(command) => self.row(tokens, index, command),
        });
        mouse_area(column(rows)).on_scroll(|delta| Message::Scrolled(wheel(delta))).into()
    }

    fn row(
        &self,
        tokens: &'static Tokens,
        index: usize,
        command: &'static Command,
    ) -> Element<'_, Message> {
        let marked = index == self.marked;
        let unavailable = command.unavailable(self.here.1).is_some();
        let plain = if unavailable { tokens.dim } else { tokens.text };
        let title = command.title.trim_end_matches('…');
        let title = line(title, type_scale::BASE, font::MEDIUM, plain).fill();
        let place = line(command.context.title(), type_scale::SMALL, font::REGULAR, tokens.faint);
        let recording = match &self.phase {
            Phase::Recording { id, held, .. } if *id == command.id => Some(held),
            _ => None,
        };
        let chords: Element<'_, Message> = match recording {
            Some(held) if held.is_empty() => {
                line("press the keys…", type_scale::SMALL, font::MEDIUM, tokens.accent).into()
            }
            Some(held) => {
                let held = held.iter().map(|chord| chord.title(Platform::HERE));
                let held: Vec<String> = held.collect();
                part::chord(tokens, &held.join(" "))
            }
            None => {
                let chords = self.keymap.chords(command.id).iter().take(3);
                let chords = chords.map(|keys| part::chord(tokens, &keys.title(Platform::HERE)));
                row(chords).spacing(space::XS).into()
            }
        };
        let mark = if self.is_own(command.id) { tokens.accent } else { Color::TRANSPARENT };
        let mark = part::filled(mark, Length::Fixed(6.0), Length::Fixed(6.0));
        let content =
            row![title, container(place).width(190.0), container(chords).width(260.0), mark]
                .spacing(space::M)
                .align_y(Alignment::Center)
                .height(Length::Fill)
                .padding(Padding::ZERO.left(space::L - extent::BAR).right(space::L));
        let bar = if marked { tokens.accent } else { Color::TRANSPARENT };
        let bar = part::filled(bar, Length::Fixed(extent::BAR), Length::Fill);
        button(row![bar, content])
            .padding(0)
            .height(ROW)
            .width(Length::Fill)
            .style(style::row(tokens, marked))
            .on_press(Message::Picked(index))
            .into()
    }

    /// What the marked command does, and what is going on with its chords.
    fn about(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let about = self.marked().map_or("", |command| command.description);
        let about = part::paragraph(about.to_owned(), type_scale::BASE, font::REGULAR, tokens.dim);
        let small =
            |words: String, ink| part::paragraph(words, type_scale::SMALL, font::MEDIUM, ink);
        let under = match (&self.phase, &self.why) {
            (Phase::Recording { held, .. }, _) => {
                let words = match held.len() {
                    0 => "Press the keys that are to do this.",
                    1 => "Enter takes it; or press a second chord that follows it.",
                    _ => "Enter takes them; another key begins anew.",
                };
                small(words.to_owned(), tokens.accent)
            }
            (Phase::Asking { why, .. }, _) => small(
                format!("{why}. Enter takes it from there, Esc leaves all as it is."),
                tokens.orange,
            ),
            (_, Some(why)) => small(part::sentence(why), tokens.red),
            _ if self.asked => {
                let words = "Press it once more to give every command its default chords.";
                small(words.to_owned(), tokens.orange)
            }
            _ => {
                let words = match self.marked() {
                    Some(command) => {
                        let reason = command.unavailable(self.here.1);
                        let reason = reason.map(|why| format!(" · {why}")).unwrap_or_default();
                        format!("{}{reason}", command.name)
                    }
                    None => String::new(),
                };
                line(words, type_scale::SMALL, font::MONO, tokens.faint).into()
            }
        };
        container(column![about, under].spacing(space::XS))
            .padding([space::M, space::L])
            .width(Length::Fill)
            .height(76.0)
            .clip(true)
            .into()
    }

    fn foot(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let quiet =
            |words: &'static str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let fixed = |chord: &str, words: &'static str| {
            row![part::chord(tokens, chord), quiet(words)].spacing(space::XS)
        };
        let hint = |id: Id, words: &'static str| {
            let chord = self.keymap.title(id).map(|chord| part::chord(tokens, &chord));
            row![].push(chord).push(quiet(words)).spacing(space::XS)
        };
        let hints = match (&self.phase, self.purpose) {
            (Phase::Recording { .. }, _) => {
                row![fixed("↵", "take"), fixed("Backspace", "anew"), fixed("Esc", "leave")]
            }
            (Phase::Asking { .. }, _) => row![fixed("↵", "take it"), fixed("Esc", "leave")],
            (Phase::List, Purpose::Help) => row![
                fixed("↵", "run"),
                hint(Id::KeysHere, "only here"),
                hint(Id::KeysFile, "file"),
                fixed("Esc", "close"),
            ],
            (Phase::List, Purpose::Edit) => row![
                fixed("↵", "record"),
                hint(Id::KeysAdd, "add"),
                hint(Id::KeysNone, "none"),
                hint(Id::KeysReset, "default"),
                hint(Id::KeysOwn, "own"),
                hint(Id::KeysExport, "copy"),
                hint(Id::KeysImport, "paste"),
            ],
        };
        let below = self.items.len().saturating_sub(self.top + self.shown);
        let more = (below > 0)
            .then(|| line(format!("{below} more"), type_scale::SMALL, font::REGULAR, tokens.faint));
        row![hints.spacing(space::M), quiet("").fill()]
            .push(more)
            .align_y(Alignment::Center)
            .padding([8.0, space::L])
            .into()
    }
}

/// Commands with chords of one's own.
pub type Own = Vec<(Id, Vec<Keys>)>;

fn wheel(delta: iced::mouse::ScrollDelta) -> i32 {
    match delta {
        iced::mouse::ScrollDelta::Lines { y, .. } => -(y * 2.0).round() as i32,
        iced::mouse::ScrollDelta::Pixels { y, .. } => -(y / ROW).round() as i32,
    }
}

fn keys_of(held: &[Chord]) -> Option<Keys> {
    let (first, then) = (held.first()?, held.get(1));
    Some(Keys { first: *first, then: then.copied() })
}

/// The chord that a key is, as a person would write it on any platform.
pub(super) fn chord_of(key: &Key, platform: Platform) -> Option<Chord> {
    let code = match (key.code, key.base) {
        (Code::Unknown, _) => return None,
        // On a layout without Latin letters the physical key is meant.
        (Code::Char(c), Some(base)) if !c.is_ascii() => Code::Char(base),
        (Code::Char(c), _) => Code::Char(c.to_lowercase().next().unwrap_or(c)),
        (code, _) => code,
    };
    let mut mods = key.mods;
    let primary = match platform {
        Platform::Mac => std::mem::take(&mut mods.logo),
        Platform::Other => std::mem::take(&mut mods.control),
    };
    Some(Chord { primary, mods, code })
}

#[cfg(test)]
mod tests {
    use maestro_core::input;

    use super::*;

    fn page(purpose: Purpose) -> View {
        let here = (Context::Terminal, Place::FULL);
        View::new(purpose, Keymap::new(Platform::HERE), Vec::new(), here)
    }

    /// Marks the first command that words find.
    fn at(page: &mut View, words: &str) -> Id {
        let _ = page.update(Message::Queried(words.to_owned()));
        page.marked().expect("a command").id
    }

    fn press(page: &mut View, text: &str) -> Action {
        let (mods, code) = text.parse::<Chord>().expect(text).pressed(Platform::HERE);
        let key = Key {
            code,
            mods,
            text: String::new(),
            action: input::Action::Press,
            base: None,
            shifted: None,
            keypad: false,
        };
        page.update(Message::Pressed(Box::new(key)))
    }

    fn keys(text: &str) -> Keys {
        text.parse().expect(text)
    }

    #[test]
    fn help_finds_commands_and_chords_and_runs_what_can_be_run() {
        let mut page = page(Purpose::Help);
        assert!(matches!(page.items[0], Item::Heading(_)));
        assert_eq!(at(&mut page, "new agent"), Id::AgentNew);
        assert_eq!(page.command(Id::OverlayAccept), Action::Run(Id::AgentNew));
        let chord = Keymap::new(Platform::HERE).title(Id::Palette).expect("a chord");
        assert_eq!(at(&mut page, &chord), Id::Palette);
        assert_eq!(page.command(Id::OverlayCancel), Action::None, "the words go first");
        assert_eq!(page.command(Id::OverlayCancel), Action::Close);
        page.here.1 = Place::default();
        let _ = at(&mut page, "clear the screen");
        assert_eq!(page.command(Id::OverlayAccept), Action::None);
        assert!(page.why.is_some());
        assert_eq!(page.command(Id::KeysNone), Action::None, "help changes nothing");
    }

    #[test]
    fn only_what_holds_here_is_shown_when_asked_for() {
        let mut page = page(Purpose::Help);
        let all = page.items.len();
        let _ = page.command(Id::KeysHere);
        assert!(page.items.len() < all);
        let here = |item: &Item| match item {
            Item::Command(command) => Context::Terminal.chain().contains(&command.context),
            Item::Heading(_) => true,
        };
        assert!(page.items.iter().all(here));
    }

    #[test]
    fn the_marked_row_stays_in_sight_and_headings_are_passed_over() {
        let mut page = page(Purpose::Edit);
        page.fit(600.0);
        for by in [1, 1, -1, -1, -1, 1, 1] {
            page.step(by);
            assert!(page.marked().is_some());
            assert!((page.top..page.top + page.shown).contains(&page.marked));
        }
        for _ in 0..page.items.len() {
            page.step(1);
            assert!((page.top..page.top + page.shown).contains(&page.marked));
        }
        let _ = page.update(Message::Queried("qqqq".to_owned()));
        page.step(1);
        assert_eq!(page.command(Id::OverlayAccept), Action::None);
    }

    #[test]
    fn what_is_pressed_is_recorded() {
        let mut page = page(Purpose::Edit);
        assert_eq!(at(&mut page, "new agent"), Id::AgentNew);
        let _ = page.command(Id::OverlayAccept);
        assert!(page.is_recording());
        assert_eq!(press(&mut page, "Mod+F8"), Action::None);
        let written = Action::Write(vec![(Id::AgentNew, Some(vec![keys("Mod+F8")]))]);
        assert_eq!(press(&mut page, "Enter"), written);
        // Two, one after the other, beside those that are there.
        let _ = page.command(Id::KeysAdd);
        let _ = press(&mut page, "F9");
        let _ = press(&mut page, "A");
        let both = [keys("Mod+N"), keys("F9 A")].to_vec();
        assert_eq!(press(&mut page, "Enter"), Action::Write(vec![(Id::AgentNew, Some(both))]));
        let _ = page.command(Id::OverlayAccept);
        let _ = press(&mut page, "F9");
        assert_eq!(press(&mut page, "Backspace"), Action::None);
        assert_eq!(press(&mut page, "Enter"), Action::None, "nothing was pressed");
        assert_eq!(press(&mut page, "Escape"), Action::None);
        assert!(!page.is_recording());
    }

    #[test]
    fn what_others_have_is_taken_only_when_it_is_said() {
        let mut page = page(Purpose::Edit);
        assert_eq!(at(&mut page, "new agent"), Id::AgentNew);
        let record = |page: &mut View, text: &str| {
            let _ = page.command(Id::OverlayAccept);
            let _ = press(page, text);
            press(page, "Enter")
        };
        assert_eq!(record(&mut page, "Mod+K"), Action::None);
        assert!(
            matches!(&page.phase, Phase::Asking { why, .. } if why.contains("Command palette"))
        );
        assert_eq!(page.command(Id::OverlayCancel), Action::None);
        assert_eq!(page.phase, Phase::List);
        let _ = record(&mut page, "Mod+K");
        let changes =
            vec![(Id::Palette, Some(Vec::new())), (Id::AgentNew, Some(vec![keys("Mod+K")]))];
        assert_eq!(page.command(Id::OverlayAccept), Action::Write(changes));
        assert_eq!(record(&mut page, "X"), Action::None, "it writes something");
        assert!(page.why.as_ref().is_some_and(|why| why.contains("writes")));
    }

    #[test]
    fn chords_go_back_one_by_one_or_all_at_the_second_press() {
        let mut page = page(Purpose::Edit);
        let own = vec![(Id::AgentNew, vec![keys("F3")]), (Id::Quit, Vec::new())];
        page.heard(Keymap::with(Platform::HERE, &own).0, own);
        assert_eq!(at(&mut page, "new agent"), Id::AgentNew);
        assert_eq!(page.command(Id::KeysReset), Action::Write(vec![(Id::AgentNew, None)]));
        assert_eq!(page.command(Id::KeysResetAll), Action::None);
        let _ = page.command(Id::OverlayDown);
        assert_eq!(page.command(Id::KeysResetAll), Action::None, "something else came between");
        let all = Action::Write(vec![(Id::AgentNew, None), (Id::Quit, None)]);
        assert_eq!(page.command(Id::KeysResetAll), all);
        let _ = page.update(Message::Queried(String::new()));
        let _ = page.command(Id::KeysOwn);
        let commands = page.items.iter().filter(|item| matches!(item, Item::Command(_)));
        assert_eq!(commands.count(), 2);
    }
}
