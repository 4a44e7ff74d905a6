//! The modes upstream does not have, all modes as one value, and the way back to them.

use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, Handler, KeyboardModes, KeyboardModesApplyBehavior, NamedMode,
    NamedPrivateMode, StandardCharset,
};

use super::guard::Guard;
use super::{Emulator, Shapes, kitty_flags};

/// The modes upstream does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Own {
    /// 9: presses of mouse buttons and nothing else, as the first xterm told them.
    pub(crate) x10_mouse: bool,
    /// 1005, 1006, 1015, 1016: how the mouse is told.
    pub(crate) encoding: Encoding,
    /// 2031: the child is told when dark and light change places.
    pub(crate) scheme_updates: bool,
    /// 2048: the child is told every size.
    pub(crate) size_reports: bool,
    /// xterm's modifyOtherKeys: 0, 1 or 2.
    pub(crate) other_keys: u8,
    /// The first row that scrolls and the one after the last, unless all do.
    pub(crate) margins: Option<(usize, usize)>,
}

/// Which events of the mouse a child wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    None,
    /// 9: presses.
    X10,
    /// 1000: presses and releases.
    Clicks,
    /// 1002: motion with a button held, too.
    Drags,
    /// 1003: all motion.
    Motion,
}

/// How the mouse is told. Setting one takes another's place; resetting one only counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    #[default]
    Plain,
    /// 1005: coordinates as characters of UTF-8.
    Utf8,
    /// 1006: numbers.
    Sgr,
    /// 1015: numbers, in rxvt's way.
    Urxvt,
    /// 1016: numbers, of pixels.
    Pixels,
}

impl Encoding {
    pub(super) fn of_mode(mode: u16) -> Option<Self> {
        Some(match mode {
            1005 => Self::Utf8,
            1006 => Self::Sgr,
            1015 => Self::Urxvt,
            1016 => Self::Pixels,
            _ => return None,
        })
    }
}

/// All modes of a terminal at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habits {
    mode: TermMode,
    own: Own,
    /// How deep the shown screen's keyboard mode stack is.
    depth: usize,
    flags: u8,
}

impl Default for Habits {
    /// Those of a new terminal.
    fn default() -> Self {
        Self { mode: TermMode::default(), own: Own::default(), depth: 0, flags: 0 }
    }
}

/// Columns between tab stops.
const TAB: u16 = 8;

/// Modes with a number of their own that come back one by one.
const SINGLE: [(TermMode, NamedPrivateMode); 8] = [
    (TermMode::APP_CURSOR, NamedPrivateMode::CursorKeys),
    (TermMode::LINE_WRAP, NamedPrivateMode::LineWrap),
    (TermMode::SHOW_CURSOR, NamedPrivateMode::ShowCursor),
    (TermMode::FOCUS_IN_OUT, NamedPrivateMode::ReportFocusInOut),
    (TermMode::BRACKETED_PASTE, NamedPrivateMode::BracketedPaste),
    (TermMode::ALTERNATE_SCROLL, NamedPrivateMode::AlternateScroll),
    (TermMode::URGENCY_HINTS, NamedPrivateMode::UrgencyHints),
    (TermMode::SGR_MOUSE, NamedPrivateMode::SgrMouse),
];

/// Modes of the mouse, which exclude each other.
const MOUSE: [(TermMode, NamedPrivateMode); 3] = [
    (TermMode::MOUSE_REPORT_CLICK, NamedPrivateMode::ReportMouseClicks),
    (TermMode::MOUSE_DRAG, NamedPrivateMode::ReportCellMouseMotion),
    (TermMode::MOUSE_MOTION, NamedPrivateMode::ReportAllMouseMotion),
];

impl Emulator {
    /// What the child wants to know of the mouse.
    pub(crate) fn mouse(&self) -> Protocol {
        let mode = self.mode();
        if self.state.own.x10_mouse {
            Protocol::X10
        } else if mode.contains(TermMode::MOUSE_MOTION) {
            Protocol::Motion
        } else if mode.contains(TermMode::MOUSE_DRAG) {
            Protocol::Drags
        } else if mode.contains(TermMode::MOUSE_REPORT_CLICK) {
            Protocol::Clicks
        } else {
            Protocol::None
        }
    }

    /// The modes as they are now.
    pub(crate) fn habits(&mut self) -> Habits {
        let mode = self.mode();
        let depth = *self.guard().depth();
        Habits { mode, own: self.state.own, depth, flags: kitty_flags(mode) }
    }

    /// Brings modes back: everything in [`Habits`], and the ASCII character set. Of the screen nothing
    /// changes, except that the alternate one goes where the main one was shown.
    pub(crate) fn restore(&mut self, habits: Habits) {
        if self.sync_deadline().is_some() {
            self.end_sync();
        }
        self.guard().restore(habits);
    }

    /// Brings everything back that is not on the screen: the modes of both screens, colours, stacks, tabs, the
    /// shape of the cursor, its saved place, attributes for text to come.
    pub(crate) fn reset_modes(&mut self) {
        self.restore(Habits::default());
        self.guard().reset_rest();
    }

    /// DECSTR: what VT terminals call a soft reset.
    pub(crate) fn soft_reset(&mut self) {
        self.guard().soft_reset();
    }
}

