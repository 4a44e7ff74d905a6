//! Chords and what they do.
//!
//! `Mod` in a chord is Command on macOS and Control elsewhere; which of the two is handed in, so that
//! both can be tested anywhere.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use crate::command::{self, Context, Id};
use crate::input::{Action, Code, Key, Mods};

/// Whose habits the chords follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// `Mod` is Command.
    Mac,
    /// `Mod` is Control.
    Other,
}

impl Platform {
    /// The platform this was built for.
    pub const HERE: Self = if cfg!(target_os = "macos") { Self::Mac } else { Self::Other };
}

/// Keys held together, as written in the registry or in a keymap file: `Mod+Shift+W`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    /// Command on macOS, Control elsewhere.
    pub primary: bool,
    /// Modifiers beside it.
    pub mods: Mods,
    /// The key without modifiers; letters are lower case.
    pub code: Code,
}

/// Text that is no chord.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseChordError {
    /// No key after the modifiers.
    #[error("`{0}` names no key: write modifiers and one key, such as Mod+Shift+W")]
    NoKey(String),
    /// A part that is neither a modifier nor, at the end, a key.
    #[error("`{chord}`: there is no key or modifier `{part}`")]
    Unknown {
        /// The text.
        chord: String,
        /// The part.
        part: String,
    },
}

impl Chord {
    /// Whether it is a key that writes something, held alone or with Shift.
    #[must_use]
    pub fn writes(self) -> bool {
        let bare = !self.primary && !self.mods.control && !self.mods.alt && !self.mods.logo;
        bare && matches!(self.code, Code::Char(_) | Code::Enter | Code::Tab | Code::Backspace)
    }

    /// What is really held, with `Mod` resolved.
    #[must_use]
    pub fn pressed(self, platform: Platform) -> (Mods, Code) {
        let mut mods = self.mods;
        match platform {
            Platform::Mac => mods.logo |= self.primary,
            Platform::Other => mods.control |= self.primary,
        }
        (mods, self.code)
    }

    /// Whether it can be meant for everywhere: a letter alone would be taken from all other programs.
    #[must_use]
    pub fn is_for_everywhere(self) -> bool {
        let (mods, code) = self.pressed(Platform::HERE);
        mods.control || mods.alt || mods.logo || matches!(code, Code::F(_) | Code::Pause)
    }

    /// How a person reads it: `Ctrl+Shift+W`, or `⇧⌘W`.
    #[must_use]
    pub fn title(self, platform: Platform) -> String {
        let (mods, code) = self.pressed(platform);
        let key = key_title(code, platform);
        let held = |on: bool, mac: &'static str, other: &'static str| match (on, platform) {
            (false, _) => "",
            (true, Platform::Mac) => mac,
            (true, Platform::Other) => other,
        };
        // The order each platform's own menus use.
        format!(
            "{}{}{}{}{key}",
            held(mods.control, "⌃", "Ctrl+"),
            held(mods.alt, "⌥", "Alt+"),
            held(mods.shift, "⇧", "Shift+"),
            held(mods.logo, "⌘", "Super+"),
        )
    }
}

impl FromStr for Chord {
    type Err = ParseChordError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut chord = Self { primary: false, mods: Mods::default(), code: Code::Unknown };
        // The key itself may be a plus: `Mod++`.
        let (held, key) = match text.strip_suffix('+') {
            Some(rest) if rest.is_empty() || rest.ends_with('+') => (rest, "+"),
            _ => text.rsplit_once('+').unwrap_or(("", text)),
        };
        for part in held.split('+').map(str::trim).filter(|part| !part.is_empty()) {
            match part.to_ascii_lowercase().as_str() {
                "mod" => chord.primary = true,
                "ctrl" | "control" => chord.mods.control = true,
                "alt" | "option" => chord.mods.alt = true,
                "shift" => chord.mods.shift = true,
                "cmd" | "command" | "super" | "logo" => chord.mods.logo = true,
                _ => {
                    let part = part.to_owned();
                    return Err(ParseChordError::Unknown { chord: text.to_owned(), part });
                }
            }
        }
        let key = key.trim();
        if key.is_empty() {
            return Err(ParseChordError::NoKey(text.to_owned()));
        }
        chord.code = parse_key(key).ok_or_else(|| ParseChordError::Unknown {
            chord: text.to_owned(),
            part: key.to_owned(),
        })?;
        Ok(chord)
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, name) in [
            (self.mods.control, "Ctrl+"),
            (self.mods.alt, "Alt+"),
            (self.primary, "Mod+"),
            (self.mods.shift, "Shift+"),
            (self.mods.logo, "Cmd+"),
        ] {
            if on {
                f.write_str(name)?;
            }
        }
        f.write_str(&key_name(self.code))
    }
}

