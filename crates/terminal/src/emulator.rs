//! `alacritty_terminal` with what a child must not be able to do kept away from it, and with what it
//! leaves to its user answered. Nothing of its types goes beyond this crate.
//!
//! The [`Guard`] sits between the parser and the emulator, handler call by handler call. It bounds what
//! upstream leaves unbounded (marks on a cell, links, the keyboard mode stack, titles), answers the
//! queries upstream hands out as events, and counts the rows that leave the emulator's history, so that
//! every row has a number that never changes while it can be seen.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use alacritty_terminal::event::{Event as TermEvent, EventListener};
use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{ClipboardType, Config, Term, TermMode};
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, CursorShape, CursorStyle, Handler, Hyperlink, KeyboardModes,
    KeyboardModesApplyBehavior, LineClearMode, Mode, PrivateMode, Processor, Rgb, StandardCharset,
    TabulationClearMode,
};
use maestro_core::screen::Size;
use maestro_core::text::clean;
use unicode_width::UnicodeWidthChar;

use crate::event::{Event, Outbox};
use crate::options::Palette;
use crate::osc;
use crate::tap::CLIPBOARD_LIMIT;

/// The most combining marks kept on a cell. Eight is more than any writing system stacks.
const MARKS_LIMIT: usize = 8;

/// The longest link target; longer ones are dropped. What browsers accept at least.
const LINK_LIMIT: usize = 2083;

/// The longest link id; a longer one is dropped, the link stays.
const LINK_ID_LIMIT: usize = 256;

/// The bytes all links of a terminal may take; beyond it new ones are dropped.
const LINKS_LIMIT: usize = 4 * 1024 * 1024;

/// How many links are dropped before the grid is looked through again for room.
const LINKS_PAUSE: u32 = 10_000;

/// The deepest keyboard mode stack. Upstream's own limit of 4 096 panics when it is reached with an
/// empty title stack (0.26: it removes from the wrong stack).
const KEYBOARD_STACK_LIMIT: usize = 32;

/// How many rows history may exceed its limit before the surplus goes. Exactly upstream's spare rows
/// (`MAX_CACHE_SIZE`), so that rows are reused and none is allocated while output floods.
const SLACK: usize = 1000;

/// History is limited by the guard, which counts what it removes; upstream must never do it.
const UNLIMITED: usize = usize::MAX / 4;

/// How many characters may come between two looks at the history's length.
const LOOK_EVERY: u32 = 1 << 14;

/// The number of the first row. Far from zero: lines wrapped anew may be more rows above it.
const FIRST_ROW: u64 = 1 << 40;

/// The mode in which a child is told when the colour scheme changes.
const COLOR_SCHEME_UPDATES: u16 = 2031;

/// Where events and replies gather while the parser runs, in the order in which they came up.
type Mailbox = Arc<Mutex<Outbox>>;

fn open(mailbox: &Mailbox) -> MutexGuard<'_, Outbox> {
    mailbox.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ear upstream speaks into.
#[derive(Clone)]
pub(crate) struct Listener(Mailbox);

impl EventListener for Listener {
    fn send_event(&self, event: TermEvent) {
        let mut outbox = open(&self.0);
        match event {
            TermEvent::PtyWrite(text) => outbox.reply(text.as_bytes()),
            TermEvent::Title(title) => {
                outbox.event(Event::Title(Some(title).filter(|title| !title.is_empty())));
            }
            TermEvent::ResetTitle => outbox.event(Event::Title(None)),
            TermEvent::Bell => outbox.event(Event::Bell),
            TermEvent::ClipboardStore(ClipboardType::Clipboard, text) => {
                outbox.event(Event::Clipboard(text));
            }
            _ => {}
        }
    }
}

/// The emulator and its parser.
pub(crate) struct Emulator {
    pub(crate) term: Term<Listener>,
    parser: Processor,
    pub(crate) state: State,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("state", &self.state).finish_non_exhaustive()
    }
}

/// What the guard knows.
#[derive(Debug)]
pub(crate) struct State {
    mailbox: Mailbox,
    pub(crate) palette: Palette,
    size: Size,
    /// The most rows of history.
    pub(crate) scrollback: usize,
    /// Rows that have left the emulator's history since the beginning, to wherever.
    pub(crate) shed: u64,
    /// Rows were dropped: whatever is older than the emulator's oldest row is gone, too.
    pub(crate) dropped: bool,
    /// The main screen's history was wiped by the child.
    pub(crate) wiped: bool,
    /// Another screen is shown than before.
    pub(crate) swapped: bool,
    pub(crate) scheme_updates: bool,
    keyboard_depth: [usize; 2],
    links: usize,
    links_pause: u32,
    until_look: u32,
}