impl Guard<'_> {
    pub(super) fn restore(&mut self, to: Habits) {
        if self.is_alt() && !to.mode.contains(TermMode::ALT_SCREEN) {
            self.unset_private_mode(NamedPrivateMode::SwapScreenAndSetRestoreCursor.into());
        }
        self.restore_single(to.mode);
        self.restore_keyboard(to.depth, to.flags);
        if self.state.own.margins != to.own.margins {
            let (top, bottom) = match to.own.margins {
                Some((top, bottom)) => (top + 1, Some(bottom)),
                None => (1, None),
            };
            self.in_place(|guard| guard.set_scrolling_region(top, bottom));
        }
        self.state.own = Own { margins: self.state.own.margins, ..to.own };
        self.plain_charset();
    }

    fn restore_single(&mut self, to: TermMode) {
        let now = *self.term.mode();
        let differs = |flag| now.contains(flag) != to.contains(flag);
        for (flag, mode) in SINGLE.into_iter().filter(|(flag, _)| differs(*flag)) {
            self.private(mode, to.contains(flag));
        }
        if differs(TermMode::UTF8_MOUSE) {
            self.private(NamedPrivateMode::Utf8Mouse, to.contains(TermMode::UTF8_MOUSE));
        }
        if now & TermMode::MOUSE_MODE != to & TermMode::MOUSE_MODE {
            for (_, mode) in MOUSE {
                self.term.unset_private_mode(mode.into());
            }
            for (_, mode) in MOUSE.into_iter().filter(|(flag, _)| to.contains(*flag)) {
                self.term.set_private_mode(mode.into());
            }
        }
        if differs(TermMode::ORIGIN) {
            self.in_place(|guard| {
                guard.private(NamedPrivateMode::Origin, to.contains(TermMode::ORIGIN));
            });
        }
        if differs(TermMode::APP_KEYPAD) {
            if to.contains(TermMode::APP_KEYPAD) {
                self.term.set_keypad_application_mode();
            } else {
                self.term.unset_keypad_application_mode();
            }
        }
        let plain = [
            (TermMode::INSERT, NamedMode::Insert),
            (TermMode::LINE_FEED_NEW_LINE, NamedMode::LineFeedNewLine),
        ];
        for (flag, mode) in plain.into_iter().filter(|(flag, _)| differs(*flag)) {
            if to.contains(flag) {
                self.term.set_mode(mode.into());
            } else {
                self.term.unset_mode(mode.into());
            }
        }
    }

    fn private(&mut self, mode: NamedPrivateMode, on: bool) {
        if on {
            self.term.set_private_mode(mode.into());
        } else {
            self.term.unset_private_mode(mode.into());
        }
    }

    fn restore_keyboard(&mut self, depth: usize, flags: u8) {
        let now = *self.depth();
        if now > depth {
            self.pop_keyboard_modes((now - depth) as u16);
        }
        for _ in now..depth {
            self.push_keyboard_mode(KeyboardModes::from_bits_truncate(flags));
        }
        if kitty_flags(*self.term.mode()) != flags {
            self.set_kitty_flags(flags);
        }
    }

    pub(super) fn set_kitty_flags(&mut self, flags: u8) {
        let modes = KeyboardModes::from_bits_truncate(flags);
        Handler::set_keyboard_mode(self.term, modes, KeyboardModesApplyBehavior::Replace);
    }

    fn plain_charset(&mut self) {
        self.term.grid_mut().cursor.charsets = Default::default();
        self.term.configure_charset(CharsetIndex::G0, StandardCharset::Ascii);
        self.term.set_active_charset(CharsetIndex::G0);
    }

    /// Runs something that moves the cursor, and moves it back.
    pub(super) fn in_place(&mut self, run: impl FnOnce(&mut Self)) {
        let cursor = &self.term.grid().cursor;
        let (point, needs_wrap) = (cursor.point, cursor.input_needs_wrap);
        run(self);
        let cursor = &mut self.term.grid_mut().cursor;
        (cursor.point, cursor.input_needs_wrap) = (point, needs_wrap);
    }

    fn reset_rest(&mut self) {
        // The other screen's keyboard modes are reached only by showing it.
        if self.state.keyboard_depth[1] > 0 {
            self.private(NamedPrivateMode::SwapScreenAndSetRestoreCursor, true);
            self.term.pop_keyboard_modes(u16::MAX);
            self.private(NamedPrivateMode::SwapScreenAndSetRestoreCursor, false);
            self.state.keyboard_depth[1] = 0;
        }
        for index in 0..=258 {
            self.term.reset_color(index);
        }
        self.term.set_cursor_style(None);
        self.term.terminal_attribute(Attr::Reset);
        self.term.set_hyperlink(None);
        self.set_tabs(TAB);
        self.state.shapes = Shapes::default();
        self.state.titles.clear();
        let grid = self.term.grid_mut();
        grid.saved_cursor = Default::default();
    }

    pub(super) fn soft_reset(&mut self) {
        let mode = *self.term.mode();
        let gone =
            TermMode::APP_CURSOR | TermMode::APP_KEYPAD | TermMode::ORIGIN | TermMode::INSERT;
        self.restore_single(mode.difference(gone) | TermMode::SHOW_CURSOR | TermMode::LINE_WRAP);
        self.in_place(|guard| guard.set_scrolling_region(1, None));
        self.plain_charset();
        self.term.terminal_attribute(Attr::Reset);
        self.term.grid_mut().saved_cursor = Default::default();
    }
}