/// What is really held.
pub type Pressed = (Mods, Code);

/// A chord, or two that are pressed one after the other: `Alt+Mod+X T`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Keys {
    /// The chord, or the first of two.
    pub first: Chord,
    /// The second.
    pub then: Option<Chord>,
}

/// Text that is neither a chord nor two.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeysError {
    /// A chord of it is none.
    #[error(transparent)]
    Chord(#[from] ParseChordError),
    /// More than two.
    #[error("`{0}` is more than two chords one after the other")]
    TooMany(String),
}

impl From<Chord> for Keys {
    fn from(first: Chord) -> Self {
        Self { first, then: None }
    }
}

impl Keys {
    /// Whether they begin with a key that writes something.
    #[must_use]
    pub fn writes(self) -> bool {
        self.first.writes()
    }

    /// What is really held, one after the other.
    #[must_use]
    pub fn pressed(self, platform: Platform) -> (Pressed, Option<Pressed>) {
        (self.first.pressed(platform), self.then.map(|then| then.pressed(platform)))
    }

    /// How a person reads them: `Ctrl+Alt+X T`.
    #[must_use]
    pub fn title(self, platform: Platform) -> String {
        let first = self.first.title(platform);
        match self.then {
            Some(then) => format!("{first} {}", then.title(platform)),
            None => first,
        }
    }
}

impl FromStr for Keys {
    type Err = ParseKeysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split_whitespace();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(first), Some(then), None) => match (first.parse(), then.parse()) {
                (Ok(first), Ok(then)) => Ok(Self { first, then: Some(then) }),
                // One chord with blanks in it, or none.
                (first, then) => Ok(text.parse::<Chord>().or_else(|_| first.and(then))?.into()),
            },
            (_, _, None) => Ok(text.parse::<Chord>()?.into()),
            _ => match text.parse::<Chord>() {
                Ok(chord) => Ok(chord.into()),
                Err(_) => Err(ParseKeysError::TooMany(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.then.map_or(Ok(()), |then| write!(f, " {then}"))
    }
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Runs a command.
    Run(Id),
    /// Is the first of two.
    Wait(Pressed),
}

/// Named keys, as written.
const NAMES: &[(&str, Code)] = &[
    ("Enter", Code::Enter),
    ("Tab", Code::Tab),
    ("Backspace", Code::Backspace),
    ("Escape", Code::Escape),
    ("Left", Code::Left),
    ("Right", Code::Right),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PageUp", Code::PageUp),
    ("PageDown", Code::PageDown),
    ("Insert", Code::Insert),
    ("Delete", Code::Delete),
    ("Menu", Code::Menu),
    ("PrintScreen", Code::PrintScreen),
    ("Pause", Code::Pause),
    ("Space", Code::Char(' ')),
];

fn parse_key(text: &str) -> Option<Code> {
    let mut chars = text.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        return Some(Code::Char(lower(only)));
    }
    if text.eq_ignore_ascii_case("esc") {
        return Some(Code::Escape);
    }
    if let Some(number) = text.strip_prefix(['F', 'f']).and_then(|n| n.parse().ok()) {
        return (1..=35).contains(&number).then_some(Code::F(number));
    }
    NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, code)| *code)
}