/// A size as upstream wants it.
struct Cells(Size);

impl Dimensions for Cells {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.0.cols)
    }
}

impl Emulator {
    pub(crate) fn new(size: Size, scrollback: usize, palette: Palette) -> Self {
        let mailbox = Mailbox::default();
        let config =
            Config { kitty_keyboard: true, scrolling_history: UNLIMITED, ..Config::default() };
        Self {
            term: Term::new(config, &Cells(size), Listener(Arc::clone(&mailbox))),
            parser: Processor::new(),
            state: State {
                mailbox,
                palette,
                size,
                scrollback,
                shed: FIRST_ROW,
                dropped: false,
                wiped: false,
                swapped: false,
                scheme_updates: false,
                keyboard_depth: [0; 2],
                links: 0,
                links_pause: 0,
                until_look: LOOK_EVERY,
            },
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut Guard { term: &mut self.term, state: &mut self.state }, bytes);
    }

    pub(crate) fn end_sync(&mut self) {
        self.parser.stop_sync(&mut Guard { term: &mut self.term, state: &mut self.state });
    }

    pub(crate) fn sync_deadline(&self) -> Option<Instant> {
        self.parser.sync_timeout().sync_timeout()
    }

    pub(crate) fn resize(&mut self, size: Size) {
        self.state.size = size;
        self.term.resize(Cells(size));
        Guard { term: &mut self.term, state: &mut self.state }.shorten(0);
    }

    pub(crate) fn reply(&self, bytes: &[u8]) {
        open(&self.state.mailbox).reply(bytes);
    }

    pub(crate) fn event(&self, event: Event) {
        open(&self.state.mailbox).event(event);
    }

    /// Moves everything that gathered to `out`; `each` sees the events.
    pub(crate) fn deliver(&mut self, out: &mut Outbox, mut each: impl FnMut(&Event)) {
        let mut mail = open(&self.state.mailbox);
        out.reply(&mail.replies);
        mail.replies.clear();
        for event in mail.events.drain(..) {
            each(&event);
            out.event(event);
        }
    }

    pub(crate) fn mode(&self) -> TermMode {
        *self.term.mode()
    }

    pub(crate) fn is_alt(&self) -> bool {
        self.mode().contains(TermMode::ALT_SCREEN)
    }

    pub(crate) fn grid(&self) -> &Grid<Cell> {
        self.term.grid()
    }

    /// Rows of history in the emulator: none on the alternate screen.
    pub(crate) fn native_history(&self) -> usize {
        self.grid().history_size()
    }

    /// The number of the screen's first row.
    pub(crate) fn base(&self) -> u64 {
        self.state.shed + self.native_history() as u64
    }

    /// Removes the oldest `count` rows of the emulator's history, which somebody else keeps from now on.
    pub(crate) fn shed(&mut self, count: usize) {
        let history = self.native_history();
        let count = count.min(history);
        self.state.shed += count as u64;
        let grid = self.term.grid_mut();
        grid.update_history(history - count);
        grid.update_history(UNLIMITED);
    }

    /// Gives spare rows back.
    pub(crate) fn release_spare(&mut self) {
        self.term.grid_mut().truncate();
    }
}

/// What the parser talks to.
struct Guard<'a> {
    term: &'a mut Term<Listener>,
    state: &'a mut State,
}

