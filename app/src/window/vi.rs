//! Vi mode as the window knows it. Cursor and selection are the host's; the window knows what it asked
//! for a moment ago, so that no key typed meanwhile goes to the wrong place.

use maestro_core::TerminalId;
use maestro_core::input::{Motion, SelectBy};

/// How often a motion is made at most.
const MOST: u32 = 9999;

/// What the window remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vi {
    /// What was asked for and has not been seen in a frame yet.
    asked: Option<(TerminalId, bool)>,
    /// What is selected by.
    kind: Option<SelectBy>,
    /// The digits typed.
    count: u32,
    /// Whether `g` was typed.
    prefix: bool,
}

impl Vi {
    /// Whether a terminal is in vi mode, given what its last frame said.
    #[must_use]
    pub fn is_on(&self, terminal: TerminalId, shown: bool) -> bool {
        match self.asked {
            Some((asked, on)) if asked == terminal => on,
            _ => shown,
        }
    }

    /// A frame says how it is: what was asked for has come, or is waited for.
    pub fn seen(&mut self, terminal: TerminalId, shown: bool) {
        if self.asked == Some((terminal, shown)) {
            self.asked = None;
        }
    }

    /// It begins or ends.
    pub fn ask(&mut self, terminal: TerminalId, on: bool) {
        *self = Self { asked: Some((terminal, on)), ..Self::default() };
    }

    /// What is selected by.
    #[cfg(test)]
    pub fn kind(&self) -> Option<SelectBy> {
        self.kind
    }

    /// A selection begins, changes its kind, or ends.
    pub fn select(&mut self, by: SelectBy) {
        self.kind = if self.kind == Some(by) { None } else { Some(by) };
        self.begin();
    }

    /// The selection has ended. Tells whether there was one.
    pub fn unselect(&mut self) -> bool {
        self.begin();
        self.kind.take().is_some()
    }

    /// Forgets half of a command.
    fn begin(&mut self) {
        (self.count, self.prefix) = (0, false);
    }

    /// A digit was typed.
    pub fn digit(&mut self, digit: u8) {
        self.count = (self.count * 10 + u32::from(digit)).min(MOST);
        self.prefix = false;
    }

    /// `g` was typed; the second one is a motion.
    pub fn prefix(&mut self) -> Option<Motion> {
        if std::mem::replace(&mut self.prefix, true) {
            self.begin();
            return Some(Motion::Top);
        }
        None
    }

    /// A motion and how often it is made.
    pub fn motion(&mut self, motion: Motion) -> Option<(Motion, u32)> {
        // A zero behind other digits is one, too.
        if motion == Motion::First && self.count > 0 && !self.prefix {
            self.digit(0);
            return None;
        }
        let count = self.count.max(1);
        let ge = self.prefix && motion == Motion::WordRightEnd;
        self.begin();
        Some((if ge { Motion::WordLeftEnd } else { motion }, count))
    }

    /// The line that says where one is.
    #[must_use]
    pub fn words(&self) -> String {
        let kind = match self.kind {
            None => "v select",
            Some(SelectBy::Line) => "LINES",
            Some(SelectBy::Block) => "BLOCK",
            Some(SelectBy::Cell | SelectBy::Word) => "SELECT",
        };
        let pending = match (self.count, self.prefix) {
            (0, false) => String::new(),
            (0, true) => " · g".to_owned(),
            (count, prefix) => format!(" · {count}{}", if prefix { "g" } else { "" }),
        };
        let leave =
            if self.kind.is_some() { "y copy · Esc back" } else { "/ search · Esc leave" };
        format!("VI · {kind}{pending} · {leave}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: TerminalId = TerminalId(1);

    #[test]
    fn what_was_asked_for_holds_until_it_is_seen() {
        let mut vi = Vi::default();
        assert!(!vi.is_on(HERE, false));
        vi.ask(HERE, true);
        assert!(vi.is_on(HERE, false), "the next key would be typed into the program");
        assert!(!vi.is_on(TerminalId(2), false));
        vi.seen(HERE, false);
        assert!(vi.is_on(HERE, false));
        vi.seen(HERE, true);
        assert!(!vi.is_on(HERE, false), "the host ended it by itself");
        vi.ask(HERE, false);
        assert!(!vi.is_on(HERE, true), "the next key would be lost");
    }

    #[test]
    fn counts_are_typed_before_motions() {
        let mut vi = Vi::default();
        assert_eq!(vi.motion(Motion::First), Some((Motion::First, 1)));
        vi.digit(1);
        assert_eq!(vi.motion(Motion::First), None, "10, not the first column");
        assert_eq!(vi.motion(Motion::Down), Some((Motion::Down, 10)));
        assert_eq!(vi.motion(Motion::Down), Some((Motion::Down, 1)));
        for _ in 0..20 {
            vi.digit(9);
        }
        assert_eq!(vi.motion(Motion::Up), Some((Motion::Up, MOST)));
    }

    #[test]
    fn g_begins_two_commands() {
        let mut vi = Vi::default();
        assert_eq!(vi.prefix(), None);
        assert_eq!(vi.prefix(), Some(Motion::Top));
        assert_eq!(vi.prefix(), None);
        assert_eq!(vi.motion(Motion::WordRightEnd), Some((Motion::WordLeftEnd, 1)));
        assert_eq!(vi.motion(Motion::WordRightEnd), Some((Motion::WordRightEnd, 1)));
    }

    #[test]
    fn a_selection_changes_its_kind_or_ends() {
        let mut vi = Vi::default();
        vi.select(SelectBy::Cell);
        vi.select(SelectBy::Line);
        assert_eq!(vi.kind(), Some(SelectBy::Line));
        vi.select(SelectBy::Line);
        assert_eq!(vi.kind(), None);
        assert!(!vi.unselect());
    }
}