fn key_name(code: Code) -> String {
    match code {
        Code::Char(' ') => "Space".to_owned(),
        Code::Char(c) => c.to_uppercase().collect(),
        Code::F(number) => format!("F{number}"),
        other => NAMES
            .iter()
            .find(|(_, code)| *code == other)
            .map_or_else(|| "Unknown".to_owned(), |(name, _)| (*name).to_owned()),
    }
}

fn key_title(code: Code, platform: Platform) -> String {
    let glyph = match code {
        Code::Left => "←",
        Code::Right => "→",
        Code::Up => "↑",
        Code::Down => "↓",
        Code::Enter if platform == Platform::Mac => "↩",
        Code::Tab if platform == Platform::Mac => "⇥",
        Code::Escape => "Esc",
        _ => return key_name(code),
    };
    glyph.to_owned()
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Two commands on one chord where both would hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{chord} is both `{first}` and `{second}`; give one of them another chord")]
pub struct Conflict {
    /// The chord, or chords, as a person reads them.
    pub chord: String,
    /// The command that has it.
    pub first: Id,
    /// The command that wants it, too.
    pub second: Id,
}

/// Which chord does what.
#[derive(Debug, Clone)]
pub struct Keymap {
    platform: Platform,
    bound: HashMap<(Context, Pressed), Id>,
    /// Commands of two chords.
    sequences: HashMap<(Context, Pressed, Pressed), Id>,
    /// The first of two.
    prefixes: HashSet<(Context, Pressed)>,
    chords: HashMap<Id, Vec<Keys>>,
}

impl Keymap {
    /// The default chords.
    #[must_use]
    pub fn new(platform: Platform) -> Self {
        Self::with(platform, &[]).0
    }

    /// The default chords with a user's own in place of those of the commands they name, and the
    /// conflicts between them. Of two commands in conflict the earlier keeps the chord, a user's own
    /// before a default.
    #[must_use]
    pub fn with(platform: Platform, own: &[(Id, Vec<Keys>)]) -> (Self, Vec<Conflict>) {
        let mut keymap = Self {
            platform,
            bound: HashMap::new(),
            sequences: HashMap::new(),
            prefixes: HashSet::new(),
            chords: HashMap::new(),
        };
        let mut conflicts = Vec::new();
        for (id, chords) in own {
            keymap.bind(*id, chords, &mut conflicts);
        }
        for command in command::ALL {
            if !own.iter().any(|(id, _)| *id == command.id) {
                let chords = command.default_chords(platform);
                // Every default is a chord: a test walks them.
                let chords: Vec<Keys> = chords.iter().filter_map(|c| c.parse().ok()).collect();
                keymap.bind(command.id, &chords, &mut conflicts);
            }
        }
        (keymap, conflicts)
    }

    fn bind(&mut self, id: Id, chords: &[Keys], conflicts: &mut Vec<Conflict>) {
        let context = id.command().context;
        let mut kept = Vec::new();
        for keys in chords {
            match self.holder(context, *keys) {
                Some(first) if first == id => {}
                Some(first) => {
                    let chord = keys.title(self.platform);
                    conflicts.push(Conflict { chord, first, second: id });
                }
                None => {
                    match keys.pressed(self.platform) {
                        (first, None) => drop(self.bound.insert((context, first), id)),
                        (first, Some(then)) => {
                            let _ = self.prefixes.insert((context, first));
                            let _ = self.sequences.insert((context, first, then), id);
                        }
                    }
                    kept.push(*keys);
                }
            }
        }
        let _ = self.chords.insert(id, kept);
    }

    /// The command of a key in a context, if it has one. A key that goes up does nothing, a held one
    /// only what may be repeated.
    #[must_use]
    pub fn lookup(&self, context: Context, key: &Key) -> Option<Id> {
        match self.press(context, None, key)? {
            Step::Run(id) => Some(id),
            Step::Wait(_) => None,
        }
    }

    /// What a key does in a context, after the first of two chords or without one.
    #[must_use]
    pub fn press(&self, context: Context, prefix: Option<Pressed>, key: &Key) -> Option<Step> {
        if key.action == Action::Release {
            return None;
        }
        let code = match key.code {
            Code::Char(c) => Code::Char(lower(c)),
            other => other,
        };
        let typed = || prefix.is_none().then(|| self.typed(context, key)).flatten().map(Step::Run);
        let found =
            typed().or_else(|| self.at(context, prefix, (key.mods, code))).or_else(|| {
                // On a layout without Latin letters the physical key decides, and where the digits are on
                // Shift, theirs. Not on one with other Latin letters: there a chord is what is written on
                // the key, and the program in the terminal gets the others.
                let base = key.base.map(lower)?;
                let foreign =
                    matches!(code, Code::Char(c) if !c.is_ascii()) || base.is_ascii_digit();
                self.at(context, prefix, (key.mods, Code::Char(base))).filter(|_| foreign)
            })?;
        let repeats = matches!(found, Step::Run(id) if repeats(id));
        (key.action == Action::Press || repeats).then_some(found)
    }

    /// The signs of vi mode are known by what is typed: which key has them, and with Shift or without,
    /// is another matter on each layout.
    fn typed(&self, context: Context, key: &Key) -> Option<Id> {
        let Mods { shift: _, alt: false, control: false, logo: false } = key.mods else {
            return None;
        };
        let mut typed = key.text.chars();
        let (sign, None) = (typed.next()?, typed.next()) else { return None };
        let known = context == Context::Vi && !sign.is_alphabetic() && sign != ' ';
        let bound = known.then(|| (Context::Vi, (Mods::default(), Code::Char(sign))))?;
        self.bound.get(&bound).copied()
    }

    fn at(&self, context: Context, prefix: Option<Pressed>, pressed: Pressed) -> Option<Step> {
        context.chain().iter().find_map(|at| match prefix {
            Some(first) => self.sequences.get(&(*at, first, pressed)).copied().map(Step::Run),
            None => {
                let waits = self.prefixes.contains(&(*at, pressed));
                let run = self.bound.get(&(*at, pressed)).copied().map(Step::Run);
                run.or_else(|| waits.then_some(Step::Wait(pressed)))
            }
        })
    }

    /// What can follow the first of two chords in a context: the second as a person reads it, and what
    /// both do.
    #[must_use]
    pub fn after(&self, context: Context, first: Pressed) -> Vec<(String, Id)> {
        let here = |id: Id| context.chain().contains(&id.command().context);
        let mut after: Vec<(String, Id)> = command::ALL
            .iter()
            .filter(|command| here(command.id))
            .flat_map(|command| self.chords(command.id).iter().map(|keys| (*keys, command.id)))
            .filter(|(keys, _)| keys.first.pressed(self.platform) == first)
            .filter_map(|(keys, id)| Some((keys.then?.title(self.platform), id)))
            .collect();
        after.sort_by(|one, other| one.0.cmp(&other.0));
        after
    }

    /// The chords of a command; the first one is shown.
    #[must_use]
    pub fn chords(&self, id: Id) -> &[Keys] {
        self.chords.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whether a chord cannot be had by commands of both contexts.
    #[must_use]
    pub fn overlaps(one: Context, other: Context) -> bool {
        overlap(one, other)
    }

    /// The command that stands in the way of chords where those of a context hold, if there is one: it
    /// has the same, or one of the two is the beginning of the other.
    #[must_use]
    pub fn holder(&self, context: Context, keys: impl Into<Keys>) -> Option<Id> {
        let (first, then) = keys.into().pressed(self.platform);
        let mut others = Context::ALL.into_iter().filter(|other| overlap(context, *other));
        others.find_map(|other| {
            let single = self.bound.get(&(other, first)).copied();
            single.or_else(|| match then {
                Some(then) => self.sequences.get(&(other, first, then)).copied(),
                None => {
                    let mut begun = self.sequences.iter();
                    begun
                        .find(|((at, begin, _), _)| (*at, *begin) == (other, first))
                        .map(|it| *it.1)
                }
            })
        })
    }

    /// All that stands in the way of chords where those of a context hold: commands, each with the chords
    /// of theirs that are the same, or the beginning of these, or begin with these.
    #[must_use]
    pub fn in_the_way(&self, context: Context, keys: Keys) -> Vec<(Id, Keys)> {
        let (first, then) = keys.pressed(self.platform);
        let meets = |own: &Keys| {
            let (begin, end) = own.pressed(self.platform);
            begin == first && (end == then || end.is_none() || then.is_none())
        };
        command::ALL
            .iter()
            .filter(|command| overlap(context, command.context))
            .flat_map(|command| self.chords(command.id).iter().map(|own| (command.id, *own)))
            .filter(|(_, own)| meets(own))
            .collect()
    }

    /// A command's first chord as a person reads it.
    #[must_use]
    pub fn title(&self, id: Id) -> Option<String> {
        self.chords(id).first().map(|keys| keys.title(self.platform))
    }
}

/// Whether there is a place where chords of both contexts hold, and neither is meant to come first. In
/// vi mode every key has another meaning, so its chords may hide those of the terminal under it, and a
/// list of what could be inserted takes the keys it needs from the text under it; so do lists of their own
/// from what all dialogs have.
fn overlap(one: Context, other: Context) -> bool {
    let inside = |inner: Context, outer: Context| {
        let hides = match inner {
            Context::Vi | Context::Popup | Context::Editor => inner != outer,
            Context::Palette
            | Context::Sessions
            | Context::Queue
            | Context::Settings
            | Context::Notices
            | Context::Chords
            | Context::Mastery
            | Context::RunDialog => outer == Context::Overlay,
            _ => false,
        };
        inner.chain().contains(&outer) && !hides
    };
    inside(one, other) || inside(other, one)
}

/// Commands that a held key goes on doing. Toggles and dialogs would flicker.
fn repeats(id: Id) -> bool {
    matches!(
        id,
        Id::FocusNext
            | Id::FocusPrevious
            | Id::FocusLeft
            | Id::FocusRight
            | Id::FocusUp
            | Id::FocusDown
            | Id::ScrollLineUp
            | Id::ScrollLineDown
            | Id::ScrollPageUp
            | Id::ScrollPageDown
            | Id::AgentsWider
            | Id::AgentsNarrower
            | Id::RunsWider
            | Id::RunsNarrower
            | Id::ZoomIn
            | Id::ZoomOut
            | Id::Paste
            | Id::ListUp
            | Id::ListDown
            | Id::ListMoveUp
            | Id::ListMoveDown
            | Id::OverlayUp
            | Id::OverlayDown
            | Id::OverlayNext
            | Id::OverlayPrevious
            | Id::PaneZoomIn
            | Id::PaneZoomOut
            | Id::PromptPrevious
            | Id::PromptNext
            | Id::SearchOlder
            | Id::SearchNewer
            | Id::HintErase
            | Id::TabNext
            | Id::TabPrevious
            | Id::ComposerUndo
            | Id::ComposerRedo
            | Id::ComposerOlder
            | Id::ComposerNewer
            | Id::ComposerPaste
            | Id::PopupUp
            | Id::PopupDown
            | Id::RequestUp
            | Id::RequestDown
            | Id::RunsUp
            | Id::RunsDown
            | Id::RunsPageUp
            | Id::RunsPageDown
            | Id::ReviewUp
            | Id::ReviewDown
            | Id::ReviewLeft
            | Id::ReviewRight
            | Id::ReviewPageUp
            | Id::ReviewPageDown
            | Id::MatrixNext
            | Id::MatrixPrevious
            | Id::TrainEarlier
            | Id::TrainLater
            | Id::EditorUndo
            | Id::EditorRedo
            | Id::EditorPaste
            | Id::Vi(_)
    )
}

#[cfg(test)]
mod tests;