impl Guard<'_> {
    /// Removes history beyond its limit once it is `slack` rows beyond. One row more, and upstream would
    /// allocate rows only to free them again.
    #[inline]
    fn shorten(&mut self, slack: usize) {
        let history = self.term.grid().history_size();
        let limit = self.state.scrollback;
        if history >= limit.saturating_add(slack) && history > limit {
            self.shorten_to_limit(history);
        }
    }

    #[cold]
    fn shorten_to_limit(&mut self, history: usize) {
        let limit = self.state.scrollback;
        self.state.shed += (history - limit) as u64;
        self.state.dropped = true;
        let grid = self.term.grid_mut();
        grid.update_history(limit);
        grid.update_history(UNLIMITED);
    }

    #[cold]
    fn look(&mut self) {
        self.state.until_look = LOOK_EVERY;
        self.shorten(SLACK);
    }

    /// Runs something that may wipe the history or show the other screen, and notes it.
    fn watch(&mut self, run: impl FnOnce(&mut Term<Listener>)) {
        let history = self.term.grid().history_size();
        let alt = self.term.mode().contains(TermMode::ALT_SCREEN);
        run(self.term);
        if alt != self.term.mode().contains(TermMode::ALT_SCREEN) {
            self.state.swapped = true;
        } else if !alt && history > self.term.grid().history_size() {
            self.state.shed += history as u64;
            self.state.wiped = true;
        }
    }

    /// Whether the cell a zero-width character would go to can take one more.
    #[cold]
    fn takes_mark(&self) -> bool {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        let mut column = cursor.point.column.0;
        if !cursor.input_needs_wrap {
            column = column.saturating_sub(1);
        }
        let row = &grid[cursor.point.line];
        if row[Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            column = column.saturating_sub(1);
        }
        row[Column(column)].zerowidth().is_none_or(|marks| marks.len() < MARKS_LIMIT)
    }

    fn has_room_for_link(&mut self, bytes: usize) -> bool {
        if self.state.links_pause > 0 {
            self.state.links_pause -= 1;
            return false;
        }
        self.state.links += bytes;
        if self.state.links <= LINKS_LIMIT {
            return true;
        }
        // The sum only grows: what was overwritten or scrolled away is still in it. Look what is left.
        self.state.links = live_links(self.term.grid()) + bytes;
        let room = self.state.links <= LINKS_LIMIT / 2;
        if !room {
            self.state.links_pause = LINKS_PAUSE;
        }
        room
    }

    fn depth(&mut self) -> &mut usize {
        let alt = self.term.mode().contains(TermMode::ALT_SCREEN);
        &mut self.state.keyboard_depth[usize::from(alt)]
    }

    fn reply(&self, text: &str) {
        open(&self.state.mailbox).reply(text.as_bytes());
    }
}

/// The bytes of all different links in a grid.
fn live_links(grid: &Grid<Cell>) -> usize {
    let mut bytes = 0;
    let mut last = std::ptr::null();
    let first = grid.topmost_line().0;
    for line in first..=grid.bottommost_line().0 {
        for cell in &grid[Line(line)] {
            let Some(link) = cell.hyperlink() else { continue };
            let uri = link.uri();
            if uri.as_ptr() != last {
                last = uri.as_ptr();
                bytes += uri.len() + link.id().len() + 128;
            }
        }
    }
    bytes
}

/// Whether a character may have no width. Asking the tables costs as much as the rest of printing it, so
/// the common blocks without such characters are left out.
#[inline]
fn may_be_mark(c: char) -> bool {
    let code = c as u32;
    code >= 0x300 && !matches!(code, 0x2100..=0x2bff | 0x3400..=0x9fff | 0xac00..=0xd7a3)
}

impl Handler for Guard<'_> {
    #[inline]
    fn input(&mut self, c: char) {
        if may_be_mark(c) && c.width() == Some(0) && !self.takes_mark() {
            return;
        }
        self.term.input(c);
        self.state.until_look -= 1;
        if self.state.until_look == 0 {
            self.look();
        }
    }

    #[inline]
    fn linefeed(&mut self) {
        self.term.linefeed();
        self.shorten(SLACK);
    }

    #[inline]
    fn newline(&mut self) {
        self.term.newline();
        self.shorten(SLACK);
    }

    fn scroll_up(&mut self, lines: usize) {
        self.term.scroll_up(lines);
        self.shorten(SLACK);
    }

    fn delete_lines(&mut self, lines: usize) {
        self.term.delete_lines(lines);
        self.shorten(SLACK);
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        self.watch(|term| term.clear_screen(mode));
        self.shorten(SLACK);
    }

    fn reset_state(&mut self) {
        self.watch(Term::reset_state);
        // From the alternate screen the main one's history goes unseen.
        self.state.wiped = true;
        self.state.keyboard_depth = [0; 2];
        self.state.scheme_updates = false;
        self.state.links = 0;
        // The tabs, titles and stacks are gone; the colours are not, as far as upstream goes.
        for index in 0..=258 {
            self.term.reset_color(index);
        }
        open(&self.state.mailbox).event(Event::Title(None));
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        if mode == PrivateMode::Unknown(COLOR_SCHEME_UPDATES) {
            self.state.scheme_updates = true;
        }
        self.watch(|term| term.set_private_mode(mode));
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        if mode == PrivateMode::Unknown(COLOR_SCHEME_UPDATES) {
            self.state.scheme_updates = false;
        }
        self.watch(|term| term.unset_private_mode(mode));
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        if mode == PrivateMode::Unknown(COLOR_SCHEME_UPDATES) {
            let state = if self.state.scheme_updates { 1 } else { 2 };
            self.reply(&format!("\x1b[?{COLOR_SCHEME_UPDATES};{state}$y"));
        } else {
            self.term.report_private_mode(mode);
        }
    }

    fn set_title(&mut self, title: Option<String>) {
        self.term.set_title(title.map(|title| clean(&title, osc::TITLE_LIMIT)));
    }

    fn set_hyperlink(&mut self, link: Option<Hyperlink>) {
        let link = link.filter(|link| link.uri.len() <= LINK_LIMIT);
        let link = link.filter(|link| self.has_room_for_link(link.uri.len() + 128));
        let link = link.map(|mut link| {
            link.id = link.id.filter(|id| id.len() <= LINK_ID_LIMIT);
            link
        });
        self.term.set_hyperlink(link);
    }

    fn push_keyboard_mode(&mut self, mode: KeyboardModes) {
        if *self.depth() >= KEYBOARD_STACK_LIMIT {
            // The newest entry gives way: the stack keeps its depth, and what is active is right.
            self.term.pop_keyboard_modes(1);
        } else {
            *self.depth() += 1;
        }
        self.term.push_keyboard_mode(mode);
    }

    fn pop_keyboard_modes(&mut self, count: u16) {
        *self.depth() = self.depth().saturating_sub(usize::from(count));
        self.term.pop_keyboard_modes(count);
    }

    fn report_keyboard_mode(&mut self) {
        // Upstream reports the top of the stack, which is not what `CSI = n u` has set.
        let flags = kitty_flags(*self.term.mode());
        self.reply(&format!("\x1b[?{flags}u"));
    }

    fn dynamic_color_sequence(&mut self, prefix: String, index: usize, terminator: &str) {
        let changed = self.term.colors()[index].map(|color| [color.r, color.g, color.b]);
        let palette = &self.state.palette;
        let [r, g, b] = changed.unwrap_or_else(|| match index {
            0..=255 => palette.indexed(index as u8),
            257 => palette.background,
            258 => palette.cursor,
            _ => palette.foreground,
        });
        self.reply(&format!(
            "\x1b]{prefix};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{terminator}"
        ));
    }

    fn clipboard_store(&mut self, clipboard: u8, base64: &[u8]) {
        // One that was ended for its length is not whole.
        if base64.len() + 16 < CLIPBOARD_LIMIT {
            self.term.clipboard_store(clipboard, base64);
        }
    }

    fn text_area_size_pixels(&mut self) {
        let Size { cols, rows, cell_width, cell_height } = self.state.size;
        let height = u32::from(rows) * u32::from(cell_height);
        let width = u32::from(cols) * u32::from(cell_width);
        self.reply(&format!("\x1b[4;{height};{width}t"));
    }

    // The rest goes through as it is.

    fn set_cursor_style(&mut self, style: Option<CursorStyle>) {
        self.term.set_cursor_style(style);
    }

    fn set_cursor_shape(&mut self, shape: CursorShape) {
        self.term.set_cursor_shape(shape);
    }

    #[inline]
    fn goto(&mut self, line: i32, col: usize) {
        self.term.goto(line, col);
    }

    #[inline]
    fn goto_line(&mut self, line: i32) {
        self.term.goto_line(line);
    }

    #[inline]
    fn goto_col(&mut self, col: usize) {
        self.term.goto_col(col);
    }

    fn insert_blank(&mut self, count: usize) {
        self.term.insert_blank(count);
    }

    fn move_up(&mut self, rows: usize) {
        self.term.move_up(rows);
    }

    fn move_down(&mut self, rows: usize) {
        self.term.move_down(rows);
    }

    fn identify_terminal(&mut self, intermediate: Option<char>) {
        self.term.identify_terminal(intermediate);
    }

    fn device_status(&mut self, status: usize) {
        self.term.device_status(status);
    }

    #[inline]
    fn move_forward(&mut self, cols: usize) {
        self.term.move_forward(cols);
    }

    #[inline]
    fn move_backward(&mut self, cols: usize) {
        self.term.move_backward(cols);
    }

    fn move_down_and_cr(&mut self, rows: usize) {
        self.term.move_down_and_cr(rows);
    }

    fn move_up_and_cr(&mut self, rows: usize) {
        self.term.move_up_and_cr(rows);
    }

    fn put_tab(&mut self, count: u16) {
        self.term.put_tab(count);
    }

    fn backspace(&mut self) {
        self.term.backspace();
    }

    #[inline]
    fn carriage_return(&mut self) {
        self.term.carriage_return();
    }

    fn bell(&mut self) {
        self.term.bell();
    }

    fn substitute(&mut self) {
        self.term.substitute();
    }

    fn set_horizontal_tabstop(&mut self) {
        self.term.set_horizontal_tabstop();
    }

    fn scroll_down(&mut self, rows: usize) {
        self.term.scroll_down(rows);
    }

    fn insert_blank_lines(&mut self, rows: usize) {
        self.term.insert_blank_lines(rows);
    }

    fn erase_chars(&mut self, count: usize) {
        self.term.erase_chars(count);
    }

    fn delete_chars(&mut self, count: usize) {
        self.term.delete_chars(count);
    }

    fn move_backward_tabs(&mut self, count: u16) {
        self.term.move_backward_tabs(count);
    }

    fn move_forward_tabs(&mut self, count: u16) {
        self.term.move_forward_tabs(count);
    }

    fn save_cursor_position(&mut self) {
        self.term.save_cursor_position();
    }

    fn restore_cursor_position(&mut self) {
        self.term.restore_cursor_position();
    }

    #[inline]
    fn clear_line(&mut self, mode: LineClearMode) {
        self.term.clear_line(mode);
    }

    fn clear_tabs(&mut self, mode: TabulationClearMode) {
        self.term.clear_tabs(mode);
    }

    fn set_tabs(&mut self, interval: u16) {
        self.term.set_tabs(interval);
    }

    fn reverse_index(&mut self) {
        self.term.reverse_index();
    }

    #[inline]
    fn terminal_attribute(&mut self, attr: Attr) {
        self.term.terminal_attribute(attr);
    }

    fn set_mode(&mut self, mode: Mode) {
        self.term.set_mode(mode);
    }

    fn unset_mode(&mut self, mode: Mode) {
        self.term.unset_mode(mode);
    }

    fn report_mode(&mut self, mode: Mode) {
        self.term.report_mode(mode);
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        self.term.set_scrolling_region(top, bottom);
    }

    fn set_keypad_application_mode(&mut self) {
        self.term.set_keypad_application_mode();
    }

    fn unset_keypad_application_mode(&mut self) {
        self.term.unset_keypad_application_mode();
    }

    fn set_active_charset(&mut self, index: CharsetIndex) {
        self.term.set_active_charset(index);
    }

    fn configure_charset(&mut self, index: CharsetIndex, charset: StandardCharset) {
        self.term.configure_charset(index, charset);
    }

    fn set_color(&mut self, index: usize, color: Rgb) {
        self.term.set_color(index, color);
    }

    fn reset_color(&mut self, index: usize) {
        self.term.reset_color(index);
    }

    fn clipboard_load(&mut self, clipboard: u8, terminator: &str) {
        self.term.clipboard_load(clipboard, terminator);
    }

    fn decaln(&mut self) {
        self.term.decaln();
    }

    fn push_title(&mut self) {
        self.term.push_title();
    }

    fn pop_title(&mut self) {
        self.term.pop_title();
    }

    fn text_area_size_chars(&mut self) {
        self.term.text_area_size_chars();
    }

    fn set_keyboard_mode(&mut self, mode: KeyboardModes, behavior: KeyboardModesApplyBehavior) {
        Handler::set_keyboard_mode(self.term, mode, behavior);
    }
}

/// The kitty keyboard flags among a terminal's modes, as their protocol numbers them.
pub(crate) fn kitty_flags(mode: TermMode) -> u8 {
    [
        TermMode::DISAMBIGUATE_ESC_CODES,
        TermMode::REPORT_EVENT_TYPES,
        TermMode::REPORT_ALTERNATE_KEYS,
        TermMode::REPORT_ALL_KEYS_AS_ESC,
        TermMode::REPORT_ASSOCIATED_TEXT,
    ]
    .into_iter()
    .enumerate()
    .map(|(bit, flag)| u8::from(mode.contains(flag)) << bit)
    .sum()
}
